/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the courier gives up by itself before it reads its first byte, beyond
 * what the leash took away (lib/spawn.h): an executed program gets the right
 * to be traced and dumped back, and may have been started by somebody else.
 */
#ifndef CSIGN_SANDBOX_H
#define CSIGN_SANDBOX_H

#include "countersign.h"

/* CSIGN_E_SYSTEM: it must not go on. */
CSIGN_WUR enum csign_err csign_sandbox_enter(void);

#endif
