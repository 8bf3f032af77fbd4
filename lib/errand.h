/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending the courier: a job filled in from the host's settings, and what its
 * troubles mean to us.
 */
#ifndef CSIGN_ERRAND_H
#define CSIGN_ERRAND_H

#include <stdint.h>

#include "countersign.h"
#include "ctx.h"
#include "frame.h"
#include "leash.h"

/* What differs from errand to errand; the rest comes from the settings. */
struct csign_errand {
	enum csign_op op;
	const char *origin;  /* NULL: the service */
	const char *subject; /* "" for none */
	const char *link_id; /* "" for none */
	const unsigned char *content;
	size_t content_len;
	uint32_t lifetime; /* seconds, 0 where nothing is waited for */
	const unsigned char *copies; /* as in struct csign_job */
	size_t copies_len;
};

CSIGN_WUR enum csign_err csign_errand_start(struct csign_ctx *ctx,
    const struct csign_errand *errand, struct csign_leash **ret_leash);
/* An errand without waiting (ping, remove): start, hear the end, let go. */
CSIGN_WUR enum csign_err csign_errand_run(
    struct csign_ctx *ctx, const struct csign_errand *errand);
/*
 * Start and hear the first frame, TROUBLE or another, which lives as long as
 * the leash; the caller lets go also after an error.
 */
CSIGN_WUR enum csign_err csign_errand_hear(struct csign_ctx *ctx,
    const struct csign_errand *errand, struct csign_leash **ret_leash,
    struct csign_frame *ret_frame);
/* The error for a TROUBLE frame; ctx->why says it in words. */
CSIGN_WUR enum csign_err csign_errand_trouble(
    struct csign_ctx *ctx, const struct csign_frame *frame);
/* The same of another origin than the service. */
CSIGN_WUR enum csign_err csign_errand_trouble_at(
    struct csign_ctx *ctx, const char *origin, const struct csign_frame *frame);

#endif
