/* SPDX-License-Identifier: BSD-2-Clause */
/* How the challenge, a QR code and a link, comes to the person's eyes. */
#ifndef CSIGN_PAM_PRESENT_H
#define CSIGN_PAM_PRESENT_H

#include <security/pam_modules.h>

#include "countersign.h"
#include "items.h"

/*
 * Shows the challenge of ap in one message, as "present" and "qr" of the
 * configuration say.  Returns when the person may be waited for: at once, or
 * after a prompt was answered.  Errors are those of the conversation.
 */
CSIGN_WUR enum csign_err csign_present_challenge(pam_handle_t *pamh,
    struct csign_ctx *ctx, const struct csign_items *items,
    const struct csign_approval *ap);

/* Tells the person that it worked, and by which device. */
void csign_present_grant(pam_handle_t *pamh, const char *device);

/* Tells the person why it did not work, and what to do. */
void csign_present_failure(
    pam_handle_t *pamh, enum csign_err err, const char *asked);

#endif
