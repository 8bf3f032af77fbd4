# SPDX-License-Identifier: BSD-2-Clause
# For an interactive zsh -f: what Tab would offer goes to the file $CAPTURE,
# a line each, and then a line "." when Tab is done.
fpath=($COMPLETIONS $fpath)
autoload -Uz compinit
compinit -u -D
LISTMAX=100000
PS1='ready> '
unsetopt beep

# The completion system hands everything over by compadd.  The calls that only
# ask (-A, -O, -D) are left alone.
compadd() {
	local -a offered

	if [[ -z ${argv[(r)-(A|O|D)]} ]]; then
		builtin compadd -A offered "$@"
		(( $#offered )) && print -rl -- $offered >>$CAPTURE
	fi
	builtin compadd "$@"
}

capture() {
	zle complete-word
	print . >>$CAPTURE
	zle kill-whole-line
}
zle -N capture
bindkey '^X' capture
