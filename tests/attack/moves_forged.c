/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves of those who have more than a courier: the link, and an answer that is
 * forged in one of MOVES_FORGERIES ways; or a phone of alice's.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "moves_impl.h"
#include "seal.h"

/* The link as it was shown; NULL if none was. */
static struct csign_link *
link_of(struct moves *m)
{
	struct csign_link *link = NULL;
	char *origin = NULL;

	if (csign_link_parse(login_crypto(m->l), login_link(m->l), &link,
		&origin) != CSIGN_OK)
		return NULL;
	free(origin);
	return link;
}

/* What a phone signed, taken out of its seal. */
static bool
sign_open(struct moves *m, enum login_phone phone, const char *choice,
    const char *code, int64_t ahead_ms, struct csign_buf *plain)
{
	struct csign_buf *sealed = moves_buf(CSIGN_ANSWER_MAX);
	struct csign_link *link = link_of(m);
	bool ok = link != NULL && login_sign_at(m->l, login_key(m->l, phone),
				      choice, code, ahead_ms, sealed);

	if (ok)
		moves_must(csign_open(login_crypto(m->l), CSIGN_SEAL_ANSWER,
		    csign_link_answer_key(link), csign_buf_data(sealed),
		    csign_buf_len(sealed), plain));
	csign_buf_free(&sealed);
	csign_link_free(&link);
	return ok;
}

static void
seal_and_send(struct moves *m, const void *plain, size_t len)
{
	struct csign_buf *sealed = moves_buf(CSIGN_ANSWER_MAX);
	struct csign_link *link = link_of(m);

	if (link != NULL &&
	    csign_seal(login_crypto(m->l), CSIGN_SEAL_ANSWER,
		csign_link_answer_key(link), plain, len, sealed) == CSIGN_OK)
		moves_send_answer(m, sealed);
	csign_buf_free(&sealed);
	csign_link_free(&link);
}

/* Parts of a p256 yes: 01 02 07 "approve" device[10] 0000 B signature. */
#define AT_CHOICE 3
#define AT_DEVICE 10
#define AT_DATA 22

static void
put_device(struct moves *m, enum login_phone phone, unsigned char *bytes)
{
	unsigned char point[CSIGN_POINT_LEN], digest[32];
	const struct csign_part part = {point, sizeof(point)};

	csign_p256_point(login_key(m->l, phone), point);
	moves_must(csign_sha256(login_crypto(m->l), &part, 1, digest));
	memcpy(bytes + AT_DEVICE, digest, CSIGN_DEVICE_ID_LEN);
}

static void
bend(struct moves *m, unsigned int n, unsigned char *bytes, size_t *len)
{
	size_t data = (size_t)bytes[AT_DATA] << 8 | bytes[AT_DATA + 1];
	size_t signature = AT_DATA + 2 + data + 2;

	switch (n) {
	case 0:
		bytes[m->draw(m, (uint32_t)*len)] ^=
		    (unsigned char)(1 << m->draw(m, 8));
		return;
	case 1:
		*len = m->draw(m, (uint32_t)*len);
		return;
	case 2:
		moves_fill(m, bytes + *len, 8);
		*len += 1 + m->draw(m, 8);
		return;
	case 3: /* a stranger with the name of alice's phone */
		put_device(m, LOGIN_PHONE_1, bytes);
		return;
	case 4: /* alice's other phone */
		put_device(m, LOGIN_PHONE_2, bytes);
		return;
	case 5:
		bytes[1] = 0; /* unsigned */
		return;
	case 6:
		bytes[1] = 1; /* webauthn */
		return;
	case 7: /* no signature at all, but of the right length */
		memset(bytes + signature, 0, *len - signature);
		return;
	case 8: /* another moment */
		bytes[AT_DATA + 2 + m->draw(m, 13)] ^= 1;
		return;
	default:
		return;
	}
}

void
moves_forge(struct moves *m, unsigned int n)
{
	static const struct {
		enum login_phone phone;
		const char *code;
		int64_t ahead_ms;
	} how[MOVES_FORGERIES] = {
	    [3] = {.phone = LOGIN_PHONE_STRANGER},
	    [9] = {.phone = LOGIN_PHONE_STRANGER},
	    [10] = {.phone = LOGIN_PHONE_BOB},
	    [11] = {.ahead_ms = 200000},
	    [12] = {.ahead_ms = -200000},
	    [13] = {.code = "000000"},
	};
	struct csign_buf *plain = moves_buf(CSIGN_ANSWER_MAX);
	unsigned char *bytes = NULL;
	size_t len;

	n %= MOVES_FORGERIES;
	if (!sign_open(m, how[n].phone, "approve",
		how[n].code == NULL ? "" : how[n].code, how[n].ahead_ms, plain))
		goto out;
	len = csign_buf_len(plain);
	if ((bytes = malloc(len + 8)) == NULL)
		login_fail("memory");
	memcpy(bytes, csign_buf_data(plain), len);
	bend(m, n, bytes, &len);
	/* A wrong code under a good signature is a try, and counts. */
	m->by_owner = m->by_owner || n == 13;
	seal_and_send(m, bytes, len);
out:
	free(bytes);
	csign_buf_free(&plain);
}

void
moves_decline(struct moves *m)
{
	struct csign_buf *out = moves_buf(CSIGN_ANSWER_MAX);

	if (login_decline(m->l, out)) {
		moves_send_answer(m, out);
		m->declined = true;
	}
	csign_buf_free(&out);
}

/* --- with the phone ------------------------------------------------------- */

void
moves_answer(struct moves *m, const char *choice, unsigned int times, bool bent)
{
	const enum login_phone phone =
	    m->draw(m, 2) == 0 ? LOGIN_PHONE_1 : LOGIN_PHONE_2;
	struct csign_buf *out = moves_buf(CSIGN_ANSWER_MAX);
	unsigned char *bytes = NULL;
	size_t len;
	bool sent = false;

	if (!login_sign(m->l, login_key(m->l, phone), choice, "", out))
		goto out;
	len = csign_buf_len(out);
	if ((bytes = malloc(len)) == NULL)
		login_fail("memory");
	memcpy(bytes, csign_buf_data(out), len);
	if (bent)
		bytes[m->draw(m, (uint32_t)len)] ^=
		    (unsigned char)(1 << m->draw(m, 8));
	for (; times > 0; times--)
		sent =
		    login_send_frame(m->l, CSIGN_FRAME_ANSWER, 0, bytes, len) ||
		    sent;
	if (sent && !bent) {
		m->by_owner = true;
		m->approved = m->approved || strcmp(choice, "approve") == 0;
	}
out:
	free(bytes);
	csign_buf_free(&out);
}
