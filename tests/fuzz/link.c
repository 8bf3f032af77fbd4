/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links, as they are scanned or typed, and origins: a link that is taken is
 * written again in both cases, and both lead to the same place and secret.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "link.h"

static void
check_origin(const char *origin)
{
	char host[CSIGN_HOST_MAX + 1];

	fuzz_fill(host, sizeof host);
	if (csign_origin_check(origin) != CSIGN_OK) {
		MUST(csign_origin_host(origin, host) != CSIGN_OK);
		MUST(fuzz_untouched(host, sizeof host));
		return;
	}
	MUST(strlen(origin) <= CSIGN_URL_MAX);
	MUST(strpbrk(origin, " @#?\\%\r\n\t") == NULL);
	MUST(csign_origin_host(origin, host) == CSIGN_OK);
	MUST(host[0] != '\0' && strstr(origin, host) != NULL);
}

static void
check_written(const struct csign_link *link, const char *origin, bool upper)
{
	struct csign_link *again = NULL;
	char text[CSIGN_LINK_MAX + 1];
	char *other = NULL;

	MUST(csign_link_text(link, origin, upper, text) == CSIGN_OK);
	MUST(csign_link_parse(fuzz_crypto(), text, &again, &other) == CSIGN_OK);
	MUST(strcmp(origin, other) == 0);
	MUST(memcmp(csign_link_secret(link), csign_link_secret(again),
		 CSIGN_SECRET_LEN) == 0);
	MUST(strcmp(csign_link_id(link), csign_link_id(again)) == 0);
	csign_link_free(&again);
	free(other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *origin = NULL;
	struct csign_link *link = NULL;

	check_origin(text);
	if (csign_link_parse(fuzz_crypto(), text, &link, &origin) == CSIGN_OK) {
		MUST(csign_origin_check(origin) == CSIGN_OK);
		MUST(strlen(csign_link_id(link)) == CSIGN_LINK_ID_SIZE - 1);
		check_written(link, origin, false);
		check_written(link, origin, true);
	} else {
		MUST(link == NULL && origin == NULL);
	}
	csign_link_free(&link);
	free(origin);
	free(text);
	return 0;
}
