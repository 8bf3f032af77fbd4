# SPDX-License-Identifier: BSD-2-Clause
"""A phone enrolled inside a login, and one in place of a lost one; ENR."""
import json
import re

import codes
import pytest
from codes import ASK
from machine import Session, Sshd, as_user, environment, ssh, until
from rig import Phone

LOST = r"in place of (.+)\? \[y/N\] "
SAME_ID = r"Does your phone show the same id\? \[y/N\] "
NOTHING = "No phone was enrolled."
POLICY = {"sshd": {"unenrolled": "enroll", "recovery_enroll": "yes"},
          "sudo": {"unenrolled": "enroll", "recovery_enroll": "yes"}}
ONE_QUESTION = ("NumberOfPasswordPrompts=1",)


@pytest.fixture(autouse=True)
def server(sshd, rig):
    with rig.settings(**POLICY):
        yield sshd


def by_key(user):
    return ssh(user, key=Sshd.give_key(user), options=ONE_QUESTION)


def sudo(user="alice"):
    return Session(as_user(user, "/usr/bin/sudo", "-k", "/usr/bin/id", "-un"),
                   environment(user))


def devices(rig, user):
    text = rig.countersign("devices", "--json", user, check=False)
    found = re.search(r"(?s)[\[{].*", text)
    listed, _ = json.JSONDecoder().raw_decode(found.group(0))
    return {device["name"]: device for device in listed["devices"]}


def shown_id(session):
    return re.search(r"Its id is ([a-z2-7-]{19})", session.text).group(1)


def enrol_in(rig, session, user, name, number=0, enter=True):
    """
    The person's part from the link to the login: opens it on a phone, compares
    the ids, approves.  number: of the link in the session.
    """
    phone = Phone(rig, user, name)
    process = phone.start("enroll", "--yes", "--name", name,
                          session.link(number))
    if enter:
        session.enter()
    session.wait_for(SAME_ID)
    assert name in session.text
    session.enter("y")
    phone.finish(process)
    phone.device = phone.devices()[-1]["id"]
    assert shown_id(session).replace("-", "") == phone.device
    phone.approve(session.link(number + 1),
                  then=session.enter if enter else None)
    return phone


# --- the first phone ---------------------------------------------------------


def test_first_login_enrols(rig, log):
    """After the key; and the next login asks the phone."""
    login = by_key("dora")
    login.link()
    assert "on your phone to enrol it, within 180 seconds" in login.text
    phone = enrol_in(rig, login, "dora", "first")
    assert login.end() == 0
    assert "logged in as dora" in login.text
    assert login.links() == 2
    line = log.wait("method=enrolment device=first")
    assert "event=auth_grant" in line and "user=dora" in line
    [record] = [r for r in rig.audit() if r["event"] == "enrolment"
                and r.get("user") == "dora"]
    assert record["result"] == "granted" and record["by"] == "dora"
    # From now on there is nothing special.
    login = by_key("dora")
    question = phone.question(login.link())
    assert question["user"] == "dora"
    phone.approve(login.link(), then=login.enter)
    assert login.end() == 0
    assert "enrol" not in login.text
    login = by_key("dora")
    phone.deny(login.link(), then=login.enter)
    assert login.end() == 255


def test_new_phone_is_asked_about_this_login(rig):
    """What it approves first is no empty test."""
    login = by_key("gus")
    phone = Phone(rig, "gus", "curious")
    process = phone.start("enroll", "--yes", "--name", "curious",
                          login.link())
    login.enter()
    login.wait_for(SAME_ID)
    login.enter("y")
    phone.finish(process)
    link = login.link(1)
    question = rig.question(link).members
    assert question["service"] == "sshd" and question["user"] == "gus"
    assert any("publickey" in value for _, value in question["details"])
    # And a no is a no: nothing was enrolled, and nobody is in.
    phone.deny(link, then=login.enter)
    assert login.end() == 255
    assert NOTHING in login.text and "Denied on the phone" in login.text
    assert devices(rig, "gus") == {}


def test_other_phone_cannot_confirm(rig, phones):
    """ENR-6: only the phone that is being enrolled."""
    login = by_key("gus")
    phone = Phone(rig, "gus", "real")
    process = phone.start("enroll", "--yes", "--name", "real", login.link())
    login.enter()
    login.wait_for(SAME_ID)
    login.enter("y")
    phone.finish(process)
    told = phones["alice"].approve(login.link(1), then=login.enter,
                                   check=False)
    assert "device of somebody else" in told
    assert devices(rig, "gus") == {}
    phone.deny(login.link(1))
    assert login.end() == 255


@pytest.mark.parametrize("answer", ["n", "", "no", "maybe"])
def test_id_that_is_not_confirmed(rig, answer):
    login = by_key("gus")
    phone = Phone(rig, "gus", f"thief{answer}")
    process = phone.start("enroll", "--yes", "--name", "thief", login.link())
    login.enter()
    login.wait_for(SAME_ID)
    login.enter(answer)
    assert login.end() == 255
    phone.finish(process, check=False)
    assert NOTHING in login.text
    assert "logged in" not in login.text
    assert devices(rig, "gus") == {}
    assert rig.audit()[-1]["event"] == "enrolment"
    assert rig.audit()[-1]["result"] == "refused"


def test_service_away(rig):
    with rig.service_down():
        login = by_key("gus")
        assert login.end() == 255
    assert login.links() == 0
    assert "logged in" not in login.text
    assert "cannot be reached" in login.text


def test_after_a_password_the_module_must_be_told(rig):
    """after_first_factor: on the line, or there is no enrolment."""
    login = rig.login("gus", service="sudo")
    assert login.end() == "PAM_USER_UNKNOWN"
    assert "countersign enroll gus" in login.text
    line = (f"required {rig.product}/pam_countersign.so config={rig.conf} "
            "after_first_factor",)
    login = rig.login("gus", "--answer", "n", service="sudo", auth=line)
    link = login.link()
    phone = rig_phone(rig, "gus", "refused", link)
    assert login.end() == "PAM_MAXTRIES"
    phone[0].finish(phone[1], check=False)


def rig_phone(rig, user, name, link):
    phone = Phone(rig, user, name)
    return phone, phone.start("enroll", "--yes", "--name", name, link)


# --- who may not -------------------------------------------------------------


def test_not_without_a_first_factor(rig):
    """carol's question looks like any other, and enrols nobody."""
    login = ssh("carol", options=ONE_QUESTION)
    link = login.link()
    assert "enrol" not in login.text
    assert rig.question(link).members["kind"] == "approval"
    login.kill()
    assert devices(rig, "carol") == {}


def test_not_root(rig):
    login = by_key("root")
    assert login.end() == 255
    assert login.links() == 0
    assert "No phone is enrolled for root" in login.text


def test_root_where_policy_says_so(rig):
    policy = {"sshd": {**POLICY["sshd"], "enroll_root": "yes"}}
    with rig.settings(**policy):
        login = by_key("root")
        login.link()
        assert "to enrol it" in login.text
        login.kill()


def test_not_an_account_that_had_a_phone(rig, log):
    """Whoever revokes the last one wants nobody to step into its place."""
    phone = rig.enrol("fay")
    rig.countersign("revoke", "--force", "fay", phone.device)
    since = len(log.lines)
    with rig.settings(sshd={**POLICY["sshd"], "recovery": "no"}):
        login = by_key("fay")
        assert login.end() == 255
    assert login.links() == 0
    assert "logged in" not in login.text
    line, = until(lambda: [line for line in log.lines[since:] if
                           "user=fay" in line and "reason=STATE" in line])
    assert "had a device" in line


def test_not_by_default(rig):
    with rig.settings(sshd={}):
        login = by_key("gus")
        assert login.end() == 255
    assert login.links() == 0
    assert "No phone is enrolled for gus" in login.text


# --- in place of a lost one --------------------------------------------------


def test_lost_phone_by_ssh(rig, phones, log):
    """One device: the new one takes its place in one step."""
    code, *_ = codes.make(rig, "bob")
    login = by_key("bob")
    login.link()
    login.enter(code)
    assert login.wait_for(LOST).group(1) == "phone"
    login.enter("y")
    new = enrol_in(rig, login, "bob", "spare", number=1)
    assert login.end() == 0
    assert "logged in as bob" in login.text
    assert "the lost one is revoked" in login.text
    assert list(devices(rig, "bob")) == ["spare"]
    line = log.wait("new_device=spare")
    assert "method=recovery codes_left=9 enrolment=OK" in line
    # The lost one opens nothing any more, the new one does.
    login = by_key("bob")
    link = login.link()
    login.enter()
    told = phones["bob"].approve(link, check=False)
    assert "somebody else" in told
    new.approve(link)
    assert login.end() == 0


def test_lost_phone_that_was_revoked_already(rig):
    """The administrator was told first; the codes are still good."""
    phone = rig.enrol("fay", name="stolen")
    code, *_ = codes.make(rig, "fay")
    rig.countersign("revoke", "--force", "fay", phone.device)
    login = by_key("fay")
    login.wait_for(ASK)
    login.enter(code)
    login.wait_for(r"Enrol a new phone now\? \[y/N\] ")
    login.enter("y")
    enrol_in(rig, login, "fay", "next")
    assert login.end() == 0
    assert list(devices(rig, "fay")) == ["next"]


def test_one_of_two_in_sudo(rig, phones):
    """On this host no other factor is needed; and no Enter."""
    rig.enrol("alice", name="tablet")
    code, *_ = codes.make(rig, "alice")
    session = sudo()
    session.link()
    session.child.send("\x1c")
    session.wait_for(ASK)
    session.enter(code)
    session.wait_for(r"Enrol a new phone now\? \[y/N\] ")
    session.enter("y")
    listed = session.wait_for(r"(?s)Your phones:.*Enter for none\): ").group()
    number = re.search(r"(\d)  tablet", listed).group(1)
    session.enter(number)
    enrol_in(rig, session, "alice", "newest", number=1, enter=False)
    assert session.end() == 0
    assert session.text.splitlines()[-1].strip() == "root"
    assert sorted(devices(rig, "alice")) == ["newest", "phone"]
    # The one that was not lost is as good as ever.
    session = sudo()
    phones["alice"].approve(session.link())
    assert session.end() == 0


def test_failed_enrolment_takes_nothing_back(rig):
    code, *_ = codes.make(rig, "alice")
    before = devices(rig, "alice")
    session = sudo()
    session.link()
    session.child.send("\x1c")
    session.wait_for(ASK)
    session.enter(code)
    session.wait_for(r"Enrol a new phone now.*\[y/N\] ")
    session.enter("y")
    session.wait_for(r"Enter for none\): ")
    session.enter("1")
    phone, process = rig_phone(rig, "alice", "half", session.link(1))
    session.wait_for(SAME_ID)
    session.enter("n")
    assert session.end() == 0
    assert NOTHING in session.text
    assert session.text.splitlines()[-1].strip() == "root"
    phone.finish(process, check=False)
    assert devices(rig, "alice") == before


def test_not_offered_to_a_stranger_with_a_code(rig, log):
    """Over a network, without a key: the code is all that was proven."""
    code, *_ = codes.make(rig, "alice")
    login = ssh("alice")
    login.link()
    login.enter(code)
    assert login.end() == 0
    assert "Enrol" not in login.text


def test_not_offered_unless_configured(rig):
    code, *_ = codes.make(rig, "alice")
    with rig.settings(sudo={}):
        session = sudo()
        session.link()
        session.child.send("\x1c")
        session.wait_for(ASK)
        session.enter(code)
        assert session.end() == 0
    assert "Enrol" not in session.text
