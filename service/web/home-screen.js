// SPDX-License-Identifier: BSD-2-Clause
// The home screen, and its sentences.  What it learns later is put in its place,
// so that nobody who reads or taps there is moved elsewhere.

import {
	announce, button, foreign, h, name, often, paragraph, show,
} from "./view.js";
import { learn, screen, timeLeft } from "./words.js";

learn({
	idle: ["Nothing to answer",
		"When a login or a command needs your approval, scan the QR code in the terminal with this phone's camera."],
	again: ["Scan the code again",
		"A question is forgotten when its page is reloaded or left. The code in the terminal still works."],
	ended: ["This question is over",
		"It was answered, ran out, or nobody waits for it any more."],
	inbox: (n) => [n === 1 ? "One question" : `${n} questions`],
});

const HERE = "Questions show up here while this page is open.";

/** By the states of ring.js: a sentence, and what can be done. */
const RING = {
	on: ["This phone rings when it is asked.", "Don't ring"],
	off: [`This phone doesn't ring. ${HERE}`, "Ring this phone"],
	blocked: ["This browser blocks notifications of this page. Allow them in its settings for this site, then open the page again."],
	install: ["On an iPhone or iPad only an installed page can ring."],
	unsupported: [`This browser can't ring. ${HERE}`],
	silent: [`The service doesn't ring phones. ${HERE}`],
	refused: [`The service can't ring this browser. ${HERE}`],
	failed: ["The browser's push service can't be reached.", "Try again"],
};

const place = (remove) => (e, n) => h("div.place",
	h("div", { id: `place-${n}` }, foreign("p.who", e.host),
		foreign("p.faint", `${e.user}, ${e.name}`)),
	button("button.quiet", "Remove", () => remove(e),
		{ "aria-describedby": `place-${n}` }));

function row({ link, t, ends }, tell) {
	const left = h("span.left");
	const item = h("li", button("button.ask", [foreign("span.who", t.title),
		h("span.faint", foreign("bdi", t.user), " on ", foreign("bdi", t.host)),
		left], () => tell({ link })));
	return { item, tick() {
		const s = Math.ceil(ends - Date.now() / 1000);
		left.textContent = timeLeft(Math.max(s, 0));
		item.hidden = s <= 0;
	} };
}

/** tell({link}) or ({remove}): what somebody wants to do. */
export function home(state, all, notice, tell) {
	const [title, ...text] = screen(state);
	const heading = h("h1", title), list = h("ul.asked"), ring = h("div");
	const says = h("div", text.map((each) => h("p", each)));
	let rows = new Map();
	show(state, heading, heading, paragraph("p.notice", notice), says, list,
		ring, all.length > 0 && [h("h2", "This phone can approve for"),
			all.map(place((remove) => tell({ remove })))]);
	announce(notice ?? "");
	often(() => rows.forEach((one) => one.tick()));
	return {
		/** The open questions, newest first. */
		inbox(questions) {
			const before = rows;
			rows = new Map(questions.map((one) => [one.link.id,
				before.get(one.link.id) ?? row(one, tell)]));
			rows.forEach((one) => one.tick());
			const items = [...rows.values()].map(({ item }) => item);
			if (items.some((item, n) => item !== list.children[n]) ||
			    items.length !== list.children.length)
				list.replaceChildren(...items);
			const n = items.length;
			name(heading, n > 0 ? screen("inbox", n)[0] : title,
				n > 0 ? "inbox" : state);
			says.hidden = n > 0;
			const fresh = questions.find(({ link }) => !before.has(link.id));
			if (fresh)
				announce(`A new question: ${fresh.t.title}`);
		},
		/** Whether the phone rings; act(): what its button does. */
		ringing(now, act, ...more) {
			const [sentence, label] = RING[now];
			ring.dataset.state = now;
			ring.replaceChildren(h("h2", "Ringing"), h("p", sentence),
				...more, label ? button("button", label, ({ target }) => {
					target.disabled = true;
					act();
				}) : "");
		},
	};
}
