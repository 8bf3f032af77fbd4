/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "answer.h"
#include "codec.h"
#include "text.h"

#define FORMAT_VERSION 0x01
#define DEVICE_ID_TEXT_LEN (CSIGN_DEVICE_ID_SIZE - 1)

/* Any word that can be a choice, the reserved ones included. */
static bool
choice_word(const char *choice, size_t len)
{
	if (len < 1 || len > CSIGN_CHOICE_MAX || choice[0] < 'a')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = choice[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-')
			return false;
	}
	return true;
}

/* What each kind may carry at all; the proof check looks closer. */
static bool
parts_fit(const struct csign_answer *a)
{
	size_t a_max =
	    a->enrolment ? CSIGN_REGISTRATION_MAX : CSIGN_AUTHDATA_MAX;

	if (a->b_len > CSIGN_CLIENT_DATA_MAX ||
	    a->signature_len > CSIGN_SIGNATURE_MAX)
		return false;
	switch (a->kind) {
	case CSIGN_KIND_WEBAUTHN:
		return a->a_len <= a_max &&
		       (!a->enrolment ||
			   (a->credential_len >= 1 &&
			       a->credential_len <= CSIGN_CREDENTIAL_MAX));
	case CSIGN_KIND_P256:
		return a->a_len == 0 && a->credential_len == 0;
	case CSIGN_KIND_UNSIGNED:
		return !a->enrolment && strcmp(a->choice, "deny") == 0 &&
		       a->a_len == 0 && a->b_len == 0 && a->signature_len == 0;
	}
	return false;
}

static void
read_choice(struct csign_rd *rd, struct csign_answer *a)
{
	size_t len = csign_rd_u8(rd);
	const unsigned char *choice = csign_rd_bytes(rd, len);

	if (choice == NULL || !choice_word((const char *)choice, len)) {
		rd->bad = true;
		return;
	}
	memcpy(a->choice, choice, len);
}

static enum csign_err
read_device(struct csign_rd *rd, struct csign_answer *a)
{
	const unsigned char *id = csign_rd_bytes(rd, CSIGN_DEVICE_ID_LEN);

	if (id == NULL)
		return CSIGN_E_PROOF_FORMAT;
	return csign_b32_encode(id, CSIGN_DEVICE_ID_LEN, CSIGN_B32_LOWER,
	    a->device, sizeof(a->device));
}

/* The phone's name for itself is foreign text; what gets too long is cut. */
static enum csign_err
read_name(struct csign_rd *rd, struct csign_answer *a)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	size_t len = csign_rd_u8(rd);
	const unsigned char *name = csign_rd_bytes(rd, len);
	struct csign_buf *safe = NULL;

	if (name == NULL || len > CSIGN_DEVICE_NAME_MAX)
		return CSIGN_E_PROOF_FORMAT;
	/* One byte can become "\u{..}", ten characters at most. */
	if ((r = csign_buf_new((size_t)10 * CSIGN_DEVICE_NAME_MAX, &safe)) !=
	    CSIGN_OK)
		return r;
	if ((r = csign_text_safe(safe, (const char *)name, len)) != CSIGN_OK)
		goto out;
	len = csign_buf_len(safe);
	if (len > CSIGN_DEVICE_NAME_MAX)
		len = CSIGN_DEVICE_NAME_MAX;
	/* Not in the middle of a character: those go on with 10xxxxxx. */
	while (len > 0 && (csign_buf_data(safe)[len] & 0xc0) == 0x80)
		len--;
	memcpy(a->name, csign_buf_data(safe), len);
	a->name[len] = '\0';
	r = CSIGN_OK;
out:
	csign_buf_free(&safe);
	return r;
}

static enum csign_err
read_enrolment(struct csign_rd *rd, struct csign_answer *a)
{
	a->point = csign_rd_bytes(rd, CSIGN_POINT_LEN);
	a->seal = csign_rd_bytes(rd, CSIGN_POINT_LEN);
	a->credential =
	    csign_rd_v16(rd, CSIGN_CREDENTIAL_MAX, &a->credential_len);
	return read_name(rd, a);
}

enum csign_err
csign_answer_read(const void *bytes, size_t len, bool enrolment,
    struct csign_answer *ret_answer)
{
	struct csign_answer a = {.enrolment = enrolment};
	struct csign_rd rd;
	uint8_t kind;
	enum csign_err r;

	csign_rd_init(&rd, bytes, len);
	if (csign_rd_u8(&rd) != FORMAT_VERSION)
		return CSIGN_E_PROOF_FORMAT;
	kind = csign_rd_u8(&rd);
	if (kind > CSIGN_KIND_P256)
		return CSIGN_E_PROOF_FORMAT;
	a.kind = (enum csign_kind)kind;
	read_choice(&rd, &a);
	if ((r = read_device(&rd, &a)) != CSIGN_OK)
		return r;
	a.a = csign_rd_v16(&rd, CSIGN_REGISTRATION_MAX, &a.a_len);
	a.b = csign_rd_v16(&rd, CSIGN_CLIENT_DATA_MAX, &a.b_len);
	a.signature = csign_rd_v16(&rd, CSIGN_SIGNATURE_MAX, &a.signature_len);
	if (enrolment && (r = read_enrolment(&rd, &a)) != CSIGN_OK)
		return r;
	if (!csign_rd_done(&rd) || !parts_fit(&a))
		return CSIGN_E_PROOF_FORMAT;
	*ret_answer = a;
	return CSIGN_OK;
}

/* --- the phone's side ------------------------------------------------------
 */

static enum csign_err
write_enrolment(const struct csign_answer *a, struct csign_buf *out)
{
	size_t name_len = strlen(a->name);
	enum csign_err r;

	if ((r = csign_buf_put(out, a->point, CSIGN_POINT_LEN)) != CSIGN_OK ||
	    (r = csign_buf_put(out, a->seal, CSIGN_POINT_LEN)) != CSIGN_OK ||
	    (r = csign_buf_put_v16(out, a->credential, a->credential_len)) !=
		CSIGN_OK ||
	    (r = csign_buf_put_u8(out, (uint8_t)name_len)) != CSIGN_OK)
		return r;
	return csign_buf_put(out, a->name, name_len);
}

static enum csign_err
write_common(const struct csign_answer *a,
    const unsigned char device[CSIGN_DEVICE_ID_LEN], struct csign_buf *out)
{
	size_t choice_len = strlen(a->choice);
	enum csign_err r;

	if ((r = csign_buf_put_u8(out, FORMAT_VERSION)) != CSIGN_OK ||
	    (r = csign_buf_put_u8(out, (uint8_t)a->kind)) != CSIGN_OK ||
	    (r = csign_buf_put_u8(out, (uint8_t)choice_len)) != CSIGN_OK ||
	    (r = csign_buf_put(out, a->choice, choice_len)) != CSIGN_OK ||
	    (r = csign_buf_put(out, device, CSIGN_DEVICE_ID_LEN)) != CSIGN_OK ||
	    (r = csign_buf_put_v16(out, a->a, a->a_len)) != CSIGN_OK ||
	    (r = csign_buf_put_v16(out, a->b, a->b_len)) != CSIGN_OK)
		return r;
	return csign_buf_put_v16(out, a->signature, a->signature_len);
}

enum csign_err
csign_answer_write(const struct csign_answer *answer, struct csign_buf *out)
{
	unsigned char device[CSIGN_DEVICE_ID_LEN];
	size_t len = 0;
	enum csign_err r;

	if (!choice_word(answer->choice, strlen(answer->choice)) ||
	    !parts_fit(answer))
		return CSIGN_E_INVALID;
	if (csign_b32_decode(answer->device, DEVICE_ID_TEXT_LEN,
		CSIGN_B32_LOWER, device, sizeof(device), &len) != CSIGN_OK ||
	    len != sizeof(device))
		return CSIGN_E_INVALID;
	if ((r = write_common(answer, device, out)) != CSIGN_OK)
		return r;
	return answer->enrolment ? write_enrolment(answer, out) : CSIGN_OK;
}
