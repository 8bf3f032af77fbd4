/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ending an account's enrolment: csign_user_deenroll().  Also for a name that
 * no account has any more, and for what an earlier holder of the name or of the
 * uid has left.
 */
#include "config.h"

#include <string.h>

#include "account.h"
#include "change.h"
#include "ctx.h"
#include "device.h"
#include "state.h"
#include "store.h"

/*
 * What stays of the account's memory: that its codes are over and that its
 * devices are gone, so that no backup brings them back.
 */
static enum csign_err
last_memory(struct csign_change *ch, struct csign_state *ret_state)
{
	struct csign_state state;
	enum csign_err r = CSIGN_E_INTERNAL;
	uint64_t now = 0;

	if ((r = csign_state_now(&now)) != CSIGN_OK)
		return r;
	r = csign_state_read(ch->lock, &state, &ch->ctx->why);
	if (r != CSIGN_OK && r != CSIGN_E_STATE)
		return r;
	/* One that cannot be read is given up; no older codes come back. */
	if (r == CSIGN_E_STATE)
		state = (struct csign_state){.recovery_made = now};
	for (size_t i = 0; i < state.n_codes; i++) {
		if (state.codes[i].used == 0)
			state.codes[i].used = now;
	}
	/* Devices that cannot be read, or are another's, are not known. */
	if (csign_change_read(ch) != CSIGN_OK)
		csign_device_list_clear(&ch->list);
	for (size_t i = 0; i < ch->list.n; i++)
		csign_state_bury(&state, ch->list.items[i].id, now);
	csign_device_list_clear(&ch->list);
	state.n_uses = 0;
	state.had_device = true;
	*ret_state = state;
	return CSIGN_OK;
}

/* An account that there is, whatever its files say; its lock is held. */
static enum csign_err
end_account(struct csign_change *ch)
{
	struct csign_why *why = &ch->ctx->why;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_state state;

	if ((r = last_memory(ch, &state)) != CSIGN_OK ||
	    (r = csign_change_audit(ch, NULL, "granted", CSIGN_OK)) != CSIGN_OK)
		return r;
	if ((r = csign_state_write(ch->lock, &state, why)) != CSIGN_OK ||
	    (r = csign_change_write(ch)) != CSIGN_OK)
		return csign_change_failed(ch, NULL, r);
	/* The mark goes last: until then, nobody looks unenrolled (USR-2). */
	state.had_device = false;
	if ((r = csign_state_write(ch->lock, &state, why)) != CSIGN_OK)
		return csign_change_failed(ch, NULL, r);
	return CSIGN_OK;
}

/* --- what others have left ------------------------------------------------ */

/* State files that name this user with another uid than his. */
struct leftovers {
	struct csign_change *ch;
	bool remove; /* else they are only counted */
	size_t n;
	enum csign_err error;
};

static bool
visit_leftover(void *arg, const struct csign_account *whose)
{
	struct leftovers *left = arg;
	struct csign_change *ch = left->ch;
	struct csign_ctx *ctx = ch->ctx;
	struct csign_state_lock *lock = NULL;

	if (whose->name[0] == '\0' || whose->uid == ch->account.uid ||
	    strcmp(whose->file, ch->account.file) != 0)
		return true;
	left->n++;
	if (!left->remove)
		return true;
	left->error = csign_state_lock(
	    ctx->crypto, ctx->settings.state_dir, whose, &ctx->why, &lock);
	if (left->error == CSIGN_OK)
		left->error = csign_state_remove(lock, &ctx->why);
	csign_state_unlock(&lock);
	return left->error == CSIGN_OK;
}

static enum csign_err
visit_leftovers(struct csign_change *ch, bool remove, size_t *ret_n)
{
	struct leftovers left = {ch, remove, 0, CSIGN_OK};
	enum csign_err r = csign_state_each(
	    ch->ctx->settings.state_dir, visit_leftover, &left, &ch->ctx->why);

	if (r == CSIGN_OK)
		r = left.error;
	if (r == CSIGN_OK)
		*ret_n = left.n;
	return r;
}

/* Is there a devices file of this name?  With a uid that its header says. */
static enum csign_err
find_file(struct csign_change *ch, bool *ret_there)
{
	struct csign_ctx *ctx = ch->ctx;
	struct csign_buf *text = NULL;
	struct csign_account whose;
	enum csign_err r = csign_store_read(ctx->settings.state_dir,
	    CSIGN_STORE_DEVICES, ch->account.file, &ctx->why, &text);

	*ret_there = r != CSIGN_E_NOT_FOUND;
	if (r == CSIGN_OK &&
	    csign_devices_whose(
		csign_buf_str(text), csign_buf_len(text), &whose) == CSIGN_OK &&
	    strcmp(whose.file, ch->account.file) == 0)
		ch->account.uid = whose.uid;
	csign_buf_free(&text);
	/* One that cannot be read can be removed all the same. */
	return r == CSIGN_E_NOMEM ? r : CSIGN_OK;
}

/* A name that no account has. */
static enum csign_err
end_name(struct csign_change *ch, const char *user)
{
	const struct csign_why unknown = ch->ctx->why;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_ctx *ctx = ch->ctx;
	bool there = false;
	size_t n = 0;

	ch->account = (struct csign_account){.uid = CSIGN_UID_ANY};
	if (strlen(user) > CSIGN_USER_MAX ||
	    csign_account_file_name(user, ch->account.file) != CSIGN_OK)
		return CSIGN_E_UNKNOWN_USER;
	memcpy(ch->account.name, user, strlen(user) + 1);
	if ((r = visit_leftovers(ch, false, &n)) != CSIGN_OK ||
	    (r = find_file(ch, &there)) != CSIGN_OK)
		return r;
	if (!there && n == 0) {
		ctx->why = unknown;
		return CSIGN_E_UNKNOWN_USER;
	}
	if ((r = csign_change_audit(ch, NULL, "granted", CSIGN_OK)) != CSIGN_OK)
		return r;
	if (ch->account.uid != CSIGN_UID_ANY &&
	    (r = csign_state_lock(ctx->crypto, ctx->settings.state_dir,
		 &ch->account, &ctx->why, &ch->lock)) != CSIGN_OK)
		return csign_change_failed(ch, NULL, r);
	r = csign_change_write(ch);
	csign_state_unlock(&ch->lock);
	if (r != CSIGN_OK)
		return csign_change_failed(ch, NULL, r);
	/* Every state that names it, also that of the same uid. */
	ch->account.uid = CSIGN_UID_ANY;
	return CSIGN_OK;
}

enum csign_err
csign_user_deenroll(struct csign_ctx *ctx, const char *user, const char *by)
{
	struct csign_change ch = {.ctx = ctx, .event = "deenrol", .by = by};
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t n = 0;

	if (!csign_ctx_enter(ctx) || user == NULL)
		return CSIGN_E_INVALID;
	r = csign_change_begin(&ch, user);
	if (r == CSIGN_OK)
		r = end_account(&ch);
	else if (r == CSIGN_E_UNKNOWN_USER)
		r = end_name(&ch, user);
	if (r == CSIGN_OK)
		r = visit_leftovers(&ch, true, &n);
	csign_change_end(&ch);
	return r;
}
