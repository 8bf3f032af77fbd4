# SPDX-License-Identifier: BSD-2-Clause
"""
H4 to H6: what somebody with an account on the host can do to its files, what
modes these have, and what a process that waited for a phone still knows.
"""
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import codes
import oracle
import private
import pytest
from figures import Figures
from rig import Rig

FIGURES = Figures("local_user", "a user of the host, and its files")
USER, OTHER = "alice", "bob"

# Run as somebody else: whatever could be done to the paths given is printed.
TRY = """
import json, os, sys
done = []
def attempt(what, path, call):
    try:
        call()
        done.append([what, path])
    except OSError:
        pass
paths, secret = json.loads(sys.stdin.read())
for path in paths:
    here, there = os.path.dirname(path), path + ".mine"
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
        attempt("write", path, lambda: os.open(path, flags))
    attempt("truncate", path, lambda: os.truncate(path, 0))
    attempt("mode", path, lambda: os.chmod(path, 0o666))
    attempt("owner", path, lambda: os.chown(path, os.getuid(), -1))
    attempt("times", path, lambda: os.utime(path, (0, 0)))
    attempt("xattr", path, lambda: os.setxattr(path, "user.x", b"x"))
    attempt("rename", path, lambda: os.rename(path, there))
    attempt("remove", path, lambda: os.unlink(path))
    attempt("rmdir", path, lambda: os.rmdir(path))
    attempt("link", path, lambda: os.link(path, "/tmp/" + str(os.getpid())))
    attempt("beside", path, lambda: os.mkdir(there))
    attempt("inside", path, lambda: os.mkdir(path + "/mine"))
    attempt("symlink", path, lambda: os.symlink("/etc/passwd", there))
for path in secret:
    attempt("read", path, lambda: os.open(path, os.O_RDONLY))
print(json.dumps([done, len(paths) * 15 + len(secret)]))
"""


@pytest.fixture(scope="module", name="rig")
def make_rig():
    private.enter()
    with Rig(lifetime=30) as rig:
        rig.phone = rig.enrol_soft(USER, counting=False)
        codes.make(rig, USER)
        yield rig


def log_in(rig, *options):
    login = rig.login(USER, *options)
    rig.phone.approve(login.link())
    return login


def files(rig):
    """All that the host keeps and runs, folders too; not the test's own."""
    own = {"phones", "passphrase", "pam.d", "ca.pem", "settings"}
    return [path for path in [rig.folder, *rig.folder.rglob("*")]
            if path == rig.folder or
            path.relative_to(rig.folder).parts[0] not in own]


def secrets(rig):
    return [path for path in files(rig) if path.name == "access.key" or
            path.is_relative_to(rig.folder / "state") or
            path == rig.audit_file]


@pytest.mark.parametrize("account", [USER, OTHER, "nobody"])
def test_no_file_can_be_changed(rig, account):
    """H4: neither by whose account it is, nor by the courier's."""
    assert log_in(rig).end() == "PAM_SUCCESS"
    paths = [str(path) for path in files(rig)]
    secret = [str(path) for path in secrets(rig)]
    assert len(paths) > 8 and len(secret) >= 3, (paths, secret)
    run = subprocess.run(
        [sys.executable, "-c", TRY], input=json.dumps([paths, secret]),
        text=True, user=account, group=account if account != "nobody"
        else "nogroup", extra_groups=[], stdout=subprocess.PIPE, check=True)
    done, tries = json.loads(run.stdout)
    FIGURES.cases += tries
    FIGURES.wrong += len(done)
    assert done == []
    assert log_in(rig).end() == "PAM_SUCCESS"


def modes(rig):
    return {str(path.relative_to(rig.folder)): (
        stat.S_IMODE(path.stat().st_mode), path.stat().st_uid)
        for path in files(rig) if "program" not in str(path)}


def test_modes_under_any_umask(rig):
    """H5: files are made with their own mode, whatever the caller's umask."""
    made = []
    for mask in (0, 0o022, 0o077, 0o777):
        before = os.umask(mask)
        try:
            # All that writes to the host: what is left is made anew.
            rig.countersign("deenroll", "--yes", OTHER, check=False)
            for name in ("limits", "state"):
                for path in (rig.folder / "state").rglob(name):
                    if path.is_file():
                        path.unlink()
            phone = rig.enrol_soft(OTHER, counting=False)
            login = rig.login(OTHER)
            phone.approve(login.link())
            assert login.end() == "PAM_SUCCESS"
        finally:
            os.umask(before)
        made.append(modes(rig))
        FIGURES.cases += len(made[-1])
    assert made[1:] == made[:-1]
    for name, (mode, uid) in made[0].items():
        assert uid == 0 and not mode & 0o022, (name, oct(mode))
        assert not mode & 0o7000, (name, oct(mode))
        if (rig.folder / name).is_file() and name.startswith("state/"):
            assert mode in (0o600, 0o644), (name, oct(mode))
    assert made[0]["access.key"][0] & 0o077 == 0


# --- memory ------------------------------------------------------------------

def memory(pid):
    """All that a process has."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            first, last = (int(word, 16) for word in
                           line.split(" ")[0].split("-"))
            if line.split(" ")[1][0] != "r" or "[v" in line:
                continue
            try:
                mem.seek(first)
                found.append(mem.read(last - first))
            except OSError:
                pass
    return b"\0".join(found)


def known(rig, login, number):
    """{name: bytes} of what only the waiting process may know."""
    link = oracle.Link.from_text(login.link(number))
    members = oracle.Question(link, rig.content(link.text())).members
    return {
        "S": link.secret, "content key": link.content_key,
        "answer key": link.answer_key,
        "nonce": oracle.unb64u(members["nonce"]),
        "nonce as text": members["nonce"].encode(),
        "access key": (rig.folder / "access.key").read_bytes().strip()}


@pytest.mark.parametrize("end", ["approve", "deny"])
def test_secrets_are_gone_from_memory(rig, end):
    """
    H6, TX-5: the process lives on with a second question, and of the first
    one there is nothing.  While it waits for the second, what it must know is
    there: so this test can see.
    """
    login = rig.login(USER, "--rounds", "2")
    first = known(rig, login, 0)
    there = memory(login.process.pid)
    assert first["S"] in there and first["answer key"] in there
    getattr(rig.phone, end)(login.link())
    second = known(rig, login, 1)
    there = memory(login.process.pid)
    assert second["S"] in there
    left = [name for name, secret in first.items() if secret in there]
    FIGURES.cases += len(first)
    FIGURES.leaks += len(left)
    assert left == []
    rig.phone.approve(login.link(1))
    assert login.end() == "PAM_SUCCESS"


def test_no_canary_anywhere(rig):
    """H6: the secrets of a login are in no file, log or argument."""
    login = rig.login(USER)
    secret = known(rig, login, 0)
    secret["link"] = re.sub(r".*#", "", login.link()).encode()
    lines = "\n".join(private.processes().values()).encode()
    rig.phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    log = "\n".join(private.enter().lines).encode()
    texts = {"log": log, "arguments": lines,
             "service's log": rig.service.log.read_bytes()}
    for path in files(rig):
        if path.is_file() and path.name != "access.key":
            texts[str(path)] = path.read_bytes()
    for path in Path(rig.service.folder).rglob("*"):
        if path.is_file():
            texts[f"service: {path}"] = path.read_bytes()
    del secret["access key"]  # it is looked for in the courier's tests
    for name, value in secret.items():
        for place, text in texts.items():
            FIGURES.cases += 1
            FIGURES.leaks += value in text
            assert value not in text, (name, place)


def test_figures():
    FIGURES.write()
