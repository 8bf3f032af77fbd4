/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store_*.c share: the open database and its statements.  Nothing
 * else includes this.
 */
#ifndef SERVICE_STORE_DB_H
#define SERVICE_STORE_DB_H

#include <sqlite3.h>

#include "store.h"
#include "store_schema.h"

#define DB_NAME_SIZE 1100 /* the longest path that a setting has, and more */

struct checkpoint;

enum statement {
#define STATEMENT_ENUM(name, sql) ST_##name,
	STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
	    N_STATEMENTS
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[N_STATEMENTS];
	struct checkpoint *checkpoint;
	int lock;             /* shared, as long as the database is open */
	unsigned depth;       /* of store_begin() */
	uint64_t busy_since;  /* ms since boot: others hold the lock; 0: no */
	uint64_t busy_last;   /* when that was met last */
	int64_t data_version; /* changes of others that were looked at */
};

CSIGN_WUR enum csign_err db_prepare(struct store *store);
/* The error of a result code, which it logs. */
CSIGN_WUR enum csign_err db_fail(struct store *store, int rc);
/*
 * types: one character an argument; i int64_t, t text or NULL, h hash.
 *
 * The first row, to be given back with db_done(); CSIGN_E_NOT_FOUND if there is
 * none.  A statement that is not reset holds a lock.
 */
CSIGN_WUR enum csign_err db_get(struct store *store, enum statement which,
    sqlite3_stmt **ret_stmt, const char *types, ...);
void db_done(sqlite3_stmt *stmt);
/* A statement without rows. */
CSIGN_WUR enum csign_err db_run(
    struct store *store, enum statement which, const char *types, ...);
/* The result of db_run(), or CSIGN_E_NOT_FOUND if that changed nothing. */
CSIGN_WUR enum csign_err db_changed(struct store *store, enum csign_err r);
/* Zeros if it is no hash. */
void db_hash(sqlite3_stmt *stmt, int column, unsigned char out[STORE_HASH_LEN]);
/* Empty if it is NULL or does not fit. */
void db_text(sqlite3_stmt *stmt, int column, char *out, size_t size);
/* The first column of every row from this one on; gives the statement back. */
CSIGN_WUR enum csign_err db_ids(struct store *store, sqlite3_stmt *stmt,
    int64_t *ids, size_t max, size_t *ret_n);

/* --- opening, in store_open.c -------------------------------------------- */

/* Several statements; a failure is not logged. */
CSIGN_WUR enum csign_err db_exec(sqlite3 *db, const char *sql);
/* The version of the tables; 0: there are none. */
CSIGN_WUR enum csign_err db_version(sqlite3 *db, int *ret_version);
/* Makes the tables, or brings them up to date, in the transaction at hand. */
CSIGN_WUR enum csign_err db_upgrade(sqlite3 *db, int version);
/* operation: of flock(2); fails at once if somebody is in the way. */
CSIGN_WUR enum csign_err db_lock(
    const char *path, int operation, struct csign_why *why, int *ret_fd);

#endif
