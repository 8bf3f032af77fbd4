/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a backup: csign_backup_make(). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "buf.h"
#include "clock.h"
#include "ctx.h"
#include "device.h"
#include "state.h"
#include "state_file.h"

/* The files as they are collected; a text of the buffer is its own. */
struct saved {
	char path[CSIGN_BACKUP_PATH_SIZE];
	struct csign_buf *text;
};

struct collection {
	struct csign_ctx *ctx;
	struct saved *items;
	size_t n, room;
	enum csign_err error;
};

static void
clear(struct collection *c)
{
	for (size_t i = 0; i < c->n; i++)
		csign_buf_free(&c->items[i].text);
	free(c->items);
	c->items = NULL;
}

static bool
has(const struct collection *c, const char *path)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->items[i].path, path) == 0)
			return true;
	}
	return false;
}

/* Takes over *text. */
static enum csign_err
add(struct collection *c, const char *path, struct csign_buf **text)
{
	struct saved *larger = NULL;
	size_t room = c->room * 2 + 16;

	if (c->n == c->room) {
		larger = reallocarray(c->items, room, sizeof(*c->items));
		if (larger == NULL)
			return CSIGN_E_NOMEM;
		c->items = larger;
		c->room = room;
	}
	memcpy(c->items[c->n].path, path, strlen(path) + 1);
	c->items[c->n++].text = *text;
	*text = NULL;
	return CSIGN_OK;
}

/*
 * How often phones rang is of this host and of these days: a state without its
 * limits.
 */
static enum csign_err
without_limits(struct csign_ctx *ctx, const struct csign_account *account,
    struct csign_buf **text)
{
	struct csign_buf *out = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_state state;

	if ((r = csign_buf_new(CSIGN_FILE_MAX, &out)) != CSIGN_OK ||
	    (r = csign_state_parse(ctx->crypto, "", csign_buf_str(*text),
		 csign_buf_len(*text), account, &state, &ctx->why)) != CSIGN_OK)
		goto out;
	state.limit = (struct csign_limit){.n_pushes = 0};
	r = csign_state_format(ctx->crypto, account, &state, out);
	if (r == CSIGN_OK) {
		csign_buf_free(text);
		*text = out;
		out = NULL;
	}
out:
	csign_buf_free(&out);
	return r;
}

/* One file of an account, unless it is missing or another account's. */
static enum csign_err
save_file(
    struct collection *c, const char *part, const struct csign_account *account)
{
	struct csign_ctx *ctx = c->ctx;
	char path[CSIGN_BACKUP_PATH_SIZE], full[CSIGN_STORE_PATH_SIZE];
	struct csign_buf *text = NULL;
	struct csign_account whose;
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_piece piece;
	const char *name = NULL;

	csign_backup_path(part, account, path);
	name = strchr(path, '/') + 1;
	r = csign_store_path(
	    ctx->settings.state_dir, part, name, &ctx->why, full);
	if (r == CSIGN_OK)
		r = csign_store_read(
		    ctx->settings.state_dir, part, name, &ctx->why, &text);
	if (r == CSIGN_E_NOT_FOUND)
		return CSIGN_OK;
	if (r != CSIGN_OK)
		return r;
	piece = (struct csign_piece){csign_buf_str(text), csign_buf_len(text)};
	r = csign_backup_check(
	    ctx->crypto, path, full, &piece, &whose, &ctx->why);
	if (r != CSIGN_OK || whose.uid != account->uid ||
	    strcmp(whose.file, account->file) != 0)
		goto out;
	if (strcmp(part, CSIGN_STORE_STATE) == 0)
		r = without_limits(ctx, account, &text);
	if (r == CSIGN_OK)
		r = add(c, path, &text);
out:
	csign_buf_free(&text);
	return r;
}

/* Both files of an account, as they are at one time. */
static enum csign_err
save_account(struct collection *c, const struct csign_account *account)
{
	struct csign_ctx *ctx = c->ctx;
	struct csign_state_lock *lock = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = csign_state_lock(
	    ctx->crypto, ctx->settings.state_dir, account, &ctx->why, &lock);
	if (r == CSIGN_OK)
		r = save_file(c, CSIGN_STORE_DEVICES, account);
	if (r == CSIGN_OK)
		r = save_file(c, CSIGN_STORE_STATE, account);
	csign_state_unlock(&lock);
	return r;
}

/* An account by its devices file. */
static bool
visit_devices(void *arg, const char *user)
{
	struct collection *c = arg;
	struct csign_ctx *ctx = c->ctx;
	struct csign_account whose = {0};
	struct csign_buf *text = NULL;
	enum csign_err r = csign_account_file_name(user, whose.file);

	if (r == CSIGN_OK)
		r = csign_store_read(ctx->settings.state_dir,
		    CSIGN_STORE_DEVICES, whose.file, &ctx->why, &text);
	if (r == CSIGN_OK) {
		r = csign_devices_whose(
		    csign_buf_str(text), csign_buf_len(text), &whose);
		if (r != CSIGN_OK)
			csign_why_set(&ctx->why,
			    "%s/%s: there is an unreadable file of %s",
			    ctx->settings.state_dir, CSIGN_STORE_DEVICES, user);
	}
	csign_buf_free(&text);
	if (r == CSIGN_OK)
		r = save_account(c, &whose);
	c->error = r == CSIGN_E_NOT_FOUND ? CSIGN_OK : r;
	return c->error == CSIGN_OK;
}

/* An account by its state file; most are there already. */
static bool
visit_state(void *arg, const struct csign_account *whose)
{
	struct collection *c = arg;
	char path[CSIGN_BACKUP_PATH_SIZE];

	csign_backup_path(CSIGN_STORE_STATE, whose, path);
	if (has(c, path))
		return true;
	if (whose->name[0] == '\0') {
		csign_why_set(&c->ctx->why, "%s/%s: this cannot be read",
		    c->ctx->settings.state_dir, path);
		c->error = CSIGN_E_STATE;
	} else {
		c->error = save_account(c, whose);
	}
	return c->error == CSIGN_OK;
}

static enum csign_err
collect(struct collection *c)
{
	const char *dir = c->ctx->settings.state_dir;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = csign_devices_each(dir, visit_devices, c, &c->ctx->why);
	if (r == CSIGN_OK)
		r = c->error;
	if (r == CSIGN_OK)
		r = csign_state_each(dir, visit_state, c, &c->ctx->why);
	return r == CSIGN_OK ? c->error : r;
}

static int
compare_saved(const void *a, const void *b)
{
	const struct saved *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* A host's name as one word: other bytes than those of a name as %XX. */
static enum csign_err
put_host(struct csign_buf *out, const char *host)
{
	enum csign_err r = CSIGN_OK;

	for (; *host != '\0' && r == CSIGN_OK; host++) {
		if ((*host >= 'a' && *host <= 'z') ||
		    (*host >= 'A' && *host <= 'Z') ||
		    (*host >= '0' && *host <= '9') || *host == '.' ||
		    *host == '-' || *host == '_')
			r = csign_buf_put(out, host, 1);
		else
			r = csign_buf_putf(
			    out, "%%%02X", (unsigned)(unsigned char)*host);
	}
	return r;
}

static enum csign_err
put_header(struct csign_buf *out, const char *host)
{
	char made[CSIGN_TIME_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;
	uint64_t now = 0;

	if ((r = csign_state_now(&now)) != CSIGN_OK ||
	    (r = csign_time_format(now, made)) != CSIGN_OK ||
	    (r = csign_buf_putf(out, "%s%d host=", CSIGN_BACKUP_HEADER,
		 CSIGN_BACKUP_VERSION)) != CSIGN_OK ||
	    (r = put_host(out, host)) != CSIGN_OK)
		return r;
	return csign_buf_putf(out, " made=%s\n", made);
}

static enum csign_err
format(struct collection *c, struct csign_buf *out)
{
	char sum[CSIGN_STATE_DIGEST_SIZE];
	enum csign_err r = put_header(out, c->ctx->settings.host);

	if (c->n > 0)
		qsort(c->items, c->n, sizeof(*c->items), compare_saved);
	for (size_t i = 0; i < c->n && r == CSIGN_OK; i++) {
		const struct csign_buf *text = c->items[i].text;

		r = csign_buf_putf(out, "%s%s %zu\n", CSIGN_BACKUP_FILE,
		    c->items[i].path, csign_buf_len(text));
		if (r == CSIGN_OK)
			r = csign_buf_put(
			    out, csign_buf_data(text), csign_buf_len(text));
	}
	if (r == CSIGN_OK)
		r = csign_state_digest(c->ctx->crypto, csign_buf_data(out),
		    csign_buf_len(out), sum);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out, "%s%s\n", CSIGN_BACKUP_CHECKSUM, sum);
	if (r == CSIGN_E_TOO_LONG)
		csign_why_set(&c->ctx->why,
		    "the backup would be longer than %zu MiB",
		    CSIGN_BACKUP_MAX >> 20);
	return r;
}

enum csign_err
csign_backup_make(struct csign_ctx *ctx, char **ret_text, size_t *ret_len)
{
	struct collection c = {.ctx = ctx, .error = CSIGN_OK};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *out = NULL;
	char *text = NULL;

	if (!csign_ctx_enter(ctx) || ret_text == NULL || ret_len == NULL)
		return CSIGN_E_INVALID;
	if ((r = collect(&c)) != CSIGN_OK ||
	    (r = csign_buf_new(CSIGN_BACKUP_MAX, &out)) != CSIGN_OK ||
	    (r = format(&c, out)) != CSIGN_OK)
		goto out;
	if ((text = malloc(csign_buf_len(out) + 1)) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	memcpy(text, csign_buf_str(out), csign_buf_len(out) + 1);
	*ret_text = text;
	*ret_len = csign_buf_len(out);
	r = CSIGN_OK;
out:
	csign_buf_free(&out);
	clear(&c);
	return r;
}
