# SPDX-License-Identifier: BSD-2-Clause
"""Real ssh and sudo, approved in the page; as root, in a private machine."""
import machine
import private
import pytest
from browser import Page, WebRig, chromium, enrol
from machine import as_user, environment, ssh
from screen import camera


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
    with MachineRig(folder=machine.CONF.parent,
                    product=machine.PRODUCT) as rig:
        yield rig


@pytest.fixture(scope="session")
def sshd(rig):
    server = machine.Sshd()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def driver(rig):
    """A browser in the same machine."""
    with chromium() as driver:
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


def test_sudo_was_not_me(rig, page):
    session = machine.Session(as_user("alice", "/usr/bin/sudo", "/usr/bin/id",
                                      "-u"), environment("alice"))
    page.open(session.link())
    page.click("This was not me")
    page.reaches("reported")
    assert session.end() == 1
    assert rig.audit()[-1]["reason"] == "NOT_ME"
