/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "crypto.h"
#include "host_api.h"
#include "json.h"
#include "text.h"

#define API_REQUEST_MAX 16384
#define API_PATH_MAX 2048
#define API_SEQUENCE_MAX INT32_MAX
/* Of the reply to a creation: two ids, and notes of the greatest size. */
#define API_CREATED_MAX                                                        \
	(CSIGN_HTTP_BODY_MAX +                                                 \
	    CSIGN_REMOVALS_MAX * (CSIGN_B64U_LEN(CSIGN_REMOVAL_MAX) + 128))

/* --- requests --- */

/* body_max: of the reply; 0 for the usual. */
static enum csign_err
begin_sized(struct csign_http *http, enum csign_http_method method,
    const char *path, const struct csign_buf *json, size_t body_max,
    uint32_t timeout_ms, struct csign_http_call **ret_call)
{
	const struct csign_http_request request = {
	    .method = method,
	    .path = path,
	    .json = json != NULL ? csign_buf_str(json) : NULL,
	    .json_len = json != NULL ? csign_buf_len(json) : 0,
	    .timeout_ms = timeout_ms,
	    .body_max = body_max,
	};

	return csign_http_begin(http, &request, ret_call);
}

static enum csign_err
begin(struct csign_http *http, enum csign_http_method method, const char *path,
    const struct csign_buf *json, uint32_t timeout_ms,
    struct csign_http_call **ret_call)
{
	return begin_sized(http, method, path, json, 0, timeout_ms, ret_call);
}

/* "name": and a string from outside, which must be UTF-8. */
static enum csign_err
put_text(
    struct csign_buf *json, const char *name, const char *value, size_t len)
{
	enum csign_err r;

	if (!csign_utf8_valid(value, len))
		return CSIGN_E_INVALID;
	if ((r = csign_buf_putf(json, "\"%s\":", name)) != CSIGN_OK)
		return r;
	return csign_text_json(json, value, len);
}

static enum csign_err
put_string(struct csign_buf *json, const char *name, const char *value)
{
	return put_text(json, name, value, strlen(value));
}

static enum csign_err
put_content(struct csign_buf *json, const struct csign_job *job)
{
	const size_t size = CSIGN_B64U_LEN(job->content_len) + 1;
	char *text = malloc(size);
	enum csign_err r = CSIGN_E_NOMEM;

	if (text != NULL && (r = csign_b64u_encode(job->content,
				 job->content_len, text, size)) == CSIGN_OK)
		r = csign_buf_putf(json, ",\"content\":\"%s\",\"lifetime\":%u}",
		    text, (unsigned int)job->lifetime);
	free(text);
	return r;
}

/* "4hx2k7q3m5rj6wza":"<S, sealed to it>" */
static enum csign_err
put_copy(struct csign_buf *json, const unsigned char *copy)
{
	const int id_len = CSIGN_DEVICE_ID_SIZE - 1;
	char text[CSIGN_B64U_LEN(CSIGN_DEVICE_SEAL_LEN) + 1];
	enum csign_err r;

	if ((r = csign_b64u_encode(copy + id_len, CSIGN_DEVICE_SEAL_LEN, text,
		 sizeof(text))) != CSIGN_OK)
		return r;
	return csign_buf_putf(
	    json, "\"%.*s\":\"%s\"", id_len, (const char *)copy, text);
}

/* By the link alone, or also by phones that ring, whose user has a name. */
static enum csign_err
put_channel(struct csign_buf *json, const struct csign_job *job)
{
	enum csign_err r;

	if (job->copies_len == 0 || job->subject[0] == '\0')
		return csign_buf_put_str(json, "\"channel\":\"app\",");
	r = csign_buf_put_str(json, "\"channel\":\"push\",\"sealed\":{");
	for (size_t at = 0; r == CSIGN_OK && at < job->copies_len;
	     at += CSIGN_COPY_LEN) {
		if (at > 0)
			r = csign_buf_put_str(json, ",");
		if (r == CSIGN_OK)
			r = put_copy(json, job->copies + at);
	}
	return r == CSIGN_OK ? csign_buf_put_str(json, "},") : r;
}

static enum csign_err
put_question(struct csign_buf *json, const struct csign_job *job)
{
	enum csign_err r;

	if ((r = csign_buf_put_str(json, "{")) != CSIGN_OK)
		return r;
	if (job->subject[0] != '\0' &&
	    ((r = put_string(json, "username", job->subject)) != CSIGN_OK ||
		(r = csign_buf_put_str(json, ",")) != CSIGN_OK))
		return r;
	if (job->op == CSIGN_OP_APPROVE &&
	    (r = put_channel(json, job)) != CSIGN_OK)
		return r;
	if ((r = put_string(json, "linkId", job->link_id)) != CSIGN_OK)
		return r;
	return put_content(json, job);
}

enum csign_err
csign_api_create_begin(struct csign_http *http, const struct csign_job *job,
    uint32_t timeout_ms, struct csign_http_call **ret_call)
{
	const char *path = job->op == CSIGN_OP_ENROL ? "/api/v1/users/enroll"
						     : "/api/v1/approval";
	struct csign_buf *json = NULL;
	enum csign_err r;

	if ((r = csign_buf_new(API_REQUEST_MAX, &json)) == CSIGN_OK &&
	    (r = put_question(json, job)) == CSIGN_OK)
		r = begin_sized(http, CSIGN_HTTP_POST, path, json,
		    API_CREATED_MAX, timeout_ms, ret_call);
	csign_buf_free(&json);
	return r;
}

enum csign_err
csign_api_status_begin(struct csign_http *http,
    const struct csign_api_question *question, uint32_t wait_s, uint32_t after,
    uint32_t timeout_ms, struct csign_http_call **ret_call)
{
	struct csign_buf *json = NULL;
	enum csign_err r;

	if ((r = csign_buf_new(API_REQUEST_MAX, &json)) == CSIGN_OK &&
	    (r = csign_buf_put_str(json, "{")) == CSIGN_OK &&
	    (r = put_string(json, "statusToken", question->token)) ==
		CSIGN_OK &&
	    (r = csign_buf_putf(json, ",\"wait\":%u,\"after\":%u}", wait_s,
		 after)) == CSIGN_OK)
		r = begin(http, CSIGN_HTTP_POST, "/api/v1/status", json,
		    timeout_ms, ret_call);
	csign_buf_free(&json);
	return r;
}

static const char *
outcome_word(uint8_t code)
{
	switch (code) {
	case CSIGN_OUTCOME_GRANTED:
		return "granted";
	case CSIGN_OUTCOME_DENIED:
		return "denied";
	default:
		return "rejected";
	}
}

/* Which answer it is about, and which device it enrolled. */
static enum csign_err
put_about(struct csign_buf *json, const struct csign_api_outcome *outcome)
{
	enum csign_err r = CSIGN_OK;

	if (outcome->sequence > 0)
		r = csign_buf_putf(
		    json, ",\"sequence\":%u", (unsigned int)outcome->sequence);
	if (r == CSIGN_OK && outcome->device[0] != '\0')
		r = csign_buf_putf(
		    json, ",\"deviceId\":\"%s\"", outcome->device);
	return r;
}

enum csign_err
csign_api_outcome_begin(struct csign_http *http,
    const struct csign_api_question *question,
    const struct csign_api_outcome *outcome, uint32_t timeout_ms,
    struct csign_http_call **ret_call)
{
	char path[API_PATH_MAX];
	struct csign_buf *json = NULL;
	enum csign_err r;

	(void)snprintf(
	    path, sizeof(path), "/api/v1/approval/%s/outcome", question->id);
	if ((r = csign_buf_new(API_REQUEST_MAX, &json)) == CSIGN_OK &&
	    (r = csign_buf_putf(json, "{\"outcome\":\"%s\",",
		 outcome_word(outcome->code))) == CSIGN_OK &&
	    (r = put_string(json, "reason", outcome->reason)) == CSIGN_OK &&
	    (r = csign_buf_putf(json, ",\"triesLeft\":%u",
		 (unsigned int)outcome->tries_left)) == CSIGN_OK &&
	    (r = put_about(json, outcome)) == CSIGN_OK &&
	    (r = csign_buf_put_str(json, "}")) == CSIGN_OK)
		r = begin(
		    http, CSIGN_HTTP_POST, path, json, timeout_ms, ret_call);
	csign_buf_free(&json);
	return r;
}

static enum csign_err
begin_on(struct csign_http *http, enum csign_http_method method,
    const char *prefix, const char *id, uint32_t timeout_ms,
    struct csign_http_call **ret_call)
{
	char path[API_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s%s", prefix, id);
	return begin(http, method, path, NULL, timeout_ms, ret_call);
}

enum csign_err
csign_api_cancel_begin(struct csign_http *http,
    const struct csign_api_question *question, uint32_t timeout_ms,
    struct csign_http_call **ret_call)
{
	return begin_on(http, CSIGN_HTTP_DELETE, "/api/v1/approval/",
	    question->id, timeout_ms, ret_call);
}

enum csign_err
csign_api_ping_begin(struct csign_http *http, uint32_t timeout_ms,
    struct csign_http_call **ret_call)
{
	return begin_on(
	    http, CSIGN_HTTP_GET, "/ping", "", timeout_ms, ret_call);
}

enum csign_err
csign_api_look_begin(struct csign_http *http, uint32_t timeout_ms,
    struct csign_http_call **ret_call)
{
	const struct csign_http_request request = {.method = CSIGN_HTTP_GET,
	    .path = "/ping",
	    .timeout_ms = timeout_ms,
	    .look = true};

	return csign_http_begin(http, &request, ret_call);
}

enum csign_err
csign_api_file_begin(struct csign_http *http, const char *path,
    uint32_t timeout_ms, struct csign_http_call **ret_call)
{
	const struct csign_http_request request = {.method = CSIGN_HTTP_GET,
	    .path = path,
	    .timeout_ms = timeout_ms,
	    .body_max = CSIGN_HTTP_FILE_MAX};

	return csign_http_begin(http, &request, ret_call);
}

/* RFC 3986: everything but unreserved characters as %XX. */
static enum csign_err
put_query_value(struct csign_buf *path, const char *value)
{
	enum csign_err r = CSIGN_OK;

	for (; *value != '\0' && r == CSIGN_OK; value++) {
		const unsigned char c = (unsigned char)*value;

		if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL))
			r = csign_buf_put_u8(path, c);
		else
			r = csign_buf_putf(path, "%%%02X", c);
	}
	return r;
}

enum csign_err
csign_api_user_begin(struct csign_http *http, const char *username,
    uint32_t timeout_ms, struct csign_http_call **ret_call)
{
	struct csign_buf *path = NULL;
	enum csign_err r;

	if ((r = csign_buf_new(API_PATH_MAX, &path)) == CSIGN_OK &&
	    (r = csign_buf_put_str(path, "/api/v1/users?username=")) ==
		CSIGN_OK &&
	    (r = put_query_value(path, username)) == CSIGN_OK)
		r = begin(http, CSIGN_HTTP_GET, csign_buf_str(path), NULL,
		    timeout_ms, ret_call);
	csign_buf_free(&path);
	return r;
}

enum csign_err
csign_api_remove_user_begin(struct csign_http *http, const char *id,
    uint32_t timeout_ms, struct csign_http_call **ret_call)
{
	return begin_on(http, CSIGN_HTTP_DELETE, "/api/v1/users/", id,
	    timeout_ms, ret_call);
}

/* Ids that can stand in a path as they are. */
static bool
id_valid(const char *id)
{
	const size_t len = strlen(id);

	if (len == 0 || len > CSIGN_API_ID_MAX)
		return false;
	return strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			  "0123456789-_") == len;
}

enum csign_err
csign_api_remove_device_begin(struct csign_http *http, const char *id,
    uint32_t timeout_ms, struct csign_http_call **ret_call)
{
	if (!id_valid(id))
		return CSIGN_E_INVALID;
	return begin_on(http, CSIGN_HTTP_DELETE, "/api/v1/authenticators/", id,
	    timeout_ms, ret_call);
}

enum csign_err
csign_api_rename_device_begin(struct csign_http *http, const char *id,
    const char *name, size_t name_len, uint32_t timeout_ms,
    struct csign_http_call **ret_call)
{
	char path[API_PATH_MAX];
	struct csign_buf *json = NULL;
	enum csign_err r;

	if (!id_valid(id))
		return CSIGN_E_INVALID;
	(void)snprintf(path, sizeof(path), "/api/v1/authenticators/%s", id);
	if ((r = csign_buf_new(API_REQUEST_MAX, &json)) == CSIGN_OK &&
	    (r = csign_buf_put_str(json, "{")) == CSIGN_OK &&
	    (r = put_text(json, "name", name, name_len)) == CSIGN_OK &&
	    (r = csign_buf_put_str(json, "}")) == CSIGN_OK)
		r = begin(
		    http, CSIGN_HTTP_PATCH, path, json, timeout_ms, ret_call);
	csign_buf_free(&json);
	return r;
}

/* --- replies --- */

static uint8_t
bad_reply(struct csign_why *why, const char *what)
{
	csign_why_set(why, "the service's reply cannot be used: %s", what);
	return CSIGN_TROUBLE_BAD_REPLY;
}

static uint8_t
read_json(const struct csign_http_reply *reply, int status,
    struct csign_why *why, struct json_object **ret_object)
{
	uint8_t trouble;

	if ((trouble = csign_http_expect(
		 reply, status, CSIGN_HTTP_TYPE_JSON, why)) != 0)
		return trouble;
	if (csign_json_parse(reply->body, reply->body_len, ret_object) !=
	    CSIGN_OK)
		return bad_reply(why, "not one JSON object");
	return 0;
}

static bool
take(char *out, size_t out_size, struct json_object *object, const char *name)
{
	const char *value = csign_json_str(object, name, out_size - 1);

	if (value == NULL || value[0] == '\0')
		return false;
	(void)snprintf(out, out_size, "%s", value);
	return true;
}

/* One of "removals", if it can be a note at all. */
static void
read_note(struct json_object *item, struct csign_api_notes *notes)
{
	const char *proof =
	    csign_json_str(item, "proof", CSIGN_B64U_LEN(CSIGN_REMOVAL_MAX));
	unsigned char *bytes = notes->notes[notes->n].bytes;
	size_t *len = &notes->notes[notes->n].len;

	if (proof != NULL &&
	    csign_b64u_decode(proof, strlen(proof), bytes, CSIGN_REMOVAL_MAX,
		len) == CSIGN_OK &&
	    *len > 0)
		notes->n++;
}

static void
read_notes(struct json_object *root, struct csign_api_notes *notes)
{
	struct json_object *list = json_object_object_get(root, "removals");
	size_t n;

	notes->n = 0;
	if (!json_object_is_type(list, json_type_array))
		return;
	n = json_object_array_length(list);
	for (size_t i = 0; i < n && i < CSIGN_REMOVALS_MAX; i++)
		read_note(json_object_array_get_idx(list, i), notes);
}

/* "push":{"sent":n,...}: what is wrong with it fails no question either. */
static uint8_t
read_rings(struct json_object *root, const struct csign_job *job)
{
	struct json_object *push = json_object_object_get(root, "push");
	const int64_t copies = (int64_t)(job->copies_len / CSIGN_COPY_LEN);
	int64_t sent = 0;

	if (!json_object_is_type(push, json_type_object) ||
	    !csign_json_int(push, "sent", 0, copies, &sent))
		return 0;
	return (uint8_t)sent;
}

uint8_t
csign_api_create_read(const struct csign_http_reply *reply,
    const struct csign_job *job, struct csign_why *why,
    struct csign_api_question *ret_question, struct csign_api_notes *ret_notes,
    uint8_t *ret_rings)
{
	struct csign_api_question question = {0};
	struct json_object *root = NULL, *object;
	uint8_t trouble;

	if ((trouble = read_json(reply, 201, why, &root)) != 0)
		return trouble;
	object = root;
	if (job->op == CSIGN_OP_ENROL)
		object = json_object_object_get(root, "enrollment");
	if (!take(question.id, sizeof(question.id), object, "transactionId") ||
	    !id_valid(question.id) ||
	    !take(question.token, sizeof(question.token), object,
		"statusToken")) {
		trouble = bad_reply(why, "no transactionId and statusToken");
	} else {
		*ret_question = question;
		read_notes(root, ret_notes);
		*ret_rings = read_rings(root, job);
	}
	json_object_put(root);
	return trouble;
}

static enum csign_api_event
event_of(const char *word)
{
	static const struct {
		const char *word;
		enum csign_api_event event;
	} events[] = {
	    {"seen", CSIGN_API_SEEN},
	    {"answered", CSIGN_API_ANSWERED},
	    {"cancelled", CSIGN_API_CANCELLED},
	    {"expired", CSIGN_API_EXPIRED},
	    {"granted", CSIGN_API_DECIDED},
	    {"denied", CSIGN_API_DECIDED},
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(word, events[i].word) == 0)
			return events[i].event;
	return CSIGN_API_OTHER;
}

static uint8_t
read_answer(struct json_object *object, struct csign_why *why,
    struct csign_api_status *status)
{
	const char *text =
	    csign_json_str(object, "answer", CSIGN_B64U_LEN(CSIGN_ANSWER_MAX));

	if (text == NULL ||
	    csign_b64u_decode(text, strlen(text), status->answer,
		sizeof(status->answer), &status->answer_len) != CSIGN_OK ||
	    status->answer_len == 0)
		return bad_reply(why, "answered, but no answer");
	return 0;
}

static uint8_t
read_status(struct json_object *object,
    const struct csign_api_question *question, struct csign_why *why,
    struct csign_api_status *status)
{
	const char *state, *event, *id;
	int64_t sequence;

	state = csign_json_str(object, "status", CSIGN_API_ID_MAX);
	if (state != NULL && strcmp(state, "unknown") == 0) {
		status->event = CSIGN_API_UNKNOWN;
		return 0;
	}
	id = csign_json_str(object, "transactionId", CSIGN_API_ID_MAX);
	event = csign_json_str(object, "event", CSIGN_API_ID_MAX);
	if (state == NULL || id == NULL || event == NULL ||
	    !csign_json_int(object, "sequence", 0, API_SEQUENCE_MAX, &sequence))
		return bad_reply(why, "no status, event and sequence");
	if (strcmp(id, question->id) != 0)
		return bad_reply(why, "the status of another question");
	status->sequence = (uint32_t)sequence;
	status->event = event_of(event);
	if (status->event == CSIGN_API_ANSWERED)
		return read_answer(object, why, status);
	return 0;
}

uint8_t
csign_api_status_read(const struct csign_http_reply *reply,
    const struct csign_api_question *question, struct csign_why *why,
    struct csign_api_status *ret_status)
{
	struct json_object *object = NULL;
	uint8_t trouble;

	if ((trouble = read_json(reply, 200, why, &object)) != 0)
		return trouble;
	ret_status->event = CSIGN_API_OTHER;
	ret_status->sequence = 0;
	ret_status->answer_len = 0;
	trouble = read_status(object, question, why, ret_status);
	json_object_put(object);
	return trouble;
}

uint8_t
csign_api_ping_read(const struct csign_http_reply *reply, struct csign_why *why)
{
	uint8_t trouble;

	if ((trouble = csign_http_expect(
		 reply, 200, CSIGN_HTTP_TYPE_TEXT, why)) != 0)
		return trouble;
	if (strcmp(reply->body, "PONG") != 0 &&
	    strcmp(reply->body, "PONG\n") != 0)
		return bad_reply(why, "this is not an approval service");
	return 0;
}

static void
put_time(unsigned char out[8], uint64_t when)
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(when >> (56 - 8 * i));
}

uint8_t
csign_api_look_read(const struct csign_http_reply *reply, struct csign_why *why,
    unsigned char ret_look[CSIGN_API_LOOK_LEN])
{
	uint8_t trouble = csign_api_ping_read(reply, why);

	if (trouble != 0)
		return trouble;
	put_time(ret_look, reply->date);
	put_time(ret_look + 8, reply->certificate_end);
	return 0;
}

uint8_t
csign_api_user_read(const struct csign_http_reply *reply, struct csign_why *why,
    char ret_id[CSIGN_API_ID_MAX + 1])
{
	char id[CSIGN_API_ID_MAX + 1];
	struct json_object *object = NULL;
	uint8_t trouble;

	if ((trouble = read_json(reply, 200, why, &object)) != 0)
		return trouble;
	if (!take(id, sizeof(id), object, "userId") || !id_valid(id))
		trouble = bad_reply(why, "no userId");
	else
		memcpy(ret_id, id, sizeof(id));
	json_object_put(object);
	return trouble;
}

uint8_t
csign_api_file_read(const struct csign_http_reply *reply, struct csign_why *why,
    unsigned char ret_file[CSIGN_API_FILE_LEN])
{
	const struct csign_part body = {reply->body, reply->body_len};
	struct csign_crypto *crypto = NULL;
	struct csign_buf *file = NULL;
	uint8_t trouble;

	/* Any type: what counts are the bytes. */
	if ((trouble = csign_http_expect(reply, 200, reply->type, why)) != 0)
		return trouble;
	trouble = CSIGN_TROUBLE_INTERNAL;
	if (csign_crypto_new(&crypto) == CSIGN_OK &&
	    csign_sha256(crypto, &body, 1, ret_file) == CSIGN_OK &&
	    csign_buf_new(4, &file) == CSIGN_OK &&
	    csign_buf_put_u32(file, (uint32_t)reply->body_len) == CSIGN_OK) {
		memcpy(ret_file + 32, csign_buf_data(file), 4);
		trouble = 0;
	}
	csign_buf_free(&file);
	csign_crypto_free(&crypto);
	return trouble;
}

uint8_t
csign_api_done_read(const struct csign_http_reply *reply, struct csign_why *why)
{
	return csign_http_expect(reply, 204, CSIGN_HTTP_TYPE_NONE, why);
}
