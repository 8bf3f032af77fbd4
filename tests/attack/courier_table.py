# SPDX-License-Identifier: BSD-2-Clause
"""
Another program in the courier's place: what it does -> what PAM is told.

Real processes throughout: pam-run with the real libpam, module and library,
and where the courier should be a file that is none, or the puppet, which says
to the library whatever a case wants.  After each case the same account logs in
with the real courier.
"""
import contextlib
import shutil
import signal
import subprocess
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import courier_answers
import courier_files
import courier_frames
import oracle
import private
import pytest
from attempt import AUTH, INFO, MAX, OK, Outcome, count, couriers
from courier_answers import plain
from courier_case import (ENDS, LIFETIME, OTHER, USER, Stage, Table, later)
from figures import Figures
from puppet import answer
from rig import Rig
from service import wait_until
from sources import BUILD

HANDS = 12  # cases at a time: most of them only wait
CASES = Table()
for _part in (courier_files, courier_frames, courier_answers):
    CASES.join(_part.CASES)


class World:
    def __init__(self, rig):
        self.rig = rig
        self.phone = rig.enrol_soft(USER, kind="webauthn", counting=False)
        self.bob = rig.enrol_soft(OTHER, kind="webauthn", counting=False)
        self.own = oracle.Phone("webauthn", origin=rig.service.url)
        self.earlier = self.log_in()

    def log_in(self):
        """With the real courier; the answer, sealed and opened."""
        login = self.rig.login(USER)
        link = oracle.Link.from_text(login.link())
        reply = self.rig.service.phone().get(f"/links/{link.id}")
        sealed = self.phone.key.approve(link, reply.json["content"])
        self.rig.service.phone().post(
            f"/links/{link.id}/answer", {"answer": sealed, "hint": "approve"})
        assert login.end() == OK, login.events
        return oracle.unb64u(sealed), link.open_answer(sealed)


def attempt(world, number, name):
    stage, wrong = Stage(world, number), None
    try:
        CASES[name].run(stage)
    except Exception:  # of whatever kind: the case reports it
        wrong = traceback.format_exc()
    finally:
        stage.close()
    return Outcome(stage.code, wrong, stage.crashed)


@pytest.fixture(scope="module")
def figures():
    figures = Figures("courier_table", "programs in the courier's place")
    yield figures
    figures.write()


@pytest.fixture(scope="module")
def world():
    private.enter()
    # Requests of all these logins come from one host.  With phones that ring
    # it would depend on earlier cases whether a question has a code.
    with Rig(lifetime=LIFETIME, push="no", service={
            "rate_host": 0, "rate_address": 0}) as rig:
        yield World(rig)


@pytest.fixture(scope="module")
def results(world, figures):
    began = time.monotonic()
    # Those that wait longest begin first.
    names = sorted(CASES, key=lambda name: -CASES[name].seconds)
    with ThreadPoolExecutor(HANDS) as hands:
        found = dict(zip(names, hands.map(
            lambda one: attempt(world, *one), enumerate(names))))
    count(figures, found, {name: one.code for name, one in CASES.items()})
    figures.note(f"{len(found)} couriers in "
                 f"{time.monotonic() - began:.0f} s, then a login each")
    return found


@pytest.mark.parametrize("name", CASES)
def test_courier(results, name):
    assert results[name].wrong is None, results[name].wrong


def test_in_place_of_the_installed(world, figures):
    """Mounted over the program that an administrator has set up."""
    rig = world.rig
    puppet = Path("/run/puppet")
    shutil.copy(BUILD / "tests/attack/puppet", puppet)
    stage = Stage(world, "mounted")
    stage.listen(rig.folder)
    stage.courier = rig.values["courier"]
    private.bind(puppet, stage.courier)
    try:
        stage.start(stage.configure())
        stage.meet()
        later(ENDS)(stage)
        assert stage.login.end() == INFO
    finally:
        stage.close()
        # Until then the mount is busy.
        if stage.puppet:
            wait_until(stage.puppet.gone, "the puppet's end")
        subprocess.run(["umount", stage.courier], check=True)
    figures.cases += 1
    world.log_in()


def test_swapped_answers(world, figures):
    """Two logins at once, each given the answer to the other's question."""
    stages = [Stage(world, f"swap{n}") for n in (1, 2)]
    try:
        for stage in stages:
            stage.begin()
        one, two = stages
        for here, there in ((one, two), (two, one)):
            here.refused(oracle.unb64u(there.genuine()), "PROOF_FORMAT")
            here.refused(here.sealed(there.link.open_answer(
                there.genuine())), "PROOF_CHALLENGE", 6)
            ENDS(here)
        assert [stage.login.end() for stage in stages] == [INFO, INFO]
        assert "granted" not in one.records() + two.records()
    finally:
        for stage in stages:
            stage.close()
    figures.cases += 4
    world.log_in()


def test_codes(world, figures):
    """Three wrong codes, one of them the proof for another question."""
    stage = Stage(world, "codes")
    phone = world.bob.key
    try:
        stage.begin(OTHER, push="yes")
        code = stage.login.code()
        wrong = f"{(int(code) + 1) % 1000000:06}"
        data = stage.question().bytes
        for sealed, left in (
                (plain(stage, phone, code=wrong), 2),
                (plain(stage, phone, data=data + b" ", code=code), 1),
                (plain(stage, phone, code=code + "0"), 0)):
            stage.refused(sealed, "PROOF_CODE", left)
        stage.say(answer(plain(stage, phone, code=code)))
        assert stage.login.end() == MAX
        assert "granted" not in stage.records()
    finally:
        stage.close()
    figures.cases += 3


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_application_dies(world, figures, how):
    """E5: the courier hears of it at once, and the real one goes."""
    stage = Stage(world, how)
    try:
        stage.begin()
        assert stage.link
        stage.login.process.send_signal(getattr(signal, how))
        stage.login.process.wait(10)
        began = time.monotonic()
        assert stage.puppet.heard() is None
        assert time.monotonic() - began < 1
    finally:
        stage.close()
    login = world.rig.login(USER)
    link = login.link()
    before = couriers()
    assert before
    login.process.send_signal(getattr(signal, how))
    wait_until(lambda: not couriers(), "the courier's end")
    wait_until(lambda: world.rig.link_state(link) in ("cancelled", None),
               "the cancel")
    figures.cases += 2
    world.log_in()


def test_nothing_is_left(results, world, figures):
    """No courier: a puppet goes when its strings are cut."""
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not couriers(), "the end of the couriers")
    figures.cases += 1
    figures.leaks += len(couriers())
    assert figures.leaks == 0


def test_table_has_what_it_promises(results):
    """Every code is met, and each is what most cases of its kind say."""
    codes = [one.code for one in results.values()]
    assert {OK, INFO, AUTH, MAX} == set(codes) - {""}
    assert codes.count(INFO) > 150
