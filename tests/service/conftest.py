# SPDX-License-Identifier: BSD-2-Clause
"""A service, a host of it, and a phone that has enrolled a device there."""
import pytest

from service import Service, device_id

PAGE = "https://approve.example.org"


@pytest.fixture(scope="module", params=["plain", "tls"])
def service(request):
    with Service(tls=request.param == "tls", public_url=PAGE,
                 max_pending_user=1000, max_pending_host=1000) as found:
        yield found


@pytest.fixture
def host(service):
    return service.add_host(f"host-{device_id()}")


@pytest.fixture
def device():
    return device_id()


@pytest.fixture
def phone(host, device):
    return host.enrol_device("alice", device, "Alice's Pixel")


def assert_error(reply, status, error):
    assert (reply.status, reply.json["error"]) == (status, error), reply
