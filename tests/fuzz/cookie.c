/* SPDX-License-Identifier: BSD-2-Clause */
/* A Cookie header: a phone's cookie is found whole, or none is. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../service/cookie.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char name[] = "__Host-countersign=";
	char *header = fuzz_string(data, size);
	char cookie[COOKIE_SIZE], whole[sizeof name + COOKIE_SIZE];
	unsigned char hash[STORE_HASH_LEN];

	fuzz_fill(cookie, sizeof cookie);
	fuzz_fill(hash, sizeof hash);
	if (cookie_read(header, cookie)) {
		MUST(strlen(cookie) == COOKIE_SIZE - 1);
		MUST(strchr(cookie, ';') == NULL);
		memcpy(whole, name, sizeof name - 1);
		memcpy(whole + sizeof name - 1, cookie, COOKIE_SIZE);
		MUST(strstr(header, whole) != NULL);
		MUST(cookie_find(header, hash));
	} else {
		MUST(fuzz_untouched(cookie, sizeof cookie));
		MUST(!cookie_find(header, hash));
		MUST(fuzz_untouched(hash, sizeof hash));
	}
	free(header);
	return 0;
}
