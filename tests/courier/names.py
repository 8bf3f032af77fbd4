# SPDX-License-Identifier: BSD-2-Clause
"""
Names, from inside of the courier's sandbox: by /etc/hosts, by a name server
over UDP and over TCP, and whatever else a system looks names up with.
"""
import shutil
import socket
import struct
import threading
from pathlib import Path

import pytest

import couriers
import private
from couriers import Courier, Service, reply

HOST = "approve.example.test"


class NameServer:
    """Knows HOST; tells it over TCP alone if it is told so."""

    def __init__(self):
        self.addresses = {1: "127.0.0.1"}  # A and AAAA: 28
        self.truncate = False
        self.asked = []  # (transport, type)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 53))
        self.tcp = socket.create_server(("127.0.0.1", 53))
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def _answer(self, query, transport):
        end = query.index(b"\0", 12) + 1
        kind, = struct.unpack(">H", query[end:end + 2])
        name = ".".join(
            label.decode() for label in self._labels(query[12:end]))
        self.asked.append((transport, kind))
        cut = self.truncate and transport == "udp"
        known = name == HOST
        address = self.addresses.get(kind) if known and not cut else None
        head = query[:2] + struct.pack(
            ">HHHHH", 0x8180 | (0x0200 if cut else 0) | (0 if known else 3),
            1, 1 if address else 0, 0, 0)
        out = head + query[12:end + 4]
        if address:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            data = socket.inet_pton(family, address)
            out += struct.pack(">HHHIH", 0xc00c, kind, 1, 60, len(data)) + data
        return out

    @staticmethod
    def _labels(name):
        while name[0]:
            yield name[1:1 + name[0]]
            name = name[1 + name[0]:]

    def _serve_udp(self):
        while True:
            query, client = self.udp.recvfrom(4096)
            self.udp.sendto(self._answer(query, "udp"), client)

    def _serve_tcp(self):
        while True:
            connection, _ = self.tcp.accept()
            threading.Thread(target=self._converse, args=(connection,),
                             daemon=True).start()

    def _converse(self, connection):
        with connection, connection.makefile("rwb") as stream:
            while len(head := stream.read(2)) == 2:
                query = stream.read(struct.unpack(">H", head)[0])
                out = self._answer(query, "tcp")
                stream.write(struct.pack(">H", len(out)) + out)
                stream.flush()


@pytest.fixture(scope="session", autouse=True)
def safe_courier():
    """In the /run of a machine of its own."""
    private.enter()
    couriers.COURIER = shutil.copy(couriers.COURIER, "/run/courier")


@pytest.fixture(scope="module", name="server")
def fixture_server():
    return NameServer()


@pytest.fixture(autouse=True)
def resolver():
    Path("/etc/resolv.conf").unlink(missing_ok=True)
    Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    Path("/etc/nsswitch.conf").write_text("hosts: files dns\n")
    Path("/etc/hosts").write_text("127.0.0.1 localhost\n")


@pytest.fixture(name="named")
def fixture_named(authority):
    """A service with a certificate for HOST."""
    file, _ = authority.issue("named", names=(HOST,))
    return file


def ask(service, authority, **job):
    url = f"https://{HOST}:{service.port}"
    with Courier(url, ca=authority.file, **job) as courier:
        courier.expect("started", "created")
        service.seen("POST /api/v1/status")
        service.happen("answered", b"A")
        courier.expect("answer 41")
        courier.say("outcome granted OK 0")
        assert courier.ended()[0] == 0


def test_by_the_hosts_file(named, authority, server):
    Path("/etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.0.1 {HOST}\n")
    server.asked.clear()
    with Service(named) as service:
        ask(service, authority)
    assert server.asked == []


def test_by_a_name_server(named, authority, server):
    server.asked.clear()
    with Service(named) as service:
        ask(service, authority)
    assert ("udp", 1) in server.asked


def test_by_a_name_server_over_tcp(named, authority, server):
    """What does not fit into a datagram."""
    server.asked.clear()
    server.truncate = True
    try:
        with Service(named) as service:
            ask(service, authority)
    finally:
        server.truncate = False
    assert ("tcp", 1) in server.asked


def test_by_a_name_server_to_ipv6(named, authority, server):
    server.addresses = {28: "::1"}
    try:
        with Service(named, address="::1") as service:
            ask(service, authority)
    finally:
        server.addresses = {1: "127.0.0.1"}


def test_second_address(named, authority, server):
    """Where the first does not answer."""
    server.addresses = {28: "::1", 1: "127.0.0.1"}
    try:
        with Service(named) as service:
            ask(service, authority)
    finally:
        server.addresses = {1: "127.0.0.1"}


@pytest.mark.parametrize("line", [
    "hosts: files resolve [!UNAVAIL=return] dns",
    "hosts: files mymachines myhostname dns",
    "hosts: files mdns4_minimal [NOTFOUND=return] dns",
    "hosts: files extrausers sss winbind wins dns"])
def test_other_modules(named, authority, server, line):
    """Whichever of them are installed: they ask somebody by a socket that
    is refused to them, and the name server is next."""
    Path("/etc/nsswitch.conf").write_text(
        f"passwd: files extrausers\nnetworks: files\n{line}\n")
    with Service(named) as service:
        ask(service, authority)


@pytest.mark.parametrize("target", [
    "/run/systemd/resolve/stub-resolv.conf", "../run/resolvconf/resolv.conf",
    "/var/elsewhere/resolv.conf"])
def test_resolv_conf_is_a_link(named, authority, server, target):
    real = Path("/etc", target)
    real.parent.mkdir(parents=True, exist_ok=True)
    real.write_text("nameserver 127.0.0.1\n")
    Path("/etc/resolv.conf").unlink()
    Path("/etc/resolv.conf").symlink_to(target)
    with Service(named) as service:
        ask(service, authority)


def test_no_resolv_conf(named, authority, server):
    """The C library's default is a name server on this machine."""
    Path("/etc/resolv.conf").unlink()
    with Service(named) as service:
        ask(service, authority)


def test_unknown_name(authority, server):
    with Courier("https://nobody.example.test", ca=authority.file) as courier:
        assert "resolve" in courier.expect("started", "trouble 1 ")


def test_again_after_the_connection_broke(named, authority, server):
    with Service(named) as service, Courier(
            f"https://{HOST}:{service.port}", ca=authority.file) as courier:
        courier.expect("started", "created")
        service.seen("POST /api/v1/status")
        service.stop()
        service.start()
        service.seen("POST /api/v1/status", 2)
        service.happen("answered", b"A")
        courier.expect("answer 41")


def test_proxy_by_name(named, authority, server):
    """The proxy is looked up, the service is the proxy's business."""
    def connect(request, connection):
        connection.sendall(reply(407, b"", ["Proxy-Authenticate: Basic"]))
        raise couriers.Close

    with Service(named) as service, Service() as proxy:
        proxy.rules["CONNECT "] = connect
        with Courier(service, ca=authority.file,
                     proxy=f"http://{HOST}:{proxy.port}") as courier:
            courier.expect("started", "trouble 1 ")
        assert [r.path for r in proxy.requests] == [
            f"127.0.0.1:{service.port}"]
