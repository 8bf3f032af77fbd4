/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "bounds.h"
#include "crypto.h"
#include "crypto_impl.h"
#include "secret.h"

/*
 * The phone's key file: EncryptedPrivateKeyInfo (RFC 5958) under PBES2
 * (RFC 8018) with scrypt (RFC 7914) and AES-256-CBC.  A larger N would pass
 * libcrypto's memory limit for key files, 32 MiB; p makes up for it.
 */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5
#define SALT_LEN 16
#define IV_LEN 16

static enum csign_err
fresh_pbes2(struct csign_crypto *crypto, X509_ALGOR **ret_algor)
{
	unsigned char salt[SALT_LEN], iv[IV_LEN];
	EVP_CIPHER *cbc = NULL;
	enum csign_err r;

	if ((r = csign_random(salt, sizeof(salt))) != CSIGN_OK ||
	    (r = csign_random(iv, sizeof(iv))) != CSIGN_OK)
		return r;
	if ((cbc = EVP_CIPHER_fetch(crypto->lib, "AES-256-CBC", NULL)) == NULL)
		return CSIGN_E_CRYPTO;
	*ret_algor = PKCS5_pbe2_set_scrypt(
	    cbc, salt, sizeof(salt), iv, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	EVP_CIPHER_free(cbc);
	return *ret_algor == NULL ? CSIGN_E_CRYPTO : CSIGN_OK;
}

static enum csign_err
copy_out(BIO *bio, char **ret_pem, size_t *ret_len)
{
	char *data = NULL, *copy;
	long len = BIO_get_mem_data(bio, &data);

	if (len <= 0 || data == NULL)
		return CSIGN_E_CRYPTO;
	if ((copy = calloc(1, (size_t)len + 1)) == NULL)
		return CSIGN_E_NOMEM;
	memcpy(copy, data, (size_t)len);
	*ret_pem = copy;
	*ret_len = (size_t)len;
	return CSIGN_OK;
}

enum csign_err
csign_p256_to_pem(const struct csign_p256 *key, const char *passphrase,
    char **ret_pem, size_t *ret_len)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	size_t pass_len = strlen(passphrase);
	PKCS8_PRIV_KEY_INFO *info = NULL;
	X509_ALGOR *algor = NULL;
	X509_SIG *sealed = NULL;
	BIO *bio = NULL;

	if (pass_len > INT_MAX)
		return CSIGN_E_TOO_LONG;
	ERR_set_mark();
	if ((r = fresh_pbes2(key->crypto, &algor)) != CSIGN_OK)
		goto out;
	r = CSIGN_E_CRYPTO;
	if ((info = EVP_PKEY2PKCS8(key->pkey)) == NULL ||
	    (sealed = PKCS8_set0_pbe_ex(passphrase, (int)pass_len, info, algor,
		 key->crypto->lib, NULL)) == NULL)
		goto out;
	algor = NULL; /* sealed owns it now */
	if ((bio = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_PKCS8(bio, sealed) != 1)
		goto out;
	r = copy_out(bio, ret_pem, ret_len);
out:
	BIO_free(bio);
	X509_SIG_free(sealed);
	X509_ALGOR_free(algor);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_pop_to_mark();
	return r;
}

/* The first block of PEM, if it has this name; make() has the object. */
static enum csign_err
read_block(const char *pem, size_t pem_len, const char *wanted,
    void *(*make)(const unsigned char *der, long len), void **ret_object)
{
	enum csign_err r = CSIGN_E_FORMAT;
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long len = 0;
	BIO *bio;

	if (pem_len > CSIGN_FILE_MAX)
		return CSIGN_E_TOO_LONG;
	if ((bio = BIO_new_mem_buf(pem, (int)pem_len)) == NULL)
		return CSIGN_E_NOMEM;
	if (PEM_read_bio(bio, &name, &header, &der, &len) != 1 ||
	    strcmp(name, wanted) != 0 || (*ret_object = make(der, len)) == NULL)
		goto out;
	r = CSIGN_OK;
out:
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
	BIO_free(bio);
	return r;
}

static void *
make_sealed(const unsigned char *der, long len)
{
	return d2i_X509_SIG(NULL, &der, len);
}

static void *
make_info(const unsigned char *der, long len)
{
	return d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, len);
}

static enum csign_err
from_info(struct csign_crypto *crypto, const PKCS8_PRIV_KEY_INFO *info,
    struct csign_p256 **ret_key)
{
	enum csign_err r = CSIGN_E_FORMAT;
	EVP_PKEY *pkey;

	if ((pkey = EVP_PKCS82PKEY_ex(info, crypto->lib, NULL)) == NULL)
		return CSIGN_E_FORMAT;
	if ((r = csign_p256_wrap(crypto, pkey, ret_key)) != CSIGN_OK)
		EVP_PKEY_free(pkey);
	return r;
}

enum csign_err
csign_p256_from_pem(struct csign_crypto *crypto, const char *pem,
    size_t pem_len, const char *passphrase, struct csign_p256 **ret_key)
{
	enum csign_err r = CSIGN_E_FORMAT;
	size_t pass_len = strlen(passphrase);
	void *sealed = NULL;
	PKCS8_PRIV_KEY_INFO *info = NULL;

	if (pass_len > INT_MAX)
		return CSIGN_E_TOO_LONG;
	ERR_set_mark();
	if ((r = read_block(pem, pem_len, PEM_STRING_PKCS8, make_sealed,
		 &sealed)) != CSIGN_OK)
		goto out;
	if ((info = PKCS8_decrypt_ex(sealed, passphrase, (int)pass_len,
		 crypto->lib, NULL)) == NULL) {
		r = CSIGN_E_INVALID;
		goto out;
	}
	r = from_info(crypto, info, ret_key);
out:
	PKCS8_PRIV_KEY_INFO_free(info);
	X509_SIG_free(sealed);
	ERR_pop_to_mark();
	return r;
}

/* --- in clear --------------------------------------------------------------
 */

enum csign_err
csign_p256_to_clear_pem(
    const struct csign_p256 *key, char **ret_pem, size_t *ret_len)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	BIO *bio = NULL;

	ERR_set_mark();
	if ((info = EVP_PKEY2PKCS8(key->pkey)) == NULL ||
	    (bio = BIO_new(BIO_s_secmem())) == NULL ||
	    PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) != 1)
		goto out;
	r = copy_out(bio, ret_pem, ret_len);
out:
	BIO_free(bio);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_pop_to_mark();
	return r;
}

/* Nothing before the block, and nothing but white space behind it. */
static bool
is_one_block(const char *pem, size_t pem_len)
{
	static const char begin[] = "-----BEGIN PRIVATE KEY-----";
	static const char end[] = "-----END PRIVATE KEY-----";
	const char *at;

	if (pem_len < sizeof(begin) ||
	    strncmp(pem, begin, sizeof(begin) - 1) != 0 ||
	    (at = memmem(pem, pem_len, end, sizeof(end) - 1)) == NULL)
		return false;
	for (at += sizeof(end) - 1; at < pem + pem_len; at++)
		if (*at != '\n' && *at != '\r' && *at != ' ')
			return false;
	return true;
}

enum csign_err
csign_p256_from_clear_pem(struct csign_crypto *crypto, const char *pem,
    size_t pem_len, struct csign_p256 **ret_key)
{
	enum csign_err r;
	void *info = NULL;

	if (!is_one_block(pem, pem_len))
		return CSIGN_E_FORMAT;
	ERR_set_mark();
	if ((r = read_block(pem, pem_len, PEM_STRING_PKCS8INF, make_info,
		 &info)) == CSIGN_OK)
		r = from_info(crypto, info, ret_key);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_pop_to_mark();
	return r;
}
