# SPDX-License-Identifier: BSD-2-Clause
# The completions, in the shells that they are for.
COMPLETION_TESTS = %D%/test_shells.py
TESTS += $(COMPLETION_TESTS)
EXTRA_DIST += $(COMPLETION_TESTS) %D%/capture.zsh
