# SPDX-License-Identifier: BSD-2-Clause
"""Push messages as other people's code reads them: http_ece, jose."""
import json
import shutil
import subprocess

import pytest

import private
import pushd as push
from service import Service, device_id, random_b64u
from sources import BUILD

MODULES = BUILD / "tests/web/node_modules"
FCM = "fcm.googleapis.com"
ADDRESS = "142.250.9.9"

# In: what left for the push service, and the browser's keys.
READ = """
import ece from 'http_ece';
import { createECDH } from 'node:crypto';
import { importJWK, jwtVerify } from 'jose';
import { text } from 'node:stream/consumers';

const b64u = (text) => Buffer.from(text, 'base64url');
const given = JSON.parse(await text(process.stdin));
const browser = createECDH('prime256v1');
browser.setPrivateKey(b64u(given.privateKey));
const plain = ece.decrypt(b64u(given.body), {
  version: 'aes128gcm', privateKey: browser, authSecret: given.auth });

const [, token, k] = given.authorization.match(/^vapid t=(\\S+), k=(\\S+)$/);
const point = b64u(k);
const key = await importJWK({ kty: 'EC', crv: 'P-256',
  x: point.subarray(1, 33).toString('base64url'),
  y: point.subarray(33).toString('base64url') }, 'ES256');
const { payload, protectedHeader } = await jwtVerify(token, key, {
  algorithms: ['ES256'], typ: 'JWT', audience: given.audience,
  maxTokenAge: undefined, requiredClaims: ['aud', 'exp', 'sub'] });
console.log(JSON.stringify({ plain: plain.toString(), payload,
  protectedHeader }));
"""


@pytest.fixture(scope="module")
def message():
    """One that a countersignd sent, with who got it and what was asked."""
    private.enter()
    push.public_address(ADDRESS)
    push.name_address(FCM, ADDRESS)
    with Service(push_contact="mailto:push@example.com", start=False) as \
            service, push.PushService(service.folder, [FCM], ADDRESS,
                                      443) as pushd:
        service.configure(push_ca_file=pushd.ca)
        host = service.start().add_host("web1")
        rung, device = pushd.subscribe(), device_id()
        phone = host.enrol_device("alice", device)
        assert phone.post("/devices/self/push", rung.keys).status == 204
        question = host.ask(username="alice", channel="push",
                            sealed={device: random_b64u(98)})
        yield rung.wait(), rung, question


def read(sent, rung, **changes):
    node = shutil.which("node")
    if node is None or not all((MODULES / name).exists()
                               for name in ("http_ece", "jose")):
        pytest.skip("node, http_ece or jose is missing")
    scalar = rung.private.private_numbers().private_value
    given = {"body": push.b64u(sent.body),
             "privateKey": push.b64u(scalar.to_bytes(32, "big")),
             "auth": push.b64u(rung.auth_secret), "audience": f"https://{FCM}",
             "authorization": sent.headers["authorization"], **changes}
    # Modules are looked for from where a script lies.
    script = MODULES.parent / "read.mjs"
    script.write_text(READ)
    return subprocess.run([node, script], input=json.dumps(given), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60)


def test_others_decrypt_it_and_take_its_token(message):
    sent, rung, question = message
    run = read(sent, rung)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert json.loads(found["plain"]) == {"v": 1, "link": question.link_id}
    assert found["protectedHeader"] == {"typ": "JWT", "alg": "ES256"}
    assert found["payload"]["sub"] == "mailto:push@example.com"


def test_others_refuse_what_was_changed(message):
    """So that the case above shows something."""
    sent, rung, _ = message
    body = bytearray(sent.body)
    body[-1] ^= 1
    for changes in ({"body": push.b64u(bytes(body))},
                    {"auth": push.b64u(bytes(16))},
                    {"audience": "https://example.com"},
                    {"authorization": sent.headers["authorization"].replace(
                        "vapid t=", "vapid t=e")}):
        assert read(sent, rung, **changes).returncode != 0, changes
