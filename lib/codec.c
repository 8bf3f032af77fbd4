/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "codec.h"

/*
 * base64url, base32 and hexadecimal are one thing: bits cut into groups, the
 * first bit first, each group one letter of an alphabet of 1 << bits letters.
 */
struct alphabet {
	unsigned int bits;
	const char *letters;
};

static const struct alphabet base64url = {
    6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
static const struct alphabet base32_upper = {
    5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"};
static const struct alphabet base32_lower = {
    5, "abcdefghijklmnopqrstuvwxyz234567"};
static const struct alphabet base16 = {4, "0123456789abcdef"};

static const struct alphabet *
base32(enum csign_b32_case letters)
{
	return letters == CSIGN_B32_LOWER ? &base32_lower : &base32_upper;
}

static enum csign_err
encode(const struct alphabet *abc, const unsigned char *bytes, size_t len,
    char *out, size_t out_size)
{
	const uint32_t mask = (1U << abc->bits) - 1;
	uint32_t held = 0; /* bits not yet written: the low n_held ones */
	unsigned int n_held = 0;
	size_t n = 0;

	if (len > SIZE_MAX / CHAR_BIT - 1 ||
	    out_size <= (len * CHAR_BIT + abc->bits - 1) / abc->bits)
		return CSIGN_E_TOO_LONG;
	for (size_t i = 0; i < len; i++) {
		held = held << CHAR_BIT | bytes[i];
		n_held += CHAR_BIT;
		while (n_held >= abc->bits) {
			n_held -= abc->bits;
			out[n++] = abc->letters[held >> n_held & mask];
		}
	}
	if (n_held > 0)
		out[n++] = abc->letters[held << (abc->bits - n_held) & mask];
	out[n] = '\0';
	return CSIGN_OK;
}

static enum csign_err
decode(const struct alphabet *abc, const char *text, size_t text_len,
    unsigned char *out, size_t max, size_t *ret_len)
{
	uint32_t held = 0;
	unsigned int n_held = 0;
	size_t n = 0;

	for (size_t i = 0; i < text_len; i++) {
		const char *letter =
		    memchr(abc->letters, text[i], 1U << abc->bits);

		if (letter == NULL)
			return CSIGN_E_FORMAT;
		held = held << abc->bits | (uint32_t)(letter - abc->letters);
		n_held += abc->bits;
		if (n_held < CHAR_BIT)
			continue;
		if (n == max)
			return CSIGN_E_TOO_LONG;
		n_held -= CHAR_BIT;
		out[n++] = (unsigned char)(held >> n_held);
	}
	/* Canonical: no letter too many, and what is left over is zero. */
	if (n_held >= abc->bits || (held & ((1U << n_held) - 1)) != 0)
		return CSIGN_E_FORMAT;
	*ret_len = n;
	return CSIGN_OK;
}

enum csign_err
csign_b64u_encode(const void *bytes, size_t len, char *out, size_t out_size)
{
	return encode(&base64url, bytes, len, out, out_size);
}

enum csign_err
csign_b64u_decode(
    const char *text, size_t text_len, void *out, size_t max, size_t *ret_len)
{
	return decode(&base64url, text, text_len, out, max, ret_len);
}

enum csign_err
csign_b32_encode(const void *bytes, size_t len, enum csign_b32_case letters,
    char *out, size_t out_size)
{
	return encode(base32(letters), bytes, len, out, out_size);
}

enum csign_err
csign_b32_decode(const char *text, size_t text_len, enum csign_b32_case letters,
    void *out, size_t max, size_t *ret_len)
{
	return decode(base32(letters), text, text_len, out, max, ret_len);
}

enum csign_err
csign_hex_encode(const void *bytes, size_t len, char *out, size_t out_size)
{
	return encode(&base16, bytes, len, out, out_size);
}

enum csign_err
csign_parse_u32(
    const char *text, uint32_t min, uint32_t max, uint32_t *ret_value)
{
	uint64_t value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return CSIGN_E_FORMAT;
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (text[i] < '0' || text[i] > '9')
			return CSIGN_E_FORMAT;
		value = value * 10 + (uint64_t)(text[i] - '0');
		if (value > UINT32_MAX)
			return CSIGN_E_FORMAT;
	}
	if (value < min || value > max)
		return CSIGN_E_INVALID;
	*ret_value = (uint32_t)value;
	return CSIGN_OK;
}
