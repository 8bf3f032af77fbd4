// SPDX-License-Identifier: BSD-2-Clause
// An enrolment: a new device, the comparison of its id, and one test question.

import { approval } from "./approval.js";
import { call, load, Refused } from "./carrier.js";
import * as device from "./enrolment-device.js";
import * as screens from "./enrolment-screens.js";
import { withStore } from "./memory.js";
import { challenge, idText, sealDecline } from "./protocol.js";
import { busy, message, offer } from "./view.js";
import { GRACE_S, isClosed, unsignedFor } from "./visit.js";

async function ended(v, t, end) {
	await load("rare-words");
	return v.end(t, end, { DECLINED: "enrol-declined",
		DENIED: "not-enrolled", other: "enrol-refused" });
}

async function say(...what) {
	await load("rare-words");
	return message(...what);
}

const phoneName = () => navigator.userAgent.match(
	/iPhone|iPad|Android|Mac|Windows|CrOS|Linux/)?.[0] ?? "Phone";

/** {made}: null if the person wants none; or {event}. */
async function newDevice(v, question) {
	const shown = { left: v.left, name: phoneName() };
	for (;;) {
		const said = await v.answerOrEvent(screens.enrolment(question.t, shown),
			isClosed);
		if (said === null)
			return { made: null };
		if (said.event)
			return said;
		const name = shown.name = device.clip(said.name, 64);
		busy("creating");
		try {
			const made = await device.create(question,
				await challenge(question, "enroll"), v.left(), v.over.signal);
			return { made: { ...made, name } };
		} catch (error) {
			shown.notice = await unsignedFor(error);
		}
	}
}

async function claim(v, id, name) {
	try {
		await v.carrier.call("POST", "/device",
			{ body: { deviceId: idText(id), name } });
	} catch (error) {
		if (!(error instanceof Refused))
			throw error;
		if (error.status === 409 && error.attempts === 1)
			screens.compare(device.idShown(id),
				(await load("rare-words")).claimedElsewhere);
	}
}

/** To "ring" if it is to. */
async function enrolled(v, t, remembered) {
	message("enrolled", t, remembered);
	const { push } = await call("GET", "/devices/self", undefined,
		v.over.signal).catch(() => ({}));
	if (remembered && push?.key && !push.subscribed)
		return new Promise((resolve) => offer(screens.ring, () => {
			// Some browsers want that in the very click.
			window.Notification?.requestPermission();
			resolve("ring");
		}));
}

async function testOf(v, t, remembered) {
	busy("test-coming");
	v.follow(await v.link.test(), v.door);
	let found;
	try {
		found = await v.carrier.call("GET", "", { worth: 404 });
	} catch (error) {
		if (error instanceof Refused)
			return say("test-missing");
		throw error;
	}
	const test = await v.take(found, "approval");
	const end = await approval(v, test, { hint: screens.testNote });
	return end.event?.state === "granted" && end.given !== null
		? enrolled(v, t, remembered) : v.end(test.t, end);
}

export async function enrolment(v, question) {
	const { t } = question;
	const { made, event } = await newDevice(v, question);
	if (event)
		return ended(v, t, { event });
	busy("sending");
	if (made === null) {
		await v.send(await sealDecline(v.link), "deny");
		return say("enrol-declined", t);
	}
	const id = await device.deviceId(made.point);
	const { privateKey, point } = await device.newSealKey();
	const sealed = await device.sealEnrolment(v.link, made, point, made.name);
	if (!await v.send(sealed, "enroll"))
		return say("overtaken");
	screens.compare(device.idShown(id));
	await claim(v, id, made.name);
	const end = await v.first(isClosed, GRACE_S);
	if (end.event?.state !== "granted")
		return ended(v, t, end);
	const remembered = await withStore("readwrite", (store) => store.put({
		device: idText(id), credential: made.id, host: t.host, user: t.user,
		uid: t.uid, name: made.name, since: t.created,
		sealKey: privateKey, sealPoint: point,
	})).then(() => true, () => false);
	v.recall();
	return testOf(v, t, remembered);
}
