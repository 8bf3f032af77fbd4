/* SPDX-License-Identifier: BSD-2-Clause */
/* The phone's side and the host's, one against the other. */
#include "unit.h"

#include "phone.h"
#include "proof.h"
#include "seal.h"
#include "settings.h"
#include "vectors.h"

#define NOW UINT64_C(1763765400000)

static struct csign_link *phone_link;
static struct csign_p256 *key, *seal_key;

static int
phone_setup(void **state)
{
	return setup(state) == 0 &&
		       csign_link_new(crypto, &phone_link) == CSIGN_OK &&
		       csign_p256_new(crypto, &key) == CSIGN_OK &&
		       csign_p256_new(crypto, &seal_key) == CSIGN_OK
		   ? 0
		   : -1;
}

static int
phone_teardown(void **state)
{
	csign_p256_free(&key);
	csign_p256_free(&seal_key);
	csign_link_free(&phone_link);
	return teardown(state);
}

static const char *
transaction(const char *name)
{
	return vec_str(
	    vec_named(vec(vectors(), "transactions"), name), "bytes");
}

/* The content as the host seals it, opened by the phone. */
static void
ask(const char *name, struct csign_question *q)
{
	static const struct csign_device_list nobody = {NULL, 0};
	const char *bytes = transaction(name);
	struct csign_buf *content = NULL, *sealed = NULL;

	assert_ok(csign_buf_new(8192, &content));
	assert_ok(csign_buf_new(8192, &sealed));
	assert_ok(csign_content_write(bytes, strlen(bytes), &nobody, content));
	assert_ok(csign_seal(crypto, CSIGN_SEAL_CONTENT,
	    csign_link_content_key(phone_link), csign_buf_data(content),
	    csign_buf_len(content), sealed));
	assert_ok(csign_question_open(crypto, phone_link,
	    csign_buf_data(sealed), csign_buf_len(sealed), q));
	assert_string_equal(csign_buf_str(q->bytes), bytes);
	csign_buf_free(&content);
	csign_buf_free(&sealed);
}

/* What the host makes of an answer. */
static enum csign_err
judge(const char *name, const char *choice, const char *code,
    struct csign_buf *sealed, bool enrolment, struct csign_device *device)
{
	const struct csign_proof_policy policy = {
	    .kinds = CSIGN_KIND_BIT_P256, .wall_ms = NOW};
	const char *bytes = transaction(name);
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	struct csign_proof_facts facts;
	struct csign_answer answer;
	struct csign_buf *plain = NULL;
	enum csign_err r;

	assert_ok(csign_buf_new(8192, &plain));
	assert_ok(csign_open(crypto, CSIGN_SEAL_ANSWER,
	    csign_link_answer_key(phone_link), csign_buf_data(sealed),
	    csign_buf_len(sealed), plain));
	assert_ok(csign_answer_read(
	    csign_buf_data(plain), csign_buf_len(plain), enrolment, &answer));
	assert_string_equal(answer.choice, choice);
	assert_ok(csign_challenge(
	    crypto, choice, bytes, strlen(bytes), code, challenge));
	r = enrolment ? csign_registration_check(crypto, &answer, challenge, "",
			    "", &policy, device, &facts)
		      : csign_proof_check(crypto, device, &answer, challenge,
			    &policy, &facts);
	csign_buf_free(&plain);
	return r;
}

static void
own_device(struct csign_device *d)
{
	memset(d, 0, sizeof(*d));
	d->kind = CSIGN_KIND_P256;
	csign_p256_point(key, d->point);
	assert_ok(csign_device_id(crypto, d->point, d->id));
}

static void
test_answers(void **state)
{
	static const struct {
		const char *transaction, *choice, *code;
		enum csign_err want; /* of the phone */
	} rows[] = {
	    {"sudo", "approve", "", CSIGN_OK}, /* code: never */
	    {"sudo", "deny", "", CSIGN_OK},
	    {"sudo", "not-me", "", CSIGN_OK},
	    {"basic", "approve", "", CSIGN_OK}, /* inbox, from the link */
	    {"basic", "approve", "482913", CSIGN_OK},
	    {"choices", "to-night", "482913", CSIGN_OK}, /* always */
	    {"choices", "deny", "", CSIGN_OK},
	    {"choices", "to-night", "", CSIGN_E_INVALID},
	    {"choices", "approve", "482913", CSIGN_E_INVALID},
	    {"sudo", "approve", "482913", CSIGN_E_INVALID},
	    {"sudo", "deny", "482913", CSIGN_E_INVALID},
	    {"sudo", "not-me", "482913", CSIGN_E_INVALID},
	    {"sudo", "enroll", "", CSIGN_E_INVALID},
	    {"sudo", "remove", "", CSIGN_E_INVALID},
	    {"sudo", "", "", CSIGN_E_INVALID},
	    {"basic", "approve", "4829", CSIGN_E_INVALID},
	    {"enrolment", "approve", "", CSIGN_E_INVALID},
	    {"enrolment", "enroll", "", CSIGN_E_INVALID},
	    {"enrolment", "deny", "", CSIGN_E_INVALID},
	};
	static struct csign_device device;

	(void)state;
	own_device(&device);
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_question q;
		struct csign_buf *out = NULL;

		assert_ok(csign_buf_new(8192, &out));
		ask(rows[i].transaction, &q);
		assert_err(rows[i].choice,
		    csign_phone_answer(crypto, phone_link, &q, key,
			rows[i].choice, rows[i].code, NOW, out),
		    rows[i].want);
		if (rows[i].want == CSIGN_OK)
			assert_ok(judge(rows[i].transaction, rows[i].choice,
			    rows[i].code, out, false, &device));
		else
			assert_int_equal(csign_buf_len(out), 0);
		csign_question_clear(&q);
		csign_buf_free(&out);
	}
}

static void
test_decline(void **state)
{
	struct csign_buf *out = NULL, *plain = NULL;
	struct csign_answer answer;

	(void)state;
	assert_ok(csign_buf_new(8192, &out));
	assert_ok(csign_buf_new(8192, &plain));
	assert_ok(csign_phone_decline(crypto, phone_link, out));
	assert_ok(csign_open(crypto, CSIGN_SEAL_ANSWER,
	    csign_link_answer_key(phone_link), csign_buf_data(out),
	    csign_buf_len(out), plain));
	assert_ok(csign_answer_read(
	    csign_buf_data(plain), csign_buf_len(plain), false, &answer));
	assert_int_equal(answer.kind, CSIGN_KIND_UNSIGNED);
	assert_string_equal(answer.choice, "deny");
	csign_buf_free(&out);
	csign_buf_free(&plain);
}

static void
test_enrol(void **state)
{
	static struct csign_device device, made;
	struct csign_question q;
	struct csign_buf *out = NULL;
	unsigned char point[CSIGN_POINT_LEN];
	char name[CSIGN_DEVICE_NAME_MAX + 2];

	(void)state;
	own_device(&device);
	assert_ok(csign_buf_new(8192, &out));
	ask("sudo", &q);
	assert_err("not an enrolment",
	    csign_phone_enrol(
		crypto, phone_link, &q, key, seal_key, "phone", NOW, out),
	    CSIGN_E_INVALID);
	csign_question_clear(&q);
	ask("enrolment", &q);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_err("long name",
	    csign_phone_enrol(
		crypto, phone_link, &q, key, seal_key, name, NOW, out),
	    CSIGN_E_TOO_LONG);
	assert_int_equal(csign_buf_len(out), 0);
	assert_ok(csign_phone_enrol(
	    crypto, phone_link, &q, key, seal_key, "phone", NOW, out));
	assert_ok(judge("enrolment", "enroll", "", out, true, &made));
	assert_string_equal(made.id, device.id);
	assert_string_equal(made.name, "phone");
	csign_p256_point(seal_key, point);
	assert_memory_equal(made.seal, point, sizeof(point));
	csign_question_clear(&q);
	csign_buf_free(&out);
}

/* A phone does not show what it cannot open or does not understand. */
static void
test_question_refused(void **state)
{
	static const char *const contents[] = {
	    "", "{}", "{\"transaction\":\"e30\",\"credentials\":[]}", /* {} */
	};
	struct csign_question q = {0};

	(void)state;
	for (size_t i = 0; i < N_ROWS(contents); i++) {
		struct csign_buf *sealed = NULL;

		assert_ok(csign_buf_new(8192, &sealed));
		assert_ok(csign_seal(crypto, CSIGN_SEAL_CONTENT,
		    csign_link_content_key(phone_link), contents[i],
		    strlen(contents[i]), sealed));
		assert_err(contents[i],
		    csign_question_open(crypto, phone_link,
			csign_buf_data(sealed), csign_buf_len(sealed), &q),
		    CSIGN_E_FORMAT);
		/* what was sealed as an answer is no question */
		csign_buf_clear(sealed);
		assert_ok(csign_seal(crypto, CSIGN_SEAL_ANSWER,
		    csign_link_content_key(phone_link), contents[i],
		    strlen(contents[i]), sealed));
		assert_err("sealed for another use",
		    csign_question_open(crypto, phone_link,
			csign_buf_data(sealed), csign_buf_len(sealed), &q),
		    CSIGN_E_FORMAT);
		csign_buf_free(&sealed);
	}
	assert_null(q.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_decline),
	    cmocka_unit_test(test_enrol),
	    cmocka_unit_test(test_question_refused),
	};

	return cmocka_run_group_tests_name(
	    "phone", tests, phone_setup, phone_teardown);
}
