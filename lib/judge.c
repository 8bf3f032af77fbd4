/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "audit.h"
#include "clock.h"
#include "judge.h"
#include "limit.h"
#include "secret.h"
#include "state.h"

#define CODES_FEW 3

/* How the answer's choice stands to the question. */
enum choice_kind { CHOICE_GRANTS, CHOICE_DENY, CHOICE_NOT_ME, CHOICE_FOREIGN };

static enum choice_kind
choice_of(const struct csign_request *req, const char *choice)
{
	if (strcmp(choice, "deny") == 0)
		return CHOICE_DENY;
	if (strcmp(choice, "not-me") == 0)
		return CHOICE_NOT_ME;
	if (req->n_choices == 0)
		return strcmp(choice, "approve") == 0 ? CHOICE_GRANTS
						      : CHOICE_FOREIGN;
	for (size_t i = 0; i < req->n_choices; i++)
		if (strcmp(choice, req->choices[i]) == 0)
			return CHOICE_GRANTS;
	return CHOICE_FOREIGN;
}

bool
csign_is_proof_error(enum csign_err err)
{
	return err >= CSIGN_E_PROOF_FORMAT && err <= CSIGN_E_PROOF_CREDENTIAL;
}

/* "countersign test" says who asks; a PAM service of that name does not. */
static bool
is_try(const struct csign_request *req)
{
	return req->by != NULL &&
	       strcmp(csign_request_service(req), "test") == 0;
}

static enum csign_err
write_record(const struct csign_case *c, const struct csign_ruling *ruling,
    const char *event, const char *result, enum csign_err reason)
{
	const struct csign_audit record = {
	    .event = event,
	    .result = result,
	    .reason = reason,
	    .user = c->known ? c->account->name : NULL,
	    .uid = c->known ? (int64_t)c->account->uid : -1,
	    .service = csign_request_service(c->req),
	    .tty = c->req->tty,
	    .rhost = c->req->rhost,
	    .device = ruling->device[0] == '\0' ? NULL : ruling->device,
	    .device_name =
		ruling->device_name[0] == '\0' ? NULL : ruling->device_name,
	    .choice = ruling->choice[0] == '\0' ? NULL : ruling->choice,
	    .by = c->req->by,
	    .question =
		c->composed->question[0] == '\0' ? NULL : c->composed->question,
	    .config_hash = c->ctx->settings.config_hash,
	    .evidence = ruling->evidence[0] == '\0' ? NULL : ruling->evidence,
	    .trouble = csign_ctx_trouble(c->ctx, reason),
	    .flags = ruling->facts.flags,
	    .counter = ruling->facts.counter,
	    .latency_ms =
		c->exchange == NULL ? 0 : csign_exchange_age_ms(c->exchange),
	};

	return csign_audit_write(&c->ctx->settings, &record, &c->ctx->why);
}

enum csign_err
csign_case_audit(const struct csign_case *c, const struct csign_ruling *ruling,
    const char *result, enum csign_err reason)
{
	return write_record(c, ruling,
	    c->test || is_try(c->req) ? "test" : "approval", result, reason);
}

/* Everything that is known and held while one answer is judged. */
struct bench {
	const struct csign_case *c;
	struct csign_answer answer;
	enum choice_kind choice;
	struct csign_state_lock *lock;
	struct csign_state state;
	struct csign_device_list devices;
	const struct csign_device *device;
	struct csign_device_use *use; /* in state; NULL for a first one */
	uint32_t counter;
	uint64_t wall_ms; /* by which the proof was checked */
	bool typed;       /* what was signed has a code in it */
	bool quiet;       /* by this answer phones stop to ring */
	struct csign_steps steps;
};

/* One proof for one challenge: this choice with this code, "" for none. */
static enum csign_err
check_with(const struct bench *b, const struct csign_device *device,
    const char *code, const struct csign_proof_policy *policy,
    struct csign_proof_facts *ret_facts)
{
	const struct csign_case *c = b->c;
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	enum csign_err r;

	if ((r = csign_challenge(c->ctx->crypto, b->answer.choice,
		 csign_buf_data(c->composed->bytes),
		 csign_buf_len(c->composed->bytes), code, challenge)) !=
	    CSIGN_OK)
		return r;
	return csign_proof_check(
	    c->ctx->crypto, device, &b->answer, challenge, policy, ret_facts);
}

/*
 * Signed by whom it says, for this question and this choice?  Without a code it
 * was made from the scanned link, or by a tap that is allowed.  Where the
 * question has a code, a yes may be made with that: b->typed, also if it was
 * wrong, CSIGN_E_PROOF_CODE.  A no never has one (TX-3).
 */
static enum csign_err
check_proof(struct bench *b, const struct csign_device *device,
    uint32_t counter, struct csign_proof_facts *ret_facts)
{
	const struct csign_case *c = b->c;
	const struct csign_settings *set = &c->ctx->settings;
	struct csign_proof_policy policy = {
	    .kinds = set->device_kinds,
	    .require_bound = set->device_bound == CSIGN_BOUND_REQUIRED,
	    .counter = counter,
	};
	enum csign_err r;

	b->typed = false;
	if ((r = csign_clock_wall(&policy.wall_ms)) != CSIGN_OK)
		return r;
	b->wall_ms = policy.wall_ms;
	r = check_with(b, device, "", &policy, ret_facts);
	if (r != CSIGN_E_PROOF_CHALLENGE || b->choice != CHOICE_GRANTS ||
	    c->composed->asks != CSIGN_CODE_INBOX)
		return r;
	r = check_with(b, device, c->composed->code, &policy, ret_facts);
	if (r == CSIGN_E_PROOF_CHALLENGE)
		r = csign_proof_wrong_code(
		    c->ctx->crypto, device, &b->answer, &policy, ret_facts);
	b->typed = r == CSIGN_OK || r == CSIGN_E_PROOF_CODE;
	return r;
}

/*
 * Before the lock, as far as that can be said: somebody who cannot sign must
 * not come to hold it.  The user of a set-id program can stop it at any time,
 * and all others who approve for the account would wait.
 */
static enum csign_err
look_first(struct bench *b, struct csign_ruling *ruling)
{
	const struct csign_case *c = b->c;
	const struct csign_device *device;
	struct csign_proof_facts facts;
	enum csign_err r;

	if (c->nobody ||
	    (device = csign_device_by_id(c->asked, b->answer.device)) == NULL)
		return CSIGN_E_PROOF_DEVICE;
	memcpy(ruling->device_name, device->name, sizeof(ruling->device_name));
	r = check_proof(b, device, 0, &facts);
	/* Who typed a wrong code can sign. */
	return r == CSIGN_E_PROOF_CODE ? CSIGN_OK : r;
}

/*
 * Devices and state as they are now, under the lock: what was revoked while
 * the phone was asked is gone (countersign-security(7) SIG-2, ST-1).
 */
static enum csign_err
summon(struct bench *b)
{
	const struct csign_case *c = b->c;
	const char *dir = c->ctx->settings.state_dir;
	enum csign_err r;

	if ((r = csign_state_lock(c->ctx->crypto, dir, c->account, &c->ctx->why,
		 &b->lock)) != CSIGN_OK ||
	    (r = csign_state_read(b->lock, &b->state, &c->ctx->why)) !=
		CSIGN_OK)
		return r;
	if (c->only != NULL) {
		b->device = c->only;
		b->steps.device = CSIGN_STEP_DEVICE;
		return CSIGN_OK;
	}
	r = csign_devices_read(
	    c->ctx->crypto, dir, c->account, &b->devices, &c->ctx->why);
	if (r == CSIGN_E_UNENROLLED) /* the last one was revoked meanwhile */
		return CSIGN_E_PROOF_DEVICE;
	if (r != CSIGN_OK)
		return r;
	b->device = csign_device_by_id(&b->devices, b->answer.device);
	/* One that is gone may still have its line, after a crash or a copy. */
	if (b->device == NULL || csign_state_is_gone(&b->state, b->device->id))
		return CSIGN_E_PROOF_DEVICE;
	if ((b->use = csign_state_use(&b->state, b->device->id)) == NULL) {
		/* Uses that others left behind must not keep this one out. */
		csign_state_prune(&b->state, &b->devices);
		b->use = csign_state_use(&b->state, b->device->id);
	}
	if (b->use == NULL)
		return CSIGN_E_STATE;
	b->counter = b->use->counter;
	b->steps.device = CSIGN_STEP_DEVICE;
	return CSIGN_OK;
}

/*
 * Recovery codes left, where the person should hear of it: one was used since
 * any device was, or few are left.  Else -1.
 */
static int
codes_worth_a_word(const struct csign_state *state)
{
	size_t left = csign_state_codes_left(state);
	uint64_t code = 0, device = 0;

	for (size_t i = 0; i < state->n_codes; i++)
		if (state->codes[i].used > code)
			code = state->codes[i].used;
	for (size_t i = 0; i < state->n_uses; i++)
		if (state->uses[i].last_used > device)
			device = state->uses[i].last_used;
	return (code > 0 && code >= device) || (left > 0 && left <= CODES_FEW)
		   ? (int)left
		   : -1;
}

/* What the limit of phones that ring is told of a signed answer. */
static enum csign_became
became_of(const struct bench *b, bool wrong_code)
{
	if (wrong_code)
		return CSIGN_BECAME_WRONG_CODE;
	if (b->choice == CHOICE_DENY)
		return CSIGN_BECAME_DENIED;
	if (b->choice == CHOICE_NOT_ME)
		return CSIGN_BECAME_NOT_ME;
	/* A tap may have been one on a phone that rang: nobody knows. */
	return b->typed || b->c->composed->asks == CSIGN_CODE_TAP
		   ? CSIGN_BECAME_GRANTED_RUNG
		   : CSIGN_BECAME_GRANTED_LINK;
}

/*
 * Without the time there is no limit.  Nothing rings then, and the link works;
 * but of codes none is looked at that could not be counted.
 */
static enum csign_err
tell_limit(struct bench *b, enum csign_became became, bool *ret_told)
{
	const struct csign_ctx *ctx = b->c->ctx;
	struct csign_state rings;
	struct csign_now now;
	struct csign_why why;
	enum csign_err r;

	if ((r = csign_now_get(&now)) != CSIGN_OK)
		return b->typed ? r : CSIGN_OK;
	if (csign_rings_peek(ctx->crypto, ctx->settings.state_dir,
		b->c->account, &rings, &why) == CSIGN_OK)
		csign_limit_beside(&b->state.limit, &rings.limit);
	b->quiet = csign_limit_became(&b->state.limit, &now, "", became);
	*ret_told = true;
	return CSIGN_OK;
}

/*
 * A signed no, and a wrong code, count as a use too: their counter must not
 * come again.  What the limit makes of it is written by the same write.
 */
static enum csign_err
record_use(struct bench *b, const struct csign_proof_facts *facts,
    bool wrong_code, struct csign_ruling *ruling)
{
	const enum csign_became became = became_of(b, wrong_code);
	uint64_t now_ms = 0;
	bool told = false;
	enum csign_err r;

	if (b->use == NULL)
		return CSIGN_OK;
	if ((r = csign_clock_wall(&now_ms)) != CSIGN_OK ||
	    (r = tell_limit(b, became, &told)) != CSIGN_OK)
		return r;
	b->use->counter = facts->counter;
	if (!wrong_code)
		b->use->last_used = now_ms / 1000;
	b->state.had_device = true;
	if ((r = csign_state_write(b->lock, &b->state, &b->c->ctx->why)) !=
	    CSIGN_OK) {
		b->quiet = false;
		return r;
	}
	ruling->settled = told && !wrong_code;
	ruling->became = became;
	return CSIGN_OK;
}

/*
 * Where far too many codes were wrong, none is looked at any more, be it right
 * or not: until the link is scanned again (countersign-security(7) RL-2).
 */
static enum csign_err
check_codes(const struct bench *b)
{
	if (!b->typed || b->state.limit.wrong_codes < CSIGN_WRONG_CODES_MAX)
		return CSIGN_OK;
	csign_why_set(&b->c->ctx->why,
	    "%d wrong codes were typed for %s in a row: scan the link",
	    CSIGN_WRONG_CODES_MAX, b->c->account->name);
	return CSIGN_E_LIMIT;
}

/* What was signed, whatever it says, so that it can be shown later. */
static enum csign_err
keep_evidence(struct bench *b, struct csign_ruling *ruling)
{
	const struct csign_case *c = b->c;
	const struct csign_exhibit exhibit = {
	    .checked_ms = b->wall_ms,
	    .question = c->composed->question,
	    .host = c->ctx->settings.host,
	    .user = c->account->name,
	    .uid = (uint32_t)c->account->uid,
	    .device = b->device,
	    .counter = b->counter,
	    .answer = &b->answer,
	    .code = b->typed ? c->composed->code : "",
	    .transaction = csign_buf_data(c->composed->bytes),
	    .transaction_len = csign_buf_len(c->composed->bytes),
	};
	const struct csign_why why = c->ctx->why;
	enum csign_err r = csign_evidence_keep(c->ctx->crypto,
	    &c->ctx->settings, &exhibit, ruling->evidence, &c->ctx->why);

	if (r == CSIGN_OK || b->choice == CHOICE_GRANTS)
		return r;
	/* A no is one, kept or not. */
	csign_debug(c->ctx, "%s", c->ctx->why.text);
	c->ctx->why = why;
	return CSIGN_OK;
}

static enum csign_err
weigh(struct bench *b, struct csign_ruling *ruling)
{
	const struct csign_case *c = b->c;
	enum csign_err r, proof;

	if ((r = look_first(b, ruling)) != CSIGN_OK ||
	    (r = summon(b)) != CSIGN_OK)
		return r;
	proof = check_proof(b, b->device, b->counter, &ruling->facts);
	if (proof != CSIGN_OK && proof != CSIGN_E_PROOF_CODE)
		return proof;
	if ((r = check_codes(b)) != CSIGN_OK ||
	    (r = csign_exchange_fresh(c->exchange)) != CSIGN_OK)
		return r;
	b->steps.fresh = CSIGN_STEP_FRESH;
	ruling->codes_left = codes_worth_a_word(&b->state);
	if ((r = record_use(b, &ruling->facts, proof != CSIGN_OK, ruling)) !=
	    CSIGN_OK)
		return r;
	b->steps.state = CSIGN_STEP_STATE;
	if (proof == CSIGN_OK)
		b->steps.proof = CSIGN_STEP_PROOF;
	if (proof != CSIGN_OK)
		return proof;
	if ((r = keep_evidence(b, ruling)) != CSIGN_OK)
		return r;
	if (b->choice == CHOICE_DENY)
		return CSIGN_E_DENIED;
	if (b->choice == CHOICE_NOT_ME)
		return CSIGN_E_NOT_ME;
	if (b->choice != CHOICE_GRANTS)
		return CSIGN_E_PROOF_CHOICE;
	b->steps.choice = CSIGN_STEP_CHOICE;
	return CSIGN_OK;
}

static enum csign_err
read_answer(
    struct bench *b, const struct csign_buf *bytes, struct csign_ruling *ruling)
{
	enum csign_err r;

	r = csign_answer_read(
	    csign_buf_data(bytes), csign_buf_len(bytes), false, &b->answer);
	if (r != CSIGN_OK)
		return r == CSIGN_E_NOMEM ? r : CSIGN_E_PROOF_FORMAT;
	if ((b->choice = choice_of(b->c->req, b->answer.choice)) ==
	    CHOICE_FOREIGN)
		return CSIGN_E_PROOF_CHOICE;
	memcpy(ruling->choice, b->answer.choice, sizeof(ruling->choice));
	memcpy(ruling->device, b->answer.device, sizeof(ruling->device));
	if (b->answer.kind != CSIGN_KIND_UNSIGNED)
		return CSIGN_OK;
	/* Only somebody with the link can say it; it counts nowhere: UX-5. */
	ruling->device[0] = '\0';
	return b->choice == CHOICE_DENY ? CSIGN_E_DECLINED
					: CSIGN_E_PROOF_FORMAT;
}

/* That phones stop to ring by this answer is worth a record of its own. */
static void
raise_alert(const struct csign_case *c, const struct csign_ruling *ruling,
    enum csign_err reason)
{
	const struct csign_why why = c->ctx->why;
	struct csign_ruling about = *ruling;
	/* Only a QR success helps, or time does, too. */
	const char *result =
	    reason == CSIGN_E_DENIED ? "push-paused" : "push-stopped";

	/* The record of the answer itself names it. */
	about.evidence[0] = '\0';
	if (write_record(c, &about, "alert", result, reason) != CSIGN_OK)
		csign_debug(c->ctx, "%s", c->ctx->why.text);
	c->ctx->why = why;
}

/* The record's word for it. */
static const char *
result_of(enum csign_err r)
{
	if (r == CSIGN_OK)
		return "granted";
	if (r == CSIGN_E_DENIED || r == CSIGN_E_NOT_ME || r == CSIGN_E_DECLINED)
		return "denied";
	return csign_is_proof_error(r) || r == CSIGN_E_LIMIT ? "refused"
							     : "failed";
}

enum csign_err
csign_judge(const struct csign_case *c, const struct csign_buf *answer,
    struct csign_ruling *ret_ruling, uint32_t *ret_verdict)
{
	enum csign_err r = CSIGN_E_INTERNAL, written;
	struct csign_ruling ruling = {.codes_left = -1};
	struct bench b = {.c = c};
	uint32_t verdict = CSIGN_VERDICT_REFUSED;

	if ((r = read_answer(&b, answer, &ruling)) == CSIGN_OK)
		r = weigh(&b, &ruling);
	written = csign_case_audit(c, &ruling, result_of(r), r);
	if (b.quiet)
		raise_alert(c, &ruling, r);
	if (r == CSIGN_OK && written != CSIGN_OK)
		r = written;
	if (r != CSIGN_OK)
		goto out;
	b.steps.audit = CSIGN_STEP_AUDIT;
	verdict = csign_verdict_of(&b.steps);
	if (verdict != CSIGN_VERDICT_GRANTED) {
		r = CSIGN_E_INTERNAL;
		goto out;
	}
	*ret_verdict = verdict;
out:
	*ret_ruling = ruling;
	csign_state_unlock(&b.lock);
	csign_device_list_clear(&b.devices);
	csign_wipe(&b, sizeof(b));
	return r;
}
