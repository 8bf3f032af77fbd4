# SPDX-License-Identifier: BSD-2-Clause
"""C13: in other languages, character sets and time zones all is as ever."""
import os
import re
import subprocess

import pytest

from rig import Rig, SoftPhone
from service import wait_until
from sources import tool

OWNER = "daemon"
# Where i is no lower case of I, digits are not 0 to 9, or text is not UTF-8.
LANGUAGES = {"tr_TR": "UTF-8", "ar_EG": "UTF-8", "ja_JP": "EUC-JP",
             "hy_AM": "ARMSCII-8"}
ZONES = ["", "UTC", "Asia/Kathmandu", "<-99>99:59:59", ":/nonexistent",
         "A" * 4000, "ABC-24:59:59DEF,J60,J300"]


@pytest.fixture(scope="module", name="rig")
def make_rig():
    with Rig(lifetime=30) as rig:
        rig.phone = rig.enrol_soft(OWNER)
        yield rig


@pytest.fixture(scope="module")
def locales(rig):
    """A folder with these locales, for LOCPATH."""
    if not os.path.isdir("/usr/share/i18n/locales"):
        pytest.skip("locales is missing")
    for name, charset in LANGUAGES.items():
        run = subprocess.run(
            [tool("localedef"), "-i", name, "-f", charset,
             rig.folder / name], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        assert (rig.folder / name / "LC_CTYPE").exists(), run.stdout
    return rig.folder


def question(rig, login):
    """All of it that is not new each time."""
    members = dict(rig.question(login.link()).members)
    created = members.pop("created")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", created, re.A)
    members.pop("nonce")
    return members


@pytest.fixture(scope="module")
def usual(rig):
    login = rig.login(OWNER, service="sudo", argv=("sudo", "ID", "-i"))
    members = question(rig, login)
    rig.phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    return members


def same(rig, usual):
    begun = len(rig.audit())
    login = rig.login(OWNER, "--hygiene", service="sudo",
                      argv=("sudo", "ID", "-i"))
    assert question(rig, login) == usual
    # A stranger's is as wrong as ever, and the owner's as good.
    SoftPhone(rig, OWNER, "stranger", "webauthn").approve(login.link())
    wait_until(lambda: rig.link_state(login.link()) in ("pending", "seen"),
               "the refusal")
    rig.phone.approve(login.link())
    assert login.end() == "PAM_SUCCESS"
    assert [e["text"] for e in login.events if e["event"] == "hygiene"] == \
        ["same"]
    records = rig.audit()[begun:]
    assert [record["result"] for record in records] == ["refused", "granted"]
    assert all(re.fullmatch(r"20[\d-]{8}T[\d:]{8}Z", record["time"], re.A)
               for record in records)


@pytest.mark.parametrize("name", LANGUAGES)
def test_login(rig, usual, locales, monkeypatch, name):
    monkeypatch.setenv("LOCPATH", str(locales))
    monkeypatch.setenv("LC_ALL", name)
    same(rig, usual)


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone[:20])
def test_zone(rig, usual, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    same(rig, usual)
