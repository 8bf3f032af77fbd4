/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "signer.h"

#define HEAD_LEN 37

const unsigned char proof_challenge[CSIGN_CHALLENGE_LEN] = {0, 1, 2, 3, 4, 5, 6,
    7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 31};

const struct csign_p256 *
proof_key(void)
{
	static struct csign_p256 *key;
	unsigned char scalar[32];

	for (unsigned i = 0; i < sizeof scalar; i++)
		scalar[i] = (unsigned char)(i + 1);
	if (key == NULL)
		MUST(csign_p256_from_scalar(fuzz_crypto(), scalar, &key) ==
		     CSIGN_OK);
	return key;
}

void
proof_sign(
    struct csign_answer *answer, unsigned char signature[CSIGN_SIGNATURE_MAX])
{
	unsigned char message[CSIGN_REGISTRATION_MAX + CSIGN_CLIENT_DATA_MAX];
	size_t len = answer->a_len;

	if (len > 0)
		memcpy(message, answer->a, len);
	if (answer->kind == CSIGN_KIND_WEBAUTHN) {
		(void)SHA256(answer->b, answer->b_len, message + len);
		len += SHA256_DIGEST_LENGTH;
	} else if (answer->b_len > 0) {
		memcpy(message + len, answer->b, answer->b_len);
		len += answer->b_len;
	}
	MUST(csign_p256_sign(proof_key(), message, len, signature,
		 &answer->signature_len) == CSIGN_OK);
	answer->signature = signature;
}

bool
proof_head_good(const struct csign_answer *answer, uint8_t attested,
    const struct csign_proof_facts *facts)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	const unsigned char *a = answer->a;
	uint32_t counter;

	if (answer->a_len < HEAD_LEN)
		return false;
	(void)SHA256((const unsigned char *)PROOF_RP, strlen(PROOF_RP), hash);
	counter = (uint32_t)a[33] << 24 | (uint32_t)a[34] << 16 |
		  (uint32_t)a[35] << 8 | a[36];
	return memcmp(a, hash, sizeof hash) == 0 &&
	       (a[32] == (0x05 | attested) || a[32] == (0x0d | attested) ||
		   a[32] == (0x1d | attested)) &&
	       facts->flags == a[32] && facts->counter == counter;
}

bool
proof_for_challenge(const struct csign_answer *answer, const char *type)
{
	char begin[160];
	int len;

	if (answer->kind != CSIGN_KIND_WEBAUTHN)
		return answer->b_len > CSIGN_CHALLENGE_SIZE &&
		       memcmp(answer->b + answer->b_len -
				  (CSIGN_CHALLENGE_SIZE - 1),
			   PROOF_CHALLENGE, CSIGN_CHALLENGE_SIZE - 1) == 0;
	len = snprintf(begin, sizeof begin,
	    "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\"", type,
	    PROOF_CHALLENGE, PROOF_ORIGIN);
	MUST(len > 0 && (size_t)len < sizeof begin);
	return answer->b_len > (size_t)len &&
	       memcmp(answer->b, begin, (size_t)len) == 0;
}
