/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "clock.h"
#include "codec.h"
#include "compose.h"
#include "secret.h"
#include "transaction.h"

#define CODES 1000000 /* of CSIGN_CODE_LEN digits */
#define CODE_DRAWS 32 /* at most for one */

/*
 * The transaction's members point into the request, the settings and this
 * frame while it is written: nothing is copied, nothing is to be freed.
 */
struct draft {
	struct csign_transaction t;
	char nonce[CSIGN_CHALLENGE_SIZE];
	char created[CSIGN_TIME_SIZE];
	struct csign_buf *title;
};

/* The transaction's strings are char * because its reader owns them. */
static char *
borrow(const char *text)
{
	union {
		const char *in;
		char *out;
	} u = {.in = text};

	return u.out;
}

static enum csign_err
draft_begin(struct csign_ctx *ctx, struct draft *d,
    const struct csign_account *account, char question[CSIGN_QUESTION_SIZE])
{
	unsigned char nonce[CSIGN_NONCE_LEN];
	uint64_t now_ms = 0;
	enum csign_err r;

	if ((r = csign_random(nonce, sizeof(nonce))) != CSIGN_OK ||
	    (r = csign_b64u_encode(nonce, sizeof(nonce), d->nonce,
		 sizeof(d->nonce))) != CSIGN_OK ||
	    (r = csign_b64u_encode(nonce, 9, question, CSIGN_QUESTION_SIZE)) !=
		CSIGN_OK ||
	    (r = csign_clock_wall(&now_ms)) != CSIGN_OK ||
	    (r = csign_time_format(now_ms / 1000, d->created)) != CSIGN_OK ||
	    (r = csign_buf_new(4 * CSIGN_TITLE_MAX, &d->title)) != CSIGN_OK)
		return r;
	d->t.host = ctx->settings.host;
	d->t.user = borrow(account->name);
	d->t.uid = account->uid;
	d->t.nonce = d->nonce;
	d->t.created = d->created;
	/* Unless phones ring: then only the scanned link may approve. */
	d->t.code = borrow("never");
	return CSIGN_OK;
}

static enum csign_err
draft_end(struct draft *d, bool *ret_cut, struct csign_buf **ret_bytes)
{
	struct csign_buf *bytes = NULL;
	enum csign_err r;

	if ((r = csign_buf_new(CSIGN_TRANSACTION_MAX, &bytes)) != CSIGN_OK)
		return r;
	if ((r = csign_transaction_write(&d->t, bytes, ret_cut)) != CSIGN_OK) {
		csign_buf_free(&bytes);
		return r;
	}
	*ret_bytes = bytes;
	return CSIGN_OK;
}

static enum csign_err
set_choices(struct draft *d, const struct csign_request *req)
{
	if (req->n_choices == 0) {
		d->t.choices[0] = borrow("approve");
		d->t.n_choices = 1;
		return CSIGN_OK;
	}
	/* A PAM question is exactly yes or no (TX-2). */
	if (strcmp(csign_request_service(req), "ask") != 0)
		return CSIGN_E_INVALID;
	for (size_t i = 0; i < req->n_choices; i++)
		d->t.choices[i] = req->choices[i];
	d->t.n_choices = req->n_choices;
	return CSIGN_OK;
}

static const char *
word_of(enum csign_code asks)
{
	switch (asks) {
	case CSIGN_CODE_INBOX:
		return "inbox";
	case CSIGN_CODE_TAP:
		return "tap";
	case CSIGN_CODE_NEVER:
		break;
	}
	return "never";
}

/*
 * Every code as likely as any other: of the 2^32 numbers, those above the last
 * whole million would make the low ones likelier and are drawn again.  That
 * happens once in 4,000 draws; a source that never stops to do it is broken.
 */
static enum csign_err
make_code(char out[CSIGN_CODE_LEN + 1])
{
	uint32_t n = 0;
	enum csign_err r;

	for (int draw = 0; draw < CODE_DRAWS; draw++) {
		if ((r = csign_random(&n, sizeof(n))) != CSIGN_OK)
			return r;
		if (n >= UINT32_MAX - UINT32_MAX % CODES)
			continue;
		n %= CODES;
		for (int i = CSIGN_CODE_LEN; i-- > 0; n /= 10)
			out[i] = (char)('0' + n % 10);
		out[CSIGN_CODE_LEN] = '\0';
		csign_wipe(&n, sizeof(n));
		return CSIGN_OK;
	}
	return CSIGN_E_INTERNAL;
}

enum csign_err
csign_compose_approval(struct csign_ctx *ctx, const struct csign_request *req,
    const struct csign_account *account, enum csign_code asks,
    struct csign_composed *ret_composed)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct draft d = {0};
	struct csign_composed done = {.asks = asks};
	bool cut = false;

	if ((r = draft_begin(ctx, &d, account, done.question)) != CSIGN_OK ||
	    (r = set_choices(&d, req)) != CSIGN_OK ||
	    (asks == CSIGN_CODE_INBOX &&
		(r = make_code(done.code)) != CSIGN_OK))
		goto out;
	d.t.code = borrow(word_of(asks));
	if (req->title == NULL &&
	    (r = csign_buf_putf(d.title, "Approve %s on %s",
		 csign_request_service(req), ctx->settings.host)) != CSIGN_OK)
		goto out;
	d.t.service = borrow(csign_request_service(req));
	d.t.title =
	    req->title != NULL ? req->title : borrow(csign_buf_str(d.title));
	d.t.lifetime = ctx->settings.lifetime;
	d.t.n_details = req->n_details;
	memcpy(d.t.details, req->details, sizeof(d.t.details));
	if ((r = draft_end(&d, &cut, &done.bytes)) != CSIGN_OK)
		goto out;
	if (cut && ctx->settings.cut_command == CSIGN_CUT_DENY) {
		csign_why_set(&ctx->why,
		    "the command is too long to be shown whole on the phone, "
		    "and this host says cut_command = deny");
		r = CSIGN_E_CUT;
		goto out;
	}
	*ret_composed = done;
	done.bytes = NULL;
	r = CSIGN_OK;
out:
	csign_buf_free(&d.title);
	csign_composed_clear(&done);
	return r;
}

enum csign_err
csign_compose_enrolment(struct csign_ctx *ctx,
    const struct csign_account *account, const char *by,
    struct csign_composed *ret_composed)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct draft d = {0};
	struct csign_composed done = {0};
	bool cut = false;

	if ((r = draft_begin(ctx, &d, account, done.question)) != CSIGN_OK ||
	    (r = csign_buf_putf(d.title, "Let this phone approve for %s on %s",
		 account->name, ctx->settings.host)) != CSIGN_OK)
		goto out;
	d.t.enrolment = true;
	d.t.service = borrow("enroll");
	d.t.title = borrow(csign_buf_str(d.title));
	d.t.lifetime = CSIGN_ENROL_LIFETIME_DEFAULT;
	d.t.details[0].label = borrow("Enrolled by");
	d.t.details[0].value = borrow(by);
	d.t.n_details = 1;
	if ((r = draft_end(&d, &cut, &done.bytes)) != CSIGN_OK)
		goto out;
	*ret_composed = done;
	done.bytes = NULL;
	r = CSIGN_OK;
out:
	csign_buf_free(&d.title);
	csign_composed_clear(&done);
	return r;
}

void
csign_composed_clear(struct csign_composed *composed)
{
	csign_buf_free(&composed->bytes);
	csign_wipe(composed, sizeof(*composed));
}
