/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes being built (csign_buf) and bytes being read (csign_rd).  Nothing else
 * in the product does pointer arithmetic on lengths from outside.
 */
#ifndef CSIGN_BUF_H
#define CSIGN_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "countersign.h"

/*
 * Grows up to a maximum given at creation.  Growth allocates, copies, wipes
 * and frees, so that secrets leave no copy behind.  The bytes are always
 * followed by a NUL that is not counted.
 */
struct csign_buf;

CSIGN_WUR enum csign_err csign_buf_new(size_t max, struct csign_buf **ret_buf);
/* Wipes. */
void csign_buf_free(struct csign_buf **buf);
/* Wipes the contents and starts again from nothing. */
void csign_buf_clear(struct csign_buf *buf);
const unsigned char *csign_buf_data(const struct csign_buf *buf);
const char *csign_buf_str(const struct csign_buf *buf);
size_t csign_buf_len(const struct csign_buf *buf);
/* Each returns CSIGN_E_TOO_LONG beyond the maximum, then buf is unchanged. */
CSIGN_WUR enum csign_err csign_buf_put(
    struct csign_buf *buf, const void *bytes, size_t len);
CSIGN_WUR enum csign_err csign_buf_put_str(
    struct csign_buf *buf, const char *str);
CSIGN_WUR enum csign_err csign_buf_put_u8(struct csign_buf *buf, uint8_t v);
CSIGN_WUR enum csign_err csign_buf_put_u16(struct csign_buf *buf, uint16_t v);
CSIGN_WUR enum csign_err csign_buf_put_u32(struct csign_buf *buf, uint32_t v);
/* A length of two bytes, big-endian, and the bytes. */
CSIGN_WUR enum csign_err csign_buf_put_v16(
    struct csign_buf *buf, const void *bytes, size_t len);
CSIGN_WUR enum csign_err csign_buf_putf(
    struct csign_buf *buf, const char *fmt, ...) CSIGN_PRINTF(2, 3);

/* A cursor; a read beyond the end makes it bad, and it stays bad. */
struct csign_rd {
	const unsigned char *at;
	size_t left;
	bool bad;
};

void csign_rd_init(struct csign_rd *rd, const void *bytes, size_t len);
/* The next len bytes, or NULL. */
const unsigned char *csign_rd_bytes(struct csign_rd *rd, size_t len);
uint8_t csign_rd_u8(struct csign_rd *rd);
uint16_t csign_rd_u16(struct csign_rd *rd);
uint32_t csign_rd_u32(struct csign_rd *rd);
/* A u16 length of at most max and its bytes; NULL if bad. */
const unsigned char *csign_rd_v16(
    struct csign_rd *rd, size_t max, size_t *ret_len);
/* True if everything was read and nothing was bad. */
bool csign_rd_done(const struct csign_rd *rd);

#endif
