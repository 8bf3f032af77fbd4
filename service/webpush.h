/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of a Web Push message: RFC 8291, which is RFC 8188 with one record
 * under a key of the phone's.
 */
#ifndef SERVICE_WEBPUSH_H
#define SERVICE_WEBPUSH_H

#include <stddef.h>

#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "crypto.h"

#define WEBPUSH_AUTH_LEN 16
#define WEBPUSH_SALT_LEN 16
#define WEBPUSH_HEADER_LEN 86 /* salt, record size, length, public key */
#define WEBPUSH_BODY_MAX 4096
/* The body without header, delimiter and tag. */
#define WEBPUSH_PLAIN_MAX 3993

/* Whose phone: what its browser gave, decoded. */
struct webpush_keys {
	unsigned char point[CSIGN_POINT_LEN];
	unsigned char auth[WEBPUSH_AUTH_LEN];
};

/* From p256dh and auth in b64u; CSIGN_E_INVALID: not such keys. */
CSIGN_WUR enum csign_err webpush_keys_read(struct csign_crypto *crypto,
    const char *p256dh, const char *auth, struct webpush_keys *ret_keys);

/*
 * Puts the body into out, which is cleared first.  The plaintext is padded to
 * padded bytes, so that all bodies have one size; CSIGN_E_TOO_LONG if it is
 * longer, or padded is more than WEBPUSH_PLAIN_MAX.  CSIGN_E_RANDOM.
 */
CSIGN_WUR enum csign_err webpush_seal(struct csign_crypto *crypto,
    const struct webpush_keys *keys, const void *plain, size_t len,
    size_t padded, struct csign_buf *out);
/* The same with a pair and a salt of the caller's, for test vectors. */
CSIGN_WUR enum csign_err webpush_seal_with(struct csign_crypto *crypto,
    const struct webpush_keys *keys, const struct csign_p256 *ephemeral,
    const unsigned char salt[WEBPUSH_SALT_LEN], const void *plain, size_t len,
    size_t padded, struct csign_buf *out);
/*
 * RFC 8188 alone: header and one record under any input key, with a key id.
 * The header's record size is 4096.
 */
CSIGN_WUR enum csign_err webpush_record(struct csign_crypto *crypto,
    const unsigned char *ikm, size_t ikm_len,
    const unsigned char salt[WEBPUSH_SALT_LEN], const void *key_id,
    size_t key_id_len, const void *plain, size_t len, size_t padded,
    struct csign_buf *out);

#endif
