// SPDX-License-Identifier: BSD-2-Clause
// What this phone remembers: where it was enrolled, and the private keys to
// which hosts will seal questions for it.  Those keys cannot be exported, not
// even by this page.  Passkeys are the authenticator's, not ours.

const STORE = "enrolments";

function promised(request) {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

async function withStore(mode, act) {
	const request = indexedDB.open("countersign", 1);
	request.onupgradeneeded = () =>
		request.result.createObjectStore(STORE, { keyPath: "device" });
	const db = await promised(request);
	try {
		return await promised(act(db.transaction(STORE, mode).objectStore(STORE)));
	} finally {
		db.close();
	}
}

/** {device, credential, host, user, uid, name, since, sealKey}[]; [] if none,
 *  also where the browser lets us remember nothing, or takes too long to. */
export async function enrolments() {
	const late = new Promise((resolve) => setTimeout(resolve, 1500, []));
	const all = withStore("readonly", (store) => store.getAll());
	return Promise.race([all.catch(() => []), late]);
}

/** True if it is remembered now. */
export const remember = (enrolment) =>
	withStore("readwrite", (store) => store.put(enrolment))
		.then(() => true, () => false);

export const forget = ({ device }) =>
	withStore("readwrite", (store) => store.delete(device)).catch(() => {});

/** A key pair to seal to: {privateKey (not exportable), point}. */
export async function newSealKey() {
	const { privateKey, publicKey } = await crypto.subtle.generateKey(
		{ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
	const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
	return { privateKey, point };
}

/** "known", "stranger" or "contradiction" (security rule UX-4). */
export function relation(all, t) {
	const same = all.filter((e) => e.host === t.host && e.user === t.user);
	if (same.length === 0)
		return "stranger";
	return same.some((e) => e.uid === t.uid) ? "known" : "contradiction";
}
