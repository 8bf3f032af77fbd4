# SPDX-License-Identifier: BSD-2-Clause
"""bash, zsh and fish load the completions, and they are true and complete."""
import json
import os
import re
import shlex
import subprocess
import sys
from functools import lru_cache

import pytest
from service import wait_until
from sources import BUILD, TOP, built, tool

FOLDER = TOP / "completions"
PROGRAMS = {"countersign": "cli/countersign",
            "countersign-phone": "cli/phone/countersign-phone",
            "countersignd": "service/countersignd"}
SHELLS = ["bash", "zsh", "fish"]
FILES = {"bash": "{}.bash", "zsh": "_{}", "fish": "{}.fish"}
# What our commands print for the completions to read.
DEVICES = {"devices": [
    {"user": "alice", "id": "a" * 16, "name": "x"},
    {"user": "bob", "id": "b" * 16, "name": "y"},
    {"user": "$(touch evil)", "id": "`touch evil`", "name": "z"}]}


# --- the programs --------------------------------------------------------------

def usage(program, *arguments):
    return subprocess.run(
        [built(PROGRAMS[program]), *arguments, "--help"], text=True,
        stdout=subprocess.PIPE, timeout=60, check=True, env={
            "LD_LIBRARY_PATH": str(BUILD / "lib/.libs")}).stdout


def long_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


@lru_cache(None)
def table(program):
    """Command: its options, as the program says itself."""
    text = usage(program)
    found = {}
    if program == "countersignd":
        for line in re.findall(r"(?<=countersignd )[a-z].*", text):
            words = line.split()
            commands = []
            while words and re.fullmatch("[a-z]+", words[0]):
                commands.append(words.pop(0))
            if commands:
                found.setdefault(" ".join(commands), set()).update(
                    long_options(line))
        if "Each but web takes --config" in text:
            for command in set(found) - {"web"}:
                found[command].add("--config")
        return found
    for command in re.findall(r"^  ([a-z][a-z-]+)  ", text, flags=re.M):
        lines = usage(program, command).splitlines()
        found[command] = long_options("\n".join(
            line for line in lines if line.startswith("  --"))) | {"--help"}
    assert len(found) > 4
    return found


# --- the shells ----------------------------------------------------------------

@pytest.fixture
def place(tmp_path):
    """Folders: what the shell is in, and one with our programs."""
    work, bin_folder = tmp_path / "work", tmp_path / "bin"
    work.mkdir()
    bin_folder.mkdir()
    (work / "some-file").touch()
    (tmp_path / "devices.json").write_text(json.dumps(DEVICES, indent=2))
    fake = f"""#!{sys.executable}
import json, sys
found = json.load(open({str(tmp_path / "devices.json")!r}))
users = [word for word in sys.argv[1:] if word[0] not in "-" and
         word != "devices" and "/" not in word]
found["devices"] = [one for one in found["devices"]
                    if not users or one["user"] in users]
print(json.dumps(found, indent=2))
with open({str(tmp_path / "calls")!r}, "a") as file:
    print(*sys.argv[1:], file=file)
"""
    for program in PROGRAMS:
        path = bin_folder / program
        path.write_text(fake)
        path.chmod(0o755)
    return tmp_path


def environment(place):
    return {"PATH": f"{place}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(place), "TERM": "dumb", "LC_ALL": "C.UTF-8",
            "COMPLETIONS": str(FOLDER), "CAPTURE": str(place / "capture")}


def bash(place, program, line):
    """As readline would call it: words are also split at "="."""
    words = [word for word in re.split(r"(=)|\s+", line)
             if word] + ([""] if line.endswith((" ", "=")) else [])
    if line.endswith("="):
        words.pop()
    script = (f"source {shlex.quote(str(FOLDER / program))}.bash\n"
              f"COMP_WORDS=({' '.join(map(shlex.quote, words))})\n"
              f"COMP_CWORD={len(words) - 1}\n"
              f"_{program.replace('-', '_')}\n"
              "printf '%s\\n' \"${COMPREPLY[@]}\"\n")
    got = subprocess.run(
        [tool("bash"), "--norc", "--noprofile", "-c", script], text=True,
        cwd=place / "work", env=environment(place), timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (got.returncode, got.stderr) == (0, ""), line
    return set(got.stdout.split("\n")) - {""}


def fish(place, program, line):
    script = (f"source {shlex.quote(str(FOLDER / program))}.fish\n"
              f"complete -C {shlex.quote(line)}\n")
    got = subprocess.run(
        [tool("fish"), "--no-config", "-c", script], text=True,
        cwd=place / "work", env=environment(place), timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert got.stderr == "", line
    return {re.sub(r"^--[a-z-]+=", "", text.split("\t")[0])
            for text in got.stdout.splitlines()}


class Zsh:
    """An interactive one; Tab as a person presses it."""

    def __init__(self, place):
        pexpect = pytest.importorskip("pexpect")
        self.place = place
        self.capture = place / "capture"
        self.child = pexpect.spawn(
            tool("zsh"), ["-f", "-i"], cwd=str(place / "work"),
            env=environment(place), timeout=60, encoding="utf-8",
            dimensions=(200, 300), echo=False)
        self.child.sendline(
            f"source {TOP}/tests/completions/capture.zsh; print loa''ded")
        self.child.expect("loaded")

    def complete(self, line):
        self.capture.write_text("")
        self.child.send(line + "\x18")
        wait_until(lambda: self.capture.read_text().endswith(".\n"), line)
        self.child.expect(r".+")
        words = set(self.capture.read_text().splitlines()) - {"."}
        # an option that takes its value with "="
        return {word.rstrip("=") if word.startswith("--") else word
                for word in words}

    def close(self):
        self.child.close(force=True)


@pytest.fixture(params=SHELLS)
def complete(request, place):
    """complete(line): what the shell offers for the last word."""
    tool(request.param)
    if request.param == "zsh":
        one = Zsh(place)
        yield one.complete
        one.close()
    else:
        function = {"bash": bash, "fish": fish}[request.param]
        yield lambda line: function(place, line.split()[0], line)


# --- what they say -------------------------------------------------------------

@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_every_command_and_no_other(complete, program):
    commands = {command.split()[0] for command in table(program)}
    offered = complete(f"{program} ")
    assert {word for word in offered if word[0] != "-"} == commands
    groups = {command.split()[0] for command in table(program)
              if " " in command}
    for group in groups:
        assert complete(f"{program} {group} ") == {
            command.split()[1] for command in table(program)
            if command.startswith(f"{group} ")}
    some = sorted(commands)[0]
    assert some in complete(f"{program} {some[:2]}")


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_every_option_and_no_other(complete, program):
    for command, options in table(program).items():
        offered = complete(f"{program} {command} --")
        assert offered == options, command
    assert {"--help", "--version"} == complete(f"{program} --")


def test_a_prefix_is_completed(complete):
    assert complete("countersign enr") == {"enroll"}
    assert complete("countersign ask --ti") == {"--title"}


def test_words_of_options(complete):
    assert complete("countersign enroll --qr ") == {"utf8", "ascii", "off"}
    assert {"today", "1h"} <= complete("countersign log --since ")
    for option in ("--config", "--config="):
        gap = "" if option.endswith("=") else " "
        assert "some-file" in complete(f"countersign log {option}{gap}some")
    assert "some-file" in complete("countersign-phone enroll --ca-file ")
    assert {"approve", "enrol", "manage"} <= complete(
        "countersignd host add --rights ")


def test_operands(complete):
    assert complete("countersign pam ") == {"enable", "disable", "show"}
    assert "su" in complete("countersign pam enable s")
    for command in ("backup", "restore", "check-config"):
        assert "some-file" in complete(f"countersign {command} so")
    for command in ("backup", "restore"):
        assert "some-file" in complete(f"countersignd {command} so")
        assert "some-file" in complete(f"countersign-phone {command} so")
    assert "daemon" in complete("countersign enroll dae")
    # an option and its value are no operands
    assert "daemon" in complete("countersign enroll --qr off --yes dae")
    assert not {word for word in complete("countersign check ")
                if word[0] != "-"}


def test_users_and_devices(complete, place):
    if os.geteuid() != 0:
        assert complete("countersign devices ") == set()
        return
    for command in ("devices", "rename", "revoke", "deenroll", "log"):
        assert {"alice", "bob"} == complete(f"countersign {command} "), command
    assert complete("countersign revoke a") == {"alice"}
    assert complete("countersign revoke bob ") == {"b" * 16}
    assert complete("countersign rename alice ") == {"a" * 16}
    assert not (place / "work/evil").exists()


def test_ids_of_a_phone(complete, place):
    (place / "devices.json").write_text(json.dumps(
        {"devices": [{"id": "c" * 16}, {"id": "$(touch evil)"}]}, indent=2))
    assert complete("countersign-phone approve --device ") == {"c" * 16}
    assert "c" * 16 in complete("countersign-phone remove ")
    complete("countersign-phone approve --store /there --device ")
    assert "--store /there" in (place / "calls").read_text()
    assert not (place / "work/evil").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_nobody_but_root_is_asked_for(place):
    """A user's Tab starts nothing that would ask the agent."""
    for path in (place, place.parent, place.parent.parent):
        path.chmod(0o755)
    for shell, script in (
            ("bash", f"source {FOLDER}/countersign.bash; COMP_WORDS=("
             "countersign devices ''); COMP_CWORD=2; _countersign"),
            ("fish", f"source {FOLDER}/countersign.fish; "
             "complete -C 'countersign devices '")):
        arguments = ["--norc"] if shell == "bash" else ["--no-config"]
        got = subprocess.run(
            [tool(shell), *arguments, "-c", script], user="nobody",
            group="nogroup", extra_groups=[], env=environment(place),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert got.stdout == b"", got
    assert not (place / "calls").exists()


# --- how they are found ----------------------------------------------------------

@pytest.mark.parametrize("program", sorted(PROGRAMS))
@pytest.mark.parametrize("shell", SHELLS)
def test_is_there_and_will_be_installed(shell, program):
    name = FILES[shell].format(program)
    assert (FOLDER / name).is_file()
    assert f"%D%/{name}" in (FOLDER / "local.mk").read_text().split()


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_bash_completion_finds_it_by_itself(place, program):
    library = "/usr/share/bash-completion/bash_completion"
    if not os.path.exists(library):
        pytest.skip("bash-completion is missing")
    (place / "data/bash-completion").mkdir(parents=True)
    (place / "data/bash-completion/completions").symlink_to(FOLDER)
    got = subprocess.run(
        [tool("bash"), "--norc", "-c",
         f"source {library}; _completion_loader {program}; "
         f"complete -p {program}"], text=True, timeout=60,
        env={**environment(place), "XDG_DATA_DIRS": str(place / "data")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert re.search(rf"-F _{program.replace('-', '_')} {program}$",
                     got.stdout.strip())


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_fish_finds_it_by_itself(place, program):
    got = subprocess.run(
        [tool("fish"), "--no-config", "-c",
         f"set fish_complete_path {FOLDER}; complete -C '{program} --ver'"],
        text=True, timeout=60, env=environment(place),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert got.stdout.startswith("--version")
