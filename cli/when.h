/* SPDX-License-Identifier: BSD-2-Clause */
/* A time as people write it, as the audit trail writes it. */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdbool.h>
#include <time.h>

#define WHEN_SIZE 21 /* "2026-11-22T10:00:00Z" and the NUL */

/*
 * "today" and "2026-11-22": midnight of this host's time zone; RFC 3339:
 * "2026-11-22T10:00:00Z", "2026-11-22T11:00:00+01:00"; so long ago: "90s",
 * "15m", "1h", "2d", "3w".  False if it is none of these.
 */
bool when_parse(const char *text, time_t now, char ret_when[WHEN_SIZE]);

/* Has it the form of a time in the audit trail? */
bool when_is(const char *text);
/* And which moment is it? */
bool when_read(const char *text, time_t *ret_time);

#endif
