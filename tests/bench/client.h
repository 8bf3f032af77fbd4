/* SPDX-License-Identifier: BSD-2-Clause */
/* One kept-alive HTTP connection to the service, plain or TLS 1.3. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct client {
	int fd;
	SSL *ssl; /* NULL: plain */
	char host[64];
	char reply[65536]; /* status line, head and body of the last reply */
	char *body;
};

/* ca NULL: plain HTTP.  Every failure ends the program: this is a bench. */
SSL_CTX *client_tls(const char *ca);
void client_open(struct client *c, const char *host_port, SSL_CTX *tls);
/* body NULL: a GET; key NULL: no Authorization. */
void client_send(
    struct client *c, const char *path, const char *key, const char *body);
/* The status; the body is NUL-terminated. */
int client_read(struct client *c);
int client_call(
    struct client *c, const char *path, const char *key, const char *body);
/* The text value of a member, without escapes, into out. */
void client_member(
    const struct client *c, const char *name, char *out, size_t size);

double now_ms(void);
void random_text(char *out, size_t len); /* base64url characters and NUL */
void __attribute__((noreturn, format(printf, 1, 2))) stop(const char *fmt, ...);

#endif
