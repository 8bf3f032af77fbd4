/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "codec.h"
#include "crypto.h"
#include "endpoint.h"
#include "log.h"
#include "push.h"
#include "push_command.h"
#include "push_send.h"
#include "vapid.h"
#include "webpush.h"

/* Of one endpoint over all hosts: countersign-security(7) SVC-8. */
#define RINGS_SHORT 6      /* in 10 minutes */
#define RINGS_LONG 30      /* in 24 hours */
#define RINGS_ALL_SHORT 60 /* also those that a host calls granted */
#define RINGS_ALL_LONG 300

struct push {
	struct store *store;
	const struct settings *settings;
	struct csign_crypto *crypto;
	struct vapid *vapid;
	struct push_send *send;
	struct push_command *command; /* or NULL */
};

static uint64_t
now_ms(void)
{
	uint64_t ms = 0;

	if (csign_clock_wall(&ms) != CSIGN_OK)
		log_event(CSIGN_LOG_ERR, "clock_error");
	return ms;
}

/* --- what the senders ask ------------------------------------------------- */

static bool
still_open(void *arg, int64_t id, const char *transaction_id)
{
	struct push *push = arg;
	struct approval approval;

	return store_approval_by_id(push->store, id, &approval) == CSIGN_OK &&
	       strcmp(approval.transaction_id, transaction_id) == 0 &&
	       (approval.state == STATE_PENDING ||
		   approval.state == STATE_SEEN) &&
	       approval.ends > now_ms();
}

static void
gone(void *arg, const struct subscription *subscription)
{
	struct push *push = arg;
	enum csign_err r;

	/* A failure has been logged; the next ring comes to the same. */
	r = store_subscription_drop(
	    push->store, subscription->cookie_hash, subscription->endpoint);
	(void)r;
}

/* --- beginning and end ---------------------------------------------------- */

/* sub: who to write to; a page that says who runs it is good for that too. */
static const char *
contact_of(const struct settings *settings)
{
	if (settings->push_contact != NULL)
		return settings->push_contact;
	if (settings->public_url != NULL &&
	    strncmp(settings->public_url, "https://", 8) == 0)
		return settings->public_url;
	return NULL;
}

/* libcurl would say so with the first ring only. */
static enum csign_err
check_authorities(const char *path, struct csign_why *why)
{
	int fd;

	if (path == NULL)
		return CSIGN_OK;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0) {
		csign_why_errno(why, errno, "%s", path);
		return CSIGN_E_FILE;
	}
	close(fd);
	return CSIGN_OK;
}

static enum csign_err
start(struct push *push, struct event_base *base, struct csign_why *why)
{
	const struct push_send_calls calls = {still_open, gone, push};
	const struct settings *settings = push->settings;
	enum csign_err r;

	if ((r = check_authorities(settings->push_ca_file, why)) != CSIGN_OK)
		return r;
	csign_why_set(why, "push: out of memory, or no cryptography");
	if ((r = csign_crypto_new(&push->crypto)) != CSIGN_OK ||
	    (r = vapid_new(push->crypto, settings->push_key_file,
		 contact_of(settings), why, &push->vapid)) != CSIGN_OK)
		return r;
	if (settings->push_command != NULL &&
	    (r = push_command_new(base, settings->push_command, still_open,
		 push, why, &push->command)) != CSIGN_OK)
		return r;
	csign_why_set(why, "push: libcurl cannot be used");
	return push_send_new(
	    base, push->crypto, push->vapid, settings, &calls, &push->send);
}

enum csign_err
push_new(struct event_base *base, struct store *store,
    const struct settings *settings, struct csign_why *why,
    struct push **ret_push)
{
	struct push *push;
	enum csign_err r;

	if ((push = calloc(1, sizeof *push)) == NULL)
		return CSIGN_E_NOMEM;
	push->store = store;
	push->settings = settings;
	if ((r = start(push, base, why)) != CSIGN_OK) {
		push_free(&push);
		return r;
	}
	*ret_push = push;
	return CSIGN_OK;
}

void
push_free(struct push **push)
{
	if (*push == NULL)
		return;
	push_send_free(&(*push)->send);
	push_command_free(&(*push)->command);
	vapid_free(&(*push)->vapid);
	csign_crypto_free(&(*push)->crypto);
	free(*push);
	*push = NULL;
}

const char *
push_key(const struct push *push)
{
	return push != NULL ? vapid_key(push->vapid) : "";
}

enum csign_err
push_endpoint_check(const struct push *push, const char *url,
    const char *p256dh, const char *auth, struct csign_why *why)
{
	struct webpush_keys keys;
	struct endpoint endpoint;
	enum csign_err r;

	if (push == NULL) {
		csign_why_set(why, "this service rings no phones");
		return CSIGN_E_INVALID;
	}
	if (strlen(url) > STORE_ENDPOINT_MAX) {
		csign_why_set(why, "this push address is too long");
		return CSIGN_E_INVALID;
	}
	if ((r = endpoint_read(
		 url, push->settings->push_hosts, why, &endpoint)) != CSIGN_OK)
		return r;
	if (p256dh != NULL && auth != NULL) {
		r = webpush_keys_read(push->crypto, p256dh, auth, &keys);
		if (r == CSIGN_E_INVALID)
			csign_why_set(why, "p256dh and auth are no keys of a "
					   "push subscription");
		return r;
	}
	if (p256dh == NULL && auth == NULL && endpoint.listed)
		return CSIGN_OK;
	csign_why_set(why, "this push service needs the keys p256dh and auth");
	return CSIGN_E_INVALID;
}

/* --- ringing -------------------------------------------------------------- */

/*
 * A newer question of the same host and user takes the place of an older one
 * that was not delivered yet.  The hash of the phone's cookie, which the push
 * service cannot know, keeps it from guessing who that is.
 */
static enum csign_err
make_topic(struct push *push, const struct approval *approval,
    const unsigned char cookie_hash[STORE_HASH_LEN],
    char ret_topic[PUSH_TOPIC_SIZE])
{
	static const char label[] = "countersign/1 push topic";
	const struct csign_part parts[] = {
	    {label, sizeof label},
	    {cookie_hash, STORE_HASH_LEN},
	    {&approval->host, sizeof approval->host},
	    {approval->username, strlen(approval->username)},
	};
	unsigned char hash[32];
	enum csign_err r;

	if ((r = csign_sha256(push->crypto, parts,
		 sizeof parts / sizeof parts[0], hash)) != CSIGN_OK)
		return r;
	return csign_b64u_encode(
	    hash, PUSH_TOPIC_SIZE / 4 * 3, ret_topic, PUSH_TOPIC_SIZE);
}

static enum csign_err
ring(struct push *push, const struct approval *approval, const char *link_id,
    const struct subscription *subscription)
{
	char topic[PUSH_TOPIC_SIZE];
	struct ring what = {
	    .subscription = subscription,
	    .approval = approval->id,
	    .transaction_id = approval->transaction_id,
	    .ends = approval->ends,
	    .link_id = link_id,
	    .topic = topic,
	};
	enum csign_err r;

	if ((r = make_topic(
		 push, approval, subscription->cookie_hash, topic)) == CSIGN_OK)
		r = push_send_ring(push->send, &what);
	if (r != CSIGN_OK)
		log_event(CSIGN_LOG_NOTICE, "push_not_sent", "transaction",
		    approval->transaction_id, "error", csign_err_name(r));
	return r;
}

static enum csign_err
run_command(struct push *push, const struct approval *approval,
    const char *link_id, const char *device_id)
{
	const struct push_command_job job = {
	    .approval = approval->id,
	    .transaction_id = approval->transaction_id,
	    .user = approval->username,
	    .device_id = device_id,
	    .link_id = link_id,
	};
	enum csign_err r;

	if ((r = push_command_run(push->command, &job)) != CSIGN_OK)
		log_event(CSIGN_LOG_NOTICE, "push_command_failed",
		    "transaction", approval->transaction_id, "error",
		    csign_err_name(r));
	return r;
}

/* May this phone be rung once more? */
static bool
take(struct push *push, const struct approval *approval,
    const unsigned char cookie_hash[STORE_HASH_LEN], bool notice)
{
	static const struct ring_budget budget = {
	    .short_max = RINGS_SHORT,
	    .long_max = RINGS_LONG,
	    .all_short_max = RINGS_ALL_SHORT,
	    .all_long_max = RINGS_ALL_LONG,
	};
	const struct ring_turn turn = {
	    .cookie_hash = cookie_hash,
	    .host = approval->host,
	    .username = approval->username,
	    .now = now_ms(),
	    .notice = notice,
	};
	enum csign_err r = store_ring_take(push->store, &turn, &budget);

	if (r == CSIGN_E_LIMIT)
		log_event(CSIGN_LOG_NOTICE, "push_limited", "transaction",
		    approval->transaction_id);
	return r == CSIGN_OK;
}

struct question_call {
	struct push *push;
	const struct approval *approval;
	const char *link_id;
	unsigned sent;
	/* The phones that got a copy. */
	unsigned char phones[CSIGN_DEVICES_MAX][STORE_HASH_LEN];
	size_t n_phones;
	char device_id[CSIGN_DEVICE_ID_SIZE];
};

static void
visit_subscription(void *arg, const struct subscription *subscription)
{
	struct question_call *call = arg;
	struct push *push = call->push;
	bool sent;

	if (!push_send_has_room(push->send) ||
	    !take(push, call->approval, subscription->cookie_hash, false))
		return;
	sent =
	    ring(push, call->approval, call->link_id, subscription) == CSIGN_OK;
	if (push->command != NULL &&
	    run_command(push, call->approval, call->link_id,
		subscription->device_id) == CSIGN_OK)
		sent = true;
	call->sent += sent;
}

static void
visit_phone(void *arg, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	struct question_call *call = arg;

	if (call->n_phones < CSIGN_DEVICES_MAX)
		memcpy(call->phones[call->n_phones++], cookie_hash,
		    STORE_HASH_LEN);
}

static void
visit_entry(void *arg, const struct inbox_entry *entry)
{
	struct question_call *call = arg;

	if (entry->approval == call->approval->id)
		memcpy(
		    call->device_id, entry->device_id, sizeof call->device_id);
}

/* A phone without a subscription: only the command can ring it. */
static void
command_only(
    struct question_call *call, const unsigned char cookie_hash[STORE_HASH_LEN])
{
	struct push *push = call->push;
	struct subscription subscription;

	call->device_id[0] = '\0';
	if (store_subscription_get(push->store, cookie_hash, &subscription) !=
		CSIGN_E_NOT_FOUND ||
	    store_inbox_each(push->store, cookie_hash, now_ms(), visit_entry,
		call) != CSIGN_OK ||
	    call->device_id[0] == '\0' ||
	    !take(push, call->approval, cookie_hash, false))
		return;
	call->sent += run_command(push, call->approval, call->link_id,
			  call->device_id) == CSIGN_OK;
}

void
push_question(struct push *push, const struct approval *approval,
    const char *link_id, unsigned *ret_sent)
{
	struct question_call call;

	*ret_sent = 0;
	if (push == NULL)
		return;
	memset(&call, 0, sizeof call);
	call.push = push;
	call.approval = approval;
	call.link_id = link_id;
	/* What fails here leaves phones silent, and the question as it is. */
	if (store_subscription_each(push->store, approval->id,
		visit_subscription, &call) == CSIGN_OK &&
	    push->command != NULL &&
	    store_inbox_phones(push->store, approval->id, visit_phone, &call) ==
		CSIGN_OK)
		for (size_t i = 0; i < call.n_phones; i++)
			command_only(&call, call.phones[i]);
	*ret_sent = call.sent;
}

static void
visit_other(void *arg, const struct subscription *subscription)
{
	struct question_call *call = arg;
	enum csign_err r;

	/* A wake-up says nothing, so there is no notice in one. */
	if (subscription->p256dh[0] == '\0' ||
	    !take(call->push, call->approval, subscription->cookie_hash, true))
		return;
	r = ring(call->push, call->approval, NULL, subscription);
	(void)r; /* logged */
}

void
push_granted(
    struct push *push, const struct approval *approval, const char *device_id)
{
	struct question_call call;
	enum csign_err r;

	if (push == NULL || approval->kind != KIND_APPROVAL ||
	    device_id == NULL)
		return;
	memset(&call, 0, sizeof call);
	call.push = push;
	call.approval = approval;
	/* Also of a question that rang nobody: its link was scanned. */
	r = store_subscription_others(
	    push->store, approval->space, device_id, visit_other, &call);
	(void)r; /* logged */
}
