# SPDX-License-Identifier: BSD-2-Clause
"""
The phone rings: permission, subscription, and notifications that really are
clicked, on a desktop of their own.  Only the browser's way to its maker's push
service is played, because tests reach no network: pushManager.subscribe().
"""
import contextlib
import json
import pwd

import oracle
import pytest
from browser import chromium, enrol, until
from conftest import USER
from desktop import Desktop
from devtools import DevTools
from inbox import asked, give
from rig import link_id

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/%s"

# As a browser with a way to its push service has it; kept like there over
# reloads.  Its key is what the page has asked for.
SUBSCRIBE = """{
    const kept = () => JSON.parse(localStorage.getItem("subscription"));
    const made = ({ endpoint, key, p256dh }) => ({
        endpoint, options: { applicationServerKey: Uint8Array.from(
            atob(key.replaceAll("-", "+").replaceAll("_", "/")),
            (c) => c.charCodeAt()).buffer },
        toJSON: () => ({ endpoint, expirationTime: null,
            keys: { p256dh, auth: "A".repeat(22) } }),
        async unsubscribe() {
            localStorage.removeItem("subscription");
            return true;
        },
    });
    PushManager.prototype.getSubscription = async () =>
        kept() && made(kept());
    PushManager.prototype.subscribe = async (options) => {
        if (Notification.permission !== "granted")
            throw new DOMException("", "NotAllowedError");
        if (localStorage.getItem("unreachable"))
            throw new DOMException("", "AbortError");
        const n = 1 + Number(localStorage.getItem("count"));
        localStorage.setItem("count", n);
        if (!kept() || kept().key !== options.applicationServerKey)
            localStorage.setItem("subscription", JSON.stringify({
                endpoint: "%s".replace("%%s", n), p256dh: "%s",
                key: options.applicationServerKey }));
        return made(kept());
    };
}""" % (ENDPOINT, oracle.b64u(oracle.point_of(oracle.private_key())))


@pytest.fixture(scope="session")
def desktop():
    desktop = Desktop()
    yield desktop
    desktop.close()


@pytest.fixture(scope="session")
def driver(desktop):
    with chromium(environment=desktop.environment) as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument",
                               {"source": SUBSCRIBE})
        yield driver


@pytest.fixture
def devtools(driver):
    devtools = DevTools(driver)
    yield devtools
    devtools.close()


def permit(rig, page, setting):
    page.driver.execute_cdp_cmd("Browser.setPermission", {
        "origin": rig.origin, "permission": {"name": "notifications"},
        "setting": setting})


@pytest.fixture(autouse=True)
def fresh(rig, phone):
    """At home, not ringing; the host counts from nothing."""
    first = phone.driver.current_window_handle
    permit(rig, phone, "prompt")
    phone.open(rig.origin)
    phone.js("localStorage.clear()")
    forgets(phone)
    yield
    for login in rig.logins:
        login.close()
    uid = pwd.getpwnam(USER).pw_uid
    for name in (f"{uid}", f"{uid}.rings"):
        (rig.folder / "state/state" / name).unlink(missing_ok=True)
    for window in phone.driver.window_handles:
        if window != first:
            phone.driver.switch_to.window(window)
            phone.driver.close()
    phone.driver.switch_to.window(first)


def ring_state(page):
    return page.js("""return document.querySelector("[data-state]" +
        ":not(#main)")?.dataset.state""")


def at_home(rig, page, state):
    """With the ring in this state."""
    page.open(rig.origin)
    until(lambda: ring_state(page) == state, f"ring {state}")


def own(page):
    """What the service says that it knows of this phone's ringing."""
    return page.driver.execute_async_script("""
        const done = arguments[0];
        import("/carrier.js").then((carrier) => carrier.call("GET",
            "/devices/self", undefined, new AbortController().signal))
            .then(({ push }) => done(push));""")


def forgets(page):
    """The service knows no way to ring this phone."""
    page.driver.execute_async_script("""
        const done = arguments[0];
        import("/carrier.js").then((carrier) => carrier.call("DELETE",
            "/devices/self/push", undefined, new AbortController().signal))
            .then(() => done());""")


def switched_on(rig, page):
    permit(rig, page, "granted")
    at_home(rig, page, "off")
    page.click("Ring this phone")
    until(lambda: ring_state(page) == "on", "the ringing")


# --- permission and subscription --------------------------------------------

def test_on_and_off(rig, phone):
    assert "subscribed" in own(phone) and not own(phone)["subscribed"]
    switched_on(rig, phone)
    assert own(phone)["subscribed"] is True
    assert phone.js("""return JSON.parse(localStorage
        .getItem("subscription")).key""") == own(phone)["key"]
    at_home(rig, phone, "on")
    phone.click("Don't ring")
    until(lambda: ring_state(phone) == "off", "the silence")
    assert own(phone)["subscribed"] is False
    assert phone.js("return localStorage.getItem('subscription')") is None
    assert phone.console() == []


def test_nothing_is_asked_without_a_click(rig, phone):
    at_home(rig, phone, "off")
    assert phone.js("return Notification.permission") in ("default", "prompt")
    assert own(phone)["subscribed"] is False


def test_blocked_by_the_browser(rig, phone):
    permit(rig, phone, "denied")
    at_home(rig, phone, "blocked")
    assert "Ring this phone" not in phone.buttons()
    assert "Allow them in its settings" in phone.text


def test_blocked_at_the_click(rig, phone):
    at_home(rig, phone, "off")
    phone.js("Notification.requestPermission = async () => 'denied';")
    phone.click("Ring this phone")
    until(lambda: ring_state(phone) == "blocked", "the no")
    assert own(phone)["subscribed"] is False


def test_push_service_of_the_browser_is_away(rig, phone):
    permit(rig, phone, "granted")
    at_home(rig, phone, "off")
    phone.js("localStorage.setItem('unreachable', 1);")
    phone.click("Ring this phone")
    until(lambda: ring_state(phone) == "failed", "the reason")
    phone.js("localStorage.removeItem('unreachable');")
    phone.click("Try again")
    until(lambda: ring_state(phone) == "on", "the ringing")


def test_push_service_that_the_service_does_not_take(rig, phone):
    permit(rig, phone, "granted")
    at_home(rig, phone, "off")
    phone.js("""localStorage.setItem("subscription", JSON.stringify({
        ...{ endpoint: "https://push.evil.example.org/x", p256dh: "x" },
        key: arguments[0] }));""", own(phone)["key"])
    phone.click("Ring this phone")
    until(lambda: ring_state(phone) == "refused", "the reason")
    assert own(phone)["subscribed"] is False


def posted(phone, act):
    """What the page posts of its subscription while act() is done."""
    phone.driver.get_log("performance")
    act()
    found = []
    for entry in phone.driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            request = message["params"]["request"]
            if request["url"].endswith("/devices/self/push"):
                found.append(json.loads(request["postData"]))
    return found


def test_endpoint_has_changed_meanwhile(rig, phone):
    switched_on(rig, phone)
    phone.js("""const kept = JSON.parse(localStorage.getItem("subscription"));
        localStorage.setItem("subscription", JSON.stringify(
            { ...kept, endpoint: arguments[0] }));""", ENDPOINT % "other")
    found = posted(phone, lambda: at_home(rig, phone, "on"))
    assert [one["endpoint"] for one in found] == [ENDPOINT % "other"]
    assert set(found[0]) == {"endpoint", "p256dh", "auth"}


@pytest.mark.parametrize("gone", ("the service's", "the key's"))
def test_subscription_that_is_dead(rig, phone, gone):
    """The service gave it up, or it is for another key: a new one."""
    switched_on(rig, phone)
    before = phone.js("return localStorage.getItem('subscription')")
    if gone == "the service's":
        forgets(phone)
    else:
        phone.js("""localStorage.setItem("subscription", JSON.stringify({
            ...JSON.parse(arguments[0]), key: "AAAA" }));""", before)
    at_home(rig, phone, "on")
    after = json.loads(phone.js(
        "return localStorage.getItem('subscription')"))
    assert after["endpoint"] != json.loads(before)["endpoint"]
    assert own(phone)["subscribed"] is True


@contextlib.contextmanager
def browser_with(phone, what):
    """What a browser of another kind has, or has not."""
    script = phone.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": what})
    try:
        yield
    finally:
        phone.driver.execute_cdp_cmd(
            "Page.removeScriptToEvaluateOnNewDocument", script)


@pytest.mark.parametrize("standalone, state", (
    ("", "unsupported"),
    ("navigator.standalone = true;", "unsupported"),
    ("navigator.standalone = false;", "install")))
def test_browser_that_can_not_ring(rig, phone, standalone, state):
    """An iPhone's can, once the page is installed: so it says how."""
    with browser_with(phone, "delete window.PushManager;" + standalone):
        at_home(rig, phone, state)
        assert "Ring this phone" not in phone.buttons()
        assert ("Add to Home Screen" in phone.text) == (state == "install")


INSTALLED = """const real = window.matchMedia;
    window.matchMedia = (query) => query === "(display-mode: standalone)"
        ? { matches: true } : real.call(window, query);"""


def test_link_is_pasted_into_the_installed_page(rig, phone):
    with browser_with(phone, INSTALLED):
        phone.open(rig.origin)
        phone.button("Open")
        phone.field("link", "https://example.org/")
        phone.click("Open")
        assert "Paste the whole link" in phone.text
        login = rig.login(USER, service="sshd")
        phone.field("link", f" {login.link()} ")
        phone.press("Enter")
        phone.reaches("question")
        assert phone.driver.find_elements("id", "code") == []
        phone.click("Approve")
        phone.reaches("granted")
        assert login.end() == "PAM_SUCCESS"
        phone.click("Back to the inbox")
        phone.reaches("idle")


def test_offered_after_an_enrolment(rig, phone):
    """And switched on with that one click."""
    permit(rig, phone, "granted")
    phone.passkeys.remove()
    phone.authenticator()
    try:
        enrol(rig, phone, "games", "one more")
        phone.click("Ring this phone")
        until(lambda: ring_state(phone) == "on", "the ringing")
        assert own(phone)["subscribed"] is True
        phone.click("Don't ring")
        until(lambda: ring_state(phone) == "off", "the silence")
    finally:
        rig.countersign("deenroll", "--yes", "games")


# --- the worker -------------------------------------------------------------

@pytest.fixture
def rings(rig, phone):
    """It may show notifications, and its worker is there."""
    permit(rig, phone, "granted")
    phone.open(rig.origin)
    phone.js("return navigator.serviceWorker.ready.then(() => 1)")


def shown(phone):
    return phone.driver.execute_async_script("""
        const done = arguments[0];
        navigator.serviceWorker.ready.then((worker) =>
            worker.getNotifications()).then((all) => done(all.map(
                ({ title, body, tag, silent, requireInteraction, actions }) =>
                ({ title, body, tag, silent, requireInteraction,
                   actions: actions.length }))));""")


def payload(link):
    return json.dumps({"v": 1, "link": link})


def test_notification_names_nobody(rig, phone, rings, devtools, desktop):
    login, code = asked(rig)
    devtools.push(rig.origin, payload(link_id(login.link())))
    there = desktop.notification()
    found, = until(lambda: shown(phone), "the notification")
    assert found["title"] == "A question for you"
    assert found["tag"] == link_id(login.link())
    assert found["actions"] == 0 and found["requireInteraction"] is True
    text = json.dumps([there, found])
    members = rig.question(login.link()).members
    for secret in (code, USER, members["host"] + "\"", members["title"]):
        assert secret not in text
    # The question that is open on the phone needs no notification any more.
    phone.open(login.link())
    phone.reaches("question")
    until(lambda: shown(phone) == [], "the end of it")


def clicked(devtools, desktop, rig, data):
    devtools.push(rig.origin, data)
    desktop.click(desktop.notification())


def test_click_code_and_passkey(rig, phone, rings, devtools, desktop):
    """From the ring to the grant, in the window that is open."""
    login, code = asked(rig)
    phone.driver.get(rig.origin + "/healthz")
    phone.open(rig.origin)
    clicked(devtools, desktop, rig, payload(link_id(login.link())))
    phone.reaches("question")
    assert shown(phone) == []
    give(phone, code, "granted")
    assert login.end() == "PAM_SUCCESS"


def newest_window(phone):
    phone.driver.switch_to.window(until(
        lambda: phone.driver.window_handles[1:], "a window")[0])
    return phone


def test_click_opens_a_window(rig, phone, rings, devtools, desktop):
    login, _ = asked(rig)
    link = link_id(login.link())
    devtools.push(rig.origin, payload(link))
    there = desktop.notification()
    phone.driver.get("about:blank")
    desktop.click(there)
    page = newest_window(phone)
    page.reaches("question")
    assert link not in page.driver.current_url
    assert page.driver.find_elements("id", "code")


def test_click_too_late(rig, phone, rings, devtools, desktop):
    login, _ = asked(rig)
    link = link_id(login.link())
    devtools.push(rig.origin, payload(link))
    there = desktop.notification()
    login.close()
    until(lambda: rig.link_state(login.link()) != "pending", "the end")
    desktop.click(there)
    phone.reaches("ended")
    assert "This question is over" in phone.text


def test_click_on_what_is_open_already(rig, phone, rings, devtools, desktop):
    """Scanned meanwhile: it stays as it is, and asks for no code."""
    login, _ = asked(rig)
    data = payload(link_id(login.link()))
    devtools.push(rig.origin, data)
    desktop.notification()
    phone.open(login.link())
    phone.reaches("question")
    # The page takes away what rang before; what comes now can be clicked.
    until(lambda: shown(phone) == [], "the end of the notification")
    looks = rig.service.calls("/inbox")
    # Behind the page's own listener: once this one has counted the click, the
    # page has decided what to do about it.
    phone.js("""window.clicks = 0;
        navigator.serviceWorker.addEventListener("message",
            () => { window.clicks++; });""")
    clicked(devtools, desktop, rig, data)
    until(lambda: phone.js("return window.clicks") == 1, "the click")
    devtools.push(rig.origin, payload(""))  # what comes after that
    desktop.notification()
    assert phone.state == "question"
    assert phone.driver.find_elements("id", "code") == []
    assert rig.service.calls("/inbox") == looks


def test_notice_is_silent(rig, phone, rings, devtools, desktop):
    devtools.push(rig.origin, payload(""))
    desktop.notification()
    found, = until(lambda: shown(phone), "the notice")
    assert found["title"] == "Approved on another phone"
    assert found["silent"] is True and found["requireInteraction"] is False


@pytest.mark.parametrize("data", ("", "{", "null", "[]", '{"link": 7}',
                                  '{"link": "../../evil"}'))
def test_push_that_says_nothing(rig, phone, rings, devtools, desktop, data):
    """Still a notification, and still nothing of it is shown."""
    clicked(devtools, desktop, rig, data)
    assert phone.state in ("idle", "inbox", "ended", "opening")
    phone.reaches("idle", "inbox", "ended")
    assert "evil" not in phone.text


def test_browser_rings_by_another_address(rig, phone, rings, devtools):
    """The worker tells the service without the page."""
    switched_on(rig, phone)
    session = devtools.attach("service_worker")
    before = rig.service.calls("/devices/self/push")
    result = devtools.call(
        "Runtime.evaluate", session, awaitPromise=True, expression="""
        new Promise((resolve) => {
            const event = new ExtendableEvent("pushsubscriptionchange");
            event.newSubscription = { toJSON: () => (%s) };
            event.waitUntil = (promise) => resolve(
                promise.then((reply) => reply.status));
            self.dispatchEvent(event);
        })""" % json.dumps({"endpoint": ENDPOINT % "moved", "keys": {
            "p256dh": oracle.b64u(oracle.point_of(oracle.private_key())),
            "auth": "A" * 22}}))
    assert result["result"]["value"] == 204
    assert rig.service.calls("/devices/self/push") > before
    assert own(phone)["subscribed"] is True
