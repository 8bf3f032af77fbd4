/* SPDX-License-Identifier: BSD-2-Clause */
/* What hosts call: countersign-protocol(7), section HOST API. */
#include "config.h"

#include <string.h>

#include "api.h"
#include "codec.h"
#include "log.h"
#include "owner.h"
#include "reply.h"
#include "secret.h"

/* How a status names what the store keeps; by enum approval_event. */
static const char *const event_names[] = {
    [EVENT_CREATED] = "created",
    [EVENT_SEEN] = "seen",
    [EVENT_ANSWERED] = "answered",
    [EVENT_GRANTED] = "granted",
    [EVENT_DENIED] = "denied",
    [EVENT_REJECTED] = "rejected",
    [EVENT_CANCELLED] = "cancelled",
    [EVENT_EXPIRED] = "expired",
};

static void
ping(struct call *call)
{
	static const struct http_reply pong = {
	    .status = 200, .type = "text/plain", .body = "PONG", .body_len = 4};

	http_reply(call->conn, &pong);
}

/* --- questions ------------------------------------------------------------ */

static bool
read_question(struct call *call, struct question *question,
    int64_t lifetime_min, int64_t lifetime_max, int64_t *ret_lifetime)
{
	question->host = &call->host;
	return call_link_id(call, &question->link_id) &&
	       call_sealed(call, "content", CSIGN_SEAL_OVERHEAD,
		   CSIGN_CONTENT_MAX, &question->content) &&
	       call_int(
		   call, "lifetime", lifetime_min, lifetime_max, ret_lifetime);
}

static void
create_failed(struct call *call, enum csign_err err)
{
	if (err == CSIGN_E_EXISTS)
		reply_error(call->conn, 409, "link_in_use",
		    "The link id is in use", NULL);
	else if (err == CSIGN_E_LIMIT)
		reply_error(call->conn, 429, "too_many_pending",
		    "Too many questions are open already",
		    "Retry-After: 5\r\n");
	else
		call_fail(call, err);
}

static bool
create(struct call *call, struct question *question, int64_t lifetime,
    struct creation *creation, char token[TOKEN_SIZE])
{
	enum csign_err r;

	r = approvals_create(call->service->approvals, question,
	    (uint32_t)lifetime, creation, token);
	if (r == CSIGN_OK) {
		log_event(CSIGN_LOG_INFO,
		    question->kind == KIND_APPROVAL ? "approval_created"
						    : "enrolment_created",
		    "host", call->host.name, "user", question->username,
		    "transaction", creation->transaction_id);
		return true;
	}
	log_event(CSIGN_LOG_NOTICE, "create_refused", "host", call->host.name,
	    "reason", csign_err_name(r));
	create_failed(call, r);
	return false;
}

static void
reply_created(
    struct reply *reply, const char *transaction_id, const char *token)
{
	reply_str(reply, "transactionId", transaction_id);
	reply_str(reply, "statusToken", token);
}

struct removals {
	struct reply *reply;
	bool any;
};

static void
put_removal(void *arg, const char *device_id, const char *proof)
{
	struct removals *removals = arg;
	struct reply *reply = removals->reply;

	/* The list is there only if there is something in it. */
	if (!removals->any)
		reply_open(reply, "removals", "[");
	removals->any = true;
	reply_open(reply, NULL, "{");
	reply_str(reply, "deviceId", device_id);
	reply_str(reply, "proof", proof);
	reply_close(reply, "}");
}

/*
 * Notes of devices of this space that are to go, for the host to look at
 * before it takes an answer.  A question does not fail for want of them.
 */
static void
put_removals(struct call *call, struct reply *reply, const char *username)
{
	struct removals removals = {reply, false};
	enum csign_err r;

	r = store_removal_each(call->service->store, call->host.space, username,
	    call_now(), put_removal, &removals);
	if (removals.any)
		reply_close(reply, "]");
	if (r != CSIGN_OK)
		log_event(
		    CSIGN_LOG_ERR, "call_failed", "reason", csign_err_name(r));
}

/* The link alone, or the phones as well? */
static bool
read_channel(struct call *call, bool *ret_push)
{
	const char *channel;

	if (!call_str(call, "channel", 1, 16, &channel))
		return false;
	*ret_push = strcmp(channel, "push") == 0;
	if (*ret_push || strcmp(channel, "app") == 0)
		return true;
	call_bad_member(call, "channel", "app or push");
	return false;
}

/* Whom to ring; copies is room for them. */
static bool
read_copies(struct call *call, struct question *question,
    struct copy copies[CSIGN_DEVICES_MAX])
{
	if (question->username == NULL) {
		call_bad_member(call, "username", "there");
		return false;
	}
	question->copies = copies;
	return call_copies(call, copies, &question->n_copies);
}

/*
 * Rings, which takes its time elsewhere: here it is but begun, and whatever
 * becomes of it, the question is stored and in the inboxes.
 */
static unsigned
ring(struct call *call, const struct question *question,
    const struct creation *creation)
{
	struct service *service = call->service;
	struct approval approval;
	unsigned sent = 0;

	if (creation->copies > 0 && service->push != NULL &&
	    approvals_by_id(service->approvals, creation->id, &approval) ==
		CSIGN_OK)
		push_question(
		    service->push, &approval, question->link_id, &sent);
	return sent;
}

static void
create_approval(struct call *call)
{
	struct question question = {.kind = KIND_APPROVAL};
	struct copy copies[CSIGN_DEVICES_MAX];
	struct creation creation;
	char token[TOKEN_SIZE];
	struct reply reply;
	const char *message;
	int64_t lifetime;
	unsigned sent;
	bool push;

	if (!read_channel(call, &push) ||
	    !call_text(
		call, "username", 1, CSIGN_USER_MAX, &question.username) ||
	    !call_text(call, "notificationMessage", 0, 256, &message) ||
	    !read_question(call, &question, CSIGN_LIFETIME_MIN,
		CSIGN_LIFETIME_MAX, &lifetime) ||
	    (push && !read_copies(call, &question, copies)))
		return;
	if (!create(call, &question, lifetime, &creation, token))
		return;
	/* Before the reply is begun: what this tells others is made there. */
	sent = push ? ring(call, &question, &creation) : 0;
	reply_begin(&reply, call->service->out);
	reply_created(&reply, creation.transaction_id, token);
	if (push) {
		reply_open(&reply, "push", "{");
		reply_int(&reply, "sent", sent);
		reply_int(&reply, "devices", creation.copies);
		reply_close(&reply, "}");
	}
	put_removals(call, &reply, question.username);
	reply_send(&reply, call->conn, 201, NULL);
	csign_wipe(token, sizeof token);
}

/* Finds or makes the user of an enrolment. */
static enum csign_err
ensure_user(struct call *call, const char *username, struct user *ret_user)
{
	unsigned char bytes[16];
	char user_id[STORE_ID_SIZE];
	enum csign_err r;

	if ((r = csign_random(bytes, sizeof bytes)) != CSIGN_OK ||
	    (r = csign_b64u_encode(
		 bytes, sizeof bytes, user_id, sizeof user_id)) != CSIGN_OK)
		return r;
	return store_user_ensure(call->service->store, call->host.space,
	    username, user_id, call_now(), ret_user);
}

static const char *
user_status(const struct user *user)
{
	return user->devices > 0 ? "active" : "new";
}

static void
enroll(struct call *call)
{
	struct question question = {.kind = KIND_ENROLMENT};
	struct creation creation;
	char token[TOKEN_SIZE];
	struct reply reply;
	struct user user;
	int64_t lifetime;
	enum csign_err r;

	if (!call_text(call, "username", 1, CSIGN_USER_MAX, &question.username))
		return;
	if (question.username == NULL) {
		call_bad_member(call, "username", "there");
		return;
	}
	if (!read_question(call, &question, CSIGN_ENROL_LIFETIME_MIN,
		CSIGN_ENROL_LIFETIME_MAX, &lifetime))
		return;
	if ((r = ensure_user(call, question.username, &user)) != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	question.user = &user;
	if (!create(call, &question, lifetime, &creation, token))
		return;
	reply_begin(&reply, call->service->out);
	reply_str(&reply, "userId", user.user_id);
	reply_str(&reply, "username", user.username);
	reply_str(&reply, "status", user_status(&user));
	reply_open(&reply, "enrollment", "{");
	reply_created(&reply, creation.transaction_id, token);
	reply_close(&reply, "}");
	put_removals(call, &reply, question.username);
	reply_send(&reply, call->conn, 201, NULL);
	csign_wipe(token, sizeof token);
}

/* --- status --------------------------------------------------------------- */

static const char *
status_word(enum approval_state state)
{
	if (STATE_IS_OPEN(state))
		return "pending";
	return state == STATE_GRANTED ? "succeeded" : "failed";
}

/* An approvals_teller. */
static void
tell_status(void *arg, struct http_conn *conn, const struct approval *approval)
{
	struct service *service = arg;
	struct reply reply;

	reply_begin(&reply, service->out);
	if (approval == NULL) {
		reply_str(&reply, "status", "unknown");
		reply_send(&reply, conn, 200, NULL);
		return;
	}
	reply_str(&reply, "transactionId", approval->transaction_id);
	reply_str(&reply, "status", status_word(approval->state));
	reply_int(&reply, "sequence", approval->sequence);
	reply_str(&reply, "event", event_names[approval->event]);
	if (approval->state == STATE_ANSWERED)
		reply_sealed(&reply, "answer", service->store, approval->id,
		    store_approval_answer);
	reply_send(&reply, conn, 200, NULL);
}

/* What is at the end of a token; a stranger's is unknown. */
static enum csign_err
find_by_token(
    struct call *call, const char *token, struct approval *ret_approval)
{
	enum csign_err r;

	r = approvals_by_token(call->service->approvals, token, ret_approval);
	if (r == CSIGN_OK && call->has_host &&
	    call->host.space != ret_approval->space)
		r = CSIGN_E_NOT_FOUND;
	return r;
}

static void
status(struct call *call)
{
	struct service *service = call->service;
	struct approvals_poll poll = {.tell = tell_status, .arg = service};
	struct approval approval;
	const char *token;
	int64_t wait, after;
	enum csign_err r;

	if (!call_str(call, "statusToken", 1, 128, &token) ||
	    !call_optional_int(
		call, "wait", 0, CSIGN_POLL_WAIT_MAX, 0, &wait) ||
	    !call_optional_int(call, "after", 0, UINT32_MAX, 0, &after))
		return;
	r = find_by_token(call, token, &approval);
	if (r == CSIGN_E_NOT_FOUND) {
		/* Guessing tokens is hopeless, and slow all the same. */
		if (call->has_host || call_address_rate(call))
			tell_status(service, call->conn, NULL);
		return;
	}
	/* Without a key, the token says whose this is. */
	if (r == CSIGN_OK && !call->has_host &&
	    !owner_is_host(call, approval.host))
		return;
	poll.wait_s = (uint32_t)wait;
	poll.after = (uint32_t)after;
	if (r == CSIGN_OK)
		r = approvals_tell(
		    service->approvals, &approval, &poll, call->conn);
	if (r != CSIGN_OK)
		call_fail(call, r);
}

/* --- outcome and cancel --------------------------------------------------- */

/* The transaction of the path, if this host's rights are for its kind. */
static bool
find_transaction(struct call *call, struct approval *ret_approval)
{
	uint32_t right;
	enum csign_err r;

	if ((r = approvals_by_transaction(call->service->approvals,
		 call->host.space, call->id, ret_approval)) != CSIGN_OK) {
		call_fail(call, r);
		return false;
	}
	right =
	    ret_approval->kind == KIND_APPROVAL ? RIGHT_APPROVE : RIGHT_ENROL;
	if ((call->host.rights & right) != 0)
		return true;
	reply_error(call->conn, 403, "forbidden",
	    "The access key does not have the right for this", NULL);
	return false;
}

static bool
read_event(struct call *call, enum approval_event *ret_event)
{
	static const enum approval_event events[] = {
	    EVENT_GRANTED, EVENT_DENIED, EVENT_REJECTED};
	const char *word;
	size_t i;

	if (!call_str(call, "outcome", 1, 16, &word))
		return false;
	for (i = 0; i < sizeof events / sizeof events[0]; i++)
		if (strcmp(word, event_names[events[i]]) == 0) {
			*ret_event = events[i];
			return true;
		}
	call_bad_member(call, "outcome", "granted, denied or rejected");
	return false;
}

static bool
read_outcome(struct call *call, struct outcome *outcome)
{
	int64_t tries, sequence;

	if (!read_event(call, &outcome->event) ||
	    !call_text(call, "reason", 0, STORE_REASON_MAX, &outcome->reason) ||
	    !call_optional_int(
		call, "triesLeft", 0, CSIGN_ANSWERS_MAX, 0, &tries) ||
	    !call_optional_int(call, "sequence", 1, UINT32_MAX, 0, &sequence) ||
	    (json_object_object_get_ex(call->body, "deviceId", NULL) &&
		!call_device_id(call, &outcome->device_id)))
		return false;
	outcome->tries_left = (int32_t)tries;
	outcome->sequence = (uint32_t)sequence;
	if (outcome->reason == NULL)
		outcome->reason = "";
	return true;
}

/* The user got in: the rings until now were no nuisance. */
static void
after_grant(struct call *call, const struct approval *approval,
    const struct outcome *outcome)
{
	struct service *service = call->service;
	enum csign_err r;

	push_granted(service->push, approval, outcome->device_id);
	r = store_rings_forgive(
	    service->store, approval->host, approval->username);
	(void)r; /* it was logged; they end by themselves in 24 hours */
}

static void
outcome(struct call *call)
{
	struct outcome what = {.device_id = NULL};
	struct approval approval;
	bool open;
	enum csign_err r;

	if (!read_outcome(call, &what) || !find_transaction(call, &approval))
		return;
	open = STATE_IS_OPEN(approval.state);
	r = approvals_outcome(call->service->approvals, &approval, &what);
	if (r != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(CSIGN_LOG_INFO, "approval_outcome", "host", call->host.name,
	    "transaction", approval.transaction_id, "outcome",
	    event_names[what.event], "reason",
	    *what.reason != '\0' ? what.reason : NULL);
	reply_nothing(call->conn);
	if (open && approval.state == STATE_GRANTED &&
	    approval.kind == KIND_APPROVAL)
		after_grant(call, &approval, &what);
}

static void
cancel(struct call *call)
{
	struct approval approval;
	enum csign_err r;

	if (!find_transaction(call, &approval))
		return;
	r = approvals_cancel(call->service->approvals, &approval);
	if (r != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(CSIGN_LOG_INFO, "approval_cancelled", "host", call->host.name,
	    "transaction", approval.transaction_id);
	reply_nothing(call->conn);
}

/* --- users ---------------------------------------------------------------- */

static void
send_user(struct call *call, enum csign_err found, const struct user *user)
{
	struct reply reply;
	enum csign_err r = found;

	if (r == CSIGN_OK) {
		reply_begin(&reply, call->service->out);
		reply_str(&reply, "userId", user->user_id);
		reply_str(&reply, "username", user->username);
		reply_str(&reply, "status", user_status(user));
		reply_time(&reply, "createdAt", user->created);
		reply_open(&reply, "authenticators", "[");
		r = store_authenticator_each(call->service->store, user->id,
		    reply_authenticator, &reply);
		reply_close(&reply, "]");
	}
	if (r == CSIGN_OK)
		reply_send(&reply, call->conn, 200, NULL);
	else
		call_fail(call, r);
}

static void
user_by_name(struct call *call)
{
	char username[CSIGN_USER_MAX + 1];
	struct user user;
	enum csign_err r;

	if (!call_query_text(call, "username", username, sizeof username))
		return;
	r = store_user_by_name(
	    call->service->store, call->host.space, username, &user);
	send_user(call, r, &user);
}

static void
user_by_id(struct call *call)
{
	struct user user;
	enum csign_err r;

	r = store_user_by_id(
	    call->service->store, call->host.space, call->id, &user);
	send_user(call, r, &user);
}

static void
remove_user(struct call *call)
{
	struct service *service = call->service;
	struct user user;
	enum csign_err r;

	if ((r = store_user_by_id(service->store, call->host.space, call->id,
		 &user)) != CSIGN_OK ||
	    (r = approvals_cancel_user(service->approvals, call->host.space,
		 user.username)) != CSIGN_OK ||
	    (r = store_user_remove(service->store, user.id)) != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(CSIGN_LOG_NOTICE, "user_removed", "host", call->host.name,
	    "user", user.username);
	inbox_changed_all(service->inbox);
	reply_nothing(call->conn);
}

/* --- authenticators ------------------------------------------------------- */

static void
rename_authenticator(struct call *call)
{
	const char *name;
	enum csign_err r;

	if (!call_text(call, "name", 1, CSIGN_DEVICE_NAME_MAX, &name))
		return;
	if (name == NULL) {
		call_bad_member(call, "name", "there");
		return;
	}
	r = store_authenticator_rename(
	    call->service->store, call->host.space, call->id, name);
	if (r == CSIGN_OK)
		reply_nothing(call->conn);
	else
		call_fail(call, r);
}

static void
remove_authenticator(struct call *call)
{
	enum csign_err r;

	r = store_authenticator_remove(
	    call->service->store, call->host.space, call->id);
	if (r != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(CSIGN_LOG_NOTICE, "authenticator_removed", "host",
	    call->host.name, "authenticator", call->id);
	inbox_changed_all(call->service->inbox);
	reply_nothing(call->conn);
}

const struct route host_routes[] = {
    {"/ping", HTTP_GET, SIDE_HOST, 0, false, ping},
    {"/api/v1/approval", HTTP_POST, SIDE_HOST, RIGHT_APPROVE, true,
	create_approval},
    {"/api/v1/approval/*", HTTP_DELETE, SIDE_HOST, 0, false, cancel},
    {"/api/v1/approval/*/outcome", HTTP_POST, SIDE_HOST, 0, false, outcome},
    {"/api/v1/status", HTTP_POST, SIDE_TOKEN, 0, false, status},
    {"/api/v1/users", HTTP_GET, SIDE_HOST, 0, true, user_by_name},
    {"/api/v1/users/enroll", HTTP_POST, SIDE_HOST, RIGHT_ENROL, true, enroll},
    {"/api/v1/users/*", HTTP_GET, SIDE_HOST, 0, true, user_by_id},
    {"/api/v1/users/*", HTTP_DELETE, SIDE_HOST, RIGHT_MANAGE, true,
	remove_user},
    {"/api/v1/authenticators/*", HTTP_PATCH, SIDE_HOST, RIGHT_MANAGE, true,
	rename_authenticator},
    {"/api/v1/authenticators/*", HTTP_DELETE, SIDE_HOST, RIGHT_MANAGE, true,
	remove_authenticator},
    {NULL, 0, SIDE_OPEN, 0, false, NULL},
};
