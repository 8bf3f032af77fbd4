/* SPDX-License-Identifier: BSD-2-Clause */
/* The store of devices files: <state_dir>/devices, declared in device.h. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "file.h"

/* One account's file, in an open devices/. */
static enum csign_err
read_file(struct csign_crypto *crypto, int dirfd, const char *state_dir,
    const struct csign_account *account, struct csign_device_list *ret_list,
    struct csign_why *why)
{
	char path[CSIGN_STORE_PATH_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *text = NULL;

	r = csign_store_path(
	    state_dir, CSIGN_STORE_DEVICES, account->file, why, path);
	if (r != CSIGN_OK)
		return r;
	r = csign_file_read_at(dirfd, account->file, path, CSIGN_FILE_SECRET,
	    CSIGN_FILE_MAX, why, &text);
	if (r == CSIGN_OK)
		r = csign_devices_parse(crypto, path, csign_buf_str(text),
		    csign_buf_len(text), account, ret_list, why);
	csign_buf_free(&text);
	return r;
}

enum csign_err
csign_devices_read(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, struct csign_device_list *ret_list,
    struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	int fd = -1;

	r = csign_store_open(state_dir, CSIGN_STORE_DEVICES, why, &fd);
	if (r != CSIGN_OK)
		return r;
	r = read_file(crypto, fd, state_dir, account, ret_list, why);
	if (r == CSIGN_E_NOT_FOUND) {
		csign_why_set(why, "%s has no device", account->name);
		r = CSIGN_E_UNENROLLED;
	}
	csign_close(&fd);
	return r;
}

/* Bytes that this very version reads back; anything else locks a user out. */
static enum csign_err
format_checked(struct csign_crypto *crypto, const struct csign_account *account,
    const struct csign_device_list *list, struct csign_why *why,
    struct csign_buf *out)
{
	struct csign_device_list again = {NULL, 0};
	enum csign_err r = csign_devices_format(list, account, out);

	if (r != CSIGN_OK) {
		csign_why_set(why,
		    "the devices of %s cannot be written down: too many, or "
		    "one with an unfit name",
		    account->name);
		return r;
	}
	r = csign_devices_parse(crypto, account->file, csign_buf_str(out),
	    csign_buf_len(out), account, &again, why);
	csign_device_list_clear(&again);
	return r;
}

enum csign_err
csign_devices_write(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, const struct csign_device_list *list,
    struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *text = NULL;
	int fd = -1;

	r = csign_store_open(state_dir, CSIGN_STORE_DEVICES, why, &fd);
	if (r != CSIGN_OK)
		return r;
	if (list->n == 0) {
		r = csign_file_remove_at(fd, account->file, why);
		if (r == CSIGN_E_NOT_FOUND)
			r = CSIGN_OK;
		goto out;
	}
	if ((r = csign_buf_new(CSIGN_FILE_MAX, &text)) != CSIGN_OK)
		goto out;
	r = format_checked(crypto, account, list, why, text);
	if (r == CSIGN_OK)
		r = csign_file_replace_at(fd, account->file, 0600,
		    csign_buf_data(text), csign_buf_len(text), why);
out:
	csign_close(&fd);
	csign_buf_free(&text);
	return r;
}

/* --- all accounts --------------------------------------------------------- */

struct users {
	char **names;
	size_t n;
};

static void
clear_users(struct users *users)
{
	for (size_t i = 0; i < users->n; i++)
		free(users->names[i]);
	free(users->names);
	users->names = NULL;
	users->n = 0;
}

static enum csign_err
add_user(struct users *users, const char *name)
{
	char **larger = NULL, *copy = NULL;

	larger =
	    reallocarray(users->names, users->n + 1, sizeof(*users->names));
	if (larger == NULL)
		return CSIGN_E_NOMEM;
	users->names = larger;
	copy = strdup(name);
	if (copy == NULL)
		return CSIGN_E_NOMEM;
	larger[users->n++] = copy;
	return CSIGN_OK;
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

/* Reads the directory; names that begin with a dot are the store's own. */
static enum csign_err
list_users(
    DIR *dir, const char *state_dir, struct users *users, struct csign_why *why)
{
	char name[CSIGN_USER_MAX + 1];
	const struct dirent *entry = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			break;
		if (entry->d_name[0] == '.')
			continue;
		r = csign_account_from_file_name(entry->d_name, name);
		if (r != CSIGN_OK) {
			csign_why_set(why,
			    "%s/%s: there is a file that belongs to no "
			    "account: %s",
			    state_dir, CSIGN_STORE_DEVICES, entry->d_name);
			return CSIGN_E_DEVICES;
		}
		if ((r = add_user(users, name)) != CSIGN_OK)
			return r;
	}
	if (errno != 0) {
		csign_why_errno(why, errno, "%s/%s: cannot be listed",
		    state_dir, CSIGN_STORE_DEVICES);
		return CSIGN_E_FILE;
	}
	if (users->n > 0)
		qsort(users->names, users->n, sizeof(*users->names),
		    compare_names);
	return CSIGN_OK;
}

static enum csign_err
load_users(
    const char *state_dir, struct users *ret_users, struct csign_why *why)
{
	struct users users = {NULL, 0};
	enum csign_err r = CSIGN_E_INTERNAL;
	DIR *dir = NULL;
	int fd = -1;

	r = csign_store_open(state_dir, CSIGN_STORE_DEVICES, why, &fd);
	if (r != CSIGN_OK)
		return r;
	dir = fdopendir(fd);
	if (dir == NULL) {
		csign_close(&fd);
		return CSIGN_E_NOMEM;
	}
	r = list_users(dir, state_dir, &users, why);
	(void)closedir(dir);
	if (r != CSIGN_OK) {
		clear_users(&users);
		return r;
	}
	*ret_users = users;
	return CSIGN_OK;
}

enum csign_err
csign_devices_each(const char *state_dir,
    bool (*visit)(void *arg, const char *user), void *arg,
    struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct users users = {NULL, 0};

	if ((r = load_users(state_dir, &users, why)) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < users.n; i++) {
		if (!visit(arg, users.names[i]))
			break;
	}
	clear_users(&users);
	return CSIGN_OK;
}

/* Has user this device, or one that shares its key or credential? */
static enum csign_err
has_device(struct csign_crypto *crypto, int dirfd, const char *state_dir,
    const char *user, const struct csign_device *device, bool *ret_has,
    struct csign_why *why)
{
	struct csign_account account = {.uid = CSIGN_UID_ANY};
	struct csign_device_list list = {NULL, 0};
	enum csign_err r = csign_account_file_name(user, account.file);

	if (r != CSIGN_OK)
		return r;
	r = read_file(crypto, dirfd, state_dir, &account, &list, why);
	if (r == CSIGN_E_NOT_FOUND) { /* removed meanwhile */
		*ret_has = false;
		return CSIGN_OK;
	}
	for (size_t i = 0; i < list.n; i++) {
		if (csign_device_same(&list.items[i], device))
			*ret_has = true;
	}
	csign_device_list_clear(&list);
	return r;
}

enum csign_err
csign_devices_owner(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_device *device, char ret_user[CSIGN_USER_MAX + 1],
    struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct users users = {NULL, 0};
	const char *owner = "";
	bool has = false;
	int fd = -1;

	if ((r = load_users(state_dir, &users, why)) != CSIGN_OK)
		return r;
	r = csign_store_open(state_dir, CSIGN_STORE_DEVICES, why, &fd);
	for (size_t i = 0; i < users.n && r == CSIGN_OK && !has; i++) {
		owner = users.names[i];
		r = has_device(crypto, fd, state_dir, owner, device, &has, why);
	}
	if (r == CSIGN_OK) {
		if (!has)
			owner = "";
		memcpy(ret_user, owner, strlen(owner) + 1);
	}
	csign_close(&fd);
	clear_users(&users);
	return r;
}
