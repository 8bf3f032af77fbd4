#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The service in trouble: a database that is locked, full, damaged or none, and
kill -9.
"""
import contextlib
import http.client
import os
import random
import socket
import sqlite3
import statistics
import struct
import threading
import time
from pathlib import Path

import private
import pytest
from siege import (FIGURES, Bystander, own_machine, patiently, running,
                   survived)
from figures import SCALE
from service import Later, Service, random_b64u, wait_until

__all__ = ["own_machine"]
FIGURES.name, FIGURES.what = "trouble", "the service in trouble"
KILLS = 25 * SCALE


@contextlib.contextmanager
def locked(service):
    """Somebody else writes, and does not come to an end."""
    with contextlib.closing(sqlite3.connect(
            service.database, isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_database_locked_for_moments():
    """Shorter than the service waits: nobody notices."""
    with running() as rig:
        stop = threading.Event()

        def lock():
            while not stop.is_set():
                with locked(rig.service):
                    time.sleep(0.1)  # the length of the trouble
                stop.wait(0.1)
        trouble = Later(lock)
        try:
            bystander = Bystander(rig).stand_by(5)
        finally:
            stop.set()
            trouble.result()
        FIGURES.note(f"locked every 0.2 s: a login {bystander.said()}")


def test_database_locked_for_long():
    """Honest at once, readable meanwhile, and well again."""
    with running(log_level="debug") as rig:
        question, other = rig.host.ask(), rig.host.ask()
        poll = rig.host.poll(question, after=1)
        with locked(rig.service):
            refused = rig.service.phone().answer(question)
            assert refused.status == 503 and refused.headers["Retry-After"]
            times = []
            for _ in range(20):
                began = time.monotonic()
                assert rig.host.ask().reply.status == 503
                assert rig.service.phone().answer(question).status == 503
                assert rig.service.phone().open(other).status == 200
                assert rig.host.status(other).json["status"] == "pending"
                times.append(time.monotonic() - began)
            # All of it together waited for the lock once.
            assert max(times) < 1, times
            login = rig.login("alice", service="su", argv=("su", "alice"))
            began = time.monotonic()
            assert login.end() == "PAM_AUTHINFO_UNAVAIL"
            assert time.monotonic() - began < 5
            assert not poll.done()
        assert rig.service.phone().answer(question).status == 202
        assert poll.result().json["event"] == "answered"
        FIGURES.cases += 80
        Bystander(rig).stand_by()


# --- nothing is lost ----------------------------------------------------------

class Ledger:
    """What hosts and phones were told, and must find again."""

    def __init__(self, host):
        self.host = host
        self.pending, self.answered, self.granted = {}, {}, {}
        self.unsure = set()  # tokens: a call had no reply

    def ask(self):
        question = self.host.ask(lifetime=300)
        if question.reply.status == 201:
            self.pending[question.token] = question
        return question.reply.status

    def answer(self, phone):
        token, question = self._any(self.pending)
        sealed = random_b64u(150)
        self.unsure.add(token)
        status = phone.answer(question, sealed).status
        if status == 202:
            del self.pending[token]
            self.answered[token] = question, sealed
        # 409: the one that had no reply was taken.
        if status in (202, 503):
            self.unsure.discard(token)
        return status

    def grant(self):
        token, (question, _) = self._any(self.answered)
        self.unsure.add(token)
        status = self.host.outcome(question, "granted").status
        if status == 204:
            del self.answered[token]
            self.granted[token] = question
        if status in (204, 503):
            self.unsure.discard(token)
        return status

    @staticmethod
    def _any(those):
        return random.choice(list(those.items()))

    def _status(self, token, question):
        return patiently(lambda: self.host.status(question)).json

    def verify(self):
        """How many entries were found as they were told."""
        for token, question in self.pending.items():
            found = self._status(token, question)
            expected = ("answered", "created") if token in self.unsure \
                else ("created",)
            assert (found["status"], found["event"] in expected) == \
                ("pending", True), found
        for token, (question, sealed) in self.answered.items():
            found = self._status(token, question)
            if token in self.unsure and found["status"] == "succeeded":
                continue
            assert found["event"] == "answered", found
            assert found["answer"] == sealed
        for token, question in self.granted.items():
            found = self._status(token, question)
            assert (found["status"], found["event"]) == \
                ("succeeded", "granted"), found
            # Not once more, by whatever comes later.
            again = self.host.service.phone().answer(question)
            if again.status == 202:
                FIGURES.grants += 1
            assert again.status in (409, 410), again
        total = len(self.pending) + len(self.answered) + len(self.granted)
        FIGURES.cases += total
        return total


def at_work(ledger, stop):
    """Asks, answers and grants until told to stop; errors end a call only."""
    phone = ledger.host.service.phone()
    while not stop.is_set():
        try:
            ledger.ask()
            if len(ledger.pending) > 30:
                ledger.answer(phone)
            if len(ledger.answered) > 10:
                ledger.grant()
        except (OSError, http.client.HTTPException):
            stop.wait(0.01)


SO_TIMESTAMP = 29  # of asm-generic/socket.h


@pytest.fixture
def ready_ms(monkeypatch):
    """How long a service took from its birth until it said that it is ready,
    both by the kernel's clocks: this program may be late to hear of it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind("/run/ready")
        told.settimeout(10)
        told.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
        monkeypatch.setenv("NOTIFY_SOCKET", "/run/ready")

        def heard(service):
            said, [[_, _, at]], _, _ = told.recvmsg(100, 100)
            assert said == b"READY=1"
            seconds, micro = struct.unpack("2l", at)
            birth = Path(f"/proc/{service.process.pid}/stat").read_text() \
                .rpartition(")")[2].split()[19]
            booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
            return 1000 * (seconds + micro / 1e6 - booted -
                           int(birth) / os.sysconf("SC_CLK_TCK"))

        yield heard
    os.unlink("/run/ready")


def test_killed_again_and_again(ready_ms):
    with running(max_pending_host=100000) as rig:
        service = rig.service
        ledgers = [Ledger(rig.host) for _ in range(4)]
        # Before everything, and still there in the end.
        kept = Ledger(rig.host)
        for _ in range(300):
            kept.ask()
        ready_ms(service)  # of the first start
        ready = []
        for _ in range(KILLS):
            stop = threading.Event()
            work = [Later(lambda one=one: at_work(one, stop))
                    for one in ledgers]
            time.sleep(random.uniform(0.05, 0.4))  # a moment of no choice
            survived(service)
            service.kill()
            service.start()
            ready.append(ready_ms(service))
            stop.set()
            for one in work:
                one.result()
        entries = sum(one.verify() for one in (*ledgers, kept))
        for question in kept.pending.values():
            assert service.phone().answer(question).status == 202
        FIGURES.cases += KILLS
        FIGURES.note(
            f"killed {KILLS} times, {entries} promises kept; ready after "
            f"{statistics.median(ready):.0f} ms, at most {max(ready):.0f} ms")
        assert len(kept.pending) == 300 and entries > 300 + 10 * KILLS
        assert max(ready) < 1000
        Bystander(rig).stand_by()


# --- a full disk ---------------------------------------------------------------

@contextlib.contextmanager
def small_disk(rig, size):
    """The database moves to a disk of so many bytes."""
    service = rig.service
    folder = service.database.parent
    assert service.stop() == 0
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    private.mount("tmpfs", str(folder), "tmpfs", data=f"size={size},mode=700")
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        service.start()
        yield folder
    finally:
        if service.process is not None:
            service.kill()
        private.libc.umount2(str(folder).encode(), 2)
        service.start()


def fill(folder, room):
    """Leaves little room; the file that takes the rest."""
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        file.truncate(file.tell() // 4096 * 4096 - room)
    return ballast


@pytest.mark.parametrize("killed", [False, True])
def test_full_disk(killed):
    with running() as rig, small_disk(rig, 4 << 20) as folder:
        ledger, phone = Ledger(rig.host), rig.service.phone()
        for _ in range(50):
            assert ledger.ask() == 201
        for _ in range(20):
            assert ledger.answer(phone) == 202
        for _ in range(10):
            assert ledger.grant() == 204
        ballast = fill(folder, 256 << 10)
        statuses = []
        # What still fits is taken, and then nothing is.
        wait_until(lambda: statuses.append(ledger.ask()) or
                   statuses[-10:] == [503] * 10, "the refusal")
        assert set(statuses) == {201, 503}
        ledger.verify()
        if killed:
            rig.service.kill()
            ballast.unlink()
            rig.service.start()
        else:
            ballast.unlink()
        wait_until(lambda: ledger.ask() == 201, "room")
        ledger.verify()
        for question in list(ledger.pending.values()):
            assert phone.answer(question).status == 202
        FIGURES.cases += len(statuses)
        Bystander(rig).stand_by()


# --- a database that is none, or no longer one --------------------------------

def another_program(path):
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")


def newer(path):
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE schema (version INTEGER)")
        db.execute("INSERT INTO schema VALUES (99)")


def half_of_ours(path):
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE schema (version INTEGER)")
        db.execute("INSERT INTO schema VALUES (3)")


@pytest.mark.parametrize("replacement", [
    another_program, newer, half_of_ours, Path.mkdir,
    lambda path: path.write_bytes(os.urandom(65536)),
    lambda path: path.write_bytes(b"SQLite format 3\0" + os.urandom(4080)),
    lambda path: path.symlink_to("/dev/null"),
    lambda path: os.mkfifo(path)], ids=[
        "another-program", "newer", "half", "folder", "random", "header",
        "link", "fifo"])
def test_replaced_database(replacement):
    """One line that names it, and status 3."""
    with Service() as service:
        service.add_host("web1")
        assert service.stop() == 0
        for path in service.database.parent.glob("*.db*"):
            path.unlink()
        replacement(service.database)
        run = service.command("serve")
        FIGURES.cases += 1
        FIGURES.crashes += run.returncode < 0
        lines = run.stderr.splitlines()
        assert (run.returncode, len(lines)) == (3, 1), run
        assert "event=not_started" in lines[0]
        assert str(service.database) in lines[0]


def test_damaged_database():
    """Pages of random bytes: refused at the start, or where they are met."""
    with Service(max_pending_host=10000) as service:
        host = service.add_host("web1")
        questions = [host.ask() for _ in range(200)]
        assert service.stop() == 0
        whole = service.database.read_bytes()
        refused = served = trouble = 0
        for seed in range(40 * SCALE):
            rng = random.Random(seed)
            damaged = bytearray(whole)
            for _ in range(rng.randrange(1, 8)):
                at = rng.randrange(100, len(damaged) - 64)
                damaged[at:at + 64] = rng.randbytes(64)
            for path in service.database.parent.glob("*.db*"):
                path.unlink()
            service.database.write_bytes(damaged)
            service.database.chmod(0o600)
            try:
                service.start()
            except AssertionError:
                assert service.process.poll() == 3, service.process
                refused += 1
                continue
            served += 1
            for question in rng.sample(questions, 10):
                status = service.phone().open(question).status
                trouble += status != 200
                assert status in (200, 404, 410, 503)
                assert host.ask().reply.status in (201, 401, 409, 429, 503)
            survived(service)
            service.kill()
        FIGURES.cases += 40 * SCALE
        FIGURES.note(f"damaged: {refused} refused at the start, {served} "
                     f"served, {trouble} calls that met it")
        assert served and trouble


def test_figures():
    FIGURES.write()
    assert FIGURES.cases > KILLS
