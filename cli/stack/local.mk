# SPDX-License-Identifier: BSD-2-Clause
# libstack.la: PAM stacks, for countersign and its tests.
noinst_LTLIBRARIES += %D%/libstack.la
%C%_libstack_la_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
%C%_libstack_la_LIBADD = cli/libcli.la
%C%_libstack_la_SOURCES = \
	%D%/control.c \
	%D%/control.h \
	%D%/edit.c \
	%D%/edit.h \
	%D%/judge.c \
	%D%/show.c \
	%D%/show.h \
	%D%/stack.c \
	%D%/stack.h \
	%D%/write.c \
	%D%/write.h
