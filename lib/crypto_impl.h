/* SPDX-License-Identifier: BSD-2-Clause */
/* What crypto.c, p256.c and p256_pem.c share, and nobody else needs. */
#ifndef CSIGN_CRYPTO_IMPL_H
#define CSIGN_CRYPTO_IMPL_H

#include <openssl/evp.h>
#include <openssl/provider.h>

#include "crypto.h"

struct csign_crypto {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *provider;
	EVP_MD *sha256;
	EVP_CIPHER *gcm;
	EVP_KDF *hkdf;
};

struct csign_p256 {
	struct csign_crypto *crypto;
	EVP_PKEY *pkey;
	unsigned char point[CSIGN_POINT_LEN];
};

/* Takes over pkey, on success only; checks that it is a whole P-256 pair. */
CSIGN_WUR enum csign_err csign_p256_wrap(
    struct csign_crypto *crypto, EVP_PKEY *pkey, struct csign_p256 **ret_key);

#endif
