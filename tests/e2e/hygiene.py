# SPDX-License-Identifier: BSD-2-Clause
"""Two hundred logins leave nothing behind."""
import json
import os
import subprocess
import sys

import private
from machine import couriers, ssh, until
from rig import PAM_RUN
from screen import link_in

LOGINS = 200


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_two_hundred_logins(rig):
    """In one process, as in a long-lived application: each is approved."""
    phone = rig.enrol_soft("alice", kind="p256")
    before = descriptors(rig.service.process.pid)
    run = subprocess.Popen(
        [PAM_RUN, "--confdir", "/etc/pam.d", "--service", "sudo", "--user",
         "alice", "--tty", "pts/0", "--rounds", str(LOGINS), "--hygiene",
         "--json", "--", "sudo", "/usr/bin/id"],
        stdout=subprocess.PIPE, text=True)
    granted = 0
    for line in run.stdout:
        event = json.loads(line)
        link = link_in(event["text"])
        if event["event"] == "info" and link:
            phone.approve(link)
        if event.get("call") == "authenticate":
            assert event["text"] == "PAM_SUCCESS"
            granted += 1
        if event["event"] == "hygiene":
            assert event["text"] == "same"
    assert run.wait() == 0
    assert granted == LOGINS
    until(lambda: not couriers(), 5, "the end of the couriers")
    until(lambda: descriptors(rig.service.process.pid) <= before + 2, 20,
          "the service's closing of its connections")


def test_a_zombie_would_be_seen():
    """It is one until its parent, which is not this process, has ended."""
    parent = subprocess.Popen(
        [sys.executable, "-c", "import os, sys\npid = os.fork()\n"
         "if not pid: os._exit(0)\nprint(pid, flush=True)\n"
         "sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    until(lambda: private.zombies() == {pid})
    parent.communicate()
    assert private.left_zombies() == set()


def test_logins_through_sshd(rig, sshd, phones):
    before, zombies = descriptors(sshd.process.pid), private.zombies()
    for _ in range(5):
        login = ssh("alice")
        phones["alice"].approve(login.link(), then=login.enter)
        assert login.end() == 0
    until(lambda: not couriers(), 5, "the end of the couriers")
    until(lambda: descriptors(sshd.process.pid) <= before)
    until(lambda: not any(line.startswith("sshd: alice")
                          for line in private.processes().values()))
    assert private.left_zombies(zombies) == set()
