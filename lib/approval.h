/* SPDX-License-Identifier: BSD-2-Clause */
/* What approval.c offers to enrolment.c beyond countersign.h. */
#ifndef CSIGN_APPROVAL_H
#define CSIGN_APPROVAL_H

#include "countersign.h"
#include "device.h"
#include "link.h"
#include "proof.h"

/* The first approval of a device that is being enrolled. */
struct csign_first {
	const struct csign_device *device; /* the only one that may answer */
	struct csign_link **link;          /* taken over and set to NULL */
	bool login; /* asks for a login; else it is a test that grants nothing
		     */
};

/* As csign_approval_begin().  first: NULL for an ordinary approval. */
CSIGN_WUR enum csign_err csign_approval_begin_for(struct csign_ctx *ctx,
    const struct csign_request *req, const struct csign_first *first,
    struct csign_approval **ret_ap);
/* After a grant: flags and counter of the proof. */
const struct csign_proof_facts *csign_approval_facts(
    const struct csign_approval *ap);

#endif
