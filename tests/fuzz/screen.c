/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a terminal, as the software phone reads it: whatever is found in
 * it is a link.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../cli/phone/scan.h"
#include "../../cli/phone/screen.h"
#include "fuzz.h"
#include "link.h"

static void
check_screen(const char *text, size_t size)
{
	struct screen screen = {NULL, 0};

	MUST(screen_read(text, size, &screen) == CSIGN_OK);
	for (size_t i = 0; i < screen.n; i++) {
		MUST(screen.lines[i].n <= SCREEN_COLUMNS_MAX);
		MUST(strlen(screen.lines[i].text) == screen.lines[i].n);
	}
	screen_clear(&screen);
}

static void
check_links(const char *text, size_t size)
{
	static struct scan scan;

	MUST(scan_text(fuzz_crypto(), text, size, &scan) == CSIGN_OK);
	MUST(scan.n <= SCAN_LINKS_MAX);
	for (size_t i = 0; i < scan.n; i++) {
		struct csign_link *link = NULL;
		char *origin = NULL;

		MUST(csign_link_parse(fuzz_crypto(), scan.links[i].text, &link,
			 &origin) == CSIGN_OK);
		MUST(strcmp(csign_link_id(link), scan.links[i].id) == 0);
		csign_link_free(&link);
		free(origin);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = (char *)fuzz_copy(data, size);

	check_screen(text, size);
	check_links(text, size);
	free(text);
	return 0;
}
