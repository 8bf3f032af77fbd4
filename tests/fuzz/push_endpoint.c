/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A push subscription: a URL, and behind the first line ends the keys.  A URL
 * that is taken leads libcurl, which will follow it, to the host and port that
 * were looked at (countersign-security(7) SVC-6).
 */
#include "config.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../service/endpoint.h"
#include "../../service/webpush.h"
#include "codec.h"
#include "fuzz.h"

#define HOSTS "push.example.org ntfy.example.net:8443"

static void
check_part(CURLU *url, CURLUPart part, const char *wanted)
{
	char *value = NULL;

	MUST(curl_url_get(url, part, &value, CURLU_DEFAULT_PORT) == CURLUE_OK);
	MUST(strcasecmp(value, wanted) == 0);
	curl_free(value);
}

static void
check_with_curl(const char *text, const struct endpoint *endpoint)
{
	CURLU *url = curl_url();
	char port[6], *user = NULL;

	MUST(url != NULL);
	MUST(curl_url_set(url, CURLUPART_URL, text,
		 CURLU_DISALLOW_USER | CURLU_PATH_AS_IS) == CURLUE_OK);
	(void)snprintf(port, sizeof port, "%u", endpoint->port);
	check_part(url, CURLUPART_SCHEME, "https");
	check_part(url, CURLUPART_HOST, endpoint->host);
	check_part(url, CURLUPART_PORT, port);
	MUST(curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
	curl_url_cleanup(url);
}

static void
check_url(const char *text)
{
	struct csign_why why = {""};
	struct endpoint endpoint;

	fuzz_fill(&endpoint, sizeof endpoint);
	if (endpoint_read(text, HOSTS, &why, &endpoint) != CSIGN_OK) {
		MUST(fuzz_untouched(&endpoint, sizeof endpoint));
		MUST(why.text[0] != '\0');
		return;
	}
	MUST(endpoint.listed || endpoint.web_push);
	MUST(!endpoint.web_push || endpoint.port == 443);
	MUST(strncmp(endpoint.origin, "https://", 8) == 0);
	MUST(strstr(endpoint.origin, endpoint.host) == endpoint.origin + 8);
	check_with_curl(text, &endpoint);
}

/* Of the same bytes, as text of the second and third line. */
static void
check_keys(const char *p256dh, const char *auth)
{
	struct webpush_keys keys;
	struct csign_buf *body;
	char text[CSIGN_B64U_LEN(CSIGN_POINT_LEN) + 1];

	fuzz_fill(&keys, sizeof keys);
	if (webpush_keys_read(fuzz_crypto(), p256dh, auth, &keys) != CSIGN_OK) {
		MUST(fuzz_untouched(&keys, sizeof keys));
		return;
	}
	MUST(csign_point_check(fuzz_crypto(), keys.point) == CSIGN_OK);
	MUST(csign_b64u_encode(keys.point, sizeof keys.point, text,
		 sizeof text) == CSIGN_OK &&
	     strcmp(text, p256dh) == 0);
	body = fuzz_buf(WEBPUSH_BODY_MAX);
	MUST(
	    webpush_seal(fuzz_crypto(), &keys, "{}", 2, 100, body) == CSIGN_OK);
	csign_buf_free(&body);
}

/* An IPv4 address is as public with an IPv6 face as without. */
static void
check_address(const uint8_t *bytes, size_t size)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	unsigned char *at = in6.sin6_addr.s6_addr;
	bool public;

	if (size >= 4)
		memcpy(&in.sin_addr, bytes, 4);
	public =
	    endpoint_address_public((const struct sockaddr *)&in, sizeof in);
	at[10] = at[11] = 0xff;
	memcpy(at + 12, &in.sin_addr, 4);
	MUST(endpoint_address_public(
		 (const struct sockaddr *)&in6, sizeof in6) == public);
	MUST(!public || !IN_MULTICAST(ntohl(in.sin_addr.s_addr)));
	if (size >= 16)
		memcpy(at, bytes, 16);
	if (endpoint_address_public((const struct sockaddr *)&in6, sizeof in6))
		MUST((at[0] & 0xe0) == 0x20 ||
		     IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ||
		     (at[0] == 0 && at[1] == 0x64));
	MUST(!endpoint_address_public(
	    (const struct sockaddr *)&in6, sizeof in6 - 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text, *url, *p256dh;

	check_address(data, size);
	url = strsep(&rest, "\n");
	check_url(url);
	if ((p256dh = strsep(&rest, "\n")) != NULL && rest != NULL)
		check_keys(p256dh, rest);
	free(text);
	return 0;
}
