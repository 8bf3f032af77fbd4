# SPDX-License-Identifier: BSD-2-Clause
"""The module as a guest in somebody else's process."""
import pytest

import pamrun


@pytest.fixture(name="stack")
def make_stack():
    with pamrun.Stack() as stack:
        yield stack.play("wait OK")


@pytest.mark.parametrize("call,kind", [
    ("account", "account"), ("open-session", "session"),
    ("close-session", "session"), ("chauthtok", "password")])
def test_other_stacks_fail(stack, call, kind):
    """C2"""
    stack.service("test", stack.line().replace("auth", kind, 1))
    result = stack.run("--calls", call)
    assert result.status == 1
    assert result.texts("result") != ["PAM_SUCCESS"]
    assert result.asked == 0


def test_setcred(stack):
    result = stack.run("--calls", "setcred")
    assert result.texts("result") == ["PAM_SUCCESS"]
    assert result.asked == 0


@pytest.mark.parametrize("play,code", [
    ("wait OK", "PAM_SUCCESS"), ("wait DENIED", "PAM_MAXTRIES"),
    ("begin SERVICE", "PAM_AUTHINFO_UNAVAIL"),
    ("load CONFIG", "PAM_AUTHINFO_UNAVAIL")])
def test_process_is_left_as_found(stack, play, code):
    """C8, PAM-8: loaded and unloaded again, with nothing left behind."""
    stack.play(play)
    result = stack.run("--hygiene", "--rounds", "300")
    assert result.code == code
    assert result.texts("hygiene") == ["same"]
    assert len(result.texts("result")) >= 300


@pytest.mark.parametrize("option,words", [
    ("nullok", 'unknown option \\x22nullok\\x22'),
    ("debug debug", 'repeated option \\x22debug\\x22'),
    ("config=", 'repeated option \\x22config=\\x22'),
    ("fail_open verbose", 'unknown option \\x22verbose\\x22'),
])
def test_bad_options(stack, option, words):
    """PAM-4, C6: one line in the log that names all, and no question."""
    stack.service("test", stack.line(options=option))
    result = stack.run()
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "OPTIONS"
    assert words in result.log
    assert result.record == []


def test_missing_config(stack):
    stack.service("test",
                  f"auth required {pamrun.MODULE} config=/nonexistent/x")
    result = stack.run()
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "FILE"


def test_debug(stack):
    """Off: exactly one line.  On: what the library says, too."""
    assert len(stack.run().texts("log")) == 1
    stack.service("test", stack.line(options="debug"))
    lines = stack.run().texts("log")
    assert len(lines) == 2 and any("fake library" in t for t in lines)


@pytest.mark.parametrize("change", [
    ("--new-user", "nobody"), ("--new-service", "sshd")])
@pytest.mark.parametrize("flags", [[], ["--flags", "silent"]])
def test_changed_meanwhile(stack, change, flags):
    """C3, PAM-5: whoever was asked about must be who gets in."""
    result = stack.run(*change, *flags)
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "CHANGED"
    assert "wait OK" not in result.record


def test_changed_by_the_last_message(stack):
    """The message of success is a conversation as well."""
    stack.play("wait OK")
    result = stack.run("--new-user", "nobody", "--change-at", "2")
    assert "wait OK" in result.record
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "CHANGED"


@pytest.mark.parametrize("user", ["", None])
def test_no_user(stack, user):
    """NULL makes PAM ask for a name; an empty answer is none."""
    result = stack.run(user=user)
    assert result.code == "PAM_CONV_ERR"
    assert result.field("reason") == "NO_USER"
    assert result.asked == 0


@pytest.mark.parametrize("play", ["wait DENIED", "wait EXPIRED",
                                  "begin SERVICE", "begin UNENROLLED"])
def test_refused_once_is_enough(stack, play):
    """TX-7: sudo tries three times; the phone is asked once."""
    stack.play(play)
    result = stack.run("--calls", "authenticate,authenticate,authenticate",
                       "--keep-going")
    codes = result.texts("result")
    assert len(codes) == 3 and len(set(codes)) == 1
    assert codes[0] != "PAM_SUCCESS"
    assert result.asked == 1
    assert len(result.texts("error")) == 1
    assert "reason=AGAIN" in result.texts("log")[-1]


def test_another_user_of_the_same_handle_is_asked(stack):
    """As login(1) does after a failure; here the last message changes it."""
    stack.play("wait DENIED", "setting present none", "rings 1")
    result = stack.run("--calls", "authenticate,authenticate,authenticate",
                       "--keep-going", "--new-user", "nobody")
    assert [line for line in result.record if line.startswith("user=")] == [
        f"user={pamrun.USER}", "user=nobody"]


def test_unknown_names_are_not_logged(stack):
    """AUD-3: it may be a password."""
    for play in ("begin UNKNOWN_USER", "wait EXPIRED", "load CONFIG",
                 "wait DENIED"):
        stack.play(play, "why there is no account hunter2")
        result = stack.run("--rhost", "192.0.2.1", user="hunter2")
        assert "hunter2" not in result.log
        assert result.field("user") is None
        assert result.field("rhost") == "192.0.2.1"
        known = stack.run()
        assert known.field("user") == pamrun.USER
        assert known.field("why") == "there is no account hunter2"


def test_log_line_cannot_be_forged(stack):
    stack.play("wait OK", 'device x" event=y')
    result = stack.run("--rhost", 'a" event=auth_grant\nb\x1b[2J\u202e',
                       "--tty", "t" * 5000)
    assert 'rhost="a\\x22 event=auth_grant\\x0ab\\x1b[2J\\xe2' in result.log
    assert 'device="x\\x22 event=y"' in result.log
    assert all(0x20 <= ord(c) < 0x7f for c in result.log)
    assert len(result.log) < 2000


def test_hostile_conversations(stack):
    """C4"""
    stack.play("wait OK", "setting present prompt")
    for kind in ("null", "error", "dirty", "again", "eof", "blind", "long",
                 "huge", "null-answer", "wrong-count"):
        result = stack.run("--conv", kind, "--hygiene")
        assert result.code == "PAM_CONV_ERR", kind
        assert result.field("reason") == "CONVERSATION"
        assert "wait OK" not in result.record
        assert result.record[-1] == "free"
        assert result.texts("hygiene") == ["same"]
    assert stack.run("--conv", "chatty").code == "PAM_SUCCESS"


def test_password_method_of_sshd_is_named(stack):
    stack.play("wait OK")
    result = stack.run("--conv", "blind", "--tty", "ssh", service="sshd")
    assert result.code == "PAM_CONV_ERR"
    assert "KbdInteractiveAuthentication" in result.field("why")


def test_interrupt(stack):
    """Ctrl-C where the program blocks it, as sudo does."""
    stack.play("wait AGAIN", "ready -1")
    result = stack.run("--interrupt", "200", "--hygiene")
    assert result.code == "PAM_AUTH_ERR"
    assert result.field("reason") == "INTERRUPTED"
    assert 150 < result.milliseconds < 3000
    assert result.record[-1] == "free"
    assert result.texts("pending") == ["SIGINT"]
    assert result.texts("hygiene") == ["same"]
    assert not result.texts("delay")
