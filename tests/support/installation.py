# SPDX-License-Identifier: BSD-2-Clause
"""What "make install" puts where.

Under "make installcheck" that is the installation itself; else one is made
under a temporary folder, with a umask that lets nobody else in.
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from sources import BUILD, TOP

LIST = TOP / "tests/lint/installed.list"
# name=/folder, of this configuration.
DIRS = dict(word.split("=", 1)
            for word in os.environ.get("installed_dirs", "").split())
LIVE = "installed_root" in os.environ


class Entry:
    """A line of the reviewed list."""

    def __init__(self, line):
        words = line.split()
        self.mode = words[0]
        self.name = words[1]
        self.target = words[3] if self.mode == "link" else None
        variable, _, rest = self.name.partition("/")
        self.place = f"{DIRS[variable]}/{rest}"


def entries():
    return [Entry(line) for line in LIST.read_text().splitlines()
            if line and not line.startswith("#")]


class Installation:
    def __init__(self):
        self.root = os.environ.get("installed_root")
        self.temporary = self.root is None
        if self.temporary:
            self.root = tempfile.mkdtemp()
            subprocess.run(
                ["sh", "-c", 'make -s all && umask 077 && '
                 'exec make -s install DESTDIR="$0"', self.root], cwd=BUILD, check=True, stdout=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items()
                     if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")})

    def close(self):
        if self.temporary:
            shutil.rmtree(self.root)

    def path(self, name):
        """bindir/countersign -> where it is."""
        variable, _, rest = name.partition("/")
        return Path(f"{self.root}{DIRS[variable]}/{rest}")

    def files(self):
        """The places of all there is but folders, without the root."""
        return sorted(str(path)[len(self.root):]
                      for path in Path(self.root).rglob("*")
                      if path.is_symlink() or not path.is_dir())
