/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "clock.h"
#include "codec.h"
#include "cookie.h"
#include "json.h"
#include "log.h"
#include "owner.h"
#include "reply.h"
#include "secret.h"

#define BEARER "Bearer "
#define BEARER_LEN (sizeof BEARER - 1)

static const struct route *const tables[] = {
    host_routes, phone_routes, device_routes, open_routes, web_routes};
#define N_TABLES (sizeof tables / sizeof tables[0])

uint64_t
call_now(void)
{
	uint64_t ms = 0;

	if (csign_clock_wall(&ms) != CSIGN_OK)
		log_event(CSIGN_LOG_ERR, "clock_error");
	return ms;
}

uint64_t
call_boot_now(void)
{
	uint64_t ms = 0;

	if (csign_clock_boot(&ms) != CSIGN_OK)
		log_event(CSIGN_LOG_ERR, "clock_error");
	return ms;
}

/* --- refusals ------------------------------------------------------------- */

static const struct {
	unsigned status;
	const char *error;
	const char *message;
} refusals[] = {
    {400, "bad_request", "This is not a request the service understands"},
    {401, "unauthorized", "The access key is missing or not known"},
    {403, "forbidden", "The access key does not have the right for this"},
    {404, "not_found", "There is no such thing"},
    {405, "method_not_allowed", "This can not be done with it"},
    {411, "length_required", "A body needs a Content-Length"},
    {413, "too_large", "The body is larger than 16 KiB"},
    {415, "unsupported_media_type", "The body must be application/json"},
    {417, "expectation_failed", "Only 100-continue can be expected"},
    {431, "header_too_large", "The header is larger than 8 KiB"},
    {503, "unavailable", "The service has no room or trouble of its own"},
    {505, "http_version", "Only HTTP/1.1 is spoken here"},
};

static void
refuse(struct http_conn *conn, unsigned status, const char *extra)
{
	size_t i;

	for (i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		if (refusals[i].status == status)
			reply_error(conn, status, refusals[i].error,
			    refusals[i].message, extra);
}

void
api_refuse(void *arg, struct http_conn *conn, unsigned status)
{
	(void)arg;
	refuse(conn, status, status == 503 ? "Retry-After: 1\r\n" : NULL);
}

void
call_fail(struct call *call, enum csign_err err)
{
	if (err == CSIGN_E_NOT_FOUND) {
		refuse(call->conn, 404, NULL);
	} else if (err == CSIGN_E_EXPIRED) {
		reply_error(call->conn, 410, "expired",
		    "The question has expired", NULL);
	} else if (err == CSIGN_E_STATE) {
		reply_error(call->conn, 409, "closed",
		    "The question is not open for this", NULL);
	} else if (err == CSIGN_E_AGAIN) {
		reply_error(call->conn, 409, "answered",
		    "An answer is being looked at", NULL);
	} else {
		if (err != CSIGN_E_SYSTEM) /* that was logged already */
			log_event(CSIGN_LOG_ERR, "call_failed", "reason",
			    csign_err_name(err));
		refuse(call->conn, 503, "Retry-After: 1\r\n");
	}
}

void
call_no_room(struct call *call)
{
	api_refuse(call->service, call->conn, 503);
}

static void
refuse_rate(struct call *call, const char *who, unsigned wait)
{
	char extra[48], peer[PEER_TEXT_SIZE];
	unsigned char key[16];
	unsigned log_wait;

	/* Who floods the service does not flood the log. */
	if (rate_take(call->service->log_rate, key, peer_key(&call->peer, key),
		call_boot_now(), &log_wait)) {
		peer_text(&call->peer, peer);
		log_event(CSIGN_LOG_NOTICE, "rate_limited", "limit", who,
		    "host", call->has_host ? call->host.name : NULL, "address",
		    peer);
	}
	(void)snprintf(extra, sizeof extra, "Retry-After: %u\r\n", wait);
	reply_error(call->conn, 429, "rate_limited",
	    "Too many requests; wait a little", extra);
}

/* --- from the request to the function ------------------------------------- */

/* Does path match, and what stands where the pattern has its star? */
static bool
match(const char *pattern, const char *path, char id[ROUTE_ID_MAX + 1])
{
	size_t len;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '*') {
			if (*pattern != *path++)
				return false;
			continue;
		}
		len = strcspn(path, "/");
		if (len == 0 || len > ROUTE_ID_MAX)
			return false;
		memcpy(id, path, len);
		id[len] = '\0';
		path += len;
	}
	return *path == '\0';
}

/* HEAD is a GET whose body stays here. */
static unsigned
method_of(const struct http_request *request)
{
	return request->head.method == HTTP_HEAD ? HTTP_GET
						 : request->head.method;
}

static void
refuse_method(struct call *call, unsigned allowed)
{
	char extra[64];

	(void)snprintf(extra, sizeof extra, "Allow: %s%s%s%s\r\n",
	    (allowed & HTTP_GET) != 0 ? "GET, HEAD, " : "",
	    (allowed & HTTP_POST) != 0 ? "POST, " : "",
	    (allowed & HTTP_PATCH) != 0 ? "PATCH, " : "",
	    (allowed & HTTP_DELETE) != 0 ? "DELETE, " : "");
	/* The last comma goes. */
	memcpy(extra + strlen(extra) - 4, "\r\n", 3);
	refuse(call->conn, 405, extra);
}

/* A browser may ask what a page of another origin may do with the phone API. */
static unsigned
methods_of(const struct route *route)
{
	bool phone = route->side == SIDE_PHONE || route->side == SIDE_DEVICE;

	return route->methods | (phone ? HTTP_OPTIONS : 0U);
}

/* The route, or NULL after a reply. */
static const struct route *
find_route(struct call *call)
{
	const char *path = call->request->head.path;
	const struct route *route;
	unsigned allowed = 0;
	size_t i;

	for (i = 0; i < N_TABLES; i++)
		for (route = tables[i]; route->path != NULL; route++) {
			if (!match(route->path, path, call->id))
				continue;
			if ((methods_of(route) & method_of(call->request)) != 0)
				return route;
			allowed |= route->methods;
		}
	if (allowed != 0)
		refuse_method(call, allowed);
	else
		refuse(call->conn, 404, NULL);
	return NULL;
}

/* The limit on those who have proven nothing. */
bool
call_address_rate(struct call *call)
{
	unsigned char key[16];
	unsigned wait = 1;
	size_t len = peer_key(&call->peer, key);

	if (rate_take(
		call->service->address_rate, key, len, call_boot_now(), &wait))
		return true;
	refuse_rate(call, "address", wait);
	return false;
}

static void
refuse_key(struct call *call)
{
	char peer[PEER_TEXT_SIZE];

	if (!call_address_rate(call))
		return;
	peer_text(&call->peer, peer);
	log_event(CSIGN_LOG_NOTICE, "key_refused", "address", peer);
	refuse(call->conn, 401,
	    "WWW-Authenticate: Bearer realm=\"countersign\"\r\n");
}

/* A host that still comes with the key that was replaced. */
static void
log_old_key(const struct call *call)
{
	char until[CSIGN_TIME_SIZE];
	unsigned wait;

	if (call->host.old_key_ends != 0 &&
	    rate_take(call->service->log_rate, &call->host.id,
		sizeof call->host.id, call_boot_now(), &wait) &&
	    csign_time_format(call->host.old_key_ends / 1000, until) ==
		CSIGN_OK)
		log_event(CSIGN_LOG_NOTICE, "old_key_used", "host",
		    call->host.name, "until", until);
}

/*
 * The host whose key came with the request: true with call->has_host, or
 * true without where there was none.  A wrong one is refused, and so is a host
 * that has too many connections.
 */
static bool
read_key(struct call *call)
{
	const char *value = call->request->head.field[HTTP_AUTHORIZATION];
	unsigned char hash[STORE_HASH_LEN];
	enum csign_err r = CSIGN_E_NOT_FOUND;

	if (value == NULL)
		return true;
	if (strncasecmp(value, BEARER, BEARER_LEN) == 0 &&
	    strlen(value + BEARER_LEN) == CSIGN_ACCESS_KEY_LEN &&
	    EVP_Digest(value + BEARER_LEN, CSIGN_ACCESS_KEY_LEN, hash, NULL,
		EVP_sha256(), NULL) == 1)
		r = store_host_by_key(
		    call->service->store, hash, call_now(), &call->host);
	call->has_host = r == CSIGN_OK;
	if (call->has_host) {
		log_old_key(call);
		return owner_is_host(call, call->host.id);
	}
	if (r != CSIGN_E_NOT_FOUND)
		call_fail(call, r);
	else
		refuse_key(call);
	return false;
}

static bool
check_host(struct call *call, const struct route *route)
{
	unsigned wait = 1;

	if (!read_key(call))
		return false;
	if (!call->has_host) {
		refuse_key(call);
		return false;
	}
	if (route->right != 0 && (call->host.rights & route->right) == 0) {
		refuse(call->conn, 403, NULL);
		return false;
	}
	if (!route->counts ||
	    rate_take(call->service->host_rate, &call->host.id,
		sizeof call->host.id, call_boot_now(), &wait))
		return true;
	refuse_rate(call, "host", wait);
	return false;
}

/*
 * Is it the page's origin, public_url?  Where that is not set, the page is our
 * own: then the origin's host is the one that the request was sent to, whether
 * or not a proxy took TLS off.
 */
static bool
is_page(const struct call *call, const char *origin)
{
	const char *page = call->service->settings.public_url;
	const char *host = call->request->head.field[HTTP_HOST];
	const char *at;

	if (page != NULL)
		return strcasecmp(origin, page) == 0;
	at = strstr(origin, "://");
	return at != NULL && host != NULL && strcasecmp(at + 3, host) == 0;
}

/* A page of another origin must not make a phone's browser act. */
static bool
check_origin(struct call *call)
{
	const char *origin = call->request->head.field[HTTP_ORIGIN];

	if (method_of(call->request) == HTTP_GET || origin == NULL ||
	    is_page(call, origin))
		return true;
	reply_error(call->conn, 403, "origin",
	    "This may not be done from another web origin", NULL);
	return false;
}

/* The page may be at another origin than the service: it may read replies. */
static void
allow_page(struct call *call)
{
	const char *origin = call->request->head.field[HTTP_ORIGIN];
	const char *page = call->service->settings.public_url;

	if (origin != NULL && page != NULL && strcasecmp(origin, page) == 0)
		http_allow_origin(call->conn, page);
}

/* A browser asks whether the page may make a call of the phone API. */
static void
answer_preflight(struct call *call)
{
	static const struct http_reply reply = {.status = 204,
	    .extra = "Access-Control-Allow-Methods: GET, POST, DELETE\r\n"
		     "Access-Control-Allow-Headers: Content-Type\r\n"
		     "Access-Control-Max-Age: 7200\r\n"};

	if (call_address_rate(call) && check_origin(call)) {
		allow_page(call);
		http_reply(call->conn, &reply);
	}
}

/* The phone's cookie, if one came: false after a reply. */
static bool
read_cookie(struct call *call)
{
	enum csign_err r;

	if (!cookie_find(
		call->request->head.field[HTTP_COOKIE], call->cookie_hash))
		return true;
	r = store_authenticator_of_cookie(
	    call->service->store, call->cookie_hash, NULL, NULL);
	call->has_cookie = r == CSIGN_OK;
	if (r == CSIGN_OK || r == CSIGN_E_NOT_FOUND)
		return true;
	call_fail(call, r);
	return false;
}

void
call_no_device(struct call *call)
{
	reply_error(call->conn, 403, "no_device",
	    "This browser has no device here", NULL);
}

static bool
check_device(struct call *call)
{
	unsigned wait = 1;

	allow_page(call);
	if (!call_address_rate(call) || !check_origin(call) ||
	    !read_cookie(call))
		return false;
	if (!call->has_cookie) {
		call_no_device(call);
		return false;
	}
	if (rate_take(call->service->link_rate, call->cookie_hash,
		sizeof call->cookie_hash, call_boot_now(), &wait))
		return true;
	refuse_rate(call, "device", wait);
	return false;
}

static bool
check_phone(struct call *call)
{
	unsigned char link_id[CSIGN_LINK_ID_LEN];
	unsigned wait = 1;
	size_t len = 0;

	allow_page(call);
	if (!call_address_rate(call) || !check_origin(call))
		return false;
	if (csign_b64u_decode(call->id, strlen(call->id), link_id,
		sizeof link_id, &len) != CSIGN_OK ||
	    len != sizeof link_id) {
		refuse(call->conn, 404, NULL);
		return false;
	}
	if (rate_take(call->service->link_rate, call->id, strlen(call->id),
		call_boot_now(), &wait))
		return true;
	refuse_rate(call, "device", wait);
	return false;
}

static bool
check_side(struct call *call, const struct route *route)
{
	switch (route->side) {
	case SIDE_OPEN:
		return true;
	case SIDE_HOST:
		return check_host(call, route);
	case SIDE_TOKEN:
		return read_key(call);
	case SIDE_PHONE:
		return check_phone(call);
	case SIDE_DEVICE:
		return check_device(call);
	}
	return false;
}

/* "application/json", parameters allowed. */
static bool
is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t len = sizeof json - 1;

	return type != NULL && strncasecmp(type, json, len) == 0 &&
	       (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

/* The body of a call that changes something is always one JSON object. */
static bool
read_body(struct call *call)
{
	const struct http_request *request = call->request;

	if ((method_of(request) & (HTTP_POST | HTTP_PATCH)) == 0) {
		if (request->head.body_len == 0)
			return true;
		refuse(call->conn, 400, NULL);
		return false;
	}
	if (!is_json(request->head.field[HTTP_CONTENT_TYPE])) {
		refuse(call->conn, 415, NULL);
		return false;
	}
	if (csign_json_parse(
		request->body, request->head.body_len, &call->body) == CSIGN_OK)
		return true;
	reply_error(call->conn, 400, "bad_json",
	    "The body is not one JSON object as the service reads it", NULL);
	return false;
}

static void
log_call(const struct call *call, const struct route *route)
{
	char peer[PEER_TEXT_SIZE];

	peer_text(&call->peer, peer);
	/* The route, not the path: a path names a link. */
	log_event(CSIGN_LOG_DEBUG, "call", "path", route->path, "host",
	    call->has_host ? call->host.name : NULL, "address", peer);
}

void
api_handle(
    void *arg, struct http_conn *conn, const struct http_request *request)
{
	struct service *service = arg;
	struct call call = {
	    .service = service, .conn = conn, .request = request};
	const struct route *route;

	call.peer = peer_behind(&service->proxies, &request->peer,
	    request->head.field[HTTP_FORWARDED_FOR]);
	if ((route = find_route(&call)) == NULL)
		return;
	if (request->head.method == HTTP_OPTIONS) {
		answer_preflight(&call);
		return;
	}
	if (!check_side(&call, route) || !read_body(&call))
		return;
	log_call(&call, route);
	route->fn(&call);
	json_object_put(call.body);
}
