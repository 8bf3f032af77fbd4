/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backups: all of a host's devices and states in one text, and back, without
 * ever bringing back what is over: a used or replaced code, a revoked device, a
 * lower counter, an account that is somebody else's by now.
 */
#include "registry.h"

#include <unistd.h>

#define STATE_OF_ALICE STORE "/state/1001"
#define DEVICES_OF_ALICE STORE "/devices/alice"

static char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
static char *backup;
static size_t backup_len;
static char said[8192];

static void
hear(void *arg, const char *line)
{
	size_t len = strlen(said), more = strlen(line);

	assert_ptr_equal(arg, said);
	assert_true(len + more + 2 <= sizeof(said));
	memcpy(said + len, line, more);
	memcpy(said + len + more, "\n", 2);
}

static void
make(void)
{
	free(backup);
	backup = NULL;
	if (csign_backup_make(registry, &backup, &backup_len) != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(registry));
	assert_int_equal(strlen(backup), backup_len);
}

static enum csign_err
restore_text(const char *text, size_t len, unsigned flags)
{
	said[0] = '\0';
	return csign_backup_restore(
	    registry, text, len, flags, "root", hear, said);
}

static void
restore(unsigned flags)
{
	if (restore_text(backup, backup_len, flags) != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(registry));
}

static void
assert_said(const char *want)
{
	if (strcmp(said, want) != 0)
		fail_msg("\"%s\" instead of \"%s\"", said, want);
}

static enum csign_err
use(const char *code)
{
	struct csign_request *req = NULL;
	uint32_t verdict = CSIGN_VERDICT_NONE;
	size_t left = 0;
	enum csign_err r = CSIGN_E_INTERNAL;

	assert_ok(csign_request_new(&req));
	assert_ok(csign_request_set(req, CSIGN_REQ_USER, "alice"));
	r = csign_recovery_use(registry, req, code, &verdict, &left);
	assert_true((r == CSIGN_OK) == (verdict == CSIGN_VERDICT_GRANTED));
	csign_request_free(&req);
	return r;
}

static void
revoke_device(unsigned n)
{
	char id[17];

	assert_ok(csign_device_revoke(
	    registry, "alice", registry_id(n), true, "root", id));
}

static const char *
ids(unsigned a, unsigned b)
{
	static char text[2 * CSIGN_DEVICE_ID_SIZE];

	(void)snprintf(
	    text, sizeof(text), "%s %s", registry_id(a), registry_id(b));
	return text;
}

/* alice: devices 1 and 2, device 3 gone, codes of which number 0 was used. */
static void
enrol_alice(void)
{
	registry_enrol(&alice, 1, 3);
	revoke_device(3);
	registry_set_counter(&alice, 1, 100);
	assert_ok(csign_recovery_make(registry, "alice", "root", codes));
	assert_ok(use(codes[0]));
}

static void
enrol_both(void)
{
	enrol_alice();
	registry_enrol(&bob, 4, 1);
}

/* --- making --------------------------------------------------------------- */

/* The text with another checksum, the right one for what is before it. */
static char *
sealed(const char *text, size_t len, size_t *ret_len)
{
	const struct csign_part part = {text, len};
	unsigned char sum[32];
	char *all = malloc(len + 80);
	size_t n = len;

	assert_non_null(all);
	memcpy(all, text, len);
	assert_ok(csign_sha256(people_crypto, &part, 1, sum));
	n += (size_t)snprintf(all + n, 16, "sha256 ");
	for (size_t i = 0; i < sizeof(sum); i++)
		n += (size_t)snprintf(all + n, 8, "%02x", sum[i]);
	n += (size_t)snprintf(all + n, 8, "\n");
	*ret_len = n;
	return all;
}

static void
the_text_is_as_documented(void **state)
{
	char want[4096], *devices = NULL, *memory = NULL, *all = NULL;
	size_t devices_len = 0, memory_len = 0, len = 0;
	int n = 0;

	(void)state;
	world.wall_ms = 1763719331001;
	registry_enrol(&alice, 1, 1);
	devices = scratch_get(DEVICES_OF_ALICE, &devices_len);
	memory = scratch_get(STATE_OF_ALICE, &memory_len);
	make();
	n = snprintf(want, sizeof(want),
	    "countersign-backup 1 host=web%%201.example "
	    "made=2025-11-21T10:02:11Z\n"
	    "file devices/alice %zu\n%sfile state/1001 %zu\n%s",
	    devices_len, devices, memory_len, memory);
	all = sealed(want, (size_t)n, &len);
	assert_string_equal(backup, all);
	free(all);
	free(devices);
	free(memory);
}

/* How often a phone rang is no matter of another host or day. */
static void
limits_on_push_are_no_part_of_it(void **state)
{
	struct csign_now now = {
	    1763719331, 5000, "1b4e28ba-2fa1-41d2-883f-0016d3cca427"};
	struct csign_limit limit;
	char *before = NULL;

	(void)state;
	world.wall_ms = 1763719331001;
	enrol_alice();
	make();
	before = backup;
	backup = NULL;
	limit = registry_limit(&alice);
	(void)csign_limit_became(&limit, &now, "", CSIGN_BECAME_NOT_ME);
	registry_put_limit(&alice, &limit);
	make();
	assert_string_equal(backup, before);
	free(before);
	/* So it cannot end what this host has stopped. */
	restore(0);
	assert_true(registry_limit(&alice).not_me);
	assert_int_equal(registry_limit(&alice).pause, 900);
	registry_reinstall();
	restore(0);
	assert_false(registry_limit(&alice).not_me);
	assert_true(registry_state(&alice).had_device);
}

static void
nobody_is_a_backup_too(void **state)
{
	(void)state;
	make();
	restore(0);
	assert_said("");
}

static void
no_secret_and_nothing_twice(void **state)
{
	size_t n = 0;

	(void)state;
	enrol_both();
	make();
	for (size_t i = 0; i < CSIGN_RECOVERY_CODES; i++)
		assert_null(strstr(backup, codes[i]));
	for (const char *at = backup; (at = strstr(at, "\nfile ")) != NULL;
	     at++)
		n++;
	assert_int_equal(n, 4);
	assert_non_null(strstr(backup, "\nfile devices/%42ob "));
	assert_non_null(strstr(backup, "\nfile state/1002 "));
}

/* A backup with a hole in it would be found out too late. */
static void
a_damaged_host_gives_no_backup(void **state)
{
	static const struct {
		const char *file, *why;
		enum csign_err err;
	} damages[] = {
	    {STORE "/devices/alice", "devices", CSIGN_E_DEVICES},
	    {STORE "/devices/carol", "carol", CSIGN_E_DEVICES},
	    {STORE "/devices/NOFILE", "NOFILE", CSIGN_E_DEVICES},
	    {STORE "/state/1001", "state/1001", CSIGN_E_STATE},
	    {STORE "/state/1007", "state/1007", CSIGN_E_STATE},
	};
	char *text = NULL;
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < N_ROWS(damages); i++) {
		registry_reinstall();
		enrol_both();
		scratch_put_text(damages[i].file, 0600, "x\n");
		assert_err(damages[i].file,
		    csign_backup_make(registry, &text, &len), damages[i].err);
		assert_null(text);
		if (strstr(csign_ctx_why(registry), damages[i].why) == NULL)
			fail_msg("%s", csign_ctx_why(registry));
	}
}

/* An account that the database does not know this minute is saved. */
static void
accounts_that_are_away_are_saved(void **state)
{
	(void)state;
	enrol_both();
	registry_account(alice.uid, NULL);
	make();
	registry_reinstall();
	restore(0);
	assert_said("Bob: brought back 1 device\n"
		    "alice: left out: there is no such account\n");
	registry_account(alice.uid, "alice");
	restore(0);
	assert_string_equal(registry_devices(&alice), ids(1, 2));
}

/* --- a new disk ----------------------------------------------------------- */

static void
a_new_host_gets_all_but_the_codes(void **state)
{
	struct csign_state s;

	(void)state;
	enrol_both();
	make();
	registry_reinstall();
	(void)unlink(scratch(AUDIT));
	restore(0);
	assert_said("Bob: brought back 1 device\n"
		    "alice: left out: 9 recovery codes: this host does not "
		    "know which were used since\n"
		    "alice: brought back 2 devices\n");
	assert_audit("\"event\":\"restore\",\"result\":\"granted\"");
	assert_audit("\"user\":\"alice\"");
	assert_no_audit("codesLeft");
	assert_string_equal(registry_devices(&alice), ids(1, 2));
	assert_string_equal(registry_devices(&bob), registry_id(4));
	assert_int_equal(registry_counter(&alice, 1), 100);
	s = registry_state(&alice);
	assert_true(s.had_device);
	assert_true(csign_state_is_gone(&s, registry_id(3)));
	assert_int_equal(s.n_codes, 0);
	assert_int_equal(s.recovery_made, 0);
	assert_err("code", use(codes[1]), CSIGN_E_RECOVERY);
	/* Again: there is nothing more to do. */
	restore(0);
	assert_said("Bob: nothing to bring back\n"
		    "alice: left out: 9 recovery codes: this host does not "
		    "know which were used since\n"
		    "alice: nothing to bring back\n");
}

static void
codes_come_only_when_asked_for(void **state)
{
	struct csign_state saved;

	(void)state;
	enrol_both();
	saved = registry_state(&alice);
	make();
	registry_reinstall();
	restore(CSIGN_RESTORE_RECOVERY);
	assert_said("Bob: brought back 1 device\n"
		    "alice: brought back 2 devices and 9 recovery codes\n");
	assert_audit("\"codesLeft\":9,");
	assert_int_equal(
	    registry_state(&alice).recovery_made, saved.recovery_made);
	assert_err("used", use(codes[0]), CSIGN_E_RECOVERY);
	assert_ok(use(codes[1]));
	restore(CSIGN_RESTORE_RECOVERY);
	assert_err("used", use(codes[1]), CSIGN_E_RECOVERY);
	assert_ok(use(codes[2]));
}

static void
the_mark_comes_back_without_devices(void **state)
{
	(void)state;
	registry_enrol(&alice, 1, 1);
	revoke_device(1);
	make();
	registry_reinstall();
	restore(0);
	assert_said("alice: brought back what was remembered of its "
		    "devices\n");
	assert_true(registry_state(&alice).had_device);
	assert_string_equal(registry_devices(&alice), "");
}

static void
a_dry_run_only_says(void **state)
{
	(void)state;
	enrol_both();
	make();
	registry_reinstall();
	(void)unlink(scratch(AUDIT));
	restore(CSIGN_RESTORE_DRY_RUN | CSIGN_RESTORE_RECOVERY);
	assert_said("Bob: would bring back 1 device\n"
		    "alice: would bring back 2 devices and 9 recovery codes\n");
	assert_string_equal(registry_devices(&alice), "");
	assert_false(registry_exists(STATE_OF_ALICE));
	assert_false(registry_exists(AUDIT));
}

/* --- an old backup -------------------------------------------------------- */

static void
what_was_used_or_replaced_stays_so(void **state)
{
	char old[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];

	(void)state;
	enrol_alice();
	make();
	assert_ok(use(codes[1]));
	restore(CSIGN_RESTORE_RECOVERY);
	assert_said("alice: nothing to bring back\n");
	assert_err("used", use(codes[1]), CSIGN_E_RECOVERY);
	assert_ok(use(codes[2]));
	memcpy(old, codes, sizeof(old));
	assert_ok(csign_recovery_make(registry, "alice", "root", codes));
	/* Made in another second, and even if not. */
	for (int i = 0; i < 2; i++) {
		struct csign_state s = registry_state(&alice);

		s.recovery_made += 1;
		registry_put_state(&alice, &s);
		restore(CSIGN_RESTORE_RECOVERY);
		assert_said("alice: left out: 9 recovery codes: this host has "
			    "a record of its own\n"
			    "alice: nothing to bring back\n");
		for (size_t k = 0; k < CSIGN_RECOVERY_CODES; k++)
			assert_err("old", use(old[k]), CSIGN_E_RECOVERY);
	}
	assert_ok(use(codes[0]));
	/* All used up and none left is a record too. */
	assert_ok(csign_user_deenroll(registry, "alice", "root"));
	restore(CSIGN_RESTORE_RECOVERY);
	assert_err("old", use(old[3]), CSIGN_E_RECOVERY);
	assert_err("new", use(codes[3]), CSIGN_E_RECOVERY);
}

/* A host that was put back to an earlier day learns what was used since. */
static void
a_later_backup_knows_more_than_the_host(void **state)
{
	size_t len = 0;
	char *earlier = NULL;

	(void)state;
	enrol_alice();
	earlier = scratch_get(STATE_OF_ALICE, &len);
	registry_set_counter(&alice, 1, 250);
	assert_ok(use(codes[1]));
	make();
	scratch_put(STATE_OF_ALICE, 0600, earlier, len);
	restore(0);
	assert_said("alice: brought back what was remembered of its "
		    "devices\n");
	assert_err("used", use(codes[1]), CSIGN_E_RECOVERY);
	assert_int_equal(registry_counter(&alice, 1), 250);
	free(earlier);
}

static void
a_counter_never_goes_down(void **state)
{
	struct csign_state s;

	(void)state;
	enrol_alice();
	make();
	registry_set_counter(&alice, 1, 101);
	s = registry_state(&alice);
	csign_state_use(&s, registry_id(1))->last_used = 1763719331;
	registry_put_state(&alice, &s);
	restore(0);
	assert_int_equal(registry_counter(&alice, 1), 101);
	s = registry_state(&alice);
	assert_int_equal(
	    csign_state_use(&s, registry_id(1))->last_used, 1763719331);
	/* Also where only its line was lost. */
	registry_enrol(&alice, 2, 1);
	restore(0);
	assert_said("alice: brought back 1 device\n");
	assert_int_equal(registry_counter(&alice, 1), 101);
}

static void
a_revoked_device_stays_away(void **state)
{
	char want[512], shown[20];

	(void)state;
	enrol_alice();
	make();
	revoke_device(1);
	restore(0);
	csign_device_id_show(registry_id(1), shown);
	(void)snprintf(want, sizeof(want),
	    "alice: left out: device %s \"Alice's \"Pixel\" \\ \xc3\xbc\": it "
	    "was revoked on this host\nalice: nothing to bring back\n",
	    shown);
	assert_said(want);
	assert_string_equal(registry_devices(&alice), registry_id(2));
	/* De-enrolled: none of them, and no mark that nobody can clear. */
	assert_ok(csign_user_deenroll(registry, "alice", "root"));
	restore(CSIGN_RESTORE_RECOVERY);
	assert_string_equal(registry_devices(&alice), "");
	assert_false(registry_state(&alice).had_device);
}

/* Its line was still there: the host had crashed while it was revoked. */
static void
a_device_that_was_gone_then_stays_away(void **state)
{
	struct csign_state s;

	(void)state;
	enrol_alice();
	s = registry_state(&alice);
	csign_state_bury(&s, registry_id(1), 1763719331);
	registry_put_state(&alice, &s);
	make();
	registry_reinstall();
	restore(0);
	assert_non_null(
	    strstr(said, "it was revoked before the backup was made\n"));
	assert_string_equal(registry_devices(&alice), registry_id(2));
}

static void
what_the_host_has_wins(void **state)
{
	struct csign_device_list list = {NULL, 0};
	char id[17];

	(void)state;
	enrol_alice();
	make();
	assert_ok(csign_device_rename(
	    registry, "alice", registry_id(1), "new name", "root", id));
	assert_ok(csign_devices_read(
	    people_crypto, scratch(STORE), &alice, &list, NULL));
	csign_device_list_clear(&list);
	restore(0);
	assert_said("alice: nothing to bring back\n");
	assert_ok(csign_devices_read(
	    people_crypto, scratch(STORE), &alice, &list, NULL));
	assert_string_equal(list.items[0].name, "new name");
	csign_device_list_clear(&list);
	/* One that it has is not gone because the backup says so. */
	registry_reinstall();
	registry_enrol(&alice, 3, 1);
	restore(0);
	assert_non_null(strstr(registry_devices(&alice), registry_id(3)));
	assert_false(csign_state_is_gone(
	    (struct csign_state[]){registry_state(&alice)}, registry_id(3)));
}

static void
accounts_of_others_are_left_out(void **state)
{
	static const char moved[] =
	    "alice: left out: the name or the uid belongs to another account "
	    "now\n";

	(void)state;
	enrol_alice();
	make();
	/* The name with another uid; the uid with another name; none. */
	registry_reinstall();
	registry_account(alice.uid, NULL);
	registry_account(2001, "alice");
	restore(CSIGN_RESTORE_RECOVERY);
	assert_said(moved);
	assert_false(registry_exists(DEVICES_OF_ALICE));
	assert_false(registry_exists(STORE "/state/2001"));
	registry_account(2001, NULL);
	registry_account(alice.uid, "eve");
	restore(CSIGN_RESTORE_RECOVERY);
	assert_said("alice: left out: there is no such account\n");
	assert_false(registry_exists(STATE_OF_ALICE));
	assert_false(registry_exists(STORE "/devices/eve"));
}

static void
a_device_that_is_somebody_elses_is_left_out(void **state)
{
	(void)state;
	enrol_alice();
	make();
	registry_reinstall();
	registry_enrol(&bob, 2, 1);
	restore(0);
	assert_non_null(strstr(said, "its key is in use here\n"));
	assert_non_null(strstr(said, "alice: brought back 1 device\n"));
	assert_string_equal(registry_devices(&alice), registry_id(1));
	/* Whose it is cannot be found out: not without knowing. */
	registry_reinstall();
	scratch_put_text(STORE "/devices/carol", 0600, "x\n");
	restore(0);
	assert_string_equal(registry_devices(&alice), "");
	assert_non_null(strstr(said, "devices/carol:1: "));
}

static void
max_devices_holds(void **state)
{
	(void)state;
	enrol_alice();
	make();
	registry_reinstall();
	registry_configure("max_devices = 2\n");
	registry_enrol(&alice, 5, 1);
	restore(0);
	assert_non_null(strstr(said, "more than max_devices\n"));
	assert_non_null(strstr(said, "alice: brought back 1 device\n"));
	assert_string_equal(registry_devices(&alice), ids(5, 1));
}

static void
a_damaged_file_of_the_host_is_not_overwritten(void **state)
{
	(void)state;
	enrol_alice();
	make();
	scratch_put_text(STATE_OF_ALICE, 0600, "x\n");
	restore(CSIGN_RESTORE_RECOVERY);
	assert_non_null(strstr(said, "alice: left out: "));
	assert_non_null(strstr(said, "state/1001:1: this is not a state file"));
	scratch_assert_text(STATE_OF_ALICE, "x\n");
	assert_int_equal(unlink(scratch(STATE_OF_ALICE)), 0);
	scratch_put_text(DEVICES_OF_ALICE, 0600, "x\n");
	restore(CSIGN_RESTORE_RECOVERY);
	assert_non_null(strstr(said, "alice: left out: "));
	scratch_assert_text(DEVICES_OF_ALICE, "x\n");
	assert_int_equal(unlink(scratch(DEVICES_OF_ALICE)), 0);
	restore(0);
	assert_string_equal(registry_devices(&alice), ids(1, 2));
}

/* --- another text --------------------------------------------------------- */

static void
refused(const char *name, const char *text, size_t len)
{
	assert_err(name, restore_text(text, len, CSIGN_RESTORE_RECOVERY),
	    CSIGN_E_FORMAT);
	assert_said("");
	assert_true(strlen(csign_ctx_why(registry)) > 0);
	assert_false(registry_exists(DEVICES_OF_ALICE));
	assert_false(registry_exists(STATE_OF_ALICE));
}

static void
a_changed_or_cut_text_is_refused(void **state)
{
	size_t step = 7;

	(void)state;
	enrol_both();
	make();
	registry_reinstall();
	for (size_t at = 0; at < backup_len; at += step) {
		refused("cut", backup, at);
		backup[at] ^= 1;
		refused("changed", backup, backup_len);
		backup[at] ^= 1;
	}
	for (size_t at = backup_len - 80; at < backup_len; at++)
		refused("cut", backup, at);
	restore(0);
	assert_string_equal(registry_devices(&alice), ids(1, 2));
}

#define TOP "countersign-backup 1 host=web1 made=2025-11-21T10:02:11Z\n"

/* By letter: the name under which alice's devices stand, NULL their own. */
static const char *const device_names[] = {
    NULL, "devices/eve", "e", "xdevices/alice", "x/devices/alice"};

/* With a right checksum: %A and %S are alice's two files, whole sections. */
static const struct {
	const char *name, *text;
} others[] = {
    {"empty", ""},
    {"another file", "countersign-state 2 user=alice uid=1001\n"},
    {"newer", "countersign-backup 2 host=web1 made=2025-11-21T10:02:11Z\n"},
    {"no number", "countersign-backup x host=web1\n"},
    {"no host", "countersign-backup 1 made=2025-11-21T10:02:11Z\n%A"},
    {"no time", "countersign-backup 1 host=web1\n%A"},
    {"bad time", "countersign-backup 1 host=web1 made=today\n%A"},
    {"more", "countersign-backup 1 host=w made=2025-11-21T10:02:11Z x=1\n%A"},
    {"no end of line", "countersign-backup 1 host=w made=2025-11-21T10:02:11Z"},
    {"twice", TOP "%A%A"},
    {"state twice", TOP "%A%S%S"},
    {"order", TOP "%S%A"},
    {"not a file", TOP "%Ahello\n"},
    {"no length", TOP "file devices/alice\n"},
    {"length 0", TOP "file devices/alice 0\n%A"},
    {"too long", TOP "file devices/alice 70000\n%A"},
    {"longer than the text", TOP "file devices/alice 60000\n%A"},
    {"not to a line's end", TOP "file devices/alice 1\n%A"},
    {"not a devices file", TOP "file devices/alice 2\nx\n"},
    {"not a state", TOP "file state/1001 2\nx\n"},
    {"another part", TOP "file etc/passwd 2\nx\n"},
    {"a way out", TOP "file devices/../../x 2\nx\n"},
    {"another name", TOP "%B"},
    {"another uid", TOP "%T"},
    {"a shorter name", TOP "%C"},
    {"a longer name", TOP "%D"},
    {"a folder more", TOP "%E"},
};

/* One section; path NULL: the file's own. */
static size_t
put_section(char *out, const char *file, const char *path)
{
	size_t len = 0, n = 0;
	char *text = scratch_get(file, &len);

	n = (size_t)snprintf(out, 64, "file %s %zu\n",
	    path == NULL ? file + strlen(STORE "/") : path, len);
	memcpy(out + n, text, len);
	free(text);
	return n + len;
}

static size_t
expand(const char *form, char *out)
{
	size_t n = 0;

	for (; *form != '\0'; form++) {
		if (*form != '%') {
			out[n++] = *form;
			continue;
		}
		form++;
		if (*form >= 'A' && *form <= 'E')
			n += put_section(out + n, DEVICES_OF_ALICE,
			    device_names[*form - 'A']);
		else
			n += put_section(out + n, STATE_OF_ALICE,
			    *form == 'S' ? NULL : "state/1002");
	}
	return n;
}

static void
what_is_no_backup_is_refused(void **state)
{
	char *texts[N_ROWS(others)], *form = malloc(32768);
	size_t lens[N_ROWS(others)], len = 0;

	(void)state;
	assert_non_null(form);
	enrol_alice();
	for (size_t i = 0; i < N_ROWS(others); i++)
		texts[i] = sealed(form, expand(others[i].text, form), &lens[i]);
	/* The pieces themselves are right. */
	free(backup);
	backup = sealed(form, expand(TOP "%A%S", form), &len);
	backup_len = len;
	registry_reinstall();
	for (size_t i = 0; i < N_ROWS(others); i++) {
		refused(others[i].name, texts[i], lens[i]);
		free(texts[i]);
	}
	restore(0);
	assert_string_equal(registry_devices(&alice), ids(1, 2));
	free(form);
}

static void
arguments_are_looked_at(void **state)
{
	struct csign_ctx *empty = NULL;

	(void)state;
	make();
	assert_ok(csign_ctx_new(NULL, &empty));
#define INVALID(call) assert_err(#call, call, CSIGN_E_INVALID)
	INVALID(csign_backup_make(empty, &backup, &backup_len));
	INVALID(csign_backup_make(registry, NULL, &backup_len));
	INVALID(csign_backup_make(registry, &backup, NULL));
	INVALID(csign_backup_restore(
	    empty, backup, backup_len, 0, "root", hear, said));
	INVALID(csign_backup_restore(registry, NULL, 1, 0, "root", hear, said));
	INVALID(csign_backup_restore(
	    registry, backup, backup_len, 4, "root", hear, said));
#undef INVALID
	assert_ok(csign_backup_restore(
	    registry, backup, backup_len, 0, "root", NULL, NULL));
	csign_ctx_free(&empty);
}

/* --- crashes and failures ------------------------------------------------- */

/* A host that lost its disk, and knows one device that was enrolled since. */
static void
prepare(void)
{
	void *none = NULL;

	registry_fresh(&none);
	enrol_alice();
	make();
	registry_reinstall();
	registry_enrol(&alice, 5, 1);
}

static void
restore_in_child(void)
{
	(void)!restore_text(backup, backup_len, CSIGN_RESTORE_RECOVERY);
}

static void
check_part(bool whole)
{
	struct csign_state s = registry_state(&alice);
	const char *devices = registry_devices(&alice);
	bool came = strstr(devices, registry_id(1)) != NULL;
	size_t left = csign_state_codes_left(&s);

	assert_true(s.had_device);
	assert_non_null(strstr(devices, registry_id(5)));
	assert_null(strstr(devices, registry_id(3)));
	assert_true(came == (strstr(devices, registry_id(2)) != NULL));
	/* A device comes with its counter, and codes after the devices. */
	if (came) {
		assert_int_equal(
		    csign_state_use(&s, registry_id(1))->counter, 100);
		assert_true(csign_state_is_gone(&s, registry_id(3)));
	}
	assert_true(left == 0 || (left == 9 && came));
	if (whole)
		assert_true(came && left == 9);
	assert_err("used", use(codes[0]), CSIGN_E_RECOVERY);
	/* Once more, and it is done. */
	restore(CSIGN_RESTORE_RECOVERY);
	assert_int_equal(registry_codes_left(&alice), 9);
	assert_non_null(strstr(registry_devices(&alice), registry_id(2)));
}

static void
check_crash(bool killed)
{
	check_part(!killed);
}

static void
a_crash_leaves_no_more_than_was_there(void **state)
{
	(void)state;
	registry_crash(prepare, restore_in_child, check_crash);
}

static enum csign_err
restore_all(void)
{
	return restore_text(backup, backup_len, CSIGN_RESTORE_RECOVERY);
}

static void
check_failure(enum csign_err r, bool failed)
{
	if (!failed)
		assert_ok(r);
	check_part(r == CSIGN_OK);
}

static void
whatever_fails_ok_means_restored(void **state)
{
	(void)state;
	registry_fail(prepare, restore_all, check_failure);
}

static int
teardown(void **state)
{
	free(backup);
	return registry_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_text_is_as_documented),
	    TEST(limits_on_push_are_no_part_of_it),
	    TEST(nobody_is_a_backup_too),
	    TEST(no_secret_and_nothing_twice),
	    TEST(a_damaged_host_gives_no_backup),
	    TEST(accounts_that_are_away_are_saved),
	    TEST(a_new_host_gets_all_but_the_codes),
	    TEST(codes_come_only_when_asked_for),
	    TEST(the_mark_comes_back_without_devices),
	    TEST(a_dry_run_only_says),
	    TEST(what_was_used_or_replaced_stays_so),
	    TEST(a_later_backup_knows_more_than_the_host),
	    TEST(a_counter_never_goes_down),
	    TEST(a_revoked_device_stays_away),
	    TEST(a_device_that_was_gone_then_stays_away),
	    TEST(what_the_host_has_wins),
	    TEST(accounts_of_others_are_left_out),
	    TEST(a_device_that_is_somebody_elses_is_left_out),
	    TEST(max_devices_holds),
	    TEST(a_damaged_file_of_the_host_is_not_overwritten),
	    TEST(a_changed_or_cut_text_is_refused),
	    TEST(what_is_no_backup_is_refused),
	    TEST(arguments_are_looked_at),
	    TEST(a_crash_leaves_no_more_than_was_there),
	    TEST(whatever_fails_ok_means_restored),
	};

	return cmocka_run_group_tests(tests, registry_setup, teardown);
}
