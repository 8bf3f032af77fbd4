/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entry points of pam_countersign(8).  Only the functions for auth are
 * here: in any other kind of stack PAM finds none and fails (PAM-7).
 */
#include "config.h"

#include <security/pam_modules.h>

#include "auth.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags; /* sudo always says PAM_SILENT, and people must see */
	return csign_authenticate(pamh, argc, argv);
}

/* There are no credentials to set; PAM_IGNORE would confuse jumps. */
EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
