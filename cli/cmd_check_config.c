/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check-config: what a login would find wrong, before a login
 * depends on it (countersign-security(7) PAM-4).
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"

static void
report(void *arg, const char *finding)
{
	size_t *n = arg;

	(void)printf("%s\n", finding);
	(*n)++;
}

enum out_status
cmd_check_config(const struct args *args)
{
	const char *file = args->operand[0];
	struct csign_ctx *ctx = NULL;
	enum out_status status = STATUS_TROUBLE;
	enum csign_err err;
	char *path = NULL;
	size_t findings = 0;

	if (file != NULL && args_flag(args, OPT_CONFIG)) {
		out_error("check-config: one file, not two");
		return STATUS_USAGE;
	}
	if (file == NULL)
		file = args->option[OPT_CONFIG];
	if (!common_path(file, &path))
		return STATUS_TROUBLE;
	if ((err = csign_ctx_new(NULL, &ctx)) != CSIGN_OK) {
		out_error("%s", csign_err_text(err));
		goto out;
	}
	if (csign_host_check(ctx, path, report, &findings) == CSIGN_OK) {
		(void)printf("No findings.\n");
		status = STATUS_YES;
	} else if (findings == 0) {
		/* never an exit without a reason */
		report(&findings, csign_ctx_why(ctx));
	}
out:
	csign_ctx_free(&ctx);
	free(path);
	return status;
}
