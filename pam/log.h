/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line an event in the system's log, as pam_countersign(8) lists them:
 * event=auth_deny reason=DENIED user="alice" service=...
 */
#ifndef CSIGN_PAM_LOG_H
#define CSIGN_PAM_LOG_H

#include <security/pam_modules.h>
#include <stddef.h>

#include "countersign.h"

struct csign_line {
	char text[4096];
	size_t len;
};

/*
 * Appends key=value with a space before it: at most 256 bytes of the value,
 * in double quotes unless it has only letters, digits and "_.:/-", and
 * everything but printable ASCII as \xHH.  NULL and "" are left out.
 */
void csign_line_add(
    struct csign_line *line, const char *key, const char *value);

/* Writes the line with a priority of syslog(3). */
void csign_line_write(
    pam_handle_t *pamh, int priority, const struct csign_line *line);

/* A sink for csign_ctx_new(): what the library says, at debug level. */
void csign_log_debug(void *pamh, enum csign_log_level level, const char *line);

#endif
