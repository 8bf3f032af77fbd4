# SPDX-License-Identifier: BSD-2-Clause
"""One service, one browser and one enrolled phone for a file of tests."""
import contextlib
import os
import sys

import pytest

for folder in ("support", "e2e"):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))), folder))

from browser import Page, WebDriverException, WebRig, chromium, enrol  # noqa: E402

USER = "daemon"


@pytest.fixture(scope="session")
def rig():
    with WebRig(device_kinds="webauthn") as rig:
        yield rig


@pytest.fixture(scope="session")
def driver():
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="session")
def enrolled(rig, driver):
    """The credentials of a phone that was enrolled in this browser."""
    page = Page(driver)
    authenticator = page.authenticator()
    enrol(rig, page, USER)
    credentials = authenticator.credentials()
    page.close()
    return credentials


@pytest.fixture
def page(driver):
    page = Page(driver)
    yield page
    page.close()


@pytest.fixture
def phone(enrolled, page):
    """A page with the passkey that was enrolled, which counts on."""
    page.passkeys = page.authenticator()
    for credential in enrolled:
        page.passkeys.add(credential)
    yield page
    with contextlib.suppress(WebDriverException):  # it was taken away
        enrolled[:] = page.passkeys.credentials()
