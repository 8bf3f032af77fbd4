# SPDX-License-Identifier: BSD-2-Clause
# One program a part of lib/, linked with the parts themselves.
UNIT_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_DATA='"$(abs_top_srcdir)/tests/data"'
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS) $(JSON_CFLAGS)
UNIT_LIBS = lib/libcsign.la $(CMOCKA_LIBS)
UNIT_TESTS =

# bytes, text, time
# Allocations that fail, frees that look for secrets: fault.h.
FAULT_FILES = tests/unit/fault.c tests/unit/fault.h
FAULT_LINK = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc \
	-Wl,--wrap=strdup,--wrap=free

UNIT_TESTS += tests/unit/buf tests/unit/clock tests/unit/codec tests/unit/err \
	tests/unit/json tests/unit/qr tests/unit/secret tests/unit/text tests/unit/why

tests_unit_buf_SOURCES = tests/unit/buf.c tests/unit/unit.h $(FAULT_FILES)
tests_unit_buf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_buf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_buf_LDADD = $(UNIT_LIBS)
tests_unit_buf_LDFLAGS = $(FAULT_LINK)

tests_unit_clock_SOURCES = tests/unit/clock.c tests/unit/unit.h
tests_unit_clock_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_clock_CFLAGS = $(UNIT_CFLAGS)
tests_unit_clock_LDADD = $(UNIT_LIBS)
tests_unit_clock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime \
	-Wl,--wrap=open,--wrap=read

tests_unit_codec_SOURCES = tests/unit/codec.c tests/unit/unit.h
tests_unit_codec_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_codec_CFLAGS = $(UNIT_CFLAGS)
tests_unit_codec_LDADD = $(UNIT_LIBS)

tests_unit_err_SOURCES = tests/unit/err.c tests/unit/unit.h
tests_unit_err_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_err_CFLAGS = $(UNIT_CFLAGS)
tests_unit_err_LDADD = $(UNIT_LIBS)

tests_unit_json_SOURCES = tests/unit/json.c tests/unit/unit.h
tests_unit_json_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_json_CFLAGS = $(UNIT_CFLAGS)
tests_unit_json_LDADD = $(UNIT_LIBS) $(JSON_LIBS)
tests_unit_json_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=json_tokener_new_ex \
	-Wl,--wrap=json_tokener_parse_ex

tests_unit_qr_SOURCES = tests/unit/qr.c tests/unit/unit.h $(FAULT_FILES)
tests_unit_qr_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_qr_CFLAGS = $(UNIT_CFLAGS) $(QRENCODE_CFLAGS) $(ZBAR_CFLAGS)
tests_unit_qr_LDADD = $(UNIT_LIBS) $(QRENCODE_LIBS) $(ZBAR_LIBS)
tests_unit_qr_LDFLAGS = $(FAULT_LINK) \
	-Wl,--wrap=QRcode_encodeString,--wrap=QRcode_free

tests_unit_secret_SOURCES = tests/unit/secret.c tests/unit/unit.h \
	$(FAULT_FILES)
tests_unit_secret_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_secret_CFLAGS = $(UNIT_CFLAGS)
tests_unit_secret_LDADD = $(UNIT_LIBS)
tests_unit_secret_LDFLAGS = $(FAULT_LINK) \
	-Wl,--wrap=mmap,--wrap=munmap,--wrap=mlock,--wrap=madvise \
	-Wl,--wrap=getrandom

tests_unit_text_SOURCES = tests/unit/text.c tests/unit/unit.h $(FAULT_FILES)
tests_unit_text_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_text_LDADD = $(UNIT_LIBS)
tests_unit_text_LDFLAGS = $(FAULT_LINK)

tests_unit_why_SOURCES = tests/unit/why.c tests/unit/unit.h $(FAULT_FILES)
tests_unit_why_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_why_CFLAGS = $(UNIT_CFLAGS)
tests_unit_why_LDADD = $(UNIT_LIBS)
tests_unit_why_LDFLAGS = $(FAULT_LINK)

# cryptography and protocol
# vectors.h: golden values, tests/data/vectors.json.
VECTOR_FILES = tests/unit/vectors.c tests/unit/vectors.h
VECTOR_LIBS = $(UNIT_LIBS) $(JSON_LIBS)
# proving.h: a device and its answers, to be broken.
PROVING_FILES = tests/unit/proving.c tests/unit/proving.h \
	tests/unit/unit.h $(VECTOR_FILES)
TESTS += tests/unit/golden.py
EXTRA_DIST += tests/unit/golden.py tests/data/make_vectors.py \
	tests/data/vectors.json tests/data/webauthn.json \
	tests/support/oracle.py

UNIT_TESTS += tests/unit/answer tests/unit/crypto tests/unit/link \
	tests/unit/client_data tests/unit/phone tests/unit/proof \
	tests/unit/proof_matrix tests/unit/registration tests/unit/seal \
	tests/unit/transaction tests/unit/webauthn

tests_unit_webauthn_SOURCES = tests/unit/webauthn.c $(PROVING_FILES)
tests_unit_webauthn_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_webauthn_CFLAGS = $(UNIT_CFLAGS)
tests_unit_webauthn_LDADD = $(VECTOR_LIBS)

tests_unit_answer_SOURCES = tests/unit/answer.c tests/unit/unit.h $(VECTOR_FILES)
tests_unit_answer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_answer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_answer_LDADD = $(VECTOR_LIBS)

tests_unit_crypto_SOURCES = tests/unit/crypto.c tests/unit/unit.h $(VECTOR_FILES)
tests_unit_crypto_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_crypto_CFLAGS = $(UNIT_CFLAGS)
tests_unit_crypto_LDADD = $(VECTOR_LIBS)
tests_unit_crypto_LDADD += $(CRYPTO_LIBS)
tests_unit_crypto_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=EVP_DigestVerify \
	-Wl,--wrap=EVP_PKEY_public_check_quick

tests_unit_link_SOURCES = tests/unit/link.c tests/unit/unit.h $(VECTOR_FILES)
tests_unit_link_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_link_CFLAGS = $(UNIT_CFLAGS)
tests_unit_link_LDADD = $(VECTOR_LIBS)
tests_unit_link_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getrandom

tests_unit_phone_SOURCES = tests/unit/phone.c tests/unit/unit.h $(VECTOR_FILES)
tests_unit_phone_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_phone_CFLAGS = $(UNIT_CFLAGS)
tests_unit_phone_LDADD = $(VECTOR_LIBS)

UNIT_TESTS += tests/unit/evidence
tests_unit_evidence_SOURCES = tests/unit/evidence.c $(PROVING_FILES) \
	$(FAULT_FILES)
tests_unit_evidence_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_evidence_CFLAGS = $(UNIT_CFLAGS)
tests_unit_evidence_LDADD = $(VECTOR_LIBS)
tests_unit_evidence_LDFLAGS = $(FAULT_LINK)

tests_unit_client_data_SOURCES = tests/unit/client_data.c $(PROVING_FILES)
tests_unit_client_data_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_client_data_CFLAGS = $(UNIT_CFLAGS)
tests_unit_client_data_LDADD = $(VECTOR_LIBS)

tests_unit_proof_SOURCES = tests/unit/proof.c $(PROVING_FILES)
tests_unit_proof_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_proof_CFLAGS = $(UNIT_CFLAGS)
tests_unit_proof_LDADD = $(VECTOR_LIBS)
tests_unit_proof_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=EVP_DigestVerify

tests_unit_proof_matrix_SOURCES = tests/unit/proof_matrix.c $(PROVING_FILES)
tests_unit_proof_matrix_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_proof_matrix_CFLAGS = $(UNIT_CFLAGS)
tests_unit_proof_matrix_LDADD = $(VECTOR_LIBS)

tests_unit_registration_SOURCES = tests/unit/registration.c $(PROVING_FILES)
tests_unit_registration_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_registration_CFLAGS = $(UNIT_CFLAGS)
tests_unit_registration_LDADD = $(VECTOR_LIBS)

tests_unit_seal_SOURCES = tests/unit/seal.c tests/unit/unit.h $(VECTOR_FILES)
tests_unit_seal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_seal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_seal_LDADD = $(VECTOR_LIBS)

tests_unit_transaction_SOURCES = tests/unit/transaction.c \
	tests/unit/unit.h $(VECTOR_FILES) $(FAULT_FILES)
tests_unit_transaction_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_transaction_CFLAGS = $(UNIT_CFLAGS)
tests_unit_transaction_LDADD = $(VECTOR_LIBS)
tests_unit_transaction_LDFLAGS = $(FAULT_LINK)

# files, settings, accounts, devices, state
SCRATCH_SOURCES = tests/unit/scratch.c tests/unit/scratch.h tests/unit/unit.h
PEOPLE_SOURCES = tests/unit/people.c tests/unit/people.h

UNIT_TESTS += tests/unit/account
tests_unit_account_SOURCES = tests/unit/account.c $(SCRATCH_SOURCES)
tests_unit_account_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_account_CFLAGS = $(UNIT_CFLAGS)
tests_unit_account_LDADD = $(UNIT_LIBS)
tests_unit_account_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=getgrnam_r -Wl,--wrap=getgrouplist \
	-Wl,--wrap=getpwnam_r -Wl,--wrap=getpwuid_r

UNIT_TESTS += tests/unit/audit
tests_unit_audit_SOURCES = tests/unit/audit.c $(SCRATCH_SOURCES)
tests_unit_audit_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_audit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_audit_LDADD = $(UNIT_LIBS) $(JSON_LIBS)
tests_unit_audit_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=csign_clock_wall -Wl,--wrap=fdatasync \
	-Wl,--wrap=csign_syslog_put -Wl,--wrap=write

UNIT_TESTS += tests/unit/audit_syslog
tests_unit_audit_syslog_SOURCES = tests/unit/audit_syslog.c $(SCRATCH_SOURCES)
tests_unit_audit_syslog_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_audit_syslog_CFLAGS = $(UNIT_CFLAGS)
tests_unit_audit_syslog_LDADD = $(UNIT_LIBS)
tests_unit_audit_syslog_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=csign_clock_wall -Wl,--wrap=csign_clock_boot \
	-Wl,--wrap=socket -Wl,--wrap=setsockopt -Wl,--wrap=sendmsg

UNIT_TESTS += tests/unit/conf
tests_unit_conf_SOURCES = tests/unit/conf.c $(SCRATCH_SOURCES)
tests_unit_conf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_conf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_conf_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/device
tests_unit_device_SOURCES = tests/unit/device.c $(SCRATCH_SOURCES) $(PEOPLE_SOURCES)
tests_unit_device_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_device_CFLAGS = $(UNIT_CFLAGS)
tests_unit_device_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/device_store
tests_unit_device_store_SOURCES = tests/unit/device_store.c $(SCRATCH_SOURCES) $(PEOPLE_SOURCES)
tests_unit_device_store_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_device_store_CFLAGS = $(UNIT_CFLAGS)
tests_unit_device_store_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/file
tests_unit_file_SOURCES = tests/unit/file.c $(SCRATCH_SOURCES)
tests_unit_file_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_file_CFLAGS = $(UNIT_CFLAGS)
tests_unit_file_LDADD = $(UNIT_LIBS)
tests_unit_file_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=fstat -Wl,--wrap=geteuid \
	-Wl,--wrap=openat -Wl,--wrap=read

UNIT_TESTS += tests/unit/file_write
tests_unit_file_write_SOURCES = tests/unit/file_write.c $(SCRATCH_SOURCES)
tests_unit_file_write_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_file_write_CFLAGS = $(UNIT_CFLAGS)
tests_unit_file_write_LDADD = $(UNIT_LIBS)
tests_unit_file_write_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=close -Wl,--wrap=csign_random \
	-Wl,--wrap=fchmod -Wl,--wrap=fdatasync \
	-Wl,--wrap=flock -Wl,--wrap=fsync \
	-Wl,--wrap=openat -Wl,--wrap=renameat2 \
	-Wl,--wrap=write

UNIT_TESTS += tests/unit/limit
tests_unit_limit_SOURCES = tests/unit/limit.c tests/unit/unit.h
tests_unit_limit_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_limit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_limit_LDADD = $(UNIT_LIBS)
tests_unit_limit_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=csign_clock_boot,--wrap=csign_clock_boot_id \
	-Wl,--wrap=csign_clock_wall

UNIT_TESTS += tests/unit/piece
tests_unit_piece_SOURCES = tests/unit/piece.c $(SCRATCH_SOURCES)
tests_unit_piece_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_piece_CFLAGS = $(UNIT_CFLAGS)
tests_unit_piece_LDADD = $(UNIT_LIBS)

UNIT_TESTS += tests/unit/settings
tests_unit_settings_SOURCES = tests/unit/settings.c $(SCRATCH_SOURCES)
tests_unit_settings_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_settings_CFLAGS = $(UNIT_CFLAGS)
tests_unit_settings_LDADD = $(UNIT_LIBS)
tests_unit_settings_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=uname

UNIT_TESTS += tests/unit/state
tests_unit_state_SOURCES = tests/unit/state.c $(SCRATCH_SOURCES) $(PEOPLE_SOURCES)
tests_unit_state_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_state_CFLAGS = $(UNIT_CFLAGS)
tests_unit_state_LDADD = $(UNIT_LIBS)
tests_unit_state_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=csign_clock_boot -Wl,--wrap=fsync \
	-Wl,--wrap=renameat2 -Wl,--wrap=write

# A host with accounts, devices and states, on a disk that fails: registry.h.
REGISTRY_FILES = tests/unit/registry.c tests/unit/registry.h \
	$(SCRATCH_SOURCES) $(PEOPLE_SOURCES)
REGISTRY_LINK = $(AM_LDFLAGS) \
	-Wl,--wrap=csign_clock_boot,--wrap=csign_clock_boot_id \
	-Wl,--wrap=csign_clock_wall,--wrap=csign_random \
	-Wl,--wrap=fchmod,--wrap=fdatasync,--wrap=fsync \
	-Wl,--wrap=getpwnam_r,--wrap=getpwuid_r,--wrap=openat \
	-Wl,--wrap=renameat2,--wrap=unlinkat,--wrap=write

UNIT_TESTS += tests/unit/backup tests/unit/devices tests/unit/push \
	tests/unit/recovery

tests_unit_backup_SOURCES = tests/unit/backup.c $(REGISTRY_FILES)
tests_unit_backup_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_backup_CFLAGS = $(UNIT_CFLAGS)
tests_unit_backup_LDADD = $(UNIT_LIBS)
tests_unit_backup_LDFLAGS = $(REGISTRY_LINK)

tests_unit_devices_SOURCES = tests/unit/devices.c $(REGISTRY_FILES)
tests_unit_devices_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_devices_CFLAGS = $(UNIT_CFLAGS)
tests_unit_devices_LDADD = $(UNIT_LIBS)
tests_unit_devices_LDFLAGS = $(REGISTRY_LINK)

tests_unit_push_SOURCES = tests/unit/push.c $(REGISTRY_FILES)
tests_unit_push_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_push_CFLAGS = $(UNIT_CFLAGS)
tests_unit_push_LDADD = $(UNIT_LIBS)
tests_unit_push_LDFLAGS = $(REGISTRY_LINK)

tests_unit_recovery_SOURCES = tests/unit/recovery.c $(REGISTRY_FILES)
tests_unit_recovery_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_recovery_CFLAGS = $(UNIT_CFLAGS)
tests_unit_recovery_LDADD = $(UNIT_LIBS)
tests_unit_recovery_LDFLAGS = $(REGISTRY_LINK)

# the courier's leash
UNIT_TESTS += tests/unit/frame tests/unit/leash
check_PROGRAMS += tests/support/misbehaving-courier

tests_unit_frame_SOURCES = tests/unit/frame.c tests/unit/unit.h $(FAULT_FILES)
tests_unit_frame_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_frame_CFLAGS = $(UNIT_CFLAGS)
tests_unit_frame_LDADD = $(UNIT_LIBS)
tests_unit_frame_LDFLAGS = $(FAULT_LINK)

tests_unit_leash_SOURCES = tests/unit/leash.c tests/unit/unit.h
tests_unit_leash_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_leash_CFLAGS = $(UNIT_CFLAGS)
tests_unit_leash_LDADD = $(UNIT_LIBS)
tests_support_misbehaving_courier_LDADD = lib/libcsign.la

# approvals and enrolments
# A host and a courier that is played: played.h.
PLAYED_FILES = tests/unit/played.c tests/unit/played.h
PLAYED_LINK = $(AM_LDFLAGS) \
	-Wl,--wrap=csign_leash_start,--wrap=csign_leash_fd \
	-Wl,--wrap=csign_leash_next,--wrap=csign_leash_outcome \
	-Wl,--wrap=csign_leash_removed \
	-Wl,--wrap=csign_leash_free,--wrap=csign_leash_kill \
	-Wl,--wrap=csign_clock_boot

UNIT_TESTS += tests/unit/approval tests/unit/enrolment tests/unit/removal \
	tests/unit/ring tests/unit/verdict

tests_unit_verdict_SOURCES = tests/unit/verdict.c tests/unit/unit.h
tests_unit_verdict_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_verdict_CFLAGS = $(UNIT_CFLAGS)
tests_unit_verdict_LDADD = $(UNIT_LIBS)

tests_unit_approval_SOURCES = tests/unit/approval.c $(PLAYED_FILES)
tests_unit_approval_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_approval_CFLAGS = $(UNIT_CFLAGS)
tests_unit_approval_LDADD = $(UNIT_LIBS)
tests_unit_approval_LDFLAGS = $(PLAYED_LINK)

tests_unit_enrolment_SOURCES = tests/unit/enrolment.c $(PLAYED_FILES)
tests_unit_enrolment_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_enrolment_CFLAGS = $(UNIT_CFLAGS)
tests_unit_enrolment_LDADD = $(UNIT_LIBS)
tests_unit_enrolment_LDFLAGS = $(PLAYED_LINK)

tests_unit_removal_SOURCES = tests/unit/removal.c $(PLAYED_FILES)
tests_unit_removal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_removal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_removal_LDADD = $(UNIT_LIBS)
tests_unit_removal_LDFLAGS = $(PLAYED_LINK)

# The limit is played, too; and four random bytes, which make a code.
tests_unit_ring_SOURCES = tests/unit/ring.c $(PLAYED_FILES) $(FAULT_FILES)
tests_unit_ring_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_ring_CFLAGS = $(UNIT_CFLAGS)
tests_unit_ring_LDADD = $(UNIT_LIBS)
tests_unit_ring_LDFLAGS = $(PLAYED_LINK) $(FAULT_LINK) \
	-Wl,--wrap=csign_push_take,--wrap=csign_push_over \
	-Wl,--wrap=csign_limit_became,--wrap=csign_now_get \
	-Wl,--wrap=csign_state_write,--wrap=getrandom

# countersign's reader of PAM stacks
UNIT_TESTS += tests/unit/pam_stack
tests_unit_pam_stack_SOURCES = tests/unit/pam_stack.c tests/unit/unit.h
tests_unit_pam_stack_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_pam_stack_CFLAGS = $(UNIT_CFLAGS)
tests_unit_pam_stack_LDADD = cli/stack/libstack.la $(UNIT_LIBS)

# countersignd's push, linked with its parts
SERVICE_CPPFLAGS = $(UNIT_CPPFLAGS) -iquote $(top_srcdir)
UNIT_TESTS += tests/unit/endpoint tests/unit/owner tests/unit/rings \
	tests/unit/shares tests/unit/vapid tests/unit/webpush

tests_unit_endpoint_SOURCES = tests/unit/endpoint.c tests/unit/unit.h \
	service/endpoint.c service/endpoint.h \
	service/push_verdict.c service/push_verdict.h
tests_unit_endpoint_CPPFLAGS = $(SERVICE_CPPFLAGS)
tests_unit_endpoint_CFLAGS = $(UNIT_CFLAGS) $(CURL_CFLAGS)
tests_unit_endpoint_LDADD = $(UNIT_LIBS) $(CURL_LIBS)

tests_unit_owner_SOURCES = tests/unit/owner.c tests/unit/unit.h \
	service/log.c service/owner.c service/owner.h service/peer.c \
	service/rate.c
tests_unit_owner_CPPFLAGS = $(SERVICE_CPPFLAGS)
tests_unit_owner_CFLAGS = $(UNIT_CFLAGS) $(CRYPTO_CFLAGS) $(JSON_CFLAGS)
tests_unit_owner_LDADD = $(UNIT_LIBS) $(CRYPTO_LIBS)

tests_unit_rings_SOURCES = tests/unit/rings.c $(SCRATCH_SOURCES) \
	service/checkpoint.c service/log.c service/store_approvals.c \
	service/store_claims.c service/store_db.c service/store_hosts.c \
	service/store_inbox.c service/store_open.c service/store_rings.c \
	service/store_users.c
tests_unit_rings_CPPFLAGS = $(SERVICE_CPPFLAGS)
tests_unit_rings_CFLAGS = $(UNIT_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_rings_LDADD = $(UNIT_LIBS) $(SQLITE_LIBS)

tests_unit_shares_SOURCES = tests/unit/shares.c tests/unit/unit.h \
	service/shares.c service/shares.h
tests_unit_shares_CPPFLAGS = $(SERVICE_CPPFLAGS)
tests_unit_shares_CFLAGS = $(UNIT_CFLAGS)
tests_unit_shares_LDADD = $(UNIT_LIBS)

tests_unit_vapid_SOURCES = tests/unit/vapid.c $(SCRATCH_SOURCES) \
	$(VECTOR_FILES) service/vapid.c service/vapid.h
tests_unit_vapid_CPPFLAGS = $(SERVICE_CPPFLAGS)
tests_unit_vapid_CFLAGS = $(UNIT_CFLAGS)
tests_unit_vapid_LDADD = $(VECTOR_LIBS) $(CRYPTO_LIBS)

tests_unit_webpush_SOURCES = tests/unit/webpush.c tests/unit/unit.h \
	$(VECTOR_FILES) service/webpush.c service/webpush.h
tests_unit_webpush_CPPFLAGS = $(SERVICE_CPPFLAGS)
tests_unit_webpush_CFLAGS = $(UNIT_CFLAGS)
tests_unit_webpush_LDADD = $(VECTOR_LIBS) $(CRYPTO_LIBS)
tests_unit_webpush_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getrandom

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
