# SPDX-License-Identifier: BSD-2-Clause
# libcsign.la: every part, for the programs, the tests and the library itself.
# libcountersign.la: the same behind the symbol map, the host's library.
noinst_LTLIBRARIES += %D%/libcsign.la
%C%_libcsign_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(JSON_CFLAGS) \
	$(QRENCODE_CFLAGS)
%C%_libcsign_la_LIBADD = $(CRYPTO_LIBS) $(JSON_LIBS) $(QRENCODE_LIBS)
%C%_libcsign_la_SOURCES =

# bytes, text, time
%C%_libcsign_la_SOURCES += \
	%D%/bounds.h \
	%D%/buf.c \
	%D%/buf.h \
	%D%/clock.c \
	%D%/clock.h \
	%D%/codec.c \
	%D%/codec.h \
	%D%/err.c \
	%D%/json.c \
	%D%/json.h \
	%D%/qr.c \
	%D%/secret.c \
	%D%/secret.h \
	%D%/text.c \
	%D%/text.h \
	%D%/why.c \
	%D%/why.h

# cryptography and protocol
%C%_libcsign_la_SOURCES += \
	%D%/answer.c \
	%D%/answer.h \
	%D%/crypto.c \
	%D%/crypto.h \
	%D%/crypto_impl.h \
	%D%/link.c \
	%D%/link.h \
	%D%/p256.c \
	%D%/p256_pem.c \
	%D%/phone.c \
	%D%/phone.h \
	%D%/proof.c \
	%D%/proof.h \
	%D%/proof_impl.h \
	%D%/proof_p256.c \
	%D%/proof_webauthn.c \
	%D%/seal.c \
	%D%/seal.h \
	%D%/transaction.c \
	%D%/transaction.h \
	%D%/transaction_read.c

# files, settings, accounts, devices, state
%C%_libcsign_la_SOURCES += \
	%D%/account.c \
	%D%/account.h \
	%D%/audit.c \
	%D%/audit.h \
	%D%/audit_syslog.c \
	%D%/audit_syslog.h \
	%D%/conf.c \
	%D%/conf.h \
	%D%/device.c \
	%D%/device.h \
	%D%/device_file.h \
	%D%/device_read.c \
	%D%/device_store.c \
	%D%/device_write.c \
	%D%/dir.c \
	%D%/dir.h \
	%D%/file.c \
	%D%/file.h \
	%D%/limit.c \
	%D%/limit.h \
	%D%/piece.c \
	%D%/piece.h \
	%D%/settings.c \
	%D%/settings.h \
	%D%/state.c \
	%D%/state.h \
	%D%/state_file.h \
	%D%/state_read.c \
	%D%/state_write.c \
	%D%/store.c \
	%D%/store.h

# the courier's leash
%C%_libcsign_la_SOURCES += \
	%D%/frame.c \
	%D%/frame.h \
	%D%/leash.c \
	%D%/leash.h \
	%D%/spawn.c \
	%D%/spawn.h \
	%D%/spawn_end.c

# approvals and enrolments
%C%_libcsign_la_SOURCES += \
	%D%/approval.c \
	%D%/approval.h \
	%D%/backup.c \
	%D%/backup.h \
	%D%/backup_read.c \
	%D%/change.c \
	%D%/change.h \
	%D%/compose.c \
	%D%/compose.h \
	%D%/ctx.c \
	%D%/ctx.h \
	%D%/deenrol.c \
	%D%/device_info.h \
	%D%/devices.c \
	%D%/enrolment.c \
	%D%/errand.c \
	%D%/errand.h \
	%D%/evidence.c \
	%D%/evidence.h \
	%D%/evidence_read.c \
	%D%/exchange.c \
	%D%/exchange.h \
	%D%/host.c \
	%D%/judge.c \
	%D%/judge.h \
	%D%/look.c \
	%D%/page.c \
	%D%/push.c \
	%D%/push.h \
	%D%/recovery.c \
	%D%/removal.c \
	%D%/removal.h \
	%D%/request.c \
	%D%/request.h \
	%D%/restore.c \
	%D%/verdict.c \
	%D%/verdict.h

lib_LTLIBRARIES += %D%/libcountersign.la
include_HEADERS = %D%/countersign.h
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = %D%/libcountersign.pc
%C%_libcountersign_la_SOURCES =
%C%_libcountersign_la_LIBADD = %D%/libcsign.la
%C%_libcountersign_la_LDFLAGS = $(AM_LDFLAGS) $(CSIGN_SO_LDFLAGS) \
	-version-info $(CSIGN_LT_VERSION) \
	-Wl,--version-script=$(srcdir)/%D%/libcountersign.map
%C%_libcountersign_la_DEPENDENCIES = %D%/libcsign.la \
	%D%/libcountersign.map
EXTRA_DIST += %D%/libcountersign.map %D%/api.symbols \
	%D%/libcountersign.pc.in
