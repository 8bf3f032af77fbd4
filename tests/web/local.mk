# SPDX-License-Identifier: BSD-2-Clause
# The phone's page in a real browser: make check-web, as root; make screenshots
# and make bench-web with the same browser.
WEB_TESTS = \
	tests/web/approve.py \
	tests/web/elsewhere.py \
	tests/web/enrol.py \
	tests/web/hostile.py \
	tests/web/inbox.py \
	tests/web/login.py \
	tests/web/removal.py \
	tests/web/ring.py \
	tests/web/serving.py \
	tests/web/states.py \
	tests/web/webpush.py
EXTRA_DIST += $(WEB_TESTS) \
	tests/web/bench.py \
	tests/web/browser.py \
	tests/web/conftest.py \
	tests/web/desktop.py \
	tests/web/devtools.py \
	tests/web/gallery.py \
	tests/web/package-lock.json \
	tests/web/package.json \
	tests/web/screenshots.py

# axe-core for states.py; http_ece and jose for webpush.py.
AXE = tests/web/node_modules/axe-core/axe.min.js
$(AXE): $(srcdir)/tests/web/package.json $(srcdir)/tests/web/package-lock.json
	$(AM_V_at)$(MKDIR_P) tests/web
	$(AM_V_at)test "$(srcdir)" = . || cp $(srcdir)/tests/web/package.json \
		$(srcdir)/tests/web/package-lock.json tests/web
	$(AM_V_GEN)cd tests/web && \
		npm ci --ignore-scripts --no-audit --no-fund --silent
	$(AM_V_at)touch $@
clean-local:
	rm -rf tests/web/node_modules tests/web/read.mjs screenshots

web_prepare = $(MAKE) $(AM_MAKEFLAGS) tests/support/pam-run$(EXEEXT)
check-web: all $(AXE)
	$(AM_V_at)$(web_prepare)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS='$(WEB_TESTS)' TEST_SUITE_LOG=test-web.log

# Every state of the page in two sizes, in screenshots/.
screenshots: all
	$(AM_V_at)$(web_prepare)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) $(PY_LOG_COMPILER) \
		$(srcdir)/tests/web/screenshots.py

bench-web: all
	$(AM_V_at)$(web_prepare)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) $(PY_LOG_COMPILER) -s \
		$(srcdir)/tests/web/bench.py
.PHONY: check-web screenshots bench-web
