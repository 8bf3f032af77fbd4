/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "codec.h"
#include "proof.h"
#include "proof_impl.h"
#include "settings.h"
#include "transaction.h"

#define LABEL "countersign/1 "

/* These are never listed, and their challenge never has a code. */
static bool
reserved(const char *choice)
{
	return strcmp(choice, "deny") == 0 || strcmp(choice, "not-me") == 0 ||
	       strcmp(choice, "enroll") == 0 || strcmp(choice, "remove") == 0;
}

static bool
code_fits(const char *choice, const char *code)
{
	if (code[0] == '\0')
		return true;
	return !reserved(choice) && strlen(code) == CSIGN_CODE_LEN &&
	       strspn(code, "0123456789") == CSIGN_CODE_LEN;
}

enum csign_err
csign_challenge(struct csign_crypto *crypto, const char *choice,
    const void *transaction, size_t transaction_len, const char *code,
    unsigned char out[CSIGN_CHALLENGE_LEN])
{
	/* the length between two zero bytes: choice ends, digits begin */
	unsigned char frame[1 + 4], end[1] = {0};
	const struct csign_part parts[] = {
	    {LABEL, strlen(LABEL)},
	    {choice, strlen(choice)},
	    {frame, sizeof(frame)},
	    {transaction, transaction_len},
	    {end, sizeof(end)},
	    {code, strlen(code)},
	};

	if (!reserved(choice) && !csign_choice_valid(choice))
		return CSIGN_E_INVALID;
	if (!code_fits(choice, code) || transaction_len > CSIGN_TRANSACTION_MAX)
		return CSIGN_E_INVALID;
	frame[0] = 0;
	frame[1] = (unsigned char)(transaction_len >> 24);
	frame[2] = (unsigned char)(transaction_len >> 16);
	frame[3] = (unsigned char)(transaction_len >> 8);
	frame[4] = (unsigned char)transaction_len;
	return csign_sha256(
	    crypto, parts, sizeof(parts) / sizeof(parts[0]), out);
}

uint32_t
csign_kind_bit(enum csign_kind kind)
{
	switch (kind) {
	case CSIGN_KIND_WEBAUTHN:
		return CSIGN_KIND_BIT_WEBAUTHN;
	case CSIGN_KIND_P256:
		return CSIGN_KIND_BIT_P256;
	case CSIGN_KIND_UNSIGNED:
		break;
	}
	return 0;
}

enum csign_err
csign_proof_check(struct csign_crypto *crypto,
    const struct csign_device *device, const struct csign_answer *answer,
    const unsigned char challenge[CSIGN_CHALLENGE_LEN],
    const struct csign_proof_policy *policy,
    struct csign_proof_facts *ret_facts)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char text[CSIGN_CHALLENGE_SIZE];
	struct csign_proof_facts facts = {0, 0};
	const struct csign_look look = {
	    .crypto = crypto,
	    .answer = answer,
	    .challenge = text,
	    .policy = policy,
	    .point = device->point,
	    .rp = device->rp,
	    .origin = device->origin,
	};

	if (answer->enrolment)
		return CSIGN_E_PROOF_FORMAT;
	/* The kind is the devices file's to say, never the answer's: SIG-1. */
	if (answer->kind != device->kind ||
	    strcmp(answer->device, device->id) != 0)
		return CSIGN_E_PROOF_DEVICE;
	if ((csign_kind_bit(device->kind) & policy->kinds) == 0)
		return CSIGN_E_PROOF_KIND;
	if ((r = csign_b64u_encode(challenge, CSIGN_CHALLENGE_LEN, text,
		 sizeof(text))) != CSIGN_OK)
		return r;
	if (device->kind == CSIGN_KIND_WEBAUTHN)
		r = csign_assertion_look(&look, device, &facts);
	else
		r = csign_p256_look(&look);
	if (r != CSIGN_OK)
		return r;
	*ret_facts = facts;
	return CSIGN_OK;
}

/* The challenge that an answer says that it is for. */
static bool
carried(const struct csign_answer *answer,
    unsigned char challenge[CSIGN_CHALLENGE_LEN])
{
	const unsigned char *text =
	    answer->kind == CSIGN_KIND_WEBAUTHN
		? csign_client_data_challenge(answer, "webauthn.get")
		: csign_p256_challenge(answer);
	size_t len = 0;

	return text != NULL &&
	       csign_b64u_decode((const char *)text, CSIGN_CHALLENGE_SIZE - 1,
		   challenge, CSIGN_CHALLENGE_LEN, &len) == CSIGN_OK &&
	       len == CSIGN_CHALLENGE_LEN;
}

enum csign_err
csign_proof_wrong_code(struct csign_crypto *crypto,
    const struct csign_device *device, const struct csign_answer *answer,
    const struct csign_proof_policy *policy,
    struct csign_proof_facts *ret_facts)
{
	unsigned char challenge[CSIGN_CHALLENGE_LEN];
	enum csign_err r;

	if (!carried(answer, challenge))
		return CSIGN_E_PROOF_CHALLENGE;
	r = csign_proof_check(
	    crypto, device, answer, challenge, policy, ret_facts);
	if (r == CSIGN_OK)
		return CSIGN_E_PROOF_CODE;
	return r == CSIGN_E_NOMEM ? r : CSIGN_E_PROOF_CHALLENGE;
}

/* What the two kinds of enrolment have in common. */
static enum csign_err
check_new_device(struct csign_crypto *crypto, const struct csign_answer *answer,
    struct csign_device *device)
{
	enum csign_err r;

	if ((r = csign_point_check(crypto, answer->point)) != CSIGN_OK ||
	    (r = csign_point_check(crypto, answer->seal)) != CSIGN_OK ||
	    (r = csign_device_id(crypto, answer->point, device->id)) !=
		CSIGN_OK)
		return r;
	if (strcmp(answer->device, device->id) != 0)
		return CSIGN_E_PROOF_DEVICE;
	device->kind = answer->kind;
	memcpy(device->point, answer->point, sizeof(device->point));
	device->has_seal = true;
	memcpy(device->seal, answer->seal, sizeof(device->seal));
	memcpy(device->name, answer->name, sizeof(device->name));
	return CSIGN_OK;
}

enum csign_err
csign_registration_check(struct csign_crypto *crypto,
    const struct csign_answer *answer,
    const unsigned char challenge[CSIGN_CHALLENGE_LEN], const char *rp,
    const char *origin, const struct csign_proof_policy *policy,
    struct csign_device *ret_device, struct csign_proof_facts *ret_facts)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	char text[CSIGN_CHALLENGE_SIZE];
	struct csign_device device = {0};
	struct csign_proof_facts facts = {0, 0};
	const struct csign_look look = {
	    .crypto = crypto,
	    .answer = answer,
	    .challenge = text,
	    .policy = policy,
	    .point = answer->point,
	    .rp = rp,
	    .origin = origin,
	};

	if (!answer->enrolment)
		return CSIGN_E_PROOF_FORMAT;
	if (strcmp(answer->choice, "enroll") != 0)
		return CSIGN_E_PROOF_CHOICE;
	if ((csign_kind_bit(answer->kind) & policy->kinds) == 0)
		return CSIGN_E_PROOF_KIND;
	if ((r = csign_b64u_encode(challenge, CSIGN_CHALLENGE_LEN, text,
		 sizeof(text))) != CSIGN_OK)
		return r;
	if (answer->kind == CSIGN_KIND_WEBAUTHN)
		r = csign_creation_look(&look, &device, &facts);
	else
		r = csign_p256_look(&look);
	if (r != CSIGN_OK)
		return r;
	if ((r = check_new_device(crypto, answer, &device)) != CSIGN_OK)
		return r;
	*ret_device = device;
	*ret_facts = facts;
	return CSIGN_OK;
}
