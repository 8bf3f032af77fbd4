# SPDX-License-Identifier: BSD-2-Clause
"""A whole countersign for each file of tests, and enrolments in slow motion."""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from rig import Phone, Rig  # noqa: E402
from screen import link_in  # noqa: E402

DEVICE_ID = re.compile(r"\b(?:[a-z2-7]{4}-){3}[a-z2-7]{4}\b")


@pytest.fixture(scope="module")
def rig():
    with Rig() as one:
        yield one


class Enrolment:
    """countersign enroll, running; what it prints is read as it comes."""

    def __init__(self, rig, user, *arguments, yes=True):
        self.rig, self.user = rig, user
        self.text, self.old = "", None
        self.process = subprocess.Popen(
            [rig.program("countersign"), "enroll", "--config", rig.conf,
             *(["--yes"] if yes else []), user, *arguments],
            env=rig._environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True)

    def link(self):
        """The next link that it shows."""
        while True:
            line = self.process.stdout.readline()
            assert line, self.text
            self.text += line
            found = link_in(line)
            if found and found != self.old:
                self.old = found
                return found

    def end(self):
        """Its exit status."""
        self.text += self.process.communicate(timeout=60)[0]
        return self.process.returncode

    def interrupt(self, signo=signal.SIGINT):
        self.process.send_signal(signo)


@pytest.fixture
def enrolment(rig):
    running = []

    def begin(*arguments, **keywords):
        running.append(Enrolment(rig, *arguments, **keywords))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.communicate()


def run(phone, command, *arguments, text=None, check=True):
    """countersign-phone, to its end."""
    got = subprocess.run(
        [phone.rig.program("countersign-phone"), command, "--store",
         phone.store, "--passphrase-file", phone.passphrase, "--ca-file",
         phone.rig.ca, *arguments], input=text or "", text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        start_new_session=True)
    assert not check or got.returncode == 0, got.stdout
    return got


def approve(phone, link):
    """Signs with this phone's device, whoever is asked."""
    return run(phone, "approve", "--yes", "--device", phone.device, link,
               check=False)


class Background:
    """A command of countersign-phone that waits for somebody."""

    def __init__(self, phone, *arguments, **keywords):
        self.result = None
        self.thread = threading.Thread(
            target=self._run, args=(phone, arguments, keywords))
        self.thread.start()

    def _run(self, phone, arguments, keywords):
        self.result = run(phone, *arguments, check=False, **keywords)

    def end(self):
        self.thread.join(60)
        assert self.result is not None
        return self.result


@pytest.fixture
def new_phone(rig):
    """Phones with a name that nobody else has."""
    counter = []

    def make(user):
        counter.append(user)
        return Phone(rig, user, f"p{len(counter)}-{time.monotonic_ns()}")

    return make


def devices(rig, *user):
    """What the host says: its list of devices."""
    text = rig.countersign("devices", "--json", *user)
    return json.loads(text)["devices"]


def countersign(rig, command, *arguments, text=None):
    """Exit status, standard output, standard error; no terminal."""
    run = subprocess.run(
        [rig.program("countersign"), command, "--config", rig.conf,
         *arguments], env=rig._environment(), text=True, timeout=60,
        stdin=subprocess.DEVNULL if text is None else None, input=text,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True)
    return run.returncode, run.stdout, run.stderr
