/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign enroll: a new device for a user.  The phone answers the first
 * link; a person compares the ids, because a QR code can be photographed
 * (countersign-security(7) ENR-5); the new device answers a second link
 * (ENR-6); only then is it written.
 */
#include "config.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "cmd.h"
#include "process.h"
#include "tty.h"

#define NAME_MAX_LEN 64

#define WHO_SIZE 64

struct enroll {
	const char *user;
	bool yes;
	struct ask_style style;
	int stop_fd;
	struct csign_ctx *ctx;
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

static uint32_t
approval_left(const void *object)
{
	return csign_approval_seconds_left(object);
}

static enum csign_err
approval_look(void *object)
{
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err err = csign_approval_wait(object, 0, &verdict);

	if (err == CSIGN_OK && verdict != CSIGN_VERDICT_GRANTED)
		return CSIGN_E_DENIED;
	return err;
}

/* Of the login session, by the kernel's record, else of the process. */
static uid_t
login_uid(void)
{
	char text[16] = "";
	uid_t uid = getuid();
	unsigned long value;
	char *end;
	ssize_t n;
	int fd;

	fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return uid;
	n = read(fd, text, sizeof text - 1);
	if (n > 0 && text[0] >= '0' && text[0] <= '9') {
		value = strtoul(text, &end, 10);
		if (*end == '\0' && value < (uid_t)-1)
			uid = (uid_t)value;
	}
	(void)close(fd);
	return uid;
}

/* Who enrols, for the record of the device. */
static void
who_enrols(char name[WHO_SIZE])
{
	struct passwd entry, *found = NULL;
	char buf[4096];
	uid_t uid = login_uid();

	if (getpwuid_r(uid, &entry, buf, sizeof buf, &found) != 0 ||
	    found == NULL || strlen(found->pw_name) >= WHO_SIZE)
		(void)snprintf(name, WHO_SIZE, "uid%u", uid);
	else
		(void)snprintf(name, WHO_SIZE, "%s", found->pw_name);
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
	status = common_fail(e->ctx, err);
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
	enum tty_result r;
	bool same = e->yes;
	char id[20];

	out_device_id(d->id, id);
	(void)printf("A device has answered:\n\n"
		     "    name  %s\n    kind  %s\n    id    %s\n\n",
	    d->name, d->kind, id);
	if (!e->yes) {
		(void)printf("Compare the id with the one on the phone: "
			     "somebody else may have\nphotographed the QR code "
			     "and answered first.\n");
		r = tty_confirm(
		    "Does the phone show the same id?", e->stop_fd, &same);
		if (r == TTY_STOPPED)
			return stopped();
		if (r != TTY_OK)
			same = false;
	}
	if (!e->yes)
		(void)putchar('\n');
	return same ? STATUS_YES : STATUS_NO;
}

static enum out_status
test_approval(struct enroll *e)
{
	struct ask ask;
	enum csign_err err;

	if ((err = csign_enrolment_test(e->en, NULL, &e->test)) != CSIGN_OK)
		return refused(e, err);
	(void)printf(
	    "Now a test: approve this question with the new device.  A page "
	    "that is\nstill open shows it by itself.\n");
	ask = (struct ask){.object = e->test,
	    .link = csign_approval_link(e->test),
	    .fd = csign_approval_fd(e->test),
	    .seconds_left = approval_left,
	    .look = approval_look};
	err = ask_phone(&ask, &e->style, e->stop_fd);
	return err == CSIGN_OK ? STATUS_YES : refused(e, err);
}

/* From the link to the id that a person confirmed. */
static enum out_status
answer(const struct enroll *e)
{
	const struct ask ask = {.object = e->en,
	    .link = csign_enrolment_link(e->en),
	    .fd = csign_enrolment_fd(e->en),
	    .seconds_left = enrolment_left,
	    .look = enrolment_look};
	enum out_status status;
	enum csign_err err;

	(void)printf("Enrolling a device for %s.  Scan this with the phone, or "
		     "open the\nlink on it:\n",
	    e->user);
	if ((err = ask_phone(&ask, &e->style, e->stop_fd)) != CSIGN_OK)
		return refused(e, err);
	status = compare(e);
	err = csign_enrolment_accept(e->en, status == STATUS_YES);
	if (status != STATUS_YES) {
		out_error("the id was not confirmed; nothing was enrolled");
		return status;
	}
	return err == CSIGN_OK ? STATUS_YES : refused(e, err);
}

static enum out_status
run(struct enroll *e, const char *name)
{
	const char *device; /* as long as the enrolment */
	char by[WHO_SIZE];
	enum out_status status;
	enum csign_err err;

	who_enrols(by);
	err = csign_enrolment_begin(e->ctx, e->user, by, name, &e->en);
	if (err != CSIGN_OK)
		return common_fail(e->ctx, err);
	if ((status = answer(e)) != STATUS_YES ||
	    (status = test_approval(e)) != STATUS_YES)
		return status;
	device = csign_enrolment_device(e->en)->name;
	(void)printf("The test was approved.\n");
	if ((err = csign_enrolment_commit(e->en, e->test)) != CSIGN_OK)
		return refused(e, err);
	(void)printf("Enrolled: %s may now approve for %s.\n", device, e->user);
	return STATUS_YES;
}

enum out_status
cmd_enroll(const struct args *args)
{
	struct enroll e = {.user = args->operand[0],
	    .yes = args_flag(args, OPT_YES),
	    .stop_fd = -1};
	enum out_status status;
	enum csign_err err;

	if (args->option[OPT_NAME] != NULL &&
	    strlen(args->option[OPT_NAME]) > NAME_MAX_LEN) {
		out_error("a device's name has at most %d bytes", NAME_MAX_LEN);
		return STATUS_USAGE;
	}
	if (!e.yes && !tty_can_ask()) {
		out_error("there is no terminal to compare the device's id on; "
			  "--yes is for scripts that compare it otherwise");
		return STATUS_USAGE;
	}
	if ((err = common_context(args, &e.ctx)) != CSIGN_OK)
		return out_status(err);
	if (!ask_style(args, e.ctx, &e.style))
		status = STATUS_USAGE;
	else if (!process_stop_fd(&e.stop_fd)) {
		out_error("no handler for signals: %m");
		status = STATUS_TROUBLE;
	} else {
		status = run(&e, args->option[OPT_NAME]);
	}
	csign_enrolment_free(&e.en); /* cancels what is still open */
	csign_approval_free(&e.test);
	csign_ctx_free(&e.ctx);
	return status;
}
