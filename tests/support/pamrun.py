# SPDX-License-Identifier: BSD-2-Clause
"""Runs pam-run with the built module, behind the real Linux-PAM.

The library is the one that plays outcomes (tests/pam/fake_countersign.c)
unless the test brings a configuration of its own.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile

BUILD = os.environ.get("top_builddir", ".")
SOURCE = os.environ.get("top_srcdir", ".")
MODULE = os.path.join(BUILD, "pam/.libs/pam_countersign.so")
FAKE = os.path.join(BUILD, "tests/pam/fake/.libs")
PAM_RUN = os.path.join(BUILD, "tests/support/pam-run")
CALLS = ("begin", "free", "code", "devices", "enrol_begin", "enrol_wait",
         "accept", "replace", "test", "commit", "enrol_free")
USER = "root"  # an account that every host has


def header():
    """The library's interface."""
    path = os.path.join(SOURCE, "lib/countersign.h")
    with open(path, encoding="utf-8") as file:
        return file.read()


def errors():
    """Every outcome of the library."""
    return re.findall(r"^\tX\((\w+), ", header(), re.M)


def verdict(name):
    """The word for GRANTED, REFUSED or NONE."""
    found = re.search(rf"CSIGN_VERDICT_{name} UINT32_C\((\w+)\)", header())
    return int(found.group(1), 0)


class Result:
    """What pam-run wrote down."""

    def __init__(self, process, record):
        self.status = process.returncode
        self.stderr = process.stderr
        self.events = [json.loads(line)
                       for line in process.stdout.splitlines()]
        self.record = record

    def texts(self, kind):
        return [e["text"] for e in self.events if e["event"] == kind]

    def _result(self, call):
        return next(e for e in self.events
                    if e["event"] == "result" and e["call"] == call)

    @property
    def code(self):
        """Of pam_authenticate, by name."""
        return self._result("authenticate")["text"]

    @property
    def milliseconds(self):
        return self._result("authenticate")["ms"]

    @property
    def log(self):
        """The module's one line, without PAM's prefix."""
        lines = [t.split("): ", 1)[1] for t in self.texts("log")
                 if "event=" in t]
        assert len(lines) == 1, lines
        return lines[0]

    def field(self, name):
        """The value of name=value in the log line, or None."""
        found = re.search(rf'(?:^| ){name}=(?:"([^"]*)"|(\S+))', self.log)
        return None if found is None else found.group(1) or found.group(2)

    def sent(self, name):
        """What the question said, or None."""
        for line in self.record:
            if line.startswith(name + "="):
                return line[len(name) + 1:]
        return None

    def seen(self):
        """What the person at the terminal reads, in turn."""
        return [e["text"] for e in self.events
                if e["event"] in ("prompt", "info", "error")]

    def calls(self):
        """What the library was asked to do, by its first words."""
        return [line.split(" ")[0] for line in self.record
                if line.split(" ")[0] in CALLS]

    @property
    def asked(self):
        """How many questions were put."""
        return self.record.count("begin")


class Stack:
    """A folder of service files, and a script for the library."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pamrun-")
        self.script = os.path.join(self.folder, "script")
        self.record = os.path.join(self.folder, "record")
        self.services = os.path.join(self.folder, "pam.d")
        os.mkdir(self.services)
        with open(os.path.join(self.services, "other"), "w",
                  encoding="utf-8") as other:
            other.write("auth required pam_deny.so\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def play(self, *lines):
        """What the library does; a host called web1 unless told."""
        with open(self.script, "w", encoding="utf-8") as script:
            script.write(f"record {self.record}\n")
            script.write("\n".join(lines) + "\nsetting host web1\n")
        return self

    def line(self, control="required", options=""):
        return f"auth {control} {MODULE} config={self.script} {options}"

    def service(self, name, *lines):
        path = os.path.join(self.services, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines or [self.line()]) + "\n")

    def run(self, *options, service="test", user=USER, argv=(), env=None,
            timeout=60, library=FAKE, stderr=subprocess.PIPE):
        """pam-run with the given options; argv is the command line shown."""
        if not os.path.exists(os.path.join(self.services, service)):
            self.service(service)
        if os.path.exists(self.record):
            os.unlink(self.record)
        environment = {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}
        if library:
            environment["LD_LIBRARY_PATH"] = library
        command = [PAM_RUN, "--json", "--log", "--confdir", self.services,
                   "--service", service]
        if user is not None:
            command += ["--user", user]
        command += options
        if argv:
            command += ["--", *argv]
        process = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr,
            encoding="utf-8", timeout=timeout, check=False)
        assert process.returncode in (0, 1, 4), process.stderr
        record = []
        if os.path.exists(self.record):
            with open(self.record, encoding="utf-8") as file:
                record = file.read().splitlines()
        return Result(process, record)
