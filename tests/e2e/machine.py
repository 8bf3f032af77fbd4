# SPDX-License-Identifier: BSD-2-Clause
"""The product put into a private machine, and people who log in there."""
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pexpect
import private
from private import HOME
from screen import LINK
from sources import built, sanitized

PRODUCT = Path("/run/product")
MODULE = PRODUCT / "pam_countersign.so"
CONF = Path("/run/countersign/countersign.conf")
PORT = 22
UTF8 = "C.UTF-8"

SSHD_CONFIG = f"""
Port {PORT}
ListenAddress 127.0.0.1
HostKey /run/sshd/host_key
UsePAM yes
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication yes
AuthenticationMethods keyboard-interactive
AuthorizedKeysFile /run/sshd/keys/%u
PermitRootLogin yes
PrintMotd no
PrintLastLog no
MaxStartups 200
LogLevel VERBOSE
PidFile none
Match User bob,dora,fay,gus,root
AuthenticationMethods publickey,keyboard-interactive
"""

SUDOERS = """
Defaults !lecture, timestamp_timeout=0, passwd_tries=3
root ALL=(ALL) ALL
alice, bob ALL=(ALL) ALL
"""


def until(condition, seconds=10, what="it"):
    """Polls until condition() is true; what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"{what} did not happen in time"
        time.sleep(0.01)


def install():
    """
    Copies what was built to where only root can write.  libcountersign goes
    by the loader's cache, since set-id programs obey nothing else.
    """
    assert not sanitized(), "the e2e tests need a build without sanitizers"
    PRODUCT.mkdir()
    shutil.copy(built("pam/pam_countersign.so"), MODULE)
    shutil.copy(built("lib/courier/courier"), PRODUCT / "courier")
    shutil.copy(built("lib/libcountersign.so.0"),
                PRODUCT / "libcountersign.so.0")
    for name in ("cli/countersign", "cli/phone/countersign-phone",
                 "service/countersignd"):
        shutil.copy(built(name), PRODUCT / Path(name).name)
    Path("/etc/ld.so.conf").write_text(f"{PRODUCT}\n"
                                       "include /etc/ld.so.conf.d/*.conf\n")
    subprocess.run(["/sbin/ldconfig"], check=True)


def stack(service, *auth):
    """
    Writes a PAM service file.  pam_permit comes last in auth, so that a module
    that wrongly returned PAM_IGNORE would let everybody in.
    """
    lines = [f"auth {line}" for line in auth or
             (f"required {MODULE} config={CONF}",)]
    Path("/etc/pam.d", service).write_text("\n".join(lines) + """
auth required pam_permit.so
account required pam_permit.so
session required pam_permit.so
password required pam_deny.so
""")


def furnish():
    """The product, with a stack of its own for each way to log in."""
    install()
    Path("/etc/sudoers").write_text(SUDOERS)
    os.chmod("/etc/sudoers", 0o440)
    for service in ("sshd", "sudo", "su"):
        stack(service)


class Sshd:
    """A real sshd on a port that nobody else can see."""

    def __init__(self):
        folder = Path("/run/sshd")
        (folder / "keys").mkdir(parents=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        folder / "host_key"], check=True)
        public = (folder / "host_key.pub").read_text()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{PORT} {public}"
                                            f"127.0.0.1 {public}")
        (folder / "config").write_text(SSHD_CONFIG)
        self.log = folder / "log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "config"],
                stdout=log, stderr=log)
        until(lambda: "Server listening" in self.log.read_text(),
              what="sshd's start")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    @staticmethod
    def give_key(user):
        """A key of this user's, accepted by the server; its path."""
        path = HOME / "client" / f"key-{user}"
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                            "-f", path], check=True)
            os.chown(path, private.ACCOUNTS["client"],
                     private.ACCOUNTS["client"])
            shutil.copy(f"{path}.pub", f"/run/sshd/keys/{user}")
        return path


def as_user(user, *argv):
    """The command line that runs argv as this user and nobody else."""
    uid = str(private.ACCOUNTS[user])
    return ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={uid}",
            "--init-groups", *map(str, argv)]


def environment(user, **more):
    return {"HOME": str(HOME / user), "USER": user, "LOGNAME": user,
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "xterm",
            "LC_ALL": UTF8, **more}


def ssh_command(user, *command, key=None, options=()):
    identity = ["-i", str(key), "-o", "IdentitiesOnly=yes"] if key else []
    return ["/usr/bin/ssh", "-F", "none", "-p", str(PORT),
            "-o", "UserKnownHostsFile=/run/sshd/known_hosts",
            "-o", "GlobalKnownHostsFile=none",
            "-o", "PreferredAuthentications=publickey,keyboard-interactive",
            *identity, *[word for option in options
                         for word in ("-o", option)],
            f"{user}@127.0.0.1", *command]


class Session:
    """
    A program at a terminal of its own, and what it printed.  behind: how the
    text under a link ends, which may come in pieces.
    """

    all = []

    def __init__(self, argv, env, size=(50, 132), behind=r"\d seconds\.\r?\n"):
        self.behind = behind
        self.began = time.monotonic()
        self.child = pexpect.spawn(argv[0], argv[1:], env=env, timeout=20,
                                   encoding="utf-8", codec_errors="replace",
                                   dimensions=size, echo=False)
        self.text = ""
        Session.all.append(self)

    def keep(self):
        """It lasts for longer than one case, and so do its couriers."""
        Session.all.remove(self)
        KEPT.update(couriers())

    def read(self, seconds=0.05):
        try:
            self.text += self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return False
        return True

    def wait_for(self, pattern, seconds=20):
        """Reads until the text has this pattern; the match."""
        deadline = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.text)
            if match:
                return match
            alive = self.read()
            assert alive or re.search(pattern, self.text), self.text
            assert time.monotonic() < deadline, self.text

    def link(self, number=0, seconds=20):
        """The number-th link shown, once what stands behind it is there."""
        deadline = time.monotonic() + seconds
        while True:
            found = {}
            for match in LINK.finditer(self.text):
                found.setdefault(match.group(0), match.end())
            if len(found) > number:
                link, end = list(found.items())[number]
                if re.search(self.behind, self.text[end:]):
                    return link
            alive = self.read()
            assert alive and time.monotonic() < deadline, self.text

    def links(self):
        return len({match.group(0).upper()
                    for match in LINK.finditer(self.text)})

    def enter(self, text=""):
        self.child.send(text + "\r")

    def end(self, seconds=20):
        """Reads to the end; the exit status."""
        deadline = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < deadline, self.text
        self.child.wait()
        self.seconds = time.monotonic() - self.began
        if self.child.signalstatus is not None:
            return -self.child.signalstatus
        return self.child.exitstatus

    def kill(self):
        self.child.kill(signal.SIGKILL)


def ssh(user, command="echo logged in as $(id -un)", key=None, options=(),
        env=None, **keywords):
    """alice's terminal, where she types ssh."""
    argv = ssh_command(user, command, key=key, options=options)
    return Session(as_user("client", *argv),
                   environment("client", **(env or {})),
                   behind=r"\d seconds\.\r?\nPress Enter [^\r\n]*: ", **keywords)


def anybodys(text, lifetime):
    """
    A transcript without what is different each time, so that it tells nobody
    whose it is.  lifetime: of the questions in it.
    """
    lines = [line for line in text.splitlines()
             if not re.search("[\u2580\u2584\u2588]|##", line)]
    text = re.sub(r"#[A-Z2-7]{26}", "#LINK", "\n".join(lines))
    text = re.sub(r"\b\d{3} \d{3}\b", "DIGITS", text)
    # What is left of its life when a question is there: a busy machine takes
    # a second or two to make one.
    for left in re.findall(r"within (\d+) seconds", text):
        assert lifetime - 3 <= int(left) <= lifetime, text
    text = re.sub(r"within \d+ seconds", "within LEFT seconds", text)
    return re.sub(r"\b(alice|mallory|carol)\b", "USER", text)


# Couriers of logins that are meant to last for longer than one case.
KEPT = set()


def couriers():
    """The couriers alive in this machine."""
    return [pid for pid in private.processes()
            if pid not in KEPT and executable(pid).endswith("/courier")]


def executable(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""
