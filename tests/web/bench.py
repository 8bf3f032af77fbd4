# SPDX-License-Identifier: BSD-2-Clause
"""
make bench-web: what the page costs.  Each number with its aim, which a busy
machine may miss; medians of several loads over loopback, in a fresh browser
profile.  The size has a check of its own: test_page_is_small in serving.py.
"""
import statistics

from browser import Page, chromium
from conftest import USER

ROUNDS = 7
TRANSFER_AIM = 60_000  # bytes, uncompressed
QUESTION_AIM = 150  # ms from the navigation to the question
CACHED_AIM = 1  # requests before the question

WATCH = """
new MutationObserver(() => {
    if (document.getElementById("main")?.dataset.state === "question")
        window.shownAt ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true });
"""

MEASURE = """
const shown = window.shownAt;
const all = [...performance.getEntriesByType("navigation"),
    ...performance.getEntriesByType("resource")];
const asked = (e) => new URL(e.name).pathname;
return {
    ms: shown,
    // Each file once; what the service says of the question is no page.
    bytes: [...new Map(all.filter((e) => !asked(e).startsWith("/links/"))
        .map((e) => [asked(e), e.decodedBodySize])).values()]
        .reduce((n, bytes) => n + bytes, 0),
    requests: all.filter((e) => e.startTime < shown && e.transferSize > 0)
        .map(asked),
};"""


def load(rig, page):
    login = rig.login(USER, service="sshd")
    link = login.link()
    # From a page of the same process: starting one is not the page's cost.
    page.driver.get(rig.origin + "/healthz")
    page.driver.get(link)
    page.reaches("question")
    found = page.js(MEASURE)
    login.close()
    return found


def watched(driver):
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument",
                           {"source": WATCH})
    return Page(driver)


def worst(found):
    return max(one["bytes"] for one in found)


def test_first_load(rig, enrolled):
    found = []
    with chromium() as driver:
        page = watched(driver)
        load(rig, page)  # the browser's own first page
        for _ in range(ROUNDS):
            page.forget(rig.origin)
            driver.execute_cdp_cmd("Network.clearBrowserCache", {})
            found.append(load(rig, page))
    ms = statistics.median(one["ms"] for one in found)
    print(f"\nfirst load: {worst(found)} bytes (aim: {TRANSFER_AIM}), "
          f"question after {ms:.0f} ms (aim: {QUESTION_AIM}), "
          f"{len(found[-1]['requests'])} requests")


def test_cached_load(rig, enrolled):
    with chromium() as driver:
        page = watched(driver)
        load(rig, page)
        page.js("return navigator.serviceWorker.ready.then(() => 1)")
        load(rig, page)
        found = [load(rig, page) for _ in range(ROUNDS)]
    ms = statistics.median(one["ms"] for one in found)
    asked = [path for path in found[-1]["requests"]
             if not path.endswith("/events") and not path.endswith("/seen")]
    print(f"\ncached load: question after {ms:.0f} ms (aim: {QUESTION_AIM}), "
          f"{len(asked)} requests before it (aim: {CACHED_AIM}): {asked}")
