/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define FILL 0x5a

_Noreturn void
fuzz_fail(const char *file, int line, const char *condition)
{
	(void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}

uint8_t *
fuzz_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	MUST(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *
fuzz_string(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	MUST(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

void
fuzz_fill(void *object, size_t size)
{
	memset(object, FILL, size);
}

bool
fuzz_untouched(const void *object, size_t size)
{
	const unsigned char *at = object;

	for (size_t i = 0; i < size; i++)
		if (at[i] != FILL)
			return false;
	return true;
}

struct csign_buf *
fuzz_buf(size_t max)
{
	struct csign_buf *buf = NULL;

	MUST(csign_buf_new(max, &buf) == CSIGN_OK);
	return buf;
}

struct csign_crypto *
fuzz_crypto(void)
{
	static struct csign_crypto *crypto;

	if (crypto == NULL)
		MUST(csign_crypto_new(&crypto) == CSIGN_OK);
	return crypto;
}

bool
fuzz_buf_is(const struct csign_buf *buf, const void *bytes, size_t len)
{
	return csign_buf_len(buf) == len &&
	       (len == 0 || memcmp(csign_buf_data(buf), bytes, len) == 0);
}

uint8_t
fuzz_take(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	(*size)--;
	return *(*data)++;
}
