# SPDX-License-Identifier: BSD-2-Clause
"""A service that does what a test tells it, byte by byte, and the courier on
its leash in front of it."""
import base64
import datetime
import ipaddress
import json
import os
import queue
import socket
import ssl
import struct
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOP = os.environ.get("top_builddir", os.getcwd())
# courier-within counts the courier's lines, see make coverage.
DRIVE = os.path.join(TOP, "tests/support",
                     os.environ.get("COURIER_DRIVE", "courier-drive"))
COURIER = os.path.join(TOP, "lib/courier/courier")
KEY = "K" * 43
SAFE = "/run" if os.geteuid() == 0 else TOP
DEADLINE = 20  # seconds a test waits for what must come
SLACK = 1.8  # seconds that a machine with much to do may take longer


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# --- certificates -----------------------------------------------------------

class Authority:
    """A certificate authority of its own in a folder."""

    def __init__(self, folder, name="test authority"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.cert = self._sign(self.name, self.key.public_key(),
                               [(x509.BasicConstraints(True, None), True)])
        self.file = self._write(f"{name}.pem", self.cert)

    def _write(self, name, cert, key=None):
        path = os.path.join(self.folder, name.replace(" ", "-"))
        with open(path, "wb") as out:
            if key:
                out.write(key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption()))
            out.write(cert.public_bytes(serialization.Encoding.PEM))
        os.chmod(path, 0o644)
        return path

    def _sign(self, name, public, extensions, days=1, start=-1):
        now = datetime.datetime.utcnow()
        day = datetime.timedelta(days=1)
        builder = (x509.CertificateBuilder().subject_name(name)
                   .issuer_name(self.name).public_key(public)
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now + start * day)
                   .not_valid_after(now + days * day))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, label, names=("localhost",), ips=("127.0.0.1", "::1"),
              common="localhost", days=1, start=-1, san=True):
        """A file with key and certificate; also their SPKI pin."""
        key = ec.generate_private_key(ec.SECP256R1())
        alt = x509.SubjectAlternativeName(
            [x509.DNSName(name) for name in names] +
            [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips])
        cert = self._sign(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]),
            key.public_key(), [(alt, False)] if san else [], days, start)
        digest = hashes.Hash(hashes.SHA256())
        digest.update(key.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo))
        pin = "sha256//" + base64.b64encode(digest.finalize()).decode()
        return self._write(f"{label}.pem", cert, key), pin


# --- the service -------------------------------------------------------------

class Request:
    def __init__(self, method, path, headers, body, pieces):
        self.method, self.path = method, path
        self.headers, self.body = headers, body
        self.pieces = pieces  # in which it arrived
        self.at = time.monotonic()

    @property
    def json(self):
        return json.loads(self.body)


def reply(status, body=None, headers=(), reason="X"):
    """A whole HTTP reply; a dict becomes JSON."""
    lines = [f"HTTP/1.1 {status} {reason}"]
    if isinstance(body, dict):
        body = json.dumps(body).encode()
        lines.append("Content-Type: application/json")
    lines += headers
    if status != 204:
        lines.append(f"Content-Length: {len(body or b'')}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


class Close(Exception):
    """Raised by a rule to close the connection without a word."""


class Service:
    """Rules are functions (request, connection) -> bytes, by "METHOD path";
    the longest prefix wins.  The default rules are a service that works."""

    ID, TOKEN = "transaction-1", "token.1"

    def __init__(self, cert=None, context=None, address="127.0.0.1", port=0):
        self.requests = []
        self.changed = threading.Condition()
        self.sequence, self.event, self.answer = 1, "created", None
        self.state = "pending"
        self.connections = 0
        self.open = set()
        self.rules = {
            "POST /api/v1/approval": self.create,
            "POST /api/v1/users/enroll": self.enroll,
            "POST /api/v1/status": self.status,
            f"POST /api/v1/approval/{self.ID}/outcome":
                lambda r, c: reply(204),
            f"DELETE /api/v1/approval/{self.ID}": lambda r, c: reply(204),
            "GET /ping": lambda r, c: reply(
                200, b"PONG", ["Content-Type: text/plain"]),
        }
        self.context = context
        if cert:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(cert)
        self.scheme = "https" if self.context else "http"
        self.address, self.port = address, port
        self.listener = self.kept = None
        self.start()

    # What a working service says.

    def create(self, request, _connection):
        return reply(201, {"transactionId": self.ID,
                           "statusToken": self.TOKEN})

    def enroll(self, request, _connection):
        return reply(201, {"userId": "u1", "username": "alice",
                           "status": "new", "enrollment": {
                               "transactionId": self.ID,
                               "statusToken": self.TOKEN}})

    def status(self, request, _connection):
        wanted = request.json
        until = time.monotonic() + wanted.get("wait", 0)
        with self.changed:
            while (self.sequence <= wanted.get("after", 0) and self.listener
                   and time.monotonic() < until):
                self.changed.wait(until - time.monotonic())
            if not self.listener:
                raise Close
            body = {"transactionId": self.ID, "status": self.state,
                    "sequence": self.sequence, "event": self.event}
            if self.answer is not None:
                body["answer"] = b64u(self.answer)
        return reply(200, body)

    def happen(self, event, answer=None, state="pending"):
        with self.changed:
            self.sequence += 1
            self.event, self.answer, self.state = event, answer, state
            self.changed.notify_all()

    # What it heard.

    def seen(self, what, n=1):
        """Waits for n requests that begin with what, and returns the last."""
        until = time.monotonic() + DEADLINE
        with self.changed:
            while True:
                found = self.all(what)
                if len(found) >= n:
                    return found[n - 1]
                assert time.monotonic() < until, (
                    f"{what}: {[(r.method, r.path) for r in self.requests]}")
                self.changed.wait(0.5)

    def all(self, what):
        return [r for r in self.requests
                if f"{r.method} {r.path}".startswith(what)]

    # Sockets.

    def start(self):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        if self.address.startswith("/"):
            family = socket.AF_UNIX
        listener = socket.socket(family)
        if family == socket.AF_UNIX:
            listener.bind(self.address)
            os.chmod(self.address, 0o666)
            self.url = "http://localhost"
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.address, self.port))
            self.port = listener.getsockname()[1]
            host = f"[{self.address}]" if ":" in self.address else self.address
            self.url = f"{self.scheme}://{host}:{self.port}"
        listener.listen(16)
        self._give_up_port()
        self.listener = listener
        threading.Thread(target=self._accept, args=(listener,),
                         daemon=True).start()

    def stop(self):
        """
        As if the process was killed: everything ends at once.  Each thread
        closes its own connection: closed under it, it would go on with the
        next file that gets the same number.  Nobody else is given its port
        before it starts again.
        """
        listener, self.listener = self.listener, None
        if listener:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._keep_port(listener.family)
            listener.close()
        with self.changed:
            connections, self.open = self.open, set()
            self.changed.notify_all()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _keep_port(self, family):
        """Bound and not listened at: connections are refused."""
        if family != socket.AF_UNIX:
            self.kept = socket.socket(family)
            self.kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.kept.bind((self.address, self.port))

    def _give_up_port(self):
        if self.kept:
            self.kept.close()
            self.kept = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self._give_up_port()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(connection)
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, raw):
        connection = raw
        try:
            if raw.family != socket.AF_UNIX:
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                connection = self.context.wrap_socket(raw, server_side=True)
                self.open.add(connection)
            self._converse(connection)
        except (OSError, Close, ValueError):
            pass
        finally:
            self.open.discard(connection)
            self.open.discard(raw)
            connection.close()

    def _converse(self, connection):
        data = b""
        while True:
            pieces = 0
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
                pieces += 1
            head, data = data.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            method, path, _version = lines[0].split(" ")
            headers = [line.split(": ", 1) for line in lines[1:]]
            length = int(dict((k.lower(), v) for k, v in headers)
                         .get("content-length", 0))
            while len(data) < length:
                data += connection.recv(65536)
                pieces += 1
            body, data = data[:length], data[length:]
            request = Request(method, path, headers, body, pieces)
            with self.changed:
                self.requests.append(request)
                self.changed.notify_all()
            rule = max((key for key in self.rules
                        if f"{method} {path}".startswith(key)), key=len,
                       default=None)
            if rule is None:
                connection.sendall(reply(404, {"error": "not_found",
                                               "message": "no", "status": 404}))
                continue
            out = self.rules[rule](request, connection)
            if out:
                connection.sendall(out)


def reset(connection):
    """Ends a connection by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
    raise Close


# --- the courier ----------------------------------------------------------------

class Courier:
    """courier-drive: its lines come out of next(), commands go in by say()."""

    def __init__(self, service, env=None, **job):
        """service: a Service, or an address as text."""
        job.setdefault("program", COURIER)
        job.setdefault("key", KEY)
        job["service"] = getattr(service, "url", service)
        arguments = [f"{name}={value}" for name, value in job.items()]
        self.process = subprocess.Popen(
            [DRIVE, *arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1,
            env=dict(os.environ, **(env or {})))
        self.lines = queue.Queue()
        self.times = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            text, _, at = line.rstrip("\n").rpartition(" @")
            self.times[text.split(" ")[0]] = float(at) if text else 0.0
            self.lines.put(text or line.rstrip("\n"))
        self.lines.put(None)

    def next(self, timeout=DEADLINE):
        line = self.lines.get(timeout=timeout)
        assert line is not None, "courier-drive ended"
        return line

    def expect(self, *lines):
        for line in lines:
            got = self.next()
            assert got.startswith(line), f"{got!r} instead of {line!r}"
        return got

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def pid(self):
        """Of the courier, which the driver has inherited."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as children:
            return int(children.read())

    def ended(self, timeout=DEADLINE):
        """Reads on until the courier has ended; its exit line."""
        while True:
            line = self.next(timeout)
            if line.startswith("exit "):
                status, rss, cpu = line.split(" ")[1:4]
                return int(status), int(rss), int(cpu)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.say("kill")
            self.process.stdin.close()
        except OSError:
            pass  # it has ended by itself
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
