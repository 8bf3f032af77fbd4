/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the phone inside somebody else's program. */
#ifndef CSIGN_PAM_WAIT_H
#define CSIGN_PAM_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "countersign.h"

/* What is waited for: an approval, or an enrolment. */
struct csign_wait {
	int fd;           /* readable when there is something to look at */
	uint32_t seconds; /* until it ends */
	/* One look, which may end it; CSIGN_E_AGAIN: not yet. */
	enum csign_err (*look)(void *arg);
	void *arg;
	/* Ctrl-\ leaves the wait, where csign_wait_can_be_left(). */
	bool may_be_left;
};

/*
 * Waits until look() says how it ended, or a little longer than seconds; but
 * also ends when a signal arrives that would stop the program if the program
 * did not block it (sudo blocks Ctrl-C while it authenticates): then
 * CSIGN_E_INTERRUPTED.  The signal stays pending, and masks and handlers are
 * left as they are.  One exception: SIGQUIT, typed to leave the wait, is taken
 * away, so that the program goes on; then *ret_left.
 */
CSIGN_WUR enum csign_err csign_wait(
    const struct csign_wait *wait, bool *ret_left);

/* Does the program block SIGQUIT, so that Ctrl-\ does not end it? */
bool csign_wait_can_be_left(void);

#endif
