#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many at once, and things that change meanwhile: one yes is one login."""
import contextlib
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

TOP = Path(os.environ["top_srcdir"])
sys.path[:0] = [str(TOP / "tests" / name) for name in ("e2e", "support")]

import machine  # noqa: E402
import oracle  # noqa: E402
import private  # noqa: E402
from figures import SCALE, Figures  # noqa: E402
from rig import Rig  # noqa: E402
from service import Later, wait_until  # noqa: E402
from sources import BUILD  # noqa: E402

FIGURES = Figures("races", "many at once, and files that change meanwhile")
COPIES, AT_ONCE, UNKNOWN, SWAPS = 100, 50, 1000 * SCALE, 250 * SCALE
SUCCESS, MAXTRIES = "0", "11"  # as Linux-PAM numbers them


@pytest.fixture(scope="module")
def rig():
    private.enter()
    machine.install()
    for service in ("su", "sshd"):
        machine.stack(service)
    with Rig(folder=machine.CONF.parent, product=machine.PRODUCT) as found:
        found.phones = {name: found.enrol_soft(name, kind="p256")
                        for name in ("alice", "bob")}
        yield found
        if found.service.process.poll() is not None:
            FIGURES.crashes += 1


@pytest.fixture(autouse=True)
def nothing_is_left(rig):
    yield
    for login in rig.logins:
        login.close()
    rig.logins.clear()
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not machine.couriers(), "the end of the couriers")
    FIGURES.leaks += len(machine.couriers())
    assert FIGURES.leaks == 0


def begin(rig, user="alice"):
    return rig.login(user, "--hygiene", service="su", argv=("su", user))


def sealed_yes(rig, user, link):
    """An answer that is good for this link."""
    return rig.phones[user].key.approve(oracle.Link.from_text(link),
                                        rig.content(link))


def ended(login, yes):
    """What became of it; a grant without a yes is counted."""
    result = login.end()
    FIGURES.cases += 1
    FIGURES.leaks += ["same"] != [event["text"] for event in login.events
                                  if event["event"] == "hygiene"]
    FIGURES.crashes += login.process.returncode < 0
    FIGURES.grants += result == "PAM_SUCCESS" and not yes
    FIGURES.wrong += yes and result != "PAM_SUCCESS"
    return result


def test_hundred_copies_at_once(rig):
    """G1: of one answer, for its own login and for ten others."""
    phone = rig.phones["alice"]
    login, others = begin(rig), [begin(rig) for _ in range(10)]
    link, other_links = login.link(), [one.link() for one in others]
    answer = sealed_yes(rig, "alice", link)
    gate = threading.Barrier(COPIES)

    def send(to):
        gate.wait()
        return phone.send(to, answer, "approve")
    targets = [link] * (COPIES - 10) + other_links
    replies = [Later(lambda to=to: send(to)) for to in targets]
    statuses = [reply.result().status for reply in replies]
    assert statuses[:-10].count(202) >= 1
    assert set(statuses) <= {202, 409, 410}
    assert ended(login, True) == "PAM_SUCCESS"
    granted = [record["question"] for record in rig.audit()
               if (record["event"], record["result"]) ==
               ("approval", "granted")]
    assert granted and len(set(granted)) == len(granted)
    for one, to in zip(others, other_links):
        wait_until(lambda t=to: rig.link_state(t) not in ("answered",),
                   "the verdict")
        phone.deny(to)
        assert ended(one, False) == "PAM_MAXTRIES"
    FIGURES.cases += COPIES


def test_fifty_logins_answered_in_any_order(rig):
    """G10: each gets its own answer, though others' come first."""
    users = ["alice", "bob"] * (AT_ONCE // 2)
    logins = [begin(rig, user) for user in users]
    links = [login.link() for login in logins]
    choices = [random.random() < 0.5 for _ in logins]
    order = list(range(AT_ONCE))
    random.shuffle(order)
    for i in order:
        phone = rig.phones[users[i]]
        # First what was meant for somebody else.
        wrong = sealed_yes(rig, users[i - 1], links[i - 1]) \
            if rig.link_state(links[i - 1]) == "pending" else None
        if wrong and i % 2:
            phone.send(links[i], wrong, "approve")
            wait_until(lambda: rig.link_state(links[i]) != "answered",
                       "the verdict on another's answer")
        (phone.approve if choices[i] else phone.deny)(links[i])
    for login, yes in zip(logins, choices):
        assert ended(login, yes) == ("PAM_SUCCESS" if yes
                                     else "PAM_MAXTRIES"), login.text


def test_two_threads(rig):
    """C11: alice's phone says yes, bob's says no, in one process."""
    rounds = 40 * SCALE
    run = subprocess.Popen(
        [BUILD / "tests/attack/threads", "/etc/pam.d", "su", str(rounds),
         "alice", "bob"], text=True, stdout=subprocess.PIPE)
    results = {"0": [], "1": []}
    for line in run.stdout:
        what, thread, text = line.split()
        if what == "link" and thread == "0":
            rig.phones["alice"].approve(text)
        elif what == "link":
            rig.phones["bob"].deny(text)
        else:
            results[thread].append(text)
    status = run.wait()
    FIGURES.crashes += status < 0
    FIGURES.wrong += status > 0
    FIGURES.cases += 2 * rounds
    FIGURES.grants += results["1"].count(SUCCESS)
    FIGURES.wrong += sum(code != SUCCESS for code in results["0"]) + \
        sum(code not in (SUCCESS, MAXTRIES) for code in results["1"])
    assert results == {"0": [SUCCESS] * rounds, "1": [MAXTRIES] * rounds}


def plain(text):
    """A transcript without what is different each time."""
    lines = [line for line in text.splitlines()
             if not re.search("[\u2580\u2584\u2588]", line)]
    text = re.sub(r"#[A-Z2-7]{26}", "#LINK", "\n".join(lines), flags=re.I)
    return re.sub(r"\b(alice|nobody-\d+)\b", "USER", text)


def test_thousand_unknown_users(rig):
    """D4: the same prompts as everybody, as fast, and never a yes."""
    def log_in(user):
        """Hangs up at the prompt."""
        login = rig.login(user, "--conv", "eof", service="sshd")
        result = login.end()
        FIGURES.cases += 1
        FIGURES.grants += result == "PAM_SUCCESS"
        event = [one for one in login.events if one["event"] == "result"][-1]
        shown = "\n".join(one["text"] for one in login.events
                          if one["event"] in ("info", "error", "prompt"))
        rig.logins.clear()
        return plain(shown), event["ms"]

    known, unknown = [], []
    for number in range(UNKNOWN):
        unknown.append(log_in(f"nobody-{number:04d}"))
        if number % 10 == 0:
            known.append(log_in("alice"))
    assert {text for text, _ in known} == {text for text, _ in unknown}
    apart = abs(statistics.median(ms for _, ms in known) -
                statistics.median(ms for _, ms in unknown))
    FIGURES.note(f"{UNKNOWN} unknown users: {apart:.1f} ms from known ones")
    assert apart < 50
    # Nothing written down or sent anywhere names them.
    assert "nobody-" not in Path(rig.audit_file).read_text()
    assert "nobody-" not in rig.service.log.read_text()


def swaps(rig):
    """What an upgrade or an accident does to each file of the host."""
    state = Path(rig.values["state_dir"])
    devices = [path for path in state.rglob("*") if path.is_file()]
    files = [machine.MODULE, rig.values["courier"], rig.conf,
             machine.PRODUCT / "libcountersign.so.0",
             rig.folder / "access.key", state, *devices,
             *(path for path in state.iterdir() if path.is_dir())]

    def renew(path):
        fresh = path.with_name(path.name + ".new")
        shutil.copy2(path, fresh)
        os.rename(fresh, path)

    def remove(path):
        away = path.with_name(path.name + ".away")
        os.rename(path, away)
        time.sleep(random.uniform(0, 0.05))  # somebody may come meanwhile
        os.rename(away, path)

    def empty(path):
        """A directory without anything, as an unmounted one."""
        away = path.with_name(path.name + ".away")
        os.rename(path, away)
        path.mkdir(mode=0o700)
        time.sleep(random.uniform(0, 0.05))  # as above
        shutil.rmtree(path)
        os.rename(away, path)

    while True:
        path = Path(random.choice(files))
        yield random.choice([remove, empty] if path.is_dir()
                            else [renew, remove]), path


def test_upgrade_and_removal_meanwhile(rig):
    """D10: whatever is missing for a moment, nobody comes in without a yes;
    also where accounts without a phone are let in."""
    stop = threading.Event()
    done = []

    def swap():
        for change, path in swaps(rig):
            if stop.is_set():
                return
            change(path)
            done.append(path)
    with rig.settings(unenrolled="ignore"):
        trouble = Later(swap)
        results = []
        try:
            for _ in range(SWAPS):
                login = rig.login("alice", "--interrupt", "40", "--hygiene",
                                  service="su", argv=("su", "alice"))
                results.append(ended(login, False))
                rig.logins.clear()
        finally:
            stop.set()
            trouble.result()
    FIGURES.note(f"{len(done)} changes of files during {SWAPS} logins: " +
                 ", ".join(f"{results.count(one)} {one}"
                           for one in sorted(set(results))))
    assert "PAM_SUCCESS" not in results
    # Some came as far as the question, others met what was missing.
    assert results.count("PAM_AUTH_ERR") > SWAPS // 10
    assert len(set(results)) > 1 and len(done) > SWAPS // 2
    login = begin(rig)
    rig.phones["alice"].approve(login.link())
    assert ended(login, True) == "PAM_SUCCESS"


def test_figures():
    FIGURES.write()
    assert FIGURES.cases >= UNKNOWN + SWAPS
