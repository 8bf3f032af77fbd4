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
#include "power_cut.h"

#define MAX_HERE 200 /* states after one operation; more with ATTACK_SCALE */
#define ROUNDS 4     /* each with other rubbish, and other cuts */
#define SEED 20261122
#define AGAIN_EVERY 5 /* in so many states the change is made once more */

static const struct change *changes[] = {
    &a_login,
    &a_denial,
    &a_login_that_rings,
    &a_login_with_evidence,
    &a_recovery_code,
    &new_recovery_codes,
    &a_revocation,
    &a_revocation_of_the_last,
    &a_new_name,
    &an_end,
    &a_restored_backup,
    &a_first_device,
    &a_replaced_device,
    &a_new_host,
};
#define CHANGES (sizeof(changes) / sizeof(changes[0]))

static const struct change *change; /* that is cut now */
static unsigned long cases, wrongs;
static unsigned long grants; /* of the wrongs */

/* --- for the changes' own checks ------------------------------------------ */

static void
wrong(const char *what)
{
	if (wrongs++ < 20)
		print_message(
		    "# %s: %s; %s\n", what, disk_story(), host.ctx->why.text);
}

void
ask(bool right, const char *what)
{
	if (!right)
		wrong(what);
}

void
no_grant(bool right, const char *what)
{
	grants += !right;
	ask(right, what);
}

bool
now_and_then(void)
{
	return cases % AGAIN_EVERY == 1;
}

char *
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

struct csign_state
state_now(void)
{
	struct csign_state state = {0};

	ask(csign_state_peek(host.ctx->crypto, host.ctx->settings.state_dir,
		&host.account, &state, &host.ctx->why) == CSIGN_OK,
	    "the state cannot be read");
	return state;
}

bool
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

/* --- what holds in every state -------------------------------------------- */

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
	if (!change->elsewhere)
		check_store(last);
	if (change->check != NULL)
		change->check(last);
	if (change->again == NULL || cases % AGAIN_EVERY != 0)
		return;
	r = change->again();
	ask(r == CSIGN_OK || r == change->may_say, "it cannot be made again");
	end_question();
}

/* --- the cuts ------------------------------------------------------------- */

/* *state: where the change stands in the table. */
static void
run(void **state)
{
	const unsigned long wrongs_before = wrongs;
	unsigned long states = 0;
	enum csign_err r;

	change = *(const struct change **)*state;
	if (change->prepare != NULL)
		change->prepare();
	disk_begin(host.dir);
	r = change->make();
	disk_end();
	if (r != CSIGN_OK)
		fail_msg("%s", csign_ctx_why(host.ctx));
	end_question();
	assert_true(disk_operations() > 3);
	for (uint64_t round = 0; round < ROUNDS; round++)
		states += disk_cuts(
		    MAX_HERE * figures_scale(), SEED + round, check_cut);
	if (change->clean != NULL)
		change->clean();
	print_message(
	    "# %zu operations, %lu states\n", disk_operations(), states);
	assert_int_equal(wrongs, wrongs_before);
}

int
main(void)
{
	struct CMUnitTest tests[CHANGES];
	char what[96];
	int failed;

	for (size_t i = 0; i < CHANGES; i++) {
		tests[i] = (struct CMUnitTest)CASE(run);
		tests[i].name = changes[i]->name;
		tests[i].initial_state = &changes[i];
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)snprintf(what, sizeof(what),
	    "power cuts and kills at every step of %zu changes of files",
	    CHANGES);
	figures_write("power_cut", what,
	    &(struct figures){
		.cases = cases, .grants = grants, .wrong = wrongs - grants},
	    NULL);
	return failed;
}
