/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "clock.h"
#include "errand.h"
#include "exchange.h"
#include "leash.h"
#include "link.h"
#include "proof.h"
#include "seal.h"
#include "transaction.h"

#define COPIES_MAX ((size_t)CSIGN_COPY_LEN * CSIGN_DEVICES_MAX)

struct csign_exchange {
	struct csign_ctx *ctx;
	struct csign_link *link;
	struct csign_leash *leash;
	char text[CSIGN_LINK_MAX + 1];
	uint64_t born_ms; /* CLOCK_BOOTTIME: nobody can set it back */
	uint32_t lifetime;
	/* digests of the sealed answers that were looked at: TX-6, SIG-8 */
	unsigned char looked_at[CSIGN_ANSWERS_MAX][32];
	uint8_t n_looked_at;
	uint8_t n_wrong_codes; /* of them */
	int rings;             /* phones, says the service; -1: none asked */
	/* what phones said to this host, not yet looked at */
	struct csign_buf *notes[CSIGN_REMOVALS_MAX];
	size_t n_notes;
};

static enum csign_err
seal_content(struct csign_exchange *ex, const struct csign_buf *transaction,
    const struct csign_device_list *devices, struct csign_buf **ret_sealed)
{
	static const struct csign_device_list nobody = {NULL, 0};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *content = NULL, *sealed = NULL;

	if ((r = csign_buf_new(CSIGN_CONTENT_MAX - CSIGN_SEAL_OVERHEAD,
		 &content)) != CSIGN_OK ||
	    (r = csign_buf_new(CSIGN_CONTENT_MAX, &sealed)) != CSIGN_OK ||
	    (r = csign_content_write(csign_buf_data(transaction),
		 csign_buf_len(transaction),
		 devices == NULL ? &nobody : devices, content)) != CSIGN_OK ||
	    (r = csign_seal(ex->ctx->crypto, CSIGN_SEAL_CONTENT,
		 csign_link_content_key(ex->link), csign_buf_data(content),
		 csign_buf_len(content), sealed)) != CSIGN_OK)
		goto out;
	*ret_sealed = sealed;
	sealed = NULL;
	r = CSIGN_OK;
out:
	csign_buf_free(&content);
	csign_buf_free(&sealed);
	return r;
}

bool
csign_device_rings(const struct csign_device *device, uint32_t kinds)
{
	return device->has_seal && (csign_kind_bit(device->kind) & kinds) != 0;
}

/*
 * S for each phone that has a key for it and could answer.  One that cannot be
 * sealed to is left out, and so are all if need be: the link is still there.
 */
static void
seal_copies(struct csign_exchange *ex, const struct csign_device_list *devices,
    struct csign_buf *out)
{
	const unsigned char *secret = csign_link_secret(ex->link);
	unsigned char sealed[CSIGN_DEVICE_SEAL_LEN];

	for (size_t i = 0; i < devices->n; i++) {
		const struct csign_device *d = &devices->items[i];

		if (!csign_device_rings(d, ex->ctx->settings.device_kinds))
			continue;
		if (csign_device_seal(ex->ctx->crypto, d->seal, d->id, secret,
			NULL, sealed) != CSIGN_OK) {
			csign_debug(ex->ctx, "nothing is sealed to %s", d->id);
			continue;
		}
		if (csign_buf_len(out) + CSIGN_COPY_LEN > COPIES_MAX)
			return;
		/* There is room for all of it. */
		if (csign_buf_put(out, d->id, sizeof(d->id) - 1) != CSIGN_OK ||
		    csign_buf_put(out, sealed, sizeof(sealed)) != CSIGN_OK)
			csign_buf_clear(out);
	}
}

/* A note comes with the news that the question is there; 4 at most. */
static enum csign_err
keep_note(struct csign_exchange *ex, const struct csign_frame *frame)
{
	struct csign_buf *note = NULL;
	enum csign_err r;

	if ((r = csign_buf_new(CSIGN_REMOVAL_MAX, &note)) != CSIGN_OK)
		return r;
	if ((r = csign_buf_put(note, frame->bytes, frame->len)) != CSIGN_OK) {
		csign_buf_free(&note);
		return r;
	}
	ex->notes[ex->n_notes++] = note;
	return CSIGN_OK;
}

static enum csign_err
out_of_turn(struct csign_exchange *ex)
{
	csign_why_set(&ex->ctx->why, "the courier spoke out of turn");
	csign_leash_kill(&ex->leash);
	return CSIGN_E_COURIER;
}

/*
 * Until the service has the question, showing its link would be a lie.  A
 * courier cannot draw this out: it has to come to the point after 4 notes.
 */
static enum csign_err
await_created(struct csign_exchange *ex)
{
	struct csign_ctx *ctx = ex->ctx;
	struct csign_frame frame;
	enum csign_err r;

	for (;;) {
		r = csign_leash_next(
		    ex->leash, CSIGN_CREATE_TIMEOUT_MS, &ctx->why, &frame);
		if (r == CSIGN_E_AGAIN) {
			csign_why_set(&ctx->why,
			    "%s did not answer in %d seconds",
			    ctx->settings.service,
			    CSIGN_CREATE_TIMEOUT_MS / 1000);
			return CSIGN_E_SERVICE;
		}
		if (r != CSIGN_OK)
			return r;
		if (frame.type == CSIGN_FRAME_CREATED) {
			if (ex->rings >= 0)
				ex->rings = frame.code;
			return CSIGN_OK;
		}
		if (frame.type == CSIGN_FRAME_TROUBLE)
			return csign_errand_trouble(ctx, &frame);
		if (frame.type != CSIGN_FRAME_REMOVAL ||
		    ex->n_notes == CSIGN_REMOVALS_MAX)
			return out_of_turn(ex);
		if ((r = keep_note(ex, &frame)) != CSIGN_OK)
			return r;
	}
}

enum csign_err
csign_exchange_begin(struct csign_ctx *ctx, const struct csign_opening *opening,
    struct csign_link **link, struct csign_exchange **ret_ex)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_exchange *ex = NULL;
	struct csign_buf *sealed = NULL, *copies = NULL;
	struct csign_errand errand = {
	    .op = opening->op,
	    .subject = opening->subject,
	    .lifetime = opening->lifetime,
	};

	if ((ex = calloc(1, sizeof(*ex))) == NULL)
		return CSIGN_E_NOMEM;
	ex->ctx = ctx;
	ex->lifetime = opening->lifetime;
	ex->rings = opening->ring ? 0 : -1;
	ex->link = *link;
	*link = NULL;
	if ((r = csign_clock_boot(&ex->born_ms)) != CSIGN_OK ||
	    (ex->link == NULL &&
		(r = csign_link_new(ctx->crypto, &ex->link)) != CSIGN_OK) ||
	    (r = csign_link_text(ex->link, ctx->settings.page_url, false,
		 ex->text)) != CSIGN_OK ||
	    (r = seal_content(ex, opening->transaction, opening->devices,
		 &sealed)) != CSIGN_OK ||
	    (r = csign_buf_new(COPIES_MAX, &copies)) != CSIGN_OK)
		goto out;
	if (opening->ring && opening->devices != NULL)
		seal_copies(ex, opening->devices, copies);
	errand.link_id = csign_link_id(ex->link);
	errand.content = csign_buf_data(sealed);
	errand.content_len = csign_buf_len(sealed);
	errand.copies = csign_buf_data(copies);
	errand.copies_len = csign_buf_len(copies);
	if ((r = csign_errand_start(ctx, &errand, &ex->leash)) != CSIGN_OK)
		goto out;
	/* The courier is on its way: time for the slow first use of crypto. */
	if ((r = csign_crypto_warm_up(ctx->crypto)) != CSIGN_OK ||
	    (r = await_created(ex)) != CSIGN_OK)
		goto out;
	*ret_ex = ex;
	ex = NULL;
	r = CSIGN_OK;
out:
	csign_buf_free(&sealed);
	csign_buf_free(&copies);
	csign_exchange_free(&ex);
	return r;
}

void
csign_exchange_free(struct csign_exchange **exp)
{
	struct csign_exchange *ex;

	if (exp == NULL || (ex = *exp) == NULL)
		return;
	csign_leash_free(&ex->leash);
	csign_link_free(&ex->link);
	for (size_t i = 0; i < ex->n_notes; i++)
		csign_buf_free(&ex->notes[i]);
	csign_wipe(ex, sizeof(*ex));
	free(ex);
	*exp = NULL;
}

const char *
csign_exchange_link(const struct csign_exchange *ex)
{
	return ex->text;
}

enum csign_err
csign_exchange_test_link(
    const struct csign_exchange *ex, struct csign_link **ret_link)
{
	return csign_link_for_test(ex->ctx->crypto, ex->link, ret_link);
}

int
csign_exchange_fd(const struct csign_exchange *ex)
{
	return ex->leash == NULL ? -1 : csign_leash_fd(ex->leash);
}

/* Unreadable clock or clock before birth: infinitely old, never fresh. */
static uint64_t
age_ms(const struct csign_exchange *ex)
{
	uint64_t now = 0;

	if (csign_clock_boot(&now) != CSIGN_OK || now < ex->born_ms)
		return UINT64_MAX;
	return now - ex->born_ms;
}

static uint64_t
left_ms(const struct csign_exchange *ex)
{
	uint64_t age = age_ms(ex), life = (uint64_t)ex->lifetime * 1000;

	return age >= life ? 0 : life - age;
}

uint32_t
csign_exchange_seconds_left(const struct csign_exchange *ex)
{
	return (uint32_t)((left_ms(ex) + 999) / 1000);
}

uint32_t
csign_exchange_age_ms(const struct csign_exchange *ex)
{
	uint64_t age = age_ms(ex);

	return age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
}

/* A clock that cannot be read is no time that is over. */
static enum csign_err
check_time(const struct csign_exchange *ex, uint64_t *ret_left_ms)
{
	const uint64_t life = (uint64_t)ex->lifetime * 1000;
	enum csign_err r = CSIGN_E_INTERNAL;
	uint64_t now = 0;

	if ((r = csign_clock_boot(&now)) != CSIGN_OK)
		return r;
	if (now < ex->born_ms || now - ex->born_ms >= life)
		return CSIGN_E_EXPIRED;
	*ret_left_ms = life - (now - ex->born_ms);
	return CSIGN_OK;
}

enum csign_err
csign_exchange_fresh(const struct csign_exchange *ex)
{
	uint64_t left = 0;

	return check_time(ex, &left);
}

uint8_t
csign_exchange_tries_left(const struct csign_exchange *ex)
{
	uint8_t answers = (uint8_t)(CSIGN_ANSWERS_MAX - ex->n_looked_at);
	uint8_t codes = (uint8_t)(CSIGN_CODE_TRIES_MAX - ex->n_wrong_codes);

	return ex->n_wrong_codes > 0 && codes < answers ? codes : answers;
}

void
csign_exchange_wrong_code(struct csign_exchange *ex)
{
	if (ex->n_wrong_codes < CSIGN_CODE_TRIES_MAX)
		ex->n_wrong_codes++;
}

int
csign_exchange_rings(const struct csign_exchange *ex)
{
	return ex->rings;
}

/*
 * CSIGN_E_AGAIN: these very bytes were looked at before.  A ninth different
 * answer is not looked at (countersign-security(7) SIG-8).
 */
static enum csign_err
look_once(struct csign_exchange *ex, const struct csign_frame *frame)
{
	const struct csign_part part = {frame->bytes, frame->len};
	unsigned char digest[32];
	enum csign_err r;

	if ((r = csign_sha256(ex->ctx->crypto, &part, 1, digest)) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < ex->n_looked_at; i++)
		if (csign_equal(ex->looked_at[i], digest, sizeof(digest)))
			return CSIGN_E_AGAIN;
	if (ex->n_looked_at == CSIGN_ANSWERS_MAX) {
		csign_why_set(&ex->ctx->why,
		    "%d wrong answers came for this question",
		    CSIGN_ANSWERS_MAX);
		return CSIGN_E_LIMIT;
	}
	memcpy(ex->looked_at[ex->n_looked_at++], digest, sizeof(digest));
	return CSIGN_OK;
}

static enum csign_err
open_answer(struct csign_exchange *ex, const struct csign_frame *frame,
    struct csign_buf **ret_answer)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *answer = NULL;

	if ((r = look_once(ex, frame)) != CSIGN_OK ||
	    (r = csign_buf_new(CSIGN_ANSWER_MAX, &answer)) != CSIGN_OK)
		return r;
	r = csign_open(ex->ctx->crypto, CSIGN_SEAL_ANSWER,
	    csign_link_answer_key(ex->link), frame->bytes, frame->len, answer);
	if (r == CSIGN_OK) {
		*ret_answer = answer;
		return CSIGN_OK;
	}
	csign_buf_free(&answer);
	return r == CSIGN_E_FORMAT || r == CSIGN_E_TOO_LONG
		   ? CSIGN_E_PROOF_FORMAT
		   : r;
}

/* What the service says can only end the wait, as trouble: TX-8. */
static enum csign_err
ended(struct csign_exchange *ex)
{
	csign_why_set(&ex->ctx->why,
	    "%s closed the question before anybody answered",
	    ex->ctx->settings.service);
	return CSIGN_E_CANCELLED;
}

static enum csign_err
take_frame(struct csign_exchange *ex, const struct csign_frame *frame,
    struct csign_buf **ret_answer)
{
	enum csign_err r;

	switch (frame->type) {
	case CSIGN_FRAME_SEEN:
		return CSIGN_E_AGAIN;
	case CSIGN_FRAME_ANSWER:
		return open_answer(ex, frame, ret_answer);
	case CSIGN_FRAME_ENDED:
		return ended(ex);
	case CSIGN_FRAME_TROUBLE:
		r = csign_errand_trouble(ex->ctx, frame);
		/* Gone while we waited: to us that is a service that fails. */
		return r == CSIGN_E_NOT_FOUND || r == CSIGN_E_EXISTS
			   ? CSIGN_E_SERVICE
			   : r;
	case CSIGN_FRAME_JOB:
	case CSIGN_FRAME_OUTCOME:
	case CSIGN_FRAME_REMOVED:
	case CSIGN_FRAME_CREATED:
	case CSIGN_FRAME_DONE:
	case CSIGN_FRAME_REMOVAL:
		break;
	}
	return out_of_turn(ex);
}

enum csign_err
csign_exchange_next(
    struct csign_exchange *ex, int timeout_ms, struct csign_buf **ret_answer)
{
	uint64_t start = 0, now = 0;
	struct csign_frame frame;
	enum csign_err r;

	if (ex->leash == NULL)
		return CSIGN_E_COURIER;
	if ((r = csign_clock_boot(&start)) != CSIGN_OK)
		return r;
	for (now = start;;) {
		uint64_t wait = 0;

		if ((r = check_time(ex, &wait)) != CSIGN_OK)
			return r;
		if (timeout_ms >= 0) {
			uint64_t spent = now - start;
			uint64_t asked = (uint64_t)timeout_ms;

			if (spent > asked)
				return CSIGN_E_AGAIN;
			if (asked - spent < wait)
				wait = asked - spent;
		}
		r = csign_leash_next(ex->leash,
		    wait > INT_MAX ? INT_MAX : (int)wait, &ex->ctx->why,
		    &frame);
		if (r == CSIGN_OK)
			r = take_frame(ex, &frame, ret_answer);
		else if (r == CSIGN_E_AGAIN && timeout_ms >= 0 &&
			 left_ms(ex) > 0)
			return CSIGN_E_AGAIN;
		if (r != CSIGN_E_AGAIN)
			return r;
		if ((r = csign_clock_boot(&now)) != CSIGN_OK)
			return r;
	}
}

void
csign_exchange_outcome(struct csign_exchange *ex, enum csign_outcome outcome,
    enum csign_err reason, const char *device)
{
	uint8_t tries = outcome == CSIGN_OUTCOME_REJECTED
			    ? csign_exchange_tries_left(ex)
			    : 0;

	if (ex->leash != NULL &&
	    csign_leash_outcome(ex->leash, outcome, csign_err_name(reason),
		tries, device) != CSIGN_OK)
		csign_debug(ex->ctx, "the courier was not told the outcome");
}

const struct csign_buf *
csign_exchange_note(const struct csign_exchange *ex, size_t index)
{
	return index < ex->n_notes ? ex->notes[index] : NULL;
}

void
csign_exchange_removed(struct csign_exchange *ex, const char *device)
{
	if (ex->leash != NULL &&
	    csign_leash_removed(ex->leash, device) != CSIGN_OK)
		csign_debug(ex->ctx, "the courier was not told of a removal");
}
