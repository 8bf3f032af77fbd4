# SPDX-License-Identifier: BSD-2-Clause
# fish completion for countersign(1).  Users and devices come from the program
# itself, and only root is asked: nobody else could read them.

# The words behind "countersign COMMAND" that are no options.
function __countersign_operands
    set -l valued --config --service --access-key-file --settings --name --qr \
        --list --title --detail --choice --since --lines --root \
        --file --evidence
    set -l words (commandline -opc)
    set -l skip no
    for word in $words[3..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word $valued
            set skip yes
        else if not string match -q -- '--*' $word
            echo $word
        end
    end
end

# __countersign_at COMMANDS NUMBER: is this operand number of one of them next?
function __countersign_at
    set -l words (commandline -opc)
    set -q words[2]; or return 1
    contains -- $words[2] (string split ' ' -- $argv[1])
    and test (count (__countersign_operands)) -eq (math $argv[2] - 1)
end

# __countersign_in COMMANDS: is it one of them?
function __countersign_in
    set -l words (commandline -opc)
    set -q words[2]; and contains -- $words[2] $argv
end

# One member of every device: user or id, of a user perhaps.
function __countersign_member
    test (id -u) -eq 0; and command -q countersign; or return
    command countersign devices --json -- $argv[2..-1] 2>/dev/null |
        string match -rg '^ *"'$argv[1]'": *"([A-Za-z0-9_.@+-]*)",*$' |
        sort -u
end

function __countersign_stacks
    for file in /etc/pam.d/*
        string replace -r '.*/' '' -- $file
    end
end

complete -c countersign -f
complete -c countersign -n __fish_use_subcommand -l help -d 'list the commands'
complete -c countersign -n __fish_use_subcommand -l version -d 'print the version'

# commands
complete -c countersign -n __fish_use_subcommand -a init -d 'prepare this host to use a service'
complete -c countersign -n __fish_use_subcommand -a enroll -d 'enrol a device for a user'
complete -c countersign -n __fish_use_subcommand -a devices -d 'list the devices of one user or of all'
complete -c countersign -n __fish_use_subcommand -a rename -d 'give a device another name'
complete -c countersign -n __fish_use_subcommand -a revoke -d 'remove one device'
complete -c countersign -n __fish_use_subcommand -a deenroll -d 'remove every device of a user'
complete -c countersign -n __fish_use_subcommand -a recovery -d 'make new recovery codes for a user'
complete -c countersign -n __fish_use_subcommand -a ask -d 'ask a question'
complete -c countersign -n __fish_use_subcommand -a test -d 'ask for an approval that grants nothing'
complete -c countersign -n __fish_use_subcommand -a log -d 'who approved what'
complete -c countersign -n __fish_use_subcommand -a check -d 'look for what could lock somebody out'
complete -c countersign -n __fish_use_subcommand -a check-config -d 'check configuration and files'
complete -c countersign -n __fish_use_subcommand -a pam -d 'put the module into a PAM stack'
complete -c countersign -n __fish_use_subcommand -a backup -d 'save devices and state'
complete -c countersign -n __fish_use_subcommand -a restore -d 'bring them back'
complete -c countersign -n __fish_use_subcommand -a verify-page -d 'is it the released page?'
complete -c countersign -n __fish_use_subcommand -a agent -d 'serve one user\'s call'

# options
complete -c countersign -n 'not __fish_use_subcommand' -l config -rF -d 'another countersign.conf'
complete -c countersign -n 'not __fish_use_subcommand' -l help -d 'list the options'
complete -c countersign -n '__countersign_in init' -l service -x -d 'the approval service'
complete -c countersign -n '__countersign_in init' -l access-key-file -rF -d 'read the access key there'
complete -c countersign -n '__countersign_in init' -l settings -rF -d 'further lines of countersign.conf'
complete -c countersign -n '__countersign_in init check pam' -l root -x -a '(__fish_complete_directories)' -d 'a host whose / is there'
complete -c countersign -n '__countersign_in enroll' -l name -x -d 'name of the device'
complete -c countersign -n '__countersign_in enroll deenroll recovery' -l yes -d 'ask nothing on the terminal'
complete -c countersign -n '__countersign_in enroll revoke deenroll ask test' -l qr -x -a 'utf8 ascii off' -d 'how the QR code is drawn'
complete -c countersign -n '__countersign_in enroll revoke deenroll ask test' -l inverse -d 'dark text on a light background'
complete -c countersign -n '__countersign_in enroll revoke deenroll ask test' -l print-link -d 'print the link, draw no QR code'
complete -c countersign -n '__countersign_in revoke' -l force -d 'also the last device of the user'
complete -c countersign -n '__countersign_in pam' -l force -d 'without a second way in'
complete -c countersign -n '__countersign_in backup' -l force -d 'replace the file'
complete -c countersign -n '__countersign_in ask' -l title -x -d 'the question'
complete -c countersign -n '__countersign_in ask' -l detail -x -d 'a line of it: LABEL=VALUE'
complete -c countersign -n '__countersign_in ask' -l choice -x -a approve -d 'an answer that grants'
complete -c countersign -n '__countersign_in ask' -l no-push -d 'ring no phone; the link alone'
complete -c countersign -n '__countersign_in log' -l since -x -a 'today 1h 1d 1w' -d 'not what is older'
complete -c countersign -n '__countersign_in log' -l lines -x -d 'the newest only'
complete -c countersign -n '__countersign_in log' -l verify -d 'check the signature of every answer'
complete -c countersign -n '__countersign_in log' -l file -rF -d 'another audit file'
complete -c countersign -n '__countersign_in log' -l evidence -rF -d 'another evidence file'
complete -c countersign -n '__countersign_in pam restore' -l dry-run -d 'say what would be done'
complete -c countersign -n '__countersign_in restore' -l with-recovery -d 'also recovery codes'
complete -c countersign -n '__countersign_in check verify-page' -l list -rF -d 'another list of hashes'
complete -c countersign -n '__countersign_in enroll devices rename revoke deenroll recovery ask test log check check-config pam restore verify-page' -l json -d 'output for programs'

# operands
complete -c countersign -n '__countersign_at "enroll test ask recovery" 1' -a '(__fish_complete_users)'
complete -c countersign -n '__countersign_at "devices rename revoke deenroll log" 1' -a '(__countersign_member user)'
complete -c countersign -n '__countersign_at "rename revoke" 2' -a '(__countersign_member id (__countersign_operands)[1])'
complete -c countersign -n '__countersign_at pam 1' -a 'enable disable show'
complete -c countersign -n '__countersign_at pam 2' -a '(__countersign_stacks)'
complete -c countersign -n '__countersign_at "check-config backup restore" 1' -F
