/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WebAuthn Level 3 without CBOR and without JSON: authenticator data at fixed
 * offsets (6.1), one template of a COSE key, and client data by the standard's
 * own limited verification algorithm (5.8.1.2).
 */
#include "config.h"

#include <string.h>

#include "buf.h"
#include "proof_impl.h"
#include "secret.h"
#include "text.h"

#define CHALLENGE_TEXT_LEN (CSIGN_CHALLENGE_SIZE - 1)

/* --- client data -----------------------------------------------------------
 */

static bool
at(const struct csign_rd *rd, const char *text)
{
	size_t len = strlen(text);

	return rd->left >= len && memcmp(rd->at, text, len) == 0;
}

/* Goes behind text, if it is there. */
static bool
skip(struct csign_rd *rd, const char *text)
{
	return at(rd, text) && csign_rd_bytes(rd, strlen(text)) != NULL;
}

/*
 * The rest of a string, behind its opening quote, and goes behind the closing
 * one.  No member that we read has an escape in it.
 */
static const unsigned char *
string(struct csign_rd *rd, size_t *ret_len)
{
	const unsigned char *start = rd->at;
	size_t n = 0;

	while (n < rd->left && start[n] != '"' && start[n] != '\\')
		n++;
	if (n == rd->left || start[n] == '\\')
		return NULL;
	*ret_len = n;
	return csign_rd_bytes(rd, n + 1);
}

static bool
string_is(const unsigned char *string, size_t len, const char *wanted)
{
	return len == strlen(wanted) && csign_equal(string, wanted, len);
}

/* One object of visible UTF-8, as far as can be said without reading it. */
static bool
looks_like_json(const unsigned char *data, size_t len)
{
	if (len < 1 || len > CSIGN_CLIENT_DATA_MAX || data[0] != '{' ||
	    data[len - 1] != '}' || !csign_utf8_valid(data, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (data[i] < 0x20)
			return false;
	return true;
}

/*
 * Does it begin with a member that we know, only not the first?  Then the
 * order is wrong; otherwise there is no type where it has to be.
 */
static bool
other_order(const struct csign_rd *rd)
{
	return !at(rd, "{\"") || at(rd, "{\"challenge\"") ||
	       at(rd, "{\"origin\"") || at(rd, "{\"crossOrigin\"") ||
	       at(rd, "{\"type\"");
}

static enum csign_err
look_type(struct csign_rd *rd, const char *type)
{
	const unsigned char *value;
	size_t len = 0;

	if (!skip(rd, "{\"type\":\""))
		return other_order(rd) ? CSIGN_E_PROOF_CLIENT_DATA
				       : CSIGN_E_PROOF_TYPE;
	if ((value = string(rd, &len)) == NULL)
		return CSIGN_E_PROOF_CLIENT_DATA;
	return string_is(value, len, type) ? CSIGN_OK : CSIGN_E_PROOF_TYPE;
}

/* ,"name":"and its value", or NULL */
static const unsigned char *
member(struct csign_rd *rd, const char *name, size_t *ret_len)
{
	if (!skip(rd, ",\"") || !skip(rd, name) || !skip(rd, "\":\""))
		return NULL;
	return string(rd, ret_len);
}

static enum csign_err
look_member(struct csign_rd *rd, const char *name, const char *wanted,
    enum csign_err reason)
{
	const unsigned char *value;
	size_t len = 0;

	if ((value = member(rd, name, &len)) == NULL)
		return CSIGN_E_PROOF_CLIENT_DATA;
	return string_is(value, len, wanted) ? CSIGN_OK : reason;
}

/*
 * Behind the origin: the end, or "crossOrigin":false and the end or more.
 * What more there is was signed, but says nothing to us; a topOrigin in its
 * standard place means a foreign page around ours.
 */
static enum csign_err
look_cross_origin(struct csign_rd *rd)
{
	if (at(rd, "}") && rd->left == 1)
		return CSIGN_OK;
	if (!skip(rd, ",\"crossOrigin\":"))
		return at(rd, ",\"topOrigin\"") ? CSIGN_E_PROOF_CROSS_ORIGIN
						: CSIGN_E_PROOF_CLIENT_DATA;
	if (!skip(rd, "false"))
		return CSIGN_E_PROOF_CROSS_ORIGIN;
	if (at(rd, "}") && rd->left == 1)
		return CSIGN_OK;
	if (at(rd, ",\"topOrigin\""))
		return CSIGN_E_PROOF_CROSS_ORIGIN;
	return at(rd, ",") ? CSIGN_OK : CSIGN_E_PROOF_CLIENT_DATA;
}

enum csign_err
csign_client_data_look(const struct csign_look *look, const char *type)
{
	const struct csign_answer *answer = look->answer;
	struct csign_rd rd;
	enum csign_err r;

	if (!looks_like_json(answer->b, answer->b_len))
		return CSIGN_E_PROOF_CLIENT_DATA;
	csign_rd_init(&rd, answer->b, answer->b_len);
	if ((r = look_type(&rd, type)) != CSIGN_OK ||
	    (r = look_member(&rd, "challenge", look->challenge,
		 CSIGN_E_PROOF_CHALLENGE)) != CSIGN_OK ||
	    (r = look_member(&rd, "origin", look->origin,
		 CSIGN_E_PROOF_ORIGIN)) != CSIGN_OK)
		return r;
	return look_cross_origin(&rd);
}

const unsigned char *
csign_client_data_challenge(const struct csign_answer *answer, const char *type)
{
	const unsigned char *challenge;
	struct csign_rd rd;
	size_t len = 0;

	csign_rd_init(&rd, answer->b, answer->b_len);
	if (look_type(&rd, type) != CSIGN_OK ||
	    (challenge = member(&rd, "challenge", &len)) == NULL)
		return NULL;
	return len == CHALLENGE_TEXT_LEN ? challenge : NULL;
}

/* --- authenticator data ----------------------------------------------------
 */

#define RPID_HASH_LEN 32
#define HEAD_LEN 37 /* hash, flags, counter */
#define AAGUID_LEN 16
#define COSE_LEN 77

#define FLAG_UP 0x01 /* user present */
#define FLAG_UV 0x04 /* user verified */
#define FLAG_BE 0x08 /* may be backed up */
#define FLAG_BS 0x10 /* is backed up */
#define FLAG_AT 0x40 /* attested credential data follows */

struct head {
	uint8_t flags;
	uint32_t counter;
};

/* Exactly these: with UP and UV, BS only with BE, no reserved bit, no ED. */
static bool
flags_fit(uint8_t flags, uint8_t attested, bool allow_no_uv)
{
	uint8_t base = FLAG_UP | attested;
	uint8_t rest;

	if (allow_no_uv)
		flags |= FLAG_UV;
	rest = flags ^ (base | FLAG_UV);
	return rest == 0 || rest == FLAG_BE || rest == (FLAG_BE | FLAG_BS);
}

/* The first 37 bytes; attested: FLAG_AT where it has to be set, else 0. */
static enum csign_err
look_head(const struct csign_look *look, struct csign_rd *rd, uint8_t attested,
    struct head *head)
{
	const struct csign_part rp = {look->rp, strlen(look->rp)};
	unsigned char wanted[RPID_HASH_LEN];
	const unsigned char *hash = csign_rd_bytes(rd, RPID_HASH_LEN);
	enum csign_err r;

	head->flags = csign_rd_u8(rd);
	head->counter = csign_rd_u32(rd);
	if (rd->bad)
		return CSIGN_E_PROOF_LENGTH;
	if ((r = csign_sha256(look->crypto, &rp, 1, wanted)) != CSIGN_OK)
		return r;
	if (!csign_equal(hash, wanted, sizeof(wanted)))
		return CSIGN_E_PROOF_RPID;
	if (!flags_fit(head->flags, attested, look->policy->allow_no_uv))
		return CSIGN_E_PROOF_FLAGS;
	return CSIGN_OK;
}

/* ES256 over authenticatorData || SHA-256(clientDataJSON). */
static enum csign_err
look_signature(const struct csign_look *look)
{
	const struct csign_answer *answer = look->answer;
	const struct csign_part data = {answer->b, answer->b_len};
	unsigned char message[HEAD_LEN + 32];
	enum csign_err r;

	if (answer->a_len != HEAD_LEN)
		return CSIGN_E_PROOF_LENGTH;
	memcpy(message, answer->a, HEAD_LEN);
	if ((r = csign_sha256(look->crypto, &data, 1, message + HEAD_LEN)) !=
	    CSIGN_OK)
		return r;
	return csign_es256_verify(look->crypto, look->point, message,
	    sizeof(message), answer->signature, answer->signature_len);
}

/* A copy of a synced key counts on its own, so its counter says nothing. */
static enum csign_err
look_counter(const struct head *head, uint32_t stored)
{
	if ((head->flags & FLAG_BE) != 0 || (stored == 0 && head->counter == 0))
		return CSIGN_OK;
	return head->counter > stored ? CSIGN_OK : CSIGN_E_PROOF_COUNTER;
}

enum csign_err
csign_assertion_look(const struct csign_look *look,
    const struct csign_device *device, struct csign_proof_facts *ret_facts)
{
	const struct csign_answer *answer = look->answer;
	struct head head = {0, 0};
	struct csign_rd rd;
	enum csign_err r;

	if ((r = csign_client_data_look(look, "webauthn.get")) != CSIGN_OK)
		return r;
	if (answer->a_len != HEAD_LEN)
		return CSIGN_E_PROOF_LENGTH;
	csign_rd_init(&rd, answer->a, answer->a_len);
	if ((r = look_head(look, &rd, 0, &head)) != CSIGN_OK)
		return r;
	if (((head.flags & FLAG_BE) != 0) != device->backup_eligible)
		return CSIGN_E_PROOF_BACKUP;
	if (look->policy->require_bound && device->backup_eligible)
		return CSIGN_E_PROOF_SYNCED;
	if ((r = look_signature(look)) != CSIGN_OK ||
	    (r = look_counter(&head, look->policy->counter)) != CSIGN_OK)
		return r;
	ret_facts->flags = head.flags;
	ret_facts->counter = head.counter;
	return CSIGN_OK;
}

/* --- creation --------------------------------------------------------------
 */

/* A COSE key for ES256 in canonical order: the one encoding that is taken. */
static bool
cose_is(const unsigned char *cose, const unsigned char point[CSIGN_POINT_LEN],
    bool *ret_same_key)
{
	static const unsigned char before_x[] = {
	    0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20};
	static const unsigned char before_y[] = {0x22, 0x58, 0x20};
	const unsigned char *x = cose + sizeof(before_x);
	const unsigned char *y = x + 32 + sizeof(before_y);

	if (memcmp(cose, before_x, sizeof(before_x)) != 0 ||
	    memcmp(x + 32, before_y, sizeof(before_y)) != 0)
		return false;
	*ret_same_key = point[0] == 0x04 && csign_equal(x, point + 1, 32) &&
			csign_equal(y, point + 33, 32);
	return true;
}

/* Behind the head: aaguid, u16 L, credential id, COSE key, and the end. */
static enum csign_err
look_attested(const struct csign_look *look, struct csign_rd *rd,
    struct csign_device *device)
{
	const struct csign_answer *answer = look->answer;
	const unsigned char *aaguid = csign_rd_bytes(rd, AAGUID_LEN);
	const unsigned char *id, *cose;
	bool same_key = false;
	size_t id_len = 0;

	id = csign_rd_v16(rd, CSIGN_CREDENTIAL_MAX, &id_len);
	cose = csign_rd_bytes(rd, COSE_LEN);
	if (!csign_rd_done(rd) || id_len == 0)
		return CSIGN_E_PROOF_LENGTH;
	if (id_len != answer->credential_len ||
	    !csign_equal(id, answer->credential, id_len))
		return CSIGN_E_PROOF_CREDENTIAL;
	if (!cose_is(cose, answer->point, &same_key))
		return CSIGN_E_PROOF_KEY;
	if (!same_key)
		return CSIGN_E_PROOF_CREDENTIAL;
	memcpy(device->aaguid, aaguid, AAGUID_LEN);
	memcpy(device->credential, id, id_len);
	device->credential_len = id_len;
	return CSIGN_OK;
}

enum csign_err
csign_creation_look(const struct csign_look *look, struct csign_device *device,
    struct csign_proof_facts *ret_facts)
{
	const struct csign_answer *answer = look->answer;
	struct head head = {0, 0};
	struct csign_rd rd;
	enum csign_err r;

	if (strlen(look->rp) >= sizeof(device->rp) ||
	    strlen(look->origin) >= sizeof(device->origin))
		return CSIGN_E_INVALID;
	if ((r = csign_client_data_look(look, "webauthn.create")) != CSIGN_OK)
		return r;
	csign_rd_init(&rd, answer->a, answer->a_len);
	if ((r = look_head(look, &rd, FLAG_AT, &head)) != CSIGN_OK ||
	    (r = look_attested(look, &rd, device)) != CSIGN_OK)
		return r;
	/* Attestation "none" has none; another one was not asked for. */
	if (answer->signature_len != 0)
		return CSIGN_E_PROOF_SIGNATURE;
	device->backup_eligible = (head.flags & FLAG_BE) != 0;
	device->backed_up = (head.flags & FLAG_BS) != 0;
	if (look->policy->require_bound && device->backup_eligible)
		return CSIGN_E_PROOF_SYNCED;
	memcpy(device->rp, look->rp, strlen(look->rp) + 1);
	memcpy(device->origin, look->origin, strlen(look->origin) + 1);
	ret_facts->flags = head.flags;
	ret_facts->counter = head.counter;
	return CSIGN_OK;
}
