// SPDX-License-Identifier: BSD-2-Clause
// When there is no question to put: why, in words.

import { Refused } from "./carrier.js";
import { Malformed, sealDecline } from "./protocol.js";
import * as view from "./view.js";
import { learn } from "./words.js";

learn({
	"bad-link": ["This link is not complete",
		"The part behind the # is missing or wrong. Scan the QR code again, or copy the whole link."],
	unsupported: ["This browser can't do it",
		"Open the link in this phone's own browser, up to date, not inside another app: it needs passkeys."],
	unknown: ["This link is over",
		"It was used, ran out, or was never valid. Start the login again to get a new code."],
	limited: ["Too many requests",
		"Wait a minute, then scan the code again."],
	malformed: ["Don't trust this question",
		"What the service delivered was not made for this link, or was changed on the way. Nothing was signed.",
		"Please tell whoever runs the service."],
	declined: ["Denied"],
});
export const endIt = { decline: "End it as denied" };

/** Puts it on the screen: an error, or one of the states above. */
export async function trouble(v, error) {
	if (typeof error === "string")
		return view.message(error);
	if (error instanceof Refused)
		return view.message(error.status === 429 ? "limited"
			: error.error === "expired" ? "expired" : "unknown");
	if (!(error instanceof Malformed))
		return view.message("broken");
	// Nobody reads the question, but whoever waits for it is let go.
	await view.choose("malformed", endIt);
	view.busy("sending");
	await v.send(await sealDecline(v.link), "deny");
	return view.message("declined");
}
