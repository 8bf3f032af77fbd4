# SPDX-License-Identifier: BSD-2-Clause
"""Every screen: no finding of axe-core's, nothing cut off at 320 pixels."""
import json
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE
from gallery import SCREENS, put_up
from sources import BUILD

AXE = BUILD / "tests/web/node_modules/axe-core/axe.min.js"
NARROW = (320, 640)


def axe(page):
    """What it finds, each as one line; incomplete checks count too."""
    if not AXE.exists():
        pytest.skip("axe-core is missing")
    found = page.driver.execute_async_script(AXE.read_text() + """
        axe.run(document, { resultTypes: ["violations", "incomplete"] })
            .then(arguments[0], (error) => arguments[0](String(error)));""")
    assert isinstance(found, dict), found
    return [f"{rule['id']}: {node['html']} {node.get('failureSummary')}"
            for rule in found["violations"] + found["incomplete"]
            for node in rule["nodes"]]


@pytest.mark.parametrize("name", SCREENS)
def test_screen(rig, page, name):
    for scheme in ("light", "dark"):
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme},
                         {"name": "prefers-reduced-motion",
                          "value": "reduce"}]})
        page.resize(PHONE)
        put_up(page, rig.origin, name)
        assert axe(page) == [], scheme
    page.resize(NARROW)
    assert page.js("return document.documentElement.scrollWidth") <= 320
    page.resize(DESKTOP)
    assert page.console() == []


def test_every_sentence_of_a_reason_is_known():
    """Reasons that the host reports, of lib/countersign.h."""
    from sources import TOP
    words = (TOP / "service/web/rare-words.js").read_text()
    header = (TOP / "lib/countersign.h").read_text()
    for name in [line.split("(")[1].split(",")[0]
                 for line in header.splitlines() if "X(PROOF_" in line]:
        assert f"\t{name}: " in words, name


def test_manifest_is_installable(rig, page):
    page.open(rig.origin)
    page.reaches("idle", "again")
    found = page.driver.execute_cdp_cmd("Page.getAppManifest", {})
    assert found["errors"] == [], found
    manifest = json.loads(found["data"])
    assert [(icon["sizes"], icon.get("purpose")) for icon in
            manifest["icons"]] == [("192x192", None), ("any", "any maskable")]
    errors = page.driver.execute_cdp_cmd("Page.getInstallabilityErrors", {})
    assert errors["installabilityErrors"] == []


def test_axe_is_what_was_locked():
    lock = json.loads((Path(__file__).parent / "package-lock.json")
                      .read_text())
    for name, package in lock["packages"].items():
        assert name == "" or package["integrity"].startswith("sha512-")
