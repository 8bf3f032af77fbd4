/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "owner.h"

/* What one address may have of all connections, if nothing else is set. */
#define ADDRESS_PART 8
#define ADDRESS_MIN 64
/* A host's questions twice, as each may come anew, and its other calls. */
#define HOST_TIMES 2
#define HOST_MORE 64

size_t
owner_share(const struct settings *settings, enum share_kind kind)
{
	size_t part = settings->max_connections / ADDRESS_PART;

	if (kind == SHARE_HOST)
		return (size_t)settings->max_pending_host * HOST_TIMES +
		       HOST_MORE;
	if (settings->max_connections_address != 0)
		return settings->max_connections_address;
	return part > ADDRESS_MIN ? part : ADDRESS_MIN;
}

bool
owner_of_peer(
    void *arg, const struct http_peer *peer, struct share_owner *ret_owner)
{
	const struct service *service = arg;
	struct share_owner owner = {.kind = SHARE_ADDRESS};
	unsigned char key[16];
	size_t len = peer_key(peer, key);

	if (peer_is_trusted(&service->proxies, peer))
		return false;
	if (peer->local) {
		owner.kind = SHARE_ACCOUNT;
		memcpy(owner.key, &peer->uid, sizeof peer->uid);
	} else {
		memcpy(owner.key, key, len);
	}
	*ret_owner = owner;
	return true;
}

/* Counts it.  Who floods the service does not flood the log. */
static bool
note_refused(struct service *service, const void *key, size_t len)
{
	unsigned wait;

	service->refused++;
	return rate_take(service->log_rate, key, len, call_boot_now(), &wait);
}

static void
log_refused(struct service *service, const char *limit, const char *host,
    const struct http_peer *peer)
{
	char address[PEER_TEXT_SIZE], refused[24], uid[12];

	peer_text(peer, address);
	(void)snprintf(uid, sizeof uid, "%u", peer->uid);
	(void)snprintf(refused, sizeof refused, "%" PRIu64, service->refused);
	service->refused = 0;
	log_event(CSIGN_LOG_WARNING, "connections_refused", "limit", limit,
	    "host", host, "address", address, "uid", peer->local ? uid : NULL,
	    "refused", refused);
}

void
owner_refused(void *arg, const struct http_peer *peer, enum http_full full)
{
	static const char all[] = "all";
	struct service *service = arg;
	unsigned char key[16];
	size_t len = peer_key(peer, key);

	if (full == HTTP_FULL_SERVER) {
		if (note_refused(service, all, sizeof all))
			log_refused(service, all, NULL, peer);
	} else if (note_refused(service, key, len)) {
		log_refused(
		    service, peer->local ? "account" : "address", NULL, peer);
	}
}

/* The same of those that went for others, who have a count of their own. */
static bool
note_put_out(struct service *service, const struct share_owner *owner)
{
	unsigned char key[2 + SHARE_KEY_LEN] = {'o', SHARE_N_KINDS};
	unsigned wait;

	if (owner != NULL) {
		key[1] = (unsigned char)owner->kind;
		memcpy(key + 2, owner->key, SHARE_KEY_LEN);
	}
	service->put_out++;
	return rate_take(
	    service->log_rate, key, sizeof key, call_boot_now(), &wait);
}

void
owner_put_out(
    void *arg, const struct http_peer *peer, const struct share_owner *owner)
{
	static const char *const limits[SHARE_N_KINDS] = {
	    [SHARE_ADDRESS] = "address",
	    [SHARE_ACCOUNT] = "account",
	    [SHARE_HOST] = "host",
	};
	struct service *service = arg;
	char address[PEER_TEXT_SIZE], closed[24], uid[12];

	if (!note_put_out(service, owner))
		return;
	peer_text(peer, address);
	(void)snprintf(uid, sizeof uid, "%u", peer->uid);
	(void)snprintf(closed, sizeof closed, "%" PRIu64, service->put_out);
	service->put_out = 0;
	log_event(CSIGN_LOG_WARNING, "connections_put_out", "limit",
	    owner == NULL ? "all" : limits[owner->kind], "address", address,
	    "uid", peer->local ? uid : NULL, "closed", closed);
}

bool
owner_is_host(struct call *call, int64_t host)
{
	struct share_owner owner = {.kind = SHARE_HOST};

	memcpy(owner.key, &host, sizeof host);
	if (http_belongs(call->conn, &owner))
		return true;
	if (note_refused(call->service, &host, sizeof host))
		log_refused(call->service, "host",
		    call->has_host ? call->host.name : NULL, &call->peer);
	call_no_room(call);
	return false;
}
