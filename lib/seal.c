/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "seal.h"
#include "secret.h"

#define FORMAT_VERSION 0x01
#define NONCE_LEN 12
#define TAG_LEN 16
#define HEAD_LEN (1 + NONCE_LEN)
#define SEALED_MAX 8192 /* a content or an answer */

#define INFO_DEVICE_SEAL "countersign/1 seal"
#define DEVICE_ID_TEXT_LEN (CSIGN_DEVICE_ID_SIZE - 1)

_Static_assert(HEAD_LEN + TAG_LEN == CSIGN_SEAL_OVERHEAD, "overhead");
_Static_assert(
    SEALED_MAX == CSIGN_CONTENT_MAX && SEALED_MAX == CSIGN_ANSWER_MAX,
    "one limit for both uses");
_Static_assert(
    1 + CSIGN_POINT_LEN + CSIGN_SECRET_LEN + TAG_LEN == CSIGN_DEVICE_SEAL_LEN,
    "device seal");

/* The additional data is what the key was derived for. */
static const char *
aad_of(enum csign_seal_use use)
{
	switch (use) {
	case CSIGN_SEAL_CONTENT:
		return "countersign/1 content";
	case CSIGN_SEAL_ANSWER:
		return "countersign/1 answer";
	}
	return NULL;
}

enum csign_err
csign_seal_with_nonce(struct csign_crypto *crypto, enum csign_seal_use use,
    const unsigned char key[CSIGN_KEY_LEN], const unsigned char nonce[12],
    const void *plain, size_t len, struct csign_buf *out)
{
	const char *aad = aad_of(use);
	unsigned char *sealed;
	enum csign_err r;

	if (aad == NULL)
		return CSIGN_E_INVALID;
	if (len > SEALED_MAX - CSIGN_SEAL_OVERHEAD)
		return CSIGN_E_TOO_LONG;
	if ((sealed = malloc(CSIGN_SEAL_OVERHEAD + len)) == NULL)
		return CSIGN_E_NOMEM;
	sealed[0] = FORMAT_VERSION;
	memcpy(sealed + 1, nonce, NONCE_LEN);
	if ((r = csign_gcm_seal(crypto, key, nonce, aad, strlen(aad), plain,
		 len, sealed + HEAD_LEN)) == CSIGN_OK)
		r = csign_buf_put(out, sealed, CSIGN_SEAL_OVERHEAD + len);
	free(sealed);
	return r;
}

enum csign_err
csign_seal(struct csign_crypto *crypto, enum csign_seal_use use,
    const unsigned char key[CSIGN_KEY_LEN], const void *plain, size_t len,
    struct csign_buf *out)
{
	unsigned char nonce[NONCE_LEN];
	enum csign_err r;

	if ((r = csign_random(nonce, sizeof(nonce))) != CSIGN_OK)
		return r;
	return csign_seal_with_nonce(crypto, use, key, nonce, plain, len, out);
}

enum csign_err
csign_open(struct csign_crypto *crypto, enum csign_seal_use use,
    const unsigned char key[CSIGN_KEY_LEN], const unsigned char *sealed,
    size_t len, struct csign_buf *out)
{
	const char *aad = aad_of(use);
	unsigned char *plain;
	size_t plain_len;
	enum csign_err r;

	if (aad == NULL)
		return CSIGN_E_INVALID;
	if (len > SEALED_MAX)
		return CSIGN_E_TOO_LONG;
	if (len < CSIGN_SEAL_OVERHEAD || sealed[0] != FORMAT_VERSION)
		return CSIGN_E_FORMAT;
	plain_len = len - CSIGN_SEAL_OVERHEAD;
	if ((plain = malloc(plain_len + 1)) == NULL)
		return CSIGN_E_NOMEM;
	if ((r = csign_gcm_open(crypto, key, sealed + 1, aad, strlen(aad),
		 sealed + HEAD_LEN, len - HEAD_LEN, plain)) == CSIGN_OK)
		r = csign_buf_put(out, plain, plain_len);
	csign_wipe(plain, plain_len + 1);
	free(plain);
	return r;
}

/* --- to a device -----------------------------------------------------------
 */

/* The key between an ephemeral pair and a device's, seen from either side. */
static enum csign_err
device_key(struct csign_crypto *crypto, const struct csign_p256 *own,
    const unsigned char peer[CSIGN_POINT_LEN],
    const unsigned char ephemeral_point[CSIGN_POINT_LEN],
    const unsigned char device_point[CSIGN_POINT_LEN],
    unsigned char key[CSIGN_KEY_LEN])
{
	unsigned char z[32], salt[2 * CSIGN_POINT_LEN];
	enum csign_err r;

	memcpy(salt, ephemeral_point, CSIGN_POINT_LEN);
	memcpy(salt + CSIGN_POINT_LEN, device_point, CSIGN_POINT_LEN);
	if ((r = csign_p256_ecdh(own, peer, z)) == CSIGN_OK)
		r = csign_hkdf_sha256(crypto, z, sizeof(z), salt, sizeof(salt),
		    INFO_DEVICE_SEAL, key, CSIGN_KEY_LEN);
	csign_wipe(z, sizeof(z));
	return r;
}

/* Zero: each key seals one message. */
static const unsigned char device_nonce[NONCE_LEN];

enum csign_err
csign_device_seal(struct csign_crypto *crypto,
    const unsigned char seal_point[CSIGN_POINT_LEN],
    const char device_id[CSIGN_DEVICE_ID_SIZE],
    const unsigned char secret[CSIGN_SECRET_LEN], struct csign_p256 *ephemeral,
    unsigned char out[CSIGN_DEVICE_SEAL_LEN])
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_p256 *fresh = NULL;
	unsigned char key[CSIGN_KEY_LEN], sealed[CSIGN_DEVICE_SEAL_LEN];
	unsigned char *point = sealed + 1;

	if (strlen(device_id) != DEVICE_ID_TEXT_LEN)
		return CSIGN_E_INVALID;
	if (ephemeral == NULL) {
		if ((r = csign_p256_new(crypto, &fresh)) != CSIGN_OK)
			goto out;
		ephemeral = fresh;
	}
	sealed[0] = FORMAT_VERSION;
	csign_p256_point(ephemeral, point);
	if ((r = device_key(crypto, ephemeral, seal_point, point, seal_point,
		 key)) != CSIGN_OK ||
	    (r = csign_gcm_seal(crypto, key, device_nonce, device_id,
		 DEVICE_ID_TEXT_LEN, secret, CSIGN_SECRET_LEN,
		 point + CSIGN_POINT_LEN)) != CSIGN_OK)
		goto out;
	memcpy(out, sealed, sizeof(sealed));
out:
	csign_wipe(key, sizeof(key));
	csign_p256_free(&fresh);
	return r;
}

enum csign_err
csign_device_open(struct csign_crypto *crypto,
    const struct csign_p256 *seal_key,
    const char device_id[CSIGN_DEVICE_ID_SIZE],
    const unsigned char sealed[CSIGN_DEVICE_SEAL_LEN],
    unsigned char ret_secret[CSIGN_SECRET_LEN])
{
	enum csign_err r = CSIGN_E_INTERNAL;
	const unsigned char *point = sealed + 1;
	unsigned char key[CSIGN_KEY_LEN], own[CSIGN_POINT_LEN];
	unsigned char secret[CSIGN_SECRET_LEN];

	if (strlen(device_id) != DEVICE_ID_TEXT_LEN)
		return CSIGN_E_INVALID;
	if (sealed[0] != FORMAT_VERSION)
		return CSIGN_E_FORMAT;
	csign_p256_point(seal_key, own);
	r = device_key(crypto, seal_key, point, point, own, key);
	if (r == CSIGN_E_PROOF_KEY)
		r = CSIGN_E_FORMAT;
	if (r != CSIGN_OK)
		goto out;
	if ((r = csign_gcm_open(crypto, key, device_nonce, device_id,
		 DEVICE_ID_TEXT_LEN, point + CSIGN_POINT_LEN,
		 CSIGN_SECRET_LEN + TAG_LEN, secret)) != CSIGN_OK)
		goto out;
	memcpy(ret_secret, secret, sizeof(secret));
out:
	csign_wipe(secret, sizeof(secret));
	csign_wipe(key, sizeof(key));
	return r;
}
