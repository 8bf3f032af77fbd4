// SPDX-License-Identifier: BSD-2-Clause
// Every sentence of the page, a paragraph a line.  Nothing here comes from
// outside: what hosts write is marked as theirs by view.js.

export const BRAND = "countersign";

const person = (t) => `${t.user} on ${t.host}`;

/** By state: the heading, then paragraphs. */
const SCREENS = {
	// nothing asked
	idle: ["Nothing to answer",
		"When a login or a command needs your approval, scan the QR code in the terminal with this phone's camera."],
	again: ["Scan the code again",
		"A question is forgotten when its page is reloaded or left. The code in the terminal still works."],
	"bad-link": ["This link is not complete",
		"The part behind the # is missing or wrong. Scan the QR code again, or copy the whole link."],
	unsupported: ["This browser can't do it",
		"Open the link in this phone's own browser, up to date, not inside another app: it needs passkeys."],
	broken: ["Something went wrong",
		"The page ran into an error of its own. Scan the code again."],

	// this phone's own places
	removal: (e) => ["Remove this phone?",
		`It can then no longer approve for ${person(e)}. If you have no other there, you need a recovery code or the administrator to get in.`],
	removed: (e) => ["Removed",
		`${e.host} forgets this phone before its next question. You can delete the passkey too.`],
	"not-removed": ["Not removed",
		"The service no longer knows this browser. Ask the administrator to revoke the device."],

	// on the way to a question
	opening: ["Opening the question"],
	unreachable: ["The service can't be reached",
		"Check this phone's connection, then scan the code again."],
	unknown: ["This link is over",
		"It was used, ran out, or was never valid. Start the login again to get a new code."],
	limited: ["Too many requests",
		"Wait a minute, then scan the code again."],
	malformed: ["Don't trust this question",
		"What the service delivered was not made for this link, or was changed on the way. Nothing was signed.",
		"Please tell whoever runs the service."],
	declined: ["Denied"],

	// an approval
	passkey: ["Confirm with your passkey",
		"Your phone asks for your face, finger or screen lock."],
	unsigned: ["Deny without the passkey?",
		"Your passkey did not sign. You can still end this question. Only a signed denial counts against who keeps asking."],
	sent: ["Sent",
		"The host is about to check it. If the terminal asks you to press Enter, do that now."],
	elsewhere: ["Answered already",
		"Another answer came first, perhaps from another tab or phone. The host is looking at it."],

	// how it ended
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

	// an enrolment
	enrolment: (t) => ["Enrol this phone?",
		`This phone will be able to approve logins and commands for ${person(t)}.`,
		"It makes a passkey that stays behind your face, finger or screen lock. You compare its id with the terminal, then answer one test question."],
	creating: ["Create your passkey",
		"Your phone asks where to keep it and for your face, finger or screen lock."],
	sending: ["Sending"],
	compare: ["Compare with the terminal",
		"The terminal must show exactly this device id:"],
	overtaken: ["Somebody else answered first",
		"Another phone answered this link. Answer no at the terminal, and start again where nobody sees the code."],
	"not-enrolled": (t) => ["Not enrolled",
		`${t.host} did not take this phone: the ids were not confirmed.`],
	"enrol-refused": (t, why) => ["Not enrolled",
		`${t.host} did not take this phone: ${why}`],
	"enrol-declined": (t) => ["Not enrolled",
		`${t.host} was told, and nothing was stored.`],
	"test-coming": ["Confirmed",
		"One test question follows on this page."],
	"test-missing": ["The test question did not come",
		"Without it the phone is not enrolled. Start again at the terminal."],
	enrolled: (t, remembered) => ["This phone is enrolled",
		`It can now approve for ${person(t)}.`, remembered ? null
			: "This browser lets the page remember nothing, so each question will warn you."],
};

/** about: what the sentences of this state speak of. */
export function screen(state, ...about) {
	const says = SCREENS[state];
	return Array.isArray(says) ? says : says(...about);
}

// --- on several screens

export const away = "No connection to the service. Trying again\u2026",
	back = "Connected again.";

export const timeLeft = (s) =>
	`${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} left`;
export const secondsLeft = (s) => `${s} seconds left`;

export const places = "This phone can approve for", remove = "Remove";

/** Buttons instead of a question. */
export const removal = { keep: "Keep it", remove: "Remove this phone" };
export const endIt = { decline: "End it as denied" };
export const unsigned = {
	decline: "Deny without the passkey",
	retry: "Try the passkey again",
	back: "Back to the question",
};

// --- an approval

export const host = "Host", account = "Account", asked = "Asked";
export const deny = "Deny", notMe = "This was not me", answers = "Your answer";
/** "approve", or what else the host offers. */
export const choiceLabel = (choice) =>
	(choice[0].toUpperCase() + choice.slice(1)).replaceAll("-", " ");

export const age = (s, at) => `${s < 3 ? "just now" : `${s} s ago`}, ${at}`;
const span = (s) => s < 120 ? `${s} seconds` : `${Math.round(s / 60)} minutes`;

export const codeLabel = "Six digits that the terminal shows",
	codeMissing = "Type the six digits from the terminal first.";

export const onlyYours = "Approve only if you are doing this yourself, right now. Nobody who helps you needs your approval.";
export const stranger = (t) => `This phone doesn't remember being enrolled for ${person(t)}. On a new phone with synced passkeys that is normal. Otherwise deny.`;
export const stale = (s) => `By this phone's clock this is ${span(s)} old, older than it may be. Unless the clock is wrong, deny.`;
export const contradiction = (t) => `This phone was enrolled for another account called ${person(t)}. It can't approve this one. Deny, and ask the administrator.`;
export const noPasskeyHere = (t) => `This phone has no passkey for ${person(t)}. Use the phone that was enrolled.`;

/** Why there was no signature, by NoPasskey.reason. */
export const noSignature = {
	cancelled: "The passkey was not used: cancelled, too late, you were not recognised, or there is none for this account. You can try again.",
	known: "This phone has a passkey for this account already.",
	origin: "This address may not use passkeys. Please tell whoever runs the service.",
	unsupported: "This phone can't make the kind of passkey that is needed.",
	failed: "The phone reported an error instead of a signature. You can try again.",
	foreign: "That passkey is not for this account. Choose another, or use the phone that was enrolled.",
};

export const rejected = (why, tries) =>
	`Not accepted: ${why} ${tries === 1 ? "One try is left." : `${tries} tries are left.`}`;

const MALFORMED = "the passkey's answer is malformed.";

/** What the host found, by the reason that it reports. */
const REASONS = {
	LIMIT: "too many answers were tried.",
	EXISTS: "it is enrolled already.",
	PROOF_FORMAT: "the host could not read the answer.",
	PROOF_CHOICE: "the answer was none of those offered.",
	PROOF_DEVICE: "this phone is not enrolled for this account.",
	PROOF_KIND: "the host does not take this kind of device.",
	PROOF_CLIENT_DATA: MALFORMED,
	PROOF_TYPE: "the signature was made for something else.",
	PROOF_CHALLENGE: "the signature is for another question, or the six digits were wrong.",
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
export const reason = (name) => Object.hasOwn(REASONS, name) ? REASONS[name]
	: "the host could not use the answer.";

// --- an enrolment

export const enrolOnly = "Go on only if you started this at that host's terminal, or somebody you trust did it with you.";
export const nameLabel = "A name for this phone",
	nameMissing = "Give this phone a name first.";
export const create = "Create passkey", dontEnrol = "Don't enrol";
export const compareAfter = "If it does, answer yes there. If not, answer no: then somebody else has opened your code first.";
export const claimedElsewhere = "Another device has named itself for this enrolment. Compare with special care.";
export const testNote = "The last step: this question is a test and lets nobody in.";
