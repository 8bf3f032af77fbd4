/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often somebody may do something: a token bucket for each key, in a table
 * of fixed size.  Keys are hashed with a secret, so that nobody chooses who
 * shares a place with whom; where places run out, the bucket with most left is
 * forgotten first, which is the one that mattered least.
 */
#ifndef SERVICE_RATE_H
#define SERVICE_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "countersign.h"

struct rate;

/* per_minute: also the size of the bucket; 0: no limit. */
CSIGN_WUR enum csign_err rate_new(uint32_t per_minute, struct rate **ret_rate);
void rate_free(struct rate **rate);
/*
 * Takes one token of key.  False: there is none, and *ret_wait says in how
 * many seconds there is one.  now_ms must not run backwards.
 */
bool rate_take(struct rate *rate, const void *key, size_t len, uint64_t now_ms,
    unsigned *ret_wait);

#endif
