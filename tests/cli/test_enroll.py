# SPDX-License-Identifier: BSD-2-Clause
"""countersign enroll together with countersign-phone enroll."""
import json
import os
import signal
import time
from pathlib import Path

import pytest
from agent import Call
from conftest import approve, Background, countersign, DEVICE_ID, devices, run
from rig import SoftPhone
from screen import LINK, link_in

pexpect = pytest.importorskip("pexpect")


@pytest.fixture
def terminal(rig):
    """countersign enroll on a terminal of its own."""
    children = []

    def spawn(user, *arguments, columns=80, rows=40):
        children.append(pexpect.spawn(
            str(rig.program("countersign")), [
                "enroll", "--config", str(rig.conf), user, *arguments],
            env={**rig._environment(), "TERM": "dumb"}, timeout=30,
            encoding="utf-8", dimensions=(rows, columns)))
        return children[-1]

    yield spawn
    for child in children:
        child.close(force=True)


def shown_link(child):
    child.expect(LINK.pattern)
    return child.match.group(0)


def enrolled(rig, user):
    """Ids of the user's devices on the host."""
    return [device["id"] for device in devices(rig) if
            device["user"] == user]


def test_a_person_compares_the_ids(rig, terminal, new_phone):
    phone = new_phone("daemon")
    child = terminal("daemon", "--name", "Dæmon's phone")
    enrolling = Background(phone, "enroll", "--yes", shown_link(child))
    child.expect(DEVICE_ID.pattern)
    shown = child.match.group(0)
    assert enrolled(rig, "daemon") == []
    child.expect("same id")
    child.sendline("y")
    told = enrolling.end()
    assert told.returncode == 0
    assert shown in told.stdout
    child.expect("Enrolled")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert enrolled(rig, "daemon") == [shown.replace("-", "")]
    assert devices(rig, "daemon")[0]["name"] == "Dæmon's phone"
    assert [device["confirmed"] for device in phone.devices()] == [True]
    login = rig.login("daemon")
    phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"


@pytest.mark.parametrize("answer", ["", "n", "no", "maybe", "yesyesyesyes"])
def test_everything_but_yes_is_no(rig, terminal, new_phone, answer):
    phone = new_phone("games")
    child = terminal("games", "--qr", "off")
    enrolling = Background(phone, "enroll", "--yes", shown_link(child))
    child.expect("same id")
    child.sendline(answer)
    child.expect("nothing was enrolled")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    told = enrolling.end()
    assert told.returncode == 1
    assert phone.devices() == [], told.stdout
    assert list(phone.store.iterdir()) == []
    assert enrolled(rig, "games") == []


def test_an_early_yes_is_no_answer(rig, terminal, new_phone):
    """Typed before the id was there to compare."""
    phone = new_phone("games")
    child = terminal("games", "--qr", "off")
    link = shown_link(child)
    child.sendline("y")
    enrolling = Background(phone, "enroll", "--yes", link)
    child.expect("same id")
    child.sendline("")
    child.expect("nothing was enrolled")
    child.expect(pexpect.EOF)
    assert enrolling.end().returncode == 1
    assert enrolled(rig, "games") == []


def test_end_of_input_is_no(rig, terminal, new_phone):
    child = terminal("games", "--qr", "off")
    enrolling = Background(
        new_phone("games"), "enroll", "--yes", shown_link(child))
    child.expect("same id")
    child.sendeof()
    child.expect("nothing was enrolled")
    assert enrolling.end().returncode == 1


def test_without_a_terminal_nobody_is_asked(rig):
    status, out, err = countersign(rig, "enroll", "games", text="y\ny\n")
    assert (status, out) == (2, "")
    assert "--yes" in err
    assert LINK.search(err) is None


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM,
                                   signal.SIGHUP])
def test_interrupted_is_cancelled(rig, enrolment, signo):
    one = enrolment("games")
    link = one.link()
    one.interrupt(signo)
    assert one.end() == 1
    assert "stopped" in one.text
    until(lambda: rig.link_state(link) in ("cancelled", None))
    assert enrolled(rig, "games") == []


def test_interrupted_at_the_comparison(rig, terminal, new_phone):
    child = terminal("games", "--qr", "off")
    enrolling = Background(
        new_phone("games"), "enroll", "--yes", shown_link(child))
    child.expect("same id")
    child.sendintr()
    child.expect("stopped")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert enrolling.end().returncode == 1
    assert enrolled(rig, "games") == []


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_kind_that_is_not_accepted(rig, enrolment, new_phone):
    phone = new_phone("games")
    with rig.settings(device_kinds="webauthn"):
        one = enrolment("games")
        told = run(phone, "enroll", "--yes", one.link(), check=False)
        assert one.end() == 1
    assert "device_kinds" in one.text and "p256" in one.text
    assert "user verification" in one.text
    assert told.returncode == 1
    assert "kind is not accepted" in told.stdout
    assert phone.devices() == []
    assert enrolled(rig, "games") == []


def test_an_old_device_cannot_give_the_test(rig, enrolment, new_phone):
    old, new = rig.enrol("man"), new_phone("man")
    one = enrolment("man", "--qr", "off")
    enrolling = Background(new, "enroll", "--yes", "--no-test", one.link())
    test = one.link()
    assert enrolling.end().returncode == 0
    refused = approve(old, test)
    assert refused.returncode == 1
    assert "device" in refused.stdout
    assert enrolled(rig, "man") == [old.device]
    if one.process.poll() is None:
        run(new, "approve", "--yes", test, check=False)
    status = one.end()
    assert (status == 0) == (len(enrolled(rig, "man")) == 2)


def test_a_denied_test_enrols_nothing(rig, enrolment, new_phone):
    phone = new_phone("games")
    one = enrolment("games", "--qr", "off")
    enrolling = Background(phone, "enroll", "--yes", "--no-test", one.link())
    test = one.link()
    assert enrolling.end().returncode == 0
    run(phone, "deny", test)
    assert one.end() == 1
    assert "denied" in one.text
    assert enrolled(rig, "games") == []


def test_interrupted_at_the_test(rig, enrolment, new_phone):
    phone = new_phone("games")
    one = enrolment("games", "--qr", "off")
    enrolling = Background(phone, "enroll", "--yes", "--no-test", one.link())
    test = one.link()
    enrolling.end()
    one.interrupt()
    assert one.end() == 1
    until(lambda: rig.link_state(test) in ("cancelled", None))
    assert run(phone, "approve", "--yes", test, check=False).returncode == 1
    assert enrolled(rig, "games") == []


def test_the_phone_declines(rig, enrolment, new_phone):
    one = enrolment("games")
    run(new_phone("games"), "deny", one.link())
    assert one.end() == 1
    assert "declined" in one.text


def test_unknown_user(rig):
    status, _, err = countersign(rig, "enroll", "--yes", "no-such-user")
    assert status == 1
    assert "no such account" in err


def test_service_away(rig):
    with rig.service_down():
        begin = time.monotonic()
        status, _, err = countersign(rig, "enroll", "--yes", "games")
    assert status == 3
    assert rig.service.url in err
    assert time.monotonic() - begin < 5


def test_as_many_devices_as_there_may_be(rig):
    rig.enrol("mail")
    with rig.settings(max_devices=1):
        status, _, err = countersign(rig, "enroll", "--yes", "mail")
    assert status == 1
    assert "max_devices" in err


@pytest.mark.parametrize("arguments", [
    ("--qr", "utf8"), ("--qr", "utf8", "--inverse"), ("--qr", "ascii"),
    ("--qr", "ascii", "--inverse"), ()], ids="_".join)
def test_the_phone_reads_the_drawing(rig, enrolment, new_phone, arguments):
    one = enrolment("games", *arguments)
    link = one.link()
    drawing = one.text.replace(link, "")
    assert link_in(drawing) is None
    assert ("#" in drawing) == ("ascii" in arguments)
    phone = new_phone("games")
    enrolling = Background(phone, "enroll", "--yes", "--no-test", "-",
                           text=drawing)
    assert one.link()
    assert enrolling.end().returncode == 0


def test_no_drawing(rig, enrolment):
    one = enrolment("games", "--qr", "off")
    link = one.link()
    drawing = one.text.replace(link, "")
    assert not set("#\u2580\u2584\u2588") & set(drawing)


def test_wrong_drawing(rig):
    status, _, err = countersign(
        rig, "enroll", "--yes", "games", "--qr", "png")
    assert status == 2
    assert "utf8, ascii or off" in err


def test_a_small_terminal_gets_the_link(terminal):
    child = terminal("games", columns=30, rows=10)
    child.expect("too small")
    assert "\u2588" not in child.before
    assert shown_link(child)


def test_80_by_24_shows_all_of_it(terminal):
    child = terminal("games", columns=80, rows=24)
    link = shown_link(child)
    before = child.before
    child.expect("minutes left")
    lines = (before + link + child.before).splitlines()
    drawn = [at for at, line in enumerate(lines)
             if set("\u2580\u2584\u2588") & set(line)]
    assert len(drawn) >= 19
    assert len(lines) - drawn[0] <= 24


def test_nothing_secret_in_any_process(rig, enrolment):
    """SYS-8, ENR-3: arguments and environments of all of them."""
    one = enrolment("games")
    secret = one.link().split("#")[1]
    seen = 0
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes()
            except OSError:
                continue
            seen += b"countersign" in text
            for canary in (secret, rig.host.key):
                assert canary.encode() not in text
    assert seen > 0


def test_no_core_and_not_dumpable(rig, enrolment):
    one = enrolment("games")
    one.link()
    process = Path("/proc") / str(one.process.pid)
    core = [line.split()[4:6] for line in
            (process / "limits").read_text().splitlines()
            if line.startswith("Max core file size")]
    assert core == [["0", "0"]]


def test_the_audit_record_names_who_enrolled(rig):
    rig.enrol("uucp", "audited")
    [record] = [record for record in rig.audit()
                if record["event"] == "enrolment" and
                record.get("deviceName") == "audited"]
    assert record["result"] == "granted"
    assert record["by"] and record["latencyMs"] > 0
    text = rig.audit_file.read_text()
    assert rig.host.key not in text
    assert os.stat(rig.audit_file).st_mode & 0o777 == 0o600


# --- for programs -----------------------------------------------------------------

def scripted(rig, user, soft, *arguments):
    """An enrolment as a program does it: status, output, error, links."""
    call = Call(rig, None, "enroll", "--yes", *arguments, user)
    first = call.link()
    soft.enroll(first)
    second = call.link(first)
    soft.approve(second)
    return (*call.end(), [first, second])


def test_one_object_at_the_end(rig):
    soft = SoftPhone(rig, "sys", "soft", "webauthn")
    status, out, err, links = scripted(rig, "sys", soft, "--json", "--name",
                                       "Sys's ü")
    assert status == 0
    [listed] = devices(rig, "sys")
    del listed["lastUsed"]
    assert json.loads(out) == {**listed, "tested": True}
    assert listed["id"] == soft.device and listed["name"] == "Sys's ü"
    assert all(link in err and link not in out for link in links)


def test_print_link_draws_nothing(rig):
    soft = SoftPhone(rig, "man", "soft", "webauthn")
    status, out, err, links = scripted(rig, "man", soft, "--print-link",
                                       "--qr", "utf8")
    assert (status, err) == (0, "")
    assert [line for line in out.splitlines() if LINK.search(line)] == links
    assert "\u2588" not in out


def test_no_object_without_a_device(rig):
    call = Call(rig, None, "enroll", "--yes", "--json", "lp")
    soft = SoftPhone(rig, "lp", "soft", "webauthn")
    soft.deny(call.link())
    status, out, _ = call.end()
    assert (status, out) == (1, "")


def test_a_second_and_a_third_device_but_no_fourth(rig):
    """Each counts, as many as the limit allows."""
    with rig.settings(max_devices=3):
        phones = [rig.enrol_soft("news", f"n{n}") for n in range(3)]
        status, out, err = countersign(rig, "enroll", "--yes", "--json",
                                       "news")
        assert (status, out) == (1, "")
        assert "max_devices is 3" in err and LINK.search(err) is None
        assert enrolled(rig, "news") == [one.device for one in phones]
        for one in phones:
            login = rig.login("news")
            one.approve(login.link())
            assert login.end() == "PAM_SUCCESS"
