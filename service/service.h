/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of a running countersignd share. */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "approvals.h"
#include "buf.h"
#include "http.h"
#include "inbox.h"
#include "peer.h"
#include "push.h"
#include "rate.h"
#include "settings.h"
#include "store.h"
#include "tls.h"

struct event_base;

struct service {
	struct settings settings;
	struct proxies proxies;
	struct event_base *base;
	struct store *store;
	struct approvals *approvals;
	struct inbox *inbox;
	struct push *push; /* or NULL */
	struct http_server *http;
	struct tls *tls; /* or NULL */
	struct rate *host_rate;
	struct rate *address_rate;
	struct rate *link_rate;
	struct rate *log_rate; /* of lines about one address or host */
	uint64_t refused;      /* connections, since the log has said so */
	uint64_t put_out;      /* the same of those that went for others */
	uint64_t health_at;    /* ms since boot: when health was found */
	enum csign_err health;
	struct csign_buf *out;                /* the reply being made */
	unsigned char room[CSIGN_ANSWER_MAX]; /* for sealed bytes read */
};

#endif
