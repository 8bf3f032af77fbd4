/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Approvals and enrolments with a courier that is played here: whatever the
 * service and the network could deliver, in any order, at any time.  The phone
 * is the real one of lib/phone.h; files are real files; time is ours.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "account.h"
#include "answer.h"
#include "approval.h"
#include "buf.h"
#include "clock.h"
#include "crypto.h"
#include "ctx.h"
#include "device.h"
#include "frame.h"
#include "judge.h"
#include "leash.h"
#include "link.h"
#include "phone.h"
#include "seal.h"
#include "state.h"

/* --- the courier, played ------------------------------------------------- */

#define QUEUE_MAX 32

struct csign_leash {
	int unused;
};

static struct {
	struct csign_frame frames[QUEUE_MAX];
	struct csign_buf *bytes[QUEUE_MAX];
	size_t head, tail;
	unsigned char content[CSIGN_CONTENT_MAX];
	size_t content_len;
	char subject[CSIGN_USER_MAX + 1];
	unsigned int starts, frees, kills, conflicts;
	enum csign_trouble trouble;
	enum csign_outcome outcome;
	char reason[64];
	uint8_t tries_left;
	uint64_t now_ms;
	uint64_t tick_ms; /* that pass whenever somebody looks at the clock */
} courier;

static struct csign_leash leash;

static void
deliver(enum csign_frame_type type, uint8_t code, const void *bytes, size_t len)
{
	size_t i = courier.tail++;

	assert_true(i < QUEUE_MAX);
	courier.frames[i] =
	    (struct csign_frame){.type = type, .code = code, .len = len};
	if (len == 0)
		return;
	assert_int_equal(csign_buf_new(len, &courier.bytes[i]), CSIGN_OK);
	assert_int_equal(csign_buf_put(courier.bytes[i], bytes, len), CSIGN_OK);
	courier.frames[i].bytes = csign_buf_data(courier.bytes[i]);
}

enum csign_err __wrap_csign_leash_start(const char *program, const char *user,
    uint32_t life_ms, const struct csign_job *job, struct csign_why *why,
    struct csign_leash **ret_leash);
int __wrap_csign_leash_fd(const struct csign_leash *l);
enum csign_err __wrap_csign_leash_next(struct csign_leash *l, int timeout_ms,
    struct csign_why *why, struct csign_frame *ret_frame);
enum csign_err __wrap_csign_leash_outcome(struct csign_leash *l,
    enum csign_outcome outcome, const char *reason, uint8_t tries_left);
void __wrap_csign_leash_free(struct csign_leash **l);
void __wrap_csign_leash_kill(struct csign_leash **l);
enum csign_err __wrap_csign_clock_boot(uint64_t *ret_ms);

enum csign_err
__wrap_csign_leash_start(const char *program, const char *user,
    uint32_t life_ms, const struct csign_job *job, struct csign_why *why,
    struct csign_leash **ret_leash)
{
	(void)program;
	(void)user;
	(void)why;
	assert_true(life_ms > job->deadline_ms);
	courier.starts++;
	assert_int_equal(strlen(job->access_key), CSIGN_ACCESS_KEY_LEN);
	assert_true(job->content_len <= sizeof(courier.content));
	memcpy(courier.content, job->content, job->content_len);
	courier.content_len = job->content_len;
	(void)snprintf(
	    courier.subject, sizeof(courier.subject), "%s", job->subject);
	if (courier.conflicts > 0) {
		courier.conflicts--;
		deliver(CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_CONFLICT, NULL, 0);
	} else if (courier.trouble != 0) {
		deliver(CSIGN_FRAME_TROUBLE, (uint8_t)courier.trouble, "x", 1);
	} else {
		deliver(CSIGN_FRAME_CREATED, 0, NULL, 0);
	}
	*ret_leash = &leash;
	return CSIGN_OK;
}

int
__wrap_csign_leash_fd(const struct csign_leash *l)
{
	assert_ptr_equal(l, &leash);
	return 42;
}

enum csign_err
__wrap_csign_leash_next(struct csign_leash *l, int timeout_ms,
    struct csign_why *why, struct csign_frame *ret_frame)
{
	(void)why;
	assert_ptr_equal(l, &leash);
	assert_true(timeout_ms >= 0);
	if (courier.head == courier.tail) {
		courier.now_ms += (uint64_t)timeout_ms;
		return CSIGN_E_AGAIN;
	}
	*ret_frame = courier.frames[courier.head++];
	return CSIGN_OK;
}

enum csign_err
__wrap_csign_leash_outcome(struct csign_leash *l, enum csign_outcome outcome,
    const char *reason, uint8_t tries_left)
{
	assert_ptr_equal(l, &leash);
	courier.outcome = outcome;
	(void)snprintf(courier.reason, sizeof(courier.reason), "%s", reason);
	courier.tries_left = tries_left;
	return CSIGN_OK;
}

void
__wrap_csign_leash_free(struct csign_leash **l)
{
	if (*l != NULL)
		courier.frees++;
	*l = NULL;
}

void
__wrap_csign_leash_kill(struct csign_leash **l)
{
	courier.kills++;
	*l = NULL;
}

enum csign_err
__wrap_csign_clock_boot(uint64_t *ret_ms)
{
	*ret_ms = courier.now_ms;
	courier.now_ms += courier.tick_ms;
	return CSIGN_OK;
}

/* --- a host in a folder --------------------------------------------------- */

static struct {
	char dir[128];
	char user[CSIGN_USER_MAX + 1];
	struct csign_account account;
	struct csign_ctx *ctx;
	struct csign_p256 *key, *other_key;
	struct csign_approval *ap;
	struct csign_enrolment *en;
	struct csign_link *link;
	struct csign_question question;
	struct csign_buf *answer;
} host;

static void
write_file(const char *name, mode_t mode, const char *text)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", host.dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static void
configure(const char *more)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
	    "service = https://approve.example.org\n"
	    "host = web1\n"
	    "access_key_file = %s/access.key\n"
	    "state_dir = %s/state\n"
	    "audit_file = %s/audit.log\n"
	    "%s%s",
	    host.dir, host.dir, host.dir,
	    strstr(more, "device_kinds") == NULL
		? "device_kinds = webauthn p256\n"
		: "",
	    more);
	write_file("countersign.conf", 0644, text);
	(void)snprintf(text, sizeof(text), "%s/countersign.conf", host.dir);
	if (csign_ctx_load(host.ctx, text, "sudo") != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(host.ctx));
}

static struct csign_p256 *
key_from(unsigned char last)
{
	unsigned char scalar[32] = {0};
	struct csign_p256 *key = NULL;

	scalar[31] = last;
	assert_int_equal(
	    csign_p256_from_scalar(host.ctx->crypto, scalar, &key), CSIGN_OK);
	return key;
}

static void
set_devices(struct csign_p256 *const *keys, size_t n)
{
	struct csign_device devices[2];
	const struct csign_device_list list = {devices, n};
	struct csign_state_lock *lock = NULL;

	memset(devices, 0, sizeof(devices));
	for (size_t i = 0; i < n; i++) {
		devices[i].kind = CSIGN_KIND_P256;
		csign_p256_point(keys[i], devices[i].point);
		assert_int_equal(csign_device_id(host.ctx->crypto,
				     devices[i].point, devices[i].id),
		    CSIGN_OK);
		devices[i].added = 1700000000;
		strncat(devices[i].by, "root", 5);
		(void)snprintf(devices[i].name, sizeof(devices[i].name),
		    "phone %zu", i + 1);
	}
	assert_int_equal(
	    csign_state_lock(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &host.ctx->why, &lock),
	    CSIGN_OK);
	if (csign_devices_write(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &list, &host.ctx->why) != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(host.ctx));
	csign_state_unlock(&lock);
}

static int
setup(void **state)
{
	const char *top = geteuid() == 0 ? "/run" : getenv("top_builddir");

	(void)state;
	memset(&host, 0, sizeof(host));
	memset(&courier, 0, sizeof(courier));
	courier.now_ms = 1000000;
	assert_non_null(top);
	(void)snprintf(host.dir, sizeof(host.dir), "%s/csign-test.XXXXXX", top);
	assert_non_null(mkdtemp(host.dir));
	assert_int_equal(csign_ctx_new(NULL, &host.ctx), CSIGN_OK);
	write_file("access.key", 0600,
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
	configure("");
	assert_int_equal(
	    csign_store_create(host.ctx->settings.state_dir, &host.ctx->why),
	    CSIGN_OK);
	(void)snprintf(host.user, sizeof(host.user), "%s",
	    geteuid() == 0 ? "root" : getenv("USER"));
	assert_int_equal(
	    csign_account_find(host.user, &host.account, &host.ctx->why),
	    CSIGN_OK);
	host.key = key_from(1);
	host.other_key = key_from(2);
	set_devices(&host.key, 1);
	return 0;
}

static void
end_question(void)
{
	csign_approval_free(&host.ap);
	csign_enrolment_free(&host.en);
	csign_link_free(&host.link);
	csign_question_clear(&host.question);
	csign_buf_free(&host.answer);
	for (size_t i = 0; i < QUEUE_MAX; i++)
		csign_buf_free(&courier.bytes[i]);
	courier.head = courier.tail = 0;
}

static int
teardown(void **state)
{
	char command[192];

	(void)state;
	end_question();
	csign_p256_free(&host.key);
	csign_p256_free(&host.other_key);
	csign_ctx_free(&host.ctx);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", host.dir);
	return system(command); /* a test, and the name is ours */
}

/* --- acting ----------------------------------------------------------------
 */

static struct csign_request *
request_for(const char *user)
{
	struct csign_request *req = NULL;

	assert_int_equal(csign_request_new(&req), CSIGN_OK);
	assert_int_equal(
	    csign_request_set(req, CSIGN_REQ_USER, user), CSIGN_OK);
	assert_int_equal(
	    csign_request_set(req, CSIGN_REQ_SERVICE, "sudo"), CSIGN_OK);
	assert_int_equal(
	    csign_request_add_detail(req, "Command", "id -u"), CSIGN_OK);
	return req;
}

static enum csign_err
begin_for(const char *user, bool unproven)
{
	struct csign_request *req = request_for(user);
	enum csign_err r;

	csign_request_set_unproven(req, unproven);
	r = csign_approval_begin(host.ctx, req, &host.ap);
	csign_request_free(&req);
	return r;
}

/* The phone scans the link and opens what the service would give it. */
static void
scan(const char *link)
{
	char *origin = NULL;

	csign_link_free(&host.link);
	csign_question_clear(&host.question);
	assert_int_equal(
	    csign_link_parse(host.ctx->crypto, link, &host.link, &origin),
	    CSIGN_OK);
	assert_string_equal(origin, "https://approve.example.org");
	free(origin);
	assert_int_equal(
	    csign_question_open(host.ctx->crypto, host.link, courier.content,
		courier.content_len, &host.question),
	    CSIGN_OK);
}

static void
begin(void)
{
	if (begin_for(host.user, false) != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(host.ctx));
	scan(csign_approval_link(host.ap));
}

static void
sign(const struct csign_p256 *key, const char *choice)
{
	uint64_t now = 0;

	csign_buf_free(&host.answer);
	assert_int_equal(
	    csign_buf_new(CSIGN_ANSWER_MAX, &host.answer), CSIGN_OK);
	assert_int_equal(csign_clock_wall(&now), CSIGN_OK);
	assert_int_equal(csign_phone_answer(host.ctx->crypto, host.link,
			     &host.question, key, choice, "", now, host.answer),
	    CSIGN_OK);
}

static void
send_answer(void)
{
	deliver(CSIGN_FRAME_ANSWER, 0, csign_buf_data(host.answer),
	    csign_buf_len(host.answer));
}

static void
answer(const struct csign_p256 *key, const char *choice)
{
	sign(key, choice);
	send_answer();
}

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

/* Whatever happened, nothing but CSIGN_OK may have written a verdict. */
static enum csign_err
wait_for(int timeout_ms)
{
	uint32_t verdict = 0x12345678;
	enum csign_err r = csign_approval_wait(host.ap, timeout_ms, &verdict);

	assert_int_equal(verdict,
	    r == CSIGN_OK ? CSIGN_VERDICT_GRANTED : UINT32_C(0x12345678));
	return r;
}

static void
assert_audit(const char *needle)
{
	static char text[65536];
	char path[256];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/audit.log", host.dir);
	assert_true((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0);
	assert_true((n = read(fd, text, sizeof(text) - 1)) > 0);
	(void)close(fd);
	text[n] = '\0';
	if (strstr(text, needle) == NULL)
		fail_msg("no %s in %s", needle, text);
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
	csign_buf_free(&host.answer);
	assert_int_equal(
	    csign_buf_new(CSIGN_ANSWER_MAX, &host.answer), CSIGN_OK);
	assert_int_equal(
	    csign_phone_decline(host.ctx->crypto, host.link, host.answer),
	    CSIGN_OK);
	send_answer();
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
	assert_int_equal(
	    csign_device_revoke(host.ctx, host.user, "phone 1", false, id),
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
	assert_int_equal(
	    csign_device_revoke(host.ctx, host.user, "phone 1", false, id),
	    CSIGN_E_LAST_DEVICE);
	assert_int_equal(
	    csign_device_revoke(host.ctx, host.user, "phone 1", true, id),
	    CSIGN_OK);
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
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
	assert_int_equal(csign_user_deenroll(host.ctx, host.user), CSIGN_OK);
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
	assert_int_equal(
	    csign_device_revoke(host.ctx, host.user, "phone 1", true, id),
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
	assert_int_equal(
	    csign_device_revoke(host.ctx, host.user, "phone 1", true, id),
	    CSIGN_OK);
	assert_int_equal(begin_for(host.user, true), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	answer(host.key, "approve");
	assert_int_equal(wait_for(-1), CSIGN_E_UNENROLLED);
	end_question();
	assert_int_equal(csign_user_deenroll(host.ctx, host.user), CSIGN_OK);
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

static void
verdict_needs_every_bit(void **state)
{
	struct csign_steps good, bad;
	uint32_t *steps = (uint32_t *)&bad;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(uint32_t); i++)
		((uint32_t *)&good)[i] = CSIGN_STEP_PASSED;
	assert_int_equal(csign_verdict_of(&good), CSIGN_VERDICT_GRANTED);
	for (size_t i = 0; i < sizeof(good) / sizeof(uint32_t); i++) {
		for (unsigned int bit = 0; bit < 32; bit++) {
			bad = good;
			steps[i] ^= UINT32_C(1) << bit;
			assert_int_equal(
			    csign_verdict_of(&bad), CSIGN_VERDICT_REFUSED);
		}
		bad = good;
		steps[i] = 0;
		assert_int_equal(csign_verdict_of(&bad), CSIGN_VERDICT_REFUSED);
	}
	/* The words themselves: SIG-6 asks for 16 bits. */
	assert_true(__builtin_popcount(CSIGN_VERDICT_GRANTED) >= 16);
	assert_true(__builtin_popcount(
			CSIGN_VERDICT_GRANTED ^ CSIGN_VERDICT_REFUSED) >= 16);
	assert_true(__builtin_popcount(CSIGN_STEP_PASSED) >= 16);
}

/* --- enrolment ------------------------------------------------------------ */

static void
begin_enrolment(const char *name)
{
	if (csign_enrolment_begin(
		host.ctx, host.user, "root", name, &host.en) != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(host.ctx));
	scan(csign_enrolment_link(host.en));
	assert_true(host.question.transaction.enrolment);
}

static void
answer_enrolment(const struct csign_p256 *key)
{
	struct csign_p256 *seal = key_from(77);
	uint64_t now = 0;

	csign_buf_free(&host.answer);
	assert_int_equal(
	    csign_buf_new(CSIGN_ANSWER_MAX, &host.answer), CSIGN_OK);
	assert_int_equal(csign_clock_wall(&now), CSIGN_OK);
	assert_int_equal(
	    csign_phone_enrol(host.ctx->crypto, host.link, &host.question, key,
		seal, "Alice's phone", now, host.answer),
	    CSIGN_OK);
	csign_p256_free(&seal);
	send_answer();
}

static size_t
count_devices(void)
{
	struct csign_devices *devices = NULL;
	size_t n;

	assert_int_equal(
	    csign_devices_load(host.ctx, host.user, &devices), CSIGN_OK);
	n = csign_devices_count(devices);
	csign_devices_free(&devices);
	return n;
}

static void
enrols_in_order(void **state)
{
	struct csign_approval *test = NULL;
	struct csign_link *follow = NULL;

	(void)state;
	begin_enrolment(NULL);
	assert_null(csign_enrolment_device(host.en));
	assert_int_equal(
	    csign_enrolment_accept(host.en, true), CSIGN_E_INVALID);
	assert_int_equal(csign_enrolment_test(host.en, &test), CSIGN_E_INVALID);
	assert_int_equal(
	    csign_enrolment_commit(host.en, NULL), CSIGN_E_INVALID);
	answer_enrolment(host.other_key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_OK);
	assert_string_equal(
	    csign_enrolment_device(host.en)->name, "Alice's phone");
	assert_int_equal(csign_enrolment_test(host.en, &test), CSIGN_E_INVALID);
	assert_int_equal(csign_enrolment_accept(host.en, true), CSIGN_OK);
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_GRANTED);
	assert_int_equal(
	    csign_enrolment_commit(host.en, NULL), CSIGN_E_INVALID);
	assert_int_equal(csign_enrolment_test(host.en, &test), CSIGN_OK);
	/* Only the new device: the old one's yes is refused. */
	host.ap = test;
	scan(csign_approval_link(test));
	answer(host.key, "approve");
	assert_int_equal(wait_for(0), CSIGN_E_AGAIN);
	assert_string_equal(courier.reason, "PROOF_DEVICE");
	assert_int_equal(
	    csign_enrolment_commit(host.en, host.ap), CSIGN_E_INVALID);
	assert_int_equal(count_devices(), 1);
	end_question();

	begin_enrolment("second");
	answer_enrolment(host.other_key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_OK);
	assert_string_equal(csign_enrolment_device(host.en)->name, "second");
	assert_int_equal(csign_enrolment_accept(host.en, true), CSIGN_OK);
	/* The phone that enrolled finds the test without a second scan. */
	assert_int_equal(
	    csign_link_for_test(host.ctx->crypto, host.link, &follow),
	    CSIGN_OK);
	assert_int_equal(csign_enrolment_test(host.en, &host.ap), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	assert_string_equal(csign_link_id(follow), csign_link_id(host.link));
	csign_link_free(&follow);
	answer(host.other_key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
	assert_int_equal(count_devices(), 1);
	assert_int_equal(csign_enrolment_commit(host.en, host.ap), CSIGN_OK);
	assert_int_equal(count_devices(), 2);
	assert_audit("\"event\":\"enrolment\"");
}

static void
enrols_nobody_by_mistake(void **state)
{
	(void)state;
	/* The person says that the ids differ. */
	begin_enrolment(NULL);
	answer_enrolment(host.other_key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_OK);
	assert_int_equal(csign_enrolment_accept(host.en, false), CSIGN_OK);
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_DENIED);
	assert_int_equal(
	    csign_enrolment_commit(host.en, host.ap), CSIGN_E_INVALID);
	end_question();
	/* A key that somebody has already. */
	begin_enrolment(NULL);
	answer_enrolment(host.key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_E_EXISTS);
	end_question();
	/* A kind that the host does not take, with the reason in words. */
	configure("device_kinds = webauthn\n");
	begin_enrolment(NULL);
	answer_enrolment(host.other_key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_E_PROOF_KIND);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "device_kinds"));
	end_question();
	/* The phone declines; junk comes; both end it, there is one try. */
	configure("");
	for (int junk = 0; junk < 2; junk++) {
		begin_enrolment(NULL);
		csign_buf_free(&host.answer);
		assert_int_equal(
		    csign_buf_new(CSIGN_ANSWER_MAX, &host.answer), CSIGN_OK);
		assert_int_equal(csign_phone_decline(
				     host.ctx->crypto, host.link, host.answer),
		    CSIGN_OK);
		if (junk)
			deliver(CSIGN_FRAME_ANSWER, 0, "junk", 4);
		else
			send_answer();
		assert_int_equal(csign_enrolment_wait(host.en, -1),
		    junk ? CSIGN_E_PROOF_FORMAT : CSIGN_E_DECLINED);
		assert_int_equal(
		    csign_enrolment_wait(host.en, -1), CSIGN_E_INVALID);
		end_question();
	}
	configure("max_devices = 1\n");
	assert_int_equal(
	    csign_enrolment_begin(host.ctx, host.user, "root", NULL, &host.en),
	    CSIGN_E_TOO_LONG);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "max_devices"));
	/* A name that could not be written down, before anybody scans. */
	assert_int_equal(csign_enrolment_begin(
			     host.ctx, host.user, "root", "a\u202eb", &host.en),
	    CSIGN_E_INVALID);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "name"));
	assert_int_equal(count_devices(), 1);
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
	    CASE(verdict_needs_every_bit),
	    CASE(enrols_in_order),
	    CASE(enrols_nobody_by_mistake),
	    CASE(nothing_without_a_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
