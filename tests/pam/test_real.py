# SPDX-License-Identifier: BSD-2-Clause
"""The module with the real library, service and phone behind it."""
import signal
import time

import codes
import pytest

from rig import Rig, SoftPhone

OWNER, STRANGER = "daemon", "games"
NEWCOMER, LOSER = "news", "mail"


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
    # For the signals to be blocked: its own would come too late.
    login = rig.login(OWNER, "--interrupt", "60000", "--hygiene")
    link = login.link()
    login.process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert login.end() == "PAM_AUTH_ERR"
    # Long before the question would have expired, with the same code.
    assert time.monotonic() - began < 15
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
        assert "Open this link, or type" in text
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


def test_recovery_code(rig):
    """At the prompt, while the service is away, once, and then no more."""
    first, second, *_ = codes.make(rig, OWNER)
    login = codes.use(rig, OWNER, first, service="sshd",
                      options=("--hygiene",))
    link = login.link()
    assert login.end() == "PAM_SUCCESS"
    assert "9 recovery codes are left." in texts(login, "info")
    assert texts(login, "hygiene") == ["same"]
    deadline = time.monotonic() + 5
    while rig.link_state(link) not in ("cancelled", None):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with rig.service_down():
        login = codes.use(rig, OWNER, first, second, options=("--hygiene",))
        assert login.end() == "PAM_SUCCESS"
    assert "used before" in texts(login, "error")[1]
    assert texts(login, "hygiene") == ["same"]
    assert codes.use(rig, OWNER, second, "", service="sshd").end() == \
        "PAM_AUTH_ERR"


def enrolling(rig, *answers, **settings):
    """A login in which NEWCOMER's first phone is enrolled up to its id."""
    module = rig.confdir("x") / "x"
    line = module.read_text().split("\n")[0].removeprefix("auth ")
    with rig.settings(unenrolled="enroll", **settings):
        login = rig.login(NEWCOMER, "--hygiene", *[
            word for a in answers for word in ("--answer", a)],
            service="sudo", auth=(line + " after_first_factor",))
        phone = SoftPhone(rig, NEWCOMER, "own", "webauthn")
        phone.enroll(login.link())
    return login, phone


def test_first_phone(rig):
    login, phone = enrolling(rig, "n")
    assert login.end() == "PAM_MAXTRIES"
    assert texts(login, "hygiene") == ["same"]
    login, phone = enrolling(rig, "y")
    phone.approve(login.link(1))
    assert login.end() == "PAM_SUCCESS"
    assert texts(login, "info")[-1] == "Approved by own."
    assert texts(login, "hygiene") == ["same"]
    login = rig.login(NEWCOMER)
    phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"


def test_new_phone_in_place_of_a_lost_one(rig):
    old = rig.enrol_soft(LOSER, name="old")
    code, *_ = codes.make(rig, LOSER)
    with rig.settings(recovery_enroll="yes", present="prompt"):
        login = codes.use(rig, LOSER, code, "y", "", "y", "",
                          options=("--hygiene",))
        new = SoftPhone(rig, LOSER, "new", "webauthn")
        new.enroll(login.link(1))
        new.approve(login.link(2))
        assert login.end() == "PAM_SUCCESS"
    assert "in place of old?" in login.text
    assert texts(login, "hygiene") == ["same"]
    listed = rig.countersign("devices", LOSER)
    assert new.device[:4] in listed and old.device[:4] not in listed
    login = rig.login(LOSER)
    new.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
