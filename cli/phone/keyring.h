/* SPDX-License-Identifier: BSD-2-Clause */
/* The seal keys of this phone, as far as they are unlocked. */
#ifndef PHONE_KEYRING_H
#define PHONE_KEYRING_H

#include "cmd.h"
#include "store.h"

struct keyring;

/* entries, n of them, are borrowed. */
CSIGN_WUR enum csign_err keyring_new(struct phone *phone,
    const struct store_entry *entries, size_t n, struct keyring **ret_ring);
void keyring_free(struct keyring **ring);

/*
 * The key of an entry; asks for its passphrase, which unlocks whatever else
 * has the same.  NULL, having said so: it stays locked, and is not asked for
 * again.
 */
const struct csign_p256 *keyring_get(
    struct keyring *ring, const struct store_entry *entry);
/* All of them, one after the other; false: not one was unlocked. */
bool keyring_unlock(struct keyring *ring);

#endif
