/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system's log as a place for audit records: one datagram to the socket of
 * syslog(3), which journald, rsyslogd and others listen to alike.  The protocol
 * of journald alone would save nothing and leave the others out.
 *
 * Not by syslog(3): that has one state for the whole process, which is not
 * ours, reads TZ, and does not say whether anybody took the line.  Nor as the
 * real user: a daemon that asks is told the effective one, which is root's.
 */
#ifndef CSIGN_AUDIT_SYSLOG_H
#define CSIGN_AUDIT_SYSLOG_H

#include <stdint.h>

#include "countersign.h"
#include "why.h"

/* Where a file has the record, and where nothing else has. */
#define CSIGN_SYSLOG_BESIDE_MS 100
#define CSIGN_SYSLOG_ALONE_MS 1000

/* Where the log listens: the first that somebody listens at.  NULL ends it. */
extern const char *const csign_syslog_addresses[];

/*
 * Hands over one line, of facility authpriv and as "countersign", and waits at
 * most timeout_ms where the log daemon's queue is full.  CSIGN_OK:
 * the kernel has put it into that queue.  CSIGN_E_NOT_FOUND: nobody listens
 * here, as in many containers.  CSIGN_E_FILE: the socket does not lie in a
 * folder that root alone can write to, or it did not take the line.
 */
CSIGN_WUR enum csign_err csign_syslog_put(const char *const *addresses,
    enum csign_log_level level, const char *line, uint32_t timeout_ms,
    struct csign_why *why);

#endif
