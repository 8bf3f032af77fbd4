# SPDX-License-Identifier: BSD-2-Clause
# countersignd: the approval service.
sbin_PROGRAMS += %D%/countersignd
%C%_countersignd_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%
%C%_countersignd_CFLAGS = $(AM_CFLAGS) $(CSIGN_PIE_CFLAGS) \
	$(CRYPTO_CFLAGS) $(SSL_CFLAGS) $(JSON_CFLAGS) $(EVENT_CFLAGS) \
	$(SQLITE_CFLAGS) $(CURL_CFLAGS)
%C%_countersignd_LDFLAGS = $(AM_LDFLAGS) $(CSIGN_PIE_LDFLAGS)
%C%_countersignd_LDADD = lib/courier/libcsigncurl.la lib/libcsign.la \
	$(EVENT_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS) $(JSON_LIBS) $(SQLITE_LIBS) \
	$(CURL_LIBS)
%C%_countersignd_SOURCES = \
	%D%/api.c \
	%D%/api.h \
	%D%/approvals.c \
	%D%/approvals.h \
	%D%/checkpoint.c \
	%D%/checkpoint.h \
	%D%/cmd.h \
	%D%/cmd_args.c \
	%D%/cmd_backup.c \
	%D%/cmd_common.c \
	%D%/cmd_host.c \
	%D%/cmd_user.c \
	%D%/cmd_web.c \
	%D%/cookie.c \
	%D%/cookie.h \
	%D%/device_api.c \
	%D%/endpoint.c \
	%D%/endpoint.h \
	%D%/host_api.c \
	%D%/http.c \
	%D%/http.h \
	%D%/http_head.c \
	%D%/http_head.h \
	%D%/http_impl.h \
	%D%/http_reply.c \
	%D%/http_request.c \
	%D%/http_room.c \
	%D%/inbox.c \
	%D%/inbox.h \
	%D%/listen.c \
	%D%/listen.h \
	%D%/log.c \
	%D%/log.h \
	%D%/main.c \
	%D%/members.c \
	%D%/notify.c \
	%D%/notify.h \
	%D%/open_api.c \
	%D%/owner.c \
	%D%/owner.h \
	%D%/peer.c \
	%D%/peer.h \
	%D%/phone_api.c \
	%D%/push.c \
	%D%/push.h \
	%D%/push_command.c \
	%D%/push_command.h \
	%D%/push_send.c \
	%D%/push_send.h \
	%D%/push_verdict.c \
	%D%/push_verdict.h \
	%D%/push_wire.c \
	%D%/push_wire.h \
	%D%/rate.c \
	%D%/rate.h \
	%D%/reply.c \
	%D%/reply.h \
	%D%/server.c \
	%D%/server.h \
	%D%/service.h \
	%D%/settings.c \
	%D%/settings.h \
	%D%/shares.c \
	%D%/shares.h \
	%D%/store.h \
	%D%/store_approvals.c \
	%D%/store_claims.c \
	%D%/store_copy.c \
	%D%/store_db.c \
	%D%/store_db.h \
	%D%/store_hosts.c \
	%D%/store_inbox.c \
	%D%/store_open.c \
	%D%/store_rings.c \
	%D%/store_schema.h \
	%D%/store_users.c \
	%D%/tls.c \
	%D%/tls.h \
	%D%/vapid.c \
	%D%/vapid.h \
	%D%/waiter.c \
	%D%/waiter.h \
	%D%/watch.c \
	%D%/watch.h \
	%D%/web.c \
	%D%/web.h \
	%D%/webpush.c \
	%D%/webpush.h

# The phone's page, built into the program and listed for verify-page.
WEB_FILES = \
	%D%/web/approval.js \
	%D%/web/carrier.js \
	%D%/web/enrolment-device.js \
	%D%/web/enrolment-screens.js \
	%D%/web/enrolment.js \
	%D%/web/field.js \
	%D%/web/home-screen.js \
	%D%/web/home.js \
	%D%/web/icon-192.png \
	%D%/web/icon.svg \
	%D%/web/inbox.js \
	%D%/web/index.html \
	%D%/web/install.js \
	%D%/web/main.js \
	%D%/web/manifest.webmanifest \
	%D%/web/memory.js \
	%D%/web/passkey.js \
	%D%/web/protocol.js \
	%D%/web/rare-words.js \
	%D%/web/removal.js \
	%D%/web/ring.js \
	%D%/web/service.json \
	%D%/web/style.css \
	%D%/web/sw.js \
	%D%/web/trouble.js \
	%D%/web/verdict.js \
	%D%/web/view.js \
	%D%/web/visit.js \
	%D%/web/words.js
EXTRA_DIST += $(WEB_FILES) %D%/page-hashes.sh
%D%/countersignd-web.$(OBJEXT): $(WEB_FILES)
%C%_countersignd_CPPFLAGS += -DWEB_FOLDER='"$(srcdir)/%D%/web/"'

pkgdata_DATA = %D%/page.sha256
CLEANFILES += %D%/page.sha256
%D%/page.sha256: $(WEB_FILES)
	$(AM_V_GEN)cd $(srcdir)/%D%/web && sha256sum $(WEB_FILES:%D%/web/%=%) \
		>$(abs_top_builddir)/$@.new
	$(AM_V_at)mv $@.new $@

# After a change of the page.
page-hashes:
	sh $(srcdir)/%D%/page-hashes.sh $(srcdir)/%D%/web \
		$(WEB_FILES:%D%/web/%=%)
.PHONY: page-hashes

# What a system needs to run it.
systemdsystemunit_DATA = %D%/countersignd.service
sysusers_DATA = %D%/sysusers.d/countersign.conf
tmpfiles_DATA = %D%/tmpfiles.d/countersign.conf
logrotate_DATA = %D%/logrotate.d/countersign
exampledir = $(docdir)/examples
example_DATA = %D%/countersignd.conf
service_made = $(systemdsystemunit_DATA) $(sysusers_DATA) \
	$(tmpfiles_DATA) $(logrotate_DATA) $(example_DATA)
service_templates = \
	%D%/countersign.logrotate.in \
	%D%/countersign.sysusers.in \
	%D%/countersign.tmpfiles.in \
	%D%/countersignd.conf.in \
	%D%/countersignd.service.in
EXTRA_DIST += $(service_templates)
CLEANFILES += $(service_made)
all-local: $(service_made)

$(service_made): Makefile
service_fill = $(AM_V_GEN)$(MKDIR_P) $(@D) && $(edit) $< > $@.tmp && \
	mv $@.tmp $@
%D%/countersignd.service: %D%/countersignd.service.in
	$(service_fill)
%D%/countersignd.conf: %D%/countersignd.conf.in
	$(service_fill)
%D%/sysusers.d/countersign.conf: %D%/countersign.sysusers.in
	$(service_fill)
%D%/tmpfiles.d/countersign.conf: %D%/countersign.tmpfiles.in
	$(service_fill)
%D%/logrotate.d/countersign: %D%/countersign.logrotate.in
	$(service_fill)
