/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "agent/caller.h"
#include "cmd.h"
#include "process.h"
#include "question.h"

static uint32_t
approval_left(const void *object)
{
	return csign_approval_seconds_left(object);
}

static enum csign_err
approval_look(void *object)
{
	uint32_t verdict = CSIGN_VERDICT_NONE;
	enum csign_err err = csign_approval_wait(object, 0, &verdict);

	if (err == CSIGN_OK && verdict != CSIGN_VERDICT_GRANTED)
		return CSIGN_E_DENIED;
	return err;
}

enum csign_err
question_wait(
    struct csign_approval *approval, const struct ask_style *style, int stop_fd)
{
	const struct ask ask = {.object = approval,
	    .link = csign_approval_link(approval),
	    .code = csign_approval_code(approval),
	    .note = csign_approval_push_note(approval),
	    .rings = csign_approval_rings(approval),
	    .fd = csign_approval_fd(approval),
	    .seconds_left = approval_left,
	    .look = approval_look};

	return ask_phone(&ask, style, stop_fd);
}

enum out_status
question_open(struct question *q, const struct args *args, const char *user)
{
	char by[COMMON_BY_SIZE];
	enum csign_err err;

	*q = (struct question){.stop_fd = -1};
	if ((err = common_context(args, &q->ctx)) != CSIGN_OK)
		return out_status(err);
	if (!ask_style(args, q->ctx, &q->style))
		return STATUS_USAGE;
	common_by(by);
	if ((err = csign_request_new(&q->req)) != CSIGN_OK ||
	    (err = csign_request_set(q->req, CSIGN_REQ_USER, user)) !=
		CSIGN_OK ||
	    (err = csign_request_set(q->req, CSIGN_REQ_BY, by)) != CSIGN_OK) {
		out_error("%s", csign_err_text(err));
		return out_status(err);
	}
	return STATUS_YES;
}

void
question_close(struct question *q)
{
	csign_approval_free(&q->approval); /* cancels what is still open */
	csign_request_free(&q->req);
	csign_devices_free(&q->consenting);
	csign_ctx_free(&q->ctx);
}

bool
question_stoppable(struct question *q)
{
	if (q->stop_fd != -1 || process_stop_fd(&q->stop_fd))
		return true;
	out_error("no handler for signals: %m");
	return false;
}

static enum csign_err
begin(struct question *q)
{
	if (!question_stoppable(q))
		return CSIGN_E_SYSTEM;
	return csign_approval_begin(q->ctx, q->req, &q->approval);
}

enum csign_err
question_put(struct question *q)
{
	enum csign_err err = begin(q);

	if (err != CSIGN_OK)
		return err;
	return question_wait(q->approval, &q->style, q->stop_fd);
}

static enum csign_err
set_consent(
    struct question *q, const char *title, const char *label, const char *value)
{
	const char *host = csign_ctx_setting(q->ctx, "host");
	char whole[512];
	enum csign_err err;

	(void)snprintf(whole, sizeof whole, "%s on %s", title,
	    host == NULL ? "this host" : host);
	if ((err = csign_request_set(q->req, CSIGN_REQ_USER, caller_name())) !=
		CSIGN_OK ||
	    (err = csign_request_set(
		 q->req, CSIGN_REQ_SERVICE, "countersign")) != CSIGN_OK ||
	    (err = csign_request_set(q->req, CSIGN_REQ_TITLE, whole)) !=
		CSIGN_OK)
		return err;
	return label == NULL ? CSIGN_OK
			     : csign_request_add_detail(q->req, label, value);
}

enum out_status
question_consent(
    struct question *q, const char *title, const char *label, const char *value)
{
	enum csign_err err;

	if (caller_name() == NULL)
		return STATUS_YES;
	err = csign_devices_load(q->ctx, caller_name(), &q->consenting);
	if (err != CSIGN_OK)
		return common_fail(q->ctx, err);
	if ((err = set_consent(q, title, label, value)) != CSIGN_OK) {
		out_error("%s", csign_err_text(err));
		return out_status(err);
	}
	if ((err = begin(q)) == CSIGN_OK) {
		(void)fprintf(q->style.to,
		    "First a question for a device of %s that is enrolled "
		    "already:\n",
		    caller_name());
		err = question_wait(q->approval, &q->style, q->stop_fd);
	}
	if (err != CSIGN_OK) {
		out_error("not approved; nothing was changed");
		return common_fail(q->ctx, err);
	}
	(void)fprintf(q->style.to, "Approved by %s.\n",
	    csign_approval_device(q->approval));
	(void)fflush(q->style.to);
	csign_approval_free(&q->approval);
	return question_stands(q);
}

static bool
has(const struct csign_devices *devices, const char *id)
{
	const struct csign_device_info *device;

	for (size_t i = 0; (device = csign_devices_get(devices, i)) != NULL;
	     i++)
		if (strcmp(device->id, id) == 0)
			return true;
	return false;
}

enum out_status
question_stands(struct question *q)
{
	const struct csign_device_info *device;
	struct csign_devices *now = NULL;
	bool all = true;

	if (q->consenting == NULL)
		return STATUS_YES;
	/* None, or none that can be read: then none is left. */
	(void)!csign_devices_load(q->ctx, caller_name(), &now);
	for (size_t i = 0;
	     (device = csign_devices_get(q->consenting, i)) != NULL; i++)
		all = all && has(now, device->id);
	csign_devices_free(&now);
	if (all)
		return STATUS_YES;
	out_error("a device of %s was revoked meanwhile; nothing was changed",
	    caller_name());
	return STATUS_NO;
}

/* Members "rings" and "pushNote"; a question that was not put rings nobody. */
static void
add_rings(struct json_object *o, const struct csign_approval *approval)
{
	const char *note = "";
	int rings = -1;

	if (approval != NULL) {
		note = csign_approval_push_note(approval);
		rings = csign_approval_rings(approval);
	}
	(void)out_json_add(
	    o, "rings", rings < 0 ? NULL : json_object_new_int(rings));
	(void)out_json_str(o, "pushNote", note[0] == '\0' ? NULL : note);
}

struct json_object *
question_json(const struct question *q, const char *user, enum csign_err err)
{
	struct json_object *o = json_object_new_object();

	(void)out_json_str(o, "user", user);
	(void)out_json_bool(o, "granted", err == CSIGN_OK);
	(void)out_json_str(o, "deviceName",
	    err == CSIGN_OK ? csign_approval_device(q->approval) : NULL);
	(void)out_json_str(o, "reason", csign_err_name(err));
	add_rings(o, q->approval);
	return o;
}
