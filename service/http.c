/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "clock.h"
#include "http.h"
#include "secret.h"

#define REQUEST_MAX (CSIGN_HTTP_HEADER_MAX + CSIGN_HTTP_BODY_MAX)
#define LISTENERS_MAX 16
#define BACKLOG_PAUSE_US 100000
/* Connections beyond the limit that still get a 503 instead of nothing. */
#define REFUSED_MAX 64
/* What a request may take until, in a full server, it makes room for others. */
#define PATIENCE_MS 2000

/* Each has its own list, in the order of the deadlines. */
enum conn_state {
	CONN_READING, /* a request, from its first byte, or the handshake */
	CONN_IDLE,    /* between two requests */
	CONN_HELD,    /* the handler will reply later: no deadline here */
	CONN_WRITING, /* a reply */
	CONN_ENDING,  /* replied and closed; eats what still comes */
	CONN_N_STATES,
};

static const unsigned state_ms[CONN_N_STATES] = {
    [CONN_READING] = 10000,
    [CONN_IDLE] = 60000,
    [CONN_HELD] = 0,
    [CONN_WRITING] = 10000,
    [CONN_ENDING] = 2000,
};

struct http_conn {
	TAILQ_ENTRY(http_conn) next;
	struct http_server *server;
	struct bufferevent *bev;
	uint64_t deadline; /* ms since boot */
	void (*gone)(void *arg);
	void *gone_arg;
	const char *allowed_origin; /* another one that may read the reply */
	struct http_peer peer;
	uint32_t request_len; /* of head and body; 0: head not complete */
	uint32_t scanned;     /* bytes without an end of head */
	uint8_t state;
	bool refuse;    /* one too many */
	bool head_only; /* reply to HEAD */
	bool keep_alive;
	bool discard; /* unread input is left when the reply is out */
};

TAILQ_HEAD(conn_list, http_conn);

struct http_listener {
	struct http_server *server;
	struct evconnlistener *listener;
	struct tls *tls;
};

struct http_server {
	struct http_config config;
	struct http_listener listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct conn_list lists[CONN_N_STATES];
	size_t n_conns;
	struct event *sweep;
	struct event *resume;
	bool stopping;
	time_t date_of;
	char date[40];
	char scratch[REQUEST_MAX + 1]; /* the request being handled */
};

static uint64_t
now_ms(void)
{
	uint64_t ms = 0;

	/* A clock that fails makes every deadline late, never early. */
	if (csign_clock_boot(&ms) != CSIGN_OK)
		return 0;
	return ms;
}

static void
set_state(struct http_conn *conn, enum conn_state state)
{
	struct http_server *server = conn->server;

	TAILQ_REMOVE(&server->lists[conn->state], conn, next);
	conn->state = (uint8_t)state;
	conn->deadline = now_ms() + state_ms[state];
	TAILQ_INSERT_TAIL(&server->lists[state], conn, next);
}

static void
conn_close(struct http_conn *conn)
{
	struct http_server *server = conn->server;
	SSL *ssl = bufferevent_openssl_get_ssl(conn->bev);

	TAILQ_REMOVE(&server->lists[conn->state], conn, next);
	if (ssl != NULL) { /* say goodbye, do not wait for the answer */
		SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
		SSL_shutdown(ssl);
	}
	bufferevent_free(conn->bev);
	if (conn->gone != NULL)
		conn->gone(conn->gone_arg);
	free(conn);
	if (--server->n_conns == 0) {
		event_del(server->sweep);
		if (server->stopping)
			server->config.stopped(server->config.arg);
	}
}

static void
sweep_list(struct http_server *server, enum conn_state state, uint64_t now)
{
	struct http_conn *conn;

	while ((conn = TAILQ_FIRST(&server->lists[state])) != NULL &&
	       conn->deadline <= now)
		conn_close(conn);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	uint64_t now = now_ms();
	unsigned state;

	(void)fd;
	(void)what;
	for (state = 0; state < CONN_N_STATES; state++)
		if (state != CONN_HELD)
			sweep_list(arg, state, now);
}

/* --- a reply ------------------------------------------------------------- */

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
	set_state(conn, CONN_WRITING);
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
	set_state(conn, CONN_HELD);
}

/* --- a request ----------------------------------------------------------- */

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
		set_state(conn, CONN_READING);
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

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct http_conn *conn = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (conn->state == CONN_READING || conn->state == CONN_IDLE)
		read_request(conn);
	else if (conn->state == CONN_ENDING)
		evbuffer_drain(in, evbuffer_get_length(in));
	/* Otherwise it is a next request, which waits for its turn. */
}

/* Everything has been written. */
static void
on_written(struct bufferevent *bev, void *arg)
{
	struct http_conn *conn = arg;

	if (conn->state != CONN_WRITING)
		return;
	if (conn->keep_alive) {
		set_state(conn, CONN_IDLE);
		read_request(conn);
	} else if (conn->discard) {
		/*
		 * Closing with unread input would reset the connection and
		 * take the reply with it.
		 */
		set_state(conn, CONN_ENDING);
		shutdown(bufferevent_getfd(bev), SHUT_WR);
		on_read(bev, conn);
	} else {
		conn_close(conn);
	}
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		conn_close(arg);
}

/* --- accepting ----------------------------------------------------------- */

static struct http_peer
peer_of(const struct sockaddr *address)
{
	struct http_peer peer;

	memset(&peer, 0, sizeof peer);
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;

		peer.address = in6->sin6_addr;
	} else if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;

		peer.address.s6_addr[10] = peer.address.s6_addr[11] = 0xff;
		memcpy(&peer.address.s6_addr[12], &in->sin_addr, 4);
	} else {
		peer.local = true;
	}
	return peer;
}

/* fd belongs to the result, or is closed. */
static struct bufferevent *
make_bev(struct http_listener *listener, int fd)
{
	struct event_base *base = listener->server->config.base;
	struct bufferevent *bev = NULL;
	SSL *ssl = NULL;

	if (listener->tls == NULL)
		bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	else if ((ssl = tls_session(listener->tls)) != NULL &&
		 (bev = bufferevent_openssl_socket_new(base, fd, ssl,
		      BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)) !=
		     NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	if (bev == NULL) {
		SSL_free(ssl);
		close(fd);
	}
	return bev;
}

/*
 * Who has nothing to say makes room for who has; then who has been saying it
 * for long.  NULL if nobody must.
 */
static struct http_conn *
find_room(struct http_server *server)
{
	struct http_conn *conn = TAILQ_FIRST(&server->lists[CONN_IDLE]);

	if (conn != NULL)
		return conn;
	/* The one that began first is the first. */
	conn = TAILQ_FIRST(&server->lists[CONN_READING]);
	if (conn != NULL &&
	    now_ms() + state_ms[CONN_READING] >= conn->deadline + PATIENCE_MS)
		return conn;
	return NULL;
}

static void
on_accept(struct evconnlistener *lev, evutil_socket_t fd,
    struct sockaddr *address, int address_len, void *arg)
{
	static const struct timeval second = {1, 0};
	struct http_listener *listener = arg;
	struct http_server *server = listener->server;
	size_t max = server->config.max_connections;
	struct http_conn *conn, *other;
	int on = 1;

	(void)lev;
	(void)address_len;
	if (server->n_conns >= max && (other = find_room(server)) != NULL)
		conn_close(other);
	if (server->n_conns >= max + REFUSED_MAX ||
	    (conn = calloc(1, sizeof *conn)) == NULL) {
		close(fd);
		return;
	}
	if ((conn->bev = make_bev(listener, fd)) == NULL) {
		free(conn);
		return;
	}
	conn->peer = peer_of(address);
	if (!conn->peer.local)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	conn->server = server;
	conn->refuse = server->n_conns >= max;
	conn->deadline = now_ms() + state_ms[CONN_READING];
	TAILQ_INSERT_TAIL(&server->lists[CONN_READING], conn, next);
	if (server->n_conns++ == 0)
		event_add(server->sweep, &second);
	bufferevent_setcb(conn->bev, on_read, on_written, on_event, conn);
	bufferevent_setwatermark(conn->bev, EV_READ, 0, REQUEST_MAX + 1);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < server->n_listeners && !server->stopping; i++)
		evconnlistener_enable(server->listeners[i].listener);
}

/* Out of descriptors: look again soon instead of all the time. */
static void
on_accept_error(struct evconnlistener *lev, void *arg)
{
	static const struct timeval pause = {0, BACKLOG_PAUSE_US};
	struct http_listener *listener = arg;

	evconnlistener_disable(lev);
	event_add(listener->server->resume, &pause);
}

/* --- the server ---------------------------------------------------------- */

enum csign_err
http_server_new(
    const struct http_config *config, struct http_server **ret_server)
{
	struct http_server *server;
	size_t i;

	if ((server = calloc(1, sizeof *server)) == NULL)
		return CSIGN_E_NOMEM;
	server->config = *config;
	for (i = 0; i < CONN_N_STATES; i++)
		TAILQ_INIT(&server->lists[i]);
	if ((server->sweep = event_new(
		 config->base, -1, EV_PERSIST, on_sweep, server)) == NULL ||
	    (server->resume = event_new(
		 config->base, -1, 0, on_resume, server)) == NULL) {
		http_server_free(&server);
		return CSIGN_E_NOMEM;
	}
	*ret_server = server;
	return CSIGN_OK;
}

static void
close_list(struct http_server *server, enum conn_state state)
{
	struct http_conn *conn, *next;

	for (conn = TAILQ_FIRST(&server->lists[state]); conn != NULL;
	     conn = next) {
		next = TAILQ_NEXT(conn, next);
		conn_close(conn);
	}
}

void
http_server_free(struct http_server **server)
{
	struct http_server *s = *server;
	unsigned i;

	if (s == NULL)
		return;
	s->stopping = false; /* nobody waits for the end any more */
	for (i = 0; i < CONN_N_STATES; i++)
		close_list(s, i);
	for (i = 0; i < s->n_listeners; i++)
		evconnlistener_free(s->listeners[i].listener);
	if (s->sweep != NULL)
		event_free(s->sweep);
	if (s->resume != NULL)
		event_free(s->resume);
	free(s);
	*server = NULL;
}

enum csign_err
http_server_listen(struct http_server *server, int fd, struct tls *tls)
{
	struct http_listener *listener;

	if (server->n_listeners == LISTENERS_MAX)
		return CSIGN_E_TOO_LONG;
	listener = &server->listeners[server->n_listeners];
	listener->server = server;
	listener->tls = tls;
	/* backlog 0: the socket listens already. */
	listener->listener = evconnlistener_new(server->config.base, on_accept,
	    listener, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener->listener == NULL)
		return CSIGN_E_NOMEM;
	evconnlistener_set_error_cb(listener->listener, on_accept_error);
	server->n_listeners++;
	return CSIGN_OK;
}

void
http_server_stop(struct http_server *server)
{
	struct http_conn *conn, *next;
	size_t i;

	for (i = 0; i < server->n_listeners; i++)
		evconnlistener_disable(server->listeners[i].listener);
	close_list(server, CONN_IDLE);
	for (conn = TAILQ_FIRST(&server->lists[CONN_READING]); conn != NULL;
	     conn = next) {
		next = TAILQ_NEXT(conn, next);
		if (evbuffer_get_length(bufferevent_get_input(conn->bev)) == 0)
			conn_close(conn);
	}
	server->stopping = true;
	if (server->n_conns == 0)
		server->config.stopped(server->config.arg);
}

size_t
http_server_connections(const struct http_server *server)
{
	return server->n_conns;
}
