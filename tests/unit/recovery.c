/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RC-3, G5: recovery codes.  One is used once, whatever fails, crashes or comes
 * at the same time; and nothing is granted that was not used up and recorded.
 */
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_OF_ALICE STORE "/state/1001"
#define BOOT "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

static char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];

static struct csign_request *
request_of(const char *user)
{
	struct csign_request *req = NULL;

	assert_ok(csign_request_new(&req));
	assert_ok(csign_request_set(req, CSIGN_REQ_USER, user));
	assert_ok(csign_request_set(req, CSIGN_REQ_SERVICE, "sshd"));
	assert_ok(csign_request_set(req, CSIGN_REQ_TTY, "ssh"));
	assert_ok(csign_request_set(req, CSIGN_REQ_RHOST, "192.0.2.7"));
	return req;
}

/* What is written besides CSIGN_OK, if anything is, is an error of ours. */
static enum csign_err
use_for(const char *user, const char *code, size_t *ret_left)
{
	struct csign_request *req = request_of(user);
	uint32_t verdict = CSIGN_VERDICT_NONE;
	size_t left = 99;
	enum csign_err r =
	    csign_recovery_use(registry, req, code, &verdict, &left);

	csign_request_free(&req);
	if (r == CSIGN_OK) {
		assert_true(verdict == CSIGN_VERDICT_GRANTED);
		if (ret_left != NULL)
			*ret_left = left;
	} else {
		assert_true(verdict == CSIGN_VERDICT_NONE);
		assert_int_equal(left, 99);
	}
	return r;
}

static enum csign_err
use(const char *code)
{
	return use_for("alice", code, NULL);
}

static void
make_for_alice(void)
{
	assert_ok(csign_recovery_make(registry, "alice", "root", codes));
}

static void
enrolled_with_codes(void)
{
	registry_enrol(&alice, 1, 1);
	make_for_alice();
}

/* --- making --------------------------------------------------------------- */

static void
codes_look_as_promised(void **state)
{
	struct csign_state s;
	struct stat st;
	char *text = NULL;

	(void)state;
	enrolled_with_codes();
	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++) {
		assert_int_equal(
		    strlen(codes[i]), (size_t)CSIGN_RECOVERY_SIZE - 1);
		for (size_t at = 0; codes[i][at] != '\0'; at++) {
			if (at % 5 == 4)
				assert_int_equal(codes[i][at], '-');
			else
				assert_non_null(
				    strchr("abcdefghijklmnopqrstuvwxyz234567",
					codes[i][at]));
		}
		assert_true(csign_recovery_shape(codes[i]));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(codes[i], codes[k]);
	}
	s = registry_state(&alice);
	assert_int_equal(s.n_codes, CSIGN_RECOVERY_CODES);
	assert_true(s.recovery_made > 1700000000);
	assert_true(s.had_device);
	assert_audit("\"event\":\"recovery_codes\",\"result\":\"granted\"");
	assert_audit("\"by\":\"root\"");
	assert_audit("\"codesLeft\":10,");
	/* Not in the clear, anywhere. */
	text = scratch_get(FILE_OF_ALICE, NULL);
	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++) {
		assert_null(strstr(text, codes[i]));
		assert_no_audit(codes[i]);
	}
	free(text);
	assert_int_equal(stat(scratch(FILE_OF_ALICE), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* SHA-256 of "countersign/1 recovery", 00 and the 24 characters. */
static void
what_is_kept_is_the_documented_hash(void **state)
{
	unsigned char want[32];
	struct csign_part parts[] = {{"countersign/1 recovery", 23}, {"", 24}};
	struct csign_state s;
	char plain[25];
	size_t n = 0;

	(void)state;
	enrolled_with_codes();
	s = registry_state(&alice);
	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++) {
		n = 0;
		for (const char *at = codes[i]; *at != '\0'; at++)
			if (*at != '-')
				plain[n++] = *at;
		assert_int_equal(n, 24);
		parts[1].bytes = plain;
		assert_ok(csign_sha256(people_crypto, parts, 2, want));
		assert_memory_equal(s.codes[i].hash, want, 32);
	}
}

static void
only_who_was_enrolled_gets_codes(void **state)
{
	(void)state;
	assert_err("unenrolled",
	    csign_recovery_make(registry, "alice", "root", codes),
	    CSIGN_E_UNENROLLED);
	assert_err("unknown",
	    csign_recovery_make(registry, "mallory", "root", codes),
	    CSIGN_E_UNKNOWN_USER);
	assert_err("not a name",
	    csign_recovery_make(registry, "", "root", codes), CSIGN_E_INVALID);
	assert_err("NULL", csign_recovery_make(registry, NULL, "root", codes),
	    CSIGN_E_INVALID);
	assert_false(registry_exists(FILE_OF_ALICE));
	assert_false(registry_exists(AUDIT));
	/* A devices file that an admin brought has no mark yet. */
	registry_enrol(&alice, 1, 1);
	registry_put_state(&alice, &(struct csign_state){0});
	make_for_alice();
	assert_true(registry_state(&alice).had_device);
	assert_ok(use(codes[0]));
}

static void
new_codes_end_the_old_ones(void **state)
{
	char old[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];

	(void)state;
	enrolled_with_codes();
	memcpy(old, codes, sizeof(old));
	make_for_alice();
	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++)
		assert_err("old", use(old[i]), CSIGN_E_RECOVERY);
	assert_ok(use(codes[9]));
}

static void
without_random_bytes_the_old_codes_stay(void **state)
{
	char fresh[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE] = {""};

	(void)state;
	enrolled_with_codes();
	world.no_random = true;
	assert_err("no random bytes",
	    csign_recovery_make(registry, "alice", "root", fresh),
	    CSIGN_E_RANDOM);
	world.no_random = false;
	assert_string_equal(fresh[0], "");
	assert_ok(use(codes[0]));
}

/* --- shape ---------------------------------------------------------------- */

static const struct {
	const char *text;
	bool is;
} shapes[] = {
    {"abcd-efgh-ijkl-mnop-qrst-uvwx", true},
    {"abcdefghijklmnopqrstuvwx", true},
    {"ABCD-efgh-IJKL-mnop-QRST-uvwx", true},
    {" abcd efgh ijkl mnop qrst uvwx ", true},
    {"234567aaaaaaaaaaaaaaaaaa", true},
    {"--abcd----efgh-ijklmnop-qrst-uvwx", true},
    {"abcd-efgh-ijkl-mnop-qrst-uvw", false},
    {"abcd-efgh-ijkl-mnop-qrst-uvwxy", false},
    {"abcd-efgh-ijkl-mnop-qrst-uvw1", false},
    {"abcd-efgh-ijkl-mnop-qrst-uvw8", false},
    {"abcd-efgh-ijkl-mnop-qrst-uvw0", false},
    {"abcd_efgh_ijkl_mnop_qrst_uvwx", false},
    {"abcd-efgh-ijkl-mnop-qrst-uvwx\n", false},
    {"abcd-efgh-ijkl-mnop-qrst-uvw\xc3\xa4", false},
    {"\b\n\r\177INCORRECT", false},
    {"hunter2", false},
    {"123456", false},
    {"-", false},
    {"", false},
    {NULL, false},
};

static void
a_code_is_known_by_its_shape(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS(shapes); i++) {
		if (csign_recovery_shape(shapes[i].text) != shapes[i].is)
			fail_msg("\"%s\"", shapes[i].text);
	}
}

/* --- using ---------------------------------------------------------------- */

static void
a_code_grants_once(void **state)
{
	struct csign_state s;
	size_t left = 0;

	(void)state;
	enrolled_with_codes();
	assert_ok(csign_recovery_left(registry, "alice", &left));
	assert_int_equal(left, 10);
	assert_ok(use_for("alice", codes[3], &left));
	assert_int_equal(left, 9);
	assert_audit("\"event\":\"recovery\",\"result\":\"granted\","
		     "\"reason\":\"OK\",\"uid\":1001,\"user\":\"alice\","
		     "\"service\":\"sshd\",\"tty\":\"ssh\","
		     "\"rhost\":\"192.0.2.7\"");
	assert_audit("\"codesLeft\":9,");
	assert_no_audit(codes[3]);
	s = registry_state(&alice);
	assert_int_equal(s.n_codes, CSIGN_RECOVERY_CODES);
	assert_true(s.codes[3].used > 1700000000);
	for (int again = 0; again < 2; again++) {
		assert_err("again", use(codes[3]), CSIGN_E_RECOVERY);
		assert_audit("\"result\":\"refused\",\"reason\":\"RECOVERY\"");
	}
	assert_ok(csign_recovery_left(registry, "alice", &left));
	assert_int_equal(left, 9);
	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++)
		assert_err(
		    "all", use(codes[i]), i == 3 ? CSIGN_E_RECOVERY : CSIGN_OK);
	assert_audit("\"codesLeft\":0,");
	assert_ok(csign_recovery_left(registry, "alice", &left));
	assert_int_equal(left, 0);
}

static void
however_it_is_typed(void **state)
{
	char typed[64] = " ";
	size_t n = 1;

	(void)state;
	enrolled_with_codes();
	for (const char *at = codes[0]; *at != '\0'; at++) {
		if (*at == '-')
			continue;
		typed[n++] = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
		if (n % 3 == 0)
			typed[n++] = ' ';
	}
	assert_ok(use(typed));
	assert_err("as shown", use(codes[0]), CSIGN_E_RECOVERY);
}

static void
everything_else_is_refused_alike(void **state)
{
	char wrong[CSIGN_RECOVERY_SIZE], why[CSIGN_WHY_SIZE];
	struct csign_state before, after;

	(void)state;
	enrolled_with_codes();
	memcpy(wrong, codes[0], sizeof(wrong));
	wrong[28] = wrong[28] == 'a' ? 'b' : 'a';
	before = registry_state(&alice);
	assert_err("wrong", use(wrong), CSIGN_E_RECOVERY);
	(void)snprintf(why, sizeof(why), "%s", csign_ctx_why(registry));
	assert_true(strlen(why) > 0);
	assert_audit("\"user\":\"alice\"");
	assert_no_audit("codesLeft\":9");
	assert_err("no code", use("hunter2"), CSIGN_E_RECOVERY);
	assert_string_equal(csign_ctx_why(registry), why);
	assert_err("empty", use(""), CSIGN_E_RECOVERY);
	assert_err("cut", use("abcd-efgh"), CSIGN_E_RECOVERY);
	/* Another's, who is not even enrolled; and nobody's. */
	assert_err("bob", use_for("Bob", codes[0], NULL), CSIGN_E_RECOVERY);
	assert_string_equal(csign_ctx_why(registry), why);
	assert_err(
	    "unknown", use_for("mallory", codes[0], NULL), CSIGN_E_RECOVERY);
	assert_string_equal(csign_ctx_why(registry), why);
	assert_audit("\"result\":\"refused\",\"reason\":\"RECOVERY\","
		     "\"service\":\"sshd\"");
	assert_no_audit("mallory");
	assert_err(
	    "not a name", use_for("a\nb", codes[0], NULL), CSIGN_E_RECOVERY);
	after = registry_state(&alice);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_no_audit(codes[0]);
	assert_no_audit(wrong);
	assert_ok(use(codes[0]));
}

static void
arguments_are_looked_at(void **state)
{
	struct csign_request *req = request_of("alice"), *nobody = NULL;
	uint32_t verdict = CSIGN_VERDICT_NONE;
	struct csign_ctx *empty = NULL;
	size_t left = 0;

	(void)state;
	enrolled_with_codes();
	assert_ok(csign_request_new(&nobody));
	assert_ok(csign_ctx_new(NULL, &empty));
#define INVALID(call) assert_err(#call, call, CSIGN_E_INVALID)
	INVALID(csign_recovery_use(NULL, req, codes[0], &verdict, &left));
	INVALID(csign_recovery_use(empty, req, codes[0], &verdict, &left));
	INVALID(csign_recovery_use(registry, NULL, codes[0], &verdict, &left));
	INVALID(
	    csign_recovery_use(registry, nobody, codes[0], &verdict, &left));
	INVALID(csign_recovery_use(registry, req, NULL, &verdict, &left));
	INVALID(csign_recovery_use(registry, req, codes[0], NULL, &left));
	INVALID(csign_recovery_use(registry, req, codes[0], &verdict, NULL));
	INVALID(csign_recovery_left(registry, NULL, &left));
	INVALID(csign_recovery_left(registry, "alice", NULL));
	INVALID(csign_recovery_left(empty, "alice", &left));
	INVALID(csign_recovery_make(empty, "alice", "root", codes));
	INVALID(csign_recovery_make(registry, "alice", "root", NULL));
#undef INVALID
	assert_int_equal(verdict, CSIGN_VERDICT_NONE);
	csign_request_free(&req);
	csign_request_free(&nobody);
	csign_ctx_free(&empty);
	assert_err("unknown", csign_recovery_left(registry, "mallory", &left),
	    CSIGN_E_UNKNOWN_USER);
}

static void
a_host_may_take_no_codes(void **state)
{
	(void)state;
	enrolled_with_codes();
	registry_configure("recovery = no\n");
	assert_err("no", use(codes[0]), CSIGN_E_RECOVERY);
	registry_configure("");
	assert_ok(use(codes[0]));
}

/* A code says "approve", and nothing else that a script may have asked. */
static void
a_code_is_no_answer_to_another_question(void **state)
{
	struct csign_request *req = request_of("alice");
	uint32_t verdict = CSIGN_VERDICT_NONE;
	size_t left = 0;

	(void)state;
	enrolled_with_codes();
	assert_ok(csign_request_set(req, CSIGN_REQ_SERVICE, NULL));
	assert_ok(csign_request_add_choice(req, "canary"));
	assert_err("canary",
	    csign_recovery_use(registry, req, codes[0], &verdict, &left),
	    CSIGN_E_RECOVERY);
	assert_ok(csign_request_add_choice(req, "approve"));
	assert_ok(csign_recovery_use(registry, req, codes[0], &verdict, &left));
	csign_request_free(&req);
}

static void
a_code_needs_the_mark_of_an_enrolment(void **state)
{
	struct csign_state s;

	(void)state;
	enrolled_with_codes();
	s = registry_state(&alice);
	s.had_device = false;
	registry_put_state(&alice, &s);
	assert_err("no mark", use(codes[0]), CSIGN_E_RECOVERY);
	s.had_device = true;
	registry_put_state(&alice, &s);
	assert_ok(use(codes[0]));
}

/* RL-2: it was somebody who may, so that phones ring again. */
static void
a_code_that_was_used_ends_a_pause(void **state)
{
	struct csign_now now = {1763719331, 5000, ""};
	struct csign_limit limit;

	(void)state;
	enrolled_with_codes();
	memcpy(now.boot_id, BOOT, sizeof(now.boot_id));
	limit = registry_limit(&alice);
	for (int i = 0; i < 2; i++)
		(void)csign_limit_became(&limit, &now, "", CSIGN_BECAME_DENIED);
	registry_put_limit(&alice, &limit);
	assert_err(
	    "wrong", use("abcd-efgh-ijkl-mnop-qrst-uvwx"), CSIGN_E_RECOVERY);
	assert_int_equal(registry_limit(&alice).pause, 900);
	/* Without a clock it lets in, and the pause stays. */
	world.boot_id = "";
	assert_ok(use(codes[0]));
	assert_int_equal(registry_limit(&alice).pause, 900);
	world.boot_id = NULL;
	assert_ok(use(codes[1]));
	assert_int_equal(registry_limit(&alice).pause, 0);
	assert_int_equal(registry_limit(&alice).pauses, 0);
	/* But "not me" only a scanned code ends. */
	limit = registry_limit(&alice);
	(void)csign_limit_became(&limit, &now, "", CSIGN_BECAME_NOT_ME);
	registry_put_limit(&alice, &limit);
	assert_ok(use(codes[2]));
	assert_true(registry_limit(&alice).not_me);
	assert_int_equal(registry_limit(&alice).pause, 0);
}

static void
codes_outlive_a_lost_phone_but_not_the_enrolment(void **state)
{
	char id[17];

	(void)state;
	enrolled_with_codes();
	assert_ok(csign_device_revoke(
	    registry, "alice", registry_id(1), true, "root", id));
	assert_ok(use(codes[0]));
	assert_ok(csign_user_deenroll(registry, "alice", "root"));
	assert_err("deenrolled", use(codes[1]), CSIGN_E_RECOVERY);
	registry_enrol(&alice, 2, 1);
	assert_err("enrolled again", use(codes[1]), CSIGN_E_RECOVERY);
}

/* A clock at the very beginning of 1970 must not make a used code unused. */
static void
used_is_used_at_any_time(void **state)
{
	(void)state;
	world.wall_ms = 1;
	enrolled_with_codes();
	assert_ok(use(codes[0]));
	assert_int_equal(registry_state(&alice).codes[0].used, 1);
	assert_err("again", use(codes[0]), CSIGN_E_RECOVERY);
	/* One that no file can name: not granted, not used. */
	world.wall_ms = 253402300800001;
	assert_err("year 10000", use(codes[1]), CSIGN_E_STATE);
	world.wall_ms = 0;
	assert_ok(use(codes[1]));
}

/* --- trouble -------------------------------------------------------------- */

static void
a_stranger_never_waits_for_the_lock(void **state)
{
	struct csign_state_lock *lock = NULL;

	(void)state;
	enrolled_with_codes();
	assert_ok(csign_state_lock(
	    people_crypto, scratch(STORE), &alice, NULL, &lock));
	assert_err(
	    "wrong", use("abcd-efgh-ijkl-mnop-qrst-uvwx"), CSIGN_E_RECOVERY);
	world.clock_step = 500;
	assert_err("right", use(codes[0]), CSIGN_E_STATE);
	world.clock_step = 0;
	assert_audit("\"result\":\"failed\",\"reason\":\"STATE\"");
	csign_state_unlock(&lock);
	assert_ok(use(codes[0]));
}

static void
a_damaged_state_grants_nothing(void **state)
{
	size_t len = 0, left = 0;
	char *text = NULL;

	(void)state;
	enrolled_with_codes();
	text = scratch_get(FILE_OF_ALICE, &len);
	text[len / 2] ^= 1;
	scratch_put(FILE_OF_ALICE, 0600, text, len);
	assert_err("damaged", use(codes[0]), CSIGN_E_STATE);
	assert_err("damaged", csign_recovery_left(registry, "alice", &left),
	    CSIGN_E_STATE);
	assert_err("damaged",
	    csign_recovery_make(registry, "alice", "root", codes),
	    CSIGN_E_STATE);
	free(text);
	/* The uid of somebody who is gone, with his codes. */
	registry_fresh(state);
	enrolled_with_codes();
	registry_account(alice.uid, "eve");
	assert_err(
	    "recycled uid", use_for("eve", codes[0], NULL), CSIGN_E_STATE);
	assert_err("old name", use(codes[0]), CSIGN_E_RECOVERY);
}

/* AUD-2: used up by then, but nobody was let in. */
static void
without_a_record_nothing_is_granted(void **state)
{
	(void)state;
	enrolled_with_codes();
	assert_int_equal(unlink(scratch(AUDIT)), 0);
	assert_int_equal(mkdir(scratch(AUDIT), 0700), 0);
	assert_err("no record", use(codes[0]), CSIGN_E_AUDIT);
	assert_err(
	    "wrong", use("abcd-efgh-ijkl-mnop-qrst-uvwx"), CSIGN_E_RECOVERY);
	assert_err("no record",
	    csign_recovery_make(registry, "alice", "root", codes),
	    CSIGN_E_AUDIT);
	assert_int_equal(rmdir(scratch(AUDIT)), 0);
	assert_err("used up", use(codes[0]), CSIGN_E_RECOVERY);
	assert_ok(use(codes[1]));
}

static bool
is_usable(size_t i)
{
	return registry_state(&alice).codes[i].used == 0;
}

static void
prepare(void)
{
	void *none = NULL;

	registry_fresh(&none);
	enrolled_with_codes();
}

static enum csign_err
use_first(void)
{
	return use(codes[0]);
}

/* G3: granted means used up, and used up means never again. */
static void
check_use(enum csign_err r, bool failed)
{
	if (!failed)
		assert_ok(r);
	if (r == CSIGN_OK) {
		assert_false(is_usable(0));
		assert_audit("\"event\":\"recovery\",\"result\":\"granted\"");
		assert_err("again", use(codes[0]), CSIGN_E_RECOVERY);
		return;
	}
	if (r != CSIGN_E_STATE && r != CSIGN_E_AUDIT)
		fail_msg("%s", csign_err_name(r));
	if (r == CSIGN_E_STATE)
		assert_no_audit(
		    "\"event\":\"recovery\",\"result\":\"granted\"");
	if (is_usable(0))
		assert_ok(use(codes[0]));
	assert_err("again", use(codes[0]), CSIGN_E_RECOVERY);
	assert_ok(use(codes[1]));
}

static void
whatever_fails_a_grant_was_used_up(void **state)
{
	(void)state;
	registry_fail(prepare, use_first, check_use);
}

static void
use_in_child(void)
{
	if (use(codes[0]) == CSIGN_OK)
		scratch_put_text("granted", 0600, "yes");
}

static void
check_crash(bool killed)
{
	bool granted = registry_exists("granted");

	assert_true(killed || granted);
	if (granted)
		assert_false(is_usable(0));
	/* At most one yes, before the crash or after it. */
	if (is_usable(0))
		assert_ok(use(codes[0]));
	assert_err("again", use(codes[0]), CSIGN_E_RECOVERY);
	assert_ok(use(codes[1]));
	assert_int_equal(registry_codes_left(&alice), 8);
}

static void
a_crash_never_gives_a_code_back(void **state)
{
	(void)state;
	registry_crash(prepare, use_in_child, check_crash);
}

static char old_codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];

static void
prepare_anew(void)
{
	prepare();
	memcpy(old_codes, codes, sizeof(codes));
	assert_ok(use(old_codes[0]));
}

static void
make_in_child(void)
{
	make_for_alice();
}

static void
check_made(bool killed)
{
	size_t left = registry_codes_left(&alice);

	/* All old or all new. */
	if (!killed)
		assert_int_equal(left, 10);
	assert_true(left == 9 || left == 10);
	assert_err("used", use(old_codes[0]), CSIGN_E_RECOVERY);
	assert_err(
	    "old", use(old_codes[1]), left == 9 ? CSIGN_OK : CSIGN_E_RECOVERY);
}

static void
a_crash_while_making_leaves_old_or_new(void **state)
{
	(void)state;
	registry_crash(prepare_anew, make_in_child, check_made);
}

/* One code, two logins, a pipe that lets them start together. */
static bool
race(const char *code, int *ret_wins)
{
	int gate[2], status = 0, wins = 0;
	bool sane = true;

	assert_int_equal(pipe(gate), 0);
	(void)fflush(NULL);
	for (int child = 0; child < 2; child++) {
		if (fork() == 0) {
			char byte = '\0';
			enum csign_err r = CSIGN_E_INTERNAL;

			(void)close(gate[1]);
			(void)!read(gate[0], &byte, 1); /* until it closes */
			r = use(code);
			_exit(r == CSIGN_OK           ? 0
			      : r == CSIGN_E_RECOVERY ? 1
						      : 2);
		}
	}
	(void)close(gate[0]);
	(void)close(gate[1]);
	for (int child = 0; child < 2; child++) {
		assert_true(wait(&status) > 0);
		sane = sane && WIFEXITED(status) && WEXITSTATUS(status) < 2;
		wins += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	*ret_wins = wins;
	return sane;
}

static void
of_two_with_one_code_one_wins(void **state)
{
	int wins = 0;

	(void)state;
	registry_enrol(&alice, 1, 1);
	for (int round = 0; round < 200; round++) {
		if (round % CSIGN_RECOVERY_CODES == 0)
			make_for_alice();
		assert_true(race(codes[round % CSIGN_RECOVERY_CODES], &wins));
		if (wins != 1)
			fail_msg("%d wins in round %d", wins, round);
	}
}

/* --- a real disk that is full or read-only -------------------------------- */

#define SKIP 77

/* In a mount namespace of its own, the folder on a small disk. */
static int
mount_small(void)
{
	void *none = NULL;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, "") != 0 ||
	    mount("small", scratch(""), "tmpfs", 0, "size=256k,mode=700") != 0)
		return SKIP;
	return registry_fresh(&none);
}

static void
fill_disk(void)
{
	static const char bytes[4096] = "x";
	int fd = open(scratch("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	for (size_t n = sizeof(bytes); n > 0;) {
		if (write(fd, bytes, n) <= 0)
			n /= 2;
	}
	(void)close(fd);
}

static int
on_full_disk(void)
{
	if (mount_small() == SKIP)
		return SKIP;
	enrolled_with_codes();
	fill_disk();
	if (use(codes[0]) != CSIGN_E_STATE || !is_usable(0))
		return 1;
	if (use(codes[0]) != CSIGN_E_STATE)
		return 2;
	if (unlink(scratch("filler")) != 0)
		return 3;
	if (use(codes[0]) != CSIGN_OK || use(codes[0]) != CSIGN_E_RECOVERY)
		return 4;
	return 0;
}

static int
on_read_only_disk(void)
{
	if (mount_small() == SKIP)
		return SKIP;
	enrolled_with_codes();
	if (mount("none", scratch(""), "none", MS_REMOUNT | MS_RDONLY, "") != 0)
		return 5;
	if (use(codes[0]) != CSIGN_E_STATE || !is_usable(0))
		return 1;
	if (use("abcd-efgh-ijkl-mnop-qrst-uvwx") != CSIGN_E_RECOVERY)
		return 2;
	if (mount("none", scratch(""), "none", MS_REMOUNT, "") != 0)
		return 3;
	if (use(codes[0]) != CSIGN_OK || use(codes[0]) != CSIGN_E_RECOVERY)
		return 4;
	return 0;
}

static void
in_namespace(int (*run)(void))
{
	int status = 0;

	(void)fflush(NULL);
	if (fork() == 0)
		_exit(run());
	assert_true(wait(&status) > 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIP && !is_ci())
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_full_disk_grants_nothing(void **state)
{
	(void)state;
	in_namespace(on_full_disk);
}

static void
a_read_only_disk_grants_nothing(void **state)
{
	(void)state;
	in_namespace(on_read_only_disk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(codes_look_as_promised),
	    TEST(what_is_kept_is_the_documented_hash),
	    TEST(only_who_was_enrolled_gets_codes),
	    TEST(new_codes_end_the_old_ones),
	    TEST(without_random_bytes_the_old_codes_stay),
	    TEST(a_code_is_known_by_its_shape),
	    TEST(a_code_grants_once),
	    TEST(however_it_is_typed),
	    TEST(everything_else_is_refused_alike),
	    TEST(arguments_are_looked_at),
	    TEST(a_host_may_take_no_codes),
	    TEST(a_code_is_no_answer_to_another_question),
	    TEST(a_code_needs_the_mark_of_an_enrolment),
	    TEST(a_code_that_was_used_ends_a_pause),
	    TEST(codes_outlive_a_lost_phone_but_not_the_enrolment),
	    TEST(used_is_used_at_any_time),
	    TEST(a_stranger_never_waits_for_the_lock),
	    TEST(a_damaged_state_grants_nothing),
	    TEST(without_a_record_nothing_is_granted),
	    TEST(whatever_fails_a_grant_was_used_up),
	    TEST(a_crash_never_gives_a_code_back),
	    TEST(a_crash_while_making_leaves_old_or_new),
	    TEST(of_two_with_one_code_one_wins),
	    TEST(a_full_disk_grants_nothing),
	    TEST(a_read_only_disk_grants_nothing),
	};

	return cmocka_run_group_tests(tests, registry_setup, registry_teardown);
}
