/* SPDX-License-Identifier: BSD-2-Clause */
/* Cutting text into lines and tokens. */
#include "unit.h"

#include "piece.h"

static void
lines_are_cut_off(void **state)
{
	static const char text[] = "one\n\nthree";
	struct csign_piece rest = {text, strlen(text)}, line;
	bool ended = false;

	(void)state;
	assert_true(csign_piece_line(&rest, &line, &ended));
	assert_true(csign_piece_is(&line, "one") && ended);
	assert_true(csign_piece_line(&rest, &line, &ended));
	assert_true(csign_piece_is(&line, "") && ended);
	assert_true(csign_piece_line(&rest, &line, &ended));
	assert_true(csign_piece_is(&line, "three") && !ended);
	assert_false(csign_piece_line(&rest, &line, &ended));
}

static void
tokens_are_cut_off(void **state)
{
	static const struct {
		const char *line;
		const char *tokens[4]; /* as many as there are */
		bool rest;             /* something is left that is none */
	} rows[] = {
	    {"", {NULL}, false},
	    {"a", {"a"}, false},
	    {"a b=c d", {"a", "b=c", "d"}, false},
	    {"a=\"b c\" d", {"a=\"b c\"", "d"}, false},
	    {"a=\"b\\\" c\" d", {"a=\"b\\\" c\"", "d"}, false},
	    {"a=\"b\\\\\" c", {"a=\"b\\\\\"", "c"}, false},
	    {"a\\ b", {"a\\", "b"}, false},
	    {" a", {NULL}, true},
	    {"a  b", {"a"}, true},
	    {"a ", {NULL}, true},
	    {"a b ", {"a"}, true},
	    {"a=\"b c", {NULL}, true},
	    {"a=\"b\\", {NULL}, true},
	    {"a=\"b\\\"", {NULL}, true},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_piece line = {rows[i].line, strlen(rows[i].line)};
		struct csign_piece token;

		for (size_t t = 0; rows[i].tokens[t] != NULL; t++) {
			assert_true(csign_piece_token(&line, &token));
			assert_bytes(rows[i].line, token.at, token.len,
			    rows[i].tokens[t], strlen(rows[i].tokens[t]));
		}
		assert_false(csign_piece_token(&line, &token));
		assert_int_equal(line.len > 0, rows[i].rest);
	}
}

static void
texts_are_compared_whole(void **state)
{
	const struct csign_piece piece = {"abcd", 3};
	const struct csign_piece same = {"abc", 3}, other = {"abcd", 4};
	struct csign_piece rest = piece;

	(void)state;
	assert_true(csign_piece_is(&piece, "abc"));
	assert_false(csign_piece_is(&piece, "ab"));
	assert_false(csign_piece_is(&piece, "abcd"));
	assert_true(csign_piece_same(&piece, &same));
	assert_false(csign_piece_same(&piece, &other));
	assert_false(csign_piece_skip(&rest, "abcd"));
	assert_false(csign_piece_skip(&rest, "b"));
	assert_true(csign_piece_skip(&rest, "ab"));
	assert_true(csign_piece_is(&rest, "c"));
}

static void
copies_fit_or_are_not_made(void **state)
{
	const struct csign_piece piece = {"abc", 3}, with_nul = {"a\0c", 3};
	char out[8] = "before";

	(void)state;
	assert_false(csign_piece_copy(&piece, out, 3));
	assert_false(csign_piece_copy(&with_nul, out, sizeof(out)));
	assert_string_equal(out, "before");
	assert_true(csign_piece_copy(&piece, out, 4));
	assert_string_equal(out, "abc");
}

static void
numbers_have_a_bound(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
	    {"0", true},
	    {"16", true},
	    {"17", false},
	    {"", false},
	    {"-1", false},
	    {" 1", false},
	    {"01", false},
	    {"1x", false},
	    {"99999999999999999999", false},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_piece piece = {rows[i].text, strlen(rows[i].text)};
		uint32_t value = 7;

		if (csign_piece_u32(&piece, 16, &value) != rows[i].ok)
			fail_msg("\"%s\"", rows[i].text);
		if (!rows[i].ok)
			assert_int_equal(value, 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_cut_off),
	    cmocka_unit_test(tokens_are_cut_off),
	    cmocka_unit_test(texts_are_compared_whole),
	    cmocka_unit_test(copies_fit_or_are_not_made),
	    cmocka_unit_test(numbers_have_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
