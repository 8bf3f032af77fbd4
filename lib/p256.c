/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "buf.h"
#include "crypto.h"
#include "crypto_impl.h"
#include "secret.h"

#define COORDINATE_LEN 32

/* --- public keys -----------------------------------------------------------
 */

static enum csign_err
check_public(struct csign_crypto *crypto, EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(crypto->lib, pkey, NULL);
	int ok;

	if (ctx == NULL)
		return CSIGN_E_NOMEM;
	/*
	 * The quick one looks whether the point is on the curve.  The other
	 * one multiplies it by the group's order as well, which for P-256 is
	 * the same question (its cofactor is 1) at ten times the price.
	 */
	ok = EVP_PKEY_public_check_quick(ctx);
	EVP_PKEY_CTX_free(ctx);
	return ok == 1 ? CSIGN_OK : CSIGN_E_PROOF_KEY;
}

/* A checked public key from 04 || X || Y: countersign-security(7) SIG-5. */
static enum csign_err
public_key(struct csign_crypto *crypto,
    const unsigned char point[CSIGN_POINT_LEN], EVP_PKEY **ret_pkey)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char group[] = "P-256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(
		OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
		(void *)(uintptr_t)point, CSIGN_POINT_LEN),
	    OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;

	/* libcrypto would take the hybrid forms 06 and 07 as well. */
	if (point[0] != 0x04)
		return CSIGN_E_PROOF_KEY;
	if ((ctx = EVP_PKEY_CTX_new_from_name(crypto->lib, "EC", NULL)) ==
	    NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if (EVP_PKEY_fromdata_init(ctx) != 1) {
		r = CSIGN_E_CRYPTO;
		goto out;
	}
	if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		r = CSIGN_E_PROOF_KEY;
		goto out;
	}
	if ((r = check_public(crypto, pkey)) != CSIGN_OK)
		goto out;
	*ret_pkey = pkey;
	pkey = NULL;
	r = CSIGN_OK;
out:
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	return r;
}

enum csign_err
csign_point_check(
    struct csign_crypto *crypto, const unsigned char point[CSIGN_POINT_LEN])
{
	EVP_PKEY *pkey = NULL;
	enum csign_err r;

	ERR_set_mark();
	r = public_key(crypto, point, &pkey);
	EVP_PKEY_free(pkey);
	ERR_pop_to_mark();
	return r;
}

/* --- signatures ------------------------------------------------------------
 */

/* INTEGER: positive, minimal, 1 to 33 bytes of content. */
static bool
der_integer(struct csign_rd *rd)
{
	const unsigned char *v;
	size_t len;

	if (csign_rd_u8(rd) != 0x02)
		return false;
	len = csign_rd_u8(rd);
	if (len < 1 || len > COORDINATE_LEN + 1)
		return false;
	if ((v = csign_rd_bytes(rd, len)) == NULL)
		return false;
	if (v[0] == 0)
		/* Either zero, or not needed unless the next bit is set. */
		return len > 1 && (v[1] & 0x80) != 0;
	return (v[0] & 0x80) == 0 && len <= COORDINATE_LEN;
}

/*
 * SEQUENCE of two such INTEGERs and nothing else.  libcrypto is not asked
 * about anything but the one encoding of a signature.
 */
static bool
der_shape(const unsigned char *signature, size_t len)
{
	struct csign_rd rd;

	if (len < CSIGN_SIGNATURE_MIN || len > CSIGN_SIGNATURE_MAX)
		return false;
	csign_rd_init(&rd, signature, len);
	if (csign_rd_u8(&rd) != 0x30 || csign_rd_u8(&rd) != len - 2)
		return false;
	return der_integer(&rd) && der_integer(&rd) && csign_rd_done(&rd);
}

enum csign_err
csign_es256_verify(struct csign_crypto *crypto,
    const unsigned char point[CSIGN_POINT_LEN], const void *message,
    size_t message_len, const unsigned char *signature, size_t signature_len)
{
	enum csign_err r = CSIGN_E_PROOF_SIGNATURE;
	EVP_PKEY *pkey = NULL;
	EVP_MD_CTX *md = NULL;

	if (!der_shape(signature, signature_len))
		return CSIGN_E_PROOF_SIGNATURE;
	ERR_set_mark();
	if ((r = public_key(crypto, point, &pkey)) != CSIGN_OK)
		goto out;
	if ((md = EVP_MD_CTX_new()) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if (EVP_DigestVerifyInit_ex(
		md, NULL, "SHA2-256", crypto->lib, NULL, pkey, NULL) != 1) {
		r = CSIGN_E_CRYPTO;
		goto out;
	}
	/* 0 is a wrong signature, less an error, and only 1 is a yes. */
	if (EVP_DigestVerify(
		md, signature, signature_len, message, message_len) != 1) {
		r = CSIGN_E_PROOF_SIGNATURE;
		goto out;
	}
	r = CSIGN_OK;
out:
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(pkey);
	ERR_pop_to_mark();
	return r;
}

/* --- private keys ----------------------------------------------------------
 */

enum csign_err
csign_p256_wrap(
    struct csign_crypto *crypto, EVP_PKEY *pkey, struct csign_p256 **ret_key)
{
	enum csign_err r = CSIGN_E_FORMAT;
	struct csign_p256 *key = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	char group[32];
	size_t len = 0;

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) != 1 ||
	    strcmp(group, "prime256v1") != 0)
		return CSIGN_E_FORMAT;
	if ((key = calloc(1, sizeof(*key))) == NULL ||
	    (ctx = EVP_PKEY_CTX_new_from_pkey(crypto->lib, pkey, NULL)) ==
		NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if (EVP_PKEY_pairwise_check(ctx) != 1 ||
	    EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
		key->point, sizeof(key->point), &len) != 1 ||
	    len != sizeof(key->point) || key->point[0] != 0x04)
		goto out;
	key->crypto = crypto;
	key->pkey = pkey;
	*ret_key = key;
	key = NULL;
	r = CSIGN_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	free(key);
	return r;
}

enum csign_err
csign_p256_new(struct csign_crypto *crypto, struct csign_p256 **ret_key)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	EVP_PKEY *pkey = NULL;

	ERR_set_mark();
	pkey = EVP_PKEY_Q_keygen(crypto->lib, NULL, "EC", "P-256");
	if (pkey != NULL &&
	    (r = csign_p256_wrap(crypto, pkey, ret_key)) == CSIGN_OK)
		pkey = NULL;
	EVP_PKEY_free(pkey);
	ERR_pop_to_mark();
	return r;
}

/* The parameters of the pair (d, dG); CSIGN_E_FORMAT unless 0 < d < n. */
static enum csign_err
pair_params(
    struct csign_crypto *crypto, const BIGNUM *d, OSSL_PARAM **ret_params)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	unsigned char point[CSIGN_POINT_LEN];
	EC_GROUP *group = NULL;
	EC_POINT *q = NULL;
	OSSL_PARAM_BLD *bld = NULL;

	if ((group = EC_GROUP_new_by_curve_name_ex(
		 crypto->lib, NULL, NID_X9_62_prime256v1)) == NULL ||
	    (q = EC_POINT_new(group)) == NULL ||
	    (bld = OSSL_PARAM_BLD_new()) == NULL)
		goto out;
	if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0) {
		r = CSIGN_E_FORMAT;
		goto out;
	}
	if (EC_POINT_mul(group, q, d, NULL, NULL, NULL) != 1 ||
	    EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, point,
		sizeof(point), NULL) != sizeof(point) ||
	    OSSL_PARAM_BLD_push_utf8_string(
		bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(
		bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1 ||
	    (*ret_params = OSSL_PARAM_BLD_to_param(bld)) == NULL)
		goto out;
	r = CSIGN_OK;
out:
	OSSL_PARAM_BLD_free(bld);
	EC_POINT_free(q);
	EC_GROUP_free(group);
	return r;
}

enum csign_err
csign_p256_from_scalar(struct csign_crypto *crypto,
    const unsigned char scalar[32], struct csign_p256 **ret_key)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	BIGNUM *d = NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;

	ERR_set_mark();
	if ((d = BN_bin2bn(scalar, COORDINATE_LEN, NULL)) == NULL)
		goto out;
	BN_set_flags(d, BN_FLG_CONSTTIME);
	if ((r = pair_params(crypto, d, &params)) != CSIGN_OK)
		goto out;
	if ((ctx = EVP_PKEY_CTX_new_from_name(crypto->lib, "EC", NULL)) ==
		NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
		r = CSIGN_E_CRYPTO;
		goto out;
	}
	if ((r = csign_p256_wrap(crypto, pkey, ret_key)) == CSIGN_OK)
		pkey = NULL;
out:
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	BN_clear_free(d);
	ERR_pop_to_mark();
	return r;
}

void
csign_p256_free(struct csign_p256 **key)
{
	if (key == NULL || *key == NULL)
		return;
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

void
csign_p256_point(
    const struct csign_p256 *key, unsigned char out[CSIGN_POINT_LEN])
{
	memcpy(out, key->point, CSIGN_POINT_LEN);
}

enum csign_err
csign_p256_sign(const struct csign_p256 *key, const void *message,
    size_t message_len, unsigned char out[CSIGN_SIGNATURE_MAX], size_t *ret_len)
{
	enum csign_err r = CSIGN_E_CRYPTO;
	EVP_MD_CTX *md = NULL;
	size_t len = CSIGN_SIGNATURE_MAX;

	ERR_set_mark();
	if ((md = EVP_MD_CTX_new()) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	if (EVP_DigestSignInit_ex(md, NULL, "SHA2-256", key->crypto->lib, NULL,
		key->pkey, NULL) != 1 ||
	    EVP_DigestSign(md, out, &len, message, message_len) != 1)
		goto out;
	*ret_len = len;
	r = CSIGN_OK;
out:
	EVP_MD_CTX_free(md);
	ERR_pop_to_mark();
	return r;
}

enum csign_err
csign_p256_ecdh(const struct csign_p256 *key,
    const unsigned char point[CSIGN_POINT_LEN], unsigned char out[32])
{
	enum csign_err r = CSIGN_E_CRYPTO;
	unsigned char z[COORDINATE_LEN];
	size_t len = sizeof(z);
	EVP_PKEY *peer = NULL;
	EVP_PKEY_CTX *ctx = NULL;

	ERR_set_mark();
	if ((r = public_key(key->crypto, point, &peer)) != CSIGN_OK)
		goto out;
	r = CSIGN_E_CRYPTO;
	if ((ctx = EVP_PKEY_CTX_new_from_pkey(
		 key->crypto->lib, key->pkey, NULL)) == NULL ||
	    EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
	    EVP_PKEY_derive(ctx, z, &len) != 1 || len != sizeof(z))
		goto out;
	memcpy(out, z, sizeof(z));
	r = CSIGN_OK;
out:
	csign_wipe(z, sizeof(z));
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	ERR_pop_to_mark();
	return r;
}
