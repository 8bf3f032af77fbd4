/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of countersignd and what they share. */
#ifndef SERVICE_CMD_H
#define SERVICE_CMD_H

#include <stddef.h>

#include "countersign.h"

/* Exit statuses, countersignd(8). */
enum cmd_exit {
	CMD_OK = 0,
	CMD_NO = 1,      /* not found, there already */
	CMD_USAGE = 2,   /* wrong usage */
	CMD_TROUBLE = 3, /* could not be done */
};

/* "countersignd: ..." on standard error. */
void cmd_say(const char *fmt, ...) CSIGN_PRINTF(1, 2);

/* argv[0] is the command's name. */
int cmd_host(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_web(int argc, char **argv);

#endif
