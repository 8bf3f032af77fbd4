/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions, from their creation to their removal. */
#include "config.h"

#include <string.h>

#include "codec.h"
#include "store_db.h"

/* Is there room for one more?  Takes it at the host. */
static enum csign_err
take_room(struct store *store, const struct question *q)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;
	int64_t n;

	r = db_changed(store, db_run(store, ST_HOST_ROOM, "ii", q->host->id,
				  (int64_t)q->max_host));
	if (r == CSIGN_E_NOT_FOUND)
		return CSIGN_E_LIMIT;
	if (r != CSIGN_OK || q->username == NULL)
		return r;
	if ((r = db_get(store, ST_USER_ROOM, &stmt, "iti", q->host->id,
		 q->username, (int64_t)q->max_user)) != CSIGN_OK)
		return r;
	n = sqlite3_column_int64(stmt, 0);
	db_done(stmt);
	return n < (int64_t)q->max_user ? CSIGN_OK : CSIGN_E_LIMIT;
}

static enum csign_err
transaction_id_of(const unsigned char token_hash[STORE_HASH_LEN],
    char transaction_id[STORE_ID_SIZE])
{
	return csign_b64u_encode(token_hash, 16, transaction_id, STORE_ID_SIZE);
}

/* Those for devices of the user; *ret_n says how many. */
static enum csign_err
insert_copies(
    struct store *store, const struct question *q, int64_t id, uint32_t *ret_n)
{
	enum csign_err r = CSIGN_OK;
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < q->n_copies && r == CSIGN_OK; i++) {
		r = db_changed(
		    store, db_run(store, ST_COPY_PUT, "iittt", id,
			       q->host->space, q->copies[i].device_id,
			       q->username, q->copies[i].sealed));
		if (r == CSIGN_OK)
			n++;
		else if (r == CSIGN_E_NOT_FOUND)
			r = CSIGN_OK;
	}
	*ret_n = n;
	return r;
}

static enum csign_err
insert_approval(struct store *store, const struct question *q,
    const unsigned char token_hash[STORE_HASH_LEN], struct creation *creation)
{
	enum csign_err r;

	if ((r = take_room(store, q)) != CSIGN_OK ||
	    (r = db_run(store, ST_CREATE, "iiiiittthi", q->host->space,
		 q->host->id, (int64_t)q->kind, (int64_t)q->ends,
		 q->user != NULL ? q->user->id : INT64_C(0), q->username,
		 creation->transaction_id, q->link_id, token_hash,
		 (int64_t)q->created)) != CSIGN_OK)
		return r;
	creation->id = sqlite3_last_insert_rowid(store->db);
	if ((r = db_run(store, ST_SEALED_PUT, "it", creation->id,
		 q->content)) != CSIGN_OK)
		return r;
	return insert_copies(store, q, creation->id, &creation->copies);
}

enum csign_err
store_approval_create(struct store *store, const struct question *question,
    const unsigned char token_hash[STORE_HASH_LEN],
    struct creation *ret_creation)
{
	struct creation creation = {.id = 0};
	enum csign_err r;

	if ((r = transaction_id_of(token_hash, creation.transaction_id)) !=
		CSIGN_OK ||
	    (r = store_begin(store)) != CSIGN_OK)
		return r;
	r = insert_approval(store, question, token_hash, &creation);
	if ((r = store_end(store, r)) == CSIGN_OK)
		*ret_creation = creation;
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
	db_text(stmt, 10, ret->transaction_id, STORE_ID_SIZE);
	db_text(stmt, 11, ret->reason, sizeof ret->reason);
	db_text(stmt, 12, ret->username, sizeof ret->username);
	db_done(stmt);
}

enum csign_err
store_approval_by_id(
    struct store *store, int64_t id, struct approval *ret_approval)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_get(store, ST_BY_ID, &stmt, "i", id)) == CSIGN_OK)
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
	if ((r = db_get(store, ST_BY_TOKEN, &stmt, "th", transaction_id,
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

	if ((r = db_get(store, ST_BY_TRANSACTION, &stmt, "it", space,
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

	if ((r = db_get(store, ST_BY_LINK, &stmt, "t", link_id)) == CSIGN_OK)
		take_approval(stmt, ret_approval);
	return r;
}

static enum csign_err
get_sealed(struct store *store, enum statement which, int64_t id,
    struct csign_buf *out)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_get(store, which, &stmt, "i", id)) != CSIGN_OK)
		return r;
	r = csign_buf_put(out, sqlite3_column_text(stmt, 0),
	    (size_t)sqlite3_column_bytes(stmt, 0));
	db_done(stmt);
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
    const struct change *change, uint64_t now)
{
	enum csign_err r;

	if (change->answer != NULL)
		return db_run(
		    store, ST_ANSWER_PUT, "it", next->id, change->answer);
	if (STATE_IS_OPEN(next->state))
		return CSIGN_OK;
	if ((r = db_run(store, ST_SEALED_DROP, "i", next->id)) != CSIGN_OK ||
	    (r = db_run(store, ST_COPY_WIPE, "i", next->id)) != CSIGN_OK ||
	    (r = db_run(store, ST_HOST_CLOSE, "i", next->host)) != CSIGN_OK)
		return r;
	if (next->kind != KIND_ENROLMENT || next->state != STATE_GRANTED)
		return CSIGN_OK;
	if (change->device_id != NULL)
		r = db_run(
		    store, ST_DEVICE_SET, "it", next->id, change->device_id);
	if (r == CSIGN_OK)
		r = db_run(store, ST_AUTH_FROM_CLAIM, "iii", next->id,
		    (int64_t)now, (int64_t)STORE_AUTHENTICATORS_MAX);
	return r;
}

enum csign_err
store_approval_change(struct store *store, const struct approval *next,
    const struct change *change, uint64_t now)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	r = db_changed(
	    store, db_run(store, ST_CHANGE, "iiiiiit", next->id,
		       (int64_t)next->sequence, (int64_t)next->state,
		       (int64_t)next->event, (int64_t)next->tries_left,
		       (int64_t)next->due, next->reason));
	if (r == CSIGN_E_NOT_FOUND)
		r = CSIGN_E_AGAIN;
	if (r == CSIGN_OK)
		r = change_beside(store, next, change, now);
	return store_end(store, r);
}

enum csign_err
store_approval_open_of(struct store *store, int64_t space, const char *username,
    int64_t *ids, size_t max, size_t *ret_n)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	*ret_n = 0;
	r = db_get(
	    store, ST_OPEN_OF, &stmt, "iti", space, username, (int64_t)max);
	if (r != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	return db_ids(store, stmt, ids, max, ret_n);
}

enum csign_err
store_approval_due(
    struct store *store, uint64_t now, int64_t *ids, size_t max, size_t *ret_n)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	*ret_n = 0;
	r = db_get(store, ST_DUE, &stmt, "ii", (int64_t)now, (int64_t)max);
	if (r != CSIGN_OK)
		return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	return db_ids(store, stmt, ids, max, ret_n);
}

enum csign_err
store_approval_postpone(struct store *store, int64_t id, uint64_t due)
{
	return db_run(store, ST_POSTPONE, "ii", id, (int64_t)due);
}

enum csign_err
store_approval_remove(struct store *store, int64_t id)
{
	return db_run(store, ST_REMOVE, "i", id);
}

enum csign_err
store_approval_soonest(struct store *store, uint64_t *ret_due)
{
	sqlite3_stmt *stmt = NULL;
	uint64_t due = UINT64_MAX;
	enum csign_err r;

	r = db_get(store, ST_NEXT_DUE, &stmt, "");
	if (r == CSIGN_OK) {
		due = (uint64_t)sqlite3_column_int64(stmt, 0);
		db_done(stmt);
	} else if (r != CSIGN_E_NOT_FOUND) {
		return r;
	}
	*ret_due = due;
	return CSIGN_OK;
}
