# SPDX-License-Identifier: BSD-2-Clause
"""One private machine, service and set of phones for a file of tests."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "support"))

import machine  # noqa: E402
import private  # noqa: E402
from rig import Rig  # noqa: E402


@pytest.fixture(scope="session")
def log():
    """The machine's syslog; asking for it enters the machine."""
    return private.enter()


@pytest.fixture(scope="session")
def rig(log):
    machine.furnish()
    with Rig(folder=machine.CONF.parent, product=machine.PRODUCT) as rig:
        yield rig


@pytest.fixture(scope="session")
def sshd(rig):
    server = machine.Sshd()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def phones(rig):
    """A phone of alice's, and one of bob's."""
    return {name: rig.enrol(name) for name in ("alice", "bob")}


@pytest.fixture(autouse=True)
def nothing_is_left():
    """After each case its terminals are closed, and no courier stays."""
    yield
    while machine.Session.all:
        machine.Session.all.pop().kill()
    machine.until(lambda: not machine.couriers(), 5,
                  "the end of the couriers")
