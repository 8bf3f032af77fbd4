# SPDX-License-Identifier: BSD-2-Clause
"""What countersign.socket does for users, and users; in a private machine."""
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import private
from screen import link_in

SOCKET = Path("/run/countersign/agent.sock")


class Agent:
    """Accepts, and starts an agent for each connection, like inetd(8)."""

    def __init__(self, rig):
        self.rig, self.running = rig, []
        self.first = None  # what the next agents' processes do first
        SOCKET.parent.mkdir(mode=0o755, exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(SOCKET))
        SOCKET.chmod(0o666)
        self.socket.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            with connection:
                self.running.append(subprocess.Popen(
                    [self.rig.program("countersign"), "agent", "--config",
                     self.rig.conf], env=self.rig._environment(),
                    stdin=connection, preexec_fn=self.first))

    def idle(self):
        """Has every agent ended?"""
        return all(one.poll() is not None for one in self.running)

    def close(self):
        SOCKET.unlink()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for one in self.running:
            one.kill()
            one.wait()


def uid_of(user):
    return user if isinstance(user, int) else private.ACCOUNTS[user]


def as_user(user):
    """Keywords for subprocess: this account and nothing more."""
    uid = uid_of(user)
    groups = [gid for gid, members in private.GROUPS.values()
              if user in members]
    return {"user": uid, "group": uid, "extra_groups": groups,
            "start_new_session": True}


def connect_as(user):
    """A socket to the agent that this account has connected."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(uid_of(user))
        os.setuid(uid_of(user))
        with socket.socket(socket.AF_UNIX) as to:
            to.connect(str(SOCKET))
            socket.send_fds(theirs, [b"x"], [to.fileno()])
        os._exit(0)
    theirs.close()
    with ours:
        fd = socket.recv_fds(ours, 1, 1)[1][0]
    os.waitpid(child, 0)
    return socket.socket(fileno=fd)


class Call:
    """A countersign command, running; what it prints is read as it comes."""

    def __init__(self, rig, user, command, *arguments, config=None, **popen):
        self.printed = {"out": "", "err": ""}
        self.changed = threading.Condition()
        who = as_user(user) if user else {"start_new_session": True}
        if not user:
            config = rig.conf
        self.process = subprocess.Popen(
            [rig.program("countersign"), command,
             *(["--config", config] if config else []), *arguments],
            **{"env": rig._environment(), "stdin": subprocess.DEVNULL,
               "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               **who, **popen})
        self.readers = [
            threading.Thread(target=self._read, args=(name, stream))
            for name, stream in (("out", self.process.stdout),
                                 ("err", self.process.stderr)) if stream]
        for reader in self.readers:
            reader.start()

    def _read(self, name, stream):
        with stream:
            while True:
                text = os.read(stream.fileno(), 65536).decode()
                with self.changed:
                    if not text:
                        self.printed[name] += "\0"
                        self.changed.notify_all()
                        return
                    self.printed[name] += text
                    self.changed.notify_all()

    @property
    def out(self):
        return self.printed["out"].replace("\0", "")

    @property
    def err(self):
        return self.printed["err"].replace("\0", "")

    def link(self, old=None):
        """The link that it shows, behind the old one."""
        def find(text):
            found = link_in(text.split(old)[-1] if old and old in text
                            else text)
            return None if found == old else found

        return self._find(find)

    def wait_for(self, pattern):
        """The match of a compiled pattern, once it is there."""
        return self._find(pattern.search)

    def _find(self, find, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            with self.changed:
                for text in self.printed.values():
                    found = find(text)
                    if found:
                        return found
                over = all(self.printed[name].endswith("\0")
                           for name in ("out", "err"))
                assert not over and time.monotonic() < deadline, self.printed
                self.changed.wait(1)

    def interrupt(self, signo=signal.SIGINT):
        self.process.send_signal(signo)

    def end(self):
        """Exit status, standard output, standard error."""
        self.process.wait(60)
        for reader in self.readers:
            reader.join(60)
        return self.process.returncode, self.out, self.err
