# SPDX-License-Identifier: BSD-2-Clause
# What a release consists of; CONTRIBUTING.md has the steps.
EXTRA_DIST += \
	%D%/compare.py \
	%D%/date.sh \
	%D%/reproduce.sh \
	%D%/sbom.py

# The archive has the same bytes whoever makes it, wherever and whenever: no
# time, owner, umask or order of the folder it is made in, one thread of xz.
am__tar = tar --format=ustar --sort=name --owner=0 --group=0 \
	--numeric-owner --mode=u=rwX,go=rX \
	--mtime="@`sh $(srcdir)/release/date.sh`" -chf - "$$tardir"
export XZ_OPT = -6e -T1

# Three times, the same bytes; and the archive builds on its own.
check-reproducible: dist
	$(AM_V_at)sh $(srcdir)/%D%/reproduce.sh \
		$(abs_top_builddir)/$(distdir).tar.xz
.PHONY: check-reproducible

# The bill of materials of what "make install" installs here: its files, and
# the libraries that they are linked with.
SBOM = $(distdir).spdx.json
sbom: all
	$(AM_V_at)rm -rf %D%/staged
	$(AM_V_at)umask 022 && $(MAKE) $(AM_MAKEFLAGS) -s install \
		DESTDIR=$(abs_top_builddir)/%D%/staged >/dev/null
	$(AM_V_GEN)$(sbom_write) $(abs_top_builddir)/%D%/staged >$(SBOM).new
	$(AM_V_at)mv $(SBOM).new $(SBOM)
	$(AM_V_at)rm -rf %D%/staged
sbom_write = SOURCE_DATE_EPOCH=`sh $(srcdir)/release/date.sh` \
	$(PYTHON3) $(srcdir)/release/sbom.py $(PACKAGE) $(VERSION) \
	'$(CSIGN_LINKED)'
CLEANFILES += $(SBOM)
.PHONY: sbom

# Archive, bill of materials, hashes of the page, and the hashes of these,
# which the maintainer signs.
release: dist sbom
	$(AM_V_at)grep -Eq '^## $(VERSION) \([0-9]{4}-[0-9]{2}-[0-9]{2}\)$$' \
		$(srcdir)/NEWS.md || { \
		echo "NEWS.md has no date for $(VERSION)" >&2; exit 1; }
	$(AM_V_at)cat service/page.sha256 >$(distdir).page.sha256
	$(AM_V_GEN)sha256sum $(release_files) >$(distdir).SHA256SUMS
release_files = $(distdir).tar.xz $(SBOM) $(distdir).page.sha256
CLEANFILES += $(distdir).page.sha256 $(distdir).SHA256SUMS
.PHONY: release
