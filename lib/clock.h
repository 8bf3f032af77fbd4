/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time.  Freshness is judged by CLOCK_BOOTTIME, which counts suspend and which
 * nobody can set (countersign-security(7) TX-4); the wall clock is for people's
 * eyes.
 */
#ifndef CSIGN_CLOCK_H
#define CSIGN_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "countersign.h"

#define CSIGN_TIME_SIZE 21    /* "2026-11-21T22:50:00Z" and NUL */
#define CSIGN_BOOT_ID_SIZE 37 /* as the kernel writes it, and NUL */

/* Milliseconds since boot; CSIGN_E_CLOCK. */
CSIGN_WUR enum csign_err csign_clock_boot(uint64_t *ret_ms);
/* Milliseconds since 1970-01-01 UTC. */
CSIGN_WUR enum csign_err csign_clock_wall(uint64_t *ret_ms);
/* Which boot that is: another one after each. */
CSIGN_WUR enum csign_err csign_clock_boot_id(char out[CSIGN_BOOT_ID_SIZE]);
/* Is it in the form of one, "1b4e28ba-2fa1-41d2-883f-0016d3cca427"? */
bool csign_boot_id_valid(const char *text);
/* RFC 3339 in UTC with whole seconds; years 1970 to 9999. */
CSIGN_WUR enum csign_err csign_time_format(
    uint64_t seconds, char out[CSIGN_TIME_SIZE]);
CSIGN_WUR enum csign_err csign_time_parse(
    const char *text, uint64_t *ret_seconds);

#endif
