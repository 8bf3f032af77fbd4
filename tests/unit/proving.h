/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device and the answers that it signs: what the tests of lib/proof.h break,
 * one rule at a time, and sign anew, so that nothing else can refuse it.
 */
#ifndef PROVING_H
#define PROVING_H

#include "proof.h"
#include "settings.h"
#include "vectors.h"

#define RP "approve.example.org"
#define ORIGIN "https://" RP
#define NOW UINT64_C(1763765400000)

struct fixture {
	struct csign_p256 *key;
	struct csign_device device;
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	char text[CSIGN_CHALLENGE_SIZE];
	struct csign_proof_policy policy;
	unsigned char a[600];
	size_t a_len;
	char b[5000];
	size_t b_len;
	unsigned char signature[128];
	size_t signature_len;
	struct csign_answer answer;
	struct csign_proof_facts facts;
};

/* A good answer of a new device, signed. */
void fixture(struct fixture *f, enum csign_kind kind);
void fixture_free(struct fixture *f);
/* Client data from a template: @C is the challenge, @O the origin. */
void set_b(struct fixture *f, const char *template);
void sign_webauthn(struct fixture *f);
void sign_p256(struct fixture *f);
enum csign_err check(struct fixture *f);
/* The same by csign_proof_wrong_code(). */
enum csign_err check_code(struct fixture *f);
/* Nothing is said about an answer that was refused. */
void assert_untouched(const struct fixture *f);

/* A copy for free(3) with nothing behind it. */
void *exactly(const void *bytes, size_t len);
void put_u32(unsigned char *at, uint32_t v);
void hash(const void *bytes, size_t len, unsigned char out[32]);

#define GOOD_GET                                                               \
	"{\"type\":\"webauthn.get\",\"challenge\":\"@C\",\"origin\":\"@O\","   \
	"\"crossOrigin\":false}"

#endif
