/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "seal.h"
#include "vectors.h"

static enum csign_seal_use
use_of(const char *name)
{
	return strcmp(name, "content") == 0 ? CSIGN_SEAL_CONTENT
					    : CSIGN_SEAL_ANSWER;
}

static void
test_vectors(void **state)
{
	struct json_object *list = vec(vectors(), "sealed");

	(void)state;
	assert_true(json_object_array_length(list) >= 3);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		enum csign_seal_use use = use_of(vec_str(v, "use"));
		static unsigned char plain[8192], sealed[8192];
		unsigned char key[32], nonce[12];
		struct csign_buf *out = NULL;
		size_t plain_len, sealed_len;

		vec_hex(v, "key", key, sizeof(key));
		vec_hex(v, "nonce", nonce, sizeof(nonce));
		plain_len = vec_hex(v, "plain", plain, sizeof(plain));
		sealed_len = vec_b64u(v, "sealed", sealed, sizeof(sealed));
		assert_ok(csign_buf_new(8192, &out));
		assert_ok(csign_seal_with_nonce(
		    crypto, use, key, nonce, plain, plain_len, out));
		assert_bytes(vec_str(v, "name"), csign_buf_data(out),
		    csign_buf_len(out), sealed, sealed_len);
		csign_buf_clear(out);
		assert_ok(
		    csign_open(crypto, use, key, sealed, sealed_len, out));
		assert_bytes(vec_str(v, "name"), csign_buf_data(out),
		    csign_buf_len(out), plain, plain_len);
		csign_buf_free(&out);
	}
}

static void
test_refused(void **state)
{
	unsigned char key[32] = {1}, sealed[64];
	struct csign_buf *out = NULL, *got = NULL;
	size_t len;

	(void)state;
	assert_ok(csign_buf_new(64, &out));
	assert_ok(csign_buf_new(64, &got));
	assert_ok(
	    csign_seal(crypto, CSIGN_SEAL_ANSWER, key, "message", 7, out));
	len = csign_buf_len(out);
	assert_int_equal(len, 7 + CSIGN_SEAL_OVERHEAD);
	memcpy(sealed, csign_buf_data(out), len);
	/* each bit of it counts, the version as well */
	for (size_t i = 0; i < len * 8; i++) {
		sealed[i / 8] ^= (unsigned char)(1 << i % 8);
		assert_err("bit",
		    csign_open(
			crypto, CSIGN_SEAL_ANSWER, key, sealed, len, got),
		    CSIGN_E_FORMAT);
		sealed[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (size_t i = 0; i < len; i++)
		assert_err("cut",
		    csign_open(crypto, CSIGN_SEAL_ANSWER, key, sealed, i, got),
		    CSIGN_E_FORMAT);
	sealed[len] = 0;
	assert_err("longer",
	    csign_open(crypto, CSIGN_SEAL_ANSWER, key, sealed, len + 1, got),
	    CSIGN_E_FORMAT);
	assert_err("other use",
	    csign_open(crypto, CSIGN_SEAL_CONTENT, key, sealed, len, got),
	    CSIGN_E_FORMAT);
	key[0] = 2;
	assert_err("other key",
	    csign_open(crypto, CSIGN_SEAL_ANSWER, key, sealed, len, got),
	    CSIGN_E_FORMAT);
	key[0] = 1;
	assert_int_equal(csign_buf_len(got), 0);
	assert_ok(csign_open(crypto, CSIGN_SEAL_ANSWER, key, sealed, len, got));
	assert_string_equal(csign_buf_str(got), "message");
	csign_buf_free(&out);
	csign_buf_free(&got);
}

/* Two seals of one message differ: the nonce is fresh. */
static void
test_nonce(void **state)
{
	static const unsigned char key[32];
	struct csign_buf *a = NULL, *b = NULL;

	(void)state;
	assert_ok(csign_buf_new(64, &a));
	assert_ok(csign_buf_new(64, &b));
	assert_ok(csign_seal(crypto, CSIGN_SEAL_CONTENT, key, "x", 1, a));
	assert_ok(csign_seal(crypto, CSIGN_SEAL_CONTENT, key, "x", 1, b));
	assert_memory_not_equal(
	    csign_buf_data(a) + 1, csign_buf_data(b) + 1, 12);
	csign_buf_free(&a);
	csign_buf_free(&b);
}

static void
test_bounds(void **state)
{
	static const unsigned char key[32];
	static unsigned char plain[8193];
	struct csign_buf *out = NULL, *got = NULL;

	(void)state;
	assert_ok(csign_buf_new(10000, &out));
	assert_ok(csign_buf_new(10000, &got));
	assert_err("8,164 bytes",
	    csign_seal(crypto, CSIGN_SEAL_CONTENT, key, plain, 8164, out),
	    CSIGN_E_TOO_LONG);
	assert_int_equal(csign_buf_len(out), 0);
	assert_ok(
	    csign_seal(crypto, CSIGN_SEAL_CONTENT, key, plain, 8163, out));
	assert_int_equal(csign_buf_len(out), 8192);
	assert_ok(csign_open(crypto, CSIGN_SEAL_CONTENT, key,
	    csign_buf_data(out), csign_buf_len(out), got));
	assert_int_equal(csign_buf_len(got), 8163);
	assert_err("8,193 bytes",
	    csign_open(crypto, CSIGN_SEAL_CONTENT, key, plain, 8193, got),
	    CSIGN_E_TOO_LONG);
	csign_buf_free(&out);
	csign_buf_free(&got);
}

/* --- to a device -----------------------------------------------------------
 */

static struct csign_p256 *
key_from(struct json_object *v, const char *name)
{
	unsigned char scalar[32];
	struct csign_p256 *key = NULL;

	vec_hex(v, name, scalar, sizeof(scalar));
	assert_ok(csign_p256_from_scalar(crypto, scalar, &key));
	return key;
}

static void
test_device_vectors(void **state)
{
	struct json_object *list = vec(vectors(), "deviceSeals");

	(void)state;
	assert_true(json_object_array_length(list) >= 2);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		struct csign_p256 *e = key_from(v, "ephemeralScalar");
		struct csign_p256 *d = key_from(v, "sealScalar");
		unsigned char secret[16], point[65], want[98], got[98];

		vec_hex(v, "secret", secret, sizeof(secret));
		vec_hex(v, "sealPoint", point, sizeof(point));
		vec_hex(v, "sealed", want, sizeof(want));
		assert_ok(csign_device_seal(
		    crypto, point, vec_str(v, "deviceId"), secret, e, got));
		assert_memory_equal(got, want, sizeof(want));
		memset(secret, 0, sizeof(secret));
		assert_ok(csign_device_open(
		    crypto, d, vec_str(v, "deviceId"), want, secret));
		vec_hex(v, "secret", got, sizeof(got));
		assert_memory_equal(secret, got, sizeof(secret));
		csign_p256_free(&e);
		csign_p256_free(&d);
	}
}

static void
test_device_refused(void **state)
{
	static const char id[CSIGN_DEVICE_ID_SIZE] = "aaaabbbbccccdddd";
	static const char short_id[CSIGN_DEVICE_ID_SIZE] = "aaaa";
	struct csign_p256 *d = NULL, *other = NULL;
	unsigned char point[65], secret[16] = "the link secret", got[16];
	unsigned char a[98], b[98];

	(void)state;
	assert_ok(csign_p256_new(crypto, &d));
	assert_ok(csign_p256_new(crypto, &other));
	csign_p256_point(d, point);
	assert_ok(csign_device_seal(crypto, point, id, secret, NULL, a));
	assert_ok(csign_device_seal(crypto, point, id, secret, NULL, b));
	/* the ephemeral key is fresh, so that the nonce may be zero */
	assert_memory_not_equal(a + 1, b + 1, 65);
	assert_memory_not_equal(a + 66, b + 66, 32);
	memset(got, 0xee, sizeof(got));
	for (size_t i = 0; i < sizeof(a); i++) {
		a[i] ^= 0x01;
		assert_err("forged", csign_device_open(crypto, d, id, a, got),
		    CSIGN_E_FORMAT);
		a[i] ^= 0x01;
	}
	assert_err("other device",
	    csign_device_open(crypto, d, "aaaabbbbccccddde", a, got),
	    CSIGN_E_FORMAT);
	assert_err("other key", csign_device_open(crypto, other, id, a, got),
	    CSIGN_E_FORMAT);
	assert_err("short id", csign_device_open(crypto, d, short_id, a, got),
	    CSIGN_E_INVALID);
	assert_int_equal(got[0], 0xee);
	assert_ok(csign_device_open(crypto, d, id, a, got));
	assert_memory_equal(got, secret, sizeof(secret));
	point[64] ^= 1;
	memset(b, 0xee, sizeof(b));
	assert_err("off the curve",
	    csign_device_seal(crypto, point, id, secret, NULL, b),
	    CSIGN_E_PROOF_KEY);
	assert_int_equal(b[0], 0xee);
	csign_p256_free(&d);
	csign_p256_free(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_nonce),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_device_vectors),
	    cmocka_unit_test(test_device_refused),
	};

	return cmocka_run_group_tests_name("seal", tests, setup, teardown);
}
