/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evidence: a line that is read is the only one for what is in it, and it only
 * holds if the key in it has signed.
 *
 * The first byte of an input says what the rest is: 0 a line; else a
 * transaction, for which an answer is made and signed here, spoilt where the
 * second byte says so.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "countersign.h"
#include "evidence.h"
#include "signer.h"
#include "transaction.h"

#define CODED 0x02  /* with six digits */
#define DENIED 0x04 /* instead of approved */
#define SPOILT 0x08

static struct csign_ctx *
context(void)
{
	static struct csign_ctx *ctx;

	if (ctx == NULL)
		MUST(csign_ctx_new(NULL, &ctx) == CSIGN_OK);
	return ctx;
}

static void
check_info(const struct csign_evidence_info *info)
{
	MUST(info != NULL && info->time != NULL && info->question != NULL);
	MUST(info->host != NULL && info->user != NULL && info->service != NULL);
	MUST(info->title != NULL && info->kind != NULL);
	MUST(strlen(info->device) == CSIGN_DEVICE_ID_SIZE - 1);
	MUST(strlen(info->mark) == CSIGN_EVIDENCE_MARK_SIZE - 1);
	MUST(info->choice[0] != '\0' && !info->grants);
}

static enum csign_err
check_line(const void *line, size_t len)
{
	struct csign_evidence *ev = NULL;
	enum csign_err r = csign_evidence_read(context(), line, len, &ev);

	if (r != CSIGN_OK) {
		MUST(ev == NULL);
		return r;
	}
	check_info(csign_evidence_look(ev));
	r = csign_evidence_check(context(), ev);
	MUST(r == CSIGN_OK || csign_ctx_why(context())[0] != '\0');
	csign_evidence_free(&ev);
	return r;
}

/* The answer of a p256 device to these bytes; data has room for it. */
static void
make_answer(uint8_t how, const void *transaction, size_t len, char data[80],
    unsigned char signature[CSIGN_SIGNATURE_MAX], struct csign_answer *answer)
{
	const char *choice = (how & DENIED) != 0 ? "deny" : "approve";
	const char *code = (how & CODED) != 0 ? "123456" : "";
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	const char head[] = "1764000000000_";

	MUST(csign_challenge(fuzz_crypto(), choice, transaction, len, code,
		 challenge) == CSIGN_OK);
	memcpy(data, head, sizeof head);
	MUST(csign_b64u_encode(challenge, sizeof challenge,
		 data + sizeof head - 1, CSIGN_CHALLENGE_SIZE) == CSIGN_OK);
	memcpy(answer->choice, choice, strlen(choice) + 1);
	answer->b = (const unsigned char *)data;
	answer->b_len = strlen(data);
	proof_sign(answer, signature);
	if ((how & SPOILT) != 0)
		signature[answer->signature_len - 1] ^= 1;
}

static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* Was it a host that could have asked this, and could it have been said? */
static bool
is_good(uint8_t how, const struct csign_transaction *t)
{
	bool offered = (how & DENIED) != 0;

	for (size_t i = 0; i < t->n_choices; i++)
		offered |= strcmp(t->choices[i], "approve") == 0;
	return offered && !t->enrolment && (how & SPOILT) == 0 &&
	       ((how & CODED) == 0 || strcmp(t->code, "inbox") == 0);
}

/* How a host keeps it; the parts of t are told beside its bytes. */
static void
check_made(uint8_t how, const uint8_t *bytes, size_t len,
    const struct csign_transaction *t)
{
	struct csign_buf *line = fuzz_buf(CSIGN_EVIDENCE_MAX - 1);
	struct csign_device device = {.kind = CSIGN_KIND_P256};
	struct csign_answer answer = {.kind = CSIGN_KIND_P256};
	char data[80], question[CSIGN_QUESTION_LEN + 1] = "";
	unsigned char signature[CSIGN_SIGNATURE_MAX];
	const struct csign_exhibit exhibit = {
	    .checked_ms = PROOF_NOW_MS,
	    .question = question,
	    .host = t->host,
	    .user = t->user,
	    .uid = t->uid,
	    .device = &device,
	    .answer = &answer,
	    .code = (how & CODED) != 0 ? "123456" : "",
	    .transaction = bytes,
	    .transaction_len = len,
	};
	enum csign_err r;

	memcpy(question, t->nonce, CSIGN_QUESTION_LEN);
	csign_p256_point(proof_key(), device.point);
	MUST(csign_device_id(fuzz_crypto(), device.point, device.id) ==
	     CSIGN_OK);
	memcpy(answer.device, device.id, sizeof answer.device);
	make_answer(how, bytes, len, data, signature, &answer);
	MUST(csign_evidence_format(&exhibit, line) == CSIGN_OK);
	r = check_line(csign_buf_data(line), csign_buf_len(line));
	MUST(r != CSIGN_OK || is_good(how, t));
	/* Other names are written down harmless, and then are not the same. */
	if (is_plain(t->host) && is_plain(t->user))
		MUST((r == CSIGN_OK) == is_good(how, t));
	csign_buf_free(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t made = fuzz_take(&data, &size), how;
	struct csign_transaction t;
	uint8_t *bytes;

	if (made == 0) {
		bytes = fuzz_copy(data, size);
		(void)check_line(bytes, size);
		free(bytes);
		return 0;
	}
	how = fuzz_take(&data, &size);
	bytes = fuzz_copy(data, size);
	/* A denial never comes with digits: no host has made that. */
	if ((how & (DENIED | CODED)) != (DENIED | CODED) &&
	    csign_transaction_read(bytes, size, &t) == CSIGN_OK) {
		check_made(how, bytes, size, &t);
		csign_transaction_clear(&t);
	}
	free(bytes);
	return 0;
}
