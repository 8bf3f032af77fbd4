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
    stack.play("wait OK", f"setting present {setting}", "rings 1")
    result = stack.run("--tty", tty)
    assert [e["event"] for e in result.events
            if e["event"] in ("info", "prompt", "error") and
            "Approved" not in e["text"]] == kinds
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


def test_silent_hides_nothing(stack):
    """sudo sets it; and who approved must be seen all the same (UX-10)."""
    challenge, granted = stack.run("--flags", "silent").texts("info")
    assert LINK in challenge and BLOCK in challenge
    assert granted.startswith("Approved by ")


def test_texts_that_cannot_be_shown(stack):
    """An approval is not lost because its good news cannot be told."""
    stack.play("wait OK", "setting present none", "rings 1")
    assert stack.run("--conv", "error").code == "PAM_SUCCESS"
    stack.play("wait OK")
    assert stack.run("--conv", "error").code == "PAM_CONV_ERR"


# --- a phone that rings ------------------------------------------------------

WIDEST = "No phone rings: " + "x" * 63
ROOM = {"ssh": 23, "sudo": 22}


def both(stack):
    """The challenge behind sshd, and on a terminal of this host."""
    prompt, = ssh(stack).texts("prompt")
    return {"ssh": prompt, "sudo": stack.run("--tty", "t").texts("info")[0]}


@pytest.mark.parametrize("seconds", [1, 90, 300])
def test_digits_stand_beside_the_code(stack, seconds):
    """In two groups, in place of the usual line, and nothing grows."""
    stack.play("wait OK", "digits 012345", "rings 2", f"seconds {seconds}")
    for program, text in both(stack).items():
        lines = text.split("\n")
        assert lines[20:22] == [LINK, (
            "Scan the code, or type 012 345 on the phone that asks, within "
            f"{seconds} seconds.")]
        assert len(lines) == ROOM[program]
        assert all(len(line) < 80 for line in lines)


def test_digits_without_a_drawing(stack):
    stack.play("wait OK", "digits 000000", "seconds 300", "setting qr off")
    for text in both(stack).values():
        line = text.split("\n")[2]
        assert line == ("Open this link, or type 000 000 on the phone that "
                        "asks, within 300 seconds.")
        assert len(line) < 80


def test_digits_are_drawn_again(stack):
    stack.play("wait OK", "digits 123456", "rings 1")
    prompts = ssh(stack, "a", "a", "").texts("prompt")
    assert len(prompts) == 3
    assert all("123 456" in text for text in prompts)


@pytest.mark.parametrize("rings", [0, 1])
def test_a_tap_needs_no_digits(stack, rings):
    """Nothing to type; said also where no phone could be reached."""
    stack.play("wait OK", f"rings {rings}")
    for text in both(stack).values():
        assert text.split("\n")[21] == (
            "Scan the code, or approve on the phone that asks, within 90 "
            "seconds.")


def test_why_no_phone_rings(stack):
    """Above the code, where it costs no line; sshd's word goes before it."""
    stack.play("wait OK", f"note {WIDEST}")
    for program, text in both(stack).items():
        lines = text.split("\n")
        assert lines[0] == WIDEST and lines[1:20] == [BLOCK] * 19
        assert lines[21].startswith("Scan the code or open the link")
        assert len(lines) == ROOM[program]


@pytest.mark.parametrize("error", ["PROOF_CODE", "LIMIT"])
def test_wrong_digits(stack, error):
    stack.play(f"wait {error}", "digits 123456", "rings 1")
    told, = stack.run("--tty", "t").texts("error")
    assert "wrong" in told or "not valid" in told
    assert "123" not in told


# --- nothing is shown --------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--flags", "silent"]])
def test_none_is_no_conversation(stack, options):
    """UX: scp, rsync and git would take a word for an answer."""
    stack.play("wait OK", "setting present none", "rings 1", "left 2")
    result = stack.run("--tty", "ssh", *options, service="sshd")
    assert result.code == "PAM_SUCCESS"
    assert result.seen() == []


@pytest.mark.parametrize("lines", [[], ["rings -1"], ["note Not now."]])
def test_none_and_no_phone_rings(stack, lines):
    """Nobody could answer, so nobody waits."""
    stack.play("wait OK", "setting present none", *lines)
    result = stack.run("--tty", "ssh", service="sshd")
    assert result.code == "PAM_MAXTRIES"
    assert result.field("reason") == "NOBODY_ASKED"
    assert result.seen() == []
    assert result.calls() == ["begin", "free"]


@pytest.mark.parametrize("error,code", [
    ("EXPIRED", "PAM_MAXTRIES"), ("DENIED", "PAM_MAXTRIES"),
    ("INTERRUPTED", "PAM_MAXTRIES"), ("SERVICE", "PAM_AUTHINFO_UNAVAIL")])
def test_none_asks_once(stack, error, code):
    """TX-7: ssh tries again by itself, where nobody has to type anything."""
    stack.play(f"wait {error}", "setting present none", "rings 1")
    result = stack.run("--tty", "ssh", service="sshd")
    assert result.code == code
    assert result.field("reason") == error
    assert len(result.texts("error")) == 1


def test_none_still_lets_the_policy_decide(stack):
    stack.play("begin EXEMPT", "setting present none")
    assert "event=auth_ignore" in stack.run().log


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
