/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "reply.h"
#include "text.h"

#define TYPE_JSON "application/json"

/* True if the step may go on: nothing has failed so far. */
static bool
step(struct reply *reply, enum csign_err err)
{
	if (reply->err == CSIGN_OK)
		reply->err = err;
	return reply->err == CSIGN_OK;
}

static bool
put(struct reply *reply, const char *text)
{
	return reply->err == CSIGN_OK &&
	       step(reply, csign_buf_put_str(reply->buf, text));
}

/* A comma where one is due, and the name. */
static bool
put_name(struct reply *reply, const char *name)
{
	bool ok = put(reply, reply->comma ? "," : "");

	reply->comma = true;
	if (!ok || name == NULL)
		return ok;
	return step(reply, csign_buf_putf(reply->buf, "\"%s\":", name));
}

void
reply_begin_bare(struct reply *reply, struct csign_buf *buf)
{
	memset(reply, 0, sizeof *reply);
	reply->buf = buf;
	csign_buf_clear(buf);
}

void
reply_begin(struct reply *reply, struct csign_buf *buf)
{
	reply_begin_bare(reply, buf);
	put(reply, "{");
}

void
reply_str(struct reply *reply, const char *name, const char *value)
{
	if (put_name(reply, name))
		step(reply, csign_text_json(reply->buf, value, strlen(value)));
}

void
reply_int(struct reply *reply, const char *name, int64_t value)
{
	if (put_name(reply, name))
		step(reply, csign_buf_putf(reply->buf, "%" PRId64, value));
}

void
reply_bool(struct reply *reply, const char *name, bool value)
{
	if (put_name(reply, name))
		put(reply, value ? "true" : "false");
}

void
reply_time(struct reply *reply, const char *name, uint64_t ms)
{
	char text[CSIGN_TIME_SIZE];

	if (step(reply, csign_time_format(ms / 1000, text)))
		reply_str(reply, name, text);
}

void
reply_sealed(struct reply *reply, const char *name, struct store *store,
    int64_t id,
    enum csign_err (*append)(
	struct store *store, int64_t id, struct csign_buf *out))
{
	if (put_name(reply, name) && put(reply, "\"") &&
	    step(reply, append(store, id, reply->buf)))
		put(reply, "\"");
}

void
reply_open(struct reply *reply, const char *name, const char *open)
{
	if (put_name(reply, name))
		put(reply, open);
	reply->comma = false;
}

void
reply_close(struct reply *reply, const char *close)
{
	put(reply, close);
	reply->comma = true;
}

void
reply_authenticator(void *arg, const struct authenticator *auth)
{
	struct reply *reply = arg;

	reply_open(reply, NULL, "{");
	reply_str(reply, "authenticatorId", auth->device_id);
	reply_str(reply, "name", auth->name);
	reply_time(reply, "createdAt", auth->created);
	if (auth->removed)
		reply_bool(reply, "removed", true);
	if (auth->rings)
		reply_bool(reply, "push", true);
	reply_close(reply, "}");
}

void
reply_send(struct reply *reply, struct http_conn *conn, unsigned status,
    const char *extra)
{
	struct http_reply http = {
	    .status = status, .type = TYPE_JSON, .extra = extra};

	if (!put(reply, "}")) {
		log_event(CSIGN_LOG_ERR, "reply_failed", "reason",
		    csign_err_name(reply->err));
		reply_error(conn, 503, "unavailable",
		    "The service has trouble of its own", NULL);
		return;
	}
	http.body = csign_buf_data(reply->buf);
	http.body_len = csign_buf_len(reply->buf);
	http_reply(conn, &http);
}

void
reply_nothing(struct http_conn *conn)
{
	struct http_reply http = {.status = 204};

	http_reply(conn, &http);
}

void
reply_error(struct http_conn *conn, unsigned status, const char *error,
    const char *message, const char *extra)
{
	struct http_reply http = {
	    .status = status, .type = TYPE_JSON, .extra = extra};
	char body[512];
	int n;

	/* Texts from this program alone: nothing in them needs escaping. */
	n = snprintf(body, sizeof body,
	    "{\"error\":\"%s\",\"message\":\"%s\",\"status\":%u}", error,
	    message, status);
	if (n > 0 && (size_t)n < sizeof body) {
		http.body = body;
		http.body_len = (size_t)n;
	}
	http_reply(conn, &http);
}
