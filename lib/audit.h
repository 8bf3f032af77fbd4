/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit trail: one JSON object a line, at most 2,048 bytes, appended to the
 * audit file with one write and handed to the system's log as one message.  A
 * grant needs its record first, in one of the two
 * (countersign-security(7) AUD-1 to AUD-3).  Never in a record: S, codes, keys,
 * signatures, client data, arguments, names of unknown accounts.
 */
#ifndef CSIGN_AUDIT_H
#define CSIGN_AUDIT_H

#include <stdint.h>

#include "countersign.h"
#include "settings.h"
#include "why.h"

struct csign_audit {
	/* "approval", "alert" (phones stop to ring), "test", "recovery",
	 * "enrolment", "revoke", "removal" (by the phone), "rename", "deenrol",
	 * "recovery_codes", "restore" */
	const char *event;
	/* "granted", "denied", "refused", "failed"; of an alert "push-paused",
	 * or "push-stopped" until a QR success */
	const char *result;
	enum csign_err reason;
	const char *user; /* canonical name, or NULL if unknown */
	int64_t uid;      /* -1 if unknown */
	const char *service, *tty, *rhost; /* or NULL */
	const char *device;                /* id, or NULL */
	const char *device_name;           /* or NULL */
	const char *choice;                /* or NULL */
	const char *by;                    /* who did it, or NULL */
	const char *question; /* b64u of the first 9 bytes of the nonce */
	uint32_t flags;       /* authenticator flags, 0 if none */
	uint32_t counter;
	uint32_t latency_ms;     /* from question to result */
	const char *codes_left;  /* recovery codes left: digits, or NULL */
	const char *replaces;    /* id of the device revoked with it, or NULL */
	const char *config_hash; /* of the settings, or NULL */
	const char *evidence;    /* csign_evidence_mark() of it, or NULL */
	const char *trouble;     /* at the service: "tls", ...; or NULL */
};

/*
 * Writes the record down: to the audit file, synced, which is created with mode
 * 0600 in a safe directory if it is missing; and to the system's log.
 * CSIGN_E_AUDIT, CSIGN_E_NOMEM: neither of those that the settings name took
 * it.  That the file alone did not is said in the log, and is no error: a full
 * disk shall not keep everybody out while another has the record.
 */
CSIGN_WUR enum csign_err csign_audit_write(const struct csign_settings *set,
    const struct csign_audit *record, struct csign_why *why);

#endif
