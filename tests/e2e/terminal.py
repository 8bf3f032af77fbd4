# SPDX-License-Identifier: BSD-2-Clause
"""What a real terminal shows, seen through a camera."""
import itertools
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from machine import (HOME, Session, Sshd, as_user, environment, ssh_command,
                     until)
from screen import DARK, LIGHT, LINK, camera, link_in
from sources import tool


class Tmux:
    """A terminal of a given size in which one command runs."""

    number = itertools.count()

    def __init__(self, user, argv, columns=80, rows=24, **env):
        self.prefix = as_user(user, tool("tmux"), "-L",
                              f"t{next(self.number)}", "-f", "/dev/null")
        folder = Path("/run/tmux")
        folder.mkdir(mode=0o1777, exist_ok=True)
        folder.chmod(0o1777)
        self.env = environment(user, TMUX_TMPDIR=str(folder), **env)
        command = " ".join(map(shlex.quote, map(str, argv)))
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows),
                  f"{command}; echo status $?; exec sleep 60")

    def tmux(self, *arguments):
        return subprocess.run([*self.prefix, *arguments], env=self.env,
                              check=True, stdout=subprocess.PIPE,
                              text=True).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def wait_for(self, text):
        return until(lambda: text in self.screen() and self.screen(),
                     what=text)

    def link(self):
        return until(lambda: link_in(self.screen()), what="a link")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def wait_for_prompts(self, number):
        """Since the start; ssh(1) drops what was typed before each."""
        until(lambda: self.tmux("capture-pane", "-p", "-S", "-").count(
            "Press Enter") >= number, what=f"prompt {number}")

    def close(self):
        subprocess.run([*self.prefix, "kill-server"], env=self.env,
                       stderr=subprocess.DEVNULL)


@pytest.fixture
def terminal(request):
    opened = []

    def start(*arguments, **keywords):
        opened.append(Tmux(*arguments, **keywords))
        return opened[-1]
    yield start
    for one in opened:
        one.close()


def same(found, link):
    """A QR code has the link in upper case."""
    return [text.upper() for text in found] == [link.upper()]


SSH = ("client", ssh_command("alice", "echo logged in"))
SUDO = ("alice", ["/usr/bin/sudo", "-k", "/usr/bin/id", "-un"])


@pytest.mark.parametrize("who", [SSH, SUDO], ids=["ssh", "sudo"])
def test_question_fits_a_small_terminal(terminal, sshd, phones, who):
    """At 80x24 the code, the link and what to do are visible together."""
    screen = terminal(*who)
    link = screen.link()
    text = screen.wait_for("Press Enter" if who is SSH else "seconds.")
    assert same(camera(text), link)
    assert LINK.search(text)
    phones["alice"].approve(
        link, then=lambda: who is SSH and screen.keys("Enter"))
    assert "status 0" in screen.wait_for("status")


DIGITS = re.compile(r"^Scan the code, or type \d{3} \d{3} on the phone that "
                    r"asks, within \d+ seconds\.$", re.M)


def ssh_by_key():
    """A login that rings: bob's key is a first factor."""
    return "client", ssh_command("bob", "echo logged in",
                                 key=Sshd.give_key("bob"))


def lines_above(text):
    """What stands above the code."""
    return [line for line in text.split("\n\u2588")[0].splitlines() if line]


@pytest.mark.parametrize("who", ["ssh", "sudo"])
def test_digits_fit_beside_the_code(terminal, sshd, phones, who):
    """A phone that rings asks for them; all is visible at 80x24."""
    phone = phones["bob" if who == "ssh" else "alice"]
    screen = terminal(*(ssh_by_key() if who == "ssh" else SUDO))
    link = screen.link()
    text = screen.wait_for("seconds.")
    assert DIGITS.search(text) and same(camera(text), link)
    assert LINK.search(text) and len(text.splitlines()) <= 24
    if who == "ssh":
        assert "Press Enter" in screen.wait_for("Press Enter")
    phone.approve(link, then=lambda: who == "ssh" and screen.keys("Enter"))
    text = screen.wait_for("status")
    assert "status 0" in text
    if who == "sudo":
        assert "Approved by phone." in text


def test_why_no_phone_rings_fits_above_the_code(terminal, sshd, phones):
    """The second of two logins, behind the name that ssh puts there."""
    first = terminal(*ssh_by_key())
    link = first.link()
    second = terminal(*ssh_by_key())
    other = second.link()
    text = second.wait_for("Press Enter")
    above, = lines_above(text)
    assert above.startswith("(bob@127.0.0.1) ") and "phone" in above
    assert len(above) < 80 and not DIGITS.search(text)
    assert same(camera(text), other) and len(text.splitlines()) <= 24
    for screen, one in ((second, other), (first, link)):
        phones["bob"].approve(
            one, then=lambda screen=screen: screen.keys("Enter"))
        assert "status 0" in screen.wait_for("status")


def test_the_longest_note_leaves_room(terminal, sshd, rig, phones):
    """It may need a second line, behind the name; then the screen is full."""
    phone = rig.enrol_soft("bob", name="tablet")
    login = rig.login("bob", service="su", argv=("su", "bob"))
    phone.not_me(login.link())
    assert login.end() == "PAM_MAXTRIES"
    screen = terminal(*ssh_by_key())
    link = screen.link()
    text = screen.wait_for("Press Enter")
    assert "not me" in " ".join(lines_above(text))
    assert same(camera(text), link) and len(text.splitlines()) <= 24
    phone.approve(link)
    screen.keys("Enter")
    assert "status 0" in screen.wait_for("status")
    rig.countersign("revoke", "bob", phone.device)


@pytest.mark.parametrize("style,colours,inverse,size", [
    ("utf8", DARK, "no", (80, 24)),
    ("utf8", LIGHT, "yes", (80, 24)),
    ("ascii", DARK, "no", (80, 60)),
    ("ascii", LIGHT, "yes", (80, 60)),
], ids=["utf8-dark", "utf8-light", "ascii-dark", "ascii-light"])
def test_camera_reads_the_code(terminal, sshd, phones, rig, style, colours,
                               inverse, size):
    with rig.settings(qr=style, qr_inverse=inverse):
        screen = terminal(*SSH, columns=size[0], rows=size[1])
        link = screen.link()
    assert same(camera(screen.wait_for("Press Enter"), colours), link)
    phones["alice"].approve(link, then=lambda: screen.keys("Enter"))
    screen.wait_for("status 0")


def test_two_keys_invert(terminal, sshd, phones):
    screen = terminal(*SSH, columns=80, rows=60)
    link = screen.link()
    assert camera(screen.wait_for("Press Enter"), LIGHT) == []
    for prompts, key in enumerate(("a", "a"), 1):
        screen.wait_for_prompts(prompts)
        screen.keys(key, "Enter")
    screen.wait_for_prompts(3)
    until(lambda: same(camera(screen.screen(), LIGHT), link), 30, "a, a")
    phones["alice"].approve(link, then=lambda: screen.keys("Enter"))
    screen.wait_for("status 0")


def test_no_code_where_the_host_wants_none(terminal, sshd, phones, rig):
    with rig.settings(qr="off"):
        screen = terminal(*SSH)
        link = screen.link()
    text = screen.wait_for("Press Enter")
    assert not set("\u2580\u2584\u2588") & set(text)
    phones["alice"].approve(link, then=lambda: screen.keys("Enter"))
    screen.wait_for("status 0")


def test_phone_reads_the_printed_text(terminal, sshd, phones):
    """countersign-phone takes a dump of the terminal instead of a link."""
    screen = terminal(*SSH)
    text = screen.wait_for("Press Enter")
    assert link_in(text)
    phone = phones["alice"].approve_screen(LINK.sub("", text))
    screen.keys("Enter")
    phones["alice"].finish(phone)
    screen.wait_for("status 0")


def test_no_escape_sequences(sshd, phones):
    log = HOME / "alice" / "typescript"
    session = Session(as_user(
        "alice", "/usr/bin/script", "-qfc", "/usr/bin/sudo -k -n true; "
        "/usr/bin/sudo -k true", log), environment("alice"))
    session.link()
    session.child.send("\x03")
    session.end()
    text = log.read_text(errors="replace")
    assert link_in(text) and "seconds." in text
    assert "\x1b" not in text
