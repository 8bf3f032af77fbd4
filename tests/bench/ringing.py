# SPDX-License-Identifier: BSD-2-Clause
"""What ringing phones costs, and that it costs others nothing."""
import multiprocessing
import os
import time

import pushd as push
from service import Later, Service, device_id, random_b64u

HOST, ADDRESS = "fcm.googleapis.com", "142.250.9.9"
RUNGS = 1000
SLOW_S = 0.25


class Arrivals(push.PushService):
    """Says when each request came, and takes its time to answer."""

    def __init__(self, *arguments, delay=0, pipe=None):
        super().__init__(*arguments)
        self.delay, self.pipe = delay, pipe

    def _exchange(self, connection, reader):
        if not reader.readline(8192):
            return False
        at, length = time.monotonic(), 0
        while (line := reader.readline(8192)) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        reader.read(length)
        with self.changed:
            self.pipe.send(at)
        time.sleep(self.delay)
        self._reply(connection, 201)
        return True


def _serve(folder, delay, pipe):
    with Arrivals(folder, [HOST], ADDRESS, 443, delay=delay, pipe=pipe):
        pipe.send("ready")
        time.sleep(3600)


class Bench:
    """A service, phones of as many users, and a push service elsewhere."""

    def __init__(self, folder, phones, delay):
        push.public_address(ADDRESS)
        push.name_address(HOST, ADDRESS)
        self.pipe, theirs = multiprocessing.Pipe(duplex=False)
        authority = push.make_authority(folder)
        self.process = multiprocessing.Process(
            target=_serve, args=(folder, delay, theirs), daemon=True)
        self.process.start()
        assert self.pipe.recv() == "ready"
        self.service = Service(push_ca_file=authority, log_level="notice",
                               max_pending_host=100000)
        self.host = self.service.add_host("web1")
        self.phones = [self._phone(f"user{n}") for n in range(phones)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.service.close()
        self.process.kill()
        self.process.join()

    def _phone(self, user):
        phone = self.service.phone()
        phone.user, phone.device_id = user, device_id()
        self.host.enrol_device(user, phone.device_id, "a phone", phone)
        keys = push.Subscription(None, f"https://{HOST}", False).keys
        assert phone.post("/devices/self/push", keys).status == 204
        return phone

    def ring(self, phone):
        question = self.host.ask(
            username=phone.user, channel="push",
            sealed={phone.device_id: random_b64u(98)})
        assert question.reply.json["push"]["sent"] == 1, question.reply
        return question

    def approval(self):
        """Answer sent -> the phone has the verdict, in ms."""
        question = self.host.ask(username="somebody")
        phone = self.service.phone()
        told = Later(lambda: self.host.status(question, wait=30, after=1))
        time.sleep(0.02)  # for that to wait
        begin = time.monotonic()
        phone.answer(question)
        told = told.result().at
        heard = Later(lambda: phone.events(question, wait=30, after=2))
        self.host.outcome(question, "granted")
        assert heard.result().json["state"] == "granted"
        return (heard.result().at - begin) * 1000, (told - begin) * 1000


def to_the_push_service(folder, count):
    """The host's POST begins -> the push service has the request, in ms."""
    found = []
    with Bench(folder, count, 0) as bench:
        for phone in bench.phones:
            begin = time.monotonic()
            bench.ring(phone)
            found.append((bench.pipe.recv() - begin) * 1000)
    return found


def beside_a_slow_one(folder, count):
    """Approvals on an idle service, and while 1,000 rings are under way."""
    with Bench(folder, RUNGS, SLOW_S) as bench:
        idle = [bench.approval() for _ in range(count)]
        for phone in bench.phones:
            bench.ring(phone)
        loaded = [bench.approval() for _ in range(count)]
        rung = 0
        while bench.pipe.poll():
            bench.pipe.recv()
            rung += 1
        assert rung < RUNGS, "the push service was too fast"
    return idle, loaded


def measure(title, row, figures, p95, count):
    # Below /run, which is a private one.
    folder = f"/run/ringing-{os.getpid()}"
    os.mkdir(folder, 0o700)
    title("Ringing phones",
          f"Web Push over TLS, encrypted and signed.  The push service is "
          f"another process; the slow\n  one takes {SLOW_S} s for each of "
          f"{RUNGS:,} messages, while others approve over plain HTTP.")
    row("", "median", "p95", "aim")
    row("host's POST -> the push service has it",
        *figures(to_the_push_service(folder, count)), "10 ms")
    idle, loaded = beside_a_slow_one(folder, 2 * count)
    for what, column in (("answer -> verdict", 0),
                         ("answer -> host", 1)):
        pair = [[pair[column] for pair in each] for each in (idle, loaded)]
        row(f"{what}, idle", *figures(pair[0]))
        row(f"{what}, 1,000 rings under way", *figures(pair[1]))
        row("  loaded by idle, p95", "",
            f"{p95(pair[1]) / p95(pair[0]):.2f}", "2")
