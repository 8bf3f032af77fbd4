/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "verdict.h"

/* Far enough from this word, or this word itself. */
#define FAR(a, b) ((a) == (b) || __builtin_popcount((a) ^ (b)) >= 16)
/* NOLINTBEGIN(bugprone-macro-parentheses): terms of a sum */
#define PLUS_FAR(name, member) +FAR(CSIGN_STEP_##name, WORD)
#define PLUS_SAME(name, member) +(CSIGN_STEP_##name == WORD)
#define PLUS_ONE(name, member) +1
/* NOLINTEND(bugprone-macro-parentheses) */

/* In whole: every word is far from WORD, and only one is WORD. */
#define FAR_FROM_ALL                                                           \
	(FAR(CSIGN_VERDICT_NONE, WORD) + FAR(~CSIGN_VERDICT_NONE, WORD) +      \
		    FAR(CSIGN_VERDICT_GRANTED, WORD) +                         \
		    FAR(CSIGN_VERDICT_REFUSED, WORD)                           \
			CSIGN_STEP_LIST(PLUS_FAR) ==                           \
		4 CSIGN_STEP_LIST(PLUS_ONE) &&                                 \
	    (CSIGN_VERDICT_NONE == WORD) + (~CSIGN_VERDICT_NONE == WORD) +     \
		    (CSIGN_VERDICT_GRANTED == WORD) +                          \
		    (CSIGN_VERDICT_REFUSED == WORD)                            \
			CSIGN_STEP_LIST(PLUS_SAME) ==                          \
		1)

#define WORD CSIGN_VERDICT_NONE
_Static_assert(FAR_FROM_ALL, "none");
#undef WORD
#define WORD CSIGN_VERDICT_GRANTED
_Static_assert(FAR_FROM_ALL, "granted");
#undef WORD
#define WORD CSIGN_VERDICT_REFUSED
_Static_assert(FAR_FROM_ALL, "refused");
#undef WORD
#define WORD CSIGN_STEP_FRESH
_Static_assert(FAR_FROM_ALL, "fresh");
#undef WORD
#define WORD CSIGN_STEP_DEVICE
_Static_assert(FAR_FROM_ALL, "device");
#undef WORD
#define WORD CSIGN_STEP_CHOICE
_Static_assert(FAR_FROM_ALL, "choice");
#undef WORD
#define WORD CSIGN_STEP_PROOF
_Static_assert(FAR_FROM_ALL, "proof");
#undef WORD
#define WORD CSIGN_STEP_STATE
_Static_assert(FAR_FROM_ALL, "state");
#undef WORD
#define WORD CSIGN_STEP_AUDIT
_Static_assert(FAR_FROM_ALL, "audit");
#undef WORD

uint32_t
csign_verdict_of(const struct csign_steps *steps)
{
	if (steps->fresh == CSIGN_STEP_FRESH &&
	    steps->device == CSIGN_STEP_DEVICE &&
	    steps->choice == CSIGN_STEP_CHOICE &&
	    steps->proof == CSIGN_STEP_PROOF &&
	    steps->state == CSIGN_STEP_STATE &&
	    steps->audit == CSIGN_STEP_AUDIT)
		return CSIGN_VERDICT_GRANTED;
	return CSIGN_VERDICT_REFUSED;
}
