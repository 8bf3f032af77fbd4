/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "link.h"
#include "secret.h"

#define INFO_LINK_ID "countersign/1 link id"
#define INFO_CONTENT "countersign/1 content"
#define INFO_ANSWER "countersign/1 answer"
#define INFO_TEST "countersign/1 test"

#define HTTPS "https://"
#define HTTP "http://"
#define SECRET_TEXT_LEN CSIGN_B32_LEN(CSIGN_SECRET_LEN)
#define LABEL_MAX 63

/* What a link keeps in its struct csign_secret. */
struct keys {
	unsigned char secret[CSIGN_SECRET_LEN];
	unsigned char content[CSIGN_KEY_LEN];
	unsigned char answer[CSIGN_KEY_LEN];
};

struct csign_link {
	struct csign_secret *memory;
	struct keys *keys; /* in memory */
	char id[CSIGN_LINK_ID_SIZE];
};

/* Derives everything from keys->secret. */
static enum csign_err
derive(struct csign_crypto *crypto, struct csign_link *link)
{
	struct keys *k = link->keys;
	unsigned char id[CSIGN_LINK_ID_LEN];
	enum csign_err r;

	if ((r = csign_hkdf_sha256(crypto, k->secret, sizeof(k->secret), NULL,
		 0, INFO_LINK_ID, id, sizeof(id))) != CSIGN_OK ||
	    (r = csign_hkdf_sha256(crypto, k->secret, sizeof(k->secret), NULL,
		 0, INFO_CONTENT, k->content, sizeof(k->content))) !=
		CSIGN_OK ||
	    (r = csign_hkdf_sha256(crypto, k->secret, sizeof(k->secret), NULL,
		 0, INFO_ANSWER, k->answer, sizeof(k->answer))) != CSIGN_OK)
		return r;
	return csign_b64u_encode(id, sizeof(id), link->id, sizeof(link->id));
}

/* secret NULL: a fresh one. */
static enum csign_err
link_make(struct csign_crypto *crypto, const unsigned char *secret,
    struct csign_link **ret_link)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_link *link = NULL;

	if ((link = calloc(1, sizeof(*link))) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if ((r = csign_secret_new(sizeof(*link->keys), &link->memory)) !=
	    CSIGN_OK)
		goto out;
	link->keys = (void *)csign_secret_data(link->memory);
	if (secret != NULL)
		memcpy(link->keys->secret, secret, CSIGN_SECRET_LEN);
	else if ((r = csign_random(link->keys->secret, CSIGN_SECRET_LEN)) !=
		 CSIGN_OK)
		goto out;
	if ((r = derive(crypto, link)) != CSIGN_OK)
		goto out;
	*ret_link = link;
	link = NULL;
	r = CSIGN_OK;
out:
	csign_link_free(&link);
	return r;
}

enum csign_err
csign_link_new(struct csign_crypto *crypto, struct csign_link **ret_link)
{
	return link_make(crypto, NULL, ret_link);
}

enum csign_err
csign_link_from_secret(struct csign_crypto *crypto,
    const unsigned char secret[CSIGN_SECRET_LEN], struct csign_link **ret_link)
{
	return link_make(crypto, secret, ret_link);
}

enum csign_err
csign_link_for_test(struct csign_crypto *crypto,
    const struct csign_link *enrolment, struct csign_link **ret_link)
{
	unsigned char secret[CSIGN_SECRET_LEN];
	enum csign_err r;

	if ((r = csign_hkdf_sha256(crypto, enrolment->keys->secret,
		 CSIGN_SECRET_LEN, NULL, 0, INFO_TEST, secret,
		 sizeof(secret))) == CSIGN_OK)
		r = link_make(crypto, secret, ret_link);
	csign_wipe(secret, sizeof(secret));
	return r;
}

void
csign_link_free(struct csign_link **link)
{
	if (link == NULL || *link == NULL)
		return;
	csign_secret_free(&(*link)->memory);
	free(*link);
	*link = NULL;
}

const unsigned char *
csign_link_secret(const struct csign_link *link)
{
	return link->keys->secret;
}

const char *
csign_link_id(const struct csign_link *link)
{
	return link->id;
}

const unsigned char *
csign_link_content_key(const struct csign_link *link)
{
	return link->keys->content;
}

const unsigned char *
csign_link_answer_key(const struct csign_link *link)
{
	return link->keys->answer;
}

/* --- origins ---------------------------------------------------------------
 */

/* Without a locale: ASCII is all that an origin is made of. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* *ret_numeric: whether all labels but the dots are digits. */
static bool
label_ok(const char *label, size_t len, bool *ret_numeric)
{
	bool numeric = true;

	if (len == 0 || len > LABEL_MAX || label[0] == '-' ||
	    label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_label_char(label[i]))
			return false;
		numeric = numeric && is_digit(label[i]);
	}
	*ret_numeric = numeric;
	return true;
}

/*
 * A host name in lower case, or an IPv4 address.  What ends in a number is an
 * address to a browser, so it has to be a whole one.
 */
static bool
name_ok(const char *host)
{
	struct in_addr in;
	bool numeric = false;
	const char *label = host;

	for (;;) {
		size_t len = strcspn(label, ".");

		if (!label_ok(label, len, &numeric))
			return false;
		if (label[len] == '\0')
			break;
		label += len + 1;
	}
	return !numeric || inet_pton(AF_INET, host, &in) == 1;
}

/* "[::1]": an IPv6 address in the one form that inet_ntop(3) gives it. */
static bool
bracketed_ok(const char *host)
{
	char inner[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN];
	size_t len = strlen(host);
	struct in6_addr in6;

	if (len < 4 || host[len - 1] != ']' || len - 2 >= sizeof(inner))
		return false;
	memcpy(inner, host + 1, len - 2);
	inner[len - 2] = '\0';
	return inet_pton(AF_INET6, inner, &in6) == 1 &&
	       inet_ntop(AF_INET6, &in6, again, sizeof(again)) != NULL &&
	       strcmp(inner, again) == 0;
}

static bool
host_ok(const char *host)
{
	return host[0] == '[' ? bracketed_ok(host) : name_ok(host);
}

static bool
is_loopback(const char *host)
{
	struct in_addr in;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return starts_with(host, "127.") && inet_pton(AF_INET, host, &in) == 1;
}

/* Where the host stands in an origin, and how long it is. */
static const char *
host_of(const char *origin, size_t *ret_len)
{
	const char *host = strstr(origin, "://");

	if (host == NULL)
		return NULL;
	host += 3;
	*ret_len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	return *ret_len > strlen(host) ? NULL : host;
}

/* A port that is the scheme's own is left out by browsers, and so here. */
static bool
port_ok(const char *rest, uint32_t scheme_port)
{
	uint32_t port = 0;

	if (rest[0] == '\0')
		return true;
	return rest[0] == ':' &&
	       csign_parse_u32(rest + 1, 1, 65535, &port) == CSIGN_OK &&
	       port != scheme_port;
}

enum csign_err
csign_origin_check(const char *url)
{
	bool tls = starts_with(url, HTTPS);
	char host[CSIGN_HOST_MAX + 1];
	const char *at;
	size_t len = 0;

	if (!tls && !starts_with(url, HTTP))
		return CSIGN_E_FORMAT;
	if (strlen(url) > CSIGN_URL_MAX)
		return CSIGN_E_FORMAT;
	if ((at = host_of(url, &len)) == NULL || len > CSIGN_HOST_MAX)
		return CSIGN_E_FORMAT;
	memcpy(host, at, len);
	host[len] = '\0';
	if (!host_ok(host) || !port_ok(at + len, tls ? 443 : 80))
		return CSIGN_E_FORMAT;
	/* In clear only where nobody else can listen. */
	return tls || is_loopback(host) ? CSIGN_OK : CSIGN_E_FORMAT;
}

enum csign_err
csign_origin_host(const char *origin, char out[CSIGN_HOST_MAX + 1])
{
	const char *host;
	size_t len = 0;
	enum csign_err r;

	if ((r = csign_origin_check(origin)) != CSIGN_OK)
		return r;
	if ((host = host_of(origin, &len)) == NULL || len > CSIGN_HOST_MAX)
		return CSIGN_E_INTERNAL;
	memcpy(out, host, len);
	out[len] = '\0';
	return CSIGN_OK;
}

/* --- the link as text ------------------------------------------------------
 */

static const char upper_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char lower_letters[] = "abcdefghijklmnopqrstuvwxyz";

/* ASCII letters of one case to the other, without a locale. */
static void
change_case(char *text, size_t len, const char *from, const char *to)
{
	for (size_t i = 0; i < len; i++) {
		const char *at = strchr(from, text[i]);

		if (at != NULL && *at != '\0')
			text[i] = to[at - from];
	}
}

enum csign_err
csign_link_text(const struct csign_link *link, const char *origin, bool upper,
    char out[CSIGN_LINK_MAX + 1])
{
	char secret[SECRET_TEXT_LEN + 1];
	size_t len;
	enum csign_err r;

	if (csign_origin_check(origin) != CSIGN_OK)
		return CSIGN_E_INVALID;
	if ((r = csign_b32_encode(link->keys->secret, CSIGN_SECRET_LEN,
		 CSIGN_B32_UPPER, secret, sizeof(secret))) != CSIGN_OK)
		return r;
	len = strlen(origin);
	memcpy(out, origin, len);
	if (upper)
		change_case(out, len, lower_letters, upper_letters);
	out[len] = '/';
	out[len + 1] = '#';
	memcpy(out + len + 2, secret, sizeof(secret));
	csign_wipe(secret, sizeof(secret));
	return CSIGN_OK;
}

enum csign_err
csign_link_parse(struct csign_crypto *crypto, const char *text,
    struct csign_link **ret_link, char **ret_origin)
{
	enum csign_err r = CSIGN_E_FORMAT;
	unsigned char secret[CSIGN_SECRET_LEN];
	size_t len = strlen(text), origin_len, secret_len = 0;
	char *origin = NULL;

	if (len > CSIGN_LINK_MAX || len < SECRET_TEXT_LEN + 2)
		return CSIGN_E_FORMAT;
	origin_len = len - SECRET_TEXT_LEN - 2;
	if (text[origin_len] != '/' || text[origin_len + 1] != '#')
		return CSIGN_E_FORMAT;
	if ((origin = calloc(1, origin_len + 1)) == NULL)
		return CSIGN_E_NOMEM;
	memcpy(origin, text, origin_len);
	change_case(origin, origin_len, upper_letters, lower_letters);
	if ((r = csign_origin_check(origin)) != CSIGN_OK)
		goto out;
	if (csign_b32_decode(text + origin_len + 2, SECRET_TEXT_LEN,
		CSIGN_B32_UPPER, secret, sizeof(secret),
		&secret_len) != CSIGN_OK ||
	    secret_len != sizeof(secret)) {
		r = CSIGN_E_FORMAT;
		goto out;
	}
	if ((r = csign_link_from_secret(crypto, secret, ret_link)) != CSIGN_OK)
		goto out;
	*ret_origin = origin;
	origin = NULL;
out:
	csign_wipe(secret, sizeof(secret));
	free(origin);
	return r;
}
