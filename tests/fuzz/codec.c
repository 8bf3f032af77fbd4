/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base64url, base32, hexadecimal, numbers: one text for each value, the same
 * that libcrypto reads, and nothing beyond the room that is given.
 */
#include "config.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "fuzz.h"

static char
standard_letter(char c)
{
	if (c == '-')
		return '+';
	return c == '_' ? '/' : c;
}

/* The same text as libcrypto understands it. */
static void
compare_base64(
    const char *text, size_t size, const unsigned char *bytes, size_t len)
{
	size_t padded = (size + 3) / 4 * 4;
	unsigned char *other = malloc(padded + 1);
	char *standard = malloc(padded + 1);

	MUST(other != NULL && standard != NULL);
	memset(standard, '=', padded);
	standard[padded] = '\0';
	for (size_t i = 0; i < size; i++)
		standard[i] = standard_letter(text[i]);
	MUST(EVP_DecodeBlock(other, (const unsigned char *)standard,
		 (int)padded) == (int)(padded / 4 * 3));
	MUST(len == 0 || memcmp(other, bytes, len) == 0);
	free(standard);
	free(other);
}

static void
check_base64(const char *text, size_t size, unsigned char *room, size_t max)
{
	size_t len = 0;
	char *again;

	if (csign_b64u_decode(text, size, room, max, &len) != CSIGN_OK)
		return;
	MUST(len <= max && CSIGN_B64U_LEN(len) == size);
	MUST((again = malloc(size + 1)) != NULL);
	MUST(csign_b64u_encode(room, len, again, size + 1) == CSIGN_OK);
	MUST(strlen(again) == size && memcmp(again, text, size) == 0);
	compare_base64(text, size, room, len);
	free(again);
}

static void
check_base32(const char *text, size_t size, enum csign_b32_case letters,
    unsigned char *room, size_t max)
{
	size_t len = 0;
	char *again;

	if (csign_b32_decode(text, size, letters, room, max, &len) != CSIGN_OK)
		return;
	MUST(len <= max && CSIGN_B32_LEN(len) == size);
	MUST((again = malloc(size + 1)) != NULL);
	MUST(csign_b32_encode(room, len, letters, again, size + 1) == CSIGN_OK);
	MUST(strlen(again) == size && memcmp(again, text, size) == 0);
	free(again);
}

/* Any bytes come back from their text, which fits exactly. */
static void
check_bytes(const uint8_t *bytes, size_t size)
{
	const size_t text_size = 2 * size + 1;
	unsigned char *room = malloc(size + 1);
	char *text = malloc(text_size);
	size_t len = 0;

	MUST(room != NULL && text != NULL);
	MUST(csign_b64u_encode(bytes, size, text, CSIGN_B64U_LEN(size)) ==
	     CSIGN_E_TOO_LONG);
	MUST(csign_b64u_encode(bytes, size, text, CSIGN_B64U_LEN(size) + 1) ==
	     CSIGN_OK);
	MUST(csign_b64u_decode(text, strlen(text), room, size, &len) ==
		 CSIGN_OK &&
	     len == size && (size == 0 || memcmp(room, bytes, size) == 0));
	MUST(csign_b32_encode(bytes, size, CSIGN_B32_LOWER, text,
		 CSIGN_B32_LEN(size) + 1) == CSIGN_OK);
	MUST(csign_b32_decode(text, strlen(text), CSIGN_B32_LOWER, room, size,
		 &len) == CSIGN_OK &&
	     len == size && (size == 0 || memcmp(room, bytes, size) == 0));
	MUST(csign_hex_encode(bytes, size, text, text_size) == CSIGN_OK);
	MUST(strspn(text, "0123456789abcdef") == 2 * size);
	free(text);
	free(room);
}

static void
check_number(const char *text)
{
	uint32_t value = 0;
	char again[16];

	if (csign_parse_u32(text, 0, UINT32_MAX, &value) != CSIGN_OK)
		return;
	(void)snprintf(again, sizeof again, "%lu", (unsigned long)value);
	MUST(strcmp(again, text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Often enough, sometimes too little. */
	size_t max = fuzz_take(&data, &size) * (size_t)16;
	unsigned char *room = malloc(max + 1);
	uint8_t *bytes = fuzz_copy(data, size);
	char *text = fuzz_string(data, size);

	MUST(room != NULL);
	check_base64((const char *)bytes, size, room, max);
	check_base32((const char *)bytes, size, CSIGN_B32_LOWER, room, max);
	check_base32((const char *)bytes, size, CSIGN_B32_UPPER, room, max);
	check_bytes(bytes, size);
	check_number(text);
	free(text);
	free(bytes);
	free(room);
	return 0;
}
