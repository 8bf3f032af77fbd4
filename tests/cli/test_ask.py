# SPDX-License-Identifier: BSD-2-Clause
"""countersign ask and test, called by root."""
import json
import re
import signal
import subprocess

import pytest
from agent import Call
from conftest import countersign, devices
from service import wait_until


@pytest.fixture(scope="module")
def phone(rig):
    return rig.enrol_soft("daemon", "Pixel")


@pytest.fixture
def call(rig):
    running = []

    def begin(command, *arguments, **keywords):
        running.append(Call(rig, None, command, *arguments, **keywords))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.end()


def choose(rig, phone, link, choice):
    """The phone answers with another choice than the first."""
    import oracle
    phone._send(link, phone.key.approve(oracle.Link.from_text(link),
                                        rig.content(link), choice), "approve")


def without_rings(members):
    """What is there all the same: whether phones rang, and if not, why."""
    rings, note = members.pop("rings"), members.pop("pushNote")
    assert (rings is None) != (note is None)
    return members


def test_the_choice_and_nothing_else(rig, phone, call):
    asked = call("ask", "daemon", "--title", "Deploy v42", "--detail",
                 "commit=4f1c", "--detail=Where=a=b", "--choice", "approve",
                 "--choice=canary")
    link = asked.link()
    question = rig.question(link).members
    assert question["service"] == "ask" and question["title"] == "Deploy v42"
    assert question["details"] == [
        ["Asked by", devices(rig, "daemon")[0]["by"]],
        ["commit", "4f1c"], ["Where", "a=b"]]
    assert question["choices"] == ["approve", "canary"]
    choose(rig, phone, link, "canary")
    status, out, err = asked.end()
    assert (status, out) == (0, "canary\n")
    assert link in err
    record = rig.audit()[-1]
    assert (record["event"], record["choice"]) == ("approval", "canary")
    assert record["by"] == question["details"][0][1]


def test_in_a_shell(rig, phone):
    """choice=$(countersign ask ...), as scripts do it."""
    script = ('choice=$("$0" ask --config "$1" --print-link daemon --title T)'
              ' && echo "it is $choice"')
    shell = subprocess.Popen(
        ["/bin/sh", "-c", script, rig.program("countersign"), rig.conf],
        env=rig._environment(), text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = [shell.stderr.readline()]
    phone.approve(lines[0].strip())
    out, err = shell.communicate(timeout=60)
    assert out == "it is approve\n", err


@pytest.mark.parametrize("qr", [True, False])
def test_print_link_draws_nothing(phone, call, qr):
    asked = call("ask", "daemon", "--title", "T", "--qr", "utf8",
                 *([] if qr else ["--print-link"]))
    phone.deny(asked.link())
    status, out, err = asked.end()
    assert (status, out) == (1, "")
    assert ("\u2588" in err) == qr
    assert "denied on the phone" in err


@pytest.mark.parametrize("yes", [True, False])
def test_ask_in_json(phone, call, yes):
    asked = call("ask", "daemon", "--title", "T", "--json")
    (phone.approve if yes else phone.deny)(asked.link())
    status, out, _ = asked.end()
    assert status == (0 if yes else 1)
    assert without_rings(json.loads(out)) == {
        "user": "daemon", "granted": yes,
        "choice": "approve" if yes else None,
        "deviceName": "Pixel" if yes else None,
        "reason": "OK" if yes else "DENIED"}


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM,
                                   signal.SIGHUP])
@pytest.mark.parametrize("command", ["ask", "test"])
def test_ctrl_c_cancels(rig, phone, call, command, signo):
    asked = call(command, "daemon",
                 *(["--title", "T"] if command == "ask" else []))
    link = asked.link()
    asked.interrupt(signo)
    status, out, err = asked.end()
    assert status == 1
    assert command == "test" or out == ""
    assert "interrupted" in err
    wait_until(lambda: rig.cancelled(link), "the cancel")


def test_test_grants_nothing(rig, phone, call):
    tried = call("test", "daemon")
    link = tried.link()
    question = rig.question(link).members
    assert question["service"] == "test"
    assert "grants nothing" in question["title"]
    phone.approve(link)
    status, out, err = tried.end()
    assert (status, err) == (0, "")
    assert "Approved by Pixel. Nothing was granted." in out
    record = rig.audit()[-1]
    assert (record["event"], record["service"]) == ("test", "test")


@pytest.mark.parametrize("yes", [True, False])
def test_test_in_json(phone, call, yes):
    tried = call("test", "daemon", "--json")
    (phone.approve if yes else phone.deny)(tried.link())
    status, out, _ = tried.end()
    assert status == (0 if yes else 1)
    assert without_rings(json.loads(out)) == {
        "user": "daemon", "granted": yes,
        "deviceName": "Pixel" if yes else None,
        "reason": "OK" if yes else "DENIED"}


# --- phones that ring ---------------------------------------------------------

DIGITS = re.compile(
    r"^Or type (\d{3}) (\d{3}) on the phone that asks \((.*)\)\.$", re.M)


def by_link(phone, call):
    """A QR success: whatever was before is forgotten."""
    asked = call("ask", "daemon", "--title", "T", "--no-push")
    phone.approve(asked.link())
    assert asked.end()[0] == 0
    assert not DIGITS.search(asked.end()[2])
    # The courier's last words come after the end.
    wait_until(lambda: phone.inbox() == [], "an empty inbox")


@pytest.mark.parametrize("command", ["ask", "test"])
@pytest.mark.parametrize("json_", [False, True])
def test_digits_beside_the_link(phone, call, command, json_):
    """On standard error, wherever the link is; never in an object."""
    by_link(phone, call)
    asked = call(command, "daemon", *(["--json"] if json_ else []),
                 *(["--title", "T"] if command == "ask" else []))
    asked.link()
    first, second, rings = asked.wait_for(DIGITS).groups()
    assert rings == "none could be rung"
    phone.approve(phone.rung(), code=first + second)
    status, out, err = asked.end()
    assert status == 0
    if json_:
        assert json.loads(out)["rings"] == 0
        assert json.loads(out)["pushNote"] is None
        assert first + second not in out
    assert all(len(line) < 80 for line in (out + err).splitlines())


def test_no_push(rig, phone, call):
    asked = call("ask", "daemon", "--title", "T", "--no-push", "--json")
    link = asked.link()
    assert link.upper() not in [one.upper() for one in phone.inbox()]
    assert rig.question(link).members["code"] == "never"
    phone.approve(link)
    status, out, err = asked.end()
    assert status == 0 and not DIGITS.search(err)
    assert json.loads(out)["rings"] is json.loads(out)["pushNote"] is None


def test_why_no_phone_rings(rig, phone, call):
    """A second question, while one rings: said, and kept for scripts."""
    by_link(phone, call)
    first = call("ask", "daemon", "--title", "T")
    digits = "".join(first.wait_for(DIGITS).groups()[:2])
    second = call("test", "daemon", "--json")
    link = second.link()
    assert [one.upper() for one in phone.inbox()] == [first.link().upper()]
    for status, out, _ in (countersign(rig, "devices", "daemon"),
                           countersign(rig, "devices")):
        table = out.split("\n\n")[1].splitlines()
        assert re.fullmatch(r"USER +PHONES DO NOT RING NOW", table[0])
        assert re.match(r"daemon +\S", table[1]) and len(table) == 2
    _, out, _ = countersign(rig, "devices", "--json")
    quiet, = json.loads(out)["quiet"]
    assert quiet["user"] == "daemon" and quiet["note"] in table[1]
    phone.approve(link)
    status, out, err = second.end()
    assert status == 0
    assert json.loads(out)["rings"] is None
    assert json.loads(out)["pushNote"] in err.splitlines()
    phone.approve(first.link(), code=digits)
    assert first.end()[0] == 0
    assert json.loads(countersign(rig, "devices", "--json")[1])["quiet"] == []


def test_a_tap(rig, phone, call):
    by_link(phone, call)
    with rig.settings(push_confirm="tap"):
        tried = call("test", "daemon")
        link = phone.rung()
        assert rig.question(link).members["code"] == "tap"
        tried.wait_for(re.compile(r"Or approve on the phone that asks \("))
    phone.approve(link)
    assert tried.end()[0] == 0


@pytest.mark.parametrize("arguments", [
    (), ("--title", ""), ("--title", "x" * 257),
    ("--title", "T", "--title", "U"),
    ("--title", "T", "--detail", "no value"),
    ("--title", "T", "--detail", "=v"),
    ("--title", "T", "--detail", "x" * 33 + "=v"),
    ("--title", "T", "--detail", "x" * 300 + "=v"),
    ("--title", "T", "--detail", "asked BY=somebody"),
    ("--title", "T", *["--detail=a=b"] * 12),
    ("--title", "T", *["--detail=a=b"] * 33),
    ("--title", "T", "--choice", "Yes"),
    ("--title", "T", "--choice", ""),
    ("--title", "T", "--choice", "deny"),
    ("--title", "T", "--choice", "not-me"),
    ("--title", "T", "--choice", "enroll"),
    ("--title", "T", "--choice", "a", "--choice", "a"),
    ("--title", "T", *[f"--choice=c{n}" for n in range(9)]),
    ("--title", "T", "--qr", "png"),
], ids=lambda arguments: "_".join(arguments)[:50])
def test_wrong_questions(rig, phone, arguments):
    before = len(rig.audit())
    status, out, err = countersign(rig, "ask", "daemon", *arguments)
    assert (status, out) == (2, "")
    assert "usage: countersign ask" in err
    assert len(rig.audit()) == before


def test_as_many_as_there_may_be(rig, phone, call):
    asked = call("ask", "daemon", "--title", "x" * 256,
                 *["--detail=a=b"] * 11, *[f"--choice=c{n}" for n in range(8)])
    link = asked.link()
    assert len(rig.question(link).members["details"]) == 12
    choose(rig, phone, link, "c7")
    assert asked.end()[:2] == (0, "c7\n")


@pytest.mark.parametrize("command", [("ask", "--title", "T"), ("test",)])
def test_nobody_to_ask(rig, phone, command):
    """Never a yes without an answer, whatever the policy for logins is."""
    with rig.settings(unenrolled="ignore"):
        for user, expected in (("games", 1), ("no-such-user", 1), ("", 2)):
            status, out, err = countersign(rig, *command, user)
            assert (status, out) == (expected, ""), err
    with rig.settings(exempt_groups="daemon"):
        status, out, err = countersign(rig, *command, "daemon")
        assert (status, out) == (1, "")
        assert "policy does not ask" in err


@pytest.mark.parametrize("command", [("ask", "--title", "T"), ("test",)])
def test_without_the_service_it_is_trouble(rig, phone, command):
    with rig.service_down():
        status, out, err = countersign(rig, *command, "daemon", "--json")
    assert status == 3
    assert json.loads(out)["granted"] is False
    assert json.loads(out)["reason"] == "SERVICE"
    assert err != ""


def test_text_for_people_is_made_harmless(rig, phone, call):
    asked = call("ask", "daemon", "--title", "a\x1b[2Jb", "--detail",
                 "x\x07=\u202eevil")
    link = asked.link()
    shown = json.dumps(rig.question(link).members, ensure_ascii=False)
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    phone.deny(link)
    status, _, err = asked.end()
    assert status == 1
    assert "\x1b" not in err and "\x07" not in err


def test_standard_output_that_is_full(rig, phone, call):
    """A yes that nobody could read is no yes."""
    with open("/dev/full", "wb") as full:
        asked = call("ask", "daemon", "--title", "T", stdout=full)
        phone.approve(asked.link())
        status, _, err = asked.end()
    assert status == 3
    assert "standard output" in err


def test_a_login_called_test_is_no_test(rig, phone):
    login = rig.login("daemon", service="test")
    phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    assert rig.audit()[-1]["event"] == "approval"
