/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a devices file: csign_devices_parse(), declared in device.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codec.h"
#include "device.h"
#include "device_file.h"
#include "link.h"
#include "piece.h"

/* Kinds as bits, for the table of members. */
#define W (1U << CSIGN_KIND_WEBAUTHN)
#define P (1U << CSIGN_KIND_P256)

/* Where the reader is, for messages and for the cryptography. */
struct reader {
	struct csign_crypto *crypto;
	const char *path;
	unsigned line;
	struct csign_why *why;
};

/* what, and name between quotes unless it is NULL. */
static enum csign_err
bad(const struct reader *rd, const char *what, const struct csign_piece *name)
{
	if (name == NULL)
		csign_why_set(rd->why, "%s:%u: %s", rd->path, rd->line, what);
	else
		csign_why_set(rd->why, "%s:%u: %s \"%.*s\"", rd->path, rd->line,
		    what, (int)(name->len > 64 ? 64 : name->len), name->at);
	return CSIGN_E_DEVICES;
}

/* --- members ----------------------------------------------------- */

/* Each returns CSIGN_E_FORMAT if the value is not a valid one. */
typedef enum csign_err (*read_member)(struct csign_crypto *crypto,
    const struct csign_piece *value, struct csign_device *device);

static enum csign_err
read_point(struct csign_crypto *crypto, const struct csign_piece *value,
    unsigned char point[CSIGN_POINT_LEN])
{
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t len = 0;

	r = csign_b64u_decode(
	    value->at, value->len, point, CSIGN_POINT_LEN, &len);
	if (r != CSIGN_OK || len != CSIGN_POINT_LEN)
		return CSIGN_E_FORMAT;
	r = csign_point_check(crypto, point);
	return r == CSIGN_E_PROOF_KEY ? CSIGN_E_FORMAT : r;
}

static enum csign_err
read_cred(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	(void)crypto;
	if (value->len == 0 ||
	    csign_b64u_decode(value->at, value->len, device->credential,
		CSIGN_CREDENTIAL_MAX, &device->credential_len) != CSIGN_OK)
		return CSIGN_E_FORMAT;
	return CSIGN_OK;
}

static enum csign_err
read_rp(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	(void)crypto;
	if (value->len == 0 ||
	    !csign_piece_copy(value, device->rp, sizeof(device->rp)))
		return CSIGN_E_FORMAT;
	return CSIGN_OK;
}

static enum csign_err
read_origin(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	(void)crypto;
	if (!csign_piece_copy(value, device->origin, sizeof(device->origin)) ||
	    csign_origin_check(device->origin) != CSIGN_OK)
		return CSIGN_E_FORMAT;
	return CSIGN_OK;
}

static enum csign_err
read_flag(const struct csign_piece *value, bool *ret_flag)
{
	if (!csign_piece_is(value, "0") && !csign_piece_is(value, "1"))
		return CSIGN_E_FORMAT;
	*ret_flag = value->at[0] == '1';
	return CSIGN_OK;
}

static enum csign_err
read_be(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	(void)crypto;
	return read_flag(value, &device->backup_eligible);
}

static enum csign_err
read_bs(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	(void)crypto;
	return read_flag(value, &device->backed_up);
}

static enum csign_err
read_aaguid(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t len = 0;

	(void)crypto;
	r = csign_b64u_decode(
	    value->at, value->len, device->aaguid, CSIGN_AAGUID_LEN, &len);
	return r == CSIGN_OK && len == CSIGN_AAGUID_LEN ? CSIGN_OK
							: CSIGN_E_FORMAT;
}

static enum csign_err
read_seal(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	device->has_seal = true;
	return read_point(crypto, value, device->seal);
}

static enum csign_err
read_added(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	char text[CSIGN_TIME_SIZE];

	(void)crypto;
	if (!csign_piece_copy(value, text, sizeof(text)) ||
	    csign_time_parse(text, &device->added) != CSIGN_OK)
		return CSIGN_E_FORMAT;
	return CSIGN_OK;
}

static enum csign_err
read_by(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	char text[CSIGN_FILE_NAME_MAX + 1];

	(void)crypto;
	if (!csign_piece_copy(value, text, sizeof(text)))
		return CSIGN_E_FORMAT;
	return csign_account_from_file_name(text, device->by);
}

static enum csign_err
read_name(struct csign_crypto *crypto, const struct csign_piece *value,
    struct csign_device *device)
{
	bool escaped = false;
	size_t n = 0, end = value->len - 1;
	char c = '\0';

	(void)crypto;
	if (value->len < 2 || value->at[0] != '"' || value->at[end] != '"')
		return CSIGN_E_FORMAT;
	for (size_t i = 1; i < end; i++) {
		c = value->at[i];
		escaped = c == '\\';
		if (escaped) {
			if (++i == end)
				return CSIGN_E_FORMAT;
			c = value->at[i];
		}
		/* Escaped is what has to be, and nothing else. */
		if (escaped != (c == '"' || c == '\\') || c == '\0' ||
		    n == CSIGN_DEVICE_NAME_MAX)
			return CSIGN_E_FORMAT;
		device->name[n++] = c;
	}
	device->name[n] = '\0';
	return csign_device_name_check(device->name);
}

static const struct member {
	const char *name;
	unsigned kinds;    /* that may have it */
	unsigned required; /* kinds that must */
	read_member read;
} members[] = {
    {"cred", W, W, read_cred},
    {"rp", W, W, read_rp},
    {"origin", W, W, read_origin},
    {"be", W, W, read_be},
    {"bs", W, 0, read_bs},
    {"aaguid", W, 0, read_aaguid},
    {"seal", W | P, 0, read_seal},
    {"added", W | P, W | P, read_added},
    {"by", W | P, W | P, read_by},
    {"name", W | P, W | P, read_name},
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

/* --- lines ------------------------------------------------------- */

static const struct member *
find_member(const struct csign_piece *name)
{
	for (size_t i = 0; i < N_MEMBERS; i++) {
		if (csign_piece_is(name, members[i].name))
			return &members[i];
	}
	return NULL;
}

/* One "name=value"; seen has a bit for each member met so far. */
static enum csign_err
read_one_member(const struct reader *rd, const struct csign_piece *token,
    unsigned *seen, struct csign_device *device)
{
	const char *equals = memchr(token->at, '=', token->len);
	struct csign_piece name = *token, value = *token;
	const struct member *member = NULL;
	enum csign_err r = CSIGN_E_INTERNAL;
	unsigned bit = 0;

	if (equals == NULL)
		return bad(rd, "this is not a \"name=value\":", token);
	name.len = (size_t)(equals - token->at);
	value.at = equals + 1;
	value.len = token->len - name.len - 1;
	member = find_member(&name);
	if (member == NULL)
		return bad(rd, "there is no member", &name);
	if ((member->kinds & 1U << device->kind) == 0)
		return bad(rd, "this kind of device has no member", &name);
	bit = 1U << (member - members);
	if ((*seen & bit) != 0)
		return bad(rd, "given twice:", &name);
	*seen |= bit;
	r = member->read(rd->crypto, &value, device);
	return r == CSIGN_E_FORMAT ? bad(rd, "not a valid value of", &name) : r;
}

/* The origin's host is the relying party, or belongs to it. */
static bool
rp_fits(const struct csign_device *device)
{
	char host[CSIGN_HOST_MAX + 1];
	size_t host_len = 0, rp_len = strlen(device->rp);

	if (csign_origin_host(device->origin, host) != CSIGN_OK)
		return false;
	host_len = strlen(host);
	if (rp_len > host_len ||
	    strcmp(host + host_len - rp_len, device->rp) != 0)
		return false;
	return rp_len == host_len || host[host_len - rp_len - 1] == '.';
}

static enum csign_err
check_device(
    const struct reader *rd, unsigned seen, const struct csign_device *device)
{
	char id[CSIGN_DEVICE_ID_SIZE];
	enum csign_err r = CSIGN_E_INTERNAL;

	for (size_t i = 0; i < N_MEMBERS; i++) {
		struct csign_piece name = {
		    members[i].name, strlen(members[i].name)};

		if ((members[i].required & 1U << device->kind) != 0 &&
		    (seen & 1U << i) == 0)
			return bad(rd, "there is no", &name);
	}
	if ((r = csign_device_id(rd->crypto, device->point, id)) != CSIGN_OK)
		return r;
	if (strcmp(id, device->id) != 0)
		return bad(rd, "the id is not that of the key", NULL);
	if (device->kind != CSIGN_KIND_WEBAUTHN)
		return CSIGN_OK;
	if (device->backed_up && !device->backup_eligible)
		return bad(rd, "bs=1 needs be=1", NULL);
	if (!rp_fits(device))
		return bad(rd, "rp does not belong to origin", NULL);
	return CSIGN_OK;
}

static enum csign_err
read_device(const struct reader *rd, struct csign_piece line,
    struct csign_device *device)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_piece token;
	unsigned seen = 0;

	if (!csign_piece_token(&line, &token))
		return bad(rd, "this is not a device", NULL);
	if (csign_piece_is(&token, csign_kind_name(CSIGN_KIND_WEBAUTHN)))
		device->kind = CSIGN_KIND_WEBAUTHN;
	else if (csign_piece_is(&token, csign_kind_name(CSIGN_KIND_P256)))
		device->kind = CSIGN_KIND_P256;
	else
		return bad(rd, "there is no kind of device", &token);
	if (!csign_piece_token(&line, &token) ||
	    !csign_piece_copy(&token, device->id, sizeof(device->id)))
		return bad(rd, "there is no id", NULL);
	if (!csign_piece_token(&line, &token))
		return bad(rd, "there is no key", NULL);
	r = read_point(rd->crypto, &token, device->point);
	if (r == CSIGN_E_FORMAT)
		return bad(rd, "not a key:", &token);
	while (r == CSIGN_OK && line.len > 0) {
		if (!csign_piece_token(&line, &token))
			return bad(
			    rd, "members have one space between them", NULL);
		r = read_one_member(rd, &token, &seen, device);
	}
	return r == CSIGN_OK ? check_device(rd, seen, device) : r;
}

/* Devices that are there already, with the same id or the same credential. */
static bool
is_duplicate(
    const struct csign_device_list *list, const struct csign_device *device)
{
	for (size_t i = 0; i < list->n; i++) {
		if (csign_device_same(&list->items[i], device))
			return true;
	}
	return false;
}

/* What the first line says. */
struct header {
	struct csign_piece user;
	uint32_t uid;
	bool counted;
	uint32_t n_devices;
};

/* NULL if it is one, else what is wrong with it. */
static const char *
parse_header(struct csign_piece line, struct header *header)
{
	uint32_t version = 0;
	struct csign_piece token;

	if (!csign_piece_skip(&line, CSIGN_DEVICES_HEADER) ||
	    !csign_piece_token(&line, &token) ||
	    !csign_piece_u32(&token, UINT32_MAX, &version))
		return "this is not a devices file";
	if (version > CSIGN_DEVICES_VERSION)
		return "this was written by a newer version of countersign";
	if (version != CSIGN_DEVICES_VERSION ||
	    !csign_piece_token(&line, &header->user) ||
	    !csign_piece_skip(&header->user, "user="))
		return "the header has no user=";
	if (!csign_piece_token(&line, &token) ||
	    !csign_piece_skip(&token, "uid=") ||
	    !csign_piece_u32(&token, UINT32_MAX - 1, &header->uid))
		return "the header has no uid=";
	header->counted = line.len > 0;
	if (header->counted && (!csign_piece_token(&line, &token) ||
				   !csign_piece_skip(&token, "devices=") ||
				   !csign_piece_u32(&token, CSIGN_DEVICES_MAX,
				       &header->n_devices) ||
				   line.len > 0))
		return "the header ends in something else";
	return NULL;
}

static enum csign_err
read_header(const struct reader *rd, struct csign_piece line,
    const struct csign_account *account, struct header *header)
{
	const char *wrong = parse_header(line, header);

	if (wrong == NULL &&
	    (!csign_piece_is(&header->user, account->file) ||
		(account->uid != CSIGN_UID_ANY && account->uid != header->uid)))
		wrong = "the header names another account than this one";
	return wrong == NULL ? CSIGN_OK : bad(rd, wrong, NULL);
}

/* A line with its end; the last one too, or it was cut off. */
static enum csign_err
next_line(
    struct reader *rd, struct csign_piece *text, struct csign_piece *ret_line)
{
	bool ended = false;

	rd->line++;
	if (!csign_piece_line(text, ret_line, &ended) || !ended)
		return bad(rd, "the line has no end", NULL);
	if (ret_line->len > CSIGN_LINE_MAX)
		return bad(rd, "the line is too long", NULL);
	return CSIGN_OK;
}

static enum csign_err
read_devices(struct reader *rd, struct csign_piece text,
    const struct csign_account *account, struct csign_device_list *list)
{
	struct header header = {0};
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_piece line;

	if ((r = next_line(rd, &text, &line)) != CSIGN_OK)
		return r;
	if ((r = read_header(rd, line, account, &header)) != CSIGN_OK)
		return r;
	while (text.len > 0) {
		if ((r = next_line(rd, &text, &line)) != CSIGN_OK)
			return r;
		if (list->n == CSIGN_DEVICES_MAX)
			return bad(rd, "there are too many devices", NULL);
		r = read_device(rd, line, &list->items[list->n]);
		if (r != CSIGN_OK)
			return r;
		if (is_duplicate(list, &list->items[list->n]))
			return bad(rd, "the device was there before", NULL);
		list->n++;
	}
	if (list->n == 0)
		return bad(rd, "there is no device", NULL);
	if (header.counted && header.n_devices != list->n)
		return bad(
		    rd, "the header counts other devices than there are", NULL);
	return CSIGN_OK;
}

enum csign_err
csign_devices_parse(struct csign_crypto *crypto, const char *path,
    const char *text, size_t len, const struct csign_account *account,
    struct csign_device_list *ret_list, struct csign_why *why)
{
	struct reader rd = {crypto, path, 0, why};
	struct csign_device_list list = {NULL, 0};
	enum csign_err r = CSIGN_E_INTERNAL;

	list.items = calloc(CSIGN_DEVICES_MAX, sizeof(*list.items));
	if (list.items == NULL)
		return CSIGN_E_NOMEM;
	r = read_devices(&rd, (struct csign_piece){text, len}, account, &list);
	if (r != CSIGN_OK) {
		csign_device_list_clear(&list);
		return r;
	}
	*ret_list = list;
	return CSIGN_OK;
}

enum csign_err
csign_devices_whose(
    const char *text, size_t len, struct csign_account *ret_account)
{
	struct csign_account account = {0};
	struct csign_piece rest = {text, len}, line;
	struct header header = {0};
	bool ended = false;

	if (!csign_piece_line(&rest, &line, &ended) ||
	    parse_header(line, &header) != NULL ||
	    !csign_piece_copy(
		&header.user, account.file, sizeof(account.file)) ||
	    csign_account_from_file_name(account.file, account.name) !=
		CSIGN_OK)
		return CSIGN_E_DEVICES;
	account.uid = header.uid;
	*ret_account = account;
	return CSIGN_OK;
}
