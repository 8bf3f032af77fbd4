/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign deenroll: everything that this host and the service know. */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
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

/* May be repeated: what is gone stays gone. */
static enum out_status
deenroll(struct csign_ctx *ctx, const char *user)
{
	enum csign_err err;
	char what[320];

	if ((err = csign_user_deenroll(ctx, user, "root")) != CSIGN_OK)
		return common_fail(ctx, err);
	(void)printf("No device can approve for %s any more.\n", user);
	err = csign_service_remove_user(ctx, user);
	if (err == CSIGN_OK) {
		(void)printf("The service has forgotten %s.\n", user);
	} else if (err != CSIGN_E_NOT_FOUND) {
		(void)snprintf(
		    what, sizeof what, "countersign deenroll %s", user);
		common_service_left(ctx, err, what);
	}
	return STATUS_YES;
}

enum out_status
cmd_deenroll(const struct args *args)
{
	struct csign_ctx *ctx = NULL;
	enum out_status status = STATUS_YES;
	enum csign_err err;

	if (!args_flag(args, OPT_YES))
		status = confirm(args->operand[0]);
	if (status != STATUS_YES)
		return status;
	if ((err = common_context(args, &ctx)) != CSIGN_OK)
		return out_status(err);
	status = deenroll(ctx, args->operand[0]);
	csign_ctx_free(&ctx);
	return status;
}
