/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A /run in memory that this process alone sees: what is synced there waits for
 * no disk, no other test's trouble gets at it, a path that a damaged
 * configuration names ends there, and it is gone with the process, however that
 * ends.
 */
#ifndef OWN_RUN_H
#define OWN_RUN_H

#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <unistd.h>

/* Once is enough.  False where it cannot be had: the common one has to do. */
static inline bool
own_run(void)
{
	static bool own;

	if (!own && geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		own = mount("none", "/run", "tmpfs", 0, "mode=0755") == 0;
	return own;
}

#endif
