#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The date of the release in seconds, for everything that must carry one:
# SOURCE_DATE_EPOCH, else that of the last commit, else (in an unpacked
# archive) the one that the archive gave its files.
set -eu
cd "$(dirname "$0")/.."
if [ -n "${SOURCE_DATE_EPOCH-}" ]; then
	echo "$SOURCE_DATE_EPOCH"
elif ! [ -e .git ] ||
	! git -c safe.directory='*' log -1 --format=%ct 2>/dev/null; then
	stat -c %Y NEWS.md
fi
