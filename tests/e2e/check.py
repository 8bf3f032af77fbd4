# SPDX-License-Identifier: BSD-2-Clause
"""countersign check: what it names on a host that is broken in many ways."""
import hashlib
import http.server
import os
import re
import shutil
import ssl
import stat
import subprocess
import threading
import time
from email.utils import formatdate
from pathlib import Path

import private
import pytest
from checkhost import DROP_IN, ETC, HASH, LINE, PAM, SUDO, Host, machine
from sources import TOP, tool

SSHD = ETC / "ssh/sshd_config"
CONF = machine.CONF
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQjV7lxnGxNYuHR5uLX0aXb root@x\n"


@pytest.fixture(scope="module")
def host():
    one = Host()
    yield one
    one.close()


def sub(old, new):
    """A change of a file: this for that, which has to be there."""
    def change(text):
        assert old in text, old
        return text.replace(old, new)
    return change


def add(line):
    return lambda text: text + line + "\n"


def first(line):
    return lambda text: line + "\n" + text


def drop(line):
    return sub(line + "\n", "")


OURS = f"auth required {LINE}"
SHADOW = ETC / "shadow"


def test_healthy(host):
    report = host.report()
    assert [one for one in report["findings"]
            if one["severity"] != "note"] == []
    assert {one["group"] for one in report["good"]} == {
        "config", "files", "pam", "sshd", "sudo", "accounts", "recovery",
        "service", "clock", "page"}


# How it is broken: file, change; what is found, and about what.
BROKEN = {
    # the configuration
    "no configuration": (CONF, None, "config-missing", str(CONF)),
    "misspelt setting": (CONF, add("lifetimes = 60"), "config", rf"{CONF}:\d+"),
    "two mistakes, the second": (
        CONF, add("x = 1\nlifetime = 1"), "config", rf"{CONF}:\d+"),
    "a group that is not there": (
        CONF, add("require_groups = staff2"), "config-group",
        "require_groups staff2"),
    "unenrolled accounts pass": (
        CONF, add("[su]\nunenrolled = ignore"), "config-weak",
        "unenrolled = ignore"),
    "a tap is enough": (
        CONF, add("push_confirm = tap"), "push-tap", "push_confirm = tap"),
    "a tap is enough for sudo": (
        CONF, add("[sudo]\npush_confirm = tap"), "push-tap",
        "push_confirm = tap"),
    "everybody may ring": (
        CONF, add("[sshd]\npush_without_first_factor = yes"),
        "push-unproven", "push_without_first_factor = yes"),
    "nobody sees the question": (
        CONF, add("[sshd]\npresent = none"), "present-none",
        "present = none"),
    "nobody sees it, and no phone rings": (
        CONF, add("push_confirm = tap\n[sudo]\npresent = none\npush = no"),
        "present-none", "present = none"),
    "nothing listens for users": (
        CONF, add("ask_users = eve"), "agent-socket",
        "/run/countersign/agent.sock"),
    # stacks
    "sufficient": (PAM / "sudo", sub(OURS, f"auth sufficient {LINE}\n"
                                     "auth required pam_unix.so"),
                   "pam-overruled", r"/etc/pam.d/sudo:\d+"),
    "optional": (PAM / "sudo", sub(OURS, f"auth optional {LINE}"),
                 "pam-overruled", r"/etc/pam.d/sudo:\d+"),
    "a bracket that ignores failures": (
        PAM / "sudo", sub(OURS, f"auth [success=ok default=ignore] {LINE}"),
        "pam-overruled", r"/etc/pam.d/sudo:\d+"),
    "a missing module is let pass": (
        PAM / "sudo", sub(OURS, f"-auth required {LINE}"),
        "pam-missing-passes", r"/etc/pam.d/sudo:\d+"),
    "password first, and enough": (
        PAM / "sudo", sub("requisite pam_unix.so", "sufficient pam_unix.so"),
        "pam-around", r"/etc/pam.d/sudo:6"),
    "pam_permit is enough": (
        PAM / "sudo", first("auth sufficient pam_permit.so"), "pam-open",
        r"/etc/pam.d/sudo:1"),
    "an exemption": (
        PAM / "sudo", sub(OURS, "auth [success=1 default=ignore] "
                          "pam_succeed_if.so user ingroup robots\n" + OURS),
        "pam-exempt", r"/etc/pam.d/sudo:\d+"),
    "pam_deny behind it": (
        PAM / "sudo", sub(OURS, OURS + "\nauth required pam_deny.so"),
        "pam-never", r"/etc/pam.d/sudo:\d+"),
    "in the account stack": (
        PAM / "sudo", add(f"account required {LINE}"), "pam-type",
        r"/etc/pam.d/sudo:\d+"),
    "asked twice": (PAM / "sudo", sub(OURS, OURS + "\n" + OURS), "pam-twice",
                    r"/etc/pam.d/sudo:8"),
    "an unknown option": (PAM / "sudo", sub(LINE, LINE + " nullok"),
                          "pam-option", r"/etc/pam.d/sudo:\d+"),
    "another configuration that is not there": (
        PAM / "sudo", sub(f"config={CONF}", "config=/etc/no.conf"),
        "pam-config", r"/etc/pam.d/sudo:\d+"),
    "no such module": (
        PAM / "sudo", sub("pam_countersign.so",
                          "/lib/elsewhere/pam_countersign.so"),
        "module-missing", "/lib/elsewhere/pam_countersign.so"),
    "a control that nobody knows": (
        PAM / "sudo", sub(OURS, OURS + "\nauth demanded pam_unix.so"),
        "pam-syntax", r"/etc/pam.d/sudo:\d+"),
    "a first factor that is not there": (
        PAM / "sudo", sub(SUDO, OURS + " after_first_factor\n"),
        "pam-first-factor", r"/etc/pam.d/sudo:\d+"),
    "phone before password": (
        PAM / "sudo", sub(SUDO, OURS + "\nauth required pam_unix.so\n"),
        "pam-early", r"/etc/pam.d/sudo:\d+"),
    "phone alone": (PAM / "sudo", sub(SUDO, OURS + "\n"), "pam-alone",
                    r"/etc/pam.d/sudo:\d+"),
    "other asks": (PAM / "other", sub("@include common-auth", OURS),
                   "pam-other", r"/etc/pam.d/other:\d+"),
    "a file server asks": (PAM / "vsftpd", OURS + "\n", "pam-unattended",
                           r"/etc/pam.d/vsftpd:1"),
    "a dialogue asks": (PAM / "polkit-1", OURS + "\n", "pam-dialog",
                        r"/etc/pam.d/polkit-1:1"),
    "sudo -i is forgotten": (
        PAM / "sudo-i", sub(SUDO, "@include common-auth\n"), "pam-sibling",
        "/etc/pam.d/sudo-i"),
    "root's su asks": (PAM / "su", sub("auth       sufficient pam_rootok.so",
                                       OURS), "pam-su-root",
                       r"/etc/pam.d/su:\d+"),
    "a file that is not there is included": (
        PAM / "sudo", add("@include no-such-file"), "pam-unusable", r"/etc/pam.d/sudo:\d+"),
    "a line without a module": (
        PAM / "sudo", sub(OURS, OURS + "\nauth required"), "pam-syntax",
        r"/etc/pam.d/sudo:\d+"),
    # sshd
    "KbdInteractiveAuthentication lost to an earlier file": (
        ETC / "ssh/sshd_config.d/00-vendor.conf",
        "KbdInteractiveAuthentication no\n", "sshd-kbdint",
        "/etc/ssh/sshd_config.d/00-vendor.conf:1"),
    "drop-in behind the main file": (
        SSHD, lambda text: sub("Include /etc/ssh/sshd_config.d/*.conf\n", "")
        (text) + "Include /etc/ssh/sshd_config.d/*.conf\n", "sshd-kbdint",
        r"/etc/ssh/sshd_config:\d+"),
    "no Include": (
        SSHD, drop("Include /etc/ssh/sshd_config.d/*.conf"), "sshd-include",
        "/etc/ssh/sshd_config"),
    "UsePAM no": (DROP_IN, sub("UsePAM yes", "UsePAM no"), "sshd-usepam",
                  f"{DROP_IN}:1"),
    "PasswordAuthentication yes": (
        DROP_IN, lambda text: sub("PasswordAuthentication no", "Password"
                                  "Authentication yes")(
            sub("publickey,keyboard-interactive", "any")(text)),
        "sshd-password", f"{DROP_IN}:3"),
    "password among the methods": (
        DROP_IN, lambda text: sub("PasswordAuthentication no", "Password"
                                  "Authentication yes")(
            sub("publickey,key", "publickey,password publickey,key")(text)),
        "sshd-password", f"{DROP_IN}:4"),
    "no way through the stack": (
        DROP_IN, sub("publickey,keyboard-interactive", "publickey,password"),
        "sshd-methods", f"{DROP_IN}:4"),
    "a key is enough": (
        DROP_IN, drop("AuthenticationMethods publickey,keyboard-interactive"),
        "sshd-alone", "/etc/ssh/sshd_config"),
    "a key is one of the ways": (
        DROP_IN, sub("publickey,keyboard-interactive",
                     "publickey keyboard-interactive"),
        "sshd-alone", f"{DROP_IN}:4"),
    "LoginGraceTime too short": (
        DROP_IN, sub("LoginGraceTime 120", "LoginGraceTime 1m"),
        "sshd-grace", f"{DROP_IN}:5"),
    "LoginGraceTime tight": (
        DROP_IN, sub("LoginGraceTime 120", "LoginGraceTime 100"),
        "sshd-grace-short", f"{DROP_IN}:5"),
    "LoginGraceTime too short to enrol": (
        CONF, add("[sshd]\nunenrolled = enroll"), "sshd-grace-short",
        f"{DROP_IN}:5"),
    "LoginGraceTime too short for a new phone": (
        CONF, add("[sshd]\nrecovery_enroll = yes"), "sshd-grace-short",
        f"{DROP_IN}:5"),
    "a question outlives LoginGraceTime": (
        CONF, add("[sshd]\nlifetime = 300"), "sshd-grace", f"{DROP_IN}:5"),
    "MaxAuthTries 1": (DROP_IN, add("MaxAuthTries 1"), "sshd-tries",
                       f"{DROP_IN}:6"),
    "sshd does not start": (DROP_IN, add("NoSuchKeyword yes"), "sshd-test",
                            "/etc/ssh/sshd_config"),
    "text that sshd does not show": (
        CONF, add("[sshd]\npresent = info"), "sshd-present",
        "present = info"),
    # sudo
    "timestamp_timeout shorter than told": (
        ETC / "sudoers", add("Defaults timestamp_timeout=0"),
        "sudo-timestamp", r"/etc/sudoers:\d+"),
    "timestamp_timeout longer than told, in a drop-in": (
        ETC / "sudoers.d/longer", "Defaults env_reset, timestamp_timeout = 60",
        "sudo-timestamp", "/etc/sudoers.d/longer:1"),
    "for ever": (ETC / "sudoers", add("Defaults timestamp_timeout=-1"),
                 "sudo-timestamp", r"/etc/sudoers:\d+"),
    "NOPASSWD": (ETC / "sudoers.d/cloud", "bob ALL=(ALL) NOPASSWD:ALL\n",
                 "sudo-nopasswd", "/etc/sudoers.d/cloud:1"),
    "!authenticate": (ETC / "sudoers.d/quick", "Defaults:bob !authenticate\n",
                      "sudo-nopasswd", "/etc/sudoers.d/quick:1"),
    "targetpw": (ETC / "sudoers.d/suse", "Defaults targetpw\n",
                 "sudo-target", "/etc/sudoers.d/suse:1"),
    "for ever, for some": (
        ETC / "sudoers.d/some", "Defaults:bob timestamp_timeout=-1\n",
        "sudo-timestamp", "/etc/sudoers.d/some:1"),
    "no sudoers": (ETC / "sudoers", lambda _: "@include /nix\n",
                   "sudo-unread", "/nix"),
    "another PAM service": (
        ETC / "sudoers.d/pam", 'Defaults pam_service="su"\n',
        "sudo-service", "/etc/sudoers.d/pam:1"),
    # accounts
    "an administrator without a phone": (
        ETC / "group", sub("sudo:x:27:alice", "sudo:x:27:alice,bob"),
        "admin-unenrolled", "bob"),
    "the same by sudoers": (
        ETC / "sudoers.d/carol", "carol, eve ALL=(ALL) ALL\n",
        "admin-unenrolled", "carol"),
    "a second root": (ETC / "passwd", add("toor:x:0:0::/root:/bin/sh"),
                      "uid-zero", "toor"),
    "page_url moved": (
        CONF, add("page_url = https://approve.example.org"), "device-origin",
        r"alice ([a-z2-7]{4}-){3}[a-z2-7]{4}"),
    "a kind that is refused": (
        CONF, lambda text: re.sub("device_kinds = .*", "device_kinds = p256",
                                  text), "devices-refused", "alice"),
    # the courier and the audit trail
    "no courier account": (
        CONF, lambda text: re.sub("courier_user = .*", "courier_user = nix",
                                  text), "courier-user", "nix"),
    "the courier would be root": (
        CONF, lambda text: re.sub("courier_user = .*", "courier_user = root",
                                  text), "courier-user", "root"),
    "no courier": (
        CONF, lambda text: re.sub("courier = .*", "courier = /run/nix",
                                  text), "courier", "/run/nix"),
    "no folder for the audit trail": (
        CONF, lambda text: re.sub("audit_file = .*", "audit_file = "
                                  "/run/nix/audit", text), "audit-file",
        "/run/nix"),
    "no folder for the evidence": (
        CONF, lambda text: re.sub("audit_file = .*", r"\g<0>\nevidence = yes\n"
                                  "evidence_file = /run/nix/evidence", text),
        "evidence", "/run/nix"),
    "nothing rotates it": (
        ETC / "logrotate.d/countersign", None, "audit-rotation",
        str(CONF.parent / "audit")),
    "somebody else writes it": (
        CONF.parent / "audit", add("garbage"), "audit-record",
        str(CONF.parent / "audit")),
    # nobody left
    "no way in without a phone": (
        SHADOW, lambda text: re.sub(r"^(root|alice):[^:]*:", r"\1:!:", text,
                                    flags=re.M), "no-break-glass", "root"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_broken(host, how):
    path, change, wanted, subject = BROKEN[how]
    with host.changed(path, change):
        found = host.findings()
    subjects = [about for name, about in found if name == wanted]
    assert any(re.fullmatch(subject, about) for about in subjects), found


def test_any_kind_of_phone_alone(host):
    with host.changed(PAM / "sudo", sub(SUDO, OURS + "\n")), \
            host.changed(CONF, add("[sudo]\ndevice_kinds = p256")):
        assert ("pam-p256", "/etc/pam.d/sudo:6") in host.findings()


def test_where_nobody_sees_the_question_a_tap_does(host):
    with host.changed(CONF, add("[sshd]\npresent = none\npush_confirm = tap")):
        found = {name for name, _ in host.findings()}
    assert "push-tap" in found
    assert not {"present-none", "sshd-present"} & found


def test_push_settings_without_push(host):
    """They cost nothing then; and are said once, not for each section."""
    text = "push_confirm = tap\npush_without_first_factor = yes\n"
    with host.changed(CONF, add(text)):
        assert len([one for one in host.report()["findings"]
                    if one["id"].startswith("push-")]) == 2
    with host.changed(CONF, add(text + "push = no")):
        assert not [name for name, _ in host.findings()
                    if name.startswith("push-")]


def test_phones_that_do_not_ring(host):
    """One question of alice's is open, so that the next would not ring."""
    login = host.rig.login("alice", service="sudo")
    link = login.link()
    try:
        found = host.findings()["push-quiet", "alice"]
        assert found["severity"] == "note" and found["problem"]
    finally:
        host.phone.deny(link)
        login.end()


def test_su_beside_sudo(host):
    assert ("other-way", "su") in host.findings()


def test_sshd_is_not_there(host):
    """Its files say as much, with the same words."""
    Path("/run/sshd").rmdir()
    try:
        healthy = host.report()
        with host.changed(DROP_IN, sub("UsePAM yes", "UsePAM no")):
            found = host.findings()
    finally:
        Path("/run/sshd").mkdir()
    assert "sshd-idle" in [one["id"] for one in healthy["findings"]]
    assert healthy["warnings"] == healthy["errors"] == 0
    assert ("sshd-usepam", f"{DROP_IN}:1") in found


def test_one_account_with_a_key_alone(host, root_key):
    with host.changed(DROP_IN, add(
            root_key + "Match User bob\nAuthenticationMethods publickey")):
        found = host.findings()
    assert ("sshd-user-alone", "bob") in found
    assert ("sshd-user-alone", "alice") not in found


def test_large_audit_trail(host):
    audit = CONF.parent / "audit"
    with host.changed(audit, lambda text: text):
        os.truncate(audit, 2 ** 27)
        found = host.findings()
    assert ("audit-size", str(audit)) in found


def test_it_names_each_of_them(host):
    """The table breaks things in at least twenty ways, each an own word."""
    assert len({wanted for _, _, wanted, _ in BROKEN.values()}) >= 20


def test_a_line_that_comes_too_late_is_named(host):
    with host.changed(ETC / "ssh/sshd_config.d/00-vendor.conf",
                      "KbdInteractiveAuthentication no\n"):
        found = host.findings()
    one = found["sshd-kbdint", "/etc/ssh/sshd_config.d/00-vendor.conf:1"]
    assert f"{DROP_IN}:2" in one["problem"]
    assert one["severity"] == "error"


@pytest.mark.parametrize("file,change,found,remedy", [
    (PAM / "sudo-i", sub(SUDO, "@include common-auth\n"), "pam-sibling",
     "countersign pam enable sudo-i"),
    *[(*BROKEN[name][:3], f"countersign enroll {BROKEN[name][3]}")
      for name in BROKEN if BROKEN[name][2] == "admin-unenrolled"]])
def test_a_remedy_can_be_typed(host, file, change, found, remedy):
    with host.changed(file, change):
        report = host.report()
    assert remedy in [one["remedy"] for one in report["findings"]
                      if one["id"] == found]


def test_every_mistake_of_the_configuration(host):
    with host.changed(CONF, add("x = 1\nlifetime = 1\ny = 2")):
        found = host.findings()
    assert len([1 for name, _ in found if name == "config"]) == 3


def test_common_auth_names_every_service(host):
    """One line, one finding, however many stacks include it."""
    with host.changed(PAM / "common-auth", first(f"auth sufficient {LINE}")):
        found = host.findings()
    one = found["pam-overruled", "/etc/pam.d/common-auth:1"]
    assert {"su", "login", "other"} <= set(one["services"])


def test_a_stack_that_others_may_write(host):
    with chmod(PAM / "sudo", 0o666):
        found = host.findings()
    assert found["pam-writable", "/etc/pam.d/sudo"]["severity"] == "error"


class chmod:
    """Another mode for a file, for a while."""

    def __init__(self, path, mode):
        self.path, self.mode = path, mode

    def __enter__(self):
        self.before = stat.S_IMODE(os.stat(self.path).st_mode)
        os.chmod(self.path, self.mode)

    def __exit__(self, *_):
        os.chmod(self.path, self.before)


@pytest.mark.parametrize("name,mode,wanted", [
    ("countersign.conf", 0o666, "config"), ("access.key", 0o644, "access-key"),
    ("courier", 0o777, "courier"), ("courier", 0o744, "courier"),
    ("audit", 0o666, "audit-file"), ("state/devices", 0o777, "store"),
    ("state/devices/alice", 0o666, "account-files")])
def test_permissions(host, name, mode, wanted):
    path = CONF.parent / name
    with chmod(path, mode):
        found = host.findings()
    assert [one for one in found if one[0] == wanted and
            one[1].startswith(str(path))], found


def test_evidence_that_others_read(host):
    path = CONF.parent / "evidence"
    with host.changed(CONF, lambda text: re.sub(
            "audit_file = .*", rf"\g<0>\nevidence = yes\nevidence_file = {path}",
            text)):
        assert "evidence" not in {name for name, _ in host.findings()}
        path.write_text("")
        try:
            for mode in (0o640, 0o606):
                path.chmod(mode)
                assert ("evidence", str(path)) in host.findings()
            path.chmod(0o600)
            assert ("evidence", str(path)) not in host.findings()
        finally:
            path.unlink()


def test_records_for_a_log_that_is_not_there(host):
    with host.changed(CONF, lambda text: re.sub(
            "audit_file = .*", "audit_file = none", text).replace(
                "audit_syslog = no", "audit_syslog = yes")):
        assert "audit-log" not in {name for name, _ in host.findings()}
        os.rename("/dev/log", "/dev/log.away")
        try:
            assert ("audit-log", "/dev/log") in host.findings()
        finally:
            os.rename("/dev/log.away", "/dev/log")


def test_module_of_somebody_else(host):
    module = host.folder / "pam_countersign.so"
    os.chown(module, 2001, 2001)
    try:
        found = host.findings()
    finally:
        os.chown(module, 0, 0)
    assert found["module-unsafe", str(module)]["severity"] == "error"


def test_module_that_cannot_be_loaded(host):
    module = host.folder / "pam_countersign.so"
    good = module.read_bytes()
    said = []
    try:
        for half in (b"half an update", good[:4096]):
            module.write_bytes(half)
            said.append(host.findings()["module-load", str(module)])
    finally:
        module.write_bytes(good)
    assert "cannot be loaded" in said[0]["problem"]


def test_module_that_is_gone(host):
    module = host.folder / "pam_countersign.so"
    away = host.folder / "away"
    module.rename(away)
    try:
        found = host.findings()
    finally:
        away.rename(module)
    one = found["module-missing", str(module)]
    assert set(one["services"]) == {"sshd", "sudo", "sudo-i"}


def test_nothing_asks(host):
    for name in ("sshd", "sudo", "sudo-i"):
        shutil.copy(PAM / name, f"/run/{name}.before")
    try:
        for name in ("sshd", "sudo", "sudo-i"):
            text = (PAM / name).read_text()
            (PAM / name).write_text(text.replace(OURS, "@include common-auth"))
        report = host.report()
    finally:
        for name in ("sshd", "sudo", "sudo-i"):
            shutil.copy(f"/run/{name}.before", PAM / name)
    assert [one["id"] for one in report["findings"]
            if one["severity"] != "note"] == ["pam-none"]


def test_store_not_mounted(host):
    private.tmpfs(CONF.parent / "state", "0700")
    try:
        found = host.findings()
    finally:
        subprocess.run(["umount", CONF.parent / "state"], check=True)
    assert [name for name, _ in found if name == "store"]


def test_store_read_only(host):
    state = CONF.parent / "state"
    private.bind(state, state)
    subprocess.run(["mount", "-o", "remount,bind,ro", state], check=True)
    try:
        found = host.findings()
    finally:
        subprocess.run(["umount", state], check=True)
    assert found["store-space", str(state)]["severity"] == "error"


def test_full_disk(host):
    folder = Path("/run/small")
    folder.mkdir()
    private.mount("tmpfs", folder, "tmpfs", 0, "mode=0755,size=1M")
    try:
        with host.changed(CONF, lambda text: re.sub(
                "audit_file = .*", f"audit_file = {folder}/audit", text)):
            low = host.findings()
            with open(folder / "filler", "wb") as filler:
                try:
                    filler.write(b"x" * 2 ** 20)
                except OSError:
                    pass
            full = host.findings()
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
    assert low["store-low", str(folder)]["severity"] == "warning"
    assert full["store-space", str(folder)]["severity"] == "error"


# --- accounts --------------------------------------------------------------


@pytest.fixture
def bob(host):
    """bob with one device and no code; gone after the case."""
    host.rig.enrol_soft("bob", "phone")
    yield "bob"
    host.rig.countersign("deenroll", "--yes", "bob", check=False)
    (CONF.parent / "state/devices/bob").unlink(missing_ok=True)
    (CONF.parent / "state/state/2002").unlink(missing_ok=True)


def test_one_device_and_no_codes(host, bob):
    assert host.findings()["single-device", "bob"]["severity"] == "warning"


def test_codes_are_a_reserve(host, bob):
    host.rig.countersign("recovery", "--yes", "bob")
    found = host.findings()
    assert not [one for one in found if one[1] == "bob"]


def test_codes_run_low(host, bob):
    host.rig.countersign("recovery", "--yes", "bob")
    state = CONF.parent / "state/state/2002"
    lines = state.read_text().splitlines(keepends=True)
    used = 0
    for number, line in enumerate(lines):
        if line.startswith("code ") and used < 8:
            lines[number] = line.replace("used=never",
                                         "used=2026-11-22T00:00:00Z")
            used += 1
    write_state(state, lines)
    one = host.findings()["codes-low", "bob"]
    assert one["problem"] == "2 recovery codes are left."


def write_state(path, lines):
    """With the checksum that its last line has."""
    body = "".join(lines[:-1])
    word = lines[-1].split()[0]
    digest = hashlib.sha256(body.encode()).hexdigest()
    path.write_text(f"{body}{word} {digest}\n")


def test_account_gone(host, bob):
    with host.changed(ETC / "passwd", lambda text: re.sub(
            "^bob:.*\n", "", text, flags=re.M)):
        found = host.findings()
    assert [one for one in found if one[0] == "account-gone" and
            one[1].endswith("/devices/bob")], found


def test_account_made_again(host, bob):
    with host.changed(ETC / "passwd", sub("bob:x:2002:", "bob:x:2999:")):
        found = host.findings()
    assert [one for one in found if one[0] in (
        "account-files", "account-gone") and "bob" in one[1]], found


def test_broken_devices_file(host, bob):
    path = CONF.parent / "state/devices/bob"
    with host.changed(path, sub("webauthn", "webauthm")):
        found = host.findings()
    assert found["account-files", f"{path}:2"]["severity"] == "error"


def test_device_bound(host, bob):
    """alice's two and bob's one are synced passkeys or not, all the same."""
    with host.changed(CONF, add("[sudo]\ndevice_kinds = p256")):
        found = host.findings()
    refused = [one for name, one in found.items()
               if name[0] == "device-refused"]
    assert len(refused) == 3
    assert {tuple(one["services"]) for one in refused} == {("sudo",)}


def test_people_who_would_be_denied(host):
    """carol has a password, sshd takes passwords, and she has no phone."""
    with host.changed(SHADOW, sub("carol:*:", f"carol:{HASH}:")), \
            host.changed(DROP_IN, sub("publickey,", "")):
        found = host.findings()
    assert "carol" in found["user-unenrolled", "sshd"]["problem"]


@pytest.fixture
def carols_keys():
    folder = private.HOME / "carol/.ssh"
    folder.mkdir()
    yield folder / "authorized_keys"
    shutil.rmtree(folder)


@pytest.mark.parametrize("mode, seen", [(0o644, True), (0o600, False)])
def test_keys_are_read_as_their_owner(host, carols_keys, mode, seen):
    """A link leads nowhere where the account itself could not go."""
    target = Path("/run/target")
    target.write_text("# a comment\n" + KEY)
    target.chmod(mode)
    carols_keys.symlink_to(target)
    found = host.findings()
    target.unlink()
    assert (("user-unenrolled", "sshd") in found and "carol" in
            found["user-unenrolled", "sshd"]["problem"]) == seen


def test_people_whom_the_policy_leaves_alone(host):
    with host.changed(SHADOW, sub("carol:*:", f"carol:{HASH}:")), \
            host.changed(DROP_IN, sub("publickey,", "")), \
            host.changed(CONF, add("[sshd]\nrequire_groups = operators")):
        found = host.findings()
    assert ("user-unenrolled", "sshd") not in found


def test_ignored_accounts_prove_something(host):
    """With nothing else in the stack PAM_IGNORE opens or closes the door."""
    with host.changed(CONF, add("[sudo]\nrequire_groups = operators")):
        with host.changed(PAM / "sudo", sub(SUDO, OURS + "\n")):
            closed = host.findings()
        with host.changed(PAM / "sudo", sub(
                SUDO, OURS + "\nauth required pam_permit.so\n")):
            opened = host.findings()
    assert closed["pam-ignored-closed", "/etc/pam.d/sudo:6"]
    assert opened["pam-ignored-open", "/etc/pam.d/sudo:6"]


# --- ways in without a phone -----------------------------------------------


def locked(text):
    return re.sub(r"^(root|alice):[^:]*:", r"\1:!:", text, flags=re.M)


@pytest.fixture
def no_passwords(host):
    with host.changed(SHADOW, locked):
        yield


@pytest.fixture
def root_key(host):
    path = Path("/run/root_keys")
    path.write_text(KEY)
    yield f"AuthorizedKeysFile {path}\n"
    path.unlink()


def test_a_key_of_roots_in_a_match_block(host, no_passwords, root_key):
    with host.changed(DROP_IN, add(
            root_key + "Match User root\nAuthenticationMethods publickey")):
        report = host.report()
    assert "no-break-glass" not in [one["id"] for one in report["findings"]]
    assert {"group": "recovery", "text": "root: a key over ssh"} in \
        report["good"]


def test_a_key_of_roots_that_needs_the_phone(host, no_passwords, root_key):
    with host.changed(DROP_IN, add(root_key)):
        found = host.findings()
    assert ("no-break-glass", "root") in found
    assert found["sshd-root", "/etc/ssh/sshd_config"]["severity"] == "warning"


def test_recovery_codes_are_a_way(host, no_passwords):
    host.rig.countersign("recovery", "--yes", "alice")
    try:
        keys = Path("/run/alice_keys")
        keys.write_text(KEY)
        with host.changed(DROP_IN, add(f"AuthorizedKeysFile {keys}")):
            report = host.report()
            with host.changed(CONF, add("recovery = no")):
                without = host.findings()
    finally:
        host.rig.countersign("recovery", "--yes", "alice")
    assert {"group": "recovery", "text": "alice: recovery codes"} in \
        report["good"]
    assert ("no-break-glass", "root") in without


# --- the service, its clock and its page -----------------------------------


def test_service_away(host):
    with host.rig.service_down():
        found = host.findings()
    one = found["service", host.rig.service.url]
    assert one["severity"] == "error"
    assert one["problem"].count(host.rig.service.url) == 1
    assert ("page-unread", host.rig.service.url) in found


def test_service_does_not_know_the_key(host):
    with host.changed(CONF.parent / "access.key", "A" * 43 + "\n"):
        found = host.findings()
    assert ("service-key", host.rig.service.url) in found


def test_certificate_ends_soon(host):
    service = host.rig.service
    service.configure(**host.short)
    service.restart()
    try:
        found = host.findings()
    finally:
        service.configure(**host.long)
        service.restart()
    one = found["certificate", service.url]
    assert one["severity"] == "warning"
    assert re.search(r"in [12] days", one["problem"])


class Ping(http.server.BaseHTTPRequestHandler):
    """A service whose clock is wrong."""
    date = None  # the header, or how many seconds it is off

    def do_GET(self):
        self.send_response_only(200)
        date = self.date
        if isinstance(date, int):
            # As of now: a slow start is no part of the difference.
            date = formatdate(time.time() + date, usegmt=True)
        if date is not None:
            self.send_header("Date", date)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"PONG")

    def log_message(self, *_):
        pass


@pytest.fixture
def fake(host):
    """
    fake(date): what is found at a service that says this is its time; a
    number: that many seconds off.
    """
    folder = host.rig.service.folder
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ping)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "long.pem", folder / "long.key")
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def find(date):
        Ping.date = date
        with host.changed(CONF, lambda text: re.sub(
                "(?m)^service = .*", f"service = {url}", text)):
            return host.report(), url

    yield find
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("off,word", [(-100, "ahead of"), (100, "behind")])
def test_clock_is_wrong(fake, off, word):
    report, url = fake(off)
    found = {(one["id"], one["subject"]): one for one in report["findings"]}
    one = found["clock", url]
    assert one["severity"] == "warning" and word in one["problem"]
    assert abs(int(re.search(r"\d+", one["problem"])[0]) - 100) < 5


@pytest.mark.parametrize("date", [
    None, "", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 500])
def test_clock_is_not_known(fake, date):
    report, _ = fake(date)
    assert "clock" not in [one["id"] for one in report["findings"]]
    assert "service" not in [one["id"] for one in report["findings"]]


def test_page_is_another(host, tmp_path):
    listed = tmp_path / "list"
    text = Path(os.environ["top_builddir"], "service/page.sha256").read_text()
    listed.write_text("0" * 64 + text[64:])
    name = text.split()[1]
    status, out, _ = host.run(listed=listed)
    assert status == 3
    assert name in out and "error    page: " in out


# --- what it prints --------------------------------------------------------


def test_json_members(host):
    report = host.report()
    assert set(report) == {"findings", "good", "errors", "warnings", "notes",
                           "root"}
    for one in report["findings"]:
        assert set(one) == {"id", "group", "severity", "subject", "services",
                            "problem", "remedy"}
    for one in report["good"]:
        assert set(one) == {"group", "text"}
    assert report["root"] is None


def table():
    """{id: severity} of findings.h."""
    text = (TOP / "cli/check/findings.h").read_text()
    found = re.findall(r'X\(\w+, "([a-z0-9-]+)", [A-Z]+, (\w+),', text)
    assert len(found) > 60 and len(dict(found)) == len(found)
    return dict(found)


def test_every_finding_is_in_the_manual():
    page = (TOP / "man/countersign.1").read_text()
    start = page.index(".Sh FINDINGS")
    section = page[start:page.index("\n.Sh ", start + 1)]
    listed = re.findall(r"^\.It Cm ([a-z0-9-]+) Pq (error|warning|note)$",
                        section, flags=re.M)
    assert {name: word.upper() for name, word in listed} == table()


def test_text(host):
    status, out, err = host.run()
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "sshd\n  good     asks the phone after a key was proven\n" in out
    assert re.search(r"^0 errors, 0 warnings, \d+ notes?\.$", out, flags=re.M)


def test_exit_status(host):
    with host.changed(DROP_IN, add("MaxAuthTries 1")):
        assert host.run()[0] == 1
    with host.changed(DROP_IN, sub("UsePAM yes", "UsePAM no")):
        assert host.run()[0] == 3
    assert host.run()[0] == 0


def test_only_root(host):
    status, out, err = host.run(user="alice")
    assert (status, out) == (3, "")
    assert "only root" in err


# --- hostile and unreadable things -----------------------------------------


def test_hostile_text(host):
    """Nothing of a file reaches the terminal as it is."""
    evil = "auth required pam_\x1b]0;x\x07\x9b31m\u202e.so \x7f\n"
    with host.changed(PAM / "evil", OURS + "\n" + evil), \
            host.changed(DROP_IN, add("No\x1b[31mSuch\u202eKeyword yes")), \
            host.changed(ETC / "sudoers.d/evil", "e\x1b[2Jvil ALL=(ALL) "
                         "NOPASSWD: ALL\n"):
        out = host.run()[1]
        text = host.run("--json")[1]
    for printed in (out, text):
        assert re.fullmatch(r"[\n -~]*", printed)


@pytest.mark.parametrize("path", [
    PAM / "sudo", ETC / "ssh/sshd_config", ETC / "sudoers", DROP_IN,
    ETC / "logrotate.d/countersign", SHADOW, ETC / "passwd"],
    ids=lambda path: path.name)
def test_garbage(host, path):
    """A file of random bytes is a finding at most, never the end."""
    with host.changed(path, lambda _: ""):
        path.write_bytes(bytes(range(256)) * 300)
        status, out, err = host.run()
    assert status in (0, 1, 3) and re.search(r"^\d+ errors?, ", out,
                                             flags=re.M), (status, err)


@pytest.mark.parametrize("path", [
    PAM / "sudo", ETC / "ssh/sshd_config", ETC / "sudoers", DROP_IN],
    ids=lambda path: path.name)
def test_no_file_at_all(host, path):
    """A FIFO where a file should be keeps nobody waiting."""
    with host.changed(path, None):
        os.mkfifo(path)
        began = time.monotonic()
        status = host.run()[0]
    assert status in (1, 3)
    assert time.monotonic() - began < 30


def test_includes_without_end(host):
    with host.changed(DROP_IN, add(f"Include {DROP_IN}")), \
            host.changed(ETC / "sudoers.d/loop",
                         "@include /etc/sudoers.d/loop\n"), \
            host.changed(PAM / "loop", f"@include loop\n{OURS}\n"):
        assert host.run()[0] in (1, 3)


def test_nothing_is_changed(host):
    def seen():
        return {path: (path.stat().st_mtime_ns, path.stat().st_size)
                for folder in (ETC, CONF.parent)
                for path in folder.rglob("*") if path.is_file()}
    before = seen()
    host.run()
    assert seen() == before


# --- another root ----------------------------------------------------------


@pytest.fixture(scope="module")
def tree(host):
    """The files of the same host, below a folder."""
    root = Path("/run/tree")
    root.mkdir()
    shutil.copytree(ETC, root / "etc", symlinks=True)
    for folder in (CONF.parent, host.folder):
        target = root / str(folder).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, target, symlinks=True)
    (root / "run/countersign").chmod(0o755)
    return root


def test_tree(host, tree):
    report = host.report("--root", str(tree))
    assert report["root"] == str(tree)
    assert [one for one in report["findings"]
            if one["severity"] != "note"] == []
    assert "tree" in [one["id"] for one in report["findings"]]
    assert {one["group"] for one in report["good"]}.isdisjoint(
        {"service", "clock", "page"})


def test_tree_is_what_is_looked_at(host, tree):
    with host.changed(tree / "etc/pam.d/sudo",
                      sub(OURS, f"auth optional {LINE}")):
        found = host.findings("--root", str(tree))
    assert ("pam-overruled", "/etc/pam.d/sudo:7") in found


def test_tree_names_no_libraries_to_load(host, tree):
    """nsswitch.conf of a tree is not obeyed: it could name code to run."""
    library = tree / "lib/x86_64-linux-gnu/libnss_evil.so.2"
    library.parent.mkdir(parents=True, exist_ok=True)
    library.write_bytes(b"not a library")
    with host.changed(tree / "etc/nsswitch.conf",
                      "passwd: evil files\ngroup: evil\nshadow: evil\n"):
        run = subprocess.run(
            [tool("strace"), "-f", "-e", "trace=%file", "-o", "/run/trace",
             str(machine.PRODUCT / "countersign"), "check", "--config",
             str(CONF), "--root", str(tree)], stdout=subprocess.PIPE,
            text=True)
        found = host.findings("--root", str(tree))
    assert {one["severity"] for one in found.values()} == {"note"}
    assert run.returncode == 0, run.stdout
    trace = Path("/run/trace").read_text()
    assert str(tree) in trace and "libnss_evil" not in trace


def test_tree_with_links_that_lead_out(host, tree):
    """An absolute link leads to a place in the tree."""
    secret = Path("/run/outside")
    secret.write_text("auth required pam_outside.so\n" + OURS + "\n")
    link = tree / "etc/pam.d/linked"
    link.symlink_to(secret)
    try:
        out = host.run("--root", str(tree))[1]
    finally:
        link.unlink()
    assert "pam_outside" not in out


@pytest.mark.parametrize("root", ["/no/such", "/etc/passwd"])
def test_no_tree(host, root):
    status, out, err = host.run("--root", root)
    assert status == 3 and out == "" and err
