# SPDX-License-Identifier: BSD-2-Clause
# libcli.la: arguments, messages and questions of both programs.
noinst_LTLIBRARIES += %D%/libcli.la
%C%_libcli_la_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
%C%_libcli_la_LIBADD = $(JSON_LIBS)
%C%_libcli_la_SOURCES = \
	%D%/command.c \
	%D%/command.h \
	%D%/out.c \
	%D%/out.h \
	%D%/process.c \
	%D%/process.h \
	%D%/tty.c \
	%D%/tty.h

bin_PROGRAMS += %D%/countersign
%C%_countersign_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
%C%_countersign_LDADD = %D%/libcli.la lib/libcountersign.la $(JSON_LIBS)
%C%_countersign_SOURCES = \
	%D%/ask.c \
	%D%/ask.h \
	%D%/cmd.h \
	%D%/cmd_check_config.c \
	%D%/cmd_deenroll.c \
	%D%/cmd_devices.c \
	%D%/cmd_enroll.c \
	%D%/cmd_init.c \
	%D%/cmd_revoke.c \
	%D%/cmd_verify_page.c \
	%D%/common.c \
	%D%/main.c
