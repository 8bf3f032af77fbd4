/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "answer.h"
#include "change.h"
#include "device.h"
#include "proof.h"
#include "removal.h"
#include "state.h"
#include "transaction.h"

/* A note that was read. */
struct note {
	struct csign_answer answer;
	struct csign_change change; /* of its device's owner */
};

/*
 * Did this device sign to be removed from this account of this host?  By the
 * steps of every proof, but for what would keep a device that has to go: the
 * kinds that may approve here, the time, which may be long ago, and the
 * counter, which may have been overtaken by an approval since.
 */
static enum csign_err
check_note(const struct note *n, const struct csign_device *device)
{
	static const struct csign_proof_policy policy = {
	    .kinds = CSIGN_KIND_BIT_WEBAUTHN | CSIGN_KIND_BIT_P256,
	    .any_time = true,
	};
	const struct csign_account *owner = &n->change.account;
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	struct csign_ctx *ctx = n->change.ctx;
	struct csign_proof_facts facts;
	struct csign_buf *bytes = NULL;
	enum csign_err r;

	if (strcmp(n->answer.choice, "remove") != 0)
		return CSIGN_E_PROOF_CHOICE;
	if ((r = csign_buf_new(CSIGN_TRANSACTION_MAX, &bytes)) != CSIGN_OK)
		return r;
	if ((r = csign_removal_write(ctx->settings.host, owner->name,
		 owner->uid, device->id, bytes)) == CSIGN_OK &&
	    (r = csign_challenge(ctx->crypto, "remove", csign_buf_data(bytes),
		 csign_buf_len(bytes), "", challenge)) == CSIGN_OK)
		r = csign_proof_check(ctx->crypto, device, &n->answer,
		    challenge, &policy, &facts);
	csign_buf_free(&bytes);
	return r;
}

/* The owner's devices as they are now, and a look at the one that is meant. */
static enum csign_err
look(struct note *n, const struct csign_device **ret_device)
{
	enum csign_err r;

	csign_device_list_clear(&n->change.list);
	if ((r = csign_change_read(&n->change)) != CSIGN_OK)
		return r;
	*ret_device = csign_device_by_id(&n->change.list, n->answer.device);
	return *ret_device == NULL ? CSIGN_E_NOT_FOUND
				   : check_note(n, *ret_device);
}

/* CSIGN_OK: the device is gone now, also if it was the last one. */
static enum csign_err
take_note(struct note *n, const char *owner)
{
	struct csign_change *ch = &n->change;
	const struct csign_device *device = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_account_find(owner, &ch->account, &ch->ctx->why)) !=
	    CSIGN_OK)
		return r;
	ch->by = ch->account.name;
	/* Before the lock: who cannot sign does not come to hold it. */
	if ((r = look(n, &device)) != CSIGN_OK) {
		if (device != NULL &&
		    csign_change_audit(ch, device, "refused", r) != CSIGN_OK)
			csign_debug(ch->ctx, "%s", ch->ctx->why.text);
		goto out;
	}
	if ((r = csign_change_begin(ch, owner)) != CSIGN_OK ||
	    (r = look(n, &device)) != CSIGN_OK)
		goto out;
	r = csign_change_remove(ch, (size_t)(device - ch->list.items));
out:
	csign_change_end(ch);
	return r;
}

/* Nobody has it: is that since it was removed, and only the service missed it?
 */
static enum csign_err
look_for_grave(const struct note *n, const struct csign_account *account)
{
	struct csign_ctx *ctx = n->change.ctx;
	struct csign_state state;
	enum csign_err r;

	if (account == NULL)
		return CSIGN_E_NOT_FOUND;
	if ((r = csign_state_peek(ctx->crypto, ctx->settings.state_dir, account,
		 &state, &ctx->why)) != CSIGN_OK)
		return r;
	return csign_state_is_gone(&state, n->answer.device)
		   ? CSIGN_OK
		   : CSIGN_E_NOT_FOUND;
}

/* CSIGN_OK: the service need not keep the note. */
static enum csign_err
settle(struct note *n, const struct csign_buf *bytes,
    const struct csign_account *a)
{
	struct csign_ctx *ctx = n->change.ctx;
	struct csign_device device = {0};
	char owner[CSIGN_USER_MAX + 1];
	enum csign_err r;

	if ((r = csign_answer_read(csign_buf_data(bytes), csign_buf_len(bytes),
		 false, &n->answer)) != CSIGN_OK)
		return r;
	memcpy(device.id, n->answer.device, sizeof(device.id));
	if ((r = csign_devices_owner(ctx->crypto, ctx->settings.state_dir,
		 &device, owner, &ctx->why)) != CSIGN_OK)
		return r;
	if (owner[0] == '\0')
		return look_for_grave(n, a);
	return take_note(n, owner);
}

void
csign_removals_take(struct csign_ctx *ctx, struct csign_exchange *ex,
    const struct csign_account *account)
{
	const struct csign_why why = ctx->why;
	const struct csign_buf *bytes;
	enum csign_err r;

	for (size_t i = 0; (bytes = csign_exchange_note(ex, i)) != NULL; i++) {
		struct note note = {.change = {.ctx = ctx, .event = "removal"}};

		if ((r = settle(&note, bytes, account)) == CSIGN_OK)
			csign_exchange_removed(ex, note.answer.device);
		else
			csign_debug(ctx, "a removal was ignored: %s",
			    csign_err_name(r));
	}
	ctx->why = why;
}
