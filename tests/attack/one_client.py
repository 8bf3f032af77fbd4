#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
One client that opens as many connections as it can, and everybody else.

The bystander comes from 127.0.0.1; the flood too, or from an address of its
own: connections to ELSEWHERE come from STRANGER here.
"""
import contextlib
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from siege import (BUILD, FIGURES, Bystander, descriptors, flood, memory_kb,
                   own_machine, running)
from figures import SCALE
from service import wait_until

FIGURES.name, FIGURES.what = "one_client", "one client that opens too many"
STRANGER, ELSEWHERE = "192.0.2.7", "192.0.2.1"
ALL, FLOOD, WAITING = 800, 1500 * SCALE, 400
SHARE = ALL // 8  # countersignd.conf(5): the default
MORE = 8  # that are told 503
# countersignd(8), Under load: what the process takes, and then each connection.
BASE_KB, SENDS_KB = 24 << 10, 64
CLOSING = 256  # that have not given theirs back yet

__all__ = ["own_machine"]


@pytest.fixture(autouse=True, scope="module")
def two_addresses(machine):
    for words in (f"addr add {STRANGER}/32 dev lo",
                  f"addr add {ELSEWHERE}/32 dev lo",
                  f"route replace local {ELSEWHERE} dev lo src {STRANGER} "
                  "table local"):
        subprocess.run(["ip", *words.split()], check=True)
    return machine


def house(**settings):
    """A service of few connections, with the share that follows."""
    return running(max_connections=ALL, max_connections_address=None,
                   listen="0.0.0.0:0", **settings)


def sockets(rig):
    """What the service has open: "socket:[INODE]"."""
    found = set()
    folder = f"/proc/{rig.service.process.pid}/fd"
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            found.add(os.readlink(f"{folder}/{name}"))
    return found


def of_stranger(rig):
    """How many of them are connections of its own."""
    address = int.from_bytes(socket.inet_aton(STRANGER), sys.byteorder)
    # A table that is long is no picture of one moment; what is open is.
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in table]
    return len(sockets(rig) & {
        f"socket:[{row[9]}]" for row in rows
        if row[2].startswith(f"{address:08X}:")})


@pytest.mark.parametrize("kind", ["silent", "head", "nearly"])
def test_stranger_takes_its_share_and_no_more(kind):
    with house() as rig:
        quiet = Bystander(rig).stand_by(count=5).said()
        most = 0
        with flood(rig, kind, FLOOD, host=ELSEWHERE) as told:
            wait_until(lambda: of_stranger(rig) >= SHARE, "the whole share")
            bystander = Bystander(rig)
            for _ in range(10):
                bystander.stand_by(count=1)
                most = max(most, of_stranger(rig))
        peak = memory_kb(rig.service, "VmHWM")
        log = rig.service.log.read_text()
        FIGURES.note(f"{told['opened'] + told['refused']} {kind}: "
                     f"{most} at a time, peak {peak} kB; a login "
                     f"{bystander.said()}, before {quiet}")
        assert SHARE <= most <= SHARE + MORE
        # Those of a login are among them.
        assert peak <= BASE_KB + (SHARE + MORE + 4 + CLOSING) * SENDS_KB
        # The new ones of the stranger put out its own; nobody was refused.
        assert "connections_refused" not in log
        put_out = re.findall(r"connections_put_out limit=address address=(\S+)", log)
        assert set(put_out) == {STRANGER}


def test_many_who_wait_at_the_address_of_a_flood():
    """A host's connections, once it has shown its key, are not the flood's."""
    with house() as rig:
        waiting = subprocess.Popen(
            [BUILD / "tests/bench/waiting", f"127.0.0.1:{rig.service.port}",
             rig.host.key, str(WAITING), rig.ca], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert waiting.stdout.readline() == "waiting\n"
            pid = rig.service.process.pid
            assert descriptors(pid) > WAITING > SHARE
            with flood(rig, "head", FLOOD) as told:
                wait_until(lambda: descriptors(pid) >= WAITING + SHARE,
                           "the whole share")
            # It says so as soon as one of them is gone.
            assert waiting.poll() is None
            waiting.stdin.close()
            assert waiting.wait(60) == 0
        finally:
            waiting.kill()
            waiting.wait()
            waiting.stdout.close()
        FIGURES.cases += WAITING
        FIGURES.note(f"{WAITING} wait beside {told['opened']} of the same "
                     "address, and none of them is put out")
        assert "connections_refused" not in rig.service.log.read_text()
        Bystander(rig).stand_by()


def test_host_that_opens_too_many():
    """With its key, it fills its own share and nobody's else."""
    share = 2 * 50 + 64
    with house(max_pending_host=50, log_level="debug") as rig, \
            contextlib.ExitStack() as stack:
        other = rig.service.add_host("greedy")
        before = descriptors(rig.service.process.pid)
        for _ in range(3 * share):
            connection = rig.service.connect()
            stack.callback(connection.close)
            reply = other.exchange(connection, "GET", "/ping", None, {})
            assert reply.status in (200, 503), reply
            FIGURES.cases += 1
        assert descriptors(rig.service.process.pid) - before <= share + 2
        bystander = Bystander(rig).stand_by()
        FIGURES.note(f"a host with {3 * share}: a login {bystander.said()}")


def test_figures():
    FIGURES.write()
    assert FIGURES.cases > FLOOD
