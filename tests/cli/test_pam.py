# SPDX-License-Identifier: BSD-2-Clause
"""countersign pam: the distribution's own stacks, edited and put to use."""
import fcntl
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import private  # noqa: E402
from conftest import countersign  # noqa: E402
from rig import PAM_RUN, Rig  # noqa: E402
from screen import link_in  # noqa: E402
from sources import TOP, built, sanitized  # noqa: E402

LINE = ("auth\trequired\tpam_countersign.so after_first_factor"
        "\t# by countersign pam enable\n")
PASSWORD = "open sesame"
SERVICES = ["sshd", "sudo", "su", "login"]
REAL = Path("/etc/pam.d")

pytestmark = pytest.mark.skipif(
    not (REAL / "common-auth").exists(), reason="not a Debian's PAM")


def hashed():
    return subprocess.run(["openssl", "passwd", "-6", PASSWORD], text=True,
                          stdout=subprocess.PIPE, check=True).stdout.strip()


@pytest.fixture(scope="module")
def rig():
    private.enter()
    with Rig() as rig:
        rig.phone = rig.enrol("alice")
        yield rig


class Host:
    """A copy of this host's /etc, with another root for the program."""

    def __init__(self, rig, root):
        self.rig, self.root = rig, root
        self.etc = root / "etc"
        self.etc.mkdir(parents=True)
        self.etc.chmod(0o755)
        shutil.copytree(REAL, self.etc / "pam.d", symlinks=True)
        self.write("ssh/sshd_config", "UsePAM yes\n")
        self.key("ssh-ed25519 AAAA root@console\n")
        self.write("group", "root:x:0:\nsudo:x:27:alice,bob\n")
        self.write("shadow", f"root:{hashed()}:20000::::::\n"
                             "alice:*:20000::::::\n")
        self.text = {path.name: path.read_text()
                     for path in (self.etc / "pam.d").iterdir()}

    def write(self, name, text):
        path = self.etc / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)

    def key(self, text):
        """Root's, for ssh."""
        folder = self.root / "root/.ssh"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "authorized_keys").write_text(text)

    def pam(self, verb, service, *arguments):
        return countersign(self.rig, "pam", verb, service, "--root",
                           str(self.root), *arguments)

    def path(self, service):
        return self.etc / "pam.d" / service

    def read(self, service):
        return self.path(service).read_text()

    def only(self, service, text):
        """This is the service's file, and it was not changed before."""
        self.write(f"pam.d/{service}", text)
        self.text[service] = text

    def show(self, service):
        status, out, _ = self.pam("show", service, "--json")
        assert status in (0, 3)
        return json.loads(out)

    def refuses(self, reason, service="sudo", *arguments, verb="enable",
                status=1):
        before = self.tree()
        got, out, err = self.pam(verb, service, *arguments)
        assert (got, out) == (status, ""), (out, err)
        assert reason in err
        assert self.tree() == before

    def tree(self):
        """Every file: whose, which mode, when it was written, what is in."""
        found = {}
        for path in sorted(self.etc.rglob("*")):
            status = os.lstat(path)
            found[str(path)] = (
                status.st_mode, status.st_uid, status.st_gid, status.st_ino,
                status.st_mtime_ns,
                path.read_bytes() if path.is_file() else None)
        return found


@pytest.fixture
def host(rig):
    root = Path(subprocess.run(["mktemp", "-d", "/run/host-XXXXXX"],
                               stdout=subprocess.PIPE, text=True,
                               check=True).stdout.strip())
    yield Host(rig, root)
    shutil.rmtree(root)


# --- the usual ---


@pytest.mark.parametrize("service", SERVICES)
def test_the_line_comes_behind_the_password(host, service):
    status, out, err = host.pam("enable", service)
    assert (status, err) == (0, "")
    before, after = host.text[service], host.read(service)
    include = "@include common-auth\n"
    assert after == before.replace(include, include + LINE)
    assert host.read(f"{service}.countersign-backup") == before
    assert f"{service} asks the phone now" in out
    seen = host.show(service)
    assert seen["asks"]
    ways = {name for name, found in seen["ways"].items() if found}
    assert ways == {"success", "both", "late"} | (
        {"trusted"} if service == "su" else set())
    # nothing else was touched
    assert {path.name for path in host.path("x").parent.iterdir()} == \
        {*host.text, f"{service}.countersign-backup"}


@pytest.mark.parametrize("service", SERVICES)
def test_there_and_back(host, service):
    before = host.tree()
    assert host.pam("enable", service)[0] == 0
    status, out, err = host.pam("disable", service)
    assert (status, err) == (0, "")
    assert "no phone any more" in out
    assert host.read(service) == host.text[service]
    after = host.tree()
    assert set(after) - set(before) == {
        str(host.path(f"{service}.countersign-backup"))}
    for path in before:
        assert after[path][:3] == before[path][:3]
        assert after[path][5] == before[path][5]


def test_twice_is_once(host):
    assert host.pam("enable", "sudo")[0] == 0
    before = host.tree()
    status, out, err = host.pam("enable", "sudo")
    assert (status, err) == (0, "")
    assert "already: /etc/pam.d/sudo:7" in out and "Nothing" in out
    assert host.tree() == before
    assert host.pam("disable", "sudo")[0] == 0
    before = host.tree()
    status, out, err = host.pam("disable", "sudo")
    assert (status, err) == (0, "")
    assert "does not ask the phone" in out
    assert host.tree() == before


@pytest.mark.parametrize("service", SERVICES)
def test_dry_run_is_the_diff(host, service, tmp_path):
    for verb in ("enable", "disable"):
        old, before = host.read(service), host.tree()
        status, out, err = host.pam(verb, service, "--dry-run")
        assert (status, err) == (0, "")
        assert host.tree() == before
        assert host.pam(verb, service)[0] == 0
        new = host.read(service)
        (tmp_path / "old").write_text(old)
        (tmp_path / "new").write_text(new)
        diff = subprocess.run(["diff", "-u", "old", "new"], cwd=tmp_path,
                              stdout=subprocess.PIPE, text=True, check=False)
        theirs, ours = diff.stdout.splitlines(), out.splitlines()
        assert ours[:2] == [f"--- /etc/pam.d/{service}",
                            f"+++ /etc/pam.d/{service}"]
        assert ours[2:len(theirs)] == theirs[2:]


def test_the_new_file_has_all_that_the_old_one_had(host):
    path = host.path("sudo")
    path.chmod(0o640)
    os.chown(path, 0, 42)
    os.setxattr(path, "user.test" if path.is_relative_to("/tmp")
                else "trusted.test", b"kept")
    assert host.pam("enable", "sudo")[0] == 0
    for name in ("sudo", "sudo.countersign-backup"):
        status = host.path(name).stat()
        assert stat.S_IMODE(status.st_mode) == 0o640
        assert (status.st_uid, status.st_gid) == (0, 42)
        assert os.getxattr(host.path(name), os.listxattr(path)[0]) == b"kept"


def test_json(host):
    status, out, _ = host.pam("enable", "sudo", "--json", "--dry-run")
    assert (status, json.loads(out)) == (0, {
        "service": "sudo", "file": "/etc/pam.d/sudo", "changed": False,
        "line": 7})
    status, out, _ = host.pam("enable", "sudo", "--json")
    assert (status, json.loads(out)["changed"]) == (0, True)
    status, out, _ = host.pam("enable", "sudo", "--json")
    assert (status, json.loads(out)) == (0, {
        "service": "sudo", "file": "/etc/pam.d/sudo", "changed": False,
        "line": 7})
    status, out, _ = host.pam("disable", "sudo", "--json")
    assert (status, json.loads(out)["changed"]) == (0, True)


@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_this_hosts_stacks_are_roots(rig, verb):
    before = REAL.joinpath("sudo").read_bytes()
    run = subprocess.run(
        [rig.program("countersign"), "pam", verb, "sudo"], text=True,
        env=rig._environment(), user=private.ACCOUNTS["alice"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr == ("countersign: pam: only root can change the stacks "
                          "of this host\n")
    assert REAL.joinpath("sudo").read_bytes() == before


def test_sudo_has_two_services(host):
    assert "sudo-i" in host.pam("enable", "sudo")[1]
    assert "sudo-i" not in host.pam("enable", "login", "--force")[1]


def test_show(host):
    status, out, err = host.pam("show", "su-l")
    assert (status, err) == (0, "")
    assert "/etc/pam.d/common-auth:17" in out and "pam_rootok.so" in out
    assert "The phone is not asked" in out
    status, out, _ = host.pam("show", "nosuch")
    assert status == 0 and "those of other" in out
    host.only("sudo", "@include nowhere\n")
    status, out, _ = host.pam("show", "sudo")
    assert status == 3
    assert "/etc/pam.d/sudo:1" in out and "nobody gets in" in out


@pytest.mark.parametrize("lines, word", [
    (["required pam_unix.so", "optional {}"], "overruled"),
    (["required pam_unix.so", "[success=ok default=ignore] {}"], "overruled"),
    (["sufficient {}", "required pam_unix.so"], "overruled"),
    (["required pam_unix.so", "[default=1 success=ok] {}",
      "required pam_deny.so", "required pam_permit.so"], "overruled"),
    (["required pam_unix.so", "required {}",
      "[default=reset] pam_permit.so", "required pam_permit.so"],
     "overruled"),
    (["sufficient pam_unix.so", "required {}"], "around"),
    (["[success=1 default=ignore] pam_unix.so", "required {}",
      "required pam_permit.so"], "around"),
    (["sufficient pam_permit.so", "required {}"], "open"),
    (["required pam_permit.so", "-auth"], "open"),
    (["required {}", "required pam_permit.so"], "ignored"),
    (["required {}"], "alone"),
    (["required pam_unix.so", "required {}"], "early"),
    (["required {}", "required pam_unix.so"], "early"),
])
def test_what_a_stack_lets_through(host, lines, word):
    host.only("sudo", "".join(
        f"auth {line}\n" for line in lines if line != "-auth").format(
            "pam_countersign.so"))
    seen = host.show("sudo")
    assert seen["ways"][word], seen["ways"]
    assert not seen["unusable"]


# --- refusals ---


def test_pam_auth_update_owns_these(host):
    for name in ("common-auth", "common-account"):
        host.refuses("pam-auth-update --enable countersign", name)
    host.only("mine", host.text["common-auth"])
    host.refuses("pam-auth-update", "mine")


@pytest.mark.parametrize("text, owner", [
    ("# Generated by authselect on Mon\nauth required pam_unix.so\n",
     "authselect"),
    ("# This file is autogenerated by pam-config.\n"
     "auth required pam_unix.so\n", "pam-config"),
])
def test_other_tools_own_these(host, text, owner):
    host.only("sudo", text)
    host.refuses(owner)


def test_other_is_for_services_that_nobody_named(host):
    host.refuses("name the service", "other")


def test_names_that_are_none(host):
    for name in ("../sudo", "Sudo", "", ".", "a/b", "x" * 65, "-x"):
        status, out, err = countersign(
            host.rig, "pam", "--root", str(host.root), "--", "enable", name)
        assert (status, out) == (2, ""), name
        assert "cannot be the name" in err
    status, _, err = host.pam("remove", "sudo")
    assert status == 2 and "enable, disable or show" in err


def test_no_such_service(host):
    host.refuses("there is no such service", "nosuch")
    vendor = host.root / "usr/lib/pam.d"
    vendor.mkdir(parents=True)
    shutil.copy(host.path("sudo"), vendor / "nosuch")
    host.refuses("copy it first", "nosuch")
    assert host.show("nosuch")["file"] == "/usr/lib/pam.d/nosuch"


def test_links(host):
    host.path("sudo").rename(host.etc / "elsewhere")
    host.path("sudo").symlink_to("../elsewhere")
    host.refuses("it is a link")
    host.path("sudo").unlink()
    os.link(host.etc / "elsewhere", host.path("sudo"))
    host.refuses("hard links")
    host.path("sudo").unlink()
    os.mkfifo(host.path("sudo"))
    host.refuses("no regular file")
    # reading follows links, but not out of the root
    host.path("sudo").unlink()
    host.path("sudo").symlink_to("/etc/elsewhere")
    assert host.show("sudo")["file"] == "/etc/pam.d/sudo"


@pytest.mark.parametrize("mode, owner, reason", [
    (0o664, 0, "others than its owner"), (0o646, 0, "others than its owner"),
    (0o644, 2001, "does not belong to root")])
def test_files_that_others_write(host, mode, owner, reason):
    host.path("sudo").chmod(mode)
    os.chown(host.path("sudo"), owner, 0)
    host.refuses(reason)


@pytest.mark.parametrize("text, reason", [
    ("", "no line end"),
    ("@include common-auth", "no line end"),
    ("@include common-auth\n\0\n", "no text"),
    ("@include common-auth\nnonsense\n", "/etc/pam.d/sudo:2: "),
    ("@include common-auth\nauth nonsense pam_env.so\n", "is none"),
    ("@include common-auth\nauth [success=ok pam_env.so\n", "without"),
    ("@include common-auth\n@include nowhere\n", "cannot be read"),
    ("auth include sudo\n", "include each other"),
    ("@include common-auth\n\\\n", "end of the file"),
    ("@include common-account\n", "no auth lines of its own"),
    ("auth required pam_permit.so\n", "no first factor"),
    ("auth required pam_deny.so\n", "nobody gets in"),
    ("auth sufficient pam_unix.so\n", "no place"),
    ("auth sufficient pam_unix.so\nauth required pam_deny.so\n",
     "/etc/pam.d/sudo:1 (pam_unix.so) ends the stack"),
    ("auth include system-auth\n", "write \"substack\""),
    ("auth sufficient pam_permit.so\n@include common-auth\n", "no "),
])
def test_files_that_are_not_understood(host, text, reason):
    host.only("system-auth", "auth sufficient pam_unix.so\n"
                             "auth required pam_deny.so\n")
    host.only("sudo", text)
    host.refuses(reason)


@pytest.mark.parametrize("text, line", [
    # a stack of one's own
    ("auth [success=1 default=ignore] pam_unix.so\n"
     "auth requisite pam_deny.so\nauth required pam_permit.so\n", 3),
    ("auth requisite \\\n# two lines\n  pam_unix.so\n", 4),
    ("account required pam_unix.so\nauth requisite pam_unix.so\n"
     "session required pam_unix.so\n", 3),
    ("auth [success=1 default=ignore] pam_thingamy.so\n"
     "auth requisite pam_deny.so\nauth required pam_permit.so\n", 3),
])
def test_other_stacks(host, text, line):
    host.only("system-auth", "auth required pam_env.so\n"
                             "auth sufficient pam_unix.so\n"
                             "auth required pam_deny.so\n")
    host.only("postlogin", "session optional pam_lastlog.so\n")
    host.only("sudo", text)
    assert host.pam("enable", "sudo")[0] == 0
    assert host.read("sudo").splitlines(True)[line - 1] == LINE
    assert host.pam("disable", "sudo")[0] == 0
    assert host.read("sudo") == text


@pytest.mark.parametrize("text, line", [
    # Fedora's sudo, once "include" is a substack
    ("#%PAM-1.0\nauth substack system-auth\nauth include postlogin\n", 3),
    ("auth required pam_unix.so\nauth required pam_env.so\n", 2),
])
def test_stacks_that_go_on_after_a_wrong_password(host, text, line):
    """There the line does not say that there was a first factor."""
    host.only("system-auth", "auth required pam_env.so\n"
                             "auth sufficient pam_unix.so\n"
                             "auth required pam_deny.so\n")
    host.only("postlogin", "session optional pam_lastlog.so\n")
    host.only("sudo", text)
    assert host.pam("enable", "sudo")[0] == 0
    assert host.read("sudo").splitlines(True)[line - 1] == \
        LINE.replace(" after_first_factor", "")
    ways = host.show("sudo")["ways"]
    assert {name for name in ways if ways[name]} == {
        "success", "both", "late", "early"}
    assert host.pam("disable", "sudo")[0] == 0
    assert host.read("sudo") == text


def test_a_line_that_somebody_else_wrote(host):
    text = host.text["sudo"].replace(
        "common-auth\n", "common-auth\nauth required pam_countersign.so\n")
    host.only("sudo", text)
    status, out, _ = host.pam("enable", "sudo")
    assert status == 0 and "not this command's" in out
    assert host.read("sudo") == text
    host.refuses("remove it by hand", verb="disable")
    # one that is included is not ours to remove either
    host.only("sudo", host.text["su"].replace(
        "@include common-auth", "@include phone"))
    host.only("phone", "auth requisite pam_unix.so\n" + LINE)
    host.refuses("/etc/pam.d/phone:2", verb="disable")


def test_disable_does_not_ask_whether_the_rest_is_good(host):
    """Who is locked out wants it away, whatever else is wrong."""
    host.only("sudo", "auth required nonsense\n" + LINE + "bad\n")
    assert host.pam("disable", "sudo")[0] == 0
    assert host.read("sudo") == "auth required nonsense\nbad\n"
    # unless the line was made part of another
    host.only("sudo", "auth required \\\n" + LINE)
    host.refuses("", verb="disable")


# --- a second way in ---


def locked(host):
    """Root has no password and no key."""
    host.write("shadow", "root:*:20000::::::\n")
    host.key("")


def test_no_administrator_has_a_phone(host):
    host.write("group", "sudo:x:27:bob\n")
    host.refuses("no administrator")
    host.write("group", "sudo:x:27:\nwheel:x:10:bob,alice\n")
    assert host.pam("enable", "sudo")[0] == 0


def test_recovery_codes_are_a_way_too(host, rig):
    host.write("group", "sudo:x:27:carol\n")
    host.refuses("no administrator")
    rig.enrol_soft("carol", kind="p256")
    uses = rig.folder / "state/state/2004"
    assert host.pam("enable", "sudo")[0] == 0
    host.pam("disable", "sudo")
    # a device that was never used is none
    uses.rename(uses.with_suffix(".away"))
    host.refuses("no administrator")
    status, _, err = countersign(rig, "recovery", "carol", "--yes")
    assert status == 0, err
    status, out, _ = host.pam("enable", "sudo")
    assert status == 0 and "recovery codes" in out


def test_no_configuration_is_no_phone(host):
    run = subprocess.run(
        [host.rig.program("countersign"), "pam", "enable", "sudo", "--root",
         host.root], env=host.rig._environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert run.returncode == 1
    assert str(host.root) in run.stderr and "no device is known" in run.stderr


@pytest.mark.parametrize("hash", ["*", "!", "", "x", "!$6$abc$defghijklmnop",
                                  "short"])
def test_root_without_a_password(host, hash):
    locked(host)
    host.write("shadow", f"root:{hash}:20000::::::\n")
    host.refuses("no way to root")


def test_what_is_a_way_to_root(host):
    locked(host)
    for service in SERVICES:
        host.refuses("no way to root", service)
    # a key
    host.key("ssh-ed25519 AAAA root@console\n")
    for service in SERVICES:
        assert host.pam("enable", service, "--dry-run")[0] == 0
    host.key("# ssh-ed25519 AAAA\n\n")
    host.refuses("no way to root")
    # an administrator's password at the console, and sudo
    host.write("shadow", f"root:*:1::::::\nbob:{hashed()}:1::::::\n")
    for service, ok in (("sshd", 0), ("su", 0), ("sudo", 1), ("login", 1)):
        assert host.pam("enable", service, "--dry-run")[0] == ok
    # root's own
    host.write("shadow", f"root:{hashed()}:1::::::\n")
    for service, ok in (("sshd", 0), ("su", 0), ("sudo", 0), ("login", 1)):
        assert host.pam("enable", service, "--dry-run")[0] == ok
    # unless the console asks the phone already
    assert host.pam("enable", "login", "--force")[0] == 0
    for service, ok in (("sshd", 1), ("su", 1), ("sudo", 0)):
        assert host.pam("enable", service, "--dry-run")[0] == ok
    assert host.pam("enable", "su", "--force")[0] == 0
    host.refuses("no way to root", "sudo")


@pytest.mark.parametrize("config, ok", [
    ("", True),
    ("PermitRootLogin no\n", False),
    ("permitrootlogin=no\n", False),
    ("PermitRootLogin forced-commands-only\n", False),
    ("#PermitRootLogin no\n", True),
    ("PubkeyAuthentication no\n", False),
    ("AllowUsers alice\n", False),
    ("AuthenticationMethods publickey,keyboard-interactive\n", False),
    ("AuthenticationMethods publickey,keyboard-interactive\n"
     "Match User root\n\tAuthenticationMethods publickey\n", True),
    ("Match User alice\nAuthenticationMethods keyboard-interactive\n", True),
    ("Match User *\nAuthenticationMethods keyboard-interactive\n", False),
    ("Match Address 10.0.0.0/8\nPermitRootLogin no\n", False),
    ("Match User root\nAuthenticationMethods keyboard-interactive\n", False),
])
def test_roots_key(host, config, ok):
    host.write("shadow", "")
    for name in ("ssh/sshd_config", "ssh/sshd_config.d/50-x.conf"):
        host.write("ssh/sshd_config", "UsePAM yes\n")
        host.write(name, config)
        assert (host.pam("enable", "login", "--dry-run")[0] == 0) == ok
        (host.etc / name).unlink()


def test_force_is_loud(host):
    locked(host)
    host.write("group", "")
    status, out, err = host.pam("enable", "sudo", "--force")
    assert status == 0
    assert err.count("WARNING") == 3 and "NOBODY MAY BE ABLE" in err
    assert LINE in host.read("sudo")


def test_force_is_for_nothing_else(host):
    host.only("sudo", "auth sufficient pam_unix.so\n")
    host.refuses("no place", "sudo", "--force")
    host.refuses("pam-auth-update", "common-auth", "--force")


# --- crashes ---

CALLS = ["openat", "unlinkat", "write", "fchown", "fchmod", "fsetxattr",
         "fsync", "renameat", "flock", "pread64", "close", "fstat",
         "newfstatat"]


def inject(host, verb, call, what, n):
    return subprocess.run(
        ["strace", "-o", "/dev/null", "-e", f"trace={call}", "-e",
         f"inject={call}:{what}:when={n}", host.rig.program("countersign"),
         "pam", verb, "sudo", "--root", host.root, "--config", host.rig.conf],
        env=host.rig._environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
        check=False).returncode


@pytest.mark.skipif(sanitized(), reason="sanitizers make calls of their own")
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("what", ["signal=SIGKILL", "error=EIO"])
@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_a_crash_leaves_the_old_file_or_the_new_one(host, verb, what):
    old = host.text["sudo"]
    new = old.replace("common-auth\n", "common-auth\n" + LINE)
    if verb == "disable":
        old, new = new, old
    seen = set()
    for call in CALLS:
        for n in range(1, 60):
            host.write("pam.d/sudo", old)
            host.path("sudo").chmod(0o644)
            status = inject(host, verb, call, what, n)
            text = host.read("sudo")
            assert text in (old, new), (call, n)
            assert stat.S_IMODE(host.path("sudo").stat().st_mode) == 0o644
            backup = host.path("sudo.countersign-backup")
            if verb == "enable" and text == new:
                assert backup.read_text() == old
            seen.add((status == 0, text == new))
            if status == 0 and (what != "error=EIO" or call != "close"):
                break
            if status == 0 and n > 40:
                break
    assert (False, False) in seen and (True, True) in seen
    # and what a crash left behind is no obstacle
    host.write("pam.d/sudo.countersign-new", "rubbish")
    host.write("pam.d/sudo", old)
    assert host.pam(verb, "sudo")[0] == 0
    assert host.read("sudo") == new
    assert not host.path("sudo.countersign-new").exists()


LOCK = ".countersign-lock"


def test_two_at_once(host):
    lock = os.open(host.etc / "pam.d" / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    status, _, err = host.pam("enable", "sudo")
    assert status == 3 and "another countersign" in err
    assert host.read("sudo") == host.text["sudo"]
    # what a killed one has left is nobody's lock
    os.close(lock)
    assert host.pam("enable", "sudo")[0] == 0
    assert not (host.etc / "pam.d" / LOCK).exists()


def test_nobody_else_can_be_in_the_way(host):
    """Anybody may open the folder and the files in it, and lock them."""
    fds = [os.open(path, os.O_RDONLY) for path in (
        host.etc / "pam.d", host.etc / "pam.d/sudo")]
    for fd in fds:
        fcntl.flock(fd, fcntl.LOCK_EX)
    assert host.pam("enable", "sudo")[0] == 0
    for fd in fds:
        os.close(fd)


def test_the_lock_is_no_link(host):
    target = host.root / "target"
    (host.etc / "pam.d" / LOCK).symlink_to(target)
    status, _, err = host.pam("enable", "sudo")
    assert status == 3 and "Too many levels" in err
    assert not target.exists()
    assert host.read("sudo") == host.text["sudo"]


# --- put to use ---


@pytest.fixture(scope="module")
def real(rig):
    """This machine's own /etc, and the module where libpam looks for it."""
    if sanitized():
        pytest.skip("pam_unix.so crashes in a program with sanitizers")
    found = next(Path("/lib").glob("*/security/pam_unix.so")).parent
    copy = Path("/run/security")
    shutil.copytree(found, copy)
    shutil.copy(built("pam/pam_countersign.so"), copy / "pam_countersign.so")
    private.bind(copy, found)
    # The one path of its own that the library has.
    config = Path(os.fsdecode(re.search(
        rb"/[^\0]+/countersign\.conf(?=\0)",
        built("lib/libcountersign.so.0").read_bytes()).group()))
    # It reads no configuration that somebody else could write.
    private.only_root_above(config)
    there = next(up for up in config.parent.parents if up.exists())
    if there != Path("/etc"):
        private.tmpfs(there)
    config.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(rig.conf, config)
    lines = Path("/etc/shadow").read_text().splitlines(True)
    Path("/etc/shadow").write_text("".join(
        f"alice:{hashed()}:20000:0:99999:7:::\n"
        if line.startswith("alice:") else line for line in lines))
    return rig


class Sudo:
    """pam_authenticate(3) as sudo does it, with this machine's /etc/pam.d."""

    def __init__(self, rig, password=PASSWORD, service="sudo"):
        self.process = subprocess.Popen(
            [PAM_RUN, "--confdir", REAL, "--service", service, "--user",
             "alice", "--tty", "/dev/pts/0", "--ruser", "alice", "--answer",
             password, "--json", "--", "sudo", "true"], text=True,
            env=rig._environment(), stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL)
        self.lines = []

    def link(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if link_in(json.loads(line)["text"]):
                return link_in(json.loads(line)["text"])
        return None

    def end(self):
        self.lines += self.process.communicate(timeout=60)[0].splitlines(True)
        return self.process.returncode == 0


def deny_and_approve(rig, service="sudo"):
    one = Sudo(rig, service=service)
    rig.phone.approve(one.link())
    assert one.end(), one.lines
    one = Sudo(rig, service=service)
    rig.phone.deny(one.link())
    assert not one.end(), one.lines
    one = Sudo(rig, "wrong", service=service)
    assert one.link() is None
    assert not one.end(), one.lines


def test_the_edited_stack_asks(real):
    plain = Sudo(real)
    assert plain.link() is None and plain.end(), plain.lines
    # --force: what this machine's root has is not the subject here
    status, _, err = countersign(real, "pam", "enable", "sudo", "--force")
    assert status == 0, err
    deny_and_approve(real)
    with real.service_down():
        one = Sudo(real)
        assert one.link() is None and not one.end(), one.lines
    assert countersign(real, "pam", "disable", "sudo")[0] == 0
    plain = Sudo(real)
    assert plain.link() is None and plain.end(), plain.lines


@pytest.mark.skipif(not Path("/usr/sbin/pam-auth-update").exists(),
                    reason="needs pam-auth-update")
def test_the_profile_of_pam_auth_update(real):
    source = TOP / "pam/pam-configs/countersign"
    for folder in ("/var/lib/pam", "/var/cache/debconf",
                   "/usr/share/pam-configs"):
        copy = "/run/pam" + folder
        shutil.copytree(folder, copy)
        private.bind(copy, folder)
    shutil.copy(source, "/usr/share/pam-configs/countersign")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}

    def update(*arguments):
        subprocess.run(["/usr/sbin/pam-auth-update", "--package", *arguments],
                       env=environment, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, check=True)
        return (REAL / "common-auth").read_text()

    assert "countersign" not in update()
    assert "pam_countersign.so after_first_factor" in update(
        "--enable", "countersign")
    run = countersign(real, "pam", "show", "sudo", "--json")
    ways = json.loads(run[1])["ways"]
    assert {name for name in ways if ways[name]} == {"success", "both", "late"}
    deny_and_approve(real)
    # pam enable sees it, and pam disable leaves it to its owner
    assert "already: /etc/pam.d/common-auth" in countersign(
        real, "pam", "enable", "sudo")[1]
    assert countersign(real, "pam", "disable", "sudo")[0] == 1
    assert "countersign" not in update("--remove", "countersign")
    plain = Sudo(real)
    assert plain.link() is None and plain.end(), plain.lines
