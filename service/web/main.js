// SPDX-License-Identifier: BSD-2-Clause
// From a link to its end.  A visit is one link opened; opening another one in
// the same tab ends it.

import * as passkey from "./passkey.js";
import * as memory from "./memory.js";
import * as protocol from "./protocol.js";
import * as view from "./view.js";
import * as words from "./words.js";
import {
	Carrier, findService, Refused, sendNote, sleep, Unreachable,
} from "./carrier.js";

/** The secret leaves the address bar and the history. */
function takeFragment() {
	const fragment = location.hash;
	history.replaceState(null, "", location.pathname);
	return fragment;
}

/** Until a question says how long it lives: the longest that one may. */
const PATIENCE_S = 300;
/** How long after its end a question's outcome may still come. */
const GRACE_S = 15;
/** How wrong a phone's clock may be before it is worth a word. */
const CLOCK_S = 60;

const now = () => Date.now() / 1000;
const isClosed = (e) => !["pending", "seen", "answered"].includes(e.state);

class Visit {
	constructor() {
		this.over = new AbortController();
		this.ends = now() + PATIENCE_S;
		this.left = () => this.ends - now();
		this.enrolments = memory.enrolments();
	}

	/** Takes up a link; what was under way for this visit goes on. */
	follow(link) {
		this.link = link;
		this.after = 0;
		this.carrier = new Carrier(link.id, this.over.signal, this.left,
			(yes) => this.over.signal.aborted || view.away(yes));
	}

	/** What comes first: the answer or an {event} that is wanted(), null if
	 *  there is none until seconds after the question's end. */
	async first(wanted, seconds, ...answer) {
		const stop = new AbortController();
		const signal = AbortSignal.any([this.over.signal, stop.signal]);
		const told = async () => {
			for (;;) {
				const event = await this.carrier.events(this.after, signal);
				this.after = Number(event.sequence) || 0;
				if (wanted(event))
					return { event };
			}
		};
		const late = async () => {
			await sleep(Math.max(this.left() + seconds, 0) * 1000, signal);
			return { event: null };
		};
		try {
			return await Promise.race([told(), late(), ...answer]);
		} catch (error) {
			if (error instanceof Unreachable)
				return { event: null };
			throw error;
		} finally {
			stop.abort();
		}
	}
}

/** What a person answered, or the {event} that came before that. */
async function answerOrEvent(v, answer, wanted) {
	// The service says first that it is over; without it our own clock does.
	const said = await v.first(wanted, 2, answer);
	return said?.event === null ? { event: { state: "expired" } } : said;
}

// --- an approval

const ageByClock = (t) => now() - Date.parse(t.created) / 1000;

function warningsFor(t, relation, credentials) {
	const age = ageByClock(t), impossible = relation === "contradiction";
	return [
		relation === "stranger" && words.stranger(t),
		impossible && words.contradiction(t),
		!impossible && credentials.length === 0 && words.noPasskeyHere(t),
		age > t.lifetime + CLOCK_S && words.stale(Math.round(age)),
	];
}

/** How old it is: by its own lifetime, or by our clock where that is more. */
function whenAsked(v, t) {
	const age = ageByClock(t), lived = Math.max(t.lifetime - v.left(), 0);
	return words.age(Math.round(age < t.lifetime ? Math.max(age, lived) : lived),
		new Date(t.created).toLocaleTimeString());
}

/** Which passkeys may sign: the host's list, else what this phone remembers. */
function credentialsFor({ t, credentials }, enrolments) {
	return credentials.length > 0 ? credentials : enrolments
		.filter((e) => e.host === t.host && e.user === t.user && e.uid === t.uid)
		.map((e) => ({ device: e.device, id: e.credential }));
}

/** {sealed}: a signed answer; {notice}: why there is none. */
async function sign(v, question, { choice, code }) {
	try {
		view.busy("passkey");
		const proof = await passkey.sign(question,
			await protocol.challenge(question, choice, code), v.left(),
			v.over.signal);
		const id = protocol.toB64u(proof.id);
		const used = question.credentials.find((c) => protocol.toB64u(c.id) === id);
		if (used === undefined)
			throw new passkey.NoPasskey("foreign");
		return { sealed: await protocol.sealAnswer(v.link, choice,
			protocol.idBytes(used.device), proof) };
	} catch (error) {
		return { notice: sentenceFor(error) };
	}
}

function sentenceFor(error) {
	if (error instanceof passkey.NoPasskey)
		return words.noSignature[error.reason];
	throw error;
}

/** The same; who can't or won't use the passkey may deny without it. */
async function give(v, question, said) {
	if (question.credentials.length === 0)
		return { sealed: await protocol.sealDecline(v.link) };
	for (;;) {
		const made = await sign(v, question, said);
		if (made.sealed || !["deny", "not-me"].includes(said.choice))
			return made;
		const what = await view.choose("unsigned", words.unsigned);
		if (what === "decline")
			return { sealed: await protocol.sealDecline(v.link) };
		if (what === "back")
			return {};
	}
}

/** Sends it; false if another answer came first. */
async function send(v, sealed, hint) {
	try {
		const reply = await v.carrier.answer(sealed, hint);
		v.after = Number(reply.sequence) || 0;
		return true;
	} catch (error) {
		if (!(error instanceof Refused) || ![409, 410].includes(error.status))
			throw error;
		// A first attempt may have arrived although its reply was lost.
		return error.attempts > 1;
	}
}

/** The screens of a host's no, by its reason. */
const DENIALS = {
	approval: { NOT_ME: "reported", DENIED: "denied", DECLINED: "denied",
		other: "refused" },
	enrolment: { DECLINED: "enrol-declined", DENIED: "not-enrolled",
		other: "enrol-refused" },
};

function showEnd(t, event, given = null) {
	switch (event?.state) {
	case "granted":
		return view.message(given === null ? "granted-elsewhere" : "granted",
			t, given);
	case "denied": {
		const screens = DENIALS[t.kind], { reason } = event;
		return view.message(
			screens[Object.hasOwn(screens, reason) ? reason : "other"],
			t, words.reason(reason));
	}
	case "expired":
	case "cancelled":
		return view.message(event.state);
	default:
		return view.message(event === null ? "uncertain" : "unknown");
	}
}

/** Puts a question and follows it to its end: {event, given}. */
async function approval(v, question, { hint = words.onlyYours, answered = false }) {
	const { t } = question;
	const enrolments = await v.enrolments;
	const relation = memory.relation(enrolments, t);
	const credentials = credentialsFor(question, enrolments);
	const mayGrant = relation !== "contradiction" && credentials.length > 0;
	const shown = {
		left: v.left, when: whenAsked(v, t), code: t.code === "always",
		choices: mayGrant ? t.choices : [], hint,
		warnings: warningsFor(t, relation, credentials),
	};
	for (;; answered = false) {
		let given = null;
		if (!answered) {
			const said = await answerOrEvent(v, view.question(t, shown),
				(e) => isClosed(e) || e.state === "answered");
			if (said.event && isClosed(said.event))
				return { event: said.event, given };
			if (!said.event) {
				const made = await give(v, { ...question, credentials }, said);
				shown.notice = made.notice;
				if (!made.sealed)
					continue;
				if (await send(v, made.sealed, said.choice))
					given = said.choice;
			}
		}
		// What the host makes of the answer that it has now.
		const at = v.after;
		view.busy(given === null ? "elsewhere" : "sent");
		const { event } = await v.first((e) => isClosed(e) ||
			(e.state !== "answered" && Number(e.sequence) > at), GRACE_S);
		if (event === null || isClosed(event))
			return { event, given };
		shown.notice = event.reason &&
			words.rejected(words.reason(event.reason), Number(event.triesLeft));
	}
}

// --- an enrolment

const phoneName = () => navigator.userAgent.match(
	/iPhone|iPad|Android|Mac|Windows|CrOS|Linux/)?.[0] ?? "Phone";

/** {device}: the new passkey, null if the person wants none; or {event}. */
async function newDevice(v, question) {
	const shown = { left: v.left, name: phoneName() };
	for (;;) {
		const said = await answerOrEvent(v, view.enrolment(question.t, shown),
			isClosed);
		if (said === null)
			return { device: null };
		if (said.event)
			return said;
		const name = shown.name = protocol.clip(said.name, 64);
		view.busy("creating");
		try {
			const made = await passkey.create(question,
				await protocol.challenge(question, "enroll"), v.left(),
				v.over.signal);
			return { device: { ...made, name } };
		} catch (error) {
			shown.notice = sentenceFor(error);
		}
	}
}

/** Names the device at the service, so that it is asked by itself later. */
async function claim(v, id, name) {
	try {
		await v.carrier.claim(protocol.idText(id), name);
	} catch (error) {
		if (!(error instanceof Refused))
			throw error;
		if (error.status === 409 && error.attempts === 1)
			view.compare(protocol.idShown(id), words.claimedElsewhere);
	}
}

async function testOf(v, t, remembered) {
	view.busy("test-coming");
	v.follow(await v.link.test());
	let found;
	try {
		found = await v.carrier.appear();
	} catch (error) {
		if (error instanceof Refused)
			return view.message("test-missing");
		throw error;
	}
	const test = await take(v, found, "approval");
	const { event, given } = await approval(v, test, { hint: words.testNote });
	return event?.state === "granted" && given !== null
		? view.message("enrolled", t, remembered) : showEnd(test.t, event, given);
}

async function enrolment(v, question) {
	const { t } = question;
	const { device, event } = await newDevice(v, question);
	if (event)
		return showEnd(t, event);
	view.busy("sending");
	if (device === null) {
		await send(v, await protocol.sealDecline(v.link), "deny");
		return view.message("enrol-declined", t);
	}
	const id = await protocol.deviceId(device.point);
	const sealKey = await memory.newSealKey();
	const sealed = await protocol.sealEnrolment(v.link, device, sealKey.point,
		device.name);
	if (!await send(v, sealed, "enroll"))
		return view.message("overtaken");
	view.compare(protocol.idShown(id));
	await claim(v, id, device.name);
	const end = await v.first(isClosed, GRACE_S);
	if (end.event?.state !== "granted")
		return showEnd(t, end.event);
	const remembered = await memory.remember({
		device: protocol.idText(id), credential: device.id, host: t.host,
		user: t.user, uid: t.uid, name: device.name, since: t.created,
		sealKey: sealKey.privateKey,
	});
	v.enrolments = memory.enrolments();
	return testOf(v, t, remembered);
}

// --- nothing is asked: where this phone may approve, and the way out

/** Has the device sign that it goes; a sentence if nothing was signed. */
async function remove(v, e) {
	view.busy("passkey");
	v.ends = now() + PATIENCE_S;
	try {
		const question = { bytes: protocol.removal(e),
			credentials: [{ id: e.credential }] };
		const proof = await passkey.sign(question,
			await protocol.challenge(question, "remove"), v.left(),
			v.over.signal);
		view.busy("sending");
		await sendNote(protocol.note(e.device, proof), v.over.signal);
	} catch (error) {
		if (error instanceof Refused && error.status !== 429)
			return view.message("not-removed");
		if (error instanceof TypeError)
			throw new Unreachable();
		return sentenceFor(error);
	}
	await memory.forget(e);
	return v.over.signal.aborted || view.message("removed", e);
}

async function places(v, state) {
	const all = await v.enrolments;
	let notice;
	while (all.length > 0 && !v.over.signal.aborted) {
		const e = await view.places(state, all, notice);
		if (await view.choose("removal", words.removal, e) === "remove" &&
		    !(notice = await remove(v, e)))
			return;
	}
}

// --- a visit

/** The question out of a reply; its own words win over the service's. */
async function take(v, reply, kind) {
	const question = await protocol.openContent(v.link, String(reply.content));
	if (kind && question.t.kind !== kind)
		throw new protocol.Malformed("another kind of question");
	v.ends = now() +
		Math.min(Number(reply.secondsLeft) || 0, question.t.lifetime);
	v.carrier.seen();
	return question;
}

async function visit(v, fragment) {
	view.busy("opening");
	const link = await protocol.openLink(fragment);
	if (link === null)
		return view.message("bad-link");
	v.follow(link);
	const reply = await v.carrier.look();
	const question = await take(v, reply);
	if (question.t.kind === "enrolment")
		return enrolment(v, question);
	const { event, given } = await approval(v, question,
		{ answered: reply.state === "answered" });
	return showEnd(question.t, event, given);
}

async function trouble(v, error) {
	if (error instanceof Unreachable)
		return view.message("unreachable");
	if (error instanceof Refused)
		return view.message(error.status === 429 ? "limited"
			: error.error === "expired" ? "expired" : "unknown");
	if (!(error instanceof protocol.Malformed))
		return view.message("broken");
	// Nobody reads the question, but whoever waits for it is let go.
	await view.choose("malformed", words.endIt);
	view.busy("sending");
	await send(v, await protocol.sealDecline(v.link), "deny");
	return view.message("declined");
}

let current = null;

/** A new visit, and what it does. */
function begin(act) {
	current?.over.abort();
	const v = current = new Visit();
	const unlessOver = (then) => (error) => v.over.signal.aborted || then(v, error);
	view.away(false);
	return act(v).catch(unlessOver(trouble))
		.catch(unlessOver(() => view.message("broken")));
}

function idle(state) {
	view.message(state);
	return begin((v) => places(v, state));
}

function start(fragment) {
	if (!passkey.supported())
		return view.message("unsupported");
	findService().catch(() => {});
	if (fragment.length > 1)
		return begin((v) => visit(v, fragment));
	const [how] = performance.getEntriesByType("navigation");
	return idle(
		["reload", "back_forward"].includes(how?.type) ? "again" : "idle");
}

// A camera may open the next link in this very tab.
window.addEventListener("hashchange", () => {
	const fragment = takeFragment();
	if (fragment.length > 1)
		start(fragment);
});

// A page that is left forgets: it must not come back with an old question, nor
// hold a connection that the next one needs.
window.addEventListener("pagehide", () => current?.over.abort());
window.addEventListener("pageshow", (event) =>
	event.persisted && idle("again"));

start(takeFragment());

// Only now, so that it costs the question nothing: the page's own files are
// kept for the next time.
if ("serviceWorker" in navigator) {
	const only = { createScriptURL: () => "/sw.js" };
	const policy = window.trustedTypes?.createPolicy("countersign", only) ?? only;
	navigator.serviceWorker.register(policy.createScriptURL("")).catch(() => {});
}
