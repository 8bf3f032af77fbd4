// SPDX-License-Identifier: BSD-2-Clause
// What is typed: a line of text with a word about what is wrong with it.

import { announce, h } from "./view.js";

/**
 * read(): what clean() leaves; null, and a word, if nothing.  complain(): what
 * is wrong with what it holds, or held.  entered(act): when Enter is pressed.
 */
export function field(id, label, missing, clean, attributes) {
	const error = h("p.error", { id: `${id}-error`, hidden: "" });
	const input = h("input", { id, autocomplete: "off",
		"aria-describedby": error.id, ...attributes });
	const complain = (text) => {
		error.hidden = !text;
		error.textContent = text;
		input.setAttribute("aria-invalid", String(Boolean(text)));
		announce(text);
	};
	const read = () => {
		const given = clean(input.value) || null;
		complain(given === null ? missing : "");
		if (given === null)
			input.focus();
		return given;
	};
	const entered = (act) => input.addEventListener("keydown",
		({ key }) => key === "Enter" && act());
	return { input, read, complain, entered, node: h("div.field",
		h("label", { for: id }, label), input, error) };
}

/** Six digits, spaces or not. */
export const code = () => field("code", "Six digits that the terminal shows",
	"Type the six digits from the terminal first.",
	(typed) => typed.replace(/\s/g, "").match(/^[0-9]{6}$/)?.[0],
	{ class: "code", inputmode: "numeric", maxlength: "7" });
