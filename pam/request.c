/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "request.h"

#define TITLE_SIZE 257 /* with the NUL */
#define HOST_SIZE 121

enum csign_err
csign_question_asked(struct csign_ctx *ctx, const struct csign_items *items,
    const char **ret_asked, const char **ret_why)
{
	const char *identity = csign_ctx_setting(ctx, "identity");

	if (identity == NULL || strcmp(identity, "ruser") != 0) {
		*ret_asked = items->user;
		return CSIGN_OK;
	}
	/* Over a network PAM_RUSER is what the other side claims. */
	if (csign_items_remote(items)) {
		*ret_why = "identity = ruser, but the question comes from "
			   "another host";
		return CSIGN_E_CONFIG;
	}
	if (items->ruser[0] == '\0') {
		*ret_why = "identity = ruser, but the program does not say "
			   "who calls it";
		return CSIGN_E_CONFIG;
	}
	*ret_asked = items->ruser;
	return CSIGN_OK;
}

/* Adds a line unless it is empty or r says that something has failed. */
static void
detail(enum csign_err *r, struct csign_request *req, const char *label,
    const char *value)
{
	if (*r == CSIGN_OK && value != NULL && value[0] != '\0')
		*r = csign_request_add_detail(req, label, value);
}

/* --- ssh -------------------------------------------------------------------
 */

/*
 * From the lines of SSH_AUTH_INFO_0, "publickey ssh-ed25519 AAAA...", the
 * method and the kind of key, one after the other.  The key itself would say
 * nothing to a person, and its digest would need cryptography here.
 */
static void
passed_methods(const char *info, char *out, size_t size)
{
	int words = 0;
	size_t n = 0;

	for (; *info != '\0' && n + 3 < size; info++) {
		if (*info == ' ')
			words++;
		if (*info == '\n') {
			words = 0;
			if (info[1] != '\0') {
				out[n++] = ',';
				out[n++] = ' ';
			}
		} else if (words < 2) {
			out[n++] = *info;
		}
	}
	out[n] = '\0';
}

static enum csign_err
ssh_details(
    const struct csign_items *items, bool proven, struct csign_request *req)
{
	enum csign_err r = CSIGN_OK;
	char from[128], passed[512];

	(void)snprintf(from, sizeof(from), "%.64s%s%.8s", items->ssh_address,
	    items->ssh_port[0] == '\0' ? "" : " port ", items->ssh_port);
	passed_methods(items->ssh_passed, passed, sizeof(passed));
	detail(&r, req, "From", from);
	/* What the client's address calls itself can be anything. */
	if (strcmp(items->rhost, items->ssh_address) != 0)
		detail(&r, req, "From (name, unverified)", items->rhost);
	detail(&r, req, "Already passed",
	    passed[0] != '\0' ? passed
	    : proven          ? "a first factor"
			      : "nothing yet");
	detail(&r, req, "Allows", "a login, which may open more sessions");
	return r;
}

/* --- sudo, doas and su -----------------------------------------------------
 */

static const char *
command_label(const struct csign_cmdline *cmd)
{
	switch (cmd->action) {
	case CSIGN_ACTION_RUN:
	case CSIGN_ACTION_SHELL:
		return "Command (as typed)";
	case CSIGN_ACTION_EDIT:
		return "Files (as typed)";
	case CSIGN_ACTION_LIST:
	case CSIGN_ACTION_VALIDATE:
	case CSIGN_ACTION_OTHER:
		break;
	}
	return "Command line (as typed)";
}

static const char *
command_text(const struct csign_cmdline *cmd)
{
	if (cmd->action == CSIGN_ACTION_SHELL)
		return "an interactive shell";
	if (cmd->text[0] != '\0')
		return cmd->text;
	return cmd->action == CSIGN_ACTION_LIST       ? "sudo -l"
	       : cmd->action == CSIGN_ACTION_VALIDATE ? "sudo -v"
						      : "(none)";
}

/* With -g alone, sudo runs the command as the invoking user. */
static const char *
command_target(const struct csign_items *items, const struct csign_cmdline *cmd)
{
	if (cmd->target != NULL)
		return cmd->target;
	return cmd->group != NULL ? items->user : "root";
}

static const char *
invoking_user(const struct csign_items *items)
{
	return items->ruser[0] != '\0' ? items->ruser : items->user;
}

/*
 * What one yes covers (UX-6).  sudo remembers it for a while, doas does where
 * its file says so.
 */
static void
command_scope(struct csign_ctx *ctx, enum csign_caller caller,
    const struct csign_cmdline *cmd, char *out, size_t size)
{
	const char *minutes = csign_ctx_setting(ctx, "timestamp_timeout");
	const char *what = cmd->action == CSIGN_ACTION_SHELL
			       ? "everything typed in this shell"
			       : "this command";

	if (cmd->no_update || (minutes != NULL && strcmp(minutes, "0") == 0))
		(void)snprintf(out, size, "%s only", what);
	else if (caller == CSIGN_CALLER_DOAS)
		(void)snprintf(out, size,
		    "%s, and any doas command on this terminal until 5 "
		    "minutes after the last one, if doas.conf says persist",
		    what);
	else
		(void)snprintf(out, size,
		    "any sudo command on this terminal for %.8s minutes",
		    minutes == NULL ? "15" : minutes);
}

/* Where the words do not say what runs: id may be anything called id. */
static void
detail_how(enum csign_err *r, struct csign_request *req,
    const struct csign_cmdline *cmd)
{
	if (cmd->callers_shell)
		detail(r, req, "Run by",
		    "the shell that the caller's SHELL names");
	if (cmd->callers_path)
		detail(r, req, "Found in",
		    "the caller's PATH, unless doas.conf names the command");
}

static enum csign_err
command_details(struct csign_ctx *ctx, const struct csign_items *items,
    const struct csign_cmdline *cmd, struct csign_request *req)
{
	enum csign_err r = CSIGN_OK;
	char directory[PATH_MAX], scope[200];

	if (getcwd(directory, sizeof(directory)) == NULL)
		(void)snprintf(directory, sizeof(directory), "(unknown)");
	command_scope(ctx, items->caller, cmd, scope, sizeof(scope));
	detail(&r, req, command_label(cmd), command_text(cmd));
	detail_how(&r, req, cmd);
	detail(&r, req, "Run as", command_target(items, cmd));
	detail(&r, req, "Group", cmd->group);
	detail(&r, req, "Asked for by", invoking_user(items));
	detail(&r, req, "Directory", directory);
	detail(&r, req, "Changes directory to", cmd->chdir);
	detail(&r, req, "Changes root to", cmd->chroot);
	detail(&r, req, "Terminal", items->tty);
	detail(&r, req, "Allows", scope);
	return r;
}

static enum csign_err
su_details(const struct csign_items *items, const struct csign_cmdline *cmd,
    struct csign_request *req)
{
	enum csign_err r = CSIGN_OK;

	detail(&r, req, command_label(cmd), command_text(cmd));
	detail_how(&r, req, cmd);
	detail(&r, req, "Run as", items->user);
	detail(&r, req, "Asked for by", items->ruser);
	detail(&r, req, "Terminal", items->tty);
	return r;
}

/* --- all -------------------------------------------------------------------
 */

static enum csign_err
other_details(const struct csign_items *items, struct csign_request *req)
{
	enum csign_err r = CSIGN_OK;

	detail(&r, req, "Service", items->service);
	detail(&r, req, "From (unverified)", items->rhost);
	detail(&r, req, "Asked for by (unverified)", items->ruser);
	detail(&r, req, "Terminal", items->tty);
	return r;
}

static void
command_title(const struct csign_items *items, const struct csign_cmdline *cmd,
    const char *host, char *title)
{
	const char *as = command_target(items, cmd);

	switch (cmd->action) {
	case CSIGN_ACTION_RUN:
		(void)snprintf(title, TITLE_SIZE,
		    "Run a command as %.64s on %s", as, host);
		return;
	case CSIGN_ACTION_SHELL:
		(void)snprintf(
		    title, TITLE_SIZE, "Open a shell as %.64s on %s", as, host);
		return;
	case CSIGN_ACTION_EDIT:
		(void)snprintf(
		    title, TITLE_SIZE, "Edit files as %.64s on %s", as, host);
		return;
	case CSIGN_ACTION_LIST:
		(void)snprintf(
		    title, TITLE_SIZE, "List the sudo rights on %s", host);
		return;
	case CSIGN_ACTION_VALIDATE:
		(void)snprintf(
		    title, TITLE_SIZE, "Renew the sudo rights on %s", host);
		return;
	case CSIGN_ACTION_OTHER:
		break;
	}
	(void)snprintf(title, TITLE_SIZE, "Use %s on %s",
	    items->caller == CSIGN_CALLER_DOAS ? "doas" : "sudo", host);
}

static void
make_title(const struct csign_items *items, const struct csign_cmdline *cmd,
    const char *host, char *title)
{
	switch (items->caller) {
	case CSIGN_CALLER_SSH:
		(void)snprintf(title, TITLE_SIZE,
		    "Log in to %s by SSH as %.64s", host, items->user);
		break;
	case CSIGN_CALLER_LOGIN:
		(void)snprintf(title, TITLE_SIZE, "Log in to %s as %.64s", host,
		    items->user);
		break;
	case CSIGN_CALLER_SU:
		(void)snprintf(
		    title, TITLE_SIZE, "Become %.64s on %s", items->user, host);
		break;
	case CSIGN_CALLER_SUDO:
	case CSIGN_CALLER_DOAS:
		command_title(items, cmd, host, title);
		break;
	case CSIGN_CALLER_OTHER:
		(void)snprintf(title, TITLE_SIZE, "Use %.32s on %s as %.64s",
		    items->service, host, items->user);
		break;
	}
}

static enum csign_err
add_details(struct csign_ctx *ctx, const struct csign_items *items, bool proven,
    const struct csign_cmdline *cmd, struct csign_request *req)
{
	switch (items->caller) {
	case CSIGN_CALLER_SSH:
		return ssh_details(items, proven, req);
	case CSIGN_CALLER_SUDO:
	case CSIGN_CALLER_DOAS:
		return command_details(ctx, items, cmd, req);
	case CSIGN_CALLER_SU:
		return su_details(items, cmd, req);
	case CSIGN_CALLER_LOGIN:
	case CSIGN_CALLER_OTHER:
		break;
	}
	return other_details(items, req);
}

static enum csign_err
set_fields(struct csign_ctx *ctx, const struct csign_items *items,
    const char *asked, const struct csign_cmdline *cmd,
    struct csign_request *req)
{
	const char *name = csign_ctx_setting(ctx, "host");
	char host[HOST_SIZE], title[TITLE_SIZE];
	const char *rhost =
	    items->ssh_address[0] != '\0' ? items->ssh_address : items->rhost;
	enum csign_err r;

	(void)snprintf(
	    host, sizeof(host), "%s", name == NULL ? "this host" : name);
	make_title(items, cmd, host, title);
	if ((r = csign_request_set(req, CSIGN_REQ_USER, asked)) != CSIGN_OK ||
	    (r = csign_request_set(req, CSIGN_REQ_SERVICE, items->service)) !=
		CSIGN_OK ||
	    (r = csign_request_set(req, CSIGN_REQ_TITLE, title)) != CSIGN_OK ||
	    (r = csign_request_set(req, CSIGN_REQ_RHOST, rhost)) != CSIGN_OK ||
	    (r = csign_request_set(req, CSIGN_REQ_TTY, items->tty)) != CSIGN_OK)
		return r;
	return CSIGN_OK;
}

enum csign_err
csign_question_new(struct csign_ctx *ctx, const struct csign_items *items,
    const char *asked, bool proven, const struct csign_cmdline *cmd,
    struct csign_request **ret_req)
{
	struct csign_request *req = NULL;
	enum csign_err r;

	if ((r = csign_request_new(&req)) != CSIGN_OK ||
	    (r = set_fields(ctx, items, asked, cmd, req)) != CSIGN_OK ||
	    (r = add_details(ctx, items, proven, cmd, req)) != CSIGN_OK)
		goto out;
	csign_request_set_proven(req, proven);
	csign_request_set_unproven(req, csign_items_remote(items) && !proven);
	*ret_req = req;
	req = NULL;
out:
	csign_request_free(&req);
	return r;
}
