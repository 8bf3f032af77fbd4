/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <openssl/x509_vfy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec.h"
#include "http_impl.h"

#define HTTP_REQUEST_MAX 65536
#define HTTP_RETRY_AFTER_MAX 86400 /* seconds; more is no plain number */

enum csign_err
csign_http_global(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	/* OpenSSL writes without MSG_NOSIGNAL. */
	if (sigaction(SIGPIPE, &ignore, NULL) != 0)
		return CSIGN_E_SYSTEM;
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
		   ? CSIGN_OK
		   : CSIGN_E_SYSTEM;
}

static enum csign_err
call_init(
    struct csign_http_call *call, const struct csign_http_request *request)
{
	struct csign_http *http = call->http;
	enum csign_err r;

	if (request->path[0] != '/' || request->timeout_ms == 0)
		return CSIGN_E_INVALID;
	call->look = request->look;
	call->body_max =
	    request->body_max == 0 ? CSIGN_HTTP_BODY_MAX : request->body_max;
	if ((r = csign_http_keep_cookie(call, request->cookie)) != CSIGN_OK ||
	    (r = csign_buf_new(HTTP_REQUEST_MAX, &call->url)) != CSIGN_OK ||
	    (r = csign_buf_new(HTTP_REQUEST_MAX, &call->out)) != CSIGN_OK ||
	    (r = csign_buf_new(call->body_max, &call->in)) != CSIGN_OK ||
	    (r = csign_buf_put_str(call->url, http->origin)) != CSIGN_OK ||
	    (r = csign_buf_put_str(call->url, request->path)) != CSIGN_OK ||
	    (request->json != NULL &&
		(r = csign_buf_put(
		     call->out, request->json, request->json_len)) != CSIGN_OK))
		return r;
	if ((r = csign_http_handle(call, request->method, request->json != NULL,
		 request->timeout_ms)) != CSIGN_OK)
		return r;
	return curl_multi_add_handle(http->multi, call->easy) == CURLM_OK
		   ? CSIGN_OK
		   : CSIGN_E_INTERNAL;
}

enum csign_err
csign_http_begin(struct csign_http *http,
    const struct csign_http_request *request, struct csign_http_call **ret_call)
{
	struct csign_http_call *call = calloc(1, sizeof(*call));
	enum csign_err r;

	if (call == NULL)
		return CSIGN_E_NOMEM;
	call->http = http;
	if ((r = call_init(call, request)) != CSIGN_OK) {
		csign_http_call_free(&call);
		return r;
	}
	*ret_call = call;
	return CSIGN_OK;
}

void
csign_http_call_free(struct csign_http_call **call)
{
	if (call == NULL || *call == NULL)
		return;
	if ((*call)->easy != NULL) {
		(void)curl_multi_remove_handle(
		    (*call)->http->multi, (*call)->easy);
		curl_easy_cleanup((*call)->easy);
	}
	csign_buf_free(&(*call)->url);
	csign_buf_free(&(*call)->out);
	csign_buf_free(&(*call)->in);
	csign_buf_free(&(*call)->cookie);
	free(*call);
	*call = NULL;
}

/* --- how a call ends --- */

static enum csign_trouble
transport_trouble(const struct csign_http_call *call, CURLcode code)
{
	if (call->too_big)
		return CSIGN_TROUBLE_BAD_REPLY;
	switch ((int)code) {
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_SHUTDOWN_FAILED:
	case CURLE_USE_SSL_FAILED:
		return CSIGN_TROUBLE_TLS;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
	case CURLE_FILESIZE_EXCEEDED:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return CSIGN_TROUBLE_BAD_REPLY;
	case CURLE_OUT_OF_MEMORY:
		/* Also what libcurl says of a header line without end. */
		return call->reply.sent ? CSIGN_TROUBLE_BAD_REPLY
					: CSIGN_TROUBLE_INTERNAL;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_AGAIN:
	case CURLE_PROXY:
		return CSIGN_TROUBLE_UNREACHABLE;
	default:
		return CSIGN_TROUBLE_INTERNAL;
	}
}

const char *
csign_http_header(CURL *easy, const char *name, size_t *ret_amount)
{
	struct curl_header *header = NULL;

	*ret_amount = 0;
	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK)
		return NULL;
	*ret_amount = header->amount;
	return header->amount == 1 ? header->value : NULL;
}

static enum csign_http_type
reply_type(struct csign_http_call *call)
{
	const char *type, *encoding;
	size_t n_types, n_encodings;

	type = csign_http_header(call->easy, "Content-Type", &n_types);
	encoding =
	    csign_http_header(call->easy, "Content-Encoding", &n_encodings);
	if (n_encodings > 1 ||
	    (encoding != NULL && strcasecmp(encoding, "identity") != 0))
		return CSIGN_HTTP_TYPE_OTHER;
	if (n_types == 0)
		return csign_buf_len(call->in) == 0 ? CSIGN_HTTP_TYPE_NONE
						    : CSIGN_HTTP_TYPE_OTHER;
	if (type != NULL && strcasecmp(type, "application/json") == 0)
		return CSIGN_HTTP_TYPE_JSON;
	if (type != NULL && strcasecmp(type, "text/plain") == 0)
		return CSIGN_HTTP_TYPE_TEXT;
	return CSIGN_HTTP_TYPE_OTHER;
}

static int64_t
reply_retry_after(struct csign_http_call *call)
{
	const char *value;
	uint32_t seconds;
	size_t n;

	value = csign_http_header(call->easy, "Retry-After", &n);
	if (value == NULL || csign_parse_u32(value, 0, HTTP_RETRY_AFTER_MAX,
				 &seconds) != CSIGN_OK)
		return -1;
	return seconds;
}

/* The place is cut before what is wrong there. */
static void
say(struct csign_http_call *call, const char *what)
{
	const char *where = call->http->socket != NULL ? call->http->socket
						       : call->http->origin;

	(void)snprintf(call->reply.text, sizeof(call->reply.text), "%.200s: %s",
	    where, what);
}

/* libcurl has said that it is over; a certificate is looked at once more. */
static void
finish(struct csign_http_call *call, CURLcode code)
{
	struct csign_http_reply *reply = &call->reply;
	long status = 0, verified = 0, size = 0;

	call->done = true;
	(void)curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &size);
	reply->sent = size > 0;
	reply->retry_after = -1;
	reply->body = csign_buf_str(call->in);
	if (code != CURLE_OK) {
		reply->trouble = (uint8_t)transport_trouble(call, code);
		say(call, call->too_big            ? "the reply is too large"
			  : call->error[0] != '\0' ? call->error
						   : curl_easy_strerror(code));
		return;
	}
	if (curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) !=
		CURLE_OK ||
	    curl_easy_getinfo(
		call->easy, CURLINFO_SSL_VERIFYRESULT, &verified) != CURLE_OK ||
	    verified != X509_V_OK) {
		reply->trouble = CSIGN_TROUBLE_TLS;
		say(call, "the certificate was not verified");
		return;
	}
	reply->status = status > 0 && status < 1000 ? (int)status : 0;
	reply->type = reply_type(call);
	reply->body_len = csign_buf_len(call->in);
	reply->retry_after = reply_retry_after(call);
	if (call->look)
		csign_http_look(call->easy, reply);
}

/* True if a call has ended. */
static bool
collect(struct csign_http *http)
{
	struct csign_http_call *call;
	char *private;
	CURLMsg *msg;
	bool any = false;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
			&private) != CURLE_OK)
			continue;
		call = (struct csign_http_call *)(void *)private;
		finish(call, msg->data.result);
		any = true;
	}
	return any;
}

enum csign_err
csign_http_turn(struct csign_http *http, int fd, uint32_t timeout_ms)
{
	struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
	int running;

	if (curl_multi_perform(http->multi, &running) != CURLM_OK)
		return CSIGN_E_INTERNAL;
	if (collect(http))
		return CSIGN_OK;
	if (curl_multi_poll(http->multi, fd >= 0 ? &extra : NULL,
		fd >= 0 ? 1 : 0, (int)(timeout_ms & INT_MAX),
		NULL) != CURLM_OK ||
	    curl_multi_perform(http->multi, &running) != CURLM_OK)
		return CSIGN_E_INTERNAL;
	(void)collect(http);
	return CSIGN_OK;
}

enum csign_err
csign_http_run(struct csign_http *http,
    const struct csign_http_request *request, struct csign_http_call **ret_call)
{
	struct csign_http_call *call = NULL;
	enum csign_err r;

	r = csign_http_begin(http, request, &call);
	while (r == CSIGN_OK && !call->done)
		r = csign_http_turn(http, -1, request->timeout_ms);
	if (r != CSIGN_OK) {
		csign_http_call_free(&call);
		return r;
	}
	*ret_call = call;
	return CSIGN_OK;
}

bool
csign_http_done(const struct csign_http_call *call)
{
	return call->done;
}

const struct csign_http_reply *
csign_http_reply(const struct csign_http_call *call)
{
	return &call->reply;
}

static enum csign_trouble
status_trouble(int status)
{
	switch (status) {
	case 401:
		return CSIGN_TROUBLE_UNAUTHORISED;
	case 403:
		return CSIGN_TROUBLE_FORBIDDEN;
	case 404:
		return CSIGN_TROUBLE_NOT_FOUND;
	case 409:
		return CSIGN_TROUBLE_CONFLICT;
	case 429:
		return CSIGN_TROUBLE_LIMITED;
	default:
		return status >= 500 && status <= 599
			   ? CSIGN_TROUBLE_UNAVAILABLE
			   : CSIGN_TROUBLE_BAD_REPLY;
	}
}

uint8_t
csign_http_expect(const struct csign_http_reply *reply, int status,
    enum csign_http_type type, struct csign_why *why)
{
	if (reply->trouble != 0) {
		csign_why_set(why, "%s", reply->text);
		return reply->trouble;
	}
	if (reply->status != status) {
		csign_why_set(
		    why, "the service replied with status %d", reply->status);
		return (uint8_t)status_trouble(reply->status);
	}
	/* A reply without a body may name a type all the same. */
	if (type == CSIGN_HTTP_TYPE_NONE ? reply->body_len != 0
					 : reply->type != type) {
		csign_why_set(why,
		    "the service's reply is not of the type that was expected");
		return CSIGN_TROUBLE_BAD_REPLY;
	}
	return 0;
}
