/* SPDX-License-Identifier: BSD-2-Clause */
/* What approval.c offers to enrolment.c beyond countersign.h. */
#ifndef CSIGN_APPROVAL_H
#define CSIGN_APPROVAL_H

#include "countersign.h"
#include "device.h"
#include "link.h"
#include "proof.h"

/*
 * As csign_approval_begin().  only: the one device that may answer, or NULL.
 * *link: the link to use, taken over and set to NULL; NULL for a new one.
 */
CSIGN_WUR enum csign_err csign_approval_begin_for(struct csign_ctx *ctx,
    const struct csign_request *req, const struct csign_device *only,
    struct csign_link **link, struct csign_approval **ret_ap);
/* After a grant: flags and counter of the proof. */
const struct csign_proof_facts *csign_approval_facts(
    const struct csign_approval *ap);

#endif
