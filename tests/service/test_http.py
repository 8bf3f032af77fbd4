# SPDX-License-Identifier: BSD-2-Clause
"""Hostile bytes, sizes and numbers on the way to countersignd."""
import contextlib
import os
import random
import socket
import ssl
import time

import pytest

from service import Service, random_b64u, wait_until


@pytest.fixture(scope="module", params=["plain", "tls"])
def service(request):
    with Service(tls=request.param == "tls", max_pending_host=1000,
                 max_pending_user=1000) as found:
        yield found


def status_of(received):
    assert received.startswith(b"HTTP/1.1 "), received
    return int(received.split(b" ", 2)[1])


REFUSED = 64  # that are kept until they have asked for their 503
GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


HEADS = [
    (GOOD, 200),
    (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    (b"GET /healthz HTTP/1.1\r\nhOST:x\r\nconnection:\tCLOSE\r\n\r\n", 200),
    (b"GET /healthz HTTP/1.1\r\n\r\n", 400),               # no Host
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    (b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    (b"GET /healthz HTTP/1.1 \r\nHost: x\r\n\r\n", 505),
    (b"GET /healthz\r\n\r\n", 400),
    (b"GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /health\x80 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /health\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"G\x00T /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"G(T /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (GOOD.replace(b"GET", b"get"), 405),
    (b"\r\n\r\n", 400),
    (b"\r\n" + GOOD, 400),
    (b"GET /healthz HTTP/1.1\nHost: x\n\r\n\r\n", 400),     # bare LF
    (b"GET /healthz HTTP/1.1\r\nHost: x\rY: z\r\n\r\n", 400),  # bare CR
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\n: x\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: gold\r\n\r\n", 417),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
     b"\r\n\r\n0\r\n\r\n", 411),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
     b"Transfer-Encoding: chunked\r\n\r\n{}", 411),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
     b"Content-Length: 2\r\n\r\n{}", 400),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n"
     b"\r\n{}", 400),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n"
     b"\r\n{}", 400),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n"
     b"\r\n{}", 400),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 0x2\r\n"
     b"\r\n{}", 400),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n"
     b"\r\n{}", 400),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n"
     b"\r\n", 413),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: "
     b"99999999999999999999999\r\n\r\n", 413),
    (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: "
     b"4294967298\r\n\r\n", 413),
    (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 8200 + b"\r\n\r\n", 431),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 2000, 431),
    (b"a" * 9000, 431),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
     b"Content-Length: 2\r\n\r\n{}", 400),     # a GET has no body here
]


@pytest.mark.parametrize("data, status", HEADS, ids=range(len(HEADS)))
def test_request_heads(service, data, status):
    received = service.exchange_raw(data)
    assert status_of(received) == status
    assert b"\r\nContent-Security-Policy: default-src 'none'" in received
    assert b"\r\nCache-Control: no-store" in received
    assert received.count(b"\r\nDate: ") == 1


def test_refusal_after_a_head_has_its_body(service):
    sock = service.raw()
    sock.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status_of(sock.recv(65536)) == 200
    sock.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
    received = b""
    while more := sock.recv(65536):
        received += more
    assert status_of(received) == 400
    assert b'"error":"bad_request"' in received
    sock.close()


def test_body_is_refused_before_it_came_and_before_the_key(service):
    sock = service.raw()
    sock.sendall(b"POST /api/v1/approval HTTP/1.1\r\nHost: x\r\n"
                 b"Authorization: Bearer wrong\r\n"
                 b"Content-Type: application/json\r\n"
                 b"Content-Length: 1000000\r\n\r\n")
    assert status_of(sock.recv(65536)) == 413
    sock.close()


def test_reply_survives_a_body_that_nobody_reads(service):
    sock = service.raw()
    with contextlib.suppress(OSError):
        sock.sendall(b"POST /api/v1/approval HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 200000\r\n\r\n" + b"x" * 200000)
    assert status_of(sock.recv(65536)) == 413
    sock.close()


def test_largest_body_and_header(service):
    body = b'{"statusToken":"' + b"a" * 100 + b'"' + b" " * 16266 + b"}"
    assert len(body) == 16384
    head = (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close"
            b"\r\nContent-Type: application/json\r\nContent-Length: 16384"
            b"\r\nX: ")
    head += b"x" * (8192 - len(head) - 4) + b"\r\n\r\n"
    assert status_of(service.exchange_raw(head + body)) == 200
    assert status_of(service.exchange_raw(
        head.replace(b"X: ", b"X: y") + body)) == 431


def test_expect_continue(service):
    sock = service.raw()
    sock.sendall(b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\n"
                 b"Content-Type: application/json\r\nContent-Length: 19\r\n"
                 b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
    assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    sock.sendall(b'{"statusToken":"x"}')
    assert b'{"status":"unknown"}' in sock.recv(65536)
    sock.close()


@pytest.mark.parametrize("size", [1, 7, 63])
def test_request_in_pieces(service, size):
    body = b'{"statusToken":"x"}'
    data = (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Type: "
            b"application/json\r\nConnection: close\r\nContent-Length: "
            b"%d\r\n\r\n" % len(body)) + body
    sock = service.raw()
    for start in range(0, len(data), size):
        sock.sendall(data[start:start + size])
    received = b""
    while more := sock.recv(65536):
        received += more
    assert b'{"status":"unknown"}' in received
    sock.close()


def test_requests_in_one_piece(service):
    received = service.exchange_raw(
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 50 + GOOD)
    assert received.count(b"HTTP/1.1 200 OK") == 51


def test_random_bytes(service):
    rng = random.Random(1)
    seed = (b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\nContent-Type: "
            b"application/json\r\nContent-Length: 19\r\n\r\n"
            b'{"statusToken":"x"}')
    for _ in range(150):
        data = bytearray(seed)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        sock = service.raw()
        sock.sendall(bytes(data))
        if not service.tls:
            sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                sock.recv(65536)
        sock.close()
    assert status_of(service.exchange_raw(GOOD)) == 200
    assert service.process.poll() is None


def test_json_of_all_kinds_changes_nothing(service):
    """Mutations of a good call: refused or taken, never a crash."""
    import json
    host = service.add_host(f"mutations-{service.tls}")
    rng = random.Random(2)
    connection = service.connect()
    for _ in range(200):
        good = bytearray(json.dumps({
            "channel": "app", "linkId": random_b64u(16), "lifetime": 90,
            "content": random_b64u(40)}).encode())
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(good))
            good[at:at + rng.randrange(2)] = rng.choice(
                [b'"', b"{", b"}", b"[", b",", b":", b"\\", b"\x00", b"\xff",
                 b"9", b"-", b"\\u0000", b"e9"])
        reply = host.exchange(
            connection, "POST", "/api/v1/approval", bytes(good),
            {"Content-Type": "application/json"})
        assert reply.status in (201, 400, 422, 429), reply
    connection.close()


# --- many and slow ----------------------------------------------------------------

def test_a_thousand_connections():
    with Service() as service:
        host = service.add_host("web1")
        question = host.ask()
        sockets = [service.raw() for _ in range(1000)]
        for sock in sockets[::2]:
            sock.sendall(b"GET /heal")
        assert host.status(question).json["status"] == "pending"
        assert status_of(service.exchange_raw(GOOD)) == 200
        for sock in sockets:
            sock.close()


def test_full_service_says_so():
    with Service(max_connections=16) as service:
        host = service.add_host("web1")
        question = host.ask()
        polls = [service.raw() for _ in range(16)]
        body = b'{"statusToken":"%s","wait":30,"after":1}' % \
            question.token.encode()
        # Busy ones: half a request each.
        for sock in polls:
            sock.sendall(b"POST /api/v1/status HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Type: application/json\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body))
        received = wait_until(
            lambda: b" 503 " in (said := service.exchange_raw(GOOD)) and said,
            "the 503")
        assert b"\r\nRetry-After: 1\r\n" in received
        assert b'"error":"unavailable"' in received
        for sock in polls:
            sock.close()
        wait_until(lambda: b" 200 " in service.exchange_raw(GOOD), "room")


def test_idle_connections_make_room():
    with Service(max_connections=16) as service:
        sockets = []
        for _ in range(30):
            sock = service.raw()
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status_of(sock.recv(65536)) == 200
            sockets.append(sock)
        assert sockets[0].recv(1) == b""
        for sock in sockets:
            sock.close()


def test_slow_ones_make_room_in_a_full_service():
    """
    Long before their time is over, but only when somebody needs it; as many
    again have been refused, and do not stand in the way.
    """
    with Service(max_connections=16, max_connections_address=100) as service:
        slow = [service.raw() for _ in range(16 + REFUSED)]
        for sock in slow:
            sock.sendall(b"GET /healthz HTTP/1.1\r\n")
        start = time.monotonic()
        wait_until(lambda: b" 200 " in service.exchange_raw(GOOD), "room")
        assert time.monotonic() - start < 8
        gone = []
        for sock in slow[:16]:
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                gone.append(sock.recv(1))
        for sock in slow:
            sock.close()
        assert 1 <= len(gone) < 16 and set(gone) == {b""}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_slow_request_is_cut_off(tls):
    """Bytes that trickle in do not prolong it: 10 seconds, all in all."""
    with Service(tls=tls) as service:
        sock = service.raw()
        start = time.monotonic()
        sock.settimeout(0.5)
        data = iter(b"GET /healthz HTTP/1.1\r\nHost: " + b"x" * 1000)
        while True:
            try:
                sock.sendall(bytes([next(data)]))
                if sock.recv(1) == b"":
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                pass
            except OSError:
                break
            assert time.monotonic() - start < 20, "it is still open"
        assert time.monotonic() - start > 9
        sock.close()


def test_slow_handshake_is_cut_off():
    with Service(tls=True) as service:
        sock = socket.create_connection(("127.0.0.1", service.port))
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        sock.settimeout(20)
        start = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
        assert time.monotonic() - start > 8
        sock.close()


def test_plain_http_on_a_tls_port():
    with Service(tls=True) as service:
        sock = socket.create_connection(("127.0.0.1", service.port))
        sock.sendall(GOOD)
        sock.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP/1.1 200" not in sock.recv(65536)
        sock.close()
        assert status_of(service.exchange_raw(GOOD)) == 200


@pytest.mark.parametrize("version, good", [
    (ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_2, True),
    (ssl.TLSVersion.TLSv1_1, False)])
def test_tls_versions(version, good):
    with Service(tls=True) as service:
        context = ssl.create_default_context(
            cafile=str(service.folder / "ca.pem"))
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        sock = socket.create_connection(("127.0.0.1", service.port))
        if good:
            sock = context.wrap_socket(sock, server_hostname="localhost")
            name = sock.cipher()[0]
            assert "GCM" in name or "CHACHA20" in name
        else:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(sock, server_hostname="localhost")
        sock.close()


def test_descriptors_do_not_leak():
    with Service() as service:
        host = service.add_host("web1")
        folder = f"/proc/{service.process.pid}/fd"
        assert status_of(service.exchange_raw(GOOD)) == 200
        before = len(os.listdir(folder))
        for _ in range(100):
            service.exchange_raw(GOOD)
            host.ask()
            service.exchange_raw(b"nonsense\r\n\r\n")
        wait_until(lambda: len(os.listdir(folder)) == before, "the end")
