/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a phone calls about itself, once it has enrolled a device:
 * countersign-protocol(7), section PHONE API.
 */
#include "config.h"

#include <string.h>

#include "answer.h"
#include "api.h"
#include "codec.h"
#include "log.h"
#include "reply.h"

static void
put_device(void *arg, const struct authenticator *auth)
{
	struct reply *reply = arg;

	reply_open(reply, NULL, "{");
	reply_str(reply, "deviceId", auth->device_id);
	reply_str(reply, "name", auth->name);
	reply_str(reply, "username", auth->username);
	reply_time(reply, "createdAt", auth->created);
	if (auth->removed)
		reply_true(reply, "removed");
	reply_close(reply, "}");
}

static void
own_devices(struct call *call)
{
	struct reply reply;
	enum csign_err r;

	reply_begin(&reply, call->service->out);
	reply_open(&reply, "devices", "[");
	r = store_authenticator_of_cookie(
	    call->service->store, call->cookie_hash, put_device, &reply);
	reply_close(&reply, "]");
	if (r == CSIGN_OK)
		reply_send(&reply, call->conn, 200, NULL);
	else
		call_fail(call, r);
}

/*
 * A note that the device signed for its host.  Only the host can tell whether
 * it is good; what can not be one is not kept.
 */
static bool
read_note(struct call *call, const char **ret_proof, struct csign_answer *note)
{
	unsigned char *room = call->service->room;
	size_t len = 0;

	if (!call_sealed(call, "proof", 1, CSIGN_REMOVAL_MAX, ret_proof))
		return false;
	if (csign_b64u_decode(*ret_proof, strlen(*ret_proof), room,
		CSIGN_REMOVAL_MAX, &len) == CSIGN_OK &&
	    csign_answer_read(room, len, false, note) == CSIGN_OK &&
	    strcmp(note->choice, "remove") == 0 && note->signature_len > 0)
		return true;
	call_bad_member(call, "proof", "an answer with the choice remove");
	return false;
}

static void
ask_removal(struct call *call)
{
	struct csign_answer note;
	struct reply reply;
	const char *proof;
	enum csign_err r;

	if (!read_note(call, &proof, &note))
		return;
	r = store_removal_put(call->service->store, call->cookie_hash,
	    note.device, proof, call_now());
	if (r == CSIGN_E_NOT_FOUND) {
		call_no_device(call);
		return;
	}
	if (r != CSIGN_OK) {
		call_fail(call, r);
		return;
	}
	log_event(
	    CSIGN_LOG_NOTICE, "removal_asked", "authenticator", note.device);
	reply_begin(&reply, call->service->out);
	reply_str(&reply, "deviceId", note.device);
	reply_send(&reply, call->conn, 202, NULL);
}

const struct route device_routes[] = {
    {"/devices/self", HTTP_GET, SIDE_DEVICE, 0, false, own_devices},
    {"/devices/self/removal", HTTP_POST, SIDE_DEVICE, 0, false, ask_removal},
    {NULL, 0, SIDE_OPEN, 0, false, NULL},
};
