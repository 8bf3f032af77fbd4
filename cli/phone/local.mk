# SPDX-License-Identifier: BSD-2-Clause
# libscan.la: links in the text of a terminal; its unit test uses it too.
noinst_LTLIBRARIES += %D%/libscan.la
%C%_libscan_la_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS) $(ZBAR_CFLAGS)
%C%_libscan_la_LIBADD = $(ZBAR_LIBS)
%C%_libscan_la_SOURCES = \
	%D%/qr_image.c \
	%D%/qr_image.h \
	%D%/scan.c \
	%D%/scan.h \
	%D%/screen.c \
	%D%/screen.h

bin_PROGRAMS += %D%/countersign-phone
%C%_countersign_phone_CFLAGS = $(AM_CFLAGS) $(CSIGN_PIE_CFLAGS) $(JSON_CFLAGS)
%C%_countersign_phone_LDFLAGS = $(AM_LDFLAGS) $(CSIGN_PIE_LDFLAGS)
%C%_countersign_phone_LDADD = cli/libcli.la %D%/libscan.la \
	lib/courier/libcsigncurl.la lib/libcsign.la $(JSON_LIBS)
%C%_countersign_phone_SOURCES = \
	%D%/backup.c \
	%D%/backup.h \
	%D%/cmd.h \
	%D%/cmd_approve.c \
	%D%/cmd_backup.c \
	%D%/cmd_devices.c \
	%D%/cmd_enroll.c \
	%D%/cmd_inbox.c \
	%D%/cmd_push.c \
	%D%/cmd_remove.c \
	%D%/cmd_watch.c \
	%D%/inbox.c \
	%D%/inbox.h \
	%D%/keyring.c \
	%D%/keyring.h \
	%D%/main.c \
	%D%/phone_common.c \
	%D%/question.c \
	%D%/question.h \
	%D%/reply.c \
	%D%/reply.h \
	%D%/service.c \
	%D%/service.h \
	%D%/store.c \
	%D%/store.h \
	%D%/store_copy.c \
	%D%/store_impl.h \
	%D%/stream.c \
	%D%/visit.c \
	%D%/visit.h \
	%D%/watch.h \
	%D%/watch_ask.c
