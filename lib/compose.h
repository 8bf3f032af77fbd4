/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a request to the transaction's bytes: who is asked, by which host, what,
 * how long, and a nonce that nobody can foresee (countersign-security(7) TX-1).
 */
#ifndef CSIGN_COMPOSE_H
#define CSIGN_COMPOSE_H

#include "account.h"
#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "ctx.h"
#include "request.h"

/* Ties audit records to a question: b64u of the nonce's first 9 bytes. */
#define CSIGN_QUESTION_SIZE (CSIGN_QUESTION_LEN + 1)

/* The transaction's member "code". */
enum csign_code { CSIGN_CODE_NEVER, CSIGN_CODE_INBOX, CSIGN_CODE_TAP };

struct csign_composed {
	struct csign_buf *bytes; /* the transaction; the caller's */
	char question[CSIGN_QUESTION_SIZE];
	/* CSIGN_CODE_INBOX: what the terminal shows; else "".  A secret. */
	char code[CSIGN_CODE_LEN + 1];
	enum csign_code asks;
};

/*
 * An approval.  CSIGN_CODE_INBOX also makes the code: uniform, by rejection
 * (TX-1).  CSIGN_E_CUT: the command does not fit and the host wants it whole.
 */
CSIGN_WUR enum csign_err csign_compose_approval(struct csign_ctx *ctx,
    const struct csign_request *req, const struct csign_account *account,
    enum csign_code asks, struct csign_composed *ret_composed);
CSIGN_WUR enum csign_err csign_compose_enrolment(struct csign_ctx *ctx,
    const struct csign_account *account, const char *by,
    struct csign_composed *ret_composed);
void csign_composed_clear(struct csign_composed *composed);

#endif
