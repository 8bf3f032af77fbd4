// SPDX-License-Identifier: BSD-2-Clause
// Nothing is asked by a link: the questions that were sealed to this phone,
// whether it rings, and where it may approve.

import { call, load } from "./carrier.js";
import { home as screen } from "./home-screen.js";
import { watch } from "./inbox.js";
import * as view from "./view.js";

/** Keeps what the screen says of it true; at once: turns it on. */
async function ringing(home, signal, atOnce) {
	const { push } = await call("GET", "/devices/self", undefined, signal);
	const ring = await load("ring");
	const show = async (state) => home.ringing(state, async () => {
		const done = state === "on" ? ring.turnOff(signal)
			: ring.turnOn(push, signal);
		show(await done.catch(() => state));
	}, ...state === "install" ? (await load("install")).how() : []);
	const state = await ring.state(push, signal).catch(() => "failed");
	show(atOnce && state === "off" ? await ring.turnOn(push, signal) : state);
}

/** {link}, {fragment} or {remove}; a wanted question, if it is still there. */
async function choose(v, all, how) {
	const stop = new AbortController();
	const signal = AbortSignal.any([v.over.signal, stop.signal]);
	try {
		return await new Promise((resolve, reject) => {
			let home = null;
			const up = (state) => {
				home = screen(state, all, how.notice, resolve);
				if (all.length > 0)
					ringing(home, signal, how.ring).catch(() => {});
				if (view.installed())
					load("install").then(({ linkField }) => signal.aborted ||
						view.add(linkField((fragment) => resolve({ fragment }))));
			};
			const show = (questions) => {
				const wanted = questions.find(({ link }) => link.id === how.wanted);
				if (wanted)
					return resolve(wanted);
				if (home === null)
					up("ended");
				home.inbox(questions);
			};
			if (!how.wanted)
				up(how.state);
			if (all.length === 0)
				return show([]);
			watch(all, signal, show, view.away).then(() => show([]),
				(error) => signal.aborted || reject(error));
		});
	} finally {
		stop.abort();
	}
}

/** Resolves to the link, or its fragment, to open next. */
export async function home(v, how) {
	for (;;) {
		const { link, fragment, remove } = await choose(v, await v.enrolments, how);
		if (!remove)
			return link ?? fragment;
		const removal = await load("removal");
		const end = await removal.remove(v, remove);
		if (end === true)
			return;
		how = { state: how.state, notice: end };
	}
}
