# SPDX-License-Identifier: BSD-2-Clause
"""countersign log, the audit trail, and countersign-audit(5)."""
import json
import os
import pwd
import re
import subprocess
import time

import pytest
from conftest import approve, countersign
from service import wait_until
from sources import TOP, code

PAGE = "man/countersign-audit.5"
HEADS = ["TIME", "USER", "SERVICE", "FROM", "EVENT", "RESULT", "DEVICE",
         "REASON", "LATENCY"]
TYPES = {"number": int, "string": str}
NOW = int(time.time())


def stamp(ago=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - ago))


def record(**members):
    """A line as the library writes it."""
    whole = {"v": 1, "time": stamp(), "event": "approval",
             "result": "granted", "reason": "OK", "uid": 1, "user": "daemon",
             "service": "sudo", "tty": "/dev/pts/3", "device": "a" * 16,
             "deviceName": "Pixel", "choice": "approve", "flags": 29,
             "counter": 0, "latencyMs": 7412, **members}
    return json.dumps({name: value for name, value in whole.items()
                       if value is not None}, separators=(",", ":"))


@pytest.fixture
def trail(rig):
    """Writes the trail, and the one before it; both are put back."""
    older = rig.audit_file.with_name(rig.audit_file.name + ".1")
    kept = rig.audit_file.read_bytes() if rig.audit_file.exists() else None

    def write(*lines, before=None):
        for path, content in ((rig.audit_file, lines), (older, before)):
            if content is None:
                continue
            data = b"".join((line if isinstance(line, bytes) else
                             line.encode()) + b"\n" for line in content)
            path.write_bytes(data)
            path.chmod(0o640)

    yield write
    for path in (rig.audit_file, older):
        path.unlink(missing_ok=True)
    if kept is not None:
        rig.audit_file.write_bytes(kept)
        rig.audit_file.chmod(0o600)


def rows(text):
    return [re.split(r"\s{2,}", line) for line in text.splitlines()]


def log(rig, *arguments):
    """The records that it shows as JSON, and nothing to complain of."""
    status, out, err = countersign(rig, "log", "--json", *arguments)
    assert (status, err) == (0, "")
    return json.loads(out)["records"]


# --- the table -------------------------------------------------------------------

def test_real_logins_as_a_table(rig):
    """Who, what, from where, with which device, verdict, reason, latency."""
    phone = rig.enrol("daemon", "Pixel")
    login = rig.login("daemon", "--rhost", "192.0.2.7", service="sshd")
    approve(phone, login.link())
    assert login.end() == "PAM_SUCCESS"
    login = rig.login("daemon", service="login")
    phone.deny(login.link())
    login.end()
    status, out, err = countersign(rig, "log")
    assert (status, err) == (0, "")
    table = rows(out)
    assert table[0] == HEADS
    events = [row[4] for row in table[1:]]
    assert events == ["test", "enrolment", "approval", "approval"]
    granted, denied = table[3:]
    assert granted[1:3] == ["daemon", "sshd"]
    assert granted[3] == "192.0.2.7"
    assert granted[5:8] == ["granted", "Pixel", "-"]
    assert re.fullmatch(r"\d+\.\d s", granted[8])
    assert denied[3] == "pts/0"
    assert denied[5:8] == ["denied", "Pixel", "DENIED"]
    by = table[2]
    assert by[3].startswith("by ")
    # and the same from the file itself
    assert log(rig) == rig.audit()


def test_cells(rig, trail):
    trail(record(choice="canary", rhost="h.example.org"),
          record(choice="not-me", result="denied", reason="NOT_ME"),
          record(deviceName=None, tty=None, rhost=None, latencyMs=0),
          record(user=None, uid=None, device=None, deviceName=None,
                 choice=None, result="failed", reason="SERVICE"),
          record(event="revoke", service=None, tty=None, by="carol"))
    table = rows(countersign(rig, "log")[1])[1:]
    assert table[0][3] == "h.example.org" and table[0][5] == "granted (canary)"
    assert table[1][5] == "denied (not-me)" and table[1][7] == "NOT_ME"
    assert table[2][3] == "-" and table[2][6] == "a" * 16
    assert table[2][8] == "-"
    assert table[3][1] == "-" and table[3][6] == "-"
    assert table[4][2] == "-" and table[4][3] == "by carol"


def test_no_records(rig, trail):
    trail()
    assert countersign(rig, "log") == (0, "No records.\n", "")
    rig.audit_file.unlink()
    assert countersign(rig, "log") == (0, "No records.\n", "")
    assert log(rig) == []


def test_control_characters_steer_no_terminal(rig, trail):
    evil = "\x1b]0;x\x07 \x9b31m \x7f \r\n end"
    trail(record(deviceName=evil, tty=evil, rhost=evil))
    for option in ((), ("--json",)):
        status, out, _ = countersign(rig, "log", *option)
        assert status == 0
        assert "end" in out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)
    assert log(rig)[0]["tty"] == evil


# --- which ones ------------------------------------------------------------------

def test_user_lines_and_since(rig, trail):
    trail(record(time=stamp(90000), user="bin"),
          record(time=stamp(7000)), record(time=stamp(3000), user="bin"),
          record(time=stamp(60)), record(time=stamp(1), user=None))
    times = [one["time"] for one in log(rig)]
    assert times == [stamp(n) for n in (90000, 7000, 3000, 60, 1)]
    assert [one["time"] for one in log(rig, "bin")] == [
        stamp(90000), stamp(3000)]
    assert log(rig, "nobody-else") == []
    for lines, first in (("1", 1), ("2", 60), ("5", 90000), ("9", 90000)):
        assert log(rig, "--lines", lines)[0]["time"] == stamp(first)
        assert log(rig, "--lines", lines)[-1]["time"] == stamp(1)
    assert log(rig, "bin", "--lines", "1")[0]["time"] == stamp(3000)
    # a record of the very second is not older
    for since, n in ((stamp(3000), 3), (stamp(2999), 2), ("1h", 3),
                     ("2h", 4), ("130m", 4), ("2d", 5), ("1w", 5),
                     ("100000s", 5), ("1970-01-01", 5)):
        assert len(log(rig, "--since", since)) == n, since
    east = time.strftime("%Y-%m-%dT%H:%M:%S+01:30",
                         time.gmtime(NOW - 3000 + 5400))
    assert len(log(rig, "--since", east)) == 3
    west = time.strftime("%Y-%m-%dT%H:%M:%S-02:00",
                         time.gmtime(NOW - 3000 - 7200))
    assert len(log(rig, "--since", west)) == 3


def test_days_are_those_of_the_time_zone(rig, trail):
    midnight = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(NOW))
    seconds = NOW % 86400
    trail(record(time=stamp(seconds + 1)), record(time=stamp(seconds)))
    for word in ("today", midnight[:10]):
        assert [one["time"] for one in log(rig, "--since", word)] == [
            midnight], word

    class Elsewhere:
        conf, program = rig.conf, rig.program

        @staticmethod
        def _environment():
            # an hour ahead: its midnight came an hour earlier
            return {**rig._environment(), "TZ": "CET-1"}

    trail(record(time=stamp(seconds + 3601)), record(time=stamp(seconds + 3600)))
    assert [one["time"] for one in log(Elsewhere, "--since", midnight[:10])
            ] == [stamp(seconds + 3600)]


@pytest.mark.parametrize("option", [
    ("--since", ""), ("--since", "yesterday"), ("--since", "2026-13-01"),
    ("--since", "2026-02-30T00:00:00Z"), ("--since", "2026-11-22T10:00:00"),
    ("--since", "2026-11-22T24:00:00Z"), ("--since", "2026-11-22 "),
    ("--since", "2026-11-22T10:00:00+24:00"), ("--since", "h"),
    ("--since", "1y"), ("--since", "1h2m"), ("--since", "-1h"),
    ("--since", "1234567d"), ("--since", "26-11-22"), ("--lines", "0"),
    ("--lines", ""), ("--lines", "-1"), ("--lines", "1x"),
    ("--lines", "100001"), ("--lines", "18446744073709551617")],
    ids=lambda option: "=".join(option))
def test_nonsense_is_wrong_usage(rig, option):
    status, out, err = countersign(rig, "log", *option)
    assert (status, out) == (2, "")
    assert option[0] in err


def test_more_than_it_shows_is_said(rig, trail):
    line = record(tty=None, device=None, deviceName=None, choice=None)
    trail(record(time=stamp(60)), *[line] * 100000)
    status, out, err = countersign(rig, "log", "--json")
    records = json.loads(out)["records"]
    assert (status, len(records)) == (0, 100000)
    assert {one["time"] for one in records} == {stamp()}
    assert "1 older" in err and "--since" in err
    assert log(rig, "--lines", "3") == records[:3]


# --- the files -------------------------------------------------------------------

def test_what_was_rotated_comes_first(rig, trail):
    trail(record(time=stamp(10)), before=[record(time=stamp(20))])
    assert [one["time"] for one in log(rig)] == [stamp(20), stamp(10)]
    assert [one["time"] for one in log(rig, "--lines", "1")] == [stamp(10)]
    # before the first record after a rotation there is only the older one
    rig.audit_file.unlink()
    assert [one["time"] for one in log(rig)] == [stamp(20)]


def test_rotated_while_it_is_read(rig, trail):
    """The same file under both names is one file."""
    trail(record())
    older = rig.audit_file.with_name(rig.audit_file.name + ".1")
    os.link(rig.audit_file, older)
    assert len(log(rig)) == 1


DAMAGED = [
    b"", b"{", b"null", b"[]", b"{}", b"\0" * 700, b"\xff\xfe",
    record().encode()[:-20], record().encode() + b"}", record(v=2).encode(),
    record(time="yesterday").encode(), record(time=None).encode(),
    record(event=None).encode(), record(result=None).encode(),
    record(reason=None).encode(), record(v=None).encode(),
    record(tty=["x"]).encode(), record(tty={"x": 1}).encode(),
    record(tty="\xff").encode("latin-1").replace(b"\\u00ff", b"\xff"),
    record(tty="x" * 2000).encode(), b"x" * 100000]


@pytest.mark.parametrize("line", DAMAGED,
                         ids=lambda line: line[:30].hex() or "empty")
def test_damage_is_said_and_hides_nothing(rig, trail, line):
    trail(record(time=stamp(9)), line, record(time=stamp(5)))
    status, out, err = countersign(rig, "log", "--json")
    got = json.loads(out)
    assert status == 0
    assert [one["time"] for one in got["records"]] == [stamp(9), stamp(5)]
    if not line:  # what follows a record that found no room
        assert (got["damaged"], err) == (0, "")
        return
    assert got["damaged"] == 1
    assert f"{rig.audit_file}:2" in err
    assert len(rows(countersign(rig, "log")[1])) == 3


def test_damage_is_counted_in_both_files(rig, trail):
    trail("x", record(), "y", before=[record(), "z"])
    status, out, err = countersign(rig, "log", "--json")
    assert status == 0
    assert json.loads(out)["damaged"] == 3
    assert "3 damaged lines" in err and f"{rig.audit_file}.1:2" in err


def test_a_last_line_without_an_end(rig, trail):
    trail(record(time=stamp(9)))
    with rig.audit_file.open("ab") as file:
        file.write(record(time=stamp(5)).encode())
    assert len(log(rig)) == 2
    with rig.audit_file.open("ab") as file:
        file.write(b"\n" + record().encode()[:50])
    assert json.loads(countersign(rig, "log", "--json")[1])["damaged"] == 1


@pytest.mark.parametrize("spoil", [
    lambda path: path.chmod(0o622), lambda path: path.chmod(0o660),
    lambda path: os.chown(path, 1, 1),
    lambda path: (path.unlink(), path.mkdir()),
    lambda path: (path.unlink(), os.mkfifo(path, 0o600))],
    ids=["world", "group", "owner", "folder", "fifo"])
def test_a_file_that_others_could_have_written(rig, trail, spoil):
    trail(record())
    spoil(rig.audit_file)
    try:
        status, out, err = countersign(rig, "log")
        assert (status, out) == (3, "")
        assert str(rig.audit_file) in err
    finally:
        if rig.audit_file.is_dir():
            rig.audit_file.rmdir()


def test_only_for_root(rig, trail):
    trail(record())
    rig.audit_file.chmod(0o600)
    got = subprocess.run(
        [rig.program("countersign"), "log", "--config", rig.conf], text=True,
        env=rig._environment(), user="nobody", group="nogroup",
        extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=60)
    assert got.returncode == 3
    assert got.stdout == ""
    assert "ermission denied" in got.stderr


# --- countersign-audit(5) ---------------------------------------------------------

def page():
    return (TOP / PAGE).read_text()


def documented():
    """name: Python type of each member."""
    return {name: TYPES[kind] for name, kind in re.findall(
        r"^\.It Cm (\w+) Pq (\w+)$", page().split(".Sh EVENTS")[0],
        flags=re.M)}


def events():
    """name: the example records of each event."""
    found = {}
    section = page().split(".Sh EVENTS")[1].split(".Sh ")[0]
    for part in section.split("\n.Ss ")[1:]:
        name, text = part.split("\n", 1)
        found[name] = [json.loads(example.split(".Ed")[0].replace("\n", ""))
                       for example in text.split(".Bd -literal\n")[1:]]
        assert found[name]
    return found


def test_every_member_is_documented_and_every_documented_one_exists():
    text = code((TOP / "lib/audit.c").read_text())
    written = set(re.findall(r'\{"(\w+)", a->\w+\}', text))
    written |= set(re.findall(r'\\"(\w+)\\":', text))
    assert len(written) > 15
    assert set(documented()) == written


def test_every_event_is_documented_and_every_documented_one_exists():
    header = (TOP / "lib/audit.h").read_text()
    listed = header.split("struct csign_audit {")[1].split(
        "const char *event;")[0]
    assert set(events()) == set(re.findall(r'"(\w+)"', listed))
    sources = " ".join(path.read_text() for path in (TOP / "lib").glob("*.c"))
    for name in events():
        assert f'"{name}"' in sources, name


def check(one):
    """A record as the page says."""
    members = documented()
    for name, value in one.items():
        assert name in members, name
        assert type(value) is members[name], (name, value)
    always = set(re.findall(
        r"^\.It Cm (\w+) Pq", page().split("In every record:")[1].split(
            "In a record that")[0], flags=re.M))
    assert always <= set(one)
    assert one["event"] in events()
    assert one["result"] in (
        ("push-paused", "push-stopped") if one["event"] == "alert" else
        ("granted", "denied", "refused", "failed"))


def test_examples_are_records():
    for name, examples in events().items():
        for example in examples:
            check(example)
            assert example["event"] == name


def test_every_member_has_an_example():
    seen = set().union(*sum(events().values(), []))
    assert set(documented()) == seen


def test_records_of_real_runs(rig):
    """Everything that one person does in a life with two phones."""
    keep = rig.enrol_soft("lp", "keep", "p256")
    gone = rig.enrol_soft("lp", "gone", "webauthn")
    other = rig.enrol_soft("games", "other", "p256")
    login = rig.login("lp", "--rhost", "h", service="sshd")
    link = login.link()
    other.approve(link)  # proves nothing
    wait_until(lambda: rig.audit()[-1]["result"] == "refused", "the record")
    wait_until(lambda: rig.link_state(link) == "pending", "another try")
    keep.approve(link)
    assert login.end() == "PAM_SUCCESS"
    login = rig.login("lp")
    keep.deny(login.link())
    login.end()
    login = rig.login("lp")
    keep.not_me(login.link())
    login.end()
    with rig.service_down():
        rig.login("lp").end()
    assert countersign(rig, "rename", "lp", "gone", "old")[0] == 0
    code = countersign(rig, "recovery", "lp")[1].split()[0]
    for _ in range(2):
        rig.login("lp", "--answer", code, service="sshd").end()
    saved = countersign(rig, "backup", "-")[1]
    assert countersign(rig, "revoke", "lp", "old")[0] == 0
    assert countersign(rig, "deenroll", "--yes", "games")[0] == 0
    for path in (rig.folder / "state/devices/lp",
                 rig.folder / "state/state" / str(pwd.getpwnam("lp").pw_uid)):
        path.unlink()
    assert countersign(rig, "restore", "-", text=saved)[0] == 0
    records = rig.audit()
    for one in records:
        check(one)
    # a phone that removes itself has a test of its own
    assert {one["event"] for one in records} == set(events()) - {"removal"}
    assert {one["result"] for one in records} == {
        "granted", "denied", "refused", "failed", "push-stopped"}
    seen = set().union(*records)
    # a replaced phone, and evidence, have tests of their own
    assert set(documented()) - seen == {"replaces", "evidence"}
    assert log(rig) == records
