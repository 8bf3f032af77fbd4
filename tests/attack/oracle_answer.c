/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers that came: is one of them a signed yes to the question? */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle_impl.h"

#define SKEW_MS 60000 /* that a phone's clock may be wrong */

/* 01 02 choice device[10] 0000 data signature: of a p256 device, exact. */
static bool
read_answer(const unsigned char *plain, size_t len, struct oracle_answer *a)
{
	size_t at = 2, n;

	if (len < 3 || plain[0] != 1 || plain[1] != 2)
		return false;
	n = plain[at++];
	if (n == 0 || n > 32 || at + n + 10 + 4 > len)
		return false;
	memcpy(a->choice, plain + at, n);
	a->choice[n] = '\0';
	at += n;
	oracle_device_id(plain + at, a->device);
	at += 10;
	if (plain[at] != 0 || plain[at + 1] != 0)
		return false;
	at += 2;
	n = (size_t)plain[at] << 8 | plain[at + 1];
	at += 2;
	if (n == 0 || n >= sizeof(a->data) || at + n + 2 > len)
		return false;
	memcpy(a->data, plain + at, n);
	a->data[n] = '\0';
	at += n;
	a->signature_len = (size_t)plain[at] << 8 | plain[at + 1];
	a->signature = plain + at + 2;
	return strlen(a->data) == n && at + 2 + a->signature_len == len;
}

/* The key of a device of this user, by the devices file as it is now. */
static bool
key_of(const struct oracle_case *c, const char *device,
    unsigned char point[ORACLE_POINT])
{
	char line[64], header[256];
	const char *at = NULL;

	(void)snprintf(header, sizeof(header),
	    "# countersign-devices 1 user=%s uid=%u ", c->user,
	    (unsigned)c->uid);
	(void)snprintf(line, sizeof(line), "\np256 %s ", device);
	return c->devices != NULL &&
	       strncmp(c->devices, header, strlen(header)) == 0 &&
	       oracle_value(c->devices, line, " \n", &at) == 87 &&
	       oracle_from_b64u(at, 87, point, ORACLE_POINT) == ORACLE_POINT;
}

static bool
is_signed(const struct oracle_case *c, const struct oracle_question *q,
    const struct oracle_answer *a)
{
	const char *codes[] = {"", c->digits};
	unsigned char point[ORACLE_POINT], digest[ORACLE_DIGEST];
	char challenge[44], id[17];
	const char *carried = strchr(a->data, '_');
	uint64_t ms = strtoull(a->data, NULL, 10);

	if (strcmp(a->choice, "approve") != 0 || carried == NULL ||
	    !key_of(c, a->device, point) ||
	    !oracle_sha256(point, ORACLE_POINT, digest))
		return false;
	oracle_device_id(digest, id);
	if (strcmp(id, a->device) != 0)
		return false;
	if (ms / 1000 + SKEW_MS / 1000 + 1 < c->began ||
	    ms / 1000 > c->ended + SKEW_MS / 1000 + 1)
		return false;
	for (int i = 0; i < 2; i++)
		if (oracle_challenge(q, a->choice, codes[i], challenge) &&
		    strcmp(carried + 1, challenge) == 0)
			return oracle_verify(point, a->data, strlen(a->data),
			    a->signature, a->signature_len);
	return false;
}

bool
oracle_find_answer(const struct oracle_case *c, struct oracle_question *q,
    struct oracle_answer *a)
{
	for (size_t i = 0; i < c->n_answers; i++) {
		size_t n = oracle_unseal(q->secret, "countersign/1 answer",
		    &c->answers[i], q->plain);

		if (n > 0 && read_answer(q->plain, n, a) &&
		    is_signed(c, q, a) &&
		    c->answers[i].at_ms <= c->born_ms + c->lifetime_ms)
			return true;
	}
	return false;
}
