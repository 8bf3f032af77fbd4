/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is at the other end: the peer's address, or what a trusted proxy says
 * about it in X-Forwarded-For (countersign-security(7) SVC-7).
 */
#ifndef SERVICE_PEER_H
#define SERVICE_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "countersign.h"
#include "http.h"
#include "why.h"

#define PROXIES_MAX 16

struct proxies {
	struct {
		struct in6_addr address;
		unsigned bits; /* of 128 */
	} nets[PROXIES_MAX];
	size_t n;
	bool local; /* unix sockets */
};

/* words: as in countersignd.conf(5), or NULL for none. */
CSIGN_WUR enum csign_err proxies_parse(
    const char *words, struct csign_why *why, struct proxies *ret_proxies);
bool peer_is_trusted(
    const struct proxies *proxies, const struct http_peer *peer);
/* forwarded_for: the header's last line, or NULL. */
struct http_peer peer_behind(const struct proxies *proxies,
    const struct http_peer *peer, const char *forwarded_for);
/*
 * What a limit counts: an IPv4 address, or the /64 of an IPv6 one.  Returns
 * the length of the key.
 */
size_t peer_key(const struct http_peer *peer, unsigned char ret_key[16]);

#define PEER_TEXT_SIZE 64
void peer_text(const struct http_peer *peer, char out[PEER_TEXT_SIZE]);

#endif
