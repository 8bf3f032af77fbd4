/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ringing phones: Web Push (RFC 8030, 8291, 8292), a plain wake-up for what
 * knows no Web Push, or a command of the operator's.  It is told of a question
 * after that is stored, takes its time in the background, and whatever becomes
 * of it changes no approval (countersign-security(7) SVC-5 to SVC-8).
 */
#ifndef SERVICE_PUSH_H
#define SERVICE_PUSH_H

#include "countersign.h"
#include "settings.h"
#include "store.h"
#include "why.h"

struct event_base;
struct push;

/* Reads the VAPID key, or makes it.  CSIGN_E_CONFIG, CSIGN_E_FILE. */
CSIGN_WUR enum csign_err push_new(struct event_base *base, struct store *store,
    const struct settings *settings, struct csign_why *why,
    struct push **ret_push);
/* What is under way is given up. */
void push_free(struct push **push);

/* The VAPID key as pages need it, 87 characters; "" if there is no push. */
const char *push_key(const struct push *push);

/*
 * May a phone be rung there?  url: its endpoint; p256dh, auth: b64u, or both
 * NULL for a plain wake-up.  CSIGN_E_INVALID; why says to the phone why not.
 */
CSIGN_WUR enum csign_err push_endpoint_check(const struct push *push,
    const char *url, const char *p256dh, const char *auth,
    struct csign_why *why);

/*
 * Rings the phones that have a copy of this question, which is stored.  NULL
 * push: none.  *ret_sent: how many are being rung now.
 */
void push_question(struct push *push, const struct approval *approval,
    const char *link_id, unsigned *ret_sent);
/*
 * A question was granted: the user's other phones hear that, without a sound,
 * whether it rang or not.  device_id: which gave the grant; NULL: nobody hears.
 */
void push_granted(
    struct push *push, const struct approval *approval, const char *device_id);

#endif
