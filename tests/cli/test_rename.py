# SPDX-License-Identifier: BSD-2-Clause
"""countersign rename: at the host first, then at the service."""
import json
import re

import pytest
from conftest import approve, countersign, devices


def show(device):
    return "-".join(re.findall("....", device))


def at_service(rig, user):
    """id: name of the user's devices, as the service has them."""
    reply = rig.host.get(f"/api/v1/users?username={user}")
    return {one["authenticatorId"]: one["name"]
            for one in reply.json["authenticators"]}


def names(rig, user):
    return {one["id"]: one["name"] for one in devices(rig, user)}


@pytest.mark.parametrize("named", ["id", "dashes", "name"])
def test_rename(rig, named):
    phone = rig.enrol("sys", f"first {named}")
    word = {"id": phone.device, "dashes": show(phone.device),
            "name": f"first {named}"}[named]
    new = f"Zoë's {named}"
    status, out, err = countersign(rig, "rename", "sys", word, new)
    assert (status, err) == (0, "")
    assert show(phone.device) in out and new in out
    assert names(rig, "sys")[phone.device] == new
    assert at_service(rig, "sys")[phone.device] == new
    last = rig.audit()[-1]
    assert (last["event"], last["result"]) == ("rename", "granted")
    assert (last["device"], last["deviceName"]) == (phone.device, new)
    # it is the same device
    login = rig.login("sys")
    assert approve(phone, login.link()).returncode == 0
    assert login.end() == "PAM_SUCCESS"


def test_json(rig):
    phone = rig.enrol("man", "before")
    status, out, err = countersign(rig, "rename", "--json", "man", "before",
                                   "after")
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "user": "man", "device": phone.device, "name": "after",
        "host": "renamed", "service": "renamed"}


def test_while_the_service_is_away(rig):
    phone = rig.enrol("proxy", "before")
    with rig.service_down():
        status, out, err = countersign(rig, "rename", "proxy", "before",
                                       "after")
        assert status == 0
        assert "is now called" in out
        assert "warning" in err
        status, out, _ = countersign(rig, "rename", "--json", "proxy",
                                     "after", "after")
        assert (status, json.loads(out)["service"]) == (0, "failed")
    assert names(rig, "proxy")[phone.device] == "after"
    assert at_service(rig, "proxy")[phone.device] == "before"
    again = re.search(r"countersign rename (\S+) (\S+) \"(.*)\"$", err, re.M)
    assert countersign(rig, "rename", *again.groups())[0] == 0
    assert at_service(rig, "proxy")[phone.device] == "after"


def test_what_the_service_has_forgotten(rig):
    phone = rig.enrol("news", "before")
    assert rig.host.request(
        "DELETE", f"/api/v1/authenticators/{phone.device}").status == 204
    status, out, err = countersign(rig, "rename", "--json", "news", "before",
                                   "after")
    assert (status, err) == (0, "")
    assert json.loads(out)["service"] == "absent"
    assert names(rig, "news")[phone.device] == "after"


@pytest.mark.parametrize("name", ["", "x" * 65, "ä" * 33])
def test_a_name_that_is_none(rig, name):
    phone = rig.enrol("list", "before") if not any(
        one["user"] == "list" for one in devices(rig)) else None
    status, out, _ = countersign(rig, "rename", "list", "before", name)
    assert (status, out) == (2, "")
    assert list(names(rig, "list").values()) == ["before"], phone


def test_a_name_that_steers_a_terminal(rig):
    rig.enrol("irc", "before")
    status, out, err = countersign(rig, "rename", "irc", "before",
                                   "a\x1b[31m\nb\x9b")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out + err)
    [name] = names(rig, "irc").values()
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", name)
    assert (status, name) == (2, "before")


def test_nothing_of_that_name(rig):
    rig.enrol("uucp", "mine")
    other = rig.enrol("backup", "theirs")
    for word in ("theirs", other.device, "a" * 16, ""):
        status, out, err = countersign(rig, "rename", "uucp", word, "new")
        assert (status, out) == (1, ""), err
    assert countersign(rig, "rename", "no-such-user", "x", "y")[0] == 1
    assert list(names(rig, "backup").values()) == ["theirs"]
    assert list(names(rig, "uucp").values()) == ["mine"]


def test_two_of_the_same_name(rig):
    one = rig.enrol_soft("lp", "twin", "p256")
    two = rig.enrol_soft("lp", "twin", "p256")
    status, _, err = countersign(rig, "rename", "lp", "twin", "new")
    assert status == 2
    assert "2 devices" in err
    assert countersign(rig, "rename", "lp", one.device, "new")[0] == 0
    assert names(rig, "lp") == {one.device: "new", two.device: "twin"}
