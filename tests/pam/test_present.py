# SPDX-License-Identifier: BSD-2-Clause
"""How the challenge is shown."""
import fcntl
import os
import pty
import struct
import termios

import pytest

import pamrun

LINK = "https://approve.example.org/#ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLOCK, INVERSE, ASCII = "\u2588" * 37, "\u2584" * 37, "#" * 74


@pytest.fixture(name="stack")
def make_stack():
    with pamrun.Stack() as stack:
        yield stack.play("wait OK")


def ssh(stack, *answers):
    options = [word for a in answers for word in ("--answer", a)]
    return stack.run("--tty", "ssh", *options, service="sshd")


def test_info_is_one_message(stack):
    result = stack.run()
    assert not result.texts("prompt")
    challenge, granted = result.texts("info")
    lines = challenge.split("\n")
    assert lines[0] == "" and lines[1:20] == [BLOCK] * 19
    assert lines[20] == LINK
    assert lines[21] == ("Scan the code or open the link on your phone, "
                         "within 90 seconds.")
    assert len(lines) == 22
    assert granted.startswith("Approved by ")


def test_prompt_fits_24_lines(stack):
    """One for "(user@host) ", the code, three of text; and 80 columns."""
    result = ssh(stack)
    assert result.code == "PAM_SUCCESS"
    prompt, = result.texts("prompt")
    lines = prompt.split("\n")
    assert lines[0] == "" and lines[1:20] == [BLOCK] * 19
    assert len(lines) == 23
    assert all(len(line) < 80 for line in lines)
    assert lines[-1].startswith("Press Enter once approved")
    assert lines[-1].endswith(": ")
    assert LINK in lines
    style, = [e["number"] for e in result.events if e["event"] == "prompt"]
    assert style == 2  # PAM_PROMPT_ECHO_ON


def test_no_escape_sequences(stack):
    result = ssh(stack, "a", "i", "a", "")
    for event in result.events:
        assert all(c == "\n" or c >= " " for c in event["text"])


def test_keys(stack):
    """
    Any one character, since sshd does not say which for strangers: the four
    ways to draw it in turn.
    """
    result = ssh(stack, "a", "I", "\b", "x", "")
    drawn = [t.split("\n")[1] for t in result.texts("prompt")]
    assert drawn == [BLOCK, ASCII, INVERSE, ASCII, BLOCK]
    assert all(LINK in t for t in result.texts("prompt"))
    assert result.code == "PAM_SUCCESS"


def test_redraws_are_bounded(stack):
    """PAM-9: at most 8 messages, and then it waits."""
    result = ssh(stack, "a")
    assert len(result.texts("prompt")) == 5
    assert result.code == "PAM_SUCCESS"


@pytest.mark.parametrize("answer", [
    "", "yes", "aa", "\u00e9", "123456", "x" * 100])
def test_any_answer_means_wait(stack, answer):
    """Never yes, and never no: the phone decides."""
    assert ssh(stack, answer).code == "PAM_SUCCESS"
    stack.play("wait DENIED")
    result = ssh(stack, answer)
    assert result.code == "PAM_MAXTRIES"
    assert len(result.texts("prompt")) == 1


@pytest.mark.parametrize("setting,tty,kinds", [
    ("auto", "ssh", ["prompt"]), ("auto", "tty1", ["info"]),
    ("prompt", "tty1", ["prompt"]), ("info", "ssh", ["info"]),
    ("none", "ssh", []), ("none", "tty1", [])])
def test_present(stack, setting, tty, kinds):
    stack.play("wait OK", f"setting present {setting}")
    result = stack.run("--tty", tty, "--flags", "silent")
    assert [e["event"] for e in result.events
            if e["event"] in ("info", "prompt", "error")] == kinds
    assert result.code == "PAM_SUCCESS"


@pytest.mark.parametrize("lines,first", [
    ([], BLOCK), (["setting qr utf8"], BLOCK), (["setting qr ascii"], ASCII),
    (["setting qr_inverse yes"], INVERSE), (["setting qr_inverse no"], BLOCK),
    (["setting qr off"], LINK)])
def test_qr(stack, lines, first):
    stack.play("wait OK", *lines)
    for result in (ssh(stack), stack.run()):
        text = (result.texts("prompt") + result.texts("info"))[0]
        assert text.split("\n")[1] == first
        assert LINK in text.split("\n")


def test_code_that_cannot_be_drawn(stack):
    """MEM-4: the link is enough."""
    link = "https://approve.example.org/#NOQR"
    stack.play("wait OK", f"link {link}")
    prompt, = ssh(stack).texts("prompt")
    assert prompt.split("\n")[1] == link
    assert "Open this link on your phone" in prompt


def test_silent_hides_chatter_only(stack):
    """sudo 1.9.16 and newer sets PAM_SILENT by default."""
    result = stack.run("--flags", "silent")
    challenge, = result.texts("info")
    assert LINK in challenge and BLOCK in challenge


def test_texts_that_cannot_be_shown(stack):
    """An approval is not lost because its good news cannot be told."""
    stack.play("wait OK", "setting present none")
    assert stack.run("--conv", "error").code == "PAM_SUCCESS"
    stack.play("wait OK")
    assert stack.run("--conv", "error").code == "PAM_CONV_ERR"


def on_terminal(stack, rows, columns, locale, *options):
    """The first line drawn, with a terminal of that size on stderr."""
    master, slave = pty.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))
        result = stack.run(*options, env={"LC_ALL": locale}, stderr=slave)
        text = (result.texts("prompt") + result.texts("info"))[0]
        assert LINK in text.split("\n")
        return text.split("\n")[1]
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("rows,columns,locale,first", [
    (24, 80, "C.UTF-8", BLOCK),
    (24, 45, "C.UTF-8", BLOCK),
    (24, 44, "C.UTF-8", LINK),
    (24, 20, "C.UTF-8", LINK),
    (0, 0, "C.UTF-8", BLOCK),
    (24, 80, "C", LINK),
    (60, 80, "C", ASCII),
    (0, 0, "C", LINK),
])
def test_terminals(stack, rows, columns, locale, first):
    """D2: what a terminal cannot show is left out, the link is there."""
    assert on_terminal(stack, rows, columns, locale) == first


def test_terminal_behind_ssh_is_not_ours(stack):
    assert on_terminal(stack, 24, 20, "C", "--tty", "ssh") == BLOCK
