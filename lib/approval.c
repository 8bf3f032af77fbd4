/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "approval.h"
#include "bounds.h"
#include "clock.h"
#include "codec.h"
#include "compose.h"
#include "ctx.h"
#include "device.h"
#include "exchange.h"
#include "judge.h"
#include "limit.h"
#include "proof.h"
#include "push.h"
#include "removal.h"
#include "request.h"
#include "state.h"

/* For a service that says no: it shall not take twice as long as one. */
#define AGAIN_WITHIN_MS 1000

struct csign_approval {
	struct csign_ctx *ctx;
	struct csign_request *req; /* a copy */
	struct csign_account account;
	struct csign_composed composed;
	struct csign_exchange *exchange;
	struct csign_device_list asked; /* whose answer is waited for */
	bool first; /* of the one device that is asked, which is not stored yet
		     */
	bool test;  /* and it grants nothing */
	bool known, nobody;
	bool was_put; /* the service has the question, as it rings */
	/* phones ring: the name of the turn that was taken, "" for none */
	char ring[CSIGN_RING_SIZE];
	struct csign_ruling ruling;
	char note[CSIGN_PUSH_NOTE_SIZE]; /* why no phone rings, or "" */
	enum csign_err end; /* how it ended; CSIGN_E_AGAIN while it is open */
};

static enum csign_err
copy_request(const struct csign_request *req, struct csign_request **ret_req)
{
	static const enum csign_request_field fields[] = {CSIGN_REQ_USER,
	    CSIGN_REQ_SERVICE, CSIGN_REQ_TITLE, CSIGN_REQ_RHOST, CSIGN_REQ_TTY,
	    CSIGN_REQ_BY};
	const char *const values[] = {
	    req->user, req->service, req->title, req->rhost, req->tty, req->by};
	struct csign_request *copy = NULL;
	enum csign_err r;

	if ((r = csign_request_new(&copy)) != CSIGN_OK)
		return r;
	for (size_t i = 0;
	     r == CSIGN_OK && i < sizeof(fields) / sizeof(fields[0]); i++)
		r = csign_request_set(copy, fields[i], values[i]);
	for (size_t i = 0; r == CSIGN_OK && i < req->n_details; i++)
		r = csign_request_add_detail(
		    copy, req->details[i].label, req->details[i].value);
	for (size_t i = 0; r == CSIGN_OK && i < req->n_choices; i++)
		r = csign_request_add_choice(copy, req->choices[i]);
	if (r != CSIGN_OK) {
		csign_request_free(&copy);
		return r;
	}
	copy->unproven = req->unproven;
	copy->proven = req->proven;
	copy->quiet = req->quiet;
	*ret_req = copy;
	return CSIGN_OK;
}

/* Does the host's policy ask this account at all? */
static enum csign_err
check_groups(struct csign_approval *ap)
{
	const struct csign_settings *set = &ap->ctx->settings;
	enum csign_err r;
	bool in = false;

	if (set->exempt_groups != NULL) {
		r = csign_account_in_groups(
		    &ap->account, set->exempt_groups, &in, &ap->ctx->why);
		if (r == CSIGN_OK && in)
			return CSIGN_E_EXEMPT;
		if (r != CSIGN_OK && r != CSIGN_E_NOT_FOUND)
			return r;
	}
	if (set->require_groups != NULL) {
		in = false;
		r = csign_account_in_groups(
		    &ap->account, set->require_groups, &in, &ap->ctx->why);
		if (r == CSIGN_OK && !in)
			return CSIGN_E_EXEMPT;
		/* A group that cannot be resolved: ask (PAM-10). */
		if (r != CSIGN_OK && r != CSIGN_E_NOT_FOUND)
			return r;
	}
	return CSIGN_OK;
}

/*
 * The account has no device that could answer, for this reason.  Seen from
 * outside it must look like one that never had any (RL-7).
 */
static enum csign_err
unusable(const struct csign_approval *ap, enum csign_err reason)
{
	return ap->req->unproven ? CSIGN_E_UNENROLLED : reason;
}

static enum csign_err
check_kinds(struct csign_approval *ap)
{
	for (size_t i = 0; i < ap->asked.n; i++)
		if ((csign_kind_bit(ap->asked.items[i].kind) &
			ap->ctx->settings.device_kinds) != 0)
			return CSIGN_OK;
	csign_why_set(&ap->ctx->why,
	    "no device of %s has a kind that device_kinds accepts: add the "
	    "kind in countersign.conf, or enrol another device",
	    ap->account.name);
	return unusable(ap, CSIGN_E_DEVICES);
}

/*
 * Inside a login that proved another factor, and for root only where the admin
 * says so twice (countersign-security(7) ENR-1).
 */
static bool
may_enrol_now(const struct csign_approval *ap)
{
	const struct csign_settings *set = &ap->ctx->settings;

	return set->unenrolled == CSIGN_UNENROLLED_ENROLL && ap->req->proven &&
	       !ap->req->unproven && (ap->account.uid != 0 || set->enroll_root);
}

/* Nobody has a device: is that so, and what does the policy say? */
static enum csign_err
judge_unenrolled(struct csign_approval *ap)
{
	struct csign_ctx *ctx = ap->ctx;
	struct csign_state state;
	enum csign_err r;

	if ((r = csign_state_peek(ctx->crypto, ctx->settings.state_dir,
		 &ap->account, &state, &ctx->why)) != CSIGN_OK)
		return r;
	if (state.had_device) {
		csign_why_set(&ctx->why,
		    "%s had a device and has none now: enrol one with "
		    "\"countersign enroll %s\", or end it with \"countersign "
		    "deenroll %s\"",
		    ap->account.name, ap->account.name, ap->account.name);
		return unusable(ap, CSIGN_E_STATE);
	}
	if (ctx->settings.unenrolled == CSIGN_UNENROLLED_IGNORE)
		return CSIGN_E_EXEMPT;
	if (may_enrol_now(ap)) {
		csign_why_set(&ctx->why,
		    "%s has no device yet and may enrol "
		    "one in this login",
		    ap->account.name);
		return CSIGN_E_ENROLL;
	}
	csign_why_set(&ctx->why,
	    "%s has no device: enrol one with \"countersign enroll %s\"",
	    ap->account.name, ap->account.name);
	return CSIGN_E_UNENROLLED;
}

/*
 * What a name without a device would look like if it had one: always the same
 * for the same name, and known to nobody without this host's access key, so
 * that the question shown for it tells nothing (RL-7).
 */
static enum csign_err
invent(struct csign_approval *ap)
{
	struct csign_ctx *ctx = ap->ctx;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_secret *key = NULL;
	struct csign_device *device = NULL;
	unsigned char bytes[1 + 32 + CSIGN_DEVICE_ID_LEN];
	size_t len = strlen(ap->req->user);

	if ((r = csign_settings_access_key(&ctx->settings, &ctx->why, &key)) !=
		CSIGN_OK ||
	    (r = csign_hkdf_sha256(ctx->crypto, csign_secret_data(key),
		 CSIGN_ACCESS_KEY_LEN, ap->req->user, len,
		 "countersign/1 nobody", bytes, sizeof(bytes))) != CSIGN_OK)
		goto out;
	if (!ap->known) {
		ap->account.uid = 1000 + (uid_t)bytes[0] % 200;
		len = len > CSIGN_USER_MAX ? CSIGN_USER_MAX : len;
		memcpy(ap->account.name, ap->req->user, len);
		ap->account.name[len] = '\0';
	}
	if ((device = calloc(1, sizeof(*device))) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	device->kind =
	    (ctx->settings.device_kinds & CSIGN_KIND_BIT_WEBAUTHN) != 0
		? CSIGN_KIND_WEBAUTHN
		: CSIGN_KIND_P256;
	device->credential_len = 32;
	memcpy(device->credential, bytes + 1, 32);
	if ((r = csign_b32_encode(bytes + 33, CSIGN_DEVICE_ID_LEN,
		 CSIGN_B32_LOWER, device->id, sizeof(device->id))) != CSIGN_OK)
		goto out;
	csign_device_list_clear(&ap->asked);
	ap->nobody = true;
	ap->asked.items = device;
	ap->asked.n = 1;
	device = NULL;
	r = CSIGN_OK;
out:
	free(device);
	csign_secret_free(&key);
	return r;
}

/*
 * Who is asked: the account, and its devices.  For an account without, seen
 * from outside before anything was proven, a question that nobody can answer
 * (ap->nobody), so that it looks like any other.
 */
static enum csign_err
find_respondent(struct csign_approval *ap)
{
	struct csign_ctx *ctx = ap->ctx;
	enum csign_err r;

	r = csign_account_find(ap->req->user, &ap->account, &ctx->why);
	if (r == CSIGN_E_UNKNOWN_USER || r == CSIGN_E_INVALID) {
		if (!ap->req->unproven)
			return CSIGN_E_UNKNOWN_USER;
		return invent(ap);
	}
	if (r != CSIGN_OK)
		return r;
	ap->known = true;
	if (ap->first)
		return CSIGN_OK;
	if ((r = check_groups(ap)) != CSIGN_OK)
		return r;
	r = csign_devices_read(ctx->crypto, ctx->settings.state_dir,
	    &ap->account, &ap->asked, &ctx->why);
	if (r == CSIGN_OK)
		r = check_kinds(ap);
	else if (r == CSIGN_E_UNENROLLED)
		r = judge_unenrolled(ap);
	return r == CSIGN_E_UNENROLLED && ap->req->unproven ? invent(ap) : r;
}

static struct csign_case
case_of(const struct csign_approval *ap)
{
	return (struct csign_case){
	    .ctx = ap->ctx,
	    .req = ap->req,
	    .account = &ap->account,
	    .composed = &ap->composed,
	    .exchange = ap->exchange,
	    .known = ap->known,
	    .nobody = ap->nobody,
	    .asked = &ap->asked,
	    .only = ap->first ? ap->asked.items : NULL,
	    .test = ap->test,
	};
}

/* On a question that ended, or an answer that could not even be opened. */
static void
audit_unread(struct csign_approval *ap, const struct csign_case *c,
    const char *result, enum csign_err r)
{
	const struct csign_ruling nobody = {0};
	const struct csign_why why = ap->ctx->why;

	if (csign_case_audit(c, &nobody, result, r) != CSIGN_OK)
		csign_debug(ap->ctx, "%s", ap->ctx->why.text);
	/* What ended it matters more than a record that was not taken. */
	ap->ctx->why = why;
}

/* --- phones that ring ----------------------------------------------------
 */

static bool
any_rings(const struct csign_approval *ap)
{
	for (size_t i = 0; i < ap->asked.n; i++)
		if (csign_device_rings(
			&ap->asked.items[i], ap->ctx->settings.device_kinds))
			return true;
	return false;
}

/*
 * Takes the account's turn to ring, if the host wants that and the limit allows
 * it, and says what the phone is to ask for.  It says nothing about whose
 * question it is before anything was proven: then the code is there for names
 * that nobody has, too, and no word about the limit of one that somebody has
 * (RL-7).
 */
static enum csign_code
take_turn(struct csign_approval *ap)
{
	struct csign_ctx *ctx = ap->ctx;
	const struct csign_why why = ctx->why;
	const bool unproven = ap->req->unproven;
	char note[CSIGN_PUSH_NOTE_SIZE] = "";
	enum csign_quiet quiet;

	if (ap->first || !csign_push_wanted(ctx, ap->req))
		return CSIGN_CODE_NEVER;
	/* A device that was invented has no key for that. */
	if (any_rings(ap)) {
		quiet = csign_push_take(
		    ctx, &ap->account, ctx->settings.lifetime, ap->ring, note);
		if (quiet != CSIGN_QUIET_NO)
			ap->ring[0] = '\0';
		ctx->why = why;
	}
	if (unproven)
		return CSIGN_CODE_INBOX;
	memcpy(ap->note, note, sizeof(ap->note));
	return ap->ring[0] == '\0' ? CSIGN_CODE_NEVER
				   : csign_push_code(ctx, &ap->account);
}

/* A no is counted by who judged it; a success ends more than its own ring. */
static enum csign_became
became_of(const struct csign_approval *ap)
{
	if (!ap->ruling.settled)
		return ap->was_put ? CSIGN_BECAME_UNANSWERED
				   : CSIGN_BECAME_LOST;
	return ap->ruling.became == CSIGN_BECAME_DENIED ||
		       ap->ruling.became == CSIGN_BECAME_NOT_ME
		   ? CSIGN_BECAME_ANSWERED
		   : ap->ruling.became;
}

/* It ended: that is told once. */
static void
end_turn(struct csign_approval *ap)
{
	const struct csign_why why = ap->ctx->why;

	if (ap->ring[0] == '\0' && !ap->ruling.settled)
		return;
	csign_push_over(ap->ctx, &ap->account, ap->ring, became_of(ap));
	ap->ring[0] = '\0';
	ap->ruling.settled = false;
	ap->ctx->why = why;
}

/* --- the question --------------------------------------------------------
 */

/* Whoever draws out the beginning shall not draw out the whole (ENG-5). */
static bool
is_soon(uint64_t began_ms)
{
	uint64_t now = 0;

	return csign_clock_boot(&now) == CSIGN_OK &&
	       now - began_ms < AGAIN_WITHIN_MS;
}

/* A link id that is taken: new secret, nonce and bytes, once (TX-7). */
static enum csign_err
put_this(struct csign_approval *ap, struct csign_link **link,
    enum csign_code asks, bool ring, uint64_t began_ms)
{
	/*
	 * The service is not told whose question it is before anything was
	 * proven: its limit for each user would let a stranger find out who is
	 * one, and keep him out by asking for him all the time (RL-7).  Whose
	 * phones are to ring it has to know.
	 */
	const bool named = !ap->req->unproven || ring;
	struct csign_opening opening = {
	    .op = CSIGN_OP_APPROVE,
	    .subject = named ? ap->account.name : "",
	    .devices = &ap->asked,
	    .ring = ring,
	    .lifetime = ap->ctx->settings.lifetime,
	};
	enum csign_err r = CSIGN_E_EXISTS;

	for (int attempt = 0;
	     attempt == 0 ||
	     (attempt == 1 && r == CSIGN_E_EXISTS && is_soon(began_ms));
	     attempt++) {
		csign_composed_clear(&ap->composed);
		if ((r = csign_compose_approval(ap->ctx, ap->req, &ap->account,
			 asks, &ap->composed)) != CSIGN_OK)
			return r;
		opening.transaction = ap->composed.bytes;
		ap->ctx->trouble = 0;
		r = csign_exchange_begin(
		    ap->ctx, &opening, link, &ap->exchange);
	}
	return r;
}

/*
 * Phones that cannot be rung are no reason not to show the link.  A service
 * that says no to a question that rings, but at once, is asked without; one
 * that took its time has had it.
 */
static bool
may_do_without(uint64_t began_ms, enum csign_err r)
{
	return (r == CSIGN_E_SERVICE || r == CSIGN_E_COURIER) &&
	       is_soon(began_ms);
}

static enum csign_err
put_question(struct csign_approval *ap, struct csign_link **link)
{
	enum csign_code asks = take_turn(ap);
	const bool ring = ap->ring[0] != '\0';
	uint64_t began = 0;
	enum csign_err r;

	if ((r = csign_clock_boot(&began)) != CSIGN_OK)
		return r;
	r = put_this(ap, link, asks, ring, began);
	ap->was_put = r == CSIGN_OK;
	if (ring && may_do_without(began, r)) {
		csign_debug(ap->ctx, "nothing rings: %s", ap->ctx->why.text);
		end_turn(ap);
		if (!ap->req->unproven)
			asks = CSIGN_CODE_NEVER;
		r = put_this(ap, link, asks, false, began);
	}
	return r == CSIGN_E_EXISTS ? CSIGN_E_SERVICE : r;
}

static enum csign_err
ask_only(struct csign_approval *ap, const struct csign_first *first)
{
	if ((ap->asked.items = malloc(sizeof(*first->device))) == NULL)
		return CSIGN_E_NOMEM;
	ap->asked.items[0] = *first->device;
	ap->asked.n = 1;
	ap->first = true;
	ap->test = !first->login;
	return CSIGN_OK;
}

enum csign_err
csign_approval_begin_for(struct csign_ctx *ctx, const struct csign_request *req,
    const struct csign_first *first, struct csign_approval **ret_ap)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_approval *ap = NULL;
	struct csign_link *fresh = NULL;
	struct csign_case c;

	if ((ap = calloc(1, sizeof(*ap))) == NULL)
		return CSIGN_E_NOMEM;
	ap->ctx = ctx;
	ap->end = CSIGN_E_AGAIN;
	if ((r = copy_request(req, &ap->req)) != CSIGN_OK)
		goto out;
	if (first != NULL && (r = ask_only(ap, first)) != CSIGN_OK)
		goto out;
	if ((r = find_respondent(ap)) == CSIGN_OK)
		r = put_question(ap, first == NULL ? &fresh : first->link);
	if (r != CSIGN_OK) {
		/* An account that is not asked is not refused either. */
		if (r != CSIGN_E_EXEMPT && r != CSIGN_E_ENROLL) {
			c = case_of(ap);
			audit_unread(ap, &c, "failed", r);
		}
		goto out;
	}
	csign_removals_take(ctx, ap->exchange, ap->known ? &ap->account : NULL);
	*ret_ap = ap;
	ap = NULL;
	r = CSIGN_OK;
out:
	csign_approval_free(&ap);
	return r;
}

enum csign_err
csign_approval_begin(struct csign_ctx *ctx, const struct csign_request *req,
    struct csign_approval **ret_ap)
{
	if (!csign_ctx_enter(ctx) || req == NULL || req->user == NULL ||
	    ret_ap == NULL)
		return CSIGN_E_INVALID;
	return csign_approval_begin_for(ctx, req, NULL, ret_ap);
}

void
csign_approval_free(struct csign_approval **app)
{
	struct csign_approval *ap;

	if (app == NULL || (ap = *app) == NULL)
		return;
	if (ap->exchange != NULL && ap->end == CSIGN_E_AGAIN) {
		const struct csign_case c = case_of(ap);

		audit_unread(ap, &c, "failed", CSIGN_E_CANCELLED);
	}
	csign_exchange_free(&ap->exchange);
	end_turn(ap);
	csign_composed_clear(&ap->composed);
	csign_request_free(&ap->req);
	csign_device_list_clear(&ap->asked);
	csign_wipe(ap, sizeof(*ap));
	free(ap);
	*app = NULL;
}

const char *
csign_approval_link(const struct csign_approval *ap)
{
	return csign_exchange_link(ap->exchange);
}

const char *
csign_approval_code(const struct csign_approval *ap)
{
	return ap->composed.code;
}

const char *
csign_approval_push_note(const struct csign_approval *ap)
{
	return ap->note;
}

int
csign_approval_rings(const struct csign_approval *ap)
{
	/* Whether there are phones is said to nobody who has proven nothing. */
	return ap->req->unproven ? -1 : csign_exchange_rings(ap->exchange);
}

uint32_t
csign_approval_seconds_left(const struct csign_approval *ap)
{
	return csign_exchange_seconds_left(ap->exchange);
}

int
csign_approval_fd(const struct csign_approval *ap)
{
	return csign_exchange_fd(ap->exchange);
}

const char *
csign_approval_choice(const struct csign_approval *ap)
{
	return ap->end == CSIGN_OK ? ap->ruling.choice : "";
}

const char *
csign_approval_device(const struct csign_approval *ap)
{
	return ap->end == CSIGN_OK ? ap->ruling.device_name : "";
}

int
csign_approval_codes_left(const struct csign_approval *ap)
{
	return ap->end == CSIGN_OK ? ap->ruling.codes_left : -1;
}

const struct csign_proof_facts *
csign_approval_facts(const struct csign_approval *ap)
{
	return &ap->ruling.facts;
}

/*
 * What the caller is told at the end of a question that nobody could answer.
 * Too many answers end it like any other: they end a connection to sshd.
 */
static enum csign_err
end_for_nobody(const struct csign_approval *ap, enum csign_err r)
{
	if (r != CSIGN_E_EXPIRED)
		return r;
	return ap->known ? CSIGN_E_UNENROLLED : CSIGN_E_UNKNOWN_USER;
}

/* One answer, or the end: CSIGN_E_AGAIN if another answer may follow. */
static enum csign_err
take_answer(struct csign_approval *ap, int timeout_ms, uint32_t *ret_verdict)
{
	const struct csign_case c = case_of(ap);
	struct csign_buf *answer = NULL;
	enum csign_err r;

	r = csign_exchange_next(ap->exchange, timeout_ms, &answer);
	if (r == CSIGN_E_AGAIN)
		return r;
	if (r != CSIGN_OK && !csign_is_proof_error(r)) {
		/* It ended without an answer; the service hears a cancel. */
		audit_unread(ap, &c, "failed", r);
		return r;
	}
	if (r == CSIGN_OK)
		r = csign_judge(&c, answer, &ap->ruling, ret_verdict);
	else
		audit_unread(ap, &c, "refused", r);
	csign_buf_free(&answer);
	if (r == CSIGN_E_PROOF_CODE)
		csign_exchange_wrong_code(ap->exchange);
	if (csign_is_proof_error(r)) {
		csign_exchange_outcome(
		    ap->exchange, CSIGN_OUTCOME_REJECTED, r, NULL);
		return csign_exchange_tries_left(ap->exchange) > 0
			   ? CSIGN_E_AGAIN
			   : CSIGN_E_LIMIT;
	}
	/* By its name the service knows whose other phones are to hear it. */
	if (r == CSIGN_OK)
		csign_exchange_outcome(ap->exchange, CSIGN_OUTCOME_GRANTED, r,
		    ap->ctx->settings.push ? ap->ruling.device : NULL);
	else
		csign_exchange_outcome(
		    ap->exchange, CSIGN_OUTCOME_DENIED, r, NULL);
	return r;
}

enum csign_err
csign_approval_wait(
    struct csign_approval *ap, int timeout_ms, uint32_t *ret_verdict)
{
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err r;

	if (ap == NULL || ret_verdict == NULL)
		return CSIGN_E_INVALID;
	if (ap->end != CSIGN_E_AGAIN)
		return ap->end == CSIGN_OK ? CSIGN_E_PROOF_CONSUMED : ap->end;
	do {
		r = take_answer(ap, timeout_ms, &verdict);
	} while (r == CSIGN_E_AGAIN && timeout_ms < 0);
	if (r == CSIGN_E_AGAIN)
		return r;
	if (r == CSIGN_OK && verdict != CSIGN_VERDICT_GRANTED)
		r = CSIGN_E_INTERNAL;
	if (ap->nobody)
		r = end_for_nobody(ap, r == CSIGN_OK ? CSIGN_E_INTERNAL : r);
	ap->end = r;
	end_turn(ap);
	if (r == CSIGN_OK)
		*ret_verdict = verdict;
	return r;
}
