/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zbar.h>

#include "qr_image.h"

/*
 * Every form comes out right with cells twice as high as wide: a half block is
 * then a square, and so are the two columns of an ASCII module.
 */
#define CELL_WIDTH ((size_t)4)
#define CELL_HEIGHT (2 * CELL_WIDTH)
#define MARGIN                                                                 \
	((size_t)8) /* cells left and right, half as many above and below */
#define MARGIN_LINES (MARGIN / 2)

struct picture {
	unsigned char *grey;
	unsigned int width, height;
};

static size_t
columns_of(const struct qr_region *region)
{
	size_t columns = 0;

	for (size_t i = 0; i < region->n; i++) {
		const struct screen_line *line =
		    &region->screen->lines[region->first + i];

		if (line->n > columns)
			columns = line->n;
	}
	return columns;
}

static void
paint(struct picture *p, size_t line, size_t column, unsigned char halves,
    unsigned char colour)
{
	for (size_t y = 0; y < CELL_HEIGHT; y++) {
		unsigned char half =
		    y < CELL_HEIGHT / 2 ? SCREEN_UPPER : SCREEN_LOWER;
		size_t row = (line + MARGIN_LINES) * CELL_HEIGHT + y;

		if ((halves & half) != 0)
			memset(p->grey + row * p->width +
				   (column + MARGIN) * CELL_WIDTH,
			    colour, CELL_WIDTH);
	}
}

static enum csign_err
draw(const struct qr_region *region, bool dark, struct picture *ret_picture)
{
	const unsigned char filled = dark ? 0x00 : 0xff;
	struct picture p;

	p.width =
	    (unsigned int)((columns_of(region) + 2 * MARGIN) * CELL_WIDTH);
	p.height = (unsigned int)((region->n + 2 * MARGIN_LINES) * CELL_HEIGHT);
	p.grey = malloc((size_t)p.width * p.height);
	if (p.grey == NULL)
		return CSIGN_E_NOMEM;
	memset(p.grey, (unsigned char)~filled, (size_t)p.width * p.height);
	for (size_t i = 0; i < region->n; i++) {
		const struct screen_line *line =
		    &region->screen->lines[region->first + i];

		for (size_t k = 0; k < line->n; k++)
			paint(&p, i, k, line->filled[k], filled);
	}
	*ret_picture = p;
	return CSIGN_OK;
}

static size_t
line_of(const struct qr_region *region, const zbar_symbol_t *symbol)
{
	int y = 0;

	if (zbar_symbol_get_loc_size(symbol) > 0)
		y = zbar_symbol_get_loc_y(symbol, 0) / (int)CELL_HEIGHT;
	y -= (int)MARGIN_LINES;
	return region->first + (y > 0 ? (size_t)y : 0);
}

enum csign_err
qr_image_decode(const struct qr_region *region, bool dark,
    enum csign_err (*found)(
	void *arg, const char *text, size_t len, size_t line),
    void *arg)
{
	enum csign_err r = CSIGN_E_NOMEM;
	struct picture p = {0};
	zbar_image_scanner_t *scanner = zbar_image_scanner_create();
	zbar_image_t *image = zbar_image_create();
	const zbar_symbol_t *symbol;

	if (scanner == NULL || image == NULL ||
	    (r = draw(region, dark, &p)) != CSIGN_OK)
		goto out;
	(void)zbar_image_scanner_set_config(
	    scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
	(void)zbar_image_scanner_set_config(
	    scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
	zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
	zbar_image_set_size(image, p.width, p.height);
	zbar_image_set_data(
	    image, p.grey, (unsigned long)p.width * p.height, NULL);
	(void)zbar_scan_image(scanner, image);
	symbol = zbar_image_first_symbol(image);
	for (; r == CSIGN_OK && symbol != NULL;
	     symbol = zbar_symbol_next(symbol))
		r = found(arg, zbar_symbol_get_data(symbol),
		    zbar_symbol_get_data_length(symbol),
		    line_of(region, symbol));
out:
	if (image != NULL)
		zbar_image_destroy(image);
	if (scanner != NULL)
		zbar_image_scanner_destroy(scanner);
	free(p.grey);
	return r;
}
