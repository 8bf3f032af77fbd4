/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answer's fixed layout: what is read is what would be written, to the
 * last byte, and leads nowhere outside of the packet.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "fuzz.h"

static bool
within(
    const unsigned char *part, size_t len, const uint8_t *packet, size_t size)
{
	return len == 0 || (part >= packet && part + len <= packet + size);
}

static void
check_parts(const struct csign_answer *a, const uint8_t *packet, size_t size)
{
	MUST(within(a->a, a->a_len, packet, size));
	MUST(within(a->b, a->b_len, packet, size));
	MUST(within(a->signature, a->signature_len, packet, size));
	MUST(a->b_len <= CSIGN_CLIENT_DATA_MAX);
	MUST(a->signature_len <= CSIGN_SIGNATURE_MAX);
	MUST(strlen(a->choice) >= 1 && strlen(a->choice) <= CSIGN_CHOICE_MAX);
	MUST(strlen(a->device) == CSIGN_DEVICE_ID_SIZE - 1);
	if (a->kind == CSIGN_KIND_UNSIGNED)
		MUST(strcmp(a->choice, "deny") == 0 && !a->enrolment);
	if (!a->enrolment)
		return;
	MUST(within(a->point, CSIGN_POINT_LEN, packet, size));
	MUST(within(a->seal, CSIGN_POINT_LEN, packet, size));
	MUST(within(a->credential, a->credential_len, packet, size));
	MUST(csign_device_name_check(a->name) == CSIGN_OK);
}

/* Only the name of an enrolment may have been made harmless, at the end. */
static void
check_answer(const uint8_t *packet, size_t size, bool enrolment)
{
	struct csign_buf *out = fuzz_buf(size + CSIGN_DEVICE_NAME_MAX);
	struct csign_answer a;
	size_t same = size;

	fuzz_fill(&a, sizeof a);
	if (csign_answer_read(packet, size, enrolment, &a) != CSIGN_OK) {
		MUST(fuzz_untouched(&a, sizeof a));
		goto out;
	}
	MUST(a.enrolment == enrolment);
	check_parts(&a, packet, size);
	MUST(csign_answer_write(&a, out) == CSIGN_OK);
	if (enrolment)
		same = csign_buf_len(out) - strlen(a.name) - 1;
	else
		MUST(csign_buf_len(out) == size);
	MUST(same <= size && memcmp(csign_buf_data(out), packet, same) == 0);
out:
	csign_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *packet = fuzz_copy(data, size);

	check_answer(packet, size, false);
	check_answer(packet, size, true);
	free(packet);
	return 0;
}
