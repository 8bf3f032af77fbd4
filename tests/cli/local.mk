# SPDX-License-Identifier: BSD-2-Clause
# countersign and countersign-phone from outside; the scanner from inside.
check_PROGRAMS += %D%/scan
TESTS += %D%/scan
%C%_scan_SOURCES = %D%/scan.c tests/unit/unit.h
%C%_scan_CPPFLAGS = $(UNIT_CPPFLAGS)
%C%_scan_CFLAGS = $(UNIT_CFLAGS)
%C%_scan_LDADD = cli/phone/libscan.la $(UNIT_LIBS)

# What the reader of PAM stacks says, for a comparison with libpam.
check_PROGRAMS += %D%/play
%C%_play_LDADD = cli/stack/libstack.la

CLI_TESTS = \
	%D%/test_agent.py \
	%D%/test_ask.py \
	%D%/test_backup.py \
	%D%/test_demo.py \
	%D%/test_devices.py \
	%D%/test_enroll.py \
	%D%/test_evidence.py \
	%D%/test_hostile.py \
	%D%/test_init.py \
	%D%/test_init_cut.py \
	%D%/test_json.py \
	%D%/test_log.py \
	%D%/test_pam.py \
	%D%/test_pam_stack.py \
	%D%/test_phone.py \
	%D%/test_phone_backup.py \
	%D%/test_phone_remove.py \
	%D%/test_recovery.py \
	%D%/test_rename.py \
	%D%/test_usage.py \
	%D%/test_watch.py
TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) %D%/conftest.py tests/demo/demo.sh \
	tests/support/agent.py tests/support/double.py
