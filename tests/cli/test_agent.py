# SPDX-License-Identifier: BSD-2-Clause
"""countersign called by users: through the agent, on a private machine."""
import array
import json
import os
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import time
from pathlib import Path

import pytest
import private
from agent import SOCKET, Agent, Call, as_user, connect_as
from conftest import countersign, DEVICE_ID, devices
from rig import Rig, SoftPhone
from screen import LINK
from service import wait_until

pexpect = pytest.importorskip("pexpect")
MAGIC = b"csagent1"


@pytest.fixture(scope="module")
def log():
    return private.enter()


@pytest.fixture(scope="module")
def rig(log):
    with Rig(self_enroll="approve", ask_users="carol eve",
             ask_groups="nobodies operators") as one:
        yield one


@pytest.fixture(scope="module")
def agent(rig):
    one = Agent(rig)
    yield one
    one.close()
    # none has crashed; one was killed by a test
    assert {call.returncode for call in one.running} <= {0, -signal.SIGKILL}


@pytest.fixture(scope="module")
def phone(rig):
    return rig.enrol_soft("alice", "Alice's Pixel")


@pytest.fixture
def call(rig, agent):
    running = []

    def begin(user, command, *arguments, **keywords):
        running.append(Call(rig, user, command, *arguments, **keywords))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.end()
    wait_until(agent.idle, "the end of the agents")


@pytest.fixture
def terminal(rig, agent):
    """A command of a user's on a terminal of his own."""
    children = []

    def spawn(user, *arguments, rows=40, columns=80):
        uid = private.ACCOUNTS[user]
        children.append(pexpect.spawn("/usr/bin/setpriv", [
            f"--reuid={uid}", f"--regid={uid}", "--init-groups",
            str(rig.program("countersign")), *arguments], timeout=30,
            env={**rig._environment(), "TERM": "dumb"}, encoding="utf-8",
            dimensions=(rows, columns)))
        return children[-1]

    yield spawn
    for child in children:
        child.close(force=True)


def ids(rig, user):
    return [device["id"] for device in devices(rig) if
            device["user"] == user]


def shown_link(child):
    child.expect(LINK.pattern)
    return child.match.group(0)


def ended(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def records(rig, event):
    return [one for one in rig.audit() if one["event"] == event]


# --- who may what ---------------------------------------------------------------

def test_own_devices(rig, phone, call):
    rig.enrol_soft("bob", "bobs")
    status, out, err = call("alice", "devices", "--json").end()
    assert (status, err) == (0, "")
    assert [one["user"] for one in json.loads(out)["devices"]] == ["alice"]
    status, out, err = call("alice", "devices", "alice").end()
    assert (status, err) == (0, "")
    assert phone.device[:4] in out and "bobs" not in out


def test_text_of_the_own_locale(rig, call):
    rig.enrol_soft("dora", "zwei ü")
    assert "zwei ü" in call("dora", "devices").end()[1]
    env = {**rig._environment(), "LC_ALL": "C"}
    out = call("dora", "devices", env=env).end()[1]
    assert "zwei ?" in out and "ü" not in out


@pytest.mark.parametrize("argv", [
    ("devices", "bob"), ("test", "bob"), ("enroll", "bob"),
    ("revoke", "bob", "phone"), ("deenroll", "bob"), ("deenroll", "root"),
    ("devices", ""), ("devices", "no-such-user")])
def test_nobody_elses(rig, phone, call, argv):
    before = rig.service.log.read_text().count("event=approval_created")
    status, out, err = call("alice", *argv).end()
    assert (status, out) == (1, "")
    assert "only root" in err
    assert rig.service.log.read_text().count(
        "event=approval_created") == before


def test_test(rig, phone, call):
    tried = call("alice", "test")
    phone.approve(tried.link())
    status, out, err = tried.end()
    assert (status, err) == (0, "")
    assert "Approved by Alice's Pixel" in out


@pytest.mark.parametrize("user, allowed", [
    ("carol", True),    # ask_users
    ("eve", True),      # ask_users
    ("bob", True),      # ask_groups, though one of them is not there
    ("alice", True),    # ask_groups
    ("dora", False), ("client", False)])
def test_ask(rig, phone, call, log, user, allowed):
    since = len(log.lines)
    asked = call(user, "ask", "alice", "--title", "T", "--detail", "a=b",
                 "--choice", "go")
    if not allowed:
        status, out, err = asked.end()
        assert (status, out) == (1, "")
        assert "ask_users" in err
        assert log.wait("event=agent_command", since=since).endswith(
            f'user="{user}" uid={private.ACCOUNTS[user]} command=ask '
            'for="alice" allowed=no')
        return
    link = asked.link()
    assert rig.question(link).members["details"] == [
        ["Asked by", user], ["a", "b"]]
    phone.approve(link)
    status, out, err = asked.end()
    assert (status, out) == (0, "go\n")
    assert link in err
    assert rig.audit()[-1]["by"] == user
    assert log.wait("event=agent_done", since=since).endswith("status=0")
    text = "\n".join(log.lines[since:])
    assert "allowed=yes" in text and link.split("#")[1] not in text


def test_ask_is_for_nobody_by_default(rig, phone, call):
    with rig.settings(ask_users=None, ask_groups=None):
        status, _, err = call("carol", "ask", "alice", "--title", "T").end()
    assert status == 1 and "ask_users" in err


@pytest.mark.parametrize("names", ["car", "carolx caro", "operators"])
def test_ask_users_are_whole_names(rig, phone, call, names):
    with rig.settings(ask_users=names, ask_groups=None):
        assert call("carol", "ask", "alice", "--title", "T").end()[0] == 1


@pytest.mark.parametrize("command", [
    "init", "rename", "recovery", "log", "check", "pam", "backup", "restore",
    "check-config", "verify-page", "agent"])
def test_other_commands_are_not_served(rig, agent, command):
    """The program does not even ask; what asks all the same is refused."""
    arguments = {"init": ["--service", "https://a"], "pam": ["show", "sudo"],
                 "rename": ["alice", "a", "b"], "recovery": ["alice"],
                 "backup": ["/run/b"], "restore": ["/run/b"]}.get(command, [])
    status, _, err = raw("eve", command, *arguments)
    assert (status, err) == (1, f"countersign: {command} is for root\n")


def raw(user, *argv):
    """A call as the protocol has it, whatever argv; status, out, err."""
    out, err = os.pipe(), os.pipe()
    with connect_as(user) as client, open("/dev/null", "rb") as null:
        try:
            send(client, request(*argv), [null.fileno(), out[1], err[1]])
        except BrokenPipeError:
            pass  # refused before it was read
        os.close(out[1])
        os.close(err[1])
        texts = []
        for fd in (err[0], out[0]):
            with os.fdopen(fd) as stream:
                texts.append(stream.read())
        status = reply(client)
    return status, texts[1], texts[0]


def request(*argv, magic=MAGIC, flags=0, n_args=None, size=None, text=None):
    if text is None:
        text = b"".join(arg.encode() + b"\0" for arg in argv)
    return struct.pack("=8sIII", magic, flags,
                       len(argv) if n_args is None else n_args,
                       len(text) if size is None else size) + text


def send(client, data, fds):
    client.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                             array.array("i", fds))] if fds else [])


def over(client):
    """Has the agent hung up?"""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:  # it left something unread
        return True


def reply(client):
    client.settimeout(30)
    data = client.recv(100, socket.MSG_WAITALL)
    magic, status = struct.unpack("=8sI", data)
    assert magic == MAGIC
    return status


def test_config_is_not_taken_from_users(rig, phone, agent):
    for argv in (("devices", "--config", str(rig.conf)),
                 ("ask", "alice", "--title", "T", f"--config={rig.conf}")):
        status, out, err = raw("eve", *argv)
        assert (status, out) == (1, "")
        assert "--config is for root" in err


def test_with_config_the_program_runs_as_whoever_calls(rig, call):
    status, out, err = call("alice", "devices", config=rig.conf).end()
    assert (status, out) == (3, "")
    assert "agent" not in err


def test_wrong_usage_is_said_at_once(rig, call, agent):
    before = len(agent.running)
    assert call("alice", "devices", "a", "b").end()[0] == 2
    assert call("alice", "ask", "alice").end()[0] == 2
    assert call("alice", "devices", "--help").end()[0] == 0
    assert len(agent.running) == before
    assert raw("alice", "devices", "a", "b")[0] == 2


def test_root_names_a_user(rig, phone):
    for argv in (("test",), ("enroll", "--yes"), ("deenroll", "--yes"),
                 ("revoke", phone.device)):
        status, out, err = countersign(rig, *argv)
        assert (status, out) == (2, "")
        assert "which user?" in err


def test_root_needs_no_agent(rig, agent, log):
    since = len(log.lines)
    assert countersign(rig, "devices", "bob")[0] in (0, 1)
    status, out, err = raw(0, "devices", "bob")
    assert (status, out, err) == (3, "", "")
    assert log.wait("event=agent_refused", since=since).endswith(
        'reason="root needs no agent"')


def test_a_uid_without_a_name(agent, log):
    since = len(log.lines)
    assert raw(4242, "devices") == (3, "", "")
    assert log.wait("event=agent_refused", since=since).endswith(
        'reason="the uid has no name"')


def test_a_name_that_leads_elsewhere(agent, log):
    """Two accounts of one name: the other one's devices are not shown."""
    passwd = Path("/etc/passwd")
    before = passwd.read_text()
    passwd.write_text(before + "bob:x:4243:4243::/:/bin/sh\n")
    try:
        since = len(log.lines)
        assert raw(4243, "devices") == (3, "", "")
        assert log.wait("event=agent_refused", since=since).endswith(
            'reason="the name leads to another uid"')
    finally:
        passwd.write_text(before)


def test_without_the_agent_it_says_what_to_do(rig):
    call = Call(rig, "client", "devices")
    hidden = Path("/run/countersign/agent.sock")
    if hidden.exists():
        call.end()
        away = hidden.with_name("away.sock")
        hidden.rename(away)
        try:
            call = Call(rig, "client", "devices")
            status, out, err = call.end()
        finally:
            away.rename(hidden)
    else:
        status, out, err = call.end()
    assert (status, out) == (3, "")
    assert "systemctl enable --now countersign.socket" in err


def test_the_agent_is_not_for_terminals(rig):
    status, _, err = countersign(rig, "agent")
    assert status == 2
    assert "countersign.socket" in err


# --- enrolling oneself ----------------------------------------------------------

def test_a_second_device(rig, phone, terminal):
    second = SoftPhone(rig, "alice", "tablet", "webauthn")
    child = terminal("alice", "enroll", "--qr", "off", "--name", "Tab")
    consent = shown_link(child)
    question = rig.question(consent).members
    assert question["title"] == f"Add a device to alice on {private.HOST}"
    assert question["kind"] == "approval"
    assert ["Name", "Tab"] in question["details"]
    phone.approve(consent)
    child.expect("Approved by Alice's Pixel")
    second.enroll(shown_link(child))
    child.expect(DEVICE_ID.pattern)
    assert child.match.group(0).replace("-", "") == second.device
    child.expect("same id")
    assert second.device not in ids(rig, "alice")
    child.sendline("y")
    second.approve(shown_link(child))
    child.expect("Enrolled: Tab")
    assert ended(child) == 0
    [device] = [one for one in devices(rig, "alice")
                if one["id"] == second.device]
    assert device["by"] == "alice" and device["name"] == "Tab"
    assert records(rig, "enrolment")[-1]["by"] == "alice"
    # and a third, approved by the second; as JSON
    third = SoftPhone(rig, "alice", "watch", "webauthn")
    child = terminal("alice", "enroll", "--print-link", "--json")
    second.approve(shown_link(child))
    child.expect("Approved by Tab")
    third.enroll(shown_link(child))
    child.expect("same id")
    child.sendline("y")
    third.approve(shown_link(child))
    child.expect(r"(\{.*\})")
    assert json.loads(child.match.group(1))["id"] == third.device
    assert ended(child) == 0
    assert ids(rig, "alice") == [phone.device, second.device, third.device]
    for one in (second, third):
        assert countersign(rig, "revoke", "alice", one.device)[0] == 0


@pytest.mark.parametrize("settings, user, arguments, status, said", [
    ({"self_enroll": "no"}, "alice", [], 1, "self_enroll"),
    ({"self_enroll": None}, "alice", [], 1, "self_enroll"),
    ({}, "eve", [], 1, "no device"),
    ({}, "alice", ["--yes"], 2, "--yes is for root"),
    ({}, "alice", ["--name", "x" * 65], 2, "64 bytes"),
    ({"max_devices": 1}, "alice", [], 1, "max_devices")])
def test_enrolments_that_are_refused(rig, phone, terminal, settings, user,
                                     arguments, status, said):
    with rig.settings(**settings):
        child = terminal(user, "enroll", "--qr", "off", *arguments)
        if "max_devices" in settings:
            phone.approve(shown_link(child))
        child.expect(re.escape(said))
        assert ended(child) == status
    assert len(ids(rig, user)) <= 1


def test_no_enrolment_without_a_yes_of_an_old_device(rig, phone, terminal):
    new = SoftPhone(rig, "alice", "new", "webauthn")
    child = terminal("alice", "enroll", "--qr", "off")
    consent = shown_link(child)
    before = len(records(rig, "enrolment"))
    # somebody else's phone does not count
    new.approve(consent)
    wait_until(lambda: rig.audit()[-1]["reason"] == "PROOF_DEVICE" and
               rig.link_state(consent) in ("seen", "pending"), "the refusal")
    phone.deny(consent)
    child.expect("nothing was changed")
    assert ended(child) == 1
    assert LINK.search(child.before) is None
    assert len(records(rig, "enrolment")) == before
    assert ids(rig, "alice") == [phone.device]


def test_the_same_caller_compares_the_ids(rig, phone, terminal):
    new = SoftPhone(rig, "alice", "new", "webauthn")
    child = terminal("alice", "enroll", "--qr", "off")
    child.sendline("y")  # too early to be an answer
    phone.approve(shown_link(child))
    child.expect("Approved by")
    new.enroll(shown_link(child))
    child.expect("same id")
    child.sendline("")
    child.expect("nothing was enrolled")
    assert ended(child) == 1
    assert ids(rig, "alice") == [phone.device]


def test_an_enrolment_ends_with_a_revocation(rig, phone, second, terminal):
    """What a stolen phone has approved is over when the phone is."""
    new = SoftPhone(rig, "alice", "new", "webauthn")
    child = terminal("alice", "enroll", "--qr", "off")
    second.approve(shown_link(child))
    child.expect("Approved by second")
    new.enroll(shown_link(child))
    child.expect("same id")
    child.sendline("y")
    test = shown_link(child)
    assert countersign(rig, "revoke", "alice", second.device)[0] == 0
    new.approve(test)
    child.expect("revoked meanwhile")
    assert ended(child) == 1
    assert ids(rig, "alice") == [phone.device]


def take(reading):
    assert select.select([reading], [], [], 30)[0], "nothing to read"
    return os.read(reading, 1 << 20)


def fill(writing):
    """The pipe, so that the next who writes to it waits."""
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x")
    except BlockingIOError:
        os.set_blocking(writing, True)


@pytest.mark.parametrize("command", ["deenroll", "revoke"])
def test_a_consent_is_not_kept(rig, phone, second, agent, pipes, command):
    """The caller lets the command wait after the yes until it suits him."""
    arguments = ["--force", phone.device] if command == "revoke" else []
    reading, writing = pipes[:2]
    with connect_as("alice") as client:
        send(client, request(command, "--json", *arguments),
             [reading, writing, writing])
        text = ""
        while not (link := LINK.search(text)) or "Waiting" not in text:
            text += take(reading).decode()
        fill(writing)
        second.approve(link.group(0))
        wait_until(lambda: rig.audit()[-1]["result"] == "granted" and
                   rig.audit()[-1]["event"] == "approval", "the consent")
        assert countersign(rig, "revoke", "alice", second.device)[0] == 0
        take(reading)
        assert reply(client) == 1
        assert b"revoked meanwhile" in take(reading)
    assert ids(rig, "alice") == [phone.device]


def test_enrolling_needs_a_terminal(rig, phone, call):
    status, out, err = call("alice", "enroll").end()
    assert (status, out) == (2, "")
    assert "terminal" in err
    assert LINK.search(err) is None


def test_ctrl_c_while_enrolling(rig, phone, agent, terminal):
    child = terminal("alice", "enroll", "--qr", "off")
    phone.approve(shown_link(child))
    child.expect("Approved by")
    link = shown_link(child)
    child.sendintr()
    child.expect("nothing was enrolled")
    assert ended(child) == 1
    wait_until(lambda: rig.cancelled(link), "the cancel")
    wait_until(agent.idle, "the end of the agent")
    assert ids(rig, "alice") == [phone.device]


def test_the_qr_code_fits_the_users_terminal(rig, phone, terminal):
    child = terminal("alice", "test", rows=12, columns=40)
    child.expect("too small for the QR code")
    phone.deny(shown_link(child))
    assert ended(child) == 1


# --- removing oneself -----------------------------------------------------------

@pytest.fixture
def second(rig, phone):
    one = rig.enrol_soft("alice", "second")
    yield one
    if one.device in ids(rig, "alice"):
        countersign(rig, "revoke", "--force", "alice", one.device)


@pytest.mark.parametrize("word", ["id", "dashes", "name"])
def test_revoke(rig, phone, second, call, word):
    named = {"id": second.device, "name": "second", "dashes": "-".join(
        re.findall("....", second.device))}[word]
    gone = call("alice", "revoke", *(["alice"] if word == "id" else []), named)
    consent = gone.link()
    question = rig.question(consent).members
    assert question["title"] == f"Remove a device of alice on {private.HOST}"
    [[label, what]] = question["details"]
    assert label == "Device" and "second" in what
    assert second.device in ids(rig, "alice")
    phone.approve(consent)
    status, out, err = gone.end()
    assert (status, err) == (0, "")
    assert "can no longer approve" in out
    assert ids(rig, "alice") == [phone.device]
    assert records(rig, "revoke")[-1]["by"] == "alice"


def test_what_was_approved_is_what_is_revoked(rig, phone, second, call):
    """A name that means something else by then."""
    gone = call("alice", "revoke", "second")
    consent = gone.link()
    path = rig.folder / "state/devices/alice"
    before = path.read_text()
    path.write_text(re.sub(
        r'name="(.*?)"', lambda match: 'name="%s"' % (
            "second" if "Pixel" in match.group(1) else "first"), before))
    try:
        phone.approve(consent)
        assert gone.end()[0] == 0
        assert ids(rig, "alice") == [phone.device]
    finally:
        text = path.read_text()
        path.write_text(text.replace('"second"', '"Alice\'s Pixel"'))


def test_a_device_that_somebody_else_was_faster_with(rig, phone, second, call):
    """Only root may go on to the service, which other hosts may share."""
    gone = call("alice", "revoke", "second")
    link = gone.link()
    assert countersign(rig, "revoke", "alice", second.device)[0] == 0
    phone.approve(link)
    status, _, err = gone.end()
    assert status == 1
    assert "asking the service" not in err


@pytest.mark.parametrize("how", ["deny", "interrupt"])
def test_no_revocation_without_a_yes(rig, phone, second, call, how):
    gone = call("alice", "revoke", "second", "--json")
    link = gone.link()
    phone.deny(link) if how == "deny" else gone.interrupt()
    status, out, err = gone.end()
    assert (status, out) == (1, "")
    assert "nothing was changed" in err
    assert second.device in ids(rig, "alice")


def test_revocations_that_are_refused_at_once(rig, phone, call):
    others = rig.enrol_soft("carol", "carols")
    for argv, said in (((phone.device,), "--force"),
                       ((others.device,), "no such device"),
                       (("no such name",), "no such device"),
                       (("a" * 16,), "no such device")):
        status, out, err = call("alice", "revoke", *argv).end()
        assert (status, out) == (1, ""), argv
        assert said in err and LINK.search(err) is None
    assert ids(rig, "carol") == [others.device]
    status, _, err = call("client", "revoke", "a" * 16).end()
    assert status == 1 and LINK.search(err) is None


def test_two_devices_of_one_name(rig, phone, second, call):
    twin = rig.enrol_soft("alice", "second")
    status, _, err = call("alice", "revoke", "second").end()
    assert status == 2 and "2 devices" in err
    gone = call("alice", "revoke", "--json", twin.device)
    phone.approve(gone.link())
    status, out, _ = gone.end()
    assert status == 0
    assert json.loads(out) == {"user": "alice", "device": twin.device,
                               "host": "removed", "service": "removed"}


def test_the_last_device_goes_with_force(rig, call):
    last = rig.enrol_soft("dora", "last")
    for device in ids(rig, "dora"):
        if device != last.device:
            assert countersign(rig, "revoke", "dora", device)[0] == 0
    gone = call("dora", "revoke", "--force", "last")
    last.approve(gone.link())
    assert gone.end()[0] == 0
    assert ids(rig, "dora") == []


@pytest.mark.parametrize("as_json", [True, False])
def test_deenroll(rig, call, as_json):
    one = rig.enrol_soft("eve", "eves")
    gone = call("eve", "deenroll", *(["--json"] if as_json else []))
    link = gone.link()
    assert rig.question(link).members["title"] == \
        f"Remove every device of eve on {private.HOST}"
    one.approve(link)
    status, out, err = gone.end()
    assert status == 0
    if as_json:
        assert json.loads(out) == {"user": "eve", "host": "removed",
                                   "service": "removed"}
    else:
        assert "forgotten" in out and err == ""
    assert ids(rig, "eve") == []
    assert records(rig, "deenrol")[-1]["by"] == "eve"


def test_no_deenrolment_without_a_yes(rig, call):
    one = rig.enrol_soft("eve", "eves")
    for arguments in ((), ("--yes",)):
        gone = call("eve", "deenroll", *arguments)
        one.deny(gone.link())
        status, _, err = gone.end()
        assert status == 1
        assert "nothing was changed" in err
        assert ids(rig, "eve") == [one.device]
    assert countersign(rig, "deenroll", "--yes", "eve")[0] == 0
    status, out, err = call("eve", "deenroll").end()
    assert (status, out) == (1, "")


# --- what is pending --------------------------------------------------------------

def denied(login):
    return login.end() != "PAM_SUCCESS"


def test_deenrolment_ends_what_is_pending(rig, phone, call):
    """The login, the question of a script: both end refused."""
    one = rig.enrol_soft("bob", "pending")
    login = rig.login("bob")
    link = login.link()
    asked = call("carol", "ask", "bob", "--title", "T")
    asked_link = asked.link()
    assert countersign(rig, "deenroll", "--yes", "bob")[0] == 0
    for late in (link, asked_link):
        try:
            one.approve(late)
        except AssertionError:
            pass  # the service has closed it
    assert denied(login)
    status, out, _ = asked.end()
    assert status != 0 and out == ""


def test_an_account_that_is_gone_is_deenrolled(rig):
    """Its files would be those of the next account of this name."""
    passwd = Path("/etc/passwd")
    before = passwd.read_text()
    passwd.write_text(before + "ghost:x:4300:4300::/:/bin/sh\n")
    try:
        rig.enrol_soft("ghost", "ghosts")
    finally:
        passwd.write_text(before)
    files = [rig.folder / "state/devices/ghost", rig.folder / "state/state/4300"]
    assert files[0].exists()
    status, out, err = countersign(rig, "deenroll", "--yes", "ghost")
    assert (status, err) == (0, "")
    assert "forgotten" in out
    assert not files[0].exists()
    passwd.write_text(before + "ghost:x:4301:4301::/:/bin/sh\n")
    try:
        with rig.settings(unenrolled="ignore"):
            assert rig.login("ghost").end() in ("PAM_IGNORE",
                                                "PAM_PERM_DENIED")
    finally:
        passwd.write_text(before)


def test_deenrolment_with_the_service_away(rig, call):
    """Nothing is cancelled there, and still the answer counts nowhere."""
    one = rig.enrol_soft("bob", "pending")
    asked = call("carol", "ask", "bob", "--title", "T")
    link = asked.link()
    with rig.settings(service="https://127.0.0.1:9"):
        status, _, err = countersign(rig, "deenroll", "--yes", "bob")
        assert status == 0 and "warning" in err
    one.approve(link)
    wait_until(lambda: rig.audit()[-1]["reason"] == "PROOF_DEVICE",
               "the refusal")
    asked.interrupt()
    status, out, _ = asked.end()
    assert status == 1 and out == ""


def test_revocation_counts_for_what_is_pending(rig, phone, second, call):
    tried = call("alice", "test")
    link = tried.link()
    assert countersign(rig, "revoke", "alice", second.device)[0] == 0
    second.approve(link)
    wait_until(lambda: rig.audit()[-1]["reason"] == "PROOF_DEVICE" and
               rig.link_state(link) in ("seen", "pending"), "the refusal")
    phone.deny(link)
    status, out, _ = tried.end()
    assert status == 1 and "Approved" not in out


def test_revoked_while_it_consents(rig, phone, second, call):
    """The consent comes from a device that is gone by then."""
    gone = call("alice", "revoke", phone.device)
    link = gone.link()
    assert countersign(rig, "revoke", "alice", second.device)[0] == 0
    second.approve(link)
    wait_until(lambda: rig.audit()[-1]["reason"] == "PROOF_DEVICE",
               "the refusal")
    gone.interrupt()
    assert gone.end()[0] == 1
    assert ids(rig, "alice") == [phone.device]


# --- standard output, input, error ------------------------------------------------

def test_a_file_is_written_by_its_user(rig, phone, call):
    folder = private.HOME / "alice"
    target, link = folder / "out.json", folder / "link.json"
    link.symlink_to(target)
    script = f'exec "$0" devices --json >{link}'
    got = subprocess.run(
        ["/bin/sh", "-c", script, rig.program("countersign")],
        env=rig._environment(), stdin=subprocess.DEVNULL, timeout=60,
        stderr=subprocess.PIPE, **as_user("alice"))
    assert (got.returncode, got.stderr) == (0, b"")
    assert json.loads(target.read_text())["devices"][0]["user"] == "alice"
    assert target.stat().st_uid == private.ACCOUNTS["alice"]
    assert stat.S_ISREG(target.stat().st_mode)


def test_both_into_one_file(rig, phone, call):
    with open("/run/both", "wb") as file:
        asked = call("alice", "test", stdout=file, stderr=file)
        path = Path("/run/both")
        wait_until(lambda: LINK.search(path.read_text()), "the link")
        phone.deny(LINK.search(path.read_text()).group(0))
        assert asked.end()[0] == 1
    assert "denied on the phone" in path.read_text()


def test_a_full_device_is_trouble(rig, phone, call):
    with open("/dev/full", "wb") as full:
        one = call("alice", "devices", stdout=full)
        status, _, err = one.end()
    assert status == 3 and "standard output" in err


def test_a_reader_that_is_gone(rig, phone, call):
    reading, writing = os.pipe()
    os.close(reading)
    one = call("alice", "devices", stdout=writing)
    os.close(writing)
    assert one.end()[0] == 3


def test_a_socket_gets_no_identity_of_roots(rig, phone, call):
    """What reads from a socket may ask who has written: the user did."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    with ours:
        with theirs:
            one = call("alice", "devices", "--json", stdout=theirs)
        data, uids = b"", set()
        while True:
            more, ancillary, _, _ = ours.recvmsg(65536, 1024)
            if not more:
                break
            data += more
            uids |= {struct.unpack("3i", item[2][:12])[1]
                     for item in ancillary
                     if item[1] == socket.SCM_CREDENTIALS}
        assert one.end()[0] == 0
    assert json.loads(data)["devices"]
    assert uids == {private.ACCOUNTS["alice"]}


def test_an_answer_is_read_from_the_users_terminal_only(rig, phone, call):
    """A pipe with a yes in it is no person."""
    reading, writing = os.pipe()
    os.write(writing, b"y\ny\n")
    one = call("alice", "enroll", stdin=reading)
    os.close(reading)
    assert one.end()[0] == 2
    os.close(writing)


# --- hostile clients --------------------------------------------------------------

@pytest.fixture
def refused(agent, log):
    """Sends something, as eve; checks that it ends there."""
    def check(data, fds, reason, after=None):
        since = len(log.lines)
        before = len(agent.running)
        with connect_as("eve") as client:
            if data:
                send(client, data, fds)
            if after:
                after(client)
            assert reply(client) == 3
            assert over(client)
        line = log.wait("event=agent_refused", since=since)
        assert line and line.endswith(f'reason="{reason}"'), line
        assert not [one for one in log.lines[since:]
                    if "event=agent_command" in one]
        wait_until(agent.idle, "the end of the agent")
        assert len(agent.running) == before + 1
    return check


@pytest.fixture
def pipes():
    """Three descriptors as they should be."""
    reading, writing = os.pipe()
    yield [reading, writing, writing]
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("data, reason", [
    (request("devices", magic=b"csagent2"), "magic"),
    (request("devices", magic=b"\0" * 8), "magic"),
    (request("devices", flags=2), "flags"),
    (request("devices", flags=0xffffffff), "flags"),
    (request(n_args=0, text=b""), "size"),
    (request(*["x"] * 65), "size"),
    (request("devices", n_args=0xffffffff), "size"),
    (request("devices", size=32769), "size"),
    (request("devices", size=0xffffffff), "size"),
    (request("devices", n_args=2), "arguments"),
    (request("devices", "alice", n_args=1), "arguments"),
    (request(n_args=1, text=b"devices"), "arguments"),
    (request(n_args=1, text=b""), "arguments"),
    (request("devices")[:12], "head"),
    (request("devices")[:1], "head"),
    (b"GET / HTTP/1.1\r\n\r\n", "head"),
], ids=lambda value: value if isinstance(value, str) else None)
def test_requests_that_are_malformed(refused, pipes, data, reason):
    refused(data, pipes, reason)


@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 253])
def test_other_numbers_of_descriptors(refused, pipes, n):
    refused(request("devices"), (pipes * 85)[:n], "descriptors")


def test_descriptors_come_with_the_first_byte(refused, pipes):
    """Those that come later are nobody's."""
    data = request("devices")
    refused(data[:20], [], "descriptors",
            lambda client: send(client, data[20:], pipes))


@pytest.mark.parametrize("path, flags", [
    ("/proc/self/oom_score_adj", os.O_RDWR),
    ("/proc/sys/kernel/hostname", os.O_RDONLY),
    ("/run/file", os.O_RDWR | os.O_CREAT), ("/etc/shadow", os.O_RDONLY),
    ("/dev/zero", os.O_RDWR), ("/dev/full", os.O_WRONLY),
    ("/run", os.O_RDONLY | os.O_DIRECTORY), ("/run", os.O_PATH),
    ("/run", os.O_RDWR | os.O_TMPFILE)])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_descriptors_that_root_does_not_touch(refused, pipes, path, flags,
                                              place):
    fd = os.open(path, flags, 0o666)
    try:
        pipes[place] = fd
        refused(request("devices"), pipes, "kind of descriptor")
        if path == "/run/file":
            assert os.fstat(fd).st_size == 0
    finally:
        os.close(fd)


@pytest.mark.parametrize("kind", [socket.AF_UNIX, socket.AF_INET,
                                  socket.AF_NETLINK])
def test_sockets_that_root_does_not_touch(refused, pipes, kind):
    with socket.socket(kind, socket.SOCK_DGRAM) as one:
        refused(request("devices"), [*pipes[:2], one.fileno()],
                "kind of descriptor")


@pytest.mark.parametrize("data, reason", [
    (b"", "slow"), (request("devices", size=100)[:40], "slow")],
    ids=["nothing", "half"])
def test_a_client_that_is_slow(refused, pipes, data, reason):
    started = time.monotonic()
    refused(data, pipes, reason)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("data", [
    b"", request("devices")[:5], request("devices", size=100)])
def test_a_client_that_disappears_while_it_asks(agent, log, pipes, data):
    since = len(log.lines)
    with connect_as("eve") as client:
        if data:
            send(client, data, pipes)
    assert log.wait("event=agent_refused", since=since)
    wait_until(agent.idle, "the end of the agent")


@pytest.mark.parametrize("how", ["close", "shutdown", "more", "kill"])
def test_a_client_that_leaves_stops_the_command(rig, phone, agent, call, pipes,
                                                how):
    if how == "kill":
        one = call("alice", "test")
        link = one.link()
        one.process.kill()
    else:
        client = connect_as("alice")
        reading, writing = os.pipe()
        send(client, request("test"), [pipes[0], writing, writing])
        os.close(writing)
        with os.fdopen(reading) as stream:
            while not (found := LINK.search(stream.readline())):
                pass
            link = found.group()
            if how == "shutdown":
                client.shutdown(socket.SHUT_WR)
            elif how == "more":
                client.send(b"x")
            else:
                client.close()
            stream.read()
        if how != "close":
            assert reply(client) == 1
            client.close()
    wait_until(lambda: rig.cancelled(link), "the cancel")
    wait_until(agent.idle, "the end of the agent")


def test_a_reader_that_sleeps_does_not_keep_the_agent(rig, phone, agent):
    """The command fills a pipe that nobody empties; its user leaves."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writing, True)
    before = len(agent.running)
    with connect_as("alice") as client:
        send(client, request("test"), [reading, writing, writing])
        wait_until(lambda: len(agent.running) > before and
                   children(agent.running[-1].pid), "the command")
    try:
        wait_until(agent.idle, "the end of the agent")
    finally:
        os.close(reading)
        os.close(writing)


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_the_command_has_nothing_but_three_descriptors(rig, phone, agent, call,
                                                       log):
    env = {**rig._environment(), "SSLKEYLOGFILE": "/run/keys",
           "https_proxy": "http://127.0.0.1:1", "TMPDIR": "/run/home/alice"}
    one = call("alice", "test", env=env, cwd="/run/home/alice")
    link = one.link()
    [child] = children(agent.running[-1].pid)
    proc = Path("/proc", child)
    assert os.readlink(proc / "cwd") == "/"
    assert os.getsid(int(child)) == int(child)  # no terminal is its own
    assert "Uid:\t0\t0\t0\t0" in (proc / "status").read_text()
    kinds = {os.readlink(path) for path in (proc / "fd").iterdir()
             if int(path.name) <= 2}
    assert not [kind for kind in kinds if kind.startswith("socket")]
    assert b"SSLKEYLOGFILE" not in (proc / "environ").read_bytes()
    phone.approve(link)
    assert one.end()[0] == 0
    assert not Path("/run/keys").exists()


def test_signals_are_not_what_the_server_made_of_them(rig, phone, agent, call):
    def spoil():
        every = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}
        for signo in (signal.SIGCHLD, signal.SIGTERM, signal.SIGALRM):
            signal.signal(signo, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, every)

    agent.first = spoil
    try:
        one, two = call("alice", "test"), call("alice", "test")
        phone.approve(one.link())
        assert one.end()[0] == 0
        link = two.link()
        two.interrupt()
        assert two.end()[0] == 1
        wait_until(lambda: rig.cancelled(link), "the cancel")
    finally:
        agent.first = None


def test_the_stop_of_the_agent_stops_the_command(rig, phone, agent, call):
    one = call("alice", "test")
    link = one.link()
    agent.running[-1].send_signal(signal.SIGTERM)
    assert one.end()[0] == 1
    wait_until(lambda: rig.cancelled(link), "the cancel")


def test_the_death_of_the_agent_is_the_commands(rig, phone, agent, call):
    one = call("alice", "test")
    link = one.link()
    agent.running[-1].kill()
    status, _, err = one.end()
    assert status == 3 and "without an answer" in err
    wait_until(lambda: rig.cancelled(link), "the cancel")


def test_too_much_at_once_is_said_by_the_program(rig, phone, call, agent):
    before = len(agent.running)
    status, out, err = call("alice", "ask", "alice", "--title", "T",
                            "--detail", "a=" + "x" * 33000).end()
    assert (status, out) == (3, "")
    assert "too much at once" in err
    wait_until(agent.idle, "the end of the agent")
    assert len(agent.running) - before <= 1


def test_many_at_once(rig, phone, agent, call):
    calls = [call(user, "devices", "--json") for user in
             ("alice", "bob", "carol", "dora") * 4]
    for one in calls:
        assert one.end()[0] in (0, 1)


def test_one_user_does_not_take_all(rig, phone, agent, call, log):
    """Eight who say nothing; the ninth is refused, another user is not."""
    since, before, many = len(log.lines), len(agent.running), []
    try:
        for n in range(1, 9):
            many.append(connect_as("alice"))
            wait_until(lambda n=n: locked_places("alice") == n and
                       len(agent.running) == before + n, "its place")
            # Its time for the request must not run out meanwhile.
            agent.running[-1].send_signal(signal.SIGSTOP)
        ninth = connect_as("alice")
        assert reply(ninth) == 3
        assert log.wait('reason="too many at a time"', since=since)
        ninth.close()
        assert call("bob", "devices", "--json").end()[0] in (0, 1)
        many.pop().close()
        agent.running[before + 7].send_signal(signal.SIGCONT)
        wait_until(lambda: locked_places("alice") == 7, "a free place")
        assert call("alice", "devices", "--json").end()[0] == 0
    finally:
        for one in many:
            one.close()
        for one in agent.running[before:]:
            one.send_signal(signal.SIGCONT)
    assert {stat.S_IMODE(path.stat().st_mode) for path in
            SOCKET.parent.glob("*.[0-9]")} == {0o600}


def locked_places(user):
    """How many of a user's files are locked."""
    files = [path.stat() for path in
             SOCKET.parent.glob(f"{private.ACCOUNTS[user]}.*")]
    # Every machine's are listed, and who waits for one: "->".
    names = {f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:"
             f"{file.st_ino}" for file in files}
    return len([line for line in Path("/proc/locks").read_text().splitlines()
                if "->" not in line and line.split()[5] in names])


def test_log_lines_stay_lines(agent, log):
    since = len(log.lines)
    raw("eve", "devices", 'x"\nevent=forged user="root\\')
    line = log.wait("event=agent_command", since=since)
    assert line.count("event=") == 2 and "\n" not in line
    assert 'for="x??event=forged?user=?root?"' in line
