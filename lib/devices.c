/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of an account, for admins: countersign.h, section devices. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "change.h"
#include "ctx.h"
#include "device.h"
#include "device_info.h"
#include "state.h"

struct csign_devices {
	struct csign_device_list list;
	struct csign_device_info info[CSIGN_DEVICES_MAX];
	struct csign_device_texts texts[CSIGN_DEVICES_MAX];
};

enum csign_err
csign_device_describe(const struct csign_device *device, uint64_t last_used,
    struct csign_device_info *ret_info, struct csign_device_texts *texts)
{
	enum csign_err r;

	texts->last_used[0] = '\0';
	if ((r = csign_time_format(device->added, texts->added)) != CSIGN_OK)
		return r;
	if (last_used != 0 &&
	    (r = csign_time_format(last_used, texts->last_used)) != CSIGN_OK)
		return r;
	*ret_info = (struct csign_device_info){
	    .kind = csign_kind_name(device->kind),
	    .id = device->id,
	    .name = device->name,
	    .added = texts->added,
	    .by = device->by,
	    .last_used = texts->last_used,
	    .rp = device->rp,
	    .synced = device->backup_eligible,
	};
	return CSIGN_OK;
}

enum csign_err
csign_devices_load(
    struct csign_ctx *ctx, const char *user, struct csign_devices **ret_devices)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_devices *d = NULL;
	struct csign_account account;
	struct csign_state state;

	if (!csign_ctx_enter(ctx) || user == NULL || ret_devices == NULL)
		return CSIGN_E_INVALID;
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return CSIGN_E_NOMEM;
	if ((r = csign_account_find(user, &account, &ctx->why)) != CSIGN_OK ||
	    (r = csign_devices_read(ctx->crypto, ctx->settings.state_dir,
		 &account, &d->list, &ctx->why)) != CSIGN_OK ||
	    (r = csign_state_peek(ctx->crypto, ctx->settings.state_dir,
		 &account, &state, &ctx->why)) != CSIGN_OK)
		goto out;
	for (size_t i = 0; i < d->list.n; i++) {
		const struct csign_device *item = &d->list.items[i];
		const struct csign_device_use *use =
		    csign_state_use(&state, item->id);

		if ((r = csign_device_describe(item,
			 use == NULL ? 0 : use->last_used, &d->info[i],
			 &d->texts[i])) != CSIGN_OK)
			goto out;
	}
	*ret_devices = d;
	d = NULL;
	r = CSIGN_OK;
out:
	csign_devices_free(&d);
	return r;
}

void
csign_devices_free(struct csign_devices **devices)
{
	if (devices == NULL || *devices == NULL)
		return;
	csign_device_list_clear(&(*devices)->list);
	free(*devices);
	*devices = NULL;
}

size_t
csign_devices_count(const struct csign_devices *devices)
{
	return devices == NULL ? 0 : devices->list.n;
}

const struct csign_device_info *
csign_devices_get(const struct csign_devices *devices, size_t index)
{
	return devices == NULL || index >= devices->list.n
		   ? NULL
		   : &devices->info[index];
}

enum csign_err
csign_users_each(struct csign_ctx *ctx,
    bool (*visit)(void *arg, const char *user), void *arg)
{
	if (!csign_ctx_enter(ctx) || visit == NULL)
		return CSIGN_E_INVALID;
	return csign_devices_each(
	    ctx->settings.state_dir, visit, arg, &ctx->why);
}

/* Is text this id, perhaps with the dashes that people are shown? */
static bool
is_id(const char *text, const char *id)
{
	for (; *text != '\0'; text++) {
		if (*text == '-')
			continue;
		if (*text != *id)
			return false;
		id++;
	}
	return *id == '\0';
}

/* By id, else by a name that only one device has; the index of it. */
static enum csign_err
find_device(struct csign_ctx *ctx, const struct csign_device_list *list,
    const char *wanted, size_t *ret_index)
{
	size_t found = list->n, n_found = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (is_id(wanted, list->items[i].id)) {
			*ret_index = i;
			return CSIGN_OK;
		}
		if (strcmp(wanted, list->items[i].name) == 0) {
			found = i;
			n_found++;
		}
	}
	if (n_found == 1) {
		*ret_index = found;
		return CSIGN_OK;
	}
	if (n_found > 1) {
		csign_why_set(&ctx->why,
		    "%zu devices are called \"%s\": name one by its id",
		    n_found, wanted);
		return CSIGN_E_INVALID;
	}
	csign_why_set(&ctx->why, "there is no device \"%s\"", wanted);
	return CSIGN_E_NOT_FOUND;
}

/* --- changing ------------------------------------------------------------- */

/* Takes the lock, and finds the device in the list that it protects. */
static enum csign_err
begin(struct csign_change *ch, const char *user, const char *device,
    size_t *ret_index)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_change_begin(ch, user)) != CSIGN_OK ||
	    (r = csign_change_read(ch)) != CSIGN_OK)
		return r;
	return find_device(ch->ctx, &ch->list, device, ret_index);
}

enum csign_err
csign_device_revoke(struct csign_ctx *ctx, const char *user, const char *device,
    bool force, const char *by, char ret_id[17])
{
	struct csign_change ch = {.ctx = ctx, .event = "revoke", .by = by};
	enum csign_err r = CSIGN_E_INTERNAL;
	char id[CSIGN_DEVICE_ID_SIZE];
	size_t index = 0;

	if (!csign_ctx_enter(ctx) || user == NULL || device == NULL ||
	    ret_id == NULL)
		return CSIGN_E_INVALID;
	if ((r = begin(&ch, user, device, &index)) != CSIGN_OK)
		goto out;
	if (ch.list.n == 1 && !force) {
		csign_why_set(&ctx->why,
		    "this is the last device of %s: without it nobody can "
		    "approve for this account",
		    ch.account.name);
		r = CSIGN_E_LAST_DEVICE;
		goto out;
	}
	memcpy(id, ch.list.items[index].id, sizeof(id));
	if ((r = csign_change_remove(&ch, index)) != CSIGN_OK)
		goto out;
	memcpy(ret_id, id, sizeof(id));
	r = CSIGN_OK;
out:
	csign_change_end(&ch);
	return r;
}

/* Fit to be stored, and to find the device by. */
static enum csign_err
check_new_name(const struct csign_change *ch, size_t index, const char *name)
{
	struct csign_why *why = &ch->ctx->why;

	if (name[0] == '\0' || csign_device_name_check(name) != CSIGN_OK) {
		csign_why_set(why,
		    "a name has 1 to %d bytes, and nothing in it that cannot "
		    "be shown as it is",
		    CSIGN_DEVICE_NAME_MAX);
		return CSIGN_E_INVALID;
	}
	for (size_t i = 0; i < ch->list.n; i++) {
		if (i == index || strcmp(ch->list.items[i].name, name) != 0)
			continue;
		csign_why_set(why, "another device is called \"%s\"", name);
		return CSIGN_E_EXISTS;
	}
	return CSIGN_OK;
}

enum csign_err
csign_device_rename(struct csign_ctx *ctx, const char *user, const char *device,
    const char *name, const char *by, char ret_id[17])
{
	struct csign_change ch = {.ctx = ctx, .event = "rename", .by = by};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_device *found = NULL;
	size_t index = 0;

	if (!csign_ctx_enter(ctx) || user == NULL || device == NULL ||
	    name == NULL || ret_id == NULL)
		return CSIGN_E_INVALID;
	if ((r = begin(&ch, user, device, &index)) != CSIGN_OK ||
	    (r = check_new_name(&ch, index, name)) != CSIGN_OK)
		goto out;
	found = &ch.list.items[index];
	memcpy(found->name, name, strlen(name) + 1);
	if ((r = csign_change_audit(&ch, found, "granted", CSIGN_OK)) !=
	    CSIGN_OK)
		goto out;
	if ((r = csign_change_write(&ch)) != CSIGN_OK) {
		r = csign_change_failed(&ch, found, r);
		goto out;
	}
	memcpy(ret_id, found->id, sizeof(found->id));
	r = CSIGN_OK;
out:
	csign_change_end(&ch);
	return r;
}
