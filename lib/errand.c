/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "bounds.h"
#include "errand.h"
#include "secret.h"

/* Time for the courier's own end after the lifetime: a last poll's reply. */
#define GRACE_MS 1000

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

enum csign_err
csign_errand_start(struct csign_ctx *ctx, const struct csign_errand *errand,
    struct csign_leash **ret_leash)
{
	const struct csign_settings *set = &ctx->settings;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_secret *key = NULL;
	struct csign_job job = {
	    .op = (uint8_t)errand->op,
	    .deadline_ms = errand->lifetime == 0
			       ? CSIGN_CREATE_TIMEOUT_MS
			       : errand->lifetime * 1000 + GRACE_MS,
	    .service = or_empty(set->service),
	    .socket = or_empty(set->service_socket),
	    .ca_file = or_empty(set->ca_file),
	    .pins = or_empty(set->pins),
	    .proxy = or_empty(set->proxy),
	    .subject = errand->subject,
	    .link_id = errand->link_id,
	    .content = errand->content,
	    .content_len = errand->content_len,
	    .lifetime = (uint16_t)errand->lifetime,
	    .copies = errand->copies,
	    .copies_len = errand->copies_len,
	};

	/* What is the service's stays there: its key, its pins, its socket. */
	if (errand->origin != NULL &&
	    strcmp(errand->origin, set->service) != 0) {
		job.service = errand->origin;
		job.socket = job.pins = "";
	}
	if (errand->op != CSIGN_OP_FETCH) {
		if ((r = csign_settings_access_key(set, &ctx->why, &key)) !=
		    CSIGN_OK)
			goto out;
		job.access_key = (const char *)csign_secret_data(key);
	}
	r = csign_leash_start(set->courier, set->courier_user,
	    job.deadline_ms + CSIGN_OUTCOME_TIMEOUT_MS, &job, &ctx->why,
	    ret_leash);
out:
	csign_secret_free(&key);
	return r;
}

enum csign_err
csign_errand_hear(struct csign_ctx *ctx, const struct csign_errand *errand,
    struct csign_leash **ret_leash, struct csign_frame *ret_frame)
{
	enum csign_err r = csign_errand_start(ctx, errand, ret_leash);

	if (r != CSIGN_OK)
		return r;
	/* Twice the time: a look-up and a removal are two requests. */
	r = csign_leash_next(
	    *ret_leash, 2 * CSIGN_CREATE_TIMEOUT_MS, &ctx->why, ret_frame);
	if (r != CSIGN_E_AGAIN)
		return r;
	csign_why_set(&ctx->why, "%s did not answer in %d seconds",
	    errand->origin == NULL ? ctx->settings.service : errand->origin,
	    2 * CSIGN_CREATE_TIMEOUT_MS / 1000);
	return CSIGN_E_SERVICE;
}

enum csign_err
csign_errand_run(struct csign_ctx *ctx, const struct csign_errand *errand)
{
	struct csign_leash *leash = NULL;
	struct csign_frame frame;
	enum csign_err r;

	r = csign_errand_hear(ctx, errand, &leash, &frame);
	if (r == CSIGN_OK && frame.type == CSIGN_FRAME_TROUBLE) {
		r = csign_errand_trouble(ctx, &frame);
	} else if (r == CSIGN_OK && frame.type != CSIGN_FRAME_DONE) {
		csign_why_set(&ctx->why, "the courier said something else than "
					 "it was asked for");
		r = CSIGN_E_COURIER;
	}
	csign_leash_free(&leash);
	return r;
}

enum csign_err
csign_errand_trouble(struct csign_ctx *ctx, const struct csign_frame *frame)
{
	return csign_errand_trouble_at(ctx, ctx->settings.service, frame);
}

enum csign_err
csign_errand_trouble_at(
    struct csign_ctx *ctx, const char *service, const struct csign_frame *frame)
{
	char detail[256] = "";
	const char *said = detail;
	size_t name_len;

	if (frame->len > 0) {
		size_t n = frame->len < sizeof(detail) ? frame->len
						       : sizeof(detail) - 1;
		memcpy(detail, frame->bytes, n);
		detail[n] = '\0';
	}
	/* What the network said begins with the address, too. */
	name_len = strlen(service);
	if (strncmp(detail, service, name_len) == 0 &&
	    strncmp(detail + name_len, ": ", 2) == 0)
		said = detail + name_len + 2;
	ctx->trouble = frame->code;
	switch ((enum csign_trouble)frame->code) {
	case CSIGN_TROUBLE_UNAUTHORISED:
		csign_why_set(&ctx->why,
		    "%s does not know this host's access key (%s): make a new "
		    "one there with \"countersignd host add\"",
		    service, ctx->settings.access_key_file);
		return CSIGN_E_SERVICE_REFUSED;
	case CSIGN_TROUBLE_FORBIDDEN:
		csign_why_set(&ctx->why,
		    "%s does not allow this host to do that: its access key "
		    "lacks the right",
		    service);
		return CSIGN_E_SERVICE_REFUSED;
	case CSIGN_TROUBLE_LIMITED:
		csign_why_set(&ctx->why,
		    "%s says that there are too many requests: try again "
		    "later",
		    service);
		return CSIGN_E_SERVICE;
	case CSIGN_TROUBLE_NOT_FOUND:
		csign_why_set(&ctx->why, "%s has no record of it", service);
		return CSIGN_E_NOT_FOUND;
	case CSIGN_TROUBLE_CONFLICT:
		csign_why_set(&ctx->why, "%s has this link already", service);
		return CSIGN_E_EXISTS;
	case CSIGN_TROUBLE_TLS:
		csign_why_set(
		    &ctx->why, "%s is not to be trusted: %s", service, said);
		return CSIGN_E_SERVICE;
	case CSIGN_TROUBLE_UNREACHABLE:
	case CSIGN_TROUBLE_UNAVAILABLE:
	case CSIGN_TROUBLE_BAD_REPLY:
		csign_why_set(&ctx->why, "%s: %s", service, said);
		return CSIGN_E_SERVICE;
	case CSIGN_TROUBLE_INTERNAL:
		break;
	}
	csign_why_set(&ctx->why, "the courier failed: %s", detail);
	return CSIGN_E_COURIER;
}
