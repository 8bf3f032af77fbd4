# SPDX-License-Identifier: BSD-2-Clause
"""
A user's environment against programs that run as root: whatever a variable
names is neither opened nor contacted (countersign-security(7) SYS-5).
"""
import re
import socket
import threading
from pathlib import Path

import pytest
from machine import Session, as_user, couriers, environment
from private import HOME
from sources import tool

CANARY = HOME / "alice" / "canary"
PROXY = ("127.0.0.9", 3128)
PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY",
           "all_proxy", "HTTP_PROXY")
NAMES = ("SSLKEYLOGFILE", "NETRC", "CURL_HOME", "CURL_CA_BUNDLE",
         "CURL_SSL_BACKEND", "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF",
         "OPENSSL_CONF_INCLUDE", "OPENSSL_ENGINES", "OPENSSL_MODULES",
         "RANDFILE", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT",
         "LD_DEBUG_OUTPUT", "LD_PROFILE", "GCONV_PATH", "LOCPATH", "NLSPATH",
         "TZDIR", "HOSTALIASES", "RES_OPTIONS", "LOCALDOMAIN",
         "GLIBC_TUNABLES", "MALLOC_TRACE", "GETCONF_DIR", "TMPDIR", "TEMP",
         "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMUX",
         "BASH_ENV", "ENV", "TERMINFO", "SUDO_ASKPASS", "CSIGN_CONF",
         "COUNTERSIGN_CONF", "P11_KIT_DEBUG", "KRB5_CONFIG")


class Listener:
    """A proxy that counts who comes."""

    def __init__(self):
        self.socket = socket.create_server(PROXY)
        self.visits = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            self.socket.accept()[0].close()
            self.visits += 1


@pytest.fixture(scope="session")
def proxy(rig):
    return Listener()


def attack():
    """Every variable names a file that exists, under the user's control."""
    CANARY.mkdir(exist_ok=True)
    env = environment("alice")
    for name in NAMES:
        (CANARY / name).write_text(f"machine canary login {name}\n")
        env[name] = str(CANARY / name)
    (CANARY / ".netrc").write_text("default login x password y\n")
    (CANARY / ".curlrc").write_text(f"proxy = {PROXY[0]}:{PROXY[1]}\n")
    env["HOME"] = env["CURL_HOME"] = str(CANARY)
    env["TZ"] = f":{CANARY}/TZ"
    env["LANGUAGE"] = str(CANARY)
    for name in PROXIES:
        env[name] = f"http://{PROXY[0]}:{PROXY[1]}"
    return env


def traced(argv, trace):
    """As alice, under strace, at a terminal; only the program has it all."""
    variables = [word for name, value in attack().items()
                 for word in ("-E", f"{name}={value}")]
    return Session(
        [tool("strace"), "-f", "-qq", "-s", "400", "-u", "alice", "-o",
         str(trace), "-e", "trace=%file,%network", *variables, *argv],
        environment("alice"))


@pytest.mark.parametrize("argv", [
    ["/usr/bin/sudo", "-k", "/usr/bin/true"],
    ["/usr/bin/su", "alice", "-c", "true"],
], ids=["sudo", "su"])
def test_nothing_that_the_environment_names_is_used(rig, phones, proxy, argv):
    trace = Path("/run/trace")
    session = traced(argv, trace)
    phones["alice"].approve(session.link())
    assert session.end() == 0
    lines = trace.read_text().splitlines()
    assert any("pam_countersign.so" in line for line in lines)
    start = next(n for n, line in enumerate(lines)
                 if re.search(r"execve(at)?\(.*courier", line))
    # The command that was asked for is the user's own again.
    end = next(n for n, line in enumerate(lines) if n > start and re.search(
        r'execve(at)?\(.*"(/usr)?/bin/(true|sh)"', line))
    assert 0 < start < end
    used = [line for line in lines[:end]
            if "canary" in line and "execve" not in line]
    assert used == []
    assert not any(PROXY[0] in line for line in lines)
    assert proxy.visits == 0


def test_courier_has_nothing_of_the_users(rig, phones):
    session = Session(
        as_user("alice", "/usr/bin/sudo", "-k", "/usr/bin/true"), attack())
    link = session.link()
    [pid] = couriers()
    proc = Path(f"/proc/{pid}")
    status = (proc / "status").read_text()
    assert (proc / "environ").read_bytes() == b""
    assert re.search(r"\nNoNewPrivs:\t1\n", status)
    assert re.search(r"\nUid:(\t65534){4}\n", status)
    assert re.search(r"\nGid:(\t65534){4}\n", status)
    assert re.search(r"\nGroups:\t *\n", status)
    assert re.search(r"\nCapEff:\t0+\n", status)
    limits = (proc / "limits").read_text()
    for name, value in (("Max core file size", 0), ("Max file size", 0),
                        ("Max open files", 32)):
        assert re.search(rf"{name} +{value} ", limits), name
    phones["alice"].approve(link)
    assert session.end() == 0
