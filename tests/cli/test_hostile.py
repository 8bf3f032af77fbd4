# SPDX-License-Identifier: BSD-2-Clause
"""countersign-phone against services and questions that lie; without a host."""
import base64
import json
import os
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sources import built

oracle = pytest.importorskip("oracle")

PASSPHRASE = "correct horse battery staple"
MEMBERS = {"kind": "approval", "host": "web1.example.com", "user": "alice",
           "uid": 1001, "service": "sudo", "title": "Run a command as root",
           "details": [["Command", "id"]], "choices": ["approve"],
           "code": "inbox", "nonce": "A" * 43, "lifetime": 90}


class Fake(ThreadingHTTPServer):
    """A phone API with one link, which says what a test wants it to say."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.link = oracle.Link(
            origin=f"http://127.0.0.1:{self.server_address[1]}")
        self.requests, self.replies = [], {}
        self.answer = None
        self.outcome = {"state": "granted"}
        self.ask()

    def ask(self, raw=None, **members):
        """The question; raw: its bytes."""
        if raw is None:
            raw = transaction(**members)
        self.sealed = self.link.seal_content(oracle.content(raw))

    def reply(self, method, call, body):
        self.requests.append((method, call))
        if call in self.replies:
            return self.replies[call]
        if call == "":
            return 200, {"content": oracle.b64u(self.sealed), "state":
                         "pending", "kind": "approval", "secondsLeft": 80,
                         "expiresAt": "2026-11-22T00:00:00Z"}
        if call == "/seen":
            return 204, None
        if call == "/device":
            return 201, {"deviceId": body["deviceId"], "name": body["name"]}
        if call == "/answer":
            self.answer = body
            return 202, {"state": "answered", "sequence": 3}
        return 200, {"sequence": 4, **self.outcome}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        prefix = f"/links/{self.server.link.id}"
        path = self.path.split("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        if path.startswith(prefix):
            status, reply = self.server.reply(
                self.command, path[len(prefix):], body)
        else:
            status, reply = 404, {"error": "not_found"}
        if not isinstance(reply, bytes):
            reply = b"" if reply is None else json.dumps(reply).encode()
        self.send_response(status)
        if reply:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(reply)))
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(reply)

    do_GET = do_POST = handle_any

    def log_message(self, *_):
        pass


def transaction(**members):
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return oracle.transaction({**MEMBERS, "created": created, **members})[0]


@pytest.fixture
def fake():
    with Fake() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Phone:
    def __init__(self, fake, folder):
        self.fake, self.store = fake, folder / "keys"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text(PASSPHRASE)
        self.passphrase.chmod(0o600)

    def run(self, command, *arguments, yes=True, link=None):
        return subprocess.run(
            [built("cli/phone/countersign-phone"), command, "--store",
             self.store, "--passphrase-file", self.passphrase,
             *(["--yes"] if yes else []), *arguments,
             link or self.fake.link.text()], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=60, start_new_session=True)

    def enrol(self, **members):
        """Becomes a device of MEMBERS' user; the fake is host, too."""
        fake, own = self.fake, self.fake.link
        fake.link = oracle.Link(origin=own.origin)
        fake.ask(kind="enrolment", choices=[], service="enroll",
                 title="Enrol", lifetime=600, **members)
        told = self.run("enroll", "--no-test")
        assert told.returncode == 0, told.stdout
        proof = oracle.unpack(fake.link.open_answer(
            oracle.unb64u(fake.answer["answer"])), enrolment=True)
        fake.link, fake.answer = own, None
        fake.requests.clear()
        fake.ask()
        return proof


@pytest.fixture
def phone(fake, tmp_path):
    return Phone(fake, tmp_path)


def answered(fake):
    """The answer that the fake got, opened with the link's key."""
    return oracle.unpack(fake.link.open_answer(
        oracle.unb64u(fake.answer["answer"])))


# --- what is signed ---------------------------------------------------------------

def verifies(fake, proof, point, choice, code=""):
    """The signature is over these bytes, this choice and this code."""
    data = oracle.unb64u(json.loads(fake.link.open_content(fake.sealed))
                         ["transaction"])
    when, challenge = proof["b"].decode().split("_", 1)
    assert challenge == oracle.b64u(oracle.challenge(choice, data, code))
    assert abs(int(when) / 1000 - time.time()) < 60
    assert proof["choice"] == choice and proof["kind"] == "p256"
    assert oracle.es256_verify(point, proof["b"], proof["signature"]) \
        is not False


def test_the_bytes_as_they_came_are_signed(fake, phone):
    point = phone.enrol()["point"]
    for choice, command, options in (
            ("approve", "approve", []), ("deny", "deny", []),
            ("not-me", "deny", ["--not-me"])):
        assert phone.run(command, *options, yes=command == "approve") \
            .returncode == (0 if choice == "approve" else 1)
        verifies(fake, answered(fake), point, choice)
        assert fake.answer["hint"] == choice


def test_a_question_with_other_choices(fake, phone):
    point = phone.enrol()["point"]
    fake.ask(service="ask", choices=["deploy", "roll-back"])
    assert phone.run("approve").returncode == 0
    verifies(fake, answered(fake), point, "deploy")
    assert fake.answer["hint"] == "approve"
    assert phone.run("approve", "--choice", "roll-back").returncode == 0
    verifies(fake, answered(fake), point, "roll-back")


@pytest.mark.parametrize("rule,given,sent", [
    ("always", "123456", "123456"), ("inbox", "123456", "123456"),
    ("inbox", None, ""), ("never", None, ""), ("tap", None, "")])
def test_the_code_is_part_of_it(fake, phone, rule, given, sent):
    point = phone.enrol()["point"]
    fake.ask(code=rule)
    options = ["--code", given] if given else []
    assert phone.run("approve", *options).returncode == 0
    verifies(fake, answered(fake), point, "approve", sent)


@pytest.mark.parametrize("rule,given,status", [
    ("always", None, 1), ("never", "123456", 2), ("tap", "123456", 2)])
def test_no_code_or_one_too_many(fake, phone, rule, given, status):
    phone.enrol()
    fake.ask(code=rule)
    options = ["--code", given] if given else []
    assert phone.run("approve", *options).returncode == status
    assert fake.answer is None


def test_an_unsigned_denial_needs_nothing(fake, phone):
    fake.outcome = {"state": "denied"}
    assert phone.run("deny", "--unsigned", yes=False).returncode == 0
    proof = answered(fake)
    assert proof["kind"] == "unsigned" and proof["choice"] == "deny"
    assert proof["signature"] == b""


# --- questions that are not as they should be: UX-4 ----------------------------------

def spoiled(change):
    members = json.loads(transaction())
    return json.dumps(change(members) or members).encode()


@pytest.mark.parametrize("raw", [
    spoiled(lambda m: m.update(v=2)),
    spoiled(lambda m: m.update(kind="transfer")),
    spoiled(lambda m: m.update(amount=5)),
    spoiled(lambda m: m.pop("lifetime") and None),
    spoiled(lambda m: m.update(choices=["deny"])),
    spoiled(lambda m: m.update(choices=[])),
    spoiled(lambda m: m.update(code="maybe")),
    spoiled(lambda m: m.update(uid="1001")),
    transaction() + b"{}", b"{}", b"[]", b"", b"\xff"],
    ids=["v", "kind", "member", "missing", "reserved", "no-choice", "code",
         "type", "trailing", "empty", "array", "nothing", "bytes"])
def test_what_it_does_not_know_it_refuses(fake, phone, raw):
    phone.enrol()
    fake.ask(raw=raw)
    for command in ("approve", "deny"):
        told = phone.run(command, yes=command == "approve")
        assert told.returncode == 3
        assert "does not know" in told.stdout
    assert fake.answer is None


def test_content_of_another_link(fake, phone):
    phone.enrol()
    fake.sealed = oracle.Link().seal_content(oracle.content(transaction()))
    assert phone.run("approve").returncode == 3
    assert fake.answer is None


@pytest.mark.parametrize("members", [
    {"host": "web2.example.com"}, {"user": "bob"}, {"uid": 0}])
def test_a_stranger_to_this_phone(fake, phone, members):
    phone.enrol()
    fake.ask(**members)
    told = phone.run("approve")
    assert told.returncode == 1
    assert "!! This phone" in told.stdout
    assert fake.answer is None


def test_another_service_for_a_known_host(fake, phone, tmp_path):
    phone.enrol()
    with Fake() as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        told = phone.run("approve", link=other.link.text())
        other.shutdown()
    assert told.returncode == 1
    assert "at another service" in told.stdout
    assert other.answer is None


def test_long_age_and_life_come_from_the_bytes(fake, phone):
    phone.enrol()
    fake.replies[""] = (200, {
        "content": oracle.b64u(fake.sealed), "secondsLeft": 600,
        "state": "pending", "kind": "enrolment"})
    told = phone.run("approve")
    assert told.returncode == 0
    assert "90 seconds left" in told.stdout or "89 seconds" in told.stdout


def test_foreign_text_everywhere(fake, phone):
    evil = "\x1b[31mred\x07\u202e\u2028\x9b"
    evil_members = {"host": evil, "user": evil, "service": evil,
                    "title": evil, "details": [[evil, evil]]}
    raw = json.loads(transaction())
    raw.update(evil_members)
    fake.ask(raw=oracle.dump(raw).encode())
    fake.outcome = {"state": "denied", "reason": evil}
    told = phone.run("deny", "--unsigned", yes=False).stdout
    for character in "\x1b\x07\u202e\u2028\x9b":
        assert character not in told


# --- services that are not as they should be -----------------------------------------

@pytest.mark.parametrize("reply", [
    (404, {"error": "not_found"}), (410, {"error": "expired"})])
def test_gone(fake, phone, reply):
    fake.replies[""] = reply
    assert phone.run("approve").returncode == 1


@pytest.mark.parametrize("reply", [
    (200, b"{"), (200, b"[]"), (200, {}), (200, {"content": 5}),
    (200, {"content": "!!!!", "secondsLeft": 5}),
    (200, {"content": "AAAA", "secondsLeft": -1}),
    (200, {"content": "AAAA", "secondsLeft": 10 ** 9}),
    (200, {"content": "A" * 12000, "secondsLeft": 5}),
    (200, b"x" * (1 << 20)), (302, b""), (500, {"error": "broken"}),
    (401, {"error": "no"}), (204, None)],
    ids=lambda reply: f"{reply[0]}-{str(reply[1])[:30]}")
def test_a_reply_that_is_none(fake, phone, reply):
    phone.enrol()
    fake.replies[""] = reply
    assert phone.run("approve").returncode == 3
    assert fake.answer is None


def test_seen_is_only_a_courtesy(fake, phone):
    phone.enrol()
    fake.replies["/seen"] = (500, {"error": "broken"})
    assert phone.run("approve").returncode == 0


@pytest.mark.parametrize("reply,status", [
    ((409, {"error": "answered"}), 1), ((410, {"error": "expired"}), 1),
    ((500, {"error": "broken"}), 3), ((202, {"sequence": "3"}), 3)])
def test_answer_not_taken(fake, phone, reply, status):
    phone.enrol()
    fake.replies["/answer"] = reply
    assert phone.run("approve").returncode == status


@pytest.mark.parametrize("outcome,text", [
    ({"state": "denied", "reason": "PROOF_TIME"}, "clock is more than 60"),
    ({"state": "pending", "reason": "PROOF_SIGNATURE", "triesLeft": 2},
     "2 tries left"),
    ({"state": "expired"}, "Too late"),
    ({"state": "cancelled"}, "withdrawn"),
    ({"state": "denied", "reason": "some new word"}, "some new word")])
def test_no_is_explained(fake, phone, outcome, text):
    phone.enrol()
    fake.outcome = outcome
    told = phone.run("approve")
    assert told.returncode == 1
    assert text in told.stdout
    assert "Granted" not in told.stdout


def test_a_denial_that_came_too_late(fake, phone):
    phone.enrol()
    fake.outcome = {"state": "granted"}
    told = phone.run("deny", yes=False)
    assert told.returncode == 1
    assert "Granted" in told.stdout


# --- enrolling -------------------------------------------------------------------------

def test_an_enrolment_that_the_host_refuses_leaves_no_key(fake, phone):
    fake.ask(kind="enrolment", choices=[], service="enroll",
             lifetime=600)
    fake.outcome = {"state": "denied", "reason": "PROOF_KIND"}
    told = phone.run("enroll", "--no-test")
    assert told.returncode == 1
    assert "kind is not accepted" in told.stdout
    assert list(phone.store.iterdir()) == []


def test_an_enrolment_that_nobody_judged_keeps_the_key(fake, phone):
    """The host may yet have taken it."""
    fake.ask(kind="enrolment", choices=[], service="enroll",
             lifetime=600)
    fake.replies["/events"] = (403, {"error": "no"})
    fake.replies[""] = (200, {"content": oracle.b64u(fake.sealed),
                              "secondsLeft": 0, "state": "pending"})
    assert phone.run("enroll", "--no-test").returncode == 3
    assert len(list(phone.store.glob("*.pem"))) == 2


def test_each_enrolment_has_a_key_of_its_own(fake, phone):
    first, second = phone.enrol(), phone.enrol(user="bob", uid=1002)
    assert first["point"] != second["point"]
    assert first["seal"] != second["seal"]
    assert first["point"] != first["seal"]
    assert first["device"] == oracle.device_id(first["point"])


def test_the_name_of_this_machine_is_the_default(fake, phone):
    name = phone.enrol()["name"].decode()
    assert name.startswith("terminal on ")
    assert len(name.encode()) <= 64
    assert os.uname().nodename[:40] in name


def test_foreign_text_in_the_store(fake, phone):
    phone.enrol()
    [path] = phone.store.glob("*.json")
    members = json.loads(path.read_text())
    members["host"] = "web\x1b[2J\n1"
    path.write_text(json.dumps(members))
    told = subprocess.run(
        [built("cli/phone/countersign-phone"), "devices", "--store",
         phone.store], stdout=subprocess.PIPE, text=True, timeout=60)
    assert told.returncode == 0
    assert "\x1b" not in told.stdout
    assert len(told.stdout.splitlines()) == 2


def test_base64_is_what_the_protocol_says(fake, phone):
    """No padding, no plus, no slash in what the phone sends."""
    phone.enrol()
    assert phone.run("approve").returncode == 0
    text = fake.answer["answer"]
    assert not set("+/=") & set(text)
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
