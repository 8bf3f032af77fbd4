# SPDX-License-Identifier: BSD-2-Clause
"""
A courier that does whatever a test wants: the strings of puppet.c, and the
frames that a courier may send (lib/frame.h), good or not.
"""
import socket
import struct
from pathlib import Path

import oracle

PATIENCE = 40  # seconds, longer than any question of a test lives
(JOB, OUTCOME, REMOVED, CREATED, SEEN, ANSWER, ENDED, DONE, TROUBLE,
 NOTE) = (1, 2, 3, 16, 17, 18, 19, 20, 21, 22)
REJECTED = 3


def v16(data):
    return struct.pack(">H", len(data)) + data


def frame(kind, *fields):
    return b"csf1" + bytes([kind]) + b"".join(fields)


CREATED_0 = frame(CREATED, b"\0")


def answer(data):
    return frame(ANSWER, v16(oracle.unb64u(data)
                             if isinstance(data, str) else data))


def trouble(code, text=b"x"):
    return frame(TROUBLE, bytes([code]), v16(text))


class Job:
    """What the library gave the courier."""

    def __init__(self, packet):
        assert packet[:5] == frame(JOB), packet
        at = 10
        self.texts = []
        for _ in range(9):
            n = struct.unpack(">H", packet[at:at + 2])[0]
            self.texts.append(packet[at + 2:at + 2 + n])
            at += 2 + n
        self.packet = packet
        self.key, self.user = self.texts[5], self.texts[6].decode()
        self.link_id, self.content = self.texts[7].decode(), self.texts[8]


class Puppet:
    """One running courier, seen from the test."""

    def __init__(self, connection):
        connection.settimeout(PATIENCE)
        self.control = connection
        self.pid = struct.unpack("3i", connection.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def order(self, what, data=b""):
        self.control.send(what.encode() + data)

    def heard(self):
        """What the library says; None when it has hung up."""
        while True:
            report = self.control.recv(70001)
            if report[:1] == b"F":
                return report[1:]
            if report[:1] != b"E":
                return None

    def outcome(self):
        """(outcome, reason, tries left)"""
        packet = self.heard()
        assert packet and packet[4] == OUTCOME, packet
        n = struct.unpack(">H", packet[6:8])[0]
        return packet[5], packet[8:8 + n].decode(), packet[8 + n]

    def gone(self):
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return True
        return state.rsplit(") ", 1)[1][0] in "ZX"
