# SPDX-License-Identifier: BSD-2-Clause
# bash completion for countersign-phone(1).

_countersign_phone_commands="enroll approve deny inbox watch push devices \
remove backup restore"

# The options of a command.
_countersign_phone_options()
{
	local options="--store --help" keys="--passphrase-file --ca-file"

	case $1 in
	enroll) options+=" $keys --name --no-test --yes" ;;
	approve) options+=" $keys --choice --code --device --inbox --yes" ;;
	deny) options+=" $keys --not-me --unsigned --device --inbox" ;;
	inbox) options+=" $keys --wait --json" ;;
	watch) options+=" $keys --name --once --wait --json --yes" ;;
	push) options+=" --ca-file" ;;
	devices) options+=" --json" ;;
	remove) options+=" $keys --local --yes" ;;
	backup | restore) options+=" --passphrase-file --force" ;;
	esac
	printf '%s' "$options"
}

# Has this option a value behind it?
_countersign_phone_has_value()
{
	case $1 in
	--name | --choice | --code | --device | --inbox | --wait | --store | \
		--passphrase-file | --ca-file)
		return 0
		;;
	esac
	return 1
}

# The ids of the keys in the folder $2, if any.
_countersign_phone_devices()
{
	command countersign-phone devices --json ${1:+--store "$1"} \
		2>/dev/null | sed -n 's/^ *"id": *"\([a-z2-7]*\)",*$/\1/p'
}

# _countersign_phone_value OPTION WORD STORE
_countersign_phone_value()
{
	case $1 in
	--store) compgen -d -- "$2" ;;
	--passphrase-file | --ca-file)
		compopt -o filenames 2>/dev/null
		compgen -f -- "$2"
		;;
	--device) compgen -W "$(_countersign_phone_devices "$3")" -- "$2" ;;
	--choice) compgen -W "approve" -- "$2" ;;
	esac
}

_countersign_phone()
{
	local word=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[1]} store='' i
	local words=()

	# "--code=123456" comes as three words
	for ((i = 1; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" = = ] || words+=("${COMP_WORDS[i]}")
	done
	[ "$word" != = ] || word=
	for ((i = 1; i < ${#words[@]}; i++)); do
		[ "${words[i]}" != --store ] || store=${words[i + 1]}
	done
	COMPREPLY=()
	if [ ${#words[@]} -eq 0 ]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$_countersign_phone_commands --help --version" \
			-- "$word")
	elif _countersign_phone_has_value "${words[-1]}"; then
		mapfile -t COMPREPLY < <(_countersign_phone_value \
			"${words[-1]}" "$word" "$store")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_countersign_phone_options "$name")" -- "$word")
	elif [ "$name" = remove ]; then
		mapfile -t COMPREPLY < <(_countersign_phone_value \
			--device "$word" "$store")
	elif [ "$name" = push ]; then
		mapfile -t COMPREPLY < <(compgen -W "off" -- "$word")
	elif [ "$name" = backup ] || [ "$name" = restore ]; then
		mapfile -t COMPREPLY < <(_countersign_phone_value \
			--passphrase-file "$word" "$store")
	fi
}

complete -F _countersign_phone countersign-phone
