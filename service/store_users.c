/* SPDX-License-Identifier: BSD-2-Clause */
/* Users and their devices. */
#include "config.h"

#include <string.h>

#include "store_db.h"

static void
read_user(sqlite3_stmt *stmt, struct user *user)
{
	memset(user, 0, sizeof *user);
	user->id = sqlite3_column_int64(stmt, 0);
	user->created = (uint64_t)sqlite3_column_int64(stmt, 1);
	db_text(stmt, 2, user->user_id, sizeof user->user_id);
	db_text(stmt, 3, user->username, sizeof user->username);
	user->space = sqlite3_column_int64(stmt, 4);
	db_text(stmt, 5, user->space_name, sizeof user->space_name);
	user->devices = (uint32_t)sqlite3_column_int64(stmt, 6);
}

static enum csign_err
get_user(struct store *store, enum statement which, int64_t space,
    const char *key, struct user *ret_user)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_get(store, which, &stmt, "it", space, key)) != CSIGN_OK)
		return r;
	read_user(stmt, ret_user);
	db_done(stmt);
	return CSIGN_OK;
}

enum csign_err
store_user_ensure(struct store *store, int64_t space, const char *username,
    const char user_id[STORE_ID_SIZE], uint64_t now, struct user *ret_user)
{
	enum csign_err r;

	if ((r = db_run(store, ST_USER_ADD, "itti", space, user_id, username,
		 (int64_t)now)) != CSIGN_OK)
		return r;
	return store_user_by_name(store, space, username, ret_user);
}

enum csign_err
store_user_by_name(struct store *store, int64_t space, const char *username,
    struct user *ret_user)
{
	return get_user(store, ST_USER_BY_NAME, space, username, ret_user);
}

enum csign_err
store_user_by_id(struct store *store, int64_t space, const char *user_id,
    struct user *ret_user)
{
	return get_user(store, ST_USER_BY_ID, space, user_id, ret_user);
}

enum csign_err
store_user_remove(struct store *store, int64_t user)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	r = db_run(store, ST_SUBSCRIPTION_OF_USER, "i", user);
	if (r == CSIGN_OK)
		r = db_changed(store, db_run(store, ST_USER_REMOVE, "i", user));
	return store_end(store, r);
}

enum csign_err
store_user_each(struct store *store, int64_t space, const char *username,
    void (*visit)(void *arg, const struct user *user), void *arg)
{
	sqlite3_stmt *stmt = NULL;
	struct user user;
	enum csign_err r;
	int rc = SQLITE_ROW;

	if ((r = db_get(store, ST_USER_ALL, &stmt, "it", space, username)) !=
	    CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	for (; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
		read_user(stmt, &user);
		visit(arg, &user);
	}
	db_done(stmt);
	return rc == SQLITE_DONE ? CSIGN_OK : db_fail(store, rc);
}

/* --- devices -------------------------------------------------------------- */

/* Every row from this one on; gives the statement back. */
static enum csign_err
visit_devices(struct store *store, sqlite3_stmt *stmt,
    void (*visit)(void *arg, const struct authenticator *auth), void *arg)
{
	struct authenticator auth;
	int rc;

	for (rc = SQLITE_ROW; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
		memset(&auth, 0, sizeof auth);
		db_text(stmt, 0, auth.device_id, sizeof auth.device_id);
		db_text(stmt, 1, auth.name, sizeof auth.name);
		auth.created = (uint64_t)sqlite3_column_int64(stmt, 2);
		db_text(stmt, 3, auth.username, sizeof auth.username);
		auth.removed = sqlite3_column_int(stmt, 5) != 0;
		auth.rings = sqlite3_column_int(stmt, 6) != 0;
		visit(arg, &auth);
	}
	db_done(stmt);
	return rc == SQLITE_DONE ? CSIGN_OK : db_fail(store, rc);
}

enum csign_err
store_authenticator_each(struct store *store, int64_t user,
    void (*visit)(void *arg, const struct authenticator *auth), void *arg)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_get(store, ST_AUTH_ALL, &stmt, "ii", user,
		 (int64_t)STORE_AUTHENTICATORS_MAX)) != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	return visit_devices(store, stmt, visit, arg);
}

enum csign_err
store_authenticator_of_cookie(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN],
    void (*visit)(void *arg, const struct authenticator *auth), void *arg)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_get(store, ST_AUTH_OF_COOKIE, &stmt, "hi", cookie_hash,
		 (int64_t)STORE_AUTHENTICATORS_MAX)) != CSIGN_OK)
		return r;
	if (visit == NULL) {
		db_done(stmt);
		return CSIGN_OK;
	}
	return visit_devices(store, stmt, visit, arg);
}

enum csign_err
store_authenticator_rename(
    struct store *store, int64_t space, const char *device_id, const char *name)
{
	return db_changed(store,
	    db_run(store, ST_AUTH_RENAME, "itt", space, device_id, name));
}

enum csign_err
store_authenticator_remove(
    struct store *store, int64_t space, const char *device_id)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	r = db_run(store, ST_SUBSCRIPTION_OF_DEVICE, "it", space, device_id);
	if (r == CSIGN_OK)
		r = db_changed(store,
		    db_run(store, ST_AUTH_REMOVE, "it", space, device_id));
	return store_end(store, r);
}
