# SPDX-License-Identifier: BSD-2-Clause
# The courier on its leash, against a service that misbehaves.
check_PROGRAMS += tests/support/courier-drive
tests_support_courier_drive_LDADD = lib/libcsign.la
COURIER_TESTS = \
	tests/courier/life.py \
	tests/courier/removal.py \
	tests/courier/replies.py \
	tests/courier/tls.py
TESTS += $(COURIER_TESTS)
EXTRA_DIST += $(COURIER_TESTS) tests/courier/conftest.py \
	tests/support/couriers.py
