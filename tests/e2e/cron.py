# SPDX-License-Identifier: BSD-2-Clause
"""
Real cron: sudo and su in a job have nobody who could look at a phone's
question, so none is put (countersign-security(7) UX-11).
"""
import os
import shutil
import subprocess
from pathlib import Path

import private
import pytest
from machine import CONF, HOME, MODULE, until
from screen import link_in
from sources import tool

OUT = HOME / "alice" / "jobs"
STACK = Path("/etc/pam.d/cron")
LINE = f"required {MODULE} config={CONF}\n"


@pytest.fixture(scope="session", autouse=True)
def tables(rig, phones):
    """Folders of crontabs with nothing of the live system's in them."""
    Path("/etc/crontab").unlink(missing_ok=True)
    shutil.rmtree("/etc/cron.d")
    Path("/etc/cron.d").mkdir(mode=0o755)
    private.tmpfs("/var/spool/cron/crontabs", "1730")


@pytest.fixture(autouse=True)
def folder():
    OUT.mkdir()
    os.chown(OUT, private.ACCOUNTS["alice"], private.ACCOUNTS["alice"])
    yield
    shutil.rmtree(OUT)


@pytest.fixture
def cron(log):
    """
    Starts a cron that has one job of alice's, and runs it at once.  What is
    for @reboot runs when cron finds that it has not started since.
    """
    started = []

    def start(command):
        Path("/run/crond.reboot").unlink(missing_ok=True)
        table = Path("/etc/cron.d/job")
        table.write_text(
            f"@reboot alice ({command}) >{OUT}/text 2>&1; "
            f"echo $? >{OUT}/new; mv {OUT}/new {OUT}/status\n")
        table.chmod(0o644)
        started.append(subprocess.Popen(
            [tool("/usr/sbin/cron"), "-f"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    yield start
    for one in started:
        one.terminate()
        one.wait()


def said():
    """What the job printed, and its exit status."""
    until((OUT / "status").exists, 20, "the end of the job")
    return (OUT / "text").read_text(), int((OUT / "status").read_text())


@pytest.mark.parametrize("command", [
    "sudo -k id -un", "echo | sudo -k -S id -un", "setsid -w sudo -k id -un",
    "su root -c 'id -un'"], ids=["plain", "stdin", "setsid", "su"])
def test_job_asks_nobody_and_gets_nothing(rig, log, cron, command):
    requests, since = rig.requests(), len(log.lines)
    cron(command)
    text, status = said()
    assert status == 1
    assert "root" not in text.splitlines() and link_in(text) is None
    assert log.wait("reason=NO_TERMINAL", since=since)
    assert rig.requests() == requests


@pytest.mark.parametrize("setting", ["", "Defaults noninteractive_auth\n"],
                         ids=["default", "noninteractive_auth"])
def test_job_with_sudo_n_does_not_either(rig, cron, setting):
    sudoers, requests = Path("/etc/sudoers"), rig.requests()
    before = sudoers.read_text()
    sudoers.write_text(setting + before)
    try:
        cron("sudo -k -n id -un")
        text, status = said()
    finally:
        sudoers.write_text(before)
    assert status == 1
    assert "root" not in text.splitlines() and link_in(text) is None
    assert rig.requests() == requests


def test_job_runs_where_cron_itself_has_the_module(rig, log, cron):
    """cron authenticates nobody: it asks account and session stacks only."""
    before, requests, since = STACK.read_text(), rig.requests(), len(log.lines)
    STACK.write_text(f"auth {LINE}" + before)
    try:
        cron("id -un")
        assert said() == ("alice\n", 0)
    finally:
        STACK.write_text(before)
    assert rig.requests() == requests
    assert not any("pam_countersign" in line for line in log.lines[since:])


@pytest.mark.parametrize("kind", ["account", "session"])
def test_no_job_runs_where_the_module_is_elsewhere(rig, log, cron, kind):
    before, requests, since = STACK.read_text(), rig.requests(), len(log.lines)
    STACK.write_text(f"{kind} {LINE}" + before)
    try:
        cron("id -un")
        assert log.wait("Module is unknown", since=since)
    finally:
        STACK.write_text(before)
    assert list(OUT.iterdir()) == []
    assert rig.requests() == requests
