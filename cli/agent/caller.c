/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../cmd.h"
#include "caller.h"

#define ENTRY_SIZE ((size_t)1 << 20) /* a group with very many members */
#define GROUPS_FIRST 64
#define GROUPS_MAX 65536
#define LOGGED_MAX 64

static const struct caller *current;
static const char *config;

/* --- who ------------------------------------------------------------------ */

/* getpwuid_r(3), or by name getpwnam_r(3); false: not found, or no answer. */
static bool
look_up(uid_t uid, const char *name, struct caller *ret)
{
	struct passwd entry, *found = NULL;
	char *room = malloc(ENTRY_SIZE);
	int error = ENOMEM;
	bool ok;

	while (room != NULL) {
		error =
		    name == NULL
			? getpwuid_r(uid, &entry, room, ENTRY_SIZE, &found)
			: getpwnam_r(name, &entry, room, ENTRY_SIZE, &found);
		if (error != EINTR)
			break;
	}
	ok = error == 0 && found != NULL && entry.pw_name[0] != '\0' &&
	     strlen(entry.pw_name) <= CALLER_NAME_MAX;
	if (ok) {
		ret->uid = entry.pw_uid;
		ret->gid = entry.pw_gid;
		memcpy(ret->name, entry.pw_name, strlen(entry.pw_name) + 1);
	}
	free(room);
	return ok;
}

bool
caller_find(uid_t uid, struct caller *ret_caller, const char **ret_why)
{
	struct caller caller, back;

	if (!look_up(uid, NULL, &caller) || caller.uid != uid) {
		*ret_why = "the uid has no name";
		return false;
	}
	/* Else the library would ask for somebody else by this name. */
	if (!look_up(0, caller.name, &back) || back.uid != uid) {
		*ret_why = "the name leads to another uid";
		return false;
	}
	*ret_caller = caller;
	return true;
}

void
caller_become(const struct caller *caller, const char *config_path)
{
	current = caller;
	config = config_path;
}

const char *
caller_name(void)
{
	return current == NULL ? NULL : current->name;
}

uid_t
caller_uid(void)
{
	return current->uid;
}

/* --- what ----------------------------------------------------------------- */

/* Is name one of these words, with one space between? */
static bool
has_word(const char *words, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = words; *at != '\0'; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (strcspn(at, " ") == len && memcmp(at, name, len) == 0)
			return true;
	}
	return false;
}

/* The caller's groups now, not those of his session; NULL: not known. */
static gid_t *
list_groups(int *ret_n)
{
	gid_t *gids = NULL;

	for (int room = GROUPS_FIRST; room <= GROUPS_MAX; room *= 4) {
		gid_t *more = reallocarray(gids, (size_t)room, sizeof *gids);

		if (more == NULL)
			break;
		gids = more;
		*ret_n = room;
		if (getgrouplist(current->name, current->gid, gids, ret_n) >= 0)
			return gids;
	}
	free(gids);
	return NULL;
}

/* Has the group this gid a name among the words? */
static bool
group_named(gid_t gid, const char *words, char *room)
{
	struct group entry, *found = NULL;
	int error;

	do {
		error = getgrgid_r(gid, &entry, room, ENTRY_SIZE, &found);
	} while (error == EINTR);
	return error == 0 && found != NULL && has_word(words, entry.gr_name);
}

static bool
in_groups(const char *words)
{
	char *room = malloc(ENTRY_SIZE);
	gid_t *gids = NULL;
	bool in = false;
	int n = 0;

	if (room != NULL && (gids = list_groups(&n)) != NULL)
		for (int i = 0; i < n && !in; i++)
			in = group_named(gids[i], words, room);
	free(gids);
	free(room);
	return in;
}

static enum out_status
may_ask(struct csign_ctx *ctx, const struct args *args)
{
	const char *words;

	(void)args;
	words = csign_ctx_setting(ctx, "ask_users");
	if (words != NULL && has_word(words, current->name))
		return STATUS_YES;
	words = csign_ctx_setting(ctx, "ask_groups");
	if (words != NULL && in_groups(words))
		return STATUS_YES;
	out_error("%s may not ask: an administrator allows it with ask_users "
		  "or ask_groups in countersign.conf",
	    current->name);
	return STATUS_NO;
}

/* The first device is root's to enrol, or a login's (ENR-1). */
static enum out_status
may_enroll(struct csign_ctx *ctx, const struct args *args)
{
	const char *policy = csign_ctx_setting(ctx, "self_enroll");
	struct csign_devices *devices = NULL;
	enum csign_err err;

	if (policy == NULL || strcmp(policy, "approve") != 0) {
		out_error("users do not enrol devices themselves here "
			  "(self_enroll in countersign.conf)");
		return STATUS_NO;
	}
	if (args_flag(args, OPT_YES)) {
		out_error("--yes is for root: compare the ids");
		return STATUS_USAGE;
	}
	err = csign_devices_load(ctx, current->name, &devices);
	csign_devices_free(&devices);
	if (err == CSIGN_E_UNENROLLED) {
		out_error("%s has no device that could approve this: an "
			  "administrator enrols the first one",
		    current->name);
		return STATUS_NO;
	}
	return err == CSIGN_OK ? STATUS_YES : common_fail(ctx, err);
}

/* What the agent does for users; everything else it does for nobody. */
static const struct rule {
	const char *command;
	bool self; /* for himself only; the first operand is USER */
	enum out_status (*check)(struct csign_ctx *ctx, const struct args *);
} rules[] = {
    {"ask", false, may_ask},
    {"deenroll", true, NULL},
    {"devices", true, NULL},
    {"enroll", true, may_enroll},
    {"revoke", true, NULL},
    {"test", true, NULL},
};

static const struct rule *
find_rule(const char *command)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (strcmp(rules[i].command, command) == 0)
			return &rules[i];
	return NULL;
}

bool
caller_has_command(const char *command)
{
	return find_rule(command) != NULL;
}

static void
insert_user(struct args *args, const char *user)
{
	for (size_t i = args->n_operands++; i > 0; i--)
		args->operand[i] = args->operand[i - 1];
	args->operand[0] = user;
}

/* Only what cannot end the field or the line of a log. */
static const char *
loggable(const char *text, char out[LOGGED_MAX + 1])
{
	size_t len = 0;

	for (; len < LOGGED_MAX && text[len] != '\0'; len++) {
		char c = text[len];

		out[len] = '?';
		if (c > ' ' && c < 0x7f && c != '"' && c != '\\')
			out[len] = c;
	}
	out[len] = '\0';
	return out;
}

static void
record(
    const struct command *cmd, const struct args *args, enum out_status status)
{
	char by[LOGGED_MAX + 1], user[LOGGED_MAX + 1];

	syslog(LOG_NOTICE,
	    "event=agent_command user=\"%s\" uid=%u command=%s for=\"%s\" "
	    "allowed=%s",
	    loggable(current->name, by), current->uid, cmd->name,
	    loggable(args->n_operands > 0 ? args->operand[0] : "", user),
	    status == STATUS_YES ? "yes" : "no");
}

static enum out_status
check_user(
    const struct rule *rule, const struct command *cmd, struct args *args)
{
	struct csign_ctx *ctx = NULL;
	enum out_status status;
	enum csign_err err;

	if (rule->self && args->n_operands < cmd->max_operands)
		insert_user(args, current->name);
	if (rule->self && strcmp(args->operand[0], current->name) != 0) {
		out_error("only root may do this for somebody else than %s",
		    current->name);
		return STATUS_NO;
	}
	if (rule->check == NULL)
		return STATUS_YES;
	if ((err = common_context(args, &ctx)) != CSIGN_OK)
		return out_status(err);
	status = rule->check(ctx, args);
	csign_ctx_free(&ctx);
	return status;
}

enum out_status
caller_check(const struct command *cmd, struct args *args)
{
	const struct rule *rule = find_rule(cmd->name);
	enum out_status status = STATUS_NO;

	if (current == NULL) {
		if (rule == NULL || !rule->self ||
		    args->n_operands == cmd->max_operands ||
		    strcmp(cmd->name, "devices") == 0)
			return STATUS_YES;
		out_error("%s: which user?", cmd->name);
		return STATUS_USAGE;
	}
	if (rule == NULL)
		out_error("%s is for root", cmd->name);
	else if (args_flag(args, OPT_CONFIG))
		out_error("--config is for root");
	else {
		args->option[OPT_CONFIG] = config;
		status = check_user(rule, cmd, args);
	}
	record(cmd, args, status);
	return status;
}
