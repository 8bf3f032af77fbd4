/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "http_impl.h"

#define BACKLOG_PAUSE_US 100000
/* Too few, and who opens many connections slows down accepting for all. */
#define PUT_OUT_MAX 256

static const unsigned state_ms[CONN_N_STATES] = {
    [CONN_READING] = READING_MS,
    [CONN_IDLE] = 60000,
    [CONN_HELD] = 0,
    [CONN_WRITING] = 10000,
    [CONN_ENDING] = 2000,
};

uint64_t
http_now(void)
{
	uint64_t ms = 0;

	/* A clock that fails makes every deadline late, never early. */
	if (csign_clock_boot(&ms) != CSIGN_OK)
		return 0;
	return ms;
}

void
http_enter(struct http_conn *conn, enum conn_state state)
{
	struct http_server *server = conn->server;

	TAILQ_REMOVE(&server->lists[conn->state], conn, next);
	conn->state = (uint8_t)state;
	shares_do(&conn->member, http_doing(state));
	conn->deadline = http_now() + state_ms[state];
	TAILQ_INSERT_TAIL(&server->lists[state], conn, next);
}

void
http_close(struct http_conn *conn)
{
	struct http_server *server = conn->server;
	SSL *ssl = bufferevent_openssl_get_ssl(conn->bev);

	TAILQ_REMOVE(&server->lists[conn->state], conn, next);
	shares_leave(server->shares, &conn->member);
	if (ssl != NULL) { /* say goodbye, do not wait for the answer */
		SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
		SSL_shutdown(ssl);
	}
	bufferevent_free(conn->bev);
	server->n_refused -= conn->refuse;
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
		http_close(conn);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	uint64_t now = http_now();
	unsigned state;

	(void)fd;
	(void)what;
	for (state = 0; state < CONN_N_STATES; state++)
		if (state != CONN_HELD)
			sweep_list(arg, state, now);
}

/* --- accepting ----------------------------------------------------------- */

static struct http_peer
peer_of(const struct sockaddr *address, int fd)
{
	struct http_peer peer;
	struct ucred account;
	socklen_t len = sizeof account;

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
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &account, &len) ==
		    0)
			peer.uid = account.uid;
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

static void
accept_one(
    struct http_listener *listener, int fd, const struct sockaddr *address)
{
	static const struct timeval second = {1, 0};
	struct http_server *server = listener->server;
	struct http_conn *conn;
	int on = 1;

	if ((conn = calloc(1, sizeof *conn)) == NULL) {
		close(fd);
		return;
	}
	conn->server = server;
	conn->peer = peer_of(address, fd);
	if (!http_admit(conn)) {
		shares_leave(server->shares, &conn->member);
		close(fd);
		free(conn);
		return;
	}
	if ((conn->bev = make_bev(listener, fd)) == NULL) {
		shares_leave(server->shares, &conn->member);
		free(conn);
		return;
	}
	if (!conn->peer.local)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	conn->deadline = http_now() + READING_MS;
	conn->state = conn->refuse ? CONN_REFUSED : CONN_READING;
	TAILQ_INSERT_TAIL(&server->lists[conn->state], conn, next);
	server->n_refused += conn->refuse;
	if (server->n_conns++ == 0)
		event_add(server->sweep, &second);
	bufferevent_setcb(
	    conn->bev, http_on_read, http_on_written, http_on_event, conn);
	bufferevent_setwatermark(conn->bev, EV_READ, 0, REQUEST_MAX + 1);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

/*
 * What was put out gives its memory back behind the events that are due now,
 * and all in the kernel's queue would be accepted before: so the rest of them
 * come after that.
 */
static void
on_accept(struct evconnlistener *lev, evutil_socket_t fd,
    struct sockaddr *address, int address_len, void *arg)
{
	struct http_listener *listener = arg;
	struct http_server *server = listener->server;

	(void)address_len;
	accept_one(listener, fd, address);
	if (server->n_put_out < PUT_OUT_MAX)
		return;
	server->n_put_out = 0;
	evconnlistener_disable(lev);
	event_active(server->resume, EV_TIMEOUT, 0);
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
	if (shares_new(&server->shares) != CSIGN_OK ||
	    (server->sweep = event_new(
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
		http_close(conn);
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
	shares_free(&s->shares);
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
	close_list(server, CONN_REFUSED);
	for (conn = TAILQ_FIRST(&server->lists[CONN_READING]); conn != NULL;
	     conn = next) {
		next = TAILQ_NEXT(conn, next);
		if (evbuffer_get_length(bufferevent_get_input(conn->bev)) == 0)
			http_close(conn);
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
