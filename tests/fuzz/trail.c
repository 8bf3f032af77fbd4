/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit trail, read for people: every line is a record or is counted as
 * none, and no line hides another.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../cli/trail.h"
#include "fuzz.h"

#define LINES_MAX 5

/* A file with this content, of which there is one at a time. */
static int
make_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("trail", MFD_CLOEXEC);

	MUST(fd != -1 && fchmod(fd, 0600) == 0);
	MUST(size == 0 || write(fd, data, size) == (ssize_t)size);
	return fd;
}

static size_t
count_lines(const uint8_t *data, size_t size)
{
	size_t n = 0, len = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] != '\n') {
			len++;
			continue;
		}
		n += len > 0;
		len = 0;
	}
	return n + (len > 0);
}

static void
check(const char *path, const struct trail_filter *filter, size_t n_lines)
{
	const struct trail_source source = {.configured = path};
	struct trail *trail = NULL;

	MUST(trail_read(&source, filter, &trail) == STATUS_YES);
	MUST(trail_count(trail) <= filter->lines);
	MUST(trail_count(trail) + trail_older(trail) + trail_damaged(trail) <=
	     n_lines);
	if (filter->user == NULL && filter->since == NULL)
		MUST(trail_count(trail) + trail_older(trail) +
			 trail_damaged(trail) ==
		     n_lines);
	MUST((trail_damaged(trail) > 0) == (trail_first_damage(trail) != NULL));
	for (size_t i = 0; i < trail_count(trail); i++) {
		struct json_object *record = trail_get(trail, i);

		MUST(record != NULL && trail_str(record, "event") != NULL);
		json_object_put(record);
	}
	trail_free(&trail);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct trail_filter all = {.lines = TRAIL_LINES_MAX};
	const struct trail_filter some = {
	    .user = "alice", .since = "2026-11-22T10:00:00Z", .lines = 2};
	const struct trail_filter few = {.lines = LINES_MAX};
	size_t n = count_lines(data, size);
	int fd = make_file(data, size);
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	check(path, &all, n);
	check(path, &some, n);
	check(path, &few, n);
	(void)close(fd);
	return 0;
}
