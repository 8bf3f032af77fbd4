/* SPDX-License-Identifier: BSD-2-Clause */
/* What the oracle wants of OpenSSL: HKDF, AES-256-GCM, ECDSA, SHA-256. */
#include "config.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "oracle_impl.h"

bool
oracle_sha256(const void *bytes, size_t len, unsigned char out[ORACLE_DIGEST])
{
	return EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) == 1;
}

static bool
derive(const unsigned char secret[16], const char *info,
    unsigned char out[ORACLE_KEY])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	unsigned char ikm[16];
	char digest[] = "SHA256", text[64];
	OSSL_PARAM params[4];
	bool ok;

	memcpy(ikm, secret, sizeof(ikm));
	(void)snprintf(text, sizeof(text), "%s", info);
	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_KEY, ikm, sizeof(ikm));
	params[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, text, strlen(text));
	params[3] = OSSL_PARAM_construct_end();
	ok = ctx != NULL && EVP_KDF_derive(ctx, out, ORACLE_KEY, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

/* 01 || nonce || ciphertext || tag */
size_t
oracle_unseal(const unsigned char secret[16], const char *info,
    const struct oracle_bytes *sealed, unsigned char *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char key[ORACLE_KEY], tag[16];
	size_t len = 0;
	int n = 0;

	if (ctx == NULL || sealed->len < 29 || sealed->len > ORACLE_SEALED ||
	    sealed->bytes[0] != 1 || !derive(secret, info, key))
		goto out;
	len = sealed->len - 29;
	memcpy(tag, sealed->bytes + 13 + len, sizeof(tag));
	if (EVP_DecryptInit_ex(
		ctx, EVP_aes_256_gcm(), NULL, key, sealed->bytes + 1) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)info,
		(int)strlen(info)) != 1 ||
	    EVP_DecryptUpdate(ctx, out, &n, sealed->bytes + 13, (int)len) !=
		1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) !=
		1 ||
	    EVP_DecryptFinal_ex(ctx, out + n, &n) != 1)
		len = 0;
out:
	EVP_CIPHER_CTX_free(ctx);
	return len;
}

bool
oracle_verify(const unsigned char point[ORACLE_POINT], const void *message,
    size_t len, const unsigned char *signature, size_t signature_len)
{
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY *key = NULL;
	unsigned char copy[ORACLE_POINT];
	char group[] = "prime256v1";
	OSSL_PARAM params[3];
	bool ok;

	memcpy(copy, point, sizeof(copy));
	params[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof(copy));
	params[2] = OSSL_PARAM_construct_end();
	ok = maker != NULL && md != NULL &&
	     EVP_PKEY_fromdata_init(maker) == 1 &&
	     EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 &&
	     EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
	     EVP_DigestVerify(md, signature, signature_len, message, len) == 1;
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(maker);
	return ok;
}
