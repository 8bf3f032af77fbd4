// SPDX-License-Identifier: BSD-2-Clause
// What became of an answer: no signature, or the host's verdict on it.

import { load } from "./carrier.js";
import * as view from "./view.js";
import { choiceLabel, learn } from "./words.js";

learn({
	granted: (t, choice) => [choice === "approve" ? "Approved" : choiceLabel(choice),
		`${t.host} has verified your answer. You can close this page.`],
	"granted-elsewhere": (t) => ["Approved, but not by this page",
		`${t.host} took the answer of another tab or phone of yours. If that was not you, tell the administrator at once.`],
	denied: (t) => ["Denied",
		`${t.host} has ended the login.`],
	reported: (t) => ["Denied and reported",
		`${t.host} has ended the login and recorded that it was not you.`,
		"Somebody may know your password: change it, and tell the administrator."],
	refused: (t, why) => ["Not accepted",
		why, `${t.host} has ended the login.`],
	expired: ["Too late",
		"The time is over. Start the login again to get a new code."],
	cancelled: ["No longer asked",
		"The terminal has stopped waiting for your answer."],
	uncertain: ["No word from the host",
		"Your answer was sent. Look at the terminal."],
});

/** Why there was no signature, by NoPasskey.reason. */
export const noSignature = {
	cancelled: "The passkey was not used: cancelled, too late, you were not recognised, or there is none for this account. You can try again.",
	known: "This phone has a passkey for this account already.",
	origin: "This address may not use passkeys. Please tell whoever runs the service.",
	unsupported: "This phone can't make the kind of passkey that is needed.",
	failed: "The phone reported an error instead of a signature. You can try again.",
	foreign: "That passkey is not for this account. Choose another, or use the phone that was enrolled.",
};

/** The screens of a host's no to an approval, by its reason. */
const DENIALS = { NOT_ME: "reported", DENIED: "denied", DECLINED: "denied",
	other: "refused" };

const sentenceOf = async (reason) =>
	(await load("rare-words")).sentenceOf(reason);

/** The end of it; given: what this page had answered. */
export async function end(t, { event, given = null }, denials = DENIALS) {
	const { state, reason } = event ?? {};
	switch (state) {
	case "granted":
		return view.message(given === null ? "granted-elsewhere" : "granted", t,
			given);
	case "denied":
		return Object.hasOwn(denials, reason)
			? view.message(denials[reason], t)
			: view.message(denials.other, t, await sentenceOf(reason));
	case "expired":
	case "cancelled":
		return view.message(state);
	default:
		return view.message("uncertain");
	}
}

/** A no that leaves tries, for the question's screen: a wrong code belongs at
 *  its field. */
export async function complaint({ reason, triesLeft }, code) {
	const left = triesLeft === 1 ? "One try is left."
		: `${Number(triesLeft)} tries are left.`;
	if (reason === "PROOF_CODE" && code)
		return { wrong: `Wrong code. ${left}` };
	return { notice: reason &&
		`Not accepted: ${await sentenceOf(reason)} ${left}` };
}
