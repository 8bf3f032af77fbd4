/* SPDX-License-Identifier: BSD-2-Clause */
/* What a push service's reply means: RFC 8030, and what they do beside it. */
#ifndef SERVICE_PUSH_VERDICT_H
#define SERVICE_PUSH_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "push_wire.h"

enum push_verdict {
	PUSH_TAKEN,
	PUSH_GONE,    /* the subscription is no more */
	PUSH_LATER,   /* it may be tried again */
	PUSH_REFUSED, /* it never works like this: somebody must look at it */
};

/* *ret_meaning: for the log; it lasts as long as the reply. */
enum push_verdict push_verdict(
    const struct push_reply *reply, const char **ret_meaning);

/*
 * When a Retry-After header says to come again, in milliseconds from now (ms
 * since 1970): seconds or a date.  False: it says nothing of the kind.
 */
bool push_retry_after(const char *value, uint64_t now, uint64_t *ret_ms);

#endif
