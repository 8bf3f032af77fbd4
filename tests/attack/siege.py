# SPDX-License-Identifier: BSD-2-Clause
"""
A service that is attacked or in trouble, and a bystander.

Whatever happens to it, the bystander logs in meanwhile: with the real module,
courier and library, and a phone.  What is counted: connections and questions of
the attack, logins that were granted without a yes, processes that died, and
descriptors that stayed.
"""
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOP = Path(os.environ["top_srcdir"])
sys.path[:0] = [str(TOP / "tests" / name) for name in ("e2e", "support")]

import private  # noqa: E402
from figures import Figures  # noqa: E402
from rig import Rig  # noqa: E402
from service import wait_until  # noqa: E402
from sources import BUILD  # noqa: E402

FIGURES = Figures("", "")


@pytest.fixture(autouse=True, scope="session", name="machine")
def own_machine():
    """Ports and mounts of our own."""
    private.enter()
    # Thousands of connections, at either end.
    resource.setrlimit(resource.RLIMIT_NOFILE, (
        resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


@contextlib.contextmanager
def running(**settings):
    """A rig with a phone of alice's; the service must survive."""
    # All come from one address here; one_client.py is about what that may.
    with Rig(service={"log_level": "notice", "max_pending_host": 20000,
                      "max_connections_address": 1000000,
                      **settings}) as rig:
        rig.phone = rig.enrol_soft("alice", kind="p256")
        pid = rig.service.process.pid
        before = descriptors(pid)
        yield rig
        survived(rig.service)
        if rig.service.process.pid == pid:
            gone = False
            with contextlib.suppress(AssertionError):
                gone = wait_until(lambda: descriptors(pid) <= before + 2,
                                  "the end of the connections")
            if not gone:
                FIGURES.leaks += descriptors(pid) - before
                raise AssertionError("descriptors stay open")


def survived(service):
    if service.process.poll() is not None:
        FIGURES.crashes += 1
        raise AssertionError(service.log.read_text()[-2000:])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_kb(service, name="RssAnon"):
    """Now, or at its highest (VmHWM)."""
    text = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0])


def cpu_s(service):
    fields = Path(f"/proc/{service.process.pid}/stat").read_text() \
        .rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def p95(values):
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


class Bystander:
    """Logs in as if nothing was the matter."""

    def __init__(self, rig):
        self.rig, self.ms, self.n = rig, [], 0

    def log_in(self, number):
        """Every fifth login is denied by the phone."""
        began = time.monotonic()
        login = self.rig.login("alice", service="su", argv=("su", "alice"))
        try:
            link = login.link()
            deny = number % 5 == 4
            (self.rig.phone.deny if deny else self.rig.phone.approve)(link)
            result = login.end()
        finally:
            login.close()
            self.rig.logins.remove(login)
        expected = "PAM_MAXTRIES" if deny else "PAM_SUCCESS"
        granted = result == "PAM_SUCCESS"
        FIGURES.grants += granted and deny
        FIGURES.wrong += not granted and result != expected
        assert result == expected, login.text
        self.ms.append((time.monotonic() - began) * 1000)

    def stand_by(self, seconds=0, count=10):
        """Both at least."""
        end = time.monotonic() + seconds
        while count > 0 or time.monotonic() < end:
            self.log_in(self.n)
            self.n += 1
            count -= 1
        FIGURES.cases += self.n
        return self

    def said(self):
        return (f"{statistics.median(self.ms):.0f} ms, "
                f"p95 {p95(self.ms):.0f} ms")


@contextlib.contextmanager
def flood(rig, kind, count, up=False, host="127.0.0.1"):
    """
    Bad connections while it lasts; what they met, in the end.  up: begins when
    each was let in.
    """
    process = subprocess.Popen(
        [BUILD / "tests/attack/flood", f"{host}:{rig.service.port}",
         rig.ca, kind, str(count)], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE)
    told = {}
    try:
        assert not up or process.stdout.readline() == "up\n"
        yield told
        process.stdin.close()
        lines = process.stdout.read().splitlines()
        assert process.wait() == 0 and lines, lines
        told.update(json.loads(lines[-1]))
        FIGURES.cases += told["opened"] + told["refused"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def patiently(call):
    """As people are: again, until it is taken."""
    def attempt():
        try:
            reply = call()
        except OSError:
            return None
        return reply if reply.status not in (429, 503) else None
    return wait_until(attempt, "a reply")
