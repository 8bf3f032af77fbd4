/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "codec.h"
#include "piece.h"

bool
csign_piece_is(const struct csign_piece *piece, const char *text)
{
	return piece->len == strlen(text) &&
	       memcmp(piece->at, text, piece->len) == 0;
}

bool
csign_piece_same(const struct csign_piece *a, const struct csign_piece *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

static void
step(struct csign_piece *piece, size_t len)
{
	piece->at += len;
	piece->len -= len;
}

bool
csign_piece_skip(struct csign_piece *piece, const char *text)
{
	size_t len = strlen(text);

	if (piece->len < len || memcmp(piece->at, text, len) != 0)
		return false;
	step(piece, len);
	return true;
}

bool
csign_piece_line(
    struct csign_piece *rest, struct csign_piece *ret_line, bool *ret_ended)
{
	const char *newline = NULL;

	if (rest->len == 0)
		return false;
	newline = memchr(rest->at, '\n', rest->len);
	ret_line->at = rest->at;
	ret_line->len =
	    newline == NULL ? rest->len : (size_t)(newline - rest->at);
	*ret_ended = newline != NULL;
	step(rest, ret_line->len + (newline == NULL ? 0 : 1));
	return true;
}

bool
csign_piece_token(struct csign_piece *line, struct csign_piece *ret_token)
{
	bool quoted = false;
	size_t len = 0;

	for (; len < line->len; len++) {
		if (line->at[len] == '"')
			quoted = !quoted;
		else if (quoted && line->at[len] == '\\')
			len++;
		else if (!quoted && line->at[len] == ' ')
			break;
	}
	if (len == 0 || len > line->len || quoted || len + 1 == line->len)
		return false;
	ret_token->at = line->at;
	ret_token->len = len;
	step(line, len < line->len ? len + 1 : len);
	return true;
}

bool
csign_piece_copy(const struct csign_piece *piece, char *out, size_t out_size)
{
	if (piece->len >= out_size ||
	    memchr(piece->at, '\0', piece->len) != NULL)
		return false;
	memcpy(out, piece->at, piece->len);
	out[piece->len] = '\0';
	return true;
}

bool
csign_piece_u32(
    const struct csign_piece *piece, uint32_t max, uint32_t *ret_value)
{
	char text[16];

	return csign_piece_copy(piece, text, sizeof(text)) &&
	       csign_parse_u32(text, 0, max, ret_value) == CSIGN_OK;
}
