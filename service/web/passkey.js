// SPDX-License-Identifier: BSD-2-Clause
// Passkeys: the two calls of WebAuthn Level 3 that this page makes.

/** Why no signature came, as a word that view.js has a sentence for. */
export class NoPasskey extends Error {
	constructor(reason) {
		super(reason);
		this.reason = reason;
	}
}

export function supported() {
	return window.isSecureContext && "PublicKeyCredential" in window &&
		"subtle" in window.crypto && "any" in AbortSignal &&
		"getPublicKey" in AuthenticatorAttestationResponse.prototype;
}

function reasonOf(error) {
	switch (error.name) {
	case "InvalidStateError":
		return "known"; // this authenticator has one for this account already
	case "NotAllowedError":
	case "AbortError":
		return "cancelled"; // or timed out, or none here: browsers do not say
	case "SecurityError":
		return "origin";
	case "NotSupportedError":
	case "ConstraintError":
		return "unsupported";
	default:
		return "failed";
	}
}

async function ask(method, publicKey, signal) {
	try {
		const made = await navigator.credentials[method]({ publicKey, signal });
		if (made === null)
			throw new NoPasskey("cancelled");
		return made;
	} catch (error) {
		signal.throwIfAborted();
		throw error instanceof NoPasskey ? error : new NoPasskey(reasonOf(error));
	}
}

const timeout = (left) => Math.max(Math.round(left * 1000), 1000);
const publicKeys = (credentials) => credentials.map((c) => (
	{ type: "public-key", id: c.id }));

/** The same passkey for the same account of the same host: 32 bytes. */
async function handle(t) {
	return crypto.subtle.digest("SHA-256", new TextEncoder().encode(
		`countersign/1 account\0${t.host}\0${t.uid}\0${t.user}`));
}

/** A new passkey, not on an authenticator that has one of the question's:
 *  {id, point, authenticatorData, clientData}. */
export async function create(question, challenge, left, signal) {
	const { t, credentials } = question;
	const made = await ask("create", {
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
		timeout: timeout(left),
	}, signal);
	const spki = made.response.getPublicKey();
	if (!spki || spki.byteLength !== 91)
		throw new NoPasskey("unsupported");
	return {
		id: new Uint8Array(made.rawId),
		point: new Uint8Array(spki).slice(26),
		authenticatorData: new Uint8Array(made.response.getAuthenticatorData()),
		clientData: new Uint8Array(made.response.clientDataJSON),
	};
}

/** A signature: {id, authenticatorData, clientData, signature}. */
export async function sign(question, challenge, left, signal) {
	const got = await ask("get", {
		rpId: location.hostname,
		challenge,
		allowCredentials: publicKeys(question.credentials),
		userVerification: "required",
		timeout: timeout(left),
	}, signal);
	return {
		id: new Uint8Array(got.rawId),
		authenticatorData: new Uint8Array(got.response.authenticatorData),
		clientData: new Uint8Array(got.response.clientDataJSON),
		signature: new Uint8Array(got.response.signature),
	};
}
