/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "file.h"
#include "secret.h"
#include "text.h"
#include "vapid.h"

#define KEY_FILE_MAX 4096
#define TOKENS 32 /* origins whose token is kept */
/* A token is used for the first half of its life. */
#define TOKEN_USED_S (VAPID_LIFE_S / 2)
#define CLAIMS_MAX 1024
#define SIGNATURE_LEN 64

/* {"typ":"JWT","alg":"ES256"} */
static const char jwt_head[] = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9";

struct token {
	uint64_t made; /* seconds since 1970 */
	char *header;  /* NULL: not used */
	char origin[VAPID_ORIGIN_MAX + 1];
};

struct vapid {
	struct csign_p256 *key;
	char public_key[VAPID_KEY_SIZE];
	char contact[VAPID_CONTACT_MAX + 1]; /* "": none */
	struct token tokens[TOKENS];
};

/* --- the key -------------------------------------------------------------- */

enum csign_err
vapid_from_key(
    struct csign_p256 **key, const char *contact, struct vapid **ret_vapid)
{
	unsigned char point[CSIGN_POINT_LEN];
	struct vapid *vapid;
	enum csign_err r;

	if (contact != NULL && strlen(contact) > VAPID_CONTACT_MAX)
		return CSIGN_E_TOO_LONG;
	if ((vapid = calloc(1, sizeof *vapid)) == NULL)
		return CSIGN_E_NOMEM;
	csign_p256_point(*key, point);
	if ((r = csign_b64u_encode(point, sizeof point, vapid->public_key,
		 sizeof vapid->public_key)) != CSIGN_OK) {
		free(vapid);
		return r;
	}
	if (contact != NULL)
		memcpy(vapid->contact, contact, strlen(contact) + 1);
	vapid->key = *key;
	*key = NULL;
	*ret_vapid = vapid;
	return CSIGN_OK;
}

static enum csign_err
read_key(struct csign_crypto *crypto, const char *path, struct csign_why *why,
    struct csign_p256 **ret_key)
{
	struct csign_buf *pem = NULL;
	enum csign_err r;

	if ((r = csign_file_read(
		 path, CSIGN_FILE_SECRET, KEY_FILE_MAX, why, &pem)) != CSIGN_OK)
		return r;
	r = csign_p256_from_clear_pem(
	    crypto, csign_buf_str(pem), csign_buf_len(pem), ret_key);
	csign_buf_free(&pem);
	if (r == CSIGN_E_FORMAT) {
		csign_why_set(why,
		    "%s: not one P-256 private key in PEM (PKCS#8, without a "
		    "passphrase)",
		    path);
		r = CSIGN_E_FILE;
	}
	return r;
}

static enum csign_err
put_key(const char *path, const char *pem, size_t len, struct csign_why *why)
{
	const char *name = strrchr(path, '/') + 1;
	enum csign_err r;
	char *folder;
	int dir = -1;

	/* "/" is a folder too. */
	if ((folder = strndup(path,
		 name - path > 1 ? (size_t)(name - path - 1) : 1)) == NULL)
		return CSIGN_E_NOMEM;
	if ((r = csign_dir_open(folder, why, &dir)) == CSIGN_OK)
		r = csign_file_create_at(dir, name, 0600, pem, len, why);
	csign_close(&dir);
	free(folder);
	/* Another process was faster; its key is read. */
	return r == CSIGN_E_EXISTS ? CSIGN_OK : r;
}

static enum csign_err
make_key(struct csign_crypto *crypto, const char *path, struct csign_why *why)
{
	struct csign_p256 *key = NULL;
	char *pem = NULL;
	enum csign_err r;
	size_t len;

	csign_why_set(why, "%s: no key could be made", path);
	if ((r = csign_p256_new(crypto, &key)) == CSIGN_OK &&
	    (r = csign_p256_to_clear_pem(key, &pem, &len)) == CSIGN_OK)
		r = put_key(path, pem, len, why);
	csign_wipe_str(&pem);
	csign_p256_free(&key);
	return r;
}

enum csign_err
vapid_new(struct csign_crypto *crypto, const char *path, const char *contact,
    struct csign_why *why, struct vapid **ret_vapid)
{
	struct csign_p256 *key = NULL;
	enum csign_err r;

	r = read_key(crypto, path, why, &key);
	if (r == CSIGN_E_NOT_FOUND &&
	    (r = make_key(crypto, path, why)) == CSIGN_OK)
		r = read_key(crypto, path, why, &key);
	if (r == CSIGN_OK)
		r = vapid_from_key(&key, contact, ret_vapid);
	csign_p256_free(&key);
	return r;
}

static void
token_clear(struct token *token)
{
	free(token->header);
	memset(token, 0, sizeof *token);
}

void
vapid_free(struct vapid **vapid)
{
	if (*vapid == NULL)
		return;
	for (size_t i = 0; i < TOKENS; i++)
		token_clear(&(*vapid)->tokens[i]);
	csign_p256_free(&(*vapid)->key);
	free(*vapid);
	*vapid = NULL;
}

const char *
vapid_key(const struct vapid *vapid)
{
	return vapid->public_key;
}

/* --- tokens --------------------------------------------------------------- */

/* r || s of 32 bytes each, from what libcrypto has: DER without zeros. */
static enum csign_err
sign(const struct csign_p256 *key, const void *message, size_t len,
    unsigned char out[SIGNATURE_LEN])
{
	unsigned char der[CSIGN_SIGNATURE_MAX];
	const unsigned char *at = der;
	size_t der_len = 0;
	ECDSA_SIG *sig;
	enum csign_err r;

	if ((r = csign_p256_sign(key, message, len, der, &der_len)) != CSIGN_OK)
		return r;
	r = CSIGN_E_CRYPTO;
	sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	if (sig != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, SIGNATURE_LEN / 2) ==
		SIGNATURE_LEN / 2 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + SIGNATURE_LEN / 2,
		SIGNATURE_LEN / 2) == SIGNATURE_LEN / 2)
		r = CSIGN_OK;
	ECDSA_SIG_free(sig);
	return r;
}

static enum csign_err
put_b64u(struct csign_buf *out, const void *bytes, size_t len)
{
	char text[CSIGN_B64U_LEN(CLAIMS_MAX) + 1];
	enum csign_err r;

	if ((r = csign_b64u_encode(bytes, len, text, sizeof text)) != CSIGN_OK)
		return r;
	return csign_buf_put_str(out, text);
}

static enum csign_err
put_claims(const struct vapid *vapid, const char *origin, uint64_t now,
    struct csign_buf *claims)
{
	uint64_t expires = now + VAPID_LIFE_S;
	enum csign_err r;

	if ((r = csign_buf_put_str(claims, "{\"aud\":")) != CSIGN_OK ||
	    (r = csign_text_json(claims, origin, strlen(origin))) != CSIGN_OK ||
	    (r = csign_buf_putf(claims, ",\"exp\":%llu",
		 (unsigned long long)expires)) != CSIGN_OK)
		return r;
	if (vapid->contact[0] != '\0' &&
	    ((r = csign_buf_put_str(claims, ",\"sub\":")) != CSIGN_OK ||
		(r = csign_text_json(claims, vapid->contact,
		     strlen(vapid->contact))) != CSIGN_OK))
		return r;
	return csign_buf_put_str(claims, "}");
}

static enum csign_err
put_token(const struct vapid *vapid, const char *origin, uint64_t now,
    struct csign_buf *out)
{
	unsigned char signature[SIGNATURE_LEN];
	struct csign_buf *claims = NULL;
	size_t from = csign_buf_len(out);
	enum csign_err r;

	if ((r = csign_buf_new(CLAIMS_MAX, &claims)) != CSIGN_OK ||
	    (r = put_claims(vapid, origin, now, claims)) != CSIGN_OK ||
	    (r = csign_buf_putf(out, "%s.", jwt_head)) != CSIGN_OK ||
	    (r = put_b64u(out, csign_buf_data(claims),
		 csign_buf_len(claims))) != CSIGN_OK ||
	    (r = sign(vapid->key, csign_buf_data(out) + from,
		 csign_buf_len(out) - from, signature)) != CSIGN_OK ||
	    (r = csign_buf_put_str(out, ".")) != CSIGN_OK)
		goto out;
	r = put_b64u(out, signature, sizeof signature);
out:
	csign_buf_free(&claims);
	return r;
}

static enum csign_err
make_token(const struct vapid *vapid, const char *origin, uint64_t now,
    struct token *token)
{
	struct csign_buf *line = NULL;
	enum csign_err r;

	token_clear(token);
	if ((r = csign_buf_new(VAPID_HEADER_SIZE - 1, &line)) != CSIGN_OK ||
	    (r = csign_buf_put_str(line, "Authorization: vapid t=")) !=
		CSIGN_OK ||
	    (r = put_token(vapid, origin, now, line)) != CSIGN_OK ||
	    (r = csign_buf_putf(line, ", k=%s", vapid->public_key)) != CSIGN_OK)
		goto out;
	r = CSIGN_E_NOMEM;
	if ((token->header = strdup(csign_buf_str(line))) == NULL)
		goto out;
	memcpy(token->origin, origin, strlen(origin) + 1);
	token->made = now;
	r = CSIGN_OK;
out:
	csign_buf_free(&line);
	return r;
}

/* A clock that was set back makes a token of the future: another, then. */
static bool
is_good(const struct token *token, const char *origin, uint64_t now)
{
	return token->header != NULL && strcmp(token->origin, origin) == 0 &&
	       now >= token->made && now - token->made < TOKEN_USED_S;
}

enum csign_err
vapid_header(struct vapid *vapid, const char *origin, uint64_t now,
    const char **ret_header)
{
	struct token *oldest = &vapid->tokens[0];
	enum csign_err r;

	if (strlen(origin) > VAPID_ORIGIN_MAX)
		return CSIGN_E_TOO_LONG;
	for (size_t i = 0; i < TOKENS; i++) {
		struct token *token = &vapid->tokens[i];

		if (is_good(token, origin, now)) {
			*ret_header = token->header;
			return CSIGN_OK;
		}
		if (token->made < oldest->made)
			oldest = token;
	}
	if ((r = make_token(vapid, origin, now, oldest)) == CSIGN_OK)
		*ret_header = oldest->header;
	return r;
}
