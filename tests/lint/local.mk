# SPDX-License-Identifier: BSD-2-Clause
# What can be checked without running the product.
LINT_TESTS = \
	tests/lint/calls.py \
	tests/lint/files.py \
	tests/lint/headers.py \
	tests/lint/installed.py \
	tests/lint/manual.py \
	tests/lint/objects.py \
	tests/lint/promises.py \
	tests/lint/spdx.py
# Sanitizers change what objects link and export, and sources not at all.
if !SANITIZERS
TESTS += $(LINT_TESTS)
endif
EXTRA_DIST += .clang-format $(LINT_TESTS) \
	tests/lint/analyze.sh \
	tests/lint/installed.list \
	tests/support/installation.py \
	tests/support/sources.py \
	tests/variants.sh

# What installed.list calls the folders, and what to expect there.
AM_TESTS_ENVIRONMENT += \
	hardened='$(CSIGN_HARDENED)'; export hardened; \
	installed_dirs='bindir=$(bindir) sbindir=$(sbindir) libdir=$(libdir) \
		includedir=$(includedir) datadir=$(datadir) mandir=$(mandir) \
		docdir=$(docdir) pkgdatadir=$(pkgdatadir) pamdir=$(pamdir) \
		courierdir=$(courierdir) logrotatedir=$(logrotatedir) \
		systemdsystemunitdir=$(systemdsystemunitdir) \
		sysusersdir=$(sysusersdir) tmpfilesdir=$(tmpfilesdir)'; \
	export installed_dirs;

# The same checks of a real installation, or of one below DESTDIR.
installcheck-local:
	$(AM_V_at)installed_root='$(DESTDIR)' && export installed_root && \
		$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS=tests/lint/installed.py \
		TEST_SUITE_LOG=test-installcheck.log
