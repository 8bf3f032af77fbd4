# SPDX-License-Identifier: BSD-2-Clause
"""The objects as built: symbols, libraries, hardening."""
import re

import pytest
from sources import BUILD, TOP, built, output, tool

LIBRARY = "lib/libcountersign.so.0"
MODULE = "pam/pam_countersign.so"
COURIER = "lib/courier/courier"
CLI = "cli/countersign"
PHONE = "cli/phone/countersign-phone"
SERVICE = "service/countersignd"
ALL = [LIBRARY, MODULE, COURIER, CLI, PHONE, SERVICE]

# What each may link besides libc.
NEEDED = {
    LIBRARY: {"libcrypto", "libjson-c", "libqrencode"},
    MODULE: {"libcountersign", "libpam"},
    CLI: {"libcountersign", "libjson-c"},
    COURIER: {"libcurl", "libssl", "libcrypto", "libjson-c"},
    PHONE: {"libcurl", "libssl", "libcrypto", "libjson-c", "libqrencode",
            "libzbar"},
    SERVICE: {"libcountersign", "libcrypto", "libssl", "libjson-c",
              "libevent", "libevent_core", "libevent_extra",
              "libevent_openssl", "libsqlite3", "libcurl"},
}

# Never called from inside somebody else's process.
FOREIGN = re.compile(
    r"^(getenv|secure_getenv|system|popen|exec[lv]*p\w*|strcpy|strcat|"
    r"sprintf|signal|pthread_create|setlocale|setenv|putenv|exit|abort|"
    r"atexit|socket|connect|getaddrinfo|dlopen|fork|vfork)$")


def dynamic(name, *flags):
    return output(tool("nm"), "-D", *flags, built(name)).splitlines()


def exported(name):
    return sorted(line.split()[-1].split("@")[0]
                  for line in dynamic(name, "--defined-only")
                  if line.split()[-2] in "TDBRVW")


def symbols():
    return sorted(line.split()[0] for line in
                  (TOP / "lib/api.symbols").read_text().splitlines()
                  if line and not line.startswith("#"))


def test_library_exports_what_is_reviewed():
    assert exported(LIBRARY) == symbols()


def test_map_lists_what_is_reviewed():
    text = (TOP / "lib/libcountersign.map").read_text()
    listed = re.findall(r"^\s*(csign_\w+);", text, flags=re.M)
    assert sorted(listed) == symbols()
    assert re.search(r"local:\s*\*;", text)


def test_header_declares_what_is_reviewed():
    text = (TOP / "lib/countersign.h").read_text()
    declared = re.findall(r"CSIGN_API[^;]*?\b(csign_\w+)\s*\(", text)
    assert sorted(set(declared)) == symbols()


def test_module_exports_its_entry_points_only():
    assert exported(MODULE) == ["pam_sm_authenticate", "pam_sm_setcred"]


@pytest.mark.parametrize("name", ALL)
def test_linked_libraries(name):
    text = output(tool("readelf"), "-dW", built(name))
    libraries = {library.split(".so")[0].split("-2.1")[0]
                 for library in re.findall(r"\(NEEDED\).*\[(.*)\]", text)}
    assert libraries - {"libc"} - NEEDED[name] == set()


@pytest.mark.parametrize("name", [LIBRARY, MODULE])
def test_calls_into_other_libraries(name):
    undefined = {line.split()[-1].split("@")[0]
                 for line in dynamic(name, "-u")}
    assert sorted(filter(FOREIGN.match, undefined)) == []


@pytest.mark.parametrize("name", ALL)
def test_hardening(name):
    readelf = tool("readelf")
    text = output(readelf, "-lW", "-dW", "-hW", built(name))
    assert "GNU_RELRO" in text
    assert re.search(r"\(FLAGS(_1)?\).*(BIND_)?NOW", text)
    assert re.search(r"GNU_STACK.* RW +0x", text), "executable stack"
    assert "DYN (" in text, "not position independent"
    assert "TEXTREL" not in text
    assert not re.search(r"LOAD.* RWE ", text)


@pytest.mark.parametrize("name", ALL)
def test_code_is_fortified_and_stack_protected(name):
    undefined = output(tool("nm"), "-D", "-u", built(name))
    assert "__stack_chk_fail" in undefined
    assert re.search(r" __(?!stack)\w+_chk", undefined)


@pytest.mark.parametrize("name", ALL)
def test_control_flow_protection(name):
    # The note is no proof: it goes when one object of the C library lacks it.
    assert "endbr64" in output(tool("objdump"), "-d", built(name))


def test_module_loads_with_every_symbol_bound():
    output("/usr/bin/python3", "-c", "import ctypes, os, sys; "
           "ctypes.CDLL(sys.argv[1], os.RTLD_NOW); "
           "ctypes.CDLL(sys.argv[2], os.RTLD_NOW)",
           built(LIBRARY), built(MODULE),
           env={"LD_LIBRARY_PATH": str(built(LIBRARY).parent)})

def test_no_variable_outlives_a_call():
    objdump = tool("objdump")
    objects = [path for folder in ("lib", "pam")
               for path in (BUILD / folder / ".libs").glob("*.o")]
    assert objects != []
    wrong = []
    for path in objects:
        for line in output(objdump, "-t", path).splitlines():
            if re.search(r" O (\.data|\.bss|\.tdata|\.tbss|\*COM\*)\s", line):
                wrong.append(f"{path.name}: {line.split()[-1]}")
    assert wrong == []
