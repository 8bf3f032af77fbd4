# SPDX-License-Identifier: BSD-2-Clause
"""Every call of countersignd, its errors, spaces and rights."""
import json
import re
import time

import pytest

from service import Service, b64u, device_id, random_b64u, wait_until

HEADERS = {
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
DEVICE = "4hx2k7q3m5rj6wza"
UNKNOWN_ID = "A" * 22


@pytest.fixture(scope="module", params=["plain", "tls", "unix"])
def service(request):
    with Service(tls=request.param == "tls", unix=request.param == "unix",
                 public_url="https://approve.example.org",
                 max_pending_user=1000, max_pending_host=1000) as found:
        yield found


@pytest.fixture(scope="module")
def host(service):
    return service.add_host("web1")


@pytest.fixture(scope="module")
def phone(service):
    return service.phone()


@pytest.fixture
def question(host):
    found = host.ask(username="alice")
    assert found.reply.status == 201, found.reply
    return found


def assert_error(reply, status, error):
    assert reply.status == status, reply
    assert reply.json["error"] == error
    assert reply.json["status"] == status
    assert reply.json["message"]


def assert_headers(reply):
    for name, value in HEADERS.items():
        assert reply.headers[name] == value, name
    policy = dict(part.strip().split(" ", 1) for part in
                  reply.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    for name in ("script-src", "style-src", "connect-src", "img-src",
                 "manifest-src", "worker-src"):
        assert policy[name] == "'self'"
    for name in ("base-uri", "form-action", "frame-ancestors"):
        assert policy[name] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"


# --- one approval -----------------------------------------------------------

def test_approval_from_question_to_grant(host, phone):
    question = host.ask(username="alice")
    assert question.reply.status == 201
    assert set(question.reply.json) == {"transactionId", "statusToken"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", question.token)
    opened = phone.open(question)
    assert opened.status == 200
    assert opened.json["content"] == question.content
    assert opened.json["state"] == "pending"
    assert opened.json["kind"] == "approval"
    assert 88 <= opened.json["secondsLeft"] <= 90
    left = time.mktime(time.strptime(opened.json["expiresAt"],
                                     "%Y-%m-%dT%H:%M:%SZ")) - \
        time.mktime(time.gmtime())
    assert 86 <= left <= 91
    assert host.status(question).json == {
        "transactionId": question.transaction_id, "status": "pending",
        "sequence": 1, "event": "created"}
    assert phone.seen(question).status == 204
    assert host.status(question).json["event"] == "seen"
    answer = random_b64u(100)
    reply = phone.answer(question, answer)
    assert (reply.status, reply.json) == (
        202, {"state": "answered", "sequence": 3})
    assert host.status(question).json == {
        "transactionId": question.transaction_id, "status": "pending",
        "sequence": 3, "event": "answered", "answer": answer}
    assert host.outcome(question, "granted", reason="").status == 204
    assert host.status(question).json == {
        "transactionId": question.transaction_id, "status": "succeeded",
        "sequence": 4, "event": "granted"}
    assert phone.events(question).json == {"state": "granted", "sequence": 4}


def test_opening_changes_nothing(host, phone, question):
    for _ in range(3):
        assert phone.open(question).status == 200
        assert phone.events(question).status == 200
    assert host.status(question).json["sequence"] == 1


def test_seen_twice_is_one_event(host, phone, question):
    assert phone.seen(question).status == 204
    assert phone.seen(question).status == 204
    assert host.status(question).json["sequence"] == 2


def test_answer_without_seen(host, phone, question):
    assert phone.answer(question).json["sequence"] == 2


def test_second_answer_while_one_is_looked_at(host, phone, question):
    first = random_b64u(100)
    assert phone.answer(question, first).status == 202
    assert_error(phone.answer(question), 409, "answered")
    assert host.status(question).json["answer"] == first


def test_rejected_with_tries_opens_it_again(host, phone, question):
    phone.answer(question)
    assert host.outcome(question, "rejected", reason="PROOF_CODE",
                        triesLeft=2).status == 204
    status = host.status(question).json
    assert (status["status"], status["event"]) == ("pending", "rejected")
    assert "answer" not in status
    assert phone.events(question).json == {
        "state": "pending", "sequence": 3, "reason": "PROOF_CODE",
        "triesLeft": 2}
    second = random_b64u(90)
    assert phone.answer(question, second).status == 202
    assert host.status(question).json["answer"] == second
    assert host.outcome(question, "granted").status == 204
    assert host.status(question).json["status"] == "succeeded"
    assert "triesLeft" not in phone.events(question).json


@pytest.mark.parametrize("outcome, members, event", [
    ("denied", {"reason": "DENIED"}, "denied"),
    ("rejected", {"reason": "PROOF_ORIGIN", "triesLeft": 0}, "rejected"),
    ("rejected", {}, "rejected")])
def test_outcomes_that_close_it(host, phone, question, outcome, members,
                                event):
    phone.answer(question)
    assert host.outcome(question, outcome, **members).status == 204
    status = host.status(question).json
    assert (status["status"], status["event"]) == ("failed", event)
    told = phone.events(question).json
    assert told["state"] == "denied"
    assert told.get("reason") == members.get("reason")


def test_outcome_said_twice(host, phone, question):
    phone.answer(question)
    assert host.outcome(question, "granted").status == 204
    assert host.outcome(question, "granted").status == 204
    assert_error(host.outcome(question, "denied"), 409, "closed")
    assert host.status(question).json["sequence"] == 3


def test_outcome_for_an_older_answer_changes_nothing(host, phone, question):
    """A retry that nobody heard the reply to costs no second try."""
    assert phone.answer(question).json["sequence"] == 2
    rejected = {"reason": "PROOF_CODE", "triesLeft": 2, "sequence": 2}
    assert host.outcome(question, "rejected", **rejected).status == 204
    assert host.outcome(question, "rejected", **rejected).status == 204
    second = random_b64u(99)
    assert phone.answer(question, second).json["sequence"] == 4
    for outcome in ("rejected", "denied", "granted"):
        assert host.outcome(question, outcome, **rejected).status == 204
        status = host.status(question).json
        assert (status["sequence"], status["answer"]) == (4, second)
    assert host.outcome(question, "granted", sequence=4).status == 204
    assert host.outcome(question, "granted", sequence=4).status == 204
    assert host.status(question).json["status"] == "succeeded"
    assert_error(host.outcome(question, "denied", sequence=2), 409, "closed")


def test_outcome_for_an_answer_that_never_came(host, phone, question):
    phone.answer(question)
    assert_error(host.outcome(question, "granted", sequence=3), 409, "closed")
    assert host.status(question).json["event"] == "answered"


def test_outcome_needs_an_answer(host, phone, question):
    assert_error(host.outcome(question, "granted"), 409, "closed")
    phone.seen(question)
    assert_error(host.outcome(question, "granted"), 409, "closed")
    assert host.status(question).json["status"] == "pending"


def test_cancel(host, phone, question):
    assert host.cancel(question).status == 204
    assert host.cancel(question).status == 204
    status = host.status(question).json
    assert (status["status"], status["event"]) == ("failed", "cancelled")
    assert_error(phone.open(question), 410, "closed")
    assert_error(phone.seen(question), 409, "closed")
    assert_error(phone.answer(question), 409, "closed")
    assert phone.events(question).json["state"] == "cancelled"
    assert_error(host.outcome(question, "granted"), 409, "closed")


def test_closed_ones_keep_no_sealed_bytes(service, host, phone, question):
    phone.answer(question)
    host.outcome(question, "granted")
    import sqlite3
    with sqlite3.connect(service.database) as db:
        n = db.execute(
            "SELECT count(*) FROM sealed JOIN approvals ON id = approval"
            " WHERE transaction_id = ?",
            (question.transaction_id,)).fetchone()[0]
    assert n == 0


def test_link_id_in_use(host, question):
    again = host.ask(username="bob", linkId=question.link_id)
    assert_error(again.reply, 409, "link_in_use")


def test_question_for_nobody(host, phone):
    question = host.ask()
    assert question.reply.status == 201
    assert phone.open(question).status == 200


def test_unknown_members_are_ignored(host):
    question = host.ask(username="alice", sealed={"a": "b"}, later=[1, 2])
    assert question.reply.status == 201


# --- status -----------------------------------------------------------------

def test_status_of_an_unknown_token(host, service):
    for client in (host, service.anybody()):
        reply = client.post("/api/v1/status", {"statusToken": "x" * 43})
        assert (reply.status, reply.json) == (200, {"status": "unknown"})


def test_status_token_is_enough(service, question):
    reply = service.anybody().post("/api/v1/status",
                                   {"statusToken": question.token})
    assert reply.json["transactionId"] == question.transaction_id


def test_status_with_a_wrong_key(service, question):
    for value in ("Bearer " + "A" * 43, "Bearer x", "Basic YTpi", "x"):
        reply = service.anybody().post(
            "/api/v1/status", {"statusToken": question.token},
            headers={"Authorization": value})
        assert_error(reply, 401, "unauthorized")


def test_status_token_is_nowhere_in_the_database(service, question):
    for path in service.database.parent.iterdir():
        data = path.read_bytes()
        assert question.token.encode() not in data, path


def test_status_returns_at_once_when_there_is_news(host, question):
    for members in ({}, {"wait": 0, "after": 9}, {"wait": 30},
                    {"wait": 30, "after": 0}):
        reply = host.status(question, **members)
        assert reply.json["sequence"] == 1


@pytest.mark.parametrize("members", [
    {"wait": 31}, {"wait": -1}, {"wait": "1"}, {"wait": True}, {"wait": None},
    {"after": -1}, {"after": 2 ** 32}, {"after": []}])
def test_status_with_bad_numbers(host, question, members):
    assert_error(host.status(question, **members), 422, "invalid_member")


# --- enrolment --------------------------------------------------------------

def test_enrolment(host, phone):
    question = host.enroll("carol")
    assert question.reply.status == 201
    words = question.reply.json
    assert words["username"] == "carol"
    assert words["status"] == "new"
    assert set(words) == {"userId", "username", "status", "enrollment"}
    assert phone.open(question).json["kind"] == "enrolment"
    device = device_id()
    phone.answer(question, hint="enroll")
    claimed = phone.device(question, device, "Carol's Pixel")
    assert claimed.status == 201
    cookie = claimed.headers["Set-Cookie"].split("; ")
    assert re.fullmatch(r"__Host-countersign=[A-Za-z0-9_-]{43}", cookie[0])
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie)
    assert not [word for word in cookie if word.startswith("Domain")]
    user = host.get("/api/v1/users?username=carol").json
    assert (user["status"], user["authenticators"]) == ("new", [])
    assert host.outcome(question, "granted").status == 204
    user = host.get(f"/api/v1/users/{words['userId']}").json
    assert user["userId"] == words["userId"]
    assert user["status"] == "active"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", user["createdAt"])
    assert [(a["authenticatorId"], a["name"])
            for a in user["authenticators"]] == [(device, "Carol's Pixel")]
    assert host.enroll("carol").reply.json["status"] == "active"


def test_device_takes_effect_only_when_granted(host, phone):
    for outcome in ("denied", "rejected", None):
        question = host.enroll("dave")
        phone.answer(question)
        assert phone.device(question, device_id()).status == 201
        if outcome:
            host.outcome(question, outcome)
        else:
            host.cancel(question)
        assert phone.device(question, device_id()).status == 410
        user = host.get("/api/v1/users?username=dave").json
        assert user["authenticators"] == []


def test_device_named_a_moment_after_the_grant(host, phone):
    question = host.enroll("erin")
    phone.answer(question)
    host.outcome(question, "granted")
    device = device_id()
    assert phone.device(question, device).status == 201
    user = host.get("/api/v1/users?username=erin").json
    assert user["authenticators"][0]["authenticatorId"] == device


def test_strangers_device_after_the_answer(host, phone):
    question = host.enroll("frank")
    device = device_id()
    assert phone.device(question, device).status == 201
    phone.answer(question)
    assert_error(phone.device(question, device_id()), 409, "device_claimed")
    host.outcome(question, "granted")
    assert_error(phone.device(question, device_id()), 409, "device_claimed")
    user = host.get("/api/v1/users?username=frank").json
    assert [a["authenticatorId"] for a in user["authenticators"]] == [device]


@pytest.mark.parametrize("granted", [None, {}, {"deviceId"}])
def test_cookie_of_a_device_after_the_answer(service, host, phone, granted):
    """Who knows link and id gets no cookie in place of the phone's."""
    question, device = host.enroll("grace"), device_id()
    # Until the answer it may come again: its reply may have been lost.
    assert service.phone().device(question, device).status == 201
    claimed = phone.device(question, device)
    assert claimed.status == 201
    phone.headers["Cookie"] = claimed.headers["Set-Cookie"].split(";")[0]
    phone.answer(question)
    if granted is not None:
        host.outcome(question, "granted",
                     **{name: device for name in granted})
    strangers = [service.phone(), service.phone(
        Cookie="__Host-countersign=" + random_b64u(32))]
    other = host.enrol_device("mallory", device_id())
    for stranger in [*strangers, other]:
        assert_error(stranger.device(question, device), 409, "device_claimed")
    again = phone.device(question, device, "renamed")
    assert again.status == 201
    assert again.headers["Set-Cookie"].split(";")[0] == \
        phone.headers["Cookie"]
    if granted is None:
        host.outcome(question, "granted", deviceId=device)
    assert phone.own_devices().json["devices"][0]["name"] == "renamed"
    assert {found["deviceId"] for found in other.own_devices().json["devices"]
            }.isdisjoint({device})


@pytest.mark.parametrize("order", ["before", "after", "late"])
def test_racer_who_claims_the_enrolment(service, host, phone, order):
    """The QR was photographed: another phone names itself at the link."""
    question, device, racer = host.enroll("ivan"), device_id(), device_id()
    stranger = service.phone()
    if order == "before":
        assert stranger.device(question, racer).status == 201
    if order != "late":
        claimed = phone.device(question, device)
        assert claimed.status == 201
    if order == "after":
        assert stranger.device(question, racer).status == 201
    phone.answer(question)
    if order == "late":
        assert stranger.device(question, racer).status == 201
    assert host.outcome(question, "granted", deviceId=device).status == 204
    if order == "late":
        claimed = phone.device(question, device)
        assert claimed.status == 201
    assert_error(stranger.device(question, racer), 409, "device_claimed")
    assert set(host.devices("ivan")) == {device}
    host.remove_device(device)


def test_claim_of_another_device_than_the_hosts(host, phone):
    question, device = host.enroll("judy"), device_id()
    assert phone.device(question, device_id()).status == 201
    phone.answer(question)
    assert host.outcome(question, "granted", deviceId=device).status == 204
    assert host.devices("judy") == {}


def test_phones_at_one_enrolment_are_limited(host, phone):
    question, devices = host.enroll("kim"), [device_id() for _ in range(5)]
    for device in devices[:4]:
        assert phone.device(question, device).status == 201
    assert_error(phone.device(question, devices[4]), 409, "device_claimed")
    assert phone.device(question, devices[0]).status == 201
    phone.answer(question)
    host.outcome(question, "granted", deviceId=devices[4])
    # It was kept out by the others, and is let in by the host.
    assert phone.device(question, devices[4]).status == 201
    assert set(host.devices("kim")) == {devices[4]}


def test_device_id_at_an_approval_means_nothing(host, phone, question):
    phone.answer(question)
    assert host.outcome(question, "granted", deviceId=DEVICE).status == 204
    assert host.status(question).json["status"] == "succeeded"


def test_device_of_another_user(host, phone):
    question = host.enroll("grace")
    device = device_id()
    phone.answer(question)
    phone.device(question, device)
    host.outcome(question, "granted")
    other = host.enroll("heidi")
    phone.answer(other)
    assert_error(phone.device(other, device), 409, "device_claimed")


def test_device_at_an_approval(phone, question):
    assert phone.device(question, device_id()).status == 410


@pytest.mark.parametrize("device, name", [
    ("4HX2K7Q3M5RJ6WZA", "x"), ("4hx2k7q3m5rj6wz", "x"),
    ("4hx2-k7q3-m5rj-6", "x"), ("4hx2k7q3m5rj6wz1", "x"), (7, "x"),
    (DEVICE, ""), (DEVICE, "x" * 65), (DEVICE, "a\nb"), (DEVICE, None)])
def test_bad_devices(host, phone, device, name):
    question = host.enroll("ivan")
    assert_error(phone.device(question, device, name), 422, "invalid_member")


# --- users and authenticators -----------------------------------------------

def enrolled(host, phone, username, name="a phone"):
    question = host.enroll(username)
    device = device_id()
    phone.answer(question)
    phone.device(question, device, name)
    host.outcome(question, "granted")
    return question.reply.json["userId"], device


def test_usernames_are_any_text(host):
    for username, query in (("zoë", "zo%C3%AB"), ("a b&c=d", "a%20b%26c%3Dd"),
                            ("x" * 256, "x" * 256), ("100%", "100%25")):
        assert host.enroll(username).reply.status == 201
        reply = host.get(f"/api/v1/users?x=1&username={query}")
        assert reply.json["username"] == username


@pytest.mark.parametrize("query", [
    "", "?", "?username=", "?username", "?user=alice", "?username=%",
    "?username=%4", "?username=%GG", "?username=%00", "?username=a%0A",
    "?username=%FF", "?username=" + "x" * 257])
def test_bad_user_queries(host, query):
    assert_error(host.get("/api/v1/users" + query), 422, "invalid_member")


def test_unknown_users(host):
    assert_error(host.get("/api/v1/users?username=nobody"), 404, "not_found")
    assert_error(host.get(f"/api/v1/users/{UNKNOWN_ID}"), 404, "not_found")
    reply = host.request("DELETE", f"/api/v1/users/{UNKNOWN_ID}")
    assert_error(reply, 404, "not_found")


def test_authenticator_renamed_and_removed(host, phone):
    user_id, device = enrolled(host, phone, "judy")
    path = f"/api/v1/authenticators/{device}"
    assert host.request("PATCH", path, {"name": "new \"name\""}).status == 204
    user = host.get(f"/api/v1/users/{user_id}").json
    assert user["authenticators"][0]["name"] == 'new "name"'
    for bad in ({}, {"name": ""}, {"name": "x" * 65}, {"name": 1}):
        assert_error(host.request("PATCH", path, bad), 422, "invalid_member")
    assert host.request("DELETE", path).status == 204
    assert host.request("DELETE", path).status == 404
    assert host.request("PATCH", path, {"name": "x"}).status == 404
    assert host.get(f"/api/v1/users/{user_id}").json["status"] == "new"


def test_removing_a_user_takes_everything(host, phone):
    user_id, _ = enrolled(host, phone, "kim")
    question, other = host.ask(username="kim"), host.ask(username="kimberly")
    poll = host.poll(question, after=1)
    assert host.request("DELETE", f"/api/v1/users/{user_id}").status == 204
    assert poll.result().json["event"] == "cancelled"
    assert host.status(other).json["status"] == "pending"
    assert host.get("/api/v1/users?username=kim").status == 404
    host.cancel(other)
    assert host.enroll("kim").reply.json["userId"] != user_id


# --- spaces -----------------------------------------------------------------

@pytest.fixture(scope="module")
def stranger(service):
    return service.add_host("elsewhere")


@pytest.fixture(scope="module")
def neighbour(service, host):
    return service.add_host("web2", "--space", "web1", "--rights",
                            "approve,enrol,manage")


def test_nothing_is_seen_across_spaces(host, stranger, phone):
    question = host.ask(username="alice")
    phone.answer(question)
    user_id, device = enrolled(host, phone, "lena")
    assert stranger.status(question).json == {"status": "unknown"}
    assert_error(stranger.outcome(question, "granted"), 404, "not_found")
    assert_error(stranger.cancel(question), 404, "not_found")
    for method, path, body in (
            ("GET", "/api/v1/users?username=lena", None),
            ("GET", f"/api/v1/users/{user_id}", None),
            ("DELETE", f"/api/v1/users/{user_id}", None),
            ("PATCH", f"/api/v1/authenticators/{device}", {"name": "x"}),
            ("DELETE", f"/api/v1/authenticators/{device}", None)):
        assert_error(stranger.request(method, path, body), 404, "not_found")
    assert host.status(question).json["status"] == "pending"
    assert host.get(f"/api/v1/users/{user_id}").json["authenticators"]


def test_another_space_answers_as_if_there_was_nothing(host, stranger):
    user_id = host.enroll("mallory").reply.json["userId"]
    theirs = stranger.get(f"/api/v1/users/{user_id}")
    nobodys = stranger.get(f"/api/v1/users/{UNKNOWN_ID}")
    assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body)


def test_hosts_of_one_space_share_users(host, neighbour, phone):
    user_id, _ = enrolled(host, phone, "nina")
    assert neighbour.get(f"/api/v1/users/{user_id}").status == 200
    question = host.ask(username="nina")
    assert neighbour.status(question).json["status"] == "pending"


def test_same_name_in_two_spaces(host, stranger):
    ours = host.enroll("oscar").reply.json["userId"]
    theirs = stranger.enroll("oscar").reply.json["userId"]
    assert ours != theirs


# --- keys and rights ---------------------------------------------------------

HOST_CALLS = [
    ("GET", "/ping", None, None),
    ("POST", "/api/v1/approval", {}, "approve"),
    ("POST", "/api/v1/users/enroll", {}, "enrol"),
    ("POST", f"/api/v1/approval/{UNKNOWN_ID}/outcome",
     {"outcome": "granted"}, None),
    ("DELETE", f"/api/v1/approval/{UNKNOWN_ID}", None, None),
    ("GET", "/api/v1/users?username=x", None, None),
    ("GET", f"/api/v1/users/{UNKNOWN_ID}", None, None),
    ("DELETE", f"/api/v1/users/{UNKNOWN_ID}", None, "manage"),
    ("PATCH", f"/api/v1/authenticators/{DEVICE}", {"name": "x"}, "manage"),
    ("DELETE", f"/api/v1/authenticators/{DEVICE}", None, "manage"),
]


@pytest.mark.parametrize("method, path, body, right", HOST_CALLS)
def test_without_a_key(service, host, method, path, body, right):
    for value in (None, "", "Bearer", "Bearer ", "Bearer " + "A" * 43,
                  "Bearer " + host.key[:-1], "Bearer " + host.key + "A",
                  "Basic " + host.key, host.key):
        headers = {} if value is None else {"Authorization": value}
        reply = service.anybody().request(method, path, body, headers)
        assert_error(reply, 401, "unauthorized")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.fixture(scope="module")
def limited(service):
    return {right: service.add_host(f"only-{right}", "--rights", right)
            for right in ("approve", "enrol", "manage")}


@pytest.mark.parametrize("method, path, body, right", HOST_CALLS)
def test_rights(limited, method, path, body, right):
    for has, host in limited.items():
        reply = host.request(method, path, body)
        if right in (None, has):
            assert reply.status in (200, 204, 404, 422), reply
        else:
            assert_error(reply, 403, "forbidden")


def test_outcome_needs_the_right_for_the_kind(service, limited, phone):
    both = service.add_host("both", "--space", "only-approve")
    only = limited["approve"]
    enrolment = both.enroll("paul")
    phone.answer(enrolment)
    assert_error(only.outcome(enrolment, "granted"), 403, "forbidden")
    assert_error(only.cancel(enrolment), 403, "forbidden")
    assert both.outcome(enrolment, "granted").status == 204


def test_ping(host):
    reply = host.get("/ping")
    assert (reply.status, reply.body) == (200, b"PONG")
    assert reply.headers["Content-Type"] == "text/plain"


def test_revoked_host_is_out_at_once(service):
    host = service.add_host("leaving")
    question = host.ask(username="alice")
    assert host.get("/ping").status == 200
    run = service.run("host", "revoke", "leaving", "--config", service.conf)
    assert run.returncode == 0
    assert_error(host.get("/ping"), 401, "unauthorized")
    assert service.phone().open(question).status == 404


# --- what bodies must be ------------------------------------------------------

@pytest.mark.parametrize("member, values", [
    ("channel", [None, "pull", "", 1, "APP", "Push"]),
    ("username", [None, "", 7, "x" * 257, "a\nb", {}]),
    ("linkId", [None, "", "x", "A" * 21, "A" * 23, "A" * 21 + "B",
                "=" * 22, "A" * 21 + "+", 5, b64u(b"x" * 17)]),
    ("content", [None, "", "!", b64u(b"x" * 28), b64u(b"x" * 8193), 5,
                 "A" * 41, "A" * 38 + "=="]),
    ("lifetime", [None, 29, 301, 0, -1, "90", True, 2 ** 53 - 1]),
    ("notificationMessage", [None, "x" * 257, "a\tb", 1]),
])
def test_bad_members_of_a_question(host, member, values):
    for value in values:
        reply = host.ask(**{member: value}).reply
        assert_error(reply, 422, "invalid_member")
        assert member in reply.json["message"]


def test_missing_members_of_a_question(host):
    whole = {"channel": "app", "linkId": random_b64u(16), "lifetime": 90,
             "content": random_b64u(50)}
    for member in whole:
        part = {name: whole[name] for name in whole if name != member}
        reply = host.post("/api/v1/approval", part)
        assert_error(reply, 422, "invalid_member")
        assert member in reply.json["message"]
    assert host.post("/api/v1/approval", whole).status == 201


@pytest.mark.parametrize("members", [
    {"username": None}, {"username": ""}, {"lifetime": 59},
    {"lifetime": 601}, {"linkId": "x"}, {"content": "x"}])
def test_bad_members_of_an_enrolment(host, members):
    assert_error(host.enroll(**members).reply, 422, "invalid_member")


def test_largest_question(host, phone):
    question = host.ask(content=b64u(b"\xff" * 8192), username="é" * 128)
    assert question.reply.status == 201
    assert len(phone.open(question).json["content"]) == 10923
    question = host.ask(content=b64u(b"\xff" * 29))
    assert question.reply.status == 201


@pytest.mark.parametrize("body", [
    {"outcome": "maybe"}, {"outcome": None}, {}, {"outcome": "seen"},
    {"outcome": "granted", "reason": "x" * 65},
    {"outcome": "granted", "reason": 1},
    {"outcome": "granted", "triesLeft": 9},
    {"outcome": "granted", "triesLeft": -1},
    {"outcome": "granted", "sequence": 0},
    {"outcome": "granted", "sequence": -1},
    {"outcome": "granted", "sequence": "2"},
    {"outcome": "granted", "sequence": 2 ** 32},
    {"outcome": "granted", "deviceId": ""},
    {"outcome": "granted", "deviceId": "x"},
    {"outcome": "granted", "deviceId": None},
    {"outcome": "granted", "deviceId": 1},
    {"outcome": "granted", "deviceId": DEVICE.upper()},
    {"outcome": "granted", "deviceId": DEVICE + "a"}])
def test_bad_outcomes(host, phone, question, body):
    phone.answer(question)
    reply = host.post(f"/api/v1/approval/{question.transaction_id}/outcome",
                      body)
    assert_error(reply, 422, "invalid_member")
    assert host.status(question).json["event"] == "answered"


@pytest.mark.parametrize("answer, hint", [
    ("", "approve"), ("x", "approve"), (b64u(b"x" * 28), "approve"),
    (b64u(b"x" * 8193), "approve"), (7, "approve"), (None, "approve"),
    (b64u(b"x" * 99), ""), (b64u(b"x" * 99), "Approve"),
    (b64u(b"x" * 99), "-x"), (b64u(b"x" * 99), "x" * 33),
    (b64u(b"x" * 99), 1)])
def test_bad_answers(host, phone, question, answer, hint):
    reply = phone.post(f"/links/{question.link_id}/answer",
                       {"answer": answer, "hint": hint})
    assert_error(reply, 422, "invalid_member")
    assert host.status(question).json["event"] == "created"


def test_largest_answer(host, phone, question):
    answer = b64u(b"\xee" * 8192)
    assert phone.answer(question, answer, hint="not-me").status == 202
    assert host.status(question).json["answer"] == answer


BAD_JSON = [
    b"", b" ", b"x", b"null", b"[]", b'"a"', b"1", b"{", b"}", b"{}{}",
    b"{} x", b"{'a':1}", b'{"a":1,}', b'{"a":1,"a":2}', b'{"a":\x01}',
    b'{"a":"\x01"}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":01}',
    b'{"a":1.5}',
    b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b'{"a":tru}',
    b'{"a":1}\0', b"\xef\xbb\xbf{}", b"/* */ {}",
    b'{"a":' * 5 + b"1" + b"}" * 5, b"[" * 1000,
    b'{"a":9007199254740993}',
    json.dumps({f"m{i}": i for i in range(65)}).encode(),
]


@pytest.mark.parametrize("body", BAD_JSON)
def test_bad_json(host, body):
    reply = host.post("/api/v1/approval", body,
                      headers={"Content-Type": "application/json"})
    assert_error(reply, 400, "bad_json")


@pytest.mark.parametrize("kind, good", [
    ("application/json", True), ("application/json; charset=utf-8", True),
    ("Application/JSON", True), ("application/json;charset=utf-8", True),
    ("text/plain", False), ("application/jsonp", False), ("", False),
    ("application/x-www-form-urlencoded", False), (None, False),
    ("multipart/form-data", False), ("text/json", False)])
def test_media_types(service, host, question, kind, good):
    for client, path, body in (
            (host, "/api/v1/status", {"statusToken": question.token}),
            (service.phone(), f"/links/{question.link_id}/seen", {})):
        headers = {} if kind is None else {"Content-Type": kind}
        reply = client.request("POST", path, json.dumps(body), headers)
        if good:
            assert reply.status in (200, 204), reply
        else:
            assert_error(reply, 415, "unsupported_media_type")


# --- methods, origins, headers ------------------------------------------------

@pytest.mark.parametrize("path, allowed", [
    ("/", "GET, HEAD"), ("/healthz", "GET, HEAD"), ("/ping", "GET, HEAD"),
    ("/api/v1/approval", "POST"), ("/api/v1/status", "POST"),
    (f"/api/v1/approval/{UNKNOWN_ID}", "DELETE"),
    (f"/api/v1/approval/{UNKNOWN_ID}/outcome", "POST"),
    ("/api/v1/users", "GET, HEAD"),
    ("/api/v1/users/enroll", "GET, HEAD, POST, DELETE"),
    (f"/api/v1/users/{UNKNOWN_ID}", "GET, HEAD, DELETE"),
    (f"/api/v1/authenticators/{DEVICE}", "PATCH, DELETE"),
    (f"/links/{UNKNOWN_ID}", "GET, HEAD"),
    (f"/links/{UNKNOWN_ID}/seen", "POST"),
    (f"/links/{UNKNOWN_ID}/answer", "POST"),
    (f"/links/{UNKNOWN_ID}/events", "GET, HEAD"),
    (f"/links/{UNKNOWN_ID}/device", "POST"),
    ("/devices/self", "GET, HEAD"), ("/devices/self/removal", "POST")])
def test_other_methods(service, path, allowed):
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS",
                   "TRACE", "PROPFIND"):
        if method in allowed or (method == "OPTIONS" and
                                 path.startswith(("/links/", "/devices/"))):
            continue
        reply = service.anybody().request(method, path)
        assert_error(reply, 405, "method_not_allowed")
        assert reply.headers["Allow"] == allowed


@pytest.mark.parametrize("path", [
    "/x", "//", "/ping/", "/Ping", "/api", "/api/v1/", "/api/v1/approval/",
    "/api/v1/approval/a/b", "/links", "/links/", "/links/a/b/c",
    "/links/" + "A" * 65, "/%70ing", "/api/v2/status", "/..", "/index.html"])
def test_unknown_paths(service, path):
    for method in ("GET", "POST"):
        reply = service.anybody().request(method, path)
        assert reply.status in (404, 405), reply
        assert_headers(reply)


@pytest.mark.parametrize("link", [
    UNKNOWN_ID, "A" * 21, "A" * 21 + "B", "A" * 23, "%41" * 7, "A" * 21 + "+"])
def test_unknown_links(service, phone, link):
    for rest in ("", "/events"):
        assert_error(phone.get(f"/links/{link}{rest}"), 404, "not_found")
    for rest, body in (("/seen", {}), ("/answer", {
            "answer": random_b64u(50)}), ("/device", {
                "deviceId": DEVICE, "name": "x"})):
        reply = phone.post(f"/links/{link}{rest}", body)
        assert_error(reply, 404, "not_found")


@pytest.mark.parametrize("origin, good", [
    ("https://approve.example.org", True), (None, True),
    ("https://evil.example", False), ("null", False),
    ("http://approve.example.org", False),
    ("https://approve.example.org.evil.example", False),
    ("https://approve.example.org:444", False), ("", False)])
def test_origins(service, host, question, origin, good):
    headers = {} if origin is None else {"Origin": origin}
    phone = service.phone()
    reply = phone.post(f"/links/{question.link_id}/seen", {}, headers=headers)
    if good:
        assert reply.status == 204
    else:
        assert_error(reply, 403, "origin")
        assert host.status(question).json["sequence"] == 1
    reply = phone.get(f"/links/{question.link_id}", headers=headers)
    assert reply.status == 200


def test_preflight_of_the_page(service, question):
    for origin, good in (("https://approve.example.org", True),
                         ("https://evil.example", False)):
        reply = service.anybody().request(
            "OPTIONS", f"/links/{question.link_id}/answer",
            headers={"Origin": origin})
        allowed = reply.headers["Access-Control-Allow-Origin"]
        assert (reply.status, allowed) == (
            (204, origin) if good else (403, None))
        reply = service.phone().get(f"/links/{question.link_id}",
                                    headers={"Origin": origin})
        assert reply.headers["Access-Control-Allow-Origin"] == allowed
        # With the cookie of this service, for the page alone.
        assert reply.headers["Access-Control-Allow-Credentials"] == (
            "true" if good else None)


@pytest.mark.parametrize("path", ["/api/v1/status", "/ping"])
def test_no_page_may_call_the_host_api(host, path):
    headers = {"Origin": "https://approve.example.org"}
    reply = host.request("OPTIONS", path, headers=headers)
    assert_error(reply, 405, "method_not_allowed")
    reply = host.get(path, headers=headers)
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_headers_on_every_reply(service, host, phone, question):
    for reply in (host.get("/ping"), service.anybody().get("/healthz"), phone.open(question),
                  phone.seen(question), phone.events(question),
                  phone.answer(question), host.status(question),
                  host.outcome(question, "granted"), host.get("/nothing"),
                  host.get("/api/v1/status"), host.post("/ping", {}),
                  service.anybody().get("/ping"),
                  host.request("POST", "/api/v1/approval", "x")):
        assert_headers(reply)
        assert "Server" not in reply.headers
        assert reply.headers["Date"].endswith(" GMT")


def test_head(service, host, phone, question):
    for client, path in ((host, "/ping"), (service.anybody(), "/"),
                         (phone, f"/links/{question.link_id}"),
                         (phone, f"/links/{question.link_id}/events?wait=9"
                          "&after=1")):
        full = client.get(path.replace("wait=9", "wait=0"))
        head = client.request("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert int(head.headers["Content-Length"]) == len(full.body)


def test_healthz(service):
    reply = service.anybody().get("/healthz")
    assert (reply.status, reply.json) == (200, {"status": "ok"})


def test_several_requests_on_one_connection(service, host, question):
    connection = service.connect()
    for _ in range(5):
        reply = host.exchange(connection, "POST", "/api/v1/status",
                              {"statusToken": question.token})
        assert reply.json["sequence"] == 1
    connection.close()


def test_nothing_secret_is_logged(service, host, phone):
    question = host.ask(username="alice")
    answer = random_b64u(100)
    phone.seen(question)
    phone.answer(question, answer)
    host.outcome(question, "granted")
    wait_until(lambda: question.transaction_id in service.log.read_text())
    log = service.log.read_text()
    for secret in (host.key, question.token, question.link_id,
                   question.content, answer):
        assert secret not in log
    assert all(re.match(r"<[3-7]>event=[a-z_]+( [a-z]+=\S+)*", line)
               for line in log.splitlines())
