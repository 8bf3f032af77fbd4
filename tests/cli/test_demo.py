# SPDX-License-Identifier: BSD-2-Clause
"""The demo comes to its verdict, and nothing is left of it."""
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from sources import BUILD, TOP, built, sanitized

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
               "top_builddir": str(BUILD)}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def demo(*arguments):
    if sanitized():
        pytest.skip("pam-run would need the sanitizers' libraries first")
    return subprocess.Popen(
        ["/bin/sh", TOP / "tests/demo/demo.sh", *arguments],
        env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True)


def left(text):
    """What is still there of the demo that printed this."""
    folder = re.search(r"/run/countersign-demo\.\w+", text).group(0)
    found = [folder] if os.path.exists(folder) else []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if folder.encode() in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:
            pass
    return found


def test_the_demo():
    run = demo()
    text = run.communicate(timeout=120)[0]
    assert run.returncode == 0, text
    lines = [line.strip() for line in text.splitlines()]
    assert "phone | Granted." in lines
    assert any(line.startswith("result: authenticate PAM_SUCCESS")
               for line in lines)
    record = [json.loads(line) for line in lines if line.startswith("{")]
    assert [one["result"] for one in record] == ["granted"]
    assert "\x1b" not in text  # it is not a terminal
    assert left(text) == []


def test_an_interrupted_demo_leaves_nothing():
    run = demo()
    text = ""
    while "A phone looks at the screen" not in text:
        text += run.stdout.readline()
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    assert left(text) == []


def test_a_reader_that_goes_away_leaves_nothing():
    run = demo()
    text = ""
    while "/run/countersign-demo." not in text:
        text += run.stdout.readline()
    run.stdout.close()
    assert run.wait(timeout=120) != 0
    assert left(text) == []


def test_a_person_is_the_phone(tmp_path):
    """--phone: somebody else scans, compares and approves."""
    pexpect = pytest.importorskip("pexpect")
    if sanitized():
        pytest.skip("pam-run would need the sanitizers' libraries first")
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple")
    passphrase.chmod(0o600)

    def phone(command, link):
        return subprocess.Popen(
            [built("cli/phone/countersign-phone"), command, "--yes",
             "--store", tmp_path / "keys", "--passphrase-file", passphrase,
             link], stdout=subprocess.DEVNULL)

    child = pexpect.spawn(
        "/bin/sh", [str(TOP / "tests/demo/demo.sh"), "--phone"],
        env=ENVIRONMENT, timeout=60, encoding="utf-8", dimensions=(60, 80))
    phones, text = [], ""
    for command in ("enroll", None, "approve"):
        child.expect(r"http://127\.0\.0\.1:\d+/#[A-Z2-7]{26}")
        text += child.before
        if command:
            phones.append(phone(command, child.match.group(0)))
        if command == "enroll":
            child.expect("same id")
            child.sendline("y")
    child.expect("result: authenticate PAM_SUCCESS")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert [one.wait(timeout=60) for one in phones] == [0, 0]
    assert left(text) == []


def test_wrong_usage():
    run = demo("--fast")
    assert "usage: demo.sh" in run.communicate(timeout=60)[0]
    assert run.returncode == 2
