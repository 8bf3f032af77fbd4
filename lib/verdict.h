/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a verdict: what each step on the way to a yes leaves behind once
 * it was passed, and what is made of them.  Any two of them, and any of them
 * and zero or all ones, differ in 16 bits or more, so that no single fault, no
 * word that was forgotten and no step in the place of another makes a yes
 * (countersign-security(7) SIG-6).
 */
#ifndef CSIGN_VERDICT_H
#define CSIGN_VERDICT_H

#include <stdint.h>

#include "countersign.h"

#define CSIGN_STEP_FRESH UINT32_C(0xa0eafd50)
#define CSIGN_STEP_DEVICE UINT32_C(0x7a488e75)
#define CSIGN_STEP_CHOICE UINT32_C(0x6b2f21d4)
#define CSIGN_STEP_PROOF UINT32_C(0x96e7825c)
#define CSIGN_STEP_STATE UINT32_C(0xe034b6ec)
#define CSIGN_STEP_AUDIT UINT32_C(0xfdc8a388)

/* clang-format off */
/*
 * X(name, member).  For a recovery code: it was not used, the account had
 * a device, codes are taken here, it is the account's, it is used up, recorded.
 */
#define CSIGN_STEP_LIST(X)                                                     \
	/* not too old, after the proof was checked */                         \
	X(FRESH, fresh)                                                        \
	/* this user's, read again under the lock */                           \
	X(DEVICE, device)                                                      \
	/* one of those that grant */                                          \
	X(CHOICE, choice)                                                      \
	/* signed by that device, for this question */                         \
	X(PROOF, proof)                                                        \
	/* durable */                                                          \
	X(STATE, state)                                                        \
	/* taken by the sink */                                                \
	X(AUDIT, audit)
/* clang-format on */

struct csign_steps {
#define CSIGN_STEP_MEMBER(name, member) uint32_t member;
	CSIGN_STEP_LIST(CSIGN_STEP_MEMBER)
#undef CSIGN_STEP_MEMBER
};

/* The one place where GRANTED arises: every step is looked at once more. */
uint32_t csign_verdict_of(const struct csign_steps *steps);

#endif
