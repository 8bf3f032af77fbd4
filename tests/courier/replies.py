# SPDX-License-Identifier: BSD-2-Clause
"""NET-3, F9, F12: a service that replies with anything but what it should."""
import contextlib
import gzip
import json
import time

import pytest

from couriers import SLACK, Close, Courier, Service, reply, reset

CREATE = "POST /api/v1/approval"
STATUS = "POST /api/v1/status"
UNREACHABLE, TLS, UNAUTHORISED, FORBIDDEN, NOT_FOUND = 1, 2, 3, 4, 5
CONFLICT, LIMITED, UNAVAILABLE, BAD_REPLY = 6, 7, 8, 9
GOOD = {"transactionId": "transaction-1", "statusToken": "token.1"}


def typed(*types, body=None, extra=()):
    """A 201 with these Content-Type headers."""
    if body is None:
        body = json.dumps(GOOD).encode()
    return reply(201, body,
                 [f"Content-Type: {t}" for t in types] + list(extra))


def changed(**members):
    body = dict(GOOD, **members)
    return reply(201, {k: v for k, v in body.items() if v is not None})


def text(body):
    return typed("application/json", body=body)


CREATED = {
    "type text/html": (typed("text/html"), BAD_REPLY),
    "type with parameter": (typed("application/json; charset=utf-8"),
                            BAD_REPLY),
    "type longer": (typed("application/jsonp"), BAD_REPLY),
    "no type": (typed(), BAD_REPLY),
    "two types": (typed("application/json", "application/json"), BAD_REPLY),
    "200": (reply(200, GOOD), BAD_REPLY),
    "202": (reply(202, GOOD), BAD_REPLY),
    "204": (reply(204), BAD_REPLY),
    "301": (reply(301, GOOD, ["Location: /api/v1/approval"]), BAD_REPLY),
    "400": (reply(400, {"error": "x"}), BAD_REPLY),
    "401": (reply(401, {"error": "x"}), UNAUTHORISED),
    "401 with a challenge": (reply(401, b"", [
        'WWW-Authenticate: Basic realm="x"', "WWW-Authenticate: Negotiate"]),
        UNAUTHORISED),
    "403": (reply(403, {"error": "x"}), FORBIDDEN),
    "404": (reply(404, b"<html>", ["Content-Type: text/html"]), NOT_FOUND),
    "409": (reply(409, {"error": "x"}), CONFLICT),
    "413": (reply(413, {"error": "x"}), BAD_REPLY),
    "500": (reply(500, {"error": "x"}), UNAVAILABLE),
    "599": (reply(599, {"error": "x"}), UNAVAILABLE),
    "600": (reply(600, {"error": "x"}), BAD_REPLY),
    "too long": (typed("application/json", body=b" " * 16385), BAD_REPLY),
    "too long, in chunks": (
        b"HTTP/1.1 201 X\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b" " * 4096 +
        b"\r\n1000\r\n" + b" " * 4096 + b"\r\n2001\r\n" + b" " * 8193 +
        b"\r\n0\r\n\r\n", BAD_REPLY),
    "gzip": (typed("application/json", extra=["Content-Encoding: gzip"],
                   body=gzip.compress(json.dumps(GOOD).encode())), BAD_REPLY),
    "gzip, it says": (typed("application/json",
                            extra=["Content-Encoding: gzip"]), BAD_REPLY),
    "no JSON": (text(b"<html>"), BAD_REPLY),
    "an array": (text(b"[1]"), BAD_REPLY),
    "empty": (text(b""), BAD_REPLY),
    "something behind": (text(json.dumps(GOOD).encode() + b"{}"), BAD_REPLY),
    "cut": (text(json.dumps(GOOD).encode()[:-1]), BAD_REPLY),
    "a name twice": (text(b'{"transactionId":"a","statusToken":"b",'
                          b'"statusToken":"c"}'), BAD_REPLY),
    "no id": (changed(transactionId=None), BAD_REPLY),
    "no token": (changed(statusToken=None), BAD_REPLY),
    "id is a number": (changed(transactionId=1), BAD_REPLY),
    "id is empty": (changed(transactionId=""), BAD_REPLY),
    "id is another path": (changed(transactionId="../users/u"), BAD_REPLY),
    "id has a query": (changed(transactionId="a?b"), BAD_REPLY),
    "id too long": (changed(transactionId="a" * 65), BAD_REPLY),
    "token too long": (changed(statusToken="a" * 513), BAD_REPLY),
    "9 KiB of headers": (reply(201, GOOD, ["X: " + "x" * 100] * 90),
                         BAD_REPLY),
    "one header of 9 KiB": (reply(201, GOOD, ["X: " + "x" * 9000]),
                            BAD_REPLY),
    "one header of 1 MB": (reply(201, GOOD, ["X: " + "x" * 1000000]),
                           BAD_REPLY),
    "HTTP/0.9": (b"PONG", BAD_REPLY),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2p1\r\n", BAD_REPLY),
    "HTTP/2": (b"HTTP/2 201\r\nContent-Type: application/json\r\n"
               b"Content-Length: 2\r\n\r\n{}", BAD_REPLY),
    "half a reply": (reply(201, GOOD)[:-5], UNREACHABLE),
    "nothing": (None, UNREACHABLE),
}


@pytest.mark.parametrize("case", CREATED)
def test_created(service, case):
    answer, code = CREATED[case]

    def rule(_request, connection):
        if answer:
            connection.sendall(answer)
        raise Close

    service.rules[CREATE] = rule
    with Courier(service) as courier:
        courier.expect("started", f"trouble {code} ")
        assert courier.times["trouble"] < 2900
        assert courier.ended()[0] == 0
    assert len(service.all(CREATE)) == 1


def test_redirection_is_not_followed(service):
    with Service() as other:
        service.rules[CREATE] = lambda r, c: reply(
            307, b"", [f"Location: {other.url}/api/v1/approval"])
        with Courier(service) as courier:
            courier.expect("started", f"trouble {BAD_REPLY} ")
        assert other.connections == 0


def test_reset(service):
    service.rules[CREATE] = lambda r, c: reset(c)
    with Courier(service) as courier:
        courier.expect("started", f"trouble {UNREACHABLE} ")


# --- without end: all at once, as each takes its whole time ------------------

def drip(bytes_first):
    """Sends these bytes, then one byte every 50 ms."""
    def rule(_request, connection):
        connection.sendall(bytes_first)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)
    return rule


def silence(_request, connection):
    connection.recv(1)  # until the courier hangs up
    raise Close


def switch(_request, connection):
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n"
                       b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    return silence(_request, connection)


def interim(_request, connection):
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)


HEAD = b"HTTP/1.1 201 X\r\nContent-Type: application/json\r\n"
ENDLESS = {
    "silence": silence,
    "101": switch,
    "100 for ever": interim,
    "body, byte by byte": drip(HEAD + b"Content-Length: 9999\r\n\r\n"),
    "header, byte by byte": drip(HEAD + b"X: "),
    "status line, byte by byte": drip(b"HTTP/1.1 201 "),
    "body without length": drip(HEAD + b"\r\n"),
}


def test_without_end():
    with contextlib.ExitStack() as stack:
        couriers = {}
        for name, rule in ENDLESS.items():
            service = stack.enter_context(Service())
            service.rules[CREATE] = rule
            couriers[name] = stack.enter_context(Courier(service))
        for name, courier in couriers.items():
            line = courier.expect("started", "trouble ")
            assert line.split(" ")[1] in (
                str(UNREACHABLE), str(BAD_REPLY)), (name, line)
            assert courier.times["trouble"] < 3000 + SLACK * 1000, name


def test_endless_headers_fast(service):
    def rule(_request, connection):
        connection.sendall(HEAD)
        while True:
            connection.sendall(b"X-Header: x\r\n" * 1000)

    service.rules[CREATE] = rule
    with Courier(service) as courier:
        courier.expect("started", f"trouble {BAD_REPLY} ")
        assert courier.times["trouble"] < 2000


def test_gigabyte(service):
    def rule(_request, connection):
        connection.sendall(HEAD + b"\r\n")
        while True:
            connection.sendall(b" " * 65536)

    service.rules[CREATE] = rule
    with Courier(service) as courier:
        courier.expect("started", f"trouble {BAD_REPLY} ")
        status, rss, _cpu = courier.ended()
        assert status == 0 and rss < 65536


# --- the status ------------------------------------------------------------------

def status(**members):
    body = {"transactionId": "transaction-1", "status": "pending",
            "sequence": 2, "event": "answered", "answer": "QQ"}
    body.update(members)
    return {k: v for k, v in body.items() if v is not None}


STATUSES = {
    "no answer": status(answer=None),
    "empty answer": status(answer=""),
    "answer with padding": status(answer="QQ=="),
    "answer with unused bits": status(answer="QR"),
    "answer in the other alphabet": status(answer="+/+/"),
    "answer with a space": status(answer="QQ QQ"),
    "answer of 8193 bytes": status(answer="A" * 10924),
    "answer is a number": status(answer=1),
    "another question": status(transactionId="transaction-2"),
    "no id": status(transactionId=None),
    "no sequence": status(sequence=None),
    "sequence is text": status(sequence="2"),
    "sequence below zero": status(sequence=-1),
    "sequence too large": status(sequence=2**31),
    "no event": status(event=None),
    "no status": status(status=None),
    "status is a number": status(status=1),
}


@pytest.mark.parametrize("case", STATUSES)
def test_status(service, case):
    service.rules[STATUS] = lambda r, c: reply(200, STATUSES[case])
    with Courier(service) as courier:
        courier.expect("started", "created", f"trouble {BAD_REPLY} ")
        # It is over for the library, so the question is closed.
        service.seen("DELETE ")
        assert courier.ended()[0] == 0
    assert len(service.all(STATUS)) == 1


def test_status_control(service):
    """What the table changes is good when it is unchanged."""
    service.rules[STATUS] = lambda r, c: reply(200, status())
    with Courier(service) as courier:
        courier.expect("started", "created", "answer 41")


@pytest.mark.parametrize("code,trouble", [
    (401, UNAUTHORISED), (403, FORBIDDEN), (404, NOT_FOUND), (201, BAD_REPLY),
    (302, BAD_REPLY), (422, BAD_REPLY)])
def test_status_is_final(service, code, trouble):
    service.rules[STATUS] = lambda r, c: reply(code, status())
    with Courier(service) as courier:
        courier.expect("started", "created", f"trouble {trouble} ")
    assert len(service.all(STATUS)) == 1


def test_unknown_event_is_passed_over(service):
    """Receivers ignore what they do not know."""
    with Courier(service) as courier:
        courier.expect("started", "created")
        service.seen(STATUS)
        service.happen("photographed")
        service.seen(STATUS, 2)
        service.happen("answered", b"A")
        courier.expect("answer 41")


def failing_once(service, fail):
    """The first long poll fails, the next ones are answered."""
    def rule(request, connection):
        if len(service.all(STATUS)) == 1:
            return fail(connection)
        return reply(200, status())
    return rule


def test_transport_is_tried_again(service):
    service.rules[STATUS] = failing_once(service, reset)
    with Courier(service) as courier:
        courier.expect("started", "created", "answer 41")
        assert courier.times["answer"] < 1500


RETRY_AFTER = {  # header -> seconds between the polls
    None: 1,
    "0": 1,
    "1000000000": 1,
    "-1": 1,
    "1.5": 1,
    "soon": 1,
    "Wed, 21 Oct 2065 07:28:00 GMT": 1,
    "3": 3,
    "60": 1,  # longer than the job lives
}


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after(code):
    with contextlib.ExitStack() as stack:
        runs = []
        for header, seconds in RETRY_AFTER.items():
            service = stack.enter_context(Service())
            extra = [] if header is None else [f"Retry-After: {header}"]
            service.rules[STATUS] = failing_once(
                service, lambda c, extra=extra: reply(
                    code, {"error": "x"}, extra))
            courier = stack.enter_context(Courier(service, deadline=30000))
            runs.append((header, seconds, service, courier))
        for header, seconds, service, courier in runs:
            courier.expect("started", "created", "answer 41")
            first, second = service.all(STATUS)
            # With the slack, what is 1 is still not 3.
            assert (seconds * 0.95 < second.at - first.at <
                    seconds + SLACK), header


def test_pauses_grow():
    """Never too short; and not too long at least once in three times, as
    what the machine was busy with is not the courier's."""
    firsts, seconds = [], []
    while len(firsts) < 3 and not (
            min(firsts, default=9) < 1.6 and min(seconds, default=9) < 2.8):
        with Service() as service:
            service.rules[STATUS] = lambda r, c: reply(500, {"error": "x"})
            with Courier(service) as courier:
                courier.expect("started", "created")
                times = [service.seen(STATUS, n).at for n in (1, 2, 3)]
        firsts.append(times[1] - times[0])
        seconds.append(times[2] - times[1])
    assert 0.9 < min(firsts) < 1.6, firsts
    assert 1.9 < min(seconds) < 2.8, seconds


def test_limited_while_being_created(service):
    def rule(request, connection):
        if len(service.all(CREATE)) == 1:
            return reply(429, {"error": "x"}, ["Retry-After: 1"])
        return service.create(request, connection)

    service.rules[CREATE] = rule
    with Courier(service) as courier:
        courier.expect("started", "created")
    service.rules[CREATE] = lambda r, c: reply(
        429, {"error": "x"}, ["Retry-After: 60"])
    with Courier(service) as courier:
        courier.expect("started", f"trouble {LIMITED} ")
        assert courier.times["trouble"] < 2900
