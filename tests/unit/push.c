/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RL-3 to RL-5, G8: a turn to ring is taken under a lock of its own and is on
 * disk before anything rings, so that neither a crash nor a restart nor a
 * second login makes a phone ring more often.
 */
#include "registry.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "push.h"

#define FILE_OF_ALICE STORE "/state/1001"
#define RINGS_OF_ALICE FILE_OF_ALICE ".rings"
#define BOOT_1 "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define BOOT_2 "6fa459ea-ee8a-3ca4-894e-db77e160355e"
#define LIFETIME 90
#define OPEN_FOR 96 /* and the time to put it */

static char ring[CSIGN_RING_SIZE], note[CSIGN_PUSH_NOTE_SIZE];

static void
pass(uint64_t seconds)
{
	world.wall_ms += seconds * 1000;
	world.boot_ms += seconds * 1000;
}

static int
fresh(void **state)
{
	if (registry_fresh(state) != 0)
		return -1;
	world.wall_ms = 1763719331001;
	world.boot_ms = 5000000;
	world.boot_id = BOOT_1;
	registry->why.text[0] = '\0';
	registry_enrol(&alice, 1, 1);
	memset(ring, 'x', sizeof(ring));
	memset(note, 'x', sizeof(note));
	return 0;
}

static enum csign_quiet
take(void)
{
	enum csign_quiet quiet =
	    csign_push_take(registry, &alice, LIFETIME, ring, note);

	assert_non_null(memchr(ring, '\0', sizeof(ring)));
	assert_non_null(memchr(note, '\0', sizeof(note)));
	assert_true((quiet == CSIGN_QUIET_NO) == (note[0] == '\0'));
	assert_true((quiet == CSIGN_QUIET_NO) == (ring[0] != '\0'));
	assert_string_equal(csign_ctx_why(registry), "");
	return quiet;
}

/* --- what a host wants ---------------------------------------------------- */

static void
the_host_says_whether_and_how_it_rings(void **state)
{
	static const struct {
		const char *settings;
		bool quiet, unproven, want;
	} rows[] = {
	    {"", false, false, true},
	    {"", true, false, false},
	    {"", false, true, false},
	    {"push = no\n", false, false, false},
	    {"push_without_first_factor = yes\n", false, true, true},
	    {"push_without_first_factor = yes\n", true, true, false},
	    {"push_without_first_factor = yes\npush = no\n", false, true,
		false},
	};
	const struct csign_account root = {.uid = 0, .name = "root"};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_request *req = NULL;

		registry_configure(rows[i].settings);
		assert_ok(csign_request_new(&req));
		if (rows[i].quiet)
			csign_request_set_push(req, false);
		csign_request_set_unproven(req, rows[i].unproven);
		assert_true(csign_push_wanted(registry, req) == rows[i].want);
		csign_request_free(&req);
	}
	assert_int_equal(csign_push_code(registry, &alice), CSIGN_CODE_INBOX);
	registry_configure("push_confirm = tap\n");
	assert_int_equal(csign_push_code(registry, &alice), CSIGN_CODE_TAP);
	/* UX-2 */
	assert_int_equal(csign_push_code(registry, &root), CSIGN_CODE_INBOX);
}

/* --- a turn --------------------------------------------------------------- */

static void
a_turn_is_on_disk_before_it_rings(void **state)
{
	char first[CSIGN_RING_SIZE];
	struct csign_limit limit;

	(void)state;
	assert_int_equal(take(), CSIGN_QUIET_NO);
	assert_int_equal(strlen(ring), CSIGN_RING_SIZE - 1);
	limit = registry_rings(&alice);
	assert_string_equal(limit.open, ring);
	assert_int_equal(limit.open_for, OPEN_FOR);
	assert_int_equal(limit.n_pushes, 1);
	assert_int_equal(limit.opened.wall, 1763719331);
	assert_int_equal(limit.opened.boot, 5000);
	assert_string_equal(limit.boot_id, BOOT_1);
	/* A second login gets the QR code and is told why. */
	memcpy(first, ring, sizeof(first));
	assert_int_equal(take(), CSIGN_QUIET_OPEN);
	assert_string_equal(note, "No push: your phone has another question.");
	/* Bob's phone is another one. */
	assert_int_equal(csign_push_take(registry, &bob, LIFETIME, ring, note),
	    CSIGN_QUIET_NO);
	assert_string_not_equal(ring, first);
	/* What was remembered before is still there. */
	assert_true(registry_state(&alice).had_device);
}

static void
to_be_told_no_writes_nothing(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(take(), CSIGN_QUIET_NO);
	assert_int_equal(stat(scratch(RINGS_OF_ALICE), &before), 0);
	pass(1);
	assert_int_equal(take(), CSIGN_QUIET_OPEN);
	assert_int_equal(stat(scratch(RINGS_OF_ALICE), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	/* But that a clock was set back is written down: there is an end. */
	world.wall_ms -= 3600 * 1000;
	assert_int_equal(take(), CSIGN_QUIET_OPEN);
	assert_int_equal(registry_rings(&alice).opened.wall, 1763719332 - 3600);
	pass(OPEN_FOR);
	assert_int_equal(take(), CSIGN_QUIET_NO);
}

static void
unanswered_questions_make_a_pause_and_a_record(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_no_audit("alert");
		assert_int_equal(take(), CSIGN_QUIET_NO);
		pass(LIFETIME);
		csign_push_over(
		    registry, &alice, ring, CSIGN_BECAME_UNANSWERED);
		assert_string_equal(registry_rings(&alice).open, "");
	}
	assert_audit("\"event\":\"alert\",\"result\":\"push-paused\","
		     "\"reason\":\"EXPIRED\",\"uid\":1001,\"user\":\"alice\"");
	assert_int_equal(take(), CSIGN_QUIET_PAUSED);
	assert_string_equal(note, "No push for 15 minutes: too many came to "
				  "nothing. Scan the code.");
	pass(899);
	assert_int_equal(take(), CSIGN_QUIET_PAUSED);
	pass(1);
	assert_int_equal(take(), CSIGN_QUIET_NO);
	/* One that did not ring counts for nothing, and writes nothing. */
	csign_push_over(registry, &alice, "", CSIGN_BECAME_UNANSWERED);
	assert_string_equal(registry_rings(&alice).open, ring);
	csign_push_over(
	    registry, &alice, "AAAAAAAAAAAA", CSIGN_BECAME_UNANSWERED);
	assert_string_equal(registry_rings(&alice).open, ring);
}

static void
take_and_die(void)
{
	int status = 0;

	(void)fflush(NULL);
	if (fork() == 0) {
		if (take() == CSIGN_QUIET_NO)
			(void)raise(SIGKILL);
		_exit(0);
	}
	assert_true(wait(&status) > 0);
	assert_true(WIFSIGNALED(status));
}

/* kill -9 is no way to have more questions. */
static void
who_is_killed_has_not_answered(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		take_and_die();
		pass(OPEN_FOR - 1);
		assert_int_equal(take(), CSIGN_QUIET_OPEN);
		assert_no_audit("alert");
		pass(1);
	}
	assert_int_equal(take(), CSIGN_QUIET_PAUSED);
	assert_audit("\"result\":\"push-paused\",\"reason\":\"EXPIRED\"");
	assert_string_equal(registry_rings(&alice).open, "");
	assert_int_equal(registry_rings(&alice).pauses, 1);
}

static void
a_restart_changes_nothing(void **state)
{
	(void)state;
	take_and_die();
	world.boot_id = BOOT_2;
	world.boot_ms = 20000;
	world.wall_ms += 30 * 1000;
	assert_int_equal(take(), CSIGN_QUIET_OPEN);
	pass(OPEN_FOR - 30);
	take_and_die();
	world.boot_id = BOOT_1;
	world.boot_ms = 20000;
	world.wall_ms += 60 * 1000;
	assert_int_equal(take(), CSIGN_QUIET_OPEN);
	pass(OPEN_FOR - 60);
	take_and_die();
	pass(OPEN_FOR);
	assert_int_equal(take(), CSIGN_QUIET_PAUSED);
	/* In the middle of the pause, and the clock is lost. */
	pass(300);
	world.boot_id = BOOT_2;
	world.boot_ms = 20000;
	world.wall_ms = 1001;
	assert_int_equal(take(), CSIGN_QUIET_PAUSED);
	world.wall_ms = 1763719331001 + 3600 * 1000;
	pass(599);
	assert_int_equal(take(), CSIGN_QUIET_PAUSED);
	pass(301);
	assert_int_equal(take(), CSIGN_QUIET_NO);
}

static void
of_many_at_once_one_rings(void **state)
{
	int gate[2], status = 0, rang = 0;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	/* The lock is waited for by the real clock. */
	world.boot_ms = 0;
	(void)fflush(NULL);
	for (int child = 0; child < 12; child++) {
		if (fork() == 0) {
			char byte = '\0';

			(void)close(gate[1]);
			(void)!read(gate[0], &byte, 1); /* until it closes */
			_exit(csign_push_take(registry, &alice, LIFETIME, ring,
				  note) == CSIGN_QUIET_NO);
		}
	}
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (int child = 0; child < 12; child++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		rang += WEXITSTATUS(status);
	}
	assert_int_equal(rang, 1);
	assert_int_equal(registry_rings(&alice).n_pushes, 1);
}

/*
 * Whoever may ask for an account may stop his su(1) wherever he likes: neither
 * its owner's answer nor a recovery code waits for that.
 */
static void
who_is_stopped_keeps_nobody_out(void **state)
{
	struct csign_state_lock *lock = NULL;
	int status = 0;
	long n = 0;

	(void)state;
	for (;; n++) {
		pid_t child;

		(void)fresh(state);
		world.boot_ms = 0; /* locks are waited for by the real clock */
		(void)fflush(NULL);
		if ((child = fork()) == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			world.error = 0;
			world.signal = SIGSTOP;
			world.steps = 0;
			world.at = n;
			(void)take();
			csign_push_over(
			    registry, &alice, ring, CSIGN_BECAME_UNANSWERED);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, WUNTRACED), child);
		if (WIFEXITED(status))
			break;
		assert_true(WIFSTOPPED(status));
		assert_ok(csign_state_lock(
		    people_crypto, scratch(STORE), &alice, NULL, &lock));
		csign_state_unlock(&lock);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
	}
	assert_true(n > 6);
}

/* --- with what phones answered -------------------------------------------- */

static void
say(enum csign_became became)
{
	struct csign_limit limit = registry_limit(&alice);
	struct csign_now now;

	assert_ok(csign_now_get(&now));
	(void)csign_limit_became(&limit, &now, "", became);
	registry_put_limit(&alice, &limit);
}

static void
what_was_answered_holds_too(void **state)
{
	(void)state;
	say(CSIGN_BECAME_DENIED);
	assert_int_equal(take(), CSIGN_QUIET_NO);
	csign_push_over(registry, &alice, ring, CSIGN_BECAME_ANSWERED);
	assert_string_equal(registry_rings(&alice).open, "");
	assert_int_equal(registry_rings(&alice).unanswered, 0);
	say(CSIGN_BECAME_DENIED);
	pass(30);
	assert_int_equal(take(), CSIGN_QUIET_PAUSED);
	assert_ok(csign_push_look(registry, "alice", note));
	assert_non_null(strstr(note, "15 minutes"));
	/* The next pause is longer, whatever it is for. */
	for (int i = 0; i < 3; i++) {
		pass(900);
		assert_int_equal(take(), CSIGN_QUIET_NO);
		csign_push_over(
		    registry, &alice, ring, CSIGN_BECAME_UNANSWERED);
	}
	assert_int_equal(registry_rings(&alice).pause, 1800);
	say(CSIGN_BECAME_NOT_ME);
	assert_int_equal(take(), CSIGN_QUIET_NOT_ME);
	pass(86400);
	assert_int_equal(take(), CSIGN_QUIET_NOT_ME);
}

/* Also of a question that did not ring. */
static void
a_success_ends_what_rings_used_up(void **state)
{
	static const enum csign_became ends[] = {CSIGN_BECAME_GRANTED_LINK,
	    CSIGN_BECAME_GRANTED_RUNG, CSIGN_BECAME_RECOVERED};
	static const enum csign_became others[] = {
	    CSIGN_BECAME_ANSWERED, CSIGN_BECAME_LOST, CSIGN_BECAME_UNANSWERED};
	struct stat before, after;

	(void)state;
	for (size_t i = 0; i < N_ROWS(ends); i++) {
		for (int n = 0; n < 3; n++) {
			assert_int_equal(take(), CSIGN_QUIET_NO);
			pass(30);
			csign_push_over(
			    registry, &alice, ring, CSIGN_BECAME_UNANSWERED);
		}
		for (size_t n = 0; n < N_ROWS(others); n++)
			csign_push_over(registry, &alice, "", others[n]);
		assert_int_equal(take(), CSIGN_QUIET_PAUSED);
		csign_push_over(registry, &alice, "", ends[i]);
		assert_int_equal(registry_rings(&alice).n_pushes, 0);
		assert_int_equal(registry_rings(&alice).pauses, 0);
	}
	/* There is nothing to write for one more. */
	assert_int_equal(stat(scratch(RINGS_OF_ALICE), &before), 0);
	csign_push_over(registry, &alice, "", CSIGN_BECAME_GRANTED_LINK);
	assert_int_equal(stat(scratch(RINGS_OF_ALICE), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* Enrolling again is no way around it. */
static void
a_deenrolment_keeps_the_limits(void **state)
{
	char first[CSIGN_RING_SIZE];

	(void)state;
	assert_int_equal(take(), CSIGN_QUIET_NO);
	memcpy(first, ring, sizeof(first));
	assert_ok(csign_user_deenroll(registry, "alice", "root"));
	assert_string_equal(registry_rings(&alice).open, first);
	registry_enrol(&alice, 2, 1);
	assert_int_equal(take(), CSIGN_QUIET_OPEN);
}

/* --- trouble -------------------------------------------------------------- */

static void
assert_trouble(const char *what)
{
	if (take() != CSIGN_QUIET_TROUBLE)
		fail_msg("it rings: %s", what);
	assert_string_equal(note, "No push: this host cannot tell how often it "
				  "rang. Scan the code.");
}

static void
what_cannot_be_counted_does_not_ring(void **state)
{
	struct csign_state_lock *lock = NULL;
	size_t len = 0;
	char *text = NULL;

	(void)state;
	world.no_random = true;
	assert_trouble("no random bytes");
	world.no_random = false;
	world.boot_id = "";
	assert_trouble("no boot id");
	world.boot_id = BOOT_1;
	assert_ok(csign_rings_lock(
	    people_crypto, scratch(STORE), &alice, NULL, &lock));
	world.boot_ms = 0;
	world.clock_step = 500;
	assert_trouble("locked");
	world.clock_step = 0;
	world.boot_ms = 5000000;
	csign_state_unlock(&lock);
	text = scratch_get(FILE_OF_ALICE, &len);
	text[len / 2] ^= 1;
	scratch_put(FILE_OF_ALICE, 0600, text, len);
	assert_trouble("damaged");
	csign_push_over(
	    registry, &alice, "AAAAAAAAAAAA", CSIGN_BECAME_UNANSWERED);
	text[len / 2] ^= 1;
	scratch_put(FILE_OF_ALICE, 0600, text, len);
	free(text);
	assert_int_equal(take(), CSIGN_QUIET_NO);
	scratch_put_text(RINGS_OF_ALICE, 0600, "x\n");
	assert_trouble("damaged rings");
	assert_int_equal(unlink(scratch(RINGS_OF_ALICE)), 0);
	assert_int_equal(take(), CSIGN_QUIET_NO);
	/* What was said of something else is still said. */
	csign_why_set(&registry->why, "the service is away");
	csign_push_over(registry, &alice, ring, CSIGN_BECAME_UNANSWERED);
	assert_string_equal(csign_ctx_why(registry), "the service is away");
	csign_push_over(
	    registry, &bob, "AAAAAAAAAAAA", CSIGN_BECAME_UNANSWERED);
	assert_string_equal(csign_ctx_why(registry), "the service is away");
}

static void
prepare(void)
{
	void *none = NULL;

	assert_int_equal(fresh(&none), 0);
}

static enum csign_err
take_one(void)
{
	return take() == CSIGN_QUIET_NO ? CSIGN_OK : CSIGN_E_STATE;
}

static void
check_take(enum csign_err r, bool failed)
{
	if (!failed)
		assert_ok(r);
	if (r == CSIGN_OK)
		assert_int_equal(registry_rings(&alice).n_pushes, 1);
	else
		assert_true(registry_rings(&alice).n_pushes <= 1);
}

static void
whatever_fails_a_ring_was_counted(void **state)
{
	(void)state;
	registry_fail(prepare, take_one, check_take);
}

static void
take_in_child(void)
{
	if (take() == CSIGN_QUIET_NO)
		scratch_put_text("rings", 0600, "yes");
}

static void
check_crash(bool killed)
{
	if (!killed)
		assert_true(registry_exists("rings"));
	if (registry_exists("rings"))
		assert_int_equal(registry_rings(&alice).n_pushes, 1);
}

static void
so_it_was_whenever_it_crashes(void **state)
{
	(void)state;
	registry_crash(prepare, take_in_child, check_crash);
}

/* The pause holds; nothing else depends on the record of it. */
static void
a_pause_needs_no_record(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(take(), CSIGN_QUIET_NO);
		pass(30);
		if (i == 2)
			assert_int_equal(mkdir(scratch(AUDIT), 0700), 0);
		csign_push_over(
		    registry, &alice, ring, CSIGN_BECAME_UNANSWERED);
	}
	assert_int_equal(take(), CSIGN_QUIET_PAUSED);
}

/* --- looking -------------------------------------------------------------- */

static void
look_says_what_a_login_would_say(void **state)
{
	struct csign_ctx *empty = NULL;
	struct stat before, after;

	(void)state;
	assert_ok(csign_push_look(registry, "alice", note));
	assert_string_equal(note, "");
	assert_int_equal(take(), CSIGN_QUIET_NO);
	assert_int_equal(stat(scratch(RINGS_OF_ALICE), &before), 0);
	assert_ok(csign_push_look(registry, "alice", note));
	assert_string_equal(note, "No push: your phone has another question.");
	pass(OPEN_FOR);
	assert_ok(csign_push_look(registry, "alice", note));
	assert_string_equal(note, "");
	assert_int_equal(stat(scratch(RINGS_OF_ALICE), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_ok(csign_push_look(registry, "Bob", note));
	assert_string_equal(note, "");
	assert_err("unknown", csign_push_look(registry, "mallory", note),
	    CSIGN_E_UNKNOWN_USER);
	world.boot_id = "";
	assert_err(
	    "clock", csign_push_look(registry, "alice", note), CSIGN_E_CLOCK);
	assert_string_equal(
	    csign_ctx_why(registry), "the clocks cannot be read");
	scratch_put_text(FILE_OF_ALICE, 0600, "x\n");
	assert_err(
	    "damaged", csign_push_look(registry, "alice", note), CSIGN_E_STATE);
	assert_ok(csign_ctx_new(NULL, &empty));
	assert_err(
	    "empty", csign_push_look(empty, "alice", note), CSIGN_E_INVALID);
	csign_ctx_free(&empty);
	assert_err(
	    "user", csign_push_look(registry, NULL, note), CSIGN_E_INVALID);
	assert_err(
	    "note", csign_push_look(registry, "alice", NULL), CSIGN_E_INVALID);
	assert_err(
	    "ctx", csign_push_look(NULL, "alice", note), CSIGN_E_INVALID);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_host_says_whether_and_how_it_rings),
	    TEST(a_turn_is_on_disk_before_it_rings),
	    TEST(to_be_told_no_writes_nothing),
	    TEST(unanswered_questions_make_a_pause_and_a_record),
	    TEST(who_is_killed_has_not_answered),
	    TEST(a_restart_changes_nothing),
	    TEST(of_many_at_once_one_rings),
	    TEST(who_is_stopped_keeps_nobody_out),
	    TEST(what_was_answered_holds_too),
	    TEST(a_success_ends_what_rings_used_up),
	    TEST(a_deenrolment_keeps_the_limits),
	    TEST(what_cannot_be_counted_does_not_ring),
	    TEST(whatever_fails_a_ring_was_counted),
	    TEST(so_it_was_whenever_it_crashes),
	    TEST(a_pause_needs_no_record),
	    TEST(look_says_what_a_login_would_say),
	};

	return cmocka_run_group_tests_name(
	    "push", tests, registry_setup, registry_teardown);
}
