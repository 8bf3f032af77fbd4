# SPDX-License-Identifier: BSD-2-Clause
"""
A whole countersign: a service with TLS, a host, phones; in one folder.

    with Rig() as rig:
        phone = rig.enrol("daemon")
        login = rig.login("daemon", service="sudo")
        phone.approve(login.link())
        assert login.end() == "PAM_SUCCESS"

It needs root, since a host's files belong to root, and skips without.
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import oracle
import pytest
from screen import LINK, link_in
from service import Service, wait_until
from sources import BUILD, built

PAM_RUN = BUILD / "tests/support/pam-run"
CODE = re.compile(r"\btype (\d{3}) (\d{3}) on ")
PASSPHRASE = "correct horse battery staple"


def need_root():
    if os.geteuid() != 0:
        pytest.skip("this needs root")


def link_id(link):
    """The service's name for it."""
    return oracle.Link.from_text(link).id


def config_text(settings):
    """Keys at the top, then a section for each value that is a dict."""
    top = [f"{key} = {value}\n" for key, value in settings.items()
           if not isinstance(value, dict) and value is not None]
    for name, section in settings.items():
        if isinstance(section, dict):
            top.append(f"[{name}]\n")
            top += [f"{key} = {value}\n" for key, value in section.items()]
    return "".join(top)


class Phone:
    """A phone of somebody's: countersign-phone with keys of its own."""

    def __init__(self, rig, user, name):
        self.rig, self.user, self.name = rig, user, name
        self.store = rig.folder / "phones" / f"{user}-{name}"
        self.store.mkdir(parents=True, mode=0o700)
        self.passphrase = rig.folder / "passphrase"
        self.device = None

    def start(self, command, *arguments, test=False):
        """test: enroll goes on to its test question by itself."""
        if command == "enroll" and not test:
            arguments = ("--no-test", *arguments)
        return subprocess.Popen(
            [self.rig.program("countersign-phone"), command, "--store",
             self.store, "--passphrase-file", self.passphrase, "--ca-file",
             self.rig.ca, *arguments], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    @staticmethod
    def finish(process, text=None, check=True):
        """What it printed, once it has heard the host's verdict."""
        try:
            printed = process.communicate(text, timeout=60)[0]
        finally:
            process.kill()
        assert not check or process.returncode == 0, printed
        return printed

    def run(self, command, *arguments, text=None, check=True):
        return self.finish(self.start(command, *arguments), text, check)

    def devices(self):
        run = subprocess.run(
            [self.rig.program("countersign-phone"), "devices", "--json",
             "--store", self.store], text=True, stdout=subprocess.PIPE,
            check=True)
        return json.loads(run.stdout)["devices"]

    def _sure(self):
        """This device signs, even a question that is not for its user."""
        return ("--device", self.device) if self.device else ()

    def _answer(self, command, link, *arguments, then=None, check=True):
        process = self.start(command, *self._sure(), *arguments, link)
        if then:
            wait_until(lambda: self.rig.link_state(link) != "pending" and
                       self.rig.link_state(link) != "seen", "the answer")
            then()
        return self.finish(process, check=check)

    def approve(self, link, then=None, check=True):
        """
        Returns when the phone has heard the host's verdict; what it showed.
        then: called in between, once the service has the answer.
        """
        return self._answer("approve", link, "--yes", then=then, check=check)

    def deny(self, link, then=None):
        return self._answer("deny", link, then=then)

    def approve_screen(self, text):
        """Reads the link out of what a terminal shows; see finish()."""
        process = self.start("approve", "--yes", "-")
        process.stdin.write(text)
        process.stdin.close()
        process.stdin = None
        return process

    def inbox(self, wait=0):
        """The questions of its inbox, opened, newest first."""
        run = subprocess.run(
            [self.rig.program("countersign-phone"), "inbox", "--json",
             "--store", self.store, "--passphrase-file", self.passphrase,
             "--ca-file", self.rig.ca, "--wait", str(wait)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert run.returncode in (0, 1) and not run.stderr, run
        return json.loads(run.stdout)["questions"]

    def answer_inbox(self, code=None, command="approve", question=None,
                     check=True):
        """
        Answers the newest question that it was sent, without its link, and
        with the code that the terminal shows; what it printed.  command: also
        "deny".
        """
        question = question or self.inbox(wait=30)[0]
        arguments = ["--inbox", question["id"]]
        if command == "approve":
            arguments += ["--yes", *(["--code", "-"] if code else [])]
        return self.run(command, *arguments, text=code and code + "\n",
                        check=check)

    def question(self, link):
        """What the phone shows: the transaction, opened."""
        return self.rig.question(link).members


class SoftPhone:
    """
    A phone in Python, of either kind; quick, and not in its owner's way: it
    does not wait for the host's verdict.
    """

    def __init__(self, rig, user, name, kind, **keys):
        self.rig, self.user = rig, user
        self.key = oracle.Phone(kind, name=name, origin=rig.service.url,
                                **keys)
        self.device = self.key.device_id
        self.client = rig.service.phone()

    def send(self, link, answer, hint):
        """The service's reply, whatever it is."""
        return self.client.post(f"/links/{link_id(link)}/answer",
                                {"answer": answer, "hint": hint})

    def _send(self, link, answer, hint):
        reply = self.send(link, answer, hint)
        assert reply.status == 202, reply

    def approve(self, link, code=""):
        """code: what the terminal shows, where the link was not scanned."""
        self._send(link, self.key.approve(oracle.Link.from_text(link),
                                          self.rig.content(link), code=code),
                   "approve")

    def deny(self, link):
        self._send(link, self.key.deny(oracle.Link.from_text(link),
                                       self.rig.content(link)), "deny")

    def not_me(self, link):
        self._send(link, self.key.not_me(oracle.Link.from_text(link),
                                         self.rig.content(link)), "not-me")

    def inbox(self):
        """The links of the questions that it was sent, newest first."""
        reply = self.client.get("/inbox?wait=0&after=")
        assert reply.status == 200, reply
        return [self._opened(one) for one in reply.json["questions"]
                if one["deviceId"] == self.device]

    def _opened(self, one):
        return self.key.open_inbox(one, self.rig.service.url).text()

    def rung(self):
        """The newest of them, once there is one."""
        return wait_until(self.inbox, "the question in the inbox")[0]

    def answer_inbox(self, code="", command="approve"):
        """
        Answers the newest question that it was sent; its link.  command: also
        "deny" and "not_me".
        """
        link = self.rung()
        if command == "approve":
            self.approve(link, code)
        else:
            getattr(self, command)(link)
        return link

    def enroll(self, link):
        reply = self.client.post(
            f"/links/{link_id(link)}/device",
            {"deviceId": self.device, "name": self.key.name})
        assert reply.status == 201, reply
        self.client.headers["Cookie"] = \
            reply.headers["Set-Cookie"].split(";")[0]
        self._send(link, self.key.enroll(oracle.Link.from_text(link),
                                         self.rig.content(link)), "approve")


class Login:
    """One pam_authenticate(3) through a stack of the rig's."""

    def __init__(self, argv):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE,
                                        text=True)
        self.events = []

    def _next(self):
        line = self.process.stdout.readline()
        if not line:
            return False
        self.events.append(json.loads(line))
        return True

    @property
    def text(self):
        return "\n".join(event["text"] for event in self.events)

    def link(self, number=0):
        """The number-th link shown."""
        def links():
            return list(dict.fromkeys(LINK.findall(self.text)))

        while len(links()) <= number:
            assert self._next(), self.events
        return links()[number]

    def code(self):
        """The six digits beside the link."""
        while not (found := CODE.search(self.text)):
            assert self._next(), self.events
        return found.group(1) + found.group(2)

    def end(self):
        """The name of the PAM code of the last call."""
        while self._next():
            pass
        self.process.wait()
        return [event["text"] for event in self.events
                if event["event"] == "result"][-1]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Rig:
    def __init__(self, folder=None, product=None, service=None, tls=True,
                 **settings):
        """
        folder: where everything lies, only writable by root; None: a new one
        below /run.  product: a folder with the installed programs; None: the
        build tree's.  service: keys of countersignd.conf.  settings: keys of
        countersign.conf; a dict is a section.
        """
        need_root()
        self.product = Path(product) if product else None
        self.own_folder = folder is None
        if folder is None:
            folder = tempfile.mkdtemp(prefix="countersign-", dir="/run")
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self.conf = self.folder / "countersign.conf"
        self.audit_file = self.folder / "audit"
        self.service = None
        self.service_values = service or {}
        self.values = settings
        self.tls = tls
        self.logins = []

    # --- coming up and going away ---

    def __enter__(self):
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _set_up(self):
        (self.folder / "passphrase").write_text(PASSPHRASE + "\n")
        (self.folder / "passphrase").chmod(0o600)
        self.service = Service(tls=self.tls, **{
            "max_pending_user": 1000, "max_pending_host": 1000,
            "log_level": "info", **self.service_values})
        # When it starts again, it is where it was.
        self.service.configure(listen=f"127.0.0.1:{self.service.port}")
        self.host = self.service.add_host("web1")
        # Where the courier's account may read it.
        self.ca = self.folder / "ca.pem"
        if self.tls:
            self._write(self.ca,
                        (self.service.folder / "ca.pem").read_text())
        courier = self.folder / "courier"
        self._copy(self.program("courier"), courier)
        if not self.product:
            self._copy_countersign()
        self.values = {
            "ca_file": self.ca if self.tls else None,
            "courier": courier, "courier_user": "nobody",
            "state_dir": self.folder / "state",
            "audit_file": self.audit_file, "audit_syslog": "no",
            "device_kinds": "webauthn p256", **self.at_service(),
            **self.values}
        lines = self.folder / "settings"
        self._write(lines, config_text(self.values))
        self.countersign("init", "--service", self.service.url,
                         "--access-key-file", "-", "--settings", lines,
                         text=self.host.key)
        self.values = {"service": self.service.url, "access_key_file":
                       self.folder / "access.key", **self.values}

    def at_service(self):
        """Settings that need to know where the service is."""
        return {}

    def close(self):
        for login in self.logins:
            login.close()
        if self.service is not None:
            self.service.close()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _write(path, text, mode=0o644):
        path.touch(mode)
        path.chmod(mode)
        path.write_text(text)

    @staticmethod
    def _copy(program, to):
        shutil.copy(program, to)
        to.chmod(0o755)

    def _copy_countersign(self):
        """Where everybody can run it: a build tree may be somebody's own."""
        programs = self.folder / "programs"
        programs.mkdir(mode=0o755)
        for name in ("cli/countersign", "lib/libcountersign.so.0"):
            self._copy(built(name), programs / Path(name).name)
        self.programs = programs

    def program(self, name):
        if self.product:
            return self.product / name
        if name == "countersign":
            return self.programs / name
        return built({"courier": "lib/courier/courier",
                      "countersign": "cli/countersign",
                      "countersign-phone":
                      "cli/phone/countersign-phone"}[name])

    def _environment(self):
        """For programs of the build tree: its library."""
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C.UTF-8",
                "LD_LIBRARY_PATH": str(self.product or self.programs)}

    # --- the service ---

    @contextlib.contextmanager
    def service_down(self):
        """While it lasts there is no service."""
        self.service.kill()
        try:
            yield
        finally:
            self.service.start()

    def content(self, link):
        """What the service keeps for the phone, sealed."""
        reply = self.service.phone().get(f"/links/{link_id(link)}")
        assert reply.status == 200, reply
        return reply.json["content"]

    def question(self, link):
        """Opened, as a phone does it."""
        return oracle.Question(oracle.Link.from_text(link),
                               self.content(link))

    def link_state(self, link):
        """What the service says of a link, None if it has forgotten it."""
        reply = self.service.phone().get(f"/links/{link_id(link)}")
        return reply.json["state"] if reply.status == 200 else None

    def cancelled(self, link):
        """Closed before its time: of a link that nobody has answered."""
        reply = self.service.phone().get(f"/links/{link_id(link)}")
        return reply.status == 410 and reply.json["error"] == "closed"

    @staticmethod
    def requests():
        """Connections taken so far in this network name space."""
        with open("/proc/net/snmp", encoding="ascii") as file:
            names, values = [line.split() for line in file
                             if line.startswith("Tcp:")]
        return int(values[names.index("PassiveOpens")])

    # --- the host ---

    @contextlib.contextmanager
    def settings(self, **values):
        """Other settings for logins that begin now."""
        before = self.conf.read_text()
        self._write(self.conf, config_text({**self.values, **values}))
        try:
            yield
        finally:
            self._write(self.conf, before)

    def countersign(self, command, *arguments, text="", check=True):
        run = subprocess.run(
            [self.program("countersign"), command, "--config", self.conf,
             *arguments], text=True, env=self._environment(),
            input=text, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60)
        assert not check or run.returncode == 0, run.stdout
        return run.stdout

    def enrol(self, user, name="phone"):
        """A countersign-phone for user, enrolled as people do it."""
        phone = Phone(self, user, name)

        def answer(link):
            return phone.start("enroll", "--yes", "--name", name, link,
                               test=True)

        for _, process in self._enrolling(user, name, answer):
            phone.finish(process)
        phone.device = phone.devices()[-1]["id"]
        return phone

    def enrol_soft(self, user, name="soft", kind="webauthn", **keys):
        """A SoftPhone for user; keys: as oracle.Phone() takes them."""
        phone = SoftPhone(self, user, name, kind, **keys)
        for link, _ in self._enrolling(user, name, phone.enroll):
            phone.approve(link)
        return phone

    def _enrolling(self, user, name, answer):
        """
        The administrator's side: gives the first link to answer(), yields the
        second one and what answer() returned, sees to the end.
        """
        process = subprocess.Popen(
            [self.program("countersign"), "enroll", "--config", self.conf,
             "--yes", "--qr", "off", "--name", name, user], text=True,
            env=self._environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = ""

        def next_link(old=None):
            nonlocal text
            while True:
                line = process.stdout.readline()
                assert line, text
                text += line
                if link_in(line) and link_in(line) != old:
                    return link_in(line)

        try:
            first = next_link()
            answered = answer(first)
            yield next_link(first), answered
            text += process.communicate(timeout=60)[0]
            assert process.returncode == 0, text
        finally:
            process.kill()

    def audit(self):
        """Every record so far."""
        if not self.audit_file.exists():
            return []
        return [json.loads(line)
                for line in self.audit_file.read_text().splitlines()]

    def confdir(self, service, *auth):
        """A folder of PAM service files with this module alone."""
        folder = self.folder / "pam.d"
        folder.mkdir(exist_ok=True)
        module = (self.product / "pam_countersign.so" if self.product
                  else built("pam/pam_countersign.so"))
        lines = auth or (f"required {module} config={self.conf}",)
        text = "".join(f"auth {line}\n" for line in lines) + \
            "account required pam_permit.so\n"
        file = folder / service
        # Another login may be about to read it.
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
        return folder

    def login(self, user, *arguments, service="login", auth=(), argv=()):
        """
        pam-run's login; arguments go to it.  argv: the command line as the
        module sees it; a service sudo needs one of sudo's.
        """
        if not argv and service == "sudo":
            argv = ("sudo", "/usr/bin/id")
        self.logins.append(Login(
            [PAM_RUN, "--confdir", self.confdir(service, *auth), "--service",
             service, "--user", user, "--json", "--tty",
             "ssh" if service == "sshd" else "pts/0", *arguments,
             *(("--", *argv) if argv else ())]))
        return self.logins[-1]
