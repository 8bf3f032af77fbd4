/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links in the text of a terminal: written out, or drawn as QR codes with half
 * blocks (UTF-8) or with '#' (ASCII), in either polarity, anywhere in the
 * text and whatever is around them.
 */
#ifndef PHONE_SCAN_H
#define PHONE_SCAN_H

#include <stddef.h>

#include "bounds.h"
#include "countersign.h"
#include "crypto.h"

#define SCAN_LINKS_MAX 16

struct scan_link {
	char text[CSIGN_LINK_MAX + 1]; /* valid for csign_link_parse() */
	char id[CSIGN_LINK_ID_SIZE];
	size_t line; /* of the text where it was found last, from 0 */
};

/* Different links in the order of the text; the newest come last. */
struct scan {
	struct scan_link links[SCAN_LINKS_MAX];
	size_t n;
};

/*
 * Finds every link.  Escape sequences and bytes that are not UTF-8 count as
 * space.  When there are more than SCAN_LINKS_MAX, the first ones are dropped.
 */
CSIGN_WUR enum csign_err scan_text(struct csign_crypto *crypto,
    const char *text, size_t len, struct scan *ret_scan);

#endif
