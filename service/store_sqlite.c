/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "codec.h"
#include "log.h"
#include "store.h"
#include "store_schema.h"

#define BUSY_MS 2000 /* "countersignd host" writes beside us */

enum statement {
#define STATEMENT_ENUM(name, sql) ST_##name,
	STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
	    N_STATEMENTS
};

static const char *const statement_sql[N_STATEMENTS] = {
#define STATEMENT_SQL(name, sql) [ST_##name] = (sql),
    STATEMENTS(STATEMENT_SQL)
#undef STATEMENT_SQL
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[N_STATEMENTS];
	struct checkpoint *checkpoint;
	unsigned depth; /* of store_begin() */
};

/* --- running statements --------------------------------------------------- */

static enum csign_err
fail(struct store *store, int rc)
{
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		return CSIGN_E_EXISTS;
	log_event(CSIGN_LOG_ERR, "database_error", "message",
	    sqlite3_errmsg(store->db));
	return CSIGN_E_SYSTEM;
}

/* One character an argument: i int64_t, t text or NULL, h hash. */
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

/*
 * The first row, to be given back with done(); CSIGN_E_NOT_FOUND if there is
 * none.  A statement that is not reset holds a lock.
 */
static enum csign_err
vget(struct store *store, enum statement which, sqlite3_stmt **ret_stmt,
    const char *types, va_list args)
{
	sqlite3_stmt *stmt = store->statements[which];
	enum csign_err r;
	int rc;

	if ((rc = bind(stmt, types, args)) == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*ret_stmt = stmt;
		return CSIGN_OK;
	}
	r = rc == SQLITE_DONE ? CSIGN_E_NOT_FOUND : fail(store, rc);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return r;
}

static enum csign_err
get(struct store *store, enum statement which, sqlite3_stmt **ret_stmt,
    const char *types, ...)
{
	enum csign_err r;
	va_list args;

	va_start(args, types);
	r = vget(store, which, ret_stmt, types, args);
	va_end(args);
	return r;
}

static void
done(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

/* A statement without rows. */
static enum csign_err
run(struct store *store, enum statement which, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;
	va_list args;

	va_start(args, types);
	r = vget(store, which, &stmt, types, args);
	va_end(args);
	if (r == CSIGN_OK)
		done(stmt);
	return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
}

/* The same, and CSIGN_E_NOT_FOUND if it changed nothing. */
static enum csign_err
changed(struct store *store, enum csign_err r)
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
		r = run(store, ST_BEGIN, "");
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
	if (r == CSIGN_OK && (r = run(store, ST_COMMIT, "")) == CSIGN_OK)
		return CSIGN_OK;
	if (sqlite3_get_autocommit(store->db) == 0)
		ended = run(store, ST_ROLLBACK, "");
	return ended == CSIGN_OK ? r : ended;
}

static void
column_text(sqlite3_stmt *stmt, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(stmt, column);

	if (text == NULL || len >= size)
		len = 0;
	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

static enum csign_err
get_ids(struct store *store, sqlite3_stmt *stmt, int64_t *ids, size_t max,
    size_t *ret_n)
{
	size_t n = 0;
	int rc = SQLITE_ROW;

	while (rc == SQLITE_ROW && n < max) {
		ids[n++] = sqlite3_column_int64(stmt, 0);
		rc = sqlite3_step(stmt);
	}
	done(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return fail(store, rc);
	*ret_n = n;
	return CSIGN_OK;
}

/* --- opening -------------------------------------------------------------- */

static enum csign_err
exec(struct store *store, const char *sql)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? CSIGN_OK : CSIGN_E_SYSTEM;
}

/* The version of the tables; 0: there are none. */
static enum csign_err
schema_version(struct store *store, int *ret_version)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r = CSIGN_E_SYSTEM;
	int version = 0;

	if (sqlite3_prepare_v2(store->db,
		"SELECT count(*) FROM sqlite_master WHERE name = 'schema'", -1,
		&stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		goto out;
	if (sqlite3_column_int(stmt, 0) != 0) {
		sqlite3_finalize(stmt);
		stmt = NULL;
		if (sqlite3_prepare_v2(store->db, "SELECT version FROM schema",
			-1, &stmt, NULL) != SQLITE_OK ||
		    sqlite3_step(stmt) != SQLITE_ROW)
			goto out;
		version = sqlite3_column_int(stmt, 0);
	}
	*ret_version = version;
	r = CSIGN_OK;
out:
	sqlite3_finalize(stmt);
	return r;
}

static enum csign_err
prepare_schema(struct store *store, const char *path, struct csign_why *why)
{
	enum csign_err r;
	int version = 0;

	if ((r = exec(store, "BEGIN IMMEDIATE")) != CSIGN_OK ||
	    (r = schema_version(store, &version)) != CSIGN_OK)
		return r;
	if (version > SCHEMA_VERSION) {
		csign_why_set(why,
		    "%s: made by a newer countersignd (schema %d, this one "
		    "knows %d)",
		    path, version, SCHEMA_VERSION);
		return CSIGN_E_STATE;
	}
	if (version == 0 && (r = exec(store, schema_sql)) != CSIGN_OK)
		return r;
	return exec(store, "COMMIT");
}

static enum csign_err
prepare_statements(struct store *store)
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
store_open(const char *path, struct csign_why *why, struct store **ret_store)
{
	enum csign_err r = CSIGN_E_NOMEM;
	struct store *store;

	if ((store = calloc(1, sizeof *store)) == NULL)
		return r;
	csign_why_set(why, "%s", path);
	r = CSIGN_E_SYSTEM;
	if (sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    SQLITE_OPEN_EXRESCODE,
		NULL) != SQLITE_OK)
		goto out;
	sqlite3_busy_timeout(store->db, BUSY_MS);
	/* Rows are short: small pages make less to write in each commit. */
	if ((r = exec(store,
		 "PRAGMA page_size = 2048; PRAGMA journal_mode = WAL;"
		 "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
		 "PRAGMA secure_delete = FAST; PRAGMA trusted_schema = OFF;"
		 "PRAGMA cache_size = -4096;")) != CSIGN_OK ||
	    (r = prepare_schema(store, path, why)) != CSIGN_OK ||
	    (r = prepare_statements(store)) != CSIGN_OK ||
	    (r = checkpoint_new(store->db, &store->checkpoint)) != CSIGN_OK)
		goto out;
	*ret_store = store;
	store = NULL;
out:
	if (r == CSIGN_E_SYSTEM)
		csign_why_set(why, "%s: %s", path, sqlite3_errmsg(store->db));
	store_close(&store);
	return r;
}

void
store_close(struct store **store)
{
	size_t i;

	if (*store == NULL)
		return;
	checkpoint_free(&(*store)->checkpoint);
	for (i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize((*store)->statements[i]);
	sqlite3_close((*store)->db);
	free(*store);
	*store = NULL;
}

enum csign_err
store_check(struct store *store, uint64_t now)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = run(store, ST_BEAT, "i", (int64_t)now)) != CSIGN_OK ||
	    (r = get(store, ST_BEAT_READ, &stmt, "")) != CSIGN_OK)
		return r;
	if (sqlite3_column_int64(stmt, 0) != (int64_t)now)
		r = CSIGN_E_SYSTEM;
	done(stmt);
	return r;
}

/* --- hosts ---------------------------------------------------------------- */

static void
read_host(sqlite3_stmt *stmt, struct host *host)
{
	memset(host, 0, sizeof *host);
	host->id = sqlite3_column_int64(stmt, 0);
	host->space = sqlite3_column_int64(stmt, 1);
	host->rights = (uint32_t)sqlite3_column_int64(stmt, 2);
	host->created = (uint64_t)sqlite3_column_int64(stmt, 3);
	column_text(stmt, 4, host->name, sizeof host->name);
	column_text(stmt, 5, host->space_name, sizeof host->space_name);
}

/* The id of a space; a new one must not exist, one with a name may. */
static enum csign_err
space_id(struct store *store, const char *name, bool fresh, int64_t *ret_id)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r = CSIGN_E_NOT_FOUND;

	if (!fresh)
		r = get(store, ST_SPACE_FIND, &stmt, "t", name);
	if (r == CSIGN_OK) {
		*ret_id = sqlite3_column_int64(stmt, 0);
		done(stmt);
	} else if (r == CSIGN_E_NOT_FOUND) {
		if ((r = run(store, ST_SPACE_ADD, "t", name)) == CSIGN_OK)
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
		r = run(store, ST_HOST_ADD, "itihi", id, name, (int64_t)rights,
		    key_hash, (int64_t)now);
	return store_end(store, r);
}

enum csign_err
store_host_remove(struct store *store, const char *name)
{
	return changed(store, run(store, ST_HOST_REMOVE, "t", name));
}

enum csign_err
store_host_by_key(struct store *store,
    const unsigned char key_hash[STORE_HASH_LEN], struct host *ret_host)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = get(store, ST_HOST_BY_KEY, &stmt, "h", key_hash)) != CSIGN_OK)
		return r;
	read_host(stmt, ret_host);
	done(stmt);
	return CSIGN_OK;
}

enum csign_err
store_host_each(struct store *store,
    void (*visit)(void *arg, const struct host *host), void *arg)
{
	sqlite3_stmt *stmt = NULL;
	struct host host;
	enum csign_err r;
	int rc = SQLITE_ROW;

	if ((r = get(store, ST_HOST_ALL, &stmt, "")) != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	for (; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
		read_host(stmt, &host);
		visit(arg, &host);
	}
	done(stmt);
	return rc == SQLITE_DONE ? CSIGN_OK : fail(store, rc);
}

/* --- users ---------------------------------------------------------------- */

static enum csign_err
get_user(struct store *store, enum statement which, int64_t space,
    const char *key, struct user *ret_user)
{
	sqlite3_stmt *stmt = NULL;
	struct user user;
	enum csign_err r;

	if ((r = get(store, which, &stmt, "it", space, key)) != CSIGN_OK)
		return r;
	memset(&user, 0, sizeof user);
	user.id = sqlite3_column_int64(stmt, 0);
	user.created = (uint64_t)sqlite3_column_int64(stmt, 1);
	column_text(stmt, 2, user.user_id, sizeof user.user_id);
	column_text(stmt, 3, user.username, sizeof user.username);
	user.active = sqlite3_column_int(stmt, 4) != 0;
	done(stmt);
	*ret_user = user;
	return CSIGN_OK;
}

enum csign_err
store_user_ensure(struct store *store, int64_t space, const char *username,
    const char user_id[STORE_ID_SIZE], uint64_t now, struct user *ret_user)
{
	enum csign_err r;

	if ((r = run(store, ST_USER_ADD, "itti", space, user_id, username,
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
	return changed(store, run(store, ST_USER_REMOVE, "i", user));
}

enum csign_err
store_authenticator_each(struct store *store, int64_t user,
    void (*visit)(void *arg, const struct authenticator *auth), void *arg)
{
	sqlite3_stmt *stmt = NULL;
	struct authenticator auth;
	enum csign_err r;
	int rc = SQLITE_ROW;

	if ((r = get(store, ST_AUTH_ALL, &stmt, "ii", user,
		 (int64_t)STORE_AUTHENTICATORS_MAX)) != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	for (; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
		memset(&auth, 0, sizeof auth);
		column_text(stmt, 0, auth.device_id, sizeof auth.device_id);
		column_text(stmt, 1, auth.name, sizeof auth.name);
		auth.created = (uint64_t)sqlite3_column_int64(stmt, 2);
		visit(arg, &auth);
	}
	done(stmt);
	return rc == SQLITE_DONE ? CSIGN_OK : fail(store, rc);
}

enum csign_err
store_authenticator_rename(
    struct store *store, int64_t space, const char *device_id, const char *name)
{
	return changed(
	    store, run(store, ST_AUTH_RENAME, "itt", space, device_id, name));
}

enum csign_err
store_authenticator_remove(
    struct store *store, int64_t space, const char *device_id)
{
	return changed(
	    store, run(store, ST_AUTH_REMOVE, "it", space, device_id));
}

/* --- approvals ------------------------------------------------------------ */

/* Is there room for one more?  Takes it at the host. */
static enum csign_err
take_room(struct store *store, const struct question *q)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;
	int64_t n;

	r = changed(store,
	    run(store, ST_HOST_ROOM, "ii", q->host->id, (int64_t)q->max_host));
	if (r == CSIGN_E_NOT_FOUND)
		return CSIGN_E_LIMIT;
	if (r != CSIGN_OK || q->username == NULL)
		return r;
	if ((r = get(store, ST_USER_ROOM, &stmt, "iti", q->host->id,
		 q->username, (int64_t)q->max_user)) != CSIGN_OK)
		return r;
	n = sqlite3_column_int64(stmt, 0);
	done(stmt);
	return n < (int64_t)q->max_user ? CSIGN_OK : CSIGN_E_LIMIT;
}

static enum csign_err
transaction_id_of(const unsigned char token_hash[STORE_HASH_LEN],
    char transaction_id[STORE_ID_SIZE])
{
	return csign_b64u_encode(token_hash, 16, transaction_id, STORE_ID_SIZE);
}

static enum csign_err
insert_approval(struct store *store, const struct question *q,
    const char *transaction_id, const unsigned char token_hash[STORE_HASH_LEN])
{
	enum csign_err r;

	if ((r = take_room(store, q)) != CSIGN_OK ||
	    (r = run(store, ST_CREATE, "iiiiittth", q->host->space, q->host->id,
		 (int64_t)q->kind, (int64_t)q->ends,
		 q->user != NULL ? q->user->id : INT64_C(0), q->username,
		 transaction_id, q->link_id, token_hash)) != CSIGN_OK)
		return r;
	return run(store, ST_SEALED_PUT, "it",
	    (int64_t)sqlite3_last_insert_rowid(store->db), q->content);
}

enum csign_err
store_approval_create(struct store *store, const struct question *question,
    const unsigned char token_hash[STORE_HASH_LEN],
    char ret_transaction_id[STORE_ID_SIZE])
{
	char transaction_id[STORE_ID_SIZE];
	enum csign_err r;

	if ((r = transaction_id_of(token_hash, transaction_id)) != CSIGN_OK ||
	    (r = store_begin(store)) != CSIGN_OK)
		return r;
	r = insert_approval(store, question, transaction_id, token_hash);
	if ((r = store_end(store, r)) == CSIGN_OK)
		memcpy(ret_transaction_id, transaction_id, STORE_ID_SIZE);
	return r;
}

/* Reads the row and gives the statement back. */
static void
take_approval(sqlite3_stmt *stmt, struct approval *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->id = sqlite3_column_int64(stmt, 0);
	ret->space = sqlite3_column_int64(stmt, 1);
	ret->host = sqlite3_column_int64(stmt, 2);
	ret->kind = (enum approval_kind)sqlite3_column_int(stmt, 3);
	ret->state = (enum approval_state)sqlite3_column_int(stmt, 4);
	ret->event = (enum approval_event)sqlite3_column_int(stmt, 5);
	ret->sequence = (uint32_t)sqlite3_column_int64(stmt, 6);
	ret->tries_left = sqlite3_column_int(stmt, 7);
	ret->ends = (uint64_t)sqlite3_column_int64(stmt, 8);
	ret->due = (uint64_t)sqlite3_column_int64(stmt, 9);
	column_text(stmt, 10, ret->transaction_id, STORE_ID_SIZE);
	column_text(stmt, 11, ret->reason, sizeof ret->reason);
	done(stmt);
}

enum csign_err
store_approval_by_id(
    struct store *store, int64_t id, struct approval *ret_approval)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = get(store, ST_BY_ID, &stmt, "i", id)) == CSIGN_OK)
		take_approval(stmt, ret_approval);
	return r;
}

enum csign_err
store_approval_by_token(struct store *store,
    const unsigned char token_hash[STORE_HASH_LEN],
    struct approval *ret_approval)
{
	char transaction_id[STORE_ID_SIZE];
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = transaction_id_of(token_hash, transaction_id)) != CSIGN_OK)
		return r;
	if ((r = get(store, ST_BY_TOKEN, &stmt, "th", transaction_id,
		 token_hash)) == CSIGN_OK)
		take_approval(stmt, ret_approval);
	return r;
}

enum csign_err
store_approval_by_transaction(struct store *store, int64_t space,
    const char *transaction_id, struct approval *ret_approval)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = get(store, ST_BY_TRANSACTION, &stmt, "it", space,
		 transaction_id)) == CSIGN_OK)
		take_approval(stmt, ret_approval);
	return r;
}

enum csign_err
store_approval_by_link(
    struct store *store, const char *link_id, struct approval *ret_approval)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = get(store, ST_BY_LINK, &stmt, "t", link_id)) == CSIGN_OK)
		take_approval(stmt, ret_approval);
	return r;
}

static enum csign_err
get_sealed(struct store *store, enum statement which, int64_t id,
    struct csign_buf *out)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = get(store, which, &stmt, "i", id)) != CSIGN_OK)
		return r;
	r = csign_buf_put(out, sqlite3_column_text(stmt, 0),
	    (size_t)sqlite3_column_bytes(stmt, 0));
	done(stmt);
	return r;
}

enum csign_err
store_approval_content(struct store *store, int64_t id, struct csign_buf *out)
{
	return get_sealed(store, ST_CONTENT_GET, id, out);
}

enum csign_err
store_approval_answer(struct store *store, int64_t id, struct csign_buf *out)
{
	return get_sealed(store, ST_ANSWER_GET, id, out);
}

/* What the new state brings with it, in the same transaction. */
static enum csign_err
change_beside(struct store *store, const struct approval *next,
    const char *answer, uint64_t now)
{
	enum csign_err r;

	if (answer != NULL)
		return run(store, ST_ANSWER_PUT, "it", next->id, answer);
	if (STATE_IS_OPEN(next->state))
		return CSIGN_OK;
	if ((r = run(store, ST_SEALED_DROP, "i", next->id)) != CSIGN_OK ||
	    (r = run(store, ST_HOST_CLOSE, "i", next->host)) != CSIGN_OK)
		return r;
	if (next->kind == KIND_ENROLMENT && next->state == STATE_GRANTED)
		r = run(store, ST_AUTH_FROM_CLAIM, "iii", next->id,
		    (int64_t)now, (int64_t)STORE_AUTHENTICATORS_MAX);
	return r;
}

enum csign_err
store_approval_change(struct store *store, const struct approval *next,
    const char *answer, uint64_t now)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	r = changed(store,
	    run(store, ST_CHANGE, "iiiiiit", next->id, (int64_t)next->sequence,
		(int64_t)next->state, (int64_t)next->event,
		(int64_t)next->tries_left, (int64_t)next->due, next->reason));
	if (r == CSIGN_E_NOT_FOUND)
		r = CSIGN_E_AGAIN;
	if (r == CSIGN_OK)
		r = change_beside(store, next, answer, now);
	return store_end(store, r);
}

enum csign_err
store_approval_open_of(struct store *store, int64_t space, const char *username,
    int64_t *ids, size_t max, size_t *ret_n)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	*ret_n = 0;
	r = get(store, ST_OPEN_OF, &stmt, "iti", space, username, (int64_t)max);
	if (r != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	return get_ids(store, stmt, ids, max, ret_n);
}

enum csign_err
store_approval_due(
    struct store *store, uint64_t now, int64_t *ids, size_t max, size_t *ret_n)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	*ret_n = 0;
	r = get(store, ST_DUE, &stmt, "ii", (int64_t)now, (int64_t)max);
	if (r != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	return get_ids(store, stmt, ids, max, ret_n);
}

enum csign_err
store_approval_postpone(struct store *store, int64_t id, uint64_t due)
{
	return run(store, ST_POSTPONE, "ii", id, (int64_t)due);
}

enum csign_err
store_approval_remove(struct store *store, int64_t id)
{
	return run(store, ST_REMOVE, "i", id);
}

enum csign_err
store_approval_soonest(struct store *store, uint64_t *ret_due)
{
	sqlite3_stmt *stmt = NULL;
	uint64_t due = UINT64_MAX;
	enum csign_err r;

	r = get(store, ST_NEXT_DUE, &stmt, "");
	if (r == CSIGN_OK) {
		due = (uint64_t)sqlite3_column_int64(stmt, 0);
		done(stmt);
	} else if (r != CSIGN_E_NOT_FOUND) {
		return r;
	}
	*ret_due = due;
	return CSIGN_OK;
}

/* --- claims --------------------------------------------------------------- */

/* May this device be claimed for the approval's user? */
static enum csign_err
check_claim(
    struct store *store, const struct approval *approval, const char *device_id)
{
	char claimed[CSIGN_DEVICE_ID_SIZE] = "";
	sqlite3_stmt *stmt = NULL;
	int64_t user;
	enum csign_err r;

	if ((r = get(store, ST_CLAIM_FIND, &stmt, "i", approval->id)) ==
	    CSIGN_OK) {
		column_text(stmt, 0, claimed, sizeof claimed);
		done(stmt);
		if (approval->state >= STATE_ANSWERED &&
		    strcmp(claimed, device_id) != 0)
			return CSIGN_E_EXISTS;
	} else if (r != CSIGN_E_NOT_FOUND) {
		return r;
	}
	if ((r = get(store, ST_CLAIM_USER, &stmt, "i", approval->id)) !=
	    CSIGN_OK)
		return r;
	user = sqlite3_column_int64(stmt, 0);
	done(stmt);
	r = get(store, ST_AUTH_OWNER, &stmt, "it", approval->space, device_id);
	if (r != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	if (sqlite3_column_int64(stmt, 0) != user)
		r = CSIGN_E_EXISTS;
	done(stmt);
	return r;
}

enum csign_err
store_claim_put(struct store *store, const struct approval *approval,
    const struct claim *claim, uint64_t now)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	if ((r = check_claim(store, approval, claim->device_id)) == CSIGN_OK &&
	    (r = run(store, ST_CLAIM_PUT, "itth", approval->id,
		 claim->device_id, claim->name, claim->cookie_hash)) ==
		CSIGN_OK &&
	    approval->state == STATE_GRANTED)
		r = run(store, ST_AUTH_FROM_CLAIM, "iii", approval->id,
		    (int64_t)now, (int64_t)STORE_AUTHENTICATORS_MAX);
	return store_end(store, r);
}
