/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text forms of bytes and numbers: base64url without padding (RFC 4648 s.5),
 * base32 without padding (s.6), hexadecimal, decimal.  Decoders accept the
 * canonical form only: no white space, no padding, unused bits zero.
 */
#ifndef CSIGN_CODEC_H
#define CSIGN_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "countersign.h"

/* Length of the text without its NUL. */
#define CSIGN_B64U_LEN(n) (((n)*4 + 2) / 3)
#define CSIGN_B32_LEN(n) (((n)*8 + 4) / 5)

enum csign_b32_case { CSIGN_B32_UPPER, CSIGN_B32_LOWER };

/* out_size counts the NUL; CSIGN_E_TOO_LONG if it does not fit. */
CSIGN_WUR enum csign_err csign_b64u_encode(
    const void *bytes, size_t len, char *out, size_t out_size);
/*
 * CSIGN_E_FORMAT if not canonical, CSIGN_E_TOO_LONG beyond max bytes; out may
 * then hold a part.
 */
CSIGN_WUR enum csign_err csign_b64u_decode(
    const char *text, size_t text_len, void *out, size_t max, size_t *ret_len);
CSIGN_WUR enum csign_err csign_b32_encode(const void *bytes, size_t len,
    enum csign_b32_case letters, char *out, size_t out_size);
CSIGN_WUR enum csign_err csign_b32_decode(const char *text, size_t text_len,
    enum csign_b32_case letters, void *out, size_t max, size_t *ret_len);
CSIGN_WUR enum csign_err csign_hex_encode(
    const void *bytes, size_t len, char *out, size_t out_size);
/*
 * Digits only, no leading zero (but "0"), no sign, space or trailing byte:
 * else CSIGN_E_FORMAT.  CSIGN_E_INVALID: a number, but not in min..max.
 */
CSIGN_WUR enum csign_err csign_parse_u32(
    const char *text, uint32_t min, uint32_t max, uint32_t *ret_value);

#endif
