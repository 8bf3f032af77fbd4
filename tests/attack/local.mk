# SPDX-License-Identifier: BSD-2-Clause
# Attacks and failures, counted: make check-attack [ATTACK_SCALE=10], as root.
# Each test leaves its figures; the table of them is printed at the end.
ATTACK_TESTS =
ATTACK_TOOLS =
ATTACK_SCALE = 1
EXTRA_PROGRAMS += $(ATTACK_TOOLS)
CLEANFILES += $(ATTACK_TOOLS) %D%/figures/*

# one login in one process
# login.h: module and library as they are, libpam, courier and time played.
LOGIN_FILES = tests/attack/courier_double.c tests/attack/login.c \
	tests/attack/login.h tests/attack/login_files.c \
	tests/attack/login_host.c tests/attack/login_impl.h \
	tests/attack/login_phone.c tests/attack/own_run.h \
	tests/attack/pam_double.c \
	pam/pam_countersign.c $(ORACLE_FILES)
# oracle.h: was a grant right?
ORACLE_FILES = tests/attack/oracle.c tests/attack/oracle.h \
	tests/attack/oracle_answer.c tests/attack/oracle_codec.c \
	tests/attack/oracle_crypto.c tests/attack/oracle_impl.h \
	tests/attack/oracle_question.c tests/attack/oracle_store.c
# moves.h: what a hostile courier can do.
MOVES_FILES = tests/attack/lot.h tests/attack/moves.c \
	tests/attack/moves.h tests/attack/moves_answers.c \
	tests/attack/moves_forged.c tests/attack/moves_impl.h \
	tests/attack/moves_packets.c $(LOGIN_FILES)
LOGIN_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/pam
LOGIN_LIBS = pam/libmodule.la lib/libcsign.la $(CRYPTO_LIBS)
LOGIN_LINK = $(AM_LDFLAGS) \
	-Wl,--wrap=clock_gettime,--wrap=csign_cmdline_read \
	-Wl,--wrap=csign_crypto_free,--wrap=csign_crypto_new \
	-Wl,--wrap=csign_spawn,--wrap=getpwnam_r,--wrap=getpwuid_r \
	-Wl,--wrap=nanosleep,--wrap=pidfd_send_signal,--wrap=poll

ATTACK_TOOLS += %D%/hostile_courier
ATTACK_TESTS += %D%/hostile_courier
# plays.h: what it does, case by case.
%C%_hostile_courier_SOURCES = %D%/figures.c %D%/figures.h \
	%D%/hostile_courier.c %D%/hostile_enrolment.c \
	%D%/hostile_enrolment.h %D%/plays.c %D%/plays.h $(MOVES_FILES)
%C%_hostile_courier_CPPFLAGS = $(LOGIN_CPPFLAGS)
%C%_hostile_courier_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
%C%_hostile_courier_LDADD = $(LOGIN_LIBS)
%C%_hostile_courier_LDFLAGS = $(LOGIN_LINK)

# forge.h: proofs that must not count.
ATTACK_TOOLS += %D%/proofs
ATTACK_TESTS += %D%/proofs
%C%_proofs_SOURCES = %D%/figures.c %D%/figures.h %D%/forge.c %D%/forge.h \
	%D%/forge_impl.h %D%/forge_kinds.c %D%/lot.h %D%/own_run.h \
	%D%/proofs.c tests/unit/unit.h \
	$(ORACLE_FILES) $(PLAYED_FILES)
%C%_proofs_CPPFLAGS = $(UNIT_CPPFLAGS) -iquote $(top_srcdir)/tests/unit
%C%_proofs_CFLAGS = $(UNIT_CFLAGS)
%C%_proofs_LDADD = $(UNIT_LIBS) $(CRYPTO_LIBS)
%C%_proofs_LDFLAGS = $(PLAYED_LINK) -Wl,--wrap=csign_audit_write

ATTACK_TOOLS += %D%/bad_answers
ATTACK_TESTS += %D%/bad_answers
%C%_bad_answers_SOURCES = %D%/bad_answers.c %D%/figures.c %D%/figures.h \
	%D%/own_run.h tests/unit/unit.h $(PLAYED_FILES)
%C%_bad_answers_CPPFLAGS = $(UNIT_CPPFLAGS) -iquote $(top_srcdir)/tests/unit
%C%_bad_answers_CFLAGS = $(UNIT_CFLAGS)
%C%_bad_answers_LDADD = $(UNIT_LIBS)
%C%_bad_answers_LDFLAGS = $(PLAYED_LINK)

# calls that fail, machines that stop
# disk.h: the order of writes, and what a power cut leaves of them.
DISK_LINK = $(PLAYED_LINK) \
	-Wl,--wrap=fchmod,--wrap=fchmodat,--wrap=fdatasync,--wrap=fsync \
	-Wl,--wrap=mkdirat,--wrap=openat,--wrap=renameat2 \
	-Wl,--wrap=unlinkat,--wrap=write
ATTACK_TOOLS += %D%/power_cut
ATTACK_TESTS += %D%/power_cut
%C%_power_cut_SOURCES = %D%/disk.c %D%/disk.h %D%/disk_cuts.c \
	%D%/disk_impl.h %D%/disk_record.c %D%/disk_replay.c %D%/figures.c \
	%D%/figures.h %D%/lot.h %D%/power_cut.c %D%/power_cut.h \
	%D%/power_cut_devices.c %D%/power_cut_host.c %D%/power_cut_logins.c \
	%D%/power_cut_recovery.c %D%/power_cut_steps.c $(PLAYED_FILES)
%C%_power_cut_CPPFLAGS = $(UNIT_CPPFLAGS) -iquote $(top_srcdir) \
	-iquote $(top_srcdir)/tests/unit
%C%_power_cut_CFLAGS = $(UNIT_CFLAGS)
%C%_power_cut_LDADD = $(UNIT_LIBS)
%C%_power_cut_LDFLAGS = $(DISK_LINK)

# faults.h: every call of ours that can fail; the test names them in .wrap.
FAULTS_FILES = tests/attack/faults.c tests/attack/faults.h \
	tests/attack/faults_impl.h tests/attack/faults_library.c \
	tests/attack/faults_system.c tests/attack/lot.h
FAULTS_LINK = -Wl,@$(abs_top_srcdir)/tests/attack/faults.wrap
FAULTS_LIBS = $(CRYPTO_LIBS) $(JSON_LIBS) $(QRENCODE_LIBS)
FAULTS_CFLAGS = $(CRYPTO_CFLAGS) $(JSON_CFLAGS) $(QRENCODE_CFLAGS)
EXTRA_DIST += %D%/faults.wrap %D%/limits.py %D%/wrapped.py
TESTS += %D%/wrapped.py
ATTACK_TOOLS += %D%/nth_call
ATTACK_TESTS += %D%/limits.py %D%/nth_call
%C%_nth_call_SOURCES = %D%/figures.c %D%/figures.h %D%/nth_call.c \
	%D%/nth_call_check.c %D%/nth_call_impl.h %D%/nth_call_kill.c \
	%D%/nth_call_scene.c %D%/nth_call_ways.c %D%/places.c %D%/places.h \
	$(FAULTS_FILES) $(LOGIN_FILES)
%C%_nth_call_CPPFLAGS = $(LOGIN_CPPFLAGS)
%C%_nth_call_CFLAGS = $(AM_CFLAGS) $(FAULTS_CFLAGS)
%C%_nth_call_LDADD = $(LOGIN_LIBS) $(FAULTS_LIBS)
%C%_nth_call_LDFLAGS = $(LOGIN_LINK) $(FAULTS_LINK) \
	-Wl,--wrap=csign_approval_free,--wrap=csign_device_seal \
	-Wl,--wrap=csign_devices_read,--wrap=csign_open \
	-Wl,--wrap=csign_proof_check,--wrap=csign_push_over \
	-Wl,--wrap=csign_push_take,--wrap=csign_registration_check \
	-Wl,--wrap=csign_rings_peek
ATTACK_TOOLS += %D%/starts
ATTACK_TESTS += %D%/starts
%C%_starts_SOURCES = %D%/faults_host.c %D%/figures.c %D%/figures.h \
	%D%/starts.c $(FAULTS_FILES)
%C%_starts_CFLAGS = $(AM_CFLAGS) $(FAULTS_CFLAGS)
%C%_starts_LDADD = lib/libcsign.la $(FAULTS_LIBS)
%C%_starts_LDFLAGS = $(AM_LDFLAGS) $(FAULTS_LINK)

# the service under load
ATTACK_TOOLS += %D%/flood %D%/soak %D%/threads
ATTACK_TOOLS += %D%/creations
%C%_creations_SOURCES = %D%/creations.c $(BENCH_CLIENT)
%C%_creations_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/tests/bench
%C%_creations_LDADD = $(SSL_LIBS) $(CRYPTO_LIBS)
%C%_flood_SOURCES = tests/attack/flood.c
%C%_flood_LDADD = $(SSL_LIBS) $(CRYPTO_LIBS)
%C%_soak_SOURCES = tests/attack/soak.c tests/support/hygiene.c \
	tests/support/hygiene.h
%C%_soak_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(srcdir)/tests/support
%C%_soak_LDADD = $(PAM_LIBS)
%C%_threads_LDADD = $(PAM_LIBS) -lpthread
ATTACK_TESTS += %D%/load.py %D%/one_client.py %D%/races.py %D%/soak.py \
	%D%/trouble.py
EXTRA_DIST += %D%/load.py %D%/one_client.py %D%/races.py %D%/siege.py \
	%D%/soak.py %D%/trouble.py tests/support/figures.py

# couriers and services that lie
ATTACK_TOOLS += %D%/puppet
ATTACK_TESTS += %D%/courier_table.py %D%/local_user.py \
	%D%/service_table.py
EXTRA_DIST += %D%/attempt.py %D%/courier_answers.py %D%/courier_case.py \
	%D%/courier_files.py %D%/courier_frames.py %D%/courier_table.py \
	%D%/host_api.py %D%/local_user.py %D%/puppet.py \
	%D%/reply_mutations.py %D%/service_replies.py %D%/service_scene.py \
	%D%/service_stories.py %D%/service_table.py

# automake has a rule for each program in TESTS; these are not among them.
ATTACK_RUN = b=$(@:.log=); p=$$b; $(am__check_pre) $(LOG_DRIVER) \
	--test-name "$$f" --log-file $$b.log --trs-file $$b.trs \
	$(am__common_driver_flags) $(AM_LOG_DRIVER_FLAGS) \
	$(LOG_DRIVER_FLAGS) -- $(LOG_COMPILE) "$$tst" $(AM_TESTS_FD_REDIRECT)
%D%/bad_answers.log: %D%/bad_answers
	@$(ATTACK_RUN)
%D%/hostile_courier.log: %D%/hostile_courier
	@$(ATTACK_RUN)
%D%/nth_call.log: %D%/nth_call
	@$(ATTACK_RUN)
%D%/power_cut.log: %D%/power_cut
	@$(ATTACK_RUN)
%D%/proofs.log: %D%/proofs
	@$(ATTACK_RUN)
%D%/starts.log: %D%/starts
	@$(ATTACK_RUN)

EXTRA_DIST += %D%/summary.py
check-attack: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS) $(ATTACK_TOOLS) \
		$(BENCH_TOOLS)
	$(AM_V_at)rm -rf %D%/figures && $(MKDIR_P) %D%/figures
	$(AM_V_at)failed=0; ATTACK_SCALE='$(ATTACK_SCALE)'; \
	export ATTACK_SCALE; \
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(ATTACK_TESTS)' \
		TEST_SUITE_LOG=test-attack.log || failed=1; \
	$(PYTHON3) $(srcdir)/%D%/summary.py %D%/figures $(ATTACK_TESTS) || \
		failed=1; \
	exit $$failed
.PHONY: check-attack
