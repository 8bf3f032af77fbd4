# SPDX-License-Identifier: BSD-2-Clause
"""countersignd user and host rotate, beside a service that runs."""
import contextlib
import json
import re
import sqlite3
import threading
import time

import pytest

from service import Host, Service, device_id, wait_until
from sources import TOP

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture
def service():
    with Service() as found:
        yield found


@pytest.fixture
def host(service):
    return service.add_host("web1")


# --- users ------------------------------------------------------------------

def test_list(service, host):
    assert service.ask_command("user", "list") == []
    other = service.add_host("web2")
    host.enrol_device("bob", device_id())
    host.enrol_device("alice", device_id())
    host.enrol_device("alice", device_id())
    other.enroll("alice")
    users = service.ask_command("user", "list")
    assert [(u["space"], u["username"], u["status"], u["devices"])
            for u in users] == [("web1", "alice", "active", 2),
                                ("web1", "bob", "active", 1),
                                ("web2", "alice", "new", 0)]
    assert all(re.fullmatch(TIME, u["createdAt"]) and
               re.fullmatch(r"[\w-]{22}", u["userId"]) for u in users)
    assert set(users[0]) == {"userId", "username", "space", "status",
                             "createdAt", "devices"}
    for words in (("--host", "web2"), ("--space", "web2")):
        assert [u["userId"] for u in service.ask_command(
            "user", "list", *words)] == [users[2]["userId"]]
    table = service.command("user", "list").stdout.splitlines()
    assert table[0].split() == ["NAME", "SPACE", "CREATED", "DEVICES"]
    assert [line.split()[:2] for line in table[1:]] == [
        ["alice", "web1"], ["bob", "web1"], ["alice", "web2"]]


@pytest.mark.parametrize("verb", [["list"], ["show", "x"], ["remove", "x"]])
@pytest.mark.parametrize("option", ["--host", "--space"])
def test_unknown_host_or_space(service, host, verb, option):
    run = service.command("user", *verb, option, "none")
    assert (run.returncode, run.stdout) == (1, "")
    assert f'there is no {option[2:]} "none"' in run.stderr


def test_show(service, host):
    device, gone = device_id(), device_id()
    host.enrol_device("alice", device, "Alice's Pixel")
    host.enrol_device("alice", gone, "old").ask_removal(gone)
    user = service.ask_command("user", "show", "alice")
    assert user["space"] == "web1" and user["status"] == "active"
    assert user["userId"] == \
        host.get("/api/v1/users?username=alice").json["userId"]
    assert {a["authenticatorId"]: (a["name"], a.get("removed"))
            for a in user["authenticators"]} == {
        device: ("Alice's Pixel", None), gone: ("old", True)}
    text = service.command("user", "show", "alice", "--host", "web1").stdout
    for word in ("alice", "web1", "active", device, "Alice's Pixel", gone,
                 "(removed by the phone)"):
        assert word in text
    assert text.count("removed") == 1


def test_user_in_several_spaces(service, host):
    other = service.add_host("web2")
    for found in (host, other):
        found.enroll("alice")
    for verb in ("show", "remove"):
        run = service.command("user", verb, "alice")
        assert (run.returncode, run.stdout) == (1, "")
        assert "2 spaces" in run.stderr and "--space" in run.stderr
    assert service.ask_command("user", "remove", "alice", "--host",
                               "web2")["space"] == "web2"
    assert [u["space"] for u in service.ask_command("user", "list")] == [
        "web1"]


@pytest.mark.parametrize("verb", ["show", "remove"])
@pytest.mark.parametrize("name", ["nobody", "", "Alice", "x" * 400])
def test_no_such_user(service, host, verb, name):
    host.enroll("alice")
    run = service.command("user", verb, name)
    assert (run.returncode, run.stdout) == (1, "")
    assert "no such user" in run.stderr


def soon(poll):
    """Long before the wait ends by itself."""
    begun = time.monotonic()
    return poll.result().at - begun < 15


def test_remove_while_it_runs(service, host):
    """What was open is cancelled, and who waits hears it soon."""
    device, phone = device_id(), service.phone()
    own = host.enrol_device("alice", device)
    question, enrolment = host.ask(username="alice"), host.enroll("alice")
    others = host.ask(username="bob")
    polls = [host.poll(question, after=1), phone.watch(enrolment, after=1)]
    run = service.command("user", "remove", "alice")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert all(soon(poll) for poll in polls)
    assert polls[0].result().json["event"] == "cancelled"
    assert polls[1].result().json["state"] == "cancelled"
    assert host.get("/api/v1/users?username=alice").status == 404
    assert own.own_devices().status == 403
    assert phone.open(question).status == 410
    assert phone.open(others).status == 200
    # The host has its room again.
    assert all(host.ask(username="alice").reply.status == 201
               for _ in range(3))


def test_removed_by_its_host_while_phones_wait(service, host):
    phone = service.phone()
    user = host.enroll("alice").reply.json["userId"]
    question = host.ask(username="alice")
    phone.answer(question)
    watch, poll = phone.watch(question, after=2), host.poll(question, after=2)
    assert host.request("DELETE", f"/api/v1/users/{user}").status == 204
    assert watch.result().json["state"] == "cancelled"
    assert poll.result().json["event"] == "cancelled"


def test_remove_without_a_service(service, host):
    host.enrol_device("alice", device_id())
    question = host.ask(username="alice")
    assert service.stop() == 0
    assert service.ask_command("user", "remove", "alice")["username"] == \
        "alice"
    service.start()
    assert host.status(question).json["event"] == "cancelled"


def test_names_are_made_harmless(service, host):
    name = 'al"i\\ce\u202e\u200b'
    host.enroll(name)
    user, = service.ask_command("user", "list")
    assert user["username"] == name
    for words in (["list"], ["show", name]):
        text = service.command("user", *words).stdout
        assert r"\u{202e}\u{200b}" in text
        assert "\u202e" not in text


def test_revoked_hosts_courier_hears_it_soon(service, host):
    poll = service.anybody().later("POST", "/api/v1/status", {
        "statusToken": host.ask(username="alice").token, "wait": 30,
        "after": 1})
    revoked = service.ask_command("host", "revoke", "web1")
    assert revoked["name"] == revoked["space"] == "web1"
    assert soon(poll)
    assert poll.result().json == {"status": "unknown"}


# --- rotation ---------------------------------------------------------------

def rotate(service, *words):
    run = service.command("host", "rotate", "web1", *words)
    assert (run.returncode, run.stderr) == (0, ""), run
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}\n", run.stdout)
    return Host(service, "web1", run.stdout.strip())


def works(host):
    status = host.get("/ping").status
    assert status in (200, 401)
    return status == 200


def pass_time(service, minutes):
    with contextlib.closing(sqlite3.connect(service.database)) as db, db:
        db.execute("UPDATE old_keys SET ends = ends - ?", (minutes * 60000,))


def test_rotate(service, host):
    new = rotate(service)
    assert new.key != host.key
    assert works(host) and works(new)
    pass_time(service, 9)
    assert works(host) and works(new)
    pass_time(service, 2)
    assert not works(host) and works(new)
    for path in service.database.parent.iterdir():
        assert new.key.encode() not in path.read_bytes()
    assert new.key not in service.log.read_text()


def test_rotate_keeps_everything_else(service, host):
    host.enrol_device("alice", device_id())
    before = service.ask_command("host", "list")
    question = host.ask(username="alice")
    new = rotate(service)
    service.phone().answer(question)
    assert new.outcome(question, "granted").status == 204
    assert len(new.devices("alice")) == 1
    after = service.ask_command("host", "list")
    assert re.fullmatch(TIME, after[0].pop("oldKeyUntil"))
    assert after == before
    assert "old key until" in service.command("host", "list").stdout


def test_rotate_as_json(service, host):
    made = service.ask_command("host", "rotate", "web1", "--overlap", "3")
    assert set(made) == {"name", "space", "createdAt", "rights",
                         "oldKeyUntil", "accessKey"}
    assert works(Host(service, "web1", made["accessKey"]))
    made = service.ask_command("host", "add", "web9")
    assert set(made) == {"name", "space", "createdAt", "rights", "accessKey"}
    assert works(Host(service, "web9", made["accessKey"]))


def test_rotate_without_overlap_ends_all_older_keys(service, host):
    """A key that is known to others must not outlive the next rotation."""
    second = rotate(service, "--overlap", "1440")
    assert works(host) and works(second)
    third = rotate(service, "--overlap", "0")
    assert not works(host) and not works(second) and works(third)
    assert "oldKeyUntil" not in service.ask_command("host", "list")[0]


def test_shorter_overlap_counts_for_older_keys_too(service, host):
    second = rotate(service, "--overlap", "60")
    third = rotate(service, "--overlap", "5")
    pass_time(service, 6)
    assert not works(host) and not works(second) and works(third)


def test_ended_keys_are_forgotten(service, host):
    rotate(service)
    pass_time(service, 11)
    service.restart(kill=False)
    with contextlib.closing(sqlite3.connect(service.database)) as db:
        assert db.execute("SELECT count(*) FROM old_keys").fetchone() == (0,)


def test_revoked_host_has_no_old_key_either(service, host):
    new = rotate(service)
    service.ask_command("host", "revoke", "web1")
    assert not works(host) and not works(new)


@pytest.mark.parametrize("overlap", ["-1", "1441", "x", "", "1.5", " 1"])
def test_bad_overlap(service, host, overlap):
    run = service.command("host", "rotate", "web1", "--overlap", overlap)
    assert (run.returncode, run.stdout) == (2, "")
    assert "--overlap is 0 to 1440 minutes" in run.stderr
    assert works(host)


def test_rotate_of_no_host(service):
    run = service.command("host", "rotate", "web1")
    assert (run.returncode, run.stdout) == (1, "")
    assert 'no host "web1"' in run.stderr


def test_rotation_under_running_logins(service, host):
    """Logins go on with whichever key their host has at the moment."""
    current, stop, failed, done = [host], threading.Event(), [], []

    def log_in():
        phone = service.phone()
        while not stop.is_set():
            using = current[0]
            question = using.ask()
            steps = [question.reply.status]
            if steps == [201]:
                steps += [phone.answer(question).status,
                          using.status(question).status,
                          using.outcome(question, "granted").status]
            (done if steps == [201, 202, 200, 204] else failed).append(steps)

    threads = [threading.Thread(target=log_in) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            before = len(done)
            new = rotate(service)
            # The host has the old one until somebody writes the new one.
            wait_until(lambda: len(done) > before + 5, "logins")
            current[0] = new
            wait_until(lambda: len(done) > before + 10, "logins")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_use_of_an_old_key_is_logged(service, host):
    rotate(service)
    assert works(host)
    line, = re.findall(r"event=old_key_used .*", service.log.read_text())
    assert re.search(rf"host=web1 until={TIME}", line)
    for _ in range(20):
        assert works(host)
    assert service.log.read_text().count("event=old_key_used") <= 7


# --- the log ----------------------------------------------------------------

def test_commands_are_in_the_services_log(service, host):
    host.enroll("alice")
    rotate(service)
    for words in (["user", "remove", "alice"], ["host", "revoke", "web1"],
                  ["backup", service.folder / "copy"]):
        assert service.command(*words).returncode == 0

    def lines():
        return re.findall(r'event=admin_command command=(\w+|"[a-z ]+")(.*)',
                          service.log.read_text())
    found = wait_until(lambda: len(lines()) == 5 and lines(), "the log")
    assert [line[0] for line in found] == [
        '"host add"', '"host rotate"', '"user remove"', '"host revoke"',
        "backup"]
    assert "name=web1 space=web1" in found[1][1]
    assert "name=alice space=web1" in found[2][1]
    assert all(re.search(rf" uid=\d+ time={TIME}$", line[1])
               for line in found)
    service.restart(kill=True)
    assert len(lines()) == 5


def test_commands_without_a_service_are_logged_when_it_starts(service, host):
    assert service.stop() == 0
    rotate(service)
    assert 'command="host rotate"' not in service.log.read_text()
    service.start()
    wait_until(lambda: 'command="host rotate"' in service.log.read_text(),
               "the log")


def test_refused_commands_are_not_in_the_log(service, host):
    for words in (["host", "add", "web1"], ["host", "revoke", "x"],
                  ["host", "rotate", "x"], ["user", "remove", "x"]):
        assert service.command(*words).returncode == 1
    service.add_host("last")
    wait_until(lambda: "name=last" in service.log.read_text(), "the log")
    assert service.log.read_text().count("event=admin_command") == 2


def test_output_is_one_line_of_json(service, host):
    host.enroll("alice")
    for words in (["user", "show", "alice"], ["user", "remove", "alice"],
                  ["host", "rotate", "web1"], ["host", "revoke", "web1"]):
        out = service.command(*words, "--json").stdout
        assert out.count("\n") == 1
        assert isinstance(json.loads(out), dict)


def test_page_has_every_member(service, host):
    """And nothing else, for each command that prints JSON."""
    gone = device_id()
    host.enrol_device("alice", gone).ask_removal(gone)
    outputs = {
        "host": [service.ask_command("host", "add", "web2"),
                 service.ask_command("host", "rotate", "web1"),
                 *service.ask_command("host", "list")],
        "user": [*service.ask_command("user", "list"),
                 service.ask_command("user", "show", "alice"),
                 service.ask_command("user", "remove", "alice")],
    }
    page = (TOP / "man/countersignd.8").read_text()
    section = page[page.index(".Sh JSON OUTPUT"):page.index(".Sh RUNNING")]
    kinds = {str: "string", list: "array", int: "number"}
    for what, objects in outputs.items():
        part = re.search(rf"^\.It Cm {what} (.*?)^\.El$", section,
                         re.M | re.S).group(1)
        listed = dict(re.findall(r"^\.It Va (\w+) Pq (\w+)$", part, re.M))
        assert listed == {name: kinds[type(value)] for found in objects
                          for name, value in found.items()}
