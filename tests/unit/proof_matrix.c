/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every choice with every kind of question, mode, code and lifetime: each has a
 * challenge of its own, and what was signed for one is refused for every other
 * (countersign-security(7) TX-3).
 */
#include "proving.h"

#include "codec.h"
#include "transaction.h"

#define NONCE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define CELLS_MAX 1024
#define REMOVALS 2

static const char *const modes[] = {"never", "inbox", "always", "tap"};
static const char *const codes[] = {"", "000000", "482913", "482914"};
static const char *const listed[] = {"approve", "later"};
static const char *const reserved[] = {"deny", "not-me", "enroll", "remove"};
/* That either kind may have. */
static const uint32_t lifetimes[] = {60, 90, 91, 300};

/* What is signed: bytes, a word, and perhaps digits. */
struct cell {
	const struct csign_buf *bytes;
	const char *choice, *code;
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	char name[96];
};

/* Questions: approvals, enrolments, removals. */
static struct csign_buf
    *questions[2 * N_ROWS(modes) * N_ROWS(lifetimes) + REMOVALS];
static char names[N_ROWS(questions)][48];
static size_t n_questions;
static struct cell cells[CELLS_MAX];
static size_t n_cells;

static void
add_question(bool enrolment, const char *mode, uint32_t lifetime)
{
	/* Nothing else differs. */
	const struct csign_transaction t = {
	    .enrolment = enrolment,
	    .host = (char[]){"web1"},
	    .user = (char[]){"alice"},
	    .service = (char[]){"sudo"},
	    .title = (char[]){"t"},
	    .uid = 1001,
	    .choices = {(char[]){"approve"}, (char[]){"later"}},
	    .n_choices = enrolment ? 0 : 2,
	    .code = (char *)(uintptr_t)mode,
	    .nonce = (char[]){NONCE},
	    .created = (char[]){"2026-11-21T22:50:00Z"},
	    .lifetime = lifetime,
	};
	struct csign_buf **out = &questions[n_questions];

	assert_true(n_questions < N_ROWS(questions));
	(void)snprintf(names[n_questions++], sizeof(names[0]), "%s, %s, %u",
	    enrolment ? "enrolment" : "approval", mode, (unsigned)lifetime);
	assert_ok(csign_buf_new(CSIGN_TRANSACTION_MAX, out));
	assert_ok(csign_transaction_write(&t, *out, NULL));
}

static void
add_removal(const char *device)
{
	struct csign_buf **out = &questions[n_questions];

	(void)snprintf(names[n_questions++], sizeof(names[0]), "removal");
	assert_ok(csign_buf_new(CSIGN_TRANSACTION_MAX, out));
	assert_ok(csign_removal_write("web1", "alice", 1001, device, *out));
}

static void
add_cell(size_t question, const char *choice, const char *code)
{
	struct cell *c = &cells[n_cells++];

	assert_true(n_cells <= CELLS_MAX);
	c->bytes = questions[question];
	c->choice = choice;
	c->code = code;
	(void)snprintf(c->name, sizeof(c->name), "%s with \"%s\": %s", choice,
	    code, names[question]);
	assert_err(c->name,
	    csign_challenge(crypto, choice, csign_buf_data(c->bytes),
		csign_buf_len(c->bytes), code, c->challenge),
	    CSIGN_OK);
}

/* Every word and every code for every question, be it offered there or not. */
static int
setup_cells(void **state)
{
	if (setup(state) != 0)
		return 1;
	for (size_t e = 0; e < 2; e++)
		for (size_t m = 0; m < N_ROWS(modes); m++)
			for (size_t l = 0; l < N_ROWS(lifetimes); l++)
				add_question(e == 1, modes[m], lifetimes[l]);
	add_removal("4hx2k7q3m5rj6wza");
	add_removal("4hx2k7q3m5rj6wzb");
	for (size_t q = 0; q < n_questions; q++) {
		for (size_t i = 0; i < N_ROWS(listed); i++)
			for (size_t k = 0; k < N_ROWS(codes); k++)
				add_cell(q, listed[i], codes[k]);
		for (size_t i = 0; i < N_ROWS(reserved); i++)
			add_cell(q, reserved[i], "");
	}
	return 0;
}

static int
teardown_cells(void **state)
{
	for (size_t i = 0; i < n_questions; i++)
		csign_buf_free(&questions[i]);
	return teardown(state);
}

static void
no_two_have_one_challenge(void **state)
{
	(void)state;
	assert_int_equal(n_questions, N_ROWS(questions));
	assert_int_equal(n_cells,
	    n_questions * (N_ROWS(listed) * N_ROWS(codes) + N_ROWS(reserved)));
	for (size_t i = 0; i < n_cells; i++)
		for (size_t k = 0; k < i; k++)
			if (memcmp(cells[i].challenge, cells[k].challenge,
				CSIGN_CHALLENGE_LEN) == 0)
				fail_msg(
				    "%s; %s", cells[i].name, cells[k].name);
}

static void
no_reserved_word_has_a_code(void **state)
{
	unsigned char out[CSIGN_CHALLENGE_LEN];

	(void)state;
	for (size_t q = 0; q < n_questions; q++)
		for (size_t i = 0; i < N_ROWS(reserved); i++)
			for (size_t k = 1; k < N_ROWS(codes); k++)
				assert_err(names[q],
				    csign_challenge(crypto, reserved[i],
					csign_buf_data(questions[q]),
					csign_buf_len(questions[q]), codes[k],
					out),
				    CSIGN_E_INVALID);
}

/* --- proofs ---------------------------------------------------------------
 */

static void
sign_for(struct fixture *f, const unsigned char challenge[CSIGN_CHALLENGE_LEN])
{
	char text[CSIGN_CHALLENGE_SIZE];

	assert_ok(csign_b64u_encode(
	    challenge, CSIGN_CHALLENGE_LEN, text, sizeof(text)));
	memcpy(f->text, text, sizeof(text));
	if (f->device.kind == CSIGN_KIND_WEBAUTHN) {
		set_b(f, GOOD_GET);
		sign_webauthn(f);
	} else {
		set_b(f, "1763765400000_@C");
		sign_p256(f);
	}
}

static void
expect(struct fixture *f, const struct cell *c, enum csign_err want)
{
	memcpy(f->challenge, c->challenge, sizeof(f->challenge));
	assert_err(c->name, check(f), want);
}

/* It has the other's challenge in it, and still this one's signature. */
static void
challenge_put_in(struct fixture *f, const struct cell *other)
{
	char text[CSIGN_CHALLENGE_SIZE], *at = NULL;

	f->b[f->b_len] = '\0';
	at = strstr(f->b, f->text);
	assert_non_null(at);
	assert_ok(csign_b64u_encode(
	    other->challenge, CSIGN_CHALLENGE_LEN, text, sizeof(text)));
	memcpy(at, text, strlen(text));
	expect(f, other, CSIGN_E_PROOF_SIGNATURE);
	memcpy(at, f->text, strlen(text));
}

static void
each_counts_where_it_was_signed(enum csign_kind kind)
{
	static struct fixture f;

	fixture(&f, kind);
	for (size_t i = 0; i < n_cells; i++) {
		sign_for(&f, cells[i].challenge);
		for (size_t k = 0; k < n_cells; k++)
			if (k != i)
				expect(&f, &cells[k], CSIGN_E_PROOF_CHALLENGE);
		challenge_put_in(&f, &cells[(i + 1) % n_cells]);
		assert_untouched(&f);
		expect(&f, &cells[i], CSIGN_OK);
		memset(&f.facts, 0xee, sizeof(f.facts));
	}
	fixture_free(&f);
}

static void
p256_counts_where_it_was_signed(void **state)
{
	(void)state;
	each_counts_where_it_was_signed(CSIGN_KIND_P256);
}

static void
webauthn_counts_where_it_was_signed(void **state)
{
	(void)state;
	each_counts_where_it_was_signed(CSIGN_KIND_WEBAUTHN);
}

/* A phone that signs what this library would not: a no with a code in it. */
static void
hash_by_hand(const struct csign_buf *bytes, const char *choice,
    const char *code, unsigned char out[CSIGN_CHALLENGE_LEN])
{
	const size_t len = csign_buf_len(bytes);
	const unsigned char frame[5] = {
	    0, 0, 0, (unsigned char)(len >> 8), (unsigned char)len};
	const struct csign_part parts[] = {
	    {"countersign/1 ", 14},
	    {choice, strlen(choice)},
	    {frame, sizeof(frame)},
	    {csign_buf_data(bytes), len},
	    {"", 1},
	    {code, strlen(code)},
	};

	assert_ok(csign_sha256(crypto, parts, N_ROWS(parts), out));
}

static void
a_no_with_a_code_is_none(void **state)
{
	static struct fixture f;
	unsigned char challenge[CSIGN_CHALLENGE_LEN];

	(void)state;
	/* It is what the library has, where the library has one. */
	for (size_t i = 0; i < n_cells; i++) {
		hash_by_hand(
		    cells[i].bytes, cells[i].choice, cells[i].code, challenge);
		assert_memory_equal(
		    challenge, cells[i].challenge, CSIGN_CHALLENGE_LEN);
	}
	fixture(&f, CSIGN_KIND_P256);
	for (size_t q = 0; q < n_questions; q++)
		for (size_t i = 0; i < N_ROWS(reserved); i++)
			for (size_t k = 1; k < N_ROWS(codes); k++) {
				hash_by_hand(questions[q], reserved[i],
				    codes[k], challenge);
				sign_for(&f, challenge);
				for (size_t n = 0; n < n_cells; n++)
					expect(&f, &cells[n],
					    CSIGN_E_PROOF_CHALLENGE);
			}
	assert_untouched(&f);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_two_have_one_challenge),
	    cmocka_unit_test(no_reserved_word_has_a_code),
	    cmocka_unit_test(p256_counts_where_it_was_signed),
	    cmocka_unit_test(webauthn_counts_where_it_was_signed),
	    cmocka_unit_test(a_no_with_a_code_is_none),
	};

	return cmocka_run_group_tests_name(
	    "proof_matrix", tests, setup_cells, teardown_cells);
}
