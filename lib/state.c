/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "codec.h"
#include "file.h"
#include "piece.h"
#include "state.h"
#include "store.h"

#define HEADER "countersign-state "
#define FORMAT_VERSION 1
#define CHECKSUM "sha256 "
#define DIGEST_LEN ((size_t)32)
#define DIGEST_TEXT_LEN (2 * DIGEST_LEN)
#define CHECKSUM_LINE_LEN (sizeof(CHECKSUM) - 1 + DIGEST_TEXT_LEN + 1)
#define NAME_SIZE 24 /* a uid, ".lock" and NUL */

struct csign_state_lock {
	struct csign_crypto *crypto;
	struct csign_account account;
	int dirfd, lockfd;
	char path[CSIGN_STORE_PATH_SIZE]; /* for messages */
	char name[NAME_SIZE];
};

static enum csign_err
digest(struct csign_crypto *crypto, const void *bytes, size_t len,
    char out[DIGEST_TEXT_LEN + 1])
{
	const struct csign_part part = {bytes, len};
	unsigned char sum[DIGEST_LEN];
	enum csign_err r = csign_sha256(crypto, &part, 1, sum);

	if (r != CSIGN_OK)
		return r;
	return csign_hex_encode(sum, sizeof(sum), out, DIGEST_TEXT_LEN + 1);
}

/* Trouble with the file is trouble with the state, whatever it was. */
static enum csign_err
as_state_error(enum csign_err r)
{
	if (r == CSIGN_E_FILE || r == CSIGN_E_INVALID || r == CSIGN_E_FORMAT ||
	    r == CSIGN_E_TOO_LONG)
		return CSIGN_E_STATE;
	return r;
}

/* --- reading -------------------------------------------------------------- */

static bool
read_time(const struct csign_piece *piece, uint64_t *ret_seconds)
{
	char text[CSIGN_TIME_SIZE];

	if (csign_piece_is(piece, "never")) {
		*ret_seconds = 0;
		return true;
	}
	return csign_piece_copy(piece, text, sizeof(text)) &&
	       csign_time_parse(text, ret_seconds) == CSIGN_OK;
}

/* "use 4hx2k7q3m5rj6wza counter=12 last_used=2026-11-22T08:00:00Z" */
static bool
read_use(struct csign_piece line, struct csign_state *state)
{
	struct csign_piece id, counter, last_used;
	struct csign_device_use use;

	if (state->n_uses == CSIGN_DEVICES_MAX ||
	    !csign_piece_skip(&line, "use ") ||
	    !csign_piece_token(&line, &id) ||
	    !csign_piece_token(&line, &counter) ||
	    !csign_piece_token(&line, &last_used) || line.len > 0)
		return false;
	if (id.len != CSIGN_DEVICE_ID_SIZE - 1 ||
	    !csign_piece_copy(&id, use.id, sizeof(use.id)) ||
	    !csign_piece_skip(&counter, "counter=") ||
	    !csign_piece_u32(&counter, UINT32_MAX, &use.counter) ||
	    !csign_piece_skip(&last_used, "last_used=") ||
	    !read_time(&last_used, &use.last_used))
		return false;
	for (size_t i = 0; i < state->n_uses; i++) {
		if (strcmp(state->uses[i].id, use.id) == 0)
			return false;
	}
	state->uses[state->n_uses++] = use;
	return true;
}

/* The first line; NULL if it is right, else what is wrong. */
static const char *
check_header(struct csign_piece line, const struct csign_account *account)
{
	struct csign_piece version, user, uid;
	uint32_t number = 0;

	if (!csign_piece_skip(&line, HEADER) ||
	    !csign_piece_token(&line, &version) ||
	    !csign_piece_u32(&version, UINT32_MAX, &number))
		return "this is not a state file";
	if (number > FORMAT_VERSION)
		return "this was written by a newer version of countersign: "
		       "install that one again";
	if (number != FORMAT_VERSION || !csign_piece_token(&line, &user) ||
	    !csign_piece_token(&line, &uid) || line.len > 0 ||
	    !csign_piece_skip(&user, "user=") ||
	    !csign_piece_skip(&uid, "uid=") ||
	    !csign_piece_u32(&uid, UINT32_MAX - 1, &number))
		return "the header is malformed";
	if (!csign_piece_is(&user, account->file) || number != account->uid)
		return "the header names another account: was the uid given "
		       "to somebody else?";
	return NULL;
}

/* The lines between the header and the checksum. */
static const char *
read_body(
    struct csign_piece *rest, struct csign_state *state, unsigned *ret_line)
{
	struct csign_piece line;
	bool ended = false;

	*ret_line = 2;
	if (!csign_piece_line(rest, &line, &ended))
		return "there is no had_device";
	if (csign_piece_is(&line, "had_device yes"))
		state->had_device = true;
	else if (!csign_piece_is(&line, "had_device no"))
		return "there is no had_device";
	while (csign_piece_line(rest, &line, &ended)) {
		(*ret_line)++;
		if (!read_use(line, state))
			return "this is not the use of a device";
	}
	return NULL;
}

static enum csign_err
check_sum(const struct csign_state_lock *lock, const struct csign_buf *text,
    struct csign_piece *ret_body)
{
	const char *bytes = csign_buf_str(text);
	size_t len = csign_buf_len(text);
	char sum[DIGEST_TEXT_LEN + 1];
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_piece last;

	if (len < CHECKSUM_LINE_LEN)
		return CSIGN_E_FORMAT;
	len -= CHECKSUM_LINE_LEN;
	if ((r = digest(lock->crypto, bytes, len, sum)) != CSIGN_OK)
		return r;
	last = (struct csign_piece){bytes + len, CHECKSUM_LINE_LEN};
	if (!csign_piece_skip(&last, CHECKSUM) ||
	    !csign_piece_skip(&last, sum) || !csign_piece_is(&last, "\n"))
		return CSIGN_E_FORMAT;
	*ret_body = (struct csign_piece){bytes, len};
	return CSIGN_OK;
}

static enum csign_err
parse(const struct csign_state_lock *lock, const struct csign_buf *text,
    struct csign_state *ret_state, struct csign_why *why)
{
	struct csign_piece rest = {csign_buf_str(text), csign_buf_len(text)};
	struct csign_state state = {0};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_piece header;
	const char *wrong = NULL;
	bool ended = false;
	unsigned line = 1;

	/* The version first: a newer one may have another checksum. */
	if (!csign_piece_line(&rest, &header, &ended))
		return CSIGN_E_STATE;
	wrong = check_header(header, &lock->account);
	if (wrong != NULL)
		goto wrong;
	r = check_sum(lock, text, &rest);
	if (r == CSIGN_E_FORMAT) {
		csign_why_set(why, "%s: the checksum is wrong", lock->path);
		return CSIGN_E_STATE;
	}
	if (r != CSIGN_OK)
		return r;
	(void)csign_piece_line(&rest, &header, &ended);
	wrong = read_body(&rest, &state, &line);
	if (wrong != NULL)
		goto wrong;
	*ret_state = state;
	return CSIGN_OK;
wrong:
	csign_why_set(why, "%s:%u: %s", lock->path, line, wrong);
	return CSIGN_E_STATE;
}

enum csign_err
csign_state_read(const struct csign_state_lock *lock,
    struct csign_state *ret_state, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *text = NULL;

	r = csign_file_read_at(lock->dirfd, lock->name, lock->path,
	    CSIGN_FILE_SECRET, CSIGN_FILE_MAX, why, &text);
	if (r == CSIGN_E_NOT_FOUND) {
		*ret_state = (struct csign_state){0};
		return CSIGN_OK;
	}
	if (r != CSIGN_OK)
		return as_state_error(r);
	r = parse(lock, text, ret_state, why);
	csign_buf_free(&text);
	return r;
}

/* --- writing -------------------------------------------------------------- */

static enum csign_err
put_use(struct csign_buf *out, const struct csign_device_use *use)
{
	char when[CSIGN_TIME_SIZE] = "never";
	enum csign_err r = CSIGN_OK;

	if (use->last_used > 0)
		r = csign_time_format(use->last_used, when);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out, "use %s counter=%u last_used=%s\n",
		    use->id, use->counter, when);
	return r;
}

static enum csign_err
format(const struct csign_state_lock *lock, const struct csign_state *state,
    struct csign_buf *out)
{
	char sum[DIGEST_TEXT_LEN + 1];
	enum csign_err r = CSIGN_E_INTERNAL;

	if (state->n_uses > CSIGN_DEVICES_MAX)
		return CSIGN_E_INVALID;
	r = csign_buf_putf(out, "%s%d user=%s uid=%u\nhad_device %s\n", HEADER,
	    FORMAT_VERSION, lock->account.file, (unsigned)lock->account.uid,
	    state->had_device ? "yes" : "no");
	for (size_t i = 0; i < state->n_uses && r == CSIGN_OK; i++)
		r = put_use(out, &state->uses[i]);
	if (r == CSIGN_OK)
		r = digest(
		    lock->crypto, csign_buf_data(out), csign_buf_len(out), sum);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out, "%s%s\n", CHECKSUM, sum);
	return r;
}

enum csign_err
csign_state_write(const struct csign_state_lock *lock,
    const struct csign_state *state, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *text = NULL;

	if ((r = csign_buf_new(CSIGN_FILE_MAX, &text)) != CSIGN_OK)
		return r;
	if ((r = format(lock, state, text)) != CSIGN_OK)
		csign_why_set(why, "%s: cannot be formatted", lock->path);
	else
		r = csign_file_replace_at(lock->dirfd, lock->name, 0600,
		    csign_buf_data(text), csign_buf_len(text), why);
	csign_buf_free(&text);
	return as_state_error(r);
}

/* --- locking -------------------------------------------------------------- */

/* Everything but the lock itself. */
static enum csign_err
open_state(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, struct csign_why *why,
    struct csign_state_lock **ret_lock)
{
	struct csign_state_lock *lock = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	lock = calloc(1, sizeof(*lock));
	if (lock == NULL)
		return CSIGN_E_NOMEM;
	lock->crypto = crypto;
	lock->account = *account;
	lock->dirfd = lock->lockfd = -1;
	(void)snprintf(
	    lock->name, sizeof(lock->name), "%u", (unsigned)account->uid);
	r = csign_store_path(
	    state_dir, CSIGN_STORE_STATE, lock->name, why, lock->path);
	if (r == CSIGN_OK)
		r = csign_store_open(
		    state_dir, CSIGN_STORE_STATE, why, &lock->dirfd);
	if (r != CSIGN_OK) {
		csign_state_unlock(&lock);
		return as_state_error(r);
	}
	*ret_lock = lock;
	return CSIGN_OK;
}

enum csign_err
csign_state_lock(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, struct csign_why *why,
    struct csign_state_lock **ret_lock)
{
	struct csign_state_lock *lock = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	char name[NAME_SIZE];

	r = open_state(crypto, state_dir, account, why, &lock);
	if (r != CSIGN_OK)
		return r;
	(void)snprintf(name, sizeof(name), "%u.lock", (unsigned)account->uid);
	r = csign_file_lock_at(
	    lock->dirfd, name, CSIGN_LOCK_TIMEOUT_MS, why, &lock->lockfd);
	if (r != CSIGN_OK) {
		csign_state_unlock(&lock);
		return as_state_error(r);
	}
	*ret_lock = lock;
	return CSIGN_OK;
}

void
csign_state_unlock(struct csign_state_lock **lock)
{
	if (*lock == NULL)
		return;
	csign_close(&(*lock)->lockfd);
	csign_close(&(*lock)->dirfd);
	free(*lock);
	*lock = NULL;
}

enum csign_err
csign_state_peek(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, struct csign_state *ret_state,
    struct csign_why *why)
{
	struct csign_state_lock *unlocked = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = open_state(crypto, state_dir, account, why, &unlocked);
	if (r != CSIGN_OK)
		return r;
	r = csign_state_read(unlocked, ret_state, why);
	csign_state_unlock(&unlocked);
	return r;
}

/* --- uses of devices ------------------------------------------------------ */

struct csign_device_use *
csign_state_use(struct csign_state *state, const char *device_id)
{
	struct csign_device_use *use = NULL;
	size_t len = strlen(device_id);

	for (size_t i = 0; i < state->n_uses; i++) {
		if (strcmp(state->uses[i].id, device_id) == 0)
			return &state->uses[i];
	}
	if (state->n_uses == CSIGN_DEVICES_MAX || len >= sizeof(use->id))
		return NULL;
	use = &state->uses[state->n_uses++];
	*use = (struct csign_device_use){0};
	memcpy(use->id, device_id, len + 1);
	return use;
}

void
csign_state_forget(struct csign_state *state, const char *device_id)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->n_uses; i++) {
		if (strcmp(state->uses[i].id, device_id) != 0)
			state->uses[kept++] = state->uses[i];
	}
	state->n_uses = kept;
}
