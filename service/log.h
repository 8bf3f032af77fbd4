/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service's log: one line an event on standard error, "<N>event=... key=
 * value ...", N being the level as systemd reads it.  Values are made harmless
 * here and nowhere else.  Never logged: keys, tokens, contents, answers,
 * cookies, whole link ids.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include "countersign.h"

void log_set_level(enum csign_log_level level);
/*
 * Pairs of strings, key and value, behind the event; a NULL value is left out
 * with its key.
 */
#define log_event(level, ...) log_pairs(level, __VA_ARGS__, (char *)NULL)
void log_pairs(enum csign_log_level level, const char *event, ...)
    __attribute__((sentinel));

#endif
