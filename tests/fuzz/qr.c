/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QR codes: any text of an allowed length is drawn, every line as wide as the
 * others, and a link is read from the drawing again.  The first byte of an
 * input chooses the style.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../cli/phone/scan.h"
#include "bounds.h"
#include "countersign.h"
#include "fuzz.h"
#include "link.h"
#include "text.h"

static void
check_shape(const char *drawing)
{
	size_t width = 0, lines = 0;

	for (const char *at = drawing; *at != '\0'; lines++) {
		size_t len = strcspn(at, "\n");
		size_t columns = csign_utf8_count(at, len);

		MUST(at[len] == '\n');
		MUST(lines == 0 || columns == width);
		width = columns;
		at += len + 1;
	}
	MUST(width > 0 && lines > 0);
}

/* Of a link: it is the only one that is seen. */
static void
check_readable(const char *text, const char *drawing)
{
	struct csign_link *link = NULL;
	static struct scan scan;
	char *origin = NULL;

	if (csign_link_parse(fuzz_crypto(), text, &link, &origin) != CSIGN_OK)
		return;
	MUST(scan_text(fuzz_crypto(), drawing, strlen(drawing), &scan) ==
	     CSIGN_OK);
	MUST(scan.n == 1);
	MUST(strcmp(scan.links[0].id, csign_link_id(link)) == 0);
	csign_link_free(&link);
	free(origin);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how = fuzz_take(&data, &size);
	char *text = fuzz_string(data, size), *drawing = NULL;
	enum csign_err r =
	    csign_qr_draw(text, (how & 1) != 0 ? CSIGN_QR_ASCII : CSIGN_QR_UTF8,
		(how & 2) != 0, &drawing);

	if (r == CSIGN_OK) {
		MUST(strlen(text) <= CSIGN_LINK_MAX);
		check_shape(drawing);
		check_readable(text, drawing);
	} else {
		MUST(drawing == NULL);
		MUST(text[0] == '\0' || strlen(text) > CSIGN_LINK_MAX);
	}
	free(drawing);
	free(text);
	return 0;
}
