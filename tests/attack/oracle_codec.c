/* SPDX-License-Identifier: BSD-2-Clause */
/* The oracle's own reading of text: base64url, base32, fields and times. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "oracle_impl.h"

/* The bits of text, most significant first; as many whole bytes as there are.
 */
static size_t
decode(const char *text, size_t len, const char *alphabet, unsigned bits,
    unsigned char *out, size_t size)
{
	uint32_t have = 0;
	unsigned n_bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at =
		    text[i] == '\0' ? NULL : strchr(alphabet, text[i]);

		if (at == NULL)
			return 0;
		have = (have << bits | (uint32_t)(at - alphabet)) & 0xffffff;
		n_bits += bits;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		if (n == size)
			return 0;
		out[n++] = (unsigned char)(have >> n_bits);
	}
	return n;
}

static const char b64u[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char b32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

size_t
oracle_from_b64u(const char *text, size_t len, unsigned char *out, size_t size)
{
	return decode(text, len, b64u, 6, out, size);
}

size_t
oracle_from_b32(const char *text, size_t len, unsigned char *out, size_t size)
{
	return decode(text, len, b32, 5, out, size);
}

void
oracle_to_b64u(const unsigned char *bytes, size_t len, char *out)
{
	uint32_t have = 0;
	unsigned n_bits = 0;

	for (size_t i = 0; i < len; i++) {
		have = have << 8 | bytes[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			*out++ = b64u[have >> (n_bits - 6) & 63];
	}
	if (n_bits > 0)
		*out++ = b64u[have << (6 - n_bits) & 63];
	*out = '\0';
}

void
oracle_device_id(const unsigned char bytes[10], char out[17])
{
	uint32_t have = 0;
	unsigned n_bits = 0;

	for (size_t i = 0; i < 10; i++) {
		have = have << 8 | bytes[i];
		for (n_bits += 8; n_bits >= 5; n_bits -= 5) {
			char c = b32[have >> (n_bits - 5) & 31];

			*out++ =
			    (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		}
	}
	*out = '\0';
}

void
oracle_to_hex(const unsigned char *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

size_t
oracle_value(
    const char *text, const char *name, const char *end, const char **ret)
{
	const char *at = text == NULL ? NULL : strstr(text, name);

	if (at == NULL)
		return 0;
	*ret = at + strlen(name);
	return strcspn(*ret, end);
}

uint64_t
oracle_time(const char *text)
{
	struct tm tm = {.tm_isdst = 0};

	if (strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return 0;
	return (uint64_t)timegm(&tm);
}
