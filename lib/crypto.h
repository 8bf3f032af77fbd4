/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cryptography that the protocol is made of, all of it from libcrypto, in
 * a library context of its own: no configuration file is loaded, nothing
 * global is touched (countersign-security(7) SIG-4).
 */
#ifndef CSIGN_CRYPTO_H
#define CSIGN_CRYPTO_H

#include <stddef.h>

#include "bounds.h"
#include "countersign.h"

struct csign_crypto;

CSIGN_WUR enum csign_err csign_crypto_new(struct csign_crypto **ret_crypto);
void csign_crypto_free(struct csign_crypto **crypto);
/*
 * Does the first-use work of a verification and an AES-GCM opening (about
 * 1 ms), so that it is over before the answer comes.  CSIGN_E_CRYPTO if a
 * known signature does not verify.
 */
CSIGN_WUR enum csign_err csign_crypto_warm_up(struct csign_crypto *crypto);

/* Joins parts; NULL parts must have length 0. */
struct csign_part {
	const void *bytes;
	size_t len;
};
CSIGN_WUR enum csign_err csign_sha256(struct csign_crypto *crypto,
    const struct csign_part *parts, size_t n_parts, unsigned char out[32]);
/* RFC 5869; salt_len may be 0, info is text without its NUL. */
CSIGN_WUR enum csign_err csign_hkdf_sha256(struct csign_crypto *crypto,
    const void *ikm, size_t ikm_len, const void *salt, size_t salt_len,
    const char *info, unsigned char *out, size_t out_len);
/* The same with any bytes as info. */
CSIGN_WUR enum csign_err csign_hkdf_sha256_bytes(struct csign_crypto *crypto,
    const void *ikm, size_t ikm_len, const void *salt, size_t salt_len,
    const void *info, size_t info_len, unsigned char *out, size_t out_len);
/*
 * RFC 7914 with N = 65536, r = 8, p = 2: 64 MiB of memory, a third of a second.
 * CSIGN_E_NOMEM, among others.
 */
CSIGN_WUR enum csign_err csign_scrypt(struct csign_crypto *crypto,
    const char *passphrase, const unsigned char *salt, size_t salt_len,
    unsigned char out[32]);
/* out has len + 16 bytes: ciphertext, tag. */
CSIGN_WUR enum csign_err csign_gcm_seal(struct csign_crypto *crypto,
    const unsigned char key[32], const unsigned char nonce[12], const void *aad,
    size_t aad_len, const void *plain, size_t len, unsigned char *out);
/*
 * With a key of 128 bits, for Web Push; no additional data.  out may be plain.
 */
CSIGN_WUR enum csign_err csign_gcm128_seal(struct csign_crypto *crypto,
    const unsigned char key[16], const unsigned char nonce[12],
    const void *plain, size_t len, unsigned char *out);
/* len counts the tag; out has len - 16 bytes.  CSIGN_E_FORMAT if forged. */
CSIGN_WUR enum csign_err csign_gcm_open(struct csign_crypto *crypto,
    const unsigned char key[32], const unsigned char nonce[12], const void *aad,
    size_t aad_len, const unsigned char *sealed, size_t len,
    unsigned char *out);

/* 65 bytes, uncompressed, on the curve: SIG-5.  CSIGN_E_PROOF_KEY. */
CSIGN_WUR enum csign_err csign_point_check(
    struct csign_crypto *crypto, const unsigned char point[CSIGN_POINT_LEN]);
/*
 * ES256 over message.  The signature must be the one DER form of two positive
 * INTEGERs.  CSIGN_E_PROOF_SIGNATURE, CSIGN_E_PROOF_KEY; (r, n - s) is as good
 * as (r, s), so a signature's bytes identify nothing.
 */
CSIGN_WUR enum csign_err csign_es256_verify(struct csign_crypto *crypto,
    const unsigned char point[CSIGN_POINT_LEN], const void *message,
    size_t message_len, const unsigned char *signature, size_t signature_len);

/*
 * A private key: the phone's side, and the ephemeral key of a seal.  It must
 * be freed before the struct csign_crypto that it was made with.
 */
struct csign_p256;
CSIGN_WUR enum csign_err csign_p256_new(
    struct csign_crypto *crypto, struct csign_p256 **ret_key);
/* From a scalar of 32 bytes, for test vectors. */
CSIGN_WUR enum csign_err csign_p256_from_scalar(struct csign_crypto *crypto,
    const unsigned char scalar[32], struct csign_p256 **ret_key);
/*
 * PKCS#8 PEM, encrypted with PBES2: scrypt and AES-256-CBC.  Reading takes
 * other PBES2 schemes, but no key in clear.  CSIGN_E_FORMAT: not such a file,
 * or not P-256; CSIGN_E_INVALID: the passphrase is wrong.  *ret_pem is the
 * caller's, to be given to free(3).
 */
CSIGN_WUR enum csign_err csign_p256_from_pem(struct csign_crypto *crypto,
    const char *pem, size_t pem_len, const char *passphrase,
    struct csign_p256 **ret_key);
CSIGN_WUR enum csign_err csign_p256_to_pem(const struct csign_p256 *key,
    const char *passphrase, char **ret_pem, size_t *ret_len);
/*
 * The same in clear, as "PRIVATE KEY": what a service must be able to start
 * with.  CSIGN_E_FORMAT also if there is more than the one key.
 */
CSIGN_WUR enum csign_err csign_p256_from_clear_pem(struct csign_crypto *crypto,
    const char *pem, size_t pem_len, struct csign_p256 **ret_key);
/* *ret_pem must be wiped, csign_wipe_str(). */
CSIGN_WUR enum csign_err csign_p256_to_clear_pem(
    const struct csign_p256 *key, char **ret_pem, size_t *ret_len);
void csign_p256_free(struct csign_p256 **key);
void csign_p256_point(
    const struct csign_p256 *key, unsigned char out[CSIGN_POINT_LEN]);
CSIGN_WUR enum csign_err csign_p256_sign(const struct csign_p256 *key,
    const void *message, size_t message_len,
    unsigned char out[CSIGN_SIGNATURE_MAX], size_t *ret_len);
/* The X coordinate, 32 bytes, leading zeros kept. */
CSIGN_WUR enum csign_err csign_p256_ecdh(const struct csign_p256 *key,
    const unsigned char point[CSIGN_POINT_LEN], unsigned char out[32]);

#endif
