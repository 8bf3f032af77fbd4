/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service keeps, behind functions that know no SQL.  The files
 * store_*.c implement them; a second database implements the same.
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
#define STORE_WORD_SIZE 24
#define STORE_AUTHENTICATORS_MAX 64 /* of one user */
#define STORE_CLAIMS_MAX 4 /* phones that name themselves at one link */
#define STORE_REMOVAL_KEPT_MS (UINT64_C(180) * 86400 * 1000)

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
	uint64_t old_key_ends; /* of the key it came by, or newest; 0: none */
};

/* Done by an admin beside the service, which then logs it. */
struct command {
	uint64_t time;
	uint32_t uid; /* of who did it */
	char what[STORE_WORD_SIZE];
	char name[CSIGN_USER_MAX + 1]; /* of a host or user */
	char space[STORE_NAME_MAX + 1];
};

/* --- users ---------------------------------------------------------------- */

struct user {
	int64_t id;
	uint64_t created;
	int64_t space;
	uint32_t devices; /* that are not about to go */
	char user_id[STORE_ID_SIZE];
	char username[CSIGN_USER_MAX + 1];
	char space_name[STORE_NAME_MAX + 1];
};

struct authenticator {
	char device_id[CSIGN_DEVICE_ID_SIZE];
	char name[CSIGN_DEVICE_NAME_MAX + 1];
	char username[CSIGN_USER_MAX + 1];
	uint64_t created;
	bool removed; /* it said so itself; its hosts have not all heard it */
	bool rings;   /* its phone said where it can be rung */
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
	char username[CSIGN_USER_MAX + 1]; /* "": nobody in particular */
};

/* S, sealed to a device. */
struct copy {
	const char *device_id;
	const char *sealed; /* b64u */
};

struct question {
	enum approval_kind kind;
	const struct copy *copies; /* for phones to ring; or NULL */
	size_t n_copies;
	const struct host *host;
	const char *username;    /* or NULL: nobody in particular */
	const struct user *user; /* of an enrolment, or NULL */
	const char *link_id;
	const char *content; /* sealed, b64u */
	uint64_t created;
	uint64_t ends;
	uint32_t max_host; /* open at a time */
	uint32_t max_user;
};

/* A question that was stored. */
struct creation {
	int64_t id;
	uint32_t copies; /* that were kept */
	char transaction_id[STORE_ID_SIZE];
};

/* --- phones that ring ----------------------------------------------------- */

#define STORE_ENDPOINT_MAX 1024
#define STORE_P256DH_SIZE 88 /* 65 bytes in b64u, and NUL */
#define STORE_AUTH_SIZE 23   /* 16 bytes in b64u, and NUL */

/* Where a phone is rung: one a cookie. */
struct subscription {
	unsigned char cookie_hash[STORE_HASH_LEN];
	uint64_t created;
	char endpoint[STORE_ENDPOINT_MAX + 1];
	char p256dh[STORE_P256DH_SIZE]; /* "" and */
	char auth[STORE_AUTH_SIZE];     /* "" for a plain wake-up */
	/* Of store_subscription_each() and _others() alone: the phone's device,
	 * or one of them, that has a copy or is this user's. */
	char device_id[CSIGN_DEVICE_ID_SIZE];
};

/* A question in a phone's inbox. */
struct inbox_entry {
	int64_t approval;
	enum approval_state state;
	uint32_t sequence;
	uint64_t created; /* milliseconds since 1970 */
	uint64_t ends;
	char link_id[CSIGN_LINK_ID_SIZE];
	char device_id[CSIGN_DEVICE_ID_SIZE];
	const char *sealed; /* b64u */
};

/* What comes with a change; each may be NULL. */
struct change {
	const char *answer;    /* sealed, b64u */
	const char *device_id; /* that an enrolment granted */
};

/* --- the database --------------------------------------------------------- */

enum store_use {
	STORE_SERVE,
	STORE_COMMAND, /* beside a service: does not change old tables */
};

/*
 * Creates it if it is missing; STORE_SERVE brings the tables of an older
 * version up to date, in one step.  CSIGN_E_STATE: it is too new, too old for
 * a command, or being restored; why says so.
 */
CSIGN_WUR enum csign_err store_open(const char *path, enum store_use use,
    struct csign_why *why, struct store **ret_store);
void store_close(struct store **store);
/* A write that is read back. */
CSIGN_WUR enum csign_err store_check(struct store *store, uint64_t now);
/* Has another process written since the last call?  The first call says yes. */
bool store_changed_outside(struct store *store);

/*
 * A copy of the database as it is at one moment, to the descriptor fd, while
 * others go on writing.  Questions are left out: they live for minutes.
 */
CSIGN_WUR enum csign_err store_backup(
    const char *path, int fd, struct csign_why *why);
/*
 * The copy that fd reads takes the place of the database at path, which is
 * kept as ret_aside ("" if there was none).  CSIGN_E_STATE: the database is in
 * use; CSIGN_E_FORMAT: this is no such copy, or a damaged one.  Whatever
 * happens, the old database or the new one is there whole.  visit is called
 * for each host that comes back with a key that was revoked or replaced since.
 */
CSIGN_WUR enum csign_err store_restore(const char *path, int fd, uint64_t now,
    void (*visit)(const char *host), struct csign_why *why, char *ret_aside,
    size_t aside_size);

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
/* By its key, or one that was replaced and has not ended at now. */
CSIGN_WUR enum csign_err store_host_by_key(struct store *store,
    const unsigned char key_hash[STORE_HASH_LEN], uint64_t now,
    struct host *ret_host);
CSIGN_WUR enum csign_err store_host_by_name(
    struct store *store, const char *name, struct host *ret_host);
/* A new key; the one until now, and all before it, end at `ends`. */
CSIGN_WUR enum csign_err store_host_rotate(struct store *store, int64_t host,
    const unsigned char key_hash[STORE_HASH_LEN], uint64_t ends, uint64_t now);
CSIGN_WUR enum csign_err store_old_keys_expire(
    struct store *store, uint64_t now);
CSIGN_WUR enum csign_err store_space_find(
    struct store *store, const char *name, int64_t *ret_id);
CSIGN_WUR enum csign_err store_command_add(
    struct store *store, const struct command *command);
/* In the order they were done; they are forgotten after it. */
CSIGN_WUR enum csign_err store_commands_take(
    struct store *store, void (*visit)(const struct command *command));
/* In the order of their names. */
CSIGN_WUR enum csign_err store_host_each(struct store *store, uint64_t now,
    void (*visit)(void *arg, const struct host *host), void *arg);

/* Finds or makes the user. */
CSIGN_WUR enum csign_err store_user_ensure(struct store *store, int64_t space,
    const char *username, const char user_id[STORE_ID_SIZE], uint64_t now,
    struct user *ret_user);
CSIGN_WUR enum csign_err store_user_by_name(struct store *store, int64_t space,
    const char *username, struct user *ret_user);
CSIGN_WUR enum csign_err store_user_by_id(struct store *store, int64_t space,
    const char *user_id, struct user *ret_user);
/* space 0: of all; username NULL: each.  By space and name. */
CSIGN_WUR enum csign_err store_user_each(struct store *store, int64_t space,
    const char *username, void (*visit)(void *arg, const struct user *user),
    void *arg);
/* With its authenticators, and the subscriptions of phones with no other. */
CSIGN_WUR enum csign_err store_user_remove(struct store *store, int64_t user);
CSIGN_WUR enum csign_err store_authenticator_each(struct store *store,
    int64_t user, void (*visit)(void *arg, const struct authenticator *auth),
    void *arg);
/*
 * Those whose phone has this cookie; CSIGN_E_NOT_FOUND: there are none.  visit
 * may be NULL.
 */
CSIGN_WUR enum csign_err store_authenticator_of_cookie(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN],
    void (*visit)(void *arg, const struct authenticator *auth), void *arg);
CSIGN_WUR enum csign_err store_authenticator_rename(struct store *store,
    int64_t space, const char *device_id, const char *name);
/* With its phone's subscription, if it has no other. */
CSIGN_WUR enum csign_err store_authenticator_remove(
    struct store *store, int64_t space, const char *device_id);

/*
 * CSIGN_E_LIMIT: as many are open as may be; CSIGN_E_EXISTS: the link id is
 * in use.  The new approval has state pending and sequence 1; its transaction
 * id is the beginning of token_hash, so that one index finds both.  Of the
 * copies those are kept that are for a device of this user.
 */
CSIGN_WUR enum csign_err store_approval_create(struct store *store,
    const struct question *question,
    const unsigned char token_hash[STORE_HASH_LEN],
    struct creation *ret_creation);
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
 * CSIGN_E_AGAIN: somebody was faster.  What change has is stored with it; in a
 * closed state content, answer and copies' S are removed.  A grant of an
 * enrolment makes the claim of its device an authenticator; the newest, if none
 * is named.
 */
CSIGN_WUR enum csign_err store_approval_change(struct store *store,
    const struct approval *next, const struct change *change, uint64_t now);
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
 * already, it takes effect now.  CSIGN_E_EXISTS: the host enrolled another
 * device; or another phone was there before the answer, and the host has not
 * said which it enrolled; or another phone named this device before the answer;
 * or the device is another user's, or to go.
 */
CSIGN_WUR enum csign_err store_claim_put(struct store *store,
    const struct approval *approval, const struct claim *claim, uint64_t now);
/* CSIGN_E_NOT_FOUND: nobody with this cookie has named a device here. */
CSIGN_WUR enum csign_err store_claim_of_cookie(struct store *store,
    int64_t approval, const unsigned char cookie_hash[STORE_HASH_LEN]);
/*
 * Keeps the note of a device that wants to be removed, in place of an older
 * one; it counts as removed from now on.  CSIGN_E_NOT_FOUND: no device of this
 * id has this cookie.
 */
CSIGN_WUR enum csign_err store_removal_put(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN], const char *device_id,
    const char *proof, uint64_t now);
/*
 * At most CSIGN_REMOVALS_MAX notes of a space: those of username (or NULL)
 * first, and others by chance, so that each gets its turn.
 */
CSIGN_WUR enum csign_err store_removal_each(struct store *store, int64_t space,
    const char *username, uint64_t now,
    void (*visit)(void *arg, const char *device_id, const char *proof),
    void *arg);
/* Devices whose note has waited for STORE_REMOVAL_KEPT_MS go without it. */
CSIGN_WUR enum csign_err store_removals_expire(
    struct store *store, uint64_t now);

/*
 * Open questions with a copy for a device of this phone that is not to go,
 * newest first, at most CSIGN_INBOX_MAX.
 */
CSIGN_WUR enum csign_err store_inbox_each(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN], uint64_t now,
    void (*visit)(void *arg, const struct inbox_entry *entry), void *arg);
/* The phones that got a copy, each once; also of a closed question. */
CSIGN_WUR enum csign_err store_inbox_phones(struct store *store,
    int64_t approval,
    void (*visit)(void *arg, const unsigned char cookie_hash[STORE_HASH_LEN]),
    void *arg);
/*
 * Those of them that can be rung.  visit may use the store.
 */
CSIGN_WUR enum csign_err store_subscription_each(struct store *store,
    int64_t approval,
    void (*visit)(void *arg, const struct subscription *subscription),
    void *arg);
/* The other phones of this device's user that can be rung, copy or not. */
CSIGN_WUR enum csign_err store_subscription_others(struct store *store,
    int64_t space, const char *device_id,
    void (*visit)(void *arg, const struct subscription *subscription),
    void *arg);
/* In place of the one that the phone had. */
CSIGN_WUR enum csign_err store_subscription_put(
    struct store *store, const struct subscription *subscription);
/* CSIGN_E_NOT_FOUND. */
CSIGN_WUR enum csign_err store_subscription_get(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN],
    struct subscription *ret_subscription);
CSIGN_WUR enum csign_err store_subscription_remove(
    struct store *store, const unsigned char cookie_hash[STORE_HASH_LEN]);
/* The same, if its endpoint is still this one. */
CSIGN_WUR enum csign_err store_subscription_drop(struct store *store,
    const unsigned char cookie_hash[STORE_HASH_LEN], const char *endpoint);
/*
 * The service's own, looser budget of an endpoint over all hosts (SVC-8), in
 * the last 10 minutes and the last 24 hours.  Rings of a user who got in by
 * them no longer count as a nuisance; but it is the host that says so, so that
 * there is a limit to those as well.
 */
struct ring_budget {
	uint32_t short_max, long_max;         /* that led to nothing yet */
	uint32_t all_short_max, all_long_max; /* of all kinds */
};
struct ring_turn {
	const unsigned char *cookie_hash;
	int64_t host;
	const char *username;
	uint64_t now;
	bool notice; /* of a success: counts among all only */
};
/* Writes the ring down, unless it is too much: CSIGN_E_LIMIT. */
CSIGN_WUR enum csign_err store_ring_take(struct store *store,
    const struct ring_turn *turn, const struct ring_budget *budget);
/* A host says that this user of it got in. */
CSIGN_WUR enum csign_err store_rings_forgive(
    struct store *store, int64_t host, const char *username);
/* Older than 24 hours; and subscriptions of phones without a device. */
CSIGN_WUR enum csign_err store_rings_expire(struct store *store, uint64_t now);

#endif
