/* SPDX-License-Identifier: BSD-2-Clause */
/* countersignd user list|show|remove */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "approvals.h"
#include "cmd.h"
#include "codec.h"

static const char *
status_of(const struct user *user)
{
	return user->devices > 0 ? "active" : "new";
}

/* The members that a user has everywhere; the object stays open. */
static void
put_user(struct reply *reply, const struct user *user)
{
	reply_open(reply, NULL, "{");
	reply_str(reply, "userId", user->user_id);
	reply_str(reply, "username", user->username);
	reply_str(reply, "space", user->space_name);
	reply_str(reply, "status", status_of(user));
	reply_time(reply, "createdAt", user->created);
}

/* --- list ----------------------------------------------------------------- */

static void
print_row(void *arg, const struct user *user)
{
	(void)arg;
	cmd_cell(user->username, 24);
	cmd_cell(user->space_name, 24);
	cmd_time(user->created);
	printf("%u\n", user->devices);
}

static void
print_json(void *arg, const struct user *user)
{
	const char **separator = arg;
	struct csign_buf *buf;
	struct reply reply;

	if ((buf = cmd_json(&reply)) == NULL)
		return;
	put_user(&reply, user);
	reply_int(&reply, "devices", (int64_t)user->devices);
	reply_close(&reply, "}");
	(void)fputs(*separator, stdout);
	*separator = ",";
	(void)cmd_print(&reply, &buf);
}

static int
list(const struct cmd_store *store, const struct cmd_args *args, int64_t space)
{
	const char *separator = "";
	enum csign_err r;

	if (args->json)
		(void)fputc('[', stdout);
	else
		printf("%-24s %-24s %-20s %s\n", "NAME", "SPACE", "CREATED",
		    "DEVICES");
	r = store_user_each(store->store, space, NULL,
	    args->json ? print_json : print_row, &separator);
	if (args->json)
		(void)puts("]");
	if (r == CSIGN_OK)
		return CMD_OK;
	cmd_say("%s", csign_err_text(r));
	return CMD_TROUBLE;
}

static int
user_list(const struct cmd_args *args)
{
	struct cmd_store store;
	int64_t space = 0;
	int status = CMD_NO;

	if (!cmd_open(args->config, &store))
		return CMD_TROUBLE;
	if (cmd_find_space(&store, args, &space))
		status = list(&store, args, space);
	store_close(&store.store);
	return status;
}

/* --- one user ------------------------------------------------------------- */

struct found {
	struct user user;
	size_t n;
};

static void
take_user(void *arg, const struct user *user)
{
	struct found *found = arg;

	found->user = *user;
	found->n++;
}

/* CMD_OK, or what to exit with after it said why. */
static int
find_user(const struct cmd_store *store, const struct cmd_args *args,
    struct user *ret_user)
{
	struct found found = {.n = 0};
	int64_t space = 0;
	enum csign_err r;

	if (!cmd_find_space(store, args, &space))
		return CMD_NO;
	r = store_user_each(
	    store->store, space, args->operand, take_user, &found);
	if (r != CSIGN_OK) {
		cmd_say("%s", csign_err_text(r));
		return CMD_TROUBLE;
	}
	if (found.n == 1) {
		*ret_user = found.user;
		return CMD_OK;
	}
	if (found.n == 0)
		cmd_say("there is no such user");
	else
		cmd_say("%zu spaces have a user of this name; say which by "
			"--space or --host",
		    found.n);
	return CMD_NO;
}

/* Finds it, uses it, and says what the exit status is. */
static int
with_user(const struct cmd_args *args,
    enum csign_err (*use)(const struct cmd_store *store,
	const struct cmd_args *args, const struct user *user))
{
	struct cmd_store store;
	struct user user;
	enum csign_err r;
	int status;

	if (!cmd_open(args->config, &store))
		return CMD_TROUBLE;
	status = find_user(&store, args, &user);
	if (status == CMD_OK && (r = use(&store, args, &user)) != CSIGN_OK) {
		cmd_say("%s", csign_err_text(r));
		status = CMD_TROUBLE;
	}
	store_close(&store.store);
	return status;
}

/* The object is complete: it is printed, if all went well. */
static enum csign_err
print_object(struct reply *reply, struct csign_buf **buf, enum csign_err r)
{
	if (r == CSIGN_OK)
		r = reply->err;
	if (r == CSIGN_OK)
		(void)cmd_print(reply, buf);
	csign_buf_free(buf);
	return r;
}

/* --- show ----------------------------------------------------------------- */

static void
print_device(void *arg, const struct authenticator *auth)
{
	(void)arg;
	(void)fputs("device  ", stdout);
	cmd_cell(auth->device_id, 16);
	cmd_time(auth->created);
	cmd_cell(auth->name, 0);
	(void)fputs(auth->rings ? "(can be rung) " : "", stdout);
	(void)puts(auth->removed ? "(removed by the phone)" : "");
}

static enum csign_err
print_user_json(const struct cmd_store *store, const struct user *user)
{
	struct csign_buf *buf;
	struct reply reply;
	enum csign_err r;

	if ((buf = cmd_json(&reply)) == NULL)
		return CSIGN_E_NOMEM;
	put_user(&reply, user);
	reply_open(&reply, "authenticators", "[");
	r = store_authenticator_each(
	    store->store, user->id, reply_authenticator, &reply);
	reply_close(&reply, "]");
	reply_close(&reply, "}");
	return print_object(&reply, &buf, r);
}

static enum csign_err
show(const struct cmd_store *store, const struct cmd_args *args,
    const struct user *user)
{
	if (args->json)
		return print_user_json(store, user);
	(void)fputs("user    ", stdout);
	cmd_cell(user->username, 0);
	printf("\nid      %s\nspace   %s\nstatus  %s\ncreated ", user->user_id,
	    user->space_name, status_of(user));
	cmd_time(user->created);
	(void)putchar('\n');
	return store_authenticator_each(
	    store->store, user->id, print_device, NULL);
}

static int
user_show(const struct cmd_args *args)
{
	return with_user(args, show);
}

/* --- remove --------------------------------------------------------------- */

/* The open questions end with it: a running service tells who waits. */
static enum csign_err
remove_all(const struct cmd_store *store, const struct user *user)
{
	enum csign_err r;

	if ((r = store_begin(store->store)) != CSIGN_OK)
		return r;
	if ((r = approvals_cancel_stored(
		 store->store, user->space, user->username)) == CSIGN_OK &&
	    (r = store_user_remove(store->store, user->id)) == CSIGN_OK)
		r = cmd_record(
		    store, "user remove", user->username, user->space_name);
	return store_end(store->store, r);
}

static enum csign_err
remove_user(const struct cmd_store *store, const struct cmd_args *args,
    const struct user *user)
{
	struct csign_buf *buf;
	struct reply reply;
	enum csign_err r;

	if ((r = remove_all(store, user)) != CSIGN_OK || !args->json)
		return r;
	if ((buf = cmd_json(&reply)) == NULL)
		return CSIGN_E_NOMEM;
	put_user(&reply, user);
	reply_close(&reply, "}");
	return print_object(&reply, &buf, CSIGN_OK);
}

static int
user_remove(const struct cmd_args *args)
{
	return with_user(args, remove_user);
}

int
cmd_user(int argc, char **argv)
{
	static const struct cmd_verb verbs[] = {
	    {"list", false, CMD_HOST | CMD_JSON | CMD_SPACE, user_list},
	    {"show", true, CMD_HOST | CMD_JSON | CMD_SPACE, user_show},
	    {"remove", true, CMD_HOST | CMD_JSON | CMD_SPACE, user_remove},
	    {NULL, false, 0, NULL},
	};

	return cmd_verbs(argc, argv, verbs);
}
