# SPDX-License-Identifier: BSD-2-Clause
"""Both programs called rightly and wrongly; nothing here needs root."""
import os
import shutil
import subprocess

import pytest
from sources import BUILD, built, sanitized

PROGRAMS = {"countersign": "cli/countersign",
            "countersign-phone": "cli/phone/countersign-phone"}
LINK = "https://approve.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAAA"
SECRET = "canary-0123456789"


def run(name, *arguments, text=""):
    return subprocess.run(
        [built(PROGRAMS[name]), *arguments], input=text, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
        start_new_session=True, env={
            "LD_LIBRARY_PATH": str(BUILD / "lib/.libs"), "LC_ALL": "C.UTF-8"})


WRONG = [
    ("countersign",),
    ("countersign", "recover"),
    ("countersign", "--verbose"),
    ("countersign", "init"),
    ("countersign", "init", "--service"),
    ("countersign", "init", "--service", "https://a", "extra"),
    ("countersign", "init", "--service=https://a", "--service=https://b"),
    ("countersign", "enroll", "alice", "bob"),
    ("countersign", "enroll", "alice", "--yes=yes"),
    ("countersign", "enroll", "alice", "--force"),
    ("countersign", "enroll", "alice", "--json", "--json"),
    ("countersign", "enroll", "alice", "-y"),
    ("countersign", "enroll", "alice", "--yes", "--name", "x" * 65),
    ("countersign", "devices", "alice", "bob"),
    ("countersign", "devices", "--js"),
    ("countersign", "revoke"),
    ("countersign", "revoke", "alice", "a", "b"),
    ("countersign", "test", "alice", "bob"),
    ("countersign", "agent", "alice"),
    ("countersign", "check-config", "a", "b"),
    ("countersign", "check-config", "/a", "--config", "/b"),
    *([("countersign", "enroll"), ("countersign", "deenroll"),
       ("countersign", "test"), ("countersign", "revoke", "device")]
      if os.geteuid() == 0 else []),  # users mean themselves
    ("countersign-phone",),
    ("countersign-phone", "steal"),
    ("countersign-phone", "approve", LINK, LINK),
    ("countersign-phone", "approve", "--not-me", LINK),
    ("countersign-phone", "deny", "--yes", LINK),
    ("countersign-phone", "enroll", "--yes", "--name", "x" * 65, LINK),
    ("countersign-phone", "watch", LINK),
    ("countersign-phone", "watch", "-"),
    ("countersign-phone", "watch", "-", "--yes", "--json"),
    ("countersign-phone", "watch", "--yes"),
    ("countersign-phone", "watch", "--wait", "soon"),
    ("countersign-phone", "inbox", "all"),
    ("countersign-phone", "push"),
    ("countersign-phone", "approve", "--inbox", "x", LINK),
    ("countersign-phone", "devices", "--yes"),
    ("countersign-phone", "remove"),
    ("countersign-phone", "remove", "a" * 16, "b" * 16),
    ("countersign-phone", "remove", "--force", "a" * 16),
    ("countersign-phone", "backup"),
    ("countersign-phone", "backup", "--yes", "file"),
    ("countersign-phone", "restore", "file", "file"),
]


@pytest.mark.parametrize("argv", WRONG, ids=lambda argv: "_".join(argv)[:60])
def test_wrong_usage_is_2_and_one_usage_line(argv):
    got = run(*argv)
    assert got.returncode == 2
    assert got.stdout == ""
    usage = [line for line in got.stderr.splitlines()
             if line.startswith(f"usage: {argv[0]} ")]
    assert len(usage) == 1
    assert got.stderr.startswith(f"{argv[0]}: ")


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_and_version(name):
    for argv in (["--help"], ["-h"], ["devices", "--help"],
                 ["enroll", "-h", "and", "more", "--nonsense"]):
        got = run(name, *argv)
        assert (got.returncode, got.stderr) == (0, "")
        assert got.stdout.startswith(f"usage: {name} ")
    got = run(name, "--version")
    assert got.returncode == 0
    assert got.stdout.split()[0] == name


@pytest.mark.parametrize("command", ["revoke", "backup", "pam"])
def test_help_of_force_is_true_of_each_command(command):
    text = run("countersign", command, "--help").stdout
    [line] = [line for line in text.splitlines() if "  --force" in line]
    assert not {"device", "file", "stack"} & set(line.split())


def test_options_may_follow_and_two_dashes_end_them(tmp_path):
    for argv in (("check-config", "--config", "--", "x"),
                 ("devices", "alice", "--config", tmp_path / "none"),
                 ("devices", f"--config={tmp_path / 'none'}", "--", "--json")):
        assert run("countersign", *argv).returncode == (
            2 if argv[1] == "--config" else 3)


@pytest.mark.parametrize("argv", [
    ("countersign", "init", "--service", "https://a",
     f"--access-key={SECRET}"),
    ("countersign-phone", "approve", f"--passphrase={SECRET}", LINK)])
def test_a_secret_in_the_wrong_place_is_not_repeated(argv):
    got = run(*argv)
    assert got.returncode == 2
    assert SECRET not in got.stdout + got.stderr


def test_full_standard_output_is_trouble():
    with open("/dev/full", "w", encoding="ascii") as full:
        got = subprocess.run(
            [built(PROGRAMS["countersign-phone"]), "--help"], stdout=full,
            stderr=subprocess.PIPE, timeout=60)
    assert got.returncode == 3
    assert b"standard output" in got.stderr


def test_closed_descriptors_are_filled():
    """A file must not become somebody's standard error."""
    got = subprocess.run(
        ["/bin/sh", "-c", f"exec {built(PROGRAMS['countersign-phone'])} "
         "--version <&- 2>&-"], stdout=subprocess.PIPE, timeout=60)
    assert got.returncode == 0
    assert got.stdout.startswith(b"countersign-phone ")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_refuses_raised_privileges():
    """SYS-8: a set-id copy runs for nobody."""
    if sanitized():
        pytest.skip("the sanitizers' libraries are not where set-id looks")
    copy = "/run/countersign-phone-set-id"
    try:
        shutil.copy(built(PROGRAMS["countersign-phone"]), copy)
        os.chown(copy, 0, 0)
        os.chmod(copy, 0o4755)
        got = subprocess.run([copy, "--version"], user="nobody", text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=60)
    finally:
        os.unlink(copy)
    assert got.returncode == 3
    assert got.stdout == ""
    assert "raised privileges" in got.stderr
