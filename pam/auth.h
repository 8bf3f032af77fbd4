/* SPDX-License-Identifier: BSD-2-Clause */
/* One authentication from its options to its return code. */
#ifndef CSIGN_PAM_AUTH_H
#define CSIGN_PAM_AUTH_H

#include <security/pam_modules.h>

/* What pam_sm_authenticate() does; pam_countersign(8) has the codes. */
int csign_authenticate(pam_handle_t *pamh, int argc, const char *const *argv);

#endif
