/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program such as sudo calls pam_authenticate(3) again after a failure.  A
 * question that was refused, or could not be put, is not put again for the
 * same handle and user (countersign-security(7) TX-7): the old answer holds.
 * What may follow it is a recovery code, where one may follow at all, and the
 * wrong ones are counted over all calls.
 */
#ifndef CSIGN_PAM_REFUSED_H
#define CSIGN_PAM_REFUSED_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "countersign.h"
#include "retcode.h"

struct csign_refusal {
	enum csign_err err;
	enum csign_stage stage;
	unsigned int wrong_codes;
};

/* Best effort: without memory for it, the question is put again. */
void csign_refused_remember(
    pam_handle_t *pamh, const char *user, const struct csign_refusal *refusal);

/* Was user refused with this handle before, and how? */
bool csign_refused_before(
    pam_handle_t *pamh, const char *user, struct csign_refusal *ret_refusal);

#endif
