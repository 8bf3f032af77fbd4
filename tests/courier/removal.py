# SPDX-License-Identifier: BSD-2-Clause
"""Removal by the phone from one end to the other: a phone's note, a real
service, a courier, and a host that lets people in (ENR-10)."""
import http.cookies

import oracle
import pytest
from rig import Rig, SoftPhone, link_id
from service import wait_until

USER = "daemon"


class Remover(SoftPhone):
    """A phone that keeps its cookie."""

    def enroll(self, link):
        reply = self.client.post(
            f"/links/{link_id(link)}/device",
            {"deviceId": self.device, "name": self.key.name})
        assert reply.status == 201, reply
        jar = http.cookies.SimpleCookie(reply.headers["Set-Cookie"])
        self.cookie = "; ".join(f"{k}={v.value}" for k, v in jar.items())
        self.question = self.rig.question(link).members
        self._send(link, self.key.enroll(oracle.Link.from_text(link),
                                         self.rig.content(link)), "approve")

    def note(self, **wrong):
        """By what the phone knows from its own question."""
        known = {n: self.question[n] for n in ("host", "user", "uid")}
        return self.key.removal(**(known | wrong))

    def leave(self, note=None):
        return self.client.post(
            "/devices/self/removal",
            {"proof": oracle.b64u(note or self.note())},
            headers={"Cookie": self.cookie})


@pytest.fixture(scope="module")
def rig():
    with Rig() as running:
        yield running


def enrol(rig, kind, name):
    phone = Remover(rig, USER, name, kind)
    for link, _ in rig._enrolling(USER, name, phone.enroll):
        phone.approve(link)
    return phone


def removals(rig):
    return [(line["result"], line["device"], line["reason"])
            for line in rig.audit() if line["event"] == "removal"]


def devices(rig):
    return rig.countersign("devices", USER)


def authenticators(rig):
    reply = rig.host.get(f"/api/v1/users?username={USER}")
    assert reply.status == 200, reply
    return {a["authenticatorId"] for a in reply.json["authenticators"]}


def login(rig, phone):
    attempt = rig.login(USER)
    phone.approve(attempt.link())
    assert attempt.end() == "PAM_SUCCESS"


@pytest.mark.parametrize("kind", ["webauthn", "p256"])
def test_phone_removes_itself(rig, kind):
    stays, goes = (enrol(rig, kind, name) for name in (f"{kind} stays",
                                                       f"{kind} goes"))
    assert goes.leave().status == 202
    attempt = rig.login(USER)
    link = attempt.link()
    # By the time that there is a link the device is gone.
    assert removals(rig)[-1] == ("granted", goes.device, "OK")
    assert f"{kind} goes" not in devices(rig)
    stays.approve(link)
    assert attempt.end() == "PAM_SUCCESS"
    wait_until(lambda: goes.device not in authenticators(rig),
               "the service to forget it")
    assert stays.device in authenticators(rig)
    before = removals(rig)
    login(rig, stays)
    assert removals(rig) == before
    # The same key does not come back.
    with pytest.raises(AssertionError, match="revoked here"):
        for _ in rig._enrolling(USER, "again", goes.enroll):
            pass
    rig.countersign("deenroll", "--yes", USER)


def test_wrong_note_changes_nothing(rig):
    stays, other = enrol(rig, "webauthn", "stays"), enrol(rig, "p256", "other")
    for wrong, reason in (({"host": "web2"}, "PROOF_CHALLENGE"),
                          ({"user": "bin"}, "PROOF_CHALLENGE"),
                          ({"uid": 0}, "PROOF_CHALLENGE")):
        assert other.leave(other.note(**wrong)).status == 202
        login(rig, stays)
        assert removals(rig)[-1] == ("refused", other.device, reason)
    assert "other" in devices(rig)
    # Nobody sends a note in another's name.
    assert other.leave(stays.note()).status == 403
    # The newest note counts, and a good one after all these does it.
    assert other.leave().status == 202
    login(rig, stays)
    assert removals(rig)[-1] == ("granted", other.device, "OK")
    rig.countersign("deenroll", "--yes", USER)


def test_last_phone_leaves(rig):
    """The account is not open, and not to be enrolled by the next login."""
    phone = enrol(rig, "p256", "only one")
    assert phone.leave().status == 202
    with rig.settings(unenrolled="ignore"):
        attempt = rig.login(USER)
        phone.approve(attempt.link())
        wait_until(lambda: "PROOF_DEVICE" in
                   [line["reason"] for line in rig.audit()], "the refusal")
        attempt.close()
        assert rig.login(USER).end() == "PAM_AUTHINFO_UNAVAIL"
    rig.countersign("deenroll", "--yes", USER)
