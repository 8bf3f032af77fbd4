/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign devices: who may answer for whom. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cmd.h"

/* Where the devices of one user after another go; the second of each pair:
 * whose phones do not ring for now. */
struct listing {
	struct csign_ctx *ctx;
	struct out_table *table, *quiet_table;   /* one of these pairs */
	struct json_object *array, *quiet_array; /* is there */
	enum csign_err err;
};

static bool
add_json(
    struct listing *l, const char *user, const struct csign_device_info *device)
{
	struct json_object *o = json_object_new_object();

	if (out_json_str(o, "user", user) &&
	    out_json_str(o, "id", device->id) &&
	    out_json_str(o, "kind", device->kind) &&
	    out_json_str(o, "name", device->name) &&
	    out_json_str(o, "added", device->added) &&
	    out_json_str(o, "by", device->by) &&
	    out_json_str(o, "lastUsed",
		device->last_used[0] != '\0' ? device->last_used : NULL) &&
	    out_json_str(o, "rp", device->rp[0] != '\0' ? device->rp : NULL) &&
	    out_json_bool(o, "synced", device->synced) &&
	    json_object_array_add(l->array, o) == 0)
		return true;
	json_object_put(o);
	return false;
}

static bool
add_row(
    struct listing *l, const char *user, const struct csign_device_info *device)
{
	char id[20];
	const char *const cells[] = {user, device->name, device->kind, id,
	    device->added,
	    device->last_used[0] != '\0' ? device->last_used : "never"};

	out_device_id(device->id, id);
	return out_table_row(l->table, cells);
}

static bool
add_quiet(struct listing *l, const char *user, const char *note)
{
	const char *const cells[] = {user, note};
	struct json_object *o;

	if (l->array == NULL)
		return out_table_row(l->quiet_table, cells);
	o = json_object_new_object();
	if (out_json_str(o, "user", user) && out_json_str(o, "note", note) &&
	    json_object_array_add(l->quiet_array, o) == 0)
		return true;
	json_object_put(o);
	return false;
}

/* A state that cannot be read is for check-config to tell. */
static enum csign_err
look_for_quiet(struct listing *l, const char *user)
{
	char note[CSIGN_PUSH_NOTE_SIZE];

	if (csign_push_look(l->ctx, user, note) != CSIGN_OK || note[0] == '\0')
		return CSIGN_OK;
	return add_quiet(l, user, note) ? CSIGN_OK : CSIGN_E_NOMEM;
}

static bool
add_user(void *arg, const char *user)
{
	struct listing *l = arg;
	struct csign_devices *devices = NULL;
	const struct csign_device_info *device;

	l->err = csign_devices_load(l->ctx, user, &devices);
	if (l->err != CSIGN_OK)
		return false;
	for (size_t i = 0; l->err == CSIGN_OK &&
			   (device = csign_devices_get(devices, i)) != NULL;
	     i++) {
		if (l->array != NULL ? !add_json(l, user, device)
				     : !add_row(l, user, device))
			l->err = CSIGN_E_NOMEM;
	}
	csign_devices_free(&devices);
	if (l->err == CSIGN_OK)
		l->err = look_for_quiet(l, user);
	return l->err == CSIGN_OK;
}

static enum csign_err
collect(struct listing *l, const char *user)
{
	enum csign_err err;

	if (user != NULL) {
		(void)add_user(l, user);
		return l->err;
	}
	err = csign_users_each(l->ctx, add_user, l);
	return l->err != CSIGN_OK ? l->err : err;
}

/* What there is also goes out when there is nothing: an empty array. */
static void
print(struct listing *l)
{
	struct json_object *o;

	if (l->array == NULL) {
		if (out_table_rows(l->table) > 0)
			out_table_print(l->table);
		else
			(void)printf("No devices are enrolled.\n");
		if (out_table_rows(l->quiet_table) > 0) {
			(void)printf("\n");
			out_table_print(l->quiet_table);
		}
		return;
	}
	o = json_object_new_object();
	(void)out_json_add(o, "devices", l->array);
	(void)out_json_add(o, "quiet", l->quiet_array);
	l->array = l->quiet_array = NULL;
	out_json_print(o);
}

enum out_status
cmd_devices(const struct args *args)
{
	const char *const heads[] = {
	    "USER", "NAME", "KIND", "ID", "ADDED", "LAST USED"};
	const char *const quiet_heads[] = {"USER", "PHONES DO NOT RING NOW"};
	struct listing l = {.err = CSIGN_OK};
	enum out_status status;
	enum csign_err err;

	if ((err = common_context(args, &l.ctx)) != CSIGN_OK)
		return out_status(err);
	if (args_flag(args, OPT_JSON)) {
		l.array = json_object_new_array();
		l.quiet_array = json_object_new_array();
	} else {
		l.table = out_table_new(sizeof heads / sizeof heads[0], heads);
		l.quiet_table = out_table_new(2, quiet_heads);
	}
	if ((l.array == NULL || l.quiet_array == NULL) &&
	    (l.table == NULL || l.quiet_table == NULL))
		err = CSIGN_E_NOMEM;
	else
		err = collect(&l, args->operand[0]);
	if (err == CSIGN_OK || (err == CSIGN_E_UNENROLLED && l.array != NULL))
		print(&l);
	status = err == CSIGN_OK ? STATUS_YES : common_fail(l.ctx, err);
	json_object_put(l.array);
	json_object_put(l.quiet_array);
	out_table_free(&l.table);
	out_table_free(&l.quiet_table);
	csign_ctx_free(&l.ctx);
	return status;
}
