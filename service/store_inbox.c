/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in the inboxes of phones, and whose they are. */
#include "config.h"

#include <string.h>

#include "store_db.h"

static void
read_entry(sqlite3_stmt *stmt, struct inbox_entry *entry)
{
	memset(entry, 0, sizeof *entry);
	entry->approval = sqlite3_column_int64(stmt, 0);
	entry->state = (enum approval_state)sqlite3_column_int(stmt, 1);
	entry->sequence = (uint32_t)sqlite3_column_int64(stmt, 2);
	entry->created = (uint64_t)sqlite3_column_int64(stmt, 3);
	entry->ends = (uint64_t)sqlite3_column_int64(stmt, 4);
	db_text(stmt, 5, entry->link_id, sizeof entry->link_id);
	db_text(stmt, 6, entry->device_id, sizeof entry->device_id);
	entry->sealed = (const char *)sqlite3_column_text(stmt, 7);
}

enum csign_err
store_inbox_each(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN], uint64_t now,
    void (*visit)(void *arg, const struct inbox_entry *entry), void *arg)
{
	struct inbox_entry entry;
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;
	int rc;

	if ((r = db_get(store, ST_INBOX, &stmt, "hii", cookie_hash,
		 (int64_t)now, (int64_t)CSIGN_INBOX_MAX)) != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	for (rc = SQLITE_ROW; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
		read_entry(stmt, &entry);
		visit(arg, &entry);
	}
	db_done(stmt);
	return rc == SQLITE_DONE ? CSIGN_OK : db_fail(store, rc);
}

enum csign_err
store_inbox_phones(struct store *store, int64_t approval,
    void (*visit)(void *arg, const unsigned char cookie_hash[STORE_HASH_LEN]),
    void *arg)
{
	unsigned char phones[CSIGN_DEVICES_MAX][STORE_HASH_LEN];
	sqlite3_stmt *stmt = NULL;
	size_t i, n = 0;
	enum csign_err r;
	int rc = SQLITE_ROW;

	if ((r = db_get(store, ST_INBOX_PHONES, &stmt, "ii", approval,
		 (int64_t)CSIGN_DEVICES_MAX)) != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	for (; rc == SQLITE_ROW && n < CSIGN_DEVICES_MAX; n++) {
		db_hash(stmt, 0, phones[n]);
		rc = sqlite3_step(stmt);
	}
	db_done(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return db_fail(store, rc);
	/* Only now: visit may use the store. */
	for (i = 0; i < n; i++)
		visit(arg, phones[i]);
	return CSIGN_OK;
}
