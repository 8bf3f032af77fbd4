/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign-phone remove: this phone signs that it goes, the service keeps
 * that for the host, and the keys are deleted here.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "../tty.h"
#include "cmd.h"
#include "phone.h"
#include "question.h"
#include "service.h"

static void
show(const char *label, const char *text)
{
	char *safe = question_safe(text);

	(void)printf("    %-7s  %s\n", label, safe != NULL ? safe : "?");
	free(safe);
}

static void
show_entry(const struct store_entry *e)
{
	char id[20];

	out_device_id(e->id, id);
	(void)putchar('\n');
	show("Host", e->host);
	show("Account", e->user);
	show("Name", e->name);
	show("Id", id);
	(void)putchar('\n');
	(void)fflush(stdout);
}

static bool
is_wanted(const struct phone *phone)
{
	bool yes = args_flag(phone->args, OPT_YES);

	if (!yes && tty_confirm("Remove it?", phone->stop_fd, &yes) != TTY_OK)
		yes = false;
	if (!yes)
		out_error("nothing was removed");
	return yes;
}

static enum csign_err
make_note(struct phone *phone, const struct store_entry *e,
    const struct csign_p256 *key, struct csign_buf **ret_note)
{
	struct csign_buf *note = NULL;
	enum csign_err r;
	uint64_t now = 0;

	if ((r = csign_buf_new(CSIGN_REMOVAL_MAX, &note)) == CSIGN_OK &&
	    (r = csign_clock_wall(&now)) == CSIGN_OK)
		r = csign_phone_removal(
		    phone->crypto, e->host, e->user, e->uid, key, now, note);
	if (r == CSIGN_OK)
		*ret_note = note;
	else
		csign_buf_free(&note);
	return r;
}

static enum csign_err
leave_note(struct phone *phone, const struct store_entry *e,
    const struct csign_buf *note)
{
	struct service *service = NULL;
	enum csign_err r;

	if ((r = service_new(e->origin, phone->args->option[OPT_CA_FILE], NULL,
		 phone->stop_fd, &phone->why, &service)) == CSIGN_OK)
		r = service_removal(service, e->cookie, note, &phone->why);
	service_free(&service);
	return r;
}

/* Nothing is forgotten here before the service has the note. */
static enum out_status
tell_host(struct phone *phone, const struct store_entry *e)
{
	struct csign_p256 *key = NULL;
	struct csign_buf *note = NULL;
	enum out_status status;
	enum csign_err r;

	if ((status = phone_key(phone, e->id, &key)) != STATUS_YES)
		return status;
	r = make_note(phone, e, key, &note);
	csign_p256_free(&key);
	if (r == CSIGN_OK)
		r = leave_note(phone, e, note);
	csign_buf_free(&note);
	if (r == CSIGN_OK)
		return STATUS_YES;
	if (r == CSIGN_E_SERVICE_REFUSED) {
		out_error("the service does not know this device (any more); "
			  "revoke it at the host, and --local forgets it here");
		return STATUS_NO;
	}
	(void)phone_fail(phone, r);
	out_error("nothing was removed; try again later");
	return STATUS_TROUBLE;
}

static enum out_status
remove_entry(struct phone *phone, const struct store_entry *e)
{
	bool local = args_flag(phone->args, OPT_LOCAL);
	enum out_status status;

	show_entry(e);
	if (!is_wanted(phone))
		return STATUS_NO;
	if (!local && (status = tell_host(phone, e)) != STATUS_YES)
		return status;
	if (!store_remove(phone->store, e->id)) {
		out_error("it could not be deleted here: %m");
		return STATUS_TROUBLE;
	}
	(void)puts(local ? "Removed here.  The host was not told."
			 : "Removed.  The host forgets this device before its "
			   "next question.");
	return STATUS_YES;
}

enum out_status
cmd_remove(const struct args *args)
{
	struct store_entry entry;
	enum out_status status;
	struct phone phone;
	enum csign_err r;

	if ((status = phone_open(&phone, args)) != STATUS_YES)
		return status;
	r = store_get(phone.store, args->operand[0], &phone.why, &entry);
	if (r == CSIGN_OK)
		status = remove_entry(&phone, &entry);
	else
		status = phone_fail(&phone, r);
	phone_close(&phone);
	return status;
}
