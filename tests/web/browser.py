# SPDX-License-Identifier: BSD-2-Clause
"""A phone as its owner has it: a browser, a page in it, and passkeys."""
import contextlib
import os
import re
import shutil
import tempfile
import time

import pytest
from rig import Rig
from screen import LINK
from sources import BUILD, tool

try:
    from selenium.common.exceptions import WebDriverException
except ImportError:
    WebDriverException = RuntimeError  # each case that needs it skips

DEADLINE = 20
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync",
         "--disable-extensions", "--hide-scrollbars",
         "--force-color-profile=srgb", "--lang=en-GB")
PHONE, DESKTOP = (360, 740), (1280, 800)


def until(condition, what, seconds=DEADLINE):
    """Polls until condition() is true; what it returned."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)
    return found


class WebRig(Rig):
    """Its links lead to the page that its own service has."""

    def __init__(self, page_url=None, **keywords):
        super().__init__(tls=False, **{
            "service": {"log_level": "debug"}, **keywords})
        self.page_url = page_url

    @property
    def origin(self):
        return f"http://localhost:{self.service.port}"

    def at_service(self):
        return {"page_url": self.page_url or self.origin}

    def terminal(self, *words, size=(60, 132)):
        """countersign at a terminal, as an administrator sees it."""
        return Terminal([str(self.program("countersign")), words[0],
                         "--config", str(self.conf), *words[1:]],
                        self._environment(), size)


class Terminal:
    def __init__(self, argv, env, size):
        pexpect = pytest.importorskip("pexpect")
        self.child = pexpect.spawn(
            argv[0], argv[1:], env={**os.environ, **env, "TERM": "xterm"},
            encoding="utf-8", codec_errors="replace", dimensions=size,
            echo=False, timeout=DEADLINE)
        self.text = ""

    def read(self):
        import pexpect
        try:
            self.text += self.child.read_nonblocking(65536, 0.05)
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            return False
        return True

    def wait_for(self, pattern):
        deadline = time.monotonic() + DEADLINE
        while not (match := re.search(pattern, self.text)):
            alive = self.read()
            assert alive or re.search(pattern, self.text), self.text
            assert time.monotonic() < deadline, self.text
        return match

    def link(self, number=0):
        links = []

        def found():
            alive = self.read()
            links[:] = dict.fromkeys(LINK.findall(self.text))
            assert alive or len(links) > number, self.text
            return len(links) > number
        until(found, f"link {number}")
        return links[number]

    def type(self, text):
        self.child.send(text + "\r")

    def end(self):
        until(lambda: not self.read(), "the end of the command")
        self.child.wait()
        return self.child.exitstatus

    def close(self):
        self.child.close(force=True)


class Authenticator:
    """What asks for a face or a finger; verifies says what it finds."""

    def __init__(self, driver, transport="internal", verifies=True,
                 **options):
        self.driver = driver
        self.id = driver.execute("addVirtualAuthenticator", {
            "protocol": "ctap2", "transport": transport,
            "hasResidentKey": True, "hasUserVerification": True,
            "isUserConsenting": True, "isUserVerified": verifies,
            **options})["value"]

    def _do(self, command, **more):
        return self.driver.execute(
            command, {"authenticatorId": self.id, **more})["value"]

    def verify(self, yes):
        """From now on it does (not) recognise its owner."""
        self._do("setUserVerified", isUserVerified=yes)

    def credentials(self):
        return self._do("getCredentials")

    def add(self, credential):
        self._do("addCredential", **credential)

    def remove(self):
        with contextlib.suppress(Exception):
            self._do("removeVirtualAuthenticator")


class Page:
    """A window of the browser."""

    def __init__(self, driver):
        self.driver = driver
        self.authenticators = []
        self.console()

    # --- going somewhere ---

    def authenticator(self, **options):
        self.authenticators.append(Authenticator(self.driver, **options))
        return self.authenticators[-1]

    def open(self, link):
        """As the camera does it: a new page."""
        self.driver.get("about:blank")
        self.driver.get(link)

    def forget(self, origin):
        """A browser that was never here."""
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {
            "origin": origin, "storageTypes": "all"})

    def resize(self, size):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1,
            "mobile": size[0] < 500})

    def close(self):
        for authenticator in self.authenticators:
            authenticator.remove()

    # --- what is on it ---

    def js(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    @property
    def state(self):
        return self.js("return document.getElementById('main')?.dataset.state")

    @property
    def text(self):
        return self.js("return document.body.innerText")

    @property
    def focused(self):
        return self.js("return document.activeElement.textContent")

    def reaches(self, *states, seconds=DEADLINE):
        """Waits for one of these states; which one."""
        deadline = time.monotonic() + seconds
        while self.state not in states:
            assert time.monotonic() < deadline, \
                f"{states}, but there is {self.state}: {self.text}"
            time.sleep(0.02)
        return self.state

    def button(self, label):
        return until(lambda: next(
            (found for found in self.driver.find_elements("tag name", "button")
             if found.text == label), None), f"button {label!r}")

    def buttons(self):
        return [found.text for found in
                self.driver.find_elements("tag name", "button")]

    def click(self, label):
        self.button(label).click()

    def field(self, name, text):
        field = self.driver.find_element("id", name)
        field.clear()
        field.send_keys(text)

    def press(self, key, shift=False):
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys
        chain = ActionChains(self.driver)
        if shift:
            chain.key_down(Keys.SHIFT)
        chain.send_keys(getattr(Keys, key.upper()))
        if shift:
            chain.key_up(Keys.SHIFT)
        chain.perform()

    def device_id(self):
        return self.driver.find_element("css selector", ".id > span").text

    def console(self):
        """What the console says since the last time, but the network's own
        remarks on status codes."""
        return [entry for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"
                and entry["source"] != "network"]

    def shot(self, name):
        folder = BUILD / "screenshots"
        folder.mkdir(exist_ok=True)
        for size in (PHONE, DESKTOP):
            self.resize(size)
            self.driver.save_screenshot(
                str(folder / f"{name}-{size[0]}x{size[1]}.png"))


@contextlib.contextmanager
def chromium(*flags, environment=None):
    """A browser with a profile of its own, gone afterwards."""
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service
    driver_path, browser = tool("chromedriver"), tool("chromium")
    profile = tempfile.mkdtemp(prefix="countersign-browser-")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, *flags, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs",
                           {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(
        driver_path, env={**os.environ, **(environment or {})}))
    driver.set_script_timeout(DEADLINE)
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def enrol(rig, page, user, name="phone", scan=None):
    """
    A phone for user from the terminal's picture to its line in the devices
    file.  scan(text): the link out of what the terminal shows.
    """
    terminal = rig.terminal("enroll", "--qr", "utf8", user)
    try:
        link = terminal.link()
        if scan:
            link = scan(terminal.text)
        page.open(link)
        page.reaches("enrolment")
        page.field("name", name)
        page.click("Create passkey")
        page.reaches("compare")
        terminal.wait_for(r"id +" + page.device_id())
        terminal.wait_for("same id")
        terminal.type("yes")
        page.reaches("question")
        page.click("Approve")
        page.reaches("enrolled")
        assert terminal.end() == 0, terminal.text
    finally:
        terminal.close()
    return terminal.text


__all__ = ["Authenticator", "Page", "Terminal", "WebDriverException",
           "WebRig", "chromium", "enrol", "until", "PHONE", "DESKTOP"]
