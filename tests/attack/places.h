/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in a login a call failed: what it is worth there. */
#ifndef PLACES_H
#define PLACES_H

enum place {
	PLACE_ANY,
	/*
	 * What a login does not need: phones that ring, and the record that a
	 * question was cancelled because the person typed a recovery code. What
	 * is lost of the rings file lets phones ring once more or once less,
	 * and lets nobody in.
	 */
	PLACE_BEST_EFFORT,
	PLACE_ANSWER,  /* an answer is opened, or its proof is looked at */
	PLACE_DEVICES, /* the devices file is read */
};

/* Of the call that failed; PLACE_ANY before each login. */
extern enum place place;

#endif
