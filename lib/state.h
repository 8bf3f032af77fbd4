/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host remembers of an account between logins: <state_dir>/state/<uid>
 * holds the "had a device" mark, for each device its signature counter and last
 * use, the hashes of recovery codes, which devices are gone, and what its
 * phones answered when they rang.  Text with a version in its first line and a
 * checksum in its last; the format is in countersign-devices(5).
 *
 * Every path (QR, push, code, recovery) goes through one lock and this one file
 * (countersign-security(7) ST-1, RL-2): lock, read, decide, write, unlock, only
 * then grant.  Only somebody who can sign, or has a recovery code, or root, may
 * come to hold this lock: the user of a set-id program can stop it at any time,
 * and nobody else could approve for the account then.
 *
 * What anybody who asks brings about is in <uid>.rings, with a lock of its own:
 * when phones rang, and what was not answered.  It is a state of which nothing
 * but the limit counts.
 */
#ifndef CSIGN_STATE_H
#define CSIGN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "bounds.h"
#include "countersign.h"
#include "crypto.h"
#include "device.h"
#include "limit.h"
#include "why.h"

#define CSIGN_RECOVERY_HASH_LEN ((size_t)32)
#define CSIGN_DEVICES_GONE_MAX 32 /* the oldest make room */

struct csign_device_use {
	char id[CSIGN_DEVICE_ID_SIZE];
	uint32_t counter;
	uint64_t last_used; /* seconds since 1970, 0 never */
};

/* A code as it is kept; once used it stays, so that it is known as used. */
struct csign_recovery_code {
	unsigned char
	    hash[CSIGN_RECOVERY_HASH_LEN]; /* countersign-devices(5) */
	uint64_t used;                     /* seconds since 1970, 0 not yet */
};

/* A device that was revoked: no backup brings it back. */
struct csign_device_gone {
	char id[CSIGN_DEVICE_ID_SIZE];
	uint64_t when; /* seconds since 1970 */
};

struct csign_state {
	bool had_device; /* cleared by de-enrolment only, USR-2 */
	struct csign_device_use uses[CSIGN_DEVICES_MAX];
	size_t n_uses;
	uint64_t recovery_made; /* seconds since 1970, 0 never */
	struct csign_recovery_code codes[CSIGN_RECOVERY_CODES];
	size_t n_codes;
	struct csign_device_gone
	    gone[CSIGN_DEVICES_GONE_MAX]; /* oldest first */
	size_t n_gone;
	struct csign_limit limit; /* of phones that ring */
};

/*
 * A state file's text, as account's; path is for the message.  Version 1 is a
 * state without recovery codes and devices that are gone, versions 1 and 2 are
 * without limits.  CSIGN_E_STATE.
 */
CSIGN_WUR enum csign_err csign_state_parse(struct csign_crypto *crypto,
    const char *path, const char *text, size_t len,
    const struct csign_account *account, struct csign_state *ret_state,
    struct csign_why *why);
/*
 * Whose it says it is: uid, file and name of an account that need not exist.
 * CSIGN_E_STATE if that cannot be read.
 */
CSIGN_WUR enum csign_err csign_state_whose(
    const char *text, size_t len, struct csign_account *ret_account);

struct csign_state_lock;

/*
 * Waits at most 2 s; CSIGN_E_STATE.  crypto must outlive the lock; it makes
 * the checksum.
 */
CSIGN_WUR enum csign_err csign_state_lock(struct csign_crypto *crypto,
    const char *state_dir, const struct csign_account *account,
    struct csign_why *why, struct csign_state_lock **ret_lock);
/* The lock of <uid>.rings; waits at most half a second. */
CSIGN_WUR enum csign_err csign_rings_lock(struct csign_crypto *crypto,
    const char *state_dir, const struct csign_account *account,
    struct csign_why *why, struct csign_state_lock **ret_lock);
void csign_state_unlock(struct csign_state_lock **lock);
/* A missing file is an empty state; anything else wrong is CSIGN_E_STATE. */
CSIGN_WUR enum csign_err csign_state_read(const struct csign_state_lock *lock,
    struct csign_state *ret_state, struct csign_why *why);
/* Durable when it returns. */
CSIGN_WUR enum csign_err csign_state_write(const struct csign_state_lock *lock,
    const struct csign_state *state, struct csign_why *why);
/* Without the lock, for looking only. */
CSIGN_WUR enum csign_err csign_state_peek(struct csign_crypto *crypto,
    const char *state_dir, const struct csign_account *account,
    struct csign_state *ret_state, struct csign_why *why);
CSIGN_WUR enum csign_err csign_rings_peek(struct csign_crypto *crypto,
    const char *state_dir, const struct csign_account *account,
    struct csign_state *ret_state, struct csign_why *why);
/* Removes it and the rings file, durably; a missing one is no error. */
CSIGN_WUR enum csign_err csign_state_remove(
    const struct csign_state_lock *lock, struct csign_why *why);
/*
 * Every state file, with whose it says it is; of one that cannot be read only
 * the uid that names it is known, and the name is "".  visit returns false to
 * stop.
 */
CSIGN_WUR enum csign_err csign_state_each(const char *state_dir,
    bool (*visit)(void *arg, const struct csign_account *whose), void *arg,
    struct csign_why *why);
/* The entry of a device, added if there is room; NULL otherwise. */
struct csign_device_use *csign_state_use(
    struct csign_state *state, const char *device_id);
void csign_state_forget(struct csign_state *state, const char *device_id);
/* Forgets its use, and remembers that the device is gone. */
void csign_state_bury(
    struct csign_state *state, const char *device_id, uint64_t when);
bool csign_state_is_gone(
    const struct csign_state *state, const char *device_id);
/* Forgets uses of devices that are not in the list, so that there is room. */
void csign_state_prune(
    struct csign_state *state, const struct csign_device_list *list);
/* Recovery codes that were not used yet. */
size_t csign_state_codes_left(const struct csign_state *state);
/* The wall clock in seconds, and never 0, which means never in a state. */
CSIGN_WUR enum csign_err csign_state_now(uint64_t *ret_seconds);

#endif
