# SPDX-License-Identifier: BSD-2-Clause
"""Calls in every order, connections cut anywhere, tables that are gone."""
import random
import socket
import sqlite3
import struct

import pytest

from service import Service, device_id

DEVICE = "a" * 16
OPEN = ("pending", "seen", "answered")
OUTCOMES = {  # what a host says: the state after it, outcome, tries left
    "grant": ("granted", "granted", 0),
    "deny": ("denied", "denied", 0),
    "reject": ("pending", "rejected", 2),
    "reject for good": ("denied", "rejected", 0),
}
CALLS = ("device", "seen", "answer", "cancel", "open", *OUTCOMES)


class Model:
    """What countersign-protocol(7), STATES OF AN APPROVAL, says."""

    def __init__(self, enrolment):
        self.enrolment = enrolment
        self.state, self.event, self.sequence = "pending", "created", 1

    def become(self, state, event):
        self.state, self.event = state, event
        self.sequence += 1

    def expect(self, call):
        """The HTTP status of this call now; it has happened then."""
        is_open = self.state in OPEN
        if call == "open":
            return 200 if is_open else 410
        if call == "device":
            good = self.enrolment and (is_open or self.state == "granted")
            return 201 if good else 410
        if call == "cancel":
            if is_open:
                self.become("cancelled", "cancelled")
            return 204
        if call == "seen":
            if self.state == "pending":
                self.become("seen", "seen")
            return 204 if is_open else 409
        if call == "answer":
            if self.state not in ("pending", "seen"):
                return 409
            self.become("answered", "answered")
            return 202
        state, outcome, _ = OUTCOMES[call]
        if (self.state, self.event) == (state, outcome):
            return 204  # said twice
        if self.state != "answered":
            return 409
        self.become(state, outcome)
        return 204


def make(call, host, phone, question):
    if call in OUTCOMES:
        _, outcome, tries = OUTCOMES[call]
        return host.outcome(question, outcome, triesLeft=tries)
    if call == "cancel":
        return host.cancel(question)
    if call == "device":
        reply = phone.device(question, DEVICE)
        if reply.status == 201:  # it is the one phone from now on
            phone.headers["Cookie"] = \
                reply.headers["Set-Cookie"].split(";")[0]
        return reply
    return getattr(phone, call)(question)


def check(model, host, phone, question):
    status, events = host.status(question).json, phone.events(question).json
    assert (events["state"], events["sequence"]) == \
        (model.state, model.sequence)
    assert (status["event"], status["sequence"]) == \
        (model.event, model.sequence)
    assert status["status"] == \
        ("pending" if model.state in OPEN else
         "succeeded" if model.state == "granted" else "failed")
    assert ("answer" in status) == (model.state == "answered")


@pytest.mark.parametrize("seed", range(8))
def test_calls_in_any_order(seed):
    chance = random.Random(seed)
    with Service(max_pending_user=100) as service:
        host, phone = service.add_host("web1"), service.phone()
        for _ in range(40):
            model = Model(enrolment=chance.random() < 0.4)
            question = host.enroll() if model.enrolment else host.ask()
            made = []
            for call in chance.choices(CALLS, k=7):
                made.append(call)
                assert make(call, host, phone, question).status == \
                    model.expect(call), made
                check(model, host, phone, question)
            host.cancel(question)
        with sqlite3.connect(service.database) as db:
            assert db.execute("SELECT open FROM hosts").fetchone() == (0,)
        db.close()


REQUEST = (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Type: "
           b"application/json\r\nContent-Length: %d\r\n\r\n%s")


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("tls", [False, True])
def test_connections_cut_anywhere(tls):
    with Service(tls=tls) as service:
        host = service.add_host("web1")
        question = host.ask()
        body = b'{"statusToken":"%s","wait":30,"after":1}' % \
            question.token.encode()
        request = REQUEST % (len(body), body)
        # Within the request, while it waits, and with more behind it.
        for data in [request[:n] for n in range(0, len(request), 9)] + \
                [request + b"x" * n for n in (0, 1, 9000, 40000)]:
            for end in (reset, socket.socket.close):
                sock = service.raw()
                sock.sendall(data)
                end(sock)
        assert service.phone().answer(question).status == 202
        assert host.status(question).json["event"] == "answered"
        assert service.stop() == 0


def test_request_that_ends_with_the_stream():
    """Who has said all may close that half: the reply comes."""
    with Service() as service:
        sock = service.raw()
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
        sock.close()


def test_user_stays_while_something_is_left_to_remove():
    """Who got an error asks again: the user must be found then."""
    with Service() as service:
        host = service.add_host("web1")
        user = host.enroll("alice").reply.json["userId"]
        db = sqlite3.connect(service.database, isolation_level=None)
        db.execute("ALTER TABLE sealed RENAME TO away")
        assert host.request("DELETE", f"/api/v1/users/{user}").status == 503
        assert host.get(f"/api/v1/users/{user}").status == 200
        db.execute("ALTER TABLE away RENAME TO sealed")
        db.close()
        assert host.request("DELETE", f"/api/v1/users/{user}").status == 204
        assert host.get(f"/api/v1/users/{user}").status == 404


@pytest.mark.parametrize("table", [
    "approvals", "authenticators", "claims", "copies", "hosts", "sealed",
    "subscriptions", "users"])
def test_errors_of_the_database_are_replies(table):
    with Service() as service:
        host, phone = service.add_host("web1"), service.phone()
        question, enrolment = host.ask(), host.enroll("bob")
        device = device_id()
        known = host.enrol_device("eve", device)
        db = sqlite3.connect(service.database, isolation_level=None)
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(f"DROP TABLE {table}")
        db.close()
        replies = [host.ask().reply, host.enroll("carol").reply]
        for call in CALLS:
            replies += [make(call, host, phone, question),
                        make(call, host, phone, enrolment)]
        replies += [
            host.status(question), phone.events(question),
            host.get("/api/v1/users?username=bob"),
            host.request("DELETE", "/api/v1/users/x"),
            host.request("DELETE", f"/api/v1/authenticators/{DEVICE}"),
            host.ring("eve", device).reply, known.ask_inbox(),
            known.own_devices(), known.unsubscribe(),
            host.remove_device(device)]
        statuses = {reply.status for reply in replies}
        assert 503 in statuses
        assert statuses <= {200, 201, 202, 204, 404, 409, 410, 503}
        assert "event=database_error" in service.log.read_text()
        assert service.stop() == 0
