/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
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

/* The one block of PEM, if it is an encrypted key. */
static enum csign_err
read_sealed(const char *pem, size_t pem_len, X509_SIG **ret_sealed)
{
	enum csign_err r = CSIGN_E_FORMAT;
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *p;
	long len = 0;
	BIO *bio;

	if (pem_len > CSIGN_FILE_MAX)
		return CSIGN_E_TOO_LONG;
	if ((bio = BIO_new_mem_buf(pem, (int)pem_len)) == NULL)
		return CSIGN_E_NOMEM;
	if (PEM_read_bio(bio, &name, &header, &der, &len) != 1 ||
	    strcmp(name, PEM_STRING_PKCS8) != 0)
		goto out;
	p = der;
	if ((*ret_sealed = d2i_X509_SIG(NULL, &p, len)) == NULL)
		goto out;
	r = CSIGN_OK;
out:
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	return r;
}

enum csign_err
csign_p256_from_pem(struct csign_crypto *crypto, const char *pem,
    size_t pem_len, const char *passphrase, struct csign_p256 **ret_key)
{
	enum csign_err r = CSIGN_E_FORMAT;
	size_t pass_len = strlen(passphrase);
	X509_SIG *sealed = NULL;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	EVP_PKEY *pkey = NULL;

	if (pass_len > INT_MAX)
		return CSIGN_E_TOO_LONG;
	ERR_set_mark();
	if ((r = read_sealed(pem, pem_len, &sealed)) != CSIGN_OK)
		goto out;
	if ((info = PKCS8_decrypt_ex(sealed, passphrase, (int)pass_len,
		 crypto->lib, NULL)) == NULL) {
		r = CSIGN_E_INVALID;
		goto out;
	}
	r = CSIGN_E_FORMAT;
	if ((pkey = EVP_PKCS82PKEY_ex(info, crypto->lib, NULL)) == NULL)
		goto out;
	if ((r = csign_p256_wrap(crypto, pkey, ret_key)) == CSIGN_OK)
		pkey = NULL;
out:
	EVP_PKEY_free(pkey);
	PKCS8_PRIV_KEY_INFO_free(info);
	X509_SIG_free(sealed);
	ERR_pop_to_mark();
	return r;
}
