# SPDX-License-Identifier: BSD-2-Clause
"""Real sudo and su at a terminal, as users who are not root."""
import os
import re
import subprocess
from pathlib import Path

import machine
import pytest
from machine import (Session, as_user, couriers, environment, stack, until)
from screen import link_in


def sudo(*arguments, user="alice", env=None, **keywords):
    return Session(as_user(user, "/usr/bin/sudo", "-k", *arguments),
                   environment(user, **(env or {})), **keywords)


def su(*arguments, user="alice"):
    return Session(as_user(user, "/usr/bin/su", *arguments),
                   environment(user))


def details(question):
    return dict(question["details"])


def test_sudo_approve(phones, rig):
    """No Enter is needed: the command runs once the phone has answered."""
    before = rig.requests()
    session = sudo("/usr/bin/id", "-un")
    phones["alice"].approve(session.link())
    assert session.end() == 0
    assert rig.requests() > before
    assert session.text.splitlines()[-1].strip() == "root"
    assert session.links() == 1


def test_sudo_deny_is_final(phones, rig):
    session = sudo("/usr/bin/id", "-un")
    phones["alice"].deny(session.link())
    assert session.end() == 1
    assert session.links() == 1
    assert "root" not in session.text.splitlines()
    assert rig.audit()[-1]["reason"] == "DENIED"


def test_sudo_shows_the_command_that_runs(phones, tmp_path):
    """What the caller's environment claims is not what the phone shows."""
    session = sudo("-u", "bob", "/usr/bin/printf", r"<%s>\n", "a b", "$(id)",
                   env={"SUDO_COMMAND": "/bin/true", "SUDO_USER": "root"})
    link = session.link()
    question = phones["alice"].question(link)
    command = next(value for label, value in question["details"]
                   if "ommand" in label)
    assert "/usr/bin/printf" in command and "a b" in command
    assert "true" not in command
    # As a shell reads it, it is what was typed.
    words = subprocess.run(["sh", "-c", f"set -f; printf '%s|' {command}"],
                           stdout=subprocess.PIPE, text=True).stdout
    assert words == "/usr/bin/printf|<%s>\\n|a b|$(id)|"
    text = " ".join(details(question).values())
    assert "bob" in text and os.getcwd() in text and "pts/" in text
    phones["alice"].approve(link)
    assert session.end() == 0
    assert "<a b>" in session.text and "<$(id)>" in session.text


@pytest.mark.parametrize("key,recovery", [
    ("\x03", "yes"), ("\x03", "no"), ("\x1c", "no")],
    ids=["SIGINT", "SIGINT-no-codes", "SIGQUIT-no-codes"])
def test_sudo_interrupted(phones, rig, key, recovery):
    """Ctrl-C at a question ends it, and the question is cancelled."""
    with rig.settings(recovery=recovery):
        session = sudo("/usr/bin/id", "-un")
        link = session.link()
    assert len(couriers()) == 1
    session.child.send(key)
    assert session.end(3) != 0
    until(lambda: not couriers(), 1.5, "the courier's end")
    until(lambda: rig.cancelled(link), what="the cancelling")
    phones["alice"].approve(link, check=False)
    assert session.links() == 1
    assert "root" not in session.text.splitlines()


def test_sudo_n_asks_nobody(rig):
    before = rig.requests()
    session = sudo("-n", "/usr/bin/id", "-un")
    assert session.end(3) == 1
    assert session.links() == 0
    assert rig.requests() == before


def test_sudo_n_asks_nobody_even_if_sudo_would(rig, phones):
    sudoers = Path("/etc/sudoers")
    before, requests = sudoers.read_text(), rig.requests()
    sudoers.write_text("Defaults noninteractive_auth\n" + before)
    try:
        session = sudo("-n", "/usr/bin/id", "-un")
        assert session.end(3) == 1
    finally:
        sudoers.write_text(before)
    assert session.links() == 0
    assert rig.requests() == requests


def test_sudo_s_with_a_pipe_as_input(phones):
    """-S reads no password here, and the question reaches the person."""
    session = Session(as_user(
        "alice", "/bin/sh", "-c", "echo no password | sudo -k -S id -un"),
        environment("alice"))
    phones["alice"].approve(session.link())
    assert session.end() == 0
    assert session.text.splitlines()[-1].strip() == "root"


def test_sudo_without_a_terminal_asks_nobody(rig, phones):
    """Nobody could read the question: cron, a script, ssh without -t."""
    before = rig.requests()
    run = subprocess.run(
        as_user("alice", "/usr/bin/setsid", "-w", "/usr/bin/sudo", "-k", "-S",
                "/usr/bin/id", "-un"), env=environment("alice"), input="\n",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=10)
    assert run.returncode == 1
    assert link_in(run.stdout) is None
    assert rig.requests() == before


def test_sudo_reads_no_answer_from_the_keyboard(phones):
    """What is typed while the phone is asked belongs to the command."""
    session = sudo("/usr/bin/head", "-n", "1")
    link = session.link()
    session.enter("typed ahead")
    phones["alice"].approve(link)
    assert session.end() == 0
    assert "typed ahead" in session.text


def test_sudo_service_down(rig):
    with rig.service_down(), rig.settings(recovery="no"):
        session = sudo("/usr/bin/id", "-un")
        assert session.end() == 1
    # sudo tries three times and is told so each time at once.
    assert session.seconds < 3 + 1
    assert "approval service cannot be reached" in session.text


def test_su_asks_the_account_that_is_entered(phones):
    session = su("bob", "-c", "id -un")
    link = session.link()
    question = phones["bob"].question(link)
    assert (question["user"], question["service"]) == ("bob", "su")
    assert "alice" in " ".join(details(question).values())
    phones["bob"].approve(link)
    assert session.end() == 0
    assert session.text.splitlines()[-1].strip() == "bob"


def test_su_own_phone_does_not_open_another_account(phones):
    session = su("bob", "-c", "id -un")
    link = session.link()
    told = phones["alice"].approve(link, check=False)
    assert "device of somebody else" in told
    phones["bob"].deny(link)
    assert session.end() == 1
    assert "bob" not in session.text.splitlines()


def test_su_asks_the_caller_where_policy_says_so(phones, rig):
    with rig.settings(identity="ruser"):
        session = su("bob", "-c", "id -un")
        link = session.link()
        question = phones["alice"].question(link)
        assert question["user"] == "alice"
        phones["alice"].approve(link)
        assert session.end() == 0
    assert session.text.splitlines()[-1].strip() == "bob"


def test_su_deny(phones):
    session = su("bob", "-c", "id -un")
    phones["bob"].deny(session.link())
    assert session.end() == 1
    assert session.links() == 1


def test_su_interrupted(phones):
    session = su("bob", "-c", "id -un")
    session.link()
    assert len(couriers()) == 1
    session.child.send("\x03")
    assert session.end(3) != 0
    until(lambda: not couriers(), 1.5, "the courier's end")


def test_pam_silent_silences_nothing(phones, rig):
    """sudo sets PAM_SILENT."""
    login = rig.login("alice", "--flags", "silent", service="sudo")
    phones["alice"].approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    assert any("Approved by phone." in event["text"]
               for event in login.events)


def test_missing_module_lets_nobody_in(phones):
    stack("sudo", "required /run/product/no_such_module.so")
    try:
        session = sudo("/usr/bin/id", "-un")
        assert session.end() == 1
    finally:
        stack("sudo")
    assert "root" not in session.text.splitlines()


def test_qr_is_whole_on_a_terminal(phones):
    session = sudo("/usr/bin/id", "-un", size=(24, 80))
    link = session.link()
    rows = [line for line in session.text.splitlines()
            if re.match("^[ \u2580\u2584\u2588]{30,}", line)]
    assert len(rows) in (18, 19)
    phones["alice"].approve(link)
    assert session.end() == 0
    assert machine.PRODUCT.exists()
