/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ENR-8, USR-1, USR-2: changes to an account's devices by an admin, what is
 * left of accounts that are gone, and that no crash leaves more than before.
 */
#include "registry.h"

#include <sys/stat.h>
#include <unistd.h>

#define DEVICES_OF_ALICE STORE "/devices/alice"
#define STATE_OF_ALICE STORE "/state/1001"

static char changed_id[17];

static enum csign_err
revoke_it(const char *device, bool force)
{
	return csign_device_revoke(
	    registry, "alice", device, force, "carol", changed_id);
}

static enum csign_err
rename_to(const char *device, const char *name)
{
	return csign_device_rename(
	    registry, "alice", device, name, "root", changed_id);
}

static enum csign_err
deenrol(const char *user)
{
	return csign_user_deenroll(registry, user, "carol");
}

/* --- revoking ------------------------------------------------------------- */

static void
a_revoked_device_is_gone_for_good(void **state)
{
	const char *first = registry_id(1);
	struct csign_state s;

	(void)state;
	registry_enrol(&alice, 1, 2);
	s = registry_state(&alice);
	csign_state_use(&s, first)->counter = 7;
	registry_put_state(&alice, &s);
	assert_ok(revoke_it(first, false));
	assert_string_equal(changed_id, first);
	assert_string_equal(registry_devices(&alice), registry_id(2));
	s = registry_state(&alice);
	assert_true(csign_state_is_gone(&s, first));
	assert_true(s.gone[0].when > 1700000000);
	assert_int_equal(s.n_uses, 0);
	assert_audit("\"event\":\"revoke\",\"result\":\"granted\"");
	assert_audit("\"by\":\"carol\"");
	assert_audit(first);
	assert_err("again", revoke_it(first, false), CSIGN_E_NOT_FOUND);
	assert_err(
	    "last", revoke_it(registry_id(2), false), CSIGN_E_LAST_DEVICE);
	assert_string_equal(registry_devices(&alice), registry_id(2));
	/* Also of one that was put there by hand, and never used. */
	s = registry_state(&alice);
	s.had_device = false;
	registry_put_state(&alice, &s);
	assert_ok(revoke_it(registry_id(2), true));
	assert_false(registry_exists(DEVICES_OF_ALICE));
	s = registry_state(&alice);
	assert_int_equal(s.n_gone, 2);
	assert_true(s.had_device);
	assert_err("none", revoke_it(registry_id(2), true), CSIGN_E_UNENROLLED);
}

static void
without_a_record_nothing_is_changed(void **state)
{
	(void)state;
	registry_enrol(&alice, 1, 2);
	assert_int_equal(mkdir(scratch(AUDIT), 0700), 0);
	assert_err("revoke", revoke_it(registry_id(1), false), CSIGN_E_AUDIT);
	assert_err("rename", rename_to(registry_id(1), "x"), CSIGN_E_AUDIT);
	assert_err("deenrol", deenrol("alice"), CSIGN_E_AUDIT);
	assert_int_equal(strlen(registry_devices(&alice)), 33);
	assert_int_equal(registry_state(&alice).n_gone, 0);
}

/* --- renaming ------------------------------------------------------------- */

static void
a_device_gets_another_name(void **state)
{
	struct csign_device_list list = {NULL, 0};
	struct csign_device device;

	(void)state;
	registry_enrol(&alice, 1, 2);
	people_device(1, &device);
	assert_ok(rename_to(device.id, "Büro \"1\""));
	assert_string_equal(changed_id, device.id);
	assert_ok(csign_devices_read(
	    people_crypto, scratch(STORE), &alice, &list, NULL));
	assert_string_equal(list.items[0].name, "Büro \"1\"");
	/* And nothing else of it. */
	memcpy(list.items[0].name, device.name, sizeof(device.name));
	assert_memory_equal(&list.items[0], &device, sizeof(device));
	csign_device_list_clear(&list);
	assert_audit("\"event\":\"rename\",\"result\":\"granted\"");
	assert_audit("\"deviceName\":\"Büro \\\"1\\\"\"");
	/* It is found by that name now, and may keep it. */
	assert_ok(rename_to("Büro \"1\"", "Büro \"1\""));
	assert_ok(rename_to("Büro \"1\"", "other"));
	assert_err("old name", rename_to("Büro \"1\"", "x"), CSIGN_E_NOT_FOUND);
}

static void
a_name_must_be_fit(void **state)
{
	static const char *const unfit[] = {"", "a\nb", "\033[31m", "\xff",
	    "a\xe2\x80\xae"
	    "b",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "4"};
	const char *second = registry_id(2);

	(void)state;
	registry_enrol(&alice, 1, 2);
	for (size_t i = 0; i < N_ROWS(unfit); i++) {
		assert_err(unfit[i], rename_to(registry_id(1), unfit[i]),
		    CSIGN_E_INVALID);
		if (strstr(csign_ctx_why(registry), "name") == NULL)
			fail_msg("%s: %s", unfit[i], csign_ctx_why(registry));
	}
	assert_false(registry_exists(AUDIT));
	assert_ok(rename_to(second, "second"));
	assert_err(
	    "taken", rename_to(registry_id(1), "second"), CSIGN_E_EXISTS);
	assert_err("NULL", rename_to(second, NULL), CSIGN_E_INVALID);
	assert_err("NULL", rename_to(NULL, "x"), CSIGN_E_INVALID);
	assert_err("unknown",
	    csign_device_rename(
		registry, "mallory", second, "x", "root", changed_id),
	    CSIGN_E_UNKNOWN_USER);
	assert_err("nobody",
	    csign_device_rename(
		registry, "Bob", second, "x", "root", changed_id),
	    CSIGN_E_UNENROLLED);
	/* 64 bytes are not too many. */
	assert_ok(rename_to(second, "012345678901234567890123456789012345678901"
				    "2345678901234567890123"));
}

static void
changes_wait_for_the_lock(void **state)
{
	struct csign_state_lock *lock = NULL;

	(void)state;
	registry_enrol(&alice, 1, 2);
	assert_ok(csign_state_lock(
	    people_crypto, scratch(STORE), &alice, NULL, &lock));
	world.clock_step = 500;
	assert_err("revoke", revoke_it(registry_id(1), false), CSIGN_E_STATE);
	assert_err("rename", rename_to(registry_id(1), "x"), CSIGN_E_STATE);
	assert_err("deenrol", deenrol("alice"), CSIGN_E_STATE);
	world.clock_step = 0;
	csign_state_unlock(&lock);
	assert_false(registry_exists(AUDIT));
}

/* --- de-enrolling --------------------------------------------------------- */

/* Two devices, one of them used, one gone, codes of which one was used. */
static void
enrol_fully(void)
{
	char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
	struct csign_state s;

	registry_enrol(&alice, 1, 3);
	assert_ok(csign_recovery_make(registry, "alice", "root", codes));
	assert_ok(revoke_it(registry_id(3), false));
	s = registry_state(&alice);
	csign_state_use(&s, registry_id(1))->counter = 7;
	s.codes[4].used = 1763719333;
	registry_put_state(&alice, &s);
}

static void
nothing_of_a_deenrolled_account_works(void **state)
{
	struct csign_state s, before;

	(void)state;
	enrol_fully();
	before = registry_state(&alice);
	assert_ok(deenrol("alice"));
	assert_string_equal(registry_devices(&alice), "");
	s = registry_state(&alice);
	assert_false(s.had_device);
	assert_int_equal(s.n_uses, 0);
	assert_int_equal(csign_state_codes_left(&s), 0);
	/* What must never come back is still known. */
	assert_int_equal(s.recovery_made, before.recovery_made);
	assert_int_equal(s.n_codes, CSIGN_RECOVERY_CODES);
	assert_int_equal(s.codes[4].used, 1763719333);
	for (unsigned n = 1; n <= 3; n++)
		assert_true(csign_state_is_gone(&s, registry_id(n)));
	assert_audit("\"event\":\"deenrol\",\"result\":\"granted\"");
	assert_audit("\"user\":\"alice\",\"by\":\"carol\"");
	assert_ok(deenrol("alice"));
	assert_err("unknown", deenrol("mallory"), CSIGN_E_UNKNOWN_USER);
	assert_err("not a name", deenrol("../alice"), CSIGN_E_INVALID);
	assert_err("not a name", deenrol(""), CSIGN_E_INVALID);
	assert_no_audit("mallory");
}

static void
damage_is_cleared_and_no_code_comes_back(void **state)
{
	struct csign_state s;

	(void)state;
	enrol_fully();
	scratch_put_text(DEVICES_OF_ALICE, 0600, "x\n");
	scratch_put_text(STATE_OF_ALICE, 0600, "x\n");
	assert_ok(deenrol("alice"));
	assert_false(registry_exists(DEVICES_OF_ALICE));
	s = registry_state(&alice);
	assert_false(s.had_device);
	assert_true(s.recovery_made > 1700000000);
	assert_int_equal(s.n_codes, 0);
}

/* Nobody is called that any more. */
static void
an_account_that_is_gone_can_be_cleared(void **state)
{
	(void)state;
	enrol_fully();
	registry_enrol(&bob, 4, 1);
	registry_account(alice.uid, NULL);
	assert_err(
	    "denied", revoke_it(registry_id(1), true), CSIGN_E_UNKNOWN_USER);
	assert_ok(deenrol("alice"));
	assert_audit("\"event\":\"deenrol\",\"result\":\"granted\"");
	assert_audit("\"user\":\"alice\"");
	assert_audit("\"uid\":1001");
	assert_false(registry_exists(DEVICES_OF_ALICE));
	assert_false(registry_exists(STATE_OF_ALICE));
	assert_err("nothing left", deenrol("alice"), CSIGN_E_UNKNOWN_USER);
	assert_string_equal(registry_devices(&bob), registry_id(4));
	assert_true(registry_state(&bob).had_device);
	/* Only a state; only devices; only devices that nobody can read. */
	registry_account(alice.uid, "alice");
	enrol_fully();
	registry_enrol(&alice, 0, 0);
	registry_account(alice.uid, NULL);
	assert_ok(deenrol("alice"));
	assert_false(registry_exists(STATE_OF_ALICE));
	registry_enrol(&alice, 1, 1);
	assert_int_equal(unlink(scratch(STATE_OF_ALICE)), 0);
	assert_ok(deenrol("alice"));
	assert_false(registry_exists(DEVICES_OF_ALICE));
	scratch_put_text(DEVICES_OF_ALICE, 0600, "x\n");
	assert_ok(deenrol("alice"));
	assert_false(registry_exists(DEVICES_OF_ALICE));
}

/* alice was removed, and another alice came, with another uid. */
static void
a_name_given_to_another_inherits_nothing(void **state)
{
	const struct csign_account again = {
	    .uid = 2001, .name = "alice", .file = "alice"};
	struct csign_devices *devices = NULL;

	(void)state;
	enrol_fully();
	registry_account(alice.uid, NULL);
	registry_account(again.uid, "alice");
	assert_err("denied", csign_devices_load(registry, "alice", &devices),
	    CSIGN_E_DEVICES);
	assert_err("denied", revoke_it(registry_id(1), true), CSIGN_E_DEVICES);
	assert_ok(deenrol("alice"));
	assert_audit("\"uid\":2001");
	assert_false(registry_exists(DEVICES_OF_ALICE));
	assert_false(registry_exists(STATE_OF_ALICE));
	assert_false(registry_state(&again).had_device);
	assert_err("clean", csign_devices_load(registry, "alice", &devices),
	    CSIGN_E_UNENROLLED);
}

/* alice was removed, and eve got her uid. */
static void
a_uid_given_to_another_inherits_nothing(void **state)
{
	const struct csign_account eve = {
	    .uid = 1001, .name = "eve", .file = "eve"};
	struct csign_devices *devices = NULL;

	(void)state;
	enrol_fully();
	registry_account(alice.uid, "eve");
	registry_enrol(&alice, 1, 2);
	assert_err("no devices", csign_devices_load(registry, "eve", &devices),
	    CSIGN_E_UNENROLLED);
	/* By the name that is gone: eve has a state of her own then. */
	assert_ok(deenrol("alice"));
	assert_false(registry_exists(DEVICES_OF_ALICE));
	assert_false(registry_exists(STATE_OF_ALICE));
	assert_false(registry_state(&eve).had_device);
	/* By the name of whom it denies. */
	registry_account(alice.uid, "alice");
	enrol_fully();
	registry_account(alice.uid, "eve");
	assert_ok(deenrol("eve"));
	assert_false(registry_state(&eve).had_device);
	assert_int_equal(registry_codes_left(&eve), 0);
	assert_true(registry_exists(DEVICES_OF_ALICE));
	assert_ok(deenrol("alice"));
	assert_false(registry_exists(DEVICES_OF_ALICE));
}

/* --- crashes and failures ------------------------------------------------- */

static void
prepare(void)
{
	void *none = NULL;

	registry_fresh(&none);
	enrol_fully();
}

static void
revoke_in_child(void)
{
	(void)!revoke_it(registry_id(1), false);
}

/*
 * The line may still be there, but then either nothing has happened, or the
 * device is known as gone and no answer of it counts (judge.c).
 */
static void
check_revoked(bool killed)
{
	const char *first = registry_id(1), *second = registry_id(2);
	struct csign_state s = registry_state(&alice);
	bool listed = strstr(registry_devices(&alice), first) != NULL;

	assert_true(s.had_device);
	assert_non_null(strstr(registry_devices(&alice), second));
	if (!listed || !killed)
		assert_true(csign_state_is_gone(&s, first) && !listed);
	assert_int_equal(csign_state_codes_left(&s), 9);
	/* Once more, and it is done. */
	assert_err("again", revoke_it(first, false),
	    listed ? CSIGN_OK : CSIGN_E_NOT_FOUND);
	s = registry_state(&alice);
	assert_true(csign_state_is_gone(&s, first));
	assert_string_equal(registry_devices(&alice), second);
}

static void
a_crash_while_revoking_leaves_no_right(void **state)
{
	(void)state;
	registry_crash(prepare, revoke_in_child, check_revoked);
}

static enum csign_err
revoke_first(void)
{
	return revoke_it(registry_id(1), false);
}

static void
check_failed_revoke(enum csign_err r, bool failed)
{
	struct csign_state s = registry_state(&alice);
	bool listed = strstr(registry_devices(&alice), registry_id(1)) != NULL;

	if (!failed)
		assert_ok(r);
	if (r == CSIGN_OK)
		assert_true(!listed && csign_state_is_gone(&s, registry_id(1)));
	if (!listed)
		assert_true(csign_state_is_gone(&s, registry_id(1)));
	assert_true(s.had_device);
}

static void
whatever_fails_ok_means_revoked(void **state)
{
	(void)state;
	registry_fail(prepare, revoke_first, check_failed_revoke);
}

static void
rename_in_child(void)
{
	(void)!rename_to(registry_id(1), "renamed");
}

static void
check_renamed(bool killed)
{
	struct csign_device_list list = {NULL, 0};

	assert_ok(csign_devices_read(
	    people_crypto, scratch(STORE), &alice, &list, NULL));
	assert_int_equal(list.n, 2);
	if (!killed)
		assert_string_equal(list.items[0].name, "renamed");
	if (strcmp(list.items[0].name, "renamed") != 0)
		assert_non_null(strstr(list.items[0].name, "Pixel"));
	csign_device_list_clear(&list);
}

static void
a_crash_while_renaming_leaves_old_or_new(void **state)
{
	(void)state;
	registry_crash(prepare, rename_in_child, check_renamed);
}

static void
deenrol_in_child(void)
{
	(void)!deenrol("alice");
}

/* Nobody looks unenrolled before the last device and the last code are gone. */
static void
check_deenrolled(bool killed)
{
	struct csign_state s = registry_state(&alice);
	bool listed = registry_devices(&alice)[0] != '\0';

	if (!killed)
		assert_false(s.had_device);
	if (!s.had_device) {
		assert_false(listed);
		assert_int_equal(csign_state_codes_left(&s), 0);
	}
	if (!listed || csign_state_codes_left(&s) == 0) {
		assert_int_equal(csign_state_codes_left(&s), 0);
		for (unsigned n = 1; n <= 3; n++)
			assert_true(csign_state_is_gone(&s, registry_id(n)));
	}
	assert_ok(deenrol("alice"));
	assert_false(registry_state(&alice).had_device);
	assert_string_equal(registry_devices(&alice), "");
}

static void
a_crash_while_deenrolling_leaves_no_right(void **state)
{
	(void)state;
	registry_crash(prepare, deenrol_in_child, check_deenrolled);
}

/* --- what check says ------------------------------------------------------ */

static char findings[4096];
static size_t n_findings;

static void
report(void *arg, const char *finding)
{
	size_t len = strlen(findings), more = strlen(finding);

	(void)arg;
	n_findings++;
	assert_true(len + more + 2 <= sizeof(findings));
	memcpy(findings + len, finding, more);
	memcpy(findings + len + more, ";", 2);
}

static void
check_host(const char *const *wanted)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char conf[SCRATCH_PATH];

	findings[0] = '\0';
	n_findings = 0;
	(void)snprintf(conf, sizeof(conf), "%s", scratch("countersign.conf"));
	r = csign_host_check(registry, conf, report, NULL);
	assert_err("check", r, n_findings == 0 ? CSIGN_OK : CSIGN_E_CONFIG);
	for (; *wanted != NULL; wanted++) {
		n_findings--;
		if (strstr(findings, *wanted) == NULL)
			fail_msg("\"%s\" is not in %s", *wanted, findings);
	}
	if (n_findings != 0)
		fail_msg("more than that: %s", findings);
}

#define CHECK_HOST(...) check_host((const char *const[]){__VA_ARGS__, NULL})

static void
put_access_key(void)
{
	char path[SCRATCH_PATH], line[SCRATCH_PATH + 32];

	(void)snprintf(path, sizeof(path), "%s", scratch("access.key"));
	scratch_put_text("access.key", 0600,
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
	(void)snprintf(line, sizeof(line), "access_key_file = %s\n", path);
	registry_configure(line);
}

static void
check_names_what_is_left(void **state)
{
	(void)state;
	put_access_key();
	CHECK_HOST(NULL);
	enrol_fully();
	registry_enrol(&bob, 4, 1);
	CHECK_HOST(NULL);
	/* alice is gone */
	registry_account(alice.uid, NULL);
	CHECK_HOST("devices/alice: there is a file for alice, but no such "
		   "account: \"countersign deenroll alice\"",
	    "state/1001: there is a file for alice, but no such account");
	/* and somebody else is called so */
	registry_account(2001, "alice");
	CHECK_HOST("devices/alice:1: the header names another account",
	    "state/1001: is of an earlier alice, who now is alice with the "
	    "uid 2001: \"countersign deenroll alice\"");
	assert_ok(deenrol("alice"));
	CHECK_HOST(NULL);
	/* or has the uid */
	registry_reinstall();
	registry_account(2001, NULL);
	registry_account(alice.uid, "alice");
	enrol_fully();
	registry_account(alice.uid, "eve");
	CHECK_HOST("devices/alice: there is a file for alice, but no such",
	    "state/1001: there is a file for alice, but no such account");
	assert_ok(deenrol("alice"));
	CHECK_HOST(NULL);
}

static void
check_reads_the_recovery_codes(void **state)
{
	char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
	size_t len = 0;
	char *text = NULL, *at = NULL;

	(void)state;
	put_access_key();
	/* Of an account without a devices file, too. */
	registry_enrol(&alice, 1, 1);
	assert_ok(csign_recovery_make(registry, "alice", "root", codes));
	registry_enrol(&alice, 0, 0);
	CHECK_HOST(NULL);
	text = scratch_get(STATE_OF_ALICE, &len);
	at = strstr(text, "code ");
	at[5] = at[5] == 'a' ? 'b' : 'a';
	scratch_put(STATE_OF_ALICE, 0600, text, len);
	CHECK_HOST("state/1001: the checksum is wrong");
	free(text);
	scratch_put_text(STATE_OF_ALICE, 0600, "x\n");
	CHECK_HOST("state/1001:1: this is not a state file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_revoked_device_is_gone_for_good),
	    TEST(without_a_record_nothing_is_changed),
	    TEST(a_device_gets_another_name),
	    TEST(a_name_must_be_fit),
	    TEST(changes_wait_for_the_lock),
	    TEST(nothing_of_a_deenrolled_account_works),
	    TEST(damage_is_cleared_and_no_code_comes_back),
	    TEST(an_account_that_is_gone_can_be_cleared),
	    TEST(a_name_given_to_another_inherits_nothing),
	    TEST(a_uid_given_to_another_inherits_nothing),
	    TEST(a_crash_while_revoking_leaves_no_right),
	    TEST(whatever_fails_ok_means_revoked),
	    TEST(a_crash_while_renaming_leaves_old_or_new),
	    TEST(a_crash_while_deenrolling_leaves_no_right),
	    TEST(check_names_what_is_left),
	    TEST(check_reads_the_recovery_codes),
	};

	return cmocka_run_group_tests(tests, registry_setup, registry_teardown);
}
