/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A play: what a hostile courier does in one case, move after move, each so
 * long after the one before.  The table says which kinds of plays there are,
 * how many of each, and what the login (or enrolment) may come to; for each
 * case its kind draws the steps.
 */
#ifndef PLAYS_H
#define PLAYS_H

#include "moves.h"

#define PLAYS_KINDS 24
#define PLAYS_STEPS 128 /* at most */

/* What the login may come to. */
#define PLAY_GRANT 1u
#define PLAY_AUTH 2u /* PAM_AUTH_ERR: expired, or proof of nothing */
#define PLAY_MAX 4u  /* PAM_MAXTRIES: a no, or too many answers */
#define PLAY_INFO 8u /* PAM_AUTHINFO_UNAVAIL: trouble */

struct play;

struct play_kind {
	const char *name;
	unsigned int cases;           /* how many, times ATTACK_SCALE */
	unsigned int codes;           /* PLAY_GRANT and so on */
	void (*plan)(struct play *p); /* adds the steps; or NULL */
	bool enrolment;
};

/* In the order of the report. */
extern const struct play_kind plays_kinds[PLAYS_KINDS];

struct play_step {
	uint32_t after_ms; /* the one before */
	enum move move;
};

struct play {
	const struct play_kind *kind;
	unsigned long number; /* of the case */
	struct moves moves;   /* and the login */
	struct play_step steps[PLAYS_STEPS];
	size_t n_steps, next;
	uint32_t wait_ms; /* until the next step */
	bool trace;       /* tells each step */

	/* what it came to */
	struct login_result result;
	bool granted;
	bool right;        /* to grant it */
	char against[256]; /* what speaks against that, if it is not */
	const char *wrong; /* whatever else is, or NULL */
};

/* The play of this case: number and seed determine it. */
void plays_begin(struct play *p, struct login *l, const struct moves_past *past,
    const struct play_kind *kind, unsigned long number, uint64_t seed);
/* Makes the steps whose time has come: what a login_script's courier does. */
uint32_t plays_go_on(struct play *p, enum login_moment moment);

#endif
