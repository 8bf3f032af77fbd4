# SPDX-License-Identifier: BSD-2-Clause
"""
Each endpoint of the host API, met by a login (WAYS) or by a call of another
kind (DRIVES), with each wrong reply: CASES and DRIVEN.
"""
import traceback

from attempt import AUTH, INFO, OK, Outcome
from couriers import Courier, reply
from host_api import AGAIN, API, BAD, FINE, SLOW
from reply_mutations import mutations
from service import wait_until
from service_scene import LIFETIME, USER, Fake, Scene, approve

NEW = "carol"
DEVICE = "4hx2k7q3m5rj6wza"


# --- how each endpoint is met by a login -------------------------------------

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


def enrol(scene):
    scene.start(NEW, "after_first_factor", ("--answer", "y"),
                unenrolled="enroll")
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
        service = Fake(world, self.way.endpoint, self.rule, once)
        scene, wrong = Scene(world, name, service), None
        try:
            self.way.play(scene)
            scene.end()
            scene.check(self.code, self.seconds)
            # Else the case would be no case.
            wait_until(lambda: service.replaced, "the reply")
        except Exception:  # the case reports it
            wrong = traceback.format_exc()
        finally:
            scene.close()
        return Outcome(scene.code, wrong, scene.crashed)


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
    service, status, wrong = Fake(world, endpoint, rule), 0, None
    try:
        with Courier(service, program=world.rig.values["courier"],
                     ca=world.ca, deadline=3000,
                     **DRIVES[endpoint]) as courier:
            courier.expect("started")
            got = courier.next()
            status = courier.ended()[0]
            assert got.split(" ")[0] == (
                "done" if verdict == FINE else "trouble"), got
            assert status == 0 and service.replaced
    except Exception:  # the case reports it
        wrong = traceback.format_exc()
    finally:
        service.stop()
    return Outcome("", wrong, status < 0)


DRIVEN = {f"{endpoint}: {name}": (endpoint, verdict, rule)
          for endpoint in DRIVES
          for name, verdict, rule in mutations(API[endpoint])}
