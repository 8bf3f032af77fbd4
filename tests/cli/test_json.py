# SPDX-License-Identifier: BSD-2-Clause
"""What --json prints is what countersign(1), JSON OUTPUT, says: both ways."""
import json
import re
import shutil
import subprocess

import pytest
from conftest import countersign
from screen import link_in
from sources import BUILD, TOP, built, tool

TYPES = {"string": str, "number": int, "boolean": bool, "array": list,
         "object": dict}


def schema():
    """{command: {member: the types it may have}} from the rendered page."""
    text = subprocess.run(
        [tool("mandoc"), "-T", "utf8", "-O", "width=200",
         TOP / "man/countersign.1"], text=True, stdout=subprocess.PIPE,
        check=True).stdout
    text = re.sub(".\b", "", text)
    section = re.split(r"^JSON OUTPUT$", text, flags=re.M)[1]
    section = re.split(r"^\S", section, flags=re.M)[0]
    found = {}
    for line in section.splitlines():
        heading = re.fullmatch(r" {3}countersign (.+)", line)
        member = re.fullmatch(
            r" {5}([A-Za-z][\w.\[\]]*) \((\w+)( or null)?\)", line)
        if heading:
            names = re.sub(r"^(\w+) (\w+), (\w+)$", r"\1 \2,\1 \3",
                           heading.group(1)).split(",")
            current = {}
            found.update({name: current for name in names})
        elif member:
            name, kind, null = member.groups()
            current[name] = {TYPES[kind]} | ({type(None)} if null else set())
    return found


SCHEMA = schema()


def walk(members, value, prefix=""):
    """(member, type) of everything in value that the page has names for."""
    for name, inner in value.items():
        name = prefix + name
        yield name, type(inner)
        for parent, objects in ((f"{name}.", [inner]),
                                (f"{name}[].", inner)):
            if any(one.startswith(parent) for one in members) and \
                    isinstance(objects, list):
                for one in objects:
                    yield from walk(members, one, parent)


def check(command, *outputs):
    """Every member documented; every documented one there."""
    members = SCHEMA[command]
    seen = set()
    for output in outputs:
        for name, kind in walk(members, output):
            assert name in members, f"{command}: {name} is not documented"
            assert kind in members[name], (name, kind)
            seen.add(name)
    assert seen == set(members), f"{command}: {set(members) - seen}"


def printed(rig, command, *arguments, status=0):
    """The object on standard output."""
    got = countersign(rig, command, "--json", *arguments)
    assert got[0] == status, got
    assert got[1].endswith("}\n")
    return json.loads(got[1])


def test_every_command_with_json_is_documented_and_no_other():
    def run(*arguments):
        return subprocess.run(
            [built("cli/countersign"), *arguments, "--help"], text=True,
            stdout=subprocess.PIPE, check=True, env={
                "LD_LIBRARY_PATH": str(BUILD / "lib/.libs")}).stdout

    commands = re.findall(r"^  ([a-z][a-z-]+)  ", run(), flags=re.M)
    having = {command for command in commands
              if re.search(r"^  --json ", run(command), flags=re.M)}
    assert {name.split()[0] for name in SCHEMA} == having
    assert len(having) > 8
    for command, members in SCHEMA.items():
        assert members, command


def answering(rig, phone, command, *arguments, deny=False):
    """Runs a command that asks a phone: its exit status and what it printed."""
    process = subprocess.Popen(
        [rig.program("countersign"), command, "--json", "--config", rig.conf,
         *arguments], env=rig._environment(), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True)
    try:
        old = None
        while phone:
            line = process.stderr.readline()
            assert line, process.communicate()
            link = link_in(line)
            if link and link != old:
                old = link
                if not phone(link):
                    break
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, err


def test_devices_and_rename_and_revoke_and_deenroll(rig):
    rig.enrol_soft("daemon", "one", "p256")
    phone = rig.enrol_soft("daemon", "two", "webauthn")
    answering(rig, phone.deny, "ask", "daemon", "--title", "rings")
    check("devices", printed(rig, "devices"), printed(rig, "devices",
                                                      "daemon"))
    check("devices", printed(rig, "devices"),
          printed(rig, "devices", "bin", status=1))
    check("rename", printed(rig, "rename", "daemon", "one", "first"))
    check("revoke", printed(rig, "revoke", "daemon", "first"))
    check("deenroll", printed(rig, "deenroll", "--yes", "daemon"))
    with rig.service_down():
        check("deenroll", printed(rig, "deenroll", "--yes", "daemon"))


def test_enroll(rig):
    from rig import SoftPhone
    phone = SoftPhone(rig, "sys", "new", "webauthn")
    links = []

    def answer(link):
        links.append(link)
        if len(links) == 1:
            phone.enroll(link)
            return True
        phone.approve(link)
        return False

    status, out, err = answering(rig, answer, "enroll", "--yes", "sys")
    assert status == 0, err
    check("enroll", json.loads(out))
    assert json.loads(out)["id"] == phone.device


@pytest.mark.parametrize("command", ["ask", "test"])
def test_questions(rig, command):
    phone = rig.enrol_soft("man", command, "webauthn")
    arguments = ("man", "--title", "Deploy?") if command == "ask" else ("man",)

    def approve(link):
        phone.approve(link)

    def deny(link):
        phone.deny(link)

    status, out, err = answering(rig, approve, command, *arguments)
    assert status == 0, err
    yes = json.loads(out)
    status, out, err = answering(rig, deny, command, *arguments)
    assert status == 1, err
    no = json.loads(out)
    check(command, yes, no)
    assert (yes["granted"], yes["reason"]) == (True, "OK")
    assert (no["granted"], no["reason"]) == (False, "DENIED")


def test_recovery(rig):
    rig.enrol_soft("games", "x", "p256")
    check("recovery", printed(rig, "recovery", "games"))


def test_log(rig):
    check("log", printed(rig, "log"))


def test_restore(rig):
    rig.enrol("lp")
    saved = rig.folder / "json.backup"
    rig.countersign("backup", saved)
    got = printed(rig, "restore", "--dry-run", saved)
    check("restore", got)
    assert got["dryRun"] and any("lp" in line for line in got["accounts"])


def test_check_config(rig):
    got = printed(rig, "check-config")
    check("check-config", got)
    assert got["findings"] == []
    wrong = rig.folder / "wrong.conf"
    wrong.write_text("servise = x\n")
    got = subprocess.run(
        [rig.program("countersign"), "check-config", "--json", wrong],
        text=True, env=rig._environment(), stdout=subprocess.PIPE)
    assert got.returncode == 3
    assert json.loads(got.stdout)["findings"][0].startswith(f"{wrong}:1: ")


def test_verify_page(rig):
    lists = rig.folder / "list"
    lists.write_text(f"{'0' * 64}  main.js\n")
    check("verify-page", printed(rig, "verify-page", "--list", lists,
                                 status=1))


@pytest.fixture
def root(tmp_path):
    """A host in a folder, with this one's PAM stacks."""
    (tmp_path / "etc").mkdir()
    shutil.copytree("/etc/pam.d", tmp_path / "etc/pam.d")
    return tmp_path


def test_pam(rig, root):
    broken = root / "etc/pam.d/broken"
    broken.write_text("auth required\n")
    check("pam show", printed(rig, "pam", "--root", root, "show", "su"),
          printed(rig, "pam", "--root", root, "show", "broken"))
    got = printed(rig, "pam", "--root", root, "--dry-run", "disable", "su")
    check("pam disable", got)
    assert got["changed"] is False


def test_check(rig, root):
    status, out, _ = countersign(rig, "check", "--json")
    assert status in (0, 1, 3)
    here = json.loads(out)
    assert here["root"] is None
    out = countersign(rig, "check", "--json", "--root", root)[1]
    check("check", here, json.loads(out))


def test_one_object_and_nothing_else(rig):
    """Trouble is told on standard error; standard output stays empty."""
    for command, *arguments in (
            ("devices", "no-such-user"), ("rename", "no-such-user", "x", "y"),
            ("revoke", "no-such-user", "x"), ("recovery", "no-such-user"),
            ("deenroll", "--yes", "no-such-user")):
        status, out, err = countersign(rig, command, "--json", *arguments)
        assert status == 1, command
        assert out == "" or json.loads(out) == {
            "devices": [], "quiet": []}, command
        assert err.startswith("countersign: ")
