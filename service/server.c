/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api.h"
#include "listen.h"
#include "log.h"
#include "notify.h"
#include "owner.h"
#include "reply.h"
#include "server.h"
#include "service.h"
#include "watch.h"

#define STOP_S 3      /* for replies that are on their way */
#define OTHER_FDS 128 /* beside connections: database, log, listeners */
#define LISTEN_WORD_MAX 64
#define BOUND_MAX 1024
#define LOG_LINES 6 /* per minute, about one address or host */

struct server {
	struct service service;
	struct watch *watch;
	struct event *signals[3];
	struct event *stop_timer;
	struct csign_buf *bound; /* the addresses, for the log */
	bool stopping;
};

/* The last connection is gone. */
static void
on_stopped(void *arg)
{
	const struct service *service = arg;

	event_base_loopbreak(service->base);
}

static void
on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(server->service.base);
}

/* SIGTERM, SIGINT.  A second one does not wait for anybody. */
static void
on_stop(evutil_socket_t signum, short what, void *arg)
{
	static const struct timeval limit = {STOP_S, 0};
	struct server *server = arg;

	(void)signum;
	(void)what;
	if (server->stopping) {
		event_base_loopbreak(server->service.base);
		return;
	}
	server->stopping = true;
	notify("STOPPING=1");
	log_event(CSIGN_LOG_NOTICE, "stopping");
	event_add(server->stop_timer, &limit);
	http_server_stop(server->service.http);
	/* Couriers hear "nothing new" and come back to our successor. */
	approvals_tell_all(server->service.approvals);
	inbox_tell_all(server->service.inbox);
}

static void
on_reload(evutil_socket_t signum, short what, void *arg)
{
	struct server *server = arg;
	struct csign_why why = {""};

	(void)signum;
	(void)what;
	if (server->service.tls == NULL)
		return;
	if (tls_reload(server->service.tls, &why) == CSIGN_OK)
		log_event(CSIGN_LOG_NOTICE, "certificate_reloaded");
	else
		log_event(CSIGN_LOG_ERR, "certificate_not_reloaded", "reason",
		    why.text);
}

/* As many descriptors as we may have, and no more connections than that. */
static void
fit_connections(struct settings *settings)
{
	rlim_t want = (rlim_t)settings->max_connections + OTHER_FDS;
	struct rlimit limit;
	char text[24];

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	settings->max_connections = limit.rlim_cur > 2UL * OTHER_FDS
					? (uint32_t)(limit.rlim_cur - OTHER_FDS)
					: (uint32_t)(limit.rlim_cur / 2);
	(void)snprintf(text, sizeof text, "%u", settings->max_connections);
	log_event(CSIGN_LOG_WARNING, "connections_limited", "max", text);
}

static enum csign_err
add_listener(struct server *server, int fd, struct tls *tls, const char *bound)
{
	enum csign_err r;

	bool first = csign_buf_len(server->bound) == 0;

	if ((r = csign_buf_putf(
		 server->bound, "%s%s", first ? "" : ",", bound)) == CSIGN_OK)
		r = http_server_listen(server->service.http, fd, tls);
	if (r != CSIGN_OK)
		close(fd);
	return r;
}

static enum csign_err
listen_word(struct server *server, const char *word, struct csign_why *why)
{
	struct tls *tls = server->service.tls;
	char bound[LISTEN_WORD_MAX * 2];
	enum csign_err r;
	int fd;

	if ((r = listen_tcp(
		 word, tls != NULL, bound, sizeof bound, why, &fd)) != CSIGN_OK)
		return r;
	return add_listener(server, fd, tls, bound);
}

static enum csign_err
listen_all(struct server *server, struct csign_why *why)
{
	const char *at = server->service.settings.listen;
	const char *path = server->service.settings.listen_socket;
	char word[LISTEN_WORD_MAX];
	enum csign_err r;
	size_t len;
	int fd;

	while (at != NULL && *at != '\0') {
		len = strcspn(at, " ");
		if (len >= sizeof word) {
			csign_why_set(why, "listen: a word is too long");
			return CSIGN_E_CONFIG;
		}
		memcpy(word, at, len);
		word[len] = '\0';
		if ((r = listen_word(server, word, why)) != CSIGN_OK)
			return r;
		at += len;
		at += strspn(at, " ");
	}
	if (path == NULL)
		return CSIGN_OK;
	if ((r = listen_unix(path, why, &fd)) != CSIGN_OK)
		return r;
	return add_listener(server, fd, NULL, path);
}

static enum csign_err
add_signals(struct server *server)
{
	static const struct {
		int signum;
		event_callback_fn fn;
	} handled[] = {
	    {SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
	size_t i;

	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof handled / sizeof handled[0]; i++) {
		server->signals[i] =
		    event_new(server->service.base, handled[i].signum,
			EV_SIGNAL | EV_PERSIST, handled[i].fn, server);
		if (server->signals[i] == NULL ||
		    event_add(server->signals[i], NULL) != 0)
			return CSIGN_E_NOMEM;
	}
	server->stop_timer =
	    event_new(server->service.base, -1, 0, on_stop_timer, server);
	return server->stop_timer != NULL ? CSIGN_OK : CSIGN_E_NOMEM;
}

static enum csign_err
add_rates(struct service *service)
{
	const struct settings *settings = &service->settings;
	enum csign_err r;

	if ((r = rate_new(settings->rate_host, &service->host_rate)) !=
		CSIGN_OK ||
	    (r = rate_new(settings->rate_address, &service->address_rate)) !=
		CSIGN_OK)
		return r;
	if ((r = rate_new(settings->rate_device, &service->link_rate)) !=
	    CSIGN_OK)
		return r;
	return rate_new(LOG_LINES, &service->log_rate);
}

static enum csign_err
add_http(struct server *server)
{
	struct service *service = &server->service;
	const struct settings *settings = &service->settings;
	const struct http_config config = {
	    .base = service->base,
	    .max_connections = settings->max_connections,
	    .max_share =
		{
		    [SHARE_ADDRESS] = owner_share(settings, SHARE_ADDRESS),
		    [SHARE_ACCOUNT] = owner_share(settings, SHARE_ACCOUNT),
		    [SHARE_HOST] = owner_share(settings, SHARE_HOST),
		},
	    .owner = owner_of_peer,
	    .refused = owner_refused,
	    .put_out = owner_put_out,
	    .handler = api_handle,
	    .refuser = api_refuse,
	    .arg = service,
	    .stopped = on_stopped,
	};

	return http_server_new(&config, &service->http);
}

static enum csign_err
start(struct server *server, const char *config, struct csign_why *why)
{
	struct service *service = &server->service;
	const struct settings *settings = &service->settings;
	enum csign_err r;

	if ((r = settings_load(config, &service->settings, why)) != CSIGN_OK ||
	    (r = proxies_parse(settings->trusted_proxies, why,
		 &service->proxies)) != CSIGN_OK)
		return r;
	log_set_level(settings_log_level(settings));
	fit_connections(&service->settings);
	if (settings->tls_key != NULL &&
	    (r = tls_new(settings->tls_certificate, settings->tls_key, why,
		 &service->tls)) != CSIGN_OK)
		return r;
	if ((r = store_open(settings->database, STORE_SERVE, why,
		 &service->store)) != CSIGN_OK)
		return r;
	csign_why_set(why, "out of memory");
	r = CSIGN_E_NOMEM;
	if ((service->base = event_base_new()) == NULL ||
	    (r = csign_buf_new(REPLY_MAX, &service->out)) != CSIGN_OK ||
	    (r = csign_buf_new(BOUND_MAX, &server->bound)) != CSIGN_OK ||
	    (r = add_signals(server)) != CSIGN_OK ||
	    (r = add_rates(service)) != CSIGN_OK ||
	    (r = inbox_new(service->base, service->store, &service->inbox)) !=
		CSIGN_OK ||
	    (r = approvals_new(service->base, service->store, service->inbox,
		 settings, &service->approvals)) != CSIGN_OK ||
	    (r = watch_new(service, &server->watch)) != CSIGN_OK ||
	    (r = add_http(server)) != CSIGN_OK)
		return r;
	if (settings->push && (r = push_new(service->base, service->store,
				   settings, why, &service->push)) != CSIGN_OK)
		return r;
	return listen_all(server, why);
}

static void
clear(struct server *server)
{
	struct service *service = &server->service;
	size_t i;

	http_server_free(&service->http);
	watch_free(&server->watch);
	push_free(&service->push);
	approvals_free(&service->approvals);
	inbox_free(&service->inbox);
	for (i = 0; i < sizeof server->signals / sizeof server->signals[0]; i++)
		if (server->signals[i] != NULL)
			event_free(server->signals[i]);
	if (server->stop_timer != NULL)
		event_free(server->stop_timer);
	if (service->base != NULL)
		event_base_free(service->base);
	rate_free(&service->host_rate);
	rate_free(&service->address_rate);
	rate_free(&service->link_rate);
	rate_free(&service->log_rate);
	csign_buf_free(&service->out);
	csign_buf_free(&server->bound);
	store_close(&service->store);
	tls_free(&service->tls);
	settings_clear(&service->settings);
}

enum csign_err
server_run(const char *config, struct csign_why *why)
{
	struct server *server;
	enum csign_err r;

	if ((server = calloc(1, sizeof *server)) == NULL)
		return CSIGN_E_NOMEM;
	if ((r = start(server, config, why)) == CSIGN_OK) {
		log_event(CSIGN_LOG_NOTICE, "ready", "version", PACKAGE_VERSION,
		    "listen", csign_buf_str(server->bound));
		notify("READY=1");
		if (event_base_dispatch(server->service.base) < 0)
			r = CSIGN_E_SYSTEM;
		log_event(CSIGN_LOG_NOTICE, "stopped");
	}
	clear(server);
	free(server);
	return r;
}
