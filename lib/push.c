/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "audit.h"
#include "bounds.h"
#include "codec.h"
#include "limit.h"
#include "push.h"
#include "secret.h"
#include "state.h"

/* A turn is taken before the question is put, which takes so long, twice. */
#define TO_PUT_S (2 * CSIGN_CREATE_TIMEOUT_MS / 1000)

bool
csign_push_wanted(const struct csign_ctx *ctx, const struct csign_request *req)
{
	const struct csign_settings *set = &ctx->settings;

	return set->push && !req->quiet &&
	       (!req->unproven || set->push_without_first_factor);
}

enum csign_code
csign_push_code(
    const struct csign_ctx *ctx, const struct csign_account *account)
{
	return ctx->settings.push_confirm == CSIGN_PUSH_TAP && account->uid != 0
		   ? CSIGN_CODE_TAP
		   : CSIGN_CODE_INBOX;
}

/* --- limits --------------------------------------------------------------- */

/* csign_state_peek() or csign_rings_peek() */
typedef enum csign_err peek_fn(struct csign_crypto *crypto,
    const char *state_dir, const struct csign_account *account,
    struct csign_state *ret_state, struct csign_why *why);

/* A state is large, and only its limit is looked at here. */
static enum csign_err
peek_limit(struct csign_ctx *ctx, const struct csign_account *account,
    peek_fn *peek, struct csign_why *why, struct csign_limit *ret_limit)
{
	struct csign_state state;
	enum csign_err r =
	    peek(ctx->crypto, ctx->settings.state_dir, account, &state, why);

	if (r == CSIGN_OK)
		*ret_limit = state.limit;
	return r;
}

/* --- under the lock ------------------------------------------------------- */

/* An account's limit, to be changed. */
struct turn {
	struct csign_ctx *ctx;
	const struct csign_account *account;
	struct csign_state_lock *lock;
	struct csign_state rings;
	struct csign_limit answered; /* what phones answered: only looked at */
	struct csign_now now;
	struct csign_why why; /* of the caller */
};

static enum csign_err
read_clocks(struct csign_now *ret_now, struct csign_why *why)
{
	enum csign_err r = csign_now_get(ret_now);

	if (r != CSIGN_OK)
		csign_why_set(why, "the clocks cannot be read");
	return r;
}

static enum csign_err
begin(
    struct turn *t, struct csign_ctx *ctx, const struct csign_account *account)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	*t = (struct turn){.ctx = ctx, .account = account, .why = ctx->why};
	if ((r = csign_rings_lock(ctx->crypto, ctx->settings.state_dir, account,
		 &ctx->why, &t->lock)) != CSIGN_OK ||
	    (r = csign_state_read(t->lock, &t->rings, &ctx->why)) != CSIGN_OK ||
	    (r = peek_limit(ctx, account, csign_state_peek, &ctx->why,
		 &t->answered)) != CSIGN_OK)
		return r;
	csign_limit_beside(&t->rings.limit, &t->answered);
	/* After the lock was had: nobody then sees another's moment to come. */
	return read_clocks(&t->now, &ctx->why);
}

static enum csign_err
keep(struct turn *t)
{
	return csign_state_write(t->lock, &t->rings, &t->ctx->why);
}

/* r: how it went.  Push is no reason to fail, and so not one to be told. */
static void
end(struct turn *t, enum csign_err r)
{
	csign_state_unlock(&t->lock);
	if (r != CSIGN_OK)
		csign_debug(t->ctx, "no push: %s: %s", csign_err_name(r),
		    t->ctx->why.text);
	t->ctx->why = t->why;
}

/*
 * A record that phones ring no more for some time, after questions that nobody
 * answered.  Nobody is let in by it: one that cannot be made changes nothing.
 */
static void
alert(struct csign_ctx *ctx, const struct csign_account *account)
{
	const struct csign_why why = ctx->why;
	const struct csign_audit record = {
	    .event = "alert",
	    .result = "push-paused",
	    .reason = CSIGN_E_EXPIRED,
	    .user = account->name,
	    .uid = (int64_t)account->uid,
	    .config_hash = ctx->settings.config_hash,
	};

	if (csign_audit_write(&ctx->settings, &record, &ctx->why) != CSIGN_OK)
		csign_debug(ctx, "no record of a pause: %s", ctx->why.text);
	ctx->why = why;
}

/* 9 random bytes, as text. */
static enum csign_err
new_ring(char ring[CSIGN_RING_SIZE])
{
	unsigned char bytes[(CSIGN_RING_SIZE - 1) / 4 * 3];
	enum csign_err r = csign_random(bytes, sizeof(bytes));

	if (r != CSIGN_OK)
		return r;
	return csign_b64u_encode(bytes, sizeof(bytes), ring, CSIGN_RING_SIZE);
}

enum csign_quiet
csign_push_take(struct csign_ctx *ctx, const struct csign_account *account,
    uint32_t open_for, char ret_ring[CSIGN_RING_SIZE],
    char ret_note[CSIGN_PUSH_NOTE_SIZE])
{
	enum csign_quiet quiet = CSIGN_QUIET_TROUBLE;
	enum csign_err r = CSIGN_E_INTERNAL;
	char ring[CSIGN_RING_SIZE] = "";
	bool changed = false, paused = false;
	uint32_t seconds = 0;
	struct turn t;

	if ((r = begin(&t, ctx, account)) != CSIGN_OK ||
	    (r = new_ring(ring)) != CSIGN_OK)
		goto out;
	changed = csign_limit_settle(&t.rings.limit, &t.now, &paused);
	quiet = csign_limit_look(&t.answered, &t.now, &seconds);
	if (quiet == CSIGN_QUIET_NO)
		quiet = csign_limit_ring(&t.rings.limit, &t.now, ring,
		    open_for + TO_PUT_S, &seconds);
	if (changed || quiet == CSIGN_QUIET_NO)
		r = keep(&t);
	if (r != CSIGN_OK && quiet == CSIGN_QUIET_NO)
		quiet = CSIGN_QUIET_TROUBLE;
out:
	end(&t, r);
	if (r == CSIGN_OK && paused)
		alert(ctx, account);
	if (quiet != CSIGN_QUIET_NO)
		memset(ring, 0, sizeof(ring));
	memcpy(ret_ring, ring, sizeof(ring));
	csign_limit_note(quiet, seconds, ret_note);
	return quiet;
}

/* Of one that did not ring: is there anything to write down? */
static bool
ends_something(struct csign_ctx *ctx, const struct csign_account *account,
    enum csign_became became)
{
	struct csign_limit rings;
	struct csign_why why;

	return (became == CSIGN_BECAME_GRANTED_LINK ||
		   became == CSIGN_BECAME_GRANTED_RUNG ||
		   became == CSIGN_BECAME_RECOVERED) &&
	       peek_limit(ctx, account, csign_rings_peek, &why, &rings) ==
		   CSIGN_OK &&
	       csign_limit_counted(&rings);
}

void
csign_push_over(struct csign_ctx *ctx, const struct csign_account *account,
    const char *ring, enum csign_became became)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	bool paused = false;
	struct turn t;

	if (ring[0] == '\0' && !ends_something(ctx, account, became))
		return;
	/* What cannot be written down now is seen later: it still rings then.
	 */
	if ((r = begin(&t, ctx, account)) == CSIGN_OK) {
		paused =
		    csign_limit_became(&t.rings.limit, &t.now, ring, became);
		r = keep(&t);
	}
	end(&t, r);
	if (r == CSIGN_OK && paused)
		alert(ctx, account);
}

/* --- looking -------------------------------------------------------------- */

enum csign_err
csign_push_look(struct csign_ctx *ctx, const char *user,
    char ret_note[CSIGN_PUSH_NOTE_SIZE])
{
	struct csign_account account;
	enum csign_err r = CSIGN_E_INTERNAL;
	enum csign_quiet quiet = CSIGN_QUIET_NO;
	struct csign_limit answered, rings;
	struct csign_now now;
	uint32_t seconds = 0;

	if (!csign_ctx_enter(ctx) || user == NULL || ret_note == NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_account_find(user, &account, &ctx->why)) != CSIGN_OK ||
	    (r = peek_limit(ctx, &account, csign_state_peek, &ctx->why,
		 &answered)) != CSIGN_OK ||
	    (r = peek_limit(ctx, &account, csign_rings_peek, &ctx->why,
		 &rings)) != CSIGN_OK ||
	    (r = read_clocks(&now, &ctx->why)) != CSIGN_OK)
		return r;
	quiet = csign_limit_look(&answered, &now, &seconds);
	if (quiet == CSIGN_QUIET_NO)
		quiet = csign_limit_look(&rings, &now, &seconds);
	/* A file that is not there yet is no trouble. */
	ctx->why.text[0] = '\0';
	csign_limit_note(quiet, seconds, ret_note);
	return CSIGN_OK;
}
