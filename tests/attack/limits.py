# SPDX-License-Identifier: BSD-2-Clause
"""Real logins of a program that may have next to nothing, or is interrupted.

Descriptors, memory, processes, file sizes: too little of any of them ends the
login with a no, at once; enough of it, and the phone's yes counts.
"""
import shutil
import signal

import pytest

from figures import Figures
from rig import PAM_RUN, Login, Rig

FIGURES = Figures("limits", "real logins with too little of everything")
OWNER = "daemon"
TROUBLE = {"PAM_AUTHINFO_UNAVAIL", "PAM_BUF_ERR"}
# libpam itself, or its module that cannot be loaded
LIBPAM = {"PAM_ABORT", "PAM_SYSTEM_ERR", "PAM_MODULE_UNKNOWN", "PAM_OPEN_ERR",
          "PAM_PERM_DENIED", "PAM_AUTH_ERR"}
# Whoever is told that something lacks is told so within this.
AT_ONCE_MS = 2000
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
    """The PAM code, whether the phone was asked, how long PAM took."""
    asked = False
    try:
        link = login.link()
        rig.phone.approve(link)
        asked = True
    except AssertionError:
        pass
    while login._next():  # pylint: disable=protected-access
        pass
    login.process.wait()
    results = [e for e in login.events if e["event"] == "result"]
    return (results[-1]["text"] if results else None, asked,
            sum(e["ms"] for e in results), login.process.returncode)


def judge(code, asked, others):
    """One of the others, or a grant after the phone's yes."""
    granted = code == "PAM_SUCCESS"
    FIGURES.grants += granted and not asked
    FIGURES.wrong += not granted and code not in others
    assert code in others or (granted and asked)


@pytest.mark.parametrize("limit", LIMITS)
def test_too_little(rig, limit):
    login = start(rig, "prlimit", f"{limit}:{limit.split('=')[1]}")
    code, asked, took_ms, status = attempt(rig, login)
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
    assert asked or took_ms < AT_ONCE_MS, login.events


@pytest.mark.parametrize("user", ["root", "daemon"])
@pytest.mark.parametrize("processes", [0, 3])
def test_no_processes(rig, user, processes):
    """As under su and sudo: the limit is the user's, whose real uid it is.

    Root's own processes are not stopped by it, whoever calls: but the courier,
    which runs as an account without rights, has it too.
    """
    login = start(rig, "prlimit", f"--nproc={processes}:{processes}",
                  "setpriv", f"--ruid={user}")
    code, asked, took_ms, _status = attempt(rig, login)
    FIGURES.cases += 1
    judge(code, asked, {"PAM_AUTHINFO_UNAVAIL"})
    assert not asked and took_ms < AT_ONCE_MS


def test_enough_processes(rig):
    """The same with a limit that suffices."""
    login = start(rig, "prlimit", "--nproc=200:200", "setpriv",
                  "--ruid=daemon")
    rig.phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    FIGURES.cases += 1


@pytest.mark.parametrize("choice,code", [
    ("approve", "PAM_SUCCESS"), ("deny", "PAM_MAXTRIES")])
def test_interrupted_all_the_time(rig, choice, code):
    """A handler without SA_RESTART, each ms: the same comes of it."""
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
