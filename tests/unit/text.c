/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "fault.h"
#include "text.h"

#define OUT_MAX 65536

/* A literal with its length: it may hold NULs. */
#define S(literal) literal, sizeof(literal) - 1

static struct csign_buf *out;

static int
setup(void **state)
{
	(void)state;
	return csign_buf_new(OUT_MAX, &out) == CSIGN_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	csign_buf_free(&out);
	return 0;
}

/* UTF-8 of a code point, surrogates and all; the number of bytes. */
static size_t
utf8(uint32_t c, char bytes[5])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0x00, 0xc0, 0xe0, 0xf0};

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)(first[n] | c);
	bytes[n] = '\0';
	return n;
}

static void
utf8_is_what_rfc_3629_says(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool valid;
		size_t count;
	} rows[] = {
	    {S(""), true, 0},
	    {S("abc"), true, 3},
	    {S("a\0b"), true, 3},
	    {S("\xc3\xa9"), true, 1},
	    {S("\xe2\x82\xac!"), true, 2},
	    {S("\xf0\x9f\x98\x80"), true, 1},
	    {S("\xc2\x80"), true, 1},
	    {S("\xdf\xbf"), true, 1},
	    {S("\xe0\xa0\x80"), true, 1},
	    {S("\xed\x9f\xbf"), true, 1},
	    {S("\xee\x80\x80"), true, 1},
	    {S("\xef\xbf\xbf"), true, 1},
	    {S("\xf0\x90\x80\x80"), true, 1},
	    {S("\xf4\x8f\xbf\xbf"), true, 1},
	    {"\xc3\xa9", 1, false, 0}, /* cut off by len, not by a NUL */
	    {"\xf0\x9f\x98\x80", 3, false, 0},
	    {S("\x80"), false, 0},                 /* continuation alone */
	    {S("\xbf"), false, 0},                 /* the last of them */
	    {S("\xc3"), false, 0},                 /* cut off */
	    {S("\xe2\x82"), false, 0},             /* cut off */
	    {S("\xf0\x9f\x98"), false, 0},         /* cut off */
	    {S("\xc3("), false, 0},                /* no continuation */
	    {S("\xc3\xc3\xa9"), false, 0},         /* first byte twice */
	    {S("\xe2(\xa1"), false, 0},            /* no continuation */
	    {S("\xe2\x82("), false, 0},            /* no continuation */
	    {S("\xc0\x80"), false, 0},             /* overlong NUL */
	    {S("\xc0\xaf"), false, 0},             /* overlong slash */
	    {S("\xc1\xbf"), false, 0},             /* overlong */
	    {S("\xe0\x80\xaf"), false, 0},         /* overlong slash */
	    {S("\xe0\x9f\xbf"), false, 0},         /* overlong */
	    {S("\xf0\x80\x80\xaf"), false, 0},     /* overlong slash */
	    {S("\xf0\x8f\xbf\xbf"), false, 0},     /* overlong */
	    {S("\xed\xa0\x80"), false, 0},         /* first surrogate */
	    {S("\xed\xbf\xbf"), false, 0},         /* last surrogate */
	    {S("\xf4\x90\x80\x80"), false, 0},     /* above U+10FFFF */
	    {S("\xf5\x80\x80\x80"), false, 0},     /* far above */
	    {S("\xf8\x88\x80\x80\x80"), false, 0}, /* five bytes */
	    {S("\xfe"), false, 0},
	    {S("\xff"), false, 0},
	    {S("abc\xff"), false, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		bool valid = csign_utf8_valid(rows[i].text, rows[i].len);

		if (valid != rows[i].valid)
			fail_msg("row %zu: valid is %d", i, valid);
		if (valid)
			assert_int_equal(
			    csign_utf8_count(rows[i].text, rows[i].len),
			    rows[i].count);
	}
	assert_true(csign_utf8_valid(NULL, 0));
}

static void
foreign_text_is_made_harmless(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} rows[] = {
	    /* left as it is */
	    {S(""), ""},
	    {S("plain ~!@#$%^&*()"), "plain ~!@#$%^&*()"},
	    {S("\"quoted\" back\\slash"), "\"quoted\" back\\slash"},
	    {S("Gr\xc3\xbc\xc3\x9f"
	       "e"),
		"Gr\xc3\xbc\xc3\x9f"
		"e"},
	    {S("\xd8\xb9\xd7\x90"), "\xd8\xb9\xd7\x90"},
	    {S("\xf0\x9f\x93\xb1"), "\xf0\x9f\x93\xb1"},
	    /* controls */
	    {S("\0"), "\\u{00}"},
	    {S("a\0b"), "a\\u{00}b"},
	    {S("\t\n\r"), "\\u{09}\\u{0a}\\u{0d}"},
	    {S("\033[31m"), "\\u{1b}[31m"},
	    {S("\033]52;c;eA==\a"), "\\u{1b}]52;c;eA==\\u{07}"},
	    {S("\x1f\x7f"), "\\u{1f}\\u{7f}"},
	    {S("\xc2\x80\xc2\x85\xc2\x9b\xc2\x9f"),
		"\\u{80}\\u{85}\\u{9b}\\u{9f}"},
	    /* bidi */
	    {S("\xd8\x9c"), "\\u{61c}"},
	    {S("\xe2\x80\x8e\xe2\x80\x8f"), "\\u{200e}\\u{200f}"},
	    {S("\xe2\x80\xaa\xe2\x80\xae"), "\\u{202a}\\u{202e}"},
	    {S("\xe2\x81\xa6\xe2\x81\xa9"), "\\u{2066}\\u{2069}"},
	    /* invisible */
	    {S("\xc2\xad"), "\\u{ad}"},
	    {S("\xe1\xa0\x8e"), "\\u{180e}"},
	    {S("\xe2\x80\x8b\xe2\x80\x8d"), "\\u{200b}\\u{200d}"},
	    {S("\xe2\x81\xa0"), "\\u{2060}"},
	    {S("\xe3\x85\xa4"), "\\u{3164}"},
	    {S("\xef\xbb\xbf"), "\\u{feff}"},
	    {S("\xef\xb8\x8f"), "\\u{fe0f}"},
	    {S("\xf3\xa0\x81\xa1"), "\\u{e0061}"},
	    /* lines */
	    {S("\xe2\x80\xa8\xe2\x80\xa9"), "\\u{2028}\\u{2029}"},
	    /* non-characters */
	    {S("\xef\xb7\x90\xef\xbf\xbe"), "\\u{fdd0}\\u{fffe}"},
	    {S("\xf4\x8f\xbf\xbf"), "\\u{10ffff}"},
	    /* not UTF-8: byte by byte */
	    {"\xc3\xa9", 1, "\\u{c3}"},
	    {S("\xff\x80"), "\\u{ff}\\u{80}"},
	    {S("a\xc3"), "a\\u{c3}"},
	    {S("\xc3\033"), "\\u{c3}\\u{1b}"},
	    {S("\xe2\x80"), "\\u{e2}\\u{80}"},
	    {S("\xed\xa0\x80"), "\\u{ed}\\u{a0}\\u{80}"},
	    {S("\xc0\x9b"), "\\u{c0}\\u{9b}"},
	};

	(void)state; /* UX-9 */
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		csign_buf_clear(out);
		assert_ok(csign_text_safe(out, rows[i].text, rows[i].len));
		assert_string_equal(csign_buf_str(out), rows[i].want);
	}
}

/* Unicode 15: Cc, Zl, Zp, Bidi_Control, Default_Ignorable_Code_Point,
 * Noncharacter_Code_Point, and U+FFF9 to U+FFFB. */
static const uint32_t unsafe_ranges[][2] = {{0, 0x1f}, {0x7f, 0x9f},
    {0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160},
    {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

static bool
expected_unsafe(uint32_t c)
{
	for (size_t i = 0; i < N_ROWS(unsafe_ranges); i++)
		if (c >= unsafe_ranges[i][0] && c <= unsafe_ranges[i][1])
			return true;
	return (c & 0xffff) >= 0xfffe;
}

static void
every_character_is_kept_or_written_out(void **state)
{
	(void)state; /* UX-9 */
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		char unit[CSIGN_TEXT_UNIT_SIZE];
		char bytes[5], want[16];
		size_t n = utf8(c, bytes);

		if (c >= 0xd800 && c <= 0xdfff) {
			n = 1;
			snprintf(want, sizeof(want), "\\u{%02x}",
			    (unsigned int)(unsigned char)bytes[0]);
		} else if (expected_unsafe(c)) {
			snprintf(want, sizeof(want), "\\u{%02x}", c);
		} else {
			memcpy(want, bytes, n + 1);
		}
		if (csign_text_unit(bytes, strlen(bytes) + (c == 0), unit) !=
			n ||
		    strcmp(unit, want) != 0)
			fail_msg("U+%04X is written %s", c, unit);
	}
}

static void
no_two_bytes_are_harmful(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 65536; i++) {
		const char text[2] = {(char)(i >> 8), (char)(i & 0xff)};
		const char *safe;

		csign_buf_clear(out);
		assert_ok(csign_text_safe(out, text, sizeof(text)));
		safe = csign_buf_str(out);
		assert_true(csign_utf8_valid(safe, csign_buf_len(out)));
		for (; *safe != '\0'; safe++)
			if ((unsigned char)*safe < 0x20 || *safe == 0x7f)
				fail_msg("%04x: control", i);
	}
}

/* text n times */
static char *
times(const char *text, size_t n)
{
	size_t len = strlen(text);
	char *all = malloc(len * n + 1);

	assert_non_null(all);
	for (size_t i = 0; i < n; i++)
		memcpy(all + i * len, text, len);
	all[len * n] = '\0';
	return all;
}

#define CUT(n, digest)                                                         \
	" [... " n " characters left out, sha256 " digest " ...] "

static void
long_text_loses_its_middle(void **state)
{
	static const struct {
		const char *unit;
		size_t n;
		size_t max;
		const char *want; /* NULL: all of it */
	} rows[] = {
	    {"a", 0, 64, NULL},
	    {"a", 64, 64, NULL},
	    {"\xc3\xa9", 64, 64, NULL},
	    {"\033", 16, 96, NULL},
	    {"a", 65, 64, "aaa" CUT("60", "635361c48bb9eab1") "aa"},
	    {"a", 300, 64, "aa" CUT("296", "9835fa6bf4e20a9b") "aa"},
	    {"a", 300, 70, "aaaaa" CUT("290", "9835fa6bf4e20a9b") "aaaaa"},
	    {"\xc3\xa9", 200, 66,
		"\xc3\xa9\xc3\xa9\xc3\xa9" CUT(
		    "194", "df20b2aa6262e99e") "\xc3\xa9\xc3\xa9\xc3\xa9"},
	    /* No escape is cut: a few characters of room are left over. */
	    {"\033", 100, 80,
		"\\u{1b}" CUT("588", "08e29d3821bc898b") "\\u{1b}"},
	};

	(void)state; /* UX-8 */
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		char *text = times(rows[i].unit, rows[i].n);
		bool cut = rows[i].want == NULL;

		csign_buf_clear(out);
		assert_ok(
		    csign_text_cut(out, text, strlen(text), rows[i].max, &cut));
		assert_int_equal(cut, rows[i].want != NULL);
		assert_true(csign_utf8_count(csign_buf_str(out),
				csign_buf_len(out)) <= rows[i].max);
		if (cut)
			assert_string_equal(csign_buf_str(out), rows[i].want);
		csign_buf_clear(out);
		assert_ok(
		    csign_text_cut(out, text, strlen(text), rows[i].max, NULL));
		free(text);
	}
}

static void
a_padded_command_shows_its_end(void **state)
{
	char text[1000];
	const char *shown;
	bool cut = false;

	(void)state; /* A8 */
	memset(text, ' ', sizeof(text));
	memcpy(text, "ls", 2);
	memcpy(text + sizeof(text) - 10, "; rm -rf /", 10);
	assert_ok(csign_text_cut(out, text, sizeof(text), 256, &cut));
	assert_true(cut);
	shown = csign_buf_str(out);
	assert_in_range(strlen(shown), 254, 256);
	assert_memory_equal(shown, "ls ", 3);
	assert_string_equal(shown + strlen(shown) - 10, "; rm -rf /");
	assert_non_null(strstr(shown, " [... 805 characters left out, sha256"));
}

static void
the_least_maximum_is_64(void **state)
{
	(void)state;
	assert_err(
	    "63", csign_text_cut(out, "a", 1, 63, NULL), CSIGN_E_INVALID);
	assert_err("0", csign_text_cut(out, "", 0, 0, NULL), CSIGN_E_INVALID);
	assert_int_equal(csign_buf_len(out), 0);
}

static void
quotes_for_a_log(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
	    {NULL, "\"\""},
	    {"", "\"\""},
	    {"alice", "\"alice\""},
	    {"a \"b\" c", "\"a \\\"b\\\" c\""},
	    {"\"", "\"\\\"\""},
	    {"\\", "\"\\\\\""},
	    {"a\\", "\"a\\\\\""},
	    {"\\u{1b}", "\"\\\\u{1b}\""}, /* typed, not encoded */
	    {"\033", "\"\\u{1b}\""},
	    {"x\nevent=auth_allow user=\"root\"",
		"\"x\\u{0a}event=auth_allow user=\\\"root\\\"\""},
	    {"\xc3\"", "\"\\u{c3}\\\"\""},
	};

	(void)state; /* UX-9 */
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		csign_buf_clear(out);
		assert_ok(csign_text_quote(out, rows[i].text));
		assert_string_equal(csign_buf_str(out), rows[i].want);
	}
}

static void
json_strings(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want; /* NULL: refused */
	} rows[] = {
	    {S(""), "\"\""},
	    {S("/usr/bin/true"), "\"/usr/bin/true\""},
	    {S("a\"b\\c"), "\"a\\\"b\\\\c\""},
	    {S("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
	    {S("\0\x01\x1f"), "\"\\u0000\\u0001\\u001f\""},
	    {S("\x7f<>&'"), "\"\x7f<>&'\""},
	    {S("Gr\xc3\xbc"
	       "n \xf0\x9f\x93\xb1"),
		"\"Gr\xc3\xbc"
		"n \xf0\x9f\x93\xb1\""},
	    {S("\xe2\x80\xa8"), "\"\xe2\x80\xa8\""},
	    {S("\xff"), NULL},
	    {S("\xed\xa0\x80"), NULL},
	    {S("a\xc3"), NULL},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		csign_buf_clear(out);
		assert_err("json",
		    csign_text_json(out, rows[i].text, rows[i].len),
		    rows[i].want == NULL ? CSIGN_E_FORMAT : CSIGN_OK);
		assert_string_equal(csign_buf_str(out),
		    rows[i].want == NULL ? "" : rows[i].want);
	}
}

typedef enum csign_err (*put_text)(struct csign_buf *, const char *);

static enum csign_err
put_safe(struct csign_buf *buf, const char *text)
{
	return csign_text_safe(buf, text, strlen(text));
}

static enum csign_err
put_json(struct csign_buf *buf, const char *text)
{
	return csign_text_json(buf, text, strlen(text));
}

static enum csign_err
put_uncut(struct csign_buf *buf, const char *text)
{
	return csign_text_cut(buf, text, strlen(text), 64, NULL);
}

static enum csign_err
put_cut(struct csign_buf *buf, const char *text)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char *all = times(text, 100);

	r = csign_text_cut(buf, all, strlen(all), 64, NULL);
	free(all);
	return r;
}

/* However small the buffer is, its maximum is an error and never passed. */
static void
full_buffers_are_errors(void **state)
{
	static const put_text puts[] = {
	    put_safe, put_json, put_uncut, put_cut, csign_text_quote};

	(void)state;
	for (size_t i = 0; i < N_ROWS(puts); i++) {
		size_t need;

		csign_buf_clear(out);
		assert_ok(puts[i](out, "a\"\n"));
		need = csign_buf_len(out);
		for (size_t max = 0; max <= need; max++) {
			struct csign_buf *small = NULL;

			assert_ok(csign_buf_new(max, &small));
			assert_err("max", puts[i](small, "a\"\n"),
			    max == need ? CSIGN_OK : CSIGN_E_TOO_LONG);
			assert_true(csign_buf_len(small) <= max);
			csign_buf_free(&small);
		}
	}
}

static int
every_form(void)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *buf = NULL;
	char text[200];

	memset(text, '\033', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	if ((r = csign_buf_new(OUT_MAX, &buf)) != CSIGN_OK ||
	    (r = csign_text_safe(buf, text, sizeof(text))) != CSIGN_OK ||
	    (r = csign_text_quote(buf, text)) != CSIGN_OK ||
	    (r = csign_text_json(buf, text, sizeof(text))) != CSIGN_OK)
		goto out;
	r = csign_text_cut(buf, text, sizeof(text), 64, NULL);
out:
	csign_buf_free(&buf);
	return (int)r;
}

static void
no_memory_is_an_error(void **state)
{
	(void)state;
	fault_loop(every_form);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(utf8_is_what_rfc_3629_says),
	    TEST(foreign_text_is_made_harmless),
	    TEST(every_character_is_kept_or_written_out),
	    TEST(no_two_bytes_are_harmful),
	    TEST(long_text_loses_its_middle),
	    TEST(a_padded_command_shows_its_end),
	    TEST(the_least_maximum_is_64),
	    TEST(quotes_for_a_log),
	    TEST(json_strings),
	    TEST(full_buffers_are_errors),
	    TEST(no_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
