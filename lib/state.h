/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host remembers of an account between logins: <state_dir>/state/<uid>
 * holds the "had a device" mark, and for each device its signature counter and
 * last use.  Text with a version in its first line and a checksum in its last;
 * the format is in countersign-devices(5).
 *
 * Every path (QR, push, code, recovery) goes through one lock and this one file
 * (countersign-security(7) ST-1, RL-2): lock, read, decide, write, unlock, only
 * then grant.
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
#include "why.h"

struct csign_device_use {
	char id[CSIGN_DEVICE_ID_SIZE];
	uint32_t counter;
	uint64_t last_used; /* seconds since 1970, 0 never */
};

struct csign_state {
	bool had_device; /* cleared by de-enrolment only, USR-2 */
	struct csign_device_use uses[CSIGN_DEVICES_MAX];
	size_t n_uses;
};

struct csign_state_lock;

/*
 * Waits at most 2 s; CSIGN_E_STATE.  crypto must outlive the lock; it makes
 * the checksum.
 */
CSIGN_WUR enum csign_err csign_state_lock(struct csign_crypto *crypto,
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
/* The entry of a device, added if there is room; NULL otherwise. */
struct csign_device_use *csign_state_use(
    struct csign_state *state, const char *device_id);
void csign_state_forget(struct csign_state *state, const char *device_id);

#endif
