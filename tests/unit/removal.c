/* SPDX-License-Identifier: BSD-2-Clause */
/* Removal by the phone: what a note does, and what it cannot do. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "approval.h"
#include "codec.h"
#include "played.h"
#include "proof.h"
#include "settings.h"
#include "transaction.h"

#define WALL UINT64_C(1600000000000) /* years ago: a note may wait */

/* A note that comes with the next question. */
static struct csign_buf *
new_note(void)
{
	struct csign_buf **note = &courier.notes[courier.n_notes++];

	assert_true(courier.n_notes <= 8);
	assert_int_equal(csign_buf_new(CSIGN_ANSWER_MAX, note), CSIGN_OK);
	return *note;
}

static void
drop_notes(void)
{
	for (size_t i = 0; i < courier.n_notes; i++)
		csign_buf_free(&courier.notes[i]);
	courier.n_notes = courier.n_removed = 0;
}

static struct csign_buf *
note_of(const struct csign_p256 *key)
{
	struct csign_buf *note = new_note();

	assert_int_equal(
	    csign_phone_removal(host.ctx->crypto, "web1", host.account.name,
		(uint32_t)host.account.uid, key, WALL, note),
	    CSIGN_OK);
	return note;
}

static void
id_of(const struct csign_p256 *key, char id[CSIGN_DEVICE_ID_SIZE])
{
	unsigned char point[CSIGN_POINT_LEN];

	csign_p256_point(key, point);
	assert_int_equal(
	    csign_device_id(host.ctx->crypto, point, id), CSIGN_OK);
}

static void
two_devices(void)
{
	set_devices((struct csign_p256 *const[]){host.key, host.other_key}, 2);
}

static bool
is_gone(const struct csign_p256 *key)
{
	char id[CSIGN_DEVICE_ID_SIZE];
	struct csign_state st;

	id_of(key, id);
	assert_int_equal(
	    csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &st, &host.ctx->why),
	    CSIGN_OK);
	return csign_state_is_gone(&st, id);
}

/* A login that goes on as if there were no note. */
static void
login(void)
{
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
}

static void
removes_a_device(void **state)
{
	char id[CSIGN_DEVICE_ID_SIZE], text[64];

	(void)state;
	two_devices();
	id_of(host.other_key, id);
	(void)note_of(host.other_key);
	begin();
	/* Before any answer: it was the phone's last word. */
	assert_int_equal(courier.n_removed, 1);
	assert_string_equal(courier.removed[0], id);
	assert_int_equal(count_devices(), 1);
	assert_true(is_gone(host.other_key));
	answer(host.other_key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_audit("\"event\":\"removal\",\"result\":\"granted\"");
	(void)snprintf(text, sizeof(text), "\"device\":\"%s\"", id);
	assert_audit(text);
	assert_audit("\"deviceName\":\"phone 2\"");
	end_question();
	/* The service did not hear it, and sends the note again. */
	courier.n_removed = 0;
	login();
	assert_int_equal(courier.n_removed, 1);
	assert_int_equal(count_devices(), 1);
	drop_notes();
}

/* Also the last one; the account does not look unenrolled by it. */
static void
removes_the_last_device(void **state)
{
	struct csign_state st;

	(void)state;
	configure("unenrolled = ignore\n");
	(void)note_of(host.key);
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	end_question();
	drop_notes();
	assert_int_equal(
	    csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &st, &host.ctx->why),
	    CSIGN_OK);
	assert_true(st.had_device);
	assert_int_equal(begin_for(host.user, false), CSIGN_E_STATE);
}

/* A note comes with anybody's question, and with an enrolment. */
static void
comes_with_any_question(void **state)
{
	(void)state;
	two_devices();
	(void)note_of(host.other_key);
	assert_int_equal(begin_for("no-such-user", true), CSIGN_OK);
	assert_int_equal(courier.n_removed, 1);
	assert_int_equal(count_devices(), 1);
	end_question();
	drop_notes();

	two_devices(); /* a file that an old backup put back: still gone */
	(void)note_of(host.other_key);
	begin_enrolment(NULL);
	assert_int_equal(courier.n_removed, 1);
	assert_int_equal(count_devices(), 1);
	drop_notes();
}

/*
 * A kind that may not approve here, and a counter that was overtaken, keep no
 * device that wants to go.
 */
static void
kind_does_not_keep_it(void **state)
{
	struct csign_state_lock *lock = NULL;
	struct csign_state st = {0};
	char id[CSIGN_DEVICE_ID_SIZE];

	(void)state;
	two_devices();
	configure("device_kinds = webauthn\n");
	id_of(host.other_key, id);
	assert_int_equal(
	    csign_state_lock(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &host.ctx->why, &lock),
	    CSIGN_OK);
	csign_state_use(&st, id)->counter = 1000;
	assert_int_equal(
	    csign_state_write(lock, &st, &host.ctx->why), CSIGN_OK);
	csign_state_unlock(&lock);
	(void)note_of(host.other_key);
	assert_int_equal(begin_for("no-such-user", true), CSIGN_OK);
	assert_int_equal(count_devices(), 1);
	drop_notes();
}

/* --- notes that are wrong ------------------------------------------------- */

/* Signs these bytes with key, and says that it was device id. */
static void
forge(const char *bytes, const char *choice, const struct csign_p256 *key,
    const char *id, struct csign_buf *note)
{
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	unsigned char signature[CSIGN_SIGNATURE_MAX];
	struct csign_answer answer = {.kind = CSIGN_KIND_P256};
	char text[CSIGN_CHALLENGE_SIZE], data[128];

	assert_int_equal(csign_challenge(host.ctx->crypto, choice, bytes,
			     strlen(bytes), "", challenge),
	    CSIGN_OK);
	assert_int_equal(
	    csign_b64u_encode(challenge, sizeof(challenge), text, sizeof(text)),
	    CSIGN_OK);
	(void)snprintf(data, sizeof(data), "1600000000000_%s", text);
	(void)snprintf(answer.choice, sizeof(answer.choice), "%s", choice);
	(void)snprintf(answer.device, sizeof(answer.device), "%s", id);
	answer.b = (const unsigned char *)data;
	answer.b_len = strlen(data);
	assert_int_equal(csign_p256_sign(key, answer.b, answer.b_len, signature,
			     &answer.signature_len),
	    CSIGN_OK);
	answer.signature = signature;
	assert_int_equal(csign_answer_write(&answer, note), CSIGN_OK);
}

static void
assert_refused(const char *what, const char *reason)
{
	char text[96];

	login();
	if (courier.n_removed != 0 || count_devices() != 2)
		fail_msg("%s: removed", what);
	assert_false(is_gone(host.other_key));
	if (reason != NULL) {
		(void)snprintf(text, sizeof(text),
		    "\"event\":\"removal\",\"result\":\"refused\","
		    "\"reason\":\"%s\"",
		    reason);
		assert_audit(text);
	}
	assert_int_equal(truncate(host.audit, 0), 0);
	drop_notes();
}

#define USER "@U"

static void
refuses_what_was_not_signed_for_it(void **state)
{
	static const struct {
		const char *what, *before, *user, *after, *reason;
	} rows[] = {
	    {"another host", "{\"v\":1,\"kind\":\"removal\",\"host\":\"web2\"",
		USER, "\"}", "PROOF_CHALLENGE"},
	    {"another user", "{\"v\":1,\"kind\":\"removal\",\"host\":\"web1\"",
		"somebody", "\"}", "PROOF_CHALLENGE"},
	    {"another version",
		"{\"v\":2,\"kind\":\"removal\",\"host\":\"web1\"", USER, "\"}",
		"PROOF_CHALLENGE"},
	    {"another kind", "{\"v\":1,\"kind\":\"approval\",\"host\":\"web1\"",
		USER, "\"}", "PROOF_CHALLENGE"},
	    {"a member more", "{\"v\":1,\"kind\":\"removal\",\"host\":\"web1\"",
		USER, "\",\"x\":1}", "PROOF_CHALLENGE"},
	};
	char id[CSIGN_DEVICE_ID_SIZE], other[CSIGN_DEVICE_ID_SIZE];
	char bytes[512];

	(void)state;
	two_devices();
	id_of(host.other_key, id);
	id_of(host.key, other);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(bytes, sizeof(bytes),
		    "%s,\"user\":\"%s\",\"uid\":%u,\"device\":\"%s%s",
		    rows[i].before,
		    strcmp(rows[i].user, USER) == 0 ? host.account.name
						    : rows[i].user,
		    (unsigned int)host.account.uid, id, rows[i].after);
		forge(bytes, "remove", host.other_key, id, new_note());
		assert_refused(rows[i].what, rows[i].reason);
	}
	(void)snprintf(bytes, sizeof(bytes),
	    "{\"v\":1,\"kind\":\"removal\",\"host\":\"web1\",\"user\":\"%s\","
	    "\"uid\":%u,\"device\":\"%s\"}",
	    host.account.name, (unsigned int)host.account.uid, id);
	/* Another choice over the right bytes. */
	forge(bytes, "approve", host.other_key, id, new_note());
	assert_refused("choice", "PROOF_CHOICE");
	/* One device cannot remove another, by its name or with its key. */
	forge(bytes, "remove", host.key, id, new_note());
	assert_refused("foreign signature", "PROOF_SIGNATURE");
	forge(bytes, "remove", host.other_key, other, new_note());
	assert_refused("foreign id", "PROOF_CHALLENGE");
	/* The control: these very bytes do it. */
	forge(bytes, "remove", host.other_key, id, new_note());
	login();
	assert_int_equal(courier.n_removed, 1);
	assert_int_equal(count_devices(), 1);
	drop_notes();
}

/* An approval that the phone gave is no removal, though it has a choice. */
static void
refuses_an_answer_as_a_note(void **state)
{
	char id[CSIGN_DEVICE_ID_SIZE];

	(void)state;
	two_devices();
	id_of(host.other_key, id);
	begin();
	forge(csign_buf_str(host.question.bytes), "remove", host.other_key, id,
	    new_note());
	end_question();
	assert_refused("a transaction", "PROOF_CHALLENGE");
}

/* And "remove" is no answer to a question. */
static void
is_no_choice(void **state)
{
	struct csign_request *req = request_for(host.user);

	(void)state;
	assert_false(csign_choice_valid("remove"));
	assert_int_equal(
	    csign_request_add_choice(req, "remove"), CSIGN_E_INVALID);
	csign_request_free(&req);
}

static void
refuses_every_flipped_bit(void **state)
{
	struct csign_buf *good, *bad;
	unsigned char bytes[512];
	size_t len;

	(void)state;
	two_devices();
	good = note_of(host.other_key);
	len = csign_buf_len(good);
	assert_true(len < sizeof(bytes));
	memcpy(bytes, csign_buf_data(good), len);
	drop_notes();
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= (unsigned char)(1 << i % 8);
		bad = new_note();
		assert_int_equal(csign_buf_put(bad, bytes, len), CSIGN_OK);
		bytes[i] ^= (unsigned char)(1 << i % 8);
		assert_int_equal(begin_for(host.user, false), CSIGN_OK);
		if (courier.n_removed != 0 || count_devices() != 2)
			fail_msg("byte %zu", i);
		end_question();
		drop_notes();
	}
	for (size_t cut = 1; cut <= len; cut++) {
		bad = new_note();
		assert_int_equal(csign_buf_put(bad, bytes, len), CSIGN_OK);
		if (cut == len)
			assert_int_equal(csign_buf_put_u8(bad, 0), CSIGN_OK);
		else
			assert_int_equal(
			    csign_buf_put(bad, bytes, cut), CSIGN_OK);
		assert_int_equal(begin_for(host.user, false), CSIGN_OK);
		assert_int_equal(courier.n_removed, 0);
		end_question();
		drop_notes();
	}
	assert_int_equal(count_devices(), 2);
}

static void
ignores_what_it_does_not_know(void **state)
{
	struct csign_p256 *third = key_from(3);
	static const unsigned char huge[CSIGN_REMOVAL_MAX];
	struct csign_buf *decline;

	(void)state;
	two_devices();
	(void)note_of(third);
	assert_refused("unknown device", NULL);
	assert_int_equal(
	    csign_buf_put(new_note(), huge, sizeof(huge)), CSIGN_OK);
	assert_refused("zeros", NULL);
	/* Unsigned, in the layout of a denial. */
	decline = new_note();
	assert_int_equal(csign_buf_put(decline, "\1\0\4deny", 7), CSIGN_OK);
	assert_int_equal(csign_buf_put(decline, huge, 16), CSIGN_OK);
	assert_refused("unsigned", NULL);
	csign_p256_free(&third);
}

static void
looks_at_four(void **state)
{
	(void)state;
	two_devices();
	/* The same one four times: gone is gone, and said again. */
	for (int i = 0; i < 4; i++)
		(void)note_of(host.other_key);
	login();
	assert_int_equal(courier.n_removed, 4);
	assert_int_equal(count_devices(), 1);
	courier.n_removed = 0;
	/* A courier that brings a fifth is none of ours. */
	(void)note_of(host.other_key);
	assert_int_equal(begin_for(host.user, false), CSIGN_E_COURIER);
	assert_int_equal(courier.kills, 1);
	assert_int_equal(courier.n_removed, 0);
	end_question();
	drop_notes();
	/* Nor one that brings a note when the question is there. */
	begin();
	deliver(CSIGN_FRAME_REMOVAL, 0, "x", 1);
	assert_int_equal(wait_for(0), CSIGN_E_COURIER);
}

/* Trouble with a note is not the login's, nor heard of by its caller. */
static void
trouble_is_not_the_logins(void **state)
{
	struct csign_state_lock *lock = NULL;
	char path[300];

	(void)state;
	two_devices();
	(void)note_of(host.other_key);
	/* Somebody holds the lock. */
	assert_int_equal(
	    csign_state_lock(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &host.ctx->why, &lock),
	    CSIGN_OK);
	courier.tick_ms = 100;
	assert_int_equal(begin_for(host.user, false), CSIGN_OK);
	courier.tick_ms = 0;
	csign_state_unlock(&lock);
	assert_int_equal(courier.n_removed, 0);
	assert_string_equal(csign_ctx_why(host.ctx), "");
	end_question();
	/* No record, no removal; and the service keeps its note. */
	assert_int_equal(unlink(host.audit), 0);
	assert_int_equal(mkdir(host.audit, 0700), 0);
	assert_int_equal(begin_for(host.user, false), CSIGN_OK);
	assert_int_equal(courier.n_removed, 0);
	assert_int_equal(count_devices(), 2);
	assert_int_equal(rmdir(host.audit), 0);
	end_question();
	/* A devices file of somebody's that cannot be read. */
	(void)snprintf(
	    path, sizeof(path), "%s/state/devices/%s", host.dir, "aaaaa");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(begin_for(host.user, false), CSIGN_OK);
	assert_int_equal(courier.n_removed, 0);
	assert_int_equal(rmdir(path), 0);
	end_question();
	login();
	assert_int_equal(courier.n_removed, 1);
	drop_notes();
}

/* The id is gone, so no enrolment brings back what a stored note would hit. */
static void
is_not_replayed(void **state)
{
	(void)state;
	two_devices();
	(void)note_of(host.other_key);
	login();
	drop_notes();
	begin_enrolment(NULL);
	answer_enrolment(host.other_key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_E_EXISTS);
}

/* --- the bytes ------------------------------------------------------------ */

static char *
own(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	return copy;
}

/* What the phone knows of the names is what a transaction has shown it. */
static void
same_in_a_transaction(const char *host_name, const char *user, const char *both)
{
	struct csign_transaction t = {.host = own(host_name),
	    .user = own(user),
	    .service = own("sudo"),
	    .title = own("t"),
	    .choices = {own("approve")},
	    .n_choices = 1,
	    .code = own("never"),
	    .nonce = own("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	    .created = own("2026-11-21T22:50:00Z"),
	    .lifetime = 90};
	struct csign_transaction seen = {0};
	struct csign_buf *bytes = NULL, *note = NULL, *again = NULL;

	assert_int_equal(
	    csign_buf_new(CSIGN_TRANSACTION_MAX, &bytes), CSIGN_OK);
	assert_int_equal(csign_buf_new(CSIGN_TRANSACTION_MAX, &note), CSIGN_OK);
	assert_int_equal(
	    csign_buf_new(CSIGN_TRANSACTION_MAX, &again), CSIGN_OK);
	assert_int_equal(csign_transaction_write(&t, bytes, NULL), CSIGN_OK);
	assert_non_null(strstr(csign_buf_str(bytes), both));
	assert_int_equal(csign_transaction_read(csign_buf_data(bytes),
			     csign_buf_len(bytes), &seen),
	    CSIGN_OK);
	assert_int_equal(
	    csign_removal_write(host_name, user, 7, "4hx2k7q3m5rj6wza", note),
	    CSIGN_OK);
	assert_int_equal(csign_removal_write(seen.host, seen.user, 7,
			     "4hx2k7q3m5rj6wza", again),
	    CSIGN_OK);
	assert_string_equal(csign_buf_str(note), csign_buf_str(again));
	csign_buf_free(&bytes);
	csign_buf_free(&note);
	csign_buf_free(&again);
	csign_transaction_clear(&t);
	csign_transaction_clear(&seen);
}

static void
writes_as_json_stringify_does(void **state)
{
	static const struct {
		const char *host, *user, *bytes;
	} rows[] = {
	    {"web1", "alice", "\"host\":\"web1\",\"user\":\"alice\""},
	    {"a\"b\\c/d", "x'y", "\"host\":\"a\\\"b\\\\c/d\",\"user\":\"x'y\""},
	    {"h\xc3\xb6st", "J\xc3\xbcrgen \xf0\x9f\x94\x91",
		"\"host\":\"h\xc3\xb6st\","
		"\"user\":\"J\xc3\xbcrgen \xf0\x9f\x94\x91\""},
	    /* What nobody sees is text like any other by then: UX-9. */
	    {"a\x7f", "b\ac\td\r\n\x1b",
		"\"host\":\"a\\\\u{7f}\","
		"\"user\":\"b\\\\u{07}c\\\\u{09}d\\\\u{0d}\\\\u{0a}"
		"\\\\u{1b}\""},
	    {"a\xe2\x80\xa8", "b\xff",
		"\"host\":\"a\\\\u{2028}\",\"user\":\"b\\\\u{ff}\""},
	    {"CORP\\web1", "CORP\\alice",
		"\"host\":\"CORP\\\\web1\",\"user\":\"CORP\\\\alice\""},
	    /* As a phone has it from a transaction: no second time. */
	    {"a\\u{7f}", "b", "\"host\":\"a\\\\u{7f}\",\"user\":\"b\""},
	};
	char expected[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct csign_buf *out = NULL;

		(void)snprintf(expected, sizeof(expected),
		    "{\"v\":1,\"kind\":\"removal\",%s,\"uid\":4294967294,"
		    "\"device\":\"4hx2k7q3m5rj6wza\"}",
		    rows[i].bytes);
		assert_int_equal(
		    csign_buf_new(CSIGN_TRANSACTION_MAX, &out), CSIGN_OK);
		assert_int_equal(
		    csign_removal_write(rows[i].host, rows[i].user,
			UINT32_C(4294967294), "4hx2k7q3m5rj6wza", out),
		    CSIGN_OK);
		assert_string_equal(csign_buf_str(out), expected);
		csign_buf_free(&out);
		same_in_a_transaction(
		    rows[i].host, rows[i].user, rows[i].bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(removes_a_device),
	    CASE(removes_the_last_device),
	    CASE(comes_with_any_question),
	    CASE(kind_does_not_keep_it),
	    CASE(refuses_what_was_not_signed_for_it),
	    CASE(refuses_an_answer_as_a_note),
	    CASE(is_no_choice),
	    CASE(refuses_every_flipped_bit),
	    CASE(ignores_what_it_does_not_know),
	    CASE(looks_at_four),
	    CASE(trouble_is_not_the_logins),
	    CASE(is_not_replayed),
	    CASE(writes_as_json_stringify_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
