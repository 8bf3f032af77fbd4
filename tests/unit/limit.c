/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RL-2 to RL-5, ST-3, G4, G8: how often phones ring, by clocks that are played,
 * set, and begin anew.
 */
#include "unit.h"

#include "clock.h"
#include "limit.h"

#define DAY 86400
#define YEAR ((int64_t)365 * DAY)
#define NOON_2025 1763719200
#define OPEN_FOR 96
#define BOOT_1 "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

static struct csign_limit limit;
static struct csign_now now;

/* --- the clocks, played --------------------------------------------------- */

static struct {
	enum csign_err wall, boot, boot_id;
} clocks;

enum csign_err __wrap_csign_clock_wall(uint64_t *ret_ms);
enum csign_err __wrap_csign_clock_boot(uint64_t *ret_ms);
enum csign_err __wrap_csign_clock_boot_id(char out[CSIGN_BOOT_ID_SIZE]);

enum csign_err
__wrap_csign_clock_wall(uint64_t *ret_ms)
{
	*ret_ms = 1763719331999;
	return clocks.wall;
}

enum csign_err
__wrap_csign_clock_boot(uint64_t *ret_ms)
{
	*ret_ms = 512001;
	return clocks.boot;
}

enum csign_err
__wrap_csign_clock_boot_id(char out[CSIGN_BOOT_ID_SIZE])
{
	memcpy(out, BOOT_1, CSIGN_BOOT_ID_SIZE);
	return clocks.boot_id;
}

static void
now_is_seconds_and_needs_every_clock(void **state)
{
	struct csign_now got = {7, 7, "7"};

	(void)state;
	clocks.wall = CSIGN_E_CLOCK;
	assert_err("wall", csign_now_get(&got), CSIGN_E_CLOCK);
	clocks.wall = CSIGN_OK;
	clocks.boot = CSIGN_E_CLOCK;
	assert_err("boot", csign_now_get(&got), CSIGN_E_CLOCK);
	clocks.boot = CSIGN_OK;
	clocks.boot_id = CSIGN_E_CLOCK;
	assert_err("boot id", csign_now_get(&got), CSIGN_E_CLOCK);
	clocks.boot_id = CSIGN_OK;
	assert_int_equal(got.wall, 7);
	assert_int_equal(got.boot, 7);
	assert_string_equal(got.boot_id, "7");
	assert_ok(csign_now_get(&got));
	assert_int_equal(got.wall, 1763719331);
	assert_int_equal(got.boot, 512);
	assert_string_equal(got.boot_id, BOOT_1);
}

/* --- time passes ---------------------------------------------------------- */

static int
fresh(void **state)
{
	(void)state;
	memset(&limit, 0, sizeof(limit));
	now = (struct csign_now){NOON_2025, 5000, BOOT_1};
	return 0;
}

/* Awake or asleep: both clocks count. */
static void
pass(uint64_t seconds)
{
	now.wall += seconds;
	now.boot += seconds;
}

static void
set_wall(int64_t by)
{
	if (by < 0 && (uint64_t)-by > now.wall)
		now.wall = 0;
	else
		now.wall = (uint64_t)((int64_t)now.wall + by);
}

/* Off for so long, and up for 20 seconds. */
static void
reboot(uint64_t off)
{
	static unsigned n;

	now.wall += off + 20;
	now.boot = 20;
	(void)snprintf(now.boot_id, sizeof(now.boot_id),
	    "00000000-0000-4000-8000-%012x", ++n);
}

static enum csign_quiet
try_ring(const char *ring, uint32_t *ret_seconds)
{
	uint32_t looked = 99, seconds = 98;
	const struct csign_limit before = limit;
	enum csign_quiet look = csign_limit_look(&limit, &now, &looked);
	enum csign_quiet quiet = CSIGN_QUIET_TROUBLE;

	/* To look changes nothing, and says what will be. */
	assert_memory_equal(&limit, &before, sizeof(limit));
	quiet = csign_limit_ring(&limit, &now, ring, OPEN_FOR, &seconds);
	assert_int_equal(quiet, look);
	assert_int_equal(seconds, looked);
	if (quiet == CSIGN_QUIET_NO) {
		assert_string_equal(limit.open, ring);
		assert_int_equal(seconds, 0);
	} else {
		assert_string_not_equal(limit.open, ring);
	}
	if (ret_seconds != NULL)
		*ret_seconds = seconds;
	return quiet;
}

/* One more question, which has a new name. */
static enum csign_quiet
question(char ring[CSIGN_RING_SIZE], uint32_t *ret_seconds)
{
	static unsigned n;

	(void)snprintf(ring, CSIGN_RING_SIZE, "ring-%07u", n++ % 10000000);
	return try_ring(ring, ret_seconds);
}

static bool
became(const char *ring, enum csign_became what)
{
	return csign_limit_became(&limit, &now, ring, what);
}

/* One that rings, and what becomes of it. */
static bool
rings_and(enum csign_became what)
{
	char ring[CSIGN_RING_SIZE];

	assert_int_equal(question(ring, NULL), CSIGN_QUIET_NO);
	return became(ring, what);
}

static void
assert_quiet(enum csign_quiet want, uint32_t want_seconds)
{
	char ring[CSIGN_RING_SIZE];
	uint32_t seconds = 99;

	assert_int_equal(question(ring, &seconds), want);
	assert_int_equal(seconds, want_seconds);
}

static void
assert_rings(void)
{
	assert_quiet(CSIGN_QUIET_NO, 0);
}

/* --- budgets -------------------------------------------------------------- */

static void
one_rings_at_a_time(void **state)
{
	char ring[CSIGN_RING_SIZE];

	(void)state;
	assert_int_equal(question(ring, NULL), CSIGN_QUIET_NO);
	assert_quiet(CSIGN_QUIET_OPEN, OPEN_FOR);
	pass(OPEN_FOR - 1);
	assert_quiet(CSIGN_QUIET_OPEN, 1);
	/* It was answered, so that the next may ring. */
	assert_false(became(ring, CSIGN_BECAME_DENIED));
	assert_rings();
}

static void
another_question_does_not_end_it(void **state)
{
	char ring[CSIGN_RING_SIZE];

	(void)state;
	assert_int_equal(question(ring, NULL), CSIGN_QUIET_NO);
	pass(60);
	assert_false(became("", CSIGN_BECAME_GRANTED_LINK));
	assert_quiet(CSIGN_QUIET_OPEN, OPEN_FOR - 60);
	assert_false(became("other-ring-1", CSIGN_BECAME_UNANSWERED));
	assert_int_equal(limit.unanswered, 0);
	assert_false(became(ring, CSIGN_BECAME_WRONG_CODE));
	assert_quiet(CSIGN_QUIET_OPEN, OPEN_FOR - 60);
	assert_false(became(ring, CSIGN_BECAME_UNANSWERED));
	assert_int_equal(limit.unanswered, 1);
	/* Once is once. */
	assert_false(became(ring, CSIGN_BECAME_UNANSWERED));
	assert_int_equal(limit.unanswered, 1);
}

/* Nobody can have answered it; that it may have rung is remembered. */
static void
what_the_service_lost_is_not_unanswered(void **state)
{
	char ring[CSIGN_RING_SIZE];

	(void)state;
	for (int i = 0; i < CSIGN_PUSH_SHORT_MAX; i++) {
		assert_int_equal(question(ring, NULL), CSIGN_QUIET_NO);
		assert_false(became(ring, CSIGN_BECAME_LOST));
		assert_int_equal(limit.open[0], '\0');
		pass(CSIGN_PUSH_SPACING);
	}
	assert_int_equal(limit.unanswered, 0);
	assert_int_equal(limit.n_pushes, CSIGN_PUSH_SHORT_MAX);
}

static void
they_are_thirty_seconds_apart(void **state)
{
	(void)state;
	assert_false(rings_and(CSIGN_BECAME_DENIED));
	assert_quiet(CSIGN_QUIET_SPACING, 30);
	pass(29);
	assert_quiet(CSIGN_QUIET_SPACING, 1);
	pass(1);
	assert_rings();
}

static void
three_in_ten_minutes(void **state)
{
	(void)state;
	assert_false(rings_and(CSIGN_BECAME_DENIED));
	pass(100);
	assert_false(rings_and(CSIGN_BECAME_UNANSWERED));
	pass(100);
	assert_false(rings_and(CSIGN_BECAME_UNANSWERED));
	assert_quiet(CSIGN_QUIET_SHORT, 400);
	pass(399);
	assert_quiet(CSIGN_QUIET_SHORT, 1);
	pass(1);
	assert_rings();
}

static void
ten_in_a_day(void **state)
{
	uint64_t first = now.wall;
	int n = 0;

	(void)state;
	/* Nobody answers: each third one makes a longer pause. */
	for (uint32_t wait = 0; n < 10; pass(wait == 0 ? 1 : wait)) {
		char ring[CSIGN_RING_SIZE];

		if (question(ring, &wait) == CSIGN_QUIET_NO) {
			(void)became(ring, CSIGN_BECAME_UNANSWERED);
			n++;
		}
	}
	pass(3600);
	assert_quiet(CSIGN_QUIET_LONG, (uint32_t)(DAY - (now.wall - first)));
	pass(DAY - (now.wall - first) - 1);
	assert_quiet(CSIGN_QUIET_LONG, 1);
	pass(1);
	assert_rings();
}

static void
a_success_begins_anew(void **state)
{
	static const enum csign_became successes[] = {CSIGN_BECAME_GRANTED_LINK,
	    CSIGN_BECAME_GRANTED_RUNG, CSIGN_BECAME_RECOVERED};
	static const struct csign_limit none;
	char ring[CSIGN_RING_SIZE];

	for (size_t i = 0; i < N_ROWS(successes); i++) {
		fresh(state);
		assert_false(rings_and(CSIGN_BECAME_DENIED));
		pass(30);
		assert_true(rings_and(CSIGN_BECAME_DENIED));
		(void)became("", CSIGN_BECAME_WRONG_CODE);
		assert_quiet(CSIGN_QUIET_PAUSED, 900);
		assert_false(became("", successes[i]));
		assert_memory_equal(&limit, &none, sizeof(none));
		assert_int_equal(question(ring, NULL), CSIGN_QUIET_NO);
		/* Also of the one that rings. */
		assert_false(became(ring, successes[i]));
		assert_memory_equal(&limit, &none, sizeof(none));
	}
}

/* F14: whoever has the password, and nobody who answers. */
static void
a_thousand_logins_in_an_hour_ring_nine_times(void **state)
{
	char ring[CSIGN_RING_SIZE];
	int n = 0;

	(void)state;
	for (int i = 0; i < 1000; i++, pass(i % 5 < 3 ? 4 : 3)) {
		if (question(ring, NULL) != CSIGN_QUIET_NO)
			continue;
		n++;
		(void)became(ring, CSIGN_BECAME_UNANSWERED);
	}
	assert_in_range(now.wall - NOON_2025, 3500, 3700);
	assert_int_equal(n, 9);
	/* The owner scans the code, and the phone rings again. */
	assert_false(became("", CSIGN_BECAME_GRANTED_LINK));
	assert_rings();
}

/* --- pauses --------------------------------------------------------------- */

static const uint32_t pauses[] = {
    900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 86400, 86400};

static void
two_denials_pause_and_twice_as_long_each_time(void **state)
{
	(void)state;
	/* Also of questions that did not ring, and during a pause. */
	for (size_t i = 0; i < N_ROWS(pauses); i++) {
		assert_false(became("", CSIGN_BECAME_DENIED));
		pass(i % 2 == 0 ? 60 : 2 * DAY);
		assert_true(became("", CSIGN_BECAME_DENIED));
		assert_quiet(CSIGN_QUIET_PAUSED, pauses[i]);
		assert_in_range(limit.pauses, 1, CSIGN_PUSH_PAUSES_MAX);
		pass(pauses[i] - 1);
		assert_quiet(CSIGN_QUIET_PAUSED, 1);
	}
	pass(1);
	assert_rings();
}

static void
a_denial_in_a_pause_never_shortens_it(void **state)
{
	uint64_t ends = 0;

	(void)state;
	for (size_t i = 0; i < N_ROWS(pauses); i++) {
		assert_false(became("", CSIGN_BECAME_DENIED));
		assert_true(became("", CSIGN_BECAME_DENIED));
		assert_true(limit.paused.wall + limit.pause >= ends);
		ends = limit.paused.wall + limit.pause;
		pass(pauses[i] / 2);
	}
}

static void
three_unanswered_pause(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_false(rings_and(CSIGN_BECAME_UNANSWERED));
		pass(30);
	}
	/* One that did not ring disturbed nobody. */
	assert_false(became("", CSIGN_BECAME_UNANSWERED));
	assert_true(rings_and(CSIGN_BECAME_UNANSWERED));
	assert_quiet(CSIGN_QUIET_PAUSED, 900);
	pass(900);
	for (int i = 0; i < 3; i++) {
		assert_true(rings_and(CSIGN_BECAME_UNANSWERED) == (i == 2));
		pass(30);
	}
	assert_quiet(CSIGN_QUIET_PAUSED, 1770);
}

/* Ctrl-C is told; kill -9 is found out, when it should be over long ago. */
static void
whoever_died_left_it_unanswered(void **state)
{
	bool paused = true;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_false(csign_limit_settle(&limit, &now, &paused));
		assert_false(paused);
		assert_rings();
		pass(OPEN_FOR - 1);
		assert_false(csign_limit_settle(&limit, &now, &paused));
		assert_false(paused);
		pass(1);
		assert_true(csign_limit_settle(&limit, &now, &paused));
		assert_int_equal(limit.unanswered, i == 2 ? 0 : i + 1);
		assert_true(paused == (i == 2));
		assert_string_equal(limit.open, "");
	}
	assert_quiet(CSIGN_QUIET_PAUSED, 900);
	/* Without anybody who settled it before. */
	fresh(state);
	assert_rings();
	pass(OPEN_FOR);
	assert_rings();
	assert_int_equal(limit.unanswered, 1);
	/* A late end of it is not another one, nor does it end the second. */
	assert_false(became("ring-late-01", CSIGN_BECAME_UNANSWERED));
	assert_int_equal(limit.unanswered, 1);
	assert_quiet(CSIGN_QUIET_OPEN, OPEN_FOR);
}

static void
not_me_stops_push_until_a_code_is_scanned(void **state)
{
	char ring[CSIGN_RING_SIZE];

	(void)state;
	assert_true(rings_and(CSIGN_BECAME_NOT_ME));
	assert_quiet(CSIGN_QUIET_NOT_ME, 0);
	pass(3 * (uint64_t)YEAR);
	assert_quiet(CSIGN_QUIET_NOT_ME, 0);
	assert_false(became("", CSIGN_BECAME_GRANTED_RUNG));
	assert_quiet(CSIGN_QUIET_NOT_ME, 0);
	assert_false(became("", CSIGN_BECAME_RECOVERED));
	assert_quiet(CSIGN_QUIET_NOT_ME, 0);
	reboot(60);
	assert_quiet(CSIGN_QUIET_NOT_ME, 0);
	assert_false(became("", CSIGN_BECAME_GRANTED_LINK));
	assert_rings();
	/* It is a pause, too: without the stop, there would be one. */
	fresh(state);
	assert_true(became("", CSIGN_BECAME_NOT_ME));
	limit.not_me = false;
	assert_int_equal(question(ring, NULL), CSIGN_QUIET_PAUSED);
}

static void
fifty_wrong_codes_stop_push(void **state)
{
	char ring[CSIGN_RING_SIZE];

	(void)state;
	for (int i = 1; i <= 120; i++) {
		assert_true(became("", CSIGN_BECAME_WRONG_CODE) == (i == 50));
		assert_int_equal(limit.wrong_codes, i < 100 ? i : 100);
		if (i == 49)
			assert_int_equal(question(ring, NULL), CSIGN_QUIET_NO);
	}
	assert_quiet(CSIGN_QUIET_CODES, 0);
	pass(3 * (uint64_t)YEAR);
	assert_false(became(ring, CSIGN_BECAME_GRANTED_RUNG));
	assert_false(became("", CSIGN_BECAME_RECOVERED));
	assert_int_equal(limit.wrong_codes, 100);
	assert_quiet(CSIGN_QUIET_CODES, 0);
	assert_false(became("", CSIGN_BECAME_GRANTED_LINK));
	assert_int_equal(limit.wrong_codes, 0);
	assert_rings();
	/* Fewer are forgotten by any success. */
	fresh(state);
	for (int i = 0; i < 49; i++)
		assert_false(became("", CSIGN_BECAME_WRONG_CODE));
	assert_false(became("", CSIGN_BECAME_GRANTED_RUNG));
	assert_int_equal(limit.wrong_codes, 0);
}

/* --- clocks that are set -------------------------------------------------- */

static void
nothing(void)
{
}

static void
back_a_year(void)
{
	set_wall(-YEAR);
}

static void
forward_a_year(void)
{
	set_wall(YEAR);
}

static void
to_1970(void)
{
	now.wall = 0;
}

static void
forward_and_back(void)
{
	set_wall(YEAR);
	(void)csign_limit_look(&limit, &now, &(uint32_t){0});
	set_wall(-YEAR);
}

/* Seen by somebody who wrote it down, and then the machine is started anew. */
static void
forward_and_reboot(void)
{
	bool paused = false;

	set_wall(YEAR);
	(void)csign_limit_settle(&limit, &now, &paused);
	reboot(0);
}

static void
start_again(void)
{
	reboot(0);
}

/* A machine without a battery, and the network's time a little later. */
static void
start_in_1970(void)
{
	const uint64_t right = now.wall;
	bool paused = false;

	reboot(0);
	now.wall = 7;
	(void)csign_limit_settle(&limit, &now, &paused);
	now.wall = right + 20;
}

static void
start_and_forward(void)
{
	bool paused = false;

	reboot(0);
	(void)csign_limit_settle(&limit, &now, &paused);
	set_wall(YEAR);
}

/* In a time namespace, the clock of the same boot is another. */
static void
boot_clock_back(void)
{
	now.boot = 3;
}

static void
boot_clock_back_and_forward(void)
{
	bool paused = false;

	now.boot = 3;
	(void)csign_limit_settle(&limit, &now, &paused);
	set_wall(YEAR);
}

static void
boot_clock_forward(void)
{
	now.boot += (uint64_t)YEAR;
}

static const struct {
	const char *name;
	void (*happens)(void);
} times[] = {
    {"nothing", nothing},
    {"back", back_a_year},
    {"forward", forward_a_year},
    {"1970", to_1970},
    {"forward and back", forward_and_back},
    {"forward and reboot", forward_and_reboot},
    {"reboot", start_again},
    {"reboot in 1970", start_in_1970},
    {"reboot and forward", start_and_forward},
    {"namespace", boot_clock_back},
    {"namespace, and forward", boot_clock_back_and_forward},
    {"other namespace", boot_clock_forward},
};

/* Nothing lasts shorter by it, and everything comes to an end. */
static void
whatever_clocks_say_a_pause_is_no_shorter(void **state)
{
	uint32_t left = 0;

	for (size_t i = 0; i < N_ROWS(times); i++) {
		fresh(state);
		assert_false(rings_and(CSIGN_BECAME_DENIED));
		pass(100);
		assert_true(rings_and(CSIGN_BECAME_DENIED));
		pass(300);
		times[i].happens();
		for (int s = 300; s < 860; s += 20) {
			char ring[CSIGN_RING_SIZE];

			if (question(ring, &left) != CSIGN_QUIET_PAUSED)
				fail_msg(
				    "%s: rings after %d s", times[i].name, s);
			if (left > 900)
				fail_msg("%s: %u s left", times[i].name,
				    (unsigned)left);
			pass(20);
		}
		pass(left);
		assert_rings();
	}
}

static void
whatever_clocks_say_budgets_hold(void **state)
{
	for (size_t i = 0; i < N_ROWS(times); i++) {
		char ring[CSIGN_RING_SIZE];

		fresh(state);
		assert_false(rings_and(CSIGN_BECAME_DENIED));
		pass(30);
		assert_false(rings_and(CSIGN_BECAME_UNANSWERED));
		pass(30);
		assert_false(rings_and(CSIGN_BECAME_UNANSWERED));
		times[i].happens();
		assert_int_equal(question(ring, NULL), CSIGN_QUIET_SHORT);
		pass(500);
		assert_int_equal(question(ring, NULL), CSIGN_QUIET_SHORT);
		pass(600);
		assert_rings();
		times[i].happens();
		assert_int_not_equal(question(ring, NULL), CSIGN_QUIET_NO);
		pass(OPEN_FOR);
		assert_int_equal(question(ring, NULL), CSIGN_QUIET_PAUSED);
	}
}

/* Once it was seen to be over, no clock brings it back. */
static void
what_is_over_stays_over(void **state)
{
	bool paused = false;

	(void)state;
	assert_true(became("", CSIGN_BECAME_NOT_ME));
	limit.not_me = false;
	pass(900);
	assert_true(csign_limit_settle(&limit, &now, &paused));
	assert_false(paused);
	assert_false(csign_limit_settle(&limit, &now, &paused));
	set_wall(-YEAR);
	assert_rings();
	/* What it counts to is not forgotten. */
	assert_int_equal(limit.pauses, 1);
}

static void
the_beginning_of_time_is_a_time(void **state)
{
	char ring[CSIGN_RING_SIZE];

	(void)state;
	now = (struct csign_now){0, 0, BOOT_1};
	assert_int_equal(question(ring, NULL), CSIGN_QUIET_NO);
	assert_false(became(ring, CSIGN_BECAME_DENIED));
	assert_quiet(CSIGN_QUIET_SPACING, 30);
	pass(30);
	assert_rings();
}

/* Also by more seconds than 32 bits have. */
static void
centuries_are_longer_than_a_pause(void **state)
{
	(void)state;
	assert_true(became("", CSIGN_BECAME_NOT_ME));
	limit.not_me = false;
	reboot((UINT64_C(1) << 32) - 20);
	assert_rings();
}

/* No open question lasts for ever, whatever the caller says. */
static void
a_ring_has_an_end(void **state)
{
	uint32_t seconds = 0;

	(void)state;
	assert_int_equal(csign_limit_ring(&limit, &now, "ring-longest",
			     UINT32_MAX, &seconds),
	    CSIGN_QUIET_NO);
	assert_quiet(CSIGN_QUIET_OPEN, DAY);
	fresh(state);
	assert_int_equal(
	    csign_limit_ring(&limit, &now, "ring-shorter", 0, &seconds),
	    CSIGN_QUIET_NO);
	assert_int_equal(limit.open_for, 1);
}

/* --- anything at all ------------------------------------------------------ */

/*
 * What must be true of the rings that phones really make, by a clock that
 * nobody can set.  It knows the rules and nothing of how they are kept.
 */
static struct {
	uint64_t time;
	uint64_t rings[10000]; /* since the last success */
	size_t n_rings;
	char open[CSIGN_RING_SIZE];
	uint64_t opened;
	bool dead; /* whoever waited for it */
	uint64_t quiet_until;
	unsigned pauses, denials, unanswered, wrong;
	bool not_me;
	unsigned total; /* rings, and what kept others from it */
	unsigned forbidden[8];
} truth;

static void
truth_pauses(void)
{
	uint64_t length = 900;

	for (unsigned i = 0; i < truth.pauses && length < DAY; i++)
		length *= 2;
	if (length > DAY)
		length = DAY;
	truth.pauses++;
	truth.denials = truth.unanswered = 0;
	truth.quiet_until = truth.time + length;
}

static void
truth_unanswered(void)
{
	truth.open[0] = '\0';
	if (++truth.unanswered == 3)
		truth_pauses();
}

static void
truth_success(bool by_link)
{
	truth.n_rings = 0;
	truth.pauses = truth.denials = truth.unanswered = 0;
	truth.quiet_until = 0;
	if (by_link || truth.wrong < 50)
		truth.wrong = 0;
	if (by_link)
		truth.not_me = false;
}

static size_t
truth_rings_in(uint64_t seconds)
{
	size_t n = 0;

	for (size_t i = 0; i < truth.n_rings; i++)
		n += truth.time - truth.rings[i] < seconds;
	return n;
}

static const char *
truth_forbids(void)
{
	if (truth.not_me)
		return "not me";
	if (truth.wrong >= 50)
		return "wrong codes";
	if (truth.time < truth.quiet_until)
		return "a pause";
	if (truth.open[0] != '\0')
		return "another one";
	if (truth_rings_in(30) > 0)
		return "30 seconds";
	if (truth_rings_in(600) >= 3)
		return "3 in 10 minutes";
	return truth_rings_in(DAY) >= 10 ? "10 in a day" : NULL;
}

/* The same numbers each time: a failure can be seen again. */
static uint32_t
dice(uint32_t sides)
{
	static uint64_t seed = 88172645463325252U;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % sides;
}

/* One whose process died is unanswered as soon as that is found out. */
static void
find_out(void)
{
	bool paused = false;

	(void)csign_limit_settle(&limit, &now, &paused);
	if (truth.dead && strcmp(limit.open, truth.open) != 0) {
		assert_true(truth.time - truth.opened >= OPEN_FOR);
		truth.dead = false;
		truth_unanswered();
	}
}

static void
real_time_passes(uint64_t seconds)
{
	/* Who waits does not wait for longer than that. */
	while (seconds > 0) {
		uint64_t step = seconds;

		if (truth.open[0] != '\0' && !truth.dead &&
		    truth.time + step >= truth.opened + OPEN_FOR)
			step = truth.opened + OPEN_FOR - truth.time;
		truth.time += step;
		seconds -= step;
		pass(step);
		if (truth.open[0] != '\0' && !truth.dead &&
		    truth.time == truth.opened + OPEN_FOR) {
			(void)became(truth.open, CSIGN_BECAME_UNANSWERED);
			truth_unanswered();
		}
	}
}

static void
somebody_asks(bool exact)
{
	char ring[CSIGN_RING_SIZE];
	const char *forbidden = NULL;
	enum csign_quiet quiet = CSIGN_QUIET_TROUBLE;

	find_out();
	forbidden = truth_forbids();
	quiet = question(ring, NULL);
	truth.forbidden[quiet]++;
	if (quiet == CSIGN_QUIET_NO && forbidden != NULL)
		fail_msg("it rings in spite of: %s", forbidden);
	if (exact && quiet != CSIGN_QUIET_NO && forbidden == NULL)
		fail_msg("it does not ring, by %d", (int)quiet);
	if (quiet != CSIGN_QUIET_NO)
		return;
	memcpy(truth.open, ring, sizeof(truth.open));
	truth.opened = truth.time;
	truth.dead = false;
	truth.rings[truth.n_rings++] = truth.time;
	truth.total++;
}

static void
somebody_answers(void)
{
	enum csign_became what = CSIGN_BECAME_DENIED;
	bool rung = truth.open[0] != '\0' && !truth.dead && dice(2) == 0;
	uint32_t n = dice(1000), repeat = 1;
	char ring[CSIGN_RING_SIZE] = "";

	find_out();
	if (rung)
		memcpy(ring, truth.open, sizeof(ring));
	if (n < 4)
		what = CSIGN_BECAME_GRANTED_LINK;
	else if (n < 8)
		what = CSIGN_BECAME_RECOVERED;
	else if (n < 10)
		what = CSIGN_BECAME_NOT_ME;
	else if (n < 20 && rung)
		what = CSIGN_BECAME_GRANTED_RUNG;
	else if (n < 100)
		what = CSIGN_BECAME_WRONG_CODE;
	else if (n < 120)
		what = CSIGN_BECAME_ANSWERED;
	else if (n < 900)
		return;
	if (what == CSIGN_BECAME_WRONG_CODE)
		repeat = 1 + dice(20);
	for (uint32_t i = 0; i < repeat; i++)
		(void)became(ring, what);
	if (rung && what != CSIGN_BECAME_WRONG_CODE)
		truth.open[0] = '\0';
	switch (what) {
	case CSIGN_BECAME_GRANTED_LINK:
		truth_success(true);
		break;
	case CSIGN_BECAME_GRANTED_RUNG:
	case CSIGN_BECAME_RECOVERED:
		truth_success(false);
		break;
	case CSIGN_BECAME_NOT_ME:
		truth.not_me = true;
		truth_pauses();
		break;
	case CSIGN_BECAME_DENIED:
		if (++truth.denials == 2)
			truth_pauses();
		break;
	case CSIGN_BECAME_WRONG_CODE:
		truth.wrong += repeat;
		break;
	case CSIGN_BECAME_UNANSWERED:
	case CSIGN_BECAME_LOST:
	case CSIGN_BECAME_ANSWERED:
		break;
	}
}

static void
the_machine(bool honest)
{
	uint32_t off = dice(100);

	switch (dice(honest ? 2 : 5)) {
	case 0: /* whoever waits is killed */
		truth.dead = truth.open[0] != '\0';
		break;
	case 1: /* so they are by this, and time goes on meanwhile */
		if (!honest)
			find_out();
		truth.dead = truth.open[0] != '\0';
		truth.time += off + 20;
		reboot(off);
		/* What is changed before anybody looks is off time, too. */
		find_out();
		break;
	case 2:
		set_wall(-(int64_t)dice(4000));
		break;
	case 3:
		set_wall((int64_t)dice(4000));
		break;
	default:
		set_wall(dice(2) == 0 ? YEAR : -YEAR);
		break;
	}
}

static void
run_randomly(bool honest)
{
	memset(&truth, 0, sizeof(truth));
	(void)fresh(NULL);
	for (int i = 0; i < 200000; i++) {
		uint32_t n = dice(100);

		if (n < 45)
			somebody_asks(honest);
		else if (n < 60)
			somebody_answers();
		else if (n < 63)
			the_machine(honest);
		else if (n < 97)
			real_time_passes(dice(40));
		else
			real_time_passes(dice(20000));
		assert_true(truth.n_rings < N_ROWS(truth.rings));
	}
	/* It was worth it: every reason was met, and often. */
	for (size_t i = 0; i < N_ROWS(truth.forbidden); i++)
		assert_true(truth.forbidden[i] > 20);
	assert_true(truth.total > 1000);
}

static void
by_right_clocks_it_rings_when_it_may(void **state)
{
	(void)state;
	run_randomly(true);
}

static void
by_wrong_clocks_it_never_rings_when_it_may_not(void **state)
{
	(void)state;
	run_randomly(false);
}

/* --- what people are told ------------------------------------------------- */

static const struct {
	enum csign_quiet quiet;
	uint32_t seconds;
	const char *note;
} notes[] = {
    {CSIGN_QUIET_NO, 0, ""},
    {CSIGN_QUIET_OPEN, 40, "No push: your phone has another question."},
    {CSIGN_QUIET_SPACING, 1,
	"No push for 1 second: the phone has just rung. Scan the code."},
    {CSIGN_QUIET_SPACING, 30,
	"No push for 30 seconds: the phone has just rung. Scan the code."},
    {CSIGN_QUIET_SHORT, 121,
	"No push for 3 minutes: it rang 3 times in 10 minutes. Scan the code."},
    {CSIGN_QUIET_LONG, 86400,
	"No push for 24 hours: it rang 10 times in a day. Scan the code."},
    {CSIGN_QUIET_PAUSED, 119,
	"No push for 119 seconds: too many came to nothing. Scan the code."},
    {CSIGN_QUIET_PAUSED, 900,
	"No push for 15 minutes: too many came to nothing. Scan the code."},
    {CSIGN_QUIET_PAUSED, 7200,
	"No push for 120 minutes: too many came to nothing. Scan the code."},
    {CSIGN_QUIET_PAUSED, 7201,
	"No push for 3 hours: too many came to nothing. Scan the code."},
    {CSIGN_QUIET_NOT_ME, 0,
	"No push since \"not me\": scan the code to end that."},
    {CSIGN_QUIET_CODES, 0,
	"No push since too many digits were wrong: scan the code to end that."},
    {CSIGN_QUIET_TROUBLE, 0,
	"No push: this host cannot tell how often it rang. Scan the code."},
};

static void
a_note_says_what_to_do_in_one_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS(notes); i++) {
		char note[CSIGN_PUSH_NOTE_SIZE];

		memset(note, 'x', sizeof(note));
		csign_limit_note(notes[i].quiet, notes[i].seconds, note);
		assert_string_equal(note, notes[i].note);
	}
	for (int quiet = 0; quiet <= CSIGN_QUIET_TROUBLE; quiet++) {
		char note[CSIGN_PUSH_NOTE_SIZE];

		csign_limit_note((enum csign_quiet)quiet, 7199, note);
		assert_true(strlen(note) <= 79);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(now_is_seconds_and_needs_every_clock),
	    TEST(one_rings_at_a_time),
	    TEST(another_question_does_not_end_it),
	    TEST(what_the_service_lost_is_not_unanswered),
	    TEST(they_are_thirty_seconds_apart),
	    TEST(three_in_ten_minutes),
	    TEST(ten_in_a_day),
	    TEST(a_success_begins_anew),
	    TEST(a_thousand_logins_in_an_hour_ring_nine_times),
	    TEST(two_denials_pause_and_twice_as_long_each_time),
	    TEST(a_denial_in_a_pause_never_shortens_it),
	    TEST(three_unanswered_pause),
	    TEST(whoever_died_left_it_unanswered),
	    TEST(not_me_stops_push_until_a_code_is_scanned),
	    TEST(fifty_wrong_codes_stop_push),
	    TEST(whatever_clocks_say_a_pause_is_no_shorter),
	    TEST(whatever_clocks_say_budgets_hold),
	    TEST(what_is_over_stays_over),
	    TEST(the_beginning_of_time_is_a_time),
	    TEST(centuries_are_longer_than_a_pause),
	    TEST(a_ring_has_an_end),
	    TEST(by_right_clocks_it_rings_when_it_may),
	    TEST(by_wrong_clocks_it_never_rings_when_it_may_not),
	    TEST(a_note_says_what_to_do_in_one_line),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
