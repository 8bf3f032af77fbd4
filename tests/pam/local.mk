# SPDX-License-Identifier: BSD-2-Clause
# An application with every bad habit, for these tests and for the demo.
check_PROGRAMS += tests/support/pam-run
tests_support_pam_run_SOURCES = tests/support/hygiene.c \
	tests/support/hygiene.h tests/support/pam-run.c
tests_support_pam_run_LDADD = $(PAM_LIBS)

# A library that plays outcomes; found by LD_LIBRARY_PATH before the real one.
check_LTLIBRARIES = tests/pam/fake/libcountersign.la
tests_pam_fake_libcountersign_la_SOURCES = tests/pam/fake_countersign.c
tests_pam_fake_libcountersign_la_LDFLAGS = $(AM_LDFLAGS) -rpath /nowhere \
	-version-info $(CSIGN_LT_VERSION) \
	-Wl,--version-script=$(srcdir)/lib/libcountersign.map

# One program a part of the module.
PAM_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
PAM_TEST_LIBS = pam/libmodule.la lib/libcountersign.la $(PAM_LIBS) \
	$(CMOCKA_LIBS)
PAM_TESTS = tests/pam/cmdline tests/pam/conv tests/pam/opt tests/pam/retcode
tests_pam_cmdline_CFLAGS = $(PAM_CFLAGS)
tests_pam_cmdline_LDADD = $(PAM_TEST_LIBS)
tests_pam_conv_CFLAGS = $(PAM_CFLAGS)
tests_pam_conv_LDADD = $(PAM_TEST_LIBS)
tests_pam_conv_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
tests_pam_opt_CFLAGS = $(PAM_CFLAGS)
tests_pam_opt_LDADD = $(PAM_TEST_LIBS)
tests_pam_retcode_CFLAGS = $(PAM_CFLAGS)
tests_pam_retcode_LDADD = $(PAM_TEST_LIBS)
check_PROGRAMS += $(PAM_TESTS)
TESTS += $(PAM_TESTS)

# The module behind the real PAM, with that library; and with the real one.
PAM_PYTHON_TESTS = tests/pam/test_enrolment.py \
	tests/pam/test_languages.py tests/pam/test_module.py \
	tests/pam/test_outcomes.py tests/pam/test_present.py \
	tests/pam/test_question.py tests/pam/test_real.py \
	tests/pam/test_recovery.py
TESTS += $(PAM_PYTHON_TESTS)
EXTRA_DIST += $(PAM_PYTHON_TESTS) tests/support/pamrun.py
