/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "answer.h"
#include "codec.h"
#include "phone.h"
#include "proof.h"
#include "seal.h"
#include "secret.h"

/* Digits of a time, "_", a challenge. */
#define DATA_MAX (20 + 1 + CSIGN_CHALLENGE_SIZE)

enum csign_err
csign_question_open(struct csign_crypto *crypto, const struct csign_link *link,
    const void *sealed, size_t len, struct csign_question *ret_question)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_question question = {0};
	struct csign_buf *content = NULL;

	if ((r = csign_buf_new(CSIGN_CONTENT_MAX, &content)) != CSIGN_OK ||
	    (r = csign_buf_new(CSIGN_TRANSACTION_MAX, &question.bytes)) !=
		CSIGN_OK ||
	    (r = csign_open(crypto, CSIGN_SEAL_CONTENT,
		 csign_link_content_key(link), sealed, len, content)) !=
		CSIGN_OK ||
	    (r = csign_content_read(csign_buf_data(content),
		 csign_buf_len(content), question.bytes)) != CSIGN_OK ||
	    (r = csign_transaction_read(csign_buf_data(question.bytes),
		 csign_buf_len(question.bytes), &question.transaction)) !=
		CSIGN_OK)
		goto out;
	*ret_question = question;
	memset(&question, 0, sizeof(question));
	r = CSIGN_OK;
out:
	csign_question_clear(&question);
	csign_buf_free(&content);
	return r;
}

void
csign_question_clear(struct csign_question *question)
{
	csign_buf_free(&question->bytes);
	csign_transaction_clear(&question->transaction);
}

/* May this question be answered so, from its link? */
static bool
may_answer(
    const struct csign_transaction *t, const char *choice, const char *code)
{
	if (t->enrolment)
		return false;
	if (strcmp(choice, "deny") == 0 || strcmp(choice, "not-me") == 0)
		return code[0] == '\0';
	if (strcmp(t->code, "always") == 0 && code[0] == '\0')
		return false;
	if (strcmp(t->code, "never") == 0 && code[0] != '\0')
		return false;
	for (size_t i = 0; i < t->n_choices; i++)
		if (strcmp(choice, t->choices[i]) == 0)
			return true;
	return false;
}

static enum csign_err
seal_answer(struct csign_crypto *crypto, const struct csign_link *link,
    const struct csign_answer *answer, struct csign_buf *out)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *plain = NULL;

	if ((r = csign_buf_new(
		 CSIGN_ANSWER_MAX - CSIGN_SEAL_OVERHEAD, &plain)) != CSIGN_OK)
		return r;
	if ((r = csign_answer_write(answer, plain)) == CSIGN_OK)
		r = csign_seal(crypto, CSIGN_SEAL_ANSWER,
		    csign_link_answer_key(link), csign_buf_data(plain),
		    csign_buf_len(plain), out);
	csign_buf_free(&plain);
	return r;
}

/* What an answer points at that was made for it. */
struct signed_part {
	struct csign_buf *data;
	unsigned char signature[CSIGN_SIGNATURE_MAX];
};

/* Signs the challenge for answer->choice over these bytes. */
static enum csign_err
sign(struct csign_crypto *crypto, const struct csign_buf *bytes,
    const struct csign_p256 *key, const char *code, uint64_t wall_ms,
    struct csign_answer *answer, struct signed_part *part)
{
	unsigned char challenge[CSIGN_CHALLENGE_LEN], point[CSIGN_POINT_LEN];
	char text[CSIGN_CHALLENGE_SIZE];
	enum csign_err r;

	csign_p256_point(key, point);
	answer->kind = CSIGN_KIND_P256;
	if ((r = csign_device_id(crypto, point, answer->device)) != CSIGN_OK ||
	    (r = csign_challenge(crypto, answer->choice, csign_buf_data(bytes),
		 csign_buf_len(bytes), code, challenge)) != CSIGN_OK ||
	    (r = csign_b64u_encode(challenge, sizeof(challenge), text,
		 sizeof(text))) != CSIGN_OK ||
	    (r = csign_buf_new(DATA_MAX, &part->data)) != CSIGN_OK ||
	    (r = csign_buf_putf(part->data, "%" PRIu64 "_%s", wall_ms, text)) !=
		CSIGN_OK ||
	    (r = csign_p256_sign(key, csign_buf_data(part->data),
		 csign_buf_len(part->data), part->signature,
		 &answer->signature_len)) != CSIGN_OK)
		return r;
	answer->b = csign_buf_data(part->data);
	answer->b_len = csign_buf_len(part->data);
	answer->signature = part->signature;
	return CSIGN_OK;
}

static enum csign_err
sign_and_seal(struct csign_crypto *crypto, const struct csign_link *link,
    const struct csign_question *question, const struct csign_p256 *key,
    const char *code, uint64_t wall_ms, struct csign_answer *answer,
    struct csign_buf *out)
{
	struct signed_part part = {0};
	enum csign_err r;

	if ((r = sign(crypto, question->bytes, key, code, wall_ms, answer,
		 &part)) == CSIGN_OK)
		r = seal_answer(crypto, link, answer, out);
	answer->b = answer->signature = NULL; /* they led into part */
	csign_buf_free(&part.data);
	return r;
}

enum csign_err
csign_phone_answer(struct csign_crypto *crypto, const struct csign_link *link,
    const struct csign_question *question, const struct csign_p256 *key,
    const char *choice, const char *code, uint64_t wall_ms,
    struct csign_buf *out)
{
	struct csign_answer answer = {0};

	if (strlen(choice) > CSIGN_CHOICE_MAX ||
	    !may_answer(&question->transaction, choice, code))
		return CSIGN_E_INVALID;
	memcpy(answer.choice, choice, strlen(choice) + 1);
	return sign_and_seal(
	    crypto, link, question, key, code, wall_ms, &answer, out);
}

enum csign_err
csign_phone_decline(struct csign_crypto *crypto, const struct csign_link *link,
    struct csign_buf *out)
{
	/* Ten zero bytes in the place of a device. */
	const struct csign_answer answer = {
	    .kind = CSIGN_KIND_UNSIGNED,
	    .choice = "deny",
	    .device = "aaaaaaaaaaaaaaaa",
	};

	return seal_answer(crypto, link, &answer, out);
}

enum csign_err
csign_phone_enrol(struct csign_crypto *crypto, const struct csign_link *link,
    const struct csign_question *question, const struct csign_p256 *key,
    const struct csign_p256 *seal_key, const char *name, uint64_t wall_ms,
    struct csign_buf *out)
{
	unsigned char point[CSIGN_POINT_LEN], seal[CSIGN_POINT_LEN];
	struct csign_answer answer = {
	    .choice = "enroll",
	    .enrolment = true,
	    .point = point,
	    .seal = seal,
	};

	if (!question->transaction.enrolment)
		return CSIGN_E_INVALID;
	if (strlen(name) > CSIGN_DEVICE_NAME_MAX)
		return CSIGN_E_TOO_LONG;
	memcpy(answer.name, name, strlen(name) + 1);
	csign_p256_point(key, point);
	csign_p256_point(seal_key, seal);
	return sign_and_seal(
	    crypto, link, question, key, "", wall_ms, &answer, out);
}

enum csign_err
csign_phone_removal(struct csign_crypto *crypto, const char *host,
    const char *user, uint32_t uid, const struct csign_p256 *key,
    uint64_t wall_ms, struct csign_buf *out)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	unsigned char point[CSIGN_POINT_LEN];
	char device[CSIGN_DEVICE_ID_SIZE];
	struct csign_answer answer = {.choice = "remove"};
	struct signed_part part = {0};
	struct csign_buf *bytes = NULL;

	csign_p256_point(key, point);
	if ((r = csign_device_id(crypto, point, device)) != CSIGN_OK ||
	    (r = csign_buf_new(CSIGN_TRANSACTION_MAX, &bytes)) != CSIGN_OK ||
	    (r = csign_removal_write(host, user, uid, device, bytes)) !=
		CSIGN_OK ||
	    (r = sign(crypto, bytes, key, "", wall_ms, &answer, &part)) !=
		CSIGN_OK)
		goto out;
	r = csign_answer_write(&answer, out);
out:
	csign_buf_free(&part.data);
	csign_buf_free(&bytes);
	return r;
}
