/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign rename: another name for a device, here first, as in revoke. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd.h"

#define NAME_MAX_LEN 64
#define ID_SIZE 17

static const char *
renamed(enum csign_err err)
{
	if (err == CSIGN_OK)
		return "renamed";
	return err == CSIGN_E_NOT_FOUND ? "absent" : "failed";
}

static void
print_json(
    const char *user, const char *id, const char *name, enum csign_err service)
{
	struct json_object *o = json_object_new_object();

	(void)out_json_str(o, "user", user);
	(void)out_json_str(o, "device", id);
	(void)out_json_str(o, "name", name);
	(void)out_json_str(o, "host", renamed(CSIGN_OK));
	(void)out_json_str(o, "service", renamed(service));
	out_json_print(o);
}

static enum out_status
rename_device(struct csign_ctx *ctx, const struct args *args)
{
	const char *user = args->operand[0], *name = args->operand[2];
	enum csign_err err, service;
	char id[ID_SIZE], shown[20], what[512], by[COMMON_BY_SIZE];

	common_by(by);
	err = csign_device_rename(ctx, user, args->operand[1], name, by, id);
	if (err != CSIGN_OK)
		return common_fail(ctx, err);
	service = csign_service_rename_device(ctx, id, name);
	out_device_id(id, shown);
	if (args_flag(args, OPT_JSON))
		print_json(user, id, name, service);
	else
		(void)printf("Device %s is now called %s.\n", shown, name);
	if (service != CSIGN_OK && service != CSIGN_E_NOT_FOUND) {
		(void)snprintf(what, sizeof what,
		    "countersign rename %s %s \"%s\"", user, shown, name);
		common_service_left(ctx, service, what);
	}
	return STATUS_YES;
}

enum out_status
cmd_rename(const struct args *args)
{
	struct csign_ctx *ctx = NULL;
	enum out_status status;
	enum csign_err err;

	if (strlen(args->operand[2]) > NAME_MAX_LEN) {
		out_error("a device's name has at most %d bytes", NAME_MAX_LEN);
		return STATUS_USAGE;
	}
	if ((err = common_context(args, &ctx)) != CSIGN_OK)
		return out_status(err);
	status = rename_device(ctx, args);
	csign_ctx_free(&ctx);
	return status;
}
