/* SPDX-License-Identifier: BSD-2-Clause */
/* countersign-protocol(7) once more, by somebody who has not seen lib/. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle_impl.h"

bool
oracle_no(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return false;
}

/* --- by phone ------------------------------------------------------------- */

static bool
is_durable(const struct oracle_case *c, const struct oracle_question *q,
    const struct oracle_answer *a, char *why, size_t size)
{
	char use[32], device[40], question[40], user[300];
	const char *const words[] = {"\"event\":\"approval\"",
	    "\"result\":\"granted\"", device, question, user, NULL};

	(void)snprintf(use, sizeof(use), "\nuse %s ", a->device);
	(void)snprintf(device, sizeof(device), "\"device\":\"%s\"", a->device);
	(void)snprintf(
	    question, sizeof(question), "\"question\":\"%.12s\"", q->nonce);
	(void)snprintf(user, sizeof(user), "\"user\":\"%s\"", c->user);
	if (c->state == NULL || !oracle_state_is_whole(c->state))
		return oracle_no(why, size, "the state file is not whole");
	if (!oracle_happened_now(c, use, "last_used="))
		return oracle_no(why, size,
		    "the use of %s is not in the state file", a->device);
	if (!oracle_is_recorded(c->audit, words))
		return oracle_no(
		    why, size, "there is no audit record of the grant");
	return true;
}

static bool
is_new(struct oracle_memory *m, const char *nonce)
{
	uint64_t mark = 0;

	for (int i = 0; i < 16; i++)
		mark =
		    mark * 31 + (unsigned char)nonce[i] * UINT64_C(2654435761);
	for (size_t i = 0; i < m->n; i++)
		if (m->seen[i] == mark)
			return false;
	if (m->n == m->size) {
		size_t size = m->size == 0 ? 64 : 2 * m->size;
		uint64_t *seen = realloc(m->seen, size * sizeof(*seen));

		if (seen == NULL)
			return false;
		m->seen = seen;
		m->size = size;
	}
	m->seen[m->n++] = mark;
	return true;
}

void
oracle_forget(struct oracle_memory *memory)
{
	free(memory->seen);
	*memory = (struct oracle_memory){NULL, 0, 0};
}

static bool
by_phone(const struct oracle_case *c, struct oracle_memory *memory, char *why,
    size_t size)
{
	struct oracle_question *q = calloc(1, sizeof(*q));
	struct oracle_answer a;
	bool agrees = false;

	if (q == NULL)
		return oracle_no(why, size, "out of memory");
	if (!oracle_read_question(c, q, why, size))
		goto out;
	if (!oracle_find_answer(c, q, &a))
		agrees = oracle_no(why, size,
		    "of %zu answers none is signed for it", c->n_answers);
	else if (!is_durable(c, q, &a, why, size))
		agrees = false;
	else if (!is_new(memory, q->nonce))
		agrees =
		    oracle_no(why, size, "the question was granted before");
	else
		agrees = true;
out:
	free(q);
	return agrees;
}

/* --- by code -------------------------------------------------------------- */

/* SHA-256 of "countersign/1 recovery", its NUL and the 24 characters. */
static bool
hash_of(const char *typed, char hex[2 * ORACLE_DIGEST + 1])
{
	char text[23 + 24] = "countersign/1 recovery";
	unsigned char digest[ORACLE_DIGEST];
	size_t n = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (n == 24)
			return false;
		text[23 + n++] =
		    (char)(*typed >= 'A' && *typed <= 'Z' ? *typed - 'A' + 'a'
							  : *typed);
	}
	if (n != 24 || !oracle_sha256(text, sizeof(text), digest))
		return false;
	oracle_to_hex(digest, sizeof(digest), hex);
	return true;
}

static bool
by_code(const struct oracle_case *c)
{
	char hex[2 * ORACLE_DIGEST + 1], line[128], unused[128], user[300];
	const char *const words[] = {
	    "\"event\":\"recovery\"", "\"result\":\"granted\"", user, NULL};

	(void)snprintf(user, sizeof(user), "\"user\":\"%s\"", c->user);
	for (size_t i = 0; i < c->n_typed; i++) {
		if (!hash_of(c->typed[i], hex))
			continue;
		(void)snprintf(
		    unused, sizeof(unused), "\ncode %s used=never\n", hex);
		(void)snprintf(line, sizeof(line), "\ncode %s ", hex);
		if (c->state_before != NULL && c->state != NULL &&
		    strstr(c->state_before, unused) != NULL &&
		    oracle_state_is_whole(c->state) &&
		    oracle_happened_now(c, line, "used=") &&
		    oracle_is_recorded(c->audit, words))
			return true;
	}
	return false;
}

/* --- by either ------------------------------------------------------------ */

bool
oracle_agrees(const struct oracle_case *c, struct oracle_memory *memory,
    char *why, size_t size)
{
	return by_code(c) || by_phone(c, memory, why, size);
}
