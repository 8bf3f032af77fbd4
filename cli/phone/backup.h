/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A phone in one file:
 *
 *      "countersign-phone backup 1\n" || salt[16] || nonce[12] ||
 *      AES-256-GCM of the enrolments || tag[16]
 *
 * The key is made from a passphrase by scrypt, and everything before the
 * ciphertext is its additional data, so that no byte can be changed unnoticed.
 * An enrolment is its three files, each after a length of two bytes: the two
 * keys, PKCS#8 encrypted by their own passphrase as they are in the store, and
 * the entry.
 */
#ifndef PHONE_BACKUP_H
#define PHONE_BACKUP_H

#include "buf.h"
#include "crypto.h"
#include "store.h"
#include "why.h"

#define BACKUP_MAX ((size_t)4 << 20)

/* *ret_bytes is for csign_buf_free(). */
CSIGN_WUR enum csign_err backup_seal(struct csign_crypto *crypto,
    const struct store_copy *copies, size_t n, const char *passphrase,
    struct csign_buf **ret_bytes);
/* CSIGN_E_FORMAT, with why: no backup, or damaged, or the wrong passphrase. */
CSIGN_WUR enum csign_err backup_open(struct csign_crypto *crypto,
    const void *bytes, size_t len, const char *passphrase,
    struct csign_why *why, struct store_copy **ret_copies, size_t *ret_n);

#endif
