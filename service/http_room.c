/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is let in, and who must go for it: all together, and owner by owner. */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "http_impl.h"

/* Connections beyond the limit that still get a 503 instead of nothing. */
#define REFUSED_MAX 64
/* The same, of one owner beyond its share. */
#define REFUSED_SHARE 8
/* In a full service, a request that has lasted for this long makes room. */
#define PATIENCE_MS 2000

enum share_doing
http_doing(enum conn_state state)
{
	if (state == CONN_READING || state == CONN_REFUSED)
		return SHARE_READING;
	return state == CONN_IDLE ? SHARE_IDLE : SHARE_BUSY;
}

static bool
is_slow(const struct http_conn *conn)
{
	return http_now() + READING_MS >= conn->deadline + PATIENCE_MS;
}

/* It goes for another one of this owner; NULL: for whoever it is. */
static void
put_out(struct http_conn *conn, const struct share_owner *owner)
{
	struct http_server *server = conn->server;

	if (conn->state == CONN_READING && server->config.put_out != NULL)
		server->config.put_out(server->config.arg, &conn->peer, owner);
	server->n_put_out++;
	http_close(conn);
}

/* --- all together -------------------------------------------------------- */

/*
 * Who has nothing to say makes room for who has; then who has been saying it
 * for long.  The one that began first is the first; NULL if nobody must go.
 */
static struct http_conn *
find_room(struct http_server *server)
{
	struct http_conn *idle = TAILQ_FIRST(&server->lists[CONN_IDLE]);
	struct http_conn *reading = TAILQ_FIRST(&server->lists[CONN_READING]);

	if (idle != NULL)
		return idle;
	return reading != NULL && is_slow(reading) ? reading : NULL;
}

/* Those that will get no more than a 503 take nobody's room. */
static bool
is_full(const struct http_server *server)
{
	return server->n_conns - server->n_refused >=
	       server->config.max_connections;
}

/* --- owner by owner ------------------------------------------------------ */

static struct http_conn *
conn_of(struct share_member *member)
{
	if (member == NULL)
		return NULL;
	return (void *)((char *)member - offsetof(struct http_conn, member));
}

/*
 * The same among those of its owner, but without patience: a host's new
 * connection counts for its address until its key has come, and whoever fills
 * the share of that address again and again would lock the host out.
 */
static struct http_conn *
find_room_of(const struct http_conn *conn)
{
	struct share_member *first = shares_first(&conn->member, SHARE_IDLE);

	if (first == NULL)
		first = shares_first(&conn->member, SHARE_READING);
	return conn_of(first);
}

/* How many its owner has too many. */
static size_t
excess(const struct http_conn *conn)
{
	const struct share_owner *owner = shares_owner(&conn->member);
	size_t count = shares_count(&conn->member), max;

	if (owner == NULL)
		return 0;
	max = conn->server->config.max_share[owner->kind];
	return count > max ? count - max : 0;
}

/* Others of its owner go for it; returns what is too many all the same. */
static size_t
make_room(struct http_conn *conn)
{
	struct http_conn *other;

	while (excess(conn) > 0 && (other = find_room_of(conn)) != NULL)
		put_out(other, shares_owner(&conn->member));
	return excess(conn);
}

/* Counts a new one for its owner. */
static bool
join(struct http_conn *conn)
{
	const struct http_config *config = &conn->server->config;
	struct share_owner owner;

	if (config->owner == NULL ||
	    !config->owner(config->arg, &conn->peer, &owner))
		return true;
	return shares_join(conn->server->shares, &owner, SHARE_READING,
		   &conn->member) == CSIGN_OK;
}

/* --- a new one ----------------------------------------------------------- */

/* It gets no more than a 503. */
static void
refuse_new(struct http_conn *conn, enum http_full full)
{
	const struct http_config *config = &conn->server->config;

	conn->refuse = true;
	if (config->refused != NULL)
		config->refused(config->arg, &conn->peer, full);
}

/*
 * Is there a descriptor for one more?  If need be the one that came first of
 * those that are to get a 503, but have not sent a request yet, goes for it.
 */
static bool
find_place(struct http_server *server)
{
	struct http_conn *other = TAILQ_FIRST(&server->lists[CONN_REFUSED]);

	if (server->n_conns < server->config.max_connections + REFUSED_MAX)
		return true;
	if (other == NULL)
		return false;
	put_out(other, NULL);
	return true;
}

bool
http_admit(struct http_conn *conn)
{
	struct http_server *server = conn->server;
	struct http_conn *other;
	size_t too_many;

	if (!join(conn))
		return false;
	if ((too_many = make_room(conn)) > 0)
		refuse_new(conn, HTTP_FULL_SHARE);
	else if (is_full(server) && (other = find_room(server)) != NULL)
		put_out(other, NULL);
	else if (is_full(server))
		refuse_new(conn, HTTP_FULL_SERVER);
	return too_many <= REFUSED_SHARE && find_place(server);
}

bool
http_belongs(struct http_conn *conn, const struct share_owner *owner)
{
	const struct share_owner *now = shares_owner(&conn->member);

	if (now == NULL ||
	    (now->kind == owner->kind &&
		memcmp(now->key, owner->key, SHARE_KEY_LEN) == 0))
		return true;
	shares_leave(conn->server->shares, &conn->member);
	if (shares_join(conn->server->shares, owner, http_doing(conn->state),
		&conn->member) == CSIGN_OK &&
	    make_room(conn) == 0)
		return true;
	conn->keep_alive = false;
	return false;
}
