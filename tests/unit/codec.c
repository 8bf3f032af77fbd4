/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "codec.h"

/* RFC 4648 section 10 without padding; and every letter of base64url. */
static const struct {
	const char *bytes;
	size_t len;
	const char *b64u;
	const char *b32;
	const char *b32_lower;
	const char *hex;
} vectors[] = {
    {"", 0, "", "", "", ""},
    {"f", 1, "Zg", "MY", "my", "66"},
    {"fo", 2, "Zm8", "MZXQ", "mzxq", "666f"},
    {"foo", 3, "Zm9v", "MZXW6", "mzxw6", "666f6f"},
    {"foob", 4, "Zm9vYg", "MZXW6YQ", "mzxw6yq", "666f6f62"},
    {"fooba", 5, "Zm9vYmE", "MZXW6YTB", "mzxw6ytb", "666f6f6261"},
    {"foobar", 6, "Zm9vYmFy", "MZXW6YTBOI", "mzxw6ytboi", "666f6f626172"},
    {"\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55"
     "\x97\x61\x96\x9b\x71\xd7\x9f\x82\x18\xa3\x92\x59\xa7\xa2\x9a\xab\xb2"
     "\xdb\xaf\xc3\x1c\xb3\xd3\x5d\xb7\xe3\x9e\xbb\xf3\xdf\xbf",
	48, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	"AAIIGECRQ4QJFCZQ2OHUCFETKFKZOYMWTNY5PH4CDCRZEWNHUKNKXMW3V7BRZM6TLW36"
	"HHV36PP36",
	NULL,
	"00108310518720928b30d38f41149351559761969b71d79f8218a39259a7a29a"
	"abb2dbafc31cb3d35db7e39ebbf3dfbf"},
};

static void
encodes_the_vectors(void **state)
{
	char out[128];

	(void)state;
	for (size_t i = 0; i < N_ROWS(vectors); i++) {
		const void *bytes = vectors[i].bytes;
		size_t len = vectors[i].len;

		assert_ok(csign_b64u_encode(bytes, len, out, sizeof(out)));
		assert_string_equal(out, vectors[i].b64u);
		assert_int_equal(CSIGN_B64U_LEN(len), strlen(out));
		assert_ok(csign_b32_encode(
		    bytes, len, CSIGN_B32_UPPER, out, sizeof(out)));
		assert_string_equal(out, vectors[i].b32);
		assert_int_equal(CSIGN_B32_LEN(len), strlen(out));
		assert_ok(csign_hex_encode(bytes, len, out, sizeof(out)));
		assert_string_equal(out, vectors[i].hex);
		if (vectors[i].b32_lower == NULL)
			continue;
		assert_ok(csign_b32_encode(
		    bytes, len, CSIGN_B32_LOWER, out, sizeof(out)));
		assert_string_equal(out, vectors[i].b32_lower);
	}
}

static void
decodes_the_vectors(void **state)
{
	unsigned char out[64];
	size_t len;

	(void)state;
	for (size_t i = 0; i < N_ROWS(vectors); i++) {
		const char *b64u = vectors[i].b64u;
		const char *b32 = vectors[i].b32;

		assert_ok(csign_b64u_decode(
		    b64u, strlen(b64u), out, vectors[i].len, &len));
		assert_bytes(b64u, out, len, vectors[i].bytes, vectors[i].len);
		assert_ok(csign_b32_decode(b32, strlen(b32), CSIGN_B32_UPPER,
		    out, vectors[i].len, &len));
		assert_bytes(b32, out, len, vectors[i].bytes, vectors[i].len);
	}
}

static void
output_fits_or_is_refused(void **state)
{
	char out[16];
	unsigned char bytes[8];
	size_t len = 99;

	(void)state;
	memset(out, 'x', sizeof(out));
	assert_err("no room for the NUL", csign_b64u_encode("foo", 3, out, 4),
	    CSIGN_E_TOO_LONG);
	assert_err(
	    "no room", csign_b64u_encode("", 0, out, 0), CSIGN_E_TOO_LONG);
	assert_err("unused bits",
	    csign_b32_encode("f", 1, CSIGN_B32_UPPER, out, 2),
	    CSIGN_E_TOO_LONG);
	assert_err("hex", csign_hex_encode("foo", 3, out, 6), CSIGN_E_TOO_LONG);
	assert_err("huge", csign_hex_encode("foo", SIZE_MAX, out, 6),
	    CSIGN_E_TOO_LONG);
	assert_err("its bits overflow",
	    csign_hex_encode("foo", SIZE_MAX / 8 + 1, out, 6),
	    CSIGN_E_TOO_LONG);
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(out[i], 'x');
	assert_ok(csign_b64u_encode("foo", 3, out, 5));
	assert_ok(csign_hex_encode("foo", 3, out, 7));
	assert_int_equal(out[7], 'x');

	memset(bytes, 'x', sizeof(bytes));
	assert_err("decoded", csign_b64u_decode("Zm9v", 4, bytes, 2, &len),
	    CSIGN_E_TOO_LONG);
	assert_err("decoded",
	    csign_b32_decode("MZXQ", 4, CSIGN_B32_UPPER, bytes, 1, &len),
	    CSIGN_E_TOO_LONG);
	assert_int_equal(bytes[2], 'x');
	assert_int_equal(len, 99);
	assert_ok(csign_b64u_decode("", 0, NULL, 0, &len));
	assert_int_equal(len, 0);
}

static void
only_the_canonical_form_is_read(void **state)
{
	enum { B64U, UPPER, LOWER };
	static const struct {
		int form;
		const char *text;
		size_t len;
	} rows[] = {
	    {B64U, "Zg==", 4}, /* padding */
	    {B64U, "A", 1},
	    {B64U, "AAAAA", 5},
	    {UPPER, "A", 1},
	    {UPPER, "AAA", 3},
	    {UPPER, "AAAAAA", 6},
	    {LOWER, "a", 1},
	    {B64U, "Z", 1},     /* six bits are no byte */
	    {B64U, "Zm9vY", 5}, /* the same at the end */
	    {B64U, "Zh", 2},    /* unused bits that are set */
	    {B64U, "Zm9", 3},   /* two of them, for 66 6f */
	    {B64U, "Zm+v", 4},  /* base64, not base64url */
	    {B64U, "Zm/v", 4},
	    {B64U, "Zm 9v", 5},
	    {B64U, "Zm9v\n", 5},
	    {B64U, " Zm9v", 5},
	    {B64U, "Zm9v\0", 5},
	    {B64U, "\0Zm9", 4},
	    {B64U, "Zm\xc3\xa9", 4},
	    {B64U, "Zm9=", 4},
	    {UPPER, "M", 1},
	    {UPPER, "MZX", 3},
	    {UPPER, "MZXW6Y", 6},
	    {UPPER, "MZ", 2},
	    {UPPER, "MZXW7", 5},
	    {UPPER, "my", 2},
	    {UPPER, "My", 2},
	    {UPPER, "MY======", 8},
	    {UPPER, "M1", 2},
	    {UPPER, "M0", 2},
	    {UPPER, "M8", 2},
	    {UPPER, "MY ", 3},
	    {UPPER, "MZ-Q", 4},
	    {LOWER, "MY", 2},
	    {LOWER, "mY", 2},
	    {LOWER, "mz", 2},
	    {LOWER, "m", 1},
	    {LOWER, "m\0", 2},
	};

	(void)state; /* MEM-2 */
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		const char *text = rows[i].text;
		unsigned char out[16];
		size_t len = 99;
		enum csign_err r;

		if (rows[i].form == B64U)
			r = csign_b64u_decode(
			    text, rows[i].len, out, sizeof(out), &len);
		else
			r = csign_b32_decode(text, rows[i].len,
			    rows[i].form == UPPER ? CSIGN_B32_UPPER
						  : CSIGN_B32_LOWER,
			    out, sizeof(out), &len);
		assert_err(text, r, CSIGN_E_FORMAT);
		assert_int_equal(len, 99);
	}
}

/* Of all texts of a length, exactly one each stands for some bytes. */
static void
every_text_is_canonical_or_refused(void **state)
{
	unsigned int accepted = 0;
	unsigned char out[2];
	char text[3], again[3];
	size_t len;

	(void)state;
	for (unsigned int i = 0; i < 65536; i++) {
		text[0] = (char)(i >> 8);
		text[1] = (char)(i & 0xff);
		text[2] = '\0';
		if (csign_b64u_decode(text, 2, out, sizeof(out), &len) !=
		    CSIGN_OK)
			continue;
		accepted++;
		assert_int_equal(len, 1);
		assert_ok(csign_b64u_encode(out, len, again, sizeof(again)));
		assert_string_equal(text, again);
	}
	assert_int_equal(accepted, 256);
}

static void
numbers(void **state)
{
	static const struct {
		const char *text;
		uint32_t min, max;
		enum csign_err want;
		uint32_t value;
	} rows[] = {
	    {"0", 0, UINT32_MAX, CSIGN_OK, 0},
	    {"7", 7, 7, CSIGN_OK, 7},
	    {"90", 30, 300, CSIGN_OK, 90},
	    {"4294967295", 0, UINT32_MAX, CSIGN_OK, UINT32_MAX},
	    {"29", 30, 300, CSIGN_E_INVALID, 0},
	    {"301", 30, 300, CSIGN_E_INVALID, 0},
	    {"0", 1, 5, CSIGN_E_INVALID, 0},
	    {"4294967296", 0, UINT32_MAX, CSIGN_E_FORMAT, 0},
	    {"18446744073709551616", 0, UINT32_MAX, CSIGN_E_FORMAT, 0},
	    {"18446744073709551706", 0, UINT32_MAX, CSIGN_E_FORMAT, 0},
	    {"99999999999999999999999999", 0, UINT32_MAX, CSIGN_E_FORMAT, 0},
	    {"", 0, 9, CSIGN_E_FORMAT, 0},
	    {"00", 0, 9, CSIGN_E_FORMAT, 0},
	    {"07", 0, 9, CSIGN_E_FORMAT, 0},
	    {"+7", 0, 9, CSIGN_E_FORMAT, 0},
	    {"-7", 0, UINT32_MAX, CSIGN_E_FORMAT, 0},
	    {" 7", 0, 9, CSIGN_E_FORMAT, 0},
	    {"7 ", 0, 9, CSIGN_E_FORMAT, 0},
	    {"7\n", 0, 9, CSIGN_E_FORMAT, 0},
	    {"7s", 0, 9, CSIGN_E_FORMAT, 0},
	    {"0x7", 0, 9, CSIGN_E_FORMAT, 0},
	    {"7.0", 0, 9, CSIGN_E_FORMAT, 0},
	    {"1e1", 0, 99, CSIGN_E_FORMAT, 0},
	    {"\xd9\xa7", 0, 9, CSIGN_E_FORMAT, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		uint32_t value = 12345;

		assert_err(rows[i].text,
		    csign_parse_u32(
			rows[i].text, rows[i].min, rows[i].max, &value),
		    rows[i].want);
		assert_int_equal(
		    value, rows[i].want == CSIGN_OK ? rows[i].value : 12345);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encodes_the_vectors),
	    cmocka_unit_test(decodes_the_vectors),
	    cmocka_unit_test(output_fits_or_is_refused),
	    cmocka_unit_test(only_the_canonical_form_is_read),
	    cmocka_unit_test(every_text_is_canonical_or_refused),
	    cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
