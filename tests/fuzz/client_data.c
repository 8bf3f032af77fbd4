/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clientDataJSON by the limited verification algorithm: whatever it takes, a
 * real reader of JSON, where it takes it too, reads the same in it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "json.h"
#include "proof_impl.h"

#define CHALLENGE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define ORIGIN "https://example.org"

static void
check_member(struct json_object *o, const char *name, const char *wanted)
{
	const char *value = csign_json_str(o, name, CSIGN_CLIENT_DATA_MAX);

	MUST(value != NULL && strcmp(value, wanted) == 0);
}

static void
check_meaning(const struct csign_answer *answer, const char *type)
{
	struct json_object *o = NULL, *cross = NULL;

	if (csign_json_parse(answer->b, answer->b_len, &o) != CSIGN_OK)
		return;
	check_member(o, "type", type);
	check_member(o, "challenge", CHALLENGE);
	check_member(o, "origin", ORIGIN);
	if (json_object_object_get_ex(o, "crossOrigin", &cross))
		MUST(json_object_is_type(cross, json_type_boolean) &&
		     !json_object_get_boolean(cross));
	json_object_put(o);
}

static void
check_type(const struct csign_answer *answer, const char *type)
{
	static const struct csign_proof_policy policy;
	const struct csign_look look = {
	    .crypto = fuzz_crypto(),
	    .answer = answer,
	    .challenge = CHALLENGE,
	    .policy = &policy,
	    .rp = "example.org",
	    .origin = ORIGIN,
	};
	const unsigned char *carried =
	    csign_client_data_challenge(answer, type);
	const size_t len = CSIGN_CHALLENGE_SIZE - 1;

	if (carried != NULL)
		MUST(carried >= answer->b &&
		     carried + len <= answer->b + answer->b_len);
	if (csign_client_data_look(&look, type) != CSIGN_OK)
		return;
	MUST(carried != NULL && memcmp(carried, CHALLENGE, len) == 0);
	check_meaning(answer, type);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = fuzz_copy(data, size);
	const struct csign_answer answer = {
	    .kind = CSIGN_KIND_WEBAUTHN, .b = bytes, .b_len = size};

	check_type(&answer, "webauthn.get");
	check_type(&answer, "webauthn.create");
	free(bytes);
	return 0;
}
