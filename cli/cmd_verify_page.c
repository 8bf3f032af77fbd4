/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign verify-page: whoever serves the phone's page could show one
 * question and have another one signed (countersign-security(7)), so the page
 * that a server delivers is compared with the installed release.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "page_list.h"

struct check {
	struct csign_ctx *ctx;
	const char *url;
	const char *list;          /* path */
	struct json_object *array; /* is there: --json */
	size_t n_wrong;
};

static void
report(void *arg, const char *name, enum csign_err err)
{
	struct check *check = arg;
	const char *why = err == CSIGN_OK ? NULL : csign_ctx_why(check->ctx);
	struct json_object *o;

	if (err != CSIGN_OK)
		check->n_wrong++;
	if (check->array == NULL) {
		(void)printf("%s: %s\n", name, why == NULL ? "same" : why);
		return;
	}
	o = json_object_new_object();
	if (!out_json_str(o, "name", name) ||
	    !out_json_bool(o, "same", err == CSIGN_OK) ||
	    !out_json_str(o, "reason", why) ||
	    json_object_array_add(check->array, o) != 0)
		json_object_put(o);
}

static enum out_status
check_list(struct check *check)
{
	enum csign_err err = CSIGN_OK;

	switch (page_list_compare(
	    check->ctx, check->url, check->list, report, check, &err)) {
	case PAGE_LIST_OK:
		return check->n_wrong == 0 ? STATUS_YES : STATUS_NO;
	case PAGE_LIST_MISSING:
		out_error("%s: it cannot be opened", check->list);
		break;
	case PAGE_LIST_BAD:
		out_error("%s is no list of SHA-256 sums", check->list);
		break;
	case PAGE_LIST_STOPPED:
		if (common_fail(check->ctx, err) == STATUS_USAGE)
			return STATUS_USAGE;
		break;
	}
	return STATUS_TROUBLE;
}

static void
print(struct check *check)
{
	struct json_object *o;

	if (check->array == NULL) {
		if (check->n_wrong == 0)
			(void)printf("The page at %s is the installed "
				     "release's.\n",
			    check->url);
		else
			(void)printf("The page at %s is NOT the installed "
				     "release's.\n",
			    check->url);
		return;
	}
	o = json_object_new_object();
	(void)out_json_str(o, "url", check->url);
	(void)out_json_bool(o, "same", check->n_wrong == 0);
	(void)out_json_add(o, "files", check->array);
	check->array = NULL;
	out_json_print(o);
}

enum out_status
cmd_verify_page(const struct args *args)
{
	struct check check = {
	    .url = args->operand[0], .list = args->option[OPT_LIST]};
	enum out_status status;
	enum csign_err err;

	if ((err = common_context(args, &check.ctx)) != CSIGN_OK)
		return out_status(err);
	if (check.url == NULL)
		check.url = csign_ctx_setting(check.ctx, "page_url");
	if (check.list == NULL)
		check.list = PAGE_LIST_FILE;
	if (args_flag(args, OPT_JSON))
		check.array = json_object_new_array();
	status = check_list(&check);
	if (status == STATUS_YES || status == STATUS_NO)
		print(&check);
	json_object_put(check.array);
	csign_ctx_free(&check.ctx);
	return status;
}
