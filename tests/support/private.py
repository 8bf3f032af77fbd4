# SPDX-License-Identifier: BSD-2-Clause
"""A machine of its own for one test process.

enter() moves this process, and all that it starts, into private mount,
network and host name spaces: /etc is a copy with accounts for the tests, /run
and the log folders are empty, /dev has a log socket that is read here, and the
loopback interface is nobody else's.  Nothing of the live system is written,
and what is left is gone with the last process.
"""
import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

NEWNS, NEWUTS, NEWNET = 0x20000, 0x04000000, 0x40000000
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 0x1000, 0x2000, 0x4000, 0x40000

HOST = "web1.example.com"
HOME = Path("/run/home")
ACCOUNTS = {"alice": 2001, "bob": 2002, "eve": 2003, "carol": 2004,
            "dora": 2005, "fay": 2006, "gus": 2007, "client": 2009}
GROUPS = {"operators": (2101, ["alice", "bob"]), "robots": (2102, ["eve"])}

libc = ctypes.CDLL(None, use_errno=True)
_log = None


def _check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def mount(source, target, kind=None, flags=0, data=None):
    encode = [None if text is None else str(text).encode()
              for text in (source, target, kind)]
    _check(libc.mount(*encode, ctypes.c_ulong(flags),
                      data.encode() if data else None), f"mount {target}")


def bind(source, target):
    mount(source, target, flags=MS_BIND | MS_REC)


def tmpfs(target, mode="0755"):
    mount("tmpfs", target, "tmpfs", 0, f"mode={mode}")


def only_root_above(path):
    """
    Covers each folder above path that others may write by one that only root
    may.  What is in it stays: the way to path as it is, all else as links.
    """
    for folder in reversed(path.parents):
        if not folder.exists():
            break
        status = folder.stat()
        if status.st_uid == 0 and not status.st_mode & 0o022:
            continue
        under = Path(tempfile.mkdtemp(prefix="under-", dir="/run"))
        bind(folder, under)
        tmpfs(folder)
        for entry in under.iterdir():
            cover = folder / entry.name
            if path.is_relative_to(cover):
                cover.mkdir()
                bind(entry, cover)
            else:
                cover.symlink_to(entry)


def require_root():
    if os.geteuid() != 0:
        pytest.skip("this needs root")


class Log:
    """What programs sent to syslog."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        self.lines = []
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            line = self.socket.recv(65536).decode(errors="replace")
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def wait(self, text, seconds=10, since=0):
        """The first line that has this text, now or soon."""
        def find():
            return next((line for line in self.lines[since:]
                         if text in line), None)
        with self.changed:
            self.changed.wait_for(find, seconds)
            return find()


def _devices():
    """A /dev of our own: the same nodes, and a place for the log socket."""
    Path("/run/dev").mkdir()
    tmpfs("/run/dev")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        Path("/run/dev", name).touch()
        bind(f"/dev/{name}", f"/run/dev/{name}")
    for name in ("pts", "shm"):
        Path("/run/dev", name).mkdir()
    mount("devpts", "/run/dev/pts", "devpts",
          data="newinstance,ptmxmode=0666,mode=0620,gid=5")
    tmpfs("/run/dev/shm", "1777")
    for name, to in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"),
                     ("stdin", "/proc/self/fd/0"),
                     ("stdout", "/proc/self/fd/1"),
                     ("stderr", "/proc/self/fd/2")):
        Path("/run/dev", name).symlink_to(to)
    mount("/run/dev", "/dev", flags=MS_MOVE)


def _etc():
    shutil.copytree("/etc", "/run/etc", symlinks=True,
                    ignore_dangling_symlinks=True)
    # Modes are kept, owners are not: everything is root's, secrets too.
    bind("/run/etc", "/etc")
    etc = Path("/etc")
    passwd, shadow, group = [], [], []
    for name, uid in ACCOUNTS.items():
        home = HOME / name
        home.mkdir(parents=True)
        os.chown(home, uid, uid)
        passwd.append(f"{name}:x:{uid}:{uid}:{name}:{home}:/bin/sh\n")
        shadow.append(f"{name}:*:20000:0:99999:7:::\n")
        group.append(f"{name}:x:{uid}:\n")
    for name, (gid, members) in GROUPS.items():
        group.append(f"{name}:x:{gid}:{','.join(members)}\n")
    for name, lines in (("passwd", passwd), ("shadow", shadow),
                        ("group", group)):
        with open(etc / name, "a", encoding="ascii") as file:
            file.writelines(lines)
    (etc / "hostname").write_text(HOST + "\n")
    (etc / "hosts").write_text(f"127.0.0.1 localhost\n127.0.0.2 {HOST}\n")
    (etc / "nsswitch.conf").write_text(
        "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
    (etc / "environment").write_text("")


def processes():
    """Other processes of this machine: {pid: command line}."""
    ours = os.readlink("/proc/self/ns/mnt")
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            if os.readlink(f"/proc/{name}/ns/mnt") == ours:
                line = Path(f"/proc/{name}/cmdline").read_bytes()
                found[int(name)] = line.replace(b"\0", b" ").decode(
                    errors="replace").strip()
        except OSError:
            pass
    return found


def zombies():
    """
    Those that have ended and that their parent, one of the processes(), has
    not waited for.  They have no name space any more; it has.
    """
    parents, found = processes(), set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if state == "Z" and int(parent) in parents:
            found.add(int(pid))
    return found


def left_zombies(before=frozenset()):
    """Those that stay: a parent has a moment to wait for what has ended."""
    end = time.monotonic() + 5
    while (left := zombies() - before) and time.monotonic() < end:
        time.sleep(0.01)
    return left


def _end():
    for pid in processes():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def enter():
    """Once in a process; returns the Log."""
    global _log
    if _log is not None:
        return _log
    require_root()
    if libc.unshare(NEWNS | NEWUTS | NEWNET) != 0:
        pytest.skip("name spaces cannot be made here")
    atexit.register(_end)
    mount(None, "/", flags=MS_REC | MS_PRIVATE)
    socket.sethostname(HOST)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    tmpfs("/run")
    for folder in ("/var/log", "/var/lib/sudo", "/var/cache/ldconfig"):
        if os.path.isdir(folder):
            tmpfs(folder)
    _etc()
    _devices()
    _log = Log()
    return _log
