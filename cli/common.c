/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/caller.h"
#include "cmd.h"

#define DEFAULT_CONFIG CSIGN_SYSCONFDIR "/countersign/countersign.conf"

bool
common_path(const char *path, char **ret_path)
{
	char *dir = NULL, *whole = NULL;

	if (path == NULL) {
		*ret_path = NULL;
		return true;
	}
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	if (path[0] == '/')
		whole = strdup(path);
	else if ((dir = getcwd(NULL, 0)) != NULL &&
		 asprintf(&whole, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir,
		     path) == -1)
		whole = NULL;
	free(dir);
	if (whole == NULL) {
		out_error("the current directory is not known");
		return false;
	}
	*ret_path = whole;
	return true;
}

/* What to do on a host that has no configuration yet. */
static void
say_if_new(const char *config)
{
	struct stat st;

	if (stat(config != NULL ? config : DEFAULT_CONFIG, &st) == -1 &&
	    errno == ENOENT)
		out_error("\"countersign init --service URL\" writes a "
			  "configuration");
}

enum csign_err
common_context(const struct args *args, struct csign_ctx **ret_ctx)
{
	struct csign_ctx *ctx = NULL;
	enum csign_err err = CSIGN_E_SYSTEM;
	char *path = NULL;

	if (!common_path(args->option[OPT_CONFIG], &path))
		return err;
	if ((err = csign_ctx_new(NULL, &ctx)) != CSIGN_OK)
		out_error("%s", csign_err_text(err));
	else if ((err = csign_ctx_load(ctx, path, NULL)) != CSIGN_OK) {
		(void)common_fail(ctx, err);
		say_if_new(path);
	}
	free(path);
	if (err != CSIGN_OK)
		csign_ctx_free(&ctx);
	else
		*ret_ctx = ctx;
	return err;
}

/* An outcome explains itself; trouble has a place and a reason. */
static const char *
sentence(const struct csign_ctx *ctx, enum csign_err err)
{
	const char *why = csign_ctx_why(ctx);

	if (why[0] == '\0' ||
	    (err < CSIGN_E_UNKNOWN_USER && err != CSIGN_E_PROOF_KIND))
		return csign_err_text(err);
	return why;
}

enum out_status
common_fail(const struct csign_ctx *ctx, enum csign_err err)
{
	out_error("%s", sentence(ctx, err));
	if (geteuid() != 0 && (err == CSIGN_E_FILE || err == CSIGN_E_STATE ||
				  err == CSIGN_E_DEVICES))
		out_error("only root can read what has to be read");
	return out_status(err);
}

void
common_service_left(
    const struct csign_ctx *ctx, enum csign_err err, const char *what_to_do)
{
	const char *why = csign_ctx_why(ctx);

	out_error(
	    "warning: done on this host, but the service was not told: %s",
	    why[0] != '\0' ? why : csign_err_text(err));
	out_error("what is left to do when it answers again: %s", what_to_do);
}

const char *
common_removed(enum csign_err err)
{
	if (err == CSIGN_OK)
		return "removed";
	return err == CSIGN_E_NOT_FOUND ? "absent" : "failed";
}

/* Of the login session, by the kernel's record, else of the process. */
static uid_t
login_uid(void)
{
	char text[16] = "";
	uid_t uid = getuid();
	unsigned long value;
	char *end;
	ssize_t n;
	int fd;

	fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return uid;
	n = read(fd, text, sizeof text - 1);
	if (n > 0 && text[0] >= '0' && text[0] <= '9') {
		value = strtoul(text, &end, 10);
		if (*end == '\0' && value < (uid_t)-1)
			uid = (uid_t)value;
	}
	(void)close(fd);
	return uid;
}

void
common_by(char name[COMMON_BY_SIZE])
{
	struct passwd entry, *found = NULL;
	const char *caller = caller_name();
	char buf[4096];
	uid_t uid = caller == NULL ? login_uid() : caller_uid();

	if (caller != NULL && strlen(caller) < COMMON_BY_SIZE)
		(void)snprintf(name, COMMON_BY_SIZE, "%s", caller);
	else if (getpwuid_r(uid, &entry, buf, sizeof buf, &found) != 0 ||
		 found == NULL || strlen(found->pw_name) >= COMMON_BY_SIZE)
		(void)snprintf(name, COMMON_BY_SIZE, "uid%u", uid);
	else
		(void)snprintf(name, COMMON_BY_SIZE, "%s", found->pw_name);
}
