/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "change.h"

enum csign_err
csign_change_begin(struct csign_change *ch, const char *user)
{
	struct csign_ctx *ctx = ch->ctx;
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_account_find(user, &ch->account, &ctx->why)) != CSIGN_OK)
		return r;
	return csign_state_lock(ctx->crypto, ctx->settings.state_dir,
	    &ch->account, &ctx->why, &ch->lock);
}

enum csign_err
csign_change_read(struct csign_change *ch)
{
	struct csign_ctx *ctx = ch->ctx;

	return csign_devices_read(ctx->crypto, ctx->settings.state_dir,
	    &ch->account, &ch->list, &ctx->why);
}

enum csign_err
csign_change_write(struct csign_change *ch)
{
	struct csign_ctx *ctx = ch->ctx;

	return csign_devices_write(ctx->crypto, ctx->settings.state_dir,
	    &ch->account, &ch->list, &ctx->why);
}

void
csign_change_end(struct csign_change *ch)
{
	csign_device_list_clear(&ch->list);
	csign_state_unlock(&ch->lock);
}

enum csign_err
csign_change_audit(const struct csign_change *ch,
    const struct csign_device *device, const char *result,
    enum csign_err reason)
{
	struct csign_ctx *ctx = ch->ctx;
	const struct csign_audit record = {
	    .event = ch->event,
	    .result = result,
	    .reason = reason,
	    .user = ch->account.name,
	    .uid = ch->account.uid == CSIGN_UID_ANY ? -1
						    : (int64_t)ch->account.uid,
	    .device = device == NULL ? NULL : device->id,
	    .device_name = device == NULL ? NULL : device->name,
	    .by = ch->by,
	    .codes_left = reason == CSIGN_OK ? ch->codes_left : NULL,
	    .config_hash = ctx->settings.config_hash,
	};

	return csign_audit_write(&ctx->settings, &record, &ctx->why);
}

enum csign_err
csign_change_failed(const struct csign_change *ch,
    const struct csign_device *device, enum csign_err reason)
{
	const struct csign_why why = ch->ctx->why;

	(void)!csign_change_audit(ch, device, "failed", reason);
	ch->ctx->why = why;
	return reason;
}

enum csign_err
csign_change_remove(struct csign_change *ch, size_t index)
{
	const struct csign_device removed = ch->list.items[index];
	struct csign_device *at = &ch->list.items[index];
	struct csign_why *why = &ch->ctx->why;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_state state;
	uint64_t now = 0;

	if ((r = csign_state_read(ch->lock, &state, why)) != CSIGN_OK ||
	    (r = csign_state_now(&now)) != CSIGN_OK ||
	    (r = csign_change_audit(ch, &removed, "granted", CSIGN_OK)) !=
		CSIGN_OK)
		return r;
	csign_state_bury(&state, removed.id, now);
	state.had_device = true;
	memmove(at, at + 1, (ch->list.n - index - 1) * sizeof(*at));
	ch->list.n--;
	/*
	 * The state first: from then on the device is gone, whatever becomes
	 * of its line, and nobody looks unenrolled (USR-2).
	 */
	if ((r = csign_state_write(ch->lock, &state, why)) != CSIGN_OK ||
	    (r = csign_change_write(ch)) != CSIGN_OK)
		return csign_change_failed(ch, &removed, r);
	return CSIGN_OK;
}
