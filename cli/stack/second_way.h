/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before a stack asks the phone: has a phone been seen to work, and is there a
 * way to root that needs none?  The rule is in countersign(1), "pam".
 */
#ifndef CLI_STACK_SECOND_WAY_H
#define CLI_STACK_SECOND_WAY_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"
#include "edit.h"

struct second_way {
	bool phone; /* an administrator's device has approved, or has codes */
	bool root;  /* there is a way to root without this stack's phone */
	/* what was found, or what is missing: a sentence */
	char phone_text[256], root_text[512];
};

/*
 * As the host would be with the edit done.  ctx NULL: no configuration could
 * be read, so no device is known.
 */
void second_way_look(struct csign_ctx *ctx, const struct pam_edit *edit,
    struct second_way *ret_way);

#endif
