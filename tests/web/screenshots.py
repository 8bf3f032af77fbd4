# SPDX-License-Identifier: BSD-2-Clause
"""make screenshots: every screen in two sizes, and a few in the dark."""
import pytest
from gallery import SCREENS, put_up

DARK = ("question-sudo", "question-stranger", "enrolment", "granted")


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
