# SPDX-License-Identifier: BSD-2-Clause
"""countersign backup and restore, from outside."""
import os
import pwd
import re
import signal
import stat
import subprocess

import pytest
from conftest import approve, countersign, devices


@pytest.fixture
def saved(rig):
    """Where a backup goes."""
    path = rig.folder / "saved"
    yield path
    for one in rig.folder.glob("saved*"):
        one.unlink()


def backup(rig, *arguments):
    status, out, err = countersign(rig, "backup", *arguments)
    assert (status, err) == (0, ""), err
    return out


def logs_in(rig, user, phone):
    login = rig.login(user)
    link = login.link()
    approve(phone, link)
    return login.end() == "PAM_SUCCESS"


# --- backup ---------------------------------------------------------------------

def test_a_file_that_only_root_can_read(rig, saved):
    phone = rig.enrol("daemon", "Pixel")
    os.umask(0)
    try:
        assert str(saved) in backup(rig, saved)
    finally:
        os.umask(0o022)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert saved.stat().st_uid == 0
    text = saved.read_text()
    assert phone.device in text and "user=daemon" in text
    assert list(rig.folder.glob("saved*")) == [saved]


def test_standard_output(rig, saved):
    rig.enrol("bin")
    backup(rig, saved)
    out = backup(rig, "-")
    # but for the moment of it
    strip = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z|[0-9a-f]{64}")
    assert strip.sub("", out) == strip.sub("", saved.read_text())


def test_nothing_secret_is_in_it(rig, saved):
    rig.enrol("sys")
    codes = countersign(rig, "recovery", "sys")[1].split()
    text = backup(rig, "-")
    assert len(codes) == 10
    for code in codes:
        assert code not in text and code.replace("-", "") not in text
    assert (rig.folder / "access.key").read_text().strip() not in text


def test_what_is_there_stays(rig, saved):
    rig.enrol("man")
    saved.write_text("mine")
    status, out, err = countersign(rig, "backup", saved)
    assert (status, out) == (1, "")
    assert "--force" in err
    assert saved.read_text() == "mine"
    backup(rig, "--force", saved)
    assert "user=man" in saved.read_text()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


def test_only_a_file_is_replaced(rig, saved):
    """Root could turn a device into a file, or write through a link."""
    target = rig.folder / "saved-target"
    target.write_text("mine")
    fifo, folder = rig.folder / "saved-fifo", rig.folder / "folder"
    os.mkfifo(fifo)
    folder.mkdir()
    saved.symlink_to(target)
    for path in (saved, fifo, folder, "/dev/null"):
        for option in ((), ("--force",)):
            status, _, err = countersign(rig, "backup", *option, path)
            assert status == 1, path
            assert str(path) in err
    folder.rmdir()
    assert target.read_text() == "mine"
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_nowhere_to_put_it(rig, saved):
    for path in (rig.folder / "missing/saved", f"{rig.folder}/saved-folder/"):
        assert countersign(rig, "backup", path)[0] == 3
    with open("/dev/full", "w", encoding="ascii") as full:
        got = subprocess.run(
            [rig.program("countersign"), "backup", "--config", rig.conf, "-"],
            env=rig._environment(), stdout=full, stderr=subprocess.PIPE,
            timeout=60)
    assert got.returncode == 3


def test_a_full_disk_leaves_the_old_one(rig, saved):
    """A limit on file sizes does as a full disk does."""
    backup(rig, saved)
    before = saved.read_bytes()
    got = subprocess.run(
        ["prlimit", "--fsize=64", rig.program("countersign"), "backup",
         "--force", "--config", rig.conf, saved], env=rig._environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
    assert got.returncode == 3, got.stderr
    assert saved.read_bytes() == before
    assert list(rig.folder.glob("saved*")) == [saved]


def test_damage_is_not_saved_as_if_it_were_whole(rig, saved):
    rig.enrol("games")
    path = rig.folder / "state/devices/games"
    whole = path.read_text()
    path.write_text(whole + "p256 nonsense\n")
    try:
        status, out, err = countersign(rig, "backup", saved)
        assert (status, out) == (3, "")
        assert "devices/games" in err
        assert not saved.exists()
    finally:
        path.write_text(whole)


# --- restore --------------------------------------------------------------------

def forget(rig, user):
    """The files of an account are lost, as with a disk."""
    for path in (rig.folder / "state/devices" / user,
                 rig.folder / "state/state" / str(pwd.getpwnam(user).pw_uid)):
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("way", ["file", "input"])
def test_a_lost_account_comes_back(rig, saved, way):
    phone = rig.enrol("lp", f"by {way}")
    backup(rig, saved)
    forget(rig, "lp")
    assert countersign(rig, "devices", "lp")[0] == 1
    if way == "file":
        status, out, err = countersign(rig, "restore", saved)
    else:
        status, out, err = countersign(rig, "restore", "-",
                                       text=saved.read_text())
    assert (status, err) == (0, "")
    assert "lp" in out
    assert phone.device in [one["id"] for one in devices(rig, "lp")]
    assert logs_in(rig, "lp", phone)
    saved.unlink()


def test_dry_run_changes_nothing(rig, saved):
    rig.enrol("news")
    backup(rig, saved)
    forget(rig, "news")
    before = {path: path.read_bytes() for path in
              (rig.folder / "state").rglob("*") if path.is_file()}
    status, out, err = countersign(rig, "restore", "--dry-run", saved)
    assert (status, err) == (0, "")
    assert "news" in out and "Nothing was changed" in out
    assert countersign(rig, "devices", "news")[0] == 1
    after = {path: path.read_bytes() for path in
             (rig.folder / "state").rglob("*") if path.is_file()}
    assert {path for path in after if after[path] != before.get(path)} <= {
        path for path in after if path.name.endswith(".lock")}
    assert "news" in countersign(rig, "restore", saved)[1]


def test_a_revoked_device_stays_revoked(rig, saved):
    keep, gone = rig.enrol("uucp", "keep"), rig.enrol("uucp", "gone")
    backup(rig, saved)
    countersign(rig, "revoke", "uucp", "gone")
    status, out, _ = countersign(rig, "restore", saved)
    assert status == 0
    assert gone.device in out.replace("-", "")
    assert [one["id"] for one in devices(rig, "uucp")] == [keep.device]
    login = rig.login("uucp")
    link = login.link()
    assert approve(gone, link).returncode == 1
    keep.approve(link)
    assert login.end() == "PAM_SUCCESS"


def codes_in(rig, user, used="never"):
    path = rig.folder / "state/state" / str(pwd.getpwnam(user).pw_uid)
    text = path.read_text() if path.exists() else ""
    return set(re.findall(rf"^code ([0-9a-f]{{64}}) used={used}", text,
                          flags=re.M))


def test_recovery_codes_only_when_asked_for(rig, saved):
    rig.enrol("proxy")
    countersign(rig, "recovery", "proxy")
    codes = codes_in(rig, "proxy")
    assert len(codes) == 10
    backup(rig, saved)
    forget(rig, "proxy")
    assert countersign(rig, "restore", saved)[0] == 0
    assert codes_in(rig, "proxy") == set()
    forget(rig, "proxy")
    assert countersign(rig, "restore", "--with-recovery", saved)[0] == 0
    assert codes_in(rig, "proxy") == codes


def test_a_used_code_stays_used(rig, saved):
    rig.enrol("backup")
    code = countersign(rig, "recovery", "backup")[1].split()[0]
    backup(rig, saved)
    login = rig.login("backup", "--answer", code, service="sshd")
    assert login.end() == "PAM_SUCCESS"
    for option in ((), ("--with-recovery",)):
        assert countersign(rig, "restore", *option, saved)[0] == 0
        assert len(codes_in(rig, "backup")) == 9
        login = rig.login("backup", "--answer", code, service="sshd")
        assert login.end() != "PAM_SUCCESS"


@pytest.mark.parametrize("spoil", [
    lambda text: "", lambda text: "nonsense\n", lambda text: text[:-10],
    lambda text: text.replace("user=irc", "user=root"),
    lambda text: text + text, lambda text: text[:100] + "x" + text[101:]],
    ids=["empty", "nonsense", "cut", "user", "twice", "byte"])
def test_what_was_changed_is_refused_whole(rig, saved, spoil):
    if not (rig.folder / "state/devices/irc").exists():
        rig.enrol("irc")
    backup(rig, saved)
    saved.write_text(spoil(saved.read_text()))
    before = countersign(rig, "devices", "--json")
    status, _, err = countersign(rig, "restore", saved)
    assert status == 3
    assert err.startswith("countersign: ")
    assert countersign(rig, "devices", "--json") == before


@pytest.mark.parametrize("spoil", [
    lambda path: path.chmod(0o620), lambda path: path.chmod(0o602),
    lambda path: os.chown(path, 1, 1),
    lambda path: (path.unlink(), os.mkfifo(path, 0o600))],
    ids=["group", "world", "owner", "fifo"])
def test_a_file_that_others_could_have_written(rig, saved, spoil):
    backup(rig, saved)
    spoil(saved)
    status, out, err = countersign(rig, "restore", saved)
    assert (status, out) == (3, "")
    assert str(saved) in err


def test_no_such_file(rig, saved):
    status, _, err = countersign(rig, "restore", saved)
    assert status == 1 and str(saved) in err


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_only_for_root(rig, saved, command):
    backup(rig, saved)
    saved.chmod(0o644)
    got = subprocess.run(
        [rig.program("countersign"), command, "--config", rig.conf,
         "-" if command == "backup" else saved], text=True,
        env=rig._environment(), user="nobody", group="nogroup",
        extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=60)
    assert got.returncode == 3
    assert "user=" not in got.stdout
