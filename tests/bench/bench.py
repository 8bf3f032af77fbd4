#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
What an approval costs: make bench [PEERS=1] [ONLY=WORD], as root.

Prints tables; nothing is asserted, since a number says something about one
machine only.  Everything runs in private name spaces, over loopback.
"""
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
from pathlib import Path

TOP = Path(os.environ["top_srcdir"])
for name in ("tests/bench", "tests/e2e", "tests/support"):
    sys.path.insert(0, str(TOP / name))

import machine  # noqa: E402
import oracle  # noqa: E402
import private  # noqa: E402
import ringing  # noqa: E402
from rig import Rig  # noqa: E402
from sources import BUILD  # noqa: E402

TOOLS = BUILD / "tests/bench"
COUNT = int(os.environ.get("COUNT") or 50)
USERS = 1_000_000
# A fixed key, so that the phone of the bench needs no file.
SCALAR = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"


def run(*argv, **keywords):
    done = subprocess.run([str(arg) for arg in argv], text=True,
                          stdout=subprocess.PIPE, **keywords)
    if done.returncode != 0:
        sys.exit(f"bench: {argv[0]} failed")
    return done.stdout


def p95(values):
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


def title(text, explanation):
    print(f"\n{text}\n  {explanation}")


def row(what, *cells):
    print(f"  {what:<46}" + "".join(f"{cell:>13}" for cell in cells),
          flush=True)


def figures(values, unit="ms"):
    return (f"{statistics.median(values):.2f} {unit}",
            f"{p95(values):.2f} {unit}")


# --- an approval on the host ------------------------------------------------

def logins(rig, service, delay, count=COUNT):
    """Columns of numbers, one of each per login."""
    phone = [TOOLS / "phone", f"127.0.0.1:{rig.service.port}", rig.ca, SCALAR,
             str(delay)]
    text = run(TOOLS / "login", "/etc/pam.d", service, "alice", str(count),
               *phone)
    return list(zip(*[map(float, line.split())
                      for line in text.splitlines()]))


def approvals(rig):
    title("One approval on the host",
          f"{COUNT} logins, each in a fresh process, over loopback TLS 1.3.  "
          "The phone's key signs at\n  once; its connection is open already. "
          "\"After 0.3 s\": everybody has gone idle before\n  the answer.")
    row("", "median", "p95", "aim")
    for service in ("sshd", "sudo"):
        wall, sent, taken, cpu, courier, rss, _ = logins(rig, service, 300)
        row(f"{service}: answer taken -> returned, after 0.3 s",
            *figures(taken), "1.5/3 ms")
        row(f"{service}: answer sent -> returned, after 0.3 s",
            *figures(sent))
        wall, sent, taken, cpu, courier, rss, _ = logins(rig, service, 0)
        row(f"{service}: answer taken -> returned, at once", *figures(taken))
        row(f"{service}: whole approval, answered at once", *figures(wall),
            "20 ms")
        row(f"{service}: CPU of module and library", *figures(cpu))
        row(f"{service}: CPU of the courier", *figures(courier))
        row(f"{service}: CPU together",
            *figures([sum(pair) for pair in zip(cpu, courier)]), "15 ms")
        row(f"{service}: courier's peak memory",
            *figures([kb / 1024 for kb in rss], "MB"), "12 MB")


def module_load(modules):
    title("Loading the module", "dlopen(3) with every symbol bound, in a "
          "fresh process that has libpam.")
    row("", "median", "p95", "libraries", "memory")
    for name, path in modules:
        lines = [run(TOOLS / "load", path).split() for _ in range(30)]
        row(name, *figures([float(line[0]) for line in lines]),
            lines[0][1], f"{statistics.median(int(x[2]) for x in lines)} kB")


# --- the service ------------------------------------------------------------

def resident_kb(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def cpu_ms(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf(
        "SC_CLK_TCK")


class Service(Rig):
    """One for each measurement: nothing of the last one is left in it."""

    def __init__(self, name, tls):
        folder = Path("/run", name)
        shutil.rmtree(folder, ignore_errors=True)
        super().__init__(folder=folder, product=machine.PRODUCT, service={
            "max_pending_host": 100000, "max_connections": 50000,
            "log_level": "notice"}, tls=tls)


def waiting(count, tls):
    with Service(f"waiting-{count}-{tls}", tls) as service:
        before = resident_kb(service.service.process.pid)
        clients = subprocess.Popen(
            [TOOLS / "waiting", f"127.0.0.1:{service.service.port}",
             service.host.key, str(count),
             *([service.ca] if tls else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if clients.stdout.readline() != b"waiting\n":
            sys.exit("bench: waiting has failed")
        after = resident_kb(service.service.process.pid)
        if len(os.listdir(f"/proc/{service.service.process.pid}/fd")) < count:
            sys.exit("bench: the service has closed connections")
        clients.stdin.close()
        clients.wait()
        return (after - before) / count


def memory():
    title("Memory of the service for one waiting approval",
          "Each has a connection of its own, as a courier has, and 600 bytes "
          "of content.")
    row("waiting approvals", "1,000", "5,000", "15,000", "aim")
    for tls, aim in ((False, "4 kB"), (True, "26 kB")):
        row("TLS 1.3" if tls else "plain HTTP", *[
            f"{waiting(count, tls):.1f} kB"
            for count in (1000, 5000, 15000)], aim)


def add_users(database):
    """A million accounts, as a service that has grown has them."""
    with sqlite3.connect(database) as db:
        space = db.execute("SELECT id FROM spaces").fetchone()[0]
        db.executemany(
            "INSERT INTO users (space, user_id, username, created)"
            " VALUES (?, ?, ?, 0)",
            ((space, f"user-id-{n:013d}", f"user{n}")
             for n in range(USERS)))
    db.close()


def cycles(users, tls, processes):
    with Service(f"cycles-{users}-{tls}-{processes}", tls) as service:
        if users:
            service.service.kill()
            add_users(service.service.database)
            service.service.start()
        before = cpu_ms(service.service.process.pid)
        rate, done = run(TOOLS / "cycles", f"127.0.0.1:{service.service.port}",
                         service.host.key, "5", str(processes),
                         *([service.ca] if tls else [])).split()
        used = cpu_ms(service.service.process.pid) - before
        return (f"{float(rate):.0f}/s", f"{used / float(done):.2f} ms",
                f"{float(done) / used * 1000:.0f}/s")


def throughput():
    title("Whole approvals a second: created, waited for, opened, answered, "
          "delivered, closed",
          "Five seconds with SQLite on disk.  The last column is what one "
          "core would do with nothing\n  else to do.")
    row("", "rate", "CPU each", "one core")
    for users in (0, USERS):
        for tls in (False, True):
            row(f"{'TLS 1.3' if tls else 'plain HTTP'}, {users:,} users",
                *cycles(users, tls, 8))


# --- the lot ----------------------------------------------------------------

def main():
    if os.geteuid() != 0:
        sys.exit("bench: needs root")
    only = os.environ.get("ONLY") or ""
    private.enter()
    machine.install()
    modules = [("countersign", machine.MODULE)]
    if os.environ.get("PEERS"):
        import peers
        modules += peers.modules()
    if only in "load":
        module_load(modules)
    if only in "approval":
        for service in ("sshd", "sudo"):
            machine.stack(service)
        with Rig(folder=machine.CONF.parent,
                 product=machine.PRODUCT) as rig:
            rig.enrol_soft("alice", kind="p256",
                           key=oracle.private_key(int(SCALAR, 16)))
            approvals(rig)
            if os.environ.get("PEERS"):
                peers.approvals(rig, row, title, figures)
    if only in "memory":
        memory()
    if only in "throughput":
        throughput()
    if only in "ringing":
        ringing.measure(title, row, figures, p95, COUNT)


if __name__ == "__main__":
    main()
