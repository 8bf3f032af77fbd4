/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proofs that must not count for a question: each is wrong in one of the ways
 * of forge_kinds.
 */
#ifndef FORGE_H
#define FORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto.h"
#include "device.h"

#define FORGE_PLAIN_MAX 1024
#define FORGE_OLD 64

/* An answer before it is sealed. */
struct forge_plain {
	unsigned char bytes[FORGE_PLAIN_MAX];
	size_t len;
};

struct forge_signer {
	struct csign_device device;
	struct csign_p256 *key;
};

enum { FORGE_WEBAUTHN, FORGE_P256, FORGE_SIGNERS };

struct forge {
	struct csign_crypto *crypto;
	uint64_t seed;
	uint32_t counter; /* of the next assertion */
	/* a device of each kind: the account's, and another account's */
	struct forge_signer own[FORGE_SIGNERS], others[FORGE_SIGNERS];
	/* the question; code: its six digits, "" where it has none */
	const unsigned char *transaction;
	size_t transaction_len;
	const char *code;
	uint64_t wall_ms;
	/* what its owner could say to it, and said to earlier ones */
	struct forge_plain good[3 * FORGE_SIGNERS];
	size_t n_good;
	struct forge_plain old[FORGE_OLD];
	size_t n_old;
};

struct forge_kind {
	const char *name;
	unsigned int in_1000;
	void (*make)(struct forge *f, struct forge_plain *out);
	uint32_t reasons; /* FORGE_REASON()s that it may be refused for */
	bool seal;        /* the seal is spoilt then, in one of the ways */
};

#define FORGE_REASON(name)                                                     \
	(UINT32_C(1) << (CSIGN_E_PROOF_##name - CSIGN_E_PROOF_FORMAT))

extern const struct forge_kind forge_kinds[];
extern const size_t forge_n_kinds;

/* Everything that is drawn; the same for the same seed. */
uint32_t forge_draw(struct forge *f, uint32_t below);
/* Signers of fixed keys. */
void forge_open(struct forge *f, struct csign_crypto *crypto, uint64_t seed);
void forge_close(struct forge *f);
/*
 * To be called when the question has changed: the good answers of the last one
 * are old ones now.
 */
void forge_turn(struct forge *f);
/* The owner's yes, by scanning the link. */
void forge_yes(struct forge *f, unsigned int signer, struct forge_plain *out);

#endif
