/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the HTTP server share; see http.h. */
#ifndef SERVICE_HTTP_IMPL_H
#define SERVICE_HTTP_IMPL_H

#include <event2/bufferevent.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "bounds.h"
#include "http.h"

struct evconnlistener;
struct event;

#define REQUEST_MAX (CSIGN_HTTP_HEADER_MAX + CSIGN_HTTP_BODY_MAX)
#define LISTENERS_MAX 16
#define READING_MS 10000 /* for a request, from its first byte to its last */

/* Each has its own list, in the order of the deadlines. */
enum conn_state {
	CONN_READING, /* a request, from its first byte, or the handshake */
	CONN_REFUSED, /* the same, but its reply will be a 503 */
	CONN_IDLE,    /* between two requests */
	CONN_HELD,    /* the handler will reply later: no deadline here */
	CONN_WRITING, /* a reply */
	CONN_ENDING,  /* replied and closed; eats what still comes */
	CONN_N_STATES,
};

struct http_conn {
	TAILQ_ENTRY(http_conn) next;
	struct share_member member;
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
	bool refuse;    /* it gets no more than a 503; stays set */
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
	size_t n_refused; /* of those, that get no more than a 503 */
	struct shares *shares;
	struct event *sweep;
	struct event *resume; /* accepting, soon or after a pause */
	unsigned n_put_out;   /* since accepting has paused for it */
	bool stopping;
	time_t date_of;
	char date[40];
	char scratch[REQUEST_MAX + 1]; /* the request being handled */
};

/* ms since boot; 0 if that cannot be read. */
uint64_t http_now(void);
/* From now on, and until its deadline, the connection does something else. */
void http_enter(struct http_conn *conn, enum conn_state state);
void http_close(struct http_conn *conn);

/* --- http_room.c ---------------------------------------------------------- */

/* How the owner's share counts one of this state. */
enum share_doing http_doing(enum conn_state state);
/*
 * Finds room for a new connection: it is let in, or will be told that there is
 * none.  Whoever has too many puts out nobody else.  False: not even that.
 */
bool http_admit(struct http_conn *conn);

/* --- http_request.c ------------------------------------------------------- */

/* Of the bufferevent; arg is struct http_conn *. */
void http_on_read(struct bufferevent *bev, void *arg);
/* Everything has been written. */
void http_on_written(struct bufferevent *bev, void *arg);
void http_on_event(struct bufferevent *bev, short what, void *arg);

#endif
