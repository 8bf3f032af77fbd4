# SPDX-License-Identifier: BSD-2-Clause
# libmodule.la: all of the module but its entry points, so that the tests can
# link the parts, with the library and libpam or with what plays them.
noinst_LTLIBRARIES += %D%/libmodule.la
%C%_libmodule_la_SOURCES = \
	%D%/auth.c \
	%D%/auth.h \
	%D%/cmdline.c \
	%D%/cmdline.h \
	%D%/conv.c \
	%D%/conv.h \
	%D%/enrol.c \
	%D%/enrol.h \
	%D%/items.c \
	%D%/items.h \
	%D%/log.c \
	%D%/log.h \
	%D%/opt.c \
	%D%/opt.h \
	%D%/present.c \
	%D%/present.h \
	%D%/recover.c \
	%D%/recover.h \
	%D%/refused.c \
	%D%/refused.h \
	%D%/request.c \
	%D%/request.h \
	%D%/retcode.c \
	%D%/retcode.h \
	%D%/ring.c \
	%D%/ring.h \
	%D%/wait.c \
	%D%/wait.h

pam_LTLIBRARIES = %D%/pam_countersign.la
%C%_pam_countersign_la_SOURCES = %D%/pam_countersign.c
%C%_pam_countersign_la_LIBADD = %D%/libmodule.la lib/libcountersign.la \
	$(PAM_LIBS)
%C%_pam_countersign_la_LDFLAGS = $(AM_LDFLAGS) $(CSIGN_SO_LDFLAGS) \
	-module -avoid-version -shared \
	-Wl,--version-script=$(srcdir)/%D%/pam_countersign.map
%C%_pam_countersign_la_DEPENDENCIES = %D%/libmodule.la \
	lib/libcountersign.la %D%/pam_countersign.map
EXTRA_DIST += %D%/pam_countersign.map

# For pam-auth-update(8) of Debian; installed, and not enabled.
pamconfigsdir = $(datadir)/pam-configs
dist_pamconfigs_DATA = %D%/pam-configs/countersign

# PAM loads the .so; the .la beside it helps nobody.  The courier runs as
# nobody in particular, so its folder is open to all, under any umask.
install-data-hook:
	rm -f $(DESTDIR)$(pamdir)/pam_countersign.la
	chmod 0755 $(DESTDIR)$(courierdir) $(DESTDIR)$(pkgdatadir)
uninstall-hook:
	rm -f $(DESTDIR)$(pamdir)/pam_countersign.so
