# SPDX-License-Identifier: BSD-2-Clause
# bash completion for countersign(1).  Users and devices come from the program
# itself, and only root is asked: nobody else could read them.

_countersign_commands="init enroll devices rename revoke deenroll recovery ask
	test log check check-config pam backup restore verify-page agent"

# The options of a command.
_countersign_options()
{
	local options="--config --help"

	case $1 in
	init) options+=" --service --access-key-file --settings --root" ;;
	enroll) options+=" --name --yes --qr --inverse --print-link --json" ;;
	devices | rename) options+=" --json" ;;
	revoke) options+=" --force --qr --inverse --print-link --json" ;;
	deenroll) options+=" --yes --qr --inverse --print-link --json" ;;
	recovery) options+=" --yes --json" ;;
	ask)
		options+=" --title --detail --choice --qr --inverse"
		options+=" --print-link --no-push --json"
		;;
	test) options+=" --qr --inverse --print-link --json" ;;
	log) options+=" --since --lines --verify --file --evidence --json" ;;
	check) options+=" --list --root --json" ;;
	pam) options+=" --dry-run --force --root --json" ;;
	backup) options+=" --force" ;;
	check-config) options+=" --json" ;;
	restore) options+=" --dry-run --with-recovery --json" ;;
	verify-page) options+=" --list --json" ;;
	esac
	printf '%s' "$options"
}

# Has this option a value behind it?
_countersign_has_value()
{
	case $1 in
	--config | --service | --access-key-file | --settings | --name | --qr | \
		--list | --title | --detail | --choice | --since | --lines | \
		--root | --file | --evidence)
		return 0
		;;
	esac
	return 1
}

# One member of every device: _countersign_member user|id [USER].  compgen -W
# expands its words like a command line, so no other characters get there.
_countersign_member()
{
	local member=$1

	shift
	[ "$EUID" -eq 0 ] || return 0
	command countersign devices --json ${config:+--config "$config"} \
		-- "$@" 2>/dev/null |
		sed -n "s/^ *\"$member\": *\"\([A-Za-z0-9_.@+-]*\)\",*\$/\1/p" |
		sort -u
}

_countersign_value()
{
	case $1 in
	--config | --access-key-file | --settings | --list | --file | --evidence)
		compopt -o filenames 2>/dev/null
		compgen -f -- "$2"
		;;
	--root) compgen -d -- "$2" ;;
	--qr) compgen -W "utf8 ascii off" -- "$2" ;;
	--since) compgen -W "today 1h 1d 1w" -- "$2" ;;
	--choice) compgen -W "approve" -- "$2" ;;
	esac
}

# _countersign_operand COMMAND NUMBER WORD FIRST-OPERAND
_countersign_operand()
{
	case $1:$2 in
	enroll:1 | test:1 | ask:1 | recovery:1) compgen -u -- "$3" ;;
	devices:1 | rename:1 | revoke:1 | deenroll:1 | log:1)
		compgen -W "$(_countersign_member user)" -- "$3"
		;;
	rename:2 | revoke:2)
		compgen -W "$(_countersign_member id "$4")" -- "$3"
		;;
	pam:1) compgen -W "enable disable show" -- "$3" ;;
	pam:2) (cd /etc/pam.d 2>/dev/null && compgen -f -- "$3") ;;
	check-config:1 | backup:1 | restore:1)
		compopt -o filenames 2>/dev/null
		compgen -f -- "$3"
		;;
	esac
}

_countersign()
{
	local word=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[1]} config='' i
	local words=() operands=()

	# "--qr=utf8" comes as three words
	for ((i = 1; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" = = ] || words+=("${COMP_WORDS[i]}")
	done
	[ "$word" != = ] || word=
	for ((i = 1; i < ${#words[@]}; i++)); do
		if _countersign_has_value "${words[i]}"; then
			[ "${words[i]}" != --config ] || config=${words[i + 1]}
			((i++))
		elif [[ ${words[i]} != --* ]]; then
			operands+=("${words[i]}")
		fi
	done
	if [ ${#words[@]} -eq 0 ]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$_countersign_commands --help --version" -- "$word")
	elif _countersign_has_value "${words[-1]}"; then
		mapfile -t COMPREPLY < <(_countersign_value "${words[-1]}" \
			"$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_countersign_options "$name")" -- "$word")
	else
		mapfile -t COMPREPLY < <(_countersign_operand "$name" \
			$((${#operands[@]} + 1)) "$word" "${operands[0]}")
	fi
}

complete -F _countersign countersign
