# SPDX-License-Identifier: BSD-2-Clause
# What can be checked without running the product.
LINT_TESTS = \
	tests/lint/calls.py \
	tests/lint/files.py \
	tests/lint/headers.py \
	tests/lint/manual.py \
	tests/lint/objects.py
# Sanitizers change what objects link and export, and sources not at all.
if !SANITIZERS
TESTS += $(LINT_TESTS)
endif
EXTRA_DIST += .clang-format $(LINT_TESTS) \
	tests/lint/analyze.sh \
	tests/support/sources.py \
	tests/variants.sh
