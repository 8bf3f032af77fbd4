# SPDX-License-Identifier: BSD-2-Clause
"""A phone takes itself out of an account, from the page without a link."""
import json

import pytest
from browser import enrol, until

NOTES = "/devices/self/removal"


@pytest.fixture(autouse=True)
def fresh(rig, page):
    """A browser that was never here, and accounts without a device."""
    page.forget(rig.origin)
    rig.notes, rig.removals = rig.service.calls(NOTES), 0
    rig.removals = len(removals(rig, "games"))
    yield
    for user in ("games", "man"):
        rig.countersign("deenroll", "--yes", user, check=False)


def devices(rig, user):
    text = rig.countersign("devices", "--json", user, check=False)
    listed, _ = json.JSONDecoder().raw_decode(text)
    return {one["name"]: one["id"] for one in listed["devices"]}


def removals(rig, user):
    return [(line["result"], line["reason"]) for line in rig.audit()
            if line["event"] == "removal" and line["user"] == user
            ][rig.removals:]


def joined(rig, page, user, name):
    """A phone in this browser, enrolled by its page."""
    phone = page.authenticator()
    enrol(rig, page, user, name)
    return phone


@pytest.fixture
def stays(rig, page):
    """The other phone of games: {credential}, put away for now."""
    phone = joined(rig, page, "games", "stays")
    credentials = phone.credentials()
    phone.remove()
    page.forget(rig.origin)
    return credentials


def places(page, *reached):
    """The places that the page lists."""
    page.reaches(*(reached or ("idle",)))
    until(lambda: "can approve for" in page.text, "the list")
    return [element.text for element in
            page.driver.find_elements("css selector", ".place > div")]


def remembered(page):
    return page.driver.execute_async_script("""
        const done = arguments[0];
        import("/memory.js").then((memory) => memory.enrolments())
            .then((all) => done(all.map((e) => e.name).sort()));""")


def remove(page):
    page.click("Remove")
    page.reaches("removal")
    page.click("Remove this phone")


def test_from_the_list_to_the_end(rig, page, stays):
    phone = joined(rig, page, "games", "goes")
    page.open(rig.origin)
    login = rig.login("games", service="sshd")
    host = rig.question(login.link()).members["host"]
    login.close()
    assert places(page) == [f"{host}\ngames, goes"]
    page.click("Remove")
    page.reaches("removal")
    assert f"games on {host}" in page.text and "recovery code" in page.text
    assert page.focused == "Keep it"
    page.click("Keep it")
    assert places(page) == [f"{host}\ngames, goes"]
    assert rig.service.calls(NOTES) == rig.notes
    remove(page)
    page.reaches("removed")
    assert f"{host} forgets this phone before its next question" in page.text
    assert page.console() == []
    assert remembered(page) == []
    # Until then it is as the page says.
    assert set(devices(rig, "games")) == {"stays", "goes"}
    gone = devices(rig, "games")["goes"]
    login = rig.login("games", service="sshd")
    login.link()
    assert set(devices(rig, "games")) == {"stays"}
    assert removals(rig, "games") == [("granted", "OK")]
    # The passkey is still there, and no host takes it.
    page.open(login.link())
    page.reaches("question")
    assert "doesn't remember" in page.text
    page.click("Approve")
    until(lambda: "not enrolled for this account" in page.text, "the no")
    phone.remove()
    page.authenticator().add(stays[0])
    page.open(login.link())
    page.reaches("question")
    page.click("Approve")
    page.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert rig.audit()[-1]["deviceName"] == "stays"
    # The one after that does not offer it any more.
    login = rig.login("games", service="sshd")
    offered = rig.question(login.link()).content["credentials"]
    login.close()
    assert [device for device, _ in offered] == [
        devices(rig, "games")["stays"]] != [gone]
    page.open(rig.origin)
    page.reaches("idle")
    assert "can approve for" not in page.text


def test_login_that_was_pending(rig, page, stays):
    """Asked before the removal, answered when the host knows of it."""
    joined(rig, page, "games", "goes")
    pending = rig.login("games", service="sshd")
    link = pending.link()
    page.open(rig.origin)
    places(page)
    remove(page)
    page.reaches("removed")
    other = rig.login("games", service="sshd")
    other.link()
    page.open(link)
    page.reaches("question")
    page.click("Approve")
    until(lambda: "not enrolled for this account" in page.text, "the no")
    assert rig.link_state(link) != "granted"
    for login in (pending, other):
        login.close()


def test_last_phone(rig, page):
    joined(rig, page, "games", "only")
    page.open(rig.origin)
    places(page)
    remove(page)
    page.reaches("removed")
    rig.login("games", service="sshd").link()
    assert devices(rig, "games") == {}
    with rig.settings(unenrolled="ignore"):  # but it had one
        login = rig.login("games", service="login")
        assert login.end() == "PAM_AUTHINFO_UNAVAIL"


def test_one_of_two(rig, page):
    joined(rig, page, "games", "one")
    enrol(rig, page, "man", "two")
    page.open(rig.origin)
    assert [place.split("\n")[1] for place in sorted(places(page))] == [
        "games, one", "man, two"]
    row = next(one for one in page.driver.find_elements(
        "class name", "place") if "man, two" in one.text)
    row.find_element("tag name", "button").click()
    page.reaches("removal")
    assert "man on" in page.text
    page.click("Remove this phone")
    page.reaches("removed")
    assert remembered(page) == ["one"]
    login = rig.login("games", service="sshd")
    page.open(login.link())  # and the host learns of the other account
    page.reaches("question")
    assert "doesn't remember" not in page.text
    page.click("Approve")
    page.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert devices(rig, "man") == {}
    page.open(rig.origin)
    assert [place.split("\n")[1] for place in places(page)] == ["games, one"]


def test_passkey_is_cancelled(rig, page):
    phone = joined(rig, page, "games", "phone")
    page.open(rig.origin)
    places(page)
    phone.verify(False)
    remove(page)
    until(lambda: page.state == "idle" and "not used" in page.text, "the list")
    assert rig.service.calls(NOTES) == rig.notes
    assert remembered(page) == ["phone"]
    phone.verify(True)
    remove(page)
    page.reaches("removed")


def test_cookie_is_gone(rig, page):
    """Nothing is forgotten that the host may still ask."""
    joined(rig, page, "games", "phone")
    page.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    page.open(rig.origin)
    places(page)
    remove(page)
    page.reaches("not-removed")
    assert "administrator" in page.text
    assert remembered(page) == ["phone"]
    login = rig.login("games", service="sshd")
    page.open(login.link())
    page.click("Approve")
    page.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert removals(rig, "games") == []


def test_service_is_away(rig, page):
    joined(rig, page, "games", "phone")
    page.open(rig.origin)
    places(page)
    page.click("Remove")
    page.reaches("removal")
    with rig.service_down():
        page.click("Remove this phone")
        page.reaches("unreachable")
    assert remembered(page) == ["phone"]
    page.open(rig.origin)
    places(page)
    remove(page)
    page.reaches("removed")


def test_too_often(rig, page):
    """The limit of the service is no word about this phone."""
    joined(rig, page, "games", "phone")
    page.open(rig.origin)
    places(page)
    page.js("""const real = window.fetch;
        window.fetch = (url, ...more) => String(url).endsWith(arguments[0])
            ? Promise.resolve(new Response("{}", { status: 429 }))
            : real(url, ...more);""".replace("arguments[0]",
                                             json.dumps(NOTES)))
    remove(page)
    page.reaches("limited")
    assert remembered(page) == ["phone"]


def test_hostile_names(rig, page):
    """Whatever a host called itself when it was enrolled."""
    page.open(rig.origin)
    page.reaches("idle")
    page.driver.execute_async_script("""
        const done = arguments[0];
        import("/memory.js").then((memory) => memory.withStore("readwrite",
            (store) => store.put({
                device: "aaaaaaaaaaaaaaaa", credential: new Uint8Array(16),
                host: "<img src=x onerror=window.ran=1>", uid: 1,
                user: "ro\\u202eot\\u0007", name: "<b>\\u200bbold</b>" })))
            .then(done);""")
    page.open(rig.origin)
    assert places(page) == ["<img src=x onerror=window.ran=1>\n"
                            "ro\\u{202e}ot\\u{7}, <b>\\u{200b}bold</b>"]
    page.click("Remove")
    page.reaches("removal")
    assert "ro\\u{202e}ot\\u{7} on <img src=x" in page.text
    assert page.js("""return [document.querySelectorAll("main img, b").length,
        window.ran ?? null];""") == [0, None]


def test_keyboard(rig, page):
    joined(rig, page, "games", "one")
    enrol(rig, page, "man", "two")
    page.open(rig.origin)
    places(page)
    assert page.focused == "Nothing to answer"
    page.button("Ring this phone")
    page.press("Tab")
    assert page.focused == "Ring this phone"
    order = []
    for _ in range(2):
        page.press("Tab")
        order.append(page.js(
            "return document.getElementById(document.activeElement"
            ".getAttribute('aria-describedby')).lastChild.textContent"))
    assert sorted(order) == ["games, one", "man, two"]
    page.press("Enter")
    page.reaches("removal")
    assert page.focused == "Keep it"
    page.press("Tab")
    assert page.focused == "Remove this phone"
    page.press("Tab", shift=True)
    page.press("Enter")
    places(page)


def test_reload_and_a_link(rig, page):
    """The list is below "scan again" too, and makes way for a question."""
    joined(rig, page, "games", "phone")
    login = rig.login("games", service="sshd")
    page.open(rig.origin)
    places(page)
    page.driver.refresh()
    places(page, "again")
    page.click("Remove")
    page.reaches("removal")
    page.driver.get(login.link())  # only the fragment differs
    page.reaches("question")
    page.click("Approve")
    page.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert rig.service.calls(NOTES) == rig.notes


def test_nothing_remembered(rig, page):
    page.open(rig.origin)
    page.reaches("idle")
    assert page.buttons() == [] and remembered(page) == []
    assert "can approve for" not in page.text
