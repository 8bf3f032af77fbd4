# SPDX-License-Identifier: BSD-2-Clause
"""
Real login(1) at a terminal: approved, denied, and with an environment of
somebody else's, as whatever listens on a network may hand it over with -p.
"""
import os
import re
import shutil
from pathlib import Path

import codes
import machine
import private
import pytest
from machine import Session, environment, stack
from sources import tool
from surroundings import CANARY, PROXY, attack, proxy  # noqa: F401

LOGIN = "/bin/login"
TRACE = Path("/run/trace")


@pytest.fixture(autouse=True, scope="session")
def pam(rig):
    stack("login")


@pytest.fixture(autouse=True, scope="session")
def provider(rig):
    """One that the administrator chose, as a module that has to be found."""
    conf = Path("/etc/ssl/openssl.cnf")
    conf.write_text("""openssl_conf = init
[init]
providers = providers
[providers]
default = always
legacy = old
[always]
activate = 1
[old]
activate = 1
""")


def login():
    return Session([tool(LOGIN), "alice"], environment("root", HOME="/root"))


@pytest.fixture
def set_id():
    """A login that glibc and the loader trust as little as sudo or su."""
    path = machine.PRODUCT / "login"
    shutil.copy(tool(LOGIN), path)
    os.chown(path, 0, private.GROUPS["operators"][0])
    path.chmod(0o2755)
    return str(path)


def leave(session):
    """Out of the shell that login has started; what it had printed."""
    session.wait_for(r"\$ $")
    session.enter("echo I am $(id -un), TMUX=$TMUX; exit")
    assert session.end() == 0
    return session.text


def traced(program, env):
    """What it and its children do with files and networks goes to TRACE."""
    variables = [word for name, value in env.items()
                 for word in ("-E", f"{name}={value}")]
    return Session([tool("strace"), "-f", "-qq", "-s", "400", "-o", str(TRACE),
                    "-e", "trace=%file,%network", *variables, program, "-p",
                    "alice"], environment("root", HOME="/root"))


def calls():
    """Those of the module and its courier, up to the user's own shell."""
    lines = TRACE.read_text().splitlines()
    start = next(n for n, line in enumerate(lines)
                 if re.search(r"open.*pam_countersign\.so", line))
    end = next(n for n, line in enumerate(lines)
               if re.search(r'execve\("/bin/sh", \["-sh"\]', line))
    courier = next(n for n, line in enumerate(lines)
                   if re.search(r"execve(at)?\(.*courier", line))
    assert start < courier < end
    return lines[:end], lines[start:end]


def test_approve(rig, phones):
    session = login()
    link = session.link()
    question = phones["alice"].question(link)
    assert (question["user"], question["service"]) == ("alice", "login")
    assert question["title"] == "Log in to web1.example.com as alice"
    assert "pts/" in dict(question["details"])["Terminal"]
    phones["alice"].approve(link)
    assert "I am alice" in leave(session)


def test_deny(rig, phones):
    session = login()
    phones["alice"].deny(session.link())
    session.end()
    # It says that, and ends with status 0.
    assert "Maximum number of tries exceeded" in session.text
    assert session.links() == 1
    assert "$ " not in session.text
    assert rig.audit()[-1]["reason"] == "DENIED"


def test_name_typed_again(rig, phones):
    """login keeps its PAM handle: no second question, but a code counts."""
    code = codes.make(rig, "alice")[0]
    with rig.service_down():
        session = login()
        session.wait_for(codes.ASK)
        session.enter()
        session.wait_for("incorrect(.|\n)*login: $")
    session.text = ""
    session.enter("alice")
    session.wait_for(codes.ASK)
    assert session.links() == 0
    session.enter(code)
    assert "I am alice" in leave(session)


def test_nothing_that_the_environment_names_is_used_if_set_id(
        rig, phones, proxy, set_id):  # noqa: F811
    session = traced(set_id, attack())
    phones["alice"].approve(session.link())
    assert f"I am alice, TMUX={CANARY}/TMUX" in leave(session)
    everything, _ = calls()
    assert [line for line in everything
            if str(CANARY) in line and "execve" not in line] == []
    assert not any(PROXY[0] in line for line in everything)
    assert proxy.visits == 0


def test_module_uses_nothing_of_an_environment_that_others_trust(
        rig, phones, proxy):  # noqa: F811
    """
    root runs it, so glibc believes all of it.  LD_* is left out: the loader
    has done what that says before there is a login at all.  TZ is read by
    syslog(3), which is glibc's, and login's own as well.
    """
    env = {name: value for name, value in attack().items()
           if not name.startswith("LD_")}
    session = traced(LOGIN, env)
    phones["alice"].approve(session.link())
    assert f"I am alice, TMUX={CANARY}/TMUX" in leave(session)
    _, ours = calls()
    used = [line for line in ours
            if str(CANARY) in line and "execve" not in line]
    assert [line for line in used if f'"{CANARY}/TZ"' not in line] == []
    assert not any(PROXY[0] in line for line in ours)
    assert proxy.visits == 0
