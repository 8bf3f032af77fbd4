// SPDX-License-Identifier: BSD-2-Clause
// What is on the screen.  Text only ever becomes a text node; foreign text is
// encoded once more and keeps its own direction.

import * as words from "./words.js";

const main = document.getElementById("main");
const live = document.getElementById("live");

// What nobody sees or what moves the rest of a line, as the hosts' library has
// it: the page encodes it again, so that nobody has to trust the other side.
const UNSAFE = new RegExp("[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Bidi_Control}" +
	"\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}" +
	"\\u{fff9}-\\u{fffb}]", "gu");
const encoded = (text) => text.replace(UNSAFE,
	(c) => `\\u{${c.codePointAt(0).toString(16)}}`);

const present = (children) =>
	children.flat(Infinity).filter((child) => child !== null);

/** An element; on: listeners; other members are attributes; strings are text. */
function h(tag, members = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(members)) {
		if (name === "on")
			for (const [event, listener] of Object.entries(value))
				element.addEventListener(event, listener);
		else if (value !== null && value !== false)
			element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...present(children));
	return element;
}

const foreign = (tag, text, members = {}) =>
	h(tag, { dir: "auto", ...members }, encoded(text));
const paragraphs = (texts = []) => texts.map((text) => h("p", {}, text));
const warning = (text) =>
	text === null ? null : h("p", { class: "warn" }, encoded(text));
const button = (label, kind, click, members = {}) =>
	h("button", { type: "button", class: kind, on: { click }, ...members }, label);

export function announce(text) {
	live.textContent = text;
}

/** Puts a new screen up; focus: what gets it, else the heading; above: what
 *  comes before that. */
function show(state, heading, children, focus = null, above = null) {
	clearInterval(show.timer);
	heading.tabIndex = -1;
	heading.classList.toggle("long", heading.textContent.length > 70);
	main.dataset.state = state;
	main.replaceChildren(h("section", { "aria-labelledby": heading.id = "heading" },
		...present([above, heading, children])));
	document.title = `${heading.textContent} \u2013 ${words.BRAND}`;
	window.scrollTo(0, 0);
	(focus ?? heading).focus({ preventScroll: true });
}

/** A screen that only says something. */
export function message(state, { heading, text, mark }, extra = []) {
	announce("");
	show(state, h("h1", {}, heading), [paragraphs(text), ...extra], null,
		mark ? h("p", { class: `mark ${mark}`, "aria-hidden": "true" }) : null);
	main.setAttribute("aria-busy", "false");
}

/** The same while something goes on. */
export function busy(state, { heading, text }, extra = []) {
	message(state, { heading, text }, [
		...extra, h("div", { class: "busy", "aria-hidden": "true" })]);
	main.setAttribute("aria-busy", "true");
}

export const away = (yes) => {
	const there = document.getElementById("away");
	if (yes && there === null) {
		main.before(h("p", { id: "away", class: "away", role: "status" },
			words.away));
		announce(words.away);
	} else if (!yes && there !== null) {
		there.remove();
		announce(words.back);
	}
};

/** A message with answers: resolves to the value of the one that was chosen.
 *  choices: [label, kind, value][] */
export function choose(state, what, choices) {
	return new Promise((resolve) => {
		const buttons = choices.map(([label, kind, value]) =>
			button(label, kind, () => resolve(value)));
		message(state, what, [h("div", { class: "choices" }, buttons)]);
		buttons[0].focus({ preventScroll: true });
	});
}

/** Counts down in place; only two moments are worth a word aloud. */
function countdown(left, whole) {
	const text = h("span", { class: "left" });
	const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span"));
	let before = Infinity;
	const tick = () => {
		const s = Math.max(Math.ceil(left()), 0);
		text.textContent = words.timeLeft(s);
		bar.firstChild.style.setProperty("width", `${100 * s / whole}%`);
		bar.classList.toggle("short", s <= 15);
		for (const at of [30, 10])
			if (s <= at && before > at && before < Infinity)
				announce(words.secondsLeft(s));
		before = s;
	};
	tick();
	return { nodes: [text, bar], start: () => show.timer = setInterval(tick, 250) };
}

const row = (label, value, wide = false) =>
	h("div", { class: wide ? "wide" : null }, label, value);

/** What is asked, for whom; a long value gets the whole width. */
function facts(t, when) {
	return h("dl", { class: "card facts" },
		row(h("dt", {}, words.host), foreign("dd", t.host, { class: "who" })),
		row(h("dt", {}, words.account), foreign("dd", t.user, { class: "who" })),
		t.details.map(([label, value]) => row(foreign("dt", label),
			foreign("dd", value, { class: "verbatim" }),
			label.length > 10 || value.length > 24)),
		when === null ? null
			: row(h("dt", {}, words.asked), h("dd", {}, when)));
}

/** The six digits, where they must be typed. */
function codeField() {
	const error = h("p", { id: "code-error", class: "error", hidden: true },
		words.codeMissing);
	const input = h("input", {
		id: "code", inputmode: "numeric", autocomplete: "off", maxlength: "7",
		"aria-describedby": "code-error", class: "code",
	});
	return {
		node: h("div", { class: "field" },
			h("label", { for: "code" }, words.codeLabel), input, error),
		/** The digits; null, and the person is told, if they are not six. */
		read: () => {
			const digits = input.value.replace(/\s/g, "");
			const good = /^[0-9]{6}$/.test(digits);
			error.hidden = good;
			input.setAttribute("aria-invalid", String(!good));
			if (!good) {
				announce(words.codeMissing);
				input.focus();
			}
			return good ? digits : null;
		},
	};
}

/**
 * A question; resolves to {choice, code}.  choices: those that this page may
 * give, which can be none; denying is always there and comes first.
 */
export function question(t, { left, when, choices, code, warnings, notice, hint }) {
	return new Promise((resolve) => {
		const time = countdown(left, t.lifetime);
		const digits = code && choices.length > 0 ? codeField() : null;
		let done = false;
		const give = (choice, typed) => {
			if (done)
				return;
			done = true;
			resolve({ choice, code: typed });
		};
		const grant = (choice) => {
			const typed = digits === null ? "" : digits.read();
			if (typed !== null)
				give(choice, typed);
		};
		const described = { "aria-describedby": "heading" };
		const deny = button(words.deny, "no", () => give("deny", ""), described);
		show("question", foreign("h1", t.title), [
			notice ? h("p", { class: "notice" }, notice) : null,
			h("div", { class: "time" }, time.nodes),
			warnings.map(warning),
			facts(t, when),
			digits?.node ?? null,
			hint ? h("p", { class: "faint" }, hint) : null,
			h("div", {
				class: choices.length === 1 ? "choices two" : "choices",
				role: "group", "aria-label": words.answers,
			}, deny, choices.map((choice) => button(words.choiceLabel(choice), "yes",
				() => grant(choice), described))),
			button(words.notMe, "quiet", () => give("not-me", ""), described),
		], deny);
		announce(notice ?? "");
		main.setAttribute("aria-busy", "false");
		time.start();
	});
}

/** An enrolment; resolves to {name}, or to null for no. */
export function enrolment(t, { left, name, notice }) {
	return new Promise((resolve) => {
		const time = countdown(left, t.lifetime);
		const error = h("p", { id: "name-error", class: "error", hidden: true },
			words.nameMissing);
		const input = h("input", {
			id: "name", value: name, maxlength: "64", autocomplete: "off",
			"aria-describedby": "name-error", dir: "auto",
		});
		const go = (event) => {
			event.preventDefault();
			const given = input.value.replace(UNSAFE, "").trim();
			error.hidden = given !== "";
			input.setAttribute("aria-invalid", String(given === ""));
			if (given !== "")
				resolve({ name: given });
			else
				input.focus();
		};
		show("enrolment", h("h1", {}, words.enrolHeading), [
			notice ? h("p", { class: "notice" }, notice) : null,
			h("div", { class: "time" }, time.nodes),
			paragraphs(words.enrolText(t).map(encoded)),
			facts(t, null),
			warning(words.enrolOnly),
			h("div", { class: "field" },
				h("label", { for: "name" }, words.nameLabel), input, error),
			h("div", { class: "choices two" },
				button(words.dontEnrol, "no", () => resolve(null)),
				button(words.create, "yes", go)),
		]);
		input.addEventListener("keydown", (event) => {
			if (event.key === "Enter")
				go(event);
		});
		announce(notice ?? "");
		main.setAttribute("aria-busy", "false");
		time.start();
	});
}

/** The device id, for the comparison at the terminal. */
export function compare(shown, notice = null) {
	busy("compare", words.compare, [
		h("p", { class: "id" }, h("span", { "aria-hidden": "true" }, shown),
			h("span", { class: "unseen" }, [...shown].join(" "))),
		warning(notice), paragraphs(words.compare.after)]);
}
