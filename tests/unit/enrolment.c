/* SPDX-License-Identifier: BSD-2-Clause */
/* Enrolments, with the courier of played.h. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "approval.h"
#include "file.h"
#include "played.h"

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
	assert_int_equal(
	    csign_enrolment_test(host.en, NULL, &test), CSIGN_E_INVALID);
	assert_int_equal(
	    csign_enrolment_commit(host.en, NULL), CSIGN_E_INVALID);
	answer_enrolment(host.other_key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_OK);
	assert_string_equal(
	    csign_enrolment_device(host.en)->name, "Alice's phone");
	assert_int_equal(
	    csign_enrolment_test(host.en, NULL, &test), CSIGN_E_INVALID);
	assert_int_equal(csign_enrolment_accept(host.en, true), CSIGN_OK);
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_GRANTED);
	assert_int_equal(
	    csign_enrolment_commit(host.en, NULL), CSIGN_E_INVALID);
	assert_int_equal(csign_enrolment_test(host.en, NULL, &test), CSIGN_OK);
	/* Only the new device: the old one's yes is refused. */
	host.ap = test;
	scan(csign_approval_link(test));
	/* Nothing rings for it, though it has a key for that. */
	assert_string_equal(host.question.transaction.code, "never");
	assert_int_equal(courier.n_copies, 0);
	assert_int_equal(csign_approval_rings(host.ap), -1);
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
	assert_int_equal(
	    csign_enrolment_test(host.en, NULL, &host.ap), CSIGN_OK);
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
	/* No room for one more: said at the first look, and that is the end. */
	configure("max_devices = 1\n");
	begin_enrolment(NULL);
	assert_int_equal(csign_enrolment_wait(host.en, 0), CSIGN_E_TOO_LONG);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "max_devices"));
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_DENIED);
	assert_int_equal(csign_enrolment_wait(host.en, 0), CSIGN_E_INVALID);
	end_question();
	/* A name that could not be written down, before anybody scans. */
	assert_int_equal(csign_enrolment_begin(
			     host.ctx, host.user, "root", "a\u202eb", &host.en),
	    CSIGN_E_INVALID);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "name"));
	assert_int_equal(count_devices(), 1);
}

/* --- what replaces another ------------------------------------------------ */

static const char *
id_of(const struct csign_p256 *key)
{
	static char id[CSIGN_DEVICE_ID_SIZE];
	unsigned char point[CSIGN_POINT_LEN];

	csign_p256_point(key, point);
	assert_int_equal(
	    csign_device_id(host.ctx->crypto, point, id), CSIGN_OK);
	return id;
}

/* Up to the id that a person confirmed. */
static void
accept_device(const struct csign_p256 *key)
{
	answer_enrolment(key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_OK);
	assert_int_equal(csign_enrolment_accept(host.en, true), CSIGN_OK);
	assert_string_equal(courier.device, id_of(key));
}

/* From there to the new device's yes, to req or to a test. */
static void
approve_first(const struct csign_p256 *key, const struct csign_request *req)
{
	assert_int_equal(
	    csign_enrolment_test(host.en, req, &host.ap), CSIGN_OK);
	scan(csign_approval_link(host.ap));
	answer(key, "approve");
	assert_int_equal(wait_for(0), CSIGN_OK);
}

static struct csign_state
state_now(void)
{
	struct csign_state st;

	assert_int_equal(
	    csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &st, &host.ctx->why),
	    CSIGN_OK);
	return st;
}

static bool
has_device(const struct csign_p256 *key)
{
	struct csign_device_list list = {NULL, 0};
	bool has;

	assert_int_equal(
	    csign_devices_read(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &list, &host.ctx->why),
	    CSIGN_OK);
	has = csign_device_by_id(&list, id_of(key)) != NULL;
	csign_device_list_clear(&list);
	return has;
}

static void
replaces_a_lost_device(void **state)
{
	char lost[CSIGN_DEVICE_ID_SIZE], expected[64];
	struct csign_state st;

	(void)state;
	memcpy(lost, id_of(host.key), sizeof(lost));
	configure("max_devices = 1\n"); /* not in the way */
	begin_enrolment("replacement");
	assert_int_equal(
	    csign_enrolment_replace(host.en, id_of(host.other_key)),
	    CSIGN_E_NOT_FOUND);
	assert_int_equal(csign_enrolment_replace(host.en, lost), CSIGN_OK);
	accept_device(host.other_key);
	/* Nothing has happened to the old one so far. */
	approve_first(host.other_key, NULL);
	assert_true(has_device(host.key));
	assert_int_equal(csign_enrolment_commit(host.en, host.ap), CSIGN_OK);
	assert_false(has_device(host.key));
	assert_true(has_device(host.other_key));
	assert_int_equal(count_devices(), 1);
	st = state_now();
	assert_true(st.had_device);
	assert_true(csign_state_is_gone(&st, lost));
	assert_false(csign_state_is_gone(&st, id_of(host.other_key)));
	(void)snprintf(expected, sizeof(expected), "\"replaces\":\"%s\"", lost);
	assert_audit(expected);
	assert_int_equal(
	    csign_enrolment_replace(host.en, id_of(host.other_key)),
	    CSIGN_E_INVALID);
	end_question();
	/* Revoked for good: the old phone does not come back by the same key.
	 */
	configure("");
	begin_enrolment(NULL);
	answer_enrolment(host.key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_E_EXISTS);
	assert_non_null(strstr(csign_ctx_why(host.ctx), "revoked"));
	assert_int_equal(courier.outcome, CSIGN_OUTCOME_DENIED);
}

/* What somebody did in the meantime counts when it is written. */
static void
looks_again_before_it_writes(void **state)
{
	struct csign_p256 *const both[] = {host.key, host.other_key};
	struct csign_p256 *third = key_from(3);
	char id[CSIGN_DEVICE_ID_SIZE];

	(void)state;
	/* The one to be replaced was revoked: it is away, which is fine. */
	set_devices(both, 2);
	begin_enrolment(NULL);
	assert_int_equal(
	    csign_enrolment_replace(host.en, id_of(host.key)), CSIGN_OK);
	accept_device(third);
	approve_first(third, NULL);
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 1", false, "root", id),
	    CSIGN_OK);
	assert_int_equal(csign_enrolment_commit(host.en, host.ap), CSIGN_OK);
	assert_int_equal(count_devices(), 2);
	end_question();
	csign_p256_free(&third);

	/* Another one took the last place. */
	set_devices(&host.other_key, 1);
	configure("max_devices = 2\n");
	third = key_from(4);
	begin_enrolment(NULL);
	accept_device(third);
	approve_first(third, NULL);
	configure("max_devices = 1\n");
	assert_int_equal(
	    csign_enrolment_commit(host.en, host.ap), CSIGN_E_TOO_LONG);
	assert_audit("\"result\":\"failed\",\"reason\":\"TOO_LONG\"");
	assert_int_equal(count_devices(), 1);
	end_question();

	/* The very key came in by another way. */
	configure("");
	begin_enrolment(NULL);
	accept_device(third);
	approve_first(third, NULL);
	set_devices((struct csign_p256 *const[]){host.other_key, third}, 2);
	assert_int_equal(
	    csign_enrolment_commit(host.en, host.ap), CSIGN_E_EXISTS);
	end_question();

	/* Or it was revoked while it was on its way. */
	set_devices(&host.other_key, 1);
	begin_enrolment(NULL);
	accept_device(third);
	approve_first(third, NULL);
	set_devices((struct csign_p256 *const[]){host.other_key, third}, 2);
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 2", false, "root", id),
	    CSIGN_OK);
	assert_int_equal(
	    csign_enrolment_commit(host.en, host.ap), CSIGN_E_EXISTS);
	assert_int_equal(count_devices(), 1);
	csign_p256_free(&third);
}

/* ENR-7: two accounts cannot enrol one key at the same moment. */
static void
one_enrolment_writes_at_a_time(void **state)
{
	int lock = -1;

	(void)state;
	begin_enrolment(NULL);
	accept_device(host.other_key);
	approve_first(host.other_key, NULL);
	assert_int_equal(csign_devices_lock(host.ctx->settings.state_dir,
			     &host.ctx->why, &lock),
	    CSIGN_OK);
	courier.tick_ms = 500; /* so that it waits no real time */
	assert_int_not_equal(
	    csign_enrolment_commit(host.en, host.ap), CSIGN_OK);
	assert_non_null(strstr(csign_ctx_why(host.ctx), ".lock"));
	assert_int_equal(count_devices(), 1);
	assert_audit("\"result\":\"failed\"");
	csign_close(&lock);
}

/* A record of each end: also of one that was not finished. */
static void
given_up(void **state)
{
	static const char record[] = "\"event\":\"enrolment\","
				     "\"result\":\"failed\","
				     "\"reason\":\"%s\"";
	char needle[128];

	(void)state;
	(void)snprintf(needle, sizeof(needle), record, "CANCELLED");
	begin_enrolment(NULL); /* nobody answered */
	end_question();
	assert_audit(needle);
	assert_int_equal(unlink(host.audit), 0);
	begin_enrolment(NULL); /* nobody compared */
	answer_enrolment(host.other_key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_OK);
	end_question();
	assert_audit(needle);
	assert_audit(id_of(host.other_key));
	assert_int_equal(unlink(host.audit), 0);
	begin_enrolment(NULL); /* nobody tested */
	accept_device(host.other_key);
	end_question();
	assert_audit(needle);
	assert_int_equal(unlink(host.audit), 0);
	/* One that ended has its record already. */
	begin_enrolment(NULL);
	answer_enrolment(host.other_key);
	assert_int_equal(csign_enrolment_wait(host.en, -1), CSIGN_OK);
	assert_int_equal(csign_enrolment_accept(host.en, false), CSIGN_OK);
	assert_audit("\"result\":\"refused\"");
	assert_int_equal(unlink(host.audit), 0);
	end_question();
	assert_int_equal(access(host.audit, F_OK), -1);
	/* Nobody was asked. */
	courier.trouble = CSIGN_TROUBLE_TLS;
	assert_int_equal(
	    csign_enrolment_begin(host.ctx, host.user, "root", NULL, &host.en),
	    CSIGN_E_SERVICE);
	(void)snprintf(needle, sizeof(needle), record, "SERVICE");
	assert_audit(needle);
	assert_audit("\"trouble\":\"tls\"");
	assert_false(in_audit("CANCELLED"));
}

/* --- inside a login ------------------------------------------------------- */

static void
answers_a_login(void **state)
{
	struct csign_request *req = request_for(host.user);
	struct csign_request *other = request_for("daemon");

	(void)state;
	assert_int_equal(
	    csign_user_deenroll(host.ctx, host.user, "root"), CSIGN_OK);
	begin_enrolment(NULL);
	accept_device(host.other_key);
	/* The question has to be this account's. */
	assert_int_equal(
	    csign_enrolment_test(host.en, other, &host.ap), CSIGN_E_INVALID);
	assert_int_equal(
	    csign_request_set(other, CSIGN_REQ_USER, NULL), CSIGN_OK);
	assert_int_equal(
	    csign_enrolment_test(host.en, other, &host.ap), CSIGN_E_INVALID);
	assert_int_equal(
	    csign_request_set(other, CSIGN_REQ_USER, "no-such-user"), CSIGN_OK);
	assert_int_equal(csign_enrolment_test(host.en, other, &host.ap),
	    CSIGN_E_UNKNOWN_USER);
	approve_first(host.other_key, req);
	assert_string_equal(host.question.transaction.service, "sudo");
	assert_audit("\"event\":\"approval\"");
	assert_int_equal(csign_enrolment_commit(host.en, host.ap), CSIGN_OK);
	csign_request_free(&req);
	csign_request_free(&other);
	end_question();
}

/* ENR-1: two begin while there is no device; only one of them gets in. */
static void
enrols_the_first_device_only(void **state)
{
	struct csign_request *req = request_for(host.user);
	struct csign_p256 *third = key_from(3);
	char id[CSIGN_DEVICE_ID_SIZE];

	(void)state;
	assert_int_equal(
	    csign_user_deenroll(host.ctx, host.user, "root"), CSIGN_OK);
	begin_enrolment(NULL);
	accept_device(host.other_key);
	approve_first(host.other_key, req);
	set_devices(&host.key, 1);
	assert_int_equal(
	    csign_enrolment_commit(host.en, host.ap), CSIGN_E_EXISTS);
	assert_int_equal(count_devices(), 1);
	assert_false(has_device(host.other_key));
	assert_audit("\"result\":\"failed\",\"reason\":\"EXISTS\"");
	end_question();
	/* The same if that one was taken away again: the mark stays. */
	assert_int_equal(
	    csign_user_deenroll(host.ctx, host.user, "root"), CSIGN_OK);
	begin_enrolment(NULL);
	accept_device(host.other_key);
	approve_first(host.other_key, req);
	set_devices(&third, 1);
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 1", true, "root", id),
	    CSIGN_OK);
	assert_int_equal(
	    csign_enrolment_commit(host.en, host.ap), CSIGN_E_EXISTS);
	csign_p256_free(&third);
	csign_request_free(&req);
}

static enum csign_err
begin_unenrolled(const char *user, bool proven, bool unproven)
{
	struct csign_request *req = request_for(user);
	enum csign_err r;

	csign_request_set_proven(req, proven);
	csign_request_set_unproven(req, unproven);
	r = csign_approval_begin(host.ctx, req, &host.ap);
	csign_request_free(&req);
	end_question();
	return r;
}

/* ENR-1: what has to come together before a login offers an enrolment. */
static void
offers_an_enrolment(void **state)
{
	char id[CSIGN_DEVICE_ID_SIZE];

	(void)state;
	assert_int_equal(
	    csign_user_deenroll(host.ctx, host.user, "root"), CSIGN_OK);
	/* By the policy alone. */
	assert_int_equal(
	    begin_unenrolled("daemon", true, false), CSIGN_E_UNENROLLED);
	configure("unenrolled = enroll\n");
	assert_int_equal(
	    begin_unenrolled("daemon", true, false), CSIGN_E_ENROLL);
	assert_int_equal(courier.starts, 0);
	/* After a first factor alone; a stranger learns nothing: RL-7. */
	assert_int_equal(
	    begin_unenrolled("daemon", false, false), CSIGN_E_UNENROLLED);
	assert_int_equal(begin_unenrolled("daemon", true, true), CSIGN_OK);
	assert_int_equal(courier.starts, 1);
	assert_int_equal(begin_unenrolled("no-such-user", true, false),
	    CSIGN_E_UNKNOWN_USER);
	/* For root where it says so. */
	assert_int_equal(
	    begin_unenrolled("root", true, false), CSIGN_E_UNENROLLED);
	configure("unenrolled = enroll\nenroll_root = yes\n");
	assert_int_equal(begin_unenrolled("root", true, false), CSIGN_E_ENROLL);
	/* Never again with the mark: somebody took the device away. */
	configure("unenrolled = enroll\nenroll_root = yes\n");
	set_devices(&host.key, 1);
	assert_int_equal(csign_device_revoke(
			     host.ctx, host.user, "phone 1", true, "root", id),
	    CSIGN_OK);
	assert_int_equal(
	    begin_unenrolled(host.user, true, false), CSIGN_E_STATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(enrols_in_order),
	    CASE(enrols_nobody_by_mistake),
	    CASE(replaces_a_lost_device),
	    CASE(looks_again_before_it_writes),
	    CASE(one_enrolment_writes_at_a_time),
	    CASE(answers_a_login),
	    CASE(enrols_the_first_device_only),
	    CASE(offers_an_enrolment),
	    CASE(given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
