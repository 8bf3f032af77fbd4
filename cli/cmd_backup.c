/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign backup: what this host knows of its users, in one file. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "save.h"

enum out_status
cmd_backup(const struct args *args)
{
	const char *path = args->operand[0];
	struct csign_ctx *ctx = NULL;
	enum out_status status;
	enum csign_err err;
	char *text = NULL;
	size_t len = 0;

	if ((err = common_context(args, &ctx)) != CSIGN_OK)
		return out_status(err);
	if ((err = csign_backup_make(ctx, &text, &len)) != CSIGN_OK) {
		status = common_fail(ctx, err);
	} else {
		status = save_file(path, text, len, args_flag(args, OPT_FORCE));
		if (status == STATUS_YES && strcmp(path, "-") != 0)
			(void)printf("Saved to %s.\n", path);
	}
	free(text);
	csign_ctx_free(&ctx);
	return status;
}
