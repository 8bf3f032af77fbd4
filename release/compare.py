#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares two trees or two files byte for byte.

usage: compare.py ONE TWO

Of trees: names, kinds, targets of links, modes of files (those of folders are
the umask's) and contents; of files the contents alone.  For each file that
differs: the first place; of an ELF object, in the first section that differs.
Exit status: 0 same, 1 different.
"""
import re
import stat
import subprocess
import sys
from pathlib import Path


def tree(top):
    return {str(path.relative_to(top)): path for path in top.rglob("*")}


def kind(path):
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"a link to {path.readlink()}"
    if stat.S_ISDIR(mode):
        return "a folder"
    return f"a file of mode {stat.S_IMODE(mode):04o}"


def sections(path):
    """The sections of an ELF object that are in the file: name -> bytes."""
    data = path.read_bytes()
    if not data.startswith(b"\x7fELF"):
        return {}
    text = subprocess.run(["readelf", "-SW", str(path)], text=True,
                          stdout=subprocess.PIPE, check=True).stdout
    found = {}
    for line in re.findall(r"\[ *\d+\] (\S.*)", text):
        words = line.split()
        if len(words) > 5 and words[1] not in ("NULL", "NOBITS"):
            begin, size = int(words[3], 16), int(words[4], 16)
            found[words[0]] = data[begin:begin + size]
    return found


def place(a, b):
    """Where two runs of bytes differ first, with what is there."""
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
              min(len(a), len(b)))
    around = slice(max(at - 16, 0), at + 48)
    return (f"at byte {at} of {len(a)} and {len(b)}\n"
            f"    {a[around]!r}\n    {b[around]!r}")


def first_difference(one, two):
    """None, or where two files differ: of ELF objects, in which section."""
    a, b = one.read_bytes(), two.read_bytes()
    if a == b:
        return None
    ours, theirs = sections(one), sections(two)
    # The build's id is a hash of all the others: it says nothing of its own.
    for name in sorted(ours, key=".note.gnu.build-id".__eq__):
        if ours[name] != theirs.get(name, b""):
            return f"in {name} {place(ours[name], theirs.get(name, b''))}"
    return place(a, b)


def differences(one, two):
    if one.is_file() and two.is_file():
        what = first_difference(one, two)
        if what:
            yield f"{one.name}: differs {what}"
        return
    ours, theirs = tree(one), tree(two)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            yield f"{name}: only in {one if name in ours else two}"
        elif kind(ours[name]) != kind(theirs[name]):
            yield f"{name}: {kind(ours[name])}, and {kind(theirs[name])}"
        elif kind(ours[name]).startswith("a file"):
            what = first_difference(ours[name], theirs[name])
            if what:
                yield f"{name}: differs {what}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    one, two = map(Path, sys.argv[1:])
    if not one.exists() or not two.exists():
        sys.exit(f"compare.py: {one if two.exists() else two}: nothing there")
    found = list(differences(one, two))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
