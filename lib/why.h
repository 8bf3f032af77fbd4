/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sentence that explains a failure to a person: what is wrong, where
 * (file:line), what to do.  Functions that can fail in several ways take a
 * struct csign_why * and fill it before they return the error; NULL is
 * allowed and means that nobody asks.
 */
#ifndef CSIGN_WHY_H
#define CSIGN_WHY_H

#include "bounds.h"
#include "countersign.h"

struct csign_why {
	char text[CSIGN_WHY_SIZE];
};

/* Replaces the sentence; foreign bytes in it are made harmless. */
void csign_why_set(struct csign_why *why, const char *fmt, ...)
    CSIGN_PRINTF(2, 3);
/* The same, with ": " and the text of errnum behind it, which is never cut. */
void csign_why_errno(struct csign_why *why, int errnum, const char *fmt, ...)
    CSIGN_PRINTF(3, 4);

#endif
