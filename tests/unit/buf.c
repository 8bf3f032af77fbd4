/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "buf.h"
#include "fault.h"

#define CANARY "canary-in-a-buffer"

static void
starts_empty(void **state)
{
	static const size_t maxima[] = {0, 1, 63, 64, 65, 8192};

	(void)state;
	for (size_t i = 0; i < N_ROWS(maxima); i++) {
		struct csign_buf *buf = NULL;

		assert_ok(csign_buf_new(maxima[i], &buf));
		assert_int_equal(csign_buf_len(buf), 0);
		assert_string_equal(csign_buf_str(buf), "");
		csign_buf_free(&buf);
		assert_null(buf);
	}
}

static void
maximum_is_kept(void **state)
{
	static const size_t maxima[] = {0, 1, 2, 63, 64, 65, 127, 128, 1000};

	(void)state;
	for (size_t i = 0; i < N_ROWS(maxima); i++) {
		struct csign_buf *buf = NULL;
		size_t max = maxima[i];

		assert_ok(csign_buf_new(max, &buf));
		for (size_t n = 0; n < max; n++) {
			assert_ok(
			    csign_buf_put_u8(buf, (uint8_t)('a' + n % 26)));
			assert_int_equal(csign_buf_len(buf), n + 1);
			assert_int_equal(csign_buf_data(buf)[n + 1], '\0');
		}
		for (size_t n = 0; n < max; n++)
			assert_int_equal(csign_buf_data(buf)[n], 'a' + n % 26);
		assert_err(
		    "one more", csign_buf_put_u8(buf, 'x'), CSIGN_E_TOO_LONG);
		assert_err("one more character", csign_buf_put_str(buf, "x"),
		    CSIGN_E_TOO_LONG);
		assert_err("one more formatted", csign_buf_putf(buf, "%d", 1),
		    CSIGN_E_TOO_LONG);
		assert_ok(csign_buf_put(buf, NULL, 0));
		assert_int_equal(csign_buf_len(buf), max);
		assert_int_equal(csign_buf_data(buf)[max], '\0');
		csign_buf_free(&buf);
	}
}

static void
impossible_maxima_are_refused(void **state)
{
	struct csign_buf *buf = NULL;

	(void)state;
	assert_err("SIZE_MAX", csign_buf_new(SIZE_MAX, &buf), CSIGN_E_INVALID);
	assert_err(
	    "SIZE_MAX / 2", csign_buf_new(SIZE_MAX / 2, &buf), CSIGN_E_INVALID);
	assert_null(buf);
	assert_ok(csign_buf_new(SIZE_MAX / 8, &buf));
	assert_ok(csign_buf_put_str(buf, "x"));
	assert_err("len", csign_buf_put(buf, "x", SIZE_MAX), CSIGN_E_TOO_LONG);
	assert_string_equal(csign_buf_str(buf), "x");
	csign_buf_free(&buf);
}

static void
numbers_are_big_endian(void **state)
{
	static const unsigned char want[] = {
	    0x01, 0x02, 0x03, 0x80, 0x05, 0x06, 0x07, 0x00, 0x02, 'h', 'i'};
	struct csign_buf *buf = NULL;

	(void)state;
	assert_ok(csign_buf_new(sizeof(want), &buf));
	assert_ok(csign_buf_put_u8(buf, 1));
	assert_ok(csign_buf_put_u16(buf, 0x0203));
	assert_ok(csign_buf_put_u32(buf, 0x80050607));
	assert_ok(csign_buf_put_v16(buf, "hi", 2));
	assert_bytes(
	    "all", csign_buf_data(buf), csign_buf_len(buf), want, sizeof(want));
	csign_buf_free(&buf);
}

static void
a_length_comes_with_its_bytes(void **state)
{
	static unsigned char bytes[65536];
	struct csign_buf *buf = NULL;

	(void)state;
	assert_ok(csign_buf_new(5, &buf));
	assert_ok(csign_buf_put_str(buf, "ab"));
	assert_err("bytes do not fit", csign_buf_put_v16(buf, "hi", 2),
	    CSIGN_E_TOO_LONG);
	assert_string_equal(csign_buf_str(buf), "ab");
	assert_ok(csign_buf_put_v16(buf, "h", 1));
	csign_buf_free(&buf);

	assert_ok(csign_buf_new(100000, &buf));
	assert_err("no length for it",
	    csign_buf_put_v16(buf, bytes, sizeof(bytes)), CSIGN_E_TOO_LONG);
	assert_int_equal(csign_buf_len(buf), 0);
	assert_ok(csign_buf_put_v16(buf, bytes, sizeof(bytes) - 1));
	assert_int_equal(csign_buf_len(buf), sizeof(bytes) + 1);
	csign_buf_free(&buf);
}

static void
formats(void **state)
{
	struct csign_buf *buf = NULL;
	char want[301];

	(void)state;
	assert_ok(csign_buf_new(301, &buf));
	assert_ok(csign_buf_putf(buf, "%s=%u", "n", 7U));
	assert_string_equal(csign_buf_str(buf), "n=7");
	assert_err(
	    "too long", csign_buf_putf(buf, "%299s", ""), CSIGN_E_TOO_LONG);
	assert_string_equal(csign_buf_str(buf), "n=7");
	assert_ok(csign_buf_putf(buf, "%298s", ""));
	assert_int_equal(csign_buf_len(buf), 301);
	csign_buf_clear(buf);
	memset(want, 'y', 300);
	want[300] = '\0';
	assert_ok(csign_buf_putf(buf, "%s", want));
	assert_string_equal(csign_buf_str(buf), want);
	csign_buf_free(&buf);
}

static void
clear_wipes_and_starts_again(void **state)
{
	struct csign_buf *buf = NULL;

	(void)state;
	assert_ok(csign_buf_new(40, &buf));
	assert_ok(csign_buf_put_str(buf, CANARY));
	csign_buf_clear(buf);
	assert_int_equal(csign_buf_len(buf), 0);
	for (size_t i = 0; i <= strlen(CANARY); i++)
		assert_int_equal(csign_buf_data(buf)[i], 0);
	assert_ok(csign_buf_put_str(buf, "again"));
	assert_string_equal(csign_buf_str(buf), "again");
	csign_buf_free(&buf);
}

static void
growth_and_free_leave_nothing_behind(void **state)
{
	struct csign_buf *buf = NULL;

	(void)state; /* MEM-3 */
	fault_canary(CANARY);
	assert_ok(csign_buf_new(4096, &buf));
	for (int i = 0; i < 200; i++)
		assert_ok(csign_buf_put_str(buf, CANARY));
	assert_int_equal(fault_canaries(), 0);
	csign_buf_free(&buf);
	assert_int_equal(fault_canaries(), 0);
	csign_buf_free(&buf);
	csign_buf_free(NULL);
	fault_canary(NULL);
}

static int
grow(void)
{
	enum csign_err r = CSIGN_E_INTERNAL;
	struct csign_buf *buf = NULL;

	if ((r = csign_buf_new(1000, &buf)) != CSIGN_OK)
		return (int)r;
	for (size_t i = 0; i < 100 && r == CSIGN_OK; i++) {
		r = csign_buf_put_str(buf, "0123456789");
		/* Unchanged where there was no memory. */
		assert_int_equal(
		    csign_buf_len(buf), i * 10 + (r == CSIGN_OK ? 10 : 0));
		assert_int_equal(
		    strlen(csign_buf_str(buf)), csign_buf_len(buf));
	}
	csign_buf_free(&buf);
	return (int)r;
}

static void
no_memory_is_an_error(void **state)
{
	(void)state;
	fault_loop(grow);
}

static void
reads_what_was_written(void **state)
{
	static const unsigned char bytes[] = {
	    0x01, 0xff, 0x03, 0x80, 0x05, 0x06, 0x07, 0x00, 0x02, 'h', 'i'};
	struct csign_rd rd;
	const unsigned char *p;
	size_t len = 99;

	(void)state;
	csign_rd_init(&rd, bytes, sizeof(bytes));
	assert_int_equal(csign_rd_u8(&rd), 1);
	assert_int_equal(csign_rd_u16(&rd), 0xff03);
	assert_int_equal(csign_rd_u32(&rd), 0x80050607);
	assert_false(csign_rd_done(&rd));
	p = csign_rd_v16(&rd, 2, &len);
	assert_int_equal(len, 2);
	assert_memory_equal(p, "hi", 2);
	assert_true(csign_rd_done(&rd));
}

/* Each asks for a byte more than there is. */
static void
bad_u8(struct csign_rd *rd)
{
	assert_int_equal(csign_rd_u8(rd), 0);
}

static void
bad_u16(struct csign_rd *rd)
{
	assert_int_equal(csign_rd_u16(rd), 0);
}

static void
bad_u32(struct csign_rd *rd)
{
	assert_int_equal(csign_rd_u32(rd), 0);
}

static void
bad_bytes(struct csign_rd *rd)
{
	assert_null(csign_rd_bytes(rd, rd->left + 1));
	assert_null(csign_rd_bytes(rd, SIZE_MAX));
}

static void
bad_v16(struct csign_rd *rd)
{
	size_t len = 99;

	assert_null(csign_rd_v16(rd, 10, &len));
	assert_int_equal(len, 99);
}

static void
beyond_the_end_is_bad_for_ever(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
		void (*read)(struct csign_rd *rd);
	} rows[] = {
	    {"u8", "", 0, bad_u8},
	    {"u16", "\1", 1, bad_u16},
	    {"u32", "\1\2\3", 3, bad_u32},
	    {"bytes", "\1\2\3", 3, bad_bytes},
	    {"no length", "\0", 1, bad_v16},
	    {"short", "\0\3ab", 4, bad_v16},
	    {"over its maximum", "\0\13abcdefghijk", 13, bad_v16},
	};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		struct csign_rd rd;

		csign_rd_init(&rd, rows[i].bytes, rows[i].len);
		rows[i].read(&rd);
		if (!rd.bad)
			fail_msg("%s: not bad", rows[i].name);
		assert_null(csign_rd_bytes(&rd, 0));
		assert_int_equal(csign_rd_u8(&rd), 0);
		assert_false(csign_rd_done(&rd));
	}
}

static void
nothing_is_not_a_failure(void **state)
{
	struct csign_rd rd;
	size_t len = 99;

	(void)state;
	csign_rd_init(&rd, NULL, 0);
	assert_non_null(csign_rd_bytes(&rd, 0));
	assert_true(csign_rd_done(&rd));
	csign_rd_init(&rd, "\0\0", 2);
	assert_non_null(csign_rd_v16(&rd, 0, &len));
	assert_int_equal(len, 0);
	assert_true(csign_rd_done(&rd));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(starts_empty),
	    cmocka_unit_test(maximum_is_kept),
	    cmocka_unit_test(impossible_maxima_are_refused),
	    cmocka_unit_test(numbers_are_big_endian),
	    cmocka_unit_test(a_length_comes_with_its_bytes),
	    cmocka_unit_test(formats),
	    cmocka_unit_test(clear_wipes_and_starts_again),
	    cmocka_unit_test(growth_and_free_leave_nothing_behind),
	    cmocka_unit_test(no_memory_is_an_error),
	    cmocka_unit_test(reads_what_was_written),
	    cmocka_unit_test(beyond_the_end_is_bad_for_ever),
	    cmocka_unit_test(nothing_is_not_a_failure),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
