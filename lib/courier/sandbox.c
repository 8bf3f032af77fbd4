/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox.h"

enum csign_err
csign_sandbox_enter(void)
{
	const struct rlimit none = {0, 0};

	/* The network is no place for root. */
	if (geteuid() == 0 || getuid() == 0)
		return CSIGN_E_SYSTEM;
	if (clearenv() != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0 ||
	    setrlimit(RLIMIT_FSIZE, &none) != 0)
		return CSIGN_E_SYSTEM;
#ifndef CSIGN_SANITIZED
	/* The leak checker has to trace its own process. */
	if (prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) != 0)
		return CSIGN_E_SYSTEM;
#endif
	/* Executed by descriptor, it would be called by a number. */
	(void)prctl(PR_SET_NAME, "courier", 0L, 0L, 0L);
	/* The resolver's thread needs no 64 MiB of its own. */
	(void)mallopt(M_ARENA_MAX, 1);
	return CSIGN_OK;
}
