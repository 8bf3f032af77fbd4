# SPDX-License-Identifier: BSD-2-Clause
"""
Questions that come by themselves: sealed to this phone, shown on its home
screen, and approved only with what was carried over from the terminal.
"""
import contextlib
import json
import os
import pwd
import re

import oracle
import pytest
from browser import until
from conftest import USER
from rig import link_id
from sources import TOP

CODE = re.compile(r"(?<!\d)(\d{3}) (\d{3})(?!\d)")
VECTORS = json.loads((TOP / "tests/data/vectors.json").read_text())
MEMBERS = {
    "v": 1, "kind": "approval", "host": "web1.example.com", "user": "alice",
    "uid": 1001, "service": "ask", "title": "Deploy?", "details": [],
    "choices": ["approve"], "code": "inbox", "nonce": "x" * 43,
    "created": "2026-11-21T22:50:00Z", "lifetime": 90,
}


@pytest.fixture(autouse=True)
def fresh(rig, phone):
    """No question is open, and the host counts from nothing."""
    yield
    for login in rig.logins:
        login.close()
    uid = pwd.getpwnam(USER).pw_uid
    for name in (f"{uid}", f"{uid}.rings"):
        (rig.folder / "state/state" / name).unlink(missing_ok=True)


def asked(rig, service="login"):
    """A login that rings, and the six digits that its terminal shows."""
    login = rig.login(USER, service=service)
    login.link()
    code = CODE.search(login.text)
    assert code, login.text
    return login, code.group(1) + code.group(2)


def at_home(rig, phone, *states):
    phone.open(rig.origin)
    phone.reaches(*(states or ("idle", "inbox")))


def rows(phone):
    """The questions that the home screen shows, as (title, who)."""
    return [tuple(one) for one in phone.js("""
        return [...document.querySelectorAll(".ask")]
            .filter((one) => one.offsetParent !== null)
            .map((one) => [...one.children].slice(0, 2)
                .map((part) => part.innerText));""")]


def take(phone, number=0):
    """Taps a question of the list."""
    phone.reaches("inbox")
    phone.driver.find_elements("css selector", ".ask")[number].click()
    phone.reaches("question")


def test_from_the_terminal_to_the_grant(rig, phone):
    at_home(rig, phone, "idle")
    login, code = asked(rig)
    members = rig.question(login.link()).members
    phone.reaches("inbox")
    assert rows(phone) == [(members["title"],
                            f"{USER} on {members['host']}")]
    assert re.search(r"1:[0-3]\d left", phone.text)
    assert "One question" in phone.js("return document.title")
    assert rig.link_state(login.link()) == "pending"  # to list is not to look
    take(phone)
    until(lambda: rig.link_state(login.link()) == "seen", "the look")
    assert phone.focused == "Deny"
    phone.click("Approve")
    assert "Type the six digits" in phone.text
    phone.field("code", f"{code[:3]} {code[3:]}")
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert rig.audit()[-1]["result"] == "granted"
    phone.click("Back to the inbox")
    phone.reaches("idle")
    assert phone.console() == []


def test_link_needs_no_code(rig, phone):
    login, _ = asked(rig)
    phone.open(login.link())
    phone.reaches("question")
    assert phone.driver.find_elements("id", "code") == []
    assert phone.buttons() == ["Deny", "Approve", "This was not me"]
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"


def another(code):
    return f"{(int(code) + 1) % 1000000:06d}"


def give(phone, code, state):
    phone.field("code", code)
    phone.press("Enter")
    phone.reaches(state)


def test_wrong_code_then_the_right_one(rig, phone):
    login, code = asked(rig)
    at_home(rig, phone)
    take(phone)
    for left in ("2 tries are left", "One try is left"):
        give(phone, another(code), "question")
        until(lambda: "Wrong code" in phone.text, "the host's word")
        field = phone.driver.find_element("id", "code")
        assert left in phone.driver.find_element("id", "code-error").text
        assert field.get_attribute("aria-invalid") == "true"
        assert phone.driver.switch_to.active_element == field
    give(phone, code, "granted")
    assert login.end() == "PAM_SUCCESS"


def test_wrong_code_thrice(rig, phone):
    login, code = asked(rig)
    at_home(rig, phone)
    take(phone)
    for _ in range(2):
        give(phone, another(code), "question")
        until(lambda: "Wrong code" in phone.text, "the host's word")
    give(phone, another(code), "refused")
    assert "too many" in phone.text or "six digits" in phone.text
    assert login.end() != "PAM_SUCCESS"


def test_deny_needs_no_code(rig, phone):
    login, _ = asked(rig)
    at_home(rig, phone)
    take(phone)
    phone.click("Deny")
    phone.reaches("denied")
    assert login.end() == "PAM_MAXTRIES"


def test_tap(rig, phone):
    """Only where the administrator chose it."""
    with rig.settings(push_confirm="tap"):
        login = rig.login(USER)
        login.link()
        at_home(rig, phone)
        take(phone)
        assert phone.driver.find_elements("id", "code") == []
        phone.click("Approve")
        phone.reaches("granted")
        assert login.end() == "PAM_SUCCESS"


def test_answer_later(rig, phone):
    login, _ = asked(rig)
    at_home(rig, phone)
    take(phone)
    phone.click("Answer later")
    phone.reaches("inbox")
    assert len(rows(phone)) == 1
    assert rig.link_state(login.link()) == "seen"


def test_cancelled_disappears(rig, phone):
    login, _ = asked(rig)
    at_home(rig, phone)
    phone.reaches("inbox")
    login.close()
    phone.reaches("idle")
    assert rows(phone) == []


def in_another_tab(phone, act):
    """act(page) there; the first tab is not disturbed."""
    driver, first = phone.driver, phone.driver.current_window_handle
    driver.switch_to.new_window("tab")
    try:
        passkeys = phone.authenticator()
        for credential in phone.kept:
            passkeys.add(credential)
        act(phone)
        phone.kept[:] = passkeys.credentials()
        passkeys.remove()
        driver.close()
    finally:
        driver.switch_to.window(first)


@pytest.fixture
def two_doors(rig, phone):
    phone.kept = phone.passkeys.credentials()
    yield
    phone.passkeys.remove()
    phone.passkeys = phone.authenticator()
    for credential in phone.kept:
        phone.passkeys.add(credential)


def test_scanned_while_it_is_open_from_the_inbox(rig, phone, two_doors):
    login, _ = asked(rig)
    at_home(rig, phone)
    take(phone)

    def scan(page):
        page.open(login.link())
        page.click("Approve")
        page.reaches("granted")
    in_another_tab(phone, scan)
    phone.reaches("granted-elsewhere")
    assert login.end() == "PAM_SUCCESS"


def test_code_while_it_is_open_by_its_link(rig, phone, two_doors):
    login, code = asked(rig)
    phone.open(login.link())
    phone.reaches("question")

    def by_code(page):
        at_home(rig, page)
        take(page)
        give(page, code, "granted")
    in_another_tab(phone, by_code)
    phone.reaches("granted-elsewhere")
    assert login.end() == "PAM_SUCCESS"


def test_service_is_away(rig, phone):
    at_home(rig, phone, "idle")
    with rig.service_down():
        until(lambda: "No connection" in phone.text, "the word of it")
    until(lambda: "No connection" not in phone.text, "the end of it")
    asked(rig)
    phone.reaches("inbox")


def test_page_that_comes_back_asks_anew(rig, phone):
    at_home(rig, phone, "idle")
    path = "/inbox"
    before = rig.service.calls(path)
    phone.js("document.dispatchEvent(new Event('visibilitychange'));")
    until(lambda: rig.service.calls(path) > before, "another look")


# --- what the service, or a host, makes up ----------------------------------

@pytest.fixture
def seal(rig, phone):
    """{device, point} of this phone, as its page remembers it."""
    at_home(rig, phone)
    found = phone.driver.execute_async_script("""
        const done = arguments[0];
        import("/memory.js").then((memory) => memory.enrolments()).then(
            ([e]) => done([e.device, [...e.sealPoint]]));""")
    return found[0], bytes(found[1])


class Rung:
    """A question of our own making, sealed to the phone."""

    def __init__(self, rig, seal, sealed=None, credentials=(), **changes):
        device, point = seal
        self.link = oracle.Link(origin=rig.values["page_url"])
        plain = oracle.content(json.dumps({**MEMBERS, **changes}).encode(),
                               credentials)
        self.question = rig.host.ask(
            username=USER, channel="push", linkId=self.link.id,
            content=oracle.b64u(self.link.seal_content(plain)),
            sealed={device: oracle.b64u(
                sealed or oracle.device_seal(point, device, self.link.secret))})
        assert self.question.reply.status == 201, self.question.reply

    def end(self, rig):
        rig.host.cancel(self.question)


@pytest.mark.parametrize("code, field, grants", (
    ("never", False, False), ("inbox", True, True), ("always", True, True),
    ("tap", False, True)))
def test_what_is_signed_says_what_is_needed(rig, phone, seal, code, field,
                                            grants):
    """`never`: a hostile service makes no tap of a question for scanning."""
    login, _ = asked(rig)
    members = rig.question(login.link()).members
    content = json.loads(oracle.Link.from_text(login.link()).open_content(
        rig.content(login.link())))
    login.close()
    phone.reaches("idle")
    rung = Rung(rig, seal, credentials=[
        (i, oracle.unb64u(c)) for i, c in content["credentials"]],
        **{**members, "code": code})
    take(phone)
    assert bool(phone.driver.find_elements("id", "code")) == field
    assert ("Approve" in phone.buttons()) == grants
    assert ("scanning the QR code" in phone.text) == (not grants)
    assert phone.buttons()[0] == "Deny"
    if not grants:
        phone.press("Enter")
    elif field:
        phone.field("code", "123456")
        phone.click("Approve")
    else:
        phone.click("Approve")
    phone.reaches("sent")
    answer = oracle.unpack(rung.link.open_answer(
        rig.host.status(rung.question).json["answer"]))
    assert answer["choice"] == ("approve" if grants else "deny")
    data = json.dumps({**members, "code": code}).encode()
    assert oracle.b64u(oracle.challenge(
        answer["choice"], data, "123456" if field else "")) in \
        answer["b"].decode()
    rung.end(rig)


def forgeries(seal):
    device, point = seal
    link = oracle.Link()
    good = oracle.device_seal(point, device, link.secret)
    return {
        "nothing": b"", "zeros": bytes(98), "random": os.urandom(98),
        "another version": b"\2" + good[1:],
        "cut": good[:-1], "one byte": good[:-1] + bytes([good[-1] ^ 1]),
        "another key": oracle.device_seal(
            oracle.point_of(oracle.private_key()), device, link.secret),
        "another device": oracle.device_seal(point, "a" * 16, link.secret),
        "another link": good,
    }


def test_copy_that_is_none(rig, phone, seal):
    """Each is passed over; the one behind them is shown."""
    for what, sealed in forgeries(seal).items():
        if len(sealed) == 98:  # the service takes no others
            Rung(rig, seal, sealed, title=what)
    good = Rung(rig, seal, title="the good one")
    phone.reaches("inbox")
    assert [title for title, _ in rows(phone)] == ["the good one"]
    good.end(rig)
    phone.reaches("idle")


@contextlib.contextmanager
def lies(phone, entries, links):
    """The service says this; links: what it has for a link id."""
    script = phone.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": """{ const real = window.fetch, tell = (what) =>
            Promise.resolve(new Response(JSON.stringify(what)));
        window.told = 0;
        window.fetch = (url, ...more) => {
            const links = %s, id = String(url).match(/links\\/([^/]*)$/)?.[1];
            if (String(url).includes("/inbox"))
                return window.told++ ? new Promise(() => {})
                    : tell({ tag: "x", questions: %s });
            return links[id] ? tell(links[id]) : real(url, ...more);
        }; }""" % (json.dumps(links), json.dumps(entries))})
    try:
        yield
    finally:
        phone.driver.execute_cdp_cmd(
            "Page.removeScriptToEvaluateOnNewDocument", script)


def test_inbox_of_a_hostile_service(rig, phone, seal):
    """Members that are wrong or missing; then one that is right."""
    device, point = seal
    link = oracle.Link()
    copies = {what: oracle.b64u(one) for what, one in forgeries(seal).items()}
    content = oracle.b64u(link.seal_content(oracle.content(
        json.dumps(MEMBERS).encode())))
    enrolment = oracle.Link()
    kinds = oracle.b64u(enrolment.seal_content(oracle.content(json.dumps(
        {**MEMBERS, "kind": "enrolment", "choices": []}).encode())))
    right = {"deviceId": device, "linkId": link.id, "state": "pending",
             "secondsLeft": 10 ** 9, "sealed": oracle.b64u(
                 oracle.device_seal(point, device, link.secret))}
    entries = [{**right, "linkId": "A" * 22},
               {**right, "deviceId": "a" * 16},
               {**right, "deviceId": None}, {**right, "sealed": 7},
               {**right, "linkId": enrolment.id, "sealed": oracle.b64u(
                   oracle.device_seal(point, device, enrolment.secret))}]
    entries += [{**right, "linkId": f"{n:022d}", "sealed": one}
                for n, one in enumerate(copies.values())]
    links = {link.id: {"content": content}, enrolment.id: {"content": kinds}}
    for some in (entries[:7], entries[7:]):
        with lies(phone, [*some, right, right], links):
            phone.open(rig.origin)
            phone.reaches("inbox")
            assert [title for title, _ in rows(phone)] == ["Deploy?"]
            assert re.search("1:(30|2[0-9]) left", phone.text)
        with lies(phone, some, links):
            phone.open(rig.origin)
            until(lambda: phone.js("return window.told") > 1, "the next look")
            assert rows(phone) == [] and phone.state == "idle"


@pytest.mark.parametrize("case", VECTORS["deviceSeals"],
                         ids=lambda case: case["name"])
def test_vector(rig, phone, case):
    """Opened by WebCrypto as the library seals it."""
    at_home(rig, phone)
    point = bytes.fromhex(case["sealPoint"])
    scalar = bytes.fromhex(case["sealScalar"])
    link = phone.driver.execute_async_script("""
        const [jwk, point, device, sealed, done] = arguments;
        (async () => {
            const { openCopy } = await import("/inbox.js");
            const sealKey = await crypto.subtle.importKey("jwk", jwk,
                { name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
            return (await openCopy({ device, sealKey,
                sealPoint: new Uint8Array(point) }, sealed)).id;
        })().then(done, (error) => done(String(error)));""", {
        "kty": "EC", "crv": "P-256", "x": oracle.b64u(point[1:33]),
        "y": oracle.b64u(point[33:]), "d": oracle.b64u(scalar)},
        list(point), case["deviceId"],
        oracle.b64u(bytes.fromhex(case["sealed"])))
    assert link == oracle.Link(bytes.fromhex(case["secret"])).id


def test_text_stays_text(rig, phone, seal):
    evil = "<img src=x onerror=window.ran=1>\u202e"
    rung = Rung(rig, seal, title=evil, host=evil, user=evil)
    phone.reaches("inbox")
    shown = evil.replace("\u202e", r"\u{202e}")
    assert rows(phone) == [(shown, f"{shown} on {shown}")]
    assert phone.js("""return [document.querySelectorAll("main img").length,
        window.ran ?? null];""") == [0, None]
    assert "doesn't remember" not in phone.text
    take(phone)
    assert "doesn't remember being enrolled" in phone.text
    rung.end(rig)


def test_newest_first(rig, phone, seal):
    rungs = [Rung(rig, seal, title=f"number {n}") for n in range(3)]
    phone.reaches("inbox")
    until(lambda: len(rows(phone)) == 3, "three questions")
    assert [title for title, _ in rows(phone)] == [
        "number 2", "number 1", "number 0"]
    assert "3 questions" in phone.text
    rungs[1].end(rig)
    until(lambda: [title for title, _ in rows(phone)] == [
        "number 2", "number 0"], "the one that was taken back")
    for rung in (rungs[0], rungs[2]):
        rung.end(rig)
    phone.reaches("idle")


def test_nothing_is_kept_of_it(rig, phone):
    """Neither S nor the link id is left in the browser's stores."""
    login, _ = asked(rig)
    at_home(rig, phone)
    take(phone)
    kept = phone.driver.execute_async_script("""
        const done = arguments[0];
        const all = [JSON.stringify(localStorage),
            JSON.stringify(sessionStorage), JSON.stringify(history.state),
            document.documentElement.outerHTML, location.href];
        import("/memory.js").then((memory) => memory.enrolments()).then(
            (found) => done(all.join() + JSON.stringify(found)));""")
    assert login.link().split("#")[1].upper() not in kept.upper()
    assert link_id(login.link()) not in kept
