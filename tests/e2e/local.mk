# SPDX-License-Identifier: BSD-2-Clause
# Real sshd, sudo, su and others in private name spaces: make check-e2e, as root.
E2E_TESTS = \
	tests/e2e/accounts.py \
	tests/e2e/check.py \
	tests/e2e/cron.py \
	tests/e2e/dns_names.py \
	tests/e2e/doas.py \
	tests/e2e/hygiene.py \
	tests/e2e/inline_enrolment.py \
	tests/e2e/login_program.py \
	tests/e2e/push.py \
	tests/e2e/recovery.py \
	tests/e2e/ssh_login.py \
	tests/e2e/sudo_su.py \
	tests/e2e/surroundings.py \
	tests/e2e/system_log.py \
	tests/e2e/terminal.py \
	tests/e2e/time_namespace.py
EXTRA_DIST += $(E2E_TESTS) \
	tests/e2e/checkhost.py \
	tests/e2e/conftest.py \
	tests/e2e/machine.py \
	tests/support/codes.py \
	tests/support/logs.py \
	tests/support/private.py \
	tests/support/rig.py \
	tests/support/screen.py

check-e2e: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS='$(E2E_TESTS)' TEST_SUITE_LOG=test-e2e.log
.PHONY: check-e2e
