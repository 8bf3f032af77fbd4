/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_impl.h"

#define HTTP_AUTHORIZATION "Authorization: Bearer "
#define HTTP_BEARER_MAX 128
#define HTTP_CONNECTIONS 2L

static bool
is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (strcasecmp(host, "localhost") == 0)
		return true; /* libcurl does not ask a resolver for it */
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 &&
	       IN6_IS_ADDR_LOOPBACK(&six);
}

/* One part of a URL, malloc(3)ed by libcurl, or NULL. */
static char *
url_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;

	return curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : NULL;
}

static bool
url_has(CURLU *url, CURLUPart part)
{
	char *text = url_part(url, part);
	bool has = text != NULL;

	curl_free(text);
	return has;
}

/* Without the brackets of an IPv6 address. */
static bool
take_host(struct csign_http *http, const char *host)
{
	size_t len = strlen(host);

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len == 0 || len > CSIGN_HOST_MAX)
		return false;
	memcpy(http->host, host, len);
	http->host[len] = '\0';
	return true;
}

/*
 * scheme://host[:port] and no more; plain text only within this machine.  The
 * settings were checked before, but here by the parser that will use them.
 */
static bool
check_origin(struct csign_http *http)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *path = NULL;
	bool ok = false;

	if (url == NULL || curl_url_set(url, CURLUPART_URL, http->origin,
			       CURLU_DISALLOW_USER) != CURLUE_OK)
		goto out;
	scheme = url_part(url, CURLUPART_SCHEME);
	host = url_part(url, CURLUPART_HOST);
	path = url_part(url, CURLUPART_PATH);
	if (scheme == NULL || host == NULL || path == NULL ||
	    strcmp(path, "/") != 0 || url_has(url, CURLUPART_QUERY) ||
	    url_has(url, CURLUPART_FRAGMENT) || !take_host(http, host))
		goto out;
	http->plain = strcmp(scheme, "http") == 0;
	ok = http->plain ? http->socket != NULL || is_loopback(http->host)
			 : strcmp(scheme, "https") == 0;
out:
	curl_free(scheme);
	curl_free(host);
	curl_free(path);
	curl_url_cleanup(url);
	return ok;
}

static enum csign_err
keep_bearer(struct csign_http *http, const char *bearer)
{
	const size_t capacity = sizeof(HTTP_AUTHORIZATION) + HTTP_BEARER_MAX;
	enum csign_err r;

	if (bearer == NULL || bearer[0] == '\0')
		return CSIGN_OK;
	/* A line break would make a header of its own. */
	if (strlen(bearer) > HTTP_BEARER_MAX || strpbrk(bearer, "\r\n") != NULL)
		return CSIGN_E_INVALID;
	if ((r = csign_secret_new(capacity, &http->authorization)) != CSIGN_OK)
		return r;
	(void)snprintf((char *)csign_secret_data(http->authorization), capacity,
	    HTTP_AUTHORIZATION "%s", bearer);
	return CSIGN_OK;
}

/* A copy, or NULL for "" and NULL. */
static bool
keep(char **ret_copy, const char *str)
{
	if (str == NULL || str[0] == '\0')
		return true;
	*ret_copy = strdup(str);
	return *ret_copy != NULL;
}

/* The configuration has blanks between them, libcurl wants semicolons. */
static bool
keep_pins(char **ret_copy, const char *pins)
{
	if (!keep(ret_copy, pins))
		return false;
	for (char *at = *ret_copy; at != NULL && *at != '\0'; at++)
		if (*at == ' ')
			*at = ';';
	return true;
}

static CURLM *
new_multi(void)
{
	CURLM *multi = curl_multi_init();

	if (curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, HTTP_CONNECTIONS) ==
		CURLM_OK &&
	    curl_multi_setopt(
		multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) == CURLM_OK)
		return multi;
	(void)curl_multi_cleanup(multi);
	return NULL;
}

static enum csign_err
http_init(struct csign_http *http, const struct csign_http_config *config,
    struct csign_why *why)
{
	if (!keep(&http->origin, config->origin) ||
	    !keep(&http->socket, config->socket) ||
	    !keep(&http->ca_file, config->ca_file) ||
	    !keep_pins(&http->pins, config->pins) ||
	    !keep(&http->proxy, config->proxy))
		return CSIGN_E_NOMEM;
	http->connect_ms = config->connect_ms != 0 ? config->connect_ms
						   : CSIGN_CONNECT_TIMEOUT_MS;
	if (http->origin == NULL || !check_origin(http)) {
		csign_why_set(why,
		    "%s: not the address of a service: https://host[:port], or "
		    "http:// to this machine itself",
		    http->origin == NULL ? "(none)" : http->origin);
		return CSIGN_E_CONFIG;
	}
	if (http->proxy != NULL &&
	    strncmp(http->proxy, "http://", strlen("http://")) != 0) {
		csign_why_set(why, "%s: not an http:// proxy", http->proxy);
		return CSIGN_E_CONFIG;
	}
	http->guest = config->beside != NULL;
	http->multi = http->guest ? config->beside->multi : new_multi();
	if (http->multi == NULL)
		return CSIGN_E_NOMEM;
	return keep_bearer(http, config->bearer);
}

enum csign_err
csign_http_new(const struct csign_http_config *config, struct csign_why *why,
    struct csign_http **ret_http)
{
	struct csign_http *http = calloc(1, sizeof(*http));
	enum csign_err r;

	if (http == NULL)
		return CSIGN_E_NOMEM;
	if ((r = http_init(http, config, why)) != CSIGN_OK) {
		csign_http_free(&http);
		return r;
	}
	*ret_http = http;
	return CSIGN_OK;
}

void
csign_http_free(struct csign_http **http)
{
	if (http == NULL || *http == NULL)
		return;
	if (!(*http)->guest)
		(void)curl_multi_cleanup((*http)->multi);
	csign_secret_free(&(*http)->authorization);
	free((*http)->origin);
	free((*http)->socket);
	free((*http)->ca_file);
	free((*http)->pins);
	free((*http)->proxy);
	free(*http);
	*http = NULL;
}
