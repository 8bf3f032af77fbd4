/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sealing: what the service carries and cannot read.  countersign-protocol(7),
 * sections LINK SECRET (content, answer) and SEALING TO A DEVICE.
 */
#ifndef CSIGN_SEAL_H
#define CSIGN_SEAL_H

#include <stddef.h>

#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "crypto.h"

enum csign_seal_use { CSIGN_SEAL_CONTENT, CSIGN_SEAL_ANSWER };

/* out gets 01 || nonce || ciphertext || tag. */
CSIGN_WUR enum csign_err csign_seal(struct csign_crypto *crypto,
    enum csign_seal_use use, const unsigned char key[CSIGN_KEY_LEN],
    const void *plain, size_t len, struct csign_buf *out);
/* The same with a nonce of the caller's, for test vectors. */
CSIGN_WUR enum csign_err csign_seal_with_nonce(struct csign_crypto *crypto,
    enum csign_seal_use use, const unsigned char key[CSIGN_KEY_LEN],
    const unsigned char nonce[12], const void *plain, size_t len,
    struct csign_buf *out);
/* CSIGN_E_FORMAT if it was not sealed under this key for this use. */
CSIGN_WUR enum csign_err csign_open(struct csign_crypto *crypto,
    enum csign_seal_use use, const unsigned char key[CSIGN_KEY_LEN],
    const unsigned char *sealed, size_t len, struct csign_buf *out);

/* S for one device's seal key; ephemeral NULL makes a fresh one. */
CSIGN_WUR enum csign_err csign_device_seal(struct csign_crypto *crypto,
    const unsigned char seal_point[CSIGN_POINT_LEN],
    const char device_id[CSIGN_DEVICE_ID_SIZE],
    const unsigned char secret[CSIGN_SECRET_LEN], struct csign_p256 *ephemeral,
    unsigned char out[CSIGN_DEVICE_SEAL_LEN]);
CSIGN_WUR enum csign_err csign_device_open(struct csign_crypto *crypto,
    const struct csign_p256 *seal_key,
    const char device_id[CSIGN_DEVICE_ID_SIZE],
    const unsigned char sealed[CSIGN_DEVICE_SEAL_LEN],
    unsigned char ret_secret[CSIGN_SECRET_LEN]);

#endif
