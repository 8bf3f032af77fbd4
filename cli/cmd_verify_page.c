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

#define LIST_FILE CSIGN_DATADIR "/page.sha256"
#define HASH_LEN 64
#define NAME_MAX_LEN 48

struct check {
	struct csign_ctx *ctx;
	const char *url;
	const char *list;          /* path */
	struct json_object *array; /* is there: --json */
	size_t n, n_wrong;
};

/* The two columns of sha256sum(1); false if the line is not that. */
static bool
split(char *line, char **ret_name)
{
	size_t len = strcspn(line, "\n");

	line[len] = '\0';
	if (strspn(line, "0123456789abcdef") != HASH_LEN ||
	    strncmp(line + HASH_LEN, "  ", 2) != 0 || len <= HASH_LEN + 2 ||
	    len > HASH_LEN + 2 + NAME_MAX_LEN)
		return false;
	line[HASH_LEN] = '\0';
	*ret_name = line + HASH_LEN + 2;
	return true;
}

static void
report(struct check *check, const char *name, enum csign_err err)
{
	const char *why = err == CSIGN_OK ? NULL : csign_ctx_why(check->ctx);
	struct json_object *o;

	check->n++;
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

/* Only what makes no difference between files ends the comparison. */
static enum csign_err
check_file(struct check *check, const char *name, const char *sha256)
{
	char path[HASH_LEN + NAME_MAX_LEN];
	enum csign_err err;

	(void)snprintf(path, sizeof path, "/%s",
	    strcmp(name, "index.html") == 0 ? "" : name);
	err = csign_page_verify(check->ctx, check->url, path, sha256);
	if (err == CSIGN_OK || err == CSIGN_E_FORMAT ||
	    err == CSIGN_E_NOT_FOUND) {
		report(check, name, err);
		return CSIGN_OK;
	}
	return err;
}

static enum out_status
check_lines(struct check *check, FILE *file)
{
	char line[HASH_LEN + NAME_MAX_LEN + 8], *name;
	enum csign_err err;

	while (fgets(line, sizeof line, file) != NULL) {
		if (!split(line, &name)) {
			out_error("%s is no list of SHA-256 sums", check->list);
			return STATUS_TROUBLE;
		}
		if ((err = check_file(check, name, line)) != CSIGN_OK)
			return common_fail(check->ctx, err) == STATUS_USAGE
				   ? STATUS_USAGE
				   : STATUS_TROUBLE;
	}
	if (ferror(file) || check->n == 0) {
		out_error("%s could not be read", check->list);
		return STATUS_TROUBLE;
	}
	return check->n_wrong == 0 ? STATUS_YES : STATUS_NO;
}

static enum out_status
check_list(struct check *check)
{
	enum out_status status;
	FILE *file;

	if ((file = fopen(check->list, "re")) == NULL) {
		out_error("%s: %s", check->list, "it cannot be opened");
		return STATUS_TROUBLE;
	}
	status = check_lines(check, file);
	(void)fclose(file);
	return status;
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
		check.list = LIST_FILE;
	if (args_flag(args, OPT_JSON))
		check.array = json_object_new_array();
	status = check_list(&check);
	if (status == STATUS_YES || status == STATUS_NO)
		print(&check);
	json_object_put(check.array);
	csign_ctx_free(&check.ctx);
	return status;
}
