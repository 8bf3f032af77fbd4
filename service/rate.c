/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "rate.h"
#include "secret.h"

#define SETS 2048 /* a power of two */
#define WAYS 4
#define KEY_MAX 64
#define MINUTE_MS 60000U

/* Levels are in milli-tokens, so that a second refills smoothly. */
struct bucket {
	uint64_t tag; /* 0: nobody */
	uint64_t filled_at;
	uint64_t level;
};

struct rate {
	uint32_t per_minute;
	unsigned char secret[32];
	struct bucket buckets[SETS][WAYS];
};

enum csign_err
rate_new(uint32_t per_minute, struct rate **ret_rate)
{
	struct rate *rate;
	enum csign_err r;

	if ((rate = calloc(1, sizeof *rate)) == NULL)
		return CSIGN_E_NOMEM;
	rate->per_minute = per_minute;
	if ((r = csign_random(rate->secret, sizeof rate->secret)) != CSIGN_OK) {
		rate_free(&rate);
		return r;
	}
	*ret_rate = rate;
	return CSIGN_OK;
}

void
rate_free(struct rate **rate)
{
	free(*rate);
	*rate = NULL;
}

static uint64_t
hash_key(const struct rate *rate, const void *key, size_t len)
{
	unsigned char text[sizeof rate->secret + KEY_MAX];
	unsigned char digest[EVP_MAX_MD_SIZE];
	uint64_t tag = 0;

	if (len > KEY_MAX)
		len = KEY_MAX;
	memcpy(text, rate->secret, sizeof rate->secret);
	memcpy(text + sizeof rate->secret, key, len);
	if (EVP_Digest(text, sizeof rate->secret + len, digest, NULL,
		EVP_sha256(), NULL) == 1)
		memcpy(&tag, digest, sizeof tag);
	return tag != 0 ? tag : 1;
}

static void
refill(const struct rate *rate, struct bucket *bucket, uint64_t now_ms)
{
	uint64_t full = (uint64_t)rate->per_minute * MINUTE_MS;
	uint64_t passed = now_ms - bucket->filled_at;

	if (passed > MINUTE_MS)
		passed = MINUTE_MS;
	bucket->level += passed * rate->per_minute;
	if (bucket->level > full)
		bucket->level = full;
	bucket->filled_at = now_ms;
}

/* The bucket of a key, full if it is new. */
static struct bucket *
find(struct rate *rate, uint64_t tag, uint64_t now_ms)
{
	struct bucket *set = rate->buckets[tag % SETS];
	struct bucket *best = NULL;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].tag != 0)
			refill(rate, &set[i], now_ms);
		if (set[i].tag == tag)
			return &set[i];
		if (best == NULL || set[i].tag == 0 ||
		    (best->tag != 0 && set[i].level > best->level))
			best = &set[i];
	}
	best->tag = tag;
	best->filled_at = now_ms;
	best->level = (uint64_t)rate->per_minute * MINUTE_MS;
	return best;
}

bool
rate_take(struct rate *rate, const void *key, size_t len, uint64_t now_ms,
    unsigned *ret_wait)
{
	struct bucket *bucket;
	uint64_t missing;

	if (rate->per_minute == 0)
		return true;
	bucket = find(rate, hash_key(rate, key, len), now_ms);
	if (bucket->level >= MINUTE_MS) {
		bucket->level -= MINUTE_MS;
		return true;
	}
	missing = MINUTE_MS - bucket->level;
	*ret_wait = (unsigned)(missing / rate->per_minute / 1000 + 1);
	return false;
}
