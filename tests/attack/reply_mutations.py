# SPDX-License-Identifier: BSD-2-Clause
"""
Every way to get a reply of the host API wrong, and some that are not.

mutations(endpoint) yields (name, verdict, rule): rule(good, connection) gives
the bytes to send, or sends them itself, or breaks the connection; good is the
Reply that an honest service would give.
"""
import gzip
import json
import time
import zlib

from couriers import Close, reset
from host_api import AGAIN, BAD, FINE, SLOW, Number


def send(make):
    return lambda good, connection: make(good)


def sent_and_closed(make):
    def rule(good, connection):
        connection.sendall(make(good))
        raise Close
    return rule


def drip(make):
    """These bytes, and then one more now and then, for ever."""
    def rule(good, connection):
        connection.sendall(make(good))
        while True:
            connection.sendall(b"x")
            time.sleep(0.2)
    return rule


def silent(make):
    def rule(good, connection):
        connection.sendall(make(good))
        connection.recv(1)
        raise Close
    return rule


def flood(make, piece, pause=0.0):
    def rule(good, connection):
        connection.sendall(make(good))
        while True:
            connection.sendall(piece)
            time.sleep(pause)
    return rule


# --- the status line ---------------------------------------------------------

FINAL = [200, 201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 302, 303, 304,
         305, 307, 308, 399, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
         410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 425, 426, 428,
         431, 451, 499, 600, 700, 999]
LATER = [429, 500, 501, 502, 503, 504, 505, 511, 599]


def statuses(endpoint):
    for status in FINAL + LATER:
        if status == endpoint.status:
            continue
        yield (f"status {status}", AGAIN if status in LATER else BAD,
               send(lambda good, status=status: good.raw(status=status)))
    for status in (301, 302, 303, 307, 308):
        yield f"status {status} to elsewhere", BAD, send(
            lambda good, status=status: good.raw(status=status, headers=[
                *good.types(), "Location: https://127.0.0.1:1/"]))
    for word, verdict in (("0.9", BAD), ("2", FINE), ("3", BAD)):
        yield f"HTTP/{word}", verdict, sent_and_closed(
            lambda good, word=word: good.raw(version=f"HTTP/{word}"))
    for name, line in {
            "no version": b"PONG", "SSH": b"SSH-2.0-OpenSSH_9.2p1\r\n",
            "two-digit status": b"HTTP/1.1 20 OK\r\n\r\n",
            "noise": bytes(range(128, 256)), "NUL": bytes(64),
            "SMTP": b"220 mail\r\n", "empty lines": b"\r\n\r\n\r\n"}.items():
        yield f"instead of HTTP: {name}", BAD, sent_and_closed(
            lambda good, line=line: line)
    yield "HTTP/1.0", FINE, sent_and_closed(
        lambda good: good.raw(version="HTTP/1.0"))


# --- headers -----------------------------------------------------------------

TYPES = ["text/html", "application/jsonp", "application/json; charset=utf-8",
         "application/problem+json", "text/json", "json", "", "*/*",
         "application/json,application/json", "text/plain; charset=utf-8",
         "multipart/mixed", "application /json"]
HARMLESS = {
    "a cookie": "Set-Cookie: a=b; Path=/",
    "HSTS": "Strict-Transport-Security: max-age=31536000",
    "alt-svc": 'Alt-Svc: h2="127.0.0.1:1"; ma=86400',
    "a location": "Location: https://127.0.0.1:1/",
    "a challenge": 'WWW-Authenticate: Basic realm="x"',
    "identity": "Content-Encoding: identity",
    "an end": "Connection: close",
    "another length's name": "Content-Lengths: 1",
    "escapes": "X-Escapes: \x1b]0;x\x07",
    "spaces": "X-Space:\t \t x \t",
    "Retry-After": "Retry-After: 1000000000",
}


def headers(endpoint):
    def more(*lines):
        return send(lambda good: good.raw(headers=[*good.types(), *lines]))

    if endpoint.kind:
        for kind in TYPES:
            yield f"type {kind!r}", BAD, send(
                lambda good, kind=kind: good.raw(
                    headers=[f"Content-Type: {kind}"]))
        yield "no type", BAD, send(lambda good: good.raw(headers=[]))
        yield "its type twice", BAD, send(
            lambda good: good.raw(headers=good.types() * 2))
        yield "two types", BAD, more("Content-Type: text/html")
        yield "type in capitals", FINE, send(
            lambda good: good.raw(headers=[good.types()[0].upper()]))
        for coding in ("gzip", "deflate", "br", "zstd", "x", "identity, gzip"):
            yield f"says {coding}", BAD, more(f"Content-Encoding: {coding}")
        yield "gzip", BAD, send(lambda good: good.with_body(
            gzip.compress(good.body),
            [*good.types(), "Content-Encoding: gzip"]))
        yield "gzip, unsaid", BAD, send(
            lambda good: good.with_body(gzip.compress(good.body)))
        yield "gzip bomb", BAD, send(lambda good: good.with_body(
            zlib.compress(bytes(1 << 24)),
            [*good.types(), "Content-Encoding: deflate"]))
    for name, line in HARMLESS.items():
        yield f"with {name}", FINE, more(line)
    for name, count, size in (("90 of 100 bytes", 90, 100),
                              ("one of 9000 bytes", 1, 9000),
                              ("one of 200,000 bytes", 1, 200000),
                              ("5000 of them", 5000, 3)):
        yield f"headers: {name}", BAD, more(
            *[f"X{n}: " + "x" * size for n in range(count)])


# --- the body as bytes -------------------------------------------------------

def lengths(endpoint):
    if not endpoint.kind:
        return
    yield "too long", BAD, send(
        lambda good: good.with_body(b" " * 40000 + good.body))
    yield "cut by a byte", BAD, send(
        lambda good: good.with_body(good.body[:-1]))
    yield "no body", BAD, send(lambda good: good.with_body(b""))
    yield "one byte", BAD, send(lambda good: good.with_body(b"{"))
    yield "without a length", FINE, sent_and_closed(
        lambda good: good.raw(length=False))
    yield "length longer than it is", AGAIN, sent_and_closed(
        lambda good: good.raw(size=9000))
    for length in ("-1", "x", "", "18446744073709551616"):
        yield f"length {length!r}", BAD, sent_and_closed(
            lambda good, length=length: good.raw(size=length))
    yield "length 0, and a body", BAD, send(lambda good: good.raw(size=0))
    yield "length too short", BAD, send(
        lambda good: good.raw(size=len(good.body) - 1))
    yield "in chunks", FINE, send(lambda good: good.chunked(
        good.body[:7], good.body[7:]))
    yield "in single bytes", FINE, send(lambda good: good.chunked(
        *[good.body[n:n + 1] for n in range(len(good.body))]))
    yield "chunks and a trailer", FINE, send(lambda good: good.chunked(
        good.body, end=b"0\r\nX-Trailer: x\r\n\r\n"))
    yield "chunks that are too long", BAD, send(lambda good: good.chunked(
        *[b" " * 8192] * 5, good.body))
    yield "chunks without an end", AGAIN, sent_and_closed(
        lambda good: good.chunked(good.body, end=b""))
    for name, end in {"a chunk of junk": b"zz\r\n", "a huge chunk":
                      b"ffffffffffffffffff\r\n", "a chunk below zero":
                      b"-1\r\n"}.items():
        yield name, AGAIN, sent_and_closed(
            lambda good, end=end: good.chunked(good.body, end=end))


def cuts(endpoint):
    """The honest reply, cut at each eighth of its parts."""
    for n in range(1, 8):
        yield f"cut in the status line at {n}/8", AGAIN, sent_and_closed(
            lambda good, n=n: good.head()[:16 * n // 8])
    if endpoint.kind:
        for n in range(1, 8):
            yield f"cut in the headers at {n}/8", BAD, sent_and_closed(
                lambda good, n=n: good.head()[
                    :16 + (len(good.head()) - 16) * n // 8])
        for n in range(8):
            yield f"cut in the body at {n}/8", AGAIN, sent_and_closed(
                lambda good, n=n: good.raw()[
                    :len(good.head()) + len(good.body) * n // 8])


# --- time --------------------------------------------------------------------

def times(endpoint):
    yield "a reset", AGAIN, lambda good, connection: reset(connection)
    yield "a reset in the head", AGAIN, lambda good, connection: (
        connection.sendall(good.head()[:9]), reset(connection))
    yield "closed", AGAIN, sent_and_closed(lambda good: b"")
    yield "silence", SLOW, silent(lambda good: b"")
    yield "101", SLOW, silent(lambda good: b"HTTP/1.1 101 Switching "
                              b"Protocols\r\nUpgrade: websocket\r\n"
                              b"Connection: Upgrade\r\n\r\n")
    yield "100 and silence", SLOW, silent(
        lambda good: b"HTTP/1.1 100 Continue\r\n\r\n")
    yield "100 for ever", BAD, flood(
        lambda good: b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 9, 0.02)
    yield "head, byte by byte", SLOW, drip(lambda good: good.head()[:-2] +
                                           b"X: ")
    yield "status, byte by byte", SLOW, drip(lambda good: b"HTTP/1.1 2")
    yield "headers without end", BAD, flood(
        lambda good: good.head()[:-2], b"X-Header: x\r\n" * 500)
    yield "100, then the reply", FINE, send(
        lambda good: b"HTTP/1.1 100 Continue\r\n\r\n" + good.raw())
    yield "103, then the reply", FINE, send(
        lambda good: b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" +
        good.raw())
    if endpoint.kind:
        yield "half a body, and silence", SLOW, silent(
            lambda good: good.raw()[:-3])
        yield "body, byte by byte", SLOW, drip(
            lambda good: good.head(size=16000))
        yield "body without end", BAD, flood(
            lambda good: good.head(length=False), b" " * 65536)
        yield "a reset in the body", AGAIN, lambda good, connection: (
            connection.sendall(good.raw()[:-3]), reset(connection))


# --- JSON --------------------------------------------------------------------

def texts(endpoint):
    """What is no JSON object, or not one that this project reads."""
    if not endpoint.members:
        return

    def made(change):
        return send(lambda good: good.with_body(change(good.body)))

    deep = b'{"x":' * 5 + b"1" + b"}" * 5
    for name, change in {
            "HTML": lambda b: b"<html>", "an array": lambda b: b"[" + b + b"]",
            "a number": lambda b: b"1", "a text": lambda b: b'"x"',
            "null": lambda b: b"null", "true": lambda b: b"true",
            "an empty object": lambda b: b"{}",
            "two objects": lambda b: b + b, "a comma behind":
            lambda b: b[:-1] + b",}", "something behind": lambda b: b + b"x",
            "NUL behind": lambda b: b + b"\0", "NUL in front":
            lambda b: b"\0" + b, "a BOM": lambda b: b"\xef\xbb\xbf" + b,
            "UTF-16": lambda b: b.decode().encode("utf-16"),
            "no UTF-8": lambda b: b[:-1] + b',"x":"\xff"}',
            "a surrogate": lambda b: b[:-1] + b',"x":"\\ud800"}',
            "single quotes": lambda b: b.replace(b'"', b"'"),
            "no quotes": lambda b: b.replace(b'"', b""),
            "a comment": lambda b: b"/* */" + b,
            "NaN": lambda b: b[:-1] + b',"x":NaN}',
            "a control character": lambda b: b[:-1] + b',"x":"\x01"}',
            "65 members": lambda b: b[:-1] + b"".join(
                b',"x%d":1' % n for n in range(65)) + b"}",
            "too deep": lambda b: b[:-1] + b',"x":' + deep + b"}",
            "much too deep": lambda b: b[:-1] + b',"x":' + b"[" * 9000 +
            b"]" * 9000 + b"}"}.items():
        yield f"body: {name}", BAD, made(change)
    for name, change in {
            "an unknown member": lambda b: b[:-1] + b',"unknown":[1,{"a":2}]}',
            "white space": lambda b: b" \r\n\t" + b.replace(b",", b" ,\n"),
            "escapes": lambda b: b.replace(b"transaction", b"\\u0074"
                                           b"ransaction")}.items():
        yield f"body: {name}", FINE, made(change)


GONE = object()
WRONG = {"missing": GONE, "null": None, "true": True, "false": False,
         "an array": ["x"], "an object": {"x": "x"}, "a fraction": 0.5}


def wrong_values(kind):
    for name, value in WRONG.items():
        yield name, BAD, value
    if isinstance(kind, Number):
        for value in (-1, kind.most + 1, 2 ** 63, 2 ** 64, 1e300, "1", ""):
            yield repr(value)[:12], BAD, value
        return
    yield "a number", BAD, 1
    yield "empty", kind.empty, ""
    yield "too long", BAD, "a" * (kind.most + 1)
    yield "much too long", BAD, "a" * 12000
    if kind.ident:
        for value in ("../users/u", "a/b", "a?b", "a#b", "a b", "a\r\nX: y",
                      "\u00e9", "a%2fb", ".", "*", "a;b", "\u202ea"):
            yield repr(value), BAD, value


def members(endpoint):
    """Each member, wrong in each way."""
    for member, kind in endpoint.members.items():
        for name, verdict, value in wrong_values(kind):
            def rule(good, connection, member=member, value=value):
                whole = json.loads(good.body)
                inner = whole[endpoint.within] if endpoint.within else whole
                inner.pop(member)
                if value is not GONE:
                    inner[member] = value
                return good.with_body(json.dumps(whole).encode())
            yield f"{member}: {name}", verdict, rule

        def twice(good, connection, member=member):
            name = json.dumps(member).encode()
            return good.with_body(good.body.replace(
                name + b":", name + b': "x", ' + name + b":", 1))
        yield f"{member}: twice", BAD, twice
    if endpoint.within:
        for name, value in WRONG.items():
            def outer(good, connection, value=value):
                whole = json.loads(good.body)
                whole.pop(endpoint.within)
                if value is not GONE:
                    whole[endpoint.within] = value
                return good.with_body(json.dumps(whole).encode())
            yield f"{endpoint.within}: {name}", BAD, outer


def mutations(endpoint):
    for some in (statuses, headers, lengths, cuts, times, texts, members):
        yield from some(endpoint)
