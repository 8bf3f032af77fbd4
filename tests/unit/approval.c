/* SPDX-License-Identifier: BSD-2-Clause */
/* Approvals, with the courier of played.h. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "approval.h"
#include "played.h"
#include "seal.h"

/* The answer that was signed, now said to be another choice. */
static void
forge_choice(const char *choice)
{
	struct csign_buf *plain = NULL, *forged = NULL;
	struct csign_answer parts;

	assert_int_equal(csign_buf_new(CSIGN_ANSWER_MAX, &plain), CSIGN_OK);
	assert_int_equal(csign_buf_new(CSIGN_ANSWER_MAX, &forged), CSIGN_OK);
	assert_int_equal(
	    csign_open(host.ctx->crypto, CSIGN_SEAL_ANSWER,
		csign_link_answer_key(host.link), csign_buf_data(host.answer),
		csign_buf_len(host.answer), plain),
	    CSIGN_OK);
	assert_int_equal(csign_answer_read(csign_buf_data(plain),
			     csign_buf_len(plain), false, &parts),
	    CSIGN_OK);
	(void)snprintf(parts.choice, sizeof(parts.choice), "%s", choice);
	assert_int_equal(csign_answer_write(&parts, forged), CSIGN_OK);
	csign_buf_clear(host.answer);
	assert_int_equal(
	    csign_seal(host.ctx->crypto, CSIGN_SEAL_ANSWER,
		csign_link_answer_key(host.link), csign_buf_data(forged),
		csign_buf_len(forged), host.answer),
	    CSIGN_OK);
	csign_buf_free(&plain);
	csign_buf_free(&forged);
}

/* --- tests -----------------------------------------------------------------
 */

static void
grants_what_was_signed(void **state)
{
	struct csign_state st;

	(void)state;
	begin();
	assert_string_equal(courier.subject, host.user);
	assert_string_equal(host.question.transaction.user, host.user);
	assert_string_equal(host.question.transaction.host, "web1");
	assert_string_equal(host.question.transaction.code, "never");
	assert_string_equal(
	    host.question.transaction.details[0].value, "id -u");
	assert_int_equal(csign_approval_fd(host.ap), 42);
	assert_int_equal(csign_approval_seconds_left(host.ap), 90);
	assert_string_equal(csign_approval_choice(host.ap), "");
	answer(host.key, "approve");
	assert_int_equal(wait_for(-1), CSIGN_OK);
	assert_string_equal(csign_approval_choice(host.ap), "approve");
	assert_string_equal(csign_approval_device(host.ap), "phone 1");
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_GRANTED);
	assert_audit("\"result\":\"granted\"");
	assert_int_equal(
	    csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &st, &host.ctx->why),
	    CSIGN_OK);
	assert_true(st.had_device);
	assert_true(st.uses[0].last_used > 1700000000);
	/* Once closed, it stays closed, also for the very same answer. */
	send_answer();
	assert_int_equal(wait_for(0), CSIGN_E_PROOF_CONSUMED);
}

static void
takes_no_for_an_answer(void **state)
{
	static const struct {
		const char *choice;
		enum csign_err err;
	} cases[] = {{"deny", CSIGN_E_DENIED}, {"not-me", CSIGN_E_NOT_ME}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin();
		answer(host.key, cases[i].choice);
		assert_int_equal(wait_for(-1), cases[i].err);
		assert_int_equal(courier.outcome, CSIGN_OUTCOME_DENIED);
		/* A yes after a no changes nothing. */
		answer(host.key, "approve");
		assert_int_equal(wait_for(0), cases[i].err);
		end_question();
	}
	assert_audit("\"result\":\"denied\"");
	begin();
	decline();
	assert_int_equal(wait_for(-1), CSIGN_E_DECLINED);
}

static void
refuses_a_foreign_device_and_goes_on(void **state)
{
	(void)state;
	begin();
	answer(host.other_key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_REJECTED);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
	assert_int_equal(courier.tries_left, CSIGN_ANSWERS_MAX - 1);
	assert_audit("PROOF_DEVICE");
	/* The same bytes again are neither looked at nor counted. */
	courier.reason[0] = '\0';
	send_answer();
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "");
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
}

static void
looks_at_eight_answers(void **state)
{
	unsigned char junk[64] = {1};

	(void)state;
	begin();
	for (unsigned int i = 0; i < CSIGN_ANSWERS_MAX; i++) {
		assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
		junk[1] = (unsigned char)i;
		deliver(CSIGN_FRAME_ANSWER, 0, junk, sizeof(junk));
		assert_int_equal(wait_for(0),
		    i + 1 < CSIGN_ANSWERS_MAX ? CSIGN_E_AGAIN : CSIGN_E_LIMIT);
		assert_string_equal(courier.reason, "PROOF_FORMAT");
	}
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_LIMIT);
}

static void
refuses_another_question_and_choice(void **state)
{
	unsigned char bytes[CSIGN_TRANSACTION_MAX];
	size_t len;

	(void)state;
	/* Signed for a transaction that differs in one byte. */
	begin();
	len = csign_buf_len(host.question.bytes);
	memcpy(bytes, csign_buf_data(host.question.bytes), len);
	bytes[len - 2] ^= 1;
	csign_buf_clear(host.question.bytes);
	assert_int_equal(
	    csign_buf_put(host.question.bytes, bytes, len), CSIGN_OK);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_CHALLENGE");
	end_question();
	/* Sealed for another link: another approval's answer. */
	begin();
	sign(host.key, "approve");
	csign_approval_free(&host.ap);
	assert_int_equal(begin_for(host.user, false), CSIGN_OK);
	send_answer();
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_FORMAT");
}

static void
expires_by_its_own_clock(void **state)
{
	uint64_t before;

	(void)state;
	begin();
	before = courier.now_ms;
	assert_int_equal(wait_for(1000), CSIGN_E_AGAIN);
	assert_int_equal(courier.now_ms, before + 1000);
	assert_int_equal(csign_approval_seconds_left(host.ap), 89);
	assert_int_equal(wait_for(-1), CSIGN_E_EXPIRED);
	assert_int_equal(courier.now_ms, before + 90000);
	assert_int_equal(csign_approval_seconds_left(host.ap), 0);
	end_question();
	/* An answer that was there in time but is looked at too late. */
	begin();
	answer(host.key, "approve");
	courier.now_ms += 90000;
	assert_int_equal(wait_for(0), CSIGN_E_EXPIRED);
}

static void
revoked_while_pending(void **state)
{
	char id[17];

	(void)state;
	set_devices((struct csign_p256 *const[]){host.key, host.other_key}, 2);
	begin();
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 1", false, "root", id),
	    CSIGN_OK);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
	answer(host.other_key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
}

static void
last_one_revoked_while_pending(void **state)
{
	char id[17];

	(void)state;
	begin();
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 1", false, "root", id),
	    CSIGN_E_LAST_DEVICE);
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 1", true, "root", id),
	    CSIGN_OK);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
}

/* The state of the account, as another login or an old version left it. */
static void
write_state(const struct csign_state *st)
{
	struct csign_state_lock *lock = NULL;

	assert_int_equal(
	    csign_state_lock(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &host.ctx->why, &lock),
	    CSIGN_OK);
	assert_int_equal(csign_state_write(lock, st, &host.ctx->why), CSIGN_OK);
	csign_state_unlock(&lock);
}

static void
id_of_key(char id[CSIGN_DEVICE_ID_SIZE])
{
	unsigned char point[CSIGN_POINT_LEN];

	csign_p256_point(host.key, point);
	assert_int_equal(
	    csign_device_id(host.ctx->crypto, point, id), CSIGN_OK);
}

/* The state is written first when a device goes: a crash leaves its line. */
static void
a_grave_outweighs_a_line(void **state)
{
	struct csign_state st = {.had_device = true};
	char id[CSIGN_DEVICE_ID_SIZE];

	(void)state;
	id_of_key(id);
	csign_state_bury(&st, id, 1700000000);
	write_state(&st);
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
}

/* Ten codes, used of them at that time; the device was last used at 1000. */
static void
write_codes(size_t used, uint64_t when)
{
	char id[CSIGN_DEVICE_ID_SIZE];
	struct csign_state st = {
	    .had_device = true,
	    .recovery_made = 500,
	    .n_codes = CSIGN_RECOVERY_CODES,
	};

	id_of_key(id);
	csign_state_use(&st, id)->last_used = 1000;
	for (size_t i = 0; i < used; i++)
		st.codes[i].used = when;
	for (size_t i = 0; i < st.n_codes; i++)
		st.codes[i].hash[0] = (unsigned char)(i + 1);
	write_state(&st);
}

static void
a_used_code_is_news_once_and_few_are_always(void **state)
{
	static const struct {
		size_t used;
		uint64_t when;
		int first, then;
	} cases[] = {
	    {0, 0, -1, -1},
	    {1, 900, -1, -1},
	    {1, 1000, 9, -1},
	    {1, 1001, 9, -1},
	    {6, 900, -1, -1},
	    {7, 900, 3, 3},
	    {9, 1001, 1, 1},
	    {10, 900, -1, -1},
	    {10, 1001, 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_codes(cases[i].used, cases[i].when);
		for (int again = 0; again < 2; again++) {
			begin();
			assert_int_equal(
			    csign_approval_codes_left(host.ap), -1);
			answer(host.key, "approve");
			assert_int_equal(wait_for(0), CSIGN_OK);
			assert_int_equal(csign_approval_codes_left(host.ap),
			    again ? cases[i].then : cases[i].first);
			end_question();
		}
	}
}

/* What sixteen devices have left behind, before devices could be gone. */
static void
uses_of_others_lock_nobody_out(void **state)
{
	struct csign_state st = {0};
	char id[CSIGN_DEVICE_ID_SIZE] = "?bcdefghijklmnop";

	(void)state;
	for (int i = 0; i < CSIGN_DEVICES_MAX; i++) {
		id[0] = (char)('a' + i);
		assert_non_null(csign_state_use(&st, id));
	}
	write_state(&st);
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_int_equal(
	    csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &st, &host.ctx->why),
	    CSIGN_OK);
	assert_int_equal(st.n_uses, 1);
	assert_true(st.uses[0].last_used > 1700000000);
}

static void
no_record_no_grant(void **state)
{
	char path[256], away[256];

	(void)state;
	/* The audit file cannot be written: it is a folder. */
	begin();
	(void)snprintf(path, sizeof(path), "%s/audit.log", host.dir);
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AUDIT);
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_DENIED);
	assert_int_equal(rmdir(path), 0);
	end_question();
	/* The state folder went away (its file system, for example). */
	begin();
	(void)snprintf(path, sizeof(path), "%s/state/state", host.dir);
	(void)snprintf(away, sizeof(away), "%s/away", host.dir);
	assert_int_equal(rename(path, away), 0);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_STATE);
}

static void
claims_are_no_verdicts(void **state)
{
	static const struct {
		enum csign_frame_type type;
		uint8_t code;
		enum csign_err err;
	} cases[] = {
	    {CSIGN_FRAME_ENDED, CSIGN_END_CANCELLED, CSIGN_E_CANCELLED},
	    {CSIGN_FRAME_ENDED, CSIGN_END_EXPIRED, CSIGN_E_CANCELLED},
	    {CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_UNREACHABLE, CSIGN_E_SERVICE},
	    {CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_NOT_FOUND, CSIGN_E_SERVICE},
	    {CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_UNAUTHORISED,
		CSIGN_E_SERVICE_REFUSED},
	    {CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_INTERNAL, CSIGN_E_COURIER},
	    {CSIGN_FRAME_DONE, 0, CSIGN_E_COURIER},
	    {CSIGN_FRAME_CREATED, 0, CSIGN_E_COURIER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		courier.outcome = 0;
		begin();
		deliver(CSIGN_FRAME_SEEN, 0, NULL, 0);
		deliver(cases[i].type, cases[i].code, NULL, 0);
		assert_int_equal(wait_for(-1), cases[i].err);
		/* The user denied nothing, so nobody is told that he did. */
		assert_int_equal(courier.outcome, 0);
		end_question();
	}
	assert_audit("\"result\":\"failed\"");
}

static void
link_in_use(void **state)
{
	(void)state;
	courier.conflicts = 1;
	begin();
	assert_int_equal(courier.starts, 2);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
	courier.conflicts = 2;
	assert_int_equal(begin_for(host.user, false), CSIGN_E_SERVICE);
	assert_int_equal(courier.conflicts, 0);
	assert_int_equal(courier.starts, courier.frees);
}

static void
unreachable_at_the_start(void **state)
{
	(void)state;
	courier.trouble = CSIGN_TROUBLE_UNREACHABLE;
	assert_int_equal(begin_for(host.user, false), CSIGN_E_SERVICE);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "approve.example.org"));
	/* Recorded, and the record has not replaced the reason. */
	assert_audit("\"reason\":\"SERVICE\"");
}

static void
nobody_to_ask(void **state)
{
	(void)state;
	assert_int_equal(
	    csign_user_deenroll(host.ctx, host.user, "root"), CSIGN_OK);
	assert_int_equal(begin_for(host.user, false), CSIGN_E_UNENROLLED);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "countersign enroll"));
	assert_int_equal(
	    begin_for("no-such-user", false), CSIGN_E_UNKNOWN_USER);
	configure("unenrolled = ignore\n");
	assert_int_equal(begin_for(host.user, false), CSIGN_E_EXEMPT);
	/* The policy is for accounts that exist. */
	assert_int_equal(
	    begin_for("no-such-user", false), CSIGN_E_UNKNOWN_USER);
	assert_int_equal(courier.starts, 0);
}

static void
revoked_is_not_unenrolled(void **state)
{
	char id[17];

	(void)state;
	configure("unenrolled = ignore\n");
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 1", true, "root", id),
	    CSIGN_OK);
	assert_int_equal(begin_for(host.user, false), CSIGN_E_STATE);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "countersign"));
}

/* How many credentials the phone is told; text: the whole list. */
static size_t
shown_credentials(char *text, size_t size)
{
	struct csign_buf *content = NULL;
	const char *list;
	size_t n = 0;

	assert_int_equal(csign_buf_new(CSIGN_CONTENT_MAX, &content), CSIGN_OK);
	assert_int_equal(csign_open(host.ctx->crypto, CSIGN_SEAL_CONTENT,
			     csign_link_content_key(host.link), courier.content,
			     courier.content_len, content),
	    CSIGN_OK);
	list = strstr(csign_buf_str(content), "\"credentials\":");
	assert_non_null(list);
	(void)snprintf(text, size, "%s", list);
	for (const char *at = list; (at = strstr(at, "[\"")) != NULL; at++)
		n++;
	csign_buf_free(&content);
	return n;
}

/* An unknown name from outside gets a question that nobody can approve. */
static void
a_question_for_nobody(void **state)
{
	char first[1024], again[1024];
	uint32_t uid;

	(void)state;
	assert_int_equal(begin_for("no-such-user", true), CSIGN_OK);
	assert_string_equal(courier.subject, "");
	scan(csign_approval_link(host.ap));
	uid = host.question.transaction.uid;
	assert_in_range(uid, 1000, 1199);
	assert_int_equal(shown_credentials(first, sizeof(first)), 1);
	end_question();
	assert_int_equal(begin_for("no-such-user", true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	assert_int_equal(host.question.transaction.uid, uid);
	assert_int_equal(shown_credentials(again, sizeof(again)), 1);
	assert_string_equal(first, again);
	assert_string_equal(host.question.transaction.user, "no-such-user");
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
	assert_int_equal(wait_for(-1), CSIGN_E_UNKNOWN_USER);
	end_question();
	/* Nor has it a credential where no known account could have one. */
	configure("device_kinds = p256\n");
	assert_int_equal(begin_for("no-such-user", true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	assert_int_equal(shown_credentials(first, sizeof(first)), 0);
}

/* Too many answers end it as they end any question (PAM_MAXTRIES). */
static void
nobody_is_refused_like_anybody(void **state)
{
	unsigned char junk[64] = {1};

	(void)state;
	assert_int_equal(begin_for("no-such-user", true), CSIGN_OK);
	for (unsigned int i = 0; i < CSIGN_ANSWERS_MAX; i++) {
		junk[1] = (unsigned char)i;
		deliver(CSIGN_FRAME_ANSWER, 0, junk, sizeof(junk));
	}
	assert_int_equal(wait_for(-1), CSIGN_E_LIMIT);
}

/* From outside, every account without a device that may answer is alike. */
static void
no_device_looks_like_any(void **state)
{
	char id[17];

	(void)state;
	configure("device_kinds = webauthn\n");
	assert_int_equal(begin_for(host.user, true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	assert_string_equal(host.question.transaction.user, host.user);
	assert_int_equal(wait_for(-1), CSIGN_E_UNENROLLED);
	end_question();
	configure("");
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 1", true, "root", id),
	    CSIGN_OK);
	assert_int_equal(begin_for(host.user, true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	answer(host.key, "approve");
	assert_int_equal(wait_for(-1), CSIGN_E_UNENROLLED);
	end_question();
	assert_int_equal(
	    csign_user_deenroll(host.ctx, host.user, "root"), CSIGN_OK);
	assert_int_equal(begin_for(host.user, true), CSIGN_OK);
	assert_int_equal(wait_for(-1), CSIGN_E_UNENROLLED);
}

/* The service has a limit for each user, which is nobody's to use up. */
static void
the_service_hears_no_name_too_early(void **state)
{
	(void)state;
	assert_int_equal(begin_for(host.user, true), CSIGN_OK);
	assert_string_equal(courier.subject, "");
	scan(csign_approval_link(host.ap));
	assert_string_equal(host.question.transaction.user, host.user);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
}

/* Somebody else has the lock: it matters to those who can sign only. */
static void
the_lock_is_for_those_who_sign(void **state)
{
	struct csign_state_lock *lock = NULL;

	(void)state;
	assert_int_equal(
	    csign_state_lock(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &host.ctx->why, &lock),
	    CSIGN_OK);
	begin();
	courier.tick_ms = 100; /* so that waiting for it would end */
	answer(host.other_key, "approve");
	assert_int_equal(wait_for(1000), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
	/* The right device, and a signature for another choice. */
	sign(host.key, "deny");
	forge_choice("approve");
	send_answer();
	assert_int_equal(wait_for(1000), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_CHALLENGE");
	assert_audit("\"deviceName\":\"phone 1\"");
	csign_state_unlock(&lock);
	courier.tick_ms = 0;
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
}

static void
groups_decide_who_is_asked(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	configure("exempt_groups = daemon root\n");
	assert_int_equal(begin_for("root", false), CSIGN_E_EXEMPT);
	/* A line that cannot be read whole exempts nobody. */
	configure("exempt_groups = no-such-group root\n");
	assert_int_equal(begin_for("root", false), CSIGN_OK);
	end_question();
	configure("require_groups = daemon\n");
	assert_int_equal(begin_for("root", false), CSIGN_E_EXEMPT);
	configure("require_groups = daemon root\n");
	assert_int_equal(begin_for("root", false), CSIGN_OK);
	end_question();
	/* A group that cannot be resolved: the module applies. */
	configure("require_groups = no-such-group\n");
	assert_int_equal(begin_for("root", false), CSIGN_OK);
}

static void
kinds_must_be_accepted(void **state)
{
	(void)state;
	configure("device_kinds = webauthn\n");
	assert_int_equal(begin_for(host.user, false), CSIGN_E_DEVICES);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "device_kinds"));
	/* Changed while the question was out: the answer is refused too. */
	configure("");
	begin();
	host.ctx->settings.device_kinds = CSIGN_KIND_BIT_WEBAUTHN;
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_KIND");
}

static void
a_cut_command_may_deny(void **state)
{
	struct csign_request *req = request_for(host.user);
	char command[1000];

	(void)state;
	csign_request_free(&req);
	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	for (int strict = 0; strict < 2; strict++) {
		configure(strict ? "cut_command = deny\n" : "");
		assert_int_equal(csign_request_new(&req), CSIGN_OK);
		assert_int_equal(
		    csign_request_set(req, CSIGN_REQ_USER, host.user),
		    CSIGN_OK);
		assert_int_equal(
		    csign_request_set(req, CSIGN_REQ_SERVICE, "sudo"),
		    CSIGN_OK);
		assert_int_equal(
		    csign_request_add_detail(req, "Command", command),
		    CSIGN_OK);
		assert_int_equal(csign_approval_begin(host.ctx, req, &host.ap),
		    strict ? CSIGN_E_CUT : CSIGN_OK);
		csign_request_free(&req);
		end_question();
	}
}

static void
only_ask_offers_choices(void **state)
{
	struct csign_request *req = NULL;

	(void)state;
	for (int ask = 0; ask < 2; ask++) {
		assert_int_equal(csign_request_new(&req), CSIGN_OK);
		assert_int_equal(
		    csign_request_set(req, CSIGN_REQ_USER, host.user),
		    CSIGN_OK);
		assert_int_equal(csign_request_set(req, CSIGN_REQ_SERVICE,
				     ask ? NULL : "sudo"),
		    CSIGN_OK);
		assert_int_equal(
		    csign_request_add_choice(req, "canary"), CSIGN_OK);
		assert_int_equal(
		    csign_request_add_choice(req, "deny"), CSIGN_E_INVALID);
		assert_int_equal(csign_approval_begin(host.ctx, req, &host.ap),
		    ask ? CSIGN_OK : CSIGN_E_INVALID);
		csign_request_free(&req);
	}
	scan(csign_approval_link(host.ap));
	answer(host.key, "canary");
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_string_equal(csign_approval_choice(host.ap), "canary");
}

/* --- phones that ring, with the limit as it is -----------------------------
 */

static void
give_seal(void)
{
	host.seal = key_from(77);
	set_devices(&host.key, 1);
	courier.rings = 1;
}

/* The next question, which rings or says why it does not. */
static void
begin_ringing(bool rings)
{
	const char *note;

	begin();
	note = csign_approval_push_note(host.ap);
	assert_string_equal(
	    host.question.transaction.code, rings ? "inbox" : "never");
	assert_int_equal(courier.n_copies, rings ? 1 : 0);
	assert_int_equal(csign_approval_rings(host.ap), rings ? 1 : -1);
	assert_int_equal(note[0] == '\0', rings);
	assert_true(strlen(note) <= 79);
}

static void
approve_by_link(void)
{
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	end_question();
}

static uint32_t
count_wrong_codes(void)
{
	struct csign_state st;

	assert_int_equal(
	    csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &st, &host.ctx->why),
	    CSIGN_OK);
	return st.limit.wrong_codes;
}

static void
not_me_stops_the_ringing(void **state)
{
	(void)state;
	give_seal();
	begin_ringing(true);
	answer(host.key, "not-me");
	assert_int_equal(wait_for(0), CSIGN_E_NOT_ME);
	end_question();
	assert_audit("\"event\":\"alert\",\"result\":\"push-stopped\","
		     "\"reason\":\"NOT_ME\"");
	/* The link works, and brings the ringing back. */
	begin_ringing(false);
	approve_by_link();
	begin_ringing(true);
	approve_by_link();
}

static void
two_denials_pause_the_ringing(void **state)
{
	(void)state;
	give_seal();
	for (int i = 0; i < 2; i++) {
		begin_ringing(i == 0);
		answer(host.key, "deny");
		assert_int_equal(wait_for(0), CSIGN_E_DENIED);
		end_question();
		assert_int_equal(in_audit("\"push-paused\""), i == 1);
	}
	assert_audit("\"event\":\"alert\",\"result\":\"push-paused\","
		     "\"reason\":\"DENIED\"");
	begin_ringing(false);
}

static void
one_rings_at_a_time(void **state)
{
	struct csign_approval *first;

	(void)state;
	give_seal();
	begin_ringing(true);
	first = host.ap;
	host.ap = NULL;
	begin_ringing(false);
	approve_by_link();
	csign_approval_free(&first);
}

static void
wrong_codes_are_remembered(void **state)
{
	char wrong[CSIGN_CODE_LEN + 1];

	(void)state;
	give_seal();
	begin_ringing(true);
	(void)snprintf(
	    wrong, sizeof(wrong), "%s", csign_approval_code(host.ap));
	wrong[5] = wrong[5] == '0' ? '1' : '0';
	sign_code(host.key, "approve", wrong);
	send_answer();
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_int_equal(count_wrong_codes(), 1);
	end_question();
	/* A new question, and so a new code, forgets none of them. */
	begin_ringing(false);
	assert_int_equal(count_wrong_codes(), 1);
	approve_by_link();
	assert_int_equal(count_wrong_codes(), 0);
}

static void
nothing_without_a_configuration(void **state)
{
	struct csign_request *req = request_for(host.user);
	struct csign_ctx *bare = NULL;

	(void)state;
	assert_int_equal(csign_ctx_new(NULL, &bare), CSIGN_OK);
	assert_int_equal(
	    csign_approval_begin(bare, req, &host.ap), CSIGN_E_INVALID);
	assert_int_equal(
	    csign_ctx_load(bare, "/nonexistent/countersign.conf", NULL),
	    CSIGN_E_FILE);
	assert_int_equal(
	    csign_approval_begin(bare, req, &host.ap), CSIGN_E_INVALID);
	assert_null(csign_ctx_setting(bare, "present"));
	assert_string_equal(csign_ctx_setting(host.ctx, "present"), "auto");
	assert_null(csign_ctx_setting(host.ctx, "no-such-key"));
	csign_ctx_free(&bare);
	csign_request_free(&req);
}

/* --- evidence --------------------------------------------------------------
 */

static void
keeps_what_was_signed(void **state)
{
	static const struct {
		const char *choice;
		enum csign_err want;
	} rows[] = {{"approve", CSIGN_OK}, {"deny", CSIGN_E_DENIED},
	    {"not-me", CSIGN_E_NOT_ME}};
	const char *path = keep_evidence();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin();
		answer(host.other_key, "approve");
		assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
		assert_int_equal(access(path, F_OK), -1);
		answer(host.key, rows[i].choice);
		assert_int_equal(wait_for(-1), rows[i].want);
		assert_kept(rows[i].choice, "");
		end_question();
	}
	begin();
	decline(); /* nobody signed that */
	assert_int_equal(wait_for(-1), CSIGN_E_DECLINED);
	assert_int_equal(access(path, F_OK), -1);
	end_question();
	configure("");
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(-1), CSIGN_OK);
	assert_int_equal(access(path, F_OK), -1);
}

static uint64_t
last_used(void)
{
	struct csign_state st;

	assert_int_equal(
	    csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &st, &host.ctx->why),
	    CSIGN_OK);
	return st.n_uses == 0 ? 0 : st.uses[0].last_used;
}

/* State, evidence, record, verdict: each is there before the next. */
static void
each_step_needs_the_one_before(void **state)
{
	const char *path = keep_evidence();

	(void)state;
	/* The state was written; the evidence cannot be, so the record says
	 * so. */
	assert_int_equal(mkdir(path, 0700), 0);
	begin();
	answer(host.key, "approve");
	assert_int_equal(wait_for(-1), CSIGN_E_AUDIT);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "cannot be kept"));
	assert_true(last_used() > 0);
	assert_audit("\"result\":\"failed\",\"reason\":\"AUDIT\"");
	assert_false(in_audit("\"evidence\""));
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_DENIED);
	end_question();
	/* A no needs none. */
	begin();
	answer(host.key, "deny");
	assert_int_equal(wait_for(-1), CSIGN_E_DENIED);
	assert_audit("\"reason\":\"DENIED\"");
	end_question();
	assert_int_equal(rmdir(path), 0);
	/* The evidence is there, and the record cannot be written. */
	begin();
	answer(host.key, "approve");
	assert_int_equal(unlink(host.audit), 0);
	assert_int_equal(mkdir(host.audit, 0700), 0);
	assert_int_equal(wait_for(-1), CSIGN_E_AUDIT);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(rmdir(host.audit), 0);
}

/* --- a record of each end --------------------------------------------------
 */

static void
given_up(void **state)
{
	(void)state;
	begin();
	end_question();
	assert_audit("\"result\":\"failed\",\"reason\":\"CANCELLED\"");
	/* One that ended has its record already. */
	begin();
	answer(host.key, "deny");
	assert_int_equal(wait_for(-1), CSIGN_E_DENIED);
	assert_int_equal(unlink(host.audit), 0);
	end_question();
	assert_int_equal(access(host.audit, F_OK), -1);
}

static void
nobody_was_asked(void **state)
{
	static const struct {
		enum csign_trouble trouble;
		const char *reason, *word;
	} rows[] = {
	    {CSIGN_TROUBLE_UNREACHABLE, "SERVICE", "unreachable"},
	    {CSIGN_TROUBLE_TLS, "SERVICE", "tls"},
	    {CSIGN_TROUBLE_UNAUTHORISED, "SERVICE_REFUSED", "unauthorised"},
	    {CSIGN_TROUBLE_FORBIDDEN, "SERVICE_REFUSED", "forbidden"},
	    {CSIGN_TROUBLE_LIMITED, "SERVICE", "limited"},
	    {CSIGN_TROUBLE_UNAVAILABLE, "SERVICE", "unavailable"},
	    {CSIGN_TROUBLE_BAD_REPLY, "SERVICE", "bad-reply"},
	    {CSIGN_TROUBLE_INTERNAL, "COURIER", "internal"},
	};
	char needle[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		courier.trouble = rows[i].trouble;
		assert_int_not_equal(begin_for(host.user, false), CSIGN_OK);
		(void)snprintf(needle, sizeof(needle),
		    "\"result\":\"failed\",\"reason\":\"%s\"", rows[i].reason);
		assert_audit(needle);
		(void)snprintf(
		    needle, sizeof(needle), "\"trouble\":\"%s\"", rows[i].word);
		assert_audit(needle);
		assert_int_equal(unlink(host.audit), 0);
		end_question();
	}
	/* Trouble that was over is not told of another end. */
	courier.trouble = 0;
	begin();
	end_question();
	assert_false(in_audit("trouble"));
	assert_int_equal(unlink(host.audit), 0);
	/* Not even a question was made. */
	set_devices(NULL, 0);
	assert_int_not_equal(begin_for(host.user, false), CSIGN_OK);
	assert_audit("\"result\":\"failed\",\"reason\":\"UNENROLLED\"");
	assert_false(in_audit("\"question\""));
	assert_int_equal(unlink(host.audit), 0);
	configure("unenrolled = ignore\n");
	assert_int_equal(begin_for(host.user, false), CSIGN_E_EXEMPT);
	assert_int_equal(access(host.audit, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(grants_what_was_signed),
	    CASE(takes_no_for_an_answer),
	    CASE(refuses_a_foreign_device_and_goes_on),
	    CASE(looks_at_eight_answers),
	    CASE(refuses_another_question_and_choice),
	    CASE(expires_by_its_own_clock),
	    CASE(revoked_while_pending),
	    CASE(last_one_revoked_while_pending),
	    CASE(a_grave_outweighs_a_line),
	    CASE(a_used_code_is_news_once_and_few_are_always),
	    CASE(uses_of_others_lock_nobody_out),
	    CASE(no_record_no_grant),
	    CASE(claims_are_no_verdicts),
	    CASE(link_in_use),
	    CASE(unreachable_at_the_start),
	    CASE(nobody_to_ask),
	    CASE(revoked_is_not_unenrolled),
	    CASE(a_question_for_nobody),
	    CASE(nobody_is_refused_like_anybody),
	    CASE(no_device_looks_like_any),
	    CASE(the_service_hears_no_name_too_early),
	    CASE(the_lock_is_for_those_who_sign),
	    CASE(groups_decide_who_is_asked),
	    CASE(kinds_must_be_accepted),
	    CASE(a_cut_command_may_deny),
	    CASE(only_ask_offers_choices),
	    CASE(not_me_stops_the_ringing),
	    CASE(two_denials_pause_the_ringing),
	    CASE(one_rings_at_a_time),
	    CASE(wrong_codes_are_remembered),
	    CASE(nothing_without_a_configuration),
	    CASE(keeps_what_was_signed),
	    CASE(each_step_needs_the_one_before),
	    CASE(given_up),
	    CASE(nobody_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
