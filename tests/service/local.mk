# SPDX-License-Identifier: BSD-2-Clause
dist_check_service = \
	%D%/test_admin.py \
	%D%/test_calls.py \
	%D%/test_commands.py \
	%D%/test_copies.py \
	%D%/test_http.py \
	%D%/test_inbox.py \
	%D%/test_limits.py \
	%D%/test_orders.py \
	%D%/test_push.py \
	%D%/test_removal.py \
	%D%/test_shares.py \
	%D%/test_upgrade.py \
	%D%/test_waiting.py
TESTS += $(dist_check_service)
EXTRA_DIST += $(dist_check_service) %D%/conftest.py %D%/database-1.sql \
	%D%/database-2.sql \
	tests/support/pushd.py tests/support/service.py
