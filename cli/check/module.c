/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lines.h"
#include "module.h"
#include "run.h"

#define PATH_SIZE 512

/* Every system has this module, so libpam's folder is where it is. */
#define FAMILIAR "pam_deny.so"

static void
first(void *arg, const char *path)
{
	char *out = arg;

	if (out[0] == '\0')
		(void)snprintf(out, PATH_SIZE, "%s", path);
}

/* Where libpam looks for a module without a path; "" if that is not known. */
static void
module_folder(char out[PATH_SIZE])
{
	static const char *const patterns[] = {"/usr/lib/*/security/" FAMILIAR,
	    "/lib/*/security/" FAMILIAR, "/usr/lib64/security/" FAMILIAR,
	    "/lib64/security/" FAMILIAR, "/usr/lib/security/" FAMILIAR,
	    "/lib/security/" FAMILIAR};
	char *slash;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
		(void)check_each(patterns[i], first, out);
	if ((slash = strrchr(out, '/')) != NULL)
		*slash = '\0';
}

/* In a child: what libpam does with the module. */
static void
load_module(int fd, const void *path)
{
	const char *why;

	if (dlopen(path, RTLD_NOW) != NULL)
		return;
	why = dlerror();
	if (why == NULL || write(fd, why, strlen(why)) < 0)
		_exit(1);
}

static void
check_load(struct check *c, const char *service, const char *path)
{
	char *said = NULL;

	if (!check_run_function(load_module, path, &said))
		check_find(c->report, FIND_MODULE_LOAD, service, path, NULL,
		    "It ended the program that loaded it.");
	else if (said != NULL && said[0] != '\0')
		check_find(c->report, FIND_MODULE_LOAD, service, path, NULL,
		    "It cannot be loaded, so everybody is denied: %s.", said);
	free(said);
}

void
check_module(
    struct check *c, const char *service, const struct pam_entry *entry)
{
	char folder[PATH_SIZE], path[2 * PATH_SIZE], why[128];
	struct stat st;

	if (entry->module[0] == '/') {
		(void)snprintf(path, sizeof path, "%s", entry->module);
	} else {
		module_folder(folder);
		if (folder[0] == '\0') {
			check_find(c->report, FIND_UNREAD, service, FAMILIAR,
			    NULL,
			    "The folder of PAM's modules was not found, so it "
			    "is not known whether countersign's is there.");
			return;
		}
		(void)snprintf(
		    path, sizeof path, "%s/%s", folder, entry->module);
	}
	if (stat(path, &st) != 0 && errno == ENOENT)
		check_find(c->report, FIND_MODULE_MISSING, service, path, NULL,
		    "The module is not there, so %s.",
		    entry->silent ? "libpam goes on without asking the phone"
				  : "everybody is denied");
	else if (!check_safe(path, why, sizeof why))
		check_find(c->report, FIND_MODULE_UNSAFE, service, path, NULL,
		    "Who can change this file is root: %s.", why);
	else if (c->root == NULL)
		check_load(c, service, path);
}

/* Another configuration than ours: is that one good? */
static void
check_other_config(
    struct check *c, const char *service, const char *subject, const char *path)
{
	struct csign_ctx *ctx = NULL;

	if (strcmp(path, c->config) == 0 ||
	    csign_ctx_new(NULL, &ctx) != CSIGN_OK)
		return;
	if (csign_ctx_load(ctx, path, service) != CSIGN_OK)
		check_find(c->report, FIND_PAM_CONFIG, service, subject, NULL,
		    "The configuration that this line names cannot be used, "
		    "so everybody is denied: %s.",
		    csign_ctx_why(ctx));
	else
		check_find(c->report, FIND_UNREAD, service, subject,
		    "countersign check --config that file",
		    "This line has a configuration of its own, %s, which was "
		    "not looked at here.",
		    path);
	csign_ctx_free(&ctx);
}

void
check_module_options(
    struct check *c, const char *service, const struct pam_entry *entry)
{
	static const char *const flags[] = {"debug", "after_first_factor"};
	char at[CHECK_SUBJECT_SIZE];

	(void)check_at(at, entry->file, entry->line);
	for (size_t i = 0; i < entry->n_args; i++) {
		const char *arg = entry->args[i];
		bool good = strncmp(arg, "config=/", 8) == 0;

		if (good)
			check_other_config(c, service, at, arg + 7);
		for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++)
			good = good || strcmp(arg, flags[f]) == 0;
		for (size_t before = 0; before < i; before++)
			if (strcmp(entry->args[before], arg) == 0)
				good = false;
		if (!good)
			check_find(c->report, FIND_PAM_OPTION, service, at,
			    NULL,
			    "The option \"%s\" is unknown, repeated or "
			    "malformed, so everybody is denied.",
			    arg);
	}
}
