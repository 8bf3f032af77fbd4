#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Ten thousand logins in one process, by the real libpam, courier and service
(C8, PAM-8): what grows, and what is left.
"""
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

TOP = Path(os.environ["top_srcdir"])
sys.path[:0] = [str(TOP / "tests" / name) for name in ("e2e", "support")]

import machine  # noqa: E402
import oracle  # noqa: E402
import private  # noqa: E402
from figures import SCALE, Figures  # noqa: E402
from rig import Rig  # noqa: E402
from service import wait_until  # noqa: E402
from sources import BUILD  # noqa: E402

ROUNDS = 10000 * SCALE
USERS = ("alice", "bob", "carol", "dora")
# What a process may have more after all logins than after a tenth of them:
# what the allocator keeps differs a little.
GROWTH_KB = 256
# The service: at the end against the middle, when its caches are full.
SERVICE_GROWTH_KB = 1024
FIGURES = Figures("soak", f"{ROUNDS:,} logins in one process")


def scalar(number):
    """A key of this test's own, so that its phone needs no file."""
    return f"{number + 1:02x}" * 32


def anonymous_kb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    raise AssertionError("no RssAnon")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def database_size(rig):
    return sum(path.stat().st_size
               for path in rig.service.database.parent.iterdir())


def granted(rig):
    """Records of a login that was let in."""
    return sum((record["event"], record.get("result")) ==
               ("approval", "granted") for record in rig.audit())


@pytest.fixture(scope="module")
def rig():
    private.enter()
    machine.install()
    machine.stack("su")
    with Rig(folder=machine.CONF.parent, product=machine.PRODUCT,
             push="yes", service={"log_level": "notice"}) as found:
        for number, name in enumerate(USERS):
            found.enrol_soft(name, kind="p256", key=oracle.private_key(
                int(scalar(number), 16)))
        yield found


class Samples:
    """Memory of a process, twice a second."""

    def __init__(self, pid):
        self.pid, self.taken = pid, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(0.5):
            self.taken.append(anonymous_kb(self.pid))


def soak(rig, rounds):
    """What the process says of itself."""
    users = [f"{name}:{scalar(n)}" for n, name in enumerate(USERS)]
    run = subprocess.run(
        [BUILD / "tests/attack/soak", "/etc/pam.d", "su", str(rounds), *users,
         "--", BUILD / "tests/bench/phone", f"127.0.0.1:{rig.service.port}",
         rig.ca, scalar(0), "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        check=False)
    FIGURES.crashes += run.returncode < 0
    assert run.returncode == 0, run.stderr[-4000:]
    assert run.stderr == "", run.stderr[:4000]
    return json.loads(run.stdout)


def test_logins(rig):
    pid = rig.service.process.pid
    enrolled = granted(rig)  # a new phone's first yes
    before = (descriptors(pid), anonymous_kb(pid), database_size(rig))
    with Samples(pid) as samples:
        told = soak(rig, ROUNDS)
    FIGURES.cases = told["rounds"]
    FIGURES.grants = told["grants"]
    FIGURES.leaks = told["changes"]
    # A grant that should not be is unexpected, too.
    FIGURES.wrong = told["unexpected"] - told["grants"]
    FIGURES.crashes += rig.service.process.poll() is not None
    wait_until(lambda: not machine.couriers(), "the end of the couriers")
    wait_until(lambda: descriptors(pid) <= before[0] + 2,
               "the service's closing of its connections")
    growth = told["anon_last"] - told["anon_first"]
    middle, last = (samples.taken[len(samples.taken) // 2],
                    samples.taken[-1])
    FIGURES.note(
        f"{told['approved']} approved, {told['denied']} denied, "
        f"{told['wrong_key']} wrong key, {told['interrupted']} interrupted, "
        f"{told['closed']} closed")
    FIGURES.note(f"login {told['median_ms']} ms, p95 {told['p95_ms']} ms")
    FIGURES.note(
        f"process after {told['first']}: {told['rss_first']} kB "
        f"({told['anon_first']} kB its own), at the end: "
        f"{told['rss_last']} kB ({told['anon_last']} kB its own)")
    FIGURES.note(
        f"service: {before[1]} kB its own at first, {middle} kB in the "
        f"middle, {last} kB at the end; database "
        f"{before[2] // 1024} kB, then {database_size(rig) // 1024} kB")
    assert told["unexpected"] == told["grants"] == told["changes"] == 0
    assert growth <= GROWTH_KB, told
    assert last - middle <= SERVICE_GROWTH_KB
    assert granted(rig) - enrolled == told["approved"]


def test_figures():
    FIGURES.write()
    assert FIGURES.cases >= ROUNDS
