/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the courier makes of a service's replies: a result within its bounds,
 * or trouble with a reason.
 *
 * The first byte of an input is the call, the second the status, the third the
 * type; the rest is the body.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../lib/courier/host_api.h"
#include "fuzz.h"
#include "text.h"

static void
check_text(const char *text, size_t size)
{
	MUST(memchr(text, '\0', size) != NULL);
	MUST(text[0] != '\0');
}

/* It becomes part of a path. */
static void
check_id(const char *id)
{
	check_text(id, CSIGN_API_ID_MAX + 1);
	MUST(strpbrk(id, "/?#%. \r\n") == NULL);
}

static uint8_t
read_created(
    const struct csign_http_reply *reply, uint8_t op, struct csign_why *why)
{
	const struct csign_job job = {
	    .op = op, .subject = "alice", .copies_len = CSIGN_COPY_LEN};
	static struct csign_api_notes notes;
	struct csign_api_question question;
	uint8_t rings = 0, trouble;

	notes.n = 0;
	fuzz_fill(&question, sizeof question);
	trouble =
	    csign_api_create_read(reply, &job, why, &question, &notes, &rings);
	if (trouble != 0) {
		MUST(fuzz_untouched(&question, sizeof question));
		return trouble;
	}
	check_id(question.id);
	check_text(question.token, sizeof question.token);
	MUST(notes.n <= CSIGN_REMOVALS_MAX && rings <= 1);
	for (size_t i = 0; i < notes.n; i++)
		MUST(notes.notes[i].len >= 1 &&
		     notes.notes[i].len <= CSIGN_REMOVAL_MAX);
	return 0;
}

static uint8_t
read_status(const struct csign_http_reply *reply, struct csign_why *why)
{
	const struct csign_api_question question = {
	    .id = "tr-1", .token = "token-1"};
	static struct csign_api_status status;
	uint8_t trouble = csign_api_status_read(reply, &question, why, &status);

	if (trouble != 0)
		return trouble;
	MUST(status.event <= CSIGN_API_UNKNOWN);
	MUST(status.answer_len <= CSIGN_ANSWER_MAX);
	MUST((status.event == CSIGN_API_ANSWERED) == (status.answer_len > 0));
	return 0;
}

static uint8_t
read_user(const struct csign_http_reply *reply, struct csign_why *why)
{
	char id[CSIGN_API_ID_MAX + 1];
	uint8_t trouble;

	fuzz_fill(id, sizeof id);
	if ((trouble = csign_api_user_read(reply, why, id)) == 0)
		check_id(id);
	else
		MUST(fuzz_untouched(id, sizeof id));
	return trouble;
}

static uint8_t
read_reply(
    uint8_t call, const struct csign_http_reply *reply, struct csign_why *why)
{
	unsigned char look[CSIGN_API_LOOK_LEN], file[CSIGN_API_FILE_LEN];

	switch (call % 8) {
	case 0:
		return read_created(reply, CSIGN_OP_APPROVE, why);
	case 1:
		return read_created(reply, CSIGN_OP_ENROL, why);
	case 2:
		return read_status(reply, why);
	case 3:
		return read_user(reply, why);
	case 4:
		return csign_api_ping_read(reply, why);
	case 5:
		return csign_api_look_read(reply, why, look);
	case 6:
		return csign_api_file_read(reply, why, file);
	default:
		return csign_api_done_read(reply, why);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {
	    200, 201, 204, 301, 400, 401, 403, 404, 409, 429, 500, 503};
	uint8_t call = fuzz_take(&data, &size);
	uint8_t status = fuzz_take(&data, &size);
	uint8_t type = fuzz_take(&data, &size);
	char *body = fuzz_string(data, size);
	const struct csign_http_reply reply = {
	    .status = statuses[status % (sizeof statuses / sizeof *statuses)],
	    .type = (enum csign_http_type)(type % (CSIGN_HTTP_TYPE_OTHER + 1)),
	    .body = body,
	    .body_len = size,
	    .retry_after = -1,
	};
	struct csign_why why = {""};
	uint8_t trouble = read_reply(call, &reply, &why);

	MUST(trouble == 0 || why.text[0] != '\0');
	MUST(csign_utf8_valid(why.text, strlen(why.text)));
	free(body);
	return 0;
}
