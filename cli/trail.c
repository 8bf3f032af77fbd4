/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "save.h"
#include "trail.h"
#include "when.h"

#define RECORD_MAX 2048 /* countersign-audit(5) */
#define RECORD_VERSION 1
#define DEPTH_MAX 2 /* an object of plain values */

struct trail {
	struct trail_filter filter;
	char **lines; /* a ring of filter.lines, as far as it is needed */
	size_t n, first, size;
	size_t older;
	size_t damaged;
	char *first_damage;
};

/* --- one record ------------------------------------------------------------
 */

static bool
is_plain(struct json_object *o)
{
	json_object_object_foreach(o, name, value)
	{
		(void)name;
		if (!json_object_is_type(value, json_type_string) &&
		    !json_object_is_type(value, json_type_int))
			return false;
	}
	return true;
}

const char *
trail_str(struct json_object *record, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(record, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static bool
is_record(struct json_object *o)
{
	struct json_object *version = NULL;
	const char *time;

	return json_object_is_type(o, json_type_object) && is_plain(o) &&
	       json_object_object_get_ex(o, "v", &version) &&
	       json_object_is_type(version, json_type_int) &&
	       json_object_get_int(version) == RECORD_VERSION &&
	       (time = trail_str(o, "time")) != NULL && when_is(time) &&
	       trail_str(o, "event") != NULL &&
	       trail_str(o, "result") != NULL && trail_str(o, "reason") != NULL;
}

/* NULL if the line is no record. */
static struct json_object *
parse(const char *line, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o = NULL;

	if (tok == NULL)
		return NULL;
	json_tokener_set_flags(
	    tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, line, (int)len);
	if (o != NULL &&
	    (json_tokener_get_error(tok) != json_tokener_success ||
		json_tokener_get_parse_end(tok) != len || !is_record(o))) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}

static bool
is_wanted(const struct trail_filter *filter, struct json_object *record)
{
	const char *user = trail_str(record, "user");
	const char *time = trail_str(record, "time");

	if (filter->user != NULL &&
	    (user == NULL || strcmp(user, filter->user) != 0))
		return false;
	/* both are UTC in one form, so their order is that of their text */
	return filter->since == NULL ||
	       (time != NULL && strcmp(time, filter->since) >= 0);
}

/* --- the ring --------------------------------------------------------------
 */

static bool
keep(struct trail *t, const char *line)
{
	char *copy = strdup(line), **more;

	if (copy == NULL)
		return false;
	if (t->n == t->filter.lines) {
		free(t->lines[t->first]);
		t->lines[t->first] = copy;
		t->first = (t->first + 1) % t->n;
		t->older++;
		return true;
	}
	if (t->n == t->size) {
		t->size = t->size == 0 ? 64 : t->size * 2;
		more = reallocarray(t->lines, t->size, sizeof *t->lines);
		if (more == NULL) {
			free(copy);
			return false;
		}
		t->lines = more;
	}
	t->lines[t->n++] = copy;
	return true;
}

static bool
note_damage(struct trail *t, const char *path, size_t number)
{
	return t->damaged++ > 0 ||
	       asprintf(&t->first_damage, "%s:%zu", path, number) != -1;
}

static bool
take_record(
    void *arg, const char *path, size_t number, const char *line, size_t len)
{
	struct trail *t = arg;
	struct json_object *record =
	    len <= RECORD_MAX ? parse(line, len) : NULL;
	bool ok = true;

	if (record == NULL)
		return note_damage(t, path, number);
	if (is_wanted(&t->filter, record))
		ok = keep(t, line);
	json_object_put(record);
	return ok;
}

/* --- the files -------------------------------------------------------------
 */

struct reader {
	trail_take *take;
	void *arg;
	char *line; /* of max + 1 bytes and a NUL */
	size_t max;
};

/*
 * A line's length without its end, of which no more than max + 1 bytes count;
 * -1 at the end of the file.
 */
static long
next_line(struct reader *r, FILE *file)
{
	size_t len = 0;
	int c;

	while ((c = getc(file)) != EOF && c != '\n')
		if (len <= r->max)
			r->line[len++] = (char)c;
	r->line[len] = '\0';
	return c == EOF && len == 0 ? -1 : (long)len;
}

static enum out_status
read_file(struct reader *r, const char *path, FILE *file)
{
	long len;

	for (size_t number = 1; (len = next_line(r, file)) != -1; number++) {
		if (len > 0 &&
		    !r->take(r->arg, path, number, r->line, (size_t)len)) {
			out_error("out of memory");
			return STATUS_TROUBLE;
		}
	}
	if (ferror(file) != 0) {
		out_error("%s: %m", path);
		return STATUS_TROUBLE;
	}
	return STATUS_YES;
}

/* *ret_file stays NULL where there is no such file. */
static enum out_status
open_file(const char *path, FILE **ret_file)
{
	enum out_status status;
	int fd = -1;

	status = save_open(path, &fd);
	if (status == STATUS_NO)
		return STATUS_YES;
	if (status == STATUS_YES && (*ret_file = fdopen(fd, "r")) == NULL) {
		out_error("%s: %m", path);
		(void)close(fd);
		status = STATUS_TROUBLE;
	}
	return status;
}

static bool
same_file(FILE *a, FILE *b)
{
	struct stat x, y;

	return fstat(fileno(a), &x) != 0 || fstat(fileno(b), &y) != 0 ||
	       (x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/*
 * The newer one is opened first: if it is rotated away just now, it is found
 * again as the older one instead of being missed.
 */
static enum out_status
read_both(struct reader *r, const char *path, const char *older_path)
{
	FILE *file = NULL, *older = NULL;
	enum out_status status;

	if ((status = open_file(path, &file)) != STATUS_YES ||
	    (status = open_file(older_path, &older)) != STATUS_YES)
		goto out;
	if (older != NULL && (file == NULL || !same_file(file, older)))
		status = read_file(r, older_path, older);
	if (file != NULL && status == STATUS_YES)
		status = read_file(r, path, file);
out:
	if (file != NULL)
		(void)fclose(file);
	if (older != NULL)
		(void)fclose(older);
	return status;
}

static enum out_status
read_named(struct reader *r, const char *path)
{
	FILE *file = NULL;
	enum out_status status = open_file(path, &file);

	if (status != STATUS_YES)
		return status;
	if (file == NULL) {
		out_error("%s: there is no such file", path);
		return STATUS_TROUBLE;
	}
	status = read_file(r, path, file);
	(void)fclose(file);
	return status;
}

enum out_status
trail_lines(
    const struct trail_source *source, size_t max, trail_take *take, void *arg)
{
	struct reader r = {
	    .take = take, .arg = arg, .line = malloc(max + 2), .max = max};
	enum out_status status = STATUS_YES;
	char *older = NULL;

	if (r.line == NULL ||
	    (source->configured != NULL &&
		asprintf(&older, "%s.1", source->configured) == -1)) {
		older = NULL;
		out_error("out of memory");
		status = STATUS_TROUBLE;
	} else if (source->configured != NULL) {
		status = read_both(&r, source->configured, older);
	}
	for (size_t i = 0; status == STATUS_YES && i < source->n; i++)
		status = read_named(&r, source->named[i]);
	free(older);
	free(r.line);
	return status;
}

enum out_status
trail_read(const struct trail_source *source, const struct trail_filter *filter,
    struct trail **ret_trail)
{
	enum out_status status = STATUS_TROUBLE;
	struct trail *t = calloc(1, sizeof *t);

	if (t == NULL) {
		out_error("out of memory");
		return STATUS_TROUBLE;
	}
	t->filter = *filter;
	status = trail_lines(source, RECORD_MAX, take_record, t);
	if (status == STATUS_YES)
		*ret_trail = t;
	else
		trail_free(&t);
	return status;
}

void
trail_free(struct trail **trail)
{
	struct trail *t = *trail;

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->lines[i]);
	free(t->lines);
	free(t->first_damage);
	free(t);
	*trail = NULL;
}

size_t
trail_count(const struct trail *trail)
{
	return trail->n;
}

size_t
trail_older(const struct trail *trail)
{
	return trail->older;
}

struct json_object *
trail_get(const struct trail *trail, size_t index)
{
	const char *line = trail->lines[(trail->first + index) % trail->n];

	return parse(line, strlen(line));
}

size_t
trail_damaged(const struct trail *trail)
{
	return trail->damaged;
}

const char *
trail_first_damage(const struct trail *trail)
{
	return trail->first_damage;
}
