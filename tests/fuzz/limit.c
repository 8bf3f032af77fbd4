/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often phones may ring: an input is a life of questions, and of clocks.
 * Whatever happens, phones do not ring more often than the limits say, a pause
 * is kept, and what is remembered can be written down and read again.
 *
 * Three bytes a step: what happens, and how long after the one before it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "limit.h"
#include "state_file.h"

#define BOOT_FORM "1b4e28ba-2fa1-41d2-883f-0016d3cc%04x"
#define WALL UINT64_C(1790000000)
#define STEPS_MAX 400

/* What really happened: a clock that nobody sets, and when it rang since the
 * last success. */
struct life {
	uint64_t now;
	uint64_t rang[STEPS_MAX];
	size_t n;
	uint64_t stopped_until;
	bool stopped; /* until a code is scanned */
};

static size_t
rang_within(const struct life *life, uint64_t seconds)
{
	size_t n = 0;

	for (size_t i = 0; i < life->n; i++)
		n += life->rang[i] + seconds > life->now;
	return n;
}

static void
check_may_ring(const struct life *life)
{
	MUST(!life->stopped && life->now >= life->stopped_until);
	MUST(rang_within(life, CSIGN_PUSH_SPACING) == 0);
	MUST(rang_within(life, CSIGN_PUSH_SHORT) < CSIGN_PUSH_SHORT_MAX);
	MUST(rang_within(life, CSIGN_PUSH_LONG) < CSIGN_PUSH_LONG_MAX);
}

static void
ring(struct csign_limit *limit, const struct csign_now *now, struct life *life,
    uint8_t open_for)
{
	uint32_t seconds = 0;
	enum csign_quiet quiet = csign_limit_look(limit, now, &seconds);

	MUST(csign_limit_ring(limit, now, "q83vEjRWeJCr", open_for, &seconds) ==
	     quiet);
	if (quiet != CSIGN_QUIET_NO)
		return;
	check_may_ring(life);
	life->rang[life->n++] = life->now;
}

static void
become(struct csign_limit *limit, const struct csign_now *now,
    struct life *life, uint8_t what)
{
	enum csign_became became =
	    (enum csign_became)(what % (CSIGN_BECAME_ANSWERED + 1));
	const char *name = (what & 0x80) != 0 ? "" : "q83vEjRWeJCr";
	bool paused = csign_limit_became(limit, now, name, became);

	if (became == CSIGN_BECAME_GRANTED_LINK)
		life->stopped = false;
	if (became <= CSIGN_BECAME_RECOVERED) {
		life->n = 0;
		life->stopped_until = 0;
	} else if (became == CSIGN_BECAME_NOT_ME) {
		MUST(paused);
		life->stopped = true;
	} else if (paused) {
		life->stopped_until = life->now + CSIGN_PUSH_PAUSE_MIN;
	}
}

static void
check_state(const struct csign_limit *limit)
{
	const struct csign_account account = {
	    .uid = 1001, .name = "alice", .file = "alice"};
	struct csign_buf *text = fuzz_buf(CSIGN_FILE_MAX);
	struct csign_state state = {.limit = *limit}, again;

	MUST(csign_state_format(fuzz_crypto(), &account, &state, text) ==
	     CSIGN_OK);
	MUST(csign_state_parse(fuzz_crypto(), "fuzz", csign_buf_str(text),
		 csign_buf_len(text), &account, &again, NULL) == CSIGN_OK);
	csign_buf_free(&text);
}

/* The wall clock is set, if the input wants it; the other one never is. */
static void
pass(struct csign_now *now, struct life *life, uint8_t what, uint64_t seconds)
{
	life->now += seconds;
	now->boot += seconds;
	now->wall += seconds;
	if ((what & 0x40) != 0)
		now->wall = WALL + seconds * 1000;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csign_now now = {.wall = WALL, .boot = 100};
	static struct life life;
	struct csign_limit limit = {.n_pushes = 0};

	memset(&life, 0, sizeof life);
	life.now = CSIGN_PUSH_LONG;
	(void)snprintf(now.boot_id, sizeof now.boot_id, BOOT_FORM, 0U);
	for (size_t step = 0; size >= 3 && step < STEPS_MAX; step++) {
		uint8_t what = fuzz_take(&data, &size);
		uint8_t factor = fuzz_take(&data, &size);
		uint8_t seconds = fuzz_take(&data, &size);

		pass(&now, &life, what, (uint64_t)factor * seconds);
		if ((what & 1) != 0)
			ring(&limit, &now, &life, factor);
		else
			become(&limit, &now, &life, what >> 1);
		check_state(&limit);
	}
	return 0;
}
