/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Was a grant right?  Decided from bytes on the wire and on disk, with nothing
 * of the library: OpenSSL's EVP calls, and countersign-protocol(7) read anew.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oracle_bytes {
	const unsigned char *bytes;
	size_t len;
	uint64_t at_ms; /* when it was handed over */
};

struct oracle_case {
	/* what the person saw and typed in this login */
	const char *link, *digits;
	const char *const *typed;
	size_t n_typed;
	/* what went to the courier for that link, and what came from it */
	struct oracle_bytes content;
	const struct oracle_bytes *answers;
	size_t n_answers;
	/* who wants in */
	const char *user;
	uint32_t uid;
	/* seconds since 1970 at the login's begin and end */
	uint64_t began, ended;
	uint64_t born_ms; /* the moment of the question */
	uint64_t lifetime_ms;
	/* files as they are now; state_before: as it was */
	const char *devices, *state, *audit, *state_before;
};

/* Nonces of questions that were granted: none counts twice. */
struct oracle_memory {
	uint64_t *seen;
	size_t n, size;
};

/*
 * Was it right?  why, of size bytes, says what speaks against it.  A grant that
 * was right is remembered.
 */
bool oracle_agrees(const struct oracle_case *c, struct oracle_memory *memory,
    char *why, size_t size);
/* Frees what it remembers. */
void oracle_forget(struct oracle_memory *memory);

#endif
