/* SPDX-License-Identifier: BSD-2-Clause */
/* Accepting an enrolment's proof: each rule has one that breaks it alone. */
#include "proving.h"

#include "codec.h"

struct registration {
	struct fixture f;
	struct csign_p256 *seal_key;
	unsigned char a[1400];
	size_t a_len;
	unsigned char point[65], seal[65], credential[1024];
	size_t credential_len;
	struct csign_device made;
};

#define GOOD_CREATE                                                            \
	"{\"type\":\"webauthn.create\",\"challenge\":\"@C\","                  \
	"\"origin\":\"@O\",\"crossOrigin\":false}"

/* The authenticator data for the point and credential of r. */
static void
attest(struct registration *r)
{
	static const unsigned char x[] = {
	    0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20};
	static const unsigned char y[] = {0x22, 0x58, 0x20};
	unsigned char *p = r->a;

	hash(RP, strlen(RP), p);
	p[32] = 0x45;
	put_u32(p + 33, 3);
	p += 37;
	for (unsigned char i = 0; i < 16; i++)
		*p++ = (unsigned char)(0xa0 + i);
	*p++ = (unsigned char)(r->credential_len >> 8);
	*p++ = (unsigned char)r->credential_len;
	memcpy(p, r->credential, r->credential_len);
	p += r->credential_len;
	memcpy(p, x, sizeof(x));
	p += sizeof(x);
	memcpy(p, r->point + 1, 32);
	p += 32;
	memcpy(p, y, sizeof(y));
	p += sizeof(y);
	memcpy(p, r->point + 33, 32);
	p += 32;
	r->a_len = (size_t)(p - r->a);
}

static void
registration(struct registration *r, enum csign_kind kind)
{
	memset(r, 0, sizeof(*r));
	fixture(&r->f, kind);
	assert_ok(csign_p256_new(crypto, &r->seal_key));
	csign_p256_point(r->seal_key, r->seal);
	memcpy(r->point, r->f.device.point, sizeof(r->point));
	memcpy(r->f.answer.choice, "enroll", sizeof("enroll"));
	memcpy(r->f.answer.name, "phone", sizeof("phone"));
	r->f.answer.enrolment = true;
	assert_ok(
	    csign_challenge(crypto, "enroll", "{}", 2, "", r->f.challenge));
	assert_ok(csign_b64u_encode(
	    r->f.challenge, 32, r->f.text, sizeof(r->f.text)));
	if (kind == CSIGN_KIND_WEBAUTHN) {
		for (size_t i = 0; i < 32; i++)
			r->credential[i] = (unsigned char)(i * 7);
		r->credential_len = 32;
		attest(r);
		set_b(&r->f, GOOD_CREATE);
		r->f.signature_len = 0;
	} else {
		set_b(&r->f, "1763765400000_@C");
		sign_p256(&r->f);
	}
	memset(&r->made, 0xee, sizeof(r->made));
}

static enum csign_err
check_for(struct registration *r, const char *rp, const char *origin)
{
	struct csign_answer *answer = &r->f.answer;
	void *a = exactly(r->a, r->a_len), *b = exactly(r->f.b, r->f.b_len);
	enum csign_err err;

	answer->a = a;
	answer->a_len = r->a_len;
	answer->b = b;
	answer->b_len = r->f.b_len;
	answer->signature = r->f.signature;
	answer->signature_len = r->f.signature_len;
	answer->point = r->point;
	answer->seal = r->seal;
	answer->credential = r->credential;
	answer->credential_len = r->credential_len;
	err = csign_registration_check(crypto, answer, r->f.challenge, rp,
	    origin, &r->f.policy, &r->made, &r->f.facts);
	free(a);
	free(b);
	return err;
}

static enum csign_err
check_registration(struct registration *r)
{
	return check_for(r, RP, ORIGIN);
}

static void
registration_free(struct registration *r)
{
	fixture_free(&r->f);
	csign_p256_free(&r->seal_key);
}

static void
test_registration(void **state)
{
	static struct registration r;

	(void)state;
	registration(&r, CSIGN_KIND_WEBAUTHN);
	assert_ok(check_registration(&r));
	assert_int_equal(r.made.kind, CSIGN_KIND_WEBAUTHN);
	assert_string_equal(r.made.id, r.f.device.id);
	assert_memory_equal(r.made.point, r.point, 65);
	assert_true(r.made.has_seal);
	assert_memory_equal(r.made.seal, r.seal, 65);
	assert_int_equal(r.made.credential_len, 32);
	assert_memory_equal(r.made.credential, r.credential, 32);
	assert_string_equal(r.made.rp, RP);
	assert_string_equal(r.made.origin, ORIGIN);
	assert_string_equal(r.made.name, "phone");
	assert_false(r.made.backup_eligible);
	assert_false(r.made.backed_up);
	assert_memory_equal(r.made.aaguid, r.a + 37, 16);
	assert_int_equal(r.f.facts.flags, 0x45);
	assert_int_equal(r.f.facts.counter, 3);
	registration_free(&r);

	registration(&r, CSIGN_KIND_P256);
	assert_ok(check_registration(&r));
	assert_int_equal(r.made.kind, CSIGN_KIND_P256);
	assert_string_equal(r.made.id, r.f.device.id);
	assert_memory_equal(r.made.seal, r.seal, 65);
	assert_int_equal(r.made.credential_len, 0);
	assert_string_equal(r.made.rp, "");
	assert_string_equal(r.made.origin, "");
	assert_int_equal(r.f.facts.counter, 0);
	registration_free(&r);
}

static void
test_registration_lengths(void **state)
{
	static struct registration r;

	(void)state;
	registration(&r, CSIGN_KIND_WEBAUTHN);
	for (size_t i = 0; i <= 164; i++) {
		r.a_len = i;
		assert_err("length", check_registration(&r),
		    i == 164 ? CSIGN_OK : CSIGN_E_PROOF_LENGTH);
	}
	r.a_len = 131 + 32;
	assert_err("131 + L", check_registration(&r), CSIGN_E_PROOF_LENGTH);
	r.a_len = 133 + 32;
	assert_err("133 + L", check_registration(&r), CSIGN_E_PROOF_LENGTH);
	/* a length that leaves no room, or leaves some */
	r.a_len = 164;
	r.a[54] = 33;
	assert_err("L too large", check_registration(&r), CSIGN_E_PROOF_LENGTH);
	r.a[54] = 31;
	assert_err("L too small", check_registration(&r), CSIGN_E_PROOF_LENGTH);
	r.a[53] = 0xff;
	assert_err("L huge", check_registration(&r), CSIGN_E_PROOF_LENGTH);
	r.credential_len = 0;
	attest(&r);
	assert_err("L 0", check_registration(&r), CSIGN_E_PROOF_LENGTH);
	r.credential_len = 1;
	attest(&r);
	assert_ok(check_registration(&r));
	r.credential_len = 1023;
	attest(&r);
	assert_int_equal(r.a_len, CSIGN_REGISTRATION_MAX);
	assert_ok(check_registration(&r));
	r.credential_len = 1024;
	attest(&r);
	assert_err("L 1024", check_registration(&r), CSIGN_E_PROOF_LENGTH);
	registration_free(&r);
}

static void
test_registration_flags(void **state)
{
	static struct registration r;

	(void)state;
	registration(&r, CSIGN_KIND_WEBAUTHN);
	for (unsigned int flags = 0; flags < 256; flags++) {
		bool good = flags == 0x45 || flags == 0x4d || flags == 0x5d;

		r.a[32] = (unsigned char)flags;
		assert_err("flags", check_registration(&r),
		    good ? CSIGN_OK : CSIGN_E_PROOF_FLAGS);
		if (!good)
			continue;
		assert_true(r.made.backup_eligible == (flags != 0x45));
		assert_true(r.made.backed_up == (flags == 0x5d));
	}
	r.f.policy.require_bound = true;
	r.a[32] = 0x4d;
	assert_err("synced", check_registration(&r), CSIGN_E_PROOF_SYNCED);
	r.a[32] = 0x45;
	assert_ok(check_registration(&r));
	registration_free(&r);
}

static void
test_registration_refused(void **state)
{
	static struct registration r;
	struct csign_p256 *other = NULL;
	char text[CSIGN_URL_MAX + 2] = "";

	(void)state;
	assert_ok(csign_p256_new(crypto, &other));
	registration(&r, CSIGN_KIND_WEBAUTHN);
	memset(text, 'a', sizeof(text) - 1);
	assert_err("an rp that does not fit", check_for(&r, text, ORIGIN),
	    CSIGN_E_INVALID);
	assert_err("an origin that does not fit", check_for(&r, RP, text),
	    CSIGN_E_INVALID);
	assert_err("another rp", check_for(&r, "example.org", ORIGIN),
	    CSIGN_E_PROOF_RPID);
	r.f.answer.enrolment = false;
	assert_err("an approval", check_registration(&r), CSIGN_E_PROOF_FORMAT);
	r.f.answer.enrolment = true;
	memcpy(r.f.answer.choice, "approve", sizeof("approve"));
	assert_err("choice", check_registration(&r), CSIGN_E_PROOF_CHOICE);
	memcpy(r.f.answer.choice, "enroll", sizeof("enroll"));
	r.f.policy.kinds = CSIGN_KIND_BIT_P256;
	assert_err("kind", check_registration(&r), CSIGN_E_PROOF_KIND);
	r.f.policy.kinds |= CSIGN_KIND_BIT_WEBAUTHN;
	r.f.answer.kind = CSIGN_KIND_UNSIGNED;
	assert_err("unsigned", check_registration(&r), CSIGN_E_PROOF_KIND);
	r.f.answer.kind = CSIGN_KIND_WEBAUTHN;
	r.f.signature_len = 70;
	assert_err(
	    "signature", check_registration(&r), CSIGN_E_PROOF_SIGNATURE);
	r.f.signature_len = 0;
	for (size_t i = 0; i < 32; i++) {
		r.a[i] ^= 1;
		assert_err("rpid", check_registration(&r), CSIGN_E_PROOF_RPID);
		r.a[i] ^= 1;
	}
	/* the credential id in the envelope is another one */
	r.credential[31] ^= 1;
	assert_err(
	    "credential", check_registration(&r), CSIGN_E_PROOF_CREDENTIAL);
	r.credential[31] ^= 1;
	r.credential_len = 31;
	assert_err("shorter credential", check_registration(&r),
	    CSIGN_E_PROOF_CREDENTIAL);
	r.credential_len = 32;
	/* the key in the envelope is another one, though a good one */
	csign_p256_point(other, r.point);
	assert_err(
	    "public key", check_registration(&r), CSIGN_E_PROOF_CREDENTIAL);
	memcpy(r.point, r.f.device.point, sizeof(r.point));
	r.f.answer.device[5] = r.f.answer.device[5] == 'a' ? 'b' : 'a';
	assert_err("device id", check_registration(&r), CSIGN_E_PROOF_DEVICE);
	memcpy(r.f.answer.device, r.f.device.id, CSIGN_DEVICE_ID_SIZE);
	r.seal[64] ^= 1;
	assert_err("seal key", check_registration(&r), CSIGN_E_PROOF_KEY);
	r.seal[64] ^= 1;
	r.seal[0] = 0x06;
	assert_err(
	    "hybrid seal key", check_registration(&r), CSIGN_E_PROOF_KEY);
	r.seal[0] = 0x04;
	/* a point off the curve, the same in all places */
	r.point[64] ^= 1;
	attest(&r);
	assert_err("off the curve", check_registration(&r), CSIGN_E_PROOF_KEY);
	r.point[64] ^= 1;
	attest(&r);
	assert_int_equal(((unsigned char *)&r.made)[0], 0xee);
	assert_untouched(&r.f);
	assert_ok(check_registration(&r));
	registration_free(&r);
	csign_p256_free(&other);
}

/* Each of the 13 fixed bytes of the COSE key counts. */
static void
test_registration_cose(void **state)
{
	static struct registration r;
	size_t at = 55 + 32;

	(void)state;
	registration(&r, CSIGN_KIND_WEBAUTHN);
	for (size_t i = 0; i < 77; i++) {
		bool fixed = i < 10 || (i >= 42 && i < 45);

		r.a[at + i] ^= 1;
		assert_err("COSE key", check_registration(&r),
		    fixed ? CSIGN_E_PROOF_KEY : CSIGN_E_PROOF_CREDENTIAL);
		r.a[at + i] ^= 1;
	}
	assert_ok(check_registration(&r));
	registration_free(&r);
}

static void
test_registration_client_data(void **state)
{
	static const struct {
		const char *name, *b;
		enum csign_err want;
	} rows[] = {
	    {"an assertion's", GOOD_GET, CSIGN_E_PROOF_TYPE},
	    {"other origin",
		"{\"type\":\"webauthn.create\",\"challenge\":\"@C\","
		"\"origin\":\"https://evil.example\",\"crossOrigin\":false}",
		CSIGN_E_PROOF_ORIGIN},
	    {"other challenge",
		"{\"type\":\"webauthn.create\",\"challenge\":"
		"\"OcDnUhQXulTUPo3JUXT0I97pvzzYBP9tZchXyav01Ag\","
		"\"origin\":\"@O\",\"crossOrigin\":false}",
		CSIGN_E_PROOF_CHALLENGE},
	    {"cross origin",
		"{\"type\":\"webauthn.create\",\"challenge\":\"@C\","
		"\"origin\":\"@O\",\"crossOrigin\":true}",
		CSIGN_E_PROOF_CROSS_ORIGIN},
	    {"nothing", "", CSIGN_E_PROOF_CLIENT_DATA},
	};
	static struct registration r;

	(void)state;
	registration(&r, CSIGN_KIND_WEBAUTHN);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		set_b(&r.f, rows[i].b);
		assert_err(rows[i].name, check_registration(&r), rows[i].want);
	}
	registration_free(&r);
}

/* A p256 enrolment is signed by the key that it brings. */
static void
test_registration_p256(void **state)
{
	static struct registration r;
	struct csign_p256 *other = NULL;

	(void)state;
	assert_ok(csign_p256_new(crypto, &other));
	registration(&r, CSIGN_KIND_P256);
	assert_ok(csign_p256_sign(
	    other, r.f.b, r.f.b_len, r.f.signature, &r.f.signature_len));
	assert_err("signed by another key", check_registration(&r),
	    CSIGN_E_PROOF_SIGNATURE);
	sign_p256(&r.f);
	r.f.policy.wall_ms = NOW + 60001;
	assert_err("old", check_registration(&r), CSIGN_E_PROOF_TIME);
	r.f.policy.wall_ms = NOW;
	r.f.policy.kinds = CSIGN_KIND_BIT_WEBAUTHN;
	assert_err("kind", check_registration(&r), CSIGN_E_PROOF_KIND);
	r.f.policy.kinds = CSIGN_KIND_BIT_P256;
	r.f.answer.device[0] = r.f.answer.device[0] == 'a' ? 'b' : 'a';
	assert_err("device id", check_registration(&r), CSIGN_E_PROOF_DEVICE);
	memcpy(r.f.answer.device, r.f.device.id, CSIGN_DEVICE_ID_SIZE);
	r.seal[1] ^= 1;
	assert_err("seal key", check_registration(&r), CSIGN_E_PROOF_KEY);
	r.seal[1] ^= 1;
	r.point[64] ^= 1;
	assert_err("key", check_registration(&r), CSIGN_E_PROOF_KEY);
	r.point[64] ^= 1;
	assert_ok(check_registration(&r));
	registration_free(&r);
	csign_p256_free(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_registration),
	    cmocka_unit_test(test_registration_lengths),
	    cmocka_unit_test(test_registration_flags),
	    cmocka_unit_test(test_registration_refused),
	    cmocka_unit_test(test_registration_cose),
	    cmocka_unit_test(test_registration_client_data),
	    cmocka_unit_test(test_registration_p256),
	};

	return cmocka_run_group_tests_name(
	    "registration", tests, setup, teardown);
}
