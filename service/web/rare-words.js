// SPDX-License-Identifier: BSD-2-Clause
// Sentences that are seldom needed: what is unusual about a question, what the
// host found wrong with an answer, and enrolments that come to nothing.

import { learn, person } from "./words.js";

const MALFORMED = "the passkey's answer is malformed.";

/** By the reason that it reports. */
const REASONS = {
	LIMIT: "too many answers were tried.",
	EXISTS: "it is enrolled already.",
	PROOF_FORMAT: "the host could not read the answer.",
	PROOF_CHOICE: "the answer was none of those offered.",
	PROOF_DEVICE: "this phone is not enrolled for this account.",
	PROOF_KIND: "the host does not take this kind of device.",
	PROOF_CLIENT_DATA: MALFORMED,
	PROOF_TYPE: "the signature was made for something else.",
	PROOF_CHALLENGE: "the signature is for another question.",
	PROOF_CODE: "the six digits were wrong.",
	PROOF_ORIGIN: "the host expects this page at another address.",
	PROOF_CROSS_ORIGIN: "the page was shown inside another page.",
	PROOF_LENGTH: MALFORMED,
	PROOF_RPID: "the passkey belongs to another address.",
	PROOF_FLAGS: "the phone did not check that it is you.",
	PROOF_BACKUP: "the passkey is not as it was enrolled.",
	PROOF_SYNCED: "the host takes no passkeys that are synced to a cloud.",
	PROOF_TIME: "this phone's clock is wrong.",
	PROOF_SIGNATURE: "the signature is wrong.",
	PROOF_COUNTER: "the passkey's counter went backwards: it may have been copied.",
	PROOF_KEY: MALFORMED,
	PROOF_CREDENTIAL: MALFORMED,
	PROOF_CONSUMED: "the question was closed already.",
};

export const sentenceOf = (reason) => Object.hasOwn(REASONS, reason)
	? REASONS[reason] : "the host could not use the answer.";

// --- warnings

const span = (s) => s < 120 ? `${s} seconds` : `${Math.round(s / 60)} minutes`;
export const mustScan = () => "This question can only be approved by scanning the QR code in its terminal. Here you can deny it.";
export const stranger = (t) => `This phone doesn't remember being enrolled for ${person(t)}. On a new phone with synced passkeys that is normal. Otherwise deny.`;
export const stale = (t, s) => `By this phone's clock this is ${span(s)} old, older than it may be. Unless the clock is wrong, deny.`;
export const contradiction = (t) => `This phone was enrolled for another account called ${person(t)}. It can't approve this one. Deny, and ask the administrator.`;
export const noPasskeyHere = (t) => `This phone has no passkey for ${person(t)}. Use the phone that was enrolled.`;

// --- enrolments

learn({
	overtaken: ["Somebody else answered first",
		"Another phone answered this link. Answer no at the terminal, and start again where nobody sees the code."],
	"not-enrolled": (t) => ["Not enrolled",
		`${t.host} did not take this phone: the ids were not confirmed.`],
	"enrol-refused": (t, why) => ["Not enrolled",
		`${t.host} did not take this phone: ${why}`],
	"enrol-declined": (t) => ["Not enrolled",
		`${t.host} was told, and nothing was stored.`],
	"test-missing": ["The test question did not come",
		"Without it the phone is not enrolled. Start again at the terminal."],
});
export const claimedElsewhere = "Another device has named itself for this enrolment. Compare with special care.";
