/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing a devices file: csign_devices_format(), declared in device.h. */
#include "config.h"

#include <string.h>

#include "clock.h"
#include "codec.h"
#include "device.h"
#include "device_file.h"

static enum csign_err
put_b64u(
    struct csign_buf *out, const char *before, const void *bytes, size_t len)
{
	char text[CSIGN_B64U_LEN(CSIGN_CREDENTIAL_MAX) + 1];
	enum csign_err r = csign_b64u_encode(bytes, len, text, sizeof(text));

	return r == CSIGN_OK ? csign_buf_putf(out, "%s%s", before, text) : r;
}

static enum csign_err
put_webauthn(struct csign_buf *out, const struct csign_device *device)
{
	static const unsigned char none[CSIGN_AAGUID_LEN];
	enum csign_err r = CSIGN_E_INTERNAL;

	r = put_b64u(out, " cred=", device->credential, device->credential_len);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out, " rp=%s origin=%s be=%d", device->rp,
		    device->origin, device->backup_eligible);
	if (r == CSIGN_OK && device->backed_up)
		r = csign_buf_put_str(out, " bs=1");
	if (r == CSIGN_OK && memcmp(device->aaguid, none, sizeof(none)) != 0)
		r = put_b64u(out, " aaguid=", device->aaguid, CSIGN_AAGUID_LEN);
	return r;
}

static enum csign_err
put_name(struct csign_buf *out, const char *name)
{
	enum csign_err r = csign_buf_put_str(out, " name=\"");

	for (; *name != '\0' && r == CSIGN_OK; name++) {
		if (*name == '"' || *name == '\\')
			r = csign_buf_put_str(out, "\\");
		if (r == CSIGN_OK)
			r = csign_buf_put(out, name, 1);
	}
	return r == CSIGN_OK ? csign_buf_put_str(out, "\"\n") : r;
}

static enum csign_err
put_device(struct csign_buf *out, const struct csign_device *device)
{
	char added[CSIGN_TIME_SIZE], by[CSIGN_FILE_NAME_MAX + 1];
	enum csign_err r = CSIGN_E_INVALID;

	if (device->kind == CSIGN_KIND_UNSIGNED ||
	    (r = csign_device_name_check(device->name)) != CSIGN_OK ||
	    (r = csign_account_file_name(device->by, by)) != CSIGN_OK ||
	    (r = csign_time_format(device->added, added)) != CSIGN_OK)
		return r == CSIGN_E_NOMEM ? r : CSIGN_E_INVALID;
	r = csign_buf_putf(
	    out, "%s %s", csign_kind_name(device->kind), device->id);
	if (r == CSIGN_OK)
		r = put_b64u(out, " ", device->point, CSIGN_POINT_LEN);
	if (r == CSIGN_OK && device->kind == CSIGN_KIND_WEBAUTHN)
		r = put_webauthn(out, device);
	if (r == CSIGN_OK && device->has_seal)
		r = put_b64u(out, " seal=", device->seal, CSIGN_POINT_LEN);
	if (r == CSIGN_OK)
		r = csign_buf_putf(out, " added=%s by=%s", added, by);
	return r == CSIGN_OK ? put_name(out, device->name) : r;
}

enum csign_err
csign_devices_format(const struct csign_device_list *list,
    const struct csign_account *account, struct csign_buf *out)
{
	enum csign_err r = CSIGN_E_INTERNAL;

	if (list->n == 0 || list->n > CSIGN_DEVICES_MAX)
		return CSIGN_E_INVALID;
	r = csign_buf_putf(out, "%s%d user=%s uid=%u devices=%zu\n",
	    CSIGN_DEVICES_HEADER, CSIGN_DEVICES_VERSION, account->file,
	    (unsigned)account->uid, list->n);
	for (size_t i = 0; i < list->n && r == CSIGN_OK; i++)
		r = put_device(out, &list->items[i]);
	return r;
}
