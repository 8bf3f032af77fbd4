/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A phone for the targets that look at proofs: it signs whatever the input
 * holds, so that what is behind the signature's check is reached too.
 */
#ifndef FUZZ_SIGNER_H
#define FUZZ_SIGNER_H

#include "fuzz.h"
#include "proof.h"

#define PROOF_RP "example.org"
#define PROOF_ORIGIN "https://example.org"
#define PROOF_CHALLENGE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define PROOF_NOW_MS UINT64_C(1764000000000)

/* Bytes 0 to 31, whose text is PROOF_CHALLENGE. */
extern const unsigned char proof_challenge[CSIGN_CHALLENGE_LEN];

/* The phone's key: the scalar 1, 2, ... 32. */
const struct csign_p256 *proof_key(void);
/* Puts its signature over a and b in the place of the answer's. */
void proof_sign(
    struct csign_answer *answer, unsigned char signature[CSIGN_SIGNATURE_MAX]);
/*
 * WebAuthn's authenticator data once more: hash, exactly these flags, counter.
 */
bool proof_head_good(const struct csign_answer *answer, uint8_t attested,
    const struct csign_proof_facts *facts);
/* Is the one challenge that counts in its place of b? */
bool proof_for_challenge(const struct csign_answer *answer, const char *type);

#endif
