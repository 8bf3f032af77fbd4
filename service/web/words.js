// SPDX-License-Identifier: BSD-2-Clause
// Every sentence that a question needs, a paragraph a line.

export const person = (t) => `${t.user} on ${t.host}`;

/** The heading, then paragraphs. */
const SCREENS = {
	broken: ["Something went wrong",
		"The page ran into an error of its own. Load it again, or scan the code again."],

	// on the way to a question
	opening: ["Opening the question"],
	unreachable: ["The service can't be reached",
		"Check this phone's connection, then scan the code again."],

	// an approval
	passkey: ["Confirm with your passkey",
		"Your phone asks for your face, finger or screen lock."],
	unsigned: ["Deny without the passkey?",
		"Your passkey did not sign. You can still end this question. Only a signed denial counts against who keeps asking."],
	sending: ["Sending"],
	sent: ["Sent",
		"The host is about to check it. If the terminal asks you to press Enter, do that now."],
	elsewhere: ["Answered already",
		"Another answer came first, perhaps from another tab or phone. The host is looking at it."],
};

/** More of them. */
export const learn = (more) => void Object.assign(SCREENS, more);

/** about: what the sentences of this state speak of. */
export function screen(state, ...about) {
	const says = SCREENS[state];
	return Array.isArray(says) ? says : says(...about);
}

// --- on several screens

export const away = "No connection to the service. Trying again\u2026",
	back = "Connected again.", home = "Back to the inbox";

export const timeLeft = (s) =>
	`${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} left`;
export const secondsLeft = (s) => `${s} seconds left`;

/** Buttons instead of a question. */
export const unsigned = {
	decline: "Deny without the passkey",
	retry: "Try the passkey again",
	back: "Back to the question",
};

// --- an approval

export const host = "Host", account = "Account", asked = "Asked";
export const deny = "Deny", notMe = "This was not me", answers = "Your answer",
	later = "Answer later";
/** "approve", or what else the host offers. */
export const choiceLabel = (choice) =>
	(choice[0].toUpperCase() + choice.slice(1)).replaceAll("-", " ");

export const age = (s, at) => `${s < 3 ? "just now" : `${s} s ago`}, ${at}`;

export const onlyYours = "Approve only if you are doing this yourself, right now. Nobody who helps you needs your approval.";
