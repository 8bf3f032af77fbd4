# SPDX-License-Identifier: BSD-2-Clause
"""countersignd's commands, settings, start and what it leaves on disk."""
import contextlib
import json
import os
import re
import sqlite3
import stat
import subprocess
import time
from pathlib import Path

import pytest

from service import (Later, Service, make_certificate, random_b64u,
                     wait_until)
from sources import BUILD, TOP, built, tool


@pytest.fixture
def idle():
    """A service that is configured and not running."""
    with Service(start=False) as found:
        yield found


def host(service, *words):
    return service.run("host", *words, "--config", service.conf)


# --- usage ----------------------------------------------------------------------

@pytest.mark.parametrize("words", [
    [], ["x"], ["serve", "x"], ["serve", "--x"], ["serve", "--config"],
    ["host"], ["host", "add"], ["host", "revoke"], ["host", "list", "x"],
    ["host", "add", "a", "b"], ["host", "add", "a", "--overlap", "1"],
    ["host", "rotate"], ["host", "rotate", "a", "--space", "b"],
    ["user"], ["user", "x"], ["user", "list", "a"], ["user", "show"],
    ["user", "remove"], ["user", "show", "a", "b"],
    ["user", "list", "--rights", "approve"], ["backup"], ["restore"],
    ["backup", "a", "b"], ["backup", "a", "--json"], ["backup", "-"],
    ["restore", "a", "b"], ["restore", "a", "--force"],
    ["host", "list", "--space", "x"], ["host", "x", "y"], ["--help", "x"],
    ["host", "revoke", "a", "--rights", "approve"]])
def test_wrong_usage(idle, words):
    run = idle.run(*words)
    assert run.returncode == 2
    assert "usage: countersignd" in run.stderr
    assert run.stdout == ""


def test_help_and_version(idle):
    run = idle.run("--help")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("usage: countersignd serve")
    run = idle.run("--version")
    assert re.fullmatch(r"countersignd \d+\.\d+\.\d+\n", run.stdout)


# --- hosts ----------------------------------------------------------------------

def test_host_add_prints_the_key_once(idle):
    run = host(idle, "add", "web1.example.com")
    assert run.returncode == 0
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}\n", run.stdout)
    assert run.stderr == ""
    key = run.stdout.strip().encode()
    for path in idle.database.parent.iterdir():
        assert key not in path.read_bytes()
    assert key.decode() not in host(idle, "list", "--json").stdout


def test_host_list(idle):
    assert json.loads(host(idle, "list", "--json").stdout) == []
    host(idle, "add", "web2")
    host(idle, "add", "web1", "--rights", "manage,approve")
    host(idle, "add", "web3", "--space", "web1")
    hosts = json.loads(host(idle, "list", "--json").stdout)
    assert [(h["name"], h["space"], h["rights"]) for h in hosts] == [
        ("web1", "web1", ["approve", "manage"]),
        ("web2", "web2", ["approve", "enrol", "manage"]),
        ("web3", "web1", ["approve", "enrol"])]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                            h["createdAt"]) for h in hosts)
    table = host(idle, "list").stdout.splitlines()
    assert table[0].split() == ["NAME", "SPACE", "CREATED", "RIGHTS"]
    assert [line.split()[0] for line in table[1:]] == ["web1", "web2", "web3"]


def test_host_add_twice(idle):
    assert host(idle, "add", "web1").returncode == 0
    for words in (["web1"], ["web1", "--space", "other"]):
        run = host(idle, "add", *words)
        assert (run.returncode, run.stdout) == (1, "")
        assert "exists already" in run.stderr


def test_nobody_joins_a_space_unasked(idle):
    host(idle, "add", "web1")
    host(idle, "revoke", "web1")
    run = host(idle, "add", "web1")
    assert run.returncode == 1
    assert "--space" in run.stderr
    assert host(idle, "add", "web1", "--space", "web1").returncode == 0


@pytest.mark.parametrize("words", [
    [""], ["a b"], ["a/b"], [".a"], ["ä"], ["a" * 65], ["a", "--space", ""],
    ["a", "--space", "x y"], ["a", "--rights", ""], ["a", "--rights", "x"],
    ["a", "--rights", "approve,"], ["a", "--rights", "approve enrol"]])
def test_host_add_with_bad_words(idle, words):
    run = host(idle, "add", *words)
    assert (run.returncode, run.stdout) == (2, "")
    assert json.loads(host(idle, "list", "--json").stdout) == []


def test_host_revoke(idle):
    host(idle, "add", "web1")
    assert host(idle, "revoke", "web1").returncode == 0
    run = host(idle, "revoke", "web1")
    assert run.returncode == 1
    assert 'no host "web1"' in run.stderr


def test_full_stdout_is_an_error(idle):
    with open("/dev/full", "w", encoding="ascii") as full:
        run = subprocess.run(
            [built("service/countersignd"), "--help"], stdout=full)
    assert run.returncode == 3


def test_commands_as_root_leave_no_files_of_root(idle):
    if os.geteuid() != 0:
        pytest.skip("this needs root")
    folder = idle.database.parent
    os.chown(folder, 65534, 65534)
    idle.folder.chmod(0o755)
    assert host(idle, "add", "web1").returncode == 0
    assert host(idle, "list").returncode == 0
    for path in folder.iterdir():
        assert path.stat().st_uid == 65534, path


# --- settings -------------------------------------------------------------------

def refused(service, **settings):
    """What countersignd says when it does not start."""
    service.configure(**settings)
    run = service.run("serve", "--config", service.conf)
    assert run.returncode == 3, run
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("<3>event=not_started reason=")
    return run.stderr


@pytest.mark.parametrize("settings, words", [
    ({"listen": "0.0.0.0:0"}, ["clear", "tls_certificate"]),
    ({"listen": "[::]:0"}, ["clear"]),
    ({"listen": "192.0.2.1:80"}, ["clear"]),
    ({"listen": "127.0.0.1:0 0.0.0.0:0"}, ["0.0.0.0"]),
    ({"listen": "127.0.0.1"}, ["address:port"]),
    ({"listen": "localhost:80"}, ["address:port"]),
    ({"listen": "127.0.0.1:65536"}, ["address:port"]),
    ({"listen": "::1:80"}, ["address:port"]),
    ({"listen": "[::1:80"}, ["address:port"]),
    ({"listen": None}, ["listen"]),
    ({"tls_key": "/x"}, ["tls_certificate", "need each other"]),
    ({"tls_certificate": "/x"}, ["tls_key", "need each other"]),
    ({"public_url": "https://x/path"}, ["public_url"]),
    ({"public_url": "http://x"}, ["public_url"]),
    ({"trusted_proxies": "10.0.0.0/33"}, ["10.0.0.0/33"]),
    ({"trusted_proxies": "example.org"}, ["example.org"]),
    ({"rate_host": -1}, ["rate_host"]),
    ({"max_connections": 1}, ["max_connections"]),
    ({"log_level": "loud"}, ["log_level"]),
    ({"database": "relative"}, ["database"]),
    ({"listen_port": 1}, ["listen_port"]),
    ({"database": "/nonexistent/db"}, ["/nonexistent/db"])])
def test_bad_settings(idle, settings, words):
    said = refused(idle, **settings)
    assert all(word in said for word in words), said


def test_unknown_key_is_named_with_its_line(idle):
    with open(idle.conf, "a", encoding="ascii") as file:
        file.write("\nlistens = 127.0.0.1:1\n")
    line = len(idle.conf.read_text().splitlines())
    run = idle.run("serve", "--config", idle.conf)
    assert f"{idle.conf}:{line}:" in run.stderr
    assert "listens" in run.stderr
    run = host(idle, "list")
    assert run.returncode == 3
    assert f"{idle.conf}:{line}:" in run.stderr


@pytest.mark.parametrize("value", [7, 1000001, -1, "many", "0x10", "64 64"])
def test_wrong_share_is_named_with_its_line(idle, value):
    said = refused(idle, max_connections_address=value)
    lines = idle.conf.read_text().splitlines()
    number = 1 + lines.index(f"max_connections_address = {value}")
    assert f"{idle.conf}:{number}: max_connections_address" in said, said


def test_missing_and_unsafe_files(idle):
    run = idle.run("serve", "--config", idle.folder / "none")
    assert run.returncode == 3
    assert "there is no such file" in run.stderr
    idle.conf.chmod(0o666)
    assert "not_started" in idle.run("serve", "--config", idle.conf).stderr


@pytest.mark.parametrize("spoil, words", [
    (lambda pem, key: key.chmod(0o604), ["0604", "tls.key"]),
    (lambda pem, key: key.chmod(0o660), ["0660"]),
    (lambda pem, key: key.write_text("x"), ["tls.key"]),
    (lambda pem, key: key.unlink(), ["tls.key"]),
    (lambda pem, key: pem.write_text("x"), ["tls.pem"]),
    (lambda pem, key: pem.unlink(), ["tls.pem"]),
    (lambda pem, key: make_other(key), ["tls.key"]),
    (lambda pem, key: encrypt(key), ["tls.key"]),
    (lambda pem, key: (key.unlink(), os.mkfifo(key)), ["regular"])])
def test_bad_certificates(idle, spoil, words):
    made = make_certificate(idle.folder, "made")
    pem, key = idle.folder / "tls.pem", idle.folder / "tls.key"
    made[0].rename(pem)
    made[1].rename(key)
    spoil(pem, key)
    said = refused(idle, tls_certificate=pem, tls_key=key)
    assert all(word in said for word in words), said


def make_other(key):
    """A key that does not belong to the certificate."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", key], check=True,
                   stderr=subprocess.DEVNULL)
    key.chmod(0o600)


def encrypt(key):
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", key, "-out",
                    f"{key}.new", "-passout", "pass:x"], check=True)
    os.replace(f"{key}.new", key)
    key.chmod(0o600)


def test_key_readable_by_the_group_and_by_a_link():
    with Service(tls=True, start=False) as service:
        key = service.settings["tls_key"]
        key.chmod(0o640)
        link = service.folder / "link.key"
        link.symlink_to(key)
        service.configure(tls_key=link)
        service.start()
        assert service.anybody().get("/healthz").status == 200


def test_port_in_use():
    with Service() as service, Service(start=False) as other:
        said = refused(other, listen=f"127.0.0.1:{service.port}")
        assert "cannot listen" in said


def test_several_listeners(idle):
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("IPv6 is missing")
    idle.configure(listen="127.0.0.1:0 [::1]:0",
                   listen_socket=idle.folder / "socket")
    idle.start()
    assert [re.sub(r"\d+$", "N", address) for address in idle.bound] == [
        "http://127.0.0.1:N", "http://[::1]:N", str(idle.folder / "socket")]
    assert idle.anybody().get("/healthz").status == 200
    idle.socket, idle.port = idle.folder / "socket", None
    assert idle.anybody().get("/healthz").status == 200


def test_socket_left_behind_is_replaced():
    with Service(unix=True) as service:
        service.restart(kill=True)
        assert service.anybody().get("/healthz").status == 200
        assert stat.S_IMODE(service.socket.stat().st_mode) == 0o666


def test_socket_replaces_nothing_else(idle):
    path = idle.folder / "file"
    path.write_text("precious")
    refused(idle, listen_socket=path)
    assert path.read_text() == "precious"


# --- the process ------------------------------------------------------------------

def test_process_is_closed_to_others():
    with Service() as service:
        pid = service.process.pid
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
        soft, hard = re.search(r"Max open files +(\d+) +(\d+)",
                               limits).groups()
        assert soft == hard
        status = Path(f"/proc/{pid}/status").read_text()
        assert "Umask:\t0077" in status
        for path in service.database.parent.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        # What is not dumpable belongs to root in /proc.
        if os.geteuid() != 0:
            assert os.stat(f"/proc/{pid}").st_uid == 0


def test_newer_database_is_left_alone(idle):
    host(idle, "add", "web1")
    with sqlite3.connect(idle.database) as db:
        db.execute("UPDATE schema SET version = 99")
    db.close()
    said = refused(idle)
    assert "newer" in said and "99" in said
    assert host(idle, "list").returncode == 3


def test_database_that_is_none(idle):
    idle.database.write_bytes(b"nonsense" * 1000)
    assert str(idle.database) in refused(idle)


def test_database_of_another_program(idle):
    with contextlib.closing(sqlite3.connect(idle.database)) as db, db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    before = idle.database.read_bytes()
    said = refused(idle)
    assert f"{idle.database}: a database of another program" in said
    assert host(idle, "add", "web1").returncode == 3
    assert idle.database.read_bytes() == before


def test_lock_is_waited_for_once():
    """Who holds it for long does not hold up everybody, each time anew."""
    with Service() as service, contextlib.closing(sqlite3.connect(
            service.database, isolation_level=None)) as lock:
        key = service.add_host("web1")
        question = key.ask()
        lock.execute("BEGIN EXCLUSIVE")
        assert key.ask().reply.status == 503
        start = time.monotonic()
        for _ in range(10):
            assert key.ask().reply.status == 503
            assert service.phone().open(question).status == 200
        assert time.monotonic() - start < 2
        lock.execute("ROLLBACK")
        assert key.ask().reply.status == 201
        # The next one is waited for again.
        lock.execute("BEGIN EXCLUSIVE")
        later = Later(lambda: key.ask().reply)
        time.sleep(0.3)  # less than the service waits
        assert not later.done()
        lock.execute("ROLLBACK")
        assert later.result().status == 201


def test_healthz_notices_a_broken_database():
    with Service() as service:
        key = service.add_host("web1")
        assert service.anybody().get("/healthz").status == 200
        lock = sqlite3.connect(service.database, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        reply = wait_until(lambda: (got := service.anybody().get("/healthz"))
                           .status != 200 and got, "the trouble")
        assert (reply.status, reply.json["error"]) == (503, "unavailable")
        assert reply.headers["Retry-After"]
        assert key.ask().reply.status == 503
        lock.execute("ROLLBACK")
        lock.close()
        wait_until(lambda: service.anybody().get("/healthz").status == 200,
                   "the recovery")
        assert key.ask().reply.status == 201
        assert "event=database_error" in service.log.read_text()


def test_healthz_is_no_write_each_time():
    with Service() as service, \
            contextlib.closing(sqlite3.connect(service.database)) as db:
        started, beats = time.monotonic(), set()
        for _ in range(20):
            assert service.anybody().get("/healthz").status == 200
            beats |= set(db.execute("SELECT beat FROM health"))
        assert len(beats) <= 2 + time.monotonic() - started


@contextlib.contextmanager
def small_disk():
    """A service whose database is on a disk of 2 MB."""
    if os.geteuid() != 0:
        pytest.skip("this needs root")
    with Service(start=False) as service:
        data = service.database.parent
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "none", data],
            stderr=subprocess.PIPE, text=True)
        if mount.returncode != 0:
            pytest.skip(mount.stderr.strip())
        try:
            yield service.start()
        finally:
            if service.process is not None:
                service.kill()
            subprocess.run(["umount", data], check=False)


def fill(service):
    """The file that leaves no room for others."""
    filler = service.database.parent / "filler"
    with open(filler, "wb", buffering=0) as file, \
            contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


def test_full_disk_and_after():
    """Errors while it is full; all is well when there is room again."""
    with small_disk() as service:
        client = service.add_host("web1")
        filler = fill(service)
        replies = {client.ask().reply.status for _ in range(60)}
        assert 503 in replies
        assert replies <= {201, 429, 503}
        filler.unlink()
        wait_until(lambda: service.anybody().get("/healthz").status ==
                   200, "the recovery")


def test_log_is_put_back_into_the_database():
    """As soon as nobody writes for a moment, and then it begins anew."""
    with Service() as service:
        client, phone = service.add_host("web1"), service.phone()
        question, answer = client.ask(lifetime=300), random_b64u(150)
        log = service.database.with_name(service.database.name + "-wal")

        def write():
            """What the log begins with; another one for each beginning."""
            assert phone.answer(question, answer).status == 202
            assert client.outcome(question, "rejected",
                                  triesLeft=1).status == 204
            with open(log, "rb") as file:
                return file.read(32)
        first = write()
        # Behind this length it is worth the trouble.
        while log.stat().st_size < 1100 * 4096:
            write()
        for moment in range(1, 21):
            time.sleep(0.1 * moment)  # longer where the disk is slow
            if write() != first:
                break
        assert write() != first and log.stat().st_size < 8 << 20


def test_full_disk_where_nothing_grows():
    """The log begins anew, and so the service goes on without room."""
    with small_disk() as service:
        client, phone = service.add_host("web1"), service.phone()
        question, answer = client.ask(lifetime=300), random_b64u(150)
        for _ in range(20):
            assert phone.answer(question, answer).status == 202
            assert client.outcome(question, "rejected",
                                  triesLeft=1).status == 204
        with contextlib.closing(sqlite3.connect(service.database)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        fill(service)
        for _ in range(150):
            wait_until(lambda: phone.answer(question, answer).status == 202,
                       "an answer")
            wait_until(lambda: client.outcome(
                question, "rejected", triesLeft=1).status == 204, "its end")


# --- systemd -----------------------------------------------------------------------

def test_notifies_systemd(idle):
    import socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        path = str(idle.folder / "notify")
        notify.bind(path)
        notify.settimeout(20)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            idle.start()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        assert notify.recv(100) == b"READY=1"
        idle.stop()
        assert notify.recv(100) == b"STOPPING=1"


def test_unit_is_confined():
    analyze = tool("systemd-analyze")
    run = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=15",
         BUILD / "service/countersignd.service"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.returncode == 0, run.stdout


def test_fragments():
    users = (BUILD / "service/sysusers.d/countersign.conf").read_text()
    assert {line.split()[1] for line in users.splitlines()
            if line.startswith("u ")} == {"countersign", "countersignd"}
    for name in ("countersignd.service", "countersignd.conf",
                 "sysusers.d/countersign.conf", "tmpfiles.d/countersign.conf",
                 "logrotate.d/countersign"):
        text = (BUILD / "service" / name).read_text()
        assert not re.search("@[a-z_]+@", text), name
    logrotate = (BUILD / "service/logrotate.d/countersign").read_text()
    assert re.search(r"^/\S+/log/countersign/audit\.log \{$", logrotate, re.M)
    assert logrotate.endswith("}\n")


# --- documentation -------------------------------------------------------------------

def test_example_and_man_page_have_every_key():
    table = set(re.findall(r'^\s+\{"([a-z_]+)", CSIGN_CONF_',
                           (TOP / "service/settings.c").read_text(), re.M))
    assert len(table) >= 14
    page = (TOP / "man/countersignd.conf.5").read_text()
    assert set(re.findall(r"^\.It Cm ([a-z_]+)", page, re.M)) == table
    example = (TOP / "service/countersignd.conf.in").read_text()
    assert set(re.findall(r"^#?([a-z_]+) = ", example, re.M)) == table


def test_example_is_valid(idle):
    example = (BUILD / "service/countersignd.conf").read_text()
    for text in (example, re.sub(r"^#([a-z_]+ = )", r"\1",
                                 example.replace("listen = 127", "#listen"),
                                 flags=re.M)):
        idle.conf.write_text(text)
        run = host(idle, "list")
        # Its paths do not exist here; its words are understood.
        assert not re.search(r"conf:\d+:", run.stderr), run.stderr


def test_man_page_has_every_event():
    page = (TOP / "man/countersignd.8").read_text()
    named = {name for item in re.findall(r"^\.It Li ([a-z_ ,]+)$", page, re.M)
             for name in item.split(" , ")}
    used = set()
    for path in (TOP / "service").glob("*.c"):
        text = path.read_text()
        for call in re.findall(r"log_(?:event|job)\((.*?)\);", text, re.S):
            used |= set(re.findall(r'"([a-z]+_[a-z_]+)"', call))
            used |= set(re.findall(r'^CSIGN_LOG_[A-Z]+,\s*"([a-z_]+)"', call))
    assert used == named
