/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pwd.h>
#include <security/pam_modutil.h>
#include <string.h>

#include "ring.h"

/* The library asks for the code for root, whatever the configuration says. */
static bool
is_root(pam_handle_t *pamh, const char *name)
{
	const struct passwd *entry = pam_modutil_getpwnam(pamh, name);

	return entry != NULL && entry->pw_uid == 0;
}

/* The same for who has proven nothing (RL-7). */
static bool
is_by_tap(const struct csign_person *person, const char *asked, bool proven)
{
	const char *confirm = csign_ctx_setting(person->ctx, "push_confirm");

	return confirm != NULL && strcmp(confirm, "tap") == 0 &&
	       (proven || !csign_items_remote(person->items)) &&
	       !is_root(person->pamh, asked);
}

bool
csign_may_ring(
    const struct csign_person *person, const char *asked, bool proven)
{
	if (!csign_present_is_shown(person))
		return is_by_tap(person, asked, proven);
	return person->items->tty[0] != '\0' &&
	       csign_conv_is_there(person->pamh);
}
