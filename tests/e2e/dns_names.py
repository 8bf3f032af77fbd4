# SPDX-License-Identifier: BSD-2-Clause
"""
What a client's address calls itself in DNS can be anything: sshd with UseDNS
yes tells it, and the phone shows it beside the address, never in its place
(countersign-security(7) UX-3).  The names come from the private machine's hosts
file, which the resolver asks for them as it asks DNS.
"""
import re
import signal
from pathlib import Path

import pytest
from machine import ssh, until

# The second half of an address of this machine's own, and its name.
NAMES = {"127.0.0.1": "localhost", "127.0.0.66": "evil.example",
         "127.0.0.67": "203.0.113.7.port.22.safe.example",
         "127.0.0.68": "203.0.113.9", "127.0.0.69": None}


@pytest.fixture(scope="session", autouse=True)
def names(sshd):
    """An sshd that asks for names, and /etc/hosts that knows them."""
    hosts = Path("/etc/hosts")
    hosts.write_text(hosts.read_text() + "".join(
        f"{address} {name}\n" for address, name in NAMES.items()
        if name and name != "localhost"))
    config = Path("/run/sshd/config")
    config.write_text("UseDNS yes\n" + config.read_text())
    starts = sshd.log.read_text().count("Server listening")
    sshd.process.send_signal(signal.SIGHUP)
    until(lambda: sshd.log.read_text().count("Server listening") > starts,
          what="sshd's new start")


def ask(phones, address):
    """What the phone shows of a login from there, and its approval."""
    login = ssh("alice", options=(f"BindAddress={address}",))
    link = login.link()
    question = phones["alice"].question(link)
    phones["alice"].approve(link, then=login.enter)
    assert login.end() == 0
    return question


@pytest.mark.parametrize("address", [
    address for address, name in NAMES.items()
    if name and not re.fullmatch("[0-9.]+", name)])
def test_name_only_beside_the_address(rig, log, phones, address):
    question = ask(phones, address)
    details = dict(question["details"])
    assert re.fullmatch(rf"{re.escape(address)} port \d+", details["From"])
    assert details["From (name, unverified)"] == NAMES[address]
    assert rig.audit()[-1]["rhost"] == address
    # It may come late; each case has an address of its own.
    until(lambda: [line for line in log.lines
                   if "event=auth_grant" in line and
                   f"rhost={address} " in line], what="the line")


@pytest.mark.parametrize("address", ["127.0.0.68", "127.0.0.69"],
                         ids=["a name that is an address", "no name"])
def test_no_name(phones, address):
    details = dict(ask(phones, address)["details"])
    assert re.fullmatch(rf"{re.escape(address)} port \d+", details["From"])
    assert "From (name, unverified)" not in details
