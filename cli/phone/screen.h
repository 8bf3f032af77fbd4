/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a terminal as a grid of cells: what each column shows as a
 * character, and which halves of it are filled.
 */
#ifndef PHONE_SCREEN_H
#define PHONE_SCREEN_H

#include <stddef.h>

#include "countersign.h"

#define SCREEN_COLUMNS_MAX 512
#define SCREEN_UPPER 1 /* halves of a cell that are filled */
#define SCREEN_LOWER 2

struct screen_line {
	char *text; /* ASCII, a space for all else; n characters and NUL */
	unsigned char *filled;
	size_t n;
};

struct screen {
	struct screen_line *lines;
	size_t n;
};

CSIGN_WUR enum csign_err screen_read(
    const char *text, size_t len, struct screen *ret_screen);
void screen_clear(struct screen *screen);

#endif
