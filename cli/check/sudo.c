/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: sudoers(5), as far as it says who may become root and
 * when sudo asks.  It is not a parser of sudoers: what it does not know it
 * passes by.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lines.h"
#include "run.h"

#define SUDOERS "/etc/sudoers"
#define SUDO "/usr/bin/sudo"
#define DEPTH_MAX 8
#define TIMEOUT_DEFAULT 15.0
#define TIMEOUT_LINE "Authentication timestamp timeout: "

struct sudoers {
	struct check *c;
	bool asks; /* the stack does: the phone is what is passed by */
	unsigned int depth;
	const char *file;
	unsigned int line;
	double timeout; /* minutes */
	char timeout_at[CHECK_SUBJECT_SIZE];
};

static void read_sudoers(struct sudoers *s, const char *path);

static void
find_at(struct sudoers *s, enum check_id id, const char *what)
{
	char at[CHECK_SUBJECT_SIZE];

	check_find(s->c->report, id, NULL, check_at(at, s->file, s->line), NULL,
	    "%s", what);
}

/* --- Defaults ------------------------------------------------------------- */

static void
take_service(struct sudoers *s, const char *name)
{
	char at[CHECK_SUBJECT_SIZE];

	if (s->asks && !check_asks(s->c, name))
		check_find(s->c->report, FIND_SUDO_SERVICE, NULL,
		    check_at(at, s->file, s->line), NULL,
		    "sudo uses the PAM service \"%s\" here, which does not ask "
		    "the phone.",
		    name);
}

/* Without the blanks around it. */
static char *
trimmed(char *text)
{
	char *end = text + strlen(text);

	while (end > text && end[-1] == ' ')
		*--end = '\0';
	return text + strspn(text, " ");
}

/* A negative time is for ever. */
static bool
is_longer(double a, double b)
{
	return b >= 0 && (a < 0 || a > b);
}

/* One setting, "name", "!name" or "name = value". */
static void
take_default(struct sudoers *s, char *setting, bool for_all)
{
	char *value = strchr(setting, '=');

	if (value != NULL) {
		*value++ = '\0';
		value += strspn(value, " \"");
		value[strcspn(value, " \"")] = '\0';
	}
	setting = trimmed(setting);
	if (strcmp(setting, "timestamp_timeout") == 0 && value != NULL) {
		double minutes = strtod(value, NULL);

		if (for_all || is_longer(minutes, s->timeout)) {
			s->timeout = minutes;
			(void)check_at(s->timeout_at, s->file, s->line);
		}
	} else if (strcmp(setting, "!authenticate") == 0 && s->asks) {
		find_at(s, FIND_SUDO_NOPASSWD,
		    "sudo asks nothing here, so the phone is not asked.");
	} else if ((strcmp(setting, "rootpw") == 0 ||
		       strcmp(setting, "targetpw") == 0 ||
		       strcmp(setting, "runaspw") == 0) &&
		   s->asks) {
		find_at(s, FIND_SUDO_TARGET,
		    "sudo authenticates the account to become, so its phone "
		    "is asked and not the caller's.");
	} else if ((strcmp(setting, "pam_service") == 0 ||
		       strcmp(setting, "pam_login_service") == 0) &&
		   value != NULL) {
		take_service(s, value);
	}
}

/* "Defaults:alice !authenticate, timestamp_timeout = 5" */
static void
take_defaults(struct sudoers *s, char *text)
{
	bool for_all = *text == ' ';
	char *setting;

	if (!for_all)
		text += strcspn(text, " ");
	while ((setting = strsep(&text, ",")) != NULL)
		take_default(s, setting, for_all);
}

/* --- who may -------------------------------------------------------------- */

/* "alice, %wheel ALL=(ALL) NOPASSWD: ALL" */
static void
take_rule(struct sudoers *s, char *text)
{
	char *rest = strchr(text, '='), *who, *next = text, *space;
	bool nopasswd, all;

	if (rest == NULL)
		return;
	nopasswd = strstr(rest, "NOPASSWD") != NULL;
	all = strstr(rest, "ALL") != NULL;
	*rest = '\0';
	/* the last word before "=" is the host */
	while (rest > text && rest[-1] == ' ')
		*--rest = '\0';
	if ((space = strrchr(text, ' ')) == NULL)
		return;
	*space = '\0';
	while ((who = check_word(&next, ",")) != NULL) {
		struct check_person *person;

		if (nopasswd && s->asks && strcmp(who, "root") != 0)
			find_at(s, FIND_SUDO_NOPASSWD,
			    "NOPASSWD: sudo asks nothing here, so the phone is "
			    "not asked.");
		if (!all)
			continue;
		if (who[0] == '%') {
			check_admin_group(s->c, who + 1, nopasswd);
		} else if ((person = check_person(s->c, who)) != NULL) {
			person->admin = true;
			person->nopasswd = person->nopasswd || nopasswd;
		}
	}
}

/* --- files ---------------------------------------------------------------- */

static void
include_one(void *arg, const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	/* as sudo: neither what has a dot nor what ends in "~" */
	if (strchr(name, '.') == NULL && name[strlen(name) - 1] != '~')
		read_sudoers(arg, path);
}

static bool
take_include(struct sudoers *s, char *line)
{
	static const char *const words[] = {
	    "@includedir ", "#includedir ", "@include ", "#include "};
	struct sudoers inner;
	char pattern[512] = "";

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t len = strlen(words[i]);
		const char *path = line + len + strspn(line + len, " \"");

		if (strncmp(line, words[i], len) != 0)
			continue;
		inner = *s;
		inner.depth++;
		if (!check_append(
			pattern, sizeof pattern, path, strcspn(path, "\"")) ||
		    !check_append(pattern, sizeof pattern, "/*", i < 2 ? 2 : 0))
			return true;
		if (inner.depth < DEPTH_MAX && i < 2)
			(void)check_each(pattern, include_one, &inner);
		else if (inner.depth < DEPTH_MAX)
			read_sudoers(&inner, pattern);
		s->timeout = inner.timeout;
		memcpy(s->timeout_at, inner.timeout_at, sizeof s->timeout_at);
		return true;
	}
	return false;
}

static void
take_line(struct sudoers *s, char *line)
{
	static const char *const aliases[] = {"User_Alias", "Runas_Alias",
	    "Host_Alias", "Cmnd_Alias", "Cmd_Alias"};

	if (take_include(s, line) || *line == '\0')
		return;
	/* "#1000 ALL=..." names a uid */
	if (line[0] == '#' && (line[1] < '0' || line[1] > '9'))
		return;
	line[strcspn(line + 1, "#") + 1] = '\0';
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		if (strncmp(line, aliases[i], strlen(aliases[i])) == 0)
			return;
	if (strncmp(line, "Defaults", strlen("Defaults")) == 0)
		take_defaults(s, line + strlen("Defaults"));
	else
		take_rule(s, line);
}

static void
read_sudoers(struct sudoers *s, const char *path)
{
	char *text = check_text(path, CHECK_TEXT_MAX);
	struct check_lines lines = {.next = text};
	const char *outer = s->file;
	unsigned int outer_line = s->line;

	if (text == NULL) {
		check_find(s->c->report, FIND_SUDO_UNREAD, NULL, path, NULL,
		    "It cannot be read (%m), so it is not known who may "
		    "become root.");
		return;
	}
	s->file = path;
	while (check_line(&lines, true)) {
		s->line = lines.number;
		take_line(s, lines.line);
	}
	s->file = outer;
	s->line = outer_line;
	free(text);
}

/* --- what sudo itself says ------------------------------------------------ */

/* As root it prints its settings, but not those for some users alone. */
static void
ask_sudo(struct sudoers *s)
{
	const char *const argv[] = {SUDO, "-V", NULL};
	char *said = NULL, *at;

	if (!check_run(argv, &said))
		check_find(s->c->report, FIND_SUDO_UNREAD, NULL, "sudo -V",
		    NULL, "sudo did not say what it would do: %.200s",
		    said != NULL ? said : "it could not be run");
	else if ((at = strstr(said, TIMEOUT_LINE)) != NULL)
		s->timeout = strtod(at + strlen(TIMEOUT_LINE), NULL);
	free(said);
}

static void
check_timestamp(struct sudoers *s)
{
	unsigned int told =
	    check_setting_number(s->c, "sudo", "timestamp_timeout");
	const char *at = s->timeout_at[0] != '\0' ? s->timeout_at : SUDOERS;

	if (!s->c->loaded)
		return;
	if (s->timeout < 0)
		check_find(s->c->report, FIND_SUDO_TIMESTAMP, NULL, at,
		    "timestamp_timeout = 0 in sudoers, or a number of minutes",
		    "sudo remembers an approval for ever, and phones say %u "
		    "minutes.",
		    told);
	else if (s->timeout > told)
		check_find(s->c->report, FIND_SUDO_TIMESTAMP, NULL, at, NULL,
		    "sudo remembers an approval for %g minutes, and phones say "
		    "%u: one approval covers more than the phone shows.",
		    s->timeout, told);
	else if (told > s->timeout)
		check_find(s->c->report, FIND_SUDO_TIMESTAMP, NULL, at, NULL,
		    "sudo remembers an approval for %g minutes, and phones say "
		    "%u.",
		    s->timeout, told);
	else
		check_good(s->c->report, GROUP_SUDO,
		    "one approval covers %u minute%s, as the phone says", told,
		    told == 1 ? "" : "s");
}

void
check_sudo(struct check *c)
{
	struct sudoers s = {.c = c,
	    .asks =
		check_pam_service(c, "sudo") != NULL && check_asks(c, "sudo"),
	    .timeout = TIMEOUT_DEFAULT};
	struct stat st;

	if (stat(SUDOERS, &st) != 0)
		return; /* no sudo here */
	/* what the files do not say may be compiled in */
	if (c->root == NULL && s.asks)
		ask_sudo(&s);
	read_sudoers(&s, SUDOERS);
	if (s.asks)
		check_timestamp(&s);
}
