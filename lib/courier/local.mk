# SPDX-License-Identifier: BSD-2-Clause
# libcsigncurl.la: the one handle that speaks HTTP, for the courier and
# countersign-phone; countersignd takes its strictness.
noinst_LTLIBRARIES += %D%/libcsigncurl.la
%C%_libcsigncurl_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(SSL_CFLAGS)
%C%_libcsigncurl_la_LIBADD = $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)
%C%_libcsigncurl_la_SOURCES = \
	%D%/http.c \
	%D%/http.h \
	%D%/http_cookie.c \
	%D%/http_handle.c \
	%D%/http_impl.h \
	%D%/http_look.c \
	%D%/http_service.c \
	%D%/http_strict.c \
	%D%/http_strict.h

# courier: the only program of the host that touches the network.
courier_PROGRAMS = %D%/courier
%C%_courier_CFLAGS = $(AM_CFLAGS) $(CSIGN_PIE_CFLAGS) $(CURL_CFLAGS) \
	$(JSON_CFLAGS) $(SECCOMP_CFLAGS)
%C%_courier_LDFLAGS = $(AM_LDFLAGS) $(CSIGN_PIE_LDFLAGS)
%C%_courier_LDADD = %D%/libcsigncurl.la lib/libcsign.la $(JSON_LIBS) \
	$(SECCOMP_LIBS)
%C%_courier_SOURCES = \
	%D%/channel.c \
	%D%/channel.h \
	%D%/host_api.c \
	%D%/host_api.h \
	%D%/main.c \
	%D%/question.c \
	%D%/question.h \
	%D%/sandbox.c \
	%D%/sandbox.h \
	%D%/sandbox_calls.c \
	%D%/sandbox_impl.h \
	%D%/sandbox_needs.c \
	%D%/sandbox_reach.c
