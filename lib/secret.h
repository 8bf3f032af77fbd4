/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets and random bytes.  The only file that wipes and the only one that
 * compares in constant time.
 */
#ifndef CSIGN_SECRET_H
#define CSIGN_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"

/* Bytes in a mapping of their own: locked if possible, not in core dumps. */
struct csign_secret;

/* capacity: 1 to 65536 bytes, all zero at first. */
CSIGN_WUR enum csign_err csign_secret_new(
    size_t capacity, struct csign_secret **ret_secret);
/* Wipes the whole capacity. */
void csign_secret_free(struct csign_secret **secret);
unsigned char *csign_secret_data(struct csign_secret *secret);
size_t csign_secret_capacity(const struct csign_secret *secret);

void csign_wipe(void *bytes, size_t len);
/* Wipes and frees a string from malloc(3), for example from libpam. */
void csign_wipe_str(char **str);
/* Takes the same time whatever the bytes are. */
bool csign_equal(const void *a, const void *b, size_t len);
/* getrandom(2), all of it or CSIGN_E_RANDOM (countersign-security(7) TX-1). */
CSIGN_WUR enum csign_err csign_random(void *bytes, size_t len);

#endif
