/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../root.h"
#include "countersign.h"
#include "edit.h"
#include "write.h"

#define FOLDER "/etc/pam.d"
#define CONTEXT 3 /* lines of a diff around a change */

/* Our line, the better one first. */
static const char *const our_lines[] = {
    "auth\trequired\t" PAM_OUR_MODULE " after_first_factor\t" PAM_EDIT_MARK
    "\n",
    "auth\trequired\t" PAM_OUR_MODULE "\t" PAM_EDIT_MARK "\n",
};

static enum pam_edit_result because(struct pam_edit *e,
    enum pam_edit_result result, const char *fmt, ...) CSIGN_PRINTF(3, 4);

static enum pam_edit_result
because(struct pam_edit *e, enum pam_edit_result result, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->why, sizeof e->why, fmt, ap);
	va_end(ap);
	return result;
}

/* --- lines ------------------------------------------------------------------
 */

/* Behind the line that begins at p; the end of the text if it is the last. */
static const char *
line_end(const char *p)
{
	const char *end = strchrnul(p, '\n');

	return *end == '\n' ? end + 1 : end;
}

/* Is the line at p one that we have written? */
static bool
is_marked(const char *p)
{
	size_t len = (size_t)(line_end(p) - p), mark = strlen(PAM_EDIT_MARK);

	while (len > 0 && strchr(" \t\r\n", p[len - 1]) != NULL)
		len--;
	return len > mark && strncmp(p, "auth", 4) == 0 &&
	       memcmp(p + len - mark, PAM_EDIT_MARK, mark) == 0 &&
	       memmem(p, len, PAM_OUR_MODULE, strlen(PAM_OUR_MODULE)) != NULL;
}

/* The number of the first line of ours, 0 for none. */
static unsigned int
marked_line(const char *text)
{
	unsigned int n = 1;

	for (const char *p = text; *p != '\0'; p = line_end(p), n++)
		if (is_marked(p))
			return n;
	return 0;
}

/* The text with our line behind the first at bytes. */
static bool
with_line(struct pam_edit *e, size_t at)
{
	size_t len = strlen(e->text);

	free(e->new);
	if ((e->new = malloc(e->old_len + len + 1)) == NULL)
		return false;
	memcpy(e->new, e->old, at);
	memcpy(e->new + at, e->text, len);
	memcpy(e->new + at + len, e->old + at, e->old_len - at + 1);
	e->new_len = e->old_len + len;
	return true;
}

/* The text without any line of ours. */
static bool
without_lines(struct pam_edit *e)
{
	if ((e->new = malloc(e->old_len + 1)) == NULL)
		return false;
	for (const char *p = e->old; *p != '\0'; p = line_end(p)) {
		size_t len = (size_t)(line_end(p) - p);

		if (is_marked(p))
			continue;
		memcpy(e->new + e->new_len, p, len);
		e->new_len += len;
	}
	e->new[e->new_len] = '\0';
	return true;
}

/* --- is the rest as it was? -------------------------------------------------
 */

static bool
same_entry(const struct pam_entry *a, const struct pam_entry *b)
{
	if (a->kind != b->kind || a->level != b->level ||
	    a->silent != b->silent || a->n_args != b->n_args ||
	    strcmp(a->file, b->file) != 0 ||
	    strcmp(a->control, b->control) != 0 ||
	    strcmp(a->module, b->module) != 0 ||
	    memcmp(a->action, b->action, sizeof a->action) != 0)
		return false;
	for (size_t i = 0; i < a->n_args; i++)
		if (strcmp(a->args[i], b->args[i]) != 0)
			return false;
	return true;
}

static bool
same_entries(const struct pam_entries *a, const struct pam_entries *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_entry(&a->item[i], &b->item[i]))
			return false;
	return true;
}

/* Is more the same stack as less, but for our entry from that line of path? */
static bool
same_but_ours(const struct pam_entries *less, const struct pam_entries *more,
    const char *path, unsigned int line)
{
	size_t i = 0;

	if (more->n != less->n + 1)
		return false;
	for (size_t k = 0; k < more->n; k++) {
		const struct pam_entry *entry = &more->item[k];

		if (i == k && entry->line == line && pam_entry_is_ours(entry) &&
		    strcmp(entry->file, path) == 0)
			continue;
		if (i == less->n || !same_entry(&less->item[i++], entry))
			return false;
	}
	return true;
}

static bool
same_rest(const struct pam_stack *less, const struct pam_stack *more,
    const char *path, unsigned int line)
{
	for (int type = 0; type < PAM_TYPES; type++)
		if (type != PAM_TYPE_AUTH &&
		    !same_entries(&less->type[type], &more->type[type]))
			return false;
	return less->unusable == more->unusable &&
	       same_but_ours(&less->type[PAM_TYPE_AUTH],
		   &more->type[PAM_TYPE_AUTH], path, line);
}

/* --- the place for our line -------------------------------------------------
 */

/* Factor and phone, always; what our line says is so; and its no counts. */
static bool
is_good(const struct pam_judgement *j)
{
	bool claims =
	    j->ours != NULL && pam_entry_has_arg(j->ours, "after_first_factor");

	return j->way[PAM_WAY_BOTH].found && j->way[PAM_WAY_LATE].found &&
	       (!claims || !j->way[PAM_WAY_EARLY].found) &&
	       !j->way[PAM_WAY_ALONE].found &&
	       !j->way[PAM_WAY_OVERRULED].found &&
	       !j->way[PAM_WAY_AROUND].found && !j->way[PAM_WAY_OPEN].found &&
	       !j->way[PAM_WAY_IGNORED].found && !j->incomplete;
}

/* Is behind that many bytes a good place?  *ret_ok: memory was enough. */
static bool
try_place(struct pam_edit *e, const struct pam_stack *before, size_t at,
    unsigned int line, bool *ret_ok)
{
	pam_stack_free(&e->stack);
	pam_judgement_free(&e->judgement);
	*ret_ok = with_line(e, at) &&
		  pam_stack_read_as_if(e->root, e->service, e->path, e->new,
		      e->new_len, &e->stack) &&
		  pam_judge(e->stack, &e->judgement);
	if (!*ret_ok || !same_rest(before, e->stack, e->path, line) ||
	    !is_good(e->judgement))
		return false;
	e->line = line;
	return true;
}

/* Why no place is good, from what the stack is without us. */
static enum pam_edit_result
no_place(struct pam_edit *e, const struct pam_stack *before)
{
	struct pam_judgement *j = NULL;
	const struct pam_step *last;
	const struct pam_way *way;

	if (!pam_judge(before, &j))
		return because(e, PAM_EDIT_TROUBLE, "out of memory");
	way = &j->way[PAM_WAY_AROUND];
	if (!j->way[PAM_WAY_SUCCESS].found) {
		(void)because(e, PAM_EDIT_REFUSED,
		    "%s: nobody gets in by this stack as it is", e->path);
	} else if (!way->found || way->n == 0) {
		(void)because(e, PAM_EDIT_REFUSED,
		    "%s: there is no first factor in this stack; a phone alone "
		    "is a decision for pam_countersign(8), not for this "
		    "command",
		    e->path);
	} else {
		last = &way->step[way->n - 1];
		(void)because(e, PAM_EDIT_REFUSED,
		    "%s: no place is behind a first factor and cannot be "
		    "passed by: %s:%u (%s) ends the stack with a success%s",
		    e->path, last->entry->file, last->entry->line,
		    last->entry->module,
		    strcmp(last->entry->file, e->path) == 0
			? ""
			: "; where that file is included, write \"substack\" "
			  "instead of \"include\", so that the stack goes on");
	}
	pam_judgement_free(&j);
	return PAM_EDIT_REFUSED;
}

static enum pam_edit_result
try_places(struct pam_edit *e, const struct pam_stack *before)
{
	unsigned int line = 1;
	bool ok;

	for (const char *p = e->old; *p != '\0'; p = line_end(p)) {
		line++;
		if (try_place(
			e, before, (size_t)(line_end(p) - e->old), line, &ok))
			return PAM_EDIT_READY;
		if (!ok)
			return because(e, PAM_EDIT_TROUBLE, "out of memory");
	}
	return PAM_EDIT_NOTHING;
}

static enum pam_edit_result
find_place(struct pam_edit *e, const struct pam_stack *before)
{
	for (size_t i = 0; i < sizeof our_lines / sizeof our_lines[0]; i++) {
		enum pam_edit_result r;

		e->text = our_lines[i];
		if ((r = try_places(e, before)) != PAM_EDIT_NOTHING)
			return r;
	}
	return no_place(e, before);
}

/* --- what is not for us -----------------------------------------------------
 */

/* Files that another tool writes: an edit would be lost, or stop that tool. */
static const struct foreign {
	const char *sign; /* in the text */
	const char *advice;
} foreign[] = {
    {"managed by pam-auth-update",
	"it is managed by pam-auth-update(8); for every service at once use "
	"\"pam-auth-update --enable countersign\""},
    {"enerated by authselect",
	"it is managed by authselect(8); put the line into a profile of your "
	"own (\"authselect create-profile\")"},
    {"by pam-config",
	"it is managed by pam-config(8); put the line into the file of the "
	"one service"},
};

static enum pam_edit_result
check_owner_tool(struct pam_edit *e)
{
	if (strncmp(e->service, "common-", 7) == 0)
		return because(
		    e, PAM_EDIT_REFUSED, "%s: %s", e->path, foreign[0].advice);
	if (strcmp(e->service, "other") == 0)
		return because(e, PAM_EDIT_REFUSED,
		    "%s: it stands in for every service without a file, known "
		    "or not; name the service",
		    e->path);
	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
		if (strstr(e->old, foreign[i].sign) != NULL)
			return because(e, PAM_EDIT_REFUSED, "%s: %s", e->path,
			    foreign[i].advice);
	return PAM_EDIT_READY;
}

static enum pam_edit_result
no_file(struct pam_edit *e, int error)
{
	int fd;

	if (error == ELOOP)
		return because(e, PAM_EDIT_REFUSED,
		    "%s: it is a link; what it leads to belongs to somebody "
		    "else",
		    e->path);
	if (error != ENOENT)
		return because(e, PAM_EDIT_TROUBLE, "%s: %s", e->path,
		    strerrordesc_np(error));
	(void)snprintf(e->why, sizeof e->why, "/usr/lib/pam.d/%s", e->service);
	if ((fd = root_open(e->root, e->why, O_RDONLY)) == -1)
		return because(e, PAM_EDIT_REFUSED,
		    "%s: there is no such service", e->path);
	(void)close(fd);
	return because(e, PAM_EDIT_REFUSED,
	    "%s: there is none, only the distribution's; copy it first: cp "
	    "/usr/lib/pam.d/%s %s",
	    e->path, e->service, e->path);
}

static enum pam_edit_result
check_file(struct pam_edit *e)
{
	const char *last = e->old + e->old_len;

	if (memchr(e->old, '\0', e->old_len) != NULL)
		return because(
		    e, PAM_EDIT_REFUSED, "%s: it is no text", e->path);
	if (e->old_len == 0 || last[-1] != '\n')
		return because(e, PAM_EDIT_REFUSED,
		    "%s: its last line has no line end", e->path);
	return PAM_EDIT_READY;
}

static enum pam_edit_result
read_old(struct pam_edit *e)
{
	enum pam_edit_result r = PAM_EDIT_TROUBLE;
	int dir = -1, fd = -1;

	if ((dir = root_open(e->root, FOLDER, O_RDONLY | O_DIRECTORY)) == -1) {
		r = because(e, PAM_EDIT_TROUBLE, "%s: %s", FOLDER,
		    strerrordesc_np(errno));
	} else if ((fd = pam_write_open(dir, e->service)) == -1) {
		r = no_file(e, errno);
	} else if (!pam_write_safe(fd, e->why, sizeof e->why)) {
		char reason[sizeof e->why];

		(void)snprintf(reason, sizeof reason, "%s", e->why);
		r = because(e, PAM_EDIT_REFUSED, "%s: %.300s", e->path, reason);
	} else if ((e->old = pam_write_read(fd, &e->old_len)) == NULL) {
		r = because(e, PAM_EDIT_TROUBLE, "%s: %s", e->path,
		    strerrordesc_np(errno));
	} else {
		r = check_file(e);
	}
	if (fd != -1)
		(void)close(fd);
	if (dir != -1)
		(void)close(dir);
	return r;
}

/* --- plans ------------------------------------------------------------------
 */

static enum pam_edit_result
plan_enable(struct pam_edit *e, const struct pam_stack *before)
{
	const struct pam_entry *ours = pam_stack_ours(before, PAM_TYPE_AUTH);
	enum pam_edit_result r;

	if (ours != NULL && strcmp(ours->file, e->path) == 0)
		e->line = ours->line;
	if (ours != NULL)
		return because(e, PAM_EDIT_NOTHING,
		    "%s asks the phone already: %s:%u%s", e->service,
		    ours->file, ours->line,
		    marked_line(e->old) != 0
			? ""
			: ", a line that is not this command's");
	if ((r = check_owner_tool(e)) != PAM_EDIT_READY)
		return r;
	if (before->n_problems > 0)
		return because(e, PAM_EDIT_REFUSED,
		    "%s:%u: %s; put that right first", before->problem[0].file,
		    before->problem[0].line, before->problem[0].text);
	if (before->from_other[PAM_TYPE_AUTH])
		return because(e, PAM_EDIT_REFUSED,
		    "%s: it has no auth lines of its own, those of \"other\" "
		    "count; a line here would end that",
		    e->path);
	return find_place(e, before);
}

static enum pam_edit_result
plan_disable(struct pam_edit *e, const struct pam_stack *before)
{
	const struct pam_entry *ours = pam_stack_ours(before, PAM_TYPE_AUTH);
	unsigned int line = marked_line(e->old);

	if (line == 0 && ours == NULL)
		return because(e, PAM_EDIT_NOTHING, "%s does not ask the phone",
		    e->service);
	if (line == 0)
		return because(e, PAM_EDIT_REFUSED,
		    "%s:%u: this line is not this command's; remove it by "
		    "hand, or disable what wrote it",
		    ours->file, ours->line);
	if (!without_lines(e) ||
	    !pam_stack_read_as_if(
		e->root, e->service, e->path, e->new, e->new_len, &e->stack) ||
	    !pam_judge(e->stack, &e->judgement))
		return because(e, PAM_EDIT_TROUBLE, "out of memory");
	if (marked_line(e->new) != 0 ||
	    !same_rest(e->stack, before, e->path, line))
		return because(e, PAM_EDIT_REFUSED,
		    "%s:%u: without this line the rest would read otherwise; "
		    "remove it by hand",
		    e->path, line);
	return PAM_EDIT_READY;
}

static enum pam_edit_result
plan(struct pam_edit *e)
{
	struct pam_stack *before = NULL;
	enum pam_edit_result r;

	if ((r = read_old(e)) != PAM_EDIT_READY)
		return r;
	if (!pam_stack_read_as_if(
		e->root, e->service, e->path, e->old, e->old_len, &before))
		return because(e, PAM_EDIT_TROUBLE, "out of memory");
	r = e->enable ? plan_enable(e, before) : plan_disable(e, before);
	pam_stack_free(&before);
	return r;
}

struct pam_edit *
pam_edit_plan(const char *root, const char *service, bool enable,
    enum pam_edit_result *ret_result)
{
	struct pam_edit *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	e->enable = enable;
	e->root = strdup(root);
	e->service = strdup(service);
	if (e->root == NULL || e->service == NULL) {
		pam_edit_free(&e);
		return NULL;
	}
	(void)snprintf(e->path, sizeof e->path, FOLDER "/%.64s", service);
	*ret_result = plan(e);
	return e;
}

void
pam_edit_free(struct pam_edit **edit)
{
	struct pam_edit *e = *edit;

	if (e == NULL)
		return;
	pam_stack_free(&e->stack);
	pam_judgement_free(&e->judgement);
	free(e->new);
	free(e->old);
	free(e->service);
	free(e->root);
	free(e);
	*edit = NULL;
}

/* --- a diff -----------------------------------------------------------------
 */

/* The lines of a text from line first on, n of them, after a sign. */
static void
print_lines(const char *text, unsigned int first, unsigned int n, char sign)
{
	unsigned int at = 1;

	for (const char *p = text; *p != '\0' && at < first + n;
	     p = line_end(p), at++)
		if (at >= first)
			(void)printf("%c%.*s", sign, (int)(line_end(p) - p), p);
}

static unsigned int
count_lines(const char *text)
{
	unsigned int n = 0;

	for (const char *p = text; *p != '\0'; p = line_end(p))
		n++;
	return n;
}

/* Our line is line n of longer, and missing in shorter. */
static void
print_hunk(const char *longer, const char *shorter, unsigned int n, char sign)
{
	unsigned int first = n > CONTEXT ? n - CONTEXT : 1;
	unsigned int total = count_lines(shorter);
	unsigned int before = n - first, after = total - (n - 1);
	unsigned int kept;

	if (after > CONTEXT)
		after = CONTEXT;
	kept = before + after;
	if (sign == '+')
		(void)printf(
		    "@@ -%u,%u +%u,%u @@\n", first, kept, first, kept + 1);
	else
		(void)printf(
		    "@@ -%u,%u +%u,%u @@\n", first, kept + 1, first, kept);
	print_lines(longer, first, before, ' ');
	print_lines(longer, n, 1, sign);
	print_lines(shorter, n, after, ' ');
}

void
pam_edit_diff(const struct pam_edit *e)
{
	(void)printf("--- %s\n+++ %s\n", e->path, e->path);
	if (e->enable)
		print_hunk(e->new, e->old, e->line, '+');
	else
		print_hunk(e->old, e->new, marked_line(e->old), '-');
}

/* --- writing ----------------------------------------------------------------
 */

/* Does the file on the disk read as planned? */
static bool
as_planned(const struct pam_edit *e)
{
	struct pam_stack *now = NULL;
	bool ok = true;

	if (!pam_stack_read(e->root, e->service, &now))
		return false;
	for (int type = 0; type < PAM_TYPES && ok; type++)
		ok = same_entries(&now->type[type], &e->stack->type[type]);
	ok = ok && now->unusable == e->stack->unusable;
	pam_stack_free(&now);
	return ok;
}

static bool
write_both(struct pam_edit *e, int dir, int fd)
{
	char backup[96];

	(void)snprintf(
	    backup, sizeof backup, "%.64s" PAM_EDIT_BACKUP, e->service);
	if (e->enable &&
	    !pam_write_replace(dir, backup, fd, e->old, e->old_len)) {
		(void)because(e, PAM_EDIT_TROUBLE, "%s" PAM_EDIT_BACKUP ": %s",
		    e->path, strerrordesc_np(errno));
		return false;
	}
	if (!pam_write_replace(dir, e->service, fd, e->new, e->new_len)) {
		(void)because(e, PAM_EDIT_TROUBLE, "%s: %s", e->path,
		    strerrordesc_np(errno));
		return false;
	}
	if (as_planned(e))
		return true;
	(void)because(e, PAM_EDIT_TROUBLE,
	    "%s: what was written does not read as planned; the old file %s",
	    e->path,
	    pam_write_replace(dir, e->service, fd, e->old, e->old_len)
		? "is back"
		: "is in the backup");
	return false;
}

/* The file has to be the one that the plan was made for. */
static bool
unchanged(const struct pam_edit *e, int fd)
{
	size_t len = 0;
	char *now = pam_write_read(fd, &len);
	bool same =
	    now != NULL && len == e->old_len && memcmp(now, e->old, len) == 0;

	free(now);
	return same;
}

bool
pam_edit_apply(struct pam_edit *e)
{
	int dir, lock = -1, fd = -1;
	bool ok = false;

	dir = root_open(e->root, FOLDER, O_RDONLY | O_DIRECTORY);
	if (dir == -1)
		(void)because(e, PAM_EDIT_TROUBLE, "%s: %s", FOLDER,
		    strerrordesc_np(errno));
	else if ((lock = pam_write_lock(dir)) == -1)
		(void)because(e, PAM_EDIT_TROUBLE, "%s: %s", FOLDER,
		    errno == EWOULDBLOCK ? "another countersign is writing here"
					 : strerrordesc_np(errno));
	else if ((fd = pam_write_open(dir, e->service)) == -1 ||
		 !pam_write_safe(fd, e->why, sizeof e->why) ||
		 !unchanged(e, fd))
		(void)because(e, PAM_EDIT_TROUBLE,
		    "%s: somebody else changed it just now", e->path);
	else
		ok = write_both(e, dir, fd);
	if (fd != -1)
		(void)close(fd);
	if (lock != -1)
		pam_write_unlock(dir, lock);
	if (dir != -1)
		(void)close(dir);
	return ok;
}
