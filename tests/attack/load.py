#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The service under load: many who wait, and many who are up to no good.
"""
import contextlib
import functools
import json
import os
import resource
import subprocess
import time

import pytest
from siege import (BUILD, FIGURES, Bystander, cpu_s, descriptors, flood,
                   memory_kb, own_machine, patiently, running)
from figures import SCALE
from service import wait_until

__all__ = ["own_machine"]
FIGURES.name, FIGURES.what = "load", "the service under load"
WAITING = 10000 * SCALE
# countersignd(8), Under load: what the process takes, and then each connection.
BASE_KB, WAITS_KB, SENDS_KB = 24 << 10, 24, 64
SLOW_S = 10  # for a request, as countersignd(8) says


def test_ten_thousand_wait():
    with running() as rig:
        bystander = Bystander(rig).stand_by()
        quiet = bystander.said()
        before = memory_kb(rig.service)
        waiting = subprocess.Popen(
            [BUILD / "tests/bench/waiting", f"127.0.0.1:{rig.service.port}",
             rig.host.key, str(WAITING), rig.ca], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert waiting.stdout.readline() == "waiting\n"
            each = (memory_kb(rig.service) - before) / WAITING
            assert descriptors(rig.service.process.pid) > WAITING
            # Longer than one long poll: each of them comes again.
            meanwhile = Bystander(rig).stand_by(35, 40)
            waiting.stdin.close()
            assert waiting.wait(60) == 0
        finally:
            waiting.kill()
            waiting.wait()
            waiting.stdout.close()
        FIGURES.cases += WAITING
        peak = memory_kb(rig.service, "VmHWM")
        FIGURES.note(f"{WAITING} wait: {each:.1f} kB each, peak {peak} kB; "
                     f"a login meanwhile {meanwhile.said()}, before {quiet}")
        assert each <= WAITS_KB
        assert peak <= BASE_KB + WAITING * WAITS_KB


SLOW = {"silent": 2000, "stall": 2000, "head": 500, "body": 500, "nearly": 500}


def test_slow_and_silent_ones():
    """For longer than the time that a request may take."""
    with running() as rig, contextlib.ExitStack() as stack:
        told = {kind: stack.enter_context(
                    flood(rig, kind, count * SCALE, up=True))
                for kind, count in SLOW.items()}
        bystander = Bystander(rig).stand_by(SLOW_S + 5)
        stack.close()
        peak = memory_kb(rig.service, "VmHWM")
        FIGURES.note(f"{sum(SLOW.values())} slow connections: peak {peak} kB; "
                     f"a login {bystander.said()}")
        for kind, count in SLOW.items():
            # Cut off, all of them, and not before their time.
            assert told[kind]["closed"] >= count * SCALE, (kind, told)
            assert set(told[kind]["replies"]) <= {"503"}, (kind, told)
        assert peak <= BASE_KB + SENDS_KB * SCALE * sum(SLOW.values())


def test_requests_that_lack_a_byte():
    """Where a connection takes the most memory."""
    with running() as rig:
        with flood(rig, "nearly", 2000 * SCALE):
            bystander = Bystander(rig).stand_by(2)
        peak = memory_kb(rig.service, "VmHWM")
        each = (peak - BASE_KB) / 2000 / SCALE
        FIGURES.note(f"2000 without the last byte: {each:.0f} kB each; "
                     f"a login {bystander.said()}")
        assert each <= SENDS_KB


@pytest.mark.parametrize("kind, status", [("length", "413"),
                                          ("chunks", "411")])
def test_bodies_of_a_gigabyte(kind, status):
    """Refused before they come, whoever sends them."""
    with running() as rig:
        with flood(rig, kind, 200 * SCALE) as told:
            bystander = Bystander(rig).stand_by(4)
        peak = memory_kb(rig.service, "VmHWM")
        FIGURES.note(f"1 GB by {kind}: peak {peak} kB; "
                     f"a login {bystander.said()}")
        assert set(told["replies"]) == {status}
        assert told["replies"][status] >= 100 * SCALE
        assert peak <= BASE_KB + 200 * SCALE * SENDS_KB


def first_words(rig, seconds=0.5):
    """What the service says to the head of a request whose body is missing."""
    with contextlib.suppress(OSError), \
            contextlib.closing(rig.service.raw()) as sock:
        sock.settimeout(seconds)
        sock.sendall(b"POST /links/x/answer HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 16000\r\n\r\n")
        return sock.recv(65536)
    return b""


def test_full_house():
    """Those who wait stay, others are refused early, and it passes."""
    with running(max_connections=200, log_level="debug") as rig:
        questions = [rig.host.ask() for _ in range(50)]
        began = time.monotonic()
        polls = [rig.host.poll(question, after=1) for question in questions]
        with flood(rig, "head", 600) as told:
            refusal = wait_until(
                lambda: b" 503 " in (said := first_words(rig)) and said,
                "a refusal")
            assert b"\r\nRetry-After: 1\r\n" in refusal
            assert not any(poll.done() for poll in polls)
            # Who keeps trying gets in although the bad ones never go.
            for question in questions[:5]:
                assert patiently(lambda q=question: rig.service.phone()
                                 .answer(q)).status == 202
        for question in questions[5:]:
            assert patiently(lambda q=question: rig.service.phone()
                             .answer(q)).status == 202
        for question, poll in zip(questions, polls):
            reply = poll.result()
            if reply.at - began >= 30:  # its time was over
                reply = patiently(lambda q=question: rig.host.status(q))
            assert reply.json["event"] == "answered"
        FIGURES.note(f"full: {told['opened']} let in, {told['refused']} not")
        Bystander(rig).stand_by()


OPEN, CREATIONS, CREATING_S = 500, 1000000, 45
# Of memory for each that is open, and of the database for each that was put.
OPEN_KB = 16
# The database's log, until a writer helps to empty it: service/checkpoint.c.
LOG_KB = 10000 * 4


def database_kb(service):
    return sum(path.stat().st_size for path in
               service.database.parent.glob(service.database.name + "*")) >> 10


def test_host_that_never_stops_asking():
    """For 45 seconds, or a million times; its share of open ones bounds it."""
    with running(max_pending_host=OPEN, rate_host=0, rate_address=0) as rig:
        other = rig.service.add_host("other")
        floor, asked = database_kb(rig.service), []
        creating = subprocess.Popen(
            # Its own work is not what the others are to wait for.
            ["nice", BUILD / "tests/attack/creations",
             f"127.0.0.1:{rig.service.port}", rig.ca, other.key, "2",
             str(CREATIONS * SCALE), str(CREATING_S * SCALE)],
            text=True, stdout=subprocess.PIPE)
        try:
            # It has its share, and is refused from then on.
            wait_until(lambda: asked.append(other.ask().reply.status) or
                       asked[-1] in (429, 503), "a refusal")
            began, refusal = time.monotonic(), other.ask().reply
            took_ms = 1000 * (time.monotonic() - began)
            assert refusal.status in (429, 503), refusal
            bystander = Bystander(rig).stand_by(5)
            told = json.loads(creating.communicate()[0])
            assert creating.returncode == 0, told
        finally:
            creating.kill()
            creating.wait()
            creating.stdout.close()
        peak = memory_kb(rig.service, "VmHWM")
        disk = database_kb(rig.service) - floor
        refused = told.get("429", 0) + told.get("503", 0)
        FIGURES.cases += sum(told.values())
        FIGURES.note(
            f"{sum(told.values())} questions of one host: {told['201']} put, "
            f"{refused} refused, one in {took_ms:.0f} ms; peak {peak} kB, "
            f"database {disk} kB; a login of another {bystander.said()}")
        assert set(told) <= {"201", "429", "503"}, told
        # As many as it may have open, and again when those have ended.
        assert OPEN <= told["201"] + asked.count(201)
        assert refused > OPEN
        assert peak <= BASE_KB + OPEN * OPEN_KB
        assert disk <= LOG_KB + told["201"] * OPEN_KB


@pytest.mark.parametrize("left", [0, 20])
def test_no_descriptors(left):
    """accept(2) fails, and that costs next to nothing."""
    with running(log_level="debug") as rig:
        pid = rig.service.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        questions = [rig.host.ask() for _ in range(10)]
        polls = [rig.host.poll(question, after=1) for question in questions]
        highest = max(map(int, os.listdir(f"/proc/{pid}/fd")))
        resource.prlimit(pid, resource.RLIMIT_NOFILE,
                         (highest + 1 + left, before[1]))
        with flood(rig, "silent", 300 * SCALE):
            used, began = cpu_s(rig.service), time.monotonic()
            time.sleep(3)  # what is measured is how it passes the time
            used = (cpu_s(rig.service) - used) / (time.monotonic() - began)
            assert not any(poll.done() for poll in polls)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        FIGURES.note(f"no descriptors: {100 * used:.0f} % of a core")
        assert used < 0.25
        for question, poll in zip(questions, polls):
            assert patiently(lambda q=question: rig.service.phone()
                             .answer(q)).status == 202
            assert poll.result().json["event"] == "answered"
        Bystander(rig).stand_by()


@pytest.mark.parametrize("limit", [64, 200, 400])
def test_few_descriptors_from_the_start(monkeypatch, limit):
    """It takes no more connections than it can have, and says so."""
    with running() as rig:
        rig.service.kill()
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", functools.partial(
                subprocess.Popen, preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_NOFILE, (limit, limit))))
            rig.service.start()
        assert "event=connections_limited" in rig.service.log.read_text()
        question = rig.host.ask()
        with flood(rig, "head", 300 * SCALE):
            assert patiently(lambda: rig.service.phone()
                             .answer(question)).status == 202
            assert patiently(lambda: rig.host.status(question)) \
                .json["event"] == "answered"
        assert patiently(lambda: rig.service.anybody().get("/healthz")) \
            .status == 200
        Bystander(rig).stand_by()


def test_figures():
    FIGURES.write()
    assert FIGURES.cases > WAITING
