# SPDX-License-Identifier: BSD-2-Clause
"""The manual says what the programs do: options, keys, functions."""
import re
import subprocess

import pytest
from sources import BUILD, TOP, code, output, tool

PAGES = sorted(path.name for path in (TOP / "man").glob("*.[1-8]"))
# All of it is what the others have a section for.
ABOUT_SECURITY = "countersign-security.7"
PROGRAMS = {
    "cli/countersign": "countersign.1",
    "cli/phone/countersign-phone": "countersign-phone.1",
    "service/countersignd": "countersignd.8",
}
# Tables of keys in the source, and the page that has them all.
TABLES = {
    "lib/settings.c": "countersign.conf.5",
    "service/settings.c": "countersignd.conf.5",
}


def page(name):
    path = TOP / "man" / name
    assert path.exists(), f"man/{name} is missing"
    return path


def rendered(name):
    """As a reader sees it, on one line, with plain hyphens."""
    text = output(tool("mandoc"), "-T", "utf8", page(name))
    text = re.sub(".\b", "", text).replace("\u2010", "-")
    return re.sub(r"\s+", " ", text.replace("\u2212", "-"))


def run(program, *arguments):
    got = subprocess.run([BUILD / program, *arguments], text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    assert got.returncode == 0, f"{program} {arguments}: {got.stdout}"
    return got.stdout


def options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def commands(text):
    """The words that a usage text lists at the start of its lines."""
    return set(re.findall(r"^ {2,8}([a-z][a-z-]+)(?= )", text, flags=re.M))


@pytest.mark.parametrize("name", PAGES)
def test_page_passes_mandoc(name):
    output(tool("mandoc"), "-T", "lint", "-W", "warning", page(name))


@pytest.mark.parametrize("name", PAGES)
def test_page_is_installed(name):
    assert f"/{name}" in (TOP / "man/local.mk").read_text()


@pytest.mark.parametrize("name", sorted({*PAGES} - {ABOUT_SECURITY}))
def test_page_says_what_is_dangerous(name):
    assert "SECURITY CONSIDERATIONS" in page(name).read_text()


def test_page_about_security_says_what_is_promised():
    sections = re.findall(r"^\.Sh (.*)", page(ABOUT_SECURITY).read_text(),
                          flags=re.M)
    assert {"PROMISES", "ASSUMPTIONS", "WHAT IS NOT PROMISED", "RULES",
            "TESTS"} <= set(sections)


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_page_has_every_option_of_help(program):
    text = rendered(PROGRAMS[program])
    usage = run(program, "--help")
    missing = {name for name in options(usage) if name not in text}
    for command in commands(usage):
        assert command in text
        try:
            more = run(program, command, "--help")
        except AssertionError:
            continue
        missing |= {f"{command} {name}" for name in options(more)
                    if name not in text}
    assert missing == set()


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_help_has_every_option_of_the_page(program):
    usage = run(program, "--help")
    for command in commands(usage):
        try:
            usage += run(program, command, "--help")
        except AssertionError:
            continue
    text = page(PROGRAMS[program]).read_text()
    listed = set(re.findall(r"^\.It Fl Fl ([a-z-]+)", text, flags=re.M))
    assert {name for name in listed - {"help", "version"}
            if f"--{name}" not in usage} == set()


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_version_is_that_of_the_package(program):
    version = re.search(r'PACKAGE_VERSION "(.*)"',
                        (BUILD / "config.h").read_text()).group(1)
    assert version in run(program, "--version")


@pytest.mark.parametrize("source", sorted(TABLES))
def test_page_has_every_key(source):
    text = code((TOP / source).read_text())
    keys = set(re.findall(r'\{\s*"([a-z_0-9]+)",\s*CSIGN_CONF_', text))
    keys |= set(re.findall(r"\bKEY\((\w+), [A-Z]", text))
    assert len(keys) > 10
    listed = set(re.findall(r"^\.It (?:Ic|Cm) ([a-z_0-9]+) (?:No )?=",
                            page(TABLES[source]).read_text(), flags=re.M))
    assert listed == keys


def test_page_has_every_function():
    names = [line.split()[0] for line in
             (TOP / "lib/api.symbols").read_text().splitlines()
             if line and not line.startswith("#")]
    text = page("libcountersign.3").read_text()
    missing = [name for name in names
               if not re.search(rf"^\.(Fn|Fo) \"?{name}\b", text, flags=re.M)]
    assert missing == []


def test_page_has_every_error():
    header = (TOP / "lib/countersign.h").read_text()
    names = re.findall(r"^\tX\((\w+), ", header, flags=re.M)
    assert len(names) > 40
    text = page("libcountersign.3").read_text()
    groups = re.findall(r"CSIGN_E_(\w+_)\*", text)
    missing = [name for name in names
               if not re.search(rf"\b(CSIGN_E_)?{name}\b", text) and
               not name.startswith(tuple(groups))]
    assert missing == []
