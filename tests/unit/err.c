/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <ctype.h>
#include <limits.h>

#define ROW(name, text) {CSIGN_E_##name, #name},
static const struct {
	enum csign_err err;
	const char *name;
} rows[] = {CSIGN_ERR_LIST(ROW)};
#undef ROW

static void
every_error_has_its_name_and_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		const char *text = csign_err_text(rows[i].err);

		assert_string_equal(csign_err_name(rows[i].err), rows[i].name);
		assert_true(strlen(text) > 5);
		assert_int_not_equal(text[strlen(text) - 1], '.');
		assert_true(islower((unsigned char)text[0]));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
			    text, csign_err_text(rows[j].err));
	}
}

static void
errors_are_no_errno(void **state)
{
	(void)state;
	assert_int_equal(CSIGN_OK, 0);
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_true((int)rows[i].err > 4095);
}

static void
ok_and_strangers_have_names(void **state)
{
	static const int strangers[] = {
	    -1, 1, 2, CSIGN_E_BASE, CSIGN_E_INTERNAL + 1, INT_MAX, INT_MIN};

	(void)state;
	assert_string_equal(csign_err_name(CSIGN_OK), "OK");
	assert_string_equal(csign_err_text(CSIGN_OK), "success");
	for (size_t i = 0; i < N_ROWS(strangers); i++) {
		enum csign_err err = (enum csign_err)strangers[i];

		assert_string_equal(csign_err_name(err), "UNKNOWN");
		assert_string_equal(csign_err_text(err), "unknown error");
	}
}

static void
verdicts_are_far_apart(void **state)
{
	static const uint32_t verdicts[] = {
	    CSIGN_VERDICT_NONE, CSIGN_VERDICT_GRANTED, CSIGN_VERDICT_REFUSED};

	(void)state; /* SIG-6 */
	for (size_t i = 0; i < N_ROWS(verdicts); i++)
		for (size_t j = 0; j < i; j++)
			assert_true(__builtin_popcount(
					verdicts[i] ^ verdicts[j]) >= 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_error_has_its_name_and_sentence),
	    cmocka_unit_test(errors_are_no_errno),
	    cmocka_unit_test(ok_and_strangers_have_names),
	    cmocka_unit_test(verdicts_are_far_apart),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
