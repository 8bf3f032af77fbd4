/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reader and the writer of a state file share. */
#ifndef CSIGN_STATE_FILE_H
#define CSIGN_STATE_FILE_H

#include <stdint.h>

#include "account.h"
#include "buf.h"
#include "countersign.h"
#include "crypto.h"
#include "state.h"

#define CSIGN_STATE_HEADER "countersign-state "
#define CSIGN_STATE_VERSION 3 /* with limits on push */
/* without recovery codes and devices that are gone */
#define CSIGN_STATE_VERSION_OLDEST 1
#define CSIGN_STATE_CHECKSUM "sha256 "
#define CSIGN_STATE_DIGEST_SIZE 65 /* hexadecimal, and NUL */

/* Seconds since boot of a moment; moments of limits are not older than a day.
 */
#define CSIGN_STATE_BOOT_MIN (-(int64_t)CSIGN_PUSH_LONG)
#define CSIGN_STATE_BOOT_MAX ((int64_t)UINT32_MAX)

/* Of the lines before the checksum. */
CSIGN_WUR enum csign_err csign_state_digest(struct csign_crypto *crypto,
    const void *bytes, size_t len, char out[CSIGN_STATE_DIGEST_SIZE]);
/* The whole text.  CSIGN_E_INVALID if it could not be read back. */
CSIGN_WUR enum csign_err csign_state_format(struct csign_crypto *crypto,
    const struct csign_account *account, const struct csign_state *state,
    struct csign_buf *out);

#endif
