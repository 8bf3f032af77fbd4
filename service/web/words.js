// SPDX-License-Identifier: BSD-2-Clause
// Every sentence of the page, in one place.  Nothing here comes from outside:
// what hosts write is marked as theirs by view.js.

export const BRAND = "countersign";

const person = (t) => `${t.user} on ${t.host}`;

// --- nothing asked ----------------------------------------------------------

export const idle = {
	heading: "Nothing to answer",
	text: ["When a login or a command needs your approval, scan the QR code "
		+ "in the terminal with this phone's camera."],
};
export const again = {
	heading: "Scan the code again",
	text: ["A question is forgotten when its page is reloaded or left. The "
		+ "code in the terminal still works."],
};
export const badLink = {
	heading: "This link is not complete",
	text: ["The part behind the # is missing or wrong. Scan the QR code "
		+ "again, or copy the whole link."],
};
export const unsupported = {
	heading: "This browser can't do it",
	text: ["Open the link in this phone's usual browser, brought up to date, "
		+ "and not inside another app: it needs passkeys."],
};
export const broken = {
	heading: "Something went wrong",
	text: ["The page ran into an error of its own. Scan the code again."],
};

// --- on the way to a question -----------------------------------------------

export const opening = { heading: "Opening the question" };
export const away = "No connection to the service. Trying again\u2026";
export const back = "Connected again.";
export const unreachable = {
	heading: "The service can't be reached",
	text: ["Check this phone's connection, then scan the code again."],
};
export const unknown = {
	heading: "This link is over",
	text: ["It was used, it ran out, or it was never valid. Start the login "
		+ "again to get a new code."],
};
export const limited = {
	heading: "Too many requests",
	text: ["Wait a minute, then scan the code again."],
};
export const malformed = {
	heading: "Don't trust this question",
	text: ["What the service delivered was not made for this link, or it was "
		+ "changed on the way. Nothing was signed.",
	"Please tell whoever runs the service."],
	decline: "End it as denied",
};

// --- an approval ------------------------------------------------------------

export const host = "Host", account = "Account", asked = "Asked";
export const approve = "Approve";
export const deny = "Deny";
export const notMe = "This was not me";
export const choiceLabel = (choice) => choice === "approve" ? approve
	: (choice[0].toUpperCase() + choice.slice(1)).replaceAll("-", " ");
export const answers = "Your answer";

export const clock = (s) =>
	`${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
export const timeLeft = (s) => `${clock(s)} left`;
export const secondsLeft = (s) => `${s} seconds left`;
const span = (s) => s < 120 ? `${s} seconds` : `${Math.round(s / 60)} minutes`;
export const age = (s, at) => s < 3 ? `just now, ${at}` : `${s} s ago, ${at}`;

export const codeLabel = "Six digits that the terminal shows";
export const codeMissing = "Type the six digits from the terminal first.";

export const onlyYours = "Approve only if you are doing this yourself, right "
	+ "now. Nobody who helps you needs your approval.";
export const stranger = (t) => "This phone doesn't remember being enrolled "
	+ `for ${person(t)}. That is normal on a new phone with synced `
	+ "passkeys. Otherwise deny.";
export const stale = (s) => `By this phone's clock this is ${span(s)} old, `
	+ "older than it may be. Unless the clock is wrong, deny.";
export const contradiction = (t) => "This phone was enrolled for another "
	+ `account called ${person(t)}. It can't approve this one. Deny it, and `
	+ "ask the administrator.";
export const noPasskeyHere = (t) => "This phone has no passkey for "
	+ `${person(t)}. Use the phone that was enrolled.`;

export const usePasskey = {
	heading: "Confirm with your passkey",
	text: ["Your phone asks for your face, finger or screen lock."],
};
export const sent = {
	heading: "Sent",
	text: ["The host is about to check it. If the terminal asks you to press "
		+ "Enter, do that now."],
};
export const elsewhere = {
	heading: "Answered already",
	text: ["Another answer came first, perhaps from another tab or phone. The "
		+ "host is looking at it."],
};

/** Why there was no signature, by NoPasskey.reason. */
export const noSignature = {
	cancelled: "The passkey was not used: it was cancelled or took too long, "
		+ "the phone did not recognise you, or it has no passkey for this "
		+ "account. You can try again.",
	known: "This phone has a passkey for this account already.",
	origin: "This address may not use passkeys. Please tell whoever runs the "
		+ "service.",
	unsupported: "This phone can't make the kind of passkey that is needed.",
	failed: "The phone reported an error instead of a signature. You can try "
		+ "again.",
	foreign: "That passkey is not one for this account. Choose another one, "
		+ "or use the phone that was enrolled.",
};

export const unsigned = {
	heading: "Deny without the passkey?",
	text: ["Your passkey did not sign. You can still end this one question. "
		+ "Only a signed denial also counts against who keeps asking."],
	decline: "Deny without the passkey",
	retry: "Try the passkey again",
	back: "Back to the question",
};

// --- how it ended -----------------------------------------------------------

export const granted = (t, choice) => ({
	mark: "yes",
	heading: choice === "approve" ? "Approved" : choiceLabel(choice),
	text: [`${t.host} has verified your answer. You can close this page.`],
});
export const grantedElsewhere = (t) => ({
	heading: "Approved, but not by this page",
	text: [`${t.host} took an answer from another tab or phone of yours. If `
		+ "that was not you, tell the administrator at once."],
});
export const denied = (t) => ({
	mark: "no",
	heading: "Denied",
	text: [`${t.host} has ended the login.`],
});
export const reported = (t) => ({
	mark: "no",
	heading: "Denied and reported",
	text: [`${t.host} has ended the login and recorded that it was not you.`,
		"Somebody may know your password: change it, and tell the "
		+ "administrator."],
});
export const refused = (t, why) => ({
	mark: "no",
	heading: "Not accepted",
	text: [why, `${t.host} has ended the login.`],
});
export const expired = {
	heading: "Too late",
	text: ["The time is over. Start the login again to get a new code."],
};
export const cancelled = {
	heading: "No longer asked",
	text: ["The terminal has stopped waiting for your answer."],
};
export const uncertain = {
	heading: "No word from the host",
	text: ["Your answer was sent. Look at the terminal."],
};
export const rejected = (why, tries) => `Not accepted: ${why} `
	+ (tries === 1 ? "One try is left." : `${tries} tries are left.`);

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
	PROOF_CHALLENGE: "the signature is for another question, or the six "
		+ "digits were wrong.",
	PROOF_ORIGIN: "the host expects this page at another address.",
	PROOF_CROSS_ORIGIN: "the page was shown inside another page.",
	PROOF_LENGTH: MALFORMED,
	PROOF_RPID: "the passkey belongs to another address.",
	PROOF_FLAGS: "the phone did not check that it is you.",
	PROOF_BACKUP: "the passkey is not as it was enrolled.",
	PROOF_SYNCED: "the host takes no passkeys that are synced to a cloud.",
	PROOF_TIME: "this phone's clock is wrong.",
	PROOF_SIGNATURE: "the signature is wrong.",
	PROOF_COUNTER: "the passkey's counter went backwards: it may have been "
		+ "copied.",
	PROOF_KEY: MALFORMED,
	PROOF_CREDENTIAL: MALFORMED,
	PROOF_CONSUMED: "the question was closed already.",
};
export const reason = (name) => Object.hasOwn(REASONS, name) ? REASONS[name]
	: "the host gave no reason that this page knows.";

// --- an enrolment -----------------------------------------------------------

export const enrolHeading = "Enrol this phone?";
export const enrolText = (t) => [
	`This phone will be able to approve logins and commands for ${person(t)}.`,
	"It makes a passkey that stays behind your face, finger or screen lock. "
	+ "You compare its id with the terminal, then answer one test question.",
];
export const enrolOnly = "Go on only if you started this at the terminal of "
	+ "that host, or somebody whom you trust did it with you.";
export const nameLabel = "A name for this phone";
export const nameMissing = "Give this phone a name first.";
export const create = "Create passkey";
export const dontEnrol = "Don't enrol";
export const creating = {
	heading: "Create your passkey",
	text: ["Your phone asks where to keep it and for your face, finger or "
		+ "screen lock."],
};
export const sending = { heading: "Sending" };
export const compare = {
	heading: "Compare with the terminal",
	text: ["The terminal must show exactly this device id:"],
	after: ["If it does, answer yes there. If it shows another one, answer "
		+ "no: then somebody else has opened your code first."],
};
export const claimedElsewhere = "Another device has named itself for this "
	+ "enrolment. Compare the id with special care.";
export const overtaken = {
	mark: "no",
	heading: "Somebody else answered first",
	text: ["This link was answered by another phone. Answer no at the "
		+ "terminal, and start again where nobody can see the code."],
};
export const notEnrolled = (t) => ({
	mark: "no",
	heading: "Not enrolled",
	text: [`${t.host} did not take this phone: the ids were not confirmed.`],
});
export const enrolRefused = (t, why) => ({
	mark: "no",
	heading: "Not enrolled",
	text: [`${t.host} did not take this phone: ${why}`],
});
export const enrolDeclined = (t) => ({
	mark: "no",
	heading: "Not enrolled",
	text: [`${t.host} was told, and nothing was stored.`],
});
export const testComing = {
	heading: "Confirmed",
	text: ["One test question follows on this page."],
};
export const testMissing = {
	heading: "The test question did not come",
	text: ["Without it the phone is not enrolled. Start again at the "
		+ "terminal."],
};
export const testNote = "The last step: this question is a test and lets "
	+ "nobody in.";
export const enrolled = (t, remembered) => ({
	mark: "yes",
	heading: "This phone is enrolled",
	text: [`It can now approve for ${person(t)}.`,
		...(remembered ? [] : ["This browser doesn't let the page remember it, "
			+ "so you will be warned at each question."])],
});
