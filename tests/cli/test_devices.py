# SPDX-License-Identifier: BSD-2-Clause
"""countersign devices, revoke, deenroll and check-config."""
import json
import os
import re
import stat
import subprocess

import pytest
from conftest import approve, countersign, devices

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def show(device):
    return "-".join(re.findall("....", device))


# --- devices ------------------------------------------------------------------

def test_table_and_json(rig):
    first, second = rig.enrol("daemon", "one"), rig.enrol("bin", "zwei ü")
    status, out, err = countersign(rig, "devices")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert re.split(r"\s{2,}", lines[0]) == [
        "USER", "NAME", "KIND", "ID", "ADDED", "LAST USED"]
    assert [line.split()[0] for line in lines[1:]] == ["bin", "daemon"]
    assert show(first.device) in lines[2]
    assert lines[1].index("p256") == lines[2].index("p256")
    status, out, err = countersign(rig, "devices", "--json", "bin")
    assert (status, err) == (0, "")
    [device] = json.loads(out)["devices"]
    assert set(device) == {"user", "id", "kind", "name", "added", "by",
                           "lastUsed", "rp", "synced"}
    assert device["user"] == "bin" and device["id"] == second.device
    assert device["kind"] == "p256" and device["name"] == "zwei ü"
    assert device["rp"] is None and device["synced"] is False
    assert TIME.fullmatch(device["added"])
    assert TIME.fullmatch(device["lastUsed"])
    assert len(devices(rig)) == 2


def test_nobody_there(rig):
    status, out, err = countersign(rig, "devices", "--json", "games")
    assert status == 1
    assert json.loads(out) == {"devices": [], "quiet": []}
    assert err.startswith("countersign: ")
    status, out, _ = countersign(rig, "devices", "no-such-user")
    assert (status, out) == (1, "")


def test_a_new_host_is_told_to_begin(rig, tmp_path):
    run = subprocess.run(
        [rig.program("countersign"), "devices", "--config",
         tmp_path / "none.conf"], text=True, env=rig._environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (run.returncode, run.stdout) == (3, "")
    assert "countersign init --service URL" in run.stderr


def test_a_damaged_file_is_trouble(rig):
    rig.enrol("games")
    path = rig.folder / "state/devices/games"
    whole = path.read_text()
    path.write_text(whole + "p256 nonsense\n")
    try:
        for command in (("devices",), ("devices", "games"),
                        ("enroll", "--yes", "games")):
            status, out, err = countersign(rig, *command)
            assert status == 3, command
            assert re.search(r"devices/games:\d+: ", err)
    finally:
        path.write_text(whole)


# --- revoke -------------------------------------------------------------------

def pending(rig, user, name):
    """What the service lists for the user."""
    return [one["authenticatorId"] for one in
            rig.host.get(f"/api/v1/users?username={user}").json["authenticators"]]


@pytest.mark.parametrize("named", ["id", "dashes", "name"])
def test_revoke(rig, named):
    keep = rig.enrol("sys", f"keep {named}")
    gone = rig.enrol("sys", f"gone {named}")
    word = {"id": gone.device, "dashes": show(gone.device),
            "name": f"gone {named}"}[named]
    login = rig.login("sys")
    link = login.link()
    status, out, err = countersign(rig, "revoke", "sys", word)
    assert (status, err) == (0, "")
    assert show(gone.device) in out
    assert approve(gone, link).returncode == 1
    assert approve(keep, link).returncode in (0, 1)
    login.end()
    ids = [device["id"] for device in devices(rig, "sys")]
    assert keep.device in ids and gone.device not in ids


def test_revoke_in_json(rig):
    rig.enrol("man", "a")
    phone = rig.enrol("man", "b")
    status, out, _ = countersign(rig, "revoke", "--json", "man", "b")
    assert status == 0
    assert json.loads(out) == {"user": "man", "device": phone.device,
                               "host": "removed", "service": "removed"}


def test_the_last_one_needs_force(rig):
    phone = rig.enrol("lp")
    status, _, err = countersign(rig, "revoke", "lp", phone.device)
    assert status == 1
    assert "--force" in err
    assert len(devices(rig, "lp")) == 1
    assert countersign(rig, "revoke", "--force", "lp", phone.device)[0] == 0
    assert countersign(rig, "devices", "lp")[0] == 1
    # the mark that there was one stays: nobody slips in as unenrolled
    with rig.settings(unenrolled="ignore"):
        assert rig.login("lp").end() != "PAM_SUCCESS"


def test_revoke_of_nothing(rig):
    rig.enrol("news", "x")
    for word in ("y", "a" * 16, "aaaa-aaaa-aaaa-aaaa", ""):
        status, out, err = countersign(rig, "revoke", "news", word)
        assert (status, out) == (1, ""), err
    assert len(devices(rig, "news")) == 1


def test_somebody_elses_device_stays(rig):
    other = rig.enrol("uucp")
    rig.enrol("news", "mine")
    status, out, _ = countersign(rig, "revoke", "news", other.device)
    assert (status, out) == (1, "")
    assert len(devices(rig, "uucp")) == 1
    login = rig.login("uucp")
    other.approve(login.link())
    assert login.end() == "PAM_SUCCESS"


def test_revoke_while_the_service_is_away(rig):
    rig.enrol("proxy", "keep")
    phone = rig.enrol("proxy", "gone")
    with rig.service_down():
        status, out, err = countersign(rig, "revoke", "proxy", "gone")
        assert status == 0
        assert "can no longer approve" in out
        assert "warning" in err
        again = re.search(r"countersign (revoke \S+ \S+)$", err, re.M).group(1)
        assert phone.device in again
        assert len(devices(rig, "proxy")) == 1
        assert countersign(rig, *again.split())[0] == 3
    status, out, _ = countersign(rig, *again.split(), "--json")
    assert status == 0
    assert json.loads(out)["host"] == "absent"
    assert json.loads(out)["service"] == "removed"
    assert countersign(rig, *again.split())[0] == 1


# --- deenroll -----------------------------------------------------------------

def test_deenroll(rig):
    rig.enrol("backup", "a")
    rig.enrol("backup", "b")
    status, out, err = countersign(rig, "deenroll", "backup")
    assert (status, out) == (2, "")
    assert "--yes" in err
    assert len(devices(rig, "backup")) == 2
    assert countersign(rig, "deenroll", "--yes", "backup")[0] == 0
    assert countersign(rig, "devices", "backup")[0] == 1
    assert countersign(rig, "deenroll", "--yes", "backup")[0] == 0
    assert countersign(rig, "deenroll", "--yes", "no-such-user")[0] == 1
    # and the mark is gone
    with rig.settings(unenrolled="ignore"):
        assert rig.login("backup").end() in ("PAM_IGNORE",
                                             "PAM_PERM_DENIED")


def test_deenroll_in_json(rig):
    rig.enrol_soft("sync")
    for service in ("removed", "absent"):
        status, out, err = countersign(rig, "deenroll", "--yes", "--json",
                                       "sync")
        assert (status, err) == (0, "")
        assert json.loads(out) == {"user": "sync", "host": "removed",
                                   "service": service}


def test_deenroll_asks_on_a_terminal(rig):
    pexpect = pytest.importorskip("pexpect")
    rig.enrol("list")
    for answer, status in (("", 1), ("y", 0)):
        child = pexpect.spawn(str(rig.program("countersign")), [
            "deenroll", "--config", str(rig.conf), "list"], timeout=30,
            env=rig._environment())
        child.expect("Remove every device of list")
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == status
        assert countersign(rig, "devices", "list")[0] == 1 - status


def test_deenroll_while_the_service_is_away(rig):
    rig.enrol("irc")
    with rig.service_down():
        status, out, err = countersign(rig, "deenroll", "--yes", "irc")
        assert status == 0
        assert "No device can approve" in out
        assert "countersign deenroll irc" in err
    status, out, err = countersign(rig, "deenroll", "--yes", "irc")
    assert (status, err) == (0, "")
    assert "forgotten" in out


# --- check-config ---------------------------------------------------------------

@pytest.fixture
def conf(rig):
    """A copy of the configuration to spoil."""
    path = rig.folder / "spoiled.conf"
    path.write_text(rig.conf.read_text())
    path.chmod(0o644)
    yield path
    path.unlink()


def test_no_findings(rig, conf):
    rig.enrol("daemon", "checked")
    status, out, err = countersign(rig, "check-config")
    assert (status, out, err) == (0, "No findings.\n", "")


def test_every_finding_has_file_and_line(rig, conf):
    good = len(conf.read_text().splitlines())
    with conf.open("a", encoding="utf-8") as file:
        file.write("lifetme = 90\nlifetime = 9000\n\nqr = png\nqr\n")
    status, out, _ = run_with(rig, conf, "check-config")
    assert status == 3
    found = [line for line in out.splitlines()
             if line.startswith(f"{conf}:")]
    numbers = [int(re.match(r".*?:(\d+): \S", line).group(1))
               for line in found]
    assert numbers == [good + 1, good + 2, good + 4, good + 5]


@pytest.mark.parametrize("spoil", [
    lambda path: path.chmod(0o666),
    lambda path: os.chown(path, 1, 1),
    lambda path: path.write_text(""),
    lambda path: path.write_text("x = 1\n" * 20000),
    lambda path: (path.rename(f"{path}.real"), path.symlink_to(f"{path}.real")),
    lambda path: (path.unlink(), os.mkfifo(path, 0o644)),
    lambda path: (path.rename(f"{path}.real"), os.link(f"{path}.real", path)),
], ids=["mode", "owner", "empty", "huge", "symlink", "fifo", "hardlink"])
def test_a_file_that_is_not_safe(rig, conf, spoil):
    spoil(conf)
    try:
        for command in (("check-config",), ("devices",), ("enroll", "--yes",
                                                          "daemon")):
            status, out, err = run_with(rig, conf, *command)
            assert status == 3, command
            assert str(conf) in out + err
    finally:
        real = rig.folder / "spoiled.conf.real"
        if real.exists():
            real.unlink()


def run_with(rig, conf, command, *arguments):
    """The command with another configuration."""
    class Other:
        pass
    other = Other()
    other.conf, other.program = conf, rig.program
    other._environment = rig._environment
    return countersign(other, command, *arguments)


def test_access_key_that_others_can_read(rig, conf):
    key = rig.folder / "access.key"
    before = stat.S_IMODE(key.stat().st_mode)
    key.chmod(0o644)
    try:
        status, out, _ = countersign(rig, "check-config")
        assert status == 3
        assert str(key) in out
    finally:
        key.chmod(before)


def test_devices_and_state_are_looked_at(rig):
    phone = rig.enrol("www-data")
    for part in ("devices/www-data", f"state/{uid('www-data')}"):
        path = rig.folder / "state" / part
        whole = path.read_bytes()
        path.write_bytes(whole.replace(phone.device.encode(), b"x" * 16))
        try:
            status, out, _ = countersign(rig, "check-config")
            assert status == 3
            assert part in out
        finally:
            path.write_bytes(whole)
    assert countersign(rig, "check-config")[0] == 0


def uid(name):
    import pwd
    return pwd.getpwnam(name).pw_uid


def test_relative_path_and_missing_file(rig, conf, monkeypatch):
    monkeypatch.chdir(rig.folder)
    for word in (conf.name, f"./{conf.name}"):
        status, out, err = run_with(rig, word, "check-config")
        assert (status, out) == (0, "No findings.\n"), err
    status, out, _ = run_with(rig, "none.conf", "check-config")
    assert status == 3
    assert f"{rig.folder}/none.conf" in out
