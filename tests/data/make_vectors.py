#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prints vectors.json: golden values for every byte format of the protocol.

    tests/data/make_vectors.py > tests/data/vectors.json

Everything comes from tests/support/oracle.py, with fixed keys, nonces and
times and the signature nonces of RFC 6979, so that two runs print the same.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import oracle  # noqa: E402

MS = 1763765400000  # 2025-11-21T22:50:00Z
ORIGIN = "https://approve.example.org"


def scalar(label):
    """A private key that is nobody's: a hash of its label."""
    n = int.from_bytes(oracle.sha256(label.encode()), "big")
    return n % (oracle.ORDER - 1) + 1


def key_of(label):
    return oracle.private_key(scalar(label))


def key_entry(number):
    point = oracle.point_of(oracle.private_key(number))
    return {"scalar": "%064x" % number, "point": point.hex(),
            "deviceId": oracle.device_id(point),
            "shown": oracle.show_id(oracle.device_id(point))}


def phones():
    def make(kind, credential=None, **more):
        phone = oracle.Phone(kind, origin=ORIGIN, key=key_of(kind),
                             seal_key=key_of(kind + " seal"),
                             credential=credential, **more)
        phone.clock = lambda: MS
        return phone

    return {"p256": make("p256", name="build box"),
            "webauthn": make("webauthn", bytes(range(32)),
                             name="Alice’s phone")}


BASIC = {"kind": "approval", "host": "web1.example.com", "user": "alice",
         "uid": 1001, "service": "sudo", "title": "t", "details": [],
         "choices": ["approve"], "code": "inbox", "nonce": "A" * 43,
         "created": "2026-11-21T22:50:00Z", "lifetime": 90}
NONCE = oracle.b64u(bytes(range(32)))


def transactions():
    sudo = BASIC | {
        "title": "Run a command as root on web1.example.com",
        "details": [["Command", "systemctl restart nginx"],
                    ["Directory", "/home/alice"],
                    ["Terminal", "/dev/pts/3"]],
        "code": "never", "nonce": NONCE}
    return {
        "basic": BASIC,
        "sudo": sudo,
        "choices": sudo | {"service": "ask", "title": "Deploy?",
                           "choices": ["now", "to-night", "v2"],
                           "code": "always", "lifetime": 300},
        "enrolment": BASIC | {
            "kind": "enrolment", "service": "enroll",
            "title": "Let this phone approve for alice on web1.example.com",
            "details": [["Enrolled by", "root"]], "choices": [],
            "code": "never", "nonce": NONCE, "lifetime": 600},
        "hostile text": sudo | {
            "title": "quote \" backslash \\ slash / tab \t",
            "details": [["Line\nbreak", "\x1b[2Jcleared"],
                        ["Bidi", "abc\u202ecba \u2066x\u2069"],
                        ["Zero width", "a\u200bb\ufeff"],
                        ["Fine", "Grüße, 日本語, 😀"],
                        ["Controls", "\x01\x7f\x85\u2028\u2029"]]},
        "256 characters": sudo | {"details": [["Command", "a" * 256]]},
        "257 characters": sudo | {"details": [["Command", "a" * 257]]},
        "long command": sudo | {
            "details": [["Command", "rm -rf /tmp/x " + " " * 3000 + "; id"],
                        ["Directory", "/" + "d" * 255]]},
        "all cut": sudo | {
            "details": [[f"Label {i}", f"{i} " * 100] for i in range(9)]},
        "some left out": sudo | {
            "details": [[f"Label {i}", "ä" * (90 + i)] for i in range(12)]},
        "one left out": sudo | {
            "details": [[f"Label number {i}", "\"" * 96] for i in range(9)]},
    }


def seal_entry(name, use, key, plain, nonce, sealed):
    return {"name": name, "use": use, "key": key.hex(), "plain": plain.hex(),
            "nonce": nonce.hex(), "sealed": oracle.b64u(sealed)}


def sealed(link, plain):
    nonce = bytes(range(12))
    return [
        seal_entry("answer", "answer", link.answer_key, b"abc", bytes(12),
                   link.seal_answer(b"abc", bytes(12))),
        seal_entry("empty answer", "answer", link.answer_key, b"", nonce,
                   link.seal_answer(b"", nonce)),
        seal_entry("content", "content", link.content_key, plain, nonce,
                   link.seal_content(plain, nonce)),
    ]


def answers(link, made, phone_of):
    out = []

    def add(name, transaction, plain, phone=None, code=""):
        parts = oracle.unpack(plain, name.startswith("enrol"))
        nonce = oracle.sha256(name.encode())[:12]
        out.append(
            {"name": name, "transaction": transaction, "kind": parts["kind"],
             "choice": parts["choice"], "code": code,
             "device": parts["device"], "phone": phone, "now": MS}
            | ({} if phone is None else {"challenge": oracle.challenge(
                parts["choice"], made[transaction], code).hex()})
            | {k: parts[k].hex() for k in
               ("a", "b", "signature", "point", "seal", "credential", "name")
               if k in parts and k != "name"}
            | ({"deviceName": parts["name"].decode()} if "name" in parts
               else {})
            | {"plain": plain.hex(), "nonce": nonce.hex(),
               "sealed": oracle.b64u(link.seal_answer(plain, nonce))})

    for kind, phone in phone_of.items():
        add(f"{kind} approve", "sudo", phone.answer(made["sudo"], "approve"),
            kind)
        add(f"{kind} approve with code", "basic",
            phone.answer(made["basic"], "approve", "482913"), kind, "482913")
        add(f"{kind} third choice", "choices",
            phone.answer(made["choices"], "v2", "000000"), kind, "000000")
        add(f"{kind} deny", "sudo", phone.answer(made["sudo"], "deny"), kind)
        add(f"{kind} not-me", "sudo", phone.answer(made["sudo"], "not-me"),
            kind)
        add(f"enrol {kind}", "enrolment", phone.enrolment(made["enrolment"]),
            kind)
    add("unsigned deny", "sudo",
        oracle.pack("unsigned", "deny", "a" * 16))
    return out


def removals(phone_of):
    """Notes by which phones remove themselves, and the bytes they signed."""
    accounts = [("plain", "web1.example.com", "alice", 1001),
                ("quoted", 'a"b\\c/d', "CORP\\al'ice", 0),
                ("other letters", "höst", "Jürgen 🔑", 4294967294),
                ("made harmless", "web1\\u{7f}", "b\\u{200b}ob", 1002)]
    out = []
    for name, host, user, uid in accounts:
        for kind, phone in phone_of.items():
            data = oracle.removal_bytes(host, user, uid, phone.device_id)
            out.append(
                {"name": f"{kind}, {name}", "phone": kind, "host": host,
                 "user": user, "uid": uid, "now": MS, "bytes": data.decode(),
                 "challenge": oracle.challenge("remove", data).hex(),
                 "note": phone.removal(host, user, uid).hex()})
    return out


def main():
    link = oracle.Link(bytes(range(16)), ORIGIN)
    phone_of = phones()
    bytes_of, transaction_list = {}, []
    for name, members in transactions().items():
        data, cut = oracle.transaction(members)
        bytes_of[name] = data
        transaction_list.append(
            {"name": name, "members": members, "firstValueCut": cut,
             "bytes": data.decode(),
             "sha256": oracle.sha256(data).hex()})
    basic = bytes_of["basic"]
    contents = [
        {"name": "nobody's", "transaction": "sudo", "credentials": [],
         "content": oracle.content(bytes_of["sudo"]).decode()},
        {"name": "with a passkey", "transaction": "sudo",
         "credentials": [[phone_of["webauthn"].device_id,
                          phone_of["webauthn"].credential.hex()]],
         "content": oracle.content(
             bytes_of["sudo"],
             [(phone_of["webauthn"].device_id,
               phone_of["webauthn"].credential)]).decode()},
    ]
    ephemeral = key_of("ephemeral")
    seals = [{"name": name, "secret": link.secret.hex(),
              "ephemeralScalar": "%064x" % scalar("ephemeral"),
              "sealScalar": "%064x" % scalar(name + " seal"),
              "sealPoint": phone.seal_point.hex(),
              "deviceId": phone.device_id,
              "sealed": oracle.device_seal(
                  phone.seal_point, phone.device_id, link.secret,
                  ephemeral).hex()}
             for name, phone in phone_of.items()]
    choices = [("approve", ""), ("approve", "482913"), ("deny", ""),
               ("not-me", ""), ("enroll", ""), ("remove", "")]
    out = {
        "about": "Test vectors of countersign-protocol(7), version 1. "
                 "Keys, nonces, digests, points and answers are hexadecimal; "
                 "what is sealed under a link's key is base64url, as it is "
                 "sent; all else is text. Signatures have the nonces of "
                 "RFC 6979. Times are milliseconds since 1970.",
        # The first vectors of the protocol, from another implementation.
        "basic": {
            "secret": link.secret.hex(),
            "origin": ORIGIN,
            "transaction": basic.decode(),
            "link": link.text(),
            "qr": link.text(upper=True),
            "linkId": link.id,
            "contentKey": link.content_key.hex(),
            "answerKey": link.answer_key.hex(),
        } | {f"challenge {c} {code}".strip():
             oracle.challenge(c, basic, code).hex() for c, code in choices}
        | {"sealed answer 00 nonce": oracle.b64u(
            link.seal_answer(b"abc", bytes(12))),
           "device id of private key 1": key_entry(1)["deviceId"]},
        # S of an enrolment, and of the approval that follows it
        "testLink": {"secret": link.secret.hex(),
                     "testSecret": link.for_test().secret.hex(),
                     "link": link.for_test().text(),
                     "linkId": link.for_test().id},
        "keys": {"1": key_entry(1)} | {
            name: key_entry(scalar(name)) for name in
            ("p256", "p256 seal", "webauthn", "webauthn seal", "ephemeral")},
        "phones": {name: {
            "kind": name, "deviceId": p.device_id, "point": p.point.hex(),
            "seal": p.seal_point.hex(), "credential": p.credential.hex(),
            "rp": p.rp, "origin": p.origin} for name, p in phone_of.items()},
        "transactions": transaction_list,
        "contents": contents,
        "sealed": sealed(link, contents[1]["content"].encode()),
        "deviceSeals": seals,
        "answers": answers(link, bytes_of, phone_of),
        "removals": removals(phone_of),
    }
    json.dump(out, sys.stdout, indent=1, ensure_ascii=True)
    print()


if __name__ == "__main__":
    main()
