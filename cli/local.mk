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
	%D%/root.c \
	%D%/root.h \
	%D%/save.c \
	%D%/save.h \
	%D%/tty.c \
	%D%/tty.h

bin_PROGRAMS += %D%/countersign
%C%_countersign_CFLAGS = $(AM_CFLAGS) $(CSIGN_PIE_CFLAGS) $(JSON_CFLAGS)
%C%_countersign_LDFLAGS = $(AM_LDFLAGS) $(CSIGN_PIE_LDFLAGS)
%C%_countersign_LDADD = %D%/stack/libstack.la %D%/libcli.la \
	lib/libcountersign.la $(JSON_LIBS)
%C%_countersign_SOURCES = \
	%D%/advice.c \
	%D%/advice.h \
	%D%/ask.c \
	%D%/ask.h \
	%D%/cmd.h \
	%D%/cmd_agent.c \
	%D%/cmd_ask.c \
	%D%/cmd_backup.c \
	%D%/cmd_check.c \
	%D%/cmd_check_config.c \
	%D%/cmd_deenroll.c \
	%D%/cmd_devices.c \
	%D%/cmd_enroll.c \
	%D%/cmd_init.c \
	%D%/cmd_log.c \
	%D%/cmd_pam.c \
	%D%/cmd_recovery.c \
	%D%/cmd_rename.c \
	%D%/cmd_restore.c \
	%D%/cmd_revoke.c \
	%D%/cmd_test.c \
	%D%/cmd_verify_page.c \
	%D%/common.c \
	%D%/main.c \
	%D%/page_list.c \
	%D%/page_list.h \
	%D%/question.c \
	%D%/question.h \
	%D%/trail.c \
	%D%/trail.h \
	%D%/verify.c \
	%D%/verify.h \
	%D%/when.c \
	%D%/when.h

# cli/agent: users who are not root, and the agent that serves them
%C%_countersign_SOURCES += \
	%D%/agent/agent.c \
	%D%/agent/agent.h \
	%D%/agent/caller.c \
	%D%/agent/caller.h \
	%D%/agent/client.c \
	%D%/agent/place.c \
	%D%/agent/place.h \
	%D%/agent/request.c \
	%D%/agent/request.h

# cli/check: countersign check, one subject a file
%C%_countersign_SOURCES += \
	%D%/check/accounts.c \
	%D%/check/check.h \
	%D%/check/clock.c \
	%D%/check/config.c \
	%D%/check/files.c \
	%D%/check/findings.h \
	%D%/check/lines.c \
	%D%/check/lines.h \
	%D%/check/module.c \
	%D%/check/module.h \
	%D%/check/page.c \
	%D%/check/pam.c \
	%D%/check/people.c \
	%D%/check/people.h \
	%D%/check/recovery.c \
	%D%/check/report.c \
	%D%/check/report.h \
	%D%/check/run.c \
	%D%/check/run.h \
	%D%/check/sandbox.c \
	%D%/check/service.c \
	%D%/check/sshd.c \
	%D%/check/sshd_conf.c \
	%D%/check/sshd_conf.h \
	%D%/check/sudo.c

# cli/stack, beside libstack.la: what asks libcountersign
%C%_countersign_SOURCES += \
	%D%/stack/second_way.c \
	%D%/stack/second_way.h

# What a system needs to serve users by the agent; service/local.mk makes and
# cleans whatever is in these lists.
systemdsystemunit_DATA += %D%/countersign.socket %D%/countersign@.service
tmpfiles_DATA += %D%/tmpfiles.d/countersign-agent.conf
EXTRA_DIST += \
	%D%/countersign-agent.tmpfiles.in \
	%D%/countersign.socket.in \
	%D%/countersign@.service.in
%D%/countersign.socket: %D%/countersign.socket.in
	$(service_fill)
%D%/countersign@.service: %D%/countersign@.service.in
	$(service_fill)
%D%/tmpfiles.d/countersign-agent.conf: %D%/countersign-agent.tmpfiles.in
	$(service_fill)
