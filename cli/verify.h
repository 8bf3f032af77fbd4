/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign log --verify: every answer in the audit trail beside what was
 * kept of it, countersign-audit(5), checked again.
 */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include <stdbool.h>

#include "countersign.h"
#include "out.h"
#include "trail.h"

struct verify_query {
	struct trail_source records, evidence;
	const char *user;  /* this account's answers only; NULL: all */
	const char *since; /* nothing older; when.h; NULL: everything */
	bool json;
};

/*
 * ctx need not be loaded: then the trail alone says whose a key is.
 * STATUS_YES: nothing is wrong; STATUS_NO: something is, and was printed.
 */
enum out_status verify_show(
    struct csign_ctx *ctx, const struct verify_query *query);

#endif
