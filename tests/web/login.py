# SPDX-License-Identifier: BSD-2-Clause
"""Real ssh and sudo, approved in the page; as root, in a private machine."""
import json

import machine
import private
import pytest
from browser import Page, WebRig, chromium, enrol
from desktop import Desktop
from devtools import DevTools
from machine import as_user, environment, ssh
from rig import link_id
from screen import camera


EVIDENCE = machine.CONF.parent / "evidence"


class MachineRig(WebRig):
    """As the end-to-end tests have it: what is built, put where only root may
    write."""

    def _environment(self):
        return {**super()._environment(), "LD_LIBRARY_PATH":
                str(machine.PRODUCT)}


@pytest.fixture(scope="session")
def rig():
    private.enter()
    machine.furnish()
    with MachineRig(folder=machine.CONF.parent, product=machine.PRODUCT,
                    evidence="yes", evidence_file=EVIDENCE) as rig:
        yield rig


@pytest.fixture(scope="session")
def sshd(rig):
    server = machine.Sshd()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def desktop(rig):
    desktop = Desktop()
    yield desktop
    desktop.close()


@pytest.fixture(scope="session")
def driver(desktop):
    """A browser in the same machine."""
    with chromium(environment=desktop.environment) as driver:
        yield driver


@pytest.fixture(scope="session")
def page(rig, driver):
    page = Page(driver)
    page.authenticator()
    enrol(rig, page, "alice")
    return page


def link_on_the_picture(session):
    """What a camera reads off alice's terminal."""
    session.link()
    session.wait_for(r"/#[A-Z2-7]{26}\s")
    found = camera(session.text)
    assert len(found) == 1, session.text
    return found[0]


def verified(rig, user):
    """What was kept of the account's newest answer, all being well."""
    found = json.loads(rig.countersign("log", "--verify", "--json", user))
    assert {one["evidence"] for one in found["answers"]} == {"verified"}, found
    kept = [json.loads(line) for line in EVIDENCE.read_text().splitlines()]
    return [one for one in kept if one["user"] == user][-1]


def test_ssh(page, sshd):
    login = ssh("alice")
    page.open(link_on_the_picture(login))
    page.reaches("question")
    assert "127.0.0.1" in page.text
    page.click("Approve")
    page.reaches("sent")
    login.enter()  # sshd of this version hears of it only then
    page.reaches("granted")
    assert login.end() == 0
    assert "logged in as alice" in login.text


def test_ssh_denied(page, sshd):
    login = ssh("alice")
    page.open(login.link())
    page.click("Deny")
    page.reaches("sent")
    login.enter()
    page.reaches("denied")
    assert login.end() == 255
    assert "logged in" not in login.text


def test_sudo(page):
    session = machine.Session(as_user("alice", "/usr/bin/sudo", "/usr/bin/id",
                                      "-u"), environment("alice"))
    page.open(session.link())
    page.reaches("question")
    assert "/usr/bin/id -u" in page.text
    page.click("Approve")
    page.reaches("granted")
    assert session.end() == 0
    assert session.text.rstrip().endswith("0")


def test_what_was_signed_can_be_checked_later(rig, page):
    session = machine.Session(as_user("alice", "/usr/bin/sudo", "/usr/bin/id",
                                      "-u"), environment("alice"))
    page.open(session.link())
    page.reaches("question")
    page.click("Approve")
    page.reaches("granted")
    assert session.end() == 0
    kept = verified(rig, "alice")
    assert (kept["kind"], kept["choice"]) == ("webauthn", "approve")
    assert "code" not in kept


def test_sudo_was_not_me(rig, page):
    session = machine.Session(as_user("alice", "/usr/bin/sudo", "/usr/bin/id",
                                      "-u"), environment("alice"))
    page.open(session.link())
    page.click("This was not me")
    page.reaches("reported")
    assert session.end() == 1
    assert rig.audit()[-1]["reason"] == "NOT_ME"


def test_ssh_rings(rig, page, sshd, desktop):
    """A key, then the ring, its click, the digits, the passkey."""
    enrol(rig, page, "bob")
    page.driver.execute_cdp_cmd("Browser.setPermission", {
        "origin": rig.origin, "permission": {"name": "notifications"},
        "setting": "granted"})
    page.open(rig.origin)
    page.js("return navigator.serviceWorker.ready.then(() => 1)")
    login = ssh("bob", key=machine.Sshd.give_key("bob"))
    code = login.wait_for(r"type (\d{3} \d{3}) on the phone").group(1)
    devtools = DevTools(page.driver)
    devtools.push(rig.origin, json.dumps(
        {"v": 1, "link": link_id(login.link())}))
    desktop.click(desktop.notification())
    page.reaches("question")
    page.field("code", code)
    page.click("Approve")
    page.reaches("sent")
    login.enter()
    page.reaches("granted")
    assert login.end() == 0
    assert "logged in as bob" in login.text
    assert verified(rig, "bob")["code"] == code.replace(" ", "")
    devtools.close()
