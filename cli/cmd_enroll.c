/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign enroll: a new device for a user.  The phone answers the first
 * link; a person compares the ids, because a QR code can be photographed
 * (countersign-security(7) ENR-5); the new device answers a second link
 * (ENR-6); only then is it written.  A user who enrols a further device himself
 * first approves that with one that he has (ENR-1).
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "agent/caller.h"
#include "ask.h"
#include "cmd.h"
#include "question.h"
#include "tty.h"

#define NAME_MAX_LEN 64

struct enroll {
	const char *user;
	bool yes;
	struct question q; /* context, style; the consent to it */
	struct csign_enrolment *en;
	struct csign_approval *test;
};

static uint32_t
enrolment_left(const void *object)
{
	return csign_enrolment_seconds_left(object);
}

static enum csign_err
enrolment_look(void *object)
{
	return csign_enrolment_wait(object, 0);
}

static enum out_status
stopped(void)
{
	out_error("stopped; nothing was enrolled");
	return STATUS_NO;
}

/* Why the phone's answer was of no use, and what could be done about it. */
static enum out_status
refused(const struct enroll *e, enum csign_err err)
{
	enum out_status status;

	if (err == CSIGN_E_INTERRUPTED)
		return stopped();
	status = common_fail(e->q.ctx, err);
	if (err == CSIGN_E_PROOF_KIND)
		out_error("to accept such a device all the same, put "
			  "\"device_kinds = webauthn p256\" into the "
			  "configuration");
	out_error("nothing was enrolled");
	return status;
}

/* The person's comparison; STATUS_YES means that the ids are the same. */
static enum out_status
compare(const struct enroll *e)
{
	const struct csign_device_info *d = csign_enrolment_device(e->en);
	FILE *to = e->q.style.to;
	enum tty_result r;
	bool same = e->yes;
	char id[20];

	out_device_id(d->id, id);
	(void)fprintf(to,
	    "A device has answered:\n\n"
	    "    name  %s\n    kind  %s\n    id    %s\n\n",
	    d->name, d->kind, id);
	if (!e->yes) {
		(void)fprintf(to,
		    "Compare the id with the one on the phone: "
		    "somebody else may have\nphotographed the QR code "
		    "and answered first.\n");
		r = tty_confirm(
		    "Does the phone show the same id?", e->q.stop_fd, &same);
		if (r == TTY_STOPPED)
			return stopped();
		if (r != TTY_OK)
			same = false;
	}
	if (!e->yes)
		(void)fputc('\n', to);
	return same ? STATUS_YES : STATUS_NO;
}

static enum out_status
test_approval(struct enroll *e)
{
	enum csign_err err;

	if ((err = csign_enrolment_test(e->en, NULL, &e->test)) != CSIGN_OK)
		return refused(e, err);
	(void)fprintf(e->q.style.to,
	    "Now a test: approve this question with the new device.  A page "
	    "that is\nstill open shows it by itself.\n");
	err = question_wait(e->test, &e->q.style, e->q.stop_fd);
	return err == CSIGN_OK ? STATUS_YES : refused(e, err);
}

/* From the link to the id that a person confirmed. */
static enum out_status
answer(const struct enroll *e)
{
	const struct ask ask = {.object = e->en,
	    .link = csign_enrolment_link(e->en),
	    .code = "",
	    .note = "",
	    .rings = -1,
	    .fd = csign_enrolment_fd(e->en),
	    .seconds_left = enrolment_left,
	    .look = enrolment_look};
	enum out_status status;
	enum csign_err err;

	(void)fprintf(e->q.style.to,
	    "Enrolling a device for %s.  Scan this with the phone, or "
	    "open the\nlink on it:\n",
	    e->user);
	if ((err = ask_phone(&ask, &e->q.style, e->q.stop_fd)) != CSIGN_OK)
		return refused(e, err);
	status = compare(e);
	err = csign_enrolment_accept(e->en, status == STATUS_YES);
	if (status != STATUS_YES) {
		out_error("the id was not confirmed; nothing was enrolled");
		return status;
	}
	return err == CSIGN_OK ? STATUS_YES : refused(e, err);
}

/* The device as it was written. */
static void
print_json(const struct enroll *e, const struct csign_device_info *d)
{
	struct json_object *o = json_object_new_object();

	(void)out_json_str(o, "user", e->user);
	(void)out_json_str(o, "id", d->id);
	(void)out_json_str(o, "kind", d->kind);
	(void)out_json_str(o, "name", d->name);
	(void)out_json_str(o, "added", d->added);
	(void)out_json_str(o, "by", d->by);
	(void)out_json_str(o, "rp", d->rp[0] != '\0' ? d->rp : NULL);
	(void)out_json_bool(o, "synced", d->synced);
	(void)out_json_bool(o, "tested", true);
	out_json_print(o);
}

static enum out_status
consent(struct enroll *e, const char *name)
{
	char title[CALLER_NAME_MAX + 64];

	(void)snprintf(title, sizeof title, "Add a device to %s", e->user);
	return question_consent(
	    &e->q, title, name == NULL ? NULL : "Name", name);
}

static enum out_status
run(struct enroll *e, const char *name, bool json)
{
	const struct csign_device_info *device; /* as long as the enrolment */
	char by[COMMON_BY_SIZE];
	enum out_status status;
	enum csign_err err;

	if (!question_stoppable(&e->q))
		return STATUS_TROUBLE;
	common_by(by);
	err = csign_enrolment_begin(e->q.ctx, e->user, by, name, &e->en);
	/* Is there room for one more?  Before anybody scans anything. */
	if (err == CSIGN_OK)
		err = csign_enrolment_wait(e->en, 0);
	if (err != CSIGN_E_AGAIN)
		return common_fail(e->q.ctx, err);
	if ((status = answer(e)) != STATUS_YES ||
	    (status = test_approval(e)) != STATUS_YES)
		return status;
	device = csign_enrolment_device(e->en);
	(void)fprintf(e->q.style.to, "The test was approved.\n");
	(void)fflush(e->q.style.to);
	if ((status = question_stands(&e->q)) != STATUS_YES)
		return status;
	if ((err = csign_enrolment_commit(e->en, e->test)) != CSIGN_OK)
		return refused(e, err);
	if (json)
		print_json(e, device);
	else
		(void)printf("Enrolled: %s may now approve for %s.\n",
		    device->name, e->user);
	return STATUS_YES;
}

enum out_status
cmd_enroll(const struct args *args)
{
	struct enroll e = {
	    .user = args->operand[0], .yes = args_flag(args, OPT_YES)};
	const char *name = args->option[OPT_NAME];
	enum out_status status;

	if (name != NULL && strlen(name) > NAME_MAX_LEN) {
		out_error("a device's name has at most %d bytes", NAME_MAX_LEN);
		return STATUS_USAGE;
	}
	if (!e.yes && !tty_can_ask()) {
		out_error("there is no terminal to compare the device's id on; "
			  "--yes is for scripts that compare it otherwise");
		return STATUS_USAGE;
	}
	if ((status = question_open(&e.q, args, e.user)) == STATUS_YES &&
	    (status = consent(&e, name)) == STATUS_YES)
		status = run(&e, name, args_flag(args, OPT_JSON));
	csign_enrolment_free(&e.en); /* cancels what is still open */
	csign_approval_free(&e.test);
	question_close(&e.q);
	return status;
}
