# SPDX-License-Identifier: BSD-2-Clause
"""Databases of older versions: database-1.sql is one that was in use."""
import contextlib
import re
import socket
import sqlite3
import time

import pytest

from service import (Host, Question, Service, device_id, kill_at_each,
                     wait_until)
from sources import TOP, built

OLD = (TOP / "tests/service/database-1.sql").read_text()
KNOWN = dict(re.findall(r"^-- ([a-z0-9-]+) (\S+)$", OLD, re.M))
TABLES = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"


def make_old(path, left=90):
    """As the released version left it; left: seconds, of its questions."""
    for old in path.parent.iterdir():
        old.unlink()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA page_size = 2048; PRAGMA journal_mode = WAL;"
                         + OLD)
        ends = int((time.time() + left) * 1000)
        db.execute("UPDATE approvals SET ends = ?1, due = ?1", (ends,))
        db.commit()
    path.chmod(0o600)


@pytest.fixture
def idle():
    with Service(start=False) as found:
        make_old(found.database)
        yield found


def rows(path, sql):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def known_host(service, name):
    return Host(service, name, KNOWN[name])


def test_the_old_database_is_one(idle):
    assert rows(idle.database, "SELECT version FROM schema") == [(1,)]
    assert rows(idle.database, "PRAGMA integrity_check") == [("ok",)]
    assert rows(idle.database, "SELECT count(*) FROM claims") != [(0,)]


def test_everything_is_there_after_it(idle):
    idle.start()
    web1, web2, web3 = (known_host(idle, n) for n in ("web1", "web2", "web3"))
    for host in (web1, web2, web3):
        assert host.get("/ping").status == 200
    devices = web1.devices("alice")
    assert devices[KNOWN["device"]]["name"] == "Alice's Pixel"
    assert len(devices) == 2
    assert [found["name"] for found in web2.devices("bob").values()] == ["Böb"]
    assert web3.get("/api/v1/users?username=alice").status == 404
    assert [(h["name"], h["space"], h["rights"])
            for h in idle.ask_command("host", "list")] == [
        ("web1", "web1", ["approve", "enrol", "manage"]),
        ("web2", "web1", ["approve", "enrol"]), ("web3", "web3", ["approve"])]


def test_logins_go_on(idle):
    """What was open before the update is answered after it."""
    idle.start()
    web1, phone = known_host(idle, "web1"), idle.phone()
    question = Question(KNOWN["question-link"], None, web1.get("/ping"))
    question.token = KNOWN["question-token"]
    assert phone.answer(question).status == 202
    status = web1.status(question).json
    question.transaction_id = status["transactionId"]
    assert web1.outcome(question, "granted").status == 204
    enrolment = Question(KNOWN["enrolment-link"], None, web1.get("/ping"))
    enrolment.transaction_id = KNOWN["enrolment"]
    assert web1.outcome(enrolment, "granted",
                        deviceId=KNOWN["claimed"]).status == 204
    assert set(web1.devices("carol")) == {KNOWN["claimed"]}


def test_new_things_work(idle):
    idle.start()
    web1 = known_host(idle, "web1")
    phone = idle.phone(Cookie="__Host-countersign=" + KNOWN["cookie"])
    assert phone.ask_removal(KNOWN["device"]).status == 202
    assert web1.ask().reply.json["removals"][0]["deviceId"] == \
        KNOWN["device"]
    new = Host(idle, "web1", idle.ask_command(
        "host", "rotate", "web1")["accessKey"])
    assert new.get("/ping").status == web1.get("/ping").status == 200
    new.enrol_device("dave", device_id())
    assert len(new.devices("dave")) == 1


def test_upgraded_one_is_like_a_new_one(idle):
    with Service() as fresh:
        idle.start()
        assert rows(idle.database, TABLES) == rows(fresh.database, TABLES)
        version, = rows(fresh.database, "SELECT version FROM schema")[0]
        assert rows(idle.database, "SELECT * FROM schema") == [(version,)]
    assert version > 1
    assert rows(idle.database, "PRAGMA integrity_check") == [("ok",)]
    assert rows(idle.database, "PRAGMA foreign_key_check") == []


def test_questions_that_ended_meanwhile(idle):
    make_old(idle.database, left=-3600)
    idle.start()
    wait_until(lambda: rows(idle.database,
                            "SELECT count(*) FROM approvals") == [(0,)],
               "the removal")
    assert rows(idle.database, "SELECT open FROM hosts") == [(0,)] * 3


@pytest.mark.parametrize("words", [
    ["host", "list"], ["host", "add", "web9"], ["host", "rotate", "web1"],
    ["user", "list"], ["user", "remove", "bob"]])
def test_commands_do_not_upgrade(idle, words):
    """A service of the old version may be using it."""
    run = idle.command(*words)
    assert (run.returncode, run.stdout) == (3, "")
    assert "older countersignd (schema 1)" in run.stderr
    assert "restart it first" in run.stderr
    assert rows(idle.database, "SELECT version FROM schema") == [(1,)]
    idle.start()
    assert idle.command(*words).returncode == 0


def test_backup_before_the_upgrade(idle):
    copy = idle.folder / "copy"
    assert idle.command("backup", copy).returncode == 0
    assert rows(copy, "SELECT version FROM schema") == [(1,)]
    assert rows(idle.database, "SELECT version FROM schema") == [(1,)]
    idle.start()
    known_host(idle, "web1").enroll("late")
    assert idle.stop() == 0
    assert idle.command("restore", copy).returncode == 0
    assert rows(idle.database, "SELECT version FROM schema") != [(1,)]
    idle.start()
    assert len(known_host(idle, "web1").devices("alice")) == 2
    assert [u["username"] for u in idle.ask_command("user", "list")] == [
        "alice", "bob", "carol"]


@pytest.mark.parametrize("version, words", [
    (3, "newer countersignd (schema 3"), (99, "newer"), (-1, "not_started")])
def test_versions_that_are_not_known(idle, version, words):
    with contextlib.closing(sqlite3.connect(idle.database)) as db, db:
        db.execute("UPDATE schema SET version = ?", (version,))
    before = rows(idle.database, TABLES)
    run = idle.command("serve")
    assert run.returncode == 3 and words in run.stderr
    run = idle.command("backup", idle.folder / "copy")
    assert run.returncode == 3
    assert not (idle.folder / "copy").exists()
    assert rows(idle.database, TABLES) == before


def test_step_that_fails_leaves_the_old_one(idle):
    """Something is in the way of the last statements."""
    with contextlib.closing(sqlite3.connect(idle.database)) as db, db:
        db.execute("CREATE TABLE commands (other)")
    before = rows(idle.database, TABLES)
    run = idle.command("serve")
    assert run.returncode == 3 and "commands" in run.stderr
    assert rows(idle.database, TABLES) == before
    assert rows(idle.database, "SELECT version FROM schema") == [(1,)]


def test_killed_at_each_write(idle):
    """The old tables or the new ones, and the next start completes it."""
    seen = set()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        # It does all but listen, and ends.
        idle.configure(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        conf = idle.folder / "taken.conf"
        idle.conf.rename(conf)
        idle.configure(listen="127.0.0.1:0")

        def check():
            version = rows(idle.database, "SELECT version FROM schema")[0][0]
            assert rows(idle.database, "PRAGMA integrity_check") == [("ok",)]
            names = {row[1] for row in rows(idle.database, TABLES)}
            assert {name in names for name in (
                "removals", "old_keys", "commands")} == {version == 2}
            assert "claims_1" not in names
            seen.add(version)
            idle.start()
            assert len(known_host(idle, "web1").devices("alice")) == 2
            assert len(rows(idle.database, "SELECT * FROM claims")) == 4
            idle.kill()
            make_old(idle.database)

        command = [built("service/countersignd"), "serve", "--config", conf]
        for calls in ("pwrite64", "ftruncate", "fsync fdatasync"):
            assert kill_at_each(calls, command, check, status=3) > 0, calls
    assert seen == {1, 2}
