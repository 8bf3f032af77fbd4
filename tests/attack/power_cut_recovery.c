/* SPDX-License-Identifier: BSD-2-Clause */
/* Power cuts: recovery codes, and a backup that is restored. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "played.h"
#include "power_cut.h"

static char old_codes[CSIGN_RECOVERY_CODES][CSIGN_RECOVERY_SIZE];
static char *backup;
static size_t backup_len;

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

const struct change a_recovery_code = {.name = "a_recovery_code",
    .prepare = devices_and_codes,
    .make = use_first,
    .check = check_used,
    .again = login,
    .record = "\"event\":\"recovery\",\"result\":\"granted\""};

static void
keep_old_codes(void)
{
	devices_and_codes();
	memcpy(old_codes, codes, sizeof(codes));
}

static void
check_new_codes(bool last)
{
	const enum csign_err old = use(old_codes[0]), new = use(codes[0]);

	no_grant(old != CSIGN_OK || new != CSIGN_OK, "old and new codes");
	ask(old == CSIGN_OK || new == CSIGN_OK, "neither old nor new codes");
	ask(!last || new == CSIGN_OK, "the new codes are lost");
}

const struct change new_recovery_codes = {.name = "new_recovery_codes",
    .prepare = keep_old_codes,
    .make = make_codes,
    .check = check_new_codes,
    .again = login};

static void
lose_everything(void)
{
	devices_and_codes();
	assert_int_equal(use(codes[0]), CSIGN_OK);
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
free_backup(void)
{
	free(backup);
	backup = NULL;
}

const struct change a_restored_backup = {.name = "a_restored_backup",
    .prepare = lose_everything,
    .make = restore,
    .check = check_restored,
    .again = restore,
    .clean = free_backup,
    .may_look_unenrolled = true};
