# SPDX-License-Identifier: BSD-2-Clause
"""C1: every outcome of the library, through the real PAM."""
import os
import re

import pytest

import pamrun

GRANTED = pamrun.verdict("GRANTED")
REFUSED = pamrun.verdict("REFUSED")
ERRORS = pamrun.errors()


@pytest.fixture(name="stack")
def make_stack():
    with pamrun.Stack() as stack:
        yield stack


def manual():
    """The table of pam_countersign(8): {outcome: PAM code}."""
    path = os.path.join(pamrun.SOURCE, "man/pam_countersign.8")
    with open(path, encoding="utf-8") as file:
        section = file.read().split(".Sh RETURN CODES")[1].split(".Sh ")[0]
    table = {}
    for item in section.split(".It Dv ")[1:]:
        code, text = item.split("\n", 1)
        outcomes = re.search(r"^Outcomes:\n((?:\.Dv .*\n)+)", text, re.M)
        for name in re.findall(r"[A-Z_]+[A-Z*]",
                               outcomes.group(1) if outcomes else ""):
            assert name not in table, name
            table[name] = code
    return table


MANUAL = manual()


def expected(error, call):
    if error == "EXEMPT" and call == "begin":
        return "PAM_IGNORE"
    return MANUAL.get(error) or MANUAL[error.split("_")[0] + "_*"]


def test_the_manual_lists_every_outcome():
    grouped = {name[:-1] for name in MANUAL if name.endswith("*")}
    listed = {name for name in MANUAL if not name.endswith("*")}
    assert listed | {error for error in ERRORS if error.startswith(
        tuple(grouped))} == set(ERRORS)
    assert not {"PAM_SUCCESS", "PAM_IGNORE"} & set(MANUAL.values())


def test_the_header_lists_errors():
    assert len(ERRORS) > 40 and "DENIED" in ERRORS and "NOMEM" in ERRORS


@pytest.mark.parametrize("call", ["load", "begin", "wait"])
def test_every_outcome(stack, call):
    """required: its own code.  sufficient: never in, whatever it was."""
    stack.service("sufficient", stack.line("sufficient"),
                  "auth required pam_deny.so")
    stack.service("ignorable", "auth required pam_permit.so", stack.line())
    for error in ERRORS:
        if call == "wait" and error == "AGAIN":
            continue  # not an outcome
        stack.play(f"{call} {error}")
        want = expected(error, call)
        result = stack.run()
        if want == "PAM_IGNORE":
            # Alone in the stack an ignored module is no success.
            assert result.code == "PAM_PERM_DENIED", (error, result.events)
            assert stack.run(service="ignorable").code == "PAM_SUCCESS"
            assert result.field("event") == "auth_ignore"
        else:
            assert result.code == want, (error, result.events)
            assert stack.run(service="ignorable").code == want, error
            assert result.field("code") == want
            assert result.field("event") == (
                "auth_deny" if want in ("PAM_MAXTRIES", "PAM_AUTH_ERR",
                                        "PAM_USER_UNKNOWN")
                else "auth_trouble"), error
        assert result.field("reason") == error
        assert stack.run(service="sufficient").code == "PAM_AUTH_ERR", error
        assert not result.texts("info") or call == "wait"


def test_grant(stack):
    stack.play("wait AGAIN", "wait AGAIN", "wait OK", "device Pixel 7")
    stack.service("sufficient", stack.line("sufficient"),
                  "auth required pam_deny.so")
    for service in ("test", "sufficient"):
        result = stack.run(service=service)
        assert result.code == "PAM_SUCCESS"
        assert result.texts("info")[-1] == "Approved by Pixel 7."
        assert result.field("event") == "auth_grant"
        assert result.field("method") == "phone"
        assert result.field("device") == "Pixel 7"
        assert result.record[-1] == "free"
        assert not result.texts("delay")


def test_only_the_whole_verdict_grants(stack):
    """SIG-6: CSIGN_OK with any other word is no yes."""
    words = [0, 1, REFUSED, 0xffffffff]
    words += [GRANTED ^ (1 << bit) for bit in range(32)]
    for word in words:
        stack.play(f"wait OK {word:#x}")
        result = stack.run()
        assert result.code == "PAM_AUTHINFO_UNAVAIL", hex(word)
        assert result.field("event") == "auth_trouble"
    stack.play(f"wait OK {GRANTED:#x}")
    assert stack.run().code == "PAM_SUCCESS"


def test_library_that_never_ends(stack):
    """The module's own end, should the library forget its own."""
    stack.play("wait AGAIN", "ready -1", "seconds 0")
    result = stack.run()
    assert result.code == "PAM_AUTH_ERR"
    assert result.field("reason") == "EXPIRED"
    assert 1500 < result.milliseconds < 10000


@pytest.mark.parametrize("error,words", [
    ("DENIED", "Denied on the phone"),
    ("NOT_ME", "did not ask for this"),
    ("EXPIRED", "in time"),
    ("SERVICE", "cannot be reached, so nobody can approve now"),
    ("SERVICE_REFUSED", "refused this host"),
    ("PROOF_SIGNATURE", "not valid"),
    ("CONFIG", "not working on this host"),
    ("UNENROLLED", f"countersign enroll {pamrun.USER}"),
])
def test_people_are_told(stack, error, words):
    """And are told with PAM_SILENT too: they must know what to do."""
    stack.play(f"begin {error}")
    for flags in ([], ["--flags", "silent"]):
        texts = stack.run(*flags).texts("error")
        assert len(texts) == 1 and words in texts[0]
        assert len(texts[0]) < 160


def test_unknown_users_are_told_nothing(stack):
    stack.play("begin UNKNOWN_USER")
    result = stack.run(user="no-such-account")
    assert result.texts("error") == result.texts("info") == []


def test_questions_for_nobody_end_like_any_other(stack):
    """RL-7: what a person sees does not tell who has an account."""
    def seen(error, user):
        stack.play(f"wait {error}")
        result = stack.run("--tty", "ssh", service="sshd", user=user)
        return [e["text"] for e in result.events
                if e["event"] in ("prompt", "info", "error")]

    usual = seen("EXPIRED", pamrun.USER)
    assert len(usual) == 2
    assert seen("UNKNOWN_USER", "no-such-account") == usual
    assert seen("UNENROLLED", pamrun.USER) == usual


def test_failures_are_delayed_by_pam(stack):
    """RL-6, C5: two seconds asked for, none slept."""
    stack.play("wait DENIED")
    result = stack.run()
    assert result.milliseconds < 1000
    delay, = [int(text) for text in result.texts("delay")]
    assert 1_000_000 <= delay <= 3_000_000  # PAM varies it


def test_trouble_is_told_at_once(stack):
    """Who waits because the service is away has guessed nothing."""
    stack.play("begin SERVICE")
    result = stack.run()
    assert result.code == "PAM_AUTHINFO_UNAVAIL"
    assert not result.texts("delay")


def test_trouble_with_memory_in_the_conversation(stack):
    stack.play("wait NOMEM")
    assert stack.run().code == "PAM_BUF_ERR"
