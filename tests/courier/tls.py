# SPDX-License-Identifier: BSD-2-Clause
"""NET-1, NET-2, F6, F11, H1: who the courier talks to, and nobody else."""
import os
import socket
import ssl
import threading

import pytest

from couriers import SLACK, Authority, Courier, Service

TLS = "trouble 2 "


def context(cert, low=None, high=None, ciphers=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(cert)
    if low:
        made.minimum_version = low
    if high:
        made.maximum_version = high
    if ciphers:
        made.set_ciphers(ciphers)
    return made


def asks(service, *expected, **job):
    with Courier(service, **job) as courier:
        courier.expect("started", *expected)
        return courier


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_good(good, authority, version):
    made = context(good[0], version, version)
    with Service(context=made) as service:
        asks(service, "created", ca=authority.file)


def test_names(authority):
    cert, _ = authority.issue("names", names=("localhost",), ips=())
    with Service(cert) as service:
        service.url = f"https://localhost:{service.port}"
        asks(service, "created", ca=authority.file)
        service.url = f"https://LocalHost:{service.port}"
        asks(service, "created", ca=authority.file)
        service.url = f"https://127.0.0.1:{service.port}"
        asks(service, TLS, ca=authority.file)


@pytest.mark.parametrize("label,extra", [
    ("expired", {"days": -1, "start": -2}),
    ("not yet valid", {"days": 9, "start": 2}),
    ("another name", {"names": ("example.org",), "ips": ()}),
    ("another address", {"ips": ("127.0.0.2",)}),
    ("address as a name", {"names": ("127.0.0.1",), "ips": ()}),
    ("name as a wildcard", {"names": ("*.0.0.1",), "ips": ()}),
    ("common name only", {"san": False, "common": "127.0.0.1"}),
])
def test_certificates_that_are_refused(authority, label, extra):
    cert, _ = authority.issue(label, **extra)
    with Service(cert) as service:
        asks(service, TLS, ca=authority.file)
        assert not service.requests


def test_common_name_of_a_host(authority):
    """Without subjectAltName, a name in the subject counts for nothing."""
    cert, _ = authority.issue("cn", san=False, common="localhost")
    with Service(cert) as service:
        service.url = f"https://localhost:{service.port}"
        asks(service, TLS, ca=authority.file)
        assert not service.requests


def test_another_authority(folder, good, authority):
    other = Authority(folder, "another authority")
    cert, _ = other.issue("foreign")
    with Service(cert) as service:
        asks(service, TLS, ca=authority.file)
    with Service(good[0]) as service:
        asks(service, TLS, ca=other.file)
        # The system's authorities do not know it either.
        asks(service, TLS)
        # Nor is a file that is missing, or no certificate, a reason to skip.
        asks(service, TLS, ca="/nonexistent")
        asks(service, TLS, ca="/etc/passwd")
        assert not service.requests


def test_self_signed(authority):
    """The authority's own certificate, without its key's leaf."""
    with Service(authority.issue("leaf")[0]) as service:
        asks(service, TLS, ca=authority.issue("other leaf")[0])


def test_pins(good, authority):
    wrong = "sha256//" + "A" * 43 + "="
    with Service(good[0]) as service:
        asks(service, "created", ca=authority.file, pins=good[1])
        asks(service, "created", ca=authority.file,
             pins=f"{wrong} {good[1]}")
        asks(service, TLS, ca=authority.file, pins=wrong)
        # A pin does not replace the check of the certificate.
        asks(service, TLS, pins=good[1])
    assert len(service.all("POST /api/v1/approval")) == 2


def test_old_version(good, authority):
    made = context(good[0], ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1,
                   "ALL:@SECLEVEL=0")
    with Service(context=made) as service:
        asks(service, TLS, ca=authority.file)
        assert not service.requests


@pytest.mark.parametrize("ciphers", [
    "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"])
def test_old_ciphers(good, authority, ciphers):
    """No AEAD."""
    made = context(good[0], ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2,
                   ciphers + ":@SECLEVEL=0")
    with Service(context=made) as service:
        asks(service, TLS, ca=authority.file)
        assert not service.requests


@pytest.fixture
def raw():
    """A listener for servers that speak no TLS, and what accepts there."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def accept(greeting):
            def run():
                connection, _ = listener.accept()
                held.append(connection)
                connection.recv(1)
                connection.sendall(greeting)
            threading.Thread(target=run, daemon=True).start()
            return f"https://127.0.0.1:{listener.getsockname()[1]}"
        yield accept
    for connection in held:
        connection.close()


def test_plain_server_behind_https(authority, raw):
    asks(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), TLS, ca=authority.file)


def test_handshake_that_stalls(authority, raw):
    courier = asks(raw(b""), "trouble 1 ", ca=authority.file)
    assert courier.times["trouble"] < 3000 + SLACK * 1000


# --- the environment ------------------------------------------------------------

def test_environment(good, authority, folder):
    with Service() as trap, Service(good[0]) as service:
        place = os.path.join(folder, "by-environment")
        env = {name: trap.url for name in (
            "http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY",
            "all_proxy")}
        env.update({name: place for name in (
            "SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF",
            "CURL_CA_BUNDLE", "CURL_HOME", "HOME", "NETRC", "TMPDIR",
            "GCONV_PATH", "LOCALDOMAIN", "HOSTALIASES")})
        with Courier(service, env=env, ca=authority.file) as courier:
            courier.expect("started", "created")
            with open(f"/proc/{courier.pid()}/environ", "rb") as environ:
                assert environ.read() == b""
            with open(f"/proc/{courier.pid()}/cmdline", "rb") as cmdline:
                assert cmdline.read() == b"courier\0"
        assert trap.connections == 0
        assert not os.path.exists(place)


def test_process():
    """What another process of its account could do to it: nothing."""
    with Service() as service, Courier(service) as courier:
        courier.expect("started", "created")
        pid = courier.pid()
        with open(f"/proc/{pid}/status", encoding="ascii") as text:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in text
                          if ":\t" in line)
        assert status["NoNewPrivs"] == "1"
        assert status["Name"] == "courier"
        assert int(status["CapEff"], 16) == 0
        assert int(status["CapPrm"], 16) == 0
        if os.geteuid() == 0:
            assert status["Uid"].split("\t")[0] != "0"
            # Files of a process that is not dumpable belong to root.
            with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
                sanitized = "libasan" in maps.read()
            if not sanitized:
                assert os.stat(f"/proc/{pid}/environ").st_uid == 0
