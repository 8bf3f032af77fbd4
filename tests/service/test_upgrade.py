# SPDX-License-Identifier: BSD-2-Clause
"""Databases of older versions: database-1.sql and -2 are of ones in use."""
import contextlib
import re
import socket
import sqlite3
import time

import pytest

from service import (Host, Question, Service, device_id, kill_at_each,
                     wait_until)
from sources import TOP, built

OLD = {version: (TOP / f"tests/service/database-{version}.sql").read_text()
       for version in (1, 2)}
KNOWN = {version: dict(re.findall(r"^-- ([a-z0-9-]+) (\S+)$", text, re.M))
         for version, text in OLD.items()}
SPACES = {1: ["web1", "web1", "web3"], 2: ["web1", "web1", "web3", "web1"]}
CLAIMS = {1: 4, 2: 6}
TABLES = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"


def make_old(path, version, left=90):
    """As that version left it; left: seconds, of its questions."""
    for old in path.parent.iterdir():
        old.unlink()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA page_size = 2048; PRAGMA journal_mode = WAL;"
                         + OLD[version])
        ends = int((time.time() + left) * 1000)
        db.execute("UPDATE approvals SET ends = ?1, due = ?1", (ends,))
        if version > 1:
            db.execute("UPDATE removals SET asked = ?", (ends - 1000 * left,))
        db.commit()
    path.chmod(0o600)


@pytest.fixture(params=[1, 2])
def idle(request):
    with Service(start=False) as found:
        found.version = request.param
        found.known = KNOWN[request.param]
        make_old(found.database, found.version)
        yield found


def rows(path, sql):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def known_host(service, name):
    return Host(service, name, service.known[name])


def test_the_old_database_is_one(idle):
    assert rows(idle.database, "SELECT version FROM schema") == [
        (idle.version,)]
    assert rows(idle.database, "PRAGMA integrity_check") == [("ok",)]
    assert rows(idle.database, "SELECT count(*) FROM claims") == [
        (CLAIMS[idle.version],)]


def test_everything_is_there_after_it(idle):
    idle.start()
    web1, web2, web3 = (known_host(idle, n) for n in ("web1", "web2", "web3"))
    for host in (web1, web2, web3):
        assert host.get("/ping").status == 200
    devices = web1.devices("alice")
    assert devices[idle.known["device"]]["name"] == "Alice's Pixel"
    assert len(devices) == 2
    assert [found["name"] for found in web2.devices("bob").values()] == ["Böb"]
    assert web3.get("/api/v1/users?username=alice").status == 404
    listed = idle.ask_command("host", "list")
    assert [host["space"] for host in listed] == SPACES[idle.version]
    assert [(h["name"], h["space"], h["rights"]) for h in listed[:3]] == [
        ("web1", "web1", ["approve", "enrol", "manage"]),
        ("web2", "web1", ["approve", "enrol"]), ("web3", "web3", ["approve"])]


def test_logins_go_on(idle):
    """What was open before the update is answered after it."""
    idle.start()
    web1, phone = known_host(idle, "web1"), idle.phone()
    question = Question(idle.known["question-link"], None, web1.get("/ping"))
    question.token = idle.known["question-token"]
    assert phone.answer(question).status == 202
    status = web1.status(question).json
    question.transaction_id = status["transactionId"]
    assert web1.outcome(question, "granted").status == 204
    enrolment = Question(idle.known["enrolment-link"], None,
                         web1.get("/ping"))
    enrolment.transaction_id = idle.known["enrolment"]
    assert web1.outcome(enrolment, "granted",
                        deviceId=idle.known["claimed"]).status == 204
    assert set(web1.devices("carol")) == {idle.known["claimed"]}


def test_new_things_work(idle):
    idle.start()
    web1 = known_host(idle, "web1")
    device = idle.known["device"]
    phone = idle.phone(Cookie="__Host-countersign=" + idle.known["cookie"])
    assert phone.inbox() == []
    rung = web1.ring("alice", device)
    assert rung.reply.json["push"] == {"sent": 0, "devices": 1}
    assert [found["linkId"] for found in phone.inbox()] == [rung.link_id]
    assert phone.own_devices().json["push"]["subscribed"] is False
    assert phone.ask_removal(device).status == 202
    assert device in [found["deviceId"] for found in
                      web1.ask(username="alice").reply.json["removals"]]
    new = Host(idle, "web1", idle.ask_command(
        "host", "rotate", "web1")["accessKey"])
    assert new.get("/ping").status == web1.get("/ping").status == 200
    new.enrol_device("erin", device_id())
    assert len(new.devices("erin")) == 1


@pytest.mark.parametrize("idle", [2], indirect=True)
def test_what_version_2_knew(idle):
    idle.start()
    web1, device = known_host(idle, "web1"), idle.known["dave"]
    phone = idle.phone(Cookie="__Host-countersign=" +
                       idle.known["dave-cookie"])
    assert {found["deviceId"]: found.get("removed", False)
            for found in phone.own_devices().json["devices"]} == {
        device: False, idle.known["to-go"]: True}
    assert [found["deviceId"] for found in
            web1.ask(username="dave").reply.json["removals"]] == [
        idle.known["to-go"]]
    rung = web1.ring("dave", device, idle.known["to-go"])
    assert rung.reply.json["push"]["devices"] == 1
    # That link was open before, and nobody had a copy of it.
    assert [found["linkId"] for found in phone.inbox()] == [rung.link_id]
    assert phone.get("/links/" + idle.known["dave-link"]).status == 200
    wait_until(lambda: 'command="host rotate" name=web1' in
               idle.log.read_text(), "the record")


def test_upgraded_one_is_like_a_new_one(idle):
    with Service() as fresh:
        idle.start()
        assert rows(idle.database, TABLES) == rows(fresh.database, TABLES)
        version, = rows(fresh.database, "SELECT version FROM schema")[0]
        assert rows(idle.database, "SELECT * FROM schema") == [(version,)]
    assert version == 3
    assert rows(idle.database, "PRAGMA integrity_check") == [("ok",)]
    assert rows(idle.database, "PRAGMA foreign_key_check") == []


def test_questions_that_ended_meanwhile(idle):
    make_old(idle.database, idle.version, left=-3600)
    idle.start()
    wait_until(lambda: rows(idle.database,
                            "SELECT count(*) FROM approvals") == [(0,)],
               "the removal")
    assert set(rows(idle.database, "SELECT open FROM hosts")) == {(0,)}


@pytest.mark.parametrize("words", [
    ["host", "list"], ["host", "add", "web9"], ["host", "rotate", "web1"],
    ["user", "list"], ["user", "remove", "bob"]])
def test_commands_do_not_upgrade(idle, words):
    """A service of the old version may be using it."""
    run = idle.command(*words)
    assert (run.returncode, run.stdout) == (3, "")
    assert f"older countersignd (schema {idle.version})" in run.stderr
    assert "restart it first" in run.stderr
    assert rows(idle.database, "SELECT version FROM schema") == [
        (idle.version,)]
    idle.start()
    assert idle.command(*words).returncode == 0


def test_backup_before_the_upgrade(idle):
    copy = idle.folder / "copy"
    assert idle.command("backup", copy).returncode == 0
    assert rows(copy, "SELECT version FROM schema") == [(idle.version,)]
    assert rows(idle.database, "SELECT version FROM schema") == [
        (idle.version,)]
    idle.start()
    known_host(idle, "web1").enroll("late")
    assert idle.stop() == 0
    assert idle.command("restore", copy).returncode == 0
    assert rows(idle.database, "SELECT version FROM schema") == [(3,)]
    idle.start()
    assert len(known_host(idle, "web1").devices("alice")) == 2
    assert [u["username"] for u in idle.ask_command("user", "list")][:3] == [
        "alice", "bob", "carol"]


@pytest.mark.parametrize("version, words", [
    (4, "newer countersignd (schema 4"), (99, "newer"), (-1, "not_started")])
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
        db.execute("CREATE TABLE rings (other)")
    before = rows(idle.database, TABLES)
    run = idle.command("serve")
    assert run.returncode == 3 and "rings" in run.stderr
    assert rows(idle.database, TABLES) == before
    assert rows(idle.database, "SELECT version FROM schema") == [
        (idle.version,)]


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
            for since, made in ((2, ("removals", "old_keys", "commands")),
                                (3, ("copies", "subscriptions", "rings"))):
                assert {name in names for name in made} == {version >= since}
            assert "claims_1" not in names
            seen.add(version)
            idle.start()
            assert len(known_host(idle, "web1").devices("alice")) == 2
            assert len(rows(idle.database, "SELECT * FROM claims")) == \
                CLAIMS[idle.version]
            idle.kill()
            make_old(idle.database, idle.version)

        command = [built("service/countersignd"), "serve", "--config", conf]
        for calls in ("pwrite64", "ftruncate", "fsync fdatasync"):
            assert kill_at_each(calls, command, check, status=3) > 0, calls
    assert seen == {idle.version, 3}
