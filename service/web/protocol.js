// SPDX-License-Identifier: BSD-2-Clause
// The bytes of countersign-protocol(7): link, seal, transaction, challenge,
// answer.  No network, no page, nothing remembered.

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });
const B64U = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const B32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const CONTENT = "countersign/1 content", ANSWER = "countersign/1 answer";
const NOTHING = new Uint8Array(0);

/** What came is not what the protocol says: never shown raw, never signed. */
export class Malformed extends Error {}

function encode(bytes, alphabet, bits) {
	let out = "", value = 0, have = 0;
	for (const byte of bytes) {
		value = (value << 8) | byte;
		have += 8;
		for (; have >= bits; have -= bits)
			out += alphabet[(value >> (have - bits)) & ((1 << bits) - 1)];
		value &= (1 << have) - 1;
	}
	if (have > 0)
		out += alphabet[(value << (bits - have)) & ((1 << bits) - 1)];
	return out;
}

/** The canonical form only: no padding, unused bits zero. */
function decode(string, alphabet, bits) {
	const out = [];
	let value = 0, have = 0;
	for (const c of string) {
		const digit = alphabet.indexOf(c);
		if (digit < 0)
			throw new Malformed("a character that is no digit");
		value = (value << bits) | digit;
		have += bits;
		if (have >= 8) {
			out.push((value >> (have - 8)) & 0xff);
			have -= 8;
		}
		value &= (1 << have) - 1;
	}
	if (have >= bits || value !== 0)
		throw new Malformed("not canonical");
	return Uint8Array.from(out);
}

export const toB64u = (bytes) => encode(new Uint8Array(bytes), B64U, 6);
export const fromB64u = (string) => decode(string, B64U, 6);

export function join(...parts) {
	const all = parts.map((p) => typeof p === "string" ? utf8.encode(p)
		: p instanceof Uint8Array ? p : Uint8Array.from(p));
	const out = new Uint8Array(all.reduce((n, p) => n + p.length, 0));
	let at = 0;
	for (const part of all) {
		out.set(part, at);
		at += part.length;
	}
	return out;
}

const u16 = (n) => [n >> 8, n & 0xff];
const u32 = (n) => [n >>> 24, (n >> 16) & 0xff, (n >> 8) & 0xff, n & 0xff];
const v16 = (bytes) => join(u16(bytes.length), bytes);

async function sha256(bytes) {
	return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

// --- the link ---------------------------------------------------------------

const hkdf = (info) => ({
	name: "HKDF", hash: "SHA-256", salt: NOTHING, info: utf8.encode(info),
});

/** The id is there at once; the keys are promises: they are needed later. */
async function linkOf(secret) {
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

// --- content and transaction ------------------------------------------------

const MEMBERS = ["v", "kind", "host", "user", "uid", "service", "title",
	"details", "choices", "code", "nonce", "created", "lifetime"];
const isText = (v, max) => typeof v === "string" && v.length <= max;
const isCount = (v, min, max) => Number.isInteger(v) && v >= min && v <= max;
const isDetail = (d) => Array.isArray(d) && d.length === 2 &&
	isText(d[0], 256) && isText(d[1], 2048);
const isChoice = (c) => typeof c === "string" &&
	/^[a-z][a-z0-9-]{0,31}$/.test(c) && !["deny", "not-me", "enroll"].includes(c);

/** Strict: what this page does not know is not signed by guesswork. */
function readTransaction(bytes) {
	let t;
	try {
		t = JSON.parse(text.decode(bytes));
	} catch {
		throw new Malformed("the question is no JSON");
	}
	const known = t !== null && typeof t === "object" &&
		Object.keys(t).join() === MEMBERS.join();
	if (!known || t.v !== 1 || !["approval", "enrolment"].includes(t.kind) ||
	    !isText(t.host, 256) || !isText(t.user, 256) ||
	    !isCount(t.uid, 0, 4294967295) || !isText(t.service, 256) ||
	    !isText(t.title, 1024) || !Array.isArray(t.details) ||
	    t.details.length > 13 || !t.details.every(isDetail) ||
	    !Array.isArray(t.choices) || !t.choices.every(isChoice) ||
	    t.choices.length > 8 || (t.kind === "approval" && t.choices.length < 1) ||
	    !["never", "inbox", "always", "tap"].includes(t.code) ||
	    !/^[A-Za-z0-9_-]{43}$/.test(t.nonce) || !isText(t.created, 32) ||
	    !isCount(t.lifetime, 30, 600))
		throw new Malformed("the question has a form that this page does not know");
	return t;
}

function readContent(plain) {
	try {
		const content = JSON.parse(text.decode(plain));
		return {
			transaction: fromB64u(content.transaction),
			credentials: content.credentials.map(([device, id]) => {
				if (idBytes(device).length !== 10)
					throw new Malformed("no device id");
				return { device, id: fromB64u(id) };
			}),
		};
	} catch {
		throw new Malformed("the content has a form that this page does not know");
	}
}

/** Opens what the service carried: {bytes, t, credentials}. */
export async function openContent(link, sealed) {
	let plain;
	try {
		const bytes = fromB64u(sealed);
		if (bytes[0] !== 1)
			throw new Malformed("unknown seal");
		plain = await crypto.subtle.decrypt({
			name: "AES-GCM", iv: bytes.subarray(1, 13),
			additionalData: utf8.encode(CONTENT),
		}, await link.contentKey, bytes.subarray(13));
	} catch {
		throw new Malformed("this was not sealed for this link");
	}
	const { transaction, credentials } = readContent(plain);
	return { bytes: transaction, t: readTransaction(transaction), credentials };
}

// --- challenge and answer ---------------------------------------------------

/** What the passkey signs; code: the six digits where they had to be asked. */
export function challenge(question, choice, code = "") {
	return sha256(join("countersign/1 ", choice, [0], u32(question.bytes.length),
		question.bytes, [0], code));
}

/** 10 bytes; its text is 16 characters in lower-case base32. */
export async function deviceId(point) {
	return (await sha256(point)).subarray(0, 10);
}
export const idText = (id) => encode(id, B32, 5).toLowerCase();
export const idShown = (id) => idText(id).match(/.{4}/g).join("-");
export const idBytes = (shown) => decode(shown.toUpperCase(), B32, 5);

async function seal(link, plain) {
	const nonce = crypto.getRandomValues(new Uint8Array(12));
	const sealed = await crypto.subtle.encrypt({
		name: "AES-GCM", iv: nonce,
		additionalData: utf8.encode(ANSWER),
	}, await link.answerKey, plain);
	return toB64u(join([1], nonce, new Uint8Array(sealed)));
}

function layout(kind, choice, device, a, b, signature) {
	return join([1, kind, choice.length], choice, device, v16(a), v16(b),
		v16(signature));
}

/** A signed answer. */
export function sealAnswer(link, choice, device, proof) {
	return seal(link, layout(1, choice, device, proof.authenticatorData,
		proof.clientData, proof.signature));
}

/** A no without a passkey: it ends this question and counts nowhere. */
export function sealDecline(link) {
	return seal(link, layout(0, "deny", new Uint8Array(10), NOTHING, NOTHING,
		NOTHING));
}

/** A new device; made: what passkey.js created. */
export async function sealEnrolment(link, made, sealPoint, name) {
	const label = utf8.encode(name);
	return seal(link, join(
		layout(1, "enroll", await deviceId(made.point), made.authenticatorData,
			made.clientData, NOTHING),
		made.point, sealPoint, v16(made.id), [label.length], label));
}

/** At most max bytes of UTF-8, never half a character. */
export function clip(string, max) {
	let out = "", n = 0;
	for (const c of string) {
		n += utf8.encode(c).length;
		if (n > max)
			break;
		out += c;
	}
	return out;
}
