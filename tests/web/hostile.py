# SPDX-License-Identifier: BSD-2-Clause
"""
The service, or who can make it, is hostile: what it changes is noticed, on the
phone or on the host, said in words there, and never ends in a yes.
"""
import http.server
import json
import re
import threading
import urllib.error
import urllib.request

import oracle
import pytest
from browser import WebRig, until
from conftest import USER
from rig import link_id


class Proxy:
    """Between the browser and the service; change(path, body) may lie."""

    def __init__(self):
        self.target = None
        self.reply = lambda path, body: body
        self.request = lambda path, body: body
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.forward(self)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.origin = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def forward(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        if length:
            body = self.request(handler.path, body)
        headers = {name: value for name, value in handler.headers.items()
                   if name.lower() not in ("connection", "content-length")}
        request = urllib.request.Request(
            self.target + handler.path, body if length else None, headers,
            method=handler.command)
        try:
            reply = urllib.request.urlopen(request, timeout=40)
        except urllib.error.HTTPError as error:
            reply = error
        body = self.reply(handler.path, reply.read())
        handler.send_response_only(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in ("content-length", "connection"):
                handler.send_header(name, value)
        if reply.status not in (204, 304):
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def honest(self):
        self.reply = self.request = lambda path, body: body


@pytest.fixture(scope="session")
def proxy():
    proxy = Proxy()
    yield proxy
    proxy.server.shutdown()


@pytest.fixture(scope="session")
def rig(proxy):
    with WebRig(page_url=proxy.origin, device_kinds="webauthn") as rig:
        proxy.target = rig.service.url
        yield rig


@pytest.fixture
def service(proxy):
    """As the browser meets it; honest again after the case."""
    yield proxy
    proxy.honest()


def content_of(rig, login):
    return rig.service.phone().get(f"/links/{link_id(login.link())}").json


def serves(service, login, change):
    """The service shows this for the login's link."""
    path = f"/links/{link_id(login.link())}"

    def reply(at, body):
        if at != path:
            return body
        return json.dumps({**json.loads(body), **change}).encode()
    service.reply = reply


def nothing_trusted(rig, phone, login):
    """The page says so, signs nothing, and can end it."""
    phone.open(login.link())
    phone.reaches("malformed")
    assert "was not made for this link" in phone.text
    assert rig.title_of(login) not in phone.text
    assert phone.buttons() == ["End it as denied"]
    phone.click("End it as denied")
    phone.reaches("declined")
    assert login.end() == "PAM_MAXTRIES"
    assert rig.audit()[-1]["reason"] == "DECLINED"


@pytest.fixture(autouse=True)
def titles(rig):
    rig.title_of = lambda login: rig.question(login.link()).members["title"]


@pytest.fixture
def login(rig):
    login = rig.login(USER, service="sshd")
    yield login
    login.close()


def test_contents_of_two_questions_swapped(rig, phone, login, service):
    other = rig.login(USER, service="login")
    serves(service, login,
           {"content": content_of(rig, other)["content"]})
    nothing_trusted(rig, phone, login)
    other.close()


@pytest.mark.parametrize("at", (0, 5, 20, 200, -1))
def test_one_byte_changed(rig, phone, login, service, at):
    sealed = bytearray(oracle.unb64u(content_of(rig, login)["content"]))
    sealed[at] ^= 1
    serves(service, login, {"content": oracle.b64u(bytes(sealed))})
    nothing_trusted(rig, phone, login)


@pytest.mark.parametrize("content", ("", "AA", "!", None, 7, "A" * 22,
                                     "<script>alert(1)</script>"))
def test_no_content(rig, phone, login, service, content):
    serves(service, login, {"content": content})
    nothing_trusted(rig, phone, login)


def test_old_content_again(rig, phone, login, service):
    old = rig.login(USER, service="sshd")
    content = content_of(rig, old)["content"]
    phone.open(old.link())
    phone.click("Approve")
    phone.reaches("granted")
    assert old.end() == "PAM_SUCCESS"
    serves(service, login, {"content": content})
    nothing_trusted(rig, phone, login)


def test_answer_to_another_question(rig, phone, login, service):
    other, taken = rig.login(USER, service="login"), []
    phone.open(other.link())
    phone.reaches("question")

    def keep(path, body):
        if path.endswith("/answer"):
            taken.append(json.loads(body)["answer"])
            return b'{"answer":"' + b"A" * 60 + b'","hint":"approve"}'
        return body
    service.request = keep
    phone.click("Approve")
    until(lambda: "could not read the answer" in phone.text, "the reason")
    assert "7 tries are left" in phone.text

    def put(path, body):
        if path.endswith("/answer"):
            return json.dumps({"answer": taken[0], "hint": "approve"}).encode()
        return body
    service.request = put
    phone.open(login.link())
    phone.click("Approve")
    until(lambda: "could not read the answer" in phone.text, "the reason")
    assert rig.audit()[-1]["reason"] == "PROOF_FORMAT"
    service.honest()
    phone.click("Deny")
    phone.reaches("denied")
    assert login.end() == "PAM_MAXTRIES"
    other.close()


def test_more_time_than_the_question_has(phone, login, service):
    serves(service, login, {"secondsLeft": 999999})
    phone.open(login.link())
    phone.reaches("question")
    left = phone.driver.find_element("class name", "left").text
    assert re.match("1:30|1:2[0-9]", left)


def test_kind_is_the_contents(phone, login, service):
    serves(service, login, {"kind": "enrolment"})
    phone.open(login.link())
    phone.reaches("question")


# --- an enrolment -----------------------------------------------------------

@pytest.fixture
def enrolment(rig):
    terminal = rig.terminal("enroll", "--qr", "off", "bin")
    yield terminal
    terminal.close()


def test_enrolment_with_the_services_own_key(rig, page, enrolment, service):
    """It can't seal for the host: the enrolment ends, and both say so."""
    def own(path, body):
        if path.endswith("/answer"):
            return json.dumps({"answer": oracle.b64u(b"\1" + bytes(400)),
                               "hint": "enroll"}).encode()
        return body
    page.authenticator()
    service.request = own
    page.open(enrolment.link())
    page.click("Create passkey")
    page.reaches("enrol-refused")
    assert "could not read the answer" in page.text
    assert enrolment.end() == 1
    assert "nothing was enrolled" in enrolment.text
    assert not has_devices(rig, "bin")


def has_devices(rig, user):
    return "webauthn" in rig.countersign("devices", user, check=False)


def test_enrolment_by_who_photographed_the_code(rig, page, enrolment):
    """He answers first: the terminal's id is not this phone's."""
    link = oracle.Link.from_text(enrolment.link())
    page.authenticator()
    page.open(enrolment.link())
    page.reaches("enrolment")
    thief = oracle.Phone("webauthn", "thief", origin=rig.values["page_url"])
    content = rig.service.phone().get(f"/links/{link.id}").json["content"]
    rig.service.phone().post(f"/links/{link.id}/answer", {
        "answer": thief.enroll(link, content), "hint": "enroll"})
    enrolment.wait_for("same id")
    page.click("Create passkey")
    page.reaches("overtaken")
    assert "Answer no at the terminal" in page.text
    enrolment.type("no")
    assert enrolment.end() == 1
    assert not has_devices(rig, "bin")


def test_id_is_not_confirmed(rig, page, enrolment):
    page.authenticator()
    page.open(enrolment.link())
    page.click("Create passkey")
    page.reaches("compare")
    enrolment.wait_for("same id")
    enrolment.type("")
    page.reaches("not-enrolled")
    assert enrolment.end() == 1
    assert not has_devices(rig, "bin")


def test_device_is_named_by_a_stranger(rig, page, enrolment):
    """The service may be told a name by anybody; the host is not."""
    link = enrolment.link()
    page.authenticator()
    page.open(link)
    page.reaches("enrolment")
    rig.service.phone().post(f"/links/{link_id(link)}/device", {
        "deviceId": "a" * 16, "name": "stranger"})
    page.click("Create passkey")
    page.reaches("compare")
    until(lambda: "named itself" in page.text, "the warning")
    enrolment.wait_for("same id")
    enrolment.type("no")
    page.reaches("not-enrolled")


# --- a host that asks what it likes -----------------------------------------

MEMBERS = {
    "v": 1, "kind": "approval", "host": "web1.example.com", "user": "alice",
    "uid": 1001, "service": "ask", "title": "Deploy?", "details": [],
    "choices": ["approve"], "code": "inbox", "nonce": "x" * 43,
    "created": "2026-11-21T22:50:00Z", "lifetime": 90,
}


class Asked:
    """A question of our own making at the service."""

    def __init__(self, rig, credentials=(("a" * 16, b"id"),), raw=None,
                 **changes):
        self.link = oracle.Link(origin=rig.values["page_url"])
        plain = raw if raw is not None else oracle.content(
            json.dumps({**MEMBERS, **changes}).encode(), credentials)
        self.question = rig.host.ask(
            username="alice", linkId=self.link.id,
            content=oracle.b64u(self.link.seal_content(plain)))
        assert self.question.reply.status == 201
        self.text = self.link.text()


@pytest.mark.parametrize("change", (
    {"v": 2}, {"kind": "other"}, {"extra": 1}, {"code": "sometimes"},
    {"choices": []}, {"choices": ["deny"]}, {"choices": ["Approve"]},
    {"choices": ["enroll"]}, {"uid": "0"}, {"uid": -1}, {"title": None},
    {"details": [["a"]]}, {"details": [["a", 1]]}, {"lifetime": 10 ** 9},
    {"nonce": ""}, {"user": ["alice"]}))
def test_question_that_the_page_does_not_know(rig, phone, change):
    phone.open(Asked(rig, **change).text)
    phone.reaches("malformed")


@pytest.mark.parametrize("raw", (
    b"", b"{}", b"null", b"[]", b'{"transaction":"AA","credentials":[]}',
    b'{"transaction":7}', b"\xff", oracle.content(b"{}"),
    oracle.content(json.dumps(MEMBERS).encode(), [("short", b"x")])))
def test_content_that_the_page_does_not_know(rig, phone, raw):
    phone.open(Asked(rig, raw=raw).text)
    phone.reaches("malformed")


def test_text_stays_text(rig, phone):
    evil = "<img src=x onerror=document.title='run'><b>b</b>"
    phone.open(Asked(rig, title=evil, user=evil, host=evil,
                     details=[[evil, evil]]).text)
    phone.reaches("question")
    assert phone.text.count("<img src=x") >= 5
    assert phone.driver.find_elements("css selector", "main img, main b") == []
    assert "run" != phone.js("return document.title")


def test_what_can_not_be_seen_is_shown(rig, phone):
    phone.open(Asked(rig, title="ab\u202ecd", details=[
        ["x\u200by", "a\x07\u2028\ufeff\u00adb"]]).text)
    phone.reaches("question")
    assert r"ab\u{202e}cd" in phone.text
    assert r"x\u{200b}y" in phone.text
    assert r"a\u{7}\u{2028}\u{feff}\u{ad}b" in phone.text


def test_direction_of_the_text(rig, phone):
    phone.open(Asked(rig, title="\u05e9\u05dc\u05d5\u05dd").text)
    phone.reaches("question")
    assert phone.js("""return getComputedStyle(
        document.querySelector("h1")).direction""") == "rtl"
    assert phone.js("""return getComputedStyle(
        document.querySelector("main")).direction""") == "ltr"


def credentials_of(rig, login):
    """Those that its host takes, which are the phone's."""
    content = json.loads(oracle.Link.from_text(login.link()).open_content(
        content_of(rig, login)["content"]))
    return [(i, oracle.unb64u(c)) for i, c in content["credentials"]]


def test_choices_are_buttons(rig, phone, login, service):
    """The one that is clicked is signed, and the service is told that one."""
    asked = Asked(rig, credentials_of(rig, login),
                  choices=["deploy", "to-staging"])
    hints = []

    def keep(path, body):
        if path.endswith("/answer"):
            hints.append(json.loads(body)["hint"])
        return body
    service.request = keep
    phone.open(asked.text)
    phone.reaches("question")
    assert phone.buttons() == ["Deny", "Deploy", "To staging",
                               "This was not me"]
    phone.click("To staging")
    phone.reaches("sent")
    assert hints == ["to-staging"]
    reply = rig.host.status(asked.question).json
    answer = oracle.unpack(asked.link.open_answer(reply["answer"]))
    assert answer["choice"] == "to-staging"


def test_host_without_a_list_and_a_phone_without_a_memory(rig, phone):
    asked = Asked(rig, credentials=())
    phone.open(asked.text)
    phone.reaches("question")
    assert phone.buttons() == ["Deny", "This was not me"]
    assert "no passkey for alice" in phone.text
    phone.click("Deny")
    phone.reaches("sent")
    reply = rig.host.status(asked.question).json
    answer = oracle.unpack(asked.link.open_answer(reply["answer"]))
    assert (answer["kind"], answer["choice"]) == ("unsigned", "deny")


def test_account_that_this_phone_knows_otherwise(rig, phone, login):
    """Same host, same name, another uid than at the enrolment."""
    members = rig.question(login.link()).members
    asked = Asked(rig, host=members["host"], user=members["user"],
                  uid=members["uid"] + 1)
    phone.open(asked.text)
    phone.reaches("question")
    assert phone.buttons() == ["Deny", "This was not me"]
    assert "can't approve this one" in phone.text


def test_code_that_must_be_typed(rig, phone, login):
    members = rig.question(login.link()).members
    asked = Asked(rig, credentials_of(rig, login),
                  **{**members, "code": "always"})
    phone.open(asked.text)
    phone.reaches("question")
    phone.click("Approve")
    assert phone.focused == "" and "Type the six digits" in phone.text
    phone.field("code", "123 456")
    phone.click("Approve")
    phone.reaches("sent")
    reply = rig.host.status(asked.question).json
    answer = oracle.unpack(asked.link.open_answer(reply["answer"]))
    data = json.dumps({**MEMBERS, **members, "code": "always"}).encode()
    assert oracle.b64u(oracle.challenge("approve", data, "123456")) in \
        answer["b"].decode()


def test_old_question(rig, phone):
    asked = Asked(rig, created="2020-01-01T00:00:00Z")
    phone.open(asked.text)
    phone.reaches("question")
    assert "older than it may be" in phone.text
