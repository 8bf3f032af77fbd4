/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of an HTTP/1.1 request, read strictly (RFC 9112): one way to write
 * a thing, everything else is refused, so that no proxy in front can read a
 * request differently.  No folding, no bare LF or CR, no Transfer-Encoding, no
 * repeated header of those that matter.
 */
#ifndef SERVICE_HTTP_HEAD_H
#define SERVICE_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum http_method {
	HTTP_OTHER = 0,
	HTTP_GET = 1,
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_PATCH = 8,
	HTTP_DELETE = 16,
	HTTP_OPTIONS = 32, /* a browser asking what it may */
};

/* The headers that mean something here; sorted by name. */
enum http_field {
	HTTP_AUTHORIZATION,
	HTTP_CONNECTION,
	HTTP_CONTENT_LENGTH,
	HTTP_CONTENT_TYPE,
	HTTP_COOKIE,
	HTTP_EXPECT,
	HTTP_FORWARDED_FOR, /* X-Forwarded-For, its last line */
	HTTP_HOST,
	HTTP_IF_NONE_MATCH,
	HTTP_ORIGIN,
	HTTP_TRANSFER_ENCODING,
	HTTP_N_FIELDS,
};

/* Pointers into the text that was read. */
struct http_head {
	enum http_method method;
	const char *path;                 /* begins with "/" */
	const char *query;                /* what stood behind "?", or NULL */
	const char *field[HTTP_N_FIELDS]; /* NULL: not there */
	size_t body_len;
	bool keep_alive;
	bool expects_continue;
};

/*
 * Reads text[0..len), which ends in an empty line and is changed in place.
 * Returns 0, or the HTTP status to refuse the request with.
 */
unsigned http_head_read(
    char *text, size_t len, size_t body_max, struct http_head *ret_head);

#endif
