/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "verdict.h"

/* The steps in the order of their words. */
#define WORD(name, member) CSIGN_STEP_##name,
static const uint32_t passed[] = {CSIGN_STEP_LIST(WORD)};
#undef WORD

/* And every other word that somebody could take for one of them. */
static const uint32_t others[] = {CSIGN_VERDICT_NONE, UINT32_MAX,
    CSIGN_VERDICT_GRANTED, CSIGN_VERDICT_REFUSED, 1};

#define N_STEPS N_ROWS(passed)

_Static_assert(sizeof(struct csign_steps) == sizeof(passed),
    "a step is missing in the list");

static uint32_t
verdict_of(const uint32_t words[N_STEPS])
{
	struct csign_steps steps;

	memcpy(&steps, words, sizeof(steps));
	return csign_verdict_of(&steps);
}

static void
words_are_far_apart(void **state)
{
	uint32_t words[N_STEPS + 4];

	(void)state; /* SIG-6 */
	memcpy(words, passed, sizeof(passed));
	memcpy(words + N_STEPS, others, 4 * sizeof(words[0]));
	for (size_t i = 0; i < N_ROWS(words); i++)
		for (size_t j = 0; j < i; j++)
			if (__builtin_popcount(words[i] ^ words[j]) < 16)
				fail_msg("%08x and %08x", words[i], words[j]);
}

static void
every_step_grants(void **state)
{
	(void)state;
	assert_true(verdict_of(passed) == CSIGN_VERDICT_GRANTED);
}

static void
every_bit_counts(void **state)
{
	uint32_t words[N_STEPS];

	(void)state;
	for (size_t i = 0; i < N_STEPS; i++)
		for (unsigned int bit = 0; bit < 32; bit++) {
			memcpy(words, passed, sizeof(words));
			words[i] ^= UINT32_C(1) << bit;
			assert_true(verdict_of(words) == CSIGN_VERDICT_REFUSED);
		}
}

/* Steps that were left out, and words that are nobody's. */
static void
no_other_word_counts(void **state)
{
	uint32_t words[N_STEPS];

	(void)state;
	for (size_t i = 0; i < N_STEPS; i++)
		for (size_t j = 0; j < N_ROWS(others); j++) {
			memcpy(words, passed, sizeof(words));
			words[i] = others[j];
			assert_true(verdict_of(words) == CSIGN_VERDICT_REFUSED);
		}
	memset(words, 0, sizeof(words));
	assert_true(verdict_of(words) == CSIGN_VERDICT_REFUSED);
}

static void
no_step_stands_for_another(void **state)
{
	uint32_t words[N_STEPS];

	(void)state;
	for (size_t i = 0; i < N_STEPS; i++)
		for (size_t j = 0; j < N_STEPS; j++) {
			if (i == j)
				continue;
			memcpy(words, passed, sizeof(words));
			words[i] = passed[j];
			assert_true(verdict_of(words) == CSIGN_VERDICT_REFUSED);
			words[j] = passed[i]; /* swapped */
			assert_true(verdict_of(words) == CSIGN_VERDICT_REFUSED);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_far_apart),
	    cmocka_unit_test(every_step_grants),
	    cmocka_unit_test(every_bit_counts),
	    cmocka_unit_test(no_other_word_counts),
	    cmocka_unit_test(no_step_stands_for_another),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
