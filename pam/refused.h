/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program such as sudo calls pam_authenticate(3) again after a failure.  A
 * question that was refused, or could not be put, is not put again for the
 * same handle and user (countersign-security(7) TX-7): the old answer is given
 * at once.
 */
#ifndef CSIGN_PAM_REFUSED_H
#define CSIGN_PAM_REFUSED_H

#include <security/pam_modules.h>
#include <stdbool.h>

/* Best effort: without memory for it, the question is put again. */
void csign_refused_remember(pam_handle_t *pamh, const char *user, int code);

/* Was user refused with this handle before, and with which code? */
bool csign_refused_before(pam_handle_t *pamh, const char *user, int *ret_code);

#endif
