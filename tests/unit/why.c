/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>

#include "fault.h"
#include "text.h"
#include "why.h"

static void
nobody_may_ask(void **state)
{
	(void)state;
	csign_why_set(NULL, "%s", "x");
	csign_why_errno(NULL, EIO, "%s", "x");
}

static void
a_sentence_replaces_the_last(void **state)
{
	struct csign_why why = {"something longer than what comes now"};

	(void)state;
	csign_why_set(&why, "%s:%d: no such key", "/etc/c.conf", 7);
	assert_string_equal(why.text, "/etc/c.conf:7: no such key");
	/* The last one may be quoted. */
	csign_why_set(&why, "really: %s", why.text);
	assert_string_equal(why.text, "really: /etc/c.conf:7: no such key");
	csign_why_set(&why, "%s", "");
	assert_string_equal(why.text, "");
}

static void
errors_have_a_text(void **state)
{
	struct csign_why why;

	(void)state;
	csign_why_errno(&why, ENOENT, "open %s", "/x");
	assert_string_equal(why.text, "open /x: No such file or directory");
	csign_why_errno(&why, 123456, "open");
	assert_string_equal(why.text, "open: unknown error number");
	csign_why_errno(&why, -1, "open");
	assert_string_equal(why.text, "open: unknown error number");
}

static void
foreign_bytes_are_harmless(void **state)
{
	struct csign_why why;

	(void)state; /* UX-9 */
	csign_why_set(&why, "key \"%s\"", "\033[2J\r\n\xff\xe2\x80\xae");
	assert_string_equal(
	    why.text, "key \"\\u{1b}[2J\\u{0d}\\u{0a}\\u{ff}\\u{202e}\"");
}

static void
what_does_not_fit_becomes_dots(void **state)
{
	static const struct {
		const char *unit;
		const char *safe;
	} rows[] = {{"a", "a"}, {"\xc3\xa9", "\xc3\xa9"}, {"\033", "\\u{1b}"},
	    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		size_t width = strlen(rows[i].safe);
		struct csign_why why;
		char text[4 * CSIGN_WHY_SIZE + 1];
		size_t whole;

		for (size_t n = 0; n < CSIGN_WHY_SIZE; n++)
			memcpy(text + n * strlen(rows[i].unit), rows[i].unit,
			    strlen(rows[i].unit) + 1);
		memset(&why, 'x', sizeof(why));
		csign_why_set(&why, "%s", text);
		/* Whole characters only, and no more than one too few. */
		whole = (strlen(why.text) - 3) / width;
		assert_int_equal(strlen(why.text), whole * width + 3);
		assert_true(strlen(why.text) < CSIGN_WHY_SIZE);
		assert_true(strlen(why.text) + width >= CSIGN_WHY_SIZE - 1);
		for (size_t n = 0; n < whole; n++)
			assert_memory_equal(
			    why.text + n * width, rows[i].safe, width);
		assert_string_equal(why.text + whole * width, "...");
		/* An error number is worth more than the last words. */
		csign_why_errno(&why, EIO, "%s", text);
		assert_true(strlen(why.text) < CSIGN_WHY_SIZE);
		assert_true(strlen(why.text) + width >= CSIGN_WHY_SIZE - 1);
		assert_string_equal(why.text + strlen(why.text) - 23,
		    "...: Input/output error");
	}
}

/* Around the size, a byte at a time: never too long, never lost. */
static void
any_length_is_safe(void **state)
{
	(void)state;
	for (size_t len = CSIGN_WHY_SIZE - 20; len < CSIGN_WHY_SIZE + 20;
	     len++) {
		struct {
			struct csign_why why;
			char guard[16];
		} room;
		char text[2 * CSIGN_WHY_SIZE];

		memset(&room, 'x', sizeof(room));
		memset(text, 'a', len);
		text[len] = '\0';
		csign_why_errno(&room.why, EIO, "%s", text);
		assert_true(strlen(room.why.text) < CSIGN_WHY_SIZE);
		assert_true(strlen(room.why.text) > CSIGN_WHY_SIZE - 12);
		assert_memory_equal(room.guard, "xxxxxxxxxxxxxxxx", 16);
	}
}

static void
works_without_memory(void **state)
{
	struct csign_why why;

	(void)state;
	fault_alloc(0);
	csign_why_errno(&why, ENOMEM, "%s", "\033");
	fault_alloc(-1);
	assert_string_equal(why.text, "\\u{1b}: Cannot allocate memory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_may_ask),
	    cmocka_unit_test(a_sentence_replaces_the_last),
	    cmocka_unit_test(errors_have_a_text),
	    cmocka_unit_test(foreign_bytes_are_harmless),
	    cmocka_unit_test(what_does_not_fit_becomes_dots),
	    cmocka_unit_test(any_length_is_safe),
	    cmocka_unit_test(works_without_memory),
	};

	return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}
