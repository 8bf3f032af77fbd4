/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone backup and restore: all that this phone is, moved to
 * another machine in one encrypted file.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../save.h"
#include "backup.h"
#include "cmd.h"

static const char *
plural(size_t n)
{
	return n == 1 ? "enrolment" : "enrolments";
}

/* --- backup ----------------------------------------------------------------
 */

static enum csign_err
copy_all(struct phone *phone, struct store_copy **ret_copies, size_t *ret_n)
{
	struct store_entry *entries = NULL;
	struct store_copy *copies = NULL;
	enum csign_err r;
	size_t n = 0, done = 0;

	if ((r = store_list(phone->store, &phone->why, &entries, &n)) !=
	    CSIGN_OK)
		return r;
	if ((copies = calloc(n + 1, sizeof *copies)) == NULL)
		r = CSIGN_E_NOMEM;
	while (r == CSIGN_OK && done < n) {
		r = store_copy_read(
		    phone->store, entries[done].id, &phone->why, &copies[done]);
		done += r == CSIGN_OK;
	}
	free(entries);
	if (r != CSIGN_OK) {
		store_copies_free(&copies, done);
		return r;
	}
	*ret_copies = copies;
	*ret_n = n;
	return CSIGN_OK;
}

static enum out_status
save(struct phone *phone, const struct store_copy *copies, size_t n)
{
	const char *path = phone->args->operand[0];
	struct csign_secret *passphrase = NULL;
	struct csign_buf *bytes = NULL;
	enum out_status status;
	enum csign_err r;

	if ((status = phone_passphrase(phone, "New passphrase of the backup",
		 true, &passphrase)) != STATUS_YES)
		return status;
	r = backup_seal(phone->crypto, copies, n,
	    (const char *)csign_secret_data(passphrase), &bytes);
	csign_secret_free(&passphrase);
	if (r != CSIGN_OK)
		return phone_fail(phone, r);
	status = save_file(path, csign_buf_str(bytes), csign_buf_len(bytes),
	    args_flag(phone->args, OPT_FORCE));
	csign_buf_free(&bytes);
	if (status == STATUS_YES && strcmp(path, "-") != 0)
		(void)printf("Saved %zu %s.\n", n, plural(n));
	return status;
}

enum out_status
cmd_backup(const struct args *args)
{
	struct store_copy *copies = NULL;
	enum out_status status;
	struct phone phone;
	enum csign_err r;
	size_t n = 0;

	if ((status = phone_open(&phone, args)) != STATUS_YES)
		return status;
	if ((r = copy_all(&phone, &copies, &n)) != CSIGN_OK) {
		(void)phone_fail(&phone, r);
		status = STATUS_TROUBLE;
	} else if (n == 0) {
		out_error("this phone has enrolled for nobody yet");
		status = STATUS_NO;
	} else {
		status = save(&phone, copies, n);
	}
	store_copies_free(&copies, n);
	phone_close(&phone);
	return status;
}

/* --- restore ---------------------------------------------------------------
 */

/* What is there stays there, or nothing is restored at all. */
static enum out_status
put_back(struct phone *phone, struct store_copy *copies, size_t n)
{
	enum csign_err r;
	char id[20];

	if (store_copies_find(phone->store, copies, n) > 0 &&
	    !args_flag(phone->args, OPT_FORCE)) {
		for (size_t i = 0; i < n; i++) {
			if (!copies[i].there)
				continue;
			out_device_id(copies[i].entry.id, id);
			out_error("%s is on this phone already", id);
		}
		out_error("nothing was restored; --force replaces what is "
			  "there");
		return STATUS_NO;
	}
	r = store_copies_write(phone->store, copies, n, &phone->why);
	if (r != CSIGN_OK) {
		(void)phone_fail(phone, r);
		return STATUS_TROUBLE;
	}
	return STATUS_YES;
}

static enum out_status
restore(struct phone *phone, const char *bytes, size_t len)
{
	struct csign_secret *passphrase = NULL;
	struct store_copy *copies = NULL;
	enum out_status status;
	enum csign_err r;
	size_t n = 0;

	if ((status = phone_passphrase(phone, "Passphrase of the backup", false,
		 &passphrase)) != STATUS_YES)
		return status;
	r = backup_open(phone->crypto, bytes, len,
	    (const char *)csign_secret_data(passphrase), &phone->why, &copies,
	    &n);
	csign_secret_free(&passphrase);
	if (r != CSIGN_OK) {
		(void)phone_fail(phone, r);
		return STATUS_TROUBLE;
	}
	if ((status = put_back(phone, copies, n)) == STATUS_YES)
		(void)printf("Restored %zu %s.\n", n, plural(n));
	store_copies_free(&copies, n);
	return status;
}

enum out_status
cmd_restore(const struct args *args)
{
	enum out_status status;
	struct phone phone;
	char *bytes = NULL;
	size_t len = 0;

	status = save_load(args->operand[0], BACKUP_MAX, &bytes, &len);
	if (status == STATUS_NO)
		status = STATUS_TROUBLE;
	if (status != STATUS_YES)
		return status;
	if ((status = phone_open(&phone, args)) == STATUS_YES) {
		status = restore(&phone, bytes, len);
		phone_close(&phone);
	}
	free(bytes);
	return status;
}
