/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * courier: does one job of the library's at the approval service and ends.
 * lib/leash.h says how it is started, lib/frame.h what it reads and writes.
 *
 * It may be lied to by the network and is not believed by the library: it
 * holds no secret of the question, and what it says is a claim.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "host_api.h"
#include "http.h"
#include "question.h"
#include "sandbox.h"

enum { EXIT_USAGE = 2 };

/* The calls of one reply, and what becomes of it. */
struct errand {
	struct csign_channel *channel;
	struct csign_http *http;
	const struct csign_job *job;
	struct csign_why why;
};

/* Works on a call until it is done; false if the library has let go. */
static bool
complete(struct errand *e, struct csign_http_call *call)
{
	while (!csign_http_done(call)) {
		if (csign_http_turn(e->http, CSIGN_CHANNEL_FD, 1000) !=
		    CSIGN_OK)
			return false;
		csign_channel_hear(e->channel);
		if (e->channel->gone)
			return false;
	}
	return true;
}

static void
finish(struct errand *e, uint8_t trouble)
{
	const struct csign_frame done = {.type = CSIGN_FRAME_DONE};

	if (trouble == 0)
		csign_channel_send(e->channel, &done);
	else
		csign_channel_trouble(e->channel, trouble, e->why.text);
}

static uint8_t
ping(struct errand *e)
{
	struct csign_http_call *call = NULL;
	uint8_t trouble = CSIGN_TROUBLE_INTERNAL;

	if (csign_api_ping_begin(e->http, e->job->deadline_ms, &call) ==
		CSIGN_OK &&
	    complete(e, call))
		trouble = csign_api_ping_read(csign_http_reply(call), &e->why);
	csign_http_call_free(&call);
	return trouble;
}

/* The same, with what a check wants to know. */
static uint8_t
look(struct errand *e)
{
	struct csign_http_call *call = NULL;
	uint8_t trouble = CSIGN_TROUBLE_INTERNAL;
	unsigned char seen[CSIGN_API_LOOK_LEN];
	const struct csign_frame answer = {
	    .type = CSIGN_FRAME_ANSWER, .bytes = seen, .len = sizeof(seen)};

	if (csign_api_look_begin(e->http, e->job->deadline_ms, &call) ==
		CSIGN_OK &&
	    complete(e, call))
		trouble =
		    csign_api_look_read(csign_http_reply(call), &e->why, seen);
	if (trouble == 0)
		csign_channel_send(e->channel, &answer);
	csign_http_call_free(&call);
	return trouble;
}

/* The service knows users by an id of its own. */
static uint8_t
find_user(struct errand *e, char ret_id[CSIGN_API_ID_MAX + 1])
{
	struct csign_http_call *call = NULL;
	uint8_t trouble = CSIGN_TROUBLE_INTERNAL;

	if (csign_api_user_begin(e->http, e->job->subject, e->job->deadline_ms,
		&call) == CSIGN_OK &&
	    complete(e, call))
		trouble = csign_api_user_read(
		    csign_http_reply(call), &e->why, ret_id);
	csign_http_call_free(&call);
	return trouble;
}

/* The end of a call that was begun with r, and whose reply is 204. */
static uint8_t
await_done(struct errand *e, enum csign_err r, struct csign_http_call *call)
{
	uint8_t trouble = CSIGN_TROUBLE_INTERNAL;

	if (r == CSIGN_OK && complete(e, call))
		trouble = csign_api_done_read(csign_http_reply(call), &e->why);
	csign_http_call_free(&call);
	return trouble;
}

static uint8_t
rename_one(struct errand *e)
{
	struct csign_http_call *call = NULL;
	enum csign_err r;

	r = csign_api_rename_device_begin(e->http, e->job->subject,
	    (const char *)e->job->content, e->job->content_len,
	    e->job->deadline_ms, &call);
	return await_done(e, r, call);
}

static uint8_t
remove_one(struct errand *e)
{
	struct csign_http_call *call = NULL;
	char id[CSIGN_API_ID_MAX + 1];
	uint8_t trouble;
	enum csign_err r;

	if (e->job->op == CSIGN_OP_REMOVE_USER) {
		if ((trouble = find_user(e, id)) != 0)
			return trouble;
		r = csign_api_remove_user_begin(
		    e->http, id, e->job->deadline_ms, &call);
	} else {
		r = csign_api_remove_device_begin(
		    e->http, e->job->subject, e->job->deadline_ms, &call);
	}
	return await_done(e, r, call);
}

static uint8_t
fetch(struct errand *e)
{
	struct csign_http_call *call = NULL;
	uint8_t trouble = CSIGN_TROUBLE_INTERNAL;
	unsigned char file[CSIGN_API_FILE_LEN];
	const struct csign_frame answer = {
	    .type = CSIGN_FRAME_ANSWER, .bytes = file, .len = sizeof(file)};

	if (csign_api_file_begin(e->http, e->job->subject, e->job->deadline_ms,
		&call) == CSIGN_OK &&
	    complete(e, call))
		trouble =
		    csign_api_file_read(csign_http_reply(call), &e->why, file);
	if (trouble == 0)
		csign_channel_send(e->channel, &answer);
	csign_http_call_free(&call);
	return trouble;
}

static void
do_job(struct csign_channel *channel, struct csign_http *http,
    const struct csign_job *job)
{
	struct errand e = {.channel = channel, .http = http, .job = job};

	switch ((enum csign_op)job->op) {
	case CSIGN_OP_APPROVE:
	case CSIGN_OP_ENROL:
		csign_question_run(channel, http, job);
		break;
	case CSIGN_OP_PING:
		finish(&e, ping(&e));
		break;
	case CSIGN_OP_REMOVE_USER:
	case CSIGN_OP_REMOVE_DEVICE:
		finish(&e, remove_one(&e));
		break;
	case CSIGN_OP_RENAME_DEVICE:
		finish(&e, rename_one(&e));
		break;
	case CSIGN_OP_FETCH:
		finish(&e, fetch(&e));
		break;
	case CSIGN_OP_LOOK:
		finish(&e, look(&e));
		break;
	}
}

/* From here on, nothing but the way to this job's service. */
static enum csign_err
narrow(const struct csign_job *job, struct csign_why *why)
{
	struct csign_sandbox_needs needs;
	enum csign_err r;

	if ((r = csign_sandbox_needs(job, &needs)) != CSIGN_OK) {
		csign_why_set(why, "%s: not an address",
		    job->proxy[0] != '\0' ? job->proxy : job->service);
		return r;
	}
	return csign_sandbox_narrow(&needs, why);
}

static bool
is_started_by_library(void)
{
	socklen_t len = sizeof(int);
	int type = 0;

	return getsockopt(CSIGN_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &len) ==
		   0 &&
	       type == SOCK_SEQPACKET;
}

int
main(void)
{
	static const char usage[] =
	    "courier: started by libcountersign, not by people\n";
	struct csign_channel channel = {0};
	struct csign_http_config config;
	struct csign_buf *store = NULL;
	struct csign_http *http = NULL;
	struct csign_why why = {""};
	struct csign_job job;

	if (!is_started_by_library()) {
		if (write(STDERR_FILENO, usage, sizeof(usage) - 1) < 0)
			return EXIT_FAILURE;
		return EXIT_USAGE;
	}
	if (csign_sandbox_enter(&why) != CSIGN_OK) {
		csign_channel_trouble(
		    &channel, CSIGN_TROUBLE_INTERNAL, why.text);
		return EXIT_FAILURE;
	}
	if (csign_http_global() != CSIGN_OK) {
		csign_channel_trouble(&channel, CSIGN_TROUBLE_INTERNAL,
		    "the courier's libraries did not start");
		return EXIT_FAILURE;
	}
	if (csign_channel_job(&store, &job) != CSIGN_OK)
		return EXIT_FAILURE;
	config = (struct csign_http_config){
	    .origin = job.service,
	    .socket = job.socket,
	    .ca_file = job.ca_file,
	    .pins = job.pins,
	    .proxy = job.proxy,
	    .bearer = job.access_key,
	};
	if (csign_http_new(&config, &why, &http) == CSIGN_OK &&
	    narrow(&job, &why) == CSIGN_OK)
		do_job(&channel, http, &job);
	else
		csign_channel_trouble(
		    &channel, CSIGN_TROUBLE_INTERNAL, why.text);
	csign_http_free(&http);
	csign_buf_free(&store);
	return EXIT_SUCCESS;
}
