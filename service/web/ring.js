// SPDX-License-Identifier: BSD-2-Clause
// Whether this phone rings: the browser's permission, its subscription, and the
// service that has to know of it.

import { call, Refused, sleep } from "./carrier.js";
import { toB64u } from "./protocol.js";

const SELF = "/devices/self/push";
/** Browsers without a way to their push service try for ever. */
const PATIENCE_MS = 15000;

const manager = async () => (await navigator.serviceWorker.ready).pushManager;

/** key: whose rings the browser is to take; the service learns where. */
async function subscribe(key, signal) {
	const late = sleep(PATIENCE_MS, signal).then(() => Promise.reject(new Error()));
	const { endpoint, keys } = (await Promise.race([late, (await manager())
		.subscribe({ userVisibleOnly: true, applicationServerKey: key })])).toJSON();
	await call("POST", SELF, { endpoint, ...keys }, signal);
}

const keyOf = ({ options }) =>
	toB64u(new Uint8Array(options.applicationServerKey));

/**
 * "on", "off", "blocked" by the browser, to "install" first, "unsupported", or
 * "silent": the service rings nobody.  What the browser has changed since the
 * last time the service is told.
 */
export async function state({ key, subscribed }, signal) {
	if (!key)
		return "silent";
	if (!("PushManager" in window && "Notification" in window))
		return navigator.standalone === false ? "install" : "unsupported";
	if (Notification.permission !== "granted")
		return Notification.permission === "denied" ? "blocked" : "off";
	const there = await (await manager()).getSubscription();
	if (there === null)
		return "off";
	// One that the service gave up, or that is for another key, is dead.
	if (!subscribed || keyOf(there) !== key)
		await there.unsubscribe();
	await subscribe(key, signal);
	return "on";
}

/** After a click: the state then, "failed" or "refused". */
export async function turnOn({ key }, signal) {
	const permission = await Notification.requestPermission();
	if (permission !== "granted")
		return permission === "denied" ? "blocked" : "off";
	try {
		await subscribe(key, signal);
		return "on";
	} catch (error) {
		return error instanceof Refused ? "refused" : "failed";
	}
}

/** The service first: what is not told it would still ring. */
export async function turnOff(signal) {
	await call("DELETE", SELF, undefined, signal);
	await (await (await manager()).getSubscription())?.unsubscribe();
	return "off";
}
