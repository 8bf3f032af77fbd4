# SPDX-License-Identifier: BSD-2-Clause
# Every test speaks TAP, so that a case counts and not a program.
TEST_EXTENSIONS = .sh .py
EXTRA_DIST += tests/support/tap.py
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)
PY_LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_COMPILER = $(PYTHON3) $(top_srcdir)/tests/support/tap.py
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE;

include tests/unit/local.mk
include tests/lint/local.mk
include tests/courier/local.mk
include tests/pam/local.mk
include tests/cli/local.mk
include tests/completions/local.mk
include tests/service/local.mk
include tests/e2e/local.mk
include tests/fuzz/local.mk
include tests/web/local.mk
include tests/bench/local.mk
include tests/attack/local.mk

# Of parts of the tests, which the targets below run.
CLEANFILES += test-*.log

# The unit tests, each in valgrind; a leak or a bad access is a hard error.
check-valgrind: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(UNIT_TESTS)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS='$(UNIT_TESTS)' TEST_SUITE_LOG=test-valgrind.log \
		LOG_COMPILER='$(abs_top_builddir)/libtool --mode=execute \
		valgrind -q --error-exitcode=99 --leak-check=full'
.PHONY: check-valgrind

# Which lines of lib/ and pam/ the tests run: ./configure --enable-coverage
# && make coverage, as root.  The real courier may write no file, so it is run
# within its driver; two tests that look at it as a process cannot be.
COVERAGE_MIN = 92
COVERAGE_TESTS = $(UNIT_TESTS) $(PAM_TESTS) $(PAM_PYTHON_TESTS) \
	$(FUZZ_TESTS) \
	tests/cli/test_ask.py \
	tests/cli/test_backup.py \
	tests/cli/test_devices.py \
	tests/cli/test_enroll.py \
	tests/cli/test_evidence.py \
	tests/cli/test_init.py \
	tests/cli/test_recovery.py \
	tests/cli/test_rename.py
COVERAGE_COURIER_TESTS = tests/courier/life.py tests/courier/replies.py \
	tests/courier/tls.py
coverage: all
	$(AM_V_at)test '$(COVERAGE)' = yes || \
		{ echo 'configure with --enable-coverage' >&2; exit 1; }
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS=
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) tests/support/courier-within
	$(AM_V_at)find . -name '*.gcda' -exec rm {} +
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS='$(COVERAGE_TESTS)'
	$(AM_V_at)COURIER_DRIVE=courier-within; export COURIER_DRIVE; \
	PYTEST_ADDOPTS='-k "not test_process and not test_environment"'; \
	export PYTEST_ADDOPTS; \
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS='$(COVERAGE_COURIER_TESTS)' \
		TEST_SUITE_LOG=test-coverage.log
	$(AM_V_at)gcovr --root $(abs_top_srcdir) \
		--filter '$(abs_top_srcdir)/lib/' \
		--filter '$(abs_top_srcdir)/pam/' \
		--gcov-ignore-parse-errors --print-summary \
		--fail-under-line $(COVERAGE_MIN) .
.PHONY: coverage
