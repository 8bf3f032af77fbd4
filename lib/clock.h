/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time.  Freshness is judged by CLOCK_BOOTTIME, which counts suspend and which
 * nobody can set (countersign-security(7) TX-4); the wall clock is for people's
 * eyes.
 */
#ifndef CSIGN_CLOCK_H
#define CSIGN_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "countersign.h"

#define CSIGN_TIME_SIZE 21 /* "2026-11-21T22:50:00Z" and NUL */

/* Milliseconds since boot; CSIGN_E_CLOCK. */
CSIGN_WUR enum csign_err csign_clock_boot(uint64_t *ret_ms);
/* Milliseconds since 1970-01-01 UTC. */
CSIGN_WUR enum csign_err csign_clock_wall(uint64_t *ret_ms);
/* RFC 3339 in UTC with whole seconds; years 1970 to 9999. */
CSIGN_WUR enum csign_err csign_time_format(
    uint64_t seconds, char out[CSIGN_TIME_SIZE]);
CSIGN_WUR enum csign_err csign_time_parse(
    const char *text, uint64_t *ret_seconds);

#endif
