/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);

/* What the clock that is asked for shows; the others are broken. */
static struct {
	clockid_t id;
	struct timespec ts;
	/* what a file says after an error; NULL: the real one */
	const char *text;
	int error;
	bool no_file;
} fake;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);

int
__wrap_open(const char *path, int flags, ...)
{
	if (fake.no_file) {
		errno = ENOENT;
		return -1;
	}
	return __real_open(path, flags);
}

ssize_t
__wrap_read(int fd, void *bytes, size_t len)
{
	size_t n = 0;

	if (fake.error != 0) {
		errno = fake.error;
		fake.error = fake.error == EINTR ? 0 : fake.error;
		return -1;
	}
	if (fake.text == NULL)
		return __real_read(fd, bytes, len);
	n = strlen(fake.text);
	n = n < len ? n : len;
	memcpy(bytes, fake.text, n);
	return (ssize_t)n;
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != fake.id) {
		errno = EINVAL;
		return -1;
	}
	*ts = fake.ts;
	return 0;
}

static void
each_reads_its_own_clock(void **state)
{
	uint64_t ms = 0;

	(void)state; /* TX-4 */
	fake.ts.tv_sec = 12;
	fake.ts.tv_nsec = 345999999;
	fake.id = CLOCK_BOOTTIME;
	assert_ok(csign_clock_boot(&ms));
	assert_int_equal(ms, 12345);
	assert_err("wall", csign_clock_wall(&ms), CSIGN_E_CLOCK);
	fake.id = CLOCK_REALTIME;
	fake.ts.tv_sec = 4102444800;
	assert_ok(csign_clock_wall(&ms));
	assert_int_equal(ms, UINT64_C(4102444800345));
	ms = 99;
	assert_err("boot", csign_clock_boot(&ms), CSIGN_E_CLOCK);
	assert_int_equal(ms, 99);
}

static void
each_boot_has_an_id(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} boot_ids[] = {
	    {"1b4e28ba-2fa1-41d2-883f-0016d3cca427", true},
	    {"00000000-0000-0000-0000-000000000000", true},
	    {"", false},
	    {"1b4e28ba-2fa1-41d2-883f-0016d3cca42", false},
	    {"1b4e28ba-2fa1-41d2-883f-0016d3cca4277", false},
	    {"1B4E28BA-2FA1-41D2-883F-0016D3CCA427", false},
	    {"1b4e28ba-2fa1-41d2-883f-0016d3cca42g", false},
	    {"1b4e28ba-2fa1-41d2-883f00016d3cca427", false},
	    {"1b4e28ba--fa1-41d2-883f-0016d3cca427", false},
	};
	char one[CSIGN_BOOT_ID_SIZE], again[CSIGN_BOOT_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < N_ROWS(boot_ids); i++)
		assert_true(
		    csign_boot_id_valid(boot_ids[i].text) == boot_ids[i].valid);
	/* The kernel's, which is the same all the time. */
	assert_ok(csign_clock_boot_id(one));
	assert_true(csign_boot_id_valid(one));
	assert_ok(csign_clock_boot_id(again));
	assert_string_equal(one, again);
}

/* What was read is in that form, or it is an error. */
static void
another_boot_id_is_an_error(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
	    {"", 0},
	    {"1b4e28ba-2fa1-41d2-883f-0016d3cca427", 0},
	    {"1b4e28ba-2fa1-41d2-883f-0016d3cca4277", 0},
	    {"1b4e28ba-2fa1-41d2-883f-0016d3cca42g\n", 0},
	    {NULL, EIO},
	};
	char out[CSIGN_BOOT_ID_SIZE] = "as before";

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		fake.error = rows[i].error;
		fake.text = rows[i].text;
		assert_err("boot id", csign_clock_boot_id(out), CSIGN_E_CLOCK);
		assert_string_equal(out, "as before");
	}
	/* A signal is no error. */
	fake.error = EINTR;
	fake.text = "1b4e28ba-2fa1-41d2-883f-0016d3cca427\n";
	assert_ok(csign_clock_boot_id(out));
	assert_int_equal(memcmp(out, fake.text, CSIGN_BOOT_ID_SIZE - 1), 0);
	fake.text = NULL;
	fake.error = 0;
	fake.no_file = true;
	assert_err("no file", csign_clock_boot_id(out), CSIGN_E_CLOCK);
	fake.no_file = false;
}

static void
before_1970_is_an_error(void **state)
{
	uint64_t ms = 99;

	(void)state;
	fake.id = CLOCK_REALTIME;
	fake.ts.tv_sec = -1;
	fake.ts.tv_nsec = 0;
	assert_err("1969", csign_clock_wall(&ms), CSIGN_E_CLOCK);
	assert_int_equal(ms, 99);
}

static const struct {
	uint64_t seconds;
	const char *text;
} times[] = {
    {0, "1970-01-01T00:00:00Z"},
    {86399, "1970-01-01T23:59:59Z"},
    {68169599, "1972-02-28T23:59:59Z"},
    {68169600, "1972-02-29T00:00:00Z"},
    {94694399, "1972-12-31T23:59:59Z"},
    {94694400, "1973-01-01T00:00:00Z"},
    {951782400, "2000-02-29T00:00:00Z"},
    {1763765400, "2025-11-21T22:50:00Z"},
    {2147483648, "2038-01-19T03:14:08Z"},
    {UINT64_C(4107542399), "2100-02-28T23:59:59Z"},
    {UINT64_C(4107542400), "2100-03-01T00:00:00Z"},
    {UINT64_C(253402300799), "9999-12-31T23:59:59Z"},
};

static void
formats_and_parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ROWS(times); i++) {
		char text[CSIGN_TIME_SIZE];
		uint64_t seconds = 99;

		assert_ok(csign_time_format(times[i].seconds, text));
		assert_string_equal(text, times[i].text);
		assert_ok(csign_time_parse(times[i].text, &seconds));
		assert_int_equal(seconds, times[i].seconds);
	}
}

/* The calendar of the C library, an hour into each day of the 8,030 years. */
static void
agrees_with_the_library(void **state)
{
	(void)state;
	for (uint64_t day = 0; day <= 2932896; day++) {
		char text[CSIGN_TIME_SIZE], want[CSIGN_TIME_SIZE];
		time_t seconds = (time_t)(day * 86400 + 3600);
		uint64_t parsed = 99;
		struct tm tm;

		assert_non_null(gmtime_r(&seconds, &tm));
		assert_int_equal(
		    strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm),
		    CSIGN_TIME_SIZE - 1);
		assert_ok(csign_time_format((uint64_t)seconds, text));
		if (strcmp(text, want) != 0)
			fail_msg("%s instead of %s", text, want);
		assert_ok(csign_time_parse(text, &parsed));
		if (parsed != (uint64_t)seconds)
			fail_msg("%s is parsed as %llu", text,
			    (unsigned long long)parsed);
	}
}

static void
other_forms_are_refused(void **state)
{
	static const char *const rows[] = {"", "2025-11-21T22:50:00",
	    "2025-11-21T22:50:00z", "2025-11-21t22:50:00Z",
	    "2025-11-21 22:50:00Z", "2025-11-21T22:50:00+00:00",
	    "2025-11-21T22:50:00.0Z", "2025-11-21T22:50:00Z ",
	    " 2025-11-21T22:50:00", "2025-11-21T22:50Z", "02025-11-21T22:50:0Z",
	    "2025-00-21T22:50:00Z", "2025-13-21T22:50:00Z",
	    "2025-13-01T22:50:00Z", "2025-99-01T22:50:00Z",
	    "2025-11-00T22:50:00Z", "2025-11-31T22:50:00Z",
	    "2025-02-29T22:50:00Z", "2100-02-29T22:50:00Z",
	    "2025-11-21T24:00:00Z", "2025-11-21T22:60:00Z",
	    "2016-12-31T23:59:60Z", "1969-12-31T23:59:59Z",
	    "0000-01-01T00:00:00Z", "2025-11-21T22:50:-1Z",
	    "2025-11-21T22:5o:00Z", "2025/11/21T22:50:00Z",
	    "20251-1-21T22:50:00Z"};

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++) {
		uint64_t seconds = 99;

		assert_err(rows[i], csign_time_parse(rows[i], &seconds),
		    CSIGN_E_FORMAT);
		assert_int_equal(seconds, 99);
	}
}

static void
the_year_10000_is_refused(void **state)
{
	static const uint64_t rows[] = {UINT64_C(253402300800),
	    UINT64_C(1) << 40, UINT64_MAX / 2, UINT64_MAX};
	char text[CSIGN_TIME_SIZE];

	(void)state;
	for (size_t i = 0; i < N_ROWS(rows); i++)
		assert_err("format", csign_time_format(rows[i], text),
		    CSIGN_E_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_reads_its_own_clock),
	    cmocka_unit_test(each_boot_has_an_id),
	    cmocka_unit_test(another_boot_id_is_an_error),
	    cmocka_unit_test(before_1970_is_an_error),
	    cmocka_unit_test(formats_and_parses),
	    cmocka_unit_test(agrees_with_the_library),
	    cmocka_unit_test(other_forms_are_refused),
	    cmocka_unit_test(the_year_10000_is_refused),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
