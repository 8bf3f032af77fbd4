/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "qr_image.h"
#include "scan.h"
#include "screen.h"

#define FILLED_MIN 4  /* cells of a line that may belong to a QR code */
#define LINES_MIN 8   /* such lines together: the smallest code has 11 */
#define LINES_MAX 256 /* looked at in one picture; ours have 77 at most */
#define LINES_OVERLAP 128

struct finder {
	struct csign_crypto *crypto;
	struct scan *scan;
};

static void
scan_add(struct scan *scan, const struct scan_link *link)
{
	size_t at;

	for (at = 0; at < scan->n; at++)
		if (strcmp(scan->links[at].id, link->id) == 0)
			break;
	if (at < scan->n) {
		if (scan->links[at].line < link->line)
			scan->links[at].line = link->line;
		return;
	}
	if (scan->n == SCAN_LINKS_MAX) {
		memmove(&scan->links[0], &scan->links[1],
		    (SCAN_LINKS_MAX - 1) * sizeof scan->links[0]);
		scan->n--;
	}
	scan->links[scan->n++] = *link;
}

/* Keeps text if it is a link; anything else in a terminal is none. */
static enum csign_err
candidate(void *arg, const char *text, size_t len, size_t line)
{
	struct finder *f = arg;
	struct scan_link found = {.line = line};
	struct csign_link *link = NULL;
	enum csign_err r;
	char *origin = NULL;

	if (len > CSIGN_LINK_MAX || memchr(text, '\0', len) != NULL)
		return CSIGN_OK;
	memcpy(found.text, text, len);
	found.text[len] = '\0';
	r = csign_link_parse(f->crypto, found.text, &link, &origin);
	if (r == CSIGN_OK) {
		memcpy(found.id, csign_link_id(link), sizeof found.id);
		scan_add(f->scan, &found);
	}
	free(origin);
	csign_link_free(&link);
	return r == CSIGN_E_NOMEM ? r : CSIGN_OK;
}

/* --- links that are written out ------------------------------------------- */

static bool
is_scheme(const char *text)
{
	return strncasecmp(text, "https://", 8) == 0 ||
	       strncasecmp(text, "http://", 7) == 0;
}

/* Up to "#" whatever an origin may have, behind it base32. */
static size_t
link_len(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789.:-[]/");

	if (text[len] != '#')
		return len;
	len++;
	return len + strspn(text + len, "abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

static enum csign_err
find_written(struct finder *f, const struct screen *screen)
{
	enum csign_err r = CSIGN_OK;

	for (size_t i = 0; r == CSIGN_OK && i < screen->n; i++) {
		const char *text = screen->lines[i].text;

		for (; r == CSIGN_OK && *text != '\0'; text++)
			if (is_scheme(text))
				r = candidate(f, text, link_len(text), i);
	}
	return r;
}

/* --- links that are drawn ------------------------------------------------- */

static bool
may_be_drawn(const struct screen_line *line)
{
	size_t filled = 0;

	for (size_t i = 0; i < line->n && filled < FILLED_MIN; i++)
		filled += line->filled[i] != 0;
	return filled == FILLED_MIN;
}

/* Lines that belong together, in pictures of bounded size. */
static enum csign_err
find_in_run(
    struct finder *f, const struct screen *screen, size_t first, size_t n)
{
	enum csign_err r = CSIGN_OK;
	size_t at = 0;

	while (r == CSIGN_OK && n - at >= LINES_MIN) {
		const struct qr_region region = {.screen = screen,
		    .first = first + at,
		    .n = n - at < LINES_MAX ? n - at : LINES_MAX};

		if ((r = qr_image_decode(&region, false, candidate, f)) ==
		    CSIGN_OK)
			r = qr_image_decode(&region, true, candidate, f);
		if (region.n == n - at)
			break;
		at += LINES_MAX - LINES_OVERLAP;
	}
	return r;
}

static enum csign_err
find_drawn(struct finder *f, const struct screen *screen)
{
	enum csign_err r = CSIGN_OK;
	size_t first = 0;

	for (size_t i = 0; r == CSIGN_OK && i <= screen->n; i++) {
		if (i < screen->n && may_be_drawn(&screen->lines[i]))
			continue;
		r = find_in_run(f, screen, first, i - first);
		first = i + 1;
	}
	return r;
}

static int
by_line(const void *a, const void *b)
{
	const struct scan_link *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

enum csign_err
scan_text(struct csign_crypto *crypto, const char *text, size_t len,
    struct scan *ret_scan)
{
	struct scan scan = {.n = 0};
	struct finder f = {.crypto = crypto, .scan = &scan};
	struct screen screen = {0};
	enum csign_err r;

	if ((r = screen_read(text, len, &screen)) == CSIGN_OK &&
	    (r = find_written(&f, &screen)) == CSIGN_OK &&
	    (r = find_drawn(&f, &screen)) == CSIGN_OK) {
		qsort(scan.links, scan.n, sizeof scan.links[0], by_line);
		*ret_scan = scan;
	}
	screen_clear(&screen);
	return r;
}
