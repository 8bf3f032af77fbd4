# SPDX-License-Identifier: BSD-2-Clause
"""The page on another origin than the service, and who may use the API."""
import functools
import http.server
import json
import shutil
import threading

import pytest
from browser import Page, WebRig, chromium, enrol
from rig import link_id
from sources import BUILD, TOP

USER = "daemon"
LIST = BUILD / "service/page.sha256"


class PageServer:
    """A web server that has only the page's files; its CSP names service."""

    def __init__(self, folder):
        self.folder = folder
        self.service = None
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            extensions_map = {
                ".html": "text/html; charset=utf-8",
                ".js": "text/javascript; charset=utf-8",
                ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
                ".json": "application/json", ".png": "image/png",
                ".webmanifest": "application/manifest+json"}

            def end_headers(self):
                self.send_header("Content-Security-Policy", (
                    "default-src 'none'; script-src 'self'; style-src 'self';"
                    f" connect-src 'self' {outer.service}; img-src 'self'; "
                    "manifest-src 'self'; worker-src 'self'; base-uri 'none';"
                    " form-action 'none'; frame-ancestors 'none'; "
                    "require-trusted-types-for 'script'; "
                    "trusted-types countersign"))
                super().end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler,
                                                directory=str(folder)))
        self.server.daemon_threads = True
        self.origin = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def leads_to(self, service):
        self.service = service
        (self.folder / "service.json").write_text(
            json.dumps({"service": service}) + "\n")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "web"
    shutil.copytree(TOP / "service/web", folder)
    server = PageServer(folder)
    yield server
    server.server.shutdown()


@pytest.fixture(scope="session")
def rig(server):
    with WebRig(page_url=server.origin, device_kinds="webauthn", service={
            "public_url": server.origin, "log_level": "debug"}) as rig:
        server.leads_to(rig.service.url)
        yield rig


def test_enrol_and_approve(rig, driver):
    page = Page(driver)
    page.authenticator()
    enrol(rig, page, USER)
    login = rig.login(USER, service="sshd")
    page.open(login.link())
    page.click("Approve")
    page.reaches("granted")
    assert login.end() == "PAM_SUCCESS"
    assert page.console() == []
    page.close()


@pytest.fixture
def same_site(rig, server):
    """A new browser, the page and its service in one domain for it: cookies
    know no ports."""
    server.leads_to(f"http://localhost:{rig.service.port}")
    with chromium() as driver:
        yield Page(driver)
    server.leads_to(rig.service.url)


def test_remove(rig, same_site):
    """The service knows the phone by its own cookie."""
    page = same_site
    page.authenticator()
    enrol(rig, page, "games")
    page.open(rig.page_url)
    page.click("Remove")
    page.reaches("removal")
    page.click("Remove this phone")
    page.reaches("removed")
    rig.login(USER, service="sshd").link()
    assert "games" not in rig.countersign("devices")
    assert page.console() == []


def test_verify_page_knows_the_service(rig, server):
    def verify():
        return json.loads(rig.countersign(
            "verify-page", "--json", "--list", str(LIST), check=False))
    assert verify()["same"] is True
    settings = server.folder / "service.json"
    good = settings.read_text()
    settings.write_text('{"service": "https://evil.example.org"}\n')
    try:
        report = verify()
    finally:
        settings.write_text(good)
    assert [one["name"] for one in report["files"] if not one["same"]] == [
        "service.json"]


# --- CORS -------------------------------------------------------------------

PREFLIGHT = {"Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "content-type"}


@pytest.fixture
def link(rig):
    login = rig.login(USER, service="sshd")
    yield f"/links/{link_id(login.link())}"
    login.close()


def test_preflight(rig, server, link):
    anybody = rig.service.anybody()
    reply = anybody.request("OPTIONS", link + "/answer", headers={
        "Origin": server.origin, **PREFLIGHT})
    assert reply.status == 204
    headers = reply.headers
    assert headers["Access-Control-Allow-Origin"] == server.origin
    assert headers["Access-Control-Allow-Methods"] == \
        "GET, POST, DELETE"
    assert headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert headers["Vary"] == "Origin"
    assert headers["Access-Control-Allow-Credentials"] == "true"


def test_reply_may_be_read(rig, server, link):
    anybody = rig.service.anybody()
    for path in (link, link + "/events", "/links/" + "A" * 22):
        reply = anybody.get(path, headers={"Origin": server.origin})
        assert reply.headers["Access-Control-Allow-Origin"] == server.origin
        assert reply.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", (
    "https://evil.example.org", "null", "http://localhost", "",
    "http://localhost:1"))
def test_nobody_else(rig, link, origin):
    anybody = rig.service.anybody()
    reply = anybody.request("OPTIONS", link + "/answer", headers={
        "Origin": origin, **PREFLIGHT})
    assert reply.status == 403
    assert "Access-Control-Allow-Origin" not in reply.headers
    reply = anybody.get(link, headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in reply.headers
    reply = anybody.post(link + "/seen", {}, headers={"Origin": origin})
    assert reply.status == 403
    assert rig.service.phone().get(link).json["state"] == "pending"


@pytest.mark.parametrize("path", ("/api/v1/approval", "/api/v1/status",
                                  "/ping", "/healthz", "/", "/main.js"))
def test_only_the_phone_api(rig, server, path):
    anybody = rig.service.anybody()
    headers = {"Origin": server.origin, **PREFLIGHT}
    assert anybody.request("OPTIONS", path, headers=headers).status == 405
    reply = anybody.get(path, headers={"Origin": server.origin})
    assert "Access-Control-Allow-Origin" not in reply.headers
