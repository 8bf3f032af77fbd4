/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two walls of the sandbox, each in two steps: sandbox_calls.c (seccomp:
 * which system calls), sandbox_reach.c (Landlock: which files and ports).
 * All return 0, or -1 with errno.
 */
#ifndef CSIGN_SANDBOX_IMPL_H
#define CSIGN_SANDBOX_IMPL_H

#include "sandbox.h"

/* A kernel without seccomp filters is an error. */
CSIGN_WUR int csign_sandbox_calls(void);
CSIGN_WUR int csign_sandbox_calls_narrow(
    const struct csign_sandbox_needs *needs);

/* A kernel without Landlock, or with an older one, gives what it has. */
CSIGN_WUR int csign_sandbox_reach(void);
CSIGN_WUR int csign_sandbox_reach_narrow(
    const struct csign_sandbox_needs *needs);

#endif
