/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign restore: devices and state from a backup.  What may come back is
 * the library's decision (countersign-devices(5)); here it is told.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "save.h"

#define BACKUP_MAX ((size_t)64 * 1024 * 1024)

struct report {
	struct json_object *array; /* with --json, else NULL */
	size_t n;
};

static void
report(void *arg, const char *line)
{
	struct report *to = arg;

	if (to->array != NULL)
		(void)json_object_array_add(
		    to->array, json_object_new_string(line));
	else
		(void)printf("%s\n", line);
	to->n++;
}

static void
print_json(struct json_object *lines, bool dry)
{
	struct json_object *o = json_object_new_object();

	(void)out_json_bool(o, "dryRun", dry);
	(void)out_json_add(o, "accounts", lines);
	out_json_print(o);
}

static enum out_status
restore(struct csign_ctx *ctx, const struct args *args, const char *text,
    size_t len)
{
	bool dry = args_flag(args, OPT_DRY_RUN);
	struct report lines = {NULL, 0};
	char by[COMMON_BY_SIZE];
	unsigned int flags = 0;
	enum csign_err err;

	if (args_flag(args, OPT_JSON) &&
	    (lines.array = json_object_new_array()) == NULL) {
		out_error("out of memory");
		return STATUS_TROUBLE;
	}
	if (dry)
		flags |= CSIGN_RESTORE_DRY_RUN;
	if (args_flag(args, OPT_WITH_RECOVERY))
		flags |= CSIGN_RESTORE_RECOVERY;
	common_by(by);
	err = csign_backup_restore(ctx, text, len, flags, by, report, &lines);
	if (err != CSIGN_OK) {
		json_object_put(lines.array);
		return common_fail(ctx, err);
	}
	if (lines.array != NULL) {
		print_json(lines.array, dry);
		return STATUS_YES;
	}
	if (lines.n == 0)
		(void)printf("There is no account in it.\n");
	if (dry)
		(void)printf("Nothing was changed.\n");
	return STATUS_YES;
}

enum out_status
cmd_restore(const struct args *args)
{
	struct csign_ctx *ctx = NULL;
	enum out_status status;
	enum csign_err err;
	char *text = NULL;
	size_t len = 0;

	status = save_load(args->operand[0], BACKUP_MAX, &text, &len);
	if (status != STATUS_YES)
		return status;
	if ((err = common_context(args, &ctx)) != CSIGN_OK) {
		status = out_status(err);
	} else {
		status = restore(ctx, args, text, len);
		csign_ctx_free(&ctx);
	}
	free(text);
	return status;
}
