# SPDX-License-Identifier: BSD-2-Clause
"""What the service delivers, and what a browser makes of its headers."""
import base64
import hashlib
import json
import re
import subprocess

import pytest
from browser import Page, WebRig, chromium, enrol, until
from conftest import USER
from hostile import Proxy
from rig import link_id
from sources import BUILD, TOP, built

WEB = TOP / "service/web"
LIST = BUILD / "service/page.sha256"
TYPES = {".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8",
         ".html": "text/html; charset=utf-8", ".svg": "image/svg+xml",
         ".png": "image/png", ".json": "application/json",
         ".webmanifest": "application/manifest+json"}
CSP = {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
       "connect-src": "'self'", "manifest-src": "'self'",
       "worker-src": "'self'", "img-src": "'self'", "base-uri": "'none'",
       "form-action": "'none'", "frame-ancestors": "'none'",
       "require-trusted-types-for": "'script'",
       "trusted-types": "countersign"}
FILES = sorted(path.name for path in WEB.iterdir())


def url_path(name):
    return "/" if name == "index.html" else f"/{name}"


@pytest.fixture
def anybody(rig):
    return rig.service.anybody()


def test_list_is_the_sources(rig):
    run = subprocess.run([built("service/countersignd"), "web", "--list",
                          "--json"], stdout=subprocess.PIPE, check=True)
    listed = json.loads(run.stdout)
    assert [one["name"] for one in listed] == FILES
    for one in listed:
        data = (WEB / one["name"]).read_bytes()
        assert one["size"] == len(data)
        assert one["sha256"] == hashlib.sha256(data).hexdigest()
        assert one["path"] == url_path(one["name"])


def test_installed_list_is_the_sources():
    lines = LIST.read_text().splitlines()
    assert [line.split()[1] for line in lines] == FILES
    subprocess.run(["sha256sum", "--quiet", "-c", LIST], cwd=WEB, check=True)


def test_worker_knows_the_files():
    """make page-hashes has run since the last change."""
    worker = (WEB / "sw.js").read_text()
    table = dict(re.findall(r'^\t"(/[^"]*)": "([^"]{44})",$', worker, re.M))
    wanted = {url_path(name) for name in FILES if not name.endswith(".png")
              and name not in ("sw.js", "service.json")}
    assert set(table) == wanted
    for path, integrity in table.items():
        name = "index.html" if path == "/" else path[1:]
        digest = hashlib.sha256((WEB / name).read_bytes()).digest()
        assert integrity == base64.b64encode(digest).decode()


@pytest.mark.parametrize("name", FILES)
def test_file(anybody, name):
    reply = anybody.get(url_path(name))
    data = (WEB / name).read_bytes()
    assert (reply.status, reply.body) == (200, data)
    assert reply.headers["Content-Type"] == TYPES["." + name.split(".")[1]]
    assert reply.headers["Cache-Control"] == "no-cache"
    tag = reply.headers["ETag"]
    assert tag == f'"{hashlib.sha256(data).hexdigest()}"'
    again = anybody.get(url_path(name), headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == tag
    assert "Content-Length" not in again.headers
    other = anybody.get(url_path(name), headers={"If-None-Match": '"x"'})
    assert other.status == 200
    head = anybody.request("HEAD", url_path(name))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(data))
    for method in ("POST", "DELETE"):
        assert anybody.request(method, url_path(name)).status == 405


@pytest.mark.parametrize("path", ("/", "/main.js", "/healthz", "/nothing",
                                  "/links/" + "A" * 22))
def test_headers(anybody, path):
    headers = anybody.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in
                  headers["Content-Security-Policy"].split(";"))
    assert policy == CSP
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "max-age=" in headers["Strict-Transport-Security"]
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in headers
    if path not in ("/", "/main.js"):
        assert headers["Cache-Control"] == "no-store"


# --- in the browser ---------------------------------------------------------

def test_injected_script_does_not_run(rig, page):
    page.open(rig.origin)
    page.reaches("idle", "again")
    page.js("""
        const script = document.createElement("script");
        try { script.textContent = "window.ran = 1"; } catch { }
        document.body.append(script);
        const image = document.createElement("img");
        try { image.setAttribute("onerror", "window.ran = 2"); } catch { }
        image.src = "/nothing.png";
        document.body.append(image);
        const style = document.createElement("style");
        style.textContent = "body { display: none }";
        document.head.append(style);
        const link = document.createElement("a");
        link.href = "javascript:window.ran=3";
        document.body.append(link);
        link.click();""")
    refused = page.driver.execute_async_script("""
        // Not at once: what a debugger evaluates may do more than the page.
        const done = arguments[0], refused = [];
        setTimeout(() => { for (const act of [
            () => { document.body.innerHTML = "<b>x</b>"; },
            () => eval("1"), () => setTimeout("window.ran = 4"),
            () => new Function("window.ran = 5")(),
            () => window.trustedTypes.createPolicy("other", {}),
            () => new Worker("/sw.js")])
            try { act(); refused.push(false); }
            catch { refused.push(true); } });
        setTimeout(() => done([refused, window.ran ?? null,
            getComputedStyle(document.body).display]), 100);""")
    assert refused == [[True] * 6, None, "block"]
    assert any("Content Security Policy" in entry["message"] or
               "violates" in entry["message"] for entry in page.console())


def test_framing_is_refused(rig, page):
    page.open("data:text/html,<iframe id=f width=500 height=500 src='"
              f"{rig.origin}/'></iframe>")
    page.driver.switch_to.frame("f")
    assert page.js("return document.getElementById('main')") is None
    page.driver.switch_to.default_content()


def test_nothing_is_told_to_anybody_else(rig, phone):
    """A whole approval: every request goes to the page's own origin."""
    phone.driver.get_log("performance")
    login = rig.login(USER, service="sshd")
    phone.open(login.link())
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    asked = []
    for entry in phone.driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    secret = login.link().split("#")[1]
    there = [url for url in asked if url != "about:blank"]
    assert any(url.endswith("/answer") for url in there)
    for url in there:
        assert url.startswith(rig.origin + "/"), url
        assert "#" in url or secret not in url
    cookies = phone.driver.execute_cdp_cmd("Network.getCookies", {
        "urls": [rig.origin]})["cookies"]
    assert [(c["name"], c["httpOnly"], c["secure"], c["sameSite"])
            for c in cookies] == [("__Host-countersign", True, True,
                                   "Strict")]
    assert phone.console() == []


BOTS = ("Slackbot-LinkExpanding 1.0", "WhatsApp/2.2", "TelegramBot",
        "facebookexternalhit/1.1", "Twitterbot/1.0", "Discordbot/2.0",
        "LinkedInBot/1.0", "Googlebot/2.1", "SkypeUriPreview", "curl/8")


def test_bots_change_nothing(rig, phone, anybody):
    """They see the page and, even with the link's id, only read."""
    login = rig.login(USER, service="sshd")
    path = f"/links/{link_id(login.link())}"
    before = anybody.get(path).json
    for bot in BOTS:
        for method in ("GET", "HEAD"):
            for at in ("/", path, path + "/events", path + "/seen",
                       path + "/answer", path + "/device"):
                anybody.request(method, at, headers={"User-Agent": bot})
    after = anybody.get(path).json
    assert after["state"] == before["state"] == "pending"
    assert after["content"] == before["content"]
    phone.open(login.link())
    phone.click("Approve")
    phone.reaches("granted")
    assert login.end() == "PAM_SUCCESS"


LATER = ("enrolment", "field", "home", "inbox", "install", "rare", "removal",
         "ring", "trouble", "verdict")


def kept(page):
    """What the worker keeps: {path: SHA-256 of the bytes}."""
    page.js("return navigator.serviceWorker.ready.then(() => 1)")
    return page.driver.execute_async_script("""
        const done = arguments[0];
        (async () => {
            const all = {}, hex = (bytes) => [...new Uint8Array(bytes)].map(
                (byte) => byte.toString(16).padStart(2, "0")).join("");
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const one of await cache.keys())
                    all[new URL(one.url).pathname] = hex(
                        await crypto.subtle.digest("SHA-256",
                            await (await cache.match(one)).arrayBuffer()));
            }
            return all;
        })().then(done);""")


def listed(wanted=lambda name: True):
    """The same of the sources."""
    return {url_path(name):
            hashlib.sha256((WEB / name).read_bytes()).hexdigest()
            for name in FILES if name != "sw.js" and
            not name.endswith(".png") and wanted(name)}


def test_page_is_kept_only_as_listed(rig, page):
    """The question's files at once, each other one when it is used."""
    page.forget(rig.origin)
    page.open(rig.origin + "/#" + "A" * 25)
    page.reaches("bad-link")
    first = listed(lambda name: not name.startswith(LATER))
    until(lambda: kept(page) == first, "the question's files")
    page.open(rig.origin)
    page.reaches("idle")
    used = listed(lambda name: not name.startswith(LATER) or
                  name.startswith(("home", "inbox")))
    until(lambda: kept(page) == used, "those of the home screen")


# --- what it costs ----------------------------------------------------------

MOST = 60_000  # bytes, for each way to open the page


class Counter(Proxy):
    """Between the browser and the service: the bytes of each file, once each
    time it is sent; a 304 sends none."""

    def __init__(self):
        super().__init__()
        self.sent, self.change = {}, {}
        self.reply = self.count

    def count(self, path, body):
        path = path.split("?")[0]
        body = body and self.change.get(path, body)
        if path in PAGE:
            self.sent[path] = self.sent.get(path, 0) + len(body)
        return body

    def total(self, page):
        """Once the worker has all of its own, too."""
        page.js("return navigator.serviceWorker.ready.then(() => 1)")
        # What a phone fetches when the page is put on its Home Screen.
        for name in ("icon-192.png", "manifest.webmanifest"):
            self.sent.setdefault(url_path(name), (WEB / name).stat().st_size)
        twice = {path: sent for path, sent in self.sent.items()
                 if sent > len(PAGE[path])}
        assert twice == {}
        return sum(self.sent.values())


PAGE = {url_path(name): (WEB / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def counted():
    counter = Counter()
    with WebRig(page_url=counter.origin, device_kinds="webauthn") as rig, \
            chromium() as driver:
        counter.target = rig.service.url
        rig.counter, rig.driver = counter, driver
        yield rig
    counter.server.shutdown()


@pytest.fixture
def new_browser(counted):
    """It has been here, but nothing of the page is left."""
    page = Page(counted.driver)
    page.driver.get("about:blank")
    page.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {
        "origin": counted.counter.origin,
        "storageTypes": "service_workers,cache_storage"})
    page.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    counted.counter.sent.clear()
    yield page
    page.close()


def test_enrolment_is_small(counted, new_browser):
    page = new_browser
    counted.passkeys = page.authenticator()
    enrol(counted, page, USER)
    counted.credentials = counted.passkeys.credentials()
    assert counted.counter.total(page) <= MOST, counted.counter.sent


def test_question_is_small(counted, new_browser):
    page = new_browser
    passkeys = page.authenticator()
    passkeys.add(counted.credentials[0])
    login = counted.login(USER)
    page.open(login.link())
    page.click("Approve")
    page.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert counted.counter.total(page) <= 55_000, counted.counter.sent


def test_inbox_is_small(counted, new_browser):
    """With a question in it, and what the phone is told of the ringing."""
    page = new_browser
    login = counted.login(USER)
    login.link()
    page.open(counted.counter.origin)
    page.reaches("inbox")
    until(lambda: "Ring this phone" in page.buttons(), "the ringing")
    assert counted.counter.total(page) <= MOST, counted.counter.sent


def test_other_bytes_are_not_kept(counted, new_browser):
    """Nor served: a part of another release is none of this one's."""
    page = new_browser
    counted.counter.change = {"/home.js": b"document.title = 'other';"}
    try:
        page.open(counted.counter.origin + "/#" + "A" * 25)
        page.reaches("bad-link")
        before = kept(page)
        page.open(counted.counter.origin)
        page.reaches("unreachable")
    finally:
        counted.counter.change = {}
    assert page.js("return document.title") != "other"
    assert kept(page) == before and "/home.js" not in before
    # The lie came with the right file's ETag.
    page.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    page.open(counted.counter.origin)
    page.reaches("idle", "inbox")


def test_page_is_small():
    """All of its files together."""
    sizes = {name: (WEB / name).stat().st_size for name in FILES}
    assert sum(sizes.values()) <= 82_000, sizes


def test_cached_page_asks_once(rig, page):
    """Once it is kept, one round trip is before the question."""
    login = rig.login(USER, service="sshd")
    page.open(rig.origin)
    page.js("return navigator.serviceWorker.ready.then(() => 1)")
    page.open(login.link())
    page.reaches("question")
    asked = page.js("""
        return [...performance.getEntriesByType("navigation"),
            ...performance.getEntriesByType("resource")]
            .filter((e) => e.transferSize > 0)
            .map((e) => new URL(e.name).pathname);""")
    login.close()
    path = f"/links/{link_id(login.link())}"
    later = (path + "/events", path + "/seen")
    assert [one for one in asked if one not in later] == [path]


# --- verify-page ------------------------------------------------------------

def verify(rig, *words):
    return rig.countersign("verify-page", "--list", str(LIST), *words,
                           check=False)


def test_verify_page(rig):
    told = verify(rig)
    assert f"{rig.origin} is the installed release's" in told
    report = json.loads(verify(rig, "--json", rig.service.url))
    assert report["same"] is True and len(report["files"]) == len(FILES)


def test_verify_page_finds_what_is_different(rig, tmp_path):
    lines = LIST.read_text().splitlines()
    changed = ["0" * 64 + line[64:] if line.endswith("  main.js") else line
               for line in lines] + ["1" * 64 + "  gone.js"]
    other = tmp_path / "list"
    other.write_text("\n".join(changed) + "\n")
    report = json.loads(rig.countersign(
        "verify-page", "--json", "--list", str(other), check=False))
    assert report["same"] is False
    wrong = {one["name"]: one["reason"] for one in report["files"]
             if not one["same"]}
    assert set(wrong) == {"main.js", "gone.js"}
    digest = hashlib.sha256((WEB / "main.js").read_bytes()).hexdigest()
    assert digest in wrong["main.js"]


def test_verify_page_of_nobody(rig):
    told = verify(rig, "http://localhost:1")
    assert "is the installed" not in told and "localhost:1" in told
    assert "not an origin" in verify(rig, "http://example.org")
