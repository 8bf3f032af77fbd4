/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "courier/http_strict.h"
#include "push_wire.h"

#define CONNECT_MS 5000L
#define WHOLE_MS 10000L
#define HEADER_MAX 8192
#define BODY_MAX 4096
#define CONNECTIONS_MAX 64L
#define IDLE_S 60L /* that a connection is kept for the next */

struct transfer {
	LIST_ENTRY(transfer) next;
	struct push_wire *wire;
	CURL *easy;
	struct curl_slist *headers;
	struct endpoint endpoint;
	push_wire_done *done;
	void *arg;
	size_t header_bytes, body_bytes;
	bool answered;  /* the reply's head is there, whole */
	bool forbidden; /* an address was refused */
	char error[CURL_ERROR_SIZE];
};

LIST_HEAD(transfer_list, transfer);

struct push_wire {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	struct transfer_list transfers;
	const char *ca_file;
	bool allow_private;
	bool curl; /* curl_global_init() was called */
};

/* --- who is called -------------------------------------------------------- */

/*
 * What a name led to is looked at here, on the address that is connected to:
 * whatever a resolver says, and says next time, comes through this.
 */
static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = arg;
	bool anywhere =
	    transfer->wire->allow_private && transfer->endpoint.listed;

	if (purpose != CURLSOCKTYPE_IPCXN ||
	    (address->family != AF_INET && address->family != AF_INET6) ||
	    (!anywhere &&
		!endpoint_address_public(&address->addr, address->addrlen))) {
		transfer->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
}

/* --- what comes back ------------------------------------------------------ */

static size_t
on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *transfer = arg;
	long status = 0;

	if (size != 1 || n > HEADER_MAX - transfer->header_bytes)
		return 0;
	transfer->header_bytes += n;
	/* The empty line; 100 and 103 are not the reply yet. */
	if (n <= 2 && (bytes[0] == '\r' || bytes[0] == '\n') &&
	    curl_easy_getinfo(
		transfer->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	    status >= 200)
		transfer->answered = true;
	return n;
}

/* Nobody reads it; a little of it is waited for, to keep the connection. */
static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *transfer = arg;

	(void)bytes;
	if (size != 1 || n > BODY_MAX - transfer->body_bytes)
		return 0;
	transfer->body_bytes += n;
	return n;
}

static void
read_retry_after(CURL *easy, struct push_reply *reply)
{
	struct curl_header *header = NULL;

	if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1,
		&header) == CURLHE_OK &&
	    strlen(header->value) < sizeof reply->retry_after)
		memcpy(reply->retry_after, header->value,
		    strlen(header->value) + 1);
}

/*
 * What the head says counts, whatever becomes of the body: a push service that
 * sends one without end has taken the message all the same.
 */
static void
read_reply(
    const struct transfer *transfer, CURLcode code, struct push_reply *reply)
{
	long status = 0;

	memset(reply, 0, sizeof *reply);
	if (transfer->answered &&
	    curl_easy_getinfo(
		transfer->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	    status >= 200 && status < 1000) {
		reply->status = (int)status;
		read_retry_after(transfer->easy, reply);
		return;
	}
	reply->forbidden = transfer->forbidden && code == CURLE_COULDNT_CONNECT;
	(void)snprintf(reply->reason, sizeof reply->reason, "%s",
	    reply->forbidden             ? "not an address of the Internet"
	    : transfer->error[0] != '\0' ? transfer->error
					 : curl_easy_strerror(code));
}

/* --- libcurl on the event loop -------------------------------------------- */

static void
transfer_free(struct transfer *transfer)
{
	LIST_REMOVE(transfer, next);
	if (transfer->easy != NULL) {
		(void)curl_multi_remove_handle(
		    transfer->wire->multi, transfer->easy);
		curl_easy_cleanup(transfer->easy);
	}
	curl_slist_free_all(transfer->headers);
	free(transfer);
}

static void
collect(struct push_wire *wire)
{
	struct transfer *transfer;
	struct push_reply reply;
	push_wire_done *done;
	CURLMsg *msg;
	void *arg;
	int left;

	while ((msg = curl_multi_info_read(wire->multi, &left)) != NULL) {
		char *private = NULL;

		if (msg->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
			&private) != CURLE_OK)
			continue;
		transfer = (struct transfer *)(void *)private;
		read_reply(transfer, msg->data.result, &reply);
		done = transfer->done;
		arg = transfer->arg;
		transfer_free(transfer);
		done(arg, &reply);
	}
}

static void
turn(struct push_wire *wire, curl_socket_t fd, int what)
{
	int running;

	(void)curl_multi_socket_action(wire->multi, fd, what, &running);
	collect(wire);
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	turn(arg, fd,
	    ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
		((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl wants to hear of this socket, or no longer. */
static int
on_socket_wish(
    CURL *easy, curl_socket_t fd, int wish, void *arg, void *socket_arg)
{
	struct push_wire *wire = arg;
	struct event *event = socket_arg;
	short what = (short)(((wish & CURL_POLL_IN) != 0 ? EV_READ : 0) |
			     ((wish & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));

	(void)easy;
	if (event != NULL)
		event_free(event);
	event = NULL;
	if (wish != CURL_POLL_REMOVE &&
	    ((event = event_new(wire->base, fd, (short)(what | EV_PERSIST),
		  on_socket, wire)) == NULL ||
		event_add(event, NULL) != 0)) {
		/* The transfer ends by its timeout. */
		if (event != NULL)
			event_free(event);
		event = NULL;
	}
	(void)curl_multi_assign(wire->multi, fd, event);
	return 0;
}

static int
on_timer_wish(CURLM *multi, long timeout_ms, void *arg)
{
	struct push_wire *wire = arg;
	struct timeval in = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

	(void)multi;
	if (timeout_ms < 0)
		(void)event_del(wire->timer);
	else
		(void)event_add(wire->timer, &in);
	return 0;
}

enum csign_err
push_wire_new(struct event_base *base, const char *ca_file, bool allow_private,
    struct push_wire **ret_wire)
{
	struct push_wire *wire;

	if ((wire = calloc(1, sizeof *wire)) == NULL)
		return CSIGN_E_NOMEM;
	LIST_INIT(&wire->transfers);
	wire->base = base;
	wire->ca_file = ca_file;
	wire->allow_private = allow_private;
	wire->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	wire->timer = event_new(base, -1, 0, on_timer, wire);
	if (!wire->curl || wire->timer == NULL ||
	    (wire->multi = curl_multi_init()) == NULL ||
	    curl_multi_setopt(wire->multi, CURLMOPT_SOCKETFUNCTION,
		on_socket_wish) != CURLM_OK ||
	    curl_multi_setopt(wire->multi, CURLMOPT_SOCKETDATA, wire) !=
		CURLM_OK ||
	    curl_multi_setopt(wire->multi, CURLMOPT_TIMERFUNCTION,
		on_timer_wish) != CURLM_OK ||
	    curl_multi_setopt(wire->multi, CURLMOPT_TIMERDATA, wire) !=
		CURLM_OK ||
	    curl_multi_setopt(wire->multi, CURLMOPT_MAXCONNECTS,
		CONNECTIONS_MAX) != CURLM_OK) {
		push_wire_free(&wire);
		return CSIGN_E_SYSTEM;
	}
	*ret_wire = wire;
	return CSIGN_OK;
}

void
push_wire_free(struct push_wire **wire)
{
	struct transfer *transfer, *next;

	if (*wire == NULL)
		return;
	for (transfer = LIST_FIRST(&(*wire)->transfers); transfer != NULL;
	     transfer = next) {
		next = LIST_NEXT(transfer, next);
		transfer_free(transfer);
	}
	if ((*wire)->multi != NULL)
		(void)curl_multi_cleanup((*wire)->multi);
	if ((*wire)->timer != NULL)
		event_free((*wire)->timer);
	if ((*wire)->curl)
		curl_global_cleanup();
	free(*wire);
	*wire = NULL;
}

/* --- a handle ------------------------------------------------------------- */

#define SET(option, value) CSIGN_CURL_SET(easy, option, value)

static bool
set_limits(CURL *easy, struct transfer *transfer)
{
	return SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) &&
	       SET(CURLOPT_TIMEOUT_MS, WHOLE_MS) &&
	       SET(CURLOPT_MAXAGE_CONN, IDLE_S) &&
	       SET(CURLOPT_HEADERFUNCTION, on_header) &&
	       SET(CURLOPT_HEADERDATA, transfer) &&
	       SET(CURLOPT_WRITEFUNCTION, on_body) &&
	       SET(CURLOPT_WRITEDATA, transfer) &&
	       SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket) &&
	       SET(CURLOPT_OPENSOCKETDATA, transfer) &&
	       SET(CURLOPT_ERRORBUFFER, transfer->error) &&
	       SET(CURLOPT_PRIVATE, transfer);
}

static bool
add_header(struct transfer *transfer, const char *line)
{
	struct curl_slist *list = curl_slist_append(transfer->headers, line);

	if (list != NULL)
		transfer->headers = list;
	return list != NULL;
}

static bool
set_post(CURL *easy, struct transfer *transfer, const struct push_post *post)
{
	for (size_t i = 0; post->headers[i] != NULL; i++)
		if (!add_header(transfer, post->headers[i]))
			return false;
	/* Neither libcurl's own, nor a wait for "100 Continue". */
	return add_header(transfer, "Accept:") &&
	       add_header(transfer, "Expect:") &&
	       SET(CURLOPT_HTTPHEADER, transfer->headers) &&
	       SET(CURLOPT_POST, 1L) &&
	       SET(CURLOPT_POSTFIELDSIZE, (long)csign_buf_len(post->body)) &&
	       SET(CURLOPT_POSTFIELDS, csign_buf_data(post->body)) &&
	       SET(CURLOPT_URL, post->url);
}

enum csign_err
push_wire_post(struct push_wire *wire, const struct push_post *post,
    push_wire_done *done, void *arg)
{
	struct transfer *transfer;
	CURL *easy;

	if ((transfer = calloc(1, sizeof *transfer)) == NULL)
		return CSIGN_E_NOMEM;
	LIST_INSERT_HEAD(&wire->transfers, transfer, next);
	transfer->wire = wire;
	transfer->endpoint = *post->endpoint;
	transfer->done = done;
	transfer->arg = arg;
	transfer->easy = easy = curl_easy_init();
	if (easy == NULL || !csign_curl_strict(easy, "https", NULL) ||
	    !csign_curl_tls(easy, transfer->endpoint.host, wire->ca_file) ||
	    !set_limits(easy, transfer) || !set_post(easy, transfer, post) ||
	    curl_multi_add_handle(wire->multi, easy) != CURLM_OK) {
		transfer_free(transfer);
		return CSIGN_E_INTERNAL;
	}
	return CSIGN_OK;
}
