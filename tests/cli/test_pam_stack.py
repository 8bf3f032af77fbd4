# SPDX-License-Identifier: BSD-2-Clause
"""Our reader of PAM stacks against libpam: the same files, the same answers."""
import os
import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import private  # noqa: E402
import pytest

BUILD = Path(os.environ["top_builddir"])
DEBUG = next(iter([*Path("/lib").glob("*/security/pam_debug.so"),
                   *Path("/lib/security").glob("pam_debug.so"),
                   *Path("/usr/lib64/security").glob("pam_debug.so")]), None)
CODES = ["success", "auth_err", "perm_denied", "user_unknown", "maxtries",
         "authinfo_unavail", "ignore", "new_authtok_reqd", "module_unknown",
         "cred_err", "abort"]
ACTIONS = ["ignore", "ok", "done", "bad", "die", "reset", "1", "2", "3", "7"]
NAMED = ["required", "requisite", "optional", "sufficient", "REQUIRED",
         "Sufficient"]

if DEBUG is None:
    if os.environ.get("CI"):
        raise RuntimeError("pam_debug.so is missing")
    pytest.skip("pam_debug.so is missing", allow_module_level=True)


class Host:
    """This process's own /etc: libpam includes files from no other."""

    def __init__(self):
        self.services = Path("/etc/pam.d")
        for file in self.services.iterdir():
            file.unlink()
        self.write("other", "auth required pam_deny.so\n")

    def write(self, name, text):
        (self.services / name).write_text(text)

    def real(self, service="s"):
        """What libpam says."""
        run = subprocess.run(
            [BUILD / "tests/support/pam-run", "--confdir", self.services,
             "--service", service, "--user", "root", "--json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.PIPE, timeout=60, check=False)
        # 3: libpam gave up on the files; below 0: it crashed over them
        assert run.returncode in (0, 1, 3) or run.returncode < 0, run.stderr
        return run.returncode == 0

    def ours(self, service="s"):
        run = subprocess.run(
            [BUILD / "tests/cli/play", "/", service], text=True,
            stdout=subprocess.PIPE, timeout=60, check=True)
        return run.stdout == "yes\n"

    def agree(self, text, **others):
        self.write("s", text)
        for name, content in others.items():
            self.write(name, content)
        assert self.ours() == self.real(), (text, others)


@pytest.fixture(scope="module", autouse=True)
def machine():
    private.enter()


@pytest.fixture
def host(machine):
    return Host()


def debug(code):
    return f"pam_debug.so auth={code}"


@pytest.mark.parametrize("text", [
    "",
    "auth required pam_permit.so",  # no newline
    "auth required pam_permit.so\\\n",
    "auth required \\\n  pam_permit.so\n",
    "auth required \\\n# a comment\n\n  pam_permit.so\n",
    "auth required pam_permit.so # \\\nauth required pam_deny.so\n",
    "auth required \\ # x\n pam_permit.so\n",
    "auth required pam_permit.so \\  \t\n",
    "\\\n", "\\", "# \\\nauth required pam_permit.so\n",
    "  \t auth\trequired\tpam_permit.so\n",
    "AUTH required pam_permit.so\n",
    "-auth required pam_permit.so\n",
    "-auth required pam_nowhere_to_be_found.so\nauth required pam_permit.so\n",
    "auth required pam_permit.so\r\nauth required pam_permit.so\r\n",
    "auth\nauth required pam_permit.so\n",
    "auth required\nauth required pam_permit.so\n",
    "auth optional\nauth required pam_permit.so\n",
    "foo required pam_permit.so\nauth required pam_permit.so\n",
    "foo optional pam_permit.so\nauth required pam_permit.so\n",
    "foo\nauth required pam_permit.so\n",
    "account required pam_permit.so\n",
    "auth required [pam_permit.so]\n",
    "auth [success=ok pam_permit.so\n",
    "auth [success=ok]pam_permit.so\n",
    "auth [success=ok#]\nauth required pam_permit.so\n",
    "auth [] pam_permit.so\n",
    "auth [default=ok] pam_permit.so\n",
    "auth [ success = ok ] pam_permit.so\n",
    "auth [success=okdefault=bad] pam_permit.so\n",
    "auth [SUCCESS=ok] pam_permit.so\n",
    "auth [success=OK] pam_permit.so\n",
    "auth [success=0] pam_permit.so\n",
    "auth [success=-1] pam_permit.so\n",
    "auth [success=1] pam_permit.so\n",
    "auth [success=1] pam_permit.so\nauth required pam_permit.so\n",
    "auth [success=ok nonsense=ok] pam_permit.so\n",
    "auth [success] pam_permit.so\n",
    "auth nonsense pam_permit.so\n",
    "auth default=ok pam_permit.so\n",
    "auth success=ok pam_permit.so\n",
    "auth include\nauth required pam_permit.so\n",
    "auth include nowhere\nauth required pam_permit.so\n",
    "auth substack nowhere\nauth required pam_permit.so\n",
    "@include nowhere\nauth required pam_permit.so\n",
    "@include\nauth required pam_permit.so\n",
    "@INCLUDE a\n", "@include a b c\n", "@included a\n", "@include\ta\n",
    "@ include a\n", "-@include a\n",
    "auth include a\n", "auth INCLUDE a\n", "auth Substack a\n",
    "auth include a ignored\n", "account include a\n",
    "auth include s\nauth required pam_permit.so\n",
    "auth required pam_permit.so\nauth optional "
    + "x=" + "y" * 900 + " pam_deny.so\n",
    "x" * 3000 + "\nauth required pam_permit.so\n",
    "auth required pam_permit.so " + "y" * 990 + "\n",
    "auth required pam_permit.so " + "y" * 996 + "\n",
    "auth required pam_permit.so " + "\\\n y" * 400 + "\n",
], ids=lambda text: repr(text[:40]))
def test_lines(host, text):
    host.agree(text, a="auth required pam_permit.so\n"
                       "account required pam_deny.so\n")


@pytest.mark.parametrize("control", ["substack", "include"])
def test_files_that_include_each_other(host, control):
    for last in range(13, 18):
        for i in range(last):
            host.write(f"f{i}", f"auth {control} f{i + 1}\n")
        host.write(f"f{last}", "auth required pam_permit.so\n")
        assert host.ours("f0") == (last < 16)
        # Some versions of libpam have no limit for "include".
        if control == "substack":
            assert host.ours("f0") == host.real("f0"), last


def test_files_that_include_each_other_often(host):
    host.write("s", "auth include s\n" * 3)
    assert not host.ours()  # and says so at once


def test_other_stands_in_for_what_is_missing(host):
    host.write("other", "auth required pam_permit.so\n")
    host.agree("account required pam_permit.so\n")
    assert host.ours() and host.ours("nosuch") and host.real("nosuch")
    host.agree("@include empty\n", empty="")
    host.write("other", "auth required \\\n")  # not readable to its end
    host.agree("auth required pam_permit.so\n")
    (host.services / "other").unlink()
    host.agree("auth required pam_permit.so\n")
    assert not host.ours("nosuch")


def control(pick):
    if pick.random() < 0.5:
        return pick.choice(NAMED)
    pairs = [f"{pick.choice([*CODES, 'default', 'success', 'default'])}"
             f"={pick.choice(ACTIONS)}" for _ in range(pick.randint(1, 4))]
    return f"[{' '.join(pairs)}]"


def lines(pick, depth):
    text = ""
    for _ in range(pick.randint(1, 6)):
        what = pick.random()
        if what < 0.15 and depth < 3:
            text += f"auth {pick.choice(['substack', 'include'])} f{depth}\n"
        elif what < 0.2 and depth < 3:
            text += f"@include f{depth}\n"
        else:
            text += f"auth {control(pick)} {debug(pick.choice(CODES))}\n"
    return text


@pytest.mark.parametrize("seed", range(6))
def test_random_stacks(host, seed):
    pick = random.Random(seed)
    said = set()
    for _ in range(80):
        host.agree(lines(pick, 0), **{
            f"f{i}": lines(pick, i + 1) for i in range(3)})
        said.add(host.ours())
    assert said == {True, False}, seed
