# SPDX-License-Identifier: BSD-2-Clause
"""countersign-phone backup and restore: a phone moves in one file."""
import json
import os
import resource
import shutil
import signal
import stat
import struct
import subprocess

import pytest
from conftest import run
from rig import PASSPHRASE, Phone

MAGIC = b"countersign-phone backup 1\n"
OTHER = "another passphrase"


@pytest.fixture(scope="module")
def phone(rig):
    """Enrolled for two accounts, one of them in a foreign script."""
    phone = rig.enrol("daemon", "Dæmon's")
    other = rig.enrol("games", "x" * 64)
    with other.store.joinpath(other.device + ".json").open("a") as entry:
        entry.write("\n" * 100)  # the largest file of all
    for file in other.store.iterdir():
        shutil.copy(file, phone.store)
    return phone


@pytest.fixture(scope="module")
def passphrases(rig):
    """Files with the backup's passphrase, and with another one."""
    files = []
    for text in (OTHER, OTHER + "x"):
        files.append(rig.folder / f"passphrase-{len(files)}")
        files[-1].write_text(text + "\n")
        files[-1].chmod(0o600)
    return files


class Mover:
    """backup and restore of a store, which take fewer options."""

    def __init__(self, rig, store, passphrase):
        self.rig, self.store, self.passphrase = rig, store, passphrase

    def __call__(self, command, *arguments, data=b"", check=True, env=None,
                 **more):
        got = subprocess.run(
            [self.rig.program("countersign-phone"), command, "--store",
             self.store, "--passphrase-file", self.passphrase, *arguments],
            input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=60, start_new_session=True, env=env, **more)
        assert not check or got.returncode == 0, got.stderr
        return got


def files_of(store):
    return {path.name: path.read_bytes() for path in store.iterdir()}


@pytest.fixture(scope="module")
def backup(rig, phone, passphrases, tmp_path_factory):
    """A file that was made by the program."""
    path = tmp_path_factory.mktemp("backup") / "phone.backup"
    told = Mover(rig, phone.store, passphrases[0])("backup", path)
    assert told.stdout == b"Saved 2 enrolments.\n" and told.stderr == b""
    return path


@pytest.fixture
def empty(tmp_path, rig, passphrases):
    """Another machine: restore makes the folder."""
    return Mover(rig, tmp_path / "store", passphrases[0])


def test_the_phone_works_elsewhere(rig, phone, backup, empty):
    told = empty("restore", backup)
    assert told.stdout == b"Restored 2 enrolments.\n"
    assert files_of(empty.store) == files_of(phone.store)
    assert stat.S_IMODE(empty.store.stat().st_mode) == 0o700
    for path in empty.store.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    moved = Phone.__new__(Phone)
    moved.rig, moved.store = rig, empty.store
    moved.passphrase = phone.passphrase
    for one in (moved, phone, moved):  # neither copy outdates the other
        login = rig.login("daemon")
        told = run(one, "approve", "--yes", login.link())
        assert "no memory" not in told.stdout
        assert login.end() == "PAM_SUCCESS"


def test_file_is_closed_and_says_nothing(rig, phone, backup):
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    data = backup.read_bytes()
    for device in phone.devices():
        for text in (device["id"], device["host"], device["user"],
                     rig.service.url, "PRIVATE KEY"):
            # Two or three bytes stand somewhere by chance, without quotes.
            told = text if len(text) > 4 else json.dumps(text)
            assert told.encode() not in data
    assert PASSPHRASE.encode() not in data and OTHER.encode() not in data


def unseal(data, passphrase):
    """As the manual describes it."""
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    salt = data[len(MAGIC):][:16]
    header = data[:len(MAGIC) + 16 + 12]
    key = Scrypt(salt=salt, length=32, n=65536, r=8, p=2).derive(
        passphrase.encode())
    return AESGCM(key).decrypt(header[-12:], data[len(header):], header)


def seal(plain, passphrase):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    header = MAGIC + os.urandom(28)
    key = Scrypt(salt=header[-28:-12], length=32, n=65536, r=8, p=2).derive(
        passphrase.encode())
    return header + AESGCM(key).encrypt(header[-12:], plain, header)


def test_file_is_as_documented(phone, backup):
    """Sealed once more: the keys have their own passphrase besides."""
    data = backup.read_bytes()
    assert data.startswith(MAGIC)
    plain, files = unseal(data, OTHER), []
    while plain:
        [length] = struct.unpack(">H", plain[:2])
        files.append(plain[2:2 + length])
        plain = plain[2 + length:]
    assert sorted(files) == sorted(files_of(phone.store).values())
    assert [b"ENCRYPTED PRIVATE KEY" in file for file in files] == [
        True, True, False] * 2


def test_every_backup_differs(rig, phone, passphrases, backup, tmp_path):
    again = tmp_path / "again"
    Mover(rig, phone.store, passphrases[0])("backup", again)
    at = len(MAGIC)
    assert again.read_bytes()[at:at + 28] != backup.read_bytes()[at:at + 28]


def test_by_a_pipe(rig, phone, passphrases, empty):
    data = Mover(rig, phone.store, passphrases[0])("backup", "-").stdout
    assert data.startswith(MAGIC)
    empty("restore", "-", data=data)
    assert files_of(empty.store) == files_of(phone.store)


def test_wrong_passphrase(rig, backup, empty, passphrases):
    told = Mover(rig, empty.store, passphrases[1])(
        "restore", backup, check=False)
    assert told.returncode == 3
    assert b"passphrase is wrong" in told.stderr
    assert files_of(empty.store) == {}


@pytest.mark.parametrize("at", (0, 26, 27, 42, 43, 54, 55, 500, -17, -1))
def test_one_bit_changed(backup, empty, tmp_path, at):
    data = bytearray(backup.read_bytes())
    data[at] ^= 1
    path = tmp_path / "changed"
    path.write_bytes(data)
    path.chmod(0o600)
    told = empty("restore", path, check=False)
    assert told.returncode == 3
    assert b"damaged" in told.stderr or b"not a backup" in told.stderr
    assert files_of(empty.store) == {}


@pytest.mark.parametrize("change", (
    lambda data: b"", lambda data: data[:-1], lambda data: data + b"\n",
    lambda data: data[:55], lambda data: data[:len(MAGIC)],
    lambda data: data.replace(b"backup 1", b"backup 2", 1),
    lambda data: b"\0" * (5 << 20)))
def test_not_whole(backup, empty, change):
    told = empty("restore", "-", data=change(backup.read_bytes()),
                 check=False)
    assert (told.returncode, told.stdout) == (3, b"")
    assert not empty.store.exists() or files_of(empty.store) == {}


def test_contents_that_nobody_should_have_sealed(backup, empty):
    """Also who knows the passphrase gets no file by another name."""
    plain = unseal(backup.read_bytes(), OTHER)
    half = len(plain) // 2
    assert b'"id":' in plain
    for changed in (plain + plain, plain[:-1], plain[:half], b"\0\0" * 3,
                    plain.replace(b"BEGIN ENCRYPTED", b"BEGIN ENCRYPTEX"),
                    plain.replace(b'"id": "', b'"id": "../', 1),
                    plain.replace(b'"id":"', b'"id":"../', 1),
                    plain.replace(b'"user"', b'"usxr"')):
        if changed == plain:
            continue
        told = empty("restore", "-", data=seal(changed, OTHER), check=False)
        assert told.returncode == 3, told
        assert files_of(empty.store) == {}


def test_what_is_there_stays(rig, phone, backup, passphrases, tmp_path):
    """One of the two is on this phone already: neither is restored."""
    store = tmp_path / "store"
    shutil.copytree(phone.store, store)
    kept = phone.devices()[0]["id"]
    for path in store.iterdir():
        if not path.name.startswith(kept):
            path.unlink()
    mover = Mover(rig, store, passphrases[0])
    (store / f"{kept}.json").write_text(
        (store / f"{kept}.json").read_text().replace("Dæmon", "Demon"))
    before = files_of(store)
    told = mover("restore", backup, check=False)
    assert told.returncode == 1
    shown = "-".join(kept[at:at + 4] for at in range(0, 16, 4))
    assert shown.encode() in told.stderr and b"--force" in told.stderr
    assert files_of(store) == before
    mover("restore", "--force", backup)
    assert files_of(store) == files_of(phone.store)


def test_all_or_nothing(phone, backup, empty):
    """The last file of the second enrolment is too much."""
    *_, most = sizes = sorted(map(len, files_of(phone.store).values()))
    assert most > sizes[-2]

    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most - 1, most - 1))
    told = empty("restore", backup, check=False, preexec_fn=small)
    assert told.returncode == 3
    assert files_of(empty.store) == {}


def test_no_overwriting(rig, phone, passphrases, backup, tmp_path):
    path = tmp_path / "file"
    path.write_text("precious")
    mover = Mover(rig, phone.store, passphrases[0])
    told = mover("backup", path, check=False)
    assert told.returncode == 1 and b"--force" in told.stderr
    assert path.read_text() == "precious"
    mover("backup", "--force", path)
    assert path.read_bytes().startswith(MAGIC)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_nowhere_to_put_it(rig, phone, passphrases, tmp_path):
    told = Mover(rig, phone.store, passphrases[0])(
        "backup", tmp_path / "no/such/folder", check=False)
    assert told.returncode == 3


def test_nothing_to_save(empty, tmp_path):
    told = empty("backup", tmp_path / "file", check=False)
    assert told.returncode == 1 and b"nobody" in told.stderr
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("spoil", ("json", "pem", "seal.pem"))
def test_a_damaged_phone_is_not_saved(rig, phone, passphrases, tmp_path,
                                      spoil):
    store = tmp_path / "store"
    shutil.copytree(phone.store, store)
    next(store.glob(f"????????????????.{spoil}")).write_text("{}\n")
    told = Mover(rig, store, passphrases[0])(
        "backup", tmp_path / "file", check=False)
    assert told.returncode == 3 and b"damaged" in told.stderr
    assert not (tmp_path / "file").exists()


def test_file_that_others_could_have_written(backup, empty, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(backup.read_bytes())
    path.chmod(0o666)
    told = empty("restore", path, check=False)
    assert told.returncode == 3 and b"others can write" in told.stderr
    assert empty("restore", tmp_path / "none", check=False).returncode == 3


def test_passphrase_is_asked_for_twice(rig, phone, tmp_path, empty):
    pexpect = pytest.importorskip("pexpect")
    path = tmp_path / "file"

    def spawn(*arguments):
        return pexpect.spawn(str(rig.program("countersign-phone")),
                             [str(one) for one in arguments], timeout=30,
                             encoding="utf-8")

    for second, status in ((OTHER + "x", 3), (OTHER, 0)):
        child = spawn("backup", "--store", phone.store, path)
        for prompt, text in (("New passphrase of the backup: ", OTHER),
                             ("Once more: ", second)):
            child.expect(prompt)
            child.waitnoecho()
            child.sendline(text)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == status
        assert path.exists() == (status == 0)
    child = spawn("restore", "--store", empty.store, path)
    child.expect("Passphrase of the backup: ")
    child.waitnoecho()
    child.sendline(OTHER)
    child.expect("Restored 2")
    child.expect(pexpect.EOF)
    assert files_of(empty.store) == files_of(phone.store)
