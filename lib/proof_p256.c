/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "buf.h"
#include "proof_impl.h"
#include "secret.h"

/* Milliseconds since 1970 until the year 33658. */
#define DIGITS_MAX 15

#define CHALLENGE_TEXT_LEN (CSIGN_CHALLENGE_SIZE - 1)

/* "<digits>_", without a leading zero. */
static bool
read_time(struct csign_rd *rd, uint64_t *ret_ms)
{
	uint64_t ms = 0;
	size_t n = 0;

	for (;; n++) {
		uint8_t c = csign_rd_u8(rd);

		if (c == '_')
			break;
		if (c < '0' || c > '9' || n == DIGITS_MAX || (n > 0 && ms == 0))
			return false;
		ms = ms * 10 + (uint64_t)(c - '0');
	}
	*ret_ms = ms;
	return n > 0;
}

/* "<milliseconds>_<challenge>" and nothing else; NULL if it is not that. */
static const unsigned char *
read_data(const struct csign_answer *answer, uint64_t *ret_ms)
{
	const unsigned char *challenge;
	struct csign_rd rd;

	csign_rd_init(&rd, answer->b, answer->b_len);
	if (!read_time(&rd, ret_ms))
		return NULL;
	challenge = csign_rd_bytes(&rd, CHALLENGE_TEXT_LEN);
	return csign_rd_done(&rd) ? challenge : NULL;
}

const unsigned char *
csign_p256_challenge(const struct csign_answer *answer)
{
	uint64_t then = 0;

	return read_data(answer, &then);
}

enum csign_err
csign_p256_look(const struct csign_look *look)
{
	const struct csign_answer *answer = look->answer;
	uint64_t now = look->policy->wall_ms, then = 0;
	const unsigned char *challenge;

	if (answer->a_len != 0)
		return CSIGN_E_PROOF_LENGTH;
	if ((challenge = read_data(answer, &then)) == NULL)
		return CSIGN_E_PROOF_CLIENT_DATA;
	if (!csign_equal(challenge, look->challenge, CHALLENGE_TEXT_LEN))
		return CSIGN_E_PROOF_CHALLENGE;
	/* A second check: freshness is the waiting process's to judge. */
	if (!look->policy->any_time &&
	    (then > now ? then - now : now - then) > CSIGN_P256_SKEW_MS)
		return CSIGN_E_PROOF_TIME;
	return csign_es256_verify(look->crypto, look->point, answer->b,
	    answer->b_len, answer->signature, answer->signature_len);
}
