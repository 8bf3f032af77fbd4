/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The encoder of foreign text: whatever comes in, nothing that moves, hides or
 * breaks a line comes out (countersign-security(7) UX-8, UX-9), and iconv(3)
 * agrees about what UTF-8 is.
 */
#include "config.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "json.h"
#include "text.h"
#include "why.h"

enum csign_err __real_csign_crypto_new(struct csign_crypto **ret_crypto);
enum csign_err __wrap_csign_crypto_new(struct csign_crypto **ret_crypto);
void __wrap_csign_crypto_free(struct csign_crypto **crypto);

/* One for all, since making one takes longer than all else here. */
enum csign_err
__wrap_csign_crypto_new(struct csign_crypto **ret_crypto)
{
	static struct csign_crypto *one;
	enum csign_err r = CSIGN_OK;

	if (one == NULL)
		r = __real_csign_crypto_new(&one);
	*ret_crypto = one;
	return r;
}

void
__wrap_csign_crypto_free(struct csign_crypto **crypto)
{
	*crypto = NULL;
}

/* Of UTF-16, which has no surrogates for what is none in UTF-8. */
static bool
iconv_takes(const uint8_t *text, size_t size)
{
	static iconv_t to;
	char *in = (char *)fuzz_copy(text, size), *at = in, *out, *end;
	size_t in_left = size, out_left = 2 * size + 4;
	bool taken;

	if (to == NULL)
		to = iconv_open("UTF-16LE", "UTF-8");
	MUST((out = end = malloc(out_left)) != NULL);
	(void)iconv(to, NULL, NULL, NULL, NULL);
	taken = iconv(to, &at, &in_left, &end, &out_left) != (size_t)-1;
	free(out);
	free(in);
	return taken;
}

/* Written down again here, so that the table in lib/text.c is not its own
 * judge: first and last. */
static const uint32_t harmful[][2] = {{0x00, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad},
    {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x2069}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
    {0xe0001, 0xe007f}};

static uint32_t
character(const unsigned char **at)
{
	uint32_t c = *(*at)++;
	int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	if (more > 0)
		c &= 0x3fU >> more;
	while (more-- > 0)
		c = c << 6 | (*(*at)++ & 0x3fU);
	return c;
}

static void
check_harmless(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;
	const unsigned char *end = at + len;

	MUST(csign_utf8_valid(text, len));
	while (at < end) {
		uint32_t c = character(&at);

		for (size_t i = 0; i < sizeof harmful / sizeof harmful[0]; i++)
			MUST(c < harmful[i][0] || c > harmful[i][1]);
	}
}

static void
check_safe(const uint8_t *text, size_t size)
{
	struct csign_buf *once = fuzz_buf(10 * size), *twice;

	MUST(csign_text_safe(once, (const char *)text, size) == CSIGN_OK);
	check_harmless(csign_buf_str(once), csign_buf_len(once));
	twice = fuzz_buf(csign_buf_len(once));
	MUST(csign_text_safe(twice, csign_buf_str(once), csign_buf_len(once)) ==
	     CSIGN_OK);
	MUST(fuzz_buf_is(twice, csign_buf_data(once), csign_buf_len(once)));
	csign_buf_free(&twice);
	csign_buf_free(&once);
}

static void
check_cut(const uint8_t *text, size_t size, size_t max)
{
	struct csign_buf *out = fuzz_buf(10 * size + 128);
	bool cut = false;

	MUST(csign_text_cut(out, (const char *)text, size, max, &cut) ==
	     CSIGN_OK);
	MUST(!cut || strstr(csign_buf_str(out), " left out, sha256 ") != NULL);
	check_harmless(csign_buf_str(out), csign_buf_len(out));
	MUST(csign_utf8_count(csign_buf_str(out), csign_buf_len(out)) <= max);
	csign_buf_free(&out);
}

/* One pair of quotes around it, and every other one escaped. */
static void
check_quote(const char *text)
{
	struct csign_buf *out = fuzz_buf(10 * strlen(text) + 2);
	const char *at;

	MUST(csign_text_quote(out, text) == CSIGN_OK);
	check_harmless(csign_buf_str(out), csign_buf_len(out));
	at = csign_buf_str(out);
	MUST(*at++ == '"');
	for (; *at != '"' && *at != '\0'; at++)
		if (*at == '\\')
			MUST(*++at != '\0');
	MUST(at[0] == '"' && at[1] == '\0');
	csign_buf_free(&out);
}

/* JSON that its own reader turns into the text again. */
static void
check_json(const uint8_t *text, size_t size)
{
	struct csign_buf *out = fuzz_buf(6 * size + 16);
	struct json_object *object = NULL;
	const char *again;

	MUST(csign_buf_put_str(out, "{\"a\":") == CSIGN_OK);
	if (csign_text_json(out, (const char *)text, size) != CSIGN_OK) {
		MUST(!csign_utf8_valid(text, size));
		goto out;
	}
	MUST(csign_buf_put_str(out, "}") == CSIGN_OK);
	if (size > 0 && memchr(text, '\0', size) != NULL)
		goto out;
	MUST(csign_json_parse(
		 csign_buf_data(out), csign_buf_len(out), &object) == CSIGN_OK);
	MUST((again = csign_json_str(object, "a", size)) != NULL);
	MUST(strlen(again) == size && memcmp(again, text, size) == 0);
out:
	json_object_put(object);
	csign_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t max = 64 + (size_t)fuzz_take(&data, &size);
	uint8_t *bytes = fuzz_copy(data, size);
	char *text = fuzz_string(data, size);
	struct csign_why why;

	MUST(csign_utf8_valid(bytes, size) == iconv_takes(bytes, size));
	check_safe(bytes, size);
	check_cut(bytes, size, max);
	check_quote(text);
	check_json(bytes, size);
	csign_why_set(&why, "%s: %s", text, text);
	MUST(strlen(why.text) < sizeof why.text);
	check_harmless(why.text, strlen(why.text));
	free(text);
	free(bytes);
	return 0;
}
