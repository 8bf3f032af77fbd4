/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "answer.h"
#include "buf.h"
#include "vectors.h"

static void
same(struct json_object *v, const char *name, const unsigned char *got,
    size_t len)
{
	static unsigned char want[8192];
	size_t want_len = vec_hex(v, name, want, sizeof(want));

	if (len != want_len || (len > 0 && memcmp(got, want, len) != 0))
		fail_msg("%s of \"%s\"", name, vec_str(v, "name"));
}

static const char *const kinds[] = {"unsigned", "webauthn", "p256"};

static bool
is_enrolment(struct json_object *v)
{
	return strcmp(vec_str(v, "choice"), "enroll") == 0;
}

static void
test_vectors(void **state)
{
	struct json_object *list = vec(vectors(), "answers");
	static unsigned char plain[8192];

	(void)state;
	assert_true(json_object_array_length(list) >= 13);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		size_t len = vec_hex(v, "plain", plain, sizeof(plain));
		struct csign_answer a;
		struct csign_buf *out = NULL;

		assert_err(vec_str(v, "name"),
		    csign_answer_read(plain, len, is_enrolment(v), &a),
		    CSIGN_OK);
		assert_string_equal(kinds[a.kind], vec_str(v, "kind"));
		assert_string_equal(a.choice, vec_str(v, "choice"));
		assert_string_equal(a.device, vec_str(v, "device"));
		same(v, "a", a.a, a.a_len);
		same(v, "b", a.b, a.b_len);
		same(v, "signature", a.signature, a.signature_len);
		if (a.enrolment) {
			same(v, "point", a.point, CSIGN_POINT_LEN);
			same(v, "seal", a.seal, CSIGN_POINT_LEN);
			same(v, "credential", a.credential, a.credential_len);
			assert_string_equal(a.name, vec_str(v, "deviceName"));
		}
		assert_ok(csign_buf_new(8192, &out));
		assert_ok(csign_answer_write(&a, out));
		assert_bytes(vec_str(v, "name"), csign_buf_data(out),
		    csign_buf_len(out), plain, len);
		csign_buf_free(&out);

		/* exact: not the other layout, nothing missing, nothing more */
		assert_err("other layout",
		    csign_answer_read(plain, len, !is_enrolment(v), &a),
		    CSIGN_E_PROOF_FORMAT);
		for (size_t n = 0; n < len; n++) {
			/* a copy of its own, so that a tool sees an overrun */
			unsigned char *part = malloc(n + 1);

			assert_non_null(part);
			memcpy(part, plain, n);
			assert_err("cut",
			    csign_answer_read(part, n, is_enrolment(v), &a),
			    CSIGN_E_PROOF_FORMAT);
			free(part);
		}
		plain[len] = 0;
		assert_err("byte behind",
		    csign_answer_read(plain, len + 1, is_enrolment(v), &a),
		    CSIGN_E_PROOF_FORMAT);
	}
}

/* Pieces of an answer, put together without asking whether it is one. */
struct pieces {
	unsigned int version, kind;
	const char *choice;
	size_t a, b, signature;
	bool enrolment;
	size_t credential;
	const char *name;
};

static const struct pieces plain_answer = {
    1, CSIGN_KIND_WEBAUTHN, "approve", 37, 100, 70, false, 0, ""};
static const struct pieces plain_enrolment = {
    1, CSIGN_KIND_WEBAUTHN, "enroll", 164, 100, 0, true, 32, "phone"};

static void
put_zeros(struct csign_buf *buf, size_t n)
{
	static const unsigned char zeros[8192];

	assert_ok(csign_buf_put(buf, zeros, n));
}

static enum csign_err
read_pieces(const struct pieces *p, struct csign_answer *ret_answer)
{
	struct csign_buf *buf = NULL;
	struct csign_answer a = {0};
	enum csign_err r;

	assert_ok(csign_buf_new(20000, &buf));
	assert_ok(csign_buf_put_u8(buf, (uint8_t)p->version));
	assert_ok(csign_buf_put_u8(buf, (uint8_t)p->kind));
	assert_ok(csign_buf_put_u8(buf, (uint8_t)strlen(p->choice)));
	assert_ok(csign_buf_put(buf, p->choice, strlen(p->choice)));
	put_zeros(buf, CSIGN_DEVICE_ID_LEN);
	assert_ok(csign_buf_put_u16(buf, (uint16_t)p->a));
	put_zeros(buf, p->a);
	assert_ok(csign_buf_put_u16(buf, (uint16_t)p->b));
	put_zeros(buf, p->b);
	assert_ok(csign_buf_put_u16(buf, (uint16_t)p->signature));
	put_zeros(buf, p->signature);
	if (p->enrolment) {
		put_zeros(buf, 2 * CSIGN_POINT_LEN);
		assert_ok(csign_buf_put_u16(buf, (uint16_t)p->credential));
		put_zeros(buf, p->credential);
		assert_ok(csign_buf_put_u8(buf, (uint8_t)strlen(p->name)));
		assert_ok(csign_buf_put(buf, p->name, strlen(p->name)));
	}
	r = csign_answer_read(
	    csign_buf_data(buf), csign_buf_len(buf), p->enrolment, &a);
	csign_buf_free(&buf);
	if (ret_answer != NULL)
		*ret_answer = a;
	return r;
}

static void
test_kinds_and_versions(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 256; i++) {
		struct pieces p = plain_answer;

		p.version = i;
		assert_err("version", read_pieces(&p, NULL),
		    i == 1 ? CSIGN_OK : CSIGN_E_PROOF_FORMAT);
		p = plain_answer;
		p.kind = i;
		p.a = i == CSIGN_KIND_P256 ? 0 : 37;
		assert_err("kind", read_pieces(&p, NULL),
		    i == CSIGN_KIND_P256 || i == CSIGN_KIND_WEBAUTHN
			? CSIGN_OK
			: CSIGN_E_PROOF_FORMAT);
	}
}

static void
test_choices(void **state)
{
	static const struct {
		const char *choice;
		bool good;
	} rows[] = {
	    {"a", true},
	    {"deny", true},
	    {"not-me", true},
	    {"enroll", true},
	    {"abcdefghijklmnopqrstuvwxyz012345", true},
	    {"abcdefghijklmnopqrstuvwxyz0123456", false},
	    {"", false},
	    {"1", false},
	    {"-a", false},
	    {"Approve", false},
	    {"app rove", false},
	    {"app\nrove", false},
	    {"appr\xc3\xb6ve", false},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct pieces p = plain_answer;

		p.choice = rows[i].choice;
		assert_err(rows[i].choice, read_pieces(&p, NULL),
		    rows[i].good ? CSIGN_OK : CSIGN_E_PROOF_FORMAT);
	}
}

/* A NUL inside would make one choice look like another. */
static void
test_choice_nul(void **state)
{
	unsigned char bytes[64] = {1, CSIGN_KIND_P256, 5, 'd', 'e', 'n', 'y'};
	struct csign_answer a;

	(void)state;
	assert_err("NUL", csign_answer_read(bytes, 3 + 5 + 10 + 6, false, &a),
	    CSIGN_E_PROOF_FORMAT);
	/* no choice, and something behind it that could be one */
	bytes[2] = 0;
	memcpy(bytes + 3, "abcdefghij", 10);
	assert_err("empty", csign_answer_read(bytes, 3 + 10 + 6, false, &a),
	    CSIGN_E_PROOF_FORMAT);
	memcpy(bytes + 2, "\5denyx\0\0\0\0\0", 11);
	assert_ok(csign_answer_read(bytes, 3 + 5 + 10 + 6, false, &a));
}

static void
test_lengths(void **state)
{
	static const struct {
		const char *name;
		struct pieces p;
		bool good;
	} rows[] = {
	    {"authenticator data 512", {1, 1, "x", 512, 1, 1, false, 0, ""},
		true},
	    {"authenticator data 513", {1, 1, "x", 513, 1, 1, false, 0, ""},
		false},
	    {"client data 4096", {1, 1, "x", 37, 4096, 1, false, 0, ""}, true},
	    {"client data 4097", {1, 1, "x", 37, 4097, 1, false, 0, ""}, false},
	    {"signature 72", {1, 1, "x", 37, 1, 72, false, 0, ""}, true},
	    {"signature 73", {1, 1, "x", 37, 1, 73, false, 0, ""}, false},
	    {"p256 with A", {1, 2, "x", 1, 1, 1, false, 0, ""}, false},
	    {"unsigned deny", {1, 0, "deny", 0, 0, 0, false, 0, ""}, true},
	    {"unsigned approve", {1, 0, "approve", 0, 0, 0, false, 0, ""},
		false},
	    {"unsigned not-me", {1, 0, "not-me", 0, 0, 0, false, 0, ""}, false},
	    {"unsigned with A", {1, 0, "deny", 1, 0, 0, false, 0, ""}, false},
	    {"unsigned with B", {1, 0, "deny", 0, 1, 0, false, 0, ""}, false},
	    {"unsigned with a signature", {1, 0, "deny", 0, 0, 1, false, 0, ""},
		false},
	    {"unsigned enrolment", {1, 0, "deny", 0, 0, 0, true, 0, ""}, false},
	    {"registration 1155", {1, 1, "enroll", 1155, 1, 0, true, 1023, ""},
		true},
	    {"registration 1156", {1, 1, "enroll", 1156, 1, 0, true, 1023, ""},
		false},
	    {"credential 1", {1, 1, "enroll", 133, 1, 0, true, 1, ""}, true},
	    {"credential 0", {1, 1, "enroll", 132, 1, 0, true, 0, ""}, false},
	    {"credential 1024", {1, 1, "enroll", 1155, 1, 0, true, 1024, ""},
		false},
	    {"p256 with a credential", {1, 2, "enroll", 0, 1, 1, true, 1, ""},
		false},
	    {"name 64",
		{1, 2, "enroll", 0, 1, 1, true, 0,
		    "12345678901234567890123456789012"
		    "12345678901234567890123456789012"},
		true},
	    {"name 65",
		{1, 2, "enroll", 0, 1, 1, true, 0,
		    "12345678901234567890123456789012"
		    "123456789012345678901234567890123"},
		false},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_err(rows[i].name, read_pieces(&rows[i].p, NULL),
		    rows[i].good ? CSIGN_OK : CSIGN_E_PROOF_FORMAT);
}

static void
test_names(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
	    {"", ""},
	    {"Alice\xe2\x80\x99s phone", "Alice\xe2\x80\x99s phone"},
	    {"a\nb\x1b"
	     "[2J",
		"a\\u{0a}b\\u{1b}[2J"},
	    {"\xe2\x80\xae"
	     "evil",
		"\\u{202e}evil"},
	    {"bad\xff", "bad\\u{ff}"},
	    /* what gets too long is cut, at 64 bytes ... */
	    {"\n\n\n\n\n\n\n\n\n\n\nx",
		"\\u{0a}\\u{0a}\\u{0a}\\u{0a}\\u{0a}\\u{0a}\\u{0a}\\u{0a}"
		"\\u{0a}\\u{0a}\\u{0"},
	    /* ... or before a character that would be split */
	    {"\n123456789012345678901234567890123456789012345678901234567"
	     "\xc3\xa4\xc3\xa4",
		"\\u{0a}1234567890123456789012345678901234567890123456789012345"
		"67"},
	};
	struct csign_answer a;

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct pieces p = plain_enrolment;

		p.name = rows[i].name;
		assert_ok(read_pieces(&p, &a));
		assert_string_equal(a.name, rows[i].want);
	}
}

static void
test_write_refused(void **state)
{
	struct csign_answer a = {
	    .kind = CSIGN_KIND_P256,
	    .choice = "approve",
	    .device = "aaaabbbbccccdddd",
	};
	struct csign_buf *out = NULL;

	(void)state;
	assert_ok(csign_buf_new(8192, &out));
	assert_ok(csign_answer_write(&a, out));
	csign_buf_clear(out);
	a.device[3] = 'A';
	assert_err("device", csign_answer_write(&a, out), CSIGN_E_INVALID);
	a.device[3] = '\0';
	assert_err("device", csign_answer_write(&a, out), CSIGN_E_INVALID);
	a.device[3] = 'a';
	a.choice[0] = 'A';
	assert_err("choice", csign_answer_write(&a, out), CSIGN_E_INVALID);
	a.choice[0] = 'a';
	a.signature_len = CSIGN_SIGNATURE_MAX + 1;
	assert_err("signature", csign_answer_write(&a, out), CSIGN_E_INVALID);
	a.signature_len = 0;
	a.b_len = CSIGN_CLIENT_DATA_MAX + 1;
	assert_err("client data", csign_answer_write(&a, out), CSIGN_E_INVALID);
	a.b_len = 0;
	a.kind = CSIGN_KIND_UNSIGNED;
	assert_err("unsigned", csign_answer_write(&a, out), CSIGN_E_INVALID);
	assert_int_equal(csign_buf_len(out), 0);
	csign_buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_kinds_and_versions),
	    cmocka_unit_test(test_choices),
	    cmocka_unit_test(test_choice_nul),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_write_refused),
	};

	return cmocka_run_group_tests_name("answer", tests, setup, teardown);
}
