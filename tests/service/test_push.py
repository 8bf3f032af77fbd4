# SPDX-License-Identifier: BSD-2-Clause
"""Phones that ring: what leaves for push services, and what comes back.

The push service is on a public address of a network name space of its own, at
port 443 and with certificates of a test CA: nothing is loosened for it.
"""
import contextlib
import email.utils
import json
import os
import re
import socket
import ssl
import stat
import time
import warnings
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import private
import pushd as push
from pushd import (ENDLESS, ENDLESS_HEAD, NOTHING, STALL, TRICKLE,
                   PushService, b64u, public_address)
from service import Service, device_id, random_b64u, wait_until
from sources import sanitized

PUBLIC, OTHER = "142.250.9.9", "2a00:1450:4001::9"
FCM, MOZILLA = "fcm.googleapis.com", "updates.push.services.mozilla.com"
NAMES = [FCM, MOZILLA, "web.push.apple.com", "push.home"]
PLAIN = b"There is a question for you."


@pytest.fixture(scope="module", autouse=True)
def machine():
    private.enter()
    for address in (PUBLIC, OTHER):
        public_address(address)
    for name in NAMES:
        push.name_address(name, PUBLIC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("push")


@pytest.fixture
def pushd(folder):
    with PushService(folder, NAMES, PUBLIC, 443) as found:
        yield found


@pytest.fixture
def start(folder):
    """Services of the test's, with the default place for their key."""
    with contextlib.ExitStack() as stack:
        def begin(**settings):
            return stack.enter_context(Service(**{
                "push_ca_file": push.make_authority(folder),
                "push_key_file": None, **settings}))
        yield begin


@pytest.fixture
def service(start):
    return start(push_contact="mailto:push@example.com")


def enrol(service, host, subscription=None, user="alice", expect=204):
    """A phone of user that rings there."""
    phone = service.phone()
    phone.device_id = device_id()
    host.enrol_device(user, phone.device_id, "a phone", phone)
    if subscription is not None:
        reply = phone.post("/devices/self/push", subscription.keys)
        assert reply.status == expect, reply
    return phone


def ask(host, *phones, user="alice", lifetime=90):
    question = host.ask(
        lifetime, username=user, channel="push",
        sealed={phone.device_id: random_b64u(98) for phone in phones})
    assert question.reply.status == 201, question.reply
    return question


def sent(question):
    return question.reply.json["push"]["sent"]


def subscribed(phone):
    return phone.own_devices().json["push"]["subscribed"]


def approve(host, phone, question):
    """The approval goes its way, whatever pushes do."""
    assert phone.answer(question).status == 202
    status = host.status(question).json
    assert (status["event"], status["status"]) == ("answered", "pending")
    assert host.outcome(question, "granted",
                        deviceId=phone.device_id).status == 204
    assert host.status(question).json["status"] == "succeeded"


def log_of(service, event):
    return re.findall(rf"event={event}( .*)?\n", service.log.read_text())


def wait_log(service, event, count=1):
    return wait_until(
        lambda: (lines := log_of(service, event)) and len(lines) >= count and
        lines, event)


@pytest.fixture
def host(service):
    return service.add_host("web1")


# --- the double itself --------------------------------------------------------

RFC = {  # RFC 8291, appendix A
    "private": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    "body": "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
            "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
            "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
}
RFC_VAPID = (  # RFC 8292, 2.4
    "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2g"
    "uZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1"
    "wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrE"
    "rtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrA"
    "IxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs")


def rfc_open(body):
    key = ec.derive_private_key(
        int.from_bytes(push.unb64u(RFC["private"]), "big"), ec.SECP256R1())
    return push.open_message(body, key, push.unb64u(RFC["auth"]))


def test_double_reads_the_examples_of_the_rfcs():
    assert rfc_open(push.unb64u(RFC["body"])) == \
        b"When I grow up, I want to be a watermelon"
    # RFC 8188, 3.1 and 3.2 (two records).
    for ikm, body in (
            ("yqdlZ-tYemfogSmv7Ws5PQ", "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qF"
             "gBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg"),
            ("BO3ZVPxUlnLORbVGMpbT1Q", "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz"
             "_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA")):
        assert push.open_records(
            push.unb64u(body), lambda _, ikm=ikm: push.unb64u(ikm)) == \
            b"I am the walrus"
    claims, _ = push.check_vapid(RFC_VAPID, "https://push.example.net",
                                 1453523768 - 3600)
    assert claims["sub"] == "mailto:push@example.com"


def test_double_is_strict():
    body = push.unb64u(RFC["body"])
    wrong = [body[:-1], body + b"x", body[:86], body[:20], b"",
             body[:-1] + bytes([body[-1] ^ 1]),
             body[:16] + (17).to_bytes(4, "big") + body[20:]]
    for damaged in wrong:
        with pytest.raises((AssertionError, push.InvalidTag)):
            rfc_open(damaged)
    for changed in (RFC_VAPID.replace("oD1oA", "oD1oQ"),
                    RFC_VAPID.replace(", k=BA", ", k=BB"),
                    RFC_VAPID.replace("vapid ", "WebPush "),
                    RFC_VAPID.replace("D1oA,", "D1o,")):
        with pytest.raises((AssertionError, ValueError,
                            push.InvalidSignature)):
            push.check_vapid(changed, "https://push.example.net",
                             1453523768 - 3600)
    for origin, now in (("https://push.example.com", 1453523768 - 3600),
                        ("https://push.example.net", 1453523768),
                        ("https://push.example.net", 1453523768 - 90000)):
        with pytest.raises(AssertionError):
            push.check_vapid(RFC_VAPID, origin, now)


# --- what is sent -------------------------------------------------------------

def test_a_question_rings_the_phone(service, host, pushd):
    rung = pushd.subscribe()
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    assert question.reply.json["push"] == {"sent": 1, "devices": 1}
    message = rung.wait()
    assert message.json == {"v": 1, "link": question.link_id}
    # One size for everything, which says nothing.
    assert len(message.body) == 86 + 256 + 1 + 16
    assert 80 <= message.ttl <= 90
    assert (message.urgency, len(message.topic)) == ("high", 32)
    assert message.claims["sub"] == "mailto:push@example.com"
    assert message.key == phone.own_devices().json["push"]["key"]
    assert abs(message.claims["exp"] - time.time() - 12 * 3600) < 60
    wait_log(service, "push_sent")
    approve(host, phone, question)
    assert pushd.errors == [] and len(rung.messages) == 1
    assert subscribed(phone)


def test_nothing_of_it_is_logged_or_shown(service, host, pushd):
    rung = pushd.subscribe()
    phone = enrol(service, host, rung)
    ask(host, phone)
    rung.wait()
    wait_log(service, "push_sent")
    rung.answers = [410]
    ask(host, phone)
    wait_log(service, "push_subscription_gone")
    log = service.log.read_text()
    assert "service=https://fcm.googleapis.com " in log
    keys = rung.keys
    for secret in (rung.path, rung.path[6:], keys["p256dh"], keys["auth"],
                   "vapid t="):
        assert secret not in log


def test_questions_of_one_user_and_host_share_a_topic(service, host, pushd):
    """A newer one takes the place of an older one on the way."""
    rung, others = pushd.subscribe(), pushd.subscribe()
    phone, second = enrol(service, host, rung), enrol(service, host, others)
    bobs = pushd.subscribe()
    bob = enrol(service, host, bobs, "bob")
    ask(host, phone, second)
    ask(host, phone)
    ask(host, bob, user="bob")
    topics = [rung.wait(1).topic, rung.wait(2).topic]
    assert topics[0] == topics[1]
    assert len({topics[0], others.wait().topic, bobs.wait().topic}) == 3


def test_other_phones_hear_of_a_grant_quietly(service, host, pushd):
    one, two, wake = pushd.subscribe(), pushd.subscribe(MOZILLA), \
        pushd.subscribe("push.home", plain=True)
    service.configure(push_hosts="push.home")
    service.restart()
    phones = [enrol(service, host, each) for each in (one, two, wake)]
    question = ask(host, *phones)
    assert sent(question) == 3
    for each in (one, two, wake):
        each.wait()
    approve(host, phones[0], question)
    notice = two.wait(2)
    assert notice.json == {"v": 1, "link": ""}
    assert notice.urgency == "low"
    assert notice.ttl <= 90
    assert notice.topic == two.messages[0].topic
    # Nobody could tell a notice from a question.
    assert len(notice.body) == len(two.messages[0].body)
    # Who approved is not told, and a wake-up could only ring.
    ask(host, *phones)
    for each in (one, wake):
        assert each.wait(2).urgency == "high"
    assert pushd.errors == []


def test_other_phones_hear_of_a_scanned_grant_too(service, host, pushd):
    """It rang nobody, and may have named nobody: the device tells whose."""
    one, two, bobs = (pushd.subscribe() for _ in range(3))
    phones = [enrol(service, host, each) for each in (one, two)]
    enrol(service, host, bobs, "bob")
    for members in ({}, {"username": "alice"}):
        approve(host, phones[0], host.ask(**members))
    for count in (1, 2):
        notice = two.wait(count)
        assert notice.json == {"v": 1, "link": ""}
        assert notice.urgency == "low"
    # Nobody is named: nobody hears it.
    question = ask(host, *phones)
    phones[0].answer(question)
    assert host.outcome(question, "granted").status == 204
    ask(host, *phones)
    for each, before in ((one, 0), (two, 2)):
        each.wait(before + 2)
        assert [message.urgency for message in each.messages[before:]] == [
            "high", "high"]
    assert bobs.messages == [] and pushd.errors == []


def test_plain_wake_up(start, pushd):
    service = start(push_hosts="push.home")
    host = service.add_host("web1")
    rung = pushd.subscribe("push.home", plain=True)
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    assert sent(question) == 1
    message = rung.wait()
    assert message.body == PLAIN
    approve(host, phone, question)


def test_only_known_phones_are_rung(service, host, pushd):
    rung = pushd.subscribe()
    phone = enrol(service, host, rung)
    silent = enrol(service, host)
    stranger = service.phone()
    stranger.device_id = device_id()
    question = ask(host, phone, silent, stranger)
    assert question.reply.json["push"] == {"sent": 1, "devices": 2}
    # By the link alone nobody is rung.
    host.ask(username="alice")
    assert phone.request("DELETE", "/devices/self/push").status == 204
    question = ask(host, phone)
    assert question.reply.json["push"] == {"sent": 0, "devices": 1}
    assert len(rung.tries) <= 1
    rung.wait()


def test_no_push(start, pushd):
    service = start(push="no")
    host = service.add_host("web1")
    phone = enrol(service, host, pushd.subscribe(), expect=422)
    assert phone.own_devices().json["push"] == {
        "key": "", "subscribed": False}
    question = ask(host, phone)
    assert question.reply.json["push"] == {"sent": 0, "devices": 1}
    assert not (service.database.parent / "push.pem").exists()
    approve(host, phone, question)


def test_answered_meanwhile_is_not_sent(service, host, pushd):
    """8 at a time to one push service; who waits looks before it rings."""
    slow = [pushd.subscribe() for _ in range(8)]
    phones = []
    for number, each in enumerate(slow):
        each.answers = [STALL]
        phones.append(enrol(service, host, each, f"user{number}"))
    rung = pushd.subscribe()
    phone = enrol(service, host, rung)
    for number, each in enumerate(phones):
        ask(host, each, user=f"user{number}")
    for each in slow:
        each.wait_tries(1)
    question = ask(host, phone)
    assert sent(question) == 1
    approve(host, phone, question)
    # Another push service has a lane of its own.
    aside = pushd.subscribe(MOZILLA)
    other = enrol(service, host, aside, "bob")
    ask(host, other, user="bob")
    aside.wait()
    assert rung.tries == []
    # The stalled ones are given up, others come: still not this one.
    for each in slow:
        each.answers = [201]
    for each in slow:
        each.wait_tries(2, 30)
    last = pushd.subscribe()
    final = enrol(service, host, last, "carol")
    ask(host, final, user="carol")
    last.wait()
    assert rung.tries == []


# --- what comes back ----------------------------------------------------------

@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_taken(service, host, pushd, status):
    rung = pushd.subscribe()
    rung.answers = [status]
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    rung.wait()
    wait_log(service, "push_sent")
    approve(host, phone, question)
    assert subscribed(phone) and len(rung.tries) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_gone(service, host, pushd, status):
    rung = pushd.subscribe()
    rung.answers = [status]
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    assert sent(question) == 1
    wait_until(lambda: not subscribed(phone), "the subscription's end")
    approve(host, phone, question)
    assert sent(ask(host, phone)) == 0
    assert len(rung.tries) == 1


def test_gone_does_not_take_a_newer_subscription(service, host, pushd):
    old, new = pushd.subscribe(), pushd.subscribe()
    phone = enrol(service, host, old)
    old.answers = [lambda: (phone.post(
        "/devices/self/push", new.keys).status == 204 and 410)]
    ask(host, phone)
    wait_log(service, "push_subscription_gone")
    assert subscribed(phone)
    ask(host, phone)
    new.wait()


@pytest.mark.parametrize("status,word", [
    (400, "understand"), (401, "push_key_file"), (403, "push_key_file"),
    (413, "large"), (302, "redirection")])
def test_refused_is_said_aloud_once(service, host, pushd, status, word):
    rung = pushd.subscribe()
    headers = {"Location": "https://169.254.169.254/latest/meta-data"} \
        if status == 302 else {}
    rung.answers = [(status, headers)]
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    wait_log(service, "push_given_up")
    approve(host, phone, question)
    ask(host, phone)
    wait_log(service, "push_given_up", 2)
    line, = log_of(service, "push_refused")
    assert f"status={status}" in line and word in line
    assert re.search(r"<3>event=push_refused ", service.log.read_text())
    assert subscribed(phone) and len(rung.tries) == 2


def test_redirection_to_a_listed_and_public_host_is_refused_too(
        service, host, pushd):
    target = pushd.subscribe(MOZILLA)
    rung = pushd.subscribe()
    rung.answers = [(307, {"Location": target.endpoint})]
    phone = enrol(service, host, rung)
    ask(host, phone)
    wait_log(service, "push_given_up")
    assert target.tries == [] and pushd.errors == []


def test_trouble_is_tried_again_while_it_is_open(service, host, pushd):
    rung = pushd.subscribe()
    rung.answers = [NOTHING, 500, 503, 201]
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    rung.wait(seconds=30)
    assert len(rung.tries) == 4
    waits = [b - a for a, b in zip(rung.tries, rung.tries[1:])]
    assert waits[0] >= 0.9 and waits[1] >= 1.9 and waits[2] >= 3.9
    # New keys and salt each time: the double has looked.
    assert pushd.errors == []
    approve(host, phone, question)
    assert subscribed(phone)


def test_trouble_is_not_tried_again_after_the_answer(service, host, pushd):
    rung = pushd.subscribe()
    rung.answers = [500]
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    rung.wait_tries(1)
    approve(host, phone, question)
    wait_log(service, "push_delayed")
    rung.answers = [201]
    again = ask(host, phone)
    assert rung.wait(seconds=30).json["link"] == again.link_id
    assert len(rung.messages) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(service, host, pushd, form, status):
    rung = pushd.subscribe()

    def later():
        return (status, {"Retry-After": "4" if form == "seconds" else
                         email.utils.formatdate(time.time() + 5,
                                                usegmt=True)})
    rung.answers = [later, 201]
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    rung.wait()
    assert 3.5 <= rung.tries[1] - rung.tries[0] <= 7
    approve(host, phone, question)
    assert subscribed(phone)


@pytest.mark.parametrize("value", [
    "91", "86400", "999999999999",
    email.utils.formatdate(time.time() + 86400 * 3, usegmt=True)])
def test_retry_after_the_end_is_no_retry(service, host, pushd, value):
    rung = pushd.subscribe()
    rung.answers = [(429, {"Retry-After": value}), 201]
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    wait_log(service, "push_given_up")
    approve(host, phone, question)
    assert len(rung.tries) == 1 and subscribed(phone)


@pytest.mark.parametrize("value", ["-1", "soon", "0"])
def test_retry_after_that_says_nothing(service, host, pushd, value):
    """Tried again, and not at once."""
    rung = pushd.subscribe()
    rung.answers = [(429, {"Retry-After": value}), 201]
    phone = enrol(service, host, rung)
    ask(host, phone)
    rung.wait()
    assert rung.tries[1] - rung.tries[0] >= 0.9


@pytest.mark.parametrize("behaviour", [ENDLESS, TRICKLE])
def test_body_without_end(service, host, pushd, behaviour):
    rung = pushd.subscribe()
    rung.answers = [behaviour]
    phone = enrol(service, host, rung)
    before = service.memory()
    question = ask(host, phone)
    rung.wait()
    approve(host, phone, question)
    wait_log(service, "push_sent")
    assert len(rung.tries) == 1 and subscribed(phone)
    # Sanitizers keep what was freed.
    assert service.memory() < before + (64 if sanitized() else 8) * 2**20


@pytest.mark.parametrize("behaviour", [ENDLESS_HEAD, STALL, NOTHING])
def test_no_answer(service, host, pushd, behaviour):
    rung = pushd.subscribe()
    rung.answers = [behaviour, 201]
    phone = enrol(service, host, rung)
    question = ask(host, phone)
    rung.wait_tries(1)
    approve(host, phone, question)
    again = ask(host, phone)
    rung.wait()
    approve(host, phone, again)
    assert subscribed(phone)


def test_nobody_there(service, host, pushd):
    rung = pushd.subscribe()
    phone = enrol(service, host, rung)
    pushd.close()
    question = ask(host, phone)
    assert sent(question) == 1
    wait_log(service, "push_delayed")
    approve(host, phone, question)
    assert subscribed(phone)


def test_stop_does_not_wait(service, host, pushd):
    rung, later = pushd.subscribe(), pushd.subscribe(MOZILLA)
    rung.answers, later.answers = [STALL], [500]
    phones = [enrol(service, host, rung), enrol(service, host, later)]
    ask(host, *phones)
    rung.wait_tries(1)
    wait_log(service, "push_delayed")
    begin = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - begin < 3


def test_names_that_nobody_resolves(start):
    """A stalled resolver has threads of its own, and nobody waits for them."""
    files = {path: path.read_text() for path in
             (Path("/etc/resolv.conf"), Path("/etc/nsswitch.conf"))}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 53))
        mute.settimeout(push.DEADLINE)
        try:
            Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
            Path("/etc/nsswitch.conf").write_text(
                files[Path("/etc/nsswitch.conf")].replace(
                    "hosts: files", "hosts: files dns"))
            service = start()
            host = service.add_host("web1")
            phone = enrol(service, host)
            assert phone.post("/devices/self/push", {
                **push.Subscription(None, "https://x.notify.windows.com",
                                    False).keys}).status == 204
            question = ask(host, phone)
            mute.recv(512)
            slowest = 0
            while not log_of(service, "push_delayed"):
                begin = time.monotonic()
                assert phone.open(question).status == 200
                slowest = max(slowest, time.monotonic() - begin)
            assert slowest < 1
            approve(host, phone, question)
            ask(host, phone)
            mute.recv(512)
            begin = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - begin < 3
        finally:
            for path, text in files.items():
                path.write_text(text)


# --- who is called ------------------------------------------------------------

@pytest.mark.parametrize("endpoint", [
    "http://fcm.googleapis.com/x", "https://fcm.googleapis.com:8443/x",
    "https://user@fcm.googleapis.com/x", "https://fcm.googleapis.com.",
    "https://fcm.googleapis.com.evil.example/x", "https://evil.example/x",
    "https://fcm.googleapis.com@127.0.0.1/x", "https://127.0.0.1/x",
    "https://[::1]/x", "https://169.254.169.254/x", "https://localhost/x",
    "https://a.b.push.apple.com/x", "https://push.apple.com/x",
    "https://push.home:444/x", "https://fcm.googleapis.com/\u00e9",
    "https://fcm.googleapis.com/" + "x" * 1000, "", "x", 7, None])
def test_endpoints_that_are_refused(service, host, pushd, endpoint):
    phone = enrol(service, host)
    keys = {**pushd.subscribe().keys, "endpoint": endpoint}
    reply = phone.post("/devices/self/push", keys)
    assert reply.status in (400, 422), reply
    assert not subscribed(phone)


def test_keys_that_are_refused(service, host, pushd):
    phone = enrol(service, host)
    keys = pushd.subscribe().keys
    point = push.unb64u(keys["p256dh"])
    for changes in (
            {"p256dh": b64u(point[:64] + bytes([point[64] ^ 1]))},
            {"p256dh": b64u(bytes([2 + point[64] % 2]) + point[1:33])},
            {"p256dh": b64u(point[:64])}, {"p256dh": b64u(bytes(65))},
            {"p256dh": b64u(bytes(1))}, {"p256dh": ""},
            {"auth": random_b64u(15)}, {"auth": random_b64u(17)},
            {"auth": ""}, {"p256dh": None}, {"auth": None}):
        changed = {**keys, **changes}
        reply = phone.post("/devices/self/push", {
            name: value for name, value in changed.items()
            if value is not None})
        assert reply.status in (400, 422), (changes, reply)
    # Known push services carry nothing without keys.
    assert phone.post("/devices/self/push", {
        "endpoint": keys["endpoint"]}).status == 422
    assert not subscribed(phone)


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "192.168.7.7", "169.254.169.254", "100.64.1.1",
    "198.18.0.1", "::1", "fd00::7", "::ffff:127.0.0.1"])
def test_private_addresses_are_not_called(start, folder, address):
    """The name may be the right one: where it leads to is looked at."""
    bare = address.removeprefix("::ffff:")
    if bare not in ("127.0.0.1", "::1"):
        public_address(bare)
    try:
        push.name_address(FCM, address)
        with PushService(folder, NAMES, bare, 443) as inside:
            service = start()
            host = service.add_host("web1")
            phone = enrol(service, host, inside.subscribe())
            question = ask(host, phone)
            line, = wait_log(service, "push_given_up")
            assert "Internet" in line
            approve(host, phone, question)
            assert inside.connections == 0
    finally:
        push.name_address(FCM, PUBLIC)


def test_a_name_that_leads_elsewhere_later(service, host, pushd, folder):
    """Rebinding: the address of each connection is looked at."""
    with PushService(folder, NAMES, "127.0.0.1", 443) as inside:
        rung = pushd.subscribe()
        inside.subscriptions = pushd.subscriptions
        phone = enrol(service, host, rung)
        ask(host, phone)
        rung.wait()
        try:
            push.name_address(FCM, "127.0.0.1")
            service.restart()
            ask(host, phone)
            wait_log(service, "push_given_up")
        finally:
            push.name_address(FCM, PUBLIC)
        assert inside.connections == 0


def test_public_address_of_version_6(service, host, folder):
    try:
        push.name_address(FCM, OTHER)
        with PushService(folder, NAMES, OTHER, 443) as pushd:
            rung = pushd.subscribe()
            ask(host, enrol(service, host, rung))
            rung.wait()
            assert pushd.errors == []
    finally:
        push.name_address(FCM, PUBLIC)


def test_push_private_is_for_listed_hosts_alone(start, folder):
    names = [*NAMES, "ntfy.lan"]
    for name in ("ntfy.lan", FCM):
        push.name_address(name, "127.0.0.1")
    try:
        with PushService(folder, names, "127.0.0.1", 443) as inside, \
                PushService(folder, names, "127.0.0.1") as high:
            service = start(push_private="yes",
                            push_hosts=f"ntfy.lan ntfy.lan:{high.port}")
            host = service.add_host("web1")
            for each in (inside, high):
                rung = each.subscribe("ntfy.lan")
                ask(host, enrol(service, host, rung))
                rung.wait()
                assert each.errors == []
            known = inside.subscribe(FCM)
            ask(host, enrol(service, host, known))
            wait_log(service, "push_given_up")
            assert known.tries == []
            service.configure(push_private="no")
            service.restart()
            rung = inside.subscribe("ntfy.lan")
            ask(host, enrol(service, host, rung, "bob"), user="bob")
            wait_log(service, "push_given_up", 2)
            assert rung.tries == []
    finally:
        push.name_address(FCM, PUBLIC)


def test_a_host_that_is_no_longer_listed(start, pushd):
    service = start(push_hosts="push.home")
    host = service.add_host("web1")
    rung = pushd.subscribe("push.home")
    phone = enrol(service, host, rung)
    service.configure(push_hosts=None)
    service.restart()
    question = ask(host, phone)
    assert sent(question) == 0 and rung.tries == []
    approve(host, phone, question)


def test_certificates(start, folder):
    cases = {"another name": ["evil.example"], "common name only": NAMES}
    for what, names in cases.items():
        with PushService(folder, names, PUBLIC, 443,
                         alternative=what != "common name only") as pushd:
            service = start()
            host = service.add_host("web1")
            rung = push.Subscription(pushd, f"https://{FCM}", False)
            phone = enrol(service, host, rung)
            question = ask(host, phone)
            wait_log(service, "push_delayed")
            approve(host, phone, question)
            assert rung.tries == [] and pushd.errors == [], what


def test_unknown_authority(start, pushd, tmp_path):
    service = start()
    service.configure(push_ca_file=None)
    service.restart()
    host = service.add_host("web1")
    rung = pushd.subscribe()
    ask(host, enrol(service, host, rung))
    wait_log(service, "push_delayed")
    assert rung.tries == [] and pushd.errors == []


def test_old_tls(start, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        server = PushService(folder, NAMES, PUBLIC, 443,
                             max_version=ssl.TLSVersion.TLSv1_1)
    with server as pushd:
        service = start()
        host = service.add_host("web1")
        rung = pushd.subscribe()
        ask(host, enrol(service, host, rung))
        wait_log(service, "push_delayed")
        assert rung.tries == [] and pushd.errors == []


def test_environment_counts_for_nothing(service, host, pushd, monkeypatch,
                                        tmp_path):
    log = tmp_path / "keys"
    (tmp_path / ".netrc").write_text(
        f"machine {FCM}\nlogin eve\npassword secret\n")
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("OPENSSL_CONF", str(tmp_path / "no.cnf"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("RES_OPTIONS", "debug")
    service.restart()
    rung = pushd.subscribe()
    ask(host, enrol(service, host, rung))
    rung.wait()
    assert pushd.errors == [] and not log.exists()


# --- how often ----------------------------------------------------------------

def test_budget_of_an_endpoint_over_all_hosts(service, pushd):
    hosts = [service.add_host("web1", "--space", "ours"),
             service.add_host("web2", "--space", "ours", "--rights",
                              "approve,enrol,manage")]
    rung = pushd.subscribe()
    phone = enrol(service, hosts[0], rung)
    rings = []
    for number in range(8):
        question = ask(hosts[number % 2], phone)
        rings.append(sent(question))
        # It is in the inbox all the same.
        assert phone.open(question).status == 200
        if rings[-1]:
            rung.wait(number + 1)
        hosts[number % 2].cancel(question)
    assert rings == [1, 1, 1, 1, 1, 1, 0, 0]
    assert len(rung.tries) == 6
    assert len(log_of(service, "push_limited")) == 2
    # A host's word that the user got in: its rings no longer count.
    question = ask(hosts[0], phone)
    approve(hosts[0], phone, question)
    assert sent(ask(hosts[0], phone)) == 1


# --- the key ------------------------------------------------------------------

def test_key_is_made_once_and_private(service, host):
    path = service.database.parent / "push.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    pem = path.read_bytes()
    phone = enrol(service, host)
    key = phone.own_devices().json["push"]["key"]
    assert len(key) == 87
    service.restart()
    assert path.read_bytes() == pem
    assert phone.own_devices().json["push"]["key"] == key


@pytest.mark.parametrize("what", ["mode", "content", "folder", "link"])
def test_key_that_cannot_be_used_stops_the_start(service, what):
    path = service.database.parent / "push.pem"
    assert service.stop() == 0
    if what == "mode":
        path.chmod(0o640)
    elif what == "content":
        path.write_text("no key\n")
    elif what == "folder":
        path = service.folder / "none" / "push.pem"
        service.configure(push_key_file=path)
    else:
        path.rename(path.with_suffix(".real"))
        path.symlink_to(path.with_suffix(".real"))
    run = service.command("serve")
    assert run.returncode == 3
    assert re.search(r"event=not_started reason=.*" + re.escape(
        str(path.parent if what == "folder" else path)), run.stderr)


@pytest.mark.parametrize("key,value", [
    ("push_contact", "push@example.com"), ("push_contact", "mailto:"),
    ("push_contact", "http://example.com"), ("push_contact", "https://"),
    ("push_contact", "mailto:a@b\\"), ("push_contact", 'https://a/"'),
    ("push_hosts", "https://ntfy.example.org"), ("push_hosts", "a b:0"),
    ("push_hosts", "a/b"), ("push_hosts", "[::1]:443"),
    ("push_private", "1"), ("push", "on"), ("push_key_file", "push.pem"),
    ("push_ca_file", "/nonexistent/ca.pem"), ("push_command", "bin/ring"),
    ("push_command", "/nonexistent/ring")])
def test_settings_that_are_refused(service, key, value):
    assert service.stop() == 0
    service.configure(**{key: value})
    run = service.command("serve")
    assert run.returncode == 3 and "event=not_started" in run.stderr


# --- the operator's command ---------------------------------------------------

def ringer(service, text):
    path = service.folder / "ring"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def commanded(start):
    """A service with a push_command of these lines."""
    def begin(text, **settings):
        service = start(**settings)
        assert service.stop() == 0
        service.configure(push_command=ringer(service, text))
        return service.start()
    return begin


def test_command_gets_a_line_and_nothing_else(commanded, tmp_path, folder):
    out = "/run/ringer-out"
    service = commanded(
        f"cat >{out}.new; env >>{out}.new; echo $# >>{out}.new; "
        f"ls -l /proc/self/fd >>{out}.new; pwd >>{out}.new; "
        f"mv {out}.new {out}")
    host = service.add_host("web1")
    phone = enrol(service, host)
    os.environ["RINGER_CANARY"] = "x"
    question = ask(host, phone)
    assert sent(question) == 1
    wait_until(lambda: os.path.exists(out), "the command")
    text = Path(out).read_text()
    os.unlink(out)
    line, rest = text.split("\n", 1)
    assert json.loads(line) == {"v": 1, "user": "alice",
                                "device": phone.device_id,
                                "link": question.link_id}
    # What a shell sets by itself.
    assert {word.split("=")[0] for word in rest.split("\n0\n")[0].split("\n")
            } <= {"PWD", "OLDPWD", "SHLVL", "_"}
    assert rest.rstrip().endswith("\n/")
    descriptors = re.findall(r" (\d+) -> (\S+)", rest)
    assert {number for number, _ in descriptors} <= {"0", "1", "2", "3"}
    assert dict(descriptors)["2"] == "/dev/null"
    approve(host, phone, question)


def test_command_and_web_push_are_one_ring(commanded, pushd):
    out = Path("/run/ringer-count")
    service = commanded(f"cat >>{out}")
    host = service.add_host("web1")
    rung = pushd.subscribe()
    question = ask(host, enrol(service, host, rung), enrol(service, host))
    assert sent(question) == 2
    rung.wait()
    wait_until(lambda: out.exists() and out.read_text().count("\n") == 2,
               "the commands")
    out.unlink()


def test_command_that_fails(commanded):
    service = commanded("exit 7")
    host = service.add_host("web1")
    phone = enrol(service, host)
    question = ask(host, phone)
    line, = wait_log(service, "push_command_failed")
    assert "status=7" in line
    approve(host, phone, question)


def has_ended(pid):
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_command_that_hangs_is_killed_with_its_children(commanded):
    out = Path("/run/ringer-pid")
    service = commanded(f"sleep 1000 & echo $! >{out}; wait")
    host = service.add_host("web1")
    phone = enrol(service, host)
    questions = [ask(host, phone) for _ in range(2)]
    line = wait_log(service, "push_command_failed")[0]
    assert "killed_after_10_s=9" in line
    pid = int(out.read_text())
    wait_until(lambda: has_ended(pid), "the child's end")
    out.unlink()
    approve(host, phone, questions[0])


def test_commands_run_8_at_a_time_and_end_with_the_service(commanded):
    out = Path("/run/ringer-many")
    out.mkdir()
    service = commanded(f"touch {out}/$$; exec sleep 1000",
                        max_pending_user=100)
    host = service.add_host("web1")
    phones = [enrol(service, host, user=f"user{n}") for n in range(12)]
    for number, phone in enumerate(phones):
        ask(host, phone, user=f"user{number}")
    wait_until(lambda: len(list(out.iterdir())) == 8, "the commands")
    pids = [int(path.name) for path in out.iterdir()]
    assert service.stop() == 0
    assert len(list(out.iterdir())) == 8
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    for path in out.iterdir():
        path.unlink()
    out.rmdir()


@pytest.mark.parametrize("what", ["group", "not a program", "folder"])
def test_command_that_others_could_write(commanded, what):
    service = commanded("exit 0")
    assert service.stop() == 0
    path = service.folder / "ring"
    if what == "group":
        path.chmod(0o775)
    elif what == "not a program":
        path.chmod(0o644)
    else:
        service.folder.chmod(0o777)
    run = service.command("serve")
    service.folder.chmod(0o700)
    assert run.returncode == 3 and "event=not_started" in run.stderr
