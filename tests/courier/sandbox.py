# SPDX-License-Identifier: BSD-2-Clause
"""
The courier's sandbox, from both sides: what a courier that was taken over may
still do, tried from inside (tests/support/captive-courier), and what the
kernel says about a real one, from outside (countersign-security(7) SYS-6).
"""
import ctypes
import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import couriers
from couriers import DEADLINE, Courier, Service

CAPTIVE = os.path.join(couriers.TOP, "tests/support/captive-courier")
KILLED = -signal.SIGSYS
ROOT = os.geteuid() == 0
NAMED = "https://approve.example.org:4443"

libc = ctypes.CDLL(None, use_errno=True)
LANDLOCK = max(0, libc.syscall(444, None, ctypes.c_size_t(0), 1))

pytestmark = pytest.mark.skipif(
    "#define CSIGN_SANITIZED 1" in Path(couriers.TOP, "config.h").read_text(),
    reason="sanitizers and a whole sandbox exclude each other")

needs_files = pytest.mark.skipif(LANDLOCK < 1, reason="no Landlock here")
needs_ports = pytest.mark.skipif(
    LANDLOCK < 4, reason="this Landlock knows no ports")
needs_root = pytest.mark.skipif(not ROOT, reason="this needs root")


@pytest.fixture(scope="module", name="captive")
def fixture_captive():
    """The taken-over courier, where the leash takes it from."""
    return shutil.copy(CAPTIVE, os.path.dirname(couriers.COURIER))


def attempt(captive, what, service="https://127.0.0.1:9", **job):
    """
    What came of it: KILLED, a negative errno's name, or "done".
    """
    with Courier(service, program=captive, subject=what, **job) as courier:
        courier.expect("started")
        line = courier.next()
        if line.startswith("gone"):
            return courier.ended()[0]
        words = line.split(" ")
        assert words[:2] == ["trouble", "10"], line
        courier.ended()
        if words[2] == "errno":
            return errno.errorcode[int(words[3])]
        assert words[2] == "done", line
        return "done"


# --- from inside: what ends it ----------------------------------------------

@pytest.mark.parametrize("what", [
    # other processes
    "fork", "vfork", "clone-process", "clone-user-space", "execve", "execveat",
    "ptrace {pid}", "ptrace-me", "vm-read {pid}", "vm-write {pid}",
    "kill {pid}", "tgkill {pid}", "sigqueue {pid}", "pidfd-open {pid}",
    "pidfd-signal", "pidfd-getfd", "fcntl-owner {pid}", "setpriority", "sched",
    # files
    "empty {file}", "mkdirat", "mknodat", "linkat", "symlinkat", "renameat2",
    "unlinkat", "truncate", "fchmodat", "fchownat", "utimensat", "xattr",
    "chdir", "chroot", "name-to-handle", "open-by-handle",
    # the network
    "listen", "accept", "raw", "mptcp", "connect-fast {port}",
    "option", "sockets-pair",
    # the system
    "mount", "pivot-root", "unshare-user", "unshare-net", "setns", "swapon",
    "reboot", "init-module", "quotactl", "personality", "tiocsti",
    "tiocgwinsz",
    # the kernel's richer interfaces
    "io-uring", "bpf", "perf", "keyctl", "add-key", "request-key",
    "userfaultfd", "memfd", "shmget", "semget",
    # the sandbox itself
    "seccomp", "landlock", "prctl-dumpable", "prctl-tracer",
    "prctl-subreaper", "capset", "setresuid", "setsid", "umask", "limit",
    "setitimer", "timer",
    # the same calls by other numbers
    "foreign-call", "foreign-number",
])
def test_killed(captive, what, folder):
    file = Path(folder, "text")
    file.write_text("text")
    what = what.format(pid=os.getpid(), file=file, port=9)
    assert attempt(captive, what) == KILLED


# --- from inside: what is refused -------------------------------------------

@pytest.fixture(scope="module", name="files")
def fixture_files(folder):
    """Files that everybody may read and write, as far as modes say it."""
    path = Path(folder, "open")
    path.mkdir()
    path.chmod(0o777)
    (path / "file").write_text("text")
    (path / "file").chmod(0o666)
    return path


@pytest.mark.parametrize("what", [
    "write {files}/file", "change {files}/file", "create {files}/new",
    "write /dev/null", "change /dev/null"])
def test_nothing_is_opened_for_writing(captive, files, what):
    assert attempt(captive, what.format(files=files)) == "EACCES"
    assert not (files / "new").exists()


@needs_files
@pytest.mark.parametrize("what", [
    "read {files}/file", "list {files}", "list /", "list /etc", "list /tmp",
    "read /etc/passwd", "read /etc/group", "list /proc", "list /dev",
    "read /proc/self/environ", "read /proc/self/maps", "read /proc/1/status",
    "read /proc/version", "read /sys/kernel/uevent_seqnum",
    "read /dev/urandom"])
@pytest.mark.parametrize("service", ["https://127.0.0.1:9", NAMED])
def test_nothing_else_is_read(captive, files, what, service):
    assert attempt(captive, what.format(files=files), service) == "EACCES"


@needs_files
def test_what_is_needed_is_read(captive, files):
    """The same calls get somewhere: a library, the authorities, a ca_file."""
    for what in ("read /usr/bin/env", "list /usr/lib", "list /etc/ssl/certs"):
        assert attempt(captive, what) == "done"
    file = f"{files}/file"
    assert attempt(captive, f"read {file}", ca=file) == "done"
    (files / "other").write_text("text")
    assert attempt(captive, f"read {files}/other", ca=file) == "EACCES"


@needs_files
def test_names_are_read_for_names_alone(captive):
    for file in ("/etc/hosts", "/etc/nsswitch.conf"):
        if os.path.exists(file):
            assert attempt(captive, f"read {file}", NAMED) == "done"
            assert attempt(captive, f"read {file}") == "EACCES"


@needs_files
@needs_root
def test_what_root_alone_may_read(captive):
    assert attempt(captive, "read /etc/shadow", NAMED) == "EACCES"


@pytest.fixture(name="listener")
def fixture_listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@needs_ports
def test_connects_to_its_port_alone(captive, listener):
    port = listener.getsockname()[1]
    here = f"https://127.0.0.1:{port}"
    assert attempt(captive, f"connect {port}", here) == "done"
    assert attempt(captive, f"connect {port}") == "EACCES"
    assert attempt(captive, f"connect {port}", NAMED) == "EACCES"
    # The service's own port is nothing to a courier that has a proxy.
    assert attempt(captive, f"connect {port}", here,
                   proxy="http://127.0.0.1:8") == "EACCES"
    assert attempt(captive, f"connect {port}",
                   proxy=f"http://127.0.0.1:{port}") == "done"


@needs_ports
def test_name_servers_for_names_alone(captive):
    """Nobody has to be there: a refusal by the port's owner is another."""
    assert attempt(captive, "connect 53", NAMED) in ("ECONNREFUSED", "done")
    assert attempt(captive, "connect 53") == "EACCES"
    assert attempt(captive, "connect 53",
                   proxy="http://127.0.0.1:8") == "EACCES"
    assert attempt(captive, "connect 53", proxy="http://proxy.example.org:8"
                   ) in ("ECONNREFUSED", "done")


UNIX, INET, NETLINK, INET6, PACKET, ALG, VSOCK = 1, 2, 16, 10, 17, 38, 40


@pytest.mark.parametrize("family,numbers,names,local", [
    (INET, "done", "done", "EACCES"),
    (INET6, "done", "done", "EACCES"),
    (UNIX, "EACCES", "EACCES", "done"),
])
def test_families(captive, family, numbers, names, local):
    what = f"stream {family}"
    assert attempt(captive, what) == numbers
    assert attempt(captive, what, NAMED) == names
    assert attempt(captive, what, "http://localhost",
                   socket="/nonexistent") == local


def test_a_family_in_disguise(captive):
    """The kernel would see the lower half of the register: AF_UNIX."""
    for service in ("https://127.0.0.1:9", NAMED):
        assert attempt(captive, "unix-in-disguise", service) == "EACCES"


@pytest.mark.parametrize("family", [NETLINK, PACKET, ALG, VSOCK])
def test_other_families(captive, family):
    assert attempt(captive, f"stream {family}") == "EACCES"
    assert attempt(captive, f"datagram {family}", NAMED) == "EACCES"


@pytest.mark.parametrize("family", [INET, INET6])
def test_datagrams_for_names_alone(captive, family):
    assert attempt(captive, f"datagram {family}", NAMED) == "done"
    assert attempt(captive, f"datagram {family}") == "EACCES"
    assert attempt(captive, f"datagram {family}",
                   "https://localhost:9") == "EACCES"
    assert attempt(captive, f"datagram {family}",
                   "https://[::1]:9") == "EACCES"


@pytest.mark.parametrize("what", [
    "attach-filter", "bind-device", "change-protocol", "connect-later"])
def test_socket_options(captive, what):
    assert attempt(captive, what) == "EPERM"


@pytest.mark.parametrize("what,result", [
    ("bind", "EACCES"), ("clone3", "ENOSYS"), ("inotify", "ENOSYS"),
    ("openat2 /etc/passwd", "ENOSYS"), ("tomorrow", "ENOSYS"),
    ("many-descriptors", "EMFILE"), ("much-memory", "ENOMEM")])
def test_absent_or_limited(captive, what, result):
    assert attempt(captive, what) == result


@pytest.mark.parametrize("what", ["map-both", "write-and-execute"])
def test_no_new_code(captive, what):
    assert attempt(captive, what) == "EACCES"


@pytest.mark.parametrize("what", [
    "thread", "fcntl-flags", "fionread", "getcwd", "prctl-name",
    "bounding-set", "limit-asked"])
def test_what_it_lives_by(captive, what):
    assert attempt(captive, what) == "done"


def test_it_may_abort(captive):
    """A library's assertion ends it as it should, not as an attack."""
    assert attempt(captive, "abort") == -signal.SIGABRT


def test_it_does_not_outlive_its_alarm(captive):
    """One that ignores every signal is there until then, and not longer."""
    with Courier("https://127.0.0.1:9", program=captive, subject="stay",
                 life=1000) as courier:
        courier.expect("started")
        began = time.monotonic()
        courier.expect("gone")
        # The leash adds 6 seconds to a life, the sandbox 2 more.
        assert 6 < time.monotonic() - began < 12
        assert courier.ended()[0] == -signal.SIGKILL


# --- what the other end sees ------------------------------------------------

def kernel_tells_ends():
    """pidfds tell how a process that is not a child ended since 6.15."""
    major, minor = re.match(r"(\d+)\.(\d+)", os.uname().release).groups()
    return (int(major), int(minor)) >= (6, 15)


@pytest.mark.parametrize("what,words", [
    ("fork", "was stopped by its sandbox"),
    ("abort", "was ended by a signal")])
def test_an_end_is_not_mute(captive, folder, monkeypatch, what, words):
    """An init that collects what it inherits, as every real one does."""
    init = Path(folder, "init")
    init.write_text(f'''#!{sys.executable}
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
drive = {couriers.DRIVE!r}
os.spawnv(os.P_NOWAIT, drive, [drive, *sys.argv[1:]])
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
''')
    init.chmod(0o755)
    monkeypatch.setattr(couriers, "DRIVE", str(init))
    # What is promised is no more than a look of 50 ms: what this init did not
    # get the processor for by then is told without a reason.
    for _ in range(5):
        with Courier("https://127.0.0.1:9", program=captive, subject=what,
                     orphan="yes") as courier:
            courier.expect("started")
            line = courier.expect("gone the courier ")
        if words in line or not kernel_tells_ends():
            break
    else:
        raise AssertionError(line)


def test_no_sandbox_no_courier():
    """
    Where seccomp filters cannot be had, it says so and does nothing: here,
    because a filter of ours answers for the kernel.
    """
    program = f"""
import ctypes, os, socket
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
pid = os.fork()
if pid == 0:
    os.dup2(theirs.fileno(), 3)
    if os.geteuid() == 0:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    libc = ctypes.CDLL(None, use_errno=True)
    # seccomp(2), or prctl(2) with PR_SET_SECCOMP: EINVAL; all else: allowed
    def step(code, k, true=0, false=0):
        return code | true << 16 | false << 24 | k << 32
    code = (ctypes.c_uint64 * 7)(
        step(0x20, 0), step(0x15, 317, 4), step(0x15, 157, 0, 2),
        step(0x20, 16), step(0x15, 22, 1),
        step(0x06, 0x7fff0000), step(0x06, 0x00050000 | 22))
    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("code", ctypes.c_void_p)]
    libc.prctl(38, 1, 0, 0, 0)
    assert libc.prctl(22, 2, ctypes.byref(
        Program(7, ctypes.addressof(code)))) == 0
    os.execve({couriers.COURIER!r}, ["courier"], {{}})
theirs.close()
print(ours.recv(2000))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    if os.uname().machine != "x86_64":
        pytest.skip("numbers of x86-64")
    done = subprocess.run([sys.executable, "-c", program],
                          capture_output=True, text=True, check=False,
                          timeout=DEADLINE)
    assert "seccomp filter" in done.stdout, done
    assert done.stdout.splitlines()[-1] == "1"


# --- from outside -----------------------------------------------------------

def fields(path):
    return dict(line.split(":", 1) for line in
                Path(path).read_text().splitlines() if ":" in line)


def status(pid):
    return {name: value.strip() for name, value in
            fields(f"/proc/{pid}/status").items()}


def limits(pid):
    found = {}
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]:
        name, soft, hard = re.split(r"  +", line)[:3]
        found[name] = (soft, hard)
    return found


FILTERS = int(status("self").get("Seccomp_filters", 0))


def check_confined(pid, filters):
    seen = status(pid)
    assert seen["Seccomp"] == "2"
    assert int(seen.get("Seccomp_filters", filters)) == filters
    assert seen["NoNewPrivs"] == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(seen[name], 16) == 0, name
    assert 0 not in [int(uid) for uid in seen["Uid"].split()]


def test_a_real_one_that_waits(good, authority):
    with Service(good[0]) as service, Courier(
            service, ca=authority.file) as courier:
        courier.expect("started", "created")
        pid = courier.pid()
        check_confined(pid, FILTERS + 2)
        seen, limited = status(pid), limits(pid)
        expected = {"Max core file size": "0", "Max file size": "0",
                    "Max open files": "32", "Max cpu time": "10",
                    "Max address space": str(256 << 20)}
        if ROOT:
            expected["Max processes"] = "4096"
            assert int(seen["CapBnd"], 16) == 0
            assert seen["Groups"] == ""
            # What is not dumpable belongs to root.
            assert os.stat(f"/proc/{pid}/fd").st_uid == 0
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0
        for name, value in expected.items():
            assert limited[name] == (value, value), name
        assert Path(f"/proc/{pid}/environ").read_bytes() == b"" or not ROOT
        # The resolver's thread is gone: no name was asked for.
        assert len(os.listdir(f"/proc/{pid}/task")) == 1


def test_confined_before_it_reads():
    """Without a job it waits, with the first half of the sandbox around it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def become():
        os.dup2(theirs.fileno(), 3)
        if ROOT:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)

    with ours, theirs, subprocess.Popen(
            [couriers.COURIER], env={}, cwd="/", close_fds=False,
            stdin=subprocess.DEVNULL, preexec_fn=become) as process:
        try:
            until = time.monotonic() + DEADLINE
            while status(process.pid)["Seccomp"] != "2":
                assert time.monotonic() < until, "it waits without a sandbox"
                assert process.poll() is None
                time.sleep(0.01)
            check_confined(process.pid, FILTERS + 1)
        finally:
            process.kill()


def test_order_of_things(good, authority, folder, monkeypatch):
    """As the kernel saw it: sandbox, job, the rest of it, network."""
    strace = shutil.which("strace")
    if strace is None:
        assert not os.environ.get("CI"), "strace is missing"
        pytest.skip("strace is missing")
    trace = os.path.join(folder, "trace")
    with Service(good[0]) as service:
        drive = Path(folder, "drive")
        drive.write_text("#!/bin/sh\nexec "
                         f'{strace} -f -o {trace} {couriers.DRIVE} "$@"\n')
        drive.chmod(0o755)
        monkeypatch.setattr(couriers, "DRIVE", str(drive))
        with Courier(service, op="ping", ca=authority.file) as courier:
            courier.expect("started", "done")
            assert courier.ended()[0] == 0
    lines = Path(trace).read_text(errors="replace").splitlines()
    pid = next(line.split()[0] for line in lines if " execveat(" in line)
    calls = [line.split(None, 1)[1] for line in lines
             if line.split()[0] == pid]
    calls = calls[next(i for i, call in enumerate(calls)
                       if call.startswith("execveat(")):]

    def where(pattern):
        return [i for i, call in enumerate(calls) if re.match(pattern, call)]

    filters = where(r"seccomp\(SECCOMP_SET_MODE_FILTER, .*(\{len=| <unf)")
    reads = where(r"recv(from|msg)?\(3")
    network = where(r"(socket|connect)\(")
    assert len(filters) == 2 and reads and network
    assert filters[0] < reads[0] < filters[1] < network[0]
    if LANDLOCK:
        rules = where(r"landlock_restrict_self\(")
        assert len(rules) == 2
        assert rules[0] < filters[0] and reads[0] < rules[1] < filters[1]
    # Nothing that it does is refused to it, and nothing is left over.
    odd = [call for call in calls[filters[0] + 1:]
           if re.search(r"= -1 (ENOSYS|EPERM|EACCES)", call)
           and not call.startswith("clone3(")]
    assert odd == []
