/* SPDX-License-Identifier: BSD-2-Clause */
/* What a struct csign_ctx holds, for the files of this library. */
#ifndef CSIGN_CTX_H
#define CSIGN_CTX_H

#include "countersign.h"
#include "crypto.h"
#include "secret.h"
#include "settings.h"
#include "why.h"

struct csign_ctx {
	struct csign_log log;
	struct csign_why why;
	struct csign_settings settings;
	bool loaded;
	uint8_t trouble; /* enum csign_trouble of this call, 0 for none */
	struct csign_crypto *crypto;
	char setting[CSIGN_CONF_LINE_MAX]; /* of csign_ctx_setting() */
};

/*
 * At the start of a public call: is there a configuration?  The sentence of an
 * earlier failure is forgotten.  ctx may be NULL.
 */
bool csign_ctx_enter(struct csign_ctx *ctx);
/*
 * The trouble with the service that is behind this error, as a word of
 * countersign-audit(5); NULL for none.
 */
const char *csign_ctx_trouble(const struct csign_ctx *ctx, enum csign_err err);
void csign_debug(const struct csign_ctx *ctx, const char *fmt, ...)
    CSIGN_PRINTF(2, 3);

#endif
