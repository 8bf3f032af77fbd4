/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "buf.h"
#include "codec.h"
#include "secret.h"

#define QUIET 4          /* modules of quiet zone on each side */
#define QR_WIDTH_MAX 177 /* of version 40 */
/* ASCII needs most: two bytes a module, and the end of each line. */
#define SIDE_MAX ((size_t)QR_WIDTH_MAX + (size_t)2 * QUIET)
#define DRAWING_MAX (SIDE_MAX * (2 * SIDE_MAX + 1))

/* What is drawn: a square of modules, the quiet zone around it is light. */
struct picture {
	const QRcode *code;
	int size;
	bool ink_is_dark;
};

/* Everything outside of the symbol is light, also what fills a last line. */
static bool
ink(const struct picture *pic, int x, int y)
{
	const QRcode *code = pic->code;
	bool dark = false;

	x -= QUIET;
	y -= QUIET;
	if (x >= 0 && y >= 0 && x < code->width && y < code->width)
		dark = (code->data[y * code->width + x] & 1) != 0;
	return dark == pic->ink_is_dark;
}

/* Two modules a character, one above the other. */
static enum csign_err
draw_utf8(const struct picture *pic, struct csign_buf *out)
{
	static const char *const blocks[2][2] = {
	    {" ", "\u2584" /* lower half */},
	    {"\u2580" /* upper half */, "\u2588" /* full */}};
	enum csign_err r = CSIGN_E_INTERNAL;

	for (int y = 0; y < pic->size; y += 2) {
		for (int x = 0; x < pic->size; x++) {
			bool above = ink(pic, x, y);
			bool below = ink(pic, x, y + 1);

			if ((r = csign_buf_put_str(
				 out, blocks[above][below])) != CSIGN_OK)
				return r;
		}
		if ((r = csign_buf_put_str(out, "\n")) != CSIGN_OK)
			return r;
	}
	return CSIGN_OK;
}

/* Two characters a module, side by side: about a square. */
static enum csign_err
draw_ascii(const struct picture *pic, struct csign_buf *out)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	for (int y = 0; y < pic->size; y++) {
		for (int x = 0; x < pic->size; x++) {
			if ((r = csign_buf_put_str(out,
				 ink(pic, x, y) ? "##" : "  ")) != CSIGN_OK)
				return r;
		}
		if ((r = csign_buf_put_str(out, "\n")) != CSIGN_OK)
			return r;
	}
	return CSIGN_OK;
}

/* The least correction: a screen has no dirt, and the symbol must fit. */
static enum csign_err
encode(const char *text, QRcode **ret_code)
{
	QRcode *code = NULL;

	errno = 0;
	/* Splits text so that its upper-case parts take fewer bits. */
	code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (code == NULL)
		return errno == ENOMEM ? CSIGN_E_NOMEM : CSIGN_E_QR;
	*ret_code = code;
	return CSIGN_OK;
}

static void
code_free(QRcode *code)
{
	if (code == NULL)
		return;
	/* A link's secret can be read from it. */
	csign_wipe(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
}

/*
 * A link of ours, https://host[:port]/# and the secret, means the same in
 * capital letters, and they take fewer modules: countersign-protocol(7), LINK
 * SECRET.  Any other text stays as it is.
 */
static bool
is_link(const char *text)
{
	const char *host = text, *end;

	if (strncmp(text, "https://", 8) == 0)
		host += 8;
	else if (strncmp(text, "http://", 7) == 0)
		host += 7;
	else
		return false;
	end = host + strcspn(host, "/");
	return strncmp(end, "/#", 2) == 0 &&
	       strlen(end + 2) == CSIGN_B32_LEN(CSIGN_SECRET_LEN) &&
	       strspn(end + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") ==
		   CSIGN_B32_LEN(CSIGN_SECRET_LEN);
}

static void
put_capitals(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'a' && *text <= 'z')
			*text = (char)(*text - 'a' + 'A');
}

enum csign_err
csign_qr_draw(
    const char *text, enum csign_qr_style style, bool inverse, char **ret_qr)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct picture pic = {NULL, 0, inverse};
	struct csign_buf *out = NULL;
	char shown[CSIGN_LINK_MAX + 1];
	QRcode *code = NULL;
	char *qr = NULL;

	if (text == NULL || ret_qr == NULL || text[0] == '\0' ||
	    (style != CSIGN_QR_UTF8 && style != CSIGN_QR_ASCII))
		return CSIGN_E_INVALID;
	if (strlen(text) > CSIGN_LINK_MAX)
		return CSIGN_E_TOO_LONG;
	memcpy(shown, text, strlen(text) + 1);
	if (is_link(text))
		put_capitals(shown);
	if ((r = encode(shown, &code)) != CSIGN_OK ||
	    (r = csign_buf_new(DRAWING_MAX, &out)) != CSIGN_OK)
		goto out;
	pic.code = code;
	pic.size = code->width + 2 * QUIET;
	r = style == CSIGN_QR_UTF8 ? draw_utf8(&pic, out)
				   : draw_ascii(&pic, out);
	if (r != CSIGN_OK)
		goto out;
	if ((qr = strdup(csign_buf_str(out))) == NULL) {
		r = CSIGN_E_NOMEM;
		goto out;
	}
	*ret_qr = qr;
	r = CSIGN_OK;
out:
	csign_wipe(shown, sizeof(shown));
	csign_buf_free(&out);
	code_free(code);
	return r;
}
