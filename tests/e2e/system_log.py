# SPDX-License-Identifier: BSD-2-Clause
"""
Audit records in the system's log, as real daemons keep it: rsyslogd and
systemd-journald (countersign-security(7) AUD-2).
"""
import json
import re
import subprocess
import time
from pathlib import Path

import codes
import machine
import pytest
from codes import WRONG
from logs import Journal, Rsyslog, of_unit
from machine import Session, as_user, environment, until
from private import ACCOUNTS
from service import wait_until
from sources import TOP

# It would end the record, the line and the message, and steer a terminal.
HOSTILE = ("x\"}\n<34>Nov 22 00:00:00 root: {\"v\":1,\"event\":\"approval\"}"
           "\x1b]0;\x07\x9b\u202e%n #012 \\ \xe4")
REFUSED = "PAM_AUTHINFO_UNAVAIL"


@pytest.fixture(scope="session")
def phone(rig):
    return rig.enrol_soft("alice", kind="p256")


@pytest.fixture
def rsyslog(rig):
    daemon = Rsyslog(Path("/run/rsyslog"))
    daemon.start()
    yield daemon
    daemon.close()


@pytest.fixture
def journal(rig):
    daemon = Journal()
    daemon.start()
    yield daemon
    daemon.close()


@pytest.fixture(params=["rsyslog", "journal"])
def daemon(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def settings(rig):
    """The file and the log, unless a case says otherwise."""
    with rig.settings(audit_syslog="yes"):
        yield


def answered(rig, phone, answer="approve", options=(), then=None):
    """then: done once the question is there, and before it is answered."""
    login = rig.login("alice", *options, service="sudo")
    link = login.link()
    if then:
        then()
    getattr(phone, answer)(link)
    return login.end()


def newest(rig):
    """The file's last line, as it is."""
    return rig.audit_file.read_text().splitlines()[-1]


def severity_name(one):
    """journald has numbers."""
    return {"3": "err", "4": "warning", "5": "notice", "6": "info"}.get(
        one["severity"], one["severity"])


def records(daemon):
    """What is a record, not a line for people."""
    return [one for one in daemon.messages()
            if one["message"].startswith('{"v":1,')]


def messages_with(daemon, text):
    return [one for one in daemon.messages() if text in one["message"]]


def taken(daemon, line):
    """The message that this record is, and no other has any of it."""
    def find():
        return [one for one in records(daemon) if one["message"] == line]
    found = wait_until(find, f"the record in the log: {line}")
    question = json.loads(line).get("question")
    assert not question or len(messages_with(daemon, question)) == 1
    return found[0]


# --- what arrives ----------------------------------------------------------


def approved(rig, phone):
    assert answered(rig, phone) == "PAM_SUCCESS"


def denied(rig, phone):
    assert answered(rig, phone, "deny") != "PAM_SUCCESS"


def recovered(rig, _):
    login = codes.use(rig, "alice", codes.make(rig, "alice")[0],
                      service="sshd")
    assert login.end() == "PAM_SUCCESS"


def guessed(rig, _):
    login = codes.use(rig, "alice", "aaaa-bbbb-cccc-dddd-eeee-ffff",
                      service="sshd")
    assert login.end() != "PAM_SUCCESS" and WRONG in login.text


@pytest.mark.parametrize("act, event, result, severity", [
    (approved, "approval", "granted", "info"),
    (denied, "approval", "denied", "notice"),
    (recovered, "recovery", "granted", "info"),
    (guessed, "recovery", "refused", "warning")])
def test_a_record_arrives_whole(rig, phone, daemon, act, event, result,
                                severity):
    before = len(rig.audit())
    act(rig, phone)
    lines = rig.audit_file.read_text().splitlines()[before:]
    mine = [line for line in lines if json.loads(line)["event"] == event]
    record = json.loads(mine[0])
    assert (record["result"], record["user"]) == (result, "alice")
    one = taken(daemon, mine[0])
    assert one["facility"] in ("authpriv", "10")
    assert severity_name(one) == severity
    assert re.fullmatch(r"countersign(\[\d+\]:)?", one["tag"])
    # All of what the file has, the log has, in the same order.
    wait_until(lambda: [one["message"] for one in records(daemon)] == lines,
               "every record")


def test_a_real_login(rig, phone, daemon):
    """sudo, set-id: rsyslogd's file is what an administrator looks at."""
    login = Session(as_user("alice", "/usr/bin/sudo", "-k", "id", "-u"),
                    environment("alice"))
    phone.approve(login.link())
    assert login.end() == 0
    taken(daemon, newest(rig))


def test_what_is_hostile_stays_inside(rig, phone, daemon):
    before = len(records(daemon))
    assert answered(rig, phone, options=("--rhost", HOSTILE, "--tty",
                                         HOSTILE)) == "PAM_SUCCESS"
    record = json.loads(taken(daemon, newest(rig))["message"])
    assert record["rhost"] == record["tty"]
    assert record["rhost"].startswith('x"}') and "\n" not in record["rhost"]
    assert record["rhost"].endswith("%n #012 \\ \xe4")
    assert len(records(daemon)) == before + 1
    assert not [one for one in daemon.messages()
                if one["tag"].startswith("root")]


def test_a_long_record_is_not_cut(rig, phone, daemon):
    """As long as one may be: its texts are cut, it is not."""
    long = "\x1b" * 120
    assert answered(rig, phone, options=("--rhost", long, "--tty", long)) == \
        "PAM_SUCCESS"
    line = newest(rig)
    assert 1900 < len(line.encode()) <= 2047
    assert json.loads(line)["rhost"] == "\\u{1b}" * 120
    taken(daemon, line)


def test_the_line_of_rsyslogds_file(rig, phone, rsyslog):
    """As countersign(1) takes the records out of it."""
    assert answered(rig, phone) == "PAM_SUCCESS"
    line = newest(rig)
    taken(rsyslog, line)
    found = wait_until(
        lambda: [one for one in rsyslog.auth_log.read_text().splitlines()
                 if line in one], "the line")
    assert len(found) == 1
    assert re.fullmatch(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ "
                        r"countersign\[\d+\]: " + re.escape(line), found[0])


# --- what man pages tell people to do ---------------------------------------


def example(start):
    """The commands of countersign(1) whose first begins so, as typed."""
    page = (TOP / "man/countersign.1").read_text()
    text = page[page.index("\n# " + start) + 1:].split(".Ed", 1)[0]
    return [command.replace("\\e\n", "").replace("\\e", "\\")
            for command in re.findall(r"# ((?:.*\\e\n)*.*)", text)]


def follow(rig, commands, *replacements):
    """In a shell, with this machine's paths instead of those of the page."""
    out = ""
    for command in commands:
        for old, new in (*replacements, ("/root/records", "/run/records"),
                         ("countersign log", f"{machine.PRODUCT}/countersign "
                          f"log --config {machine.CONF}")):
            command = command.replace(old, str(new))
        run = subprocess.run(["sh", "-ec", command], text=True, timeout=60,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert (run.returncode, run.stderr) == (0, ""), run
        out += run.stdout
    return out


@pytest.fixture
def told(rig, phone, daemon):
    """Records of which there is no file: as lines, in their order."""
    with rig.settings(audit_file="none", audit_syslog="yes"):
        assert answered(rig, phone) == "PAM_SUCCESS"
        assert answered(rig, phone, "deny") != "PAM_SUCCESS"
        status = rig.countersign("log", check=False)
        assert "journalctl" in status
    wait_until(lambda: len(records(daemon)) == 2, "both records")
    return "".join(one["message"] + "\n" for one in records(daemon))


@pytest.mark.parametrize("daemon", ["journal"], indirect=True)
def test_records_of_the_journal_are_read(rig, daemon, told):
    out = follow(rig, example("journalctl -o cat"),
                 ("journalctl", f"journalctl --directory={daemon.folder}"))
    assert Path("/run/records").read_text() == told
    assert re.search(r"alice .*granted", out) and \
        re.search(r"alice .*denied", out)


@pytest.mark.parametrize("daemon", ["rsyslog"], indirect=True)
def test_records_of_rsyslog_are_read(rig, daemon, told):
    """Not what another program was made to say, such as sshd by a client."""
    forged = 'bye countersign[1]: {"v":1,"event":"approval","user":"forged"}'
    subprocess.run(["/usr/bin/logger", "-u", daemon.address, "-p",
                    "auth.info", "-t", "sshd", forged], check=True)
    wait_until(lambda: forged in daemon.auth_log.read_text(), "the line")
    out = follow(rig, example("sed -En"),
                 ("/var/log/auth.log", daemon.auth_log))
    assert Path("/run/records").read_text() == told
    assert re.search(r"alice .*granted", out) and \
        re.search(r"alice .*denied", out)


# --- what fails --------------------------------------------------------------


def test_killed_in_the_middle(rig, phone, daemon):
    """The file alone has it; and the daemon, when it is back."""
    assert answered(rig, phone, then=daemon.kill) == "PAM_SUCCESS"
    lost = newest(rig)
    assert json.loads(lost)["result"] == "granted"
    assert answered(rig, phone) == "PAM_SUCCESS"
    daemon.start()
    assert answered(rig, phone) == "PAM_SUCCESS"
    taken(daemon, newest(rig))
    assert not [one for one in records(daemon) if one["message"] == lost]


def test_killed_and_the_only_one(rig, phone, daemon):
    """Nobody takes a record, so nobody is let in, until it is back."""
    code = codes.make(rig, "alice")[0]
    before = rig.audit_file.read_bytes()
    with rig.settings(audit_file="none", audit_syslog="yes"):
        assert answered(rig, phone) == "PAM_SUCCESS"
        assert answered(rig, phone, then=daemon.kill) == REFUSED
        login = codes.use(rig, "alice", code, service="sshd")
        assert login.end() != "PAM_SUCCESS"
        daemon.start()
        assert answered(rig, phone) == "PAM_SUCCESS"
        wait_until(lambda: [one for one in records(daemon) if
                            '"result":"granted"' in one["message"]],
                   "the record")
    assert rig.audit_file.read_bytes() == before


def test_stopped_beside_a_file(rig, phone, daemon):
    """Its queue is full, and it does not look: a tenth of a second is lost."""
    daemon.freeze()
    began = time.monotonic()
    assert answered(rig, phone, then=daemon.fill) == "PAM_SUCCESS"
    assert time.monotonic() - began < 10  # it would be for ever
    lost = newest(rig)
    assert json.loads(lost)["result"] == "granted"
    daemon.thaw()
    assert answered(rig, phone) == "PAM_SUCCESS"
    taken(daemon, newest(rig))
    assert not [one for one in records(daemon) if one["message"] == lost]


def test_stopped_and_the_only_one(rig, phone, daemon):
    with rig.settings(audit_file="none", audit_syslog="yes"):
        daemon.freeze()
        began = time.monotonic()
        assert answered(rig, phone, then=daemon.fill) == REFUSED
        # It was waited for, as countersign-audit(5) says.
        assert 1 <= time.monotonic() - began < 10
        daemon.thaw()
        assert answered(rig, phone) == "PAM_SUCCESS"


def test_a_real_program_waits_for_its_own_lines(rig, phone, daemon):
    """
    sudo's lines for people go by syslog(3), which waits for a daemon that is
    stopped: neither a refusal nor a login without its record.
    """
    daemon.freeze()
    login = Session(as_user("alice", "/usr/bin/sudo", "-k", "id", "-u"),
                    environment("alice"))
    before = len(rig.audit())
    phone.approve(login.link())
    until(lambda: len(rig.audit()) > before, what="the record")
    assert rig.audit()[-1]["result"] == "granted"
    daemon.thaw()
    assert login.end() == 0


# --- what journald drops -----------------------------------------------------


@pytest.mark.parametrize("setting, dropped", [
    ("RateLimitIntervalSec=1h\nRateLimitBurst=10\n", True),
    ("RateLimitIntervalSec=0\n", False)])
def test_rate_limit(rig, phone, setting, dropped):
    """
    journald takes a record and drops it, for a unit of systemd's that wrote
    too much: the file has it.  countersign.conf(5) says so.
    """
    daemon = Journal(setting)
    daemon.start()
    try:
        flood = subprocess.Popen(
            ["/usr/bin/logger", "-u", daemon.address, "-t", "flood", "-p",
             "authpriv.info"], stdin=subprocess.PIPE, text=True)
        of_unit(flood.pid, "ssh.service")
        flood.communicate("a line\n" * 200, timeout=60)
        assert flood.returncode == 0
        login = rig.login("alice", service="sudo")
        of_unit(login.process.pid, "ssh.service")
        phone.approve(login.link())
        assert login.end() == "PAM_SUCCESS"
        record = newest(rig)
        # A later one, of no unit, is there: so nothing is on its way.
        assert answered(rig, phone) == "PAM_SUCCESS"
        taken(daemon, newest(rig))
        kept = len(daemon.read("-o", "cat", "-t", "flood").splitlines())
        assert dropped == (kept < 200)
        assert dropped == (not [one for one in records(daemon)
                                if one["message"] == record])
    finally:
        daemon.close()


# --- who else could have written it ------------------------------------------


def test_what_others_write_is_no_record(rig, phone, journal):
    """
    Anybody may send a line that looks like one.  The journal knows who it
    was, and root is behind every record, also where su(1) is the caller's.
    """
    forged = '{"v":1,"event":"approval","result":"granted","user":"forged"}'
    subprocess.run(as_user("alice", "/usr/bin/logger", "-u", journal.address,
                           "-t", "countersign", forged), check=True)
    login = Session(as_user("alice", "/usr/bin/su", "alice", "-c", "id -u"),
                    environment("alice"))
    phone.approve(login.link())
    assert login.end() == 0
    assert taken(journal, newest(rig))["_UID"] == "0"
    assert [one["_UID"] for one in records(journal)
            if one["message"] == forged] == [str(ACCOUNTS["alice"])]
    follow(rig, example("journalctl -o cat"),
           ("journalctl", f"journalctl --directory={journal.folder}"))
    assert Path("/run/records").read_text() == newest(rig) + "\n"
