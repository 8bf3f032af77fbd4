/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signed answers, kept so that anybody with the file can check them again
 * later: one JSON object a line, at most 16,384 bytes, countersign-audit(5).
 * It holds what was signed, by which key and how it was asked, and so also a
 * code that was typed, which is spent; never a link's secret or an access key.
 */
#ifndef CSIGN_EVIDENCE_H
#define CSIGN_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "buf.h"
#include "countersign.h"
#include "crypto.h"
#include "device.h"
#include "settings.h"
#include "why.h"

#define CSIGN_EVIDENCE_MAX 16384 /* with the line's end */
/* b64u of the first 16 bytes of the line's SHA-256, and NUL */
#define CSIGN_EVIDENCE_MARK_SIZE 23

/* One answer whose proof was good; nothing is owned. */
struct csign_exhibit {
	uint64_t checked_ms; /* the wall clock by which it was checked */
	const char *question;
	const char *host, *user;
	uint32_t uid;
	const struct csign_device *device;
	uint32_t counter; /* stored before this answer */
	const struct csign_answer *answer;
	const char *code; /* that is in the challenge, or "" */
	const void *transaction;
	size_t transaction_len;
};

/* Its line, without an end.  CSIGN_E_TOO_LONG, CSIGN_E_FORMAT. */
CSIGN_WUR enum csign_err csign_evidence_format(
    const struct csign_exhibit *exhibit, struct csign_buf *out);
/* What the audit record names a line by. */
CSIGN_WUR enum csign_err csign_evidence_mark(struct csign_crypto *crypto,
    const char *line, size_t len, char out[CSIGN_EVIDENCE_MARK_SIZE]);
/*
 * Appends it to the evidence file, synced; the file is made with mode 0600 in a
 * safe directory if it is missing.  *ret_mark is "" where the settings keep
 * none.  CSIGN_E_AUDIT, CSIGN_E_NOMEM.
 */
CSIGN_WUR enum csign_err csign_evidence_keep(struct csign_crypto *crypto,
    const struct csign_settings *set, const struct csign_exhibit *exhibit,
    char ret_mark[CSIGN_EVIDENCE_MARK_SIZE], struct csign_why *why);

#endif
