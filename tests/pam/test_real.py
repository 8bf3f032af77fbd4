# SPDX-License-Identifier: BSD-2-Clause
"""The module with the real library, service and phone behind it."""
import time

import pytest

from rig import Rig

OWNER, STRANGER = "daemon", "games"


@pytest.fixture(scope="module", name="rig")
def make_rig():
    with Rig(lifetime=30) as rig:
        rig.phone = rig.enrol(OWNER)
        yield rig


def texts(login, kind):
    return [e["text"] for e in login.events if e["event"] == kind]


@pytest.mark.parametrize("service,shown", [
    ("sudo", "info"), ("sshd", "prompt")])
def test_approve(rig, service, shown):
    login = rig.login(OWNER, "--hygiene", service=service)
    rig.phone.approve_screen(challenge(login, shown))
    assert login.end() == "PAM_SUCCESS"
    assert texts(login, "info")[-1] == "Approved by phone."
    assert texts(login, "hygiene") == ["same"]


def challenge(login, shown):
    """The text with the code in it, as a terminal has it."""
    link = login.link()
    text = texts(login, shown)[0]
    assert link in text and max(map(len, text.split("\n"))) < 80
    return text


def test_question(rig):
    login = rig.login(OWNER, service="sudo",
                      argv=("sudo", "-u", STRANGER, "id", "-u"))
    link = login.link()
    question = rig.phone.question(link)
    assert question["title"].startswith(f"Run a command as {STRANGER} on ")
    assert ["Command (as typed)", "id -u"] in question["details"]
    assert question["user"] == OWNER and question["lifetime"] == 30
    rig.phone.deny(link)
    assert login.end() == "PAM_MAXTRIES"
    assert texts(login, "error") == ["Denied on the phone."]


def test_interrupt_cancels(rig):
    """SIGINT as under sudo: ended at once, and the question is closed."""
    login = rig.login(OWNER, "--interrupt", "300", "--hygiene")
    link = login.link()
    assert login.end() == "PAM_AUTH_ERR"
    assert texts(login, "hygiene") == ["same"]
    deadline = time.monotonic() + 5
    while rig.link_state(link) not in ("cancelled", None):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_unenrolled(rig):
    login = rig.login(STRANGER)
    assert login.end() == "PAM_USER_UNKNOWN"
    assert f"countersign enroll {STRANGER}" in texts(login, "error")[0]
    with rig.settings(unenrolled="ignore"):
        # Ignored, and then nobody in the stack has said yes.
        login = rig.login(STRANGER)
        assert login.end() == "PAM_PERM_DENIED"
        login = rig.login(OWNER)
        rig.phone.approve(login.link())
        assert login.end() == "PAM_SUCCESS"


def test_section_of_a_service(rig):
    with rig.settings(present="none", su={"present": "prompt", "qr": "off"}):
        login = rig.login(OWNER, service="su")
        text = challenge(login, "prompt")
        assert "Open this link on your phone" in text
        rig.phone.approve(login.link())
        assert login.end() == "PAM_SUCCESS"


def test_service_away(rig):
    """Told within 3 seconds, three times over, and nothing left behind."""
    with rig.service_down():
        login = rig.login(OWNER, "--rounds", "3", "--hygiene")
        assert login.end() == "PAM_AUTHINFO_UNAVAIL"
    assert all("cannot be reached" in t for t in texts(login, "error"))
    assert len(texts(login, "error")) == 3
    assert texts(login, "hygiene") == ["same"]
    assert all(e["ms"] < 3500 for e in login.events if e["event"] == "result")
