/* SPDX-License-Identifier: BSD-2-Clause */
/* What a call says, in its body and in its query. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "api.h"
#include "codec.h"
#include "json.h"
#include "reply.h"
#include "text.h"

/* --- members of the body -------------------------------------------------- */

void
call_bad_member(struct call *call, const char *name, const char *what)
{
	char message[256];

	(void)snprintf(message, sizeof message, "%s must be %s", name, what);
	reply_error(call->conn, 422, "invalid_member", message, NULL);
}

void
call_bad_text(struct call *call, const char *message)
{
	struct reply reply;

	reply_begin(&reply, call->service->out);
	reply_str(&reply, "error", "invalid_member");
	reply_str(&reply, "message", message);
	reply_int(&reply, "status", 422);
	reply_send(&reply, call->conn, 422, NULL);
}

bool
call_optional_str(struct call *call, const char *name, size_t min, size_t max,
    const char **ret_value)
{
	const char *value;
	char what[64];

	*ret_value = NULL;
	if (!json_object_object_get_ex(call->body, name, NULL))
		return true;
	value = csign_json_str(call->body, name, max);
	if (value == NULL || strlen(value) < min) {
		(void)snprintf(what, sizeof what,
		    "a string of %zu to %zu bytes", min, max);
		call_bad_member(call, name, what);
		return false;
	}
	*ret_value = value;
	return true;
}

bool
call_str(struct call *call, const char *name, size_t min, size_t max,
    const char **ret_value)
{
	if (!call_optional_str(call, name, min, max, ret_value))
		return false;
	if (*ret_value != NULL)
		return true;
	call_bad_member(call, name, "there");
	return false;
}

bool
call_optional_int(struct call *call, const char *name, int64_t min, int64_t max,
    int64_t def, int64_t *ret_value)
{
	char what[96];

	*ret_value = def;
	if (!json_object_object_get_ex(call->body, name, NULL) ||
	    csign_json_int(call->body, name, min, max, ret_value))
		return true;
	(void)snprintf(what, sizeof what, "a whole number from %lld to %lld",
	    (long long)min, (long long)max);
	call_bad_member(call, name, what);
	return false;
}

bool
call_int(struct call *call, const char *name, int64_t min, int64_t max,
    int64_t *ret_value)
{
	if (!call_optional_int(call, name, min, max, min, ret_value))
		return false;
	if (json_object_object_get_ex(call->body, name, NULL))
		return true;
	call_bad_member(call, name, "there");
	return false;
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

bool
call_text(struct call *call, const char *name, size_t min, size_t max,
    const char **ret_value)
{
	if (!call_optional_str(call, name, min, max, ret_value))
		return false;
	if (*ret_value == NULL || !has_control(*ret_value))
		return true;
	call_bad_member(call, name, "without control characters");
	return false;
}

/* Is text the b64u of min to max bytes?  They are decoded into room. */
static bool
is_b64u(const char *text, size_t min, size_t max, unsigned char *room)
{
	size_t n = 0;

	return csign_b64u_decode(text, strlen(text), room, max, &n) ==
		   CSIGN_OK &&
	       n >= min;
}

bool
call_sealed(struct call *call, const char *name, size_t min, size_t max,
    const char **ret_value)
{
	char what[64];

	if (!call_str(call, name, CSIGN_B64U_LEN(min), CSIGN_B64U_LEN(max),
		ret_value))
		return false;
	if (is_b64u(*ret_value, min, max, call->service->room))
		return true;
	(void)snprintf(
	    what, sizeof what, "base64url of %zu to %zu bytes", min, max);
	call_bad_member(call, name, what);
	return false;
}

/* Lower-case base32, as the host writes it. */
static bool
is_device_id(const char *text)
{
	unsigned char bytes[CSIGN_DEVICE_ID_LEN];
	size_t n = 0;

	return csign_b32_decode(text, strlen(text), CSIGN_B32_LOWER, bytes,
		   sizeof bytes, &n) == CSIGN_OK &&
	       n == sizeof bytes;
}

bool
call_device_id(struct call *call, const char **ret_value)
{
	if (!call_str(call, "deviceId", CSIGN_DEVICE_ID_SIZE - 1,
		CSIGN_DEVICE_ID_SIZE - 1, ret_value))
		return false;
	if (is_device_id(*ret_value))
		return true;
	call_bad_member(call, "deviceId", "a device id");
	return false;
}

bool
call_copies(
    struct call *call, struct copy copies[CSIGN_DEVICES_MAX], size_t *ret_n)
{
	static const char what[] =
	    "an object of 1 to 16 device ids, each with base64url of 98 bytes";
	struct json_object *sealed = NULL;
	unsigned char *room = call->service->room;
	size_t n = 0;

	if (!json_object_object_get_ex(call->body, "sealed", &sealed) ||
	    !json_object_is_type(sealed, json_type_object) ||
	    json_object_object_length(sealed) < 1 ||
	    json_object_object_length(sealed) > CSIGN_DEVICES_MAX)
		goto bad;
	json_object_object_foreach(sealed, device_id, value)
	{
		(void)value;
		copies[n].device_id = device_id;
		copies[n].sealed = csign_json_str(
		    sealed, device_id, CSIGN_B64U_LEN(CSIGN_DEVICE_SEAL_LEN));
		if (!is_device_id(device_id) || copies[n].sealed == NULL ||
		    !is_b64u(copies[n].sealed, CSIGN_DEVICE_SEAL_LEN,
			CSIGN_DEVICE_SEAL_LEN, room))
			goto bad;
		n++;
	}
	*ret_n = n;
	return true;
bad:
	call_bad_member(call, "sealed", what);
	return false;
}

bool
call_link_id(struct call *call, const char **ret_value)
{
	return call_sealed(
	    call, "linkId", CSIGN_LINK_ID_LEN, CSIGN_LINK_ID_LEN, ret_value);
}

/* --- the query ------------------------------------------------------------ */

/* The raw value of name, not NUL-terminated, or NULL. */
static const char *
find_query(const struct call *call, const char *name, size_t *ret_len)
{
	const char *at = call->request->head.query;
	size_t name_len = strlen(name), len;

	while (at != NULL && *at != '\0') {
		len = strcspn(at, "&");
		if (len > name_len && at[name_len] == '=' &&
		    strncmp(at, name, name_len) == 0) {
			*ret_len = len - name_len - 1;
			return at + name_len + 1;
		}
		at += len;
		at += strspn(at, "&");
	}
	return NULL;
}

bool
call_query_int(struct call *call, const char *name, uint32_t max, uint32_t def,
    uint32_t *ret_value)
{
	char digits[11] = "", what[64];
	const char *value;
	size_t len = 0;

	*ret_value = def;
	if ((value = find_query(call, name, &len)) == NULL)
		return true;
	if (len < sizeof digits) {
		memcpy(digits, value, len);
		if (csign_parse_u32(digits, 0, max, ret_value) == CSIGN_OK)
			return true;
	}
	(void)snprintf(what, sizeof what, "a whole number from 0 to %u", max);
	call_bad_member(call, name, what);
	return false;
}

bool
call_query_tag(
    struct call *call, const char *name, char ret_tag[INBOX_TAG_SIZE])
{
	const char *value;
	size_t len = 0;

	ret_tag[0] = '\0';
	if ((value = find_query(call, name, &len)) == NULL || len == 0)
		return true;
	if (len < INBOX_TAG_SIZE) {
		memcpy(ret_tag, value, len);
		ret_tag[len] = '\0';
		if (is_b64u(ret_tag, 16, 16, call->service->room))
			return true;
	}
	call_bad_member(call, name, "the tag of an inbox");
	return false;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p != NULL ? (int)((p - digits) % 16) : -1;
}

/* -1: not well-formed, or a control character. */
static int
percent_decode(const char *text, size_t len, char *out, size_t out_size)
{
	size_t i, n = 0;
	int high, low;

	for (i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			if (len - i < 3 ||
			    (high = hex_digit(text[i + 1])) < 0 ||
			    (low = hex_digit(text[i + 2])) < 0)
				return -1;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (n + 1 >= out_size || (unsigned char)c < 0x20 || c == 0x7f)
			return -1;
		out[n++] = c;
	}
	out[n] = '\0';
	return (int)n;
}

bool
call_query_text(struct call *call, const char *name, char *out, size_t out_size)
{
	const char *value;
	size_t len = 0;

	if ((value = find_query(call, name, &len)) == NULL)
		call_bad_member(call, name, "there");
	else if (percent_decode(value, len, out, out_size) <= 0 ||
		 !csign_utf8_valid(out, strlen(out)))
		call_bad_member(call, name, "percent-encoded UTF-8 text");
	else
		return true;
	return false;
}
