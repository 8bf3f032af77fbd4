/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * countersign check: how far does this kernel confine the courier?  Without
 * its filter of system calls the courier refuses to run, and the service is
 * not reached; here is what may be missing without anybody noticing.
 */
#include "config.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#define LANDLOCK_PORTS 4 /* the first version that knows them */

void
check_sandbox(struct check *c)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0L,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (version >= LANDLOCK_PORTS)
		check_good(c->report, GROUP_FILES,
		    "the courier is confined to its system calls, files and "
		    "ports (Landlock %ld)",
		    version);
	else if (version > 0)
		check_find(c->report, FIND_SANDBOX, NULL, "landlock", NULL,
		    "Landlock %ld of this kernel confines the courier's files, "
		    "not the ports that it may connect to.",
		    version);
	else
		check_find(c->report, FIND_SANDBOX, NULL, "landlock", NULL,
		    "This kernel has no Landlock, or it is turned off: the "
		    "courier is confined by its account and its system calls, "
		    "not in what it may read and connect to.");
}
