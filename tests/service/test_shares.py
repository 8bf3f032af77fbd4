# SPDX-License-Identifier: BSD-2-Clause
"""Nobody takes the connections of others: max_connections_address."""
import collections
import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service import Service, random_b64u, wait_until

FLOODER = "127.0.0.2"
HALF = b"GET /healthz HTTP/1.1\r\n"
WHOLE = HALF + b"Host: x\r\n\r\n"
SHARE = 20


def line(text):
    return text.encode().replace(b"\n", b"\r\n")


@contextlib.contextmanager
def crowd(service, count, data, source=FLOODER):
    """Connections of one address, each of which has sent the same."""
    with contextlib.ExitStack() as stack:
        def one():
            sock = stack.enter_context(contextlib.closing(
                socket.create_connection(("127.0.0.1", service.port),
                                         source_address=(source, 0))))
            with contextlib.suppress(OSError):
                sock.sendall(data)
            return sock
        yield [one() for _ in range(count)]


def ended(sock):
    """What came of it, if the service has closed it; None: it is open."""
    received = b""
    while select.select([sock], [], [], 0)[0]:
        try:
            more = sock.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            return received
        received += more
    return None


def ended_early(sock):
    """Without a word, after waiting for one."""
    assert select.select([sock], [], [], 10)[0]
    with contextlib.suppress(ConnectionResetError):
        return sock.recv(65536) == b""
    return True


def count_open(socks):
    return sum(ended(sock) is None for sock in socks)


def say(service, data, source="127.0.0.1"):
    """What comes back for it; b"" if it was closed at once."""
    with crowd(service, 1, data, source) as [sock]:
        sock.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            return sock.recv(65536)
    return b""


def served(received):
    return received.startswith(b"HTTP/1.1 200 ")


def is_refusal(received):
    return received.startswith(b"HTTP/1.1 503 ") and \
        b"\r\nRetry-After: 1\r\n" in received and \
        b"\r\nConnection: close\r\n" in received


def question_of(host):
    question = host.ask(lifetime=300)
    assert question.reply.status == 201
    return question


@contextlib.contextmanager
def waiting(service, host, count, source=FLOODER):
    """Phones of one address with a question each: those stay."""
    before = service.calls("/links/x/events")
    calls = [line(f"GET /links/{question_of(host).link_id}/events"
                  "?wait=30&after=1 HTTP/1.1\nHost: x\n\n")
             for _ in range(count)]
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(crowd(service, 1, call, source))[0]
                 for call in calls]
        wait_until(lambda: service.calls("/links/x/events") == before + count,
                   "the polls")
        yield socks


def replied(socks):
    wait_until(lambda: all(select.select([sock], [], [], 0)[0]
                           for sock in socks), "replies")


def refusals(service, limit):
    """The log's lines about it: the addresses, and how many in all."""
    found = re.findall(r"<4>event=connections_refused limit=(\S+)(.*)"
                       r" refused=(\d+)\n", service.log.read_text())
    assert {kind for kind, _, _ in found} == {limit}, found
    return [rest for _, rest, _ in found], sum(int(n) for *_, n in found)


def put_out(service, limit):
    """The addresses in the log's lines about it, and how many in all."""
    found = re.findall(r"<4>event=connections_put_out limit=(\S+) "
                       r"address=(\S+) closed=(\d+)\n",
                       service.log.read_text())
    assert {kind for kind, *_ in found} == {limit}, found
    # At first twice as many lines as in a minute.
    assert len(found) <= 12
    return {address for _, address, _ in found}, sum(int(n) for *_, n in found)


def log_in(service, host):
    """A question, a phone's answer, and the poll that waits for it."""
    question = question_of(host)
    poll = host.poll(question, after=1)
    assert service.phone().open(question).status == 200
    assert service.phone().answer(question).status == 202
    assert poll.result().json["event"] == "answered"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_one_address_takes_its_share_and_no_more(tls):
    with Service(tls=tls, max_connections=100,
                 max_connections_address=SHARE) as service:
        host = service.add_host("web1")
        waiting = host.poll(question_of(host), after=1)
        # Of TLS, one that begins a handshake.
        half = b"\x16\x03\x01\x02\x00\x01\x00" if tls else HALF
        with crowd(service, 300, half) as socks:
            wait_until(lambda: count_open(socks) <= SHARE, "room")
            # The newest of them, and nobody was refused for it.
            assert count_open(socks) == count_open(socks[-SHARE:]) == SHARE
            began = time.monotonic()
            for _ in range(5):
                log_in(service, host)
            assert time.monotonic() - began < 30
            assert not waiting.done()
        assert "connections_refused" not in service.log.read_text()
        addresses, closed = put_out(service, "address")
        assert addresses == {FLOODER} and 1 <= closed <= 300 - SHARE


def test_refused_early_and_then_at_once():
    with Service(max_connections_address=SHARE) as service:
        host = service.add_host("web1")
        with waiting(service, host, SHARE) as inside, \
                crowd(service, 1, WHOLE, "127.0.0.3") as [idle]:
            replied([idle])
            assert served(say(service, WHOLE))
            # Before its body came.
            received = say(service, b"POST /links/x/answer HTTP/1.1\r\n"
                           b"Host: x\r\nContent-Length: 16000\r\n\r\n",
                           FLOODER)
            assert is_refusal(received), received
            with contextlib.ExitStack() as stack:
                # They have their reply, and stay as long as they may.
                wait_until(lambda: ended_early(stack.enter_context(
                    crowd(service, 1, WHOLE))[0]), "the end")
            # Who waits is never put out, and nobody else for it.
            assert count_open(inside) == SHARE
            assert ended(idle) is None
            lines, refused = refusals(service, "address")
            assert 1 <= len(lines) <= 20 and refused >= 1
            assert {rest.split("address=")[1] for rest in lines} == {FLOODER}
        wait_until(lambda: served(say(service, WHOLE, FLOODER)), "room")


def test_the_oldest_idle_one_of_the_address_makes_room():
    with Service(max_connections_address=SHARE) as service:
        with crowd(service, 1, WHOLE, "127.0.0.3") as [older], \
                crowd(service, SHARE, WHOLE) as idle:
            replied([older, *idle])
            with crowd(service, 3, HALF):
                wait_until(lambda: count_open(idle) == SHARE - 3, "room")
                assert all(ended(sock) is not None for sock in idle[:3])
                assert ended(older) is None
        assert "connections_refused" not in service.log.read_text()


def test_the_oldest_request_of_the_address_makes_room():
    """However new it is, but not before those that are idle."""
    with Service(max_connections_address=SHARE) as service:
        with crowd(service, 1, HALF, "127.0.0.3") as [other], \
                crowd(service, SHARE - 1, HALF) as slow, \
                crowd(service, 1, WHOLE) as [idle]:
            replied([idle])
            with crowd(service, 1, HALF), contextlib.ExitStack() as stack:
                wait_until(lambda: ended(idle) is not None, "room")
                assert count_open(slow) == SHARE - 1
                more = stack.enter_context(crowd(service, 3, HALF))
                wait_until(lambda: count_open(slow) == SHARE - 4, "more room")
                assert all(ended(sock) is not None for sock in slow[:3])
                assert count_open(more) == 3 and ended(other) is None
        assert "connections_refused" not in service.log.read_text()
        assert put_out(service, "address") == ({FLOODER}, 3)


class Flood:
    """Connections that say nothing, as fast as they can be made."""

    def __init__(self, service, keep):
        self.service, self.keep = service, keep
        self.socks = collections.deque()

    def go(self, count):
        for _ in range(count):
            self.socks.append(socket.create_connection(
                ("127.0.0.1", self.service.port)))
            if len(self.socks) > self.keep:
                self.socks.popleft().close()

    def close(self):
        for sock in self.socks:
            sock.close()


def test_a_host_gets_in_from_an_address_that_floods():
    """Its key is in time unless the whole share comes after its connection;
    that depends on who is how fast, so the flood stops just before."""
    share = 300
    with Service(max_connections_address=share) as service, \
            contextlib.closing(Flood(service, 2 * share)) as flood, \
            ThreadPoolExecutor(1) as thread:
        host = service.add_host("web1")
        flood.go(share)
        for _ in range(20):
            flooding = thread.submit(flood.go, share - 10)
            log_in(service, host)
            flooding.result()
        assert "connections_refused" not in service.log.read_text()


def status_call(token, key=None, wait=30):
    body = '{"statusToken":"%s","wait":%d,"after":1}' % (token, wait)
    head = f"Authorization: Bearer {key}\n" if key else ""
    return line("POST /api/v1/status HTTP/1.1\nHost: x\n" + head +
                "Content-Type: application/json\n"
                f"Content-Length: {len(body)}\n\n") + body.encode()


@pytest.mark.parametrize("with_key", [True, False], ids=["key", "token"])
def test_hosts_do_not_count_for_their_address(with_key):
    """Many who wait, of several hosts at one address."""
    with Service(max_connections_address=SHARE) as service:
        hosts = [service.add_host(f"web{n}") for n in range(2)]
        polls = [(question_of(host), host) for host in hosts
                 for _ in range(SHARE)]
        with contextlib.ExitStack() as stack:
            socks = []
            for n, (question, host) in enumerate(polls, 1):
                socks += stack.enter_context(crowd(service, 1, status_call(
                    question.token, host.key if with_key else None)))
                wait_until(lambda n=n: service.calls("/api/v1/status") == n,
                           "the poll")
            assert count_open(socks) == 2 * SHARE
            with waiting(service, hosts[0], SHARE) as phones:
                assert is_refusal(say(service, WHOLE, FLOODER))
                assert count_open(phones) == SHARE
                assert count_open(socks) == 2 * SHARE
            # Nothing but the end of the question ends the wait.
            assert service.phone().answer(polls[0][0]).status == 202
            assert b'"answered"' in socks[0].recv(65536)


@pytest.mark.parametrize("data", [
    status_call(random_b64u(32), wait=0),
    status_call(random_b64u(32), random_b64u(32), wait=0)],
    ids=["token", "key"])
def test_a_wrong_key_or_token_proves_nothing(data):
    with Service(max_connections_address=SHARE) as service:
        with crowd(service, SHARE, data) as socks:
            replied(socks)
            with crowd(service, SHARE, WHOLE) as more:
                replied(more)
                assert count_open(socks) == 0
                assert count_open(more) == SHARE


def ping(key):
    return line("GET /ping HTTP/1.1\nHost: x\n"
                f"Authorization: Bearer {key}\n\n")


def test_a_host_has_a_share_of_its_own():
    """Twice its questions and 64; its idle ones go first."""
    pending = 11
    share = 2 * pending + 64
    with Service(max_pending_host=pending) as service:
        host, other = service.add_host("web1"), service.add_host("web2")
        tokens = [question_of(host).token for _ in range(pending)]
        with crowd(service, share, ping(host.key)) as idle:
            replied(idle)
            assert count_open(idle) == share
            with crowd(service, 1, ping(host.key)) as [more]:
                replied([more])
                assert count_open(idle) == share - 1
                assert ended(idle[0]) is not None
        with contextlib.ExitStack() as stack:
            # Up to 8 may wait for one question.
            polls = [stack.enter_context(crowd(
                service, 1, status_call(tokens[n // 8], host.key)))[0]
                for n in range(share)]
            wait_until(lambda: service.calls("/api/v1/status") == share,
                       "the polls")
            assert is_refusal(say(service, ping(host.key)))
            assert count_open(polls) == share
            lines, refused = refusals(service, "host")
            assert lines == [" host=web1 address=127.0.0.1"] and refused == 1
            assert served(say(service, ping(other.key)))
            assert served(say(service, WHOLE))


def test_connections_of_trusted_proxies_are_nobodys():
    """Not even those that carry what a host asks."""
    with Service(max_connections_address=SHARE, max_pending_host=1,
                 trusted_proxies=FLOODER) as service:
        host = service.add_host("web1")
        with crowd(service, 3 * SHARE, WHOLE) as idle, \
                crowd(service, 100, ping(host.key)) as pings:
            replied(idle + pings)
            assert served(say(service, ping(host.key), FLOODER))
            assert count_open(idle + pings) == 3 * SHARE + 100
        with crowd(service, SHARE + 1, WHOLE, "127.0.0.3") as idle:
            wait_until(lambda: count_open(idle) == SHARE, "room")


# As an account of its own: a poll for each link, and many that say nothing.
FILL = """
import os, select, socket, sys
os.setgid(65534)
os.setuid(65534)
socks = []
def connect():
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(sys.argv[1])
    socks.append(sock)
    return sock
for link in sys.argv[2:]:
    call = f"GET /links/{link}/events?wait=30&after=1 HTTP/1.1"
    connect().sendall(call.encode() + b"\\r\\nHost: x\\r\\n\\r\\n")
sys.stdin.readline()
for _ in range(100):
    connect()
print("up", flush=True)
sys.stdin.read()
print([not select.select([sock], [], [], 0)[0] for sock in socks])
"""


def test_accounts_at_the_unix_socket():
    if os.geteuid() != 0:
        pytest.skip("this needs root")
    with Service(unix=True, max_connections_address=SHARE) as service:
        service.folder.chmod(0o755)
        host = service.add_host("web1")
        links = [question_of(host).link_id for _ in range(SHARE)]
        with subprocess.Popen(
                [sys.executable, "-c", FILL, service.socket, *links],
                text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE) as fill:
            wait_until(lambda: service.calls("/links/x/events") == SHARE,
                       "the polls")
            fill.stdin.write("on\n")
            fill.stdin.flush()
            assert fill.stdout.readline() == "up\n"
            wait_until(lambda: "limit=account address=unix uid=65534 "
                       in service.log.read_text(), "the refusal")
            for _ in range(SHARE):
                assert served(service.exchange_raw(
                    HALF + b"Host: x\r\nConnection: close\r\n\r\n"))
            fill.stdin.close()
            still_open = json.loads(fill.stdout.read().lower())
            assert len(still_open) == SHARE + 100
            assert all(still_open[:SHARE])
            assert sum(still_open) <= SHARE + 8


def test_a_full_service_is_logged():
    with Service(max_connections=16) as service:
        with waiting(service, service.add_host("web1"), 16):
            for _ in range(20):
                assert is_refusal(say(service, WHOLE))
        lines, _ = refusals(service, "all")
        assert 1 <= len(lines) <= 10


def test_what_a_full_service_puts_out_is_logged():
    """A line about many addresses is one for all of them."""
    with Service(max_connections=40) as service, \
            contextlib.ExitStack() as stack:
        def come(network):
            return [stack.enter_context(crowd(
                service, 1, HALF, f"127.0.{network}.{n}"))[0]
                for n in range(1, 41)]
        first = come(1)
        wait_until(lambda: served(say(service, WHOLE)), "room")
        come(2)
        wait_until(lambda: count_open(first) < 20, "more room")
        addresses, closed = put_out(service, "all")
        assert all(address.startswith("127.0.1.") for address in addresses)
        assert 1 <= closed <= 40


def test_refused_ones_are_kept_until_they_ask():
    """Sixty-four of them: then the oldest goes for the next."""
    with Service(max_connections=16, max_connections_address=100) as service:
        with waiting(service, service.add_host("web1"), 16), \
                crowd(service, 65, HALF) as refused:
            assert ended_early(refused[0])
            for sock in refused[1:]:
                assert ended(sock) is None
                sock.sendall(b"Host: x\r\n\r\n")
                sock.settimeout(10)
                assert is_refusal(sock.recv(65536))
            # They have not gone yet, and there is nobody to go for this one.
            assert say(service, WHOLE) == b"" or count_open(refused) < 64
        assert served(say(service, WHOLE))
        assert "connections_put_out" not in service.log.read_text()


def test_refused_ones_take_nobodys_room():
    with Service(max_connections=16, max_connections_address=100) as service:
        with waiting(service, service.add_host("web1"), 16) as busy, \
                crowd(service, 64, HALF) as refused:
            assert is_refusal(say(service, WHOLE))
            busy[0].close()
            wait_until(lambda: served(say(service, WHOLE)), "room")
            assert count_open(refused) > 0
        assert "connections_put_out" not in service.log.read_text()
