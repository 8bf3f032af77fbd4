/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this phone remembers: a folder with three files for each enrolment,
 *
 *      <device id>.json       host, user, service; when, if it is complete, and
 *                             the cookie by which the service knows it
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
#include "buf.h"
#include "clock.h"
#include "countersign.h"
#include "crypto.h"
#include "transaction.h"
#include "why.h"

#define STORE_ENTRIES_MAX 256
#define STORE_COOKIE_SIZE 128

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
	char cookie[STORE_COOKIE_SIZE]; /* NAME=VALUE, "" if there is none */
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
/* Writes down what has changed about it; its keys stay. */
CSIGN_WUR enum csign_err store_save(const struct store *store,
    const struct store_entry *entry, struct csign_why *why);
/*
 * True if the phone does not know the device any more.  The keys go too, if
 * that is possible: without the rest they can do no harm.
 */
bool store_remove(const struct store *store, const char *id);
/* CSIGN_E_CRYPTO, among others: a wrong passphrase. */
CSIGN_WUR enum csign_err store_key(const struct store *store,
    struct csign_crypto *crypto, const char *id, const char *passphrase,
    struct csign_why *why, struct csign_p256 **ret_key);
/* The same for the key that opens what its inbox has. */
CSIGN_WUR enum csign_err store_seal_key(const struct store *store,
    struct csign_crypto *crypto, const char *id, const char *passphrase,
    struct csign_why *why, struct csign_p256 **ret_key);

/* --- all files of an enrolment, for a backup: store_copy.c -----------------
 */

#define STORE_FILES 3

struct store_copy {
	struct store_entry entry;
	struct csign_buf *file[STORE_FILES]; /* the entry is the last one */
	bool there;                          /* store_copies_find() */
};

CSIGN_WUR enum csign_err store_copy_read(const struct store *store,
    const char *id, struct csign_why *why, struct store_copy *ret_copy);
/* From the bytes of its files, which are the copy's then; CSIGN_E_FORMAT. */
CSIGN_WUR enum csign_err store_copy_check(struct store_copy *copy);
void store_copies_free(struct store_copy **copies, size_t n);
/* How many of them the store has already. */
size_t store_copies_find(
    const struct store *store, struct store_copy *copies, size_t n);
/* All or none, in the place of those that are there. */
CSIGN_WUR enum csign_err store_copies_write(const struct store *store,
    const struct store_copy *copies, size_t n, struct csign_why *why);

#endif
