/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls.h"

struct tls {
	SSL_CTX *ctx;
	char *certificate;
	char *key;
};

/* What OpenSSL says about its oldest error. */
static void
why_ssl(struct csign_why *why, const char *file)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	csign_why_set(why, "%s: %s", file,
	    reason != NULL ? reason : "not usable for TLS");
	ERR_clear_error();
}

/*
 * Keys come from certbot and the like, by symbolic links: who may write the
 * name is the administrator's business, what it names is checked.
 */
static enum csign_err
check_key(const char *path, int fd, struct csign_why *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		csign_why_errno(why, errno, "%s", path);
		return CSIGN_E_FILE;
	}
	if (!S_ISREG(st.st_mode)) {
		csign_why_set(why, "%s: not a regular file", path);
		return CSIGN_E_FILE;
	}
	if ((st.st_mode & (S_IWGRP | S_IRWXO)) != 0) {
		csign_why_set(why,
		    "%s: mode %04o lets others at the key; use 0600 or 0640",
		    path, (unsigned)st.st_mode & 07777U);
		return CSIGN_E_FILE;
	}
	return CSIGN_OK;
}

/* An encrypted key is an error: nothing asks on a terminal. */
static int
no_password(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static enum csign_err
use_key(SSL_CTX *ctx, const char *path, struct csign_why *why)
{
	enum csign_err r = CSIGN_E_FILE;
	EVP_PKEY *pkey = NULL;
	BIO *bio = NULL;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) <
	    0) {
		csign_why_errno(why, errno, "%s", path);
		goto out;
	}
	if ((r = check_key(path, fd, why)) != CSIGN_OK)
		goto out;
	r = CSIGN_E_FILE;
	if ((bio = BIO_new_fd(fd, BIO_NOCLOSE)) == NULL ||
	    (pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)) ==
		NULL ||
	    SSL_CTX_use_PrivateKey(ctx, pkey) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		why_ssl(why, path);
		goto out;
	}
	r = CSIGN_OK;
out:
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	if (fd >= 0)
		close(fd);
	return r;
}

static bool
set_rules(SSL_CTX *ctx)
{
	char groups[] = "X25519:P-256:P-384"; /* the macro casts const away */

	/* No resumption: couriers are fresh processes, and tickets cost. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
				     SSL_OP_NO_COMPRESSION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* A connection that waits keeps no buffers of 17 KiB. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	       SSL_CTX_set_cipher_list(
		   ctx, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!SHA1") == 1 &&
	       SSL_CTX_set1_groups_list(ctx, groups) == 1;
}

static enum csign_err
make_ctx(const char *certificate, const char *key, struct csign_why *why,
    SSL_CTX **ret_ctx)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	SSL_CTX *ctx;

	ERR_clear_error();
	if ((ctx = SSL_CTX_new(TLS_server_method())) == NULL ||
	    !set_rules(ctx)) {
		why_ssl(why, "TLS");
		goto out;
	}
	if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1) {
		why_ssl(why, certificate);
		r = CSIGN_E_FILE;
		goto out;
	}
	if ((r = use_key(ctx, key, why)) != CSIGN_OK)
		goto out;
	*ret_ctx = ctx;
	ctx = NULL;
	r = CSIGN_OK;
out:
	SSL_CTX_free(ctx);
	return r;
}

enum csign_err
tls_new(const char *certificate, const char *key, struct csign_why *why,
    struct tls **ret_tls)
{
	enum csign_err r = CSIGN_E_NOMEM;
	struct tls *tls;

	if ((tls = calloc(1, sizeof *tls)) == NULL ||
	    (tls->certificate = strdup(certificate)) == NULL ||
	    (tls->key = strdup(key)) == NULL)
		goto out;
	if ((r = make_ctx(certificate, key, why, &tls->ctx)) != CSIGN_OK)
		goto out;
	*ret_tls = tls;
	tls = NULL;
out:
	tls_free(&tls);
	return r;
}

void
tls_free(struct tls **tls)
{
	if (*tls == NULL)
		return;
	SSL_CTX_free((*tls)->ctx);
	free((*tls)->certificate);
	free((*tls)->key);
	free(*tls);
	*tls = NULL;
}

enum csign_err
tls_reload(struct tls *tls, struct csign_why *why)
{
	SSL_CTX *ctx = NULL;
	enum csign_err r;

	if ((r = make_ctx(tls->certificate, tls->key, why, &ctx)) != CSIGN_OK)
		return r;
	SSL_CTX_free(tls->ctx);
	tls->ctx = ctx;
	return CSIGN_OK;
}

SSL *
tls_session(struct tls *tls)
{
	return SSL_new(tls->ctx);
}
