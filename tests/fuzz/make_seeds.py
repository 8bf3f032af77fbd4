# SPDX-License-Identifier: BSD-2-Clause
"""Makes the seeds of tests/fuzz that hold keys, hashes or lengths.

usage: PYTHONPATH=tests/support python3 tests/fuzz/make_seeds.py

The bytes are those of the independent implementation, tests/support/oracle.py,
and always the same.  Other seeds are written by hand; an input that once
ended a target is called fixed-*.
"""
import json
import struct
from pathlib import Path

import oracle

SEEDS = Path(__file__).resolve().parent / "seeds"

# As signer.h has them.
KEY = oracle.private_key(int.from_bytes(bytes(range(1, 33)), "big"))
SEAL_KEY = oracle.private_key(7)
POINT, SEAL_POINT = oracle.point_of(KEY), oracle.point_of(SEAL_KEY)
DEVICE = oracle.device_id(POINT)
RP, ORIGIN = "example.org", "https://example.org"
CHALLENGE = bytes(range(32))
NOW_MS = 1764000000000
CREDENTIAL = bytes(range(100, 120))
SIGNATURE = bytes.fromhex("3006020101020101")
SECRET = bytes(range(200, 216))

BOOT = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"


def put(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    data = data.encode() if isinstance(data, str) else data
    (folder / name).write_bytes(data)


def client_data(kind="webauthn.get", **more):
    return oracle.client_data(kind, CHALLENGE, ORIGIN, **more)


def p256_data(ms=NOW_MS):
    return f"{ms}_{oracle.b64u(CHALLENGE)}".encode()


def webauthn(flags=0x05, counter=7, b=None, choice="approve"):
    return oracle.pack("webauthn", choice, DEVICE,
                       oracle.auth_data(RP, flags, counter),
                       client_data() if b is None else b, SIGNATURE)


def p256(ms=NOW_MS, choice="approve"):
    return oracle.pack("p256", choice, DEVICE, b"", p256_data(ms), SIGNATURE)


def enrol_webauthn(flags=0x45, credential=CREDENTIAL, name=b"phone"):
    a = oracle.auth_data(RP, flags, 0,
                         oracle.attested_data(credential, POINT))
    return oracle.pack("webauthn", "enroll", DEVICE, a,
                       client_data("webauthn.create"), b"",
                       (POINT, SEAL_POINT, credential, name))


def enrol_p256(name=b"test phone"):
    return oracle.pack("p256", "enroll", DEVICE, b"", p256_data(), SIGNATURE,
                       (POINT, SEAL_POINT, b"", name))


def answers():
    denial = oracle.pack("unsigned", "deny", "a" * 16)
    put("answer", "unsigned-deny", denial)
    put("answer", "webauthn", webauthn())
    put("answer", "p256", p256())
    put("answer", "enrol-webauthn", enrol_webauthn())
    put("answer", "enrol-p256", enrol_p256())
    put("answer", "enrol-strange-name",
        enrol_p256("a\u202e\x1b\xff\u20ac".encode() + b"\xff" * 40))

    def assertion(name, how, data, where=0, change=0):
        put("assertion", name, bytes([how, where, change]) + data)

    assertion("webauthn", 0x00, webauthn())
    assertion("webauthn-synced", 0x02, webauthn(0x1d))
    assertion("webauthn-bound-only", 0x03, webauthn(0x0d))
    assertion("webauthn-no-uv", 0x00, webauthn(0x01))
    assertion("webauthn-counter-behind", 0x00, webauthn(), where=9)
    assertion("webauthn-unsigned", 0x10, webauthn())
    assertion("webauthn-spoilt", 0x20, webauthn(), where=5, change=3)
    assertion("webauthn-other-challenge", 0x00, webauthn(
        b=oracle.client_data("webauthn.get", bytes(32), ORIGIN)))
    assertion("p256", 0x40, p256())
    assertion("p256-old", 0x40, p256(NOW_MS - 70000))
    assertion("p256-removal", 0x44, p256(NOW_MS // 2, "remove"))
    assertion("p256-not-taken", 0x48, p256())
    assertion("p256-spoilt", 0x60, p256(), where=30, change=0x81)

    put("registration", "webauthn", b"\x00" + enrol_webauthn())
    put("registration", "webauthn-synced", b"\x00" + enrol_webauthn(0x5d))
    put("registration", "webauthn-bound-only", b"\x01" + enrol_webauthn(0x4d))
    put("registration", "webauthn-long-credential",
        b"\x00" + enrol_webauthn(credential=bytes(255)))
    put("registration", "p256", b"\x00" + enrol_p256())
    put("registration", "p256-unsigned", b"\x04" + enrol_p256())


def client_data_texts():
    for name, data in {
            "get": client_data(),
            "create": client_data("webauthn.create"),
            "no-cross-origin": client_data(cross_origin=None),
            "cross-origin": client_data(cross_origin=True),
            "top-origin": client_data(
                cross_origin=None, extra=',"topOrigin":"https://evil.org"'),
            "more-behind": client_data(
                extra=',"other_keys_can_be_added_here":"do not compare"'),
            "twice": client_data(extra=',"crossOrigin":true'),
            "other-order": b'{"challenge":"x","type":"webauthn.get"}',
            "escape": client_data().replace(b"example", b"ex\\u0061mple"),
    }.items():
        put("client_data", name, data)


def transaction(**changes):
    members = {
        "v": 1, "kind": "approval", "host": "web1.example.org",
        "user": "alice", "uid": 1001, "service": "sudo",
        "title": "Run a command as root",
        "details": [["Command", "/usr/bin/apt upgrade"], ["Tty", "pts/3"]],
        "choices": ["approve"], "code": "inbox",
        "nonce": oracle.b64u(bytes(range(32))),
        "created": "2026-11-22T08:00:00Z", "lifetime": 90}
    members.update(changes)
    return oracle.transaction(members)[0]


def transactions():
    sudo = transaction()
    put("transaction", "sudo", sudo)
    put("transaction", "enrolment", transaction(
        kind="enrolment", choices=[], code="never", lifetime=600))
    put("transaction", "choices", transaction(
        service="ask", choices=["approve", "later", "call-me-2"], code="tap",
        details=[]))
    put("transaction", "cut", transaction(
        details=[["Command", "x" * 400 + "\u202e \U0001f600"]]))
    put("transaction", "raw-bidi", oracle.dump(json.loads(sudo)).replace(
        "pts/3", "\u202e\u20ac\ufffe"))
    put("transaction", "content", oracle.content(
        sudo, [(DEVICE, CREDENTIAL), ("a" * 16, b"\x01")]))


def evidence():
    """The first byte, and the second: evidence.c has their meaning."""
    asked = transaction()
    for name, how in {"approved": 0x00, "approved-code": 0x02,
                      "denied": 0x04, "spoilt": 0x08}.items():
        put("evidence", f"made-{name}", bytes([1, how]) + asked)
    put("evidence", "made-enrolment", bytes([1, 0]) + transaction(
        kind="enrolment", choices=[], code="never", lifetime=600))

    data = (f"{NOW_MS}_"
            f"{oracle.b64u(oracle.challenge('approve', asked))}").encode()
    line = {"v": 1, "time": "2025-11-24T16:00:00Z", "checkedMs": NOW_MS,
            "uid": 1001, "question": oracle.b64u(bytes(range(32)))[:12],
            "host": "web1.example.org", "user": "alice", "device": DEVICE,
            "kind": "p256", "key": oracle.b64u(POINT), "counter": 0,
            "choice": "approve", "transaction": oracle.b64u(asked),
            "clientData": oracle.b64u(data),
            "signature": oracle.b64u(oracle.es256_sign(KEY, data))}
    put("evidence", "line", b"\0" + oracle.dump(line).encode())
    put("evidence", "line-other-user",
        b"\0" + oracle.dump(line | {"user": "bob"}).encode())
    put("evidence", "line-more",
        b"\0" + oracle.dump(line | {"more": 1}).encode())


def device_lines():
    added = "added=2026-11-22T08:00:00Z by=alice"
    other = oracle.point_of(oracle.private_key(9))
    return [
        f"webauthn {DEVICE} {oracle.b64u(POINT)} "
        f"cred={oracle.b64u(CREDENTIAL)} rp={RP} origin={ORIGIN} be=1 bs=1 "
        f"aaguid={oracle.b64u(bytes(range(16)))} "
        f"seal={oracle.b64u(SEAL_POINT)} {added} name=\"Alice's \\\"one\\\"\"",
        f"p256 {oracle.device_id(other)} {oracle.b64u(other)} {added} "
        "name=\"laptop\""]


def devices_text(lines):
    return (f"# countersign-devices 1 user=alice uid=1001 devices={len(lines)}"
            "\n" + "".join(line + "\n" for line in lines))


STATE = f"""countersign-state 3 user=alice uid=1001
had_device yes
use {DEVICE} counter=12 last_used=2026-11-22T08:00:00Z
use m2v6t7zq4c3xh5sd counter=0 last_used=never
recovery_made 2026-11-20T16:30:00Z
code {"9f" * 32} used=never
code {"60" * 32} used=2026-11-21T07:12:40Z
gone qz3t5kd2v7m4xw6a 2026-11-21T07:13:02Z
push not_me=no denials=1 unanswered=0 wrong_codes=2 pauses=1 boot={BOOT}
paused 2026-11-22T07:32:01Z boot=80780 for=900
"""
RINGS = f"""countersign-state 3 user=alice uid=1001
had_device no
recovery_made never
push not_me=no denials=0 unanswered=1 wrong_codes=0 pauses=1 boot={BOOT}
rang 2026-11-22T07:31:12Z boot=-86400
rang 2026-11-22T07:59:40Z boot=82439
ringing q83vEjRWeJCr 2026-11-22T07:59:40Z boot=82439 for=96
"""
STATE_1 = f"""countersign-state 1 user=alice uid=1001
had_device yes
use {DEVICE} counter=4000000000 last_used=never
"""
STATE_2 = STATE_1.replace("state 1", "state 2") + "recovery_made never\n"


def summed(text):
    return f"{text}sha256 {oracle.sha256(text.encode()).hex()}\n"


def stored():
    put("devices", "both-kinds", devices_text(device_lines()))
    put("devices", "one", devices_text(device_lines()[1:]))
    put("devices", "twice", devices_text(device_lines()[:1] * 2))
    for name, text in {"state": STATE, "rings": RINGS, "version-1": STATE_1,
                       "version-2": STATE_2}.items():
        put("state", name, summed(text))

    devices, state = devices_text(device_lines()), summed(STATE)
    top = "countersign-backup 1 host=web1 made=2026-11-22T08:00:00Z\n"
    both = (f"file devices/alice {len(devices)}\n{devices}"
            f"file state/1001 {len(state)}\n{state}")
    put("backup", "one-account", summed(top + both))
    put("backup", "empty", summed(top))
    put("backup", "newer", summed(top.replace("backup 1", "backup 2")))
    put("backup", "twice", summed(top + both + both))


def phone_store():
    entry = json.dumps({
        "id": DEVICE, "name": "phone", "host": "web1", "user": "alice",
        "uid": 1001, "origin": ORIGIN, "added": "2026-11-22T08:00:00Z",
        "confirmed": True, "cookie": "__Host-countersign=" + "a" * 43})
    pem = ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
           "-----END ENCRYPTED PRIVATE KEY-----\n")

    def packed(*entries):
        return b"".join(struct.pack(">H", len(part)) + part.encode()
                        for one in entries for part in (pem, pem, one))

    put("phone_backup", "entry", entry)
    put("phone_backup", "one", packed(entry))
    put("phone_backup", "two", packed(
        entry, entry.replace(DEVICE, "m2v6t7zq4c3xh5sd")))
    put("phone_backup", "same-twice", packed(entry, entry))


def service_replies():
    """Call, status and type: the numbers in host_api.c."""
    def reply(name, call, status, kind, body):
        put("host_api", name, bytes([call, status, kind]) + (
            body if isinstance(body, bytes) else oracle.dump(body).encode()))

    created = {"transactionId": "tr-1", "statusToken": "t" * 43}
    note = oracle.b64u(p256(choice="remove"))
    reply("created", 0, 1, 1, created)
    reply("created-rings", 0, 1, 1, created | {
        "push": {"sent": 1}, "removals": [
            {"deviceId": DEVICE, "proof": note}, {"proof": "!"}, 7]})
    reply("enrolment", 1, 1, 1, {
        "userId": "u-1", "username": "alice", "status": "new",
        "enrollment": created})
    reply("limited", 0, 8, 1, {
        "error": "limited", "message": "Too many\u202e questions",
        "status": 429})
    status = {"transactionId": "tr-1", "status": "pending", "sequence": 2,
              "event": "answered", "answer": oracle.b64u(bytes(64))}
    reply("answered", 2, 0, 1, status)
    reply("seen", 2, 0, 1, status | {"event": "seen", "answer": "AA"})
    reply("granted", 2, 0, 1, {
        "transactionId": "tr-1", "status": "succeeded", "sequence": 3,
        "event": "granted"})
    reply("unknown", 2, 0, 1, {"status": "unknown"})
    reply("other-question", 2, 0, 1, status | {"transactionId": "tr-2"})
    reply("user", 3, 0, 1, {"userId": "u-1", "username": "alice"})
    reply("user-path", 3, 0, 1, {"userId": "../../x"})
    reply("pong", 4, 0, 2, b"PONG\n")
    reply("look", 5, 0, 2, b"PONG")
    reply("file", 6, 0, 3, b"export const a = 1;\n")
    reply("done", 7, 2, 0, b"")


def sealed():
    device = oracle.device_seal(POINT, DEVICE, SECRET,
                                oracle.private_key(11))
    put("seal", "device-changed", b"\x00\x05\x01" + device[:-1] + b"\0")
    put("seal", "secret", b"\x00\x20\x10" + SECRET)
    link = oracle.Link(SECRET)
    put("seal", "content", b"\x00\x05\x01" +
        link.seal_content(transaction(), bytes(12)))
    put("seal", "empty", b"\x00\x00\x00")


def subscriptions():
    keys = f"\n{oracle.b64u(POINT)}\n{oracle.b64u(bytes(16))}"
    for name, url in {
            "fcm": "https://fcm.googleapis.com/fcm/send/abc:def-1",
            "mozilla": "https://updates.push.services.mozilla.com/wpush/v2/x",
            "apple": "https://web.push.apple.com/Q?a=b&c=%2f",
            "listed-port": "https://ntfy.example.net:8443/up?x",
            "upper-case": "https://PUSH.Example.ORG:443/a",
            "userinfo": "https://fcm.googleapis.com@evil.org/x",
            "backslash": "https://evil.org\\@fcm.googleapis.com/x",
            "fragment": "https://fcm.googleapis.com#@evil.org/x",
            "no-path": "https://fcm.googleapis.com",
            "address": "https://127.0.0.1/x",
    }.items():
        put("push_endpoint", name, url + keys)
    for name, data in {
            "private": bytes((10, 0, 0, 1)), "nat64": bytes.fromhex(
                "0064ff9b0000000000000000c0a80001"),
            "global": bytes.fromhex("2a00145040010828000000000000200e"),
    }.items():
        put("push_endpoint", f"address-{name}", data)


def main():
    answers()
    client_data_texts()
    transactions()
    evidence()
    stored()
    phone_store()
    service_replies()
    sealed()
    subscriptions()


if __name__ == "__main__":
    main()
