/* SPDX-License-Identifier: BSD-2-Clause */
/* What phones say of themselves: a new device, a device that is to go. */
#include "config.h"

#include <string.h>

#include "store_db.h"

/*
 * Is there room at this enrolment for one more phone that names itself?
 * enrolled: the host said that this device is the one.
 */
static enum csign_err
check_room(struct store *store, const struct approval *approval,
    const struct claim *claim, bool enrolled)
{
	sqlite3_stmt *stmt = NULL;
	bool known, same;
	int64_t n;
	enum csign_err r;

	if ((r = db_get(store, ST_CLAIM_COUNT, &stmt, "ith", approval->id,
		 claim->device_id, claim->cookie_hash)) != CSIGN_OK)
		return r;
	n = sqlite3_column_int64(stmt, 0);
	known = sqlite3_column_int64(stmt, 1) > 0;
	same = sqlite3_column_int64(stmt, 2) > 0;
	db_done(stmt);
	/* Who comes after the answer is not the one who gave it. */
	if (known && !same && approval->state >= STATE_ANSWERED)
		return CSIGN_E_EXISTS;
	if (known || n == 0 || enrolled)
		return CSIGN_OK;
	if (approval->state >= STATE_ANSWERED || n >= STORE_CLAIMS_MAX)
		return CSIGN_E_EXISTS;
	return CSIGN_OK;
}

/* The user of an enrolment, and the device that the host enrolled or "". */
static enum csign_err
get_enrolled(struct store *store, int64_t approval, int64_t *ret_user,
    char ret_device[CSIGN_DEVICE_ID_SIZE])
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_get(store, ST_CLAIM_FOR, &stmt, "i", approval)) != CSIGN_OK)
		return r;
	*ret_user = sqlite3_column_int64(stmt, 0);
	db_text(stmt, 1, ret_device, CSIGN_DEVICE_ID_SIZE);
	db_done(stmt);
	return CSIGN_OK;
}

/* May this device be claimed for the approval's user? */
static enum csign_err
check_claim(struct store *store, const struct approval *approval,
    const struct claim *claim)
{
	char enrolled[CSIGN_DEVICE_ID_SIZE] = "";
	sqlite3_stmt *stmt = NULL;
	int64_t user = 0;
	enum csign_err r;

	if ((r = get_enrolled(store, approval->id, &user, enrolled)) !=
	    CSIGN_OK)
		return r;
	/* The host knows which it enrolled, whoever was here before. */
	if (enrolled[0] != '\0' && strcmp(enrolled, claim->device_id) != 0)
		return CSIGN_E_EXISTS;
	if ((r = check_room(store, approval, claim, enrolled[0] != '\0')) !=
	    CSIGN_OK)
		return r;
	r = db_get(store, ST_AUTH_OWNER, &stmt, "it", approval->space,
	    claim->device_id);
	if (r != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	/* Another user's, or one that is to go and does not come back. */
	if (sqlite3_column_int64(stmt, 0) != user ||
	    sqlite3_column_int(stmt, 1) != 0)
		r = CSIGN_E_EXISTS;
	db_done(stmt);
	return r;
}

enum csign_err
store_claim_put(struct store *store, const struct approval *approval,
    const struct claim *claim, uint64_t now)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	if ((r = check_claim(store, approval, claim)) == CSIGN_OK &&
	    (r = db_run(store, ST_CLAIM_PUT, "itth", approval->id,
		 claim->device_id, claim->name, claim->cookie_hash)) ==
		CSIGN_OK &&
	    approval->state == STATE_GRANTED)
		r = db_run(store, ST_AUTH_FROM_CLAIM, "iii", approval->id,
		    (int64_t)now, (int64_t)STORE_AUTHENTICATORS_MAX);
	return store_end(store, r);
}

enum csign_err
store_claim_of_cookie(struct store *store, int64_t approval,
    const unsigned char cookie_hash[STORE_HASH_LEN])
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	r = db_get(store, ST_CLAIM_OF, &stmt, "ih", approval, cookie_hash);
	if (r == CSIGN_OK)
		db_done(stmt);
	return r;
}

/* --- devices that are to go ----------------------------------------------- */

enum csign_err
store_removal_put(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN], const char *device_id,
    const char *proof, uint64_t now)
{
	return db_changed(
	    store, db_run(store, ST_REMOVAL_PUT, "htit", cookie_hash, device_id,
		       (int64_t)now, proof));
}

/* When a note that is forgotten at now was left, at the latest. */
static int64_t
forgotten(uint64_t now)
{
	return (int64_t)now - (int64_t)STORE_REMOVAL_KEPT_MS;
}

enum csign_err
store_removal_each(struct store *store, int64_t space, const char *username,
    uint64_t now,
    void (*visit)(void *arg, const char *device_id, const char *proof),
    void *arg)
{
	char device_id[CSIGN_DEVICE_ID_SIZE];
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;
	int rc;

	if ((r = db_get(store, ST_REMOVAL_SOME, &stmt, "itii", space, username,
		 forgotten(now), (int64_t)CSIGN_REMOVALS_MAX)) != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	for (rc = SQLITE_ROW; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
		db_text(stmt, 0, device_id, sizeof device_id);
		visit(
		    arg, device_id, (const char *)sqlite3_column_text(stmt, 1));
	}
	db_done(stmt);
	return rc == SQLITE_DONE ? CSIGN_OK : db_fail(store, rc);
}

enum csign_err
store_removals_expire(struct store *store, uint64_t now)
{
	return db_run(store, ST_REMOVAL_EXPIRE, "i", forgotten(now));
}
