# SPDX-License-Identifier: BSD-2-Clause
"""The protocol of countersign-protocol(7) a second time, in Python.

Written from the manual page, sharing no line with lib/: what both agree on is
what the page says.  It has no network and keeps nothing on disk.

    link = Link.from_text("https://approve.example.org/#AAAQ...")
    phone = Phone("p256", name="test phone")
    answer = phone.enroll(link, content)            # "content" of the service
    answer = phone.approve(link, content)           # "answer" for the service
    answer = phone.deny(link, content)              # signed
    answer = phone.not_me(link, content)            # signed
    answer = decline(link)                          # unsigned
    note = phone.removal("web1", "alice", 1001)     # "proof" for the service

content may be the base64url text of the service's JSON or bytes; answers come
as that text.  Phone("webauthn", origin="https://approve.example.org") is an
authenticator with a page around it.  What a test wants to be wrong, it gives
to sign(), pack() and link.seal_answer() itself, or as keywords (flags, counter,
challenge, client_data, ...).

verify(), verify_enrolment() and verify_removal() are the host's side, and raise
Refused.
"""
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import time
import unicodedata

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CURVE = ec.SECP256R1()
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
KINDS = {"unsigned": 0, "webauthn": 1, "p256": 2}
KIND_NAMES = {v: k for k, v in KINDS.items()}
RESERVED = ("deny", "not-me", "enroll", "remove")
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80


class Refused(Exception):
    """The answer proves nothing; the argument says why, as csign_err_name()."""


# --- text forms -------------------------------------------------------------

def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64u(data) != text:
        raise ValueError("not canonical base64url")
    return data


def b32(data):
    return base64.b32encode(data).rstrip(b"=").decode()


def unb32(text):
    data = base64.b32decode(text + "=" * (-len(text) % 8))
    if b32(data) != text:
        raise ValueError("not canonical base32")
    return data


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# --- keys -------------------------------------------------------------------

def private_key(scalar=None):
    """A P-256 key; scalar: an int, for vectors."""
    if scalar is None:
        return ec.generate_private_key(CURVE)
    return ec.derive_private_key(scalar, CURVE)


def point_of(key):
    n = key.public_key().public_numbers()
    return b"\x04" + n.x.to_bytes(32, "big") + n.y.to_bytes(32, "big")


def public_key(point):
    if len(point) != 65 or point[0] != 4:
        raise Refused("PROOF_KEY")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    except ValueError:
        raise Refused("PROOF_KEY") from None


def device_id(point):
    return b32(sha256(point)[:10]).lower()


def show_id(text):
    return "-".join(text[i:i + 4] for i in range(0, 16, 4))


def es256_sign(key, message):
    """ECDSA with SHA-256 and the nonce of RFC 6979, so that vectors stay."""
    d = key.private_numbers().private_value
    h1 = sha256(message)
    z = int.from_bytes(h1, "big")
    seed = d.to_bytes(32, "big") + (z % ORDER).to_bytes(32, "big")

    def mac(k, *parts):
        return hmac.new(k, b"".join(parts), "sha256").digest()

    v, k = b"\x01" * 32, b"\x00" * 32
    k = mac(k, v, b"\x00", seed)
    v = mac(k, v)
    k = mac(k, v, b"\x01", seed)
    v = mac(k, v)
    while True:
        v = mac(k, v)
        nonce = int.from_bytes(v, "big")
        if 0 < nonce < ORDER:
            r = private_key(nonce).public_key().public_numbers().x % ORDER
            s = pow(nonce, -1, ORDER) * (z + r * d) % ORDER
            if r and s:
                return utils.encode_dss_signature(r, s)
        k = mac(k, v, b"\x00")
        v = mac(k, v)


def es256_verify(point, message, signature):
    try:
        r, s = utils.decode_dss_signature(signature)
        if utils.encode_dss_signature(r, s) != signature:
            raise ValueError
        public_key(point).verify(signature, message,
                                 ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        raise Refused("PROOF_SIGNATURE") from None


# --- LINK SECRET ------------------------------------------------------------

def hkdf(ikm, info, length, salt=None):
    return HKDF(hashes.SHA256(), length, salt, info.encode()).derive(ikm)


def _bytes(data):
    return unb64u(data) if isinstance(data, str) else bytes(data)


class Link:
    """S and what follows from it."""

    def __init__(self, secret=None, origin="https://approve.example.org"):
        self.secret = os.urandom(16) if secret is None else secret
        self.origin = origin
        self.id_bytes = hkdf(self.secret, "countersign/1 link id", 16)
        self.id = b64u(self.id_bytes)
        self.content_key = hkdf(self.secret, "countersign/1 content", 32)
        self.answer_key = hkdf(self.secret, "countersign/1 answer", 32)

    @classmethod
    def from_text(cls, text):
        origin, _, secret = text.partition("/#")
        if len(secret) != 26:
            raise ValueError("not a link")
        return cls(unb32(secret), origin.lower())

    def text(self, upper=False):
        text = f"{self.origin}/#{b32(self.secret)}"
        return text.upper() if upper else text

    def for_test(self):
        """The link of the approval that follows an enrolment."""
        return Link(hkdf(self.secret, "countersign/1 test", 16), self.origin)

    @staticmethod
    def _seal(key, info, plain, nonce):
        nonce = os.urandom(12) if nonce is None else nonce
        return b"\x01" + nonce + AESGCM(key).encrypt(nonce, plain,
                                                     info.encode())

    @staticmethod
    def _open(key, info, sealed):
        sealed = _bytes(sealed)
        if len(sealed) < 29 or sealed[0] != 1:
            raise Refused("PROOF_FORMAT")
        try:
            return AESGCM(key).decrypt(sealed[1:13], sealed[13:],
                                       info.encode())
        except InvalidTag:
            raise Refused("PROOF_FORMAT") from None

    def seal_content(self, plain, nonce=None):
        return self._seal(self.content_key, "countersign/1 content", plain,
                          nonce)

    def seal_answer(self, plain, nonce=None):
        return self._seal(self.answer_key, "countersign/1 answer", plain,
                          nonce)

    def sealed_for(self, seal_point, device):
        """S for one device's inbox, as the service carries it."""
        return b64u(device_seal(seal_point, device, self.secret))

    def open_content(self, sealed):
        return self._open(self.content_key, "countersign/1 content", sealed)

    def open_answer(self, sealed):
        return self._open(self.answer_key, "countersign/1 answer", sealed)


# --- TRANSACTION ------------------------------------------------------------

MEMBERS = ("v", "kind", "host", "user", "uid", "service", "title", "details",
           "choices", "code", "nonce", "created", "lifetime")
# Default_Ignorable_Code_Point of Unicode 15 and the interlinear marks, which
# unicodedata does not know as such.
IGNORABLE = ((0xad, 0xad), (0x34f, 0x34f), (0x61c, 0x61c), (0x115f, 0x1160),
             (0x17b4, 0x17b5), (0x180b, 0x180f), (0x200b, 0x200f),
             (0x202a, 0x202e), (0x2060, 0x206f), (0x3164, 0x3164),
             (0xfe00, 0xfe0f), (0xfeff, 0xfeff), (0xffa0, 0xffa0),
             (0xfff0, 0xfffb), (0x1bca0, 0x1bca3), (0x1d173, 0x1d17a),
             (0xe0000, 0xe0fff))


def _unsafe(c):
    n = ord(c)
    return (unicodedata.category(c) in ("Cc", "Zl", "Zp")
            or n & 0xfffe == 0xfffe or 0xfdd0 <= n <= 0xfdef
            or any(a <= n <= b for a, b in IGNORABLE))


def safe_units(data):
    """Foreign bytes as a list of harmless pieces, one a character."""
    units = []
    for c in data.decode("utf-8", "surrogateescape"):
        if 0xdc80 <= ord(c) <= 0xdcff:      # a byte that is not UTF-8
            units.append("\\u{%02x}" % (ord(c) - 0xdc00))
        else:
            units.append("\\u{%02x}" % ord(c) if _unsafe(c) else c)
    return units


def cut(data, limit):
    """The text of at most limit characters, and whether it lost some."""
    units = safe_units(data)
    total = sum(map(len, units))
    if total <= limit:
        return "".join(units), False
    mark = " [... %d characters left out, sha256 %s ...] "
    digest = hashlib.sha256(data).hexdigest()[:16]
    room = limit - len(mark % (total, digest))
    head, tail = [], []
    while sum(map(len, head)) + len(units[len(head)]) <= room - room // 2:
        head.append(units[len(head)])
    while (sum(map(len, tail)) + len(units[-1 - len(tail)]) <= room // 2):
        tail.insert(0, units[-1 - len(tail)])
    head, tail = "".join(head), "".join(tail)
    return head + mark % (total - len(head) - len(tail), digest) + tail, True


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def transaction(members):
    """(bytes, whether the first value was cut) of a dict in MEMBERS' order.

    Texts are str or bytes; details are pairs of them.  Cuts as this host does:
    values lose their middle first, longest first, by 32 characters down to 96,
    then pairs go from the end.
    """
    def raw(text):
        return text if isinstance(text, bytes) else text.encode()

    values = [raw(v) for _, v in members["details"]]
    shown = [cut(v, 256) for v in values]
    labels = ["".join(safe_units(raw(k))) for k, _ in members["details"]]
    n = len(values)
    while True:
        out = {"v": 1} | {k: members[k] for k in MEMBERS[1:]}
        for name in ("host", "user", "service"):
            out[name] = "".join(safe_units(raw(out[name])))
        out["title"] = cut(raw(out["title"]), 256)[0]
        out["details"] = [[labels[i], shown[i][0]] for i in range(n)]
        left = len(values) - n
        if left:
            out["details"].append(
                ["Left out", f"{left} more line{'s' if left > 1 else ''}"])
        data = dump(out).encode()
        if len(data) <= 2048:
            return data, bool(values) and shown[0][1]
        long = [i for i in range(n) if len(shown[i][0]) > 96]
        if long:
            i = max(long, key=lambda i: (len(shown[i][0].encode()), -i))
            shown[i] = cut(values[i], max(96, len(shown[i][0]) - 32))
        elif n > 1:
            n -= 1
        else:
            raise ValueError("too long")


def content(data, credentials=()):
    """The plaintext for the phone; credentials: (device id, bytes) pairs."""
    return dump({"transaction": b64u(data), "credentials":
                 [[i, b64u(c)] for i, c in credentials]}).encode()


class Question:
    """What a phone decrypted: bytes is what it signs."""

    def __init__(self, link, sealed):
        self.content = json.loads(link.open_content(sealed))
        self.bytes = unb64u(self.content["transaction"])
        self.members = json.loads(self.bytes)
        if tuple(self.members) != MEMBERS or self.members["v"] != 1 or \
                self.members["kind"] not in ("approval", "enrolment"):
            raise Refused("PROOF_FORMAT")


# --- CHALLENGE --------------------------------------------------------------

def challenge(choice, data, code=""):
    if choice in RESERVED and code:
        raise ValueError("this choice has no code")
    return sha256(b"countersign/1 ", choice.encode(), b"\0",
                  struct.pack(">I", len(data)), data, b"\0", code.encode())


# --- REMOVAL ----------------------------------------------------------------

def removal_bytes(host, user, uid, device):
    """What a phone signs to be removed; texts as a transaction has them."""
    return dump({"v": 1, "kind": "removal", "host": host, "user": user,
                 "uid": uid, "device": device}).encode()


# --- ANSWER, ENROLMENT ------------------------------------------------------

def _v16(data):
    return struct.pack(">H", len(data)) + data


def pack(kind, choice, device, a=b"", b=b"", signature=b"", enrolment=None):
    """The plaintext of an answer.

    device: 16 characters.  enrolment: None, or (public point, seal point,
    credential id, name as bytes).
    """
    out = bytes([1, KINDS[kind], len(choice)]) + choice.encode()
    out += unb32(device.upper()) + _v16(a) + _v16(b) + _v16(signature)
    if enrolment is not None:
        point, seal, credential, name = enrolment
        out += point + seal + _v16(credential) + bytes([len(name)]) + name
    return out


def unpack(data, enrolment=False):
    """A dict of an answer's parts; Refused("PROOF_FORMAT")."""
    at = 0

    def take(n):
        nonlocal at
        if at + n > len(data):
            raise Refused("PROOF_FORMAT")
        at += n
        return data[at - n:at]

    def v16():
        return take(struct.unpack(">H", take(2))[0])

    if take(1) != b"\x01":
        raise Refused("PROOF_FORMAT")
    kind = take(1)[0]
    out = {"kind": KIND_NAMES.get(kind), "choice": take(take(1)[0]).decode(),
           "device": b32(take(10)).lower(), "a": v16(), "b": v16(),
           "signature": v16()}
    if out["kind"] is None:
        raise Refused("PROOF_FORMAT")
    if enrolment:
        out |= {"point": take(65), "seal": take(65), "credential": v16(),
                "name": take(take(1)[0])}
    if at != len(data):
        raise Refused("PROOF_FORMAT")
    return out


def decline(link, nonce=None):
    """An unsigned "deny": whoever has the link can end the question."""
    return b64u(link.seal_answer(pack("unsigned", "deny", "a" * 16), nonce))


# --- SEALING TO A DEVICE ----------------------------------------------------

def _device_key(own, peer_point, ephemeral_point, device_point):
    z = own.exchange(ec.ECDH(), public_key(peer_point))
    return hkdf(z, "countersign/1 seal", 32, ephemeral_point + device_point)


def device_seal(seal_point, device, secret, ephemeral=None):
    """S for one device's inbox: 98 bytes."""
    ephemeral = private_key() if ephemeral is None else ephemeral
    e = point_of(ephemeral)
    key = _device_key(ephemeral, seal_point, e, seal_point)
    return b"\x01" + e + AESGCM(key).encrypt(bytes(12), secret,
                                             device.encode())


def device_open(seal_key, device, sealed):
    if len(sealed) != 98 or sealed[0] != 1:
        raise Refused("PROOF_FORMAT")
    e = sealed[1:66]
    key = _device_key(seal_key, e, e, point_of(seal_key))
    try:
        return AESGCM(key).decrypt(bytes(12), sealed[66:], device.encode())
    except InvalidTag:
        raise Refused("PROOF_FORMAT") from None


# --- WebAuthn ---------------------------------------------------------------

def client_data(type_, chal, origin, cross_origin=False, extra=""):
    """The standard's serialisation; extra: text before the closing brace."""
    text = (f'{{"type":"{type_}","challenge":"{b64u(chal)}",'
            f'"origin":"{origin}"')
    if cross_origin is not None:
        text += f',"crossOrigin":{"true" if cross_origin else "false"}'
    return (text + extra + "}").encode()


def cose_key(point):
    return (bytes.fromhex("a5010203262001215820") + point[1:33] +
            bytes.fromhex("225820") + point[33:])


def auth_data(rp, flags, counter, attested=b""):
    return sha256(rp.encode()) + bytes([flags]) + struct.pack(">I", counter) \
        + attested


def attested_data(credential, point, aaguid=bytes(16)):
    return aaguid + _v16(credential) + cose_key(point)


# --- the phone --------------------------------------------------------------

class Phone:
    """A device of one of the two kinds, with a key and a seal key."""

    def __init__(self, kind="p256", name="test phone",
                 origin="https://approve.example.org", rp=None, key=None,
                 seal_key=None, credential=None, backup=False, counting=True):
        self.kind = kind
        self.name = name
        self.key = private_key() if key is None else key
        self.seal_key = private_key() if seal_key is None else seal_key
        self.point = point_of(self.key)
        self.seal_point = point_of(self.seal_key)
        self.device_id = device_id(self.point)
        self.origin = origin
        if rp is None:
            rp = re.sub(r":[0-9]+$", "", origin.split("://")[1])
        self.rp = rp
        self.credential = b""
        if kind == "webauthn":
            self.credential = (os.urandom(32) if credential is None
                               else credential)
        self.flags = UP | UV | (BE | BS if backup else 0)
        self.counter = 0
        self.counting = counting    # False: stays 0, as synced passkeys do
        self.clock = lambda: int(time.time() * 1000)

    def device(self):
        """What a host keeps of it, for verify()."""
        return {"kind": self.kind, "id": self.device_id, "point": self.point,
                "rp": self.rp, "origin": self.origin, "counter": 0,
                "backup": bool(self.flags & BE)}

    def read(self, link, sealed):
        return Question(link, sealed)

    def sign(self, chal, **wrong):
        """(A, B, signature) over a challenge.

        wrong, all optional: ms (p256); flags, counter, rp, origin, type,
        cross_origin, extra, a, b (webauthn: the bytes themselves).
        """
        if self.kind == "p256":
            ms = wrong.get("ms", self.clock())
            b = wrong.get("b", f"{ms}_{b64u(chal)}".encode())
            return b"", b, es256_sign(self.key, b)
        if self.counting:
            self.counter += 1
        a = wrong.get("a", auth_data(
            wrong.get("rp", self.rp), wrong.get("flags", self.flags),
            wrong.get("counter", self.counter)))
        b = wrong.get("b", client_data(
            wrong.get("type", "webauthn.get"), chal,
            wrong.get("origin", self.origin),
            wrong.get("cross_origin", False), wrong.get("extra", "")))
        return a, b, es256_sign(self.key, a + sha256(b))

    def answer(self, data, choice, code="", **wrong):
        """An answer's plaintext to a transaction's bytes."""
        chal = wrong.pop("challenge", None)
        if chal is None:
            chal = challenge(choice, data, code)
        return pack(self.kind, choice, self.device_id,
                    *self.sign(chal, **wrong))

    def _answer(self, link, sealed, choice, code, nonce, wrong):
        question = self.read(link, sealed)
        if choice is None:
            choice = question.members["choices"][0]
        return b64u(link.seal_answer(
            self.answer(question.bytes, choice, code, **wrong), nonce))

    def approve(self, link, sealed, choice=None, code="", nonce=None, **wrong):
        return self._answer(link, sealed, choice, code, nonce, wrong)

    def deny(self, link, sealed, nonce=None, **wrong):
        return self._answer(link, sealed, "deny", "", nonce, wrong)

    def not_me(self, link, sealed, nonce=None, **wrong):
        return self._answer(link, sealed, "not-me", "", nonce, wrong)

    def enrolment(self, data, **wrong):
        """An enrolment's plaintext to a transaction's bytes.

        wrong: as sign(), and credential, point, seal_point, attested, name,
        signature, device, challenge.
        """
        chal = wrong.get("challenge", challenge("enroll", data))
        point = wrong.get("point", self.point)
        if self.kind == "webauthn":
            attested = wrong.get("attested", attested_data(
                self.credential, self.point))
            a = wrong.get("a", auth_data(
                wrong.get("rp", self.rp), wrong.get("flags", self.flags | AT),
                wrong.get("counter", self.counter), attested))
            b = wrong.get("b", client_data(
                wrong.get("type", "webauthn.create"), chal,
                wrong.get("origin", self.origin),
                wrong.get("cross_origin", False), wrong.get("extra", "")))
            signature = b""
        else:
            a, b, signature = self.sign(chal, **wrong)
        name = wrong.get("name", self.name)
        return pack(self.kind, wrong.get("choice", "enroll"),
                    wrong.get("device", self.device_id), a, b,
                    wrong.get("signature", signature),
                    (point, wrong.get("seal_point", self.seal_point),
                     wrong.get("credential", self.credential),
                     name if isinstance(name, bytes) else name.encode()))

    def enroll(self, link, sealed, nonce=None, **wrong):
        question = self.read(link, sealed)
        if question.members["kind"] != "enrolment":
            raise ValueError("this is not an enrolment")
        return b64u(link.seal_answer(
            self.enrolment(question.bytes, **wrong), nonce))

    def removal(self, host, user, uid, **wrong):
        """A note's bytes, by which that host removes this device.

        host, user, uid as in a transaction's members; wrong: as sign(), and
        data, choice, device.
        """
        data = wrong.pop("data", None)
        if data is None:
            data = removal_bytes(host, user, uid, self.device_id)
        choice = wrong.pop("choice", "remove")
        device = wrong.pop("device", self.device_id)
        return pack(self.kind, choice, device,
                    *self.sign(challenge(choice, data), **wrong))

    def open_seal(self, sealed):
        """S out of this device's inbox."""
        return device_open(self.seal_key, self.device_id, _bytes(sealed))

    def open_inbox(self, entry, origin):
        """The link of one question as GET /inbox tells of it, or Refused."""
        if entry["deviceId"] != self.device_id:
            raise Refused("PROOF_DEVICE")
        link = Link(self.open_seal(entry["sealed"]), origin)
        if link.id != entry["linkId"]:
            raise Refused("PROOF_FORMAT")
        return link


# --- ACCEPTING A PROOF, the host's side -------------------------------------

def _no_duplicates(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise Refused("PROOF_CLIENT_DATA")
    return dict(pairs)


def _check_client_data(data, type_, chal, origin):
    """By a whole JSON parser: looser in form than lib/, equal in meaning."""
    try:
        members = json.loads(data, object_pairs_hook=_no_duplicates)
    except ValueError:
        raise Refused("PROOF_CLIENT_DATA") from None
    if members.get("type") != type_:
        raise Refused("PROOF_TYPE")
    if members.get("challenge") != b64u(chal):
        raise Refused("PROOF_CHALLENGE")
    if members.get("origin") != origin:
        raise Refused("PROOF_ORIGIN")
    if members.get("crossOrigin", False) is not False or \
            "topOrigin" in members:
        raise Refused("PROOF_CROSS_ORIGIN")


def _check_p256(b, chal, now_ms=None):
    ms, _, text = b.decode("ascii", "replace").partition("_")
    if not ms.isdigit() or len(text) != 43:
        raise Refused("PROOF_CLIENT_DATA")
    if text != b64u(chal):
        raise Refused("PROOF_CHALLENGE")
    if now_ms is not None and abs(int(ms) - now_ms) > 60000:
        raise Refused("PROOF_TIME")


def _check_head(a, rp, allowed):
    if a[:32] != sha256(rp.encode()):
        raise Refused("PROOF_RPID")
    if a[32] not in allowed:
        raise Refused("PROOF_FLAGS")
    return a[32], struct.unpack(">I", a[33:37])[0]


def _check_assertion(answer, chal, device):
    """Flags and counter of a webauthn answer whose signature is good."""
    a, b = answer["a"], answer["b"]
    _check_client_data(b, "webauthn.get", chal, device["origin"])
    if len(a) != 37:
        raise Refused("PROOF_LENGTH")
    flags, counter = _check_head(a, device["rp"], (0x05, 0x0d, 0x1d))
    if bool(flags & BE) != device["backup"]:
        raise Refused("PROOF_BACKUP")
    es256_verify(device["point"], a + sha256(b), answer["signature"])
    return flags, counter


def verify(plain, data, device, code="", now_ms=None):
    """The choice that an answer's plaintext proves, or Refused.

    data: the transaction's bytes; device: Phone.device().
    """
    answer = unpack(plain)
    if answer["kind"] != device["kind"] or answer["device"] != device["id"]:
        raise Refused("PROOF_DEVICE")
    choice = answer["choice"]
    if choice not in json.loads(data)["choices"] + ["deny", "not-me"]:
        raise Refused("PROOF_CHOICE")
    chal = challenge(choice, data, "" if choice in RESERVED else code)
    b = answer["b"]
    if device["kind"] == "p256":
        _check_p256(b, chal, time.time() * 1000 if now_ms is None else now_ms)
        es256_verify(device["point"], b, answer["signature"])
        return choice
    flags, counter = _check_assertion(answer, chal, device)
    if (counter or device["counter"]) and counter <= device["counter"] and \
            not flags & BE:
        raise Refused("PROOF_COUNTER")
    device["counter"] = counter
    return choice


def verify_enrolment(plain, data, rp, origin, now_ms=None):
    """The new device, as Phone.device() says it, or Refused."""
    answer = unpack(plain, True)
    if answer["choice"] != "enroll":
        raise Refused("PROOF_CHOICE")
    chal = challenge("enroll", data)
    a, b, point = answer["a"], answer["b"], answer["point"]
    device = {"kind": answer["kind"], "id": device_id(point), "point": point,
              "rp": rp, "origin": origin, "counter": 0, "backup": False}
    if answer["kind"] == "p256":
        _check_p256(b, chal, time.time() * 1000 if now_ms is None else now_ms)
        es256_verify(point, b, answer["signature"])
    else:
        _check_client_data(b, "webauthn.create", chal, origin)
        if len(a) < 37:
            raise Refused("PROOF_LENGTH")
        flags, _ = _check_head(a, rp, (0x45, 0x4d, 0x5d))
        n = struct.unpack(">H", a[53:55])[0] if len(a) >= 55 else 0
        if not 1 <= n <= 1023 or len(a) != 132 + n:
            raise Refused("PROOF_LENGTH")
        if a[55:55 + n] != answer["credential"]:
            raise Refused("PROOF_CREDENTIAL")
        if a[55 + n:] != cose_key(point):
            raise Refused("PROOF_CREDENTIAL")
        device["backup"] = bool(flags & BE)
    public_key(point)
    public_key(answer["seal"])
    if answer["device"] != device["id"]:
        raise Refused("PROOF_DEVICE")
    return device


def verify_removal(note, host, user, uid, device):
    """That this device signed to be removed there, or Refused.

    Neither time nor counter is looked at: a note may be old.
    """
    answer = unpack(note)
    if answer["kind"] != device["kind"] or answer["device"] != device["id"]:
        raise Refused("PROOF_DEVICE")
    if answer["choice"] != "remove":
        raise Refused("PROOF_CHOICE")
    chal = challenge("remove",
                     removal_bytes(host, user, uid, device["id"]))
    if device["kind"] == "p256":
        _check_p256(answer["b"], chal)
        es256_verify(device["point"], answer["b"], answer["signature"])
    else:
        _check_assertion(answer, chal, device)
