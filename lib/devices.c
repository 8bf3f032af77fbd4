/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of an account, for admins: countersign.h, section devices. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "audit.h"
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

static enum csign_err
audit_removal(struct csign_ctx *ctx, const struct csign_account *account,
    const char *event, const struct csign_device *device)
{
	const struct csign_audit record = {
	    .event = event,
	    .result = "granted",
	    .reason = CSIGN_OK,
	    .user = account->name,
	    .uid = (int64_t)account->uid,
	    .device = device == NULL ? NULL : device->id,
	    .device_name = device == NULL ? NULL : device->name,
	    .config_hash = ctx->settings.config_hash,
	};

	return csign_audit_write(ctx->settings.audit_file, &record, &ctx->why);
}

/* Takes one out of the list and writes what is left; under the lock. */
static enum csign_err
remove_device(struct csign_ctx *ctx, const struct csign_account *account,
    const struct csign_state_lock *lock, struct csign_device_list *list,
    size_t index)
{
	struct csign_state state;
	enum csign_err r;

	if ((r = csign_state_read(lock, &state, &ctx->why)) != CSIGN_OK ||
	    (r = audit_removal(ctx, account, "revoke", &list->items[index])) !=
		CSIGN_OK)
		return r;
	csign_state_forget(&state, list->items[index].id);
	state.had_device = true;
	memmove(&list->items[index], &list->items[index + 1],
	    (list->n - index - 1) * sizeof(list->items[0]));
	list->n--;
	if ((r = csign_devices_write(ctx->crypto, ctx->settings.state_dir,
		 account, list, &ctx->why)) != CSIGN_OK)
		return r;
	return csign_state_write(lock, &state, &ctx->why);
}

enum csign_err
csign_device_revoke(struct csign_ctx *ctx, const char *user, const char *device,
    bool force, char ret_id[17])
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_device_list list = {NULL, 0};
	struct csign_state_lock *lock = NULL;
	struct csign_account account;
	char id[CSIGN_DEVICE_ID_SIZE];
	size_t index = 0;

	if (!csign_ctx_enter(ctx) || user == NULL || device == NULL ||
	    ret_id == NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_account_find(user, &account, &ctx->why)) != CSIGN_OK ||
	    (r = csign_state_lock(ctx->crypto, ctx->settings.state_dir,
		 &account, &ctx->why, &lock)) != CSIGN_OK ||
	    (r = csign_devices_read(ctx->crypto, ctx->settings.state_dir,
		 &account, &list, &ctx->why)) != CSIGN_OK ||
	    (r = find_device(ctx, &list, device, &index)) != CSIGN_OK)
		goto out;
	if (list.n == 1 && !force) {
		csign_why_set(&ctx->why,
		    "this is the last device of %s: without it nobody can "
		    "approve for this account",
		    account.name);
		r = CSIGN_E_LAST_DEVICE;
		goto out;
	}
	memcpy(id, list.items[index].id, sizeof(id));
	if ((r = remove_device(ctx, &account, lock, &list, index)) != CSIGN_OK)
		goto out;
	memcpy(ret_id, id, sizeof(id));
	r = CSIGN_OK;
out:
	csign_device_list_clear(&list);
	csign_state_unlock(&lock);
	return r;
}

enum csign_err
csign_user_deenroll(struct csign_ctx *ctx, const char *user)
{
	static const struct csign_device_list nothing = {NULL, 0};
	static const struct csign_state empty = {0};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_state_lock *lock = NULL;
	struct csign_account account;

	if (!csign_ctx_enter(ctx) || user == NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_account_find(user, &account, &ctx->why)) != CSIGN_OK ||
	    (r = csign_state_lock(ctx->crypto, ctx->settings.state_dir,
		 &account, &ctx->why, &lock)) != CSIGN_OK ||
	    (r = audit_removal(ctx, &account, "deenrol", NULL)) != CSIGN_OK ||
	    (r = csign_devices_write(ctx->crypto, ctx->settings.state_dir,
		 &account, &nothing, &ctx->why)) != CSIGN_OK)
		goto out;
	/* The mark goes last: until then, nobody looks unenrolled (USR-2). */
	r = csign_state_write(lock, &empty, &ctx->why);
out:
	csign_state_unlock(&lock);
	return r;
}
