# SPDX-License-Identifier: BSD-2-Clause
"""
Every screen of the page, put up by its own code with a question that shows
what there is: for the accessibility checks and for the screenshots.
"""
import json

QUESTION = {
    "v": 1, "kind": "approval", "host": "web1.example.com", "user": "alice",
    "uid": 1001, "service": "sudo",
    "title": "Run a command as root on web1.example.com",
    "details": [
        ["Command", "systemctl restart nginx && journalctl -u nginx -f"],
        ["Directory", "/home/alice"], ["Terminal", "/dev/pts/3"],
        ["Covers", "any command on this terminal for 15 minutes"]],
    "choices": ["approve"], "code": "inbox", "nonce": "x" * 43,
    "created": "2026-11-21T22:50:00Z", "lifetime": 90,
}
LOGIN = {
    **QUESTION, "service": "sshd", "title": "Log in to web1.example.com",
    "details": [
        ["Address", "203.0.113.24"], ["Name, unverified", "cafe.example.net"],
        ["Covers", "an interactive login; it may open more sessions"]]}
ASK = {**QUESTION, "service": "ask", "title": "Deploy 4.2 to production?",
       "details": [["Change", "1,204 lines in 31 files"]],
       "choices": ["approve", "deploy-later", "only-to-staging"]}
RTL = {**QUESTION, "host": "\u05e9\u05e8\u05ea.example", "user": "\u05d3\u05e0\u05d4",
       "title": "\u05d4\u05e4\u05e2\u05dc\u05ea \u05e4\u05e7\u05d5\u05d3\u05d4 \u05db\u05de\u05e0\u05d4\u05dc",
       "details": [["\u05e4\u05e7\u05d5\u05d3\u05d4", "rm -rf /tmp/\u05e7\u05d1\u05e6\u05d9\u05dd"],
                   ["Hidden", "a\u202eb\u200bc\u0007"]]}
HUGE = {**QUESTION, "title": "W" * 256, "details": [
    ["Label" * 6, "/usr/bin/python3-" + "x" * 230]] * 12}
ENROLMENT = {**QUESTION, "kind": "enrolment", "service": "enroll",
             "title": "Let this phone approve for alice on web1.example.com",
             "details": [["Enrolled by", "root"]], "choices": [],
             "lifetime": 600}

# What this phone remembers.
ENROLMENTS = [
    {"host": "web1.example.com", "user": "alice", "name": "Android"},
    {"host": "a-very-long-name-of-a-host.in.a.department.of.example.org",
     "user": "alice.liddell@corp.example", "name": "W" * 64},
    {"host": RTL["host"], "user": RTL["user"], "name": "a\u202eb\u200bc\u0007"}]

# A question as approval.js puts it.
ASKED = """
    left: () => 71,
    when: w.age(19, "22:50:00"), choices: t.choices,
    warnings: [], hint: w.onlyYours"""
CODE = {"digits": "w.code()", "later": "true"}
REJECTED = "(await w.complaint({ reason: 'PROOF_CHALLENGE', triesLeft: 2 }))"
WRONG = "(await w.complaint({ reason: 'PROOF_CODE', triesLeft: 2 }, true))"


def question(**changes):
    more = "".join(f", {name}: {value}" for name, value in changes.items())
    return f"view.question(t, {{ {ASKED} {more} }})"


def says(state, *about):
    """What the page calls for a screen; about: of what, as it writes it."""
    return f"view.message({', '.join([repr(state), *about])})"


def home(state, *questions, notice="null", ring="off", more=""):
    """The home screen of a phone that was enrolled at t's places."""
    open_ones = ", ".join(
        f"{{ link: {{ id: {n} }}, t: {json.dumps(one)}, ends: Date.now() / "
        f"1000 + {80 - 21 * n} }}" for n, one in enumerate(questions))
    return f"""const home = w.home('{state}', t, {notice}, () => {{}});
        home.inbox([{open_ones}]);
        home.ringing('{ring}', () => {{}}{more})"""


def does(state):
    return f"view.busy('{state}')"


# name: (transaction or enrolments, what the page calls)
SCREENS = {
    "idle": ([], "w.home('idle', t, null, () => {})"),
    "again": ([], "w.home('again', t, null, () => {})"),
    "inbox-none": (ENROLMENTS[:1], home("idle", ring="on")),
    "inbox-one": (ENROLMENTS[:1], home("idle", QUESTION, ring="on")),
    "inbox-three": (ENROLMENTS[:1], home("idle", LOGIN, RTL, {
        **ASK, "host": ENROLMENTS[1]["host"],
        "user": ENROLMENTS[1]["user"]})),
    "inbox-huge": (ENROLMENTS[:1], home("idle", HUGE)),
    "ended": (ENROLMENTS[:1], home("ended", ring="on")),
    "ring-off": (ENROLMENTS[:1], home("idle")),
    "ring-blocked": (ENROLMENTS[:1], home("idle", ring="blocked")),
    "ring-unsupported": (ENROLMENTS[:1], home("idle", ring="unsupported")),
    "ring-silent": (ENROLMENTS[:1], home("idle", ring="silent")),
    "ring-refused": (ENROLMENTS[:1], home("idle", ring="refused")),
    "ring-failed": (ENROLMENTS[:1], home("idle", ring="failed")),
    "ring-install": (ENROLMENTS[:1], home("idle", ring="install",
                                          more=", ...w.how()")),
    "installed": ([], home("idle", ring="on") +
                  "; view.add(w.linkField(() => {}))"),
    "places": (ENROLMENTS, home("idle")),
    "places-again": (ENROLMENTS[:1], home("again")),
    "places-cancelled": (ENROLMENTS, home(
        "idle", notice="w.noSignature.cancelled")),
    "removal": (ENROLMENTS[0], "view.choose('removal', w.answers, t)"),
    "removal-long": (ENROLMENTS[1], "view.choose('removal', w.answers, t)"),
    "removed": (ENROLMENTS[0], says("removed", "t")),
    "not-removed": (QUESTION, says("not-removed")),
    "bad-link": (QUESTION, says("bad-link")),
    "unsupported": (QUESTION, says("unsupported")),
    "opening": (QUESTION, does("opening")),
    "away": (QUESTION, does("opening") + "; view.away(true)"),
    "question-sudo": (QUESTION, question()),
    "question-login": (LOGIN, question(
        left="() => 12")),
    "question-choices": (ASK, question()),
    "question-code": (QUESTION, question(**CODE)),
    "question-wrong-code": (QUESTION, question(
        **CODE, wrong=f"{WRONG}.wrong")),
    "question-tap": (QUESTION, question(later="true")),
    "question-never": (QUESTION, question(
        choices="[]", later="true", warnings="[w.mustScan(t)]")),
    "question-rtl": (RTL, question()),
    "question-huge": (HUGE, question()),
    "question-stranger": (QUESTION, question(
        warnings="[w.stranger(t), w.stale(t, 400)]")),
    "question-other-account": (QUESTION, question(
        choices="[]", warnings="[w.contradiction(t)]")),
    "question-no-passkey": (QUESTION, question(
        choices="[]", warnings="[w.noPasskeyHere(t)]")),
    "question-cancelled": (QUESTION, question(
        notice="w.noSignature.cancelled")),
    "question-rejected": (QUESTION, question(
        notice=f"{REJECTED}.notice")),
    "passkey": (QUESTION, does("passkey")),
    "unsigned": (QUESTION, "view.choose('unsigned', w.unsigned)"),
    "sent": (QUESTION, does("sent")),
    "elsewhere": (QUESTION, does("elsewhere")),
    "granted": (QUESTION, says("granted", "t", "'approve'")),
    "granted-elsewhere": (QUESTION, says("granted-elsewhere", "t")),
    "denied": (QUESTION, says("denied", "t")),
    "reported": (QUESTION, says("reported", "t")),
    "refused": (QUESTION, says("refused", "t", "w.sentenceOf('PROOF_DEVICE')")),
    "expired": (QUESTION, says("expired")),
    "cancelled": (QUESTION, says("cancelled")),
    "unknown": (QUESTION, says("unknown")),
    "uncertain": (QUESTION, says("uncertain")),
    "unreachable": (QUESTION, says("unreachable")),
    "limited": (QUESTION, says("limited")),
    "broken": (QUESTION, says("broken")),
    "malformed": (QUESTION, "view.choose('malformed', w.endIt)"),
    "declined": (QUESTION, says("declined")),
    "enrolment": (ENROLMENT, """w.enrolment(t, {
        left: () => 571,
        name: "Android phone", notice: null })"""),
    "enrolment-again": (ENROLMENT, """w.enrolment(t, {
        left: () => 571,
        name: "Android phone", notice: w.noSignature.known })"""),
    "creating": (ENROLMENT, does("creating")),
    "compare": (ENROLMENT, "w.compare('4hx2-k7q3-m5rj-6wza')"),
    "compare-claimed": (ENROLMENT, """w.compare('4hx2-k7q3-m5rj-6wza',
        w.claimedElsewhere)"""),
    "overtaken": (ENROLMENT, says("overtaken")),
    "not-enrolled": (ENROLMENT, says("not-enrolled", "t")),
    "enrol-refused": (ENROLMENT, says(
        "enrol-refused", "t", "w.sentenceOf('PROOF_SYNCED')")),
    "enrol-declined": (ENROLMENT, says("enrol-declined", "t")),
    "test-coming": (ENROLMENT, does("test-coming")),
    "test-missing": (ENROLMENT, says("test-missing")),
    "enrolled": (ENROLMENT, says("enrolled", "t", "true") +
                 "; view.offer(w.ring, () => {})"),
}


MODULES = ("words", "approval", "enrolment-screens", "field", "home-screen",
           "install", "rare-words", "removal", "trouble", "verdict")


def put_up(page, origin, name):
    """Puts this screen on the page."""
    transaction, call = SCREENS[name]
    page.open(origin)
    page.reaches("idle", "again")
    error = page.driver.execute_async_script(f"""
        const [t, modules, done] = arguments;
        (async () => {{
            const [view, ...all] = await Promise.all(
                modules.map((name) => import(`/${{name}}.js`)));
            const w = Object.assign({{}}, ...all);
            {call};
        }})().then(() => done(""), (error) => done(String(error)));
        """, transaction, ("view", *MODULES))
    assert error == "", error
