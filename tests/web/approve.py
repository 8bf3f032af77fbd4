# SPDX-License-Identifier: BSD-2-Clause
"""One login after another is answered in the page: what its owner does."""
import pytest
from browser import enrol, until
from conftest import USER


@pytest.fixture
def login(rig):
    """A login that waits for its answer."""
    login = rig.login(USER, service="sshd")
    yield login
    login.close()


def seen(phone, link):
    phone.open(link)
    phone.reaches("question")


def test_approve(rig, phone, login):
    seen(phone, login.link())
    assert phone.focused == "Deny"
    assert phone.buttons() == ["Deny", "Approve", "This was not me"]
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert phone.console() == []
    assert rig.audit()[-1]["result"] == "granted"


def test_question_is_shown_whole(rig, phone, login):
    seen(phone, login.link())
    transaction = rig.question(login.link()).members
    text = phone.text
    assert transaction["title"] in text
    assert transaction["host"] in text and transaction["user"] in text
    assert transaction["details"]
    for label, value in transaction["details"]:
        assert label in text and value in text
    assert " left" in text and "ago" in text or "just now" in text


def test_secret_leaves_the_address_bar(phone, login):
    seen(phone, login.link())
    assert "#" not in phone.driver.current_url
    secret = login.link().split("#")[1]
    kept = phone.driver.execute_async_script("""
        const done = arguments[0], all = [];
        all.push(JSON.stringify(localStorage), JSON.stringify(sessionStorage),
            JSON.stringify(history.state), document.documentElement.outerHTML);
        (async () => {
            for (const name of await caches.keys())
                for (const one of await (await caches.open(name)).keys())
                    all.push(one.url);
            return all.join();
        })().then(done);""")
    assert secret.upper() not in kept.upper()


def test_deny(rig, phone, login):
    seen(phone, login.link())
    phone.click("Deny")
    phone.reaches("denied")
    assert login.end() == "PAM_MAXTRIES"
    assert rig.audit()[-1]["reason"] == "DENIED"


def test_not_me(rig, phone, login):
    seen(phone, login.link())
    phone.click("This was not me")
    phone.reaches("reported")
    assert login.end() == "PAM_MAXTRIES"
    assert rig.audit()[-1]["reason"] == "NOT_ME"


def test_keyboard_denies_at_once(phone, login):
    """Deny has the focus: Enter is a no."""
    seen(phone, login.link())
    phone.press("Enter")
    phone.reaches("denied")
    assert login.end() == "PAM_MAXTRIES"


def test_keyboard_reaches_everything(phone, login):
    seen(phone, login.link())
    order = [phone.focused]
    for _ in range(2):
        phone.press("Tab")
        order.append(phone.focused)
    assert order == ["Deny", "Approve", "This was not me"]
    phone.press("Tab", shift=True)
    phone.press("Enter")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"


def test_expiry_while_open(rig, phone):
    with rig.settings(lifetime=30):
        login = rig.login(USER, service="sshd")
        seen(phone, login.link())
    before = phone.driver.find_element("class name", "left").text
    until(lambda: phone.driver.find_element("class name", "left").text
          != before, "the clock's next second")
    phone.reaches("expired", seconds=40)
    assert login.end() == "PAM_AUTH_ERR"


def test_login_is_broken_off(phone, login):
    seen(phone, login.link())
    login.close()
    phone.reaches("cancelled")


def test_double_click_signs_once(rig, phone, login):
    seen(phone, login.link())
    phone.js("""const button = arguments[0];
        for (let n = 0; n < 5; n++) button.click();""",
             phone.button("Approve"))
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert rig.service.calls("/links/x/answer") == rig.answers + 1


@pytest.fixture(autouse=True)
def answers_so_far(rig):
    rig.answers = rig.service.calls("/links/x/answer")


def test_reload_forgets(phone, login):
    seen(phone, login.link())
    phone.driver.refresh()
    phone.reaches("again")
    assert "Scan the code again" in phone.text
    seen(phone, login.link())
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"


def test_back_forgets(phone, login, rig):
    seen(phone, login.link())
    phone.driver.get(rig.origin + "/healthz")
    phone.driver.back()
    phone.reaches("again")
    until(lambda: phone.buttons() == ["Ring this phone", "Remove"],
          "what this phone remembers")
    assert "#" not in phone.driver.current_url


def test_next_link_in_the_same_tab(rig, phone, login):
    seen(phone, login.link())
    other = rig.login(USER, service="sshd")
    phone.driver.get(other.link())  # only the fragment differs
    until(lambda: rig.link_state(other.link()) == "seen", "the second look")
    phone.reaches("question")
    phone.click("Approve")
    phone.reaches("granted")
    assert other.end() == "PAM_SUCCESS"
    assert rig.link_state(login.link()) == "seen"


def test_two_tabs(rig, phone, login, driver, enrolled):
    seen(phone, login.link())
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    try:
        second = phone.authenticator()
        for credential in enrolled:
            second.add(credential)
        seen(phone, login.link())
        phone.click("Approve")
        phone.reaches("granted")
        enrolled[:] = second.credentials()
        driver.close()
    finally:
        driver.switch_to.window(first)
    phone.passkeys.remove()
    phone.reaches("granted-elsewhere")
    assert login.end() == "PAM_SUCCESS"


def test_link_that_was_used(phone, login):
    seen(phone, login.link())
    phone.click("Approve")
    phone.reaches("granted")
    login.end()
    phone.open(login.link())
    phone.reaches("unknown")


def test_link_that_never_was(rig, phone):
    phone.open(rig.origin + "/#" + "A" * 26)
    phone.reaches("unknown")


@pytest.mark.parametrize("fragment", ("A" * 25, "A" * 27, "1" * 26, "B" * 26,
                                      "%41" * 26, "A" * 26 + "#"))
def test_link_that_is_none(rig, phone, fragment):
    phone.open(rig.origin + "/#" + fragment)
    phone.reaches("bad-link")


def test_user_is_not_verified(rig, phone, login):
    seen(phone, login.link())
    phone.passkeys.verify(False)
    phone.click("Approve")
    until(lambda: phone.state == "question" and "not used" in phone.text,
          "a second chance")
    assert phone.focused == "Deny"
    phone.passkeys.verify(True)
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"


def test_deny_without_the_passkey(rig, phone, login):
    seen(phone, login.link())
    phone.passkeys.verify(False)
    phone.click("Deny")
    phone.reaches("unsigned")
    assert phone.focused == "Deny without the passkey"
    phone.click("Back to the question")
    phone.reaches("question")
    phone.click("This was not me")
    phone.reaches("unsigned")
    phone.click("Deny without the passkey")
    phone.reaches("denied")
    assert login.end() == "PAM_MAXTRIES"
    assert rig.audit()[-1]["reason"] == "DECLINED"


def test_another_passkey_of_this_phone(rig, phone, login):
    """Also where the browser would offer it: it is not in the host's list."""
    seen(phone, login.link())
    phone.js("""navigator.credentials.get = async () => ({
        rawId: new Uint8Array(32), response: {
            authenticatorData: new Uint8Array(37),
            clientDataJSON: new Uint8Array(100),
            signature: new Uint8Array(70) } });""")
    phone.click("Approve")
    until(lambda: "not for this account" in phone.text, "the reason")
    assert rig.service.calls("/links/x/answer") == rig.answers


def test_phone_of_somebody_else(rig, page, login, enrolled):
    """It has a passkey here, but for another account."""
    page.forget(rig.origin)
    passkeys = page.authenticator(transport="internal")
    passkeys.add({**enrolled[0], "credentialId": "AAAA"})
    seen(page, login.link())
    assert "doesn't remember being enrolled" in page.text
    page.click("Approve")
    until(lambda: "not used" in page.text, "the reason")
    assert rig.service.calls("/links/x/answer") == rig.answers


def test_account_that_is_none(rig, page):
    """Whoever tries names sees the question that everybody sees."""
    page.authenticator()
    login = rig.login("nosuchuser", service="sshd")
    seen(page, login.link())
    assert page.buttons() == ["Deny", "Approve", "This was not me"]
    page.click("Approve")
    until(lambda: "not used" in page.text, "the reason")
    page.click("Deny")
    page.reaches("unsigned")
    page.click("Deny without the passkey")
    page.reaches("denied")
    assert login.end() != "PAM_SUCCESS"


def test_service_restarts_between_look_and_answer(rig, phone, login):
    seen(phone, login.link())
    with rig.service_down():
        phone.click("Approve")
        until(lambda: "No connection" in phone.text, "the word of it")
    phone.reaches("granted")
    assert "No connection" not in phone.text
    assert login.end() == "PAM_SUCCESS"


def test_service_is_away_when_the_link_is_opened(rig, phone, login):
    """The page itself is kept by its worker."""
    link = login.link()
    phone.open(rig.origin)
    phone.js("return navigator.serviceWorker.ready.then(() => 1)")
    with rig.service_down():
        phone.open(link)
        phone.reaches("opening")
        until(lambda: "No connection" in phone.text, "the word of it")
    phone.reaches("question")
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"


def test_second_device_of_the_account(rig, phone):
    """Either passkey may answer; the list names both."""
    first = phone.passkeys.credentials()
    phone.passkeys.remove()
    passkeys = phone.authenticator()
    enrol(rig, phone, USER, "second phone")
    second = passkeys.credentials()
    assert len(second) == 1
    login = rig.login(USER, service="sshd")
    seen(phone, login.link())
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    passkeys.remove()
    assert rig.audit()[-1]["deviceName"] == "second phone"
    phone.passkeys = phone.authenticator()
    for credential in first:
        phone.passkeys.add(credential)


def test_phone_that_has_a_passkey_already(rig, phone):
    """The host names its devices, so that none is replaced unseen."""
    terminal = rig.terminal("enroll", "--qr", "off", USER)
    phone.open(terminal.link())
    phone.reaches("enrolment")
    phone.click("Create passkey")
    until(lambda: "has a passkey for this account" in phone.text, "the reason")
    phone.click("Don't enrol")
    phone.reaches("enrol-declined")
    assert terminal.end() == 1
    assert len(phone.passkeys.credentials()) == 1


def test_clock_of_the_question(phone, login):
    seen(phone, login.link())
    left = phone.driver.find_element("class name", "left").text
    minutes, seconds = left.split()[0].split(":")
    assert 60 < int(minutes) * 60 + int(seconds) <= 90
