/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hostile courier can do, move by move: with all that a courier gets
 * (the job), with what it kept of earlier logins, and, in the moves that say
 * so, with the link as well, as if it stood behind the person.  Which move and
 * how is drawn: by lot, or from a fuzzer's bytes.
 */
#ifndef MOVES_H
#define MOVES_H

#include "login.h"

enum move {
	/* the words of an honest one, at any time */
	MOVE_CREATED,
	MOVE_SEEN,
	MOVE_ENDED,
	MOVE_TROUBLE,
	MOVE_TAKEN, /* the link is, of all troubles */
	MOVE_CLAIM, /* "it was granted", in every way that it can be said */
	/* what is none of its words */
	MOVE_RANDOM,  /* bytes, half of them with a head that is right */
	MOVE_MUTATED, /* a good frame with bits, length, or end changed */
	MOVE_HUGE,    /* around the longest that is heard */
	MOVE_FLOOD,   /* 100 packets at once */
	/* answers */
	MOVE_UNSEALED, /* bytes under no key */
	MOVE_REPLAY,   /* of an earlier login, this or another person's */
	MOVE_OWN,      /* signed by a key of its own, under a link of its own */
	MOVE_NOTE,     /* a removal, signed by a stranger, or by nobody */
	MOVE_HANG_UP,
	MOVES_ALONE, /* how many there are of those */

	/* with the link, too */
	MOVE_FORGED = MOVES_ALONE, /* an answer with something wrong in it */
	MOVE_DECLINE,              /* an unsigned no */
	MOVES_ONLOOKER,

	/* somebody with alice's phone */
	MOVE_DENY = MOVES_ONLOOKER,
	MOVE_NOT_ME,
	MOVE_APPROVE,
	MOVE_BENT,  /* a yes, and then bits of its seal were changed */
	MOVE_TWICE, /* a yes, and the same again */
	MOVES,
};

#define MOVES_PAST 24

/* Answers of earlier logins, as they were sealed then. */
struct moves_past {
	unsigned char answers[MOVES_PAST][CSIGN_ANSWER_MAX];
	size_t len[MOVES_PAST];
	size_t n;
};

struct moves {
	struct login *l;
	const struct moves_past *past;
	/* A number below that. */
	uint32_t (*draw)(struct moves *m, uint32_t below);
	uint64_t seed;       /* of moves_by_lot() */
	const uint8_t *data; /* of moves_by_bytes(), which uses them up */
	size_t size;

	/* what was done in this login */
	bool by_owner; /* a phone of alice's signed something for it */
	bool approved; /* a genuine yes was delivered */
	bool declined;
};

/* For draw. */
uint32_t moves_by_lot(struct moves *m, uint32_t below);
uint32_t moves_by_bytes(struct moves *m, uint32_t below);

void moves_make(struct moves *m, enum move move);
/* Forgery number n of MOVE_FORGED, below MOVES_FORGERIES. */
#define MOVES_FORGERIES 14
void moves_forge(struct moves *m, unsigned int n);
/* Keeps this sealed answer, in place of the oldest. */
void moves_remember(
    struct moves_past *past, const unsigned char *sealed, size_t len);

#endif
