/* SPDX-License-Identifier: BSD-2-Clause */
/* From bytes that come in to the call of the handler. */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <string.h>
#include <sys/socket.h>

#include "http_impl.h"
#include "secret.h"

static void
refuse(struct http_conn *conn, unsigned status)
{
	conn->keep_alive = conn->head_only = false;
	conn->discard = true;
	conn->server->config.refuser(conn->server->config.arg, conn, status);
}

/* The length of the head with its empty line, or 0 if it is not all there. */
static size_t
find_head_end(struct http_conn *conn, struct evbuffer *in, size_t have)
{
	struct evbuffer_ptr from, at;
	size_t start = conn->scanned < 3 ? 0 : conn->scanned - 3;

	if (evbuffer_ptr_set(in, &from, start, EVBUFFER_PTR_SET) != 0)
		return 0;
	at = evbuffer_search(in, "\r\n\r\n", 4, &from);
	conn->scanned = (uint32_t)have;
	return at.pos < 0 ? 0 : (size_t)at.pos + 4;
}

/* The first len bytes of the input, NUL-terminated, into the scratch. */
static bool
peek(struct http_conn *conn, struct evbuffer *in, size_t len)
{
	char *scratch = conn->server->scratch;

	if (evbuffer_copyout(in, scratch, len) != (ev_ssize_t)len)
		return false;
	scratch[len] = '\0';
	return true;
}

/*
 * The head has just become complete: how long is the whole request?  Returns
 * false if it was refused.
 */
static bool
measure(struct http_conn *conn, struct evbuffer *in, size_t head_len)
{
	struct http_head head;
	unsigned status = 400;

	if (conn->refuse)
		status = 503;
	else if (head_len > CSIGN_HTTP_HEADER_MAX)
		status = 431;
	else if (peek(conn, in, head_len))
		status = http_head_read(conn->server->scratch, head_len,
		    CSIGN_HTTP_BODY_MAX, &head);
	if (status != 0) {
		refuse(conn, status);
		return false;
	}
	conn->request_len = (uint32_t)(head_len + head.body_len);
	if (head.expects_continue &&
	    evbuffer_get_length(in) < conn->request_len)
		bufferevent_write(
		    conn->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	return true;
}

static void
handle(struct http_conn *conn, struct evbuffer *in)
{
	struct http_server *server = conn->server;
	struct http_request request;
	size_t len = conn->request_len;
	char *head_end;

	memset(&request, 0, sizeof request);
	conn->request_len = conn->scanned = 0;
	conn->allowed_origin = NULL;
	if (!peek(conn, in, len) ||
	    (head_end = strstr(server->scratch, "\r\n\r\n")) == NULL ||
	    http_head_read(server->scratch,
		(size_t)(head_end + 4 - server->scratch), CSIGN_HTTP_BODY_MAX,
		&request.head) != 0) {
		refuse(conn, 400);
		return;
	}
	evbuffer_drain(in, len);
	request.body = head_end + 4;
	request.peer = conn->peer;
	conn->keep_alive = request.head.keep_alive;
	conn->head_only = request.head.method == HTTP_HEAD;
	server->config.handler(server->config.arg, conn, &request);
	csign_wipe(server->scratch, len);
}

static void
read_request(struct http_conn *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);
	size_t have = evbuffer_get_length(in);
	size_t head_len;

	if (have == 0)
		return;
	if (conn->state == CONN_IDLE)
		http_enter(conn, CONN_READING);
	if (conn->request_len == 0) {
		head_len = find_head_end(conn, in, have);
		if (head_len == 0) {
			if (have > CSIGN_HTTP_HEADER_MAX)
				refuse(conn, 431);
			return;
		}
		if (!measure(conn, in, head_len))
			return;
	}
	if (have >= conn->request_len)
		handle(conn, in);
}

void
http_on_read(struct bufferevent *bev, void *arg)
{
	struct http_conn *conn = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (conn->state == CONN_READING || conn->state == CONN_REFUSED ||
	    conn->state == CONN_IDLE)
		read_request(conn);
	else if (conn->state == CONN_ENDING)
		evbuffer_drain(in, evbuffer_get_length(in));
	/* Otherwise it is a next request, which waits for its turn. */
}

void
http_on_written(struct bufferevent *bev, void *arg)
{
	struct http_conn *conn = arg;

	if (conn->state != CONN_WRITING)
		return;
	if (conn->keep_alive) {
		http_enter(conn, CONN_IDLE);
		read_request(conn);
	} else if (conn->discard) {
		/*
		 * Closing with unread input would reset the connection and
		 * take the reply with it.
		 */
		http_enter(conn, CONN_ENDING);
		shutdown(bufferevent_getfd(bev), SHUT_WR);
		http_on_read(bev, conn);
	} else {
		http_close(conn);
	}
}

void
http_on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		http_close(arg);
}
