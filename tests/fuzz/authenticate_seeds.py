# SPDX-License-Identifier: BSD-2-Clause
"""Packs the seeds of authenticate.c: logins as they happen, and as they fail.

usage: python3 tests/fuzz/authenticate_seeds.py
"""
from pathlib import Path

SEEDS = Path(__file__).resolve().parent / "seeds" / "authenticate"

SERVICE = [None, "sshd", "sudo", "su", "login", "cron", ""]
USER = [None, "alice", "al", "bob", "carol", "root", "mallory", ""]
TTY = [None, "ssh", "/dev/pts/3", ""]
HOST = [None, "192.0.2.1", "evil.example", ""]
COMMAND = [None, "id", "-n", "-l", "-"]
ENV = [None, "connection", "proven"]
OPTION = [None, "debug", "after_first_factor", "nullok", "config"]
SETTING = [None, "push no", "push yes", "prompt", "info", "none", "ignore",
           "enroll", "no recovery", "recovery_enroll", "tap", "lifetime 30",
           "push early", "webauthn", "evidence", "ascii", "cut deny",
           "exempt"]
REPLY = ["", "code", "used", "input", "y", "nothing", "error"]
FILE = ["devices", "state", "rings", "config", "key", "audit", "bob"]
DAMAGE = ["removed", "cut", "bits", "longer", "others"]
MOVE = ["created", "seen", "ended", "trouble", "taken", "claim", "random", "mutated",
        "huge", "flood", "unsealed", "replay", "own", "note", "hang up",
        "forged", "decline", "deny", "not-me", "approve", "bent", "twice",
        "enrol", "digits", "new", "raw"]
PAUSE = {0: 0, 1: 3, 500: 4, 5000: 5, 40000: 6, 95000: 7}


def word(names, value):
    """One of the list, or any other text as it is."""
    if value in names:
        return bytes([names.index(value)])
    text = value.encode()
    return bytes([0, len(text)]) + text


def many(names, values):
    return bytes([len(values)]) + b"".join(word(names, v) for v in values)


def trouble(what):
    kind, *rest = what or (None,)
    if kind == "file":
        return bytes([1, FILE.index(rest[0]), DAMAGE.index(rest[1])])
    if kind == "played":
        return bytes([2, rest[0] - 1])
    if kind == "lot":
        return bytes([3]) + rest[0].to_bytes(2, "big")
    if kind == "nth":
        return bytes([4]) + rest[0].to_bytes(2, "big") + bytes([rest[1]])
    return bytes([0])


def seed(name, *moves, service="sshd", user="alice", tty="ssh",
         host="192.0.2.1", ruser="", command=(), env=("connection",),
         options=(), conversation=True, again=False, settings=(),
         replies=(), renamed=None, fault=None, rest=b""):
    data = word(SERVICE, service)
    data += word(USER, user or "alice") + bytes([0 if user else 15])
    data += word(TTY, tty) + word(HOST, host) + word(USER, ruser)
    data += many(COMMAND, command) + many(ENV, env) + many(OPTION, options)
    data += bytes([0 if conversation else 15, 7 if again else 0])
    data += many(SETTING, settings)
    data += bytes([15 if renamed else 0])
    for i in range(4):
        reply = replies[i] if i < len(replies) else ""
        if reply in REPLY:
            data += bytes([REPLY.index(reply)])
        else:
            data += bytes([3, len(reply)]) + reply.encode()
    if renamed:
        data += word(USER, renamed)
    data += trouble(fault)
    data += bytes([len(moves)])
    for after, move in moves:
        data += bytes([MOVE.index(move) * 8 + PAUSE[after]])
    SEEDS.mkdir(parents=True, exist_ok=True)
    (SEEDS / name).write_bytes(data + rest)


CREATED = (0, "created")
YES = (500, "approve")
SUDO = {"service": "sudo", "tty": "/dev/pts/3", "host": "", "ruser": "alice",
        "env": ()}

seed("granted", CREATED, YES)
seed("granted-sudo", CREATED, (0, "seen"), YES, command=("id",), **SUDO)
seed("granted-digits", CREATED, (5000, "digits"), env=("proven",),
     settings=("push yes",))
seed("granted-tap", CREATED, YES, command=("id",),
     settings=("push yes", "tap", "evidence"), **SUDO)
seed("granted-recovery", CREATED, (5000, "hang up"), replies=("", "code"))
seed("granted-again", CREATED, (1, "ended"), again=True,
     replies=("", "", "used"))
seed("enrolled", CREATED, (500, "enrol"), (1, "created"), (500, "new"),
     user="carol", env=("proven",), settings=("enroll",),
     replies=("y", "y", "y", "y"))
seed("ignored", user="carol", settings=("ignore",))
seed("denied", CREATED, (5000, "deny"))
seed("not-me", CREATED, (5000, "not-me"), settings=("push yes",))
seed("expired", CREATED, (40000, "seen"), (95000, "approve"),
     settings=("lifetime 30",))
seed("hostile", CREATED, (1, "replay"), (1, "own"), (1, "forged"),
     (1, "bent"), (1, "seen"), (1, "approve"), (0, "claim"), (0, "mutated"),
     rest=bytes(range(64)))
seed("forged", CREATED, *[(1, "forged")] * 8, rest=bytes(range(8)) * 4)
seed("flooded", CREATED, (0, "flood"), (1, "huge"), (1, "random"),
     rest=bytes(range(32)))
seed("renamed", CREATED, YES, renamed="root")
seed("stranger", CREATED, YES, user="mallory", replies=("hunter2",))
seed("options", options=("debug", "nullok", "x=\u202e"))
seed("no-conversation", CREATED, conversation=False, user="bob")
seed("asked-name", CREATED, YES, user=None, replies=("alice",))
seed("bad-devices", CREATED, YES, fault=("file", "devices", "bits"),
     rest=b"\x01\x20\x03")
seed("bad-state", CREATED, YES, fault=("file", "state", "cut"),
     rest=b"\x01\x00")
seed("played-fault", CREATED, YES, fault=("played", 60))
seed("faults", CREATED, YES, fault=("lot", 7))
seed("nth-fault", CREATED, YES, fault=("nth", 700, 1))
