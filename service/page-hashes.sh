#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Writes the hashes of the page's files into its service worker: after a change
# of any of them (make page-hashes).
#
#   page-hashes.sh FOLDER FILE...
set -eu
cd "$1"
shift
list=$(mktemp)
trap 'rm -f "$list"' EXIT
for file in "$@"; do
	case $file in
	sw.js | service.json | icon-*.png) continue ;;
	index.html) path=/ ;;
	*) path=/$file ;;
	esac
	hash=$(openssl dgst -sha256 -binary "$file" | openssl base64)
	printf '\t"%s": "%s",\n' "$path" "$hash"
done >"$list"
awk -v list="$list" '
/^const FILES = \{$/ {
	print
	while ((getline line <list) > 0)
		print line
	inside = 1
}
/^\};$/ { inside = 0 }
!inside { print }
' sw.js >"$list.new"
cmp -s sw.js "$list.new" || cat "$list.new" >sw.js
rm -f "$list.new"
