/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One POST over HTTPS to a push service, by libcurl on the event loop.  The
 * only place of the service that calls somebody.  What libcurl would decide by
 * itself, by its build or by the environment is decided here.
 */
#ifndef SERVICE_PUSH_WIRE_H
#define SERVICE_PUSH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "countersign.h"
#include "endpoint.h"

struct event_base;
struct push_wire;

#define PUSH_WIRE_REASON_SIZE 256

struct push_reply {
	int status;     /* 0: there was none */
	bool forbidden; /* its address is not one that may be called */
	char reason[PUSH_WIRE_REASON_SIZE]; /* if there was none */
	char retry_after[64];               /* as it came, or "" */
};

struct push_post {
	const char *url;
	const struct endpoint *endpoint;
	const char *const *headers; /* whole lines, NULL-terminated */
	const struct csign_buf *body;
};

/* It is over; what was handed to push_wire_post() is no longer used. */
typedef void push_wire_done(void *arg, const struct push_reply *reply);

/*
 * ca_file: instead of the system's, or NULL.  allow_private: listed hosts may
 * be anywhere.  CSIGN_E_SYSTEM: libcurl cannot be used.
 */
CSIGN_WUR enum csign_err push_wire_new(struct event_base *base,
    const char *ca_file, bool allow_private, struct push_wire **ret_wire);
/* Gives up what is under way; nobody is told. */
void push_wire_free(struct push_wire **wire);
/* body must last until done() is called, from the event loop. */
CSIGN_WUR enum csign_err push_wire_post(struct push_wire *wire,
    const struct push_post *post, push_wire_done *done, void *arg);

#endif
