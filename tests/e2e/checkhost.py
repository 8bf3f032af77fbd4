# SPDX-License-Identifier: BSD-2-Clause
"""
A host on which "countersign check" has nothing to say: a private machine with
a copy of this system's own /etc, the module in sshd's and sudo's stacks as
pam_countersign(8) shows it, a service with TLS, and a phone of alice's.
"""
import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import machine
import private
import pytest
from rig import Rig
from sources import BUILD

ETC = Path("/etc")
PAM = ETC / "pam.d"
DROP_IN = ETC / "ssh/sshd_config.d/countersign.conf"
PAGE_LIST = BUILD / "service/page.sha256"
LINE = f"pam_countersign.so config={machine.CONF}"
HASH = "$6$saltsalt$" + "x" * 86

SSHD = """UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication no
AuthenticationMethods publickey,keyboard-interactive
LoginGraceTime 120
"""
SUDO = f"auth requisite pam_unix.so\nauth required {LINE}\n"


def replace(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


def security_folder():
    """Where libpam looks; its files, copied to where more can be put."""
    folder = next(Path(found).parent for pattern in
                  ("/usr/lib/*/security", "/usr/lib64/security")
                  for found in map(str, Path("/").glob(
                      pattern.lstrip("/") + "/pam_deny.so")))
    private.tmpfs("/run/modules")
    shutil.copytree(folder, "/run/modules", dirs_exist_ok=True)
    private.bind("/run/modules", folder)
    return folder


def long_certificate(service):
    """The service's own, but for two months."""
    for words in (
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", "long.key", "-out", "long.csr", "-subj",
             "/CN=long"],
            ["x509", "-req", "-in", "long.csr", "-CA", "ca.pem", "-CAkey",
             "ca.key", "-CAcreateserial", "-days", "60", "-extfile", "san",
             "-out", "long.pem"]):
        subprocess.run(["openssl", *words], check=True, cwd=service.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.chmod(service.folder / "long.key", 0o600)


class Host:
    """The machine, its rig, and ways to look at it."""

    def __init__(self):
        private.enter()
        if not Path("/usr/sbin/sshd").exists() or not (
                ETC / "sudoers").exists():
            pytest.skip("this needs sshd and sudo")
        machine.install()
        Path("/run/modules").mkdir()
        self.folder = security_folder()
        shutil.copy(machine.MODULE, self.folder / "pam_countersign.so")
        Path("/run/sshd").mkdir(exist_ok=True)
        self.rig = Rig(folder=machine.CONF.parent, product=machine.PRODUCT,
                       device_kinds="webauthn")
        self.rig.__enter__()
        try:
            self._furnish()
        except BaseException:
            self.rig.close()
            raise

    def _furnish(self):
        service = self.rig.service
        long_certificate(service)
        self.short = dict(tls_certificate=service.folder / "service.pem",
                          tls_key=service.folder / "service.key")
        self.long = dict(tls_certificate=service.folder / "long.pem",
                         tls_key=service.folder / "long.key")
        service.configure(**self.long)
        service.restart()
        replace(PAM / "sshd", "@include common-auth",
                f"auth required {LINE}")
        for name in ("sudo", "sudo-i"):
            replace(PAM / name, "@include common-auth", SUDO)
        DROP_IN.write_text(SSHD)
        replace(ETC / "shadow", "root:*:", f"root:{HASH}:") \
            if "root:*:" in (ETC / "shadow").read_text() else None
        replace(ETC / "shadow", "alice:*:", f"alice:{HASH}:")
        replace(ETC / "group", "sudo:x:27:", "sudo:x:27:alice")
        (ETC / "logrotate.d").mkdir(exist_ok=True)
        (ETC / "logrotate.d/countersign").write_text(
            f"{self.rig.audit_file} {{\n\tmonthly\n}}\n")
        for name in ("phone", "tablet"):
            self.phone = self.rig.enrol_soft("alice", name)

    def close(self):
        self.rig.close()

    # --- looking ---

    def run(self, *arguments, user=None, listed=PAGE_LIST):
        """Exit status and both outputs."""
        argv = [str(machine.PRODUCT / "countersign"), "check", "--config",
                str(machine.CONF), "--list", str(listed), *arguments]
        if user:
            argv = machine.as_user(user, *argv)
        run = subprocess.run(argv, env={"LC_ALL": "C.UTF-8"}, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=120)
        return run.returncode, run.stdout, run.stderr

    def report(self, *arguments):
        status, out, err = self.run("--json", *arguments)
        assert err == "" and out, (status, err)
        report = json.loads(out)
        worst = 3 if report["errors"] else 1 if report["warnings"] else 0
        assert status == worst, out
        return report

    def findings(self, *arguments):
        """{(id, subject): finding}"""
        return {(one["id"], one["subject"]): one
                for one in self.report(*arguments)["findings"]}

    # --- breaking ---

    @contextlib.contextmanager
    def changed(self, path, change):
        """change: what the file has instead, or a function of its text."""
        path = Path(path)
        before = path.read_bytes() if path.exists() else None
        mode = path.stat().st_mode & 0o7777 if before is not None else 0o644
        try:
            if change is None:
                path.unlink()
            else:
                path.write_text(change(before.decode()) if callable(change)
                                else change)
            yield
        finally:
            if before is None or not path.is_file():
                path.unlink(missing_ok=True)
            if before is not None:
                path.write_bytes(before)
                path.chmod(mode)
