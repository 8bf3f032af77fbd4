# SPDX-License-Identifier: BSD-2-Clause
"""Each header compiles alone, the public one in C and C++."""
import os
import subprocess

import pytest
from sources import BUILD, TOP, code, relative, sources, tool

HEADERS = [path for path in sources(".h") if
           relative(path).split("/")[0] in ("lib", "pam", "cli", "service",
                                            "tests")]


def compiles(language, standard, path, *flags):
    run = subprocess.run(
        [tool(os.environ.get("CC", "gcc").split()[0]), "-x", language,
         f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
         "-D_GNU_SOURCE", *flags, f"-I{BUILD}", f"-I{TOP}/lib",
         f"-I{path.parent}", "-include", str(path), "/dev/null"],
        stderr=subprocess.PIPE, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("path", HEADERS, ids=relative)
def test_header_compiles_alone(path):
    compiles("c", "gnu11", path)


@pytest.mark.parametrize("language,standard", [
    ("c", "c99"), ("c", "c11"), ("c++", "c++11"), ("c++", "c++20")])
def test_public_header_is_standard(language, standard):
    compiles(language, standard, TOP / "lib/countersign.h", "-Wpedantic")


@pytest.mark.parametrize("path", HEADERS, ids=relative)
def test_header_is_guarded(path):
    lines = [line for line in code(path.read_text()).splitlines()
             if line.strip()]
    assert lines[0].startswith("#ifndef "), lines[0]
    assert lines[1] == lines[0].replace("#ifndef", "#define", 1)
