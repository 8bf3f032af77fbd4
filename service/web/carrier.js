// SPDX-License-Identifier: BSD-2-Clause
// The phone API of the service.  Of what it says only the outcome is shown as
// the host's word, and nothing of it decides anything.

const RETRY_MS = [250, 500, 1000, 2000, 4000];

/** An answer of the service that is no success. */
export class Refused extends Error {
	constructor(status, error) {
		super(error);
		this.status = status;
		this.error = error;
	}
}

/** The network, or the service, was away for longer than the question lives. */
export class Unreachable extends Error {}

let base = null;

async function readSettings() {
	const reply = await fetch("/service.json");
	if (!reply.ok)
		throw new TypeError("no service.json");
	return String((await reply.json()).service || "").replace(/\/$/, "");
}

/** Where the service is: service.json beside the page, "" for its own origin. */
export function findService() {
	return base ??= readSettings().catch((error) => {
		base = null;
		throw error;
	});
}

async function once(method, path, body, signal) {
	const reply = await fetch(await findService() + path, {
		method, signal, cache: "no-store", redirect: "error",
		referrerPolicy: "no-referrer", credentials: "include",
		...(body && {
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(body),
		}),
	});
	if (reply.status >= 500)
		throw new TypeError("trouble of the service");
	const json = await reply.json().catch(() => ({}));
	if (!reply.ok)
		throw new Refused(reply.status, String(json.error || ""));
	return json;
}

/** That a device is to be removed; the service knows it by its cookie. */
export const sendNote = (proof, signal) =>
	once("POST", "/devices/self/removal", { proof }, signal);

export const sleep = (ms, signal) => new Promise((wake, fail) => {
	const timer = setTimeout(wake, ms);
	signal.addEventListener("abort", () => {
		clearTimeout(timer);
		fail(signal.reason);
	}, { once: true });
});

/**
 * One question at the service.  The life of a call is the question's: while
 * left() is not 0, what the network loses is sent again; away(yes) is told.
 */
export class Carrier {
	constructor(id, signal, left, away) {
		Object.assign(this, { at: `/links/${id}`, signal, left, away });
	}

	/** worth(error): is this refusal one to wait for the end of? */
	async call(method, rest, { body, signal = this.signal, worth = () => false }) {
		for (let attempts = 1; ; attempts++) {
			try {
				const json = await once(method, this.at + rest, body, signal);
				this.away(false);
				return json;
			} catch (error) {
				signal.throwIfAborted();
				const refused = error instanceof Refused;
				if (refused && !(worth(error) && this.left() > 0))
					throw Object.assign(error, { attempts });
				if (this.left() <= 0)
					throw new Unreachable();
				if (!refused)
					this.away(true);
			}
			await sleep(RETRY_MS[attempts - 1] ?? RETRY_MS.at(-1), signal);
		}
	}

	look() {
		return this.call("GET", "", {});
	}

	/** A question that will be there in a moment. */
	appear() {
		return this.call("GET", "", { worth: (error) => error.status === 404 });
	}

	/** That somebody looks: for the terminal's comfort, so a failure is none. */
	seen() {
		once("POST", `${this.at}/seen`, {}, this.signal).catch(() => {});
	}

	answer(answer, hint) {
		return this.call("POST", "/answer", { body: { answer, hint } });
	}

	events(after, signal) {
		return this.call("GET", `/events?wait=25&after=${after}`, { signal });
	}

	claim(deviceId, name) {
		return this.call("POST", "/device", { body: { deviceId, name } });
	}
}
