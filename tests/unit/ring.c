/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions that ring, from the host's side: who is rung and told what, the
 * code, and what the limit of phones that ring is told at the end.  The limit
 * itself is played here; its own tests are in limit.c.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "answer.h"
#include "codec.h"
#include "compose.h"
#include "fault.h"
#include "judge.h"
#include "limit.h"
#include "played.h"
#include "proof.h"
#include "push.h"
#include "seal.h"
#include "secret.h"

#define RING "AAECAwQFBgcI"
#define N_ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* --- the limit, played ---------------------------------------------------- */

static struct {
	enum csign_quiet quiet; /* what it says */
	unsigned int turns;     /* taken */
	uint32_t open_for;
	unsigned int unanswered;
	unsigned int lost;
	enum csign_became became[32];
	size_t n_became;
	enum csign_became over; /* and of which ring, after an answer */
	char ring[CSIGN_RING_SIZE];
	bool alert; /* by the next that it is told */
	bool no_time;
	bool no_write; /* of the state */
} limit;

enum csign_quiet __wrap_csign_push_take(struct csign_ctx *ctx,
    const struct csign_account *account, uint32_t open_for,
    char ret_ring[CSIGN_RING_SIZE], char ret_note[CSIGN_PUSH_NOTE_SIZE]);
void __wrap_csign_push_over(struct csign_ctx *ctx,
    const struct csign_account *account, const char ring[CSIGN_RING_SIZE],
    enum csign_became became);
bool __wrap_csign_limit_became(struct csign_limit *l,
    const struct csign_now *now, const char ring[CSIGN_RING_SIZE],
    enum csign_became became);
enum csign_err __wrap_csign_state_write(struct csign_state_lock *lock,
    const struct csign_state *state, struct csign_why *why);
enum csign_err __real_csign_state_write(struct csign_state_lock *lock,
    const struct csign_state *state, struct csign_why *why);
enum csign_err __wrap_csign_now_get(struct csign_now *ret_now);
enum csign_err __real_csign_now_get(struct csign_now *ret_now);
ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned int flags);
ssize_t __real_getrandom(void *bytes, size_t len, unsigned int flags);

enum csign_quiet
__wrap_csign_push_take(struct csign_ctx *ctx,
    const struct csign_account *account, uint32_t open_for,
    char ret_ring[CSIGN_RING_SIZE], char ret_note[CSIGN_PUSH_NOTE_SIZE])
{
	assert_string_equal(account->name, host.account.name);
	/* What it has to say about its own troubles is no reason to fail. */
	csign_why_set(&ctx->why, "a word of the limit's");
	limit.turns++;
	limit.open_for = open_for;
	memcpy(ret_ring, RING, CSIGN_RING_SIZE);
	(void)snprintf(ret_note, CSIGN_PUSH_NOTE_SIZE, "%s",
	    limit.quiet == CSIGN_QUIET_NO ? "" : "Not now.");
	return limit.quiet;
}

void
__wrap_csign_push_over(struct csign_ctx *ctx,
    const struct csign_account *account, const char ring[CSIGN_RING_SIZE],
    enum csign_became became)
{
	assert_string_equal(account->name, host.account.name);
	csign_why_set(&ctx->why, "another word of the limit's");
	memcpy(limit.ring, ring, CSIGN_RING_SIZE);
	limit.over = became;
	if (became != CSIGN_BECAME_UNANSWERED && became != CSIGN_BECAME_LOST)
		return;
	assert_string_equal(ring, RING);
	if (became == CSIGN_BECAME_UNANSWERED)
		limit.unanswered++;
	else
		limit.lost++;
}

bool
__wrap_csign_limit_became(struct csign_limit *l, const struct csign_now *now,
    const char ring[CSIGN_RING_SIZE], enum csign_became became)
{
	bool alert = limit.alert;

	assert_true(l->wrong_codes <= CSIGN_WRONG_CODES_MAX);
	assert_true(now->wall > 1700000000);
	assert_true(limit.n_became < N_ROWS(limit.became));
	/* What rings is in the other file. */
	assert_string_equal(ring, "");
	limit.became[limit.n_became++] = became;
	limit.alert = false;
	return alert;
}

enum csign_err
__wrap_csign_state_write(struct csign_state_lock *lock,
    const struct csign_state *state, struct csign_why *why)
{
	return limit.no_write ? CSIGN_E_STATE
			      : __real_csign_state_write(lock, state, why);
}

enum csign_err
__wrap_csign_now_get(struct csign_now *ret_now)
{
	return limit.no_time ? CSIGN_E_CLOCK : __real_csign_now_get(ret_now);
}

/* --- randomness, played --------------------------------------------------- */

/* Draws of four bytes: one that is not played is the kernel's. */
static struct {
	const uint32_t *draws;
	size_t n;
	size_t made;
	bool fails;
	uint64_t seed; /* makes them all, if not 0 */
} dice;

static uint32_t
next_of_seed(void)
{
	dice.seed ^= dice.seed << 13;
	dice.seed ^= dice.seed >> 7;
	dice.seed ^= dice.seed << 17;
	return (uint32_t)(dice.seed >> 32);
}

ssize_t
__wrap_getrandom(void *bytes, size_t len, unsigned int flags)
{
	uint32_t draw;

	if (len != sizeof(draw) || (!dice.fails && dice.n == 0 && !dice.seed))
		return __real_getrandom(bytes, len, flags);
	if (dice.fails)
		return -1;
	if (dice.seed != 0)
		draw = next_of_seed();
	else
		draw = dice.draws[dice.made < dice.n ? dice.made : dice.n - 1];
	dice.made++;
	memcpy(bytes, &draw, sizeof(draw));
	return (ssize_t)len;
}

/* --- phones --------------------------------------------------------------- */

static int
setup_ringing(void **state)
{
	int r = setup(state);

	if (r != 0)
		return r;
	memset(&limit, 0, sizeof(limit));
	memset(&dice, 0, sizeof(dice));
	courier.rings = 1;
	host.seal = key_from(77);
	set_devices(&host.key, 1);
	return 0;
}

/* Some account that may tap, so not root. */
static void
be_somebody(void)
{
	if (geteuid() != 0)
		return;
	(void)snprintf(host.user, sizeof(host.user), "daemon");
	assert_int_equal(
	    csign_account_find(host.user, &host.account, &host.ctx->why),
	    CSIGN_OK);
	set_devices(&host.key, 1);
}

/* Another code than that of the question: n of 1 to 9. */
static const char *
wrong_code(char n)
{
	static char code[CSIGN_CODE_LEN + 1];

	(void)snprintf(code, sizeof(code), "%s", csign_approval_code(host.ap));
	code[0] = (char)('0' + (code[0] - '0' + n) % 10);
	return code;
}

static void
answer_code(const char *code)
{
	sign_code(host.key, "approve", code);
	send_answer();
}

/* Answers with a wrong code, which is so often not the end. */
static void
type_wrongly(char n, uint8_t left)
{
	answer_code(wrong_code(n));
	assert_int_equal(wait_for(0), left > 0 ? CSIGN_E_AGAIN : CSIGN_E_LIMIT);
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_REJECTED);
	assert_string_equal(courier.reason, "PROOF_CODE");
	assert_int_equal(courier.tries_left, left);
}

static void
assert_became(size_t n, enum csign_became last, const char *ring)
{
	assert_int_equal(limit.n_became, n);
	if (n == 0)
		return;
	assert_int_equal(limit.became[n - 1], last);
	if (last == CSIGN_BECAME_WRONG_CODE)
		return;
	/* A no is counted once; a success ends what the rings used up. */
	assert_int_equal(limit.over,
	    last == CSIGN_BECAME_DENIED || last == CSIGN_BECAME_NOT_ME
		? CSIGN_BECAME_ANSWERED
		: last);
	assert_string_equal(limit.ring, ring);
}

static void
assert_code(const char *word, const char *code)
{
	assert_string_equal(host.question.transaction.code, word);
	assert_string_equal(csign_approval_code(host.ap), code);
}

/* The question does not ring, whatever else it does. */
static void
assert_silent(const char *word)
{
	assert_int_equal(courier.n_copies, 0);
	assert_int_equal(csign_approval_rings(host.ap), -1);
	assert_string_equal(host.question.transaction.code, word);
	assert_int_equal(strlen(csign_approval_code(host.ap)),
	    strcmp(word, "inbox") == 0 ? CSIGN_CODE_LEN : 0);
}

/* --- what the phone is given ---------------------------------------------- */

/* S, as the phone that this copy is for opens it. */
static enum csign_err
open_copy(const struct csign_p256 *seal, const unsigned char *copy,
    unsigned char secret[CSIGN_SECRET_LEN])
{
	char id[CSIGN_DEVICE_ID_SIZE] = "";

	memcpy(id, copy, CSIGN_DEVICE_ID_SIZE - 1);
	return csign_device_open(host.ctx->crypto, seal, id,
	    copy + CSIGN_DEVICE_ID_SIZE - 1, secret);
}

static void
assert_copies_open(size_t n)
{
	unsigned char secret[CSIGN_SECRET_LEN];

	assert_int_equal(courier.n_copies, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
		    open_copy(
			host.seal, courier.copies + i * CSIGN_COPY_LEN, secret),
		    CSIGN_OK);
		assert_memory_equal(
		    secret, csign_link_secret(host.link), sizeof(secret));
	}
}

static void
rings_with_a_code(void **state)
{
	const char *code;

	(void)state;
	set_devices((struct csign_p256 *const[]){host.key, host.other_key}, 2);
	begin();
	code = csign_approval_code(host.ap);
	assert_int_equal(strlen(code), CSIGN_CODE_LEN);
	assert_int_equal(strspn(code, "0123456789"), CSIGN_CODE_LEN);
	assert_string_equal(host.question.transaction.code, "inbox");
	assert_string_equal(csign_approval_push_note(host.ap), "");
	assert_string_equal(courier.subject, host.user);
	assert_copies_open(2);
	assert_int_equal(csign_approval_rings(host.ap), 1);
	assert_int_equal(limit.turns, 1);
	assert_int_equal(limit.open_for, 90);
	/* The code is nowhere but here and at the terminal. */
	assert_null(memmem(csign_buf_data(host.question.bytes),
	    csign_buf_len(host.question.bytes), code, CSIGN_CODE_LEN));
	answer_code(code);
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_GRANTED);
	assert_memory_equal(courier.device, courier.copies, 16);
	assert_became(1, CSIGN_BECAME_GRANTED_RUNG, RING);
	end_question();
	assert_int_equal(limit.unanswered, 0);
	assert_false(in_audit("\"alert\""));
}

static void
only_phones_that_can_answer_ring(void **state)
{
	struct csign_p256 *seal = host.seal;

	(void)state;
	host.seal = NULL;
	set_devices(&host.key, 1);
	host.seal = seal;
	begin();
	assert_silent("never");
	assert_int_equal(limit.turns, 0);
	assert_string_equal(csign_approval_push_note(host.ap), "");
}

static void
a_service_may_claim_what_it_likes(void **state)
{
	(void)state;
	courier.rings = 0;
	begin();
	assert_int_equal(csign_approval_rings(host.ap), 0);
	assert_string_equal(host.question.transaction.code, "inbox");
	end_question();
	courier.rings = CSIGN_DEVICES_MAX;
	begin();
	assert_int_equal(csign_approval_rings(host.ap), CSIGN_DEVICES_MAX);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
	/* Nobody was to be rung, so nobody is. */
	configure("push = no\n");
	begin();
	assert_int_equal(csign_approval_rings(host.ap), -1);
}

/* --- answers -------------------------------------------------------------- */

/* The door of the link is open as ever, and says that it was that one. */
static void
the_link_needs_no_code(void **state)
{
	(void)state;
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_became(1, CSIGN_BECAME_GRANTED_LINK, RING);
}

static void
a_wrong_code_and_then_the_right_one(void **state)
{
	(void)state;
	begin();
	type_wrongly(1, 2);
	assert_became(1, CSIGN_BECAME_WRONG_CODE, RING);
	assert_audit("\"reason\":\"PROOF_CODE\"");
	assert_audit("\"deviceName\":\"phone 1\"");
	/* The same bytes are neither looked at nor counted again. */
	courier.reason[0] = '\0';
	send_answer();
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "");
	type_wrongly(2, 1);
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_became(3, CSIGN_BECAME_GRANTED_RUNG, RING);
	end_question();
	assert_int_equal(limit.unanswered, 0);
}

/* Where it was typed, a signature cannot be checked without the code. */
static void
what_was_typed_is_kept(void **state)
{
	const char *path = keep_evidence();
	char code[CSIGN_CODE_LEN + 1];

	(void)state;
	begin();
	type_wrongly(1, 2);
	assert_int_equal(access(path, F_OK), -1);
	memcpy(code, csign_approval_code(host.ap), sizeof(code));
	answer_code(code);
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_kept("approve", code);
	end_question();
	begin();
	answer(host.key, "approve"); /* by the link */
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_kept("approve", "");
	end_question();
	begin();
	answer(host.key, "deny");
	assert_int_equal(wait_for(0), CSIGN_E_DENIED);
	assert_kept("deny", "");
}

static void
the_third_wrong_code_is_the_last(void **state)
{
	(void)state;
	begin();
	type_wrongly(1, 2);
	type_wrongly(2, 1);
	type_wrongly(3, 0);
	assert_int_equal(limit.unanswered, 1);
	/* Over is over, for the right code and the link. */
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_E_LIMIT);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_LIMIT);
	assert_became(3, CSIGN_BECAME_WRONG_CODE, RING);
	end_question();
	assert_int_equal(limit.unanswered, 1);
}

static void
the_link_is_good_after_two_wrong_codes(void **state)
{
	(void)state;
	begin();
	type_wrongly(1, 2);
	type_wrongly(2, 1);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_became(3, CSIGN_BECAME_GRANTED_LINK, RING);
}

/* Six answers of another kind leave two, whatever codes are left. */
static void
tries_are_also_answers(void **state)
{
	unsigned char junk[64] = {1};

	(void)state;
	begin();
	for (unsigned char i = 0; i < 6; i++) {
		junk[1] = i;
		deliver(CSIGN_FRAME_ANSWER, 0, junk, sizeof(junk));
		assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
		assert_int_equal(courier.tries_left, 7 - i);
	}
	type_wrongly(1, 1);
	type_wrongly(2, 0);
}

static void
the_code_of_another_question_is_wrong(void **state)
{
	char before[CSIGN_CODE_LEN + 1];

	(void)state;
	begin();
	memcpy(before, csign_approval_code(host.ap), sizeof(before));
	end_question();
	assert_int_equal(limit.unanswered, 1);
	begin();
	assert_string_not_equal(before, csign_approval_code(host.ap));
	answer_code(before);
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_CODE");
}

/* --- answers that were made by hand --------------------------------------- */

/* What a phone signs, and what it then says about it. */
struct craft {
	const struct csign_p256 *key;
	enum csign_kind kind;
	const char *choice, *code; /* signed */
	const char *says;          /* the choice, or NULL: the same */
	const struct csign_buf *bytes;
	const char *origin;
	uint8_t flags;
	uint32_t counter;
	bool spoilt; /* the signature */
};

static struct craft
a_craft(const char *code)
{
	return (struct craft){
	    .key = host.key,
	    .kind = CSIGN_KIND_P256,
	    .choice = "approve",
	    .code = code,
	    .bytes = host.question.bytes,
	    .origin = "https://approve.example.org",
	    .flags = 0x05,
	};
}

static void
sha256(const void *data, size_t len, unsigned char out[32])
{
	const struct csign_part part = {data, len};

	assert_int_equal(
	    csign_sha256(host.ctx->crypto, &part, 1, out), CSIGN_OK);
}

/* Authenticator data, and behind it the hash of the client data. */
static size_t
authenticator(const struct craft *w, const char *b, unsigned char out[69])
{
	sha256("approve.example.org", strlen("approve.example.org"), out);
	out[32] = w->flags;
	for (int i = 0; i < 4; i++)
		out[33 + i] = (unsigned char)(w->counter >> (24 - 8 * i));
	sha256(b, strlen(b), out + 37);
	return 69;
}

static void
client_data(const struct craft *w, char *out, size_t size)
{
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	char text[CSIGN_CHALLENGE_SIZE];
	uint64_t now = 0;

	assert_int_equal(csign_clock_wall(&now), CSIGN_OK);
	assert_int_equal(csign_challenge(host.ctx->crypto, w->choice,
			     csign_buf_data(w->bytes), csign_buf_len(w->bytes),
			     w->code, challenge),
	    CSIGN_OK);
	assert_int_equal(
	    csign_b64u_encode(challenge, sizeof(challenge), text, sizeof(text)),
	    CSIGN_OK);
	if (w->kind == CSIGN_KIND_WEBAUTHN)
		(void)snprintf(out, size,
		    "{\"type\":\"webauthn.get\",\"challenge\":\"%s\","
		    "\"origin\":\"%s\",\"crossOrigin\":false}",
		    text, w->origin);
	else
		(void)snprintf(
		    out, size, "%llu_%s", (unsigned long long)now, text);
}

static void
send_craft(const struct craft *w)
{
	struct csign_answer parts = {.kind = w->kind};
	unsigned char point[CSIGN_POINT_LEN], a[69], signature[80];
	struct csign_buf *plain = NULL;
	char b[512];

	client_data(w, b, sizeof(b));
	csign_p256_point(w->key, point);
	assert_int_equal(
	    csign_device_id(host.ctx->crypto, point, parts.device), CSIGN_OK);
	(void)snprintf(parts.choice, sizeof(parts.choice), "%s",
	    w->says == NULL ? w->choice : w->says);
	parts.b = (const unsigned char *)b;
	parts.b_len = strlen(b);
	if (w->kind == CSIGN_KIND_WEBAUTHN) {
		assert_int_equal(
		    csign_p256_sign(w->key, a, authenticator(w, b, a),
			signature, &parts.signature_len),
		    CSIGN_OK);
		parts.a = a;
		parts.a_len = 37;
	} else {
		assert_int_equal(csign_p256_sign(w->key, b, strlen(b),
				     signature, &parts.signature_len),
		    CSIGN_OK);
	}
	if (w->spoilt)
		signature[parts.signature_len - 1] ^= 1;
	parts.signature = signature;
	csign_buf_free(&host.answer);
	assert_int_equal(csign_buf_new(CSIGN_ANSWER_MAX, &plain), CSIGN_OK);
	assert_int_equal(
	    csign_buf_new(CSIGN_ANSWER_MAX, &host.answer), CSIGN_OK);
	assert_int_equal(csign_answer_write(&parts, plain), CSIGN_OK);
	assert_int_equal(
	    csign_seal(host.ctx->crypto, CSIGN_SEAL_ANSWER,
		csign_link_answer_key(host.link), csign_buf_data(plain),
		csign_buf_len(plain), host.answer),
	    CSIGN_OK);
	csign_buf_free(&plain);
	send_answer();
}

/* It is no try for the code, and the limit does not hear of it. */
static void
assert_no_try(const struct craft *w, const char *reason)
{
	size_t before = limit.n_became;

	send_craft(w);
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, reason);
	assert_true(courier.tries_left > CSIGN_CODE_TRIES_MAX);
	assert_int_equal(limit.n_became, before);
}

static void
a_try_is_signed(void **state)
{
	struct craft w;

	(void)state;
	begin();
	w = a_craft(wrong_code(1));
	w.spoilt = true;
	assert_no_try(&w, "PROOF_CHALLENGE");
	w = a_craft(wrong_code(1));
	w.key = host.other_key;
	assert_no_try(&w, "PROOF_DEVICE");
	/* A code for a no, which never has one; neither way around. */
	w = a_craft(csign_approval_code(host.ap));
	w.says = "deny";
	assert_no_try(&w, "PROOF_CHALLENGE");
	w.says = "not-me";
	assert_no_try(&w, "PROOF_CHALLENGE");
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_OK);
}

/* A no that is said to be a yes grants nothing, in none of the two ways. */
static void
a_signed_no_is_no_yes(void **state)
{
	struct craft w;

	(void)state;
	begin();
	w = a_craft("");
	w.choice = "deny";
	w.says = "approve";
	send_craft(&w);
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_CODE");
}

/* Signed for another question, under the key of this one's link. */
static void
another_questions_answer_grants_nothing(void **state)
{
	struct csign_buf *old = NULL;
	struct craft w;
	char code[CSIGN_CODE_LEN + 1];

	(void)state;
	begin();
	memcpy(code, csign_approval_code(host.ap), sizeof(code));
	old = host.question.bytes;
	host.question.bytes = NULL;
	end_question();
	begin();
	w = a_craft("");
	w.bytes = old;
	for (int i = 0; i < 3; i++) {
		/* Without its code, with it, and with the one of today. */
		if (i > 0)
			w.code = i == 1 ? code : csign_approval_code(host.ap);
		send_craft(&w);
		assert_int_equal(
		    wait_for(0), i < 2 ? CSIGN_E_AGAIN : CSIGN_E_LIMIT);
		assert_string_equal(courier.reason, "PROOF_CODE");
	}
	csign_buf_free(&old);
}

/* --- a passkey ------------------------------------------------------------ */

static void
set_passkey(void)
{
	struct csign_device device = {.kind = CSIGN_KIND_WEBAUTHN};
	const struct csign_device_list list = {&device, 1};
	struct csign_state_lock *lock = NULL;

	csign_p256_point(host.key, device.point);
	assert_int_equal(
	    csign_device_id(host.ctx->crypto, device.point, device.id),
	    CSIGN_OK);
	device.has_seal = true;
	csign_p256_point(host.seal, device.seal);
	device.credential_len = 16;
	(void)snprintf(device.rp, sizeof(device.rp), "approve.example.org");
	(void)snprintf(device.origin, sizeof(device.origin),
	    "https://approve.example.org");
	device.added = 1700000000;
	(void)snprintf(device.by, sizeof(device.by), "root");
	(void)snprintf(device.name, sizeof(device.name), "passkey");
	assert_int_equal(
	    csign_state_lock(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &host.ctx->why, &lock),
	    CSIGN_OK);
	assert_int_equal(
	    csign_devices_write(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &list, &host.ctx->why),
	    CSIGN_OK);
	csign_state_unlock(&lock);
}

static struct craft
a_passkeys(const char *code, uint32_t counter)
{
	struct craft w = a_craft(code);

	w.kind = CSIGN_KIND_WEBAUTHN;
	w.counter = counter;
	return w;
}

static void
read_state(struct csign_state *st)
{
	assert_int_equal(
	    csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, st, &host.ctx->why),
	    CSIGN_OK);
}

static void
a_passkey_types_a_code(void **state)
{
	struct csign_state st;
	struct craft w;

	(void)state;
	set_passkey();
	(void)keep_evidence();
	begin();
	w = a_passkeys(wrong_code(1), 7);
	send_craft(&w);
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_CODE");
	assert_int_equal(courier.tries_left, 2);
	/* Its counter does not come again, but it was no use of the device. */
	read_state(&st);
	assert_int_equal(st.n_uses, 1);
	assert_int_equal(st.uses[0].counter, 7);
	assert_int_equal(st.uses[0].last_used, 0);
	/* So a copy of it, sealed anew, is not a second try. */
	send_craft(&w);
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_CHALLENGE");
	assert_int_equal(courier.tries_left, 2);
	w = a_passkeys(csign_approval_code(host.ap), 8);
	send_craft(&w);
	assert_int_equal(wait_for(0), CSIGN_OK);
	read_state(&st);
	assert_int_equal(st.uses[0].counter, 8);
	assert_kept("approve", csign_approval_code(host.ap));
	assert_became(2, CSIGN_BECAME_GRANTED_RUNG, RING);
}

static void
wrong_signature(struct craft *w)
{
	w->spoilt = true;
}

static void
wrong_origin(struct craft *w)
{
	w->origin = "https://approve.example.net";
}

static void
no_verification(struct craft *w)
{
	w->flags = 0x01;
}

static void
wrong_key(struct craft *w)
{
	w->key = host.other_key;
}

static void
old_counter(struct craft *w)
{
	w->counter = 0;
}

/* AUD-1: also of what proves nothing there is a record that says why. */
static void
each_refusal_has_its_record(void **state)
{
	static const struct {
		void (*spoil)(struct craft *w);
		const char *reason;
	} rows[] = {
	    {wrong_signature, "PROOF_SIGNATURE"},
	    {wrong_origin, "PROOF_ORIGIN"},
	    {no_verification, "PROOF_FLAGS"},
	    {wrong_key, "PROOF_DEVICE"},
	    {old_counter, "PROOF_COUNTER"},
	};
	char record[64], question[64];
	struct craft w;

	(void)state;
	set_passkey();
	begin();
	w = a_passkeys("", 7);
	send_craft(&w);
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		assert_int_equal(unlink(host.audit), 0);
		begin();
		w = a_passkeys("", 8);
		rows[i].spoil(&w);
		send_craft(&w);
		assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
		(void)snprintf(record, sizeof(record),
		    "\"result\":\"refused\",\"reason\":\"%s\"", rows[i].reason);
		assert_audit(record);
		(void)snprintf(question, sizeof(question),
		    "\"question\":\"%.12s\"", host.question.transaction.nonce);
		assert_audit(question);
		assert_audit("\"device\":\"");
		assert_audit("\"config\":\"");
		assert_false(in_audit("\"evidence\""));
		end_question();
	}
}

/* All else has to be as good as for a yes. */
static void
a_passkeys_try_is_whole(void **state)
{
	struct craft w;

	(void)state;
	set_passkey();
	begin();
	w = a_passkeys(wrong_code(1), 7);
	w.origin = "https://approve.example.net";
	assert_no_try(&w, "PROOF_CHALLENGE");
	w = a_passkeys(wrong_code(1), 7);
	w.flags = 0x01;
	assert_no_try(&w, "PROOF_CHALLENGE");
	w = a_passkeys(wrong_code(1), 7);
	w.spoilt = true;
	assert_no_try(&w, "PROOF_CHALLENGE");
	/* And so has an answer with the right code. */
	w = a_passkeys(csign_approval_code(host.ap), 7);
	w.flags = 0x01;
	assert_no_try(&w, "PROOF_FLAGS");
	w.flags = 0x05;
	send_craft(&w);
	assert_int_equal(wait_for(0), CSIGN_OK);
}

/* --- who is rung, and when ------------------------------------------------ */

static void
quiet_by_the_host_or_the_caller(void **state)
{
	struct csign_request *req;

	(void)state;
	configure("push = no\n");
	begin();
	assert_silent("never");
	end_question();
	configure("");
	req = request_for(host.user);
	csign_request_set_push(req, false);
	assert_int_equal(
	    csign_approval_begin(host.ctx, req, &host.ap), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	assert_silent("never");
	csign_request_set_push(req, true);
	csign_approval_free(&host.ap);
	assert_int_equal(
	    csign_approval_begin(host.ctx, req, &host.ap), CSIGN_OK);
	assert_int_equal(limit.turns, 1);
	csign_request_free(&req);
}

/* Whatever code is typed where there is none, it is no answer to that. */
static void
no_code_where_none_was_shown(void **state)
{
	struct craft w;

	(void)state;
	configure("push = no\n");
	begin();
	w = a_craft("000000");
	assert_no_try(&w, "PROOF_CHALLENGE");
	assert_int_equal(courier.tries_left, CSIGN_ANSWERS_MAX - 1);
}

static void
the_limit_is_explained(void **state)
{
	(void)state;
	limit.quiet = CSIGN_QUIET_PAUSED;
	begin();
	assert_silent("never");
	assert_string_equal(csign_approval_push_note(host.ap), "Not now.");
	assert_string_equal(csign_ctx_why(host.ctx), "");
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	/* A QR success is one, whether anything rang or not. */
	assert_became(1, CSIGN_BECAME_GRANTED_LINK, "");
	end_question();
	assert_int_equal(limit.unanswered, 0);
}

static void
a_tap_where_it_is_chosen(void **state)
{
	struct craft w;

	(void)state;
	be_somebody();
	configure("push_confirm = tap\n");
	begin();
	assert_code("tap", "");
	assert_copies_open(1);
	w = a_craft("123456");
	assert_no_try(&w, "PROOF_CHALLENGE");
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	/* Which of the two it was nobody knows: it is no QR success. */
	assert_became(1, CSIGN_BECAME_GRANTED_RUNG, RING);
	end_question();
	limit.quiet = CSIGN_QUIET_OPEN;
	begin();
	assert_silent("never");
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_became(2, CSIGN_BECAME_GRANTED_LINK, "");
}

static void
root_never_taps(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	configure("push_confirm = tap\n");
	begin();
	assert_string_equal(host.question.transaction.code, "inbox");
	assert_int_equal(strlen(csign_approval_code(host.ap)), CSIGN_CODE_LEN);
}

/* What somebody sees who has proven nothing, whoever he says that he is. */
static void
nothing_is_told_before_a_proof(void **state)
{
	static const struct {
		const char *user; /* NULL: one with a phone */
		enum csign_quiet quiet;
		size_t copies;
		unsigned int turns;
	} cases[] = {
	    {NULL, CSIGN_QUIET_NO, 1, 1},
	    {NULL, CSIGN_QUIET_PAUSED, 0, 1},
	    {"no-such-user", CSIGN_QUIET_NO, 0, 0},
	};

	(void)state;
	for (int allowed = 0; allowed < 2; allowed++) {
		configure(allowed ? "push_without_first_factor = yes\n"
				    "push_confirm = tap\n"
				  : "");
		for (size_t i = 0; i < N_ROWS(cases); i++) {
			const char *user =
			    cases[i].user == NULL ? host.user : cases[i].user;
			size_t copies = allowed ? cases[i].copies : 0;

			limit.turns = 0;
			limit.quiet = cases[i].quiet;
			assert_int_equal(begin_for(user, true), CSIGN_OK);
			scan(csign_approval_link(host.ap));
			assert_string_equal(host.question.transaction.code,
			    allowed ? "inbox" : "never");
			assert_int_equal(strlen(csign_approval_code(host.ap)),
			    allowed ? CSIGN_CODE_LEN : 0);
			assert_string_equal(
			    csign_approval_push_note(host.ap), "");
			assert_int_equal(csign_approval_rings(host.ap), -1);
			assert_int_equal(courier.n_copies, copies);
			assert_string_equal(
			    courier.subject, copies > 0 ? user : "");
			assert_int_equal(
			    limit.turns, allowed ? cases[i].turns : 0);
			end_question();
		}
	}
	configure("push = no\npush_without_first_factor = yes\n");
	assert_int_equal(begin_for(host.user, true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	assert_silent("never");
}

static void
a_code_for_nobody_is_nobodys(void **state)
{
	(void)state;
	configure("push_without_first_factor = yes\n");
	assert_int_equal(begin_for("no-such-user", true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
	answer_code(wrong_code(1));
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
	assert_int_equal(wait_for(-1), CSIGN_E_UNKNOWN_USER);
	assert_became(0, CSIGN_BECAME_UNANSWERED, "");
	assert_int_equal(limit.unanswered, 0);
}

/* An account whose phones are quiet: its code is as good as any other. */
static void
a_code_that_nothing_rang_for(void **state)
{
	(void)state;
	configure("push_without_first_factor = yes\n");
	limit.quiet = CSIGN_QUIET_PAUSED;
	assert_int_equal(begin_for(host.user, true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	answer_code(wrong_code(1));
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_became(1, CSIGN_BECAME_WRONG_CODE, "");
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_became(2, CSIGN_BECAME_GRANTED_RUNG, "");
}

/* --- a service that makes trouble ----------------------------------------- */

static void
a_link_in_use_keeps_the_turn(void **state)
{
	(void)state;
	courier.conflicts = 1;
	begin();
	assert_int_equal(courier.starts, 2);
	assert_int_equal(limit.turns, 1);
	assert_copies_open(1);
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_became(1, CSIGN_BECAME_GRANTED_RUNG, RING);
	end_question();
	/* No third try, neither with copies nor without. */
	courier.conflicts = 3;
	assert_int_equal(begin_for(host.user, false), CSIGN_E_SERVICE);
	assert_int_equal(courier.conflicts, 1);
	assert_int_equal(limit.turns, 2);
	assert_int_equal(limit.lost, 1);
	assert_int_equal(limit.unanswered, 0);
}

/* An older one, or one that has had enough of this user's questions. */
static void
a_service_that_rings_nobody(void **state)
{
	(void)state;
	courier.no_copies = true;
	begin();
	assert_int_equal(courier.starts, 2);
	assert_silent("never");
	assert_string_equal(courier.subject, host.user);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_became(1, CSIGN_BECAME_GRANTED_LINK, "");
	end_question();
	assert_int_equal(limit.lost, 1);
	configure("push_without_first_factor = yes\n");
	assert_int_equal(begin_for(host.user, true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	assert_silent("inbox");
	assert_string_equal(courier.subject, "");
	end_question();
	assert_int_equal(limit.lost, 2);
	/* One that takes its time is not asked to take it again. */
	configure("");
	courier.starts = 0;
	courier.slow_ms = 1000;
	assert_int_equal(begin_for(host.user, false), CSIGN_E_SERVICE);
	assert_int_equal(courier.starts, 1);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "approve.example.org"));
	assert_int_equal(limit.lost, 3);
	assert_int_equal(limit.unanswered, 0);
}

/* --- how it ends ---------------------------------------------------------- */

static void
end_by_time(void)
{
	assert_int_equal(wait_for(-1), CSIGN_E_EXPIRED);
}

static void
end_by_service(void)
{
	deliver(CSIGN_FRAME_ENDED, CSIGN_END_CANCELLED, NULL, 0);
	assert_int_equal(wait_for(-1), CSIGN_E_CANCELLED);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "closed the question"));
}

static void
end_by_trouble(void)
{
	deliver(CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_UNREACHABLE, NULL, 0);
	assert_int_equal(wait_for(-1), CSIGN_E_SERVICE);
}

/* Anybody with the link can say it, so it is no answer of the user's. */
static void
end_unsigned(void)
{
	decline();
	assert_int_equal(wait_for(-1), CSIGN_E_DECLINED);
}

static void
end_at_the_terminal(void)
{
	unsigned int before = limit.unanswered;

	assert_int_equal(wait_for(1000), CSIGN_E_AGAIN);
	assert_int_equal(limit.unanswered, before);
}

static void
unanswered_is_told_once(void **state)
{
	static void (*const ends[])(void) = {end_by_time, end_by_service,
	    end_by_trouble, end_unsigned, end_at_the_terminal};

	(void)state;
	for (size_t i = 0; i < N_ROWS(ends); i++) {
		limit.unanswered = 0;
		begin();
		ends[i]();
		if (ends[i] != end_at_the_terminal)
			assert_int_equal(limit.unanswered, 1);
		(void)wait_for(0);
		end_question();
		assert_int_equal(limit.unanswered, 1);
		/* One that rang nobody says nothing. */
		limit.quiet = CSIGN_QUIET_SPACING;
		begin();
		ends[i]();
		end_question();
		assert_int_equal(limit.unanswered, 1);
		limit.quiet = CSIGN_QUIET_NO;
	}
	assert_became(0, CSIGN_BECAME_UNANSWERED, "");
}

static void
a_signed_no_is_told(void **state)
{
	static const struct {
		const char *choice;
		enum csign_err err;
		enum csign_became became;
		const char *record;
	} cases[] = {
	    {"deny", CSIGN_E_DENIED, CSIGN_BECAME_DENIED,
		"\"event\":\"alert\",\"result\":\"push-paused\","
		"\"reason\":\"DENIED\""},
	    {"not-me", CSIGN_E_NOT_ME, CSIGN_BECAME_NOT_ME,
		"\"event\":\"alert\",\"result\":\"push-stopped\","
		"\"reason\":\"NOT_ME\""},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(cases); i++) {
		for (int alert = 0; alert < 2; alert++) {
			limit.n_became = 0;
			limit.alert = alert;
			begin();
			answer(host.key, cases[i].choice);
			assert_int_equal(wait_for(0), cases[i].err);
			assert_became(1, cases[i].became, RING);
			end_question();
			assert_int_equal(in_audit(cases[i].record), alert);
		}
	}
	assert_int_equal(limit.unanswered, 0);
	/* Also where nothing rang: a signed no is one. */
	limit.quiet = CSIGN_QUIET_SPACING;
	begin();
	answer(host.key, "deny");
	assert_int_equal(wait_for(0), CSIGN_E_DENIED);
	assert_string_equal(limit.ring, "");
}

static void
codes_that_stop_the_ringing(void **state)
{
	(void)state;
	begin();
	limit.alert = true;
	type_wrongly(1, 2);
	assert_audit("\"event\":\"alert\",\"result\":\"push-stopped\","
		     "\"reason\":\"PROOF_CODE\"");
}

/* It is not told what could not be written down: it will find out itself. */
static void
a_state_that_is_not_written(void **state)
{
	static const char *const choices[] = {"not-me", "approve"};

	(void)state;
	for (size_t i = 0; i < N_ROWS(choices); i++) {
		limit.no_write = false;
		begin();
		limit.no_write = limit.alert = true;
		answer(host.key, choices[i]);
		assert_int_equal(wait_for(0), CSIGN_E_STATE);
		assert_int_equal(courier.outcome, CSIGN_OUTCOME_DENIED);
		end_question();
		assert_int_equal(limit.unanswered, i + 1);
		assert_false(in_audit("\"alert\""));
	}
	/* Of a wrong code nothing is said then, as it was not counted. */
	limit.no_write = false;
	begin();
	limit.no_write = true;
	answer_code(wrong_code(1));
	assert_int_equal(wait_for(0), CSIGN_E_STATE);
	assert_string_equal(courier.reason, "STATE");
}

static void
set_wrong_codes(uint32_t n)
{
	struct csign_state st = {.had_device = true};
	struct csign_state_lock *lock = NULL;

	st.limit.wrong_codes = n;
	assert_int_equal(
	    csign_state_lock(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &host.ctx->why, &lock),
	    CSIGN_OK);
	assert_int_equal(
	    csign_state_write(lock, &st, &host.ctx->why), CSIGN_OK);
	csign_state_unlock(&lock);
}

static void
a_hundred_wrong_codes_are_enough(void **state)
{
	struct craft w;

	(void)state;
	for (int right = 0; right < 2; right++) {
		set_wrong_codes(CSIGN_WRONG_CODES_MAX);
		begin();
		/* Who cannot sign does not come so far. */
		w = a_craft(wrong_code(1));
		w.spoilt = true;
		assert_no_try(&w, "PROOF_CHALLENGE");
		answer_code(
		    right ? csign_approval_code(host.ap) : wrong_code(1));
		assert_int_equal(wait_for(0), CSIGN_E_LIMIT);
		assert_int_equal(courier.outcome, CSIGN_OUTCOME_DENIED);
		assert_non_null(strstr(csign_ctx_why(host.ctx), "scan"));
		assert_became(0, CSIGN_BECAME_WRONG_CODE, "");
		end_question();
	}
	set_wrong_codes(CSIGN_WRONG_CODES_MAX);
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
	limit.n_became = 0;
	set_wrong_codes(CSIGN_WRONG_CODES_MAX - 1);
	begin();
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_OK);
}

/* Without the time, links work and codes do not. */
static void
no_time_no_code(void **state)
{
	(void)state;
	limit.no_time = true;
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
	for (int right = 0; right < 2; right++) {
		begin();
		answer_code(
		    right ? csign_approval_code(host.ap) : wrong_code(1));
		assert_int_equal(wait_for(0), CSIGN_E_CLOCK);
		end_question();
	}
	assert_became(0, CSIGN_BECAME_WRONG_CODE, "");
}

/* --- sealed secrets that are not this question's ---------------------------
 */

static void
copies_of_others_change_nothing(void **state)
{
	unsigned char old[CSIGN_COPY_LEN], secret[CSIGN_SECRET_LEN];
	struct csign_p256 *foreign = key_from(78);
	struct csign_link *link = NULL;

	(void)state;
	begin();
	memcpy(old, courier.copies, sizeof(old));
	/* Not for this phone, for another of its ids, or not whole. */
	assert_int_equal(open_copy(foreign, old, secret), CSIGN_E_FORMAT);
	old[0] = old[0] == 'a' ? 'b' : 'a';
	assert_int_equal(open_copy(host.seal, old, secret), CSIGN_E_FORMAT);
	memcpy(old, courier.copies, sizeof(old));
	old[CSIGN_COPY_LEN - 1] ^= 1;
	assert_int_equal(open_copy(host.seal, old, secret), CSIGN_E_FORMAT);
	old[CSIGN_COPY_LEN - 1] ^= 1;
	end_question();
	/* One of yesterday's leads to yesterday's link and nowhere else. */
	begin();
	assert_int_equal(open_copy(host.seal, old, secret), CSIGN_OK);
	assert_int_equal(
	    csign_link_from_secret(host.ctx->crypto, secret, &link), CSIGN_OK);
	assert_string_not_equal(csign_link_id(link), csign_link_id(host.link));
	csign_link_free(&host.link);
	host.link = link;
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_FORMAT");
	assert_became(0, CSIGN_BECAME_WRONG_CODE, "");
	/* One that somebody made up is a secret, but nobody's question. */
	scan(csign_approval_link(host.ap));
	answer_code(csign_approval_code(host.ap));
	assert_int_equal(wait_for(0), CSIGN_OK);
	csign_p256_free(&foreign);
}

/* --- the code itself ------------------------------------------------------ */

static enum csign_err
compose(struct csign_composed *composed)
{
	struct csign_request *req = request_for(host.user);
	enum csign_err r;

	r = csign_compose_approval(
	    host.ctx, req, &host.account, CSIGN_CODE_INBOX, composed);
	csign_request_free(&req);
	return r;
}

static void
every_code_is_as_likely(void **state)
{
	/* 4,294 whole millions; the rest is drawn again. */
	static const struct {
		uint32_t draws[3];
		const char *code;
		size_t n;
	} cases[] = {
	    {{0}, "000000", 1},
	    {{7}, "000007", 1},
	    {{123456}, "123456", 1},
	    {{1123456}, "123456", 1},
	    {{999999}, "999999", 1},
	    {{1000000}, "000000", 1},
	    {{UINT32_C(4293999999)}, "999999", 1},
	    {{UINT32_C(4294000000), 5}, "000005", 2},
	    {{UINT32_MAX, UINT32_C(4294000000), 42}, "000042", 3},
	};
	struct csign_composed composed;

	(void)state;
	for (size_t i = 0; i < N_ROWS(cases); i++) {
		dice.draws = cases[i].draws;
		dice.n = cases[i].n;
		dice.made = 0;
		assert_int_equal(compose(&composed), CSIGN_OK);
		assert_string_equal(composed.code, cases[i].code);
		assert_int_equal(dice.made, cases[i].n);
		csign_composed_clear(&composed);
		assert_memory_equal(composed.code, "\0\0\0\0\0\0", 7);
	}
}

static void
each_digit_is_as_likely(void **state)
{
	unsigned int seen[CSIGN_CODE_LEN][10] = {{0}};
	struct csign_composed composed;
	const unsigned int rounds = 20000;

	(void)state;
	dice.seed = 20261122;
	for (unsigned int i = 0; i < rounds; i++) {
		assert_int_equal(compose(&composed), CSIGN_OK);
		for (size_t at = 0; at < CSIGN_CODE_LEN; at++)
			seen[at][composed.code[at] - '0']++;
		csign_composed_clear(&composed);
	}
	/* 5 standard deviations of 42 */
	for (size_t at = 0; at < CSIGN_CODE_LEN; at++)
		for (size_t digit = 0; digit < 10; digit++)
			assert_in_range(seen[at][digit], rounds / 10 - 212,
			    rounds / 10 + 212);
}

static void
no_code_without_randomness(void **state)
{
	static const uint32_t high = UINT32_MAX;
	struct csign_composed composed = {0};

	(void)state;
	dice.fails = true;
	assert_int_equal(compose(&composed), CSIGN_E_RANDOM);
	assert_int_equal(begin_for(host.user, false), CSIGN_E_RANDOM);
	assert_int_equal(limit.lost, 1);
	dice.fails = false;
	/* A source that never gives a number that can be used. */
	dice.draws = &high;
	dice.n = 1;
	assert_int_equal(compose(&composed), CSIGN_E_INTERNAL);
	assert_in_range(dice.made, 16, 64);
	assert_null(composed.bytes);
}

static void
the_code_is_wiped(void **state)
{
	char code[CSIGN_CODE_LEN + 1];

	(void)state;
	begin();
	memcpy(code, csign_approval_code(host.ap), sizeof(code));
	type_wrongly(1, 2);
	answer_code(code);
	assert_int_equal(wait_for(0), CSIGN_OK);
	fault_canary(code);
	csign_approval_free(&host.ap);
	assert_int_equal(fault_canaries(), 0);
	fault_canary(NULL);
}

#define RINGING(f) cmocka_unit_test_setup_teardown(f, setup_ringing, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RINGING(rings_with_a_code),
	    RINGING(only_phones_that_can_answer_ring),
	    RINGING(a_service_may_claim_what_it_likes),
	    RINGING(the_link_needs_no_code),
	    RINGING(a_wrong_code_and_then_the_right_one),
	    RINGING(what_was_typed_is_kept),
	    RINGING(the_third_wrong_code_is_the_last),
	    RINGING(the_link_is_good_after_two_wrong_codes),
	    RINGING(tries_are_also_answers),
	    RINGING(the_code_of_another_question_is_wrong),
	    RINGING(a_try_is_signed),
	    RINGING(a_signed_no_is_no_yes),
	    RINGING(another_questions_answer_grants_nothing),
	    RINGING(a_passkey_types_a_code),
	    RINGING(each_refusal_has_its_record),
	    RINGING(a_passkeys_try_is_whole),
	    RINGING(quiet_by_the_host_or_the_caller),
	    RINGING(no_code_where_none_was_shown),
	    RINGING(the_limit_is_explained),
	    RINGING(a_tap_where_it_is_chosen),
	    RINGING(root_never_taps),
	    RINGING(nothing_is_told_before_a_proof),
	    RINGING(a_code_for_nobody_is_nobodys),
	    RINGING(a_code_that_nothing_rang_for),
	    RINGING(a_link_in_use_keeps_the_turn),
	    RINGING(a_service_that_rings_nobody),
	    RINGING(unanswered_is_told_once),
	    RINGING(a_signed_no_is_told),
	    RINGING(codes_that_stop_the_ringing),
	    RINGING(a_state_that_is_not_written),
	    RINGING(a_hundred_wrong_codes_are_enough),
	    RINGING(no_time_no_code),
	    RINGING(copies_of_others_change_nothing),
	    RINGING(every_code_is_as_likely),
	    RINGING(each_digit_is_as_likely),
	    RINGING(no_code_without_randomness),
	    RINGING(the_code_is_wiped),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
