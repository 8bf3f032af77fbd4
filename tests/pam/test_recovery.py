# SPDX-License-Identifier: BSD-2-Clause
"""Recovery codes at the module's prompts; RC-6, RL-7, PAM-3."""
import pytest

import pamrun

CODE, OTHER = ("abcd-efgh-ijkl-mnop-qrst-uvwx",
               "bbbb-efgh-ijkl-mnop-qrst-uvwx")
ON = "setting recovery yes"
PENDING = ("wait AGAIN", "ready -1", ON)
ASK = "Recovery code (Enter to give up): "
WRONG = "This recovery code is wrong or was used before."
# Where no phone could be asked, or none answered.
FOLLOWED = ["begin SERVICE", "begin SERVICE_REFUSED", "begin COURIER",
            "begin STATE", "begin DEVICES", "wait EXPIRED", "wait CANCELLED",
            "wait SERVICE", "wait UNKNOWN_USER", "wait UNENROLLED"]
GRANTED = pamrun.verdict("GRANTED")


@pytest.fixture(name="stack")
def make_stack():
    with pamrun.Stack() as stack:
        yield stack


def words(*answers):
    return [word for a in answers for word in ("--answer", a)]


def ssh(stack, *answers, options=(), **keywords):
    return stack.run("--tty", "ssh", *words(*answers), *options,
                     service="sshd", **keywords)


def local(stack, *answers, options=(), service="login", **keywords):
    return stack.run("--tty", "tty1", *words(*answers), *options,
                     service=service, **keywords)


def codes(result):
    """The codes that the library was shown."""
    return [line.split(" ", 1)[1] for line in result.record
            if line.startswith("code ")]


# --- at the prompt -----------------------------------------------------------


def test_prompt_offers_it(stack):
    """And still fits a terminal."""
    stack.play("wait OK", ON)
    prompt, = ssh(stack, "").texts("prompt")
    assert prompt.endswith(", or type a recovery code: ")
    assert len(prompt.split("\n")) == 23
    assert all(len(line) < 80 for line in prompt.split("\n"))
    stack.play("wait OK", "setting recovery no")
    assert "recovery" not in ssh(stack, "").texts("prompt")[0]


def test_code_at_the_prompt(stack):
    """The question is cancelled, and only then the code used up."""
    stack.play(*PENDING, "left 7")
    result = ssh(stack, CODE, options=["--hygiene"])
    assert result.code == "PAM_SUCCESS"
    assert result.calls() == ["begin", "free", "code"]
    assert codes(result) == [CODE]
    assert result.sent("user") == pamrun.USER
    assert result.texts("info") == ["7 recovery codes are left."]
    assert result.field("event") == "auth_grant"
    assert result.field("method") == "recovery"
    assert result.field("codes_left") == "7"
    assert result.field("device") is None
    assert CODE not in result.log
    assert result.texts("hygiene") == ["same"]
    assert not result.texts("delay")


def test_code_after_a_redraw(stack):
    stack.play(*PENDING)
    result = ssh(stack, "a", "i", CODE)
    assert result.code == "PAM_SUCCESS"
    assert len(result.texts("prompt")) == 3


@pytest.mark.parametrize("answer", [
    "", "yy", "hunter2", "x" * 23])
def test_anything_shorter_means_wait(stack, answer):
    stack.play("wait DENIED", ON)
    result = ssh(stack, answer)
    assert result.code == "PAM_MAXTRIES"
    assert codes(result) == []


def test_no_codes_by_policy(stack):
    """recovery = no: what is typed means "wait", like anything."""
    stack.play("wait DENIED", "setting recovery no")
    result = ssh(stack, CODE)
    assert result.code == "PAM_MAXTRIES" and codes(result) == []
    for play in FOLLOWED:
        stack.play(play, "setting recovery no")
        for result in (ssh(stack, "", CODE), local(stack, CODE)):
            assert ASK not in result.texts("prompt"), play
            assert codes(result) == [] and result.code != "PAM_SUCCESS"


@pytest.mark.parametrize("answer", [
    CODE[:-1], "x" * 24, "x" * 64, "x" * 511, "\b\n\r\x7fINCORRECT" * 2,
    CODE + "-aaaa"])
def test_length_makes_it_a_try(stack, answer):
    """
    sshd hands over other bytes for an account that is none: what is typed
    there must count in the same way (RL-7).
    """
    stack.play(*PENDING)
    result = ssh(stack, answer, "")
    assert result.code == "PAM_AUTH_ERR"
    assert result.texts("error") == [WRONG]
    assert len(codes(result)) == 1


def test_one_code_left_and_none(stack):
    for left, text in ((1, "1 recovery code is left."),
                       (0, "No recovery code is left; an administrator can "
                        "make new ones.")):
        stack.play(*PENDING, f"left {left}")
        assert ssh(stack, CODE).texts("info") == [text]


# --- wrong ones --------------------------------------------------------------


def test_wrong_then_right(stack):
    stack.play(*PENDING, "code RECOVERY", "code OK", "left 4")
    result = ssh(stack, CODE, OTHER)
    assert result.code == "PAM_SUCCESS"
    assert codes(result) == [CODE, OTHER]
    assert result.texts("error") == [WRONG]
    assert result.texts("prompt")[1:] == [ASK]


def test_three_wrong_ones_end_it(stack):
    """And for sshd the whole connection: PAM_MAXTRIES."""
    stack.play(*PENDING, "code RECOVERY")
    result = ssh(stack, CODE)
    assert result.code == "PAM_MAXTRIES"
    assert len(codes(result)) == 3 and len(result.texts("prompt")) == 3
    assert result.field("reason") == "LIMIT"
    assert result.field("stage") == "code"
    assert result.field("event") == "auth_deny"
    assert result.texts("delay")
    assert len(result.seen()) <= 8


def test_giving_up_after_a_wrong_one(stack):
    stack.play(*PENDING, "code RECOVERY")
    result = ssh(stack, CODE, "")
    assert result.code == "PAM_AUTH_ERR"
    assert result.field("reason") == "RECOVERY"
    assert result.texts("error") == [WRONG]
    assert result.texts("delay")


@pytest.mark.parametrize("error,code", [
    ("STATE", "PAM_AUTHINFO_UNAVAIL"), ("AUDIT", "PAM_AUTHINFO_UNAVAIL"),
    ("NOMEM", "PAM_BUF_ERR"), ("INTERNAL", "PAM_AUTHINFO_UNAVAIL"),
    ("INVALID", "PAM_AUTHINFO_UNAVAIL"), ("EXEMPT", "PAM_SYSTEM_ERR"),
    ("AGAIN", "PAM_SYSTEM_ERR"), ("ENROLL", "PAM_USER_UNKNOWN")])
def test_code_that_cannot_be_used_up(stack, error, code):
    """A full disk, for instance: then it does not count."""
    stack.play(*PENDING, f"code {error}")
    result = ssh(stack, CODE)
    assert result.code == code
    assert result.field("reason") == error
    assert len(codes(result)) == 1


def test_only_the_whole_verdict_grants(stack):
    """SIG-6"""
    for word in [0, 1, pamrun.verdict("REFUSED")] + [
            GRANTED ^ (1 << bit) for bit in range(0, 32, 5)]:
        stack.play(*PENDING, f"code OK {word:#x}")
        result = ssh(stack, CODE)
        assert result.code == "PAM_AUTHINFO_UNAVAIL", hex(word)
        assert result.field("event") == "auth_trouble"


def test_what_is_no_code_is_in_no_log(stack):
    """People type passwords at the wrong prompt (AUD-3)."""
    stack.play("begin SERVICE", ON)
    result = local(stack, "hunter2")
    assert result.code == "PAM_MAXTRIES"
    assert len(result.texts("prompt")) == 3
    assert not any("hunter2" in text for text in result.texts("log"))


# --- after trouble -----------------------------------------------------------


@pytest.mark.parametrize("play", FOLLOWED)
@pytest.mark.parametrize("way", [ssh, local])
def test_after_trouble(stack, play, way):
    """First what happened, then the prompt; the code gets in."""
    stack.play(play, ON, "left 5")
    before = [""] if play.startswith("wait") and way is ssh else []
    result = way(stack, *before, CODE)
    assert result.code == "PAM_SUCCESS"
    assert codes(result) == [CODE]
    assert result.texts("prompt")[-1] == ASK
    assert len(result.texts("error")) == 1
    assert result.field("method") == "recovery"
    assert not result.texts("delay")


@pytest.mark.parametrize("play", FOLLOWED)
def test_given_up_after_trouble(stack, play):
    """Then it ended as it would have without the prompt."""
    stack.play(play, "setting recovery no")
    plain = local(stack)
    stack.play(play, ON)
    result = local(stack, "")
    assert result.code == plain.code != "PAM_SUCCESS"
    assert result.log == plain.log
    assert result.texts("error") == plain.texts("error")
    assert result.texts("delay") == [] if "delay" not in [
        e["event"] for e in plain.events] else result.texts("delay")
    assert codes(result) == []


def test_never_after_a_no_or_another_error(stack):
    """TX-7, PAM-3: an error selects no other way in."""
    asked = []
    for error in pamrun.errors():
        for call in ("load", "begin", "wait"):
            play = f"{call} {error}"
            if play == "wait AGAIN" or play == "begin ENROLL":
                continue
            stack.play(play, ON)
            result = local(stack, CODE)
            if ASK in result.texts("prompt"):
                asked.append(play)
            else:
                assert result.code != "PAM_SUCCESS"
                assert codes(result) == []
    assert set(asked) == set(FOLLOWED) | {"wait COURIER",
                                          "wait SERVICE_REFUSED",
                                          "begin EXPIRED",
                                          "begin CANCELLED"}


@pytest.mark.parametrize("options,lines,service,argv", [
    ([], [], "cron", ()),
    (["--tty", ""], [], "ftp", ()),
    (["--tty", "tty1"], ["setting present none"], "login", ()),
    (["--tty", "ssh"], ["setting present none"], "sshd", ()),
    (["--tty", "pts/1"], [], "sudo", ("sudo", "-n", "id")),
    ([], [], "sudo", ("sudo", "id")),
])
def test_nobody_to_ask(stack, options, lines, service, argv):
    stack.play("begin SERVICE", ON, *lines)
    result = stack.run(*options, *words(CODE), service=service, argv=argv)
    assert result.code in ("PAM_AUTHINFO_UNAVAIL", "PAM_CONV_ERR")
    assert result.texts("prompt") == [] and codes(result) == []


def test_silence_is_for_chatter(stack):
    """sudo sets PAM_SILENT; a code must do."""
    stack.play("begin SERVICE", ON)
    result = local(stack, CODE, options=["--flags", "silent"])
    assert result.code == "PAM_SUCCESS"
    assert result.texts("info") == ["9 recovery codes are left."]


@pytest.mark.parametrize("kind", [
    "null", "error", "dirty", "again", "eof", "blind", "long", "huge",
    "null-answer", "wrong-count"])
def test_hostile_conversations(stack, kind):
    """C4: it ends as it had ended, and nothing is granted or used up."""
    stack.play("begin SERVICE", ON)
    result = local(stack, options=["--conv", kind, "--hygiene"])
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "SERVICE"
    assert codes(result) == []
    assert result.texts("hygiene") == ["same"]


# --- Ctrl-\ ------------------------------------------------------------------


def sudo(stack, *answers, options=()):
    return stack.run("--tty", "pts/1", *words(*answers), *options,
                     service="sudo", argv=("sudo", "id"))


def test_quit_leads_to_the_prompt(stack):
    """Where the program blocks SIGQUIT, as sudo does; it never sees it."""
    stack.play(*PENDING, "left 8")
    result = sudo(stack, CODE, options=["--quit", "200", "--hygiene"])
    assert result.code == "PAM_SUCCESS"
    assert 150 < result.milliseconds < 3000
    assert result.calls() == ["begin", "free", "code"]
    assert result.texts("pending") == ["nothing"]
    assert result.texts("hygiene") == ["same"]
    challenge = result.texts("info")[0]
    assert challenge.endswith("\nWithout your phone: Ctrl-\\ and then a "
                              "recovery code.")
    assert len(challenge.split("\n")) <= 24
    assert result.field("method") == "recovery"


def test_quit_and_giving_up(stack):
    stack.play(*PENDING)
    result = sudo(stack, "", options=["--quit", "200"])
    assert result.code == "PAM_AUTH_ERR"
    assert result.field("reason") == "INTERRUPTED"
    assert result.texts("prompt") == [ASK]
    assert not result.texts("delay")


def test_quit_stops_where_no_codes_are_taken(stack):
    stack.play("wait AGAIN", "ready -1", "setting recovery no")
    result = sudo(stack, CODE, options=["--quit", "200"])
    assert result.code == "PAM_AUTH_ERR"
    assert result.texts("pending") == ["SIGQUIT"]
    assert result.texts("prompt") == []
    assert "Ctrl" not in result.texts("info")[0]


def test_interrupt_still_stops(stack):
    stack.play(*PENDING)
    result = sudo(stack, CODE, options=["--interrupt", "200"])
    assert result.code == "PAM_AUTH_ERR"
    assert result.texts("pending") == ["SIGINT"]
    assert result.texts("prompt") == [] and codes(result) == []


def test_quit_is_not_offered_where_it_would_kill(stack):
    stack.play("wait OK", ON)
    assert "Ctrl" not in local(stack).texts("info")[0]


# --- who gets in (PAM-5) -----------------------------------------------------


@pytest.mark.parametrize("change", [
    ("--new-user", "nobody"), ("--new-service", "other")])
def test_changed_by_the_prompt_itself(stack, change):
    """No code is looked at for somebody else."""
    stack.play(*PENDING)
    for options in ([], ["--change-at", "1"]):
        result = ssh(stack, CODE, options=[*change, *options])
        assert result.code == "PAM_AUTHINFO_UNAVAIL"
        assert result.field("reason") == "CHANGED"
        assert codes(result) == []
    stack.play("begin SERVICE", ON)
    result = local(stack, CODE, options=[*change, "--change-at", "2"])
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "CHANGED"
    assert codes(result) == []


def test_changed_by_the_last_message(stack):
    stack.play("begin SERVICE", ON)
    result = local(stack, CODE, options=["--new-user", "nobody",
                                         "--change-at", "3"])
    assert codes(result) == [CODE]
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "CHANGED"


# --- more than one call ------------------------------------------------------

THREE = ["--calls", "authenticate,authenticate,authenticate", "--keep-going"]


def test_sudo_asks_once(stack):
    """It calls again by itself: giving up once is enough."""
    stack.play("begin SERVICE", ON)
    result = sudo(stack, "", CODE, options=THREE)
    assert result.texts("result") == ["PAM_AUTHINFO_UNAVAIL"] * 3
    assert result.texts("prompt") == [ASK]
    assert len(result.texts("error")) == 1 and result.asked == 1


def test_login_may_try_a_code_later(stack):
    """The name was typed again: no second question, but a code may do."""
    stack.play("wait EXPIRED", ON)
    result = local(stack, "", CODE, options=[
        "--calls", "authenticate,authenticate", "--keep-going"])
    assert result.texts("result") == ["PAM_AUTH_ERR", "PAM_SUCCESS"]
    assert result.asked == 1
    assert result.texts("prompt") == [ASK, ASK]
    stack.play("wait DENIED", ON)
    result = local(stack, CODE, options=THREE)
    assert result.texts("result") == ["PAM_MAXTRIES"] * 3
    assert result.texts("prompt") == []


def test_wrong_codes_count_over_all_calls(stack):
    stack.play("wait EXPIRED", "code RECOVERY", ON)
    result = local(stack, CODE, "", CODE, "", CODE, CODE, options=[
        "--calls", "authenticate,authenticate,authenticate,authenticate",
        "--keep-going"])
    assert len(codes(result)) == 3
    assert result.texts("result") == [
        "PAM_AUTH_ERR", "PAM_AUTH_ERR", "PAM_MAXTRIES", "PAM_MAXTRIES"]


def test_no_code_after_one_that_could_not_be_used_up(stack):
    """Something is broken; another try would be no better."""
    stack.play("wait EXPIRED", "code STATE", ON)
    result = local(stack, CODE, options=[
        "--calls", "authenticate,authenticate", "--keep-going"])
    assert result.texts("result") == ["PAM_AUTHINFO_UNAVAIL"] * 2
    assert len(codes(result)) == 1 and result.texts("prompt") == [ASK]


# --- the same for everybody (RL-7) -------------------------------------------


def test_prompts_do_not_tell_who_has_an_account(stack):
    def seen(play, user, *answers):
        stack.play(play, ON, "code RECOVERY")
        result = ssh(stack, *answers, user=user)
        return result.seen()

    for answers in ((CODE, OTHER, ""), ("", CODE, ""), ("", "")):
        usual = seen("wait EXPIRED", pamrun.USER, *answers)
        assert seen("wait UNKNOWN_USER", "no-such", *answers) == usual
        assert seen("wait UNENROLLED", pamrun.USER, *answers) == usual


# --- running out -------------------------------------------------------------


@pytest.mark.parametrize("left,words_", [
    (0, "No recovery code is left"), (1, "1 recovery code is left."),
    (9, "9 recovery codes are left."), (None, None)])
def test_normal_login_says_what_the_library_wants_said(stack, left, words_):
    lines = [] if left is None else [f"left {left}"]
    stack.play("wait OK", ON, *lines)
    granted, *more = local(stack).texts("info")[1:]
    assert granted.startswith("Approved by")
    assert len(more) == (words_ is not None)
    assert not more or more[0].startswith(words_)
    assert local(stack, options=["--flags", "silent"]).texts("info") == \
        local(stack).texts("info")
    stack.play("wait OK", "setting recovery no", *lines)
    assert len(local(stack).texts("info")) == 2
