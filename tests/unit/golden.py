# SPDX-License-Identifier: BSD-2-Clause
"""The golden vectors, the oracle and the manual page say the same."""
import json
import os
import re
import subprocess
import sys

import pytest

import oracle

SRC = os.environ["top_srcdir"]
DATA = os.path.join(SRC, "tests", "data")
with open(os.path.join(DATA, "vectors.json"), encoding="utf-8") as f:
    VECTORS = json.load(f)
BYTES = {t["name"]: t["bytes"].encode() for t in VECTORS["transactions"]}
SIGNED = [a for a in VECTORS["answers"] if a["kind"] != "unsigned"]


def phone_of(name):
    v = VECTORS["phones"][name]
    return {"kind": v["kind"], "id": v["deviceId"],
            "point": bytes.fromhex(v["point"]), "rp": v["rp"],
            "origin": v["origin"], "counter": 0, "backup": False}


def test_vectors_are_what_make_vectors_prints():
    made = subprocess.run(
        [sys.executable, os.path.join(DATA, "make_vectors.py")],
        check=True, capture_output=True, timeout=60).stdout.decode()
    assert json.loads(made) == VECTORS


def test_rfc_6979():
    key = oracle.private_key(
        0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721)
    assert oracle.es256_sign(key, b"sample").hex() == (
        "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea8"
        "4eaf3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4"
        "ab2f843acda8")


@pytest.mark.parametrize("answer", SIGNED, ids=lambda a: a["name"])
def test_answer_verifies(answer):
    device = phone_of(answer["phone"])
    link = oracle.Link(bytes.fromhex(VECTORS["basic"]["secret"]))
    plain = link.open_answer(answer["sealed"])
    assert plain.hex() == answer["plain"]
    data = BYTES[answer["transaction"]]
    if answer["choice"] == "enroll":
        made = oracle.verify_enrolment(plain, data, device["rp"],
                                       device["origin"], answer["now"])
        assert made == device
        return
    assert oracle.verify(plain, data, device, answer["code"],
                         answer["now"]) == answer["choice"]
    if answer["kind"] == "webauthn":    # its counter must not come again
        with pytest.raises(oracle.Refused, match="PROOF_COUNTER"):
            oracle.verify(plain, data, device, answer["code"], answer["now"])


@pytest.mark.parametrize("note", VECTORS["removals"], ids=lambda n: n["name"])
def test_removal_verifies(note):
    device = phone_of(note["phone"])
    account = note["host"], note["user"], note["uid"]
    data = bytes.fromhex(note["note"])
    assert oracle.removal_bytes(*account, device["id"]).decode() == \
        note["bytes"]
    oracle.verify_removal(data, *account, device)
    for wrong in (("web2", *account[1:]), (account[0], "bob", account[2]),
                  (*account[:2], 1)):
        with pytest.raises(oracle.Refused, match="PROOF_CHALLENGE"):
            oracle.verify_removal(data, *wrong, device)
    # The device's own bytes, whatever is around them.
    assert json.loads(note["bytes"])["device"] == device["id"]
    other = phone_of("p256" if note["phone"] == "webauthn" else "webauthn")
    with pytest.raises(oracle.Refused, match="PROOF_DEVICE"):
        oracle.verify_removal(data, *account, other)


WRONG = [
    ("p256", {"ms": 1}, "PROOF_TIME"),
    ("p256", {"challenge": bytes(32)}, "PROOF_CHALLENGE"),
    ("webauthn", {"flags": 0x01}, "PROOF_FLAGS"),
    ("webauthn", {"rp": "example.org"}, "PROOF_RPID"),
    ("webauthn", {"origin": "https://example.org"}, "PROOF_ORIGIN"),
    ("webauthn", {"type": "webauthn.create"}, "PROOF_TYPE"),
    ("webauthn", {"cross_origin": True}, "PROOF_CROSS_ORIGIN"),
    ("webauthn", {"challenge": bytes(32)}, "PROOF_CHALLENGE"),
    ("webauthn", {"flags": 0x0d}, "PROOF_BACKUP"),
    ("webauthn", {"a": bytes(38)}, "PROOF_LENGTH"),
]


@pytest.mark.parametrize("kind,wrong,reason", WRONG)
def test_oracle_refuses(kind, wrong, reason):
    phone = oracle.Phone(kind)
    plain = phone.answer(BYTES["sudo"], "approve", **wrong)
    with pytest.raises(oracle.Refused, match=reason):
        oracle.verify(plain, BYTES["sudo"], phone.device())


@pytest.mark.parametrize("kind", ["p256", "webauthn"])
def test_whole_life(kind):
    """Enrol, approve, deny and be reached by a seal, with fresh keys."""
    link = oracle.Link()
    assert oracle.Link.from_text(link.text(upper=True)).secret == link.secret
    phone = oracle.Phone(kind)
    sealed = oracle.b64u(link.seal_content(
        oracle.content(BYTES["enrolment"])))
    device = oracle.verify_enrolment(
        link.open_answer(phone.enroll(link, sealed)), BYTES["enrolment"],
        phone.rp, phone.origin)
    sealed = oracle.b64u(link.seal_content(oracle.content(BYTES["sudo"])))
    for answer, choice in ((phone.approve, "approve"), (phone.deny, "deny"),
                           (phone.not_me, "not-me")):
        plain = link.open_answer(answer(link, sealed))
        assert oracle.verify(plain, BYTES["sudo"], device) == choice
        with pytest.raises(oracle.Refused):
            oracle.verify(plain, BYTES["choices"], device, "000000")
    assert oracle.unpack(link.open_answer(oracle.decline(link)))["kind"] \
        == "unsigned"
    assert phone.open_seal(oracle.device_seal(
        phone.seal_point, phone.device_id, link.secret)) == link.secret
    with pytest.raises(oracle.Refused):
        oracle.device_open(phone.seal_key, "a" * 16, oracle.device_seal(
            phone.seal_point, phone.device_id, link.secret))


def test_manual_has_the_golden_values():
    """countersign-protocol(7) is enough for a stranger, so it has to be right.

    Values are broken over lines there, but never beside a space.
    """
    path = os.path.join(SRC, "man", "countersign-protocol.7")
    with open(path, encoding="utf-8") as f:
        page = re.sub(r"\n +", "", f.read().replace("\\-", "-"))
    basic = dict(VECTORS["basic"])
    enrol = next(a for a in SIGNED if a["name"] == "enrol p256")
    approve = {a["name"]: a for a in SIGNED}
    wanted = list(basic.values()) + [
        VECTORS["phones"]["p256"]["point"],
        VECTORS["phones"]["p256"]["deviceId"],
        VECTORS["phones"]["webauthn"]["point"],
        approve["p256 approve"]["plain"],
        approve["webauthn approve"]["plain"],
        enrol["plain"],
        VECTORS["deviceSeals"][0]["sealed"],
        VECTORS["removals"][0]["bytes"], VECTORS["removals"][0]["challenge"],
        VECTORS["removals"][0]["note"], VECTORS["removals"][1]["note"],
        VECTORS["testLink"]["testSecret"], VECTORS["testLink"]["linkId"],
        BYTES["sudo"].decode(), BYTES["enrolment"].decode(),
    ]
    for value in wanted:
        assert value in page
