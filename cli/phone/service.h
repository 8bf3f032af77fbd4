/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phone's requests to the service of a link: countersign-protocol(7),
 * section PHONE API.  What the service says is about carrying, never about
 * the question itself.
 */
#ifndef PHONE_SERVICE_H
#define PHONE_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "why.h"

struct service;

enum service_state {
	SERVICE_PENDING,
	SERVICE_SEEN,
	SERVICE_ANSWERED,
	SERVICE_GRANTED,
	SERVICE_DENIED,
	SERVICE_EXPIRED,
	SERVICE_CANCELLED,
};

struct service_event {
	enum service_state state;
	uint32_t sequence;
	uint32_t tries_left;
	char reason[64]; /* foreign text, "" if there is none */
};

/*
 * origin as in the link; ca_file NULL for the system's certificates; link_id
 * NULL for what needs no link.  stop_fd readable ends every call below with
 * CSIGN_E_INTERRUPTED.
 */
CSIGN_WUR enum csign_err service_new(const char *origin, const char *ca_file,
    const char *link_id, int stop_fd, struct csign_why *why,
    struct service **ret_service);
void service_free(struct service **service);

/*
 * All of them: CSIGN_E_NOT_FOUND, the service knows no such link (any more);
 * CSIGN_E_EXPIRED; CSIGN_E_SERVICE, with why.
 */
CSIGN_WUR enum csign_err service_fetch(struct service *service,
    struct csign_why *why, struct csign_buf **ret_sealed,
    uint32_t *ret_seconds_left);
/* Only a courtesy to the person at the terminal; failure means nothing. */
void service_seen(struct service *service);
/* ret_cookie: the cookie by which the service knows this device, or "". */
CSIGN_WUR enum csign_err service_device(struct service *service,
    const char *device_id, const char *name, struct csign_why *why,
    char *ret_cookie, size_t cookie_size);
/* Leaves a note for the host; CSIGN_E_SERVICE_REFUSED: not with that cookie. */
CSIGN_WUR enum csign_err service_removal(struct service *service,
    const char *cookie, const struct csign_buf *note, struct csign_why *why);
/*
 * Where the service rings this phone from now on, without a word about what
 * for; NULL: nowhere.  CSIGN_E_INVALID: it refuses to, and why says what it
 * said; CSIGN_E_SERVICE_REFUSED: not with that cookie.
 */
CSIGN_WUR enum csign_err service_push(struct service *service,
    const char *cookie, const char *endpoint, struct csign_why *why);
/* CSIGN_E_EXISTS: another answer is being looked at, or it is closed. */
CSIGN_WUR enum csign_err service_answer(struct service *service,
    const struct csign_buf *sealed, const char *hint, struct csign_why *why,
    uint32_t *ret_sequence);
/* The next event after a sequence; CSIGN_E_AGAIN: none within wait seconds. */
CSIGN_WUR enum csign_err service_event(struct service *service, uint32_t after,
    uint32_t wait, struct csign_why *why, struct service_event *ret_event);

#endif
