# SPDX-License-Identifier: BSD-2-Clause
"""Recovery codes where people type them: real sshd, sudo and su."""
import contextlib
import re
import shutil
import time
from pathlib import Path

import codes
import private
import pytest
from codes import ASK, WRONG
from machine import (Session, anybodys, as_user, couriers, environment, ssh,
                     until)
from service import Later, wait_until

MS_REMOUNT, MS_RDONLY, MNT_DETACH = 0x20, 0x1, 2
BAD = "aaaa-bbbb-cccc-dddd-eeee-ffff"
LIFETIME = 90  # of a question, where nothing else is configured


@pytest.fixture(autouse=True)
def server(sshd):
    return sshd


@pytest.fixture(scope="session")
def issued(rig, phones):
    """alice's and bob's; each case takes what it needs."""
    return {name: codes.make(rig, name) for name in ("alice", "bob")}


@pytest.fixture
def take(rig, issued):
    def one(user="alice"):
        if not issued[user]:
            issued[user] = codes.make(rig, user)
        return issued[user].pop()
    return one


def sudo(*arguments, user="alice", **keywords):
    return Session(as_user(user, "/usr/bin/sudo", "-k", *arguments),
                   environment(user), **keywords)


def su(*arguments, user="alice"):
    return Session(as_user(user, "/usr/bin/su", *arguments),
                   environment(user))


def last_event(rig):
    record = rig.audit()[-1]
    return record["event"], record["result"], record["reason"]


# --- at the ssh prompt -------------------------------------------------------


def test_code_at_the_prompt(rig, log, take):
    """The question that waited is cancelled at the service."""
    login = ssh("alice")
    link = login.link()
    login.wait_for("or type a recovery code: ")
    since = len(log.lines)
    login.enter(take())
    assert login.end() == 0
    assert "logged in as alice" in login.text
    assert re.search(r"\d recovery codes are left\.", login.text)
    until(lambda: rig.cancelled(link), what="the cancelling")
    assert last_event(rig) == ("recovery", "granted", "OK")
    line = log.wait("method=recovery", since=since)
    assert "event=auth_grant" in line and "user=alice" in line
    assert re.search(r"method=recovery codes_left=\d ", line)
    assert line.count("device=") == 0


def test_code_in_other_clothes(take):
    login = ssh("alice")
    login.link()
    login.enter(take().upper().replace("-", " "))
    assert login.end() == 0


def test_code_works_once(rig, take):
    code = take()
    login = ssh("alice")
    login.link()
    login.enter(code)
    assert login.end() == 0
    login = ssh("alice", options=("NumberOfPasswordPrompts=1",))
    login.link()
    login.enter(code)
    login.wait_for(ASK)
    assert WRONG in login.text
    login.enter()
    assert login.end() == 255
    assert "logged in" not in login.text
    assert last_event(rig) == ("recovery", "refused", "RECOVERY")


def test_code_of_another_user(rig, take):
    """It opens nothing, and its owner can still use it."""
    bobs = take("bob")
    login = ssh("alice")
    login.link()
    login.enter(bobs)
    login.wait_for(ASK)
    login.enter(take())
    assert login.end() == 0
    assert codes.use(rig, "bob", bobs, service="sshd").end() == "PAM_SUCCESS"


def test_three_wrong_codes_end_the_connection(rig):
    before = len(rig.audit())
    login = ssh("alice")
    login.link()
    login.enter(BAD)
    for _ in range(2):
        login.wait_for(ASK)
        login.text = ""
        login.enter(BAD)
    assert login.end() == 255
    assert login.links() == 0
    assert [record["result"] for record in rig.audit()[before:]
            if record["event"] == "recovery"] == ["refused"] * 3


def test_no_codes_by_policy(rig, phones, take):
    code, before = take(), len(rig.audit())
    with rig.settings(recovery="no"):
        login = ssh("alice")
        link = login.link()
        assert "recovery code" not in login.text
        login.enter(code)
        phones["alice"].deny(link)
        assert login.end() == 255
        assert "recovery code" not in login.text
    assert not [r for r in rig.audit()[before:] if r["event"] == "recovery"]
    # It was not used up by that.
    assert codes.use(rig, "alice", code, service="sshd").end() == \
        "PAM_SUCCESS"


def test_new_codes_end_the_old_ones(rig, issued):
    old = issued["bob"].pop()
    issued["bob"] = codes.make(rig, "bob")
    login = codes.use(rig, "bob", old, "", service="sshd")
    assert login.end() == "PAM_AUTH_ERR"
    assert WRONG in login.text


# --- while nothing else works ------------------------------------------------


def test_ssh_while_the_service_is_away(rig, take):
    with rig.service_down():
        login = ssh("alice")
        login.wait_for(ASK)
        assert "approval service cannot be reached" in login.text
        login.enter(take())
        assert login.end() == 0
    assert login.links() == 0
    assert "logged in as alice" in login.text


def test_sudo_while_the_service_is_away(rig, take):
    with rig.service_down():
        session = sudo("/usr/bin/id", "-un")
        session.wait_for(ASK)
        session.enter(take())
        assert session.end() == 0
    assert session.text.splitlines()[-1].strip() == "root"


def test_su_while_the_service_is_away(rig, take):
    """The code of the account that is entered."""
    with rig.service_down():
        session = su("bob", "-c", "id -un")
        session.wait_for(ASK)
        session.enter(take("alice"))
        # What is typed before the prompt is thrown away.
        session.wait_for(f"(?s){WRONG}.*{ASK}")
        session.enter(take("bob"))
        assert session.end() == 0
    assert session.text.splitlines()[-1].strip() == "bob"


def test_giving_up_while_the_service_is_away(rig):
    """sudo repeats by itself; Enter once is enough."""
    with rig.service_down():
        session = sudo("/usr/bin/id", "-un")
        session.wait_for(ASK)
        session.enter()
        assert session.end() == 1
    assert len(re.findall(ASK, session.text)) == 1
    assert session.text.count("cannot be reached") == 1


def test_sudo_n_and_no_terminal_ask_nothing(rig, take):
    """With a code at hand, and nobody to ask for it."""
    before = len(rig.audit())
    with rig.service_down():
        session = sudo("-n", "/usr/bin/id", "-un")
        assert session.end() == 1
        assert not re.search(ASK, session.text)
        login = codes.use(rig, "alice", take(), options=("--tty", ""))
        assert login.end() == "PAM_AUTHINFO_UNAVAIL"
    assert not [r for r in rig.audit()[before:] if r["event"] == "recovery"]


def test_never_after_a_denial(rig, phones, take):
    session = sudo("/usr/bin/id", "-un")
    phones["alice"].deny(session.link())
    session.enter(take())
    assert session.end() == 1
    assert not re.search(ASK, session.text)


# --- Ctrl-\ ------------------------------------------------------------------


def test_quit_in_sudo_leads_to_the_prompt(rig, take):
    session = sudo("/usr/bin/id", "-un")
    link = session.link()
    session.wait_for(r"Ctrl-\\ and then a recovery code")
    session.child.send("\x1c")
    session.wait_for(ASK)
    until(lambda: not couriers(), 2, "the courier's end")
    until(lambda: rig.cancelled(link), what="the cancelling")
    session.enter(take())
    assert session.end() == 0
    assert session.text.splitlines()[-1].strip() == "root"
    assert session.links() == 1


def test_quit_and_wrong_codes(rig, take):
    session = sudo("/usr/bin/id", "-un")
    session.link()
    session.child.send("\x1c")
    session.wait_for(ASK)
    session.enter(BAD)
    session.wait_for(f"(?s){WRONG}.*{ASK}")
    session.enter(take())
    assert session.end() == 0


def test_quit_and_giving_up(rig):
    session = sudo("/usr/bin/id", "-un")
    session.link()
    session.child.send("\x1c")
    session.wait_for(ASK)
    session.enter()
    assert session.end() == 1
    assert len(re.findall(ASK, session.text)) == 1
    assert "root" not in session.text.splitlines()


def test_interrupt_at_the_code_prompt(rig):
    session = sudo("/usr/bin/id", "-un")
    session.link()
    session.child.send("\x1c")
    session.wait_for(ASK)
    session.child.send("\x03")
    assert session.end(5) != 0
    assert "root" not in session.text.splitlines()


# --- two at once -------------------------------------------------------------


def test_two_logins_race_for_one_code(take):
    code = take()
    logins = [ssh("alice"), ssh("alice")]
    for login in logins:
        login.link()
    for login in logins:
        login.enter(code)

    def outcome(login):
        login.wait_for(f"logged in as alice|{WRONG}")
        if WRONG in login.text:
            login.wait_for(ASK)
            login.kill()
            return False
        return login.end() == 0

    won = [Later(lambda login=login: outcome(login)) for login in logins]
    assert sorted(w.result() for w in won) == [False, True]


@pytest.mark.parametrize("round_", range(3))
def test_eight_processes_race_for_one_code(rig, take, round_):
    code = take()
    before = len(rig.audit())
    logins = [codes.use(rig, "alice", code, "", service="sshd")
              for _ in range(8)]
    ends = [login.end() for login in logins]
    assert sorted(ends) == ["PAM_AUTH_ERR"] * 7 + ["PAM_SUCCESS"]
    results = [r["result"] for r in rig.audit()[before:]
               if r["event"] == "recovery"]
    assert sorted(results) == ["granted"] + ["refused"] * 7


# --- a disk that takes nothing -----------------------------------------------


@contextlib.contextmanager
def on_small_disk(folder):
    """folder, with what is in it, on a file system of its own."""
    copy = Path("/run/copy")
    shutil.copytree(folder, copy)
    private.mount("tmpfs", folder, "tmpfs", 0, "mode=0755,size=256k")
    shutil.copytree(copy, folder, dirs_exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(copy)
        shutil.copytree(folder, copy)
        assert private.libc.umount2(str(folder).encode(), MNT_DETACH) == 0
        shutil.rmtree(folder)
        shutil.copytree(copy, folder)
        shutil.rmtree(copy)


@contextlib.contextmanager
def full(folder):
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def read_only(folder):
    def remount(flags):
        private.mount(None, folder, None, MS_REMOUNT | flags)
    remount(MS_RDONLY)
    try:
        yield
    finally:
        remount(0)


@pytest.mark.parametrize("trouble", [full, read_only])
def test_disk_that_takes_nothing(rig, take, trouble):
    """Closed, and the code is as good as before once there is room."""
    state = rig.folder / "state"
    code = take()
    with on_small_disk(state):
        with trouble(state):
            for service in ("sshd", "login"):
                with rig.service_down():
                    login = codes.use(rig, "alice", code, service=service)
                    assert login.end() == "PAM_AUTHINFO_UNAVAIL", login.text
                assert "not working on this host" in login.text
        assert codes.use(rig, "alice", code, service="sshd").end() == \
            "PAM_SUCCESS"
        assert codes.use(rig, "alice", code, "", service="sshd").end() == \
            "PAM_AUTH_ERR"
    # And what was used up there stays used up.
    assert codes.use(rig, "alice", code, "", service="sshd").end() == \
        "PAM_AUTH_ERR"


def test_audit_that_takes_nothing(rig, take):
    """AUD-2: no grant without its record."""
    audit = Path("/run/audit")
    audit.mkdir()
    private.mount("tmpfs", audit, "tmpfs", 0, "mode=0755,size=64k")
    with full(audit), rig.settings(audit_file=audit / "log"):
        login = codes.use(rig, "alice", take(), service="sshd")
        assert login.end() == "PAM_AUTHINFO_UNAVAIL"
    private.libc.umount2(str(audit).encode(), MNT_DETACH)


# --- what strangers can see (RL-7) -------------------------------------------


@pytest.mark.parametrize("first", [BAD, BAD.replace("-", ""), "x" * 40])
def test_everybody_reads_the_same(first):
    """With codes, without a phone, and without an account."""
    texts = []
    for user in ("alice", "carol", "mallory"):
        login = ssh(user, options=("NumberOfPasswordPrompts=1",))
        login.link()
        login.enter(first)
        login.wait_for(ASK)
        login.enter("hunter2")
        login.wait_for(f"(?s){WRONG}.*{WRONG}.*{ASK}")
        login.enter()
        assert login.end() == 255
        texts.append(anybodys(login.text, LIFETIME))
    assert texts[0] == texts[1] == texts[2]


def test_keys_do_not_tell_either():
    """For an account that is none sshd invents what was typed."""
    texts = []
    for user in ("alice", "carol", "mallory"):
        login = ssh(user)
        login.link()
        for number in (2, 3):
            login.enter("a")
            login.wait_for("(?s)" + "Press Enter.*" * number + ": ")
        login.kill()
        texts.append(anybodys(login.text, LIFETIME))
    assert texts[0] == texts[1] == texts[2]


def test_everybody_waits_the_same(rig):
    """
    A wrong code's time, within 50 ms: the least of each user's.  Load only
    adds to a time, now to one and then to another; what an account itself
    costs is in its least one as well.
    """
    times = {user: [] for user in ("alice", "carol", "mallory")}
    for _ in range(15):
        for user, list_ in times.items():
            login = codes.use(rig, user, BAD, "", service="sshd")
            assert login.end() in ("PAM_AUTH_ERR", "PAM_USER_UNKNOWN")
            list_.append(next(e["ms"] for e in login.events
                              if e["event"] == "result"))
    least = [min(list_) for list_ in times.values()]
    assert max(least) - min(least) < 50, times


# --- running out -------------------------------------------------------------


def test_last_codes_are_counted(rig, phones):
    """Last in this file: it leaves alice without codes."""
    fresh = codes.make(rig, "alice")

    def by_phone():
        login = rig.login("alice", service="sudo")
        phones["alice"].approve(login.link())
        assert login.end() == "PAM_SUCCESS"
        return login.text

    assert "recovery code" not in by_phone().split("Approved")[1]
    for left, code in zip(range(9, -1, -1), fresh):
        login = codes.use(rig, "alice", code, service="sshd")
        assert login.end() == "PAM_SUCCESS"
        assert ("No recovery code is left" if left == 0 else
                f"{left} recovery code") in login.text
        if left == 3:
            assert "3 recovery codes are left." in by_phone()
        used = [r for r in rig.audit() if r["event"] == "recovery"][-1]
        assert used["codesLeft"] == left
    # News is told once, to whoever does not log in twice in one second.
    used = int(time.time())
    wait_until(lambda: int(time.time()) > used)
    assert "No recovery code is left" in by_phone()
    assert "ecovery code" not in by_phone().split("Approved")[1]
