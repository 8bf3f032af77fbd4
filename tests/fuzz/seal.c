/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seals: nothing that was not sealed under the key for this use opens, and a
 * change of any byte of what was is noticed.
 *
 * The first three bytes of an input: where a byte is changed, and how.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "seal.h"
#include "signer.h"

static const unsigned char key[CSIGN_KEY_LEN] = {1, 2, 3};

static void
check_foreign(const uint8_t *bytes, size_t size)
{
	struct csign_buf *out = fuzz_buf(size);

	MUST(csign_open(fuzz_crypto(), CSIGN_SEAL_CONTENT, key, bytes, size,
		 out) == CSIGN_E_FORMAT);
	MUST(csign_open(fuzz_crypto(), CSIGN_SEAL_ANSWER, key, bytes, size,
		 out) == CSIGN_E_FORMAT);
	MUST(csign_buf_len(out) == 0);
	csign_buf_free(&out);
}

static void
check_sealed(const uint8_t *plain, size_t size, size_t where, uint8_t change)
{
	struct csign_buf *sealed = fuzz_buf(size + CSIGN_SEAL_OVERHEAD);
	struct csign_buf *out = fuzz_buf(size);
	size_t len = size + CSIGN_SEAL_OVERHEAD;
	uint8_t *copy;

	MUST(csign_seal(fuzz_crypto(), CSIGN_SEAL_CONTENT, key, plain, size,
		 sealed) == CSIGN_OK);
	MUST(csign_buf_len(sealed) == len);
	copy = fuzz_copy(csign_buf_data(sealed), len);
	MUST(csign_open(fuzz_crypto(), CSIGN_SEAL_ANSWER, key, copy, len,
		 out) == CSIGN_E_FORMAT);
	MUST(csign_open(fuzz_crypto(), CSIGN_SEAL_CONTENT, key, copy, len,
		 out) == CSIGN_OK);
	MUST(fuzz_buf_is(out, plain, size));
	csign_buf_clear(out);
	copy[where % len] ^= (uint8_t)(change | 1);
	MUST(csign_open(fuzz_crypto(), CSIGN_SEAL_CONTENT, key, copy, len,
		 out) == CSIGN_E_FORMAT);
	MUST(csign_buf_len(out) == 0);
	free(copy);
	csign_buf_free(&out);
	csign_buf_free(&sealed);
}

/* What is sealed to a device is its link's secret, of one size. */
static void
check_device(const uint8_t *bytes, size_t size, size_t where, uint8_t change)
{
	unsigned char point[CSIGN_POINT_LEN], secret[CSIGN_SECRET_LEN];
	unsigned char sealed[CSIGN_DEVICE_SEAL_LEN], out[CSIGN_SECRET_LEN];
	char id[CSIGN_DEVICE_ID_SIZE];

	csign_p256_point(proof_key(), point);
	MUST(csign_device_id(fuzz_crypto(), point, id) == CSIGN_OK);
	fuzz_fill(out, sizeof out);
	if (size >= sizeof sealed) {
		memcpy(sealed, bytes, sizeof sealed);
		MUST(csign_device_open(fuzz_crypto(), proof_key(), id, sealed,
			 out) != CSIGN_OK);
		MUST(fuzz_untouched(out, sizeof out));
	}
	if (size < sizeof secret || (change & 0x0f) != 0)
		return; /* a fresh key each time is dear */
	memcpy(secret, bytes, sizeof secret);
	MUST(csign_device_seal(
		 fuzz_crypto(), point, id, secret, NULL, sealed) == CSIGN_OK);
	MUST(csign_device_open(fuzz_crypto(), proof_key(), id, sealed, out) ==
		 CSIGN_OK &&
	     memcmp(out, secret, sizeof out) == 0);
	fuzz_fill(out, sizeof out);
	sealed[where % sizeof sealed] ^= (uint8_t)(change | 1);
	MUST(csign_device_open(fuzz_crypto(), proof_key(), id, sealed, out) !=
		 CSIGN_OK &&
	     fuzz_untouched(out, sizeof out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t where = (size_t)fuzz_take(&data, &size) << 8;
	uint8_t change, *bytes;

	where |= fuzz_take(&data, &size);
	change = fuzz_take(&data, &size);
	bytes = fuzz_copy(data, size);
	check_foreign(bytes, size);
	check_sealed(bytes, size, where, change);
	check_device(bytes, size, where, change);
	free(bytes);
	return 0;
}
