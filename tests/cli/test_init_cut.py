# SPDX-License-Identifier: BSD-2-Clause
"""
countersign init that is killed before each of its calls that change the disk:
a configuration that is there belongs to a whole host, and without one init
begins anew (countersign-security(7) ST-1).
"""
import re
import shutil
import stat
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from conftest import countersign
from rig import config_text
from service import Later
from sources import built, tool

# Whatever can change a file or a folder; a kill loses nothing that a sync
# would have kept.
CHANGES = ("openat", "openat2", "open", "creat", "mkdir", "mkdirat", "write",
           "pwrite64", "writev", "fchmod", "fchmodat", "chmod", "fchown",
           "fchownat", "rename", "renameat", "renameat2", "link", "linkat",
           "unlink", "unlinkat", "rmdir", "symlinkat", "ftruncate",
           "fallocate", "utimensat")
KILL = -9


class Host:
    """A folder that is to become a host, with all of it below."""

    def __init__(self, rig, folder):
        self.rig, self.folder = rig, folder
        folder.chmod(0o755)
        self.conf = folder / "etc/countersign.conf"
        self.trace = rig.folder / f"{folder.name}.trace"
        self.values = {**rig.values, "state_dir": folder / "store",
                       "audit_file": folder / "log/audit.log",
                       "evidence": "yes",
                       "evidence_file": folder / "evidence/evidence.log"}
        for key in ("service", "access_key_file"):
            self.values.pop(key, None)
        settings = folder / "settings"
        settings.write_text(config_text(self.values))
        self.arguments = ["--config", self.conf, "--service", rig.service.url,
                          "--settings", settings, "--access-key-file", "-"]

    def program(self, name):
        return self.rig.program(name)

    def _environment(self):
        return self.rig._environment()

    def run(self, command, *arguments, text=None):
        return countersign(self, command, *arguments, text=text)

    def init(self, key):
        return self.run("init", *self.arguments[2:], text=key)

    def traced(self, key, *options):
        run = subprocess.run(
            [tool("strace"), "-qq", "-o", self.trace,
             "-e", "trace=" + ",".join(CHANGES), *options,
             self.program("countersign"), "init", *self.arguments],
            env={**self._environment(), "ASAN_OPTIONS": "detect_leaks=0"},
            input=key, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return run.returncode

    def changes(self, key):
        """
        Its calls that change something, and the one after them: each by its
        name and the how many-eth of that name it is.
        """
        assert self.traced(key) == 0
        calls, seen = self.trace.read_text().splitlines(), Counter()
        for number, call in enumerate(calls):
            name = call[:call.index("(")]
            seen[name] += 1
            calls[number] = (name, seen[name], not call.startswith(
                ("open", "write(1, ")) or "O_CREAT" in call)
        last = max(number for number, call in enumerate(calls) if call[2])
        return [call[:2] for number, call in enumerate(calls)
                if call[2] or number == last + 1]

    def kill_at(self, name, number, key):
        assert self.traced(
            key, "-e", f"inject={name}:signal=KILL:when={number}") == KILL

    def login(self):
        """What PAM says; a module that is out of it would let him in."""
        line = f"required {built('pam/pam_countersign.so')} config={self.conf}"
        return self.rig.login("daemon", auth=(
            line, "required pam_permit.so")).end()

    def assert_whole(self, key):
        status, out, err = self.run("check-config")
        assert (status, out, err) == (0, "No findings.\n", "")
        assert self.run("devices")[0] == 0
        etc = self.conf.parent
        assert (etc / "access.key").read_text().strip() == key
        for path, mode in ((self.conf, 0o644), (etc, 0o755),
                           (etc / "access.key", 0o600),
                           (self.folder / "store", 0o700),
                           (self.folder / "log", 0o750),
                           (self.folder / "evidence", 0o750)):
            assert stat.S_IMODE(path.stat().st_mode) == mode, path
        # What was cut off may have left a file that nobody knows.
        assert [path for path in etc.iterdir() if path.name not in
                ("access.key", self.conf.name) and
                not re.fullmatch(r"\.new-[0-9a-f]{16}", path.name)] == []


def new_host(rig):
    return Host(rig, Path(tempfile.mkdtemp(prefix="host-", dir=rig.folder)))


def test_init_is_killed_at_each_step(rig):
    key = rig.service.add_host("cut").key
    whole, begun = 0, 0
    for call in new_host(rig).changes(key):
        host = new_host(rig)
        host.kill_at(*call, key)
        if host.conf.exists():
            whole += 1
            host.assert_whole(key)
            before = host.conf.read_bytes()
            status, _, err = host.init(key)
            assert status == 1 and "countersign check" in err, err
            assert host.conf.read_bytes() == before
        else:
            begun += 1
            status, _, err = host.init(key)
            assert (status, err) == (0, ""), call
        host.assert_whole(key)
    # Six folders and their modes; two markers, a key and a configuration,
    # each made, given its mode, written and put in place.
    assert begun >= 6 * 2 + 4 * 4 and whole >= 1, (begun, whole)


def test_two_at_once(rig):
    """One of them makes the host, with its own key; the other says so."""
    keys = [rig.service.add_host(name).key for name in ("one", "two")]
    for _ in range(12):
        host = new_host(rig)
        inits = [Later(lambda key=key: host.init(key)) for key in keys]
        ended = [init.result() for init in inits]
        winner, = [key for key, (status, _, _) in zip(keys, ended)
                   if status == 0]
        loser, = [err for status, _, err in ended if status == 1]
        assert "there is a configuration already" in loser
        host.assert_whole(winner)


def test_half_a_host_lets_nobody_in(rig):
    """No configuration, or one whose store is missing or empty."""
    key = rig.service.add_host("half").key
    host = new_host(rig)
    host.values["unenrolled"] = "ignore"
    (host.folder / "settings").write_text(config_text(host.values))
    refused = ("PAM_AUTHINFO_UNAVAIL", "PAM_SYSTEM_ERR")
    assert host.login() in refused
    assert host.init(key)[0] == 0
    assert host.login() == "PAM_SUCCESS"  # nobody is enrolled, as it says
    store, away = host.folder / "store", host.folder / "away"
    store.rename(away)
    assert host.login() in refused
    store.mkdir(mode=0o700)
    assert host.login() in refused
    (store / "devices").mkdir(mode=0o700)
    (store / "state").mkdir(mode=0o700)
    assert host.login() in refused
    shutil.rmtree(store)
    away.rename(store)
    assert host.login() == "PAM_SUCCESS"
