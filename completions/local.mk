# SPDX-License-Identifier: BSD-2-Clause
# What the shells know of the programs; tests/completions compares it with
# what the programs say of themselves.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = \
	%D%/countersign-phone.bash \
	%D%/countersign.bash \
	%D%/countersignd.bash

zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = \
	%D%/_countersign \
	%D%/_countersign-phone \
	%D%/_countersignd

fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = \
	%D%/countersign-phone.fish \
	%D%/countersign.fish \
	%D%/countersignd.fish
