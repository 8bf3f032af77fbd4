# SPDX-License-Identifier: BSD-2-Clause
# countersign and countersign-phone from outside; the scanner from inside.
check_PROGRAMS += %D%/scan
TESTS += %D%/scan
%C%_scan_SOURCES = %D%/scan.c tests/unit/unit.h
%C%_scan_CPPFLAGS = $(UNIT_CPPFLAGS)
%C%_scan_CFLAGS = $(UNIT_CFLAGS)
%C%_scan_LDADD = cli/phone/libscan.la $(UNIT_LIBS)

CLI_TESTS = \
	%D%/test_demo.py \
	%D%/test_devices.py \
	%D%/test_enroll.py \
	%D%/test_hostile.py \
	%D%/test_init.py \
	%D%/test_phone.py \
	%D%/test_usage.py
TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) %D%/conftest.py tests/demo/demo.sh
