/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing accounts back from a backup: csign_backup_restore().  A backup is
 * old, and whoever stole a phone or read a sheet of codes may have waited for
 * it: what this host knows always wins, and what it knows to be over stays so
 * (countersign-security(7) RC-4, ENR-8).
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "change.h"
#include "ctx.h"
#include "device.h"
#include "dir.h"
#include "secret.h"
#include "state.h"
#include "state_file.h"

struct restore {
	struct csign_ctx *ctx;
	const struct csign_backup *backup;
	unsigned int flags;
	const char *by;
	void (*report)(void *arg, const char *line);
	void *arg;
};

/* One account on its way back. */
struct merge {
	const struct restore *rs;
	struct csign_change ch; /* its list becomes the new one */
	struct csign_device_list saved_list;
	struct csign_state saved;
	struct csign_state now; /* what this host remembers */
	struct csign_state merged;
	size_t n_devices, n_codes; /* that come back */
	char codes_left[4];        /* for the record */
};

/* --- reports -------------------------------------------------------------- */

static void say(const struct restore *rs, const char *fmt, ...)
    CSIGN_PRINTF(2, 3);

static void
say(const struct restore *rs, const char *fmt, ...)
{
	char text[CSIGN_WHY_SIZE];
	struct csign_why why;
	va_list ap;

	if (rs->report == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	csign_why_set(&why, "%s", text);
	rs->report(rs->arg, why.text);
}

static void
leave_out(const struct merge *m, const struct csign_device *device,
    const char *reason)
{
	char id[20];

	csign_device_id_show(device->id, id);
	say(m->rs, "%s: left out: device %s \"%s\": %s", m->ch.account.name, id,
	    device->name, reason);
}

static void
say_result(const struct merge *m, bool changed)
{
	const char *user = m->ch.account.name;
	const char *did = (m->rs->flags & CSIGN_RESTORE_DRY_RUN) != 0
			      ? "would bring back"
			      : "brought back";

	if (!changed)
		say(m->rs, "%s: nothing to bring back", user);
	else if (m->n_devices == 0 && m->n_codes == 0)
		say(m->rs, "%s: %s what was remembered of its devices", user,
		    did);
	else if (m->n_codes == 0)
		say(m->rs, "%s: %s %zu device%s", user, did, m->n_devices,
		    m->n_devices == 1 ? "" : "s");
	else
		say(m->rs, "%s: %s %zu device%s and %zu recovery code%s", user,
		    did, m->n_devices, m->n_devices == 1 ? "" : "s", m->n_codes,
		    m->n_codes == 1 ? "" : "s");
}

/* --- devices -------------------------------------------------------------- */

/* NULL if nothing speaks against it, else what does. */
static enum csign_err
objection(const struct merge *m, const struct csign_device *device,
    char owner[CSIGN_USER_MAX + 1], const char **ret_reason)
{
	struct csign_ctx *ctx = m->rs->ctx;
	const char *reason = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = csign_devices_owner(
	    ctx->crypto, ctx->settings.state_dir, device, owner, &ctx->why);
	if (r == CSIGN_E_NOMEM)
		return r;
	if (csign_state_is_gone(&m->now, device->id))
		reason = "it was revoked on this host";
	else if (csign_state_is_gone(&m->saved, device->id))
		reason = "it was revoked before the backup was made";
	else if (r != CSIGN_OK)
		reason = ctx->why.text; /* whose it is cannot be found out */
	else if (owner[0] != '\0')
		reason = "its key is in use here";
	else if (m->ch.list.n >= ctx->settings.max_devices ||
		 m->ch.list.n >= CSIGN_DEVICES_MAX)
		reason = "the account would have more than max_devices";
	*ret_reason = reason;
	return CSIGN_OK;
}

/* This host's own devices stay as they are; others join them. */
static enum csign_err
merge_devices(struct merge *m)
{
	struct csign_device_list *list = &m->ch.list;
	struct csign_device *items = NULL;
	const struct csign_device *device = NULL;
	char owner[CSIGN_USER_MAX + 1] = "";
	const char *reason = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((items = calloc(CSIGN_DEVICES_MAX, sizeof(*items))) == NULL)
		return CSIGN_E_NOMEM;
	if (list->n > 0)
		memcpy(items, list->items, list->n * sizeof(*items));
	free(list->items);
	list->items = items;
	for (size_t i = 0; i < m->saved_list.n; i++) {
		device = &m->saved_list.items[i];
		if (csign_device_by_id(list, device->id) != NULL)
			continue;
		if ((r = objection(m, device, owner, &reason)) != CSIGN_OK)
			return r;
		if (reason != NULL) {
			leave_out(m, device, reason);
			continue;
		}
		items[list->n++] = *device;
		m->n_devices++;
	}
	return CSIGN_OK;
}

/* --- memory --------------------------------------------------------------- */

/* A counter never goes down, and a use is never forgotten. */
static void
merge_uses(struct merge *m)
{
	const struct csign_device_use *from = NULL;
	struct csign_device_use *to = NULL;

	for (size_t i = 0; i < m->saved.n_uses; i++) {
		from = &m->saved.uses[i];
		if (csign_device_by_id(&m->ch.list, from->id) == NULL)
			continue;
		to = csign_state_use(&m->merged, from->id);
		if (to == NULL) {
			csign_state_prune(&m->merged, &m->ch.list);
			to = csign_state_use(&m->merged, from->id);
		}
		if (to == NULL)
			continue;
		if (from->counter > to->counter)
			to->counter = from->counter;
		if (from->last_used > to->last_used)
			to->last_used = from->last_used;
	}
}

/* What was gone when the backup was made is older than what is gone now. */
static void
merge_gone(struct merge *m)
{
	struct csign_state *to = &m->merged;
	const struct csign_device_gone *from = NULL;

	for (size_t i = m->saved.n_gone; i-- > 0;) {
		from = &m->saved.gone[i];
		if (to->n_gone == CSIGN_DEVICES_GONE_MAX ||
		    csign_state_is_gone(to, from->id) ||
		    csign_device_by_id(&m->ch.list, from->id) != NULL)
			continue;
		memmove(&to->gone[1], &to->gone[0],
		    to->n_gone * sizeof(to->gone[0]));
		to->gone[0] = *from;
		to->n_gone++;
	}
}

/* A code that either side saw used is used. */
static void
merge_tombstones(struct merge *m)
{
	struct csign_recovery_code *to = NULL;
	const struct csign_recovery_code *from = NULL;

	for (size_t i = 0; i < m->merged.n_codes; i++) {
		to = &m->merged.codes[i];
		for (size_t k = 0; k < m->saved.n_codes; k++) {
			from = &m->saved.codes[k];
			if (to->used == 0 &&
			    csign_equal(to->hash, from->hash, sizeof(to->hash)))
				to->used = from->used;
		}
	}
}

/*
 * Whoever has no record of recovery codes cannot know which were used; so they
 * come back only for who asks for it.
 */
static void
merge_codes(struct merge *m)
{
	size_t left = csign_state_codes_left(&m->saved);
	const char *user = m->ch.account.name;

	merge_tombstones(m);
	if (m->saved.recovery_made == 0 ||
	    m->saved.recovery_made == m->now.recovery_made)
		return;
	if (m->now.recovery_made != 0) {
		if (left > 0)
			say(m->rs,
			    "%s: left out: %zu recovery code%s: this host has "
			    "a record of its own",
			    user, left, left == 1 ? "" : "s");
		return;
	}
	if ((m->rs->flags & CSIGN_RESTORE_RECOVERY) == 0) {
		if (left > 0)
			say(m->rs,
			    "%s: left out: %zu recovery code%s: this host "
			    "does not know which were used since",
			    user, left, left == 1 ? "" : "s");
		return;
	}
	m->merged.recovery_made = m->saved.recovery_made;
	memcpy(m->merged.codes, m->saved.codes, sizeof(m->merged.codes));
	m->merged.n_codes = m->saved.n_codes;
	m->n_codes = left;
	(void)snprintf(m->codes_left, sizeof(m->codes_left), "%zu", left % 100);
	m->ch.codes_left = m->codes_left;
}

/* Does this host remember anything at all of the account? */
static bool
is_blank(const struct csign_state *state)
{
	return !state->had_device && state->n_uses == 0 &&
	       state->recovery_made == 0 && state->n_gone == 0;
}

static void
merge_memory(struct merge *m)
{
	m->merged = m->now;
	/* Cleared here by a de-enrolment, the mark stays so. */
	if (m->ch.list.n > 0 || (is_blank(&m->now) && m->saved.had_device))
		m->merged.had_device = true;
	merge_uses(m);
	merge_gone(m);
	merge_codes(m);
}

/* --- one account ---------------------------------------------------------- */

static enum csign_err
has_changed(const struct merge *m, bool *ret_changed)
{
	struct csign_crypto *crypto = m->rs->ctx->crypto;
	struct csign_buf *was = NULL, *is = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_buf_new(CSIGN_FILE_MAX, &was)) == CSIGN_OK &&
	    (r = csign_buf_new(CSIGN_FILE_MAX, &is)) == CSIGN_OK &&
	    (r = csign_state_format(crypto, &m->ch.account, &m->now, was)) ==
		CSIGN_OK &&
	    (r = csign_state_format(crypto, &m->ch.account, &m->merged, is)) ==
		CSIGN_OK)
		*ret_changed = m->n_devices > 0 || strcmp(csign_buf_str(was),
						       csign_buf_str(is)) != 0;
	csign_buf_free(&was);
	csign_buf_free(&is);
	return r;
}

/*
 * The state first, so that a device comes with its counter and none comes that
 * is gone; codes, which had no record here, come last.
 */
static enum csign_err
write_all(struct merge *m)
{
	struct csign_ctx *ctx = m->rs->ctx;
	struct csign_state before = m->merged;
	enum csign_err r = CSIGN_E_INTERNAL;
	bool codes = m->merged.recovery_made != m->now.recovery_made;

	if (codes)
		before.recovery_made = before.n_codes = 0;
	if ((r = csign_state_write(m->ch.lock, &before, &ctx->why)) != CSIGN_OK)
		return r;
	if (m->n_devices > 0 && (r = csign_change_write(&m->ch)) != CSIGN_OK)
		return r;
	return codes ? csign_state_write(m->ch.lock, &m->merged, &ctx->why)
		     : CSIGN_OK;
}

static enum csign_err
write_recorded(struct merge *m)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_change_audit(&m->ch, NULL, "granted", CSIGN_OK)) !=
	    CSIGN_OK)
		return r;
	r = write_all(m);
	return r == CSIGN_OK ? r : csign_change_failed(&m->ch, NULL, r);
}

/* What the backup has of it. */
static enum csign_err
read_saved(struct merge *m, const struct csign_account *whose)
{
	const struct csign_backup *backup = m->rs->backup;
	struct csign_ctx *ctx = m->rs->ctx;
	const struct csign_backup_file *file = NULL;
	enum csign_err r = CSIGN_OK;

	file = csign_backup_find(backup, CSIGN_STORE_DEVICES, whose);
	if (file != NULL)
		r = csign_devices_parse(ctx->crypto, file->path, file->text.at,
		    file->text.len, whose, &m->saved_list, &ctx->why);
	file = csign_backup_find(backup, CSIGN_STORE_STATE, whose);
	if (r == CSIGN_OK && file != NULL)
		r = csign_state_parse(ctx->crypto, file->path, file->text.at,
		    file->text.len, whose, &m->saved, &ctx->why);
	return r;
}

/*
 * What this host has of it, under its lock.  CSIGN_E_NOT_FOUND: the account
 * has to be left out, for the reason in why.
 */
static enum csign_err
read_present(struct merge *m, const struct csign_account *whose)
{
	struct csign_ctx *ctx = m->rs->ctx;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = csign_change_begin(&m->ch, whose->name);
	if (r == CSIGN_E_UNKNOWN_USER || r == CSIGN_E_INVALID)
		return CSIGN_E_NOT_FOUND;
	if (r != CSIGN_OK)
		return r;
	if (m->ch.account.uid != whose->uid ||
	    strcmp(m->ch.account.file, whose->file) != 0) {
		csign_why_set(&ctx->why,
		    "the name or the uid belongs to another account now");
		return CSIGN_E_NOT_FOUND;
	}
	r = csign_state_read(m->ch.lock, &m->now, &ctx->why);
	if (r == CSIGN_OK)
		r = csign_change_read(&m->ch);
	if (r == CSIGN_E_STATE || r == CSIGN_E_DEVICES || r == CSIGN_E_FILE)
		return CSIGN_E_NOT_FOUND;
	return r == CSIGN_E_UNENROLLED ? CSIGN_OK : r;
}

static enum csign_err
merge_account(struct merge *m, const struct csign_account *whose)
{
	bool changed = false, dry = (m->rs->flags & CSIGN_RESTORE_DRY_RUN) != 0;
	struct csign_ctx *ctx = m->rs->ctx;
	enum csign_err r = CSIGN_E_INTERNAL;
	int store = -1;

	if ((r = read_saved(m, whose)) != CSIGN_OK)
		return r;
	r = read_present(m, whose);
	if (r == CSIGN_E_NOT_FOUND) {
		say(m->rs, "%s: left out: %s", whose->name, ctx->why.text);
		return CSIGN_OK;
	}
	/* Nobody else takes a key that was looked for and not found. */
	if (r != CSIGN_OK || (r = csign_devices_lock(ctx->settings.state_dir,
				  &ctx->why, &store)) != CSIGN_OK)
		return r;
	if ((r = merge_devices(m)) != CSIGN_OK)
		goto out;
	merge_memory(m);
	if ((r = has_changed(m, &changed)) != CSIGN_OK ||
	    (changed && !dry && (r = write_recorded(m)) != CSIGN_OK))
		goto out;
	say_result(m, changed);
	ctx->why.text[0] = '\0';
out:
	csign_close(&store);
	return r;
}

static enum csign_err
restore_account(const struct restore *rs, const struct csign_account *whose)
{
	struct merge *m = calloc(1, sizeof(*m));
	enum csign_err r = CSIGN_E_INTERNAL;

	if (m == NULL)
		return CSIGN_E_NOMEM;
	m->rs = rs;
	m->ch.ctx = rs->ctx;
	m->ch.event = "restore";
	m->ch.by = rs->by;
	r = merge_account(m, whose);
	csign_device_list_clear(&m->saved_list);
	csign_change_end(&m->ch);
	free(m);
	return r;
}

enum csign_err
csign_backup_restore(struct csign_ctx *ctx, const char *text, size_t len,
    unsigned int flags, const char *by,
    void (*report)(void *arg, const char *line), void *arg)
{
	struct csign_backup backup = {NULL, 0};
	const struct restore rs = {ctx, &backup, flags, by, report, arg};
	enum csign_err r = CSIGN_E_INTERNAL;

	if (!csign_ctx_enter(ctx) || text == NULL ||
	    (flags & ~(CSIGN_RESTORE_RECOVERY | CSIGN_RESTORE_DRY_RUN)) != 0)
		return CSIGN_E_INVALID;
	if ((r = csign_backup_parse(
		 ctx->crypto, text, len, &backup, &ctx->why)) != CSIGN_OK)
		return r;
	/* In order: devices/ first, then the states that no devices have. */
	for (size_t i = 0; i < backup.n && r == CSIGN_OK; i++) {
		const struct csign_backup_file *file = &backup.files[i];
		const struct csign_backup_file *devices = csign_backup_find(
		    &backup, CSIGN_STORE_DEVICES, &file->whose);

		if (devices == NULL || devices == file)
			r = restore_account(&rs, &file->whose);
	}
	csign_backup_clear(&backup);
	return r;
}
