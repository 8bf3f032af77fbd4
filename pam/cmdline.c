/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmdline.h"

#define ARGS_MAX ((size_t)8 << 20)
#define ARGS_STEP ((size_t)16 << 10)

/* --- the bytes -------------------------------------------------------------
 */

/* Reads to the end of fd; *ret_args has a NUL behind its *ret_len bytes. */
static enum csign_err
read_all(int fd, char **ret_args, size_t *ret_len)
{
	char *args = NULL, *bigger;
	size_t size = 0, len = 0;
	enum csign_err r;
	ssize_t n = 1;

	while (n != 0) {
		if (size - len <= 1) {
			r = CSIGN_E_TOO_LONG;
			if (size >= ARGS_MAX)
				goto fail;
			r = CSIGN_E_NOMEM;
			size = size == 0 ? ARGS_STEP : size * 2;
			if ((bigger = realloc(args, size)) == NULL)
				goto fail;
			args = bigger;
		}
		n = read(fd, args + len, size - len - 1);
		r = CSIGN_E_SYSTEM;
		if (n < 0 && errno != EINTR)
			goto fail;
		if (n > 0)
			len += (size_t)n;
	}
	args[len] = '\0';
	*ret_args = args;
	*ret_len = len;
	return CSIGN_OK;
fail:
	free(args);
	return r;
}

enum csign_err
csign_cmdline_read(char **ret_args, size_t *ret_len)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum csign_err r;

	if (fd < 0)
		return CSIGN_E_SYSTEM;
	r = read_all(fd, ret_args, ret_len);
	close(fd);
	return r;
}

/* --- words -----------------------------------------------------------------
 */

struct args {
	const char **word;
	size_t n;
};

static enum csign_err
split(const char *bytes, size_t len, struct args *ret_args)
{
	const char **word;
	size_t n = 0;

	for (size_t at = 0; at < len; at += strnlen(bytes + at, len - at) + 1)
		n++;
	if ((word = calloc(n + 1, sizeof(*word))) == NULL)
		return CSIGN_E_NOMEM;
	n = 0;
	for (size_t at = 0; at < len; at += strnlen(bytes + at, len - at) + 1)
		word[n++] = bytes + at;
	ret_args->word = word;
	ret_args->n = n;
	return CSIGN_OK;
}

static bool
needs_quotes(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./-";

	return word[0] == '\0' || word[strspn(word, plain)] != '\0';
}

/* Room for a word between quotes, each ' becoming '\''. */
static size_t
quoted_len(const char *word)
{
	size_t len = 2;

	for (; *word != '\0'; word++)
		len += *word == '\'' ? 4 : 1;
	return len;
}

static char *
quote(char *to, const char *word)
{
	if (!needs_quotes(word))
		return stpcpy(to, word);
	*to++ = '\'';
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			to = stpcpy(to, "'\\'");
		*to++ = *word;
	}
	*to++ = '\'';
	return to;
}

/* The words from first on, as one line for a shell. */
static enum csign_err
join(const struct args *args, size_t first, char **ret_text)
{
	size_t size = 1;
	char *text, *to;

	for (size_t i = first; i < args->n; i++)
		size += quoted_len(args->word[i]) + 1;
	if ((text = malloc(size)) == NULL)
		return CSIGN_E_NOMEM;
	to = text;
	for (size_t i = first; i < args->n; i++) {
		if (i > first)
			*to++ = ' ';
		to = quote(to, args->word[i]);
	}
	*to = '\0';
	*ret_text = text;
	return CSIGN_OK;
}

/* --- options, as getopt_long(3) reads them ---------------------------------
 */

enum takes { NOTHING, VALUE, MAYBE }; /* MAYBE: only in the same word */

struct option {
	const char *name; /* long name, or NULL */
	char letter;      /* 0: none */
	enum takes takes;
};

/* Where in the words we are.  getopt's own state belongs to the program. */
struct walk {
	const struct args *args;
	const struct option *options;
	size_t n_options;
	size_t at;           /* the next word */
	const char *letters; /* rest of a word of short options, or NULL */
	const char *value;   /* of the option just read, or NULL */
	bool ended;          /* "--" was seen */
	bool failed;
};

static const struct option *
find_letter(const struct walk *w, char letter)
{
	for (size_t i = 0; i < w->n_options; i++)
		if (w->options[i].letter == letter)
			return &w->options[i];
	return NULL;
}

/* The option of that name, or the only one that begins with it. */
static const struct option *
find_name(const struct walk *w, const char *name, size_t len)
{
	const struct option *found = NULL;

	for (size_t i = 0; i < w->n_options; i++) {
		const struct option *o = &w->options[i];

		if (o->name == NULL || strncmp(o->name, name, len) != 0)
			continue;
		if (o->name[len] == '\0')
			return o;
		if (found != NULL)
			return NULL;
		found = o;
	}
	return found;
}

/* The value of o: the rest of its word, or the next word. */
static const struct option *
with_value(struct walk *w, const struct option *o, const char *rest)
{
	w->value = rest;
	if (o == NULL || (o->takes == NOTHING && rest != NULL) ||
	    (o->takes == VALUE && rest == NULL && w->at >= w->args->n)) {
		w->failed = true;
		return NULL;
	}
	if (o->takes == VALUE && rest == NULL)
		w->value = w->args->word[w->at++];
	return o;
}

static const struct option *
next_letter(struct walk *w)
{
	const struct option *o = find_letter(w, *w->letters++);
	const char *rest = *w->letters == '\0' ? NULL : w->letters;

	if (o != NULL && o->takes == NOTHING) {
		w->letters = rest;
		rest = NULL;
	} else {
		w->letters = NULL;
	}
	return with_value(w, o, rest);
}

static const struct option *
next_name(struct walk *w, const char *name)
{
	const char *end = strchrnul(name, '=');

	return with_value(w, find_name(w, name, (size_t)(end - name)),
	    *end == '=' ? end + 1 : NULL);
}

/* The next option, or NULL: at a word that is none, at the end, or failed. */
static const struct option *
next_option(struct walk *w)
{
	const char *word;

	w->value = NULL;
	if (w->letters != NULL)
		return next_letter(w);
	if (w->ended || w->at >= w->args->n)
		return NULL;
	word = w->args->word[w->at];
	if (word[0] != '-' || word[1] == '\0')
		return NULL;
	w->at++;
	if (word[1] != '-') {
		w->letters = word + 1;
		return next_letter(w);
	}
	if (word[2] == '\0') {
		w->ended = true;
		return NULL;
	}
	return next_name(w, word + 2);
}

/* --- sudo ------------------------------------------------------------------
 */

/* clang-format off */
static const struct option sudo_options[] = {
	{"askpass", 'A', NOTHING},
	{"auth-type", 'a', VALUE},
	{"background", 'b', NOTHING},
	{"bell", 'B', NOTHING},
	{"chdir", 'D', VALUE},
	{"chroot", 'R', VALUE},
	{"close-from", 'C', VALUE},
	{"command-timeout", 'T', VALUE},
	{"edit", 'e', NOTHING},
	{"group", 'g', VALUE},
	{"help", 'h', MAYBE},
	{"host", '\1', VALUE},
	{"list", 'l', NOTHING},
	{"login", 'i', NOTHING},
	{"login-class", 'c', VALUE},
	{"no-update", 'N', NOTHING},
	{"non-interactive", 'n', NOTHING},
	{"other-user", 'U', VALUE},
	{NULL, 'E', NOTHING},
	{"preserve-env", '\2', MAYBE},
	{"preserve-groups", 'P', NOTHING},
	{"prompt", 'p', VALUE},
	{"remove-timestamp", 'K', NOTHING},
	{"reset-timestamp", 'k', NOTHING},
	{"role", 'r', VALUE},
	{"set-home", 'H', NOTHING},
	{"shell", 's', NOTHING},
	{"stdin", 'S', NOTHING},
	{"type", 't', VALUE},
	{"user", 'u', VALUE},
	{"validate", 'v', NOTHING},
	{"version", 'V', NOTHING},
};
/* clang-format on */

struct sudo {
	const char *target, *group, *chdir, *chroot;
	enum csign_action action;
	bool callers_shell, non_interactive, no_update;
};

/* "-h host", the one value that sudo itself takes from the next word. */
static void
skip_host(struct walk *w)
{
	const char *word;

	if (w->value != NULL || w->letters != NULL || w->at >= w->args->n ||
	    strcmp(w->args->word[w->at - 1], "-h") != 0)
		return;
	word = w->args->word[w->at];
	if (word[0] != '-' && (word[0] == '/' || strchr(word, '=') == NULL))
		w->at++;
}

static void
take_sudo_option(struct walk *w, const struct option *o, struct sudo *sudo)
{
	switch (o->letter) {
	case 'u':
		sudo->target = w->value;
		break;
	case 'g':
		sudo->group = w->value;
		break;
	case 'D':
		sudo->chdir = w->value;
		break;
	case 'R':
		sudo->chroot = w->value;
		break;
	case 'e':
		sudo->action = CSIGN_ACTION_EDIT;
		break;
	case 'l':
		sudo->action = CSIGN_ACTION_LIST;
		break;
	case 'v':
		sudo->action = CSIGN_ACTION_VALIDATE;
		break;
	case 's':
		sudo->callers_shell = true;
		break;
	case 'n':
		sudo->non_interactive = true;
		break;
	case 'N':
		sudo->no_update = true;
		break;
	case 'h':
		skip_host(w);
		break;
	default:
		break;
	}
}

/* Options and NAME=VALUE words may be mixed; the command is the rest. */
static void
walk_sudo(struct walk *w, struct sudo *sudo, size_t *ret_environment)
{
	const struct option *o;

	for (;;) {
		while ((o = next_option(w)) != NULL)
			take_sudo_option(w, o, sudo);
		if (w->failed || w->at >= w->args->n ||
		    strcmp(w->args->word[w->at - 1], "--") == 0 ||
		    w->args->word[w->at][0] == '/' ||
		    strchr(w->args->word[w->at], '=') == NULL)
			return;
		if (*ret_environment == 0)
			*ret_environment = w->at;
		w->at++;
	}
}

/* As sudo does: "sudoedit" is any name that ends in edit. */
static bool
named_edit(const char *name)
{
	const char *slash = strrchr(name, '/');
	size_t len;

	if (slash != NULL)
		name = slash + 1;
	len = strlen(name);
	return len > 4 && strcmp(name + len - 4, "edit") == 0;
}

static enum csign_err
copy_word(const char *word, char **ret_copy)
{
	if (word == NULL)
		return CSIGN_OK;
	return (*ret_copy = strdup(word)) == NULL ? CSIGN_E_NOMEM : CSIGN_OK;
}

static enum csign_err
fill_sudo(const struct sudo *sudo, const struct args *args, size_t first,
    struct csign_cmdline *cmd)
{
	enum csign_err r;

	cmd->action = sudo->action;
	if (cmd->action == CSIGN_ACTION_RUN && first == args->n)
		cmd->action = CSIGN_ACTION_SHELL;
	cmd->non_interactive = sudo->non_interactive;
	cmd->no_update = sudo->no_update;
	cmd->callers_shell = sudo->callers_shell;
	if ((r = copy_word(sudo->target, &cmd->target)) != CSIGN_OK ||
	    (r = copy_word(sudo->group, &cmd->group)) != CSIGN_OK ||
	    (r = copy_word(sudo->chdir, &cmd->chdir)) != CSIGN_OK ||
	    (r = copy_word(sudo->chroot, &cmd->chroot)) != CSIGN_OK)
		return r;
	return join(args, first, &cmd->text);
}

static enum csign_err
parse_sudo(const struct args *args, struct csign_cmdline *cmd)
{
	struct walk w = {.args = args,
	    .options = sudo_options,
	    .n_options = sizeof(sudo_options) / sizeof(sudo_options[0]),
	    .at = 1};
	struct sudo sudo = {.action = CSIGN_ACTION_RUN};
	size_t environment = 0;

	if (args->n > 0 && named_edit(args->word[0]))
		sudo.action = CSIGN_ACTION_EDIT;
	walk_sudo(&w, &sudo, &environment);
	cmd->non_interactive = sudo.non_interactive;
	if (w.failed || args->n == 0)
		return join(args, 0, &cmd->text);
	/* Variables change what a command does: show from the first one on. */
	return fill_sudo(&sudo, args,
	    environment != 0 && w.at < args->n ? environment : w.at, cmd);
}

/* --- doas ------------------------------------------------------------------
 */

/* clang-format off */
static const struct option doas_options[] = {
	{NULL, 'C', VALUE},
	{NULL, 'L', NOTHING},
	{NULL, 'n', NOTHING},
	{NULL, 's', NOTHING},
	{NULL, 'u', VALUE},
};
/* clang-format on */

/* With -s there is no command, else there is one: doas sees to that. */
static enum csign_err
parse_doas(const struct args *args, struct csign_cmdline *cmd)
{
	struct walk w = {.args = args,
	    .options = doas_options,
	    .n_options = sizeof(doas_options) / sizeof(doas_options[0]),
	    .at = 1};
	const char *target = NULL;
	const struct option *o;
	bool shell = false;
	enum csign_err r;

	while ((o = next_option(&w)) != NULL) {
		if (o->letter == 'u')
			target = w.value;
		if (o->letter == 's')
			shell = true;
		if (o->letter == 'n')
			cmd->non_interactive = true;
	}
	if (w.failed || args->n == 0 || shell != (w.at == args->n))
		return join(args, 0, &cmd->text);
	cmd->action = shell ? CSIGN_ACTION_SHELL : CSIGN_ACTION_RUN;
	cmd->callers_shell = shell;
	cmd->callers_path = !shell && strchr(args->word[w.at], '/') == NULL;
	if ((r = copy_word(target, &cmd->target)) != CSIGN_OK)
		return r;
	return join(args, w.at, &cmd->text);
}

/* --- su --------------------------------------------------------------------
 */

/* clang-format off */
static const struct option su_options[] = {
	{"command", 'c', VALUE},
	{"fast", 'f', NOTHING},
	{"group", 'g', VALUE},
	{"help", 'h', NOTHING},
	{"login", 'l', NOTHING},
	{NULL, 'm', NOTHING},
	{"no-pty", 'T', NOTHING},
	{"preserve-environment", 'p', NOTHING},
	{"pty", 'P', NOTHING},
	{"session-command", 'c', VALUE},
	{"shell", 's', VALUE},
	{"supp-group", 'G', VALUE},
	{"version", 'V', NOTHING},
	{"whitelist-environment", 'w', VALUE},
};
/* clang-format on */

/*
 * su lets options follow the user, and hands what comes after the user to the
 * shell.  Only the two plain cases are read, a command and a shell; anything
 * else is shown as the whole line.
 */
static enum csign_err
parse_su(const struct args *args, struct csign_cmdline *cmd)
{
	struct walk w = {.args = args,
	    .options = su_options,
	    .n_options = sizeof(su_options) / sizeof(su_options[0]),
	    .at = 1};
	const char *command = NULL;
	const struct option *o;
	size_t words = 0;
	bool plain = true, callers_shell = false;

	while (w.at < args->n || w.letters != NULL) {
		if ((o = next_option(&w)) != NULL) {
			/* Another shell, or a second command: not plain. */
			if (o->letter == 's' || command != NULL)
				plain = false;
			if (o->letter == 'c')
				command = w.value;
			if (o->letter == 'm' || o->letter == 'p')
				callers_shell = true;
		} else if (w.failed) {
			break;
		} else if (w.at < args->n) {
			/* The first "-" is not the user but a login shell. */
			words +=
			    words > 0 || strcmp(args->word[w.at], "-") != 0;
			w.at++;
		}
	}
	if (w.failed || !plain || words > 1 || args->n == 0)
		return join(args, 0, &cmd->text);
	cmd->action = command == NULL ? CSIGN_ACTION_SHELL : CSIGN_ACTION_RUN;
	cmd->callers_shell = callers_shell;
	return copy_word(command == NULL ? "" : command, &cmd->text);
}

/* --- all -------------------------------------------------------------------
 */

static enum csign_err
parse(const char *bytes, size_t len,
    enum csign_err (*parser)(const struct args *, struct csign_cmdline *),
    struct csign_cmdline *ret_cmd)
{
	struct csign_cmdline cmd = {.action = CSIGN_ACTION_OTHER};
	struct args args = {NULL, 0};
	enum csign_err r;

	if ((r = split(bytes, len, &args)) != CSIGN_OK)
		return r;
	r = parser(&args, &cmd);
	free(args.word);
	if (r != CSIGN_OK)
		csign_cmdline_clear(&cmd);
	else
		*ret_cmd = cmd;
	return r;
}

enum csign_err
csign_cmdline_sudo(const char *args, size_t len, struct csign_cmdline *ret_cmd)
{
	return parse(args, len, parse_sudo, ret_cmd);
}

enum csign_err
csign_cmdline_doas(const char *args, size_t len, struct csign_cmdline *ret_cmd)
{
	return parse(args, len, parse_doas, ret_cmd);
}

enum csign_err
csign_cmdline_su(const char *args, size_t len, struct csign_cmdline *ret_cmd)
{
	return parse(args, len, parse_su, ret_cmd);
}

void
csign_cmdline_clear(struct csign_cmdline *cmd)
{
	free(cmd->text);
	free(cmd->target);
	free(cmd->group);
	free(cmd->chdir);
	free(cmd->chroot);
	*cmd = (struct csign_cmdline){.action = CSIGN_ACTION_OTHER};
}
