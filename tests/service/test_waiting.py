# SPDX-License-Identifier: BSD-2-Clause
"""Long polls: what wakes them, and what becomes of them."""
import os
import signal
import sqlite3
import time

import pytest

from service import Service, make_certificate, random_b64u, wait_until


@pytest.fixture(params=["plain", "tls", "unix"])
def service(request):
    with Service(tls=request.param == "tls",
                 unix=request.param == "unix") as found:
        yield found


@pytest.fixture
def host(service):
    return service.add_host("web1")


def connections(service):
    """Sockets of accepted connections."""
    folder = f"/proc/{service.process.pid}/fd"
    n = 0
    for fd in os.listdir(folder):
        try:
            n += os.readlink(f"{folder}/{fd}").startswith("socket:")
        except OSError:
            pass
    return n


def test_every_event_reaches_the_waiting_host(service, host):
    phone = service.phone()
    question = host.ask(username="alice")
    poll = host.poll(question, after=1)
    assert phone.seen(question).status == 204
    assert poll.result().json["event"] == "seen"
    poll = host.poll(question, after=2)
    answer = random_b64u(99)
    assert phone.answer(question, answer).json["sequence"] == 3
    assert poll.result().json == {
        "transactionId": question.transaction_id, "status": "pending",
        "sequence": 3, "event": "answered", "answer": answer}
    poll = host.poll(question, after=3)
    assert host.outcome(question, "granted").status == 204
    assert poll.result().json["status"] == "succeeded"


def test_outcome_reaches_the_waiting_phone(service, host):
    phone = service.phone()
    question = host.ask(username="alice")
    phone.answer(question)
    watch = phone.watch(question, after=2)
    host.outcome(question, "rejected", reason="CODE", triesLeft=1)
    assert watch.result().json == {"state": "pending", "sequence": 3,
                                   "reason": "CODE", "triesLeft": 1}
    watch = phone.watch(question, after=3)
    host.cancel(question)
    assert watch.result().json["state"] == "cancelled"


def test_only_the_right_one_wakes(service, host):
    phone = service.phone()
    questions = [host.ask() for _ in range(5)]
    polls = [host.poll(question, after=1) for question in questions]
    phone.seen(questions[2])
    assert polls[2].result().json["transactionId"] == \
        questions[2].transaction_id
    assert [poll.done() for poll in polls] == [False, False, True, False,
                                               False]
    for question, poll in zip(questions, polls):
        host.cancel(question)
        poll.result()


def test_wait_ends_without_news(host):
    question = host.ask()
    before = time.monotonic()
    reply = host.status(question, wait=1, after=1)
    assert reply.json["sequence"] == 1
    assert reply.at - before >= 0.99


def test_closed_ones_do_not_wait(service, host):
    question = host.ask()
    host.cancel(question)
    assert host.status(question, wait=30, after=9).json["status"] == "failed"
    watched = service.phone().events(question, wait=30, after=9)
    assert watched.json["state"] == "cancelled"


def test_a_ninth_waiter_takes_the_place_of_the_first(host):
    question = host.ask()
    polls = [host.poll(question, after=1) for _ in range(9)]
    assert polls[0].result().json["sequence"] == 1
    assert not any(poll.done() for poll in polls[1:])
    host.cancel(question)
    assert {poll.result().json["event"] for poll in polls[1:]} == {"cancelled"}


def test_clients_that_leave_are_forgotten(service, host):
    before = connections(service)
    question = host.ask()
    for n in range(3):
        sock = service.raw()
        body = b'{"statusToken":"%s","wait":30,"after":1}' % \
            question.token.encode()
        sock.sendall(b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Type: application/json\r\nContent-Length: "
                     b"%d\r\n\r\n" % len(body) + body)
        wait_until(lambda n=n: service.calls("/api/v1/status") > n,
                   "the poll")
        sock.close()
        wait_until(lambda: connections(service) == before, "the end")
    assert service.phone().seen(question).status == 204


def test_waiter_of_a_revoked_host_hears_nothing_of_others(service):
    """The database gives the place of the newest question away again."""
    old = service.add_host("leaving")
    poll = old.poll(old.ask(), after=1)
    run = service.run("host", "revoke", "leaving", "--config", service.conf)
    assert run.returncode == 0
    other = service.add_host("staying")
    question = other.ask()
    assert service.phone().answer(question).status == 202
    assert poll.result().json == {"status": "unknown"}
    assert other.status(question).json["event"] == "answered"


def test_request_behind_a_waiting_one(service, host):
    """The second request of a connection waits for the first's reply."""
    question = host.ask()
    body = b'{"statusToken":"%s","wait":30,"after":1}' % \
        question.token.encode()
    sock = service.raw()
    sock.sendall(b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\n"
                 b"Content-Type: application/json\r\nContent-Length: %d"
                 b"\r\n\r\n%sGET /healthz HTTP/1.1\r\nHost: x\r\n"
                 b"Connection: close\r\n\r\n" % (len(body), body))
    wait_until(lambda: service.calls("/api/v1/status"), "the poll")
    assert service.calls("/healthz") == 0
    service.phone().seen(question)
    received = b""
    while more := sock.recv(65536):
        received += more
    first, second = received.split(b"HTTP/1.1 200 OK")[1:]
    assert b'"event":"seen"' in first
    assert b'{"status":"ok"}' in second
    sock.close()


# --- kill -9, restart, stop ---------------------------------------------------

STATES = ["pending", "seen", "answered", "rejected", "granted", "denied",
          "cancelled"]


def bring(host, phone, question, state):
    """Leads a question into a state; the status it has then."""
    if state == "seen":
        phone.seen(question)
    elif state == "cancelled":
        host.cancel(question)
    elif state != "pending":
        phone.answer(question)
        if state != "answered":
            assert host.outcome(question, state, triesLeft=1).status == 204
    return host.status(question).json


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "stopped"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_lost(state, kill):
    with Service() as service:
        host, phone = service.add_host("web1"), service.phone()
        question = host.ask(username="alice")
        before = bring(host, phone, question, state)
        told = phone.events(question).json
        opened = phone.open(question)
        service.restart(kill)
        assert host.status(question).json == before
        assert phone.events(question).json == told
        again = phone.open(question)
        assert again.status == opened.status
        if opened.status == 200:
            assert again.json["content"] == opened.json["content"]
        if state in ("pending", "seen", "rejected"):
            poll = host.poll(question, after=before["sequence"])
            phone.answer(question)
            assert poll.result().json["event"] == "answered"


def test_enrolment_survives_kill():
    with Service() as service:
        host, phone = service.add_host("web1"), service.phone()
        question = host.enroll("alice")
        phone.answer(question)
        phone.device(question, "4hx2k7q3m5rj6wza", "x")
        service.restart()
        assert host.outcome(question, "granted").status == 204
        service.restart()
        user = host.get("/api/v1/users?username=alice").json
        assert [a["authenticatorId"] for a in user["authenticators"]] == \
            ["4hx2k7q3m5rj6wza"]


def test_stop_tells_those_who_wait(service, host):
    question = host.ask()
    poll = host.poll(question, after=1)
    watch = service.phone().watch(question, after=1)
    assert service.stop() == 0
    assert poll.result().json["sequence"] == 1
    assert watch.result().json["state"] == "pending"
    assert poll.result().headers["Connection"] == "close"
    service.start()
    assert host.status(question).json["status"] == "pending"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_stop_with_idle_connections(service, signum):
    sockets = [service.raw() for _ in range(3)]
    sockets[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert sockets[0].recv(65536)
    assert service.stop(signum) == 0
    assert "event=stopped" in service.log.read_text()


def test_stop_does_not_wait_for_a_stalled_request(service):
    sock = service.raw()
    sock.sendall(b"GET /healthz HTTP/1.1\r\n")
    assert service.stop() == 0
    sock.close()


# --- time ----------------------------------------------------------------------

def age(service, question, seconds_left):
    """As if the question had been made earlier; the service is down."""
    ends = int((time.time() + seconds_left) * 1000)
    with sqlite3.connect(service.database) as db:
        n = db.execute(
            "UPDATE approvals SET ends = ?1,"
            " due = ?1 + CASE WHEN state <= 2 THEN 0 ELSE 31000 END"
            " WHERE transaction_id = ?2",
            (ends, question.transaction_id)).rowcount
    db.close()
    assert n == 1


@pytest.fixture
def aged():
    """A service, and a way to make questions old."""
    with Service() as found:
        def make_old(question, seconds_left):
            found.kill()
            age(found, question, seconds_left)
            found.start()
        found.make_old = make_old
        yield found


@pytest.mark.parametrize("state", ["pending", "seen"])
def test_expiry_wakes_those_who_wait(aged, state):
    host, phone = aged.add_host("web1"), aged.phone()
    question = host.ask()
    sequence = bring(host, phone, question, state)["sequence"]
    aged.make_old(question, 5)
    assert host.status(question).json["status"] == "pending"
    poll = host.poll(question, after=sequence)
    watch = phone.watch(question, after=sequence)
    assert poll.result().json["event"] == "expired"
    assert poll.result().json["status"] == "failed"
    assert watch.result().json["state"] == "expired"
    for reply in (phone.open(question), phone.seen(question),
                  phone.answer(question)):
        assert (reply.status, reply.json["error"]) == (410, "expired")
    assert host.outcome(question, "granted").status == 410


def test_expired_while_nobody_ran(aged):
    host = aged.add_host("web1")
    question = host.ask()
    aged.make_old(question, -1)
    assert host.status(question).json["event"] == "expired"


def test_answer_in_time_may_be_granted_a_moment_later(aged):
    host, phone = aged.add_host("web1"), aged.phone()
    question = host.ask()
    phone.answer(question)
    aged.make_old(question, 0)
    assert host.status(question).json["event"] == "answered"
    assert host.outcome(question, "granted").status == 204
    assert phone.events(question).json["state"] == "granted"


def test_answer_without_outcome_expires(aged):
    host, phone = aged.add_host("web1"), aged.phone()
    question = host.ask()
    phone.answer(question)
    aged.make_old(question, -2)
    poll = host.poll(question, after=2)
    assert poll.result().json["event"] == "expired"


@pytest.mark.parametrize("state", ["pending", "answered", "granted"])
def test_removed_half_a_minute_after_its_end(aged, state):
    host, phone = aged.add_host("web1"), aged.phone()
    question, other = host.ask(), host.ask()
    bring(host, phone, question, state)
    aged.make_old(question, -25)
    assert host.status(question).json["status"] in ("failed", "succeeded")
    aged.make_old(question, -40)
    wait_until(lambda: host.status(question).json == {"status": "unknown"},
               "the removal")
    assert phone.open(question).status == 404
    assert host.status(other).json["status"] == "pending"
    assert host.ask(linkId=question.link_id).reply.status == 201


def test_many_due_at_once(aged):
    aged.stop()
    aged.configure(max_pending_host=1000)
    aged.start()
    host = aged.add_host("web1")
    questions = [host.ask() for _ in range(600)]
    aged.kill()
    with sqlite3.connect(aged.database) as db:
        db.execute("UPDATE approvals SET ends = 1, due = 1")
    db.close()
    aged.start()
    wait_until(lambda: host.status(questions[-1]).json["status"] ==
               "unknown", "the removal")
    with sqlite3.connect(aged.database) as db:
        assert db.execute("SELECT count(*) FROM sealed").fetchone()[0] == 0
        assert db.execute("SELECT open FROM hosts").fetchone()[0] == 0


# --- certificates ----------------------------------------------------------------

def served_certificate(service):
    sock = service.raw()
    found = sock.getpeercert()["subject"][0][0][1]
    sock.close()
    return found


def test_certificate_is_read_again_on_sighup():
    with Service(tls=True) as service:
        host = service.add_host("web1")
        question = host.ask()
        poll = host.poll(question, after=1)
        assert served_certificate(service) == "service"
        pem, key = make_certificate(service.folder, "renewed")
        pem.rename(service.settings["tls_certificate"])
        key.rename(service.settings["tls_key"])
        assert served_certificate(service) == "service"
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: served_certificate(service) == "renewed")
        service.phone().seen(question)
        assert poll.result().json["event"] == "seen"


def test_bad_certificate_on_sighup_keeps_the_old_one():
    with Service(tls=True) as service:
        service.settings["tls_key"].write_text("nonsense")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "event=certificate_not_reloaded" in
                   service.log.read_text())
        assert served_certificate(service) == "service"
