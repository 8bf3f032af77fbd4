/* SPDX-License-Identifier: BSD-2-Clause */
/* A look at the service, for who looks after this host. */
#include "config.h"

#include "bounds.h"
#include "buf.h"
#include "ctx.h"
#include "errand.h"

static uint64_t
read_time(struct csign_rd *rd)
{
	uint64_t high = csign_rd_u32(rd);

	return high << 32 | csign_rd_u32(rd);
}

static enum csign_err
read_answer(struct csign_ctx *ctx, const struct csign_frame *frame,
    struct csign_service_facts *ret_facts)
{
	struct csign_service_facts facts;
	struct csign_rd rd;

	if (frame->type == CSIGN_FRAME_TROUBLE)
		return csign_errand_trouble(ctx, frame);
	csign_rd_init(&rd, frame->bytes,
	    frame->type == CSIGN_FRAME_ANSWER ? frame->len : 0);
	facts.clock = read_time(&rd);
	facts.certificate_end = read_time(&rd);
	if (!csign_rd_done(&rd)) {
		csign_why_set(&ctx->why, "the courier said something else than "
					 "it was asked for");
		return CSIGN_E_COURIER;
	}
	*ret_facts = facts;
	return CSIGN_OK;
}

enum csign_err
csign_service_look(struct csign_ctx *ctx, struct csign_service_facts *ret_facts)
{
	const struct csign_errand errand = {
	    .op = CSIGN_OP_LOOK, .subject = "", .link_id = ""};
	struct csign_leash *leash = NULL;
	struct csign_frame frame;
	enum csign_err r;

	if (!csign_ctx_enter(ctx) || ret_facts == NULL)
		return CSIGN_E_INVALID;
	r = csign_errand_hear(ctx, &errand, &leash, &frame);
	if (r == CSIGN_OK)
		r = read_answer(ctx, &frame, ret_facts);
	csign_leash_free(&leash);
	return r;
}
