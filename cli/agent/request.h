/* SPDX-License-Identifier: BSD-2-Clause */
/* What a client of the agent asks for, read with distrust: agent.h. */
#ifndef CLI_AGENT_REQUEST_H
#define CLI_AGENT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "agent.h"

struct agent_request {
	bool utf8;
	int fds[AGENT_FDS];
	char *argv[1 + AGENT_ARGS_MAX + 1]; /* a place for the program's name */
	int argc;
	char text[AGENT_TEXT_MAX];
};

/*
 * NULL: *request is whole.  Else what is wrong with it, for the log; no
 * descriptor is left open then.  Takes timeout_ms at most.
 */
const char *agent_receive(
    int sock, int timeout_ms, struct agent_request *request);

#endif
