/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"

#define ESC 0x1b
#define BEL 0x07
#define TAB_WIDTH 8

/* What is left of the text. */
struct cursor {
	const unsigned char *at, *end;
};

/*
 * Length of an escape sequence at c (ECMA-48): CSI up to its final byte, OSC
 * and other strings up to BEL or ST, anything else two bytes.
 */
static size_t
escape_len(const struct cursor *c)
{
	const unsigned char *p = c->at + 1;

	if (p >= c->end)
		return 1;
	if (*p == '[') {
		for (p++; p < c->end && *p >= 0x20 && *p < 0x40; p++)
			;
	} else if (strchr("]PX^_", *p) != NULL && *p != '\0') {
		while (p < c->end && *p != BEL && *p != ESC && *p != '\n')
			p++;
		if (p < c->end && *p == ESC)
			p++;
	}
	return (size_t)(p - c->at) + (p < c->end && *p != '\n');
}

/* The next character, or U+FFFD for a byte that is not UTF-8. */
static uint32_t
next_char(struct cursor *c)
{
	static const struct {
		unsigned char mask, lead, more;
	} forms[] = {{0xe0, 0xc0, 1}, {0xf0, 0xe0, 2}, {0xf8, 0xf0, 3}};
	unsigned char first = *c->at++;

	if (first < 0x80)
		return first;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		uint32_t wide = first & (uint32_t)(~forms[i].mask & 0xff);

		if ((first & forms[i].mask) != forms[i].lead ||
		    c->end - c->at < forms[i].more)
			continue;
		for (size_t k = 0; k < forms[i].more; k++) {
			if ((c->at[k] & 0xc0) != 0x80)
				return 0xfffd;
			wide = wide << 6 | (c->at[k] & 0x3f);
		}
		c->at += forms[i].more;
		return wide;
	}
	return 0xfffd;
}

static unsigned char
halves_of(uint32_t character)
{
	switch (character) {
	case '#':
	case 0x2588: /* full block */
		return SCREEN_UPPER | SCREEN_LOWER;
	case 0x2580: /* upper half block */
		return SCREEN_UPPER;
	case 0x2584: /* lower half block */
		return SCREEN_LOWER;
	default:
		return 0;
	}
}

/* A line being filled; columns beyond the maximum are dropped. */
struct row {
	char text[SCREEN_COLUMNS_MAX];
	unsigned char filled[SCREEN_COLUMNS_MAX];
	size_t n;
};

static void
row_put(struct row *row, uint32_t character)
{
	if (row->n == SCREEN_COLUMNS_MAX)
		return;
	row->text[row->n] = ' ';
	if (character > 0x20 && character < 0x7f)
		row->text[row->n] = (char)character;
	row->filled[row->n++] = halves_of(character);
}

/* Up to the end of the line, or a carriage return that starts it again. */
static void
read_row(struct cursor *c, struct row *row)
{
	row->n = 0;
	while (c->at < c->end) {
		uint32_t character;

		if (*c->at == ESC) {
			c->at += escape_len(c);
			continue;
		}
		character = next_char(c);
		if (character == '\n')
			return;
		if (character == '\r') {
			/* a pty below a pty makes it \r\r\n */
			while (c->at < c->end && *c->at == '\r')
				c->at++;
			if (c->at < c->end && *c->at == '\n')
				c->at++;
			return;
		}
		if (character == '\t')
			do
				row_put(row, ' ');
			while (row->n % TAB_WIDTH != 0 &&
			       row->n < SCREEN_COLUMNS_MAX);
		else if (character >= 0x20)
			row_put(row, character);
	}
}

static bool
add_line(struct screen *screen, const struct row *row)
{
	struct screen_line *more, *line;

	more =
	    reallocarray(screen->lines, screen->n + 1, sizeof *screen->lines);
	if (more == NULL)
		return false;
	screen->lines = more;
	line = &more[screen->n];
	line->n = row->n;
	line->text = malloc(2 * row->n + 1);
	if (line->text == NULL)
		return false;
	memcpy(line->text, row->text, row->n);
	line->text[row->n] = '\0';
	line->filled = (unsigned char *)line->text + row->n + 1;
	memcpy(line->filled, row->filled, row->n);
	screen->n++;
	return true;
}

enum csign_err
screen_read(const char *text, size_t len, struct screen *ret_screen)
{
	struct cursor c = {.at = (const unsigned char *)text,
	    .end = (const unsigned char *)text + len};
	struct screen screen = {0};
	struct row row;

	while (c.at < c.end) {
		read_row(&c, &row);
		if (!add_line(&screen, &row)) {
			screen_clear(&screen);
			return CSIGN_E_NOMEM;
		}
	}
	*ret_screen = screen;
	return CSIGN_OK;
}

void
screen_clear(struct screen *screen)
{
	for (size_t i = 0; i < screen->n; i++)
		free(screen->lines[i].text);
	free(screen->lines);
	*screen = (struct screen){0};
}
