/* SPDX-License-Identifier: BSD-2-Clause */
/* What is on disk after a login: the state file and the audit records. */
#include "config.h"

#include <string.h>

#include "oracle_impl.h"

bool
oracle_state_is_whole(const char *state)
{
	unsigned char digest[ORACLE_DIGEST];
	char hex[2 * ORACLE_DIGEST + 1];
	const char *sum = NULL, *found = NULL;

	for (const char *at = state;
	     at != NULL && (at = strstr(at, "\nsha256 ")) != NULL; at++)
		sum = at + 1;
	if (sum == NULL || !oracle_sha256(state, (size_t)(sum - state), digest))
		return false;
	oracle_to_hex(digest, sizeof(digest), hex);
	return oracle_value(sum, "sha256 ", "\n", &found) ==
		   2 * ORACLE_DIGEST &&
	       strncmp(found, hex, 2 * ORACLE_DIGEST) == 0 &&
	       strcmp(found + 2 * ORACLE_DIGEST, "\n") == 0;
}

static void
copy_line(const char *line, char *out, size_t size)
{
	size_t n = strcspn(line, "\n");

	n = n < size ? n : size - 1;
	memcpy(out, line, n);
	out[n] = '\0';
}

bool
oracle_happened_now(
    const struct oracle_case *c, const char *before, const char *name)
{
	const char *line = strstr(c->state, before), *at = NULL;
	char text[128];
	uint64_t when;

	if (line == NULL)
		return false;
	line++; /* the line's end before it */
	copy_line(line, text, sizeof(text));
	if (oracle_value(text, name, " ", &at) == 0)
		return false;
	when = oracle_time(at);
	return when >= c->began && when <= c->ended;
}

bool
oracle_is_recorded(const char *audit, const char *const *words)
{
	for (const char *line = audit; line != NULL && *line != '\0';) {
		size_t len = strcspn(line, "\n"), i = 0;
		char text[2049];

		copy_line(line, text, sizeof(text));
		while (words[i] != NULL && strstr(text, words[i]) != NULL)
			i++;
		if (words[i] == NULL && line[len] == '\n')
			return true;
		line += len + (line[len] != '\0');
	}
	return false;
}
