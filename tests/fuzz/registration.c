/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that enrols, webauthn and p256: what is kept of it is what the
 * fixed layout of its authenticator data says, and nothing else is accepted.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "signer.h"

#define BOUND 0x01    /* synced passkeys are refused */
#define ONE_KIND 0x02 /* p256 is not taken */
#define UNSIGNED 0x04 /* the answer's own signature stays */

#define HEAD_LEN 37
#define COSE_LEN 77
#define COSE_X 10
#define COSE_Y 45

/* Head, aaguid, length and credential id, the key; and no byte more. */
static void
check_webauthn(
    const struct csign_answer *answer, const struct csign_device *device)
{
	const unsigned char *at = answer->a + HEAD_LEN;
	size_t id_len = (size_t)at[16] << 8 | at[17];

	MUST(answer->signature_len == 0);
	MUST(answer->a_len == HEAD_LEN + 18 + id_len + COSE_LEN);
	MUST(memcmp(device->aaguid, at, sizeof device->aaguid) == 0);
	MUST(device->credential_len == id_len && id_len > 0);
	MUST(memcmp(device->credential, at + 18, id_len) == 0);
	at += 18 + id_len;
	MUST(memcmp(device->point + 1, at + COSE_X, 32) == 0);
	MUST(memcmp(device->point + 33, at + COSE_Y, 32) == 0);
	MUST(strcmp(device->rp, PROOF_RP) == 0);
	MUST(strcmp(device->origin, PROOF_ORIGIN) == 0);
	MUST(device->backup_eligible == ((answer->a[32] & 0x08) != 0));
	MUST(device->backed_up == ((answer->a[32] & 0x10) != 0));
}

static void
check_accepted(uint8_t how, const struct csign_answer *answer,
    const struct csign_device *device, const struct csign_proof_facts *facts)
{
	char id[CSIGN_DEVICE_ID_SIZE];

	MUST(strcmp(answer->choice, "enroll") == 0);
	MUST(device->kind == answer->kind && device->has_seal);
	MUST(csign_point_check(fuzz_crypto(), device->point) == CSIGN_OK);
	MUST(csign_point_check(fuzz_crypto(), device->seal) == CSIGN_OK);
	MUST(csign_device_id(fuzz_crypto(), device->point, id) == CSIGN_OK);
	MUST(strcmp(id, device->id) == 0 && strcmp(id, answer->device) == 0);
	MUST(csign_device_name_check(device->name) == CSIGN_OK);
	MUST(proof_for_challenge(answer, "webauthn.create"));
	if (device->kind == CSIGN_KIND_WEBAUTHN) {
		MUST(proof_head_good(answer, 0x40, facts));
		MUST((how & BOUND) == 0 || !device->backup_eligible);
		check_webauthn(answer, device);
	} else {
		MUST((how & (ONE_KIND | UNSIGNED)) == 0);
		MUST(device->credential_len == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char signature[CSIGN_SIGNATURE_MAX];
	uint8_t how = fuzz_take(&data, &size);
	const struct csign_proof_policy policy = {
	    .kinds = CSIGN_KIND_BIT_WEBAUTHN |
		     ((how & ONE_KIND) != 0 ? 0 : CSIGN_KIND_BIT_P256),
	    .require_bound = (how & BOUND) != 0,
	    .wall_ms = PROOF_NOW_MS,
	};
	uint8_t *packet = fuzz_copy(data, size);
	struct csign_answer answer;
	struct csign_device device;
	struct csign_proof_facts facts;

	if (csign_answer_read(packet, size, true, &answer) != CSIGN_OK)
		goto out;
	if ((how & UNSIGNED) == 0 && answer.kind == CSIGN_KIND_P256)
		proof_sign(&answer, signature);
	fuzz_fill(&device, sizeof device);
	if (csign_registration_check(fuzz_crypto(), &answer, proof_challenge,
		PROOF_RP, PROOF_ORIGIN, &policy, &device, &facts) == CSIGN_OK)
		check_accepted(how, &answer, &device, &facts);
	else
		MUST(fuzz_untouched(&device, sizeof device));
out:
	free(packet);
	return 0;
}
