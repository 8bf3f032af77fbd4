/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign revoke: removes one device, here first, because that is what
 * counts, then at the service.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/caller.h"
#include "cmd.h"
#include "question.h"

#define ID_SIZE 17

struct revocation {
	const char *user, *device;
	struct question q;     /* context; the consent to it */
	struct csign_ctx *ctx; /* the same context */
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

	/* Of other hosts' devices only root may say that they are to go. */
	if (caller_name() != NULL ||
	    (rv->host != CSIGN_E_NOT_FOUND && rv->host != CSIGN_E_UNENROLLED) ||
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
last_device(const char *user)
{
	out_error("this is the last device of %s, who may then be unable to "
		  "log in; --force removes it all the same",
	    user);
	return STATUS_NO;
}

static enum out_status
revoke(struct revocation *rv, bool force, bool json)
{
	char by[COMMON_BY_SIZE];

	common_by(by);
	rv->host = csign_device_revoke(
	    rv->ctx, rv->user, rv->device, force, by, rv->id);
	if (rv->host == CSIGN_E_LAST_DEVICE)
		return last_device(rv->user);
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

/* The device that is meant, by id, else by a name that only one has. */
static enum csign_err
find(struct revocation *rv, const struct csign_devices *devices,
    const struct csign_device_info **ret_device)
{
	const struct csign_device_info *device, *found = NULL;
	bool is_id = id_from_text(rv->device, rv->id);
	size_t n = 0;

	for (size_t i = 0; (device = csign_devices_get(devices, i)) != NULL;
	     i++) {
		if (is_id && strcmp(device->id, rv->id) == 0) {
			*ret_device = device;
			return CSIGN_OK;
		}
		if (strcmp(device->name, rv->device) == 0) {
			found = device;
			n++;
		}
	}
	if (n > 1) {
		out_error("%zu devices have this name: name one by its id", n);
		return CSIGN_E_INVALID;
	}
	if (n == 0) {
		out_error("%s has no such device", rv->user);
		return CSIGN_E_NOT_FOUND;
	}
	*ret_device = found;
	return CSIGN_OK;
}

/*
 * By the user himself: a device of his says so, perhaps the very one.  What it
 * was asked about is what is revoked, whatever has that name by then.
 */
static enum out_status
consent(struct revocation *rv, bool force)
{
	const struct csign_device_info *device = NULL;
	struct csign_devices *devices = NULL;
	char title[CALLER_NAME_MAX + 64], what[128], id[20];
	enum out_status status;
	enum csign_err err;

	if (caller_name() == NULL)
		return STATUS_YES;
	err = csign_devices_load(rv->ctx, rv->user, &devices);
	if (err != CSIGN_OK)
		return common_fail(rv->ctx, err);
	if ((err = find(rv, devices, &device)) != CSIGN_OK) {
		status = out_status(err);
	} else if (csign_devices_count(devices) == 1 && !force) {
		status = last_device(rv->user);
	} else {
		memcpy(rv->id, device->id, sizeof rv->id);
		rv->device = rv->id;
		out_device_id(rv->id, id);
		(void)snprintf(what, sizeof what, "%s %s", id, device->name);
		(void)snprintf(
		    title, sizeof title, "Remove a device of %s", rv->user);
		status = question_consent(&rv->q, title, "Device", what);
	}
	csign_devices_free(&devices);
	return status;
}

enum out_status
cmd_revoke(const struct args *args)
{
	struct revocation rv = {
	    .user = args->operand[0], .device = args->operand[1]};
	bool force = args_flag(args, OPT_FORCE);
	enum out_status status;

	if ((status = question_open(&rv.q, args, rv.user)) == STATUS_YES) {
		rv.ctx = rv.q.ctx;
		if ((status = consent(&rv, force)) == STATUS_YES)
			status = revoke(&rv, force, args_flag(args, OPT_JSON));
	}
	question_close(&rv.q);
	return status;
}
