/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the files whose last line is a checksum, which no fuzzer guesses: the
 * text with its last line made right.
 */
#ifndef FUZZ_CHECKSUM_H
#define FUZZ_CHECKSUM_H

#include "fuzz.h"

/* "sha256 " and 64 digits in the place of the last line, or behind it all. */
struct csign_buf *checksum_repair(const uint8_t *data, size_t size);

#endif
