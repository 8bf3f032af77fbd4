# SPDX-License-Identifier: BSD-2-Clause
"""Real doas at a terminal: the phone shows what runs, and has its say."""
import os
from pathlib import Path

import pytest
from machine import Session, as_user, environment, stack
from sources import tool

CONF = """
permit alice
permit persist bob
"""


@pytest.fixture(scope="session", autouse=True)
def furnished(rig):
    stack("doas")
    conf = Path("/etc/doas.conf")
    conf.write_text(CONF)
    conf.chmod(0o600)


def doas(*arguments, user="alice", env=None):
    return Session(as_user(user, tool("/usr/bin/doas"), *arguments),
                   environment(user, **(env or {})))


def test_phone_shows_the_command_that_runs(phones):
    session = doas("-u", "bob", "/usr/bin/printf", r"<%s>\n", "a b", "$(id)",
                   env={"DOAS_USER": "root", "SUDO_COMMAND": "/bin/true"})
    link = session.link()
    question = phones["alice"].question(link)
    details = dict(question["details"])
    assert (question["user"], question["service"]) == ("alice", "doas")
    assert question["title"] == "Run a command as bob on web1.example.com"
    assert details["Command (as typed)"] == \
        r"/usr/bin/printf '<%s>\n' 'a b' '$(id)'"
    assert details["Run as"] == "bob"
    assert details["Asked for by"] == "alice"
    assert details["Directory"] == os.getcwd()
    assert "pts/" in details["Terminal"]
    assert "if doas.conf says persist" in details["Allows"]
    phones["alice"].approve(link)
    assert session.end() == 0
    assert "<a b>" in session.text and "<$(id)>" in session.text


def test_shell(phones):
    session = doas("-s")
    link = session.link()
    question = phones["alice"].question(link)
    assert question["title"] == "Open a shell as root on web1.example.com"
    assert dict(question["details"])["Run by"] == \
        "the shell that the caller's SHELL names"
    phones["alice"].approve(link)
    session.wait_for("# $")
    session.enter("echo I am $(id -un); exit")
    assert session.end() == 0
    assert "I am root" in session.text


def test_callers_path_decides_and_the_phone_says_so(phones, tmp_path):
    """doas.conf names no command here, so doas takes the first that is found."""
    mine = tmp_path / "id"
    mine.write_text("#!/bin/sh\necho not what you think\n")
    mine.chmod(0o755)
    tmp_path.chmod(0o755)
    session = doas("id", env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    link = session.link()
    details = dict(phones["alice"].question(link)["details"])
    assert details["Command (as typed)"] == "id"
    assert "the caller's PATH" in details["Found in"]
    phones["alice"].approve(link)
    assert session.end() == 0
    assert "not what you think" in session.text


def test_deny_is_final(rig, phones):
    session = doas("/usr/bin/id", "-un")
    phones["alice"].deny(session.link())
    assert session.end() == 1
    assert session.links() == 1
    assert "root" not in session.text.splitlines()
    assert rig.audit()[-1]["reason"] == "DENIED"


def test_n_asks_nobody(rig):
    requests = rig.requests()
    session = doas("-n", "/usr/bin/id", "-un")
    assert session.end() == 1
    assert session.links() == 0
    assert rig.requests() == requests


def test_persist_is_what_the_phone_said(rig, phones):
    session = Session(as_user(
        "bob", "/bin/sh", "-c", "doas id -un; doas echo second"),
        environment("bob"))
    phones["bob"].approve(session.link())
    assert session.end() == 0
    assert session.links() == 1
    assert "second" in session.text


def test_input_from_elsewhere(rig, phones):
    """The challenge is shown where it can be, and no phone rings."""
    session = Session(as_user(
        "alice", "/bin/sh", "-c", "echo from a pipe | doas cat"),
        environment("alice"))
    link = session.link()
    assert "Terminal" not in dict(phones["alice"].question(link)["details"])
    phones["alice"].approve(link)
    assert session.end() == 0
    assert "from a pipe" in session.text
    assert "phone that asks" not in session.text
