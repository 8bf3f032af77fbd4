/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a program that must not be a child of this process, with nothing of
 * this process but one socket (countersign-security(7) SYS-6).
 */
#ifndef CSIGN_SPAWN_H
#define CSIGN_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "countersign.h"
#include "why.h"

struct csign_spawn {
	const char *program; /* absolute path, safe by the rules of file.h */
	int socket;          /* becomes the program's descriptor 3 */
	bool change_user;    /* to uid and gid, without other groups */
	uid_t uid;
	gid_t gid;
	uint32_t alarm_s; /* SIGALRM ends it after this time */
};

/*
 * Returns when the program runs, or cannot; takes 2 seconds at most.  The
 * program has /dev/null as descriptors 0 to 2, socket as 3 and no others, an
 * empty environment, umask 077, "/" as its directory, default signal actions,
 * a session of its own, no_new_privs, and limits: 32 descriptors, 256 MiB
 * address space, 10 s CPU time, no file may grow, no core.  With change_user,
 * also an empty bounding set, and 1024 processes of the account.
 *
 * Nothing of this process changes, no SIGCHLD is sent and nothing is left to
 * be waited for.  *ret_pidfd is close-on-exec and above 2.
 *
 * CSIGN_E_FILE: program is not safe.  CSIGN_E_COURIER: it could not be started.
 */
CSIGN_WUR enum csign_err csign_spawn(
    const struct csign_spawn *spawn, struct csign_why *why, int *ret_pidfd);

/*
 * The signal that ended a program whose socket is closed; 0: none, or this
 * kernel does not say.  Takes 50 ms at most.
 */
int csign_spawn_end_signal(int pidfd);

/* fd, or, if it is one of 0 to 2, a copy above them; -1 with errno. */
int csign_fd_above_stdio(int fd);

#endif
