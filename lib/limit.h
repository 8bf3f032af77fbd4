/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often phones may ring, and when they may not: one limiter for the QR
 * code, push, code and recovery (countersign-security(7) RL-2 to RL-5).  It is
 * kept in the account's state file and knows the time from its caller only.
 *
 * Whatever it says, a QR code that is scanned works: it decides about ringing,
 * never about a yes.
 */
#ifndef CSIGN_LIMIT_H
#define CSIGN_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "clock.h"
#include "countersign.h"

/* Names an approval that rings: 12 characters of b64u; "": it does not. */
#define CSIGN_RING_SIZE 13

/* Now, by two clocks: nobody can set the second back, but it ends at boot. */
struct csign_now {
	uint64_t wall; /* seconds since 1970 */
	uint64_t boot; /* seconds since boot, CLOCK_BOOTTIME */
	char boot_id[CSIGN_BOOT_ID_SIZE];
};
/* CSIGN_E_CLOCK. */
CSIGN_WUR enum csign_err csign_now_get(struct csign_now *ret_now);

/*
 * A moment in the past, by both clocks.  Its age is the stricter, so the
 * smaller, of what they say, and never negative (ST-3).  After a boot only the
 * wall clock can tell how old it is; it is then put before the beginning of the
 * new boot's clock, so that this one counts from there on.
 */
struct csign_moment {
	uint64_t wall;
	int64_t boot; /* negative: before the boot */
};

struct csign_limit {
	char boot_id[CSIGN_BOOT_ID_SIZE]; /* of all moments; "" for none */
	/* since the last success, oldest first */
	struct csign_moment pushes[CSIGN_PUSH_LONG_MAX];
	size_t n_pushes;
	/* the approval that rings, "" for none; how long at most */
	char open[CSIGN_RING_SIZE];
	struct csign_moment opened;
	uint32_t open_for; /* seconds, at most CSIGN_PUSH_LONG */
	/* no push for so long since then; 0: no pause */
	struct csign_moment paused;
	uint32_t pause;  /* seconds */
	uint32_t pauses; /* since the last success: each is twice as long */
	bool not_me;     /* no push until a QR success */
	/* since the last success, the first two also since the last pause */
	uint32_t denials;
	uint32_t unanswered;
	uint32_t wrong_codes; /* at most CSIGN_WRONG_CODES_MAX */
};

/* Why no phone rings. */
enum csign_quiet {
	CSIGN_QUIET_NO, /* it does */
	CSIGN_QUIET_OPEN,
	CSIGN_QUIET_SPACING,
	CSIGN_QUIET_SHORT, /* 3 in 10 minutes */
	CSIGN_QUIET_LONG,  /* 10 in 24 hours */
	CSIGN_QUIET_PAUSED,
	CSIGN_QUIET_NOT_ME,
	CSIGN_QUIET_CODES,   /* 50 wrong codes */
	CSIGN_QUIET_TROUBLE, /* of whoever keeps the limit */
};

/*
 * Brings it to now: what is over is forgotten, a moment that the clocks say is
 * still to come becomes now, and an approval that should have ended long ago is
 * written down as unanswered, since whoever waited for it has died.  True if
 * anything changed.  *ret_paused: phones stop to ring by this.
 */
bool csign_limit_settle(
    struct csign_limit *limit, const struct csign_now *now, bool *ret_paused);
/* May phones ring now?  *ret_seconds until they may again, 0 where only a QR
 * success helps. */
enum csign_quiet csign_limit_look(const struct csign_limit *limit,
    const struct csign_now *now, uint32_t *ret_seconds);
/*
 * The same; if they may, this approval rings now, for open_for seconds.  The
 * limit is settled before.
 */
enum csign_quiet csign_limit_ring(struct csign_limit *limit,
    const struct csign_now *now, const char ring[CSIGN_RING_SIZE],
    uint32_t open_for, uint32_t *ret_seconds);
/* A sentence for the person at the terminal, at most 79 columns; "" for NO. */
void csign_limit_note(
    enum csign_quiet quiet, uint32_t seconds, char out[CSIGN_PUSH_NOTE_SIZE]);

/* What became of a question, whether it rang or not. */
enum csign_became {
	CSIGN_BECAME_GRANTED_LINK, /* the link was scanned: a QR success */
	CSIGN_BECAME_GRANTED_RUNG, /* with the code, or by a tap */
	CSIGN_BECAME_RECOVERED,    /* a recovery code was used up */
	CSIGN_BECAME_DENIED,       /* signed */
	CSIGN_BECAME_NOT_ME,       /* signed */
	CSIGN_BECAME_WRONG_CODE,   /* signed; the question stays open */
	CSIGN_BECAME_UNANSWERED,   /* it ended, by time or by the terminal */
	CSIGN_BECAME_LOST,         /* the service did not take it */
	CSIGN_BECAME_ANSWERED,     /* and what with is counted elsewhere */
};
/*
 * Writes it down; ring: its name, or "".  An UNANSWERED one counts only if it
 * is the one that rings; a LOST one only used up a ring, as nobody knows, and
 * so did one that was ANSWERED with a no.  True: phones stop to ring by this,
 * or for longer, which the audit trail is to say.
 */
bool csign_limit_became(struct csign_limit *limit, const struct csign_now *now,
    const char *ring, enum csign_became became);
/*
 * An account has two of these, state.h says why, and phones ring if both let
 * them.  Pauses double over both: to be called before one may begin.
 */
void csign_limit_beside(
    struct csign_limit *limit, const struct csign_limit *other);
/* Is there something that a success ends? */
bool csign_limit_counted(const struct csign_limit *limit);

#endif
