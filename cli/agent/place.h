/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many calls of one user are served at a time, so that nobody takes all
 * that there are.  systemd counts connections of a unix socket for each user
 * only since version 257, and other managers do not.
 */
#ifndef CLI_AGENT_PLACE_H
#define CLI_AGENT_PLACE_H

#include <sys/types.h>

#define AGENT_PLACES 8

/*
 * Takes one of the user's places; it is free again when the descriptor is
 * closed everywhere.  -1: errno, which is EWOULDBLOCK if all are taken.
 */
int agent_place(uid_t uid);

#endif
