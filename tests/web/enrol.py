# SPDX-License-Identifier: BSD-2-Clause
"""A phone is enrolled by the page, from the picture in the terminal on."""
import json

import pytest
from browser import enrol, until
from screen import camera

SYNCED = {"defaultBackupEligibility": True, "defaultBackupState": True}


def devices(rig, user):
    return json.loads(rig.countersign("devices", "--json", user))["devices"]


def test_from_picture_to_line(rig, page):
    authenticator = page.authenticator()

    def scan(text):
        found = camera(text)
        assert len(found) == 1, found
        return found[0]

    text = enrol(rig, page, "games", "Ada's phone", scan)
    assert "Enrolled: Ada's phone may now approve for games." in text
    assert len(authenticator.credentials()) == 1
    found = devices(rig, "games")
    assert [(d["name"], d["kind"], d["rp"], d["synced"]) for d in found] == [
        ("Ada's phone", "webauthn", "localhost", False)]
    assert page.console() == []


def test_synced_passkey_is_known_as_one(rig, page):
    page.authenticator(**SYNCED)
    enrol(rig, page, "man")
    assert [d["synced"] for d in devices(rig, "man")] == [True]
    login = rig.login("man", service="sshd")
    page.open(login.link())
    page.click("Approve")
    page.reaches("granted")
    assert login.end() == "PAM_SUCCESS"


def begun(rig, page, user):
    terminal = rig.terminal("enroll", "--qr", "off", user)
    page.open(terminal.link())
    page.reaches("enrolment")
    return terminal


def test_synced_passkey_is_refused_where_it_must_be_bound(rig, page):
    page.authenticator(**SYNCED)
    with rig.settings(device_bound="required"):
        terminal = begun(rig, page, "lp")
        page.click("Create passkey")
        page.reaches("enrol-refused")
    assert "synced to a cloud" in page.text
    assert terminal.end() == 1 and "nothing was enrolled" in terminal.text


def test_user_is_not_verified(rig, page):
    authenticator = page.authenticator(verifies=False)
    terminal = begun(rig, page, "lp")
    page.click("Create passkey")
    until(lambda: "not used" in page.text, "a second chance")
    assert authenticator.credentials() == []
    page.click("Don't enrol")
    page.reaches("enrol-declined")
    assert terminal.end() == 1


@pytest.mark.parametrize("name", ("", "   "))
def test_name_is_needed(rig, page, name):
    page.authenticator()
    terminal = begun(rig, page, "lp")
    page.field("name", name)
    page.click("Create passkey")
    assert "Give this phone a name" in page.text
    assert page.state == "enrolment"
    terminal.close()


def test_test_question_is_denied(rig, page):
    """The id was confirmed, but without the test nothing is enrolled."""
    page.authenticator()
    terminal = begun(rig, page, "lp")
    page.click("Create passkey")
    page.reaches("compare")
    terminal.wait_for("same id")
    terminal.type("yes")
    page.reaches("question")
    assert "lets nobody in" in page.text
    page.click("Deny")
    page.reaches("denied")
    assert terminal.end() == 1
    assert "webauthn" not in rig.countersign("devices", "lp", check=False)
