/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state or rings file: all of it or nothing.  What is read could be written,
 * and of the newest version comes out byte by byte as it was; the limiter that
 * is in it has an answer at any time.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "state_file.h"

static void
check_limit(const struct csign_limit *limit)
{
	const struct csign_now times[] = {
	    {0, 0, "1b4e28ba-2fa1-41d2-883f-0016d3cca427"},
	    {1790000000, 600, "1b4e28ba-2fa1-41d2-883f-0016d3cca427"},
	    {UINT32_MAX, UINT32_MAX, "00000000-0000-4000-8000-000000000000"},
	};

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct csign_limit settled = *limit;
		char note[CSIGN_PUSH_NOTE_SIZE];
		uint32_t seconds = 0;
		bool paused = false;
		enum csign_quiet quiet;

		quiet = csign_limit_look(limit, &times[i], &seconds);
		csign_limit_note(quiet, seconds, note);
		MUST(strlen(note) <= 79);
		MUST((quiet == CSIGN_QUIET_NO) == (note[0] == '\0'));
		(void)csign_limit_settle(&settled, &times[i], &paused);
		MUST(csign_limit_look(&settled, &times[i], &seconds) == quiet);
	}
}

static bool
is_newest(const char *text)
{
	char header[64];

	(void)snprintf(header, sizeof header, "%s%d ", CSIGN_STATE_HEADER,
	    CSIGN_STATE_VERSION);
	return strncmp(text, header, strlen(header)) == 0;
}

static void
check_state(const struct csign_state *state,
    const struct csign_account *account, const struct csign_buf *text)
{
	struct csign_buf *once = fuzz_buf(CSIGN_FILE_MAX);
	struct csign_buf *twice = fuzz_buf(CSIGN_FILE_MAX);
	struct csign_state again;

	MUST(state->n_uses <= CSIGN_DEVICES_MAX);
	MUST(state->n_codes <= CSIGN_RECOVERY_CODES);
	MUST(state->n_gone <= CSIGN_DEVICES_GONE_MAX);
	MUST(csign_state_codes_left(state) <= state->n_codes);
	MUST(csign_state_format(fuzz_crypto(), account, state, once) ==
	     CSIGN_OK);
	if (is_newest(csign_buf_str(text)))
		MUST(fuzz_buf_is(
		    once, csign_buf_data(text), csign_buf_len(text)));
	MUST(csign_state_parse(fuzz_crypto(), "fuzz", csign_buf_str(once),
		 csign_buf_len(once), account, &again, NULL) == CSIGN_OK);
	MUST(csign_state_format(fuzz_crypto(), account, &again, twice) ==
	     CSIGN_OK);
	MUST(fuzz_buf_is(twice, csign_buf_data(once), csign_buf_len(once)));
	check_limit(&state->limit);
	csign_buf_free(&twice);
	csign_buf_free(&once);
}

static enum csign_err
parse(const char *text, size_t len, const struct csign_account *account,
    struct csign_state *ret_state)
{
	struct csign_why why = {""};
	enum csign_err r;

	fuzz_fill(ret_state, sizeof *ret_state);
	r = csign_state_parse(
	    fuzz_crypto(), "fuzz", text, len, account, ret_state, &why);
	MUST(r == CSIGN_OK || r == CSIGN_E_STATE);
	MUST(r == CSIGN_OK || fuzz_untouched(ret_state, sizeof *ret_state));
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *raw = (char *)fuzz_copy(data, size);
	struct csign_buf *text = checksum_repair(data, size);
	struct csign_account account = {
	    .uid = 1001, .name = "alice", .file = "alice"};
	struct csign_state state;

	if (csign_state_whose(raw, size, &account) != CSIGN_OK)
		MUST(account.uid == 1001);
	(void)parse(raw, size, &account, &state);
	if (parse(csign_buf_str(text), csign_buf_len(text), &account, &state) ==
	    CSIGN_OK)
		check_state(&state, &account, text);
	csign_buf_free(&text);
	free(raw);
	return 0;
}
