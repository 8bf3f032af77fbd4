/* SPDX-License-Identifier: BSD-2-Clause */
/* The service as a running program: start, signals, stop. */
#ifndef SERVICE_SERVER_H
#define SERVICE_SERVER_H

#include "countersign.h"
#include "why.h"

/*
 * Runs until SIGTERM or SIGINT.  config: path, NULL for the default.
 * Anything but CSIGN_OK: it could not start, and why says so.
 */
CSIGN_WUR enum csign_err server_run(const char *config, struct csign_why *why);

#endif
