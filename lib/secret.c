/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "secret.h"

#define CAPACITY_MAX 65536
/* Up to here getrandom(2) never gives less than it was asked for. */
#define RANDOM_CHUNK 256

struct csign_secret {
	unsigned char *bytes;
	size_t capacity;
};

enum csign_err
csign_secret_new(size_t capacity, struct csign_secret **ret_secret)
{
	struct csign_secret *secret = NULL;
	void *map = MAP_FAILED;

	if (capacity == 0 || capacity > CAPACITY_MAX)
		return CSIGN_E_INVALID;
	if ((secret = malloc(sizeof(*secret))) == NULL)
		return CSIGN_E_NOMEM;
	map = mmap(NULL, capacity, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		free(secret);
		return CSIGN_E_NOMEM;
	}
	/*
	 * Best effort: RLIMIT_MEMLOCK is small for users, and a secret that
	 * may be swapped is better than a login that fails.
	 */
	(void)mlock(map, capacity);
	(void)madvise(map, capacity, MADV_DONTDUMP);
	secret->bytes = map;
	secret->capacity = capacity;
	*ret_secret = secret;
	return CSIGN_OK;
}

void
csign_secret_free(struct csign_secret **secret)
{
	if (secret == NULL || *secret == NULL)
		return;
	csign_wipe((*secret)->bytes, (*secret)->capacity);
	(void)munmap((*secret)->bytes, (*secret)->capacity);
	free(*secret);
	*secret = NULL;
}

unsigned char *
csign_secret_data(struct csign_secret *secret)
{
	return secret->bytes;
}

size_t
csign_secret_capacity(const struct csign_secret *secret)
{
	return secret->capacity;
}

void
csign_wipe(void *bytes, size_t len)
{
	if (bytes != NULL && len > 0)
		explicit_bzero(bytes, len);
}

void
csign_wipe_str(char **str)
{
	if (str == NULL || *str == NULL)
		return;
	csign_wipe(*str, strlen(*str));
	free(*str);
	*str = NULL;
}

bool
csign_equal(const void *a, const void *b, size_t len)
{
	return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

enum csign_err
csign_random(void *bytes, size_t len)
{
	unsigned char *at = bytes;
	size_t left = len;
	size_t chunk;
	ssize_t n;

	while (left > 0) {
		chunk = left < RANDOM_CHUNK ? left : RANDOM_CHUNK;
		do
			n = getrandom(at, chunk, 0);
		while (n < 0 && errno == EINTR);
		if (n < 0 || (size_t)n != chunk) {
			csign_wipe(bytes, len);
			return CSIGN_E_RANDOM;
		}
		at += chunk;
		left -= chunk;
	}
	return CSIGN_OK;
}
