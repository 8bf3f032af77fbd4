# SPDX-License-Identifier: BSD-2-Clause
"""
What a service says over time, instead of in one reply: claims, contradictions,
answers of others.  STORIES: {name: (PAM code, story)}
"""
import os
import traceback

import oracle
from attempt import INFO, MAX, OK, Outcome
from couriers import reply
from service import wait_until
from service_scene import Fake, Scene, over

SECONDS = 10  # that no story takes


def says(event, state="pending", sealed=False):
    def story(scene):
        scene.service.happen(event, scene.genuine() if sealed else None, state)
    return story


def rejects(reason, *makers):
    """Answers that prove nothing, and then an end."""
    def story(scene):
        for number, make in enumerate(makers, 1):
            got = scene.rejected(make(scene), number)
            assert got == reason, got
        over(scene)
    return story


def then(*stories):
    def story(scene):
        for one in stories:
            one(scene)
    return story


def honest(scene):
    scene.answer(scene.genuine())


def noise(_scene):
    return os.urandom(120)


def scripted(*replies):
    """Replies to the polls, one after the other; then what happens."""
    def story(scene):
        left, service = list(replies), scene.service
        sealed = scene.genuine()

        def rule(request, connection):
            members = {"transactionId": service.ID, "status": "pending",
                       "sequence": 1, "event": "answered"}
            if left:
                members |= {"sequence": 2, "event": "seen", **left.pop(0)}
            else:
                with service.changed:
                    service.changed.wait_for(lambda: service.answer, 10)
                members["answer"] = oracle.b64u(service.answer)
            if members.get("answer") == "genuine":
                members["answer"] = oracle.b64u(sealed)
            return reply(200, members)

        service.rules["POST /api/v1/status"] = rule
        service.happen("seen")
        wait_until(lambda: not left, "the polls")
    return story


def nine(scene):
    for number in range(1, 9):
        scene.rejected(noise(scene), number)
    scene.answer(noise(scene))


def own(scene, phone, **wrong):
    link = scene.link()
    return link.seal_answer(phone.answer(
        oracle.Question(link, scene.service.contents[0]).bytes, "approve",
        **wrong))


# Almost the question: what the same phone signed for something else.
OTHERWISE = {
    "kind": "enrolment", "host": "web2", "user": "bob", "uid": 0,
    "service": "sudo", "title": "Run a command", "details": [],
    "choices": ["approve", "approve-all"], "code": "tap",
    "nonce": oracle.b64u(bytes(32)), "created": "2026-11-21T22:50:00Z",
    "lifetime": 31}


def otherwise(member):
    def make(scene):
        link = scene.link()
        members = oracle.Question(link, scene.service.contents[0]).members
        assert members[member] != OTHERWISE[member]
        data = oracle.dump(members | {member: OTHERWISE[member]}).encode()
        return link.seal_answer(scene.world.phone.key.answer(data, "approve"))
    return make


STORIES = {
    **{f"a yes to another {member}": (INFO, rejects(
        "PROOF_CHALLENGE", otherwise(member))) for member in OTHERWISE},
    # Claims without an answer.
    **{f"says {event}, {state}": (INFO, says(event, state))
       for event in ("granted", "denied", "cancelled", "expired")
       for state in ("pending", "succeeded", "failed")},
    "says granted, with the genuine answer":
        (INFO, says("granted", "succeeded", True)),
    "says denied, with the genuine answer":
        (INFO, says("denied", "failed", True)),
    "says answered, without one": (INFO, says("answered")),
    "says unknown": (INFO, says("created", "unknown")),
    "says unknown, with the genuine answer":
        (INFO, says("answered", "unknown", True)),
    "the answer in another event, then cancelled":
        (INFO, then(says("seen", sealed=True), over)),
    # Contradictions about the genuine answer are no matter.
    "answered, and succeeded": (OK, says("answered", "succeeded", True)),
    "answered, and failed": (OK, says("answered", "failed", True)),
    "answered under a number that was told":
        (OK, then(scripted({"sequence": 5}, {"sequence": 5, "event":
                            "answered", "answer": "genuine"}), honest)),
    "numbers that go back": (OK, then(scripted(
        {"sequence": 9}, {"sequence": 3}, {"sequence": 0}), honest)),
    "the largest number": (OK, then(scripted(
        {"sequence": 2 ** 31 - 1}), honest)),
    "events that nobody knows": (OK, then(scripted(*[
        {"sequence": n, "event": f"event {n}"} for n in range(3, 7)]),
        honest)),
    "first of another question": (INFO, scripted(
        {"transactionId": "transaction-2"})),
    # Answers of others, and of another time.
    "noise": (INFO, rejects("PROOF_FORMAT", noise)),
    "noise, seven times": (INFO, rejects("PROOF_FORMAT", *[noise] * 7)),
    "noise, seven times, and a yes": (OK, then(
        lambda s: [s.rejected(noise(s), n) for n in range(1, 8)], honest)),
    "nine answers": (MAX, nine),
    "an earlier login's answer": (INFO, rejects(
        "PROOF_FORMAT", lambda s: s.world.earlier[0])),
    "an earlier login's proof, sealed anew": (INFO, rejects(
        "PROOF_CHALLENGE",
        lambda s: s.link().seal_answer(s.world.earlier[1]))),
    "another account's phone": (INFO, rejects(
        "PROOF_DEVICE", lambda s: own(s, s.world.bob.key))),
    "a phone of its own": (INFO, rejects(
        "PROOF_DEVICE", lambda s: own(s, oracle.Phone("webauthn")))),
    "the page of another origin": (INFO, rejects(
        "PROOF_ORIGIN", lambda s: own(s, s.world.phone.key,
                                      origin="https://evil.example"))),
    "the same yes twice": (OK, then(honest, honest)),
}


def tell(world, name):
    code, story = STORIES[name]
    scene = Scene(world, f"story{list(STORIES).index(name)}", Fake(world))
    wrong = None
    try:
        scene.start()
        assert scene.link(), scene.login.text
        story(scene)
        scene.end()
        scene.check(code, SECONDS)
    except Exception:  # the case reports it
        wrong = traceback.format_exc()
    finally:
        scene.close()
    return Outcome(scene.code, wrong, scene.crashed)
