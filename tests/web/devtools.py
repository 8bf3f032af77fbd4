# SPDX-License-Identifier: BSD-2-Clause
"""The browser's DevTools protocol with its events, which WebDriver leaves out."""
import base64
import json
import os
import socket
import struct
import time
import urllib.request

DEADLINE = 20


class DevTools:
    """A connection of its own to the browser that a driver drives."""

    def __init__(self, driver):
        address = driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
        with urllib.request.urlopen(f"http://{address}/json/version") as reply:
            url = json.load(reply)["webSocketDebuggerUrl"]
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), DEADLINE)
        self._shake(address, url.split(address, 1)[1])
        self.last, self.events = 0, []

    def close(self):
        self.socket.close()

    # --- RFC 6455, as far as this needs it ---

    def _shake(self, address, path):
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(1)
        assert b" 101 " in head, head

    def _read(self, length):
        data = b""
        while len(data) < length:
            data += self.socket.recv(length - len(data)) or self._gone()
        return data

    @staticmethod
    def _gone():
        raise ConnectionError("the browser is gone")

    def _send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = (bytes([0x80 | len(data)]) if len(data) < 126 else
                struct.pack(">BH", 0x80 | 126, len(data)) if
                len(data) < 65536 else
                struct.pack(">BQ", 0x80 | 127, len(data)))
        self.socket.sendall(b"\x81" + size + mask + bytes(
            byte ^ mask[n % 4] for n, byte in enumerate(data)))

    def _receive(self):
        text = b""
        while True:
            first, size = self._read(2)
            if size == 126:
                size, = struct.unpack(">H", self._read(2))
            elif size == 127:
                size, = struct.unpack(">Q", self._read(8))
            text += self._read(size)
            if first & 0x80:
                return json.loads(text)

    # --- DevTools ---

    def call(self, method, session=None, **params):
        """What it returns; events that come before that are kept."""
        self.last += 1
        self._send(json.dumps({
            "id": self.last, "method": method, "params": params,
            **({"sessionId": session} if session else {})}))
        while True:
            message = self._receive()
            if message.get("id") == self.last:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def event(self, method, wanted=lambda params: True):
        """The parameters of the first such event, also of one kept."""
        deadline = time.monotonic() + DEADLINE
        while True:
            for message in self.events:
                if message.get("method") == method and \
                        wanted(message["params"]):
                    self.events.remove(message)
                    return message["params"]
            assert time.monotonic() < deadline, f"no {method}"
            self.events.append(self._receive())

    def attach(self, target_type):
        """A session with the one target of this type."""
        targets = self.call("Target.getTargets", filter=[{}])["targetInfos"]
        target, = [one["targetId"] for one in targets
                   if one["type"] == target_type]
        return self.call("Target.attachToTarget", targetId=target,
                         flatten=True)["sessionId"]

    def push(self, origin, data):
        """A push message arrives for the service worker of origin."""
        # By a page of its own: to leave another one takes its virtual
        # authenticators away.
        target = self.call("Target.createTarget", url="about:blank",
                           background=True)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target,
                            flatten=True)["sessionId"]
        self.call("ServiceWorker.enable", session)
        scope = {"scopeURL": origin + "/", "isDeleted": False}
        found = self.event(
            "ServiceWorker.workerRegistrationUpdated", lambda params: any(
                scope.items() <= one.items()
                for one in params["registrations"]))
        registration, = [one["registrationId"]
                         for one in found["registrations"]
                         if scope.items() <= one.items()]
        self.call("ServiceWorker.deliverPushMessage", session, origin=origin,
                  registrationId=registration, data=data)
        self.call("Target.setDiscoverTargets", discover=True)
        self.call("Target.closeTarget", targetId=target)
        self.event("Target.targetDestroyed",
                   lambda params: params["targetId"] == target)


__all__ = ["DevTools"]
