/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "why.h"

/* Where a sentence was cut. */
static const char dots[] = "...";

/*
 * The harmless form of the sentence, and behind it tail.  Memory may be what
 * is missing, so there is only the array; the sentence gives way to the tail.
 */
static void set(struct csign_why *why, const char *tail, const char *fmt,
    va_list ap) CSIGN_PRINTF(3, 0);

static void
set(struct csign_why *why, const char *tail, const char *fmt, va_list ap)
{
	const size_t room = sizeof(why->text) - sizeof(dots) - strlen(tail);
	/* Formatted aside: an argument may be the old sentence. */
	char raw[2 * CSIGN_WHY_SIZE];
	char unit[CSIGN_TEXT_UNIT_SIZE];
	size_t used = 0;
	size_t len, n;

	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	len = strlen(raw);
	for (size_t i = 0; i < len; used += n) {
		i += csign_text_unit(raw + i, len - i, unit);
		n = strlen(unit);
		if (used + n > room) {
			memcpy(why->text + used, dots, sizeof(dots));
			used += sizeof(dots) - 1;
			break;
		}
		memcpy(why->text + used, unit, n);
	}
	memcpy(why->text + used, tail, strlen(tail) + 1);
}

void
csign_why_set(struct csign_why *why, const char *fmt, ...)
{
	va_list ap;

	if (why == NULL)
		return;
	va_start(ap, fmt);
	set(why, "", fmt, ap);
	va_end(ap);
}

void
csign_why_errno(struct csign_why *why, int errnum, const char *fmt, ...)
{
	/* In no language but one, and without a shared buffer. */
	const char *text = strerrordesc_np(errnum);
	char tail[CSIGN_WHY_SIZE / 4];
	va_list ap;

	if (why == NULL)
		return;
	(void)snprintf(tail, sizeof(tail), ": %s",
	    text != NULL ? text : "unknown error number");
	va_start(ap, fmt);
	set(why, tail, fmt, ap);
	va_end(ap);
}
