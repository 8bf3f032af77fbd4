# SPDX-License-Identifier: BSD-2-Clause
"""
What may lie in the courier's place instead of it: E1 of
countersign-security(7).
"""
import os
import shutil
import socket
import struct
from pathlib import Path

from courier_case import CREATE, Table
from rig import built

CASES = Table()
case = CASES.add


def place(make):
    def file(stage):
        make(stage.courier)
    return file


def contents(data, mode=0o755):
    def make(path):
        path.write_bytes(data)
        path.chmod(mode)
    return place(make)


def program(source, mode=0o755, uid=0, link=None):
    def make(path):
        shutil.copy(source, path)
        os.chown(path, uid, 0)
        path.chmod(mode)
        if link:
            os.link(path, path.with_name(link))
    return place(make)


def acl(path):
    """Writable by one more user, as setfacl(1) does it."""
    shutil.copy(built("lib/courier/courier"), path)
    path.chmod(0o755)
    entries = ((0x01, 7, -1), (0x02, 7, 2001), (0x04, 5, -1), (0x10, 7, -1),
               (0x20, 5, -1))
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) +
                b"".join(struct.pack("<HHi", *entry) for entry in entries))


def folder_of_others(path):
    shutil.copy(built("lib/courier/courier"), path)
    path.chmod(0o755)
    path.parent.chmod(0o777)


def symlink(path):
    real = path.with_name("real")
    shutil.copy(built("lib/courier/courier"), real)
    real.chmod(0o755)
    path.symlink_to(real)


def foreign(machine):
    """A courier for another machine."""
    def make(path):
        data = bytearray(Path("/bin/true").read_bytes())
        data[18:20] = struct.pack("<H", machine)
        path.write_bytes(data)
        path.chmod(0o755)
    return place(make)


REAL = built("lib/courier/courier")
FILES = {
    "missing": place(lambda path: None),
    "symbolic link": place(symlink),
    "folder": place(lambda path: path.mkdir()),
    "FIFO": place(lambda path: os.mkfifo(path, 0o755)),
    "device": place(lambda path: os.mknod(path, 0o20755, os.makedev(1, 3))),
    "socket": place(lambda path: socket.socket(socket.AF_UNIX).bind(
        str(path))),
    "a user's own": program(REAL, uid=2001),
    "the courier's own": program(REAL, uid=65534),
    "writable by its group": program(REAL, 0o775),
    "writable by all": program(REAL, 0o757),
    "writable by an ACL": place(acl),
    "set-uid": program(REAL, 0o4755),
    "set-gid": program(REAL, 0o2755),
    "in a folder of others": place(folder_of_others),
    "not executable": program(REAL, 0o644),
    "root's alone": program(REAL, 0o700),
    "empty": contents(b""),
    "no ELF": contents(b"\x7fELF" + bytes(60)),
    "half an ELF": contents(Path("/bin/true").read_bytes()[:2000]),
    "another machine's ELF": foreign(0xf7),
    "text": contents(b"exit 0\n"),
    "script": contents(b"#!/bin/sh\nexit 0\n"),
    "script of nothing": contents(b"#!/nonexistent\n"),
    "/bin/true": program("/bin/true"),
    "/bin/false": program("/bin/false"),
    "/bin/cat": program("/bin/cat"),
    "/bin/sleep": program("/bin/sleep"),
}
for _name, _file in FILES.items():
    case(_name, None, file=_file, seconds=CREATE)
case("relative path", None, file=place(lambda path: None), seconds=1,
     courier="lib/courier")
case("as root", None, file=program(REAL), seconds=1, courier_user="root")
case("as nobody who exists", None, file=program(REAL), seconds=1,
     courier_user="no-such-account")
