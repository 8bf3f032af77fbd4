/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text files cut into pieces: lines, and tokens in a line.  A piece leads into
 * bytes that somebody else owns, and no NUL ends it.
 */
#ifndef CSIGN_PIECE_H
#define CSIGN_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csign_piece {
	const char *at;
	size_t len;
};

bool csign_piece_is(const struct csign_piece *piece, const char *text);
bool csign_piece_same(const struct csign_piece *a, const struct csign_piece *b);
/* Steps over text if the piece begins with it. */
bool csign_piece_skip(struct csign_piece *piece, const char *text);
/*
 * Cuts off the first line.  *ret_ended: it had its "\n", which is not part of
 * it.  False if nothing was left.
 */
bool csign_piece_line(
    struct csign_piece *rest, struct csign_piece *ret_line, bool *ret_ended);
/*
 * Cuts off the first token; tokens have exactly one space between them, and a
 * space between double quotes is part of one.  False if there is none, if a
 * quote has no end, or if a space has no token behind it.
 */
bool csign_piece_token(struct csign_piece *line, struct csign_piece *ret_token);
/* A NUL-terminated copy; false if it does not fit or has a NUL inside. */
bool csign_piece_copy(
    const struct csign_piece *piece, char *out, size_t out_size);
/* A number from 0 to max. */
bool csign_piece_u32(
    const struct csign_piece *piece, uint32_t max, uint32_t *ret_value);

#endif
