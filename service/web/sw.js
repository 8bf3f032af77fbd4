// SPDX-License-Identifier: BSD-2-Clause
// Keeps the page's own files, exactly those below and only with these bytes,
// so that a question opens with one request.  Everything else passes by.

// written by: make page-hashes
const FILES = {
	"/carrier.js": "sha256-kAv2ZeLEZGcko4NynndTBk+/50E9SMOvy+uDsh8A1oo=",
	"/icon.svg": "sha256-IAirksA900hkYZbeSmhsEbOi02ic2qVnWrO1y94ndAU=",
	"/": "sha256-E9peGvmUwr/6tD9pF1c6HSbndMO85/UDCIVSnLi19Zc=",
	"/main.js": "sha256-3KFmcpHBaoP8oawsW6NAeKK8T0bMB964ofXasd+wGRY=",
	"/manifest.webmanifest": "sha256-ZEhI1j0/96H28d8RwjL3/JYbx4MrcI1FSTwAWZ/jkPY=",
	"/memory.js": "sha256-qdgaAi7Lty8JDlck5rp+lobZc5lhh140vcdUorsn++4=",
	"/passkey.js": "sha256-4zxnvIhN1yunk8S+6NenaViKWJuMaWMZS7LxVQSD+5g=",
	"/protocol.js": "sha256-EED8ARnZRgtQhzCZJcCLk1OLErkyxx+KzU2sPxnGSXY=",
	"/style.css": "sha256-moXxwWf28xmx6izgaeUqBUWNRq804uFqT+Dgf2GE6qI=",
	"/view.js": "sha256-6QVOgUD1qT1sNMdalLa+diCvST4wiQ4/XTKvDRrXiak=",
	"/words.js": "sha256-JB1ezii3zQHUclKXRv5ySC742E5lpYDQqD9K6oMUNB4=",
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
