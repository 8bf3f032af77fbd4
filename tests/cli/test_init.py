# SPDX-License-Identifier: BSD-2-Clause
"""countersign init: a host's configuration and access key."""
import os
import stat
import tempfile
from pathlib import Path

import pytest
from conftest import countersign

pexpect = pytest.importorskip("pexpect")


class Host:
    """A folder that is to become a host."""

    def __init__(self, rig, folder):
        self.rig, self.folder = rig, folder
        folder.chmod(0o755)
        self.conf = folder / "countersign.conf"
        self.settings = folder / "settings"
        self.lines = (f"ca_file = {rig.ca}\ncourier = {rig.values['courier']}"
                      f"\ncourier_user = nobody\nstate_dir = {folder}/state\n"
                      f"audit_file = {folder}/audit\n")
        self.settings.write_text(self.lines)
        self.key = rig.service.add_host(folder.name).key

    def program(self, name):
        return self.rig.program(name)

    def _environment(self):
        return self.rig._environment()

    def init(self, *arguments, **keywords):
        return countersign(self, "init", "--settings", str(self.settings),
                           *arguments, **keywords)


@pytest.fixture
def host(rig):
    return Host(rig, Path(tempfile.mkdtemp(prefix="host-", dir=rig.folder)))


def test_key_from_standard_input(rig, host):
    status, out, err = host.init("--service", rig.service.url, "--access-key-file",
                                 "-", text=host.key + "\n")
    assert (status, err) == (0, "")
    assert "knows this host" in out
    key = host.folder / "access.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip() == host.key
    assert stat.S_IMODE(host.conf.stat().st_mode) == 0o644
    assert host.key not in host.conf.read_text() + out
    assert countersign(host, "check-config")[:2] == (0, "No findings.\n")
    assert countersign(host, "devices")[:2] == (
        0, "No devices are enrolled.\n")


def test_key_from_a_file(rig, host):
    file = host.folder / "key"
    file.write_text(f"  {host.key}\r\n")
    assert host.init("--service", rig.service.url, "--access-key-file",
                     str(file))[0] == 0


def test_key_from_the_terminal_is_not_shown(rig, host):
    child = pexpect.spawn(str(rig.program("countersign")), [
        "init", "--config", str(host.conf), "--settings", str(host.settings),
        "--service", rig.service.url], env=rig._environment(), timeout=30,
        encoding="utf-8")
    child.expect("Access key of this host: ")
    child.waitnoecho()
    child.sendline(host.key)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert host.key not in child.before


def test_no_terminal_and_no_file(rig, host):
    status, _, err = host.init("--service", rig.service.url, text=host.key)
    assert status == 3
    assert "--access-key-file" in err
    assert not host.conf.exists()


def test_an_existing_configuration_stays(rig, host):
    host.conf.write_text("# mine\n")
    status, _, err = host.init("--service", rig.service.url, "--access-key-file",
                               "-", text=host.key)
    assert status == 1
    assert str(host.conf) in err
    assert host.conf.read_text() == "# mine\n"
    assert not (host.folder / "access.key").exists()


@pytest.mark.parametrize("service", [
    "approve.example.org", "http://approve.example.org",
    "https://approve.example.org/path", "https://a b", "https://", ""])
def test_service_is_an_origin(host, service):
    status, out, err = host.init("--service", service, "--access-key-file",
                                 "-", text=host.key)
    assert (status, out) == (2, "")
    assert "https://host" in err
    assert not host.conf.exists()


@pytest.mark.parametrize("text", [
    "", "short", "A" * 42, "A" * 44, "A" * 43 + "\nB", "!" + "A" * 42,
    "A" * 300])
def test_not_an_access_key(rig, host, text):
    status, _, err = host.init("--service", rig.service.url, "--access-key-file",
                               "-", text=text)
    assert status in (2, 3)
    assert text == "" or text not in err
    assert not host.conf.exists()


def test_a_key_that_the_service_does_not_know(rig, host):
    status, out, err = host.init("--service", rig.service.url, "--access-key-file",
                                 "-", text="A" * 43)
    assert status == 3
    assert "Wrote" in out
    assert "the files are written" in err


def test_service_away(rig, host):
    status, _, err = host.init("--service", "https://127.0.0.1:1",
                               "--access-key-file", "-", text=host.key)
    assert status == 3
    assert "127.0.0.1:1" in err


def test_bad_settings_leave_no_configuration(rig, host):
    host.settings.write_text(host.lines + "lifetme = 90\n")
    status, _, err = host.init("--service", rig.service.url, "--access-key-file",
                               "-", text=host.key)
    assert status == 3
    assert "countersign.conf:" in err and "lifetme" in err
    assert not host.conf.exists()


def test_unsafe_folder(rig, host):
    os.chmod(host.folder, 0o777)
    status, _, err = host.init("--service", rig.service.url, "--access-key-file",
                               "-", text=host.key)
    assert status == 3
    assert str(host.folder) in err
    assert not host.conf.exists()
