/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <openssl/ecdsa.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec.h"
#include "scratch.h"
#include "service/vapid.h"
#include "vectors.h"

#define NOW UINT64_C(1800000000)
#define ORIGIN "https://push.example.net"

static int
setup_all(void **state)
{
	return setup(state) == 0 ? scratch_setup(state) : -1;
}

static int
teardown_all(void **state)
{
	int r = scratch_teardown(state);

	return teardown(state) == 0 ? r : -1;
}

static struct vapid *
fresh(const char *contact)
{
	struct csign_p256 *key = NULL;
	struct vapid *vapid = NULL;

	assert_ok(csign_p256_new(crypto, &key));
	assert_ok(vapid_from_key(&key, contact, &vapid));
	assert_null(key);
	return vapid;
}

/* --- tokens --------------------------------------------------------------- */

/* Cuts "Authorization: vapid t=A.B.C, k=K" to pieces, in place. */
static void
cut(char *line, char *pieces[4])
{
	static const char begin[] = "Authorization: vapid t=";
	char *at = line + sizeof(begin) - 1;

	assert_int_equal(strncmp(line, begin, sizeof(begin) - 1), 0);
	pieces[0] = at;
	assert_non_null(at = strchr(at, '.'));
	*at++ = '\0';
	pieces[1] = at;
	assert_non_null(at = strchr(at, '.'));
	*at++ = '\0';
	pieces[2] = at;
	assert_non_null(at = strstr(at, ", k="));
	*at = '\0';
	pieces[3] = at + 4;
}

static size_t
decode(const char *text, void *out, size_t max)
{
	size_t len = 0;

	assert_ok(csign_b64u_decode(text, strlen(text), out, max, &len));
	return len;
}

/* By libcrypto's own verification, from r || s back to DER. */
static void
assert_signed(const char *head, const char *claims, const unsigned char *rs,
    const char *key)
{
	unsigned char point[65], der[80], *at = der;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	char message[2048];
	int len;

	assert_int_equal(decode(key, point, sizeof(point)), 65);
	assert_non_null(sig);
	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(rs, 32, NULL),
			     BN_bin2bn(rs + 32, 32, NULL)),
	    1);
	assert_true((len = i2d_ECDSA_SIG(sig, &at)) > 0);
	ECDSA_SIG_free(sig);
	(void)snprintf(message, sizeof(message), "%s.%s", head, claims);
	assert_ok(csign_es256_verify(
	    crypto, point, message, strlen(message), der, (size_t)len));
}

static void
test_token(void **state)
{
	struct vapid *vapid = fresh("mailto:push@example.com");
	const char *header = NULL;
	char line[VAPID_HEADER_SIZE], text[512], *pieces[4];
	unsigned char rs[64];
	size_t len;

	(void)state;
	assert_ok(vapid_header(vapid, ORIGIN, NOW, &header));
	(void)snprintf(line, sizeof(line), "%s", header);
	cut(line, pieces);
	len = decode(pieces[0], text, sizeof(text));
	assert_bytes(
	    "head", text, len, "{\"typ\":\"JWT\",\"alg\":\"ES256\"}", 27U);
	len = decode(pieces[1], text, sizeof(text) - 1);
	text[len] = '\0';
	assert_string_equal(text,
	    "{\"aud\":\"https://push.example.net\",\"exp\":1800043200,"
	    "\"sub\":\"mailto:push@example.com\"}");
	assert_int_equal(decode(pieces[2], rs, sizeof(rs)), 64);
	assert_string_equal(pieces[3], vapid_key(vapid));
	assert_int_equal(strlen(pieces[3]), 87);
	assert_signed(pieces[0], pieces[1], rs, pieces[3]);
	vapid_free(&vapid);
	assert_null(vapid);
}

static void
test_no_contact_no_sub(void **state)
{
	struct vapid *vapid = fresh(NULL);
	const char *header = NULL;
	char line[VAPID_HEADER_SIZE], text[512], *pieces[4];
	size_t len;

	(void)state;
	assert_ok(vapid_header(vapid, ORIGIN, NOW, &header));
	(void)snprintf(line, sizeof(line), "%s", header);
	cut(line, pieces);
	len = decode(pieces[1], text, sizeof(text) - 1);
	text[len] = '\0';
	assert_null(strstr(text, "sub"));
	vapid_free(&vapid);
}

static void
test_token_is_kept_for_its_origin(void **state)
{
	struct vapid *vapid = fresh(NULL);
	const char *header = NULL;
	char first[VAPID_HEADER_SIZE], origin[64];

	(void)state;
	assert_ok(vapid_header(vapid, ORIGIN, NOW, &header));
	(void)snprintf(first, sizeof(first), "%s", header);
	assert_ok(vapid_header(vapid, ORIGIN, NOW + 6 * 3600 - 1, &header));
	assert_string_equal(header, first);
	assert_ok(vapid_header(vapid, "https://other.example", NOW, &header));
	assert_string_not_equal(header, first);
	assert_ok(vapid_header(vapid, ORIGIN, NOW, &header));
	assert_string_equal(header, first);
	/* never older than half its life, nor from a clock set back */
	assert_ok(vapid_header(vapid, ORIGIN, NOW + 6 * 3600, &header));
	assert_string_not_equal(header, first);
	assert_ok(vapid_header(vapid, ORIGIN, NOW - 1, &header));
	assert_string_not_equal(header, first);
	/* more origins than are kept */
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(origin, sizeof(origin), "https://%u.example", i);
		assert_ok(vapid_header(vapid, origin, NOW + i, &header));
		assert_non_null(strstr(header, ", k="));
	}
	vapid_free(&vapid);
}

static void
test_signature_is_always_as_long(void **state)
{
	struct vapid *vapid = fresh(NULL);
	const char *header = NULL;
	char line[VAPID_HEADER_SIZE], *pieces[4];
	unsigned char rs[64];
	unsigned short_r = 0, short_s = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		assert_ok(vapid_header(
		    vapid, ORIGIN, NOW + (uint64_t)i * VAPID_LIFE_S, &header));
		(void)snprintf(line, sizeof(line), "%s", header);
		cut(line, pieces);
		assert_int_equal(strlen(pieces[2]), 86);
		assert_int_equal(decode(pieces[2], rs, sizeof(rs)), 64);
		short_r += rs[0] == 0;
		short_s += rs[32] == 0;
		if (rs[0] == 0 || rs[32] == 0 || i == 0)
			assert_signed(pieces[0], pieces[1], rs, pieces[3]);
	}
	assert_true(short_r + short_s > 0);
	vapid_free(&vapid);
}

static void
test_too_long(void **state)
{
	struct vapid *vapid = fresh(NULL);
	struct csign_p256 *key = NULL;
	char text[1024];
	const char *header = NULL;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_err("origin", vapid_header(vapid, text, NOW, &header),
	    CSIGN_E_TOO_LONG);
	vapid_free(&vapid);
	assert_ok(csign_p256_new(crypto, &key));
	assert_err(
	    "contact", vapid_from_key(&key, text, &vapid), CSIGN_E_TOO_LONG);
	assert_non_null(key);
	csign_p256_free(&key);
}

/* --- the key file --------------------------------------------------------- */

static void
test_key_file_is_made_once(void **state)
{
	struct vapid *vapid = NULL;
	struct csign_why why = {""};
	char key[VAPID_KEY_SIZE];
	struct stat st;

	(void)state;
	assert_ok(vapid_new(crypto, scratch("push.pem"), NULL, &why, &vapid));
	(void)snprintf(key, sizeof(key), "%s", vapid_key(vapid));
	vapid_free(&vapid);
	assert_int_equal(stat(scratch("push.pem"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(scratch_count(""), 1);
	assert_ok(vapid_new(crypto, scratch("push.pem"), NULL, &why, &vapid));
	assert_string_equal(vapid_key(vapid), key);
	vapid_free(&vapid);
}

static const char other_curve[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";

static void
test_key_file_refused(void **state)
{
	struct vapid *vapid = NULL;
	struct csign_why why = {""};
	size_t len = 0;
	char *pem;

	(void)state;
	assert_ok(vapid_new(crypto, scratch("good"), NULL, &why, &vapid));
	vapid_free(&vapid);
	pem = scratch_get("good", &len);
	scratch_put("group", 0640, pem, len);
	scratch_put("others", 0604, pem, len);
	scratch_put("cut", 0600, pem, len / 2);
	scratch_put("before", 0600, " ", 1);
	pem = realloc(pem, 2 * len + 1);
	assert_non_null(pem);
	memcpy(pem + len, pem, len);
	scratch_put("two", 0600, pem, 2 * len);
	scratch_put("shifted", 0600, pem + 1, len - 1);
	free(pem);
	scratch_put_text("empty", 0600, "");
	scratch_put_text("text", 0600, "a key\n");
	scratch_put_text("curve", 0600, other_curve);
	assert_int_equal(symlink(scratch("good"), scratch("link")), 0);
	for (const char *const *name =
		 (const char *const[]){"group", "others", "cut", "before",
		     "two", "shifted", "empty", "text", "curve", "link", NULL};
	     *name != NULL; name++) {
		why.text[0] = '\0';
		assert_err(*name,
		    vapid_new(crypto, scratch(*name), NULL, &why, &vapid),
		    CSIGN_E_FILE);
		assert_null(vapid);
		assert_non_null(strstr(why.text, *name));
	}
}

static void
test_no_folder(void **state)
{
	struct vapid *vapid = NULL;
	struct csign_why why = {""};

	(void)state;
	assert_int_not_equal(
	    vapid_new(crypto, scratch("no/push.pem"), NULL, &why, &vapid),
	    CSIGN_OK);
	assert_null(vapid);
	assert_non_null(strstr(why.text, "/no"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_no_contact_no_sub),
	    cmocka_unit_test(test_token_is_kept_for_its_origin),
	    cmocka_unit_test(test_signature_is_always_as_long),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test_setup(test_key_file_is_made_once, scratch_empty),
	    cmocka_unit_test_setup(test_key_file_refused, scratch_empty),
	    cmocka_unit_test_setup(test_no_folder, scratch_empty),
	};

	return cmocka_run_group_tests_name(
	    "vapid", tests, setup_all, teardown_all);
}
