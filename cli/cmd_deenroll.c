/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign deenroll: everything that this host and the service know. */
#include "config.h"

#include <stdio.h>

#include "agent/caller.h"
#include "cmd.h"
#include "question.h"
#include "tty.h"

/* STATUS_YES: go on. */
static enum out_status
confirm(const char *user)
{
	char question[192];
	enum tty_result r;
	bool yes = false;

	(void)snprintf(
	    question, sizeof question, "Remove every device of %s?", user);
	r = tty_confirm(question, -1, &yes);
	if (r == TTY_NONE) {
		out_error("there is no terminal to ask on; --yes does it "
			  "without asking");
		return STATUS_USAGE;
	}
	if (r == TTY_OK && yes)
		return STATUS_YES;
	out_error("nothing was removed");
	return STATUS_NO;
}

static void
print_json(const char *user, enum csign_err service)
{
	struct json_object *o = json_object_new_object();

	(void)out_json_str(o, "user", user);
	(void)out_json_str(o, "host", common_removed(CSIGN_OK));
	(void)out_json_str(o, "service", common_removed(service));
	out_json_print(o);
}

/* May be repeated: what is gone stays gone. */
static enum out_status
deenroll(struct csign_ctx *ctx, const char *user, bool json)
{
	enum csign_err err;
	char what[320], by[COMMON_BY_SIZE];

	common_by(by);
	if ((err = csign_user_deenroll(ctx, user, by)) != CSIGN_OK)
		return common_fail(ctx, err);
	if (!json)
		(void)printf("No device can approve for %s any more.\n", user);
	/* The service cancels what is pending for him, too. */
	err = csign_service_remove_user(ctx, user);
	if (json)
		print_json(user, err);
	else if (err == CSIGN_OK)
		(void)printf("The service has forgotten %s.\n", user);
	if (err != CSIGN_OK && err != CSIGN_E_NOT_FOUND) {
		(void)snprintf(
		    what, sizeof what, "countersign deenroll %s", user);
		common_service_left(ctx, err, what);
	}
	return STATUS_YES;
}

/* By the user himself: a device of his says so. */
static enum out_status
consent(struct question *q, const char *user)
{
	char title[CALLER_NAME_MAX + 64];

	(void)snprintf(title, sizeof title, "Remove every device of %s", user);
	return question_consent(q, title, NULL, NULL);
}

enum out_status
cmd_deenroll(const struct args *args)
{
	const char *user = args->operand[0];
	struct question q;
	enum out_status status = STATUS_YES;

	if (caller_name() == NULL && !args_flag(args, OPT_YES) &&
	    (status = confirm(user)) != STATUS_YES)
		return status;
	if ((status = question_open(&q, args, user)) == STATUS_YES &&
	    (status = consent(&q, user)) == STATUS_YES)
		status = deenroll(q.ctx, user, args_flag(args, OPT_JSON));
	question_close(&q);
	return status;
}
