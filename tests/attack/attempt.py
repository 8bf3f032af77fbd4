# SPDX-License-Identifier: BSD-2-Clause
"""
One attempt to log in, at a host of the rig's that has a configuration and an
audit file of its own; and what is right about every one of them.

A program in the place of the product's, or a service that lies, is what the
attack tests put there: see courier_case.py and service_scene.py.
"""
import signal
from collections import namedtuple

import private
from rig import PAM_RUN, Login, built, config_text

OK, INFO, AUTH, MAX = ("PAM_SUCCESS", "PAM_AUTHINFO_UNAVAIL", "PAM_AUTH_ERR",
                       "PAM_MAXTRIES")
SLACK = 3  # seconds that a machine with much to do may take longer


class Attempt:
    def __init__(self, rig, name):
        self.rig, self.name = rig, name.lower()  # as PAM has it
        self.folder = rig.folder / self.name
        self.folder.mkdir(mode=0o755)
        self.audit = self.folder / "audit"
        self.login = None
        self.code = ""  # of PAM, in the end

    def configure(self, **settings):
        """Settings of the rig's, and these; the module's line."""
        conf = self.folder / "conf"
        conf.touch(0o644)
        conf.write_text(config_text({
            **self.rig.values, "audit_file": self.audit, **settings}))
        return f"required {built('pam/pam_countersign.so')} config={conf}"

    def start(self, line, user, before=(), options=()):
        """before: a command that starts it; options: of pam-run."""
        self.login = Login([
            *before, PAM_RUN, "--confdir", self.rig.confdir(self.name, line),
            "--service", self.name, "--user", user, "--json", "--hygiene",
            "--tty", "pts/0", *options])

    def end(self):
        """The PAM code."""
        self.code = self.login.end()
        return self.code

    @property
    def seconds(self):
        """That it took."""
        return [event["ms"] for event in self.login.events
                if event["event"] == "result"][0] / 1000

    def records(self):
        return self.audit.read_text() if self.audit.exists() else ""

    def check(self, code, seconds, denied=False):
        """
        It came to this, in that time, left the process as it was, and nothing
        else is recorded; denied: a denial may be.
        """
        events = self.login.events
        assert self.code == code, (self.code, events)
        assert self.seconds < seconds + SLACK, (self.seconds, events)
        hygiene = [e["text"] for e in events if e["event"] == "hygiene"]
        assert hygiene == ["same"], hygiene
        records = self.records()
        assert ('"result":"granted"' in records) == (code == OK), records
        assert denied or '"result":"denied"' not in records, records
        assert "\x1b" not in self.login.text

    def close(self):
        if self.login:
            self.login.close()

    @property
    def crashed(self):
        """After close(): a signal ended it that was not ours."""
        return self.login is not None and \
            self.login.process.returncode not in (0, 1, -signal.SIGKILL)


# The PAM code or "", what is wrong or None, and whether a program crashed.
Outcome = namedtuple("Outcome", "code wrong crashed")


def count(figures, found, codes):
    """found: {name: Outcome}; codes: {name: the right one}, if it has one."""
    for name, one in found.items():
        granted = one.code == OK != codes.get(name, one.code)
        figures.grants += granted
        figures.crashes += one.crashed
        figures.wrong += one.wrong is not None and not granted and \
            not one.crashed
    figures.cases += len(found)


def couriers():
    """The real ones that run."""
    return [pid for pid, line in private.processes().items()
            if line == "courier"]
