/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads as libpam 1.5 does, measured against it by tests/cli/test_pam_stack.py,
 * which plays random stacks in both.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../root.h"
#include "control.h"
#include "countersign.h"
#include "stack.h"

#define FILE_MAX 262144
#define PROBLEMS_MAX 64
#define ARGS_MAX 64
#define READS_MAX 256 /* files that include each other twice are many */
#define SPACE " \n\t"

/* --- memory: blocks that live as long as the stack -------------------------
 */

struct block {
	struct block *next;
	max_align_t bytes[];
};

struct reader {
	const char *root;
	struct pam_stack *stack;
	struct pam_entries *into; /* PAM_TYPES of them */
	/* the file that is read from here instead, or NULL */
	const char *path, *bytes;
	size_t len;
	unsigned int reads;
	bool no_memory;
};

static void *
keep(struct reader *r, size_t size)
{
	struct block *block = calloc(1, sizeof *block + size);

	if (block == NULL) {
		r->no_memory = true;
		return NULL;
	}
	block->next = r->stack->memory;
	r->stack->memory = block;
	return block->bytes;
}

static const char *
keep_text(struct reader *r, const char *text, size_t len)
{
	char *copy = keep(r, len + 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

static void problem(struct reader *r, const char *file, unsigned int line,
    const char *fmt, ...) CSIGN_PRINTF(4, 5);

static void
problem(
    struct reader *r, const char *file, unsigned int line, const char *fmt, ...)
{
	struct pam_stack *stack = r->stack;
	struct pam_problem *p;
	char text[512];
	va_list ap;

	if (stack->n_problems == PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	p = &stack->problem[stack->n_problems];
	p->file = keep_text(r, file, strlen(file));
	p->line = line;
	p->text = keep_text(r, text, strlen(text));
	if (!r->no_memory)
		stack->n_problems++;
}

/* --- words ------------------------------------------------------------------
 */

struct word {
	char *text; /* without the brackets; NULL: there is none */
	bool bracket;
	bool open; /* a bracket that is not closed */
};

/* The next word of the line; "\]" in a bracket is "]". */
static struct word
next_word(char **line)
{
	struct word w = {NULL, false, false};
	char *from = *line + strspn(*line, SPACE), *end, *to;

	*line = from;
	if (*from == '\0')
		return w;
	if (*from != '[') {
		end = from + strcspn(from, SPACE);
		w.text = from;
		*line = end;
		if (*end != '\0')
			*(*line)++ = '\0';
		return w;
	}
	w.text = to = end = from + 1;
	while (*end != '\0' && *end != ']') {
		if (end[0] == '\\' && end[1] == ']')
			end++;
		*to++ = *end++;
	}
	w.bracket = true;
	w.open = *end == '\0';
	*line = w.open ? end : end + 1;
	*to = '\0';
	return w;
}

/* --- one line ---------------------------------------------------------------
 */

/* Where a line stands, and for whom it is read. */
struct place {
	const char *file;
	unsigned int line;
	int wanted; /* enum pam_type, or -1: all */
	unsigned int depth, level;
};

static const char *const type_names[PAM_TYPES] = {
    "auth", "account", "password", "session"};

const char *
pam_type_name(enum pam_type type)
{
	return type_names[type];
}

static int
type_of(const char *word)
{
	for (int i = 0; i < PAM_TYPES; i++)
		if (strcasecmp(type_names[i], word) == 0)
			return i;
	return -1;
}

static bool read_file(
    struct reader *r, const char *name, const struct place *from);

static struct pam_entry *
add_entry(struct reader *r, const struct place *at, int type,
    enum pam_entry_kind kind)
{
	struct pam_entries *list = &r->into[type];
	struct pam_entry *entry;

	if (list->n == PAM_STACK_MAX) {
		problem(r, at->file, at->line,
		    "more than %d entries of type %s: not looked at",
		    PAM_STACK_MAX, type_names[type]);
		r->stack->unusable = true;
		return NULL;
	}
	if (list->item == NULL &&
	    (list->item = keep(r, PAM_STACK_MAX * sizeof *entry)) == NULL)
		return NULL;
	entry = &list->item[list->n++];
	*entry = (struct pam_entry){.file = at->file,
	    .line = at->line,
	    .kind = kind,
	    .level = at->level,
	    .control = "",
	    .module = "",
	    .proof = PAM_PROOF_NONE};
	pam_control_all(entry->action, PAM_ACTION_BAD);
	return entry;
}

/*
 * A line that makes libpam add a failure instead.  False: a failure of every
 * type at once, with which libpam gives up.
 */
static bool
add_broken(struct reader *r, const struct place *at, int type)
{
	if (type == -1)
		return false;
	(void)add_entry(r, at, type, PAM_ENTRY_BROKEN);
	return true;
}

static void
read_args(struct reader *r, const struct place *at, char *rest,
    struct pam_entry *entry)
{
	const char *found[ARGS_MAX + 1] = {NULL};
	const char **args;
	size_t n = 0;

	for (;;) {
		struct word w = next_word(&rest);

		if (w.text == NULL)
			break;
		if (w.open)
			problem(r, at->file, at->line, "a \"[\" without \"]\"");
		if (n == ARGS_MAX) {
			problem(r, at->file, at->line, "too many arguments");
			break;
		}
		found[n++] = keep_text(r, w.text, strlen(w.text));
	}
	args = keep(r, (n + 1) * sizeof *args);
	if (args == NULL)
		return;
	memcpy(args, found, (n + 1) * sizeof *args);
	entry->args = args;
	entry->n_args = n;
}

/* "include", "substack" and "@include".  False: libpam gives up. */
static bool
read_include(struct reader *r, const struct place *at, int type, bool substack,
    const char *name)
{
	struct place from = *at;
	struct pam_entry *entry;

	from.wanted = type;
	if (name == NULL) {
		problem(r, at->file, at->line,
		    "no file named to include: libpam crashes");
		r->stack->unusable = true;
		return false;
	}
	if (substack) {
		entry = add_entry(r, at, type, PAM_ENTRY_SUBSTACK);
		if (entry != NULL) {
			entry->control = "substack";
			entry->module = keep_text(r, name, strlen(name));
		}
		from.level++;
	}
	return read_file(r, name, &from) || add_broken(r, at, type);
}

static const char *
control_text(struct reader *r, const struct word *control)
{
	size_t len = strlen(control->text);
	char *text;

	if (!control->bracket)
		return keep_text(r, control->text, len);
	if ((text = keep(r, len + 3)) == NULL)
		return NULL;
	text[0] = '[';
	memcpy(text + 1, control->text, len);
	text[len + 1] = ']';
	return text;
}

/* A line after its type: control, module, arguments.  False: as above. */
static bool
read_module(struct reader *r, const struct place *at, int type, bool silent,
    bool broken, char *rest)
{
	struct word control = next_word(&rest), module;
	struct pam_entry *entry;

	if (control.text == NULL) {
		problem(r, at->file, at->line, "no control and no module");
		return add_broken(r, at, type);
	}
	module = next_word(&rest);
	if (strcasecmp(control.text, "include") == 0)
		return read_include(r, at, type, false, module.text);
	if (strcasecmp(control.text, "substack") == 0)
		return read_include(r, at, type, true, module.text);
	if (control.open || module.open)
		problem(r, at->file, at->line, "a \"[\" without \"]\"");
	if (module.text == NULL) {
		problem(r, at->file, at->line, "no module named");
		broken = true;
	}
	entry = add_entry(
	    r, at, type, broken ? PAM_ENTRY_BROKEN : PAM_ENTRY_MODULE);
	if (entry == NULL)
		return true;
	entry->silent = silent;
	entry->control = control_text(r, &control);
	if (!pam_control_read(control.text, entry->action))
		problem(r, at->file, at->line,
		    "the control \"%.64s\" is none: every answer of the module "
		    "counts as a failure",
		    control.text);
	if (module.text != NULL) {
		entry->module = keep_text(r, module.text, strlen(module.text));
		if (!broken)
			entry->proof = pam_module_proof(module.text);
		read_args(r, at, rest, entry);
	}
	return true;
}

/* False: libpam gives up. */
static bool
read_line(struct reader *r, const struct place *at, char *line)
{
	struct word first = next_word(&line);
	bool silent = false;
	int type;

	if (first.text == NULL)
		return true;
	if (first.text[0] == '-') {
		silent = true;
		first.text++;
	}
	if (strcasecmp(first.text, "@include") == 0)
		return read_include(
		    r, at, at->wanted, false, next_word(&line).text);
	if ((type = type_of(first.text)) != -1)
		return (at->wanted != -1 && at->wanted != type) ||
		       read_module(r, at, type, silent, false, line);
	problem(
	    r, at->file, at->line, "\"%.64s\" is no type of entry", first.text);
	/* taken for what it hurts most to have wrong */
	return read_module(r, at, at->wanted == -1 ? PAM_TYPE_AUTH : at->wanted,
	    silent, true, line);
}

/* --- one file ---------------------------------------------------------------
 */

struct text {
	char *at, *end;
	unsigned int line; /* of at */
};

/*
 * The next line that says something, its comment cut off and its
 * continuations joined, in out; *ret_line is where it starts.  1, 0 at the
 * end, -1 if libpam gives up.
 */
static int
assemble(
    struct text *text, char out[PAM_STACK_LINE + 1], unsigned int *ret_line)
{
	size_t used = 0;
	bool open = false;

	while (text->at < text->end) {
		char *start = text->at;
		size_t len = strcspn(start, "\n"), said;

		text->at += len + (start + len < text->end ? 1 : 0);
		text->line++;
		said = strspn(start, " \t");
		if (said >= len || start[said] == '#')
			continue;
		if (!open)
			*ret_line = text->line - 1;
		said = strcspn(start, "#\n");
		open = start[said] != '#';
		if (open) {
			while (said > 0 && strchr(" \t", start[said - 1]))
				said--;
			open = start[said - 1] == '\\';
			said -= open ? 1 : 0;
		}
		if (used + said + 1 > PAM_STACK_LINE)
			return -1;
		memcpy(out + used, start, said);
		used += said;
		out[used++] = ' ';
		out[used] = '\0';
		if (!open)
			return 1;
	}
	return open ? -1 : 0;
}

/* False: libpam gives up on the file; what came before stays. */
static bool
read_text(struct reader *r, struct place *at, char *bytes, size_t len)
{
	struct text text = {bytes, bytes + len, 1};
	char line[PAM_STACK_LINE + 1];
	int got;
	bool ok = true;

	if (memchr(bytes, '\0', len) != NULL) {
		problem(r, at->file, 0, "it contains a NUL byte");
		return false;
	}
	if (memchr(bytes, '\r', len) != NULL)
		problem(r, at->file, 0,
		    "its lines end as on Windows; libpam takes the carriage "
		    "return for a part of the last word");
	at->line = 1;
	while ((got = assemble(&text, line, &at->line)) == 1 && ok &&
	       !r->no_memory)
		ok = read_line(r, at, line);
	if (got == -1)
		problem(r, at->file, at->line,
		    "a line of more than %d bytes, or a \"\\\" at the end of "
		    "the file",
		    PAM_STACK_LINE);
	return ok && got != -1;
}

/* The bytes of one file; NULL and errno. */
static char *
load(struct reader *r, const char *path, size_t *ret_len)
{
	char *bytes;

	if (r->path == NULL || strcmp(r->path, path) != 0)
		return root_read(r->root, path, FILE_MAX, ret_len);
	if ((bytes = calloc(1, r->len + 1)) != NULL) {
		memcpy(bytes, r->bytes, r->len);
		*ret_len = r->len;
	}
	return bytes;
}

/* The bytes of a service's file, and its name; NULL and errno. */
static char *
find_file(
    struct reader *r, const char *name, char path[PATH_MAX], size_t *ret_len)
{
	static const char *const folders[] = {"/etc/pam.d/", "/usr/lib/pam.d/"};
	char *bytes;

	if (name[0] == '/') {
		(void)snprintf(path, PATH_MAX, "%s", name);
		return load(r, path, ret_len);
	}
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, PATH_MAX, "%s%s", folders[i], name);
		bytes = load(r, path, ret_len);
		if (bytes != NULL || errno != ENOENT)
			return bytes;
	}
	return NULL;
}

/* False: libpam could not read it. */
static bool
read_file(struct reader *r, const char *name, const struct place *from)
{
	struct place at = *from;
	char path[PATH_MAX];
	char *bytes;
	size_t len;
	bool ok;

	if (from->depth == PAM_STACK_DEPTH) {
		problem(r, from->file, from->line,
		    "more than %d files include each other", PAM_STACK_DEPTH);
		return false;
	}
	if (r->reads++ == READS_MAX) {
		problem(r, from->file, from->line,
		    "more than %d files are included: not looked at",
		    READS_MAX);
		r->stack->unusable = true;
	}
	if (r->reads > READS_MAX)
		return false;
	if ((bytes = find_file(r, name, path, &len)) == NULL) {
		problem(r, from->file, from->line,
		    "%s is named here and cannot be read: %s", path,
		    strerrordesc_np(errno));
		return false;
	}
	at.file = keep_text(r, path, strlen(path));
	at.depth++;
	ok = at.file != NULL && read_text(r, &at, bytes, len);
	free(bytes);
	return ok;
}

/* --- one service ------------------------------------------------------------
 */

bool
pam_service_ok(const char *service)
{
	size_t len = strlen(service);

	return len > 0 && len <= 64 &&
	       strspn(service, "abcdefghijklmnopqrstuvwxyz0123456789_.-+") ==
		   len &&
	       service[0] != '.' && service[0] != '-';
}

/* A service's own file, without the fall-back.  False: there is none. */
static bool
read_service(struct reader *r, const char *service,
    struct pam_entries into[PAM_TYPES], const char **ret_file)
{
	struct place at = {.wanted = -1, .depth = 1};
	char path[PATH_MAX];
	char *bytes;
	size_t len;

	r->into = into;
	if ((bytes = find_file(r, service, path, &len)) == NULL) {
		if (errno != ENOENT) {
			problem(r, path, 0, "it cannot be read: %s",
			    strerrordesc_np(errno));
			r->stack->unusable = true;
		}
		return false;
	}
	at.file = keep_text(r, path, strlen(path));
	if (at.file != NULL && !read_text(r, &at, bytes, len))
		r->stack->unusable = true;
	free(bytes);
	*ret_file = at.file;
	return true;
}

static void
read_all(struct reader *r, const char *service)
{
	struct pam_stack *stack = r->stack;
	struct pam_entries other[PAM_TYPES] = {{NULL, 0}};
	const char *other_file = NULL;
	size_t problems;
	bool needed = false;

	stack->service = keep_text(r, service, strlen(service));
	(void)read_service(r, service, stack->type, &stack->file);
	if (strcmp(service, "other") == 0)
		return;
	problems = stack->n_problems;
	(void)read_service(r, "other", other, &other_file);
	for (size_t i = 0; i < PAM_TYPES; i++)
		if (stack->type[i].n == 0) {
			stack->type[i] = other[i];
			stack->from_other[i] = true;
			needed = true;
		}
	/* what is wrong in a file that is not used is another check's */
	if (!needed && !stack->unusable)
		stack->n_problems = problems;
	if (stack->file == NULL && other_file == NULL)
		stack->unusable = true;
}

bool
pam_stack_read(
    const char *root, const char *service, struct pam_stack **ret_stack)
{
	return pam_stack_read_as_if(root, service, NULL, NULL, 0, ret_stack);
}

bool
pam_stack_read_as_if(const char *root, const char *service, const char *path,
    const char *bytes, size_t len, struct pam_stack **ret_stack)
{
	struct reader r = {
	    .root = root, .path = path, .bytes = bytes, .len = len};
	struct pam_stack *stack = calloc(1, sizeof *stack);

	if (stack == NULL)
		return false;
	r.stack = stack;
	stack->problem = keep(&r, PROBLEMS_MAX * sizeof *stack->problem);
	if (!r.no_memory)
		read_all(&r, service);
	if (r.no_memory) {
		pam_stack_free(&stack);
		return false;
	}
	*ret_stack = stack;
	return true;
}

void
pam_stack_free(struct pam_stack **stack)
{
	if (*stack == NULL)
		return;
	for (struct block *b = (*stack)->memory, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(*stack);
	*stack = NULL;
}

bool
pam_entry_is_ours(const struct pam_entry *entry)
{
	return entry->proof == PAM_PROOF_OURS;
}

const struct pam_entry *
pam_stack_ours(const struct pam_stack *stack, enum pam_type type)
{
	const struct pam_entries *list = &stack->type[type];

	for (size_t i = 0; i < list->n; i++)
		if (pam_entry_is_ours(&list->item[i]))
			return &list->item[i];
	return NULL;
}

bool
pam_entry_has_arg(const struct pam_entry *entry, const char *arg)
{
	for (size_t i = 0; i < entry->n_args; i++)
		if (strcmp(entry->args[i], arg) == 0)
			return true;
	return false;
}
