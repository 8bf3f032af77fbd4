/* SPDX-License-Identifier: BSD-2-Clause */
/* The question for the phone: who wants in, where, and to do what. */
#ifndef CSIGN_PAM_REQUEST_H
#define CSIGN_PAM_REQUEST_H

#include "cmdline.h"
#include "countersign.h"
#include "items.h"

/*
 * Whose phone is asked: items->user, or items->ruser where the configuration
 * says identity = ruser.  *ret_asked points into items.  CSIGN_E_CONFIG if
 * that cannot be; *ret_why then says why.
 */
CSIGN_WUR enum csign_err csign_question_asked(struct csign_ctx *ctx,
    const struct csign_items *items, const char **ret_asked,
    const char **ret_why);

/*
 * Makes the request.  proven: a first factor was, in this very login.  cmd is
 * what sudo or su was asked to do, and not looked at for other callers.
 */
CSIGN_WUR enum csign_err csign_question_new(struct csign_ctx *ctx,
    const struct csign_items *items, const char *asked, bool proven,
    const struct csign_cmdline *cmd, struct csign_request **ret_req);

#endif
