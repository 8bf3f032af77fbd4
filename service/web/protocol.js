// SPDX-License-Identifier: BSD-2-Clause
// The bytes of countersign-protocol(7), without network, page or memory.

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder("utf-8", { fatal: true });
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const B64U = `${LETTERS}${LETTERS.toLowerCase()}0123456789-_`;
const B32 = `${LETTERS}234567`;

const CONTENT = "countersign/1 content", ANSWER = "countersign/1 answer";
const NOTHING = new Uint8Array(0);

/** Never shown raw, never signed. */
export class Malformed extends Error {}

/** Numbers of so many bits from those of others. */
function regroup(numbers, from, to) {
	const out = [];
	let value = 0, have = 0;
	for (const number of numbers) {
		value = (value << from) | number;
		for (have += from; have >= to; have -= to)
			out.push((value >> (have - to)) & ((1 << to) - 1));
		value &= (1 << have) - 1;
	}
	return out;
}

function encode(bytes, alphabet, bits) {
	const length = Math.ceil(bytes.length * 8 / bits);
	return regroup([...bytes, 0], 8, bits).slice(0, length)
		.map((digit) => alphabet[digit]).join("");
}

/** The canonical form only: no padding, unused bits zero. */
function decode(string, alphabet, bits) {
	const digits = Array.from(string, (c) => alphabet.indexOf(c));
	const bytes = Uint8Array.from(regroup(digits, bits, 8));
	if (encode(bytes, alphabet, bits) !== string)
		throw new Malformed("not canonical");
	return bytes;
}

export const toB64u = (bytes) => encode(bytes, B64U, 6);
export const fromB64u = (string) => decode(string, B64U, 6);

export const join = (...parts) => Uint8Array.from(parts.flatMap(
	(part) => [...(typeof part === "string" ? utf8.encode(part) : part)]));
const u16 = (n) => [n >> 8, n & 0xff];
const u32 = (n) => [...u16(n >>> 16), ...u16(n & 0xffff)];
export const v16 = (bytes) => join(u16(bytes.length), bytes);

export const gcm = (iv, label) =>
	({ name: "AES-GCM", iv, additionalData: utf8.encode(label) });

export async function sha256(bytes) {
	return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

// --- the link

export const hkdf = (info, salt = NOTHING) => ({
	name: "HKDF", hash: "SHA-256", salt, info: utf8.encode(info),
});

/** The keys are promises: they are needed later. */
export async function linkOf(secret) {
	const s = await crypto.subtle.importKey("raw", secret, "HKDF", false,
		["deriveBits", "deriveKey"]);
	const bytes = async (info) =>
		new Uint8Array(await crypto.subtle.deriveBits(hkdf(info), s, 128));
	const key = (info, use) => crypto.subtle.deriveKey(hkdf(info), s,
		{ name: "AES-GCM", length: 256 }, false, [use]);
	const contentKey = key(CONTENT, "decrypt"), answerKey = key(ANSWER, "encrypt");
	return {
		id: toB64u(await bytes("countersign/1 link id")), contentKey, answerKey,
		test: async () => linkOf(await bytes("countersign/1 test")),
	};
}

/** The 26 characters behind the # of a link; null if they are not that. */
export async function openLink(fragment) {
	const digits = fragment.replace(/^#/, "").toUpperCase();
	if (digits.length !== 26)
		return null;
	try {
		return await linkOf(decode(digits, B32, 5));
	} catch {
		return null;
	}
}

// --- content and transaction

const oneOf = (...all) => (v) => all.includes(v);
const text = (max) => (v) => typeof v === "string" && v.length <= max;
const count = (min, max) => (v) => Number.isInteger(v) && v >= min && v <= max;
const list = (max, good) => (v) =>
	Array.isArray(v) && v.length <= max && v.every(good);
const isDetail = (d) => Array.isArray(d) && d.length === 2 &&
	text(256)(d[0]) && text(2048)(d[1]);
const isChoice = (c) => typeof c === "string" &&
	/^[a-z][a-z0-9-]{0,31}$/.test(c) && !["deny", "not-me", "enroll", "remove"].includes(c);

/** The members of a transaction, in their order, and what each may be. */
const MEMBERS = {
	v: oneOf(1), kind: oneOf("approval", "enrolment"), host: text(256),
	user: text(256), uid: count(0, 4294967295), service: text(256),
	title: text(1024), details: list(13, isDetail), choices: list(8, isChoice),
	code: oneOf("never", "inbox", "always", "tap"),
	nonce: (v) => typeof v === "string" && /^[A-Za-z0-9_-]{43}$/.test(v),
	created: text(32), lifetime: count(30, 600),
};

const readJson = (bytes) => JSON.parse(fromUtf8.decode(bytes));

/** What this page does not know is not signed by guesswork. */
function readTransaction(bytes) {
	const t = readJson(bytes);
	if (Object.keys(t).join() !== Object.keys(MEMBERS).join() ||
	    !Object.entries(MEMBERS).every(([name, good]) => good(t[name])) ||
	    (t.kind === "approval" && t.choices.length < 1))
		throw new Malformed("not a transaction");
	return t;
}

function readCredential([device, id]) {
	if (idBytes(device).length !== 10)
		throw new Malformed("no device id");
	return { device, id: fromB64u(id) };
}

/** {bytes, t, credentials}. */
export async function openContent(link, sealed) {
	try {
		const data = fromB64u(sealed);
		if (data[0] !== 1)
			throw new Malformed("unknown seal");
		const content = readJson(await crypto.subtle.decrypt(
			gcm(data.subarray(1, 13), CONTENT), await link.contentKey,
			data.subarray(13)));
		const bytes = fromB64u(content.transaction);
		return { bytes, t: readTransaction(bytes),
			credentials: content.credentials.map(readCredential) };
	} catch {
		throw new Malformed("this was not made for this link");
	}
}

// --- challenge and answer

/** What the passkey signs; code: the six digits where they were asked. */
export function challenge(question, choice, code = "") {
	return sha256(join("countersign/1 ", choice, [0], u32(question.bytes.length),
		question.bytes, [0], code));
}

/** A device id: 10 bytes, or 16 characters. */
export const idText = (id) => encode(id, B32, 5).toLowerCase();
export const idBytes = (text) => decode(text.toUpperCase(), B32, 5);

export async function seal(link, plain) {
	const nonce = crypto.getRandomValues(new Uint8Array(12));
	const sealed = await crypto.subtle.encrypt(gcm(nonce, ANSWER),
		await link.answerKey, plain);
	return toB64u(join([1], nonce, new Uint8Array(sealed)));
}

export function layout(kind, choice, device, a, b, signature) {
	return join([1, kind, choice.length], choice, device, v16(a), v16(b),
		v16(signature));
}

export function sealAnswer(link, choice, device, proof) {
	return seal(link, layout(1, choice, device, proof.authenticatorData,
		proof.clientData, proof.signature));
}

/** A no without a passkey: it ends this question and counts nowhere. */
export function sealDecline(link) {
	return seal(link, layout(0, "deny", new Uint8Array(10), NOTHING, NOTHING,
		NOTHING));
}
