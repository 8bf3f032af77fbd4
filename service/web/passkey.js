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

/** By the browser's name for it; "known": this authenticator has one already;
 *  "cancelled": or timed out, or none here: browsers do not say. */
const REASONS = {
	InvalidStateError: "known", NotAllowedError: "cancelled",
	AbortError: "cancelled", SecurityError: "origin",
	NotSupportedError: "unsupported", ConstraintError: "unsupported",
};

async function ask(method, publicKey, left, signal) {
	publicKey.timeout = Math.max(Math.round(left * 1000), 1000);
	try {
		const made = await navigator.credentials[method]({ publicKey, signal });
		if (made !== null)
			return made;
	} catch (error) {
		signal.throwIfAborted();
		throw new NoPasskey(REASONS[error.name] ?? "failed");
	}
	throw new NoPasskey("cancelled");
}

const bytes = (buffer) => new Uint8Array(buffer);
const publicKeys = (credentials) => credentials.map(({ id }) => (
	{ type: "public-key", id }));

/** The same passkey for the same account of the same host: 32 bytes. */
const handle = (t) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(
	`countersign/1 account\0${t.host}\0${t.uid}\0${t.user}`));

/** A new passkey, not on an authenticator that has one of the question's:
 *  {id, point, authenticatorData, clientData}. */
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

/** A signature: {id, authenticatorData, clientData, signature}. */
export async function sign({ credentials }, challenge, left, signal) {
	const { rawId, response } = await ask("get", {
		rpId: location.hostname,
		challenge,
		allowCredentials: publicKeys(credentials),
		userVerification: "required",
	}, left, signal);
	return {
		id: bytes(rawId),
		authenticatorData: bytes(response.authenticatorData),
		clientData: bytes(response.clientDataJSON),
		signature: bytes(response.signature),
	};
}
