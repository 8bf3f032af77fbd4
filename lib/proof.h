/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accepting a proof: whether these bytes show that the owner of this device
 * said this, now, to this question.  countersign-protocol(7), section
 * ACCEPTING A PROOF; WebAuthn Level 3, 5.8.1.2, 6.1, 7.1 and 7.2.
 *
 * Pure functions over bytes: no file, no clock but the argument, no state.
 * Each step has its own CSIGN_E_PROOF_ reason, and a failed step is final.
 */
#ifndef CSIGN_PROOF_H
#define CSIGN_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "bounds.h"
#include "countersign.h"
#include "crypto.h"
#include "device.h"

/*
 * SHA-256("countersign/1 " || choice || 00 || u32be(len) || transaction || 00
 * || code).  code: "" or 6 digits; must be "" for deny, not-me, enroll and
 * remove (countersign-security(7) TX-3): CSIGN_E_INVALID.
 */
CSIGN_WUR enum csign_err csign_challenge(struct csign_crypto *crypto,
    const char *choice, const void *transaction, size_t transaction_len,
    const char *code, unsigned char out[CSIGN_CHALLENGE_LEN]);

/* CSIGN_KIND_BIT_ of a kind that can prove something, else 0. */
uint32_t csign_kind_bit(enum csign_kind kind);

struct csign_proof_policy {
	uint32_t kinds;     /* CSIGN_KIND_BIT_ of settings.h */
	bool require_bound; /* refuse synced passkeys */
	uint64_t wall_ms;   /* now, for p256's second check */
	bool any_time;      /* without that: of a note that waited for days */
	uint32_t counter;   /* the stored one */
	bool allow_no_uv;   /* tests of the standard's vectors only */
};

struct csign_proof_facts {
	uint8_t flags;    /* authenticator flags, 0 for p256 */
	uint32_t counter; /* the new one */
};

/* An approval's proof: answer.kind is that of device. */
CSIGN_WUR enum csign_err csign_proof_check(struct csign_crypto *crypto,
    const struct csign_device *device, const struct csign_answer *answer,
    const unsigned char challenge[CSIGN_CHALLENGE_LEN],
    const struct csign_proof_policy *policy,
    struct csign_proof_facts *ret_facts);

/*
 * Of an answer that is for another challenge: is all else of it good, by the
 * steps of csign_proof_check() with the challenge that it carries itself?  Then
 * its owner typed a wrong code, CSIGN_E_PROOF_CODE, and ret_facts is written;
 * else CSIGN_E_PROOF_CHALLENGE.  Trouble apart there is no other answer, and
 * none is CSIGN_OK: an answer does not say itself what it is for.
 */
CSIGN_WUR enum csign_err csign_proof_wrong_code(struct csign_crypto *crypto,
    const struct csign_device *device, const struct csign_answer *answer,
    const struct csign_proof_policy *policy,
    struct csign_proof_facts *ret_facts);

/*
 * An enrolment's: fills a device (all but added, by and name) from the answer.
 * rp, origin: of the host's page.
 */
CSIGN_WUR enum csign_err csign_registration_check(struct csign_crypto *crypto,
    const struct csign_answer *answer,
    const unsigned char challenge[CSIGN_CHALLENGE_LEN], const char *rp,
    const char *origin, const struct csign_proof_policy *policy,
    struct csign_device *ret_device, struct csign_proof_facts *ret_facts);

#endif
