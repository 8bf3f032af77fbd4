# SPDX-License-Identifier: BSD-2-Clause
"""The installed files: the reviewed list, modes, symbols, libraries,
hardening; after libtool has linked them again."""
import os
import platform
import re

import pytest
from installation import DIRS, LIVE, Installation, entries
from sources import BUILD, output, symbols, tool

LIBRARY = "libdir/libcountersign.so.0"
MODULE = "pamdir/pam_countersign.so"
COURIER = "courierdir/courier"
CLI = "bindir/countersign"
PHONE = "bindir/countersign-phone"
SERVICE = "sbindir/countersignd"
PROGRAMS = [COURIER, CLI, PHONE, SERVICE]
ALL = [LIBRARY, MODULE, *PROGRAMS]

# What each may link besides libc.  What those libraries link is the system's.
NEEDED = {
    LIBRARY: {"libcrypto", "libjson-c", "libqrencode"},
    MODULE: {"libcountersign", "libpam"},
    CLI: {"libcountersign", "libjson-c"},
    COURIER: {"libcurl", "libssl", "libcrypto", "libjson-c", "libseccomp"},
    PHONE: {"libcurl", "libssl", "libcrypto", "libjson-c", "libzbar"},
    SERVICE: {"libcrypto", "libssl", "libjson-c", "libevent",
              "libevent_openssl", "libsqlite3", "libcurl"},
}

# Unbounded, by way of a shell or a search path: called by none of them.
NOWHERE = r"""system|popen|exec[lv]*p\w*|posix_spawnp|strcpy|strcat|v?sprintf|
    gets|mktemp|tmpnam|tempnam|tmpfile|rand|srand|strtok|\w*scanf"""
# Asks or changes the process, which on the host is somebody else's.
GUEST = r"""(secure_)?getenv|setenv|putenv|clearenv|signal|setlocale|exit|
    abort|atexit|pthread_create|connect|bind|listen|accept4?|getaddrinfo|
    dlopen|fork|vfork|posix_spawn"""
# The courier is alone, and starts nobody.
ALONE = r"""(secure_)?getenv|pthread_create|bind|listen|accept4?|dlopen|fork|
    vfork|clone|exec\w*|posix_spawn"""
# The library's one socket is AF_UNIX, for the log: tests/lint/calls.py.
FORBIDDEN = {LIBRARY: GUEST, MODULE: f"{GUEST}|socket", COURIER: ALONE}

needs_hardening = pytest.mark.skipif(os.environ.get("hardened") != "yes",
                                     reason="configured without hardening")


@pytest.fixture(scope="module")
def installation():
    found = Installation()
    yield found
    found.close()


def dynamic(path, *flags):
    return output(tool("nm"), "-D", *flags, path).splitlines()


def exported(path):
    """(name, kind, version node) of what an object offers to others."""
    found = []
    for line in dynamic(path, "--defined-only"):
        kind, symbol = line.split()[-2:]
        if kind != "A":
            name, _, node = symbol.partition("@")
            found.append((name, kind, node.strip("@")))
    return sorted(found)


def undefined(path):
    """What it calls, without the fortified form: __strcpy_chk is strcpy."""
    return {re.sub(r"^__(\w+)_chk$", r"\1", line.split()[-1].split("@")[0])
            for line in dynamic(path, "-u")}


def needed(path):
    text = output(tool("readelf"), "-dW", path)
    return {library.split(".so")[0].split("-2.1")[0] for library in
            re.findall(r"\(NEEDED\).*\[(.*)\]", text)}


# --- files ----------------------------------------------------------------

def test_what_is_installed_is_on_the_list(installation):
    """A live installation may be beside others'."""
    listed = sorted(entry.place for entry in entries())
    if LIVE:
        assert [entry.name for entry in entries()
                if not os.path.lexists(installation.path(entry.name))] == []
    else:
        assert installation.files() == listed


def test_modes_owners_and_links(installation):
    wrong = []
    owner = installation.path(CLI).lstat().st_uid
    for entry in entries():
        path = installation.path(entry.name)
        status = path.lstat()
        if entry.target:
            right = path.is_symlink() and str(path.readlink()) == entry.target
        else:
            right = path.is_file() and \
                f"{status.st_mode & 0o7777:04o}" == entry.mode
        if not right or status.st_uid != owner:
            wrong.append(entry.name)
    assert wrong == []
    assert owner == os.geteuid() or LIVE


@pytest.mark.parametrize("name", [COURIER, "pkgdatadir/page.sha256"])
def test_everybody_may_pass_and_nobody_write(installation, name):
    """Also after an installation with umask 077."""
    assert installation.path(name).parent.stat().st_mode & 0o7777 == 0o755


def test_no_placeholder_is_left(installation):
    wrong = [entry.name for entry in entries() if not entry.target and
             re.search(rb"@[a-z]+dir@", installation.path(entry.name)
                       .read_bytes())]
    assert wrong == []


def test_nothing_names_the_folders_of_the_build(installation):
    if "-ffile-prefix-map=" not in (BUILD / "Makefile").read_text():
        pytest.skip("configured without the map of paths")
    folders = [f"{BUILD}/"]
    if installation.root:
        folders.append(installation.root)
    wrong = [entry.name for entry in entries() if not entry.target and
             any(folder.encode() in
                 installation.path(entry.name).read_bytes()
                 for folder in folders)]
    assert wrong == []


# --- symbols and libraries ------------------------------------------------

def test_library_exports_what_is_reviewed(installation):
    found = exported(installation.path(LIBRARY))
    assert [name for name, _, _ in found] == symbols()
    assert {kind for _, kind, _ in found} == {"T"}
    assert all(re.fullmatch(r"CSIGN_[0-9.]+", node) for _, _, node in found)


def test_module_exports_its_entry_points_only(installation):
    assert [name for name, _, _ in exported(installation.path(MODULE))] == \
        ["pam_sm_authenticate", "pam_sm_setcred"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_export_nothing(installation, name):
    """But copies of variables of the C library, and the linker's marks."""
    assert [symbol for symbol, _, node in exported(installation.path(name))
            if not node.startswith("GLIBC") and
            symbol not in ("__bss_start", "_edata", "_end")] == []


@pytest.mark.parametrize("name", ALL)
def test_linked_libraries(installation, name):
    assert needed(installation.path(name)) - {"libc"} - NEEDED[name] == set()


@pytest.mark.parametrize("name", ALL)
def test_calls(installation, name):
    words = f"{NOWHERE}|{FORBIDDEN.get(name, 'gets')}"
    pattern = re.compile(re.sub(r"\s", "", words))
    calls = undefined(installation.path(name))
    assert "malloc" in calls or "calloc" in calls
    assert sorted(filter(pattern.fullmatch, calls)) == []


@pytest.mark.parametrize("name", ALL)
def test_no_search_path_of_its_own(installation, name):
    """But the folder of the library, if the loader does not look there."""
    text = output(tool("readelf"), "-dW", installation.path(name))
    assert "(RPATH)" not in text
    paths = re.findall(r"\(RUNPATH\).*\[(.*)\]", text)
    if re.match(r"/(usr/)?lib(/|64|32|$)", DIRS["libdir"]):
        assert paths == []
    assert set(paths) <= {DIRS["libdir"]}


def test_module_loads_with_every_symbol_bound(installation):
    library = installation.path(LIBRARY)
    output("/usr/bin/python3", "-c", "import ctypes, os, sys; "
           "ctypes.CDLL(sys.argv[1], os.RTLD_NOW); "
           "ctypes.CDLL(sys.argv[2], os.RTLD_NOW)",
           library, installation.path(MODULE),
           env={"LD_LIBRARY_PATH": str(library.parent)})


# --- hardening ------------------------------------------------------------

@needs_hardening
@pytest.mark.parametrize("name", ALL)
def test_segments(installation, name):
    """Full RELRO, no executable stack, nothing both written and run, and
    nothing run but code."""
    text = output(tool("readelf"), "-lW", "-dW", "-hW",
                  installation.path(name))
    assert "GNU_RELRO" in text
    assert re.search(r"\(FLAGS\).*BIND_NOW", text)
    assert re.search(r"\(FLAGS_1\).*NOW", text)
    assert re.search(r"GNU_STACK.* RW +0x", text), "executable stack"
    assert "TEXTREL" not in text
    loads = re.findall(r"^ +LOAD +\S+ +\S+ +\S+ +\S+ +\S+ +([RWE ]{3})", text,
                       flags=re.M)
    assert len(loads) >= 4 and "RWE" not in loads
    assert loads.count("R E") == 1 and loads[0] == "R  ", "no separate code"


@needs_hardening
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_position_independent(installation, name):
    text = output(tool("readelf"), "-hW", "-dW", installation.path(name))
    assert "DYN (" in text
    assert re.search(r"\(FLAGS_1\).* PIE", text)


@needs_hardening
@pytest.mark.parametrize("name", ALL)
def test_code_is_fortified_and_stack_protected(installation, name):
    calls = output(tool("nm"), "-D", "-u", installation.path(name))
    assert "__stack_chk_fail" in calls
    assert re.search(r" __(?!stack)\w+_chk", calls)


@needs_hardening
@pytest.mark.skipif(platform.machine() != "x86_64",
                    reason="endbr64 is an instruction of x86_64")
@pytest.mark.parametrize("name", [LIBRARY, MODULE])
def test_every_entry_is_a_branch_target(installation, name):
    path = installation.path(name)
    text = output(tool("objdump"), "-d", "--no-show-raw-insn", path)
    first = dict(re.findall(r"^[0-9a-f]+ <(\w+)(?:@@[\w.]+)?>:\n"
                            r" *[0-9a-f]+:\s+(\w+)", text, flags=re.M))
    assert [symbol for symbol, kind, _ in exported(path) if kind == "T" and
            first.get(symbol) != "endbr64"] == []
