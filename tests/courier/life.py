# SPDX-License-Identifier: BSD-2-Clause
"""The life of one job: created, waited for, answered, decided, cancelled."""
import base64
import json
import os
import subprocess
import threading
import time

import pytest

from couriers import COURIER, KEY, SLACK, Close, Courier, Service, reply

STATUS = "POST /api/v1/status"
OUTCOME = "POST /api/v1/approval/transaction-1/outcome"
CANCEL = "DELETE /api/v1/approval/transaction-1"
DEVICE = "4hx2k7q3m5rj6wza"
REMOVE = "DELETE /api/v1/authenticators/"


def waiting(service, n=1):
    """The service has the n-th long poll."""
    return service.seen(STATUS, n)


def at_once(scene, limit=1, cert=None, **options):
    """
    What scene() of a courier that waits says it took: less than limit
    seconds, at least once in three times, as what the machine was busy with
    is not the courier's.
    """
    took = []
    while len(took) < 3 and min(took, default=limit) >= limit:
        with Service(cert) as service, Courier(service, **options) as courier:
            courier.expect("started", "created")
            waiting(service)
            took.append(scene(service, courier))
    assert min(took) < limit, took


def test_approval_over_tls(good, authority):
    with Service(good[0]) as service, Courier(
            service, ca=authority.file, content=4, link="L" * 22,
            subject='al"ice', lifetime=77) as courier:
        courier.expect("started", "created")
        poll = waiting(service)
        service.happen("seen")
        courier.expect("seen")
        service.happen("answered", bytes(range(256)))
        courier.expect("answer " + bytes(range(256)).hex())
        courier.say("outcome granted OK 0")
        outcome = service.seen(OUTCOME)
        assert courier.ended()[0] == 0
        created = service.requests[0]
        assert (created.method, created.path) == ("POST", "/api/v1/approval")
        assert created.json == {
            "username": 'al"ice', "channel": "app", "linkId": "L" * 22,
            "content": "AAAAAA", "lifetime": 77}
        assert created.headers == [
            ["Host", f"127.0.0.1:{service.port}"],
            ["User-Agent", "countersign"],
            ["Accept", "application/json"],
            ["Content-Type", "application/json"],
            ["Authorization", f"Bearer {KEY}"],
            ["Content-Length", str(len(created.body))]]
        assert poll.json == {
            "statusToken": "token.1", "wait": 30, "after": 1}
        assert outcome.json == {
            "outcome": "granted", "reason": "OK", "triesLeft": 0,
            "sequence": 3}
        # One connection does for everything, and no request waits for the
        # acknowledgement of its own first half.
        assert service.connections == 1
        assert [r.pieces for r in service.requests] == [1, 1, 1, 1]
        assert not service.all(CANCEL)


def test_nobody_in_particular(service):
    with Courier(service, subject="") as courier:
        courier.expect("started", "created")
        assert "username" not in service.requests[0].json


def test_phones_that_ring(service):
    service.rules["POST /api/v1/approval"] = lambda r, c: reply(
        201, {"transactionId": service.ID, "statusToken": service.TOKEN,
              "push": {"sent": 1, "devices": 2}})
    with Courier(service, copies=2) as courier:
        courier.expect("started", "created 1")
        created = service.requests[0].json
        assert created["channel"] == "push"
        assert created["username"] == "alice"
        assert created["sealed"] == {
            "aaaaaaaaaaaaaaaa": b64u(bytes(98)),
            "aaaaaaaaaaaaaaab": b64u(b"\1" * 98)}
        service.happen("answered", b"A")
        courier.expect("answer 41")
        courier.say("outcome granted OK 0 aaaaaaaaaaaaaaab")
        assert service.seen(OUTCOME).json["deviceId"] == "aaaaaaaaaaaaaaab"
        assert courier.ended()[0] == 0


def test_nobody_is_not_rung(service):
    with Courier(service, subject="", copies=1) as courier:
        courier.expect("started", "created")
        assert service.requests[0].json["channel"] == "app"
        assert "sealed" not in service.requests[0].json


BAD_RINGS = {
    "none": None, "a list": [1], "a number": 1, "text": "1",
    "nothing said": {}, "null": {"sent": None}, "a text": {"sent": "1"},
    "true": {"sent": True}, "less": {"sent": -1},
    "more than were sent": {"sent": 3, "devices": 3},
    "far more": {"sent": 2 ** 32 + 1},
}


@pytest.mark.parametrize("case", BAD_RINGS)
def test_bad_rings_fail_no_question(service, case):
    service.rules["POST /api/v1/approval"] = lambda r, c: reply(
        201, {"transactionId": service.ID, "statusToken": service.TOKEN,
              "push": BAD_RINGS[case]})
    with Courier(service, copies=2) as courier:
        assert courier.expect("started", "created") == "created"
        service.happen("answered", b"A")
        courier.expect("answer 41")


def test_rings_of_a_question_that_rings_nobody(service):
    service.rules["POST /api/v1/approval"] = lambda r, c: reply(
        201, {"transactionId": service.ID, "statusToken": service.TOKEN,
              "push": {"sent": 1, "devices": 1}})
    with Courier(service) as courier:
        assert courier.expect("started", "created") == "created"


def test_largest_question(service):
    with Courier(service, content=8192, copies=16,
                 subject="\1" * 256) as courier:
        courier.expect("started", "created")
        assert len(service.requests[0].json["content"]) == 10923
        assert len(service.requests[0].json["sealed"]) == 16
        assert service.requests[0].json["username"] == "\1" * 256
        assert service.requests[0].pieces == 1


def test_enrolment(service):
    with Courier(service, op="enrol") as courier:
        courier.expect("started", "created")
        created = service.requests[0]
        assert created.path == "/api/v1/users/enroll"
        assert "channel" not in created.json
        service.happen("answered", b"x" * 8192)
        courier.expect("answer " + "78" * 8192)
        courier.say("outcome denied NO 0")
        assert service.seen(OUTCOME).json["outcome"] == "denied"
        assert courier.ended()[0] == 0


def test_enrolment_names_its_device(service):
    """Only the device that the host enrolled is the user's."""
    with Courier(service, op="enrol") as courier:
        courier.expect("started", "created")
        service.happen("answered", b"A")
        courier.expect("answer 41")
        courier.say(f"outcome granted OK 0 {DEVICE}")
        assert service.seen(OUTCOME).json == {
            "outcome": "granted", "reason": "OK", "triesLeft": 0,
            "sequence": 2, "deviceId": DEVICE}
        assert courier.ended()[0] == 0


def test_outcome_of_no_answer(service):
    with Courier(service) as courier:
        courier.expect("started", "created")
        courier.say("outcome denied EXPIRED 0")
        assert "sequence" not in service.seen(OUTCOME).json


def test_retried_outcome_names_its_answer(service):
    """A reply that was lost does not cost the next answer its turn: both
    tries say which answer they are about."""
    def lose_once(request, connection):
        if len(service.all(OUTCOME)) == 1:
            raise Close
        return reply(204)

    service.rules[OUTCOME] = lose_once
    with Courier(service) as courier:
        courier.expect("started", "created")
        service.happen("answered", b"A")
        courier.expect("answer 41")
        courier.say("outcome rejected PROOF_SIGNATURE 2")
        service.seen(OUTCOME, 2)
        assert [r.json["sequence"] for r in service.all(OUTCOME)] == [2, 2]
        service.happen("answered", b"B")
        courier.expect("answer 42")
        courier.say("outcome denied NO 0")
        assert service.seen(OUTCOME, 3).json["sequence"] == service.sequence


def test_no_delay_and_nothing_asked_while_deciding():
    def scene(service, courier):
        began = time.monotonic()
        service.happen("answered", b"A")
        courier.expect("answer 41")
        took = time.monotonic() - began
        # The service goes on about it: the library has enough to look at.
        for _ in range(5):
            service.happen("answered", b"B")
        courier.say("outcome rejected PROOF_SIGNATURE 2")
        assert service.seen(OUTCOME).json == {
            "outcome": "rejected", "reason": "PROOF_SIGNATURE",
            "triesLeft": 2, "sequence": 2}
        courier.expect("answer 42")
        assert len(service.all(STATUS)) == 2
        courier.say("outcome rejected LIMIT 0")
        assert service.seen(OUTCOME, 2).json["triesLeft"] == 0
        assert courier.ended()[0] == 0
        assert not service.all(CANCEL)
        return took

    at_once(scene)


def test_seen_is_told_once(service):
    with Courier(service) as courier:
        courier.expect("started", "created")
        for n in range(1, 4):
            waiting(service, n)
            service.happen("seen")
        waiting(service, 4)
        service.happen("answered", b"A")
        courier.expect("seen", "answer 41")


@pytest.mark.parametrize("event,code", [("cancelled", 1), ("expired", 2)])
def test_ended(service, event, code):
    with Courier(service) as courier:
        courier.expect("started", "created")
        service.happen(event, state="failed")
        courier.expect(f"ended {code}")
        assert courier.ended()[0] == 0
        assert not service.all(CANCEL)


def test_claims_of_a_verdict(service):
    """TX-8: only this host closes its question; nothing is granted by it."""
    for event, state in (("granted", "succeeded"), ("denied", "failed")):
        service.sequence, service.event, service.state = 1, "created", "pending"
        with Courier(service) as courier:
            courier.expect("started", "created")
            service.happen(event, state=state)
            courier.expect("trouble 9 ")
            assert courier.ended()[0] == 0


def test_unknown_question(service):
    service.rules[STATUS] = lambda r, c: reply(200, {"status": "unknown"})
    with Courier(service) as courier:
        courier.expect("started", "created", "trouble 5 ")
        assert courier.ended()[0] == 0


# --- removal by the phone -------------------------------------------------------

def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_notes(service, removals):
    """The reply to a creation, with this as what phones have to say."""
    for call in ("POST /api/v1/approval", "POST /api/v1/users/enroll"):
        def rule(request, connection, usual=service.rules[call]):
            body = usual(request, connection).partition(b"\r\n\r\n")[2]
            return reply(201, json.loads(body) | {"removals": removals})

        service.rules[call] = rule


def note(data, device=DEVICE):
    return {"deviceId": device, "proof": b64u(data)}


@pytest.mark.parametrize("op", ["approve", "enrol"])
def test_removals_come_before_the_question(service, op):
    largest = bytes(range(256)) * 16
    with_notes(service, [note(b"one"), note(largest), note(largest),
                         note(b"4" * 4096)])
    with Courier(service, op=op) as courier:
        courier.expect("started", "removal 6f6e65", "removal " + largest.hex(),
                       "removal " + largest.hex(), "removal " + "34" * 4096,
                       "created")


BAD_NOTES = {
    "a fifth": ([note(b"A")] * 5, 4),
    "a hundred": ([note(b"A")] * 60, 4),
    "too long": ([note(b"x" * 4097)], 0),
    "huge": ([note(b"x" * 6000)], 0),
    "empty": ([note(b"")], 0),
    "with padding": ([{"deviceId": DEVICE, "proof": "QQ=="}], 0),
    "not canonical": ([{"deviceId": DEVICE, "proof": "QR"}], 0),
    "the other alphabet": ([{"deviceId": DEVICE, "proof": "+/+/"}], 0),
    "a number": ([{"deviceId": DEVICE, "proof": 1}], 0),
    "no proof": ([{"deviceId": DEVICE}], 0),
    "no object": (["QQ", 1, None, []], 0),
    "no list": ({"proof": "QQ"}, 0),
    "text": ("QQ", 0),
    "null": (None, 0),
    "a bad one and a good one": ([{"proof": 1}, note(b"A")], 1),
}


@pytest.mark.parametrize("case", BAD_NOTES)
def test_bad_removals_fail_no_question(service, case):
    removals, good = BAD_NOTES[case]
    with_notes(service, removals)
    with Courier(service) as courier:
        courier.expect("started", *["removal 41"] * good, "created")
        service.happen("answered", b"A")
        courier.expect("answer 41")


def test_removed_is_told_after_the_outcome(service):
    service.rules[REMOVE] = lambda r, c: reply(204)
    other = "z" * 16
    with_notes(service, [note(b"A"), note(b"B", other)])
    with Courier(service) as courier:
        courier.expect("started", "removal 41", "removal 42", "created")
        for device in (DEVICE, other, DEVICE):
            courier.say(f"removed {device}")
        waiting(service)
        service.happen("answered", b"A")
        courier.expect("answer 41")
        assert not service.all(REMOVE)
        courier.say("outcome granted OK 0")
        assert courier.ended()[0] == 0
    last = [(r.method, r.path) for r in service.requests[-3:]]
    assert last == [
        ("POST", "/api/v1/approval/transaction-1/outcome"),
        ("DELETE", f"/api/v1/authenticators/{DEVICE}"),
        ("DELETE", f"/api/v1/authenticators/{other}")]


def test_removed_is_told_after_a_cancel(service):
    service.rules[REMOVE] = lambda r, c: reply(204)
    with_notes(service, [note(b"A")])
    with Courier(service) as courier:
        courier.expect("started", "removal 41", "created")
        courier.say(f"removed {DEVICE}")
        courier.say("free")
        service.seen(CANCEL)
        service.seen(REMOVE)
        assert courier.ended()[0] == 0


@pytest.mark.parametrize("status", [403, 404, 500])
def test_removed_that_is_not_taken(service, status):
    """The note is still there then, and the next question tells it again."""
    service.rules[REMOVE] = lambda r, c: reply(status, {"error": "x"})
    with_notes(service, [note(b"A")])
    with Courier(service) as courier:
        courier.expect("started", "removal 41", "created")
        courier.say(f"removed {DEVICE}")
        service.happen("answered", b"A")
        courier.expect("answer 41")
        courier.say("outcome granted OK 0")
        began = time.monotonic()
        assert courier.ended()[0] == 0
        assert time.monotonic() - began < 3 + SLACK
    assert len(service.all(OUTCOME)) == 1


# --- letting go ------------------------------------------------------------------

def test_let_go_cancels():
    def scene(service, courier):
        began = time.monotonic()
        courier.say("free")
        assert courier.ended()[0] == 0
        took = time.monotonic() - began
        cancel = service.seen(CANCEL)
        assert ["Authorization", f"Bearer {KEY}"] in cancel.headers
        assert cancel.body == b""
        return took

    at_once(scene)


def test_let_go_while_deciding_cancels(service):
    with Courier(service) as courier:
        courier.expect("started", "created")
        service.happen("answered", b"A")
        courier.expect("answer")
        courier.say("free")
        service.seen(CANCEL)
        assert courier.ended()[0] == 0


def test_let_go_while_being_created_cancels(service):
    """Only the reply says what has to be cancelled."""
    bound = threading.Event()

    def late(request, connection):
        bound.wait()
        courier.say("free")
        time.sleep(0.3)
        return service.create(request, connection)

    service.rules["POST /api/v1/approval"] = late
    with Courier(service) as courier:
        bound.set()
        courier.expect("started")
        service.seen(CANCEL)
        assert courier.ended()[0] == 0


def test_outcome_after_the_library_left(service):
    """pam_authenticate has returned, the service is still restarting."""
    with Courier(service) as courier:
        courier.expect("started", "created")
        service.happen("answered", b"A")
        courier.expect("answer")
        service.stop()
        courier.say("outcome granted OK 0")
        courier.say("free")
        time.sleep(0.3)
        service.start()
        service.seen(OUTCOME)
        assert courier.ended()[0] == 0
        assert not service.all(CANCEL)


def test_outcome_interrupts_the_long_poll():
    def scene(service, courier):
        began = time.monotonic()
        courier.say("outcome denied EXPIRED 0")
        outcome = service.seen(OUTCOME)
        assert courier.ended()[0] == 0
        return outcome.at - began

    at_once(scene)


def test_rejected_and_let_go_cancels(service):
    with Courier(service) as courier:
        courier.expect("started", "created")
        service.happen("answered", b"A")
        courier.expect("answer")
        courier.say("outcome rejected PROOF_CHOICE 1")
        courier.say("free")
        service.seen(CANCEL)
        assert service.all(OUTCOME)
        assert courier.ended()[0] == 0


def test_last_words_are_bounded(service):
    """A service that never takes the outcome does not keep the courier."""
    service.rules[OUTCOME] = lambda r, c: reply(500, {"error": "x"})
    with Courier(service) as courier:
        courier.expect("started", "created")
        courier.say("outcome granted OK 0")
        began = time.monotonic()
        assert courier.ended()[0] == 0
        assert time.monotonic() - began < 3 + SLACK
        assert len(service.all(OUTCOME)) > 1


def test_killed_host(service):
    """E5: the application is killed; its courier cancels and goes."""
    with Courier(service) as courier:
        courier.expect("started", "created")
        waiting(service)
        courier.process.kill()
        service.seen(CANCEL)


def test_deadline(service):
    # Not too near above a second: there are two to wait for only as long as
    # the creation leaves more than one.
    with Courier(service, deadline=1900) as courier:
        courier.expect("started", "created")
        assert waiting(service).json["wait"] == 2
        courier.expect("ended 2")
        assert 1800 < courier.times["ended"] < 1900 + SLACK * 1000
        service.seen(CANCEL)
        assert courier.ended()[0] == 0


def test_deadline_without_a_service(service):
    """The library hears why nobody could answer."""
    with Courier(service, deadline=1900) as courier:
        courier.expect("started", "created")
        waiting(service)
        service.stop()
        courier.expect("trouble 1 ")
        assert 1800 < courier.times["trouble"] < 1900 + SLACK * 1000


def test_deadline_and_a_service_that_hangs(service):
    service.rules[STATUS] = lambda r, c: c.recv(1)
    with Courier(service, deadline=1900) as courier:
        courier.expect("started", "created", "ended 2")
        assert 1800 < courier.times["ended"] < 1900 + SLACK * 1000


# --- a service that restarts ------------------------------------------------

def test_restart_while_waiting(good, authority):
    """Heard soon after it is there again, not at the end of a long pause."""
    def scene(service, courier):
        service.stop()
        time.sleep(0.5)
        service.start()
        began = time.monotonic()
        waiting(service, 2)
        service.happen("answered", b"A")
        courier.expect("answer 41")
        return time.monotonic() - began

    at_once(scene, 1.5, good[0], ca=authority.file)


def test_restart_while_being_created(service):
    service.stop()
    with Courier(service) as courier:
        courier.expect("started")
        time.sleep(0.1)
        service.start()
        courier.expect("created")


def test_sequence_may_go_back(service):
    """A service that lost its last moments to a crash is not refused."""
    with Courier(service) as courier:
        courier.expect("started", "created")
        waiting(service)
        service.sequence = 10
        service.happen("seen")
        courier.expect("seen")
        waiting(service, 2)
        service.rules[STATUS] = lambda r, c: reply(200, {
            "transactionId": "transaction-1", "status": "pending",
            "sequence": 3, "event": "answered", "answer": "QQ"})
        service.stop()
        service.start()
        courier.expect("answer 41")


def test_no_busy_loop(service):
    """A service that says "no news" at once is not asked again and again."""
    service.rules[STATUS] = lambda r, c: reply(200, {
        "transactionId": "transaction-1", "status": "pending",
        "sequence": 1, "event": "created"})
    with Courier(service) as courier:
        courier.expect("started", "created")
        time.sleep(1.5)
        assert len(service.all(STATUS)) <= 6
        service.seen(STATUS, 2)


# --- the other jobs -------------------------------------------------------------

def test_ping(service):
    with Courier(service, op="ping", deadline=3000) as courier:
        courier.expect("started", "done")
        assert courier.ended()[0] == 0
        assert ["Authorization", f"Bearer {KEY}"] in service.requests[0].headers


@pytest.mark.parametrize("status,code", [
    (401, 3), (403, 4), (404, 5), (500, 8), (503, 8), (200, 9)])
def test_ping_refused(service, status, code):
    service.rules["GET /ping"] = lambda r, c: reply(
        status, {"error": "x", "message": "y", "status": status})
    with Courier(service, op="ping", deadline=3000) as courier:
        courier.expect("started", f"trouble {code} ")


def test_remove_user(service):
    service.rules["GET /api/v1/users?username="] = lambda r, c: reply(200, {
        "userId": "user-7", "username": "x", "authenticators": [{"name": "y"}]})
    service.rules["DELETE /api/v1/users/user-7"] = lambda r, c: reply(204)
    with Courier(service, op="remove-user", subject="a&b/ü",
                 deadline=3000) as courier:
        courier.expect("started", "done")
    assert [r.path for r in service.requests] == [
        "/api/v1/users?username=a%26b%2F%C3%BC", "/api/v1/users/user-7"]


def test_remove_unknown_user(service):
    with Courier(service, op="remove-user", deadline=3000) as courier:
        courier.expect("started", "trouble 5 ")
    assert len(service.requests) == 1


def test_remove_user_of_a_strange_id(service):
    """An id of the service's cannot become another path."""
    service.rules["GET /api/v1/users?username="] = lambda r, c: reply(
        200, {"userId": "../authenticators/x"})
    with Courier(service, op="remove-user", deadline=3000) as courier:
        courier.expect("started", "trouble 9 ")
    assert len(service.requests) == 1


def test_remove_device(service):
    service.rules["DELETE /api/v1/authenticators/"] = lambda r, c: reply(204)
    with Courier(service, op="remove-device", subject="4hx2k7q3m5rj6wza",
                 deadline=3000) as courier:
        courier.expect("started", "done")
    assert service.requests[0].path.endswith("/4hx2k7q3m5rj6wza")
    with Courier(service, op="remove-device", subject="../users/u",
                 deadline=3000) as courier:
        courier.expect("started", "trouble 10 ")
    assert len(service.requests) == 1


def test_rename_device(service):
    path = f"/api/v1/authenticators/{DEVICE}"
    service.rules["PATCH /api/v1/authenticators/"] = lambda r, c: reply(204)
    with Courier(service, op="rename-device", subject=DEVICE,
                 text='Alice\'s "new" phöne', deadline=3000) as courier:
        courier.expect("started", "done")
    request = service.requests[0]
    assert (request.method, request.path) == ("PATCH", path)
    assert request.json == {"name": 'Alice\'s "new" phöne'}
    assert ["Content-Type", "application/json"] in request.headers
    assert ["Authorization", f"Bearer {KEY}"] in request.headers
    with Courier(service, op="rename-device", subject="../users/u", text="x",
                 deadline=3000) as courier:
        courier.expect("started", "trouble 10 ")
    assert len(service.requests) == 1


def test_rename_unknown_device(service):
    service.rules["PATCH /api/v1/authenticators/"] = lambda r, c: reply(
        404, {"error": "not_found"})
    with Courier(service, op="rename-device", subject=DEVICE, text="x",
                 deadline=3000) as courier:
        courier.expect("started", "trouble 5 ")


# --- ways to the service ----------------------------------------------------------

def test_unix_socket(folder):
    with Service(address=os.path.join(folder, "socket")) as service:
        with Courier(service, socket=service.address) as courier:
            courier.expect("started", "created")


def test_ipv6():
    with Service(address="::1") as service, Courier(service) as courier:
        courier.expect("started", "created")


@pytest.mark.parametrize("url", [
    "http://approve.example.org", "http://192.0.2.1", "ftp://127.0.0.1",
    "https://", "https://a@127.0.0.1", "https://127.0.0.1/path",
    "https://127.0.0.1/?query", "file:///etc/passwd", "127.0.0.1", ""])
def test_addresses_that_are_refused(url):
    with Courier(url) as courier:
        courier.expect("started", "trouble 10 ")


def test_proxy(service):
    """Everything goes through a proxy that was given, by CONNECT."""
    def connect(request, connection):
        connection.sendall(reply(407, b"", ["Proxy-Authenticate: Basic"]))
        raise Close

    with Service() as proxy:
        proxy.rules["CONNECT "] = connect
        with Courier(service, proxy=proxy.url) as courier:
            courier.expect("started", "trouble 1 ")
        assert [r.path for r in proxy.requests] == [
            f"127.0.0.1:{service.port}"]
        # The key is for the service alone.
        assert not any("Authorization" in h[0]
                       for h in proxy.requests[0].headers)
    assert not service.requests


def test_proxy_of_another_kind(service):
    with Courier(service, proxy="socks5://127.0.0.1:1") as courier:
        courier.expect("started", "trouble 10 ")
    assert not service.requests


def test_nobody_there(service):
    service.stop()
    with Courier(service) as courier:
        courier.expect("started", "trouble 1 ")
        assert courier.times["trouble"] < 3000


def test_run_by_hand():
    """Not by people, and not by root with a network."""
    done = subprocess.run([COURIER], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2
    assert "libcountersign" in done.stderr
