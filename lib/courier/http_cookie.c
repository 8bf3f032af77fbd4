/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cookies by hand: one a service, sent only where the caller says so.  The
 * courier has none; a phone is known by one.
 */
#include "config.h"

#include <string.h>

#include "http_impl.h"

#define HTTP_COOKIE_MAX 256
#define HTTP_COOKIE "Cookie: "

/* Nothing that could end the header or begin another cookie. */
static bool
is_cookie(const char *text, size_t len)
{
	if (len == 0 || len > HTTP_COOKIE_MAX || memchr(text, '=', len) == NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == ';' ||
		    text[i] == ',')
			return false;
	return true;
}

enum csign_err
csign_http_keep_cookie(struct csign_http_call *call, const char *cookie)
{
	enum csign_err r;

	if (cookie == NULL || cookie[0] == '\0')
		return CSIGN_OK;
	if (!is_cookie(cookie, strlen(cookie)))
		return CSIGN_E_INVALID;
	if ((r = csign_buf_new(sizeof(HTTP_COOKIE) + HTTP_COOKIE_MAX,
		 &call->cookie)) != CSIGN_OK)
		return r;
	return csign_buf_putf(call->cookie, HTTP_COOKIE "%s", cookie);
}

enum csign_err
csign_http_cookie(const struct csign_http_call *call, char *out, size_t size)
{
	size_t n = 0, len;
	const char *value;

	value = csign_http_header(call->easy, "Set-Cookie", &n);
	if (value == NULL)
		return CSIGN_E_NOT_FOUND;
	len = strcspn(value, ";");
	if (len >= size || !is_cookie(value, len))
		return CSIGN_E_NOT_FOUND;
	memcpy(out, value, len);
	out[len] = '\0';
	return CSIGN_OK;
}
