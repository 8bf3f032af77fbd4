# SPDX-License-Identifier: BSD-2-Clause
# The courier on its leash, against a service that misbehaves.
check_PROGRAMS += tests/support/courier-drive
tests_support_courier_drive_LDADD = lib/libcsign.la

# The same with the courier inside, for make coverage.
EXTRA_PROGRAMS += tests/support/courier-within
CLEANFILES += tests/support/courier-within
tests_support_courier_within_SOURCES = \
	tests/support/courier-drive.c \
	tests/support/courier-within.c \
	lib/courier/channel.c lib/courier/channel.h \
	lib/courier/host_api.c lib/courier/host_api.h \
	lib/courier/question.c lib/courier/question.h \
	lib/courier/sandbox.c lib/courier/sandbox.h \
	lib/courier/sandbox_calls.c \
	lib/courier/sandbox_impl.h \
	lib/courier/sandbox_needs.c \
	lib/courier/sandbox_reach.c
tests_support_courier_within_CPPFLAGS = $(AM_CPPFLAGS) \
	-iquote $(top_srcdir) -iquote $(top_srcdir)/lib/courier
tests_support_courier_within_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) \
	$(JSON_CFLAGS) $(SECCOMP_CFLAGS)
tests_support_courier_within_LDADD = lib/courier/libcsigncurl.la \
	lib/libcsign.la $(JSON_LIBS) $(SECCOMP_LIBS)
tests_support_courier_within_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=csign_spawn,--wrap=geteuid,--wrap=getuid,--wrap=prctl \
	-Wl,--wrap=seccomp_load,--wrap=setrlimit,--wrap=syscall

# The courier, taken over and trying to get out.
check_PROGRAMS += tests/support/captive-courier
tests_support_captive_courier_SOURCES = \
	tests/support/captive-courier.c \
	lib/courier/channel.c lib/courier/channel.h \
	lib/courier/host_api.c lib/courier/host_api.h \
	lib/courier/main.c \
	lib/courier/question.h \
	lib/courier/sandbox.c lib/courier/sandbox.h \
	lib/courier/sandbox_calls.c \
	lib/courier/sandbox_impl.h \
	lib/courier/sandbox_needs.c \
	lib/courier/sandbox_reach.c
tests_support_captive_courier_CPPFLAGS = $(AM_CPPFLAGS) \
	-iquote $(top_srcdir)
tests_support_captive_courier_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) \
	$(JSON_CFLAGS) $(SECCOMP_CFLAGS)
tests_support_captive_courier_LDADD = lib/courier/libcsigncurl.la \
	lib/libcsign.la $(JSON_LIBS) $(SECCOMP_LIBS)

COURIER_TESTS = \
	tests/courier/life.py \
	tests/courier/removal.py \
	tests/courier/names.py \
	tests/courier/replies.py \
	tests/courier/sandbox.py \
	tests/courier/tls.py
TESTS += $(COURIER_TESTS)
EXTRA_DIST += $(COURIER_TESTS) tests/courier/conftest.py \
	tests/support/couriers.py
