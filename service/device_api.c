/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a phone calls about itself, once it has enrolled a device:
 * countersign-protocol(7), section PHONE API.
 */
#include "config.h"

#include <string.h>

#include "answer.h"
#include "api.h"
#include "codec.h"
#include "log.h"
#include "reply.h"

/* --- its devices ---------------------------------------------------------- */

static void
put_device(void *arg, const struct authenticator *auth)
{
	struct reply *reply = arg;

	reply_open(reply, NULL, "{");
	reply_str(reply, "deviceId", auth->device_id);
	reply_str(reply, "name", auth->name);
	reply_str(reply, "username", auth->username);
	reply_time(reply, "createdAt", auth->created);
	if (auth->removed)
		reply_bool(reply, "removed", true);
	reply_close(reply, "}");
}

/* What a page needs to know to have its phone rung. */
static enum csign_err
put_push(struct call *call, struct reply *reply)
{
	struct service *service = call->service;
	struct subscription subscription;
	enum csign_err r;

	r = store_subscription_get(
	    service->store, call->cookie_hash, &subscription);
	if (r != CSIGN_OK && r != CSIGN_E_NOT_FOUND)
		return r;
	reply_open(reply, "push", "{");
	reply_str(
	    reply, "key", service->push != NULL ? push_key(service->push) : "");
	reply_bool(reply, "subscribed", r == CSIGN_OK);
	reply_close(reply, "}");
	return CSIGN_OK;
}

static void
own_devices(struct call *call)
{
	struct reply reply;
	enum csign_err r;

	reply_begin(&reply, call->service->out);
	reply_open(&reply, "devices", "[");
	r = store_authenticator_of_cookie(
	    call->service->store, call->cookie_hash, put_device, &reply);
	reply_close(&reply, "]");
	if (r == CSIGN_OK)
		r = put_push(call, &reply);
	if (r == CSIGN_OK)
		reply_send(&reply, call->conn, 200, NULL);
	else
		call_fail(call, r);
}

/*
 * A note that the device signed for its host.  Only the host can tell whether
 * it is good; what can not be one is not kept.
 */
static bool
read_note(struct call *call, const char **ret_proof, struct csign_answer *note)
{
	unsigned char *room = call->service->room;
	size_t len = 0;

	if (!call_sealed(call, "proof", 1, CSIGN_REMOVAL_MAX, ret_proof))
		return false;
	if (csign_b64u_decode(*ret_proof, strlen(*ret_proof), room,
		CSIGN_REMOVAL_MAX, &len) == CSIGN_OK &&
	    csign_answer_read(room, len, false, note) == CSIGN_OK &&
	    strcmp(note->choice, "remove") == 0 && note->signature_len > 0)
		return true;
	call_bad_member(call, "proof", "an answer with the choice remove");
	return false;
}

static void
ask_removal(struct call *call)
{
	struct csign_answer note;
	struct reply reply;
	const char *proof;
	enum csign_err r;

	if (!read_note(call, &proof, &note))
		return;
	r = store_removal_put(call->service->store, call->cookie_hash,
	    note.device, proof, call_now());
	if (r == CSIGN_E_NOT_FOUND) {
		call_no_device(call);
		return;
	}
	if (r != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(
	    CSIGN_LOG_NOTICE, "removal_asked", "authenticator", note.device);
	inbox_changed_phone(call->service->inbox, call->cookie_hash);
	reply_begin(&reply, call->service->out);
	reply_str(&reply, "deviceId", note.device);
	reply_send(&reply, call->conn, 202, NULL);
}

/* --- where it is rung ----------------------------------------------------- */

/* Both keys of Web Push, or none. */
static bool
read_keys(struct call *call, const char **ret_p256dh, const char **ret_auth)
{
	bool p256dh = json_object_object_get_ex(call->body, "p256dh", NULL);
	bool auth = json_object_object_get_ex(call->body, "auth", NULL);

	*ret_p256dh = *ret_auth = NULL;
	if (p256dh != auth) {
		call_bad_member(call, p256dh ? "auth" : "p256dh", "there");
		return false;
	}
	return !p256dh || (call_sealed(call, "p256dh", CSIGN_POINT_LEN,
			       CSIGN_POINT_LEN, ret_p256dh) &&
			      call_sealed(call, "auth", 16, 16, ret_auth));
}

static bool
read_subscription(struct call *call, struct subscription *s)
{
	const char *endpoint, *p256dh, *auth;
	struct csign_why why = {"This service rings no phones"};
	struct push *push = call->service->push;

	if (!call_text(call, "endpoint", 1, STORE_ENDPOINT_MAX, &endpoint))
		return false;
	if (endpoint == NULL) {
		call_bad_member(call, "endpoint", "there");
		return false;
	}
	if (!read_keys(call, &p256dh, &auth))
		return false;
	if (push == NULL || push_endpoint_check(push, endpoint, p256dh, auth,
				&why) != CSIGN_OK) {
		call_bad_text(call, why.text);
		return false;
	}
	memset(s, 0, sizeof *s);
	memcpy(s->cookie_hash, call->cookie_hash, STORE_HASH_LEN);
	s->created = call_now();
	memcpy(s->endpoint, endpoint, strlen(endpoint) + 1);
	if (p256dh != NULL) {
		memcpy(s->p256dh, p256dh, STORE_P256DH_SIZE);
		memcpy(s->auth, auth, STORE_AUTH_SIZE);
	}
	return true;
}

static void
subscribe(struct call *call)
{
	struct subscription subscription;
	enum csign_err r;

	if (!read_subscription(call, &subscription))
		return;
	r = store_subscription_put(call->service->store, &subscription);
	if (r != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(CSIGN_LOG_INFO, "push_subscribed");
	reply_nothing(call->conn);
}

static void
unsubscribe(struct call *call)
{
	enum csign_err r;

	r = store_subscription_remove(call->service->store, call->cookie_hash);
	if (r != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(CSIGN_LOG_INFO, "push_unsubscribed");
	reply_nothing(call->conn);
}

/* --- its questions -------------------------------------------------------- */

struct questions {
	struct reply *reply;
	uint64_t now;
};

static void
put_question(void *arg, const struct inbox_entry *entry)
{
	const struct questions *questions = arg;
	struct reply *reply = questions->reply;
	uint64_t left = 0;

	if (entry->ends > questions->now)
		left = (entry->ends - questions->now) / 1000;
	reply_open(reply, NULL, "{");
	reply_str(reply, "linkId", entry->link_id);
	reply_str(reply, "deviceId", entry->device_id);
	reply_str(reply, "sealed", entry->sealed);
	reply_str(reply, "state", approvals_state_name(entry->state));
	reply_time(reply, "createdAt", entry->created);
	reply_int(reply, "secondsLeft", (int64_t)left);
	reply_close(reply, "}");
}

static enum csign_err
put_inbox(struct service *service,
    const unsigned char cookie_hash[STORE_HASH_LEN], struct reply *reply)
{
	struct questions questions = {reply, call_now()};
	char tag[INBOX_TAG_SIZE];
	enum csign_err r;

	if ((r = store_authenticator_of_cookie(
		 service->store, cookie_hash, NULL, NULL)) != CSIGN_OK ||
	    /* First: what comes between is told as news next time. */
	    (r = inbox_tag(service->inbox, cookie_hash, tag)) != CSIGN_OK)
		return r;
	reply_str(reply, "tag", tag);
	reply_open(reply, "questions", "[");
	r = store_inbox_each(service->store, cookie_hash, questions.now,
	    put_question, &questions);
	reply_close(reply, "]");
	return r;
}

/* An inbox_teller. */
static void
tell_inbox(void *arg, struct http_conn *conn,
    const unsigned char cookie_hash[STORE_HASH_LEN])
{
	struct service *service = arg;
	struct call call = {.service = service, .conn = conn};
	struct reply reply;
	enum csign_err r;

	reply_begin(&reply, service->out);
	r = put_inbox(service, cookie_hash, &reply);
	if (r == CSIGN_OK)
		reply_send(&reply, conn, 200, NULL);
	else if (r == CSIGN_E_NOT_FOUND)
		call_no_device(&call); /* it has lost its last one */
	else
		call_fail(&call, r);
}

static void
read_inbox(struct call *call)
{
	struct service *service = call->service;
	char after[INBOX_TAG_SIZE];
	struct inbox_poll poll = {
	    .after = after, .tell = tell_inbox, .arg = service};
	enum csign_err r;

	if (!call_query_int(
		call, "wait", CSIGN_POLL_WAIT_MAX, 0, &poll.wait_s) ||
	    !call_query_tag(call, "after", after))
		return;
	if (call->request->head.method == HTTP_HEAD)
		poll.wait_s = 0;
	r = inbox_tell(service->inbox, call->cookie_hash, &poll, call->conn);
	if (r != CSIGN_OK)
		call_fail(call, r);
}

const struct route device_routes[] = {
    {"/inbox", HTTP_GET, SIDE_DEVICE, 0, false, read_inbox},
    {"/devices/self", HTTP_GET, SIDE_DEVICE, 0, false, own_devices},
    {"/devices/self/push", HTTP_POST, SIDE_DEVICE, 0, false, subscribe},
    {"/devices/self/push", HTTP_DELETE, SIDE_DEVICE, 0, false, unsubscribe},
    {"/devices/self/removal", HTTP_POST, SIDE_DEVICE, 0, false, ask_removal},
    {NULL, 0, SIDE_OPEN, 0, false, NULL},
};
