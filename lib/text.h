/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Foreign text on its way to a terminal, a log, a file or a phone: one encoder
 * for all of them (countersign-security(7) UX-8, UX-9).
 */
#ifndef CSIGN_TEXT_H
#define CSIGN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "countersign.h"

/* Valid UTF-8 as RFC 3629 says: no overlong form, no surrogate. */
bool csign_utf8_valid(const void *text, size_t len);
/* Characters (code points) of valid UTF-8. */
size_t csign_utf8_count(const char *text, size_t len);

#define CSIGN_TEXT_UNIT_SIZE 12 /* "\u{10ffff}" and NUL */

/*
 * The step that the functions below repeat, for who has no memory to ask for:
 * writes the harmless form of text's first character to out and says how many
 * bytes of text it was.  left is at least 1.
 */
size_t csign_text_unit(
    const char *text, size_t left, char out[CSIGN_TEXT_UNIT_SIZE]);

/*
 * After an error of one of these, out may hold a part of the text.
 *
 * Appends text to out with controls, DEL, bidi and zero-width characters, line
 * separators, non-characters and bytes that are not UTF-8 written as
 * "\u{..}" (the code point, or the byte, in lower-case hexadecimal without
 * leading zeros; at least two digits).
 */
CSIGN_WUR enum csign_err csign_text_safe(
    struct csign_buf *out, const char *text, size_t len);

/*
 * The same, and if the result has more than max characters (at least 64) only
 * its head and tail, neither cut inside a "\u{..}", with, between them,
 * " [... N characters left out, sha256 0123456789abcdef ...] ", the digest
 * being over the whole original text (countersign-security(7) UX-8).  *ret_cut,
 * if not NULL, says whether that happened.
 */
CSIGN_WUR enum csign_err csign_text_cut(struct csign_buf *out, const char *text,
    size_t len, size_t max, bool *ret_cut);

/*
 * csign_text_safe() between double quotes, with \" and \\, for a log.  NULL is
 * written as "".
 */
CSIGN_WUR enum csign_err csign_text_quote(
    struct csign_buf *out, const char *text);
/*
 * A JSON string (RFC 8259 s.7) with its quotes; only what must be is escaped.
 * CSIGN_E_FORMAT if text is not valid UTF-8.
 */
CSIGN_WUR enum csign_err csign_text_json(
    struct csign_buf *out, const char *text, size_t len);

#endif
