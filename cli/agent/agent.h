/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent: how a person without privileges uses what only root may do.
 *
 * The program that he calls (the client) connects to AGENT_SOCKET and sends
 * its arguments and its standard input, output and error; for each connection
 * the system's manager starts "countersign agent" as root with the socket as
 * standard input.  The agent asks the kernel who is there, looks whether he
 * may (caller.h), and runs the very same command with his descriptors and
 * nothing else of his: no environment, no file name, no working directory.
 *
 * One message each way, in the machine's own byte order:
 *
 *	client -> agent	struct agent_head, with three descriptors (SCM_RIGHTS),
 *			then len bytes: n_args strings, each with its NUL,
 *			the command's name first
 *	agent -> client	struct agent_reply, when the command has ended
 *
 * Whatever else the client sends, and also when it hangs up or shuts down its
 * side, stops the command as SIGTERM does.
 *
 * A descriptor must be a terminal, a pipe or /dev/null.  Root must not write
 * where the client could open a file but not write, such as below /proc; and a
 * socket would carry root's identity to whoever reads from it.  What is
 * something else the client copies, through a pipe.
 */
#ifndef CLI_AGENT_AGENT_H
#define CLI_AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "../out.h"

#define AGENT_FOLDER "/run/countersign"
#define AGENT_SOCKET AGENT_FOLDER "/agent.sock"
#define AGENT_MAGIC "csagent1"
#define AGENT_FDS 3
#define AGENT_ARGS_MAX 64
#define AGENT_TEXT_MAX 32768
#define AGENT_UTF8 UINT32_C(1) /* the terminal shows UTF-8 */

struct agent_head {
	char magic[8]; /* without a NUL */
	uint32_t flags;
	uint32_t n_args;
	uint32_t len;
};

struct agent_reply {
	char magic[8];
	uint32_t status; /* enum out_status */
};

/* May root read and write it for its owner? */
bool agent_fd_safe(int fd);

/* Milliseconds of a clock that only goes forward. */
int64_t agent_now_ms(void);

/* The client's side of a command; argv begins with its name. */
enum out_status agent_call(char **argv);

#endif
