/* SPDX-License-Identifier: BSD-2-Clause */
/* The store of devices files: <state_dir>/devices, declared in device.h. */
#include "config.h"

#include <string.h>

#include "device.h"
#include "file.h"

#define LOCK_NAME ".lock" /* names with a dot are the store's own */

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

enum csign_err
csign_devices_lock(const char *state_dir, struct csign_why *why, int *ret_fd)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	int fd = -1;

	r = csign_store_open(state_dir, CSIGN_STORE_DEVICES, why, &fd);
	if (r != CSIGN_OK)
		return r;
	r = csign_file_lock_at(
	    fd, LOCK_NAME, CSIGN_LOCK_TIMEOUT_MS, why, ret_fd);
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

	if (r == CSIGN_E_NOMEM)
		return r;
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

/* Accounts with a devices file, by their own names. */
static enum csign_err
load_users(
    const char *state_dir, struct csign_names *ret_users, struct csign_why *why)
{
	struct csign_names users = {NULL, 0};
	char name[CSIGN_USER_MAX + 1];
	enum csign_err r = CSIGN_E_INTERNAL;
	char **item = NULL;

	r = csign_store_names(state_dir, CSIGN_STORE_DEVICES, &users, why);
	for (size_t i = 0; i < users.n && r == CSIGN_OK; i++) {
		item = &users.items[i];
		r = csign_account_from_file_name(*item, name);
		if (r != CSIGN_OK) {
			csign_why_set(why,
			    "%s/%s: there is a file that belongs to no "
			    "account: %s",
			    state_dir, CSIGN_STORE_DEVICES, *item);
			r = CSIGN_E_DEVICES;
		} else {
			/* A name is never longer than its file's name. */
			memcpy(*item, name, strlen(name) + 1);
		}
	}
	if (r != CSIGN_OK) {
		csign_names_clear(&users);
		return r;
	}
	csign_names_sort(&users);
	*ret_users = users;
	return CSIGN_OK;
}

enum csign_err
csign_devices_each(const char *state_dir,
    bool (*visit)(void *arg, const char *user), void *arg,
    struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_names users = {NULL, 0};

	if ((r = load_users(state_dir, &users, why)) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < users.n; i++) {
		if (!visit(arg, users.items[i]))
			break;
	}
	csign_names_clear(&users);
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
	struct csign_names users = {NULL, 0};
	const char *owner = "";
	bool has = false;
	int fd = -1;

	if ((r = load_users(state_dir, &users, why)) != CSIGN_OK)
		return r;
	r = csign_store_open(state_dir, CSIGN_STORE_DEVICES, why, &fd);
	for (size_t i = 0; i < users.n && r == CSIGN_OK && !has; i++) {
		owner = users.items[i];
		r = has_device(crypto, fd, state_dir, owner, device, &has, why);
	}
	if (r == CSIGN_OK) {
		if (!has)
			owner = "";
		memcpy(ret_user, owner, strlen(owner) + 1);
	}
	csign_close(&fd);
	csign_names_clear(&users);
	return r;
}
