/* SPDX-License-Identifier: BSD-2-Clause */
/* libcrypto, json-c, qrencode and libpam that fail. */
#include "config.h"

#include <stdarg.h>

#include <json-c/json.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <qrencode.h>

#include "faults_impl.h"

/* contexts, providers, algorithms */
SSL_NEW(OPENSSL_INIT_SETTINGS, OPENSSL_INIT_new, (void), ())
SSL(int, OPENSSL_INIT_set_config_filename,
    (OPENSSL_INIT_SETTINGS * settings, const char *path), (settings, path))
SSL_NEW(OSSL_LIB_CTX, OSSL_LIB_CTX_new, (void), ())
SSL_NEW(OSSL_PROVIDER, OSSL_PROVIDER_load,
    (OSSL_LIB_CTX * lib, const char *name), (lib, name))
SSL(int, OSSL_PROVIDER_set_default_search_path,
    (OSSL_LIB_CTX * lib, const char *path), (lib, path))
SSL_NEW(EVP_MD, EVP_MD_fetch,
    (OSSL_LIB_CTX * lib, const char *name, const char *query),
    (lib, name, query))
SSL_NEW(EVP_CIPHER, EVP_CIPHER_fetch,
    (OSSL_LIB_CTX * lib, const char *name, const char *query),
    (lib, name, query))
SSL_NEW(EVP_KDF, EVP_KDF_fetch,
    (OSSL_LIB_CTX * lib, const char *name, const char *query),
    (lib, name, query))

/* digests, keys from keys, encryption */
SSL_NEW(EVP_MD_CTX, EVP_MD_CTX_new, (void), ())
SSL(int, EVP_DigestInit_ex2,
    (EVP_MD_CTX * ctx, const EVP_MD *md, const OSSL_PARAM params[]),
    (ctx, md, params))
SSL(int, EVP_DigestUpdate, (EVP_MD_CTX * ctx, const void *bytes, size_t len),
    (ctx, bytes, len))
SSL(int, EVP_DigestFinal_ex,
    (EVP_MD_CTX * ctx, unsigned char *digest, unsigned int *len),
    (ctx, digest, len))
SSL_NEW(EVP_KDF_CTX, EVP_KDF_CTX_new, (EVP_KDF * kdf), (kdf))
SSL(int, EVP_KDF_derive,
    (EVP_KDF_CTX * ctx, unsigned char *key, size_t len,
	const OSSL_PARAM params[]),
    (ctx, key, len, params))
SSL(int, EVP_PBE_scrypt_ex,
    (const char *pass, size_t pass_len, const unsigned char *salt,
	size_t salt_len, uint64_t n, uint64_t r, uint64_t p, uint64_t max,
	unsigned char *key, size_t len, OSSL_LIB_CTX *lib, const char *query),
    (pass, pass_len, salt, salt_len, n, r, p, max, key, len, lib, query))
SSL_NEW(EVP_CIPHER_CTX, EVP_CIPHER_CTX_new, (void), ())
SSL(int, EVP_CIPHER_CTX_ctrl,
    (EVP_CIPHER_CTX * ctx, int what, int arg, void *ptr), (ctx, what, arg, ptr))
SSL(int, EVP_EncryptInit_ex2,
    (EVP_CIPHER_CTX * ctx, const EVP_CIPHER *cipher, const unsigned char *key,
	const unsigned char *iv, const OSSL_PARAM params[]),
    (ctx, cipher, key, iv, params))
SSL(int, EVP_EncryptUpdate,
    (EVP_CIPHER_CTX * ctx, unsigned char *out, int *n, const unsigned char *in,
	int len),
    (ctx, out, n, in, len))
SSL(int, EVP_EncryptFinal_ex,
    (EVP_CIPHER_CTX * ctx, unsigned char *out, int *n), (ctx, out, n))
SSL(int, EVP_DecryptInit_ex2,
    (EVP_CIPHER_CTX * ctx, const EVP_CIPHER *cipher, const unsigned char *key,
	const unsigned char *iv, const OSSL_PARAM params[]),
    (ctx, cipher, key, iv, params))
SSL(int, EVP_DecryptUpdate,
    (EVP_CIPHER_CTX * ctx, unsigned char *out, int *n, const unsigned char *in,
	int len),
    (ctx, out, n, in, len))
SSL(int, EVP_DecryptFinal_ex,
    (EVP_CIPHER_CTX * ctx, unsigned char *out, int *n), (ctx, out, n))

/* signatures */
SSL(int, EVP_DigestVerifyInit_ex,
    (EVP_MD_CTX * ctx, EVP_PKEY_CTX **ret, const char *md, OSSL_LIB_CTX *lib,
	const char *query, EVP_PKEY *pkey, const OSSL_PARAM params[]),
    (ctx, ret, md, lib, query, pkey, params))
SSL(int, EVP_DigestVerify,
    (EVP_MD_CTX * ctx, const unsigned char *signature, size_t signature_len,
	const unsigned char *bytes, size_t len),
    (ctx, signature, signature_len, bytes, len))
SSL(int, EVP_DigestSignInit_ex,
    (EVP_MD_CTX * ctx, EVP_PKEY_CTX **ret, const char *md, OSSL_LIB_CTX *lib,
	const char *query, EVP_PKEY *pkey, const OSSL_PARAM params[]),
    (ctx, ret, md, lib, query, pkey, params))
SSL(int, EVP_DigestSign,
    (EVP_MD_CTX * ctx, unsigned char *signature, size_t *signature_len,
	const unsigned char *bytes, size_t len),
    (ctx, signature, signature_len, bytes, len))

/* keys */
SSL_NEW(EVP_PKEY_CTX, EVP_PKEY_CTX_new_from_name,
    (OSSL_LIB_CTX * lib, const char *name, const char *query),
    (lib, name, query))
SSL_NEW(EVP_PKEY_CTX, EVP_PKEY_CTX_new_from_pkey,
    (OSSL_LIB_CTX * lib, EVP_PKEY *pkey, const char *query), (lib, pkey, query))
SSL(int, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * ctx), (ctx))
SSL(int, EVP_PKEY_fromdata,
    (EVP_PKEY_CTX * ctx, EVP_PKEY **ret, int what, OSSL_PARAM params[]),
    (ctx, ret, what, params))
SSL(int, EVP_PKEY_public_check_quick, (EVP_PKEY_CTX * ctx), (ctx))
SSL(int, EVP_PKEY_pairwise_check, (EVP_PKEY_CTX * ctx), (ctx))
SSL(int, EVP_PKEY_get_group_name,
    (const EVP_PKEY *pkey, char *name, size_t size, size_t *len),
    (pkey, name, size, len))
SSL(int, EVP_PKEY_get_octet_string_param,
    (const EVP_PKEY *pkey, const char *name, unsigned char *bytes, size_t size,
	size_t *len),
    (pkey, name, bytes, size, len))
SSL(int, EVP_PKEY_derive_init, (EVP_PKEY_CTX * ctx), (ctx))
SSL(int, EVP_PKEY_derive_set_peer, (EVP_PKEY_CTX * ctx, EVP_PKEY *peer),
    (ctx, peer))
SSL(int, EVP_PKEY_derive, (EVP_PKEY_CTX * ctx, unsigned char *key, size_t *len),
    (ctx, key, len))
SSL_NEW(OSSL_PARAM_BLD, OSSL_PARAM_BLD_new, (void), ())
SSL_NEW(OSSL_PARAM, OSSL_PARAM_BLD_to_param, (OSSL_PARAM_BLD * bld), (bld))
SSL(int, OSSL_PARAM_BLD_push_BN,
    (OSSL_PARAM_BLD * bld, const char *name, const BIGNUM *bn), (bld, name, bn))
SSL(int, OSSL_PARAM_BLD_push_octet_string,
    (OSSL_PARAM_BLD * bld, const char *name, const void *bytes, size_t len),
    (bld, name, bytes, len))
SSL(int, OSSL_PARAM_BLD_push_utf8_string,
    (OSSL_PARAM_BLD * bld, const char *name, const char *str, size_t len),
    (bld, name, str, len))
SSL_NEW(BIGNUM, BN_bin2bn, (const unsigned char *bytes, int len, BIGNUM *bn),
    (bytes, len, bn))
SSL_NEW(EC_GROUP, EC_GROUP_new_by_curve_name_ex,
    (OSSL_LIB_CTX * lib, const char *query, int nid), (lib, query, nid))
SSL_NEW(EC_POINT, EC_POINT_new, (const EC_GROUP *group), (group))
SSL(int, EC_POINT_mul,
    (const EC_GROUP *group, EC_POINT *point, const BIGNUM *n, const EC_POINT *q,
	const BIGNUM *m, BN_CTX *ctx),
    (group, point, n, q, m, ctx))
WRAP(CRYPTO, size_t, EC_POINT_point2oct,
    (const EC_GROUP *group, const EC_POINT *point, point_conversion_form_t form,
	unsigned char *bytes, size_t len, BN_CTX *ctx),
    (group, point, form, bytes, len, ctx), NO)

/* files of keys */
SSL_NEW(BIO, BIO_new, (const BIO_METHOD *method), (method))
SSL_NEW(BIO, BIO_new_mem_buf, (const void *bytes, int len), (bytes, len))
WRAP(CRYPTO, long, BIO_ctrl, (BIO * bio, int what, long arg, void *ptr),
    (bio, what, arg, ptr), NO)
SSL(int, PEM_read_bio,
    (BIO * bio, char **name, char **header, unsigned char **bytes, long *len),
    (bio, name, header, bytes, len))
SSL(int, PEM_write_bio_PKCS8, (BIO * bio, const X509_SIG *key), (bio, key))
SSL(int, PEM_write_bio_PKCS8_PRIV_KEY_INFO,
    (BIO * bio, const PKCS8_PRIV_KEY_INFO *key), (bio, key))
SSL_NEW(PKCS8_PRIV_KEY_INFO, d2i_PKCS8_PRIV_KEY_INFO,
    (PKCS8_PRIV_KEY_INFO * *ret, const unsigned char **bytes, long len),
    (ret, bytes, len))
SSL_NEW(X509_SIG, d2i_X509_SIG,
    (X509_SIG * *ret, const unsigned char **bytes, long len), (ret, bytes, len))
SSL_NEW(EVP_PKEY, EVP_PKCS82PKEY_ex,
    (const PKCS8_PRIV_KEY_INFO *info, OSSL_LIB_CTX *lib, const char *query),
    (info, lib, query))
SSL_NEW(PKCS8_PRIV_KEY_INFO, EVP_PKEY2PKCS8, (const EVP_PKEY *pkey), (pkey))
SSL_NEW(X509_ALGOR, PKCS5_pbe2_set_scrypt,
    (const EVP_CIPHER *cipher, const unsigned char *salt, int salt_len,
	unsigned char *iv, uint64_t n, uint64_t r, uint64_t p),
    (cipher, salt, salt_len, iv, n, r, p))
SSL_NEW(X509_SIG, PKCS8_set0_pbe_ex,
    (const char *pass, int len, PKCS8_PRIV_KEY_INFO *info, X509_ALGOR *pbe,
	OSSL_LIB_CTX *lib, const char *query),
    (pass, len, info, pbe, lib, query))
SSL_NEW(PKCS8_PRIV_KEY_INFO, PKCS8_decrypt_ex,
    (const X509_SIG *sealed, const char *pass, int len, OSSL_LIB_CTX *lib,
	const char *query),
    (sealed, pass, len, lib, query))

EVP_PKEY *__real_EVP_PKEY_Q_keygen(
    OSSL_LIB_CTX *lib, const char *query, const char *type, ...);
EVP_PKEY *__wrap_EVP_PKEY_Q_keygen(
    OSSL_LIB_CTX *lib, const char *query, const char *type, ...);

EVP_PKEY *
__wrap_EVP_PKEY_Q_keygen(
    OSSL_LIB_CTX *lib, const char *query, const char *type, ...)
{
	static const struct way ways[] = {NO};
	const char *curve;
	va_list ap;

	if (faults_way("EVP_PKEY_Q_keygen", FAULTS_CRYPTO, ways, 1) != NULL)
		return NULL;
	va_start(ap, type);
	curve = va_arg(ap, const char *);
	va_end(ap);
	return __real_EVP_PKEY_Q_keygen(lib, query, type, curve);
}

/* JSON and QR */
WRAP(LIBRARY, json_tokener *, json_tokener_new_ex, (int depth), (depth), NO)
WRAP(LIBRARY, json_object *, json_tokener_parse_ex,
    (json_tokener * tok, const char *text, int len), (tok, text, len), NO)
WRAP(LIBRARY, QRcode *, QRcode_encodeString,
    (const char *text, int version, QRecLevel level, QRencodeMode mode,
	int case_sensitive),
    (text, version, level, mode, case_sensitive), E(0, ENOMEM), E(0, ERANGE))
