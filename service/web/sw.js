// SPDX-License-Identifier: BSD-2-Clause
// Keeps the page's files with exactly these bytes, and shows what rings.

// written by: make page-hashes
const FILES = {
	"/approval.js": "aHS9+1i9NQtNgZxC2Zrh54OfN8Tkya5UhrK1Xt01Ixw=",
	"/carrier.js": "G2kz+vBtF2jQSnCXDBqv2w9GvPC9U2FpH2D1Mlk1MbY=",
	"/enrolment-device.js": "VDst8rzuiygecUZlZIC+eQhevc4xX+lfjeci9BUpEAg=",
	"/enrolment-screens.js": "QOKcCtKv5aN/RBpdCd0MDiRasxQ/EVPRbbQ14p6GlRE=",
	"/enrolment.js": "mGH3Py+Gld5Uq1JaBwO9thpw1u9Nj9jQ8ILfku5Cjwo=",
	"/field.js": "cBgQVfOsXbV2yesdyZWwYL16vejYOiMvZtAFUoBtguk=",
	"/home-screen.js": "mmCQPduCpka0jyAks5PaiFFBZhOwkXkFJ/n1Nfxbk94=",
	"/home.js": "ZFqm2+MG3lpyO6lkL2DJNSevT+CANrjnO5toKMVZGII=",
	"/icon.svg": "IAirksA900hkYZbeSmhsEbOi02ic2qVnWrO1y94ndAU=",
	"/inbox.js": "WWuGmPrzwzDyqlF+Gv7pWdwpVIGIZTyhnUIhFiACfkI=",
	"/": "EwfG2EQHzUZGb6f0aTizpV8eOMHB+wA7x1IacaF1F6w=",
	"/install.js": "k4W57WqTqOVmKs/SooPouChO//G13BSUF+wCiDvkg9g=",
	"/main.js": "H1JjHPwCCvJhLFko73pudntPOs06EwU3zRkh+px4qVQ=",
	"/manifest.webmanifest": "q+S7OivvMMn3RedMEXuonua4xW05IkGmPq9IwGA/Ki0=",
	"/memory.js": "58xyb2i44oqoiyECCM0xOS+3oI4za3+UnDey1JGDoYk=",
	"/passkey.js": "z0jck8i68iQyHec4SFd8Dgw58thooc8RHApkiy4WV2g=",
	"/protocol.js": "hDKqz4KsyoCL85p104Ux6HL1dw3NfWQqWzEcaWT0838=",
	"/rare-words.js": "Z477xeCY8ArRrv/Le7NygIjCggeBZf4YTwws4Ys2X+0=",
	"/removal.js": "vNNBPqipUPgOm5TMvKGQ98VKsuJUw5n/7QA4/tnr1VE=",
	"/ring.js": "C3gx2Ql4SOnB+Pv3YUd/4kkMqjBBHOJkmysxryl6b74=",
	"/style.css": "I4WMdhX9CHmWnHvL45wgIjbrAkxYGqJX0lyOmo8+wEA=",
	"/trouble.js": "NdzKApTY22XiTIJzdjKN77831U4cin7iQvulIvLGx+U=",
	"/verdict.js": "HSDphNZp0q9+5vc0zQNTaVTFRudWxUiE6z68w7FCClE=",
	"/view.js": "Tn4hVEjx1S0XdrtpnZX5Nh5EC4tlaMIJKoPlwwlkKyo=",
	"/visit.js": "5uje9kKSB3SPNonF8w9xKmGv6mBYgWjZ1npIiN4HPlk=",
	"/words.js": "bAl7KflNkNZZw/dcyC5+GMZnGtULnZUkJm0WkQ6Esl8=",
};
/** What a question does not need is kept when it is first used. */
const LATER = /^\/(enrolment|field|home|inbox|install|rare|removal|ring|trouble|verdict)/;
// Where the service is, is the operator's: no hash, and always refreshed.
const SETTINGS = "/service.json";

const NAME = `countersign ${Object.values(FILES)}`;

async function take(cache, path) {
	const reply = await fetch(path, { cache: "no-cache",
		integrity: FILES[path] && `sha256-${FILES[path]}` });
	if (!reply.ok)
		throw new TypeError(path);
	await cache.put(path, reply.clone());
	return reply;
}

async function keep() {
	const cache = await caches.open(NAME);
	await Promise.all([SETTINGS, ...Object.keys(FILES)].map(async (path) =>
		(!LATER.test(path) || await caches.match(path)) && take(cache, path)));
	return self.skipWaiting();
}

async function forget() {
	for (const name of await caches.keys())
		if (name.startsWith("countersign") && name !== NAME)
			await caches.delete(name);
	return self.clients.claim();
}

async function reply(event, path) {
	const cache = await caches.open(NAME);
	const kept = await cache.match(path);
	if (kept && path !== SETTINGS)
		return kept;
	const fresh = take(cache, path);
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

const QUESTION = ["A question for you", {
	body: "Open it to see what is asked. If it is not you, deny.",
	requireInteraction: true }];
const NOTICE = ["Approved on another phone", {
	body: "If that was not you, tell the administrator.", silent: true }];

/** A link id; "": another phone approved. */
function linkOf(data) {
	try {
		return data.json().link;
	} catch {
		return null;
	}
}

self.addEventListener("push", (event) => {
	const link = linkOf(event.data), [title, how] = link === "" ? NOTICE : QUESTION;
	event.waitUntil(self.registration.showNotification(title, { ...how,
		tag: link || "countersign", icon: "/icon-192.png", data: link }));
});

async function open(wanted) {
	const [page] = await self.clients.matchAll(
		{ type: "window", includeUncontrolled: true });
	if (!page)
		return self.clients.openWindow(`/#/${wanted || ""}`);
	page.postMessage({ wanted });
	return page.focus();
}

self.addEventListener("notificationclick", (event) => {
	event.notification.close();
	event.waitUntil(open(event.notification.data));
});

/** The browser rings by another address now: the service has to know. */
async function follow({ oldSubscription, newSubscription }) {
	const { endpoint, keys } = (newSubscription ?? await self.registration
		.pushManager.subscribe(oldSubscription.options)).toJSON();
	const { service } = await (await caches.match(SETTINGS)).json();
	return fetch(`${service}/devices/self/push`, {
		method: "POST", credentials: "include",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ endpoint, ...keys }),
	});
}

self.addEventListener("pushsubscriptionchange", (event) =>
	event.waitUntil(follow(event)));
