/* SPDX-License-Identifier: BSD-2-Clause */
/* Where phones are rung, and how often they were. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store_db.h"

#define SHORT_MS (UINT64_C(600) * 1000)
#define LONG_MS (UINT64_C(86400) * 1000)

/* --- where ---------------------------------------------------------------- */

static void
read_subscription(sqlite3_stmt *stmt, struct subscription *s)
{
	memset(s, 0, sizeof *s);
	db_hash(stmt, 0, s->cookie_hash);
	s->created = (uint64_t)sqlite3_column_int64(stmt, 1);
	db_text(stmt, 2, s->endpoint, sizeof s->endpoint);
	db_text(stmt, 3, s->p256dh, sizeof s->p256dh);
	db_text(stmt, 4, s->auth, sizeof s->auth);
	db_text(stmt, 5, s->device_id, sizeof s->device_id);
}

/* Every row from this one on, at most max; gives the statement back. */
static enum csign_err
read_subscriptions(struct store *store, sqlite3_stmt *stmt,
    struct subscription *found, size_t max, size_t *ret_n)
{
	int rc = SQLITE_ROW;
	size_t n = 0;

	while (rc == SQLITE_ROW && n < max) {
		read_subscription(stmt, &found[n++]);
		rc = sqlite3_step(stmt);
	}
	db_done(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return db_fail(store, rc);
	*ret_n = n;
	return CSIGN_OK;
}

/* Phones that a statement finds, one after the other. */
static enum csign_err
visit_subscriptions(struct store *store, enum statement which, int64_t about,
    const char *device,
    void (*visit)(void *arg, const struct subscription *subscription),
    void *arg)
{
	struct subscription *found;
	sqlite3_stmt *stmt = NULL;
	size_t i, n = 0;
	enum csign_err r;

	if ((found = calloc(CSIGN_DEVICES_MAX, sizeof *found)) == NULL)
		return CSIGN_E_NOMEM;
	r = db_get(store, which, &stmt, "iti", about, device,
	    (int64_t)CSIGN_DEVICES_MAX);
	if (r == CSIGN_OK)
		r = read_subscriptions(
		    store, stmt, found, CSIGN_DEVICES_MAX, &n);
	else if (r == CSIGN_E_NOT_FOUND)
		r = CSIGN_OK;
	/* Only now: visit may use the store. */
	for (i = 0; i < n && r == CSIGN_OK; i++)
		visit(arg, &found[i]);
	free(found);
	return r;
}

enum csign_err
store_subscription_each(struct store *store, int64_t approval,
    void (*visit)(void *arg, const struct subscription *subscription),
    void *arg)
{
	return visit_subscriptions(
	    store, ST_SUBSCRIPTION_SOME, approval, NULL, visit, arg);
}

enum csign_err
store_subscription_others(struct store *store, int64_t space,
    const char *device_id,
    void (*visit)(void *arg, const struct subscription *subscription),
    void *arg)
{
	return visit_subscriptions(
	    store, ST_SUBSCRIPTION_OTHERS, space, device_id, visit, arg);
}

enum csign_err
store_subscription_put(
    struct store *store, const struct subscription *subscription)
{
	return db_run(store, ST_SUBSCRIPTION_PUT, "hittt",
	    subscription->cookie_hash, (int64_t)subscription->created,
	    subscription->endpoint, subscription->p256dh, subscription->auth);
}

enum csign_err
store_subscription_get(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN],
    struct subscription *ret_subscription)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	if ((r = db_get(store, ST_SUBSCRIPTION_GET, &stmt, "h", cookie_hash)) !=
	    CSIGN_OK)
		return r;
	read_subscription(stmt, ret_subscription);
	db_done(stmt);
	return CSIGN_OK;
}

enum csign_err
store_subscription_remove(
    struct store *store, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	return db_run(store, ST_SUBSCRIPTION_REMOVE, "h", cookie_hash);
}

enum csign_err
store_subscription_drop(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN], const char *endpoint)
{
	return db_run(store, ST_SUBSCRIPTION_DROP, "ht", cookie_hash, endpoint);
}

/* --- how often ------------------------------------------------------------ */

static int64_t
before(uint64_t now, uint64_t ms)
{
	return (int64_t)now - (int64_t)ms;
}

static enum csign_err
check_budget(struct store *store, const struct ring_turn *turn,
    const struct ring_budget *budget)
{
	sqlite3_stmt *stmt = NULL;
	enum csign_err r;

	/* One of a time to come counts: the clock was put back. */
	if ((r = db_get(store, ST_RING_COUNT, &stmt, "hii", turn->cookie_hash,
		 before(turn->now, SHORT_MS), before(turn->now, LONG_MS))) !=
	    CSIGN_OK)
		return r;
	if ((!turn->notice &&
		(sqlite3_column_int64(stmt, 0) >= budget->short_max ||
		    sqlite3_column_int64(stmt, 1) >= budget->long_max)) ||
	    sqlite3_column_int64(stmt, 2) >= budget->all_short_max ||
	    sqlite3_column_int64(stmt, 3) >= budget->all_long_max)
		r = CSIGN_E_LIMIT;
	db_done(stmt);
	return r;
}

enum csign_err
store_ring_take(struct store *store, const struct ring_turn *turn,
    const struct ring_budget *budget)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	r = check_budget(store, turn, budget);
	if (r == CSIGN_OK)
		r = db_run(store, ST_RING_PUT, "hitii", turn->cookie_hash,
		    turn->host, turn->username, (int64_t)turn->now,
		    (int64_t)turn->notice);
	return store_end(store, r);
}

enum csign_err
store_rings_forgive(struct store *store, int64_t host, const char *username)
{
	return db_run(store, ST_RING_FORGIVE, "it", host, username);
}

enum csign_err
store_rings_expire(struct store *store, uint64_t now)
{
	enum csign_err r;

	if ((r = store_begin(store)) != CSIGN_OK)
		return r;
	r = db_run(store, ST_RING_EXPIRE, "i", before(now, LONG_MS));
	/* Those of a clock that was put back age from now on. */
	if (r == CSIGN_OK)
		r = db_run(store, ST_RING_AHEAD, "i", (int64_t)now);
	if (r == CSIGN_OK)
		r = db_run(store, ST_SUBSCRIPTION_EXPIRE, "");
	return store_end(store, r);
}
