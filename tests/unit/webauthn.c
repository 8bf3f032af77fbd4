/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/data/webauthn.json: the ten ES256 registrations and assertions of the
 * standard, and what a browser really sends for the page; with one thing
 * changed, each is refused for its own reason.
 */
#include "proving.h"

static struct json_object *file;

static int
load(void **state)
{
	file = json_object_from_file(TEST_DATA "/webauthn.json");
	return file == NULL ? -1 : setup(state);
}

static int
unload(void **state)
{
	json_object_put(file);
	return teardown(state);
}

static void
set_text(char *out, size_t size, const char *text)
{
	assert_true(strlen(text) < size);
	memcpy(out, text, strlen(text) + 1);
}

/* A device of the relying party of group, with the key of v. */
static void
take_device(struct fixture *f, struct json_object *group, struct json_object *v)
{
	fixture(f, CSIGN_KIND_WEBAUTHN);
	set_text(f->device.rp, sizeof(f->device.rp), vec_str(group, "rp"));
	set_text(f->device.origin, sizeof(f->device.origin),
	    vec_str(group, "origin"));
	assert_int_equal(vec_hex(v, "point", f->device.point, 65), 65);
	assert_ok(csign_device_id(crypto, f->device.point, f->device.id));
	memcpy(f->answer.device, f->device.id, sizeof(f->device.id));
}

static void
take_assertion(struct fixture *f, struct json_object *v)
{
	f->a_len = vec_hex(v, "authenticatorData", f->a, sizeof(f->a));
	set_text(f->b, sizeof(f->b), vec_str(v, "clientDataJSON"));
	f->b_len = strlen(f->b);
	f->signature_len = vec_hex(v, "signature", f->signature, 72);
	assert_int_equal(f->a_len, 37);
	f->device.backup_eligible = (f->a[32] & 0x08) != 0;
}

static void
assert_verdict(const char *name, enum csign_err err, const char *verdict)
{
	if (strcmp(csign_err_name(err), verdict) != 0)
		fail_msg(
		    "%s: %s instead of %s", name, csign_err_name(err), verdict);
}

static void
assert_named(const char *name, struct fixture *f, const char *verdict)
{
	assert_verdict(name, check(f), verdict);
}

static void
test_standard(void **state)
{
	struct json_object *list = vec(file, "assertions");
	static struct fixture f;

	(void)state;
	assert_int_equal(json_object_array_length(list), 10);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		const char *name = vec_str(v, "name");

		take_device(&f, file, v);
		vec_hex(v, "challenge", f.challenge, sizeof(f.challenge));
		take_assertion(&f, v);
		assert_named(name, &f, vec_str(v, "verdict"));
		f.policy.allow_no_uv = true;
		assert_named(
		    name, &f, vec_str(v, "verdictWithoutVerification"));
		fixture_free(&f);
	}
}

/* Each signature is good for exactly its bytes, also where we refuse it. */
static void
test_standard_signatures(void **state)
{
	struct json_object *list = vec(file, "assertions");
	static struct fixture f;
	unsigned char message[37 + 32];

	(void)state;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		take_device(&f, file, v);
		take_assertion(&f, v);
		memcpy(message, f.a, 37);
		hash(f.b, f.b_len, message + 37);
		assert_ok(csign_es256_verify(crypto, f.device.point, message,
		    sizeof(message), f.signature, f.signature_len));
		message[i * 6] ^= 0x01;
		assert_err(vec_str(v, "name"),
		    csign_es256_verify(crypto, f.device.point, message,
			sizeof(message), f.signature, f.signature_len),
		    CSIGN_E_PROOF_SIGNATURE);
		fixture_free(&f);
	}
}

/* --- its registrations ---------------------------------------------------- */

struct creation {
	struct fixture f;
	unsigned char point[65], credential[CSIGN_CREDENTIAL_MAX];
	unsigned char a[CSIGN_REGISTRATION_MAX];
	struct csign_device made;
};

/* The answer with v, and the credential of key, to the challenge of c. */
static void
take_creation(
    struct creation *c, struct json_object *key, struct json_object *v)
{
	struct csign_answer *answer = &c->f.answer;

	memcpy(c->point, c->f.device.point, sizeof(c->point));
	answer->enrolment = true;
	memcpy(answer->choice, "enroll", sizeof("enroll"));
	answer->a = c->a;
	answer->a_len = vec_hex(v, "authenticatorData", c->a, sizeof(c->a));
	set_text(c->f.b, sizeof(c->f.b), vec_str(v, "clientDataJSON"));
	answer->b = (const unsigned char *)c->f.b;
	answer->b_len = strlen(c->f.b);
	answer->signature_len = 0;
	answer->point = answer->seal = c->point;
	answer->credential = c->credential;
	answer->credential_len =
	    vec_hex(key, "credentialId", c->credential, sizeof(c->credential));
}

static enum csign_err
enroll(struct creation *c)
{
	return csign_registration_check(crypto, &c->f.answer, c->f.challenge,
	    c->f.device.rp, c->f.device.origin, &c->f.policy, &c->made,
	    &c->f.facts);
}

static void
take_registration(struct creation *c, struct json_object *v)
{
	take_device(&c->f, file,
	    vec_named(vec(file, "assertions"), vec_str(v, "name")));
	vec_hex(v, "challenge", c->f.challenge, sizeof(c->f.challenge));
	take_creation(c, v, v);
}

/* Nothing signs the client data of a creation: crossOrigin can go. */
static void
cut_cross_origin(struct creation *c)
{
	char *cut = strstr(c->f.b, ",\"crossOrigin\":");

	assert_non_null(cut);
	memcpy(cut, "}", sizeof("}"));
	c->f.answer.b_len = strlen(c->f.b);
}

static void
assert_made(struct creation *c, struct json_object *v)
{
	const char *name = vec_str(v, "name");
	unsigned char aaguid[16];

	vec_hex(v, "aaguid", aaguid, sizeof(aaguid));
	assert_memory_equal(c->made.aaguid, aaguid, sizeof(aaguid));
	assert_int_equal(c->made.credential_len,
	    strstr(name, "long-credential-id") != NULL ? 1023 : 32);
	assert_memory_equal(
	    c->made.credential, c->credential, c->made.credential_len);
	assert_memory_equal(c->made.point, c->point, sizeof(c->point));
	assert_string_equal(c->made.id, c->f.device.id);
	assert_int_equal(c->made.backup_eligible, (c->a[32] & 0x08) != 0);
	assert_int_equal(c->made.backed_up, (c->a[32] & 0x10) != 0);
	assert_int_equal(c->f.facts.flags, c->a[32]);
}

static void
test_standard_registration(void **state)
{
	struct json_object *list = vec(file, "registrations");
	static struct creation c;

	(void)state;
	assert_int_equal(json_object_array_length(list), 10);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		const char *name = vec_str(v, "name");

		take_registration(&c, v);
		assert_verdict(name, enroll(&c), vec_str(v, "verdict"));
		cut_cross_origin(&c);
		assert_verdict(
		    name, enroll(&c), vec_str(v, "verdictWithoutCrossOrigin"));
		/* There was nothing else to say against any of them. */
		c.f.policy.allow_no_uv = true;
		assert_verdict(name, enroll(&c), "OK");
		assert_made(&c, v);
		fixture_free(&c.f);
	}
}

/* --- a browser ------------------------------------------------------------ */

static struct json_object *
browser(void)
{
	return vec(file, "browser");
}

static void
take_browser(struct fixture *f, struct json_object *key)
{
	take_device(f, browser(), key);
	vec_hex(browser(), "challenge", f->challenge, sizeof(f->challenge));
	take_assertion(f, vec(key, "assertion"));
}

static void
test_browser_assertion(void **state)
{
	struct json_object *list = vec(browser(), "keys");
	static struct fixture f;

	(void)state;
	assert_int_equal(json_object_array_length(list), 4);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *key = json_object_array_get_idx(list, i);

		take_browser(&f, key);
		assert_named(vec_str(key, "name"), &f, "OK");
		assert_int_equal(f.facts.counter, 2);
		f.policy.require_bound = true;
		assert_named(vec_str(key, "name"), &f,
		    f.device.backup_eligible ? "PROOF_SYNCED" : "OK");
		fixture_free(&f);
	}
}

/* One thing changed each; nothing was signed anew. */
static void
test_browser_changed(void **state)
{
	static const struct {
		const char *name, *verdict;
		int a;         /* bit of the authenticator data */
		const char *b; /* word of the client data that is changed */
		bool backup;   /* the device's flag */
		uint32_t counter;
		size_t a_len;
	} rows[] = {
	    {"nothing", "OK", -1, NULL, false, 0, 37},
	    {"relying party", "PROOF_RPID", 8, NULL, false, 0, 37},
	    {"not present", "PROOF_FLAGS", 32 * 8, NULL, false, 0, 37},
	    {"not verified", "PROOF_FLAGS", 32 * 8 + 2, NULL, false, 0, 37},
	    {"reserved bit", "PROOF_FLAGS", 32 * 8 + 1, NULL, false, 0, 37},
	    {"attested data", "PROOF_FLAGS", 32 * 8 + 6, NULL, false, 0, 37},
	    {"extensions", "PROOF_FLAGS", 32 * 8 + 7, NULL, false, 0, 37},
	    {"backup", "PROOF_BACKUP", 32 * 8 + 3, NULL, false, 0, 37},
	    {"stored backup", "PROOF_BACKUP", -1, NULL, true, 0, 37},
	    {"counter", "PROOF_SIGNATURE", 36 * 8, NULL, false, 0, 37},
	    {"old counter", "PROOF_COUNTER", -1, NULL, false, 2, 37},
	    {"short", "PROOF_LENGTH", -1, NULL, false, 0, 36},
	    {"type", "PROOF_TYPE", -1, "webauthn.get", false, 0, 37},
	    {"challenge", "PROOF_CHALLENGE", -1, "hm391", false, 0, 37},
	    {"origin", "PROOF_ORIGIN", -1, "localhost", false, 0, 37},
	    {"member", "PROOF_CLIENT_DATA", -1, "crossOrigin", false, 0, 37},
	    {"value", "PROOF_CROSS_ORIGIN", -1, "false", false, 0, 37},
	};
	struct json_object *key =
	    json_object_array_get_idx(vec(browser(), "keys"), 0);
	static struct fixture f;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		take_browser(&f, key);
		if (rows[i].a >= 0)
			f.a[rows[i].a / 8] ^=
			    (unsigned char)(1U << (rows[i].a % 8));
		if (rows[i].b != NULL)
			strstr(f.b, rows[i].b)[1] ^= 0x01;
		f.device.backup_eligible = rows[i].backup;
		f.policy.counter = rows[i].counter;
		f.a_len = rows[i].a_len;
		assert_named(rows[i].name, &f, rows[i].verdict);
		fixture_free(&f);
	}
}

/* --- and its creations -----------------------------------------------------
 */

static void
take_browser_creation(struct creation *c, struct json_object *key)
{
	take_browser(&c->f, key);
	take_creation(c, key, vec(key, "creation"));
}

static void
test_browser_creation(void **state)
{
	struct json_object *list = vec(browser(), "keys");
	static struct creation c;

	(void)state;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *key = json_object_array_get_idx(list, i);
		const char *name = vec_str(key, "name");
		bool may = strstr(name, "synced") != NULL;

		take_browser_creation(&c, key);
		assert_err(name, enroll(&c), CSIGN_OK);
		assert_int_equal(c.made.backup_eligible, may);
		assert_int_equal(c.made.backed_up, strcmp(name, "synced") == 0);
		assert_memory_equal(c.made.credential, c.credential, 32);
		c.f.policy.require_bound = true;
		assert_err(
		    name, enroll(&c), may ? CSIGN_E_PROOF_SYNCED : CSIGN_OK);
		fixture_free(&c.f);
	}
}

static void
test_browser_creation_changed(void **state)
{
	static const struct {
		const char *name;
		size_t at; /* byte of the authenticator data */
		enum csign_err want;
	} rows[] = {
	    {"relying party", 3, CSIGN_E_PROOF_RPID},
	    {"flags", 32, CSIGN_E_PROOF_FLAGS},
	    {"length of the id", 54, CSIGN_E_PROOF_LENGTH},
	    {"credential id", 60, CSIGN_E_PROOF_CREDENTIAL},
	    {"algorithm", 55 + 32 + 4, CSIGN_E_PROOF_KEY},
	    {"public key", 55 + 32 + 20, CSIGN_E_PROOF_CREDENTIAL},
	};
	struct json_object *key =
	    json_object_array_get_idx(vec(browser(), "keys"), 0);
	static struct creation c;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		take_browser_creation(&c, key);
		c.a[rows[i].at] ^= 0x02;
		assert_err(rows[i].name, enroll(&c), rows[i].want);
		fixture_free(&c.f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_standard),
	    cmocka_unit_test(test_standard_signatures),
	    cmocka_unit_test(test_standard_registration),
	    cmocka_unit_test(test_browser_assertion),
	    cmocka_unit_test(test_browser_changed),
	    cmocka_unit_test(test_browser_creation),
	    cmocka_unit_test(test_browser_creation_changed),
	};

	return cmocka_run_group_tests_name("webauthn", tests, load, unload);
}
