# SPDX-License-Identifier: BSD-2-Clause
"""What the phone is told, and who is asked."""
import os

import pytest

import pamrun

CONNECTION = "SSH_CONNECTION=203.0.113.7 50022 198.51.100.1 22"
PASSED = "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAAC3Nza\npassword\n"


@pytest.fixture(name="stack")
def make_stack():
    with pamrun.Stack() as stack:
        yield stack.play("wait OK", "setting timestamp_timeout 15")


def test_ssh(stack):
    result = stack.run("--tty", "ssh", "--rhost", "evil.example", "--env",
                       CONNECTION, "--env", PASSED, service="sshd")
    assert result.sent("title") == f"Log in to web1 by SSH as {pamrun.USER}"
    assert result.sent("user") == pamrun.USER
    assert result.sent("service") == "sshd"
    assert result.sent("tty") == "ssh"
    assert result.sent("rhost") == "203.0.113.7"
    assert result.sent("From") == "203.0.113.7 port 50022"
    assert result.sent("From (name, unverified)") == "evil.example"
    assert result.sent("Already passed") == "publickey ssh-ed25519, password"
    assert "more sessions" in result.sent("Allows")
    assert result.sent("unproven") == "no"
    assert result.sent("proven") == "yes"
    assert result.field("rhost") == "203.0.113.7"


@pytest.mark.parametrize("connection", [
    None, "SSH_CONNECTION=", "SSH_CONNECTION=localhost 1 2 3",
    "SSH_CONNECTION=203.0.113.7.evil.example 1 ::1 22",
    "SSH_CONNECTION=" + "1" * 100])
def test_ssh_without_an_address(stack, connection):
    """D9: a name is never taken for an address."""
    env = [] if connection is None else ["--env", connection]
    result = stack.run("--tty", "ssh", "--rhost", "localhost", *env,
                       service="sshd")
    assert result.sent("From") is None
    assert result.sent("From (name, unverified)") == "localhost"
    assert result.sent("Already passed") == "nothing yet"
    assert result.sent("unproven") == "yes"


@pytest.mark.parametrize("options,service,option,proven,unproven", [
    (["--tty", "ssh"], "sshd", "", "no", "yes"),
    (["--tty", "ssh"], "sshd", "after_first_factor", "yes", "no"),
    (["--rhost", "192.0.2.9"], "ftp", "", "no", "yes"),
    (["--rhost", "192.0.2.9"], "ftp", "after_first_factor", "yes", "no"),
    # Only sshd says what was passed; for others it is a variable like any.
    (["--rhost", "192.0.2.9", "--env", PASSED], "ftp", "", "no", "yes"),
    (["--tty", "tty1"], "login", "", "no", "no"),
    (["--tty", "tty1", "--env", PASSED], "login", "", "no", "no"),
    (["--tty", "tty1"], "login", "after_first_factor", "yes", "no"),
])
def test_first_factor(stack, options, service, option, proven, unproven):
    """RL-1, ENR-1: what counts as one that was passed in this login."""
    stack.service(service, stack.line(options=option))
    result = stack.run(*options, service=service)
    assert result.sent("proven") == proven
    assert result.sent("unproven") == unproven
    if "ssh" in options:
        assert result.sent("Already passed") == (
            "a first factor" if option else "nothing yet")


def test_ssh_address_given_twice(stack):
    for address in ("203.0.113.7", "2001:db8::1", "fe80::1%eth0"):
        result = stack.run("--tty", "ssh", "--rhost", address, "--env",
                           f"SSH_CONNECTION={address} 5 ::1 22",
                           service="sshd")
        assert result.sent("From") == f"{address} port 5"
        assert result.sent("From (name, unverified)") is None


def sudo(stack, *argv, options=()):
    return stack.run("--tty", "/dev/pts/3", "--ruser", "alice", *options,
                     service="sudo", argv=argv)


def test_sudo(stack):
    result = sudo(stack, "sudo", "-u", "bob", "systemctl", "restart", "a b")
    assert result.sent("title") == "Run a command as bob on web1"
    assert result.sent("Command (as typed)") == "systemctl restart 'a b'"
    assert result.sent("Run as") == "bob"
    assert result.sent("Asked for by") == "alice"
    assert result.sent("Directory") == os.getcwd()
    assert result.sent("Terminal") == "/dev/pts/3"
    assert result.sent("unproven") == "no"
    assert "15 minutes" in result.sent("Allows")


def test_sudo_is_not_told_by_the_environment(stack):
    """T15, D6: SUDO_COMMAND is the caller's to write."""
    env = {"SUDO_COMMAND": "/bin/true", "SUDO_USER": "mallory"}
    result = stack.run("--tty", "t", "--env", "SUDO_COMMAND=/bin/true",
                       service="sudo", argv=("sudo", "rm", "x"), env=env)
    assert result.sent("Command (as typed)") == "rm x"
    assert not any("true" in line or "mallory" in line
                   for line in result.record)


@pytest.mark.parametrize("argv,title,label,text", [
    (["sudo"], "Open a shell as root on web1", "Command (as typed)",
     "an interactive shell"),
    (["sudo", "-iu", "bob"], "Open a shell as bob on web1",
     "Command (as typed)", "an interactive shell"),
    (["sudoedit", "/etc/fstab"], "Edit files as root on web1",
     "Files (as typed)", "/etc/fstab"),
    (["sudo", "-l"], "List the sudo rights on web1",
     "Command line (as typed)", "sudo -l"),
    (["sudo", "-v"], "Renew the sudo rights on web1",
     "Command line (as typed)", "sudo -v"),
    (["sudo", "--new-option", "id"], "Use sudo on web1",
     "Command line (as typed)", "sudo --new-option id"),
    (["sudo", "-g", "adm", "id"], f"Run a command as {pamrun.USER} on web1",
     "Group", "adm"),
    (["sudo", "-D", "/srv", "id"], "Run a command as root on web1",
     "Changes directory to", "/srv"),
    (["sudo", "-R", "/jail", "id"], "Run a command as root on web1",
     "Changes root to", "/jail"),
])
def test_sudo_forms(stack, argv, title, label, text):
    result = sudo(stack, *argv)
    assert result.sent("title") == title
    assert result.sent(label) == text


def test_sudo_scope(stack):
    """UX-6: what one yes covers."""
    assert "5 minutes" in sudo(stack, "sudo", "id").sent("Allows")
    assert sudo(stack, "sudo", "-N", "id").sent("Allows") == \
        "this command only"
    stack.play("wait OK", "setting timestamp_timeout 0")
    assert sudo(stack, "sudo", "id").sent("Allows") == "this command only"
    assert sudo(stack, "sudo", "-i").sent("Allows") == \
        "everything typed in this shell only"


@pytest.mark.parametrize("argv,title,label,text,target", [
    (("doas", "-u", "bob", "systemctl", "restart", "a b"),
     "Run a command as bob on web1", "Command (as typed)",
     "systemctl restart 'a b'", "bob"),
    (("doas", "-s"), "Open a shell as root on web1", "Command (as typed)",
     "an interactive shell", "root"),
    (("doas", "-x", "id"), "Use doas on web1", "Command line (as typed)",
     "doas -x id", "root"),
])
def test_doas(stack, argv, title, label, text, target):
    result = stack.run("--tty", "pts/3", "--ruser", "alice", service="doas",
                       argv=argv)
    assert result.sent("title") == title
    assert result.sent(label) == text
    assert result.sent("Run as") == target
    assert result.sent("Asked for by") == "alice"
    assert result.sent("Directory") == os.getcwd()
    assert result.sent("Terminal") == "pts/3"
    assert result.sent("unproven") == "no"
    assert "until 5 minutes after the last one, if doas.conf says persist" in \
        result.sent("Allows")
    assert "sudo" not in result.sent("Allows")


@pytest.mark.parametrize("service,argv,by,found", [
    ("sudo", ("sudo", "-s"), True, False),
    ("sudo", ("sudo", "-s", "uptime"), True, False),
    ("sudo", ("sudo", "-i"), False, False),
    ("doas", ("doas", "-s"), True, False),
    ("doas", ("doas", "id"), False, True),
    ("doas", ("doas", "/bin/id"), False, False),
    ("su", ("su", "-p", "-c", "id"), True, False),
    ("su", ("su", "-c", "id"), False, False),
])
def test_what_the_callers_environment_decides(stack, service, argv, by, found):
    """Words that do not say what is run come with a line that says so."""
    result = stack.run("--tty", "pts/3", service=service, argv=argv)
    assert result.asked == 1
    assert (result.sent("Run by") is not None) == by
    assert (result.sent("Found in") is not None) == found


def test_doas_scope(stack):
    stack.play("wait OK", "setting timestamp_timeout 0")
    result = stack.run("--tty", "pts/3", service="doas", argv=("doas", "id"))
    assert result.sent("Allows") == "this command only"


def test_doas_with_input_from_elsewhere(stack):
    """It names no terminal then, though there may be one: shown, not rung."""
    result = stack.run(service="doas", argv=("doas", "tee", "/etc/motd"))
    assert (result.code, result.asked) == ("PAM_SUCCESS", 1)
    assert result.sent("push") == "no"


def test_sudo_long_command(stack):
    """All of it goes to the library, which shortens it with a digest."""
    words = ["x" * 1000] * 20
    result = sudo(stack, "sudo", "rm", *words)
    assert result.sent("Command (as typed)") == "rm " + " ".join(words)


@pytest.mark.parametrize("service", ["sudo", "sudo-i", "su", "su-l"])
def test_nobody_there(stack, service):
    """UX-11: no terminal, no question."""
    for tty in ([], ["--tty", ""]):
        result = stack.run(*tty, service=service, argv=("sudo", "id"))
        assert result.code == "PAM_CONV_ERR"
        assert result.field("reason") == "NO_TERMINAL"
        assert result.asked == 0
        assert not result.texts("delay")


@pytest.mark.parametrize("argv", [
    ("sudo", "-n", "id"), ("sudo", "-Hnu", "bob", "id"),
    ("sudo", "--non-interactive", "id"), ("sudo", "A=b", "-n", "id"),
    ("sudo", "-n", "--new-option")])
def test_sudo_n(stack, argv):
    result = sudo(stack, *argv)
    assert result.code == "PAM_CONV_ERR"
    assert result.field("reason") == "NO_TERMINAL"
    assert result.asked == 0


def test_sudo_n_of_the_command_is_not_sudos(stack):
    assert sudo(stack, "sudo", "xargs", "-n", "1").code == "PAM_SUCCESS"


# --- may phones ring? --------------------------------------------------------

NOBODY = "nobody"  # tap is never for root
TAP = ("setting present none", "setting push_confirm tap")


@pytest.mark.parametrize("options,service,push", [
    (["--tty", "ssh"], "sshd", "yes"), (["--tty", "pts/3"], "sudo", "yes"),
    (["--tty", "tty1"], "login", "yes"),
    # UX-11: nobody there, as far as anybody can know.
    ([], "polkit", "no"), (["--tty", ""], "login", "no"),
    (["--rhost", "192.0.2.9"], "ftp", "no"),
    (["--tty", "tty1", "--conv", "null"], "login", "no"),
])
@pytest.mark.parametrize("confirm", ["code", "tap"])
def test_push(stack, options, service, push, confirm):
    stack.play("wait OK", f"setting push_confirm {confirm}")
    result = stack.run(*options, service=service, argv=("sudo", "id"))
    assert result.sent("push") == push


def test_no_conversation_is_no_reason_to_ring(stack):
    result = stack.run("--tty", "tty1", "--conv", "null")
    assert (result.code, result.sent("push")) == ("PAM_CONV_ERR", "no")


@pytest.mark.parametrize("lines,options,service,user,push", [
    (TAP, ["--tty", "ssh", "--env", PASSED], "sshd", NOBODY, "yes"),
    (TAP, ["--tty", "pts/3"], "sudo", NOBODY, "yes"),
    (TAP, [], "other-local", NOBODY, "yes"),
    # Nobody reads a code that is not shown, and root is always asked for one,
    (("setting present none",), ["--tty", "ssh", "--env", PASSED], "sshd",
     NOBODY, "no"),
    (("setting present none", "setting push_confirm code"),
     ["--tty", "pts/3"], "sudo", NOBODY, "no"),
    (TAP, ["--tty", "pts/3"], "sudo", "root", "no"),
    # and so is who has proven nothing (RL-7).
    (TAP, ["--tty", "ssh"], "sshd", NOBODY, "no"),
    (TAP, ["--rhost", "192.0.2.9"], "vpn", NOBODY, "no"),
    (TAP, ["--tty", "ssh"], "sshd", "no-such-user", "no"),
])
def test_push_where_nothing_is_shown(stack, lines, options, service, user,
                                     push):
    stack.play("wait OK", "rings 1", *lines)
    result = stack.run(*options, service=service, user=user,
                       argv=("sudo", "id"))
    assert result.sent("push") == push


def test_push_where_nothing_is_shown_after_a_first_factor(stack):
    """A VPN's password line before ours."""
    stack.play("wait OK", "rings 1", *TAP)
    stack.service("vpn", stack.line(options="after_first_factor"))
    result = stack.run("--rhost", "192.0.2.9", service="vpn", user=NOBODY)
    assert result.sent("push") == "yes"


def test_push_to_the_caller_who_is_no_root(stack):
    """identity = ruser: it is the caller's phone that rings."""
    stack.play("wait OK", "rings 1", "setting identity ruser", *TAP)
    result = stack.run("--tty", "pts/3", "--ruser", NOBODY, service="su",
                       argv=("su",))
    assert (result.sent("user"), result.sent("push")) == (NOBODY, "yes")


def test_su(stack):
    result = stack.run("--tty", "pts/3", "--ruser", "alice", service="su",
                       argv=("su", "-", "bob", "-c", "id -u"))
    assert result.sent("title") == f"Become {pamrun.USER} on web1"
    assert result.sent("Command (as typed)") == "id -u"
    assert result.sent("Run as") == pamrun.USER
    assert result.sent("Asked for by") == "alice"
    assert result.sent("user") == pamrun.USER


def test_other_services(stack):
    result = stack.run("--tty", "tty1", service="login")
    assert result.sent("title") == f"Log in to web1 as {pamrun.USER}"
    assert result.sent("unproven") == "no"
    result = stack.run("--rhost", "192.0.2.9", "--ruser", "claims",
                       service="ftp")
    assert result.sent("title") == f"Use ftp on web1 as {pamrun.USER}"
    assert result.sent("From (unverified)") == "192.0.2.9"
    assert result.sent("Asked for by (unverified)") == "claims"
    assert result.sent("unproven") == "yes"


def test_identity(stack):
    stack.play("wait OK", "setting identity ruser")
    result = stack.run("--tty", "pts/3", "--ruser", "alice", service="su",
                       argv=("su",))
    assert result.sent("user") == "alice"
    assert result.sent("title") == f"Become {pamrun.USER} on web1"
    assert result.field("user") == pamrun.USER
    assert result.field("asked") == "alice"


def test_identity_needs_a_caller_on_this_host(stack):
    """Over a network PAM_RUSER is what the other side says."""
    stack.play("wait OK", "setting identity ruser")
    for options, service in (
            (["--tty", "pts/3"], "su"),
            (["--ruser", "alice", "--rhost", "192.0.2.9"], "rlogin"),
            (["--ruser", "alice", "--tty", "ssh"], "sshd")):
        result = stack.run(*options, service=service, argv=("su",))
        assert result.code == "PAM_AUTHINFO_UNAVAIL"
        assert result.asked == 0
        assert "identity = ruser" in result.field("why")


def test_hostile_names(stack):
    """Nothing here breaks a limit; the library makes them harmless."""
    name = "\u202e\x1b]52;" + "x" * 300
    result = stack.run("--rhost", "h" * 900, user=name)
    assert result.asked == 1
    assert len(result.sent("title").encode()) <= 256
