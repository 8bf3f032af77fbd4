#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every way in which a change is tested, each by a name of its own:
#
#   tests/variants.sh [CASE...]
#
#   gcc        gcc, warnings are errors, make check
#   asan       the same with AddressSanitizer and UBSan
#   clang      the product with clang, warnings are errors
#   valgrind   the unit tests under valgrind
#   e2e        sshd, sudo, su and more with the gcc build (root)
#   web        the phone's page in a browser, with the gcc build (root)
#   attack     hostile doubles, faults, load and a soak, with the gcc build
#   coverage   which lines of lib/ and pam/ the tests run: enough of them
#   fuzz       every fuzz target for a minute, with clang
#   analyze    gcc -fanalyzer, clang-tidy, cppcheck
#   release    archive and installed files are the same wherever they are made
#   distcheck  the release archive builds, passes and uninstalls
#
# Without a name all of them run, two at a time.  Build folders and logs are in
# build-check/.  The last line counts the cases of all tests.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
out=$top/build-check
all="gcc asan e2e web attack valgrind clang coverage distcheck release analyze fuzz"

# Files that are neither tracked nor ignored: a test that leaves one fails.
untracked() {
	git -c safe.directory='*' ls-files -o --exclude-standard 2>/dev/null ||
		true
}

configured() { # FOLDER ARGUMENT...
	dir=$out/$1
	shift
	mkdir -p "$dir"
	cd "$dir"
	"$top/configure" -q --disable-maintainer-mode "$@"
}

gcc_build() {
	configured gcc --enable-werror CFLAGS='-O2 -g'
	make -s -j2 all
	make -s -j2 check TESTS=
}

checked() { # MAKE ARGUMENT...
	make -s -k "$@" || failed=1
}

case_gcc() {
	gcc_build
	checked -j2 check
}

# Without -Werror: what the sanitizers insert makes gcc warn of ghosts.
case_asan() {
	configured asan --enable-sanitizers CFLAGS='-O1 -g'
	checked -j2 check
}

case_clang() {
	configured clang --enable-werror CC=clang-14 CFLAGS='-O2 -g'
	make -s -j2 all
	counted 1 0 0
}

case_valgrind() {
	configured valgrind --enable-werror CFLAGS='-O1 -g'
	checked -j2 check-valgrind
}

case_e2e() {
	gcc_build
	checked check-e2e
}

case_web() {
	gcc_build
	checked check-web
}

case_attack() {
	gcc_build
	checked check-attack
}

case_coverage() {
	configured coverage --enable-coverage CFLAGS='-O0 -g'
	make -s -j2 coverage
	counted 1 0 0
}

case_fuzz() {
	configured fuzz --enable-fuzzing CC=clang-14
	checked fuzz-smoke
}

case_release() {
	configured release
	checked check-reproducible
}

case_analyze() {
	sh "$top/tests/lint/analyze.sh" "$out/analyze" || failed=1
}

case_distcheck() {
	configured dist
	make -s -j2 distcheck
	counted 1 0 0
}

counted() { # PASSED FAILED SKIPPED
	printf '%s %s %s\n' "$@" >>"$out/$case.count"
}

# What the test harness left behind, one line a TAP case.
count_results() { # PATTERN OF .trs FILES
	find "$out" -path "$1" -newer "$out/$case.began" -exec awk '
	/^:test-result: (PASS|XFAIL)/ { passed++ }
	/^:test-result: (FAIL|ERROR|XPASS)/ { failed++ }
	/^:test-result: SKIP/ { skipped++ }
	END { print passed + 0, failed + 0, skipped + 0 }' {} +
}

results_of() { # CASE: the folder of its .trs files
	case $1 in
	gcc) count_results "$out/gcc/tests/[!ew]*.trs" ;;
	attack | e2e | web) count_results "$out/gcc/tests/$1/*.trs" ;;
	asan | valgrind) count_results "$out/$1/*.trs" ;;
	analyze | fuzz | release)
		awk '/^ok .*# SKIP/ { s++; next } /^ok / { p++ } /^not ok / { f++ }
		END { print p + 0, f + 0, s + 0 }' "$out/$1.log"
		;;
	esac
}

# Its build folder.
folder_of() { # CASE
	case $1 in
	attack | e2e | web) echo "$out/gcc" ;;
	distcheck) echo "$out/dist" ;;
	*) echo "$out/$1" ;;
	esac
}

# Why a case failed, for whoever has no more than this output: the lines of its
# log that say so, and what its failed tests said.
why_of() { # CASE
	{
		grep -E -a '^(not ok|FAIL|ERROR|# )|error:|warning:|Error ' \
			"$out/$1.log" | grep -E -v -a '^# [A-Z]+: ' |
			awk '!seen[$0]++' | head -n 60
		find "$(folder_of "$1")" -path '*/tests/*.log' \
			-newer "$out/$1.began" -exec awk '
		/^ok|^not ok/ { left = /^not ok/ ? 50 : 0 }
		left-- > 0' {} + | head -n 150
	} 2>/dev/null | cut -c 1-6000 | sed "s/^/$1: /"
}

# What a case measured, for whoever reads the result.
figures_of() { # CASE
	case $1 in
	attack) sed -n '/ cases  *grants/,/^all /p' "$out/attack.log" ;;
	coverage) grep '^lines: ' "$out/coverage.log" || true ;;
	esac
}

run_case() { # CASE: one line of result, the log in build-check/CASE.log
	case=$1
	: >"$out/$case.count"
	: >"$out/$case.began"
	began=$(date +%s)
	before=$(untracked)
	set +e
	(
		set -e
		failed=0
		"case_$case"
		exit "$failed"
	) >"$out/$case.log" 2>&1
	failed=$?
	set -e
	results_of "$case" >>"$out/$case.count"
	if [ "$(untracked)" != "$before" ]; then
		echo "untracked files were left behind" >>"$out/$case.log"
		failed=1
	fi
	# A case that broke without a failed test is a failure of its own.
	[ "$failed" -eq 0 ] || grep -q '^[0-9]* [1-9]' "$out/$case.count" ||
		counted 0 1 0
	[ "$failed" -eq 0 ] || why_of "$case"
	printf '%s: %s (%d s)\n' "$case" "$(sum "$out/$case.count")" \
		$(($(date +%s) - began))
	figures_of "$case"
}

sum() { # FILE...
	awk '{ p += $1; f += $2; s += $3 }
	END {
		printf "%d passed, %d failed", p, f
		if (s)
			printf ", %d skipped", s
	}' "$@"
}

# Two lanes of about the same length, each one case after another.
run_all() {
	(
		run_case gcc
		run_case e2e
		run_case web
		run_case attack
	) &
	(
		run_case asan
		run_case valgrind
		run_case clang
		run_case analyze
		run_case distcheck
		run_case release
		run_case coverage
		run_case fuzz
	) &
	wait
}

mkdir -p "$out"
if [ $# -eq 0 ]; then
	# shellcheck disable=SC2086 # a list of words
	set -- $all
	for name in "$@"; do
		rm -f "$out/$name.count"
	done
	run_all
else
	for name in "$@"; do
		case " $all " in
		*" $name "*) run_case "$name" ;;
		*)
			echo "usage: tests/variants.sh [$all]" >&2
			exit 2
			;;
		esac
	done
fi

for name in "$@"; do
	set -- "$@" "$out/$name.count"
	shift
done
result=$(sum "$@")
echo "$result"
case $result in
*" 0 failed"*) ;;
*) exit 1 ;;
esac
