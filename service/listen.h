/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets to listen on: what may be opened, and how. */
#ifndef SERVICE_LISTEN_H
#define SERVICE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"
#include "why.h"

/*
 * word: "127.0.0.1:8080", "[::1]:0".  Without TLS only loopback addresses
 * are allowed.  Writes the address that it got, as in a URL, to bound.
 */
CSIGN_WUR enum csign_err listen_tcp(const char *word, bool tls, char *bound,
    size_t bound_size, struct csign_why *why, int *ret_fd);
/* Everybody on this machine may connect; replaces a socket left behind. */
CSIGN_WUR enum csign_err listen_unix(
    const char *path, struct csign_why *why, int *ret_fd);

#endif
