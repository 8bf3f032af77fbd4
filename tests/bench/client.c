/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

void
stop(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void
random_text(char *out, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[256];

	if (len > sizeof bytes || getrandom(bytes, len, 0) != (ssize_t)len)
		stop("getrandom");
	for (size_t i = 0; i < len; i++)
		out[i] = digits[bytes[i] & 63];
	/* Canonical whatever the length: the last one carries no odd bits. */
	out[len - 1] = 'A';
	out[len] = '\0';
}

SSL_CTX *
client_tls(const char *ca)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (tls == NULL || SSL_CTX_load_verify_file(tls, ca) != 1 ||
	    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1)
		stop("TLS: %s", ca);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	return tls;
}

void
client_open(struct client *c, const char *host_port, SSL_CTX *tls)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char *colon;

	c->ssl = NULL;
	snprintf(c->host, sizeof c->host, "%s", host_port);
	if ((colon = strrchr(c->host, ':')) == NULL)
		stop("no port in %s", host_port);
	*colon = '\0';
	if (getaddrinfo(c->host, colon + 1, &hints, &list) != 0 ||
	    (c->fd = socket(list->ai_family, SOCK_STREAM, 0)) == -1 ||
	    connect(c->fd, list->ai_addr, list->ai_addrlen) != 0)
		stop("connect %s: %m", host_port);
	freeaddrinfo(list);
	if (setsockopt(
		c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) != 0)
		stop("TCP_NODELAY: %m");
	if (tls != NULL && ((c->ssl = SSL_new(tls)) == NULL ||
			       SSL_set_fd(c->ssl, c->fd) != 1 ||
			       SSL_set1_host(c->ssl, c->host) != 1 ||
			       SSL_connect(c->ssl) != 1))
		stop("TLS handshake with %s", host_port);
	*colon = ':';
}

static void
put(struct client *c, const char *bytes, size_t len)
{
	ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, bytes, (int)len)
				   : write(c->fd, bytes, len);

	if (n != (ssize_t)len)
		stop("write: %m");
}

static size_t
get(struct client *c, char *bytes, size_t max)
{
	ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, bytes, (int)max)
				   : read(c->fd, bytes, max);

	if (n <= 0)
		stop("read: the service has closed");
	return (size_t)n;
}

void
client_send(
    struct client *c, const char *path, const char *key, const char *body)
{
	static char request[32768];
	int n = snprintf(request, sizeof request,
	    "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s%s"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    body == NULL ? "GET" : "POST", path, c->host,
	    key == NULL ? "" : "Authorization: Bearer ", key == NULL ? "" : key,
	    key == NULL ? "" : "\r\n", body == NULL ? 0 : strlen(body),
	    body == NULL ? "" : body);

	if (n < 0 || (size_t)n >= sizeof request)
		stop("a request is too long");
	put(c, request, (size_t)n);
}

int
client_read(struct client *c)
{
	size_t have = 0, length = 0;
	char *end = NULL, *field;

	while (end == NULL || have < (size_t)(end - c->reply) + 4 + length) {
		if (have == sizeof c->reply - 1)
			stop("a reply is too long");
		have += get(c, c->reply + have, sizeof c->reply - 1 - have);
		c->reply[have] = '\0';
		if (end != NULL || (end = strstr(c->reply, "\r\n\r\n")) == NULL)
			continue;
		field = strcasestr(c->reply, "\r\nContent-Length:");
		if (field != NULL && field < end)
			length = strtoul(field + 17, &(char *){NULL}, 10);
	}
	c->body = end + 4;
	return (int)strtol(c->reply + 9, &(char *){NULL}, 10);
}

int
client_call(
    struct client *c, const char *path, const char *key, const char *body)
{
	client_send(c, path, key, body);
	return client_read(c);
}

void
client_member(const struct client *c, const char *name, char *out, size_t size)
{
	char quoted[64];
	const char *value;
	size_t len;

	snprintf(quoted, sizeof quoted, "\"%s\"", name);
	if ((value = strstr(c->body, quoted)) == NULL ||
	    (value = strchr(value + strlen(quoted), '"')) == NULL ||
	    (len = strcspn(value + 1, "\"")) >= size)
		stop("no %s in %s", name, c->body);
	memcpy(out, value + 1, len);
	out[len] = '\0';
}
