/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "store_impl.h"

#define KEY_BEGIN "-----BEGIN ENCRYPTED PRIVATE KEY-----"
#define STAGED_SIZE (STORE_NAME_SIZE + 8)

/* --- reading ---------------------------------------------------------------
 */

enum csign_err
store_copy_check(struct store_copy *copy)
{
	for (size_t i = 0; i + 1 < STORE_FILES; i++)
		if (strncmp(csign_buf_str(copy->file[i]), KEY_BEGIN,
			strlen(KEY_BEGIN)) != 0)
			return CSIGN_E_FORMAT;
	return store_entry_parse(copy->file[STORE_FILES - 1], &copy->entry);
}

static void
copy_clear(struct store_copy *copy)
{
	for (size_t i = 0; i < STORE_FILES; i++)
		csign_buf_free(&copy->file[i]);
}

void
store_copies_free(struct store_copy **copies, size_t n)
{
	for (size_t i = 0; *copies != NULL && i < n; i++)
		copy_clear(&(*copies)[i]);
	free(*copies);
	*copies = NULL;
}

enum csign_err
store_copy_read(const struct store *store, const char *id,
    struct csign_why *why, struct store_copy *ret_copy)
{
	struct store_copy copy = {.there = true};
	char name[STORE_NAME_SIZE];
	enum csign_err r = CSIGN_OK;

	for (size_t i = 0; r == CSIGN_OK && i < STORE_FILES; i++) {
		store_file_name(id, store_suffixes[i], name);
		r = store_read(store, name, why, &copy.file[i]);
	}
	if (r == CSIGN_OK && (r = store_copy_check(&copy)) == CSIGN_E_FORMAT)
		csign_why_set(
		    why, "%s: the files of %s are damaged", store->path, id);
	if (r == CSIGN_OK)
		*ret_copy = copy;
	else
		copy_clear(&copy);
	return r;
}

/* --- writing ---------------------------------------------------------------
 */

size_t
store_copies_find(
    const struct store *store, struct store_copy *copies, size_t n)
{
	char name[STORE_NAME_SIZE];
	struct stat st;
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		copies[i].there = false;
		for (size_t f = 0; f < STORE_FILES; f++) {
			store_file_name(
			    copies[i].entry.id, store_suffixes[f], name);
			copies[i].there |= fstatat(store->fd, name, &st,
					       AT_SYMLINK_NOFOLLOW) == 0;
		}
		found += copies[i].there;
	}
	return found;
}

/* The name of a file before all of them are written. */
static void
names_of(const struct store_copy *copy, size_t file, char name[STORE_NAME_SIZE],
    char staged[STAGED_SIZE])
{
	store_file_name(copy->entry.id, store_suffixes[file], name);
	(void)snprintf(staged, STAGED_SIZE, "%s.new", name);
}

static enum csign_err
stage(const struct store *store, const struct store_copy *copy,
    struct csign_why *why)
{
	char name[STORE_NAME_SIZE], staged[STAGED_SIZE];
	enum csign_err r = CSIGN_OK;

	for (size_t i = 0; r == CSIGN_OK && i < STORE_FILES; i++) {
		names_of(copy, i, name, staged);
		r = csign_file_replace_at(store->fd, staged, 0600,
		    csign_buf_data(copy->file[i]), csign_buf_len(copy->file[i]),
		    why);
	}
	return r;
}

/* Only names change now, so that neither space nor rights can be missing. */
static enum csign_err
settle(const struct store *store, const struct store_copy *copy,
    struct csign_why *why)
{
	char name[STORE_NAME_SIZE], staged[STAGED_SIZE];

	for (size_t i = 0; i < STORE_FILES; i++) {
		names_of(copy, i, name, staged);
		if (renameat(store->fd, staged, store->fd, name) != 0) {
			csign_why_errno(why, errno, "%s/%s", store->path, name);
			return CSIGN_E_FILE;
		}
	}
	return CSIGN_OK;
}

static void
give_up(const struct store *store, const struct store_copy *copies, size_t n)
{
	char name[STORE_NAME_SIZE], staged[STAGED_SIZE];

	for (size_t i = 0; i < n; i++) {
		for (size_t f = 0; f < STORE_FILES; f++) {
			names_of(&copies[i], f, name, staged);
			(void)unlinkat(store->fd, staged, 0);
		}
		if (!copies[i].there)
			(void)store_remove(store, copies[i].entry.id);
	}
}

enum csign_err
store_copies_write(const struct store *store, const struct store_copy *copies,
    size_t n, struct csign_why *why)
{
	enum csign_err r = CSIGN_OK;

	for (size_t i = 0; r == CSIGN_OK && i < n; i++)
		r = stage(store, &copies[i], why);
	for (size_t i = 0; r == CSIGN_OK && i < n; i++)
		r = settle(store, &copies[i], why);
	if (r == CSIGN_OK && fsync(store->fd) != 0) {
		csign_why_errno(why, errno, "%s", store->path);
		r = CSIGN_E_FILE;
	}
	if (r != CSIGN_OK)
		give_up(store, copies, n);
	return r;
}
