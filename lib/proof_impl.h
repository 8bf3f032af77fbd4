/* SPDX-License-Identifier: BSD-2-Clause */
/* What proof.c and the files of the two kinds share, and nobody else needs. */
#ifndef CSIGN_PROOF_IMPL_H
#define CSIGN_PROOF_IMPL_H

#include "proof.h"

/* One proof being looked at. */
struct csign_look {
	struct csign_crypto *crypto;
	const struct csign_answer *answer;
	const char *challenge; /* 43 characters */
	const struct csign_proof_policy *policy;
	/* what the key, the page and the relying party have to be */
	const unsigned char *point;
	const char *rp, *origin;
};

/*
 * The signature's steps of a p256 proof: shape of the data, challenge, time,
 * signature.
 */
CSIGN_WUR enum csign_err csign_p256_look(const struct csign_look *look);

/*
 * The challenge that the data carries, where its shape says that one is, or
 * NULL: CSIGN_CHALLENGE_SIZE - 1 bytes in answer->b, not looked at.
 */
const unsigned char *csign_p256_challenge(const struct csign_answer *answer);
const unsigned char *csign_client_data_challenge(
    const struct csign_answer *answer, const char *type);

/*
 * Client data by the limited verification algorithm, made strict.  type:
 * "webauthn.get" or "webauthn.create".
 */
CSIGN_WUR enum csign_err csign_client_data_look(
    const struct csign_look *look, const char *type);
/* An assertion's steps, counter and all. */
CSIGN_WUR enum csign_err csign_assertion_look(const struct csign_look *look,
    const struct csign_device *device, struct csign_proof_facts *ret_facts);
/*
 * A creation's; fills credential, rp, origin, aaguid and backup flags of
 * device.
 */
CSIGN_WUR enum csign_err csign_creation_look(const struct csign_look *look,
    struct csign_device *device, struct csign_proof_facts *ret_facts);

#endif
