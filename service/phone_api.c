/* SPDX-License-Identifier: BSD-2-Clause */
/* What phones call: countersign-protocol(7), section PHONE API. */
#include "config.h"

#include <string.h>

#include "api.h"
#include "cookie.h"
#include "log.h"
#include "reply.h"
#include "secret.h"

/* The link of the path; 404 if there is none. */
static bool
find_link(struct call *call, struct approval *ret_approval)
{
	enum csign_err r;

	r = approvals_by_link(call->service->approvals, call->id, ret_approval);
	if (r == CSIGN_OK)
		return true;
	call_fail(call, r);
	return false;
}

/* The content is gone, there is nothing to read or to do. */
static void
reply_closed(struct call *call, const struct approval *approval)
{
	if (approval->state == STATE_EXPIRED)
		call_fail(call, CSIGN_E_EXPIRED);
	else
		reply_error(call->conn, 410, "closed",
		    "The question has been closed", NULL);
}

static void
open_link(struct call *call)
{
	struct approval approval;
	uint64_t now = call_now();
	struct reply reply;

	if (!find_link(call, &approval))
		return;
	if (!STATE_IS_OPEN(approval.state)) {
		reply_closed(call, &approval);
		return;
	}
	reply_begin(&reply, call->service->out);
	reply_sealed(&reply, "content", call->service->store, approval.id,
	    store_approval_content);
	reply_time(&reply, "expiresAt", approval.ends);
	reply_int(&reply, "secondsLeft",
	    approval.ends > now ? (int64_t)((approval.ends - now) / 1000) : 0);
	reply_str(&reply, "state", approvals_state_name(approval.state));
	reply_str(&reply, "kind",
	    approval.kind == KIND_APPROVAL ? "approval" : "enrolment");
	reply_send(&reply, call->conn, 200, NULL);
}

static void
seen(struct call *call)
{
	struct approval approval;
	enum csign_err r;

	if (!find_link(call, &approval))
		return;
	if ((r = approvals_seen(call->service->approvals, &approval)) ==
	    CSIGN_OK)
		reply_nothing(call->conn);
	else
		call_fail(call, r);
}

static bool
is_hint(const char *hint)
{
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	return *hint >= 'a' && *hint <= 'z' &&
	       strspn(hint, rest) == strlen(hint);
}

static void
answer(struct call *call)
{
	const char *sealed, *hint;
	struct approval approval;
	struct reply reply;
	enum csign_err r;

	if (!call_sealed(call, "answer", CSIGN_SEAL_OVERHEAD, CSIGN_ANSWER_MAX,
		&sealed) ||
	    !call_optional_str(call, "hint", 1, CSIGN_CHOICE_MAX, &hint))
		return;
	if (hint != NULL && !is_hint(hint)) {
		call_bad_member(call, "hint", "approve, deny or not-me");
		return;
	}
	if (!find_link(call, &approval))
		return;
	if ((r = approvals_answer(
		 call->service->approvals, &approval, sealed)) != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(CSIGN_LOG_INFO, "approval_answered", "transaction",
	    approval.transaction_id);
	reply_begin(&reply, call->service->out);
	reply_str(&reply, "state", approvals_state_name(approval.state));
	reply_int(&reply, "sequence", approval.sequence);
	reply_send(&reply, call->conn, 202, NULL);
}

/* An approvals_teller. */
static void
tell_events(void *arg, struct http_conn *conn, const struct approval *approval)
{
	struct service *service = arg;
	struct reply reply;

	if (approval == NULL) {
		reply_error(
		    conn, 404, "not_found", "There is no such thing", NULL);
		return;
	}
	reply_begin(&reply, service->out);
	reply_str(&reply, "state", approvals_state_name(approval->state));
	reply_int(&reply, "sequence", approval->sequence);
	if (approval->reason[0] != '\0')
		reply_str(&reply, "reason", approval->reason);
	if (approval->tries_left >= 0)
		reply_int(&reply, "triesLeft", approval->tries_left);
	reply_send(&reply, conn, 200, NULL);
}

static void
events(struct call *call)
{
	struct service *service = call->service;
	struct approvals_poll poll = {.tell = tell_events, .arg = service};
	struct approval approval;
	enum csign_err r;

	if (!call_query_int(
		call, "wait", CSIGN_POLL_WAIT_MAX, 0, &poll.wait_s) ||
	    !call_query_int(call, "after", UINT32_MAX, 0, &poll.after) ||
	    !find_link(call, &approval))
		return;
	if (call->request->head.method == HTTP_HEAD)
		poll.wait_s = 0;
	if ((r = approvals_tell(
		 service->approvals, &approval, &poll, call->conn)) != CSIGN_OK)
		call_fail(call, r);
}

/* --- a new device --------------------------------------------------------- */

/*
 * One a phone: the one that it has, if it has enrolled a device before or has
 * got it here.
 */
static enum csign_err
choose_cookie(struct call *call, const struct approval *approval,
    char cookie[COOKIE_SIZE], unsigned char hash[STORE_HASH_LEN])
{
	struct store *store = call->service->store;
	enum csign_err r = CSIGN_E_NOT_FOUND;

	if (cookie_read(call->request->head.field[HTTP_COOKIE], cookie) &&
	    (r = cookie_hash(cookie, hash)) == CSIGN_OK &&
	    (r = store_authenticator_of_cookie(store, hash, NULL, NULL)) ==
		CSIGN_E_NOT_FOUND)
		r = store_claim_of_cookie(store, approval->id, hash);
	if (r == CSIGN_E_NOT_FOUND && (r = cookie_make(cookie)) == CSIGN_OK)
		r = cookie_hash(cookie, hash);
	return r;
}

static void
send_device(struct call *call, const struct claim *claim, const char *cookie)
{
	char extra[COOKIE_HEADER_SIZE];
	struct reply reply;

	cookie_header(cookie, extra);
	reply_begin(&reply, call->service->out);
	reply_str(&reply, "deviceId", claim->device_id);
	reply_send(&reply, call->conn, 201, extra);
	csign_wipe(extra, sizeof extra);
}

static void
claim_device(struct call *call)
{
	struct claim claim;
	char cookie[COOKIE_SIZE];
	struct approval approval;
	enum csign_err r;

	if (!call_device_id(call, &claim.device_id) ||
	    !call_text(call, "name", 1, CSIGN_DEVICE_NAME_MAX, &claim.name))
		return;
	if (claim.name == NULL) {
		call_bad_member(call, "name", "there");
		return;
	}
	if (!find_link(call, &approval))
		return;
	/* A phone names itself before its answer, or a moment after it. */
	if (approval.kind != KIND_ENROLMENT ||
	    (!STATE_IS_OPEN(approval.state) &&
		approval.state != STATE_GRANTED)) {
		reply_closed(call, &approval);
		return;
	}
	if ((r = choose_cookie(call, &approval, cookie, claim.cookie_hash)) ==
	    CSIGN_OK)
		r = store_claim_put(
		    call->service->store, &approval, &claim, call_now());
	if (r == CSIGN_OK)
		send_device(call, &claim, cookie);
	else if (r == CSIGN_E_EXISTS)
		reply_error(call->conn, 409, "device_claimed",
		    "Another device was named here already", NULL);
	else
		call_fail(call, r);
	csign_wipe(cookie, sizeof cookie);
}

const struct route phone_routes[] = {
    {"/links/*", HTTP_GET, SIDE_PHONE, 0, false, open_link},
    {"/links/*/seen", HTTP_POST, SIDE_PHONE, 0, false, seen},
    {"/links/*/answer", HTTP_POST, SIDE_PHONE, 0, false, answer},
    {"/links/*/events", HTTP_GET, SIDE_PHONE, 0, false, events},
    {"/links/*/device", HTTP_POST, SIDE_PHONE, 0, false, claim_device},
    {NULL, 0, SIDE_OPEN, 0, false, NULL},
};
