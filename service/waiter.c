/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>

#include "waiter.h"

/* The client went away. */
static void
on_gone(void *arg)
{
	waiter_free(arg);
}

enum csign_err
waiter_begin(struct waiter *waiter, struct waiter_list *list,
    struct event_base *base, uint32_t wait_s, event_callback_fn over,
    struct http_conn *conn)
{
	struct timeval wait = {(time_t)wait_s, 0};

	waiter->conn = conn;
	if (event_assign(&waiter->timer, base, -1, 0, over, waiter) != 0 ||
	    event_add(&waiter->timer, &wait) != 0) {
		free(waiter);
		return CSIGN_E_NOMEM;
	}
	LIST_INSERT_HEAD(list, waiter, next);
	http_hold(conn, on_gone, waiter);
	return CSIGN_OK;
}

void
waiter_free(struct waiter *waiter)
{
	LIST_REMOVE(waiter, next);
	event_del(&waiter->timer);
	free(waiter);
}

void
waiter_free_all(struct waiter_list *list)
{
	struct waiter *waiter, *next;

	for (waiter = LIST_FIRST(list); waiter != NULL; waiter = next) {
		next = LIST_NEXT(waiter, next);
		waiter_free(waiter);
	}
}
