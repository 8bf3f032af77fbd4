// SPDX-License-Identifier: BSD-2-Clause
// The screen, and a question on it.  Text only ever becomes a text node.

import * as words from "./words.js";

const main = document.getElementById("main");
const live = document.getElementById("live");
const GOOD = ["granted", "enrolled"];
const BAD = ["denied", "declined", "reported", "refused", "overtaken",
	"not-enrolled", "enrol-refused", "enrol-declined"];
let timer = 0;

// What nobody sees or what moves the rest of a line, as hosts have it: encoded
// again, so that nobody has to trust the other side.
export const UNSAFE = new RegExp("[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Bidi_Control}" +
	"\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}" +
	"\\u{fff9}-\\u{fffb}]", "gu");
const encoded = (text) => text.replace(UNSAFE,
	(c) => `\\u{${c.codePointAt(0).toString(16)}}`);

/** "tag.class", then nodes, text, {attributes} or lists of them. */
export function h(what, ...parts) {
	const [tag, ...classes] = what.split(".");
	const element = document.createElement(tag);
	element.classList.add(...classes);
	for (const part of parts.flat(Infinity))
		if (typeof part === "string" || part instanceof Node)
			element.append(part);
		else
			for (const [name, value] of Object.entries(part ?? {}))
				element.setAttribute(name, value);
	return element;
}

export const HIDDEN = { "aria-hidden": "true" };
export const foreign = (what, text) => h(what, { dir: "auto" }, encoded(text));
export const paragraph = (what, text) => text && h(what, encoded(text));

export function button(what, label, click, attributes) {
	const made = h(what, { type: "button" }, attributes, label);
	made.addEventListener("click", click);
	return made;
}

export function announce(text) {
	live.textContent = text;
}

export const focus = (element) => element.focus({ preventScroll: true });

export function name(heading, text, state) {
	heading.textContent = text;
	heading.classList.toggle("long", text.length > 70);
	document.title = `${text} \u2013 countersign`;
	main.dataset.state = state;
}

/** A new screen, with the focus on its heading. */
export function show(state, heading, ...children) {
	heading.id = "heading";
	heading.tabIndex = -1;
	main.setAttribute("aria-busy", "false");
	main.replaceChildren(
		h("section", { "aria-labelledby": "heading" }, children));
	name(heading, heading.textContent, state);
	window.scrollTo(0, 0);
	focus(heading);
}

/** Now, and again as long as this screen is up. */
export function often(tick) {
	tick();
	clearInterval(timer);
	timer = setInterval(tick, 250);
}

function say(state, about, ...extra) {
	const [title, ...text] = words.screen(state, ...about);
	const heading = h("h1", title);
	const mark = GOOD.includes(state) ? "yes" : BAD.includes(state) && "no";
	clearInterval(timer);
	show(state, heading, mark && h(`p.mark.${mark}`, HIDDEN), heading,
		text.map((each) => paragraph("p", each)), extra);
	announce("");
}

export const message = (state, ...about) => say(state, about);

/** While something goes on. */
export function busy(state, ...extra) {
	say(state, [], extra, h("div.busy", HIDDEN));
	main.setAttribute("aria-busy", "true");
}

export function away(yes) {
	const there = document.getElementById("away");
	if (yes === (there !== null))
		return;
	there?.remove();
	if (yes)
		main.before(h("p.away", { id: "away", role: "status" }, words.away));
	announce(yes ? words.away : words.back);
}

/** {value: label}; resolves to a value. */
export function choose(state, labels, ...about) {
	return new Promise((resolve) => {
		const buttons = Object.entries(labels).map(([value, label]) =>
			button(["decline", "remove"].includes(value) ? "button.no" : "button",
				label, () => resolve(value)));
		say(state, about, h("div.choices", buttons));
		focus(buttons[0]);
	});
}

/** Only two moments are worth a word aloud. */
function countdown(left, whole) {
	const text = h("span.left"), rest = h("span");
	const bar = h("span.bar", HIDDEN, rest);
	let before = 0;
	const tick = () => {
		const s = Math.max(Math.ceil(left()), 0);
		text.textContent = words.timeLeft(s);
		rest.style.width = `${100 * s / whole}%`;
		bar.classList.toggle("short", s <= 15);
		if ([30, 10].some((at) => s <= at && before > at))
			announce(words.secondsLeft(s));
		before = s;
	};
	often(tick);
	return h("div.time", text, bar);
}

/** To the screen that is up. */
export const add = (nodes) => main.firstElementChild.append(...nodes);
export const offer = (label, click) => add([button("button", label, click)]);

/** On the Home Screen? */
export const installed = () =>
	window.matchMedia("(display-mode: standalone)").matches;

/** A screen that wants an answer while there is time. */
export function ask(t, heading, { left, notice }, ...parts) {
	show(t.kind === "enrolment" ? "enrolment" : "question", heading, heading,
		paragraph("p.notice", notice), countdown(left, t.lifetime), parts);
	announce(notice ?? "");
}

/** A long value gets the whole width. */
export function facts(t, when) {
	return h("dl.facts",
		h("div", h("dt", words.host), foreign("dd.who", t.host)),
		h("div", h("dt", words.account), foreign("dd.who", t.user)),
		t.details.map(([label, value]) => h(
			label.length > 10 || value.length > 24 ? "div.wide" : "div",
			foreign("dt", label), foreign("dd.verbatim", value))),
		when && h("div", h("dt", words.asked), h("dd", when)));
}

/**
 * A question; resolves to {choice, code}.  choices: those that this page may
 * give, which can be none; denying is always there and comes first.  digits: a
 * field for the code; wrong: what the host said of the last one.
 */
export function question(t, { when, choices, warnings, hint, digits, wrong,
	later, ...asked }) {
	return new Promise((resolve) => {
		const give = (choice, code = "") =>
			code !== null && resolve({ choice, code });
		const grant = (choice) => give(choice, digits?.read());
		const answer = (what, label, click) =>
			button(what, label, click, { "aria-describedby": "heading" });
		const deny = answer("button.no", words.deny, () => give("deny"));
		ask(t, foreign("h1", t.title), asked,
			warnings.map((text) => paragraph("p.warn", text)), facts(t, when),
			digits?.node, paragraph("p.faint", hint),
			h(choices.length === 1 ? "div.choices.two" : "div.choices",
				{ role: "group", "aria-label": words.answers }, deny,
				choices.map((choice) => answer("button.yes",
					words.choiceLabel(choice), () => grant(choice)))),
			answer("button.quiet", words.notMe, () => give("not-me")),
			later && button("button.plain", words.later, () => give("later")));
		digits?.entered(() => choices.length === 1 && grant(choices[0]));
		focus(deny);
		if (wrong) {
			digits.complain(wrong);
			digits.input.focus();
		}
	});
}
