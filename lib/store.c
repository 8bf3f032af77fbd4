/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "file.h"
#include "store.h"

#define MARKER ".countersign"
#define MARKER_MAX 64

enum csign_err
csign_store_path(const char *state_dir, const char *part, const char *name,
    struct csign_why *why, char out[CSIGN_STORE_PATH_SIZE])
{
	int n = snprintf(out, CSIGN_STORE_PATH_SIZE, "%s/%s%s%s", state_dir,
	    part, name[0] == '\0' ? "" : "/", name);

	if (n >= 0 && n < (int)CSIGN_STORE_PATH_SIZE)
		return CSIGN_OK;
	csign_why_set(why, "%s: the path is too long", state_dir);
	return CSIGN_E_INVALID;
}

/* What the marker file of a part says. */
static void
marker_text(const char *part, char out[MARKER_MAX])
{
	(void)snprintf(out, MARKER_MAX, "countersign %.16s 1\n", part);
}

static enum csign_err
check_marker(int fd, const char *part, const char *dir, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *text = NULL;
	char expected[MARKER_MAX];

	marker_text(part, expected);
	r = csign_file_read_at(
	    fd, MARKER, dir, CSIGN_FILE_PUBLIC, MARKER_MAX, why, &text);
	if (r == CSIGN_E_NOT_FOUND) {
		csign_why_set(why,
		    "%s: has no file %s: is its file system mounted?", dir,
		    MARKER);
		return CSIGN_E_FILE;
	}
	if (r != CSIGN_OK)
		return r;
	if (strcmp(csign_buf_str(text), expected) != 0) {
		csign_why_set(why,
		    "%s/%s: is not what this version of countersign writes",
		    dir, MARKER);
		r = CSIGN_E_FILE;
	}
	csign_buf_free(&text);
	return r;
}

enum csign_err
csign_store_open(
    const char *state_dir, const char *part, struct csign_why *why, int *ret_fd)
{
	char path[CSIGN_STORE_PATH_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	int fd = -1;

	r = csign_store_path(state_dir, part, "", why, path);
	if (r != CSIGN_OK)
		return r;
	r = csign_dir_open(path, why, &fd);
	if (r == CSIGN_E_NOT_FOUND)
		r = CSIGN_E_FILE;
	if (r != CSIGN_OK)
		return r;
	if ((r = check_marker(fd, part, path, why)) != CSIGN_OK) {
		csign_close(&fd);
		return r;
	}
	*ret_fd = fd;
	return CSIGN_OK;
}

static enum csign_err
create_part(
    int parent, const char *state_dir, const char *part, struct csign_why *why)
{
	char path[CSIGN_STORE_PATH_SIZE], text[MARKER_MAX];
	enum csign_err r = CSIGN_E_INTERNAL;
	int fd = -1;

	r = csign_store_path(state_dir, part, "", why, path);
	if (r != CSIGN_OK)
		return r;
	r = csign_dir_create_at(parent, part, path, 0700, why, &fd);
	if (r != CSIGN_OK)
		return r;
	marker_text(part, text);
	r = csign_file_create_at(fd, MARKER, 0600, text, strlen(text), why);
	if (r == CSIGN_E_EXISTS)
		r = check_marker(fd, part, path, why);
	csign_close(&fd);
	return r;
}

enum csign_err
csign_store_create(const char *state_dir, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	int fd = -1;

	r = csign_dir_create(state_dir, 0700, why, &fd);
	if (r != CSIGN_OK)
		return r;
	r = create_part(fd, state_dir, CSIGN_STORE_DEVICES, why);
	if (r == CSIGN_OK)
		r = create_part(fd, state_dir, CSIGN_STORE_STATE, why);
	csign_close(&fd);
	return r;
}

enum csign_err
csign_store_read(const char *state_dir, const char *part, const char *name,
    struct csign_why *why, struct csign_buf **ret_text)
{
	char path[CSIGN_STORE_PATH_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	int fd = -1;

	if ((r = csign_store_path(state_dir, part, name, why, path)) !=
		CSIGN_OK ||
	    (r = csign_store_open(state_dir, part, why, &fd)) != CSIGN_OK)
		return r;
	r = csign_file_read_at(
	    fd, name, path, CSIGN_FILE_SECRET, CSIGN_FILE_MAX, why, ret_text);
	csign_close(&fd);
	return r;
}

/* --- names ---------------------------------------------------------------- */

void
csign_names_clear(struct csign_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i]);
	free(names->items);
	names->items = NULL;
	names->n = 0;
}

static enum csign_err
add_name(struct csign_names *names, const char *name)
{
	char **larger = NULL, *copy = NULL;

	larger =
	    reallocarray(names->items, names->n + 1, sizeof(*names->items));
	if (larger == NULL)
		return CSIGN_E_NOMEM;
	names->items = larger;
	copy = strdup(name);
	if (copy == NULL)
		return CSIGN_E_NOMEM;
	larger[names->n++] = copy;
	return CSIGN_OK;
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

void
csign_names_sort(struct csign_names *names)
{
	if (names->n > 0)
		qsort(names->items, names->n, sizeof(*names->items),
		    compare_names);
}

/* Reads the directory; names that begin with a dot are the store's own. */
static enum csign_err
list_names(DIR *dir, const char *path, struct csign_names *names,
    struct csign_why *why)
{
	const struct dirent *entry = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			break;
		if (entry->d_name[0] == '.')
			continue;
		if ((r = add_name(names, entry->d_name)) != CSIGN_OK)
			return r;
	}
	if (errno != 0) {
		csign_why_errno(why, errno, "%s: cannot be listed", path);
		return CSIGN_E_FILE;
	}
	csign_names_sort(names);
	return CSIGN_OK;
}

enum csign_err
csign_store_names(const char *state_dir, const char *part,
    struct csign_names *ret_names, struct csign_why *why)
{
	struct csign_names names = {NULL, 0};
	char path[CSIGN_STORE_PATH_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	DIR *dir = NULL;
	int fd = -1;

	if ((r = csign_store_path(state_dir, part, "", why, path)) !=
		CSIGN_OK ||
	    (r = csign_store_open(state_dir, part, why, &fd)) != CSIGN_OK)
		return r;
	dir = fdopendir(fd);
	if (dir == NULL) {
		r = errno == ENOMEM ? CSIGN_E_NOMEM : CSIGN_E_FILE;
		csign_why_errno(why, errno, "%s: cannot be listed", path);
		csign_close(&fd);
		return r;
	}
	r = list_names(dir, path, &names, why);
	(void)closedir(dir);
	if (r != CSIGN_OK) {
		csign_names_clear(&names);
		return r;
	}
	*ret_names = names;
	return CSIGN_OK;
}
