/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of RFC 8291 and RFC 8188, and a reader of its own for them. */
#include "unit.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include "codec.h"
#include "service/webpush.h"
#include "vectors.h"

static bool random_fails;

ssize_t __real_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);

ssize_t
__wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
	if (random_fails) {
		errno = ENOSYS;
		return -1;
	}
	return __real_getrandom(buf, len, flags);
}

/* RFC 8291, appendix A. */
static const char plain[] = "When I grow up, I want to be a watermelon";
static const char as_private[] = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
static const char ua_private[] = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
static const char ua_public[] =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZG"
    "H6SRpkNtoIAiw4";
static const char auth[] = "BTBZMqHH6r4Tts7J_aSIgg";
static const char salt_text[] = "DGv6ra1nlYgDCS1FRnbzlw";
static const char body_text[] =
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgD"
    "ll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt"
    "2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

static size_t
bytes_of(const char *text, unsigned char *out, size_t max)
{
	size_t len = 0;

	assert_ok(csign_b64u_decode(text, strlen(text), out, max, &len));
	return len;
}

static struct csign_p256 *
key_of(const char *text)
{
	struct csign_p256 *key = NULL;
	unsigned char scalar[32];

	assert_int_equal(bytes_of(text, scalar, sizeof(scalar)), 32);
	assert_ok(csign_p256_from_scalar(crypto, scalar, &key));
	return key;
}

static struct webpush_keys
keys_of_rfc(void)
{
	struct webpush_keys keys;

	assert_ok(webpush_keys_read(crypto, ua_public, auth, &keys));
	return keys;
}

static void
assert_body(const struct csign_buf *body, const char *want)
{
	char text[2048];

	assert_ok(csign_b64u_encode(
	    csign_buf_data(body), csign_buf_len(body), text, sizeof(text)));
	assert_string_equal(text, want);
}

static void
test_rfc_8291(void **state)
{
	struct webpush_keys keys = keys_of_rfc();
	struct csign_p256 *ephemeral = key_of(as_private);
	struct csign_buf *body = NULL;
	unsigned char salt[16];

	(void)state;
	bytes_of(salt_text, salt, sizeof(salt));
	assert_ok(csign_buf_new(WEBPUSH_BODY_MAX, &body));
	assert_ok(webpush_seal_with(crypto, &keys, ephemeral, salt, plain,
	    strlen(plain), strlen(plain), body));
	assert_body(body, body_text);
	csign_buf_free(&body);
	csign_p256_free(&ephemeral);
}

static void
test_rfc_8188(void **state)
{
	struct csign_buf *body = NULL;
	unsigned char salt[16], ikm[16];

	(void)state;
	bytes_of("I1BsxtFttlv3u_Oo94xnmw", salt, sizeof(salt));
	bytes_of("yqdlZ-tYemfogSmv7Ws5PQ", ikm, sizeof(ikm));
	assert_ok(csign_buf_new(WEBPUSH_BODY_MAX, &body));
	assert_ok(webpush_record(crypto, ikm, sizeof(ikm), salt, "", 0,
	    "I am the walrus", 15, 15, body));
	assert_body(body, "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-"
			  "IxkIva3MEB1PD-ly8Thjg");
	csign_buf_free(&body);
}

/* --- a reader that has nothing from the writer ---------------------------- */

static void
hmac(const unsigned char *key, size_t key_len, const unsigned char *data,
    size_t len, unsigned char out[32])
{
	unsigned int n = 0;

	assert_non_null(
	    HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &n));
	assert_int_equal(n, 32);
}

/* HKDF's second half for at most 32 bytes. */
static void
expand(const unsigned char prk[32], const void *info, size_t len,
    unsigned char out[32])
{
	unsigned char text[160];

	memcpy(text, info, len);
	text[len] = 1;
	hmac(prk, 32, text, len + 1, out);
}

/* Returns the length of the record in clear, or 0: it was not for us. */
static size_t
open_body(const struct csign_buf *body, const struct csign_p256 *ua_key,
    const unsigned char auth_secret[16], unsigned char *out)
{
	const unsigned char *at = csign_buf_data(body);
	size_t len = csign_buf_len(body) - WEBPUSH_HEADER_LEN - 16;
	unsigned char z[32], prk[32], ikm[32], cek[32], nonce[32], info[144];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, ok;

	assert_memory_equal(at + 16, "\0\0\x10\0\x41", 5);
	assert_ok(csign_p256_ecdh(ua_key, at + 21, z));
	hmac(auth_secret, 16, z, 32, prk);
	memcpy(info, "WebPush: info", 14);
	csign_p256_point(ua_key, info + 14);
	memcpy(info + 79, at + 21, 65);
	expand(prk, info, sizeof(info), ikm);
	hmac(at, 16, ikm, 32, prk);
	expand(prk, "Content-Encoding: aes128gcm", 28, cek);
	expand(prk, "Content-Encoding: nonce", 24, nonce);
	at += WEBPUSH_HEADER_LEN;
	assert_non_null(ctx);
	assert_int_equal(
	    EVP_DecryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, cek, nonce), 1);
	assert_int_equal(EVP_DecryptUpdate(ctx, out, &n, at, (int)len), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16,
			     (void *)(uintptr_t)(at + len)),
	    1);
	ok = EVP_DecryptFinal_ex(ctx, out, &n);
	EVP_CIPHER_CTX_free(ctx);
	return ok == 1 ? len : 0;
}

static void
test_every_size_is_padded_to_one(void **state)
{
	struct webpush_keys keys = keys_of_rfc();
	struct csign_p256 *ua_key = key_of(ua_private);
	unsigned char text[200], record[512];
	struct csign_buf *body = NULL;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_ok(csign_buf_new(WEBPUSH_BODY_MAX, &body));
	for (size_t len = 0; len <= 200; len += 25) {
		assert_ok(
		    webpush_seal(crypto, &keys, text, len, sizeof(text), body));
		assert_int_equal(csign_buf_len(body), 86 + 200 + 1 + 16);
		assert_int_equal(
		    open_body(body, ua_key, keys.auth, record), 201);
		assert_memory_equal(record, text, len);
		assert_int_equal(record[len], 2);
		for (size_t i = len + 1; i < 201; i++)
			assert_int_equal(record[i], 0);
	}
	assert_err("longer", webpush_seal(crypto, &keys, text, 26, 25, body),
	    CSIGN_E_TOO_LONG);
	assert_int_equal(csign_buf_len(body), 0);
	csign_buf_free(&body);
	csign_p256_free(&ua_key);
}

static void
test_longest(void **state)
{
	static unsigned char text[WEBPUSH_PLAIN_MAX + 1], record[4096];
	struct webpush_keys keys = keys_of_rfc();
	struct csign_p256 *ua_key = key_of(ua_private);
	struct csign_buf *body = NULL;

	(void)state;
	assert_int_equal(WEBPUSH_PLAIN_MAX, 3993);
	memset(text, 'y', sizeof(text));
	assert_ok(csign_buf_new(WEBPUSH_BODY_MAX, &body));
	assert_ok(webpush_seal(crypto, &keys, text, 3993, 3993, body));
	assert_int_equal(csign_buf_len(body), 4096);
	assert_int_equal(open_body(body, ua_key, keys.auth, record), 3994);
	assert_err("3994", webpush_seal(crypto, &keys, text, 3994, 3994, body),
	    CSIGN_E_TOO_LONG);
	assert_int_equal(csign_buf_len(body), 0);
	csign_buf_free(&body);
	csign_p256_free(&ua_key);
}

/* A shared secret that begins with zero is 32 bytes like any other. */
static void
test_leading_zero_of_the_secret(void **state)
{
	struct webpush_keys keys = keys_of_rfc();
	struct csign_p256 *ua_key = key_of(ua_private), *ephemeral = NULL;
	unsigned char scalar[32] = {0}, salt[16] = {7}, z[32], record[64];
	struct csign_buf *body = NULL;
	unsigned tries = 0;

	(void)state;
	assert_ok(csign_buf_new(WEBPUSH_BODY_MAX, &body));
	do {
		assert_true(tries++ < 20000);
		csign_p256_free(&ephemeral);
		scalar[30] = (unsigned char)(tries >> 8);
		scalar[31] = (unsigned char)tries;
		scalar[0] = 1;
		assert_ok(csign_p256_from_scalar(crypto, scalar, &ephemeral));
		assert_ok(csign_p256_ecdh(ephemeral, keys.point, z));
	} while (z[0] != 0);
	assert_ok(webpush_seal_with(
	    crypto, &keys, ephemeral, salt, "zero", 4, 4, body));
	assert_int_equal(open_body(body, ua_key, keys.auth, record), 5);
	assert_memory_equal(record, "zero\2", 5);
	csign_p256_free(&ephemeral);
	csign_p256_free(&ua_key);
	csign_buf_free(&body);
}

static void
test_each_is_new(void **state)
{
	struct webpush_keys keys = keys_of_rfc();
	unsigned char salts[64][16], points[64][65];
	struct csign_buf *body = NULL;

	(void)state;
	assert_ok(csign_buf_new(WEBPUSH_BODY_MAX, &body));
	for (size_t i = 0; i < 64; i++) {
		assert_ok(webpush_seal(crypto, &keys, "a", 1, 1, body));
		memcpy(salts[i], csign_buf_data(body), 16);
		memcpy(points[i], csign_buf_data(body) + 21, 65);
		for (size_t k = 0; k < i; k++) {
			assert_memory_not_equal(salts[i], salts[k], 16);
			assert_memory_not_equal(points[i], points[k], 65);
		}
	}
	csign_buf_free(&body);
}

static void
test_nothing_without_random_bytes(void **state)
{
	struct webpush_keys keys = keys_of_rfc();
	struct csign_buf *body = NULL;

	(void)state;
	assert_ok(csign_buf_new(WEBPUSH_BODY_MAX, &body));
	random_fails = true;
	assert_err("random", webpush_seal(crypto, &keys, "a", 1, 1, body),
	    CSIGN_E_RANDOM);
	random_fails = false;
	assert_int_equal(csign_buf_len(body), 0);
	csign_buf_free(&body);
}

static void
test_keys_refused(void **state)
{
	static const struct {
		const char *name, *p256dh, *auth;
	} rows[] = {
	    {"off the curve",
		"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bj"
		"yPjs7Vd8pZGH6SRpkNtoIAiw8",
		auth},
	    {"compressed", "AiVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx",
		auth},
	    {"64 bytes",
		"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bj"
		"yPjs7Vd8pZGH6SRpkNtoIAiw",
		auth},
	    {"infinity", "AA", auth},
	    {"zeros",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAA",
		auth},
	    {"hybrid",
		"BiVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bj"
		"yPjs7Vd8pZGH6SRpkNtoIAiw4",
		auth},
	    {"padding",
		"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bj"
		"yPjs7Vd8pZGH6SRpkNtoIAiw4=",
		auth},
	    {"nothing", "", auth},
	    {"auth of 15", ua_public, "BTBZMqHH6r4Tts7J_aSI"},
	    {"auth of 17", ua_public, "BTBZMqHH6r4Tts7J_aSIggA"},
	    {"no auth", ua_public, ""},
	};
	struct webpush_keys keys;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_err(rows[i].name,
		    webpush_keys_read(
			crypto, rows[i].p256dh, rows[i].auth, &keys),
		    CSIGN_E_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rfc_8291),
	    cmocka_unit_test(test_rfc_8188),
	    cmocka_unit_test(test_every_size_is_padded_to_one),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_leading_zero_of_the_secret),
	    cmocka_unit_test(test_each_is_new),
	    cmocka_unit_test(test_nothing_without_random_bytes),
	    cmocka_unit_test(test_keys_refused),
	};

	return cmocka_run_group_tests_name("webpush", tests, setup, teardown);
}
