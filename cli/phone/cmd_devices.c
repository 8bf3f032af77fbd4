/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign-phone devices: what this phone has enrolled for. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"

static bool
add_json(struct json_object *array, const struct store_entry *e)
{
	struct json_object *o = json_object_new_object();

	if (out_json_str(o, "id", e->id) && out_json_str(o, "name", e->name) &&
	    out_json_str(o, "host", e->host) &&
	    out_json_str(o, "user", e->user) &&
	    out_json_add(o, "uid", json_object_new_int64(e->uid)) &&
	    out_json_str(o, "origin", e->origin) &&
	    out_json_str(o, "added", e->added) &&
	    out_json_bool(o, "confirmed", e->confirmed) &&
	    json_object_array_add(array, o) == 0)
		return true;
	json_object_put(o);
	return false;
}

static bool
print_json(const struct store_entry *entries, size_t n)
{
	struct json_object *o = json_object_new_object();
	struct json_object *array = json_object_new_array();
	bool ok = array != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = add_json(array, &entries[i]);
	if (out_json_add(o, "devices", array) && ok) {
		out_json_print(o);
		return true;
	}
	json_object_put(o);
	return false;
}

static bool
print_table(const struct store_entry *entries, size_t n)
{
	const char *const heads[] = {
	    "HOST", "USER", "NAME", "ID", "ADDED", "STATE"};
	struct out_table *table =
	    out_table_new(sizeof heads / sizeof heads[0], heads);
	bool ok = table != NULL;
	char id[20];

	for (size_t i = 0; ok && i < n; i++) {
		const struct store_entry *e = &entries[i];
		const char *const cells[] = {e->host, e->user, e->name, id,
		    e->added, e->confirmed ? "enrolled" : "unconfirmed"};

		out_device_id(e->id, id);
		ok = out_table_row(table, cells);
	}
	if (ok && n > 0)
		out_table_print(table);
	else if (ok)
		(void)printf("This phone has enrolled for nobody yet.\n");
	out_table_free(&table);
	return ok;
}

enum out_status
cmd_devices(const struct args *args)
{
	struct phone phone;
	struct store_entry *entries = NULL;
	enum out_status status;
	enum csign_err r;
	size_t n = 0;

	if ((status = phone_open(&phone, args)) != STATUS_YES)
		return status;
	r = store_list(phone.store, &phone.why, &entries, &n);
	if (r == CSIGN_OK &&
	    !(args_flag(args, OPT_JSON) ? print_json(entries, n)
					: print_table(entries, n)))
		r = CSIGN_E_NOMEM;
	if (r != CSIGN_OK) {
		(void)phone_fail(&phone, r);
		status = STATUS_TROUBLE;
	}
	free(entries);
	phone_close(&phone);
	return status;
}
