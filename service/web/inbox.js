// SPDX-License-Identifier: BSD-2-Clause
// The open questions that were sealed to this phone: what the service lists, and
// this phone's own key opens.

import { call, pause, Refused, sleep } from "./carrier.js";
import {
	fromB64u, gcm, hkdf, join, linkOf, Malformed, openContent,
} from "./protocol.js";
import { now } from "./visit.js";

/** Also a service that does not wait is not hurried. */
const BETWEEN_MS = 250;

const ECDH = { name: "ECDH", namedCurve: "P-256" };

/** The link whose secret was sealed to the key of this enrolment.  Anybody can
 *  have done that: it leads to a question, and proves nothing. */
export async function openCopy(enrolment, sealed) {
	try {
		const { device, sealKey, sealPoint } = enrolment;
		const data = fromB64u(sealed), ephemeral = data.subarray(1, 66);
		if (data[0] !== 1 || data.length !== 98)
			throw new Malformed("unknown seal");
		const { subtle } = crypto;
		const z = await subtle.deriveBits({ ...ECDH, public:
			await subtle.importKey("raw", ephemeral, ECDH, false, []) },
		sealKey, 256);
		const key = await subtle.deriveKey(
			hkdf("countersign/1 seal", join(ephemeral, sealPoint)),
			await subtle.importKey("raw", z, "HKDF", false, ["deriveKey"]),
			{ name: "AES-GCM", length: 256 }, false, ["decrypt"]);
		return await linkOf(await subtle.decrypt(
			gcm(new Uint8Array(12), device), key, data.subarray(66)));
	} catch {
		throw new Malformed("this was not sealed to this phone");
	}
}

/** {link, t}: what an entry leads to; null if it is not for this phone. */
async function read(entry, enrolments, signal) {
	try {
		const link = await openCopy(
			enrolments.find((e) => e.device === entry.deviceId), entry.sealed);
		if (link.id !== entry.linkId)
			return null;
		const { content } = await call("GET", `/links/${link.id}`, undefined,
			signal);
		const { t } = await openContent(link, String(content));
		return t.kind === "approval" ? { link, t } : null;
	} catch (error) {
		if (error instanceof Malformed ||
		    (error instanceof Refused && error.status !== 429))
			return null;
		throw error;
	}
}

/** show(questions, newest first) whenever they change: {link, t, ends}.  Ends if
 *  the service does not know this browser. */
export async function watch(enrolments, signal, show, away) {
	const known = new Map();
	let after = "", asked, failures = 0;
	// When it is looked at again it asks anew.
	document.addEventListener("visibilitychange", () => asked?.abort(), { signal });
	for (;;) {
		asked = new AbortController();
		const either = AbortSignal.any([signal, asked.signal]);
		try {
			const reply = await call("GET", `/inbox?wait=25&after=${after}`,
				undefined, either);
			const found = new Map();
			for (const one of reply.questions.slice(0, 8)) {
				const copy = [one.linkId, one.deviceId, one.sealed].join();
				if (!known.has(copy))
					known.set(copy, await read(one, enrolments, either));
				const question = known.get(copy);
				// This phone may be two of the account's devices.
				if (question && ["pending", "seen"].includes(one.state) &&
				    !found.has(question.link.id))
					found.set(question.link.id, { ...question, ends: now() +
						Math.min(Number(one.secondsLeft) || 0,
							question.t.lifetime) });
			}
			after = encodeURIComponent(reply.tag);
			failures = 0;
			away(false);
			show([...found.values()]);
			await sleep(BETWEEN_MS, signal);
		} catch (error) {
			signal.throwIfAborted();
			after = "";
			if (asked.signal.aborted)
				continue;
			const refused = error instanceof Refused;
			if (refused && error.status !== 429)
				return;
			away(!refused);
			await pause(++failures, either).catch(() => signal.throwIfAborted());
		}
	}
}
