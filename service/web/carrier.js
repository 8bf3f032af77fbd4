// SPDX-License-Identifier: BSD-2-Clause
// The phone API of the service.  Nothing that it says decides anything.

const RETRY_MS = [250, 500, 1000, 2000, 4000];

/** By the service. */
export class Refused extends Error {
	constructor(status, error) {
		super(error);
		this.status = status;
		this.error = error;
	}
}

/** For longer than the question lives. */
export class Unreachable extends Error {}

/** A part of the page that is there only when needed. */
export const load = (name) => import(`./${name}.js`).catch(() => {
	throw new Unreachable();
});

let base = null;

async function readSettings() {
	const reply = await fetch("/service.json");
	if (!reply.ok)
		throw new TypeError("no service.json");
	return String((await reply.json()).service || "").replace(/\/$/, "");
}

/** By service.json; "" for the page's own origin. */
export function findService() {
	return base ??= readSettings().catch((error) => {
		base = null;
		throw error;
	});
}

export async function call(method, path, body, signal) {
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

export const sleep = (ms, signal) => new Promise((wake, fail) => {
	const timer = setTimeout(wake, ms);
	signal.addEventListener("abort", () => {
		clearTimeout(timer);
		fail(signal.reason);
	}, { once: true });
});

export const pause = (attempts, signal) =>
	sleep(RETRY_MS[attempts - 1] ?? RETRY_MS.at(-1), signal);

/** One question at the service: what the network loses is sent again while
 *  left() is not 0; away(yes) is told. */
export class Carrier {
	constructor(id, signal, left, away) {
		Object.assign(this, { at: `/links/${id}`, signal, left, away });
	}

	/** worth: a refusal to wait for the end of. */
	async call(method, rest, { body, signal = this.signal, worth } = {}) {
		for (let attempts = 1; ; attempts++) {
			try {
				const json = await call(method, this.at + rest, body, signal);
				this.away(false);
				return json;
			} catch (error) {
				signal.throwIfAborted();
				const refused = error instanceof Refused;
				if (refused && (error.status !== worth || this.left() <= 0))
					throw Object.assign(error, { attempts });
				if (this.left() <= 0)
					throw new Unreachable();
				if (!refused)
					this.away(true);
			}
			await pause(attempts, signal);
		}
	}

	look() {
		return this.call("GET", "");
	}

	/** For the terminal's comfort, so a failure is none. */
	seen() {
		call("POST", `${this.at}/seen`, {}, this.signal).catch(() => {});
	}

	answer(answer, hint) {
		return this.call("POST", "/answer", { body: { answer, hint } });
	}

	events(after, signal) {
		return this.call("GET", `/events?wait=25&after=${after}`, { signal });
	}
}
