/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings that wait, are under way, or come again later.  Each push service
 * has a lane of its own, so that a slow one makes nobody else wait.
 */
#ifndef SERVICE_PUSH_SEND_H
#define SERVICE_PUSH_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "countersign.h"
#include "crypto.h"
#include "push_command.h"
#include "settings.h"
#include "store.h"
#include "vapid.h"

struct event_base;
struct push_send;

#define PUSH_TOPIC_SIZE 33   /* 24 bytes in b64u, and NUL */
#define PUSH_PAYLOAD_LEN 256 /* before the encryption, always */

/* What the sender asks and tells. */
struct push_send_calls {
	push_still_open *still_open;
	/* The push service says that there is no such subscription. */
	void (*gone)(void *arg, const struct subscription *subscription);
	void *arg;
};

struct ring {
	const struct subscription *subscription;
	int64_t approval;
	const char *transaction_id;
	uint64_t ends;       /* of the question, ms since 1970 */
	const char *link_id; /* NULL: the notice that another phone approved */
	const char *topic;
};

/* crypto, vapid and settings must outlive it. */
CSIGN_WUR enum csign_err push_send_new(struct event_base *base,
    struct csign_crypto *crypto, struct vapid *vapid,
    const struct settings *settings, const struct push_send_calls *calls,
    struct push_send **ret_send);
/* Nothing is waited for. */
void push_send_free(struct push_send **send);

/* Is there room for another? */
bool push_send_has_room(const struct push_send *send);
/*
 * Returns at once; what it was given is copied.  CSIGN_E_LIMIT: too many wait;
 * CSIGN_E_INVALID: the endpoint is none, or no longer.
 */
CSIGN_WUR enum csign_err push_send_ring(
    struct push_send *send, const struct ring *ring);

#endif
