/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a phone reads: the transaction, and the content around it.  What it
 * takes keeps the protocol's limits, and what a host writes from it is read
 * again and then no longer changes.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "text.h"
#include "transaction.h"

static size_t
characters(const char *text)
{
	MUST(text != NULL && csign_utf8_valid(text, strlen(text)));
	return csign_utf8_count(text, strlen(text));
}

static void
check_limits(const struct csign_transaction *t)
{
	MUST(characters(t->host) <= CSIGN_HOST_MAX);
	MUST(characters(t->user) <= CSIGN_USER_MAX);
	MUST(characters(t->service) <= CSIGN_SERVICE_MAX);
	MUST(characters(t->title) <= CSIGN_TITLE_MAX);
	MUST(strlen(t->nonce) == CSIGN_CHALLENGE_SIZE - 1);
	MUST(t->n_details <= CSIGN_DETAILS_MAX);
	for (size_t i = 0; i < t->n_details; i++) {
		MUST(characters(t->details[i].label) <= CSIGN_LABEL_MAX);
		MUST(characters(t->details[i].value) <= CSIGN_VALUE_MAX);
	}
	MUST(t->n_choices <= CSIGN_CHOICES_MAX);
	for (size_t i = 0; i < t->n_choices; i++)
		MUST(csign_choice_valid(t->choices[i]));
	MUST(t->enrolment == (t->n_choices == 0));
}

/* From what was read, if it fits once it is harmless. */
static struct csign_buf *
write_transaction(const struct csign_transaction *t)
{
	struct csign_buf *out = fuzz_buf(CSIGN_TRANSACTION_MAX);
	bool cut = false;
	enum csign_err r = csign_transaction_write(t, out, &cut);

	MUST(r == CSIGN_OK || r == CSIGN_E_TOO_LONG);
	if (r != CSIGN_OK)
		csign_buf_free(&out);
	return out;
}

static void
check_written(const struct csign_transaction *t)
{
	struct csign_buf *once = write_transaction(t), *twice = NULL;
	struct csign_transaction again;

	if (once == NULL)
		return;
	MUST(csign_transaction_read(csign_buf_data(once), csign_buf_len(once),
		 &again) == CSIGN_OK);
	check_limits(&again);
	MUST(again.uid == t->uid && again.lifetime == t->lifetime);
	MUST(strcmp(again.code, t->code) == 0);
	twice = write_transaction(&again);
	MUST(twice != NULL &&
	     fuzz_buf_is(twice, csign_buf_data(once), csign_buf_len(once)));
	csign_transaction_clear(&again);
	csign_buf_free(&twice);
	csign_buf_free(&once);
}

static void
check_transaction(const uint8_t *bytes, size_t size)
{
	struct csign_transaction t;

	fuzz_fill(&t, sizeof t);
	if (csign_transaction_read(bytes, size, &t) != CSIGN_OK) {
		MUST(fuzz_untouched(&t, sizeof t));
		return;
	}
	MUST(csign_transaction_valid(&t));
	check_limits(&t);
	check_written(&t);
	csign_transaction_clear(&t);
}

static void
check_content(const uint8_t *bytes, size_t size)
{
	struct csign_buf *out = fuzz_buf(CSIGN_TRANSACTION_MAX);

	if (csign_content_read(bytes, size, out) == CSIGN_OK)
		check_transaction(csign_buf_data(out), csign_buf_len(out));
	else
		MUST(csign_buf_len(out) == 0);
	csign_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = fuzz_copy(data, size);

	check_transaction(bytes, size);
	check_content(bytes, size);
	free(bytes);
	return 0;
}
