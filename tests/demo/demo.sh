#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# One login approved by a phone, from nothing: a service, a host, a user's
# phone, a question through the real PAM stack, a signature, a verdict.
#
#   demo.sh           the phone is countersign-phone, which reads the QR codes
#                     out of what the terminal printed
#   demo.sh --phone   you answer, with countersign-phone in another terminal
#
# Everything lies in one folder below /run, owned by root because a host trusts
# no other files, and is gone at the end.  /etc is not touched.  The build tree
# is $top_builddir, or the current directory.
set -eu

build=$(cd "${top_builddir:-.}" && pwd)
self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
by_hand=no
case "$*" in
'') ;;
--phone) by_hand=yes ;;
*)
	echo "usage: demo.sh [--phone]" >&2
	exit 2
	;;
esac

# The one program that "make all" leaves out, made before anybody is root.
if ! [ -x "$build/tests/support/pam-run" ]; then
	make -s -C "$build" tests/support/pam-run >/dev/null
fi
if [ "$(id -u)" -ne 0 ]; then
	exec sudo top_builddir="$build" sh "$self" "$@"
fi

user=${SUDO_USER:-daemon}
service_pid='' phone_pid=''
dir=$(mktemp -d /run/countersign-demo.XXXXXXXX)

clean_up() {
	status=$?
	trap - EXIT
	trap '' HUP INT PIPE TERM
	set +e
	for pid in $phone_pid $service_pid; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	if [ "$status" -ne 0 ]; then
		echo
		echo "The demo failed.  What the service said:"
		cat "$dir/service.log" 2>/dev/null
	fi >&2
	rm -rf "$dir"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
chmod 0755 "$dir"

# --- the programs ------------------------------------------------------------

# A program of the build tree, not libtool's wrapper around it.
program() {
	if [ -x "$build/$(dirname "$1")/.libs/$(basename "$1")" ]; then
		echo "$build/$(dirname "$1")/.libs/$(basename "$1")"
	else
		echo "$build/$1"
	fi
}

LD_LIBRARY_PATH=$build/lib/.libs
export LD_LIBRARY_PATH
countersign=$(program cli/countersign)
countersignd=$(program service/countersignd)
phone=$(program cli/phone/countersign-phone)
pam_run=$(program tests/support/pam-run)
module=$build/pam/.libs/pam_countersign.so
# A host runs a courier only where nobody but root can write.
install -m 0755 "$(program lib/courier/courier)" "$dir/courier"

# --- how it is told -----------------------------------------------------------

step=0
say() {
	step=$((step + 1))
	printf '\n\033[1m%d. %s\033[0m\n\n' "$step" "$*" |
		if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi
}

indent() {
	sed 's/^/   /'
}

# What the computer's screen shows, for a camera to see.
screen() {
	tee -a "$dir/screen"
}

# What the phone has shown since the last time.
phone_told=0
phone_says() {
	[ "$by_hand" = no ] || return 0
	sed -n "$((phone_told + 1)),\$p" "$dir/phone.log" |
		sed -e '/./,$!d' -e 's/^/   phone | /'
	phone_told=$(wc -l <"$dir/phone.log")
}

fail() {
	echo "demo.sh: $*" >&2
	exit 1
}

# Where the service listens, as soon as it says so, at most 10 s.
service_url() {
	tries=200
	while [ "$tries" -gt 0 ]; do
		url=$(sed -n 's/.*event=ready.* listen=\([^ ]*\).*/\1/p' \
			"$dir/service.log")
		[ -z "$url" ] || return 0
		tries=$((tries - 1))
		sleep 0.05
	done
	fail "the service did not start"
}

# --- 1: the service ------------------------------------------------------------

say "A service that carries questions and answers, and can read neither."
mkdir -m 0700 "$dir/service" "$dir/phone"
cat >"$dir/countersignd.conf" <<END
listen = 127.0.0.1:0
database = $dir/service/countersignd.db
END
: >"$dir/service.log"
"$countersignd" serve --config "$dir/countersignd.conf" \
	>>"$dir/service.log" 2>&1 &
service_pid=$!
service_url
echo "countersignd listens on $url, with SQLite in $dir." | indent

# --- 2: the host ----------------------------------------------------------------

say "This host gets an access key from the service, and a configuration."
cat >"$dir/settings" <<END
courier = $dir/courier
courier_user = nobody
state_dir = $dir/state
audit_file = $dir/audit.log
audit_syslog = no
device_kinds = webauthn p256
END
"$countersignd" host add demo --config "$dir/countersignd.conf" \
	>"$dir/added" 2>"$dir/added.log" || {
	cat "$dir/added.log" >&2
	exit 1
}
grep -Eo '[A-Za-z0-9_-]{43}' "$dir/added" | tail -n 1 >"$dir/key"
"$countersign" init --config "$dir/countersign.conf" --service "$url" \
	--settings "$dir/settings" --access-key-file "$dir/key" | indent
rm -f "$dir/added" "$dir/key"

# --- 3: the phone ---------------------------------------------------------------

: >"$dir/screen"
if [ "$by_hand" = yes ]; then
	say "Your phone becomes a device of $user's."
	{
		echo "In another terminal, as root or not, run"
		echo
		echo "   $phone enroll --store ~/.countersign-demo"
		echo "   $phone approve --store ~/.countersign-demo"
		echo
		echo "the first one now, the second one for the login, and paste"
		echo "the link that is below the QR code."
	} | indent
	"$countersign" enroll --config "$dir/countersign.conf" "$user"
else
	say "A phone looks at the screen and becomes a device of $user's."
	tr -dc 'a-z0-9' </dev/urandom | head -c 24 >"$dir/passphrase"
	chmod 0600 "$dir/passphrase"
	"$phone" watch - --yes --name "demo phone" --store "$dir/phone" \
		--passphrase-file "$dir/passphrase" <"$dir/screen" \
		>"$dir/phone.log" 2>&1 &
	phone_pid=$!
	"$countersign" enroll --yes --config "$dir/countersign.conf" "$user" |
		screen
	grep -q '^Enrolled' "$dir/screen" || fail "nothing was enrolled"
	echo
	phone_says
fi

# --- 4: the login ---------------------------------------------------------------

say "Somebody logs in as $user.  PAM puts the question, as a QR code."
mkdir "$dir/pam.d"
cat >"$dir/pam.d/login" <<END
auth     required  $module  config=$dir/countersign.conf
account  required  pam_permit.so
END
tty=$(tty) || tty=tty1
"$pam_run" --confdir "$dir/pam.d" --service login --user "$user" \
	--tty "$tty" --interactive \
	</dev/null 2>&1 | screen
grep -q 'result: authenticate PAM_SUCCESS' "$dir/screen" ||
	fail "the login was refused"
echo
phone_says

# --- 5: the verdict --------------------------------------------------------------

say "The verdict, from the signature alone, and the audit record of it."
grep 'result: authenticate' "$dir/screen" | indent
tail -n 1 "$dir/audit.log" | indent
echo
echo "Nothing of this is left behind; /etc was not touched."
