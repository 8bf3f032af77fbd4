/* SPDX-License-Identifier: BSD-2-Clause */
/* From a path to a database whose tables are the ones that we know. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "checkpoint.h"
#include "clock.h"
#include "store_db.h"

#define BUSY_MS 2000 /* "countersignd host" writes beside us */
#define BUSY_FORGET_MS 60000
#define BUSY_NAP_US 2000

/* What leads to the next version, by the version that it starts from. */
static const char *const steps[SCHEMA_VERSION] = {SCHEMA_1, SCHEMA_2, SCHEMA_3};

enum csign_err
db_exec(sqlite3 *db, const char *sql)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? CSIGN_OK : CSIGN_E_SYSTEM;
}

/* A number that a statement gives; its only row. */
static enum csign_err
get_number(sqlite3 *db, const char *sql, int *ret_number)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r = CSIGN_E_SYSTEM;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		*ret_number = sqlite3_column_int(stmt, 0);
		r = CSIGN_OK;
	}
	sqlite3_finalize(stmt);
	return r;
}

enum csign_err
db_version(sqlite3 *db, int *ret_version)
{
	int n = 0;
	enum csign_err r;

	*ret_version = 0;
	r = get_number(
	    db, "SELECT count(*) FROM sqlite_master WHERE name = 'schema'", &n);
	if (r != CSIGN_OK || n == 0)
		return r;
	return get_number(db, "SELECT version FROM schema", ret_version);
}

enum csign_err
db_upgrade(sqlite3 *db, int version)
{
	enum csign_err r = CSIGN_OK;

	if (version < 0 || version > SCHEMA_VERSION)
		return CSIGN_E_STATE;
	while (r == CSIGN_OK && version < SCHEMA_VERSION)
		r = db_exec(db, steps[version++]);
	return r;
}

enum csign_err
db_lock(const char *path, int operation, struct csign_why *why, int *ret_fd)
{
	char name[DB_NAME_SIZE];
	int n, fd;

	n = snprintf(name, sizeof name, "%s.lock", path);
	if (n < 0 || (size_t)n >= sizeof name)
		return CSIGN_E_TOO_LONG;
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		csign_why_errno(why, errno, "%s", name);
		return CSIGN_E_FILE;
	}
	if (flock(fd, operation | LOCK_NB) == 0) {
		*ret_fd = fd;
		return CSIGN_OK;
	}
	csign_why_errno(why, errno, "%s", name);
	close(fd);
	return CSIGN_E_STATE;
}

/*
 * Somebody else writes, and we wait for that; but all calls together no longer
 * than BUSY_MS.  Who holds the lock for longer shall not hold up everybody
 * here: those who only read get their answer, the others hear at once that they
 * must come again.
 */
static int
on_busy(void *arg, int count)
{
	struct store *store = arg;
	uint64_t now = 0;

	(void)count;
	if (csign_clock_boot(&now) != CSIGN_OK)
		return 0;
	/* Met nobody for a while: this is another one. */
	if (store->busy_since == 0 || now - store->busy_last > BUSY_FORGET_MS)
		store->busy_since = now;
	store->busy_last = now;
	if (now - store->busy_since >= BUSY_MS)
		return 0;
	usleep(BUSY_NAP_US);
	return 1;
}

/* Tables, but not ours: it is not for us to put some beside them. */
static enum csign_err
check_ours(sqlite3 *db, const char *path, struct csign_why *why)
{
	enum csign_err r;
	int n = 0;

	r = get_number(db,
	    "SELECT count(*) FROM sqlite_master WHERE NOT EXISTS "
	    "(SELECT 1 FROM sqlite_master WHERE name = 'schema')",
	    &n);
	if (r != CSIGN_OK || n == 0)
		return r;
	csign_why_set(why, "%s: a database of another program", path);
	return CSIGN_E_STATE;
}

/*
 * All steps are one transaction: whoever looks finds the old tables or the
 * new ones.
 */
static enum csign_err
prepare_schema(struct store *store, const char *path, enum store_use use,
    struct csign_why *why)
{
	enum csign_err r;
	int version = 0;

	if ((r = db_exec(store->db, "BEGIN IMMEDIATE")) != CSIGN_OK ||
	    (r = db_version(store->db, &version)) != CSIGN_OK)
		return r;
	if (version > SCHEMA_VERSION) {
		csign_why_set(why,
		    "%s: made by a newer countersignd (schema %d, this one "
		    "knows %d)",
		    path, version, SCHEMA_VERSION);
		return CSIGN_E_STATE;
	}
	if (version > 0 && version < SCHEMA_VERSION && use != STORE_SERVE) {
		csign_why_set(why,
		    "%s: made by an older countersignd (schema %d); the "
		    "service brings it up to date when it starts, so restart "
		    "it first",
		    path, version);
		return CSIGN_E_STATE;
	}
	if ((r = db_upgrade(store->db, version)) != CSIGN_OK)
		return r;
	return db_exec(store->db, "COMMIT");
}

enum csign_err
store_open(const char *path, enum store_use use, struct csign_why *why,
    struct store **ret_store)
{
	enum csign_err r = CSIGN_E_NOMEM;
	struct store *store;

	if ((store = calloc(1, sizeof *store)) == NULL)
		return r;
	store->lock = -1;
	if ((r = db_lock(path, LOCK_SH, why, &store->lock)) != CSIGN_OK)
		goto out;
	r = CSIGN_E_SYSTEM;
	if (sqlite3_open_v2(path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    SQLITE_OPEN_EXRESCODE,
		NULL) != SQLITE_OK)
		goto out;
	sqlite3_busy_handler(store->db, on_busy, store);
	if ((r = check_ours(store->db, path, why)) != CSIGN_OK)
		goto out;
	/* Rows are short: small pages make less to write in each commit. */
	if ((r = db_exec(store->db,
		 "PRAGMA page_size = 2048; PRAGMA journal_mode = WAL;"
		 "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
		 "PRAGMA secure_delete = FAST; PRAGMA trusted_schema = OFF;"
		 "PRAGMA cache_size = -4096;")) != CSIGN_OK ||
	    (r = prepare_schema(store, path, use, why)) != CSIGN_OK ||
	    (r = db_prepare(store)) != CSIGN_OK ||
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
	if ((*store)->lock >= 0)
		close((*store)->lock);
	free(*store);
	*store = NULL;
}

enum csign_err
store_check(struct store *store, uint64_t now)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_run(store, ST_BEAT, "i", (int64_t)now)) != CSIGN_OK ||
	    (r = db_get(store, ST_BEAT_READ, &stmt, "")) != CSIGN_OK)
		return r;
	if (sqlite3_column_int64(stmt, 0) != (int64_t)now)
		r = CSIGN_E_SYSTEM;
	db_done(stmt);
	return r;
}

bool
store_changed_outside(struct store *store)
{
	sqlite3_stmt *stmt = NULL;
	int64_t version;

	if (db_get(store, ST_DATA_VERSION, &stmt, "") != CSIGN_OK)
		return false;
	version = sqlite3_column_int64(stmt, 0);
	db_done(stmt);
	if (version == store->data_version)
		return false;
	store->data_version = version;
	return true;
}
