# SPDX-License-Identifier: BSD-2-Clause
# Measurements, never tests: make bench [PEERS=1], as root.
BENCH_TOOLS = \
	tests/bench/cycles \
	tests/bench/load \
	tests/bench/login \
	tests/bench/phone \
	tests/bench/waiting
EXTRA_PROGRAMS += $(BENCH_TOOLS)
CLEANFILES += $(BENCH_TOOLS)

BENCH_CLIENT = tests/bench/client.c tests/bench/client.h
tests_bench_cycles_SOURCES = tests/bench/cycles.c $(BENCH_CLIENT)
tests_bench_cycles_LDADD = $(SSL_LIBS) $(CRYPTO_LIBS)
tests_bench_load_LDADD = $(PAM_LIBS)
tests_bench_login_LDADD = $(PAM_LIBS)
tests_bench_phone_SOURCES = tests/bench/phone.c $(BENCH_CLIENT)
tests_bench_phone_LDADD = lib/libcsign.la $(SSL_LIBS) $(CRYPTO_LIBS)
tests_bench_waiting_SOURCES = tests/bench/waiting.c $(BENCH_CLIENT)
tests_bench_waiting_LDADD = $(SSL_LIBS) $(CRYPTO_LIBS)
EXTRA_DIST += tests/bench/bench.py tests/bench/peers.py tests/bench/ringing.py

bench: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(BENCH_TOOLS)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) PEERS='$(PEERS)' \
		$(PYTHON3) $(top_srcdir)/tests/bench/bench.py
.PHONY: bench
