# SPDX-License-Identifier: BSD-2-Clause
"""The objects as compiled: reviewed symbols, flags, no state."""
import platform
import re

import pytest
from sources import BUILD, TOP, made, output, symbols, tool

ROOMS = ("lib", "lib/courier", "pam", "cli", "cli/agent", "cli/check",
         "cli/stack", "cli/phone", "service")


def compiled(*rooms):
    """Objects of the product, those for libraries included."""
    return sorted(path for room in rooms
                  for folder in (BUILD / room, BUILD / room / ".libs")
                  for path in folder.glob("*.o"))


def test_map_lists_what_is_reviewed():
    text = (TOP / "lib/libcountersign.map").read_text()
    listed = re.findall(r"^\s*(csign_\w+);", text, flags=re.M)
    assert sorted(listed) == symbols()
    assert re.search(r"local:\s*\*;", text)


def test_header_declares_what_is_reviewed():
    text = (TOP / "lib/countersign.h").read_text()
    declared = re.findall(r"CSIGN_API[^;]*?\b(csign_\w+)\s*\(", text)
    assert sorted(set(declared)) == symbols()


def test_no_variable_outlives_a_call():
    objdump = tool("objdump")
    objects = compiled("lib", "pam")
    assert objects != []
    wrong = []
    for path in objects:
        for line in output(objdump, "-t", path).splitlines():
            if re.search(r" O (\.data|\.bss|\.tdata|\.tbss|\*COM\*)\s", line):
                wrong.append(f"{path.name}: {line.split()[-1]}")
    assert wrong == []


def test_code_is_fortified():
    """Level 3 leaves no other trace in an object than level 2."""
    if made("CSIGN_HARDENED") != "yes":
        pytest.skip("configured without hardening")
    flags = " ".join(map(made, ("CPPFLAGS", "CSIGN_CFLAGS", "CFLAGS")))
    text = output(*made("CC").split(), *flags.split(), "-E", "-dM",
                  "-x", "c", "/dev/null")
    assert "#define _FORTIFY_SOURCE 3" in text


def test_every_object_is_marked_for_control_flow_protection():
    """A program's own mark is lost with one object of the C library."""
    if made("CSIGN_HARDENED") != "yes" or \
            platform.machine() not in ("x86_64", "i686"):
        pytest.skip("configured without hardening")
    objects = compiled(*ROOMS)
    assert objects != []
    text = output(tool("readelf"), "-nW", *objects)
    notes = [part.partition("\n") for part in text.split("File: ")[1:]]
    assert len(notes) == len(objects)
    assert [name for name, _, note in notes if "IBT, SHSTK" not in note] == []
