/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "checkpoint.h"
#include "log.h"
#include "store_db.h"

static const char *const statement_sql[N_STATEMENTS] = {
#define STATEMENT_SQL(name, sql) [ST_##name] = (sql),
    STATEMENTS(STATEMENT_SQL)
#undef STATEMENT_SQL
};

enum csign_err
db_prepare(struct store *store)
{
	size_t i;

	for (i = 0; i < N_STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->db, statement_sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &store->statements[i],
			NULL) != SQLITE_OK)
			return CSIGN_E_SYSTEM;
	return CSIGN_OK;
}

enum csign_err
db_fail(struct store *store, int rc)
{
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		return CSIGN_E_EXISTS;
	log_event(CSIGN_LOG_ERR, "database_error", "message",
	    sqlite3_errmsg(store->db));
	if ((rc & 0xff) == SQLITE_FULL)
		checkpoint_ask(store->checkpoint);
	return CSIGN_E_SYSTEM;
}

static int
bind(sqlite3_stmt *stmt, const char *types, va_list args)
{
	const void *p;
	int i, rc = SQLITE_OK;

	for (i = 1; *types != '\0' && rc == SQLITE_OK; types++, i++) {
		if (*types == 'i') {
			rc = sqlite3_bind_int64(stmt, i, va_arg(args, int64_t));
			continue;
		}
		p = va_arg(args, const void *);
		if (p == NULL)
			rc = sqlite3_bind_null(stmt, i);
		else if (*types == 't')
			rc = sqlite3_bind_text(stmt, i, p, -1, SQLITE_STATIC);
		else
			rc = sqlite3_bind_blob(
			    stmt, i, p, STORE_HASH_LEN, SQLITE_STATIC);
	}
	return rc;
}

static enum csign_err
vget(struct store *store, enum statement which, sqlite3_stmt **ret_stmt,
    const char *types, va_list args)
{
	sqlite3_stmt *stmt = store->statements[which];
	enum csign_err r;
	int rc;

	if ((rc = bind(stmt, types, args)) == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if ((rc == SQLITE_ROW || rc == SQLITE_DONE) &&
	    sqlite3_stmt_readonly(stmt) == 0)
		store->busy_since = 0;
	if (rc == SQLITE_ROW) {
		*ret_stmt = stmt;
		return CSIGN_OK;
	}
	r = rc == SQLITE_DONE ? CSIGN_E_NOT_FOUND : db_fail(store, rc);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return r;
}

enum csign_err
db_get(struct store *store, enum statement which, sqlite3_stmt **ret_stmt,
    const char *types, ...)
{
	enum csign_err r;
	va_list args;

	va_start(args, types);
	r = vget(store, which, ret_stmt, types, args);
	va_end(args);
	return r;
}

void
db_done(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

enum csign_err
db_run(struct store *store, enum statement which, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;
	va_list args;

	va_start(args, types);
	r = vget(store, which, &stmt, types, args);
	va_end(args);
	if (r == CSIGN_OK)
		db_done(stmt);
	return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
}

enum csign_err
db_changed(struct store *store, enum csign_err r)
{
	if (r != CSIGN_OK)
		return r;
	return sqlite3_changes(store->db) > 0 ? CSIGN_OK : CSIGN_E_NOT_FOUND;
}

enum csign_err
store_begin(struct store *store)
{
	enum csign_err r = CSIGN_OK;

	if (store->depth == 0)
		r = db_run(store, ST_BEGIN, "");
	if (r == CSIGN_OK)
		store->depth++;
	return r;
}

/* Only the outermost one commits; after an error it rolls back. */
enum csign_err
store_end(struct store *store, enum csign_err r)
{
	enum csign_err ended = CSIGN_OK;

	if (--store->depth > 0)
		return r;
	if (r == CSIGN_OK && (r = db_run(store, ST_COMMIT, "")) == CSIGN_OK)
		return CSIGN_OK;
	if (sqlite3_get_autocommit(store->db) == 0)
		ended = db_run(store, ST_ROLLBACK, "");
	return ended == CSIGN_OK ? r : ended;
}

void
db_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(stmt, column);

	if (text == NULL || len >= size)
		len = 0;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

void
db_hash(sqlite3_stmt *stmt, int column, unsigned char out[STORE_HASH_LEN])
{
	const void *bytes = sqlite3_column_blob(stmt, column);

	if (bytes != NULL &&
	    sqlite3_column_bytes(stmt, column) == STORE_HASH_LEN)
		memcpy(out, bytes, STORE_HASH_LEN);
	else
		memset(out, 0, STORE_HASH_LEN);
}

enum csign_err
db_ids(struct store *store, sqlite3_stmt *stmt, int64_t *ids, size_t max,
    size_t *ret_n)
{
	size_t n = 0;
	int rc = SQLITE_ROW;

	while (rc == SQLITE_ROW && n < max) {
		ids[n++] = sqlite3_column_int64(stmt, 0);
		rc = sqlite3_step(stmt);
	}
	db_done(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return db_fail(store, rc);
	*ret_n = n;
	return CSIGN_OK;
}
