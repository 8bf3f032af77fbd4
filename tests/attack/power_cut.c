/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power cuts and kills at every step of every change of files: what is read
 * afterwards, by the real code, is the old or the new, whole; what was promised
 * is there; nothing comes back that was over (countersign-security(7) ST-1).
 * A kill is the power cut by which nothing is lost.
 * No process is started, so there is none that could be left or crash but this
 * one, whose crash fails the case at hand: cmocka says so.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "disk.h"
#include "figures.h"
#include "played.h"
#include "request.h"
#include "store.h"

#define MAX_HERE 200 /* states after one operation; more with ATTACK_SCALE */
#define ROUNDS 4     /* each with other rubbish, and other cuts */
#define SEED 20261122
#define AGAIN_EVERY 5 /* in so many states the change is made once more */

/* A change, and what has to hold in each state that a cut may leave. */
struct change {
	void (*prepare)(void);
	enum csign_err (*make)(void);
	/* last: it was acknowledged. */
	void (*check)(bool last);
	/* Made again, in the state that was left; NULL: it cannot be. */
	enum csign_err (*again)(void);
	enum csign_err may_say; /* again, besides CSIGN_OK */
	const char *record; /* in the audit file, once it was acknowledged */
	bool may_look_unenrolled;
};

static const struct change *change;
static char codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
static char old_codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
static char id[CSIGN_DEVICE_ID_SIZE];
static char *backup;
static size_t backup_len;
static unsigned long cases, wrongs;
static unsigned long grants; /* of the wrongs */

static void
wrong(const char *what)
{
	if (wrongs++ < 20)
		print_message(
		    "# %s: %s; %s\n", what, disk_story(), host.ctx->why.text);
}

static void
ask(bool right, const char *what)
{
	if (!right)
		wrong(what);
}

/* A yes where there should be none, if it is not right. */
static void
no_grant(bool right, const char *what)
{
	grants += !right;
	ask(right, what);
}

/* --- what holds in every state -------------------------------------------- */

static char *
slurp(const char *name, size_t *ret_len)
{
	char path[512], *bytes;
	size_t len;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", host.dir, name);
	if ((f = fopen(path, "re")) == NULL)
		return NULL;
	assert_non_null(bytes = malloc(1 << 17));
	len = fread(bytes, 1, (1 << 17) - 1, f);
	(void)fclose(f);
	bytes[len] = '\0';
	*ret_len = len;
	return bytes;
}

/* Each file of the store is, whole, what it was at some time. */
static void
check_files(const char *folder)
{
	char path[512], name[400];
	const struct dirent *entry;
	size_t len = 0;
	char *bytes;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", host.dir, folder);
	if ((dir = opendir(path)) == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    strstr(entry->d_name, ".lock") != NULL)
			continue;
		(void)snprintf(
		    name, sizeof(name), "%s/%.100s", folder, entry->d_name);
		if ((bytes = slurp(name, &len)) == NULL ||
		    !disk_was(name, bytes, len))
			wrong(name);
		free(bytes);
	}
	(void)closedir(dir);
}

static struct csign_state
state_now(void)
{
	struct csign_state state = {0};

	ask(csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &state, &host.ctx->why) == CSIGN_OK,
	    "the state cannot be read");
	return state;
}

static bool
is_listed(const char *device)
{
	struct csign_device_list list = {NULL, 0};
	enum csign_err r = csign_devices_read(host.ctx->crypto,
	    host.ctx->settings.state_dir, &host.account, &list, &host.ctx->why);
	bool listed = false;

	ask(r == CSIGN_OK || r == CSIGN_E_UNENROLLED,
	    "the devices cannot be read");
	for (size_t i = 0; i < list.n; i++)
		listed = listed || device == NULL ||
			 strcmp(list.items[i].id, device) == 0;
	csign_device_list_clear(&list);
	return listed;
}

static bool
has_record(const char *record)
{
	size_t len = 0;
	char *text = slurp("audit.log", &len);
	bool has = text != NULL && strstr(text, record) != NULL;

	free(text);
	return has;
}

static void
check_store(bool last)
{
	struct csign_state state;

	check_files("state/devices");
	check_files("state/state");
	state = state_now();
	ask(is_listed(NULL) || state.had_device || change->may_look_unenrolled,
	    "the account looks unenrolled");
	ask(!last || change->record == NULL || has_record(change->record),
	    "the record is missing");
}

static void
check_cut(bool last)
{
	enum csign_err r;

	cases++;
	if (change->prepare != NULL || change->record != NULL)
		check_store(last);
	if (change->check != NULL)
		change->check(last);
	if (change->again == NULL || cases % AGAIN_EVERY != 0)
		return;
	r = change->again();
	ask(r == CSIGN_OK || r == change->may_say, "it cannot be made again");
	end_question();
}

static void
run(const struct change *c)
{
	const unsigned long wrongs_before = wrongs;
	unsigned long states = 0;
	enum csign_err r;

	change = c;
	if (c->prepare != NULL)
		c->prepare();
	disk_begin(host.dir);
	r = c->make();
	disk_end();
	if (r != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(host.ctx));
	end_question();
	assert_true(disk_operations() > 3);
	for (uint64_t round = 0; round < ROUNDS; round++)
		states += disk_cuts(
		    MAX_HERE * figures_scale(), SEED + round, check_cut);
	print_message(
	    "# %zu operations, %lu states\n", disk_operations(), states);
	assert_int_equal(wrongs, wrongs_before);
}

/* --- the changes ---------------------------------------------------------- */

static void
id_of(const struct csign_p256 *key, char out[CSIGN_DEVICE_ID_SIZE])
{
	unsigned char point[CSIGN_POINT_LEN];

	csign_p256_point(key, point);
	assert_int_equal(
	    csign_device_id(host.ctx->crypto, point, out), CSIGN_OK);
}

static void
two_devices(void)
{
	set_devices((struct csign_p256 *const[]){host.key, host.other_key}, 2);
	id_of(host.other_key, id);
}

/* A login by the phone with this key. */
static enum csign_err
login_by(const struct csign_p256 *key, const char *choice)
{
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err r = begin_for(host.user, false);

	if (r != CSIGN_OK)
		return r;
	scan(csign_approval_link(host.ap));
	answer(key, choice);
	return csign_approval_wait(host.ap, 0, &verdict);
}

static enum csign_err
login(void)
{
	return login_by(host.key, "approve");
}

static enum csign_err
use(const char *code)
{
	struct csign_request *req = request_for(host.user);
	uint32_t verdict = CSIGN_VERDICT_NONE;
	size_t left = 0;
	enum csign_err r =
	    csign_recovery_use(host.ctx, req, code, &verdict, &left);

	csign_request_free(&req);
	no_grant((verdict == CSIGN_VERDICT_GRANTED) == (r == CSIGN_OK),
	    "a verdict without a yes");
	return r;
}

static void
make_codes(void)
{
	assert_int_equal(
	    csign_recovery_make(host.ctx, host.user, "root", codes), CSIGN_OK);
}

static void
a_login(void **state)
{
	static const struct change c = {.prepare = two_devices,
	    .make = login,
	    .again = login,
	    .record = "\"event\":\"approval\",\"result\":\"granted\""};

	(void)state;
	run(&c);
}

static enum csign_err
deny(void)
{
	enum csign_err r = login_by(host.key, "deny");

	return r == CSIGN_E_DENIED ? CSIGN_OK : r;
}

static void
a_denial(void **state)
{
	static const struct change c = {.prepare = two_devices,
	    .make = deny,
	    .again = login,
	    .record = "\"result\":\"denied\""};

	(void)state;
	run(&c);
}

static void
ringing_devices(void)
{
	host.seal = key_from(77);
	two_devices();
}

/* The file of rings, too; none of its turns may keep the next one out. */
static void
a_login_that_rings(void **state)
{
	static const struct change c = {.prepare = ringing_devices,
	    .make = login,
	    .again = login,
	    .record = "\"event\":\"approval\",\"result\":\"granted\""};

	(void)state;
	run(&c);
}

static void
evidence_kept(void)
{
	char lines[256];

	two_devices();
	(void)snprintf(lines, sizeof(lines),
	    "evidence = yes\nevidence_file = %s/evidence.log\n", host.dir);
	configure(lines);
}

static void
check_evidence(bool last)
{
	size_t len = 0;
	char *text = slurp("evidence.log", &len);

	ask(!last || (text != NULL && len > 500 && text[len - 1] == '\n' &&
			 memchr(text, '\0', len) == NULL),
	    "the evidence is missing");
	free(text);
}

static void
a_login_with_evidence(void **state)
{
	static const struct change c = {.prepare = evidence_kept,
	    .make = login,
	    .check = check_evidence,
	    .again = login,
	    .record = "\"event\":\"approval\",\"result\":\"granted\""};

	(void)state;
	run(&c);
}

static enum csign_err
revoke(void)
{
	char found[CSIGN_DEVICE_ID_SIZE];

	return csign_device_revoke(
	    host.ctx, host.user, id, true, "root", found);
}

static void
check_revoked(bool last)
{
	struct csign_state state = state_now();
	bool listed = is_listed(id);

	ask(!last || (!listed && csign_state_is_gone(&state, id)),
	    "a revoked device is back");
	ask(listed || csign_state_is_gone(&state, id),
	    "a device is missing, and nobody knows why");
	ask(last || cases % AGAIN_EVERY != 1 ||
		(login_by(host.other_key, "approve") == CSIGN_OK) ==
		    (listed && !csign_state_is_gone(&state, id)),
	    "a device that is half revoked");
	end_question();
}

static void
a_revocation(void **state)
{
	static const struct change c = {.prepare = two_devices,
	    .make = revoke,
	    .check = check_revoked,
	    .again = revoke,
	    .may_say = CSIGN_E_NOT_FOUND,
	    .record = "\"event\":\"revoke\",\"result\":\"granted\""};

	(void)state;
	run(&c);
}

static void
one_device(void)
{
	set_devices(&host.key, 1);
	id_of(host.key, id);
}

static void
check_last_revoked(bool last)
{
	struct csign_state state = state_now();

	ask(!last || (!is_listed(id) && csign_state_is_gone(&state, id)),
	    "a revoked device is back");
}

static void
a_revocation_of_the_last(void **state)
{
	static const struct change c = {.prepare = one_device,
	    .make = revoke,
	    .check = check_last_revoked,
	    .again = revoke,
	    .may_say = CSIGN_E_UNENROLLED};

	(void)state;
	run(&c);
}

static enum csign_err
rename_it(void)
{
	char found[CSIGN_DEVICE_ID_SIZE];

	return csign_device_rename(
	    host.ctx, host.user, id, "another name", "root", found);
}

static void
check_renamed(bool last)
{
	size_t len = 0;
	char name[128], *text;

	(void)snprintf(
	    name, sizeof(name), "state/devices/%s", host.account.file);
	text = slurp(name, &len);
	ask(!last || (text != NULL && strstr(text, "another name") != NULL),
	    "the new name is lost");
	ask(is_listed(id), "a device is lost");
	free(text);
}

static void
a_new_name(void **state)
{
	static const struct change c = {.prepare = two_devices,
	    .make = rename_it,
	    .check = check_renamed,
	    .again = rename_it};

	(void)state;
	run(&c);
}

static void
devices_and_codes(void)
{
	two_devices();
	make_codes();
	/* One use, so that the account has a state with everything in it. */
	assert_int_equal(login(), CSIGN_OK);
	end_question();
}

static enum csign_err
deenrol(void)
{
	return csign_user_deenroll(host.ctx, host.user, "root");
}

static void
check_deenrolled(bool last)
{
	struct csign_state state = state_now();

	if (last) {
		ask(!is_listed(NULL), "a device is back");
		ask(csign_state_codes_left(&state) == 0, "codes are back");
	}
	/* Neither may outlive the other in a way that lets somebody in. */
	ask(use(codes[3]) == CSIGN_OK || csign_state_codes_left(&state) == 0,
	    "a code is there and cannot be used");
}

static void
an_end(void **state)
{
	static const struct change c = {.prepare = devices_and_codes,
	    .make = deenrol,
	    .check = check_deenrolled,
	    .again = deenrol,
	    .may_say = CSIGN_E_NOT_FOUND,
	    .may_look_unenrolled = true};

	(void)state;
	run(&c);
}

static enum csign_err
use_first(void)
{
	return use(codes[0]);
}

static void
check_used(bool last)
{
	enum csign_err r = use(codes[0]);

	no_grant(!last || r != CSIGN_OK, "a used code is back");
	ask(r == CSIGN_E_RECOVERY || r == CSIGN_OK, "a code is in between");
	no_grant(use(codes[0]) != CSIGN_OK, "a code counts twice");
	ask(use(codes[1]) == CSIGN_OK, "another code is lost");
}

static void
a_recovery_code(void **state)
{
	static const struct change c = {.prepare = devices_and_codes,
	    .make = use_first,
	    .check = check_used,
	    .again = login,
	    .record = "\"event\":\"recovery\",\"result\":\"granted\""};

	(void)state;
	run(&c);
}

static void
replace_codes(void)
{
	devices_and_codes();
	memcpy(old_codes, codes, sizeof(codes));
}

static enum csign_err
make_new_codes(void)
{
	return csign_recovery_make(host.ctx, host.user, "root", codes);
}

static void
check_new_codes(bool last)
{
	const enum csign_err old = use(old_codes[0]), new = use(codes[0]);

	no_grant(old != CSIGN_OK || new != CSIGN_OK, "old and new codes");
	ask(old == CSIGN_OK || new == CSIGN_OK, "neither old nor new codes");
	ask(!last || new == CSIGN_OK, "the new codes are lost");
}

static void
new_recovery_codes(void **state)
{
	static const struct change c = {.prepare = replace_codes,
	    .make = make_new_codes,
	    .check = check_new_codes,
	    .again = login};

	(void)state;
	run(&c);
}

static void
remove_store(void)
{
	char command[192];

	(void)snprintf(command, sizeof(command), "rm -rf '%s/state'", host.dir);
	assert_int_equal(system(command), 0); /* the name is ours */
	assert_int_equal(
	    csign_store_create(host.ctx->settings.state_dir, &host.ctx->why),
	    CSIGN_OK);
}

static void
lose_everything(void)
{
	devices_and_codes();
	assert_int_equal(use(codes[0]), CSIGN_OK);
	free(backup);
	assert_int_equal(
	    csign_backup_make(host.ctx, &backup, &backup_len), CSIGN_OK);
	remove_store();
}

static enum csign_err
restore(void)
{
	return csign_backup_restore(host.ctx, backup, backup_len,
	    CSIGN_RESTORE_RECOVERY, "root", NULL, NULL);
}

static void
check_restored(bool last)
{
	ask(!last || is_listed(id), "the devices are lost again");
	/* It was used before the backup was made. */
	no_grant(use(codes[0]) != CSIGN_OK, "a used code is back");
}

static void
a_restored_backup(void **state)
{
	static const struct change c = {.prepare = lose_everything,
	    .make = restore,
	    .check = check_restored,
	    .again = restore,
	    .may_look_unenrolled = true};

	(void)state;
	run(&c);
	free(backup);
	backup = NULL;
}

/* All up to the commit, by the phone with other_key; replaces: NULL for none.
 */
static enum csign_err
enrol(const char *replaces)
{
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err r;

	begin_enrolment(NULL);
	answer_enrolment(host.other_key);
	if ((r = csign_enrolment_wait(host.en, 0)) != CSIGN_OK ||
	    (r = csign_enrolment_accept(host.en, true)) != CSIGN_OK ||
	    (replaces != NULL &&
		(r = csign_enrolment_replace(host.en, replaces)) != CSIGN_OK) ||
	    (r = csign_enrolment_test(host.en, NULL, &host.ap)) != CSIGN_OK)
		return r;
	scan(csign_approval_link(host.ap));
	answer(host.other_key, "approve");
	if ((r = csign_approval_wait(host.ap, 0, &verdict)) != CSIGN_OK)
		return r;
	return csign_enrolment_commit(host.en, host.ap);
}

static enum csign_err
enrol_first(void)
{
	return enrol(NULL);
}

static void
nobody_enrolled(void)
{
	remove_store();
	id_of(host.other_key, id);
}

static void
check_enrolled(bool last)
{
	const bool listed = is_listed(id);

	ask(!last || (listed && state_now().had_device),
	    "the new device is lost");
	ask(!listed || cases % AGAIN_EVERY != 1 ||
		login_by(host.other_key, "approve") == CSIGN_OK,
	    "a device is there and cannot be used");
	end_question();
}

static void
a_first_device(void **state)
{
	static const struct change c = {.prepare = nobody_enrolled,
	    .make = enrol_first,
	    .check = check_enrolled,
	    .again = enrol_first,
	    .may_say = CSIGN_E_EXISTS,
	    .record = "\"event\":\"enrolment\",\"result\":\"granted\"",
	    .may_look_unenrolled = true};

	(void)state;
	run(&c);
}

static void
prepare_replacement(void)
{
	set_devices(&host.key, 1);
	id_of(host.key, id);
}

static enum csign_err
enrol_instead(void)
{
	return enrol(id);
}

static void
check_replaced(bool last)
{
	struct csign_state state = state_now();
	char new[CSIGN_DEVICE_ID_SIZE];

	id_of(host.other_key, new);
	ask(is_listed(id) != is_listed(new), "one of the two has to be there");
	ask(!last || (is_listed(new) && csign_state_is_gone(&state, id)),
	    "the old device is back");
}

static void
a_replaced_device(void **state)
{
	static const struct change c = {.prepare = prepare_replacement,
	    .make = enrol_instead,
	    .check = check_replaced};

	(void)state;
	run(&c);
}

/* --- a new host ----------------------------------------------------------- */

static struct csign_ctx *fresh_ctx;

static enum csign_err
init(void)
{
	char path[256], lines[512];

	(void)snprintf(path, sizeof(path), "%s/etc/new.conf", host.dir);
	(void)snprintf(lines, sizeof(lines),
	    "host = web1\nstate_dir = %s/new\naudit_file = %s/log/audit.log\n",
	    host.dir, host.dir);
	return csign_host_init(fresh_ctx, path, "https://approve.example.org",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", lines);
}

static void
check_init(bool last)
{
	char path[256];
	enum csign_err r;

	(void)snprintf(path, sizeof(path), "%s/etc/new.conf", host.dir);
	r = csign_ctx_load(fresh_ctx, path, NULL);
	ask(r == CSIGN_OK || !last, "the configuration is lost");
	if (!last || r != CSIGN_OK)
		return;
	r = csign_host_check(fresh_ctx, path, NULL, NULL);
	ask(r == CSIGN_OK, csign_ctx_why(fresh_ctx));
}

static void
a_new_host(void **state)
{
	static const struct change c = {.make = init,
	    .check = check_init,
	    .again = init,
	    .may_say = CSIGN_E_EXISTS};

	(void)state;
	assert_int_equal(csign_ctx_new(NULL, &fresh_ctx), CSIGN_OK);
	run(&c);
	csign_ctx_free(&fresh_ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_login),
	    CASE(a_denial),
	    CASE(a_login_that_rings),
	    CASE(a_login_with_evidence),
	    CASE(a_recovery_code),
	    CASE(new_recovery_codes),
	    CASE(a_revocation),
	    CASE(a_revocation_of_the_last),
	    CASE(a_new_name),
	    CASE(an_end),
	    CASE(a_restored_backup),
	    CASE(a_first_device),
	    CASE(a_replaced_device),
	    CASE(a_new_host),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	figures_write("power_cut",
	    "power cuts and kills at every step of 14 changes of files",
	    &(struct figures){
		.cases = cases, .grants = grants, .wrong = wrongs - grants},
	    NULL);
	return failed;
}
