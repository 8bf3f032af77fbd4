/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "endpoint.h"

#define HTTPS_PORT 443
#define LABEL_MAX 63
#define LABEL "abcdefghijklmnopqrstuvwxyz0123456789-"

/* --- URLs ----------------------------------------------------------------- */

/* The push services of browsers; "*" is one label. */
static const char *const known[] = {
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
};

static bool
is_label(const char *text, size_t len)
{
	return len > 0 && len <= LABEL_MAX && text[0] != '-' &&
	       text[len - 1] != '-' && strspn(text, LABEL) >= len;
}

/* Labels with a dot between them; an IPv4 address looks the same. */
static bool
is_host(const char *host)
{
	size_t len;

	for (;;) {
		len = strcspn(host, ".");
		if (!is_label(host, len))
			return false;
		if (host[len] == '\0')
			return true;
		host += len + 1;
	}
}

static bool
matches(const char *host, const char *pattern)
{
	size_t len;

	if (pattern[0] != '*')
		return strcmp(host, pattern) == 0;
	len = strcspn(host, ".");
	return is_label(host, len) && strcmp(host + len, pattern + 1) == 0;
}

static bool
is_known(const char *host)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (matches(host, known[i]))
			return true;
	return false;
}

/* "host" or "host:port", in any case; no port is that of https. */
static bool
read_authority(const char *text, size_t len, char host[ENDPOINT_HOST_MAX + 1],
    uint16_t *ret_port)
{
	const char *colon = memchr(text, ':', len);
	size_t host_len = colon != NULL ? (size_t)(colon - text) : len;
	size_t port_len = colon != NULL ? len - host_len - 1 : 0;
	uint32_t port = HTTPS_PORT;
	char digits[6];

	if (host_len > ENDPOINT_HOST_MAX || port_len >= sizeof digits)
		return false;
	for (size_t i = 0; i < host_len; i++) {
		host[i] = text[i];
		if (host[i] >= 'A' && host[i] <= 'Z')
			host[i] = (char)(host[i] - 'A' + 'a');
	}
	host[host_len] = '\0';
	if (colon != NULL) {
		memcpy(digits, colon + 1, port_len);
		digits[port_len] = '\0';
		if (csign_parse_u32(digits, 1, 65535, &port) != CSIGN_OK)
			return false;
	}
	*ret_port = (uint16_t)port;
	return is_host(host);
}

enum csign_err
endpoint_host_check(const char *word, size_t len, struct csign_why *why)
{
	char host[ENDPOINT_HOST_MAX + 1];
	uint16_t port;

	if (read_authority(word, len, host, &port))
		return CSIGN_OK;
	csign_why_set(why, "\"%.*s\" is no host or host:port",
	    len < ENDPOINT_HOST_MAX ? (int)len : ENDPOINT_HOST_MAX, word);
	return CSIGN_E_CONFIG;
}

static bool
is_listed(const char *hosts, const struct endpoint *endpoint)
{
	char host[ENDPOINT_HOST_MAX + 1];
	uint16_t port;
	size_t len;

	while (hosts != NULL && *hosts != '\0') {
		len = strcspn(hosts, " ");
		if (read_authority(hosts, len, host, &port) &&
		    strcmp(host, endpoint->host) == 0 && port == endpoint->port)
			return true;
		hosts += len;
		hosts += strspn(hosts, " ");
	}
	return false;
}

/* Visible ASCII, without what must not stand in a URL. */
static bool
is_url_text(const char *url)
{
	for (; *url != '\0'; url++)
		if (*url <= ' ' || *url >= 127 ||
		    strchr("\"<>\\^`{|}#", *url) != NULL)
			return false;
	return true;
}

static enum csign_err
refuse(struct csign_why *why, const char *reason)
{
	csign_why_set(why, "%s", reason);
	return CSIGN_E_INVALID;
}

enum csign_err
endpoint_read(const char *url, const char *hosts, struct csign_why *why,
    struct endpoint *ret_endpoint)
{
	static const char scheme[] = "https://";
	struct endpoint endpoint;
	const char *at = url + sizeof scheme - 1;
	size_t len;

	memset(&endpoint, 0, sizeof endpoint);
	if (strncmp(url, scheme, sizeof scheme - 1) != 0)
		return refuse(why, "a push address begins with https://");
	if (!is_url_text(url))
		return refuse(why, "this push address is not a plain URL");
	len = strcspn(at, "/?");
	if (at[len] != '/' || memchr(at, '@', len) != NULL ||
	    !read_authority(at, len, endpoint.host, &endpoint.port))
		return refuse(why, "a push address is https://host/path");
	endpoint.web_push =
	    endpoint.port == HTTPS_PORT && is_known(endpoint.host);
	endpoint.listed = is_listed(hosts, &endpoint);
	if (!endpoint.web_push && !endpoint.listed)
		return refuse(why, "this service does not ring phones at that "
				   "push service");
	if (endpoint.port == HTTPS_PORT)
		(void)snprintf(endpoint.origin, sizeof endpoint.origin,
		    "https://%s", endpoint.host);
	else
		(void)snprintf(endpoint.origin, sizeof endpoint.origin,
		    "https://%s:%u", endpoint.host, endpoint.port);
	*ret_endpoint = endpoint;
	return CSIGN_OK;
}

/* --- addresses ------------------------------------------------------------ */

struct network {
	unsigned char bytes[16];
	unsigned bits;
};

/*
 * From IANA's registries of special addresses what is not "globally
 * reachable"; addresses for documentation lead nowhere.
 */
static const struct network no_ipv4[] = {
    {{0}, 8},            /* this network */
    {{10}, 8},           /* private */
    {{100, 64}, 10},     /* shared by a provider's customers */
    {{127}, 8},          /* loopback */
    {{169, 254}, 16},    /* link-local, with clouds' metadata */
    {{172, 16}, 12},     /* private */
    {{192, 0, 0}, 24},   /* protocol assignments */
    {{192, 88, 99}, 24}, /* 6to4 relays, withdrawn */
    {{192, 168}, 16},    /* private */
    {{198, 18}, 15},     /* benchmarks */
    {{224}, 3},          /* multicast, reserved, broadcast */
};
/* Within 2000::/3, which is all there is. */
static const struct network no_ipv6[] = {
    {{0x20, 0x01, 0x00}, 23}, /* Teredo and other protocols */
    {{0x20, 0x02}, 16},       /* 6to4, which hides an IPv4 address */
};
static const struct network global_ipv6 = {{0x20}, 3};
/* Two that are IPv4 with another face. */
static const struct network mapped_ipv4 = {
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
static const struct network nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};

static bool
is_in(const unsigned char *address, const struct network *network)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;
	unsigned mask = (0xff00U >> rest) & 0xffU;

	return memcmp(address, network->bytes, whole) == 0 &&
	       ((unsigned)(address[whole] ^ network->bytes[whole]) & mask) == 0;
}

static bool
is_in_any(const unsigned char *address, const struct network *networks,
    size_t n_networks)
{
	for (size_t i = 0; i < n_networks; i++)
		if (is_in(address, &networks[i]))
			return true;
	return false;
}

static bool
public_ipv4(const unsigned char address[4])
{
	return !is_in_any(address, no_ipv4, sizeof no_ipv4 / sizeof no_ipv4[0]);
}

static bool
public_ipv6(const unsigned char address[16])
{
	if (is_in(address, &mapped_ipv4) || is_in(address, &nat64))
		return public_ipv4(address + 12);
	return is_in(address, &global_ipv6) &&
	       !is_in_any(address, no_ipv6, sizeof no_ipv6 / sizeof no_ipv6[0]);
}

bool
endpoint_address_public(const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (len >= sizeof in && address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof in);
		return public_ipv4((const unsigned char *)&in.sin_addr);
	}
	if (len >= sizeof in6 && address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof in6);
		return public_ipv6(in6.sin6_addr.s6_addr);
	}
	return false;
}
