/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: what could lock somebody out, or let somebody in, before
 * it does.  It reads, and changes nothing.
 */
#include "config.h"

#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "cmd.h"
#include "page_list.h"
#include "root.h"

static void
clear(struct check *c)
{
	for (size_t i = 0; i < c->n_services; i++) {
		pam_judgement_free(&c->service[i].ways);
		pam_stack_free(&c->service[i].stack);
	}
	free(c->service);
	free(c->people.item);
	csign_ctx_free(&c->section);
	csign_ctx_free(&c->ctx);
	check_report_free(&c->report);
}

/*
 * --root makes the tree this process's own, so that no path and no link leads
 * out of it.  Accounts then come from its files alone: its nsswitch.conf could
 * name libraries, and nothing of a tree is run.
 */
static bool
enter(const char *root)
{
	static const char *const databases[] = {
	    "passwd", "group", "shadow", "initgroups"};

	for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++)
		if (__nss_configure_lookup(databases[i], "files") != 0) {
			out_error("--root: accounts cannot be read");
			return false;
		}
	if (chroot(root) != 0 || chdir("/") != 0) {
		out_error("--root: %s: %m", root);
		return false;
	}
	return true;
}

static void
probe(struct check *c)
{
	if (c->root != NULL)
		check_find(c->report, FIND_TREE, NULL, c->root, NULL,
		    "These are the files of another host: its programs, its "
		    "service, its clock and the phone's page were not asked.");
	check_config(c);
	check_files(c);
	check_pam(c);
	check_sudo(c);
	check_sshd(c);
	check_accounts(c);
	check_recovery(c);
	if (c->root == NULL) {
		check_service_there(c);
		check_page(c);
	}
}

static enum out_status
tell(const struct check *c, bool json)
{
	struct json_object *o;

	if (check_report_broken(c->report)) {
		out_error("%s", csign_err_text(CSIGN_E_NOMEM));
		return STATUS_TROUBLE;
	}
	if (!json) {
		check_report_print(c->report);
	} else if ((o = check_report_json(c->report, c->root)) != NULL) {
		out_json_print(o);
	} else {
		out_error("%s", csign_err_text(CSIGN_E_NOMEM));
		return STATUS_TROUBLE;
	}
	if (check_count(c->report, SEVERITY_ERROR) > 0)
		return STATUS_TROUBLE;
	return check_count(c->report, SEVERITY_WARNING) > 0 ? STATUS_NO
							    : STATUS_YES;
}

enum out_status
cmd_check(const struct args *args)
{
	enum out_status status = STATUS_TROUBLE;
	struct check c = {0};
	char *path = NULL, *root = NULL;

	if (geteuid() != 0) {
		out_error("check: only root can read what has to be read");
		return STATUS_TROUBLE;
	}
	if (!common_path(args->option[OPT_CONFIG], &path) ||
	    !root_option(args->option[OPT_ROOT], &root))
		goto out;
	c.config = path;
	c.page_list = args->option[OPT_LIST];
	if (c.page_list == NULL)
		c.page_list = PAGE_LIST_FILE;
	if (strcmp(root, "/") != 0)
		c.root = root;
	if (c.root != NULL && !enter(c.root))
		goto out;
	if ((c.report = check_report_new()) == NULL ||
	    csign_ctx_new(NULL, &c.ctx) != CSIGN_OK ||
	    csign_ctx_new(NULL, &c.section) != CSIGN_OK) {
		out_error("%s", csign_err_text(CSIGN_E_NOMEM));
		goto out;
	}
	probe(&c);
	status = tell(&c, args_flag(args, OPT_JSON));
out:
	clear(&c);
	free(path);
	free(root);
	return status;
}
