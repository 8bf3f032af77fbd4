// SPDX-License-Identifier: BSD-2-Clause
// The screens of an enrolment, and their sentences.

import { field } from "./field.js";
import {
	ask, busy, button, facts, h, HIDDEN, paragraph, UNSAFE,
} from "./view.js";
import { learn, person, screen } from "./words.js";

learn({
	enrolment: (t) => ["Enrol this phone?",
		`This phone will be able to approve logins and commands for ${person(t)}.`,
		"It makes a passkey that stays behind your face, finger or screen lock. You compare its id with the terminal, then answer one test question."],
	creating: ["Create your passkey",
		"Your phone asks where to keep it and for your face, finger or screen lock."],
	compare: ["Compare with the terminal",
		"The terminal must show exactly this device id:"],
	"test-coming": ["Confirmed",
		"One test question follows on this page."],
	enrolled: (t, remembered) => ["This phone is enrolled",
		`It can now approve for ${person(t)}.`, remembered ? null
			: "This browser lets the page remember nothing, so each question will warn you."],
});

export const ring = "Ring this phone";
export const testNote = "The last step: this question is a test and lets nobody in.";

/** Resolves to {name}, or to null for no. */
export function enrolment(t, asked) {
	return new Promise((resolve) => {
		const name = field("name", "A name for this phone",
			"Give this phone a name first.",
			(typed) => typed.replace(UNSAFE, "").trim(),
			{ value: asked.name, maxlength: "64", dir: "auto" });
		const go = () => {
			const given = name.read();
			if (given !== null)
				resolve({ name: given });
		};
		name.entered(go);
		const [title, ...text] = screen("enrolment", t);
		ask(t, h("h1", title), asked,
			text.map((each) => paragraph("p", each)), facts(t),
			paragraph("p.warn", "Go on only if you started this at that host's terminal, or somebody you trust did it with you."),
			name.node, h("div.choices.two",
				button("button.no", "Don't enrol", () => resolve(null)),
				button("button.yes", "Create passkey", go)));
	});
}

export function compare(shown, warning) {
	busy("compare",
		h("p.id", h("span", HIDDEN, shown),
			h("span.unseen", [...shown].join(" "))),
		paragraph("p.warn", warning),
		h("p", "If it does, answer yes there. If not, answer no: then somebody else has opened your code first."));
}
