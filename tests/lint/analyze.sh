#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Static analysis of the product's C: gcc, clang-tidy, cppcheck.
# usage: analyze.sh BUILD_FOLDER; a TAP line for each tool
# shellcheck disable=SC2317,SC2016 # parts are called by name; xargs expands
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
n=0
failed=0

with_gcc() {
	mkdir -p "$build"
	cd "$build"
	# gcc 12 takes a pointer kept in an array for lost; the sanitizer
	# build finds the leaks that are some.
	"$top/configure" -q --disable-maintainer-mode --enable-werror \
		CFLAGS='-O2 -fanalyzer -Wno-analyzer-malloc-leak'
	make -s -j2 all
}

c_files() {
	find "$top/lib" "$top/pam" "$top/cli" "$top/service" -name '*.c' | sort
}

# One file a run: several confuse clang 14's check of va_list.
with_clang_tidy() {
	checks='-*,clang-analyzer-*,bugprone-*,cert-*'
	checks="$checks,-bugprone-easily-swappable-parameters"
	checks="$checks,-bugprone-reserved-identifier"
	checks="$checks,-bugprone-assignment-in-if-condition"
	checks="$checks,-cert-dcl37-c,-cert-dcl51-cpp"
	# Small constants multiplied as int; -Wconversion sees the others.
	checks="$checks,-bugprone-implicit-widening-of-multiplication-result"
	# Asks for Annex K, which glibc does not have.
	checks="$checks,-clang-analyzer-security.insecureAPI.Deprecated*"
	flags=$(make -s -C "$build" \
		--eval='csign-flags: ; @echo $(service_countersignd_CPPFLAGS)' \
		csign-flags)
	c_files | xargs -n 1 -P 2 sh -c 'cd "$1" && checks=$2 flags=$3 && shift 3
		exec clang-tidy-14 --quiet --warnings-as-errors="*" \
			--checks="$checks" "$@" -- -std=gnu11 -D_GNU_SOURCE \
			-DHAVE_CONFIG_H -I. $flags' \
		sh "$build" "$checks" "$flags"
}

with_cppcheck() {
	cd "$top"
	cppcheck --quiet --enable=warning,portability,performance \
		--inline-suppr --suppress=missingIncludeSystem \
		--error-exitcode=1 --std=c11 -j 2 -D_GNU_SOURCE \
		'-DCSIGN_API=' '-DCSIGN_WUR=' '-DCSIGN_PRINTF(a,b)=' \
		-I "$build" -I lib -I pam -I cli -I service lib pam cli service
}

# The status by way of a variable: "set -e" holds inside the part.
tap() { # NAME FUNCTION TOOL
	n=$((n + 1))
	if ! command -v "$3" >/dev/null && [ -z "${CI-}" ]; then
		echo "ok $n - $1 # SKIP $3 is missing"
		return
	fi
	set +e
	(
		set -e
		"$2"
	)
	status=$?
	set -e
	if [ "$status" -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		failed=1
	fi
}

tap 'gcc -fanalyzer' with_gcc gcc
tap 'clang-tidy' with_clang_tidy clang-tidy-14
tap 'cppcheck' with_cppcheck cppcheck
echo "1..$n"
exit "$failed"
