/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts, their spaces and keys, and what an admin did. */
#include "config.h"

#include <string.h>

#include "store_db.h"

static void
read_host(sqlite3_stmt *stmt, struct host *host)
{
	memset(host, 0, sizeof *host);
	host->id = sqlite3_column_int64(stmt, 0);
	host->space = sqlite3_column_int64(stmt, 1);
	host->rights = (uint32_t)sqlite3_column_int64(stmt, 2);
	host->created = (uint64_t)sqlite3_column_int64(stmt, 3);
	db_text(stmt, 4, host->name, sizeof host->name);
	db_text(stmt, 5, host->space_name, sizeof host->space_name);
	host->old_key_ends = (uint64_t)sqlite3_column_int64(stmt, 6);
}

/* The id of a space; a new one must not exist, one with a name may. */
static enum csign_err
space_id(struct store *store, const char *name, bool fresh, int64_t *ret_id)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r = CSIGN_E_NOT_FOUND;

	if (!fresh)
		r = db_get(store, ST_SPACE_FIND, &stmt, "t", name);
	if (r == CSIGN_OK) {
		*ret_id = sqlite3_column_int64(stmt, 0);
		db_done(stmt);
	} else if (r == CSIGN_E_NOT_FOUND) {
		if ((r = db_run(store, ST_SPACE_ADD, "t", name)) == CSIGN_OK)
			*ret_id = sqlite3_last_insert_rowid(store->db);
	}
	return r;
}

enum csign_err
store_host_add(struct store *store, const char *name, const char *space,
    uint32_t rights, const unsigned char key_hash[STORE_HASH_LEN], uint64_t now)
{
	enum csign_err r;
	int64_t id = 0;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	if ((r = space_id(store, space != NULL ? space : name, space == NULL,
		 &id)) == CSIGN_OK)
		r = db_run(store, ST_HOST_ADD, "itihi", id, name,
		    (int64_t)rights, key_hash, (int64_t)now);
	return store_end(store, r);
}

enum csign_err
store_host_remove(struct store *store, const char *name)
{
	return db_changed(store, db_run(store, ST_HOST_REMOVE, "t", name));
}

static enum csign_err
take_host(enum csign_err r, sqlite3_stmt *stmt, struct host *ret_host)
{
	if (r != CSIGN_OK)
		return r;
	read_host(stmt, ret_host);
	db_done(stmt);
	return CSIGN_OK;
}

enum csign_err
store_host_by_key(struct store *store,
    const unsigned char key_hash[STORE_HASH_LEN], uint64_t now,
    struct host *ret_host)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	r = db_get(store, ST_HOST_BY_KEY, &stmt, "h", key_hash);
	if (r == CSIGN_E_NOT_FOUND)
		r = db_get(store, ST_HOST_BY_OLD_KEY, &stmt, "hi", key_hash,
		    (int64_t)now);
	return take_host(r, stmt, ret_host);
}

enum csign_err
store_host_by_name(struct store *store, const char *name, struct host *ret_host)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	r = db_get(store, ST_HOST_BY_NAME, &stmt, "t", name);
	return take_host(r, stmt, ret_host);
}

/* No key of the host ends later than the one that is replaced now. */
static enum csign_err
keep_old_key(struct store *store, int64_t host, uint64_t ends, uint64_t now)
{
	enum csign_err r;

	if ((r = db_run(store, ST_OLD_KEY_SOONER, "ii", host, (int64_t)ends)) ==
		CSIGN_OK &&
	    (r = db_run(store, ST_OLD_KEY_KEEP, "ii", host, (int64_t)ends)) ==
		CSIGN_OK)
		r = store_old_keys_expire(store, now);
	return r;
}

enum csign_err
store_host_rotate(struct store *store, int64_t host,
    const unsigned char key_hash[STORE_HASH_LEN], uint64_t ends, uint64_t now)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	if ((r = keep_old_key(store, host, ends, now)) == CSIGN_OK)
		r = db_changed(
		    store, db_run(store, ST_KEY_SET, "ih", host, key_hash));
	return store_end(store, r);
}

enum csign_err
store_old_keys_expire(struct store *store, uint64_t now)
{
	return db_run(store, ST_OLD_KEY_EXPIRE, "i", (int64_t)now);
}

enum csign_err
store_space_find(struct store *store, const char *name, int64_t *ret_id)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_get(store, ST_SPACE_FIND, &stmt, "t", name)) != CSIGN_OK)
		return r;
	*ret_id = sqlite3_column_int64(stmt, 0);
	db_done(stmt);
	return CSIGN_OK;
}

enum csign_err
store_host_each(struct store *store, uint64_t now,
    void (*visit)(void *arg, const struct host *host), void *arg)
{
	sqlite3_stmt *stmt = NULL;
	struct host host;
	enum csign_err r;
	int rc = SQLITE_ROW;

	if ((r = db_get(store, ST_HOST_ALL, &stmt, "i", (int64_t)now)) !=
	    CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	for (; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
		read_host(stmt, &host);
		visit(arg, &host);
	}
	db_done(stmt);
	return rc == SQLITE_DONE ? CSIGN_OK : db_fail(store, rc);
}

/* --- what was done by commands -------------------------------------------- */

enum csign_err
store_command_add(struct store *store, const struct command *command)
{
	return db_run(store, ST_COMMAND_ADD, "iittt", (int64_t)command->time,
	    (int64_t)command->uid, command->what, command->name,
	    command->space);
}

enum csign_err
store_commands_take(
    struct store *store, void (*visit)(const struct command *command))
{
	struct command command;
	sqlite3_stmt *stmt = NULL;
	int64_t last = 0;
	enum csign_err r;
	int rc = SQLITE_ROW;

	if ((r = db_get(store, ST_COMMAND_ALL, &stmt, "")) != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	for (; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
		last = sqlite3_column_int64(stmt, 0);
		command.time = (uint64_t)sqlite3_column_int64(stmt, 1);
		command.uid = (uint32_t)sqlite3_column_int64(stmt, 2);
		db_text(stmt, 3, command.what, sizeof command.what);
		db_text(stmt, 4, command.name, sizeof command.name);
		db_text(stmt, 5, command.space, sizeof command.space);
		visit(&command);
	}
	db_done(stmt);
	if (rc != SQLITE_DONE)
		return db_fail(store, rc);
	return db_run(store, ST_COMMAND_DROP, "i", last);
}
