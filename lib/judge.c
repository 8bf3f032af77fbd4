/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "audit.h"
#include "clock.h"
#include "judge.h"
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

uint32_t
csign_verdict_of(const struct csign_steps *steps)
{
	if (steps->fresh == CSIGN_STEP_PASSED &&
	    steps->device == CSIGN_STEP_PASSED &&
	    steps->choice == CSIGN_STEP_PASSED &&
	    steps->proof == CSIGN_STEP_PASSED &&
	    steps->state == CSIGN_STEP_PASSED &&
	    steps->audit == CSIGN_STEP_PASSED)
		return CSIGN_VERDICT_GRANTED;
	return CSIGN_VERDICT_REFUSED;
}

/* "countersign test" says who asks; a PAM service of that name does not. */
static bool
is_try(const struct csign_request *req)
{
	return req->by != NULL &&
	       strcmp(csign_request_service(req), "test") == 0;
}

enum csign_err
csign_case_audit(const struct csign_case *c, const struct csign_ruling *ruling,
    const char *result, enum csign_err reason)
{
	const struct csign_audit record = {
	    .event = c->test || is_try(c->req) ? "test" : "approval",
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
	    .question = c->composed->question,
	    .config_hash = c->ctx->settings.config_hash,
	    .flags = ruling->facts.flags,
	    .counter = ruling->facts.counter,
	    .latency_ms =
		c->exchange == NULL ? 0 : csign_exchange_age_ms(c->exchange),
	};

	return csign_audit_write(
	    c->ctx->settings.audit_file, &record, &c->ctx->why);
}

/* Signed by whom it says, for this question and this choice? */
static enum csign_err
check_proof(const struct csign_case *c, const struct csign_device *device,
    const struct csign_answer *answer, uint32_t counter,
    struct csign_proof_facts *ret_facts)
{
	const struct csign_settings *set = &c->ctx->settings;
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	struct csign_proof_policy policy = {
	    .kinds = set->device_kinds,
	    .require_bound = set->device_bound == CSIGN_BOUND_REQUIRED,
	    .counter = counter,
	};
	enum csign_err r;

	/* No code is ever shown, so none is signed: transaction says never. */
	if ((r = csign_clock_wall(&policy.wall_ms)) != CSIGN_OK ||
	    (r = csign_challenge(c->ctx->crypto, answer->choice,
		 csign_buf_data(c->composed->bytes),
		 csign_buf_len(c->composed->bytes), "", challenge)) != CSIGN_OK)
		return r;
	return csign_proof_check(
	    c->ctx->crypto, device, answer, challenge, &policy, ret_facts);
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
	struct csign_steps steps;
};

/*
 * Before the lock, as far as that can be said: somebody who cannot sign must
 * not come to hold it.  The user of a set-id program can stop it at any time,
 * and all others who approve for the account would wait.
 */
static enum csign_err
look_first(const struct bench *b, struct csign_ruling *ruling)
{
	const struct csign_case *c = b->c;
	const struct csign_device *device;
	struct csign_proof_facts facts;

	if (c->nobody ||
	    (device = csign_device_by_id(c->asked, b->answer.device)) == NULL)
		return CSIGN_E_PROOF_DEVICE;
	memcpy(ruling->device_name, device->name, sizeof(ruling->device_name));
	return check_proof(c, device, &b->answer, 0, &facts);
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
		b->steps.device = CSIGN_STEP_PASSED;
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
	b->steps.device = CSIGN_STEP_PASSED;
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

static enum csign_err
record_use(struct bench *b, const struct csign_proof_facts *facts)
{
	uint64_t now_ms = 0;
	enum csign_err r;

	if ((r = csign_clock_wall(&now_ms)) != CSIGN_OK)
		return r;
	if (b->use != NULL) {
		b->use->counter = facts->counter;
		b->use->last_used = now_ms / 1000;
		b->state.had_device = true;
		if ((r = csign_state_write(
			 b->lock, &b->state, &b->c->ctx->why)) != CSIGN_OK)
			return r;
	}
	b->steps.state = CSIGN_STEP_PASSED;
	return CSIGN_OK;
}

static enum csign_err
weigh(struct bench *b, struct csign_ruling *ruling)
{
	const struct csign_case *c = b->c;
	enum csign_err r;

	if ((r = look_first(b, ruling)) != CSIGN_OK ||
	    (r = summon(b)) != CSIGN_OK ||
	    (r = check_proof(c, b->device, &b->answer, b->counter,
		 &ruling->facts)) != CSIGN_OK)
		return r;
	b->steps.proof = CSIGN_STEP_PASSED;
	if ((r = csign_exchange_fresh(c->exchange)) != CSIGN_OK)
		return r;
	b->steps.fresh = CSIGN_STEP_PASSED;
	ruling->codes_left = codes_worth_a_word(&b->state);
	/* A signed no counts as a use too: its counter must not come again. */
	if ((r = record_use(b, &ruling->facts)) != CSIGN_OK)
		return r;
	if (b->choice == CHOICE_DENY)
		return CSIGN_E_DENIED;
	if (b->choice == CHOICE_NOT_ME)
		return CSIGN_E_NOT_ME;
	if (b->choice != CHOICE_GRANTS)
		return CSIGN_E_PROOF_CHOICE;
	b->steps.choice = CSIGN_STEP_PASSED;
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
	written = csign_case_audit(c, &ruling,
	    r == CSIGN_OK ? "granted"
	    : r == CSIGN_E_DENIED || r == CSIGN_E_NOT_ME ||
		    r == CSIGN_E_DECLINED
		? "denied"
		: "refused",
	    r);
	if (r == CSIGN_OK && written != CSIGN_OK)
		r = written;
	if (r != CSIGN_OK)
		goto out;
	b.steps.audit = CSIGN_STEP_PASSED;
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
