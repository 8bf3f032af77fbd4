/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inbox of a phone: the open questions that have a copy for one of its
 * devices, and phones that wait for it to change.  Nothing is remembered here:
 * what an inbox is now is in the database.
 */
#ifndef SERVICE_INBOX_H
#define SERVICE_INBOX_H

#include "countersign.h"
#include "http.h"
#include "store.h"

struct inbox;
struct event_base;

CSIGN_WUR enum csign_err inbox_new(
    struct event_base *base, struct store *store, struct inbox **ret_inbox);
/* Forgets who waits. */
void inbox_free(struct inbox **inbox);

/* Changes whenever the inbox does: questions, their states.  b64u. */
#define INBOX_TAG_SIZE 23
/*
 * Calls tell(arg, conn, cookie_hash) at once if the inbox's tag is not `after`,
 * else as soon as it is another, or after wait_s seconds.
 */
typedef void inbox_teller(void *arg, struct http_conn *conn,
    const unsigned char cookie_hash[STORE_HASH_LEN]);
struct inbox_poll {
	const char *after;
	uint32_t wait_s;
	inbox_teller *tell;
	void *arg;
};
CSIGN_WUR enum csign_err inbox_tell(struct inbox *inbox,
    const unsigned char cookie_hash[STORE_HASH_LEN],
    const struct inbox_poll *poll, struct http_conn *conn);
CSIGN_WUR enum csign_err inbox_tag(struct inbox *inbox,
    const unsigned char cookie_hash[STORE_HASH_LEN],
    char ret_tag[INBOX_TAG_SIZE]);

/* A question was made, or has changed: tells the phones that have a copy. */
void inbox_changed(struct inbox *inbox, int64_t approval);
/* The devices of a phone have. */
void inbox_changed_phone(
    struct inbox *inbox, const unsigned char cookie_hash[STORE_HASH_LEN]);
/* Anything may have: tells those for whom there is news. */
void inbox_changed_all(struct inbox *inbox);
/* Tells everybody who waits how things are; for a stop. */
void inbox_tell_all(struct inbox *inbox);

#endif
