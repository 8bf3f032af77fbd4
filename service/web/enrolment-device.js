// SPDX-License-Identifier: BSD-2-Clause
// A new device: its passkey, the key to which its host seals, and its bytes.

import { ask, bytes, NoPasskey, publicKeys } from "./passkey.js";
import { idText, join, layout, seal, sha256, v16 } from "./protocol.js";

const utf8 = new TextEncoder();

/** The same passkey for the same account of the same host: 32 bytes. */
const handle = (t) => sha256(utf8.encode(
	`countersign/1 account\0${t.host}\0${t.uid}\0${t.user}`));

/** Not on an authenticator that has one of the question's. */
export async function create({ t, credentials }, challenge, left, signal) {
	const { rawId, response } = await ask("create", {
		rp: { id: location.hostname, name: "countersign" },
		user: {
			id: await handle(t), name: `${t.user}@${t.host}`,
			displayName: `${t.user} on ${t.host}`,
		},
		challenge,
		pubKeyCredParams: [{ type: "public-key", alg: -7 }],
		excludeCredentials: publicKeys(credentials),
		authenticatorSelection: {
			residentKey: "required", requireResidentKey: true,
			userVerification: "required",
		},
		attestation: "none",
	}, left, signal);
	const spki = response.getPublicKey();
	if (spki?.byteLength !== 91)
		throw new NoPasskey("unsupported");
	return {
		id: bytes(rawId),
		point: bytes(spki).slice(26),
		authenticatorData: bytes(response.getAuthenticatorData()),
		clientData: bytes(response.clientDataJSON),
	};
}

export async function newSealKey() {
	const { privateKey, publicKey } = await crypto.subtle.generateKey(
		{ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
	return { privateKey, point: bytes(
		await crypto.subtle.exportKey("raw", publicKey)) };
}

export const deviceId = async (point) => (await sha256(point)).subarray(0, 10);
export const idShown = (id) => idText(id).match(/.{4}/g).join("-");

export async function sealEnrolment(link, made, sealPoint, name) {
	const label = utf8.encode(name);
	return seal(link, join(
		layout(1, "enroll", await deviceId(made.point), made.authenticatorData,
			made.clientData, []),
		made.point, sealPoint, v16(made.id), [label.length], label));
}

/** At most max bytes of UTF-8, never half a character. */
export const clip = (string, max) => string.slice(0,
	utf8.encodeInto(string, new Uint8Array(max)).read);
