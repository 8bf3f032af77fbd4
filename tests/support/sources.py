# SPDX-License-Identifier: BSD-2-Clause
"""The files of the project and the objects built from them, for the checks."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(os.environ.get("top_srcdir", ".")).resolve()
BUILD = Path(os.environ.get("top_builddir", ".")).resolve()

# What autoreconf makes; in an archive it lies between the sources.
GENERATED = re.compile(
    r"^(aclocal\.m4|autom4te\.cache/.*|build-aux/.*|config\.h\.in|configure|"
    r"Makefile\.in|m4/(libtool|lt).*|build[^/]*/.*|_(build|inst|sub)/.*|"
    r".*\.(pyc|o|lo|la|log|trs))$")

SHELL = ("bootstrap", ".ci/run")
SOURCE = {".c", ".h", ".py", ".sh", ".mk", ".ac", ".am", ".map",
          ".in", ".sql", ".js", ".css", ".bash", ".fish", ".zsh",
          ".1", ".3", ".5", ".7", ".8"}


def files():
    """Paths below the top folder: tracked ones, and new ones not ignored."""
    if (TOP / ".git").exists():
        run = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co",
             "--exclude-standard"], cwd=TOP, stdout=subprocess.PIPE,
            check=True)
        names = run.stdout.decode().split("\0")[:-1]
    else:
        names = [str(path.relative_to(TOP)) for path in TOP.rglob("*")]
    return sorted(TOP / name for name in set(names)
                  if not GENERATED.match(name) and (TOP / name).is_file())


def sources(*suffixes):
    """Those of files() that people write as source, or with these suffixes."""
    wanted = set(suffixes) or SOURCE
    return [path for path in files() if path.suffix in wanted or
            (not suffixes and relative(path) in SHELL)]


def relative(path):
    return str(path.relative_to(TOP))


def code(text, strings=True):
    """C text without comments (and string contents), lines kept."""
    def blank(match):
        what = match.group(0)
        if what.startswith(("/*", "//")):
            return re.sub(r"[^\n]", " ", what)
        return what if strings else what[0] + what[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'
                  r"'(?:\\.|[^'\\\n])+'", blank, text, flags=re.S)


def tool(*names):
    """The first of these programs that is installed; else the case skips."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip(f"{names[0]} is missing")


def output(*argv, **keywords):
    """What a program prints; a failure of it is a failure of the case."""
    run = subprocess.run([str(arg) for arg in argv], text=True, cwd=TOP,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         **keywords)
    assert run.returncode == 0, run.stdout
    return run.stdout


def built(name):
    """A program or library of the build tree, past libtool's wrappers."""
    path = BUILD / name
    for candidate in (path.parent / ".libs" / path.name, path):
        if candidate.exists():
            return candidate
    pytest.fail(f"{name} has not been built")


def symbols():
    """What the library exports, as reviewed."""
    return sorted(line.split()[0] for line in
                  (TOP / "lib/api.symbols").read_text().splitlines()
                  if line and not line.startswith("#"))


def made(name):
    """The value of a variable of the Makefile."""
    text = (BUILD / "Makefile").read_text().replace("\\\n", " ")
    return re.search(rf"^{name} = *(.*)$", text, flags=re.M).group(1)


def sanitized():
    """Is this a build whose objects carry sanitizers?"""
    return "#define CSIGN_SANITIZED 1" in (BUILD / "config.h").read_text()
