/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether phones may ring for a question, as far as this program decides it. */
#ifndef CSIGN_PAM_RING_H
#define CSIGN_PAM_RING_H

#include <stdbool.h>

#include "present.h"

/*
 * Only for somebody who sees the challenge, or, where nobody ever does
 * (present = none), for a phone that asks for no code: one that was rung with a
 * code that nobody reads is a nuisance (countersign-security(7) UX-11).
 * asked: whose phone; proven: a first factor was.
 */
bool csign_may_ring(
    const struct csign_person *person, const char *asked, bool proven);

#endif
