# SPDX-License-Identifier: BSD-2-Clause
"""Real log daemons in a private machine: rsyslogd, systemd-journald."""
import json
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from private import bind
from service import wait_until
from sources import tool

LOG = Path("/dev/log")
# Debian's rules for these lines, and one that takes a line apart.
RSYSLOG_CONF = """
module(load="imuxsock")
global(workDirectory="{folder}")
$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat
template(name="parts" type="list" option.jsonf="on") {{
    property(outname="facility" name="syslogfacility-text" format="jsonf")
    property(outname="severity" name="syslogseverity-text" format="jsonf")
    property(outname="tag" name="syslogtag" format="jsonf")
    property(outname="message" name="msg" format="jsonf")
}}
auth,authpriv.* {folder}/auth.log
*.* action(type="omfile" file="{folder}/parts" template="parts")
"""
JOURNALD_CONF = """
[Journal]
Storage=volatile
RuntimeMaxUse=16M
ReadKMsg=no
Audit=no
"""


def send(address, text):
    """False: the daemon's queue is full."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.setblocking(False)
        try:
            one.sendto(text.encode(), str(address))
        except BlockingIOError:
            return False
    return True


class Daemon:
    """A log daemon that is started, stopped, killed and started again."""

    address = LOG

    def __init__(self):
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.listens, "the log's socket")

    def listens(self):
        try:
            return send(self.address, "<14>test: is anybody there?")
        except OSError:
            return False

    def kill(self):
        """Its socket stays behind, and nobody reads it."""
        self.process.kill()
        self.process.wait()

    def freeze(self):
        """It looks at nothing any more; what comes, waits in its queue."""
        self.process.send_signal(signal.SIGSTOP)
        self.fill()

    def fill(self):
        while send(self.address, "<14>test: filler"):
            pass

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        wait_until(lambda: send(self.address, "<14>test: done"), "a place")

    def close(self):
        if self.process is not None:
            self.kill()
        self.address.unlink(missing_ok=True)


class Rsyslog(Daemon):
    """Each message: facility, severity, tag, message; and Debian's file."""

    def __init__(self, folder):
        super().__init__()
        self.program = tool("/usr/sbin/rsyslogd")
        self.folder = folder
        folder.mkdir()
        self.auth_log = folder / "auth.log"
        (folder / "conf").write_text(RSYSLOG_CONF.format(folder=folder))

    def command(self):
        return [self.program, "-n", "-f", self.folder / "conf", "-i",
                self.folder / "pid"]

    def messages(self):
        file = self.folder / "parts"
        text = file.read_text() if file.exists() else ""
        # The last may be only half written.
        found = [json.loads(line) for line in text.split("\n")[:-1]]
        for one in found:
            one["message"] = one["message"].removeprefix(" ")
        return found

    def close(self):
        super().close()
        shutil.rmtree(self.folder)


class Journal(Daemon):
    """journald, and what journalctl says of its journal."""

    address = Path("/run/systemd/journal/dev-log")
    folder = Path("/run/log/journal")

    def __init__(self, more=""):
        super().__init__()
        self.program = tool("/lib/systemd/systemd-journald")
        self.journalctl = tool("/usr/bin/journalctl")
        # /run and /etc are this machine's own; so is their journal.
        self.address.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(parents=True)
        Path("/etc/systemd").mkdir(exist_ok=True)
        conf = Path("/etc/systemd/journald.conf.d")
        shutil.rmtree(conf, ignore_errors=True)
        conf.mkdir()
        (conf / "test.conf").write_text(JOURNALD_CONF + more)
        # As systemd has it.
        LOG.unlink(missing_ok=True)
        LOG.symlink_to(self.address)

    def command(self):
        return [self.program]

    def read(self, *arguments):
        return subprocess.run(
            [self.journalctl, f"--directory={self.folder}", "--quiet",
             *arguments], text=True, stdout=subprocess.PIPE, check=True,
            timeout=60).stdout

    def messages(self):
        """Whoever wrote them, and with the journal's own fields."""
        text = self.read("--output=json", "--all")
        return [{"facility": one.get("SYSLOG_FACILITY"),
                 "severity": one["PRIORITY"],
                 "tag": one.get("SYSLOG_IDENTIFIER", ""),
                 "message": one["MESSAGE"], **one}
                for one in map(json.loads, text.splitlines())]

    def close(self):
        super().close()
        LOG.unlink(missing_ok=True)
        shutil.rmtree(self.folder)


def of_unit(pid, unit):
    """
    journald counts what each of systemd's units writes: this process is of
    one from now on, for who asks in this machine.
    """
    own = Path(f"/run/cgroup-{pid}")
    own.write_text(f"1:name=systemd:/system.slice/{unit}\n"
                   f"0::/system.slice/{unit}\n")
    bind(own, f"/proc/{pid}/cgroup")
