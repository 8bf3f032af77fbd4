# SPDX-License-Identifier: BSD-2-Clause
"""countersign-phone: questions, answers, keys; what it shows and refuses."""
import os
import re
import stat
import subprocess
import time

import pytest
from conftest import Background, run
from rig import PASSPHRASE, Phone
from screen import LINK, link_in

NOWHERE = "http://127.0.0.1:1/#AAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(scope="module")
def phone(rig):
    return rig.enrol("daemon")


@pytest.fixture(scope="module")
def stranger(rig):
    """The phone of somebody else."""
    return rig.enrol("games")


# --- answers and their exit status ----------------------------------------------

def test_approve(rig, phone):
    login = rig.login("daemon")
    told = run(phone, "approve", "--yes", login.link())
    assert told.stdout.rstrip().endswith("Granted.")
    assert login.end() == "PAM_SUCCESS"


def test_deny(rig, phone):
    login = rig.login("daemon")
    told = run(phone, "deny", login.link())
    assert told.stdout.rstrip().endswith("Denied.")
    assert login.end() == "PAM_MAXTRIES"


@pytest.mark.parametrize("options", [("--not-me",), ("--unsigned",)])
def test_other_denials(rig, phone, options):
    login = rig.login("daemon")
    assert run(phone, "deny", *options, login.link()).returncode == 0
    assert login.end() == "PAM_MAXTRIES"


def test_too_late(rig, phone):
    login = rig.login("daemon")
    link = login.link()
    phone.approve(link)
    login.end()
    for command in ("approve", "deny"):
        told = run(phone, command, *(["--yes"] if command == "approve" else []),
                         link, check=False)
        assert told.returncode == 1


def test_an_unknown_link(rig, phone):
    link = rig.service.url + "/#AAAAAAAAAAAAAAAAAAAAAAAAAA"
    told = run(phone, "approve", "--yes", link, check=False)
    assert told.returncode == 1
    assert "no such question" in told.stdout


@pytest.mark.parametrize("link", [
    "https://approve.example.org/", "A" * 26, "A" * 400,
    "http://approve.example.org/#AAAAAAAAAAAAAAAAAAAAAAAAAA"])
def test_not_a_link(phone, link):
    told = run(phone, "approve", "--yes", link, check=False)
    assert told.returncode in (2, 3)
    assert "not a link" in told.stdout


def test_service_away(phone):
    told = run(phone, "approve", "--yes", NOWHERE, check=False)
    assert told.returncode == 3
    assert "127.0.0.1:1" in told.stdout


def test_service_with_a_certificate_of_somebody_else(rig, phone, tmp_path):
    login = rig.login("daemon")
    link = login.link()
    run = subprocess.run(
        [rig.program("countersign-phone"), "approve", "--yes", "--store",
         phone.store, "--passphrase-file", phone.passphrase, link],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=60)
    assert run.returncode == 3
    assert "certificate" in run.stdout.lower()
    phone.deny(link)


def test_a_choice_that_is_not_offered(rig, phone):
    login = rig.login("daemon")
    link = login.link()
    for choice in ("deploy", "deny", "not-me", "enroll", ""):
        told = run(phone, "approve", "--yes", "--choice", choice, link,
                         check=False)
        assert told.returncode == 2, choice
    assert run(phone, "approve", "--yes", "--choice", "approve",
                     link).returncode == 0
    assert login.end() == "PAM_SUCCESS"


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", ""])
def test_not_a_code(rig, phone, code):
    login = rig.login("daemon")
    link = login.link()
    told = run(phone, "approve", "--yes", "--code", code, link, check=False)
    assert told.returncode == 2
    phone.deny(link)
    login.end()


def test_an_enrolment_is_not_a_question(rig, phone, enrolment):
    one = enrolment("man", "--qr", "off")
    told = run(phone, "approve", "--yes", one.link(), check=False)
    assert told.returncode == 1
    assert "countersign-phone enroll" in told.stdout
    login = rig.login("daemon")
    link = login.link()
    told = run(phone, "enroll", "--yes", link, check=False)
    assert told.returncode == 1
    assert "countersign-phone approve" in told.stdout
    phone.deny(link)
    login.end()


# --- memory: UX-4 ---------------------------------------------------------------

def test_no_memory_no_approval(rig, stranger):
    login = rig.login("daemon")
    link = login.link()
    told = run(stranger, "approve", "--yes", link, check=False)
    assert told.returncode == 1
    assert "no memory of enrolling" in told.stdout
    assert rig.link_state(link) == "seen"
    # it can end the question, without a key
    assert run(stranger, "deny", link).returncode == 0
    assert login.end() == "PAM_MAXTRIES"


def test_not_me_needs_a_key(rig, phone, stranger):
    login = rig.login("daemon")
    link = login.link()
    assert run(stranger, "deny", "--not-me", link,
                        check=False).returncode == 2
    phone.deny(link)
    login.end()


def test_another_uid_is_refused(rig, phone):
    [path] = phone.store.glob("*.json")
    whole = path.read_text()
    path.write_text(re.sub(r'"uid": ?1\b', '"uid": 4711', whole))
    login = rig.login("daemon")
    link = login.link()
    try:
        told = run(phone, "approve", "--yes", link, check=False)
    finally:
        path.write_text(whole)
    assert told.returncode == 1
    assert "another account of that name" in told.stdout
    phone.deny(link)
    login.end()


def test_device_overrides_and_the_host_refuses(rig, stranger, phone):
    login = rig.login("daemon")
    link = login.link()
    told = run(stranger, "approve", "--yes", "--device", stranger.device, link,
                        check=False)
    assert told.returncode == 1
    assert "no memory of enrolling" in told.stdout
    assert "device of somebody else" in told.stdout
    run(phone, "approve", "--yes", link, check=False)
    login.end()


def test_device_that_is_not_there(rig, phone):
    login = rig.login("daemon")
    link = login.link()
    for word in ("a" * 16, "../../../x", ""):
        assert run(phone, "approve", "--yes", "--device", word, link,
                         check=False).returncode in (1, 3)
    phone.deny(link)
    login.end()


# --- what is shown ----------------------------------------------------------------

def test_everything_is_shown(rig, phone):
    """UX-3: all that the host put into the question."""
    login = rig.login("daemon", "--rhost", "192.0.2.7")
    link = login.link()
    question = phone.question(link)
    told = run(phone, "approve", "--yes", link).stdout
    assert login.end() == "PAM_SUCCESS"
    assert question["title"] in told
    for label, value in [
            ["Host", question["host"]], ["Account", "daemon (uid 1)"],
            ["Service", "login"], ["Carried by", rig.service.url],
            *question["details"]]:
        assert re.search(rf"^ +{re.escape(label)} +{re.escape(value)}$",
                         told, re.M), told
    assert re.search(r"^ +Asked +\d+ seconds ago, \d+ seconds left$", told,
                     re.M)


def test_foreign_text_is_harmless(rig, phone):
    """UX-9: the command line of a sudo is foreign text."""
    evil = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\r\n\x9b31m"
    login = rig.login("daemon", service="sudo",
                      argv=("sudo", "/bin/echo", evil))
    told = run(phone, "approve", "--yes", login.link()).stdout
    login.end()
    assert "owned" in told
    for character in "\x1b\x07\u202e\r\x9b":
        assert character not in told
    assert "\\u{1b}" in told


# --- where the link comes from ------------------------------------------------------

def test_last_link_of_a_dump_counts(rig, phone):
    login = rig.login("daemon")
    link = login.link()
    dump = f"old: {NOWHERE}\n$ sudo id\n{login.text}\nwaiting ...\n"
    told = run(phone, "approve", "--yes", text=dump)
    assert "links in that text" in told.stdout
    assert login.end() == "PAM_SUCCESS"
    assert link in dump


def test_dump_without_a_link(phone):
    told = run(phone, "approve", "--yes", "-", text="nothing\n" * 100,
                     check=False)
    assert told.returncode == 1
    assert "no link" in told.stdout


def test_dump_that_is_too_long(phone):
    told = run(phone, "approve", "--yes", "-", text="x" * (5 << 20),
                     check=False)
    assert told.returncode == 3


def test_a_link_is_asked_for_on_a_terminal(rig, phone):
    pexpect = pytest.importorskip("pexpect")
    login = rig.login("daemon")
    child = spawn(rig, phone, "approve", "--yes")
    child.expect("Link: ")
    child.sendline(login.link())
    child.expect("Granted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert login.end() == "PAM_SUCCESS"


def spawn(rig, phone, *arguments, passphrase=True):
    pexpect = pytest.importorskip("pexpect")
    extra = ["--passphrase-file", str(phone.passphrase)] if passphrase else []
    return pexpect.spawn(
        str(rig.program("countersign-phone")),
        [arguments[0], "--store", str(phone.store), "--ca-file", str(rig.ca),
         *extra, *arguments[1:]], timeout=30, encoding="utf-8",
        env={"LC_ALL": "C.UTF-8", "TERM": "dumb"})


@pytest.mark.parametrize("line,code,result", [
    ("approve", 0, "PAM_SUCCESS"), ("deny", 1, "PAM_MAXTRIES"),
    ("", 1, "PAM_MAXTRIES"), ("not-me", 1, "PAM_MAXTRIES")])
def test_a_person_answers(rig, phone, line, code, result):
    pexpect = pytest.importorskip("pexpect")
    login = rig.login("daemon")
    child = spawn(rig, phone, "approve", login.link())
    child.expect(r"Your answer \(deny, not-me, approve\) \[deny\]: ")
    child.sendline("yes please")
    child.expect("Your answer")
    child.sendline(line)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    assert login.end() == result


def test_a_person_goes_away(rig, phone):
    """End of input or Ctrl-C sends nothing: the question stays open."""
    pexpect = pytest.importorskip("pexpect")
    login = rig.login("daemon")
    link = login.link()
    for leave in ("sendeof", "sendintr"):
        child = spawn(rig, phone, "approve", link)
        child.expect("Your answer")
        getattr(child, leave)()
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 1
        assert rig.link_state(link) == "seen"
    phone.approve(link)
    assert login.end() == "PAM_SUCCESS"


# --- watch ----------------------------------------------------------------------------

class Watch:
    """countersign-phone watch -, fed by hand."""

    def __init__(self, rig, phone, *arguments, stdin=subprocess.PIPE):
        self.process = subprocess.Popen(
            [rig.program("countersign-phone"), "watch", "-", "--yes", "--store",
             phone.store, "--ca-file", rig.ca, "--passphrase-file",
             phone.passphrase, *arguments], stdin=stdin, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def write(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self):
        out = self.process.communicate(timeout=60)[0]
        return self.process.returncode, out


def test_watch_answers_each_link_once(rig, phone):
    watch = Watch(rig, phone)
    for _ in range(2):
        login = rig.login("daemon")
        login.link()
        watch.write(f"$ sudo id\n{login.text}\n")
        assert login.end() == "PAM_SUCCESS"
        watch.write(login.text + "\n")
    status, out = watch.end()
    assert status == 0
    assert out.count("Granted.") == 2
    assert "no such question" not in out


def test_watch_waits_for_the_rest_of_a_drawing(rig, phone):
    watch = Watch(rig, phone, "--once")
    login = rig.login("daemon")
    link = login.link()
    text = LINK.sub("", login.text)
    assert link_in(text) is None
    for at in range(0, len(text), 97):
        watch.write(text[at:at + 97])
        if at % 970 == 0:
            time.sleep(0.12)  # longer than the pause that it waits for
    watch.write("\n")
    status, out = watch.end()
    assert status == 0, out
    assert login.end() == "PAM_SUCCESS"
    assert link not in text


def test_watch_follows_a_file(rig, phone, tmp_path):
    path = tmp_path / "typescript"
    path.write_text("Script started\n")
    with path.open(encoding="utf-8") as file:
        watch = Watch(rig, phone, "--once", stdin=file)
        login = rig.login("daemon")
        login.link()
        with path.open("a", encoding="utf-8") as more:
            more.write(login.text + "\n")
        assert watch.end()[0] == 0
    assert login.end() == "PAM_SUCCESS"


def test_watch_goes_on_after_trouble(rig, phone):
    watch = Watch(rig, phone)
    watch.write(NOWHERE + "\n")
    login = rig.login("daemon")
    login.link()
    watch.write(login.text + "\n")
    assert login.end() == "PAM_SUCCESS"
    status, out = watch.end()
    assert status == 0
    assert "127.0.0.1:1" in out


def test_watch_enrols_and_gives_the_test(rig, enrolment, new_phone):
    new = new_phone("man")
    watch = Watch(rig, new)
    one = enrolment("man")
    one.link()
    watch.write(one.text)
    before = len(one.text)
    one.link()
    watch.write(one.text[before:] + "\n")
    assert one.end() == 0
    assert watch.end()[0] == 0
    assert [device["confirmed"] for device in new.devices()] == [True]


# --- keys and passphrases ---------------------------------------------------------------

def test_keys_are_closed_and_encrypted(phone):
    assert stat.S_IMODE(phone.store.stat().st_mode) == 0o700
    files = sorted(phone.store.iterdir())
    assert [file.name.split(".", 1)[1] for file in files] == [
        "json", "pem", "seal.pem"]
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert PASSPHRASE not in file.read_text()
    for file in files[1:]:
        assert "BEGIN ENCRYPTED PRIVATE KEY" in file.read_text()
        serialization = pytest.importorskip(
            "cryptography.hazmat.primitives.serialization")
        key = serialization.load_pem_private_key(
            file.read_bytes(), PASSPHRASE.encode())
        assert key.curve.name == "secp256r1"


@pytest.mark.parametrize("text", ["canary-0123456789\n", "short\n", "\n",
                                  "x" * 300])
def test_wrong_passphrase(rig, phone, text):
    login = rig.login("daemon")
    link = login.link()
    file = rig.folder / "wrong"
    file.write_text(text)
    file.chmod(0o600)
    other = Phone.__new__(Phone)
    other.rig, other.store, other.passphrase = rig, phone.store, file
    told = run(other, "approve", "--yes", link, check=False)
    assert told.returncode == 3
    assert "passphrase" in told.stdout
    assert "canary" not in told.stdout
    phone.approve(link)
    assert login.end() == "PAM_SUCCESS"


def test_passphrase_from_the_terminal_is_not_shown(rig, phone):
    pexpect = pytest.importorskip("pexpect")
    login = rig.login("daemon")
    child = spawn(rig, phone, "approve", "--yes", login.link(),
                  passphrase=False)
    child.expect("Passphrase: ")
    child.waitnoecho()
    child.sendline(PASSPHRASE)
    child.expect("Granted")
    assert PASSPHRASE not in child.before
    child.expect(pexpect.EOF)
    assert login.end() == "PAM_SUCCESS"


def test_new_passphrase_is_asked_for_twice(rig, enrolment, new_phone):
    pexpect = pytest.importorskip("pexpect")
    one = enrolment("man", "--qr", "off")
    new = new_phone("man")
    child = spawn(rig, new, "enroll", "--yes", one.link(), passphrase=False)
    child.expect("New passphrase: ")
    child.waitnoecho()
    child.sendline(PASSPHRASE)
    child.expect("Once more: ")
    child.waitnoecho()
    child.sendline(PASSPHRASE + "x")
    child.expect("not the same")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3
    assert new.devices() == []


def test_passphrase_file_that_others_can_read(rig, phone):
    file = rig.folder / "open"
    file.write_text(PASSPHRASE)
    file.chmod(0o644)
    login = rig.login("daemon")
    link = login.link()
    other = Phone.__new__(Phone)
    other.rig, other.store, other.passphrase = rig, phone.store, file
    told = run(other, "approve", "--yes", link, check=False)
    assert told.returncode == 3
    assert "chmod 600" in told.stdout
    phone.deny(link)
    login.end()


@pytest.mark.parametrize("spoil", [
    lambda store: store.chmod(0o755), lambda store: os.chown(store, 1, 1)],
    ids=["mode", "owner"])
def test_a_store_that_is_not_safe(rig, new_phone, spoil):
    new = new_phone("man")
    spoil(new.store)
    run = subprocess.run(
        [rig.program("countersign-phone"), "devices", "--store", new.store],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=60)
    assert run.returncode == 3
    assert "0700" in run.stdout


def test_a_damaged_store_is_trouble(rig, enrolment, phone):
    [path] = phone.store.glob("*.json")
    whole = path.read_text()
    login = rig.login("daemon")
    link = login.link()
    try:
        for text in ("", "{}", whole[:-5], whole.replace("daemon", "\x00")):
            path.write_text(text)
            assert run(phone, "approve", "--yes", link,
                             check=False).returncode == 3
    finally:
        path.write_text(whole)
    phone.deny(link)
    login.end()


def test_devices_table(rig, phone):
    run = subprocess.run(
        [rig.program("countersign-phone"), "devices", "--store", phone.store],
        stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    head, line = run.stdout.splitlines()
    assert head.split() == ["HOST", "USER", "NAME", "ID", "ADDED", "STATE"]
    assert "daemon" in line and line.endswith("enrolled")


def test_not_dumpable_and_without_core(rig, phone):
    """Another process of the same user cannot read its memory."""
    watch = Watch(rig, phone)
    process = f"/proc/{watch.process.pid}"
    deadline = time.monotonic() + 10
    while True:
        with open(f"{process}/limits", encoding="ascii") as file:
            core = [line.split()[4:6] for line in file
                    if line.startswith("Max core file size")]
        if core == [["0", "0"]]:
            break
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert watch.end()[0] == 0


# --- the service restarts -----------------------------------------------------------------

def test_the_outcome_survives_a_restart_of_the_service(
        rig, enrolment, new_phone):
    """The phone waits for the person at the terminal; the service dies."""
    pexpect = pytest.importorskip("pexpect")
    new = new_phone("man")
    child = pexpect.spawn(
        str(rig.program("countersign")),
        ["enroll", "--config", str(rig.conf), "--qr", "off", "man"],
        env=rig._environment(), timeout=30, encoding="utf-8")
    child.expect(LINK.pattern)
    enrolling = Background(new, "enroll", "--yes", child.match.group(0))
    child.expect("same id")
    with rig.service_down():
        pass
    child.sendline("y")
    told = enrolling.end()
    assert told.returncode == 0, told.stdout
    child.close(force=True)
