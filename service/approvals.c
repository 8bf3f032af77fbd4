/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <event2/event.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "approvals.h"
#include "clock.h"
#include "codec.h"
#include "log.h"
#include "secret.h"
#include "waiter.h"

#define BUCKETS 4096 /* of those who wait; a power of two */
#define BATCH 256    /* expired or removed in one turn of the loop */
#define REMOVE_AFTER_MS 30000U
#define RETRY_MS 1000U
/*
 * The host judges the lifetime by its own clock: an answer that came in time
 * may be granted a moment after the end, and the phone shall hear of it.
 */
#define GRACE_MS CSIGN_OUTCOME_TIMEOUT_MS

struct party {
	struct waiter waiter; /* first */
	struct approvals *approvals;
	/* Both: the database gives the id of a revoked host's newest again. */
	int64_t approval;
	char transaction_id[STORE_ID_SIZE];
	uint32_t after;
	approvals_teller *tell;
	void *arg;
};

struct approvals {
	struct event_base *base;
	struct store *store;
	struct inbox *inbox;
	const struct settings *settings;
	struct event *timer;
	uint64_t timer_at; /* ms since 1970; UINT64_MAX: not set */
	struct waiter_list parties[BUCKETS];
};

static uint64_t
now_ms(void)
{
	uint64_t ms = 0;

	if (csign_clock_wall(&ms) != CSIGN_OK)
		log_event(CSIGN_LOG_ERR, "clock_error");
	return ms;
}

/* --- those who wait ------------------------------------------------------- */

static bool
waits_for(const struct party *party, const struct approval *approval)
{
	return party->approval == approval->id &&
	       strcmp(party->transaction_id, approval->transaction_id) == 0;
}

static void
tell(struct party *party, const struct approval *approval)
{
	struct party p = *party;

	waiter_free(&party->waiter);
	p.tell(p.arg, p.waiter.conn, approval);
}

/* Tells one who waits how things are now. */
static void
tell_current(struct party *party)
{
	struct approval approval;
	enum csign_err r;

	r = store_approval_by_id(
	    party->approvals->store, party->approval, &approval);
	if (r == CSIGN_OK && !waits_for(party, &approval))
		r = CSIGN_E_NOT_FOUND;
	tell(party, r == CSIGN_OK ? &approval : NULL);
}

static void
on_waited(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell_current(arg);
}

static struct waiter_list *
bucket_of(struct approvals *approvals, int64_t id)
{
	return &approvals->parties[(uint64_t)id % BUCKETS];
}

static void
wake(struct approvals *approvals, const struct approval *approval)
{
	struct waiter *w, *next;

	for (w = LIST_FIRST(bucket_of(approvals, approval->id)); w != NULL;
	     w = next) {
		next = LIST_NEXT(w, next);
		if (waits_for((struct party *)w, approval))
			tell((struct party *)w, approval);
	}
	inbox_changed(approvals->inbox, approval->id);
}

/* Makes room: the one who has waited longest is told that nothing changed. */
static void
limit_parties(struct approvals *approvals, int64_t id)
{
	struct waiter *w = LIST_FIRST(bucket_of(approvals, id));
	struct party *oldest = NULL;
	unsigned n = 0;

	for (; w != NULL; w = LIST_NEXT(w, next))
		if (((struct party *)w)->approval == id) {
			n++;
			oldest = (struct party *)w; /* the newest is first */
		}
	if (n >= WAITERS_MAX)
		tell_current(oldest);
}

static enum csign_err
wait_for(struct approvals *approvals, const struct approval *approval,
    const struct approvals_poll *poll, struct http_conn *conn)
{
	struct party *party;

	limit_parties(approvals, approval->id);
	if ((party = calloc(1, sizeof *party)) == NULL)
		return CSIGN_E_NOMEM;
	party->approvals = approvals;
	party->approval = approval->id;
	memcpy(party->transaction_id, approval->transaction_id, STORE_ID_SIZE);
	party->after = poll->after;
	party->tell = poll->tell;
	party->arg = poll->arg;
	return waiter_begin(&party->waiter, bucket_of(approvals, approval->id),
	    approvals->base, poll->wait_s, on_waited, conn);
}

enum csign_err
approvals_tell(struct approvals *approvals, const struct approval *approval,
    const struct approvals_poll *poll, struct http_conn *conn)
{
	if (poll->wait_s > 0 && approval->sequence <= poll->after &&
	    STATE_IS_OPEN(approval->state))
		return wait_for(approvals, approval, poll, conn);
	poll->tell(poll->arg, conn, approval);
	return CSIGN_OK;
}

/* Is there something to tell that nobody here has seen? */
static bool
has_news(const struct party *party)
{
	struct approval approval;

	return store_approval_by_id(party->approvals->store, party->approval,
		   &approval) != CSIGN_OK ||
	       !waits_for(party, &approval) ||
	       approval.sequence > party->after ||
	       !STATE_IS_OPEN(approval.state);
}

static void
tell_each(struct approvals *approvals, bool (*wanted)(const struct party *))
{
	struct waiter *w, *next;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		for (w = LIST_FIRST(&approvals->parties[i]); w != NULL;
		     w = next) {
			next = LIST_NEXT(w, next);
			if (wanted == NULL || wanted((struct party *)w))
				tell_current((struct party *)w);
		}
}

void
approvals_changed_outside(struct approvals *approvals)
{
	tell_each(approvals, has_news);
}

void
approvals_tell_all(struct approvals *approvals)
{
	tell_each(approvals, NULL);
}

/* --- time ----------------------------------------------------------------- */

static void
set_timer(struct approvals *approvals, uint64_t at, uint64_t now)
{
	uint64_t in = at > now ? at - now : 0;
	struct timeval tv;

	if (in > 3600000) /* a wall clock that jumped back */
		in = 3600000;
	tv.tv_sec = (time_t)(in / 1000);
	tv.tv_usec = (suseconds_t)(in % 1000 * 1000);
	if (event_add(approvals->timer, &tv) == 0)
		approvals->timer_at = at;
}

/* After a change that may be due sooner than what the timer waits for. */
static void
timer_at_latest(struct approvals *approvals, uint64_t at, uint64_t now)
{
	if (at < approvals->timer_at)
		set_timer(approvals, at, now);
}

/*
 * When something has to happen next: an open one expires, a closed one is
 * removed.  An answered one gets its grace only when its time is over, which
 * is rare, so that an answer changes nothing that is indexed.
 */
static uint64_t
due_of(const struct approval *approval)
{
	uint64_t end = approval->ends;

	if (STATE_IS_OPEN(approval->state))
		return end;
	/* Whole seconds, so that many are removed in one go. */
	return (end + REMOVE_AFTER_MS) / 1000 * 1000 + 1000;
}

/* Is an open one over, seen from now? */
static bool
is_over(const struct approval *approval, uint64_t now)
{
	uint64_t end = approval->ends;

	if (approval->state == STATE_ANSWERED)
		end += GRACE_MS;
	return STATE_IS_OPEN(approval->state) && end <= now;
}

/* One change, written; change may be NULL. */
static enum csign_err
write_change(struct store *store, struct approval *approval,
    enum approval_state state, enum approval_event event,
    const struct change *change)
{
	static const struct change nothing = {NULL, NULL};
	struct approval next = *approval;
	enum csign_err r;

	next.state = state;
	next.event = event;
	next.sequence++;
	next.due = due_of(&next);
	r = store_approval_change(
	    store, &next, change != NULL ? change : &nothing, now_ms());
	if (r == CSIGN_OK)
		*approval = next;
	return r;
}

/* Written, told. */
static enum csign_err
change(struct approvals *approvals, struct approval *approval,
    enum approval_state state, enum approval_event event,
    const struct change *what)
{
	enum csign_err r;

	r = write_change(approvals->store, approval, state, event, what);
	if (r == CSIGN_OK)
		wake(approvals, approval);
	return r;
}

static enum csign_err
expire(struct approvals *approvals, struct approval *approval)
{
	enum csign_err r;

	r = change(approvals, approval, STATE_EXPIRED, EVENT_EXPIRED, NULL);
	if (r == CSIGN_OK)
		log_event(CSIGN_LOG_INFO, "approval_expired", "transaction",
		    approval->transaction_id);
	return r;
}

/* Expires it; an answered one may wait a little longer for its outcome. */
static enum csign_err
serve_open(struct approvals *approvals, struct approval *approval, uint64_t now)
{
	if (is_over(approval, now))
		return expire(approvals, approval);
	return store_approval_postpone(
	    approvals->store, approval->id, approval->ends + GRACE_MS);
}

/* Everything due now, at most a batch; *ret_n says how many. */
static enum csign_err
serve_due(struct approvals *approvals, uint64_t now, size_t *ret_n)
{
	struct approval approval;
	int64_t ids[BATCH];
	enum csign_err r;
	size_t i, n = 0, closed = 0;

	r = store_approval_due(approvals->store, now, ids, BATCH, &n);
	for (i = 0; i < n && r == CSIGN_OK; i++) {
		r = store_approval_by_id(approvals->store, ids[i], &approval);
		if (r == CSIGN_OK && STATE_IS_OPEN(approval.state))
			r = serve_open(approvals, &approval, now);
		else
			ids[closed++] = ids[i];
	}
	*ret_n = n;
	if (r != CSIGN_OK || closed == 0 ||
	    (r = store_begin(approvals->store)) != CSIGN_OK)
		return r;
	for (i = 0; i < closed && r == CSIGN_OK; i++)
		r = store_approval_remove(approvals->store, ids[i]);
	return store_end(approvals->store, r);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct approvals *approvals = arg;
	uint64_t now = now_ms(), due = 0;
	size_t n = 0;

	(void)fd;
	(void)what;
	approvals->timer_at = UINT64_MAX;
	if (serve_due(approvals, now, &n) != CSIGN_OK ||
	    store_approval_soonest(approvals->store, &due) != CSIGN_OK)
		/* Later again; who asks sees what is over all the same. */
		set_timer(approvals, now + RETRY_MS, now);
	else if (n == BATCH)
		set_timer(approvals, now, now);
	else if (due != UINT64_MAX)
		set_timer(approvals, due, now);
}

/* --- making and finding --------------------------------------------------- */

enum csign_err
approvals_new(struct event_base *base, struct store *store, struct inbox *inbox,
    const struct settings *settings, struct approvals **ret_approvals)
{
	struct approvals *approvals;

	if ((approvals = calloc(1, sizeof *approvals)) == NULL)
		return CSIGN_E_NOMEM;
	approvals->base = base;
	approvals->store = store;
	approvals->inbox = inbox;
	approvals->settings = settings;
	approvals->timer = event_new(base, -1, 0, on_timer, approvals);
	if (approvals->timer == NULL) {
		free(approvals);
		return CSIGN_E_NOMEM;
	}
	/* What became due while nobody ran. */
	on_timer(-1, 0, approvals);
	*ret_approvals = approvals;
	return CSIGN_OK;
}

void
approvals_free(struct approvals **approvals)
{
	size_t i;

	if (*approvals == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		waiter_free_all(&(*approvals)->parties[i]);
	event_free((*approvals)->timer);
	free(*approvals);
	*approvals = NULL;
}

static enum csign_err
hash_text(const char *text, unsigned char ret_hash[STORE_HASH_LEN])
{
	if (EVP_Digest(
		text, strlen(text), ret_hash, NULL, EVP_sha256(), NULL) != 1)
		return CSIGN_E_CRYPTO;
	return CSIGN_OK;
}

enum csign_err
approvals_create(struct approvals *approvals, struct question *question,
    uint32_t lifetime_s, struct creation *ret_creation,
    char ret_token[TOKEN_SIZE])
{
	unsigned char token_bytes[32], hash[STORE_HASH_LEN];
	char token[TOKEN_SIZE];
	uint64_t now = now_ms();
	enum csign_err r;

	question->created = now;
	question->ends = now + (uint64_t)lifetime_s * 1000;
	question->max_host = approvals->settings->max_pending_host;
	question->max_user = approvals->settings->max_pending_user;
	if ((r = csign_random(token_bytes, sizeof token_bytes)) != CSIGN_OK ||
	    (r = csign_b64u_encode(token_bytes, sizeof token_bytes, token,
		 sizeof token)) != CSIGN_OK ||
	    (r = hash_text(token, hash)) != CSIGN_OK ||
	    (r = store_approval_create(
		 approvals->store, question, hash, ret_creation)) != CSIGN_OK)
		goto out;
	timer_at_latest(approvals, question->ends, now);
	memcpy(ret_token, token, sizeof token);
	if (ret_creation->copies > 0)
		inbox_changed(approvals->inbox, ret_creation->id);
out:
	csign_wipe(token_bytes, sizeof token_bytes);
	csign_wipe(token, sizeof token);
	return r;
}

/* An approval that was found: the timer may be late, its end is not. */
static enum csign_err
fresh(struct approvals *approvals, struct approval *approval)
{
	if (is_over(approval, now_ms()))
		return expire(approvals, approval);
	return CSIGN_OK;
}

enum csign_err
approvals_by_id(
    struct approvals *approvals, int64_t id, struct approval *ret_approval)
{
	enum csign_err r;

	if ((r = store_approval_by_id(approvals->store, id, ret_approval)) !=
	    CSIGN_OK)
		return r;
	return fresh(approvals, ret_approval);
}

enum csign_err
approvals_by_token(struct approvals *approvals, const char *token,
    struct approval *ret_approval)
{
	unsigned char hash[STORE_HASH_LEN];
	enum csign_err r;

	if ((r = hash_text(token, hash)) != CSIGN_OK ||
	    (r = store_approval_by_token(
		 approvals->store, hash, ret_approval)) != CSIGN_OK)
		return r;
	return fresh(approvals, ret_approval);
}

enum csign_err
approvals_by_transaction(struct approvals *approvals, int64_t space,
    const char *transaction_id, struct approval *ret_approval)
{
	enum csign_err r;

	if ((r = store_approval_by_transaction(approvals->store, space,
		 transaction_id, ret_approval)) != CSIGN_OK)
		return r;
	return fresh(approvals, ret_approval);
}

enum csign_err
approvals_by_link(struct approvals *approvals, const char *link_id,
    struct approval *ret_approval)
{
	enum csign_err r;

	if ((r = store_approval_by_link(
		 approvals->store, link_id, ret_approval)) != CSIGN_OK)
		return r;
	return fresh(approvals, ret_approval);
}

/* --- changes -------------------------------------------------------------- */

static enum csign_err
check_open(const struct approval *approval)
{
	if (STATE_IS_OPEN(approval->state))
		return CSIGN_OK;
	return approval->state == STATE_EXPIRED ? CSIGN_E_EXPIRED
						: CSIGN_E_STATE;
}

enum csign_err
approvals_seen(struct approvals *approvals, struct approval *approval)
{
	enum csign_err r;

	if ((r = check_open(approval)) != CSIGN_OK)
		return r;
	if (approval->state != STATE_PENDING)
		return CSIGN_OK;
	return change(approvals, approval, STATE_SEEN, EVENT_SEEN, NULL);
}

enum csign_err
approvals_answer(
    struct approvals *approvals, struct approval *approval, const char *answer)
{
	const struct change what = {.answer = answer};
	enum csign_err r;

	if ((r = check_open(approval)) != CSIGN_OK)
		return r;
	if (approval->state == STATE_ANSWERED)
		return CSIGN_E_AGAIN;
	return change(
	    approvals, approval, STATE_ANSWERED, EVENT_ANSWERED, &what);
}

static enum approval_state
outcome_state(const struct outcome *outcome)
{
	if (outcome->event == EVENT_GRANTED)
		return STATE_GRANTED;
	if (outcome->event == EVENT_REJECTED && outcome->tries_left > 0)
		return STATE_PENDING;
	return STATE_DENIED;
}

/* The phone has sent another answer since the one that it is about. */
static bool
is_late(const struct approval *approval, const struct outcome *outcome)
{
	return outcome->sequence > 0 && STATE_IS_OPEN(approval->state) &&
	       outcome->sequence < approval->sequence;
}

enum csign_err
approvals_outcome(struct approvals *approvals, struct approval *approval,
    const struct outcome *outcome)
{
	const struct change what = {.device_id = outcome->device_id};
	enum approval_state state = outcome_state(outcome);
	size_t len = strlen(outcome->reason);
	enum csign_err r;

	/* A courier that did not hear our answer says it again. */
	if ((approval->state == state && approval->event == outcome->event) ||
	    is_late(approval, outcome))
		return CSIGN_OK;
	if ((r = check_open(approval)) != CSIGN_OK)
		return r;
	if (approval->state != STATE_ANSWERED || len > STORE_REASON_MAX ||
	    outcome->sequence > approval->sequence)
		return CSIGN_E_STATE;
	memcpy(approval->reason, outcome->reason, len + 1);
	approval->tries_left =
	    outcome->event == EVENT_REJECTED ? outcome->tries_left : -1;
	return change(approvals, approval, state, outcome->event, &what);
}

enum csign_err
approvals_cancel(struct approvals *approvals, struct approval *approval)
{
	if (!STATE_IS_OPEN(approval->state))
		return CSIGN_OK;
	return change(
	    approvals, approval, STATE_CANCELLED, EVENT_CANCELLED, NULL);
}

/* approvals NULL: nobody is told. */
static enum csign_err
cancel_each(struct approvals *approvals, struct store *store,
    const int64_t *ids, size_t n)
{
	struct approval approval;
	enum csign_err r = CSIGN_OK;
	size_t i;

	for (i = 0; i < n && r == CSIGN_OK; i++) {
		r = store_approval_by_id(store, ids[i], &approval);
		if (r == CSIGN_OK)
			r = write_change(store, &approval, STATE_CANCELLED,
			    EVENT_CANCELLED, NULL);
		if (r == CSIGN_OK && approvals != NULL)
			wake(approvals, &approval);
	}
	return r;
}

static enum csign_err
cancel_user(struct approvals *approvals, struct store *store, int64_t space,
    const char *username)
{
	int64_t ids[BATCH];
	size_t n = BATCH;
	enum csign_err r = CSIGN_OK;

	while (n == BATCH && r == CSIGN_OK) {
		r = store_approval_open_of(
		    store, space, username, ids, BATCH, &n);
		if (r == CSIGN_OK)
			r = cancel_each(approvals, store, ids, n);
	}
	return r;
}

enum csign_err
approvals_cancel_user(
    struct approvals *approvals, int64_t space, const char *username)
{
	return cancel_user(approvals, approvals->store, space, username);
}

enum csign_err
approvals_cancel_stored(
    struct store *store, int64_t space, const char *username)
{
	return cancel_user(NULL, store, space, username);
}

const char *
approvals_state_name(enum approval_state state)
{
	static const char *const names[] = {
	    [STATE_PENDING] = "pending",
	    [STATE_SEEN] = "seen",
	    [STATE_ANSWERED] = "answered",
	    [STATE_GRANTED] = "granted",
	    [STATE_DENIED] = "denied",
	    [STATE_EXPIRED] = "expired",
	    [STATE_CANCELLED] = "cancelled",
	};

	return names[state];
}
