/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of this test share: the logins, and who answers in them
 * (nth_call_scene.c); what is made to go wrong there (nth_call_ways.c,
 * nth_call_kill.c); whether what comes of it is right (nth_call_check.c).
 * nth_call.c runs all of it and counts.
 */
#ifndef NTH_CALL_IMPL_H
#define NTH_CALL_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults.h"
#include "login.h"

/* Of one login: with fewer or more of them something else was tried. */
#define CALLS_MIN 100
#define CALLS_MAX 20000
#define SEED UINT64_C(20261122)

/* --- scenes: nth_call_scene.c --------------------------------------------- */

struct scene {
	const char *name;
	const char *config; /* more lines */
	const char *user;
	bool proven;
	enum login_phone phone; /* that answers */
	const char *choice;     /* of the phone; NULL: it does not answer */
	bool by_digits;         /* it types those of the terminal */
	bool types_code;        /* the person types a recovery code */
	bool enrols;
	int code; /* if nothing fails */
};
extern const struct scene scenes[];
extern const size_t n_scenes;

/* How the answer of a phone comes, in all logins from now on. */
struct stage {
	int32_t late_ms; /* after the question's end; 0: in time */
	/* An old one is sent first, and what the phone says only if that did
	 * not end the question. */
	const struct csign_buf *first;
	bool enrols_by_it; /* where one try is all that there is */
	/* play() sets these: what was sent, and to somebody who listens. */
	const struct scene *scene;
	bool first_sent, answer_sent;
};
extern struct stage stage;

/* Of all logins; configured for the scene at hand. */
extern struct login *host;

/* One login of that scene. */
struct login_result play(const struct scene *scene);
/* One in which calls fail by this plan; faults and place say what did. */
struct login_result play_with(
    const struct scene *scene, const struct faults_plan *plan);

/* --- what goes wrong in them ---------------------------------------------- */

struct trouble {
	const char *name;
	/*
	 * From shared->at on, which it counts, to the end: then it sets
	 * shared->done.  If the process crashes before that, another one goes
	 * on behind it.
	 */
	void (*make)(const struct scene *scene);
	bool once; /* in the first scene only */
};

/* nth_call_ways.c */
extern const struct trouble each_call_fails, late_answers,
    each_inner_allocation_fails, calls_fail_by_lot, interrupted_calls;
/* nth_call_kill.c */
extern const struct trouble kills;

/* --- is it right? nth_call_check.c ---------------------------------------- */

/* One login with this plan, and all that can be said of it alone. */
void try_one(const struct scene *scene, const struct faults_plan *plan);
/* Who got in had a right to. */
void check_grant(const struct login_result *r);
/*
 * No memory, descriptor or process is left, and it took no longer than it may:
 * after play_with(), which counts the memory.
 */
void check_leftovers(const struct login_result *r);
/*
 * The next login, on the files that this one left.  Now nothing fails: whoever
 * was not denied gets in by a phone.
 */
void check_next(const struct scene *scene);

/* --- what is counted, also when the process ends: nth_call.c -------------- */

struct shared {
	unsigned long cases, grants, wrong_codes, crashes, leaks, stuck, lost;
	unsigned long blind; /* tries that tried nothing */
	unsigned long complaints;
	/* where the worker is */
	unsigned long at;
	unsigned int way;
	bool done;
	unsigned long hit; /* logins in which a call failed */
	/* the newest answer of a phone, sealed, whatever became of the login */
	size_t answer_len;
	unsigned char answer[CSIGN_ANSWER_MAX + 64];
};
extern struct shared *shared;

/* Counts, and says what is wrong, but not without end. */
void complain(unsigned long *count, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
