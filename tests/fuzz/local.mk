# SPDX-License-Identifier: BSD-2-Clause
# Fuzz targets, one a parser: what it takes is what it promises, what it
# refuses leaves its results alone.  "make check" gives each its seeds
# (seeds/<target>/); clang's libFuzzer looks for more:
#
#   make fuzz-smoke FUZZ_SECONDS=60      every target, two at a time
#   make fuzz-link FUZZ_SECONDS=3600     one
#
# A new one is a source with its name here, seeds, and one line below that
# says what it links; if it has to be, a section in options.ini.  More sources,
# objects and flags as for any program:
#
#   FUZZ_TESTS += %D%/door
#   %C%_door_SOURCES = %D%/door.c %D%/fuzz.h tests/attack/login.c
#   %C%_door_LDADD = pam/libmodule.la $(FUZZ_LIBS)
#   %C%_door_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=open
FUZZ_TESTS = \
	%D%/agent_request \
	%D%/answer \
	%D%/assertion \
	%D%/authenticate \
	%D%/backup \
	%D%/client_data \
	%D%/cmdline \
	%D%/codec \
	%D%/conf \
	%D%/cookie \
	%D%/devices \
	%D%/evidence \
	%D%/frame \
	%D%/host_api \
	%D%/http_head \
	%D%/json \
	%D%/limit \
	%D%/link \
	%D%/names \
	%D%/pam_stack \
	%D%/phone_backup \
	%D%/push_endpoint \
	%D%/qr \
	%D%/registration \
	%D%/screen \
	%D%/seal \
	%D%/service \
	%D%/state \
	%D%/text \
	%D%/trail \
	%D%/transaction
check_PROGRAMS += $(FUZZ_TESTS)
TESTS += $(FUZZ_TESTS)
EXTRA_DIST += \
	%D%/authenticate_seeds.py \
	%D%/conf.dict \
	%D%/json.dict \
	%D%/make_seeds.py \
	%D%/options.ini \
	%D%/run.py \
	%D%/seeds \
	%D%/store.dict

# Helpers, and main() where libFuzzer does not bring its own.
check_LTLIBRARIES += %D%/libfuzz.la
FUZZ_LIBS = %D%/libfuzz.la lib/libcsign.la $(FUZZ_ENGINE)
%C%_libfuzz_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSEEDS='"$(abs_top_srcdir)/%D%/seeds"'
%C%_libfuzz_la_SOURCES = \
	%D%/checksum.c \
	%D%/checksum.h \
	%D%/fuzz.c \
	%D%/fuzz.h \
	%D%/signer.c \
	%D%/signer.h
if !FUZZING
%C%_libfuzz_la_SOURCES += %D%/replay.c
endif

# parts of lib/
%C%_answer_LDADD = $(FUZZ_LIBS)
%C%_assertion_LDADD = $(FUZZ_LIBS)
%C%_backup_LDADD = $(FUZZ_LIBS)
%C%_client_data_LDADD = $(FUZZ_LIBS)
%C%_codec_LDADD = $(FUZZ_LIBS) $(CRYPTO_LIBS)
%C%_devices_LDADD = $(FUZZ_LIBS)
%C%_evidence_LDADD = $(FUZZ_LIBS)
%C%_frame_LDADD = $(FUZZ_LIBS)
%C%_json_LDADD = $(FUZZ_LIBS) $(JSON_LIBS)
%C%_limit_LDADD = $(FUZZ_LIBS)
%C%_link_LDADD = $(FUZZ_LIBS)
%C%_names_LDADD = $(FUZZ_LIBS)
%C%_registration_LDADD = $(FUZZ_LIBS)
%C%_seal_LDADD = $(FUZZ_LIBS)
%C%_state_LDADD = $(FUZZ_LIBS)
%C%_text_LDADD = $(FUZZ_LIBS) $(JSON_LIBS)
%C%_text_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=csign_crypto_new \
	-Wl,--wrap=csign_crypto_free
%C%_transaction_LDADD = $(FUZZ_LIBS)

# parts of other rooms
%C%_agent_request_SOURCES = %D%/agent_request.c cli/agent/agent.c \
	cli/agent/request.c
%C%_agent_request_LDADD = $(FUZZ_LIBS)
%C%_cmdline_SOURCES = %D%/cmdline.c pam/cmdline.c
# an object of its own, since libmodule.la has one for libtool
%C%_cmdline_CFLAGS = $(AM_CFLAGS)
%C%_cmdline_LDADD = $(FUZZ_LIBS)
%C%_conf_SOURCES = %D%/conf.c service/endpoint.c service/settings.c
%C%_conf_LDADD = $(FUZZ_LIBS)
%C%_cookie_SOURCES = %D%/cookie.c service/cookie.c
%C%_cookie_LDADD = $(FUZZ_LIBS) $(CRYPTO_LIBS)
%C%_host_api_SOURCES = %D%/host_api.c lib/courier/host_api.c
%C%_host_api_LDADD = lib/courier/libcsigncurl.la $(FUZZ_LIBS) $(JSON_LIBS)
%C%_http_head_SOURCES = %D%/http_head.c service/http_head.c
%C%_http_head_LDADD = $(FUZZ_LIBS)
%C%_pam_stack_LDADD = cli/stack/libstack.la $(FUZZ_LIBS)
%C%_phone_backup_SOURCES = %D%/phone_backup.c cli/phone/backup.c \
	cli/phone/store.c cli/phone/store_copy.c
%C%_phone_backup_LDADD = cli/libcli.la $(FUZZ_LIBS) $(JSON_LIBS)
%C%_phone_backup_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=csign_scrypt
%C%_push_endpoint_SOURCES = %D%/push_endpoint.c service/endpoint.c \
	service/webpush.c
%C%_push_endpoint_LDADD = $(FUZZ_LIBS) $(CURL_LIBS)
%C%_qr_LDADD = cli/phone/libscan.la $(FUZZ_LIBS)
%C%_screen_LDADD = cli/phone/libscan.la $(FUZZ_LIBS)
# a whole login
%C%_authenticate_SOURCES = %D%/authenticate.c $(FAULTS_FILES) $(MOVES_FILES)
%C%_authenticate_CPPFLAGS = $(LOGIN_CPPFLAGS) \
	-iquote $(top_srcdir)/tests/attack
%C%_authenticate_CFLAGS = $(AM_CFLAGS) $(FAULTS_CFLAGS)
%C%_authenticate_LDADD = pam/libmodule.la $(FUZZ_LIBS) $(FAULTS_LIBS)
%C%_authenticate_LDFLAGS = $(LOGIN_LINK) $(FAULTS_LINK)
# all of countersignd but main()
%C%_service_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(SQLITE_CFLAGS)
%C%_service_DEPENDENCIES = $(service_countersignd_OBJECTS) %D%/libfuzz.la \
	lib/courier/libcsigncurl.la lib/libcsign.la
%C%_service_LDADD = \
	$(service_countersignd_OBJECTS:service/countersignd-main.o=) \
	lib/courier/libcsigncurl.la $(FUZZ_LIBS) $(EVENT_LIBS) $(SSL_LIBS) \
	$(CRYPTO_LIBS) $(JSON_LIBS) $(SQLITE_LIBS) $(CURL_LIBS)
%C%_service_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=csign_random
%C%_trail_SOURCES = %D%/trail.c cli/trail.c cli/when.c
%C%_trail_LDADD = cli/libcli.la $(FUZZ_LIBS) $(JSON_LIBS)

FUZZ_SECONDS = 60
FUZZ_JOBS = 2
FUZZ_NAMES = $(FUZZ_TESTS:%D%/%=fuzz-%)

fuzz-smoke: fuzz-build
	$(FUZZ_RUN) $(FUZZ_TESTS:%D%/%=%)
$(FUZZ_NAMES): fuzz-build
	$(FUZZ_RUN) $(@:fuzz-%=%)
FUZZ_RUN = $(AM_V_at)$(PYTHON3) $(srcdir)/%D%/run.py \
	--seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) --build $(FUZZ_BUILD) \
	--source $(srcdir)/%D%
.PHONY: fuzz-build fuzz-smoke $(FUZZ_NAMES)

# Where the targets are built for libFuzzer: here, or in a folder below, which
# is configured for it, by clang.
if FUZZING
FUZZ_BUILD = .
fuzz-build: $(FUZZ_TESTS)
else
FUZZ_BUILD = fuzz-build
fuzz-build:
	$(AM_V_at)$(MKDIR_P) fuzz-build
	$(AM_V_at)cd fuzz-build && if test Makefile -nt \
		$(abs_top_srcdir)/Makefile.in; then :; else \
		$(abs_top_srcdir)/configure -q --disable-maintainer-mode \
		--enable-fuzzing CC='$(CLANG)' CFLAGS='-O1 -g'; fi
	$(AM_V_at)cd fuzz-build && $(MAKE) $(AM_MAKEFLAGS) -s $(FUZZ_TESTS)
endif
