# SPDX-License-Identifier: BSD-2-Clause
"""A phone enrolled inside a login, and one in place of a lost one; ENR."""
import pytest

import pamrun

PASSED = "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAAC3Nza\n"
CODE = "abcd-efgh-ijkl-mnop-qrst-uvwx"
FIRST = ("begin ENROLL", "wait OK", "setting recovery yes",
         "setting lifetime 90")
ASK_ID = "Does your phone show the same id? [y/N] "
NOTHING = "No phone was enrolled."
GRANTED = pamrun.verdict("GRANTED")
STEPS = ["enrol_begin SERVICE", "enrol_begin AUDIT", "enrol_wait EXPIRED",
         "enrol_wait DECLINED", "enrol_wait PROOF_CHALLENGE",
         "enrol_wait EXISTS", "enrol_wait NOMEM", "accept AUDIT",
         "test SERVICE", "wait DENIED", "wait EXPIRED", "wait LIMIT",
         "commit STATE", "commit AUDIT", "commit EXISTS"]


@pytest.fixture(name="stack")
def make_stack():
    with pamrun.Stack() as stack:
        yield stack


def words(*answers):
    return [word for a in answers for word in ("--answer", a)]


def ssh(stack, *answers, options=()):
    return stack.run("--tty", "ssh", "--env", PASSED, *words(*answers),
                     *options, service="sshd")


def local(stack, *answers, options=()):
    stack.service("login", stack.line(options="after_first_factor"))
    return stack.run("--tty", "tty1", *words(*answers), *options,
                     service="login")


def mended(*lines):
    """FIRST, with other lines for the same calls in front."""
    keys = {line.split(" ")[0] for line in lines}
    return [*lines, *[line for line in FIRST
                      if line.split(" ")[0] not in keys]]


def test_first_phone(stack):
    stack.play(*FIRST)
    result = ssh(stack, "", "y", "", options=["--hygiene"])
    assert result.code == "PAM_SUCCESS"
    assert result.sent("proven") == "yes"
    assert result.calls() == [
        "begin", "enrol_begin", "enrol_wait", "accept", "test", "commit",
        "enrol_free", "free"]
    assert f"enrol_begin {pamrun.USER} by {pamrun.USER}" in result.record
    assert "accept yes" in result.record
    # What the new phone grants is this login and nothing else.
    assert "test of the login" in result.record
    link, ask, login = result.texts("prompt")
    assert "ENROLENROL" in link and "to enrol it, within 180 sec" in link
    assert ask == ASK_ID
    assert "on the new phone" in login
    shown, granted = result.texts("info")
    assert "new phone" in shown and "abcd-efgh-ijkl-mnop" in shown
    assert granted == "Approved by new phone."
    assert result.field("event") == "auth_grant"
    assert result.field("method") == "enrolment"
    assert result.field("device") == "new phone"
    assert result.texts("hygiene") == ["same"]
    assert not result.texts("delay")


def test_prompts_fit_a_terminal(stack):
    stack.play(*mended("setting lifetime 300"))
    for text in ssh(stack, "", "y", "").seen():
        assert len(text.split("\n")) <= 24
        assert all(len(line) < 80 for line in text.split("\n"))
        assert all(c == "\n" or c >= " " for c in text)


def test_first_phone_on_a_local_terminal(stack):
    stack.play(*FIRST)
    result = local(stack, "y")
    assert result.code == "PAM_SUCCESS"
    assert result.texts("prompt") == [ASK_ID]
    assert len(result.texts("info")) == 4


def test_another_accounts_factor_proves_nothing(stack):
    """ENR-1: su has seen the password of whom it leads to, not alice's."""
    stack.play("wait OK", "setting identity ruser")
    stack.service("su", stack.line(options="after_first_factor"))
    for ruser, proven in (("alice", "no"), (pamrun.USER, "yes")):
        result = stack.run("--tty", "pts/3", "--ruser", ruser, service="su")
        assert result.sent("proven") == proven
        assert result.sent("unproven") == "no"


@pytest.mark.parametrize("lifetime,tty,seconds", [
    (30, "ssh", 60), (90, "ssh", 180), (300, "ssh", 600),
    (30, "tty1", 600)])
def test_time_that_there_is(stack, lifetime, tty, seconds):
    """sshd ends a login by itself; nobody else does."""
    stack.play(*FIRST[:3], f"setting lifetime {lifetime}")
    result = ssh(stack, "", "y", "") if tty == "ssh" else local(stack, "y")
    assert f"within {seconds} seconds" in result.seen()[0]


@pytest.mark.parametrize("answer", ["", "n", "no", "N", "yy", "ja", " y",
                                    "?", "y" * 100, CODE])
def test_id_that_is_not_confirmed(stack, answer):
    """ENR-5: only a yes is one."""
    stack.play(*FIRST)
    result = ssh(stack, "", answer, "")
    assert result.code == "PAM_MAXTRIES"
    assert result.field("reason") == "DECLINED"
    assert result.field("stage") == "enrol"
    assert result.calls() == ["begin", "enrol_begin", "enrol_wait", "accept",
                              "enrol_free"]
    assert "accept no" in result.record
    assert result.texts("error") == [NOTHING]


def test_yes_in_all_its_forms(stack):
    stack.play(*FIRST)
    for answer in ("y", "Y", "yes", "YES"):
        assert ssh(stack, "", answer, "").code == "PAM_SUCCESS"


@pytest.mark.parametrize("play", STEPS)
@pytest.mark.parametrize("way", [ssh, local])
def test_each_step_can_fail(stack, play, way):
    stack.play(*mended(play))
    result = way(stack, *[""] * (way is ssh), "y", "")
    error = play.split()[1]
    assert result.code not in ("PAM_SUCCESS", "PAM_IGNORE")
    assert result.field("reason") == error
    assert result.texts("error")[-1] == NOTHING
    assert len(result.texts("error")) == 2
    assert "commit" not in result.calls() or play.startswith("commit")
    assert result.calls()[-1] in ("enrol_free", "free", "enrol_begin")


def test_only_the_whole_verdict_enrols(stack):
    """SIG-6, ENR-6: without it nothing is written either."""
    for word in [0, 1, pamrun.verdict("REFUSED")] + [
            GRANTED ^ (1 << bit) for bit in range(0, 32, 7)]:
        stack.play(*mended(f"wait OK {word:#x}"))
        result = ssh(stack, "", "y", "")
        assert result.code == "PAM_AUTHINFO_UNAVAIL", hex(word)
        assert "commit" not in result.calls()


def test_recovery_codes_have_no_place_here(stack):
    stack.play(*FIRST)
    result = ssh(stack, CODE, "y", CODE)
    assert result.code == "PAM_SUCCESS"
    assert "code" not in result.calls()
    assert not any("recovery" in text for text in result.seen())


@pytest.mark.parametrize("options,lines", [
    (["--tty", "ssh"], ["setting present none"]),
    (["--tty", "tty1"], ["setting present none"]),
    ([], []), (["--tty", ""], [])])
def test_nobody_to_show_it_to(stack, options, lines):
    stack.play(*FIRST, *lines)
    result = stack.run(*options)
    assert result.code == "PAM_USER_UNKNOWN"
    assert result.calls() == ["begin"]
    assert "countersign enroll" in result.texts("error")[0]


@pytest.mark.parametrize("at", range(1, 6))
@pytest.mark.parametrize("change", [
    ("--new-user", "nobody"), ("--new-service", "other")])
def test_changed_meanwhile(stack, at, change):
    """PAM-5, at each message; and no device for somebody else."""
    stack.play(*FIRST)
    result = ssh(stack, "", "y", "",
                 options=[*change, "--change-at", str(at)])
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "CHANGED"
    assert ("commit" in result.calls()) == (at == 5)
    assert ("accept yes" in result.record) == (at > 3)


def test_interrupt(stack):
    stack.play(*mended("enrol_wait AGAIN", "enrol_ready -1"))
    result = local(stack, options=["--interrupt", "200", "--hygiene"])
    assert result.code == "PAM_AUTH_ERR"
    assert result.field("reason") == "INTERRUPTED"
    assert result.texts("pending") == ["SIGINT"]
    assert result.texts("hygiene") == ["same"]
    assert result.calls()[-1] == "enrol_free"


def test_quit_stops_too(stack):
    """Ctrl-\\ leads to codes, and an account without a phone has none."""
    stack.play(*mended("enrol_wait AGAIN", "enrol_ready -1"))
    result = local(stack, options=["--quit", "200"])
    assert result.code == "PAM_AUTH_ERR"
    assert result.texts("pending") == ["SIGQUIT"]


def test_offered_once_in_a_handle(stack):
    stack.play(*FIRST)
    result = local(stack, "n", options=[
        "--calls", "authenticate,authenticate", "--keep-going"])
    assert result.texts("result") == ["PAM_MAXTRIES"] * 2
    assert result.calls().count("enrol_begin") == 1


def test_hostile_name(stack):
    stack.play(*FIRST, "new abcdefghijklmnop a\x1b[2J\u009b" + "b" * 300)
    result = ssh(stack, "", "y", "")
    assert all(c == "\n" or c >= " " for t in result.seen() for c in t)
    assert max(len(t) for t in result.texts("info")) < 160


# --- in place of a lost one --------------------------------------------------

OLD, TAB = "had aaaabbbbccccdddd old phone", "had ddddccccbbbbaaaa tablet"
RESTORE = ("wait OK", "left 6", "setting recovery yes",
           "setting recovery_enroll yes")


def test_one_lost_phone(stack):
    """With one device there is nothing to choose."""
    stack.play(*RESTORE, OLD)
    result = ssh(stack, CODE, "y", "", "y", "")
    assert result.code == "PAM_SUCCESS"
    assert result.texts("prompt")[1] == (
        "Enrol a new phone now, in place of old phone? [y/N] ")
    assert "replace aaaabbbbccccdddd" in result.record
    assert "test of nothing" in result.record
    assert result.calls() == [
        "begin", "free", "code", "devices", "enrol_begin", "replace",
        "enrol_wait", "accept", "test", "commit", "enrol_free", "free"]
    assert result.field("method") == "recovery"
    assert result.field("codes_left") == "6"
    assert result.field("enrolment") == "OK"
    assert result.field("new_device") == "new phone"
    assert result.texts("info")[-1] == (
        "new phone is enrolled, and the lost one is revoked.")


@pytest.mark.parametrize("answers,replaced", [
    (["1"], "aaaabbbbccccdddd"), (["2"], "ddddccccbbbbaaaa"),
    ([""], None), (["3", "x", "2"], "ddddccccbbbbaaaa"), (["0", ], None)])
def test_one_of_several(stack, answers, replaced):
    stack.play(*RESTORE, OLD, TAB)
    result = ssh(stack, CODE, "y", *answers, "", "y", "")
    assert result.code == "PAM_SUCCESS"
    assert "commit" in result.calls()
    assert [line for line in result.record if line.startswith("replace")] == (
        [f"replace {replaced}"] if replaced else [])
    listed = next(t for t in result.texts("info") if "tablet" in t)
    assert "  1  old phone" in listed and "  2  tablet" in listed


def test_number_that_is_none(stack):
    stack.play(*RESTORE, OLD, TAB)
    result = ssh(stack, CODE, "y", "9")
    assert result.code == "PAM_SUCCESS"
    assert "enrol_begin" not in result.calls()


def test_no_phone_is_left(stack):
    """An administrator revoked it first."""
    stack.play(*RESTORE)
    result = ssh(stack, CODE, "y", "", "y", "")
    assert result.code == "PAM_SUCCESS"
    assert result.texts("prompt")[1] == "Enrol a new phone now? [y/N] "
    assert "commit" in result.calls() and "replace" not in result.calls()


@pytest.mark.parametrize("answer", ["", "n", "no", "x"])
def test_not_now(stack, answer):
    stack.play(*RESTORE, OLD)
    result = ssh(stack, CODE, answer)
    assert result.code == "PAM_SUCCESS"
    assert "enrol_begin" not in result.calls()
    assert result.field("enrolment") == "DECLINED"


@pytest.mark.parametrize("play", [*STEPS, "replace NOT_FOUND"])
def test_failed_enrolment_takes_nothing_back(stack, play):
    """The code has granted the login."""
    lines = [line for line in RESTORE if line.split()[0] != play.split()[0]]
    stack.play(play, *lines, OLD)
    result = ssh(stack, CODE, "y", "", "y", "")
    assert result.code == "PAM_SUCCESS"
    assert result.texts("error")[-1] == NOTHING
    assert result.field("enrolment") == play.split()[1]
    assert result.field("new_device") is None


def test_unconfirmed_id_takes_nothing_back(stack):
    stack.play(*RESTORE, OLD)
    result = ssh(stack, CODE, "y", "", "n")
    assert result.code == "PAM_SUCCESS"
    assert "accept no" in result.record and "commit" not in result.calls()
    assert result.field("enrolment") == "DECLINED"
    assert result.field("new_device") is None


def test_not_offered(stack):
    """Off, after a phone's yes, to a stranger, and while nothing works."""
    stack.play(*RESTORE[:3], OLD)
    assert "devices" not in ssh(stack, CODE, "y").calls()
    stack.play(*RESTORE[:3], "setting recovery_enroll no", OLD)
    assert "devices" not in ssh(stack, CODE, "y").calls()
    stack.play(*RESTORE, OLD)
    assert "devices" not in ssh(stack, "").calls()
    stranger = stack.run("--tty", "ssh", *words(CODE, "y"), service="sshd")
    assert stranger.code == "PAM_SUCCESS"
    assert "devices" not in stranger.calls()
    stack.play("begin SERVICE", *RESTORE, OLD)
    result = local(stack, CODE, "y")
    assert result.code == "PAM_SUCCESS" and "devices" not in result.calls()


def test_caller_on_this_host_needs_no_first_factor(stack):
    stack.play(*RESTORE, OLD, "setting present prompt")
    result = stack.run("--tty", "pts/1", *words(CODE, "y", "", "y", ""),
                       service="sudo", argv=("sudo", "id"))
    assert result.code == "PAM_SUCCESS" and "commit" in result.calls()


@pytest.mark.parametrize("at", range(1, 9))
def test_changed_while_it_is_restored(stack, at):
    stack.play(*RESTORE, OLD)
    result = ssh(stack, CODE, "y", "", "y", "",
                 options=["--new-user", "nobody", "--change-at", str(at)])
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert result.field("reason") == "CHANGED"
    assert ("enrol_begin" in result.calls()) == (at > 3)
    # The last message comes when the phone is enrolled.
    assert ("commit" in result.calls()) == (at == 8)
