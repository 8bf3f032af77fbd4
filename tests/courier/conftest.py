# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the courier share."""
import os
import shutil
import tempfile

import pytest

import couriers


@pytest.fixture(scope="session", autouse=True)
def safe_courier():
    """The leash refuses a program that somebody else could replace: a build
    tree below /tmp, for example.  So a copy runs, where nobody could."""
    for program in (couriers.DRIVE, couriers.COURIER):
        assert os.path.exists(program), f"{program} was not built"
    path = tempfile.mkdtemp(prefix="csign-courier-", dir=couriers.SAFE)
    os.chmod(path, 0o755)
    couriers.COURIER = shutil.copy(couriers.COURIER, path)
    with couriers.Courier("http://127.0.0.1:9", op="ping") as courier:
        first = courier.next()
    if first.startswith("failed FILE"):
        pytest.skip(first)
    yield
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def folder():
    """Readable for the account that the courier runs as."""
    path = tempfile.mkdtemp(prefix="countersign-courier-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def authority(folder):
    return couriers.Authority(folder)


@pytest.fixture(scope="session")
def good(authority):
    """Certificate file and pin of a service that is what it says."""
    return authority.issue("good")


@pytest.fixture
def service():
    with couriers.Service() as running:
        yield running
