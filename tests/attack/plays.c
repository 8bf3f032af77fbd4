/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>

#include "plays.h"

/* short, for the table */
#define GRANT PLAY_GRANT
#define AUTH PLAY_AUTH
#define MAX PLAY_MAX
#define INFO PLAY_INFO

static uint32_t
draw(struct play *p, uint32_t below)
{
	return p->moves.draw(&p->moves, below);
}

static void
add(struct play *p, uint32_t after_ms, enum move move)
{
	if (p->n_steps < PLAYS_STEPS)
		p->steps[p->n_steps++] = (struct play_step){after_ms, move};
}

/* The service has the question, after a while that is short enough. */
static void
created(struct play *p)
{
	add(p, draw(p, 2) == 0 ? 0 : draw(p, 900), MOVE_CREATED);
}

/* A few of these moves, at moments of the lifetime. */
static void
some(struct play *p, uint32_t at_most, const enum move *moves, uint32_t n)
{
	for (uint32_t i = 1 + draw(p, at_most); i > 0; i--)
		add(p, draw(p, 3) == 0 ? 0 : draw(p, 10000), moves[draw(p, n)]);
}

#define SOME(p, at_most, ...)                                                  \
	do {                                                                   \
		static const enum move moves_[] = {__VA_ARGS__};               \
		some(p, at_most, moves_, sizeof(moves_) / sizeof(moves_[0]));  \
	} while (0)

/* --- kinds ----------------------------------------------------------------
 */

static void
silence(struct play *p)
{
	(void)p;
}

static void
silence_after(struct play *p)
{
	created(p);
}

static void
early(struct play *p)
{
	add(p, draw(p, 2) * draw(p, 2900),
	    (enum move)(1 + draw(p, MOVES_ALONE - 1)));
}

/* Then there is another question, of which the same may be said. */
static void
taken(struct play *p)
{
	add(p, draw(p, 2950), MOVE_TAKEN);
	if (draw(p, 4) == 0)
		add(p, draw(p, 2950), MOVE_TAKEN);
	add(p, draw(p, 2950), MOVE_CREATED);
}

static void
at_any_time(struct play *p)
{
	created(p);
	add(p, draw(p, 95000), (enum move)draw(p, MOVES_ALONE));
}

static void
random_frames(struct play *p)
{
	if (draw(p, 4) > 0)
		created(p);
	SOME(p, 4, MOVE_RANDOM);
}

static void
changed_frames(struct play *p)
{
	if (draw(p, 4) > 0)
		created(p);
	SOME(p, 4, MOVE_MUTATED);
}

static void
claims(struct play *p)
{
	if (draw(p, 4) > 0)
		created(p);
	SOME(p, 3, MOVE_CLAIM, MOVE_SEEN);
}

static void
replays(struct play *p)
{
	created(p);
	SOME(p, 12, MOVE_REPLAY);
}

static void
own_answers(struct play *p)
{
	created(p);
	SOME(p, 12, MOVE_OWN, MOVE_UNSEALED);
}

static void
bent_answers(struct play *p)
{
	created(p);
	SOME(p, 3, MOVE_BENT);
}

static void
forged_answers(struct play *p)
{
	created(p);
	SOME(p, 10, MOVE_FORGED);
}

static void
notes(struct play *p)
{
	for (uint32_t i = 1 + draw(p, 6); i > 0; i--)
		add(p, draw(p, 100), MOVE_NOTE);
	created(p);
}

static void
huge(struct play *p)
{
	if (draw(p, 4) > 0)
		created(p);
	SOME(p, 3, MOVE_HUGE);
}

/* 10,000 packets, as fast as they are taken. */
static void
floods(struct play *p)
{
	if (draw(p, 8) > 0)
		created(p);
	for (int i = 0; i < 100; i++)
		add(p, 1, MOVE_FLOOD);
}

static void
hangs_up(struct play *p)
{
	if (draw(p, 4) > 0) {
		created(p);
		if (draw(p, 2) > 0)
			SOME(p, 3, MOVE_SEEN, MOVE_UNSEALED, MOVE_REPLAY);
	}
	add(p, draw(p, 2) * draw(p, 2000), MOVE_HANG_UP);
}

static void
unsigned_no(struct play *p)
{
	created(p);
	add(p, draw(p, 80000), MOVE_DECLINE);
}

static void
signed_no(struct play *p)
{
	created(p);
	add(p, draw(p, 80000), draw(p, 2) == 0 ? MOVE_DENY : MOVE_NOT_ME);
}

static void
genuine(struct play *p)
{
	created(p);
	if (draw(p, 2) > 0)
		SOME(p, 4, MOVE_SEEN, MOVE_UNSEALED, MOVE_REPLAY, MOVE_BENT,
		    MOVE_OWN);
	add(p, draw(p, 40000), draw(p, 4) > 0 ? MOVE_APPROVE : MOVE_TWICE);
}

static void
too_late(struct play *p)
{
	add(p, 0, MOVE_CREATED);
	add(p, 90001 + draw(p, 2000), MOVE_APPROVE);
}

static void
anything(struct play *p)
{
	if (draw(p, 4) > 0)
		created(p);
	for (uint32_t i = 1 + draw(p, 12); i > 0; i--)
		add(p, draw(p, 2) == 0 ? 0 : draw(p, 15000),
		    (enum move)draw(p, MOVES));
}

static void
enrol_anything(struct play *p)
{
	if (draw(p, 4) > 0)
		created(p);
	for (uint32_t i = 1 + draw(p, 12); i > 0; i--)
		add(p, draw(p, 2) == 0 ? 0 : draw(p, 60000),
		    (enum move)draw(p, MOVES_ALONE));
}

const struct play_kind plays_kinds[] = {
    {"nothing is said", 500, INFO, silence, false},
    {"silence after the beginning", 2000, AUTH, silence_after, false},
    {"any frame before the beginning", 6000, AUTH | INFO, early, false},
    {"a link that is taken already", 1500, AUTH | INFO, taken, false},
    {"any frame at any time", 8000, AUTH | MAX | INFO, at_any_time, false},
    {"random frames", 10000, AUTH | INFO, random_frames, false},
    {"good frames, changed", 14000, AUTH | INFO, changed_frames, false},
    {"claims of success", 6000, AUTH | INFO, claims, false},
    {"answers to other questions", 7000, AUTH | MAX, replays, false},
    {"answers of its own making", 6000, AUTH | MAX, own_answers, false},
    {"the owner's yes, bits changed", 6000, AUTH, bent_answers, false},
    {"forged, with the link", 9000, AUTH | MAX, forged_answers, false},
    {"forged removals", 3000, AUTH | INFO, notes, false},
    {"huge packets", 3000, AUTH | INFO, huge, false},
    {"floods of 10,000 packets", 300, AUTH | MAX | INFO, floods, false},
    {"the courier goes away", 5000, INFO, hangs_up, false},
    {"an unsigned no, with the link", 1000, MAX, unsigned_no, false},
    {"the owner's no", 1000, MAX, signed_no, false},
    {"the owner's yes, too late", 800, AUTH, too_late, false},
    {"the owner's yes", 2200, GRANT, genuine, false},
    {"any of these", 12000, GRANT | AUTH | MAX | INFO, anything, false},
    {"enrolment: any moves", 4000, AUTH, enrol_anything, true},
    {"enrolment: an onlooker's phone", 300, AUTH, NULL, true},
    {"enrolment: the owner's phone", 100, GRANT, NULL, true},
};

/* --- one play -------------------------------------------------------------
 */

void
plays_begin(struct play *p, struct login *l, const struct moves_past *past,
    const struct play_kind *kind, unsigned long number, uint64_t seed)
{
	*p = (struct play){.kind = kind,
	    .number = number,
	    .moves = {.l = l,
		.past = past,
		.draw = moves_by_lot,
		.seed = seed + number * UINT64_C(0xd1342543de82ef95)}};
	if (kind->plan != NULL)
		kind->plan(p);
}

uint32_t
plays_go_on(struct play *p, enum login_moment moment)
{
	if (moment == LOGIN_FREED)
		return LOGIN_NEVER;
	while (p->next < p->n_steps) {
		const struct play_step *step = &p->steps[p->next];

		if (step->after_ms > p->wait_ms) {
			uint32_t ms = step->after_ms - p->wait_ms;

			p->wait_ms = step->after_ms;
			return ms;
		}
		p->wait_ms = 0;
		p->next++;
		if (p->trace)
			printf("# %llu ms: move %d\n",
			    (unsigned long long)login_now(p->moves.l),
			    (int)step->move);
		moves_make(&p->moves, step->move);
	}
	return LOGIN_NEVER;
}
