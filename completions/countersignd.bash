# SPDX-License-Identifier: BSD-2-Clause
# bash completion for countersignd(8).

# What may follow these words: commands, else options.
_countersignd_words()
{
	case $1 in
	'') printf 'serve host user web backup restore --help --version' ;;
	serve | backup | restore) printf -- '--config' ;;
	host) printf 'add list revoke rotate' ;;
	'host add') printf -- '--space --rights --json --config' ;;
	'host list' | 'host revoke') printf -- '--json --config' ;;
	'host rotate') printf -- '--overlap --json --config' ;;
	user) printf 'list show remove' ;;
	'user list' | 'user show' | 'user remove')
		printf -- '--host --space --json --config'
		;;
	web) printf -- '--list --json' ;;
	esac
}

_countersignd()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local path

	# "--config=file" comes as three words
	if [ "$word" = = ]; then
		word=
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	case $before in
	--config)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--rights)
		mapfile -t COMPREPLY < <(compgen -W "approve enrol manage" \
			-- "$word")
		return
		;;
	--space | --host | --overlap) return ;;
	esac
	case $COMP_CWORD:${COMP_WORDS[1]} in
	1:*) path= ;;
	2:host | 2:user) path=${COMP_WORDS[1]} ;;
	*:host | *:user) path="${COMP_WORDS[1]} ${COMP_WORDS[2]}" ;;
	*) path=${COMP_WORDS[1]} ;;
	esac
	case $path:$word in
	*:-*) ;;
	backup:* | restore:*)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$(_countersignd_words "$path")" \
		-- "$word")
}

complete -F _countersignd countersignd
