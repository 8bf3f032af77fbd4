/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C1, the table: every outcome in every stage.  The expectations are written
 * out a second time, from the table of outcomes in pam_countersign(8).
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <security/pam_modules.h>
#include <string.h>

#include "../../pam/retcode.h"

static const struct {
	const char *name;
	enum csign_err err;
} errors[] = {
#define ENTRY(name, text) {#name, CSIGN_E_##name},
    CSIGN_ERR_LIST(ENTRY)
#undef ENTRY
};

#define N_ERRORS (sizeof(errors) / sizeof(errors[0]))

static const enum csign_stage stages[] = {CSIGN_STAGE_SETUP, CSIGN_STAGE_ASK,
    CSIGN_STAGE_TALK, CSIGN_STAGE_WAIT, CSIGN_STAGE_CODE, CSIGN_STAGE_ENROL,
    CSIGN_STAGE_GRANT};

#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

static int
is_one_of(const char *name, const char *list)
{
	size_t len = strlen(name);

	for (const char *at = list; (at = strstr(at, name)) != NULL; at++)
		if ((at == list || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\0'))
			return 1;
	return 0;
}

static int
expected(const char *name)
{
	if (is_one_of(name, "DENIED NOT_ME DECLINED LIMIT"))
		return PAM_MAXTRIES;
	if (strncmp(name, "PROOF_", 6) == 0 ||
	    is_one_of(name, "EXPIRED INTERRUPTED RECOVERY"))
		return PAM_AUTH_ERR;
	if (is_one_of(name, "UNKNOWN_USER UNENROLLED ENROLL"))
		return PAM_USER_UNKNOWN;
	if (is_one_of(name, "NOMEM"))
		return PAM_BUF_ERR;
	if (is_one_of(name, "AGAIN EXEMPT"))
		return PAM_SYSTEM_ERR;
	return PAM_AUTHINFO_UNAVAIL;
}

static void
every_outcome_has_its_code(void **state)
{
	(void)state;
	for (size_t e = 0; e < N_ERRORS; e++) {
		for (size_t s = 0; s < N_STAGES; s++) {
			int want = expected(errors[e].name);

			if (stages[s] == CSIGN_STAGE_TALK &&
			    errors[e].err != CSIGN_E_NOMEM)
				want = PAM_CONV_ERR;
			assert_int_equal(
			    csign_to_pam(errors[e].err, stages[s]), want);
		}
	}
}

static void
nothing_becomes_success_or_ignore(void **state)
{
	(void)state;
	for (int err = -1; err < 2 * CSIGN_E_BASE; err++)
		for (size_t s = 0; s < N_STAGES; s++) {
			int code = csign_to_pam((enum csign_err)err, stages[s]);

			assert_int_not_equal(code, PAM_SUCCESS);
			assert_int_not_equal(code, PAM_IGNORE);
		}
	assert_int_equal(
	    csign_to_pam(CSIGN_OK, CSIGN_STAGE_GRANT), PAM_SYSTEM_ERR);
}

static void
every_code_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(csign_pam_name(PAM_MAXTRIES), "PAM_MAXTRIES");
	assert_string_equal(csign_pam_name(PAM_AUTH_ERR), "PAM_AUTH_ERR");
	assert_string_equal(
	    csign_pam_name(PAM_USER_UNKNOWN), "PAM_USER_UNKNOWN");
	assert_string_equal(
	    csign_pam_name(PAM_AUTHINFO_UNAVAIL), "PAM_AUTHINFO_UNAVAIL");
	assert_string_equal(csign_pam_name(PAM_BUF_ERR), "PAM_BUF_ERR");
	assert_string_equal(csign_pam_name(PAM_CONV_ERR), "PAM_CONV_ERR");
	assert_string_equal(csign_pam_name(PAM_SYSTEM_ERR), "PAM_SYSTEM_ERR");
	for (size_t s = 0; s < N_STAGES; s++)
		assert_string_not_equal(csign_stage_name(stages[s]), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_outcome_has_its_code),
	    cmocka_unit_test(nothing_becomes_success_or_ignore),
	    cmocka_unit_test(every_code_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
