/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check-config: what a login would find wrong, before a login
 * depends on it (countersign-security(7) PAM-4).
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"

struct report {
	struct json_object *array; /* with --json, else NULL */
	size_t n;
};

static void
report(void *arg, const char *finding)
{
	struct report *to = arg;

	if (to->array != NULL)
		(void)json_object_array_add(
		    to->array, json_object_new_string(finding));
	else
		(void)printf("%s\n", finding);
	to->n++;
}

/* Says what there is to say; frees the array. */
static void
finish(struct report *findings)
{
	struct json_object *o;

	if (findings->array == NULL) {
		if (findings->n == 0)
			(void)printf("No findings.\n");
		return;
	}
	o = json_object_new_object();
	(void)out_json_add(o, "findings", findings->array);
	out_json_print(o);
}

enum out_status
cmd_check_config(const struct args *args)
{
	const char *file = args->operand[0];
	struct csign_ctx *ctx = NULL;
	enum out_status status = STATUS_TROUBLE;
	enum csign_err err;
	char *path = NULL;
	struct report findings = {NULL, 0};

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
	if (args_flag(args, OPT_JSON) &&
	    (findings.array = json_object_new_array()) == NULL) {
		out_error("out of memory");
		goto out;
	}
	if (csign_host_check(ctx, path, report, &findings) == CSIGN_OK)
		status = STATUS_YES;
	else if (findings.n == 0) /* never an exit without a reason */
		report(&findings, csign_ctx_why(ctx));
	finish(&findings);
out:
	csign_ctx_free(&ctx);
	free(path);
	return status;
}
