# SPDX-License-Identifier: BSD-2-Clause
"""
pam_duo beside us: the same logins against a small mock of Duo's service that
says yes.  It verifies no signature, neither do we pretend that it does.
"""
import socket
import ssl
import statistics
import struct
import subprocess
import threading
import time
from pathlib import Path

import machine
from sources import BUILD

FOLDER = Path("/usr/lib/x86_64-linux-gnu/security")
TOOLS = BUILD / "tests/bench"
PEERS = ("pam_unix", "pam_duo", "pam_u2f", "pam_google_authenticator")
CONF = Path("/run/pam_duo.conf")


def modules():
    """Those that are installed."""
    return [(name, FOLDER / f"{name}.so") for name in PEERS
            if (FOLDER / f"{name}.so").exists()]


def bson(document):
    body = b""
    for name, value in document.items():
        key = name.encode() + b"\0"
        if isinstance(value, dict):
            body += b"\x03" + key + bson(value)
        else:
            text = value.encode() + b"\0"
            body += b"\x02" + key + struct.pack("<i", len(text)) + text
    return struct.pack("<i", len(body) + 5) + body + b"\0"


class Mock:
    """Approves after a delay; remembers when it said so."""

    def __init__(self, rig):
        self.delay, self.said = 0, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(rig.service.folder / "service.pem",
                                rig.service.folder / "service.key")
        server = socket.create_server(("127.0.0.1", 443))
        self.server = context.wrap_socket(server, server_side=True)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection = self.server.accept()[0]
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,),
                             daemon=True).start()

    def _talk(self, connection):
        with connection:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    more = connection.recv(65536)
                    if not more:
                        return
                    data += more
                head, _, data = data.partition(b"\r\n\r\n")
                length = 0
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                while len(data) < length:
                    data += connection.recv(65536)
                body, data = data[:length], data[length:]
                self._reply(connection, head, body)

    def _reply(self, connection, head, body):
        path = head.split()[1]
        final = False
        if b"preauth" in path:
            response = {"result": "auth", "prompt": "Passcode or option: ",
                        "factors": {"default": "push1", "1": "push1"}}
        elif b"/auth.bson" in path and b"async=1" in body:
            response = {"txid": "0123456789"}
        else:
            response = {"result": "allow", "status": "Success."}
            final = True
        if final:
            time.sleep(self.delay)
            self.said.append(time.clock_gettime(time.CLOCK_MONOTONIC) * 1e3)
        text = bson({"stat": "OK", "response": response})
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: "
                           b"application/bson\r\nContent-Length: %d\r\n\r\n"
                           % len(text) + text)

def logins(service, mock, count):
    text = subprocess.run(
        [TOOLS / "login", "/etc/pam.d", service, "alice", str(count)],
        stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = [line.split() for line in text.splitlines()]
    wall = [float(line[0]) for line in lines]
    cpu = [float(line[3]) for line in lines]
    ended = [float(line[6]) for line in lines]
    return wall, cpu, [end - max(said for said in mock.said if said < end)
                       for end in ended]


def approvals(rig, row, title, figures, count=50):
    if not (FOLDER / "pam_duo.so").exists():
        print("  libpam-duo is not installed")
        return
    title("pam_duo, the same logins", "A mock of its service, in Python, says "
          "yes over TLS; no signature is verified anywhere.")
    row("", "median", "p95")
    CONF.write_text("[duo]\nikey = DIXXXXXXXXXXXXXXXXXX\n"
                    f"skey = {'0' * 40}\nhost = localhost\n"
                    f"cafile = {rig.ca}\nautopush = yes\nprompts = 1\n"
                    "failmode = secure\n")
    CONF.chmod(0o600)
    mock = Mock(rig)
    for service in ("sshd", "sudo"):
        machine.stack(service,
                      f"required {FOLDER}/pam_duo.so conf={CONF}")
        for delay, what in ((0.3, "after 0.3 s"), (0, "at once")):
            mock.delay = delay
            wall, cpu, after = logins(service, mock, count)
            row(f"{service}: answer sent -> returned, {what}",
                *figures(after))
            if delay == 0:
                row(f"{service}: whole approval, answered at once",
                    *figures(wall))
                row(f"{service}: CPU, median of the process",
                    f"{statistics.median(cpu):.2f} ms")
        machine.stack(service)
