/* SPDX-License-Identifier: BSD-2-Clause */
/* A recovery code in place of the phone: asking for it, and using it up. */
#ifndef CSIGN_PAM_RECOVER_H
#define CSIGN_PAM_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conv.h"
#include "countersign.h"
#include "present.h"
#include "retcode.h"

struct csign_recover {
	const struct csign_person *person;
	const struct csign_request *req; /* what the code grants */
	struct csign_reply typed;        /* a code that is there already */
	unsigned int wrong;              /* wrong ones in this login so far */
	size_t left;                     /* codes left after a right one */
};

/*
 * May a code follow a question that ended so?  Only where no phone could be
 * asked, or none answered: never after a no (countersign-security(7) TX-7).
 */
bool csign_recover_may_follow(enum csign_err err, enum csign_stage stage);

/*
 * Is this answer to the challenge to be taken as a code?  It is by its length
 * alone, which is all that sshd tells of an answer for an account that is none
 * (countersign-security(7) RL-7).
 */
bool csign_recover_is_try(const struct csign_reply *reply);

/*
 * Takes the code that is there, then asks for one until it is right, nothing is
 * typed, or three were wrong in this login.  CSIGN_OK with *ret_verdict ==
 * CSIGN_VERDICT_GRANTED: it was right and is used up.  CSIGN_E_RECOVERY: given
 * up.  CSIGN_E_LIMIT: too many.  CSIGN_E_INVALID: the user or the service
 * changed meanwhile; no code was looked at after that.
 */
CSIGN_WUR enum csign_err csign_recover(
    struct csign_recover *rec, uint32_t *ret_verdict);

/* Says how many codes are left. */
void csign_recover_say_left(const struct csign_person *person, size_t left);

#endif
