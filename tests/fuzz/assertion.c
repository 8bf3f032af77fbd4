/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An approval's proof, webauthn and p256, and a removal's: accepted only if
 * every rule holds, looked at once more here, and if it is signed.
 *
 * The first byte of an input chooses how it is looked at, the second and third
 * how the signature is spoilt; the rest is an answer.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "signer.h"

#define BOUND 0x01    /* synced passkeys are refused */
#define SYNCED 0x02   /* the device is one */
#define ANY_TIME 0x04 /* as a removal's is looked at */
#define ONE_KIND 0x08 /* p256 is not taken */
#define UNSIGNED 0x10 /* the answer's own signature stays */
#define SPOILT 0x20   /* one byte of a good signature is another one */
#define P256 0x40     /* the device's kind */

static void
make_device(uint8_t how, struct csign_device *device)
{
	memset(device, 0, sizeof *device);
	device->kind =
	    (how & P256) != 0 ? CSIGN_KIND_P256 : CSIGN_KIND_WEBAUTHN;
	csign_p256_point(proof_key(), device->point);
	MUST(csign_device_id(fuzz_crypto(), device->point, device->id) ==
	     CSIGN_OK);
	memcpy(device->rp, PROOF_RP, sizeof PROOF_RP);
	memcpy(device->origin, PROOF_ORIGIN, sizeof PROOF_ORIGIN);
	device->backup_eligible = (how & SYNCED) != 0;
}

static void
check_accepted(uint8_t how, const struct csign_device *device,
    const struct csign_answer *answer, const struct csign_proof_policy *policy,
    const struct csign_proof_facts *facts)
{
	MUST((how & (UNSIGNED | SPOILT)) == 0);
	MUST(answer->kind == device->kind && !answer->enrolment);
	MUST(strcmp(answer->device, device->id) == 0);
	MUST((csign_kind_bit(device->kind) & policy->kinds) != 0);
	MUST(proof_for_challenge(answer, "webauthn.get"));
	if (device->kind == CSIGN_KIND_P256) {
		MUST(answer->a_len == 0 && facts->flags == 0);
		return;
	}
	MUST(answer->a_len == 37 && proof_head_good(answer, 0, facts));
	MUST(((facts->flags & 0x08) != 0) == device->backup_eligible);
	MUST(!policy->require_bound || !device->backup_eligible);
	MUST(device->backup_eligible || facts->counter > policy->counter ||
	     (facts->counter == 0 && policy->counter == 0));
}

static void
check(uint8_t how, const struct csign_answer *answer, uint32_t counter)
{
	const struct csign_proof_policy policy = {
	    .kinds = CSIGN_KIND_BIT_WEBAUTHN |
		     ((how & ONE_KIND) != 0 ? 0 : CSIGN_KIND_BIT_P256),
	    .require_bound = (how & BOUND) != 0,
	    .any_time = (how & ANY_TIME) != 0,
	    .wall_ms = PROOF_NOW_MS,
	    .counter = counter,
	};
	struct csign_device device;
	struct csign_proof_facts facts;
	enum csign_err r;

	make_device(how, &device);
	fuzz_fill(&facts, sizeof facts);
	r = csign_proof_check(
	    fuzz_crypto(), &device, answer, proof_challenge, &policy, &facts);
	if (r == CSIGN_OK)
		check_accepted(how, &device, answer, &policy, &facts);
	else
		MUST(fuzz_untouched(&facts, sizeof facts));
	r = csign_proof_wrong_code(
	    fuzz_crypto(), &device, answer, &policy, &facts);
	MUST(r == CSIGN_E_PROOF_CODE || r == CSIGN_E_PROOF_CHALLENGE);
	MUST(r != CSIGN_E_PROOF_CODE || (how & (UNSIGNED | SPOILT)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char signature[CSIGN_SIGNATURE_MAX];
	uint8_t how = fuzz_take(&data, &size);
	uint8_t where = fuzz_take(&data, &size);
	uint8_t change = fuzz_take(&data, &size);
	uint8_t *packet = fuzz_copy(data, size);
	struct csign_answer answer;

	if (csign_answer_read(packet, size, false, &answer) == CSIGN_OK) {
		if ((how & UNSIGNED) == 0)
			proof_sign(&answer, signature);
		if ((how & SPOILT) != 0 && (how & UNSIGNED) == 0)
			signature[where % answer.signature_len] ^=
			    (unsigned char)(change | 1);
		check(how, &answer, where);
	}
	free(packet);
	return 0;
}
