# SPDX-License-Identifier: BSD-2-Clause
"""countersign recovery: ten codes, shown once and kept as hashes."""
import hashlib
import json
import os
import pwd
import re
import socket
import subprocess
from pathlib import Path

import private
import pytest
from conftest import countersign
from rig import Rig

pexpect = pytest.importorskip("pexpect")
CODE = re.compile(r"\b(?:[a-z2-7]{4}-){5}[a-z2-7]{4}\b")


@pytest.fixture(scope="module")
def rig():
    private.enter()  # a journal of our own
    with Rig() as one:
        yield one


def state(rig, user):
    path = rig.folder / "state/state" / str(pwd.getpwnam(user).pw_uid)
    return path.read_text()


def hashes(rig, user):
    return re.findall(r"^code ([0-9a-f]{64}) used=never$", state(rig, user),
                      flags=re.M)


def hash_of(code):
    text = b"countersign/1 recovery\0" + code.replace("-", "").encode()
    return hashlib.sha256(text).hexdigest()


@pytest.fixture
def user(rig):
    """Each case has an account that has a device and no codes."""
    name = "alice"
    countersign(rig, "deenroll", "--yes", name)
    rig.enrol_soft(name, "phone", "p256")
    return name


@pytest.fixture
def spawn(rig):
    children = []

    def start(*arguments):
        children.append(pexpect.spawn(
            str(rig.program("countersign")),
            ["recovery", "--config", str(rig.conf), *arguments],
            env=rig._environment(), timeout=30, encoding="utf-8"))
        return children[-1]

    yield start
    for child in children:
        child.close(force=True)


def end(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_ten_codes_one_a_line(rig, user):
    status, out, err = countersign(rig, "recovery", user)
    assert (status, err) == (0, "")
    codes = out.splitlines()
    assert len(codes) == len(set(codes)) == 10
    assert all(CODE.fullmatch(code) for code in codes)
    assert hashes(rig, user) == [hash_of(code) for code in codes]


def test_json(rig, user):
    status, out, err = countersign(rig, "recovery", "--json", user)
    assert (status, err) == (0, "")
    got = json.loads(out)
    assert set(got) == {"user", "ended", "codes"}
    assert (got["user"], got["ended"], len(got["codes"])) == (user, 0, 10)
    assert hashes(rig, user) == [hash_of(code) for code in got["codes"]]
    again = json.loads(countersign(rig, "recovery", "--json", "--yes",
                                   user)[1])
    assert again["ended"] == 10
    assert hashes(rig, user) == [hash_of(code) for code in again["codes"]]
    assert not set(got["codes"]) & set(again["codes"])


def test_codes_that_can_be_used_end_only_when_somebody_says_so(rig, user):
    countersign(rig, "recovery", user)
    before = state(rig, user)
    status, out, err = countersign(rig, "recovery", user)
    assert (status, out) == (2, "")
    assert f"10 codes of {user} can still be used" in err
    assert "--yes" in err
    assert state(rig, user) == before
    assert countersign(rig, "recovery", "--yes", user)[0] == 0
    assert not set(hashes(rig, user)) & set(re.findall("[0-9a-f]{64}",
                                                       before))


def test_on_a_terminal(rig, user, spawn):
    child = spawn(user)
    child.expect(f"Recovery codes of {user}")
    child.expect("not shown again")
    assert end(child) == 0
    assert len(CODE.findall(child.before)) == 10
    assert "older" not in child.before
    before = state(rig, user)
    for answer in ("", "n", "\x04"):
        child = spawn(user)
        child.expect(f"10 codes of {user} can still be used; they end now")
        child.sendline(answer)
        assert end(child) == 1
        assert state(rig, user) == before
        assert not CODE.search(child.before)
    child = spawn(user)
    child.expect("Make new ones")
    child.sendline("y")
    assert end(child) == 0
    assert "All older codes have ended" in child.before
    codes = CODE.findall(child.before)
    assert hashes(rig, user) == [hash_of(code) for code in codes]


def test_a_used_code_is_not_counted(rig, user, spawn):
    code = countersign(rig, "recovery", user)[1].split()[0]
    login = rig.login(user, "--answer", code, service="sshd")
    assert login.end() == "PAM_SUCCESS", login.events
    assert "9 codes" in countersign(rig, "recovery", user)[2]
    assert rig.audit()[-1]["codesLeft"] == 9


def test_codes_are_nowhere_else(rig, user):
    out = countersign(rig, "recovery", user)[1]
    codes = [form for code in out.split()
             for form in (code, code.replace("-", ""))]
    read = 0
    for folder in (rig.folder, Path(rig.service.folder)):
        for path in folder.rglob("*"):
            if path.is_file():
                text = path.read_bytes()
                read += 1
                assert not any(code.encode() in text for code in codes), path
    assert read > 5
    last = rig.audit()[-1]
    assert (last["event"], last["user"]) == ("recovery_codes", user)
    assert last["codesLeft"] == 10 and last["by"]


# --- where they must not go -------------------------------------------------------

def run_to(rig, name, stdout, **keywords):
    return subprocess.run(
        [rig.program("countersign"), "recovery", "--config", rig.conf, name],
        env=rig._environment(), stdin=subprocess.DEVNULL, stdout=stdout,
        stderr=subprocess.PIPE, text=True, timeout=60,
        start_new_session=True, **keywords)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o622, 0o601])
def test_no_file_that_others_can_open(rig, user, mode):
    path = rig.folder / "codes"
    path.touch()
    path.chmod(mode)
    before = state(rig, user)
    with path.open("w") as file:
        got = run_to(rig, user, file)
    assert got.returncode == 1
    assert "others" in got.stderr and "0600" in got.stderr
    assert path.read_text() == ""
    assert state(rig, user) == before
    path.chmod(0o600)
    with path.open("w") as file:
        assert run_to(rig, user, file).returncode == 0
    assert len(CODE.findall(path.read_text())) == 10
    path.unlink()


def test_not_nowhere(rig, user):
    before = state(rig, user)
    got = run_to(rig, user, subprocess.DEVNULL)
    assert got.returncode == 1 and "nowhere" in got.stderr
    shell = subprocess.run(
        ["/bin/sh", "-c", '"$0" recovery --config "$1" "$2" >&-',
         rig.program("countersign"), rig.conf, user],
        env=rig._environment(), stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, timeout=60)
    assert shell.returncode == 1
    assert state(rig, user) == before


def test_not_into_the_journal(rig, user):
    """A unit's standard output is a socket that others read."""
    before = state(rig, user)
    for folder, status in (("/run/systemd/journal", 1), ("/run/other", 0)):
        os.makedirs(folder)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{folder}/stdout")
            server.listen()
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(f"{folder}/stdout")
                got = run_to(rig, user, client.fileno())
            assert got.returncode == status, got.stderr
            assert ("journal" in got.stderr) == (status == 1)
            read = server.accept()[0]
            with read:
                assert (read.recv(4096) == b"") == (status == 1)
        if status == 1:
            assert state(rig, user) == before


def test_codes_that_could_not_be_printed(rig, user):
    with open("/dev/full", "w", encoding="ascii") as full:
        got = run_to(rig, user, full)
    assert got.returncode == 3
    assert "once more" in got.stderr


# --- refusals -----------------------------------------------------------------------

def test_nobody_there(rig):
    for name in ("no-such-user", "dora"):
        status, out, err = countersign(rig, "recovery", name)
        assert (status, out) == (1, "")
        assert err.startswith("countersign: ")
    status, _, err = countersign(rig, "recovery")
    assert status == 2


def test_an_account_that_lost_its_last_device_may_have_codes(rig, user):
    """That is what they are for."""
    assert countersign(rig, "revoke", "--force", user, "phone")[0] == 0
    assert countersign(rig, "recovery", user)[0] == 0


def test_warns_where_no_login_takes_them(rig, user):
    with rig.settings(recovery="no"):
        status, out, err = countersign(rig, "recovery", user)
    assert status == 0
    assert len(out.split()) == 10
    assert "warning" in err and "recovery = yes" in err


def test_what_cannot_be_recorded_is_not_done(rig, user):
    before = state(rig, user)
    with rig.settings(audit_file=rig.folder / "missing/audit"):
        status, out, _ = countersign(rig, "recovery", user)
    assert (status, out) == (3, "")
    assert state(rig, user) == before


def test_only_for_root(rig, user):
    before = state(rig, user)
    got = run_to(rig, user, subprocess.PIPE, user="bob", group="bob",
                 extra_groups=[])
    assert got.returncode == 3
    assert got.stdout == ""
    assert state(rig, user) == before
