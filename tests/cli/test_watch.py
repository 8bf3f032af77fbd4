# SPDX-License-Identifier: BSD-2-Clause
"""countersign-phone watch, inbox, approve --inbox and push: no link is read."""
import contextlib
import json
import re
import shutil
import subprocess
import time

import oracle
import pytest
from agent import Call
from conftest import run
from double import Double, entry, seal_point_of, stamp
from rig import CODE, PASSPHRASE, Rig
from service import wait_until
from test_phone import spawn

pexpect = pytest.importorskip("pexpect")

PROMPT = r"a\(pprove\), d\(eny\), n\(ot-me\), s\(kip\): "
CODE_PROMPT = "The six digits that the terminal shows: "


@pytest.fixture(scope="module")
def rig():
    with Rig(service={"push_hosts": "ntfy.example.org"}) as one:
        yield one


@pytest.fixture(scope="module")
def phone(rig):
    return rig.enrol("daemon", "desk")


@pytest.fixture(scope="module")
def soft(rig, phone):
    """Another phone of the same person's."""
    return rig.enrol_soft("daemon", "pocket")


@pytest.fixture(autouse=True)
def calm(rig, soft):
    """Each test begins after a success, with nothing open."""
    while rig.logins:
        login = rig.logins.pop()
        with contextlib.suppress(AssertionError):
            if login.process.poll() is None:
                soft.approve(login.link())
                login.end()
        login.close()
    wait_until(lambda: soft.inbox() == [], "an empty inbox")
    login = rig.login("daemon")
    soft.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    # The courier tells the service after the login is over.
    wait_until(lambda: soft.inbox() == [], "the outcome")


@pytest.fixture
def ask(rig):
    """countersign ask, running."""
    running = []

    def begin(*arguments, user="daemon"):
        running.append(Call(rig, None, "ask", user, "--title", "Deploy v42",
                            *arguments))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.end()


class Watch:
    """countersign-phone watch on a terminal of 80 columns and 24 lines."""

    def __init__(self, rig, phone, *arguments, **keywords):
        self.child = spawn(rig, phone, "watch", *arguments, **keywords)
        self.child.setwinsize(24, 80)

    def ready(self):
        self.child.expect("Waiting for questions")
        return self

    def expect(self, *patterns):
        """All of them, in this order; what came before the last one."""
        for pattern in patterns:
            self.child.expect(pattern)
        return self.child.before

    def say(self, line):
        self.child.sendline(line)

    def approve(self, code, prompt=PROMPT):
        """Answers the question that it shows now, or next."""
        if prompt:
            self.expect(prompt)
        self.say("a")
        self.expect(CODE_PROMPT)
        self.say(code)

    def end(self):
        """Its exit status."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def watch(rig, phone):
    running = []

    def begin(*arguments, who=phone, **keywords):
        running.append(Watch(rig, who, *arguments, **keywords))
        return running[-1].ready()

    yield begin
    for one in running:
        one.child.close(force=True)


def wrong(code):
    return f"{(int(code) + 1) % 1000000:06}"


# --- a person at the terminal ---------------------------------------------------

def test_a_question_rings_and_is_approved_with_its_code(rig, watch, ask):
    w = watch()
    asked = ask()
    shown = w.expect("\a", "Deploy v42", PROMPT)
    for label, value in [("Host", rig.audit()[-1].get("host", r"\S+")),
                         ("Account", r"daemon \(uid 1\)"), ("Service", "ask"),
                         ("Carried by", re.escape(rig.service.url)),
                         ("Asked", r"\d+ seconds ago, \d+ seconds left")]:
        assert re.search(rf"^ +{label} +{value}\r$", shown, re.M), shown
    code = "".join(asked.wait_for(CODE).groups())
    w.say("a")
    w.expect(CODE_PROMPT)
    w.say(f"{code[:3]} {code[3:]}")
    w.expect("Granted.")
    status, out, _ = asked.end()
    assert (status, out) == (0, "approve\n")


def test_it_goes_on_with_the_next_question(rig, watch):
    w = watch()
    for _ in range(2):
        login = rig.login("daemon")
        w.approve(login.code())
        w.expect("Granted.")
        assert login.end() == "PAM_SUCCESS"


def test_wrong_codes(rig, watch):
    w = watch("--once")
    login = rig.login("daemon")
    w.expect(PROMPT)
    w.say("a")
    for told in ("2 tries left", "1 try left"):
        w.expect(CODE_PROMPT)
        w.say(wrong(login.code()))
        w.expect("six digits were wrong; " + told)
    w.expect(CODE_PROMPT)
    w.say(wrong(login.code()))
    w.expect(r"\.\r\n")
    assert w.end() == 1
    assert login.end() == "PAM_MAXTRIES"


def test_a_wrong_code_and_then_the_right_one(rig, watch):
    w = watch("--once")
    login = rig.login("daemon")
    w.expect(PROMPT)
    w.say("a")
    w.expect(CODE_PROMPT)
    for nonsense in ("12345", "abcdef", "1234567", "12 3456"):
        w.say(nonsense)
        w.expect(CODE_PROMPT)
    w.say(wrong(login.code()))
    w.expect("2 tries left", CODE_PROMPT)
    w.say(login.code())
    w.expect("Granted.")
    assert w.end() == 0
    assert login.end() == "PAM_SUCCESS"


def test_no_code_after_all(rig, watch):
    """An empty line is no code: the question is asked again."""
    w = watch("--once")
    login = rig.login("daemon")
    w.expect(PROMPT)
    w.say("a")
    w.expect(CODE_PROMPT)
    w.say("")
    w.expect(PROMPT)
    w.say("d")
    w.expect("Denied.")
    assert w.end() == 1
    assert login.end() == "PAM_MAXTRIES"


@pytest.mark.parametrize("line,choice", [("d", "deny"), ("deny", "deny"),
                                         ("n", "not-me"), ("not", "not-me")])
def test_refusals_need_no_code(rig, watch, line, choice):
    w = watch("--once")
    login = rig.login("daemon")
    w.expect(PROMPT)
    for nonsense in ("", "x", "approved", "D"):
        w.say(nonsense)
        w.expect(PROMPT)
    w.say(line)
    w.expect("Denied.")
    assert w.end() == 1
    assert login.end() == "PAM_MAXTRIES"
    [record] = [one for one in rig.audit() if one.get("choice")][-1:]
    assert record["choice"] == choice


def test_skip_leaves_the_question_to_others(rig, watch, soft):
    w = watch("--once")
    login = rig.login("daemon")
    link = login.link()
    w.expect(PROMPT)
    w.say("s")
    w.expect("Skipped")
    assert w.end() == 1
    assert rig.link_state(link) == "seen"
    soft.approve(link)
    assert login.end() == "PAM_SUCCESS"


def test_answers_of_ones_own_are_offered_by_as_much_as_tells_them(ask, watch):
    w = watch("--once")
    asked = ask("--choice", "deploy", "--choice", "canary")
    w.expect(r"dep\(loy\), c\(anary\), den\(y\), n\(ot-me\), s\(kip\): ")
    w.say("d")
    w.expect(r"s\(kip\): ")
    w.say("c")
    w.expect(CODE_PROMPT)
    w.say("".join(asked.wait_for(CODE).groups()))
    w.expect("Granted.")
    assert asked.end()[1] == "canary\n"


def test_tap_needs_no_code(rig, watch):
    w = watch("--once")
    with rig.settings(push_confirm="tap"):
        login = rig.login("daemon")
        login.link()
    w.expect(PROMPT)
    w.say("a")
    assert CODE_PROMPT not in w.expect("Granted.")
    assert w.end() == 0
    assert login.end() == "PAM_SUCCESS"


def test_interrupted(rig, watch):
    w = watch()
    w.child.sendintr()
    assert w.end() == 0
    w = watch("--once")
    w.child.sendintr()
    assert w.end() == 1
    w = watch()
    login = rig.login("daemon")
    link = login.link()
    w.expect(PROMPT)
    w.child.sendintr()
    assert w.end() == 0
    assert rig.link_state(link) == "seen"


def test_nobody_asks(watch):
    assert watch("--once", "--wait", "0").end() == 1
    assert watch("--wait", "1").end() == 0


def test_a_question_and_its_prompt_fit_the_screen(rig, watch):
    w = watch()
    rig.login("daemon", service="sudo").link()
    lines = w.expect("\a", PROMPT).split("\r\n")
    rows = sum(1 + max(len(line) - 1, 0) // 80 for line in lines)
    # Only the folder that this runs in may be too long, and is then wrapped.
    wide = [line for line in lines if len(line) > 79]
    assert rows <= 23 and all("Directory" in line for line in wide), lines


# --- somebody else answers -----------------------------------------------------

def test_another_phone_approves_from_its_inbox(rig, watch, soft):
    w = watch("--once")
    login = rig.login("daemon")
    code = login.code()
    w.expect(PROMPT)
    soft.answer_inbox(code)
    w.expect("Answered elsewhere: granted.")
    assert w.end() == 1
    assert login.end() == "PAM_SUCCESS"


@pytest.mark.parametrize("at", [PROMPT, CODE_PROMPT, "Passphrase: "])
def test_a_scan_is_quicker(rig, phone, soft, at):
    w = Watch(rig, phone, "--once", passphrase=False)
    w.expect("Passphrase: ")
    w.child.waitnoecho()
    w.say(PASSPHRASE)
    w.ready()
    login = rig.login("daemon")
    link = login.link()
    w.expect(PROMPT)
    if at != PROMPT:
        w.say("a")
        w.expect(CODE_PROMPT)
    if at == "Passphrase: ":
        w.say(login.code())
        w.expect(at)
    soft.approve(link)
    assert login.end() == "PAM_SUCCESS"
    assert "no passphrase" not in w.expect("Answered elsewhere: granted.")
    assert w.end() == 1
    w.child.close(force=True)


def test_denied_and_withdrawn_elsewhere(rig, watch, soft):
    w = watch()
    login = rig.login("daemon")
    link = login.link()
    w.expect(PROMPT)
    soft.deny(link)
    w.expect("Answered elsewhere: denied.")
    assert login.end() == "PAM_MAXTRIES"


def test_the_host_goes_away(ask, watch):
    w = watch()
    asked = ask()
    asked.link()
    w.expect(PROMPT)
    asked.process.terminate()
    w.expect("The host has withdrawn the question.")


def test_one_question_after_the_other(rig, phone, watch, ask):
    """Two accounts on one phone ask at once."""
    other = rig.enrol("games", "desk")
    both = shutil.copytree(phone.store, phone.store.parent / "both")
    for file in other.store.iterdir():
        shutil.copy(file, both)
    shared = type(phone).__new__(type(phone))
    shared.rig, shared.store, shared.passphrase = rig, both, phone.passphrase
    w = watch(who=shared)
    first = rig.login("daemon")
    code = first.code()
    w.expect(r"Account +daemon", PROMPT)
    second = ask(user="games")
    second.link()
    w.expect("Another question is waiting", PROMPT)
    w.approve(code, prompt=None)
    w.expect("Granted.", r"Account +games", PROMPT)
    w.say("d")
    w.expect("Denied.")
    assert first.end() == "PAM_SUCCESS"
    assert second.end()[0] == 1


# --- the service ----------------------------------------------------------------

def test_a_restart_of_the_service_is_told_once(rig, watch):
    w = watch()
    with rig.service_down():
        w.expect("trying again")
        time.sleep(2.5)  # two more attempts
    told = w.expect("is back")
    assert "trying again" not in told
    login = rig.login("daemon")
    w.approve(login.code())
    w.expect("Granted.")
    assert login.end() == "PAM_SUCCESS"


def test_the_service_dies_under_a_question(rig, watch):
    w = watch()
    login = rig.login("daemon")
    code = login.code()
    w.expect(PROMPT)
    with rig.service_down():
        w.expect("trying again", PROMPT)
    w.expect("is back")
    w.approve(code)
    w.expect("Granted.")
    assert login.end() == "PAM_SUCCESS"


@pytest.mark.parametrize("cookie", ["", "__Host-countersign=" + "A" * 43])
def test_a_service_that_does_not_know_the_phone(phone, cookie):
    whole = entry(phone)
    try:
        entry(phone, cookie=cookie)
        for command in (("watch", "--once"), ("inbox",), ("push", "off")):
            told = run_any(phone, *command)
            assert told.returncode == 1
            assert re.search("kn(ow|ew) this device", told.stdout)
            assert command[0] == "inbox" or "enrol this phone" in told.stdout
    finally:
        entry(phone, **whole)


# --- what a hostile service sends ---------------------------------------------------

@pytest.fixture
def double(phone):
    whole = entry(phone)
    with Double() as one:
        one.move_in(phone)
        yield one
        entry(phone, **whole)


def other_link(double, phone):
    """S is right, but of another question than that of the id."""
    shown = double.ask(phone, listed=False)
    double.list({**shown, "linkId": oracle.Link().id})


def swapped_content(double, phone):
    """The content of another question."""
    first, second = double.ask(phone, listed=False), double.ask(phone)
    double.contents[first["linkId"]] = double.contents[second["linkId"]]
    double.listed = []
    double.list(first)


def junk(double, phone):
    shown = double.ask(phone, listed=False)
    double.list({**shown, "sealed": oracle.b64u(b"\x01" + bytes(97))})


def changed(double, phone):
    shown = double.ask(phone, listed=False)
    sealed = bytearray(oracle.unb64u(shown["sealed"]))
    sealed[-1] ^= 1
    double.list({**shown, "sealed": oracle.b64u(bytes(sealed))})


def for_another_key(double, phone):
    double.ask(phone, seal_point=oracle.point_of(oracle.private_key()))


def for_another_device(double, phone):
    """Sealed with this key, for the id of another device."""
    double.ask(phone, sealed_device="a" * 16)


def from_another_device(double, phone):
    double.ask(phone, device="a" * 16)


HOSTILE = [
    other_link, swapped_content, junk, changed, for_another_key,
    for_another_device, from_another_device,
    lambda d, p: d.ask(p, host="bank.example.org"),
    lambda d, p: d.ask(p, user="root"),
    lambda d, p: d.ask(p, uid=0),
    lambda d, p: d.ask(p, kind="enrolment", choices=[]),
    lambda d, p: d.ask(p, created=stamp(-200)),
    lambda d, p: d.ask(p, created=stamp(200)),
    lambda d, p: d.list({"linkId": "x"}),
    lambda d, p: d.list({**d.ask(p, listed=False), "linkId": "../" * 8}),
    lambda d, p: d.list({**d.ask(p, listed=False), "secondsLeft": 10 ** 9}),
    lambda d, p: d.list(d.ask(p, listed=False)),  # and no content
]


@pytest.mark.parametrize("send", HOSTILE)
def test_what_is_no_question_for_this_phone_is_not_shown(
        phone, double, watch, send):
    w = watch("--once")
    send(double, phone)
    time_of = double.polls
    wait_until(lambda: double.polls > time_of + 1, "the next poll")
    good = double.ask(phone, title="An honest one")
    before = w.expect("An honest one")
    assert "Host" not in before and "\a" not in before.rpartition("\a")[0]
    w.expect(PROMPT)
    assert double.answers == []
    assert double.seen == [good["linkId"]]
    assert before.count("is ignored") == (
        0 if send is HOSTILE[-1] else 1), before
    w.child.sendintr()
    assert w.end() == 1


def test_it_is_not_listed_and_not_answered_either(phone, double):
    for send in HOSTILE:
        double.clear()
        send(double, phone)
        told = run(phone, "inbox", check=False)
        assert told.returncode == 1 and "HOST" not in told.stdout
        known = double.listed[0]["linkId"]
        told = run(phone, "approve", "--yes", "--inbox", known, "--code=-",
                   text="123456\n", check=False)
        assert told.returncode == 1 and "Asked" not in told.stdout
    assert double.answers == double.seen == []


def test_a_flood_is_told_once(phone, double, watch):
    w = watch("--once")
    for _ in range(3):
        for_another_key(double, phone)
        junk(double, phone)
    double.ask(phone)
    assert w.expect(PROMPT).count("is ignored") == 1


@pytest.mark.parametrize("reply", [
    (500, {"error": "x"}), (200, {}), (200, {"tag": 1, "questions": []}),
    (200, {"tag": "a&b=c", "questions": []}), (200, {"tag": "x" * 100,
                                                     "questions": []}),
    (200, {"tag": "t", "questions": {}}), (204, None), (302, {})])
def test_a_service_that_talks_nonsense_is_away(phone, double, watch, reply):
    double.inbox_reply = reply
    w = watch("--once")
    w.expect(re.escape(double.url) + ".*trying again")
    double.inbox_reply = None
    assert "trying again" not in w.expect("is back")
    double.ask(phone)
    w.expect(PROMPT)


def test_a_service_without_an_inbox(phone, double):
    double.inbox_reply = (404, {"error": "unknown"})
    told = run(phone, "watch", check=False)
    assert told.returncode == 1 and "has no inbox" in told.stdout


def test_a_service_that_never_lets_it_wait_is_not_asked_at_once(
        phone, double, watch):
    double.inbox_reply = (200, {"tag": "t", "questions": []})
    watch()
    begin, polls = time.monotonic(), double.polls
    wait_until(lambda: double.polls >= polls + 4, "polls")
    assert time.monotonic() - begin > 1.4


# --- what the signed bytes say: UX-2 ---------------------------------------------

def test_never_is_not_approved_from_the_inbox(phone, double, watch):
    w = watch("--once")
    shown = double.ask(phone, code="never")
    told = w.expect(r"(?<!, )d\(eny\), n\(ot-me\), s\(kip\): ")
    assert re.search(r"scan the\s+QR code", told)
    w.say("a")
    w.expect(r"s\(kip\): ")
    w.say("approve")
    w.expect(r"s\(kip\): ")
    told = run(phone, "approve", "--yes", "--inbox", shown["linkId"],
               check=False)
    assert told.returncode == 1 and "scan the QR code" in told.stdout
    told = run(phone, "approve", "--yes", "--inbox", shown["linkId"],
               "--code", "-", text="123456\n", check=False)
    assert told.returncode == 1 and "scan the QR code" in told.stdout
    assert double.answers == []
    w.say("d")
    wait_until(lambda: double.answers, "the denial")
    assert double.answers[0]["hint"] == "deny"


def test_always_asks_here_too(phone, double, watch):
    w = watch("--once")
    double.ask(phone, code="always")
    w.expect(PROMPT)
    w.say("a")
    w.expect(CODE_PROMPT)
    assert double.answers == []


def test_its_time_is_the_hosts(phone, double, watch):
    """The service claims more than the signed lifetime."""
    w = watch("--once")
    double.ask(phone, seconds=600, lifetime=30)
    assert re.search(r", (29|30) seconds left", w.expect(PROMPT))


@pytest.mark.parametrize("begin", [[], ["a"]], ids=["choice", "code"])
def test_it_expires_on_the_screen(phone, double, watch, begin):
    w = watch("--once")
    double.ask(phone, seconds=3)
    w.expect(PROMPT)
    for line in begin:
        w.say(line)
        w.expect(CODE_PROMPT)
    w.expect("Too late")
    assert w.end() == 1


def test_labels_do_not_break_their_column(phone, double, watch):
    w = watch("--once")
    double.ask(phone, details=[["Already passed", "password"],
                               ["Ort f\u00fcr den Anruf", "Z\u00fcrich"]])
    shown = w.expect("\a", PROMPT)
    rows = re.findall(r"^    (\S.*?)  +(\S.*?)\r$", shown, re.M)
    assert ("Already passed", "password") in rows
    starts = {line.index(value) for label, value in rows
              for line in shown.split("\r\n")
              if line.startswith(f"    {label} ") and value in line}
    assert len(rows) >= 7 and len(starts) == 1, shown


def test_foreign_text_in_the_inbox_is_harmless(phone, double, watch):
    w = watch("--once")
    double.ask(phone, title="\u202eevil\x1b[2J")
    shown = w.expect("\a", PROMPT)
    assert "\\u{1b}" in shown
    assert "\x1b" not in shown and "\u202e" not in shown


# --- without a terminal -------------------------------------------------------------

class Lines:
    """countersign-phone watch --json, read as it comes."""

    def __init__(self, rig, phone, *arguments):
        self.process = subprocess.Popen(
            [rig.program("countersign-phone"), "watch", "--store",
             phone.store, "--passphrase-file", phone.passphrase, "--ca-file",
             rig.ca, *arguments], text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def next(self):
        return json.loads(self.process.stdout.readline())

    def end(self):
        assert self.process.stdout.read() == ""
        return self.process.wait(60)


@pytest.fixture
def lines(rig, phone):
    running = []

    def begin(*arguments):
        running.append(Lines(rig, phone, *arguments))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.communicate()


def test_for_programs(rig, phone, soft, lines):
    w = lines("--json", "--once")
    login = rig.login("daemon")
    question = w.next()
    link = login.link()
    assert question.pop("secondsLeft") in range(80, 91)
    members = rig.question(link).members
    assert question == {
        "event": "question", "id": oracle.Link.from_text(link).id,
        "device": phone.device, "origin": rig.service.url,
        "details": [{"label": label, "value": value}
                    for label, value in members["details"]],
        **{name: members[name] for name in (
            "host", "user", "uid", "service", "title", "choices", "code",
            "created")}}
    assert rig.link_state(link) == "pending"  # nobody has seen it yet
    soft.approve(link)
    assert w.next() == {"event": "outcome", "id": question["id"],
                        "state": "granted"}
    assert w.end() == 0
    assert login.end() == "PAM_SUCCESS"


def test_outcomes_for_programs(rig, soft, lines, ask):
    w = lines("--json")
    login = rig.login("daemon")
    question = w.next()
    soft.deny(login.link())
    assert w.next() == {"event": "outcome", "id": question["id"],
                        "state": "denied"}


def test_without_a_terminal_it_shows_and_asks_nobody(rig, soft, lines):
    w = lines("--once")
    login = rig.login("daemon")
    link = login.link()
    text = ""
    while "seconds left" not in text:
        text += w.process.stdout.readline()
    soft.approve(link)
    text += w.process.stdout.read()
    assert "Account       daemon" in text
    assert "Answered elsewhere: granted." in text
    assert "s(kip)" not in text and "\a" not in text
    assert w.end() == 0


def test_nothing_is_on_for_programs(rig, soft, lines):
    w = lines("--json", "--wait", "30")
    with rig.service_down():
        away = w.next()
        assert away["event"] == "away" and away["origin"] == rig.service.url
    assert w.next()["event"] == "back"


def test_the_inbox_and_its_answers(rig, phone):
    assert phone.inbox() == []
    assert run(phone, "inbox", check=False).returncode == 1
    login = rig.login("daemon")
    code = login.code()
    [question] = phone.inbox(wait=30)
    assert question["code"] == "inbox" and question["choices"] == ["approve"]
    head, line = run(phone, "inbox").stdout.splitlines()
    assert head.split() == ["ID", "HOST", "USER", "SERVICE", "NEEDS", "LEFT"]
    assert line.split()[0] == question["id"] and " code " in line
    told = phone.answer_inbox(wrong(code), check=False)
    assert "the six digits were wrong; 2 tries left" in told
    told = run(phone, "approve", "--yes", "--inbox", question["id"],
               check=False)
    assert told.returncode == 1 and "--code" in told.stdout
    for text, status in (("12345\n", 2), ("", 1), ("\n", 2), ("x" * 99, 1)):
        assert run(phone, "approve", "--yes", "--inbox", question["id"],
                   "--code", "-", text=text, check=False
                   ).returncode == status
    assert phone.answer_inbox(code).rstrip().endswith("Granted.")
    assert login.end() == "PAM_SUCCESS"
    told = run(phone, "approve", "--yes", "--inbox", question["id"],
               check=False)
    assert told.returncode == 1 and "no such question" in told.stdout


@pytest.mark.parametrize("options", [(), ("--not-me",), ("--unsigned",)])
def test_denied_by_a_program(rig, phone, options):
    login = rig.login("daemon")
    question = phone.inbox(wait=30)[0]
    assert run(phone, "deny", "--inbox", question["id"], *options
               ).stdout.rstrip().endswith("Denied.")
    assert login.end() == "PAM_MAXTRIES"


def test_tap_by_a_program(rig, phone):
    with rig.settings(push_confirm="tap"):
        login = rig.login("daemon")
        login.link()
    phone.answer_inbox()
    assert login.end() == "PAM_SUCCESS"


def test_a_person_answers_one_question(rig, phone):
    login = rig.login("daemon")
    code = login.code()
    child = spawn(rig, phone, "approve", "--inbox",
                  phone.inbox(wait=30)[0]["id"], passphrase=False)
    child.expect("Passphrase: ")
    child.waitnoecho()
    child.sendline(PASSPHRASE)
    child.expect(r"Your answer \(deny, not-me, approve\) \[deny\]: ")
    child.sendline("approve")
    child.expect(CODE_PROMPT)
    child.sendline(wrong(code))
    child.expect("2 tries left")
    child.expect(CODE_PROMPT)
    child.sendline(code)
    child.expect("Granted.")
    assert "Passphrase" not in child.before  # one is enough
    child.expect(pexpect.EOF)
    assert login.end() == "PAM_SUCCESS"


def test_a_scanned_link_needs_no_code(rig, phone):
    """UX-2: "inbox" asks whoever did not scan."""
    login = rig.login("daemon")
    login.code()
    assert rig.question(login.link()).members["code"] == "inbox"
    phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"


def test_a_scanned_link_and_always(phone, double):
    shown = double.ask(phone, code="always")
    link = oracle.Link(oracle.device_open(
        seal_key_of(phone), phone.device, oracle.unb64u(shown["sealed"])),
        double.url).text()
    told = run(phone, "approve", "--yes", link, check=False)
    assert told.returncode == 1 and "--code" in told.stdout
    assert double.answers == []


def seal_key_of(phone):
    from cryptography.hazmat.primitives import serialization
    return serialization.load_pem_private_key(
        (phone.store / f"{phone.device}.seal.pem").read_bytes(),
        PASSPHRASE.encode())


def test_wrong_usage(phone):
    for arguments in (("watch", "--yes"), ("watch", "--name", "x"),
                      ("watch", "-", "--json"), ("watch", "-", "--wait", "1"),
                      ("watch", "--wait", "x"), ("inbox", "--wait", "-1"),
                      ("approve", "--inbox", "x", "link"),
                      ("approve", "--inbox", "x", "--device", phone.device),
                      ("approve", "-", "--code", "-")):
        assert run(phone, *arguments, check=False).returncode == 2, arguments


# --- passphrases ------------------------------------------------------------------------

def test_the_passphrase_is_asked_for_at_the_start(rig, phone):
    w = Watch(rig, phone, "--once", passphrase=False)
    w.expect("Passphrase: ")
    w.child.waitnoecho()
    w.say(PASSPHRASE + "x")
    w.expect("passphrase is wrong", "Passphrase: ")
    w.child.waitnoecho()
    w.say(PASSPHRASE)
    assert PASSPHRASE not in w.expect("Waiting for questions")
    login = rig.login("daemon")
    w.approve(login.code())
    # and again for the key that signs, which was not kept unlocked
    w.expect("Passphrase: ")
    w.child.waitnoecho()
    w.say("something else")
    w.expect("passphrase is wrong")
    w.approve(login.code())
    w.expect("Passphrase: ")
    w.child.waitnoecho()
    w.say(PASSPHRASE)
    w.expect("Granted.")
    assert w.end() == 0
    assert login.end() == "PAM_SUCCESS"


def test_wrong_passphrases(rig, phone):
    other = type(phone).__new__(type(phone))
    other.rig, other.store = rig, phone.store
    other.passphrase = rig.folder / "other"
    other.passphrase.write_text("canary-0123456789\n")
    other.passphrase.chmod(0o600)
    told = run(other, "watch", check=False)
    assert told.returncode == 3
    assert "passphrase" in told.stdout and "canary" not in told.stdout
    run_with_no_terminal = subprocess.run(
        [rig.program("countersign-phone"), "watch", "--store", phone.store],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
        timeout=60)
    assert run_with_no_terminal.returncode == 3
    assert run_with_no_terminal.stdout.count("--passphrase-file") == 1


def test_a_phone_without_enrolments(new_phone):
    for command in (("watch",), ("inbox",), ("push", "off")):
        told = run_any(new_phone("man"), *command)
        assert told.returncode == 1 and "enrolled for nobody" in told.stdout


# --- push ---------------------------------------------------------------------------------

def run_push(phone, command, *arguments, text=""):
    return subprocess.run(
        [phone.rig.program("countersign-phone"), command, "--store",
         phone.store, "--ca-file", phone.rig.ca, *arguments], input=text,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=60, start_new_session=True)


def run_any(phone, command, *arguments):
    if command == "push":
        return run_push(phone, command, *arguments)
    return run(phone, command, *arguments, check=False)


def subscribed(rig, phone):
    client = rig.service.phone(Cookie=entry(phone)["cookie"])
    return client.get("/devices/self").json["push"]["subscribed"]


def test_push(rig, phone):
    url = "https://ntfy.example.org/canary"
    for words, text in ((("push", url), ""), (("push", "-"), url + "\n")):
        told = run_push(phone, *words, text=text)
        assert told.returncode == 0, told.stdout
        assert rig.service.url in told.stdout
        assert "canary" not in told.stdout
        assert subscribed(rig, phone)
        assert run_push(phone, "push", "off").returncode == 0
        assert not subscribed(rig, phone)


@pytest.mark.parametrize("url", [
    "http://ntfy.example.org/x", "https://127.0.0.1/",
    "https://push.example.org/", "https://fcm.googleapis.com/x", "x"])
def test_push_that_the_service_refuses(rig, phone, url):
    told = run_push(phone, "push", url)
    assert told.returncode == 1
    reply = rig.service.phone(Cookie=entry(phone)["cookie"]).subscribe(url)
    assert reply.status == 422
    assert reply.json["message"] in told.stdout
    assert not subscribed(rig, phone)


def test_push_while_the_service_is_away(rig, phone):
    with rig.service_down():
        told = run_push(phone, "push", "off")
    assert told.returncode == 3 and rig.service.url in told.stdout
