/* SPDX-License-Identifier: BSD-2-Clause */
/* How an answer is made: what the files of forge.h share. */
#ifndef FORGE_IMPL_H
#define FORGE_IMPL_H

#include "answer.h"
#include "forge.h"

#define RP "approve.example.org"
#define ORIGIN "https://" RP

/* One answer, with all that can be wrong in it. */
struct forge_draft {
	const struct forge_signer *signer;
	const struct csign_p256 *key; /* whose signature it is */
	const char *choice;           /* what it says */
	/* what it is signed for */
	const char *signed_choice, *code;
	const unsigned char *transaction;
	size_t transaction_len;
	uint64_t wall_ms;
	const char *rp, *origin;
	uint8_t flags;
	/* instead of one that is made; no length: make it */
	unsigned char signature[CSIGN_SIGNATURE_MAX];
	size_t signature_len;
};

void forge_must(enum csign_err r);
void forge_fill(struct forge *f, unsigned char *bytes, size_t len);
/* The owner's yes to the question. */
struct forge_draft forge_right(const struct forge *f, unsigned int signer);
/* Signed, unless it has a signature, and written. */
void forge_finish(
    struct forge *f, struct forge_draft *d, struct forge_plain *out);
void forge_write(const struct csign_answer *answer, struct forge_plain *out);

#endif
