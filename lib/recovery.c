/* SPDX-License-Identifier: BSD-2-Clause */
/* One-time recovery codes (RC-1 to RC-6): countersign.h has a section. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "account.h"
#include "audit.h"
#include "change.h"
#include "codec.h"
#include "ctx.h"
#include "judge.h"
#include "push.h"
#include "request.h"
#include "secret.h"
#include "state.h"
#include "verdict.h"

#define CODE_BYTES ((size_t)15) /* 120 bits */
#define CODE_LEN CSIGN_B32_LEN(CODE_BYTES)
#define GROUP_LEN 4
#define LABEL "countersign/1 recovery" /* hashed with its NUL */
#define LEFT_SIZE 4

/* --- codes ---------------------------------------------------------------- */

/*
 * The characters of a code in lower case, without what people put between
 * them.  False if text is anything but a code; out then holds a part of it.
 */
static bool
canonical(const char *text, char out[CODE_LEN + 1])
{
	size_t n = 0;
	char c = '\0';

	for (; *text != '\0'; text++) {
		c = *text;
		if (c == '-' || c == ' ')
			continue;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (n == CODE_LEN ||
		    !((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')))
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n == CODE_LEN;
}

static enum csign_err
hash_code(struct csign_crypto *crypto, const char code[CODE_LEN + 1],
    unsigned char hash[CSIGN_RECOVERY_HASH_LEN])
{
	const struct csign_part parts[] = {
	    {LABEL, sizeof(LABEL)}, {code, CODE_LEN}};

	return csign_sha256(crypto, parts, 2, hash);
}

/* "abcdefgh..." -> "abcd-efgh-..." */
static void
show_code(const char code[CODE_LEN + 1], char out[CSIGN_RECOVERY_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < CODE_LEN; i++) {
		if (i > 0 && i % GROUP_LEN == 0)
			out[n++] = '-';
		out[n++] = code[i];
	}
	out[n] = '\0';
}

bool
csign_recovery_shape(const char *text)
{
	char code[CODE_LEN + 1];
	bool yes = false;

	yes = text != NULL && canonical(text, code);
	csign_wipe(code, sizeof(code));
	return yes;
}

/*
 * The code with this hash that can still be used, as its index; else
 * CSIGN_RECOVERY_CODES.  Looks at as many places whatever is in them.
 */
static size_t
find_code(const struct csign_state *state,
    const unsigned char hash[CSIGN_RECOVERY_HASH_LEN])
{
	size_t found = CSIGN_RECOVERY_CODES, mask = 0;
	const struct csign_recovery_code *code = NULL;
	unsigned same = 0, usable = 0;

	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++) {
		code = &state->codes[i];
		same = csign_equal(code->hash, hash, sizeof(code->hash));
		usable = (i < state->n_codes) & (code->used == 0);
		mask = (size_t)0 - (size_t)(same & usable);
		found = (found & ~mask) | (i & mask);
	}
	return found;
}

/* --- making and counting -------------------------------------------------- */

/* How many are left, for a record. */
static void
count_left(const struct csign_state *state, char out[LEFT_SIZE])
{
	(void)snprintf(out, LEFT_SIZE, "%u",
	    (unsigned)csign_state_codes_left(state) % 100);
}

static enum csign_err
make_code(struct csign_crypto *crypto, struct csign_recovery_code *kept,
    char shown[CSIGN_RECOVERY_SIZE])
{
	enum csign_err r = CSIGN_E_INTERNAL;
	unsigned char bytes[CODE_BYTES];
	char code[CODE_LEN + 1];

	kept->used = 0;
	if ((r = csign_random(bytes, sizeof(bytes))) == CSIGN_OK &&
	    (r = csign_b32_encode(bytes, sizeof(bytes), CSIGN_B32_LOWER, code,
		 sizeof(code))) == CSIGN_OK &&
	    (r = hash_code(crypto, code, kept->hash)) == CSIGN_OK)
		show_code(code, shown);
	csign_wipe(bytes, sizeof(bytes));
	csign_wipe(code, sizeof(code));
	return r;
}

/* A code opens nothing for an account that nobody ever enrolled. */
static enum csign_err
check_enrolled(struct csign_change *ch, struct csign_state *state)
{
	enum csign_err r = state->had_device ? CSIGN_OK : csign_change_read(ch);

	if (r == CSIGN_OK)
		state->had_device = true;
	return r;
}

enum csign_err
csign_recovery_make(struct csign_ctx *ctx, const char *user, const char *by,
    char ret_codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE])
{
	char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
	char left[LEFT_SIZE];
	struct csign_change ch = {.ctx = ctx,
	    .event = "recovery_codes",
	    .by = by,
	    .codes_left = left};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_state state;

	if (!csign_ctx_enter(ctx) || user == NULL || ret_codes == NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_change_begin(&ch, user)) != CSIGN_OK ||
	    (r = csign_state_read(ch.lock, &state, &ctx->why)) != CSIGN_OK ||
	    (r = check_enrolled(&ch, &state)) != CSIGN_OK ||
	    (r = csign_state_now(&state.recovery_made)) != CSIGN_OK)
		goto out;
	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++) {
		r = make_code(ctx->crypto, &state.codes[i], codes[i]);
		if (r != CSIGN_OK)
			goto out;
	}
	state.n_codes = CSIGN_RECOVERY_CODES;
	count_left(&state, left);
	if ((r = csign_change_audit(&ch, NULL, "granted", CSIGN_OK)) !=
	    CSIGN_OK)
		goto out;
	if ((r = csign_state_write(ch.lock, &state, &ctx->why)) != CSIGN_OK) {
		r = csign_change_failed(&ch, NULL, r);
		goto out;
	}
	memcpy(ret_codes, codes, sizeof(codes));
	r = CSIGN_OK;
out:
	csign_wipe(codes, sizeof(codes));
	csign_change_end(&ch);
	return r;
}

enum csign_err
csign_recovery_left(struct csign_ctx *ctx, const char *user, size_t *ret_left)
{
	struct csign_account account;
	struct csign_state state;
	enum csign_err r = CSIGN_E_INTERNAL;

	if (!csign_ctx_enter(ctx) || user == NULL || ret_left == NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_account_find(user, &account, &ctx->why)) != CSIGN_OK ||
	    (r = csign_state_peek(ctx->crypto, ctx->settings.state_dir,
		 &account, &state, &ctx->why)) != CSIGN_OK)
		return r;
	*ret_left = csign_state_codes_left(&state);
	return CSIGN_OK;
}

/* --- using one ------------------------------------------------------------ */

/* What is known and held while one code is looked at. */
struct attempt {
	struct csign_ctx *ctx;
	const struct csign_request *req;
	struct csign_account account;
	bool known;
	unsigned char hash[CSIGN_RECOVERY_HASH_LEN];
	struct csign_state_lock *lock;
	struct csign_state state; /* nothing for an unknown account */
	struct csign_steps steps;
};

/* A code stands for "approve" and for no other answer. */
static bool
takes_codes(const struct csign_request *req, const struct csign_settings *set)
{
	if (!set->recovery)
		return false;
	for (size_t i = 0; i < req->n_choices; i++) {
		if (strcmp(req->choices[i], "approve") == 0)
			return true;
	}
	return req->n_choices == 0;
}

static enum csign_err
no_code(struct csign_ctx *ctx)
{
	/* The same whatever was wrong: it tells nobody who has codes. */
	csign_why_set(&ctx->why, "that is no recovery code of this account, or "
				 "it was used before");
	return CSIGN_E_RECOVERY;
}

/* The hash of what was typed; of nothing that anybody has if it is no code. */
static enum csign_err
read_code(struct attempt *a, const char *text, bool *ret_shaped)
{
	char code[CODE_LEN + 1] = "";
	enum csign_err r = CSIGN_E_INTERNAL;
	bool shaped = canonical(text, code);

	r = hash_code(a->ctx->crypto, code, a->hash);
	csign_wipe(code, sizeof(code));
	*ret_shaped = shaped;
	return r;
}

/*
 * Before the lock: who has no code must not come to hold it, or he could keep
 * the account's owner waiting (as in judge.c).
 */
static enum csign_err
look_first(struct attempt *a)
{
	struct csign_ctx *ctx = a->ctx;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = csign_account_find(a->req->user, &a->account, &ctx->why);
	a->known = r == CSIGN_OK;
	if (r == CSIGN_OK)
		r = csign_state_peek(ctx->crypto, ctx->settings.state_dir,
		    &a->account, &a->state, &ctx->why);
	else if (r == CSIGN_E_UNKNOWN_USER || r == CSIGN_E_INVALID)
		r = CSIGN_OK;
	if (r != CSIGN_OK)
		return r;
	return find_code(&a->state, a->hash) == CSIGN_RECOVERY_CODES
		   ? no_code(ctx)
		   : CSIGN_OK;
}

/*
 * It was somebody who may: phones ring again.  Without a clock they stay as
 * quiet as they are, and nobody is kept out by that.
 */
static void
note_success(struct csign_state *state)
{
	struct csign_now now;

	if (csign_now_get(&now) == CSIGN_OK)
		(void)csign_limit_became(
		    &state->limit, &now, "", CSIGN_BECAME_RECOVERED);
}

/* Under the lock, with the state as it is now: each step says what it saw. */
static enum csign_err
use_up(struct attempt *a)
{
	struct csign_ctx *ctx = a->ctx;
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t i = 0;

	if ((r = csign_state_lock(ctx->crypto, ctx->settings.state_dir,
		 &a->account, &ctx->why, &a->lock)) != CSIGN_OK ||
	    (r = csign_state_read(a->lock, &a->state, &ctx->why)) != CSIGN_OK)
		return r;
	if (!a->state.had_device)
		return no_code(ctx);
	a->steps.device = CSIGN_STEP_DEVICE;
	i = find_code(&a->state, a->hash);
	if (i >= a->state.n_codes ||
	    !csign_equal(a->state.codes[i].hash, a->hash, sizeof(a->hash)))
		return no_code(ctx);
	a->steps.proof = CSIGN_STEP_PROOF;
	if (a->state.codes[i].used != 0)
		return no_code(ctx);
	a->steps.fresh = CSIGN_STEP_FRESH;
	note_success(&a->state);
	if ((r = csign_state_now(&a->state.codes[i].used)) != CSIGN_OK ||
	    (r = csign_state_write(a->lock, &a->state, &ctx->why)) != CSIGN_OK)
		return r;
	a->steps.state = CSIGN_STEP_STATE;
	return CSIGN_OK;
}

static enum csign_err
audit_use(const struct attempt *a, enum csign_err reason)
{
	char left[LEFT_SIZE];
	const struct csign_audit record = {
	    .event = "recovery",
	    .result = reason == CSIGN_OK           ? "granted"
		      : reason == CSIGN_E_RECOVERY ? "refused"
						   : "failed",
	    .reason = reason,
	    .user = a->known ? a->account.name : NULL,
	    .uid = a->known ? (int64_t)a->account.uid : -1,
	    .service = csign_request_service(a->req),
	    .tty = a->req->tty,
	    .rhost = a->req->rhost,
	    .codes_left = reason == CSIGN_OK ? left : NULL,
	    .config_hash = a->ctx->settings.config_hash,
	};

	count_left(&a->state, left);
	return csign_audit_write(&a->ctx->settings, &record, &a->ctx->why);
}

/* Everything up to the record; what was wrong, or CSIGN_OK. */
static enum csign_err
try_code(struct attempt *a, const char *text)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	bool shaped = false;

	if ((r = read_code(a, text, &shaped)) != CSIGN_OK ||
	    (r = look_first(a)) != CSIGN_OK)
		return r;
	if (!shaped || !takes_codes(a->req, &a->ctx->settings))
		return no_code(a->ctx);
	a->steps.choice = CSIGN_STEP_CHOICE;
	return use_up(a);
}

enum csign_err
csign_recovery_use(struct csign_ctx *ctx, const struct csign_request *req,
    const char *code, uint32_t *ret_verdict, size_t *ret_left)
{
	enum csign_err r = CSIGN_E_INTERNAL, written = CSIGN_E_INTERNAL;
	struct attempt a = {.ctx = ctx, .req = req};
	uint32_t verdict = CSIGN_VERDICT_REFUSED;
	struct csign_why why;

	if (!csign_ctx_enter(ctx) || req == NULL || req->user == NULL ||
	    code == NULL || ret_verdict == NULL || ret_left == NULL)
		return CSIGN_E_INVALID;
	r = try_code(&a, code);
	why = ctx->why;
	written = audit_use(&a, r);
	if (r != CSIGN_OK) {
		/* It matters more than a record that was not taken. */
		ctx->why = why;
		goto out;
	}
	if ((r = written) != CSIGN_OK)
		goto out;
	a.steps.audit = CSIGN_STEP_AUDIT;
	verdict = csign_verdict_of(&a.steps);
	if (verdict != CSIGN_VERDICT_GRANTED) {
		r = CSIGN_E_INTERNAL;
		goto out;
	}
	*ret_verdict = verdict;
	*ret_left = csign_state_codes_left(&a.state);
out:
	csign_state_unlock(&a.lock);
	if (r == CSIGN_OK)
		csign_push_over(ctx, &a.account, "", CSIGN_BECAME_RECOVERED);
	csign_wipe(&a, sizeof(a));
	return r;
}
