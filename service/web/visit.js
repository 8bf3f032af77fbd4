// SPDX-License-Identifier: BSD-2-Clause
// One thing under way: a link opened, followed to its end.

import { NoPasskey } from "./passkey.js";
import { enrolments } from "./memory.js";
import * as protocol from "./protocol.js";
import * as view from "./view.js";
import { Carrier, load, Refused, sleep, Unreachable } from "./carrier.js";

/** The longest that a question may live. */
const PATIENCE_S = 300;
/** How long after its end an outcome may still come. */
export const GRACE_S = 15;

export const now = () => Date.now() / 1000;
export const isClosed = (e) =>
	!["pending", "seen", "answered"].includes(e.state);

export const verdict = () => load("verdict");

/** The notification of a question has done its work. */
const hush = (tag) => navigator.serviceWorker?.getRegistration()
	.then((worker) => worker?.getNotifications({ tag }))
	.then((rung) => rung?.forEach((one) => one.close())).catch(() => {});

export class Visit {
	constructor() {
		this.over = new AbortController();
		this.left = () => this.ends - now();
		this.wait();
		this.recall();
	}

	recall() {
		this.enrolments = enrolments();
	}

	/** As long as for a question. */
	wait() {
		this.ends = now() + PATIENCE_S;
	}

	follow(link, door) {
		Object.assign(this, { link, door, after: 0 });
		this.carrier = new Carrier(link.id, this.over.signal, this.left,
			(yes) => this.over.signal.aborted || view.away(yes));
	}

	/** Its own words win over the service's. */
	async take(reply, kind) {
		const question = await protocol.openContent(this.link,
			String(reply.content));
		if (kind && question.t.kind !== kind)
			throw new protocol.Malformed("another kind of question");
		this.ends = now() +
			Math.min(Number(reply.secondsLeft) || 0, question.t.lifetime);
		this.carrier.seen();
		hush(this.link.id);
		return question;
	}

	/** The answer or an {event} that is wanted(): null if there is none until
	 *  seconds after the question's end. */
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

	/** What a person answered, or the {event} that came before that. */
	async answerOrEvent(answer, wanted) {
		// The service says first that it is over, else our own clock does.
		const said = await this.first(wanted, 2, answer);
		return said?.event === null ? { event: { state: "expired" } } : said;
	}

	async end(t, ...how) {
		hush(this.link.id);
		return (await verdict()).end(t, ...how);
	}

	/** Sends it; false if another answer came first. */
	async send(sealed, hint) {
		try {
			const reply = await this.carrier.answer(sealed, hint);
			this.after = Number(reply.sequence) || 0;
			return true;
		} catch (error) {
			if (!(error instanceof Refused) || ![409, 410].includes(error.status))
				throw error;
			// A first attempt may have arrived although its reply was lost.
			return error.attempts > 1;
		}
	}
}

/** In words. */
export async function unsignedFor(error) {
	if (error instanceof NoPasskey)
		return (await verdict()).noSignature[error.reason];
	throw error;
}
