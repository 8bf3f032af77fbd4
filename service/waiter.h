/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that waits for something to happen: the first member of what its
 * owner knows about it, in a list of the owner's.
 */
#ifndef SERVICE_WAITER_H
#define SERVICE_WAITER_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdint.h>
#include <sys/queue.h>

#include "countersign.h"
#include "http.h"

/* More on one thing are not two parties but somebody who collects. */
#define WAITERS_MAX 8

struct waiter {
	LIST_ENTRY(waiter) next;
	struct http_conn *conn;
	struct event timer;
};
LIST_HEAD(waiter_list, waiter);

/*
 * Puts a waiter, which comes from malloc(3) and belongs to the list from now
 * on, before all others, and holds the connection: over(.., waiter) is called
 * after wait_s seconds.  It is freed when the client goes away, or if this
 * fails.
 */
CSIGN_WUR enum csign_err waiter_begin(struct waiter *waiter,
    struct waiter_list *list, struct event_base *base, uint32_t wait_s,
    event_callback_fn over, struct http_conn *conn);
/* The connection is not held any longer by it: reply. */
void waiter_free(struct waiter *waiter);
void waiter_free_all(struct waiter_list *list);

#endif
