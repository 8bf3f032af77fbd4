# SPDX-License-Identifier: BSD-2-Clause
# fish completion for countersign-phone(1).

# __countersign_phone_in COMMANDS: is it one of them?
function __countersign_phone_in
    set -l words (commandline -opc)
    set -q words[2]; and contains -- $words[2] $argv
end

function __countersign_phone_devices
    command -q countersign-phone; or return
    set -l words (commandline -opc)
    set -l store
    if set -l at (contains -i -- --store $words); and set -q words[(math $at + 1)]
        set store --store $words[(math $at + 1)]
    end
    command countersign-phone devices --json $store 2>/dev/null |
        string match -rg '^ *"id": *"([a-z2-7]*)",*$'
end

complete -c countersign-phone -f
complete -c countersign-phone -n __fish_use_subcommand -l help -d 'list the commands'
complete -c countersign-phone -n __fish_use_subcommand -l version -d 'print the version'

# commands
complete -c countersign-phone -n __fish_use_subcommand -a enroll -d 'become a device of a user'
complete -c countersign-phone -n __fish_use_subcommand -a approve -d 'show a question and answer it'
complete -c countersign-phone -n __fish_use_subcommand -a deny -d 'show a question and deny it'
complete -c countersign-phone -n __fish_use_subcommand -a inbox -d 'list the questions that wait for this phone'
complete -c countersign-phone -n __fish_use_subcommand -a watch -d 'ring and ask whenever a question comes'
complete -c countersign-phone -n __fish_use_subcommand -a push -d 'have this phone woken up at an address'
complete -c countersign-phone -n __fish_use_subcommand -a devices -d 'list what this phone has enrolled for'
complete -c countersign-phone -n __fish_use_subcommand -a remove -d 'end this phone\'s part in an account'
complete -c countersign-phone -n __fish_use_subcommand -a backup -d 'save this phone in an encrypted file'
complete -c countersign-phone -n __fish_use_subcommand -a restore -d 'bring a saved phone back'

# options
complete -c countersign-phone -n 'not __fish_use_subcommand' -l store -x -a '(__fish_complete_directories)' -d 'folder of the keys'
complete -c countersign-phone -n 'not __fish_use_subcommand' -l help -d 'list the options'
complete -c countersign-phone -n '__countersign_phone_in enroll approve deny inbox watch remove backup restore' -l passphrase-file -rF -d 'read the passphrase there'
complete -c countersign-phone -n '__countersign_phone_in enroll approve deny inbox watch push remove' -l ca-file -rF -d 'trust these certificates only'
complete -c countersign-phone -n '__countersign_phone_in enroll watch' -l name -x -d 'name of this phone'
complete -c countersign-phone -n '__countersign_phone_in enroll approve watch remove' -l yes -d 'answer yes without asking'
complete -c countersign-phone -n '__countersign_phone_in enroll' -l no-test -d 'leave the test question to approve'
complete -c countersign-phone -n '__countersign_phone_in approve' -l choice -x -a approve -d 'answer this instead of approve'
complete -c countersign-phone -n '__countersign_phone_in approve' -l code -x -d 'the six digits of the terminal'
complete -c countersign-phone -n '__countersign_phone_in approve deny' -l device -x -a '(__countersign_phone_devices)' -d 'sign with this device'
complete -c countersign-phone -n '__countersign_phone_in deny' -l not-me -d 'somebody else is at it'
complete -c countersign-phone -n '__countersign_phone_in deny' -l unsigned -d 'deny without a key'
complete -c countersign-phone -n '__countersign_phone_in watch' -l once -d 'end after the first question'
complete -c countersign-phone -n '__countersign_phone_in approve deny' -l inbox -x -d 'the question of the inbox with this id'
complete -c countersign-phone -n '__countersign_phone_in inbox watch' -l wait -x -d 'wait so long for a question'
complete -c countersign-phone -n '__countersign_phone_in devices inbox watch' -l json -d 'output for programs'
complete -c countersign-phone -n '__countersign_phone_in remove' -l local -d 'forget it here and tell nobody'
complete -c countersign-phone -n '__countersign_phone_in backup restore' -l force -d 'replace what is there'

# operands
complete -c countersign-phone -n '__countersign_phone_in remove' -a '(__countersign_phone_devices)'
complete -c countersign-phone -n '__countersign_phone_in backup restore' -F
complete -c countersign-phone -n '__countersign_phone_in push' -a off -d 'not any more'
complete -c countersign-phone -n '__countersign_phone_in watch' -a - -d 'links in standard input'
