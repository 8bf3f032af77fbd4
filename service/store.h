/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service keeps, behind functions that know no SQL.  store_sqlite.c
 * implements them; a second database implements the same.
 *
 * A change is durable against kill -9 when its function returns.  Every time
 * is in milliseconds since 1970.  CSIGN_E_NOT_FOUND: no such thing (in that
 * space); CSIGN_E_SYSTEM: the database failed, which has been logged.
 */
#ifndef SERVICE_STORE_H
#define SERVICE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "countersign.h"
#include "why.h"

#define STORE_HASH_LEN 32 /* SHA-256 of an access key, token or cookie */
#define STORE_ID_SIZE 23  /* 16 random bytes in b64u, and NUL */
#define STORE_NAME_MAX 64 /* of a host or a space */
#define STORE_REASON_MAX 64
#define STORE_AUTHENTICATORS_MAX 64 /* of one user */

struct store;

/* --- hosts ---------------------------------------------------------------- */

#define RIGHT_APPROVE 1U
#define RIGHT_ENROL 2U
#define RIGHT_MANAGE 4U
#define RIGHTS_ALL (RIGHT_APPROVE | RIGHT_ENROL | RIGHT_MANAGE)

struct host {
	int64_t id;
	int64_t space;
	uint32_t rights;
	uint64_t created;
	char name[STORE_NAME_MAX + 1];
	char space_name[STORE_NAME_MAX + 1];
};

/* --- users ---------------------------------------------------------------- */

struct user {
	int64_t id;
	uint64_t created;
	bool active; /* has an authenticator */
	char user_id[STORE_ID_SIZE];
	char username[CSIGN_USER_MAX + 1];
};

struct authenticator {
	char device_id[CSIGN_DEVICE_ID_SIZE];
	char name[CSIGN_DEVICE_NAME_MAX + 1];
	uint64_t created;
};

/* What a phone said about itself at an enrolment. */
struct claim {
	const char *device_id;
	const char *name;
	unsigned char cookie_hash[STORE_HASH_LEN];
};

/* --- approvals ------------------------------------------------------------ */

enum approval_kind { KIND_APPROVAL, KIND_ENROLMENT };

/* The order is in the database: append only, open states first. */
enum approval_state {
	STATE_PENDING,
	STATE_SEEN,
	STATE_ANSWERED,
	STATE_GRANTED,
	STATE_DENIED,
	STATE_EXPIRED,
	STATE_CANCELLED,
};
#define STATE_IS_OPEN(state) ((state) <= STATE_ANSWERED)

enum approval_event {
	EVENT_CREATED,
	EVENT_SEEN,
	EVENT_ANSWERED,
	EVENT_GRANTED,
	EVENT_DENIED,
	EVENT_REJECTED,
	EVENT_CANCELLED,
	EVENT_EXPIRED,
};

struct approval {
	int64_t id;
	int64_t space;
	int64_t host;
	enum approval_kind kind;
	enum approval_state state;
	enum approval_event event; /* the newest */
	uint32_t sequence;         /* of the newest event, from 1 */
	int32_t tries_left;        /* as the host said it, or -1 */
	uint64_t ends;             /* end of its lifetime */
	uint64_t due;              /* when it expires or is removed */
	char transaction_id[STORE_ID_SIZE];
	char reason[STORE_REASON_MAX + 1];
};

struct question {
	enum approval_kind kind;
	const struct host *host;
	const char *username;    /* or NULL: nobody in particular */
	const struct user *user; /* of an enrolment, or NULL */
	const char *link_id;
	const char *content; /* sealed, b64u */
	uint64_t ends;
	uint32_t max_host; /* open at a time */
	uint32_t max_user;
};

/* --- the database --------------------------------------------------------- */

/* Creates it if it is missing. */
CSIGN_WUR enum csign_err store_open(
    const char *path, struct csign_why *why, struct store **ret_store);
void store_close(struct store **store);
/* A write that is read back. */
CSIGN_WUR enum csign_err store_check(struct store *store, uint64_t now);

/*
 * space NULL: a new one named like the host.  CSIGN_E_EXISTS: a host of this
 * name, or for space NULL a space of this name, is there.
 */
CSIGN_WUR enum csign_err store_host_add(struct store *store, const char *name,
    const char *space, uint32_t rights,
    const unsigned char key_hash[STORE_HASH_LEN], uint64_t now);
/* With its approvals. */
CSIGN_WUR enum csign_err store_host_remove(
    struct store *store, const char *name);
CSIGN_WUR enum csign_err store_host_by_key(struct store *store,
    const unsigned char key_hash[STORE_HASH_LEN], struct host *ret_host);
/* In the order of their names. */
CSIGN_WUR enum csign_err store_host_each(struct store *store,
    void (*visit)(void *arg, const struct host *host), void *arg);

/* Finds or makes the user. */
CSIGN_WUR enum csign_err store_user_ensure(struct store *store, int64_t space,
    const char *username, const char user_id[STORE_ID_SIZE], uint64_t now,
    struct user *ret_user);
CSIGN_WUR enum csign_err store_user_by_name(struct store *store, int64_t space,
    const char *username, struct user *ret_user);
CSIGN_WUR enum csign_err store_user_by_id(struct store *store, int64_t space,
    const char *user_id, struct user *ret_user);
/* With its authenticators. */
CSIGN_WUR enum csign_err store_user_remove(struct store *store, int64_t user);
CSIGN_WUR enum csign_err store_authenticator_each(struct store *store,
    int64_t user, void (*visit)(void *arg, const struct authenticator *auth),
    void *arg);
CSIGN_WUR enum csign_err store_authenticator_rename(struct store *store,
    int64_t space, const char *device_id, const char *name);
CSIGN_WUR enum csign_err store_authenticator_remove(
    struct store *store, int64_t space, const char *device_id);

/*
 * CSIGN_E_LIMIT: as many are open as may be; CSIGN_E_EXISTS: the link id is
 * in use.  The new approval has state pending and sequence 1; its transaction
 * id is the beginning of token_hash, so that one index finds both.
 */
CSIGN_WUR enum csign_err store_approval_create(struct store *store,
    const struct question *question,
    const unsigned char token_hash[STORE_HASH_LEN],
    char ret_transaction_id[STORE_ID_SIZE]);
CSIGN_WUR enum csign_err store_approval_by_id(
    struct store *store, int64_t id, struct approval *ret_approval);
CSIGN_WUR enum csign_err store_approval_by_token(struct store *store,
    const unsigned char token_hash[STORE_HASH_LEN],
    struct approval *ret_approval);
CSIGN_WUR enum csign_err store_approval_by_transaction(struct store *store,
    int64_t space, const char *transaction_id, struct approval *ret_approval);
CSIGN_WUR enum csign_err store_approval_by_link(
    struct store *store, const char *link_id, struct approval *ret_approval);
/* Appends the sealed bytes, b64u, to out. */
CSIGN_WUR enum csign_err store_approval_content(
    struct store *store, int64_t id, struct csign_buf *out);
CSIGN_WUR enum csign_err store_approval_answer(
    struct store *store, int64_t id, struct csign_buf *out);
/*
 * Writes state, event, due, tries_left and reason of next under the sequence
 * next->sequence, which must be one more than the stored one, else
 * CSIGN_E_AGAIN: somebody was faster.  answer, if not NULL, is stored with it;
 * in a closed state content and answer are removed.  A grant of an enrolment
 * makes its claim an authenticator.
 */
CSIGN_WUR enum csign_err store_approval_change(struct store *store,
    const struct approval *next, const char *answer, uint64_t now);
/* Open ones of a user, at most max: their ids. */
CSIGN_WUR enum csign_err store_approval_open_of(struct store *store,
    int64_t space, const char *username, int64_t *ids, size_t max,
    size_t *ret_n);
/* Those due until now, the longest due first, at most max: their ids. */
CSIGN_WUR enum csign_err store_approval_due(
    struct store *store, uint64_t now, int64_t *ids, size_t max, size_t *ret_n);
/* Another due time, which is no change that anybody hears of. */
CSIGN_WUR enum csign_err store_approval_postpone(
    struct store *store, int64_t id, uint64_t due);
CSIGN_WUR enum csign_err store_approval_remove(struct store *store, int64_t id);
/* The soonest due time; UINT64_MAX: there is none. */
CSIGN_WUR enum csign_err store_approval_soonest(
    struct store *store, uint64_t *ret_due);
/*
 * Changes between these two are written together: all of them or none.  The
 * functions above may be called inside; end() gets what they returned.
 */
CSIGN_WUR enum csign_err store_begin(struct store *store);
CSIGN_WUR enum csign_err store_end(struct store *store, enum csign_err r);
/*
 * Keeps what the phone said until the enrolment is granted; if it is granted
 * already, it takes effect now.  Once the enrolment is answered, no other
 * device can take the place.  CSIGN_E_EXISTS: another phone was first, or the
 * device belongs to another user.
 */
CSIGN_WUR enum csign_err store_claim_put(struct store *store,
    const struct approval *approval, const struct claim *claim, uint64_t now);

#endif
