// SPDX-License-Identifier: BSD-2-Clause
// What this phone remembers: its enrolments, with keys that can not be exported.

const STORE = "enrolments";

function promised(request) {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

export async function withStore(mode, act) {
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

/** [] also where the browser lets us remember nothing, or takes too long. */
export async function enrolments() {
	const late = new Promise((resolve) => setTimeout(resolve, 1500, []));
	const all = withStore("readonly", (store) => store.getAll());
	return Promise.race([all.catch(() => []), late]);
}

/** "known", "stranger" or "contradiction" (security rule UX-4). */
export function relation(all, t) {
	const same = all.filter((e) => e.host === t.host && e.user === t.user);
	if (same.length === 0)
		return "stranger";
	return same.some((e) => e.uid === t.uid) ? "known" : "contradiction";
}
