/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accepting a proof: each rule has a proof that breaks this rule alone, signed
 * anew, so that nothing else can refuse it.
 */
#include "proving.h"

#include "transaction.h"
#include "vectors.h"

/* --- EVP_DigestVerify, seen and led astray ---------------------------------
 */

#define REAL 77
static int verify_says = REAL;
static unsigned int verify_calls;

int __real_EVP_DigestVerify(void *ctx, const unsigned char *sig, size_t sig_len,
    const unsigned char *tbs, size_t tbs_len);
int __wrap_EVP_DigestVerify(void *ctx, const unsigned char *sig, size_t sig_len,
    const unsigned char *tbs, size_t tbs_len);

int
__wrap_EVP_DigestVerify(void *ctx, const unsigned char *sig, size_t sig_len,
    const unsigned char *tbs, size_t tbs_len)
{
	int real = __real_EVP_DigestVerify(ctx, sig, sig_len, tbs, tbs_len);

	verify_calls++;
	return verify_says == REAL ? real : verify_says;
}

/* --- challenge -------------------------------------------------------------
 */

static void
test_challenge_vectors(void **state)
{
	static const struct {
		const char *name, *choice, *code;
	} rows[] = {
	    {"challenge approve", "approve", ""},
	    {"challenge approve 482913", "approve", "482913"},
	    {"challenge deny", "deny", ""},
	    {"challenge not-me", "not-me", ""},
	    {"challenge enroll", "enroll", ""},
	    {"challenge remove", "remove", ""},
	};
	struct json_object *v = vec(vectors(), "basic");
	const char *transaction = vec_str(v, "transaction");
	unsigned char want[32], got[32];

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		vec_hex(v, rows[i].name, want, sizeof(want));
		assert_ok(csign_challenge(crypto, rows[i].choice, transaction,
		    strlen(transaction), rows[i].code, got));
		assert_memory_equal(got, want, sizeof(got));
	}
}

static void
test_challenge_refused(void **state)
{
	static const struct {
		const char *choice, *code;
		enum csign_err want;
	} rows[] = {
	    {"approve", "", CSIGN_OK},
	    {"approve", "000000", CSIGN_OK},
	    {"deny", "482913", CSIGN_E_INVALID},
	    {"not-me", "482913", CSIGN_E_INVALID},
	    {"enroll", "482913", CSIGN_E_INVALID},
	    {"remove", "482913", CSIGN_E_INVALID},
	    {"approve", "48291", CSIGN_E_INVALID},
	    {"approve", "4829130", CSIGN_E_INVALID},
	    {"approve", "48291x", CSIGN_E_INVALID},
	    {"approve", "482913x", CSIGN_E_INVALID},
	    {"approve", "-48291", CSIGN_E_INVALID},
	    {"approve", " 82913", CSIGN_E_INVALID},
	    {"", "", CSIGN_E_INVALID},
	    {"Approve", "", CSIGN_E_INVALID},
	};
	static unsigned char bytes[CSIGN_TRANSACTION_MAX + 1];
	unsigned char out[32];

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		memset(out, 0xee, sizeof(out));
		assert_err(rows[i].choice,
		    csign_challenge(
			crypto, rows[i].choice, "{}", 2, rows[i].code, out),
		    rows[i].want);
		if (rows[i].want != CSIGN_OK)
			assert_int_equal(out[0], 0xee);
	}
	assert_ok(csign_challenge(
	    crypto, "approve", bytes, CSIGN_TRANSACTION_MAX, "", out));
	assert_err("2,049 bytes",
	    csign_challenge(crypto, "approve", bytes, sizeof(bytes), "", out),
	    CSIGN_E_INVALID);
}

/* No two questions, choices or codes have one challenge. */
static void
test_challenge_differs(void **state)
{
	static const struct {
		const char *choice, *transaction, *code;
	} rows[] = {
	    {"approve", "{}", ""},
	    {"approve", "{}", "000000"},
	    {"approve", "{}", "000001"},
	    {"approve", "{} ", ""},
	    {"approve2", "{}", ""},
	    {"deny", "{}", ""},
	    {"not-me", "{}", ""},
	    {"enroll", "{}", ""},
	    {"a", "b000000", ""},
	    {"a", "b", "000000"},
	    {"ab", "000000", ""},
	    {"approve", "{\"lifetime\":90}", ""},
	    {"approve", "{\"lifetime\":91}", ""},
	};
	unsigned char out[N_ROWS(rows)][32];

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		assert_ok(
		    csign_challenge(crypto, rows[i].choice, rows[i].transaction,
			strlen(rows[i].transaction), rows[i].code, out[i]));
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(out[i], out[k], 32);
	}
}

/* --- vectors ---------------------------------------------------------------
 */

static void
device_of(struct json_object *v, struct csign_device *d)
{
	memset(d, 0, sizeof(*d));
	d->kind = strcmp(vec_str(v, "kind"), "p256") == 0 ? CSIGN_KIND_P256
							  : CSIGN_KIND_WEBAUTHN;
	memcpy(d->id, vec_str(v, "deviceId"), sizeof(d->id));
	vec_hex(v, "point", d->point, sizeof(d->point));
	memcpy(d->rp, vec_str(v, "rp"), strlen(vec_str(v, "rp")) + 1);
	memcpy(
	    d->origin, vec_str(v, "origin"), strlen(vec_str(v, "origin")) + 1);
}

static void
check_vector(struct json_object *v)
{
	const struct csign_proof_policy policy = {
	    .kinds = CSIGN_KIND_BIT_WEBAUTHN | CSIGN_KIND_BIT_P256,
	    .wall_ms = (uint64_t)json_object_get_int64(vec(v, "now")),
	};
	bool enrolment = strcmp(vec_str(v, "choice"), "enroll") == 0;
	struct json_object *phone =
	    vec(vec(vectors(), "phones"), vec_str(v, "phone"));
	const char *transaction =
	    vec_str(vec_named(vec(vectors(), "transactions"),
			vec_str(v, "transaction")),
		"bytes");
	static unsigned char plain[8192];
	size_t len = vec_hex(v, "plain", plain, sizeof(plain));
	unsigned char challenge[32], want[32];
	static struct csign_device device, made;
	struct csign_proof_facts facts;
	struct csign_answer answer;

	assert_ok(csign_challenge(crypto, vec_str(v, "choice"), transaction,
	    strlen(transaction), vec_str(v, "code"), challenge));
	vec_hex(v, "challenge", want, sizeof(want));
	assert_memory_equal(challenge, want, sizeof(want));
	assert_ok(csign_answer_read(plain, len, enrolment, &answer));
	device_of(phone, &device);
	if (!enrolment) {
		assert_err(vec_str(v, "name"),
		    csign_proof_check(
			crypto, &device, &answer, challenge, &policy, &facts),
		    CSIGN_OK);
		return;
	}
	assert_err(vec_str(v, "name"),
	    csign_registration_check(crypto, &answer, challenge,
		vec_str(phone, "rp"), vec_str(phone, "origin"), &policy, &made,
		&facts),
	    CSIGN_OK);
	assert_string_equal(made.id, device.id);
	assert_memory_equal(made.point, device.point, sizeof(made.point));
	assert_string_equal(made.name, vec_str(v, "deviceName"));
}

static void
test_vectors(void **state)
{
	struct json_object *list = vec(vectors(), "answers");
	unsigned int n = 0;

	(void)state;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (strcmp(vec_str(v, "kind"), "unsigned") == 0)
			continue;
		check_vector(v);
		n++;
	}
	assert_int_equal(n, 12);
}

/* The bytes as another implementation writes and signs them. */
static void
check_removal(struct json_object *v)
{
	struct csign_proof_policy policy = {
	    .kinds = CSIGN_KIND_BIT_WEBAUTHN | CSIGN_KIND_BIT_P256,
	    .any_time = true,
	};
	const char *bytes = vec_str(v, "bytes");
	static unsigned char note[1024];
	const size_t len = vec_hex(v, "note", note, sizeof(note));
	unsigned char challenge[32], want[32];
	struct csign_proof_facts facts;
	static struct csign_device device;
	struct csign_answer answer;
	struct csign_buf *out = NULL;

	device_of(vec(vec(vectors(), "phones"), vec_str(v, "phone")), &device);
	assert_ok(csign_buf_new(CSIGN_TRANSACTION_MAX, &out));
	assert_ok(csign_removal_write(vec_str(v, "host"), vec_str(v, "user"),
	    (uint32_t)json_object_get_int64(vec(v, "uid")), device.id, out));
	assert_string_equal(csign_buf_str(out), bytes);
	csign_buf_free(&out);
	assert_ok(csign_challenge(
	    crypto, "remove", bytes, strlen(bytes), "", challenge));
	vec_hex(v, "challenge", want, sizeof(want));
	assert_memory_equal(challenge, want, sizeof(want));
	assert_ok(csign_answer_read(note, len, false, &answer));
	assert_string_equal(answer.choice, "remove");
	assert_err(vec_str(v, "name"),
	    csign_proof_check(
		crypto, &device, &answer, challenge, &policy, &facts),
	    CSIGN_OK);
	/* Only a note may be old. */
	policy.any_time = false;
	assert_err(vec_str(v, "name"),
	    csign_proof_check(
		crypto, &device, &answer, challenge, &policy, &facts),
	    device.kind == CSIGN_KIND_P256 ? CSIGN_E_PROOF_TIME : CSIGN_OK);
}

static void
test_removals(void **state)
{
	struct json_object *list = vec(vectors(), "removals");

	(void)state;
	assert_int_equal(json_object_array_length(list), 8);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		check_removal(json_object_array_get_idx(list, i));
}

/* WebAuthn Level 3, section "Test Vectors", none-es256. */
static void
test_webauthn_level_3(void **state)
{
	static const char b[] =
	    "{\"type\":\"webauthn.get\",\"challenge\":"
	    "\"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag\","
	    "\"origin\":\"https://example.org\",\"crossOrigin\":false}";
	struct json_object *v = json_tokener_parse(
	    "{\"point\":\"04"
	    "afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61"
	    "930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220"
	    "\",\"challenge\":\""
	    "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408"
	    "\",\"a\":\""
	    "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5"
	    "1900000000\",\"signature\":\""
	    "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a877802"
	    "18deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f9372"
	    "95ea13653e331e87\"}");
	static struct fixture f;

	(void)state;
	assert_non_null(v);
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	vec_hex(v, "point", f.device.point, sizeof(f.device.point));
	memcpy(f.device.rp, "example.org", sizeof("example.org"));
	memcpy(f.device.origin, "https://example.org",
	    sizeof("https://example.org"));
	f.device.backup_eligible = true;
	vec_hex(v, "challenge", f.challenge, sizeof(f.challenge));
	f.a_len = vec_hex(v, "a", f.a, sizeof(f.a));
	f.b_len = strlen(b);
	memcpy(f.b, b, f.b_len);
	f.signature_len = vec_hex(v, "signature", f.signature, 72);
	assert_int_equal(f.a_len, 37);
	assert_int_equal(f.b_len, 132);
	assert_err("user not verified", check(&f), CSIGN_E_PROOF_FLAGS);
	assert_untouched(&f);
	f.policy.allow_no_uv = true;
	assert_ok(check(&f));
	assert_int_equal(f.facts.flags, 0x19);
	f.signature[40] ^= 1;
	assert_err("changed", check(&f), CSIGN_E_PROOF_SIGNATURE);
	json_object_put(v);
	fixture_free(&f);
}

/* --- whose device, which kind ----------------------------------------------
 */

static void
test_device(void **state)
{
	static const enum csign_kind kinds[] = {
	    CSIGN_KIND_WEBAUTHN, CSIGN_KIND_P256};
	static struct fixture f;

	(void)state;
	for (size_t i = 0; i < N_ROWS(kinds); i++) {
		fixture(&f, kinds[i]);
		assert_ok(check(&f));
		memset(&f.facts, 0xee, sizeof(f.facts));
		f.answer.device[0] ^= 1;
		assert_err("another id", check(&f), CSIGN_E_PROOF_DEVICE);
		f.answer.device[0] ^= 1;
		f.answer.kind = kinds[1 - i];
		assert_err("the other kind", check(&f), CSIGN_E_PROOF_DEVICE);
		f.answer.kind = CSIGN_KIND_UNSIGNED;
		assert_err("unsigned", check(&f), CSIGN_E_PROOF_DEVICE);
		f.device.kind = CSIGN_KIND_UNSIGNED;
		assert_err(
		    "a device that is none", check(&f), CSIGN_E_PROOF_KIND);
		f.device.kind = f.answer.kind = kinds[i];
		f.policy.kinds = CSIGN_KIND_BIT_WEBAUTHN | CSIGN_KIND_BIT_P256;
		f.policy.kinds &=
		    ~(kinds[i] == CSIGN_KIND_P256 ? CSIGN_KIND_BIT_P256
						  : CSIGN_KIND_BIT_WEBAUTHN);
		assert_err("kind not accepted", check(&f), CSIGN_E_PROOF_KIND);
		f.policy.kinds = 0;
		assert_err("no kind accepted", check(&f), CSIGN_E_PROOF_KIND);
		f.policy.kinds = CSIGN_KIND_BIT_WEBAUTHN | CSIGN_KIND_BIT_P256;
		f.answer.enrolment = true;
		assert_err("an enrolment", check(&f), CSIGN_E_PROOF_FORMAT);
		f.answer.enrolment = false;
		assert_untouched(&f);
		assert_ok(check(&f));
		fixture_free(&f);
	}
}

/* A signature for one question is none for another. */
static void
test_other_question(void **state)
{
	static const struct {
		const char *choice, *transaction, *code;
	} rows[] = {
	    {"deny", "{}", ""},
	    {"not-me", "{}", ""},
	    {"approve", "{}", "482913"},
	    {"approve", "{\"lifetime\":91}", ""},
	    {"later", "{}", ""},
	};
	static const enum csign_kind kinds[] = {
	    CSIGN_KIND_WEBAUTHN, CSIGN_KIND_P256};
	static struct fixture f;

	(void)state;
	for (size_t k = 0; k < N_ROWS(kinds); k++) {
		fixture(&f, kinds[k]);
		for (size_t i = 0; i < N_ROWS(rows); i++) {
			assert_ok(csign_challenge(crypto, rows[i].choice,
			    rows[i].transaction, strlen(rows[i].transaction),
			    rows[i].code, f.challenge));
			assert_err(
			    rows[i].choice, check(&f), CSIGN_E_PROOF_CHALLENGE);
		}
		assert_untouched(&f);
		fixture_free(&f);
	}
}

/* --- authenticator data ----------------------------------------------------
 */

static void
test_lengths(void **state)
{
	static const size_t lengths[] = {0, 1, 32, 36, 38, 57, 164, 512, 513};
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	for (size_t i = 0; i < N_ROWS(lengths); i++) {
		f.a_len = lengths[i];
		sign_webauthn(&f);
		assert_err("length", check(&f), CSIGN_E_PROOF_LENGTH);
	}
	assert_untouched(&f);
	f.a_len = 37;
	sign_webauthn(&f);
	assert_ok(check(&f));
	fixture_free(&f);
}

static void
test_rpid(void **state)
{
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	for (size_t i = 0; i < 32; i++) {
		f.a[i] ^= 0x80;
		sign_webauthn(&f);
		assert_err("rpIdHash", check(&f), CSIGN_E_PROOF_RPID);
		f.a[i] ^= 0x80;
	}
	assert_untouched(&f);
	fixture_free(&f);
}

/* All 256, for a bound key and for a synced one, with and without UV. */
static void
test_flags(void **state)
{
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	for (unsigned int flags = 0; flags < 256; flags++) {
		f.a[32] = (unsigned char)flags;
		sign_webauthn(&f);
		for (int synced = 0; synced < 2; synced++) {
			enum csign_err want = CSIGN_E_PROOF_FLAGS;

			f.device.backup_eligible = synced == 1;
			if (flags == 0x05)
				want = synced ? CSIGN_E_PROOF_BACKUP : CSIGN_OK;
			else if (flags == 0x0d || flags == 0x1d)
				want = synced ? CSIGN_OK : CSIGN_E_PROOF_BACKUP;
			assert_err("flags", check(&f), want);
			if (want == CSIGN_OK)
				assert_int_equal(f.facts.flags, flags);
		}
	}
	f.policy.allow_no_uv = true;
	f.device.backup_eligible = false;
	for (unsigned int flags = 0; flags < 256; flags++) {
		f.a[32] = (unsigned char)flags;
		sign_webauthn(&f);
		assert_true((check(&f) == CSIGN_OK) ==
			    (flags == 0x01 || flags == 0x05));
	}
	fixture_free(&f);
}

static void
test_synced(void **state)
{
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	f.policy.require_bound = true;
	assert_ok(check(&f));
	memset(&f.facts, 0xee, sizeof(f.facts));
	f.device.backup_eligible = true;
	f.a[32] = 0x0d;
	sign_webauthn(&f);
	assert_err("synced", check(&f), CSIGN_E_PROOF_SYNCED);
	assert_untouched(&f);
	f.policy.require_bound = false;
	assert_ok(check(&f));
	fixture_free(&f);
}

static void
test_counter(void **state)
{
	static const struct {
		uint32_t stored, sent;
		bool good; /* for a key that cannot be copied */
	} rows[] = {
	    {0, 0, true},
	    {0, 1, true},
	    {1, 2, true},
	    {1, 1, false},
	    {2, 1, false},
	    {1, 0, false},
	    {5, 4000000000U, true},
	    {4294967295U, 0, false},
	    {4294967295U, 1, false},
	    {4294967294U, 4294967295U, true},
	    {4294967295U, 4294967295U, false},
	    {0, 4294967295U, true},
	};
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		f.policy.counter = rows[i].stored;
		put_u32(f.a + 33, rows[i].sent);
		f.a[32] = 0x05;
		f.device.backup_eligible = false;
		sign_webauthn(&f);
		memset(&f.facts, 0xee, sizeof(f.facts));
		assert_err("counter", check(&f),
		    rows[i].good ? CSIGN_OK : CSIGN_E_PROOF_COUNTER);
		if (rows[i].good)
			assert_int_equal(f.facts.counter, rows[i].sent);
		else
			assert_untouched(&f);
		f.a[32] = 0x1d;
		f.device.backup_eligible = true;
		sign_webauthn(&f);
		assert_ok(check(&f));
	}
	fixture_free(&f);
}

/* --- signatures ------------------------------------------------------------
 */

static void
test_signature(void **state)
{
	static const enum csign_kind kinds[] = {
	    CSIGN_KIND_WEBAUTHN, CSIGN_KIND_P256};
	static const int wrong[] = {-1, 0, 2};
	static struct fixture f, other;

	(void)state;
	for (size_t k = 0; k < N_ROWS(kinds); k++) {
		fixture(&f, kinds[k]);
		fixture(&other, kinds[k]);
		for (size_t i = 0; i < f.signature_len; i++) {
			f.signature[i] ^= 0x01;
			assert_err("byte", check(&f), CSIGN_E_PROOF_SIGNATURE);
			f.signature[i] ^= 0x01;
		}
		for (size_t i = 0; i < N_ROWS(wrong); i++) {
			verify_says = wrong[i];
			assert_err("EVP_DigestVerify", check(&f),
			    CSIGN_E_PROOF_SIGNATURE);
		}
		verify_says = REAL;
		f.signature[f.signature_len++] = 0;
		assert_err("byte behind", check(&f), CSIGN_E_PROOF_SIGNATURE);
		f.signature_len = 0;
		assert_err("none", check(&f), CSIGN_E_PROOF_SIGNATURE);
		memcpy(f.signature, other.signature, other.signature_len);
		f.signature_len = other.signature_len;
		assert_err(
		    "another device's", check(&f), CSIGN_E_PROOF_SIGNATURE);
		f.device.point[64] ^= 1;
		assert_err("no key", check(&f), CSIGN_E_PROOF_KEY);
		assert_untouched(&f);
		fixture_free(&f);
		fixture_free(&other);
	}
}

/* What is signed is these bytes and no others. */
static void
test_signed_bytes(void **state)
{
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	put_u32(f.a + 33, 8);
	assert_err("other counter", check(&f), CSIGN_E_PROOF_SIGNATURE);
	put_u32(f.a + 33, 7);
	f.a[32] = 0x0d;
	f.device.backup_eligible = true;
	assert_err("other flags", check(&f), CSIGN_E_PROOF_SIGNATURE);
	f.a[32] = 0x05;
	f.device.backup_eligible = false;
	f.b[f.b_len - 1] = ',';
	memcpy(f.b + f.b_len, "\"x\":1}", 6);
	f.b_len += 6;
	assert_err("a member more", check(&f), CSIGN_E_PROOF_SIGNATURE);
	f.b_len -= 6;
	f.b[f.b_len - 1] = '}';
	assert_ok(check(&f));
	fixture_free(&f);
	fixture(&f, CSIGN_KIND_P256);
	f.b[12] = (char)(f.b[12] == '9' ? '8' : f.b[12] + 1);
	assert_err("another time", check(&f), CSIGN_E_PROOF_SIGNATURE);
	fixture_free(&f);
}

/* A failed step is final: no later one runs, so libcrypto is not asked. */
static void
test_order(void **state)
{
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_WEBAUTHN);
	verify_says = 1;
	verify_calls = 0;
	f.a[32] = 0x01;
	assert_err("flags", check(&f), CSIGN_E_PROOF_FLAGS);
	f.a[0] ^= 1;
	assert_err("rpid", check(&f), CSIGN_E_PROOF_RPID);
	f.a_len = 36;
	assert_err("length", check(&f), CSIGN_E_PROOF_LENGTH);
	f.b[0] = 'x';
	assert_err("client data", check(&f), CSIGN_E_PROOF_CLIENT_DATA);
	f.policy.kinds = 0;
	assert_err("kind", check(&f), CSIGN_E_PROOF_KIND);
	f.answer.device[0] ^= 1;
	assert_err("device", check(&f), CSIGN_E_PROOF_DEVICE);
	assert_int_equal(verify_calls, 0);
	verify_says = REAL;
	fixture_free(&f);
}

/* --- p256 ------------------------------------------------------------------
 */

static void
test_p256_data(void **state)
{
	static const struct {
		const char *name, *b;
		enum csign_err want;
	} rows[] = {
	    {"good", "1763765400000_@C", CSIGN_OK},
	    {"60 s early", "1763765340000_@C", CSIGN_OK},
	    {"60 s late", "1763765460000_@C", CSIGN_OK},
	    {"60.001 s early", "1763765339999_@C", CSIGN_E_PROOF_TIME},
	    {"60.001 s late", "1763765460001_@C", CSIGN_E_PROOF_TIME},
	    {"0", "0_@C", CSIGN_E_PROOF_TIME},
	    {"far", "999999999999999_@C", CSIGN_E_PROOF_TIME},
	    {"16 digits", "1000000000000000_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"seconds", "1763765400_@C", CSIGN_E_PROOF_TIME},
	    {"leading zero", "01763765400000_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"two zeros", "00_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"sign", "+1763765400000_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"negative", "-1_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"space", " 1763765400000_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"hexadecimal", "0x19a_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"letter", "176376539999a_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"fraction", "1763765400000.0_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"no time", "_@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"no underscore", "1763765400000@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"other separator", "1763765400000:@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"no challenge", "1763765400000_", CSIGN_E_PROOF_CLIENT_DATA},
	    {"padding", "1763765400000_@C=", CSIGN_E_PROOF_CLIENT_DATA},
	    {"new line", "1763765400000_@C\n", CSIGN_E_PROOF_CLIENT_DATA},
	    {"challenge alone", "@C", CSIGN_E_PROOF_CLIENT_DATA},
	    {"another challenge",
		"1763765400000_OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag",
		CSIGN_E_PROOF_CHALLENGE},
	    {"empty", "", CSIGN_E_PROOF_CLIENT_DATA},
	};
	static struct fixture f;

	(void)state;
	fixture(&f, CSIGN_KIND_P256);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		set_b(&f, rows[i].b);
		sign_p256(&f);
		assert_err(rows[i].name, check(&f), rows[i].want);
	}
	set_b(&f, "1763765400000_@C");
	f.b[f.b_len - 1] ^= 1;
	sign_p256(&f);
	assert_err("last character", check(&f), CSIGN_E_PROOF_CHALLENGE);
	set_b(&f, "1763765400000_@C");
	sign_p256(&f);
	f.a_len = 37;
	assert_err("authenticator data", check(&f), CSIGN_E_PROOF_LENGTH);
	f.a_len = 0;
	/* The counter is for authenticators. */
	f.policy.counter = 9;
	assert_ok(check(&f));
	assert_int_equal(f.facts.flags, 0);
	assert_int_equal(f.facts.counter, 0);
	fixture_free(&f);
}

/* --- a wrong code ----------------------------------------------------------
 */

/* It is for whatever it carries; never a yes, whatever that is. */
static void
test_wrong_code(void **state)
{
	static const enum csign_kind kinds[] = {
	    CSIGN_KIND_WEBAUTHN, CSIGN_KIND_P256};
	static struct fixture f;

	(void)state;
	for (size_t i = 0; i < N_ROWS(kinds); i++) {
		fixture(&f, kinds[i]);
		assert_err("good", check_code(&f), CSIGN_E_PROOF_CODE);
		assert_int_equal(f.facts.counter, i == 0 ? 7 : 0);
		assert_int_equal(f.facts.flags, i == 0 ? 0x05 : 0);
		fixture_free(&f);
	}
}

/* All else has to be good: each of these is an answer to nothing at all. */
static const struct {
	const char *name;
	enum csign_kind kind;
	const char *b; /* signed anew */
	uint8_t flags; /* 0: good ones */
	size_t a_len;  /* 0: a good one */
	bool spoilt, other_kind, other_device, low_counter, enrolment;
} no_codes[] = {
    {"signature", CSIGN_KIND_WEBAUTHN, .spoilt = true},
    {"signature of p256", CSIGN_KIND_P256, .spoilt = true},
    {"flags", CSIGN_KIND_WEBAUTHN, .flags = 0x01},
    {"backup flag", CSIGN_KIND_WEBAUTHN, .flags = 0x0d},
    {"length", CSIGN_KIND_WEBAUTHN, .a_len = 38},
    {"counter", CSIGN_KIND_WEBAUTHN, .low_counter = true},
    {"kind", CSIGN_KIND_WEBAUTHN, .other_kind = true},
    {"device", CSIGN_KIND_WEBAUTHN, .other_device = true},
    {"enrolment", CSIGN_KIND_P256, .enrolment = true},
    {"origin", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":\"@C\","
	     "\"origin\":\"https://approve.example.net\"}"},
    {"type", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.create\",\"challenge\":\"@C\","
	     "\"origin\":\"@O\"}"},
    {"foreign page", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":\"@C\","
	     "\"origin\":\"@O\",\"crossOrigin\":true}"},
    {"not at its place", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"origin\":\"@O\","
	     "\"challenge\":\"@C\"}"},
    {"no challenge", CSIGN_KIND_WEBAUTHN,
	.b =
	    "{\"type\":\"webauthn.get\",\"challenge\":\"\",\"origin\":\"@O\"}"},
    {"longer", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":\"@CA\","
	     "\"origin\":\"@O\"}"},
    {"shorter", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":"
	     "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"origin\":\"@"
	     "O\"}"},
    {"not canonical", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":"
	     "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\",\"origin\":\"@"
	     "O\"}"},
    {"the other alphabet", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":"
	     "\"+/"
	     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"origin\":\"@O\"}"},
    {"an escape", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":"
	     "\"\\u0041AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
	     "\"origin\":\"@O\"}"},
    {"cut in it", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":\"@C"},
    {"too short to hold one", CSIGN_KIND_WEBAUTHN,
	.b = "{\"type\":\"webauthn.get\",\"challenge\":\"AAAA\""},
    {"nothing", CSIGN_KIND_WEBAUTHN, .b = ""},
    {"nothing of p256", CSIGN_KIND_P256, .b = ""},
    {"an hour off", CSIGN_KIND_P256, .b = "1763769000000_@C"},
    {"no time", CSIGN_KIND_P256, .b = "@C"},
    {"more behind it", CSIGN_KIND_P256, .b = "1763765400000_@CA"},
    {"less", CSIGN_KIND_P256, .b = "1763765400000_AAAA"},
    {"p256, not canonical", CSIGN_KIND_P256,
	.b = "1763765400000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"},
};

static void
test_no_wrong_code(void **state)
{
	static struct fixture f;

	(void)state;
	for (size_t i = 0; i < N_ROWS(no_codes); i++) {
		fixture(&f, no_codes[i].kind);
		if (no_codes[i].b != NULL)
			set_b(&f, no_codes[i].b);
		if (no_codes[i].flags != 0)
			f.a[32] = no_codes[i].flags;
		if (no_codes[i].a_len != 0)
			f.a_len = no_codes[i].a_len;
		if (no_codes[i].low_counter)
			f.policy.counter = 7;
		if (no_codes[i].other_kind)
			f.policy.kinds = CSIGN_KIND_BIT_P256;
		if (no_codes[i].other_device)
			f.answer.device[0] ^= 1;
		f.answer.enrolment = no_codes[i].enrolment;
		if (no_codes[i].kind == CSIGN_KIND_WEBAUTHN)
			sign_webauthn(&f);
		else
			sign_p256(&f);
		if (no_codes[i].spoilt)
			f.signature[f.signature_len - 1] ^= 1;
		assert_err(
		    no_codes[i].name, check_code(&f), CSIGN_E_PROOF_CHALLENGE);
		assert_untouched(&f);
		fixture_free(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_challenge_vectors),
	    cmocka_unit_test(test_challenge_refused),
	    cmocka_unit_test(test_challenge_differs),
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_removals),
	    cmocka_unit_test(test_webauthn_level_3),
	    cmocka_unit_test(test_device),
	    cmocka_unit_test(test_other_question),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_rpid),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_synced),
	    cmocka_unit_test(test_counter),
	    cmocka_unit_test(test_signature),
	    cmocka_unit_test(test_signed_bytes),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_p256_data),
	    cmocka_unit_test(test_wrong_code),
	    cmocka_unit_test(test_no_wrong_code),
	};

	return cmocka_run_group_tests_name("proof", tests, setup, teardown);
}
