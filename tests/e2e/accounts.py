# SPDX-License-Identifier: BSD-2-Clause
"""Accounts that change under their files, and names of other kinds; USR-1."""
import contextlib
import os
import re
import shutil
from pathlib import Path

import codes
import private
import pytest
from codes import ASK
from machine import Session, as_user, environment, ssh
from private import HOME

PASSWD, NSSWITCH = Path("/etc/passwd"), Path("/etc/nsswitch.conf")
DOMAIN = "alice@corp.example"
ONE_QUESTION = ("NumberOfPasswordPrompts=1",)
EXTRA = Path("/var/lib/extrausers")


@pytest.fixture(autouse=True)
def server(sshd):
    return sshd


def entry(name, uid):
    home = HOME / name
    home.mkdir(parents=True, exist_ok=True)
    os.chown(home, uid, uid)
    return f"{name}:x:{uid}:{uid}:{name}:{home}:/bin/sh\n"


@contextlib.contextmanager
def accounts(edit):
    """While it lasts, /etc/passwd is what edit makes of it."""
    before = PASSWD.read_text()
    PASSWD.write_text(edit(before))
    try:
        yield
    finally:
        PASSWD.write_text(before)


def without(name):
    return lambda text: re.sub(rf"(?m)^{name}:.*\n", "", text)


def sudo_login(rig, user):
    """Through pam-run, as a program on this host."""
    return rig.login(user, "--log", service="sudo")


def enrolled(rig, user):
    return rig.countersign("devices", user, check=False)


# --- gone, made again, renamed -----------------------------------------------


@pytest.fixture
def bob(rig, phones):
    """bob with his phone, and codes of his."""
    return phones["bob"], codes.make(rig, "bob")


def refused(rig, user, *given):
    """Neither is a phone asked, nor does a code get in; what was logged."""
    with rig.settings(unenrolled="ignore"):
        asked = sudo_login(rig, user)
        assert asked.end() == "PAM_AUTHINFO_UNAVAIL", asked.text
        assert "event=auth_trouble" in asked.text
    for service in ("sshd", "login"):
        login = codes.use(rig, user, *given[:3], service=service,
                          options=("--log",))
        assert login.end() != "PAM_SUCCESS", login.text
        assert "auth_grant" not in login.text
    return asked.text


def test_made_again_with_the_old_name(rig, bob):
    """The new bob is somebody else: another uid, and nothing inherited."""
    phone, given = bob
    with accounts(lambda text: without("bob")(text) + entry("bob", 2102)):
        text = refused(rig, "bob", *given)
        assert "reason=DEVICES" in text and "another account" in text
        assert not [e for e in rig.audit()[-3:] if e["result"] == "granted"]
    # The old one is as he was.
    login = sudo_login(rig, "bob")
    phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"


def test_made_again_says_so_in_a_real_login(rig, bob, log):
    since = len(log.lines)
    with accounts(lambda text: without("bob")(text) + entry("bob", 2102)):
        session = Session(as_user("alice", "/usr/bin/su", "bob", "-c", "id"),
                          environment("alice"))
        session.wait_for(ASK)
        session.enter()
        assert session.end() == 1
    assert session.links() == 0
    line = log.wait("event=auth_trouble", since=since)
    assert "reason=DEVICES" in line
    assert "user=bob" in line and "devices/bob" in line
    assert "another account" in line


def test_renamed(rig, bob):
    """The same uid under another name: no devices, and no way around them."""
    _, given = bob
    with accounts(lambda text: text.replace("bob:x:2002", "robert:x:2002")):
        text = refused(rig, "robert", *given)
        assert "reason=STATE" in text and "state/2002" in text
        # Nor under the old name, which is no account any more.
        login = sudo_login(rig, "bob")
        assert login.end() == "PAM_USER_UNKNOWN"
    assert codes.use(rig, "bob", given[0], service="sshd").end() == \
        "PAM_SUCCESS"


def test_uid_given_to_another(rig, bob):
    """bob has left, carl got his number: bob's codes are not carl's."""
    _, given = bob
    with accounts(lambda text: without("bob")(text) + entry("carl", 2002)):
        text = refused(rig, "carl", *given)
        assert "reason=STATE" in text and "state/2002" in text


def test_two_names_for_one_uid(rig, bob):
    """The account is the uid, and its first name is asked."""
    phone, _ = bob
    with accounts(lambda text: text + entry("bobby", 2002)):
        login = sudo_login(rig, "bobby")
        link = login.link()
        assert rig.question(link).members["user"] == "bob"
        phone.approve(link)
        assert login.end() == "PAM_SUCCESS"


def test_left_overs_can_be_cleared(rig, phones):
    """What nobody can use is named, and removed by name."""
    with accounts(lambda text: text + entry("temp", 2300)):
        rig.enrol("temp")
        codes.make(rig, "temp")
    rig.countersign("deenroll", "--yes", "temp")
    with accounts(lambda text: text + entry("temp", 2301)):
        login = sudo_login(rig, "temp")
        assert login.end() == "PAM_USER_UNKNOWN"
        assert "reason=UNENROLLED" in login.text
        phone = rig.enrol("temp", name="again")
        login = sudo_login(rig, "temp")
        phone.approve(login.link())
        assert login.end() == "PAM_SUCCESS"


# --- names of other kinds ----------------------------------------------------


def whole_life(rig, user, uid):
    """Enrolled, asked, denied, by code, by ssh, revoked."""
    phone = rig.enrol(user, name="own")
    assert "own" in enrolled(rig, user)
    login = sudo_login(rig, user)
    question = phone.question(login.link())
    assert (question["user"], question["uid"]) == (user, uid)
    phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    login = ssh(user)
    phone.approve(login.link(), then=login.enter)
    assert login.end() == 0
    assert f"logged in as {user}" in login.text
    code, *_ = codes.make(rig, user)
    login = ssh(user)
    login.link()
    login.enter(code)
    assert login.end() == 0
    login = ssh(user, options=ONE_QUESTION)
    phone.deny(login.link(), then=login.enter)
    assert login.end() == 255
    rig.countersign("deenroll", "--yes", user)
    assert "own" not in enrolled(rig, user)


def test_name_with_a_domain(rig):
    with accounts(lambda text: text + entry(DOMAIN, 2200)):
        whole_life(rig, DOMAIN, 2200)
        assert not list((rig.folder / "state/devices").glob("*@*"))


def test_domain_does_not_stand_for_the_plain_name(rig, phones):
    """alice@corp.example is not alice."""
    with accounts(lambda text: text + entry(DOMAIN, 2200)):
        phone = rig.enrol(DOMAIN)
        login = ssh("alice")
        link = login.link()
        told = phone.approve(link, then=login.enter, check=False)
        assert "somebody else" in told
        phones["alice"].deny(link)
        assert login.end() == 255
        rig.countersign("deenroll", "--yes", DOMAIN)


@pytest.fixture
def nss():
    """Accounts that no file in /etc knows, as from a directory."""
    if not list(Path("/usr/lib").glob("**/libnss_extrausers.so.2")):
        if os.environ.get("CI"):
            pytest.fail("libnss-extrausers is missing")
        pytest.skip("libnss-extrausers is missing")
    EXTRA.mkdir(exist_ok=True)
    private.tmpfs(EXTRA)
    before = NSSWITCH.read_text()
    NSSWITCH.write_text(re.sub(r"(?m)^(passwd|group|shadow): files$",
                               r"\1: files extrausers", before))
    for name, text in (("passwd", entry("remote", 61001)),
                       ("group", "remote:x:61001:\n"),
                       ("shadow", "remote:*:20000:0:99999:7:::\n")):
        (EXTRA / name).write_text(text)
    yield "remote", 61001
    NSSWITCH.write_text(before)
    private.libc.umount2(str(EXTRA).encode(), 2)
    shutil.rmtree(HOME / "remote", ignore_errors=True)


def test_account_from_nss_only(rig, nss):
    assert "remote" not in PASSWD.read_text()
    whole_life(rig, *nss)


def test_directory_away(rig, nss):
    """Trouble, and not an account that the policy would let pass."""
    user, _ = nss
    phone = rig.enrol(user)
    (EXTRA / "passwd").rename(EXTRA / "away")
    try:
        with rig.settings(unenrolled="ignore"):
            login = sudo_login(rig, user)
            assert login.end() == "PAM_AUTHINFO_UNAVAIL"
    finally:
        (EXTRA / "away").rename(EXTRA / "passwd")
    login = sudo_login(rig, user)
    phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    rig.countersign("deenroll", "--yes", user)
