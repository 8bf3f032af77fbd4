# SPDX-License-Identifier: BSD-2-Clause
# Fuzz targets.  "make check" gives each its seeds; clang looks for more:
#   make fuzz-http_head FUZZ_SECONDS=300
FUZZ_TESTS = %D%/frame %D%/http_head %D%/pam_stack
check_PROGRAMS += $(FUZZ_TESTS)
TESTS += $(FUZZ_TESTS)
FUZZ_SEEDS = \
	%D%/frame.seeds/answer \
	%D%/frame.seeds/created \
	%D%/frame.seeds/ended \
	%D%/frame.seeds/granted \
	%D%/frame.seeds/job \
	%D%/frame.seeds/job-copies \
	%D%/frame.seeds/job-ping \
	%D%/frame.seeds/outcome \
	%D%/frame.seeds/removal \
	%D%/frame.seeds/removed \
	%D%/frame.seeds/trouble \
	%D%/http_head/continue \
	%D%/http_head/delete \
	%D%/http_head/every-header \
	%D%/http_head/http10 \
	%D%/http_head/overflow \
	%D%/http_head/post \
	%D%/http_head/query \
	%D%/http_head/smuggle-folded \
	%D%/http_head/smuggle-lf \
	%D%/http_head/smuggle-te \
	%D%/pam_stack.seeds/brackets \
	%D%/pam_stack.seeds/flat \
	%D%/pam_stack.seeds/includes \
	%D%/pam_stack.seeds/ways
EXTRA_DIST += $(FUZZ_SEEDS)

%C%_frame_SOURCES = %D%/frame.c %D%/fuzz.h %D%/replay.c
%C%_frame_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir) \
	-DSEEDS='"$(abs_top_srcdir)/%D%/frame.seeds"'
%C%_frame_CFLAGS = $(AM_CFLAGS)
%C%_frame_LDADD = lib/libcsign.la

%C%_http_head_SOURCES = %D%/fuzz.h %D%/http_head.c %D%/replay.c \
	service/http_head.c service/http_head.h
%C%_http_head_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir) \
	-DSEEDS='"$(abs_top_srcdir)/%D%/http_head"'
%C%_http_head_CFLAGS = $(AM_CFLAGS)
%C%_http_head_LDADD = lib/libcsign.la

%C%_pam_stack_SOURCES = %D%/fuzz.h %D%/pam_stack.c %D%/replay.c
%C%_pam_stack_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir) \
	-DSEEDS='"$(abs_top_srcdir)/%D%/pam_stack.seeds"'
%C%_pam_stack_CFLAGS = $(AM_CFLAGS)
%C%_pam_stack_LDADD = cli/stack/libstack.la

CLANG = clang
FUZZ_SECONDS = 60
fuzz-frame:
	$(AM_V_at)$(MKDIR_P) tests/fuzz/corpus-frame
	$(CLANG) -g -O1 -std=gnu11 -D_GNU_SOURCE \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -I. -iquote $(top_srcdir)/lib \
		-o tests/fuzz/fuzz-frame $(srcdir)/%D%/frame.c \
		$(srcdir)/lib/buf.c $(srcdir)/lib/frame.c \
		$(srcdir)/lib/secret.c $(CRYPTO_LIBS)
	tests/fuzz/fuzz-frame -max_len=20480 -max_total_time=$(FUZZ_SECONDS) \
		-timeout=5 tests/fuzz/corpus-frame $(srcdir)/%D%/frame.seeds
fuzz-http_head:
	$(AM_V_at)$(MKDIR_P) tests/fuzz/corpus
	$(CLANG) -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -I. -iquote $(top_srcdir) \
		-iquote $(top_srcdir)/lib -iquote $(top_srcdir)/service \
		-o tests/fuzz/fuzz-http_head $(srcdir)/%D%/http_head.c \
		$(srcdir)/service/http_head.c $(srcdir)/lib/codec.c
	tests/fuzz/fuzz-http_head -max_len=8192 -max_total_time=$(FUZZ_SECONDS) \
		-timeout=5 tests/fuzz/corpus $(srcdir)/%D%/http_head
fuzz-pam_stack:
	$(AM_V_at)$(MKDIR_P) tests/fuzz/corpus-pam_stack
	$(CLANG) -g -O1 -std=gnu11 -D_GNU_SOURCE \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -I. -iquote $(top_srcdir)/lib \
		$(JSON_CFLAGS) -o tests/fuzz/fuzz-pam_stack \
		$(srcdir)/%D%/pam_stack.c $(srcdir)/cli/stack/control.c \
		$(srcdir)/cli/stack/judge.c $(srcdir)/cli/stack/stack.c \
		$(srcdir)/cli/root.c \
		$(srcdir)/cli/out.c $(JSON_LIBS)
	tests/fuzz/fuzz-pam_stack -max_len=2048 \
		-max_total_time=$(FUZZ_SECONDS) -timeout=5 \
		tests/fuzz/corpus-pam_stack $(srcdir)/%D%/pam_stack.seeds
.PHONY: fuzz-frame fuzz-http_head fuzz-pam_stack
