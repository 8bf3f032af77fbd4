/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose a connection is (shares.h), and what the log says of too many. */
#ifndef SERVICE_OWNER_H
#define SERVICE_OWNER_H

#include "api.h"

/* Of http_config; arg is struct service *. */
bool owner_of_peer(
    void *arg, const struct http_peer *peer, struct share_owner *ret_owner);
void owner_refused(
    void *arg, const struct http_peer *peer, enum http_full full);
void owner_put_out(
    void *arg, const struct http_peer *peer, const struct share_owner *owner);
/* How many connections an owner of this kind may have. */
size_t owner_share(const struct settings *settings, enum share_kind kind);
/*
 * The call has proven that it is the host's.  False after a reply: the host
 * has too many connections.
 */
bool owner_is_host(struct call *call, int64_t host);

#endif
