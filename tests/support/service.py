# SPDX-License-Identifier: BSD-2-Clause
"""countersignd for a test: started on a free port in a folder of its own.

    with Service(tls=True) as service:
        host = service.add_host("web1")
        question = host.ask(username="alice")
        poll = host.poll(question, wait=10, after=1)      # a thread
        service.phone().answer(question)
        assert poll.result().json["event"] == "answered"
"""
import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from sources import built

DEADLINE = 20  # seconds until a test that waits gives up


def b64u(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def random_b64u(length):
    return b64u(os.urandom(length))


def wait_until(condition, what="it"):
    """What condition() returns as soon as that is true."""
    end = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.005)
    return found


def scratch():
    """A folder that only this account may write, also on the way to it."""
    base = "/run" if os.geteuid() == 0 else \
        os.environ.get("XDG_RUNTIME_DIR") or str(Path.home())
    return Path(tempfile.mkdtemp(prefix="countersign-", dir=base))


def make_certificate(folder, name="service"):
    """<name>.pem and .key for localhost, signed by ca.pem of this folder."""
    folder = Path(folder)

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    if not (folder / "ca.pem").exists():
        openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem",
                "-days", 2, "-subj", "/CN=test CA")
    (folder / "san").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n")
    openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey",
            "ca.key", "-CAcreateserial", "-days", 2, "-extfile", "san",
            "-out", f"{name}.pem")
    (folder / f"{name}.key").chmod(0o600)
    return folder / f"{name}.pem", folder / f"{name}.key"


def device_id():
    """A fresh one: 16 characters of lower-case base32."""
    return base64.b32encode(os.urandom(10)).decode().lower()


def sealed_copy():
    """As long as S sealed to a device is."""
    return random_b64u(98)


def removal_note(device, choice="remove", kind=1, signature=b"s" * 70):
    """What a device that is to go signs, as base64url of the layout."""
    name = choice.encode()

    def block(data):
        return len(data).to_bytes(2, "big") + data

    return b64u(bytes([1, kind, len(name)]) + name +
                base64.b32decode(device.upper()) +
                block(b"a" * 37) + block(b"b" * 100) + block(signature))


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.at = time.monotonic()

    @property
    def json(self):
        assert self.headers["Content-Type"] == "application/json"
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Later:
    """A request that another thread waits for."""

    def __init__(self, function):
        self._reply = self._error = None
        self._thread = threading.Thread(target=self._run, args=(function,),
                                        daemon=True)
        self._thread.start()

    def _run(self, function):
        try:
            self._reply = function()
        except Exception as error:  # handed to who asks for the result
            self._error = error

    def done(self):
        return not self._thread.is_alive()

    def result(self):
        self._thread.join(DEADLINE + 35)
        assert self.done(), "the request is still waiting"
        if self._error is not None:
            raise self._error
        return self._reply


class Question:
    """What a host knows of an approval or enrolment."""

    def __init__(self, link_id, content, reply):
        self.link_id, self.content, self.reply = link_id, content, reply
        words = reply.json if reply.status == 201 else {}
        words = words.get("enrollment", words)
        self.transaction_id = words.get("transactionId")
        self.token = words.get("statusToken")


class Client:
    """HTTP to the service; the connection is kept as long as it lasts."""

    def __init__(self, service, headers=None):
        self.service, self.headers = service, headers or {}

    def request(self, method, path, body=None, headers=None):
        """One exchange on a connection of its own."""
        connection = self.service.connect()
        try:
            return self.exchange(connection, method, path, body, headers)
        finally:
            connection.close()

    def exchange(self, connection, method, path, body=None, headers=None):
        sent = dict(self.headers)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        connection.request(method, path, body, sent)
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())

    def get(self, path, **keywords):
        return self.request("GET", path, **keywords)

    def post(self, path, body, **keywords):
        return self.request("POST", path, body, **keywords)

    def later(self, method, path, body=None):
        """Returns once the service has the request and lets it wait."""
        before = self.service.calls(path)
        later = Later(lambda: self.request(method, path, body))
        wait_until(lambda: later.done() or self.service.calls(path) > before,
                   "the request")
        return later


class Host(Client):
    def __init__(self, service, name, key):
        super().__init__(service, {"Authorization": f"Bearer {key}"})
        self.name, self.key = name, key

    def ask(self, lifetime=90, **members):
        link_id, content = random_b64u(16), random_b64u(200)
        body = {"channel": "app", "linkId": link_id, "content": content,
                "lifetime": lifetime, **members}
        return Question(body["linkId"], content,
                        self.post("/api/v1/approval", body))

    def ring(self, username, *devices, **members):
        """A question with a copy for each of these devices."""
        return self.ask(**{
            "username": username, "channel": "push",
            "sealed": {device: sealed_copy() for device in devices},
            **members})

    def enroll(self, username="alice", lifetime=600, **members):
        link_id, content = random_b64u(16), random_b64u(200)
        body = {"username": username, "linkId": link_id, "content": content,
                "lifetime": lifetime, **members}
        return Question(body["linkId"], content,
                        self.post("/api/v1/users/enroll", body))

    def status(self, question, **members):
        return self.post("/api/v1/status",
                         {"statusToken": question.token, **members})

    def poll(self, question, wait=30, after=0):
        return self.later("POST", "/api/v1/status", {
            "statusToken": question.token, "wait": wait, "after": after})

    def outcome(self, question, outcome, **members):
        return self.post(
            f"/api/v1/approval/{question.transaction_id}/outcome",
            {"outcome": outcome, **members})

    def enrol_device(self, username, device, name="a phone", phone=None):
        """A whole enrolment; the phone, which has its cookie from now on."""
        phone = phone or self.service.phone()
        question = self.enroll(username)
        claimed = phone.device(question, device, name)
        assert claimed.status == 201, claimed
        phone.answer(question, hint="enroll")
        assert self.outcome(question, "granted",
                            deviceId=device).status == 204
        phone.headers["Cookie"] = claimed.headers["Set-Cookie"].split(";")[0]
        return phone

    def devices(self, username):
        """{device id: what the service says of it}"""
        user = self.get(f"/api/v1/users?username={username}").json
        return {found.pop("authenticatorId"): found
                for found in user["authenticators"]}

    def remove_device(self, device):
        return self.request("DELETE", f"/api/v1/authenticators/{device}")

    def cancel(self, question):
        return self.request(
            "DELETE", f"/api/v1/approval/{question.transaction_id}")


def inbox_path(wait, after):
    return f"/inbox?wait={wait}" + ("" if after is None else f"&after={after}")


class Phone(Client):
    def open(self, question):
        return self.get(f"/links/{question.link_id}")

    def seen(self, question):
        return self.post(f"/links/{question.link_id}/seen", {})

    def answer(self, question, answer=None, hint="approve"):
        return self.post(f"/links/{question.link_id}/answer", {
            "answer": answer or random_b64u(150), "hint": hint})

    def device(self, question, device_id, name="a phone"):
        return self.post(f"/links/{question.link_id}/device",
                         {"deviceId": device_id, "name": name})

    def own_devices(self):
        return self.get("/devices/self")

    def ask_removal(self, device, note=None):
        return self.post("/devices/self/removal",
                         {"proof": note or removal_note(device)})

    def ask_inbox(self, wait=0, after=None):
        return self.get(inbox_path(wait, after))

    def inbox(self):
        """The questions in it."""
        reply = self.ask_inbox()
        assert reply.status == 200, reply
        return reply.json["questions"]

    def wait_inbox(self, after, wait=30):
        """A poll that waits."""
        return self.later("GET", inbox_path(wait, after))

    def subscribe(self, endpoint, **keys):
        return self.post("/devices/self/push",
                         {"endpoint": endpoint, **keys})

    def unsubscribe(self):
        return self.request("DELETE", "/devices/self/push")

    def events(self, question, wait=0, after=0):
        return self.get(
            f"/links/{question.link_id}/events?wait={wait}&after={after}")

    def watch(self, question, wait=30, after=0):
        return self.later(
            "GET", f"/links/{question.link_id}/events?wait={wait}"
            f"&after={after}")


def kill_at_each(calls, command, check, status=0):
    """Runs the command again and again, killed at its 1st, 2nd, ... system
    call of these names, with check() after each, until one run ends with
    status.  Returns how many were killed."""
    strace = shutil.which("strace")
    if strace is None or os.geteuid() != 0:
        assert not os.environ.get("CI"), "strace and root are needed"
        pytest.skip("strace and root are needed")
    names = ",".join(f"?{call}" for call in calls.split())
    # Who looks for leaks cannot do so under a tracer.
    leaks = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    for n in range(1, 500):
        run = subprocess.run(
            [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={names}",
             "-e", f"inject={names}:signal=KILL:when={n}", *command],
            env={**os.environ, "ASAN_OPTIONS": leaks},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
        check()
        if run.returncode == status:
            return n - 1
        # It, or a child that it had.
        assert run.returncode in (-signal.SIGKILL, 3), run
    raise AssertionError("it never completed")


class Service:
    """settings: keys of countersignd.conf; None leaves one out."""

    def __init__(self, tls=False, unix=False, start=True, **settings):
        self.folder = scratch()
        self.tls, self.process = tls, None
        self.database = self.folder / "data" / "countersignd.db"
        self.database.parent.mkdir(mode=0o700)
        self.socket = self.folder / "socket" if unix else None
        self.log = self.folder / "log"
        self.conf = self.folder / "countersignd.conf"
        self.settings = {
            "listen": None if unix else "127.0.0.1:0",
            "listen_socket": self.socket, "database": self.database,
            "rate_host": 0, "rate_address": 0, "rate_device": 0,
            "log_level": "debug",
            "push_key_file": self.folder / "push-key"}
        if tls:
            certificate, key = make_certificate(self.folder)
            self.settings.update(tls_certificate=certificate, tls_key=key)
        self.settings.update(settings)
        self.port = self.kept = None
        try:
            self.configure()
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process is not None:
            self.kill()
        self._give_up_port()
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, **settings):
        """Writes the settings, with these changed."""
        self.settings.update(settings)
        self.conf.write_text("".join(
            f"{key} = {value}\n" for key, value in self.settings.items()
            if value is not None))
        self.conf.chmod(0o600)

    # --- the process ---

    def run(self, *words):
        """A command of countersignd that ends by itself."""
        return subprocess.run(
            [built("service/countersignd"), *words], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=DEADLINE)

    def command(self, *words):
        """The same, with the configuration of this service."""
        return self.run(*words, "--config", self.conf)

    def ask_command(self, *words):
        """What a command that must succeed prints as JSON."""
        run = self.command(*words, "--json")
        assert (run.returncode, run.stderr) == (0, ""), run
        return json.loads(run.stdout)

    def start(self):
        offset = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [built("service/countersignd"), "serve", "--config",
                 self.conf],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        ready = wait_until(
            lambda: re.search(r"event=ready .*listen=(\S+)",
                              self.log.read_text()[offset:])
            or self.process.poll() is not None, "the start")
        assert ready is not True, self.log.read_text()
        self.bound = ready.group(1).split(",")
        for address in self.bound:
            if "://" in address:
                self.port = int(address.rsplit(":", 1)[1])
                break
        self._give_up_port()
        return self

    def _keep_port(self):
        """Where it is to come back, nobody else is given the port while it is
        away: bound and not listened at, so that connections are refused, and
        with SO_REUSEADDR, which countersignd sets too and so can bind."""
        if self.settings["listen"] == f"127.0.0.1:{self.port}":
            self.kept = socket.socket()
            self.kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.kept.bind(("127.0.0.1", self.port))

    def _give_up_port(self):
        if self.kept is not None:
            self.kept.close()
            self.kept = None

    def kill(self):
        """As power loss would not be kinder."""
        self.process.kill()
        self.process.wait()
        self.process = None
        self._keep_port()

    def stop(self, signum=signal.SIGTERM):
        """Its exit status."""
        self.process.send_signal(signum)
        status = self.process.wait(DEADLINE)
        self.process = None
        self._keep_port()
        return status

    def restart(self, kill=True):
        if kill:
            self.kill()
        else:
            assert self.stop() == 0
        return self.start()

    def calls(self, path):
        """How many calls of this path the log has (level debug)."""
        path = re.sub(r"\?.*", "", path)
        path = re.sub(r"^/links/[^/]+", "/links/*", path)
        pattern = re.escape(f"event=call path={path} ") + "|" + \
            re.escape(f'event=call path="{path}" ')
        return len(re.findall(pattern, self.log.read_text()))

    def memory(self):
        """Bytes of private memory now."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return sum(int(line.split()[1]) * 1024 for line in text.splitlines()
                   if line.startswith(("Private_Dirty:", "Private_Clean:")))

    # --- talking to it ---

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def raw(self):
        """A connected socket, with TLS where the service has it."""
        if self.socket is not None and self.port is None:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(self.socket))
        else:
            sock = socket.create_connection(("127.0.0.1", self.port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(DEADLINE + 35)
        if self.tls:
            context = ssl.create_default_context(
                cafile=str(self.folder / "ca.pem"))
            sock = context.wrap_socket(sock, server_hostname="localhost")
        return sock

    def connect(self):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = self.raw()
        connection.auto_open = 0
        return connection

    def exchange_raw(self, data):
        """All that comes back for these bytes until the service closes."""
        with contextlib.closing(self.raw()) as sock:
            with contextlib.suppress(OSError):
                sock.sendall(data)
            received = b""
            while True:
                try:
                    more = sock.recv(65536)
                except ConnectionResetError:
                    break
                if not more:
                    break
                received += more
            return received

    def add_host(self, name, *options):
        run = self.run("host", "add", name, *options, "--config", self.conf)
        assert run.returncode == 0, run.stderr
        return Host(self, name, run.stdout.strip())

    def phone(self, **headers):
        return Phone(self, headers)

    def anybody(self):
        return Client(self)
