# SPDX-License-Identifier: BSD-2-Clause
"""
make screenshots: every screen in two sizes, and a few in the dark; and what a
terminal shows meanwhile.
"""
import pytest
from conftest import USER
from gallery import SCREENS, put_up
from rig import Rig
from screen import picture
from sources import BUILD

DARK = ("question-sudo", "question-stranger", "question-wrong-code", "enrolment",
        "granted", "inbox-three", "ring-install")


def scheme(page, name):
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": name}]})


@pytest.mark.parametrize("name", SCREENS)
def test_screen(rig, page, name):
    scheme(page, "light")
    put_up(page, rig.origin, name)
    page.shot(name)
    if name in DARK:
        scheme(page, "dark")
        page.shot(name + "-dark")


def test_terminal():
    """Six digits for a phone that rings, and why it does not in a pause."""
    folder = BUILD / "screenshots"
    folder.mkdir(exist_ok=True)
    with Rig() as rig:
        phone = rig.enrol_soft(USER)
        for name, says in (("terminal-code", "on the phone that asks"),
                           ("terminal-just-rung", "has just rung"),
                           ("terminal-paused", "too many came to nothing")):
            login = rig.login(USER, service="su", argv=("su", USER))
            link = login.link()
            assert says in login.text
            picture(login.text).save(folder / f"{name}.png")
            phone.deny(link)
            assert login.end() == "PAM_MAXTRIES"
