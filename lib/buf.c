/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "secret.h"

#define FIRST_SIZE 64
/* Keeps every sum and doubling below far from SIZE_MAX. */
#define LARGEST_MAX (SIZE_MAX / 4)

struct csign_buf {
	unsigned char *bytes; /* size bytes, bytes[len] is NUL */
	size_t len;
	size_t size;
	size_t max; /* of len */
};

enum csign_err
csign_buf_new(size_t max, struct csign_buf **ret_buf)
{
	struct csign_buf *buf = NULL;

	if (max > LARGEST_MAX)
		return CSIGN_E_INVALID;
	if ((buf = calloc(1, sizeof(*buf))) == NULL)
		return CSIGN_E_NOMEM;
	buf->max = max;
	buf->size = max < FIRST_SIZE ? max + 1 : FIRST_SIZE;
	if ((buf->bytes = calloc(1, buf->size)) == NULL) {
		free(buf);
		return CSIGN_E_NOMEM;
	}
	*ret_buf = buf;
	return CSIGN_OK;
}

void
csign_buf_free(struct csign_buf **buf)
{
	if (buf == NULL || *buf == NULL)
		return;
	csign_wipe((*buf)->bytes, (*buf)->size);
	free((*buf)->bytes);
	free(*buf);
	*buf = NULL;
}

void
csign_buf_clear(struct csign_buf *buf)
{
	csign_wipe(buf->bytes, buf->size);
	buf->len = 0;
}

const unsigned char *
csign_buf_data(const struct csign_buf *buf)
{
	return buf->bytes;
}

const char *
csign_buf_str(const struct csign_buf *buf)
{
	return (const char *)buf->bytes;
}

size_t
csign_buf_len(const struct csign_buf *buf)
{
	return buf->len;
}

/* Room for more bytes and the NUL; not realloc(3), which leaves copies. */
static enum csign_err
reserve(struct csign_buf *buf, size_t more)
{
	unsigned char *bytes = NULL;
	size_t need, size;

	if (more > buf->max - buf->len)
		return CSIGN_E_TOO_LONG;
	need = buf->len + more + 1;
	if (need <= buf->size)
		return CSIGN_OK;
	size = buf->size * 2 > need ? buf->size * 2 : need;
	if (size > buf->max + 1)
		size = buf->max + 1;
	if ((bytes = malloc(size)) == NULL)
		return CSIGN_E_NOMEM;
	memcpy(bytes, buf->bytes, buf->len + 1);
	csign_wipe(buf->bytes, buf->size);
	free(buf->bytes);
	buf->bytes = bytes;
	buf->size = size;
	return CSIGN_OK;
}

/* After a reserve(). */
static void
append(struct csign_buf *buf, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(buf->bytes + buf->len, bytes, len);
	buf->len += len;
	buf->bytes[buf->len] = '\0';
}

enum csign_err
csign_buf_put(struct csign_buf *buf, const void *bytes, size_t len)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if ((r = reserve(buf, len)) != CSIGN_OK)
		return r;
	append(buf, bytes, len);
	return CSIGN_OK;
}

enum csign_err
csign_buf_put_str(struct csign_buf *buf, const char *str)
{
	return csign_buf_put(buf, str, strlen(str));
}

enum csign_err
csign_buf_put_u8(struct csign_buf *buf, uint8_t v)
{
	return csign_buf_put(buf, &v, 1);
}

enum csign_err
csign_buf_put_u16(struct csign_buf *buf, uint16_t v)
{
	const unsigned char be[2] = {(unsigned char)(v >> 8), (unsigned char)v};

	return csign_buf_put(buf, be, sizeof(be));
}

enum csign_err
csign_buf_put_u32(struct csign_buf *buf, uint32_t v)
{
	const unsigned char be[4] = {(unsigned char)(v >> 24),
	    (unsigned char)(v >> 16), (unsigned char)(v >> 8),
	    (unsigned char)v};

	return csign_buf_put(buf, be, sizeof(be));
}

enum csign_err
csign_buf_put_v16(struct csign_buf *buf, const void *bytes, size_t len)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if (len > UINT16_MAX)
		return CSIGN_E_TOO_LONG;
	/* All or nothing: no length without its bytes. */
	if ((r = reserve(buf, len + 2)) != CSIGN_OK ||
	    (r = csign_buf_put_u16(buf, (uint16_t)len)) != CSIGN_OK)
		return r;
	return csign_buf_put(buf, bytes, len);
}

enum csign_err
csign_buf_putf(struct csign_buf *buf, const char *fmt, ...)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return CSIGN_E_INTERNAL;
	if ((r = reserve(buf, (size_t)n)) != CSIGN_OK)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf((char *)buf->bytes + buf->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)n;
	return CSIGN_OK;
}

void
csign_rd_init(struct csign_rd *rd, const void *bytes, size_t len)
{
	/* Never NULL, so that nothing read is not taken for a failure. */
	rd->at = bytes != NULL ? bytes : (const unsigned char *)"";
	rd->left = bytes != NULL ? len : 0;
	rd->bad = false;
}

const unsigned char *
csign_rd_bytes(struct csign_rd *rd, size_t len)
{
	const unsigned char *at = rd->at;

	if (rd->bad || len > rd->left) {
		rd->bad = true;
		return NULL;
	}
	rd->at += len;
	rd->left -= len;
	return at;
}

/* A number of n bytes, at most four; 0 if they are not there. */
static uint32_t
number(struct csign_rd *rd, size_t n)
{
	const unsigned char *p = csign_rd_bytes(rd, n);
	uint32_t v = 0;

	if (p == NULL)
		return 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t
csign_rd_u8(struct csign_rd *rd)
{
	return (uint8_t)number(rd, 1);
}

uint16_t
csign_rd_u16(struct csign_rd *rd)
{
	return (uint16_t)number(rd, 2);
}

uint32_t
csign_rd_u32(struct csign_rd *rd)
{
	return number(rd, 4);
}

const unsigned char *
csign_rd_v16(struct csign_rd *rd, size_t max, size_t *ret_len)
{
	const unsigned char *p = NULL;
	size_t len = csign_rd_u16(rd);

	if (len > max)
		rd->bad = true;
	if ((p = csign_rd_bytes(rd, len)) != NULL)
		*ret_len = len;
	return p;
}

bool
csign_rd_done(const struct csign_rd *rd)
{
	return !rd->bad && rd->left == 0;
}
