/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the phone inside somebody else's program. */
#ifndef CSIGN_PAM_WAIT_H
#define CSIGN_PAM_WAIT_H

#include <stdint.h>

#include "countersign.h"

/*
 * Waits until ap ends, as csign_approval_wait() with no time limit, but also
 * ends when a signal arrives that would stop the program if the program did
 * not block it (sudo blocks Ctrl-C while it authenticates): then
 * CSIGN_E_INTERRUPTED.  The signal stays pending, and masks and handlers are
 * left as they are.
 */
CSIGN_WUR enum csign_err csign_wait(
    struct csign_approval *ap, uint32_t *ret_verdict);

#endif
