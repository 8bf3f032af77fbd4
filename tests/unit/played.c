/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"
#include "played.h"

/* --- the courier, played ------------------------------------------------- */

struct csign_leash {
	int unused;
};

struct played_courier courier;

static struct csign_leash leash;

void
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
    enum csign_outcome outcome, const char *reason, uint8_t tries_left,
    const char *device);
enum csign_err __wrap_csign_leash_removed(
    struct csign_leash *l, const char *device);
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
	assert_true(job->copies_len <= sizeof(courier.copies));
	courier.n_copies = job->copies_len / CSIGN_COPY_LEN;
	if (job->copies_len > 0)
		memcpy(courier.copies, job->copies, job->copies_len);
	if (courier.conflicts > 0) {
		courier.conflicts--;
		deliver(CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_CONFLICT, NULL, 0);
	} else if (courier.no_copies && job->copies_len > 0) {
		courier.now_ms += courier.slow_ms;
		deliver(CSIGN_FRAME_TROUBLE, CSIGN_TROUBLE_BAD_REPLY, "x", 1);
	} else if (courier.trouble != 0) {
		deliver(CSIGN_FRAME_TROUBLE, (uint8_t)courier.trouble, "x", 1);
	} else {
		for (size_t i = 0; i < courier.n_notes; i++)
			deliver(CSIGN_FRAME_REMOVAL, 0,
			    csign_buf_data(courier.notes[i]),
			    csign_buf_len(courier.notes[i]));
		deliver(CSIGN_FRAME_CREATED, courier.rings, NULL, 0);
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
    const char *reason, uint8_t tries_left, const char *device)
{
	assert_ptr_equal(l, &leash);
	(void)snprintf(courier.device, sizeof(courier.device), "%s",
	    device == NULL ? "" : device);
	courier.outcome = outcome;
	(void)snprintf(courier.reason, sizeof(courier.reason), "%s", reason);
	courier.tries_left = tries_left;
	return CSIGN_OK;
}

enum csign_err
__wrap_csign_leash_removed(struct csign_leash *l, const char *device)
{
	assert_ptr_equal(l, &leash);
	assert_true(courier.n_removed < 8);
	(void)snprintf(courier.removed[courier.n_removed++],
	    sizeof(courier.removed[0]), "%s", device);
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

struct played_host host;

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

void
configure(const char *more)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
	    "service = https://approve.example.org\n"
	    "host = web1\n"
	    "access_key_file = %s/access.key\n"
	    "state_dir = %s/state\n"
	    "audit_file = %s/audit.log\n"
	    "audit_syslog = no\n"
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

struct csign_p256 *
key_from(unsigned char last)
{
	unsigned char scalar[32] = {0};
	struct csign_p256 *key = NULL;

	scalar[31] = last;
	assert_int_equal(
	    csign_p256_from_scalar(host.ctx->crypto, scalar, &key), CSIGN_OK);
	return key;
}

void
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
		devices[i].has_seal = host.seal != NULL;
		if (host.seal != NULL)
			csign_p256_point(host.seal, devices[i].seal);
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

int
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
	(void)snprintf(
	    host.audit, sizeof(host.audit), "%s/audit.log", host.dir);
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

void
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

int
teardown(void **state)
{
	char command[192];

	(void)state;
	end_question();
	csign_p256_free(&host.key);
	csign_p256_free(&host.other_key);
	csign_p256_free(&host.seal);
	csign_ctx_free(&host.ctx);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", host.dir);
	return system(command); /* a test, and the name is ours */
}

/* --- acting ----------------------------------------------------------------
 */

struct csign_request *
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

enum csign_err
begin_for(const char *user, bool unproven)
{
	struct csign_request *req = request_for(user);
	enum csign_err r;

	csign_request_set_unproven(req, unproven);
	r = csign_approval_begin(host.ctx, req, &host.ap);
	csign_request_free(&req);
	return r;
}

void
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

void
begin(void)
{
	if (begin_for(host.user, false) != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(host.ctx));
	scan(csign_approval_link(host.ap));
}

void
sign_code(const struct csign_p256 *key, const char *choice, const char *code)
{
	uint64_t now = 0;

	csign_buf_free(&host.answer);
	assert_int_equal(
	    csign_buf_new(CSIGN_ANSWER_MAX, &host.answer), CSIGN_OK);
	assert_int_equal(csign_clock_wall(&now), CSIGN_OK);
	assert_int_equal(
	    csign_phone_answer(host.ctx->crypto, host.link, &host.question, key,
		choice, code, now, host.answer),
	    CSIGN_OK);
}

void
sign(const struct csign_p256 *key, const char *choice)
{
	sign_code(key, choice, "");
}

void
send_answer(void)
{
	deliver(CSIGN_FRAME_ANSWER, 0, csign_buf_data(host.answer),
	    csign_buf_len(host.answer));
}

void
answer(const struct csign_p256 *key, const char *choice)
{
	sign(key, choice);
	send_answer();
}

void
decline(void)
{
	csign_buf_free(&host.answer);
	assert_int_equal(
	    csign_buf_new(CSIGN_ANSWER_MAX, &host.answer), CSIGN_OK);
	assert_int_equal(
	    csign_phone_decline(host.ctx->crypto, host.link, host.answer),
	    CSIGN_OK);
	send_answer();
}

enum csign_err
wait_for(int timeout_ms)
{
	uint32_t verdict = 0x12345678;
	enum csign_err r = csign_approval_wait(host.ap, timeout_ms, &verdict);

	assert_int_equal(verdict,
	    r == CSIGN_OK ? CSIGN_VERDICT_GRANTED : UINT32_C(0x12345678));
	return r;
}

static const char *
read_audit(void)
{
	static char text[65536];
	ssize_t n;
	int fd;

	assert_true((fd = open(host.audit, O_RDONLY | O_CLOEXEC)) >= 0);
	assert_true((n = read(fd, text, sizeof(text) - 1)) > 0);
	(void)close(fd);
	text[n] = '\0';
	return text;
}

bool
in_audit(const char *needle)
{
	return strstr(read_audit(), needle) != NULL;
}

void
assert_audit(const char *needle)
{
	if (!in_audit(needle))
		fail_msg("no %s in %s", needle, read_audit());
}

const char *
keep_evidence(void)
{
	char more[256];

	(void)snprintf(
	    host.evidence, sizeof(host.evidence), "%s/evidence.log", host.dir);
	(void)snprintf(more, sizeof(more),
	    "evidence = yes\nevidence_file = %s\n", host.evidence);
	configure(more);
	return host.evidence;
}

void
assert_kept(const char *choice, const char *code)
{
	static char text[CSIGN_EVIDENCE_MAX * 2];
	const struct csign_evidence_info *info;
	struct csign_evidence *ev = NULL;
	char needle[64];
	ssize_t n;
	int fd = open(host.evidence, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true((n = read(fd, text, sizeof(text) - 1)) > 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(host.evidence), 0);
	text[n] = '\0';
	assert_int_equal(text[n - 1], '\n');
	assert_int_equal(
	    csign_evidence_read(host.ctx, text, (size_t)n - 1, &ev), CSIGN_OK);
	assert_int_equal(csign_evidence_check(host.ctx, ev), CSIGN_OK);
	info = csign_evidence_look(ev);
	assert_string_equal(info->choice, choice);
	assert_string_equal(info->user, host.user);
	(void)snprintf(
	    needle, sizeof(needle), "\"evidence\":\"%s\"", info->mark);
	assert_audit(needle);
	csign_evidence_free(&ev);
	(void)snprintf(needle, sizeof(needle), "\"code\":\"%s\"", code);
	assert_int_equal(strstr(text, "\"code\"") != NULL, code[0] != '\0');
	assert_int_equal(strstr(text, needle) != NULL, code[0] != '\0');
}

void
begin_enrolment(const char *name)
{
	if (csign_enrolment_begin(
		host.ctx, host.user, "root", name, &host.en) != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(host.ctx));
	scan(csign_enrolment_link(host.en));
	assert_true(host.question.transaction.enrolment);
}

void
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

size_t
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
