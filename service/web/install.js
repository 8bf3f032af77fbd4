// SPDX-License-Identifier: BSD-2-Clause
// The page on the Home Screen: how it gets there, and how a link gets into it,
// because a camera opens links in the browser.

import { field } from "./field.js";
import { button, h } from "./view.js";

export const how = () => [
	h("p", "With iOS 16.4 or later tap Share, then Add to Home Screen."),
	h("p", "The installed page is a place of its own: remove this phone here, open the page from the Home Screen, and enrol inside it by pasting the link."),
];

const fragmentOf = (typed) => typed.trim().match(/#[a-z2-7]{26}$/i)?.[0];

/** A field for a link; open(fragment). */
export function linkField(open) {
	const link = field("link", "Link from the terminal or the camera",
		"Paste the whole link first.", fragmentOf,
		{ type: "url", placeholder: "https://" });
	const go = () => {
		const fragment = link.read();
		if (fragment !== null)
			open(fragment);
	};
	link.entered(go);
	return [h("h2", "Open a link"), link.node, button("button", "Open", go)];
}
