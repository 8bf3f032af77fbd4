/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../out.h"
#include "../process.h"
#include "codec.h"
#include "courier/http.h"
#include "json.h"
#include "question.h"
#include "service.h"
#include "store.h"

#define REQUEST_TIMEOUT_MS 10000
#define TURN_MS 1000
#define PATH_SIZE 128
#define MESSAGE_MAX 512

struct service {
	struct csign_http *http;
	char link_id[CSIGN_LINK_ID_SIZE];
	int stop_fd;
	/* sent where it is not empty; the service may set another one */
	char cookie[STORE_COOKIE_SIZE];
};

enum csign_err
service_new(const char *origin, const char *ca_file, const char *link_id,
    int stop_fd, struct csign_why *why, struct service **ret_service)
{
	const struct csign_http_config config = {
	    .origin = origin, .ca_file = ca_file};
	struct service *service = calloc(1, sizeof *service);
	enum csign_err r;

	if (service == NULL)
		return CSIGN_E_NOMEM;
	service->stop_fd = stop_fd;
	(void)snprintf(service->link_id, sizeof service->link_id, "%s",
	    link_id != NULL ? link_id : "");
	if ((r = csign_http_new(&config, why, &service->http)) != CSIGN_OK)
		service_free(&service);
	else
		*ret_service = service;
	return r;
}

void
service_free(struct service **service)
{
	if (*service == NULL)
		return;
	csign_http_free(&(*service)->http);
	free(*service);
	*service = NULL;
}

/* --- one request -----------------------------------------------------------
 */

/* The service's own sentence on why it refuses. */
static void
keep_message(const struct csign_http_reply *reply, struct csign_why *why)
{
	struct json_object *o = NULL;
	const char *text = NULL;
	char *safe = NULL;

	if (reply->type == CSIGN_HTTP_TYPE_JSON &&
	    csign_json_parse(reply->body, reply->body_len, &o) == CSIGN_OK)
		text = csign_json_str(o, "message", MESSAGE_MAX);
	if (text != NULL && (safe = question_safe(text)) != NULL)
		csign_why_set(why, "the service refuses: %s", safe);
	else
		csign_why_set(why, "the service refuses that");
	free(safe);
	json_object_put(o);
}

/* What the status of a reply means for all calls alike. */
static enum csign_err
check_status(const struct csign_http_reply *reply, int want,
    enum csign_http_type type, struct csign_why *why)
{
	if (reply->trouble == 0 && reply->status != want) {
		switch (reply->status) {
		case 404:
			return CSIGN_E_NOT_FOUND;
		case 409:
			return CSIGN_E_EXISTS;
		case 410:
			return CSIGN_E_EXPIRED;
		case 422:
			keep_message(reply, why);
			return CSIGN_E_INVALID;
		default:
			break;
		}
	}
	switch (csign_http_expect(reply, want, type, why)) {
	case 0:
		return CSIGN_OK;
	case CSIGN_TROUBLE_FORBIDDEN:
		return CSIGN_E_SERVICE_REFUSED;
	default:
		return CSIGN_E_SERVICE;
	}
}

/* One that does not fit is none: the service is not that of this project. */
static void
keep_cookie(struct service *service, const struct csign_http_call *call)
{
	char cookie[STORE_COOKIE_SIZE];

	if (csign_http_cookie(call, cookie, sizeof cookie) == CSIGN_OK)
		memcpy(service->cookie, cookie, sizeof cookie);
}

/*
 * One exchange; *ret_object, NULL if type is not JSON, is the caller's.  body
 * is taken over.
 */
static enum csign_err
call_service(struct service *service, enum csign_http_method method,
    const char *path, struct json_object *body, uint32_t timeout_ms, int want,
    struct csign_why *why, struct json_object **ret_object)
{
	const enum csign_http_type type =
	    ret_object != NULL ? CSIGN_HTTP_TYPE_JSON : CSIGN_HTTP_TYPE_NONE;
	struct csign_http_request request = {.method = method,
	    .path = path,
	    .cookie = service->cookie,
	    .timeout_ms = timeout_ms};
	const struct csign_http_reply *reply;
	struct csign_http_call *call = NULL;
	enum csign_err r;

	if (body != NULL) {
		request.json = json_object_to_json_string_ext(body,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		request.json_len = strlen(request.json);
	}
	r = csign_http_begin(service->http, &request, &call);
	while (r == CSIGN_OK && !csign_http_done(call)) {
		r = csign_http_turn(service->http, service->stop_fd, TURN_MS);
		if (r == CSIGN_OK &&
		    process_wait(-1, service->stop_fd, 0) == WAIT_STOPPED)
			r = CSIGN_E_INTERRUPTED;
	}
	if (r == CSIGN_OK) {
		reply = csign_http_reply(call);
		keep_cookie(service, call);
		r = check_status(reply, want, type, why);
		if (r == CSIGN_OK && ret_object != NULL &&
		    csign_json_parse(
			reply->body, reply->body_len, ret_object) != CSIGN_OK) {
			csign_why_set(why, "the service's reply is malformed");
			r = CSIGN_E_SERVICE;
		}
	}
	csign_http_call_free(&call);
	json_object_put(body);
	return r;
}

static enum csign_err
exchange(struct service *service, const char *path, struct json_object *body,
    uint32_t timeout_ms, int want, struct csign_why *why,
    struct json_object **ret_object)
{
	return call_service(service,
	    body == NULL ? CSIGN_HTTP_GET : CSIGN_HTTP_POST, path, body,
	    timeout_ms, want, why, ret_object);
}

static void
link_path(const struct service *service, const char *rest, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "/links/%s%s", service->link_id, rest);
}

static enum csign_err
bad_reply(struct csign_why *why)
{
	csign_why_set(why, "the service's reply is not as it should be");
	return CSIGN_E_SERVICE;
}

/* --- the calls -------------------------------------------------------------
 */

static enum csign_err
decode_content(
    struct json_object *o, struct csign_why *why, struct csign_buf **ret_sealed)
{
	const char *text =
	    csign_json_str(o, "content", CSIGN_B64U_LEN(CSIGN_CONTENT_MAX));
	struct csign_buf *sealed = NULL;
	unsigned char *bytes = NULL;
	enum csign_err r = CSIGN_E_NOMEM;
	size_t len = 0;

	if (text == NULL)
		return bad_reply(why);
	if ((bytes = malloc(CSIGN_CONTENT_MAX)) == NULL)
		goto out;
	if (csign_b64u_decode(text, strlen(text), bytes, CSIGN_CONTENT_MAX,
		&len) != CSIGN_OK) {
		r = bad_reply(why);
		goto out;
	}
	if ((r = csign_buf_new(CSIGN_CONTENT_MAX, &sealed)) != CSIGN_OK ||
	    (r = csign_buf_put(sealed, bytes, len)) != CSIGN_OK)
		goto out;
	*ret_sealed = sealed;
	sealed = NULL;
out:
	csign_buf_free(&sealed);
	free(bytes);
	return r;
}

enum csign_err
service_fetch(struct service *service, struct csign_why *why,
    struct csign_buf **ret_sealed, uint32_t *ret_seconds_left)
{
	struct json_object *o = NULL;
	char path[PATH_SIZE];
	enum csign_err r;
	int64_t left = 0;

	link_path(service, "", path);
	r = exchange(service, path, NULL, REQUEST_TIMEOUT_MS, 200, why, &o);
	if (r != CSIGN_OK)
		return r;
	if (!csign_json_int(
		o, "secondsLeft", 0, CSIGN_ENROL_LIFETIME_MAX, &left))
		r = bad_reply(why);
	else
		r = decode_content(o, why, ret_sealed);
	json_object_put(o);
	if (r == CSIGN_OK)
		*ret_seconds_left = (uint32_t)left;
	return r;
}

void
service_seen(struct service *service)
{
	char path[PATH_SIZE];

	link_path(service, "/seen", path);
	(void)!exchange(service, path, json_object_new_object(),
	    REQUEST_TIMEOUT_MS, 204, NULL, NULL);
}

enum csign_err
service_device(struct service *service, const char *device_id, const char *name,
    struct csign_why *why, char *ret_cookie, size_t cookie_size)
{
	struct json_object *body = json_object_new_object(), *o = NULL;
	char path[PATH_SIZE];
	enum csign_err r;

	if (!out_json_str(body, "deviceId", device_id) ||
	    !out_json_str(body, "name", name)) {
		json_object_put(body);
		return CSIGN_E_NOMEM;
	}
	link_path(service, "/device", path);
	r = exchange(service, path, body, REQUEST_TIMEOUT_MS, 201, why, &o);
	json_object_put(o);
	if (r == CSIGN_OK)
		(void)snprintf(ret_cookie, cookie_size, "%s", service->cookie);
	return r;
}

/* A member with bytes in b64u. */
static bool
put_bytes(
    struct json_object *o, const char *name, const struct csign_buf *bytes)
{
	const size_t size = CSIGN_B64U_LEN(csign_buf_len(bytes)) + 1;
	char *text = malloc(size);
	bool ok;

	ok = text != NULL &&
	     csign_b64u_encode(csign_buf_data(bytes), csign_buf_len(bytes),
		 text, size) == CSIGN_OK &&
	     out_json_str(o, name, text);
	free(text);
	return ok;
}

/* From now on the service knows the phone. */
static void
service_login(struct service *service, const char *cookie)
{
	(void)snprintf(service->cookie, sizeof service->cookie, "%s", cookie);
}

enum csign_err
service_removal(struct service *service, const char *cookie,
    const struct csign_buf *note, struct csign_why *why)
{
	struct json_object *body = json_object_new_object(), *o = NULL;
	enum csign_err r;

	if (!put_bytes(body, "proof", note)) {
		json_object_put(body);
		return CSIGN_E_NOMEM;
	}
	service_login(service, cookie);
	r = exchange(service, "/devices/self/removal", body, REQUEST_TIMEOUT_MS,
	    202, why, &o);
	json_object_put(o);
	return r;
}

enum csign_err
service_push(struct service *service, const char *cookie, const char *endpoint,
    struct csign_why *why)
{
	struct json_object *body = NULL;

	service_login(service, cookie);
	if (endpoint != NULL) {
		body = json_object_new_object();
		if (!out_json_str(body, "endpoint", endpoint)) {
			json_object_put(body);
			return CSIGN_E_NOMEM;
		}
	}
	return call_service(service,
	    endpoint != NULL ? CSIGN_HTTP_POST : CSIGN_HTTP_DELETE,
	    "/devices/self/push", body, REQUEST_TIMEOUT_MS, 204, why, NULL);
}

enum csign_err
service_answer(struct service *service, const struct csign_buf *sealed,
    const char *hint, struct csign_why *why, uint32_t *ret_sequence)
{
	char path[PATH_SIZE];
	struct json_object *body = json_object_new_object(), *o = NULL;
	enum csign_err r;
	int64_t sequence = 0;

	if (!put_bytes(body, "answer", sealed) ||
	    !out_json_str(body, "hint", hint)) {
		json_object_put(body);
		return CSIGN_E_NOMEM;
	}
	link_path(service, "/answer", path);
	r = exchange(service, path, body, REQUEST_TIMEOUT_MS, 202, why, &o);
	if (r == CSIGN_OK &&
	    !csign_json_int(o, "sequence", 0, UINT32_MAX, &sequence))
		r = bad_reply(why);
	json_object_put(o);
	if (r == CSIGN_OK)
		*ret_sequence = (uint32_t)sequence;
	return r;
}

static bool
read_event(struct json_object *o, struct service_event *event)
{
	static const char *const states[] = {[SERVICE_PENDING] = "pending",
	    [SERVICE_SEEN] = "seen",
	    [SERVICE_ANSWERED] = "answered",
	    [SERVICE_GRANTED] = "granted",
	    [SERVICE_DENIED] = "denied",
	    [SERVICE_EXPIRED] = "expired",
	    [SERVICE_CANCELLED] = "cancelled"};
	const size_t n = sizeof states / sizeof states[0];
	const char *state = csign_json_str(o, "state", 32);
	const char *reason =
	    csign_json_str(o, "reason", sizeof event->reason - 1);
	int64_t sequence = 0, tries = 0;
	size_t i;

	for (i = 0; state != NULL && i < n; i++)
		if (strcmp(state, states[i]) == 0)
			break;
	if (state == NULL || i == n ||
	    !csign_json_int(o, "sequence", 0, UINT32_MAX, &sequence))
		return false;
	(void)csign_json_int(o, "triesLeft", 0, CSIGN_ANSWERS_MAX, &tries);
	*event = (struct service_event){.state = (enum service_state)i,
	    .sequence = (uint32_t)sequence,
	    .tries_left = (uint32_t)tries};
	(void)snprintf(event->reason, sizeof event->reason, "%s",
	    reason != NULL ? reason : "");
	return true;
}

enum csign_err
service_event(struct service *service, uint32_t after, uint32_t wait,
    struct csign_why *why, struct service_event *ret_event)
{
	struct service_event event;
	struct json_object *o = NULL;
	char path[PATH_SIZE], rest[64];
	enum csign_err r;

	(void)snprintf(
	    rest, sizeof rest, "/events?wait=%u&after=%u", wait, after);
	link_path(service, rest, path);
	r = exchange(service, path, NULL, wait * 1000 + REQUEST_TIMEOUT_MS, 200,
	    why, &o);
	if (r != CSIGN_OK)
		return r;
	if (!read_event(o, &event))
		r = bad_reply(why);
	else if (event.sequence <= after)
		r = CSIGN_E_AGAIN;
	json_object_put(o);
	if (r == CSIGN_OK)
		*ret_event = event;
	return r;
}
