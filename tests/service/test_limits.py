# SPDX-License-Identifier: BSD-2-Clause
"""How much and how often: pending questions, rates, proxies."""
import pytest

from service import Service, b64u, random_b64u


def assert_limited(reply, error):
    assert (reply.status, reply.json["error"]) == (429, error), reply
    assert 1 <= int(reply.headers["Retry-After"]) <= 60


def test_pending_of_one_user():
    with Service() as service:
        host, other = service.add_host("web1"), service.add_host("web2")
        questions = [host.ask(username="alice") for _ in range(4)]
        assert [q.reply.status for q in questions] == [201, 201, 201, 429]
        assert_limited(questions[3].reply, "too_many_pending")
        assert host.ask(username="bob").reply.status == 201
        assert host.ask().reply.status == 201
        assert other.ask(username="alice").reply.status == 201
        assert host.enroll("alice").reply.status == 429
        service.restart()
        assert host.ask(username="alice").reply.status == 429
        host.cancel(questions[0])
        assert host.ask(username="alice").reply.status == 201


@pytest.mark.parametrize("end", ["cancelled", "granted", "denied"])
def test_pending_of_one_host(end):
    with Service(max_pending_host=5) as service:
        host, other = service.add_host("web1"), service.add_host("web2")
        questions = [host.ask() for _ in range(6)]
        assert [q.reply.status for q in questions] == [201] * 5 + [429]
        assert host.enroll("alice").reply.status == 429
        assert other.ask().reply.status == 201
        # Room comes back once, however often the end is reported.
        if end == "cancelled":
            host.cancel(questions[0])
            host.cancel(questions[0])
        else:
            service.phone().answer(questions[0])
            host.outcome(questions[0], end)
            host.outcome(questions[0], end)
        assert host.ask().reply.status == 201
        assert host.ask().reply.status == 429


def test_refused_question_takes_no_room():
    with Service(max_pending_host=2) as service:
        host = service.add_host("web1")
        question = host.ask()
        for _ in range(5):
            assert host.ask(linkId=question.link_id).reply.status == 409
            assert host.ask(lifetime=1).reply.status == 422
        assert host.ask().reply.status == 201


def test_rate_of_a_host():
    with Service(rate_host=5) as service:
        host, other = service.add_host("web1"), service.add_host("web2")
        question = host.ask()
        replies = [host.ask(lifetime=1).reply for _ in range(6)]
        assert [r.status for r in replies] == [422] * 4 + [429] * 2
        assert_limited(replies[-1], "rate_limited")
        assert host.get("/api/v1/users?username=x").status == 429
        assert other.ask().reply.status == 201
        # What belongs to a question that exists goes on.
        for _ in range(10):
            assert host.status(question).status == 200
            assert host.get("/ping").status == 200
        assert host.cancel(question).status == 204


def test_rate_of_an_address():
    with Service(rate_address=8) as service:
        host, phone = service.add_host("web1"), service.phone()
        question = host.ask()
        statuses = [phone.open(question).status for _ in range(10)]
        assert statuses == [200] * 8 + [429] * 2
        assert_limited(phone.open(question), "rate_limited")
        # Hosts with a key are counted on their own.
        assert host.ask().reply.status == 201
        for client in (service.anybody(),):
            assert client.get("/ping").status == 429
            assert client.get("/healthz").status == 200


def test_too_many_requests_are_not_as_many_lines():
    with Service(rate_address=1) as service:
        phone = service.phone()
        path = "/links/" + random_b64u(16)
        statuses = [phone.get(path).status for _ in range(40)]
        assert statuses.count(429) >= 38
        lines = service.log.read_text().count("event=rate_limited")
        assert 1 <= lines <= 7


def test_rate_of_wrong_keys_and_tokens():
    with Service(rate_address=5) as service:
        wrong = {"Authorization": "Bearer " + "A" * 43}
        client = service.anybody()
        statuses = [client.get("/ping", headers=wrong).status
                    for _ in range(3)]
        assert statuses == [401] * 3
        statuses = [client.post("/api/v1/status", {
            "statusToken": random_b64u(32)}).status for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert client.get("/ping", headers=wrong).status == 429


def test_good_tokens_are_not_counted():
    with Service(rate_address=2) as service:
        host = service.add_host("web1")
        question = host.ask()
        for _ in range(10):
            reply = service.anybody().post(
                "/api/v1/status", {"statusToken": question.token})
            assert reply.status == 200


def test_rate_of_a_link():
    with Service(rate_device=4) as service:
        host, phone = service.add_host("web1"), service.phone()
        question, other = host.ask(), host.ask()
        statuses = [phone.open(question).status for _ in range(6)]
        assert statuses == [200] * 4 + [429] * 2
        assert phone.open(other).status == 200


@pytest.mark.parametrize("trusted, header, counted", [
    (None, "1.2.3.4", "127.0.0.1"),
    ("10.0.0.1", "1.2.3.4", "127.0.0.1"),
    ("127.0.0.1", None, "127.0.0.1"),
    ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
    ("127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
    ("127.0.0.1 1.2.3.0/24", "6.6.6.6, 1.2.3.4", "6.6.6.6"),
    ("127.0.0.0/8", "6.6.6.6,127.0.0.9 , 127.0.0.8", "6.6.6.6"),
    ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
    ("127.0.0.1 2001:db8::/33", "6.6.6.6, 2001:db8::1", "6.6.6.6"),
    ("127.0.0.1 2001:db8:8000::/33", "6.6.6.6, 2001:db8::1", "2001:db8::1"),
    ("127.0.0.1", "unknown", "127.0.0.1"),
    ("127.0.0.1", "", "127.0.0.1"),
    ("127.0.0.1", "1.2.3.4, x", "127.0.0.1"),
    ("127.0.0.1", "x" * 100, "127.0.0.1")])
def test_forwarded_for(trusted, header, counted):
    with Service(trusted_proxies=trusted) as service:
        headers = {} if header is None else {"X-Forwarded-For": header}
        service.phone().get("/healthz", headers=headers)
        assert f"event=call path=/healthz address={counted}\n" in \
            service.log.read_text()


@pytest.mark.parametrize("trusted, counted", [(None, "unix"),
                                              ("unix", "1.2.3.4")])
def test_forwarded_for_over_a_unix_socket(trusted, counted):
    with Service(unix=True, trusted_proxies=trusted) as service:
        service.phone().get("/healthz",
                            headers={"X-Forwarded-For": "1.2.3.4"})
        assert f"address={counted}\n" in service.log.read_text()


def test_addresses_behind_a_proxy_are_counted_apart():
    with Service(rate_address=2, trusted_proxies="127.0.0.1") as service:
        phone = service.phone()
        path = "/links/" + b64u(b"x" * 16)

        def statuses(address, n=3):
            return [phone.get(path, headers={"X-Forwarded-For": address})
                    .status for _ in range(n)]
        assert statuses("1.2.3.4") == [404, 404, 429]
        assert statuses("1.2.3.5") == [404, 404, 429]
        assert statuses("2001:db8::1", 2) == [404, 404]
        assert statuses("2001:db8::ffff:1", 1) == [429]  # the same /64
        assert statuses("2001:db8:0:1::1", 1) == [404]
