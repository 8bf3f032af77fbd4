# SPDX-License-Identifier: BSD-2-Clause
"""
A login with another program in the courier's place, and what that does.

    CASES = Table()
    case = CASES.add
    case("hangs up", order("C"), INFO, seconds=1)

A play is a function that is given the Stage once the courier has its job.
"""
import os
import shutil
import socket

import oracle
from attempt import INFO, MAX, Attempt
from puppet import (CREATED_0, ENDED, REJECTED, Job, Puppet, answer, frame)
from service import wait_until
from sources import BUILD

USER, OTHER = "alice", "bob"
LIFETIME, CREATE = 30, 3  # seconds that the library waits


class Stage(Attempt):
    """A host whose courier is not the product's, for one login."""

    def __init__(self, world, name):
        super().__init__(world.rig, f"case{name}")
        self.world = world
        self.courier = self.folder / "courier"
        self.listener = self.job = self.puppet = None

    def configure(self, **settings):
        return super().configure(**{
            "courier": self.courier, "audit_syslog": "no", **settings})

    def set_puppet(self):
        shutil.copy(BUILD / "tests/attack/puppet", self.courier)
        self.courier.chmod(0o755)
        self.listen(self.folder)

    def listen(self, folder):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(folder / "control"))
        os.chmod(folder / "control", 0o666)
        self.listener.listen(4)
        self.listener.settimeout(10)

    def start(self, line, user=USER, before=(), options=()):
        super().start(line, user, before, options)

    def meet(self):
        """The courier has been started, and has read its job."""
        self.puppet = Puppet(self.listener.accept()[0])
        self.job = Job(self.puppet.heard())

    def begin(self, user=USER, **settings):
        """All that, up to the question."""
        line = self.configure(**settings)
        self.set_puppet()
        self.start(line, user)
        self.meet()
        self.say(CREATED_0)

    def close(self):
        super().close()
        if self.puppet:
            self.puppet.control.close()
        if self.listener:
            self.listener.close()

    # What plays do.

    def say(self, *packets):
        for packet in packets:
            self.puppet.order("S", packet)

    @property
    def link(self):
        return oracle.Link.from_text(self.login.link())

    def question(self):
        return oracle.Question(self.link, self.job.content)

    def genuine(self):
        """The sealed answer of the account's own phone."""
        return self.world.phone.key.approve(self.link, self.job.content)

    def sealed(self, plain):
        """That the terminal's onlooker could seal, too."""
        return self.link.seal_answer(plain)

    def refused(self, sealed, reason, tries=7):
        """Given to the library, it is told that it was nothing."""
        self.say(answer(sealed))
        said = self.puppet.outcome()
        assert said == (REJECTED, reason, tries), said


class Case:
    def __init__(self, play, code, seconds=LIFETIME, killed=False, before=(),
                 options=(), file=None, **settings):
        """
        file: puts something else in the courier's place, and there is no play.
        killed: it does not end by itself, whatever signals it ignores.
        before, options: as Attempt.start() has them.
        """
        self.play, self.file, self.code = play, file, code
        self.killed, self.seconds = killed, seconds
        self.start = {"before": before, "options": options}
        self.settings = settings

    def run(self, stage):
        line = stage.configure(**self.settings)
        if self.file:
            self.file(stage)
        else:
            stage.set_puppet()
        stage.start(line, **self.start)
        if not self.file:
            stage.meet()
            if self.killed:
                stage.puppet.order("I")
            self.play(stage)
        stage.end()
        stage.check(self.code, self.seconds, denied=self.code == MAX)
        if self.killed:
            wait_until(stage.puppet.gone, "the courier's end")
        stage.world.log_in()


class Table(dict):
    """{name: Case}"""

    def add(self, name, play, code=INFO, **keywords):
        assert name not in self, name
        self[name] = Case(play, code, **keywords)

    def join(self, other):
        assert not self.keys() & other.keys()
        self.update(other)


# --- what plays are made of --------------------------------------------------

def order(what, data=b""):
    return lambda s: s.puppet.order(what, data)


def says(*packets):
    return lambda s: s.say(*packets)


def later(*plays):
    """After the question was created and shown."""
    def play(stage):
        stage.say(CREATED_0)
        assert stage.link
        for one in plays:
            one(stage)
    return play


def quiet(_stage):
    pass


ENDS = says(frame(ENDED, b"\1"))  # so that a case need not wait
