# SPDX-License-Identifier: BSD-2-Clause
"""countersignd backup and restore."""
import contextlib
import os
import random
import re
import signal
import sqlite3
import stat
import subprocess
import threading
import time

import pytest

from service import Host, Service, device_id, kill_at_each, wait_until
from sources import built


@pytest.fixture
def service():
    with Service() as found:
        yield found


@pytest.fixture
def host(service):
    return service.add_host("web1")


def backup(service, name="copy"):
    path = service.folder / name
    run = service.command("backup", path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", ""), run
    return path


def refused(service, *words):
    run = service.command(*words)
    assert (run.returncode, run.stdout) == (3, ""), run
    assert run.stderr.startswith("countersignd: ")
    return run.stderr


def rows(path, sql):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def sound(path):
    return rows(path, "PRAGMA integrity_check") == [("ok",)] and \
        rows(path, "PRAGMA foreign_key_check") == []


def leftovers(service):
    """What is in the database's folder and belongs to no database."""
    return {path.name for path in service.database.parent.iterdir()} - {
        "countersignd.db", "countersignd.db-wal", "countersignd.db-shm",
        "countersignd.db.lock"}


# --- backup -----------------------------------------------------------------

def test_backup_and_restore(service, host):
    device = device_id()
    phone = host.enrol_device("alice", device, "Alice's Pixel")
    note_of = device_id()
    host.enrol_device("bob", note_of).ask_removal(note_of)
    copy = backup(service)
    assert leftovers(service) == set()
    service.ask_command("user", "remove", "alice")
    service.add_host("web2")
    assert service.stop() == 0
    run = service.command("restore", copy)
    assert (run.returncode, run.stderr) == (0, ""), run
    aside, = re.findall(r"the old database is kept as (\S+)\n", run.stdout)
    assert leftovers(service) == {os.path.basename(aside)}
    assert stat.S_IMODE(os.stat(aside).st_mode) == 0o600
    assert rows(aside, "SELECT name FROM hosts ORDER BY name") == [
        ("web1",), ("web2",)]
    service.start()
    assert [h["name"] for h in service.ask_command("host", "list")] == [
        "web1"]
    assert host.devices("alice")[device]["name"] == "Alice's Pixel"
    assert phone.own_devices().status == 200
    assert host.devices("bob")[note_of]["removed"] is True
    assert host.ask(username="bob").reply.json["removals"][0][
        "deviceId"] == note_of
    wait_until(lambda: "command=restore" in service.log.read_text(),
               "the log")


def test_backup_is_private_whole_and_replaces_an_older_one(service, host):
    path = service.folder / "copy"
    path.write_text("an older one")
    path.chmod(0o644)
    old = path.stat().st_ino
    backup(service)
    assert path.stat().st_ino != old
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sound(path)
    # One file that can be read where nothing can be written.
    assert rows(path, "PRAGMA journal_mode") == [("delete",)]
    assert sorted(p.name for p in service.folder.iterdir()
                  if "copy" in p.name) == ["copy"]


def test_backup_has_no_questions(service, host):
    """Nothing by which somebody could open or answer one."""
    asked, enrolled = host.ask(username="alice"), host.enroll("bob")
    phone = service.phone()
    phone.device(enrolled, device_id())
    phone.answer(asked)
    copy = backup(service)
    for table in ("approvals", "sealed", "claims", "commands"):
        assert rows(copy, f"SELECT count(*) FROM {table}") == [(0,)]
    assert rows(copy, "SELECT open FROM hosts") == [(0,)]
    assert rows(copy, "PRAGMA freelist_count") == [(0,)]
    data = copy.read_bytes()
    for question in (asked, enrolled):
        for text in (question.link_id, question.content,
                     question.transaction_id):
            assert text.encode() not in data
    # They go on where they were.
    assert host.outcome(asked, "granted").status == 204
    assert host.outcome(enrolled, "granted").status == 409


def test_backup_has_no_secret(service, host):
    phone = host.enrol_device("alice", device_id())
    data = backup(service).read_bytes()
    assert host.key.encode() not in data
    assert phone.headers["Cookie"].split("=")[1].encode() not in data
    assert b"alice" in data


def test_backup_without_a_service(service, host):
    assert service.stop() == 0
    assert sound(backup(service))


def test_backup_under_load(service, host):
    """Consistent while others write; what was there before is in it."""
    stop, written = threading.Event(), []

    def write():
        while not stop.is_set():
            device = device_id()
            host.enrol_device(f"user-{len(written) % 50}", device)
            written.append(device)
            host.ask(username="x", lifetime=30)

    service.configure(max_pending_host=100000, max_pending_user=100000)
    service.restart(kill=False)
    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        copies = []
        for i in range(5):
            before = wait_until(lambda n=len(written): len(written) > n + 20
                                and list(written), "writes")
            copies.append((backup(service, f"copy{i}"), before))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    counts = []
    for copy, before in copies:
        assert sound(copy)
        found = {row[0] for row in rows(
            copy, "SELECT device_id FROM authenticators")}
        assert set(before) <= found <= set(written)
        counts.append(len(found))
    assert counts == sorted(counts)
    assert service.stop() == 0
    assert service.command("restore", copies[2][0]).returncode == 0
    service.start()
    assert rows(service.database,
                "SELECT count(*) FROM authenticators") == [(counts[2],)]
    assert service.phone().answer(host.ask(username="alice")).status == 202


def test_two_backups_at_once(service, host):
    for _ in range(300):
        host.enroll("x" + device_id())
        if rows(service.database, "SELECT count(*) FROM users")[0][0] >= 45:
            break
    runs = [subprocess.Popen(
        [built("service/countersignd"), "backup", service.folder / f"c{i}",
         "--config", service.conf], stderr=subprocess.PIPE, text=True)
        for i in range(6)]
    said = [run.communicate()[1] for run in runs]
    assert {run.returncode for run in runs} <= {0, 3}
    assert 0 in {run.returncode for run in runs}
    for i, run in enumerate(runs):
        if run.returncode == 0:
            assert sound(service.folder / f"c{i}")
        else:
            assert "another backup is being made" in said[i] or \
                "unable to open" in said[i]
            assert not (service.folder / f"c{i}").exists()
    assert leftovers(service) == set()


@pytest.mark.parametrize("target, words", [
    ("folder", "not a regular file"), ("link", "not a regular file"),
    ("fifo", "not a regular file"), ("none/copy", "No such file"),
    ("x" * 300, "too long"), ("data/countersignd.db", "database itself")])
def test_bad_targets(service, host, target, words):
    path = service.folder / target
    if target == "folder":
        path.mkdir()
    elif target == "link":
        path.symlink_to(service.conf)
    elif target == "fifo":
        os.mkfifo(path)
    conf = service.conf.read_text()
    assert words in refused(service, "backup", path)
    assert service.conf.read_text() == conf
    assert host.get("/ping").status == 200
    assert not [p for p in service.folder.iterdir() if "." in p.name and
                p.name != "countersignd.conf"]


def test_backup_of_no_database():
    with Service(start=False) as service:
        said = refused(service, "backup", service.folder / "copy")
        assert "countersignd.db" in said
        assert not (service.folder / "copy").exists()
        assert not service.database.exists()


def test_backup_of_a_damaged_database(service, host):
    for i in range(40):
        host.enrol_device(f"user{i}", device_id())
    assert service.stop() == 0
    spoil(service.database)
    said = refused(service, "backup", service.folder / "copy")
    assert "damaged" in said or "malformed" in said or "disk image" in said
    assert not (service.folder / "copy").exists()


def test_full_disk(service, host):
    """The older copy stays as it was."""
    if os.geteuid() != 0:
        pytest.skip("this needs root")
    small = service.folder / "small"
    small.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none",
                            small], stderr=subprocess.PIPE, text=True)
    if mount.returncode != 0:
        pytest.skip(mount.stderr.strip())
    try:
        (small / "copy").write_text("an older one")
        assert "the copy" in refused(service, "backup", small / "copy")
        assert [p.name for p in small.iterdir()] == ["copy"]
        assert (small / "copy").read_text() == "an older one"
    finally:
        subprocess.run(["umount", small], check=True)


def test_root_writes_where_only_root_may(service):
    """The database's owner is another account than the caller."""
    if os.geteuid() != 0:
        pytest.skip("this needs root")
    assert service.stop() == 0
    for path in [service.database.parent,
                 *service.database.parent.iterdir()]:
        os.chown(path, 65534, 65534)
    service.folder.chmod(0o755)
    private = service.folder / "private"
    private.mkdir(mode=0o700)
    host = service.add_host("web1")
    copy = backup(service, "private/copy")
    assert copy.stat().st_uid == 0
    run = service.command("restore", copy)
    assert run.returncode == 0, run
    for path in service.database.parent.iterdir():
        assert path.stat().st_uid == 65534, path
    assert Host(service.start(), "web1", host.key).get("/ping").status == 200


# --- restore ----------------------------------------------------------------

def spoil(path):
    """Bytes of its last pages become others; the header stays."""
    size = path.stat().st_size
    assert size > 16384
    with open(path, "r+b") as file:
        for at in range(8192, size, 512):
            file.seek(at)
            file.write(random.Random(at).randbytes(300))


@pytest.fixture
def stopped(service, host):
    """A copy, and a service that is stopped and has changed since."""
    for i in range(40):
        host.enrol_device(f"user{i}", device_id())
    copy = backup(service)
    service.add_host("web2")
    assert service.stop() == 0
    return copy


def still_old(service):
    assert leftovers(service) == set()
    assert sound(service.database)
    names = [h["name"] for h in service.ask_command("host", "list")]
    return names == ["web1", "web2"]


def test_refused_while_the_service_runs(service, stopped):
    service.start()
    said = refused(service, "restore", stopped)
    assert "in use" in said and "stop the service" in said
    assert still_old(service)
    service.kill()
    assert service.command("restore", stopped).returncode == 0
    service.start()


def test_service_does_not_start_during_a_restore(service, stopped):
    import fcntl
    with open(f"{service.database}.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = service.command("serve")
        assert run.returncode == 3 and ".lock" in run.stderr
        assert ".lock" in refused(service, "host", "list")
        assert ".lock" in refused(service, "backup", service.folder / "x")
    assert still_old(service)


def corrupt_later(db):
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_master SET sql = sql || ' ' WHERE name = 'users'")


@pytest.mark.parametrize("change", [
    "CREATE TRIGGER t AFTER INSERT ON hosts BEGIN DELETE FROM users; END",
    "CREATE VIEW v AS SELECT * FROM hosts", "CREATE TABLE extra (x)",
    "DROP TABLE removals", "DROP INDEX hosts_space", "DROP TABLE schema",
    "ALTER TABLE hosts ADD COLUMN evil TEXT", "DELETE FROM schema",
    "UPDATE schema SET version = 1", "UPDATE schema SET version = 0",
    "UPDATE schema SET version = -1", "UPDATE schema SET version = 99",
    "DELETE FROM users", corrupt_later])
def test_copies_that_were_changed(service, stopped, change):
    with contextlib.closing(sqlite3.connect(stopped)) as db, db:
        if callable(change):
            change(db)
        else:
            db.execute(change)
    said = refused(service, "restore", stopped)
    if "version = 99" in str(change):
        assert "newer countersignd (schema 99" in said
    elif change == "DELETE FROM users":
        assert "damaged" in said  # devices without a user
    else:
        assert "no backup of countersignd" in said
    assert still_old(service)


@pytest.mark.parametrize("content", [
    b"", b"x", b"SQLite format 3\0", b"nonsense" * 4096],
    ids=["nothing", "a byte", "a beginning", "nonsense"])
def test_files_that_are_no_copy(service, stopped, content):
    stopped.write_bytes(content)
    refused(service, "restore", stopped)
    assert still_old(service)


def test_damaged_copies(service, stopped):
    whole = stopped.read_bytes()
    for n in (len(whole) // 2, len(whole) - 1, 4096, 100):
        stopped.write_bytes(whole[:n])
        refused(service, "restore", stopped)
    stopped.write_bytes(whole)
    spoil(stopped)
    assert "damaged" in refused(service, "restore", stopped)
    assert still_old(service)


@pytest.mark.parametrize("spoiled, words", [
    (lambda path: path.unlink(), "No such file"),
    (lambda path: (path.unlink(), path.mkdir()), "not a regular file"),
    (lambda path: (path.unlink(), os.mkfifo(path)), "not a regular file"),
    (lambda path: (path.rename(f"{path}.real"),
                   path.symlink_to(f"{path}.real")), "symbolic link"),
    (lambda path: path.chmod(0o620), "0620"),
    (lambda path: path.chmod(0o602), "0602"),
    (lambda path: os.chown(path, 65534, 65534), "65534")])
def test_copies_that_others_could_have_written(service, stopped, spoiled,
                                               words):
    if words == "65534" and os.geteuid() != 0:
        pytest.skip("this needs root")
    spoiled(stopped)
    assert words in refused(service, "restore", stopped)
    assert still_old(service)


def test_onto_a_machine_without_a_database(service, stopped):
    for path in service.database.parent.iterdir():
        path.unlink()
    run = service.command("restore", stopped)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert leftovers(service) == set()
    assert len(service.ask_command("user", "list")) == 40
    service.start()


def test_in_place_of_a_database_that_is_ruined(service, stopped):
    for content in (b"nonsense" * 1000, b""):
        service.database.write_bytes(content)
        run = service.command("restore", stopped)
        assert run.returncode == 0, run
        aside = run.stdout.split()[-1]
        assert open(aside, "rb").read() == content
        os.unlink(aside)
        assert len(service.ask_command("user", "list")) == 40


def test_log_of_a_killed_service_is_not_applied(service, host):
    """What it had written goes with the old database, not into the new."""
    copy = backup(service)
    for i in range(10):
        host.enrol_device(f"late{i}", device_id())
    service.kill()
    assert (service.folder / "data/countersignd.db-wal").stat().st_size > 0
    run = service.command("restore", copy)
    assert run.returncode == 0, run
    aside = run.stdout.split()[-1]
    assert rows(aside, "SELECT count(*) FROM users") == [(10,)]
    assert sound(service.database) and sound(aside)
    assert service.ask_command("user", "list") == []


def test_log_beside_a_ruined_database(service, host):
    """It would be applied to the new one, and is kept with the old one."""
    for i in range(60):
        host.enrol_device(f"early{i}", device_id())
    copy = backup(service)
    question = host.ask(username="alice")
    rows(service.database, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert service.phone().seen(question).status == 204
    service.kill()
    log = service.folder / "data/countersignd.db-wal"
    kept = log.read_bytes()
    assert len(kept) > 2048
    service.database.write_bytes(b"nonsense" * 1000)
    run = service.command("restore", copy)
    assert run.returncode == 0, run
    assert not log.exists()
    with open(run.stdout.split()[-1] + "-wal", "rb") as file:
        assert file.read() == kept
    assert sound(service.database)
    assert len(service.ask_command("user", "list")) == 60


def test_keys_that_are_good_again_are_named(service, host):
    service.add_host("web2")
    service.add_host("web3")
    copy = backup(service)
    service.ask_command("host", "revoke", "web2")
    service.ask_command("host", "rotate", "web3")
    service.add_host("web4")
    assert service.stop() == 0
    run = service.command("restore", copy)
    assert run.returncode == 0
    assert re.findall(r'host "(\w+)" was revoked', run.stderr) == [
        "web2", "web3"]


def test_killed_at_any_moment(service, stopped):
    """The old database or the new one, whole, and a restore that works."""
    for at in range(0, 60, 4):
        run = subprocess.Popen(
            [built("service/countersignd"), "restore", stopped, "--config",
             service.conf], stdout=subprocess.DEVNULL)
        time.sleep(at / 1000)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert sound(service.database)
        names = [h["name"] for h in service.ask_command("host", "list")]
        assert names in (["web1"], ["web1", "web2"])
        if names == ["web1"]:
            service.add_host("web2")
    assert service.command("restore", stopped).returncode == 0
    assert [h["name"] for h in service.ask_command("host", "list")] == [
        "web1"]


def test_killed_at_each_step(service, stopped):
    """The same by count: at each call that changes a name or a file."""
    seen = set()

    def check():
        assert sound(service.database)
        names = tuple(h["name"] for h in service.ask_command("host", "list"))
        seen.add(names)
        if names == ("web1",):
            service.add_host("web2")

    command = [built("service/countersignd"), "restore", stopped, "--config",
               service.conf]
    for calls in ("rename renameat renameat2", "link linkat",
                  "unlink unlinkat", "fsync fdatasync", "pwrite64",
                  "ftruncate"):
        assert kill_at_each(calls, command, check) > 0, calls
    assert seen == {("web1",), ("web1", "web2")}


def test_backup_killed_at_each_step(service, host):
    """The older copy or the new one, and the next backup works."""
    copy = backup(service)
    host.enrol_device("alice", device_id())

    def check():
        assert sound(copy)
        assert host.get("/ping").status == 200

    command = [built("service/countersignd"), "backup", copy, "--config",
               service.conf]
    for calls in ("rename renameat renameat2", "fsync fdatasync", "pwrite64"):
        assert kill_at_each(calls, command, check) > 0, calls
    assert rows(backup(service), "SELECT username FROM users") == [
        ("alice",)]
    assert leftovers(service) == set()
