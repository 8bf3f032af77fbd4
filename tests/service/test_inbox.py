# SPDX-License-Identifier: BSD-2-Clause
"""The inbox of a phone, the questions that ring, and where phones are rung."""
import contextlib
import os
import re
import signal
import sqlite3
import time

import pytest

from conftest import PAGE, assert_error
from service import (Service, b64u, device_id, random_b64u, sealed_copy,
                     wait_until)

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/abc-DEF_123"


def point():
    """A public key as a browser sends it: the curve's generator."""
    return b64u(bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"))


def keys():
    return {"p256dh": point(), "auth": random_b64u(16)}


def links(phone):
    return [found["linkId"] for found in phone.inbox()]


def tag(phone):
    return phone.ask_inbox().json["tag"]


def rows(service, sql, *values):
    with contextlib.closing(sqlite3.connect(service.database)) as db, db:
        return db.execute(sql, values).fetchall()


def waiting(phone):
    """A poll that waits for the inbox to be another than it is."""
    poll = phone.wait_inbox(tag(phone))
    assert not poll.done()
    return poll


def told(poll):
    """What the poll brings; it did not wait for its time to be over."""
    before = time.monotonic()
    reply = poll.result()
    assert reply.status == 200 and reply.at - before < 10
    return reply.json["questions"]


# --- what is in it -----------------------------------------------------------

def test_question_is_in_the_inbox(host, phone, device):
    before = time.time()
    copy = sealed_copy()
    question = host.ring("alice", sealed={device: copy}, lifetime=120)
    assert question.reply.status == 201
    assert question.reply.json["push"] == {"sent": 0, "devices": 1}
    reply = phone.ask_inbox()
    assert reply.status == 200
    assert set(reply.json) == {"tag", "questions"}
    assert re.fullmatch("[A-Za-z0-9_-]{22}", reply.json["tag"])
    found, = reply.json["questions"]
    created = time.mktime(time.strptime(
        found.pop("createdAt"), "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert int(before) <= created <= time.time()
    assert 115 <= found.pop("secondsLeft") <= 120
    assert found == {"linkId": question.link_id, "deviceId": device,
                     "sealed": copy, "state": "pending"}
    opened = phone.get(f"/links/{found['linkId']}")
    assert opened.json["content"] == question.content


def test_state_in_the_inbox(host, phone, device):
    question = host.ring("alice", device)
    tags = [tag(phone)]
    for step, state in ((phone.seen, "seen"), (phone.answer, "answered"),
                        (lambda q: host.outcome(q, "rejected", triesLeft=2),
                         "pending")):
        assert step(question).status in (202, 204)
        assert [found["state"] for found in phone.inbox()] == [state]
        tags.append(tag(phone))
    assert len(set(tags)) == 4


@pytest.fixture
def own():
    with Service() as service:
        host, device = service.add_host("web1"), device_id()
        yield service, host, host.enrol_device("alice", device), device


def test_nothing_is_changed_by_looking(own):
    """SVC-3: of whatever method that only looks; nobody else is there."""
    service, host, phone, device = own
    question = host.ring("alice", device)
    # The service takes note of what the command line did.
    wait_until(lambda: rows(service, "SELECT count(*) FROM commands") ==
               [(0,)], "the look")
    with contextlib.closing(sqlite3.connect(service.database)) as db:
        def seen():
            # What others change counts, as one connection sees it.
            return [db.execute(sql).fetchall() for sql in (
                "SELECT * FROM approvals", "PRAGMA data_version")]

        before = seen()
        first = phone.ask_inbox()
        for method in ("GET", "HEAD", "GET"):
            assert phone.request(method, "/inbox?wait=0").status == 200
            assert phone.request(method, "/devices/self").status == 200
        assert phone.request("HEAD", "/inbox").body == b""
        assert phone.ask_inbox().json["tag"] == first.json["tag"]
        assert seen() == before
    assert host.status(question).json["event"] == "created"


def test_head_does_not_wait(phone):
    before = time.monotonic()
    assert phone.request(
        "HEAD", f"/inbox?wait=30&after={tag(phone)}").status == 200
    assert time.monotonic() - before < 10


def test_newest_first_at_most_eight(host, phone, device):
    asked = [host.ring("alice", device).link_id for _ in range(10)]
    assert links(phone) == asked[:1:-1]


def test_two_devices_of_one_phone(service, host, phone, device):
    """Of two accounts at two hosts, and two of one account."""
    other, second, third = (service.add_host(f"o-{device_id()}"),
                            device_id(), device_id())
    other.enrol_device("bob", second, phone=phone)
    host.enrol_device("alice", third, phone=phone)
    mine = host.ring("alice", device, third)
    others = other.ring("bob", second)
    assert mine.reply.json["push"]["devices"] == 2
    assert [(found["linkId"], found["deviceId"])
            for found in phone.inbox()] == [
        (others.link_id, second),
        *sorted((mine.link_id, d) for d in (device, third))]


def test_two_phones_of_one_user(host, phone, device):
    second = device_id()
    tablet = host.enrol_device("alice", second)
    question = host.ring("alice", device, second)
    assert question.reply.json["push"]["devices"] == 2
    (one,), (two,) = phone.inbox(), tablet.inbox()
    assert one["linkId"] == two["linkId"] == question.link_id
    assert (one["deviceId"], two["deviceId"]) == (device, second)
    assert one["sealed"] != two["sealed"]
    polls = [waiting(phone), waiting(tablet)]
    phone.answer(question)
    assert [told(poll)[0]["state"] for poll in polls] == ["answered"] * 2
    polls = [waiting(phone), waiting(tablet)]
    assert host.outcome(question, "granted", deviceId=device).status == 204
    assert [told(poll) for poll in polls] == [[], []]


def test_only_those_that_have_a_copy(host, phone, device):
    tablet = host.enrol_device("alice", device_id())
    host.ring("alice", device)
    assert tablet.inbox() == [] and len(phone.inbox()) == 1


def test_copies_for_unknown_devices_are_left_out(service, host, phone, device):
    """Of nobody, of another user, of another space."""
    bobs, strangers = device_id(), device_id()
    bob = host.enrol_device("bob", bobs)
    stranger = service.add_host(
        f"other-{device_id()}").enrol_device("alice", strangers)
    question = host.ring("alice", device_id(), bobs, device, strangers)
    assert question.reply.json["push"] == {"sent": 0, "devices": 1}
    assert links(phone) == [question.link_id]
    assert bob.inbox() == stranger.inbox() == []
    assert host.ring("alice", bobs).reply.json["push"]["devices"] == 0


@pytest.mark.parametrize("user", ["nobody-knows", "carol"])
def test_push_to_a_user_without_devices(host, user):
    host.enroll("carol")
    question = host.ring(user, device_id())
    assert question.reply.status == 201
    assert question.reply.json["push"] == {"sent": 0, "devices": 0}
    assert host.status(question).json["status"] == "pending"


def test_without_push_nothing_is_in_the_inbox(host, phone, device):
    question = host.ask(username="alice", sealed={device: sealed_copy()})
    assert question.reply.status == 201
    assert "push" not in question.reply.json
    assert phone.inbox() == []


def test_hosts_of_one_space_reach_the_phone(service, host, phone, device):
    sibling = service.add_host(f"sibling-{device_id()}", "--space", host.name)
    question = sibling.ring("alice", device)
    assert links(phone) == [question.link_id]


@pytest.mark.parametrize("cookie", [
    None, "", "__Host-countersign=", "__Host-countersign=" + "A" * 43,
    "__Host-countersign=" + "A" * 42])
@pytest.mark.parametrize("method, path, body", [
    ("GET", "/inbox", None), ("GET", "/inbox?wait=30", None),
    ("POST", "/devices/self/push", {"endpoint": ENDPOINT}),
    ("DELETE", "/devices/self/push", None)])
def test_who_has_no_device(service, host, phone, device, cookie, method, path,
                           body):
    host.ring("alice", device)
    anybody = service.phone(**({} if cookie is None else {"Cookie": cookie}))
    assert_error(anybody.request(method, path, body), 403, "no_device")


def test_cookie_before_its_grant(service, host):
    """SVC-4: it is none until the host has said yes."""
    question, device = host.enroll("dora"), device_id()
    claimed = service.phone().device(question, device)
    eager = service.phone(
        Cookie=claimed.headers["Set-Cookie"].split(";")[0])
    rung = host.ring("dora", device)
    assert rung.reply.json["push"]["devices"] == 0
    assert_error(eager.ask_inbox(), 403, "no_device")
    assert_error(eager.subscribe(ENDPOINT), 403, "no_device")


@pytest.mark.parametrize("query", [
    "wait=31", "wait=-1", "wait=x", "wait=", "after=x",
    "after=" + "A" * 21, "after=" + "A" * 23, "after=" + "A" * 21 + "B",
    "after=%00", "after=" + "A" * 20 + "%3D%3D"])
def test_bad_queries(phone, query):
    reply = phone.get(f"/inbox?{query}")
    assert_error(reply, 422, "invalid_member")
    assert query.split("=")[0] in reply.json["message"]


def test_any_other_tag_is_news(host, phone):
    for after in ("", "A" * 22):
        before = time.monotonic()
        assert phone.ask_inbox(wait=30, after=after).json["questions"] == []
        assert time.monotonic() - before < 10


# --- news --------------------------------------------------------------------

def test_new_question_wakes_at_once(host, phone, device):
    poll = waiting(phone)
    question = host.ring("alice", device)
    assert [found["linkId"] for found in told(poll)] == [question.link_id]
    assert poll.result().at - question.reply.at < 2


def end_by(how, service, host, phone, question):
    if how == "cancelled":
        assert host.cancel(question).status == 204
    elif how == "removed by the host":
        assert host.remove_device(question.device).status == 204
    elif how == "removed by the phone":
        assert phone.ask_removal(question.device).status == 202
    elif how == "user":
        user = host.get("/api/v1/users?username=alice").json
        assert host.request(
            "DELETE", f"/api/v1/users/{user['userId']}").status == 204
    elif how == "command":
        assert service.command("user", "remove", "alice", "--host",
                               host.name).returncode == 0
    elif how == "revoked":
        assert service.command("host", "revoke", host.name).returncode == 0
    else:
        assert service.phone().answer(question).status == 202
        assert host.outcome(question, how).status == 204


@pytest.mark.parametrize("how", [
    "granted", "denied", "rejected", "cancelled", "removed by the host",
    "removed by the phone", "user", "command", "revoked"])
def test_ended_elsewhere(service, host, phone, device, how):
    """The phone, which keeps another device, hears of it at once."""
    other = service.add_host(f"o-{device_id()}")
    other.enrol_device("bob", device_id(), phone=phone)
    question = host.ring("alice", device)
    question.device = device
    # What the commands above changed has been looked at: it wakes nobody.
    wait_until(lambda: f'command="host add" name={other.name} ' in
               service.log.read_text(), "the look")
    poll = waiting(phone)
    end_by(how, service, host, phone, question)
    # An answer is news as well.
    while told(poll):
        poll = phone.wait_inbox(poll.result().json["tag"])
    assert phone.inbox() == []


@pytest.mark.parametrize("how", [
    "removed by the host", "user", "command"])
def test_phone_without_a_device_left(service, host, phone, device, how):
    question = host.ring("alice", device)
    question.device = device
    poll = waiting(phone)
    end_by(how, service, host, phone, question)
    reply = poll.result()
    if reply.status == 200:  # the question ended first
        assert reply.json["questions"] == []
        reply = phone.ask_inbox(30, reply.json["tag"])
    assert_error(reply, 403, "no_device")


def test_other_phones_sleep_on(host, phone, device):
    second = device_id()
    tablet = host.enrol_device("alice", second)
    polls = [waiting(phone), waiting(tablet)]
    host.ask(username="alice")
    question = host.ring("alice", second)
    assert [found["linkId"] for found in told(polls[1])] == [question.link_id]
    assert not polls[0].done()
    host.ring("alice", device)
    assert len(told(polls[0])) == 1


def test_expired_while_nobody_looked(service, host, phone, device):
    """It is out at its end, also when its record is not changed yet."""
    question = host.ring("alice", device, lifetime=30)
    rows(service, "UPDATE approvals SET ends = ends - 30000"
         " WHERE link_id = ?", question.link_id)
    assert phone.inbox() == []


def test_answered_in_time(service, host, phone, device):
    """The host may still say what became of it."""
    question = host.ring("alice", device, lifetime=30)
    phone.answer(question)
    rows(service, "UPDATE approvals SET ends = ends - 30000"
         " WHERE link_id = ?", question.link_id)
    found, = phone.inbox()
    assert (found["state"], found["secondsLeft"]) == ("answered", 0)


def test_wait_ends_without_news(host, phone, device):
    host.ring("alice", device)
    first = phone.ask_inbox().json
    before = time.monotonic()
    reply = phone.ask_inbox(wait=1, after=first["tag"])
    assert reply.json["tag"] == first["tag"]
    assert len(reply.json["questions"]) == 1
    assert reply.at - before >= 0.99


def test_ninth_poll_takes_the_place_of_the_first(host, phone, device):
    polls = [waiting(phone) for _ in range(9)]
    assert told(polls[0]) == []
    assert not any(poll.done() for poll in polls[1:])
    host.ring("alice", device)
    assert [len(told(poll)) for poll in polls[1:]] == [1] * 8


def descriptors(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def test_phone_that_leaves_is_forgotten(own):
    service, host, phone, device = own
    before = descriptors(service)
    for _ in range(3):
        calls = service.calls("/inbox")
        sock = service.raw()
        sock.sendall(f"GET /inbox?wait=30&after={tag(phone)} HTTP/1.1\r\n"
                     f"Host: x\r\nCookie: {phone.headers['Cookie']}\r\n\r\n"
                     .encode())
        wait_until(lambda: service.calls("/inbox") > calls + 1, "the poll")
        sock.close()
    wait_until(lambda: descriptors(service) <= before, "the end")
    host.ring("alice", device)
    assert len(phone.inbox()) == 1


@pytest.mark.parametrize("answered", [False, True])
def test_expiry_wakes(own, answered):
    service, host, phone, device = own
    question = host.ring("alice", device, lifetime=30)
    # Time cannot be hurried: 25 of its seconds have passed.
    rows(service, "UPDATE approvals SET ends = ends - 25000,"
         " due = due - 25000")
    service.restart()
    if answered:
        phone.answer(question)
    assert told(waiting(phone)) == []
    assert phone.events(question).json["state"] == "expired"


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
def test_restart_between(own, kill):
    """The tag and all that it stands for are in the database."""
    service, host, phone, device = own
    host.ring("alice", device)
    before = phone.ask_inbox().json
    service.restart(kill)
    after = phone.ask_inbox().json
    assert after["tag"] == before["tag"]
    for found in before["questions"] + after["questions"]:
        found.pop("secondsLeft")
    assert after == before
    poll = phone.wait_inbox(before["tag"])
    question = host.ring("alice", device)
    assert told(poll)[0]["linkId"] == question.link_id


def test_stop_lets_nobody_wait(own):
    service, host, phone, device = own
    host.ring("alice", device)
    poll = waiting(phone)
    before = time.monotonic()
    assert service.stop(signal.SIGTERM) == 0
    assert len(told(poll)) == 1
    assert time.monotonic() - before < 10


def test_rates_apply():
    """SVC-8: 30 a minute by default, of whatever kind."""
    with Service(rate_device=5) as service:
        host, device = service.add_host("web1"), device_id()
        phone = host.enrol_device("alice", device)
        replies = [call().status for call in (
            phone.ask_inbox, phone.own_devices, phone.unsubscribe) * 4]
        assert 429 in replies and replies[0] == 200
        reply = phone.ask_inbox()
        assert_error(reply, 429, "rate_limited")
        assert int(reply.headers["Retry-After"]) > 0
        # Nobody else's.
        assert host.enrol_device("bob", device_id()).inbox() == []


# --- what a host says --------------------------------------------------------

GOOD = sealed_copy()


@pytest.mark.parametrize("sealed", [
    None, "", [], 1, "x", {}, True,
    {device_id(): b64u(b"x" * 97)}, {device_id(): b64u(b"x" * 99)},
    {device_id(): ""}, {device_id(): None}, {device_id(): 7},
    {device_id(): [GOOD]}, {device_id(): {"a": GOOD}},
    {device_id(): GOOD + "="}, {device_id(): GOOD[:-1] + "+"},
    {device_id(): GOOD[:-1] + "B" if GOOD[-1] != "B" else GOOD[:-1] + "D"},
    {device_id(): " " + GOOD[1:]},
    {"": GOOD}, {"a" * 15: GOOD}, {"a" * 17: GOOD}, {"A" * 16: GOOD},
    {"1" * 16: GOOD}, {"a" * 15 + "=": GOOD}, {"a" * 15 + "é": GOOD},
    {device_id(): GOOD, "x": GOOD}, {device_id(): GOOD, device_id(): "x"},
    {device_id(): GOOD for _ in range(17)},
], ids=lambda value: str(type(value).__name__))
def test_bad_copies(service, host, sealed):
    before = rows(service, "SELECT count(*) FROM approvals")
    reply = host.ring("alice", sealed=sealed).reply
    assert_error(reply, 422, "invalid_member")
    assert reply.json["message"].startswith("sealed must be")
    assert rows(service, "SELECT count(*) FROM approvals") == before


def test_missing_copies_and_user(host, device):
    whole = {"channel": "push", "linkId": random_b64u(16), "lifetime": 90,
             "content": random_b64u(50), "username": "alice",
             "sealed": {device: GOOD}}
    for member in whole:
        body = {name: whole[name] for name in whole if name != member}
        reply = host.post("/api/v1/approval", body)
        assert_error(reply, 422, "invalid_member")
        assert reply.json["message"].startswith(member)
    assert host.post("/api/v1/approval", whole).status == 201


def test_one_device_twice(host, device):
    body = (b'{"channel":"push","username":"alice","linkId":"%s","content":'
            b'"%s","lifetime":90,"sealed":{"%s":"%s","%s":"%s"}}' % tuple(
                word.encode() for word in (
                    random_b64u(16), random_b64u(50), device, GOOD, device,
                    sealed_copy())))
    reply = host.request("POST", "/api/v1/approval", body,
                         {"Content-Type": "application/json"})
    assert_error(reply, 400, "bad_json")


def test_as_many_as_may_be(host):
    devices = [device_id() for _ in range(16)]
    phones = [host.enrol_device("many", device) for device in devices]
    question = host.ring("many", *devices, content=random_b64u(8192))
    assert question.reply.json["push"]["devices"] == 16
    assert all(links(phone) == [question.link_id] for phone in phones)


def test_copies_go_when_the_question_ends(service, host, phone, device):
    copy = sealed_copy()
    question = host.ring("alice", sealed={device: copy})
    stored = "SELECT count(*) FROM copies WHERE sealed = ?"
    assert rows(service, stored, copy) == [(1,)]
    host.cancel(question)
    assert rows(service, stored, copy) == [(0,)]
    # The bytes as well, once the log of the database is in its file.
    service.restart(kill=False)
    assert copy.encode() not in service.database.read_bytes()


@pytest.mark.parametrize("who", ["host", "phone", "user"])
def test_removed_device_has_no_copy(service, host, phone, device, who):
    if who == "phone":
        phone.ask_removal(device)
    else:
        end_by("user" if who == "user" else "removed by the host", service,
               host, phone, type("", (), {"device": device}))
    question = host.ring("alice", device)
    assert question.reply.json["push"]["devices"] == 0
    assert rows(service, "SELECT count(*) FROM copies WHERE device_id = ?",
                device) == [(0,)]


# --- where a phone is rung ---------------------------------------------------

def subscriptions(service, endpoint=ENDPOINT):
    return rows(service, "SELECT count(*) FROM subscriptions"
                " WHERE endpoint = ?", endpoint)[0][0]


def endpoint():
    """One of its own."""
    return ENDPOINT + random_b64u(12)


def test_phone_says_where_it_is_rung(service, phone):
    push = phone.own_devices().json["push"]
    assert set(push) == {"key", "subscribed"} and not push["subscribed"]
    assert re.fullmatch("[A-Za-z0-9_-]{87}", push["key"])
    first, second = endpoint(), endpoint()
    for where in (first, first, second):
        reply = phone.subscribe(where, **keys())
        assert (reply.status, reply.body) == (204, b"")
        assert phone.own_devices().json["push"]["subscribed"] is True
    assert (subscriptions(service, first),
            subscriptions(service, second)) == (0, 1)
    service.restart(kill=True)
    assert phone.own_devices().json["push"] == {
        "key": push["key"], "subscribed": True}
    for _ in range(2):
        assert phone.unsubscribe().status == 204
        assert phone.own_devices().json["push"]["subscribed"] is False
    assert subscriptions(service, second) == 0


@pytest.mark.parametrize("change", [
    {"endpoint": None}, {"endpoint": ""}, {"endpoint": 1}, {"endpoint": []},
    {"endpoint": "https://updates.push.services.mozilla.com/" + "x" * 1000},
    {"endpoint": ENDPOINT + "\n"}, {"endpoint": ENDPOINT + "\x7f"},
    {"p256dh": None}, {"p256dh": ""}, {"p256dh": 1},
    {"p256dh": point() + "A"}, {"p256dh": point()[:-1]},
    {"p256dh": b64u(b"\4" + bytes(64))[:-1] + "="},
    {"auth": None}, {"auth": ""}, {"auth": 1}, {"auth": random_b64u(15)},
    {"auth": random_b64u(17)}, {"auth": "A" * 21 + "B"}])
def test_bad_members_of_a_subscription(service, phone, change):
    before = rows(service, "SELECT count(*) FROM subscriptions")
    body = {"endpoint": endpoint(), **keys(), **change}
    reply = phone.post("/devices/self/push", body)
    assert_error(reply, 422, "invalid_member")
    assert list(change)[0] in reply.json["message"]
    assert rows(service, "SELECT count(*) FROM subscriptions") == before


@pytest.mark.parametrize("missing", ["endpoint", "p256dh", "auth"])
def test_missing_members_of_a_subscription(phone, missing):
    body = {"endpoint": endpoint(), **keys()}
    del body[missing]
    reply = phone.post("/devices/self/push", body)
    assert_error(reply, 422, "invalid_member")
    assert reply.json["message"] == f"{missing} must be there"


def test_endpoint_that_is_not_allowed(service, phone):
    """The phone reads why; the rules themselves are tested with push."""
    reply = phone.subscribe("https://evil.example.net/\"quoted\"", **keys())
    assert_error(reply, 422, "invalid_member")
    assert reply.json["status"] == 422 and reply.json["message"]
    assert not phone.own_devices().json["push"]["subscribed"]


def test_service_that_rings_nobody():
    with Service(push="no") as service:
        host, device = service.add_host("web1"), device_id()
        phone = host.enrol_device("alice", device)
        assert phone.own_devices().json["push"] == {
            "key": "", "subscribed": False}
        assert_error(phone.subscribe(endpoint(), **keys()), 422,
                     "invalid_member")
        # The inbox is there all the same.
        question = host.ring("alice", device)
        assert question.reply.json["push"] == {"sent": 0, "devices": 1}
        assert links(phone) == [question.link_id]
        assert host.outcome(question, "granted", deviceId=device).status == 409
        phone.answer(question)
        assert host.outcome(question, "granted", deviceId=device).status == 204
        assert not (service.folder / "push-key").exists()


@pytest.mark.parametrize("method, body", [
    ("POST", {"endpoint": ENDPOINT, **keys()}), ("DELETE", None)])
def test_other_origins(service, phone, method, body):
    path = "/devices/self/push"
    for origin in ("https://evil.example", "null", PAGE + ".evil.example"):
        reply = phone.request(method, path, body, {"Origin": origin})
        assert_error(reply, 403, "origin")
        assert reply.headers["Access-Control-Allow-Origin"] is None
        assert not phone.own_devices().json["push"]["subscribed"]
    reply = phone.request(method, path, body, {"Origin": PAGE})
    assert reply.status == 204
    assert reply.headers["Access-Control-Allow-Origin"] == PAGE
    assert reply.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("path, method", [
    ("/inbox", "GET"), ("/devices/self/push", "POST"),
    ("/devices/self/push", "DELETE")])
def test_preflight(service, path, method):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": method}
    reply = service.anybody().request("OPTIONS", path, headers=asked)
    assert reply.status == 204
    assert reply.headers["Access-Control-Allow-Origin"] == PAGE
    assert method in reply.headers["Access-Control-Allow-Methods"].split(", ")
    asked["Origin"] = "https://evil.example"
    reply = service.anybody().request("OPTIONS", path, headers=asked)
    assert_error(reply, 403, "origin")


def test_inbox_is_read_by_the_page_alone(phone):
    reply = phone.get("/inbox", headers={"Origin": PAGE})
    assert reply.headers["Access-Control-Allow-Origin"] == PAGE
    reply = phone.get("/inbox", headers={"Origin": "https://evil.example"})
    assert reply.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize("method, path, status", [
    ("POST", "/inbox", 405), ("DELETE", "/inbox", 405),
    ("GET", "/devices/self/push", 405), ("PATCH", "/devices/self/push", 405)])
def test_methods(phone, method, path, status):
    body = {} if method in ("POST", "PATCH") else None
    assert phone.request(method, path, body).status == status


def test_media_type(phone):
    reply = phone.request("POST", "/devices/self/push", b"endpoint=x", {
        "Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 415
    reply = phone.request("DELETE", "/devices/self/push", b"{}", {
        "Content-Type": "application/json"})
    assert reply.status == 400


@pytest.mark.parametrize("how", ["removed by the host", "user", "command"])
def test_last_device_takes_its_subscription_along(
        service, host, phone, device, how):
    other, where = service.add_host(f"o-{device_id()}"), endpoint()
    second = device_id()
    other.enrol_device("bob", second, phone=phone)
    phone.subscribe(where, **keys())
    end_by(how, service, host, phone, type("", (), {"device": device}))
    assert phone.own_devices().json["push"]["subscribed"] is True
    assert other.remove_device(second).status == 204
    assert subscriptions(service, where) == 0


def test_device_that_went_long_ago(service, host, phone, device):
    """A note that nobody fetched, and the phone with it."""
    where = endpoint()
    phone.subscribe(where, **keys())
    phone.ask_removal(device)
    assert subscriptions(service, where) == 1
    rows(service, "UPDATE removals SET asked = 0 WHERE device_id = ?", device)
    service.restart(kill=False)
    wait_until(lambda: subscriptions(service, where) == 0, "the end")


def test_admin_sees_which_phones_can_be_rung(service, host, phone, device):
    where, second = endpoint(), device_id()
    host.enrol_device("alice", second)
    phone.subscribe(where, **keys())
    words = ["user", "show", "alice", "--host", host.name]
    run = service.command(*words)
    lines = {line.split()[1]: "can be rung" in line
             for line in run.stdout.splitlines() if "device " in line}
    assert lines == {device: True, second: False}
    told = service.ask_command(*words)
    assert {found["authenticatorId"]: found.get("push")
            for found in told["authenticators"]} == {
        device: True, second: None}
    assert {name: found.get("push")
            for name, found in host.devices("alice").items()} == {
        device: True, second: None}
    assert where not in run.stdout + str(told) + str(host.devices("alice"))
    assert where not in service.log.read_text()


def test_backup_has_subscriptions_and_no_questions(own):
    service, host, phone, device = own
    phone.subscribe(ENDPOINT, **keys())
    host.ring("alice", device)
    rows(service, "INSERT INTO rings (cookie_hash, host, username, time)"
         " SELECT cookie_hash, 1, 'alice', 1 FROM authenticators")
    copy = service.folder / "copy"
    assert service.command("backup", copy).returncode == 0
    with contextlib.closing(sqlite3.connect(copy)) as db:
        assert {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("subscriptions", "copies", "approvals",
                              "rings")} == {
            "subscriptions": 1, "copies": 0, "approvals": 0, "rings": 0}
    assert service.stop() == 0
    assert service.command("restore", copy).returncode == 0
    service.start()
    assert phone.own_devices().json["push"]["subscribed"] is True
    assert phone.inbox() == []


# --- the service's own budget ------------------------------------------------

def ring_at(service, phone_of, host, user, *times):
    """As if it had been rung at these times, in milliseconds before now."""
    now = int(time.time() * 1000)
    for ago in times:
        rows(service, "INSERT INTO rings (cookie_hash, host, username, time)"
             " SELECT cookie_hash, h.id, ?3, ?4 FROM authenticators, hosts h"
             " WHERE device_id = ?1 AND h.name = ?2",
             phone_of, host.name, user, now - ago)


def rings(service, host):
    return rows(service, "SELECT count(*) FROM rings WHERE NOT forgiven"
                " AND host = (SELECT id FROM hosts WHERE name = ?)",
                host.name)[0][0]


@pytest.mark.parametrize("outcome, left", [
    ("granted", 0), ("denied", 3), ("rejected", 3), (None, 3)])
def test_success_forgives_the_rings_of_this_user_and_host(
        service, host, phone, device, outcome, left):
    other = service.add_host(f"sibling-{device_id()}", "--space", host.name)
    ring_at(service, device, host, "alice", 1, 2, 3)
    ring_at(service, device, host, "bob", 1)
    ring_at(service, device, other, "alice", 1)
    question = host.ring("alice", device)
    phone.answer(question)
    if outcome is not None:
        assert host.outcome(question, outcome).status == 204
    else:
        host.cancel(question)
    assert rings(service, host) == left + 1
    assert rings(service, other) == 1


def test_enrolment_forgives_nothing(service, host, phone, device):
    ring_at(service, device, host, "alice", 1)
    host.enrol_device("alice", device_id())
    assert rings(service, host) == 1


def test_rings_are_forgotten_after_a_day(own):
    service, host, phone, device = own
    ring_at(service, device, host, "alice", 86_300_000, 86_400_000, 0,
            -7_200_000)
    service.restart()
    wait_until(lambda: rings(service, host) == 3, "the end")
    # One of a clock that was put back does not count for longer than a day.
    newest, = rows(service, "SELECT max(time) FROM rings")[0]
    assert newest <= int(time.time() * 1000)


def test_revoked_host_takes_its_rings_along(service, host, phone, device):
    ring_at(service, device, host, "alice", 1)
    assert service.command("host", "revoke", host.name).returncode == 0
    assert rows(service, "SELECT count(*) FROM rings WHERE host NOT IN"
                " (SELECT id FROM hosts)") == [(0,)]
