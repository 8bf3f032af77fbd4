/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cookie by which a phone is known that has enrolled a device: one a
 * browser, for all of its devices (countersign-security(7) SVC-4).  The
 * database has its SHA-256.
 */
#ifndef SERVICE_COOKIE_H
#define SERVICE_COOKIE_H

#include <stdbool.h>

#include "store.h"

#define COOKIE_SIZE 44 /* 32 random bytes in b64u, and NUL */
#define COOKIE_HEADER_SIZE 192

CSIGN_WUR enum csign_err cookie_make(char ret_cookie[COOKIE_SIZE]);
/* The first one of our name in a Cookie header (or NULL), if it can be one. */
bool cookie_read(const char *header, char ret_cookie[COOKIE_SIZE]);
CSIGN_WUR enum csign_err cookie_hash(
    const char *cookie, unsigned char ret_hash[STORE_HASH_LEN]);
/* Both of these in one. */
bool cookie_find(const char *header, unsigned char ret_hash[STORE_HASH_LEN]);
/* The header line that sets it, with CR LF. */
void cookie_header(const char *cookie, char out[COOKIE_HEADER_SIZE]);

#endif
