/* SPDX-License-Identifier: BSD-2-Clause */
/* The handle of one call, made strict by http_strict.h. */
#include "config.h"

#include "http_impl.h"
#include "http_strict.h"

#define SET(option, value) CSIGN_CURL_SET(easy, option, value)

/*
 * What arrives is counted; libcurl itself keeps what curl_easy_header() needs.
 */
static size_t
on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct csign_http_call *call = arg;

	(void)bytes;
	if (size != 1 || n > CSIGN_HTTP_HEADER_MAX - call->header_bytes) {
		call->too_big = true;
		return 0;
	}
	call->header_bytes += n;
	return n;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct csign_http_call *call = arg;

	if (size != 1 || csign_buf_put(call->in, bytes, n) != CSIGN_OK) {
		call->too_big = true;
		return 0;
	}
	return n;
}

static bool
set_route(CURL *easy, const struct csign_http *http)
{
	return csign_curl_strict(
		   easy, http->plain ? "http" : "https", http->proxy) &&
	       SET(CURLOPT_PROXYTYPE, (long)CURLPROXY_HTTP) &&
	       SET(CURLOPT_HTTPPROXYTUNNEL, 1L) &&
	       SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) &&
	       SET(CURLOPT_UNIX_SOCKET_PATH, http->socket);
}

static bool
set_tls(CURL *easy, const struct csign_http *http)
{
	return http->plain ||
	       (csign_curl_tls(easy, http->host, http->ca_file) &&
		   (http->pins == NULL ||
		       SET(CURLOPT_PINNEDPUBLICKEY, http->pins)));
}

/*
 * The time for the whole exchange also ends one that trickles; a limit on
 * speed would end every long poll.
 */
static bool
set_limits(CURL *easy, const struct csign_http_call *call, uint32_t timeout_ms)
{
	return SET(CURLOPT_CONNECTTIMEOUT_MS, (long)call->http->connect_ms) &&
	       SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms) &&
	       SET(CURLOPT_MAXFILESIZE, (long)call->body_max) &&
	       SET(CURLOPT_HEADERFUNCTION, on_header) &&
	       SET(CURLOPT_HEADERDATA, call) &&
	       SET(CURLOPT_WRITEFUNCTION, on_body) &&
	       SET(CURLOPT_WRITEDATA, call) &&
	       SET(CURLOPT_ERRORBUFFER, call->error) &&
	       SET(CURLOPT_PRIVATE, call);
}

static void
chain_header(struct csign_http_call *call, int index, char *line)
{
	struct curl_slist *header = &call->headers[index];

	header->data = line;
	header->next = NULL;
	for (int i = index - 1; i >= 0; i--) {
		if (call->headers[i].data != NULL) {
			call->headers[i].next = header;
			break;
		}
	}
}

static bool
set_headers(CURL *easy, struct csign_http_call *call, bool json)
{
	static char accept[] = "Accept: application/json";
	static char expect[] = "Expect:"; /* never "100-continue" */
	static char type[] = "Content-Type: application/json";
	struct csign_secret *auth = call->http->authorization;

	chain_header(call, HEADER_ACCEPT, accept);
	chain_header(call, HEADER_EXPECT, expect);
	if (json)
		chain_header(call, HEADER_TYPE, type);
	if (auth != NULL)
		chain_header(
		    call, HEADER_AUTH, (char *)csign_secret_data(auth));
	if (call->cookie != NULL)
		chain_header(call, HEADER_COOKIE,
		    (char *)(uintptr_t)csign_buf_str(call->cookie));
	return SET(CURLOPT_HTTPHEADER, &call->headers[0]);
}

static bool
set_method(CURL *easy, const struct csign_http_call *call,
    enum csign_http_method method)
{
	switch (method) {
	case CSIGN_HTTP_GET:
		return SET(CURLOPT_HTTPGET, 1L);
	case CSIGN_HTTP_DELETE:
		return SET(CURLOPT_HTTPGET, 1L) &&
		       SET(CURLOPT_CUSTOMREQUEST, "DELETE");
	case CSIGN_HTTP_PATCH:
	case CSIGN_HTTP_POST:
		if (method == CSIGN_HTTP_PATCH &&
		    !SET(CURLOPT_CUSTOMREQUEST, "PATCH"))
			return false;
		return SET(CURLOPT_POST, 1L) &&
		       SET(CURLOPT_POSTFIELDSIZE,
			   (long)csign_buf_len(call->out)) &&
		       SET(CURLOPT_POSTFIELDS, csign_buf_data(call->out));
	}
	return false;
}

enum csign_err
csign_http_handle(struct csign_http_call *call, enum csign_http_method method,
    bool json, uint32_t timeout_ms)
{
	struct csign_http *http = call->http;
	CURL *easy = call->easy = curl_easy_init();

	if (easy == NULL)
		return CSIGN_E_NOMEM;
	if (!set_route(easy, http) || !set_tls(easy, http) ||
	    !set_limits(easy, call, timeout_ms) ||
	    (call->look && !SET(CURLOPT_CERTINFO, 1L)) ||
	    !set_headers(easy, call, json) || !set_method(easy, call, method) ||
	    !SET(CURLOPT_URL, csign_buf_str(call->url)))
		return CSIGN_E_INTERNAL;
	return CSIGN_OK;
}
