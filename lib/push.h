/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a question rings the account's phones: the policy of the host, and
 * the limiter.  What is written here is in the account's rings file, with its
 * own lock: anybody who asks comes to hold that one, and can be stopped then.
 */
#ifndef CSIGN_PUSH_H
#define CSIGN_PUSH_H

#include "account.h"
#include "compose.h"
#include "countersign.h"
#include "ctx.h"
#include "limit.h"
#include "request.h"

/*
 * May this request ring at all: settings push, push_without_first_factor, and
 * csign_request_set_push()?  Says nothing about the account.
 */
bool csign_push_wanted(
    const struct csign_ctx *ctx, const struct csign_request *req);
/*
 * What the phone is to ask for where a question rings (TX, UX-2): the code, or
 * by push_confirm = tap nothing, never for uid 0.
 */
enum csign_code csign_push_code(
    const struct csign_ctx *ctx, const struct csign_account *account);
/*
 * Takes the account's turn to ring, durably; ret_ring then names it, else it is
 * "".  open_for: the lifetime of the question, which is still to be put.  A
 * state that cannot be read or written: CSIGN_QUIET_TROUBLE, it does not ring,
 * and ret_note says so; that is no error, the link is there.
 */
enum csign_quiet csign_push_take(struct csign_ctx *ctx,
    const struct csign_account *account, uint32_t open_for,
    char ret_ring[CSIGN_RING_SIZE], char ret_note[CSIGN_PUSH_NOTE_SIZE]);
/*
 * It ended.  ring may be "", for one that did not ring: only a success matters
 * then.  What ctx says about why it ended stays.
 */
void csign_push_over(struct csign_ctx *ctx, const struct csign_account *account,
    const char *ring, enum csign_became became);

#endif
