// SPDX-License-Identifier: BSD-2-Clause
// What this phone remembers: where it was enrolled, and the private keys to
// which hosts will seal questions for it.  Those keys cannot be exported, not
// even by this page.  Passkeys are the authenticator's, not ours.

const NAME = "countersign", STORE = "enrolments";

function promised(request) {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

async function open() {
	const request = indexedDB.open(NAME, 1);
	request.onupgradeneeded = () =>
		request.result.createObjectStore(STORE, { keyPath: "device" });
	return promised(request);
}

async function withStore(mode, act) {
	const db = await open();
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
export async function remember(enrolment) {
	try {
		await withStore("readwrite", (store) => store.put(enrolment));
		return true;
	} catch {
		return false;
	}
}

/** A key pair to seal to: {privateKey (not exportable), point}. */
export async function newSealKey() {
	const pair = await crypto.subtle.generateKey(
		{ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
	return {
		privateKey: pair.privateKey,
		point: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)),
	};
}

/** "known", "stranger" or "contradiction" (security rule UX-4). */
export function relation(all, t) {
	const same = all.filter((e) => e.host === t.host && e.user === t.user);
	if (same.length === 0)
		return "stranger";
	return same.some((e) => e.uid === t.uid) ? "known" : "contradiction";
}
