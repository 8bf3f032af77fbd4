// SPDX-License-Identifier: BSD-2-Clause
// What the page was opened for: a link, a notification, or nothing; the next of
// these ends it.

import { supported } from "./passkey.js";
import { openLink } from "./protocol.js";
import { approval } from "./approval.js";
import { Visit } from "./visit.js";
import { findService, load, Unreachable } from "./carrier.js";
import * as view from "./view.js";
import * as words from "./words.js";

/** The secret leaves address bar and history. */
function takeFragment() {
	const fragment = location.hash;
	history.replaceState(null, "", location.pathname);
	return fragment;
}

let current = null;

async function explain(v, error) {
	if (error instanceof Unreachable)
		return view.message("unreachable");
	const { trouble } = await load("trouble");
	return trouble(v, error);
}

/** act(visit). */
function begin(act) {
	current?.over.abort();
	const v = current = new Visit();
	const unlessOver = (then) => (error) => v.over.signal.aborted || then(error);
	view.away(false);
	view.busy("opening");
	return act(v).catch(unlessOver((error) => explain(v, error)))
		.catch(unlessOver(() => view.message("broken")))
		.then(unlessOver(() => (v.door === "inbox" || view.installed()) &&
			view.offer(words.home, () => goHome())));
}

/** door: by which it came, "link" or "inbox". */
async function open(v, link, door) {
	if (link === null)
		return explain(v, "bad-link");
	v.follow(link, door);
	const reply = await v.carrier.look();
	const question = await v.take(reply, door === "inbox" && "approval");
	if (question.t.kind === "approval") {
		const end = await approval(v, question,
			{ answered: reply.state === "answered" });
		return end.later ? goHome() : v.end(question.t, end);
	}
	const { enrolment } = await load("enrolment");
	if (await enrolment(v, question) === "ring")
		goHome({ ring: true });
}

const openFragment = (fragment) => begin(async (v) =>
	open(v, await openLink(fragment), "link"));

/** wanted: the link id that a notification had. */
const goHome = (how) => begin(async (v) => {
	const { home } = await load("home");
	const next = await home(v, { state: "idle", ...how });
	if (typeof next === "string")
		openFragment(next);
	else if (next)
		begin((then) => open(then, next, "inbox"));
});

function start(fragment) {
	if (!supported())
		return explain(null, "unsupported");
	findService().catch(() => {});
	if (fragment.startsWith("#/"))
		return goHome({ wanted: fragment.slice(2) });
	if (fragment.length > 1)
		return openFragment(fragment);
	const [how] = performance.getEntriesByType("navigation");
	return goHome({ state: how?.type === "navigate" ? "idle" : "again" });
}

// A camera may open the next link in this very tab.
window.addEventListener("hashchange", () => {
	const fragment = takeFragment();
	if (fragment.length > 1)
		start(fragment);
});

// A page that is left must not come back with an old question.
window.addEventListener("pagehide", () => current?.over.abort());
window.addEventListener("pageshow", (event) =>
	event.persisted && goHome({ state: "again" }));

start(takeFragment());

// Only now, so that it costs the question nothing.
if ("serviceWorker" in navigator) {
	const only = { createScriptURL: () => "/sw.js" };
	const policy = window.trustedTypes?.createPolicy("countersign", only) ?? only;
	const { serviceWorker } = navigator;
	serviceWorker.register(policy.createScriptURL("")).catch(() => {});
	// A notification was tapped; what it leads to may be on the screen already.
	serviceWorker.addEventListener("message", ({ data: { wanted } }) =>
		wanted && wanted !== current?.link?.id && goHome({ wanted }));
}
