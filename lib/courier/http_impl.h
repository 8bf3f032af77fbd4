/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files behind http.h share: http_service.c (who is talked to),
 * http_handle.c (every option of the libcurl handle), http.c (calls).
 */
#ifndef CSIGN_HTTP_IMPL_H
#define CSIGN_HTTP_IMPL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "buf.h"
#include "http.h"
#include "secret.h"

struct csign_http {
	CURLM *multi;
	bool guest; /* multi is another one's */
	char *origin, *socket, *ca_file, *pins, *proxy;
	char host[CSIGN_HOST_MAX + 1];      /* of origin, without brackets */
	bool plain;                         /* http:// */
	struct csign_secret *authorization; /* header line, or NULL */
	uint32_t connect_ms;
};

/* The request's headers, in this order. */
enum {
	HEADER_ACCEPT,
	HEADER_EXPECT,
	HEADER_TYPE,
	HEADER_AUTH,
	HEADER_COOKIE,
	N_HEADERS
};

struct csign_http_call {
	struct csign_http *http;
	CURL *easy;
	struct curl_slist headers[N_HEADERS]; /* libcurl reads, never frees */
	struct csign_buf *url, *out, *in;
	struct csign_buf *cookie; /* header line, or NULL */
	size_t header_bytes, body_max;
	bool too_big, done, look;
	char error[CURL_ERROR_SIZE];
	struct csign_http_reply reply;
};

/*
 * Makes call->easy and sets every option that matters; url and out are there
 * already.  timeout_ms is for the whole exchange.
 */
CSIGN_WUR enum csign_err csign_http_handle(struct csign_http_call *call,
    enum csign_http_method method, bool json, uint32_t timeout_ms);

/* Makes call->cookie, if cookie is not NULL or "". */
CSIGN_WUR enum csign_err csign_http_keep_cookie(
    struct csign_http_call *call, const char *cookie);

/* The only value of a header; NULL if there is none or more than one. */
const char *csign_http_header(CURL *easy, const char *name, size_t *ret_amount);
/* What a call with look found out; the handle is not cleaned up yet. */
void csign_http_look(CURL *easy, struct csign_http_reply *reply);

#endif
