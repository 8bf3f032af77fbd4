# SPDX-License-Identifier: BSD-2-Clause
"""Records in the system's log, signed answers that are kept, and
countersign log --verify: countersign-audit(5)."""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import time

import private
import pytest
from conftest import countersign
from rig import Rig
from service import wait_until
from sources import TOP

VERIFIED = {"verified", "none"}


@pytest.fixture(scope="module")
def log():
    return private.enter()


@pytest.fixture(scope="module")
def rig(log):
    with Rig(evidence="yes", evidence_file="/run/evidence.log") as one:
        yield one


class Copy:
    """The two files, to be read and broken where they do no harm."""

    def __init__(self, rig, folder):
        self.rig = rig
        self.records = folder / "records"
        self.evidence = folder / "evidence"
        self.restore()

    def restore(self):
        for path, source in ((self.records, self.rig.audit_file),
                             (self.evidence, "/run/evidence.log")):
            shutil.copy(source, path)
            path.chmod(0o600)

    def lines(self, path):
        return path.read_text().splitlines()

    def put(self, path, lines):
        path.write_text("".join(line + "\n" for line in lines))

    def verify(self, *arguments, here=True):
        """Exit status and what it prints; here: by what the host knows."""
        got = subprocess.run(
            [self.rig.program("countersign"), "log", "--verify", "--json",
             *(["--config", self.rig.conf] if here else []),
             "--file", self.records, "--evidence", self.evidence,
             *arguments], text=True, env=self.rig._environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert got.returncode in (0, 1), got.stderr
        return got.returncode, json.loads(got.stdout)

    def change_record(self, number, **members):
        """Of those that are about an answer; None takes a member away."""
        lines = self.lines(self.records)
        at = [n for n, line in enumerate(lines)
              if "evidence" in json.loads(line)][number]
        record = {**json.loads(lines[at]), **members}
        lines[at] = json.dumps({name: value for name, value in record.items()
                                if value is not None})
        self.put(self.records, lines)


@pytest.fixture(scope="module")
def people(rig):
    """Two accounts with a phone each, and one answer of each sort."""
    alice = rig.enrol_soft("alice", "Pixel", "webauthn")
    bob = rig.enrol_soft("bob", "box", "p256")
    for user, phone in (("alice", alice), ("bob", bob)):
        login = rig.login(user, "--rhost", "192.0.2.7", service="sshd")
        phone.approve(login.link())
        assert login.end() == "PAM_SUCCESS"
    login = rig.login("alice")
    alice.deny(login.link())
    login.end()
    login = rig.login("bob")
    bob.not_me(login.link())
    login.end()
    return alice, bob


@pytest.fixture
def copy(rig, people, tmp_path):
    tmp_path.chmod(0o700)
    return Copy(rig, tmp_path)


def of(found, word):
    return [one for one in found["answers"] if one["evidence"] == word]


# --- evidence --------------------------------------------------------------------

def test_every_signed_answer_is_kept(rig, people):
    with open("/run/evidence.log") as file:
        kept = [json.loads(line) for line in file]
    assert os.stat("/run/evidence.log").st_mode & 0o7777 == 0o600
    assert [(one["user"], one["kind"], one["choice"]) for one in kept] == [
        ("alice", "webauthn", "approve"), ("bob", "p256", "approve"),
        ("alice", "webauthn", "approve"), ("bob", "p256", "approve"),
        ("alice", "webauthn", "deny"), ("bob", "p256", "not-me")]
    records = [one for one in rig.audit() if "evidence" in one]
    assert [one["question"] for one in records] == [
        one["question"] for one in kept]
    # of an alert the answer's own record is the one that names it
    assert {one["event"] for one in records} == {"test", "approval"}
    assert len({one["evidence"] for one in records}) == 6


def test_members_are_documented(people):
    page = (TOP / "man/countersign-audit.5").read_text().split(
        ".Sh EVIDENCE")[1].split("\n.Sh ")[0]
    listed = {name: {"number": int, "string": str}[kind] for name, kind in
              re.findall(r"^\.It Cm (\w+) Pq (\w+)$", page, flags=re.M)}
    seen = {}
    with open("/run/evidence.log") as file:
        for line in file:
            seen.update(json.loads(line))
    # no phone rang here
    assert set(listed) - set(seen) == {"code"}
    assert {name: type(value) for name, value in seen.items()} == {
        name: kind for name, kind in listed.items() if name in seen}


def test_nothing_in_it_opens_a_question(rig, people):
    """No link's secret, no access key."""
    with open("/run/evidence.log") as file:
        text = file.read()
    assert rig.host.key not in text
    assert "secret" not in text and "#" not in text


@pytest.mark.parametrize("spoil", [
    lambda path: "/run/nowhere/evidence.log",
    lambda path: (path.write_text(""), path.chmod(0o640), path)[-1],
    lambda path: (path.symlink_to("/run/elsewhere"), path)[-1],
    lambda path: (path.mkdir(), path)[-1]],
    ids=["no folder", "readable", "link", "folder"])
def test_no_grant_without_it(rig, people, spoil):
    alice, _ = people
    path = rig.folder / "spoilt"
    try:
        with rig.settings(evidence_file=spoil(path)):
            login = rig.login("alice")
            alice.approve(login.link())
            assert login.end() != "PAM_SUCCESS"
            assert rig.audit()[-1]["result"] == "failed"
            assert rig.audit()[-1]["reason"] == "AUDIT"
            assert "evidence" not in rig.audit()[-1]
            # a no is one all the same
            login = rig.login("alice")
            alice.deny(login.link())
            assert login.end() == "PAM_MAXTRIES"
            assert rig.audit()[-1]["reason"] == "DENIED"
    finally:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


# --- verify ----------------------------------------------------------------------

def test_all_is_well(copy):
    status, found = copy.verify()
    assert (status, found["verified"], found["bad"]) == (0, 6, 0), found
    assert {one["evidence"] for one in found["answers"]} <= VERIFIED
    # what the host does not say any more, the trail's enrolments do
    assert copy.verify(here=False)[1]["verified"] == 6


def test_as_people_see_it(rig, people):
    status, out, err = countersign(rig, "log", "--verify", "alice")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["TIME", "USER", "SERVICE", "EVENT", "RESULT",
                                "DEVICE", "EVIDENCE"]
    assert [line.split()[-1] for line in lines[1:4]] == ["verified"] * 3
    assert re.fullmatch(r"3 verified, \d+ without evidence, 0 bad, 0 of an "
                        r"unknown key, 0 without a record", lines[-1])


def test_where_none_was_kept(rig, people, copy):
    alice, _ = people
    with rig.settings(evidence="no"):
        login = rig.login("alice", service="su")
        alice.approve(login.link())
        assert login.end() == "PAM_SUCCESS"
    copy.restore()
    status, found = copy.verify()
    assert status == 0
    assert of(found, "none")[-1]["service"] == "su"


def spoilt(value):
    """The value of a member, changed in one place."""
    if isinstance(value, int):
        return value + 1
    middle = len(value) // 2
    return value[:middle] + ("B" if value[middle] == "A" else "A") + \
        value[middle + 1:]


def test_any_change_of_evidence_is_bad(copy):
    whole = copy.lines(copy.evidence)
    for number in (2, 3):  # a login of each kind of device
        for name in json.loads(whole[number]):
            one = json.loads(whole[number])
            one[name] = spoilt(one[name])
            lines = whole.copy()
            lines[number] = json.dumps(one, separators=(",", ":"))
            copy.put(copy.evidence, lines)
            status, found = copy.verify()
            assert (status, found["bad"], found["verified"]) == (1, 1, 5), name


def test_any_change_of_a_record_is_bad(copy):
    changes = {"user": "bob", "uid": 2, "device": "a" * 16, "service": "su",
               "choice": "canary", "question": "AAAAAAAAAAAA", "flags": 1,
               "counter": 77, "result": "denied", "evidence": "A" * 22,
               "time": "2025-01-01T00:00:00Z"}
    for name, value in changes.items():
        copy.change_record(2, **{name: value})
        status, found = copy.verify()
        assert (status, len(of(found, "bad"))) == (1, 1), name
        copy.restore()
    for name in ("evidence", "device", "user", "question", "uid", "service"):
        copy.change_record(2, **{name: None})
        status, found = copy.verify()
        assert status == 1, name
        copy.restore()


def test_lost_swapped_doubled_and_added(copy):
    lines = copy.lines(copy.evidence)
    copy.put(copy.evidence, lines[:2] + lines[3:])
    status, found = copy.verify()
    assert (status, found["bad"]) == (1, 1)
    assert of(found, "bad")[0]["why"] == "its evidence is missing"
    copy.put(copy.evidence, [lines[2], *lines])  # twice the same is one
    assert copy.verify()[1]["verified"] == 6
    copy.put(copy.evidence, lines[::-1])
    assert copy.verify()[0] == 0
    copy.put(copy.evidence, [*lines, "garbage", lines[2][:-1], "x" * 20000])
    status, found = copy.verify()
    assert (status, found["damaged"]) == (0, 3)
    # signed by the account's own device, but for another question
    marks = [json.loads(line)["evidence"] for line in
             copy.lines(copy.records) if "evidence" in json.loads(line)]
    copy.put(copy.evidence, lines)
    copy.change_record(2, evidence=marks[0])
    assert copy.verify()[0] == 1


def test_a_record_that_is_there_twice(copy):
    lines = copy.lines(copy.records)
    one = [line for line in lines if '"service":"sshd"' in line][0]
    copy.put(copy.records, [*lines, one])  # two files may both have it
    assert copy.verify()[0] == 0
    other = {**json.loads(one), "rhost": "198.51.100.1"}
    copy.put(copy.records, [*lines, json.dumps(other)])
    status, found = copy.verify()
    assert (status, found["bad"], found["verified"]) == (1, 1, 6)
    assert of(found, "bad")[0]["why"] == "another record names the same line"


def mark(line):
    digest = hashlib.sha256(line.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_a_record_that_was_made_to_fit(copy):
    """Both changed, each by the other: the signature is none."""
    whole = copy.lines(copy.evidence)
    for number in range(2, len(whole)):
        for name in ("signature", "clientData", "key", "transaction", "uid"):
            one = json.loads(whole[number])
            one[name] = spoilt(one[name])
            lines = whole.copy()
            lines[number] = json.dumps(one, separators=(",", ":"))
            copy.put(copy.evidence, lines)
            copy.change_record(number, evidence=mark(lines[number]))
            status, found = copy.verify()
            assert (status, found["bad"]) == (1, 1), (number, name)
            copy.restore()
    # what was taken apart and put together again is the same
    copy.change_record(3, evidence=mark(whole[3]))
    assert copy.verify()[0] == 0


def test_a_record_that_is_gone(copy):
    lines = copy.lines(copy.records)
    gone = [line for line in lines if '"service":"sshd"' in line][0]
    copy.put(copy.records, [line for line in lines if line != gone])
    wait_until(lambda: copy.verify()[0] == 1, "evidence to be old enough")
    found = copy.verify()[1]
    assert (found["noRecord"], found["verified"]) == (1, 5)
    # a line that is there twice, in two files perhaps, is one
    found = copy.verify("--evidence", copy.evidence)[1]
    assert (found["noRecord"], found["verified"]) == (1, 5)
    # one that was rotated away before all records that there are
    newest = {**json.loads(lines[-1]), "time": "2099-01-01T00:00:00Z"}
    copy.put(copy.records, [json.dumps(newest)])
    assert copy.verify()[1]["noRecord"] == 0
    # what nobody asked for is not looked at
    copy.put(copy.records, [line for line in lines if line != gone])
    assert copy.verify("bob")[0] == 0


def test_somebody_elses_key(rig, copy):
    """A device that neither the trail nor the host knows."""
    lines = [line for line in copy.lines(copy.records)
             if json.loads(line)["event"] != "enrolment"]
    copy.put(copy.records, lines)
    assert copy.verify()[0] == 0  # the host knows
    status, found = copy.verify(here=False)
    assert (status, found["unknownKey"], found["verified"]) == (1, 6, 0)


def test_a_revoked_key_is_still_known(rig, people):
    gone = rig.enrol_soft("alice", "gone", "p256")
    login = rig.login("alice")
    gone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    assert countersign(rig, "revoke", "alice", "gone")[0] == 0
    assert countersign(rig, "log", "--verify")[0] == 0


def test_several_files(rig, copy, tmp_path):
    rest = Copy(rig, tmp_path)
    records, evidence = (copy.lines(copy.records), copy.lines(copy.evidence))
    older = tmp_path / "older"
    for path, lines in ((copy.records, records), (copy.evidence, evidence)):
        half = len(lines) // 2
        rest.put(older.with_name(path.name + ".1"), lines[:half])
        rest.put(path, lines[half:])
    status, found = copy.verify(
        "--file", tmp_path / "records.1", "--evidence",
        tmp_path / "evidence.1")
    # the named files come in their order, so the oldest goes first
    assert (status, found["bad"]) == (0, 0) and found["verified"] >= 6
    rest.put(copy.evidence, [])
    assert copy.verify("--file", tmp_path / "records.1")[0] == 1


def test_wrong_usage(rig):
    for arguments in (("--verify", "--lines", "3"), ("--evidence", "/x")):
        assert countersign(rig, "log", *arguments)[0] == 2
    for option in ("--file", "--evidence"):
        status, out, err = countersign(
            rig, "log", "--verify", option, "/run/nowhere")
        assert (status, out) == (3, "") and "/run/nowhere" in err


# --- the system's log ------------------------------------------------------------

def answered(rig, people, **settings):
    """How a login ends that alice approves, and the log's lines of it."""
    alice, _ = people
    with rig.settings(**settings):
        login = rig.login("alice", service="sshd")
        alice.approve(login.link())
        return login.end()


def test_one_line_with_the_record(rig, people, log):
    since = len(log.lines)
    assert answered(rig, people, audit_syslog="yes") == "PAM_SUCCESS"
    record = rig.audit_file.read_text().splitlines()[-1]
    line = log.wait('"event":"approval"', since=since)
    head = re.fullmatch(r"<86>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
                        r"countersign\[\d+\]: (.*)", line)
    assert head.group(1) == record
    assert len([one for one in log.lines[since:] if record in one]) == 1


def test_without_a_file(rig, people, log):
    since = len(log.lines)
    before = rig.audit_file.read_text()
    assert answered(rig, people, audit_file="none",
                    audit_syslog="yes") == "PAM_SUCCESS"
    assert log.wait('"result":"granted"', since=since)
    assert rig.audit_file.read_text() == before
    with rig.settings(audit_file="none", audit_syslog="yes"):
        status, out, err = countersign(rig, "log")
        assert (status, out) == (3, "") and "journalctl" in err


def test_a_file_that_cannot_be_written(rig, people, log):
    since = len(log.lines)
    assert answered(rig, people, audit_file="/run/nowhere/audit",
                    audit_syslog="yes") == "PAM_SUCCESS"
    assert log.wait('"result":"granted"', since=since)
    complaint = log.wait("is not in the audit file", since=since)
    assert complaint.startswith("<83>") and "/run/nowhere" in complaint
    assert answered(rig, people, audit_file="/run/nowhere/audit",
                    audit_syslog="no") != "PAM_SUCCESS"


def test_nowhere(rig, people):
    os.rename("/dev/log", "/dev/log.away")
    try:
        assert answered(rig, people, audit_syslog="yes") == "PAM_SUCCESS"
        for values in ({"audit_file": "none"},
                       {"audit_file": "/run/nowhere/audit"}):
            assert answered(rig, people, audit_syslog="yes",
                            **values) != "PAM_SUCCESS"
        os.symlink("/dev/log.away", "/dev/log")
        assert answered(rig, people, audit_syslog="yes",
                        audit_file="none") != "PAM_SUCCESS"
        os.unlink("/dev/log")
    finally:
        os.rename("/dev/log.away", "/dev/log")


def test_both_off_is_no_configuration(rig):
    with rig.settings(audit_file="none", audit_syslog="no"):
        status, out, _ = countersign(rig, "check-config")
        assert status == 3 and "audit_syslog" in out
    with rig.settings(evidence_file=rig.audit_file):
        status, out, _ = countersign(rig, "check-config")
        assert status == 3 and "evidence_file" in out


def test_a_log_that_is_stuck_keeps_nobody(rig, people):
    """Its queue is full, and nobody reads it."""
    import socket
    os.rename("/dev/log", "/dev/log.away")
    stuck = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    filler.setblocking(False)
    try:
        stuck.bind("/dev/log")
        with pytest.raises(BlockingIOError):
            while True:
                filler.sendto(b"x", "/dev/log")
        began = time.monotonic()
        assert answered(rig, people, audit_syslog="yes") == "PAM_SUCCESS"
        assert time.monotonic() - began < 5
        assert answered(rig, people, audit_syslog="yes",
                        audit_file="none") != "PAM_SUCCESS"
    finally:
        stuck.close()
        filler.close()
        os.unlink("/dev/log")
        os.rename("/dev/log.away", "/dev/log")
