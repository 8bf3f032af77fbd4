/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who rings: the key by which push services know this service (RFC 8292), and
 * the tokens signed with it.  The key serves nothing else.
 */
#ifndef SERVICE_VAPID_H
#define SERVICE_VAPID_H

#include <stddef.h>
#include <stdint.h>

#include "countersign.h"
#include "crypto.h"
#include "why.h"

struct vapid;

#define VAPID_KEY_SIZE 88 /* 65 bytes in b64u, and NUL */
#define VAPID_ORIGIN_MAX 272
#define VAPID_CONTACT_MAX 512
#define VAPID_LIFE_S (12 * 3600)
/* "Authorization: vapid t=<token>, k=<key>" and NUL. */
#define VAPID_HEADER_SIZE 2048

/*
 * Reads the key file, PKCS#8 PEM in clear, readable for its owner alone; makes
 * it if it is missing.  contact: for sub, or NULL.  It must be freed before
 * crypto.  CSIGN_E_FILE, with the file and the reason.
 */
CSIGN_WUR enum csign_err vapid_new(struct csign_crypto *crypto,
    const char *path, const char *contact, struct csign_why *why,
    struct vapid **ret_vapid);
/* The same from a pair, which it takes over on success. */
CSIGN_WUR enum csign_err vapid_from_key(
    struct csign_p256 **key, const char *contact, struct vapid **ret_vapid);
void vapid_free(struct vapid **vapid);

/* The public key, b64u. */
const char *vapid_key(const struct vapid *vapid);
/*
 * The whole header line for a push service of this origin at this time
 * (seconds since 1970).  The string stays valid until the next call.
 */
CSIGN_WUR enum csign_err vapid_header(struct vapid *vapid, const char *origin,
    uint64_t now, const char **ret_header);

#endif
