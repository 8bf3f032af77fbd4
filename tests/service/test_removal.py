# SPDX-License-Identifier: BSD-2-Clause
"""A phone removes its device: the note, who gets it, and what ends it."""
import contextlib
import json
import sqlite3
import time

import pytest

from conftest import assert_error
from service import Service, b64u, device_id, removal_note

DAY_MS = 86400 * 1000


def removals(question):
    assert question.reply.status == 201, question.reply
    return question.reply.json.get("removals")


def test_the_phones_own_list(host, phone, device):
    reply = phone.own_devices()
    assert reply.status == 200
    found, = reply.json["devices"]
    assert found.pop("createdAt").endswith("Z")
    assert found == {"deviceId": device, "name": "Alice's Pixel",
                     "username": "alice"}
    assert phone.request("HEAD", "/devices/self").status == 200


def test_one_cookie_for_all_devices_of_a_phone(service, host, phone, device):
    """The second enrolment must not make the first one unreachable."""
    other, second = service.add_host(f"o-{device_id()}"), device_id()
    cookie = phone.headers["Cookie"]
    other.enrol_device("alice2", second, phone=phone)
    assert phone.headers["Cookie"] == cookie
    assert {found["deviceId"]: found["username"]
            for found in phone.own_devices().json["devices"]} == {
        device: "alice", second: "alice2"}
    assert phone.ask_removal(second).status == 202
    assert removals(host.ask()) is None
    assert removals(other.ask())[0]["deviceId"] == second


def test_cookie_that_is_not_known_is_replaced(service, host):
    phone = service.phone(Cookie="__Host-countersign=" + "A" * 43)
    host.enrol_device("mallory", device_id(), phone=phone)
    assert "A" * 43 not in phone.headers["Cookie"]
    assert phone.own_devices().status == 200


def test_removal_reaches_the_host(host, phone, device):
    assert removals(host.ask(username="alice")) is None
    note = removal_note(device)
    reply = phone.ask_removal(device, note)
    assert (reply.status, reply.json) == (202, {"deviceId": device})
    expected = [{"deviceId": device, "proof": note}]
    for question in (host.ask(username="alice"), host.ask(username="bob"),
                     host.ask(), host.enroll("alice"), host.enroll("carol")):
        assert removals(question) == expected
    assert host.remove_device(device).status == 204
    assert removals(host.ask(username="alice")) is None
    assert removals(host.enroll("alice")) is None
    assert_error(phone.own_devices(), 403, "no_device")
    assert_error(phone.ask_removal(device), 403, "no_device")


def test_removed_device_does_not_count(host, phone, device):
    assert host.enroll("alice").reply.json["status"] == "active"
    phone.ask_removal(device)
    user = host.get("/api/v1/users?username=alice").json
    assert user["status"] == "new"
    assert [a.get("removed") for a in user["authenticators"]] == [True]
    assert phone.own_devices().json["devices"][0]["removed"] is True
    assert host.enroll("alice").reply.json["status"] == "new"


def test_newest_note_is_kept(host, phone, device):
    notes = [removal_note(device, signature=bytes([i]) * 71)
             for i in range(3)]
    for note in notes:
        assert phone.ask_removal(device, note).status == 202
    assert removals(host.ask()) == [{"deviceId": device, "proof": notes[-1]}]


def test_survives_a_restart(service, host, phone, device):
    phone.ask_removal(device)
    service.restart(kill=True)
    assert [r["deviceId"] for r in removals(host.ask())] == [device]


def test_other_spaces_never_see_it(service, host, phone, device):
    other = service.add_host(f"other-{device_id()}")
    sibling = service.add_host(f"sibling-{device_id()}", "--space", host.name)
    phone.ask_removal(device)
    assert removals(other.ask(username="alice")) is None
    assert removals(other.enroll("alice")) is None
    assert_error(other.remove_device(device), 404, "not_found")
    assert [r["deviceId"] for r in removals(sibling.ask())] == [device]
    # Without the right to manage, the note stays for the host it is for.
    assert_error(sibling.remove_device(device), 403, "forbidden")
    assert [r["deviceId"] for r in removals(host.ask())] == [device]


def test_at_most_four_the_users_own_first_and_each_in_time(host):
    devices = [device_id() for _ in range(6)]
    for i, device in enumerate(devices):
        user = "alice" if i == 5 else "bob"
        host.enrol_device(user, device).ask_removal(device)
    seen = set()
    deadline = time.monotonic() + 20
    while seen != set(devices):
        assert time.monotonic() < deadline, devices
        found = [r["deviceId"] for r in removals(host.ask(username="alice"))]
        assert len(found) == len(set(found)) == 4
        assert found[0] == devices[5]
        seen |= set(found)


def test_device_does_not_come_back(service, host, phone, device):
    """Whoever enrols its id again finds it about to go."""
    phone.ask_removal(device)
    question = host.enroll("alice")
    assert_error(phone.device(question, device), 409, "device_claimed")
    phone.answer(question)
    host.outcome(question, "granted", deviceId=device)
    assert host.devices("alice")[device]["removed"] is True


def test_claim_made_before_the_removal_revives_nothing(
        service, host, phone, device):
    question, stranger = host.enroll("alice"), service.phone()
    assert stranger.device(question, device, "mine").status == 201
    phone.ask_removal(device)
    phone.answer(question)
    host.outcome(question, "granted", deviceId=device)
    found = host.devices("alice")[device]
    assert (found["name"], found["removed"]) == ("Alice's Pixel", True)
    assert phone.own_devices().status == 200


def test_removed_user_takes_the_note_along(host, phone, device):
    phone.ask_removal(device)
    user = host.get("/api/v1/users?username=alice").json
    assert host.request(
        "DELETE", f"/api/v1/users/{user['userId']}").status == 204
    assert removals(host.ask(username="alice")) is None


def age(service, device, days):
    with contextlib.closing(sqlite3.connect(service.database)) as db, db:
        assert db.execute(
            "UPDATE removals SET asked = asked - ? WHERE device_id = ?",
            (int(days * DAY_MS), device)).rowcount == 1


def test_forgotten_after_180_days(service, host, phone, device):
    phone.ask_removal(device)
    age(service, device, 179.9)
    assert removals(host.ask()) is not None
    service.restart(kill=False)
    assert removals(host.ask()) is not None
    age(service, device, 0.2)
    assert removals(host.ask()) is None
    # It did not become one of the user's again, and goes at the next start.
    assert host.devices("alice")[device]["removed"] is True
    service.restart(kill=False)
    assert host.devices("alice") == {}


# --- who may ask ------------------------------------------------------------

@pytest.mark.parametrize("cookie", [
    None, "", "__Host-countersign=", "__Host-countersign=" + "A" * 43,
    "__Host-countersign=" + "A" * 42, "countersign={}", "x__Host-{}",
    "__host-countersign={}", "__Host-countersign={}x",
    "__Host-countersign={};__Host-countersign=" + "A" * 43 + "x"])
def test_without_the_cookie(service, host, phone, device, cookie):
    value = phone.headers["Cookie"].split("=")[1]
    headers = {} if cookie is None else {"Cookie": cookie.replace("{}", value)}
    stranger = service.phone(**headers)
    if cookie is not None and cookie.startswith("__Host-countersign={};"):
        assert stranger.own_devices().status == 200
        return
    assert_error(stranger.own_devices(), 403, "no_device")
    assert_error(stranger.ask_removal(device), 403, "no_device")
    assert removals(host.ask()) is None


def test_cookie_among_others(service, phone):
    again = service.phone(Cookie="a=b; " + phone.headers["Cookie"] + "; c=d")
    assert again.own_devices().status == 200


def test_access_key_is_no_cookie(host, device):
    assert_error(host.get("/devices/self"), 403, "no_device")
    reply = host.post("/devices/self/removal",
                      {"proof": removal_note(device)})
    assert_error(reply, 403, "no_device")


def test_cookie_before_the_grant_is_worth_nothing(service, host, device):
    question = host.enroll("alice")
    phone = service.phone()
    claimed = phone.device(question, device)
    phone.headers["Cookie"] = claimed.headers["Set-Cookie"].split(";")[0]
    assert_error(phone.own_devices(), 403, "no_device")
    phone.answer(question)
    host.outcome(question, "denied")
    assert_error(phone.own_devices(), 403, "no_device")


def test_another_phones_device(host, phone, device):
    victim = device_id()
    host.enrol_device("bob", victim)
    assert_error(phone.ask_removal(victim), 403, "no_device")
    assert removals(host.ask()) is None
    assert "removed" not in host.devices("bob")[victim]


@pytest.mark.parametrize("origin, good", [
    ("https://approve.example.org", True), ("https://evil.example", False),
    ("null", False)])
def test_origins(host, phone, device, origin, good):
    reply = phone.post("/devices/self/removal",
                       {"proof": removal_note(device)},
                       headers={"Origin": origin})
    assert reply.status == (202 if good else 403), reply
    assert (removals(host.ask()) is not None) == good
    reply = phone.get("/devices/self", headers={"Origin": origin})
    assert reply.headers["Access-Control-Allow-Origin"] == \
        (origin if good else None)
    assert reply.headers["Access-Control-Allow-Credentials"] == \
        ("true" if good else None)
    reply = phone.request("OPTIONS", "/devices/self/removal",
                          headers={"Origin": origin})
    assert reply.status == (204 if good else 403)


def bad_notes(device):
    good = removal_note(device)
    return [
        None, "", 7, [], {}, "!", good + "=", good[:-1], good + "A",
        removal_note(device, choice="removal"),
        removal_note(device, choice="approve"),
        removal_note(device, choice="deny"),
        removal_note(device, kind=0, signature=b""),
        removal_note(device, kind=3), removal_note(device, signature=b""),
        b64u(b"\x01"), b64u(bytes(4097)), b64u(bytes(100)),
    ]


def test_bad_notes(host, phone, device):
    for note in bad_notes(device):
        reply = phone.post("/devices/self/removal", {"proof": note})
        assert_error(reply, 422, "invalid_member")
        assert "proof" in reply.json["message"]
    assert_error(phone.post("/devices/self/removal", {}), 422,
                 "invalid_member")
    for body, status in ((b"", 400), (b"[]", 400), (b"{", 400)):
        reply = phone.post("/devices/self/removal", body,
                           headers={"Content-Type": "application/json"})
        assert reply.status == status
    reply = phone.post("/devices/self/removal",
                       json.dumps({"proof": removal_note(device)}),
                       headers={"Content-Type": "text/plain"})
    assert_error(reply, 415, "unsupported_media_type")
    assert removals(host.ask()) is None


def test_getting_changes_nothing(host, phone, device):
    for _ in range(3):
        assert phone.get("/devices/self").status == 200
        assert_error(phone.get("/devices/self/removal"), 405,
                     "method_not_allowed")
    assert removals(host.ask()) is None


def test_rates():
    with Service(rate_device=4) as service:
        host, device = service.add_host("web1"), device_id()
        phone = host.enrol_device("alice", device)
        other = host.enrol_device("bob", device_id())
        statuses = [phone.ask_removal(device).status for _ in range(6)]
        assert statuses == [202] * 4 + [429] * 2
        assert phone.own_devices().status == 429
        assert other.own_devices().status == 200
    with Service(rate_address=4) as service:
        stranger = service.phone(Cookie="__Host-countersign=" + "B" * 43)
        statuses = [stranger.own_devices().status for _ in range(6)]
        assert statuses == [403] * 4 + [429] * 2


def test_nothing_secret_is_logged(service, host, phone, device):
    note = removal_note(device)
    phone.ask_removal(device, note)
    log = service.log.read_text()
    assert f"event=removal_asked authenticator={device}" in log
    assert note not in log
    assert phone.headers["Cookie"].split("=")[1] not in log
    assert "event=call path=/devices/self/removal " in log


def test_cookie_is_not_in_the_database(service, phone):
    cookie = phone.headers["Cookie"].split("=")[1].encode()
    for path in service.database.parent.iterdir():
        assert cookie not in path.read_bytes(), path
