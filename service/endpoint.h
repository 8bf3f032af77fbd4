/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which URLs a phone may be rung at, and which addresses that may lead to:
 * what a phone names must not make this service call on somebody else
 * (countersign-security(7) SVC-6).
 */
#ifndef SERVICE_ENDPOINT_H
#define SERVICE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "countersign.h"
#include "why.h"

#define ENDPOINT_HOST_MAX 253
/* "https://", host, ":", port */
#define ENDPOINT_ORIGIN_MAX (ENDPOINT_HOST_MAX + 14)

struct endpoint {
	char host[ENDPOINT_HOST_MAX + 1]; /* in lower case */
	char origin[ENDPOINT_ORIGIN_MAX + 1];
	uint16_t port;
	bool listed;   /* one of the operator's hosts */
	bool web_push; /* one of the known services, which need keys */
};

/* A word of push_hosts: host or host:port. */
CSIGN_WUR enum csign_err endpoint_host_check(
    const char *word, size_t len, struct csign_why *why);
/*
 * https, no userinfo, no fragment, port 443, and a host that is known or
 * listed; hosts: words of push_hosts, or NULL.  CSIGN_E_INVALID.
 */
CSIGN_WUR enum csign_err endpoint_read(const char *url, const char *hosts,
    struct csign_why *why, struct endpoint *ret_endpoint);

/*
 * Is this the address of a machine on the Internet?  Not: this host, private
 * and shared networks, links, multicast, what is reserved, and IPv6 forms that
 * hide an IPv4 address of these.
 */
bool endpoint_address_public(const struct sockaddr *address, socklen_t len);

#endif
