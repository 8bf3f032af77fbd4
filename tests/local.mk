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

# The unit tests, each in valgrind; a leak or a bad access is a hard error.
check-valgrind: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(UNIT_TESTS)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS='$(UNIT_TESTS)' TEST_SUITE_LOG=test-valgrind.log \
		LOG_COMPILER='$(abs_top_builddir)/libtool --mode=execute \
		valgrind -q --error-exitcode=99 --leak-check=full'
.PHONY: check-valgrind
