/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the courier gives up by itself, beyond what the leash took away
 * (lib/spawn.h): everything that no job needs before it reads its job, and
 * everything that this job does not need before it touches the network
 * (countersign-security(7) SYS-6).
 *
 * What a library tries and lives without is refused by an errno; what nothing
 * in here has a reason to try ends the process by SIGSYS.
 */
#ifndef CSIGN_SANDBOX_H
#define CSIGN_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "countersign.h"
#include "frame.h"
#include "why.h"

/* What the way to one service takes. */
struct csign_sandbox_needs {
	const char *ca_file; /* "": the system's certificates */
	bool local;          /* a unix socket, and nothing else */
	bool names;          /* a host is known by its name: DNS */
	uint16_t port;       /* of the service or its proxy */
};

/* CSIGN_E_SYSTEM: it must not go on. */
CSIGN_WUR enum csign_err csign_sandbox_enter(struct csign_why *why);
/* Once, in the only thread there is, before the first socket. */
CSIGN_WUR enum csign_err csign_sandbox_narrow(
    const struct csign_sandbox_needs *needs, struct csign_why *why);

/* CSIGN_E_CONFIG: the service or the proxy is no address. */
CSIGN_WUR enum csign_err csign_sandbox_needs(
    const struct csign_job *job, struct csign_sandbox_needs *ret_needs);

#endif
