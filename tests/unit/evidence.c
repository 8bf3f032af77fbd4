/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evidence: what was signed is found good again, and nothing else is.  Every
 * member is changed alone, in a line that is written anew, so that only the
 * rule for it can refuse it.
 */
#include "proving.h"

#include "bounds.h"
#include "codec.h"
#include "ctx.h"
#include "evidence.h"
#include "fault.h"

#define CODE "482913"

static struct csign_ctx *ctx;

/* An answer to the vectors' question, and its line. */
struct sample {
	struct fixture f;
	struct csign_exhibit e;
	struct csign_buf *line;
};

static void
write_line(struct sample *s)
{
	csign_buf_free(&s->line);
	assert_ok(csign_buf_new(CSIGN_EVIDENCE_MAX - 1, &s->line));
	s->f.answer.a = s->f.a;
	s->f.answer.a_len = s->f.a_len;
	s->f.answer.b = (const unsigned char *)s->f.b;
	s->f.answer.b_len = s->f.b_len;
	s->f.answer.signature = s->f.signature;
	s->f.answer.signature_len = s->f.signature_len;
	assert_ok(csign_evidence_format(&s->e, s->line));
}

static void
sample(struct sample *s, enum csign_kind kind, const char *choice,
    const char *code)
{
	const char *text = vec_str(vec(vectors(), "basic"), "transaction");
	struct fixture *f = &s->f;

	memset(s, 0, sizeof(*s));
	fixture(f, kind);
	(void)snprintf(
	    f->answer.choice, sizeof(f->answer.choice), "%s", choice);
	assert_ok(csign_challenge(
	    crypto, choice, text, strlen(text), code, f->challenge));
	assert_ok(csign_b64u_encode(
	    f->challenge, sizeof(f->challenge), f->text, sizeof(f->text)));
	if (kind == CSIGN_KIND_WEBAUTHN) {
		set_b(f, GOOD_GET);
		sign_webauthn(f);
	} else {
		f->b_len = (size_t)snprintf(f->b, sizeof(f->b), "%llu_%s",
		    (unsigned long long)NOW, f->text);
		sign_p256(f);
	}
	s->e = (struct csign_exhibit){
	    .checked_ms = NOW + 123,
	    .question = "AAAAAAAAAAAA",
	    .host = "web1.example.com",
	    .user = "alice",
	    .uid = 1001,
	    .device = &f->device,
	    .counter = kind == CSIGN_KIND_WEBAUTHN ? 6 : 0,
	    .answer = &f->answer,
	    .code = code,
	    .transaction = text,
	    .transaction_len = strlen(text),
	};
	write_line(s);
}

static void
sample_free(struct sample *s)
{
	fixture_free(&s->f);
	csign_buf_free(&s->line);
}

/* Read and checked: what a person is told in the end. */
static enum csign_err
verify(const char *line, size_t len)
{
	char *copy = exactly(line, len);
	struct csign_evidence *ev = NULL;
	char mark[CSIGN_EVIDENCE_MARK_SIZE];
	enum csign_err r = csign_evidence_read(ctx, copy, len, &ev);

	if (r == CSIGN_OK) {
		r = csign_evidence_check(ctx, ev);
		assert_ok(csign_evidence_mark(crypto, line, len, mark));
		assert_string_equal(csign_evidence_look(ev)->mark, mark);
	} else {
		assert_null(ev);
	}
	csign_evidence_free(&ev);
	free(copy);
	return r;
}

static enum csign_err
verify_sample(const struct sample *s)
{
	return verify(csign_buf_str(s->line), csign_buf_len(s->line));
}

static const struct {
	enum csign_kind kind;
	const char *choice, *code;
	bool grants;
} good[] = {
    {CSIGN_KIND_WEBAUTHN, "approve", "", true},
    {CSIGN_KIND_WEBAUTHN, "approve", CODE, true},
    {CSIGN_KIND_WEBAUTHN, "deny", "", false},
    {CSIGN_KIND_WEBAUTHN, "not-me", "", false},
    {CSIGN_KIND_P256, "approve", "", true},
    {CSIGN_KIND_P256, "approve", CODE, true},
    {CSIGN_KIND_P256, "deny", "", false},
};

static void
what_was_signed_is_found_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS(good); i++) {
		struct csign_evidence *ev = NULL;
		const struct csign_evidence_info *info = NULL;
		static struct sample s;

		sample(&s, good[i].kind, good[i].choice, good[i].code);
		assert_ok(csign_evidence_read(
		    ctx, csign_buf_str(s.line), csign_buf_len(s.line), &ev));
		assert_ok(csign_evidence_check(ctx, ev));
		info = csign_evidence_look(ev);
		assert_string_equal(info->time, "2025-11-21T22:50:00Z");
		assert_string_equal(info->question, "AAAAAAAAAAAA");
		assert_string_equal(info->host, "web1.example.com");
		assert_string_equal(info->user, "alice");
		assert_string_equal(info->service, "sudo");
		assert_string_equal(info->title, "t");
		assert_string_equal(info->device, s.f.device.id);
		assert_string_equal(info->choice, good[i].choice);
		assert_int_equal(info->uid, 1001);
		assert_int_equal(info->grants, good[i].grants);
		assert_int_equal(
		    info->counter, good[i].kind == CSIGN_KIND_WEBAUTHN ? 7 : 0);
		assert_int_equal(
		    info->flags, good[i].kind == CSIGN_KIND_WEBAUTHN ? 5 : 0);
		csign_evidence_free(&ev);
		sample_free(&s);
	}
}

/* --- one thing changed -----------------------------------------------------
 */

static void
other_question(struct sample *s)
{
	s->e.question = "AAAAAAAAAAAB";
}

static void
longer_question(struct sample *s)
{
	s->e.question = "AAAAAAAAAAAAA";
}

static void
other_host(struct sample *s)
{
	s->e.host = "web2.example.com";
}

static void
other_user(struct sample *s)
{
	s->e.user = "bob";
}

static void
other_uid(struct sample *s)
{
	s->e.uid++;
}

static void
other_device(struct sample *s)
{
	s->f.device.id[0] = s->f.device.id[0] == 'a' ? 'b' : 'a';
	memcpy(s->f.answer.device, s->f.device.id, sizeof(s->f.device.id));
}

/* With its id, too: a key that did not sign. */
static void
short_device(struct sample *s)
{
	s->f.device.id[CSIGN_DEVICE_ID_SIZE - 2] = '\0';
}

static void
no_choice(struct sample *s)
{
	s->f.answer.choice[0] = '\0';
}

static void
other_key(struct sample *s)
{
	csign_p256_free(&s->f.key);
	assert_ok(csign_p256_new(crypto, &s->f.key));
	csign_p256_point(s->f.key, s->f.device.point);
	assert_ok(csign_device_id(crypto, s->f.device.point, s->f.device.id));
	memcpy(s->f.answer.device, s->f.device.id, sizeof(s->f.device.id));
}

static void
key_without_its_id(struct sample *s)
{
	struct csign_device before = s->f.device;

	other_key(s);
	memcpy(s->f.device.id, before.id, sizeof(before.id));
	memcpy(s->f.answer.device, before.id, sizeof(before.id));
}

static void
other_rp(struct sample *s)
{
	s->f.device.rp[0] = 'b';
}

static void
other_origin(struct sample *s)
{
	s->f.device.origin[8] = 'b';
}

static void
other_backup(struct sample *s)
{
	s->f.device.backup_eligible = true;
}

static void
higher_counter(struct sample *s)
{
	s->e.counter = 7;
}

static void
denied(struct sample *s)
{
	memcpy(s->f.answer.choice, "deny", 5);
}

static void
not_offered(struct sample *s)
{
	memcpy(s->f.answer.choice, "canary", 7);
}

static void
with_code(struct sample *s)
{
	s->e.code = CODE;
}

static void
without_code(struct sample *s)
{
	s->e.code = "";
}

static void
other_code(struct sample *s)
{
	s->e.code = "482914";
}

static void
other_a(struct sample *s)
{
	s->f.a[36]++;
}

static void
other_b(struct sample *s)
{
	s->f.b[s->f.b_len - 3] ^= 1;
}

static void
other_signature(struct sample *s)
{
	s->f.signature[s->f.signature_len - 1] ^= 1;
}

static void
later(struct sample *s)
{
	s->e.checked_ms += CSIGN_P256_SKEW_MS;
}

static void
as_p256(struct sample *s)
{
	s->f.device.kind = s->f.answer.kind = CSIGN_KIND_P256;
}

static void
shorter_transaction(struct sample *s)
{
	s->e.transaction_len--;
}

/* Another question that is one: {"title":"t"} became "u". */
static void
other_transaction(struct sample *s)
{
	static char text[CSIGN_TRANSACTION_MAX];
	char *title = NULL;

	memcpy(text, s->e.transaction, s->e.transaction_len);
	text[s->e.transaction_len] = '\0';
	assert_non_null(title = strstr(text, "\"title\":\"t\""));
	title[strlen("\"title\":\"")] = 'u';
	s->e.transaction = text;
}

static void
nothing_else_is(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct sample *s);
		enum csign_kind kind;
		const char *code;
		enum csign_err want;
	} rows[] = {
	    {"question", other_question, CSIGN_KIND_P256, "", CSIGN_E_FORMAT},
	    {"longer", longer_question, CSIGN_KIND_P256, "", CSIGN_E_FORMAT},
	    {"host", other_host, CSIGN_KIND_P256, "", CSIGN_E_FORMAT},
	    {"short id", short_device, CSIGN_KIND_P256, "", CSIGN_E_FORMAT},
	    {"no choice", no_choice, CSIGN_KIND_P256, "", CSIGN_E_FORMAT},
	    {"user", other_user, CSIGN_KIND_P256, "", CSIGN_E_FORMAT},
	    {"uid", other_uid, CSIGN_KIND_P256, "", CSIGN_E_FORMAT},
	    {"device", other_device, CSIGN_KIND_P256, "", CSIGN_E_PROOF_DEVICE},
	    {"key", other_key, CSIGN_KIND_P256, "", CSIGN_E_PROOF_SIGNATURE},
	    {"key", other_key, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_SIGNATURE},
	    {"key alone", key_without_its_id, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_DEVICE},
	    {"rp", other_rp, CSIGN_KIND_WEBAUTHN, "", CSIGN_E_PROOF_RPID},
	    {"origin", other_origin, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_ORIGIN},
	    {"backup", other_backup, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_BACKUP},
	    {"counter", higher_counter, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_COUNTER},
	    {"choice", denied, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_CHALLENGE},
	    {"choice", denied, CSIGN_KIND_WEBAUTHN, CODE, CSIGN_E_PROOF_CHOICE},
	    {"not offered", not_offered, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_CHOICE},
	    {"with code", with_code, CSIGN_KIND_P256, "",
		CSIGN_E_PROOF_CHALLENGE},
	    {"without code", without_code, CSIGN_KIND_P256, CODE,
		CSIGN_E_PROOF_CHALLENGE},
	    {"code", other_code, CSIGN_KIND_P256, CODE,
		CSIGN_E_PROOF_CHALLENGE},
	    {"authenticator data", other_a, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_SIGNATURE},
	    {"client data", other_b, CSIGN_KIND_P256, "",
		CSIGN_E_PROOF_CHALLENGE},
	    {"signature", other_signature, CSIGN_KIND_P256, "",
		CSIGN_E_PROOF_SIGNATURE},
	    {"signature", other_signature, CSIGN_KIND_WEBAUTHN, "",
		CSIGN_E_PROOF_SIGNATURE},
	    {"time", later, CSIGN_KIND_P256, "", CSIGN_E_PROOF_TIME},
	    {"kind", as_p256, CSIGN_KIND_WEBAUTHN, "", CSIGN_E_PROOF_LENGTH},
	    {"transaction", shorter_transaction, CSIGN_KIND_P256, "",
		CSIGN_E_FORMAT},
	    {"title", other_transaction, CSIGN_KIND_P256, "",
		CSIGN_E_PROOF_CHALLENGE},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		static struct sample s;

		sample(&s, rows[i].kind, "approve", rows[i].code);
		rows[i].change(&s);
		write_line(&s);
		assert_err(rows[i].name, verify_sample(&s), rows[i].want);
		sample_free(&s);
	}
}

/* Where the signature does not see it, the mark in the record does. */
static void
no_byte_can_be_changed(void **state)
{
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		char mark[CSIGN_EVIDENCE_MARK_SIZE], now[sizeof(mark)];
		static struct sample s;
		char *line = NULL;
		size_t len = 0, unseen = 0;

		sample(&s, k == 0 ? CSIGN_KIND_WEBAUTHN : CSIGN_KIND_P256,
		    "approve", CODE);
		len = csign_buf_len(s.line);
		line = exactly(csign_buf_str(s.line), len);
		assert_ok(csign_evidence_mark(crypto, line, len, mark));
		for (size_t i = 0; i < len; i++) {
			line[i] ^= 1;
			if (verify(line, len) == CSIGN_OK) {
				unseen++;
				assert_ok(csign_evidence_mark(
				    crypto, line, len, now));
				assert_string_not_equal(mark, now);
			}
			line[i] ^= 1;
		}
		/* digits of checkedMs, and of a counter that is lower */
		assert_true(unseen <= 8);
		free(line);
		sample_free(&s);
	}
}

static void
a_line_has_one_form(void **state)
{
	static struct sample s;
	static char line[CSIGN_EVIDENCE_MAX + 2];
	const char *whole = NULL;
	size_t len = 0;

	(void)state;
	sample(&s, CSIGN_KIND_WEBAUTHN, "approve", CODE);
	whole = csign_buf_str(s.line);
	len = csign_buf_len(s.line);
	assert_ok(verify(whole, len));
	for (size_t n = 0; n < len; n++)
		assert_int_not_equal(verify(whole, n), CSIGN_OK);
	for (size_t i = 0; i <= len; i++) { /* a space anywhere */
		memcpy(line, whole, i);
		line[i] = ' ';
		memcpy(line + i + 1, whole + i, len - i);
		assert_int_not_equal(verify(line, len + 1), CSIGN_OK);
	}
	for (size_t i = 1; i <= len; i++) { /* one byte less anywhere */
		memcpy(line, whole, i - 1);
		memcpy(line + i - 1, whole + i, len - i);
		if (verify(line, len - 1) == CSIGN_OK)
			/* "checkedMs" in the same second has no fewer digits */
			fail_msg("without byte %zu", i);
	}
	/* One member more. */
	memcpy(line, whole, len - 1);
	memcpy(line + len - 1, ",\"x\":1}", 7);
	assert_err("more", verify(line, len + 6), CSIGN_E_FORMAT);
	memset(line, 'x', sizeof(line));
	assert_err("long", verify(line, CSIGN_EVIDENCE_MAX), CSIGN_E_TOO_LONG);
	assert_err(
	    "junk", verify(line, CSIGN_EVIDENCE_MAX - 1), CSIGN_E_FORMAT);
	sample_free(&s);
}

/* The largest that an answer can be fits. */
static void
every_answer_has_room(void **state)
{
	static char transaction[CSIGN_TRANSACTION_MAX];
	char host[CSIGN_HOST_MAX + 1], user[CSIGN_USER_MAX + 1];
	struct csign_buf *line = NULL;
	static struct sample s;

	(void)state;
	sample(&s, CSIGN_KIND_WEBAUTHN, "approve", CODE);
	memset(host, '"', CSIGN_HOST_MAX);
	memset(user, '\\', CSIGN_USER_MAX);
	memset(s.f.device.rp, '"', CSIGN_HOST_MAX);
	memset(s.f.device.origin, '"', CSIGN_URL_MAX);
	host[CSIGN_HOST_MAX] = user[CSIGN_USER_MAX] = '\0';
	memset(s.f.answer.choice, 'a', CSIGN_CHOICE_MAX);
	s.e.host = host;
	s.e.user = user;
	s.e.uid = s.e.counter = UINT32_MAX;
	s.e.transaction = transaction;
	s.e.transaction_len = sizeof(transaction);
	s.f.a_len = CSIGN_AUTHDATA_MAX;
	s.f.b_len = CSIGN_CLIENT_DATA_MAX;
	s.f.signature_len = CSIGN_SIGNATURE_MAX;
	write_line(&s);
	/* One byte more than an answer can have does not. */
	s.f.answer.b_len = CSIGN_CLIENT_DATA_MAX + 1;
	assert_ok(csign_buf_new(CSIGN_EVIDENCE_MAX - 1, &line));
	assert_err("more", csign_evidence_format(&s.e, line), CSIGN_E_TOO_LONG);
	csign_buf_free(&line);
	sample_free(&s);
}

/* --- memory that runs out ---------------------------------------------------
 */

static struct sample kept;

static int
once_more(void)
{
	struct csign_evidence *ev = NULL;
	enum csign_err r = csign_evidence_read(
	    ctx, csign_buf_str(kept.line), csign_buf_len(kept.line), &ev);

	if (r == CSIGN_OK)
		r = csign_evidence_check(ctx, ev);
	csign_evidence_free(&ev);
	return (int)r;
}

static void
no_memory_is_no_verdict(void **state)
{
	(void)state;
	sample(&kept, CSIGN_KIND_WEBAUTHN, "approve", CODE);
	fault_loop(once_more);
	sample_free(&kept);
}

static void
calls_without_an_object_are_refused(void **state)
{
	struct csign_evidence *ev = NULL;

	(void)state;
	assert_err(
	    "ctx", csign_evidence_read(NULL, "{}", 2, &ev), CSIGN_E_INVALID);
	assert_err(
	    "line", csign_evidence_read(ctx, NULL, 2, &ev), CSIGN_E_INVALID);
	assert_err(
	    "ret", csign_evidence_read(ctx, "{}", 2, NULL), CSIGN_E_INVALID);
	assert_err("check", csign_evidence_check(ctx, NULL), CSIGN_E_INVALID);
	csign_evidence_free(&ev);
	csign_evidence_free(NULL);
}

static int
begin(void **state)
{
	if (setup(state) != 0)
		return -1;
	return csign_ctx_new(NULL, &ctx) == CSIGN_OK ? 0 : -1;
}

static int
end(void **state)
{
	csign_ctx_free(&ctx);
	return teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_signed_is_found_good),
	    cmocka_unit_test(nothing_else_is),
	    cmocka_unit_test(no_byte_can_be_changed),
	    cmocka_unit_test(a_line_has_one_form),
	    cmocka_unit_test(every_answer_has_room),
	    cmocka_unit_test(no_memory_is_no_verdict),
	    cmocka_unit_test(calls_without_an_object_are_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
