# SPDX-License-Identifier: BSD-2-Clause
"""A service that a phone meets and a test owns: it may lie about anything.

    with Double() as double:
        double.move_in(phone)              # a rig's Phone: its service from now
        question = double.ask(phone, code="never")
        ...
        assert double.answers == []        # what it was sent, as JSON

Only what phones call is there, over plain HTTP on the loopback interface.
"""
import http.server
import json
import os
import threading
import time
from datetime import datetime, timezone

import oracle
from cryptography.hazmat.primitives import serialization


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _reply(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if body is not None:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self._reply(*self.server.double.get(self.path))

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length))
        self._reply(*self.server.double.post(self.path, body))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    double = None

    def handle_error(self, *_):
        """A phone that goes away is none."""


class Double:
    def __init__(self):
        self.changed = threading.Condition()
        self.listed = []        # of GET /inbox, as they are sent
        self.contents = {}      # link id -> what GET /links/... sends
        self.answers = []       # what phones have sent
        self.seen = []          # link ids
        self.polls = 0
        self.inbox_reply = None  # (status, body), instead of the list
        self.tag = 0
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.double = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       args=(0.02,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        with self.changed:
            self.inbox_reply = (503, {"error": "over"})
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    # --- what phones call ---

    def get(self, path):
        path, _, query = path.partition("?")
        if path == "/inbox":
            return self._inbox(dict(part.split("=", 1)
                                    for part in query.split("&")))
        link = path.split("/")[2]
        with self.changed:
            if path.endswith("/events"):
                return 404, {"error": "unknown"}
            if link not in self.contents:
                return 404, {"error": "unknown"}
            return 200, self.contents[link]

    def _inbox(self, query):
        end = time.monotonic() + min(int(query["wait"]), 5)
        with self.changed:
            self.polls += 1
            while self.inbox_reply is None and \
                    query.get("after") == f"t{self.tag}" and \
                    time.monotonic() < end:
                self.changed.wait(0.2)
            if self.inbox_reply is not None:
                return self.inbox_reply
            return 200, {"tag": f"t{self.tag}", "questions": self.listed}

    def post(self, path, body):
        _, _, link, what = path.split("/")
        with self.changed:
            if what == "seen":
                self.seen.append(link)
                return 204, None
            self.answers.append(body)
        return 409, {"error": "closed"}

    # --- what a test tells it ---

    def list(self, entry, content=None):
        """Puts something into the inbox, and its content, if it has one."""
        with self.changed:
            self.listed = [entry, *self.listed]
            if content is not None:
                self.contents[entry["linkId"]] = content
            self.tag += 1
            self.changed.notify_all()

    def clear(self):
        with self.changed:
            self.listed = []
            self.contents = {}
            self.tag += 1
            self.changed.notify_all()

    def move_in(self, phone):
        """From now on the phone takes this for the service of its device."""
        entry(phone, origin=self.url)

    def ask(self, phone, link=None, seconds=60, seal_point=None, device=None,
            sealed_device=None, listed=True, **members):
        """
        A question as a host makes it, or with something wrong: seal_point and
        sealed_device are those it is sealed with, device the one that the
        inbox names, members those of the transaction.
        """
        known = entry(phone)
        link = link or oracle.Link(origin=self.url)
        data, _ = oracle.transaction({
            "kind": "approval", "host": known["host"], "user": known["user"],
            "uid": known["uid"], "service": "sshd", "title": "Log in",
            "details": [["Address", "192.0.2.7"]], "choices": ["approve"],
            "code": "inbox", "nonce": oracle.b64u(os.urandom(32)),
            "created": stamp(), "lifetime": 90, **members})
        content = link.seal_content(oracle.content(data))
        sealed = link.sealed_for(
            seal_point or seal_point_of(phone),
            sealed_device or device or phone.device)
        shown = {"linkId": link.id, "deviceId": device or phone.device,
                 "sealed": sealed, "state": "pending", "createdAt": stamp(),
                 "secondsLeft": seconds}
        if listed:
            self.list(shown, {
                "content": oracle.b64u(content), "secondsLeft": seconds,
                "expiresAt": stamp(seconds), "state": "pending",
                "kind": "approval"})
        return shown


def stamp(seconds=0):
    return datetime.fromtimestamp(time.time() + seconds, timezone.utc) \
        .strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(phone, **changes):
    """What a rig's Phone has written down of its one device."""
    path = phone.store / f"{phone.device}.json"
    members = json.loads(path.read_text())
    if changes:
        members.update(changes)
        path.write_text(json.dumps(members))
    return members


def seal_point_of(phone):
    """Its public seal key, as its host knows it."""
    key = serialization.load_pem_private_key(
        (phone.store / f"{phone.device}.seal.pem").read_bytes(),
        phone.passphrase.read_text().strip().encode())
    return oracle.point_of(key)
