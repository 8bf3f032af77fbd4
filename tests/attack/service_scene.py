# SPDX-License-Identifier: BSD-2-Clause
"""
A login at a service that is played, and lies in what a case says.  The phone
is genuine.
"""
import collections

import couriers
import oracle
from attempt import Attempt
from couriers import reply
from host_api import API, Reply

USER, OTHER = "alice", "bob"
LIFETIME = 30  # seconds that a question lives


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


class Scene(Attempt):
    """One login at a service of its own, which ends with it."""

    # A courier tells the service how it ended after the login has: nobody else
    # may have the port then, which these keep.
    ended = collections.deque(maxlen=500)

    def __init__(self, world, name, service):
        super().__init__(world.rig, name)
        self.world, self.service = world, service

    def start(self, user=USER, words="", options=(), **settings):
        """words: more of the module's line."""
        line = self.configure(**{
            "service": self.service.url,
            "page_url": self.world.rig.service.url,
            "ca_file": self.world.ca, **settings})
        super().start(f"{line} {words}".strip(), user, options=options)

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

    def close(self):
        super().close()
        self.service.stop()
        self.ended.append(self.service)


# --- what a login does -------------------------------------------------------

def approve(scene):
    scene.start()
    if scene.link():
        scene.answer(scene.genuine())


def over(scene):
    """So that nobody waits for the end of the lifetime."""
    scene.service.happen("cancelled", state="failed")
