// SPDX-License-Identifier: BSD-2-Clause
// The way out: this phone signs that it goes.

import { call, Refused, Unreachable } from "./carrier.js";
import { withStore } from "./memory.js";
import * as passkey from "./passkey.js";
import { challenge, idBytes, layout, toB64u } from "./protocol.js";
import * as view from "./view.js";
import { unsignedFor } from "./visit.js";
import { learn, person } from "./words.js";

learn({
	removal: (e) => ["Remove this phone?",
		`It can then no longer approve for ${person(e)}. If you have no other there, you need a recovery code or the administrator to get in.`],
	removed: (e) => ["Removed",
		`${e.host} forgets this phone before its next question. You can delete the passkey too.`],
	"not-removed": ["Not removed",
		"The service no longer knows this browser. Ask the administrator to revoke the device."],
});
export const answers = { keep: "Keep it", remove: "Remove this phone" };

/** What a phone signs to be removed, of an enrolment that it remembers. */
const bytesOf = ({ host, user, uid, device }) => new TextEncoder().encode(
	JSON.stringify({ v: 1, kind: "removal", host, user, uid, device }));

/** The signed note; not sealed, because there is no link. */
const note = (device, proof) => toB64u(layout(1, "remove",
	idBytes(device), proof.authenticatorData, proof.clientData,
	proof.signature));

async function sign(v, e) {
	const question = { bytes: bytesOf(e), credentials: [{ id: e.credential }] };
	return passkey.sign(question, await challenge(question, "remove"), v.left(),
		v.over.signal);
}

/** True when it is over; else back, with a sentence if nothing was signed. */
export async function remove(v, e) {
	if (await view.choose("removal", answers, e) === "keep")
		return "";
	view.busy("passkey");
	v.wait();
	try {
		const proof = await sign(v, e);
		view.busy("sending");
		await call("POST", "/devices/self/removal",
			{ proof: note(e.device, proof) }, v.over.signal);
	} catch (error) {
		if (error instanceof Refused && error.status !== 429) {
			view.message("not-removed");
			return true;
		}
		if (error instanceof TypeError)
			throw new Unreachable();
		return unsignedFor(error);
	}
	await withStore("readwrite", (store) => store.delete(e.device))
		.catch(() => {});
	if (!v.over.signal.aborted)
		view.message("removed", e);
	return true;
}
