# SPDX-License-Identifier: BSD-2-Clause
"""Real logins of a program that may have next to nothing, or is interrupted.

Descriptors, memory, processes, file sizes: too little of any of them ends the
login with a no, at once; enough of it, and the phone's yes counts.
"""
import shutil
import signal
import time

import pytest

from figures import Figures
from rig import PAM_RUN, Login, Rig

FIGURES = Figures("limits", "real logins with too little of everything")
OWNER = "daemon"
TROUBLE = {"PAM_AUTHINFO_UNAVAIL", "PAM_BUF_ERR"}
# libpam itself, or its module that cannot be loaded
LIBPAM = {"PAM_ABORT", "PAM_SYSTEM_ERR", "PAM_MODULE_UNKNOWN", "PAM_OPEN_ERR",
          "PAM_PERM_DENIED", "PAM_AUTH_ERR"}
LIMITS = (
    [f"--nofile={n}" for n in range(3, 25)] +
    [f"--as={n << 20}" for n in range(4, 40, 2)] +
    ["--fsize=0", "--fsize=1", "--fsize=200", "--memlock=0", "--core=0",
     "--stack=65536", "--sigpending=0"])


@pytest.fixture(scope="module", name="rig")
def make_rig():
    if shutil.which("prlimit") is None:
        pytest.skip("there is no prlimit(1)")
    with Rig(lifetime=30) as rig:
        rig.phone = rig.enrol(OWNER)
        yield rig


def start(rig, *before, after=()):
    rig.logins.append(Login([
        *before, PAM_RUN, "--confdir", rig.confdir("login"), "--service",
        "login", "--user", OWNER, "--json", "--tty", "pts/0", *after]))
    return rig.logins[-1]


def attempt(rig, login):
    """The PAM code, and whether the phone was asked."""
    began, asked = time.monotonic(), False
    try:
        link = login.link()
        rig.phone.approve(link)
        asked = True
    except AssertionError:
        pass
    while login._next():  # pylint: disable=protected-access
        pass
    login.process.wait()
    results = [e["text"] for e in login.events if e["event"] == "result"]
    return (results[-1] if results else None, asked,
            time.monotonic() - began, login.process.returncode)


def judge(code, asked, others):
    """One of the others, or a grant after the phone's yes."""
    granted = code == "PAM_SUCCESS"
    FIGURES.grants += granted and not asked
    FIGURES.wrong += not granted and code not in others
    assert code in others or (granted and asked)


@pytest.mark.parametrize("limit", LIMITS)
def test_too_little(rig, limit):
    login = start(rig, "prlimit", f"{limit}:{limit.split('=')[1]}")
    code, asked, seconds, status = attempt(rig, login)
    FIGURES.cases += 1
    # The program cannot even be loaded, or not say what became of it; a file
    # that may not grow kills its writer, as it would every other program.
    if code is None:
        by_limit = -status in (signal.SIGXFSZ, signal.SIGSEGV, signal.SIGKILL)
        FIGURES.crashes += status < 0 and not by_limit
        FIGURES.wrong += status == 0
        assert status != 0
        return
    judge(code, asked, TROUBLE | LIBPAM)
    assert asked or seconds < 4, login.events


def test_no_processes(rig):
    """Not as root, whom no such limit stops: the courier's account has it."""
    login = start(rig, "prlimit", "--nproc=0:0")
    code, asked, seconds, _status = attempt(rig, login)
    FIGURES.cases += 1
    judge(code, asked, TROUBLE)
    assert asked or seconds < 4


@pytest.mark.parametrize("choice,code", [
    ("approve", "PAM_SUCCESS"), ("deny", "PAM_MAXTRIES")])
def test_interrupted_all_the_time(rig, choice, code):
    """A handler without SA_RESTART, each 2 ms: the same comes of it."""
    for _ in range(3):
        login = start(rig, after=("--reap", "--hygiene"))
        getattr(rig.phone, choice)(login.link())
        result = login.end()
        FIGURES.grants += result == "PAM_SUCCESS" != code
        FIGURES.wrong += "PAM_SUCCESS" != result != code
        assert result == code
        assert [e["text"] for e in login.events
                if e["event"] == "hygiene"] == ["same"]
        FIGURES.cases += 1


def test_afterwards(rig):
    """Nobody is locked out by what went before."""
    login = start(rig)
    rig.phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"


def test_figures():
    FIGURES.write()
