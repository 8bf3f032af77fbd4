# SPDX-License-Identifier: BSD-2-Clause
"""
A service that lies, in every reply of the host API: what it says -> what PAM
is told.

Real TLS, courier, module, library and libpam; the service is played, and its
replies are those of reply_mutations.py.  The phone is genuine: whenever a
login shows a link, its owner approves.  So the question of each case is
whether that yes arrives; nothing else may be one.
"""
import contextlib
import os
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import oracle
import private
import pytest
from attempt import INFO, OK, count, couriers
from couriers import Authority, Close, reset
from figures import Figures
from host_api import AGAIN, BAD, FINE, SLOW
from rig import Rig
from service import wait_until
from service_replies import CASES, DRIVEN, SOON, WAYS, drive
from service_scene import LIFETIME, OTHER, USER, Fake, Scene, approve, over
from service_stories import STORIES, tell

NEWEST = "dora"
PATIENT, QUICK = 64, 3  # cases at a time: that wait, that do not


class World:
    def __init__(self, rig):
        self.rig = rig
        authority = Authority(rig.folder)
        self.authority, self.ca = authority, authority.file
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(authority.issue("service")[0])
        self.phone = rig.enrol_soft(USER, kind="webauthn", counting=False)
        self.bob = rig.enrol_soft(OTHER, kind="webauthn", counting=False)
        self.scenes = []
        self.earlier = None  # an answer that counted, sealed and opened

    def remember(self):
        scene = self.scene()
        try:
            scene.start()
            sealed = scene.genuine()
            self.earlier = sealed, scene.link().open_answer(sealed)
            scene.answer(sealed)
            assert scene.end() == OK
        finally:
            scene.close()

    def scene(self, **keywords):
        scene = Scene(self, f"scene{len(self.scenes)}",
                      Fake(self, **keywords))
        self.scenes.append(scene)
        return scene


@pytest.fixture(scope="module")
def figures():
    figures = Figures("service_table", "replies of the host API")
    yield figures
    figures.write()


@pytest.fixture(scope="module")
def world(figures):
    private.enter()
    with Rig(lifetime=LIFETIME, push="no") as rig:
        world = World(rig)
        yield world
        figures.crashes += sum(scene.crashed for scene in world.scenes)


def run_all(jobs):
    """{name: result}; those that wait do so together."""
    with ThreadPoolExecutor(PATIENT) as patient, \
            ThreadPoolExecutor(QUICK) as quick:
        futures = {name: (patient if waits else quick).submit(*job)
                   for name, (waits, *job) in jobs.items()}
        return {name: future.result() for name, future in futures.items()}


@pytest.fixture(scope="module")
def results(world, figures):
    began = time.monotonic()
    jobs = {name: (case.patient, case.run, world, f"case{n}")
            for n, (name, case) in enumerate(CASES.items())}
    jobs.update({name: (how[1] == SLOW, drive, world, *how)
                 for name, how in DRIVEN.items()})
    found = run_all(jobs)
    count(figures, found, {name: case.code for name, case in CASES.items()})
    figures.note(f"{len(CASES)} logins and {len(DRIVEN)} other calls in "
                 f"{time.monotonic() - began:.0f} s")
    return found


@pytest.mark.parametrize("name", [*CASES, *DRIVEN])
def test_reply(results, name):
    assert results[name].wrong is None, results[name].wrong


# --- a story instead of a reply ----------------------------------------------

@pytest.fixture(scope="module")
def told(world, figures):
    world.remember()
    found = run_all({name: (False, tell, world, name) for name in STORIES})
    count(figures, found, {name: code for name, (code, _) in STORIES.items()})
    return found


@pytest.mark.parametrize("name", STORIES)
def test_story(told, name):
    assert told[name].wrong is None, told[name].wrong


# --- two questions -----------------------------------------------------------

@pytest.fixture
def pair(world):
    """Two logins of one account at once, each with its question shown."""
    scenes = [world.scene(), world.scene()]
    for scene in scenes:
        scene.start()
        assert scene.link()
    yield scenes
    for scene in scenes:
        scene.close()


def test_answers_swapped(pair, figures):
    """F2: each login is given the yes to the other's question."""
    one, two = pair
    for here, there in ((one, two), (two, one)):
        assert here.rejected(there.genuine()) == "PROOF_FORMAT"
        plain = there.link().open_answer(there.genuine())
        assert here.rejected(here.link().seal_answer(plain), 2) == \
            "PROOF_CHALLENGE"
        over(here)
    assert [scene.end() for scene in (one, two)] == [INFO, INFO]
    assert "granted" not in one.records() + two.records()
    figures.cases += 4


def test_contents_swapped(pair, world, figures):
    """F2: the phone that scanned one link cannot open the other's content."""
    one, two = pair
    for here, there in ((one, two), (two, one)):
        with pytest.raises(oracle.Refused):
            world.phone.key.approve(here.link(),
                                    there.service.contents[0])
        over(here)
    assert [scene.end() for scene in (one, two)] == [INFO, INFO]
    figures.cases += 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("what", ["approval", "status", "outcome"])
def test_elsewhere(world, figures, what, status):
    """Nobody follows the service to another one, which would say yes."""
    other = Fake(world)
    scene = world.scene(endpoint=what, rule=lambda good, connection: good.raw(
        status=status, headers=[*good.types(),
                                f"Location: {other.url}/api/v1/status"]))
    try:
        approve(scene)
        assert scene.end() == (OK if what == "outcome" else INFO)
        wait_until(lambda: scene.service.replaced, "the reply")
        assert other.connections == 0
    finally:
        scene.close()
        other.stop()
    figures.cases += 1


# --- the way there -----------------------------------------------------------

def certificate(**how):
    def make(world):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(world.authority.issue(
            f"tls{len(os.listdir(world.rig.folder))}", **how)[0])
        return made
    return make


def rogue(world):
    folder = world.rig.folder / "rogue"
    folder.mkdir()
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(Authority(folder, "rogue").issue("rogue")[0])
    return made


def old(world):
    made = certificate()(world)
    made.set_ciphers("ALL:@SECLEVEL=0")
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


TLS = {
    "control": (certificate(), OK),
    "another name": (certificate(names=("example.org",), ips=()), INFO),
    "another address": (certificate(ips=("127.0.0.2",)), INFO),
    "an address as a name": (certificate(names=("127.0.0.1",), ips=()), INFO),
    "a common name only": (certificate(san=False, common="127.0.0.1"), INFO),
    "expired": (certificate(days=-1, start=-2), INFO),
    "not yet valid": (certificate(days=9, start=2), INFO),
    "another authority": (rogue, INFO),
    "TLS 1.1": (old, INFO),
    "no TLS": (lambda world: None, INFO),
}


@pytest.mark.parametrize("name", TLS)
def test_tls(world, figures, name):
    """F6, as PAM is told of it."""
    context, code = TLS[name]
    scene = world.scene()
    scene.service.context = context(world)
    try:
        approve(scene)
        got = scene.end()
        figures.cases += 1
        figures.grants += got == OK != code
        figures.wrong += got != OK and got != code
        scene.check(code, SOON)
        assert bool(scene.service.requests) == (code == OK)
    finally:
        scene.close()


@pytest.mark.parametrize("how", ["refused", "accepts and is silent",
                                 "closes", "resets", "half a handshake"])
def test_connection(world, figures, how):
    """F9, F10: told within 3 seconds."""
    scene = world.scene()
    scene.service.stop()
    listener = socket.create_server(("127.0.0.1", 0))
    scene.service.url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    listener.settimeout(10)
    if how == "refused":
        listener.close()
    try:
        scene.start()
        if how in ("closes", "resets", "half a handshake"):
            connection, _ = listener.accept()
            connection.recv(100)
            if how == "half a handshake":
                connection.sendall(b"\x16\x03\x03\x02\x00\x02\0")
            elif how == "resets":
                with pytest.raises(Close):
                    reset(connection)
            if how != "half a handshake":
                connection.close()
                listener.close()
        scene.end()
        scene.check(INFO, 3)
    finally:
        scene.close()
        listener.close()
    figures.cases += 1


# --- and all is well with a service that is honest ---------------------------

def test_enrolment(world, figures):
    """The whole of it, with the second question for the new phone alone."""
    scene = world.scene()
    new = oracle.Phone("webauthn", origin=world.rig.service.url,
                       counting=False)
    try:
        scene.start(NEWEST, "after_first_factor", ("--answer", "y"),
                    unenrolled="enroll")
        link = scene.link()
        scene.answer(oracle.unb64u(new.enroll(
            link, scene.service.contents[0])))
        assert scene.link(1)
        # The account's word is the new phone's, nobody else's.
        assert scene.rejected(scene.genuine(world.bob.key, 1), 2) == \
            "PROOF_DEVICE"
        scene.answer(scene.genuine(new, 1))
        assert scene.end() == OK
    finally:
        scene.close()
    figures.cases += 1


def test_nothing_is_left(results, told, figures):
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not couriers(), "the end of the couriers")
    figures.cases += 1
    figures.leaks += len(couriers())
    assert figures.leaks == 0


def test_table_is_whole():
    """Every endpoint, each with every kind of mutation that it can have."""
    assert len(CASES) > 900 and len(DRIVEN) > 600
    for way, how in WAYS.items():
        verdicts = {case.verdict for name, case in CASES.items()
                    if name.startswith(way + ": ")}
        assert verdicts >= {BAD, AGAIN, SLOW}, way
        assert FINE in verdicts or way == "enrolment"
