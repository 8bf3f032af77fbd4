// SPDX-License-Identifier: BSD-2-Clause
// Passkeys: a signature by WebAuthn Level 3, or the reason why there is none.

/** For which verdict.js has a sentence. */
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

/** "known": this authenticator has one already; "cancelled": or too late, or
 *  none here: browsers do not say. */
const REASONS = {
	InvalidStateError: "known", NotAllowedError: "cancelled",
	AbortError: "cancelled", SecurityError: "origin",
	NotSupportedError: "unsupported", ConstraintError: "unsupported",
};

export async function ask(method, publicKey, left, signal) {
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

export const bytes = (buffer) => new Uint8Array(buffer);
export const publicKeys = (credentials) => credentials.map(({ id }) => (
	{ type: "public-key", id }));

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
