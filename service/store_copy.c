/* SPDX-License-Identifier: BSD-2-Clause */
/* A copy of the database, and a database from a copy. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "dir.h"
#include "store_db.h"

#define BUSY_MS 10000
#define CHUNK 4096
#define ASIDE_MAX 100 /* names to try */

/* Names beside the database. */
#define COPY_NAME ".backup"  /* while it is being made */
#define NEW_NAME ".restore"  /* the same */
#define ASIDE_NAME ".before" /* what a restored one has replaced */

static enum csign_err
name_beside(const char *path, const char *rest, char out[DB_NAME_SIZE])
{
	int n = snprintf(out, DB_NAME_SIZE, "%s%s", path, rest);

	return n > 0 && n < DB_NAME_SIZE ? CSIGN_OK : CSIGN_E_TOO_LONG;
}

/* What SQLite may have put beside a database. */
static void
remove_beside(const char *path)
{
	static const char *const rest[] = {"-wal", "-shm", "-journal"};
	char name[DB_NAME_SIZE];
	size_t i;

	for (i = 0; i < sizeof rest / sizeof rest[0]; i++)
		if (name_beside(path, rest[i], name) == CSIGN_OK)
			(void)unlink(name);
}

static void
remove_database(const char *path)
{
	remove_beside(path);
	(void)unlink(path);
}

static enum csign_err
write_all(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return CSIGN_E_FILE;
		bytes += n;
		len -= (size_t)n;
	}
	return CSIGN_OK;
}

static enum csign_err
copy_bytes(int from, int to)
{
	char bytes[CHUNK];
	ssize_t n;
	enum csign_err r = CSIGN_OK;

	while (r == CSIGN_OK && (n = read(from, bytes, sizeof bytes)) != 0)
		if (n > 0)
			r = write_all(to, bytes, (size_t)n);
		else if (errno != EINTR)
			r = CSIGN_E_FILE;
	return r;
}

static enum csign_err
open_db(const char *path, int flags, struct csign_why *why, sqlite3 **ret_db)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db,
		flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK) {
		csign_why_set(why, "%s: %s", path, sqlite3_errmsg(db));
		sqlite3_close(db);
		return CSIGN_E_SYSTEM;
	}
	sqlite3_busy_timeout(db, BUSY_MS);
	/* It may come from anywhere: nothing in it is run. */
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	*ret_db = db;
	return CSIGN_OK;
}

/* Is the first column of the first row this text?  Or is there no row? */
static bool
says(sqlite3 *db, const char *sql, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	const unsigned char *value;
	bool same = false;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_DONE) {
			same = text == NULL;
		} else if (rc == SQLITE_ROW && text != NULL) {
			value = sqlite3_column_text(stmt, 0);
			same = value != NULL &&
			       strcmp((const char *)value, text) == 0;
		}
	}
	sqlite3_finalize(stmt);
	return same;
}

static enum csign_err
check_integrity(sqlite3 *db, const char *name, struct csign_why *why)
{
	if (says(db, "PRAGMA integrity_check(1)", "ok") &&
	    says(db, "PRAGMA foreign_key_check", NULL))
		return CSIGN_OK;
	csign_why_set(why, "%s: this database is damaged", name);
	return CSIGN_E_FORMAT;
}

/* Questions live for minutes, and what is done is in the log. */
#define FORGET                                                                 \
	"PRAGMA foreign_keys = ON;"                                            \
	"DELETE FROM approvals; UPDATE hosts SET open = 0;"

/* --- making a copy -------------------------------------------------------- */

static enum csign_err
copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *backup;
	int rc;

	if ((backup = sqlite3_backup_init(to, "main", from, "main")) == NULL)
		return CSIGN_E_SYSTEM;
	/* All in one step is one moment; writers go on beside it. */
	do
		rc = sqlite3_backup_step(backup, -1);
	while (rc == SQLITE_OK);
	return sqlite3_backup_finish(backup) == SQLITE_OK && rc == SQLITE_DONE
		   ? CSIGN_OK
		   : CSIGN_E_SYSTEM;
}

static enum csign_err
make_copy(const char *path, const char *copy, struct csign_why *why)
{
	sqlite3 *from = NULL, *to = NULL;
	enum csign_err r;
	int version = 0;

	if ((r = open_db(path, 0, why, &from)) != CSIGN_OK ||
	    (r = open_db(copy, 0, why, &to)) != CSIGN_OK)
		goto out;
	if ((r = copy_pages(from, to)) != CSIGN_OK ||
	    (r = db_version(to, &version)) != CSIGN_OK) {
		csign_why_set(why, "%s: %s", path, sqlite3_errmsg(to));
		goto out;
	}
	if (version < 1 || version > SCHEMA_VERSION) {
		csign_why_set(
		    why, "%s: not a database of this countersignd", path);
		r = CSIGN_E_STATE;
		goto out;
	}
	if ((r = check_integrity(to, path, why)) != CSIGN_OK)
		goto out;
	/* One file, which can be read where nothing can be written. */
	if ((r = db_exec(to, FORGET)) != CSIGN_OK ||
	    (version > 1 &&
		(r = db_exec(to, "DELETE FROM commands")) != CSIGN_OK) ||
	    (version > 2 &&
		(r = db_exec(to, "DELETE FROM rings")) != CSIGN_OK) ||
	    (r = db_exec(to, "PRAGMA journal_mode = DELETE; VACUUM")) !=
		CSIGN_OK)
		csign_why_set(why, "%s: %s", copy, sqlite3_errmsg(to));
out:
	sqlite3_close(from);
	sqlite3_close(to);
	return r;
}

/* The file that a copy is made in: empty, and ours as long as it is open. */
static enum csign_err
take_name(const char *copy, struct csign_why *why, int *ret_fd)
{
	int fd;

	fd = open(copy, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    ftruncate(fd, 0) == 0) {
		remove_beside(copy); /* what an earlier one left */
		*ret_fd = fd;
		return CSIGN_OK;
	}
	if (fd >= 0 && errno == EWOULDBLOCK)
		csign_why_set(why, "another backup is being made");
	else
		csign_why_errno(why, errno, "%s", copy);
	csign_close(&fd);
	return CSIGN_E_STATE;
}

enum csign_err
store_backup(const char *path, int fd, struct csign_why *why)
{
	char copy[DB_NAME_SIZE];
	int lock = -1, taken = -1, from = -1;
	enum csign_err r;

	if ((r = name_beside(path, COPY_NAME, copy)) != CSIGN_OK ||
	    (r = db_lock(path, LOCK_SH, why, &lock)) != CSIGN_OK ||
	    (r = take_name(copy, why, &taken)) != CSIGN_OK)
		goto out;
	if ((r = make_copy(path, copy, why)) != CSIGN_OK)
		goto out;
	if ((from = open(copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0 ||
	    (r = copy_bytes(from, fd)) != CSIGN_OK) {
		csign_why_errno(why, errno, "the copy");
		r = CSIGN_E_FILE;
	}
out:
	if (taken >= 0)
		remove_database(copy);
	csign_close(&from);
	csign_close(&taken);
	csign_close(&lock);
	return r;
}

/* --- from a copy ---------------------------------------------------------- */

/* The statements that made all there is, as one text that can be compared. */
#define TABLES                                                                 \
	"SELECT group_concat(type || name || coalesce(sql, ''), ';') FROM"     \
	" (SELECT * FROM sqlite_master WHERE name NOT GLOB 'sqlite_*'"         \
	" ORDER BY type, name)"

/* Has it our tables, and nothing else that could be more than data? */
static enum csign_err
check_tables(sqlite3 *db)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *own = NULL;
	enum csign_err r = CSIGN_E_SYSTEM;

	if (sqlite3_open_v2(":memory:", &own,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
		NULL) == SQLITE_OK &&
	    db_upgrade(own, 0) == CSIGN_OK &&
	    sqlite3_prepare_v2(own, TABLES, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		r = says(db, TABLES, (const char *)sqlite3_column_text(stmt, 0))
			? CSIGN_OK
			: CSIGN_E_FORMAT;
	sqlite3_finalize(stmt);
	sqlite3_close(own);
	return r;
}

static enum csign_err
bring_up_to_date(sqlite3 *db, struct csign_why *why)
{
	enum csign_err r;
	int version = 0;

	if (db_version(db, &version) != CSIGN_OK || version == 0) {
		csign_why_set(why, "this is no backup of countersignd");
		return CSIGN_E_FORMAT;
	}
	if (version > SCHEMA_VERSION) {
		csign_why_set(why,
		    "the backup was made by a newer countersignd (schema %d, "
		    "this one knows %d)",
		    version, SCHEMA_VERSION);
		return CSIGN_E_FORMAT;
	}
	if ((r = db_exec(db, "BEGIN IMMEDIATE")) == CSIGN_OK &&
	    (r = db_upgrade(db, version)) == CSIGN_OK &&
	    (r = check_tables(db)) == CSIGN_OK &&
	    (r = db_exec(db, FORGET)) == CSIGN_OK)
		r = db_exec(db, "COMMIT");
	if (r != CSIGN_OK)
		csign_why_set(why, "this is no backup of countersignd");
	return r;
}

/* Hosts whose key the database until now does not know (any more). */
static void
visit_revived(sqlite3 *db, const char *path, void (*visit)(const char *host))
{
	sqlite3_stmt *stmt = NULL;
	struct stat st;

	if (lstat(path, &st) != 0) /* it would be made */
		return;
	if (sqlite3_prepare_v2(db, "ATTACH ?1 AS before", -1, &stmt, NULL) ==
		SQLITE_OK &&
	    sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC) == SQLITE_OK)
		(void)sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	stmt = NULL;
	if (sqlite3_prepare_v2(db,
		"SELECT name FROM main.hosts h WHERE NOT EXISTS (SELECT 1"
		" FROM before.hosts b WHERE b.key_hash = h.key_hash)"
		" ORDER BY name",
		-1, &stmt, NULL) == SQLITE_OK)
		while (sqlite3_step(stmt) == SQLITE_ROW)
			visit((const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
}

/* A copy that was put at name is what we take it for, and ready for use. */
static enum csign_err
check_copy(const char *name, const char *path, void (*visit)(const char *host),
    struct csign_why *why)
{
	sqlite3 *db = NULL;
	enum csign_err r;

	if ((r = open_db(name, 0, why, &db)) != CSIGN_OK)
		return r;
	/* Not a row is read before it is known to be sound. */
	if ((r = check_integrity(db, "the backup", why)) == CSIGN_OK &&
	    (r = bring_up_to_date(db, why)) == CSIGN_OK &&
	    (r = db_exec(db, "PRAGMA journal_mode = DELETE")) == CSIGN_OK)
		visit_revived(db, path, visit);
	sqlite3_close(db);
	return r;
}

static enum csign_err
take_copy(const char *name, int fd, struct csign_why *why)
{
	int to;
	enum csign_err r;

	remove_database(name); /* what an earlier one left */
	to = open(
	    name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0) {
		csign_why_errno(why, errno, "%s", name);
		return CSIGN_E_FILE;
	}
	if ((r = copy_bytes(fd, to)) != CSIGN_OK)
		csign_why_errno(why, errno, "%s", name);
	close(to);
	return r;
}

static enum csign_err
sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	int rc;

	if (fd < 0)
		return CSIGN_E_FILE;
	rc = fsync(fd);
	close(fd);
	return rc == 0 ? CSIGN_OK : CSIGN_E_FILE;
}

static enum csign_err
sync_folder(const char *path)
{
	char folder[DB_NAME_SIZE];
	enum csign_err r;
	char *slash;

	if ((r = name_beside(path, "", folder)) != CSIGN_OK)
		return r;
	if ((slash = strrchr(folder, '/')) == NULL)
		return CSIGN_E_INVALID;
	slash[slash == folder ? 1 : 0] = '\0';
	return sync_path(folder, O_DIRECTORY);
}

/*
 * What the write-ahead log of a process that was killed has is moved into the
 * database: a log must not stay beside another database than its own.  If that
 * cannot be done, it is kept beside the one that is put aside.
 */
static void
settle_log(const char *path, const char *aside)
{
	struct csign_why why;
	char log[DB_NAME_SIZE], kept[DB_NAME_SIZE];
	sqlite3 *db = NULL;

	if (open_db(path, 0, &why, &db) == CSIGN_OK) {
		(void)sqlite3_wal_checkpoint_v2(
		    db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		sqlite3_close(db);
	}
	if (name_beside(path, "-wal", log) == CSIGN_OK &&
	    name_beside(aside, "-wal", kept) == CSIGN_OK)
		(void)rename(log, kept);
	remove_beside(path);
}

static enum csign_err
name_aside(
    const char *path, uint64_t now, unsigned count, char *out, size_t out_size)
{
	char time[CSIGN_TIME_SIZE], more[12] = "";
	enum csign_err r;
	int n;

	if ((r = csign_time_format(now / 1000, time)) != CSIGN_OK)
		return r;
	if (count > 0)
		(void)snprintf(more, sizeof more, "-%u", count);
	n = snprintf(out, out_size, "%s" ASIDE_NAME "-%s%s", path, time, more);
	return n > 0 && (size_t)n < out_size ? CSIGN_OK : CSIGN_E_TOO_LONG;
}

/* A second name for the old database, which no other has. */
static enum csign_err
put_aside(const char *path, uint64_t now, struct csign_why *why, char *out,
    size_t out_size)
{
	unsigned count;
	enum csign_err r;

	for (count = 0; count < ASIDE_MAX; count++) {
		if ((r = name_aside(path, now, count, out, out_size)) !=
		    CSIGN_OK)
			return r;
		if (link(path, out) == 0)
			return CSIGN_OK;
		if (errno != EEXIST)
			break;
	}
	csign_why_errno(why, errno, "%s", out);
	return CSIGN_E_FILE;
}

/* One rename(2): at every moment, one of the two is there. */
static enum csign_err
swap(const char *path, const char *name, struct csign_why *why)
{
	enum csign_err r;

	if ((r = sync_path(name, 0)) != CSIGN_OK) {
		csign_why_errno(why, errno, "%s", name);
		return r;
	}
	if (rename(name, path) != 0) {
		csign_why_errno(why, errno, "%s", path);
		return CSIGN_E_FILE;
	}
	return sync_folder(path);
}

/* Both databases where they belong; name is the new one. */
static enum csign_err
put_in_place(const char *path, const char *name, uint64_t now,
    struct csign_why *why, char *aside, size_t aside_size)
{
	struct stat st;
	enum csign_err r;

	if (lstat(path, &st) == 0) {
		if ((r = put_aside(path, now, why, aside, aside_size)) !=
		    CSIGN_OK)
			return r;
		settle_log(path, aside);
	}
	r = swap(path, name, why);
	if (r != CSIGN_OK && aside[0] != '\0')
		(void)unlink(aside); /* it is where it was */
	return r;
}

enum csign_err
store_restore(const char *path, int fd, uint64_t now,
    void (*visit)(const char *host), struct csign_why *why, char *ret_aside,
    size_t aside_size)
{
	char name[DB_NAME_SIZE];
	int lock = -1;
	enum csign_err r;

	if ((r = name_beside(path, NEW_NAME, name)) != CSIGN_OK)
		return r;
	ret_aside[0] = '\0';
	if ((r = db_lock(path, LOCK_EX, why, &lock)) != CSIGN_OK) {
		if (r == CSIGN_E_STATE)
			csign_why_set(
			    why, "%s is in use: stop the service first", path);
		return r;
	}
	if ((r = take_copy(name, fd, why)) == CSIGN_OK &&
	    (r = check_copy(name, path, visit, why)) == CSIGN_OK)
		r = put_in_place(path, name, now, why, ret_aside, aside_size);
	remove_database(name);
	csign_close(&lock);
	return r;
}
