// SPDX-License-Identifier: BSD-2-Clause
// Keeps the page's own files, exactly those below and only with these bytes,
// so that a question opens with one request.  Everything else passes by.

// written by: make page-hashes
const FILES = {
	"/carrier.js": "sha256-kdWzX0NMnL46aOJfJ4UeR0D5a4RhYlyIGEcn4tP6ky4=",
	"/icon.svg": "sha256-IAirksA900hkYZbeSmhsEbOi02ic2qVnWrO1y94ndAU=",
	"/": "sha256-qJX2odKKI6kgX8aSV16ebYvUK4dx1EiVMnM46gzA6Ig=",
	"/main.js": "sha256-T4UtJbi4mb0Fo04ErAnGGp4pz918BMMk2ldWZJSGjwU=",
	"/manifest.webmanifest": "sha256-ghV+iLGoNxuNmNbZS3IJO2NQwnLTV9LcIz3hXPsXu08=",
	"/memory.js": "sha256-8O2TZ8LAQUAmVazz895AQrbXU6xOe5SCUTNVwf1EV4c=",
	"/passkey.js": "sha256-PcliAHx2Y731AXEgZWwvga9Psj9CXRHlG/ykOZHW/U8=",
	"/protocol.js": "sha256-dcQFUY2Lg1lr2iO8sv2q8C+oAPEaZDyOsA6CsNOOHc0=",
	"/style.css": "sha256-p6y5QPayvYWg3xTRJeV0OCEKMZH/HuRiZal6ti0IC08=",
	"/view.js": "sha256-qzlGyUgqwmJ2d+QSK+fZlqCTHT7LQ+DkmePe+Co/UxI=",
	"/words.js": "sha256-3MxMDsJnFa+S5MHErV/4wAoRsUF9CzlJ3dPP0pmpbWI=",
};
// Where the service is belongs to the operator: no hash, and always refreshed.
const SETTINGS = "/service.json";

/** Another release has other hashes, and so another name. */
async function cacheName() {
	const digest = await crypto.subtle.digest("SHA-256",
		new TextEncoder().encode(JSON.stringify(FILES)));
	return "countersign-" + Array.from(new Uint8Array(digest).slice(0, 8),
		(byte) => byte.toString(16).padStart(2, "0")).join("");
}

let opened = null;
const open = () => opened ??= cacheName().then((name) => caches.open(name));

async function keep() {
	const cache = await open();
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
	const name = await cacheName();
	for (const other of await caches.keys())
		if (other.startsWith("countersign-") && other !== name)
			await caches.delete(other);
	return self.clients.claim();
}

async function refresh(cache) {
	const reply = await fetch(SETTINGS, { cache: "no-cache" });
	if (reply.ok)
		await cache.put(SETTINGS, reply.clone());
	return reply;
}

async function reply(event, path) {
	const cache = await open();
	const kept = await cache.match(path);
	if (path === SETTINGS) {
		const fresh = refresh(cache);
		event.waitUntil(fresh.catch(() => {}));
		return kept ?? fresh;
	}
	return kept ?? fetch(event.request);
}

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forget()));
self.addEventListener("fetch", (event) => {
	const url = new URL(event.request.url);
	if (event.request.method === "GET" && url.origin === location.origin &&
	    (url.pathname in FILES || url.pathname === SETTINGS))
		event.respondWith(reply(event, url.pathname));
});
