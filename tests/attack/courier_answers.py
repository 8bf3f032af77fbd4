# SPDX-License-Identifier: BSD-2-Clause
"""
A courier that brings answers: with all that a courier has, with the link as
well, and with what a phone really said (E4, E6 of countersign-security(7)).
"""
import os
import struct

import oracle
from attempt import AUTH, MAX, OK
from courier_case import (CREATE, ENDS, Table, later, order, quiet, says)
from courier_files import FILES
from puppet import NOTE, SEEN, answer, frame, v16

CASES = Table()
case = CASES.add


def refused(make, reason="PROOF_FORMAT"):
    """An answer that proves nothing: told so, and nothing is counted."""
    def play(stage):
        stage.refused(make(stage), reason)
        assert '"result":"refused"' in stage.records()
        ENDS(stage)
    return later(play)


def by_key(material):
    """What somebody seals who has not got S."""
    def make(stage):
        link = oracle.Link()
        link.answer_key = material(stage)
        return link.seal_answer(stage.world.own.answer(
            b'{"choices":["approve"]}', "approve"))
    return make


for _name, _make in {
        "one byte": lambda s: b"\1",
        "8192 bytes": lambda s: bytes(8192),
        "random, sealed format": lambda s: b"\1" + os.urandom(200),
        "the content": lambda s: s.job.content,
        "under zeros": by_key(lambda s: bytes(32)),
        "under the link id": by_key(
            lambda s: oracle.hkdf(oracle.unb64u(s.job.link_id),
                                  "countersign/1 answer", 32)),
        "under the access key": by_key(
            lambda s: oracle.hkdf(s.job.key, "countersign/1 answer", 32)),
        "under the content": by_key(lambda s: oracle.sha256(s.job.content)),
        "of an earlier login": lambda s: s.world.earlier[0],
        "under the content key": lambda s: s.link._seal(
            s.link.content_key, "countersign/1 answer", b"\1" * 60, None),
        "with another label": lambda s: s.link._seal(
            s.link.answer_key, "countersign/1 content", b"\1" * 60, None),
        "sealed nothing": lambda s: s.sealed(b""),
        "sealed noise": lambda s: s.sealed(os.urandom(300)),
        "genuine, a bit flipped": lambda s: flipped(s.genuine(), 200),
        "genuine, the first bit flipped": lambda s: flipped(s.genuine(), 0),
        "genuine, the last bit flipped": lambda s: flipped(s.genuine(), -1),
        "genuine, cut": lambda s: oracle.unb64u(s.genuine())[:-1],
        "genuine, longer": lambda s: oracle.unb64u(s.genuine()) + b"\0",
        "a byte behind the proof": lambda s: s.sealed(
            s.link.open_answer(s.genuine()) + b"\0"),
}.items():
    case(f"answer: {_name}", refused(_make), seconds=2)


def flipped(sealed, at):
    data = bytearray(oracle.unb64u(sealed))
    data[at] ^= 1
    return bytes(data)


def plain(stage, phone, choice="approve", data=None, **wrong):
    return stage.sealed(phone.answer(
        stage.question().bytes if data is None else data, choice, **wrong))


def named(stage, phone, device):
    """Signed by phone, in another device's name."""
    data = stage.question().bytes
    return stage.sealed(oracle.pack(
        phone.kind, "approve", device,
        *phone.sign(oracle.challenge("approve", data))))


for _name, _reason, _make in (
        ("its own key", "PROOF_DEVICE", lambda s: plain(s, s.world.own)),
        ("its own key by the phone's name", "PROOF_SIGNATURE",
         lambda s: named(s, s.world.own, s.world.phone.device)),
        ("another account's phone", "PROOF_DEVICE",
         lambda s: plain(s, s.world.bob.key)),
        ("another account's phone by this one's name", "PROOF_SIGNATURE",
         lambda s: named(s, s.world.bob.key, s.world.phone.device)),
        ("an earlier login's proof", "PROOF_CHALLENGE",
         lambda s: s.sealed(s.world.earlier[1])),
        ("a choice that was not offered", "PROOF_CHOICE",
         lambda s: plain(s, s.world.phone.key, "approve-all")),
        ("an enrolment's choice", "PROOF_CHOICE",
         lambda s: plain(s, s.world.phone.key, "enroll")),
        ("a removal's choice", "PROOF_CHOICE",
         lambda s: plain(s, s.world.phone.key, "remove")),
        ("a denial's proof as a yes", "PROOF_CHALLENGE", lambda s: plain(
            s, s.world.phone.key, challenge=oracle.challenge(
                "deny", s.question().bytes))),
        ("another question's proof", "PROOF_CHALLENGE", lambda s: plain(
            s, s.world.phone.key, data=s.question().bytes[:-1] + b" }")),
        ("a yes without a signature", "PROOF_FORMAT", lambda s: s.sealed(
            oracle.pack("unsigned", "approve", s.world.phone.device))),
        ("another origin", "PROOF_ORIGIN", lambda s: plain(
            s, s.world.phone.key, origin="https://evil.example")),
        ("another party", "PROOF_RPID", lambda s: plain(
            s, s.world.phone.key, rp="evil.example")),
        ("no person present", "PROOF_FLAGS", lambda s: plain(
            s, s.world.phone.key, flags=0x04)),
        ("no person verified", "PROOF_FLAGS", lambda s: plain(
            s, s.world.phone.key, flags=0x01)),
        ("a registration", "PROOF_TYPE", lambda s: plain(
            s, s.world.phone.key, type="webauthn.create"))):
    case(f"answer by {_name}", refused(_make, _reason), seconds=2)


def eight(stage):
    for left in range(7, -1, -1):
        stage.refused(os.urandom(99), "PROOF_FORMAT", left)


def seven_and_genuine(stage):
    for left in range(7, 0, -1):
        stage.refused(os.urandom(99), "PROOF_FORMAT", left)
    stage.say(answer(stage.genuine()))


def same_often(stage):
    """The same wrong bytes are looked at once."""
    stage.refused(b"\1" * 99, "PROOF_FORMAT")
    stage.puppet.order("N", struct.pack("I", 1000) + answer(b"\1" * 99))


def genuine(stage):
    stage.say(answer(stage.genuine()))


def decides(how):
    """The phone's own no, carried by whoever: that is a no."""
    return lambda s: s.say(answer(how(s)))


case("eight answers", later(eight), MAX, seconds=5)
case("an endless number of answers", later(order("N", struct.pack(
    "I", 100000) + answer(b"\1" * 99))), AUTH)
case("a phone's no", later(decides(lambda s: s.world.phone.key.deny(
    s.link, s.job.content))), MAX, seconds=2)
case("a phone's not-me", later(decides(lambda s: s.world.phone.key.not_me(
    s.link, s.job.content))), MAX, seconds=2)
case("an unsigned no under S", later(decides(
    lambda s: oracle.decline(s.link))), MAX, seconds=2)
case("an unsigned no of its own", refused(lambda s: oracle.unb64u(
    oracle.decline(oracle.Link()))), seconds=2)

# What must go well, with a courier that is no friend.
case("control: genuine", later(genuine), OK, seconds=2)
case("control: seen first", later(says(frame(SEEN)), genuine), OK, seconds=2)
case("control: seven wrong answers first", later(seven_and_genuine), OK,
     seconds=5)
case("control: one wrong answer, 1000 times", later(same_often, genuine), OK,
     seconds=5)
case("control: four notes of noise", lambda s: (
    s.say(*[frame(NOTE, v16(os.urandom(400)))] * 4), later(genuine)(s)), OK,
    seconds=3)
case("control: it denies after the yes", later(
    genuine, decides(lambda s: oracle.decline(s.link))), OK, seconds=2)
case("control: it dies after the yes", later(genuine, order("X", b"\1")), OK,
     seconds=2)
case("control: noise after the yes", later(genuine, says(b"noise")), OK,
     seconds=2)

# E4: what the application does with its children is no matter.
for _how, _words in (("ignored", {"before": ("env", "--ignore-signal=CHLD")}),
                     ("reaped", {"options": ("--reap",)})):
    case(f"SIGCHLD {_how}: a yes", later(genuine), OK, seconds=2, **_words)
    case(f"SIGCHLD {_how}: a death", order("K", b"\x09"), seconds=1, **_words)
    case(f"SIGCHLD {_how}: silence", quiet, seconds=CREATE, **_words)
    case(f"SIGCHLD {_how}: noise", later(says(b"noise")), seconds=1,
         killed=True, **_words)
    case(f"SIGCHLD {_how}: missing", None, file=FILES["missing"], seconds=1,
         **_words)
