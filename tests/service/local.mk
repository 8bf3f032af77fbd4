# SPDX-License-Identifier: BSD-2-Clause
dist_check_service = \
	%D%/test_calls.py \
	%D%/test_commands.py \
	%D%/test_http.py \
	%D%/test_limits.py \
	%D%/test_orders.py \
	%D%/test_waiting.py
TESTS += $(dist_check_service)
EXTRA_DIST += $(dist_check_service) tests/support/service.py
