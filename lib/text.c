/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "crypto.h"
#include "text.h"

#define CUT_MIN 64

/*
 * What a person cannot see, or what moves the rest of the line: the general
 * categories Cc, Zl and Zp and the properties Bidi_Control,
 * Default_Ignorable_Code_Point (zero-width characters, fillers, variation
 * selectors, tags) and Noncharacter_Code_Point of Unicode 15, and the
 * interlinear marks.  Sorted.  The non-characters at the end of each plane are
 * in unsafe().
 */
static const struct range {
	uint32_t first;
	uint32_t last;
} unsafe_ranges[] = {
    {0x0000, 0x001f},   /* C0 */
    {0x007f, 0x009f},   /* DEL, C1, among them NEL */
    {0x00ad, 0x00ad},   /* soft hyphen */
    {0x034f, 0x034f},   /* combining grapheme joiner */
    {0x061c, 0x061c},   /* Arabic letter mark */
    {0x115f, 0x1160},   /* Hangul fillers */
    {0x17b4, 0x17b5},   /* Khmer inherent vowels */
    {0x180b, 0x180f},   /* Mongolian selectors, vowel separator */
    {0x200b, 0x200f},   /* zero-width space and joiners, LRM, RLM */
    {0x2028, 0x202e},   /* line separators, bidi embeddings, overrides */
    {0x2060, 0x206f},   /* word joiner, bidi isolates, deprecated marks */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xfdd0, 0xfdef},   /* non-characters */
    {0xfe00, 0xfe0f},   /* variation selectors */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xffa0, 0xffa0},   /* half-width Hangul filler */
    {0xfff0, 0xfffb},   /* unassigned ignorables, interlinear marks */
    {0x1bca0, 0x1bca3}, /* shorthand format controls */
    {0x1d173, 0x1d17a}, /* musical format controls */
    {0xe0000, 0xe0fff}, /* tags, more variation selectors */
};

static bool
unsafe(uint32_t c)
{
	if ((c & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < sizeof(unsafe_ranges) / sizeof(unsafe_ranges[0]);
	     i++) {
		if (c < unsafe_ranges[i].first)
			return false;
		if (c <= unsafe_ranges[i].last)
			return true;
	}
	return false;
}

/*
 * The bytes of the first character of text and what it is, or 0 if they are
 * not UTF-8.  left is at least 1.
 */
static size_t
utf8_char(const unsigned char *text, size_t left, uint32_t *ret_c)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = text[0];
	size_t n;

	if (c < 0x80)
		n = 1;
	else if (c >= 0xc2 && c <= 0xdf)
		n = 2;
	else if (c >= 0xe0 && c <= 0xef)
		n = 3;
	else if (c >= 0xf0 && c <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > left)
		return 0;
	if (n > 1)
		c &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3fU);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_c = c;
	return n;
}

bool
csign_utf8_valid(const void *text, size_t len)
{
	const unsigned char *at = text;
	uint32_t c;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		if ((n = utf8_char(at + i, len - i, &c)) == 0)
			return false;
	}
	return true;
}

size_t
csign_utf8_count(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += (text[i] & 0xc0) != 0x80;
	return count;
}

size_t
csign_text_unit(const char *text, size_t left, char out[CSIGN_TEXT_UNIT_SIZE])
{
	const unsigned char *at = (const unsigned char *)text;
	uint32_t c = at[0];
	size_t n = utf8_char(at, left, &c);

	if (n > 0 && !unsafe(c)) {
		memcpy(out, text, n);
		out[n] = '\0';
		return n;
	}
	(void)snprintf(
	    out, CSIGN_TEXT_UNIT_SIZE, "\\u{%02" PRIx32 "}", c & 0x1fffff);
	return n > 0 ? n : 1;
}

enum csign_err
csign_text_safe(struct csign_buf *out, const char *text, size_t len)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char unit[CSIGN_TEXT_UNIT_SIZE];

	for (size_t i = 0; i < len;) {
		i += csign_text_unit(text + i, len - i, unit);
		if ((r = csign_buf_put_str(out, unit)) != CSIGN_OK)
			return r;
	}
	return CSIGN_OK;
}

/* The first 16 hexadecimal digits of the SHA-256 of text. */
static enum csign_err
short_digest(const char *text, size_t len, char out[17])
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_crypto *crypto = NULL;
	const struct csign_part part = {text, len};
	unsigned char digest[32];

	if ((r = csign_crypto_new(&crypto)) != CSIGN_OK ||
	    (r = csign_sha256(crypto, &part, 1, digest)) != CSIGN_OK)
		goto out;
	r = csign_hex_encode(digest, 8, out, 17);
out:
	csign_crypto_free(&crypto);
	return r;
}

/* csign_text_unit() for who only counts the characters that it makes. */
static size_t
step(const char *text, size_t left, size_t *ret_count)
{
	char unit[CSIGN_TEXT_UNIT_SIZE];
	size_t n = csign_text_unit(text, left, unit);

	*ret_count = csign_utf8_count(unit, strlen(unit));
	return n;
}

static size_t
safe_count(const char *text, size_t len)
{
	size_t total = 0;
	size_t count;

	for (size_t i = 0; i < len;) {
		i += step(text + i, len - i, &count);
		total += count;
	}
	return total;
}

/* Bytes of the longest head of text of at most max characters. */
static size_t
head_len(const char *text, size_t len, size_t max)
{
	size_t end = 0;
	size_t n, count;

	while (end < len) {
		n = step(text + end, len - end, &count);
		if (count > max)
			break;
		max -= count;
		end += n;
	}
	return end;
}

/* Bytes of the longest tail of text, which has total characters. */
static size_t
tail_len(const char *text, size_t len, size_t total, size_t max)
{
	size_t start = 0;
	size_t count;

	while (total > max) {
		start += step(text + start, len - start, &count);
		total -= count;
	}
	return len - start;
}

enum csign_err
csign_text_cut(struct csign_buf *out, const char *text, size_t len, size_t max,
    bool *ret_cut)
{
	static const char mark[] =
	    " [... %zu characters left out, sha256 %s ...] ";
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t total = safe_count(text, len);
	size_t mark_len, room, head, tail, left_out;
	char digest[17];

	if (max < CUT_MIN)
		return CSIGN_E_INVALID;
	if (total <= max) {
		if (ret_cut != NULL)
			*ret_cut = false;
		return csign_text_safe(out, text, len);
	}
	if ((r = short_digest(text, len, digest)) != CSIGN_OK)
		return r;
	/* The mark is never longer than with the total as its number. */
	mark_len = (size_t)snprintf(NULL, 0, mark, total, digest);
	if (mark_len > max)
		return CSIGN_E_INVALID;
	room = max - mark_len;
	head = head_len(text, len, room - room / 2);
	tail = tail_len(text, len, total, room / 2);
	left_out = safe_count(text + head, len - head - tail);
	if ((r = csign_text_safe(out, text, head)) != CSIGN_OK ||
	    (r = csign_buf_putf(out, mark, left_out, digest)) != CSIGN_OK ||
	    (r = csign_text_safe(out, text + len - tail, tail)) != CSIGN_OK)
		return r;
	if (ret_cut != NULL)
		*ret_cut = true;
	return CSIGN_OK;
}

enum csign_err
csign_text_quote(struct csign_buf *out, const char *text)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t len = text == NULL ? 0 : strlen(text);
	size_t n;

	if ((r = csign_buf_put_str(out, "\"")) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < len; i += n) {
		n = strcspn(text + i, "\"\\");
		if ((r = csign_text_safe(out, text + i, n)) != CSIGN_OK)
			return r;
		if (i + n == len)
			break;
		if ((r = csign_buf_putf(out, "\\%c", text[i + n])) != CSIGN_OK)
			return r;
		n++;
	}
	return csign_buf_put_str(out, "\"");
}

/* The two-character escape of RFC 8259 for c, or 0 if there is none. */
static char
json_escape(char c)
{
	static const char chars[] = "\"\\\b\f\n\r\t";
	static const char escapes[] = "\"\\bfnrt";
	const char *p = memchr(chars, c, sizeof(chars) - 1);

	if (p == NULL)
		return '\0';
	return escapes[p - chars];
}

enum csign_err
csign_text_json(struct csign_buf *out, const char *text, size_t len)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if (!csign_utf8_valid(text, len))
		return CSIGN_E_FORMAT;
	if ((r = csign_buf_put_str(out, "\"")) != CSIGN_OK)
		return r;
	for (size_t i = 0; i < len; i++) {
		char escape = json_escape(text[i]);

		if (escape != '\0')
			r = csign_buf_putf(out, "\\%c", escape);
		else if ((unsigned char)text[i] < 0x20)
			r = csign_buf_putf(out, "\\u%04x",
			    (unsigned int)(unsigned char)text[i]);
		else
			r = csign_buf_put(out, &text[i], 1);
		if (r != CSIGN_OK)
			return r;
	}
	return csign_buf_put_str(out, "\"");
}
