/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of an approval, countersign-protocol(7), section STATES: every
 * change is written first, then those who wait are told, in this order and in
 * the same turn of the loop.
 */
#ifndef SERVICE_APPROVALS_H
#define SERVICE_APPROVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "countersign.h"
#include "http.h"
#include "inbox.h"
#include "settings.h"
#include "store.h"

#define TOKEN_SIZE 44 /* 32 random bytes in b64u, and NUL */

struct approvals;

/* What inbox is told of is what its phones have copies of. */
CSIGN_WUR enum csign_err approvals_new(struct event_base *base,
    struct store *store, struct inbox *inbox, const struct settings *settings,
    struct approvals **ret_approvals);
/* Forgets who waits. */
void approvals_free(struct approvals **approvals);

/*
 * Completes and stores the question (created, ends, max_host and max_user are
 * set here).  CSIGN_E_LIMIT, CSIGN_E_EXISTS as store_approval_create().
 */
CSIGN_WUR enum csign_err approvals_create(struct approvals *approvals,
    struct question *question, uint32_t lifetime_s,
    struct creation *ret_creation, char ret_token[TOKEN_SIZE]);
/* One that was just made, and its like. */
CSIGN_WUR enum csign_err approvals_by_id(
    struct approvals *approvals, int64_t id, struct approval *ret_approval);

/* One that exists, expired if its time is over. */
CSIGN_WUR enum csign_err approvals_by_token(struct approvals *approvals,
    const char *token, struct approval *ret_approval);
CSIGN_WUR enum csign_err approvals_by_transaction(struct approvals *approvals,
    int64_t space, const char *transaction_id, struct approval *ret_approval);
CSIGN_WUR enum csign_err approvals_by_link(struct approvals *approvals,
    const char *link_id, struct approval *ret_approval);

/*
 * Changes; each leaves the new state in *approval.  CSIGN_E_AGAIN: an answer
 * is being looked at; CSIGN_E_EXPIRED, CSIGN_E_STATE: it is closed, or not in
 * a state where this can happen.
 */
CSIGN_WUR enum csign_err approvals_seen(
    struct approvals *approvals, struct approval *approval);
CSIGN_WUR enum csign_err approvals_answer(
    struct approvals *approvals, struct approval *approval, const char *answer);
/*
 * What a host made of an answer.  About an older answer than the newest one it
 * changes nothing: it was said again because nobody heard our reply.
 */
struct outcome {
	enum approval_event event; /* granted, denied or rejected */
	const char *reason;
	const char *device_id; /* that was enrolled, or gave the grant */
	int32_t tries_left;    /* of rejected */
	uint32_t sequence;     /* of the answer; 0: the host does not say */
};
CSIGN_WUR enum csign_err approvals_outcome(struct approvals *approvals,
    struct approval *approval, const struct outcome *outcome);
CSIGN_WUR enum csign_err approvals_cancel(
    struct approvals *approvals, struct approval *approval);
/* Every open one of a user. */
CSIGN_WUR enum csign_err approvals_cancel_user(
    struct approvals *approvals, int64_t space, const char *username);
/* The same beside a running service, which is not told. */
CSIGN_WUR enum csign_err approvals_cancel_stored(
    struct store *store, int64_t space, const char *username);

/*
 * Replies to conn by tell(arg, conn, approval): at once if the approval has
 * gone on from sequence `after` or can not go on, else as soon as it does, or
 * as it is after wait_s seconds.  approval is NULL if it has vanished.  Nothing
 * is told to a client that went away.
 */
typedef void approvals_teller(
    void *arg, struct http_conn *conn, const struct approval *approval);
struct approvals_poll {
	uint32_t after;
	uint32_t wait_s;
	approvals_teller *tell;
	void *arg;
};
CSIGN_WUR enum csign_err approvals_tell(struct approvals *approvals,
    const struct approval *approval, const struct approvals_poll *poll,
    struct http_conn *conn);
/* Another process has written: tells those for whom there is news. */
void approvals_changed_outside(struct approvals *approvals);
/* Tells everybody who waits how things are; for a stop. */
void approvals_tell_all(struct approvals *approvals);

/* As the phone API has it. */
const char *approvals_state_name(enum approval_state state);

#endif
