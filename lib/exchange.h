/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exchange: one question that lies at the service under a link, and the
 * sealed answers that come back.  Approvals and enrolments are both built on
 * it.  It knows time, links, seals and the courier; it judges nothing.
 */
#ifndef CSIGN_EXCHANGE_H
#define CSIGN_EXCHANGE_H

#include <stdint.h>

#include "buf.h"
#include "countersign.h"
#include "ctx.h"
#include "device.h"
#include "frame.h"
#include "link.h"

struct csign_exchange;

/* What is put to whom; everything is borrowed. */
struct csign_opening {
	enum csign_op op;
	const char *subject; /* user name at the service, "" for nobody's */
	const struct csign_buf *transaction;
	/* whose credentials the phone is told, or NULL */
	const struct csign_device_list *devices;
	bool ring;         /* S is sealed to each of them: push and inbox */
	uint32_t lifetime; /* seconds */
};
/* Has it a key for S, and one of these kinds (CSIGN_KIND_BIT_)? */
bool csign_device_rings(const struct csign_device *device, uint32_t kinds);
/*
 * Seals the transaction for a new link, sends the courier, and waits, at most
 * 3 s, until the service has it.  *link: the link to use, taken over and set to
 * NULL; if it is NULL, a new one is made.
 * CSIGN_E_EXISTS: the link id is taken; make a new transaction and try again,
 * once (countersign-security(7) TX-7).
 */
CSIGN_WUR enum csign_err csign_exchange_begin(struct csign_ctx *ctx,
    const struct csign_opening *opening, struct csign_link **link,
    struct csign_exchange **ret_ex);
/* Tells the service that it is over, unless it has been told an outcome. */
void csign_exchange_free(struct csign_exchange **ex);

const char *csign_exchange_link(const struct csign_exchange *ex);
int csign_exchange_fd(const struct csign_exchange *ex);
uint32_t csign_exchange_seconds_left(const struct csign_exchange *ex);
/* The link for the test approval that follows; the caller's. */
CSIGN_WUR enum csign_err csign_exchange_test_link(
    const struct csign_exchange *ex, struct csign_link **ret_link);
/* Milliseconds since the question was made. */
uint32_t csign_exchange_age_ms(const struct csign_exchange *ex);

/*
 * The next different answer, opened: *ret_answer is the caller's.
 * CSIGN_E_AGAIN: none within timeout_ms (-1: until the end).
 * CSIGN_E_PROOF_FORMAT: one came that does not open.  CSIGN_E_EXPIRED,
 * CSIGN_E_LIMIT, trouble: the exchange is over.
 */
CSIGN_WUR enum csign_err csign_exchange_next(
    struct csign_exchange *ex, int timeout_ms, struct csign_buf **ret_answer);
/* How many phones the service says it rings; -1: none was to be rung. */
int csign_exchange_rings(const struct csign_exchange *ex);
/*
 * How many more different answers will be looked at; after a wrong code also
 * no more than how many are left to type.
 */
uint8_t csign_exchange_tries_left(const struct csign_exchange *ex);
/* A code was wrong, which counts: at most CSIGN_CODE_TRIES_MAX. */
void csign_exchange_wrong_code(struct csign_exchange *ex);
/* CSIGN_OK while the question is not too old. */
CSIGN_WUR enum csign_err csign_exchange_fresh(const struct csign_exchange *ex);
/*
 * Tells the service, which tells the phone; never blocks, may be lost.
 * device: of a grant, the one that was enrolled, or that gave it and need not
 * be told that somebody did; else NULL.
 */
void csign_exchange_outcome(struct csign_exchange *ex,
    enum csign_outcome outcome, enum csign_err reason, const char *device);

/*
 * Notes of phones that want to be removed, which came with the reply; removal.h
 * says what becomes of them.  NULL behind the last.
 */
const struct csign_buf *csign_exchange_note(
    const struct csign_exchange *ex, size_t index);
/* Tells the service that a device is gone, as an outcome is told. */
void csign_exchange_removed(struct csign_exchange *ex, const char *device);

#endif
