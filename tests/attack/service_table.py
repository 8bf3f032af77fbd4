# SPDX-License-Identifier: BSD-2-Clause
"""
A service that lies, in every reply of the host API: what it says -> what PAM
is told.

Real TLS, courier, module, library and libpam; the service is played, and its
replies are those of replies.py.  The phone is genuine: whenever a login shows
a link, its owner approves.  So the question of each case is whether that yes
arrives; nothing else may be one.
"""
import os
import signal
import socket
import ssl
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import couriers
import oracle
import private
import pytest
from couriers import Authority, Close, Courier, reply
from figures import Figures
from replies import (AGAIN, API, BAD, FINE, SLOW, Reply, mutations)
from rig import PAM_RUN, Login, Rig, built, config_text
from service import wait_until

OK, INFO, AUTH, MAX = ("PAM_SUCCESS", "PAM_AUTHINFO_UNAVAIL", "PAM_AUTH_ERR",
                       "PAM_MAXTRIES")
USER, OTHER, NEW, NEWEST = "alice", "bob", "carol", "dora"
LIFETIME, SLACK = 30, 3
PATIENT, QUICK = 64, 3  # cases at a time: that wait, that do not
DEVICE = "4hx2k7q3m5rj6wza"


class Fake(couriers.Service):
    """
    The honest service of couriers.py, but for the reply of one endpoint.
    once: only the first time that there is something to say.
    """

    def __init__(self, world, endpoint=None, rule=None, once=False):
        self.contents, self.replaced, self.once = [], 0, once
        super().__init__(context=world.context)
        self.rules.update({
            "GET /api/v1/users?username=": lambda r, c: reply(
                200, {"userId": "user-7"}),
            "DELETE /api/v1/users/user-7": lambda r, c: reply(204),
            "DELETE /api/v1/authenticators/": lambda r, c: reply(204),
            "PATCH /api/v1/authenticators/": lambda r, c: reply(204)})
        if endpoint:
            self.replace(API[endpoint], rule)

    def replace(self, endpoint, rule):
        honest = self.rules[endpoint.rule]

        def lie(request, connection):
            data = honest(request, connection)
            if self.once and self.replaced or not self.due(request):
                return data
            self.replaced += 1
            head, body = data.split(b"\r\n\r\n", 1)
            good = Reply(endpoint.status, endpoint.kind, body)
            assert head.split(b" ")[1] == b"%d" % good.status
            return rule(good, connection)

        self.rules[endpoint.rule] = lie

    def due(self, request):
        """Of a status: is it the one with the answer?"""
        return "/status" not in request.path or self.answer is not None

    def create(self, request, connection):
        self.begin(request)
        return super().create(request, connection)

    def enroll(self, request, connection):
        self.begin(request)
        return super().enroll(request, connection)

    def begin(self, request):
        with self.changed:
            self.sequence, self.event, self.answer = 1, "created", None
            self.contents.append(request.json["content"])


# Programs with the module in them, and couriers, that a signal has ended.
CRASHED = []


class Scene:
    """One login at a service of its own."""

    def __init__(self, world, name, service):
        self.world, self.service = world, service
        self.folder = world.rig.folder / name
        self.folder.mkdir(mode=0o755)
        self.audit = self.folder / "audit"
        self.name = name
        self.login = None

    def start(self, user=USER, words="", options=(), **settings):
        conf = self.folder / "conf"
        conf.touch(0o644)
        conf.write_text(config_text({
            **self.world.rig.values, "service": self.service.url,
            "page_url": self.world.rig.service.url,
            "ca_file": self.world.ca, "audit_file": self.audit, **settings}))
        line = (f"required {built('pam/pam_countersign.so')} config={conf} "
                f"{words}")
        self.login = Login([
            PAM_RUN, "--confdir",
            self.world.rig.confdir(self.name, line.strip()), "--service",
            self.name, "--user", user, "--json", "--hygiene", "--tty",
            "pts/0", *options])

    def link(self, number=0):
        """None if the login ended without showing it."""
        try:
            return oracle.Link.from_text(self.login.link(number))
        except AssertionError:
            return None

    def genuine(self, phone=None, number=0):
        return oracle.unb64u((phone or self.world.phone.key).approve(
            self.link(number), self.service.contents[number]))

    def answer(self, sealed):
        self.service.happen("answered", sealed)

    def rejected(self, sealed, number=1):
        """An answer that the host will not have."""
        self.answer(sealed)
        outcome = self.service.seen("POST /api/v1/approval/transaction-1/o",
                                    number).json
        assert outcome["outcome"] == "rejected", outcome
        return outcome["reason"]

    def end(self):
        code = self.login.end()
        events = self.login.events
        hygiene = [e["text"] for e in events if e["event"] == "hygiene"]
        assert hygiene == ["same"], hygiene
        spent = [e["ms"] for e in events if e["event"] == "result"][0] / 1000
        return code, spent

    def records(self):
        return self.audit.read_text() if self.audit.exists() else ""

    def close(self):
        if self.login:
            self.login.close()
            if self.login.process.returncode not in (0, 1, -signal.SIGKILL):
                CRASHED.append(self.name)
        self.service.stop()


# --- how each endpoint is met by a login -------------------------------------

def approve(scene):
    scene.start()
    if scene.link():
        scene.answer(scene.genuine())


def approve_at_last(scene):
    """A wrong answer first, so that there is an outcome to reply to."""
    scene.start()
    scene.link()
    scene.rejected(b"\1" * 99)
    scene.answer(scene.genuine())


def cancel(scene):
    """The question is lost, and the courier says goodbye."""
    scene.service.rules["POST /api/v1/status"] = lambda r, c: reply(
        404, {"error": "not_found"})
    scene.start()


def enrol(scene, user=NEW):
    scene.start(user, "after_first_factor", ("--answer", "y"),
                unenrolled="enroll", enrol_lifetime=60)
    assert scene.link() is None, "a question that the service has not got"


class Way:
    """verdict -> (PAM code, seconds); once: AGAIN is said once."""

    def __init__(self, endpoint, play, fine, bad, again, slow, once=False):
        self.endpoint, self.play, self.once = endpoint, play, once
        self.codes = dict(zip((FINE, BAD, AGAIN, SLOW),
                              (fine, bad, again, slow)))


NOW, SOON, LATE = 2.5, 4, LIFETIME
WAYS = {
    "approval": Way("approval", approve, (OK, SOON), (INFO, SOON),
                    (INFO, SOON), (INFO, SOON)),
    "status": Way("status", approve, (OK, SOON), (INFO, SOON), (OK, SOON),
                  (AUTH, LATE), once=True),
    "outcome of a yes": Way("outcome", approve, *[(OK, NOW)] * 4),
    "outcome of a no": Way("outcome", approve_at_last, (OK, SOON),
                           (INFO, SOON), (OK, SOON), (INFO, 6), once=True),
    "cancel": Way("cancel", cancel, *[(INFO, NOW)] * 4),
    "enrolment": Way("enrolment", enrol, None, (INFO, SOON), (INFO, SOON),
                     (INFO, SOON)),
}
# An enrolment that goes well is a test of its own.
SKIP = {("enrolment", FINE)}


class Case:
    def __init__(self, way, verdict, rule):
        self.way, self.verdict, self.rule = WAYS[way], verdict, rule
        self.code, self.seconds = self.way.codes[verdict]
        self.patient = verdict == SLOW or self.seconds > SOON

    def run(self, world, name):
        once = self.way.once and self.verdict in (AGAIN, FINE)
        scene = Scene(world, name, Fake(world, self.way.endpoint, self.rule,
                                        once))
        got = ""
        try:
            self.way.play(scene)
            got, spent = scene.end()
            assert got == self.code, (got, scene.login.text)
            assert spent < self.seconds + SLACK, spent
            assert ('"result":"granted"' in scene.records()) == (got == OK)
            assert '"result":"denied"' not in scene.records()
        except Exception:  # the case reports it
            return got, traceback.format_exc()
        finally:
            scene.close()
        return got, None


def table():
    for way, how in WAYS.items():
        for name, verdict, rule in mutations(API[how.endpoint]):
            if (way, verdict) not in SKIP:
                yield f"{way}: {name}", Case(way, verdict, rule)


CASES = dict(table())


# --- endpoints that no login uses: the courier's word for it -----------------

DRIVES = {
    "ping": {"op": "ping"},
    "user": {"op": "remove-user", "subject": USER},
    "user's removal": {"op": "remove-user", "subject": USER},
    "device's removal": {"op": "remove-device", "subject": DEVICE},
    "device's name": {"op": "rename-device", "subject": DEVICE, "text": "x"},
}


def drive(world, endpoint, verdict, rule):
    service = Fake(world, endpoint, rule)
    try:
        with Courier(service, program=world.rig.values["courier"],
                     ca=world.ca, deadline=3000,
                     **DRIVES[endpoint]) as courier:
            courier.expect("started")
            got = courier.next()
            status = courier.ended()[0]
            if status < 0:
                CRASHED.append(endpoint)
            assert got.split(" ")[0] == (
                "done" if verdict == FINE else "trouble"), got
            assert status == 0
    except Exception:  # the case reports it
        return "", traceback.format_exc()
    finally:
        service.stop()
    return "", None


DRIVEN = {f"{endpoint}: {name}": (endpoint, verdict, rule)
          for endpoint in DRIVES
          for name, verdict, rule in mutations(API[endpoint])}


# --- the run -----------------------------------------------------------------

class World:
    def __init__(self, rig):
        self.rig = rig
        authority = Authority(rig.folder)
        self.authority, self.ca = authority, authority.file
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(authority.issue("service")[0])
        self.phone = rig.enrol_soft(USER, kind="webauthn", counting=False)
        self.bob = rig.enrol_soft(OTHER, kind="webauthn", counting=False)
        self.number = 0
        self.earlier = None  # an answer that counted, sealed and opened

    def remember(self):
        scene = self.scene()
        try:
            scene.start()
            sealed = scene.genuine()
            self.earlier = sealed, scene.link().open_answer(sealed)
            scene.answer(sealed)
            assert scene.end()[0] == OK
        finally:
            scene.close()

    def scene(self, **keywords):
        self.number += 1
        return Scene(self, f"scene{self.number}", Fake(self, **keywords))


@pytest.fixture(scope="module")
def figures():
    figures = Figures("service_table", "replies of the host API")
    yield figures
    figures.crashes += len(CRASHED)
    figures.write()


def count(figures, found, codes):
    """found: {name: (code, what is wrong)}; codes: {name: the right one}."""
    for name, (got, wrong) in found.items():
        granted = got == OK != codes.get(name, got)
        figures.grants += granted
        figures.wrong += wrong is not None and not granted
    figures.cases += len(found)


@pytest.fixture(scope="module")
def world():
    private.enter()
    with Rig(lifetime=LIFETIME, push="no") as rig:
        yield World(rig)


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
    assert results[name][1] is None, results[name][1]


# --- a story instead of a reply: what the service says over time -------------

def over(scene):
    """So that nobody waits for the end of the lifetime."""
    scene.service.happen("cancelled", state="failed")


def says(event, state="pending", sealed=False):
    def story(scene):
        scene.service.happen(event, scene.genuine() if sealed else None, state)
    return story


def rejects(reason, *makers):
    """Answers that prove nothing, and then an end."""
    def story(scene):
        for number, make in enumerate(makers, 1):
            got = scene.rejected(make(scene), number)
            assert got == reason, got
        over(scene)
    return story


def then(*stories):
    def story(scene):
        for one in stories:
            one(scene)
    return story


def honest(scene):
    scene.answer(scene.genuine())


def noise(_scene):
    return os.urandom(120)


def scripted(*replies):
    """Replies to the polls, one after the other; then what happens."""
    def story(scene):
        left, service = list(replies), scene.service
        sealed = scene.genuine()

        def rule(request, connection):
            members = {"transactionId": service.ID, "status": "pending",
                       "sequence": 1, "event": "answered"}
            if left:
                members |= {"sequence": 2, "event": "seen", **left.pop(0)}
            else:
                with service.changed:
                    service.changed.wait_for(lambda: service.answer, 10)
                members["answer"] = oracle.b64u(service.answer)
            if members.get("answer") == "genuine":
                members["answer"] = oracle.b64u(sealed)
            return reply(200, members)

        service.rules["POST /api/v1/status"] = rule
        service.happen("seen")
        wait_until(lambda: not left, "the polls")
    return story


def nine(scene):
    for number in range(1, 9):
        scene.rejected(noise(scene), number)
    scene.answer(noise(scene))


def own(scene, phone, **wrong):
    link = scene.link()
    return link.seal_answer(phone.answer(
        oracle.Question(link, scene.service.contents[0]).bytes, "approve",
        **wrong))


# Almost the question: what the same phone signed for something else.
OTHERWISE = {
    "kind": "enrolment", "host": "web2", "user": "bob", "uid": 0,
    "service": "sudo", "title": "Run a command", "details": [],
    "choices": ["approve", "approve-all"], "code": "tap",
    "nonce": oracle.b64u(bytes(32)), "created": "2026-11-21T22:50:00Z",
    "lifetime": 31}


def otherwise(member):
    def make(scene):
        link = scene.link()
        members = oracle.Question(link, scene.service.contents[0]).members
        assert members[member] != OTHERWISE[member]
        data = oracle.dump(members | {member: OTHERWISE[member]}).encode()
        return link.seal_answer(scene.world.phone.key.answer(data, "approve"))
    return make


STORIES = {
    **{f"a yes to another {member}": (INFO, rejects(
        "PROOF_CHALLENGE", otherwise(member))) for member in OTHERWISE},
    # Claims without an answer.
    **{f"says {event}, {state}": (INFO, says(event, state))
       for event in ("granted", "denied", "cancelled", "expired")
       for state in ("pending", "succeeded", "failed")},
    "says granted, with the genuine answer":
        (INFO, says("granted", "succeeded", True)),
    "says denied, with the genuine answer":
        (INFO, says("denied", "failed", True)),
    "says answered, without one": (INFO, says("answered")),
    "says unknown": (INFO, says("created", "unknown")),
    "says unknown, with the genuine answer":
        (INFO, says("answered", "unknown", True)),
    "the answer in another event, then cancelled":
        (INFO, then(says("seen", sealed=True), over)),
    # Contradictions about the genuine answer are no matter.
    "answered, and succeeded": (OK, says("answered", "succeeded", True)),
    "answered, and failed": (OK, says("answered", "failed", True)),
    "answered under a number that was told":
        (OK, then(scripted({"sequence": 5}, {"sequence": 5, "event":
                            "answered", "answer": "genuine"}), honest)),
    "numbers that go back": (OK, then(scripted(
        {"sequence": 9}, {"sequence": 3}, {"sequence": 0}), honest)),
    "the largest number": (OK, then(scripted(
        {"sequence": 2 ** 31 - 1}), honest)),
    "events that nobody knows": (OK, then(scripted(*[
        {"sequence": n, "event": f"event {n}"} for n in range(3, 7)]),
        honest)),
    "first of another question": (INFO, scripted(
        {"transactionId": "transaction-2"})),
    # Answers of others, and of another time.
    "noise": (INFO, rejects("PROOF_FORMAT", noise)),
    "noise, seven times": (INFO, rejects("PROOF_FORMAT", *[noise] * 7)),
    "noise, seven times, and a yes": (OK, then(
        lambda s: [s.rejected(noise(s), n) for n in range(1, 8)], honest)),
    "nine answers": (MAX, nine),
    "an earlier login's answer": (INFO, rejects(
        "PROOF_FORMAT", lambda s: s.world.earlier[0])),
    "an earlier login's proof, sealed anew": (INFO, rejects(
        "PROOF_CHALLENGE",
        lambda s: s.link().seal_answer(s.world.earlier[1]))),
    "another account's phone": (INFO, rejects(
        "PROOF_DEVICE", lambda s: own(s, s.world.bob.key))),
    "a phone of its own": (INFO, rejects(
        "PROOF_DEVICE", lambda s: own(s, oracle.Phone("webauthn")))),
    "the page of another origin": (INFO, rejects(
        "PROOF_ORIGIN", lambda s: own(s, s.world.phone.key,
                                      origin="https://evil.example"))),
    "the same yes twice": (OK, then(honest, honest)),
}


def tell(world, name):
    code, story = STORIES[name]
    scene = Scene(world, f"story{list(STORIES).index(name)}", Fake(world))
    got = ""
    try:
        scene.start()
        assert scene.link(), scene.login.text
        story(scene)
        got, spent = scene.end()
        assert got == code, (got, scene.login.text)
        assert spent < SOON + SLACK + 6, spent
        assert ('"result":"granted"' in scene.records()) == (got == OK)
        assert '"result":"denied"' not in scene.records()
    except Exception:  # the case reports it
        return got, traceback.format_exc()
    finally:
        scene.close()
    return got, None


@pytest.fixture(scope="module")
def told(world, figures):
    world.remember()
    found = run_all({name: (False, tell, world, name) for name in STORIES})
    count(figures, found, {name: code for name, (code, _) in STORIES.items()})
    return found


@pytest.mark.parametrize("name", STORIES)
def test_story(told, name):
    assert told[name][1] is None, told[name][1]


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
    assert [scene.end()[0] for scene in (one, two)] == [INFO, INFO]
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
    assert [scene.end()[0] for scene in (one, two)] == [INFO, INFO]
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
        assert scene.end()[0] == (OK if what == "outcome" else INFO)
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
        got, spent = scene.end()
        figures.cases += 1
        figures.grants += got == OK != code
        figures.wrong += got != OK and got != code
        assert (got, spent < SOON + SLACK) == (code, True)
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
                    couriers.reset(connection)
            if how != "half a handshake":
                connection.close()
                listener.close()
        got, spent = scene.end()
        assert got == INFO and spent < 3 + SLACK, (got, spent)
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
        assert scene.end()[0] == OK
    finally:
        scene.close()
    figures.cases += 1


def test_nothing_is_left(results, told, figures):
    def running():
        return [pid for pid, line in private.processes().items()
                if line == "courier"]

    wait_until(lambda: not running(), "the end of the couriers")
    zombies = private.zombies()
    figures.cases += 1
    figures.leaks += len(zombies)
    assert zombies == []


def test_table_is_whole():
    """Every endpoint, each with every kind of mutation that it can have."""
    assert len(CASES) > 900 and len(DRIVEN) > 600
    for way, how in WAYS.items():
        verdicts = {case.verdict for name, case in CASES.items()
                    if name.startswith(way + ": ")}
        assert verdicts >= {BAD, AGAIN, SLOW}, way
        assert FINE in verdicts or way == "enrolment"
