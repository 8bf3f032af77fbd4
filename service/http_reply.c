/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies: status, headers, body. */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <time.h>

#include "http_impl.h"

static const char *
status_text(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} texts[] = {
	    {200, "OK"},
	    {201, "Created"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {304, "Not Modified"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {409, "Conflict"},
	    {410, "Gone"},
	    {411, "Length Required"},
	    {413, "Content Too Large"},
	    {415, "Unsupported Media Type"},
	    {417, "Expectation Failed"},
	    {422, "Unprocessable Content"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {503, "Service Unavailable"},
	    {505, "HTTP Version Not Supported"},
	};
	size_t i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Error";
}

static const char *
date_header(struct http_server *server)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != server->date_of && gmtime_r(&now, &tm) != NULL &&
	    strftime(server->date, sizeof server->date,
		"%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		server->date_of = now;
	return server->date;
}

/*
 * What every reply says (countersign-security(7) WEB-1): nothing may be loaded,
 * framed, cached, guessed or told to others, but the page's own scripts and
 * styles.
 */
#define COMMON_HEADERS                                                         \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; "     \
	"style-src 'self'; connect-src 'self'; manifest-src 'self'; "          \
	"worker-src 'self'; img-src 'self'; base-uri 'none'; "                 \
	"form-action 'none'; frame-ancestors 'none'; "                         \
	"require-trusted-types-for 'script'; trusted-types countersign\r\n"    \
	"Permissions-Policy: publickey-credentials-create=(self), "            \
	"publickey-credentials-get=(self), camera=(), display-capture=(), "    \
	"geolocation=(), microphone=(), payment=(), usb=()\r\n"                \
	"Strict-Transport-Security: max-age=63072000\r\n"                      \
	"X-Content-Type-Options: nosniff\r\n"                                  \
	"Referrer-Policy: no-referrer\r\n"                                     \
	"Cross-Origin-Opener-Policy: same-origin\r\n"                          \
	"Cross-Origin-Resource-Policy: same-origin\r\n"

void
http_reply(struct http_conn *conn, const struct http_reply *reply)
{
	struct http_server *server = conn->server;
	struct evbuffer *out = bufferevent_get_output(conn->bev);
	const char *origin = conn->allowed_origin;
	char head[2560], length[48] = "";
	int n;

	conn->gone = NULL;
	if (reply->close || server->stopping)
		conn->keep_alive = false;
	if (reply->status != 204 && reply->status != 304)
		(void)snprintf(length, sizeof length, "Content-Length: %zu\r\n",
		    reply->body_len);
	n = snprintf(head, sizeof head,
	    "HTTP/1.1 %u %s\r\nDate: %s\r\n%s%s%s%s%s%s%s%s%s"
	    "Cache-Control: %s\r\n" COMMON_HEADERS "\r\n",
	    reply->status, status_text(reply->status), date_header(server),
	    reply->type != NULL ? "Content-Type: " : "",
	    reply->type != NULL ? reply->type : "",
	    reply->type != NULL ? "\r\n" : "", length,
	    conn->keep_alive ? "" : "Connection: close\r\n",
	    origin != NULL ? "Vary: Origin\r\n"
			     "Access-Control-Allow-Credentials: true\r\n"
			     "Access-Control-Allow-Origin: "
			   : "",
	    origin != NULL ? origin : "", origin != NULL ? "\r\n" : "",
	    reply->extra != NULL ? reply->extra : "",
	    reply->cache != NULL ? reply->cache : "no-store");
	http_enter(conn, CONN_WRITING);
	/* One piece, so that it leaves in one segment and one TLS record. */
	if (n < 0 || (size_t)n >= sizeof head ||
	    evbuffer_expand(out, (size_t)n + reply->body_len) != 0 ||
	    evbuffer_add(out, head, (size_t)n) != 0 ||
	    (!conn->head_only && reply->body_len > 0 &&
		evbuffer_add(out, reply->body, reply->body_len) != 0)) {
		/* The sweep closes it: conn may be in use by the caller. */
		conn->deadline = 0;
		TAILQ_REMOVE(&server->lists[CONN_WRITING], conn, next);
		TAILQ_INSERT_HEAD(&server->lists[CONN_WRITING], conn, next);
	}
}

void
http_allow_origin(struct http_conn *conn, const char *origin)
{
	conn->allowed_origin = origin;
}

void
http_hold(struct http_conn *conn, void (*gone)(void *arg), void *gone_arg)
{
	conn->gone = gone;
	conn->gone_arg = gone_arg;
	http_enter(conn, CONN_HELD);
}
