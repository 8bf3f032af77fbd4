/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the page that a server delivers the one that was released?  The courier
 * fetches it, without our access key, and tells what it got.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "crypto.h"
#include "ctx.h"
#include "errand.h"
#include "link.h"

#define SETTINGS_PATH "/service.json"
#define PATH_MAX_LEN 64
#define HASH_LEN 32
#define HEX_LEN (2 * HASH_LEN)

struct delivered {
	char sha256[HEX_LEN + 1];
	uint32_t size;
};

static void
to_hex(const unsigned char hash[HASH_LEN], char out[HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_LEN; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[HEX_LEN] = '\0';
}

static enum csign_err
read_answer(struct csign_ctx *ctx, const char *url,
    const struct csign_frame *frame, struct delivered *ret_delivered)
{
	const unsigned char *hash;
	struct csign_rd rd;

	if (frame->type == CSIGN_FRAME_TROUBLE)
		return csign_errand_trouble_at(ctx, url, frame);
	csign_rd_init(&rd, frame->bytes,
	    frame->type == CSIGN_FRAME_ANSWER ? frame->len : 0);
	hash = csign_rd_bytes(&rd, HASH_LEN);
	ret_delivered->size = csign_rd_u32(&rd);
	if (!csign_rd_done(&rd)) {
		csign_why_set(&ctx->why, "the courier said something else than "
					 "it was asked for");
		return CSIGN_E_COURIER;
	}
	to_hex(hash, ret_delivered->sha256);
	return CSIGN_OK;
}

static enum csign_err
fetch(struct csign_ctx *ctx, const char *url, const char *path,
    struct delivered *ret_delivered)
{
	const struct csign_errand errand = {.op = CSIGN_OP_FETCH,
	    .origin = url,
	    .subject = path,
	    .link_id = ""};
	struct csign_leash *leash = NULL;
	struct csign_frame frame;
	enum csign_err r;

	r = csign_errand_hear(ctx, &errand, &leash, &frame);
	if (r == CSIGN_OK)
		r = read_answer(ctx, url, &frame, ret_delivered);
	csign_leash_free(&leash);
	return r;
}

/*
 * service.json of a page on another origin than the service: exactly this
 * text, so that the page cannot be sent to somebody else's service.
 */
static enum csign_err
names_service(
    struct csign_ctx *ctx, const struct delivered *delivered, bool *ret_names)
{
	const char *service = ctx->settings.service;
	unsigned char hash[HASH_LEN];
	char wanted[HEX_LEN + 1];
	const struct csign_part parts[] = {
	    {"{\"service\": \"", strlen("{\"service\": \"")},
	    {service, strlen(service)}, {"\"}\n", strlen("\"}\n")}};
	enum csign_err r;

	if ((r = csign_sha256(ctx->crypto, parts,
		 sizeof(parts) / sizeof(parts[0]), hash)) != CSIGN_OK)
		return r;
	to_hex(hash, wanted);
	*ret_names = strcmp(delivered->sha256, wanted) == 0;
	return CSIGN_OK;
}

static bool
path_ok(const char *path)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-._/";

	return path[0] == '/' && strlen(path) <= PATH_MAX_LEN &&
	       strspn(path, good) == strlen(path);
}

enum csign_err
csign_page_verify(struct csign_ctx *ctx, const char *url, const char *path,
    const char *sha256)
{
	struct delivered delivered = {0};
	bool same = false;
	enum csign_err r;

	if (!csign_ctx_enter(ctx) || path == NULL || sha256 == NULL ||
	    !path_ok(path) || strlen(sha256) != HEX_LEN)
		return CSIGN_E_INVALID;
	if (url == NULL)
		url = ctx->settings.page_url;
	if (csign_origin_check(url) != CSIGN_OK) {
		csign_why_set(&ctx->why,
		    "not an origin: https://host[:port] without a path, "
		    "http:// for this machine alone");
		return CSIGN_E_INVALID;
	}
	if ((r = fetch(ctx, url, path, &delivered)) != CSIGN_OK)
		return r;
	same = strcmp(delivered.sha256, sha256) == 0;
	if (!same && strcmp(path, SETTINGS_PATH) == 0 &&
	    (r = names_service(ctx, &delivered, &same)) != CSIGN_OK)
		return r;
	if (same)
		return CSIGN_OK;
	csign_why_set(&ctx->why, "%s%s is another file: %u bytes, SHA-256 %s",
	    url, path, (unsigned int)delivered.size, delivered.sha256);
	return CSIGN_E_FORMAT;
}
