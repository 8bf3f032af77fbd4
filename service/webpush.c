/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "codec.h"
#include "secret.h"
#include "webpush.h"

#define TAG_LEN 16
#define DELIMITER 0x02 /* of the last record; it is the only one */

/* Each with its NUL, which belongs to it. */
static const char key_label[] = "WebPush: info";
static const char cek_label[] = "Content-Encoding: aes128gcm";
static const char nonce_label[] = "Content-Encoding: nonce";

/* Exactly len bytes from b64u text. */
static enum csign_err
decode(const char *text, unsigned char *out, size_t len)
{
	size_t n = 0;

	if (csign_b64u_decode(text, strlen(text), out, len, &n) != CSIGN_OK ||
	    n != len)
		return CSIGN_E_INVALID;
	return CSIGN_OK;
}

enum csign_err
webpush_keys_read(struct csign_crypto *crypto, const char *p256dh,
    const char *auth, struct webpush_keys *ret_keys)
{
	struct webpush_keys keys;
	enum csign_err r;

	if ((r = decode(p256dh, keys.point, sizeof keys.point)) != CSIGN_OK ||
	    (r = decode(auth, keys.auth, sizeof keys.auth)) != CSIGN_OK)
		return r;
	r = csign_point_check(crypto, keys.point);
	if (r == CSIGN_E_PROOF_KEY)
		return CSIGN_E_INVALID;
	if (r == CSIGN_OK)
		*ret_keys = keys;
	return r;
}

/* Plaintext, delimiter, zeros: sealed where they stand, tag behind. */
static enum csign_err
put_record(struct csign_crypto *crypto, const unsigned char *cek,
    const unsigned char *nonce, const void *plain, size_t len, size_t padded,
    struct csign_buf *out)
{
	unsigned char record[WEBPUSH_PLAIN_MAX + 1 + TAG_LEN];
	enum csign_err r;

	memset(record, 0, sizeof record);
	memcpy(record, plain, len);
	record[len] = DELIMITER;
	if ((r = csign_gcm128_seal(
		 crypto, cek, nonce, record, padded + 1, record)) == CSIGN_OK)
		r = csign_buf_put(out, record, padded + 1 + TAG_LEN);
	csign_wipe(record, sizeof record);
	return r;
}

enum csign_err
webpush_record(struct csign_crypto *crypto, const unsigned char *ikm,
    size_t ikm_len, const unsigned char salt[WEBPUSH_SALT_LEN],
    const void *key_id, size_t key_id_len, const void *plain, size_t len,
    size_t padded, struct csign_buf *out)
{
	unsigned char cek[16], nonce[12];
	enum csign_err r;

	csign_buf_clear(out);
	if (len > padded || padded > WEBPUSH_PLAIN_MAX || key_id_len > 255)
		return CSIGN_E_TOO_LONG;
	/* The first record's nonce is this one itself. */
	if ((r = csign_hkdf_sha256_bytes(crypto, ikm, ikm_len, salt,
		 WEBPUSH_SALT_LEN, cek_label, sizeof cek_label, cek,
		 sizeof cek)) != CSIGN_OK ||
	    (r = csign_hkdf_sha256_bytes(crypto, ikm, ikm_len, salt,
		 WEBPUSH_SALT_LEN, nonce_label, sizeof nonce_label, nonce,
		 sizeof nonce)) != CSIGN_OK ||
	    (r = csign_buf_put(out, salt, WEBPUSH_SALT_LEN)) != CSIGN_OK ||
	    (r = csign_buf_put_u32(out, WEBPUSH_BODY_MAX)) != CSIGN_OK ||
	    (r = csign_buf_put_u8(out, (uint8_t)key_id_len)) != CSIGN_OK ||
	    (r = csign_buf_put(out, key_id, key_id_len)) != CSIGN_OK ||
	    (r = put_record(crypto, cek, nonce, plain, len, padded, out)) !=
		CSIGN_OK)
		csign_buf_clear(out);
	csign_wipe(cek, sizeof cek);
	csign_wipe(nonce, sizeof nonce);
	return r;
}

/* What RFC 8188 starts from: the shared secret, bound to both keys and auth. */
static enum csign_err
input_key(struct csign_crypto *crypto, const struct webpush_keys *keys,
    const struct csign_p256 *ephemeral,
    const unsigned char as_point[CSIGN_POINT_LEN], unsigned char ikm[32])
{
	unsigned char
	    info[sizeof key_label + CSIGN_POINT_LEN + CSIGN_POINT_LEN];
	unsigned char z[32];
	enum csign_err r;

	memcpy(info, key_label, sizeof key_label);
	memcpy(info + sizeof key_label, keys->point, CSIGN_POINT_LEN);
	memcpy(info + sizeof key_label + CSIGN_POINT_LEN, as_point,
	    CSIGN_POINT_LEN);
	if ((r = csign_p256_ecdh(ephemeral, keys->point, z)) == CSIGN_OK)
		r = csign_hkdf_sha256_bytes(crypto, z, sizeof z, keys->auth,
		    sizeof keys->auth, info, sizeof info, ikm, 32);
	csign_wipe(z, sizeof z);
	return r;
}

enum csign_err
webpush_seal_with(struct csign_crypto *crypto, const struct webpush_keys *keys,
    const struct csign_p256 *ephemeral,
    const unsigned char salt[WEBPUSH_SALT_LEN], const void *plain, size_t len,
    size_t padded, struct csign_buf *out)
{
	unsigned char as_point[CSIGN_POINT_LEN], ikm[32];
	enum csign_err r;

	csign_buf_clear(out);
	csign_p256_point(ephemeral, as_point);
	if ((r = input_key(crypto, keys, ephemeral, as_point, ikm)) == CSIGN_OK)
		r = webpush_record(crypto, ikm, sizeof ikm, salt, as_point,
		    sizeof as_point, plain, len, padded, out);
	csign_wipe(ikm, sizeof ikm);
	return r;
}

enum csign_err
webpush_seal(struct csign_crypto *crypto, const struct webpush_keys *keys,
    const void *plain, size_t len, size_t padded, struct csign_buf *out)
{
	unsigned char salt[WEBPUSH_SALT_LEN];
	struct csign_p256 *ephemeral = NULL;
	enum csign_err r;

	csign_buf_clear(out);
	if ((r = csign_random(salt, sizeof salt)) == CSIGN_OK &&
	    (r = csign_p256_new(crypto, &ephemeral)) == CSIGN_OK)
		r = webpush_seal_with(
		    crypto, keys, ephemeral, salt, plain, len, padded, out);
	csign_p256_free(&ephemeral);
	return r;
}
