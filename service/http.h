/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.1 connections on one libevent loop, over TCP, TLS or a unix socket.
 *
 * Written for many connections that wait: one that waits holds a bufferevent
 * and about 150 bytes, no request.  Every state but waiting has a deadline
 * that a peer cannot extend by trickling bytes; a full server says 503, and so
 * does one where the owner of the connection has too many (shares.h); the
 * handler learns at once when a waiting client goes away.
 */
#ifndef SERVICE_HTTP_H
#define SERVICE_HTTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "countersign.h"
#include "http_head.h"
#include "shares.h"
#include "tls.h"

struct event_base;
struct http_server;
struct http_conn;

/* A peer; IPv4 as ::ffff:a.b.c.d, a unix socket as "::". */
struct http_peer {
	struct in6_addr address;
	bool local; /* a unix socket */
	uid_t uid;  /* of who opened its other end; 0 for others */
};

/* Valid only while the handler runs; wiped after it. */
struct http_request {
	struct http_head head;
	const char *body; /* head.body_len bytes, and a NUL */
	struct http_peer peer;
};

struct http_reply {
	unsigned status;
	const char *type;  /* Content-Type, or NULL for no body */
	const char *extra; /* more header lines, each with CR LF, or NULL */
	const char *cache; /* Cache-Control, or NULL for "no-store" */
	const void *body;
	size_t body_len;
	bool close; /* the connection after it */
};

/*
 * Gets each request.  It calls http_reply() or http_hold() before it returns.
 */
typedef void http_handler(
    void *arg, struct http_conn *conn, const struct http_request *request);
/* Makes the reply for what goes wrong below the handler. */
typedef void http_refuser(void *arg, struct http_conn *conn, unsigned status);

/* Who has no room for one more. */
enum http_full { HTTP_FULL_SERVER, HTTP_FULL_SHARE };

struct http_config {
	struct event_base *base;
	size_t max_connections;
	size_t max_share[SHARE_N_KINDS];
	/* Whose a new connection is; false: nobody's.  NULL: nobody's all. */
	bool (*owner)(void *arg, const struct http_peer *peer,
	    struct share_owner *ret_owner);
	/* A new connection was refused; NULL: nobody wants to know. */
	void (*refused)(
	    void *arg, const struct http_peer *peer, enum http_full full);
	/*
	 * One in the middle of a handshake or a request went for another, and
	 * it had not been refused.  owner: who has too many; NULL: all
	 * together.  put_out is NULL as refused is.
	 */
	void (*put_out)(void *arg, const struct http_peer *peer,
	    const struct share_owner *owner);
	http_handler *handler;
	http_refuser *refuser;
	void *arg;
	/* No connection is left, after http_server_stop(). */
	void (*stopped)(void *arg);
};

CSIGN_WUR enum csign_err http_server_new(
    const struct http_config *config, struct http_server **ret_server);
void http_server_free(struct http_server **server);
/*
 * Accepts on a listening, non-blocking socket, which then belongs to server.
 * tls may be NULL; otherwise it must outlive the server.
 */
CSIGN_WUR enum csign_err http_server_listen(
    struct http_server *server, int fd, struct tls *tls);
/*
 * Stops accepting, closes connections without a request and those that get no
 * more than a 503, and lets the others end with their reply.
 */
void http_server_stop(struct http_server *server);
size_t http_server_connections(const struct http_server *server);

void http_reply(struct http_conn *conn, const struct http_reply *reply);
/*
 * A page of this origin may read the reply to the request being handled, which
 * may come with this origin's cookie, whenever it comes.  origin must outlive
 * the server; NULL: nobody else.
 */
void http_allow_origin(struct http_conn *conn, const char *origin);
/*
 * What came on it shows whose the connection is, from now on, unless it is
 * nobody's.  False: that owner has too many; the connection ends with the
 * reply.
 */
CSIGN_WUR bool http_belongs(
    struct http_conn *conn, const struct share_owner *owner);
/*
 * The reply comes later.  gone is called once if the client goes away before;
 * conn is not valid any more then.
 */
void http_hold(struct http_conn *conn, void (*gone)(void *arg), void *gone_arg);

#endif
