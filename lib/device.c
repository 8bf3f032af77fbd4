/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "codec.h"
#include "device.h"
#include "text.h"

const char *
csign_kind_name(enum csign_kind kind)
{
	switch (kind) {
	case CSIGN_KIND_UNSIGNED:
		return "unsigned";
	case CSIGN_KIND_WEBAUTHN:
		return "webauthn";
	case CSIGN_KIND_P256:
		return "p256";
	}
	return "unknown";
}

enum csign_err
csign_device_id(struct csign_crypto *crypto,
    const unsigned char point[CSIGN_POINT_LEN], char out[CSIGN_DEVICE_ID_SIZE])
{
	const struct csign_part part = {point, CSIGN_POINT_LEN};
	enum csign_err r = CSIGN_E_INTERNAL;
	unsigned char digest[32];

	if ((r = csign_sha256(crypto, &part, 1, digest)) != CSIGN_OK)
		return r;
	return csign_b32_encode(digest, CSIGN_DEVICE_ID_LEN, CSIGN_B32_LOWER,
	    out, CSIGN_DEVICE_ID_SIZE);
}

void
csign_device_id_show(const char id[CSIGN_DEVICE_ID_SIZE], char out[20])
{
	size_t n = 0;

	for (size_t i = 0; i < CSIGN_DEVICE_ID_SIZE - 1; i++) {
		if (i > 0 && i % 4 == 0)
			out[n++] = '-';
		out[n++] = id[i];
	}
	out[n] = '\0';
}

void
csign_device_list_clear(struct csign_device_list *list)
{
	free(list->items);
	list->items = NULL;
	list->n = 0;
}

const struct csign_device *
csign_device_by_id(const struct csign_device_list *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i].id, id) == 0)
			return &list->items[i];
	}
	return NULL;
}

bool
csign_device_same(const struct csign_device *a, const struct csign_device *b)
{
	if (strcmp(a->id, b->id) == 0 ||
	    memcmp(a->point, b->point, sizeof(a->point)) == 0)
		return true;
	return a->credential_len > 0 &&
	       a->credential_len == b->credential_len &&
	       memcmp(a->credential, b->credential, a->credential_len) == 0;
}

enum csign_err
csign_device_name_check(const char *name)
{
	struct csign_buf *safe = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;

	r = csign_buf_new(CSIGN_DEVICE_NAME_MAX, &safe);
	if (r == CSIGN_OK)
		r = csign_text_safe(safe, name, strlen(name));
	if (r == CSIGN_E_TOO_LONG ||
	    (r == CSIGN_OK && strcmp(csign_buf_str(safe), name) != 0))
		r = CSIGN_E_FORMAT;
	csign_buf_free(&safe);
	return r;
}
