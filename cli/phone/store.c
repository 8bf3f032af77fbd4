/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../out.h"
#include "file.h"
#include "json.h"
#include "secret.h"
#include "store_impl.h"

#define DEFAULT_DIR ".countersign-phone"

const char *const store_suffixes[STORE_FILES] = {".pem", ".seal.pem", ".json"};

/* --- the folder ------------------------------------------------------------
 */

static bool
default_dir(char *path, size_t size)
{
	struct passwd entry, *found = NULL;
	char buf[4096];
	int n;

	if (getpwuid_r(geteuid(), &entry, buf, sizeof buf, &found) != 0 ||
	    found == NULL || found->pw_dir[0] != '/')
		return false;
	n = snprintf(path, size, "%s/" DEFAULT_DIR, found->pw_dir);
	return n > 0 && (size_t)n < size;
}

static enum csign_err
check_dir(const struct store *store, struct csign_why *why)
{
	struct stat st;

	if (fstat(store->fd, &st) != 0) {
		csign_why_errno(why, errno, "%s", store->path);
		return CSIGN_E_FILE;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		csign_why_set(why,
		    "%s: must be yours and closed to everybody else (mode "
		    "0700)",
		    store->path);
		return CSIGN_E_FILE;
	}
	return CSIGN_OK;
}

enum csign_err
store_open(const char *dir, struct csign_why *why, struct store **ret_store)
{
	enum csign_err r = CSIGN_E_FILE;
	struct store *store = calloc(1, sizeof *store);

	if (store == NULL)
		return CSIGN_E_NOMEM;
	store->fd = -1;
	if (dir == NULL ? !default_dir(store->path, sizeof store->path)
			: (size_t)snprintf(store->path, sizeof store->path,
			      "%s", dir) >= sizeof store->path) {
		csign_why_set(why, "no folder for the keys; use --store");
		goto out;
	}
	if (mkdir(store->path, 0700) != 0 && errno != EEXIST) {
		csign_why_errno(why, errno, "%s", store->path);
		goto out;
	}
	store->fd =
	    open(store->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (store->fd == -1) {
		csign_why_errno(why, errno, "%s", store->path);
		goto out;
	}
	if ((r = check_dir(store, why)) != CSIGN_OK)
		goto out;
	*ret_store = store;
	store = NULL;
out:
	store_free(&store);
	return r;
}

void
store_free(struct store **store)
{
	if (*store == NULL)
		return;
	if ((*store)->fd != -1)
		(void)close((*store)->fd);
	free(*store);
	*store = NULL;
}

/* --- one enrolment ---------------------------------------------------------
 */

void
store_file_name(const char *id, const char *suffix, char name[STORE_NAME_SIZE])
{
	(void)snprintf(name, STORE_NAME_SIZE, "%s%s", id, suffix);
}

enum csign_err
store_read(const struct store *store, const char *name, struct csign_why *why,
    struct csign_buf **ret_buf)
{
	char path[STORE_PATH_SIZE + STORE_NAME_SIZE];

	(void)snprintf(path, sizeof path, "%s/%s", store->path, name);
	return csign_file_read_at(store->fd, name, path, CSIGN_FILE_SECRET,
	    CSIGN_FILE_MAX, why, ret_buf);
}

static bool
is_id(const char *text)
{
	const size_t n = CSIGN_DEVICE_ID_SIZE - 1;

	return strspn(text, "abcdefghijklmnopqrstuvwxyz234567") == n &&
	       text[n] == '\0';
}

static bool
copy_member(struct json_object *o, const char *name, char *out, size_t out_size)
{
	const char *value = csign_json_str(o, name, out_size - 1);

	if (value == NULL)
		return false;
	memcpy(out, value, strlen(value) + 1);
	return true;
}

enum csign_err
store_entry_parse(const struct csign_buf *buf, struct store_entry *ret_entry)
{
	struct store_entry e = {.confirmed = false};
	struct json_object *o = NULL, *confirmed = NULL;
	enum csign_err r;
	int64_t uid = 0;

	r = csign_json_parse(csign_buf_data(buf), csign_buf_len(buf), &o);
	if (r != CSIGN_OK)
		return r;
	if (copy_member(o, "id", e.id, sizeof e.id) && is_id(e.id) &&
	    copy_member(o, "name", e.name, sizeof e.name) &&
	    copy_member(o, "host", e.host, sizeof e.host) &&
	    copy_member(o, "user", e.user, sizeof e.user) &&
	    copy_member(o, "origin", e.origin, sizeof e.origin) &&
	    copy_member(o, "added", e.added, sizeof e.added) &&
	    csign_json_int(o, "uid", 0, UINT32_MAX, &uid) &&
	    json_object_object_get_ex(o, "confirmed", &confirmed)) {
		e.uid = (uint32_t)uid;
		e.confirmed = json_object_get_boolean(confirmed) != 0;
		/* older ones have none */
		(void)copy_member(o, "cookie", e.cookie, sizeof e.cookie);
		*ret_entry = e;
	} else {
		r = CSIGN_E_FORMAT;
	}
	json_object_put(o);
	return r;
}

static enum csign_err
entry_read(const struct store *store, const char *id, struct csign_why *why,
    struct store_entry *ret_entry)
{
	struct csign_buf *buf = NULL;
	struct store_entry entry;
	char name[STORE_NAME_SIZE];
	enum csign_err r;

	store_file_name(id, ".json", name);
	if ((r = store_read(store, name, why, &buf)) != CSIGN_OK)
		return r;
	r = store_entry_parse(buf, &entry);
	csign_buf_free(&buf);
	if (r == CSIGN_OK && strcmp(entry.id, id) != 0)
		r = CSIGN_E_FORMAT;
	if (r == CSIGN_OK)
		*ret_entry = entry;
	else if (r == CSIGN_E_FORMAT)
		csign_why_set(why, "%s/%s: is damaged", store->path, name);
	return r;
}

enum csign_err
store_save(const struct store *store, const struct store_entry *e,
    struct csign_why *why)
{
	enum csign_err r = CSIGN_E_NOMEM;
	struct json_object *o = json_object_new_object();
	char name[STORE_NAME_SIZE];
	const char *text;

	if (out_json_str(o, "id", e->id) && out_json_str(o, "name", e->name) &&
	    out_json_str(o, "host", e->host) &&
	    out_json_str(o, "user", e->user) &&
	    out_json_add(o, "uid", json_object_new_int64(e->uid)) &&
	    out_json_str(o, "origin", e->origin) &&
	    out_json_str(o, "added", e->added) &&
	    out_json_bool(o, "confirmed", e->confirmed) &&
	    out_json_str(o, "cookie", e->cookie) &&
	    (text = json_object_to_json_string_ext(
		 o, JSON_C_TO_STRING_PRETTY)) != NULL) {
		store_file_name(e->id, ".json", name);
		r = csign_file_replace_at(
		    store->fd, name, 0600, text, strlen(text), why);
	}
	json_object_put(o);
	return r;
}

/* --- all of them -----------------------------------------------------------
 */

/* "<16 characters>.json"? */
static bool
is_entry(const char *name)
{
	const size_t n = CSIGN_DEVICE_ID_SIZE - 1;

	return strspn(name, "abcdefghijklmnopqrstuvwxyz234567") == n &&
	       strcmp(name + n, ".json") == 0;
}

static int
by_age(const void *a, const void *b)
{
	const struct store_entry *x = a, *y = b;
	int order = strcmp(x->added, y->added);

	return order != 0 ? order : strcmp(x->id, y->id);
}

static enum csign_err
read_entries(const struct store *store, DIR *dir, struct csign_why *why,
    struct store_entry *entries, size_t *n)
{
	const struct dirent *file;
	enum csign_err r = CSIGN_OK;
	char id[CSIGN_DEVICE_ID_SIZE];

	while (r == CSIGN_OK && (file = readdir(dir)) != NULL) {
		if (!is_entry(file->d_name))
			continue;
		if (*n == STORE_ENTRIES_MAX) {
			csign_why_set(why, "%s: more than %d enrolments",
			    store->path, STORE_ENTRIES_MAX);
			return CSIGN_E_TOO_LONG;
		}
		memcpy(id, file->d_name, sizeof id - 1);
		id[sizeof id - 1] = '\0';
		r = entry_read(store, id, why, &entries[*n]);
		*n += r == CSIGN_OK;
	}
	return r;
}

enum csign_err
store_list(const struct store *store, struct csign_why *why,
    struct store_entry **ret_entries, size_t *ret_n)
{
	struct store_entry *entries;
	enum csign_err r = CSIGN_E_FILE;
	size_t n = 0;
	DIR *dir = NULL;
	int fd;

	entries = calloc(STORE_ENTRIES_MAX, sizeof *entries);
	if (entries == NULL)
		return CSIGN_E_NOMEM;
	fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL)
		csign_why_errno(why, errno, "%s", store->path);
	else
		r = read_entries(store, dir, why, entries, &n);
	if (dir != NULL)
		(void)closedir(dir);
	else if (fd != -1)
		(void)close(fd);
	if (r != CSIGN_OK) {
		free(entries);
		return r;
	}
	qsort(entries, n, sizeof *entries, by_age);
	*ret_entries = entries;
	*ret_n = n;
	return CSIGN_OK;
}

enum csign_err
store_get(const struct store *store, const char *id, struct csign_why *why,
    struct store_entry *ret_entry)
{
	char plain[CSIGN_DEVICE_ID_SIZE + 5], name[sizeof plain + 5];
	size_t n = 0;

	for (; *id != '\0' && n + 1 < sizeof plain; id++)
		if (*id != '-')
			plain[n++] = *id;
	plain[n] = '\0';
	(void)snprintf(name, sizeof name, "%s.json", plain);
	if (*id != '\0' || !is_entry(name)) {
		csign_why_set(why, "that is not a device id");
		return CSIGN_E_NOT_FOUND;
	}
	return entry_read(store, plain, why, ret_entry);
}

enum csign_err
store_find(const struct store *store, const struct csign_transaction *question,
    const char *origin, struct csign_why *why, enum store_memory *ret_memory,
    struct store_entry *ret_entry)
{
	struct store_entry *entries = NULL;
	const struct store_entry *best = NULL;
	enum store_memory memory = STORE_UNKNOWN;
	enum csign_err r;
	size_t n = 0;

	if ((r = store_list(store, why, &entries, &n)) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < n; i++) {
		const struct store_entry *e = &entries[i];

		if (strcmp(e->host, question->host) != 0 ||
		    strcmp(e->user, question->user) != 0)
			continue;
		if (e->uid != question->uid || strcmp(e->origin, origin) != 0) {
			if (best == NULL)
				memory = STORE_OTHERWISE;
			continue;
		}
		memory = STORE_KNOWN;
		if (best == NULL || e->confirmed >= best->confirmed)
			best = e;
	}
	if (best != NULL)
		*ret_entry = *best;
	*ret_memory = memory;
	free(entries);
	return CSIGN_OK;
}

/* --- keys ------------------------------------------------------------------
 */

static enum csign_err
key_write(const struct store *store, const char *id, const char *suffix,
    const struct csign_p256 *key, const char *passphrase, struct csign_why *why)
{
	char name[STORE_NAME_SIZE], *pem = NULL;
	enum csign_err r;
	size_t len = 0;

	if ((r = csign_p256_to_pem(key, passphrase, &pem, &len)) != CSIGN_OK)
		return r;
	store_file_name(id, suffix, name);
	r = csign_file_create_at(store->fd, name, 0600, pem, len, why);
	csign_wipe_str(&pem);
	return r;
}

enum csign_err
store_add(const struct store *store, const struct store_entry *entry,
    const struct csign_p256 *key, const struct csign_p256 *seal_key,
    const char *passphrase, struct csign_why *why)
{
	enum csign_err r;

	/* the entry last: it says that the keys are there */
	if ((r = key_write(store, entry->id, ".pem", key, passphrase, why)) ==
		CSIGN_OK &&
	    (r = key_write(store, entry->id, ".seal.pem", seal_key, passphrase,
		 why)) == CSIGN_OK)
		r = store_save(store, entry, why);
	if (r != CSIGN_OK)
		(void)store_remove(store, entry->id);
	return r;
}

bool
store_remove(const struct store *store, const char *id)
{
	char name[STORE_NAME_SIZE];

	/* the entry first, so that no entry is without its keys */
	for (size_t i = STORE_FILES; i-- > 0;) {
		store_file_name(id, store_suffixes[i], name);
		if (unlinkat(store->fd, name, 0) != 0 && errno != ENOENT)
			return i + 1 < STORE_FILES;
	}
	return true;
}

static enum csign_err
key_read(const struct store *store, struct csign_crypto *crypto, const char *id,
    const char *suffix, const char *passphrase, struct csign_why *why,
    struct csign_p256 **ret_key)
{
	struct csign_buf *pem = NULL;
	char name[STORE_NAME_SIZE];
	enum csign_err r;

	store_file_name(id, suffix, name);
	if ((r = store_read(store, name, why, &pem)) != CSIGN_OK)
		return r;
	r = csign_p256_from_pem(crypto, csign_buf_str(pem), csign_buf_len(pem),
	    passphrase, ret_key);
	csign_buf_free(&pem);
	if (r != CSIGN_OK && r != CSIGN_E_NOMEM)
		csign_why_set(why,
		    "the passphrase is wrong, or %s/%s is "
		    "damaged",
		    store->path, name);
	return r;
}

enum csign_err
store_key(const struct store *store, struct csign_crypto *crypto,
    const char *id, const char *passphrase, struct csign_why *why,
    struct csign_p256 **ret_key)
{
	return key_read(store, crypto, id, ".pem", passphrase, why, ret_key);
}

enum csign_err
store_seal_key(const struct store *store, struct csign_crypto *crypto,
    const char *id, const char *passphrase, struct csign_why *why,
    struct csign_p256 **ret_key)
{
	return key_read(
	    store, crypto, id, ".seal.pem", passphrase, why, ret_key);
}
