/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctx.h"
#include "frame.h"

enum csign_err
csign_ctx_new(const struct csign_log *log, struct csign_ctx **ret_ctx)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_ctx *ctx = NULL;

	if (ret_ctx == NULL)
		return CSIGN_E_INVALID;
	if ((ctx = calloc(1, sizeof(*ctx))) == NULL)
		return CSIGN_E_NOMEM;
	if (log != NULL)
		ctx->log = *log;
	if ((r = csign_crypto_new(&ctx->crypto)) != CSIGN_OK)
		goto out;
	*ret_ctx = ctx;
	ctx = NULL;
	r = CSIGN_OK;
out:
	csign_ctx_free(&ctx);
	return r;
}

void
csign_ctx_free(struct csign_ctx **ctx)
{
	if (ctx == NULL || *ctx == NULL)
		return;
	csign_settings_clear(&(*ctx)->settings);
	csign_crypto_free(&(*ctx)->crypto);
	free(*ctx);
	*ctx = NULL;
}

enum csign_err
csign_ctx_load(struct csign_ctx *ctx, const char *path, const char *service)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_settings settings = {0};

	if (ctx == NULL)
		return CSIGN_E_INVALID;
	if (path == NULL)
		path = CSIGN_CONFIG_PATH;
	if ((r = csign_settings_load(ctx->crypto, path, service, &settings,
		 &ctx->why, NULL, NULL)) != CSIGN_OK)
		return r;
	csign_settings_clear(&ctx->settings);
	ctx->settings = settings;
	ctx->loaded = true;
	csign_debug(ctx, "configuration read from %s", path);
	return CSIGN_OK;
}

const char *
csign_ctx_why(const struct csign_ctx *ctx)
{
	return ctx == NULL ? "" : ctx->why.text;
}

const char *
csign_ctx_setting(struct csign_ctx *ctx, const char *key)
{
	if (ctx == NULL || key == NULL || !ctx->loaded)
		return NULL;
	if (csign_conf_value(&csign_settings_table, &ctx->settings, key,
		ctx->setting, sizeof(ctx->setting)) != CSIGN_OK)
		return NULL;
	return ctx->setting;
}

bool
csign_ctx_enter(struct csign_ctx *ctx)
{
	if (ctx == NULL)
		return false;
	ctx->why.text[0] = '\0';
	ctx->trouble = 0;
	return ctx->loaded;
}

const char *
csign_ctx_trouble(const struct csign_ctx *ctx, enum csign_err err)
{
	if (err != CSIGN_E_SERVICE && err != CSIGN_E_SERVICE_REFUSED &&
	    err != CSIGN_E_COURIER)
		return NULL;
	switch ((enum csign_trouble)ctx->trouble) {
	case CSIGN_TROUBLE_UNREACHABLE:
		return "unreachable";
	case CSIGN_TROUBLE_TLS:
		return "tls";
	case CSIGN_TROUBLE_UNAUTHORISED:
		return "unauthorised";
	case CSIGN_TROUBLE_FORBIDDEN:
		return "forbidden";
	case CSIGN_TROUBLE_NOT_FOUND:
		return "not-found";
	case CSIGN_TROUBLE_CONFLICT:
		return "conflict";
	case CSIGN_TROUBLE_LIMITED:
		return "limited";
	case CSIGN_TROUBLE_UNAVAILABLE:
		return "unavailable";
	case CSIGN_TROUBLE_BAD_REPLY:
		return "bad-reply";
	case CSIGN_TROUBLE_INTERNAL:
		return "internal";
	}
	return NULL;
}

void
csign_debug(const struct csign_ctx *ctx, const char *fmt, ...)
{
	char line[CSIGN_WHY_SIZE];
	va_list ap;

	if (ctx->log.write == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ctx->log.write(ctx->log.arg, CSIGN_LOG_DEBUG, line);
}
