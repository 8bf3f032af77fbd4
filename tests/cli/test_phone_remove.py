# SPDX-License-Identifier: BSD-2-Clause
"""countersign-phone ends its part in an account, and follows its test."""
import json
import re
import shutil

import pytest
from conftest import Background, devices, run
from rig import PASSPHRASE
from screen import LINK
from service import wait_until
from test_phone import spawn

pexpect = pytest.importorskip("pexpect")


def entry(phone):
    [path] = phone.store.glob("*.json")
    return path, json.loads(path.read_text())


def removals(rig):
    return [(line["result"], line["device"]) for line in rig.audit()
            if line["event"] == "removal"]


def names(rig, user):
    return [device["name"] for device in devices(rig, user)]


def login(rig, phone, user="daemon"):
    attempt = rig.login(user)
    phone.approve(attempt.link())
    assert attempt.end() == "PAM_SUCCESS"


def ended(child):
    """Its exit status."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


@pytest.fixture
def phones(rig):
    """One that stays, and one that goes."""
    phones = [rig.enrol("daemon", name) for name in ("stays", "goes")]
    yield phones
    rig.countersign("deenroll", "--yes", "daemon")
    for phone in phones:
        shutil.rmtree(phone.store)


# --- remove ---------------------------------------------------------------------

def test_remove(rig, phones):
    stays, goes = phones
    told = run(goes, "remove", "--yes", goes.device).stdout
    for text in (entry(stays)[1]["host"], "daemon", "goes",
                 "before its next question"):
        assert text in told
    assert list(goes.store.iterdir()) == []
    assert "goes" in names(rig, "daemon")  # the host has not asked since
    login(rig, stays)
    assert removals(rig)[-1] == ("granted", goes.device)
    assert names(rig, "daemon") == ["stays"]
    text = rig.service.log.read_text()
    assert f"event=removal_asked authenticator={goes.device}" in text


def test_dashes_and_a_person(rig, phones):
    goes = phones[1]
    dashed = "-".join(goes.device[at:at + 4] for at in range(0, 16, 4))
    for answer, status in (("n", 1), ("", 1), ("y", 0)):
        child = spawn(rig, goes, "remove", dashed)
        child.expect("Account +daemon")
        child.expect(dashed)
        child.expect("Remove it?")
        child.sendline(answer)
        assert ended(child) == status
        assert (goes.devices() == []) == (status == 0)


def test_nobody_to_ask(phones):
    told = run(phones[1], "remove", phones[1].device, check=False)
    assert told.returncode == 1 and "nothing was removed" in told.stdout
    assert len(phones[1].devices()) == 1


def test_service_away(rig, phones):
    stays, goes = phones
    with rig.service_down():
        told = run(goes, "remove", "--yes", goes.device, check=False)
    assert told.returncode == 3
    assert "nothing was removed; try again" in told.stdout
    login(rig, goes)
    run(goes, "remove", "--yes", goes.device)
    login(rig, stays)
    assert names(rig, "daemon") == ["stays"]


def test_cookie_that_the_service_does_not_know(rig, phones):
    stays, goes = phones
    path, members = entry(goes)
    assert re.fullmatch(r"__Host-countersign=[\w-]{43}", members["cookie"])
    for cookie in ("__Host-countersign=" + "A" * 43, "",
                   entry(stays)[1]["cookie"]):
        path.write_text(json.dumps({**members, "cookie": cookie}))
        told = run(goes, "remove", "--yes", goes.device, check=False)
        assert told.returncode == 1
        assert "does not know this device" in told.stdout
        assert "--local" in told.stdout
    # An entry of an older version has none.
    path.write_text(json.dumps(
        {name: members[name] for name in members if name != "cookie"}))
    assert run(goes, "remove", "--yes", goes.device,
               check=False).returncode == 1
    login(rig, goes)
    assert len(goes.devices()) == 1 and removals(rig)[-1:] != [
        ("granted", goes.device)]


def test_cookie_is_no_place_for_headers(rig, phones):
    goes = phones[1]
    path, members = entry(goes)
    path.write_text(json.dumps({**members, "cookie": "a=b\r\nX-Evil: 1"}))
    told = run(goes, "remove", "--yes", goes.device, check=False)
    assert told.returncode == 3
    assert len(goes.devices()) == 1


def test_cookie_is_shown_to_nobody(phones):
    goes = phones[1]
    told = json.dumps(goes.devices())
    assert goes.device in told
    assert "countersign=" not in told and "cookie" not in told


def test_local(rig, phones):
    """Tells nobody, needs no passphrase: for what the host has forgotten."""
    goes = phones[1]
    rig.countersign("revoke", "daemon", "goes")
    with rig.service_down():
        child = spawn(rig, goes, "remove", "--local", goes.device,
                      passphrase=False)
        child.expect("Remove it?")
        child.sendline("y")
        child.expect("The host was not told")
        assert ended(child) == 0
    assert list(goes.store.iterdir()) == []


def test_wrong_passphrase(rig, phones):
    goes = phones[1]
    goes.passphrase = rig.folder / "wrong"
    goes.passphrase.write_text("not it at all\n")
    goes.passphrase.chmod(0o600)
    told = run(goes, "remove", "--yes", goes.device, check=False)
    assert told.returncode == 3 and "passphrase is wrong" in told.stdout
    assert len(goes.devices()) == 1


def test_no_such_device(phones):
    for word in ("a" * 16, "../x", ""):
        assert run(phones[1], "remove", "--yes", word,
                   check=False).returncode in (1, 3)
    assert len(phones[1].devices()) == 1


def test_other_copy_is_refused(rig, phones, tmp_path):
    """What one copy of a phone removes is gone for both."""
    stays, goes = phones
    copy = tmp_path / "copy"
    shutil.copytree(goes.store, copy)
    run(goes, "remove", "--yes", goes.device)
    goes.store = copy
    attempt = rig.login("daemon")
    link = attempt.link()
    told = run(goes, "approve", "--yes", link, check=False)
    assert told.returncode == 1 and "device of somebody else" in told.stdout
    stays.approve(link)
    assert attempt.end() == "PAM_SUCCESS"


# --- the test question follows by itself ------------------------------------------

def test_no_second_scan(rig, enrolment, new_phone):
    new = new_phone("man")
    one = enrolment("man", "--qr", "off")
    told = Background(new, "enroll", "--yes", one.link()).end()
    assert told.returncode == 0, told.stdout
    assert "One test question follows" in told.stdout
    assert told.stdout.count("Granted.") == 1
    assert one.end() == 0
    assert [device["confirmed"] for device in new.devices()] == [True]
    login(rig, new, "man")


def test_passphrase_is_asked_for_once(rig, enrolment, new_phone):
    new = new_phone("man")
    one = enrolment("man", "--qr", "off")
    child = spawn(rig, new, "enroll", one.link(), passphrase=False)
    for prompt, text in (("Enrol this phone", "y"),
                         ("New passphrase: ", PASSPHRASE),
                         ("Once more: ", PASSPHRASE),
                         ("Your answer", "approve")):
        child.expect(prompt)
        child.sendline(text)
    child.expect("Granted")
    assert ended(child) == 0
    assert one.end() == 0


def at_the_test(rig, phone, enrolment, *arguments):
    """A person enrols, and looks at the test question."""
    child = spawn(rig, phone, "enroll", *arguments, enrolment.link())
    child.expect("Enrol this phone")
    child.sendline("y")
    child.expect("Your answer")
    return child


@pytest.mark.parametrize("answer", ("deny", "not-me", ""))
def test_denied_by_hand(rig, enrolment, new_phone, answer):
    """The host enrols nobody, and the phone keeps nothing."""
    new = new_phone("lp")
    one = enrolment("lp", "--qr", "off")
    child = at_the_test(rig, new, one, "--name", "no")
    child.sendline(answer)
    child.expect("is not enrolled")
    assert ended(child) == 1
    assert list(new.store.iterdir()) == []
    assert one.end() == 1
    assert "no" not in [device["name"] for device in devices(rig)]


def test_broken_off_and_taken_up(rig, enrolment, new_phone):
    """Left before the answer: the terminal's link still works."""
    new = new_phone("man")
    one = enrolment("man", "--qr", "off")
    child = at_the_test(rig, new, one)
    child.sendintr()
    child.expect("before it has approved")
    assert ended(child) == 1
    assert [device["confirmed"] for device in new.devices()] == [False]
    run(new, "approve", "--yes", one.link())
    assert one.end() == 0
    login(rig, new, "man")


def test_terminal_goes_away_before_the_test(rig, enrolment, new_phone):
    """Confirmed, but the question never comes or is withdrawn."""
    new = new_phone("lp")
    one = enrolment("lp", "--qr", "off")
    child = at_the_test(rig, new, one)
    one.interrupt()
    assert one.end() == 1
    link = LINK.findall(one.text)[-1]
    wait_until(lambda: rig.link_state(link) in ("cancelled", None), "the end")
    child.sendline("approve")
    assert ended(child) == 1
