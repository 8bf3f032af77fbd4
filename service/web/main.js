// SPDX-License-Identifier: BSD-2-Clause
// From a link to its end.  A visit is one link opened; opening another one in
// the same tab ends it.

import * as passkey from "./passkey.js";
import * as memory from "./memory.js";
import * as protocol from "./protocol.js";
import * as view from "./view.js";
import * as words from "./words.js";
import { Carrier, findService, Refused, sleep, Unreachable } from "./carrier.js";

// Before anything else: the secret leaves the address bar and the history.
let fragment = location.hash;
history.replaceState(null, "", location.pathname);

/** Until a question says how long it lives: the longest that one may. */
const PATIENCE_S = 300;
/** How long after its end a question's outcome may still come. */
const GRACE_S = 15;
/** How wrong a phone's clock may be before it is worth a word. */
const CLOCK_S = 60;
const OPEN = ["pending", "seen", "answered"];

const now = () => Date.now() / 1000;

class Visit {
	constructor() {
		this.over = new AbortController();
		this.ends = now() + PATIENCE_S;
		this.after = 0;
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

	/** The next event that is wanted(); null if none came within seconds. */
	async event(wanted, seconds, signal = this.over.signal) {
		const stop = new AbortController();
		const both = AbortSignal.any([signal, stop.signal]);
		const none = sleep(Math.max(seconds, 0) * 1000, both).then(() => null);
		const told = (async () => {
			for (;;) {
				const e = await this.carrier.events(this.after, both);
				this.after = Number(e.sequence) || 0;
				if (wanted(e))
					return e;
			}
		})();
		none.catch(() => {});
		told.catch(() => {});
		try {
			return await Promise.race([told, none]);
		} finally {
			stop.abort();
		}
	}
}

const isClosed = (e) => !OPEN.includes(e.state);

/** What a person answered, or the event that came before that. */
async function answerOrEvent(v, answer, wanted) {
	const stop = new AbortController();
	const signal = AbortSignal.any([v.over.signal, stop.signal]);
	// The service says it first; without it our own clock does.
	const event = v.event(wanted, v.left() + 2, signal)
		.then((e) => ({ event: e ?? { state: "expired" } }))
		.catch((error) => {
			if (error instanceof Unreachable)
				return { event: { state: "expired" } };
			if (error instanceof Refused)
				return { event: { state: "unknown" } };
			return new Promise(() => {}); // aborted: nobody waits for it
		});
	try {
		return await Promise.race([answer, event]);
	} finally {
		stop.abort();
	}
}

// --- an approval ------------------------------------------------------------

const ageByClock = (t) => now() - Date.parse(t.created) / 1000;

function warningsFor(t, relation) {
	const age = ageByClock(t), warnings = [];
	if (relation === "stranger")
		warnings.push(words.stranger(t));
	if (relation === "contradiction")
		warnings.push(words.contradiction(t));
	if (age > t.lifetime + CLOCK_S)
		warnings.push(words.stale(Math.round(age)));
	return warnings;
}

/** How old it is: by its own lifetime, or by our clock where that is more. */
function whenAsked(v, t) {
	const age = ageByClock(t), lived = Math.max(t.lifetime - v.left(), 0);
	return words.age(Math.round(age < t.lifetime ? Math.max(age, lived) : lived),
		new Date(t.created).toLocaleTimeString());
}

/** The device that a credential belongs to, as bytes; null: to none of ours. */
function deviceOf(credentials, id) {
	const text = protocol.toB64u(id);
	const found = credentials.find((c) => protocol.toB64u(c.id) === text);
	return found ? protocol.idBytes(found.device) : null;
}

/** Which passkeys may sign: the host's list, else what this phone remembers. */
function credentialsFor(question, enrolments) {
	if (question.credentials.length > 0)
		return question.credentials;
	const { t } = question;
	return enrolments
		.filter((e) => e.host === t.host && e.user === t.user && e.uid === t.uid)
		.map((e) => ({ device: e.device, id: e.credential }));
}

/** A sealed answer, or the reason why there is none. */
async function signed(v, question, said) {
	try {
		const challenge = await protocol.challenge(question, said.choice,
			said.code);
		const proof = await passkey.sign(question, challenge, v.left(),
			v.over.signal);
		const device = deviceOf(question.credentials, proof.id);
		if (device === null)
			throw new passkey.NoPasskey("foreign");
		return await protocol.sealAnswer(v.link, said.choice, device, proof);
	} catch (error) {
		if (error instanceof passkey.NoPasskey)
			return { reason: error.reason };
		throw error;
	}
}

/** The sealed denial of who can't or won't use the passkey; null: go back. */
async function unsigned(v, question, said) {
	const { decline, retry, back } = words.unsigned;
	for (;;) {
		const what = await view.choose("unsigned", words.unsigned, [
			[decline, "no", "decline"], [retry, "", "retry"], [back, "", "back"]]);
		if (what === "decline")
			return protocol.sealDecline(v.link);
		if (what === "back")
			return null;
		view.busy("passkey", words.usePasskey);
		const sealed = await signed(v, question, said);
		if (typeof sealed === "string")
			return sealed;
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

function showEnd(t, e, given) {
	const end = view.message;
	if (e === null)
		return end("uncertain", words.uncertain);
	switch (e.state) {
	case "granted":
		return given === null ? end("granted-elsewhere", words.grantedElsewhere(t))
			: end("granted", words.granted(t, given));
	case "denied":
		if (e.reason === "NOT_ME")
			return end("reported", words.reported(t));
		if (["DENIED", "DECLINED"].includes(e.reason))
			return end("denied", words.denied(t));
		return end("refused", words.refused(t, words.reason(e.reason)));
	case "expired":
		return end("expired", words.expired);
	case "cancelled":
		return end("cancelled", words.cancelled);
	default:
		return end("unknown", words.unknown);
	}
}

/** Waits for what the host makes of the answer that it has now. */
async function verdict(v, ours) {
	const at = v.after;
	view.busy(ours ? "sent" : "elsewhere", ours ? words.sent : words.elsewhere);
	return v.event((e) => isClosed(e) ||
		(e.state !== "answered" && Number(e.sequence) > at), v.left() + GRACE_S);
}

const noticeOf = (e) =>
	e.reason ? words.rejected(words.reason(e.reason), Number(e.triesLeft)) : null;

/** One answer from the click to its sealed bytes; else {notice}. */
async function give(v, question, said) {
	view.busy("passkey", words.usePasskey);
	const sealed = await signed(v, question, said);
	if (typeof sealed === "string")
		return { sealed };
	if (!["deny", "not-me"].includes(said.choice))
		return { notice: words.noSignature[sealed.reason] };
	const other = await unsigned(v, question, said);
	return other === null ? { notice: null } : { sealed: other };
}

/** Puts a question and follows it to its end, which it returns. */
async function approval(v, question, { note = null, answered = false }) {
	const { t } = question;
	const enrolments = await v.enrolments;
	const relation = memory.relation(enrolments, t);
	const credentials = credentialsFor(question, enrolments);
	const asked = { ...question, credentials };
	const mayGrant = relation !== "contradiction" && credentials.length > 0;
	const shown = {
		left: v.left, when: whenAsked(v, t), code: t.code === "always",
		choices: mayGrant ? t.choices : [],
		warnings: warningsFor(t, relation),
		hint: note ?? words.onlyYours,
	};
	if (credentials.length === 0 && relation !== "contradiction")
		shown.warnings.push(words.noPasskeyHere(t));
	let notice = null;
	for (;; answered = false) {
		let given = null;
		const said = answered ? { event: { state: "answered" } }
			: await answerOrEvent(v, view.question(t, { ...shown, notice }),
				(e) => isClosed(e) || e.state === "answered");
		if (said.event && isClosed(said.event))
			return { event: said.event, given };
		if (!said.event) {
			const made = credentials.length > 0 ? await give(v, asked, said)
				: { sealed: await protocol.sealDecline(v.link) };
			notice = made.notice ?? null;
			if (!made.sealed)
				continue;
			given = await send(v, made.sealed, said.choice) ? said.choice : null;
		}
		const e = await verdict(v, given !== null);
		if (e === null || isClosed(e))
			return { event: e, given };
		notice = noticeOf(e);
	}
}

// --- an enrolment -----------------------------------------------------------

function phoneName() {
	const agent = navigator.userAgent;
	const names = [[/iPhone/, "iPhone"], [/iPad/, "iPad"],
		[/Android/, "Android phone"], [/Macintosh/, "Mac"],
		[/Windows/, "Windows computer"], [/CrOS/, "Chromebook"],
		[/Linux/, "Linux computer"]];
	return (names.find(([pattern]) => pattern.test(agent)) ?? [0, "Phone"])[1];
}

/** The new passkey; null if the person wants none. */
async function newDevice(v, question) {
	let name = phoneName(), notice = null;
	for (;;) {
		const said = await answerOrEvent(v,
			view.enrolment(question.t, { left: v.left, name, notice }), isClosed);
		if (said === null || said.event)
			return { device: null, event: said?.event ?? null };
		name = protocol.clip(said.name, 64);
		view.busy("creating", words.creating);
		try {
			const challenge = await protocol.challenge(question, "enroll");
			const made = await passkey.create(question, challenge, v.left(),
				v.over.signal);
			return { device: { ...made, name }, event: null };
		} catch (error) {
			if (!(error instanceof passkey.NoPasskey))
				throw error;
			notice = words.noSignature[error.reason];
		}
	}
}

function showEnrolEnd(t, e) {
	if (e === null || e.state !== "denied")
		return showEnd(t, e, null);
	if (e.reason === "DECLINED")
		return view.message("enrol-declined", words.enrolDeclined(t));
	if (e.reason === "DENIED")
		return view.message("not-enrolled", words.notEnrolled(t));
	return view.message("enrol-refused",
		words.enrolRefused(t, words.reason(e.reason)));
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
	view.busy("test-coming", words.testComing);
	v.follow(await v.link.test());
	const found = await v.carrier.appear().catch((error) => {
		if (error instanceof Refused)
			return null;
		throw error;
	});
	if (found === null)
		return view.message("test-missing", words.testMissing);
	const test = await take(v, found, "approval");
	const { event, given } = await approval(v, test, { note: words.testNote });
	if (event?.state === "granted" && given !== null)
		return view.message("enrolled", words.enrolled(t, remembered));
	return showEnd(test.t, event, given);
}

async function enrolment(v, question) {
	const { t } = question;
	const { device, event } = await newDevice(v, question);
	if (event !== null)
		return showEnrolEnd(t, event);
	view.busy("sending", words.sending);
	if (device === null) {
		await send(v, await protocol.sealDecline(v.link), "deny");
		return view.message("enrol-declined", words.enrolDeclined(t));
	}
	const id = await protocol.deviceId(device.point);
	const sealKey = await memory.newSealKey();
	const sealed = await protocol.sealEnrolment(v.link, device, sealKey.point,
		device.name);
	if (!await send(v, sealed, "enroll"))
		return view.message("overtaken", words.overtaken);
	view.compare(protocol.idShown(id));
	await claim(v, id, device.name);
	const end = await v.event(isClosed, v.left() + GRACE_S);
	if (end?.state !== "granted")
		return showEnrolEnd(t, end);
	const remembered = await memory.remember({
		device: protocol.idText(id), credential: device.id, host: t.host,
		user: t.user, uid: t.uid, name: device.name, since: t.created,
		sealKey: sealKey.privateKey,
	});
	v.enrolments = memory.enrolments();
	return testOf(v, t, remembered);
}

// --- a visit ----------------------------------------------------------------

/** The question out of a reply; its own words win over the service's. */
async function take(v, reply, kind) {
	const question = await protocol.openContent(v.link, String(reply.content));
	if (kind !== undefined && question.t.kind !== kind)
		throw new protocol.Malformed("another kind of question");
	const left = Math.min(Number(reply.secondsLeft) || 0, question.t.lifetime);
	v.ends = now() + left;
	v.carrier.seen();
	return question;
}

async function visit(v) {
	const link = await protocol.openLink(v.fragment);
	if (link === null)
		return view.message("bad-link", words.badLink);
	v.follow(link);
	const reply = await v.carrier.look();
	const question = await take(v, reply);
	if (question.t.kind === "enrolment")
		return enrolment(v, question);
	const answered = reply.state === "answered";
	const { event, given } = await approval(v, question, { answered });
	return showEnd(question.t, event, given);
}

/** Nobody reads the question, but whoever waits for it is let go. */
async function refuseMalformed(v) {
	await view.choose("malformed", words.malformed,
		[[words.malformed.decline, "no", true]]);
	view.busy("sending", words.sending);
	await send(v, await protocol.sealDecline(v.link), "deny");
	view.message("declined", { ...words.denied({ host: "" }), text: [] });
}

async function trouble(v, error) {
	if (error instanceof protocol.Malformed)
		return refuseMalformed(v);
	if (error instanceof Unreachable)
		return view.message("unreachable", words.unreachable);
	if (error instanceof Refused && error.status === 410)
		return error.error === "expired" ? view.message("expired", words.expired)
			: view.message("unknown", words.unknown);
	if (error instanceof Refused)
		return error.status === 429 ? view.message("limited", words.limited)
			: view.message("unknown", words.unknown);
	return view.message("broken", words.broken);
}

let current = null;

async function begin() {
	const v = new Visit();
	v.fragment = fragment;
	fragment = "";
	current?.over.abort();
	current = v;
	view.away(false);
	view.busy("opening", words.opening);
	try {
		await visit(v);
	} catch (error) {
		if (!v.over.signal.aborted)
			await trouble(v, error).catch(() =>
				v.over.signal.aborted || view.message("broken", words.broken));
	}
}

function start() {
	if (!passkey.supported())
		return view.message("unsupported", words.unsupported);
	findService().catch(() => {});
	if (fragment.length > 1)
		return begin();
	const [how] = performance.getEntriesByType("navigation");
	return ["reload", "back_forward"].includes(how?.type)
		? view.message("again", words.again) : view.message("idle", words.idle);
}

// A camera may open the next link in this very tab.
window.addEventListener("hashchange", () => {
	fragment = location.hash;
	history.replaceState(null, "", location.pathname);
	if (fragment.length > 1)
		start();
});

// A page that is left forgets: it must not come back with an old question, nor
// hold a connection that the next one needs.
window.addEventListener("pagehide", () => current?.over.abort());
window.addEventListener("pageshow", (event) =>
	event.persisted && view.message("again", words.again));

start();

// Only now, so that it costs the question nothing: the page's own files are
// kept for the next time.
if ("serviceWorker" in navigator) {
	const allowed = (url) => {
		if (url !== "/sw.js")
			throw new TypeError(url);
		return url;
	};
	const policy = window.trustedTypes?.createPolicy("countersign",
		{ createScriptURL: allowed }) ?? { createScriptURL: allowed };
	navigator.serviceWorker.register(policy.createScriptURL("/sw.js"))
		.catch(() => {});
}
