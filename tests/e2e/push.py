# SPDX-License-Identifier: BSD-2-Clause
"""A login rings the phone: two doors to one question, and who opens which."""
import re
import shutil
import subprocess
import time
from pathlib import Path

import oracle
import pytest
from machine import (HOME, Session, Sshd, anybodys, as_user, couriers,
                     environment, ssh, ssh_command, until)
from pushd import PushService, name_address
from rig import link_id
from screen import link_in
from service import wait_until

DIGITS = re.compile(r"type (\d{3}) (\d{3}) on the phone that asks")
ONE_QUESTION = ("NumberOfPasswordPrompts=1",)
LIFETIME = 90
WRONG = "Too many wrong answers"
PASSED = "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"


@pytest.fixture(scope="session")
def soft(rig):
    """Phones with an inbox; root's too.  bell: see bells."""
    phones = {name: rig.enrol_soft(name, name=f"{name}'s phone")
              for name in ("alice", "bob", "root")}
    for phone in phones.values():
        phone.bell = None
    return phones


@pytest.fixture(scope="session")
def rings(rig, push_service):
    """Every question that rang a phone: what a command of the operator got."""
    log, command = rig.folder / "rings", rig.folder / "ring"
    log.touch(0o666)
    command.write_text(f"#!/bin/sh\nexec cat >>{log}\n")
    command.chmod(0o755)
    rig.service.configure(push_command=command, **push_service)
    rig.service.restart()

    def links():
        return [one for one in re.findall(r'"link":"([^"]*)"',
                                          log.read_text()) if one]
    return links


@pytest.fixture(scope="session")
def pushd(log, tmp_path_factory):
    """A push service of this machine's own."""
    name_address("push.home", "127.0.0.1")
    with PushService(tmp_path_factory.mktemp("pushd"), ["push.home"]) as one:
        yield one


@pytest.fixture(scope="session")
def push_service(pushd):
    """What countersignd.conf says of it."""
    return {"push_hosts": f"push.home:{pushd.port}", "push_private": "yes",
            "push_ca_file": pushd.ca}


@pytest.fixture(scope="session")
def bells(rig, soft, rings, pushd):
    """Phones whose browsers have subscribed."""
    subscriptions = {name: pushd.subscribe() for name in ("alice", "bob")}
    for name, one in subscriptions.items():
        reply = soft[name].client.post("/devices/self/push", one.keys)
        assert reply.status == 204, reply
        soft[name].bell = one
    return subscriptions


@pytest.fixture
def tablet(rig, soft):
    """
    Another phone of bob's.  It approved a test question, and his first one
    hears of that some time later: here, so that no case counts it.
    """
    bell = soft["bob"].bell
    before = len(bell.messages) if bell else 0
    other = rig.enrol_soft("bob", name="tablet")
    try:
        if bell:
            assert bell.wait(before + 1).json["link"] == ""
        yield other
    finally:
        rig.countersign("revoke", "bob", other.device)


@pytest.fixture(autouse=True)
def server(sshd, rings):
    return sshd


@pytest.fixture(autouse=True)
def fresh(rig, soft, rings):
    """
    Each case begins with a QR success, which forgets what was before.  It
    rings nobody: all that the service allows one phone in ten minutes is left
    to the cases.
    """
    with rig.settings(push="no"):
        for name, phone in soft.items():
            by_qr(rig, phone, name)
    # Cases count connections, and rings: none may come of what was before.
    until(lambda: not couriers(), what="the end of the couriers")
    pid = rig.service.process.pid
    until(lambda: not Path(f"/proc/{pid}/task/{pid}/children").read_text(),
          what="the end of the operator's commands")


def by_qr(rig, phone, user):
    """
    A question that rings nobody and whose link is scanned; what the terminal
    showed.  Nothing else is in this phone's inbox any more, either.
    """
    login = rig.login(user, service="su", argv=("su", user))
    link = login.link()
    assert rig.question(link).members["code"] == "never"
    phone.approve(link)
    assert login.end() == "PAM_SUCCESS", login.text
    emptied(phone)
    return login.text


def emptied(phone):
    """
    Waits until nothing is in its inbox: an answered question is, until the
    host's verdict arrives, and for that no login waits.
    """
    until(lambda: phone.inbox() == [], what="the end of the question")


def digits(session):
    """The code that stands under the link."""
    return "".join(session.wait_for(DIGITS.pattern).groups())


def link_asked(session):
    """The link of countersign ask or test, once all of the text is there."""
    session.wait_for("minutes left")
    return link_in(session.text)


def bob(command="echo logged in as $(id -un)", **keywords):
    return ssh("bob", command, key=Sshd.give_key("bob"), **keywords)


def sudo(user="alice", *arguments):
    return Session(as_user(user, "/usr/bin/sudo", "-k",
                           *(arguments or ("/usr/bin/id", "-un"))),
                   environment(user))


def wrong(code):
    return f"{(int(code) + 1) % 1000000:06}"


def tell_wrong(rig, phone, link, code):
    """Answers with a wrong code; returns when the host has said so."""
    before = rig.service.phone().get(
        f"/links/{link_id(link)}/events?wait=0&after=0").json["sequence"]
    phone.approve(link, code=wrong(code))
    return wait_until(lambda: ended_or_open(rig, link, before),
                      "the host's verdict")


def ended_or_open(rig, link, before):
    told = rig.service.phone().get(
        f"/links/{link_id(link)}/events?wait=0&after=0").json
    return told if told["sequence"] > before + 1 and \
        told["state"] != "answered" else None


def records(rig, **members):
    return [record for record in rig.audit() if all(
        record.get(name) == value for name, value in members.items())]


# --- two doors ---------------------------------------------------------------


def test_ssh_by_key_and_push(rig, soft, rings):
    """The question comes by itself; the code goes from eye to thumb."""
    login = bob()
    code = digits(login)
    link = soft["bob"].rung()
    assert link.upper() == login.link().upper()
    assert rig.question(link).members["code"] == "inbox"
    until(lambda: link_id(link) in rings(), what="the ringing")
    login.enter()
    soft["bob"].approve(link, code=code)
    assert login.end() == 0
    assert "logged in as bob" in login.text and login.links() == 1
    emptied(soft["bob"])


def test_web_push_wakes_the_right_phone(rig, soft, bells):
    """Nothing but the link's id, on its way while the terminal waits."""
    before = {name: len(one.messages) for name, one in bells.items()}
    login = bob()
    link = soft["bob"].rung()
    message = bells["bob"].wait(before["bob"] + 1)
    assert message.json == {"v": 1, "link": link_id(link)}
    assert message.ttl <= 90 and message.urgency == "high"
    login.enter()
    soft["bob"].approve(link, code=digits(login))
    assert login.end() == 0
    assert len(bells["alice"].messages) == before["alice"]


def test_other_phones_hear_of_a_yes(rig, soft, bells, pushd, tablet):
    """UX-10: without a sound; who gave it knows."""
    bell = pushd.subscribe()
    reply = tablet.client.post("/devices/self/push", bell.keys)
    assert reply.status == 204, reply
    before = len(bells["bob"].messages)
    login = bob()
    link = soft["bob"].rung()
    assert bell.wait(1).json["link"] == link_id(link)
    login.enter()
    soft["bob"].approve(link, code=digits(login))
    assert login.end() == 0
    notice = bell.wait(2)
    assert (notice.json, notice.urgency) == ({"v": 1, "link": ""}, "low")
    assert len(bells["bob"].messages) == before + 1


def test_other_phones_hear_of_a_scanned_yes(rig, soft, bells, tablet):
    """Also when none could ring; not where the host wants no push."""
    bell = bells["bob"]
    login = rig.login("bob", service="su", argv=("su", "bob"))
    link = link_id(login.link())
    until(lambda: bell.messages and bell.messages[-1].json["link"] == link)
    seen = len(bell.messages)
    soft["bob"].not_me(login.link())
    assert login.end() == "PAM_MAXTRIES"
    assert "No push" in by_qr(rig, tablet, "bob")
    assert bell.wait(seen + 1).json["link"] == ""
    with rig.settings(push="no"):
        by_qr(rig, tablet, "bob")
    login = rig.login("bob", service="su", argv=("su", "bob"))
    assert bell.wait(seen + 2).json["link"] == link_id(login.link())
    soft["bob"].approve(login.link())
    assert login.end() == "PAM_SUCCESS"


def test_test_says_how_many_ring(rig, soft, bells):
    tried = Session([str(word) for word in (
        rig.program("countersign"), "test", "--config", rig.conf, "--qr",
        "off", "alice")], rig._environment())
    tried.wait_for(r"on the phone that asks \(1 phone rings\)\.")
    soft["alice"].approve(link_asked(tried))
    assert tried.end() == 0


def test_sudo_rings_and_names_the_phone(rig, soft):
    session = sudo()
    code = digits(session)
    soft["alice"].approve(soft["alice"].rung(), code=code)
    assert session.end() == 0
    assert "Approved by alice's phone." in session.text
    assert session.text.splitlines()[-1].strip() == "root"


def test_su_rings_the_account_that_is_entered(rig, soft):
    session = Session(as_user("alice", "/usr/bin/su", "bob", "-c", "id -un"),
                      environment("alice"))
    code = digits(session)
    link = soft["bob"].rung()
    assert soft["alice"].inbox() == []
    soft["bob"].approve(link, code=code)
    assert session.end() == 0


def test_scanned_link_needs_no_code(soft):
    """Rung or not: who stands in front of the terminal has scanned it."""
    login = bob()
    soft["bob"].rung()
    login.enter()
    soft["bob"].approve(login.link())
    assert login.end() == 0


def test_ask_and_test_ring(rig, soft):
    """countersign ask, from a script, shows the digits where people look."""
    command = [rig.program("countersign"), "ask", "--config", rig.conf,
               "--title", "Deploy", "--qr", "off", "alice"]
    asked = Session([str(word) for word in command], rig._environment())
    code = "".join(asked.wait_for(
        r"Or type (\d{3}) (\d{3}) on the phone that asks").groups())
    soft["alice"].approve(soft["alice"].rung(), code=code)
    assert asked.end() == 0
    emptied(soft["alice"])
    quiet = Session([str(word) for word in command] + ["--no-push"],
                    rig._environment())
    link = link_asked(quiet)
    assert soft["alice"].inbox() == []
    assert rig.question(link).members["code"] == "never"
    soft["alice"].approve(link)
    assert quiet.end() == 0
    assert "Or type" not in quiet.text


@pytest.mark.parametrize("first,second", [("push", "link"),
                                          ("link", "push")])
def test_one_of_two_doors_wins(rig, soft, tablet, first, second):
    """The first good answer ends it; the other phone is told so."""
    login = bob()
    code = digits(login)
    link = soft["bob"].rung()
    assert tablet.rung().upper() == link.upper()
    answer = {"push": lambda phone: phone.key.approve(
                  oracle.Link.from_text(link), rig.content(link), code=code),
              "link": lambda phone: phone.key.approve(
                  oracle.Link.from_text(link), rig.content(link))}
    late = answer[second](tablet)
    login.enter()
    assert soft["bob"].send(link, answer[first](soft["bob"]),
                            "approve").status == 202
    assert login.end() == 0
    assert tablet.send(link, late, "approve").status in (404, 409, 410)
    emptied(tablet)
    granted = records(rig, user="bob", result="granted", service="sshd")[-1]
    assert granted["deviceName"] == "bob's phone"


def test_second_login_while_one_rings(rig, soft, rings):
    """RL-5: it is told why, its QR code works, and the first one goes on."""
    first = bob()
    code = digits(first)
    link = soft["bob"].rung()
    second = bob()
    other = second.link()
    assert rig.question(other).members["code"] == "never"
    assert not DIGITS.search(second.text)
    assert re.search(r"[^\n]*phone[^\n]*\n[ \u2580\u2584\u2588]{30}",
                     second.text.replace("\r", "")), second.text
    assert [one.upper() for one in soft["bob"].inbox()] == [link.upper()]
    second.enter()
    soft["bob"].approve(other)
    assert second.end() == 0
    first.enter()
    soft["bob"].approve(link, code=code)
    assert first.end() == 0
    assert link_id(other) not in rings()


# --- a wrong code ------------------------------------------------------------


def test_wrong_code_then_the_right_one(rig, soft):
    login = bob()
    code = digits(login)
    link = soft["bob"].rung()
    login.enter()
    for left in (2, 1):
        told = tell_wrong(rig, soft["bob"], link, code)
        assert (told["state"] in ("pending", "seen"), told["reason"],
                told["triesLeft"]) == (True, "PROOF_CODE", left)
    soft["bob"].approve(link, code=code)
    assert login.end() == 0


def test_wrong_code_thrice_ends_it(rig, soft):
    """PAM_MAXTRIES: sshd ends the connection, and asks nothing again."""
    before = len(records(rig, user="bob", reason="PROOF_CODE"))
    login = bob()
    code = digits(login)
    link = soft["bob"].rung()
    login.enter()
    for _ in range(3):
        told = tell_wrong(rig, soft["bob"], link, code)
    assert told["state"] not in ("pending", "seen", "granted")
    assert login.end() == 255
    assert login.links() == 1 and "logged in" not in login.text
    assert len(records(rig, user="bob", reason="PROOF_CODE")) >= before + 3
    emptied(soft["bob"])


def test_wrong_code_thrice_is_said_at_sudo(rig, soft):
    session = sudo()
    code = digits(session)
    link = soft["alice"].rung()
    for _ in range(3):
        tell_wrong(rig, soft["alice"], link, code)
    assert session.end() == 1
    assert session.links() == 1
    assert WRONG in session.text


# --- who may ring ------------------------------------------------------------


def look_at(user):
    """A login as far as its question, without a first factor."""
    login = ssh(user, options=ONE_QUESTION)
    login.link()
    login.wait_for("Press Enter .*: ")
    return login


def test_nothing_rings_before_a_first_factor(rig, soft, rings):
    """D8, RL-1: and nobody can tell an account from none."""
    before = rings()
    logins = {user: look_at(user) for user in ("alice", "mallory", "carol")}
    assert soft["alice"].inbox() == []
    for login in logins.values():
        question = rig.question(login.link()).members
        assert question["code"] == "never"
        assert not DIGITS.search(login.text)
        assert anybodys(login.text, LIFETIME) == \
            anybodys(logins["alice"].text, LIFETIME)
    assert rings() == before
    soft["alice"].approve(logins["alice"].link())
    logins["alice"].enter()
    assert logins["alice"].end() == 0


def test_without_a_first_factor_where_the_host_wants_it(rig, soft, rings):
    """RL-7: digits for everybody; who has no phone rings none."""
    with rig.settings(push_without_first_factor="yes"):
        logins = {user: look_at(user)
                  for user in ("alice", "mallory", "carol")}
        link = soft["alice"].rung()
        # A second one does not ring, and does not say so.
        second = look_at("alice")
    assert link.upper() == logins["alice"].link().upper()
    for login in (*logins.values(), second):
        assert rig.question(login.link()).members["code"] == "inbox"
        assert DIGITS.search(login.text)
        assert anybodys(login.text, LIFETIME) == \
            anybodys(logins["alice"].text, LIFETIME)
    assert soft["alice"].inbox() == [link]
    assert {link_id(one.link()) for one in logins.values()} & \
        set(rings()) <= {link_id(link)}
    logins["alice"].enter()
    soft["alice"].approve(link, code=digits(logins["alice"]))
    assert logins["alice"].end() == 0


@pytest.mark.parametrize("argv", [
    ("sudo", "-k", "-n", "id"), ("setsid", "-w", "sudo", "-k", "-S", "id")])
def test_nobody_at_the_terminal(rig, soft, rings, argv):
    """UX-11, D5: not even a request."""
    before, asked = rings(), rig.requests()
    run = subprocess.run(
        as_user("alice", "/usr/bin/env", *argv), env=environment("alice"),
        input="\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=10)
    assert run.returncode == 1, run.stdout
    assert rig.requests() == asked
    assert (rings(), soft["alice"].inbox()) == (before, [])


def test_push_off(rig, soft):
    with rig.settings(push="no"):
        login = bob()
        link = login.link()
    assert soft["bob"].inbox() == []
    assert rig.question(link).members["code"] == "never"
    login.enter()
    soft["bob"].approve(link)
    assert login.end() == 0


def shown(login):
    """The text so far, with what has come since it was last read."""
    before = None
    while before != login.text:
        before = login.text
        login.read(0.5)
    return login.text


def test_qr_only_question_is_not_opened_by_a_code(rig, soft):
    """F13: the service may say what it likes; the host asked for none."""
    with rig.settings(push="no"):
        login = bob(options=ONE_QUESTION)
        link = login.link()
    login.enter()
    soft["bob"].approve(link, code="123456")
    wait_until(lambda: rig.link_state(link) in ("pending", "seen"),
               "the host's refusal")
    # Nobody reads while one waits for the service: what has come is read now.
    assert "logged in" not in shown(login) and login.child.isalive()
    soft["bob"].deny(link)
    assert login.end() == 255
    assert "logged in" not in login.text


# --- not me ------------------------------------------------------------------


def say_not_me(soft):
    """To a question that rings; its link."""
    login = bob(options=ONE_QUESTION)
    login.link()
    link = soft["bob"].rung()
    login.enter()
    soft["bob"].not_me(link)
    assert login.end() == 255
    emptied(soft["bob"])
    return link


def test_not_me_stops_push_until_a_qr_success(rig, soft, rings):
    """G8, ST-3: also over restarts; and the audit trail says so."""
    alerts = len(records(rig, event="alert"))
    said = link_id(say_not_me(soft))
    until(lambda: said in rings(), what="the ringing")
    alert = records(rig, event="alert")[alerts:]
    assert [(one["user"], one["result"], one["reason"]) for one in alert] == [
        ("bob", "push-stopped", "NOT_ME")]
    before = rings()
    for restart in (False, True):
        if restart:
            rig.service.restart()
        login = bob(options=ONE_QUESTION)
        link = login.link()
        assert not DIGITS.search(login.text)
        assert rig.question(link).members["code"] == "never"
        assert soft["bob"].inbox() == [] and rings() == before
        # A denial, or an end without an answer, changes nothing.
        login.kill()
    assert re.search(r'(?m)^bob +No push since "not me": ', rig.countersign(
        "devices", "bob").split("PHONES DO NOT RING")[1])
    login = bob()
    soft["bob"].approve(login.link())
    login.enter()
    assert login.end() == 0
    assert "DO NOT RING" not in rig.countersign("devices", "bob")
    login = bob()
    code = digits(login)
    link = soft["bob"].rung()
    until(lambda: link_id(link) in rings(), what="the ringing")
    # Nor did one ring that was only slow to do so.
    assert rings() == [*before, link_id(link)]
    login.enter()
    soft["bob"].approve(link, code=code)
    assert login.end() == 0


def test_check_knows_whose_phones_are_quiet(rig, soft):
    say_not_me(soft)
    assert "push-quiet" in rig.countersign("check", "--json", check=False)


def test_two_denials_pause_it(rig, soft):
    """RL-4: and both doors count."""
    alerts = len(records(rig, event="alert"))
    for door in ("rung", "link"):
        login = bob(options=ONE_QUESTION)
        link = login.link()
        if door == "rung":
            link = soft["bob"].rung()
        login.enter()
        soft["bob"].deny(link)
        assert login.end() == 255
        emptied(soft["bob"])
    alert = records(rig, event="alert")[alerts:]
    assert [(one["result"], one["reason"]) for one in alert] == [
        ("push-paused", "DENIED")]
    session = Session(as_user("alice", "/usr/bin/su", "bob", "-c", "id"),
                      environment("alice"))
    session.link()
    assert not DIGITS.search(session.text)
    assert soft["bob"].inbox() == []
    soft["bob"].approve(session.link())
    assert session.end() == 0


# --- bombing -----------------------------------------------------------------


def test_a_thousand_logins(rig, soft, rings, bells):
    """
    F14, T2: somebody with bob's key tries as fast as he can.  At most three
    of them ring in ten minutes; bob himself gets in, by the QR code.
    """
    before, sent = len(rings()), len(bells["bob"].messages)
    bomb = rig.login(
        "bob", "--env", PASSED, "--env",
        "SSH_CONNECTION=203.0.113.9 4711 127.0.0.1 22", "--conv", "eof",
        "--calls", "authenticate", "--rounds", "1000", service="sshd")
    assert bomb.end() == "PAM_CONV_ERR"
    assert len([e for e in bomb.events if e["event"] == "result"]) == 1000
    until(lambda: len(rings()) > before, what="the ringing")
    bells["bob"].wait(sent + 1)
    login = bob()
    soft["bob"].approve(login.link())
    login.enter()
    assert login.end() == 0
    # Only now, when also a ring that was slow has been counted.
    assert 1 <= len(rings()) - before <= 3
    assert 1 <= len(bells["bob"].messages) - sent <= 3


# --- a tap -------------------------------------------------------------------


def test_tap(rig, soft):
    with rig.settings(push_confirm="tap"):
        session = sudo()
        link = soft["alice"].rung()
        assert rig.question(link).members["code"] == "tap"
        soft["alice"].approve(link)
        assert session.end() == 0
    assert "or approve on the phone that asks" in session.text
    assert not DIGITS.search(session.text)


def test_tap_is_never_for_root(rig, soft):
    with rig.settings(push_confirm="tap"):
        login = rig.login("root", service="sudo")
        login.link()
        assert rig.question(login.link()).members["code"] == "inbox"
        code = "".join(DIGITS.search(login.text).groups())
        soft["root"].approve(soft["root"].rung(), code=code)
        assert login.end() == "PAM_SUCCESS"


MUTE = {"sshd": {"present": "none", "push_confirm": "tap"}}


def run_quiet(argv, **keywords):
    """A program without a terminal, as other programs start it."""
    return subprocess.Popen(
        as_user("client", "/usr/bin/setsid", "-w", *argv),
        # git looks around where it is, which has to be readable.
        cwd=HOME / "client", env=environment("client"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, **keywords)


def end_quiet(process):
    # To hide what it did, sshd 9.2 answers one request, which all of the wait
    # is here, only after up to twice the time that it took.
    try:
        out, err = process.communicate(timeout=100)
    finally:
        process.kill()
    return process.returncode, out, err


def test_no_conversation_at_all(rig, soft):
    """A tap, and not a word in between."""
    with rig.settings(**MUTE):
        process = run_quiet(ssh_command("bob", "echo", "out",
                                        key=Sshd.give_key("bob")))
        soft["bob"].approve(soft["bob"].rung())
        assert end_quiet(process) == (0, "out\n", "")


def transfer(name, key):
    """The command line of a program that uses ssh, and what shows it did."""
    shell = " ".join(ssh_command("bob", key=key)[:-1])
    target = HOME / "bob" / "sent"
    source = HOME / "client" / "sent"
    source.write_text("content\n")
    source.chmod(0o644)
    target.unlink(missing_ok=True)
    if name == "scp":
        options = [word for word in ssh_command("bob", key=key)[1:-1]]
        options[options.index("-p")] = "-P"
        return ["/usr/bin/scp", "-O", *options, source,
                f"bob@127.0.0.1:{target}"], target
    if name == "rsync":
        return ["/usr/bin/rsync", "-e", shell, source,
                f"bob@127.0.0.1:{target}"], target
    repository = HOME / "bob" / "repository"
    subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
    subprocess.run(["chown", "-R", "bob", repository], check=True)
    return ["/usr/bin/env", f"GIT_SSH_COMMAND={shell}", "/usr/bin/git",
            "ls-remote", f"bob@127.0.0.1:{repository}"], repository


@pytest.mark.parametrize("name", ["scp", "git"] + [
    name for name in ["rsync"] if shutil.which(name)])
def test_programs_that_use_ssh(rig, soft, name):
    argv, there = transfer(name, Sshd.give_key("bob"))
    with rig.settings(**MUTE):
        process = run_quiet(map(str, argv))
        soft["bob"].approve(soft["bob"].rung())
        assert end_quiet(process) == (0, "", "")
    assert there.exists()


def test_batch_mode_is_the_clients_no(rig, soft, rings):
    """Its ssh then leaves the method out; pam_countersign(8) says so."""
    before = rings()
    with rig.settings(**MUTE):
        process = run_quiet(ssh_command(
            "bob", "true", key=Sshd.give_key("bob"),
            options=("BatchMode=yes",)))
        assert end_quiet(process)[0] == 255
    assert rings() == before


def test_no_conversation_and_a_no(rig, soft):
    """It ends the connection; nothing is asked again."""
    with rig.settings(**MUTE):
        process = run_quiet(ssh_command("bob", "echo", "in",
                                        key=Sshd.give_key("bob")))
        soft["bob"].deny(soft["bob"].rung())
        status, out, _ = end_quiet(process)
    assert (status, out) == (255, "")


def test_no_conversation_and_no_answer(rig, soft, rings):
    """One question, though the client would try three times by itself."""
    before = len(rings())
    with rig.settings(**MUTE, lifetime=30):
        process = run_quiet(ssh_command("bob", "echo", "in",
                                        key=Sshd.give_key("bob")))
        status, out, err = end_quiet(process)
    assert (status, out) == (255, "")
    assert err.count("Nobody approved in time") == 1
    assert len(rings()) - before == 1


def test_no_conversation_and_no_phone_that_rings(rig, soft, log):
    """Nobody could answer, so nobody waits."""
    say_not_me(soft)
    since, began = len(log.lines), time.monotonic()
    with rig.settings(**MUTE):
        process = run_quiet(ssh_command("bob", "true",
                                        key=Sshd.give_key("bob")))
        assert end_quiet(process)[0] == 255
    assert time.monotonic() - began < 20
    assert log.wait("reason=NOBODY_ASKED", since=since)
