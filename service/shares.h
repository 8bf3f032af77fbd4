/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many connections somebody has, so that nobody takes those of others.
 *
 * A connection belongs to the address that it comes from (of IPv6: the network
 * of 64 bits), on a unix socket to the account at the other end.  Once a
 * request on it has shown an access key or a status token that is valid, it
 * belongs to that host, wherever that is, until it ends: so a big host, and
 * many hosts behind one address, use up nobody's share but their own.  Those of
 * trusted proxies belong to nobody, as they carry what many people ask.
 *
 * Whoever has as many as it may gives up one of its own for a new one: the one
 * that has been idle for longest, or else the one whose request lasts for
 * longest, however short that is; never one that waits for an answer.  So a
 * host gets in from an address that others flood: they would have to fill the
 * whole share between its connection and its key.  If there is none to give up,
 * the new one is refused with status 503, and a few of those later it is closed
 * at once.  Others notice nothing.
 *
 * Here it is counted; http_room.c makes room and refuses, owner.c says whose
 * one is.
 */
#ifndef SERVICE_SHARES_H
#define SERVICE_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "countersign.h"

#define SHARE_KEY_LEN 16

enum share_kind { SHARE_ADDRESS, SHARE_ACCOUNT, SHARE_HOST, SHARE_N_KINDS };

struct share_owner {
	enum share_kind kind;
	unsigned char key[SHARE_KEY_LEN]; /* zeros behind what it needs */
};

/* What a connection does, as far as it matters to who must go. */
enum share_doing { SHARE_IDLE, SHARE_READING, SHARE_BUSY, SHARE_N_DOING };

/* Of a connection; all zeros: nobody's. */
struct share_member {
	TAILQ_ENTRY(share_member) next;
	struct share *share;
	enum share_doing doing;
};

struct shares;

CSIGN_WUR enum csign_err shares_new(struct shares **ret_shares);
/* All members have left. */
void shares_free(struct shares **shares);
/* Counts a member that is nobody's for an owner.  There is no limit here. */
CSIGN_WUR enum csign_err shares_join(struct shares *shares,
    const struct share_owner *owner, enum share_doing doing,
    struct share_member *member);
/* It is nobody's afterwards, as it may have been before. */
void shares_leave(struct shares *shares, struct share_member *member);
/* It does something else, or begins anew. */
void shares_do(struct share_member *member, enum share_doing doing);

/* NULL: nobody. */
const struct share_owner *shares_owner(const struct share_member *member);
/* How many its owner has, with it; 0 for nobody's. */
size_t shares_count(const struct share_member *member);
/* The one of its owner that has been doing so for longest, but itself. */
struct share_member *shares_first(
    const struct share_member *member, enum share_doing doing);

#endif
