/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "answer.h"
#include "approval.h"
#include "audit.h"
#include "clock.h"
#include "compose.h"
#include "ctx.h"
#include "device.h"
#include "device_info.h"
#include "exchange.h"
#include "file.h"
#include "judge.h"
#include "link.h"
#include "proof.h"
#include "removal.h"
#include "request.h"
#include "state.h"

/*
 * The steps in their order; each public function takes exactly one further
 * and refuses to be called out of turn (countersign-security(7) ENR-1 to
 * ENR-7).
 */
enum step {
	STEP_WAITING,
	STEP_ANSWERED,
	STEP_ACCEPTED,
	STEP_TESTED,
	STEP_OVER
};

struct csign_enrolment {
	struct csign_ctx *ctx;
	struct csign_account account;
	char by[CSIGN_USER_MAX + 1];
	char name[CSIGN_DEVICE_NAME_MAX + 1]; /* "" to take the phone's */
	struct csign_composed composed;
	struct csign_exchange *exchange;
	uint64_t asked_ms; /* when it began; the exchange is over before */
	struct csign_link *test_link; /* for the test approval */
	struct csign_device device;   /* the candidate */
	uint32_t counter;
	struct csign_device_info info;
	struct csign_device_texts texts;
	const struct csign_approval *test; /* the caller's: its address only */
	char replaces[CSIGN_DEVICE_ID_SIZE]; /* "" for none */
	bool full;  /* no room, but for a device that replaces another */
	bool login; /* whose answer is a login's, too */
	enum step step;
};

/* The devices of the account now, none being no error here. */
static enum csign_err
read_devices(struct csign_enrolment *en, struct csign_device_list *ret_list)
{
	struct csign_ctx *ctx = en->ctx;
	enum csign_err r;

	r = csign_devices_read(ctx->crypto, ctx->settings.state_dir,
	    &en->account, ret_list, &ctx->why);
	if (r == CSIGN_E_UNENROLLED) {
		ret_list->items = NULL;
		ret_list->n = 0;
		return CSIGN_OK;
	}
	return r;
}

static enum csign_err
no_room(struct csign_enrolment *en)
{
	const unsigned int max = (unsigned int)en->ctx->settings.max_devices;

	csign_why_set(&en->ctx->why,
	    "%s has %u or more devices already, and max_devices is %u: revoke "
	    "one first",
	    en->account.name, max, max);
	return CSIGN_E_TOO_LONG;
}

/* The phone is told of devices, so that it makes no second key where it is one
 * of them: an authenticator would replace the first without a word. */
static enum csign_err
put_question(
    struct csign_enrolment *en, const struct csign_device_list *devices)
{
	struct csign_opening opening = {
	    .op = CSIGN_OP_ENROL,
	    .subject = en->account.name,
	    .devices = devices,
	    .lifetime = CSIGN_ENROL_LIFETIME_DEFAULT,
	};
	struct csign_link *fresh = NULL;
	enum csign_err r;

	for (int attempt = 0; attempt < 2; attempt++) {
		csign_composed_clear(&en->composed);
		if ((r = csign_compose_enrolment(en->ctx, &en->account, en->by,
			 &en->composed)) != CSIGN_OK ||
		    (r = csign_clock_boot(&en->asked_ms)) != CSIGN_OK)
			return r;
		opening.transaction = en->composed.bytes;
		r = csign_exchange_begin(
		    en->ctx, &opening, &fresh, &en->exchange);
		if (r != CSIGN_E_EXISTS)
			return r;
	}
	return CSIGN_E_SERVICE;
}

static uint32_t
latency_ms(const struct csign_enrolment *en)
{
	uint64_t now = 0;

	if (en->asked_ms == 0 || csign_clock_boot(&now) != CSIGN_OK ||
	    now < en->asked_ms)
		return 0;
	now -= en->asked_ms;
	return now > UINT32_MAX ? UINT32_MAX : (uint32_t)now;
}

static enum csign_err
audit(struct csign_enrolment *en, const char *result, enum csign_err reason)
{
	const struct csign_audit record = {
	    .event = "enrolment",
	    .result = result,
	    .reason = reason,
	    .user = en->account.name,
	    .uid = (int64_t)en->account.uid,
	    .service = "enroll",
	    .device = en->device.id[0] == '\0' ? NULL : en->device.id,
	    .device_name = en->device.name[0] == '\0' ? NULL : en->device.name,
	    .by = en->by,
	    .replaces = en->replaces[0] == '\0' ? NULL : en->replaces,
	    .question =
		en->composed.question[0] == '\0' ? NULL : en->composed.question,
	    .config_hash = en->ctx->settings.config_hash,
	    .trouble = csign_ctx_trouble(en->ctx, reason),
	    .counter = en->counter,
	    .latency_ms = latency_ms(en),
	};

	return csign_audit_write(&en->ctx->settings, &record, &en->ctx->why);
}

/* The reason that the caller hears is the one that was there before. */
static void
audit_failed(struct csign_enrolment *en, enum csign_err reason)
{
	const struct csign_why why = en->ctx->why;

	if (audit(en, "failed", reason) != CSIGN_OK)
		csign_debug(en->ctx, "%s", en->ctx->why.text);
	en->ctx->why = why;
}

static enum csign_err
set_names(struct csign_enrolment *en, const char *by, const char *name)
{
	size_t by_len = strlen(by), name_len = name == NULL ? 0 : strlen(name);

	if (by_len == 0 || by_len > CSIGN_USER_MAX)
		return CSIGN_E_INVALID;
	if (name_len > CSIGN_DEVICE_NAME_MAX) {
		csign_why_set(&en->ctx->why,
		    "the device's name is longer than %d bytes",
		    CSIGN_DEVICE_NAME_MAX);
		return CSIGN_E_TOO_LONG;
	}
	if (name_len > 0 && csign_device_name_check(name) != CSIGN_OK) {
		csign_why_set(&en->ctx->why,
		    "the device's name has characters that nobody sees");
		return CSIGN_E_INVALID;
	}
	memcpy(en->by, by, by_len + 1);
	if (name_len > 0)
		memcpy(en->name, name, name_len + 1);
	return CSIGN_OK;
}

enum csign_err
csign_enrolment_begin(struct csign_ctx *ctx, const char *user, const char *by,
    const char *name, struct csign_enrolment **ret_en)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_enrolment *en = NULL;
	struct csign_device_list devices = {NULL, 0};

	if (!csign_ctx_enter(ctx) || user == NULL || by == NULL ||
	    ret_en == NULL)
		return CSIGN_E_INVALID;
	if ((en = calloc(1, sizeof(*en))) == NULL)
		return CSIGN_E_NOMEM;
	en->ctx = ctx;
	if ((r = set_names(en, by, name)) != CSIGN_OK ||
	    (r = csign_account_find(user, &en->account, &ctx->why)) !=
		CSIGN_OK ||
	    (r = read_devices(en, &devices)) != CSIGN_OK)
		goto out;
	if ((r = put_question(en, &devices)) != CSIGN_OK) {
		en->step = STEP_OVER;
		audit_failed(en, r);
		goto out;
	}
	csign_removals_take(ctx, en->exchange, &en->account);
	/* Which device goes for it may still be said: see _wait(). */
	en->full = devices.n >= ctx->settings.max_devices;
	*ret_en = en;
	en = NULL;
	r = CSIGN_OK;
out:
	csign_device_list_clear(&devices);
	csign_enrolment_free(&en);
	return r;
}

void
csign_enrolment_free(struct csign_enrolment **enp)
{
	struct csign_enrolment *en;

	if (enp == NULL || (en = *enp) == NULL)
		return;
	if (en->asked_ms != 0 && en->step != STEP_OVER)
		audit_failed(en, CSIGN_E_CANCELLED);
	csign_exchange_free(&en->exchange);
	csign_link_free(&en->test_link);
	csign_composed_clear(&en->composed);
	csign_wipe(en, sizeof(*en));
	free(en);
	*enp = NULL;
}

const char *
csign_enrolment_link(const struct csign_enrolment *en)
{
	return en->exchange == NULL ? "" : csign_exchange_link(en->exchange);
}

uint32_t
csign_enrolment_seconds_left(const struct csign_enrolment *en)
{
	return en->exchange == NULL ? 0
				    : csign_exchange_seconds_left(en->exchange);
}

int
csign_enrolment_fd(const struct csign_enrolment *en)
{
	return en->exchange == NULL ? -1 : csign_exchange_fd(en->exchange);
}

const struct csign_device_info *
csign_enrolment_device(const struct csign_enrolment *en)
{
	return en->step == STEP_WAITING || en->step == STEP_OVER ? NULL
								 : &en->info;
}

/* Nobody's on this host yet (countersign-security(7) ENR-7)? */
static enum csign_err
check_unique(struct csign_enrolment *en)
{
	char owner[CSIGN_USER_MAX + 1];
	enum csign_err r;

	if ((r = csign_devices_owner(en->ctx->crypto,
		 en->ctx->settings.state_dir, &en->device, owner,
		 &en->ctx->why)) != CSIGN_OK)
		return r;
	if (owner[0] == '\0')
		return CSIGN_OK;
	csign_why_set(
	    &en->ctx->why, "this device is enrolled for %s already", owner);
	return CSIGN_E_EXISTS;
}

/* A device that was revoked stays so; a phone makes a new key to come back. */
static enum csign_err
check_not_gone(struct csign_enrolment *en, const struct csign_state *state)
{
	if (!csign_state_is_gone(state, en->device.id))
		return CSIGN_OK;
	csign_why_set(&en->ctx->why,
	    "this device was revoked here: let the phone forget this account, "
	    "so that it makes a new key");
	return CSIGN_E_EXISTS;
}

/* As it looks now; csign_enrolment_commit() looks again under the locks. */
static enum csign_err
check_new(struct csign_enrolment *en)
{
	struct csign_state state;
	enum csign_err r;

	if ((r = csign_state_peek(en->ctx->crypto, en->ctx->settings.state_dir,
		 &en->account, &state, &en->ctx->why)) != CSIGN_OK ||
	    (r = check_not_gone(en, &state)) != CSIGN_OK)
		return r;
	return check_unique(en);
}

static enum csign_err
name_device(struct csign_enrolment *en, const struct csign_answer *answer)
{
	struct csign_device *d = &en->device;
	uint64_t now_ms = 0;
	enum csign_err r;

	if ((r = csign_clock_wall(&now_ms)) != CSIGN_OK)
		return r;
	d->added = now_ms / 1000;
	memcpy(d->by, en->by, sizeof(d->by));
	memcpy(d->name, en->name[0] != '\0' ? en->name : answer->name,
	    sizeof(d->name));
	if (d->name[0] == '\0')
		memcpy(d->name, "phone", sizeof("phone"));
	return csign_device_describe(d, 0, &en->info, &en->texts);
}

/* The registration, checked; countersign-security(7) ENR-4. */
static enum csign_err
check_registration(
    struct csign_enrolment *en, const struct csign_answer *answer)
{
	const struct csign_settings *set = &en->ctx->settings;
	struct csign_proof_policy policy = {
	    .kinds = set->device_kinds,
	    .require_bound = set->device_bound == CSIGN_BOUND_REQUIRED,
	};
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	struct csign_proof_facts facts;
	char rp[CSIGN_HOST_MAX + 1];
	enum csign_err r;

	if (strcmp(answer->choice, "enroll") != 0)
		return CSIGN_E_PROOF_CHOICE;
	if ((r = csign_clock_wall(&policy.wall_ms)) != CSIGN_OK ||
	    (r = csign_origin_host(set->page_url, rp)) != CSIGN_OK ||
	    (r = csign_challenge(en->ctx->crypto, "enroll",
		 csign_buf_data(en->composed.bytes),
		 csign_buf_len(en->composed.bytes), "", challenge)) != CSIGN_OK)
		return r;
	r = csign_registration_check(en->ctx->crypto, answer, challenge, rp,
	    set->page_url, &policy, &en->device, &facts);
	if (r == CSIGN_E_PROOF_KIND)
		csign_why_set(&en->ctx->why,
		    "this host does not accept %s devices (device_kinds in "
		    "countersign.conf): a p256 device proves no user "
		    "verification",
		    csign_kind_name(answer->kind));
	if (r != CSIGN_OK)
		return r;
	en->counter = facts.counter;
	return check_new(en);
}

static enum csign_err
take_answer(struct csign_enrolment *en, const struct csign_buf *bytes)
{
	const void *data = csign_buf_data(bytes);
	size_t len = csign_buf_len(bytes);
	struct csign_answer answer;
	enum csign_err r;

	/* The phone may also say no, without a key: then there is none. */
	if (csign_answer_read(data, len, false, &answer) == CSIGN_OK &&
	    answer.kind == CSIGN_KIND_UNSIGNED)
		return CSIGN_E_DECLINED;
	if ((r = csign_answer_read(data, len, true, &answer)) != CSIGN_OK)
		return r == CSIGN_E_NOMEM ? r : CSIGN_E_PROOF_FORMAT;
	memset(&en->device, 0, sizeof(en->device));
	if ((r = check_registration(en, &answer)) != CSIGN_OK)
		return r;
	return name_device(en, &answer);
}

/* Was there an answer, and it was a wrong one?  Else it was trouble. */
static bool
is_refusal(enum csign_err r)
{
	return csign_is_proof_error(r) || r == CSIGN_E_DECLINED ||
	       r == CSIGN_E_EXISTS || r == CSIGN_E_TOO_LONG;
}

enum csign_err
csign_enrolment_wait(struct csign_enrolment *en, int timeout_ms)
{
	struct csign_buf *bytes = NULL;
	enum csign_err r;

	if (en == NULL || !csign_ctx_enter(en->ctx) || en->step != STEP_WAITING)
		return CSIGN_E_INVALID;
	if (en->full && en->replaces[0] == '\0')
		r = no_room(en);
	else
		r = csign_exchange_next(en->exchange, timeout_ms, &bytes);
	if (r == CSIGN_E_AGAIN)
		return r;
	if (r == CSIGN_OK) {
		r = take_answer(en, bytes);
		csign_buf_free(&bytes);
	}
	if (r == CSIGN_OK) {
		en->step = STEP_ANSWERED;
		return CSIGN_OK;
	}
	/* One try: a link that was answered wrongly may be in wrong hands. */
	en->step = STEP_OVER;
	csign_exchange_outcome(en->exchange, CSIGN_OUTCOME_DENIED, r, NULL);
	(void)audit(en, is_refusal(r) ? "refused" : "failed", r);
	return r;
}

enum csign_err
csign_enrolment_accept(struct csign_enrolment *en, bool yes)
{
	enum csign_err r;

	if (en == NULL || !csign_ctx_enter(en->ctx) ||
	    en->step != STEP_ANSWERED)
		return CSIGN_E_INVALID;
	if (!yes) {
		en->step = STEP_OVER;
		csign_exchange_outcome(
		    en->exchange, CSIGN_OUTCOME_DENIED, CSIGN_E_DENIED, NULL);
		return audit(en, "refused", CSIGN_E_DENIED);
	}
	if ((r = csign_exchange_test_link(en->exchange, &en->test_link)) !=
	    CSIGN_OK)
		return r;
	en->step = STEP_ACCEPTED;
	csign_exchange_outcome(
	    en->exchange, CSIGN_OUTCOME_GRANTED, CSIGN_OK, en->device.id);
	csign_exchange_free(&en->exchange);
	return CSIGN_OK;
}

enum csign_err
csign_enrolment_replace(struct csign_enrolment *en, const char *device)
{
	struct csign_device_list list = {NULL, 0};
	enum csign_err r;

	if (en == NULL || !csign_ctx_enter(en->ctx) || device == NULL ||
	    en->step == STEP_OVER)
		return CSIGN_E_INVALID;
	if ((r = read_devices(en, &list)) != CSIGN_OK)
		return r;
	if (csign_device_by_id(&list, device) == NULL) {
		csign_why_set(&en->ctx->why, "%s has no device with this id",
		    en->account.name);
		r = CSIGN_E_NOT_FOUND;
	} else {
		memcpy(en->replaces, device, sizeof(en->replaces));
	}
	csign_device_list_clear(&list);
	return r;
}

/* A question of the caller's, which has to be about this very account. */
static enum csign_err
check_question(struct csign_enrolment *en, const struct csign_request *req)
{
	struct csign_account account;
	enum csign_err r;

	if (req->user == NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_account_find(req->user, &account, &en->ctx->why)) !=
	    CSIGN_OK)
		return r;
	if (account.uid == en->account.uid &&
	    strcmp(account.name, en->account.name) == 0)
		return CSIGN_OK;
	csign_why_set(&en->ctx->why,
	    "a device of %s cannot answer a question for %s", en->account.name,
	    account.name);
	return CSIGN_E_INVALID;
}

static enum csign_err
make_test(struct csign_enrolment *en, struct csign_request **ret_req)
{
	struct csign_request *req = NULL;
	enum csign_err r;

	if ((r = csign_request_new(&req)) != CSIGN_OK ||
	    (r = csign_request_set(req, CSIGN_REQ_USER, en->account.name)) !=
		CSIGN_OK ||
	    (r = csign_request_set(req, CSIGN_REQ_SERVICE, "enroll")) !=
		CSIGN_OK ||
	    (r = csign_request_set(req, CSIGN_REQ_TITLE,
		 "Test of the new device: this grants nothing")) != CSIGN_OK ||
	    (r = csign_request_add_detail(req, "Device", en->device.name)) !=
		CSIGN_OK) {
		csign_request_free(&req);
		return r;
	}
	*ret_req = req;
	return CSIGN_OK;
}

enum csign_err
csign_enrolment_test(struct csign_enrolment *en,
    const struct csign_request *question, struct csign_approval **ret_ap)
{
	struct csign_request *req = NULL;
	struct csign_approval *test = NULL;
	struct csign_first first;
	enum csign_err r;

	if (en == NULL || !csign_ctx_enter(en->ctx) || ret_ap == NULL ||
	    en->step != STEP_ACCEPTED)
		return CSIGN_E_INVALID;
	first = (struct csign_first){
	    .device = &en->device,
	    .link = &en->test_link,
	    .login = question != NULL,
	};
	r = question == NULL ? make_test(en, &req)
			     : check_question(en, question);
	if (r == CSIGN_OK)
		r = csign_approval_begin_for(
		    en->ctx, question == NULL ? req : question, &first, &test);
	csign_request_free(&req);
	if (r != CSIGN_OK)
		return r;
	en->step = STEP_TESTED;
	en->login = first.login;
	en->test = test;
	*ret_ap = test;
	return CSIGN_OK;
}

/*
 * A login enrols the first device of an account and no further one.  It saw
 * that there was none before a phone was asked; since then, somebody else may
 * have enrolled one, and shall be the only one (countersign-security(7) ENR-1).
 */
static enum csign_err
check_first(struct csign_enrolment *en, const struct csign_state *state)
{
	struct csign_device_list list = {NULL, 0};
	bool first = false;
	enum csign_err r;

	if (!en->login || en->replaces[0] != '\0')
		return CSIGN_OK;
	if ((r = read_devices(en, &list)) != CSIGN_OK)
		return r;
	first = list.n == 0 && !state->had_device;
	csign_device_list_clear(&list);
	if (first)
		return CSIGN_OK;
	csign_why_set(&en->ctx->why,
	    "%s has had a device since this login began: it enrols none",
	    en->account.name);
	return CSIGN_E_EXISTS;
}

/*
 * The account's devices with the new one, and without the one whose place it
 * takes; the caller holds the lock.
 */
static enum csign_err
change_list(struct csign_enrolment *en, struct csign_device_list *ret_list)
{
	struct csign_device_list old = {NULL, 0}, list = {NULL, 0};
	enum csign_err r;

	if ((r = read_devices(en, &old)) != CSIGN_OK)
		return r;
	if ((list.items = calloc(old.n + 1, sizeof(*list.items))) == NULL) {
		csign_device_list_clear(&old);
		return CSIGN_E_NOMEM;
	}
	for (size_t i = 0; i < old.n; i++)
		if (strcmp(old.items[i].id, en->replaces) != 0)
			list.items[list.n++] = old.items[i];
	csign_device_list_clear(&old);
	if (list.n >= en->ctx->settings.max_devices) {
		csign_device_list_clear(&list);
		return no_room(en);
	}
	list.items[list.n++] = en->device;
	*ret_list = list;
	return CSIGN_OK;
}

/* What the state knows of the account's devices when they are this list. */
static enum csign_err
change_state(const struct csign_enrolment *en,
    const struct csign_approval *test, const struct csign_device_list *list,
    struct csign_state *state)
{
	struct csign_device_use *use;

	if (en->replaces[0] != '\0')
		csign_state_bury(state, en->replaces, en->device.added);
	csign_state_prune(state, list);
	if ((use = csign_state_use(state, en->device.id)) == NULL)
		return CSIGN_E_STATE;
	use->counter = csign_approval_facts(test)->counter;
	use->last_used = en->device.added;
	state->had_device = true;
	return CSIGN_OK;
}

/*
 * Under the account's lock and the store's: nobody else enrols this key for
 * another account between the look and the write (ENR-7).
 */
static enum csign_err
write_device(struct csign_enrolment *en, const struct csign_approval *test,
    struct csign_state *state)
{
	const char *dir = en->ctx->settings.state_dir;
	struct csign_why *why = &en->ctx->why;
	struct csign_device_list list = {NULL, 0};
	enum csign_err r = CSIGN_E_INTERNAL;
	int lock = -1;

	if ((r = csign_devices_lock(dir, why, &lock)) != CSIGN_OK ||
	    (r = check_first(en, state)) != CSIGN_OK ||
	    (r = check_not_gone(en, state)) != CSIGN_OK ||
	    (r = check_unique(en)) != CSIGN_OK ||
	    (r = change_list(en, &list)) != CSIGN_OK ||
	    (r = change_state(en, test, &list, state)) != CSIGN_OK ||
	    (r = audit(en, "granted", CSIGN_OK)) != CSIGN_OK)
		goto out;
	r = csign_devices_write(en->ctx->crypto, dir, &en->account, &list, why);
out:
	csign_close(&lock);
	csign_device_list_clear(&list);
	return r;
}

enum csign_err
csign_enrolment_commit(
    struct csign_enrolment *en, const struct csign_approval *test)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_state_lock *lock = NULL;
	struct csign_state state;
	struct csign_why *why;

	if (en == NULL || !csign_ctx_enter(en->ctx) ||
	    en->step != STEP_TESTED || test == NULL || test != en->test ||
	    csign_approval_choice(test)[0] == '\0')
		return CSIGN_E_INVALID;
	en->step = STEP_OVER;
	why = &en->ctx->why;
	if ((r = csign_state_lock(en->ctx->crypto, en->ctx->settings.state_dir,
		 &en->account, why, &lock)) != CSIGN_OK ||
	    (r = csign_state_read(lock, &state, why)) != CSIGN_OK ||
	    /*
	     * The list first: cut off here, one of two devices is there.  The
	     * mark of USR-2 may follow: who takes a list away sets it before.
	     */
	    (r = write_device(en, test, &state)) != CSIGN_OK)
		goto out;
	r = csign_state_write(lock, &state, why);
out:
	csign_state_unlock(&lock);
	if (r != CSIGN_OK)
		audit_failed(en, r);
	return r;
}
