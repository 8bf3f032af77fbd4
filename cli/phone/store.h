/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this phone remembers: a folder with three files for each enrolment,
 *
 *      <device id>.json       host, user, service; when, and if it is complete
 *      <device id>.pem        the signing key, PKCS#8, encrypted
 *      <device id>.seal.pem   the seal key, the same
 *
 * The folder must belong to its user, and nobody else may enter it.
 */
#ifndef PHONE_STORE_H
#define PHONE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "clock.h"
#include "countersign.h"
#include "crypto.h"
#include "transaction.h"
#include "why.h"

#define STORE_ENTRIES_MAX 256

struct store;

struct store_entry {
	char id[CSIGN_DEVICE_ID_SIZE];
	char name[CSIGN_DEVICE_NAME_MAX + 1];
	char host[CSIGN_HOST_MAX + 1];
	char user[CSIGN_USER_MAX + 1];
	uint32_t uid;
	char origin[CSIGN_URL_MAX + 1];
	char added[CSIGN_TIME_SIZE];
	bool confirmed; /* the host has said that it took the device */
};

/* What the phone remembers about a question's host and user. */
enum store_memory {
	STORE_KNOWN,     /* enrolled there */
	STORE_UNKNOWN,   /* never heard of */
	STORE_OTHERWISE, /* the same host and user, another uid or service */
};

/* dir: NULL for ~/.countersign-phone; made if it is missing. */
CSIGN_WUR enum csign_err store_open(
    const char *dir, struct csign_why *why, struct store **ret_store);
void store_free(struct store **store);

/*
 * Every enrolment, oldest first; free(3) the array.  A damaged file is an
 * error: this is what the person's answers stand on.
 */
CSIGN_WUR enum csign_err store_list(const struct store *store,
    struct csign_why *why, struct store_entry **ret_entries, size_t *ret_n);
/* The one with this id (dashes do not count); CSIGN_E_NOT_FOUND. */
CSIGN_WUR enum csign_err store_get(const struct store *store, const char *id,
    struct csign_why *why, struct store_entry *ret_entry);
/* The newest that fits, complete ones first; ret_entry only if KNOWN. */
CSIGN_WUR enum csign_err store_find(const struct store *store,
    const struct csign_transaction *question, const char *origin,
    struct csign_why *why, enum store_memory *ret_memory,
    struct store_entry *ret_entry);

CSIGN_WUR enum csign_err store_add(const struct store *store,
    const struct store_entry *entry, const struct csign_p256 *key,
    const struct csign_p256 *seal_key, const char *passphrase,
    struct csign_why *why);
/* Marks it complete. */
CSIGN_WUR enum csign_err store_confirm(const struct store *store,
    const struct store_entry *entry, struct csign_why *why);
/* Best effort: what is left of it can do no harm. */
void store_remove(const struct store *store, const char *id);
/* CSIGN_E_CRYPTO, among others: a wrong passphrase. */
CSIGN_WUR enum csign_err store_key(const struct store *store,
    struct csign_crypto *crypto, const char *id, const char *passphrase,
    struct csign_why *why, struct csign_p256 **ret_key);

#endif
