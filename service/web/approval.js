// SPDX-License-Identifier: BSD-2-Clause
// An approval: what may be answered, and the answer.

import { load } from "./carrier.js";
import * as memory from "./memory.js";
import * as passkey from "./passkey.js";
import * as protocol from "./protocol.js";
import * as view from "./view.js";
import { GRACE_S, isClosed, now, unsignedFor, verdict } from "./visit.js";
import * as words from "./words.js";

/** How wrong a phone's clock may be before it is worth a word. */
const CLOCK_S = 60;

const ageByClock = (t) => now() - Date.parse(t.created) / 1000;

/** What is unusual about it, in sentences. */
async function warningsFor(t, relation, credentials, door) {
	const age = ageByClock(t);
	const names = [
		["contradiction", "stranger"].includes(relation) && relation,
		relation !== "contradiction" && credentials.length === 0 &&
			"noPasskeyHere",
		mustScan(t, door) && "mustScan",
		age > t.lifetime + CLOCK_S && "stale",
	].filter(Boolean);
	const words = names.length > 0 && await load("rare-words");
	return names.map((name) => words[name](t, Math.round(age)));
}

/** By its own lifetime, or by our clock where that is more. */
function whenAsked(v, t) {
	const age = ageByClock(t), lived = Math.max(t.lifetime - v.left(), 0);
	return words.age(Math.round(age < t.lifetime ? Math.max(age, lived) : lived),
		new Date(t.created).toLocaleTimeString());
}

// Something is carried from terminal to phone: the link in the picture, else six
// digits; what is signed says which, not the service (rules UX-1 and UX-2).
const mustScan = (t, door) => door === "inbox" && t.code === "never";
const asksCode = (t, door) => t.code === "always" ||
	(door === "inbox" && t.code === "inbox");

/** The host's list, else what this phone remembers. */
function credentialsFor({ t, credentials }, enrolments) {
	return credentials.length > 0 ? credentials : enrolments
		.filter((e) => e.host === t.host && e.user === t.user && e.uid === t.uid)
		.map((e) => ({ device: e.device, id: e.credential }));
}

/** {sealed}, or {notice}: why there is none. */
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
		return { notice: await unsignedFor(error) };
	}
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

/** Until its end: {event, given}; or {later}. */
export async function approval(v, question, { hint = words.onlyYours, answered }) {
	const { t } = question, { door } = v;
	const enrolments = await v.enrolments;
	const relation = memory.relation(enrolments, t);
	const credentials = credentialsFor(question, enrolments);
	const mayGrant = relation !== "contradiction" && credentials.length > 0 &&
		!mustScan(t, door);
	const field = mayGrant && asksCode(t, door) && await load("field");
	const shown = {
		left: v.left, when: whenAsked(v, t),
		choices: mayGrant ? t.choices : [], later: door === "inbox", hint,
		warnings: await warningsFor(t, relation, credentials, door),
	};
	for (;; answered = false) {
		let given = null;
		if (!answered) {
			const answer = view.question(t, { ...shown,
				digits: field ? field.code() : null });
			verdict().catch(() => {}); // while an answer is thought of
			const said = await v.answerOrEvent(answer,
				(e) => isClosed(e) || e.state === "answered");
			if (said.choice === "later")
				return { later: true };
			if (said.event && isClosed(said.event))
				return { event: said.event, given };
			if (!said.event) {
				const made = await give(v, { ...question, credentials }, said);
				Object.assign(shown, { notice: made.notice, wrong: null });
				if (!made.sealed)
					continue;
				if (await v.send(made.sealed, said.choice))
					given = said.choice;
			}
		}
		const at = v.after;
		view.busy(given === null ? "elsewhere" : "sent");
		const { event } = await v.first((e) => isClosed(e) ||
			(e.state !== "answered" && Number(e.sequence) > at), GRACE_S);
		if (event === null || isClosed(event))
			return { event, given };
		Object.assign(shown, { notice: null, wrong: null },
			await (await verdict()).complaint(event, given !== null && field));
	}
}
