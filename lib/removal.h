/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Removal by the phone: "remove this device" on the phone is a note that it
 * signs and that the service hands to the host with the reply to a question;
 * countersign-protocol(7), section REMOVAL.  A good note takes a device away
 * and does nothing else; whatever is wrong with one concerns nobody's login.
 */
#ifndef CSIGN_REMOVAL_H
#define CSIGN_REMOVAL_H

#include "account.h"
#include "ctx.h"
#include "exchange.h"

/*
 * Looks at the notes that came with a question, before an answer to it is
 * looked at, so that a device that was removed cannot be the one that answers
 * (countersign-security(7) ENR-10).  account: whose question it is, or NULL.
 * What csign_ctx_why() says stays.
 */
void csign_removals_take(struct csign_ctx *ctx, struct csign_exchange *ex,
    const struct csign_account *account);

#endif
