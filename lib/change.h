/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A change to what the host holds of one account: under its lock, recorded,
 * and in an order in which a crash at any point leaves it with fewer rights and
 * never with more (countersign-security(7) ENR-8, ST-1).
 */
#ifndef CSIGN_CHANGE_H
#define CSIGN_CHANGE_H

#include "account.h"
#include "audit.h"
#include "countersign.h"
#include "ctx.h"
#include "device.h"
#include "state.h"

/* Filled in by the caller up to codes_left; zero is the rest at first. */
struct csign_change {
	struct csign_ctx *ctx;
	const char *event;      /* of its records */
	const char *by;         /* who does it, or NULL */
	const char *codes_left; /* of its records, or NULL */
	struct csign_account account;
	struct csign_state_lock *lock;
	struct csign_device_list list;
};

/* Finds the account and takes its lock. */
CSIGN_WUR enum csign_err csign_change_begin(
    struct csign_change *ch, const char *user);
/* Reads its devices, as csign_devices_read(). */
CSIGN_WUR enum csign_err csign_change_read(struct csign_change *ch);
/* Writes the list as it is now. */
CSIGN_WUR enum csign_err csign_change_write(struct csign_change *ch);
/* Ends it, whatever was done. */
void csign_change_end(struct csign_change *ch);

/* A record of it; device may be NULL. */
CSIGN_WUR enum csign_err csign_change_audit(const struct csign_change *ch,
    const struct csign_device *device, const char *result,
    enum csign_err reason);
/*
 * For one that was recorded and then could not be made: records that too, and
 * returns reason, whose sentence stays.
 */
CSIGN_WUR enum csign_err csign_change_failed(const struct csign_change *ch,
    const struct csign_device *device, enum csign_err reason);

/*
 * Removes one device of the list for good: records it, remembers it as gone,
 * takes its line away.  The "had a device" mark is set.
 */
CSIGN_WUR enum csign_err csign_change_remove(
    struct csign_change *ch, size_t index);

#endif
