/* SPDX-License-Identifier: BSD-2-Clause */
/* Pure but for csign_now_get(): the state file is state.h's, the lock push.h's.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "limit.h"

/* --- time ----------------------------------------------------------------- */

enum csign_err
csign_now_get(struct csign_now *ret_now)
{
	struct csign_now now = {0, 0, ""};
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = csign_clock_wall(&now.wall)) != CSIGN_OK ||
	    (r = csign_clock_boot(&now.boot)) != CSIGN_OK ||
	    (r = csign_clock_boot_id(now.boot_id)) != CSIGN_OK)
		return r;
	now.wall /= 1000;
	now.boot /= 1000;
	*ret_now = now;
	return CSIGN_OK;
}

static struct csign_moment
moment_of(const struct csign_now *now)
{
	return (struct csign_moment){now->wall, (int64_t)now->boot};
}

/*
 * After this, the moment is in the past by both clocks, and the wall clock's is
 * the stricter: age() needs no other.  A moment that is still to come, as a
 * clock was set back, becomes now; left where it is, it would last until the
 * clock came by again.  One that the wall clock says is older than the other
 * does, as it was set forward, is moved up, so that this does not count after
 * the next boot either.
 */
static bool
settle(struct csign_moment *m, const struct csign_now *now, bool rebooted)
{
	const struct csign_moment was = *m, latest = moment_of(now);
	uint64_t by_boot = 0;

	if (m->wall > latest.wall)
		m->wall = latest.wall;
	if (rebooted) {
		m->boot = latest.boot - (int64_t)(latest.wall - m->wall);
	} else {
		if (m->boot > latest.boot)
			m->boot = latest.boot;
		by_boot = (uint64_t)(latest.boot - m->boot);
		if (latest.wall - m->wall > by_boot)
			m->wall = latest.wall - by_boot;
	}
	return m->wall != was.wall || m->boot != was.boot;
}

/* Of a settled moment.  Whatever is older than a day is as old as that. */
static uint32_t
age(const struct csign_moment *m, const struct csign_now *now)
{
	uint64_t seconds = now->wall - m->wall;

	return seconds < CSIGN_PUSH_LONG ? (uint32_t)seconds : CSIGN_PUSH_LONG;
}

/* --- pauses --------------------------------------------------------------- */

static void
pause_push(struct csign_limit *limit, const struct csign_now *now)
{
	uint32_t seconds = (uint32_t)CSIGN_PUSH_PAUSE_MIN << limit->pauses;

	if (seconds > CSIGN_PUSH_PAUSE_MAX)
		seconds = CSIGN_PUSH_PAUSE_MAX;
	if (limit->pauses < CSIGN_PUSH_PAUSES_MAX)
		limit->pauses++;
	limit->paused = moment_of(now);
	limit->pause = seconds;
	limit->denials = limit->unanswered = 0;
}

static void
end_pause(struct csign_limit *limit)
{
	limit->paused = (struct csign_moment){0, 0};
	limit->pause = 0;
}

static bool
one_more(uint32_t *count, uint32_t max)
{
	return ++*count >= max;
}

/* One that rang came to nothing. */
static bool
was_unanswered(struct csign_limit *limit, const struct csign_now *now)
{
	if (!one_more(&limit->unanswered, CSIGN_PUSH_UNANSWERED))
		return false;
	pause_push(limit, now);
	return true;
}

static void
end_ring(struct csign_limit *limit)
{
	memset(limit->open, 0, sizeof(limit->open));
	limit->opened = (struct csign_moment){0, 0};
	limit->open_for = 0;
}

static bool
rings(const struct csign_limit *limit)
{
	return limit->open[0] != '\0';
}

/* All moments are this boot's. */
static void
name_boot(struct csign_limit *limit, const struct csign_now *now)
{
	if (limit->n_pushes > 0 || rings(limit) || limit->pause > 0)
		memcpy(limit->boot_id, now->boot_id, sizeof(limit->boot_id));
	else
		memset(limit->boot_id, 0, sizeof(limit->boot_id));
}

/* --- looking -------------------------------------------------------------- */

static bool
settle_pushes(
    struct csign_limit *limit, const struct csign_now *now, bool rebooted)
{
	bool changed = false;
	size_t kept = 0;

	for (size_t i = 0; i < limit->n_pushes; i++) {
		changed |= settle(&limit->pushes[i], now, rebooted);
		if (age(&limit->pushes[i], now) < CSIGN_PUSH_LONG)
			limit->pushes[kept++] = limit->pushes[i];
	}
	changed |= kept < limit->n_pushes;
	limit->n_pushes = kept;
	return changed;
}

bool
csign_limit_settle(
    struct csign_limit *limit, const struct csign_now *now, bool *ret_paused)
{
	bool rebooted = strcmp(limit->boot_id, now->boot_id) != 0;
	bool changed = settle_pushes(limit, now, rebooted), paused = false;

	if (limit->pause > 0) {
		changed |= settle(&limit->paused, now, rebooted);
		if (age(&limit->paused, now) >= limit->pause) {
			end_pause(limit);
			changed = true;
		}
	}
	if (rings(limit)) {
		changed |= settle(&limit->opened, now, rebooted);
		if (age(&limit->opened, now) >= limit->open_for) {
			end_ring(limit);
			paused = was_unanswered(limit, now);
			changed = true;
		}
	}
	name_boot(limit, now);
	*ret_paused = paused;
	return changed;
}

struct look {
	enum csign_quiet quiet;
	uint32_t seconds; /* of several reasons, the one that lasts longest */
};

static void
wait_for(
    struct look *look, enum csign_quiet quiet, uint32_t length, uint32_t age)
{
	if (age < length && length - age > look->seconds)
		*look = (struct look){quiet, length - age};
}

/* No more than so many in so long. */
static const struct budget {
	enum csign_quiet quiet;
	size_t most;
	uint32_t seconds;
} budgets[] = {
    {CSIGN_QUIET_SPACING, 1, CSIGN_PUSH_SPACING},
    {CSIGN_QUIET_SHORT, CSIGN_PUSH_SHORT_MAX, CSIGN_PUSH_SHORT},
    {CSIGN_QUIET_LONG, CSIGN_PUSH_LONG_MAX, CSIGN_PUSH_LONG},
};

/* At one that is settled. */
static enum csign_quiet
look_at(const struct csign_limit *limit, const struct csign_now *now,
    uint32_t *ret_seconds)
{
	struct look look = {CSIGN_QUIET_NO, 0};

	if (limit->pause > 0)
		wait_for(&look, CSIGN_QUIET_PAUSED, limit->pause,
		    age(&limit->paused, now));
	for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		const struct budget *b = &budgets[i];

		if (limit->n_pushes >= b->most)
			wait_for(&look, b->quiet, b->seconds,
			    age(&limit->pushes[limit->n_pushes - b->most],
				now));
	}
	/* A stop first, since it stays; else that there is another question. */
	if (limit->not_me)
		look = (struct look){CSIGN_QUIET_NOT_ME, 0};
	else if (limit->wrong_codes >= CSIGN_PUSH_WRONG_CODES)
		look = (struct look){CSIGN_QUIET_CODES, 0};
	else if (rings(limit))
		look = (struct look){CSIGN_QUIET_OPEN,
		    limit->open_for - age(&limit->opened, now)};
	*ret_seconds = look.seconds;
	return look.quiet;
}

enum csign_quiet
csign_limit_look(const struct csign_limit *limit, const struct csign_now *now,
    uint32_t *ret_seconds)
{
	struct csign_limit settled = *limit;
	bool paused = false;

	(void)csign_limit_settle(&settled, now, &paused);
	return look_at(&settled, now, ret_seconds);
}

enum csign_quiet
csign_limit_ring(struct csign_limit *limit, const struct csign_now *now,
    const char ring[CSIGN_RING_SIZE], uint32_t open_for, uint32_t *ret_seconds)
{
	enum csign_quiet quiet = CSIGN_QUIET_TROUBLE;
	bool paused = false;

	(void)csign_limit_settle(limit, now, &paused);
	quiet = look_at(limit, now, ret_seconds);
	if (quiet != CSIGN_QUIET_NO)
		return quiet;
	/* There is room: with as many as fit, the day's budget is used up. */
	limit->pushes[limit->n_pushes++] = moment_of(now);
	memcpy(limit->open, ring, sizeof(limit->open));
	limit->opened = moment_of(now);
	limit->open_for = open_for == 0                ? 1
			  : open_for < CSIGN_PUSH_LONG ? open_for
						       : CSIGN_PUSH_LONG;
	name_boot(limit, now);
	return CSIGN_QUIET_NO;
}

/* --- telling -------------------------------------------------------------- */

#define DURATION_SIZE 24

/* "12 minutes": at least as long. */
static void
duration(uint32_t seconds, char out[DURATION_SIZE])
{
	static const struct {
		uint32_t seconds;
		const char *name;
	} units[] = {{3600, "hour"}, {60, "minute"}, {1, "second"}};
	uint32_t n = 0;
	size_t i = 0;

	/* Up to two of a unit are told in the next smaller one. */
	while (i < 2 && seconds <= 2 * units[i].seconds)
		i++;
	n = (seconds + units[i].seconds - 1) / units[i].seconds;
	(void)snprintf(out, DURATION_SIZE, "%u %s%s", (unsigned)n,
	    units[i].name, n == 1 ? "" : "s");
}

static const struct note {
	const char *text;
	bool lasts; /* for some time, and text says why */
} notes[] = {
    [CSIGN_QUIET_NO] = {"", false},
    [CSIGN_QUIET_OPEN] = {"No push: your phone has another question.", false},
    [CSIGN_QUIET_SPACING] = {"the phone has just rung.", true},
    [CSIGN_QUIET_SHORT] = {"it rang 3 times in 10 minutes.", true},
    [CSIGN_QUIET_LONG] = {"it rang 10 times in a day.", true},
    [CSIGN_QUIET_PAUSED] = {"too many came to nothing.", true},
    [CSIGN_QUIET_NOT_ME] = {"No push since \"not me\": "
			    "scan the code to end that.",
	false},
    [CSIGN_QUIET_CODES] = {"No push since too many digits were wrong: "
			   "scan the code to end that.",
	false},
    [CSIGN_QUIET_TROUBLE] = {"No push: this host cannot tell how often it "
			     "rang. Scan the code.",
	false},
};

void
csign_limit_note(
    enum csign_quiet quiet, uint32_t seconds, char out[CSIGN_PUSH_NOTE_SIZE])
{
	const struct note *note = &notes[quiet];
	char time[DURATION_SIZE];

	if (!note->lasts) {
		(void)snprintf(out, CSIGN_PUSH_NOTE_SIZE, "%s", note->text);
		return;
	}
	duration(seconds, time);
	(void)snprintf(out, CSIGN_PUSH_NOTE_SIZE,
	    "No push for %s: %s Scan the code.", time, note->text);
}

/* --- what became of a question -------------------------------------------- */

/* Only a scanned code ends what was stopped for good. */
static void
succeed(struct csign_limit *limit, const struct csign_now *now, bool by_link)
{
	const struct csign_limit was = *limit;

	*limit = (struct csign_limit){
	    .opened = was.opened, .open_for = was.open_for};
	memcpy(limit->open, was.open, sizeof(limit->open));
	if (!by_link) {
		limit->not_me = was.not_me;
		if (was.wrong_codes >= CSIGN_PUSH_WRONG_CODES)
			limit->wrong_codes = was.wrong_codes;
	}
	name_boot(limit, now);
}

static bool
was_wrong_code(struct csign_limit *limit)
{
	if (limit->wrong_codes == CSIGN_WRONG_CODES_MAX)
		return false;
	return ++limit->wrong_codes == CSIGN_PUSH_WRONG_CODES;
}

bool
csign_limit_became(struct csign_limit *limit, const struct csign_now *now,
    const char *ring, enum csign_became became)
{
	bool rang = rings(limit) && strcmp(limit->open, ring) == 0;
	bool paused = false;

	/* Before it is settled: this one had an end. */
	if (rang && became != CSIGN_BECAME_WRONG_CODE)
		end_ring(limit);
	(void)csign_limit_settle(limit, now, &paused);
	switch (became) {
	case CSIGN_BECAME_GRANTED_LINK:
		succeed(limit, now, true);
		return false;
	case CSIGN_BECAME_GRANTED_RUNG:
	case CSIGN_BECAME_RECOVERED:
		succeed(limit, now, false);
		return false;
	case CSIGN_BECAME_NOT_ME:
		limit->not_me = true;
		pause_push(limit, now);
		paused = true;
		break;
	case CSIGN_BECAME_DENIED:
		if (one_more(&limit->denials, CSIGN_PUSH_DENIALS)) {
			pause_push(limit, now);
			paused = true;
		}
		break;
	case CSIGN_BECAME_WRONG_CODE:
		paused |= was_wrong_code(limit);
		break;
	case CSIGN_BECAME_UNANSWERED:
		paused |= rang && was_unanswered(limit, now);
		break;
	case CSIGN_BECAME_LOST:
	case CSIGN_BECAME_ANSWERED:
		break;
	}
	name_boot(limit, now);
	return paused;
}

void
csign_limit_beside(struct csign_limit *limit, const struct csign_limit *other)
{
	if (limit->pauses < other->pauses)
		limit->pauses = other->pauses;
}

bool
csign_limit_counted(const struct csign_limit *limit)
{
	return limit->n_pushes > 0 || limit->pause > 0 || limit->pauses > 0 ||
	       limit->unanswered > 0;
}
