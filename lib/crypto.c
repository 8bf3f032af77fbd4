/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "crypto.h"
#include "crypto_impl.h"
#include "secret.h"

/*
 * Every function here leaves the thread's error queue as it found it, by a
 * mark: the application may be using libcrypto as well.
 */

#define GCM_TAG_LEN 16
/* As OWASP has it for passphrases; scrypt needs 128 * N * r bytes and more. */
#define SCRYPT_N 65536
#define SCRYPT_R 8
#define SCRYPT_P 2
#define SCRYPT_MEMORY ((uint64_t)80 << 20)

/*
 * Whether it likes the file is the application's affair.  What the file loads
 * comes from libcrypto's own folder, and not from where a variable says;
 * afterwards the application may again say where from.
 */
static enum csign_err
load_configuration(const OPENSSL_INIT_SETTINGS *settings)
{
	if (OSSL_PROVIDER_set_default_search_path(
		NULL, OPENSSL_info(OPENSSL_INFO_MODULES_DIR)) != 1)
		return CSIGN_E_CRYPTO;
	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, settings);
	if (OSSL_PROVIDER_set_default_search_path(NULL, NULL) != 1)
		return CSIGN_E_CRYPTO;
	return CSIGN_OK;
}

/*
 * For the application's own default context libcrypto reads a configuration
 * when it first looks for an engine, which any digest makes it do.  Where the
 * program is not set-id, such as login(1), a variable names the file, and the
 * file may name code to load.  So, unless the application has read one before,
 * it is the system's, by name, as it would be without the variable.
 */
static enum csign_err
name_configuration(void)
{
	OPENSSL_INIT_SETTINGS *settings = NULL;
	enum csign_err r = CSIGN_E_CRYPTO;
	char path[PATH_MAX];

	(void)snprintf(
	    path, sizeof(path), "%s/openssl.cnf", X509_get_default_cert_area());
	if ((settings = OPENSSL_INIT_new()) == NULL)
		return CSIGN_E_NOMEM;
	if (OPENSSL_INIT_set_config_filename(settings, path) == 1)
		r = load_configuration(settings);
	OPENSSL_INIT_free(settings);
	return r;
}

static enum csign_err
fetch(struct csign_crypto *crypto)
{
	enum csign_err r = name_configuration();

	if (r != CSIGN_OK)
		return r;
	/*
	 * A context of our own has no configuration, no property and no
	 * provider but this one: no file says how our signatures are checked.
	 */
	if ((crypto->lib = OSSL_LIB_CTX_new()) == NULL)
		return CSIGN_E_NOMEM;
	if ((crypto->provider = OSSL_PROVIDER_load(crypto->lib, "default")) ==
		NULL ||
	    (crypto->sha256 = EVP_MD_fetch(crypto->lib, "SHA2-256", NULL)) ==
		NULL ||
	    (crypto->gcm = EVP_CIPHER_fetch(
		 crypto->lib, "AES-256-GCM", NULL)) == NULL ||
	    (crypto->hkdf = EVP_KDF_fetch(crypto->lib, "HKDF", NULL)) == NULL)
		return CSIGN_E_CRYPTO;
	return CSIGN_OK;
}

enum csign_err
csign_crypto_new(struct csign_crypto **ret_crypto)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_crypto *crypto = NULL;

	ERR_set_mark();
	if ((crypto = calloc(1, sizeof(*crypto))) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if ((r = fetch(crypto)) != CSIGN_OK)
		goto out;
	*ret_crypto = crypto;
	crypto = NULL;
	r = CSIGN_OK;
out:
	csign_crypto_free(&crypto);
	ERR_pop_to_mark();
	return r;
}

void
csign_crypto_free(struct csign_crypto **crypto)
{
	if (crypto == NULL || *crypto == NULL)
		return;
	EVP_KDF_free((*crypto)->hkdf);
	EVP_CIPHER_free((*crypto)->gcm);
	EVP_MD_free((*crypto)->sha256);
	if ((*crypto)->provider != NULL)
		(void)OSSL_PROVIDER_unload((*crypto)->provider);
	OSSL_LIB_CTX_free((*crypto)->lib);
	free(*crypto);
	*crypto = NULL;
}

enum csign_err
csign_sha256(struct csign_crypto *crypto, const struct csign_part *parts,
    size_t n_parts, unsigned char out[32])
{
	enum csign_err r = CSIGN_E_CRYPTO;
	EVP_MD_CTX *md = NULL;
	unsigned char digest[32];
	unsigned int len = 0;

	ERR_set_mark();
	if ((md = EVP_MD_CTX_new()) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if (EVP_DigestInit_ex2(md, crypto->sha256, NULL) != 1)
		goto out;
	for (size_t i = 0; i < n_parts; i++)
		if (parts[i].len > 0 &&
		    EVP_DigestUpdate(md, parts[i].bytes, parts[i].len) != 1)
			goto out;
	if (EVP_DigestFinal_ex(md, digest, &len) != 1 || len != sizeof(digest))
		goto out;
	memcpy(out, digest, sizeof(digest));
	r = CSIGN_OK;
out:
	EVP_MD_CTX_free(md);
	ERR_pop_to_mark();
	return r;
}

enum csign_err
csign_hkdf_sha256(struct csign_crypto *crypto, const void *ikm, size_t ikm_len,
    const void *salt, size_t salt_len, const char *info, unsigned char *out,
    size_t out_len)
{
	return csign_hkdf_sha256_bytes(crypto, ikm, ikm_len, salt, salt_len,
	    info, strlen(info), out, out_len);
}

enum csign_err
csign_hkdf_sha256_bytes(struct csign_crypto *crypto, const void *ikm,
    size_t ikm_len, const void *salt, size_t salt_len, const void *info,
    size_t info_len, unsigned char *out, size_t out_len)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	EVP_KDF_CTX *kdf = NULL;
	char digest[] = "SHA2-256";
	OSSL_PARAM params[5], *p = params;

	/* The parameters are read only; their type does not say so. */
	*p++ =
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	*p++ = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)ikm, ikm_len);
	if (salt_len > 0)
		*p++ = OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, salt_len);
	*p++ = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, info_len);
	*p = OSSL_PARAM_construct_end();

	ERR_set_mark();
	if ((kdf = EVP_KDF_CTX_new(crypto->hkdf)) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if (EVP_KDF_derive(kdf, out, out_len, params) != 1) {
		csign_wipe(out, out_len);
		goto out;
	}
	r = CSIGN_OK;
out:
	EVP_KDF_CTX_free(kdf);
	ERR_pop_to_mark();
	return r;
}

enum csign_err
csign_scrypt(struct csign_crypto *crypto, const char *passphrase,
    const unsigned char *salt, size_t salt_len, unsigned char out[32])
{
	enum csign_err r = CSIGN_OK;

	ERR_set_mark();
	/* What it can lack is memory; it does not say so. */
	if (EVP_PBE_scrypt_ex(passphrase, strlen(passphrase), salt, salt_len,
		SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY, out, 32,
		crypto->lib, NULL) != 1)
		r = CSIGN_E_NOMEM;
	ERR_pop_to_mark();
	return r;
}

static enum csign_err
seal_with(const EVP_CIPHER *cipher, const unsigned char *key,
    const unsigned char nonce[12], const void *aad, size_t aad_len,
    const void *plain, size_t len, unsigned char *out)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	EVP_CIPHER_CTX *ctx = NULL;
	int n = 0;

	if (len > INT_MAX || aad_len > INT_MAX)
		return CSIGN_E_TOO_LONG;
	ERR_set_mark();
	if ((ctx = EVP_CIPHER_CTX_new()) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if (EVP_EncryptInit_ex2(ctx, cipher, key, nonce, NULL) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len) != 1 ||
	    EVP_EncryptUpdate(ctx, out, &n, plain, (int)len) != 1 ||
	    (size_t)n != len || EVP_EncryptFinal_ex(ctx, out + len, &n) != 1 ||
	    n != 0 ||
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN, out + len) != 1)
		goto out;
	r = CSIGN_OK;
out:
	EVP_CIPHER_CTX_free(ctx);
	ERR_pop_to_mark();
	return r;
}

enum csign_err
csign_gcm_seal(struct csign_crypto *crypto, const unsigned char key[32],
    const unsigned char nonce[12], const void *aad, size_t aad_len,
    const void *plain, size_t len, unsigned char *out)
{
	return seal_with(
	    crypto->gcm, key, nonce, aad, aad_len, plain, len, out);
}

enum csign_err
csign_gcm128_seal(struct csign_crypto *crypto, const unsigned char key[16],
    const unsigned char nonce[12], const void *plain, size_t len,
    unsigned char *out)
{
	EVP_CIPHER *cipher;
	enum csign_err r = CSIGN_E_CRYPTO;

	ERR_set_mark();
	cipher = EVP_CIPHER_fetch(crypto->lib, "AES-128-GCM", NULL);
	if (cipher != NULL)
		r = seal_with(cipher, key, nonce, "", 0, plain, len, out);
	EVP_CIPHER_free(cipher);
	ERR_pop_to_mark();
	return r;
}

enum csign_err
csign_gcm_open(struct csign_crypto *crypto, const unsigned char key[32],
    const unsigned char nonce[12], const void *aad, size_t aad_len,
    const unsigned char *sealed, size_t len, unsigned char *out)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	EVP_CIPHER_CTX *ctx = NULL;
	unsigned char tag[GCM_TAG_LEN], none[1];
	size_t plain_len;
	int n = 0;

	if (len < GCM_TAG_LEN)
		return CSIGN_E_FORMAT;
	if (len > INT_MAX || aad_len > INT_MAX)
		return CSIGN_E_TOO_LONG;
	plain_len = len - GCM_TAG_LEN;
	memcpy(tag, sealed + plain_len, sizeof(tag));
	ERR_set_mark();
	if ((ctx = EVP_CIPHER_CTX_new()) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if (EVP_DecryptInit_ex2(ctx, crypto->gcm, key, nonce, NULL) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len) != 1 ||
	    EVP_DecryptUpdate(ctx, out, &n, sealed, (int)plain_len) != 1 ||
	    (size_t)n != plain_len ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_LEN, tag) !=
		1)
		goto out;
	/* Nothing of the plaintext may be used before this says 1. */
	if (EVP_DecryptFinal_ex(ctx, none, &n) != 1 || n != 0) {
		r = CSIGN_E_FORMAT;
		goto out;
	}
	r = CSIGN_OK;
out:
	if (r != CSIGN_OK)
		csign_wipe(out, plain_len);
	EVP_CIPHER_CTX_free(ctx);
	ERR_pop_to_mark();
	return r;
}

/*
 * RFC 6979, A.2.5, P-256 with SHA-256 over "sample".  A known answer costs no
 * more than an arbitrary one, and says that this libcrypto can verify at all.
 */
static const unsigned char known_point[CSIGN_POINT_LEN] = {0x04, 0x60, 0xfe,
    0xd4, 0xba, 0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35,
    0x6d, 0x68, 0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61, 0xfa, 0x6c, 0xe6, 0x69,
    0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6, 0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8,
    0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64, 0xf2, 0xf1,
    0xb2, 0x0c, 0x2d, 0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46,
    0x22, 0x99};
static const unsigned char known_signature[] = {0x30, 0x46, 0x02, 0x21, 0x00,
    0xef, 0xd4, 0x8b, 0x2a, 0xac, 0xb6, 0xa8, 0xfd, 0x11, 0x40, 0xdd, 0x9c,
    0xd4, 0x5e, 0x81, 0xd6, 0x9d, 0x2c, 0x87, 0x7b, 0x56, 0xaa, 0xf9, 0x91,
    0xc3, 0x4d, 0x0e, 0xa8, 0x4e, 0xaf, 0x37, 0x16, 0x02, 0x21, 0x00, 0xf7,
    0xcb, 0x1c, 0x94, 0x2d, 0x65, 0x7c, 0x41, 0xd4, 0x36, 0xc7, 0xa1, 0xb6,
    0xe2, 0x9f, 0x65, 0xf3, 0xe9, 0x00, 0xdb, 0xb9, 0xaf, 0xf4, 0x06, 0x4d,
    0xc4, 0xab, 0x2f, 0x84, 0x3a, 0xcd, 0xa8};

enum csign_err
csign_crypto_warm_up(struct csign_crypto *crypto)
{
	static const unsigned char key[32], nonce[12];
	unsigned char sealed[1 + GCM_TAG_LEN], opened[1];
	enum csign_err r;

	if ((r = csign_es256_verify(crypto, known_point, "sample", 6,
		 known_signature, sizeof(known_signature))) != CSIGN_OK)
		return r == CSIGN_E_NOMEM ? r : CSIGN_E_CRYPTO;
	if ((r = csign_gcm_seal(crypto, key, nonce, "", 0, "?", 1, sealed)) !=
	    CSIGN_OK)
		return r;
	r = csign_gcm_open(
	    crypto, key, nonce, "", 0, sealed, sizeof(sealed), opened);
	if (r != CSIGN_OK || opened[0] != '?')
		return r == CSIGN_E_NOMEM ? r : CSIGN_E_CRYPTO;
	return CSIGN_OK;
}
