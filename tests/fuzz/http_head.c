/* SPDX-License-Identifier: BSD-2-Clause */
/* Heads of HTTP requests: what the reader takes must be what it promises. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../service/http_head.h"
#include "fuzz.h"

#define BODY_MAX 16384

/* A whole string within text[0..len). */
static void
check_string(const char *string, const char *text, size_t len)
{
	MUST(string >= text && string < text + len);
	MUST(memchr(string, '\0', (size_t)(text + len - string)) != NULL);
	MUST(strpbrk(string, "\r\n") == NULL);
}

static void
check_head(const struct http_head *head, const char *text, size_t len)
{
	size_t i;

	MUST(head->path != NULL && head->path[0] == '/');
	check_string(head->path, text, len);
	MUST(strpbrk(head->path, "? \t") == NULL);
	if (head->query != NULL)
		check_string(head->query, text, len);
	for (i = 0; i < HTTP_N_FIELDS; i++)
		if (head->field[i] != NULL)
			check_string(head->field[i], text, len);
	MUST(head->field[HTTP_TRANSFER_ENCODING] == NULL);
	MUST(head->body_len <= BODY_MAX);
	MUST(head->body_len == 0 || head->field[HTTP_CONTENT_LENGTH] != NULL);
	MUST(!head->keep_alive || head->field[HTTP_HOST] != NULL);
}

/* A refusal leaves *ret_head alone; it is one of these. */
static void
check_refusal(unsigned status, const struct http_head *head)
{
	static const unsigned refusals[] = {400, 411, 413, 417, 505};
	bool known = false;

	MUST(fuzz_untouched(head, sizeof *head));
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		known |= refusals[i] == status;
	MUST(known);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head head;
	unsigned status;
	char *text = fuzz_string(data, size);

	fuzz_fill(&head, sizeof head);
	status = http_head_read(text, size, BODY_MAX, &head);
	if (status == 0)
		check_head(&head, text, size);
	else
		check_refusal(status, &head);
	free(text);
	return 0;
}
