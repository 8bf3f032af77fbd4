# SPDX-License-Identifier: BSD-2-Clause
# fish completion for countersignd(8).

# __countersignd_after WORDS: are these the words before, without options?
function __countersignd_after
    set -l words (commandline -opc)
    test "$words[2..-1]" = "$argv"
end

# __countersignd_in COMMANDS: is it one of them?  "host/add" is a command of
# two words, "host/*" any of them.
function __countersignd_in
    set -l words (commandline -opc)
    set -q words[2]; or return 1
    set -l command $words[2]
    if contains -- $command host user
        set -q words[3]; or return 1
        set command $command/$words[3]
    end
    for pattern in $argv
        string match -q -- $pattern $command; and return 0
    end
    return 1
end

complete -c countersignd -f
complete -c countersignd -n __countersignd_after -l help -d 'list the commands'
complete -c countersignd -n __countersignd_after -l version -d 'print the version'

# commands
complete -c countersignd -n __countersignd_after -a serve -d 'run the service'
complete -c countersignd -n __countersignd_after -a host -d 'hosts and their access keys'
complete -c countersignd -n __countersignd_after -a user -d 'users and their devices'
complete -c countersignd -n __countersignd_after -a web -d 'the files of the page'
complete -c countersignd -n __countersignd_after -a backup -d 'save the database'
complete -c countersignd -n __countersignd_after -a restore -d 'bring it back'
complete -c countersignd -n '__countersignd_after host' -a add -d 'register a host, print its key'
complete -c countersignd -n '__countersignd_after host' -a list -d 'list the hosts'
complete -c countersignd -n '__countersignd_after host' -a revoke -d 'end the key of a host'
complete -c countersignd -n '__countersignd_after host' -a rotate -d 'give a host a new key'
complete -c countersignd -n '__countersignd_after user' -a list -d 'list the users'
complete -c countersignd -n '__countersignd_after user' -a show -d 'show a user and the devices'
complete -c countersignd -n '__countersignd_after user' -a remove -d 'forget a user'

# options
complete -c countersignd -n '__countersignd_in serve backup restore "host/*" "user/*"' -l config -rF -d 'another countersignd.conf'
complete -c countersignd -n '__countersignd_in web "host/*" "user/*"' -l json -d 'output for programs'
complete -c countersignd -n '__countersignd_in host/add "user/*"' -l space -x -d 'whose users they are'
complete -c countersignd -n '__countersignd_in host/add' -l rights -x -a 'approve enrol manage' -d 'what it may do'
complete -c countersignd -n '__countersignd_in host/rotate' -l overlap -x -d 'minutes that the old key lives on'
complete -c countersignd -n '__countersignd_in "user/*"' -l host -x -d 'the users that this host has'
complete -c countersignd -n '__countersignd_in web' -l list -d 'name and hash of each'

# operands
complete -c countersignd -n '__countersignd_in backup restore' -F
