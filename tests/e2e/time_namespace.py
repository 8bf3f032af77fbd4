# SPDX-License-Identifier: BSD-2-Clause
"""
Logins in time name spaces, where this boot seems to have begun a year before
it did, or seconds ago: nothing is fresh for longer, and no pause is shorter
(countersign-security(7) TX-4, ST-3).  The wall clock cannot be moved in one;
unit tests play that.
"""
import re
import subprocess
import time

import pytest
from machine import Session, as_user, environment
from push import DIGITS, by_qr
from service import Later

YEAR = 366 * 86400
LIFETIME = 30
PAUSED = re.compile(r"No push for (\d+) minutes: too many came to nothing")
OPEN = "No push: your phone has another question."


def uptime():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def moved(offset, *argv):
    """The command line, in a name space whose clocks since boot differ."""
    return ["/usr/bin/unshare", "--time", "--boottime", str(offset),
            "--monotonic", str(offset), *argv]


def just_booted():
    # The monotonic clock is behind where the machine has slept.
    return -int(time.monotonic()) + 1


@pytest.fixture(params=["a year on", "just booted"])
def offset(request):
    seconds = YEAR if request.param == "a year on" else just_booted()
    told = subprocess.run(moved(seconds, "/bin/cat", "/proc/uptime"),
                          stdout=subprocess.PIPE, text=True, check=True)
    there = float(told.stdout.split()[0])
    assert abs(there - uptime() - seconds) < 60
    return seconds


@pytest.fixture(scope="session", autouse=True)
def slow(rig, phones):
    """Questions to bob that nobody answers; meanwhile the others run."""
    with rig.settings(lifetime=LIFETIME, recovery="no"):
        sessions = [sudo(offset, user="bob")
                    for offset in (None, YEAR, just_booted())]
        for session in sessions:
            session.keep()
    yield [(session, Later(lambda session=session: session.end(
        LIFETIME + 20))) for session in sessions]
    for session in sessions:
        session.kill()


@pytest.fixture(scope="session")
def phone(rig):
    return rig.enrol_soft("alice")


@pytest.fixture(autouse=True)
def fresh(rig, phone):
    """A QR success forgets what was before."""
    with rig.settings(push="no"):
        by_qr(rig, phone, "alice")


def sudo(offset=None, user="alice"):
    argv = as_user(user, "/usr/bin/sudo", "-k", "/usr/bin/true")
    session = Session(argv if offset is None else moved(offset, *argv),
                      environment(user))
    session.asked = session.link()
    session.wait_for("within [0-9]+ seconds")
    return session


def deny_twice(phone, offset=None):
    for _ in range(2):
        session = sudo(offset)
        phone.deny(session.asked)
        assert session.end() == 1


def is_paused(phone, session):
    """It does not ring, for as long as it has to be; then it is approved."""
    assert not DIGITS.search(session.text)
    assert int(PAUSED.search(session.text).group(1)) in (14, 15)
    phone.approve(session.asked)
    assert session.end() == 0


def test_approved(phone, offset):
    session = sudo(offset)
    assert DIGITS.search(session.text)
    phone.approve(session.asked)
    assert session.end() == 0


def test_pause_begun_here_holds_there(phone, offset):
    deny_twice(phone)
    is_paused(phone, sudo(offset))


def test_pause_begun_there_holds_here(phone, offset):
    deny_twice(phone, offset)
    is_paused(phone, sudo())


def test_one_question_rings_at_a_time(phone, offset):
    here = sudo()
    assert DIGITS.search(here.text)
    there = sudo(offset)
    assert OPEN in there.text and not DIGITS.search(there.text)
    for session in (there, here):
        phone.approve(session.asked)
        assert session.end() == 0


def test_expires_after_the_same_time(slow):
    for session, status in slow:
        assert status.result() == 1
        assert "Nobody approved in time" in session.text
        assert LIFETIME <= session.seconds < LIFETIME + 20
