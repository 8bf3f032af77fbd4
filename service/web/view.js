// SPDX-License-Identifier: BSD-2-Clause
// What is on the screen.  Text only ever becomes a text node; foreign text is
// encoded once more and keeps its own direction.

import * as words from "./words.js";

const main = document.getElementById("main");
const live = document.getElementById("live");
const GOOD = ["granted", "enrolled"];
const BAD = ["denied", "declined", "reported", "refused", "overtaken",
	"not-enrolled", "enrol-refused", "enrol-declined"];
let timer = 0;

// What nobody sees or what moves the rest of a line, as the hosts' library has
// it: the page encodes it again, so that nobody has to trust the other side.
const UNSAFE = new RegExp("[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Bidi_Control}" +
	"\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}" +
	"\\u{fff9}-\\u{fffb}]", "gu");
const encoded = (text) => text.replace(UNSAFE,
	(c) => `\\u{${c.codePointAt(0).toString(16)}}`);

/** An element: "tag.class", then nodes, text, {attributes} or lists of them. */
function h(what, ...parts) {
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

const HIDDEN = { "aria-hidden": "true" };
const foreign = (what, text) => h(what, { dir: "auto" }, encoded(text));
const paragraph = (what, text) => text && h(what, encoded(text));

function button(what, label, click, attributes) {
	const made = h(what, { type: "button" }, attributes, label);
	made.addEventListener("click", click);
	return made;
}

function announce(text) {
	live.textContent = text;
}

const focus = (element) => element.focus({ preventScroll: true });

/** Puts a new screen up: children, and the focus on the heading of them. */
function show(state, heading, ...children) {
	heading.id = "heading";
	heading.tabIndex = -1;
	heading.classList.toggle("long", heading.textContent.length > 70);
	main.dataset.state = state;
	main.setAttribute("aria-busy", "false");
	main.replaceChildren(
		h("section", { "aria-labelledby": "heading" }, children));
	document.title = `${heading.textContent} \u2013 ${words.BRAND}`;
	window.scrollTo(0, 0);
	focus(heading);
}

/** A screen that only says something; extra comes below. */
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

/** The same while something goes on. */
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

/** A message with answers, {value: label}: resolves to the one chosen. */
export function choose(state, labels, ...about) {
	return new Promise((resolve) => {
		const buttons = Object.entries(labels).map(([value, label]) =>
			button(["decline", "remove"].includes(value) ? "button.no" : "button",
				label, () => resolve(value)));
		say(state, about, h("div.choices", buttons));
		focus(buttons[0]);
	});
}

/** A message above the places of this phone; resolves to the one to leave. */
export function places(state, all, notice) {
	return new Promise((resolve) => say(state, [],
		paragraph("p.notice", notice), h("h2", words.places),
		all.map((e, n) => h("div.place",
			h("div", { id: `place-${n}` }, foreign("p.who", e.host),
				foreign("p.faint", `${e.user}, ${e.name}`)),
			button("button.quiet", words.remove, () => resolve(e),
				{ "aria-describedby": `place-${n}` })))));
}

/** Counts down in place; only two moments are worth a word aloud. */
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
	tick();
	clearInterval(timer);
	timer = setInterval(tick, 250);
	return h("div.time", text, bar);
}

/** A screen that wants an answer while there is time. */
function ask(t, heading, { left, notice }, ...parts) {
	show(t.kind === "enrolment" ? "enrolment" : "question", heading, heading,
		paragraph("p.notice", notice), countdown(left, t.lifetime), parts);
	announce(notice ?? "");
}

/** What is asked, for whom; a long value gets the whole width. */
function facts(t, when) {
	return h("dl.facts",
		h("div", h("dt", words.host), foreign("dd.who", t.host)),
		h("div", h("dt", words.account), foreign("dd.who", t.user)),
		t.details.map(([label, value]) => h(
			label.length > 10 || value.length > 24 ? "div.wide" : "div",
			foreign("dt", label), foreign("dd.verbatim", value))),
		when && h("div", h("dt", words.asked), h("dd", when)));
}

/** An input; read(): what clean() leaves; null, and a word, if nothing. */
function field(id, label, missing, clean, attributes) {
	const error = h("p.error", { id: `${id}-error`, hidden: "" }, missing);
	const input = h("input", { id, autocomplete: "off",
		"aria-describedby": error.id, ...attributes });
	const read = () => {
		const given = clean(input.value) || null;
		error.hidden = given !== null;
		input.setAttribute("aria-invalid", String(given === null));
		if (given === null) {
			announce(missing);
			input.focus();
		}
		return given;
	};
	return { input, read, node: h("div.field",
		h("label", { for: id }, label), input, error) };
}

const sixDigits = (typed) =>
	typed.replace(/\s/g, "").match(/^[0-9]{6}$/)?.[0];

/**
 * A question; resolves to {choice, code}.  choices: those that this page may
 * give, which can be none; denying is always there and comes first.
 */
export function question(t, asked) {
	const { when, choices, warnings, hint } = asked;
	return new Promise((resolve) => {
		const digits = asked.code && choices.length > 0 &&
			field("code", words.codeLabel, words.codeMissing, sixDigits,
				{ class: "code", inputmode: "numeric", maxlength: "7" });
		const give = (choice, code) => code !== null && resolve({ choice, code });
		const answer = (what, label, click) =>
			button(what, label, click, { "aria-describedby": "heading" });
		const deny = answer("button.no", words.deny, () => give("deny", ""));
		ask(t, foreign("h1", t.title), asked,
			warnings.map((text) => paragraph("p.warn", text)),
			facts(t, when), digits && digits.node, paragraph("p.faint", hint),
			h(choices.length === 1 ? "div.choices.two" : "div.choices",
				{ role: "group", "aria-label": words.answers }, deny,
				choices.map((choice) => answer("button.yes",
					words.choiceLabel(choice),
					() => give(choice, digits ? digits.read() : "")))),
			answer("button.quiet", words.notMe, () => give("not-me", "")));
		focus(deny);
	});
}

/** An enrolment; resolves to {name}, or to null for no. */
export function enrolment(t, asked) {
	return new Promise((resolve) => {
		const name = field("name", words.nameLabel, words.nameMissing,
			(typed) => typed.replace(UNSAFE, "").trim(),
			{ value: asked.name, maxlength: "64", dir: "auto" });
		const go = (event) => {
			event.preventDefault();
			const given = name.read();
			if (given !== null)
				resolve({ name: given });
		};
		name.input.addEventListener("keydown",
			(event) => event.key === "Enter" && go(event));
		const [title, ...text] = words.screen("enrolment", t);
		ask(t, h("h1", title), asked,
			text.map((each) => paragraph("p", each)), facts(t),
			paragraph("p.warn", words.enrolOnly), name.node,
			h("div.choices.two",
				button("button.no", words.dontEnrol, () => resolve(null)),
				button("button.yes", words.create, go)));
	});
}

/** The device id, for the comparison at the terminal. */
export function compare(shown, warning) {
	busy("compare",
		h("p.id", h("span", HIDDEN, shown),
			h("span.unseen", [...shown].join(" "))),
		paragraph("p.warn", warning), paragraph("p", words.compareAfter));
}
