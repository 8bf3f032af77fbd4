# SPDX-License-Identifier: BSD-2-Clause
"""
A courier that does not speak, or says what is no frame, at the wrong time, too
much, or that all is well: E2, E5 and F7 of countersign-security(7).
"""
import os
import signal
import struct

from attempt import AUTH
from courier_case import (CREATE, Table, later, order, quiet, says)
from puppet import (ANSWER, CREATED, CREATED_0, DONE, ENDED, NOTE, OUTCOME,
                    REMOVED, SEEN, TROUBLE, answer, frame, trouble, v16)

CASES = Table()
case = CASES.add


# --- what it does instead of speaking ----------------------------------------

case("exits", order("X", b"\0"), seconds=1)
case("exits with 1", order("X", b"\1"), seconds=1)
for _signal in ("SEGV", "ABRT", "BUS", "ILL", "KILL", "TERM", "SYS", "ALRM"):
    case(f"dies of SIG{_signal}", order(
        "K", bytes([getattr(signal, "SIG" + _signal)])), seconds=1)
case("hangs up", order("C"), seconds=1)
case("is silent", quiet, seconds=CREATE)
case("says no more", order("H"), seconds=1)
case("is silent after creation", later(quiet), AUTH)
for _name, _do in (("exits", order("X", b"\0")), ("hangs up", order("C")),
                   ("says no more", order("H")),
                   ("dies of SIGSEGV", order("K", b"\x0b"))):
    case(f"{_name} after creation", later(_do), seconds=1)
    case(f"{_name} when it was seen", later(says(frame(SEEN)), _do), seconds=1)
    case(f"{_name} after a wrong answer", later(
        lambda s: s.refused(bytes(99), "PROOF_FORMAT"), _do), seconds=1)


# --- frames that are none ----------------------------------------------------

BROKEN = {
    "empty packet": b"",
    "one byte": b"c",
    "short": b"csf",
    "magic alone": b"csf1",
    "another version": b"csf2\x10\0",
    "another magic": b"CSF1\x10\0",
    "created without rings": frame(CREATED),
    "created and a byte": frame(CREATED, b"\0\0"),
    "created with 17 rings": frame(CREATED, b"\x11"),
    "created with 255 rings": frame(CREATED, b"\xff"),
    "two frames in a packet": CREATED_0 * 2,
    "seen and a byte": frame(SEEN, b"\0"),
    "ended as 0": frame(ENDED, b"\0"),
    "ended as 3, granted": frame(ENDED, b"\3"),
    "ended as 255": frame(ENDED, b"\xff"),
    "ended without why": frame(ENDED),
    "trouble 0": trouble(0),
    "trouble 11": trouble(11),
    "trouble of 512 bytes": trouble(1, b"x" * 512),
    "trouble without text": frame(TROUBLE, b"\1"),
    "trouble and a byte": trouble(1) + b"x",
    "an empty answer": answer(b""),
    "an answer and a byte": answer(b"x" * 50) + b"\0",
    "an answer that lacks a byte": answer(b"x" * 50)[:-1],
    "an answer of 8193 bytes": answer(bytes(8193)),
    "an answer of 65535 bytes": frame(ANSWER, b"\xff\xff"),
    "an answer of 20481 bytes": answer(bytes(20474)),
    "100,000 bytes": frame(ANSWER, b"\x20\0") + bytes(100000),
    "an outcome, granted": frame(OUTCOME, b"\1", v16(b"OK"), b"\0", v16(b"")),
    "an outcome, denied": frame(OUTCOME, b"\2", v16(b"NO"), b"\0", v16(b"")),
    "a removed device": frame(REMOVED, v16(b"a" * 16)),
    "done and a byte": frame(DONE, b"\1"),
    "a note of 4097 bytes": frame(NOTE, v16(bytes(4097))),
    "an empty note": frame(NOTE, v16(b"")),
    "a note that lacks a byte": frame(NOTE, v16(b"xx"))[:-1],
    "JSON": b'{"status":"succeeded","event":"granted"}',
    "HTTP": b"HTTP/1.1 200 OK\r\n\r\n",
    "the word": b"granted",
    "the verdict": bytes(4) + b"\xff" * 4,
}
BROKEN.update({f"kind {kind}": frame(kind, b"\0") for kind in
               (0, 4, 15, 23, 24, 127, 255)})
BROKEN.update({f"random bytes {n}": os.urandom(n) for n in
               (1, 5, 6, 7, 64, 300, 4096, 20479)})
BROKEN.update({f"random bytes in a frame {kind}": frame(
    kind, os.urandom(200)) for kind in range(16, 23)})
for _name, _packet in BROKEN.items():
    case(_name, says(_packet), seconds=1, killed=True)
    case(f"{_name}, after creation", later(says(_packet)), seconds=1,
         killed=True)
case("its job back", lambda s: s.say(s.job.packet), seconds=1, killed=True)
case("10 MB", lambda s: (s.puppet.order("B", struct.pack("I", 10 << 20)),
                         s.puppet.order("C")), seconds=1)


# --- frames at the wrong time ------------------------------------------------

for _name, _packet in {
        "seen": frame(SEEN), "done": frame(DONE),
        "answered": answer(bytes(99)),
        "ended, cancelled": frame(ENDED, b"\1"),
        "ended, expired": frame(ENDED, b"\2")}.items():
    case(f"{_name} before creation", says(_packet), seconds=1, killed=True)
case("created twice", later(says(CREATED_0)), seconds=1, killed=True)
case("created, twice at once", says(CREATED_0, CREATED_0), seconds=1,
     killed=True)
case("done after creation", later(says(frame(DONE))), seconds=1, killed=True)
case("a note after creation", later(says(frame(NOTE, v16(b"x")))), seconds=1,
     killed=True)
case("five notes", says(*[frame(NOTE, v16(b"x"))] * 5), seconds=1,
     killed=True)
case("a flood of notes", order("N", struct.pack("I", 100000) +
                               frame(NOTE, v16(bytes(4096)))), seconds=1,
     killed=True)
case("a flood of creations", order("N", struct.pack("I", 100000) + CREATED_0),
     seconds=1, killed=True)
case("a flood of seen", later(order("N", struct.pack("I", 100000) +
                                    frame(SEEN))), AUTH)


# --- claims ------------------------------------------------------------------

for _code in range(1, 11):
    # 409 is tried again, with a question of its own.
    if _code != 6:
        case(f"trouble {_code}", says(trouble(_code)), seconds=1)
    case(f"trouble {_code} after creation", later(says(trouble(_code))),
         seconds=1)


def conflict(stage):
    stage.say(trouble(6))
    first = stage.job
    stage.meet()
    assert stage.job.link_id != first.link_id
    assert stage.job.content != first.content
    stage.say(trouble(6))


case("409 for ever", conflict, seconds=CREATE)
for _name, _text in {
        "granted": b"granted", "511 bytes": b"x" * 511,
        "escapes": b"\x1b]0;x\x07\x1b[2J\r\n\xe2\x80\xae\xff\0granted",
        "no text": b""}.items():
    case(f"trouble that says {_name}", says(trouble(1, _text)), seconds=1)
for _end in (1, 2):
    case(f"ended {_end}", later(says(frame(ENDED, bytes([_end])))), seconds=1)
    case(f"ended {_end} when it was seen", later(
        says(frame(SEEN), frame(ENDED, bytes([_end])))), seconds=1)
