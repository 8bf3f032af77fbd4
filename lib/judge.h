/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place that says yes.  Given an opened answer to a question of ours,
 * it finds the device, checks the proof, writes state, evidence and audit
 * record in this order, and only then makes the verdict.  The state comes
 * first: what was used must not be used again, whatever happens then.  A record
 * that says that evidence was kept comes after it: cut off between them there
 * is evidence of what was not granted, and never a grant whose evidence is
 * lost.
 */
#ifndef CSIGN_JUDGE_H
#define CSIGN_JUDGE_H

#include <stdint.h>

#include "account.h"
#include "answer.h"
#include "buf.h"
#include "compose.h"
#include "countersign.h"
#include "ctx.h"
#include "device.h"
#include "evidence.h"
#include "exchange.h"
#include "limit.h"
#include "proof.h"
#include "request.h"
#include "verdict.h"

/* What the question was; everything is borrowed. */
struct csign_case {
	struct csign_ctx *ctx;
	const struct csign_request *req;
	const struct csign_account *account;
	const struct csign_composed *composed;
	const struct csign_exchange *exchange;
	bool known;  /* the account exists */
	bool nobody; /* a question that no device may answer: RL-7 */
	/* The devices as they were when the question was put. */
	const struct csign_device_list *asked;
	/* The first approval of an enrolment: only this device may answer. */
	const struct csign_device *only;
	bool test; /* which grants nothing then */
};

struct csign_ruling {
	char choice[CSIGN_CHOICE_MAX + 1];
	char device[CSIGN_DEVICE_ID_SIZE];
	char device_name[CSIGN_DEVICE_NAME_MAX + 1];
	struct csign_proof_facts facts;
	char evidence[CSIGN_EVIDENCE_MARK_SIZE]; /* "" where none is kept */
	int codes_left; /* csign_approval_codes_left() */
	bool settled;   /* the limit knows how it ended: */
	enum csign_became became;
};

/*
 * CSIGN_OK with *ret_verdict == CSIGN_VERDICT_GRANTED is the only yes.
 * DENIED, NOT_ME, DECLINED: the person's no.  PROOF_*: this answer proves
 * nothing; another may.  PROOF_CODE: the same, and a try that counts: see
 * csign_exchange_wrong_code().  Everything else is trouble and final.
 */
CSIGN_WUR enum csign_err csign_judge(const struct csign_case *c,
    const struct csign_buf *answer, struct csign_ruling *ret_ruling,
    uint32_t *ret_verdict);

/* Is this reason about one answer only, so that another may be waited for? */
bool csign_is_proof_error(enum csign_err err);

/* An audit record on this case, for what ends it without an answer. */
CSIGN_WUR enum csign_err csign_case_audit(const struct csign_case *c,
    const struct csign_ruling *ruling, const char *result,
    enum csign_err reason);

#endif
