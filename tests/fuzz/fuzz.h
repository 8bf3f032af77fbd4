/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every fuzz target shares.  A target defines LLVMFuzzerTestOneInput(),
 * which libFuzzer calls, or replay.c with each file of seeds/<target>/.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/*
 * A target may define this: the seed of this name was the last input.  Did it
 * come to what its name says?  Else it is noise by now.
 */
bool fuzz_seed_holds(const char *name);

/* Ends the process and says where: a parser has broken a promise. */
#define MUST(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			fuzz_fail(__FILE__, __LINE__, #condition);             \
	} while (0)

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* A copy with no byte more than there is: a read behind it is seen. */
uint8_t *fuzz_copy(const uint8_t *data, size_t size);
/* The same with a NUL behind it, which is not counted. */
char *fuzz_string(const uint8_t *data, size_t size);

/* Of an argument that is written on success only. */
void fuzz_fill(void *object, size_t size);
bool fuzz_untouched(const void *object, size_t size);

/* These cannot fail, or the process ends. */
struct csign_buf *fuzz_buf(size_t max);
struct csign_crypto *fuzz_crypto(void); /* one for all inputs */
bool fuzz_buf_is(const struct csign_buf *buf, const void *bytes, size_t len);

/* Bytes of the input as choices of the target; 0 once they are used up. */
uint8_t fuzz_take(const uint8_t **data, size_t *size);

#endif
