# SPDX-License-Identifier: BSD-2-Clause
"""
Another program in the courier's place: what it does -> what PAM is told.

Real processes throughout: pam-run with the real libpam, module and library,
and where the courier should be a file that is none, or the puppet, which says
to the library whatever a case wants.  After each case the same account logs in
with the real courier.
"""
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import oracle
import private
import pytest
from figures import Figures
from rig import PAM_RUN, Login, Rig, built, config_text
from service import wait_until
from sources import BUILD

OK, INFO, AUTH, MAX = ("PAM_SUCCESS", "PAM_AUTHINFO_UNAVAIL", "PAM_AUTH_ERR",
                       "PAM_MAXTRIES")
USER, OTHER = "alice", "bob"
LIFETIME, CREATE = 30, 3  # seconds that the library waits
SLACK = 3
HANDS = 12  # cases at a time: most of them only wait
(JOB, OUTCOME, REMOVED, CREATED, SEEN, ANSWER, ENDED, DONE, TROUBLE,
 NOTE) = (1, 2, 3, 16, 17, 18, 19, 20, 21, 22)
REJECTED = 3


# --- frames ------------------------------------------------------------------

def v16(data):
    return struct.pack(">H", len(data)) + data


def frame(kind, *fields):
    return b"csf1" + bytes([kind]) + b"".join(fields)


CREATED_0 = frame(CREATED, b"\0")


def answer(data):
    return frame(ANSWER, v16(oracle.unb64u(data)
                             if isinstance(data, str) else data))


def trouble(code, text=b"x"):
    return frame(TROUBLE, bytes([code]), v16(text))


class Job:
    """What the library gave the courier."""

    def __init__(self, packet):
        assert packet[:5] == frame(JOB), packet
        at = 10
        self.texts = []
        for _ in range(9):
            n = struct.unpack(">H", packet[at:at + 2])[0]
            self.texts.append(packet[at + 2:at + 2 + n])
            at += 2 + n
        self.packet = packet
        self.key, self.user = self.texts[5], self.texts[6].decode()
        self.link_id, self.content = self.texts[7].decode(), self.texts[8]


class Puppet:
    """One running courier, seen from the test."""

    def __init__(self, connection):
        connection.settimeout(LIFETIME + 10)
        self.control = connection
        self.pid = struct.unpack("3i", connection.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def order(self, what, data=b""):
        self.control.send(what.encode() + data)

    def heard(self):
        """What the library says; None when it has hung up."""
        while True:
            report = self.control.recv(70001)
            if report[:1] == b"F":
                return report[1:]
            if report[:1] != b"E":
                return None

    def outcome(self):
        """(outcome, reason, tries left)"""
        packet = self.heard()
        assert packet and packet[4] == OUTCOME, packet
        n = struct.unpack(">H", packet[6:8])[0]
        return packet[5], packet[8:8 + n].decode(), packet[8 + n]

    def gone(self):
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return True
        return state.rsplit(") ", 1)[1][0] in "ZX"


# --- one case ----------------------------------------------------------------

class Stage:
    """A host whose courier is not the product's, for one login."""

    def __init__(self, world, name):
        self.world, self.rig = world, world.rig
        self.name = f"case{name}".lower()  # as PAM has it
        self.folder = self.rig.folder / self.name
        self.folder.mkdir(mode=0o755)
        self.courier = self.folder / "courier"
        self.audit = self.folder / "audit"
        self.listener = None
        self.login = self.job = self.puppet = None
        self.got = ""  # the PAM code

    def configure(self, **changes):
        conf = self.folder / "conf"
        conf.touch(0o644)
        conf.write_text(config_text({
            **self.rig.values, "courier": self.courier,
            "audit_file": self.audit, "audit_syslog": "no", **changes}))
        return f"required {built('pam/pam_countersign.so')} config={conf}"

    def set_puppet(self):
        shutil.copy(BUILD / "tests/attack/puppet", self.courier)
        self.courier.chmod(0o755)
        self.listen(self.folder)

    def listen(self, folder):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(folder / "control"))
        os.chmod(folder / "control", 0o666)
        self.listener.listen(4)
        self.listener.settimeout(10)

    def start(self, line, before=(), options=(), user=USER):
        self.login = Login([
            *before, PAM_RUN, "--confdir", self.rig.confdir(self.name, line),
            "--service", self.name, "--user", user, "--json", "--hygiene",
            "--tty", "pts/0", *options])
        return self.login

    def meet(self):
        """The courier has been started, and has read its job."""
        self.puppet = Puppet(self.listener.accept()[0])
        self.job = Job(self.puppet.heard())
        return self.puppet

    # What plays do.

    def say(self, *packets):
        for packet in packets:
            self.puppet.order("S", packet)

    @property
    def link(self):
        return oracle.Link.from_text(self.login.link())

    def question(self):
        return oracle.Question(self.link, self.job.content)

    def genuine(self, phone=None, **keywords):
        """The sealed answer of the account's own phone."""
        return (phone or self.world.phone.key).approve(
            self.link, self.job.content, **keywords)

    def sealed(self, plain):
        """That the terminal's onlooker could seal, too."""
        return self.link.seal_answer(plain)

    def refused(self, sealed, reason, tries=7):
        """Given to the library, it is told that it was nothing."""
        self.say(answer(sealed))
        said = self.puppet.outcome()
        assert said == (REJECTED, reason, tries), said

    def records(self):
        if not self.audit.exists():
            return ""
        return self.audit.read_text()

    def close(self):
        if self.login:
            self.login.close()
        if self.puppet:
            self.puppet.control.close()
        if self.listener:
            self.listener.close()


class Case:
    def __init__(self, play, code, seconds=None, killed=False, before=(),
                 options=(), file=None, **settings):
        """
        play: given a Stage with its courier there; file: instead puts
        something in the courier's place.  killed: it does not end by itself,
        whatever signals it ignores.
        """
        self.play, self.file, self.code = play, file, code
        self.killed = killed
        self.before, self.options = before, options
        self.seconds = (LIFETIME if seconds is None else seconds) + SLACK
        self.settings = settings

    def run(self, stage):
        line = stage.configure(**self.settings)
        if self.file:
            self.file(stage)
        else:
            stage.set_puppet()
        stage.start(line, self.before, self.options)
        if not self.file:
            stage.meet()
            if self.killed:
                stage.puppet.order("I")
            self.play(stage)
        stage.got = stage.login.end()
        self.check(stage)
        stage.world.log_in()

    def check(self, stage):
        login, got = stage.login, stage.got
        spent = [e["ms"] for e in login.events if e["event"] == "result"]
        assert got == self.code, (got, login.events)
        assert spent[0] / 1000 < self.seconds, (spent, login.events)
        hygiene = [e["text"] for e in login.events
                   if e["event"] == "hygiene"]
        assert hygiene == ["same"], hygiene
        granted = '"result":"granted"' in stage.records()
        assert granted == (got == OK), stage.records()
        if got != MAX:
            assert '"result":"denied"' not in stage.records()
        assert "\x1b" not in login.text
        if self.killed:
            wait_until(stage.puppet.gone, "the courier's end")
            zombies = private.zombies()
            assert stage.puppet.pid not in zombies, zombies


CASES = {}


def case(name, play, code=INFO, **keywords):
    assert name not in CASES, name
    CASES[name] = Case(play, code, **keywords)


# --- no courier at all: E1 ---------------------------------------------------

def place(make):
    def file(stage):
        make(stage.courier)
    return file


def contents(data, mode=0o755):
    def make(path):
        path.write_bytes(data)
        path.chmod(mode)
    return place(make)


def program(source, mode=0o755, uid=0, link=None):
    def make(path):
        shutil.copy(source, path)
        os.chown(path, uid, 0)
        path.chmod(mode)
        if link:
            os.link(path, path.with_name(link))
    return place(make)


def acl(path):
    """Writable by one more user, as setfacl(1) does it."""
    shutil.copy(built("lib/courier/courier"), path)
    path.chmod(0o755)
    entries = ((0x01, 7, -1), (0x02, 7, 2001), (0x04, 5, -1), (0x10, 7, -1),
               (0x20, 5, -1))
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) +
                b"".join(struct.pack("<HHi", *entry) for entry in entries))


def folder_of_others(path):
    shutil.copy(built("lib/courier/courier"), path)
    path.chmod(0o755)
    path.parent.chmod(0o777)


def symlink(path):
    real = path.with_name("real")
    shutil.copy(built("lib/courier/courier"), real)
    real.chmod(0o755)
    path.symlink_to(real)


def foreign(machine):
    """A courier for another machine."""
    def make(path):
        data = bytearray(Path("/bin/true").read_bytes())
        data[18:20] = struct.pack("<H", machine)
        path.write_bytes(data)
        path.chmod(0o755)
    return place(make)


REAL = built("lib/courier/courier")
FILES = {
    "missing": place(lambda path: None),
    "symbolic link": place(symlink),
    "folder": place(lambda path: path.mkdir()),
    "FIFO": place(lambda path: os.mkfifo(path, 0o755)),
    "device": place(lambda path: os.mknod(path, 0o20755, os.makedev(1, 3))),
    "socket": place(lambda path: socket.socket(socket.AF_UNIX).bind(
        str(path))),
    "a user's own": program(REAL, uid=2001),
    "the courier's own": program(REAL, uid=65534),
    "writable by its group": program(REAL, 0o775),
    "writable by all": program(REAL, 0o757),
    "writable by an ACL": place(acl),
    "set-uid": program(REAL, 0o4755),
    "set-gid": program(REAL, 0o2755),
    "in a folder of others": place(folder_of_others),
    "not executable": program(REAL, 0o644),
    "root's alone": program(REAL, 0o700),
    "empty": contents(b""),
    "no ELF": contents(b"\x7fELF" + bytes(60)),
    "half an ELF": contents(Path("/bin/true").read_bytes()[:2000]),
    "another machine's ELF": foreign(0xf7),
    "text": contents(b"exit 0\n"),
    "script": contents(b"#!/bin/sh\nexit 0\n"),
    "script of nothing": contents(b"#!/nonexistent\n"),
    "/bin/true": program("/bin/true"),
    "/bin/false": program("/bin/false"),
    "/bin/cat": program("/bin/cat"),
    "/bin/sleep": program("/bin/sleep"),
}
for _name, _file in FILES.items():
    case(_name, None, file=_file, seconds=CREATE)
case("relative path", None, file=place(lambda path: None), seconds=1,
     courier="lib/courier")
case("as root", None, file=program(REAL), seconds=1, courier_user="root")
case("as nobody who exists", None, file=program(REAL), seconds=1,
     courier_user="no-such-account")


# --- what it does instead of speaking ----------------------------------------

def order(what, data=b""):
    return lambda s: s.puppet.order(what, data)


def says(*packets):
    return lambda s: s.say(*packets)


def later(*plays):
    """After the question was created and shown."""
    def play(stage):
        stage.say(CREATED_0)
        assert stage.link
        for one in plays:
            one(stage)
    return play


def quiet(_stage):
    pass


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


# --- answers: whatever a courier has, and more -------------------------------

ENDS = says(frame(ENDED, b"\1"))  # so that a case need not wait


def refused(make, reason="PROOF_FORMAT", code=INFO, **keywords):
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


def then(*plays):
    return later(*plays)


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


# --- the run -----------------------------------------------------------------

class World:
    def __init__(self, rig):
        self.rig = rig
        self.phone = rig.enrol_soft(USER, kind="webauthn", counting=False)
        self.bob = rig.enrol_soft(OTHER, kind="webauthn", counting=False)
        self.own = oracle.Phone("webauthn", origin=rig.service.url)
        self.earlier = self.log_in()

    def log_in(self):
        """With the real courier; the answer, sealed and opened."""
        login = self.rig.login(USER)
        link = oracle.Link.from_text(login.link())
        reply = self.rig.service.phone().get(f"/links/{link.id}")
        sealed = self.phone.key.approve(link, reply.json["content"])
        self.rig.service.phone().post(
            f"/links/{link.id}/answer", {"answer": sealed, "hint": "approve"})
        assert login.end() == OK, login.events
        return oracle.unb64u(sealed), link.open_answer(sealed)


def attempt(world, number, name):
    """(the PAM code or "", None or what is wrong)"""
    stage, wrong = Stage(world, number), None
    try:
        CASES[name].run(stage)
    except Exception as error:  # of whatever kind: the case reports it
        wrong = f"{type(error).__name__}: {error}"
    finally:
        stage.close()
    crashed = stage.got == "" and stage.login is not None and \
        stage.login.process.returncode not in (0, 1, -signal.SIGKILL)
    return stage.got, wrong, crashed


@pytest.fixture(scope="module")
def figures():
    figures = Figures("courier_table", "programs in the courier's place")
    yield figures
    figures.write()


@pytest.fixture(scope="module")
def world():
    private.enter()
    # Requests of all these logins come from one host.  With phones that ring
    # it would depend on earlier cases whether a question has a code.
    with Rig(lifetime=LIFETIME, push="no", service={
            "rate_host": 0, "rate_address": 0}) as rig:
        yield World(rig)


@pytest.fixture(scope="module")
def results(world, figures):
    began = time.monotonic()
    # Those that wait longest begin first.
    names = sorted(CASES, key=lambda name: -CASES[name].seconds)
    with ThreadPoolExecutor(HANDS) as hands:
        found = dict(zip(names, hands.map(
            lambda one: attempt(world, *one), enumerate(names))))
    figures.cases += len(found)
    figures.crashes += sum(one[2] for one in found.values())
    grants = [name for name, one in found.items()
              if one[0] == OK != CASES[name].code]
    figures.grants += len(grants)
    figures.wrong += sum(one[1] is not None and not one[2] and
                         name not in grants for name, one in found.items())
    figures.note(f"{len(found)} couriers in "
                 f"{time.monotonic() - began:.0f} s, then a login each")
    return found


@pytest.mark.parametrize("name", CASES)
def test_courier(results, name):
    assert results[name][1] is None, results[name][1]


def test_in_place_of_the_installed(world, figures):
    """Mounted over the program that an administrator has set up."""
    rig = world.rig
    puppet = Path("/run/puppet")
    shutil.copy(BUILD / "tests/attack/puppet", puppet)
    stage = Stage(world, "mounted")
    stage.listen(rig.folder)
    stage.courier = rig.values["courier"]
    private.bind(puppet, stage.courier)
    try:
        stage.start(stage.configure())
        stage.meet()
        later(says(frame(ENDED, b"\1")))(stage)
        assert stage.login.end() == INFO
    finally:
        stage.close()
        subprocess.run(["umount", stage.courier], check=True)
    figures.cases += 1
    world.log_in()


def test_swapped_answers(world, figures):
    """Two logins at once, each given the answer to the other's question."""
    stages = [Stage(world, f"swap{n}") for n in (1, 2)]
    try:
        for stage in stages:
            line = stage.configure()
            stage.set_puppet()
            stage.start(line)
            stage.meet()
            stage.say(CREATED_0)
        one, two = stages
        for here, there in ((one, two), (two, one)):
            here.refused(oracle.unb64u(there.genuine()), "PROOF_FORMAT")
            here.refused(here.sealed(there.link.open_answer(
                there.genuine())), "PROOF_CHALLENGE", 6)
            ENDS(here)
        assert [stage.login.end() for stage in stages] == [INFO, INFO]
        assert "granted" not in one.records() + two.records()
    finally:
        for stage in stages:
            stage.close()
    figures.cases += 4
    world.log_in()


def test_codes(world, figures):
    """Three wrong codes, one of them the proof for another question."""
    stage = Stage(world, "codes")
    phone = world.bob.key
    try:
        line = stage.configure(push="yes")
        stage.set_puppet()
        stage.start(line, user=OTHER)
        stage.meet()
        stage.say(CREATED_0)
        code = stage.login.code()
        wrong = f"{(int(code) + 1) % 1000000:06}"
        data = stage.question().bytes
        for sealed, left in (
                (plain(stage, phone, code=wrong), 2),
                (plain(stage, phone, data=data + b" ", code=code), 1),
                (plain(stage, phone, code=code + "0"), 0)):
            stage.refused(sealed, "PROOF_CODE", left)
        stage.say(answer(plain(stage, phone, code=code)))
        assert stage.login.end() == MAX
        assert "granted" not in stage.records()
    finally:
        stage.close()
    figures.cases += 3


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_application_dies(world, figures, how):
    """E5: the courier hears of it at once, and the real one goes."""
    stage = Stage(world, how)
    try:
        line = stage.configure()
        stage.set_puppet()
        stage.start(line)
        stage.meet()
        stage.say(CREATED_0)
        assert stage.link
        stage.login.process.send_signal(getattr(signal, how))
        began = time.monotonic()
        assert stage.puppet.heard() is None
        assert time.monotonic() - began < 1
    finally:
        stage.close()
    login = world.rig.login(USER)
    link = login.link()
    before = couriers()
    assert before
    login.process.send_signal(getattr(signal, how))
    wait_until(lambda: not couriers(), "the courier's end")
    wait_until(lambda: world.rig.link_state(link) in ("cancelled", None),
               "the cancel")
    figures.cases += 2
    world.log_in()


def couriers():
    return [pid for pid, line in private.processes().items()
            if line == "courier"]


def test_nothing_is_left(results, world, figures):
    """No courier, no zombie, and a puppet goes when its strings are cut."""
    wait_until(lambda: not couriers(), "the end of the couriers")
    left = private.zombies()
    figures.cases += 1
    figures.leaks += len(left)
    assert left == []


def test_table_has_what_it_promises(results):
    """Every code is met, and each is what most cases of its kind say."""
    codes = [one[0] for one in results.values()]
    assert {OK, INFO, AUTH, MAX} == set(codes) - {""}
    assert codes.count(INFO) > 150
