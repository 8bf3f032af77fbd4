# SPDX-License-Identifier: BSD-2-Clause
"""A push service, strict about RFC 8030, 8188, 8291 and 8292, in a thread.

    with PushService(folder, ["fcm.googleapis.com"]) as pushd:
        phone = pushd.subscribe()                  # what a browser would get
        ... {"endpoint": phone.endpoint, "p256dh": phone.p256dh, ...}
        phone.answers = [503, (429, {"Retry-After": "1"}), 201]
        message = phone.wait()                     # the first one taken
        assert message.json == {"v": 1, "link": ...}

It speaks TLS with a certificate of folder/push-ca.pem and listens where it is
told: what a test is to call as a public address has to be given to the
loopback interface of a network name space first (public_address()).  What it
gets and does not like is answered with 400 and kept in errors.
"""
import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DEADLINE = 20
# The behaviours that are no status.
STALL, NOTHING, ENDLESS, ENDLESS_HEAD, TRICKLE = (
    "stall", "nothing", "endless", "endless head", "trickle")


def b64u(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64u(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert b64u(data) == text, "not canonical base64url"
    return data


def raw_point(key):
    return key.public_bytes(serialization.Encoding.X962,
                            serialization.PublicFormat.UncompressedPoint)


def read_point(data):
    assert len(data) == 65 and data[0] == 4, "not an uncompressed point"
    return ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), data)


# --- RFC 8188 and 8291, the reading side --------------------------------------

def _hkdf(salt, ikm, info, length):
    prk = hmac.digest(salt, ikm, "sha256")
    return hmac.digest(prk, info + b"\1", "sha256")[:length]


def open_records(body, ikm_of):
    """What an aes128gcm body says; ikm_of(key id) is its input key."""
    assert len(body) >= 21, "no header"
    salt, size, id_len = body[:16], int.from_bytes(body[16:20], "big"), \
        body[20]
    assert size >= 18, "the record size is too small"
    assert len(body) > 21 + id_len, "the body is cut"
    ikm = ikm_of(body[21:21 + id_len])
    key = _hkdf(salt, ikm, b"Content-Encoding: aes128gcm\0", 16)
    base = _hkdf(salt, ikm, b"Content-Encoding: nonce\0", 12)
    records, text = body[21 + id_len:], b""
    count = -(-len(records) // size)
    for number in range(count):
        nonce = (int.from_bytes(base, "big") ^ number).to_bytes(12, "big")
        sealed = records[number * size:(number + 1) * size]
        clear = AESGCM(key).decrypt(nonce, sealed, None)
        clear = clear.rstrip(b"\0")
        assert clear, "a record of zeros"
        last = number == count - 1
        assert clear[-1] == (2 if last else 1), "a wrong delimiter"
        text += clear[:-1]
    return text


def open_message(body, private, auth):
    """RFC 8291: one record, under the browser's key."""
    public = raw_point(private.public_key())

    def ikm_of(key_id):
        secret = private.exchange(ec.ECDH(), read_point(key_id))
        return _hkdf(auth, secret,
                     b"WebPush: info\0" + public + key_id, 32)
    assert len(body) <= 4096, "more than 4096 bytes"
    assert body[16:20] == (4096).to_bytes(4, "big"), "record size"
    return open_records(body, ikm_of)


# --- RFC 8292, the reading side -----------------------------------------------

def check_vapid(value, origin, now=None):
    """The claims and the key of an Authorization header."""
    match = re.fullmatch(
        r"vapid t=([\w-]+)\.([\w-]+)\.([\w-]{86}), ?k=([\w-]{87})", value)
    assert match, f"not a vapid header: {value!r}"
    head, claims, signature, key = match.groups()
    assert json.loads(unb64u(head)) == {"typ": "JWT", "alg": "ES256"}
    rs = unb64u(signature)
    assert len(rs) == 64
    der = utils.encode_dss_signature(int.from_bytes(rs[:32], "big"),
                                     int.from_bytes(rs[32:], "big"))
    read_point(unb64u(key)).verify(der, f"{head}.{claims}".encode(),
                                   ec.ECDSA(hashes.SHA256()))
    claims = json.loads(unb64u(claims))
    now = time.time() if now is None else now
    assert claims["aud"] == origin, f"aud {claims['aud']!r}, not {origin!r}"
    assert now < claims["exp"] <= now + 12 * 3600 + 5, "exp"
    assert claims.get("sub", "https://x").startswith(("mailto:", "https://"))
    return claims, key


# --- who is rung --------------------------------------------------------------

class Message:
    def __init__(self, headers, body, text, vapid):
        self.headers, self.body, self.text = headers, body, text
        self.claims, self.key = vapid or (None, None)
        self.at = time.monotonic()
        self.ttl = int(headers["ttl"])
        self.urgency = headers.get("urgency")
        self.topic = headers.get("topic")

    @property
    def json(self):
        return json.loads(self.text)


class Subscription:
    """A phone: its keys, what it shall answer, what has come for it."""

    def __init__(self, service, origin, plain):
        self.service, self.plain = service, plain
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.auth_secret = secrets.token_bytes(16)
        self.path = f"/send/{secrets.token_urlsafe(24)}"
        self.endpoint = origin + self.path
        self.answers = []   # in turn; the last one for all that follow
        self.tries = []     # when each request came
        self.messages = []  # those that were taken

    @property
    def keys(self):
        if self.plain:
            return {"endpoint": self.endpoint}
        return {"endpoint": self.endpoint,
                "p256dh": b64u(raw_point(self.private.public_key())),
                "auth": b64u(self.auth_secret)}

    def next_answer(self):
        if not self.answers:
            return 201
        return self.answers[0] if len(self.answers) == 1 \
            else self.answers.pop(0)

    def wait(self, count=1, seconds=DEADLINE):
        """The count-th message that was taken, now or soon."""
        with self.service.changed:
            found = self.service.changed.wait_for(
                lambda: len(self.messages) >= count, seconds)
        assert found, f"{len(self.messages)} messages, not {count}; " \
            f"{self.service.errors}"
        return self.messages[count - 1]

    def wait_tries(self, count, seconds=DEADLINE):
        with self.service.changed:
            found = self.service.changed.wait_for(
                lambda: len(self.tries) >= count, seconds)
        assert found, f"{len(self.tries)} tries, not {count}"


# --- certificates and addresses -----------------------------------------------

def public_address(address):
    """Gives the loopback interface of this name space an address."""
    length = 128 if ":" in address else 32
    subprocess.run(["ip", "addr", "replace", f"{address}/{length}", "dev",
                    "lo"] + (["nodad"] if length == 128 else []), check=True)


def name_address(name, address):
    """In this mount name space's /etc/hosts, instead of another address."""
    path = Path("/etc/hosts")
    lines = [line for line in path.read_text().splitlines()
             if name not in line.split()[1:]]
    path.write_text("\n".join([*lines, f"{address} {name}", ""]))


def _write_key(path, key):
    path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    path.chmod(0o600)


def _certificate(subject, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(
        issuer).public_key(key.public_key()).serial_number(
        x509.random_serial_number()).not_valid_before(
        now - datetime.timedelta(hours=1)).not_valid_after(
        now + datetime.timedelta(days=2))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _common_name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def make_authority(folder):
    """push-ca.pem, and its key; the same again if it is there."""
    folder = Path(folder)
    if not (folder / "push-ca.pem").exists():
        key, name = ec.generate_private_key(ec.SECP256R1()), \
            _common_name("push test CA")
        cert = _certificate(name, key, name, key, (
            x509.BasicConstraints(ca=True, path_length=0), True))
        _write_key(folder / "push-ca.key", key)
        (folder / "push-ca.pem").write_bytes(
            cert.public_bytes(serialization.Encoding.PEM))
    return folder / "push-ca.pem"


def make_certificate(folder, names, alternative=True):
    """A certificate for these names; else they are only its common name."""
    folder = Path(folder)
    authority = x509.load_pem_x509_certificate(
        make_authority(folder).read_bytes())
    authority_key = serialization.load_pem_private_key(
        (folder / "push-ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    more = []
    if alternative:
        kinds = []
        for name in names:
            try:
                kinds.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                kinds.append(x509.DNSName(name))
        more = [(x509.SubjectAlternativeName(kinds), False)]
    cert = _certificate(_common_name(names[0]), key, authority.subject,
                        authority_key, *more)
    stem = folder / f"push-{hashlib.sha256(repr(names).encode()).hexdigest()[:8]}"
    _write_key(stem.with_suffix(".key"), key)
    stem.with_suffix(".pem").write_bytes(
        cert.public_bytes(serialization.Encoding.PEM))
    return stem.with_suffix(".pem"), stem.with_suffix(".key")


# --- the server ---------------------------------------------------------------

class PushService:
    def __init__(self, folder, names, address="127.0.0.1", port=0,
                 alternative=True, max_version=None):
        self.names = names
        self.ca = make_authority(folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(
            *make_certificate(folder, names, alternative))
        if max_version is not None:
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.maximum_version = max_version
            self.context.set_ciphers("ALL:@SECLEVEL=0")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.create_server((address, port), family=family,
                                           backlog=1024)
        self.port = self.socket.getsockname()[1]
        self.subscriptions = {}
        self.errors = []
        self.connections = 0
        self.seen = {}         # salts and keys, each for one body alone
        self.all = []          # every message that was taken
        self.changed = threading.Condition()
        self.ended = threading.Event()
        self.open = set()

    def __enter__(self):
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.ended.set()
        if self.socket.fileno() >= 0:
            # Only this wakes who is in accept(), and frees the address.
            self.socket.shutdown(socket.SHUT_RDWR)
            self.thread.join(DEADLINE)
            self.socket.close()
        with self.changed:
            left = list(self.open)
        for connection in left:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def origin(self, name=None):
        name = name or self.names[0]
        return f"https://{name}" + \
            ("" if self.port == 443 else f":{self.port}")

    def subscribe(self, name=None, plain=False):
        subscription = Subscription(self, self.origin(name), plain)
        self.subscriptions[subscription.path] = subscription
        return subscription

    def _accept(self):
        while not self.ended.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, raw):
        try:
            raw.settimeout(60)
            connection = self.context.wrap_socket(raw, server_side=True)
        except OSError:
            raw.close()
            return
        with self.changed:
            self.open.add(connection)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb") as reader:
                while self._exchange(connection, reader):
                    pass
        except (OSError, ValueError):
            pass  # the other side is gone
        finally:
            with self.changed:
                self.open.discard(connection)
            connection.close()

    # --- one request ---

    def _exchange(self, connection, reader):
        line = reader.readline(8192)
        if not line:
            return False
        headers = {}
        subscription = None
        try:
            method, path, version = line.decode("ascii").split(" ")
            while (field := reader.readline(8192)) != b"\r\n":
                name, value = field.decode("ascii").split(":", 1)
                assert name.lower() not in headers, f"{name} twice"
                headers[name.lower()] = value.strip()
            assert (method, version) == ("POST", "HTTP/1.1\r\n"), line
            body = reader.read(int(headers["content-length"]))
            subscription = self.subscriptions.get(path)
            assert subscription is not None, f"nobody at {path}"
            message = self._read(subscription, headers, body)
        except (AssertionError, KeyError, ValueError, InvalidSignature,
                InvalidTag) as error:
            with self.changed:
                self.errors.append(f"{line!r}: {error!r} {headers}")
                self.changed.notify_all()
            self._reply(connection, 400)
            return False
        with self.changed:
            subscription.tries.append(time.monotonic())
            answer = subscription.next_answer()
            status = answer[0] if isinstance(answer, tuple) else answer
            # Whoever sends a body without end has said 201 before.
            if status in (ENDLESS, TRICKLE) or isinstance(status, int) and \
                    200 <= status < 300:
                subscription.messages.append(message)
                self.all.append(message)
            self.changed.notify_all()
        return self._behave(connection, answer)

    def _read(self, subscription, headers, body):
        for name in ("cookie", "referer", "transfer-encoding", "expect",
                     "origin", "accept-encoding"):
            assert name not in headers, f"{name} was sent"
        origin = f"https://{headers['host']}"
        assert subscription.endpoint == origin + subscription.path
        assert re.fullmatch(r"\d{1,3}", headers["ttl"]), "TTL"
        assert headers.get("urgency") in ("very-low", "low", "normal", "high")
        if "topic" in headers:
            assert re.fullmatch(r"[\w-]{1,32}", headers["topic"]), "Topic"
        if subscription.plain:
            assert headers["content-type"] == "text/plain"
            assert "authorization" not in headers
            return Message(headers, body, body, None)
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-encoding"] == "aes128gcm"
        vapid = check_vapid(headers["authorization"], origin)
        text = open_message(body, subscription.private,
                            subscription.auth_secret)
        # The same bytes again are the same message, sent anew by libcurl on
        # another connection.
        with self.changed:
            for piece in (body[:16], body[21:86]):
                assert self.seen.setdefault(piece, body) == body, \
                    "a salt or key came twice"
        return Message(headers, body, text, vapid)

    def _reply(self, connection, status, headers=None, body=b""):
        fields = {"Content-Length": len(body), **(headers or {})}
        connection.sendall(
            f"HTTP/1.1 {status} X\r\n".encode() + b"".join(
                f"{name}: {value}\r\n".encode()
                for name, value in fields.items()) + b"\r\n" + body)

    def _behave(self, connection, answer):
        """True if the connection can be used again."""
        if callable(answer):
            answer = answer()
        if answer == NOTHING:
            return False
        if answer == STALL:
            self.ended.wait(60)
            return False
        if answer == ENDLESS_HEAD:
            connection.sendall(b"HTTP/1.1 201 X\r\n")
            while not self.ended.is_set():
                connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")
        if answer in (ENDLESS, TRICKLE):
            connection.sendall(b"HTTP/1.1 201 X\r\n\r\n")
            while not self.ended.is_set():
                connection.sendall(b"x" * (65536 if answer == ENDLESS else 1))
                if answer == TRICKLE:
                    self.ended.wait(0.2)
        status, headers = answer if isinstance(answer, tuple) \
            else (answer, None)
        self._reply(connection, status, headers)
        return True
