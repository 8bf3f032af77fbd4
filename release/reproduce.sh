#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Is a release the same bytes whoever makes it, and does it build on its own?
# usage: reproduce.sh ARCHIVE; a TAP line for each answer
#
# One build begins with the archive, has neither autotools nor git, and works
# in the folder of the sources.  The other begins with the sources as they are
# (without git: the archive again) and autoreconf, in folders with longer names,
# with another umask, time zone, locale, host name, user (as root) and number
# of jobs.  Both make the archive again, install, and list what they installed.
# shellcheck disable=SC2317 # parts are called by name
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
archive=$1
name=$(basename "$archive" .tar.xz)
SOURCE_DATE_EPOCH=$(sh "$top/release/date.sh")
python=/usr/bin/python3
[ -x "$python" ] || python=python3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
chmod 0711 "$tmp"
n=0
failed=0

tap() { # NAME COMMAND...
	n=$((n + 1))
	what=$1
	shift
	if "$@" >"$tmp/tap" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		failed=1
	fi
	sed 's/^/# /' "$tmp/tap"
}

same() {
	"$python" "$top/release/compare.py" "$@"
}

finished() { # LANE: did every step of it succeed?
	if ! [ -e "$tmp/$1.done" ]; then
		tail -n 40 "$tmp/$1.log"
		return 1
	fi
}

# A folder of all programs there are but those that an archive must not need.
programs_without() { # FOLDER PATTERN...
	mkdir "$1"
	for program in /bin/* /usr/bin/*; do
		case ${program##*/} in
		autoconf* | autoheader* | autom4te* | autoreconf* | autoscan* | \
			autoupdate* | ifnames* | automake* | aclocal* | \
			libtool | libtoolize | git | git-*) ;;
		*) [ -e "$1/${program##*/}" ] ||
			ln -s "$program" "$1/${program##*/}" ;;
		esac
	done
}

# As somebody who is not root, where that can be tried.
as_another() {
	if [ "$(id -u)" -eq 0 ]; then
		unshare --uts sh -c 'hostname elsewhere && exec setpriv \
			--reuid=65534 --regid=65534 --clear-groups "$@"' sh "$@"
	else
		"$@"
	fi
}

# In a shell of its own, with the environment of its lane.
# shellcheck disable=SC2016 # expanded there
build='set -eux
	mkdir -p "$1"
	cd "$1"
	[ -e "$2/configure" ] || (cd "$2" && autoreconf -i)
	"$2/configure" -q --prefix=/usr --sysconfdir=/etc \
		--localstatedir=/var CFLAGS="-O2 -g"
	make -s dist
	make -s -j"$4"
	make -s -j"$4" install DESTDIR="$3"
	make -s sbom'

unpack() { # FOLDER
	mkdir -p "$1"
	tar -C "$1" -xJf "$archive"
}

# The sources as they are, with no file that a tool made.
copy_sources() { # FOLDER
	mkdir -p "$1/m4"
	cd "$top"
	git -c safe.directory='*' ls-files -co --exclude-standard |
		while read -r file; do
			! [ -f "$file" ] || echo "$file"
		done | xargs cp --parents -t "$1"
}

# SOURCE_DATE_EPOCH is not given: the archive's files have the date.
one=$tmp/one
one_build=$one/$name
lane_one() {
	umask 022
	unpack "$one"
	programs_without "$tmp/programs"
	env -i PATH="$tmp/programs" HOME=/ TZ=UTC LC_ALL=C \
		sh -c "$build" sh "$one_build" . "$one/root" 2
}

two=$tmp/two/in-a-folder-with-a-much-longer-name/than-that-of-the-other-build
two_build=$two/elsewhere/objects
lane_two() {
	umask 077
	mkdir "$two/elsewhere"
	chmod -R go+rX "$tmp/two"
	[ "$(id -u)" -ne 0 ] || chown -R 65534:65534 "$tmp/two"
	as_another env -i PATH="$PATH" HOME=/nonexistent USER=somebody \
		TZ=Pacific/Chatham LC_ALL=C.UTF-8 \
		XZ_OPT=-0 TAR_OPTIONS=--owner=games \
		SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
		sh -c "$build" sh "$two_build" "$two/$name" "$two/root" 1
}

lane() { # NAME
	(
		set -e
		"lane_$1"
		: >"$tmp/$1.done"
	) >"$tmp/$1.log" 2>&1
}

# At once, before anybody edits a file.
if [ -e "$top/.git" ]; then
	(umask 077 && copy_sources "$two/$name")
else
	(umask 077 && unpack "$two")
fi
lane one || true
lane two || true
tap 'the archive builds without autotools and git' finished one
tap 'the sources build as somebody else, elsewhere' finished two
tap 'the archive out of itself is the same' \
	same "$archive" "$one_build/$name.tar.xz"
tap 'the archive out of the sources is the same' \
	same "$archive" "$two_build/$name.tar.xz"
tap 'the same files are installed' same "$one/root" "$two/root"
tap 'the same bill of materials' \
	same "$one_build/$name.spdx.json" "$two_build/$name.spdx.json"
tap 'the same parts in the library of all parts' \
	same "$one_build/lib/.libs/libcsign.a" "$two_build/lib/.libs/libcsign.a"
echo "1..$n"
exit "$failed"
