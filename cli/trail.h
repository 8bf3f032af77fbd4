/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit trail, countersign-audit(5), read for people: the file and what
 * was rotated out of it last and not compressed yet (".1"), or other files.
 */
#ifndef CLI_TRAIL_H
#define CLI_TRAIL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "out.h"

#define TRAIL_LINES_MAX ((size_t)100000)

struct trail_filter {
	const char *user;  /* this account's records only; NULL: all */
	const char *since; /* nothing older; when.h; NULL: everything */
	size_t lines;      /* the newest so many, 1 to TRAIL_LINES_MAX */
};

/*
 * Files of lines.  One of the configuration's may be missing, and is read after
 * what was rotated out of it; those that a person named are read as they are.
 */
struct trail_source {
	const char *configured;   /* or NULL: */
	const char *const *named; /* n of them, oldest first */
	size_t n;
};

/*
 * Gives take() each line that is not empty, without its end, cut behind max
 * bytes: len is then max + 1.  Take returns false if there is no memory.  Says
 * what went wrong.
 */
typedef bool trail_take(
    void *arg, const char *path, size_t number, const char *line, size_t len);
enum out_status trail_lines(
    const struct trail_source *source, size_t max, trail_take *take, void *arg);

struct trail;

/*
 * Reads a trail.  A line that is no record is left out and counted; it hides
 * no other.  Says what went wrong.
 */
enum out_status trail_read(const struct trail_source *source,
    const struct trail_filter *filter, struct trail **ret_trail);
void trail_free(struct trail **trail);

/* How many records, oldest first, and how many older ones did not fit. */
size_t trail_count(const struct trail *trail);
size_t trail_older(const struct trail *trail);
/* A record, the caller's to put; NULL: no memory. */
struct json_object *trail_get(const struct trail *trail, size_t index);
/* Its member, if it is a string; else NULL. */
const char *trail_str(struct json_object *record, const char *name);

/* How many lines are no records, and where the first is: "file:line". */
size_t trail_damaged(const struct trail *trail);
const char *trail_first_damage(const struct trail *trail);

#endif
