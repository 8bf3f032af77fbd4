# SPDX-License-Identifier: BSD-2-Clause
"""Real sshd, real OpenSSH client: a login is a question on the phone."""
import os
import re
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest
from machine import (HOME, KEPT, Sshd, anybodys, as_user, couriers,
                     environment, ssh, ssh_command, until)
from screen import link_in
from service import Later

ONE_QUESTION = ("NumberOfPasswordPrompts=1",)
LIFETIME = 30  # of a question that nobody answers


@pytest.fixture(autouse=True)
def server(sshd):
    return sshd


def begin(login):
    login.link()
    login.entered = time.monotonic()
    login.enter()


def give_up(login):
    """Nobody answers, and there is no recovery code either."""
    login.wait_for("Recovery code .*: ", 60)
    login.waited = time.monotonic() - login.entered
    login.enter()
    return login.end(20)


@pytest.fixture(scope="session", autouse=True)
def slow(rig, sshd, phones):
    """
    Logins that nobody answers: they begin first and end 30 seconds later,
    while the others run.
    """
    with rig.settings(lifetime=LIFETIME):
        logins = {name: ssh(name, options=ONE_QUESTION)
                  for name in ("alice", "mallory", "carol")}
        # Each is read by a thread, so that its time is its own.
        for one in [Later(lambda login=login: begin(login))
                    for login in logins.values()]:
            one.result()
        ends = {}
        for name, login in logins.items():
            login.keep()
            ends[name] = Later(lambda login=login: give_up(login))
        # No terminal, no askpass: the client answers with an empty line.
        logins["blind"] = subprocess.Popen(
            as_user("client", "/usr/bin/setsid", "-w", *ssh_command(
                "alice", "echo logged in", options=ONE_QUESTION)),
            env=environment("client"), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        KEPT.update(until(couriers, what="the fourth question"))
    logins["ends"] = ends
    yield logins
    del logins["ends"]
    for login in logins.values():
        login.kill()


def records(rig, **members):
    return [record for record in rig.audit() if all(
        record.get(name) == value for name, value in members.items())]


def test_approve_then_enter(rig, phones):
    login = ssh("alice")
    phones["alice"].approve(login.link(), then=login.enter)
    assert login.end() == 0
    assert "logged in as alice" in login.text
    assert login.links() == 1


def test_enter_then_approve(phones):
    login = ssh("alice")
    link = login.link()
    login.enter()
    phones["alice"].approve(link)
    assert login.end() == 0
    assert "logged in as alice" in login.text


def test_passkey_is_as_good(rig):
    """The default kind: a WebAuthn assertion with user verification."""
    with rig.settings(device_kinds="webauthn"):
        phone = rig.enrol_soft("alice", name="passkey")
        login = ssh("alice")
        link = login.link()
        login.enter()
        phone.approve(link)
        assert login.end() == 0
    rig.countersign("revoke", "alice", phone.device)


def test_phone_shows_where_the_login_comes_from(phones):
    login = ssh("alice")
    question = phones["alice"].question(login.link())
    assert (question["user"], question["service"]) == ("alice", "sshd")
    assert question["host"] == "web1.example.com"
    assert any("127.0.0.1" in value for _, value in question["details"])


def test_deny_is_final(rig, phones):
    login = ssh("alice")
    link = login.link()
    nonce = phones["alice"].question(link)["nonce"]
    phones["alice"].deny(link, then=login.enter)
    assert login.end() == 255
    assert "logged in" not in login.text
    assert login.links() == 1
    # Of this login's question: slow ones of alice's may end meanwhile.
    new = records(rig, user="alice", question=nonce[:12])
    assert [(record["result"], record["reason"]) for record in new] == [
        ("denied", "DENIED")]


def test_phone_of_another_user_is_refused(rig, phones):
    """It opens nothing, and takes nothing from alice's own answer."""
    login = ssh("alice")
    link = login.link()
    login.enter()
    told = phones["bob"].approve(link, check=False)
    assert "device of somebody else" in told
    for _ in range(10):
        assert login.read(), login.text
    assert login.child.isalive()
    assert "logged in" not in login.text
    phones["alice"].approve(link)
    assert login.end() == 0


def test_device_revoked_while_pending(rig, phones):
    old = rig.enrol("alice", name="stolen")
    login = ssh("alice", options=ONE_QUESTION)
    link = login.link()
    login.enter()
    rig.countersign("revoke", "alice", old.device)
    told = old.approve(link, check=False)
    assert "device of somebody else" in told
    phones["alice"].deny(link)
    assert login.end() == 255
    assert "logged in" not in login.text


def test_unenrolled_after_a_key_is_told_so():
    """dora's key has proven who she is, so she may learn why."""
    login = ssh("dora", key=Sshd.give_key("dora"), options=ONE_QUESTION)
    assert login.end() == 255
    assert login.links() == 0
    assert re.search("no (phone|device)|enrol", login.text)


def test_unenrolled_ignored_by_policy(rig):
    with rig.settings(unenrolled="ignore"):
        login = ssh("dora", key=Sshd.give_key("dora"))
        assert login.end() == 0
    assert "logged in as dora" in login.text
    assert login.links() == 0


def test_ignore_does_not_cover_users_with_a_phone(rig, phones):
    with rig.settings(unenrolled="ignore"):
        login = ssh("alice")
        phones["alice"].deny(login.link(), then=login.enter)
        assert login.end() == 255


def test_unknown_group_members_and_exempt_groups(rig):
    """eve is in the group robots, which the policy does not ask."""
    with rig.settings(exempt_groups="robots"):
        login = ssh("eve")
        assert login.end() == 0
        assert "logged in as eve" in login.text
        assert login.links() == 0


def test_key_and_phone(rig, phones):
    without = ssh("bob")
    assert without.end() == 255
    assert without.links() == 0
    login = ssh("bob", key=Sshd.give_key("bob"))
    link = login.link()
    question = phones["bob"].question(link)
    assert any("publickey" in value for _, value in question["details"])
    phones["bob"].approve(link, then=login.enter)
    assert login.end() == 0
    assert "logged in as bob" in login.text


def test_c_locale_still_shows_the_link(phones):
    login = ssh("alice", env={"LC_ALL": "C"})
    phones["alice"].approve(login.link(), then=login.enter)
    assert login.end() == 0


def test_a_redraws_in_ascii(phones):
    login = ssh("alice", env={"LC_ALL": "C"})
    link = login.link()
    login.enter("a")
    login.wait_for(r"(?m)^#{40,}\r?$")
    phones["alice"].approve(link, then=login.enter)
    assert login.end() == 0
    assert login.links() == 1


def test_askpass_instead_of_a_terminal(phones):
    seen = HOME / "client" / "seen"
    askpass = HOME / "client" / "askpass"
    askpass.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{seen}\necho\n')
    askpass.chmod(askpass.stat().st_mode | stat.S_IXUSR | stat.S_IXOTH)
    os.chown(askpass.parent, 2009, 2009)
    client = subprocess.Popen(
        as_user("client", *ssh_command("alice", "echo logged in")),
        env=environment("client", SSH_ASKPASS=str(askpass),
                        SSH_ASKPASS_REQUIRE="force", DISPLAY=":7"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    link = until(lambda: seen.exists() and link_in(seen.read_text()))
    phones["alice"].approve(link)
    assert client.communicate(timeout=20)[0] == "logged in\n"


def test_batch_mode_asks_nothing(rig, phones):
    """bob, who is in no slow login, and whose key leaves only the phone."""
    before = records(rig, user="bob")
    login = ssh("bob", key=Sshd.give_key("bob"), options=("BatchMode=yes",))
    assert login.end() == 255
    assert "denied (keyboard-interactive)" in login.text
    assert login.links() == 0
    assert records(rig, user="bob") == before


def test_two_logins_answered_crosswise(phones):
    first, second = ssh("alice"), ssh("alice")
    links = first.link(), second.link()
    assert links[0] != links[1]
    phones["alice"].approve(links[1], then=second.enter)
    phones["alice"].deny(links[0], then=first.enter)
    assert second.end() == 0
    assert first.end() == 255
    assert "logged in" in second.text
    assert "logged in" not in first.text


def test_service_down(rig, log):
    """Within 3 s, which tests/pam/test_real.py measures in the module."""
    since = len(log.lines)
    with rig.service_down(), rig.settings(recovery="no"):
        login = ssh("alice", options=ONE_QUESTION)
        assert log.wait("reason=SERVICE", since=since)
        assert login.end() == 255
    assert login.links() == 0
    assert "approval service cannot be reached" in login.text


def test_service_restarts_while_a_login_waits(rig, phones):
    login = ssh("alice")
    link = login.link()
    login.enter()
    rig.service.restart()
    phones["alice"].approve(link)
    assert login.end(40) == 0
    assert "logged in as alice" in login.text


def test_client_goes_away(rig, phones):
    """While the prompt is open sshd notices, and so does everybody else."""
    login = ssh("alice")
    link = login.link()
    assert len(couriers()) == 1
    login.kill()
    until(lambda: not couriers(), 1.5, "the courier's end")
    until(lambda: rig.cancelled(link), what="the cancelling")


def test_sshd_has_no_more_patience(rig, phones, sshd):
    """D7: LoginGraceTime is over in the middle of the wait."""
    config = Path("/run/sshd/config")
    before = config.read_text()

    def read_again(text):
        starts = sshd.log.read_text().count("Server listening")
        config.write_text(text)
        sshd.process.send_signal(signal.SIGHUP)
        until(lambda: sshd.log.read_text().count("Server listening") > starts,
              what="sshd's new start")

    # It covers all that is done before the wait as well.
    read_again("LoginGraceTime 10\n" + before)
    try:
        login = ssh("alice")
        link = login.link()
        assert len(couriers()) == 1
        until(lambda: not couriers(), 15, "the courier's end")
        until(lambda: rig.cancelled(link), what="the cancelling")
        phones["alice"].approve(link, check=False)
        # The client is told when it comes back from its prompt.
        login.enter()
        assert login.end(10) == 255
        assert "logged in" not in login.text
    finally:
        read_again(before)


def test_broken_configuration_lets_nobody_in(rig, log):
    before = Path(rig.conf).read_text()
    try:
        Path(rig.conf).write_text(before + "lifetme = 30\n")
        login = ssh("alice", options=ONE_QUESTION)
        assert login.end() == 255
        assert login.links() == 0
        assert "logged in" not in login.text
        assert log.wait("lifetme")
    finally:
        Path(rig.conf).write_text(before)


def test_nobody_answers(slow, rig):
    login = slow["alice"]
    assert slow["ends"]["alice"].result() == 255
    assert "logged in" not in login.text
    assert login.seconds >= LIFETIME
    assert login.waited < LIFETIME + 5
    assert records(rig, user="alice", reason="EXPIRED")


@pytest.mark.parametrize("user", ["mallory", "carol"])
def test_unknown_and_unenrolled_look_like_everybody(slow, rig, log, user):
    known, other = slow["alice"], slow[user]
    assert slow["ends"]["alice"].result() == 255
    assert slow["ends"][user].result() == 255
    assert anybodys(other.text, LIFETIME) == anybodys(known.text, LIFETIME)
    # Neither ssh's way to the link nor libpam's random delay after it.
    assert abs(other.waited - known.waited) < 1
    if user == "mallory":
        assert "mallory" not in Path(rig.audit_file).read_text()
        assert not any("mallory" in line and "countersign" in line
                       for line in log.lines)


def test_client_without_terminal_is_never_let_in(slow):
    text, _ = slow["blind"].communicate(timeout=40)
    assert slow["blind"].returncode == 255
    assert "logged in" not in text
