/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's side of TLS: certificate and key from files, read again on
 * demand; TLS 1.2 with ECDHE and AEAD, or TLS 1.3.
 */
#ifndef SERVICE_TLS_H
#define SERVICE_TLS_H

#include <openssl/ssl.h>

#include "countersign.h"
#include "why.h"

struct tls;

/* The key file must be closed to others and not writable by its group. */
CSIGN_WUR enum csign_err tls_new(const char *certificate, const char *key,
    struct csign_why *why, struct tls **ret_tls);
void tls_free(struct tls **tls);
/* New connections use the new files; after an error the old ones. */
CSIGN_WUR enum csign_err tls_reload(struct tls *tls, struct csign_why *why);
/* For one connection; NULL if memory is out. */
SSL *tls_session(struct tls *tls);

#endif
