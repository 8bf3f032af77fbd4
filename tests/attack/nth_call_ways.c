/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail or are interrupted, and answers that come late. */
#include "config.h"

#include <security/pam_modules.h>

#include "figures.h"
#include "nth_call_impl.h"

#define LOTS 20000UL /* of all scenes together, times ATTACK_SCALE */
#define ONE_IN 400
/* Of which a call must have failed in so many percent: in most it does. */
#define HIT_PERCENT 75

/* --- one call of a login -------------------------------------------------- */

/*
 * One call in each of its ways, from shared->way on; false: the login has no
 * such call.
 *
 * About one login in 4000 with a phone that rings has a call more, as its
 * digits are drawn again (make_code() of lib/compose.c).  There this is about
 * the call before, and what has more or fewer ways is tried more or less often:
 * a few logins of each run, whatever the seed.
 */
static bool
each_way(const struct scene *scene, struct faults_plan *plan)
{
	plan->at = shared->at;
	do {
		plan->way = shared->way;
		try_one(scene, plan);
		if (faults.hits == 0) {
			shared->cases--;
			return false;
		}
		if (shared->way == 0)
			check_next(scene);
	} while (++shared->way < faults.ways);
	return true;
}

/* From shared->at on. */
static void
each(const struct scene *scene, struct faults_plan plan)
{
	while (shared->at < CALLS_MAX && each_way(scene, &plan)) {
		shared->at++;
		shared->way = 0;
	}
	if (shared->at < CALLS_MIN || shared->at >= CALLS_MAX)
		complain(&shared->blind, "a login of %lu calls", shared->at);
	shared->done = true;
}

static void
each_call(const struct scene *scene)
{
	each(scene, (struct faults_plan){.mode = FAULTS_NTH});
}

const struct trouble each_call_fails = {
    .name = "each call fails in each way", .make = each_call};

static void
each_inner_allocation(const struct scene *scene)
{
	each(scene, (struct faults_plan){
			.mode = FAULTS_ONLY, .function = "CRYPTO_malloc"});
}

const struct trouble each_inner_allocation_fails = {
    .name = "each allocation in libcrypto fails",
    .make = each_inner_allocation,
    .once = true};

/* --- many of them --------------------------------------------------------- */

static void
by_lot(const struct scene *scene)
{
	struct faults_plan plan = {.mode = FAULTS_LOT, .one_in = ONE_IN};
	const unsigned long lots = LOTS * figures_scale() / n_scenes + 1;

	for (; shared->at < lots; shared->at++) {
		plan.seed = SEED + shared->at;
		try_one(scene, &plan);
		if (shared->at % 16 == 0)
			check_next(scene);
	}
	if (shared->hit * 100 < lots * HIT_PERCENT)
		complain(
		    &shared->blind, "calls failed in %lu logins", shared->hit);
	shared->done = true;
}

const struct trouble calls_fail_by_lot = {
    .name = "calls fail by lot", .make = by_lot};

/* Everything that a signal can interrupt is; nobody notices. */
static void
interrupted(const struct scene *scene)
{
	const struct faults_plan plan = {.mode = FAULTS_EINTR};

	/* Once: behind a crash there is nothing more to be tried. */
	for (; shared->at < 1; shared->at++) {
		try_one(scene, &plan);
		if (faults.hits < 5)
			complain(&shared->blind, "%lu calls were interrupted",
			    faults.hits);
	}
	shared->done = true;
}

const struct trouble interrupted_calls = {
    .name = "calls are interrupted", .make = interrupted};

/* --- no call, but the time ------------------------------------------------ */

/* A courier that says more is listened to for a moment, but not for a second.
 */
#define HEARD_MS 100

/* The answer comes around the end of the question; after it, it is none. */
static void
late(const struct scene *scene)
{
	static const int32_t ms[] = {-2000, -3, -2, 1, 2, 3, 100, 1000, 5000};
	const struct faults_plan plan = {.mode = FAULTS_COUNT};
	struct login_result r;

	for (; shared->at < sizeof(ms) / sizeof(ms[0]); shared->at++) {
		stage.late_ms = ms[shared->at];
		r = play_with(scene, &plan);
		stage.late_ms = 0;
		shared->cases++;
		check_grant(&r);
		check_leftovers(&r);
		if (!stage.answer_sent && ms[shared->at] <= HEARD_MS)
			complain(&shared->blind, "%d ms late: no answer",
			    (int)ms[shared->at]);
		if (ms[shared->at] > 0 && r.code == PAM_SUCCESS)
			complain(&shared->grants, "a late answer was taken");
		if (r.code != (ms[shared->at] < 0 ? PAM_SUCCESS : PAM_AUTH_ERR))
			complain(&shared->wrong_codes, "%d ms late: code %d",
			    (int)ms[shared->at], r.code);
		check_next(scene);
	}
	shared->done = true;
}

const struct trouble late_answers = {
    .name = "answers that come late", .make = late, .once = true};
