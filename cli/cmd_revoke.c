/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign revoke: removes one device, here first, because that is what
 * counts, then at the service.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"

#define ID_SIZE 17

struct revocation {
	const char *user, *device;
	struct csign_ctx *ctx;
	char id[ID_SIZE];
	enum csign_err host, service;
};

/* 16 characters of base32, with or without the dashes. */
static bool
id_from_text(const char *text, char id[ID_SIZE])
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '-')
			continue;
		if (n == ID_SIZE - 1 ||
		    strchr("abcdefghijklmnopqrstuvwxyz234567", *text) == NULL)
			return false;
		id[n++] = *text;
	}
	id[n] = '\0';
	return n == ID_SIZE - 1;
}

struct owner {
	struct csign_ctx *ctx;
	const char *id;
	bool found, failed;
};

static bool
look_for_owner(void *arg, const char *user)
{
	struct owner *o = arg;
	struct csign_devices *devices = NULL;
	const struct csign_device_info *device;
	enum csign_err err = csign_devices_load(o->ctx, user, &devices);

	o->failed = err != CSIGN_OK && err != CSIGN_E_UNENROLLED;
	for (size_t i = 0; err == CSIGN_OK &&
			   (device = csign_devices_get(devices, i)) != NULL;
	     i++)
		if (strcmp(device->id, o->id) == 0)
			o->found = true;
	csign_devices_free(&devices);
	return !o->found && !o->failed;
}

/*
 * The second attempt after the service was away: the device is gone from this
 * host, so only its id can name it, and it must be nobody else's.
 */
static bool
may_finish(struct revocation *rv)
{
	struct owner owner = {.ctx = rv->ctx, .id = rv->id};

	if ((rv->host != CSIGN_E_NOT_FOUND && rv->host != CSIGN_E_UNENROLLED) ||
	    !id_from_text(rv->device, rv->id))
		return false;
	return csign_users_each(rv->ctx, look_for_owner, &owner) == CSIGN_OK &&
	       !owner.found && !owner.failed;
}

static void
print_json(const struct revocation *rv)
{
	struct json_object *o = json_object_new_object();

	(void)out_json_str(o, "user", rv->user);
	(void)out_json_str(o, "device", rv->id);
	(void)out_json_str(o, "host", common_removed(rv->host));
	(void)out_json_str(o, "service", common_removed(rv->service));
	out_json_print(o);
}

static void
print_text(const struct revocation *rv)
{
	char id[20];

	out_device_id(rv->id, id);
	if (rv->host == CSIGN_OK)
		(void)printf(
		    "Device %s can no longer approve for %s.\n", id, rv->user);
	if (rv->service == CSIGN_OK)
		(void)printf("The service has forgotten it.\n");
}

static void
warn_left(const struct revocation *rv)
{
	char what[512];

	(void)snprintf(
	    what, sizeof what, "countersign revoke %s %s", rv->user, rv->id);
	common_service_left(rv->ctx, rv->service, what);
}

static enum out_status
revoke(struct revocation *rv, bool force, bool json)
{
	rv->host = csign_device_revoke(
	    rv->ctx, rv->user, rv->device, force, "root", rv->id);
	if (rv->host == CSIGN_E_LAST_DEVICE) {
		out_error("this is the last device of %s, who may then be "
			  "unable to log in; --force removes it all the same",
		    rv->user);
		return STATUS_NO;
	}
	if (rv->host != CSIGN_OK) {
		if (!may_finish(rv))
			return common_fail(rv->ctx, rv->host);
		out_error("no device of %s here has this id; asking the "
			  "service to forget it",
		    rv->user);
		rv->host = CSIGN_E_NOT_FOUND;
	}
	rv->service = csign_service_remove_device(rv->ctx, rv->id);
	if (json)
		print_json(rv);
	else
		print_text(rv);
	if (rv->host == CSIGN_OK) {
		if (rv->service != CSIGN_OK && rv->service != CSIGN_E_NOT_FOUND)
			warn_left(rv);
		return STATUS_YES;
	}
	if (rv->service == CSIGN_OK)
		return STATUS_YES;
	return common_fail(rv->ctx, rv->service);
}

enum out_status
cmd_revoke(const struct args *args)
{
	struct revocation rv = {
	    .user = args->operand[0], .device = args->operand[1]};
	enum out_status status;
	enum csign_err err;

	if ((err = common_context(args, &rv.ctx)) != CSIGN_OK)
		return out_status(err);
	status =
	    revoke(&rv, args_flag(args, OPT_FORCE), args_flag(args, OPT_JSON));
	csign_ctx_free(&rv.ctx);
	return status;
}
