/* SPDX-License-Identifier: BSD-2-Clause */
/* The store of state files: <state_dir>/state; and a state in memory. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "codec.h"
#include "file.h"
#include "state.h"
#include "state_file.h"
#include "store.h"

#define NAME_SIZE 24 /* a uid, ".rings.lock" and NUL */
#define RINGS ".rings"

struct csign_state_lock {
	struct csign_crypto *crypto;
	struct csign_account account;
	int dirfd, lockfd;
	char path[CSIGN_STORE_PATH_SIZE]; /* for messages */
	char name[NAME_SIZE];
};

/* Trouble with the file is trouble with the state, whatever it was. */
static enum csign_err
as_state_error(enum csign_err r)
{
	if (r == CSIGN_E_FILE || r == CSIGN_E_INVALID || r == CSIGN_E_FORMAT ||
	    r == CSIGN_E_TOO_LONG)
		return CSIGN_E_STATE;
	return r;
}

/* --- reading and writing -------------------------------------------------- */

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
	r = csign_state_parse(lock->crypto, lock->path, csign_buf_str(text),
	    csign_buf_len(text), &lock->account, ret_state, why);
	csign_buf_free(&text);
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
	r = csign_state_format(lock->crypto, &lock->account, state, text);
	if (r != CSIGN_OK)
		csign_why_set(why, "%s: cannot be formatted", lock->path);
	else
		r = csign_file_replace_at(lock->dirfd, lock->name, 0600,
		    csign_buf_data(text), csign_buf_len(text), why);
	csign_buf_free(&text);
	return as_state_error(r);
}

/* --- locking -------------------------------------------------------------- */

/* Everything but the lock itself; kind: "" or RINGS. */
static enum csign_err
open_state(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, const char *kind,
    struct csign_why *why, struct csign_state_lock **ret_lock)
{
	struct csign_state_lock *lock = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	lock = calloc(1, sizeof(*lock));
	if (lock == NULL)
		return CSIGN_E_NOMEM;
	lock->crypto = crypto;
	lock->account = *account;
	lock->dirfd = lock->lockfd = -1;
	(void)snprintf(lock->name, sizeof(lock->name), "%u%s",
	    (unsigned)account->uid, kind);
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

static enum csign_err
take_lock(struct csign_state_lock **lock, int timeout_ms, struct csign_why *why)
{
	char name[NAME_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;

	(void)snprintf(name, sizeof(name), "%.*s.lock",
	    (int)(NAME_SIZE - sizeof(".lock")), (*lock)->name);
	r = csign_file_lock_at(
	    (*lock)->dirfd, name, timeout_ms, why, &(*lock)->lockfd);
	if (r != CSIGN_OK)
		csign_state_unlock(lock);
	return as_state_error(r);
}

enum csign_err
csign_state_lock(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, struct csign_why *why,
    struct csign_state_lock **ret_lock)
{
	enum csign_err r =
	    open_state(crypto, state_dir, account, "", why, ret_lock);

	return r == CSIGN_OK ? take_lock(ret_lock, CSIGN_LOCK_TIMEOUT_MS, why)
			     : r;
}

enum csign_err
csign_rings_lock(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, struct csign_why *why,
    struct csign_state_lock **ret_lock)
{
	enum csign_err r =
	    open_state(crypto, state_dir, account, RINGS, why, ret_lock);

	return r == CSIGN_OK ? take_lock(ret_lock, CSIGN_RINGS_TIMEOUT_MS, why)
			     : r;
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

static enum csign_err
peek(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, const char *kind,
    struct csign_state *ret_state, struct csign_why *why)
{
	struct csign_state_lock *unlocked = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = open_state(crypto, state_dir, account, kind, why, &unlocked);
	if (r != CSIGN_OK)
		return r;
	r = csign_state_read(unlocked, ret_state, why);
	csign_state_unlock(&unlocked);
	return r;
}

enum csign_err
csign_state_peek(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, struct csign_state *ret_state,
    struct csign_why *why)
{
	return peek(crypto, state_dir, account, "", ret_state, why);
}

enum csign_err
csign_rings_peek(struct csign_crypto *crypto, const char *state_dir,
    const struct csign_account *account, struct csign_state *ret_state,
    struct csign_why *why)
{
	return peek(crypto, state_dir, account, RINGS, ret_state, why);
}

enum csign_err
csign_state_remove(const struct csign_state_lock *lock, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char rings[NAME_SIZE];

	/* First, as this is found by the other. */
	(void)snprintf(
	    rings, sizeof(rings), "%u" RINGS, (unsigned)lock->account.uid);
	r = csign_file_remove_at(lock->dirfd, rings, why);
	if (r == CSIGN_OK || r == CSIGN_E_NOT_FOUND)
		r = csign_file_remove_at(lock->dirfd, lock->name, why);
	return r == CSIGN_E_NOT_FOUND ? CSIGN_OK : as_state_error(r);
}

/* --- all accounts --------------------------------------------------------- */

/* What the file called uid says.  One whose header is of another uid is not
 * readable for anybody. */
static enum csign_err
look_at(const char *state_dir, const char *name, struct csign_account *whose,
    struct csign_why *why)
{
	struct csign_buf *text = NULL;
	struct csign_account said;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = csign_store_read(state_dir, CSIGN_STORE_STATE, name, why, &text);
	if (r == CSIGN_OK &&
	    csign_state_whose(
		csign_buf_str(text), csign_buf_len(text), &said) == CSIGN_OK &&
	    said.uid == whose->uid)
		*whose = said;
	csign_buf_free(&text);
	return r;
}

enum csign_err
csign_state_each(const char *state_dir,
    bool (*visit)(void *arg, const struct csign_account *whose), void *arg,
    struct csign_why *why)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_names names = {NULL, 0};
	bool more = true;

	r = csign_store_names(state_dir, CSIGN_STORE_STATE, &names, why);
	for (size_t i = 0; i < names.n && r == CSIGN_OK && more; i++) {
		struct csign_account whose = {0};
		uint32_t uid = 0;

		/* Not a lock file, nor anything else that is not a state. */
		if (csign_parse_u32(names.items[i], 0, UINT32_MAX - 1, &uid) !=
		    CSIGN_OK)
			continue;
		whose.uid = uid;
		r = look_at(state_dir, names.items[i], &whose, why);
		if (r == CSIGN_E_NOT_FOUND) { /* removed meanwhile */
			r = CSIGN_OK;
			continue;
		}
		if (r != CSIGN_E_NOMEM) {
			r = CSIGN_OK;
			more = visit(arg, &whose);
		}
	}
	csign_names_clear(&names);
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

/* --- devices that are gone ------------------------------------------------ */

void
csign_state_prune(
    struct csign_state *state, const struct csign_device_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->n_uses; i++) {
		if (csign_device_by_id(list, state->uses[i].id) != NULL)
			state->uses[kept++] = state->uses[i];
	}
	state->n_uses = kept;
}

bool
csign_state_is_gone(const struct csign_state *state, const char *device_id)
{
	for (size_t i = 0; i < state->n_gone; i++) {
		if (strcmp(state->gone[i].id, device_id) == 0)
			return true;
	}
	return false;
}

void
csign_state_bury(
    struct csign_state *state, const char *device_id, uint64_t when)
{
	struct csign_device_gone gone = {.when = when == 0 ? 1 : when};
	size_t len = strlen(device_id);

	csign_state_forget(state, device_id);
	if (len >= sizeof(gone.id) || csign_state_is_gone(state, device_id))
		return;
	memcpy(gone.id, device_id, len + 1);
	if (state->n_gone == CSIGN_DEVICES_GONE_MAX) {
		state->n_gone--;
		memmove(&state->gone[0], &state->gone[1],
		    state->n_gone * sizeof(state->gone[0]));
	}
	state->gone[state->n_gone++] = gone;
}

enum csign_err
csign_state_now(uint64_t *ret_seconds)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	uint64_t ms = 0;

	if ((r = csign_clock_wall(&ms)) != CSIGN_OK)
		return r;
	*ret_seconds = ms < 1000 ? 1 : ms / 1000;
	return CSIGN_OK;
}

size_t
csign_state_codes_left(const struct csign_state *state)
{
	size_t left = 0;

	for (size_t i = 0; i < state->n_codes; i++)
		left += state->codes[i].used == 0;
	return left;
}
