/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only place that makes a libcurl handle.  What libcurl would decide by
 * itself, by its build or by the environment is decided here.
 */
#include "config.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http_impl.h"

#define HTTP_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define HTTP_CIPHERS_13                                                        \
	"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"                 \
	"TLS_AES_128_GCM_SHA256"

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

/*
 * libcurl takes a certificate's common name if it has no subjectAltName;
 * OpenSSL, told the name itself, does not.
 */
static CURLcode
on_tls(CURL *easy, void *ssl_ctx, void *arg)
{
	const struct csign_http *http = arg;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);

	(void)easy;
	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if ((http->is_address
		    ? X509_VERIFY_PARAM_set1_ip_asc(param, http->host)
		    : X509_VERIFY_PARAM_set1_host(param, http->host, 0)) != 1)
		return CURLE_SSL_CONNECT_ERROR;
	return CURLE_OK;
}

#define SET(option, value)                                                     \
	(curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

/* HTTP/1.1 with this service and nobody else, nothing remembered or guessed. */
static bool
set_http(CURL *easy, const struct csign_http *http)
{
	const char *protocol = http->plain ? "http" : "https";

	return SET(CURLOPT_PROTOCOLS_STR, protocol) &&
	       SET(CURLOPT_REDIR_PROTOCOLS_STR, protocol) &&
	       SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_MAXREDIRS, 0L) &&
	       SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       SET(CURLOPT_COOKIEFILE, NULL) &&
	       SET(CURLOPT_UNRESTRICTED_AUTH, 0L) &&
	       SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) &&
	       SET(CURLOPT_PATH_AS_IS, 1L) &&
	       SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       SET(CURLOPT_HTTP09_ALLOWED, 0L) &&
	       SET(CURLOPT_ACCEPT_ENCODING, NULL) &&
	       SET(CURLOPT_HTTP_CONTENT_DECODING, 0L) &&
	       SET(CURLOPT_TRANSFER_ENCODING, 0L) &&
	       SET(CURLOPT_USERAGENT, PACKAGE_NAME);
}

/*
 * Without a proxy the empty string, which also keeps libcurl from looking into
 * the environment.
 */
static bool
set_route(CURL *easy, const struct csign_http *http)
{
	return SET(CURLOPT_PROXY, http->proxy != NULL ? http->proxy : "") &&
	       SET(CURLOPT_NOPROXY, "") &&
	       SET(CURLOPT_PROXYTYPE, (long)CURLPROXY_HTTP) &&
	       SET(CURLOPT_HTTPPROXYTUNNEL, 1L) &&
	       SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) &&
	       SET(CURLOPT_UNIX_SOCKET_PATH, http->socket) &&
	       SET(CURLOPT_TCP_NODELAY, 1L) && SET(CURLOPT_NOSIGNAL, 1L) &&
	       SET(CURLOPT_QUICK_EXIT, 1L);
}

/*
 * Of the system's certificates, the folder where there is one: a file with all
 * of them takes 20 ms and megabytes to read.
 */
static bool
set_authorities(CURL *easy, const struct csign_http *http)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	if (http->ca_file != NULL)
		return SET(CURLOPT_CAINFO, http->ca_file) &&
		       SET(CURLOPT_CAPATH, NULL);
	if (info->capath != NULL)
		return SET(CURLOPT_CAPATH, info->capath) &&
		       SET(CURLOPT_CAINFO, NULL);
	return info->cainfo != NULL && SET(CURLOPT_CAINFO, info->cainfo);
}

static bool
set_tls(CURL *easy, struct csign_http *http)
{
	return SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       SET(CURLOPT_SSL_CIPHER_LIST, HTTP_CIPHERS) &&
	       SET(CURLOPT_TLS13_CIPHERS, HTTP_CIPHERS_13) &&
	       SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
	       SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
	       SET(CURLOPT_SSL_OPTIONS, 0L) && set_authorities(easy, http) &&
	       SET(CURLOPT_SSL_CTX_FUNCTION, on_tls) &&
	       SET(CURLOPT_SSL_CTX_DATA, http) &&
	       (http->pins == NULL || SET(CURLOPT_PINNEDPUBLICKEY, http->pins));
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
	if (!set_http(easy, http) || !set_route(easy, http) ||
	    (!http->plain && !set_tls(easy, http)) ||
	    !set_limits(easy, call, timeout_ms) ||
	    (call->look && !SET(CURLOPT_CERTINFO, 1L)) ||
	    !set_headers(easy, call, json) || !set_method(easy, call, method) ||
	    !SET(CURLOPT_URL, csign_buf_str(call->url)))
		return CSIGN_E_INTERNAL;
	return CSIGN_OK;
}
