// SPDX-License-Identifier: BSD-2-Clause
// Keeps the page's own files, exactly those below and only with these bytes,
// so that a question opens with one request.  Everything else passes by.

// written by: make page-hashes
const FILES = {
	"/carrier.js": "sha256-zJWA1a8YlkFPjeZb0fjQK6MP/k2zW6lZWejGftj6cgo=",
	"/icon.svg": "sha256-IAirksA900hkYZbeSmhsEbOi02ic2qVnWrO1y94ndAU=",
	"/": "sha256-E9peGvmUwr/6tD9pF1c6HSbndMO85/UDCIVSnLi19Zc=",
	"/main.js": "sha256-/rCgF4NuyHeSJal9BDHFuHg7TN0ZI77O8kzI9e1peKk=",
	"/manifest.webmanifest": "sha256-Pmnv68JEzjJ7EGtfACeSGJANR0L6D1ymA2M9FI8nkZo=",
	"/memory.js": "sha256-3IeNI6gqyf63OuQB3oOvS4NXAYbTbhZqSRT2L1JmTa8=",
	"/passkey.js": "sha256-4zxnvIhN1yunk8S+6NenaViKWJuMaWMZS7LxVQSD+5g=",
	"/protocol.js": "sha256-U9wOEVGEZMbBsOqv2DlizfJoJPhMFzaapBcfIzaAPDM=",
	"/style.css": "sha256-fmtoMeDZL3T9cYGuvqLBrIHNcrUqlCxRPk6Hu9mCqzo=",
	"/view.js": "sha256-e1/MRsrO1cWdpo3kqBE8Tae8BHc5Jmw6ru0sFaGfQNg=",
	"/words.js": "sha256-uM69O7zeuJnQ/T7/1/Vc36OgeKBDN/v30cWcja5zJdc=",
};
// Where the service is belongs to the operator: no hash, and always refreshed.
const SETTINGS = "/service.json";

/** Another release has other hashes, and so another name. */
const NAME = `countersign ${Object.values(FILES).join(" ")}`;

async function keep() {
	const cache = await caches.open(NAME);
	const wanted = [...Object.entries(FILES), [SETTINGS, ""]];
	await Promise.all(wanted.map(async ([path, integrity]) => {
		const reply = await fetch(path, { integrity, cache: "no-cache" });
		if (!reply.ok)
			throw new TypeError(path);
		await cache.put(path, reply);
	}));
	return self.skipWaiting();
}

async function forget() {
	for (const name of await caches.keys())
		if (name.startsWith("countersign") && name !== NAME)
			await caches.delete(name);
	return self.clients.claim();
}

async function refresh(cache) {
	const reply = await fetch(SETTINGS, { cache: "no-cache" });
	if (reply.ok)
		await cache.put(SETTINGS, reply.clone());
	return reply;
}

async function reply(event, path) {
	const cache = await caches.open(NAME);
	const kept = await cache.match(path);
	if (path !== SETTINGS)
		return kept ?? fetch(event.request);
	const fresh = refresh(cache);
	event.waitUntil(fresh.catch(() => {}));
	return kept ?? fresh;
}

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forget()));
self.addEventListener("fetch", (event) => {
	const { origin, pathname } = new URL(event.request.url);
	if (event.request.method === "GET" && origin === location.origin &&
	    (pathname in FILES || pathname === SETTINGS))
		event.respondWith(reply(event, pathname));
});
