/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto.h"
#include "vectors.h"

/* --- wraps -----------------------------------------------------------------
 */

#define REAL 77
static int verify_says = REAL, check_says = REAL;

int __real_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig,
    size_t sig_len, const unsigned char *tbs, size_t tbs_len);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig,
    size_t sig_len, const unsigned char *tbs, size_t tbs_len);
int __real_EVP_PKEY_public_check_quick(EVP_PKEY_CTX *ctx);
int __wrap_EVP_PKEY_public_check_quick(EVP_PKEY_CTX *ctx);

int
__wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig,
    size_t sig_len, const unsigned char *tbs, size_t tbs_len)
{
	int real = __real_EVP_DigestVerify(ctx, sig, sig_len, tbs, tbs_len);

	return verify_says == REAL ? real : verify_says;
}

int
__wrap_EVP_PKEY_public_check_quick(EVP_PKEY_CTX *ctx)
{
	int real = __real_EVP_PKEY_public_check_quick(ctx);

	return check_says == REAL ? real : check_says;
}

/* --- helpers ---------------------------------------------------------------
 */

static size_t
hex(const char *text, unsigned char *out)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};

		out[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return len;
}

/* --- the context -----------------------------------------------------------
 */

/*
 * A configuration that asks for providers which are not there breaks the
 * default context and must not touch ours.  Exits with 0.
 */
static void
application_first(void)
{
	struct csign_crypto *own = NULL;

	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	if (EVP_MD_fetch(NULL, "SHA256", NULL) != NULL)
		_exit(2);
	if (csign_crypto_new(&own) != CSIGN_OK ||
	    csign_crypto_warm_up(own) != CSIGN_OK)
		_exit(3);
	_exit(0);
}

/* Where we come first, the variable names no file for the default one. */
static void
library_first(void)
{
	struct csign_crypto *own = NULL;

	if (csign_crypto_new(&own) != CSIGN_OK ||
	    csign_crypto_warm_up(own) != CSIGN_OK)
		_exit(4);
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	if (EVP_MD_fetch(NULL, "SHA256", NULL) == NULL)
		_exit(5);
	_exit(0);
}

/* In a child, before libcrypto is used for the first time. */
static void
with_configuration(const char *conf, void (*run)(void))
{
	char path[] = "/tmp/csign-crypto-XXXXXX";
	int fd = mkstemp(path), status = 0;
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, conf, strlen(conf)), strlen(conf));
	close(fd);
	if ((pid = fork()) == 0) {
		setenv("OPENSSL_CONF", path, 1);
		run();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_no_configuration(void **state)
{
	static const char conf[] = "openssl_conf = init\n"
				   "[init]\nalg_section = evp\n"
				   "[evp]\ndefault_properties = fips=yes\n";

	(void)state;
	with_configuration(conf, application_first);
	with_configuration(conf, library_first);
}

/* The application's errors stay, ours do not. */
static void
test_error_queue(void **state)
{
	static const unsigned char nothing[CSIGN_POINT_LEN] = {0x04};
	unsigned char sig[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
	struct csign_p256 *key = NULL;

	(void)state;
	ERR_clear_error();
	for (int before = 0; before < 2; before++) {
		unsigned long last;

		if (before == 1)
			ERR_raise(ERR_LIB_USER, 42);
		last = ERR_peek_last_error();
		assert_err("verify",
		    csign_es256_verify(
			crypto, nothing, "", 0, sig, sizeof(sig)),
		    CSIGN_E_PROOF_KEY);
		assert_err("check", csign_point_check(crypto, nothing),
		    CSIGN_E_PROOF_KEY);
		assert_err("pem",
		    csign_p256_from_pem(crypto, "nonsense", 8, "", &key),
		    CSIGN_E_FORMAT);
		assert_ok(csign_crypto_warm_up(crypto));
		assert_true(ERR_peek_last_error() == last);
	}
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
	assert_true(ERR_get_error() == 0);
}

static void
test_warm_up(void **state)
{
	(void)state;
	assert_ok(csign_crypto_warm_up(crypto));
	verify_says = 0;
	assert_err("a libcrypto that cannot verify",
	    csign_crypto_warm_up(crypto), CSIGN_E_CRYPTO);
	verify_says = REAL;
}

/* --- digests, keys, seals --------------------------------------------------
 */

static void
test_sha256(void **state)
{
	/* FIPS 180-4: "abc" */
	static const char abc[] = "ba7816bf8f01cfea414140de5dae2223"
				  "b00361a396177a9cb410ff61f20015ad";
	static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb924"
				    "27ae41e4649b934ca495991b7852b855";
	const struct csign_part parts[] = {
	    {"a", 1}, {NULL, 0}, {"bc", 2}, {"", 0}};
	unsigned char want[32], got[32];

	(void)state;
	hex(abc, want);
	assert_ok(csign_sha256(crypto, parts, 4, got));
	assert_memory_equal(got, want, 32);
	hex(empty, want);
	assert_ok(csign_sha256(crypto, NULL, 0, got));
	assert_memory_equal(got, want, 32);
}

static void
test_hkdf(void **state)
{
	/* RFC 5869, A.3: no salt, no info */
	static const char a3[] = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1"
				 "879ec3454e5f3c738d2d9d201395faa4b61a96c8";
	/* the same with salt 00 to 0c and an info, by python3-cryptography */
	static const char salted[] =
	    "81821fc97b5e7733f775c6e3f665a6988090701301b2"
	    "db166bbe1c6c28eb4c7362206e656ec69e3ae2ec";
	unsigned char ikm[22], salt[13], want[42], got[42];

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	hex(a3, want);
	assert_ok(csign_hkdf_sha256(
	    crypto, ikm, sizeof(ikm), NULL, 0, "", got, sizeof(got)));
	assert_memory_equal(got, want, sizeof(got));
	for (unsigned char i = 0; i < sizeof(salt); i++)
		salt[i] = i;
	hex(salted, want);
	assert_ok(csign_hkdf_sha256(crypto, ikm, sizeof(ikm), salt,
	    sizeof(salt), "countersign", got, sizeof(got)));
	assert_memory_equal(got, want, sizeof(got));
}

static void
test_gcm(void **state)
{
	/* NIST's GCM specification, test case 16. */
	unsigned char key[32], nonce[12], aad[20], plain[60], want[76];
	unsigned char sealed[76], opened[60];

	(void)state;
	hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	    key);
	hex("cafebabefacedbaddecaf888", nonce);
	hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad);
	hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    plain);
	hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b",
	    want);
	assert_ok(csign_gcm_seal(crypto, key, nonce, aad, sizeof(aad), plain,
	    sizeof(plain), sealed));
	assert_memory_equal(sealed, want, sizeof(want));
	assert_ok(csign_gcm_open(crypto, key, nonce, aad, sizeof(aad), sealed,
	    sizeof(sealed), opened));
	assert_memory_equal(opened, plain, sizeof(plain));
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 0x01;
		memset(opened, 0xee, sizeof(opened));
		assert_err("forged",
		    csign_gcm_open(crypto, key, nonce, aad, sizeof(aad), sealed,
			sizeof(sealed), opened),
		    CSIGN_E_FORMAT);
		/* nothing of an unauthenticated plaintext gets out */
		for (size_t k = 0; k < sizeof(opened); k++)
			assert_int_equal(opened[k], 0);
		sealed[i] ^= 0x01;
	}
	aad[0] ^= 1;
	assert_err("other additional data",
	    csign_gcm_open(crypto, key, nonce, aad, sizeof(aad), sealed,
		sizeof(sealed), opened),
	    CSIGN_E_FORMAT);
	assert_err("shorter than a tag",
	    csign_gcm_open(crypto, key, nonce, aad, 0, sealed, 15, opened),
	    CSIGN_E_FORMAT);
}

/* --- points ----------------------------------------------------------------
 */

static void
key_1(unsigned char point[CSIGN_POINT_LEN])
{
	vec_hex(
	    vec(vec(vectors(), "keys"), "1"), "point", point, CSIGN_POINT_LEN);
}

static void
test_point(void **state)
{
	unsigned char point[CSIGN_POINT_LEN], good[CSIGN_POINT_LEN];
	static const int wrong[] = {-1, 0, 2};

	(void)state;
	key_1(good);
	assert_ok(csign_point_check(crypto, good));
	memcpy(point, good, sizeof(point));
	point[64] ^= 1;
	assert_err("off the curve", csign_point_check(crypto, point),
	    CSIGN_E_PROOF_KEY);
	for (unsigned int first = 0; first < 256; first++) {
		memcpy(point, good, sizeof(point));
		point[0] = (unsigned char)first;
		if (first != 0x04) /* 06 and 07 are hybrid forms */
			assert_err("first byte",
			    csign_point_check(crypto, point),
			    CSIGN_E_PROOF_KEY);
	}
	memset(point + 1, 0, sizeof(point) - 1);
	point[0] = 0x04;
	assert_err("zero", csign_point_check(crypto, point), CSIGN_E_PROOF_KEY);
	/* p, which is 0, and the point (0, y) with x not reduced */
	hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
	    point + 1);
	assert_err(
	    "x = p", csign_point_check(crypto, point), CSIGN_E_PROOF_KEY);
	for (size_t i = 0; i < N_ROWS(wrong); i++) {
		check_says = wrong[i];
		assert_err("EVP_PKEY_public_check_quick",
		    csign_point_check(crypto, good), CSIGN_E_PROOF_KEY);
	}
	check_says = REAL;
}

/* --- signatures ------------------------------------------------------------
 */

/* RFC 6979, A.2.5: P-256, SHA-256, "sample". */
#define SAMPLE_POINT                                                           \
	"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"   \
	"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define SAMPLE_R                                                               \
	"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define SAMPLE_S                                                               \
	"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
/* n - s */
#define SAMPLE_S2                                                              \
	"0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9"

static enum csign_err
verify_hex(const char *signature)
{
	unsigned char point[CSIGN_POINT_LEN], sig[128];
	size_t len = hex(signature, sig);

	hex(SAMPLE_POINT, point);
	return csign_es256_verify(crypto, point, "sample", 6, sig, len);
}

static void
test_verify(void **state)
{
	unsigned char point[CSIGN_POINT_LEN], sig[72];
	size_t len = hex("3046022100" SAMPLE_R "022100" SAMPLE_S, sig);

	(void)state;
	hex(SAMPLE_POINT, point);
	assert_ok(csign_es256_verify(crypto, point, "sample", 6, sig, len));
	assert_err("other message",
	    csign_es256_verify(crypto, point, "Sample", 6, sig, len),
	    CSIGN_E_PROOF_SIGNATURE);
	key_1(point);
	assert_err("other key",
	    csign_es256_verify(crypto, point, "sample", 6, sig, len),
	    CSIGN_E_PROOF_SIGNATURE);
	point[64] ^= 1;
	assert_err("no key",
	    csign_es256_verify(crypto, point, "sample", 6, sig, len),
	    CSIGN_E_PROOF_KEY);
	/* True of ECDSA: a signature's bytes are no replay identity. */
	assert_ok(verify_hex("3045022100" SAMPLE_R "0220" SAMPLE_S2));
}

static void
test_verify_result(void **state)
{
	static const int wrong[] = {-1, 0, 2, -2, 256, 65537};

	(void)state;
	for (size_t i = 0; i < N_ROWS(wrong); i++) {
		verify_says = wrong[i];
		assert_err("EVP_DigestVerify",
		    verify_hex("3046022100" SAMPLE_R "022100" SAMPLE_S),
		    CSIGN_E_PROOF_SIGNATURE);
	}
	verify_says = REAL;
}

/*
 * Refused before libcrypto is asked: it is made to say yes to everything.
 */
static void
test_der_shape(void **state)
{
	static const struct {
		const char *name, *der;
		bool good;
	} rows[] = {
	    {"good", "3046022100" SAMPLE_R "022100" SAMPLE_S, true},
	    {"shortest", "3006020101020101", true},
	    {"short r", "3026020101022100" SAMPLE_S, true},
	    {"00 before a high bit", "300702020080020101", true},
	    {"nothing", "", false},
	    {"7 bytes", "30050201010200", false},
	    {"73 bytes", "3047022100" SAMPLE_R "022100" SAMPLE_S "00", false},
	    {"byte behind", "300602010102010100", false},
	    {"byte behind, counted", "300702010102010100", false},
	    {"length too large", "3007020101020101", false},
	    {"length too small", "3005020101020101", false},
	    {"long-form length", "308106020101020101", false},
	    {"indefinite length", "30800201010201010000", false},
	    {"long-form integer", "300702810101020101", false},
	    {"not a sequence", "3106020101020101", false},
	    {"not an integer", "3006030101020101", false},
	    {"second not an integer", "3006020101040101", false},
	    {"one integer", "3006020400ffffff", false},
	    {"three integers", "3009020101020101020101", false},
	    {"empty integer", "300602000202ffff", false},
	    {"empty r, good s", "3006020002020101", false},
	    {"good r, empty s", "3006020201010200", false},
	    {"r = 0", "3006020100020101", false},
	    {"s = 0", "3006020101020100", false},
	    {"r = 00 00", "300702020000020101", false},
	    {"leading zero", "300702020001020101", false},
	    {"two leading zeros",
		"3008020300008002"
		"0101",
		false},
	    {"leading zero in s", "300702010102020001", false},
	    {"negative r", "3006020180020101", false},
	    {"negative s", "30060201010201ff", false},
	    {"r of 33 bytes", "3026022101" SAMPLE_R "020101", false},
	    {"r of 34 bytes", "302702220080" SAMPLE_R "020101", false},
	    {"integer beyond the end", "3006020101020201", false},
	};

	(void)state;
	verify_says = 1;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_err(rows[i].name, verify_hex(rows[i].der),
		    rows[i].good ? CSIGN_OK : CSIGN_E_PROOF_SIGNATURE);
	verify_says = REAL;
}

/* --- private keys ----------------------------------------------------------
 */

static void
test_scalar(void **state)
{
	static const struct {
		const char *name, *scalar;
		bool good;
	} rows[] = {
	    {"1",
		"0000000000000000000000000000000000000000000000000000000000000"
		"001",
		true},
	    {"n - 1",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632"
		"550",
		true},
	    {"0",
		"0000000000000000000000000000000000000000000000000000000000000"
		"000",
		false},
	    {"n",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632"
		"551",
		false},
	};
	unsigned char scalar[32], point[CSIGN_POINT_LEN], want[CSIGN_POINT_LEN];

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_p256 *key = NULL;

		hex(rows[i].scalar, scalar);
		assert_err(rows[i].name,
		    csign_p256_from_scalar(crypto, scalar, &key),
		    rows[i].good ? CSIGN_OK : CSIGN_E_FORMAT);
		if (!rows[i].good)
			assert_null(key);
		else
			csign_p256_point(key, point);
		csign_p256_free(&key);
		assert_null(key);
	}
	json_object_object_foreach(vec(vectors(), "keys"), name, entry)
	{
		struct csign_p256 *key = NULL;

		vec_hex(entry, "scalar", scalar, sizeof(scalar));
		vec_hex(entry, "point", want, sizeof(want));
		assert_ok(csign_p256_from_scalar(crypto, scalar, &key));
		csign_p256_point(key, point);
		assert_bytes(name, point, sizeof(point), want, sizeof(want));
		csign_p256_free(&key);
	}
}

static void
test_sign(void **state)
{
	struct csign_p256 *key = NULL, *other = NULL;
	unsigned char point[CSIGN_POINT_LEN], sig[CSIGN_SIGNATURE_MAX];
	size_t len = 0;

	(void)state;
	assert_ok(csign_p256_new(crypto, &key));
	assert_ok(csign_p256_new(crypto, &other));
	csign_p256_point(key, point);
	for (int i = 0; i < 200; i++) {
		assert_ok(csign_p256_sign(key, &i, sizeof(i), sig, &len));
		assert_true(len >= CSIGN_SIGNATURE_MIN && len <= sizeof(sig));
		assert_ok(
		    csign_es256_verify(crypto, point, &i, sizeof(i), sig, len));
	}
	csign_p256_point(other, point);
	assert_err("another new key",
	    csign_es256_verify(crypto, point, "", 0, sig, len),
	    CSIGN_E_PROOF_SIGNATURE);
	csign_p256_free(&key);
	csign_p256_free(&other);
}

static void
test_ecdh(void **state)
{
	struct csign_p256 *a = NULL, *b = NULL;
	unsigned char pa[CSIGN_POINT_LEN], pb[CSIGN_POINT_LEN], za[32], zb[32];
	bool zero_seen = false;

	(void)state;
	assert_ok(csign_p256_new(crypto, &a));
	csign_p256_point(a, pa);
	/* until the X coordinate begins with a zero byte, which is kept */
	for (int i = 0; i < 8192 && !zero_seen; i++) {
		assert_ok(csign_p256_new(crypto, &b));
		csign_p256_point(b, pb);
		assert_ok(csign_p256_ecdh(a, pb, za));
		zero_seen = za[0] == 0;
		if (zero_seen || i < 4) {
			assert_ok(csign_p256_ecdh(b, pa, zb));
			assert_memory_equal(za, zb, sizeof(za));
		}
		csign_p256_free(&b);
	}
	assert_true(zero_seen);
	pb[64] ^= 1;
	memset(za, 0xee, sizeof(za));
	assert_err(
	    "off the curve", csign_p256_ecdh(a, pb, za), CSIGN_E_PROOF_KEY);
	assert_int_equal(za[0], 0xee);
	csign_p256_free(&a);
}

static void
test_pem(void **state)
{
	struct csign_p256 *key = NULL, *again = NULL;
	unsigned char a[CSIGN_POINT_LEN], b[CSIGN_POINT_LEN];
	char *pem = NULL;
	size_t len = 0;

	(void)state;
	assert_ok(csign_p256_new(crypto, &key));
	csign_p256_point(key, a);
	assert_ok(csign_p256_to_pem(key, "correct horse", &pem, &len));
	assert_int_equal(strlen(pem), len);
	assert_non_null(strstr(pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
	assert_ok(
	    csign_p256_from_pem(crypto, pem, len, "correct horse", &again));
	csign_p256_point(again, b);
	assert_memory_equal(a, b, sizeof(a));
	csign_p256_free(&again);
	assert_err("wrong passphrase",
	    csign_p256_from_pem(crypto, pem, len, "correct Horse", &again),
	    CSIGN_E_INVALID);
	assert_err("cut",
	    csign_p256_from_pem(crypto, pem, len / 2, "correct horse", &again),
	    CSIGN_E_FORMAT);
	assert_null(again);
	free(pem);
	csign_p256_free(&key);
}

static void
test_pem_refused(void **state)
{
	/* openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 */
	static const char clear[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAyQEE7BR3Mdq9Ij7\n"
	    "K4vGsSexzkXpUNLPg8UDh6KYnp6hRANCAAS7LA/8/QwcCNZBzr9a0QqZfAuoUA9z\n"
	    "CiA0jq2LRUXQstffmX1zTGLmESZshliz2FysZoaA64Oq096bX8mHTnD6\n"
	    "-----END PRIVATE KEY-----\n";
	/* a P-384 key, passphrase "x" */
	static const char other[] =
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	    "MIIBHDBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI1/x1AF3MDkICAggA\n"
	    "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBBrhN8/SzlQCW8Dx0qHeISfBIHA\n"
	    "dpZiG6aGvg5/jznExF1h2sZnZYY5jU+1j3LM8n2iiVzBSC5FOY74sUZMPn/FMUEX\n"
	    "Zqd61B5Kmc+dliJuEbZpmSz6owY6PgGsAYGLb//8iNOsEuFf0Hcmc7uwxp3BVHvF\n"
	    "vrTjOgcCvUU+Bh5q2rhCkF6H8O6jCDiSlpjCZZJ1fdtd2igyXYdxhmaUZTshoBvU\n"
	    "ZLUIL1AdOHUmBIJLsfVP6NgqOoWucKIU78LwUqiWHyWEPfPvHNFAHQNuBRn0Vyyy\n"
	    "-----END ENCRYPTED PRIVATE KEY-----\n";
	struct csign_p256 *key = NULL;

	(void)state;
	assert_err("in clear",
	    csign_p256_from_pem(crypto, clear, strlen(clear), "x", &key),
	    CSIGN_E_FORMAT);
	assert_err("another curve",
	    csign_p256_from_pem(crypto, other, strlen(other), "x", &key),
	    CSIGN_E_FORMAT);
	assert_null(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_configuration),
	    cmocka_unit_test_setup_teardown(test_error_queue, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_warm_up, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_sha256, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hkdf, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_gcm, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_point, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_verify_result, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_der_shape, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_scalar, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_sign, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ecdh, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pem, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pem_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
